"""What the demand points rest on, worker by worker and day by day: for siting, never for show."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array

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
    day, column, part = diary.day[kept], point[diary.cell[kept]], diary.part[kept]
    rider, stays = diary.rider[kept].astype(np.int64), diary.stays[kept]
    factor = _factor(visits, point, demand)
    known, row = np.unique(rider * days + day, return_inverse=True)
    worker_days = coo_array((stays, (row, column)), shape=(known.size, factor.size)).tocsr()
    order = _order(worker_days, known % days)
    shown = _Shown(rider, column, stays, weekend[day], factor, visits.per_day)
    parts, dayparts = _by_slot(shown, part, min_workers)
    slots, hours = _by_slot(shown, part * _HOURS + diary.hour[kept], min_workers)
    return Samples(
        demand.index, csr_array(worker_days[order] * factor), (known % days)[order], weekend,
        dayparts, hours, np.searchsorted(parts, slots // _HOURS), min_workers,
    )  # fmt: skip


class _Shown(NamedTuple):
    """Entries of the diary at points that may be shown, and what their visits stand for."""

    rider: np.ndarray
    column: np.ndarray
    stays: np.ndarray
    weekend: np.ndarray
    factor: np.ndarray  # of each point
    per_day: np.ndarray  # of a workday and a weekend day


def _order(worker_days: csr_array, day: np.ndarray) -> np.ndarray:
    """Order worker-days by what was seen, so that no name of a worker has a say in a drawing.

    Sums of whole numbers under two random keys tell rows apart; equal rows may trade places.
    """
    keys = np.random.default_rng(0).integers(1 << 40, size=(2, worker_days.shape[1]))
    one, two = (worker_days.astype(np.int64) @ key for key in keys)
    return np.lexsort((two, one, day))


def _factor(visits: Visits, point: np.ndarray, demand: pd.DataFrame) -> np.ndarray:
    """Return what expansion and need multiply the visits of each point by."""
    shown = point >= 0
    raw = np.bincount(point[shown], weights=visits.weight()[shown], minlength=len(demand))
    told = demand["weight_per_day"].to_numpy(float)
    return np.divide(told, raw, out=np.zeros_like(told), where=raw > 0)


def _by_slot(shown: _Shown, slot: np.ndarray, min_workers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the slots of the clock that have enough workers, and their visits by point."""
    points = shown.factor.size
    kept, rows = [], []
    for number in np.unique(slot):
        inside = slot == number
        if np.unique(shown.rider[inside]).size >= min_workers:
            there = 2 * shown.column[inside] + shown.weekend[inside]
            stays = np.bincount(there, weights=shown.stays[inside], minlength=2 * points)
            rows.append(stays.reshape(-1, 2) @ shown.per_day * shown.factor)
            kept.append(number)
    return np.array(kept, dtype=np.int64), np.array(rows).reshape(-1, points)
