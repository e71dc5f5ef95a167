"""Good choices where a second cover counts too: greedy, swaps, annealing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, inlined
from planner.locate.covering.anneal import COLD, HOT, count_rivalry, draw_neighbour

if TYPE_CHECKING:
    from planner.locate.problem import Cover, Limits

# A trial reads about two covers; all trials of a cooling together about this many clients.
_COOLING_WORK, _OVERHEAD = 2e8, 100.0
_TRIALS = (2_000, 500_000)


class Worth(NamedTuple):
    """What covers bring, int64 of every client; a plain tuple so that numba takes it.

    Attributes
    ----------
    first, second
        What the first new cover brings, and the second; further ones bring nothing.
    """

    first: np.ndarray
    second: np.ndarray


class _State(NamedTuple):
    """A choice and what each change of it is worth; arrays are written in place.

    Attributes
    ----------
    times
        How often each client is covered.
    change
        Of each candidate: what it would add, or, if it is chosen, what is lost without it.
    inside
        bool: chosen.
    barred
        How many chosen rivals each candidate has.
    """

    times: np.ndarray
    change: np.ndarray
    inside: np.ndarray
    barred: np.ndarray


def search_backup(
    cover: Cover,
    worth: Worth,
    limits: Limits,
    *,
    rng: np.random.Generator,
    coolings: int = 0,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return chosen candidates, sorted: greedy, then swaps, then annealing that keeps the best.

    Parameters
    ----------
    cover, worth, limits
        Of the same candidates and clients.
    rng
        Of the annealing; a fixed number of swaps is tried, so the clock has no say.
    coolings
        How often the choice is annealed after the swaps.
    start
        A choice that keeps the limits, improved too; at a tie it is the one returned.

    Notes
    -----
    As `planner.locate.covering.heuristics.search`. Where a second cover brings more than the first,
    greedy adding is blind to pairs; it is tried with both made equal, too.
    """
    n = cover.start.size - 1
    if n == 0 or limits.most == 0:
        return np.empty(0, dtype=np.int64)
    starts = [] if start is None else [start]
    ratios = (False,) if (limits.cost == limits.cost[0]).all() else (False, True)
    for guide in _guides(worth):
        starts += [_greedy(cover, guide, limits, ratio) for ratio in ratios]
    best, value = starts[0], -1
    for first in starts:
        chosen = _polish(cover, worth, limits, first)
        reached = worth_of(cover, worth, chosen)
        if reached > value:
            best, value = chosen, reached
    if 0 < best.size < n and cover.client.size > 0:
        first = best
        for _ in range(coolings):
            trial = _anneal(cover, worth, limits, first, rng, _trials(cover), HOT, COLD)
            trial = _polish(cover, worth, limits, trial)
            reached = worth_of(cover, worth, trial)
            if reached > value:
                best, value = trial, reached
    return np.sort(best)


def _guides(worth: Worth) -> list[Worth]:
    """Return what greedy adding goes by."""
    if (worth.second <= worth.first).all():
        return [worth]
    mean = np.maximum(1, worth.first + worth.second) // 2
    late = worth.second > worth.first
    return [
        worth,
        Worth(np.where(late, mean, worth.first), np.where(late, mean, worth.second)),
    ]


def _trials(cover: Cover) -> int:
    n = cover.start.size - 1
    mean = max(1.0, 2 * cover.client.size / n)
    return int(np.clip(min(_COOLING_WORK / (_OVERHEAD + mean), 20.0 * n * n), *_TRIALS))


@compiled
def worth_of(cover: Cover, worth: Worth, chosen: np.ndarray) -> int:
    """Return what a choice brings."""
    times = np.zeros(worth.first.size, np.int32)
    total = 0
    for j in chosen:
        for k in range(cover.start[j], cover.start[j + 1]):
            i = cover.client[k]
            total += _step(worth, i, times[i])
            times[i] += 1
    return total


@inlined
def _step(worth: Worth, i: int, times: int) -> int:
    """Tell what one more cover brings a client that has so many."""
    return worth.first[i] if times == 0 else (worth.second[i] if times == 1 else 0)


@compiled
def _begin(cover: Cover, worth: Worth, limits: Limits, chosen: np.ndarray) -> _State:
    n = cover.start.size - 1
    state = _State(
        np.zeros(worth.first.size, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.bool_),
        np.zeros(n, np.int64),
    )
    for j in range(n):
        for k in range(cover.start[j], cover.start[j + 1]):
            state.change[j] += worth.first[cover.client[k]]
    for j in chosen:
        _turn(cover, worth, limits, state, j)
    return state


@compiled
def _turn(cover: Cover, worth: Worth, limits: Limits, state: _State, j: int) -> None:
    """Choose j, or drop it if it is chosen."""
    leaves = state.inside[j]
    sign = -1 if leaves else 1
    state.inside[j] = not leaves
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        if leaves:
            state.times[i] -= 1
        times = state.times[i]  # without j
        if times <= 2:
            here, after = _step(worth, i, times), _step(worth, i, times + 1)
            before = _step(worth, i, times - 1) if times > 0 else 0
            for q in range(cover.back[i], cover.back[i + 1]):
                other = cover.candidate[q]
                if other != j:
                    gap = here - before if state.inside[other] else after - here
                    state.change[other] += sign * gap
        if not leaves:
            state.times[i] += 1
    for q in range(limits.start[j], limits.start[j + 1]):
        state.barred[limits.rival[q]] += sign


