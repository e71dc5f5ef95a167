"""What changed streets do to riders' ways: minutes before and after, rider-hours saved a day."""

from __future__ import annotations

import logging
from dataclasses import fields
from math import fsum
from time import perf_counter
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.coverage.measure import districts_of
from planner.coverage.placing import place_points, require_positive
from planner.errors import InputError, SettingsError
from planner.network import (
    Places,
    carry_places,
    edit_streets,
    exact_places,
    nearest_minutes,
    nearest_street,
    snap_points,
    trace_edits,
    travel_within,
)
from planner.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import shapely

    from planner.geo import Datum
    from planner.network import StreetNetwork
    from planner.settings import StreetEdit

_log = logging.getLogger(__name__)
_FELT_MIN = 1 / 60  # a change of under a second is rounding where a street was cut
_HORIZON = 4.0  # how far to look for a station, in limits
_ANY_WAY_MIN = 600.0  # how far from one end of an edit to the other
_ENDS = ("before_min", "after_min")


def compare_access(
    before: StreetNetwork,
    after: StreetNetwork,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    max_min: float = 60.0,
    limit_min: float = 15.0,
    trips: float = 1.0,
    snap_m: float = 300.0,
    every: bool = False,
) -> pd.DataFrame:
    r"""Compare the minutes to the nearest facility on two networks, of which one is edited.

    Travel is inbound, demand → facility. A point keeps its place on the street and its access leg
    from one network to the other; only where its street is closed it is snapped anew.

    Parameters
    ----------
    before, after
        The streets without and with a change (`edit_streets`).
    demand
        Points in a metric CRS, unique index. Columns read: `weight_per_day`, `geometry`.
    facilities
        Points in a metric CRS: stations, or whatever riders go to. May be empty.
    max_min
        How far to look, minutes, at least `limit_min` and at most 6000. A way that is longer, or
        that there is not, counts as that many minutes.
    limit_min
        The service limit of the covered shares, minutes, > 0.
    trips
        Ways that a visit stands for, > 0: 1 the way there, 2 there and back.
    snap_m
        Farthest a point may lie from a street, metres.
    every
        All points instead of those affected.

    Returns
    -------
    pandas.DataFrame
        On the index of `demand`, those whose minutes differ by a second or more: `before_min`,
        `after_min` (infinite beyond `max_min`), `saved_min` (negative where the way grew longer)
        and `weight_per_day`. ``attrs["access"]`` holds

        - `affected_per_day`: visits of these points, and of them `beyond_per_day` with a way beyond
          `max_min` before or after, for which the minutes saved or lost are at least what is told;
        - `affected_before_min`, `affected_after_min`: their mean minutes, None without any;
        - `hours_saved_per_day`: rider-hours saved, negative where lost;
        - `covered_before`, `covered_after`: share of all demand within the limit;
        - `max_min`, `limit_min`, `trips`.

    Raises
    ------
    InputError, CrsError, SettingsError
        As `make_reach`; or `max_min` is under `limit_min`.

    Notes
    -----
    With weight :math:`w_i`, minutes :math:`t_i`, :math:`t'_i` before and after, horizon *T* and
    trips *n*, rider-hours saved a day are
    :math:`n \sum_i w_i (\min(t_i, T) - \min(t'_i, T)) / 60`.
    """
    for value, name in ((limit_min, "limit_min"), (max_min, "max_min"), (trips, "trips")):
        require_positive(value, name)
    if max_min < limit_min:
        raise SettingsError(
            f"The `max_min` setting must be at least `limit_min` = {limit_min:g}. Got {max_min:g}. "
            "Look at least as far as the limit."
        )
    minutes = _minutes(before, after, demand, facilities, max_min, snap_m)
    weight = demand["weight_per_day"].to_numpy(dtype=float)
    if not fsum(weight) > 0:
        raise InputError("`demand` holds no rider-visits. Check the activity it was made from.")
    capped = np.minimum(minutes, max_min)
    saved = capped[0] - capped[1]
    felt = np.abs(saved) >= _FELT_MIN
    table = pd.DataFrame(
        {
            "before_min": minutes[0],
            "after_min": minutes[1],
            "saved_min": np.where(felt, saved, 0.0),
            "weight_per_day": weight,
        },
        index=demand.index,
    )
    table = table if every else table[felt]
    affected = fsum(weight[felt])
    means = [fsum((weight * t)[felt]) / affected if affected else None for t in capped]
    table.attrs["access"] = {
        "affected_per_day": affected,
        "beyond_per_day": fsum(weight[felt & np.isinf(minutes).any(axis=0)]),
        "affected_before_min": means[0],
        "affected_after_min": means[1],
        "hours_saved_per_day": trips * fsum((weight * saved)[felt]) / 60.0,
        "covered_before": _share(weight, minutes[0] <= limit_min),
        "covered_after": _share(weight, minutes[1] <= limit_min),
        "max_min": float(max_min),
        "limit_min": float(limit_min),
        "trips": float(trips),
    }
    return table


