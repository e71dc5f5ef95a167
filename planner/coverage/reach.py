"""From demand to facilities over the streets: pairs within the limit."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from planner.coverage.placing import place_points, require_positive
from planner.errors import InputError
from planner.network import travel_within
from planner.tables import Reach

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network import Places, StreetNetwork

_log = logging.getLogger(__name__)


def make_reach(
    streets: StreetNetwork,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    limit_min: float = 15.0,
    snap_m: float = 300.0,
) -> Reach:
    """Find which facility each demand point reaches within the limit, and how fast.

    Travel is inbound, demand → facility, the way a rider goes to rest.

    Parameters
    ----------
    streets
        The network; its mode and speed are the rider's.
    demand
        Points in a metric CRS, unique index. Columns read: `geometry`.
    facilities
        Stations or candidates: points in a metric CRS, unique index. Columns read: `geometry`.
    limit_min
        Longest travel time that counts, minutes, > 0. 15 min is Ganzhou's 15分钟服务圈.
    snap_m
        Farthest a point may lie from a street, metres; points farther out reach nothing and are
        listed in the result. 300 m is a guess.

    Returns
    -------
    Reach
        Rows as in `demand`, columns as in `facilities`. Points too far from every street are in
        `unsnapped_demand` and `unsnapped_facilities`; points on a part of the streets where the
        other side has none in `apart_demand` and `apart_facilities`.

    Raises
    ------
    InputError
        A table is empty, holds something else than points, lies off the streets as a whole, or no
        street joins it to the other.
    CrsError
        A table's CRS is not in metres.
    SettingsError
        `limit_min` or `snap_m` is not a positive number.
    """
    started = perf_counter()
    require_positive(limit_min, "limit_min")
    for table, name in ((demand, "demand"), (facilities, "facilities")):
        if not len(table):
            raise InputError(
                f"`{name}` is empty, so nothing can be reached. Check the file it came from."
            )
    origins = place_points(streets, demand, "demand", snap_m)
    targets = place_points(streets, facilities, "facilities", snap_m)
    for places, table, name in ((origins, demand, "demand"), (targets, facilities, "facilities")):
        if not places.snapped.any():
            raise _off_streets(streets, table, name, snap_m)
    lonely, idle = _apart(streets, origins, targets), _apart(streets, targets, origins)
    if lonely.sum() == origins.snapped.sum():
        raise InputError(
            f"no street joins any point of `demand` to any of `facilities`: the streets fall into "
            f"{streets.n_components} parts, and the two stand on different ones. Check that the "
            "street file holds the bridges and links between them, and that `mode` may use them."
        )
    minutes = travel_within(streets, origins, targets, limit_min)
    _log.info(
        "reach: %d demand × %d facilities, %d pairs within %g min, %.1f s",
        *minutes.shape,
        minutes.nnz,
        limit_min,
        perf_counter() - started,
    )
    return Reach(
        minutes,
        demand.index,
        facilities.index,
        float(limit_min),
        streets.mode,
        streets.speed_kmh,
        demand.index[~origins.snapped],
        facilities.index[~targets.snapped],
        demand.index[lonely],
        facilities.index[idle],
    )


def _apart(streets: StreetNetwork, places: Places, others: Places) -> np.ndarray:
    """Tell which places stand on a part of the streets where none of the others does."""
    part = streets.component[streets.tail]
    held = np.zeros(streets.n_components, dtype=bool)
    held[part[others.chain[others.snapped]]] = True
    return places.snapped & ~held[part[np.where(places.snapped, places.chain, 0)]]


def _off_streets(
    streets: StreetNetwork, table: gpd.GeoDataFrame, name: str, snap_m: float
) -> InputError:
    """Return the error for points that all lie off the streets, and how far off."""
    left, bottom, right, top = table.to_crs(streets.crs).total_bounds
    aside = max(left - streets.x.max(), streets.x.min() - right, 0.0)
    above = max(bottom - streets.y.max(), streets.y.min() - top, 0.0)
    far_km = np.hypot(aside, above) / 1000.0
    where = f": they begin {far_km:,.0f} km outside the streets" if far_km >= 1.0 else ""
    return InputError(
        f"no point of `{name}` lies within {snap_m:g} m of a street{where}. Check that streets "
        "and points show the same city, that longitude and latitude are not swapped, and the "
        "datum."
    )
