"""Coverage in time: which days and hours the data show, and where they have holes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.quality.crowds import count_workers, hide_small

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOURS = 24
_SCRAP = 0.05  # of the fullest day: less is the end of a night's work, no day (guess)
_WEEKEND = 5  # Saturday, as `date.weekday` counts


def measure_days(
    visits: pd.DataFrame, account: Mapping[str, Any], *, basis: str, min_workers: int
) -> dict[str, Any]:
    """Count what the data hold by day and by hour of the day.

    Parameters
    ----------
    visits
        What is counted as a visit; columns read: `rider_id`, `arrive`, `leave` (tz-aware). A table
        without times gives an empty answer.
    account
        What became of the fixes; ``fixes_per_hour`` {local date: 24 counts} is counted where it is
        there, else visits by the hour they begin in.
    basis
        What visits are: ``stays``, ``presence``, ``orders`` or ``counts``.
    min_workers
        The privacy limit k.

    Returns
    -------
    dict
        ``counted`` (``fixes`` or the basis), ``days`` {date: n or None}, ``hours`` [24 × n or None]
        (sums over all days), ``weekdays`` and ``weekend_days`` (days with data), ``scrap_days``
        (under a twentieth of the fullest day: counted with the nearest day), ``missing_days``
        (between first and last), ``thin_days`` (under half the median day), ``empty_hours``. None
        where fewer than k workers are known behind a number; the others may be rounded, see
        `hide_small`.
    """
    if "arrive" not in visits:
        return {}
    per_hour = account.get("fixes_per_hour")
    table = _of_visits(visits) if not per_hour else _of_fixes(per_hour)
    days, counts = list(table), np.array(list(table.values()), dtype=np.int64)
    owner = _join_scraps(days, counts.sum(axis=1))
    kept = np.unique(owner)
    counts = np.stack([counts[owner == number].sum(axis=0) for number in kept])
    covered, per_day = [date.fromisoformat(days[number]) for number in kept], counts.sum(axis=1)
    by_day, by_hour = _workers(visits, [str(day) for day in covered])
    shown = hide_small(per_day.tolist(), by_day, min_workers)
    half, weekend = 0.5 * np.median(per_day), sum(day.weekday() >= _WEEKEND for day in covered)
    return {
        "counted": "fixes" if per_hour else basis,
        "days": dict(zip(map(str, covered), shown, strict=True)),
        "hours": hide_small(counts.sum(axis=0).tolist(), by_hour, min_workers),
        "weekdays": len(covered) - weekend,
        "weekend_days": weekend,
        "scrap_days": [day for number, day in enumerate(days) if number not in kept],
        "missing_days": _missing(covered),
        "thin_days": [str(d) for d, n in zip(covered, per_day, strict=True) if n < half],
        "empty_hours": [hour for hour, n in enumerate(counts.sum(axis=0)) if not n],
    }


def _join_scraps(days: list[str], per_day: np.ndarray) -> np.ndarray:
    """Return the day that each one counts with: itself, or for a scrap the nearest, earlier first.

    Scraps are what a night's work or a wrong clock leaves beyond midnight.
    """
    number = np.array(days, dtype="datetime64[D]").astype(np.int64)
    whole = np.flatnonzero(per_day >= _SCRAP * per_day.max())
    owner = np.arange(len(days))
    for scrap in np.setdiff1d(owner, whole):
        apart = number[whole] - number[scrap]
        owner[scrap] = whole[np.lexsort((apart, np.abs(apart)))[0]]
    return owner


def _of_fixes(per_hour: Mapping[str, list[int]]) -> dict[str, list[int]]:
    return {str(day): [int(n) for n in per_hour[day]] for day in sorted(per_hour)}


def _of_visits(visits: pd.DataFrame) -> dict[str, list[int]]:
    """Count visits by the local day and hour they begin in."""
    day, hour = np.divmod(_local_hour(visits["arrive"]), _HOURS)
    number, days = pd.factorize(day, sort=True)
    counts = np.bincount(number * _HOURS + hour, minlength=len(days) * _HOURS)
    names = days.astype("datetime64[D]").astype(str).tolist()
    return dict(zip(names, counts.reshape(-1, _HOURS).tolist(), strict=True))


def _workers(visits: pd.DataFrame, days: list[str]) -> tuple[list[int], list[int]]:
    """Count the riders known to be there on each day and in each hour: those on a visit then."""
    rider = pd.factorize(visits["rider_id"])[0]
    first, last = _local_hour(visits["arrive"]), _local_hour(visits["leave"])
    hours, riders = [first], [rider]
    for more in range(1, _HOURS):
        during = first + more <= last
        if not during.any():
            break
        hours.append(first[during] + more)
        riders.append(rider[during])
    day, hour = np.divmod(np.concatenate(hours), _HOURS)
    who = np.concatenate(riders)
    known_days = pd.Index(np.array(days, dtype="datetime64[D]").astype(np.int64))
    number = known_days.get_indexer(pd.Index(day))
    known = number >= 0
    by_day = count_workers(number[known], who[known], len(days))
    return by_day, count_workers(hour, who, _HOURS)


def _local_hour(times: pd.Series) -> np.ndarray:
    """Return the hours of the local clock since 1970, int64."""
    return times.dt.tz_localize(None).to_numpy("datetime64[h]").astype(np.int64)


def _missing(seen: list[date]) -> list[str]:
    """List the days without data between the first and the last that have some."""
    if not seen:
        return []
    first, last = min(seen), max(seen)
    every = (first + timedelta(days=n) for n in range((last - first).days))
    return [str(day) for day in every if day not in set(seen)]
