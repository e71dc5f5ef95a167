"""Assign demand to open facilities: as much as can be served, with the least travel."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import compiled, working_seconds
from planner.locate.capacitated.flow import make_net, top_up
from planner.locate.setcover.reduce import as_cover

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_TRAVEL = 1 << 30  # the longest travel, in integers
_TOTAL_BITS = 40
_CHUNK = 2_000  # clients between looks at the clock
_WORK = 4e9  # steps that the whole assignment may take


class Assignment(NamedTuple):
    """What each facility serves of each demand, and how far the travel may be above the least."""

    parts: sparse.csr_array
    travel_gap: float


class _Ways(NamedTuple):
    """The flow of least travel so far, changed in place; a plain tuple so that numba takes it.

    Facilities are numbered by themselves; number n stands for being served by nobody.

    Attributes
    ----------
    back, column, travel
        Client i reaches ``column[back[i] : back[i + 1]]``, with that travel.
    start, entry
        Entries of each column, in the numbering of `column`.
    owner
        Client of each entry.
    amount, spare, rest
        Of entries, columns and clients.
    first, other, gain, via
        Column c may give something to ``other[first[c] : first[c + 1]]`` (sorted): the least
        additional travel, and through which entry; n comes last.
    stale
        bool: the column's least additional travels must be found anew.
    price
        Of each column: what a place costs beside the travel.
    """

    back: np.ndarray
    column: np.ndarray
    travel: np.ndarray
    start: np.ndarray
    entry: np.ndarray
    owner: np.ndarray
    amount: np.ndarray
    spare: np.ndarray
    rest: np.ndarray
    first: np.ndarray
    other: np.ndarray
    gain: np.ndarray
    via: np.ndarray
    stale: np.ndarray
    price: np.ndarray


class _Marks(NamedTuple):
    """Of each column: where its label stands, who has one, who is settled, whence, a scratch."""

    label: np.ndarray
    stamp: np.ndarray
    done: np.ndarray
    source: np.ndarray
    slot: np.ndarray


def assign(
    travel: sparse.csr_array, weight: np.ndarray, capacity: np.ndarray, deadline: float
) -> Assignment:
    """Assign the most demand that open facilities can serve, with least travel.

    Parameters
    ----------
    travel
        CSR, demand × open columns, sorted indices.
    weight, capacity
        float64 of every row and column; infinite capacity is no limit.
    deadline
        `working_seconds()` from which the rest is assigned as it comes.

    Returns
    -------
    Assignment
        The most is served in any case. `travel_gap` is 0 where the travel is the least.

    Notes
    -----
    Clients enter one after the other by shortest augmenting paths over the facilities alone
    (Tokuyama, T. & Nakano, J. (1995), "Efficient algorithms for the Hitchcock transportation
    problem"), in integers; being served by nobody is a facility farther than any path. Where that
    takes too many steps or seconds the other clients go to the nearest facility with room, then the
    flow is filled up to the most, and the prices found so far bound from below what the least
    travel is: Σ_i w_i min_j (t_ij + π_j - λ)⁻ - Σ_j C_j π_j + λ F for any π ≥ 0 and λ, with F the
    weight that is served.
    """
    m, n = travel.shape
    total = math.fsum(weight)
    if travel.nnz == 0 or total <= 0:
        return Assignment(sparse.csr_array((m, n)), 0.0)
    exact = total < 2**_TOTAL_BITS and all(
        np.array_equal(v, np.rint(v)) for v in (weight, capacity[np.isfinite(capacity)])
    )
    scale = 1.0 if exact else math.ldexp(1.0, _TOTAL_BITS - math.frexp(total)[1])
    whole = np.floor(weight * scale).astype(np.int64)
    room = np.floor(np.minimum(capacity, total) * scale).astype(np.int64)
    longest = float(travel.data.max())
    length = np.rint(travel.data * (_TRAVEL / longest if longest > 0 else 0.0)).astype(np.int64)
    cover = as_cover(sparse.csc_array(travel))
    ways = _make_ways(cover, length, whole, room)
    stopped = _run(ways, deadline)
    if stopped < m:
        _nearest(ways, stopped)
        net = make_net(cover, whole, room)
        ways.amount[ways.entry] = top_up(net, ways.amount[ways.entry])
    gap = _travel_gap(ways, whole, room) if stopped < m else 0.0
    amount = ways.amount / scale
    kept = amount > 0
    return Assignment(
        sparse.csr_array((amount[kept], (ways.owner[kept], ways.column[kept])), shape=(m, n)), gap
    )


def _make_ways(cover: Cover, travel: np.ndarray, weight: np.ndarray, room: np.ndarray) -> _Ways:
    n = room.size
    column = cover.candidate.astype(np.int64)
    owner = np.repeat(np.arange(weight.size), np.diff(cover.back))
    entry = np.argsort(column, kind="stable")
    first, other = _neighbours(cover.start, entry, owner, cover.back, column)
    return _Ways(
        cover.back, column, travel, cover.start, entry, owner, np.zeros(column.size, np.int64),
        room.copy(), weight.copy(), first, other, np.zeros(other.size, np.int64),
        np.full(other.size, -1), np.zeros(n, dtype=bool), np.zeros(n + 1, np.int64),
    )  # fmt: skip


def _run(ways: _Ways, deadline: float) -> int:
    """Let clients enter until all have, the work is done or time is up; return how many have."""
    m, n = ways.rest.size, ways.spare.size
    beyond = (2 * n + 4) * int(max(1, ways.travel.max()))
    work = 0.0
    for first in range(0, m, _CHUNK):
        if work > _WORK or working_seconds() > deadline:
            return first
        work += _enter(ways, first, min(m, first + _CHUNK), beyond)
    return m


@compiled
def _neighbours(
    start: np.ndarray, entry: np.ndarray, owner: np.ndarray, back: np.ndarray, column: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """List the columns with which each shares a client, sorted; then nobody, who is last."""
    n = start.size - 1
    first = np.zeros(n + 1, np.int64)
    mark = np.full(n, -1, np.int64)
    other = np.empty(0, np.int64)
    for turn in range(2):
        mark[:] = -1
        for c in range(n):
            size = 0
            for k in range(start[c], start[c + 1]):
                i = owner[entry[k]]
                for q in range(back[i], back[i + 1]):
                    d = column[q]
                    if d != c and mark[d] != c:
                        mark[d] = c
                        if turn == 1:
                            other[first[c] + size] = d
                        size += 1
            if turn == 0:
                first[c + 1] = first[c] + size + 1
            else:
                other[first[c] : first[c] + size].sort()
                other[first[c] + size] = n
        if turn == 0:
            other = np.empty(first[n], np.int64)
    return first, other


@compiled
def _refresh(ways: _Ways, c: int, slot: np.ndarray, beyond: int) -> int:
    """Find anew what it takes to move something from a column to each of its neighbours."""
    for q in range(ways.first[c], ways.first[c + 1]):
        slot[ways.other[q]] = q
        ways.via[q] = -1
    for k in range(ways.start[c], ways.start[c + 1]):
        e = ways.entry[k]
        if ways.amount[e] > 0:
            _offer(ways, c, e, slot, beyond)
    ways.stale[c] = False
    return 2 * (ways.start[c + 1] - ways.start[c])


@compiled
def _offer(ways: _Ways, c: int, e: int, slot: np.ndarray, beyond: int) -> None:
    """Let what a column serves through an entry be moved to the client's other columns."""
    i = ways.owner[e]
    for q in range(ways.back[i], ways.back[i + 1]):
        d = ways.column[q]
        if d != c:
            at, more = slot[d], ways.travel[q] - ways.travel[e]
            if ways.via[at] < 0 or more < ways.gain[at]:
                ways.gain[at], ways.via[at] = more, e
    at, more = ways.first[c + 1] - 1, beyond - ways.travel[e]
    if ways.via[at] < 0 or more < ways.gain[at]:
        ways.gain[at], ways.via[at] = more, e


@compiled
def _enter(ways: _Ways, first: int, last: int, beyond: int) -> int:
    """Let some clients enter, each by shortest paths; return the steps taken."""
    n = ways.spare.size
    marks = _Marks(
        np.empty(n + 1, np.int64), np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64),
        np.empty(n + 1, np.int64), np.empty(n + 1, np.int64),
    )  # fmt: skip
    tick, work = 0, 0
    for i in range(first, last):
        while ways.rest[i] > 0 and ways.back[i + 1] > ways.back[i]:
            tick += 1
            end, steps = _shortest(ways, i, marks, tick, beyond)
            work += steps
            if end == n and marks.source[n] < 0:
                break
            _augment(ways, i, end, marks, beyond)
    return work


