"""Places on the streets near demand, not too close to one another: corners, and points between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.candidates.catchment import Catchment
    from planner.network import StreetNetwork

    Allowed = Callable[[np.ndarray], np.ndarray]  # xy, shape (n, 2) → bool

_MOTORWAY = 5  # street_class of roads without a kerb to stop at
_BESIDE_M = 25.0  # a street this near meets at the corner: half a large crossing (guess)
_STEPS = 2  # places a spacing among which street points are picked


def find_corners(
    catchment: Catchment, crs: object, *, allowed: Allowed, spacing_m: float
) -> gpd.GeoDataFrame:
    """Pick street corners at least `spacing_m` apart, those that most demand reaches first.

    A corner is a junction where three or more streets meet, not all of them motorways. Returns
    `name` (``A / B``, empty if no street there has a name) and `geometry`, in `crs`, numbered from
    1 by falling demand; corners that no demand reaches are left out.
    """
    streets = catchment.streets
    ends = np.concatenate([streets.tail, streets.head])
    meeting = np.bincount(ends, minlength=streets.n_nodes)
    slow = np.zeros(streets.n_nodes, dtype=bool)
    slow[ends[np.tile(streets.street_class, 2) < _MOTORWAY]] = True
    junction = np.flatnonzero((meeting >= 3) & slow)
    places = _points(streets, streets.x[junction], streets.y[junction], crs)
    corners = _pick(
        catchment, places, meeting[junction], allowed=allowed, spacing_m=spacing_m,
        besides=np.empty((0, 2)),
    )  # fmt: skip
    return corners.assign(name=_corner_names(streets, corners.geometry))


def find_street_points(
    catchment: Catchment, crs: object, *, allowed: Allowed, spacing_m: float, besides: np.ndarray
) -> gpd.GeoDataFrame:
    """Pick points evenly along the streets, motorways left out, junctions or not.

    Picked among places every half `spacing_m` at most, those that most demand reaches first: picks
    are `spacing_m` apart, from the points `besides` (n, 2) too, and no place with demand in reach
    is farther from one than that. Returns `name` (empty) and `geometry` as `find_corners`.
    """
    streets = catchment.streets
    step = spacing_m / _STEPS
    first, last = streets.vertex_ptr[:-1], streets.vertex_ptr[1:] - 1
    length = streets.vertex_m[last]
    slow = streets.street_class < _MOTORWAY
    parts = np.where(slow, np.maximum(1, np.ceil(length / step)), 0).astype(np.int64)
    inner = np.maximum(parts - 1, 0)
    chain = np.repeat(np.arange(streets.n_edges), inner)
    nth = np.arange(inner.sum()) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    base = np.cumsum(length + 1.0) - length - 1.0  # every chain on one long line, a metre between
    line = streets.vertex_m + np.repeat(base, last - first + 1)
    at = base[chain] + length[chain] * nth / parts[chain]
    node = np.unique(np.concatenate([streets.tail[slow], streets.head[slow]]))
    x = np.concatenate([streets.x[node], np.interp(at, line, streets.vertex_x)])
    y = np.concatenate([streets.y[node], np.interp(at, line, streets.vertex_y)])
    places = _points(streets, x, y, crs)
    junction_first = np.repeat([1, 0], [node.size, chain.size])
    picked = _pick(
        catchment, places, junction_first, allowed=allowed, spacing_m=spacing_m, besides=besides
    )
    return picked.assign(name="")


def _points(streets: StreetNetwork, x: np.ndarray, y: np.ndarray, crs: object) -> gpd.GeoSeries:
    return gpd.GeoSeries(gpd.points_from_xy(x, y), crs=streets.crs).to_crs(crs)


def _pick(
    catchment: Catchment,
    places: gpd.GeoSeries,
    rank: np.ndarray,
    *,
    allowed: Allowed,
    spacing_m: float,
    besides: np.ndarray,
) -> gpd.GeoDataFrame:
    """Take places by falling demand in reach, then by falling rank, unless one is too near."""
    xy = shapely.get_coordinates(places)
    inside = np.flatnonzero(allowed(xy))
    served = catchment.served(catchment.place(places.iloc[inside]))
    xy, rank = xy[inside], rank[inside]
    order = np.lexsort((xy[:, 1], xy[:, 0], -rank, -served))
    order = order[served[order] > 0]
    taken = _thin(np.concatenate([besides, xy[order]]), spacing_m) - len(besides)
    picked = order[taken[taken >= 0]]
    index = np.arange(1, picked.size + 1)
    points = gpd.points_from_xy(xy[picked, 0], xy[picked, 1])
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(points, index=index, crs=places.crs))


def _thin(xy: np.ndarray, spacing_m: float) -> np.ndarray:
    """Take points in order unless one taken before is nearer than the spacing; positions."""
    cells: dict[tuple[int, int], list[int]] = {}
    taken = []
    for k, (x, y) in enumerate(xy.tolist()):
        column, row = int(x // spacing_m), int(y // spacing_m)
        near = (
            other
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
            for other in cells.get((column + dx, row + dy), ())
        )
        if all((xy[o, 0] - x) ** 2 + (xy[o, 1] - y) ** 2 >= spacing_m**2 for o in near):
            cells.setdefault((column, row), []).append(k)
            taken.append(k)
    return np.array(taken, dtype=np.int64)


def _corner_names(streets: StreetNetwork, corners: gpd.GeoSeries) -> pd.Series:
    """Call each corner ``A / B`` after the largest named streets beside it; ``A`` if only one is.

    Streets a few metres off count too: pavements are mapped as lines of their own, without names.
    """
    lines = streets.lines()
    lines = lines[lines["name"] != ""].reset_index(drop=True).to_crs(corners.crs)
    which, line = lines.sindex.query(corners.to_numpy(), predicate="dwithin", distance=_BESIDE_M)
    beside: list[set[tuple[int, str]]] = [set() for _ in range(len(corners))]
    size, name = lines["street_class"].to_numpy(), lines["name"].to_numpy(object)
    for k, e in zip(which.tolist(), line.tolist(), strict=True):
        beside[k].add((-int(size[e]), name[e]))
    names = [" / ".join(list(dict.fromkeys(n for _, n in sorted(b)))[:2]) for b in beside]
    return pd.Series(names, index=corners.index, dtype=object)
