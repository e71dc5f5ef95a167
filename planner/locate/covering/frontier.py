"""Maximal covering for every count at once: what so many facilities cover, and at most could."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import SettingsError
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.branch import branch
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.order import make_runs
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.covering.sums import collect_whole
from planner.locate.problem import (
    check_weight,
    counts_only,
    make_problem,
    rows_covered,
    scale_weight,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.covering.bounds import Relaxation
    from planner.locate.covering.presolve import Core
    from planner.locate.problem import Cover, Limits, Problem, Scaled

    _Line = tuple[int, list[int], int]  # base, sums of the largest prices, fraction

# Counted, not timed, so that every machine traces the same frontier.
_ITERATIONS = 1500  # of a bound
_WORK = 3e9  # entries of cover that all proofs together may touch
_FINEST, _WIDEST = 20, 61  # multipliers are whole multiples of 1 / 2**_FINEST; sums stay in int64


class Frontier(NamedTuple):
    """What so many facilities cover, existing ones included, and what they at most could.

    Attributes
    ----------
    objective
        Shape (k + 1,): the weight that the choice of 0, 1, … k covers; never falls.
    bound
        Shape (k + 1,): no choice of so many covers more; never falls, never under `objective`.
    chosen
        The choices: sorted columns, at most so many.
    """

    objective: np.ndarray
    bound: np.ndarray
    chosen: list[np.ndarray]


def trace_mclp(
    cover: Any,
    weight: Any,
    most: int,
    *,
    xy: np.ndarray | None = None,
    existing: Sequence[int] | np.ndarray = (),
    first: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    known: Sequence[Sequence[int] | np.ndarray] = (),
    gap: float = 1e-4,
    work: float = _WORK,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Frontier:
    """Choose 0, 1, 2, … candidates that cover the most weight, each with a proven bound.

    Parameters
    ----------
    cover, weight, xy, existing, forbidden, cost, budget, conflicts, gap, rng, on_step
        As in `planner.locate.solve_mclp`.
    most
        The greatest count that is searched; beyond it candidates are added one by one as long as
        they gain, so that what can be covered at all is seen too.
    first
        Columns that open first, in this order: the choice of k holds the first k of them.
    known
        Good choices: where one keeps the limits, the choice of as many covers no less.
    work
        Entries of cover that the proofs may touch together, so that time is bounded.

    Raises
    ------
    InputError, SettingsError, NoSolutionError
        As `planner.locate.solve_mclp`.

    Notes
    -----
    The model is that of Church & ReVelle (1974). Each count starts from the choice of the one
    before and its best addition, and its bound from the multipliers of the one before. Multipliers
    s prove a bound for every count p, Σ_i w_i (1 - s_i) and the p largest sums of w_i s_i over a
    candidate's cover, evaluated in integers, so each count takes the best of all; a bound of p
    holds for fewer too. What is still open is split by `planner.locate.covering.branch`.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0, 1], [0, 1, 1], [0, 1, 0]])
    >>> traced = trace_mclp(cover, [3, 2, 4], 2)
    >>> traced.objective.tolist(), traced.bound.tolist()
    ([0.0, 6.0, 9.0], [0.0, 6.0, 9.0])
    """
    _check(gap, work)
    ahead = list(dict.fromkeys(int(j) for j in first))
    problem = make_problem(
        cover, max(most, len(ahead)), existing=existing, required=ahead, forbidden=forbidden,
        cost=cost, budget=budget, conflicts=conflicts,
    )  # fmt: skip
    values = check_weight(weight, problem.matrix.shape[0])
    core = make_core(problem, xy)
    scaled = scale_weight(np.where(problem.open_rows | (core.group >= 0), values, 0.0))
    limits = core_limits(problem, core)
    trace = _Trace(core, limits, scaled, problem, gap=gap, work=work)
    trace.rng = np.random.default_rng(rng)
    trace.run(_inside(problem, core, limits, known), max(most - len(ahead), 0), on_step)
    chosen = [np.sort(np.array(ahead[:k], dtype=np.int64)) for k in range(len(ahead))]
    chosen += [np.sort(np.append(problem.required, core.columns[c])) for c in trace.chosen]
    opened = np.asarray(existing, dtype=np.int64)
    worth = [math.fsum(values[rows_covered(problem.matrix, np.append(opened, c))]) for c in chosen]
    objective = np.maximum.accumulate(worth)
    limit = [(trace.before + b + scaled.slack) / scaled.scale for b in trace.bounds()]
    bound = np.maximum(objective, np.append(objective[: len(ahead)], limit))
    return Frontier(objective, bound, chosen)


class _Trace:
    """The choices so far, count by count, and the multipliers that bound them."""

    def __init__(
        self,
        core: Core,
        limits: Limits,
        scaled: Scaled,
        problem: Problem,
        *,
        gap: float,
        work: float,
    ) -> None:
        self.cover, self.limits, self.plain = core.cover, limits, problem.plain
        self.weight, self.unit = core.weigh(scaled.whole), scaled.unit
        self.before = int(scaled.whole[problem.open_rows].sum())
        self.gap, self.left, self.rng = gap, work, np.random.default_rng(0)
        self.runs = make_runs(core.cover)
        self.chosen, self.value = [np.empty(0, dtype=np.int64)], [0]
        self.proven = [0]  # bounds of single counts
        self.lines: list[_Line] = []
        self.ceiling = int(self.weight.sum())  # of all counts

    def run(
        self, known: list[np.ndarray], most: int, on_step: Callable[[int, int], None] | None
    ) -> None:
        """Trace up to `most`, then add candidates while they gain."""
        warm: Warm | None = None
        for k in range(1, most + 1):
            warm = self._step(k, most, [c for c in known if c.size <= k], warm)
            if on_step is not None:
                on_step(k, most)
        self._bound_cost()
        while True:
            grown = self._grow(len(self.chosen))
            value = covered_weight(self.cover, self.weight, grown)
            if value <= self.value[-1]:
                break
            self._keep(grown, value)

    def bounds(self) -> list[int]:
        """Return the best proven bound of every count; what binds more binds fewer."""
        best, least = [], self.ceiling
        for k in range(len(self.chosen) - 1, -1, -1):
            for base, tops, fraction in self.lines:
                least = min(least, (base + tops[min(k, len(tops) - 1)]) // fraction)
            least = max(min(least // self.unit * self.unit, self.proven[k]), self.value[k])
            best.append(least)
        return best[::-1]

    def _keep(self, chosen: np.ndarray, value: int) -> None:
        self.chosen.append(np.sort(chosen))
        self.value.append(value)
        self.proven.append(self.ceiling)

    def _step(self, k: int, most: int, known: list[np.ndarray], warm: Warm | None) -> Warm:
        """Choose k, bound the choice, and search on where the bound leaves room."""
        limits, grown = self._limits(k), self._grow(k)
        best = self._search(limits, grown, coolings=0)
        best, value = self._best([best, self.chosen[-1], *known])
        found = self._relax(k, best, value, warm)
        if found.bound > self._enough(value):
            best, value = self._best([best, self._search(limits, best, coolings=1)])
        self._keep(best, value)
        if self.plain and found.bound > self._enough(value):
            self._branch(k, self.left / (most - k + 1), found)
        return Warm(found.share, found.multiplier, found.balance)

    def _search(self, limits: Limits, start: np.ndarray, *, coolings: int) -> np.ndarray:
        options: dict[str, Any] = {"rng": self.rng, "coolings": coolings, "start": start}
        return search(self.cover, self.weight, limits, **options)

    def _best(self, choices: list[np.ndarray]) -> tuple[np.ndarray, int]:
        """Return the first of the best choices, and its value."""
        values = [covered_weight(self.cover, self.weight, c) for c in choices]
        first = int(np.argmax(values))
        return choices[first], values[first]

    def _enough(self, value: int) -> int:
        return math.floor((value + self.before) / (1.0 - self.gap)) - self.before

    def _limits(self, k: int) -> Limits:
        budget = float(k) if counts_only(self.limits) else self.limits.budget
        return self.limits._replace(most=k, budget=budget)

    def _grow(self, k: int) -> np.ndarray:
        """Add what gains most to the last choice, if the limits of k leave anything."""
        last, limits = self.chosen[-1], self._limits(k)
        if last.size >= k:
            return last
        seen = np.zeros(self.weight.size, dtype=bool)
        barred = np.zeros(self.limits.cost.size, dtype=bool)
        barred[last] = True
        for j in last:
            seen[self.cover.client[self.cover.start[j] : self.cover.start[j + 1]]] = True
            barred[limits.rival[limits.start[j] : limits.start[j + 1]]] = True
        spent = float(limits.cost[last].sum())
        barred |= limits.cost > (limits.budget - spent) + 1e-9 * max(1.0, limits.budget)
        gain = np.empty(barred.size, dtype=np.int64)
        collect_whole(self.runs, np.where(seen, 0, self.weight), gain)
        gain[barred] = 0
        return np.append(last, np.argmax(gain)) if gain.any() else last

    def _relax(self, k: int, chosen: np.ndarray, value: int, warm: Warm | None) -> Relaxation:
        """Bound the choices of k, costs left aside, and with the same multipliers all others."""
        n = self.cover.start.size - 1
        found = relax(
            self.cover,
            self.weight,
            self.limits._replace(most=min(k, n), cost=np.ones(n), budget=float(min(k, n))),
            target=self._enough(value),
            chosen=chosen,
            warm=warm,
            unit=self.unit,
            iterations=_ITERATIONS,
        )
        self.lines.append(_price_counts(self.cover, self.weight, found.multiplier))
        return found

    def _bound_cost(self) -> None:
        """Bound every count by what the budget allows."""
        if not counts_only(self.limits) and self.limits.budget != self.limits.most:
            options: dict[str, Any] = {"target": self.value[-1], "chosen": self.chosen[-1]}
            found = relax(self.cover, self.weight, self.limits, unit=self.unit, **options)
            self.ceiling = min(self.ceiling, found.bound)

    def _branch(self, k: int, work: float, found: Relaxation) -> None:
        """Improve the last choice and lower its bound by branching."""
        self.left -= work
        if work <= 0:
            return
        proved = branch(
            self.cover, self.weight, k, chosen=self.chosen[-1], relaxation=found, gap=self.gap,
            before=self.before, unit=self.unit, work=work,
        )  # fmt: skip
        value = covered_weight(self.cover, self.weight, proved.chosen)
        if value > self.value[-1]:
            self.chosen[-1], self.value[-1] = np.sort(proved.chosen), value
        self.proven[-1] = proved.bound


def _price_counts(cover: Cover, weight: np.ndarray, multiplier: np.ndarray) -> _Line:
    """Return what multipliers prove for every count: base, and sums of the largest prices."""
    fraction = 1 << max(0, min(_FINEST, _WIDEST - int(weight.sum()).bit_length()))
    fixed = np.floor(np.clip(multiplier, 0.0, 1.0) * weight * fraction).astype(np.int64)
    fixed = np.clip(fixed, 0, weight * fraction)
    price = np.empty(cover.start.size - 1, dtype=np.int64)
    collect_whole(make_runs(cover), fixed, price)
    tops = list(accumulate((int(p) for p in np.sort(price)[::-1]), initial=0))
    return int((weight * fraction - fixed).sum()), tops, fraction


def _inside(
    problem: Problem, core: Core, limits: Limits, known: Sequence[Sequence[int] | np.ndarray]
) -> list[np.ndarray]:
    """Return known choices in the core's columns, of those that keep the limits."""
    kept = []
    for choice in known:
        columns = np.setdiff1d(np.asarray(choice, dtype=np.int64), problem.required)
        if not np.isin(columns, problem.free).all():
            continue
        inside = np.unique([t for j in columns for t in _standing_for(problem, core, int(j))])
        inside = inside.astype(np.int64)
        rivals = [limits.rival[limits.start[j] : limits.start[j + 1]] for j in inside]
        apart = not rivals or not np.isin(np.concatenate(rivals), inside).any()
        spent = float(limits.cost[inside].sum()) <= limits.budget * (1 + 1e-9)
        if apart and (spent or counts_only(limits)):
            kept.append(inside)
    return kept


def _standing_for(problem: Problem, core: Core, column: int) -> list[int]:
    """Return the core's candidate that covers all that a column does; none if that is nothing."""
    at = int(np.searchsorted(core.columns, column))
    if at < core.columns.size and core.columns[at] == column:
        return [at]
    rows = problem.matrix.indices[problem.matrix.indptr[column] : problem.matrix.indptr[column + 1]]
    clients = np.unique(core.group[rows])
    clients = clients[clients >= 0]
    cover = core.cover
    times = np.zeros(core.columns.size, dtype=np.int64)
    for i in clients:
        times[cover.candidate[cover.back[i] : cover.back[i + 1]]] += 1
    return [int(np.argmax(times))] if clients.size else []


def _check(gap: float, work: float) -> None:
    if not 0 <= gap < 1:
        raise SettingsError(f"`gap` must be at least 0 and under 1. Got {gap}.")
    if not work >= 0:
        raise SettingsError(f"`work` must not be negative. Got {work}.")