def minutes_between(streets: StreetNetwork, ends: np.ndarray, *, max_min: float) -> np.ndarray:
    """Return the travel time from one street place to another.

    Parameters
    ----------
    streets
        The network.
    ends
        x and y of pairs of places in the streets' CRS, shape (k, 2, 2), on a street to the
        centimetre.
    max_min
        How far to look, minutes.

    Returns
    -------
    Minutes, shape (k,); infinite where there is no way within `max_min`.
    """
    start, stop = (exact_places(streets, ends[:, i, 0], ends[:, i, 1]) for i in (0, 1))
    found = travel_within(streets, start, stop, max_min).tocoo()
    minutes = np.full(len(ends), np.inf)
    pair = found.row == found.col
    minutes[found.row[pair]] = found.data[pair]
    return minutes


def measure_edits(
    streets: StreetNetwork,
    edits: Sequence[StreetEdit],
    demand: gpd.GeoDataFrame,
    existing: gpd.GeoDataFrame,
    planned: gpd.GeoDataFrame,
    *,
    area: gpd.GeoDataFrame,
    limit_min: float = 15.0,
    snap_m: float = 300.0,
    datum: Datum = "wgs84",
) -> gpd.GeoDataFrame:
    """Measure what each street edit of a study does, one at a time.

    All are held against the streets of the plan, which are those that were read with all adopted
    edits: an edit that is not adopted is added to them, an adopted one taken away.

    Parameters
    ----------
    streets
        As they were read, without any edit.
    edits
        The study's `streets.edits`.
    demand
        As in `compare_access`.
    existing, planned
        Stations of today, and those with the plan's. Without stations today, visits and hours are
        told of the plan's.
    area
        Districts, column read: `name`.
    limit_min, snap_m
        The service limit; ways are looked for up to four times as far.
    datum
        Of the edits' places.

    Returns
    -------
    geopandas.GeoDataFrame
        ``TABLES["edits"]``, index `edit_id` from 1, in the study's order.

    Raises
    ------
    SettingsError
        An edit cannot be made; see `edit_streets`.
    """
    started = perf_counter()
    adopted = {n for n, edit in enumerate(edits, 1) if edit.adopt}
    plan = edit_streets(streets, edits, datum=datum, only=adopted)
    options: dict[str, Any] = {
        "max_min": _HORIZON * limit_min, "limit_min": limit_min, "snap_m": snap_m, "every": True,
    }  # fmt: skip
    rows, shapes, district = [], [], districts_of(demand, area)
    for number, edit in enumerate(edits, 1):
        other = edit_streets(streets, edits, datum=datum, only=adopted ^ {number})
        pair = (other, plan) if edit.adopt else (plan, other)
        trace = trace_edits(streets, edits, datum=datum, only=adopted | {number})[number]
        ends = [minutes_between(net, trace.ends, max_min=_ANY_WAY_MIN) for net in pair]
        today, then = (
            compare_access(*pair, demand, facilities, **options)
            for facilities in (existing, planned)
        )
        row = {
            "name": edit.name or edit.street or _place_name(streets, trace.lines, number),
            "action": edit.action,
            "adopted": edit.adopt,
            **dict(zip(_ENDS, _longest_detour(*ends), strict=True)),
            **_effect(today, then, told=today if len(existing) else then),
            **_district_of_most(today, district, limit_min),
        }
        rows.append(row)
        shapes.append(trace.lines)
    table = gpd.GeoDataFrame(rows, geometry=shapes, crs=streets.crs)[list(TABLES["edits"])]
    table.index = pd.RangeIndex(1, len(table) + 1, name="edit_id")
    _log.info("street edits: %d measured, %.1f s", len(table), perf_counter() - started)
    return table


