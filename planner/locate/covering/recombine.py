"""Better covers from several: anneal again and again, and take the best of what was met."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.anneal import anneal, trial_work
from planner.locate.covering.bounds import relax
from planner.locate.covering.branch import branch, only_count
from planner.locate.covering.heuristics import covered_weight, lazy_greedy
from planner.locate.covering.order import place_candidates
from planner.locate.covering.presolve import reduce
from planner.locate.covering.windows import improve

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

_TRIES = 180.0  # of a run: for each facility and each candidate that shares a client
_RUNS = 8  # at most so many share the work
# Share of the runs that begin with the greedy choice; then come those from the best, less hot.
_FRESH = 0.6
_HOT, _WARM, _COLD = 0.03, 0.006, 0.001
_OPEN, _FEW = 0.6, 2000  # with more candidates open and more clients branching would take long
# Entries a second of the time limit: for this, and for neighbourhoods after it.
_RATE, _WINDOW_RATE, _LONGEST_S = 1.4e8, 1e8, 120.0
_HITS = 3  # runs that end in nothing but the best known: it is hardly worth another
_ELITES = 5  # choices that are kept to be combined
_ITERATIONS = 1000
_MERGE, _MERGES = 0.05, 0.25  # of the work of all runs may one combination take, and all of them


class Elite(NamedTuple):
    """A choice that a run ended in, and the weight it covers."""

    value: int
    chosen: np.ndarray


def recombine(
    cover: Cover,
    weight: np.ndarray,
    *,
    chosen: np.ndarray,
    rng: np.random.Generator,
    work: float,
    bound: int | None = None,
    unit: int = 1,
    deadline: float = math.inf,
) -> np.ndarray:
    """Return a choice of as many candidates that covers at least as much.

    Parameters
    ----------
    cover, weight
        The problem; nothing but the count limits it.
    chosen
        A good choice: no worse one is returned.
    work
        Entries to touch before it stops.
    bound
        No choice covers more.
    unit
        Divides every weight.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Runs of simulated annealing end in choices that are good in different parts of the map: the
    first begin with the greedy choice, the others with the best known, and less hot. What
    some of them have chosen together makes a small problem, and `planner.locate.covering.branch`
    finds its best choice (Cook & Seymour 2003, "Tour merging via branch-decomposition", for the
    travelling salesman).
    """
    best, hits = _elite(cover, weight, chosen), 0
    known: list[Elite] = []
    n = cover.start.size - 1
    if not 0 < chosen.size < n:
        return np.sort(chosen)
    spare, start = _MERGES * work, lazy_greedy(cover, weight, chosen.size)
    lengths = _lengths(cover, chosen.size, work)
    for turn, trials in enumerate(lengths):
        afresh = turn < _FRESH * len(lengths)
        if working_seconds() > deadline or best.value == bound or hits == _HITS:
            break
        run = anneal(
            cover,
            weight,
            only_count(chosen.size, n),
            start if afresh else best.chosen,
            trials=trials,
            rng=rng,
            hot=_HOT if afresh else _WARM,
            cold=_COLD,
            deadline=deadline,
        )
        fresh, before = _elite(cover, weight, run), best.value
        best = max(best, fresh, key=lambda elite: elite.value)
        line = [fresh, *known]
        for size in range(1, len(line) + 1 if known else 0):
            if spare <= 0:
                break
            columns = np.unique(np.concatenate([best.chosen, *(e.chosen for e in line[:size])]))
            better, touched = merge(
                cover,
                weight,
                columns,
                most=chosen.size,
                known=best.value,
                unit=unit,
                work=min(spare, _MERGE * work),
                deadline=deadline,
            )
            if better is not None:
                best = _elite(cover, weight, _filled(better, best.chosen))
            spare -= touched
            if touched > _MERGE * work:
                break
        hits = hits + (afresh and fresh.value == best.value) if best.value == before else 0
        known = sorted(line, key=lambda elite: -elite.value)[:_ELITES]
    return best.chosen


def _elite(cover: Cover, weight: np.ndarray, chosen: np.ndarray) -> Elite:
    return Elite(int(covered_weight(cover, weight, chosen)), np.sort(chosen))


def improve_open(
    cover: Cover,
    weight: np.ndarray,
    *,
    chosen: np.ndarray,
    relaxation: Relaxation,
    rng: np.random.Generator,
    limit_s: float,
    xy: np.ndarray | None = None,
    unit: int = 1,
    deadline: float = math.inf,
) -> np.ndarray:
    """Search on where a relaxation leaves most candidates open; else return what is chosen.

    Parameters are those of `recombine`; how much is worth doing follows from the time limit as a
    number, `limit_s`, so that the clock has no say in the answer.
    """
    n = cover.start.size - 1
    if not 0 < chosen.size < n or weight.size <= _FEW:
        return chosen
    last = np.partition(relaxation.price, n - chosen.size)[n - chosen.size]
    slack = relaxation.bound - int(covered_weight(cover, weight, chosen))
    if (last - relaxation.price <= slack).mean() < _OPEN:
        return chosen
    seconds = min(limit_s, _LONGEST_S)
    better = recombine(
        cover,
        weight,
        chosen=chosen,
        rng=rng,
        work=_RATE * seconds,
        bound=relaxation.bound,
        unit=unit,
        deadline=deadline,
    )
    return improve(
        cover,
        weight,
        chosen=better,
        relaxation=relaxation,
        points=place_candidates(cover, xy),
        rng=rng,
        unit=unit,
        work=_WINDOW_RATE * seconds,
        deadline=deadline,
    )


def merge(
    cover: Cover,
    weight: np.ndarray,
    columns: np.ndarray,
    *,
    most: int,
    known: int,
    unit: int = 1,
    work: float = math.inf,
    deadline: float = math.inf,
) -> tuple[np.ndarray | None, float]:
    """Choose at most so many of some columns that cover more than is known.

    Returns them, or None, and the work.

    Parameters
    ----------
    cover, weight
        The problem; nothing but the count limits it.
    columns
        Sorted: only these may be chosen.
    most, known
        At most so many, and the weight to beat.
    unit, work, deadline
        As in `planner.locate.covering.branch.branch`.
    """
    small = reduce(cover, weight, columns, np.ones(weight.size, dtype=np.bool_))
    touched = 4.0 * small.cover.client.size + cover.client.size / 10.0
    if small.keep.size <= most:
        better = small.keep
        return (better if covered_weight(cover, weight, better) > known else None), touched
    found = relax(
        small.cover,
        small.weight,
        only_count(most, small.keep.size),
        target=known,
        unit=unit,
        iterations=_ITERATIONS,
        close=0.1,
        deadline=deadline,
    )
    touched += 0.1 * _ITERATIONS * (small.cover.client.size + small.weight.size)
    if found.bound <= known:
        return None, touched
    proved = branch(
        small.cover,
        small.weight,
        most,
        chosen=np.empty(0, dtype=np.int64),
        known=known,
        relaxation=found,
        unit=unit,
        work=work,
        deadline=deadline,
    )
    return (small.keep[proved.chosen] if proved.chosen.size else None), touched + proved.work


def _lengths(cover: Cover, most: int, work: float) -> list[int]:
    """How many swaps each run tries: enough for all neighbours, if the work allows as many."""
    trials = work / trial_work(cover)
    degree = np.diff(cover.back)
    near = float((degree.astype(float) ** 2).sum()) / max(1, int(degree.sum()))
    length = min(trials, max(trials / _RUNS, _TRIES * most * near))
    runs = round(trials / max(1.0, length))
    return [math.ceil(trials / runs)] * runs if runs else []


def _filled(columns: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Fill a choice up to as many as before by some of those."""
    spare = np.setdiff1d(before, columns)[: before.size - columns.size]
    return np.sort(np.concatenate([columns, spare]))
