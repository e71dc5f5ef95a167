"""Cover every client at least cost: reductions, greedy repair, Lagrangean bound, proof."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.locate.covering.presolve import restrict
from planner.locate.program import Program, minimise
from planner.locate.setcover.bound import FRACTION, Relaxation, certify
from planner.locate.setcover.reduce import NONE, gather, keep_part, reduce_cover
from planner.locate.setcover.search import construct, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.locate.problem import Cover
    from planner.locate.setcover.reduce import Reduced

_ROUNDS, _STEPS = 60, 40  # of the relaxation: a greedy choice by its prices after each round
# Above so many entries HiGHS takes minutes: the Lagrangean bound stands alone then.
_MIP_ENTRIES = 60_000
_MIP_NODES = 5_000


class Answer(NamedTuple):
    """Chosen columns, sorted, and what no choice is under."""

    chosen: np.ndarray
    bound: int


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
        `working_seconds()` at which to stop proving.

    Notes
    -----
    Minimise Σ_j c_j x_j with Σ_j a_ij x_j ≥ 1 for every client i (Toregas et al. 1971). A client
    that is covered whenever another is, and a column that a cheaper one covers, are dropped in
    turns (Beasley 1987, "An algorithm for set covering problem"). Any multipliers u ≥ 0 give the
    bound Σ_i u_i + Σ_j min(0, c_j - Σ_i a_ij u_i); those of the relaxation are rounded and the
    bound taken in integers. Greedy choices by reduced costs follow Caprara, Fischetti & Toth
    (1999), "A heuristic method for the set covering problem".
    """
    whole = cost.astype(np.int64)
    quick = construct(cover, whole.astype(float), np.zeros(cover.back.size - 1), NONE)
    if enough is not None and int(whole[quick].sum()) <= enough:
        return Answer(quick, 0)
    small = reduce_cover(cover, whole)
    base = int(whole[small.forced].sum())
    search = _Search(small, quick, base, unit, enough)
    search.improve(rng, gap, deadline)
    if search.open(gap) and working_seconds() < deadline:
        search.prove(gap, deadline)
    chosen = np.sort(np.concatenate([small.forced, small.columns[search.chosen]]))
    if int(whole[quick].sum()) <= int(whole[chosen].sum()):
        chosen = quick
    return Answer(chosen, min(search.bound, int(whole[chosen].sum())))


class _Search:
    """The best choice of a reduced problem and its bound, improved in place."""

    def __init__(
        self, small: Reduced, quick: np.ndarray, base: int, unit: int, enough: int | None
    ) -> None:
        self.small, self.base, self.unit = small, base, unit
        self.enough = -1 if enough is None else enough
        self.cover, self.cost = small.cover, small.cost
        self.floating = self.cost.astype(float)
        self.u = np.zeros(self.cover.back.size - 1)
        self.chosen = construct(self.cover, self.floating, np.zeros(self.u.size), NONE)
        kept = np.flatnonzero(np.isin(small.columns, quick))
        self._take(construct(self.cover, self.floating, np.zeros(self.u.size), kept))
        self.bound = base
        self.reduced = self.cost * FRACTION  # exact reduced costs at the best multipliers
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
        """Raise the bound by the relaxation, and repair choices by its prices."""
        if self.u.size == 0:
            return
        relaxation = Relaxation(self.cover, self.floating, self.chosen)
        for k in range(_ROUNDS):
            if not self.open(gap) or relaxation.settled or working_seconds() > deadline:
                break
            u = relaxation.advance(_STEPS)
            self.u = relaxation.u
            self._certify()
            if k < _ROUNDS // 2 or k % 4 == 0:
                self._take(construct(self.cover, self.floating, u, NONE))
            if k == _ROUNDS // 4:
                self._exchange(rng, deadline)
        if self.open(gap):
            self._exchange(rng, deadline)

    def _exchange(self, rng: np.random.Generator, deadline: float) -> None:
        """Exchange columns until the bound is reached or the steps are spent."""
        if working_seconds() < deadline:
            goal = max(self.enough, self.bound) - self.base
            self._take(exchange(self.cover, self.cost, self.chosen, goal=goal, rng=rng))

    def _certify(self) -> None:
        """Keep what the multipliers prove."""
        bound, reduced = certify(self.cover, self.cost, self.u)
        if bound > self.exact:
            self.reduced, self.exact = reduced, bound
            self.bound = max(self.bound, self.base + _up(-(-bound // FRACTION), self.unit))

    def prove(self, gap: float, deadline: float) -> None:
        """Fix by reduced costs, reduce again, and solve each component."""
        room = (self.cutoff - self.base - self.unit) * FRACTION - self.exact
        opened = np.flatnonzero(self.reduced < -room)
        keep = np.flatnonzero((self.reduced <= room) & (self.reduced >= -room))
        alive = np.ones(self.u.size, dtype=bool)
        alive[gather(self.cover.start, self.cover.client, opened)] = False
        reach = np.zeros(self.u.size, dtype=bool)
        reach[gather(self.cover.start, self.cover.client, keep)] = True
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
            left = deadline - working_seconds()
            part = _solve(again, columns, rows, self.unit, spare, left)
            lower += part.bound
            found.append(keep[again.columns[part.chosen]])
        every = np.unique(np.concatenate(found))
        self._take(construct(self.cover, self.floating, np.zeros(self.u.size), every))
        self.bound = max(self.bound, min(self.cutoff if self.enough >= 0 else self.value, lower))


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
    part = keep_part(cover, columns, alive)
    greedy = construct(part, cost.astype(float), np.zeros(part.back.size - 1), NONE)
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
    seen[gather(cover.start, cover.client, chosen)] = True
    return bool(seen.all())
