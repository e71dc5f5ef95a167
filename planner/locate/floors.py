"""Maximal covering with a floor: the most weight, and of every group at least a share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.bounds import relax
from planner.locate.heuristics import covered_weight, search
from planner.locate.mclp import solve_mclp
from planner.locate.presolve import core_limits, make_core
from planner.locate.problem import check_weight, make_problem, rows_covered, scale_weight
from planner.locate.program import Program, minimise
from planner.locate.solution import TOLERANCE, at_most

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.presolve import Core
    from planner.locate.problem import Limits, Problem, Scaled
    from planner.locate.solution import Solution

_ROUNDS = 24  # of the extra weights that lift groups over their floor
_FINE = 16  # extra weights are whole multiples of 1 / 16
_MOST_EXTRA = 4096
_NODES = 20_000


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
    bounds too, and HiGHS decides on the presolved problem. Floors are kept to 1e-9 of a group's
    weight.

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
    if not 0 <= floor <= 1:
        raise SettingsError(f"`floor` must be from 0 to 1. Got {floor}.")
    limits: dict[str, Any] = {
        "existing": existing, "required": required, "forbidden": forbidden, "cost": cost,
        "budget": budget, "conflicts": conflicts,
    }  # fmt: skip
    options: dict[str, Any] = {"xy": xy, "time_limit_s": time_limit_s, "gap": gap}
    free = solve_mclp(cover, weight, count, rng=rng, on_step=on_step, **limits, **options)
    problem = make_problem(cover, count, **limits)
    values = check_weight(weight, problem.matrix.shape[0])
    names, group = _groups(groups, values.size)
    opened = np.append(np.asarray(existing, dtype=np.int64), free.chosen)
    if floor == 0 or _keeps(values, group, rows_covered(problem.matrix, opened), floor):
        return free
    case = _Case(problem, make_core(problem, xy), scale_weight(values), group, floor)
    _check_each(case, names, cover, values, count, limits | options)
    deadline = began + 2 * time_limit_s
    answer = _decide(case, names, gap, deadline, np.random.default_rng(0))
    chosen = np.sort(np.append(problem.required, case.core.columns[answer.chosen]))
    if problem.exact_count:
        spare = np.setdiff1d(problem.free, chosen)
        chosen = np.sort(np.append(chosen, spare[: problem.limits.most - answer.chosen.size]))
    opened = np.append(np.asarray(existing, dtype=np.int64), chosen)
    objective = math.fsum(values[rows_covered(problem.matrix, opened)])
    limit = min(free.bound, (answer.bound + case.scaled.slack) / case.scaled.scale)
    seconds = working_seconds() - began
    return at_most(chosen, objective, limit, gap=gap, model="mclp", seconds=seconds)


class _Case:
    """The presolved problem, and how much of each merged client's weight is whose."""

    def __init__(
        self, problem: Problem, core: Core, scaled: Scaled, group: np.ndarray, floor: float
    ) -> None:
        self.problem, self.core, self.scaled, self.group = problem, core, scaled, group
        self.limits: Limits = core_limits(problem, core)
        size, inside = int(group.max(initial=-1)) + 1, core.group >= 0
        whole = scaled.whole
        self.weight = core.weigh(whole)
        self.total = np.bincount(group, weights=whole, minlength=size)
        settled = problem.open_rows
        self.settled = np.bincount(group[settled], weights=whole[settled], minlength=size)
        self.share = sparse.csr_array(
            sparse.coo_array(
                (whole[inside].astype(float), (group[inside], core.group[inside])),
                shape=(size, self.weight.size),
            )
        )
        self.need = np.maximum(0.0, floor * self.total * (1 - TOLERANCE) - self.settled)
        self.before = int(whole[settled].sum())

    def covered(self, chosen: np.ndarray) -> np.ndarray:
        """Tell which merged clients a choice covers."""
        cover, seen = self.core.cover, np.zeros(self.weight.size, dtype=bool)
        for j in chosen:
            seen[cover.client[cover.start[j] : cover.start[j + 1]]] = True
        return seen

    def missing(self, chosen: np.ndarray) -> np.ndarray:
        """Weight that each group lacks to its floor."""
        return self.need - self.share @ self.covered(chosen).astype(float)

    def keeps(self, chosen: np.ndarray) -> bool:
        """Tell whether a choice keeps every floor."""
        return bool((self.missing(chosen) <= 0).all())


