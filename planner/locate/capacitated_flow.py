"""How much demand open facilities of limited capacity serve, and good choices of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_WORK = 3e8  # entries that all trials of the search together may look at, about
_TRIALS, _CHUNK = (50, 20_000), 25
_DEAD = 1 << 62  # marks what no way leads through any more


class Net(NamedTuple):
    """Demand, facilities and their capacities; a plain tuple so that numba takes it.

    Attributes
    ----------
    cover
        Which demand a column reaches.
    entry
        Place in ``cover.client`` of each entry of ``cover.candidate``.
    owner
        Column of each entry of ``cover.client``.
    weight, capacity
        int64 of each client and column.
    """

    cover: Cover
    entry: np.ndarray
    owner: np.ndarray
    weight: np.ndarray
    capacity: np.ndarray


class _Flow(NamedTuple):
    """What is served, written in place; the last five are marks of the search for a way.

    Attributes
    ----------
    rest, spare
        Of each client: what is not served; of each column: capacity that is not used.
    amount
        Of each entry: what the column serves of the client.
    opened
        bool of each column.
    """

    rest: np.ndarray
    spare: np.ndarray
    amount: np.ndarray
    opened: np.ndarray
    client_seen: np.ndarray
    column_seen: np.ndarray
    client_by: np.ndarray
    column_by: np.ndarray
    queue: np.ndarray


def make_net(cover: Cover, weight: np.ndarray, capacity: np.ndarray) -> Net:
    """Add what the search for ways needs."""
    owner = np.repeat(np.arange(cover.start.size - 1), np.diff(cover.start))
    entry = np.argsort(cover.client, kind="stable")
    return Net(cover, entry, owner, weight, capacity)


def search(
    net: Net,
    fixed: np.ndarray,
    free: np.ndarray,
    count: int,
    rng: np.random.Generator,
    *,
    deadline: float,
) -> np.ndarray:
    """Choose `count` of the free columns beside the fixed: greedy, then exchanges by chance.

    The number of exchanges depends on the size alone: the clock has no say in the answer before
    the deadline.
    """
    if count == 0 or free.size == 0:
        return free[:0]
    chosen = greedy(net, fixed, free, min(count, free.size))
    size = 1 + net.cover.client.size * (fixed.size + count) // max(1, net.capacity.size)
    work = min(_WORK / (200.0 * size + net.weight.size), 20.0 * free.size**2)
    trials = int(np.clip(work, *_TRIALS))
    for first in range(0, trials, _CHUNK):
        if working_seconds() > deadline:
            break
        chosen = _exchange(net, fixed, free, chosen, rng, min(_CHUNK, trials - first))
    return np.sort(chosen)


@compiled
def _flow(net: Net) -> _Flow:
    m, n = net.weight.size, net.capacity.size
    return _Flow(
        net.weight.copy(),
        net.capacity.copy(),
        np.zeros(net.owner.size, np.int64),
        np.zeros(n, np.bool_),
        np.zeros(m, np.int64),
        np.zeros(n, np.int64),
        np.zeros(m, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )


@compiled
def _find(net: Net, flow: _Flow, j: int, stamp: int) -> int:  # noqa: C901
    """Find a client with demand left that column j reaches, others giving way; -1 without one.

    What a vain search has seen never leads anywhere again: whoever serves there is among it.
    """
    cover = net.cover
    if flow.column_seen[j] == _DEAD:
        return -1
    flow.queue[0] = j
    flow.column_seen[j] = stamp
    head, tail = 0, 1
    while head < tail:
        c = flow.queue[head]
        head += 1
        for k in range(cover.start[c], cover.start[c + 1]):
            i = cover.client[k]
            if flow.client_seen[i] >= stamp:
                continue
            flow.client_seen[i] = stamp
            flow.client_by[i] = k
            if flow.rest[i] > 0:
                return i
            for q in range(cover.back[i], cover.back[i + 1]):
                other = cover.candidate[q]
                if not flow.opened[other] or flow.column_seen[other] >= stamp:
                    continue
                if flow.amount[net.entry[q]] > 0:
                    flow.column_seen[other] = stamp
                    flow.column_by[other] = net.entry[q]
                    flow.queue[tail] = other
                    tail += 1
    for t in range(tail):
        c = flow.queue[t]
        flow.column_seen[c] = _DEAD
        for k in range(cover.start[c], cover.start[c + 1]):
            flow.client_seen[cover.client[k]] = _DEAD
    return -1


@compiled
def _open(net: Net, flow: _Flow, j: int) -> None:
    """Open a column and let it serve what nobody else does."""
    flow.opened[j] = True
    for k in range(net.cover.start[j], net.cover.start[j + 1]):
        i = net.cover.client[k]
        amount = min(flow.rest[i], flow.spare[j])
        flow.amount[k] += amount
        flow.rest[i] -= amount
        flow.spare[j] -= amount


@compiled
def _augment(net: Net, flow: _Flow, j: int, stamp: int) -> int:
    """Let a column serve as much as it can, others giving way; return the last mark used."""
    client = net.cover.client
    while flow.spare[j] > 0:
        stamp += 1
        end = _find(net, flow, j, stamp)
        if end < 0:
            break
        amount = min(flow.spare[j], flow.rest[end])
        c = net.owner[flow.client_by[end]]
        while c != j:
            given = flow.column_by[c]
            amount = min(amount, flow.amount[given])
            c = net.owner[flow.client_by[client[given]]]
        flow.spare[j] -= amount
        flow.rest[end] -= amount
        k = flow.client_by[end]
        flow.amount[k] += amount
        while net.owner[k] != j:
            given = flow.column_by[net.owner[k]]
            flow.amount[given] -= amount
            k = flow.client_by[client[given]]
            flow.amount[k] += amount
    return stamp


@compiled
def _fill(net: Net, flow: _Flow, chosen: np.ndarray) -> None:
    """Serve the most that some columns can serve together."""
    stamp = 0
    for j in chosen:
        _open(net, flow, j)
    for j in chosen:
        stamp = _augment(net, flow, j, stamp)


@compiled
def serve(net: Net, chosen: np.ndarray) -> np.ndarray:
    """Return how much of each entry is served when some columns serve the most they can."""
    flow = _flow(net)
    _fill(net, flow, chosen)
    return flow.amount


@compiled
def served(net: Net, chosen: np.ndarray) -> int:
    """Return the most that some columns can serve together."""
    flow = _flow(net)
    _fill(net, flow, chosen)
    return net.weight.sum() - flow.rest.sum()


@compiled
def greedy(net: Net, fixed: np.ndarray, free: np.ndarray, count: int) -> np.ndarray:
    """Open the column that serves most of what is left; ties go to the smallest."""
    cover = net.cover
    flow = _flow(net)
    stamp = 0
    for j in fixed:
        _open(net, flow, j)
    chosen = np.empty(count, np.int64)
    for t in range(count):
        best, lead = -1, np.int64(-1)
        for j in free:
            if not flow.opened[j]:
                left = np.int64(0)
                for k in range(cover.start[j], cover.start[j + 1]):
                    left += flow.rest[cover.client[k]]
                left = min(left, net.capacity[j])
                if left > lead:
                    best, lead = j, left
        chosen[t] = best
        _open(net, flow, best)
        stamp = _augment(net, flow, best, stamp)
    return chosen


@compiled
def _clear(net: Net, flow: _Flow, chosen: np.ndarray) -> None:
    flow.rest[:] = net.weight
    flow.client_seen[:] = 0
    flow.column_seen[:] = 0
    for j in chosen:
        flow.opened[j] = False
        flow.spare[j] = net.capacity[j]
        for k in range(net.cover.start[j], net.cover.start[j + 1]):
            flow.amount[k] = 0


@compiled
def _exchange(  # noqa: PLR0917
    net: Net,
    fixed: np.ndarray,
    free: np.ndarray,
    chosen: np.ndarray,
    rng: np.random.Generator,
    trials: int,
) -> np.ndarray:
    """Exchange one for one by chance, mostly for a neighbour, and keep what is no worse."""
    cover = net.cover
    n = net.capacity.size
    usable, inside = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    usable[free] = True
    inside[chosen] = True
    flow = _flow(net)
    line = np.concatenate((fixed, chosen))
    value, whole = served(net, line), net.weight.sum()
    for _ in range(trials):
        if value == whole:
            break
        turn = fixed.size + int(rng.random() * chosen.size)
        out = line[turn]
        length = cover.start[out + 1] - cover.start[out]
        if length > 0 and rng.random() < 0.7:
            i = cover.client[cover.start[out] + int(rng.random() * length)]
            q = cover.back[i] + int(rng.random() * (cover.back[i + 1] - cover.back[i]))
            j = np.int64(cover.candidate[q])
        else:
            j = free[int(rng.random() * free.size)]
        if inside[j] or not usable[j]:
            continue
        line[turn] = j
        _fill(net, flow, line)
        now = whole - flow.rest.sum()
        _clear(net, flow, line)
        if now >= value:
            value = now
            inside[out], inside[j] = False, True
        else:
            line[turn] = out
    return line[fixed.size :]
