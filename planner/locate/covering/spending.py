"""Maximal covering for every sum of money: what it covers, and what it at most could."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import SettingsError
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.order import make_runs
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.covering.sums import collect_whole
from planner.locate.problem import check_weight, make_problem, rows_covered, scale_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.locate.covering.presolve import Core
    from planner.locate.problem import Limits, Problem, Scaled

# Counted, not timed, so that every machine traces the same curve.
_ITERATIONS = 1500  # of a bound
_FINEST, _WIDEST = 20, 61  # multipliers are whole multiples of 1 / 2**_FINEST; sums stay in int64
_TOLERANCE = 1e-9  # of money, relative: prices are sums of floats
_GROWTH = 1.5  # beyond the last sum, from one to the next
_CUTS = 6  # times that the money for a target is halved


class Spending(NamedTuple):
    """What so much money covers, existing facilities included, and what it at most could.

    Attributes
    ----------
    objective
        Shape (k,): the weight that the choice of each sum covers; never falls.
    bound
        Shape (k,): no choice within the sum covers more; never falls, never under `objective`.
    spent
        Shape (k,): what the choices cost.
    chosen
        The choices, sorted columns.
    needs
        Of each target what the cheapest choice found for it costs (inf if none was found), and the
        sum below which none can (inf if no sum can).
    """

    objective: np.ndarray
    bound: np.ndarray
    spent: np.ndarray
    chosen: list[np.ndarray]
    needs: list[tuple[float, float]]


def trace_spending(
    cover: Any,
    weight: Any,
    cost: Any,
    budgets: Sequence[float] | np.ndarray,
    *,
    xy: np.ndarray | None = None,
    existing: Sequence[int] | np.ndarray = (),
    first: Sequence[int] | np.ndarray = (),
    conflicts: np.ndarray | None = None,
    known: Sequence[Sequence[int] | np.ndarray] = (),
    targets: Sequence[float] = (),
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Spending:
    r"""Choose any number of candidates that cover the most for each sum, with a proven bound.

    Parameters
    ----------
    cover, weight, xy, existing, conflicts, gap, rng
        As in `planner.locate.solve_mclp`.
    cost
        Shape (candidates,), finite, not negative.
    budgets
        Sums of money, not negative, rising.
    first
        Columns that open first, in this order, as far as the money goes.
    known
        Good choices: where one costs no more than a sum, the choice for the sum covers no less.
    targets
        Weights to be covered, existing included, of which the cheapest choice is sought.
    on_step
        Called with (sums done, sums).

    Raises
    ------
    InputError, SettingsError, NoSolutionError
        As `planner.locate.solve_mclp`; `SettingsError` too where the sums do not rise.

    Notes
    -----
    The model is that of Church & ReVelle (1974) with a budget in place of the count,

    .. math:: \max \sum_i w_i y_i, \quad y_i \le \sum_{j \in N_i} x_j, \quad
              \sum_j c_j x_j \le B.

    Multipliers :math:`0 \le s_i \le 1` prove for every sum :math:`B` at once

    .. math:: \sum_i w_i (1 - s_i) + \max \Bigl\{ \sum_j x_j \sum_{i \in C_j} w_i s_i :
              \sum_j c_j x_j \le B \Bigr\},

    a knapsack: of one or two different prices it is solved in integers, by how many of either are
    taken, which is stronger than the linear relaxation; of more its fractions are taken (Dantzig
    1957). Each sum takes the best of all multipliers, starts from the choice and multipliers of the
    one before, and is searched by swaps and, where the bound leaves room, by annealing.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 0, 1], [0, 1, 1], [0, 1, 0]])
    >>> traced = trace_spending(cover, [3, 2, 4], [1, 4, 4], [0, 3, 4, 6], targets=[7])
    >>> traced.objective.tolist(), traced.bound.tolist(), traced.spent.tolist()
    ([0.0, 3.0, 6.0, 9.0], [0.0, 3.0, 6.0, 9.0], [0.0, 1.0, 4.0, 5.0])
    >>> traced.needs
    [(5.0, 5.0)]
    """
    sums = _check(budgets, gap)
    ahead = list(dict.fromkeys(int(j) for j in first))
    prices = np.asarray(cost, dtype=np.float64)
    everything = float(prices.sum()) if prices.size else 0.0
    problem = make_problem(
        cover, None, existing=existing, required=ahead, cost=prices, conflicts=conflicts,
        budget=everything if math.isfinite(everything) else 0.0,
    )  # fmt: skip
    values = check_weight(weight, problem.matrix.shape[0])
    core = make_core(problem, xy)
    scaled = scale_weight(np.where(problem.open_rows | (core.group >= 0), values, 0.0))
    must = float(prices[problem.required].sum())
    trace = _Trace(problem, core, scaled, gap=gap, rng=np.random.default_rng(rng))
    trace.known = _inside(problem, core, known)
    opened = np.asarray(existing, dtype=np.int64)

    def worth(columns: np.ndarray) -> float:
        return math.fsum(values[rows_covered(problem.matrix, np.append(opened, columns))])

    def whole(inside: np.ndarray) -> np.ndarray:
        return np.sort(np.append(problem.required, core.columns[inside]))

    chosen = []
    for k, money in enumerate(sums):
        left = money - must
        chosen.append(
            whole(trace.step(left)) if left >= -_slack(must) else _prefix(prices, ahead, money)
        )
        if on_step is not None:
            on_step(k + 1, sums.size)
    objective = np.maximum.accumulate([worth(columns) for columns in chosen])
    bound = np.array([trace.bound(money - must) if money - must >= -_slack(must) else 0.0
                      for money in sums])  # fmt: skip
    prefixes = [np.array(ahead[:k], dtype=np.int64) for k in range(len(ahead) + 1)]
    begun = [(float(prices[p].sum()), worth(p)) for p in prefixes]
    needs = [trace.need(target, must, begun) for target in targets]
    return Spending(
        objective, np.maximum.accumulate(np.maximum(objective, bound)),
        np.array([float(prices[columns].sum()) for columns in chosen]), chosen, needs,
    )  # fmt: skip


def _check(budgets: Sequence[float] | np.ndarray, gap: float) -> np.ndarray:
    if not 0 <= gap < 1:
        raise SettingsError(f"`gap` must be at least 0 and under 1. Got {gap}.")
    sums = np.asarray(budgets, dtype=np.float64)
    if sums.ndim != 1 or not sums.size or not (np.isfinite(sums) & (sums >= 0)).all():
        raise SettingsError(
            f"`budgets` must be sums of money, finite and not negative. Got {list(budgets)!r}."
        )
    if (np.diff(sums) < 0).any():
        raise SettingsError(f"`budgets` must rise. Got {list(budgets)!r}.")
    return sums


def _slack(money: float) -> float:
    return _TOLERANCE * max(1.0, abs(money))


def _prefix(prices: np.ndarray, ahead: list[int], money: float) -> np.ndarray:
    """Return as many of the columns that open first as the money allows, in their order."""
    spent = np.cumsum(prices[ahead])
    return np.sort(np.array(ahead[: int((spent <= money + _slack(money)).sum())], dtype=np.int64))


def _inside(
    problem: Problem, core: Core, known: Sequence[Sequence[int] | np.ndarray]
) -> list[np.ndarray]:
    """Return known choices in the core's columns, of those that it can make."""
    kept, limits = [], core_limits(problem, core)
    for choice in known:
        columns = np.setdiff1d(np.asarray(choice, dtype=np.int64), problem.required)
        inside = np.flatnonzero(np.isin(core.columns, columns))
        rivals = [limits.rival[limits.start[j] : limits.start[j + 1]] for j in inside]
        apart = not rivals or not np.isin(np.concatenate(rivals), inside).any()
        if inside.size == columns.size and apart:
            kept.append(inside)
    return kept


