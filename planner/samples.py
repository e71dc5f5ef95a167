"""What a demand table was averaged from, kept in memory so that it can be drawn anew or held out.

Nothing here may be written: rows are single workers on single days. No plan holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from planner.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Samples:
    """Visits by worker and day, and by hour, at the points of a demand table.

    Attributes
    ----------
    demand_id
        Index of the demand table, in the order of the columns below.
    worker_days
        CSR, worker-days × demand: visits of one worker on one day.
    day
        Shape (worker-days,): the number of its day, 0 … days - 1.
    weekend
        Shape (days,), bool.
    dayparts
        Shape (parts, demand): visits of an average day by daypart, of those that have enough
        workers.
    hours
        Shape (hours, demand): the same by hour of the clock within a daypart.
    part
        Shape (hours,): the row of `dayparts` that each hour belongs to.
    min_workers
        The privacy limit k: days, dayparts and hours of fewer workers are never told by themselves.
    """

    demand_id: pd.Index
    worker_days: csr_array
    day: np.ndarray
    weekend: np.ndarray
    dayparts: np.ndarray
    hours: np.ndarray
    part: np.ndarray
    min_workers: int

    def __repr__(self) -> str:
        workers, points = self.worker_days.shape
        return f"Samples({workers} worker-days, {self.weekend.size} days, {points} points)"

    def take(self, demand_id: pd.Index) -> Samples:
        """Return the same with the points in another order.

        Raises
        ------
        InputError
            A point is unknown.
        """
        column = self.demand_id.get_indexer(demand_id)
        if (column < 0).any():
            raise InputError(
                f"`samples` know nothing of demand point {demand_id[column < 0][0]!r}. Take them "
                "from the same `make_sampled_demand` as the demand."
            )
        rows = self.worker_days.tocsc()[:, column].tocsr()
        return replace(
            self, demand_id=demand_id, worker_days=rows, dayparts=self.dayparts[:, column],
            hours=self.hours[:, column],
        )  # fmt: skip

    def days(self) -> np.ndarray:
        """Return the visits of every day, shape (days, demand)."""
        return self.sum_days(np.ones(self.day.size))

    def workers(self) -> np.ndarray:
        """Return how many workers were seen on every day, shape (days,)."""
        return np.bincount(self.day, minlength=self.weekend.size)

    def sum_days(self, times: np.ndarray) -> np.ndarray:
        """Return the visits of every day, each worker-day counted so many times."""
        place = (self.day, np.arange(self.day.size))
        share_out = csr_array((times, place), shape=(self.weekend.size, self.day.size))
        return np.asarray((share_out @ self.worker_days).toarray())

    def draw(self, runs: int, rng: np.random.Generator) -> np.ndarray:
        """Draw worker-days with replacement, shape (runs, demand): visits of an average day.

        As many as there were on workdays and at weekends each, so that an average day keeps its
        five to two.

        Notes
        -----
        The cluster bootstrap (Davison & Hinkley 1997, "Bootstrap methods and their application",
        section 3.8): whoever stays several times a day is drawn with all of it or not at all.
        """
        per_day = weigh_days(self.weekend)[self.day]
        kinds = [np.flatnonzero(self.weekend[self.day] == kind) for kind in (False, True)]
        drawn = np.empty((runs, self.worker_days.shape[1]))
        turned = self.worker_days.T.tocsr()
        for run in range(runs):
            times = np.zeros(self.day.size)
            for rows in kinds:
                picked = rng.integers(rows.size, size=rows.size) if rows.size else rows
                times[rows] = np.bincount(picked, minlength=rows.size)
            drawn[run] = turned @ (times * per_day)
        return drawn


def weigh_days(weekend: np.ndarray) -> np.ndarray:
    """Return what each day is of an average day: five workdays and two of the weekend of seven.

    Where only one kind was seen, its plain mean.

    Examples
    --------
    >>> weigh_days(np.array([False, False, True])) * 14
    array([5., 5., 4.])
    """
    rest = int(weekend.sum())
    work = weekend.size - rest
    if not rest or not work:
        return np.full(weekend.size, 1.0 / max(1, weekend.size))
    return np.where(weekend, 2.0 / (7.0 * rest), 5.0 / (7.0 * work))
