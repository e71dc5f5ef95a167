// Language, daypart and trial live in the address, so that a link or a reload shows the same.
function readAddress(page) {
  if (!page.alone) return {};
  const given = new URLSearchParams(location.hash.slice(1)), { study } = page, patch = {};
  if (["zh", "en"].includes(given.get("lang"))) patch.language = given.get("lang");
  const part = study.dayparts.findIndex(p => p.name === given.get("part"));
  if (part >= 0) patch.part = part + 1;
  const positions = key => given.getAll(key).map(id => study.facilities.id.indexOf(id)).filter(f => f >= 0);
  const added = positions("add"), dropped = positions("drop");
  if (page.known && (added.length || dropped.length)) {
    patch.open = new Set([...page.planned, ...added].filter(f => !dropped.includes(f)));
    patch.trying = true;
  }
  return patch;
}

function keepAddress(page) {
  if (!page.alone) return;
  const { study, state, store } = page;
  store.watch(["language", "part", "open", "trying"], () => {
    const told = new URLSearchParams();
    if (state.language !== study.language) told.set("lang", state.language);
    if (state.part) told.set("part", study.dayparts[state.part - 1].name);
    if (state.trying) {
      for (const f of state.open) if (!page.planned.includes(f)) told.append("add", study.facilities.id[f]);
      for (const f of page.planned) if (!state.open.has(f)) told.append("drop", study.facilities.id[f]);
    }
    const hash = told.toString();
    if (hash === location.hash.slice(1)) return;
    try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { /* a notebook's frame has no address */ }
  });
}