class _Answer(NamedTuple):
    """Columns of the core, and an integer bound on all that is covered."""

    chosen: np.ndarray
    bound: int


def _groups(groups: Sequence[Any] | np.ndarray, rows: int) -> tuple[list[str], np.ndarray]:
    """Return the names of the groups and the number of each row's."""
    labels = np.asarray(groups, dtype=object)
    if labels.shape != (rows,):
        raise InputError(f"`groups` must name one a demand row: ({rows},). Got {labels.shape}.")
    names, group = np.unique(labels.astype(str), return_inverse=True)
    return [str(name) for name in names], group.astype(np.int64)


def _keeps(values: np.ndarray, group: np.ndarray, covered: np.ndarray, floor: float) -> bool:
    total = np.bincount(group, weights=values)
    reached = np.bincount(group[covered], weights=values[covered], minlength=total.size)
    return bool((reached >= floor * total * (1 - TOLERANCE)).all())


def _check_each(  # noqa: PLR0917
    case: _Case,
    names: list[str],
    cover: Any,
    values: np.ndarray,
    count: int | None,
    options: dict[str, Any],
) -> None:
    """Refuse a floor that some group cannot get even if all is opened for it."""
    reach = case.share @ np.ones(case.weight.size)
    for g in np.flatnonzero(case.need > 0):
        most = reach[g]
        if most >= case.need[g]:  # by so many, not by all
            alone = np.zeros(case.weight.size, dtype=np.int64)
            part = case.share[[g]].tocoo()
            alone[part.col] = part.data.astype(np.int64)
            best = search(
                case.core.cover, alone, case.limits, rng=np.random.default_rng(0), coolings=0
            )
            if covered_weight(case.core.cover, alone, best) >= case.need[g]:
                continue
            whole = np.where(case.group == g, values, 0.0)
            bound = solve_mclp(cover, whole, count, **options).bound * case.scaled.scale
            most = min(most, bound - case.settled[g])
        if most < case.need[g]:
            share = min(1.0, (case.settled[g] + most) / case.total[g])
            raise NoSolutionError(
                f"the floor cannot be kept in {names[g]!r}: at most {share:.1%} of its demand can "
                "be covered. Lower the floor to that, open more, or offer candidates there."
            )


def _decide(
    case: _Case, names: list[str], gap: float, deadline: float, rng: np.random.Generator
) -> _Answer:
    """Choose, and bound what is chosen."""
    start, bound = _lift(case, rng)
    value = -1 if start is None else covered_weight(case.core.cover, case.weight, start)
    spare = max(0.0, 0.9 * (math.floor((value + case.before) / (1 - gap)) - case.before - value))
    if value >= 0 and bound <= value + spare:
        return _Answer(np.asarray(start), case.before + bound)
    left = max(1.0, deadline - working_seconds())
    program = _program(case)
    hint = None if start is None else _point(case, start)
    outcome = minimise(program, abs_gap=spare, nodes=_NODES, time_limit_s=left, start=hint)
    if math.isfinite(outcome.bound):
        bound = min(bound, math.floor(-outcome.bound))
    if outcome.values is not None:
        found = np.flatnonzero(outcome.values[: case.limits.cost.size] > 0.5)
        reached = covered_weight(case.core.cover, case.weight, found)
        if reached > value and case.keeps(found):
            start, value = found, reached
    if start is None:
        raise _refused(case, names, infeasible=outcome.bound == np.inf, time_limit_s=left)
    return _Answer(start, case.before + max(bound, value))