class _Line(NamedTuple):
    """What multipliers prove of any sum of money.

    Attributes
    ----------
    base
        Weight that is not charged to candidates.
    classes
        Different prices of candidates, and the sums of the largest charges among those of a price.
    fraction
        All sums are multiples of one over it.
    """

    base: int
    classes: list[tuple[float, np.ndarray]]
    fraction: int

    def at(self, money: float) -> int:
        """Return the bound, not yet divided by the fraction."""
        room = money + _slack(money)
        best, paid = 0, []
        for price, tops in self.classes:
            if price <= 0.0:
                best += int(tops[-1])
            elif price <= room:
                paid.append((price, tops))
        if len(paid) <= 2:
            return self.base + best + _two_prices(paid, room)
        return self.base + best + _fractions(paid, room)


def _two_prices(paid: list[tuple[float, np.ndarray]], room: float) -> int:
    """Solve the knapsack of at most two prices by how many of the dearer are taken."""
    if not paid:
        return 0
    (dear, tops), (cheap, others) = paid[-1], paid[0]
    most = min(tops.size - 1, int(room / dear + _TOLERANCE))
    if len(paid) == 1:
        return int(tops[most])
    taken = np.arange(most + 1)
    left = np.floor((room - taken * dear) / cheap + _TOLERANCE).astype(np.int64)
    return int(max(tops[taken] + others[np.clip(left, 0, others.size - 1)]))


