"""Proven upper bounds of a covering problem from its linear relaxation, without a solver."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds
from planner.locate.covering.order import make_runs
from planner.locate.covering.sums import collect, collect_whole, project, spread
from planner.locate.problem import counts_only

if TYPE_CHECKING:
    from planner.locate.covering.order import Runs
    from planner.locate.problem import Cover, Limits

# Multipliers are whole multiples of 1 / 2**_FINEST when the bound is taken; sums stay in int64.
_FINEST, _WIDEST = 20, 61
_CHUNK = 25
_ITERATIONS = 6000
# The relaxation is solved well enough when its own gap is this small against what is to be closed.
_CLOSE = 0.02


class Relaxation(NamedTuple):
    """An upper bound and what proves it.

    Attributes
    ----------
    bound
        Integer: no choice covers more weight.
    price
        float64 of each candidate: weight of its clients at the multipliers.
    share
        float64 of each candidate, 0..1: the relaxation's choice.
    multiplier
        float64 of each client, 0..1: the part of its weight that is charged to candidates.
    balance
        Of the steps, where the next search may begin.
    reached
        What the relaxation's choice covers of the fractions: the relaxation's own optimum lies
        between it and `bound`.
    """

    bound: int
    price: np.ndarray
    share: np.ndarray
    multiplier: np.ndarray
    balance: float
    reached: float


class Warm(NamedTuple):
    """Where a search begins: shares of the candidates, multipliers of the clients, balance."""

    share: np.ndarray
    multiplier: np.ndarray
    balance: float


def warm_from_choice(cover: Cover, limits: Limits, chosen: np.ndarray) -> Warm:
    """Guess shares and multipliers from a good choice."""
    share = np.full(
        cover.start.size - 1, 0.5 * min(1.0, limits.budget / max(1e-12, limits.cost.sum()))
    )
    share[chosen] += 0.5
    times = np.zeros(cover.back.size - 1)
    spread(make_runs(cover), share, times)
    return Warm(share, np.where(times <= 0.6, 0.95, np.where(times < 1.2, 0.6, 0.1)), 0.3)


def relax(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    *,
    target: int,
    chosen: np.ndarray | None = None,
    warm: Warm | None = None,
    unit: int = 1,
    iterations: int = _ITERATIONS,
    close: float = _CLOSE,
    deadline: float = math.inf,
) -> Relaxation:
    """Bound a covering problem by Lagrangean multipliers near those of the linear relaxation.

    Parameters
    ----------
    cover, weight, limits
        The problem; conflicts are relaxed away, and the count too where there are costs.
    target
        Stop once the bound is at most this.
    chosen
        A good choice, where the search starts unless `warm` says.
    warm
        Where the search starts.
    unit
        Every objective is a multiple of it, so the bound is rounded down to one.
    iterations
        At most so many.
    close
        Stop once the relaxation's own gap is under this share of what it still lacks to `target`.
    deadline
        `working_seconds()` at which to stop; looked at every few iterations.

    Notes
    -----
    With x_j in {0, 1} (candidate j is opened), a_ij = 1 where j covers i, and weights w_i, any
    multipliers 0 ≤ s_i ≤ 1 give

        max_x Σ_i w_i min(1, Σ_j a_ij x_j)  ≤  Σ_i w_i (1 - s_i) + max_x Σ_j x_j Σ_i a_ij w_i s_i,

    and the best s attain the linear relaxation (Galvão & ReVelle 1996, "A Lagrangean heuristic for
    the maximal covering location problem"). The multipliers come from the primal-dual hybrid
    gradient (Chambolle & Pock 2011; restarts to the average and balance as Applegate et al. 2021,
    "Practical large-scale linear programming using primal-dual hybrid gradient"), in floating
    point; the right-hand side is then evaluated in integers, so what is returned holds exactly.
    Covers are runs of clients, so a sum over a cover is a difference of running sums.
    """
    n, m = cover.start.size - 1, weight.size
    whole = int(weight.sum())
    if n == 0 or m == 0 or limits.most == 0:
        return Relaxation(0, np.zeros(n), np.zeros(n), np.zeros(m), 0.3, 0.0)
    plain = counts_only(limits)
    if warm is None:
        none = np.empty(0, dtype=np.int64)
        warm = warm_from_choice(cover, limits, none if chosen is None else chosen)
    search = _Search(cover, weight, limits, warm, plain=plain)
    if not (whole <= target or (plain and n <= limits.most)):
        for _ in range(max(1, iterations // _CHUNK)):
            search.advance(_CHUNK)
            lacking = search.upper - target / max(1, whole)
            if lacking <= 0 and search.certify(unit) <= target:
                break
            if search.upper - search.lower <= max(1e-8, close * lacking):
                break
            if working_seconds() > deadline:
                break
    bound = min(search.certify(unit), whole)
    reached = search.lower * whole
    return Relaxation(
        bound, search.price(), search.share, search.multiplier, search.balance, reached
    )


class _Search:
    """Primal-dual iterates, their average since the last restart, and the step balance.

    Attributes
    ----------
    upper, lower
        Of the relaxation, in floating point, as shares of all weight.
    multiplier, share
        Where `upper` and `lower` were attained.
    """

    def __init__(
        self, cover: Cover, weight: np.ndarray, limits: Limits, warm: Warm, *, plain: bool
    ) -> None:
        self.runs, self.limits, self.plain = make_runs(cover), limits, plain
        self.whole = weight
        self.weight = weight / max(1.0, float(weight.sum()))
        self.degree = np.maximum(1, np.diff(cover.back)).astype(float)
        self.mass = np.empty(cover.start.size - 1)
        collect(self.runs, self.weight, self.mass)
        self.mass = np.maximum(self.mass, 1e-15)
        self.upper, self.lower = math.inf, -math.inf
        self.share, self.multiplier = warm.share, warm.multiplier
        self.balance, self.steps, self.certified = warm.balance, 0, (math.inf, 0)
        self.restart_gap, self.last_gap = math.inf, math.inf
        self._restart(warm.share, warm.multiplier)

    def _restart(self, x: np.ndarray, s: np.ndarray) -> None:
        self.x, self.s = x.copy(), s.copy()
        self.x0, self.s0 = x.copy(), s.copy()
        self.x_sum, self.s_sum = np.zeros_like(x), np.zeros_like(s)
        self.since = 0

    def advance(self, steps: int) -> None:
        """Take some steps; restart from the better of the current and the average if it pays."""
        costs = (self.limits.cost, self.limits.budget)
        _iterate(
            self.runs,
            self.weight,
            *costs,
            self.degree,
            self.mass,
            self.x,
            self.s,
            self.x_sum,
            self.s_sum,
            self.balance,
            steps,
        )
        self.steps += steps
        self.since += steps
        means = (self.x_sum / self.since, self.s_sum / self.since)
        gap, kept = math.inf, means
        for x, s in ((self.x, self.s), means):
            upper, lower = _saddle(
                self.runs, self.weight, *costs, x, s, self.limits.most if self.plain else -1
            )
            if upper < self.upper:
                self.upper, self.multiplier = upper, s.copy()
            if lower > self.lower:
                self.lower, self.share = lower, x.copy()
            if upper - lower < gap:
                gap, kept = upper - lower, (x, s)
        shrunk = gap < 0.35 * self.restart_gap
        stalled = gap < 0.8 * self.restart_gap and gap > self.last_gap
        if shrunk or stalled or (self.since >= 0.36 * self.steps and self.since >= 200):
            x, s = kept
            dx = math.sqrt(float(((x - self.x0) ** 2 * self.mass).sum()))
            ds = math.sqrt(float(((s - self.s0) ** 2 * self.weight * self.degree).sum()))
            if dx > 1e-12 and ds > 1e-12:
                self.balance = math.sqrt(self.balance * dx / ds)
            self._restart(x, s)
            self.restart_gap, self.last_gap = gap, math.inf
        else:
            self.last_gap = gap

    def certify(self, unit: int) -> int:
        """Bound at the best multipliers, in integers."""
        if self.certified[0] != self.upper or math.isinf(self.upper):
            bound = _certify(self.runs, self.whole, self.limits, self.multiplier, plain=self.plain)
            self.certified = (self.upper, bound // unit * unit)
        return self.certified[1]

    def price(self) -> np.ndarray:
        """Weight of each candidate's clients at the best multipliers."""
        fixed, fraction = _charged(self.whole, self.multiplier)
        price = np.empty(self.mass.size, dtype=np.int64)
        collect_whole(self.runs, fixed, price)
        return price / fraction


def _charged(weight: np.ndarray, multiplier: np.ndarray) -> tuple[np.ndarray, int]:
    """Charged weights as whole multiples of one fraction, and that fraction."""
    fraction = 1 << max(0, min(_FINEST, _WIDEST - int(weight.sum()).bit_length()))
    fixed = np.floor(np.clip(multiplier, 0.0, 1.0) * weight * fraction).astype(np.int64)
    return np.clip(fixed, 0, weight * fraction), fraction


def _certify(
    runs: Runs, weight: np.ndarray, limits: Limits, multiplier: np.ndarray, *, plain: bool
) -> int:
    """Bound at some multipliers, in integers."""
    fixed, fraction = _charged(weight, multiplier)
    base = int((weight * fraction - fixed).sum())
    price = np.empty(runs.start.size - 1, dtype=np.int64)
    collect_whole(runs, fixed, price)
    if plain:
        most = min(limits.most, price.size)
        top = np.partition(price, price.size - most)[price.size - most :]
        best = sum(int(v) for v in top)
    else:
        floating = _knapsack(price.astype(float), limits.cost, limits.budget)
        best = math.ceil(floating * (1 + 1e-9)) + 1
    return (base + best) // fraction


@compiled
def _knapsack(price: np.ndarray, cost: np.ndarray, budget: float) -> float:
    """Return the most that fractions of candidates are worth within a budget."""
    rate = np.empty(price.size)
    for j in range(price.size):
        rate[j] = -price[j] / max(cost[j], 1e-12)
    room = budget * (1 + 1e-9) + 1e-12
    total, spent = 0.0, 0.0
    for j in np.argsort(rate, kind="mergesort"):
        if price[j] <= 0.0:
            break
        if spent + cost[j] > room:
            total += price[j] * (room - spent) / cost[j]
            break
        total += price[j]
        spent += cost[j]
    return total


@compiled
def _saddle(  # noqa: PLR0917
    runs: Runs,
    weight: np.ndarray,
    cost: np.ndarray,
    budget: float,
    x: np.ndarray,
    s: np.ndarray,
    most: int,
) -> tuple[float, float]:
    """Upper and lower value of the relaxation at a pair of iterates, in floating point.

    `most` is -1 where costs limit the choice.
    """
    price, times = np.empty(x.size), np.empty(s.size)
    collect(runs, weight * s, price)
    spread(runs, x, times)
    upper, lower = 0.0, 0.0
    for i in range(s.size):
        upper += weight[i] * (1.0 - s[i])
        lower += weight[i] * min(1.0, times[i])
    if most < 0:
        return upper + _knapsack(price, cost, budget), lower
    if most >= x.size:
        return upper + price.sum(), lower
    ordered = np.partition(price, x.size - most)
    for j in range(x.size - most, x.size):
        upper += ordered[j]
    return upper, lower


@compiled
def _iterate(  # noqa: PLR0917
    runs: Runs,
    weight: np.ndarray,
    cost: np.ndarray,
    budget: float,
    degree: np.ndarray,
    mass: np.ndarray,
    x: np.ndarray,
    s: np.ndarray,
    x_sum: np.ndarray,
    s_sum: np.ndarray,
    balance: float,
    steps: int,
) -> None:
    """Take primal-dual steps in place, with Pock & Chambolle's (2011) diagonal step sizes."""
    step = balance / mass
    inverse = 1.0 / (balance * degree)
    price = 0.0
    old, new = np.zeros(s.size), np.zeros(s.size)
    worth = np.empty(x.size)
    charged = np.empty(s.size)
    spread(runs, x, old)
    for _ in range(steps):
        for i in range(s.size):
            charged[i] = weight[i] * s[i]
        collect(runs, charged, worth)
        nearer, price = project(x + step * worth, step, cost, budget, price)
        spread(runs, nearer, new)
        for j in range(x.size):
            x[j] = nearer[j]
            x_sum[j] += x[j]
        for i in range(s.size):
            z = s[i] - (2.0 * new[i] - old[i] - 1.0) * inverse[i]
            z = min(1.0, max(0.0, z))
            s[i] = z
            s_sum[i] += z
            old[i] = new[i]
