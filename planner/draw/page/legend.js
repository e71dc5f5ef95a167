// The legend says what is on, and nothing else; its cells fade with those of the map.
function makeLegend(page) {
  const { root, study, state, store, say, number } = page, F = study.facilities;
  const legend = makeBox(root, "details", "legend");
  const row = (key, ...text) => el("div", { class: "pm-row" }, key, el("span", {}, ...text));
  const key = (name, style = {}, text = "") => el("span", { class: `pm-key pm-key-${name}`, style }, text);
  const kinds = [...new Set(F.kind.slice(0, F.existing).map(glyphOf))];
  kinds.sort((a, b) => Object.keys(GLYPHS).indexOf(a) - Object.keys(GLYPHS).indexOf(b));

  function stationRows() {
    const rows = kinds.map(kind => row(makeGlyph(kind, "pm-glyph-station"), kind === "station" ? say("layer_stations") : page.kind(kind)));
    const shut = F.open.slice(0, F.existing).some((_, f) => !page.markers.isOpen(f));
    return shut ? [...rows, row(makeGlyph("station", "pm-glyph-closed"), say("closed"))] : rows;
  }
  function editRows() {
    const kinds = [["opens", say("wouldOpen")], ["closes", say("wouldClose")]];
    return kinds.filter(([kind]) => study.edits.some(edit => editKind(edit) === kind)).map(([kind, word]) => row(makeSign(kind), word));
  }
  function areaRow() {
    const limits = study.areas.limits.map(v => number(v)), n = limits.length;
    return row(el("span", { class: "pm-bands" }, ...limits.map((_, i) => el("i", { style: { background: `rgba(86,180,233,${[0.56, 0.26, 0.1][Math.max(0, 3 - n) + i] ?? 0.1})` } }))),
      say("areasOf", { limits: limits.join(" · ") }));
  }
  function demandRows() {
    const breaks = page.now.breaks, unit = page.cells.unit[state.part];
    const unmet = !page.known || breaks.length > 0;
    const rows = !unmet ? [] : [el("div", { class: "pm-ramp" }, el("div", { class: "pm-grey" }, say(page.known ? "unmet" : "demandPerDay")),
      el("div", {}, ...UNMET_INK.map(ink => el("i", { style: { background: ink } }))),
      el("div", { class: "pm-num" }, el("b"), ...breaks.map(v => el("b", {}, number(v * unit)))))];
    if (!page.known) return rows;
    const some = state => page.layers.all.demand.state.includes(state);
    if (some(GAINED)) rows.push(row(key("cell", { background: "repeating-linear-gradient(135deg, #E9B08A 0 1px, #F6D6BF 1px 5px)" }), say("gained")));
    if (some(REACHED)) rows.push(row(key("cell", { background: REACHED_INK }), say("reached")));
    return rows;
  }
  store.watch(["language", "shown", "part", "open"], () => {
    const on = name => state.shown.has(name);
    legend.replaceChildren(...[
      el("summary", {}, say("legend")),
      on("sites") && row(key("site", {}, "1"), say("layer_sites")),
      on("gained") && row(key("outline"), say("layer_gained")),
      on("parking") && row(key("parking", {}, "6"), say("parkingKey")),
      on("gatherings") && row(makeShape("gathering"), say("layer_gatherings")),
      on("hotspots") && row(makeShape("hotspot"), say("layer_hotspots")),
      on("uncovered") && row(makeShape("uncovered"), say("layer_uncovered")),
      ...(on("edits") ? editRows() : []),
      on("candidates") && row(makeGlyph("station", "pm-glyph-candidate"), say("layer_candidates")),
      ...(on("stations") ? stationRows() : []),
      on("areas") && areaRow(),
      ...(on("demand") ? demandRows() : []),
    ].filter(Boolean));
  });
  return legend;
}
