"""From demand to facilities over the streets: pairs within the limit, areas, nearest station."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.coverage.placing import place_points, require_positive
from planner.errors import InputError
from planner.network import nearest_minutes, service_areas, travel_within
from planner.tables import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.network import StreetNetwork

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
        Rows as in `demand`, columns as in `facilities`.

    Raises
    ------
    InputError
        A table is empty, holds something else than points, or lies off the streets as a whole.
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
    for places, name in ((origins, "demand"), (targets, "facilities")):
        if not places.snapped.any():
            raise InputError(
                f"no point of `{name}` lies within {snap_m:g} m of a street. Check that streets "
                "and points show the same city, that longitude and latitude are not swapped, and "
                "the datum."
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
    )


def make_service_areas(
    streets: StreetNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    limits_min: Iterable[float] = (5, 10, 15),
    snap_m: float = 300.0,
) -> gpd.GeoDataFrame:
    """Draw the area from which some facility is within each limit.

    Parameters
    ----------
    streets, facilities, snap_m
        As in `make_reach`; `facilities` may be empty.
    limits_min
        Minutes, > 0.

    Returns
    -------
    geopandas.GeoDataFrame
        `limit_min` (float64, ascending) and `geometry`, one (multi)polygon a limit, the smaller
        inside the larger, in the CRS of `facilities`. A limit that bounds no area has no row, so
        without facilities near a street the table is empty.

    Raises
    ------
    InputError, CrsError, SettingsError
        As `make_reach`.
    """
    limits = sorted({float(limit) for limit in limits_min})
    for limit in limits:
        require_positive(limit, "limits_min")
    polygons = []
    if len(facilities) and limits:
        places = place_points(streets, facilities, "facilities", snap_m)
        polygons = service_areas(streets, places, limits)
    pairs = [
        (m, p) for m, p in zip(limits[: len(polygons)], polygons, strict=True) if not p.is_empty
    ]
    areas = gpd.GeoDataFrame(
        {"limit_min": np.array([m for m, _ in pairs], dtype=float)},
        geometry=gpd.GeoSeries([p for _, p in pairs], crs=streets.crs),
        crs=streets.crs,
    )
    areas.index.name = "service_area_id"
    return areas if facilities.crs in (None, streets.crs) else areas.to_crs(facilities.crs)


def nearest_station_minutes(
    streets: StreetNetwork,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    max_min: float,
    snap_m: float = 300.0,
) -> pd.Series:
    """Return the travel time from each demand point to its nearest facility.

    Parameters
    ----------
    streets, demand, facilities, snap_m
        As in `make_reach`, inbound; `facilities` may be empty.
    max_min
        How far to look, minutes, > 0.

    Returns
    -------
    pandas.Series
        float64 minutes on the index of `demand`; infinite where nothing is within `max_min`.

    Raises
    ------
    InputError, CrsError, SettingsError
        As `make_reach`.
    """
    require_positive(max_min, "max_min")
    minutes = np.full(len(demand), np.inf)
    if len(demand) and len(facilities):
        origins = place_points(streets, demand, "demand", snap_m)
        targets = place_points(streets, facilities, "facilities", snap_m)
        minutes, _ = nearest_minutes(streets, origins, targets, max_min=max_min)
    return pd.Series(minutes, index=demand.index, name="nearest_min", dtype=float)