def _longest_detour(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Choose the pair of ends whose way changes most, a way round before none; NaN for no way."""
    known = np.isfinite(before) & np.isfinite(after)
    change = np.full(len(before), -1.0)
    change[known] = np.abs(after - before)[known]
    k = int(change.argmax())
    first, then = (float(m[k]) if np.isfinite(m[k]) else np.nan for m in (before, after))
    return first, then


def _effect(today: pd.DataFrame, then: pd.DataFrame, *, told: pd.DataFrame) -> dict[str, Any]:
    """Tell what one edit does to the ways to stations of today, and to those of the plan."""
    shares = today.attrs["access"], then.attrs["access"]
    names = ("affected_per_day", "affected_before_min", "affected_after_min", "hours_saved_per_day")
    return {
        **{name: told.attrs["access"][name] for name in names},
        **{f"covered_{when}": shares[0][f"covered_{when}"] for when in ("before", "after")},
        **{f"planned_{when}": shares[1][f"covered_{when}"] for when in ("before", "after")},
    }


def _district_of_most(
    table: pd.DataFrame, district: np.ndarray, limit_min: float
) -> dict[str, Any]:
    """Name the district whose covered share changes most, the first of equals; None for none."""
    weight = table["weight_per_day"].to_numpy(dtype=float)
    best: dict[str, Any] = {"district": None, "district_before": np.nan, "district_after": np.nan}
    most = 0.0
    for name in sorted(set(district)):
        here = district == name
        if not fsum(weight[here]) > 0:
            continue
        old, new = (_share(weight[here], (table[c] <= limit_min).to_numpy()[here]) for c in _ENDS)
        if abs(new - old) > most:
            most = abs(new - old)
            best = {"district": name, "district_before": old, "district_after": new}
    return best


def _place_name(streets: StreetNetwork, lines: shapely.MultiLineString, number: int) -> str:
    """Name an edit by the street it lies at, else by its number."""
    longest = max(lines.geoms, key=lambda line: line.length)
    middle = gpd.GeoSeries([longest.interpolate(0.5, normalized=True)], crs=streets.crs)
    return str(nearest_street(streets, middle)[0]) or str(number)


def _minutes(  # noqa: PLR0917
    before: StreetNetwork,
    after: StreetNetwork,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    max_min: float,
    snap_m: float,
) -> np.ndarray:
    """Minutes before and after, shape (2, n)."""
    minutes = np.full((2, len(demand)), np.inf)
    origins = place_points(before, demand, "demand", snap_m)
    if not len(facilities):
        return minutes
    targets = place_points(before, facilities, "facilities", snap_m)
    minutes[0], _ = nearest_minutes(before, origins, targets, max_min=max_min)
    minutes[1], _ = nearest_minutes(
        after,
        _moved(origins, before, after, demand, snap_m),
        _moved(targets, before, after, facilities, snap_m),
        max_min=max_min,
    )
    return minutes


def _moved(
    places: Places,
    before: StreetNetwork,
    after: StreetNetwork,
    points: gpd.GeoDataFrame,
    snap_m: float,
) -> Places:
    """Return the places on an edited network; those whose street is gone are snapped anew."""
    same = carry_places(places, before, after)
    gone = ~same.snapped
    if not gone.any():
        return same
    fresh = snap_points(after, points[gone], max_m=snap_m)
    merged = {}
    for name in (f.name for f in fields(Places) if f.name != "key"):
        merged[name] = getattr(same, name).copy()
        merged[name][gone] = getattr(fresh, name)
    return Places(**merged, key=same.key)


def _share(weight: np.ndarray, covered: np.ndarray) -> float:
    """Divide covered by all weight; `fsum`, so that the order of rows cannot show."""
    return fsum(weight[covered]) / fsum(weight)
