"""Zero-half cuts of a covering problem, and the bound that their multipliers prove."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.locate.covering.sums import collect, collect_whole

if TYPE_CHECKING:
    from planner.locate.covering.order import Runs
    from planner.locate.problem import Cover

WIDE = 5  # clients that a cut holds at most
_FINEST, _WIDEST = 20, 60


class Sets(NamedTuple):
    """Odd sets of clients whose cuts carry a multiplier: what outlives a change of the problem.

    Attributes
    ----------
    member, size
        Set c holds the clients ``member[c, : size[c]]``, sorted; the rest is the number of clients.
    value
        float64: the multiplier, in weight.
    served
        float64 of each client, 0..1: how far the relaxation with cuts counts it.
    """

    member: np.ndarray
    size: np.ndarray
    value: np.ndarray
    served: np.ndarray


class Cuts(NamedTuple):
    """Some cuts; a plain tuple so that numba takes it.

    Attributes
    ----------
    member, size
        Cut c holds the clients ``member[c, : size[c]]``, sorted.
    right
        Its right-hand side, (size - 1) / 2.
    scale
        Least weight among its clients: a multiplier of 1 is worth this.
    start, candidate, factor
        ⌈half of its clients⌉ that each candidate covers, where there are any.
    """

    member: np.ndarray
    size: np.ndarray
    right: np.ndarray
    scale: np.ndarray
    start: np.ndarray
    candidate: np.ndarray
    factor: np.ndarray


def no_sets(served: np.ndarray) -> Sets:
    """Return no sets, for clients that are counted so far."""
    none = np.empty(0, dtype=np.int64)
    return Sets(none.reshape(0, WIDE), none, np.empty(0), served)


def make_cuts(cover: Cover, weight: np.ndarray, member: np.ndarray, size: np.ndarray) -> Cuts:
    """Write the cuts of some odd sets of clients."""
    start, candidate, factor = _coefficients(cover, member, size)
    scale = np.append(weight, np.inf)[member].min(axis=1)
    return Cuts(member, size, (size - 1) / 2.0, scale, start, candidate, factor)


def carry(sets: Sets, weight: np.ndarray, group: np.ndarray, groups: int) -> Sets:
    """Bring sets to the merged clients of a smaller problem; a set that stays odd remains one.

    Parameters
    ----------
    sets
        Of the larger problem.
    weight
        Of the larger problem's clients.
    group
        The new number of each client, -1 where it is settled.
    groups
        How many there are.
    """
    place = np.append(np.where(group < 0, groups, group), groups)
    own = np.arange(WIDE) < sets.size[:, None]
    member = np.sort(place[np.where(own, sets.member, group.size)], axis=1)
    size = (member < groups).sum(axis=1)
    twice = ((member[:, 1:] == member[:, :-1]) & (member[:, 1:] < groups)).any(axis=1)
    good = (size % 2 == 1) & (size > 1) & ~twice
    inside = group >= 0
    mass = np.bincount(group[inside], weights=weight[inside], minlength=groups)
    before = np.ones(group.size)  # what has just been added counts as served
    before[: sets.served.size] = sets.served
    counted = np.bincount(group[inside], weights=(weight * before)[inside], minlength=groups)
    served = np.minimum(1.0, counted / np.maximum(mass, 1e-300))
    return Sets(member[good], size[good], sets.value[good], served)


def certify(  # noqa: PLR0917
    runs: Runs, cuts: Cuts, weight: np.ndarray, s: np.ndarray, t: np.ndarray, most: int
) -> tuple[int, np.ndarray]:
    """Bound at some multipliers, in integers, and each candidate's price."""
    value = np.maximum(t, 0.0) * cuts.scale
    # no price is above all weight and all cuts' coefficients together
    largest = float(weight.sum()) + (WIDE // 2 + 1) * float(value.sum())
    fraction = 1 << max(0, min(_FINEST, _WIDEST - math.ceil(math.log2(max(2.0, largest)))))
    whole = weight * fraction
    cut = np.floor(value * fraction).astype(np.int64)
    charged = np.zeros(weight.size, dtype=np.int64)
    _charge(cuts, cut, charged)
    client = np.floor(np.maximum(s, 0.0) * weight * fraction).astype(np.int64)
    client = np.minimum(client, np.maximum(0, whole - charged))
    base = int((cut * ((cuts.size - 1) // 2)).sum())
    base += int(np.maximum(0, whole - client - charged).sum())
    price = np.empty(runs.start.size - 1, dtype=np.int64)
    collect_whole(runs, client, price)
    _add_prices(cuts, cut, price)
    top = np.partition(price, price.size - most)[price.size - most :]
    return (base + sum(int(v) for v in top)) // fraction, price / fraction


@compiled
def upper(  # noqa: PLR0917
    runs: Runs, cuts: Cuts, weight: np.ndarray, s: np.ndarray, t: np.ndarray, most: int
) -> float:
    """Bound at some multipliers, in floating point."""
    charged, price = np.zeros(weight.size), np.empty(runs.start.size - 1)
    value = t * cuts.scale
    _charge(cuts, value, charged)
    total = (value * cuts.right).sum()
    client = np.empty(weight.size)
    for i in range(weight.size):
        client[i] = min(weight[i] * s[i], max(0.0, weight[i] - charged[i]))
        total += max(0.0, weight[i] - client[i] - charged[i])
    collect(runs, client, price)
    _add_prices(cuts, value, price)
    ordered = np.partition(price, price.size - most)
    for j in range(price.size - most, price.size):
        total += ordered[j]
    return total


@compiled
def _coefficients(
    cover: Cover, member: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tally = np.zeros(cover.start.size - 1, np.int64)
    total = 0
    for c in range(size.size):
        for k in range(size[c]):
            total += cover.back[member[c, k] + 1] - cover.back[member[c, k]]
    start = np.zeros(size.size + 1, np.int64)
    candidate = np.empty(total, np.int32)
    factor = np.empty(total, np.int64)
    at = 0
    for c in range(size.size):
        for k in range(size[c]):
            for q in range(cover.back[member[c, k]], cover.back[member[c, k] + 1]):
                tally[cover.candidate[q]] += 1
        for k in range(size[c]):
            for q in range(cover.back[member[c, k]], cover.back[member[c, k] + 1]):
                j = cover.candidate[q]
                if tally[j] > 0:
                    candidate[at] = j
                    factor[at] = (tally[j] + 1) // 2
                    at += 1
                    tally[j] = 0
        start[c + 1] = at
    return start, candidate[:at].copy(), factor[:at].copy()


@compiled
def _charge(cuts: Cuts, value: np.ndarray, out: np.ndarray) -> None:
    """Add each cut's value to its clients."""
    for c in range(cuts.size.size):
        if value[c] != 0:
            for k in range(cuts.size[c]):
                out[cuts.member[c, k]] += value[c]


@compiled
def _add_prices(cuts: Cuts, value: np.ndarray, price: np.ndarray) -> None:
    """Add each cut's value to its candidates, as often as its coefficient says."""
    for c in range(cuts.size.size):
        if value[c] != 0:
            for k in range(cuts.start[c], cuts.start[c + 1]):
                price[cuts.candidate[k]] += value[c] * cuts.factor[k]
