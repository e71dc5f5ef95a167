// District names: they step aside for markers and for each other; what finds no room is left out.
const STEPS_ASIDE = [[0, 0], [0, -20], [0, 20], [-34, 0], [34, 0], [0, -36], [0, 36], [-60, -14], [60, -14], [-60, 16],
  [60, 16], [0, -54], [0, 54], [0, -78], [-92, 0], [92, 0], [-80, -40], [80, -40], [0, -100], [0, 100]];
const FARTHEST_M = 1400;  // a name may not wander into the next district

function drawPlaces(page) {
  const { map, study, state, layers } = page, group = layers.all.places;
  if (!group || !state.shown.has("places")) return;
  group.clearLayers();
  const alone = study.districts.length === 1, size = alone ? 20 : study.districts.length > 8 ? 13 : 15;
  const metres = 156543 * Math.cos(map.getCenter().lat * Math.PI / 180) / 2 ** map.getZoom();
  const taken = takenBoxes(page);
  for (const district of study.districts) {
    const [main, second] = placeNames(district, page.chinese());
    if (!main) continue;
    const half = { x: Math.max(textWidth(main, size), second ? textWidth(second, 13) : 0) / 2 + 3, y: (size * 1.2 + (second ? 16 : 0)) / 2 };
    const at = map.latLngToLayerPoint(toLatLng(district.x, district.y));
    const free = STEPS_ASIDE.filter(([x, y]) => Math.hypot(x, y) * metres < FARTHEST_M)
      .map(([x, y]) => [at.x + x - half.x, at.y + y - half.y, at.x + x + half.x, at.y + y + half.y])
      .find(box => taken.every(b => b[2] < box[0] || b[0] > box[2] || b[3] < box[1] || b[1] > box[3]));
    if (!free) continue;
    taken.push(free);
    const label = el("div", { style: { "font-size": `${size}px` } }, main, second ? el("small", {}, second) : null);
    group.addLayer(L.marker(map.layerPointToLatLng([(free[0] + free[2]) / 2, (free[1] + free[3]) / 2]), {
      pane: "pm-places", interactive: false, keyboard: false,
      icon: L.divIcon({ className: `pm-place${alone ? " pm-place-city" : ""}`, iconSize: [0, 0], html: label }) }));
  }
}

function placeNames({ name, english }, chinese) {
  if (!chinese) return [english || name, ""];
  return [name || english, english && english !== name ? english : ""];
}

const textWidth = (text, size) => [...text].reduce((sum, c) => sum + (c > "\u2e7f" ? 1.05 : 0.57) * size, 0);

function takenBoxes({ map, markers, state }) {
  return Object.entries(markers.groups).filter(([name]) => state.shown.has(name)).flatMap(([name, group]) => group.getLayers().map(mark => {
    const c = map.latLngToLayerPoint(mark.getLatLng()), r = name === "sites" ? 15 : 9;
    return [c.x - r, c.y - r, c.x + r, c.y + r];
  }));
}
