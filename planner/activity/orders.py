"""Stays that orders imply: a wait at the merchant and a handover at the customer."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.activity.frames import point_xy
from planner.errors import ColumnError, CrsError, InputError, nearest_name
from planner.geo import require_metric

PICKUP_WAIT_MIN = 5.0  # guess
HANDOVER_MIN = 3.0  # guess

_NEEDED = ("rider_id", "worker_type", "pickup_time", "dropoff_time", "pickup", "geometry")


def orders_to_stays(orders: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make two stays of each order: one where it was fetched, one where it was brought.

    The wait ends at `pickup_time` and lasts 5 minutes, less if a column `accept_time` says that the
    order was accepted later than that; the handover begins at `dropoff_time` and lasts 3 minutes.
    Both lengths are guesses. A missing time is taken from the order's other end. An end without a
    place is dropped as ``no_position``, an order without any time as ``no_time``. An order without
    `rider_id` counts as a person of its own, ``order:<index>``.

    Parameters
    ----------
    orders
        `orders` table in a metric CRS.

    Returns
    -------
    geopandas.GeoDataFrame
        `stays`, sorted by rider and time; ``attrs["activity"]["fixes"]`` counts order ends, two an
        order.

    Raises
    ------
    ColumnError, CrsError, InputError
        Columns are missing, the CRS is in degrees, or times have no zone.
    """
    _check(orders)
    rider, nameless = _riders(orders)
    pickup_time, dropoff_time = _times(orders, "pickup_time"), _times(orders, "dropoff_time")
    fetched = pickup_time.fillna(dropoff_time)
    brought = dropoff_time.fillna(pickup_time)
    wait_from = fetched - pd.Timedelta(minutes=PICKUP_WAIT_MIN)
    if "accept_time" in orders.columns:
        accept = _times(orders, "accept_time")
        accept = accept.where(~(accept > fetched), fetched)
        wait_from = wait_from.where(~(accept > wait_from), accept)
    zone = orders["pickup_time"].dt.tz
    kind = orders["worker_type"].astype(str)
    handed = brought + pd.Timedelta(minutes=HANDOVER_MIN)
    ends = pd.concat(
        [
            _ends(rider, kind, wait_from, fetched, _pickup_xy(orders), end=0),
            _ends(
                rider, kind, brought, handed, point_xy(orders.geometry.to_numpy(), "orders"), end=1
            ),
        ],
        ignore_index=True,
    )
    timeless, placeless = ends["arrive"].isna(), ends["x"].isna()
    kept = ends[~timeless & ~placeless].sort_values(
        ["rider_id", "arrive", "leave", "end", "x", "y", "worker_type"], ignore_index=True
    )
    stays = _as_stays(kept, orders, zone)
    dropped = {"no_time": int(timeless.sum()), "no_position": int((placeless & ~timeless).sum())}
    stays.attrs["activity"] = _account(stays, len(ends), dropped, nameless=nameless)
    return stays


def _check(orders: gpd.GeoDataFrame) -> None:
    missing = [name for name in _NEEDED if name not in orders.columns]
    if missing:
        known = [str(name) for name in orders.columns]
        hints = "".join(nearest_name(name, known) for name in missing)
        raise ColumnError(
            f"`orders` lacks {', '.join(f'`{n}`' for n in missing)}. "
            f"It has {', '.join(f'`{n}`' for n in known)}.{hints}"
        )
    require_metric(orders, "orders")
    if orders.empty:
        raise InputError("`orders` holds no rows. Look for what the loader has dropped.")
    if not orders.index.is_unique:
        raise InputError("`orders`: its index is not unique. Use `.reset_index(drop=True)`.")
    for column in ("pickup_time", "dropoff_time", "accept_time"):
        if column in orders.columns and not isinstance(orders[column].dtype, pd.DatetimeTZDtype):
            raise InputError(
                f"the times must carry a time zone. Got {orders[column].dtype}. "
                "Use `.dt.tz_localize('Asia/Shanghai')`.",
                column=column,
            )


def _riders(orders: gpd.GeoDataFrame) -> tuple[pd.Series, bool]:
    """Return who delivered, and whether orders had to stand for persons."""
    rider = orders["rider_id"].astype(object)
    empty = rider.isna() | (rider.astype(str).str.strip() == "")
    own = pd.Series([f"order:{i}" for i in orders.index], index=orders.index, dtype=object)
    return rider.where(~empty, own).astype(str), bool(empty.any())


def _times(orders: gpd.GeoDataFrame, column: str) -> pd.Series:
    return orders[column].dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")


def _pickup_xy(orders: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    pickup = orders["pickup"]
    crs = getattr(pickup, "crs", None)
    if crs is not None and crs != orders.crs:
        raise CrsError(
            f"the CRS of `pickup` must be that of the table. Got {crs.to_string()}. "
            "Use `orders['pickup'].to_crs(orders.crs)`."
        )
    places = np.array(pickup, dtype=object)
    places[pd.isna(places)] = None
    return point_xy(places, "orders.pickup")


def _ends(
    rider: pd.Series,
    kind: pd.Series,
    arrive: pd.Series,
    leave: pd.Series,
    xy: tuple[np.ndarray, np.ndarray],
    *,
    end: int,
) -> pd.DataFrame:
    table = {"rider_id": rider, "worker_type": kind, "arrive": arrive, "leave": leave, "end": end}
    return pd.DataFrame({**table, "x": xy[0], "y": xy[1]})


def _as_stays(ends: pd.DataFrame, orders: gpd.GeoDataFrame, zone: Any) -> gpd.GeoDataFrame:
    arrive = ends["arrive"].dt.tz_localize("UTC").dt.tz_convert(zone)
    leave = ends["leave"].dt.tz_localize("UTC").dt.tz_convert(zone)
    stays = gpd.GeoDataFrame(
        {
            "rider_id": ends["rider_id"].astype(str),
            "worker_type": ends["worker_type"].astype(str),
            "arrive": arrive,
            "leave": leave,
            "stay_min": (leave - arrive).dt.total_seconds() / 60.0,
        },
        geometry=gpd.points_from_xy(ends["x"], ends["y"]),
        crs=orders.crs,
    )
    stays.index.name = "stay_id"
    return stays


def _account(
    stays: gpd.GeoDataFrame, ends: int, dropped: dict[str, int], *, nameless: bool
) -> dict[str, Any]:
    day = np.unique(stays["arrive"].dt.tz_localize(None).to_numpy("datetime64[D]")).astype(str)
    return {
        "fixes": ends,
        "used": len(stays),
        "dropped": {reason: n for reason, n in dropped.items() if n},
        "stays": len(stays),
        "excluded_long": 0,
        "riders": int(stays["rider_id"].nunique()),
        "first_day": str(day[0]) if len(day) else "",
        "last_day": str(day[-1]) if len(day) else "",
        "days": len(day),
        "workers_basis": "orders" if nameless else "riders",
    }
