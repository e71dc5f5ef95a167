"""A flow kept up to date while facilities open and close, a few entries looked at each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, inlined

if TYPE_CHECKING:
    from planner.locate.capacitated.flow import Net


class State(NamedTuple):
    """The choice and its flow, changed in place; a plain tuple so that numba takes it.

    Attributes
    ----------
    rest, spare
        Of each client: what is not served; of each column: capacity that is not used.
    amount
        Of each entry: what the column serves of the client.
    opened, open_to, listed
        bool of each column; of each client how many open columns reach it, and their entries, from
        ``cover.back`` on.
    inside
        bool of each column: free and chosen.
    entry, change
        What the move under way has changed, so that it can be taken back.
    seen, dead, client_seen, by, client_by, source, queue
        Marks of searches for room.
    tally
        int64: changes noted, stamp, move, entries looked at, weight served.
    """

    rest: np.ndarray
    spare: np.ndarray
    amount: np.ndarray
    opened: np.ndarray
    open_to: np.ndarray
    listed: np.ndarray
    inside: np.ndarray
    entry: np.ndarray
    change: np.ndarray
    seen: np.ndarray
    dead: np.ndarray
    client_seen: np.ndarray
    by: np.ndarray
    client_by: np.ndarray
    source: np.ndarray
    queue: np.ndarray
    tally: np.ndarray


NOTED, STAMP, MOVE, SEEN, SERVED = range(5)


@compiled
def make_state(net: Net) -> State:
    """Return the state in which nothing is open."""
    m, n, entries = net.weight.size, net.capacity.size, net.owner.size
    return State(
        net.weight.copy(),
        net.capacity.copy(),
        np.zeros(entries, np.int64),
        np.zeros(n, np.bool_),
        np.zeros(m, np.int32),
        np.zeros(entries, np.int32),
        np.zeros(n, np.bool_),
        np.zeros(entries + 1000, np.int32),
        np.zeros(entries + 1000, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(m, np.int64),
        np.zeros(n, np.int64),
        np.zeros(m, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n + 1, np.int64),
        np.zeros(5, np.int64),
    )


@inlined
def _shift(net: Net, state: State, k: int, amount: int) -> None:
    """Let an entry serve more or less, and note it."""
    state.amount[k] += amount
    state.rest[net.cover.client[k]] -= amount
    state.spare[net.owner[k]] -= amount
    state.tally[SERVED] += amount
    noted = state.tally[NOTED]
    if noted < state.entry.size:
        state.entry[noted] = k
        state.change[noted] = amount
    state.tally[NOTED] = noted + 1


@compiled
def open_one(net: Net, state: State, j: int) -> None:
    """Open a column that serves nobody yet."""
    cover = net.cover
    state.opened[j] = True
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        state.listed[cover.back[i] + state.open_to[i]] = k
        state.open_to[i] += 1
    state.tally[SEEN] += cover.start[j + 1] - cover.start[j]


@compiled
def _unlist(net: Net, state: State, j: int) -> None:
    cover = net.cover
    state.opened[j] = False
    for k in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[k]
        state.open_to[i] -= 1
        last = cover.back[i] + state.open_to[i]
        for q in range(cover.back[i], last):
            if state.listed[q] == k:
                state.listed[q] = state.listed[last]
                break
    state.tally[SEEN] += cover.start[j + 1] - cover.start[j]


@compiled
def close_one(net: Net, state: State, j: int) -> None:
    """Close a column; nobody takes over yet what it served."""
    for k in range(net.cover.start[j], net.cover.start[j + 1]):
        if state.amount[k] > 0:
            _shift(net, state, k, -state.amount[k])
    _unlist(net, state, j)


@compiled
def take(net: Net, state: State, j: int) -> None:
    """Let a column serve what nobody else does."""
    for k in range(net.cover.start[j], net.cover.start[j + 1]):
        amount = min(state.rest[net.cover.client[k]], state.spare[j])
        if amount > 0:
            _shift(net, state, k, amount)


@compiled
def push(net: Net, state: State, i: int, wide: int) -> int:
    """Find room for what is left of a client, full columns giving way; return the wide left."""
    cover = net.cover
    while state.rest[i] > 0:
        state.tally[STAMP] += 1
        head = 0
        tail, end = _look(net, state, i, -1, 0)
        while end < 0 and head < tail and wide > 0:
            at = state.queue[head]
            head, wide = head + 1, wide - 1
            state.tally[SEEN] += 2 * (cover.start[at + 1] - cover.start[at])
            for k in range(cover.start[at], cover.start[at + 1]):
                if state.amount[k] > 0 and state.open_to[cover.client[k]] > 1:
                    tail, end = _look(net, state, cover.client[k], k, tail)
                    if end >= 0:
                        break
        if end < 0:
            for t in range(tail):
                state.dead[state.queue[t]] = state.tally[MOVE]
            break
        _carry(net, state, i, end)
    return wide


@compiled
def _look(net: Net, state: State, i: int, given: int, tail: int) -> tuple[int, int]:
    """Queue the open columns that reach a client; return the queue's end and one with room."""
    stamp, move = state.tally[STAMP], state.tally[MOVE]
    for q in range(net.cover.back[i], net.cover.back[i] + state.open_to[i]):
        c = net.owner[state.listed[q]]
        if state.seen[c] == stamp or state.dead[c] == move:
            continue
        state.seen[c], state.by[c], state.source[c] = stamp, state.listed[q], given
        if state.spare[c] > 0:
            return tail, c
        state.queue[tail] = c
        tail += 1
    return tail, -1


