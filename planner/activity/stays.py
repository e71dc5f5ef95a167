"""`make_stays`: where and when riders stay, from GPS fixes or from orders."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np

from planner.activity.clean import Track, make_track
from planner.activity.detect import find_plain, find_robust
from planner.activity.orders import orders_to_stays
from planner.errors import InputError, SettingsError
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_LOG = logging.getLogger(__name__)

Method = Literal["robust", "li2008"]

_SEED_MIN = 3.0  # what the robust rule grows from; shorter halts are traffic lights
_BLOCK = 1_000_000  # fixes worked on between two calls of `on_step`


def make_stays(
    fixes_or_orders: gpd.GeoDataFrame,
    *,
    radius_m: float = 100.0,
    min_stay_min: float = 5.0,
    max_stay_min: float = 240.0,
    method: Method = "robust",
    on_step: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Find where and when riders stayed.

    Parameters
    ----------
    fixes_or_orders
        A `fixes` table (`rider_id`, `worker_type`, `time` tz-aware, points) or an `orders` table
        (told by its `pickup` column: `pickup_time`, `dropoff_time`, `pickup`, points), in a metric
        CRS. The order of rows does not matter.
    radius_m
        Radius of a stay in metres.
    min_stay_min
        Shortest stay in minutes, applied last: asking for 5 gives exactly those of asking for 3
        that last 5 or more (``robust``, from 3 minutes up). Orders are not filtered by duration.
    max_stay_min
        Longest stay in minutes; longer ones are homes or depots (a guess), left out and counted.
    method
        ``robust`` or ``li2008``, see Notes.
    on_step
        Called with (fixes done, fixes in all).

    Returns
    -------
    geopandas.GeoDataFrame
        One row a stay, sorted by rider and time: `rider_id`, `worker_type`, `arrive`, `leave` (in
        the zone of the input), `stay_min`, `geometry` (the centre), index `stay_id`.
        ``attrs["activity"]`` counts what became of the input: ``{fixes, used, dropped{reason: n},
        stays, excluded_long, riders, first_day, last_day, days, workers_basis}`` with
        ``used + sum(dropped) = fixes``. `workers_basis` is ``riders``, or ``orders`` where orders
        without a rider each count as one person.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, holds no row, or its times have no time zone.
    SettingsError
        A setting is out of its range.

    Notes
    -----
    ``li2008`` is the stay point of Li, Zheng, Xie, Chen, Liu and Ma (2008), *Mining user similarity
    based on location history*, ACM GIS: from an anchor fix on, all fixes within `radius_m` of it
    are one stay if they last `min_stay_min`; here a silence of over 25 min ends it.

    ``robust`` forgives what GPS does among buildings. The centre follows with weight 1/min(n, 20);
    up to 5 fixes in a row or 300 s may lie outside; the final centre is the median of up to 64
    fixes; the ends are cut back to max(0.3 radius, 2.5 × median distance) so that the ride in and
    out does not count; stays of one rider within 0.8 radius and 25 min of each other are one. All
    this works on pieces of at least 3 min (or `min_stay_min` if that is shorter).

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
    if {"pickup", "pickup_time"} & set(fixes_or_orders.columns):
        stays = orders_to_stays(fixes_or_orders)
    else:
        stays = _fixes_to_stays(
            fixes_or_orders,
            _Rule(method, float(radius_m), 60.0 * min_stay_min, 60.0 * max_stay_min),
            on_step,
        )
    note = stays.attrs["activity"]
    seconds = perf_counter() - started
    _LOG.info("stays: %d fixes in, %d stays out, %.2f s", note["fixes"], note["stays"], seconds)
    return stays


class _Rule(NamedTuple):
    method: str
    radius_m: float
    min_s: float
    max_s: float


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


def _fixes_to_stays(
    fixes: gpd.GeoDataFrame, rule: _Rule, on_step: Callable[[int, int], None] | None
) -> gpd.GeoDataFrame:
    check_table(fixes, "fixes")
    if fixes.empty:
        raise InputError("`fixes` holds no rows. Look for what the loader has dropped.")
    track = make_track(fixes)
    first, last, centre = _find(track, rule, on_step)
    span = track.second[last] - track.second[first]
    short, long = span < rule.min_s, span > rule.max_s
    kept = ~short & ~long
    opens, closes = track.row[first[kept]], track.row[last[kept]]
    arrive, leave = _take(fixes["time"], opens), _take(fixes["time"], closes)
    stays = gpd.GeoDataFrame(
        {
            "rider_id": _take(fixes["rider_id"], opens).astype(str),
            "worker_type": _take(fixes["worker_type"], opens).astype(str),
            "arrive": arrive,
            "leave": leave,
            "stay_min": (leave - arrive).dt.total_seconds() / 60.0,
        },
        geometry=gpd.points_from_xy(*centre[kept].T),
        crs=fixes.crs,
    )
    stays.index.name = "stay_id"
    stays.attrs["activity"] = _account(fixes, track, len(stays), int(long.sum()))
    return stays


def _take(column: pd.Series, rows: np.ndarray) -> pd.Series:
    return column.take(rows).reset_index(drop=True)


def _find(
    track: Track, rule: _Rule, on_step: Callable[[int, int], None] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run the rule over blocks of whole riders; a rider's stays depend on no one else."""
    bounds, total = track.bounds, len(track.row)
    find = find_robust if rule.method == "robust" else find_plain
    least_s = min(rule.min_s, 60.0 * _SEED_MIN) if rule.method == "robust" else rule.min_s
    pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    r = 0
    while r < len(bounds) - 1 and total:
        end = int(np.searchsorted(bounds, bounds[r] + _BLOCK, side="right")) - 1
        end = max(end, r + 1)
        room = (bounds[end] - bounds[r]) // 2 + 1  # every stay has two fixes or more
        first, last = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        centre = np.empty((room, 2))
        block = bounds[r : end + 1]
        n = find(track.second, track.x, track.y, block, rule.radius_m, least_s, first, last, centre)
        pieces.append((first[:n].copy(), last[:n].copy(), centre[:n].copy()))
        r = end
        if on_step:
            on_step(int(bounds[r]), total)
    if not pieces:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty((0, 2))
    first, last, centre = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return first, last, centre


def _account(
    fixes: gpd.GeoDataFrame, track: Track, stays: int, excluded_long: int
) -> dict[str, Any]:
    day = np.unique(fixes["time"].dt.tz_localize(None).to_numpy("datetime64[D]")[track.row]).astype(
        str
    )
    return {
        "fixes": len(fixes),
        "used": len(track.row),
        "dropped": {reason: n for reason, n in track.dropped.items() if n},
        "stays": stays,
        "excluded_long": excluded_long,
        "riders": len(np.unique(track.rider)),
        "first_day": str(day[0]) if len(day) else "",
        "last_day": str(day[-1]) if len(day) else "",
        "days": len(day),
        "workers_basis": "riders",
    }
