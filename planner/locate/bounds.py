"""Proven upper bounds of a covering problem from its linear relaxation, without a solver."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.problem import counts_only

if TYPE_CHECKING:
    from planner.locate.problem import Cover, Limits

_FRACTION = 1 << 16  # multipliers are whole multiples of 1 / _FRACTION when the bound is taken
_CHUNK = 40
_ITERATIONS = 6000


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
    """

    bound: int
    price: np.ndarray
    share: np.ndarray


def relax(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    *,
    chosen: np.ndarray,
    target: int,
    unit: int = 1,
    deadline: float = math.inf,
) -> Relaxation:
    """Bound a covering problem by Lagrangean multipliers near those of the linear relaxation.

    Parameters
    ----------
    cover, weight, limits
        The problem; conflicts are relaxed away, and the count too where there are costs.
    chosen
        A good choice, where the search starts.
    target
        Stop once the bound is at most this.
    unit
        Every objective is a multiple of it, so the bound is rounded down to one.
    deadline
        `time.perf_counter()` at which to stop; looked at every few iterations.

    Notes
    -----
    With x_j in {0, 1} (candidate j is opened), a_ij = 1 where j covers i, and weights w_i, any
    multipliers 0 ≤ s_i ≤ 1 give

        max_x Σ_i w_i min(1, Σ_j a_ij x_j)  ≤  Σ_i w_i (1 - s_i) + max_x Σ_j x_j Σ_i a_ij w_i s_i,

    and the best s attain the linear relaxation (Galvão & ReVelle 1996, "A Lagrangean heuristic for
    the maximal covering location problem"). The multipliers come from the primal-dual hybrid
    gradient (Chambolle & Pock 2011; restarts to the average as Applegate et al. 2021, "Practical
    large-scale linear programming using primal-dual hybrid gradient"), in floating point; the
    right-hand side is then evaluated in integers, so what is returned holds exactly.
    """
    n, m = cover.start.size - 1, weight.size
    whole = int(weight.sum())
    if n == 0 or m == 0 or limits.most == 0:
        return Relaxation(0, np.zeros(n), np.zeros(n))
    plain = counts_only(limits)
    best = Relaxation(whole, np.zeros(n), np.zeros(n))
    if whole <= target or (plain and n <= limits.most):
        return best
    search = _Search(cover, weight, limits, chosen)
    for _ in range(_ITERATIONS // _CHUNK):
        multipliers, share = search.advance(_CHUNK)
        bound, price = _certify(cover, weight, limits, multipliers, plain)
        bound = bound // unit * unit
        if bound < best.bound:
            best = Relaxation(bound, price, share)
        if best.bound <= target or search.settled or time.perf_counter() > deadline:
            break
    return best


class _Search:
    """Primal-dual iterates, their average since the last restart, and the step balance."""

    def __init__(
        self, cover: Cover, weight: np.ndarray, limits: Limits, chosen: np.ndarray
    ) -> None:
        n, m = cover.start.size - 1, weight.size
        self.cover, self.limits = cover, limits
        self.weight = weight / max(1.0, float(weight.sum()))
        degree = np.maximum(1, np.diff(cover.back)).astype(float)
        self.degree = degree
        self.mass = np.maximum(_collect(cover, self.weight), 1e-15)
        self.x = np.full(n, 0.5 * min(1.0, limits.budget / max(1e-12, limits.cost.sum())))
        self.x[chosen] += 0.5
        times = np.zeros(m)
        _spread(cover, self.x, times)
        self.s = np.where(times <= 0.6, 0.95, np.where(times < 1.2, 0.6, 0.1))
        self.balance, self.steps, self.settled = 0.3, 0, False
        self.best_gap, self.restart_gap, self.last_gap = math.inf, math.inf, math.inf
        self._restart(self.x, self.s)

    def _restart(self, x: np.ndarray, s: np.ndarray) -> None:
        self.x, self.s = x.copy(), s.copy()
        self.x0, self.s0 = x.copy(), s.copy()
        self.x_sum, self.s_sum = np.zeros_like(x), np.zeros_like(s)
        self.since = 0

    def advance(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Take some steps; return the better multipliers and choice, current or average."""
        _iterate(
            self.cover,
            self.weight,
            self.limits.cost,
            self.limits.budget,
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
        x_mean, s_mean = self.x_sum / self.since, self.s_sum / self.since
        now, mean = self._gap(self.x, self.s), self._gap(x_mean, s_mean)
        x, s = (self.x, self.s) if now <= mean else (x_mean, s_mean)
        gap = min(now, mean)
        self.settled = gap < 1e-7
        shrunk = gap < 0.2 * self.restart_gap
        stalled = gap < 0.8 * self.restart_gap and gap > self.last_gap
        if shrunk or stalled or self.since >= 0.36 * self.steps + 200:
            dx = math.sqrt(float(((x - self.x0) ** 2 * self.mass).sum()))
            ds = math.sqrt(float(((s - self.s0) ** 2 * self.weight * self.degree).sum()))
            if dx > 1e-12 and ds > 1e-12:
                self.balance = math.sqrt(self.balance * dx / ds)
            self._restart(x, s)
            self.restart_gap, self.last_gap = gap, math.inf
        else:
            self.last_gap = gap
        return s.copy(), x.copy()

    def _gap(self, x: np.ndarray, s: np.ndarray) -> float:
        """Relative duality gap of a pair of iterates, in floating point."""
        price = _collect(self.cover, self.weight * s)
        upper = float((self.weight * (1 - s)).sum()) + _knapsack(
            price, self.limits.cost, self.limits.budget
        )
        times = np.zeros(s.size)
        _spread(self.cover, x, times)
        lower = float((self.weight * np.minimum(1.0, times)).sum())
        return (upper - lower) / max(upper, 1e-15)


def _certify(
    cover: Cover, weight: np.ndarray, limits: Limits, multipliers: np.ndarray, plain: bool
) -> tuple[int, np.ndarray]:
    """Bound at some multipliers, in integers, and each candidate's price."""
    fixed = np.floor(np.clip(multipliers, 0.0, 1.0) * weight * _FRACTION).astype(np.int64)
    fixed = np.clip(fixed, 0, weight * _FRACTION)
    base = int((weight * _FRACTION - fixed).sum())
    price = _collect_whole(cover, fixed)
    if plain:
        top = np.partition(price, price.size - limits.most)[price.size - limits.most :]
        best = sum(int(v) for v in top)
    else:
        floating = _knapsack(price.astype(float), limits.cost, limits.budget)
        best = math.ceil(floating * (1 + 1e-9)) + 1
    return (base + best) // _FRACTION, price / _FRACTION


def _knapsack(price: np.ndarray, cost: np.ndarray, budget: float) -> float:
    """Return the most that fractions of candidates are worth within a budget."""
    order = np.argsort(-price / np.maximum(cost, 1e-12), kind="stable")
    spent = np.cumsum(cost[order])
    budget = budget * (1 + 1e-9) + 1e-12
    whole = int(np.searchsorted(spent, budget, side="right"))
    total = float(price[order[:whole]].sum())
    if whole < order.size and price[order[whole]] > 0:
        before = spent[whole - 1] if whole else 0.0
        total += float(price[order[whole]] * (budget - before) / cost[order[whole]])
    return total


def _collect(cover: Cover, value: np.ndarray) -> np.ndarray:
    out = np.empty(cover.start.size - 1)
    _sum_clients(cover, value, out)
    return out


def _collect_whole(cover: Cover, value: np.ndarray) -> np.ndarray:
    out = np.empty(cover.start.size - 1, dtype=np.int64)
    _sum_clients(cover, value, out)
    return out


@compiled
def _sum_clients(cover: Cover, value: np.ndarray, out: np.ndarray) -> None:
    """Add up a value over each candidate's clients."""
    for j in range(out.size):
        total = value[0] * 0
        for k in range(cover.start[j], cover.start[j + 1]):
            total += value[cover.client[k]]
        out[j] = total


@compiled
def _spread(cover: Cover, x: np.ndarray, out: np.ndarray) -> None:
    """Add up the candidates' shares over each client."""
    out[:] = 0.0
    for j in range(x.size):
        if x[j] != 0.0:
            for k in range(cover.start[j], cover.start[j + 1]):
                out[cover.client[k]] += x[j]


@compiled
def _project(
    value: np.ndarray, step: np.ndarray, cost: np.ndarray, budget: float, first: float
) -> tuple[np.ndarray, float]:
    """Clip ``value - step * cost * price`` to 0..1 at the least price ≥ 0 that meets the budget."""
    price, low, high = max(first, 0.0), 0.0, np.inf
    out = np.empty(value.size)
    for _ in range(80):
        over, slope = -budget, 0.0
        for j in range(value.size):
            z = value[j] - step[j] * cost[j] * price
            out[j] = min(1.0, max(0.0, z))
            over += cost[j] * out[j]
            if 0.0 < z < 1.0:
                slope += step[j] * cost[j] * cost[j]
        if abs(over) <= 1e-11 * max(1.0, budget) or (over < 0.0 and price == 0.0):
            break
        if over > 0.0:
            low = price
        else:
            high = price
        guess = price + over / slope if slope > 0.0 else -1.0
        if not low < guess < high:
            guess = 0.5 * (low + high) if high < np.inf else 2.0 * price + 1e-6
        price = guess
        if high - low < 1e-15 * max(1e-12, high):
            break
    return out, price


@compiled
def _iterate(  # noqa: PLR0917
    cover: Cover,
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
    price = 0.0
    old, new = np.zeros(s.size), np.zeros(s.size)
    worth = np.empty(x.size)
    _spread(cover, x, old)
    for _ in range(steps):
        _sum_clients(cover, weight * s, worth)
        nearer, price = _project(x + step * worth, step, cost, budget, price)
        x[:] = nearer
        _spread(cover, x, new)
        for i in range(s.size):
            s[i] -= (2.0 * new[i] - old[i] - 1.0) / (balance * degree[i])
            s[i] = min(1.0, max(0.0, s[i]))
            old[i] = new[i]
        x_sum += x
        s_sum += s
