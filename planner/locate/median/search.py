"""Good medians fast: greedy, fast interchange, and shaking."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.problem import Limits

if TYPE_CHECKING:
    from planner.locate.median.lists import Lists

_WORK = 1.5e8  # list entries that all shakes together may look at, about
_SHAKES = (4, 60)


class _State(NamedTuple):
    """A choice and what each exchange of it is worth; arrays are written in place.

    Attributes
    ----------
    line, slot
        The chosen columns, and the place of each column among them, or -1.
    first, near, far
        Of each client: the slot of its facility, what it costs, and what the next one costs.
    gain
        Of each column: what opening it alone saves.
    loss
        Of each slot: what closing it alone costs.
    extra
        slots × columns: what of the loss opening the column makes good.
    barred
        Of each column: how many of its rivals are chosen.
    """

    line: np.ndarray
    slot: np.ndarray
    first: np.ndarray
    near: np.ndarray
    far: np.ndarray
    gain: np.ndarray
    loss: np.ndarray
    extra: np.ndarray
    barred: np.ndarray


def by_count(columns: int) -> Limits:
    """Return limits that leave the choice free: how many is told by the choice itself."""
    empty = np.zeros(columns + 1, dtype=np.int64)
    return Limits(columns, np.zeros(columns), np.inf, empty, empty[:0])


def search(lists: Lists, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return `count` columns: greedy, interchange, and shakes that keep the better.

    Notes
    -----
    Interchange with gains, losses and what they share is Resende & Werneck (2007), "A fast
    swap-based local search procedure for location problems", after Whitaker (1983). The number of
    shakes depends on the size alone, so the clock has no say in the answer.
    """
    limits = by_count(lists.back.size - 1)
    best = interchange(lists, greedy(lists, count), limits)
    value = cost_of(lists, best)
    free = lists.back.size - 1 - best.size
    shakes = int(np.clip(_WORK / (1.0 + 20.0 * lists.column.size), *_SHAKES)) if free else 0
    for _ in range(shakes):
        out = rng.choice(best.size, min(best.size, max(1, best.size // 6)), replace=False)
        outside = np.setdiff1d(np.arange(lists.back.size - 1), best)
        trial = best.copy()
        fresh = rng.choice(outside, min(out.size, outside.size), replace=False)
        trial[out[: fresh.size]] = fresh
        trial = interchange(lists, trial, limits)
        cost = cost_of(lists, trial)
        if cost < value:
            best, value = trial, cost
    return best


@compiled
def cost_of(lists: Lists, chosen: np.ndarray) -> int:
    """Return what a choice costs."""
    inside = np.zeros(lists.back.size - 1, np.bool_)
    inside[chosen] = True
    total = 0
    for i in range(lists.most.size):
        cost = lists.most[i]
        for k in range(lists.start[i], lists.start[i + 1]):
            if inside[lists.column[k]]:
                cost = lists.cost[k]
                break
        total += cost
    return total


@compiled
def greedy(lists: Lists, count: int) -> np.ndarray:
    """Open the column that saves most, one after the other; ties go to the smallest."""
    n = lists.back.size - 1
    gain = np.zeros(n, np.int64)
    now = lists.most.copy()
    for j in range(n):
        for k in range(lists.back[j], lists.back[j + 1]):
            gain[j] += now[lists.client[k]] - lists.price[k]
    chosen = np.empty(count, np.int64)
    for t in range(count):
        j = int(np.argmax(gain))
        chosen[t] = j
        for k in range(lists.back[j], lists.back[j + 1]):
            i = lists.client[k]
            old, new = now[i], lists.price[k]
            if new < old:
                for q in range(lists.start[i], lists.start[i + 1]):
                    if lists.cost[q] >= old:
                        break
                    gain[lists.column[q]] -= old - max(new, lists.cost[q])
                now[i] = new
        gain[j] = -1
    return chosen


@compiled
def _serve(lists: Lists, state: _State, i: int) -> None:
    """Find the two nearest chosen facilities of a client."""
    state.first[i] = -1
    state.near[i] = lists.most[i]
    state.far[i] = lists.most[i]
    for k in range(lists.start[i], lists.start[i + 1]):
        t = state.slot[lists.column[k]]
        if t >= 0:
            if state.first[i] >= 0:
                state.far[i] = lists.cost[k]
                break
            state.first[i] = t
            state.near[i] = lists.cost[k]


@compiled
def _count(lists: Lists, state: _State, i: int, sign: int) -> None:
    """Add or take away what a client says about every exchange."""
    near, far, t = state.near[i], state.far[i], state.first[i]
    for k in range(lists.start[i], lists.start[i + 1]):
        cost = lists.cost[k]
        if cost >= far:
            break
        j = lists.column[k]
        if cost < near:
            state.gain[j] += sign * (near - cost)
        if t >= 0:
            state.extra[t, j] += sign * (far - max(near, cost))
    if t >= 0:
        state.loss[t] += sign * (far - near)


@compiled
def _touch(lists: Lists, state: _State, out: int, j: int, touched: np.ndarray) -> None:
    """Mark the clients that closing one column (none if negative) or opening another concerns."""
    touched[:] = False
    if out >= 0:
        for k in range(lists.back[out], lists.back[out + 1]):
            if lists.price[k] <= state.far[lists.client[k]]:
                touched[lists.client[k]] = True
    for k in range(lists.back[j], lists.back[j + 1]):
        if lists.price[k] < state.far[lists.client[k]]:
            touched[lists.client[k]] = True


@compiled
def _swap(lists: Lists, state: _State, t: int, j: int, touched: np.ndarray) -> None:
    """Close what is in a slot, if anything is, and open a column there."""
    out = state.line[t]
    _touch(lists, state, out, j, touched)
    for i in range(touched.size):
        if touched[i]:
            _count(lists, state, i, -1)
    if out >= 0:
        state.slot[out] = -1
    state.slot[j] = t
    state.line[t] = j
    for i in range(touched.size):
        if touched[i]:
            _serve(lists, state, i)
            _count(lists, state, i, 1)


@compiled
def _bar(limits: Limits, state: _State, j: int, sign: int) -> float:
    """Count a column among the chosen rivals of others, or no longer; return its cost, signed."""
    if j < 0:
        return 0.0
    for k in range(limits.start[j], limits.start[j + 1]):
        state.barred[limits.rival[k]] += sign
    return sign * limits.cost[j]


@compiled
def _allowed(limits: Limits, state: _State, spent: float, out: int, j: int) -> bool:
    """Tell whether limits allow an exchange; nothing is closed where `out` is negative."""
    given = limits.cost[out] if out >= 0 else 0.0
    if spent - given + limits.cost[j] > limits.budget * (1.0 + 1e-12):
        return False
    rivals = state.barred[j]
    if rivals == 1 and out >= 0:
        for k in range(limits.start[j], limits.start[j + 1]):
            if limits.rival[k] == out:
                rivals = 0
                break
    return bool(rivals == 0)


@compiled
def interchange(lists: Lists, chosen: np.ndarray, limits: Limits) -> np.ndarray:
    """Exchange one for one while that saves and limits allow, the best exchange first.

    Where a place of `chosen` is -1 nothing is open yet.
    """
    n, m, p = lists.back.size - 1, lists.most.size, chosen.size
    state = _State(
        chosen.copy(),
        np.full(n, -1, np.int64),
        np.empty(m, np.int64),
        np.empty(m, np.int64),
        np.empty(m, np.int64),
        np.zeros(n, np.int64),
        np.zeros(p, np.int64),
        np.zeros((p, n), np.int64),
        np.zeros(n, np.int64),
    )
    spent = 0.0
    for t in range(p):
        if chosen[t] >= 0:
            state.slot[chosen[t]] = t
        spent += _bar(limits, state, chosen[t], 1)
    for i in range(m):
        _serve(lists, state, i)
        _count(lists, state, i, 1)
    touched = np.zeros(m, np.bool_)
    while True:
        best, slot, column = 0, -1, -1
        for t in range(p):
            out = state.line[t]
            for j in range(n):
                if state.slot[j] < 0:
                    saved = state.gain[j] + state.extra[t, j] - state.loss[t]
                    if saved > best and _allowed(limits, state, spent, out, j):
                        best, slot, column = saved, t, j
        if slot < 0:
            return state.line
        spent += _bar(limits, state, state.line[slot], -1) + _bar(limits, state, column, 1)
        _swap(lists, state, slot, column, touched)
