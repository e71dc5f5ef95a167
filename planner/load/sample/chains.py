"""Tidy a network of lines: close junctions merged, dead ends pruned, chains joined."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

RANK = {
    "motorway": 9, "motorway_link": 8, "trunk": 7, "primary": 6, "secondary": 5, "tertiary": 4,
    "residential": 3, "living_street": 2, "service": 1, "path": 0, "footway": 0,
}  # fmt: skip
_CLOSE_M = 18.0  # junctions nearer than this are one
_SMALL = ("residential", "living_street", "service", "path")
_BLIND_M = 170.0  # blind alleys are no longer


class Piece(NamedTuple):
    """A street between two junctions."""

    xy: np.ndarray  # (n, 2) metres from the centre
    name: str
    highway: str

    @property
    def length(self) -> float:
        """Return metres along the piece."""
        return float(np.hypot(*np.diff(self.xy, axis=0).T).sum())


def merge_close(pieces: list[Piece]) -> list[Piece]:
    """Merge junctions that very short pieces link, and drop what becomes double."""
    nodes, a, b = ends(pieces)
    length = np.array([p.length for p in pieces])
    short = length < _CLOSE_M
    graph = coo_array((np.ones(short.sum()), (a[short], b[short])), (len(nodes), len(nodes)))
    label = connected_components(graph, directed=False)[1]
    rank = np.array([RANK[p.highway] for p in pieces])
    main = np.zeros(len(nodes))  # the junction on the main road stays where it is
    for end in (a, b):
        np.maximum.at(main, end, 1e5 * rank + length)
    order = np.lexsort((np.arange(len(nodes)), -main, label))
    first = order[np.unique(label[order], return_index=True)[1]]
    home = nodes[first][label]
    seen: set[tuple] = set()
    kept = []
    for k in np.lexsort((length, -rank)).tolist():
        if label[a[k]] == label[b[k]]:
            continue
        xy = pieces[k].xy.copy()
        xy[0], xy[-1] = home[a[k]], home[b[k]]
        pair = tuple(sorted((int(label[a[k]]), int(label[b[k]]))))
        middle = xy[len(xy) // 2] if len(xy) > 2 else xy.mean(axis=0)
        mark = (*pair, *np.round(middle / 60).tolist())
        if mark not in seen:
            seen.add(mark)
            kept.append(pieces[k]._replace(xy=xy))
    return kept


def prune(pieces: list[Piece], area: shapely.Polygon) -> list[Piece]:
    """Drop small streets that end nowhere: at the border, or after a long way."""
    border = area.exterior
    while True:
        nodes, a, b = ends(pieces)
        degree = np.bincount(np.concatenate([a, b]), minlength=len(nodes))
        edge = shapely.distance(shapely.points(nodes), border) < 60
        loose = (degree[a] == 1) | (degree[b] == 1)
        far = np.array([p.length > _BLIND_M for p in pieces]) | edge[a] | edge[b]
        nameless = np.array([p.highway in {"path", "service"} for p in pieces])
        drop = loose & (far | nameless) & np.array([p.highway in _SMALL for p in pieces])
        if not drop.any():
            return pieces
        pieces = [p for p, gone in zip(pieces, drop, strict=True) if not gone]


def join_chains(pieces: list[Piece]) -> list[Piece]:
    """Join pieces of one street where nothing else meets them."""
    _, a, b = ends(pieces)
    at: dict[int, list[int]] = defaultdict(list)
    for k, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        at[i].append(k)
        at[j].append(k)

    def follow(node: int, k: int) -> tuple[int, int] | None:
        """Return the only other piece of the same street at a node, and its far end."""
        others = [o for o in at[node] if o != k]
        if len(at[node]) != 2 or len(others) != 1:
            return None
        o = others[0]
        if (pieces[o].name, pieces[o].highway) != (pieces[k].name, pieces[k].highway):
            return None
        return o, int(b[o] if a[o] == node else a[o])

    done: set[int] = set()
    joined = []
    for k in range(len(pieces)):
        if k in done:
            continue
        done.add(k)
        xy = pieces[k].xy
        for end in (1, 0):
            node, last = int(b[k] if end else a[k]), k
            while (step := follow(node, last)) is not None and step[0] not in done:
                done.add(step[0])
                more = pieces[step[0]].xy
                more = more if (int(a[step[0]]) == node) == bool(end) else more[::-1]
                xy = np.vstack([xy, more[1:]] if end else [more[:-1], xy])
                last, node = step
        joined.append(pieces[k]._replace(xy=_thin(xy)))
    return joined


def _thin(xy: np.ndarray) -> np.ndarray:
    return shapely.get_coordinates(shapely.simplify(shapely.LineString(xy), 2.5))


def ends(pieces: list[Piece]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distinct end points, and where each piece begins and ends among them."""
    xy = np.array([p.xy[k] for p in pieces for k in (0, -1)])
    nodes, at = np.unique(xy, axis=0, return_inverse=True)
    at = at.reshape(-1, 2)
    return nodes, at[:, 0], at[:, 1]
