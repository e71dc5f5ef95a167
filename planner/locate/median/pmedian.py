"""p-median: the least travel from all demand to its nearest facility."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.median.bound import Ascent, Certificate, certify
from planner.locate.median.exact import prove
from planner.locate.median.limited import Limited
from planner.locate.median.lists import pose, value_of
from planner.locate.median.search import by_count, interchange, search
from planner.locate.needs import check_groups, make_floor
from planner.locate.problem import check_numbers, check_weight, scale_weight
from planner.locate.setcover.reduce import as_cover
from planner.locate.setcover.whole import cover_all
from planner.locate.solution import at_least, tell
from planner.locate.travel import check_roles, check_travel, row_minimum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.median.exact import Proof
    from planner.locate.median.lists import Lists, Posed
    from planner.locate.needs import Needs
    from planner.locate.solution import Solution

_STEPS = 4
_ROUNDS, _ROUND = 60, 50  # of the multipliers; the choice they like is improved after each


def solve_pmedian(
    travel: Any,
    weight: Any,
    count: int | None,
    *,
    penalty: float | None = None,
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
    """Choose candidates so that all demand together travels least, with a proven bound.

    Parameters
    ----------
    travel
        Travel from demand to candidates, demand × candidates, not negative: scipy sparse (an
        absent entry is out of reach, an explicit 0 is no way at all) or a dense array (infinity is
        out of reach).
    weight
        Shape (demand,), finite, not negative; rows of weight 0 need not be served.
    count
        How many to choose, the required among them. With costs it may be None: no limit.
    penalty
        What demand travels that no facility serves: nothing is out of reach then, and nobody
        travels farther. Without it all demand must be served.
    cost, budget
        Shape (candidates,), and what the chosen may cost together; both or neither.
    conflicts
        Shape (k, 2): pairs of columns of which at most one may be chosen.
    groups, floor
        Shape (demand,): the group of every row, any names, and the share of each group's weight
        that must be served within less than the penalty, 0 … 1; 0 is no floor. Without a penalty
        all demand is served, so a floor adds nothing.
    existing
        Columns already open: they serve too, do not count and are not in `chosen`.
    required, forbidden
        Columns that must, or must not, be chosen.
    time_limit_s
        Wall seconds for bound and proof; the choice stands long before.
    gap
        Stop when proven this close, relative to the objective.
    rng
        Seed of the search. The same seed gives the same answer unless the time limit cuts in.
    on_step
        Called with (steps done, steps in all).

    Returns
    -------
    Solution
        `chosen` holds exactly `count` columns; fewer only under costs or conflicts. `objective` is
        the sum over all demand of weight times travel to its nearest facility; no choice has less
        than `bound`.

    Raises
    ------
    InputError
        An array has the wrong shape, or travel or weight is negative or not a number.
    SettingsError
        `count` is under 1 or above what may be chosen, or another number is out of range.
    NoSolutionError
        Without a penalty: some demand is out of everyone's reach, or so many facilities cannot
        serve all. No choice keeps the budget, the conflicts or the floor.

    Notes
    -----
    Hakimi, S. L. (1964), "Optimum locations of switching centers and the absolute centers and
    medians of a graph", and ReVelle & Swain (1970), "Central facilities location": minimise
    Σ_i w_i min_{j chosen} t_ij with exactly p chosen, where t_ij is the travel from demand i to
    candidate j and w_i the weight.

    Greedy and fast interchange give the choice; Lagrangean multipliers, evaluated in integers,
    prove how good it is; what reduced costs cannot exclude goes to HiGHS in the radius formulation,
    if it is not too much. HiGHS works in floating point, so its bound is told 1e-6 lower than it
    says, and rounded up where weight times travel is whole.

    Costs, conflicts and floors are kept by the exchanges; the multipliers bound the problem without
    them, which holds for theirs too, and HiGHS closes what that leaves open, if it is not too much.

    Examples
    --------
    >>> travel = [[0, 4, 9], [4, 0, 5], [9, 5, 0]]
    >>> solution = solve_pmedian(travel, [1, 1, 3], 1)
    >>> solution.chosen.tolist(), solution.objective, solution.bound, solution.status
    ([2], 14.0, 14.0, 'optimal')
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    matrix = check_travel(travel)
    roles = check_roles(
        matrix.shape[1], count, existing, required, forbidden,
        cost=cost, budget=budget, conflicts=conflicts,
    )  # fmt: skip
    values = check_weight(weight, matrix.shape[0])
    _check_penalty(penalty)
    if penalty is None:
        _check_reach(matrix, values, np.concatenate([roles.opened, roles.free]))
    posed = pose(matrix, values, roles, penalty)
    if floor:
        check_groups(groups, floor, values.size)
    kept = None
    if floor and penalty is not None:
        settled = row_minimum(matrix, roles.opened) < penalty
        client = np.full(values.size, -1, dtype=np.int64)
        client[posed.rows] = np.arange(posed.rows.size)
        kept = make_floor(
            groups, floor, scale_weight(values).whole, settled=settled,
            client=np.where(settled, -1, client), clients=posed.rows.size,
        )  # fmt: skip
        kept = kept._replace(needs=_within_reach(kept.needs, posed.lists))
        kept.check_reach()
    tell(on_step, 1, _STEPS)
    limited = None if kept is None and roles.plain else Limited(posed.lists, roles.limits, kept)
    decision = _Decision(posed, roles.left, limited, np.random.default_rng(rng))
    decision.run(gap, began + time_limit_s, on_step)
    chosen = roles.fill(roles.free[decision.chosen])
    nearest = row_minimum(matrix, np.concatenate([roles.opened, chosen]))
    if penalty is not None:
        nearest = np.minimum(nearest, penalty)
    objective = math.fsum(values[posed.rows] * nearest[posed.rows])
    bound = max(0.0, (decision.bound - posed.slack) / posed.scale)
    seconds = working_seconds() - began
    return at_least(chosen, objective, bound, gap=gap, model="pmedian", seconds=seconds)


