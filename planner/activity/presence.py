"""`make_presence`: where riders are, for data that hardly show them standing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.activity.engine import Rule
from planner.activity.frames import metric_crs_of, place_stays, search
from planner.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd

    from planner.activity.feed import FixFeed

ENOUGH_STAYS = 1.0  # a rider and day: with fewer, the data show movement only (guess)


def make_presence(
    fixes: gpd.GeoDataFrame | FixFeed,
    *,
    every_min: float = 5.0,
    master: str | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Sample each rider's position once in every so many minutes, as if it were a stay.

    Recorders that run only while a passenger or a parcel is on board leave no stays. Where riders
    are at regular moments then stands for where they need a station.

    Parameters
    ----------
    fixes
        As in `make_stays`.
    every_min
        Length of a sample in minutes; each is one visit.
    master, on_step
        As in `make_stays`.

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
    >>> import geopandas as gpd, pandas as pd
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
    rule = Rule("presence", 0.0, 60.0 * every_min)
    found = search(fixes, rule, master=master, on_step=on_step)
    return place_stays(found, metric_crs_of(fixes))


def shows_stays(account: Mapping[str, int]) -> bool:
    """Tell from the account of `make_stays` whether the fixes show riders standing at all."""
    rider_days = max(account["riders"], 1) * max(account["days"], 1)
    return account["stays"] >= ENOUGH_STAYS * rider_days
