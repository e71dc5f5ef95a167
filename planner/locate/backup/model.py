"""Backup coverage: what a second facility within reach is worth beside the first."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.compiled import working_seconds
from planner.errors import SettingsError
from planner.locate.backup.bound import relax_backup
from planner.locate.backup.exact import Floor, prove_backup
from planner.locate.backup.search import Worth, search_backup, worth_of
from planner.locate.covering.mclp import solve_mclp
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.problem import check_numbers, check_weight, make_problem, scale_weight
from planner.locate.solution import TOLERANCE, at_most, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scipy import sparse

    from planner.locate.covering.presolve import Core
    from planner.locate.problem import Limits, Problem
    from planner.locate.solution import Solution

_STEPS, _COOLINGS = 4, 4
# Extra worth of first covers, to keep them: whole multiples of 1 / 64 of their weight.
_FINE, _MOST_EXTRA, _HALVINGS = 64, 16384, 8


def solve_backup(
    cover: Any,
    weight: Any,
    count: int | None,
    *,
    backup_share: float = 0.5,
    first_share: float = 0.0,
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
    """Choose candidates that cover much weight once and much of it twice, with a proven bound.

    Parameters
    ----------
    cover, weight, count
        As in `planner.locate.solve_mclp`.
    backup_share
        0 … 1: the part of a demand's weight that only a second facility within reach brings; the
        first brings the rest. 0 is maximal covering.
    first_share
        0 … 1: of the most weight that so many can cover (`planner.locate.solve_mclp` with the same
        limits), at least this share stays covered once. 1 gives up no first cover for a second.
    xy, existing, required, forbidden, cost, budget, conflicts, time_limit_s, gap, rng, on_step
        As in `planner.locate.solve_mclp`; existing facilities are covers too.

    Returns
    -------
    Solution
        `objective` is the weight covered once times ``1 - backup_share``, and the weight covered
        twice or more times `backup_share`, existing ones included; no choice has more than `bound`.

    Raises
    ------
    InputError, SettingsError, NoSolutionError
        As `planner.locate.solve_mclp`; a share is not from 0 to 1.

    Notes
    -----
    Hogan, K. & ReVelle, C. (1986), "Concepts and applications of backup coverage": maximise
    (1 - β) Σ_i w_i y_i + β Σ_i w_i u_i with y_i + u_i ≤ Σ_j a_ij x_j, u_i ≤ y_i and Σ_j x_j = p,
    where w_i is the weight of demand i, a_ij = 1 where candidate j covers i, x_j = 1 where j is
    opened, y_i = 1 where i is covered, u_i = 1 where it is covered twice, and β is `backup_share`
    (their BACOP2). With ``first_share=1`` all first coverage that is possible is kept, and of the
    choices that keep it one with most second coverage is taken: their BACOP1, where so many can
    cover all.

    Demand covered once today is one of maximal covering, of weight β w_i, and demand that only one
    candidate covers has no second cover; the others are not, for min(2, n) is no sum of covers.
    Greedy, swaps and annealing give the choice, Lagrangean multipliers of two layers, evaluated in
    integers, bound it, and what prices do not exclude goes to HiGHS, if it is not too much. HiGHS
    works in floating point, so its bound is told 1e-6 higher than it says. A first share is kept to
    1e-9 against the cover that was found; where that was not proven best, nothing is called
    optimal.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> solution = solve_backup(cover, [3, 2, 2], 2)
    >>> solution.chosen.tolist(), solution.objective, solution.status
    ([0, 1], 5.0, 'optimal')
    >>> solve_backup(cover, [3, 2, 2], 2, first_share=1.0).chosen.tolist()
    [0, 2]
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    for name, share in (("backup_share", backup_share), ("first_share", first_share)):
        if not 0 <= share <= 1:
            raise SettingsError(f"`{name}` must be from 0 to 1. Got {share}.")
    limits: dict[str, Any] = {
        "existing": existing, "required": required, "forbidden": forbidden, "cost": cost,
        "budget": budget, "conflicts": conflicts,
    }  # fmt: skip
    problem = make_problem(cover, count, **limits)
    values = check_weight(weight, problem.matrix.shape[0])
    draw, deadline = np.random.default_rng(rng), began + time_limit_s
    most = None
    if first_share > 0:
        share_s = max(1e-3, 0.5 * time_limit_s)
        most = solve_mclp(
            cover, values, count, xy=xy, time_limit_s=share_s, gap=gap, rng=draw, **limits
        )
    opened = np.union1d(np.asarray(existing, dtype=np.int64), problem.required)
    case = _Case(problem, values, opened, backup_share, xy)
    floor = case.floor(0.0 if most is None else first_share * most.objective)
    tell(on_step, 1, _STEPS)
    start = None if most is None else case.columns_of(most.chosen)
    chosen, bound = _decide(case, floor, start, gap=gap, deadline=deadline, rng=draw, tell=on_step)
    columns = case.fill(chosen)
    objective = case.reached(values, np.union1d(opened, columns))
    limit, seconds = case.at_weights(bound), working_seconds() - began
    answer = at_most(columns, objective, limit, gap=gap, model="backup", seconds=seconds)
    sure = most is None or most.status == "optimal"
    return answer if sure else replace(answer, status="feasible")


