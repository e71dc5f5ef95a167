"""Good set covers fast: greedy by prices, then exchanges under growing weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
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
    weighting for the unicost set covering problem"): one column too many is closed, one is closed
    for one opened, and clients weigh more the longer they stay uncovered. With costs, weight counts
    per cost. The number of steps depends on the size alone, so the clock has no say in the answer.
    """
    n, m = cover.start.size - 1, cover.back.size - 1
    if n == 0 or m == 0 or chosen.size == 0:
        return chosen
    work = 2.0 * (1 + cover.client.size / n) * (1 + cover.client.size / m) + chosen.size
    steps = int(np.clip(min(_WORK / work, 40.0 * n), *_STEPS))
    return _exchange(cover, np.maximum(cost, 0), chosen, goal, rng, steps)


class _State(NamedTuple):
    """A choice that may leave clients uncovered; arrays are written in place.

    Attributes
    ----------
    weight, times, owners
        Of each client: what it counts, how many chosen columns cover it, and their sum.
    score
        Of each column: weight it alone adds, or, if chosen, weight that it alone covers.
    inside
        bool: chosen.
    bare, place
        The uncovered clients in the first places, and where each client stands there, or -1.
    """

    weight: np.ndarray
    times: np.ndarray
    owners: np.ndarray
    score: np.ndarray
    inside: np.ndarray
    bare: np.ndarray
    place: np.ndarray


@compiled
def _open(cover: Cover, state: _State, j: int, left: int) -> int:
    state.inside[j] = True
    state.score[j] = 0
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        w = state.weight[i]
        if state.times[i] == 0:
            for q in range(cover.back[i], cover.back[i + 1]):
                if cover.candidate[q] != j:
                    state.score[cover.candidate[q]] -= w
            state.score[j] += w
            left -= 1
            last = state.bare[left]
            state.bare[state.place[i]] = last
            state.place[last] = state.place[i]
            state.place[i] = -1
        elif state.times[i] == 1:
            state.score[state.owners[i]] -= w
        state.times[i] += 1
        state.owners[i] += j
    return left


@compiled
def _close(cover: Cover, state: _State, j: int, left: int) -> int:
    state.inside[j] = False
    state.score[j] = 0
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        w = state.weight[i]
        state.times[i] -= 1
        state.owners[i] -= j
        if state.times[i] == 0:
            for q in range(cover.back[i], cover.back[i + 1]):
                state.score[cover.candidate[q]] += w
            state.bare[left] = i
            state.place[i] = left
            left += 1
        elif state.times[i] == 1:
            state.score[state.owners[i]] += w
    return left


@compiled
def _least(cost: np.ndarray, state: _State, line: np.ndarray, since: np.ndarray, now: int) -> int:
    """Find the place of the chosen column that is missed least per cost, of equals the oldest."""
    best, lead = -1, np.inf
    for t in range(line.size):
        j = line[t]
        if j >= 0 and state.inside[j] and since[j] < now:
            score = state.score[j] / max(float(cost[j]), 1e-9)
            if score < lead or (score == lead and since[j] < since[line[best]]):
                best, lead = t, score
    return best


@compiled
def _most(  # noqa: PLR0917
    cover: Cover,
    cost: np.ndarray,
    state: _State,
    i: int,
    room: int,
    since: np.ndarray,
    now: int,
) -> int:
    """Find the column that adds most per cost among those that cover a client; -1 without one."""
    best, lead = -1, -1.0
    for q in range(cover.back[i], cover.back[i + 1]):
        j = cover.candidate[q]
        if since[j] < now and cost[j] <= room:
            score = state.score[j] / max(float(cost[j]), 1e-9)
            if score > lead or (score == lead and since[j] < since[best]):
                best, lead = j, score
    return best


@compiled
def _leave(  # noqa: PLR0917
    cover: Cover,
    state: _State,
    line: np.ndarray,
    t: int,
    since: np.ndarray,
    step: int,
    left: int,
) -> int:
    """Close the column in place t of the line; the last one takes the place."""
    left = _close(cover, state, line[t], left)
    since[line[t]] = step
    line[t] = line[-1]
    return left


@compiled
def _exchange(  # noqa: C901, PLR0917
    cover: Cover,
    cost: np.ndarray,
    chosen: np.ndarray,
    goal: int,
    rng: np.random.Generator,
    steps: int,
) -> np.ndarray:
    n, m = cover.start.size - 1, cover.back.size - 1
    state = _State(
        np.ones(m, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        cover.start[1:] - cover.start[:-1],
        np.zeros(n, np.bool_),
        np.arange(m),
        np.arange(m),
    )
    line = np.full(n, -1, np.int64)  # the chosen, in no order
    since = np.full(n, -1, np.int64)  # the step at which a column was opened or closed
    left, size, spent = m, 0, 0
    for j in chosen:
        left = _open(cover, state, j, left)
        line[size] = j
        size += 1
        spent += cost[j]
    best, least = chosen.copy(), spent
    for step in range(steps):
        while left == 0 and size > 0:
            if spent < least:
                best, least = line[:size].copy(), spent
                if least <= goal:
                    return np.sort(best)
            t = _least(cost, state, line[:size], since, step + 1)
            spent -= cost[line[t]]
            left = _leave(cover, state, line[:size], t, since, step, left)
            size -= 1
        t = _least(cost, state, line[:size], since, step)
        if t >= 0:
            spent -= cost[line[t]]
            left = _leave(cover, state, line[:size], t, since, step, left)
            size -= 1
        while left > 0:
            i = state.bare[int(rng.random() * left)]
            j = _most(cover, cost, state, i, least - 1 - spent, since, step)
            if j < 0:
                break
            left = _open(cover, state, j, left)
            spent += cost[j]
            since[j] = step
            line[size] = j
            size += 1
        for k in range(left):
            i = state.bare[k]
            state.weight[i] += 1
            for q in range(cover.back[i], cover.back[i + 1]):
                state.score[cover.candidate[q]] += 1
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
