"""How far it is to the nearest station, beyond the limit too: at any hour and in each daypart."""

from __future__ import annotations

import logging
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.hours import open_in_dayparts
from planner.coverage.placing import place_points, require_positive
from planner.errors import InputError
from planner.network import nearest_minutes, nearest_two
from planner.settings import DAYPARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from planner.network import Places, StreetNetwork

_log = logging.getLogger(__name__)
ANY_HOUR, NEXT = "nearest_min", "next_min"


def find_minutes(
    streets: StreetNetwork,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    max_min: float,
    dayparts: Mapping[str, tuple[float, float]] = DAYPARTS,
    snap_m: float = 300.0,
) -> pd.DataFrame:
    """Find the minutes from each demand point to its nearest facility, at any hour and by daypart.

    Travel is inbound, demand → facility.

    Parameters
    ----------
    streets, demand, facilities, snap_m
        As in `make_reach`; `facilities` may be empty. Column read besides: `hours` of
        `facilities`, where present.
    max_min
        How far to look, minutes, > 0 and at most 6000.
    dayparts
        Name → (from, to) in hours of the day.

    Returns
    -------
    pandas.DataFrame
        On the index of `demand`, float64 minutes, infinite where nothing is within `max_min`:
        `nearest_min` (of all facilities), `next_min` (to the second nearest), and with `hours`
        known ``nearest_<daypart>_min`` (of those open for at least half of the daypart).
        ``attrs["minutes"]`` holds `max_min`.

    Raises
    ------
    InputError, CrsError, SettingsError
        As `make_reach`.
    """
    started = perf_counter()
    require_positive(max_min, "max_min")
    is_open = {}
    if "hours" in facilities:
        flags = open_in_dayparts(facilities["hours"], dayparts)
        is_open = {daypart_column(name): flags[name].to_numpy() for name in dayparts}
    found = {name: np.full(len(demand), np.inf) for name in (ANY_HOUR, NEXT, *is_open)}
    if len(demand) and len(facilities):
        origins = place_points(streets, demand, "demand", snap_m)
        targets = place_points(streets, facilities, "facilities", snap_m)
        found |= _search(streets, origins, targets, is_open, max_min)
    table = pd.DataFrame(found, index=demand.index, dtype=float)
    table.attrs["minutes"] = {"max_min": float(max_min)}
    _log.info(
        "minutes: %d demand × %d facilities, %d columns, %.2f s",
        *(len(demand), len(facilities), len(found), perf_counter() - started),
    )
    return table


def daypart_column(name: str) -> str:
    """Name the column of a daypart."""
    return f"nearest_{name}_min"


def minutes_of(minutes: pd.DataFrame, column: str, demand_id: pd.Index) -> np.ndarray:
    """Return a column for the given demand.

    Raises
    ------
    InputError
        The minutes are of other demand, or of facilities without hours.
    """
    if column not in minutes:
        raise InputError(
            f"`minutes` lacks `{column}`. Find the minutes of the same facilities, with `hours`."
        )
    found = minutes[column].reindex(demand_id).to_numpy(dtype=float)
    if np.isnan(found).any():
        lost = demand_id[np.isnan(found)].tolist()
        raise InputError(
            f"`minutes` lacks {len(lost)} demand points, first {lost[0]!r}. "
            "Find the minutes of the same demand."
        )
    return found


def _search(
    streets: StreetNetwork,
    origins: Places,
    targets: Places,
    is_open: Mapping[str, np.ndarray],
    max_min: float,
) -> dict[str, np.ndarray]:
    """Look once for every set of open facilities that is asked for."""
    two, _ = nearest_two(streets, origins, targets, max_min=max_min)
    known = {np.ones(len(targets), dtype=bool).tobytes(): two[:, 0]}
    for flags in is_open.values():
        if flags.tobytes() not in known:
            some = replace(targets, chain=np.where(flags, targets.chain, -1).astype(np.int32))
            known[flags.tobytes()], _ = nearest_minutes(streets, origins, some, max_min=max_min)
    found = {name: known[flags.tobytes()] for name, flags in is_open.items()}
    return {ANY_HOUR: two[:, 0], NEXT: two[:, 1], **found}
