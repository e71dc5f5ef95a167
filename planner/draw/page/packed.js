// Reads what pack.py wrote. Coordinates are pixels of Web Mercator at zoom 18.
const PACK_ZOOM = 18;

const toLatLng = (x, y) => L.CRS.EPSG3857.pointToLatLng(L.point(x, y), PACK_ZOOM);

async function inflate(id) {
  const node = document.getElementById(id);
  if (!node) return null;
  const binary = atob(node.textContent.trim()), bytes = new Uint8Array(binary.length);
  node.remove();  // the text is not needed twice
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const readJson = bytes => JSON.parse(new TextDecoder().decode(bytes));

function byteReader(bytes) {
  let at = 0;
  const uint = () => {
    let value = 0, unit = 1, byte;
    do { byte = bytes[at++]; value += (byte & 127) * unit; unit *= 128; } while (byte > 127);
    return value;
  };
  const int = () => { const v = uint(); return v % 2 ? -(v + 1) / 2 : v / 2; };
  return { uint, int, take: n => bytes.subarray(at, at += n) };
}

// Polylines one after the other: `start[i]` is where line i begins; `box` holds four bounds each.
function readLines(bytes) {
  const read = byteReader(bytes), n = read.uint();
  const start = new Uint32Array(n + 1), rank = new Uint8Array(n);
  for (let i = 0; i < n; i++) start[i + 1] = start[i] + read.uint();
  for (let i = 0; i < n; i++) rank[i] = read.uint();
  const x = new Int32Array(start[n]), y = new Int32Array(start[n]), box = new Int32Array(4 * n);
  for (let i = 0, v = 0; i < x.length; i++) x[i] = v += read.int();
  for (let i = 0, v = 0; i < y.length; i++) y[i] = v += read.int();
  for (let i = 0; i < n; i++) {
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (let k = start[i]; k < start[i + 1]; k++) {
      if (x[k] < left) left = x[k];
      if (x[k] > right) right = x[k];
      if (y[k] < top) top = y[k];
      if (y[k] > bottom) bottom = y[k];
    }
    box.set([left, top, right, bottom], 4 * i);
  }
  return { n, start, rank, x, y, box };
}

// Hexagons: weights are whole numbers of `unit` a daypart; the grid lies where one cubic says.
function readCells(head, bytes) {
  const read = byteReader(bytes), n = head.n, row = new Int32Array(n), col = new Int32Array(n);
  for (let i = 0, v = 0; i < n; i++) row[i] = v += read.uint();
  for (let i = 0, v = 0; i < n; i++) col[i] = v += read.int();
  const weight = Array.from({ length: head.parts }, () => {
    const list = new Float64Array(n);
    for (let i = 0; i < n; i++) list[i] = read.uint();
    return list;
  });
  const place = (axis, u, v) => {
    let sum = 0, term = 0;
    for (let i = 0, a = 1; i < 4; i++, a *= u) for (let j = 0, b = a; j < 4 - i; j++, b *= v) sum += head.fit[axis][term++] * b;
    return sum;
  };
  const at = (u, v) => [place(0, u / head.scale, v / head.scale), place(1, u / head.scale, v / head.scale)];
  const x = new Float64Array(n), y = new Float64Array(n);
  for (let i = 0; i < n; i++) [x[i], y[i]] = at(col[i] + 0.5 * (row[i] & 1), row[i] * Math.sqrt(3) / 2);
  const u = head.scale / 2, v = head.scale / 2, middle = at(u, v), side = 1 / Math.sqrt(3);
  const corner = Array.from({ length: 6 }, (_, k) => {
    const turn = (k + 0.5) * Math.PI / 3, p = at(u + side * Math.cos(turn), v + side * Math.sin(turn));
    return [p[0] - middle[0], p[1] - middle[1]];
  });
  const next = at(u + 1, v);
  return { n, x, y, weight, unit: head.unit, corner, width: Math.hypot(next[0] - middle[0], next[1] - middle[1]) };
}

// Pairs by facility: cells in reach, and the time in whole `study.minute`s, rounded up.
function readReach(facilities, bytes) {
  const start = new Uint32Array(facilities + 1);
  if (!bytes) return { start, cell: new Uint32Array(0), time: new Uint8Array(0) };
  const read = byteReader(bytes);
  for (let f = 0; f < facilities; f++) start[f + 1] = start[f] + read.uint();
  const pairs = start[facilities], cell = new Uint32Array(pairs);
  for (let f = 0; f < facilities; f++) for (let k = start[f], v = 0; k < start[f + 1]; k++) cell[k] = v += read.uint();
  return { start, cell, time: read.take(pairs) };
}

// Lines and polygons as Leaflet wants them, from steps.
const readLine = lines => lines.map(readSteps);

function readPolygons(polygons) {
  return polygons.map(rings => rings.map(readSteps));
}

function readSteps(steps) {
  const places = [];
  for (let i = 0, x = 0, y = 0; i < steps.length; i += 2) places.push(toLatLng(x += steps[i], y += steps[i + 1]));
  return places;
}
