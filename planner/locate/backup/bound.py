"""Proven upper bounds where a second cover counts too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.bounds import warm_from_choice
from planner.locate.covering.order import make_runs
from planner.locate.covering.sums import collect, collect_whole, project, spread
from planner.locate.problem import counts_only

if TYPE_CHECKING:
    from planner.locate.backup.search import Worth
    from planner.locate.problem import Cover, Limits

# Multipliers are whole multiples of 1 / 2**_FINEST when the bound is taken; sums stay in int64.
_FINEST, _WIDEST = 20, 61
_CHUNK, _ITERATIONS = 25, 3000
_CLOSE = 0.02
_FREE = 1e-12  # what costs no more costs nothing


class BackupBound(NamedTuple):
    """An upper bound, and the price of each candidate that proves it.

    Attributes
    ----------
    bound
        Integer: no choice brings more.
    price
        float64 of each candidate: a choice brings at most the bound with the price of any
        candidate in place of another's among the highest.
    """

    bound: int
    price: np.ndarray


def relax_backup(
    cover: Cover,
    worth: Worth,
    limits: Limits,
    *,
    target: int,
    chosen: np.ndarray,
    unit: int = 1,
    deadline: float = math.inf,
) -> BackupBound:
    """Bound what any choice brings by Lagrangean multipliers.

    Parameters
    ----------
    cover, worth, limits
        The problem; conflicts are relaxed away, and the count too where there are costs.
    target
        Stop once the bound is at most this.
    chosen
        A good choice, where the search starts.
    unit
        Every value is a multiple of it.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    With n_i covers of client i, worth f_i for the first and s_i for the second, f_i ≥ s_i, what is
    brought is Σ_i (f_i - s_i) min(1, n_i) + s_i min(2, n_i). Any multipliers 0 ≤ a_i ≤ f_i - s_i
    and 0 ≤ b_i ≤ s_i bound it by Σ_i (f_i - s_i - a_i) + 2 (s_i - b_i) + max_x Σ_j x_j Σ_i
    (a_i + b_i) over the clients i of j, the Lagrangean of `planner.locate.covering.bounds` with two
    layers. Where f_i < s_i both are replaced by their mean, the least concave function above.
    The multipliers come from the primal-dual hybrid gradient in floating point; what is returned
    is evaluated in integers.
    """
    n, m = cover.start.size - 1, worth.first.size
    if n == 0 or m == 0 or limits.most == 0:
        return BackupBound(0, np.zeros(n))
    late = worth.second > worth.first
    both = worth.first + worth.second
    second = np.where(late, both, 2 * worth.second)  # everything twice, so that means are whole
    layers = np.stack([np.where(late, both, 2 * worth.first) - second, second])
    search = _Search(cover, layers, limits, chosen)
    goal = 2 * target
    for _ in range(_ITERATIONS // _CHUNK):
        search.advance(_CHUNK)
        lacking = search.upper - goal / search.total
        if lacking <= 0 and search.certify()[0] // 2 // unit * unit <= target:
            break
        if search.upper - search.lower <= max(1e-9, _CLOSE * lacking):
            break
        if working_seconds() > deadline:
            break
    bound, price = search.certify()
    return BackupBound(min(bound // 2, int(both.sum())) // unit * unit, price / 2)


class _Search:
    """Primal-dual iterates, their average since the last restart, and the step balance."""

    def __init__(
        self, cover: Cover, layers: np.ndarray, limits: Limits, chosen: np.ndarray
    ) -> None:
        self.runs, self.limits, self.whole = make_runs(cover), limits, layers
        self.plain = counts_only(limits)
        self.caps = np.array([[1.0], [2.0]])
        self.total = max(1.0, float((self.caps * layers).sum()))
        self.weight = layers / self.total
        self.degree = np.maximum(1, np.diff(cover.back)).astype(float)
        self.mass = np.maximum(self._collect(np.ones_like(self.weight)), 1e-15)
        warm = warm_from_choice(cover, limits, chosen)
        self.balance, self.steps, self.upper, self.lower = 0.3, 0, math.inf, -math.inf
        self.multiplier = np.stack([warm.multiplier, warm.multiplier])
        self.restart_gap = self.last_gap = math.inf
        self._restart(warm.share, self.multiplier)

    def _restart(self, x: np.ndarray, s: np.ndarray) -> None:
        self.x, self.s, self.x0, self.s0 = x.copy(), s.copy(), x, s
        self.x_sum, self.s_sum, self.since = np.zeros_like(x), np.zeros_like(s), 0

    def _collect(self, multiplier: np.ndarray) -> np.ndarray:
        worth = np.empty(self.runs.start.size - 1)
        collect(self.runs, (self.weight * multiplier).sum(axis=0), worth)
        return worth

    def _spread(self, x: np.ndarray) -> np.ndarray:
        times = np.empty(self.weight.shape[1])
        spread(self.runs, x, times)
        return times

    def advance(self, steps: int) -> None:
        """Take some steps; restart from the better of the current and the average if it pays."""
        step, price, times = self.balance / self.mass, 0.0, self._spread(self.x)
        inverse = 1.0 / (self.balance * self.degree)
        cost, budget = self.limits.cost, self.limits.budget
        for _ in range(steps):
            self.x, price = project(
                self.x + step * self._collect(self.s), step, cost, budget, price
            )
            now = self._spread(self.x)
            self.s = np.clip(self.s - (2.0 * now - times - self.caps) * inverse, 0.0, 1.0)
            times = now
            self.x_sum += self.x
            self.s_sum += self.s
        self.steps += steps
        self.since += steps
        self._weigh_up()

    def _weigh_up(self) -> None:
        gap, kept = math.inf, (self.x, self.s)
        for x, s in (kept, (self.x_sum / self.since, self.s_sum / self.since)):
            upper, lower = self._saddle(x, s)
            if upper < self.upper:
                self.upper, self.multiplier = upper, s
            self.lower = max(self.lower, lower)
            if upper - lower < gap:
                gap, kept = upper - lower, (x, s)
        shrunk = gap < 0.35 * self.restart_gap
        stalled = gap < 0.8 * self.restart_gap and gap > self.last_gap
        self.last_gap = gap
        if shrunk or stalled or (self.since >= 0.36 * self.steps and self.since >= 200):
            x, s = kept
            dx = math.sqrt(float(((x - self.x0) ** 2 * self.mass).sum()))
            ds = math.sqrt(float(((s - self.s0) ** 2 * self.weight * self.degree).sum()))
            if dx > 1e-12 and ds > 1e-12:
                self.balance = math.sqrt(self.balance * dx / ds)
            self._restart(x, s)
            self.restart_gap, self.last_gap = gap, math.inf

    def _saddle(self, x: np.ndarray, s: np.ndarray) -> tuple[float, float]:
        """Upper and lower value of the relaxation at a pair of iterates, in floating point."""
        upper = float((self.caps * self.weight * (1.0 - s)).sum())
        upper += _most(self._collect(s), self.limits, plain=self.plain)
        return upper, float((self.weight * np.minimum(self.caps, self._spread(x))).sum())

    def certify(self) -> tuple[int, np.ndarray]:
        """Twice the bound at the best multipliers, in integers, and twice the prices."""
        room = _WIDEST - int(2 * self.whole.sum()).bit_length()
        fraction = 1 << max(0, min(_FINEST, room))
        fixed = np.floor(np.clip(self.multiplier, 0.0, 1.0) * self.whole * fraction)
        charged = np.clip(fixed.astype(np.int64), 0, self.whole * fraction)
        left = self.whole * fraction - charged
        price = np.empty(self.mass.size, dtype=np.int64)
        collect_whole(self.runs, charged.sum(axis=0), price)
        if self.plain:
            best = int(_highest(price, self.limits.most).sum())
        else:
            best = math.ceil(_most(price.astype(float), self.limits, plain=False) * (1 + 1e-9)) + 1
        return (int(left[0].sum() + 2 * left[1].sum()) + best) // fraction, price / fraction


def _highest(price: np.ndarray, most: int) -> np.ndarray:
    most = min(most, price.size)
    return np.partition(price, price.size - most)[price.size - most :]


def _most(price: np.ndarray, limits: Limits, *, plain: bool) -> float:
    """Return the most that the prices of a choice, in fractions, come to within the limits."""
    by_count = float(_highest(price, limits.most).sum())
    if plain:
        return by_count
    order = np.argsort(-price / np.maximum(limits.cost, _FREE), kind="stable")
    cost = limits.cost[order]
    left = limits.budget * (1 + 1e-9) + 1e-12 - (np.cumsum(cost) - cost)
    part = np.divide(np.maximum(left, 0.0), cost, out=np.ones_like(cost), where=cost > _FREE)
    return min(by_count, float((np.maximum(price[order], 0.0) * np.minimum(part, 1.0)).sum()))
