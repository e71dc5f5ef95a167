// A layer of canvas tiles, drawn a few milliseconds' worth a frame so that panning never waits.
const TILE = 512, FRAME_MS = 7, FIRST_FRAME_MS = 60;

const paintQueue = (() => {
  const jobs = [];
  let running = false, first = true;  // nobody pans before the first picture: it may take whole frames
  function step() {
    const until = performance.now() + (first ? FIRST_FRAME_MS : FRAME_MS);
    while (jobs.length && performance.now() < until) jobs.shift()();
    if (jobs.length) requestAnimationFrame(step); else running = first = false;
  }
  return {
    add(job) { jobs.push(job); if (!running) { running = true; requestAnimationFrame(step); } },
    idle: () => !running,
  };
})();

const CanvasLayer = L.GridLayer.extend({
  options: { tileSize: TILE, keepBuffer: 1, updateWhenZooming: false, updateInterval: 60 },
  createTile(coords, done) {
    const canvas = document.createElement("canvas"), density = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = canvas.height = TILE * density;
    canvas.coords = coords;
    paintQueue.add(() => { if (this._map) this.paint(canvas); done(null, canvas); });
    return canvas;
  },
  // `drawTile` gets the tile's bounds in pack pixels, and `k`, canvas pixels in one of them.
  paint(canvas) {
    const { x, y, z } = canvas.coords, size = TILE * 2 ** (PACK_ZOOM - z), context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.drawTile(context, { left: x * size, top: y * size, right: (x + 1) * size, bottom: (y + 1) * size,
      k: canvas.width / size, zoom: z, density: canvas.width / TILE });
  },
  repaint() {
    for (const key in this._tiles) paintQueue.add(() => { if (this._tiles[key]) this.paint(this._tiles[key].el); });
  },
});
