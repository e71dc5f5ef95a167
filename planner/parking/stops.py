"""Short stops: where riders leave the bike at a door, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd

# Stops are told apart no finer than this: finer than GPS, coarse enough to merge repeats.
_PLACE_M = 5.0


class Stops(NamedTuple):
    """Short stops and the places where they happen; arrays, in an order that rows cannot change.

    Attributes
    ----------
    place, rider, hour
        Shape (n,), one a stop: row of `xy`, number of the rider, hour of arrival 0..23.
    stay_min
        Shape (n,), minutes.
    xy
        Shape (m, 2), metres in the CRS asked for: places, rounded to 5 m.
    days
        Local dates on which any stay began: what "a day" is averaged over.
    """

    place: np.ndarray
    rider: np.ndarray
    hour: np.ndarray
    stay_min: np.ndarray
    xy: np.ndarray
    days: int

    @property
    def weight(self) -> np.ndarray:
        """Number of stops at each place, shape (m,)."""
        return np.bincount(self.place, minlength=len(self.xy))


_NOBODY = np.empty(0, dtype=np.int64)
NO_STOPS = Stops(_NOBODY, _NOBODY, _NOBODY, np.empty(0), np.empty((0, 2)), 0)


def find_stops(
    stays: gpd.GeoDataFrame, crs: object, *, min_stop_min: float, max_stop_min: float
) -> Stops:
    """Pick the short stops out of all stays.

    Parameters
    ----------
    stays
        ``TABLES["stays"]``; times on the local clock.
    crs
        The metric CRS of the places.
    min_stop_min, max_stop_min
        Bounds of `stay_min`, both included.
    """
    duration = stays["stay_min"].to_numpy(dtype=float)
    short = stays[(duration >= min_stop_min) & (duration <= max_stop_min)]
    points = short.geometry.to_crs(crs)
    rounded = np.round(np.column_stack([points.x, points.y]) / _PLACE_M) * _PLACE_M
    xy, place = np.unique(rounded.reshape(-1, 2), axis=0, return_inverse=True)
    place = place.reshape(-1)
    _, rider = np.unique(short["rider_id"].astype(str).to_numpy(dtype=str), return_inverse=True)
    minute = short["arrive"].dt.hour.to_numpy() * 60 + short["arrive"].dt.minute.to_numpy()
    stay_min = short["stay_min"].to_numpy(dtype=float)
    order = np.lexsort((stay_min, minute, rider, place))
    return Stops(
        place[order],
        rider[order],
        minute[order] // 60,
        stay_min[order],
        xy,
        int(stays["arrive"].dt.date.nunique()),
    )