def _fractions(paid: list[tuple[float, np.ndarray]], room: float) -> int:
    """Bound the knapsack of any prices by taking fractions, rounded up."""
    charge = np.concatenate([np.diff(tops).astype(float) for _, tops in paid])
    price = np.concatenate([np.full(tops.size - 1, price) for price, tops in paid])
    order = np.argsort(-charge / price, kind="stable")
    spent = np.cumsum(price[order])
    whole = int(np.searchsorted(spent, room, side="right"))
    total = float(charge[order[:whole]].sum())
    if whole < order.size:
        left = room - (spent[whole - 1] if whole else 0.0)
        total += float(charge[order[whole]] * left / price[order[whole]])
    return math.ceil(total * (1 + _TOLERANCE)) + 1


class _Trace:
    """The choices so far, sum by sum, and the multipliers that bound them."""

    def __init__(
        self, problem: Problem, core: Core, scaled: Scaled, *, gap: float,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.cover, self.limits = core.cover, core_limits(problem, core)
        self.weight, self.scaled = core.weigh(scaled.whole), scaled
        self.before = int(scaled.whole[problem.open_rows].sum())
        self.gap, self.rng, self.runs = gap, rng, make_runs(core.cover)
        self.known: list[np.ndarray] = []
        self.found: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
        self.lines: list[_Line] = []
        self.warm: Warm | None = None

    def step(self, left: float) -> np.ndarray:
        """Choose for a sum, bound the choice, and search on where the bound leaves room."""
        limits = self._limits(left)
        chosen = self._search(limits, coolings=0)
        value = covered_weight(self.cover, self.weight, chosen)
        enough = math.floor((value + self.before) / (1.0 - self.gap)) - self.before
        if self._certify(left) > enough:
            found = relax(
                self.cover, self.weight, limits, target=enough, chosen=chosen, warm=self.warm,
                unit=self.scaled.unit, iterations=_ITERATIONS,
            )  # fmt: skip
            self.warm = Warm(found.share, found.multiplier, found.balance)
            self.lines.append(_price(self, found.multiplier))
            if self._certify(left) > enough:
                chosen = self._search(limits, coolings=1)
        self.found.append(chosen)
        return chosen

    def bound(self, left: float) -> float:
        """Return the proven bound of a sum, existing included, in the weights' unit."""
        return (self.before + self._certify(left) + self.scaled.slack) / self.scaled.scale

    def need(
        self, target: float, must: float, begun: list[tuple[float, float]]
    ) -> tuple[float, float]:
        """Return what the cheapest choice found for a target costs, and the least that is proven.

        Parameters
        ----------
        target
            Weight to be covered.
        must
            What opens in any case costs so much.
        begun
            What the first of these cost, and the weight that they cover.
        """
        for spent, covered in begun:
            if covered >= target:
                return spent, spent
        whole = math.ceil(target * self.scaled.scale - self.scaled.slack - 1e-6) - self.before
        everything = float(self.limits.cost.sum())
        least = self._least(whole, everything)
        choice = self._reach(whole, everything)
        if choice is None:
            return math.inf, least + must
        spent = self._spent(choice)
        low = least
        for _ in range(_CUTS):
            middle = 0.5 * (low + spent)
            if not low < middle < spent:
                break
            cheaper = self._search(self._limits(middle), coolings=0)
            if covered_weight(self.cover, self.weight, cheaper) >= whole:
                self.found.append(cheaper)
                spent = self._spent(cheaper)
            else:
                low = middle
        if least > spent - 2 * _slack(everything):  # the same but for rounding
            least = spent
        return spent + must, least + must

    def _reach(self, whole: int, everything: float) -> np.ndarray | None:
        """Return the cheapest choice known that covers so much; money is added until one does."""
        while True:
            enough = [c for c in self.found + self.known
                      if covered_weight(self.cover, self.weight, c) >= whole]  # fmt: skip
            if enough:
                return min(enough, key=self._spent)
            most = max(self._spent(c) for c in self.found)
            if most >= everything:
                return None
            positive = self.limits.cost[self.limits.cost > 0]
            more = max(most * _GROWTH, most + float(positive.min()))
            wider = self._search(self._limits(min(more, everything)), coolings=0)
            if self._spent(wider) <= most:  # nothing more to gain, or nothing fits yet
                if more >= everything:
                    return None
                wider = self._search(self._limits(everything), coolings=0)
                if self._spent(wider) <= most:
                    return None
            self.found.append(wider)

    def _least(self, whole: int, everything: float) -> float:
        """Return the sum below which no choice covers so much; inf if no sum does."""
        if self._certify(everything) < whole:
            return math.inf
        low, high = 0.0, everything
        if self._certify(low) >= whole:
            return 0.0
        while high - low > _TOLERANCE * max(1.0, everything):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self._certify(middle) >= whole else (middle, high)
        return high

    def _certify(self, left: float) -> int:
        """Return the best proven bound of a sum, in whole weights."""
        best = int(self.weight.sum())
        for line in self.lines:
            best = min(best, line.at(left) // line.fraction)
        return best // self.scaled.unit * self.scaled.unit

    def _limits(self, left: float) -> Limits:
        return self.limits._replace(most=self.limits.cost.size, budget=max(left, 0.0))

    def _spent(self, chosen: np.ndarray) -> float:
        return float(self.limits.cost[chosen].sum())

    def _search(self, limits: Limits, *, coolings: int) -> np.ndarray:
        """Search from the best choice so far that the sum allows, and from greedy."""
        room = limits.budget + _slack(limits.budget)
        starts = [c for c in self.found + self.known if self._spent(c) <= room]
        values = [covered_weight(self.cover, self.weight, c) for c in starts]
        start = starts[int(np.argmax(values))]
        options: dict[str, Any] = {"rng": self.rng, "coolings": coolings, "start": start}
        chosen = search(self.cover, self.weight, limits, **options)
        return chosen if covered_weight(self.cover, self.weight, chosen) > max(values) else start


def _price(trace: _Trace, multiplier: np.ndarray) -> _Line:
    """Return what multipliers prove of every sum."""
    weight, cost = trace.weight, trace.limits.cost
    fraction = 1 << max(0, min(_FINEST, _WIDEST - int(weight.sum()).bit_length()))
    fixed = np.floor(np.clip(multiplier, 0.0, 1.0) * weight * fraction).astype(np.int64)
    fixed = np.clip(fixed, 0, weight * fraction)
    charge = np.empty(cost.size, dtype=np.int64)
    collect_whole(trace.runs, fixed, charge)
    classes = []
    for price in np.unique(cost):
        largest = np.sort(charge[cost == price])[::-1].astype(object)  # sums pass int64
        classes.append((float(price), np.append(0, np.cumsum(largest))))
    return _Line(int((weight * fraction - fixed).sum()), classes, fraction)
