"""Proven lower bounds of set covering from its linear relaxation, without a solver."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.problem import Cover

FRACTION = 1 << 16  # multipliers are whole multiples of 1 / FRACTION when the bound is taken


class Certificate(NamedTuple):
    """A bound at some multipliers and every column's reduced cost, in units of 1 / FRACTION."""

    bound: int
    reduced: np.ndarray


class Relaxation:
    """Primal-dual iterates of the relaxation, and the best multipliers so far.

    Attributes
    ----------
    u
        float64 of every client: the multipliers of the best bound so far.
    settled
        The relaxation is solved as well as floating point can tell.

    Notes
    -----
    Minimise Σ_j c_j x_j + Σ_i b_i max(0, 1 - Σ_j a_ij x_j) over 0 ≤ x ≤ 1, with b_i the cost of
    client i's cheapest column, is the same as the relaxation; its dual is
    max Σ_i u_i + Σ_j min(0, c_j - Σ_i a_ij u_i) over 0 ≤ u_i ≤ b_i. Both sides are known at every
    pair of iterates, so their distance tells when to restart to the average (primal-dual hybrid
    gradient, Chambolle & Pock 2011; restarts as Applegate et al. 2021, "Practical large-scale
    linear programming using primal-dual hybrid gradient").
    """

    def __init__(self, cover: Cover, cost: np.ndarray, chosen: np.ndarray) -> None:
        self.cover = cover
        self.unit = max(1e-300, float(cost.max(initial=0)))
        self.cost = cost / self.unit
        self.columns = np.maximum(1, np.diff(cover.start)).astype(float)
        self.rows = np.maximum(1, np.diff(cover.back)).astype(float)
        self.most = np.minimum.reduceat(self.cost[cover.candidate], cover.back[:-1])
        self.x = np.zeros(cost.size)
        self.x[chosen] = 0.5
        share = self.cost / self.columns
        self._u = np.minimum.reduceat(share[cover.candidate], cover.back[:-1])
        self.best, self.u = -math.inf, self._u * self.unit
        self.balance, self.steps, self.settled = 1.0, 0, False
        self.restart_gap, self.last_gap = math.inf, math.inf
        self._restart(self.x, self._u)

    def _restart(self, x: np.ndarray, u: np.ndarray) -> None:
        self.x, self._u = x.copy(), u.copy()
        self.x0, self.u0 = x.copy(), u.copy()
        self.x_sum, self.u_sum, self.since = np.zeros_like(x), np.zeros_like(u), 0

    def advance(self, steps: int) -> np.ndarray:
        """Take some steps; return the better of the current and the average multipliers."""
        _iterate(
            self.cover,
            self.cost,
            self.most,
            (self.balance / self.columns, 1.0 / (self.balance * self.rows)),
            (self.x, self._u, self.x_sum, self.u_sum),
            steps,
        )
        self.steps += steps
        self.since += steps
        pairs = [(self.x, self._u), (self.x_sum / self.since, self.u_sum / self.since)]
        gaps = [self._gap(x, u) for x, u in pairs]
        gap = min(gaps)
        x, u = pairs[gaps.index(gap)]
        self.settled = gap < 1e-6
        shrunk = gap < 0.2 * self.restart_gap
        stalled = gap < 0.8 * self.restart_gap and gap > self.last_gap
        if shrunk or stalled or self.since >= 0.36 * self.steps + 200:
            dx = math.sqrt(float(((x - self.x0) ** 2 * self.columns).sum()))
            du = math.sqrt(float(((u - self.u0) ** 2 * self.rows).sum()))
            if dx > 1e-12 and du > 1e-12:
                self.balance = math.sqrt(self.balance * dx / du)
            self._restart(x, u)
            self.restart_gap, self.last_gap = gap, math.inf
        else:
            self.last_gap = gap
        return u * self.unit

    def _gap(self, x: np.ndarray, u: np.ndarray) -> float:
        """Relative distance of the two sides; keeps the best multipliers."""
        upper, lower = _sides(self.cover, self.cost, self.most, x, u)
        if lower > self.best:
            self.best, self.u = lower, u * self.unit
        return (upper - lower) / max(upper, 1e-15)


def certify(cover: Cover, cost: np.ndarray, u: np.ndarray) -> Certificate:
    """Evaluate the bound at multipliers in integers: it holds whatever the arithmetic."""
    room = math.log2(max(1.0, float(u.sum()), float(cost.sum())))
    factor = min(FRACTION, 1 << max(0, 61 - math.ceil(room)))
    fixed = np.floor(np.maximum(u, 0.0) * factor).astype(np.int64)
    reduced = cost * factor - _collect(cover, fixed)
    bound = int(fixed.sum()) + int(np.minimum(reduced, 0).sum())
    return Certificate(bound * (FRACTION // factor), reduced * (FRACTION // factor))


@compiled
def _collect(cover: Cover, value: np.ndarray) -> np.ndarray:
    """Add up a whole value over each column's clients."""
    out = np.zeros(cover.start.size - 1, np.int64)
    for j in range(out.size):
        for k in range(cover.start[j], cover.start[j + 1]):
            out[j] += value[cover.client[k]]
    return out


@compiled
def _sides(
    cover: Cover, cost: np.ndarray, most: np.ndarray, x: np.ndarray, u: np.ndarray
) -> tuple[float, float]:
    """Return the primal and the dual value of a pair of iterates."""
    left = np.ones(u.size)
    upper, lower = 0.0, u.sum()
    for j in range(x.size):
        price = cost[j]
        upper += cost[j] * x[j]
        for k in range(cover.start[j], cover.start[j + 1]):
            left[cover.client[k]] -= x[j]
            price -= u[cover.client[k]]
        lower += min(0.0, price)
    for i in range(u.size):
        upper += most[i] * max(0.0, left[i])
    return upper, lower


@compiled
def _iterate(  # noqa: PLR0917
    cover: Cover,
    cost: np.ndarray,
    most: np.ndarray,
    lengths: tuple[np.ndarray, np.ndarray],
    iterates: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    steps: int,
) -> None:
    """Take primal-dual steps in place, with Pock & Chambolle's (2011) diagonal step sizes."""
    x, u, x_sum, u_sum = iterates
    over = np.empty(u.size)
    for _ in range(steps):
        over[:] = -1.0
        for j in range(x.size):
            price = cost[j]
            for k in range(cover.start[j], cover.start[j + 1]):
                price -= u[cover.client[k]]
            new = min(1.0, max(0.0, x[j] - lengths[0][j] * price))
            twice = 2.0 * new - x[j]
            x[j] = new
            x_sum[j] += new
            if twice != 0.0:
                for k in range(cover.start[j], cover.start[j + 1]):
                    over[cover.client[k]] += twice
        for i in range(u.size):
            u[i] = min(most[i], max(0.0, u[i] - lengths[1][i] * over[i]))
            u_sum[i] += u[i]