class _Decision:
    """The best choice of free columns and its integer bound, improved in place."""

    def __init__(
        self, posed: Posed, count: int, limited: Limited | None, rng: np.random.Generator
    ) -> None:
        self.posed, self.lists, self.count, self.rng = posed, posed.lists, count, rng
        self.limited = limited
        self.chosen = np.empty(0, dtype=np.int64)
        self.value = self.bound = value_of(self.lists, self.chosen)
        # whether `chosen` keeps all limits; until then its value is that of no facility at all
        self.kept = limited is None or limited.kept(self.chosen)

    def run(self, gap: float, deadline: float, on_step: Callable[[int, int], None] | None) -> None:
        """Search, bound, prove."""
        if self.count == 0 or self.lists.column.size == 0:
            self._served(deadline)
            if not self.kept and self.limited is not None:
                raise self.limited.refused(proven=True)
            tell(on_step, _STEPS, _STEPS)
            return
        self._try(search(self.lists, self.count, self.rng))
        self._served(deadline)
        tell(on_step, 2, _STEPS)
        found = self._ascend(gap, deadline)
        tell(on_step, 3, _STEPS)
        if self._open(gap) and deadline > working_seconds():
            proof = self._prove(found, gap, deadline)
            if proof is not None:
                self._take(proof.chosen)
                self.bound = min(self.value, max(self.bound, proof.bound))
        if not self.kept and self.limited is not None:
            raise self.limited.refused(proven=False)
        tell(on_step, _STEPS, _STEPS)

    def _prove(self, found: Certificate, gap: float, deadline: float) -> Proof | None:
        hard, unit = self.posed.hard, self.posed.unit
        if self.limited is not None:
            chosen = self.chosen if self.kept else None
            return self.limited.prove(chosen, found, hard, unit, gap, deadline)
        return prove(
            self.lists,
            self.count,
            self.chosen,
            found,
            hard=hard,
            unit=unit,
            gap=gap,
            time_limit_s=deadline - working_seconds(),
        )

    def _open(self, gap: float) -> bool:
        return not self.kept or self.value - self.bound > gap * self.value

    def _take(self, chosen: np.ndarray) -> None:
        value = value_of(self.lists, chosen)
        if self.limited is not None and not self.limited.kept(chosen):
            return
        if value < self.value or not self.kept:
            self.chosen, self.value, self.kept = np.sort(chosen), value, True

    def _try(self, near: np.ndarray) -> None:
        """Take a choice, or the best near it that keep the limits."""
        self._take(near)
        if self.limited is not None and not self.limited.kept(near):
            for chosen in self.limited.search(near, self.rng):
                self._take(chosen)

    def _served(self, deadline: float) -> None:
        """Make sure that everybody who must be served is, or tell that it cannot be."""
        if self.value < self.posed.hard and self.kept:
            return
        hard = np.flatnonzero(self.lists.most >= self.posed.hard)
        needed = self.count + 1
        if self.limited is not None:
            if hard.size:
                self._try(self.limited.serve_all(hard, self.rng, deadline))
            return
        if self.count > 0:
            start, back = self.lists.start, self.lists.back
            pattern = sparse.csr_array(
                (np.ones(self.lists.column.size), self.lists.column, start),
                shape=(start.size - 1, back.size - 1),
            )
            columns = sparse.csc_array(pattern[hard])
            columns.sort_indices()
            ones = np.ones(back.size - 1, dtype=np.int64)
            answer = cover_all(
                as_cover(columns), ones, enough=self.count, rng=self.rng, deadline=deadline
            )
            if answer.chosen.size <= self.count:
                spare = np.setdiff1d(np.arange(back.size - 1), answer.chosen)
                filled = np.concatenate([answer.chosen, spare[: self.count - answer.chosen.size]])
                self._take(interchange(self.lists, filled, by_count(back.size - 1)))
                return
            needed = max(needed, answer.bound)
        raise NoSolutionError(
            f"{self.count} more facilities cannot serve all demand: at least {needed} are needed. "
            "Raise `count`, or set `penalty`, what demand travels that nobody serves."
        )

    def _ascend(self, gap: float, deadline: float) -> Certificate:
        """Climb by multipliers; improve the choices they like."""
        ascent = Ascent(self.lists, self.count, self.chosen)
        best = Certificate(0, np.zeros(self.lists.back.size - 1, dtype=np.int64))
        tried = ascent.cost
        unit = self.posed.unit
        for _ in range(_ROUNDS):
            ascent.advance(_ROUND, float(self.value), float(self.value - unit))
            if ascent.cost < tried:
                tried = ascent.cost
                free = by_count(self.lists.back.size - 1)
                self._try(interchange(self.lists, ascent.chosen, free))
            found = certify(self.lists, self.count, ascent.u)
            if found.bound > best.bound:
                best = found
                self.bound = min(self.value, -(-best.bound // unit) * unit)
            if ascent.settled or not self._open(gap) or working_seconds() > deadline:
                break
        return best


def _within_reach(needs: Needs, lists: Lists) -> Needs:
    """Leave out clients that nobody serves within less than the penalty."""
    served = sparse.diags_array((np.diff(lists.start) > 0).astype(float))
    return needs._replace(share=sparse.csr_array(needs.share @ served))


def _check_reach(matrix: sparse.csr_array, weight: np.ndarray, columns: np.ndarray) -> None:
    lost = np.flatnonzero(np.isinf(row_minimum(matrix, columns)) & (weight > 0))
    if lost.size:
        share = math.fsum(weight[lost]) / math.fsum(weight)
        raise NoSolutionError(
            f"{lost.size} demand rows, the first of them row {lost[0]}, are out of everyone's "
            f"reach: a share of {share:.2g} of the weight. Set `penalty`, what demand travels that "
            "nobody serves, give those rows weight 0, or offer candidates near them."
        )


def _check_penalty(penalty: float | None) -> None:
    if penalty is None:
        return
    if isinstance(penalty, bool) or not isinstance(penalty, int | float | np.number):
        raise InputError(f"`penalty` must be a number. Got {penalty!r}.")
    if not (math.isfinite(penalty) and penalty >= 0):
        raise SettingsError(f"`penalty` must be finite and not negative. Got {penalty}.")
