// Search over sites, stations, districts and streets; accents and case do not matter.
const MOST_HITS = 12;

const plainText = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function makeSearch(page) {
  const { root, study, state, store, say } = page, F = study.facilities;
  const box = makeBox(root, "div", "tools");
  const input = el("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  const button = el("button", { type: "button", "aria-expanded": "false" });
  const found = el("div", { class: "pm-found", hidden: true }), panel = el("div", { class: "pm-layers", hidden: true });
  box.append(el("div", { class: "pm-line" }, input, button), found, panel);
  makeLayerPanel(page, panel);

  let index;
  const makeIndex = () => [
    ...study.sites.map((s, i) => [s.name, "hit_site", F.existing + i]),
    ...F.name.slice(0, F.existing).map((name, f) => [name, "hit_station", f]),
    ...study.districts.flatMap(d => [...new Set([d.name, d.english])].map(name => [name, "hit_district", toLatLng(d.x, d.y)])),
    ...(study.lookup ?? []).map(([name, x, y]) => [name, "hit_street", toLatLng(x, y)]),
  ].filter(([name]) => name).map(entry => [plainText(entry[0]), ...entry]);

  function find() {
    const text = plainText(input.value.trim());
    found.hidden = !text;
    if (!text) return;
    index ??= makeIndex();
    const hits = index.filter(entry => entry[0].includes(text)).slice(0, MOST_HITS);
    found.replaceChildren(...hits.map(([, name, kind, at]) => el("button", { type: "button", on: { click: () => { found.hidden = true; page.flyTo(at, kind === "hit_district" ? 14 : 16); } } },
      el("span", {}, name), el("span", { class: "pm-grey" }, say(kind)))), ...(hits.length ? [] : [el("p", { class: "pm-grey" }, say("searchNone"))]));
  }
  function openPanel(open = panel.hidden) {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  }
  input.addEventListener("input", find);
  input.addEventListener("keydown", e => { if (e.key === "Enter") found.querySelector("button")?.click(); });
  button.addEventListener("click", () => openPanel());
  store.watch(["language"], () => {
    input.placeholder = say("search");
    input.setAttribute("aria-label", say("search"));
    button.textContent = say("layers");
    find();
  });
  return { input, openPanel, close() { found.hidden = true; openPanel(false); input.blur(); } };
}
