"""Which street is nearest: a uniform grid of cells, each listing the street pieces that cross it.

A search walks square rings of cells outward from the point and stops when no cell left can hold
anything nearer, so it is exact.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from planner.compiled import compiled

_CELL_M = 48.0
_CELLS_PER_PIECE = 4  # a bound on memory where streets are sparse
_BATCH = 16_384
_FEW = 64  # points that have so many cells each are taken as they come


class Grid(NamedTuple):
    """Cells and the pieces in them, copied cell by cell so that a search reads one stretch."""

    cell_m: float
    x0: float
    y0: float
    n_cols: int
    n_rows: int
    ptr: np.ndarray  # (cells + 1,)
    piece: np.ndarray  # the piece's first vertex
    box: np.ndarray  # (entries, 5): x, y, dx, dy, 1 / length²
    chain: np.ndarray  # (vertices,): the chain of each vertex


class Nearest(NamedTuple):
    """For each point its piece (the first vertex, -1 if none), how far along, and metres."""

    vertex: np.ndarray
    fraction: np.ndarray
    distance_m: np.ndarray


def make_grid(vertex_ptr: np.ndarray, x: np.ndarray, y: np.ndarray) -> Grid:
    """Index the pieces between consecutive vertices of chains."""
    chain = np.repeat(np.arange(len(vertex_ptr) - 1, dtype=np.int32), np.diff(vertex_ptr))
    first = np.flatnonzero(chain[:-1] == chain[1:]).astype(np.int32)
    x0, y0 = float(x.min()) - 1.0, float(y.min()) - 1.0
    width, height = float(x.max()) - x0 + 1.0, float(y.max()) - y0 + 1.0
    cell = max(_CELL_M, np.sqrt(width * height / (_CELLS_PER_PIECE * len(first) + 1024)))
    n_cols, n_rows = int(width / cell) + 1, int(height / cell) + 1

    ptr = np.zeros(n_cols * n_rows + 1, dtype=np.int64)
    count = np.zeros(n_cols * n_rows, dtype=np.int32)
    where = (first, x, y, x0, y0, cell, n_cols)
    _register(*where, count, ptr, np.empty(0, dtype=np.int32), np.empty((0, 5)))
    np.cumsum(count, out=ptr[1:])
    piece, box = np.empty(ptr[-1], dtype=np.int32), np.empty((ptr[-1], 5))
    count[:] = 0
    _register(*where, count, ptr, piece, box)
    return Grid(cell, x0, y0, n_cols, n_rows, ptr, piece, box, chain)


def find_nearest(
    grid: Grid,
    x: np.ndarray,
    y: np.ndarray,
    *,
    max_m: float | np.ndarray,
    allowed: np.ndarray | None = None,
    threads: int = 1,
) -> Nearest:
    """Find the nearest piece for each point.

    Parameters
    ----------
    grid
        The pieces.
    x, y
        Points, shape (n,), in the grid's CRS; one that is not finite finds nothing.
    max_m
        How far to look, one number or one a point; a piece exactly so far away still counts.
    allowed
        Chains to look at, bool; all by default.
    threads
        Batches run side by side; the answer does not depend on it.
    """
    n = len(x)
    x, y = np.ascontiguousarray(x, dtype=float), np.ascontiguousarray(y, dtype=float)
    limit = np.ascontiguousarray(np.broadcast_to(np.asarray(max_m, dtype=float), n))
    vertex = np.full(n, -1, dtype=np.int64)
    fraction, distance = np.zeros(n), np.full(n, np.inf)
    order = _by_cell(x, y, grid.cell_m, grid.x0, grid.y0, grid.n_cols, grid.n_rows)
    usable = np.ones(int(grid.chain[-1]) + 1, dtype=bool) if allowed is None else allowed

    def run(batch: np.ndarray) -> None:
        _search(
            batch, x, y, limit, grid.cell_m, grid.x0, grid.y0, grid.n_cols, grid.n_rows, grid.ptr,
            grid.piece, grid.box, grid.chain, usable, vertex, fraction, distance,
        )  # fmt: skip

    batches = [order[i : i + _BATCH] for i in range(0, len(order), _BATCH)]
    if threads > 1 and len(batches) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, batches))
    else:
        for batch in batches:
            run(batch)
    return Nearest(vertex, fraction, distance)


@compiled
def _by_cell(x, y, cell, x0, y0, n_cols, n_rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Rows of the finite points; if they are many, neighbours one after another."""
    n_cells = n_cols * n_rows if _FEW * len(x) > n_cols * n_rows else 1
    of = np.full(len(x), -1, np.int32)
    start = np.zeros(n_cells + 1, np.int64)
    for q in range(len(x)):
        if np.isfinite(x[q]) and np.isfinite(y[q]):
            of[q] = 0
            if n_cells > 1:
                row = min(n_rows - 1.0, max(0.0, (y[q] - y0) / cell))
                col = min(n_cols - 1.0, max(0.0, (x[q] - x0) / cell))
                of[q] = int(row) * n_cols + int(col)
            start[of[q] + 1] += 1
    for c in range(n_cells):
        start[c + 1] += start[c]
    order = np.empty(start[n_cells], np.int64)
    for q in range(len(x)):
        if of[q] >= 0:
            order[start[of[q]]] = q
            start[of[q]] += 1
    return order


