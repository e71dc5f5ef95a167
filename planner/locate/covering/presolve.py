"""Make a covering problem smaller without changing its optimum."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, inlined
from planner.locate.covering.order import order_clients
from planner.locate.problem import Cover

if TYPE_CHECKING:
    from planner.locate.problem import Limits, Problem


class Core(NamedTuple):
    """The part of a problem that is worth deciding.

    Attributes
    ----------
    cover
        Kept candidates × merged clients.
    columns
        The original column of each kept candidate, ascending.
    group
        The merged client of each demand row; -1 where covered already or out of everyone's reach.
    """

    cover: Cover
    columns: np.ndarray
    group: np.ndarray

    def weigh(self, whole: np.ndarray) -> np.ndarray:
        """Return integer weights of the merged clients from those of the demand rows."""
        return add_up(whole, self.group, self.cover.back.size - 1)


def make_core(problem: Problem, xy: np.ndarray | None = None) -> Core:
    """Drop covered clients, merge clients alike, drop dominated candidates, put clients in order.

    No step looks at weights, so one core serves every weighting of the demand. Dominated
    candidates stay where costs or conflicts could make them worth choosing. Clients are numbered
    so that those near each other have near numbers, `xy` of all candidates being a hint.

    Notes
    -----
    The reductions are those of Church, R. L. & ReVelle, C. (1974), "The maximal covering location
    problem", and of Daskin, M. S. (1995), "Network and discrete location", section 4.3.
    """
    matrix = problem.matrix
    keep = problem.free
    start, client, group = _merge(matrix.indptr, matrix.indices, keep, ~problem.open_rows)
    cover = _two_way(start, client, int(group.max(initial=-1)) + 1)
    if problem.plain:
        alive = np.flatnonzero(~outdone(cover, np.zeros(keep.size, dtype=np.int64)))
        if alive.size < keep.size:
            keep = keep[alive]
            everyone = np.ones(cover.back.size - 1, dtype=np.bool_)
            start, client, again = _merge(cover.start, cover.client, alive, everyone)
            group = np.append(again, -1)[group]
            cover = _two_way(start, client, int(again.max(initial=-1)) + 1)
    place = order_clients(cover, None if xy is None else np.asarray(xy, dtype=np.float64)[keep])
    return Core(_renumber(cover, place), keep, np.append(place, -1)[group])


def core_limits(problem: Problem, core: Core) -> Limits:
    """Return the limits of the core: candidates are only missing where nothing else binds."""
    limits = problem.limits
    if core.columns.size == problem.free.size:
        return limits
    empty = np.zeros(core.columns.size + 1, dtype=np.int64)
    return limits._replace(cost=np.ones(core.columns.size), start=empty, rival=empty[:0])


def restrict(
    cover: Cover, weight: np.ndarray, keep: np.ndarray, alive: np.ndarray
) -> tuple[Cover, np.ndarray]:
    """Keep some candidates and the clients alive; merge clients that have become alike.

    Returns the smaller cover and the merged clients' weights, added up.
    """
    start, client, group = _merge(cover.start, cover.client, keep, alive)
    merged = add_up(weight, group, int(group.max(initial=-1)) + 1)
    return _two_way(start, client, merged.size), merged


class Reduced(NamedTuple):
    """What `reduce` leaves.

    Attributes
    ----------
    cover, weight
        The smaller problem.
    keep
        Its candidates, as columns of the larger one.
    group
        The new number of each client, -1 if dropped.
    """

    cover: Cover
    weight: np.ndarray
    keep: np.ndarray
    group: np.ndarray


def reduce(cover: Cover, weight: np.ndarray, keep: np.ndarray, alive: np.ndarray) -> Reduced:
    """Restrict a problem that nothing but the count limits, and drop the dominated."""
    start, client, group = _merge(cover.start, cover.client, keep, alive)
    small = _two_way(start, client, int(group.max(initial=-1)) + 1)
    left = np.flatnonzero(~outdone(small, np.zeros(keep.size, dtype=np.int64)))
    if left.size < keep.size:
        everyone = np.ones(small.back.size - 1, dtype=np.bool_)
        start, client, again = _merge(small.start, small.client, left, everyone)
        group = np.append(again, -1)[group]
        small = _two_way(start, client, int(again.max(initial=-1)) + 1)
    return Reduced(small, add_up(weight, group, small.back.size - 1), keep[left], group)


def merge_clients(
    start: np.ndarray, client: np.ndarray, clients: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge clients that the same candidates cover; drop those that none covers.

    Returns
    -------
    start, client
        The covers over merged clients, numbered by their first member.
    group
        The merged client of every client, -1 if dropped.
    """
    everyone = np.ones(clients, dtype=np.bool_)
    return _merge(start, client, np.arange(start.size - 1), everyone)


