"""Covering under capacities: the most demand that seats, desks or bays can serve."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import InputError
from planner.locate.capacitated.assign import assign
from planner.locate.capacitated.bound import relax
from planner.locate.capacitated.exact import prove
from planner.locate.capacitated.flow import make_net, served
from planner.locate.capacitated.rules import pose_rules
from planner.locate.capacitated.search import greedy, search
from planner.locate.covering.presolve import restrict
from planner.locate.problem import check_numbers, check_weight
from planner.locate.setcover.reduce import as_cover
from planner.locate.solution import at_most, tell
from planner.locate.travel import check_travel, keep_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.capacitated.bound import Relaxation
    from planner.locate.capacitated.flow import Net
    from planner.locate.capacitated.rules import Posed, Rules
    from planner.locate.solution import Solution

_STEPS = 4
# Shares of the time limit that search, bound and proof may take; the assignment has the rest.
_SEARCH, _BOUND, _PROOF = 0.4, 0.7, 0.9
# Integer weights and capacities sum to at most this, so that sums stay inside int64.
_TOTAL_BITS = 40


def solve_capacitated(
    travel: Any,
    weight: Any,
    capacity: Any,
    count: int | None,
    *,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    places: np.ndarray | None = None,
    time_limit_s: float = 60.0,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Solution:
    """Choose candidates that serve the most demand within their capacities, with a proven bound.

    Parameters
    ----------
    travel
        Travel from demand to candidates, demand × candidates, not negative: scipy sparse (an
        absent entry is out of reach, an explicit 0 is no way at all) or a dense array (infinity is
        out of reach).
    weight
        Shape (demand,), finite, not negative.
    capacity
        Shape (candidates,), the weight each facility can serve, not negative; infinity is no limit.
    count
        How many to choose, the required among them; with costs at most so many, None for any
        number.
    existing
        Columns already open: they serve too, within their capacity, do not count and are not in
        `chosen`.
    required, forbidden
        Columns that must, or must not, be chosen.
    cost, budget
        Shape (candidates,), 0 or more, and what the chosen may cost together. With costs (or
        conflicts) fewer than `count` may be chosen.
    conflicts
        Shape (k, 2): pairs of columns of which at most one may be chosen, such as the kinds that
        one place could become.
    places
        Shape (candidates,), 1 where a column counts towards `count`, 0 where it does not, such as
        one that enlarges an existing facility: the travel of that one, the seats that are added.
        Only with costs; all count if absent.
    time_limit_s
        Wall seconds for search, bound, proof and assignment together. What it cuts short is still
        an answer with a bound that holds.
    gap
        Stop when proven this close, relative to the bound.
    rng
        Seed of the search. The same seed gives the same answer unless the time limit cuts in.
    on_step
        Called with (steps done, steps in all).

    Returns
    -------
    Solution
        `objective` is the weight served; no choice serves more than `bound`. `assignment` tells
        which facility serves how much of which demand, `objective` in all; its travel is at most
        `travel_gap` above the least of all ways to serve as much: 0 unless size or time limit
        forbids it.

    Raises
    ------
    InputError
        An array has the wrong shape, or travel, weight or capacity is negative or not a number.
    SettingsError
        `count` is under 1 or above what may be chosen, another number is out of range, or `places`
        is given without costs.
    NoSolutionError
        More are required than may be chosen, they cost more than the budget or exclude each other.

    Notes
    -----
    Current, J. R. & Storbeck, J. E. (1988), "Capacitated covering models": maximise Σ_ij y_ij with
    Σ_j y_ij ≤ w_i, Σ_i y_ij ≤ C_j x_j and Σ_j x_j = p, where w_i is the weight of demand i, C_j the
    capacity of candidate j, x_j = 1 where it is opened, and y_ij ≥ 0, only where j is within reach
    of i, what j serves of i. Demand may be shared among facilities: a row is many riders.

    With costs Σ_j c_j x_j ≤ B and Σ_j a_j x_j ≤ p, where a_j tells which take a place; with
    conflicts x_j + x_k ≤ 1.

    What a choice serves is a maximum flow, found in integers. Greedy and annealing over flows that
    are kept up to date give the choice, Lagrangean multipliers prove how good it is, and what they
    cannot exclude goes to HiGHS, if it is not too much; it works in floating point, so its bound is
    told 1e-6 higher than it says, and rounded down where weights and capacities are whole.

    Examples
    --------
    >>> travel = [[1.0, 4.0], [2.0, 1.0], [3.0, 2.0]]
    >>> solution = solve_capacitated(travel, [3, 3, 3], [5, 4], 1)
    >>> solution.chosen.tolist(), solution.objective, solution.bound, solution.status
    ([0], 5.0, 5.0, 'optimal')
    >>> solution.assignment.toarray().tolist()
    [[3.0, 0.0], [2.0, 0.0], [0.0, 0.0]]
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    matrix = check_travel(travel)
    asked = pose_rules(
        matrix.shape[1], count, existing=existing, required=required, forbidden=forbidden,
        cost=cost, budget=budget, conflicts=conflicts, places=places,
    )  # fmt: skip
    values = check_weight(weight, matrix.shape[0])
    room = _check_capacity(capacity, matrix.shape[1])
    posed = _pose(matrix, values, room, asked)
    tell(on_step, 1, _STEPS)
    decision = _Decision(posed, asked, np.random.default_rng(rng))
    decision.run(gap, began, time_limit_s, on_step)
    chosen = asked.fill(decision.chosen)
    opened = np.union1d(asked.opened, chosen)
    objective = served(posed.net, opened) / posed.scale
    within = sparse.csr_array(matrix[:, opened])
    within.sort_indices()
    parts, travel_gap = assign(within, values, room[opened], began + time_limit_s)
    placed = parts.tocoo()
    assignment = sparse.csr_array((placed.data, (placed.row, opened[placed.col])), matrix.shape)
    bound = (decision.bound + posed.slack) / posed.scale
    tell(on_step, _STEPS, _STEPS)
    solution = at_most(
        chosen, objective, bound, gap=gap, model="capacitated",
        seconds=working_seconds() - began, assignment=assignment,
    )  # fmt: skip
    return replace(solution, travel_gap=travel_gap)


