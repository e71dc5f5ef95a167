"""The table of parking sites: traffic, bays, names and the nearest station."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.i18n import translator
from planner.network import nearest_minutes, nearest_street, snap_points
from planner.parking.places import SLACK_M, metres_per_minute
from planner.queueing import bays_needed, erlang_b
from planner.tables import TABLES

if TYPE_CHECKING:
    from planner.network import StreetNetwork
    from planner.parking.stops import Stops

_MIN_BAYS = 2  # one bay is no site (guess)
_DWELL_MIN = (2.0, 15.0)  # bounds of the mean stop (guess): a bay is neither touched nor lived in
_GUESSED_DWELL_MIN = 5.0  # where fewer stops than this many were seen (guess)
_FEW_STOPS = 5
_HOST_M = 60.0  # a site this near a known door is named after it (guess)


class Traffic(NamedTuple):
    """What each site sees; arrays of shape (sites,).

    Attributes
    ----------
    stops
        Short stops in all days.
    peak_per_hour
        Arrivals in the busiest hour of the average day.
    dwell_min
        Mean minutes of a stop.
    workers
        Distinct workers.
    """

    stops: np.ndarray
    peak_per_hour: np.ndarray
    dwell_min: np.ndarray
    workers: np.ndarray


def make_sites(
    streets: StreetNetwork,
    on_foot: StreetNetwork,
    stops: Stops,
    xy: np.ndarray,
    site: np.ndarray,
    *,
    stations: list[gpd.GeoDataFrame],
    hosts: gpd.GeoDataFrame | None,
    max_blocking: float,
    station_m: float,
    language: str,
) -> gpd.GeoDataFrame:
    """Describe each site by what it serves.

    Parameters
    ----------
    streets, on_foot
        The study's network, to name sites, and the same on foot, to walk to stations.
    stops
        The short stops.
    xy
        Shape (sites, 2), in the CRS of `streets`.
    site
        Shape (places,): row of `xy` that serves the place, -1 if none.
    stations
        Tables of points, index the identifier to link to.
    hosts
        Premises to name sites after.
    max_blocking, station_m, language
        As in `choose_parking`.

    Returns
    -------
    geopandas.GeoDataFrame
        ``TABLES["parking"]`` in the CRS of `streets`, most served first.
    """
    traffic = measure_traffic(stops, site, len(xy))
    load = traffic.peak_per_hour * traffic.dwell_min / 60.0
    bays = np.maximum(bays_needed(load, max_blocking), _MIN_BAYS)
    points = gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=streets.crs)
    station_id, walk_m = _nearest_station(on_foot, points, stations, station_m)
    table = gpd.GeoDataFrame(
        {
            "name": pd.Series(_names(streets, points, hosts, language), dtype="str"),
            "bays": bays.astype(np.int64),
            "served_per_day": traffic.stops / max(stops.days, 1),
            "peak_per_hour": traffic.peak_per_hour,
            "blocking_share": erlang_b(bays, load).round(4),
            "workers": traffic.workers.astype(np.int64),
            "station_id": pd.Series(station_id, dtype="str"),
            "station_walk_m": walk_m,
        },
        geometry=points,
        crs=streets.crs,
    )[list(TABLES["parking"])]
    order = np.lexsort((xy[:, 1], xy[:, 0], -traffic.stops))
    table = table.iloc[order]
    table.index = pd.Index(
        [f"P{n:02d}" for n in range(1, len(xy) + 1)], name="site_id", dtype="str"
    )
    return table


def measure_traffic(stops: Stops, site: np.ndarray, sites: int) -> Traffic:
    """Count what each site serves: stops, their busiest hour, their length, their workers."""
    of_stop = site[stops.place] if len(stops.place) else np.empty(0, dtype=np.int64)
    served = of_stop >= 0
    of_stop, hour, rider = of_stop[served], stops.hour[served], stops.rider[served]
    number = np.bincount(of_stop, minlength=sites)
    by_hour = np.bincount(of_stop * 24 + hour, minlength=sites * 24).reshape(sites, 24)
    minutes = np.bincount(of_stop, weights=stops.stay_min[served], minlength=sites)
    mean = np.clip(minutes / np.maximum(number, 1), *_DWELL_MIN)
    pairs = np.unique(np.column_stack([of_stop, rider]), axis=0)
    return Traffic(
        number,
        by_hour.max(axis=1, initial=0) / max(stops.days, 1),
        np.where(number >= _FEW_STOPS, mean, _GUESSED_DWELL_MIN),
        np.bincount(pairs[:, 0], minlength=sites),
    )


def _nearest_station(
    on_foot: StreetNetwork,
    points: gpd.GeoSeries,
    stations: list[gpd.GeoDataFrame],
    station_m: float,
) -> tuple[list[str | None], np.ndarray]:
    """Find the nearest station on foot and the walk to it, where near enough."""
    nothing: list[str | None] = [None] * len(points)
    if not stations or not len(points):
        return nothing, np.full(len(points), np.nan)
    doors = pd.concat([t.geometry.to_crs(on_foot.crs) for t in stations])
    doors.index = doors.index.astype(str)
    doors = doors.sort_index()
    speed = metres_per_minute(on_foot)
    minutes, nearest = nearest_minutes(
        on_foot,
        snap_points(on_foot, points, max_m=station_m),
        snap_points(on_foot, gpd.GeoSeries(doors, crs=on_foot.crs), max_m=station_m),
        max_min=(station_m + SLACK_M) / speed,
    )
    names = [str(doors.index[n]) if n >= 0 else None for n in nearest]
    return names, np.where(np.isfinite(minutes), np.round(minutes * speed), np.nan)


def _names(
    streets: StreetNetwork,
    points: gpd.GeoSeries,
    hosts: gpd.GeoDataFrame | None,
    language: str,
) -> list[str]:
    """Name each point after a host at hand, else its street."""
    unnamed = translator(language)("Unnamed street")
    names = [str(n) or unnamed for n in nearest_street(streets, points)] if len(points) else []
    named = hosts[hosts["name"].fillna("") != ""].sort_index() if hosts is not None else None
    if named is None or named.empty or not names:
        return names
    from shapely import STRtree

    tree = STRtree(named.geometry.to_crs(points.crs).to_numpy())
    point, host = tree.query_nearest(points.to_numpy(), max_distance=_HOST_M, all_matches=True)
    first = np.full(len(names), len(named))
    np.minimum.at(first, point, host)
    known = [str(n) for n in named["name"]]
    return [known[h] if h < len(known) else name for h, name in zip(first, names, strict=True)]
