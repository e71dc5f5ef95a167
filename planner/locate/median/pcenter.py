"""p-center: the least time within which so many facilities reach everybody."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import NoSolutionError
from planner.locate.covering.exact import keeps_limits
from planner.locate.covering.presolve import implied
from planner.locate.problem import check_numbers, check_weight
from planner.locate.setcover.limited import cheapest_within, name_limits
from planner.locate.setcover.reduce import as_cover, keep_part
from planner.locate.setcover.whole import cover_all
from planner.locate.solution import at_least, tell
from planner.locate.travel import check_roles, check_travel, row_minimum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.solution import Solution
    from planner.locate.travel import Roles

_NONE = np.empty(0, dtype=np.int64)


def solve_pcenter(
    travel: Any,
    count: int | None,
    *,
    weight: Any = None,
    cost: Any = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    time_limit_s: float = 60.0,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Solution:
    """Choose candidates so that the farthest demand is as near as possible, with a proven bound.

    Parameters
    ----------
    travel
        Travel from demand to candidates, demand × candidates, not negative: scipy sparse (an
        absent entry is out of reach, an explicit 0 is no way at all) or a dense array (infinity is
        out of reach).
    count
        How many to choose, the required among them. With costs it may be None: no limit.
    weight
        Shape (demand,): travel counts so many times. Rows of weight 0 need not be reached.
        Without it every row counts once.
    cost, budget
        Shape (candidates,), and what the chosen may cost together; both or neither.
    conflicts
        Shape (k, 2): pairs of columns of which at most one may be chosen.
    existing
        Columns already open: they serve too, do not count and are not in `chosen`.
    required, forbidden
        Columns that must, or must not, be chosen.
    time_limit_s
        Wall seconds.
    gap
        Stop when proven this close, relative to the objective.
    rng
        Seed of the search. The same seed gives the same answer unless the time limit cuts in.
    on_step
        Called with (steps done, steps in all).

    Returns
    -------
    Solution
        `objective` is the greatest of the weighted travels from each demand to its nearest
        facility; no choice has less than `bound`. `chosen` holds exactly `count` columns; fewer
        only under costs or conflicts.

    Raises
    ------
    InputError
        An array has the wrong shape, or travel or weight is negative or not a number.
    SettingsError
        `count` is under 1 or above what may be chosen, or another number is out of range.
    NoSolutionError
        Some demand is out of everyone's reach, or so many facilities, within the budget and apart
        from each other, cannot reach everybody; or the required break a limit by themselves.

    Notes
    -----
    Hakimi, S. L. (1964), "Optimum locations of switching centers and the absolute centers and
    medians of a graph": minimise max_i min_{j chosen} w_i t_ij with exactly p chosen, where t_ij
    is the travel from demand i to candidate j and w_i the weight. The optimum is one of the values
    w_i t_ij; bisection over them asks each time whether p facilities cover everybody within that
    radius, which is a set covering problem (Minieka 1970, "The m-center problem"), solved as in
    `planner.locate.solve_lscp`. Under costs and conflicts HiGHS decides it, where the covering
    problem without them leaves doubt and is not too large; a radius that is not decided counts as
    not reached in the objective, and as reached in the bound.

    Examples
    --------
    >>> travel = [[0, 4, 9], [4, 0, 5], [9, 5, 0]]
    >>> solution = solve_pcenter(travel, 1)
    >>> solution.chosen.tolist(), solution.objective, solution.bound, solution.status
    ([1], 5.0, 5.0, 'optimal')
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    matrix = check_travel(travel)
    roles = check_roles(
        matrix.shape[1], count, existing, required, forbidden,
        cost=cost, budget=budget, conflicts=conflicts,
    )  # fmt: skip
    values = check_weight(np.ones(matrix.shape[0]) if weight is None else weight, matrix.shape[0])
    matrix.data *= np.repeat(values, np.diff(matrix.indptr))
    asked = np.flatnonzero(values > 0)
    search = _Search(_pose(matrix, asked, roles), roles, np.random.default_rng(rng))
    search.run(gap, began + time_limit_s, on_step)
    chosen = roles.fill(roles.free[search.chosen])
    nearest = row_minimum(matrix, np.concatenate([roles.opened, chosen]))[asked]
    objective = float(nearest.max(initial=0.0))
    bound, seconds = search.bound, working_seconds() - began
    return at_least(chosen, objective, bound, gap=gap, model="pcenter", seconds=seconds)


class _Posed(NamedTuple):
    """The times that may still matter.

    Attributes
    ----------
    start, client, time
        The free column j serves ``client[start[j] : start[j + 1]]`` within ``time``.
    have
        Of each client, the time to what is open already, infinity without it.
    rows
        Row of each client in the input.
    """

    start: np.ndarray
    client: np.ndarray
    time: np.ndarray
    have: np.ndarray
    rows: np.ndarray


def _pose(matrix: sparse.csr_array, asked: np.ndarray, roles: Roles) -> _Posed:
    have = row_minimum(matrix, roles.opened)[asked]
    columns = sparse.csc_array(matrix[asked])[:, roles.free]
    columns.sort_indices()
    client, times = columns.indices.astype(np.int64), columns.data
    useful = times < have[client]
    total = np.concatenate([[0], np.cumsum(useful)])
    return _Posed(total[columns.indptr], client[useful], times[useful], have, asked)


