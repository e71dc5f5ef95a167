"""Cover every client at least cost: reductions, greedy repair, Lagrangean bound, proof."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import compiled, inlined
from planner.locate.presolve import restrict
from planner.locate.problem import Cover
from planner.locate.program import Program, minimise

if TYPE_CHECKING:
    from collections.abc import Iterator

_FRACTION = 1 << 16  # multipliers are whole multiples of 1 / _FRACTION when the bound is taken
_ROUNDS, _STEPS = 40, 40  # of the subgradient: a greedy repair after every round
_REPAIR_WORK = 4e8  # entries that all repairs of the search may look at
_REPAIRS = (30, 1500)
# Above so many entries HiGHS takes minutes: the Lagrangean bound stands alone then.
_MIP_ENTRIES = 60_000
_MIP_NODES = 5_000


class Answer(NamedTuple):
    """Chosen columns, sorted, and what no choice is under."""

    chosen: np.ndarray
    bound: int


class Reduced(NamedTuple):
    """What is left of a covering problem, and the columns that every best choice may open.

    Attributes
    ----------
    cover, cost
        Of the columns and clients left.
    columns
        Number of each column left in the larger problem.
    forced
        Columns of the larger problem that are opened.
    """

    cover: Cover
    cost: np.ndarray
    columns: np.ndarray
    forced: np.ndarray


def as_cover(pattern: sparse.csc_array) -> Cover:
    """Return a sparse pattern, clients × columns with sorted indices, as a cover."""
    rows = sparse.csr_array(pattern)
    rows.sort_indices()
    return Cover(
        pattern.indptr.astype(np.int64),
        pattern.indices.astype(np.int32),
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.int32),
    )


def cover_all(
    cover: Cover,
    cost: np.ndarray,
    *,
    unit: int = 1,
    enough: int | None = None,
    gap: float = 0.0,
    rng: np.random.Generator,
    deadline: float = math.inf,
) -> Answer:
    """Choose columns that cover every client at least cost.

    Parameters
    ----------
    cover
        Every client is covered by at least one column.
    cost
        int64 of every column, not negative.
    unit
        Divides every cost.
    enough
        A choice of at most this cost will do, and whether there is one is all that is asked.
    gap
        Stop when proven this close, relative to the cost.
    rng
        Of the repairs.
    deadline
        `time.perf_counter()` at which to stop proving.

    Notes
    -----
    Minimise Σ_j c_j x_j with Σ_j a_ij x_j ≥ 1 for every client i (Toregas et al. 1971). A client
    that is covered whenever another is, and a column that a cheaper one covers, are dropped in
    turns (Beasley 1987, "An algorithm for set covering problem"). Any multipliers u ≥ 0 give the
    bound Σ_i u_i + Σ_j min(0, c_j - Σ_i a_ij u_i); those of a subgradient search are rounded and
    the bound taken in integers. Greedy choices by reduced costs follow Caprara, Fischetti & Toth
    (1999), "A heuristic method for the set covering problem".
    """
    whole = cost.astype(np.int64)
    quick = construct(cover, whole.astype(float), np.zeros(cover.back.size - 1), _NONE)
    if enough is not None and int(whole[quick].sum()) <= enough:
        return Answer(quick, 0)
    small = reduce_cover(cover, whole)
    base = int(whole[small.forced].sum())
    search = _Search(small, quick, base, unit, enough)
    search.improve(rng, gap, deadline)
    if search.open(gap) and time.perf_counter() < deadline:
        search.prove(gap, deadline)
    chosen = np.sort(np.concatenate([small.forced, small.columns[search.chosen]]))
    if int(whole[quick].sum()) <= int(whole[chosen].sum()):
        chosen = quick
    return Answer(chosen, min(search.bound, int(whole[chosen].sum())))


_NONE = np.empty(0, dtype=np.int64)


class _Search:
    """The best choice of a reduced problem and its bound, improved in place."""

    def __init__(
        self, small: Reduced, quick: np.ndarray, base: int, unit: int, enough: int | None
    ) -> None:
        self.small, self.base, self.unit = small, base, unit
        self.enough = -1 if enough is None else enough
        self.cover, self.cost = small.cover, small.cost
        self.floating = self.cost.astype(float)
        self.u = _first_multipliers(self.cover, self.floating)
        self.chosen = construct(self.cover, self.floating, np.zeros(self.u.size), _NONE)
        kept = np.flatnonzero(np.isin(small.columns, quick))
        self._take(construct(self.cover, self.floating, np.zeros(self.u.size), kept))
        self.bound = base
        self.reduced = self.cost * _FRACTION  # exact reduced costs at the best multipliers
        self.exact = 0  # the bound at them, in the same unit, `base` left out

    @property
    def value(self) -> int:
        return self.base + int(self.cost[self.chosen].sum())

    @property
    def cutoff(self) -> int:
        """Only choices under this are of interest."""
        return self.value if self.enough < 0 else min(self.value, self.enough + self.unit)

    def open(self, gap: float) -> bool:
        """Tell whether there is anything left to find or to prove."""
        if self.value <= self.enough or self.bound >= self.cutoff:
            return False
        return self.enough >= 0 or self.value - self.bound > gap * self.value

    def _take(self, chosen: np.ndarray) -> None:
        if self.cost[chosen].sum() < self.cost[self.chosen].sum():
            self.chosen = chosen

    def improve(self, rng: np.random.Generator, gap: float, deadline: float) -> None:
        """Raise the bound by a subgradient search, and repair choices by its prices."""
        self._certify(self.u)
        u, state = self.u.copy(), np.array([1.0, -math.inf, 0.0])
        for k in range(_ROUNDS):
            if not self.open(gap) or time.perf_counter() > deadline or state[0] < 1e-3:
                break
            target = float(self.cutoff - self.base)
            ascend(self.cover, self.floating, u, self.u, state, target, _STEPS)
            self._certify(self.u)
            self._take(construct(self.cover, self.floating, u, _NONE))
            if k == _ROUNDS // 4:
                self._repair(rng, gap, deadline)
        if self.open(gap):
            self._repair(rng, gap, deadline)

    def _repair(self, rng: np.random.Generator, gap: float, deadline: float) -> None:
        """Close a site and those around it, and cover again what they covered."""
        work = max(1, self.cover.client.size)
        for k in range(int(np.clip(_REPAIR_WORK / work, *_REPAIRS)) // 2):
            if self.chosen.size == 0 or not self.open(gap):
                return
            if k % 16 == 0 and time.perf_counter() > deadline:
                return
            out = self._around(int(rng.choice(self.chosen)), int(rng.integers(2, 9)))
            noise = self.u * rng.uniform(0.6, 1.4, self.u.size)
            kept = self.chosen[~np.isin(self.chosen, out)]
            again = construct(self.cover, self.floating, noise, kept)
            if self.cost[again].sum() <= self.cost[self.chosen].sum():
                self.chosen = again

    def _around(self, site: int, count: int) -> np.ndarray:
        """Return the site and the chosen that share most with its neighbours."""
        near = self._neighbours(np.array([site]))
        both = np.intersect1d(near, self.chosen)
        if both.size < count:
            both = np.intersect1d(self._neighbours(near), self.chosen)
        order = np.argsort(
            np.abs(np.searchsorted(both, site) - np.arange(both.size)), kind="stable"
        )
        return np.append(both[order[:count]], site)

    def _neighbours(self, columns: np.ndarray) -> np.ndarray:
        rows = np.unique(_gather(self.cover.start, self.cover.client, columns))
        return np.unique(_gather(self.cover.back, self.cover.candidate, rows))

    def _certify(self, u: np.ndarray) -> None:
        """Evaluate the bound at multipliers in integers."""
        room = math.log2(max(1.0, float(u.sum()), float(self.cost.sum())))
        factor = min(_FRACTION, 1 << max(0, 61 - math.ceil(room)))
        fixed = np.floor(u * factor).astype(np.int64)
        reduced = self.cost * factor - collect(self.cover, fixed)
        exact = int(fixed.sum()) + int(np.minimum(reduced, 0).sum())
        bound = self.base + _up(-(-exact // factor), self.unit)
        if exact * _FRACTION > self.exact * factor or not self.exact:
            self.reduced, self.exact = (
                reduced * (_FRACTION // factor),
                exact * (_FRACTION // factor),
            )
        self.bound = max(self.bound, bound)

    def prove(self, gap: float, deadline: float) -> None:
        """Fix by reduced costs, reduce again, and solve each component."""
        room = (self.cutoff - self.base - self.unit) * _FRACTION - self.exact
        opened = np.flatnonzero(self.reduced < -room)
        keep = np.flatnonzero((self.reduced <= room) & (self.reduced >= -room))
        alive = np.ones(self.u.size, dtype=bool)
        alive[_gather(self.cover.start, self.cover.client, opened)] = False
        reach = np.zeros(self.u.size, dtype=bool)
        reach[_gather(self.cover.start, self.cover.client, keep)] = True
        if not reach[alive].all():
            self.bound = self.cutoff
            return
        cover, _ = restrict(self.cover, np.zeros(self.u.size, dtype=np.int64), keep, alive)
        again = reduce_cover(cover, self.cost[keep])
        sure = np.concatenate([opened, keep[again.forced]])
        base = self.base + int(self.cost[sure].sum())
        parts = list(_components(again.cover))
        if max((entries for *_, entries in parts), default=0) > _MIP_ENTRIES:
            return
        lower, found = base, [sure]
        spare = 0 if self.enough >= 0 else math.floor(gap * self.value / max(1, len(parts)))
        for columns, rows, _ in parts:
            left = deadline - time.perf_counter()
            part = _solve(again, columns, rows, self.unit, spare, left)
            lower += part.bound
            found.append(keep[again.columns[part.chosen]])
        every = np.unique(np.concatenate(found))
        self._take(construct(self.cover, self.floating, np.zeros(self.u.size), every))
        self.bound = max(self.bound, min(self.cutoff if self.enough >= 0 else self.value, lower))


def reduce_cover(cover: Cover, cost: np.ndarray) -> Reduced:
    """Drop implied clients and dominated columns in turns; open what alone covers a client."""
    columns = np.arange(cover.start.size - 1)
    forced = [_NONE]
    cost = cost.astype(np.int64)
    while True:
        before = (columns.size, cover.back.size)
        every = np.arange(columns.size)
        cover = _keep(cover, every, ~implied(cover))
        kept = np.flatnonzero(~outdone(cover, cost))
        cover = _keep(cover, kept, np.ones(cover.back.size - 1, dtype=bool))
        columns, cost = columns[kept], cost[kept]
        single = np.flatnonzero(np.diff(cover.back) == 1)
        sure = np.unique(cover.candidate[cover.back[single]]).astype(np.int64)
        if sure.size:
            forced.append(columns[sure])
            alive = np.ones(cover.back.size - 1, dtype=bool)
            alive[_gather(cover.start, cover.client, sure)] = False
            kept = np.setdiff1d(np.arange(columns.size), sure)
            cover = _keep(cover, kept, alive)
            columns, cost = columns[kept], cost[kept]
        if (columns.size, cover.back.size) == before:
            return Reduced(cover, cost, columns, np.sort(np.concatenate(forced)))


def _keep(cover: Cover, columns: np.ndarray, alive: np.ndarray) -> Cover:
    return restrict(cover, np.zeros(alive.size, dtype=np.int64), columns, alive)[0]


def _gather(start: np.ndarray, items: np.ndarray, which: np.ndarray) -> np.ndarray:
    if which.size == 0:
        return items[:0]
    return np.concatenate([items[start[k] : start[k + 1]] for k in which])


def _first_multipliers(cover: Cover, cost: np.ndarray) -> np.ndarray:
    """Share each column's cost among its clients; each client takes the least share."""
    share = cost / np.maximum(1, np.diff(cover.start))
    if cover.candidate.size == 0:
        return np.zeros(cover.back.size - 1)
    return np.minimum.reduceat(share[cover.candidate], cover.back[:-1])


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _components(cover: Cover) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Columns, clients and entries of each part that shares nothing with the others."""
    n, m = cover.start.size - 1, cover.back.size - 1
    owner = np.repeat(np.arange(n), np.diff(cover.start))
    links = sparse.coo_array((np.ones(owner.size), (owner, n + cover.client)), shape=(n + m, n + m))
    parts, label = sparse.csgraph.connected_components(links, directed=False)
    columns, rows = np.argsort(label[:n], kind="stable"), np.argsort(label[n:], kind="stable")
    steps = np.arange(parts + 1)
    split = np.searchsorted(label[:n][columns], steps), np.searchsorted(label[n:][rows], steps)
    degree = np.diff(cover.start)
    for k in range(parts):
        mine = columns[split[0][k] : split[0][k + 1]]
        yield mine, rows[split[1][k] : split[1][k + 1]], int(degree[mine].sum())


def _solve(  # noqa: PLR0917
    small: Reduced, columns: np.ndarray, rows: np.ndarray, unit: int, spare: int, left: float
) -> Answer:
    """Solve one component by HiGHS; without a better point the greedy choice stands."""
    cover, cost = small.cover, small.cost[columns]
    alive = np.zeros(cover.back.size - 1, dtype=bool)
    alive[rows] = True
    part = _keep(cover, columns, alive)
    greedy = construct(part, cost.astype(float), np.zeros(part.back.size - 1), _NONE)
    n, m = columns.size, part.back.size - 1
    start = np.zeros(n)
    start[greedy] = 1.0
    outcome = minimise(
        Program(
            cost.astype(float),
            np.ones(n),
            sparse.csr_array((np.ones(part.candidate.size), part.candidate, part.back), (m, n)),
            np.ones(m),
            np.full(m, np.inf),
            np.ones(n, dtype=bool),
        ),
        abs_gap=max(spare, unit - 0.01),
        nodes=_MIP_NODES,
        time_limit_s=left,
        start=start,
    )
    best = greedy
    if outcome.values is not None:
        found = np.flatnonzero(outcome.values > 0.5)
        if covers(part, found) and cost[found].sum() < cost[greedy].sum():
            best = found
    bound = _up(math.ceil(outcome.bound), unit) if math.isfinite(outcome.bound) else 0
    return Answer(columns[best], max(0, min(bound, int(cost[best].sum()))))


def covers(cover: Cover, chosen: np.ndarray) -> bool:
    """Tell whether a choice covers every client."""
    seen = np.zeros(cover.back.size - 1, dtype=bool)
    seen[_gather(cover.start, cover.client, chosen)] = True
    return bool(seen.all())


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
        rare = candidate[back[k]]
        for q in range(back[k], back[k + 1]):
            j = candidate[q]
            if cover.start[j + 1] - cover.start[j] < cover.start[rare + 1] - cover.start[rare]:
                rare = j
        for t in range(cover.start[rare], cover.start[rare + 1]):
            i = cover.client[t]
            if i == k or dead[i] or degree[i] < degree[k] or (degree[i] == degree[k] and i < k):
                continue
            if _inside(back, candidate, k, i):
                dead[i] = True
    return dead


@compiled
def outdone(cover: Cover, cost: np.ndarray) -> np.ndarray:
    """Tell which columns another covers at no higher cost; of equals the first stays."""
    start, client = cover.start, cover.client
    n = start.size - 1
    dead = np.zeros(n, np.bool_)
    for j in range(n):
        size = start[j + 1] - start[j]
        if size == 0:
            dead[j] = True
            continue
        rare = client[start[j]]
        for k in range(start[j], start[j + 1]):
            i = client[k]
            if cover.back[i + 1] - cover.back[i] < cover.back[rare + 1] - cover.back[rare]:
                rare = i
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


@compiled
def construct(  # noqa: C901, PLR0912
    cover: Cover, cost: np.ndarray, u: np.ndarray, kept: np.ndarray
) -> np.ndarray:
    """Cover every client greedily by reduced cost per client, then drop what is not needed.

    Returns the choice sorted; it starts from the columns `kept`. Ties go to the smallest.
    """
    n, m = cover.start.size - 1, cover.back.size - 1
    times = np.zeros(m, np.int64)
    inside = np.zeros(n, np.bool_)
    fresh = np.zeros(n, np.int64)
    price = cost.copy()
    for j in range(n):
        fresh[j] = cover.start[j + 1] - cover.start[j]
        for k in range(cover.start[j], cover.start[j + 1]):
            price[j] -= u[cover.client[k]]
    left, turn = m, 0
    while left > 0:
        best, lead = -1, np.inf
        if turn < kept.size:
            best = kept[turn]
            turn += 1
        else:
            for j in range(n):
                if fresh[j] > 0 and not inside[j]:
                    score = price[j] / fresh[j] if price[j] > 0.0 else price[j] * fresh[j]
                    if score < lead:
                        best, lead = j, score
        inside[best] = True
        for k in range(cover.start[best], cover.start[best + 1]):
            i = cover.client[k]
            times[i] += 1
            if times[i] == 1:
                left -= 1
                for q in range(cover.back[i], cover.back[i + 1]):
                    fresh[cover.candidate[q]] -= 1
                    price[cover.candidate[q]] += u[i]
    line = np.flatnonzero(inside)
    for j in line[np.argsort(-cost[line], kind="mergesort")]:
        spare = True
        for k in range(cover.start[j], cover.start[j + 1]):
            if times[cover.client[k]] == 1:
                spare = False
                break
        if spare:
            inside[j] = False
            for k in range(cover.start[j], cover.start[j + 1]):
                times[cover.client[k]] -= 1
    return np.flatnonzero(inside)


@compiled
def collect(cover: Cover, value: np.ndarray) -> np.ndarray:
    """Add up a whole value over each column's clients."""
    out = np.zeros(cover.start.size - 1, np.int64)
    for j in range(out.size):
        for k in range(cover.start[j], cover.start[j + 1]):
            out[j] += value[cover.client[k]]
    return out


