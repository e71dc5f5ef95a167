// What lies on the map, palest at the bottom; a layer without data does not exist.
const PANES = [["water", 210], ["cells", 220], ["districts", 225], ["streets", 230], ["areas", 240], ["changes", 440],
  ["places", 450], ["hotspots", 452], ["uncovered", 453], ["candidates", 455], ["gatherings", 457], ["stations", 460], ["parking", 470], ["edits", 480], ["sites", 620]];
const CLICKABLE = ["changes", "hotspots", "uncovered", "edits", "candidates", "gatherings", "stations", "parking", "sites"];
const LAYER_GROUPS = [
  ["groupPlan", ["sites", "gained", "uncovered", "parking", "candidates", "edits"]],
  ["groupToday", ["stations", "demand", "hotspots", "gatherings", "areas"]],
  ["groupGround", ["streets", "districts", "places", "water"]],
];
const SHOWN_FIRST = ["sites", "parking", "stations", "demand", "streets", "districts", "places", "water"];
const SKY = "#56B4E9", AREA_OPACITY = { few: [0.08], some: [0.3, 0.08], many: [0.3, 0.18, 0.08] };

function makeLayers(page) {
  const { map, root, study, store, state } = page;
  for (const [name, z] of PANES) {
    const pane = map.createPane(`pm-${name}`);
    pane.classList.add(`pm-pane-${name}`);
    pane.style.zIndex = z;
    pane.style.pointerEvents = CLICKABLE.includes(name) ? "" : "none";
  }
  const polygon = (pane, polygons, style) => L.polygon(readPolygons(polygons), { pane: `pm-${pane}`, interactive: false, stroke: false, ...style });
  const layers = {};
  layers.demand = new CellLayer(page.cells, { pane: "pm-cells" });
  if (page.lines) layers.streets = new StreetLayer(page.lines, { pane: "pm-streets" });
  if (study.water.length) layers.water = polygon("water", study.water, { fillColor: "#DCEAF2", fillOpacity: 1 });
  if (study.districts.length) {
    layers.districts = L.layerGroup(study.districts.map(d => polygon("districts", d.rings, { fill: false, stroke: true, color: "#8A9099", weight: 1, dashArray: "5 4" })));
    layers.places = L.layerGroup();
  }
  if (study.areas?.bands.length) layers.areas = areaLayer(study.areas, polygon);
  if (study.areas?.gained.length) layers.gained = polygon("areas", study.areas.gained, { fill: false, stroke: true, color: "#D55E00", weight: 1, opacity: 0.7 });
  Object.assign(layers, page.markers.groups);
  if (layers.edits) layers.edits = L.layerGroup([...study.edits.flatMap(edit => editLines(edit, () => page.popups.openEdit(edit))), layers.edits]);
  state.shown = new Set(SHOWN_FIRST.filter(name => layers[name]));

  function show(name, yes) {
    if (!layers[name] || state.shown.has(name) === yes) return;
    const shown = new Set(state.shown);
    if (yes) shown.add(name); else shown.delete(name);
    if (yes) layers[name].addTo(map); else layers[name].remove();
    store.change({ shown });
  }
  // close by, and under service areas, the cells step back
  function fade() {
    const near = Math.max(0, Math.min(3, Math.floor(map.getZoom()) - 13));
    root.style.setProperty("--pm-cells", [1, 0.85, 0.65, 0.55][near] * (state.shown.has("areas") ? 0.45 : 1));
  }
  map.on("zoomend", fade);
  store.watch(["shown"], fade);
  return { all: layers, show, addFirst: () => { for (const name of state.shown) layers[name].addTo(map); } };
}

// The bands lie beside each other, so that their fills do not add up; only the last has an outline.
function areaLayer({ bands, edge }, polygon) {
  const opacity = bands.length > 2 ? AREA_OPACITY.many : bands.length === 2 ? AREA_OPACITY.some : AREA_OPACITY.few;
  return L.layerGroup([
    ...bands.map((band, i) => polygon("areas", band, { fillColor: SKY, fillOpacity: opacity[Math.min(i, opacity.length - 1)] })),
    polygon("areas", edge, { fill: false, stroke: true, color: SKY, weight: 1.2 }),
  ]);
}

// The panel under the search box: three groups of check boxes.
function makeLayerPanel(page, panel) {
  const { say, state, store } = page;
  store.watch(["language", "shown"], () => {
    const focus = document.activeElement?.dataset?.layer;
    panel.replaceChildren(...LAYER_GROUPS.flatMap(([group, names]) => {
      const present = names.filter(name => page.layers.all[name]);
      return present.length ? [el("h3", {}, say(group)), ...present.map(name => el("label", {},
        el("input", { type: "checkbox", checked: state.shown.has(name), "data-layer": name, on: { change: e => page.layers.show(name, e.target.checked) } }),
        say(`layer_${name}`)))] : [];
    }));
    if (focus) panel.querySelector(`[data-layer="${focus}"]`)?.focus();
  });
}
