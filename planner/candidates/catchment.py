"""The demand that reaches a place on the streets within the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.network import nearest_minutes, reach_pairs, reach_sums, snap_points

if TYPE_CHECKING:
    import geopandas as gpd
    from scipy import sparse

    from planner.network import Places, StreetNetwork


@dataclass(frozen=True, eq=False)
class Catchment:
    """Demand on the streets, and how far it travels to a station.

    Attributes
    ----------
    streets, people
        The network, and the demand points on it, sorted by identifier.
    weight
        Shape (len(people),), rider-visits a day.
    limit_min, snap_m
        As in `make_reach`: who reaches whom here is who reaches whom there.
    """

    streets: StreetNetwork
    people: Places
    weight: np.ndarray
    limit_min: float
    snap_m: float

    def place(self, points: gpd.GeoSeries) -> Places:
        """Return points put on the streets."""
        return snap_points(self.streets, points, max_m=self.snap_m)

    def served(self, places: Places, weight: np.ndarray | None = None) -> np.ndarray:
        """Return the demand (or another weight of it) that reaches each place."""
        value = self.weight if weight is None else weight
        return reach_sums(self.streets, places, self.people, self.limit_min, value)

    def reaches_any(self, places: Places) -> np.ndarray:
        """Tell for each demand point whether it reaches any of the places."""
        if not len(places):
            return np.zeros(len(self.people), dtype=bool)
        minutes, _ = nearest_minutes(self.streets, self.people, places, max_min=self.limit_min)
        return np.isfinite(minutes)

    def cover(self, places: Places) -> sparse.csc_array:
        """Return who reaches which place, demand × places."""
        from scipy import sparse

        pairs = reach_pairs(self.streets, places, self.people, self.limit_min)
        return sparse.csc_array(
            (np.ones(len(pairs.ids), np.int8), pairs.ids.astype(np.int32), pairs.indptr),
            shape=(len(self.people), len(places)),
        )


def make_catchment(
    streets: StreetNetwork, demand: gpd.GeoDataFrame, *, limit_min: float, snap_m: float
) -> Catchment:
    """Put demand on the streets."""
    demand = demand.sort_index()
    people = snap_points(streets, demand.geometry, max_m=snap_m)
    weight = demand["weight_per_day"].to_numpy(float)
    return Catchment(streets, people, weight, limit_min, snap_m)
