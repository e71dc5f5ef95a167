"""What the demand points rest on, worker by worker and day by day: for siting, never for show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

from planner.errors import InputError
from planner.samples import Samples

if TYPE_CHECKING:
    import pandas as pd

    from planner.demand.visits import Visits


def take_samples(
    visits: Visits, point: np.ndarray, demand: pd.DataFrame, *, min_workers: int
) -> Samples:
    """Return visits by worker-day and by daypart at the points that may be shown.

    Parameters
    ----------
    visits
        As `read_visits` returns them with their diary.
    point
        Of each cell; -1 where it belongs to none.
    demand
        `demand` table of those points; visits are multiplied as it multiplies them.
    min_workers
        The privacy limit k: a daypart of fewer workers is left out.
    """
    if visits.diary is None:
        raise InputError("these visits were read without their diary.")
    points = len(demand)
    factor = _factor(visits, point, demand)
    diary, days = visits.diary, len(visits.days)
    shown = point[diary.cell] >= 0
    key = diary.rider[shown].astype(np.int64) * days + diary.day[shown]
    known, row = np.unique(key, return_inverse=True)
    column = point[diary.cell[shown]]
    count = diary.stays[shown] * factor[column]
    worker_days = coo_array((count, (row, column)), shape=(known.size, points)).tocsr()
    weekend = np.is_busday(visits.days, weekmask="0000011")
    return Samples(
        demand.index, worker_days, known % days, weekend,
        _dayparts(visits, point, factor, min_workers), min_workers,
    )  # fmt: skip


def _factor(visits: Visits, point: np.ndarray, demand: pd.DataFrame) -> np.ndarray:
    """Return what expansion and need multiply the visits of each point by."""
    shown = point >= 0
    raw = np.bincount(point[shown], weights=visits.weight()[shown], minlength=len(demand))
    told = demand["weight_per_day"].to_numpy(float)
    return np.divide(told, raw, out=np.zeros_like(told), where=raw > 0)


def _dayparts(
    visits: Visits, point: np.ndarray, factor: np.ndarray, min_workers: int
) -> np.ndarray:
    """Return the visits of an average day by daypart, of those with enough workers."""
    entries, points = visits.entries, factor.size
    at = point[entries.cell]
    shown = at >= 0
    weight = entries.stays * visits.per_day[entries.weekend]
    rows = []
    for part in np.unique(entries.part):
        inside = shown & (entries.part == part)
        if visits.workers(inside) >= min_workers:
            there = np.bincount(at[inside], weights=weight[inside], minlength=points)
            rows.append(there * factor)
    return np.array(rows).reshape(-1, points)
