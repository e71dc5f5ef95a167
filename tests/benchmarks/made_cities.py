"""Cities of streets as large as real ones, made by rule: for the benchmark, and for whoever asks.

Crossings stand on a grid, moved at random by up to 0.3 of a block each way; a tenth of the streets
between neighbours is missing, and what is then cut off is left out. Numbers of vertices and the
order of edges are shuffled: no layout in memory is favoured. Walking takes whole milliseconds on
every edge, so that sums are equal whoever makes them.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

KMH = 4.8
CRS = "EPSG:32650"
_MISSING = 0.1
_BEND_M = 5.0
_MS_PER_M = 3600.0 / KMH


class City(NamedTuple):
    """Streets as vertices and edges open both ways; `sources` and `stations` are some vertices."""

    x: np.ndarray  # metres
    y: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    ms: np.ndarray  # whole milliseconds at `KMH`
    sources: np.ndarray
    stations: np.ndarray

    @property
    def length_m(self):
        """Metres of each edge: what is walked in its milliseconds."""
        return self.ms / _MS_PER_M

    def graph(self):
        """Return the edges both ways as scipy wants them, float milliseconds."""
        row, col = np.concatenate([self.tail, self.head]), np.concatenate([self.head, self.tail])
        cost = np.concatenate([self.ms, self.ms]).astype(float)
        return csr_array((cost, (row, col)), shape=(len(self.x),) * 2)

    def save(self, path):
        """Write an `.npz` file."""
        np.savez(path, **self._asdict())


def load_city(path):
    """Read what `City.save` has written."""
    with np.load(path) as file:
        return City(**{name: file[name] for name in City._fields})


def make_city(side, block_m=100.0, *, bends=0, sources=10_000, stations=500, seed=1):
    """Make a city of `side` × `side` crossings.

    Parameters
    ----------
    block_m
        Metres between crossings, before they are moved.
    bends
        Vertices on each street between its crossings, off the straight line by some metres.
    sources, stations
        How many vertices to choose as such.
    """
    rng = np.random.default_rng(seed)
    at = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    xy = block_m * (at + rng.uniform(-0.3, 0.3, at.shape))
    number = np.arange(side * side).reshape(side, side)
    streets = np.concatenate([
        np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
        np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
    ])  # fmt: skip
    streets = streets[rng.random(len(streets)) >= _MISSING]
    xy, edges = _bend(xy, streets, bends, rng)
    xy, edges = _shuffle(*_keep_main(xy, edges), rng)
    ms = np.rint(np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T) * _MS_PER_M)
    return City(
        *np.ascontiguousarray(xy.T), *np.ascontiguousarray(edges.T), ms.astype(np.int64),
        sources=rng.choice(len(xy), sources, replace=False),
        stations=rng.choice(len(xy), stations, replace=False),
    )  # fmt: skip


def _bend(xy, streets, bends, rng):
    """Put vertices on each street."""
    share = np.arange(1, bends + 1) / (bends + 1)
    first, last = xy[streets[:, 0]], xy[streets[:, 1]]
    inner = first[:, None] + share[:, None] * (last - first)[:, None]
    inner += rng.normal(0.0, _BEND_M, inner.shape)
    number = len(xy) + np.arange(len(streets) * bends).reshape(len(streets), bends)
    walk = np.column_stack([streets[:, 0], number, streets[:, 1]])
    edges = np.stack([walk[:, :-1], walk[:, 1:]], axis=-1).reshape(-1, 2)
    return np.concatenate([xy, inner.reshape(-1, 2)]), edges


def _keep_main(xy, edges):
    """Leave out what is cut off from the largest part."""
    graph = csr_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(xy),) * 2)
    part = connected_components(graph, directed=False)[1]
    main = part == np.bincount(part).argmax()
    number = np.cumsum(main) - 1
    return xy[main], number[edges[main[edges[:, 0]]]]


def _shuffle(xy, edges, rng):
    """Number vertices and order edges at random."""
    number = rng.permutation(len(xy))
    shuffled = np.empty_like(xy)
    shuffled[number] = xy
    return shuffled, number[edges[rng.permutation(len(edges))]].astype(np.int32)
