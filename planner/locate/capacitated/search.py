"""Good choices of facilities with capacities: greedy, then annealing over flows kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds
from planner.locate.capacitated.flow import served
from planner.locate.capacitated.moves import (
    MOVE,
    NOTED,
    SEEN,
    SERVED,
    close_one,
    make_state,
    open_one,
    pull,
    push,
    serve_anew,
    take,
    take_back,
)
from planner.locate.capacitated.rules import fits

if TYPE_CHECKING:
    from planner.locate.capacitated.flow import Net
    from planner.locate.capacitated.moves import State
    from planner.locate.capacitated.rules import Rules

_WORK = 3e9  # entries that all trials of the search together may look at, about
_TRIALS, _CHUNK = 20, 5e7  # a pair of columns; entries between looks at the clock
_HOT, _COLD = 0.03, 0.001  # temperatures, of what a chosen column serves on average
_WIDE = 8  # full columns that one move looks behind
_PARTS = 25


def search(
    net: Net,
    fixed: np.ndarray,
    rules: Rules,
    rng: np.random.Generator,
    *,
    start: np.ndarray,
    deadline: float,
) -> np.ndarray:
    """Improve a choice of free columns beside the fixed by annealing; never return a worse one.

    How much is tried depends on the size alone: the clock has no say in the answer before the
    deadline.
    """
    size = 1.0 + net.owner.size / net.capacity.size
    work = min(_WORK, _TRIALS * rules.free.size**2 * size)
    best, value = start, served(net, np.concatenate([fixed, start]))
    line, done, whole = start, 0.0, int(net.weight.sum())
    while done < work and working_seconds() < deadline and value < whole:
        heat = _HOT * (_COLD / _HOT) ** (done / work) * value / max(1, start.size + fixed.size)
        part = min(_CHUNK, work / _PARTS)
        line, found, used = _anneal(net, fixed, rules, line, rng, heat, part, whole)
        done += used
        now = served(net, np.concatenate([fixed, found]))
        if now > value:
            best, value = found, now
    return np.sort(best)


@compiled
def greedy(net: Net, fixed: np.ndarray, rules: Rules, by_cost: bool) -> np.ndarray:
    """Choose the column that serves most of what is left, or most for its cost, and so on.

    What a column can still serve only shrinks, so a bound from before serves until it leads.
    """
    cover = net.cover
    state = make_state(net)
    for j in fixed:
        open_one(net, state, j)
        take(net, state, j)
        pull(net, state, j, net.capacity.size)
    lead = np.full(net.capacity.size, -1.0)
    lead[rules.free] = np.inf
    fresh = np.full(net.capacity.size, -1, np.int64)
    chosen = np.empty(rules.free.size, np.int64)
    taken, spent, size = 0, 0.0, 0
    while True:
        j = np.argmax(lead)
        if lead[j] < 0.0:
            break
        if not fits(rules, state.inside, j, taken, spent):
            lead[j] = -1.0
        elif fresh[j] < size:
            left = np.int64(0)
            for k in range(cover.start[j], cover.start[j + 1]):
                left += state.rest[cover.client[k]]
            lead[j] = float(min(left, net.capacity[j]))
            if by_cost and lead[j] > 0.0 and rules.budget < np.inf:
                lead[j] /= max(rules.cost[j], 1e-9 * rules.budget, 1e-300)
            fresh[j] = size
            if lead[j] == 0.0 and rules.budget < np.inf:
                lead[j] = -1.0
        else:
            chosen[size] = j
            size += 1
            taken += rules.place[j]
            spent += rules.cost[j]
            state.inside[j] = True
            lead[j] = -1.0
            open_one(net, state, j)
            take(net, state, j)
            pull(net, state, j, net.capacity.size)
            state.tally[NOTED] = 0
    return chosen[:size]


class _Choice(NamedTuple):
    """What is chosen and what a move changes, in place; a plain tuple so that numba takes it.

    Attributes
    ----------
    line, closed, opened
        The chosen; what the move closes; what it opens.
    number
        int64: how many of each of the three.
    used
        float64: places taken, money spent.
    """

    line: np.ndarray
    closed: np.ndarray
    opened: np.ndarray
    number: np.ndarray
    used: np.ndarray


_LINE, _CLOSED, _OPENED = range(3)


@compiled
def _anneal(  # noqa: PLR0917
    net: Net,
    fixed: np.ndarray,
    rules: Rules,
    start: np.ndarray,
    rng: np.random.Generator,
    heat: float,
    work: float,
    whole: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Open one and close what must close, at one temperature; return the last and best choice."""
    n = net.capacity.size
    state, usable = make_state(net), np.zeros(n, np.bool_)
    usable[rules.free] = True
    choice = _Choice(
        np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64),
        np.zeros(3, np.int64), np.zeros(2),
    )  # fmt: skip
    for j in fixed:
        open_one(net, state, j)
    for j in start:
        _admit(net, rules, state, choice, j)
    _settle(choice)
    serve_anew(net, state, np.concatenate((fixed, start)), n)
    best, lead = start.copy(), state.tally[SERVED]
    state.tally[SEEN] = 0
    while state.tally[SEEN] < work and lead < whole:
        state.tally[SEEN] += 50
        state.tally[MOVE] += 1
        state.tally[NOTED] = 0
        before = state.tally[SERVED]
        if not _propose(net, rules, state, choice, usable, rng):
            continue
        _serve_moved(net, rules, state, choice, usable, rng)
        gain = float(state.tally[SERVED] - before)
        if gain >= 0.0 or rng.random() < np.exp(gain / max(heat, 1e-300)):
            _settle(choice)
            if state.tally[SERVED] > lead:
                lead = state.tally[SERVED]
                best = choice.line[: choice.number[_LINE]].copy()
        else:
            _revert(net, rules, state, choice, fixed)
    return choice.line[: choice.number[_LINE]].copy(), best, float(state.tally[SEEN])