@compiled
def _shortest(ways: _Ways, i: int, marks: _Marks, tick: int, beyond: int) -> tuple[int, int]:
    """Find the shortest way of a client to room, by Dijkstra; raise prices; → end and steps."""
    n, label, source = ways.spare.size, marks.label, marks.source
    heap = [(np.int64(beyond), np.int64(n))]
    label[n], marks.stamp[n], source[n] = beyond, tick, -1
    for q in range(ways.back[i], ways.back[i + 1]):
        c = ways.column[q]
        label[c], marks.stamp[c], source[c] = ways.travel[q] + ways.price[c], tick, -1 - q
        heapq.heappush(heap, (label[c], c))
    steps, end = 10 + 5 * len(heap), -1
    settled = [np.int64(0)]
    while end < 0:
        reached, c = heapq.heappop(heap)
        if marks.done[c] == tick or reached > label[c]:
            continue
        marks.done[c] = tick
        if c == n or ways.spare[c] > 0:
            end = int(c)
            break
        settled.append(c)
        if ways.stale[c]:
            steps += _refresh(ways, c, marks.slot, beyond)
        steps += ways.first[c + 1] - ways.first[c]
        for q in range(ways.first[c], ways.first[c + 1]):
            d = ways.other[q]
            to = reached - ways.price[c] + ways.gain[q] + ways.price[d]
            unseen = marks.stamp[d] != tick or to < label[d]
            if ways.via[q] >= 0 and marks.done[d] != tick and unseen:
                label[d], marks.stamp[d], source[d] = to, tick, q
                heapq.heappush(heap, (to, d))
    for t in range(1, len(settled)):
        ways.price[settled[t]] += label[end] - label[settled[t]]
    return end, steps


