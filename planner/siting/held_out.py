"""What a plan is worth for visits it has not seen: some days or hours choose, the others judge."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.locate import heuristic_mclp
from planner.locate.problem import rows_covered
from planner.samples import weigh_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from planner.samples import Samples

RUNS = 20
_RANGE = (0.05, 0.95)
_MOST_FOLDS = 10  # as is usual in cross-validation
_WHOLE_DAY = 0.25  # of the median day's visits: a day of less is not held out by itself


class Folds(NamedTuple):
    """What chooses and what judges: visits by demand row, one row a run.

    Attributes
    ----------
    choose, judge
        Shape (runs, demand).
    by
        ``days``, ``dayparts`` or ``visits``.
    """

    choose: np.ndarray
    judge: np.ndarray
    by: str


def measure_held_out(
    cover: csr_array,
    weight: np.ndarray,
    chosen: Sequence[int] | np.ndarray,
    count: int,
    *,
    existing: np.ndarray,
    conflicts: np.ndarray,
    required: Sequence[int],
    days: float,
    rng: np.random.Generator,
    samples: Samples | None = None,
    dayparts: np.ndarray | None = None,
    runs: int = RUNS,
) -> dict[str, Any]:
    """Choose by some of the visits, and tell what of the others that choice covers.

    Parameters
    ----------
    cover, weight, count, existing, conflicts, required
        As solved by `planner.locate.solve_mclp`.
    chosen
        The plan, from which every run's choice starts.
    days
        Over how many days the weights were averaged.
    rng, runs
        Of the halving of visits, where neither days nor dayparts are known.
    samples
        Visits by day and by daypart, in the order of the rows of `cover`.
    dayparts
        Shape (parts, demand): weights by daypart, for want of samples.

    Returns
    -------
    dict
        ``share`` (covered share of all visits, each by a choice that has not seen it), ``low`` and
        ``high`` (the lowest and highest covered share of the days or dayparts that were left out
        together; of halved visits the 5th and 95th percentile), ``chosen_share`` (what the choices
        would have promised of the visits that they were made by), ``runs``, ``days`` and ``by``:
        ``days``, ``dayparts`` or ``visits``, the first of them that the data know. Empty where
        there is nothing to hold out.

    Notes
    -----
    Cross-validation (Stone 1974, "Cross-validatory choice and assessment of statistical
    predictions"). Up to ten parts of days, as even in visits as whole days allow, are left out one
    at a time; days of few workers or visits go along with others. Dayparts are left out one at a
    time: a choice by the others is made for hours when riders are elsewhere, so that this is the
    harder test. Without either, each cell's visits are thinned by a fair coin, so that the halves
    are independent where visits are Poisson (Kingman 1993, "Poisson processes"); riders who come
    back every day stand in both halves, and days that are yet to come may differ more.
    """
    folds = (
        _by_days(samples)
        or _by_dayparts(weight, dayparts if samples is None else samples.dayparts)
        or _by_visits(weight, days, runs, rng)
    )
    if folds is None:
        return {}
    choices = heuristic_mclp(
        cover, folds.choose, count, existing=existing, required=required, conflicts=conflicts,
        start=chosen,
    )  # fmt: skip
    covered = [rows_covered(cover, np.append(existing, choice)) for choice in choices]
    judged, promised = (_covered(part, covered) for part in (folds.judge, folds.choose))
    shares = judged[:, 0] / judged[:, 1]
    ends = np.quantile(shares, _RANGE) if folds.by == "visits" else (shares.min(), shares.max())
    share = math.fsum(judged[:, 0]) / math.fsum(judged[:, 1])
    return {
        "share": min(max(share, float(shares.min())), float(shares.max())),
        "low": float(ends[0]),
        "high": float(ends[1]),
        "chosen_share": math.fsum(promised[:, 0]) / math.fsum(promised[:, 1]),
        "runs": len(shares),
        "days": float(days),
        "by": folds.by,
    }


def _covered(visits: np.ndarray, covered: Sequence[np.ndarray]) -> np.ndarray:
    """Return of each run the visits that its choice covers, and all."""
    pairs = zip(visits, covered, strict=True)
    return np.array([(math.fsum(row[rows]), math.fsum(row)) for row, rows in pairs])


def _by_days(samples: Samples | None) -> Folds | None:
    """Leave out days, several together where there are many or they are thin."""
    if samples is None or samples.weekend.size < 2:
        return None
    visits = samples.days()
    fold = deal_days(visits.sum(axis=1), samples.workers(), samples.min_workers)
    if fold.max(initial=0) < 1:
        return None
    judge = [_average(visits, samples.weekend, fold == k) for k in range(fold.max() + 1)]
    choose = [_average(visits, samples.weekend, fold != k) for k in range(fold.max() + 1)]
    return _worth(np.array(choose), np.array(judge), "days")


def deal_days(visits: np.ndarray, workers: np.ndarray, min_workers: int) -> np.ndarray:
    """Deal days into parts that are as even in visits as whole days allow.

    Returns
    -------
    numpy.ndarray
        Shape (days,): the part of each day. There are as many parts as days of enough workers and
        visits, ten at most.

    Examples
    --------
    >>> deal_days(np.array([50.0, 60.0, 2.0]), np.array([9, 9, 2]), 5)
    array([1, 0, 1])
    """
    whole = (workers >= min_workers) & (visits >= _WHOLE_DAY * np.median(visits)) & (visits > 0)
    parts = max(1, min(_MOST_FOLDS, int(whole.sum())))
    load, fold = np.zeros(parts), np.zeros(visits.size, dtype=np.int64)
    for day in np.lexsort((-visits, ~whole)):
        fold[day] = np.argmin(load)
        load[fold[day]] += visits[day]
    return fold


def _average(visits: np.ndarray, weekend: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Return the average day of some days."""
    return np.asarray(weigh_days(weekend[some]) @ visits[some])


def _by_dayparts(weight: np.ndarray, dayparts: np.ndarray | None) -> Folds | None:
    """Leave out one daypart at a time."""
    if dayparts is None or len(dayparts) < 2:
        return None
    return _worth(np.maximum(weight - dayparts, 0.0), dayparts, "dayparts")


def _by_visits(
    weight: np.ndarray, days: float, runs: int, rng: np.random.Generator
) -> Folds | None:
    """Halve the visits of every cell by a fair coin."""
    seen = np.rint(weight * days).astype(np.int64)
    if runs == 0 or seen.sum() < 2:
        return None
    halves = rng.binomial(seen, 0.5, size=(runs, weight.size))
    return _worth(halves.astype(float), (seen - halves).astype(float), "visits")


def _worth(choose: np.ndarray, judge: np.ndarray, by: str) -> Folds | None:
    """Keep the runs in which both sides hold any visits; none if fewer than two are left."""
    kept = (choose.sum(axis=1) > 0) & (judge.sum(axis=1) > 0)
    if kept.sum() < (1 if by == "visits" else 2):
        return None
    return Folds(choose[kept], judge[kept], by)
