"""What may be chosen together where facilities have capacities: places, money, exclusions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import compiled
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.problem import make_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

_HALVINGS = 30  # of the span in which the price of money is sought


class Rules(NamedTuple):
    """What the free columns may do together; a plain tuple so that numba takes it.

    Attributes
    ----------
    free
        Columns that may be chosen, sorted.
    most
        At most so many places are taken.
    place
        int64 of every column: 1 where it takes a place, 0 where it enlarges one that is there.
    cost, budget
        float64 of every column, and what they may sum to; without costs zeros and infinity.
    start, rival
        Column j excludes ``rival[start[j] : start[j + 1]]``.
    group
        int64 of every column: columns of one group exclude each other.
    """

    free: np.ndarray
    most: int
    place: np.ndarray
    cost: np.ndarray
    budget: float
    start: np.ndarray
    rival: np.ndarray
    group: np.ndarray


class Posed(NamedTuple):
    """The rules, the required and the open columns, sorted.

    `exact` tells that just `count` are chosen, gain or no gain: nothing but the count limits them.
    """

    rules: Rules
    required: np.ndarray
    opened: np.ndarray
    exact: bool

    def fill(self, chosen: np.ndarray) -> np.ndarray:
        """Return the required and the chosen; up to the count by the smallest others if `exact`."""
        left = self.rules.most - chosen.size if self.exact else 0
        spare = np.setdiff1d(self.rules.free, chosen)[:left]
        return np.sort(np.concatenate([self.required, chosen, spare])).astype(np.int64)


def pose_rules(
    columns: int,
    count: int | None,
    *,
    existing: Sequence[int] | np.ndarray,
    required: Sequence[int] | np.ndarray,
    forbidden: Sequence[int] | np.ndarray,
    cost: Any,
    budget: float | None,
    conflicts: Any,
    places: Any,
) -> Posed:
    """Check the arguments of covering under capacities; errors as `solve_capacitated`."""
    for name, values in (("existing", existing), ("required", required), ("forbidden", forbidden)):
        array = np.asarray(values)
        if array.dtype.kind in "iu" and array.size:
            bad = array[(array < 0) | (array >= columns)]
            if bad.size:
                raise InputError(
                    f"`{name}` names column {bad[0]}, but `travel` has columns 0 to {columns - 1}."
                )
    price = None if cost is None else np.asarray(cost, dtype=np.float64)
    place = _check_places(places, columns, costs=cost is not None)
    problem = make_problem(
        sparse.csr_array((0, columns)), count if places is None else None, existing=existing,
        required=required, forbidden=forbidden, cost=price, budget=budget, conflicts=conflicts,
    )  # fmt: skip
    must = problem.required
    most = problem.limits.most if count is None or places is None else _left(count, place, must)
    free = problem.free[place[problem.free] <= most]
    limits = problem.limits
    owner = np.repeat(problem.free, np.diff(limits.start))
    start = np.zeros(columns + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=columns), out=start[1:])
    rival = problem.free[limits.rival].astype(np.int64)
    spent, room = np.zeros(columns), math.inf
    if price is not None and budget is not None:
        left = float(budget) - float(price[must].sum())
        spent, room = price, left + 1e-9 * max(1.0, left)
    group = _cliques(start, rival, columns)
    opened = np.union1d(np.asarray(existing, dtype=np.int64), must)
    rules = Rules(free, int(most), place, spent, room, start, rival, group)
    return Posed(rules, must, opened, problem.exact_count)


def _check_places(places: Any, columns: int, *, costs: bool) -> np.ndarray:
    if places is None:
        return np.ones(columns, dtype=np.int64)
    taken = np.asarray(places)
    if taken.shape != (columns,) or not np.isin(taken, (0, 1)).all():
        raise InputError(
            f"`places` must hold 0 or 1 for each candidate: ({columns},). Got {taken.shape}."
        )
    if not costs:
        raise SettingsError(
            "`places` needs `cost` and `budget`: what takes no place would all be chosen."
        )
    return taken.astype(np.int64)


def _left(count: Any, place: np.ndarray, required: np.ndarray) -> int:
    """Return how many places are left of the count once the required have theirs."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise SettingsError(f"`count` must be a whole number of at least 1. Got {count!r}.")
    taken = int(place[required].sum())
    if taken > count:
        raise NoSolutionError(
            f"{taken} candidates that take a place are required but `count` is {count}. "
            "Raise `count` or require fewer."
        )
    return int(count) - taken


