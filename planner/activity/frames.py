"""Tables around the engine: fixes that are already in memory go in, stays come out as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from planner.activity.clean import REASONS
from planner.activity.engine import Found, Rule, find_stays, scan_sorted, tabulate
from planner.activity.feed import FixFeed
from planner.activity.ground import make_ground
from planner.activity.intake import QUARTER_MS
from planner.activity.records import EPOCH_MS, LAST_MS, pack_records
from planner.errors import InputError
from planner.tables import Loss, check_table, no_rows_left, record_input

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_POSITION, _NO_TIME = "no_position", "no_time"


def point_xy(points: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates of shapely points, NaN where one is missing, empty or not finite.

    Raises
    ------
    InputError
        Some of the geometries are no points.
    """
    points = np.array(points, dtype=object)
    points[shapely.is_empty(points)] = None  # GEOS refuses their coordinates
    wrong = np.flatnonzero(shapely.get_type_id(points) > 0)
    if len(wrong):
        kind = points[wrong[0]].geom_type
        raise InputError(
            f"`{name}` must hold points. Got {len(wrong)} other geometries, the first a {kind} at "
            f"position {wrong[0]}. Use `.representative_point()` where an area stands for a place."
        )
    x, y = shapely.get_x(points), shapely.get_y(points)
    bad = ~(np.isfinite(x) & np.isfinite(y))
    x[bad], y[bad] = np.nan, np.nan
    return x, y