def _merge(
    start: np.ndarray, client: np.ndarray, keep: np.ndarray, alive: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge what the kept candidates leave alike among the clients alive.

    Notes
    -----
    Clients alike have the same two 64-bit sums of their candidates' random keys. That the converse
    holds is checked: every candidate covers all of a group or none of it. Were there ever a
    collision, other keys would be drawn.
    """
    for seed in count():
        keys = np.random.default_rng(seed).integers(
            1, np.iinfo(np.int64).max, size=(keep.size, 2), dtype=np.int64
        )
        group, size = _groups(_sums(start, client, keep, alive, keys))
        if _uniform(start, client, keep, alive, group, size):
            break
    return (*_leaders_only(start, client, keep, group), group)


def add_up(value: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Return int64 sums of a value over the members of each group; -1 is no group."""
    total = np.zeros(groups, dtype=np.int64)
    _add_up(value, group, total)
    return total


@compiled
def _add_up(value: np.ndarray, group: np.ndarray, total: np.ndarray) -> None:
    for i in range(group.size):
        if group[i] >= 0:
            total[group[i]] += value[i]


@compiled
def _sums(
    start: np.ndarray, client: np.ndarray, keep: np.ndarray, alive: np.ndarray, keys: np.ndarray
) -> np.ndarray:
    """Add up the keys of the candidates that cover each client, modulo 2**64."""
    sums = np.zeros((alive.size, 2), np.int64)
    for t in range(keep.size):
        one, two = keys[t, 0], keys[t, 1]
        for k in range(start[keep[t]], start[keep[t] + 1]):
            i = client[k]
            if alive[i]:
                sums[i, 0] += one
                sums[i, 1] += two
    return sums


@compiled
def _groups(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give equal pairs of sums one number, by their first member; return the sizes beside."""
    m = sums.shape[0]
    slots = 2
    while slots < 2 * m:
        slots *= 2
    table = np.full(slots, -1, np.int64)
    group = np.full(m, -1, np.int64)
    leader = np.empty(m, np.int64)
    size = np.zeros(m, np.int64)
    found = 0
    for i in range(m):
        one, two = sums[i, 0], sums[i, 1]
        if one == 0 and two == 0:
            continue
        at = (one ^ (one >> 31)) & (slots - 1)
        while True:
            g = table[at]
            if g < 0:
                g = found
                table[at], leader[g] = g, i
                found += 1
                break
            if sums[leader[g], 0] == one and sums[leader[g], 1] == two:
                break
            at = (at + 1) & (slots - 1)
        group[i] = g
        size[g] += 1
    return group, size[:found].copy()


@compiled
def _uniform(  # noqa: PLR0917
    start: np.ndarray,
    client: np.ndarray,
    keep: np.ndarray,
    alive: np.ndarray,
    group: np.ndarray,
    size: np.ndarray,
) -> bool:
    """Tell whether every kept candidate covers all of a group or none of it."""
    tally = np.zeros(size.size, np.int64)
    for j in keep:
        for k in range(start[j], start[j + 1]):
            g = group[client[k]]
            if g >= 0:
                tally[g] += 1
            elif alive[client[k]]:
                return False
        for k in range(start[j], start[j + 1]):
            g = group[client[k]]
            if g >= 0:
                if tally[g] != 0 and tally[g] != size[g]:
                    return False
                tally[g] = 0
    return True


@compiled
def _leaders_only(
    start: np.ndarray, client: np.ndarray, keep: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kept covers over groups, each group where its first member stood."""
    leads = np.zeros(group.size, np.bool_)
    seen = 0
    for i in range(group.size):  # groups are numbered by their first member
        if group[i] == seen:
            leads[i] = True
            seen += 1
    short = np.zeros(keep.size + 1, np.int64)
    for t in range(keep.size):
        length = 0
        for k in range(start[keep[t]], start[keep[t] + 1]):
            length += leads[client[k]]
        short[t + 1] = short[t] + length
    out = np.empty(short[-1], np.int32)
    at = 0
    for j in keep:
        for k in range(start[j], start[j + 1]):
            if leads[client[k]]:
                out[at] = group[client[k]]
                at += 1
    return short, out


def _two_way(start: np.ndarray, client: np.ndarray, clients: int) -> Cover:
    return Cover(start, client, *_transpose(start, client, clients))


def _renumber(cover: Cover, place: np.ndarray) -> Cover:
    """Give the clients other numbers; each list stays sorted."""
    clients = cover.back.size - 1
    back, candidate = _transpose(cover.start, place[cover.client].astype(np.int32), clients)
    start, client = _transpose(back, candidate, cover.start.size - 1)
    return Cover(start, client, back, candidate)


@compiled
def _transpose(
    start: np.ndarray, client: np.ndarray, clients: int
) -> tuple[np.ndarray, np.ndarray]:
    back = np.zeros(clients + 1, np.int64)
    for k in range(client.size):
        back[client[k] + 1] += 1
    for i in range(clients):
        back[i + 1] += back[i]
    place = back.copy()
    candidate = np.empty(client.size, np.int32)
    for j in range(start.size - 1):
        for k in range(start[j], start[j + 1]):
            candidate[place[client[k]]] = j
            place[client[k]] += 1
    return back, candidate


@inlined
def _inside(start, items, inner, outer):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Tell whether one sorted list holds all of another."""
    b = start[outer]
    found = True
    for a in range(start[inner], start[inner + 1]):
        while b < start[outer + 1] and items[b] < items[a]:
            b += 1
        if b == start[outer + 1] or items[b] != items[a]:
            found = False
            break
    return found


@inlined
def _rarest(start, items, holders, which):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the item of a list that is in the fewest lists, by the starts of its holders."""
    rare = items[start[which]]
    for q in range(start[which], start[which + 1]):
        item = items[q]
        if holders[item + 1] - holders[item] < holders[rare + 1] - holders[rare]:
            rare = item
    return rare


@compiled
def implied(cover: Cover) -> np.ndarray:
    """Tell which clients are covered whenever another is; of equals the first stays."""
    back, candidate = cover.back, cover.candidate
    m = back.size - 1
    dead = np.zeros(m, np.bool_)
    degree = back[1:] - back[:-1]
    for k in np.argsort(degree, kind="mergesort"):
        if dead[k] or degree[k] == 0:
            continue
        rare = _rarest(back, candidate, cover.start, k)
        for t in range(cover.start[rare], cover.start[rare + 1]):
            i = cover.client[t]
            if i == k or dead[i] or degree[i] < degree[k] or (degree[i] == degree[k] and i < k):
                continue
            if _inside(back, candidate, k, i):
                dead[i] = True
    return dead


@compiled
def outdone(cover: Cover, cost: np.ndarray) -> np.ndarray:
    """Tell which candidates another covers at no higher cost; of equals the first stays.

    A dominator covers all of j's clients, so it is among those that cover j's rarest client.
    """
    start, client = cover.start, cover.client
    n = start.size - 1
    dead = np.zeros(n, np.bool_)
    for j in range(n):
        size = start[j + 1] - start[j]
        if size == 0:
            dead[j] = True
            continue
        rare = _rarest(start, client, cover.back, j)
        for q in range(cover.back[rare], cover.back[rare + 1]):
            other = cover.candidate[q]
            length = start[other + 1] - start[other]
            if other == j or dead[other] or length < size or cost[other] > cost[j]:
                continue
            if length == size and cost[other] == cost[j] and other > j:
                continue
            if _inside(start, client, j, other):
                dead[j] = True
                break
    return dead
