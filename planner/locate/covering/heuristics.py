"""Good covers fast: lazy greedy, swaps, and shaking."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.covering.anneal import anneal, trial_work
from planner.locate.problem import counts_only

if TYPE_CHECKING:
    from planner.locate.problem import Cover, Limits

_COOLINGS = 4
# A trial reads about a cover; all trials of a cooling together about this many clients.
_COOLING_WORK = 3e8
_TRIALS = (2_000, 600_000)


class State(NamedTuple):
    """A choice and what each change of it is worth; arrays are written in place.

    Attributes
    ----------
    times
        How often each client is covered.
    gain
        Of each candidate: weight it alone would add.
    loss
        Of each chosen candidate: weight only it covers.
    inside
        bool: chosen.
    barred
        How many chosen rivals each candidate has.
    """

    times: np.ndarray
    gain: np.ndarray
    loss: np.ndarray
    inside: np.ndarray
    barred: np.ndarray


def search(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    *,
    rng: np.random.Generator,
    coolings: int = _COOLINGS,
    start: np.ndarray | None = None,
    deadline: float = math.inf,
) -> np.ndarray:
    """Return chosen candidates, sorted: greedy, then swaps, then annealing that keeps the best.

    Parameters
    ----------
    cover, limits
        Of the same candidates.
    weight
        int64 of every client.
    coolings
        How often the choice is annealed, each time from the greedy one; 0 leaves it at swaps.
    start
        A choice that keeps the limits, improved by swaps too; at a tie it is the one returned.
    deadline
        `working_seconds()` at which to stop annealing.

    Notes
    -----
    Greedy adding is at least 1 - 1/e of the optimum (Nemhauser, Wolsey & Fisher 1978); lazy
    evaluation is Minoux (1978), "Accelerated greedy algorithms for maximizing submodular set
    functions". The swap is the vertex substitution of Teitz & Bart (1968). With costs, greedy by
    gain and by gain per cost are both tried (Khuller, Moss & Naor 1999). Annealing (Kirkpatrick,
    Gelatt & Vecchi 1983) tries a fixed number of swaps, so the clock has no say in the answer.
    """
    n = cover.start.size - 1
    if n == 0 or limits.most == 0:
        return np.empty(0, dtype=np.int64)
    if counts_only(limits) and limits.rival.size == 0:
        starts = [lazy_greedy(cover, weight, min(limits.most, n))]
    else:
        starts = [_greedy(cover, weight, limits, ratio) for ratio in (False, True)]
    if start is not None and start.size:
        starts.insert(0, start)
    polished = [_polish(cover, weight, limits, first) for first in starts]
    best, value = polished[0], -1
    for chosen in polished:
        reached = covered_weight(cover, weight, chosen)
        if reached > value:
            best, value = chosen, reached
    if 0 < best.size < n and cover.client.size > 0:
        first = best
        for _ in range(coolings):
            trial = anneal(
                cover, weight, limits, first, trials=_trials(cover), rng=rng, deadline=deadline,
            )  # fmt: skip
            trial = _polish(cover, weight, limits, trial)
            reached = covered_weight(cover, weight, trial)
            if reached > value:
                best, value = trial, reached
    return np.sort(best)


def _trials(cover: Cover) -> int:
    """How many swaps a cooling tries: fewer where covers are long, few where there is little."""
    n = cover.start.size - 1
    return int(np.clip(min(_COOLING_WORK / trial_work(cover), 20.0 * n * n), *_TRIALS))


@compiled
def covered_weight(cover: Cover, weight: np.ndarray, chosen: np.ndarray) -> int:
    """Return the weight of the clients that a choice covers."""
    seen = np.zeros(weight.size, np.bool_)
    total = 0
    for j in chosen:
        for k in range(cover.start[j], cover.start[j + 1]):
            i = cover.client[k]
            if not seen[i]:
                seen[i] = True
                total += weight[i]
    return total


@compiled
def lazy_greedy(cover: Cover, weight: np.ndarray, count: int) -> np.ndarray:
    """Return `count` candidates in greedy order; ties go to the smallest.

    Gains only shrink, so a candidate whose fresh gain still leads need not be compared.
    """
    n = cover.start.size - 1
    seen = np.zeros(weight.size, np.bool_)
    gain = np.zeros(n, np.int64)
    fresh = np.zeros(n, np.int64)
    for j in range(n):
        for k in range(cover.start[j], cover.start[j + 1]):
            gain[j] += weight[cover.client[k]]
    chosen = np.empty(count, np.int64)
    for t in range(count):
        j = int(np.argmax(gain))
        while fresh[j] != t:
            total = 0
            for k in range(cover.start[j], cover.start[j + 1]):
                if not seen[cover.client[k]]:
                    total += weight[cover.client[k]]
            gain[j] = total
            fresh[j] = t
            j = int(np.argmax(gain))
        chosen[t] = j
        gain[j] = -1
        for k in range(cover.start[j], cover.start[j + 1]):
            seen[cover.client[k]] = True
    return chosen


@compiled
def _begin(cover: Cover, weight: np.ndarray, limits: Limits, chosen: np.ndarray) -> State:
    n, m = cover.start.size - 1, weight.size
    state = State(
        np.zeros(m, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.bool_),
        np.zeros(n, np.int64),
    )
    for j in range(n):
        for k in range(cover.start[j], cover.start[j + 1]):
            state.gain[j] += weight[cover.client[k]]
    for j in chosen:
        _add(cover, weight, limits, state, j)
    return state


@compiled
def _add(cover: Cover, weight: np.ndarray, limits: Limits, state: State, j: int) -> None:
    state.inside[j] = True
    alone = 0
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        w = weight[i]
        if state.times[i] == 0:
            for q in range(cover.back[i], cover.back[i + 1]):
                state.gain[cover.candidate[q]] -= w
            alone += w
        elif state.times[i] == 1:
            for q in range(cover.back[i], cover.back[i + 1]):
                other = cover.candidate[q]
                if state.inside[other] and other != j:
                    state.loss[other] -= w
                    break
        state.times[i] += 1
    state.loss[j] = alone
    for q in range(limits.start[j], limits.start[j + 1]):
        state.barred[limits.rival[q]] += 1


@compiled
def _remove(cover: Cover, weight: np.ndarray, limits: Limits, state: State, j: int) -> None:
    state.inside[j] = False
    state.loss[j] = 0
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        w = weight[i]
        if state.times[i] == 1:
            for q in range(cover.back[i], cover.back[i + 1]):
                state.gain[cover.candidate[q]] += w
        elif state.times[i] == 2:
            for q in range(cover.back[i], cover.back[i + 1]):
                other = cover.candidate[q]
                if state.inside[other]:
                    state.loss[other] += w
                    break
        state.times[i] -= 1
    for q in range(limits.start[j], limits.start[j + 1]):
        state.barred[limits.rival[q]] -= 1


@compiled
def _best(limits: Limits, state: State, left: float, ratio: bool) -> int:
    """Find the affordable candidate of most gain (per cost); -1 if none gains."""
    best, lead = -1, 0.0
    room = left + 1e-9 * max(1.0, abs(left))
    for j in range(state.gain.size):
        if state.inside[j] or state.barred[j] > 0 or limits.cost[j] > room:
            continue
        score = float(state.gain[j])
        if ratio:
            score /= max(limits.cost[j], 1e-12)
        if score > lead:
            best, lead = j, score
    return best


@compiled
def _spent(limits: Limits, state: State) -> tuple[float, int]:
    total, size = 0.0, 0
    for j in range(state.inside.size):
        if state.inside[j]:
            total += limits.cost[j]
            size += 1
    return total, size


@compiled
def _fill(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    state: State,
    ratio: bool,
) -> None:
    """Add the best affordable candidate until nothing gains or nothing fits."""
    spent, size = _spent(limits, state)
    while size < limits.most:
        j = _best(limits, state, limits.budget - spent, ratio)
        if j < 0:
            break
        _add(cover, weight, limits, state, j)
        spent += limits.cost[j]
        size += 1


@compiled
def _greedy(cover: Cover, weight: np.ndarray, limits: Limits, ratio: bool) -> np.ndarray:
    state = _begin(cover, weight, limits, np.empty(0, np.int64))
    _fill(cover, weight, limits, state, ratio)
    return np.flatnonzero(state.inside)


@compiled
def _swap(cover: Cover, weight: np.ndarray, limits: Limits, state: State) -> int:
    """Exchange one for one while that gains; return what was gained in all."""
    total, quiet, turn = 0, 0, 0
    line = np.flatnonzero(state.inside)
    while quiet < line.size:
        out = line[turn]
        before = state.loss[out]
        _remove(cover, weight, limits, state, out)
        spent, _ = _spent(limits, state)
        j = _best(limits, state, limits.budget - spent, False)
        if j < 0 or state.gain[j] <= before:
            j = out
        total += state.gain[j] - before
        quiet = quiet + 1 if j == out else 0
        _add(cover, weight, limits, state, j)
        line[turn] = j
        turn = (turn + 1) % line.size
    return total


@compiled
def _polish(cover: Cover, weight: np.ndarray, limits: Limits, chosen: np.ndarray) -> np.ndarray:
    """Swap and fill in turns until neither gains."""
    state = _begin(cover, weight, limits, chosen)
    while True:
        gained = _swap(cover, weight, limits, state)
        _, size = _spent(limits, state)
        _fill(cover, weight, limits, state, False)
        _, now = _spent(limits, state)
        if gained == 0 and now == size:
            return np.flatnonzero(state.inside)
