"""What the demand points rest on, worker by worker and day by day: for siting, never for show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array

from planner.errors import InputError
from planner.samples import Samples

if TYPE_CHECKING:
    import pandas as pd

    from planner.demand.visits import Visits

_HOURS = 24


def take_samples(
    visits: Visits, point: np.ndarray, demand: pd.DataFrame, *, min_workers: int
) -> Samples:
    """Return visits by worker-day and by hour at the points that may be shown.

    Parameters
    ----------
    visits
        As `read_visits` returns them with their diary.
    point
        Of each cell; -1 where it belongs to none.
    demand
        `demand` table of those points; visits are multiplied as it multiplies them.
    min_workers
        The privacy limit k: a daypart or hour of fewer workers is left out.
    """
    if visits.diary is None:
        raise InputError("these visits were read without their diary.")
    diary, days = visits.diary, len(visits.days)
    weekend = np.is_busday(visits.days, weekmask="0000011")
    kept = point[diary.cell] >= 0
    day, column = diary.day[kept], point[diary.cell[kept]]
    rider = diary.rider[kept].astype(np.int64)
    count = diary.stays[kept] * _factor(visits, point, demand)[column]
    known, row = np.unique(rider * days + day, return_inverse=True)
    shape = (known.size, len(demand))
    worker_days = coo_array((count, (row, column)), shape=shape).tocsr()
    shown = _Shown(rider, column, count * visits.per_day[weekend.astype(int)[day]], len(demand))
    part = diary.part[kept]
    parts, dayparts = _by_slot(shown, part, min_workers)
    slots, hours = _by_slot(shown, part * _HOURS + diary.hour[kept], min_workers)
    return Samples(
        demand.index, worker_days, known % days, weekend, dayparts, hours,
        np.searchsorted(parts, slots // _HOURS), min_workers,
    )  # fmt: skip


class _Shown(NamedTuple):
    """Entries of the diary at points that may be shown: who, where, visits on an average day."""

    rider: np.ndarray
    column: np.ndarray
    weight: np.ndarray
    points: int


def _factor(visits: Visits, point: np.ndarray, demand: pd.DataFrame) -> np.ndarray:
    """Return what expansion and need multiply the visits of each point by."""
    shown = point >= 0
    raw = np.bincount(point[shown], weights=visits.weight()[shown], minlength=len(demand))
    told = demand["weight_per_day"].to_numpy(float)
    return np.divide(told, raw, out=np.zeros_like(told), where=raw > 0)


def _by_slot(shown: _Shown, slot: np.ndarray, min_workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the slots of the clock that have enough workers, and their visits by point."""
    kept, rows = [], []
    for number in np.unique(slot):
        inside = slot == number
        if np.unique(shown.rider[inside]).size >= min_workers:
            at, weight = shown.column[inside], shown.weight[inside]
            rows.append(np.bincount(at, weights=weight, minlength=shown.points))
            kept.append(number)
    return np.array(kept, dtype=np.int64), np.array(rows).reshape(-1, shown.points)
