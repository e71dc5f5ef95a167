"""Proven upper bounds of covering under capacities by Lagrangean multipliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.locate.capacitated_flow import Net

_FRACTION = 1 << 16  # multipliers are whole multiples of 1 / _FRACTION when the bound is taken
_ROUNDS, _STEPS = 40, 25


class Relaxation(NamedTuple):
    """An upper bound and each column's price: what it adds at the multipliers."""

    bound: int
    price: np.ndarray


def relax(
    net: Net,
    fixed: np.ndarray,
    free: np.ndarray,
    count: int,
    *,
    value: Callable[[np.ndarray], int],
    target: int,
    unit: int,
    deadline: float = math.inf,
) -> Relaxation:
    """Bound what the fixed and `count` of the free columns can serve.

    Parameters
    ----------
    net, fixed, free, count
        The problem.
    value
        Told of each choice that the multipliers like; returns the best value known.
    target
        Stop once the bound is at most this.
    unit
        Every value is a multiple of it.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Any multipliers 0 ≤ u_i ≤ 1 on Σ_j y_ij ≤ w_i give Σ_i w_i u_i + Σ_j v_j over the fixed and the
    `count` dearest, where v_j fills the capacity of column j by its clients of least u_i, at most
    w_i each, at 1 - u_i a unit (Pirkul & Schilling 1991, "The maximal covering location problem
    with capacities on total workload"). The multipliers come from a subgradient search in floating
    point; the bound is taken in integers.
    """
    u = np.zeros(net.weight.size)
    best = Relaxation(int(net.weight.sum()), np.zeros(net.capacity.size))
    open_always = np.zeros(net.capacity.size, dtype=bool)
    open_always[fixed] = True
    state = np.array([1.0, math.inf, 0.0])
    kept = u.copy()
    known = value(free[:0])
    for _ in range(_ROUNDS):
        chosen = _descend(net, open_always, free, count, u, kept, state, float(known), _STEPS)
        known = value(chosen)
        found = _certify(net, fixed, free, count, kept, unit)
        if found.bound < best.bound or not best.price.any():
            best = Relaxation(min(best.bound, found.bound), found.price)
        if best.bound <= target or state[0] < 1e-3 or working_seconds() > deadline:
            break
    return best


def _certify(  # noqa: PLR0917
    net: Net, fixed: np.ndarray, free: np.ndarray, count: int, u: np.ndarray, unit: int
) -> Relaxation:
    whole = np.clip(np.floor(u * _FRACTION), 0, _FRACTION).astype(np.int64)
    price = fill(net, np.argsort(whole, kind="stable"), whole)
    top = np.sort(price[free])[::-1][:count]
    total = sum(int(w) * int(v) for w, v in zip(net.weight, whole, strict=True))
    total += sum(int(v) for v in price[fixed]) + sum(int(v) for v in top)
    return Relaxation(total // _FRACTION // unit * unit, price / _FRACTION)


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
    free: np.ndarray,
    count: int,
    u: np.ndarray,
    best: np.ndarray,
    state: np.ndarray,
    target: float,
    steps: int,
) -> np.ndarray:
    """Take subgradient steps in place; return the choice at the best multipliers seen.

    `state` holds the step's share of the way, the best bound and the steps since it fell.
    """
    liked = free[:count].copy()
    worth, slope = np.empty(net.capacity.size), np.empty(u.size)
    for _ in range(steps):
        order = np.argsort(u)
        _price(net, order, u, worth)
        chosen = free[np.argsort(-worth[free])[:count]]
        opened = fixed.copy()
        opened[chosen] = True
        bound = (net.weight * u).sum() + (worth * opened).sum()
        if bound < state[1]:
            state[2] = state[2] + 1.0 if bound > state[1] - 1e-4 * (state[1] - target) else 0.0
            state[1] = bound
            best[:] = u
            liked = chosen
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
