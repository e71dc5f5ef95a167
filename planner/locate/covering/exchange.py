"""Exchanges under growing weights: what stays uncovered counts more and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.problem import Cover


class Exchange(NamedTuple):
    """A choice that may leave clients uncovered; a plain tuple for numba, written in place.

    With n columns and m clients:

    Attributes
    ----------
    weight, times, owners
        Shape (m,): what each client counts, how many chosen columns cover it, and their sum.
    score
        Shape (n,): weight that each column would add, or, if chosen, that it alone covers.
    inside
        Shape (n,), bool: chosen.
    since
        Shape (n,): the step at which each column was opened or closed, or -1.
    line
        Shape (n,): the chosen in the first places, in no order.
    bare, place
        Shape (m,): the uncovered clients in the first places; where each client stands, or -1.
    tally
        How many are chosen, how many clients are uncovered, what the chosen cost, and the step.
    """

    weight: np.ndarray
    times: np.ndarray
    owners: np.ndarray
    score: np.ndarray
    inside: np.ndarray
    since: np.ndarray
    line: np.ndarray
    bare: np.ndarray
    place: np.ndarray
    tally: np.ndarray


# The places of the tally.
SIZE, BARE, SPENT, STEP = 0, 1, 2, 3


def start_exchange(
    cover: Cover, cost: np.ndarray, weight: np.ndarray, chosen: np.ndarray
) -> Exchange:
    """Begin with a choice; int64 `weight` is what each client counts at first, and is written."""
    n, m = cover.start.size - 1, cover.back.size - 1
    state = Exchange(
        weight,
        times=np.zeros(m, np.int64),
        owners=np.zeros(m, np.int64),
        score=np.zeros(n, np.int64),
        inside=np.zeros(n, np.bool_),
        since=np.full(n, -1, np.int64),
        line=np.full(n, -1, np.int64),
        bare=np.arange(m),
        place=np.arange(m),
        tally=np.array([0, m, 0, 0]),
    )
    _start(cover, cost, state, chosen)
    return state


@compiled
def _start(cover: Cover, cost: np.ndarray, state: Exchange, chosen: np.ndarray) -> None:
    for j in range(state.score.size):
        for k in range(cover.start[j], cover.start[j + 1]):
            state.score[j] += state.weight[cover.client[k]]
    for j in chosen:
        _open(cover, cost, state, j)
    state.tally[STEP] = 1


@compiled
def take_step(
    cover: Cover, cost: np.ndarray, state: Exchange, room: int, rng: np.random.Generator
) -> None:
    """Close the column that is missed least, and open others for it.

    Parameters
    ----------
    cover, cost
        The problem; int64 costs that are not negative.
    state
        Where to go on from.
    room
        What the chosen may cost together.
    rng
        Draws the client that is covered next.

    Notes
    -----
    Gao, Weise & Li (2015), "An efficient local search heuristic with row weighting for the unicost
    set covering problem". With costs, weight counts per cost.
    """
    step = state.tally[STEP]
    close_least(cover, cost, state, step)
    while state.tally[BARE] > 0:
        i = state.bare[int(rng.random() * state.tally[BARE])]
        j = _most(cover, cost, state, i, room - state.tally[SPENT])
        if j < 0:
            break
        _open(cover, cost, state, j)
    state.tally[STEP] += 1


@compiled
def grow(cover: Cover, state: Exchange, growth: np.ndarray) -> None:
    """Let each uncovered client weigh so much more; int64 `growth` has the shape (m,)."""
    for k in range(state.tally[BARE]):
        i = state.bare[k]
        state.weight[i] += growth[i]
        _count(cover, state, i, growth[i])


@compiled
def close_least(cover: Cover, cost: np.ndarray, state: Exchange, before: int) -> None:
    """Close the column that is missed least per cost, of equals the oldest; if it is old enough.

    It is if it was opened before the step `before`.
    """
    best, lead = -1, np.inf
    for t in range(state.tally[SIZE]):
        j = state.line[t]
        if state.since[j] < before:
            score = state.score[j] / max(float(cost[j]), 1e-9)
            if score < lead or (score == lead and state.since[j] < state.since[state.line[best]]):
                best, lead = t, score
    if best < 0:
        return
    j = state.line[best]
    state.tally[SIZE] -= 1
    state.line[best] = state.line[state.tally[SIZE]]
    _close(cover, cost, state, j)


@compiled
def _most(cover: Cover, cost: np.ndarray, state: Exchange, i: int, room: int) -> int:
    """Find the column that adds most per cost among those that cover a client; -1 without one."""
    best, lead = -1, -1.0
    for q in range(cover.back[i], cover.back[i + 1]):
        j = cover.candidate[q]
        if state.since[j] < state.tally[STEP] and cost[j] <= room:
            score = state.score[j] / max(float(cost[j]), 1e-9)
            if score > lead or (score == lead and state.since[j] < state.since[best]):
                best, lead = j, score
    return best


@compiled
def _open(cover: Cover, cost: np.ndarray, state: Exchange, j: int) -> None:
    state.inside[j] = True
    state.since[j] = state.tally[STEP]
    state.line[state.tally[SIZE]] = j
    state.tally[SIZE] += 1
    state.tally[SPENT] += cost[j]
    alone = 0
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        if state.times[i] == 0:
            alone += state.weight[i]
            _count(cover, state, i, -state.weight[i])
            state.tally[BARE] -= 1
            last = state.bare[state.tally[BARE]]
            state.bare[state.place[i]] = last
            state.place[last] = state.place[i]
            state.place[i] = -1
        elif state.times[i] == 1:
            state.score[state.owners[i]] -= state.weight[i]
        state.times[i] += 1
        state.owners[i] += j
    state.score[j] = alone


@compiled
def _close(cover: Cover, cost: np.ndarray, state: Exchange, j: int) -> None:
    state.inside[j] = False
    state.since[j] = state.tally[STEP]
    state.tally[SPENT] -= cost[j]
    alone = state.score[j]
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        state.times[i] -= 1
        state.owners[i] -= j
        if state.times[i] == 0:
            _count(cover, state, i, state.weight[i])
            state.bare[state.tally[BARE]] = i
            state.place[i] = state.tally[BARE]
            state.tally[BARE] += 1
        elif state.times[i] == 1:
            state.score[state.owners[i]] += state.weight[i]
    state.score[j] = alone


@compiled
def _count(cover: Cover, state: Exchange, i: int, more: int) -> None:
    """Let all columns that cover a client score so much more."""
    for q in range(cover.back[i], cover.back[i + 1]):
        state.score[cover.candidate[q]] += more