def count_covers(matrix: sparse.csc_array, columns: np.ndarray) -> np.ndarray:
    """Return how many of some columns cover each row; the pattern counts."""
    inside = np.zeros(matrix.shape[1], dtype=bool)
    inside[columns] = True
    held = np.repeat(inside, np.diff(matrix.indptr))
    return np.bincount(matrix.indices[held], minlength=matrix.shape[0])


class _Case:
    """The presolved problem: rows alike are one client, whatever stands open near them."""

    def __init__(
        self,
        problem: Problem,
        values: np.ndarray,
        opened: np.ndarray,
        backup_share: float,
        xy: np.ndarray | None,
    ) -> None:
        self.problem, self.backup_share = problem, backup_share
        today = count_covers(problem.matrix, opened)
        # two that cover the same back each other up, so none is dominated
        left = replace(problem, open_rows=today >= 2, exact_count=False)
        self.core: Core = make_core(left, xy)
        self.limits: Limits = core_limits(left, self.core)
        matters = (self.core.group >= 0) | (today > 0)
        parts = np.stack([(1 - backup_share) * values, backup_share * values])
        exact = np.where(matters, parts, 0.0).ravel()
        scaled = scale_weight(exact)
        self.scale, self.slack, self.unit = scaled.scale, scaled.slack, scaled.unit
        self.swell = _swell(exact * scaled.scale, scaled.whole)
        once, twice = scaled.whole.reshape(2, -1)
        self.before = int(once[today >= 1].sum() + twice[today >= 2].sum())
        fresh = today == 0
        weigh = self.core.weigh
        second = weigh(np.where(fresh, twice, 0))
        second[np.diff(self.core.cover.back) < 2] = 0
        self.worth = Worth(weigh(np.where(fresh, once, np.where(today == 1, twice, 0))), second)
        self.counted = weigh(np.where(fresh, once + twice, 0))
        self.settled = int((once + twice)[~fresh].sum())

    def floor(self, need: float) -> Floor:
        """Return what new first covers must come to, for so much weight in all."""
        whole = math.ceil(need * self.scale * (1 - TOLERANCE)) - self.settled
        return Floor(self.counted, max(0, whole))

    def at_weights(self, bound: int) -> float:
        """Return a bound in the unit of the weights, whatever was lost in rounding them."""
        limits = [bound + self.slack] + [bound * self.swell] * math.isfinite(self.swell)
        return min(limits) / self.scale

    def columns_of(self, chosen: np.ndarray) -> np.ndarray:
        """Return the core's numbers of chosen columns, the required left out."""
        return np.flatnonzero(np.isin(self.core.columns, chosen))

    def fill(self, chosen: np.ndarray) -> np.ndarray:
        """Return the columns chosen; filled up to the count by the smallest free ones."""
        picked = self.core.columns[chosen]
        if self.problem.exact_count:
            spare = np.setdiff1d(self.problem.free, picked)
            picked = np.append(picked, spare[: self.problem.limits.most - picked.size])
        return np.sort(np.append(self.problem.required, picked)).astype(np.int64)

    def reached(self, values: np.ndarray, opened: np.ndarray) -> float:
        """Return the objective of all that is open."""
        times, share = count_covers(self.problem.matrix, opened), self.backup_share
        first, second = (1 - share) * values[times >= 1], share * values[times >= 2]
        return math.fsum(np.append(first, second))


