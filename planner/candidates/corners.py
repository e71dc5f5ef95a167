"""Street corners near demand, not too close to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from planner.network import StreetNetwork

_MOTORWAY = 5  # street_class of roads without a kerb to stop at


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
    return gpd.GeoDataFrame(
        {"name": _corner_names(streets, junction[picked])},
        geometry=gpd.points_from_xy(xy[picked, 0], xy[picked, 1]),
        index=np.arange(1, picked.size + 1),
        crs=demand.crs,
    )


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


def _corner_names(streets: StreetNetwork, junction: np.ndarray) -> list[str]:
    """Call each junction ``A / B`` after its largest named streets; ``A`` if there is but one."""
    position = np.full(streets.n_nodes, -1, dtype=np.int64)
    position[junction] = np.arange(junction.size)
    meeting: list[set[tuple[int, str]]] = [set() for _ in junction]
    name = streets.names[streets.name_code]
    for end in (streets.tail, streets.head):
        for chain in np.flatnonzero(position[end] >= 0):
            if name[chain]:
                meeting[position[end[chain]]].add((-int(streets.street_class[chain]), name[chain]))
    return [" / ".join(list(dict.fromkeys(n for _, n in sorted(m)))[:2]) for m in meeting]
