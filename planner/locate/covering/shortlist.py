"""Which candidates of a covering problem are worth keeping, and what those left out may cost."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.errors import InputError, SettingsError
from planner.locate.covering.bounds import relax
from planner.locate.covering.heuristics import covered_weight, lazy_greedy
from planner.locate.covering.order import order_clients
from planner.locate.covering.presolve import add_up, merge_clients, outdone
from planner.locate.problem import Cover, Limits, check_weight, make_problem, scale_weight
from planner.locate.setcover.reduce import as_cover

_ITERATIONS = 300  # of the relaxation: its multipliers rank and bound, they need not be the best
_ROUNDING = 1e-9  # relative, far above that of sums in floating point


class Shortlist(NamedTuple):
    """What is known of the candidates of a covering problem.

    Attributes
    ----------
    dominated
        bool, shape (candidates,): another covers all that it covers, at no higher cost.
    picks
        int64: columns that together cover all that can be covered, in greedy order.
    multiplier
        float64, shape (demand,), 0..1: the part of its weight that is charged to candidates. The
        price of a candidate is what it covers of these parts (`bound_with`).
    """

    dominated: np.ndarray
    picks: np.ndarray
    multiplier: np.ndarray


def make_shortlist(
    cover: Any,
    weight: Any,
    count: int | None,
    *,
    cost: np.ndarray | None = None,
    barred: np.ndarray | None = None,
    xy: np.ndarray | None = None,
) -> Shortlist:
    """Find the dominated candidates, a cover of everything, and what a choice is worth.

    Parameters
    ----------
    cover
        scipy sparse, demand × candidates; any entry present means covered.
    weight
        Shape (demand,), finite, not negative.
    count
        How many will be chosen; None where that is not known: the multipliers are then those of so
        many as cover half of what can be covered.
    cost
        Shape (candidates,), finite: a dearer candidate dominates no cheaper one. None: all alike.
    barred
        Shape (candidates,), bool: those that may not be chosen, and so dominate none.
    xy
        Shape (candidates, 2), a hint that never changes what is right.

    Raises
    ------
    InputError
        An array has the wrong shape, or a weight is negative or not finite.
    SettingsError
        `count` is under 1.

    Notes
    -----
    A set without the dominated holds a best choice of every covering model that is limited by
    count or cost (Church & ReVelle 1974, Toregas et al. 1971): whoever is dominated can be
    exchanged for the dominator. Of candidates that cover the same at the same cost the first stays.
    That needs nothing of the weights. It does not hold where candidates exclude each other, where
    being covered twice counts, or the minutes do.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    >>> found = make_shortlist(cover, [3, 2, 4], 1)
    >>> found.dominated.tolist(), found.picks.tolist()
    ([True, False, False], [1, 2])
    """
    matrix = make_problem(cover, 1).matrix
    rows, n = matrix.shape
    values = check_weight(weight, rows)
    if count is not None and count < 1:
        raise SettingsError(f"`count` must be at least 1. Got {count}.")
    price = np.zeros(n) if cost is None else np.asarray(cost, dtype=float)
    free = np.ones(n, dtype=bool) if barred is None else ~np.asarray(barred, dtype=bool)
    if price.shape != (n,) or free.shape != (n,) or not np.isfinite(price).all():
        raise InputError(
            f"`cost` and `barred` must have one value a candidate: ({n},), costs finite. Got "
            f"{price.shape} and {free.shape}."
        )
    small, group = _merge(matrix.indptr, matrix.indices, rows)
    step = np.where(free, np.unique(price, return_inverse=True)[1].ravel(), n)
    dominated = outdone(small, step.astype(np.int64))
    kept = np.flatnonzero(~dominated & free)
    part = sparse.csc_array(
        (np.ones(small.client.size, np.int8), small.client, small.start),
        shape=(small.back.size - 1, n),
    )[:, kept]
    core, again = _merge(part.indptr, part.indices, part.shape[0])
    place = order_clients(core, None if xy is None else np.asarray(xy, dtype=float)[kept])
    core = _cover(core.start, place[core.client], place.size)
    home = np.append(np.append(place, -1)[np.append(again, -1)], -1)[group]
    scaled = scale_weight(np.where(home >= 0, values, 0.0))
    picks, multiplier = _value(core, add_up(scaled.whole, home, place.size), count)
    return Shortlist(dominated, kept[picks], np.append(multiplier, 1.0)[home])


def _value(core: Cover, weight: np.ndarray, count: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return columns that cover everything, in greedy order, and the clients' multipliers."""
    n = core.start.size - 1
    if n == 0:
        return np.empty(0, dtype=np.int64), np.ones(weight.size)
    picks = lazy_greedy(core, np.maximum(weight, 1), n)
    gain, seen = np.zeros(n, dtype=np.int64), np.zeros(weight.size, dtype=bool)
    alone = np.zeros(n, dtype=np.int64)
    for k, j in enumerate(picks):
        mine = core.client[core.start[j] : core.start[j + 1]]
        gain[k], alone[k] = weight[mine[~seen[mine]]].sum(), np.count_nonzero(~seen[mine])
        seen[mine] = True
        if alone[k] == 0:
            break
    picks = picks[: int(np.flatnonzero(np.append(alone, 0) == 0)[0])]
    running = np.cumsum(gain[: picks.size])
    most = count or int(np.searchsorted(running, running[-1] / 2)) + 1
    limits = Limits(most, np.ones(n), float(most), np.zeros(n + 1, np.int64), np.empty(0, np.int64))
    first = picks[:most]
    found = relax(
        core, weight, limits, target=covered_weight(core, weight, first), chosen=first,
        iterations=_ITERATIONS,
    )  # fmt: skip
    return picks, np.clip(found.multiplier, 0.0, 1.0)