def _swell(exact: np.ndarray, whole: np.ndarray) -> float:
    """Return the most that a sum of whole numbers lacks to that of the exact ones, as a factor."""
    if (exact[whole == 0] > 0).any():
        return math.inf
    held = whole > 0
    return float((exact[held] / whole[held]).max(initial=1.0)) * (1 + 1e-15)


def _decide(
    case: _Case,
    floor: Floor,
    start: np.ndarray | None,
    *,
    gap: float,
    deadline: float,
    rng: np.random.Generator,
    tell: Callable[[int, int], None] | None,
) -> tuple[np.ndarray, int]:
    """Choose core candidates; return them and the integer bound on all that is brought."""
    cover, worth, limits, unit = case.core.cover, case.worth, case.limits, case.unit
    chosen = search_backup(cover, worth, limits, rng=rng)
    value = worth_of(cover, worth, chosen)
    relaxation = relax_backup(
        cover, worth, limits, target=_enough(case, value, gap), chosen=chosen, unit=unit,
        deadline=deadline,
    )  # fmt: skip
    bound = relaxation.bound
    _tell(tell, 2)
    for _ in range(_COOLINGS):
        if bound <= _enough(case, value, gap) or not floor.kept(cover, chosen):
            break
        chosen = search_backup(cover, worth, limits, rng=rng, coolings=1, start=chosen)
        value = worth_of(cover, worth, chosen)
    if start is not None and not floor.kept(cover, chosen):
        chosen = _keep_first(case, floor, start, rng)
        bound = min(bound, _bound_kept(case, floor, chosen, deadline))
        value = worth_of(cover, worth, chosen)
    _tell(tell, 3)
    enough = _enough(case, value, gap)
    if bound > enough and working_seconds() < deadline:
        chosen, proven = prove_backup(
            cover, worth, limits, floor, chosen, relaxation, enough=enough, unit=unit,
            time_limit_s=max(1e-3, deadline - working_seconds()),
        )  # fmt: skip
        bound = min(bound, proven)
    _tell(tell, _STEPS)
    return chosen, case.before + max(bound, worth_of(cover, worth, chosen))


def _enough(case: _Case, value: int, gap: float) -> int:
    """Return the value, new covers alone, that a bound need not pass; rounding has its room."""
    return math.floor((case.before + value) / (1.0 - 0.9 * gap)) - case.before


def _tell(on_step: Callable[[int, int], None] | None, done: int) -> None:
    tell(on_step, done, _STEPS)


def _keep_first(
    case: _Case, floor: Floor, start: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give first covers extra worth until they are kept; return the best choice that keeps them.

    That is `start`, which keeps them, if there is no better.
    """
    cover, best = case.core.cover, start

    def attempt(extra: int, near: np.ndarray, coolings: int) -> np.ndarray:
        lifted = _lifted(case, floor, extra)
        return search_backup(cover, lifted, case.limits, rng=rng, coolings=coolings, start=near)

    low, high, tried = 0, 1, start
    while high < _MOST_EXTRA:
        tried = attempt(high, tried, 0)
        if floor.kept(cover, tried):
            break
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        tried = attempt(middle, tried, 0)
        low, high = (low, middle) if floor.kept(cover, tried) else (middle, high)
    for extra in (high, high - high // 16):
        found = attempt(extra, best, 1)
        better = worth_of(cover, case.worth, found) > worth_of(cover, case.worth, best)
        if better and floor.kept(cover, found):
            best = found
    return best


def _bound_kept(case: _Case, floor: Floor, chosen: np.ndarray, deadline: float) -> int:
    """Bound what choices bring that keep the floor, by a Lagrangean of it: convex in its price."""
    extra, bound = _FINE // 8, int((case.worth.first + case.worth.second).sum())
    while extra <= _MOST_EXTRA:
        found = relax_backup(
            case.core.cover, _lifted(case, floor, extra), case.limits, target=0, chosen=chosen,
            deadline=deadline,
        )  # fmt: skip
        limit = (found.bound - extra * floor.need) // _FINE
        if limit > bound:
            break
        extra, bound = 2 * extra, limit
    return bound


def _lifted(case: _Case, floor: Floor, extra: int) -> Worth:
    """Return what covers bring in 1 / _FINE, with extra worth for first covers."""
    return Worth(_FINE * case.worth.first + extra * floor.counted, _FINE * case.worth.second)
