"""Whose bed it is: long night stays are homes, and no one's demand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

_NIGHT_FROM, _NIGHT_TO = 22.0, 6.0  # local clock
_NIGHT_H = 3.0  # of the night at one place: who works then moves about (guess)
_HOME_M = 150.0  # other stays of the same rider this near are at home as well (guess)


def find_home_stays(stays: pd.DataFrame) -> np.ndarray:
    """Tell which stays are at riders' homes; shape (n,) bool.

    A home is where a rider spends three hours or more between 22:00 and 06:00; it claims all stays
    of that rider within 150 m, by day as well (guesses).

    Parameters
    ----------
    stays
        `rider_id`, `arrive` and `leave` (tz-aware), `stay_min`, `x` and `y` in metres.
    """
    home = np.zeros(len(stays), dtype=bool)
    long = np.flatnonzero((stays["stay_min"] >= 60.0 * _NIGHT_H).to_numpy())
    night = long[_night_hours(stays.iloc[long]) >= _NIGHT_H]
    if not len(night):
        return home
    rider, _ = pd.factorize(stays["rider_id"])
    theirs = np.flatnonzero(np.isin(rider, rider[night]))
    # Riders stand kilometres apart in a third dimension, so that nobody has a neighbour's home.
    x, y = (stays[c].to_numpy()[theirs] for c in ("x", "y"))
    place = np.column_stack([x, y, rider[theirs] * 4.0 * _HOME_M])
    beds = cKDTree(place[np.isin(theirs, night)])
    home[theirs] = np.isfinite(beds.query(place, distance_upper_bound=_HOME_M)[0])
    return home


def _night_hours(stays: pd.DataFrame) -> np.ndarray:
    """Return the hours of each stay that lie in the night."""
    arrive = stays["arrive"].dt.tz_localize(None)
    midnight = arrive.dt.normalize()
    start = (arrive - midnight).dt.total_seconds().to_numpy() / 3600.0
    end = start + stays["stay_min"].to_numpy() / 60.0
    total = np.zeros(len(stays))
    for day in range(-1, int(end.max(initial=0.0) // 24) + 1):
        low, high = 24.0 * day + _NIGHT_FROM, 24.0 * (day + 1) + _NIGHT_TO
        total += np.clip(np.minimum(end, high) - np.maximum(start, low), 0.0, None)
    return total
