// Streets that would open or close: a cased line each, broken where it would close, and a sign.
const EDIT_SIGNS = { opens: "M0,-4.6V4.6M-4.6,0H4.6", closes: "M-3.5,-3.5L3.5,3.5M-3.5,3.5L3.5,-3.5" };

const editKind = edit => (edit.closes ? "closes" : "opens");

function makeSign(kind, ...marks) {
  return svg("svg", { class: ["pm-glyph", "pm-sign", ...marks].join(" "), viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" },
    svg("circle", { r: 7 }), svg("path", { d: EDIT_SIGNS[kind] }));
}

function editLines(edit, act) {
  const line = (color, weight, dashArray) => L.polyline(readLine(edit.lines), { pane: "pm-changes", color, weight, dashArray, lineCap: "butt", bubblingMouseEvents: false });
  return [line("#FFFFFF", 8), line("#1F2933", 4.5, edit.closes ? "7 5" : null)].map(l => l.on("click", act));
}

// What the popup of a changed street says: minutes from end to end, hours and visits, shares.
function tellEdit(page, edit) {
  const { say, number, percent, arrow, study } = page, { ends, today, plan, there } = edit;
  const far = `>${number(study.horizon)}`, minutes = v => (v === null ? far : number(v));
  const shares = ([a, b]) => {
    const digits = a !== b && percent(a) === percent(b) ? 1 : 0;
    return percent(a, digits) === percent(b, digits) ? percent(a, digits) : arrow(percent(a, digits), percent(b, digits));
  };
  const district = (!page.chinese() && study.districts.find(d => d.name === edit.district)?.english) || edit.district;
  const known = ends.some(v => v !== null), way = arrow(...ends.map(minutes));
  const sentence = [known && say(edit.closes ? "editCloses" : "editOpens", { minutes: way }), say(edit.adopted ? "editCounted" : "editNotCounted")];
  const covered = [say("editCovered", { today: shares(today), plan: shares(plan) }), edit.district && there[0] !== null && say("editThere", { district, shares: shares(there) })];
  return {
    line: known ? say(edit.closes ? "editCloses" : "editOpens", { minutes: way }) : say("layer_edits"),
    sentence: sentence.filter(Boolean).join(page.chinese() ? "" : " "),
    note: [...covered, ...page.basis(0).slice(0, 3)].filter(Boolean).join(" · "),
    figures: [known && [way, say("figureEnds")], edit.hours && [number(Math.abs(edit.hours)), say(edit.hours > 0 ? "figureSaved" : "figureLost")],
      edit.affected !== null && [number(edit.affected), say("figureAffected")]],
  };
}
