"""Location set covering: the fewest or cheapest facilities that cover all, or a share."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.compiled import working_seconds
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.lscp_partial import cover_share
from planner.locate.presolve import make_core, restrict
from planner.locate.problem import check_numbers, check_weight, make_problem, scale_weight
from planner.locate.setcover import Answer, cover_all
from planner.locate.setcover_reduce import outdone
from planner.locate.solution import at_least, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.presolve import Core
    from planner.locate.problem import Problem, Scaled
    from planner.locate.solution import Solution

_STEPS = 3
_NONE = np.empty(0, dtype=np.int64)


def solve_lscp(
    cover: Any,
    *,
    weight: Any = None,
    target_share: float = 1.0,
    cost: Any = None,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    time_limit_s: float = 60.0,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Solution:
    """Choose the fewest candidates, or the cheapest, that cover all demand or a share of it.

    Parameters
    ----------
    cover
        scipy sparse, demand × candidates; any entry present means covered, an explicit 0 too.
    weight
        Shape (demand,), finite, not negative; without it every row weighs 1. Rows of weight 0
        need no cover.
    target_share
        Of the total weight that must be covered, 0..1; 1 is all of it.
    cost
        Shape (candidates,), finite, not negative; without it every candidate costs 1.
    existing
        Columns already open: their cover counts, they cost nothing and are not in `chosen`.
    required, forbidden
        Columns that must, or must not, be chosen.
    time_limit_s
        Wall seconds for search, bound and proof.
    gap
        Stop when proven this close, relative to the objective.
    rng
        Seed of the search. The same seed gives the same answer unless the time limit cuts in.
    on_step
        Called with (steps done, steps in all).

    Returns
    -------
    Solution
        `objective` is the number of the chosen, or their cost, the required included; no choice
        that covers as much is under `bound`.

    Raises
    ------
    InputError
        An array has the wrong shape, or a weight or cost is negative or not finite.
    SettingsError
        `target_share` or another number is out of range, or a column is required and forbidden.
    NoSolutionError
        All that may be opened together cover less; the message says how much they cover.

    Notes
    -----
    Toregas, C., Swain, R., ReVelle, C. & Bergman, L. (1971), "The location of emergency service
    facilities": minimise Σ_j c_j x_j with Σ_j a_ij x_j ≥ 1 for each demand i, where a_ij = 1 where
    candidate j covers i, c_j is its cost, and x_j = 1 where j is opened. For a share s < 1 the
    model is partial covering (Daskin & Owen 1999): minimise Σ_j c_j x_j with
    Σ_i w_i y_i ≥ s Σ_i w_i and y_i ≤ Σ_j a_ij x_j, where w_i is the weight of demand i and
    y_i = 1 where i is covered.

    Weights and costs that are not whole numbers are brought to integers of 2**-44 of their sum, so
    the share is met to that precision, and the Lagrangean bound holds in exact arithmetic. Where it
    leaves doubt HiGHS decides, if what is left is not too large; it works in floating point, so its
    bound is told 1e-6 lower than it says, and rounded up where the costs are whole.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0, 1], [0, 1, 1], [0, 1, 0]])
    >>> solution = solve_lscp(cover)
    >>> solution.chosen.tolist(), solution.objective, solution.status
    ([1, 2], 2.0, 'optimal')
    >>> solve_lscp(cover, weight=[3, 2, 4], target_share=0.6).chosen.tolist()
    [1]
    """
    began = working_seconds()
    _check_share(target_share)
    check_numbers(time_limit_s, gap)
    problem, price = _posed(cover, cost, existing, required, forbidden)
    values = check_weight(
        np.ones(problem.matrix.shape[0]) if weight is None else weight, problem.matrix.shape[0]
    )
    core = make_core(problem)
    scaled = scale_weight(values)
    target = _target(problem, core, values, scaled, target_share)
    tell(on_step, 1, _STEPS)
    costs = scale_weight(price)
    answer = _decide(
        core,
        scaled,
        costs,
        target if target_share < 1.0 else None,
        needy=values > 0,
        gap=gap,
        rng=np.random.default_rng(rng),
        deadline=began + time_limit_s,
    )
    tell(on_step, 2, _STEPS)
    chosen = np.sort(np.concatenate([problem.required, core.columns[answer.chosen]]))
    objective = math.fsum(price[chosen])
    must = int(costs.whole[problem.required].sum())
    bound = max(0.0, (must + answer.bound - costs.slack) / costs.scale)
    tell(on_step, _STEPS, _STEPS)
    seconds = working_seconds() - began
    return at_least(chosen, objective, bound, gap=gap, model="lscp", seconds=seconds)


def _posed(
    cover: Any,
    cost: Any,
    existing: Sequence[int] | np.ndarray,
    required: Sequence[int] | np.ndarray,
    forbidden: Sequence[int] | np.ndarray,
) -> tuple[Problem, np.ndarray]:
    """Check the arguments as the covering models do; no count and no budget limits the choice."""
    columns = cover.shape[1] if getattr(cover, "ndim", 0) == 2 else 0
    try:
        price = np.ones(columns) if cost is None else np.asarray(cost, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("`cost` must hold numbers, one a candidate.") from error
    problem = make_problem(
        cover,
        None,
        existing=existing,
        required=required,
        forbidden=forbidden,
        cost=price,
        budget=float(np.abs(np.nan_to_num(price, posinf=0.0, neginf=0.0)).sum()) * 2.0,
    )
    # without costs a dominated candidate is never needed, as if only the count mattered
    return replace(problem, exact_count=cost is None), price


def _target(problem: Problem, core: Core, values: np.ndarray, scaled: Scaled, share: float) -> int:
    """Return the integer weight to cover beyond what is open, or raise if it is out of reach."""
    total = int(scaled.whole.sum())
    reached = problem.open_rows | (core.group >= 0)
    most = int(scaled.whole[reached].sum())
    if share == 1.0:
        needed = total
        lost = np.flatnonzero(~reached & (values > 0))
    else:
        needed = math.ceil(share * total - scaled.slack - 1e-12 * total)
        lost = _NONE
    if most < needed or lost.size:
        part = math.floor(1e6 * math.fsum(values[reached]) / math.fsum(values)) / 1e6
        rows = np.flatnonzero(~reached & (values > 0))
        raise NoSolutionError(
            f"a share of {share:g} cannot be covered: {rows.size} demand rows, the first of them "
            f"row {rows[0]}, are out of every candidate's reach, and all candidates together "
            f"cover a share of {part:g}. Lower `target_share` to {part:g} at most, give those "
            "rows weight 0, or offer more candidates."
        )
    return needed - int(scaled.whole[problem.open_rows].sum())


def _decide(
    core: Core,
    scaled: Scaled,
    costs: Scaled,
    target: int | None,
    *,
    needy: np.ndarray,
    gap: float,
    rng: np.random.Generator,
    deadline: float,
) -> Answer:
    """Choose core candidates and bound their integer cost; without a target all is covered."""
    cost = costs.whole[core.columns]
    every = np.arange(core.columns.size)
    if target is None:
        heavy = np.zeros(core.cover.back.size - 1, dtype=bool)
        heavy[core.group[(core.group >= 0) & needy]] = True
        cover, _ = restrict(core.cover, heavy.astype(np.int64), every, heavy)
        if cover.back.size == 1:
            return Answer(_NONE, 0)
        return cover_all(cover, cost, unit=costs.unit, gap=gap, rng=rng, deadline=deadline)
    if target <= 0:
        return Answer(_NONE, 0)
    weight = core.weigh(scaled.whole)
    kept = np.flatnonzero(~outdone(core.cover, cost))
    cover, weight = restrict(core.cover, weight, kept, weight > 0)
    answer = cover_share(
        cover, weight, cost[kept], target, unit=costs.unit, gap=gap, rng=rng, deadline=deadline
    )
    return Answer(kept[answer.chosen], answer.bound)


def _check_share(target_share: float) -> None:
    if not 0 < target_share <= 1:
        raise SettingsError(
            f"`target_share` must be greater than 0 and at most 1. Got {target_share}."
        )
