"""Better covers from several: search at many temperatures, and combine what was met."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.complete import complete, nearly_complete
from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.merge import combine
from planner.locate.covering.order import place_candidates
from planner.locate.covering.temper import cool, make_ladder, start_chains, temper, trial_work
from planner.locate.covering.windows import improve

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

_SWEEPS = 40  # over all candidates, at each temperature: with fewer, annealing gets further
_TURNS = 10  # of tempering, each followed by combinations
_OPEN, _FEW = 0.6, 2000  # with more candidates open and more clients branching would take long
# Seconds for this: a share of the time limit, or what a proof can spare, but not for ever; almost
# all where no proof is to be had. Entries to touch in each, and by neighbourhoods after it.
_ALL = 0.85
_SHARE, _PROOF_S, _LONGEST_S, _RATE, _WINDOW_RATE = 0.3, 18.0, 300.0, 4.0e8, 0.93e8
_MERGE = 0.04  # of the work of tempering may the combinations of a turn take
_PATIENCE = 3  # turns without anything better, then all begin anew where the hottest is


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
    parts of the map. What recurs in the colder ones makes a small problem, and
    `planner.locate.covering.branch` finds its best choice.
    """
    if not 0 < chosen.size < cover.start.size - 1:
        return np.sort(chosen)
    heat = make_ladder(cover, weight, chosen.size, margin)
    trials = math.ceil(work / trial_work(cover, chosen.size))
    if trials < _SWEEPS * heat.size * (cover.start.size - 1):
        return np.sort(
            cool(cover, weight, chosen, heat, trials=trials // 3, rng=rng, deadline=deadline)
        )
    best, often = chosen, np.zeros(cover.start.size - 1, dtype=np.int64)
    chains, stale = start_chains(cover, weight, chosen, heat.size), 0
    value = int(covered_weight(cover, weight, best))
    for _ in range(_TURNS):
        if working_seconds() > deadline or (enough is not None and value >= enough):
            break
        met = temper(
            cover, weight, chains, heat, trials=trials // _TURNS, rng=rng, deadline=deadline,
        )  # fmt: skip
        best = max(best, *met, key=lambda line: covered_weight(cover, weight, line))
        np.add.at(often, met[heat.size // 3 :], 1)
        best, _ = combine(
            cover, weight, best, often, work=_MERGE * work, unit=unit, deadline=deadline
        )
        before, value = value, int(covered_weight(cover, weight, best))
        stale = 0 if value > before else stale + 1
        if stale == _PATIENCE:
            hottest = chains.rows.line[chains.turn[0]]
            chains, stale = start_chains(cover, weight, hottest, heat.size), 0
    return np.sort(best)


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
    better = chosen
    if relaxation.bound == weight.sum():  # perhaps all can be covered, and nothing else is proof
        work = _RATE * max(seconds, _ALL * min(limit_s, _LONGEST_S))
        better = complete(
            cover, weight, chosen=chosen, rng=rng, work=work, unit=unit, deadline=deadline
        )
    if not nearly_complete(cover, weight, better):
        better = recombine(
            cover,
            weight,
            chosen=better,
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
