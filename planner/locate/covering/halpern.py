"""Primal-dual steps over candidates, clients and cuts, anchored where they began."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.covering.sums import collect, project, spread

if TYPE_CHECKING:
    from planner.locate.covering.cuts import Cuts
    from planner.locate.covering.order import Runs

_SHRUNK, _LESS, _LONG = 0.2, 0.8, 0.36  # when the anchor moves


class Point(NamedTuple):
    """An iterate, or a direction; a plain tuple so that numba takes it.

    Attributes
    ----------
    x, y
        Shares of the candidates, and of each client how far it is counted.
    s, t
        Multipliers of the clients, relative to their weight, and of the cuts, to their scale.
    """

    x: np.ndarray
    y: np.ndarray
    s: np.ndarray
    t: np.ndarray

    def copy(self) -> Point:
        """Return a point that can be written without changing this one."""
        return Point(*(v.copy() for v in self))


class Steps:
    """Iterates of a relaxation with cuts, and the balance of their steps.

    Attributes
    ----------
    now
        The last point that keeps all bounds on single variables.
    balance
        Of the primal steps against the dual.

    Notes
    -----
    The operator is the primal-dual hybrid gradient (Chambolle & Pock 2011) with diagonal step
    sizes; its iterates are reflected and drawn back to an anchor with weight 1 / (k + 2) (Halpern
    1967; Lu & Yang 2024, "Restarted Halpern PDHG for linear programming"). The anchor moves when
    the operator's residual has shrunk, or after long enough, and the balance then follows how far
    primal and dual have moved. Here this takes a third of the steps that averaging takes.
    """

    def __init__(  # noqa: PLR0917
        self, runs: Runs, cuts: Cuts, weight: np.ndarray, most: int, begin: Point, balance: float
    ) -> None:
        self.runs, self.cuts, self.weight, self.most = runs, cuts, weight, most
        self.norms, self.balance, self.taken = _norms(runs, cuts, weight), balance, 0
        self.now = begin.copy()
        self._anchor()

    def _anchor(self) -> None:
        self.begin, self.at = self.now.copy(), self.now.copy()
        self.slack, self.excess = np.empty(self.weight.size), np.empty(self.cuts.size.size)
        _residuals(self.runs, self.cuts, self.at, self.slack, self.excess)
        self.held = (self.slack.copy(), self.excess.copy())
        self.since, self.first, self.last = 0, math.inf, math.inf

    def advance(self, steps: int) -> None:
        """Take some steps."""
        moved = _iterate(
            self.runs, self.cuts, self.weight, self.norms, self.most, self.at, self.begin,
            self.now, self.slack, self.excess, *self.held, self.balance, self.since, steps,
        )  # fmt: skip
        self.since += steps
        self.taken += steps
        if math.isinf(self.first):
            self.first = moved
        shrunk = moved < _SHRUNK * self.first
        stalled = moved < _LESS * self.first and moved > self.last
        if shrunk or stalled or self.since >= max(100, _LONG * self.taken):
            parts = [
                float(((a - b) ** 2 * norm).sum())
                for a, b, norm in zip(self.now, self.begin, self.norms, strict=True)
            ]
            primal, dual = parts[0] + parts[1], parts[2] + parts[3]
            if primal > 1e-12 and dual > 1e-12:
                self.balance = math.sqrt(self.balance * math.sqrt(primal / dual))
            self._anchor()
        else:
            self.last = moved


@compiled
def _norms(runs: Runs, cuts: Cuts, weight: np.ndarray) -> Point:
    """Row and column sums of all that couples candidates, clients and cuts: the step sizes."""
    n, m = runs.start.size - 1, weight.size
    x, degree = np.empty(n), np.empty(m)
    collect(runs, weight, x)
    spread(runs, np.ones(n), degree)
    y, t = weight.copy(), cuts.size.astype(np.float64)
    for c in range(t.size):
        for k in range(cuts.size[c]):
            y[cuts.member[c, k]] += cuts.scale[c]
        for k in range(cuts.start[c], cuts.start[c + 1]):
            x[cuts.candidate[k]] += cuts.scale[c] * cuts.factor[k]
            t[c] += cuts.factor[k]
    return Point(np.maximum(x, 1e-12), y, weight * (1.0 + degree), cuts.scale * t)


@compiled
def _residuals(runs: Runs, cuts: Cuts, at: Point, slack: np.ndarray, excess: np.ndarray) -> None:
    """Of each client what it is counted beyond its candidates; of each cut what breaks it."""
    spread(runs, at.x, slack)
    for i in range(slack.size):
        slack[i] = at.y[i] - slack[i]
    for c in range(excess.size):
        total = -cuts.right[c]
        for k in range(cuts.size[c]):
            total += at.y[cuts.member[c, k]]
        for k in range(cuts.start[c], cuts.start[c + 1]):
            total -= cuts.factor[k] * at.x[cuts.candidate[k]]
        excess[c] = total


@compiled
def _iterate(  # noqa: C901, PLR0917
    runs: Runs,
    cuts: Cuts,
    weight: np.ndarray,
    norms: Point,
    most: int,
    at: Point,
    begin: Point,
    now: Point,
    slack: np.ndarray,
    excess: np.ndarray,
    slack_held: np.ndarray,
    excess_held: np.ndarray,
    balance: float,
    since: int,
    steps: int,
) -> float:
    """Take steps in place; return how far the last one would have moved, in the steps' norm."""
    n, m, cut = at.x.size, weight.size, at.t.size
    step, ones = balance / norms.x, np.ones(n)
    charged, client, worth = np.empty(m), np.empty(m), np.empty(n)
    after, fresh = np.empty(m), np.empty(cut)
    price, moved = 0.0, 0.0
    for turn in range(steps):
        for i in range(m):
            client[i] = weight[i] * at.s[i]
            charged[i] = client[i]
        collect(runs, client, worth)
        for c in range(cut):
            value = at.t[c] * cuts.scale[c]
            if value != 0.0:
                for k in range(cuts.size[c]):
                    charged[cuts.member[c, k]] += value
                for k in range(cuts.start[c], cuts.start[c + 1]):
                    worth[cuts.candidate[k]] += value * cuts.factor[k]
        nearer, price = project(at.x + step * worth, step, ones, float(most), price)
        for j in range(n):
            now.x[j] = nearer[j]
        for i in range(m):
            z = at.y[i] + balance / norms.y[i] * (weight[i] - charged[i])
            now.y[i] = min(1.0, max(0.0, z))
        _residuals(runs, cuts, now, after, fresh)
        for i in range(m):
            z = at.s[i] + (2.0 * after[i] - slack[i]) * weight[i] / (balance * norms.s[i])
            now.s[i] = max(0.0, z)
        for c in range(cut):
            z = at.t[c] + (2.0 * fresh[c] - excess[c]) * cuts.scale[c] / (balance * norms.t[c])
            now.t[c] = max(0.0, z)
        if turn == steps - 1:
            moved = _distance(cuts, weight, norms, at, now, slack, after, excess, fresh, balance)
        keep = (since + turn + 1.0) / (since + turn + 2.0)
        _blend(at.x, now.x, begin.x, keep)
        _blend(at.y, now.y, begin.y, keep)
        _blend(at.s, now.s, begin.s, keep)
        _blend(at.t, now.t, begin.t, keep)
        _blend(slack, after, slack_held, keep)
        _blend(excess, fresh, excess_held, keep)
    return moved


