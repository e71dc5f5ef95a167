"""Maximal covering with a floor: the most weight, and of every group at least a share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import NoSolutionError
from planner.locate.covering.bounds import relax
from planner.locate.covering.exact import keeps_limits, limit_rows, make_kernel, prove
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.mclp import solve_mclp
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.needs import clients_covered, make_floor, meet_needs
from planner.locate.problem import (
    check_numbers,
    check_weight,
    make_problem,
    rows_covered,
    scale_weight,
)
from planner.locate.program import Program, minimise
from planner.locate.solution import at_most, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.covering.presolve import Core
    from planner.locate.needs import Floor
    from planner.locate.problem import Limits, Problem, Scaled
    from planner.locate.solution import Solution

_STEPS = 4
_ROUNDS = 24  # of the extra weights that lift groups over their floor
_RESCUES = 40  # rounds in which only what is lacking counts
_ITERATIONS = 1500  # of the relaxation at some extra weights
_FINE = 16  # extra weights are whole multiples of 1 / 16
_MOST_EXTRA = 4096
_NODES = 20_000
# Above so many entries HiGHS takes minutes and may not look at the clock: the bound stands alone.
_MIP_ENTRIES = 60_000


def solve_floored_mclp(
    cover: Any,
    weight: Any,
    count: int | None,
    *,
    groups: Sequence[Any] | np.ndarray,
    floor: float,
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
    """Choose candidates that cover the most weight and of every group at least a share.

    Parameters
    ----------
    cover, weight, count, xy, existing, required, forbidden, cost, budget, conflicts
        As in `planner.locate.solve_mclp`.
    groups
        Shape (demand,): the group of every row, any names. Groups without weight have no floor.
    floor
        0 … 1: the share of each group's weight that must be covered, existing ones included.
    time_limit_s, gap, rng, on_step
        As in `planner.locate.solve_mclp`.

    Returns
    -------
    Solution
        As of `planner.locate.solve_mclp`; no choice that keeps the floor covers more than `bound`.

    Raises
    ------
    InputError, SettingsError
        As `planner.locate.solve_mclp`; `floor` is out of range.
    NoSolutionError
        The floor cannot be kept; the message names a group and the most that it can get.

    Notes
    -----
    To the model of Church & ReVelle (1974) a row for each group g is added,
    Σ_{i in g} w_i y_i ≥ f Σ_{i in g} w_i, with f the floor; see Ogryczak (2000), "Inequality
    measures and equitable approaches to location problems", on why a floor and not a mean.

    The optimum without a floor is taken where it keeps it. Otherwise groups under the floor are
    given extra weight until a choice keeps it, which is a Lagrangean relaxation of the rows and
    bounds too; where that finds none, only what the groups lack counts until one is found. HiGHS
    decides where the presolved problem is not too large for it. Floors are kept to 1e-9 of a
    group's weight.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0], [1, 0], [0, 1]])
    >>> free = solve_floored_mclp(cover, [3, 2, 4], 1, groups=["a", "a", "b"], floor=0.0)
    >>> free.chosen.tolist(), free.objective
    ([0], 5.0)
    >>> both = solve_floored_mclp(cover, [3, 2, 4], 2, groups=["a", "a", "b"], floor=0.5)
    >>> both.chosen.tolist(), both.objective, both.status
    ([0, 1], 9.0, 'optimal')
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    limits: dict[str, Any] = {
        "existing": existing, "required": required, "forbidden": forbidden, "cost": cost,
        "budget": budget, "conflicts": conflicts,
    }  # fmt: skip
    problem = make_problem(cover, count, **limits)
    values = check_weight(weight, problem.matrix.shape[0])
    core, scaled = make_core(problem, xy), scale_weight(values)
    asked = make_floor(
        groups, floor, scaled.whole, settled=problem.open_rows, client=core.group,
        clients=core.cover.back.size - 1,
    )  # fmt: skip
    asked.check_reach()
    case = _Case(problem, core, scaled, asked, np.random.default_rng(rng), began + time_limit_s)
    if case.keeps(case.free()):
        solution = solve_mclp(
            cover, weight, count, xy=xy, rng=rng, on_step=on_step, gap=gap,
            time_limit_s=time_limit_s, **limits,
        )  # fmt: skip
        place = np.flatnonzero(np.isin(core.columns, solution.chosen))
        if case.keeps(place):
            return solution
        case.bound = min(case.bound, math.ceil(solution.bound * scaled.scale + scaled.slack))
    tell(on_step, 1, _STEPS)
    case.check_each(time_limit_s)
    tell(on_step, 2, _STEPS)
    case.lift(None)
    if case.chosen is None:
        case.rescue()
    tell(on_step, 3, _STEPS)
    case.prove(gap)
    if case.chosen is None:
        raise case.refused(time_limit_s)
    chosen = np.sort(np.append(problem.required, core.columns[case.chosen]))
    if problem.exact_count:
        spare = np.setdiff1d(problem.free, chosen)
        chosen = np.sort(np.append(chosen, spare[: problem.limits.most - case.chosen.size]))
    opened = np.append(np.asarray(existing, dtype=np.int64), chosen)
    objective = math.fsum(values[rows_covered(problem.matrix, opened)])
    limit = (case.before + case.bound + scaled.slack) / scaled.scale
    tell(on_step, _STEPS, _STEPS)
    seconds = working_seconds() - began
    return at_most(chosen, objective, limit, gap=gap, model="mclp", seconds=seconds)