@compiled
def _carry(net: Net, state: State, i: int, end: int) -> None:
    """Move as much as fits along the way that `_push` has found."""
    amount = min(state.rest[i], state.spare[end])
    c = end
    while state.source[c] >= 0:
        amount = min(amount, state.amount[state.source[c]])
        c = net.owner[state.source[c]]
    c = end
    while True:
        _shift(net, state, state.by[c], amount)
        given = state.source[c]
        if given < 0:
            break
        _shift(net, state, given, -amount)
        c = net.owner[given]


@compiled
def pull(net: Net, state: State, j: int, wide: int) -> None:  # noqa: C901
    """Let a column take over from full ones that reach what nobody serves."""
    cover = net.cover
    while state.spare[j] > 0:
        state.tally[STAMP] += 1
        stamp, end = state.tally[STAMP], -1
        state.queue[0], state.seen[j] = j, stamp
        head, tail = 0, 1
        while end < 0 and head < tail and wide > 0:
            at = state.queue[head]
            head, wide = head + 1, wide - 1
            state.tally[SEEN] += 2 * (cover.start[at + 1] - cover.start[at])
            for k in range(cover.start[at], cover.start[at + 1]):
                i = cover.client[k]
                if state.client_seen[i] == stamp:
                    continue
                state.client_seen[i], state.client_by[i] = stamp, k
                if state.rest[i] > 0:
                    end = i
                    break
                for q in range(cover.back[i], cover.back[i] + state.open_to[i]):
                    e = state.listed[q]
                    c = net.owner[e]
                    if state.amount[e] > 0 and state.seen[c] != stamp and state.spare[c] == 0:
                        state.seen[c], state.by[c] = stamp, e
                        state.queue[tail] = c
                        tail += 1
        if end < 0:
            break
        amount = min(state.rest[end], state.spare[j])
        c = net.owner[state.client_by[end]]
        while c != j:
            amount = min(amount, state.amount[state.by[c]])
            c = net.owner[state.client_by[cover.client[state.by[c]]]]
        k = state.client_by[end]
        _shift(net, state, k, amount)
        while net.owner[k] != j:
            given = state.by[net.owner[k]]
            _shift(net, state, given, -amount)
            k = state.client_by[cover.client[given]]
            _shift(net, state, k, amount)


@compiled
def take_back(net: Net, state: State, opened: np.ndarray, closed: np.ndarray) -> None:
    """Undo a move."""
    for t in range(state.tally[NOTED] - 1, -1, -1):
        k, amount = state.entry[t], state.change[t]
        state.amount[k] -= amount
        state.rest[net.cover.client[k]] += amount
        state.spare[net.owner[k]] += amount
        state.tally[SERVED] -= amount
    for j in opened:
        state.inside[j] = False
        _unlist(net, state, j)
    for j in closed:
        state.inside[j] = True
        open_one(net, state, j)


@compiled
def serve_anew(net: Net, state: State, line: np.ndarray, wide: int) -> None:
    """Let a line of open columns serve from nothing."""
    state.amount[:] = 0
    state.rest[:] = net.weight
    state.spare[:] = net.capacity
    state.tally[SERVED] = 0
    for j in line:
        take(net, state, j)
    for j in line:
        pull(net, state, j, wide)
    state.tally[NOTED] = 0
