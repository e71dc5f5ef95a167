"""Prove a p-median optimal: fix by reduced costs, then HiGHS on the radius formulation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.median.lists import Lists, restrict_lists, two_way, value_of
from planner.locate.program import Program, minimise

if TYPE_CHECKING:
    from planner.locate.median.bound import Certificate

# Above so many entries HiGHS takes minutes: the Lagrangean bound stands alone then.
_ENTRIES = 400_000
_NODES = 5_000


class Proof(NamedTuple):
    """The better choice, if one was found, and a proven integer bound."""

    chosen: np.ndarray
    bound: int


def prove(
    lists: Lists,
    count: int,
    chosen: np.ndarray,
    found: Certificate,
    *,
    hard: int,
    unit: int,
    gap: float,
    time_limit_s: float,
) -> Proof:
    """Solve what reduced costs leave open.

    Parameters
    ----------
    lists, count
        The problem.
    chosen
        A good choice of `count` columns.
    found
        A bound and the reduced costs that prove it.
    hard
        A client that costs so much must be served.
    unit
        Divides every cost.
    gap
        Stop when proven this close, relative to the cost.
    time_limit_s
        Stop then; what is proven by then holds.

    Notes
    -----
    The radius formulation (Elloumi 2010, "A tighter formulation of the p-median problem"; García,
    Labbé & Marín 2011): let S be the facilities within one of a client's distinct costs, z_S = 1
    where none of them is open; then z_S + Σ_{j ∈ S} x_j ≥ 1, and the client pays the step to the
    next cost times z_S. Clients with the same S share the variable.
    """
    value = value_of(lists, chosen)
    room = value - unit - found.bound  # a better choice may add so much to the bound, not more
    order = np.sort(found.reduced)
    last = order[count - 1]
    following = order[count] if count < order.size else last
    out = found.reduced - last > room
    sure = (found.reduced <= last) & (following - found.reduced > room)
    out[chosen] = False
    keep, opened = np.flatnonzero(~out & ~sure), np.flatnonzero(sure)
    left = count - opened.size
    small = _shorten(restrict_lists(lists, keep, opened), left)
    if left <= 0 or small.column.size > _ENTRIES:
        bound = value if left <= 0 and value_of(lists, opened) >= value else found.bound
        return Proof(chosen, bound)
    base = int(cheapest(small).sum())
    program = radius_program(small, left, hard)
    start = start_point(program, small, left, np.flatnonzero(np.isin(keep, chosen)))
    outcome = minimise(
        program,
        abs_gap=max(0.9 * gap * value, 0.99 * unit),
        nodes=_NODES,
        time_limit_s=time_limit_s,
        start=start if np.isin(opened, chosen).all() else None,
    )
    best = chosen
    if outcome.values is not None:
        picked = np.flatnonzero(outcome.values[: keep.size] > 0.5)
        trial = np.sort(np.concatenate([opened, keep[picked]]))
        if trial.size <= count and value_of(lists, trial) < value:
            spare = np.setdiff1d(np.arange(found.reduced.size), trial)
            best = np.sort(np.concatenate([trial, spare[: count - trial.size]]))
    if outcome.bound == np.inf:
        return Proof(best, value)
    bound = found.bound
    if math.isfinite(outcome.bound):
        inside = -(-(base + math.ceil(outcome.bound)) // unit) * unit
        bound = max(bound, min(value, inside))
    return Proof(best, bound)


def _shorten(lists: Lists, count: int) -> Lists:
    """Cut each list where so many facilities cannot all be farther."""
    columns = lists.back.size - 1
    place = columns - count  # at most so many are closed
    degree = np.diff(lists.start)
    if count < 1 or not (degree > place).any():
        return lists
    most = lists.most.copy()
    long = degree > place
    most[long] = lists.cost[lists.start[:-1][long] + place]
    owner = np.repeat(np.arange(most.size), degree)
    kept = lists.cost < most[owner]
    total = np.concatenate([[0], np.cumsum(kept)])
    return two_way(total[lists.start], lists.column[kept], lists.cost[kept], most, columns)


def cheapest(lists: Lists) -> np.ndarray:
    """Return what each client costs at least."""
    filled = np.diff(lists.start) > 0
    least = lists.most.copy()
    least[filled] = lists.cost[lists.start[:-1][filled]]
    return least


class Steps(NamedTuple):
    """The distinct costs of each client, client after client.

    Attributes
    ----------
    entry
        The last entry of the lists within each step.
    rise
        What the client pays more beyond it.
    number
        The variable of the facilities within it.
    begins
        bool: the first step of its client.
    """

    entry: np.ndarray
    rise: np.ndarray
    number: np.ndarray
    begins: np.ndarray


def steps_of(lists: Lists) -> Steps:
    """Find the steps and give those of equal facilities one number."""
    owner = np.repeat(np.arange(lists.most.size), np.diff(lists.start))
    ends = np.ones(owner.size, dtype=bool)
    ends[:-1] = (owner[1:] != owner[:-1]) | (lists.cost[1:] != lists.cost[:-1])
    entry = np.flatnonzero(ends)
    mine = owner[entry]
    final = np.ones(entry.size, dtype=bool)
    final[:-1] = mine[1:] != mine[:-1]
    following = lists.most[mine].copy()
    following[~final] = lists.cost[entry[1:]][~final[:-1]]
    keys = np.random.default_rng(0).integers(
        1, 2**63, size=(lists.back.size - 1, 2), dtype=np.uint64
    )
    sums = np.zeros((owner.size + 1, 2), dtype=np.uint64)
    np.cumsum(keys[lists.column], axis=0, dtype=np.uint64, out=sums[1:])
    inside = sums[entry + 1] - sums[lists.start[mine]]
    size = (entry + 1 - lists.start[mine]).astype(np.uint64)
    _, number = np.unique(np.column_stack([size, inside]), axis=0, return_inverse=True)
    begins = np.concatenate([[True], final[:-1]])
    return Steps(entry, following - lists.cost[entry], number.ravel(), begins[: entry.size])


def radius_program(lists: Lists, count: int, hard: int) -> Program:
    """Write the radius formulation: columns first, then the numbered steps."""
    steps = steps_of(lists)
    n, sets = lists.back.size - 1, int(steps.number.max(initial=-1)) + 1
    rise = np.zeros(sets)
    np.add.at(rise, steps.number, steps.rise.astype(float))
    most = np.ones(n + sets)
    owner = np.repeat(np.arange(lists.most.size), np.diff(lists.start))
    ending = np.ones(steps.entry.size, dtype=bool)
    ending[:-1] = steps.begins[1:]
    must = ending & (lists.most[owner[steps.entry]] >= hard)
    most[n + steps.number[must]] = 0.0
    rise[steps.number[must]] = 0.0
    _, first = np.unique(steps.number, return_index=True)
    before = np.where(steps.begins, lists.start[owner[steps.entry]], 0)
    before[~steps.begins] = steps.entry[np.flatnonzero(~steps.begins) - 1] + 1
    spans = steps.entry[first] + 1 - before[first]
    rows = np.repeat(np.arange(sets), spans)
    offset = np.arange(rows.size) - np.repeat(np.cumsum(spans) - spans, spans)
    columns = lists.column[np.repeat(before[first], spans) + offset]
    chained = np.flatnonzero(~steps.begins[first])
    previous = steps.number[first[chained] - 1]
    row = np.concatenate([rows, np.arange(sets), chained, np.full(n, sets)])
    column = np.concatenate([columns, n + np.arange(sets), n + previous, np.arange(n)])
    value = np.ones(row.size)
    value[rows.size + sets : rows.size + sets + chained.size] = -1.0
    lower = np.concatenate([steps.begins[first].astype(float), [-np.inf]])
    upper = np.concatenate([np.full(sets, np.inf), [float(count)]])
    matrix = sparse.csr_array((value, (row, column)), shape=(sets + 1, n + sets))
    whole = np.arange(n + sets) < n
    return Program(np.concatenate([np.zeros(n), rise]), most, matrix, lower, upper, whole)


def start_point(
    program: Program, lists: Lists, count: int, chosen: np.ndarray
) -> np.ndarray | None:
    """Complete a choice to a point of the program."""
    if chosen.size > count:
        return None
    n = lists.back.size - 1
    opened = np.zeros(n)
    opened[chosen] = 1.0
    steps = steps_of(lists)
    hits = np.concatenate([[0], np.cumsum(opened[lists.column])])
    owner = np.repeat(np.arange(lists.most.size), np.diff(lists.start))
    inside = hits[steps.entry + 1] - hits[lists.start[owner[steps.entry]]]
    point = np.zeros(program.cost.size)
    point[:n] = opened
    point[n + steps.number] = inside == 0
    return point