class _Search:
    """Bisection over the distinct times; `chosen` are free columns, `bound` holds at any time."""

    def __init__(self, posed: _Posed, roles: Roles, rng: np.random.Generator) -> None:
        self.posed, self.count, self.rng = posed, roles.left, rng
        self.limits, self.plain = roles.limits, roles.plain
        best = posed.have.copy()
        np.minimum.at(best, posed.client, posed.time)
        lost = np.flatnonzero(np.isinf(best))
        if lost.size:
            raise NoSolutionError(
                f"{lost.size} demand rows, the first of them row {posed.rows[lost[0]]}, are out of "
                "everyone's reach. Give them weight 0, or offer candidates near them."
            )
        self.bound = float(best.max(initial=0.0))
        times = np.concatenate([posed.time, posed.have[np.isfinite(posed.have)]])
        self.times = np.unique(times[times >= self.bound])
        self.chosen = _NONE

    def run(self, gap: float, deadline: float, on_step: Callable[[int, int], None] | None) -> None:
        """Halve the times between what is impossible and what is reached."""
        steps = 1 + math.ceil(math.log2(max(1, self.times.size)))
        high = self._start(deadline)
        low, proven = 0, True
        for step in range(1, steps):
            if self._close(low, high, gap) or working_seconds() > deadline:
                break
            tell(on_step, step, steps)
            middle = (low + high) // 2
            chosen, needed = self._cover(middle, deadline)
            if chosen is not None:
                self.chosen = chosen
                high = min(middle, self._reached(chosen))
                continue
            low = middle + 1
            proven = proven and needed > self.count
            if proven and low < self.times.size:
                self.bound = float(self.times[low])
        if proven and low >= high and self.times.size:
            self.bound = float(self.times[high])
        tell(on_step, steps, steps)

    def _close(self, low: int, high: int, gap: float) -> bool:
        return low >= high or self.times[high] - self.times[low] <= gap * self.times[high]

    def _start(self, deadline: float) -> int:
        """Find any choice that reaches everybody; return the place of its time."""
        if self.times.size == 0:
            return 0
        chosen, needed = self._cover(self.times.size - 1, deadline)
        if chosen is None:
            raise self._refused(needed)
        self.chosen = chosen
        return self._reached(chosen)

    def _refused(self, needed: float) -> NoSolutionError:
        """Say that, as far as is known, no choice reaches everybody."""
        some = f"{self.count} more facilities"
        if not self.plain and not self.count < needed < math.inf:
            limits = f"{some} that keep {name_limits(self.limits)}"
            remedy = "Allow more, or give demand out of the way weight 0."
            if needed == math.inf:
                return NoSolutionError(f"{limits} cannot reach everybody. {remedy}")
            return NoSolutionError(
                f"no {limits} and reach everybody were found, nor a proof that there are none. "
                f"Raise `time_limit_s`. {remedy}"
            )
        word = "are needed" if needed > self.count else "seem to be needed"
        return NoSolutionError(
            f"{some} cannot reach everybody: at least {max(int(needed), self.count + 1)} {word}. "
            "Raise `count`, or give demand out of the way weight 0."
        )

    def _cover(self, place: int, deadline: float) -> tuple[np.ndarray | None, float]:
        """Cover everybody within a time; return the columns, and what no choice is under.

        Without columns there is no choice that keeps the limits, if the second says so by being
        above the count, or none was found.
        """
        limit, posed = self.times[place], self.posed
        asked = posed.have > limit
        if not asked.any():
            return _NONE, 0
        number = np.cumsum(asked) - 1
        inside = (posed.time <= limit) & asked[posed.client]
        total = np.concatenate([[0], np.cumsum(inside)])
        client = number[posed.client[inside]]
        shape = (int(asked.sum()), posed.start.size - 1)
        pattern = sparse.csc_array((np.ones(client.size), client, total[posed.start]), shape=shape)
        ones = np.ones(shape[1], dtype=np.int64)
        cover = as_cover(pattern)
        if np.diff(cover.back).min() == 0:  # someone is out of reach
            return None, math.inf
        answer = cover_all(cover, ones, enough=self.count, rng=self.rng, deadline=deadline)
        if self.plain or answer.bound > self.count or keeps_limits(self.limits, answer.chosen):
            return (answer.chosen if answer.chosen.size <= self.count else None), answer.bound
        every, small = np.arange(ones.size), ~implied(cover)
        least = cheapest_within(
            keep_part(cover, every, small), ones, self.limits, None, enough=self.count, gap=0.0,
            rng=self.rng, deadline=deadline,
        )  # fmt: skip
        return least.chosen, least.bound

    def _reached(self, chosen: np.ndarray) -> int:
        """Return the place of the time within which a choice reaches everybody."""
        posed = self.posed
        nearest = posed.have.copy()
        for j in chosen:
            mine = slice(posed.start[j], posed.start[j + 1])
            nearest[posed.client[mine]] = np.minimum(nearest[posed.client[mine]], posed.time[mine])
        return int(np.searchsorted(self.times, nearest.max(initial=0.0)))
