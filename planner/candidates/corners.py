"""Street corners near demand, not too close to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from planner.network import StreetNetwork

_MOTORWAY = 5  # street_class of roads without a kerb to stop at
_BESIDE_M = 25.0  # a street this near meets at the corner: half a large crossing (guess)


def find_corners(
    streets: StreetNetwork,
    demand: gpd.GeoDataFrame,
    *,
    area: gpd.GeoDataFrame | None,
    spacing_m: float,
    catchment_m: float,
) -> gpd.GeoDataFrame:
    """Pick street corners at least `spacing_m` apart, those with most demand around first.

    A corner is a junction where three or more streets meet, not all of them motorways. Returns
    `name` (``A / B``, empty if no street there has a name) and `geometry`, in the CRS of demand,
    numbered from 1 by falling demand.
    """
    ends = np.concatenate([streets.tail, streets.head])
    meeting = np.bincount(ends, minlength=streets.n_nodes)
    slow = np.zeros(streets.n_nodes, dtype=bool)
    slow[ends[np.tile(streets.street_class, 2) < _MOTORWAY]] = True
    junction = np.flatnonzero((meeting >= 3) & slow)
    places = gpd.GeoSeries(
        gpd.points_from_xy(streets.x[junction], streets.y[junction]), crs=streets.crs
    ).to_crs(demand.crs)
    xy = shapely.get_coordinates(places)
    if area is not None and not area.empty:
        whole = area.to_crs(demand.crs).union_all()
        within = shapely.intersects_xy(whole, xy[:, 0], xy[:, 1])
        junction, xy = junction[within], xy[within]
    around = demand_around(xy, demand, catchment_m)
    order = np.lexsort((xy[:, 1], xy[:, 0], -meeting[junction], -around))
    order = order[around[order] > 0]
    picked = order[_thin(xy[order], spacing_m)]
    corners = gpd.GeoSeries(
        gpd.points_from_xy(xy[picked, 0], xy[picked, 1]),
        index=np.arange(1, picked.size + 1),
        crs=demand.crs,
    )
    names = pd.Series(_corner_names(streets, corners), index=corners.index)
    return gpd.GeoDataFrame({"name": names}, geometry=corners)


def demand_around(xy: np.ndarray, demand: gpd.GeoDataFrame, radius_m: float) -> np.ndarray:
    """Add up the demand within a straight-line radius of each point.

    Parameters
    ----------
    xy
        Shape (n, 2), metres in the CRS of demand.
    demand
        `demand` table sorted by identifier, so that sums round alike in any order of rows.
    radius_m
        Metres.

    Returns
    -------
    numpy.ndarray
        Shape (n,), rider-visits per day.
    """
    if not len(xy):
        return np.zeros(0)
    weight = demand["weight_per_day"].to_numpy(float)
    near = cKDTree(shapely.get_coordinates(demand.geometry))
    pairs = cKDTree(xy).sparse_distance_matrix(near, radius_m, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs["j"], pairs["i"]))]
    return np.bincount(pairs["i"], weights=weight[pairs["j"]], minlength=len(xy))


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


def _corner_names(streets: StreetNetwork, corners: gpd.GeoSeries) -> list[str]:
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
    return [" / ".join(list(dict.fromkeys(n for _, n in sorted(b)))[:2]) for b in beside]
