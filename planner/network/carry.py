"""Places of one network on another, edited one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.network.grid import find_nearest
from planner.network.snap import Places, place
from planner.network.world import CLOSED

if TYPE_CHECKING:
    from planner.network.streets import StreetNetwork

SAME_M = 0.01  # a centimetre is the same place


def exact_places(streets: StreetNetwork, x: np.ndarray, y: np.ndarray) -> Places:
    """Return the street places at coordinates that lie on a street to the centimetre.

    What lies beside every street is not snapped in the result. No component is preferred.
    """
    return place(streets, find_nearest(streets.grid, x, y, max_m=SAME_M))


def carry_places(places: Places, before: StreetNetwork, after: StreetNetwork) -> Places:
    """Find the same places on an edited network, the access legs as they were.

    Parameters
    ----------
    places
        On `before`.
    before, after
        Two networks of which one is the other edited.

    Returns
    -------
    Places
        On `after`; those whose street is not there are not snapped. Where a new way runs along a
        street at another pace, they stay on the street.
    """
    same = exact_places(after, places.x, places.y)
    ends = np.isin(places.share, (0.0, 1.0)) & np.isin(same.share, (0.0, 1.0))
    doubt = np.flatnonzero(same.snapped & ~ends)
    doubt = doubt[~_same_pace(before, places.chain[doubt], after, same.chain[doubt])]
    every = np.arange(after.n_edges)
    for chain in np.unique(places.chain[doubt]):
        row = doubt[places.chain[doubt] == chain]
        allowed = _same_pace(before, np.full(len(every), chain), after, every)
        here = places.x[row], places.y[row]
        again = place(after, find_nearest(after.grid, *here, max_m=SAME_M, allowed=allowed))
        for name in ("chain", "share", "x", "y"):
            getattr(same, name)[row] = getattr(again, name)
    return replace(same, access_m=np.where(same.snapped, places.access_m, np.inf))


def _same_pace(
    one: StreetNetwork, chain: np.ndarray, other: StreetNetwork, its_chain: np.ndarray
) -> np.ndarray:
    """Tell whether chains of two networks cost the same a metre both ways, but for rounding."""
    length, its_length = one.length_m[chain], other.length_m[its_chain]
    same = np.ones(len(chain), dtype=bool)
    for way in ("forward_ms", "backward_ms"):
        cost = getattr(one, way)[chain].astype(float)
        its_cost = getattr(other, way)[its_chain].astype(float)
        near = np.abs(cost * its_length - its_cost * length) <= length + its_length
        same &= np.where((cost >= CLOSED) | (its_cost >= CLOSED), cost == its_cost, near)
    return same
