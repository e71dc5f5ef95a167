"""Better covers from several: search at many temperatures, and combine what was met."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.bounds import relax
from planner.locate.covering.branch import branch, only_count
from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.order import place_candidates
from planner.locate.covering.presolve import reduce
from planner.locate.covering.temper import cool, make_ladder, start_chains, temper, trial_work
from planner.locate.covering.windows import improve

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

_SWEEPS = 40  # over all candidates, at each temperature: with fewer, annealing gets further
_TURNS = 10  # of tempering, each followed by combinations
_OPEN, _FEW = 0.6, 2000  # with more candidates open and more clients branching would take long
# Seconds for this: a share of the time limit, or what a proof can spare; but not for ever. Entries
# to touch in each by tempering, and by neighbourhoods after it.
_SHARE, _PROOF_S, _LONGEST_S, _RATE, _WINDOW_RATE = 0.35, 18.0, 300.0, 3.4e8, 0.8e8
_ELITES = 12  # choices that are kept to be combined
_ITERATIONS = 1000
_MERGE, _MERGES = 0.05, 0.25  # of the work of tempering may one combination take, and all of them


class Elite(NamedTuple):
    """A good choice, and the weight it covers."""

    value: int
    chosen: np.ndarray


def recombine(
    cover: Cover,
    weight: np.ndarray,
    *,
    chosen: np.ndarray,
    rng: np.random.Generator,
    work: float,
    margin: float = math.inf,
    enough: int | None = None,
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
    margin
        What the relaxation gives for one more facility.
    enough
        Weight at which to stop.
    unit
        Divides every weight.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    The temperatures of `planner.locate.covering.temper` meet choices that are good in different
    parts of the map. What some of them have chosen together makes a small problem, and
    `planner.locate.covering.branch` finds its best choice (Cook & Seymour 2003, "Tour merging via
    branch-decomposition", for the travelling salesman).
    """
    if not 0 < chosen.size < cover.start.size - 1:
        return np.sort(chosen)
    heat = make_ladder(cover, weight, chosen.size, margin)
    trials = math.ceil(work / trial_work(cover, chosen.size))
    if trials < _SWEEPS * heat.size * (cover.start.size - 1):
        return np.sort(
            cool(cover, weight, chosen, heat, trials=trials // 3, rng=rng, deadline=deadline)
        )
    best, spare = _elite(cover, weight, chosen), _MERGES * work
    known: list[Elite] = []
    chains = start_chains(cover, weight, chosen, heat.size)
    for _ in range(_TURNS):
        if working_seconds() > deadline or (enough is not None and best.value >= enough):
            break
        met = temper(
            cover, weight, chains, heat, trials=trials // _TURNS, rng=rng, deadline=deadline,
        )  # fmt: skip
        known = _best_of([*known, *(_elite(cover, weight, line) for line in met)])
        best = max(best, known[0], key=lambda elite: elite.value)
        for size in range(1, len(known) + 1):
            if spare <= 0:
                break
            columns = np.unique(np.concatenate([best.chosen, *(e.chosen for e in known[:size])]))
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
    return best.chosen


def _best_of(elites: list[Elite]) -> list[Elite]:
    """Keep the best that differ, the best first."""
    apart = {elite.chosen.tobytes(): elite for elite in elites}
    return sorted(apart.values(), key=lambda elite: -elite.value)[:_ELITES]


def _elite(cover: Cover, weight: np.ndarray, chosen: np.ndarray) -> Elite:
    return Elite(int(covered_weight(cover, weight, chosen)), np.sort(chosen))


def improve_open(
    cover: Cover,
    weight: np.ndarray,
    *,
    chosen: np.ndarray,
    relaxation: Relaxation,
    rng: np.random.Generator,
    enough: int,
    limit_s: float,
    xy: np.ndarray | None = None,
    unit: int = 1,
    deadline: float = math.inf,
) -> np.ndarray:
    """Search on where a relaxation leaves most candidates open; else return what is chosen.

    Parameters are those of `recombine` and `improve`; how much is worth doing follows from the time
    limit as a number, `limit_s`, so that the clock has no say in the answer.
    """
    n = cover.start.size - 1
    if not 0 < chosen.size < n or weight.size <= _FEW:
        return chosen
    last = np.partition(relaxation.price, n - chosen.size)[n - chosen.size]
    slack = relaxation.bound - int(covered_weight(cover, weight, chosen))
    if (last - relaxation.price <= slack).mean() < _OPEN:
        return chosen
    seconds = min(max(_SHARE * limit_s, limit_s - _PROOF_S), _LONGEST_S)
    better = recombine(
        cover,
        weight,
        chosen=chosen,
        rng=rng,
        work=_RATE * seconds,
        margin=float(last),
        enough=enough,
        unit=unit,
        deadline=deadline,
    )
    if covered_weight(cover, weight, better) >= enough:
        return better
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


def _filled(columns: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Fill a choice up to as many as before by some of those."""
    spare = np.setdiff1d(before, columns)[: before.size - columns.size]
    return np.sort(np.concatenate([columns, spare]))
