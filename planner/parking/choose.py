"""Choose friendly-parking sites: most short stops within a door's walk, enough bays at each."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import InputError, SettingsError
from planner.parking.assign import assign_stops
from planner.parking.places import find_spots
from planner.parking.sites import make_sites
from planner.parking.stops import NO_STOPS, find_stops
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from planner.network import StreetNetwork
    from planner.parking.assign import Assignment
    from planner.parking.stops import Stops

_log = logging.getLogger(__name__)

_MIN_PRIVACY = 5  # never fewer distinct workers behind a figure (Mobility Data Specification)


def choose_parking(
    streets: StreetNetwork,
    stays: gpd.GeoDataFrame,
    siting: gpd.GeoDataFrame,
    *,
    count: int = 20,
    existing: gpd.GeoDataFrame | None = None,
    hosts: gpd.GeoDataFrame | None = None,
    min_workers: int = 10,
    max_blocking: float = 0.05,
    min_stop_min: float = 3.0,
    max_stop_min: float = 20.0,
    door_m: float = 100.0,
    station_m: float = 200.0,
    language: str = "en",
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Choose where riders' short stops deserve bays, how many, and which station is near.

    Parameters
    ----------
    streets
        The study's network. Sites lie on its streets, but not on paths, steps, motorways and
        trunk roads; walks follow all of it on foot, both ways.
    stays
        ``TABLES["stays"]``, times on the local clock. Of counts (``TABLES["counts"]``), which hold
        no stops, the result is empty.
    siting
        Recommended stations, index `site_id`; column read: `geometry`. May be empty.
    count
        Sites wanted, ≥ 0.
    existing
        Stations that exist, index `station_id`; column read: `geometry`.
    hosts
        Premises to name sites after; columns read: `name`, `geometry`.
    min_workers
        Distinct workers behind every site, ≥ 5; sites with fewer are never recommended.
    max_blocking
        Share of arrivals in the busiest hour that may find no bay, 0..1 (5 % is a guess).
    min_stop_min, max_stop_min
        Stays of this length, minutes, bounds included, need a bay (3 and 20 are guesses).
    door_m
        Longest walk from bay to door, metres along the streets (100 m is a guess).
    station_m
        Longest walk from bay to the station it is linked to, metres (200 m is a guess).
    language
        ``zh`` or ``en``, of names made up here.
    rng
        Seed of the location model.
    on_step
        Called with (sites found, sites wanted) while choosing.

    Returns
    -------
    geopandas.GeoDataFrame
        ``TABLES["parking"]`` in the CRS of `stays`, index `site_id` (``P01`` serves most). Every
        short stop is counted at the nearest site only. ``attrs["parking"]`` holds `covered_share`
        (short stops within `door_m` of a site, over all), `stops_per_day`, `days`, `suppressed`
        (squares `door_m` wide whose stops stay unserved, having fewer than `min_workers` workers),
        `count` (wanted) and `found` (fewer than wanted where no further place has enough workers).

    Raises
    ------
    ColumnError, CrsError, InputError
        `stays`, `siting`, `existing` or `hosts` is not what it should be.
    SettingsError
        A number is out of its range.

    Notes
    -----
    Sites maximise the short stops covered (maximal covering: R. Church and C. ReVelle (1974),
    Papers of the Regional Science Association 32), over points of the streets, each with
    `min_workers` workers of its own; then each moves to where the walks of those it serves are
    shortest.

    Bays follow from Erlang's loss formula (`planner.queueing`) at the load of the busiest hour of
    the average day: arrivals per hour × mean stop, the mean held between 2 and 15 min. A site has
    2 bays at least (a guess: one bay is no site).
    """
    started = perf_counter()
    _check_numbers(count, min_workers, max_blocking, (min_stop_min, max_stop_min))
    for value, name in ((door_m, "door_m"), (station_m, "station_m")):
        _require(value > 0, name, "greater than 0", value)
    stops = _stops(stays, streets, min_stop_min, max_stop_min)
    on_foot = streets.on_foot()
    spots = find_spots(streets, on_foot, stops, door_m=door_m, min_workers=min_workers)
    found = assign_stops(
        stops, spots, count, min_workers=min_workers, door_m=door_m, rng=rng, on_step=on_step
    )
    parking = make_sites(
        streets,
        on_foot,
        stops,
        spots.xy[found.chosen],
        found.site,
        stations=_stations(siting, existing),
        hosts=hosts,
        max_blocking=max_blocking,
        station_m=station_m,
        language=language,
    ).to_crs(stays.crs)
    parking.attrs["parking"] = _account(stops, found, count, len(parking))
    _log.info(
        "parking: %d short stops, %d spots, %d of %d sites, %.1f %% covered, %.1f s",
        len(stops.place),
        len(spots.xy),
        len(parking),
        count,
        100 * parking.attrs["parking"]["covered_share"],
        perf_counter() - started,
    )
    return parking


def _stops(
    stays: gpd.GeoDataFrame, streets: StreetNetwork, min_stop_min: float, max_stop_min: float
) -> Stops:
    """Find the short stops; counts tell of none."""
    if "stay_min" not in stays and "weight_per_day" in stays:
        check_table(stays, "counts")
        return NO_STOPS
    check_table(stays, "stays")
    return find_stops(stays, streets.crs, min_stop_min=min_stop_min, max_stop_min=max_stop_min)


def _account(stops: Stops, found: Assignment, count: int, made: int) -> dict[str, Any]:
    """Say how much of the stops the sites serve, and what was asked and left out."""
    return {
        "covered_share": float(np.mean(found.site[stops.place] >= 0)) if len(stops.place) else 0.0,
        "stops_per_day": len(stops.place) / stops.days if stops.days else 0.0,
        "days": stops.days,
        "suppressed": found.suppressed,
        "count": int(count),
        "found": made,
    }


def _stations(
    siting: gpd.GeoDataFrame, existing: gpd.GeoDataFrame | None
) -> list[gpd.GeoDataFrame]:
    """List the stations to link to, those that exist first."""
    tables = [t for t in (existing, siting) if t is not None and len(t)]
    for table in tables:
        if table.crs is None or not table.index.is_unique:
            raise InputError("stations to link to need a CRS and a unique index. Load them anew.")
    return tables


def _check_numbers(
    count: int, min_workers: int, max_blocking: float, stop_min: tuple[float, float]
) -> None:
    """Raise where a number makes no sense."""
    _require(count >= 0, "count", "at least 0", count)
    _require(min_workers >= _MIN_PRIVACY, "min_workers", f"at least {_MIN_PRIVACY}", min_workers)
    _require(0 < max_blocking < 1, "max_blocking", "between 0 and 1", max_blocking)
    low, high = stop_min
    _require(0 < low <= high, "min_stop_min", f"over 0 and at most `max_stop_min` ({high:g})", low)


def _require(fine: bool, name: str, rule: str, value: float) -> None:
    if not fine:
        raise SettingsError(
            f"The `{name}` setting must be {rule}. Got {value}. Change `[parking]`."
        )
