"""The privacy gate: neighbours join until enough distinct workers stand behind each group.

One rule serves twice: cells join until a group has k workers, and published points join into the
blocks that shares by daypart and worker type are read from (`shares.py`).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.demand.hexagons import halves, steps_within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_STRETCH = 2.0  # members lie at most this many reaches from where their group stands


class Crowd(NamedTuple):
    """Who was at a place, by category; changed in place while places join."""

    workers: list[set[int]]
    visits: np.ndarray  # weight by category

    def join(self, other: Crowd) -> None:
        """Take in another crowd: sets unite, so a worker seen at both counts once."""
        for mine, theirs in zip(self.workers, other.workers, strict=True):
            mine.update(theirs)
        np.add(self.visits, other.visits, out=self.visits)


def join_neighbours(
    row: np.ndarray,
    col: np.ndarray,
    crowds: Sequence[Crowd],
    strength: Callable[[Crowd], int],
    *,
    enough: int,
    reach_m: float,
    cell_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Join places into groups until the strength of each is enough.

    Parameters
    ----------
    row, col
        Shape (n,), hexagon of each place; no two alike.
    crowds
        Who was at each place. They are used up: afterwards those of the anchors are the groups'.
    strength
        The number that must reach `enough`, e.g. the distinct workers.
    enough
        The threshold k.
    reach_m
        How far apart two groups may stand that join, metres between hexagon centres.
    cell_m
        Hexagon width in metres.

    Returns
    -------
    anchor
        Shape (n,), int64: position of the place at which the group of each place stands.
    weak
        Shape (n,), bool: the group stayed under the threshold because nobody was left in reach.

    Notes
    -----
    The weakest group (ties: lowest row, then column) joins the nearest group in reach, again and
    again. The group stands where its stronger half stood, and no member may lie farther than twice
    the reach from there.

    Which pair joins next never depends on the threshold; the threshold only says when to stop. So a
    higher one gives groups that are unions of those a lower one gives, and the difference of two
    publications is again made of groups that each passed the lower threshold.
    """
    spot = list(zip(row.tolist(), halves(row, col).tolist(), strict=True))
    places = _Places(
        spot=spot,
        at={there: i for i, there in enumerate(spot)},
        members=[[i] for i in range(len(spot))],
        crowds=crowds,
        strength=strength,
        power=[strength(crowd) for crowd in crowds],
        steps=steps_within(reach_m, cell_m),
        limit=4.0 * (_STRETCH * reach_m / cell_m) ** 2 * (1.0 + 1e-9),
    )
    queue = [(places.power[i], places.spot[i], i, 0) for i in range(len(row))]
    heapq.heapify(queue)
    turn = [0] * len(row)  # counts up whenever a group changes
    weak = np.zeros(len(row), dtype=bool)
    while queue and queue[0][0] < enough:
        _, _, i, when = heapq.heappop(queue)
        if when != turn[i]:
            continue  # an entry from before the group changed
        other = places.nearest(i)
        if other < 0:
            places.leave(i)
            weak[places.members[i]] = True
            continue
        stays, goes = places.join(i, other)
        turn[stays] += 1
        turn[goes] += 1
        heapq.heappush(queue, (places.power[stays], places.spot[stays], stays, turn[stays]))
    anchor = np.arange(len(row))
    for i, members in enumerate(places.members):
        anchor[members] = i
    return anchor, weak


@dataclass
class _Places:
    """The groups as they are now; a group goes by the number of the place where it stands."""

    spot: list[tuple[int, int]]  # row and halves
    at: dict[tuple[int, int], int]  # which group stands there
    members: list[list[int]]
    crowds: Sequence[Crowd]
    strength: Callable[[Crowd], int]
    power: list[int]
    steps: list[tuple[int, int]]
    limit: float  # of (Δhalves² + 3 Δrow²) between a member and where its group stands

    def pair(self, i: int, j: int) -> tuple[int, int]:
        """Return where i and j would stand together and which of them would go there."""
        first = (-self.power[i], self.spot[i]) < (-self.power[j], self.spot[j])
        return (i, j) if first else (j, i)

    def nearest(self, i: int) -> int:
        """Return the nearest group that i can join, or -1; ties by row, then column."""
        row, half = self.spot[i]
        for dr, dh in self.steps:
            j = self.at.get((row + dr, half + dh))
            if j is not None and self._holds_together(*self.pair(i, j)):
                return j
        return -1

    def _holds_together(self, stays: int, goes: int) -> bool:
        row, half = self.spot[stays]
        return all(
            (self.spot[m][1] - half) ** 2 + 3 * (self.spot[m][0] - row) ** 2 <= self.limit
            for m in self.members[goes]
        )

    def join(self, i: int, j: int) -> tuple[int, int]:
        """Make one group of two; return where it stands and which group is gone."""
        stays, goes = self.pair(i, j)
        self.crowds[stays].join(self.crowds[goes])
        self.members[stays] += self.members[goes]
        self.members[goes] = []
        self.power[stays] = self.strength(self.crowds[stays])
        self.leave(goes)
        return stays, goes

    def leave(self, i: int) -> None:
        """Take a group off the ground: nobody can join it any more."""
        del self.at[self.spot[i]]
