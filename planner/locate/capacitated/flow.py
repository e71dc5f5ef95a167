"""How much demand open facilities of limited capacity serve: maximum flows, in integers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.problem import Cover

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


class Flow(NamedTuple):
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


@compiled
def make_flow(net: Net) -> Flow:
    """Return the flow of nothing, no column open."""
    m, n = net.weight.size, net.capacity.size
    return Flow(
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
def _find(net: Net, flow: Flow, j: int, stamp: int) -> int:  # noqa: C901
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
def open_column(net: Net, flow: Flow, j: int) -> None:
    """Open a column and let it serve what nobody else does."""
    flow.opened[j] = True
    for k in range(net.cover.start[j], net.cover.start[j + 1]):
        i = net.cover.client[k]
        amount = min(flow.rest[i], flow.spare[j])
        flow.amount[k] += amount
        flow.rest[i] -= amount
        flow.spare[j] -= amount


@compiled
def augment(net: Net, flow: Flow, j: int, stamp: int) -> int:
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
def _fill(net: Net, flow: Flow, chosen: np.ndarray) -> None:
    """Serve the most that some columns can serve together."""
    stamp = 0
    for j in chosen:
        open_column(net, flow, j)
    for j in chosen:
        stamp = augment(net, flow, j, stamp)


@compiled
def serve(net: Net, chosen: np.ndarray) -> np.ndarray:
    """Return how much of each entry is served when some columns serve the most they can."""
    part, place = narrow(net, chosen)
    flow = make_flow(part)
    _fill(part, flow, np.arange(chosen.size))
    amount = np.zeros(net.owner.size, np.int64)
    amount[place] = flow.amount
    return amount


@compiled
def top_up(net: Net, amount: np.ndarray) -> np.ndarray:
    """Return a flow through all columns that serves the most, grown from one that may not."""
    flow = make_flow(net)
    flow.amount[:] = amount
    flow.opened[:] = True
    for k in range(amount.size):
        flow.rest[net.cover.client[k]] -= amount[k]
        flow.spare[net.owner[k]] -= amount[k]
    stamp = 0
    for j in range(flow.spare.size):
        stamp = augment(net, flow, j, stamp)
    return flow.amount


@compiled
def served(net: Net, chosen: np.ndarray) -> int:
    """Return the most that some columns can serve together."""
    part, _ = narrow(net, chosen)
    flow = make_flow(part)
    _fill(part, flow, np.arange(chosen.size))
    return net.weight.sum() - flow.rest.sum()


@compiled
def narrow(net: Net, chosen: np.ndarray) -> tuple[Net, np.ndarray]:
    """Keep some columns, in this order; return also where their entries were."""
    cover, clients = net.cover, net.weight.size
    start = np.zeros(chosen.size + 1, np.int64)
    for t in range(chosen.size):
        start[t + 1] = start[t] + cover.start[chosen[t] + 1] - cover.start[chosen[t]]
    place, owner = np.empty(start[-1], np.int64), np.empty(start[-1], np.int64)
    back = np.zeros(clients + 1, np.int64)
    for t in range(chosen.size):
        first = cover.start[chosen[t]]
        for k in range(start[t], start[t + 1]):
            place[k], owner[k] = first + k - start[t], t
            back[cover.client[place[k]] + 1] += 1
    for i in range(clients):
        back[i + 1] += back[i]
    client = cover.client[place]
    candidate, entry = np.empty(start[-1], np.int32), np.empty(start[-1], np.int64)
    at = back.copy()
    for k in range(start[-1]):
        candidate[at[client[k]]], entry[at[client[k]]] = owner[k], k
        at[client[k]] += 1
    part = Cover(start, client, back, candidate)
    return Net(part, entry, owner, net.weight, net.capacity[chosen]), place
