"""Proven upper bounds of covering under capacities by Lagrangean multipliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds
from planner.locate.capacitated.rules import dearest, keep_fitting, price_money

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.locate.capacitated.flow import Net
    from planner.locate.capacitated.rules import Rules

_FRACTION = 1 << 16  # multipliers are whole multiples of 1 / _FRACTION when the bound is taken
_STEPS = 1000
_ROUND = 5e7  # entries looked at between certificates, about
_EXACT = 1e-12  # relative: more than sums in floating point can be off


class Relaxation(NamedTuple):
    """An upper bound, and by how much it falls where a column is chosen in any case."""

    bound: int
    loss: np.ndarray


def relax(
    net: Net,
    fixed: np.ndarray,
    rules: Rules,
    *,
    value: Callable[[np.ndarray], int],
    target: Callable[[], int],
    unit: int,
    deadline: float = math.inf,
) -> Relaxation:
    """Bound what the fixed columns and free ones that keep the rules can serve.

    Parameters
    ----------
    net, fixed, rules
        The problem.
    value
        Told of each choice that the multipliers like; returns the best value known.
    target
        Tells the bound that is low enough.
    unit
        Every value is a multiple of it.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Any multipliers 0 ≤ u_i ≤ 1 on Σ_j y_ij ≤ w_i give Σ_i w_i u_i + Σ_j v_j over the fixed columns
    and the dearest choice of free ones, where v_j fills the capacity of column j by its clients of
    least u_i, at most w_i each, at 1 - u_i a unit (Pirkul & Schilling 1991, "The maximal covering
    location problem with capacities on total workload"). The dearest choice is bounded in turn: a
    price λ ≥ 0 of money gives λ·budget + the dearest by v_j - λ c_j, one of each group that
    excludes itself, at most so many places. The multipliers come from a subgradient search in
    floating point, the best λ from halving; the bound is taken in integers, with money rounded up.
    """
    u = np.zeros(net.weight.size)
    best = Relaxation(int(net.weight.sum()), np.zeros(net.capacity.size))
    open_always = np.zeros(net.capacity.size, dtype=bool)
    open_always[fixed] = True
    state = np.array([1.0, math.inf, 0.0, 0.0])
    kept = u.copy()
    known = value(rules.free[:0])
    steps = max(1, min(25, int(_ROUND / max(1, 3 * net.owner.size))))
    for _ in range(0, _STEPS, steps):
        liked = _descend(net, open_always, rules, u, kept, state, float(known), steps)
        known = value(keep_fitting(rules, liked))
        found = _certify(net, fixed, rules, kept, state[3], unit)
        if found.bound < best.bound or not best.loss.any():
            best = Relaxation(min(best.bound, found.bound), found.loss)
        if best.bound <= target() or state[0] < 1e-3 or working_seconds() > deadline:
            break
    return best


def _certify(  # noqa: PLR0917
    net: Net, fixed: np.ndarray, rules: Rules, u: np.ndarray, money: float, unit: int
) -> Relaxation:
    """Take the bound at some multipliers so that it holds whatever the arithmetic."""
    whole = np.clip(np.floor(u * _FRACTION), 0, _FRACTION).astype(np.int64)
    price = fill(net, np.argsort(whole, kind="stable"), whole)
    total = sum(int(w) * int(v) for w, v in zip(net.weight, whole, strict=True))
    total += sum(int(v) for v in price[fixed])
    worth = price.astype(float)
    if math.isinf(rules.budget):
        money = 0.0
        chosen, _, _, best, place = dearest(rules, worth, money)
        total += sum(int(v) for v in price[chosen])
    else:
        money = price_money(rules, worth, money * _FRACTION)
        _, value, _, best, place = dearest(rules, worth, money)
        total += math.ceil(value * (1 + _EXACT) + abs(worth).sum() * _EXACT * 1e-2)
    loss = best[rules.group] - (worth - money * rules.cost - place * rules.place)
    return Relaxation(total // _FRACTION // unit * unit, loss / _FRACTION)


@compiled
def fill(net: Net, order: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Fill each column's capacity by its clients of least u; return what that is worth."""
    spare = net.capacity.copy()
    worth = np.zeros(spare.size, np.int64)
    for i in order:
        if u[i] >= _FRACTION:
            break
        for q in range(net.cover.back[i], net.cover.back[i + 1]):
            j = net.cover.candidate[q]
            amount = min(net.weight[i], spare[j])
            worth[j] += amount * (_FRACTION - u[i])
            spare[j] -= amount
    return worth


@compiled
def _price(net: Net, order: np.ndarray, u: np.ndarray, worth: np.ndarray) -> None:
    """Write what each column is worth if it is filled by its clients of least u."""
    cover, spare = net.cover, net.capacity.copy()
    worth[:] = 0.0
    for i in order:
        for q in range(cover.back[i], cover.back[i + 1]):
            j = cover.candidate[q]
            amount = min(net.weight[i], spare[j])
            worth[j] += amount * (1.0 - u[i])
            spare[j] -= amount


@compiled
def _slope(
    net: Net, order: np.ndarray, opened: np.ndarray, u: np.ndarray, slope: np.ndarray
) -> float:
    """Write the share of each client that the opened leave unserved, 0 at the ends; → squared."""
    cover, spare = net.cover, net.capacity.copy()
    slope[:] = 0.0
    for i in order:
        for q in range(cover.back[i], cover.back[i + 1]):
            j = cover.candidate[q]
            if opened[j]:
                amount = min(net.weight[i], spare[j])
                slope[i] += amount
                spare[j] -= amount
    norm = 0.0
    for i in range(u.size):
        slope[i] = (net.weight[i] - slope[i]) / net.weight[i]
        if (slope[i] > 0.0 and u[i] <= 0.0) or (slope[i] < 0.0 and u[i] >= 1.0):
            slope[i] = 0.0
        norm += slope[i] * slope[i] * net.weight[i]
    return norm


@compiled
def _descend(  # noqa: PLR0917
    net: Net,
    fixed: np.ndarray,
    rules: Rules,
    u: np.ndarray,
    best: np.ndarray,
    state: np.ndarray,
    target: float,
    steps: int,
) -> np.ndarray:
    """Take subgradient steps in place; return the choice at the best multipliers seen.

    `state` holds the step's share of the way, the best bound, the steps since it fell, and the
    price of money there.
    """
    liked = rules.free[:0].copy()
    worth, slope = np.empty(net.capacity.size), np.empty(u.size)
    money = state[3]
    for _ in range(steps):
        order = np.argsort(u)
        _price(net, order, u, worth)
        money = price_money(rules, worth, money)
        chosen, value, _, _, _ = dearest(rules, worth, money)
        opened = fixed.copy()
        opened[chosen] = True
        bound = (net.weight * u).sum() + (worth * fixed).sum() + value
        if bound < state[1]:
            state[2] = state[2] + 1.0 if bound > state[1] - 1e-4 * (state[1] - target) else 0.0
            state[1], state[3] = bound, money
            best[:] = u
            liked = chosen[np.argsort(-worth[chosen])]
        else:
            state[2] += 1.0
        if state[2] > 12.0:
            state[0] *= 0.6
            state[2] = 0.0
            u[:] = best
            continue
        norm = _slope(net, order, opened, u, slope)
        if norm == 0.0:
            state[0] = 0.0
            break
        length = state[0] * max(bound - target, 1e-6 * bound) / norm
        for i in range(u.size):
            u[i] = min(1.0, max(0.0, u[i] - length * slope[i]))
    return liked
