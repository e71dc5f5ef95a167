"""Good set covers fast: greedy by prices, then exchanges under growing weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import compiled
from planner.locate.covering.exchange import (
    BARE,
    SIZE,
    SPENT,
    STEP,
    close_least,
    grow,
    start_exchange,
    take_step,
)

if TYPE_CHECKING:
    from planner.locate.covering.exchange import Exchange
    from planner.locate.problem import Cover

_WORK = 1.5e9  # entries that all exchanges of a search may look at
_STEPS = (1_000, 300_000)


def exchange(
    cover: Cover, cost: np.ndarray, chosen: np.ndarray, *, goal: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a choice no dearer than `chosen` that covers every client, sorted.

    Parameters
    ----------
    cover, cost
        The problem; the costs are int64.
    chosen
        Covers every client.
    goal
        Stop at a choice of at most this cost.
    rng
        Draws the client that is covered next.

    Notes
    -----
    Row weighting local search (Gao, Weise & Li 2015, "An efficient local search heuristic with row
    weighting for the unicost set covering problem"): whenever every client is covered, columns are
    closed until one is not. The number of steps depends on the size alone, so the clock has no say
    in the answer.
    """
    n, m = cover.start.size - 1, cover.back.size - 1
    if n == 0 or m == 0 or chosen.size == 0:
        return chosen
    work = 2.0 * (1 + cover.client.size / n) * (1 + cover.client.size / m) + chosen.size
    steps = int(np.clip(min(_WORK / work, 40.0 * n), *_STEPS))
    cost = np.maximum(cost, 0)
    state = start_exchange(cover, cost, np.ones(m, np.int64), chosen)
    return _exchange(cover, cost, state, chosen, goal, rng, steps)


@compiled
def _exchange(  # noqa: PLR0917
    cover: Cover,
    cost: np.ndarray,
    state: Exchange,
    chosen: np.ndarray,
    goal: int,
    rng: np.random.Generator,
    steps: int,
) -> np.ndarray:
    best, least = chosen.copy(), state.tally[SPENT]
    growth = np.ones(state.weight.size, np.int64)
    for _ in range(steps):
        while state.tally[BARE] == 0 and state.tally[SIZE] > 0:
            if state.tally[SPENT] < least:
                best, least = state.line[: state.tally[SIZE]].copy(), state.tally[SPENT]
                if least <= goal:
                    return np.sort(best)
            close_least(cover, cost, state, state.tally[STEP] + 1)
        take_step(cover, cost, state, least - 1, rng)
        grow(cover, state, growth)
    return np.sort(best)


@compiled
def construct(  # noqa: C901, PLR0912
    cover: Cover, cost: np.ndarray, u: np.ndarray, kept: np.ndarray
) -> np.ndarray:
    """Cover every client greedily by reduced cost per client, then drop what is not needed.

    Returns the choice sorted; it starts from the columns `kept`. Ties go to the smallest.
    """
    n, m = cover.start.size - 1, cover.back.size - 1
    times = np.zeros(m, np.int64)
    inside = np.zeros(n, np.bool_)
    fresh = np.zeros(n, np.int64)
    price = cost.copy()
    for j in range(n):
        fresh[j] = cover.start[j + 1] - cover.start[j]
        for k in range(cover.start[j], cover.start[j + 1]):
            price[j] -= u[cover.client[k]]
    left, turn = m, 0
    while left > 0:
        best, lead = -1, np.inf
        if turn < kept.size:
            best = kept[turn]
            turn += 1
        else:
            for j in range(n):
                if fresh[j] > 0 and not inside[j]:
                    score = price[j] / fresh[j] if price[j] > 0.0 else price[j] * fresh[j]
                    if score < lead:
                        best, lead = j, score
        inside[best] = True
        for k in range(cover.start[best], cover.start[best + 1]):
            i = cover.client[k]
            times[i] += 1
            if times[i] == 1:
                left -= 1
                for q in range(cover.back[i], cover.back[i + 1]):
                    fresh[cover.candidate[q]] -= 1
                    price[cover.candidate[q]] += u[i]
    line = np.flatnonzero(inside)
    for j in line[np.argsort(-cost[line], kind="mergesort")]:
        spare = True
        for k in range(cover.start[j], cover.start[j + 1]):
            if times[cover.client[k]] == 1:
                spare = False
                break
        if spare:
            inside[j] = False
            for k in range(cover.start[j], cover.start[j + 1]):
                times[cover.client[k]] -= 1
    return np.flatnonzero(inside)