@compiled
def _best(limits: Limits, state: _State, left: float, ratio: bool) -> int:
    """Find the affordable candidate that adds most (per cost); -1 if none adds anything."""
    best, lead = -1, 0.0
    room = left + 1e-9 * max(1.0, abs(left))
    for j in range(state.change.size):
        if state.inside[j] or state.barred[j] > 0 or limits.cost[j] > room:
            continue
        score = float(state.change[j])
        if ratio:
            score /= max(limits.cost[j], 1e-12)
        if score > lead:
            best, lead = j, score
    return best


@compiled
def _spent(limits: Limits, state: _State) -> float:
    total = 0.0
    for j in range(state.inside.size):
        if state.inside[j]:
            total += limits.cost[j]
    return total


@compiled
def _fill(cover: Cover, worth: Worth, limits: Limits, state: _State, ratio: bool) -> int:
    """Add the best affordable candidate until nothing adds or fits; return how many."""
    spent, size = _spent(limits, state), state.inside.sum()
    added = 0
    while size + added < limits.most:
        j = _best(limits, state, limits.budget - spent, ratio)
        if j < 0:
            break
        _turn(cover, worth, limits, state, j)
        spent += limits.cost[j]
        added += 1
    return added


@compiled
def _greedy(cover: Cover, worth: Worth, limits: Limits, ratio: bool) -> np.ndarray:
    state = _begin(cover, worth, limits, np.empty(0, np.int64))
    _fill(cover, worth, limits, state, ratio)
    return np.flatnonzero(state.inside)


@compiled
def _swap(cover: Cover, worth: Worth, limits: Limits, state: _State) -> int:
    """Exchange one for one while that gains; return what was gained in all."""
    total, quiet, turn = 0, 0, 0
    line = np.flatnonzero(state.inside)
    while quiet < line.size:
        out = line[turn]
        before = state.change[out]
        _turn(cover, worth, limits, state, out)
        j = _best(limits, state, limits.budget - _spent(limits, state), False)
        if j < 0 or state.change[j] <= before:
            j = out
        total += state.change[j] - before
        quiet = quiet + 1 if j == out else 0
        _turn(cover, worth, limits, state, j)
        line[turn] = j
        turn = (turn + 1) % line.size
    return total


@compiled
def _polish(cover: Cover, worth: Worth, limits: Limits, chosen: np.ndarray) -> np.ndarray:
    """Swap and fill in turns until neither gains."""
    state = _begin(cover, worth, limits, chosen)
    while True:
        gained = _swap(cover, worth, limits, state)
        added = _fill(cover, worth, limits, state, False)
        if gained == 0 and added == 0:
            return np.flatnonzero(state.inside)


@compiled
def _anneal(  # noqa: PLR0917
    cover: Cover,
    worth: Worth,
    limits: Limits,
    chosen: np.ndarray,
    rng: np.random.Generator,
    trials: int,
    hot: float,
    cold: float,
) -> np.ndarray:
    """Swap one for one by chance, ever less often for the worse; return the best choice met."""
    n, m = cover.start.size - 1, worth.first.size
    times, mark = np.zeros(m, np.int32), np.full(m, -1, np.int64)
    inside, barred = np.zeros(n, np.bool_), np.zeros(n, np.int64)
    line, spent = chosen.copy(), 0.0
    for j in line:
        _count(cover, limits, times, barred, j, 1)
        inside[j] = True
        spent += limits.cost[j]
    value = worth_of(cover, worth, line)
    best, top = line.copy(), value
    room = limits.budget + 1e-9 * max(1.0, abs(limits.budget))
    heat, fall = hot * max(1.0, value / line.size), (cold / hot) ** (1.0 / trials)
    for trial in range(trials):
        heat *= fall
        turn = int(rng.random() * line.size)
        out = line[turn]
        j = draw_neighbour(cover, out, rng)
        now = spent - limits.cost[out] + limits.cost[j]
        if inside[j] or now > room or barred[j] > count_rivalry(limits, out, j):
            continue
        change = _price(cover, worth, times, mark, out, j, trial)
        if change < heat * np.log(rng.random() + 1e-300):
            continue
        _count(cover, limits, times, barred, out, -1)
        _count(cover, limits, times, barred, j, 1)
        inside[out], inside[j] = False, True
        line[turn], spent = j, now
        value += change
        if value > top:
            best, top = line.copy(), value
    return best


@compiled
def _price(  # noqa: PLR0917
    cover: Cover,
    worth: Worth,
    times: np.ndarray,
    mark: np.ndarray,
    out: int,
    j: int,
    trial: int,
) -> int:
    """Tell what changes if j takes the place of `out`; the mark remembers whose clients are its."""
    change = 0
    for k in range(cover.start[out], cover.start[out + 1]):
        i = cover.client[k]
        mark[i] = trial
        change -= _step(worth, i, times[i] - 1)
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        change += _step(worth, i, times[i] - (mark[i] == trial))
    return change


@compiled
def _count(  # noqa: PLR0917
    cover: Cover, limits: Limits, times: np.ndarray, barred: np.ndarray, j: int, sign: int
) -> None:
    """Count j in, or out."""
    for k in range(cover.start[j], cover.start[j + 1]):
        times[cover.client[k]] += sign
    for q in range(limits.start[j], limits.start[j + 1]):
        barred[limits.rival[q]] += sign
