"""Sums over covers written as runs, and the projection onto a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.covering.order import Runs


@compiled
def collect(runs: Runs, value: np.ndarray, out: np.ndarray) -> None:
    """Add up a value over each candidate's clients."""
    before = np.empty(value.size + 1)
    total = 0.0
    before[0] = 0.0
    for i in range(value.size):
        total += value[i]
        before[i + 1] = total
    for j in range(out.size):
        total = 0.0
        for k in range(runs.start[j], runs.start[j + 1]):
            total += before[runs.stop[k]] - before[runs.first[k]]
        out[j] = total


@compiled
def collect_whole(runs: Runs, value: np.ndarray, out: np.ndarray) -> None:
    """Add up whole values over each candidate's clients."""
    before = np.zeros(value.size + 1, np.int64)
    for i in range(value.size):
        before[i + 1] = before[i] + value[i]
    for j in range(out.size):
        total = 0
        for k in range(runs.start[j], runs.start[j + 1]):
            total += before[runs.stop[k]] - before[runs.first[k]]
        out[j] = total


@compiled
def spread(runs: Runs, x: np.ndarray, out: np.ndarray) -> None:
    """Add up the candidates' shares over each client."""
    step = np.zeros(out.size + 1)
    for j in range(x.size):
        if x[j] != 0.0:
            for k in range(runs.start[j], runs.start[j + 1]):
                step[runs.first[k]] += x[j]
                step[runs.stop[k]] -= x[j]
    total = 0.0
    for i in range(out.size):
        total += step[i]
        out[i] = total


@compiled
def project(
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
