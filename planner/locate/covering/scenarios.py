"""Maximal covering under many weightings of the demand: the best of each, and its bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import InputError, SettingsError
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.branch import branch
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.problem import check_weight, make_problem, rows_covered, scale_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.covering.bounds import Relaxation
    from planner.locate.covering.presolve import Core
    from planner.locate.problem import Limits, Problem, Scaled

# Counted, not timed, so that every machine gives the same answer.
_ITERATIONS = 600  # of a bound
_WORK = 2e9  # entries of cover that all proofs together may touch


class Scenarios(NamedTuple):
    """What can be covered under each weighting.

    Attributes
    ----------
    objective
        Shape (runs,): the weight that the choice of each run covers, existing included.
    bound
        Shape (runs,): no choice covers more; never under `objective`.
    chosen
        The choices, sorted columns.
    """

    objective: np.ndarray
    bound: np.ndarray
    chosen: list[np.ndarray]


def solve_scenarios(
    cover: Any,
    weights: Any,
    count: int,
    *,
    xy: np.ndarray | None = None,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    start: Sequence[int] | np.ndarray = (),
    gap: float = 1e-4,
    work: float = _WORK,
    on_step: Callable[[int, int], None] | None = None,
) -> Scenarios:
    """Choose candidates that cover the most, once for each of several weightings.

    Parameters
    ----------
    cover, count, xy, existing, required, cost, budget, conflicts, gap
        As in `planner.locate.solve_mclp`.
    weights
        Shape (runs, demand): each row is solved by itself.
    start
        Columns of a known good choice, which keeps the limits: no run's choice covers less.
    work
        Entries of cover that the proofs may touch together, so that time is bounded.
    on_step
        Called with (runs done, runs).

    Raises
    ------
    InputError, SettingsError, NoSolutionError
        As `planner.locate.solve_mclp`.

    Notes
    -----
    No step of the presolve looks at weights, so it is done once; every run starts from the choices
    and multipliers of the one before, which are nearly right where weightings are alike. The bound
    is that of `planner.locate.covering.bounds.relax`, split by `planner.locate.covering.branch`
    where nothing but the count limits the choice.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0, 1], [0, 1, 1], [0, 1, 0]])
    >>> solved = solve_scenarios(cover, [[3, 2, 4], [9, 1, 1]], 1)
    >>> solved.objective.tolist(), solved.bound.tolist()
    ([6.0, 10.0], [6.0, 10.0])
    """
    if not 0 <= gap < 1:
        raise SettingsError(f"`gap` must be at least 0 and under 1. Got {gap}.")
    table = np.asarray(weights, dtype=np.float64)
    if table.ndim != 2:
        raise InputError(f"`weights` must have the shape (runs, demand). Got {table.shape}.")
    problem = make_problem(
        cover, count, existing=existing, required=required, cost=cost, budget=budget,
        conflicts=conflicts,
    )  # fmt: skip
    core = make_core(problem, xy)
    runs = _Runs(problem, core, core_limits(problem, core), gap, work / max(1, len(table)))
    opened = np.asarray(existing, dtype=np.int64)
    given = np.asarray(start, dtype=np.int64)
    runs.known = [np.flatnonzero(np.isin(core.columns, given))]
    objective, bound, chosen = [], [], []
    for k, row in enumerate(table):
        values = check_weight(row, problem.matrix.shape[0])
        inside, limit = runs.solve(values)
        choices = [np.sort(np.append(problem.required, core.columns[inside])), np.sort(given)]
        worth = [
            math.fsum(values[rows_covered(problem.matrix, np.append(opened, c))]) for c in choices
        ]
        best = int(worth[1] > worth[0])
        chosen.append(choices[best])
        objective.append(worth[best])
        bound.append(max(limit, worth[best]))
        if on_step is not None:
            on_step(k + 1, len(table))
    return Scenarios(np.array(objective), np.array(bound), chosen)


class _Runs:
    """One core under many weightings: what was chosen and where multipliers ended."""

    def __init__(
        self, problem: Problem, core: Core, limits: Limits, gap: float, work: float
    ) -> None:
        self.problem, self.core, self.limits = problem, core, limits
        self.gap, self.work = gap, work
        self.known: list[np.ndarray] = []
        self.warm: Warm | None = None

    def solve(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the choice under one weighting, in the core's columns, and the bound."""
        open_rows, group = self.problem.open_rows, self.core.group
        scaled = scale_weight(np.where(open_rows | (group >= 0), values, 0.0))
        weight, before = self.core.weigh(scaled.whole), int(scaled.whole[open_rows].sum())
        chosen = self._search(weight)
        enough = self._enough(weight, chosen, before)
        found = relax(
            self.core.cover, weight, self.limits, target=enough, chosen=chosen, warm=self.warm,
            unit=scaled.unit, iterations=_ITERATIONS,
        )  # fmt: skip
        self.warm = Warm(found.share, found.multiplier, found.balance)
        limit = found.bound
        if found.bound > enough and self.problem.plain and self.limits.most > 0:
            chosen, limit = self._branch(weight, chosen, before, scaled, found)
        if not any(np.array_equal(chosen, other) for other in self.known):
            self.known.append(chosen)
        return chosen, (before + limit + scaled.slack) / scaled.scale

    def _search(self, weight: np.ndarray) -> np.ndarray:
        """Swap from the best choice so far, and from greedy."""
        cover = self.core.cover
        values = [covered_weight(cover, weight, c) for c in self.known]
        start = self.known[int(np.argmax(values))]
        quiet = np.random.default_rng(0)  # without annealing nothing is drawn
        return search(cover, weight, self.limits, rng=quiet, coolings=0, start=start)

    def _enough(self, weight: np.ndarray, chosen: np.ndarray, before: int) -> int:
        value = before + covered_weight(self.core.cover, weight, chosen)
        return math.floor(value / (1.0 - self.gap)) - before

    def _branch(
        self,
        weight: np.ndarray,
        chosen: np.ndarray,
        before: int,
        scaled: Scaled,
        found: Relaxation,
    ) -> tuple[np.ndarray, int]:
        """Improve a choice and lower its bound by branching."""
        cover = self.core.cover
        most = min(self.limits.most, cover.start.size - 1)
        proved = branch(
            cover, weight, most, chosen=chosen, relaxation=found, gap=self.gap, before=before,
            unit=scaled.unit, work=self.work,
        )  # fmt: skip
        if covered_weight(cover, weight, proved.chosen) > covered_weight(cover, weight, chosen):
            chosen = np.sort(proved.chosen)
        return chosen, min(proved.bound, found.bound)