def serve_most(
    travel: Any, weight: Any, capacity: Any, opened: Sequence[int] | np.ndarray
) -> float:
    """Return the most demand that some open facilities can serve together.

    Parameters
    ----------
    travel, weight, capacity
        As in `solve_capacitated`.
    opened
        Columns.

    Examples
    --------
    >>> serve_most([[1.0, 4.0], [2.0, 1.0], [3.0, 2.0]], [3, 3, 3], [5, 4], [0, 1])
    9.0
    """
    matrix = check_travel(travel)
    weight, room = check_weight(weight, matrix.shape[0]), _check_capacity(capacity, matrix.shape[1])
    asked = pose_rules(
        matrix.shape[1], None, existing=opened, required=(), forbidden=(), conflicts=None,
        cost=np.ones(matrix.shape[1]), budget=0.0, places=None,
    )  # fmt: skip
    posed = _pose(matrix, weight, room, asked)
    return served(posed.net, asked.opened) / posed.scale


class _Posed(NamedTuple):
    """Merged demand in integers: ``integer ≈ weight * scale``; see `planner.locate.problem`."""

    net: Net
    scale: float
    slack: float
    unit: int


def _pose(
    matrix: sparse.csr_array, weight: np.ndarray, capacity: np.ndarray, asked: Posed
) -> _Posed:
    """Merge demand that the same columns reach, and bring weights and capacities to integers."""
    allowed = np.zeros(matrix.shape[1], dtype=bool)
    allowed[asked.rules.free] = allowed[asked.opened] = True
    within = keep_entries(matrix, allowed[matrix.indices])
    allowed[:] = np.bincount(within.indices, minlength=matrix.shape[1]) > 0
    weight = np.where(np.diff(within.indptr) > 0, weight, 0.0)
    total = math.fsum(weight)
    room = np.where(allowed, np.minimum(capacity, total), 0.0)
    numbers = np.concatenate([weight, room])
    spare = _TOTAL_BITS - math.frexp(total)[1] if total > 0 else 0
    exponent = 0 if spare >= 0 and np.array_equal(numbers, np.rint(numbers)) else spare
    exact = np.ldexp(numbers, exponent)
    whole = np.floor(exact).astype(np.int64)  # what is served can be
    whole[weight.size :] = np.minimum(whole[weight.size :], whole[: weight.size].sum())
    off = np.abs(exact - whole)
    slack = math.fsum(off)
    columns = sparse.csc_array(within)
    columns.sort_indices()
    weights = whole[: weight.size]
    every = np.arange(matrix.shape[1])
    cover, merged = restrict(as_cover(columns), weights, every, weights > 0)
    unit = int(np.gcd.reduce(whole)) if slack == 0 and whole.size else 1
    net = make_net(cover, merged, whole[weight.size :])
    return _Posed(net, math.ldexp(1.0, exponent), slack, max(1, unit))


