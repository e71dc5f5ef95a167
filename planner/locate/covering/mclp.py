"""Maximal covering: the most weight within reach of so many facilities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.compiled import working_seconds
from planner.errors import InputError
from planner.locate.covering.bounds import relax
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.covering.proof import (
    FIRST_COOLINGS,
    MORE_COOLINGS,
    Stake,
    prove_count,
    prove_limits,
)
from planner.locate.covering.recombine import improve_open
from planner.locate.covering.temper import cool, make_ladder
from planner.locate.problem import (
    check_numbers,
    check_weight,
    make_problem,
    rows_covered,
    scale_weight,
)
from planner.locate.solution import at_most, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.covering.presolve import Core
    from planner.locate.problem import Cover, Limits, Problem, Scaled
    from planner.locate.solution import Solution

_STEPS = 4
_LARGE, _SWEEPS = 1_000_000, 60  # entries from which annealing goes over all candidates so often


def solve_mclp(
    cover: Any,
    weight: Any,
    count: int | None,
    *,
    xy: np.ndarray | None = None,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    time_limit_s: float = 60.0,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Solution:
    """Choose candidates that cover the most weight, with a proven bound.

    Parameters
    ----------
    cover
        scipy sparse, demand × candidates; any entry present means covered, an explicit 0 too.
    weight
        Shape (demand,), finite, not negative.
    count
        How many to choose, the required among them. With costs it may be None: no limit.
    xy
        Shape (candidates, 2), a hint that never changes what is right.
    existing
        Columns already open: their cover counts, they do not count and are not in `chosen`.
    required, forbidden
        Columns that must, or must not, be chosen.
    cost, budget
        Shape (candidates,), and what the chosen may cost together; both or neither.
    conflicts
        Shape (k, 2): pairs of columns of which at most one may be chosen.
    time_limit_s
        Wall seconds for bound and proof; the choice stands long before.
    gap
        Stop when proven this close, relative to the bound.
    rng
        Seed of the search. The same seed gives the same answer unless the time limit cuts in.
    on_step
        Called with (steps done, steps in all).

    Returns
    -------
    Solution
        `chosen` holds exactly `count` columns; fewer only under costs or conflicts. `objective`
        is the covered weight, existing included; no choice covers more than `bound`.

    Raises
    ------
    InputError
        An array has the wrong shape, or a weight or cost is negative or not finite.
    SettingsError
        `count` is under 1 or above what may be chosen, a column is required and forbidden, or
        `budget` or another number is out of range.
    NoSolutionError
        The required exceed the count or the budget, or exclude each other.

    Notes
    -----
    Church, R. L. & ReVelle, C. (1974), "The maximal covering location problem": maximise
    Σ_i w_i y_i with y_i ≤ Σ_j a_ij x_j and Σ_j x_j = p, where w_i is the weight of demand i,
    a_ij = 1 where candidate j covers i, x_j = 1 where j is opened and y_i = 1 where i is covered.

    Presolve, greedy, swaps, annealing and, where most candidates stay open, replica exchange
    (`planner.locate.covering.temper`) or, where nearly all can be covered, exchanges under growing
    weights (`planner.locate.covering.complete`) give the choice; a Lagrangean bound, evaluated in
    integers, proves how good it is; what the bound cannot exclude is split by a branch and bound
    (`planner.locate.covering.branch`), or, where costs or conflicts limit the choice, goes to
    HiGHS. HiGHS works in floating point, so its bound is told 1e-6 higher than it says, and rounded
    down where the weights are whole.
    Nothing returned is ever worse than what the heuristics found.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0, 1], [0, 1, 1], [0, 1, 0]])
    >>> solution = solve_mclp(cover, [3, 2, 4], 1)
    >>> solution.chosen.tolist(), solution.objective, solution.bound, solution.status
    ([1], 6.0, 6.0, 'optimal')
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    problem = make_problem(
        cover,
        count,
        existing=existing,
        required=required,
        forbidden=forbidden,
        cost=cost,
        budget=budget,
        conflicts=conflicts,
    )
    _check_xy(xy, problem.matrix.shape[1])
    values = check_weight(weight, problem.matrix.shape[0])
    core = make_core(problem, xy)
    scaled = scale_weight(np.where(problem.open_rows | (core.group >= 0), values, 0.0))
    tell(on_step, 1, _STEPS)
    chosen, bound = _decide(
        problem,
        core,
        scaled,
        gap=gap,
        limit_s=time_limit_s,
        deadline=began + time_limit_s,
        rng=np.random.default_rng(rng),
        xy=None if xy is None else np.asarray(xy, dtype=np.float64)[core.columns],
        on_step=on_step,
    )
    columns = _columns(problem, core, chosen)
    objective = math.fsum(values[problem.open_rows | rows_covered(problem.matrix, columns)])
    limit, seconds = (bound + scaled.slack) / scaled.scale, working_seconds() - began
    return at_most(columns, objective, limit, gap=gap, model="mclp", seconds=seconds)