@compiled
def _admit(net: Net, rules: Rules, state: State, choice: _Choice, j: int) -> None:
    state.inside[j] = True
    choice.used[0] += rules.place[j]
    choice.used[1] += rules.cost[j]
    choice.opened[choice.number[_OPENED]] = j
    choice.number[_OPENED] += 1
    open_one(net, state, j)


@compiled
def _propose(  # noqa: PLR0917
    net: Net,
    rules: Rules,
    state: State,
    choice: _Choice,
    usable: np.ndarray,
    rng: np.random.Generator,
) -> bool:
    """Draw one to open, mostly near one that is chosen, and name what must close for it."""
    size, turn = choice.number[_LINE], -1
    j = rules.free[int(rng.random() * rules.free.size)]
    if size and rng.random() < 0.8:
        turn = int(rng.random() * size)
        j = _some_neighbour(net, usable, choice.line[turn], rules.free, rng)
    elif size:
        turn = int(rng.random() * size)
    if state.inside[j] or not _make_room(rules, state, choice, j, turn, rng):
        return False
    for t in range(choice.number[_CLOSED]):
        out = choice.closed[t]
        state.inside[out] = False
        choice.used[0] -= rules.place[out]
        choice.used[1] -= rules.cost[out]
        close_one(net, state, out)
    choice.number[_OPENED] = 0
    _admit(net, rules, state, choice, j)
    return True


@compiled
def _some_neighbour(
    net: Net, usable: np.ndarray, j: int, free: np.ndarray, rng: np.random.Generator
) -> np.int64:
    """Draw a column that shares a client with `j`, or now and then any free one."""
    cover = net.cover
    length = cover.start[j + 1] - cover.start[j]
    if length > 0 and rng.random() < 0.9:
        i = cover.client[cover.start[j] + int(rng.random() * length)]
        q = cover.back[i] + int(rng.random() * (cover.back[i + 1] - cover.back[i]))
        if usable[cover.candidate[q]]:
            return np.int64(cover.candidate[q])
    return free[int(rng.random() * free.size)]


