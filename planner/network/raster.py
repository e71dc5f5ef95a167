"""The ground beside the streets: for each node of a raster the streets that are nearest to it.

A raster is made once for a network and knows of no facility. The nodes are 12.5 m apart; each
names the streets beside it, as places on them, and how far they are.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.network.grid import Nearest
from planner.network.outline import longer
from planner.network.snap import place

if TYPE_CHECKING:
    from planner.network.grid import Grid
    from planner.network.streets import StreetNetwork

CELL_M = 12.5
NEAR_M = 50.0  # ground farther from any street is blank
BLANK_M2 = 40_000.0  # a smaller blank belongs to the streets around it, like a block (guess)
MOST_NODES = 4_000_000  # 25 km × 25 km at 12.5 m; about 130 MB where all of it is city
_STREETS = 4  # how many a node names, of those at most a cell farther than the nearest
_CROWD = 128  # how many are weighed for it
_BANDS = 16


class Window(NamedTuple):
    """A rectangle on the ground, metres."""

    west: float
    south: float
    east: float
    north: float


class Raster(NamedTuple):
    """Nodes in rows from south to north and the streets beside each.

    Entries ``ptr[i]:ptr[i + 1]`` belong to node i = row · n_cols + column: a place on `chain`, at
    `share` of its length, `gap_m` from the node; in a small blank, how much farther than the
    nearest street. `box` bounds the nodes that name a chain, shape (n_edges, 4): first and last
    column, first and last row; the first above the last where there is none.
    """

    cell_m: float
    x0: float
    y0: float
    n_cols: int
    n_rows: int
    ptr: np.ndarray
    chain: np.ndarray
    share: np.ndarray
    gap_m: np.ndarray
    box: np.ndarray


def near_m(cell_m: float) -> float:
    """How far from a street ground still belongs to it, metres."""
    return max(NEAR_M, 2.0 * cell_m)


def whole_window(streets: StreetNetwork) -> Window:
    """Bound all streets."""
    x, y = streets.vertex_x, streets.vertex_y
    return Window(float(x.min()), float(y.min()), float(x.max()), float(y.max()))


def fitting_cell(window: Window) -> float:
    """Metres between nodes: 12.5, or as many as keep the raster under four million nodes."""
    cell = CELL_M
    while (nodes := np.prod(_layout(window, cell)[2:])) > MOST_NODES:
        cell *= max(1.01, float(np.sqrt(nodes / MOST_NODES)))
    return cell


def make_raster(streets: StreetNetwork, window: Window) -> Raster:
    """Find the streets beside each node of a raster that covers a window."""
    cell = fitting_cell(window)
    near = near_m(cell)
    x0, y0, n_cols, n_rows = _layout(window, cell)
    far = np.ones((n_rows, n_cols), dtype=bool)
    grid = streets.grid
    _mark_near(grid.box, x0, y0, cell, near, far)
    small = _small_blanks(far, cell)
    deepest = near + np.sqrt(BLANK_M2 / np.pi)  # a circle fits between a node and the streets
    look = np.where(far, np.where(small, deepest, 0.0), near).astype(np.float32)
    count, vertex, fraction, gap = _beside(grid, x0, y0, cell, look)
    ptr = np.concatenate([[0], np.cumsum(count, dtype=np.int64)])
    node = np.repeat(np.arange(len(count), dtype=np.int32), count)
    gap -= np.where(small.ravel()[node], gap[ptr[node]], 0.0).astype(np.float32)
    places = place(streets, Nearest(vertex, fraction, np.zeros(len(vertex))))
    box = np.empty((streets.n_edges, 4), dtype=np.int32)
    _bound(places.chain, node, n_cols, box)
    return Raster(
        cell, x0, y0, n_cols, n_rows, ptr.astype(np.int32), places.chain,
        places.share, gap, box,
    )  # fmt: skip


def _layout(window: Window, cell: float) -> tuple[float, float, int, int]:
    """Origin, columns and rows: whole multiples of the cell, a blank border all round."""
    margin = near_m(cell) + 2.0 * cell
    x0 = cell * float(np.floor((window.west - margin) / cell))
    y0 = cell * float(np.floor((window.south - margin) / cell))
    n_cols = int((window.east + margin - x0) / cell) + 2
    n_rows = int((window.north + margin - y0) / cell) + 2
    return x0, y0, n_cols, n_rows


def _small_blanks(far: np.ndarray, cell: float) -> np.ndarray:
    """Nodes of blanks that are enclosed by streets and small."""
    from scipy.ndimage import label

    part, n_parts = label(far)
    nodes = np.bincount(part.ravel(), minlength=n_parts + 1)
    small = nodes * cell * cell < BLANK_M2
    small[0] = False
    for border in (part[0], part[-1], part[:, 0], part[:, -1]):
        small[border] = False
    return small[part]


def _beside(
    grid: Grid, x0: float, y0: float, cell: float, look: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Streets beside all nodes: how many each has, their pieces, how far along, metres to them."""
    rows = np.linspace(0, len(look), _BANDS + 1).astype(np.int64)
    places = (grid.cell_m, grid.x0, grid.y0, grid.n_cols, grid.n_rows)

    def run(band: int) -> tuple[np.ndarray, ...]:
        return _find_beside(
            x0, y0, cell, look[rows[band] : rows[band + 1]], rows[band], *places,
            grid.ptr, grid.piece, grid.box, grid.chain,
        )  # fmt: skip

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        parts = list(pool.map(run, range(_BANDS)))
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


