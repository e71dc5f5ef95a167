// On a phone the card is a sheet with three heights: its head, half the page, nearly all of it.
const DRAG_PX = 8, LOWEST_PX = 120;

function makeSheet(page, { card, handle, body }) {
  const { root, map } = page;
  const heights = [() => (body.querySelector(".pm-figures, .pm-trial")?.offsetTop ?? 150) - 4, () => root.clientHeight * 0.56, () => root.clientHeight * 0.88];
  let stop = 0, dragged = false;
  const height = () => heights[stop]();
  const grow = px => root.style.setProperty("--pm-sheet", `${Math.round(px)}px`);

  function set(next) {
    const was = height();
    stop = next;
    root.dataset.sheet = next;
    if (page.phone() && next < 2 && was < root.clientHeight * 0.8)  // the map's middle stays in sight
      map.panBy([0, (height() - was) / 2], { animate: !page.calm });
    grow(height());
  }
  handle.addEventListener("pointerdown", event => {
    const from = event.clientY, start = height();
    let moved = 0;
    const move = e => { moved = from - e.clientY; grow(Math.max(LOWEST_PX, start + moved)); };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (Math.abs(moved) <= DRAG_PX) return;
      dragged = true;
      const goal = start + moved;
      set([0, 1, 2].reduce((a, b) => (Math.abs(heights[b]() - goal) < Math.abs(heights[a]() - goal) ? b : a)));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  });
  handle.addEventListener("click", () => { if (dragged) dragged = false; else set((stop + 1) % 3); });
  page.store.watch(["language", "part", "trying", "open"], () => grow(height()));
  root.dataset.sheet = 0;
  return { set, height, settle: () => grow(height()) };
}