def _merge(start: np.ndarray, client: np.ndarray, clients: int) -> tuple[Cover, np.ndarray]:
    """Merge clients that the same candidates cover; return the cover and each client's group."""
    start, client, group = merge_clients(start.astype(np.int64), client.astype(np.int32), clients)
    return _cover(start, client, int(group.max(initial=-1)) + 1), group


def _cover(start: np.ndarray, client: np.ndarray, clients: int) -> Cover:
    pattern = sparse.csc_array(
        (np.ones(client.size, np.int8), client, start), shape=(clients, start.size - 1)
    )
    pattern.sort_indices()
    return as_cover(pattern)


def bound_with(
    weight: np.ndarray, multiplier: np.ndarray, price: np.ndarray, some: np.ndarray, count: int
) -> float:
    """Return what no choice of `count` candidates covers more than if it holds one of `some`.

    Parameters
    ----------
    weight, multiplier
        Shape (demand,): weights w_i >= 0, and any 0 <= s_i <= 1.
    price
        Shape (candidates,), of all candidates: Σ_i a_ij w_i s_i.
    some
        Shape (candidates,), bool.

    Returns
    -------
    float
        Infinitely little where there are none of `some`.

    Notes
    -----
    A choice J covers at most Σ_i w_i (1 - s_i) + Σ_{j in J} Σ_i a_ij w_i s_i whatever s (Galvão &
    ReVelle 1996, "A Lagrangean heuristic for the maximal covering location problem"); with one of
    `some` in J, the dearest of them and the `count` - 1 dearest others.

    Examples
    --------
    >>> bound_with(np.array([3.0, 2, 4]), np.ones(3), np.array([3.0, 5, 4]),
    ...     np.array([True, False, False]), 1) > 3.0 - 1e-12
    True
    """
    if not some.any():
        return -math.inf
    best = int(np.argmax(np.where(some, price, -np.inf)))
    others = np.sort(np.delete(price, best))[::-1][: count - 1]
    total = math.fsum(weight * (1.0 - multiplier)) + float(price[best]) + math.fsum(others)
    return total + _ROUNDING * math.fsum(weight)