def _cliques(start: np.ndarray, rival: np.ndarray, columns: int) -> np.ndarray:
    """Split the columns into groups of which no two may be chosen, each as large as it grows."""
    group = np.full(columns, -1, dtype=np.int64)
    for j in np.flatnonzero(np.diff(start)).tolist():
        if group[j] >= 0:
            continue
        group[j] = j
        common = set(rival[start[j] : start[j + 1]].tolist())
        for other in sorted(common):
            if group[other] < 0 and other in common:
                group[other] = j
                common &= {other, *rival[start[other] : start[other + 1]].tolist()}
    alone = group < 0
    group[alone] = np.flatnonzero(alone)
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def cliques_and_pairs(rules: Rules) -> list[np.ndarray]:
    """Return sets of free columns of which at most one may be chosen; together all exclusions."""
    free, group = rules.free, rules.group
    order = free[np.argsort(group[free], kind="stable")]
    cut = np.flatnonzero(np.diff(group[order])) + 1
    sets = [part for part in np.split(order, cut) if part.size > 1]
    owner = np.repeat(np.arange(group.size), np.diff(rules.start))
    usable = np.zeros(group.size, dtype=bool)
    usable[free] = True
    apart = (owner < rules.rival) & (group[owner] != group[rules.rival])
    apart &= usable[owner] & usable[rules.rival]
    return [*sets, *np.column_stack([owner[apart], rules.rival[apart]])]


@compiled
def fits(rules: Rules, inside: np.ndarray, j: int, taken: int, spent: float) -> bool:
    """Tell whether a column may join the chosen, who take so many places and cost so much."""
    if inside[j] or taken + rules.place[j] > rules.most or spent + rules.cost[j] > rules.budget:
        return False
    return not inside[rules.rival[rules.start[j] : rules.start[j + 1]]].any()


@compiled
def keep_fitting(rules: Rules, line: np.ndarray) -> np.ndarray:
    """Keep of a line of free columns, from the first on, those that may be chosen together."""
    inside = np.zeros(rules.place.size, np.bool_)
    kept = np.empty(line.size, np.int64)
    taken, spent, size = 0, 0.0, 0
    for j in line:
        if fits(rules, inside, j, taken, spent):
            inside[j] = True
            taken += rules.place[j]
            spent += rules.cost[j]
            kept[size] = j
            size += 1
    return kept[:size]


@compiled
def dearest(
    rules: Rules, worth: np.ndarray, money: float
) -> tuple[np.ndarray, float, float, np.ndarray, float]:
    """Choose the columns worth most at a price of money: one a group, places as they go.

    Returns the chosen, what they are worth less what they cost (with the budget's own price), what
    they cost, the best of each group and the price of a place.
    """
    groups = rules.group.size
    taking, idle = np.full(groups, -1, np.int64), np.full(groups, -1, np.int64)
    above, below = np.zeros(groups), np.zeros(groups)
    for j in rules.free:
        g, net = rules.group[j], worth[j] - money * rules.cost[j]
        if rules.place[j] and net > above[g]:
            above[g], taking[g] = net, j
        elif not rules.place[j] and net > below[g]:
            below[g], idle[g] = net, j
    more = above - below
    wanted = np.flatnonzero(more > 0.0)
    price = 0.0
    if wanted.size > rules.most:
        wanted = wanted[np.argsort(-more[wanted], kind="mergesort")]
        price = more[wanted[rules.most - 1]] if rules.most > 0 else more[wanted[0]]
        wanted = wanted[: rules.most]
    value = 0.0 if money == 0.0 else money * rules.budget
    for g in wanted:
        value += more[g]
        idle[g] = taking[g]
    cost, best = 0.0, np.zeros(groups)
    chosen = idle[idle >= 0]
    for j in chosen:
        cost += rules.cost[j]
    for g in range(groups):
        value += below[g]
        best[g] = max(above[g] - price, below[g])
    return chosen, value, cost, best, price


@compiled
def price_money(rules: Rules, worth: np.ndarray, money: float) -> float:
    """Find the price of money at which the dearest columns just meet the budget.

    What `dearest` returns as their value is convex in it; `money` is where to look first.
    """
    if rules.budget == np.inf or dearest(rules, worth, 0.0)[2] <= rules.budget:
        return 0.0
    low, high = 0.0, max(money, 1e-300)
    for j in rules.free:
        if rules.cost[j] > 0.0:
            high = max(high, 1.0001 * worth[j] / rules.cost[j])
    first = min(max(1.02 * money, 1e-9 * high), high)
    for turn in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if turn == 0:
            middle = first
        elif turn == 1 and high == first:
            middle = 0.96 * first
        if dearest(rules, worth, middle)[2] > rules.budget:
            low = middle
        else:
            high = middle
        if high - low <= 1e-6 * high:
            break
    return high