@compiled
def _mark_near(box, x0, y0, cell, near, far):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Unmark the nodes that lie within `near` of a street."""
    for k in range(len(box)):
        x, y, dx, dy = box[k, 0], box[k, 1], box[k, 2], box[k, 3]
        c0 = max(0, int(np.ceil((min(x, x + dx) - near - x0) / cell)))
        c1 = min(far.shape[1] - 1, int(np.floor((max(x, x + dx) + near - x0) / cell)))
        r0 = max(0, int(np.ceil((min(y, y + dy) - near - y0) / cell)))
        r1 = min(far.shape[0] - 1, int(np.floor((max(y, y + dy) + near - y0) / cell)))
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                if far[r, c]:
                    wx, wy = x0 + c * cell - x, y0 + r * cell - y
                    t = min(1.0, max(0.0, (wx * dx + wy * dy) * box[k, 4]))
                    if (wx - t * dx) ** 2 + (wy - t * dy) ** 2 <= near * near:
                        far[r, c] = False


@compiled
def _find_beside(  # type: ignore[no-untyped-def]  # noqa: ANN202, C901, PLR0912, PLR0915, PLR0917
    x0, y0, cell, look, row0, g_cell, g_x0, g_y0, g_cols, g_rows, ptr, piece, box, chain,  # noqa: ANN001
):  # fmt: skip
    """Nearest place of each of the nearest streets, node by node of some rows."""
    rows, cols = look.shape
    count = np.zeros(rows * cols, np.uint8)
    vertex, fraction = np.empty(rows * cols, np.int64), np.empty(rows * cols, np.float32)
    gap = np.empty(rows * cols, np.float32)
    near_v, near_t = np.empty(_CROWD, np.int64), np.empty(_CROWD)
    near_e, near_d = np.empty(_CROWD, np.int64), np.empty(_CROWD)
    n = 0
    for r in range(rows):
        y = y0 + (row0 + r) * cell
        for c in range(cols):
            far = np.float64(look[r, c])
            if far == 0.0:
                continue
            x = x0 + c * cell
            i0 = max(0, int(np.floor((x - far - g_x0) / g_cell)))
            i1 = min(g_cols - 1, int(np.floor((x + far - g_x0) / g_cell)))
            j0 = max(0, int(np.floor((y - far - g_y0) / g_cell)))
            j1 = min(g_rows - 1, int(np.floor((y + far - g_y0) / g_cell)))
            m, best, limit = 0, far, far * far
            for j in range(j0, j1 + 1):
                for k in range(ptr[j * g_cols + i0], ptr[j * g_cols + i1 + 1]):
                    wx, wy = x - box[k, 0], y - box[k, 1]
                    dx, dy = box[k, 2], box[k, 3]
                    t = min(1.0, max(0.0, (wx * dx + wy * dy) * box[k, 4]))
                    d = (wx - t * dx) ** 2 + (wy - t * dy) ** 2
                    if d > limit:
                        continue
                    if d < best * best:
                        best = np.sqrt(d)
                        limit = min(limit, (best + cell) ** 2)
                    e, q = chain[piece[k]], 0
                    while q < m and near_e[q] != e:
                        q += 1
                    if q == m:
                        if m < _CROWD:
                            m += 1
                        else:  # the farthest makes room
                            q = int(np.argmax(near_d))
                            if near_d[q] <= d:
                                continue
                        near_d[q] = np.inf
                    if d < near_d[q] or (d == near_d[q] and piece[k] < near_v[q]):
                        near_e[q], near_d[q], near_v[q], near_t[q] = e, d, piece[k], t
            if n + _STREETS > len(vertex):
                vertex, fraction, gap = longer(vertex), longer(fraction), longer(gap)
            for _ in range(min(m, _STREETS)):
                q = 0
                for p in range(1, m):
                    if near_d[p] < near_d[q] or (near_d[p] == near_d[q] and near_e[p] < near_e[q]):
                        q = p
                if near_d[q] > limit:
                    break
                vertex[n], fraction[n], gap[n] = near_v[q], near_t[q], np.sqrt(near_d[q])
                near_d[q] = np.inf
                count[r * cols + c] += 1
                n += 1
    return count, vertex[:n].copy(), fraction[:n].copy(), gap[:n].copy()


@compiled
def _bound(chain, node, n_cols, box):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Columns and rows of the nodes that name each chain."""
    box[:, 0] = box[:, 2] = 1 << 30
    box[:, 1] = box[:, 3] = -1
    for k in range(len(chain)):
        own, r, c = box[chain[k]], node[k] // n_cols, node[k] % n_cols
        own[0], own[1] = min(own[0], c), max(own[1], c)
        own[2], own[3] = min(own[2], r), max(own[3], r)