class _Decision:
    """The best choice of free columns and its integer bound, improved in place."""

    def __init__(self, posed: _Posed, asked: Posed, rng: np.random.Generator) -> None:
        self.net, self.unit, self.rng = posed.net, posed.unit, rng
        self.rules, self.opened = asked.rules, asked.opened
        self.chosen = self.rules.free[:0]
        self.value = served(self.net, self.opened)
        self.bound = int(self.net.weight.sum())

    def run(
        self,
        gap: float,
        began: float,
        time_limit_s: float,
        on_step: Callable[[int, int], None] | None,
    ) -> None:
        """Search, bound, prove."""
        if self.rules.free.size == 0 or self.net.weight.size == 0:
            self.bound = self.value
            return
        self._search(began + _SEARCH * time_limit_s)
        tell(on_step, 2, _STEPS)
        if self._enough(gap) >= self.bound:
            return
        relaxation = relax(
            self.net,
            self.opened,
            self.rules,
            value=self._take,
            target=lambda: self._enough(gap),
            unit=self.unit,
            deadline=began + _BOUND * time_limit_s,
        )
        self.bound = min(self.bound, relaxation.bound)
        tell(on_step, 3, _STEPS)
        left = began + _PROOF * time_limit_s - working_seconds()
        if self.bound > self._enough(gap) and left > 0:
            proof = prove(
                self.net,
                self.opened,
                self._kept(relaxation),
                self.chosen,
                unit=self.unit,
                abs_gap=max(0.9 * (self._enough(gap) - self.value), 0.99 * self.unit),
                time_limit_s=left,
            )
            self._take(proof.chosen)
            self.bound = min(self.bound, max(proof.bound, self.value))

    def _search(self, deadline: float) -> None:
        """Take the better of the greedy choices, and anneal from there."""
        for by_cost in (False, True) if math.isfinite(self.rules.budget) else (False,):
            self._take(greedy(self.net, self.opened, self.rules, by_cost))
        self._take(
            search(
                self.net, self.opened, self.rules, self.rng, start=self.chosen, deadline=deadline
            )
        )

    def _enough(self, gap: float) -> int:
        return math.floor(self.value / (1.0 - gap))

    def _take(self, chosen: np.ndarray) -> int:
        """Keep a choice if it is better; return the best value."""
        value = served(self.net, np.concatenate([self.opened, chosen]))
        if value > self.value:
            self.chosen, self.value = np.sort(chosen), value
        return self.value

    def _kept(self, relaxation: Relaxation) -> Rules:
        """Leave out free columns that no better choice can open (Balas & Martin 1980)."""
        # the bound was rounded down by less than a unit, the losses by less than one
        room = relaxation.bound + self.unit + 1 - (self.value + self.unit)
        free = self.rules.free
        kept = (relaxation.loss[free] <= room) | np.isin(free, self.chosen)
        return self.rules._replace(free=free[kept])


def _check_capacity(capacity: Any, columns: int) -> np.ndarray:
    try:
        room = np.asarray(capacity, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("`capacity` must hold numbers, one a candidate.") from error
    if room.shape != (columns,):
        raise InputError(
            f"`capacity` must have one number a candidate: ({columns},). Got {room.shape}."
        )
    bad = np.flatnonzero(~(room >= 0))
    if bad.size:
        raise InputError(
            f"`capacity` must not be negative or NaN. Got {room[bad[0]]} for column {bad[0]}. "
            "Infinity is no limit."
        )
    return room