class _Case:
    """The presolved problem, the best choice that keeps the floor, and a bound on all of them.

    Attributes
    ----------
    chosen, value
        Core columns, None before any is found, and the integer weight that they add.
    bound
        No choice that keeps the floor adds more.
    before
        Integer weight that is covered already.
    """

    def __init__(  # noqa: PLR0917
        self,
        problem: Problem,
        core: Core,
        scaled: Scaled,
        asked: Floor,
        rng: np.random.Generator,
        deadline: float,
    ) -> None:
        self.core, self.cover, self.asked, self.rng = core, core.cover, asked, rng
        self.limits: Limits = core_limits(problem, core)
        self.weight, self.unit = core.weigh(scaled.whole), scaled.unit
        self.before = int(scaled.whole[problem.open_rows].sum())
        self.deadline = deadline
        self.chosen: np.ndarray | None = None
        self.value, self.bound = -1, int(self.weight.sum())
        self.closest = np.empty(0, dtype=np.int64)  # to the floor, where none keeps it
        self.unkept = False  # proven that no choice keeps the floor

    def keeps(self, chosen: np.ndarray) -> bool:
        """Tell whether a choice keeps every floor."""
        return self.asked.needs.kept(self.cover, chosen)

    def free(self) -> np.ndarray:
        """Return a choice that leaves the floor aside."""
        return search(self.cover, self.weight, self.limits, rng=self.rng, coolings=1)

    def take(self, chosen: np.ndarray) -> bool:
        """Keep a choice that keeps the floor if it is the best so far."""
        value = covered_weight(self.cover, self.weight, chosen)
        if value <= self.value or not keeps_limits(self.limits, chosen) or not self.keeps(chosen):
            return False
        self.chosen, self.value = np.sort(chosen), value
        return True

    def check_each(self, time_limit_s: float) -> None:
        """Refuse a floor that some group cannot get even if all is opened for it."""
        short, most = [], []
        for g in np.flatnonzero(self.asked.needs.need > 0):
            need = self.asked.needs.need[g]
            alone = np.zeros(self.weight.size, dtype=np.int64)
            part = self.asked.needs.share[[g]].tocoo()
            alone[part.col] = part.data.astype(np.int64)
            best = search(self.cover, alone, self.limits, rng=self.rng, coolings=0)
            if covered_weight(self.cover, alone, best) >= need:
                continue
            bound = self._most_of_one(alone, best, math.ceil(need), time_limit_s)
            if bound < need:
                short.append(g)
                most.append(bound)
        if short:
            raise self.asked.refuse(np.array(short), np.array(most, dtype=float))

    def _most_of_one(
        self, alone: np.ndarray, best: np.ndarray, need: int, time_limit_s: float
    ) -> int:
        """Bound what of one group can be covered."""
        found = relax(
            self.cover, alone, self.limits, chosen=best, target=need - 1, deadline=self.deadline
        )
        if found.bound < need or self.cover.client.size > _MIP_ENTRIES:
            return found.bound
        kernel = make_kernel(self.cover, alone, self.limits, found, best, enough=need - 1, unit=1)
        left = min(time_limit_s / 4, self.deadline - working_seconds())
        if left <= 0:
            return found.bound
        return min(found.bound, prove(kernel, best, unit=1, abs_gap=0.99, time_limit_s=left).bound)

    def lift(self, start: np.ndarray | None) -> None:
        """Give groups under the floor extra weight until a choice keeps it; bound by these weights.

        From a `start` that keeps the floor the weights begin so high that it holds.
        """
        needs, size = self.asked.needs, self.asked.needs.need.size
        first = 0 if start is None else _FINE * 4
        extra, step = np.full(size, first, dtype=np.int64), np.full(size, _FINE, dtype=np.int64)
        chosen = start
        for k in range(_ROUNDS):
            more = np.rint(needs.share.T @ extra.astype(float)).astype(np.int64)
            weight = _FINE * self.weight + more
            chosen = search(self.cover, weight, self.limits, rng=self.rng, coolings=0, start=chosen)
            low = needs.missing(self.cover, chosen) > 0
            if not low.any():
                if self.take(chosen) or k == 0:
                    self._relax(weight, extra, chosen)
                extra, step = extra - extra // 4, np.maximum(1, step // 2)
            elif (extra[low] >= _MOST_EXTRA).all():
                break
            else:
                extra[low] = np.minimum(extra[low] + step[low], _MOST_EXTRA)
                step[low] *= 2
            if self.bound <= self.value or working_seconds() > self.deadline:
                break
        if chosen is not None and self.bound > self.value:
            self._relax(weight, extra, chosen)

    def _relax(self, weight: np.ndarray, extra: np.ndarray, chosen: np.ndarray) -> None:
        """Bound by extra weights: what the floors ask for of them is not gained."""
        owed = math.floor(float(extra @ self.asked.needs.need))
        found = relax(
            self.cover, weight, self.limits, chosen=chosen, deadline=self.deadline,
            target=_FINE * max(0, self.value) + owed, iterations=_ITERATIONS,
        )  # fmt: skip
        bound = -((owed - found.bound) // _FINE)
        self.bound = max(self.value, min(self.bound, bound // self.unit * self.unit))

    def rescue(self) -> None:
        """Look only at what the groups lack until a choice keeps the floor, then improve it."""
        chosen, kept = meet_needs(
            self.cover, self.asked.needs, self.limits, rng=self.rng, rounds=_RESCUES,
            deadline=self.deadline,
        )  # fmt: skip
        self.closest = chosen
        if kept and self.take(chosen):
            self.lift(chosen)

    def prove(self, gap: float) -> None:
        """Let HiGHS decide where the problem is not too large."""
        value = self.value
        spare = max(
            0.0, 0.9 * (math.floor((value + self.before) / (1 - gap)) - self.before - value)
        )
        left = self.deadline - working_seconds()
        if left <= 0 or self.cover.client.size > _MIP_ENTRIES:
            return
        if value >= 0 and self.bound <= value + spare:
            return
        hint = None
        if self.chosen is not None:
            covered = clients_covered(self.cover, self.chosen).astype(float)
            hint = np.append(np.isin(np.arange(self.limits.cost.size), self.chosen), covered)
        outcome = minimise(
            self._program(), abs_gap=spare, nodes=_NODES, time_limit_s=left, start=hint
        )
        if outcome.values is not None:
            self.take(np.flatnonzero(outcome.values[: self.limits.cost.size] > 0.5))
        if math.isfinite(outcome.bound):
            self.bound = max(self.value, min(self.bound, math.floor(-outcome.bound)))
        self.unkept = outcome.bound == np.inf

    def _program(self) -> Program:
        """Write the rows: covers, limits, and of every group what it needs."""
        cover, needs = self.cover, self.asked.needs
        n, m = cover.start.size - 1, self.weight.size
        client = np.repeat(np.arange(m), np.diff(cover.back))
        links = sparse.csr_array((np.ones(client.size), (client, cover.candidate)), shape=(m, n))
        within, most = limit_rows(self.limits)
        asked = np.flatnonzero(needs.need > 0)
        scale = sparse.diags_array(1.0 / needs.need[asked])
        rows = sparse.block_array(
            [[links, -sparse.eye_array(m)], [None, scale @ needs.share[asked]], [within, None]],
            format="csr",
        )
        return Program(
            np.append(np.zeros(n), -self.weight.astype(float)),
            np.ones(n + m),
            sparse.csr_array(rows),
            np.concatenate([np.zeros(m), np.ones(asked.size), np.full(most.size, -np.inf)]),
            np.concatenate([np.full(m + asked.size, np.inf), most]),
            np.arange(n + m) < n,
        )

    def refused(self, time_limit_s: float) -> NoSolutionError:
        """Say that no choice keeps the floor everywhere, or that none was found."""
        lacking = self.asked.tell_lacking(self.cover, self.closest)
        if self.unkept:
            return NoSolutionError(
                f"the floor cannot be kept everywhere at once: {lacking}. Lower the floor, or "
                "open more."
            )
        return NoSolutionError(
            f"no choice that keeps the floor was found in {time_limit_s:.0f} s, nor a proof that "
            f"there is none: {lacking}. Lower the floor, open more, or raise `time_limit_s`."
        )
