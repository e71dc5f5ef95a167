// Streets as ink, opaque within the layer: the pane is translucent, so crossings do not add up.
const STREET_INK = [
  { ink: "#9AA2AA", width: 0.5, least: 0.3, from: 15 },  // paths
  { ink: "#8A939C", width: 0.7, least: 0.35, from: 14 },  // service ways
  { ink: "#66717B", width: 1.2, least: 0.5, from: 11 },
  { ink: "#47535E", width: 1.9, least: 0.9, from: 0 },
  { ink: "#2B3742", width: 2.4, least: 1.1, from: 0 },
  { ink: "#1F2933", width: 2.7, least: 1.3, from: 0 },  // motorways
];
const LONGEST_PATH = 3000;  // vertices in one stroke: longer paths take more than their sum

const StreetLayer = CanvasLayer.extend({
  initialize(lines, options) {
    this.lines = lines;
    this.plain = !lines.rank.some(r => r >= 2);  // a city of paths alone shows them at every zoom
    L.setOptions(this, options);
  },
  drawTile(context, tile) {
    context.lineJoin = context.lineCap = "round";
    STREET_INK.forEach((style, rank) => {
      if (tile.zoom < style.from && !this.plain) return;
      context.strokeStyle = style.ink;
      context.lineWidth = tile.density * Math.max(style.least, style.width * 1.45 ** (tile.zoom - 14));
      this.strokeRank(context, tile, rank);
    });
  },
  strokeRank(context, { left, top, right, bottom, k, density }, wanted) {
    const { n, start, rank, x, y, box } = this.lines, pad = 12 / k, near = 0.75 * density / k;
    let held = 0;
    context.beginPath();
    for (let i = 0; i < n; i++) {
      const b = 4 * i;
      if (rank[i] !== wanted || box[b] > right + pad || box[b + 2] < left - pad || box[b + 1] > bottom + pad || box[b + 3] < top - pad) continue;
      const last = start[i + 1] - 1;
      let px = x[start[i]], py = y[start[i]];
      context.moveTo((px - left) * k, (py - top) * k);
      for (let j = start[i] + 1; j <= last; j++) {
        if (j < last && Math.abs(x[j] - px) < near && Math.abs(y[j] - py) < near) continue;  // under a pixel
        px = x[j]; py = y[j]; held++;
        context.lineTo((px - left) * k, (py - top) * k);
      }
      if (held > LONGEST_PATH) { context.stroke(); context.beginPath(); held = 0; }
    }
    context.stroke();
  },
});
