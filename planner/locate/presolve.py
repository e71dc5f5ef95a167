"""Make a covering problem smaller without changing its optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.problem import Cover

if TYPE_CHECKING:
    from planner.locate.problem import Problem


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
        inside = self.group >= 0
        weight = np.zeros(self.cover.back.size - 1, dtype=np.int64)
        np.add.at(weight, self.group[inside], whole[inside])
        return weight


def make_core(problem: Problem) -> Core:
    """Drop covered clients, merge clients alike, drop dominated candidates.

    Neither step looks at weights, so one core serves every weighting of the demand. Dominated
    candidates stay where costs or conflicts could make them worth choosing.

    Notes
    -----
    The reductions are those of Church, R. L. & ReVelle, C. (1974), "The maximal covering location
    problem", and of Daskin, M. S. (1995), "Network and discrete location", section 4.3.
    """
    matrix = problem.matrix
    start, client = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    start, client = _pick(start, client, problem.free)
    start, client = _alive(start, client, ~problem.open_rows)
    start, client, group = merge_clients(start, client, matrix.shape[0])
    cover = _two_way(start, client, int(group.max(initial=-1)) + 1)
    keep = np.arange(problem.free.size)
    if problem.plain:
        keep = np.flatnonzero(~_dominated(cover))
        if keep.size < problem.free.size:
            start, client = _pick(cover.start, cover.client, keep)
            start, client, again = merge_clients(start, client, cover.back.size - 1)
            group = np.append(again, -1)[group]
            cover = _two_way(start, client, int(again.max(initial=-1)) + 1)
    return Core(cover, problem.free[keep], group)


def restrict(
    cover: Cover, weight: np.ndarray, keep: np.ndarray, alive: np.ndarray
) -> tuple[Cover, np.ndarray]:
    """Keep some candidates and the clients alive; merge clients that have become alike.

    Returns the smaller cover and the merged clients' weights, added up.
    """
    start, client = _pick(cover.start, cover.client, keep)
    start, client = _alive(start, client, alive)
    start, client, group = merge_clients(start, client, weight.size)
    merged = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(merged, group[group >= 0], weight[group >= 0])
    return _two_way(start, client, merged.size), merged


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

    Notes
    -----
    Clients are sorted by two 64-bit sums of random keys; each is then compared with the first of
    its group, candidate by candidate, so a collision of hashes cannot merge what differs.
    """
    cover = _two_way(start, client, clients)
    degree = np.diff(cover.back)
    keys = np.random.default_rng(0).integers(
        1, np.iinfo(np.int64).max, size=(start.size - 1, 2), dtype=np.int64
    )
    first, second = _hash(cover.back, cover.candidate, keys.view(np.uint64))
    order = np.lexsort((np.arange(clients), second, first, degree))
    leader = _leaders(cover.back, cover.candidate, first, second, order)
    leader[degree == 0] = -1
    heads = np.unique(leader[leader >= 0])
    number = np.full(clients, -1, dtype=np.int64)
    number[heads] = np.arange(heads.size)
    group = np.where(leader >= 0, number[leader], -1)
    short, kept = _alive(start, client, number >= 0)
    return short, number[kept].astype(np.int32), group


def _alive(
    start: np.ndarray, client: np.ndarray, alive: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the covers of the clients alive only; clients keep their numbers."""
    kept = alive[client]
    total = np.zeros(client.size + 1, dtype=np.int64)
    np.cumsum(kept, out=total[1:])
    return total[start], client[kept]


@compiled
def _pick(start: np.ndarray, client: np.ndarray, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    short = np.zeros(keep.size + 1, np.int64)
    for t in range(keep.size):
        short[t + 1] = short[t] + start[keep[t] + 1] - start[keep[t]]
    out = np.empty(short[-1], np.int32)
    for t in range(keep.size):
        out[short[t] : short[t + 1]] = client[start[keep[t]] : start[keep[t] + 1]]
    return short, out


def _two_way(start: np.ndarray, client: np.ndarray, clients: int) -> Cover:
    return Cover(start, client, *_transpose(start, client, clients))


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


@compiled
def _hash(
    back: np.ndarray, candidate: np.ndarray, keys: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    first = np.zeros(back.size - 1, np.uint64)
    second = np.zeros(back.size - 1, np.uint64)
    for i in range(back.size - 1):
        for k in range(back[i], back[i + 1]):
            first[i] += keys[candidate[k], 0]
            second[i] += keys[candidate[k], 1]
    return first, second


@compiled
def _leaders(
    back: np.ndarray,
    candidate: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    order: np.ndarray,
) -> np.ndarray:
    """Find the smallest client alike; `order` brings those alike together, smallest first."""
    leader = np.empty(order.size, np.int64)
    head = -1
    for i in order:
        alike = head >= 0 and first[i] == first[head] and second[i] == second[head]
        alike = alike and back[i + 1] - back[i] == back[head + 1] - back[head]
        if alike:
            for k in range(back[i + 1] - back[i]):
                if candidate[back[i] + k] != candidate[back[head] + k]:
                    alike = False
                    break
        if not alike:
            head = i
        leader[i] = head
    return leader


@compiled
def _dominated(cover: Cover) -> np.ndarray:
    """Tell which candidates another covers wholly; of equals the first stays.

    A dominator covers all of j's clients, so it is among those that cover j's rarest client.
    """
    n = cover.start.size - 1
    dead = np.zeros(n, np.bool_)
    for j in range(n):
        size = cover.start[j + 1] - cover.start[j]
        if size == 0:
            dead[j] = True
            continue
        rare = cover.client[cover.start[j]]
        for k in range(cover.start[j], cover.start[j + 1]):
            i = cover.client[k]
            if cover.back[i + 1] - cover.back[i] < cover.back[rare + 1] - cover.back[rare]:
                rare = i
        for q in range(cover.back[rare], cover.back[rare + 1]):
            other = cover.candidate[q]
            length = cover.start[other + 1] - cover.start[other]
            if other == j or dead[other] or length < size or (length == size and other > j):
                continue
            if _subset(cover.start, cover.client, j, other):
                dead[j] = True
                break
    return dead


@compiled
def _subset(start: np.ndarray, client: np.ndarray, inner: int, outer: int) -> bool:
    b = start[outer]
    for a in range(start[inner], start[inner + 1]):
        while b < start[outer + 1] and client[b] < client[a]:
            b += 1
        if b == start[outer + 1] or client[b] != client[a]:
            return False
    return True
