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
_WHOLE = 0.25  # of the median day's or hour's visits: one of less does not stand by itself (guess)


class Folds(NamedTuple):
    """What chooses and what judges: visits by demand row, one row a run.

    Attributes
    ----------
    choose, judge
        Shape (runs, demand).
    units, run
        Shape (units, demand), (units,): the days or hours among those that judge, of which the
        range is told, and the run that judges each.
    by
        ``days``, ``dayparts`` or ``visits``.
    """

    choose: np.ndarray
    judge: np.ndarray
    units: np.ndarray
    run: np.ndarray
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
        ``high`` (the 5th and 95th percentile of single days or hours that were left out, of fewer
        than twenty the lowest and highest; of halved visits of the halves), ``chosen_share`` (what
        the choices would have promised of the visits that they were made by), ``runs``, ``days``
        and ``by``: ``days``, ``dayparts`` or ``visits``, the first of them that the data know.
        Empty where there is nothing to hold out.

    Notes
    -----
    Cross-validation (Stone 1974, "Cross-validatory choice and assessment of statistical
    predictions"). Up to ten parts of days, as even in visits as whole days allow, are left out one
    at a time; days of few workers or visits go along with others and are not in the range. Dayparts
    are left out one at a time: a choice by the others is made for hours when riders are elsewhere,
    so that this is the harder test. Without either, each cell's visits are thinned by a fair coin,
    so that the halves are independent where visits are Poisson (Kingman 1993, "Poisson
    processes"); riders who come back every day stand in both halves, and days that are yet to come
    may differ more.
    """
    folds = (
        _by_days(samples)
        or (_by_dayparts(weight, dayparts) if samples is None else _by_hours(weight, samples))
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
    single = _covered(folds.units, [covered[run] for run in folds.run])
    ends = np.quantile(single[:, 0] / single[:, 1], _RANGE, method="inverted_cdf")
    share = math.fsum(judged[:, 0]) / math.fsum(judged[:, 1])
    return {
        "share": share,
        "low": min(share, float(ends[0])),
        "high": max(share, float(ends[1])),
        "chosen_share": math.fsum(promised[:, 0]) / math.fsum(promised[:, 1]),
        "runs": len(judged),
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
    visits, workers = samples.days(), samples.workers()
    fold = deal_days(visits.sum(axis=1), workers, samples.min_workers)
    if fold.max(initial=0) < 1:
        return None
    judge = [_average(visits, samples.weekend, fold == k) for k in range(fold.max() + 1)]
    choose = [_average(visits, samples.weekend, fold != k) for k in range(fold.max() + 1)]
    whole = is_whole(visits.sum(axis=1), workers, samples.min_workers)
    return _worth(Folds(np.array(choose), np.array(judge), visits[whole], fold[whole], "days"))


def is_whole(visits: np.ndarray, workers: np.ndarray, min_workers: int) -> np.ndarray:
    """Tell which days or hours have enough workers and visits to stand by themselves."""
    there = visits > 0
    usual = np.median(visits[there]) if there.any() else 0.0
    return np.asarray(there & (workers >= min_workers) & (visits >= _WHOLE * usual))


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
    whole = is_whole(visits, workers, min_workers)
    parts = max(1, min(_MOST_FOLDS, int(whole.sum())))
    load, fold = np.zeros(parts), np.zeros(visits.size, dtype=np.int64)
    for day in np.lexsort((-visits, ~whole)):
        fold[day] = np.argmin(load)
        load[fold[day]] += visits[day]
    return fold


def _average(visits: np.ndarray, weekend: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Return the average day of some days."""
    return np.asarray(weigh_days(weekend[some]) @ visits[some])


def _by_hours(weight: np.ndarray, samples: Samples) -> Folds | None:
    """Leave out one daypart at a time, and tell the range of its hours."""
    folds = _by_dayparts(weight, samples.dayparts)
    if folds is None or not len(samples.hours):
        return folds
    visits = samples.hours.sum(axis=1)
    whole = is_whole(visits, np.full(visits.size, samples.min_workers), samples.min_workers)
    return folds._replace(units=samples.hours[whole], run=samples.part[whole])


def _by_dayparts(weight: np.ndarray, dayparts: np.ndarray | None) -> Folds | None:
    """Leave out one daypart at a time."""
    if dayparts is None or len(dayparts) < 2:
        return None
    choose = np.maximum(weight - dayparts, 0.0)
    return _worth(Folds(choose, dayparts, dayparts, np.arange(len(dayparts)), "dayparts"))


def _by_visits(
    weight: np.ndarray, days: float, runs: int, rng: np.random.Generator
) -> Folds | None:
    """Halve the visits of every cell by a fair coin."""
    seen = np.rint(weight * days).astype(np.int64)
    if runs == 0 or seen.sum() < 2:
        return None
    halves = rng.binomial(seen, 0.5, size=(runs, weight.size))
    others = (seen - halves).astype(float)
    return _worth(Folds(halves.astype(float), others, others, np.arange(runs), "visits"))


def _worth(folds: Folds) -> Folds | None:
    """Leave out runs in which one side holds no visits; None if fewer than two are left.

    Halves are few only where visits are, so that one will do.
    """
    kept = (folds.choose.sum(axis=1) > 0) & (folds.judge.sum(axis=1) > 0)
    if kept.sum() < (1 if folds.by == "visits" else 2):
        return None
    inside = kept[folds.run] & (folds.units.sum(axis=1) > 0)
    number = np.cumsum(kept) - 1
    return Folds(
        folds.choose[kept], folds.judge[kept], folds.units[inside],
        number[folds.run[inside]], folds.by,
    )  # fmt: skip