@compiled
def _make_room(  # noqa: PLR0917
    rules: Rules, state: State, choice: _Choice, j: int, turn: int, rng: np.random.Generator
) -> bool:
    """Name what must close for `j` to open: its rivals, then the one at `turn`, then any."""
    out, size = 0, choice.number[_LINE]
    taken, spent = choice.used[0] + rules.place[j], choice.used[1] + rules.cost[j]
    for r in range(rules.start[j], rules.start[j + 1]):
        if state.inside[rules.rival[r]]:
            choice.closed[out] = rules.rival[r]
            taken -= rules.place[rules.rival[r]]
            spent -= rules.cost[rules.rival[r]]
            out += 1
    for attempt in range(20 + size):
        if size == 0 or (taken <= rules.most and spent <= rules.budget):
            break
        other = choice.line[turn] if attempt == 0 else choice.line[int(rng.random() * size)]
        helps = (taken > rules.most and rules.place[other] > 0) or (
            spent > rules.budget and rules.cost[other] > 0.0
        )
        if helps and not (choice.closed[:out] == other).any():
            choice.closed[out] = other
            taken -= rules.place[other]
            spent -= rules.cost[other]
            out += 1
    choice.number[_CLOSED] = out
    return taken <= rules.most and spent <= rules.budget


@compiled
def _serve_moved(  # noqa: PLR0917
    net: Net,
    rules: Rules,
    state: State,
    choice: _Choice,
    usable: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Let the others serve what has closed; where costs or exclusions leave room, open more."""
    j, wide = choice.opened[0], _WIDE
    take(net, state, j)
    for t in range(choice.number[_CLOSED]):
        out = choice.closed[t]
        for k in range(net.cover.start[out], net.cover.start[out + 1]):
            i = net.cover.client[k]
            if state.rest[i] > 0 and state.open_to[i] > 0:
                wide = push(net, state, i, wide)
    pull(net, state, j, _WIDE)
    if rules.budget == np.inf and rules.rival.size == 0:
        return
    about = choice.closed[0] if choice.number[_CLOSED] else j
    for _ in range(3):
        more = _some_neighbour(net, usable, about, rules.free, rng)
        if fits(rules, state.inside, more, int(choice.used[0]), choice.used[1]):
            _admit(net, rules, state, choice, more)
            take(net, state, more)
            pull(net, state, more, _WIDE)


@compiled
def _settle(choice: _Choice) -> None:
    """Keep a move."""
    size = choice.number[_LINE]
    for t in range(choice.number[_CLOSED]):
        for q in range(size):
            if choice.line[q] == choice.closed[t]:
                size -= 1
                choice.line[q] = choice.line[size]
                break
    for t in range(choice.number[_OPENED]):
        choice.line[size] = choice.opened[t]
        size += 1
    choice.number[_LINE] = size
    choice.number[_CLOSED] = choice.number[_OPENED] = 0


@compiled
def _revert(net: Net, rules: Rules, state: State, choice: _Choice, fixed: np.ndarray) -> None:
    """Undo a move."""
    opened = choice.opened[: choice.number[_OPENED]]
    closed = choice.closed[: choice.number[_CLOSED]]
    for j in opened:
        choice.used[0] -= rules.place[j]
        choice.used[1] -= rules.cost[j]
    for j in closed:
        choice.used[0] += rules.place[j]
        choice.used[1] += rules.cost[j]
    broken = state.tally[NOTED] > state.entry.size
    if broken:
        state.tally[NOTED] = 0
    take_back(net, state, opened, closed)
    if broken:  # too much has changed to be noted
        line = choice.line[: choice.number[_LINE]]
        serve_anew(net, state, np.concatenate((fixed, line)), net.capacity.size)
    choice.number[_CLOSED] = choice.number[_OPENED] = 0
