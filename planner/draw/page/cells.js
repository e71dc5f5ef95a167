// Demand as hexagons in three states: reached today (grey), gained (vermillion hatch), unmet (purple).
const UNMET_INK = ["#F2E9F4", "#D8C4DF", "#BA97C5", "#9261A0", "#6A2C70"];
const REACHED_INK = "#E1E4E7", GAINED_INK = "#F6D6BF", GAINED_HATCH = "rgba(213,94,0,.27)";
const REACHED = 5, GAINED = 6, EMPTY = -1;
const CELLS_A_PATH = 400;

// Fine diagonals tell the class apart in a photocopy; 8 divides the tile, so they meet at its edge.
function hatchPattern(context, density) {
  const swatch = document.createElement("canvas"), size = swatch.width = swatch.height = 8 * density;
  const pen = swatch.getContext("2d");
  pen.fillStyle = GAINED_INK;
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = GAINED_HATCH;
  pen.lineWidth = density;
  pen.beginPath();
  for (const shift of [-size, 0, size]) { pen.moveTo(shift - size, size * 2); pen.lineTo(shift + size * 2, -size); }
  pen.stroke();
  return context.createPattern(swatch, "repeat");
}

const CellLayer = CanvasLayer.extend({
  initialize(cells, options) {
    this.cells = cells;
    this.state = new Int8Array(cells.n).fill(EMPTY);
    L.setOptions(this, options);
  },
  recolour(stateOf) {
    for (let i = 0; i < this.cells.n; i++) this.state[i] = stateOf(i);
    this.repaint();
  },
  drawTile(context, tile) {
    const { n, x, y, width } = this.cells, tiny = width * tile.k < 4 * tile.density;
    const lists = Array.from({ length: GAINED + 1 }, () => []);
    for (let i = 0; i < n; i++)
      if (this.state[i] !== EMPTY && x[i] > tile.left - width && x[i] < tile.right + width && y[i] > tile.top - width && y[i] < tile.bottom + width)
        lists[this.state[i]].push(i);
    lists.forEach((list, state) => {
      if (!list.length) return;
      context.fillStyle = state < REACHED ? UNMET_INK[state] : state === REACHED ? REACHED_INK : tiny ? GAINED_INK : hatchPattern(context, tile.density);
      if (tiny) this.fillSquares(context, tile, list); else this.fillHexagons(context, tile, list);
    });
  },
  fillSquares(context, tile, list) {
    const { x, y, width } = this.cells, side = Math.max(width * tile.k, tile.density);
    for (const i of list) context.fillRect((x[i] - tile.left) * tile.k - side / 2, (y[i] - tile.top) * tile.k - side / 2, side, side);
  },
  fillHexagons(context, tile, list) {
    const { x, y, width, corner } = this.cells, grow = 1 + 0.5 * tile.density / (width * tile.k);  // hides the seams
    const cx = corner.map(c => c[0] * tile.k * grow), cy = corner.map(c => c[1] * tile.k * grow);
    for (let from = 0; from < list.length; from += CELLS_A_PATH) {
      context.beginPath();
      for (const i of list.slice(from, from + CELLS_A_PATH)) {
        const px = (x[i] - tile.left) * tile.k, py = (y[i] - tile.top) * tile.k;
        context.moveTo(px + cx[0], py + cy[0]);
        for (let k = 1; k < 6; k++) context.lineTo(px + cx[k], py + cy[k]);
      }
      context.fill();
    }
  },
  // The cell under the pointer, -1 if none; a scan of 300,000 takes half a millisecond.
  cellAt(latlng) {
    const p = L.CRS.EPSG3857.latLngToPoint(latlng, PACK_ZOOM), { n, x, y, width } = this.cells, far = width * 0.58;
    let best = -1, least = far * far;
    for (let i = 0; i < n; i++) {
      const dy = y[i] - p.y;
      if (dy > far || dy < -far) continue;
      const dx = x[i] - p.x, distance = dx * dx + dy * dy;
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  },
});

// Four breaks that part unmet demand, not cells, into fifths: the darkest cells are few and hot.
function fifths(weights) {
  const sorted = Float64Array.from(weights).sort(), breaks = [];
  let whole = 0, sum = 0;
  for (const w of sorted) whole += w;
  for (const w of sorted) {
    sum += w;
    if (breaks.length < 4 && sum >= whole * 0.2 * (breaks.length + 1)) breaks.push(w);
  }
  return breaks;
}

function unmetClass(weight, breaks) {
  let k = 0;
  while (k < breaks.length && weight > breaks[k]) k++;
  return k;
}
