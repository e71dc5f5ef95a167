"""`make_stays`: where and when riders stay, from GPS fixes or from orders."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Literal, TypeGuard

import numpy as np

from planner.activity.engine import Rule
from planner.activity.feed import FixFeed
from planner.activity.frames import metric_crs_of, place_stays, search
from planner.activity.homes import find_home_stays
from planner.activity.orders import orders_to_stays
from planner.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd

_LOG = logging.getLogger(__name__)

Method = Literal["robust", "li2008"]


def make_stays(
    fixes_or_orders: gpd.GeoDataFrame | FixFeed,
    *,
    radius_m: float = 100.0,
    min_stay_min: float = 5.0,
    max_stay_min: float = 240.0,
    method: Method = "robust",
    exclude_homes: bool = True,
    master: str | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Find where and when riders stayed.

    Parameters
    ----------
    fixes_or_orders
        A `fixes` table (`rider_id`, `worker_type`, `time` tz-aware, points) or an `orders` table
        (told by its `pickup` column: `pickup_time`, `dropoff_time`, `pickup`, points), in a metric
        CRS; or a feed of fixes (`planner.load.scan_activity`), which is read as a stream. The order
        of rows does not matter.
    radius_m
        Radius of a stay in metres.
    min_stay_min
        Shortest stay in minutes, applied last: asking for 5 gives exactly those of asking for 3
        that last 5 or more (``robust``, from 3 minutes up). Orders are not filtered by duration.
    max_stay_min
        Longest stay in minutes; longer ones are depots (a guess), left out and counted.
    method
        ``robust`` or ``li2008``, see Notes.
    exclude_homes
        Leave out and count stays at riders' homes: where one of them spends 3 hours of the night
        (22:00–06:00) or more, all his stays within 150 m (guesses).
    master
        Of the Spark cluster that reads and searches a feed, e.g. ``local[*]``; this process does if
        None. The result is the same.
    on_step
        Called with (fixes done, fixes in all, 0 if that is not known).

    Returns
    -------
    geopandas.GeoDataFrame
        One row a stay, sorted by rider and time: `rider_id`, `worker_type`, `arrive`, `leave` (in
        the zone of the input), `stay_min`, `geometry` (the centre), index `stay_id`.
        ``attrs["activity"]`` counts what became of the input: ``{fixes, used, dropped{reason: n},
        stays, excluded_home, excluded_long, riders, workers_by_type{type: riders}, first_day,
        last_day, days, fixes_per_hour{day: 24 numbers}, workers_basis}`` with
        ``used + sum(dropped) = fixes``. `workers_basis` is ``riders``, or ``orders`` where orders
        without a rider each count as one person. A rider's worker type is the one that most of the
        fixes name. Of a feed, ``attrs["input"]`` counts the rows that were no usable fixes.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, holds no row, or its times have no time zone; the feed
        cannot be read or holds no usable row.
    SettingsError
        A setting is out of its range.

    Notes
    -----
    ``li2008`` is the stay point of Li, Zheng, Xie, Chen, Liu and Ma (2008), *Mining user similarity
    based on location history*, ACM GIS: from an anchor fix on, all fixes within `radius_m` of it
    are one stay if they last `min_stay_min`; here a silence of over 25 min ends it.

    ``robust`` forgives what GPS does among buildings. The centre follows with weight 1/min(n, 20);
    the radius suits the device: 3.5 times the mean distance of its fixes, but 0.8 to 1.2 times
    `radius_m`; up to 5 fixes in a row or 300 s may lie outside; the final centre is the median of
    up to 64 fixes; the ends are cut back to max(0.3 radius, 2.6 × median distance) so that the ride
    in and out does not count; what lies 0.85 radius further on in its last third than in its first
    is a slow ride and no stay; stays of one rider within 0.8 radius and 25 min of each other are
    one. All this works on pieces of at least 3 min (or `min_stay_min` if that is shorter).

    Fixes are kept to the millisecond and the centimetre, from 2000 to 2069. Cleaning drops and
    counts: ``duplicate`` (same rider, time and place), ``conflicting`` (same rider and time,
    another place; the smaller coordinates stay), ``jump`` (farther than 50 m/s · dt + 30 m from the
    last good fix, at most 3 in a row), ``spike`` (over 100 m from both neighbours, which lie within
    half that way of each other), ``stuck`` (five fixes or more at one place to the centimetre, then
    an impossible jump; the first stays) and ``teleport`` (an impossible jump away, and within
    10 min another one back).

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> time = pd.date_range("2026-03-02 12:00", periods=13, freq="60s", tz="Asia/Shanghai")
    >>> fixes = gpd.GeoDataFrame(
    ...     {"rider_id": "a", "worker_type": "food", "time": time},
    ...     geometry=gpd.points_from_xy([0, 900] + [2000] * 9 + [2900, 3800], [0] * 13),
    ...     crs="EPSG:32650",
    ... )
    >>> make_stays(fixes)[["arrive", "stay_min"]]
                               arrive  stay_min
    stay_id
    0       2026-03-02 12:02:00+08:00       8.0
    """
    started = perf_counter()
    _check_settings(radius_m, min_stay_min, max_stay_min, method)
    if _are_orders(fixes_or_orders):
        stays = orders_to_stays(fixes_or_orders)
    else:
        rule = Rule(method, float(radius_m), 60.0 * min_stay_min)
        found = search(fixes_or_orders, rule, master=master, on_step=on_step)
        found = _leave_out(found, max_stay_min, homes=exclude_homes)
        stays = place_stays(found, metric_crs_of(fixes_or_orders))
    note = stays.attrs["activity"]
    seconds = perf_counter() - started
    _LOG.info("stays: %d fixes in, %d stays out, %.2f s", note["fixes"], note["stays"], seconds)
    return stays


def _are_orders(table: gpd.GeoDataFrame | FixFeed) -> TypeGuard[gpd.GeoDataFrame]:
    return not isinstance(table, FixFeed) and bool({"pickup", "pickup_time"} & set(table.columns))


def _check_settings(radius_m: float, min_stay_min: float, max_stay_min: float, method: str) -> None:
    for name, value in (("radius_m", radius_m), ("min_stay_min", min_stay_min)):
        if not value > 0:
            raise SettingsError(f"The `{name}` setting must be greater than 0. Got {value}.")
    if not max_stay_min >= min_stay_min:
        raise SettingsError(
            f"The `max_stay_min` setting must not be below `min_stay_min`, {min_stay_min}. "
            f"Got {max_stay_min}."
        )
    if method not in {"robust", "li2008"}:
        raise SettingsError(f"The `method` setting must be `robust` or `li2008`. Got {method!r}.")


def _leave_out(found: pd.DataFrame, max_stay_min: float, *, homes: bool) -> pd.DataFrame:
    """Return stays without those at home and those that are too long, which are counted."""
    home = find_home_stays(found) if homes else np.zeros(len(found), dtype=bool)
    long = ~home & (found["stay_min"] > max_stay_min).to_numpy()
    stays = found[~home & ~long]
    stays.attrs["activity"] |= {
        "stays": len(stays),
        "excluded_home": int(home.sum()),
        "excluded_long": int(long.sum()),
    }
    return stays