@compiled
def _register(first, x, y, x0, y0, cell, n_cols, count, ptr, piece, box):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Count the cells that a piece may touch, or (with room in `piece`) list it in each."""
    reach = 0.5 * cell * cell * 1.0001  # (half the diagonal)²: a superset, never a miss
    for v in first:
        xa, ya, xb, yb = x[v], y[v], x[v + 1], y[v + 1]
        i0, i1 = int((min(xa, xb) - x0) / cell), int((max(xa, xb) - x0) / cell)
        j0, j1 = int((min(ya, yb) - y0) / cell), int((max(ya, yb) - y0) / cell)
        dx, dy = xb - xa, yb - ya
        per_square = 1.0 / max(dx * dx + dy * dy, 1e-12)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                if i1 > i0 and j1 > j0:
                    px, py = x0 + (i + 0.5) * cell - xa, y0 + (j + 0.5) * cell - ya
                    t = min(1.0, max(0.0, (px * dx + py * dy) * per_square))
                    if (px - t * dx) ** 2 + (py - t * dy) ** 2 > reach:
                        continue
                c = j * n_cols + i
                if len(piece) > 0:
                    at = ptr[c] + count[c]
                    piece[at] = v
                    box[at] = (xa, ya, dx, dy, per_square)
                count[c] += 1


@compiled
def _search(  # type: ignore[no-untyped-def]  # noqa: ANN202, C901, PLR0917
    batch, x, y, limit, cell, x0, y0, n_cols, n_rows, ptr, piece, box, chain, usable,  # noqa: ANN001
    out_vertex, out_fraction, out_distance,  # noqa: ANN001
):  # fmt: skip
    """Nearest usable piece for each point of the batch; of equals the lowest vertex."""
    for q in batch:
        px, py = x[q], y[q]
        fx, fy = (px - x0) / cell, (py - y0) / cell
        if abs(fx) > 1e9 or abs(fy) > 1e9:
            continue
        ci, cj = int(np.floor(fx)), int(np.floor(fy))
        fx, fy = (fx - ci) * cell, (fy - cj) * cell
        border = min(fx, cell - fx, fy, cell - fy)
        best, best_vertex, best_t = limit[q] * limit[q], -1, 0.0
        ring = max(0, -ci, -cj, ci - n_cols + 1, cj - n_rows + 1)
        last = max(abs(ci), abs(ci - n_cols), abs(cj), abs(cj - n_rows))
        # what is nearer than the ring has been looked at before it
        while ring <= last and (ring == 0 or ((ring - 1) * cell + border) ** 2 <= best):
            for j in range(max(0, cj - ring), min(n_rows - 1, cj + ring) + 1):
                above = max(0.0, (j - cj) * cell - fy, (cj - j - 1) * cell + fy)
                if above * above > best:
                    continue
                whole = j == cj - ring or j == cj + ring
                step = 1 if whole or ring == 0 else 2 * ring
                for i in range(ci - ring, ci + ring + 1, step):
                    aside = max(0.0, (i - ci) * cell - fx, (ci - i - 1) * cell + fx)
                    if i < 0 or i >= n_cols or aside * aside + above * above > best:
                        continue
                    c = np.uint32(j * n_cols + i)
                    for k in range(np.uint32(ptr[c]), np.uint32(ptr[c + np.uint32(1)])):
                        wx, wy = px - box[k, 0], py - box[k, 1]
                        dx, dy = box[k, 2], box[k, 3]
                        t = min(1.0, max(0.0, (wx * dx + wy * dy) * box[k, 4]))
                        d = (wx - t * dx) ** 2 + (wy - t * dy) ** 2
                        if d > best or not usable[chain[piece[k]]]:
                            continue
                        if d < best or best_vertex < 0 or piece[k] < best_vertex:
                            best, best_vertex, best_t = d, piece[k], t
            ring += 1
        if best_vertex >= 0:
            out_vertex[q], out_fraction[q] = best_vertex, best_t
            out_distance[q] = np.sqrt(best)
