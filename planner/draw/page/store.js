// What the reader has set, and who redraws when it changes.
function makeStore(state) {
  const watchers = [];
  return {
    state,
    watch(keys, draw) { watchers.push({ keys, draw }); },
    change(patch) {
      const changed = Object.keys(patch);
      Object.assign(state, patch);
      for (const { keys, draw } of watchers) if (keys.some(key => changed.includes(key))) draw();
    },
    drawAll() { for (const { draw } of watchers) draw(); },
  };
}
