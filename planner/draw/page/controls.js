// Zoom, scale, credits, what is under the pointer, and the keys.
function makeZoom(page) {
  const zoom = makeBox(page.root, "div", "zoom");
  const buttons = [["+", "zoomIn", () => page.map.zoomIn()], ["−", "zoomOut", () => page.map.zoomOut()], ["⤢", "fit", () => page.fit()]];
  page.store.watch(["language"], () => zoom.replaceChildren(...buttons.map(([sign, name, act]) =>
    el("button", { type: "button", "aria-label": page.say(name), title: page.say(name), on: { click: act } }, sign))));
}

// “For internal use”, the review number and whom the streets are owed to.
function makeCredits(page) {
  const credits = el("div", { class: "pm-credits" }), { study, say } = page;
  page.root.append(credits);
  page.store.watch(["language"], () => credits.replaceChildren(el("b", {}, say("internal")),
    ...[study.review && say("review", { number: study.review }), study.attribution].filter(Boolean).map(text => el("span", {}, text))));
}

function makeHover(page) {
  const { root, map, state, say, number } = page, hover = makeBox(root, "div", "hover", { hidden: true });
  function place(at, ...content) {
    const right = at.x > root.clientWidth - 260;
    hover.replaceChildren(...content);
    hover.hidden = false;
    for (const [side, px] of Object.entries({ left: right ? "" : `${at.x + 14}px`, right: right ? `${root.clientWidth - at.x + 14}px` : "", top: `${at.y + 14}px` })) hover.style[side] = px;
  }
  function overCell(event) {
    const i = state.shown.has("demand") && (event.type === "click" || !page.phone()) ? page.layers.all.demand.cellAt(event.latlng) : -1;
    const weight = i < 0 ? 0 : page.cells.weight[state.part][i];
    if (!weight) { hover.hidden = true; return; }
    const bit = 1 << state.part, { reached, nearest } = page.now, near = nearest[i] === FAR;
    const text = !page.known ? "" : ` · ${say(reached[i] & bit ? (page.before[i] & bit ? "cellReached" : "cellGained") : "cellUnmet")} · ` +
      (near ? say("cellFar", { n: page.study.limit }) : say("cellNear", { n: Math.ceil(nearest[i] * page.study.minute - 1e-9) }));
    place(event.containerPoint, el("b", { class: "pm-num" }, say("cellWeight", { n: number(weight * page.cells.unit[state.part]) })), text);
  }
  map.on("mousemove click", overCell);
  map.on("mouseout movestart zoomstart", () => { hover.hidden = true; });
  return {
    name(mark, text) { if (!page.phone()) place(map.latLngToContainerPoint(mark.getLatLng()), text); },
    hide() { hover.hidden = true; },
  };
}

// 1–9 fly to a site, 0 shows all, / searches, L opens the layers, T starts a trial, Esc closes.
function listenToKeys(page) {
  document.addEventListener("keydown", event => {
    const here = page.root.contains(event.target) || (page.alone && event.target === document.body);
    if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { page.map.closePopup(); page.search.close(); return; }
    if (event.target.tagName === "INPUT" && event.target.type === "search") return;
    const act = {
      0: () => page.fit(), "/": () => page.search.input.focus(), l: () => page.search.openPanel(),
      t: () => page.known && page.setTrying(!page.state.trying),
    }[event.key.toLowerCase()];
    const site = page.study.sites[Number(event.key) - 1];
    if (act) { event.preventDefault(); act(); } else if (site) page.flyTo(page.study.facilities.existing + Number(event.key) - 1);
  });
}

// On paper the screen's page is shrunk to A4 (277 × 190 mm at 96 dpi): Leaflet need not lay out again.
function preparePaper(page) {
  const { root } = page, measure = () => {
    if (matchMedia("print").matches) return;
    const w = root.clientWidth, h = root.clientHeight, fit = Math.min(1047 / w, 718 / h);
    for (const [name, value] of Object.entries({ fit, w: `${w}px`, h: `${h}px`, print: 0.925 / fit })) root.style.setProperty(`--pm-${name}`, value);
  };
  measure();
  new ResizeObserver(measure).observe(root);
}
