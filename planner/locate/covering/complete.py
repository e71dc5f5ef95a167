"""Nearly complete covers: growing weights of what stays uncovered, and the best of what recurs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import compiled, working_seconds
from planner.locate.covering.exchange import BARE, SIZE, STEP, grow, start_exchange, take_step
from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.merge import combine

if TYPE_CHECKING:
    from planner.locate.covering.exchange import Exchange
    from planner.locate.problem import Cover

_ROUND, _CHUNK = 8e8, 1e8  # entries to touch before weights begin anew; between looks at the clock
_GRAIN, _PACE = 100, 2  # the weight of the heaviest, what it grows by, and every how many steps
_FLOW = 0.6  # as much as the uncovered have entries does a step change
_NEAR = 2  # a good choice leaves at most so many times as much as the best
_MERGE = 3e8  # entries to touch by combining after each round


def nearly_complete(cover: Cover, weight: np.ndarray, chosen: np.ndarray) -> bool:
    """Tell whether a choice leaves less than an average client: it hardly matters which."""
    total = int(weight.sum())
    return (total - int(covered_weight(cover, weight, chosen))) * weight.size < total


def complete(
    cover: Cover,
    weight: np.ndarray,
    *,
    chosen: np.ndarray,
    rng: np.random.Generator,
    work: float,
    unit: int = 1,
    deadline: float = math.inf,
) -> np.ndarray:
    """Return a choice of as many candidates that leaves no more uncovered.

    It ends early where a round's choice is not nearly complete.

    Parameters
    ----------
    cover, weight
        The problem; nothing but the count limits it.
    chosen
        A good choice: no worse one is returned.
    rng
        Draws the client that is covered next.
    work
        Entries to touch before it stops.
    unit
        Divides every weight.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Who weighs more than the best choice leaves in all is covered by every better one, so such
    clients count alike. In each round weights grow anew by exchanges
    (`planner.locate.covering.exchange`); then the candidates that came up most often in good
    choices make a small problem, and branch and bound finds its best.
    """
    best, total = np.sort(chosen), int(weight.sum())
    left = total - int(covered_weight(cover, weight, best))
    while left > 0 and work > 0 and working_seconds() < deadline:
        often = np.zeros(cover.start.size - 1, dtype=np.int64)
        line = best.copy()
        least, touched = _round(
            cover, weight, chosen, left, line, often, rng, min(work, _ROUND), deadline
        )
        if least < left:
            best, left = np.sort(line), least
        if not nearly_complete(cover, weight, best):
            break
        best, more = combine(cover, weight, best, often, unit=unit, work=_MERGE, deadline=deadline)
        left = total - int(covered_weight(cover, weight, best))
        work -= touched + more
    return best


def _round(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    chosen: np.ndarray,
    least: int,
    best: np.ndarray,
    often: np.ndarray,
    rng: np.random.Generator,
    work: float,
    deadline: float,
) -> tuple[int, float]:
    """Exchange from a choice; return the least that is left, and the work.

    `best` becomes the choice that leaves the least; `often` counts who is in good ones.
    """
    growth = _GRAIN * np.sqrt(np.minimum(weight, least) / least)
    growth = np.maximum(1, np.rint(growth)).astype(np.int64)
    cost, touched = np.ones(often.size, dtype=np.int64), 0.0
    state = start_exchange(cover, cost, growth.copy(), chosen)
    while touched < work and least > 0 and working_seconds() < deadline:
        least, more = _exchange(
            cover, cost, weight, state, growth, rng, least, best, often, min(work - touched, _CHUNK)
        )
        touched += more
    return least, touched


@compiled
def _exchange(  # noqa: PLR0917
    cover: Cover,
    cost: np.ndarray,
    weight: np.ndarray,
    state: Exchange,
    growth: np.ndarray,
    rng: np.random.Generator,
    least: int,
    best: np.ndarray,
    often: np.ndarray,
    work: float,
) -> tuple[int, float]:
    count, touched = best.size, 0.0
    while touched < work and least > 0:
        take_step(cover, cost, state, count, rng)
        left, entries = 0, 0
        for t in range(state.tally[BARE]):
            i = state.bare[t]
            left += weight[i]
            entries += cover.back[i + 1] - cover.back[i]
        touched += count + _FLOW * entries
        if state.tally[STEP] % _PACE == 0:
            grow(cover, state, growth)
            touched += entries
        if left <= _NEAR * least and state.tally[SIZE] == count:
            for t in range(count):
                often[state.line[t]] += 1
            if left < least:
                least = left
                best[:] = state.line[:count]
    return least, touched