def heuristic_mclp(
    cover: Any,
    weights: Any,
    count: int,
    *,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    conflicts: np.ndarray | None = None,
    start: Sequence[int] | np.ndarray = (),
    on_step: Callable[[int, int], None] | None = None,
) -> list[np.ndarray]:
    """Choose by greedy and swaps alone, once for each of several weightings of the demand.

    Parameters
    ----------
    cover, count, existing, required, forbidden, conflicts
        As in `solve_mclp`.
    weights
        Shape (runs, demand): each row is solved by itself.
    start
        Columns of a known good choice: each run also improves it, and keeps it at a tie.
    on_step
        Called with (runs done, runs).

    Returns
    -------
    list of numpy.ndarray
        The chosen columns of each run, sorted; candidates that add nothing are left out.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0, 1], [0, 1, 1], [0, 1, 0]])
    >>> [run.tolist() for run in heuristic_mclp(cover, [[3, 2, 4], [9, 1, 1]], 1)]
    [[1], [2]]
    """
    table = np.asarray(weights, dtype=np.float64)
    if table.ndim != 2:
        raise InputError(f"`weights` must have the shape (runs, demand). Got {table.shape}.")
    problem = make_problem(
        cover,
        count,
        existing=existing,
        required=required,
        forbidden=forbidden,
        conflicts=conflicts,
    )
    core = make_core(problem)
    quiet = np.random.default_rng(0)
    known = np.flatnonzero(np.isin(core.columns, np.asarray(start, dtype=np.int64)))
    runs = []
    for k, row in enumerate(table):
        values = check_weight(row, problem.matrix.shape[0])
        whole = scale_weight(np.where(core.group >= 0, values, 0.0)).whole
        weight = core.weigh(whole)
        chosen = search(
            core.cover, weight, core_limits(problem, core), rng=quiet, coolings=0, start=known
        )
        useful = _useful(core, weight, chosen)
        runs.append(np.union1d(problem.required, core.columns[useful]))
        if on_step is not None:
            on_step(k + 1, table.shape[0])
    return runs


def _decide(
    problem: Problem,
    core: Core,
    scaled: Scaled,
    *,
    gap: float,
    limit_s: float,
    deadline: float,
    rng: np.random.Generator,
    xy: np.ndarray | None,
    on_step: Callable[[int, int], None] | None,
) -> tuple[np.ndarray, int]:
    """Choose core candidates; return them and the integer bound on all that is covered."""
    weight, limits, unit = core.weigh(scaled.whole), core_limits(problem, core), scaled.unit
    before = int(scaled.whole[problem.open_rows].sum())
    chosen = _first(problem, core.cover, weight, limits, rng, deadline)
    value = before + covered_weight(core.cover, weight, chosen)
    tell(on_step, 2, _STEPS)
    enough = math.floor(value / (1.0 - gap))
    relaxation = relax(
        core.cover,
        weight,
        limits,
        chosen=chosen,
        target=enough - before,
        unit=unit,
        deadline=deadline,
    )
    if problem.plain and before + relaxation.bound > enough:
        chosen = improve_open(
            core.cover,
            weight,
            chosen=chosen,
            relaxation=relaxation,
            rng=rng,
            enough=math.ceil((before + relaxation.bound) * (1.0 - gap)) - before,
            limit_s=limit_s,
            xy=xy,
            unit=unit,
            deadline=deadline,
        )
        value = before + covered_weight(core.cover, weight, chosen)
        enough = math.floor(value / (1.0 - gap))
    bound = relaxation.bound
    tell(on_step, 3, _STEPS)
    if before + bound > enough and working_seconds() < deadline:
        stake = Stake(before, value, enough, unit, gap, deadline, rng, xy)
        weigh = prove_count if problem.plain else prove_limits
        chosen, bound = weigh(core.cover, weight, limits, chosen, relaxation, stake)
    tell(on_step, _STEPS, _STEPS)
    return chosen, before + bound


def _first(  # noqa: PLR0917
    problem: Problem,
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    rng: np.random.Generator,
    deadline: float,
) -> np.ndarray:
    """Choose fast, and well enough to begin with."""
    coolings = FIRST_COOLINGS + (0 if problem.plain else MORE_COOLINGS)
    chosen = search(cover, weight, limits, rng=rng, coolings=coolings)  # however little time
    n = cover.start.size - 1
    if not problem.plain or cover.client.size <= _LARGE or not 0 < chosen.size < n:
        return chosen
    heat = make_ladder(cover, weight, chosen.size, math.inf)
    return np.sort(
        cool(cover, weight, chosen, heat, trials=_SWEEPS * n, rng=rng, deadline=deadline)
    )


def _columns(problem: Problem, core: Core, chosen: np.ndarray) -> np.ndarray:
    """Original columns; filled up to the count by the smallest free ones, which add nothing."""
    picked = core.columns[chosen]
    if problem.exact_count:
        spare = np.setdiff1d(problem.free, picked)
        picked = np.concatenate([picked, spare[: problem.limits.most - picked.size]])
    return np.sort(np.concatenate([problem.required, picked])).astype(np.int64)


def _useful(core: Core, weight: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Leave out those of the chosen that cover nothing that counts."""
    loads = [
        weight[core.cover.client[core.cover.start[j] : core.cover.start[j + 1]]].sum()
        for j in chosen
    ]
    return chosen[np.array(loads, dtype=np.int64) > 0] if chosen.size else chosen


def _check_xy(xy: np.ndarray | None, n: int) -> None:
    if xy is not None and np.shape(xy) != (n, 2):
        raise InputError(f"`xy` must have one row a candidate: ({n}, 2). Got {np.shape(xy)}.")