def search(
    fixes: gpd.GeoDataFrame | FixFeed,
    rule: Rule,
    *,
    master: str | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Find what a rule asks for in a table of fixes or in a feed.

    Parameters
    ----------
    fixes
        Table or feed.
    rule
        What to look for.
    master
        Of the Spark cluster that searches a feed; this process does if None.
    on_step
        Called with (fixes done, fixes in all or 0).

    Returns
    -------
    pandas.DataFrame
        The columns of `stays` with `x` and `y` for the geometry (`place_stays`), sorted by rider
        and time; ``attrs["activity"]`` as in `make_stays`, and of a feed ``attrs["input"]``.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared or empty, the feed cannot be read, or none of its rows can
        be used.
    """
    if not isinstance(fixes, FixFeed):
        return _search_table(fixes, rule, on_step)
    if master is not None:
        from planner.activity.spark import find_stays_on_spark

        return _frame_feed(*find_stays_on_spark(fixes, rule, master=master, on_step=on_step))
    total = fixes.rows or 0
    step = (lambda done, _: on_step(done, total)) if on_step else None
    ground = make_ground(fixes.area, fixes.datum)
    return _frame_feed(find_stays(fixes.read, ground, rule, on_step=step), fixes)


def _frame_feed(found: Found, feed: FixFeed) -> pd.DataFrame:
    """Return what was found in a feed, with its losses."""
    account, columns = found.account, _sorted_columns(found.stays)
    del found
    rows, lost = account["rows"], sum(account["lost"].values())
    losses = [
        Loss(reason, n, feed.place(account["first"][reason]))
        for reason, n in account["lost"].items()
    ]
    _refuse_useless(feed, rows, lost, losses)
    stays = _as_stays(columns, feed.timezone)
    stays.attrs["activity"] = _account({**account, "rows": rows - lost, "lost": {}}, feed.timezone)
    record_input(stays, file=feed.note["file"], rows=rows, losses=losses)
    if feed.note.get("notes"):
        stays.attrs["input"]["notes"] = feed.note["notes"]
    return stays


def _refuse_useless(feed: FixFeed, rows: int, lost: int, losses: list[Loss]) -> None:
    """Raise if nothing can be used, or most rows only with longitude and latitude exchanged."""
    swapped = sum(loss.rows for loss in losses if "swapped" in loss.reason)
    if 2 * swapped > rows:
        raise InputError(
            f"longitude and latitude are swapped: {swapped} of {rows} rows make sense only the "
            "other way round. Exchange `lon` and `lat` in `columns`.",
            file=feed.note["file"],
        )
    if lost == rows:
        raise no_rows_left(rows, losses, file=feed.note["file"])


def metric_crs_of(fixes: gpd.GeoDataFrame | FixFeed) -> Any:
    """Return the CRS that what is found in fixes is in."""
    return fixes.area.crs if isinstance(fixes, FixFeed) else fixes.crs


def place_stays(found: pd.DataFrame, crs: Any) -> gpd.GeoDataFrame:
    """Return what `search` found with points; last of all, for they take the most memory."""
    stays = found.drop(columns=["x", "y"]).reset_index(drop=True).rename_axis("stay_id")
    points = gpd.points_from_xy(found["x"], found["y"], crs=crs)
    return gpd.GeoDataFrame(stays, geometry=points)


def _search_table(
    fixes: gpd.GeoDataFrame, rule: Rule, on_step: Callable[[int, int], None] | None
) -> pd.DataFrame:
    check_table(fixes, "fixes")
    if fixes.empty:
        raise InputError("`fixes` holds no rows. Look for what the loader has dropped.")
    found = _find_in_table(fixes, rule)
    if on_step:
        on_step(len(fixes), len(fixes))
    zone = fixes["time"].dt.tz
    stays = _as_stays(_sorted_columns(found.stays), zone)
    stays.attrs["activity"] = _account(found.account, zone)
    return stays


def _find_in_table(fixes: gpd.GeoDataFrame, rule: Rule) -> Found:
    time = fixes["time"]
    if not isinstance(time.dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"the times must carry a time zone. Got {time.dtype}. "
            "Use `.dt.tz_localize('Asia/Shanghai')`.",
            column="time",
        )
    stamp = time.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ms]")
    ms = stamp.astype(np.int64) - EPOCH_MS
    x, y = point_xy(fixes.geometry.to_numpy(), "fixes")
    placed, timed = ~np.isnan(x), (ms >= 0) & (ms <= LAST_MS)
    good = placed & timed
    rider, names = pd.factorize(fixes["rider_id"].astype(str)[good])
    kind, kinds = pd.factorize(fixes["worker_type"].astype(str)[good], sort=True)
    often = np.zeros((len(names), max(len(kinds), 1)), dtype=np.int64)
    np.add.at(often, (rider, kind), 1)
    of_rider = often.argmax(axis=1).astype(np.int32)
    cm = [np.floor(v[good] * 100.0 + 0.5).astype(np.int64) for v in (x, y)]
    stays, counts = scan_sorted(pack_records(rider, ms[good], *cm), len(names), rule)
    quarters, fixes_in = np.unique(ms[good] // QUARTER_MS, return_counts=True)
    lost = {_NO_POSITION: int((~placed).sum()), _NO_TIME: int((placed & ~timed).sum())}
    account = {
        "rows": len(fixes),
        "lost": lost,
        "used": int(counts[0]),
        "dropped": dict(zip(REASONS[1:], counts[1:].tolist(), strict=True)),
        "riders": len(names),
        "kinds": dict(
            zip(kinds, np.bincount(of_rider, minlength=len(kinds)).tolist(), strict=True)
        ),
        "quarters": dict(zip(quarters.tolist(), fixes_in.tolist(), strict=True)),
    }
    return Found(tabulate(stays, list(names), list(kinds), of_rider), account)


def _sorted_columns(found: pa.Table) -> dict[str, Any]:
    """Return the columns of found stays, sorted by rider and time."""
    rider, names = _codes(found["rider_id"])
    kind, kinds = _codes(found["worker_type"])
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.argsort(names)] = np.arange(len(names))
    order = np.lexsort((found["arrive_ms"].to_numpy(), rank[rider]))
    numbers = ("arrive_ms", "leave_ms", "x", "y")
    return {
        "rider_id": pd.Series(names, dtype=str).take(rider[order]).reset_index(drop=True),
        "worker_type": pd.Series(kinds, dtype=str).take(kind[order]).reset_index(drop=True),
        **{name: found[name].to_numpy()[order] for name in numbers},
    }


def _as_stays(columns: dict[str, Any], zone: Any) -> pd.DataFrame:
    """Return sorted columns as a frame; times move into the zone."""
    arrive, leave = columns.pop("arrive_ms"), columns.pop("leave_ms")
    columns["arrive"], columns["leave"] = (
        pd.Series(ms.astype("datetime64[ms]"))
        .dt.tz_localize("UTC")
        .dt.tz_convert(zone)
        .dt.as_unit("us")
        for ms in (arrive, leave)
    )
    columns["stay_min"] = (leave - arrive) / 60_000.0
    names = ["rider_id", "worker_type", "arrive", "leave", "stay_min", "x", "y"]
    return pd.DataFrame({name: columns.pop(name) for name in names})


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers and the names they stand for."""
    array = column.combine_chunks()
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    names = np.array(array.dictionary.to_pylist(), dtype=object)
    return array.indices.to_numpy(zero_copy_only=False), names


def _account(account: dict[str, Any], zone: Any) -> dict[str, Any]:
    """Return what `make_stays` tells of the fixes, but for the stays themselves."""
    quarter = np.array(list(account["quarters"]), dtype=np.int64)
    number = np.array(list(account["quarters"].values()), dtype=np.int64)
    moment = pd.Series((quarter * QUARTER_MS + EPOCH_MS).astype("datetime64[ms]"))
    local = moment.dt.tz_localize("UTC").dt.tz_convert(zone).dt
    table: dict[str, list[int]] = {}
    for day, hour, n in zip(local.date, local.hour, number.tolist(), strict=True):
        table.setdefault(str(day), [0] * 24)[int(hour)] += n
    days = sorted(table)
    return {
        "fixes": account["rows"],
        "used": account["used"],
        "dropped": {k: n for k, n in {**account["lost"], **account["dropped"]}.items() if n},
        "riders": account["riders"],
        "workers_by_type": {k: n for k, n in account["kinds"].items() if n},
        "first_day": days[0] if days else "",
        "last_day": days[-1] if days else "",
        "days": len(days),
        "fixes_per_hour": {day: table[day] for day in days},
        "workers_basis": "riders",
    }
