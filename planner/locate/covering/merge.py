"""The best choice among the candidates that recur in good ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.locate.covering.bounds import relax
from planner.locate.covering.branch import branch, only_count
from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.presolve import reduce

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_ITERATIONS = 1000
_POOLS = 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0  # so many times the count are combined


def combine(
    cover: Cover,
    weight: np.ndarray,
    known: np.ndarray,
    often: np.ndarray,
    *,
    work: float,
    unit: int = 1,
    deadline: float = math.inf,
) -> tuple[np.ndarray, float]:
    """Merge what recurs most, more and more of it; return a choice as `merge` does.

    Parameters
    ----------
    often
        Shape (candidates,): in how many good choices each has been.
    cover, weight, known, work, unit, deadline
        As in `merge`, work for all of it.

    Notes
    -----
    Cook & Seymour (2003), "Tour merging via branch-decomposition", for the travelling salesman.
    """
    recurring = np.argsort(-often, kind="stable")[: np.count_nonzero(often)]
    best, touched, size = known, 0.0, 0
    for pool in _POOLS:
        if touched > work or size == recurring.size:
            break
        size = min(recurring.size, int(pool * known.size))
        best, more = merge(
            cover, weight, best, recurring[:size], unit=unit, work=work - touched, deadline=deadline
        )
        touched += more
    return best, touched


def merge(
    cover: Cover,
    weight: np.ndarray,
    known: np.ndarray,
    columns: np.ndarray,
    *,
    unit: int = 1,
    work: float = math.inf,
    deadline: float = math.inf,
) -> tuple[np.ndarray, float]:
    """Return the best choice of as many as are known among them and others, sorted; and the work.

    Parameters
    ----------
    cover, weight
        The problem; nothing but the count limits it.
    known
        A choice: no worse one is returned.
    columns
        What else may be chosen.
    unit, work, deadline
        As in `planner.locate.covering.branch.branch`; where they end it, better ones may be left.
    """
    pool, best = np.union1d(columns, known), int(covered_weight(cover, weight, known))
    small = reduce(cover, weight, pool, np.ones(weight.size, dtype=np.bool_))
    touched = 4.0 * small.cover.client.size + cover.client.size / 10.0
    if small.keep.size <= known.size:
        return _filled(small.keep, known), touched
    found = relax(
        small.cover,
        small.weight,
        only_count(known.size, small.keep.size),
        target=best,
        unit=unit,
        iterations=_ITERATIONS,
        close=0.1,
        deadline=deadline,
    )
    touched += 0.1 * _ITERATIONS * (small.cover.client.size + small.weight.size)
    if found.bound <= best:
        return np.sort(known), touched
    proved = branch(
        small.cover,
        small.weight,
        known.size,
        chosen=np.empty(0, dtype=np.int64),
        known=best,
        relaxation=found,
        unit=unit,
        work=work,
        deadline=deadline,
    )
    better = small.keep[proved.chosen] if proved.chosen.size else known
    return _filled(better, known), touched + proved.work


def _filled(columns: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Fill a choice up to as many as before by some of those."""
    spare = np.setdiff1d(before, columns)[: before.size - columns.size]
    return np.sort(np.concatenate([columns, spare]))
