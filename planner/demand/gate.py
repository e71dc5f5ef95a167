"""The privacy gate: neighbours join until enough distinct workers stand behind each group.

One rule serves twice: cells join until a group has k workers, and published points join into the
blocks that shares by category are read from (`shares.py`).
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.demand.hexagons import halves, steps_within

_STRETCH = 2.0  # members lie at most this many reaches from where their group stands
_TIE = 1.0 + 1e-9  # sums that should be equal may differ in their last digits


class Crowds(NamedTuple):
    """Who was at each place, by category: shape (n, categories) throughout.

    Attributes
    ----------
    rider
        Rider numbers 0.., each once in its slot; slot = place · categories + category.
    start
        Where the riders of each slot begin, and the end of the last.
    visits
        Weight by place and category.
    """

    rider: np.ndarray
    start: np.ndarray
    visits: np.ndarray


class Groups(NamedTuple):
    """Places that joined; a group goes by the number of the place where it stands.

    Attributes
    ----------
    anchor
        Shape (n,), int64: where the group of each place stands.
    weak
        Shape (n,), bool: the group stayed under the threshold because nobody was left in reach.
    workers, visits
        Shape (n, categories): distinct workers and weight of the groups, in the rows of the places
        where they stand; other rows mean nothing.
    rider, head, follow
        The workers themselves: ``head[place, category]`` is the first entry of `rider`, `follow`
        leads from entry to entry; -1 ends.
    """

    anchor: np.ndarray
    weak: np.ndarray
    workers: np.ndarray
    visits: np.ndarray
    rider: np.ndarray
    head: np.ndarray
    follow: np.ndarray


def join_neighbours(
    row: np.ndarray,
    col: np.ndarray,
    crowds: Crowds,
    *,
    enough: int,
    reach_m: float,
    cell_m: float,
    thin_share: float = 0.0,
) -> Groups:
    """Join places into groups until the strength of each is enough.

    The strength of a group is the highest k that leaves at most `thin_share` of its weight in
    categories of under k distinct workers; with one category simply its distinct workers.

    Parameters
    ----------
    row, col
        Shape (n,), hexagon of each place; no two alike.
    crowds
        Who was at each place.
    enough
        The threshold k.
    reach_m
        How far apart two groups may stand that join, metres between hexagon centres.
    cell_m
        Hexagon width in metres.
    thin_share
        Between 0 and 1.

    Returns
    -------
    Groups
        Every place is in one group.

    Notes
    -----
    The weakest group (ties: lowest row, then column) joins the nearest group in reach, again and
    again. The group stands where its stronger half stood, and no member may lie farther than twice
    the reach from there.

    Which pair joins next never depends on the threshold; the threshold only says when to stop. So a
    higher one gives groups that are unions of those a lower one gives, and the difference of two
    publications is again made of groups that each passed the lower threshold.
    """
    half = halves(row, col)
    order = np.lexsort((half, row))
    steps = np.array(steps_within(reach_m, cell_m), dtype=np.int64).reshape(-1, 2)
    limit = 4.0 * (_STRETCH * reach_m / cell_m) ** 2 * (1.0 + 1e-9)
    categories = crowds.visits.shape[1]
    riders = int(crowds.rider.max(initial=-1)) + 1
    rows = row[order]
    low = int(rows[0]) if len(rows) else 0
    first = np.searchsorted(rows, np.arange(low, (int(rows[-1]) if len(rows) else 0) + 2))
    state = _State(
        row=rows - low,
        half=half[order],
        first=first,
        rider=crowds.rider.astype(np.int32),
        head=np.full((len(row), categories), -1),
        tail=np.full((len(row), categories), -1),
        follow=np.full(len(crowds.rider), -1, dtype=np.int32),
        workers=np.zeros((len(row), categories), dtype=np.int64),
        visits=crowds.visits[order],
        power=np.zeros(len(row), dtype=np.int64),
        up=np.ones(len(row), dtype=np.bool_),
        weak=np.zeros(len(row), dtype=np.bool_),
        group=np.arange(len(row)),
        last=np.arange(len(row)),
        member=np.full(len(row), -1),
        mark=np.zeros(riders, dtype=np.int64),
        turn=np.zeros(1, dtype=np.int64),
    )
    _fill(state, order, crowds.start.astype(np.int64), thin_share)
    _join_all(state, steps, limit, enough, thin_share)
    return _in_order(state, order)


class _State(NamedTuple):
    """Places by row, then column, and the groups as they are now."""

    row: np.ndarray  # from 0
    half: np.ndarray
    first: np.ndarray  # place that each row begins with
    rider: np.ndarray
    head: np.ndarray
    tail: np.ndarray
    follow: np.ndarray
    workers: np.ndarray
    visits: np.ndarray
    power: np.ndarray
    up: np.ndarray  # does a group stand here that may still join?
    weak: np.ndarray
    group: np.ndarray  # of each place
    last: np.ndarray  # member of each group
    member: np.ndarray  # leads from member to member; -1 ends
    mark: np.ndarray  # of each rider: the turn in which it was seen last
    turn: np.ndarray


@compiled
def _fill(s: _State, order: np.ndarray, start: np.ndarray, thin_share: float) -> None:
    """Chain the riders of each slot, and see how strong each place is by itself."""
    categories = s.workers.shape[1]
    for i in range(len(order)):
        for c in range(categories):
            slot = order[i] * categories + c
            a, b = start[slot], start[slot + 1]
            s.workers[i, c] = b - a
            if b > a:
                s.head[i, c] = a
                s.tail[i, c] = b - 1
                for e in range(a, b - 1):
                    s.follow[e] = e + 1
        s.power[i] = _strength(s.workers[i], s.visits[i], thin_share)


@compiled
def _strength(count: np.ndarray, visits: np.ndarray, thin_share: float) -> int:
    """Return the highest k that leaves at most a thin share in categories under k."""
    if len(count) == 1:
        return count[0]
    order = by_size(count)
    total = 0.0
    for weight in visits:
        total += weight
    limit = thin_share * total * _TIE
    below = 0.0
    for c in order:
        below += visits[c]
        if below > limit:
            return count[c]
    return count[order[-1]]


@compiled
def by_size(size: np.ndarray) -> np.ndarray:
    """Return the positions of a few numbers in ascending order, equal ones as they come."""
    order = np.empty(len(size), dtype=np.int64)
    for c in range(len(size)):
        at = c
        while at > 0 and size[order[at - 1]] > size[c]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = c
    return order


@compiled
def _join_all(s: _State, steps: np.ndarray, limit: float, enough: int, thin_share: float) -> None:
    """Let the weakest group join its nearest until all that can are strong enough."""
    n = len(s.row)
    queue = [s.power[i] * n + i for i in range(n) if s.power[i] < enough]
    heapq.heapify(queue)
    while len(queue) > 0:
        power, i = divmod(heapq.heappop(queue), n)
        if not s.up[i] or power != s.power[i]:
            continue  # an entry from before the group changed
        other = _nearest(s, i, steps, limit)
        if other < 0:
            s.up[i] = False
            m = i
            while m >= 0:
                s.weak[m] = True
                m = s.member[m]
            continue
        stays, goes = (i, other) if _first(s, i, other) else (other, i)
        _take_in(s, stays, goes)
        s.power[stays] = _strength(s.workers[stays], s.visits[stays], thin_share)
        if s.power[stays] < enough:
            heapq.heappush(queue, s.power[stays] * n + stays)


@compiled
def _first(s: _State, i: int, j: int) -> bool:
    """Tell whether i and j would stand together where i stands."""
    return s.power[i] > s.power[j] or (s.power[i] == s.power[j] and i < j)


@compiled
def _nearest(s: _State, i: int, steps: np.ndarray, limit: float) -> int:
    """Return the nearest group that i can join, or -1; ties by row, then column."""
    for k in range(len(steps)):
        row, half = s.row[i] + steps[k, 0], s.half[i] + steps[k, 1]
        if row < 0 or row >= len(s.first) - 1:
            continue
        j, end = s.first[row], s.first[row + 1]
        top = end
        while j < top:
            middle = (j + top) // 2
            if s.half[middle] < half:
                j = middle + 1
            else:
                top = middle
        if j == end or s.half[j] != half or not s.up[j]:
            continue
        if _holds_together(s, i, j, limit) if _first(s, i, j) else _holds_together(s, j, i, limit):
            return j
    return -1


@compiled
def _holds_together(s: _State, stays: int, goes: int, limit: float) -> bool:
    """Tell whether all that would move lie near enough."""
    m = goes
    while m >= 0:
        dh, dr = s.half[m] - s.half[stays], s.row[m] - s.row[stays]
        if dh * dh + 3 * dr * dr > limit:
            return False
        m = s.member[m]
    return True


@compiled
def _take_in(s: _State, stays: int, goes: int) -> None:
    """Make one group of two: a worker seen at both counts once."""
    for c in range(s.workers.shape[1]):
        s.visits[stays, c] += s.visits[goes, c]
        s.turn[0] += 1
        e = s.head[stays, c]
        while e >= 0:
            s.mark[s.rider[e]] = s.turn[0]
            e = s.follow[e]
        e = s.head[goes, c]
        while e >= 0:
            if s.mark[s.rider[e]] != s.turn[0]:
                if s.tail[stays, c] < 0:
                    s.head[stays, c] = e
                else:
                    s.follow[s.tail[stays, c]] = e
                s.tail[stays, c] = e
                s.workers[stays, c] += 1
            e = s.follow[e]
        if s.tail[stays, c] >= 0:
            s.follow[s.tail[stays, c]] = -1
    m = goes
    while m >= 0:
        s.group[m] = stays
        m = s.member[m]
    s.member[s.last[stays]] = goes
    s.last[stays] = s.last[goes]
    s.up[goes] = False


def _in_order(s: _State, order: np.ndarray) -> Groups:
    """Return the groups in the order that the places were given in."""
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return Groups(
        anchor=order[s.group[back]],
        weak=s.weak[back],
        workers=s.workers[back],
        visits=s.visits[back],
        rider=s.rider,
        head=s.head[back],
        follow=s.follow,
    )
