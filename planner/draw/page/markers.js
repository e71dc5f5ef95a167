// Sites, stations, parking and candidates: nodes of 20 px or more that the keyboard reaches too.
const GLYPHS = {  // within -7 … 7; other kinds than stations have one simple shape each
  station: () => svg("circle", { r: 5.3 }),
  merchant: () => svg("rect", { x: -4.8, y: -4.8, width: 9.6, height: 9.6 }),
  pharmacy: () => svg("path", { d: "M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z" }),
  charging: () => svg("path", { d: "M1.5,-6.5L-5,1H-1L-1.5,6.5L5,-1.5H1Z" }),
  canteen: () => svg("path", { d: "M-6.2,-3H6.2A6.2,7.2 0 0 1 -6.2,-3Z" }),
  drivers_home: () => svg("path", { d: "M0,-6.4L6.4,-0.6H4.6V5.2H-4.6V-0.6H-6.4Z" }),
  parking: () => svg("rect", { x: -5, y: -5, width: 10, height: 10, rx: 2.6 }),
};
const NUMBERS_FROM_ZOOM = 14;  // farther away, parking is a small square

const glyphOf = kind => (GLYPHS[kind] ? kind : "station");

function makeGlyph(kind, ...marks) {
  return svg("svg", { class: ["pm-glyph", ...marks].join(" "), viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, GLYPHS[glyphOf(kind)]());
}

// Places that are no facilities: a diamond where riders rest without shelter, an empty hexagon
// where demand crowds together, a full one where it stays without a station.
const SHAPES = { gathering: "M0,-7.4L7.4,0L0,7.4L-7.4,0Z", hotspot: "M0,-7.6L6.6,-3.8V3.8L0,7.6L-6.6,3.8V-3.8Z", uncovered: "M0,-7.6L6.6,-3.8V3.8L0,7.6L-6.6,3.8V-3.8Z" };

function makeShape(name) {
  return svg("svg", { class: `pm-glyph pm-shape-${name}`, viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: SHAPES[name] }));
}

function makeMarkers(page) {
  const { map, root, study, store, state } = page, F = study.facilities;
  const groups = {}, marks = [];
  const icon = (name, size, html) => L.divIcon({ className: `pm-mark pm-mark-${name}`, iconSize: [size, size], html });

  function add(group, latlng, options, { label, act, hint }) {
    const mark = L.marker(latlng, { pane: `pm-${group}`, keyboard: true, riseOnHover: true, ...options });
    mark.on("add", () => mark.getElement().setAttribute("aria-label", label()));
    mark.on("click", act);
    mark.on("keypress", e => { if (e.originalEvent.key === "Enter" || e.originalEvent.key === " ") act(); });
    mark.on("mouseover", () => page.hover?.name(mark, (hint ?? label)()));
    mark.on("mouseout", () => page.hover?.hide());
    (groups[group] ??= L.layerGroup()).addLayer(mark);
    return mark;
  }
  const told = (place, line) => ({ label: () => `${place.name} · ${line(place)}`, hint: () => el("span", {}, el("b", {}, place.name), el("br"), line(place)) });
  const press = f => () => (state.trying ? page.toggle(f) : page.popups.open(f));

  study.sites.forEach((site, i) => {
    const f = F.existing + i;
    marks[f] = add("sites", page.where(f), { icon: icon("site", 28, el("span", {}, String(site.rank))), zIndexOffset: 1000 - site.rank },
      { label: () => `${site.rank} ${site.name}`, act: press(f) });
  });
  for (let f = 0; f < F.id.length; f++) {
    if (f >= F.existing && f < F.existing + F.chosen) continue;
    const group = f < F.existing ? "stations" : "candidates";
    marks[f] = add(group, page.where(f), { icon: icon(group, 20, f < F.existing ? makeGlyph(F.kind[f]) : makeGlyph("station")) },
      { label: () => F.name[f] || page.kind(F.kind[f]), act: press(f) });
  }
  study.parking.forEach((place, i) => add("parking", toLatLng(place.x, place.y), { icon: icon("parking", 20, el("span", {}, String(place.bays))) },
    { label: () => page.say("parkingNamed", { name: place.name, n: place.bays }), act: () => page.popups.openParking(i) }));

  study.hotspots.forEach((place, i) => add("hotspots", toLatLng(place.x, place.y), { icon: icon("hotspot", 20, makeShape("hotspot")), zIndexOffset: -i },
    { ...told(place, p => page.popups.hotspotLine(p)), act: () => page.popups.openHotspot(place) }));
  study.uncovered.forEach((place, i) => add("uncovered", toLatLng(place.x, place.y), { icon: icon("uncovered", 20, makeShape("uncovered")), zIndexOffset: -i },
    { ...told(place, p => page.popups.uncoveredLine(p)), act: () => page.popups.openUncovered(place) }));
  study.edits.forEach(edit => add("edits", toLatLng(edit.x, edit.y), { icon: icon("edit", 20, makeSign(editKind(edit))) },
    { ...told(edit, e => tellEdit(page, e).line), act: () => page.popups.openEdit(edit) }));
  study.gatherings.forEach((place, i) => add("gatherings", toLatLng(place.x, place.y), { icon: icon("gathering", 20, makeShape("gathering")), zIndexOffset: -i },
    { ...told(place, p => page.popups.gatheringLine(p)), act: () => page.popups.openGathering(place) }));

  const isOpen = f => Boolean(F.open[f] >> state.part & 1);
  function dress(f) {
    const node = marks[f].getElement();
    if (!node) return;
    node.classList.toggle("pm-off", !state.open.has(f));
    node.classList.toggle("pm-closed", !isOpen(f));
  }
  store.watch(["open", "part", "shown"], () => marks.forEach((_, f) => dress(f)));
  const size = () => root.classList.toggle("pm-far", map.getZoom() < NUMBERS_FROM_ZOOM);
  map.on("zoomend", size);
  store.watch(["shown"], size);
  return { groups, marks, isOpen };
}