@compiled
def _blend(at: np.ndarray, now: np.ndarray, begin: np.ndarray, keep: float) -> None:
    """Reflect in place, and draw back to where it began."""
    for i in range(at.size):
        at[i] = keep * (2.0 * now[i] - at[i]) + (1.0 - keep) * begin[i]


@compiled
def _distance(  # noqa: PLR0917
    cuts: Cuts,
    weight: np.ndarray,
    norms: Point,
    one: Point,
    two: Point,
    slack: np.ndarray,
    slack_two: np.ndarray,
    excess: np.ndarray,
    excess_two: np.ndarray,
    balance: float,
) -> float:
    """Distance of two points in the norm in which the steps never go astray."""
    primal, dual, mixed = 0.0, 0.0, 0.0
    for j in range(one.x.size):
        primal += norms.x[j] * (two.x[j] - one.x[j]) ** 2
    for i in range(one.y.size):
        step = two.s[i] - one.s[i]
        primal += norms.y[i] * (two.y[i] - one.y[i]) ** 2
        dual += norms.s[i] * step**2
        mixed += weight[i] * step * (slack_two[i] - slack[i])
    for c in range(one.t.size):
        step = two.t[c] - one.t[c]
        dual += norms.t[c] * step**2
        mixed += cuts.scale[c] * step * (excess_two[c] - excess[c])
    return np.sqrt(max(0.0, primal / balance + dual * balance - 2.0 * mixed))