def _lift(case: _Case, rng: np.random.Generator) -> tuple[np.ndarray | None, int]:
    """Give groups under the floor extra weight until a choice keeps it; bound by these weights."""
    core, extra = case.core, np.zeros(case.need.size, dtype=np.int64)
    best, value, bound = None, -1, int(case.weight.sum())
    step = np.full(case.need.size, _FINE, dtype=np.int64)
    chosen: np.ndarray | None = None
    for _ in range(_ROUNDS):
        weight = _FINE * case.weight + np.rint(case.share.T @ extra.astype(float)).astype(np.int64)
        chosen = search(core.cover, weight, case.limits, rng=rng, coolings=0, start=chosen)
        low = case.missing(chosen) > 0
        if not low.any():
            reached = covered_weight(core.cover, case.weight, chosen)
            if reached > value:
                best, value = chosen, reached
            owed = math.floor(float(extra @ case.need))
            found = relax(core.cover, weight, case.limits, chosen=chosen, target=0)
            bound = min(bound, -((owed - found.bound) // _FINE))
            extra, step = extra - extra // 4, np.maximum(1, step // 2)
        elif (extra[low] >= _MOST_EXTRA).all():
            break
        else:
            extra[low] = np.minimum(extra[low] + step[low], _MOST_EXTRA)
            step[low] *= 2
    return best, bound


def _program(case: _Case, *, fair: bool = False) -> Program:
    """Write the rows; with `fair` the least share of any group is sought instead of weight."""
    cover, limits = case.core.cover, case.limits
    n, m = cover.start.size - 1, case.weight.size
    client = np.repeat(np.arange(m), np.diff(cover.back))
    links = sparse.csr_array((np.ones(client.size), (client, cover.candidate)), shape=(m, n))
    rivals = np.repeat(np.arange(n), np.diff(limits.start))
    once = np.flatnonzero(rivals < limits.rival)
    pair = np.tile(np.arange(once.size), 2)
    apart = sparse.csr_array(
        (np.ones(pair.size), (pair, np.append(rivals[once], limits.rival[once]))),
        shape=(once.size, n),
    )
    asked = np.flatnonzero(case.total > 0) if fair else np.flatnonzero(case.need > 0)
    scale = sparse.diags_array(1.0 / np.maximum(case.total[asked], 1.0))
    shares = scale @ case.share[asked]
    level = sparse.csr_array(-np.ones((asked.size, 1)) if fair else (asked.size, 0))
    wide = int(fair)
    rows = sparse.block_array(
        [
            [links, -sparse.eye_array(m), sparse.csr_array((m, wide))],
            [sparse.csr_array((asked.size, n)), shares, level],
            [sparse.csr_array(np.vstack([np.ones(n), limits.cost])), None, None],
            [apart, None, None],
        ],
        format="csr",
    )
    settled = case.settled[asked] / np.maximum(case.total[asked], 1.0)
    least = -settled if fair else case.need[asked] / np.maximum(case.total[asked], 1.0)
    free = np.full(2 + once.size, -np.inf)
    most = [float(limits.most), limits.budget, *np.ones(once.size)]
    inf = np.full(m + asked.size, np.inf)
    gains = np.zeros(m) if fair else -case.weight.astype(float)
    return Program(
        np.concatenate([np.zeros(n), gains, np.full(wide, -1.0)]),
        np.ones(n + m + wide),
        sparse.csr_array(rows),
        np.concatenate([np.zeros(m), least, free]),
        np.concatenate([inf, most]),
        np.arange(n + m + wide) < n,
    )


def _point(case: _Case, chosen: np.ndarray) -> np.ndarray:
    """Return a choice as values of the program's variables."""
    opened = np.zeros(case.limits.cost.size)
    opened[chosen] = 1.0
    return np.append(opened, case.covered(chosen).astype(float))


def _refused(
    case: _Case, names: list[str], *, infeasible: bool, time_limit_s: float
) -> NoSolutionError:
    """Say that no choice keeps the floor everywhere, or that none was found in time."""
    if not infeasible:
        return NoSolutionError(
            f"no choice that keeps the floor was found in {time_limit_s:.0f} s, nor a proof that "
            "there is none. Raise `time_limit_s`, or lower the floor."
        )
    outcome = minimise(_program(case, fair=True), abs_gap=1e-4, nodes=_NODES, time_limit_s=10.0)
    best = (
        np.flatnonzero(outcome.values[: case.limits.cost.size] > 0.5)
        if (outcome.values is not None)
        else np.empty(0, dtype=np.int64)
    )
    reached = case.settled + case.share @ case.covered(best).astype(float)
    share = np.where(case.total > 0, reached / np.maximum(case.total, 1.0), np.inf)
    worst = int(np.argmin(share))
    return NoSolutionError(
        f"the floor cannot be kept everywhere at once: with the fairest choice that was found "
        f"{names[worst]!r} gets {share[worst]:.1%}, the others more. Lower the floor to that, or "
        "open more."
    )
