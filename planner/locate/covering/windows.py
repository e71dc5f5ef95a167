"""Better covers by solving one neighbourhood after another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.branch import branch, only_count
from planner.locate.covering.presolve import reduce

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

_SIZES = (4, 7, 10, 13, 16)  # chosen candidates that a neighbourhood frees, from sweep to sweep
_ITERATIONS = 300
_EACH = 2e8  # work for one neighbourhood
_FIXED = 2e6  # work that making one is worth


def improve(
    cover: Cover,
    weight: np.ndarray,
    *,
    chosen: np.ndarray,
    relaxation: Relaxation,
    points: np.ndarray,
    rng: np.random.Generator,
    unit: int = 1,
    work: float = math.inf,
    deadline: float = math.inf,
) -> np.ndarray:
    """Return a choice of as many candidates that covers at least as much.

    Parameters
    ----------
    cover, weight
        The problem; nothing but the count limits it.
    chosen
        A good choice.
    relaxation
        Of the whole problem: where each neighbourhood's bound begins.
    points
        Shape (candidates, 2): a neighbourhood frees the chosen that lie nearest to one of them.
    work
        Entries to touch before it stops.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Large neighbourhood search (Shaw 1998, "Using constraint programming and local search methods to
    solve vehicle routing problems"): some neighbouring candidates of the choice are taken out, and
    as many are put back by `planner.locate.covering.branch`, which finds the best, or proves that
    there is none better.
    """
    line, spent = np.sort(chosen), 0.0
    for size in _SIZES:
        settled: set[bytes] = set()
        moved = True
        while moved and size < line.size:
            moved = False
            for lead in rng.permutation(line):
                if spent > work or working_seconds() > deadline:
                    return line
                if lead not in line:
                    continue
                apart = ((points[line] - points[lead]) ** 2).sum(axis=1)
                order = np.lexsort((line, apart))
                around = np.sort(line[order[: 3 * size]]).tobytes()
                key = np.sort(line[order[:size]]).tobytes() + around
                if key in settled:
                    continue
                settled.add(key)
                out, kept = line[order[:size]], line[order[size:]]
                better, touched = _refill(cover, weight, out, kept, relaxation, unit, deadline)
                spent += touched + _FIXED
                if better is not None:
                    line, moved = np.sort(np.concatenate([kept, better])), True
    return line


def _refill(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    out: np.ndarray,
    kept: np.ndarray,
    relaxation: Relaxation,
    unit: int,
    deadline: float,
) -> tuple[np.ndarray | None, float]:
    """Put as many back as were taken out; return them if they are better, and the work."""
    free = np.ones(weight.size, dtype=np.bool_)
    for j in kept:
        free[cover.client[cover.start[j] : cover.start[j + 1]]] = False
    near = np.zeros(cover.start.size - 1, dtype=np.bool_)
    held = np.zeros(weight.size, dtype=np.bool_)
    for j in out:
        held[cover.client[cover.start[j] : cover.start[j + 1]]] = True
    held &= free
    for i in np.flatnonzero(held):
        near[cover.candidate[cover.back[i] : cover.back[i + 1]]] = True
    near[kept] = False
    known = int(weight[held].sum())
    small = reduce(cover, weight, np.flatnonzero(near), free)
    if small.keep.size <= out.size:
        return None, 0.0
    inside = small.group >= 0
    multiplier = np.zeros(small.weight.size)
    multiplier[small.group[inside]] = relaxation.multiplier[inside]
    share = 0.5 * relaxation.share[small.keep]
    share[np.isin(small.keep, out)] += 0.5
    found = relax(
        small.cover,
        small.weight,
        only_count(out.size, small.keep.size),
        target=known,
        warm=Warm(share, multiplier, relaxation.balance),
        unit=unit,
        iterations=_ITERATIONS,
        close=0.1,
        deadline=deadline,
    )
    touched = 0.25 * _ITERATIONS * (small.cover.client.size + small.weight.size)
    if found.bound <= known:
        return None, touched
    proved = branch(
        small.cover,
        small.weight,
        out.size,
        chosen=np.empty(0, dtype=np.int64),
        known=known,
        relaxation=found,
        unit=unit,
        work=_EACH,
        deadline=deadline,
    )
    better = small.keep[proved.chosen] if proved.chosen.size else None
    if better is not None and better.size < out.size:
        spare = np.setdiff1d(out, better)
        better = np.concatenate([better, spare[: out.size - better.size]])
    return better, touched + proved.work
