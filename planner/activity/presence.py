"""`make_presence`: where riders are, for data that hardly show them standing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.activity.clean import make_track
from planner.errors import SettingsError
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Mapping

ENOUGH_STAYS = 1.0  # a rider and day: with fewer, the data show movement only (guess)


def make_presence(fixes: gpd.GeoDataFrame, *, every_min: float = 5.0) -> gpd.GeoDataFrame:
    """Sample each rider's position once in every so many minutes, as if it were a stay.

    Recorders that run only while a passenger or a parcel is on board leave no stays. Where riders
    are at regular moments then stands for where they need a station.

    Parameters
    ----------
    fixes
        As in `make_stays`; metric CRS.
    every_min
        Length of a sample in minutes; each is one visit.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of `make_stays`; `stay_min` is `every_min`, the place that of the first cleaned fix
        in each slot of the clock.

    Raises
    ------
    ColumnError, CrsError, InputError
        As `make_stays`.
    SettingsError
        `every_min` is not positive.

    Examples
    --------
    >>> time = pd.date_range("2026-03-02 12:00", periods=11, freq="60s", tz="Asia/Shanghai")
    >>> fixes = gpd.GeoDataFrame(
    ...     {"rider_id": "a", "worker_type": "food", "time": time},
    ...     geometry=gpd.points_from_xy(range(11), [0] * 11),
    ...     crs="EPSG:32650",
    ... )
    >>> make_presence(fixes).geometry.x.tolist()
    [0.0, 5.0, 10.0]
    """
    if not every_min > 0:
        raise SettingsError(f"The `every_min` setting must be greater than 0. Got {every_min}.")
    check_table(fixes, "fixes")
    track = make_track(fixes)
    time = fixes["time"].dt.tz_convert("UTC").dt.tz_localize(None)
    second = time.to_numpy("datetime64[s]").astype(np.int64)[track.row]
    slot = second // round(60 * every_min)
    fresh = np.ones(len(slot), dtype=bool)
    fresh[1:] = (np.diff(track.rider) != 0) | (np.diff(slot) != 0)
    rows = track.row[fresh]
    taken = fixes[["rider_id", "worker_type", "time"]].take(rows).reset_index(drop=True)
    samples = gpd.GeoDataFrame(
        {
            "rider_id": taken["rider_id"].astype(str),
            "worker_type": taken["worker_type"].astype(str),
            "arrive": taken["time"],
            "leave": taken["time"] + pd.Timedelta(minutes=every_min),
            "stay_min": float(every_min),
        },
        geometry=gpd.points_from_xy(track.x[fresh], track.y[fresh]),
        crs=fixes.crs,
    )
    return samples.rename_axis("stay_id")


def shows_stays(account: Mapping[str, int]) -> bool:
    """Tell from the account of `make_stays` whether the fixes show riders standing at all."""
    rider_days = max(account["riders"], 1) * max(account["days"], 1)
    return account["stays"] >= ENOUGH_STAYS * rider_days