@compiled
def _augment(ways: _Ways, i: int, end: int, marks: _Marks, beyond: int) -> None:
    """Move as much as fits along the shortest way; what ends at nobody is not served."""
    n, c = ways.spare.size, end
    amount = ways.rest[i] if end == n else min(ways.rest[i], ways.spare[end])
    while marks.source[c] >= 0:
        given = ways.via[marks.source[c]]
        amount = min(amount, ways.amount[given])
        c = ways.column[given]
    ways.rest[i] -= amount
    if end < n:
        ways.spare[end] -= amount
    c = end
    while True:
        by = marks.source[c]
        given = ways.via[by] if by >= 0 else -1
        if c == n:
            ways.rest[ways.owner[given]] += amount
        else:
            taking = _entry_of(ways, ways.owner[given], c) if by >= 0 else -1 - by
            _add(ways, c, taking, amount, marks.slot, beyond)
        if by < 0:
            break
        ways.amount[given] -= amount
        c = ways.column[given]
        ways.stale[c] = ways.stale[c] or ways.amount[given] == 0


@compiled
def _add(  # noqa: PLR0917
    ways: _Ways, c: int, taking: int, amount: int, slot: np.ndarray, beyond: int
) -> None:
    """Let a column serve more of a client; what it did not serve before can be moved on."""
    if ways.amount[taking] == 0 and not ways.stale[c]:
        for q in range(ways.first[c], ways.first[c + 1]):
            slot[ways.other[q]] = q
        _offer(ways, c, taking, slot, beyond)
    ways.amount[taking] += amount


@compiled
def _entry_of(ways: _Ways, i: int, c: int) -> int:
    for q in range(ways.back[i], ways.back[i + 1]):
        if ways.column[q] == c:
            return q
    return -1


@compiled
def _nearest(ways: _Ways, first: int) -> None:
    """Let the clients from `first` on go to the nearest columns with room."""
    for i in range(first, ways.rest.size):
        while ways.rest[i] > 0:
            best = -1
            for q in range(ways.back[i], ways.back[i + 1]):
                if ways.spare[ways.column[q]] > 0 and (
                    best < 0 or ways.travel[q] < ways.travel[best]
                ):
                    best = q
            if best < 0:
                break
            amount = min(ways.rest[i], ways.spare[ways.column[best]])
            ways.amount[best] += amount
            ways.rest[i] -= amount
            ways.spare[ways.column[best]] -= amount


def _travel_gap(ways: _Ways, weight: np.ndarray, room: np.ndarray) -> float:
    """Bound how far the travel is above the least of all that serve as much, relative."""
    spent = sum(int(a) * int(t) for a, t in zip(ways.amount, ways.travel, strict=True) if a)
    if spent == 0:
        return 0.0
    reach = np.diff(ways.back) > 0
    nearest = np.minimum.reduceat(ways.travel + ways.price[ways.column], ways.back[:-1][reach])
    order = np.argsort(nearest, kind="stable")
    total = int(ways.amount.sum())
    within = np.cumsum(weight[reach][order])
    last = min(int(np.searchsorted(within, total)), order.size - 1)
    edge = int(nearest[order[last]])
    least = edge * total - sum(int(c) * int(p) for c, p in zip(room, ways.price, strict=False))
    for w, near in zip(weight[reach], nearest, strict=True):
        least += int(w) * min(0, int(near) - edge)
    return min(1.0, max(0.0, (spent - least) / spent))
