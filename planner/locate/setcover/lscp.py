"""Location set covering: the fewest or cheapest facilities that cover all, or a share."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.covering.exact import keeps_limits
from planner.locate.covering.presolve import (
    core_limits,
    implied,
    make_core,
    outdone,
    restrict,
)
from planner.locate.needs import Needs, check_groups, make_floor
from planner.locate.problem import check_numbers, check_weight, make_problem, scale_weight
from planner.locate.setcover.limited import cheapest_within, name_limits
from planner.locate.setcover.partial import cover_share
from planner.locate.setcover.reduce import keep_part
from planner.locate.setcover.whole import Answer, cover_all
from planner.locate.solution import TOLERANCE, at_least, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.covering.presolve import Core
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
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    groups: Sequence[Any] | np.ndarray | None = None,
    floor: float = 0.0,
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
    budget
        With `cost`: what the chosen may cost together. The cheapest are sought in any case; if
        they cost more there is no solution.
    conflicts
        Shape (k, 2): pairs of columns of which at most one may be chosen.
    groups, floor
        Shape (demand,): the group of every row, any names, and the share of each group's weight
        that must be covered, 0 … 1, the existing included; 0 is no floor.
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
        All that may be opened together cover less; the message says how much they cover. Or the
        required break a limit, the budget is too small, or conflicts or the floor leave no choice.

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

    A floor f adds Σ_{i in g} w_i y_i ≥ f Σ_{i in g} w_i for every group g, conflicts add
    x_j + x_k ≤ 1. Where the optimum without them breaks them HiGHS decides, and a search under
    growing weights of what lacks (`planner.locate.needs`) finds choices; the bound without them
    holds too.

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
    problem, price = _posed(cover, cost, budget, conflicts, existing, required, forbidden)
    values = check_weight(
        np.ones(problem.matrix.shape[0]) if weight is None else weight, problem.matrix.shape[0]
    )
    core = make_core(problem)
    scaled = scale_weight(values)
    whole = target_share == 1.0
    target = _target(problem, core, values, scaled, target_share)
    tell(on_step, 1, _STEPS)
    costs = scale_weight(price)
    aim = _Aim(gap, np.random.default_rng(rng), began + time_limit_s)
    answer = _decide(core, scaled, costs, None if whole else target, needy=values > 0, aim=aim)
    if floor:
        check_groups(groups, floor, values.size)
    if floor or problem.limits.rival.size:
        limits = _Limits(problem, core, costs.whole[core.columns], scaled, values > 0)
        needs = None if whole else limits.needs(groups, floor, target)
        answer = limits.decide(answer, needs, costs.unit, aim)
    tell(on_step, 2, _STEPS)
    chosen = np.sort(np.concatenate([problem.required, core.columns[answer.chosen]]))
    objective = math.fsum(price[chosen])
    must = int(costs.whole[problem.required].sum())
    bound = max(0.0, (must + answer.bound - costs.slack) / costs.scale)
    _check_budget(budget, objective, bound)
    tell(on_step, _STEPS, _STEPS)
    seconds = working_seconds() - began
    return at_least(chosen, objective, bound, gap=gap, model="lscp", seconds=seconds)


def _posed(  # noqa: PLR0917
    cover: Any,
    cost: Any,
    budget: float | None,
    conflicts: np.ndarray | None,
    existing: Sequence[int] | np.ndarray,
    required: Sequence[int] | np.ndarray,
    forbidden: Sequence[int] | np.ndarray,
) -> tuple[Problem, np.ndarray]:
    """Check the arguments as the covering models do; no count limits the choice."""
    if budget is not None and cost is None:
        raise SettingsError("`budget` needs `cost`: what each candidate costs.")
    if budget is not None and not (math.isfinite(budget) and budget >= 0):
        raise SettingsError(f"`budget` must be finite and not negative. Got {budget}.")
    columns = cover.shape[1] if getattr(cover, "ndim", 0) == 2 else 0
    try:
        price = np.ones(columns) if cost is None else np.asarray(cost, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("`cost` must hold numbers, one a candidate.") from error
    free = float(np.abs(np.nan_to_num(price, posinf=0.0, neginf=0.0)).sum()) * 2.0
    problem = make_problem(
        cover,
        None,
        existing=existing,
        required=required,
        forbidden=forbidden,
        cost=price,
        budget=free,
        conflicts=conflicts,
    )
    # without costs a dominated candidate is never needed, as if only the count mattered
    plain = cost is None and problem.limits.rival.size == 0
    return replace(problem, exact_count=plain), price


class _Aim(NamedTuple):
    """How close, how long, and by which random numbers."""

    gap: float
    rng: np.random.Generator
    deadline: float


class _Limits(NamedTuple):
    """What a choice of core candidates must keep beside its own target.

    `cost` is that of the core's candidates; `needy` are the demand rows that count.
    """

    problem: Problem
    core: Core
    cost: np.ndarray
    scaled: Scaled
    needy: np.ndarray

    def needs(self, groups: Sequence[Any] | np.ndarray | None, floor: float, target: int) -> Needs:
        """Return what must be covered of every group, and of everything."""
        core, whole = self.core, self.scaled.whole
        clients = core.cover.back.size - 1
        every = Needs(
            sparse.csr_array(core.weigh(whole)[None].astype(float)), np.array([float(target)])
        )
        if not floor:
            return every
        kept = make_floor(
            groups, floor, whole, settled=self.problem.open_rows, client=core.group,
            clients=clients,
        )  # fmt: skip
        kept.check_reach()
        return Needs(
            sparse.csr_array(sparse.vstack([every.share, kept.needs.share])),
            np.append(every.need, kept.needs.need),
        )

    def decide(self, answer: Answer, needs: Needs | None, unit: int, aim: _Aim) -> Answer:
        """Keep an answer that keeps the limits, or find the cheapest that does."""
        limits = core_limits(self.problem, self.core)
        # what the choice costs is the objective, so a budget has no say in the search
        limits = limits._replace(cost=np.ones(self.cost.size), budget=float(limits.most))
        cover = self.core.cover
        if keeps_limits(limits, answer.chosen) and (
            needs is None or needs.kept(cover, answer.chosen)
        ):
            return answer
        if needs is None:  # rows without weight need no cover, and rows implied by others neither
            heavy = np.zeros(cover.back.size - 1, dtype=bool)
            heavy[self.core.group[(self.core.group >= 0) & self.needy]] = True
            cover = keep_part(cover, np.arange(self.cost.size), heavy)
            cover = keep_part(cover, np.arange(self.cost.size), ~implied(cover))
        least = cheapest_within(
            cover, self.cost, limits, needs, bound=answer.bound, unit=unit, gap=aim.gap,
            rng=aim.rng, deadline=aim.deadline,
        )  # fmt: skip
        if least.chosen is not None:
            return Answer(least.chosen, int(least.bound))
        what = name_limits(limits, floor=needs is not None and needs.need.size > 1)
        if least.bound == math.inf:
            raise NoSolutionError(
                f"no choice covers the target and keeps {what}. Allow a smaller spacing, lower "
                "`target_share` or the floor, or offer more candidates."
            )
        raise NoSolutionError(
            f"no choice that covers the target and keeps {what} was found, nor a proof that there "
            "is none. Raise `time_limit_s`, or lower `target_share` or the floor."
        )


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
    aim: _Aim,
) -> Answer:
    """Choose core candidates and bound their integer cost; without a target all is covered."""
    gap, rng, deadline = aim
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


def _check_budget(budget: float | None, objective: float, bound: float) -> None:
    if budget is None or objective <= budget * (1 + TOLERANCE):
        return
    if bound > budget * (1 + TOLERANCE):
        least = f"at least {bound:.6g}" if bound < objective else f"{objective:.6g}"
        raise NoSolutionError(
            f"the `budget` of {budget:g} is too small: the cheapest choice that covers the target "
            f"costs {least}. Raise the budget, or lower `target_share`."
        )
    raise NoSolutionError(
        f"no choice that covers the target within the `budget` of {budget:g} was found: the best "
        f"costs {objective:.6g}, and none costs less than {bound:.6g}. Raise the budget or "
        "`time_limit_s`, or lower `target_share`."
    )


def _check_share(target_share: float) -> None:
    if not 0 < target_share <= 1:
        raise SettingsError(
            f"`target_share` must be greater than 0 and at most 1. Got {target_share}."
        )
