"""Shortest ways along the sample city's streets, for riders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from planner.load.sample.streets import Streets


class Routes:
    """The streets that riders use, vertex by vertex, and the ways between vertices."""

    def __init__(self, streets: Streets) -> None:
        xy: list[tuple[np.ndarray, np.ndarray]] = []
        for piece, oneway in zip(streets.pieces, streets.oneway, strict=True):
            if piece.highway.startswith("motorway"):
                continue
            xy.append((piece.xy[:-1], piece.xy[1:]))
            if not oneway:
                xy.append((piece.xy[1:], piece.xy[:-1]))
        tail = np.concatenate([a for a, _ in xy])
        head = np.concatenate([b for _, b in xy])
        self.xy, at = np.unique(np.concatenate([tail, head]), axis=0, return_inverse=True)
        a, b = at.reshape(-1)[: len(tail)], at.reshape(-1)[len(tail) :]
        length = np.maximum(np.hypot(*(tail - head).T), 0.1)
        n = len(self.xy)
        self._graph = csr_array((length, (a, b)), (n, n))
        self._tree = cKDTree(self.xy)
        self._row = np.full(n, -1)
        self._metres = np.zeros((0, n))
        self._before = np.zeros((0, n), dtype=np.int32)

    def nearest(self, xy: np.ndarray) -> np.ndarray:
        """Return the vertex nearest to each point, shape (n,), and have its ways ready."""
        node = self._tree.query(xy)[1]
        sources = np.unique(node)
        self._row[sources] = np.arange(len(sources))
        self._metres, self._before = dijkstra(
            self._graph, indices=sources, return_predecessors=True
        )
        return node

    def metres(self, start: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Return the length of the shortest way between pairs of vertices."""
        return self._metres[self._row[start], goal]

    def ways(self, start: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the vertices of all ways one after another, and where each begins.

        All ways are walked back at once, a vertex at a time.
        """
        row, at = self._row[start], goal.copy()
        steps = [at.copy()]
        open_ = np.ones(len(at), dtype=bool)
        while (open_ := open_ & (at != start)).any():
            at = np.where(open_, self._before[row, at], at)
            steps.append(np.where(open_, at, -1))
        back = np.array(steps).T[:, ::-1]
        kept = back >= 0
        counts = kept.sum(axis=1)
        return back[kept], np.concatenate([[0], np.cumsum(counts)])
