"""Reach a share of the demand at least cost: greedy, search by budget, bound, proof."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.compiled import compiled, working_seconds
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.problem import Limits
from planner.locate.program import Program, minimise
from planner.locate.setcover.whole import Answer

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

_COOLINGS = 2
_RELAXATIONS = 6
_SEARCHES = 12
# Above so many cover entries HiGHS takes minutes: the relaxation's bound stands alone then.
_MIP_ENTRIES = 25_000
_SMALL_ENTRIES = 500  # here HiGHS is done before a search has begun
_MIP_NODES = 5_000


def cover_share(
    cover: Cover,
    weight: np.ndarray,
    cost: np.ndarray,
    target: int,
    *,
    unit: int,
    gap: float,
    rng: np.random.Generator,
    deadline: float = math.inf,
) -> Answer:
    """Choose columns that cover a weight of at least `target` at least cost.

    Parameters
    ----------
    cover
        Columns × clients; all columns together cover the target.
    weight, cost
        int64 of every client and column, not negative.
    target
        Integer weight, greater than 0.
    unit
        Divides every cost.
    gap
        Stop when proven this close, relative to the cost.
    rng
        Of the search.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Minimise Σ_j c_j x_j with Σ_i w_i min(1, Σ_j a_ij x_j) ≥ T (Daskin & Owen 1999, "Two new
    location covering problems: the partial p-center problem and the partial set covering
    problem"). What a budget B covers at most is bounded by V + max Σ_j v_j x_j within B, with V
    and the prices v_j from the maximal covering relaxation; the least B whose bound reaches T is a
    bound on the cost. It is best at the multipliers of that very budget, so they are sought in
    turns.
    """
    chosen = greedy_share(cover, weight, cost, target)
    left = deadline - working_seconds()
    if cover.client.size <= _SMALL_ENTRIES and left > 0:
        answer = _prove(cover, weight, cost, target, chosen, unit, gap, left)
        if answer.bound >= (1.0 - gap) * int(cost[answer.chosen].sum()):
            return answer
    half = working_seconds() + 0.5 * (deadline - working_seconds())  # the rest is for the choice
    bound = _bound(cover, weight, cost, target, chosen, unit, gap, half)
    chosen = _cheaper(cover, weight, cost, target, chosen, bound, unit, rng, deadline)
    value = int(cost[chosen].sum())
    if value - bound > gap * value and cover.client.size <= _MIP_ENTRIES:
        left = deadline - working_seconds()
        if left > 0:
            answer = _prove(cover, weight, cost, target, chosen, unit, gap, left)
            return Answer(answer.chosen, max(bound, answer.bound))
    return Answer(chosen, bound)


def _limits(cost: np.ndarray, budget: int) -> Limits:
    empty = np.zeros(cost.size + 1, dtype=np.int64)
    most = min(cost.size, budget) if (cost == 1).all() else cost.size
    return Limits(most, cost.astype(float), float(budget), empty, empty[:0])


def _bound(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    cost: np.ndarray,
    target: int,
    chosen: np.ndarray,
    unit: int,
    gap: float,
    deadline: float,
) -> int:
    """Return the least cost that could reach the target, by the relaxation at a few budgets."""
    value = int(cost[chosen].sum())
    lower, upper, budget, warm = 0, value, value - unit, None
    for _ in range(_RELAXATIONS):
        if budget < max(unit, lower) or upper - lower <= gap * value:
            break
        limits = _limits(cost, budget)
        found = relax(
            cover, weight, limits, chosen=chosen, warm=warm, target=target - 1, deadline=deadline
        )
        warm = Warm(found.share, found.multiplier, found.balance)
        least = _least_budget(found, limits, cost, target, unit)
        if found.bound < target:
            least = max(least, budget + unit)
        else:
            upper = budget
        better = least > lower
        lower = max(lower, min(least, value))
        following = lower if lower < upper else lower - unit
        if working_seconds() > deadline or (not better and following == budget):
            break
        budget = following
    return lower


def _least_budget(
    found: Relaxation, limits: Limits, cost: np.ndarray, target: int, unit: int
) -> int:
    """Return the least budget at which the prices of a relaxation would reach the target."""
    if not found.price.any():
        return 0
    order = np.argsort(-found.price / np.maximum(cost, 1e-12), kind="stable")
    worth = np.concatenate([[0.0], np.cumsum(found.price[order])])
    spent = np.concatenate([[0], np.cumsum(cost[order])])
    at_budget = float(np.interp(limits.budget, spent, worth))
    # the bound was rounded down by less than 1, the prices by floating point
    base = found.bound + 1 - at_budget * (1 - 1e-9)
    short = (target - base) / (1 + 1e-9)
    if short <= 0:
        return 0
    k = int(np.searchsorted(worth, short))
    if k >= worth.size:
        return int(spent[-1])
    part = (short - worth[k - 1]) / max(worth[k] - worth[k - 1], 1e-300)
    least = spent[k - 1] + (spent[k] - spent[k - 1]) * min(1.0, part)
    return -(-math.ceil(least * (1 - 1e-9) - 1e-9) // unit) * unit


def _cheaper(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    cost: np.ndarray,
    target: int,
    chosen: np.ndarray,
    bound: int,
    unit: int,
    rng: np.random.Generator,
    deadline: float,
) -> np.ndarray:
    """Halve the way to the bound as long as a search within the budget reaches the target."""
    low, best = bound, chosen
    for _ in range(_SEARCHES):
        value = int(cost[best].sum())
        if low >= value or working_seconds() > deadline:
            break
        budget = (low + value - unit) // 2 // unit * unit
        budget = max(low, budget)
        trial = search(
            cover, weight, _limits(cost, budget), rng=rng, coolings=_COOLINGS, deadline=deadline
        )
        if covered_weight(cover, weight, trial) >= target:
            best = prune_share(cover, weight, cost, target, np.sort(trial))
        else:
            low = budget + unit
    return np.sort(best)


def _prove(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    cost: np.ndarray,
    target: int,
    chosen: np.ndarray,
    unit: int,
    gap: float,
    left: float,
) -> Answer:
    """Solve the whole program by HiGHS from a choice."""
    n, m = cost.size, weight.size
    value = int(cost[chosen].sum())
    links = sparse.csr_array((-np.ones(cover.candidate.size), cover.candidate, cover.back), (m, n))
    scale = 1.0 / max(1, int(weight.max()))
    total = sparse.csr_array(np.concatenate([np.zeros(n), weight * scale])[None])
    start = np.zeros(n + m)
    start[chosen] = 1.0
    start[n:] = links @ start[:n] < 0
    outcome = minimise(
        Program(
            np.concatenate([cost.astype(float), np.zeros(m)]),
            np.ones(n + m),
            sparse.csr_array(sparse.vstack([sparse.hstack([links, sparse.eye_array(m)]), total])),
            np.concatenate([np.full(m, -np.inf), [target * scale]]),
            np.concatenate([np.zeros(m), [np.inf]]),
            np.arange(n + m) < n,
        ),
        abs_gap=max(gap * value, unit - 0.01),
        nodes=_MIP_NODES,
        time_limit_s=left,
        start=start,
    )
    best = chosen
    if outcome.values is not None:
        found = np.flatnonzero(outcome.values[:n] > 0.5)
        if covered_weight(cover, weight, found) >= target and cost[found].sum() < value:
            best = found
    value = int(cost[best].sum())
    bound = -(-math.ceil(outcome.bound) // unit) * unit if math.isfinite(outcome.bound) else 0
    return Answer(best, max(0, min(value, bound)))


@compiled
def greedy_share(cover: Cover, weight: np.ndarray, cost: np.ndarray, target: int) -> np.ndarray:
    """Add the column of most weight per cost until the target is reached; drop the needless.

    What goes beyond the target does not count. Ties go to the smallest column.
    """
    n = cover.start.size - 1
    seen = np.zeros(weight.size, np.bool_)
    gain = np.zeros(n, np.int64)
    inside = np.zeros(n, np.bool_)
    for j in range(n):
        for k in range(cover.start[j], cover.start[j + 1]):
            gain[j] += weight[cover.client[k]]
    reached = 0
    while reached < target:
        best, lead = -1, 0.0
        for j in range(n):
            if not inside[j] and gain[j] > 0:
                score = min(gain[j], target - reached) / max(float(cost[j]), 1e-9)
                if score > lead:
                    best, lead = j, score
        inside[best] = True
        reached += gain[best]
        for k in range(cover.start[best], cover.start[best + 1]):
            i = cover.client[k]
            if not seen[i]:
                seen[i] = True
                for q in range(cover.back[i], cover.back[i + 1]):
                    gain[cover.candidate[q]] -= weight[i]
    return prune_share(cover, weight, cost, target, np.flatnonzero(inside))


@compiled
def prune_share(
    cover: Cover, weight: np.ndarray, cost: np.ndarray, target: int, chosen: np.ndarray
) -> np.ndarray:
    """Drop what the target does not need, the dearest first."""
    times = np.zeros(weight.size, np.int64)
    reached = 0
    for j in chosen:
        for k in range(cover.start[j], cover.start[j + 1]):
            i = cover.client[k]
            if times[i] == 0:
                reached += weight[i]
            times[i] += 1
    keep = np.ones(chosen.size, np.bool_)
    for t in np.argsort(-cost[chosen], kind="mergesort"):
        alone = 0
        for k in range(cover.start[chosen[t]], cover.start[chosen[t] + 1]):
            if times[cover.client[k]] == 1:
                alone += weight[cover.client[k]]
        if reached - alone >= target:
            keep[t] = False
            reached -= alone
            for k in range(cover.start[chosen[t]], cover.start[chosen[t] + 1]):
                times[cover.client[k]] -= 1
    return chosen[keep]
