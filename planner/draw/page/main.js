// The page: unpacks the study, builds the views, and holds what they share.
const SITE_PX = 20, PHONE_PX = 700, TIGHT_PX = [1100, 640];  // narrower or lower than this, the legend folds

async function startPlanMap(map, root, words, language) {
  const tell = key => root.append(el("p", { class: "pm-message", role: "alert" }, words[language][key]));
  if (!("DecompressionStream" in window)) { tell("tooOld"); return; }
  try {
    const id = map.getContainer().id;
    const [study, cells, lines, reach] = await Promise.all(["study", "cells", "streets", "reach"].map(name => inflate(`${id}_${name}`)));
    const told = readJson(study);
    buildPage({ map, root, id, study: told, cells: readCells(told.cells, cells), lines: lines && readLines(lines),
      reach: readReach(told.facilities.id.length, reach), known: Boolean(reach) }, words);
  } catch (error) {
    tell("broken");
    throw error;
  }
}

function buildPage(page, words) {
  const { map, root, study, cells } = page, F = study.facilities;
  page.alone = document.querySelectorAll(".pm").length === 1;
  page.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  page.phone = () => root.classList.contains("pm-phone");
  page.where = f => toLatLng(F.x[f], F.y[f]);
  page.today = Array.from({ length: F.existing }, (_, f) => f);
  page.planned = Array.from({ length: F.existing + F.chosen }, (_, f) => f);
  page.whatIf = makeWhatIf(page.reach, cells.weight, F.open);
  measureOwn(page);

  const state = { language: study.language, part: 0, open: new Set(page.planned), trying: false, shown: new Set() };
  Object.assign(state, readAddress(page));
  page.store = makeStore(state);
  page.state = state;
  Object.assign(page, makeSpeech(words, study, state));
  addActions(page);
  const fold = () => {
    root.classList.toggle("pm-phone", root.clientWidth <= PHONE_PX);
    root.classList.toggle("pm-tight", root.clientWidth <= TIGHT_PX[0] || root.clientHeight <= TIGHT_PX[1]);
    return root.className;
  };
  fold();

  page.store.watch(["part", "open"], () => measureNow(page));  // first, for all others read it
  page.markers = makeMarkers(page);
  page.layers = makeLayers(page);
  page.store.watch(["part", "open"], () => colourCells(page));
  page.popups = makePopups(page);
  const card = makeCard(page), legend = makeLegend(page);
  page.sheet = makeSheet(page, card);
  page.search = makeSearch(page);
  makeZoom(page);
  makeCredits(page);
  page.hover = makeHover(page);
  page.store.watch(["language", "shown"], () => drawPlaces(page));
  map.on("zoomend", () => drawPlaces(page));
  page.store.watch(["language"], () => { root.lang = state.language === "zh" ? "zh-CN" : "en"; if (page.alone) document.documentElement.lang = root.lang; });

  page.legend = legend;
  const openLegend = () => { legend.open = !root.classList.contains("pm-tight"); };
  openLegend();
  page.sheet.settle();
  page.fit();
  L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 90 }).addTo(map);
  notePaint(page);
  page.layers.addFirst();
  page.store.drawAll();
  if (state.trying) page.layers.show("candidates", true);
  page.sheet.settle();
  page.fit();
  keepAddress(page);
  listenToKeys(page);
  page.untouched = true;
  for (const type of ["pointerdown", "wheel", "keydown"]) root.addEventListener(type, () => { page.untouched = false; }, { passive: true });
  preparePaper(page);
  new ResizeObserver(() => {
    if (matchMedia("print").matches) return;
    const was = root.className, changed = was !== fold();
    map.invalidateSize({ animate: false });
    page.sheet.settle();
    if (changed) openLegend();
    if (changed || page.untouched) page.fit();  // a frame may get its size late
  }).observe(root);
  root.planPage = page;  // for tests and for the curious
}

