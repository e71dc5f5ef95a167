"""Coverage in time: which days and hours the data show, and where they have holes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.quality.crowds import crowds_of, hide_small

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOURS = 24
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
        (sums over all days), ``weekdays`` and ``weekend_days`` (days with data), ``missing_days``
        (between first and last), ``thin_days`` (under half the median day), ``empty_hours``. None
        where fewer than k workers are known behind a number.
    """
    if "arrive" not in visits:
        return {}
    per_hour = account.get("fixes_per_hour")
    table = _of_visits(visits) if not per_hour else _of_fixes(per_hour)
    days = list(table)
    counts = np.array([table[day] for day in days], dtype=np.int64)
    by_day, by_hour = _crowds(visits, days)
    per_day = counts.sum(axis=1)
    shown = hide_small(per_day.tolist(), by_day, min_workers)
    hours = hide_small(counts.sum(axis=0).tolist(), by_hour, min_workers)
    seen = [date.fromisoformat(day) for day, n in zip(days, per_day, strict=True) if n]
    weekend = sum(day.weekday() >= _WEEKEND for day in seen)
    half = 0.5 * float(np.median(per_day[per_day > 0])) if seen else 0.0
    return {
        "counted": "fixes" if per_hour else basis,
        "days": dict(zip(days, shown, strict=True)),
        "hours": hours,
        "weekdays": len(seen) - weekend,
        "weekend_days": weekend,
        "missing_days": _missing(seen),
        "thin_days": [d for d, n in zip(days, per_day, strict=True) if 0 < n < half],
        "empty_hours": [hour for hour, n in enumerate(counts.sum(axis=0)) if not n],
    }


def _of_fixes(per_hour: Mapping[str, list[int]]) -> dict[str, list[int]]:
    return {str(day): [int(n) for n in per_hour[day]] for day in sorted(per_hour)}


def _of_visits(visits: pd.DataFrame) -> dict[str, list[int]]:
    """Count visits by the local day and hour they begin in."""
    arrive = visits["arrive"].dt
    day, days = pd.factorize(arrive.strftime("%Y-%m-%d"), sort=True)
    slot = day * _HOURS + arrive.hour.to_numpy()
    counts = np.bincount(slot, minlength=len(days) * _HOURS).reshape(-1, _HOURS)
    return dict(zip(map(str, days), counts.tolist(), strict=True))


def _crowds(visits: pd.DataFrame, days: list[str]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the riders seen on each day and in each hour, at the ends of their visits."""
    rider, _ = pd.factorize(visits["rider_id"].astype(str), sort=True)
    both = np.concatenate([rider, rider])
    ends = pd.concat([visits["arrive"], visits["leave"]]).dt
    day = pd.Index(days).get_indexer(ends.strftime("%Y-%m-%d"))
    known = day >= 0
    by_day = crowds_of(day[known], both[known], len(days))
    return by_day, crowds_of(ends.hour.to_numpy(), both, _HOURS)


def _missing(seen: list[date]) -> list[str]:
    """List the days without data between the first and the last that have some."""
    if not seen:
        return []
    first, last = min(seen), max(seen)
    every = (first + timedelta(days=n) for n in range((last - first).days))
    return [str(day) for day in every if day not in set(seen)]
