"""What riders did: fixes, orders, stays or counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.errors import SettingsError, nearest_name
from planner.load.cells import as_text, each_text, to_numbers
from planner.load.points import ACTIVITY_MARGIN_M, Spots, find_spots, no_spots
from planner.load.presets import find_order_ends, unfold
from planner.load.sift import Fault, finish, make_ids, natural_order, sift
from planner.load.source import Source, read_source
from planner.load.times import read_times
from planner.load.words import worker_type
from planner.tables import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from planner.geo import Datum

Kind = Literal["fixes", "orders", "stays", "counts"]

_ORDER_TIMES = ("order_time", "accept_time", "pickup_time", "dropoff_time")  # as they follow


def load_activity(
    path: Path | str,
    *,
    area: gpd.GeoDataFrame | None = None,
    kind: Kind = "fixes",
    datum: Datum = "wgs84",
    columns: Mapping[str, str] | None = None,
    timezone: str = "Asia/Shanghai",
    clock: str | None = None,
) -> gpd.GeoDataFrame:
    """Read what riders did.

    Parameters
    ----------
    path
        A file, a pattern (``activity/*.parquet``) or a folder with all below it; CSV, Excel,
        Parquet, Arrow, GeoJSON, GeoPackage or Shapefile; or a table of a database, see
        `planner.activity.databases.open_table`.
    area
        Districts in a metric CRS: the result is in it, and rows more than 100 m outside are left
        out and counted. An order stays for the end that is inside; its other end is empty.
    kind
        ``fixes``: GPS records, one a row, or trips with a `POLYLINE` (ECML/PKDD 2015).
        ``orders``: a pickup and a dropoff a row, or one of the two, or the ends of such trips;
        parcels (LaDe) and waybills (Meituan 2024) are known. ``stays``: dwell episodes.
        ``counts``: rider-visits a day at places.
    datum
        What the degrees are in.
    columns
        Our name → the file's, where synonyms do not find them; see `planner.load.headers`.
    timezone
        IANA zone of the study, in which the result's times are.
    clock
        IANA zone of times without offset; `timezone` if None.

    Returns
    -------
    The table named by `kind`, its rows in an order that does not depend on the files'. Losses are
    in ``attrs["input"]``; for trips, `rows` counts pings.

    Raises
    ------
    InputError
        A file is missing or damaged, columns are missing (`ColumnError`), longitude and latitude
        are swapped, or no row is usable.
    SettingsError
        `kind` or a time zone is unknown.

    Notes
    -----
    Of orders that give only the time of ordering, that time stands for the pickup, and with the
    minutes that delivery took, for the dropoff; ``attrs["input"]["notes"]`` says so.
    """
    readers = {"fixes": _fixes, "orders": _orders, "stays": _stays, "counts": _counts}
    if kind not in readers:
        raise SettingsError(
            f"`kind` must be one of {', '.join(get_args(Kind))}. Got {kind!r}."
            f"{nearest_name(kind, readers)}"
        )
    source = read_source(path, kind, columns)
    return readers[kind](source, area, datum, (clock or timezone, timezone))


Zones = tuple[str, str]  # clock of naive times, zone of the result


def _fixes(
    source: Source, area: gpd.GeoDataFrame | None, datum: Datum, zones: Zones
) -> gpd.GeoDataFrame:
    source, notes = unfold(source)
    source.require("rider_id", "time")
    spots = find_spots(source, area=area, datum=datum, margin_m=ACTIVITY_MARGIN_M)
    rider = source.text("rider_id")
    time = _times(source, "time", zones)
    faults = [
        source.ragged(),
        *spots.faults,
        Fault("no usable time", time.isna().to_numpy(bool), _show_cell(source, "time")),
        Fault("no rider", (rider == "").to_numpy(bool), source.place),
    ]
    kept, losses = sift(len(source), faults)
    # In the order of riders, then of time: the same whatever the order of the file.
    codes, riders = pd.factorize(rider[kept], sort=True)
    stamp = time[kept].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype(np.int64)
    x, y = spots.x[kept], spots.y[kept]
    order = np.lexsort((y, x, stamp, codes))
    codes, stamp, x, y = codes[order], stamp[order], x[order], y[order]
    twice = np.zeros(len(order), dtype=bool)
    twice[1:] = (
        (np.diff(codes) == 0) & (np.diff(stamp) == 0) & (np.diff(x) == 0) & (np.diff(y) == 0)
    )
    position = np.flatnonzero(kept)[order]
    if twice.any():
        first = int(position[twice].min())
        losses.append(Loss("repeated row", int(twice.sum()), source.place(first)))
    position, once = position[~twice], ~twice
    table = gpd.GeoDataFrame(
        {
            "rider_id": pd.Series(riders.take(codes[once])).astype(str),
            "worker_type": _worker_types(source).take(position).reset_index(drop=True),
            "time": time.take(position).reset_index(drop=True),
        },
        geometry=gpd.points_from_xy(x[once], y[once]),
        crs=spots.crs,
    )
    table.index.name = "fix_id"
    return finish(table, "fixes", source, losses, notes=notes)


def _orders(
    source: Source, area: gpd.GeoDataFrame | None, datum: Datum, zones: Zones
) -> gpd.GeoDataFrame:
    source, said = find_order_ends(source)
    if not any(source.has(c) for c in _ORDER_TIMES):
        source.require("pickup_time")
    pickup, dropoff = _order_spots(source, area, datum)
    times, guesses = _order_times(source, zones)
    pickup_time, dropoff_time = times["pickup_time"], times["dropoff_time"]
    neither = ~dropoff.usable & ~pickup.usable
    untimed = (pickup_time.isna() & dropoff_time.isna()).to_numpy(bool)
    faults = [
        source.ragged(),
        *_named_faults(*_told_end(source, pickup, dropoff), neither),
        Fault("no usable time", untimed, source.place),
        Fault("dropoff before pickup", (dropoff_time < pickup_time).to_numpy(bool), source.place),
    ]
    kept, losses = sift(len(source), faults)
    table = gpd.GeoDataFrame(
        {
            "rider_id": source.text("rider_id")[kept].reset_index(drop=True),
            "worker_type": _worker_types(source)[kept].reset_index(drop=True),
            "pickup_time": pickup_time[kept].reset_index(drop=True),
            "dropoff_time": dropoff_time[kept].reset_index(drop=True),
            "pickup": pickup.points(kept),
            "code": source.text("order_id")[kept].reset_index(drop=True),
            **{c: times[c][kept].reset_index(drop=True) for c in times if c == "accept_time"},
        },
        geometry=dropoff.points(kept).values,
        crs=dropoff.crs,
    )
    halves = [
        *_named_faults("only the pickup kept, dropoff", dropoff, kept),
        *_named_faults("only the dropoff kept, pickup", pickup, kept),
    ]
    notes = said | {what: int(rows[kept].sum()) for what, rows in guesses.items()}
    notes.update({loss.reason: loss.rows for loss in sift(len(source), halves)[1]})
    return finish(_numbered(table, "order_id"), "orders", source, losses, notes=notes)


def _told_end(source: Source, pickup: Spots, dropoff: Spots) -> tuple[str, Spots]:
    """Return the end by which an order that has none is named: the pickup if the file tells it."""
    told = any(c.startswith("pickup_l") for c in source.frame.columns)
    return ("pickup", pickup) if told else ("dropoff", dropoff)


def _order_spots(
    source: Source, area: gpd.GeoDataFrame | None, datum: Datum
) -> tuple[Spots, Spots]:
    """Return where orders were fetched and brought; a file may tell one of the two only."""
    find = partial(find_spots, source, area=area, datum=datum, margin_m=ACTIVITY_MARGIN_M)
    told = {
        end: any(source.has(f"{end}_{c}") for c in ("lon", "lonlat", "latlon"))
        for end in ("pickup", "dropoff")
    }
    if told["pickup"] and not told["dropoff"]:
        pickup = find(prefix="pickup_")
        return pickup, no_spots(len(source), pickup.crs)
    dropoff = find(prefix="dropoff_")
    if not told["pickup"]:
        return no_spots(len(source), dropoff.crs), dropoff
    return find(prefix="pickup_", crs=dropoff.crs), dropoff


def _named_faults(name: str, spots: Spots, rows: np.ndarray) -> list[Fault]:
    """Return the faults of one end of orders, of some rows only."""
    return [Fault(f"{name}: {f.reason}", f.rows & rows, f.show) for f in spots.faults]


def _order_times(
    source: Source, zones: Zones
) -> tuple[dict[str, pd.Series], dict[str, np.ndarray]]:
    """Return the times of orders, and in which rows something was concluded."""
    nothing = pd.Series(pd.NaT, index=source.frame.index, dtype=f"datetime64[ns, {zones[1]}]")
    times = {c: _times(source, c, zones) for c in _ORDER_TIMES if source.has(c)}
    passed = _past_midnight(source, times)
    pickup, dropoff, accepted, ordered = (
        times.get(c, nothing) for c in ("pickup_time", "dropoff_time", "accept_time", "order_time")
    )
    ordered = ordered.fillna(accepted)
    guessed_drop = np.zeros(len(source), dtype=bool)
    if source.has("delivery_min"):
        minutes, _ = to_numbers(source.frame["delivery_min"])
        minutes = np.where((minutes >= 0) & (minutes < 24 * 60), minutes, np.nan)
        arrived = ordered + pd.to_timedelta(pd.Series(minutes), unit="min").dt.as_unit("ns")
        guessed_drop = (dropoff.isna() & arrived.notna()).to_numpy(bool)
        dropoff = dropoff.fillna(arrived)
    guessed_pick = (pickup.isna() & ordered.notna()).to_numpy(bool)
    notes = {
        "pickup time taken from the order's": guessed_pick,
        "dropoff time taken from the order's and the delivery minutes": guessed_drop,
        "clock past midnight taken as the next day's": passed,
    }
    return times | {"pickup_time": pickup.fillna(ordered), "dropoff_time": dropoff}, notes


def _past_midnight(source: Source, times: dict[str, pd.Series]) -> np.ndarray:
    """Move clocks that are joined with one date to the next day where they would run backwards.

    `times` is changed; returned is which rows were, shape (n,) bool.
    """
    moved = np.zeros(len(source), dtype=bool)
    if not source.has("date"):
        return moved
    latest: pd.Series | None = None
    for column in (c for c in _ORDER_TIMES if c in times):
        if not _is_clock(source, column):
            continue
        time = times[column]
        if latest is not None:
            back = (time < latest - pd.Timedelta(hours=12)).to_numpy(bool)
            time = times[column] = time.mask(back, time + pd.Timedelta(days=1))
            moved |= back
        latest = time if latest is None else time.fillna(latest)
    return moved


def _is_clock(source: Source, column: str) -> bool:
    """Tell whether a column holds clocks without a day."""
    text = source.text(column)
    return bool(text.str.fullmatch(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|").all())


def _stays(
    source: Source, area: gpd.GeoDataFrame | None, datum: Datum, zones: Zones
) -> gpd.GeoDataFrame:
    source.require("rider_id", "arrive")
    if not source.has("leave") and not source.has("stay_min"):
        source.require("leave")
    spots = find_spots(source, area=area, datum=datum, margin_m=ACTIVITY_MARGIN_M)
    rider = source.text("rider_id")
    arrive = _times(source, "arrive", zones)
    if source.has("leave"):
        leave = _times(source, "leave", zones)
    else:
        minutes, _ = to_numbers(source.frame["stay_min"])
        leave = arrive + pd.to_timedelta(pd.Series(minutes), unit="min").dt.as_unit("ns")
    untimed = (arrive.isna() | leave.isna()).to_numpy(bool)
    faults = [
        source.ragged(),
        *spots.faults,
        Fault("no usable time", untimed, _show_cell(source, "arrive")),
        Fault("leaves before it arrives", (leave < arrive).to_numpy(bool), source.place),
        Fault("no rider", (rider == "").to_numpy(bool), source.place),
    ]
    kept, losses = sift(len(source), faults)
    table = gpd.GeoDataFrame(
        {
            "rider_id": rider[kept].reset_index(drop=True),
            "worker_type": _worker_types(source)[kept].reset_index(drop=True),
            "arrive": arrive[kept].reset_index(drop=True),
            "leave": leave[kept].reset_index(drop=True),
        },
        geometry=spots.points(kept).values,
        crs=spots.crs,
    )
    table.insert(4, "stay_min", (table["leave"] - table["arrive"]).dt.total_seconds() / 60.0)
    return finish(_numbered(table, "stay_id"), "stays", source, losses)


def _counts(
    source: Source, area: gpd.GeoDataFrame | None, datum: Datum, _zones: Zones
) -> gpd.GeoDataFrame:
    source.require("weight_per_day", "workers")
    spots = find_spots(source, area=area, datum=datum, margin_m=ACTIVITY_MARGIN_M)
    weight, _ = to_numbers(source.frame["weight_per_day"])
    workers, _ = to_numbers(source.frame["workers"])
    no_weight, no_workers = ~(weight >= 0), ~((workers >= 0) & (workers == np.floor(workers)))
    faults = [
        source.ragged(),
        *spots.faults,
        Fault("no usable weight", no_weight, _show_cell(source, "weight_per_day")),
        Fault("no usable number of workers", no_workers, _show_cell(source, "workers")),
    ]
    kept, losses = sift(len(source), faults)
    table = gpd.GeoDataFrame(
        {"weight_per_day": weight[kept], "workers": workers[kept].astype(np.int64)},
        geometry=spots.points(kept).values,
        crs=spots.crs,
    )
    return finish(_numbered(table, "count_id"), "counts", source, losses)


def _times(source: Source, column: str, zones: Zones) -> pd.Series:
    """Return a column's instants; a clock without a day is joined with the column `date`."""
    clock, timezone = zones
    times = read_times(source.frame[column], clock=clock, timezone=timezone)
    if source.has("date") and times.isna().all():
        joined = source.text("date").str[:10] + " " + source.text(column)
        times = read_times(joined, clock=clock, timezone=timezone)
    return times


def _worker_types(source: Source) -> pd.Series:
    if not source.has("worker_type"):
        return pd.Series("rider", index=source.frame.index, dtype=str)
    return pd.Series(each_text(source.frame["worker_type"], worker_type), dtype=str)


def _numbered(table: gpd.GeoDataFrame, index: str) -> gpd.GeoDataFrame:
    """Return rows under identifiers that do not depend on their order in the file.

    Those of the file where it has them; else numbers in the order of all that the rows hold.
    """
    keys = pd.DataFrame(table.drop(columns=["geometry", "pickup"], errors="ignore"))
    for name in ("geometry", "pickup"):
        if name in table:
            points = gpd.GeoSeries(table[name])
            keys[f"{name}_x"], keys[f"{name}_y"] = points.x.to_numpy(), points.y.to_numpy()
    order = keys.sort_values(list(keys.columns), kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    code = table.pop("code") if "code" in table else pd.Series("", index=table.index, dtype=str)
    number = pd.Series(np.arange(1, len(table) + 1), dtype=str)
    ids = make_ids(code.mask(code == "", number).tolist(), table.geometry.x, table.geometry.y)
    table.index = pd.Index(ids, name=index, dtype=str)
    return table.iloc[natural_order(ids)] if len(table) and (code != "").any() else table


def _show_cell(source: Source, column: str) -> Callable[[int], str]:
    """Return what shows a row's cell in one column: a time or a number is nobody's secret."""

    def show(position: int) -> str:
        cell = as_text(source.frame[column].iloc[[position]]).iloc[0]
        said = f"`{cell}`" if cell else "nothing"
        return f"{source.place(position)}: {said} in `{source.header(column)}`"

    return show