// The shares that this page sums itself: today, the plan, and the plan if all were open all day.
function measureOwn(page) {
  const { whatIf, cells } = page, today = whatIf.measure(page.today), plan = whatIf.measure(page.planned);
  const nominal = cells.weight.map((list, d) => whatIf.total[d] ? list.reduce((sum, w, i) => sum + (plan.reached[i] & 1 ? w : 0), 0) / whatIf.total[d] : 0);
  page.before = today.reached;
  page.own = { today: today.share, plan: plan.share, nominal };
  page.breaks = [];
}

function measureNow(page) {
  const { state, cells, before } = page, d = state.part;
  page.now = page.whatIf.measure(state.open, d);
  // fixed per daypart while stations come and go
  page.now.breaks = page.breaks[d] ??= fifths(cells.weight[d].filter((w, i) => w > 0 && !(before[i] >> d & 1)));
}

function colourCells(page) {
  const d = page.state.part, weight = page.cells.weight[d], { reached, breaks } = page.now;
  page.layers.all.demand.recolour(i => {
    if (!weight[i]) return EMPTY;
    if (reached[i] >> d & 1) return page.before[i] >> d & 1 ? REACHED : GAINED;
    return unmetClass(weight[i], breaks);
  });
}

function addActions(page) {
  const { map, root, store, state, study } = page;
  page.padding = () => (page.phone() ? { topLeft: [12, 66], bottomRight: [12, page.sheet.height() + 20] } : { topLeft: [352, 24], bottomRight: [24, 24] });
  page.toggle = f => {
    const open = new Set(state.open);
    if (!open.delete(f)) open.add(f);
    store.change({ open });
  };
  page.setTrying = trying => {
    map.closePopup();
    page.layers.show("candidates", trying);
    store.change(trying ? { trying } : { trying, open: new Set(page.planned) });
  };
  page.setPart = part => { map.closePopup(); store.change({ part }); };
  page.setLanguage = language => { map.closePopup(); store.change({ language }); };
  const answer = L.latLngBounds(study.frame.map(([x, y]) => toLatLng(x, y)));
  page.fit = () => {
    const { topLeft: [left, top], bottomRight } = page.padding(), { legend } = page;
    const lay = from => map.fitBounds(answer, { animate: false, paddingTopLeft: [from, top], paddingBottomRight: bottomRight });
    lay(left);
    // the answer comes first: a site under the open legend moves the map to its right
    const hidden = mark => { const { x, y } = map.latLngToContainerPoint(mark.getLatLng()); return x < legend.offsetLeft + legend.offsetWidth + SITE_PX && y > legend.offsetTop - SITE_PX; };
    if (!page.phone() && legend.open && page.layers.all.sites?.getLayers().some(hidden)) lay(legend.offsetLeft + legend.offsetWidth + SITE_PX);
  };
  page.flyTo = (goal, zoom = 15) => {
    const f = typeof goal === "number" ? goal : null, at = f === null ? goal : page.where(f);
    if (page.phone()) page.sheet.set(0);
    const { topLeft, bottomRight } = page.padding();
    const shift = [(bottomRight[0] - topLeft[0]) / 2, (bottomRight[1] - topLeft[1]) / 2];
    const centre = map.unproject(map.project(at, zoom).add(shift), zoom);
    map.closePopup();
    if (f !== null && !state.trying) map.once("moveend", () => page.popups.open(f));
    if (page.calm || document.hidden) map.setView(centre, zoom, { animate: false });
    else map.flyTo(centre, zoom, { duration: 0.7 });
  };
}

function notePaint(page) {
  const waiting = new Set([page.layers.all.demand, page.layers.all.streets].filter(Boolean));
  for (const layer of [...waiting]) layer.once("load", () => {
    waiting.delete(layer);
    if (!waiting.size) requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("plan-painted")));
  });
  page.idle = () => !waiting.size && paintQueue.idle();
}