@compiled
def ascend(  # noqa: C901, PLR0917
    cover: Cover,
    cost: np.ndarray,
    u: np.ndarray,
    best: np.ndarray,
    state: np.ndarray,
    target: float,
    steps: int,
) -> None:
    """Take subgradient steps from `u` in place; `best` keeps the multipliers of the best bound.

    `state` holds the step's share of the way, the best bound and the steps since it rose.
    """
    n, m = cost.size, u.size
    slack = np.empty(m)
    for _ in range(steps):
        slack[:] = 1.0
        bound = u.sum()
        for j in range(n):
            price = cost[j]
            for k in range(cover.start[j], cover.start[j + 1]):
                price -= u[cover.client[k]]
            if price < 0.0:
                bound += price
                for k in range(cover.start[j], cover.start[j + 1]):
                    slack[cover.client[k]] -= 1.0
        if bound > state[1]:
            state[2] = state[2] + 1 if bound < state[1] + 1e-4 * abs(target - state[1]) else 0.0
            state[1] = bound
            best[:] = u
        else:
            state[2] += 1.0
        if state[2] > 15.0:
            state[0] *= 0.6
            state[2] = 0.0
            u[:] = best
        norm = 0.0
        for i in range(m):
            if u[i] > 0.0 or slack[i] > 0.0:
                norm += slack[i] * slack[i]
        if norm == 0.0:
            break
        length = state[0] * max(target * 1.01 - bound, 1e-6 * abs(target)) / norm
        for i in range(m):
            u[i] = max(0.0, u[i] + length * slack[i])
