"""Existing stations: what is open today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.errors import SettingsError
from planner.load.cells import each_text, to_numbers
from planner.load.hours import CLOSED, read_hours
from planner.load.points import STATION_MARGIN_M, find_spots
from planner.load.sift import Fault, finish, make_ids, natural_order, sift
from planner.load.source import Source, read_source
from planner.load.words import is_yes, service_list, station_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from planner.geo import Datum


def load_stations(
    path: Path | str,
    *,
    area: gpd.GeoDataFrame | None = None,
    datum: Datum = "wgs84",
    columns: Mapping[str, str] | None = None,
    assumed_hours: str = "09:00-17:00",
) -> gpd.GeoDataFrame:
    """Read the register of existing stations.

    Parameters
    ----------
    path
        CSV, Excel, Parquet, GeoJSON, GeoPackage or Shapefile.
    area
        Districts in a metric CRS: the result is in it, and stations more than 2 km outside (they
        serve nobody inside on foot) are left out and counted.
    datum
        What the degrees are in.
    columns
        Our name → the file's, where synonyms do not find them: `station_id, name, kind, services,
        hours, opens, closes, capacity, lon, lat, lonlat, latlon`.
    assumed_hours
        ``HH:MM-HH:MM`` where the register gives none that can be read (09:00–17:00: Shanghai).

    Returns
    -------
    Table `stations`, index `station_id` (str; the name where the file has no identifier), in its
    order. Rows without a usable coordinate, closed ones and repeated ones are left out and
    counted in ``attrs["input"]``; its `notes` count assumed hours and unknown kinds.

    Raises
    ------
    InputError
        The file is missing or damaged, columns are missing (`ColumnError`), longitude and
        latitude are swapped, or no row is usable.
    SettingsError
        `assumed_hours` are no hours.
    """
    hours_if_missing = read_hours(assumed_hours)
    if not hours_if_missing:
        raise SettingsError(
            f"`assumed_hours` must read HH:MM-HH:MM. Got {assumed_hours!r}, e.g. 09:00-17:00."
        )
    source = read_source(path, "stations", columns)
    if not source.has("station_id"):
        source.require("name")
    name = source.text("name")
    code = source.text("station_id")
    name = name.mask(name == "", code)
    label = row_label(name, code)
    spots = find_spots(source, area=area, datum=datum, margin_m=STATION_MARGIN_M, label=label)
    said = read_opening(source)
    kind = pd.Series(each_text(source.text("kind"), station_kind), dtype=object)
    capacity, odd_capacity = _capacity(source)
    table = pd.DataFrame(
        {
            "name": name.mask(name == "", "station"),
            "kind": kind.where(kind.notna(), "station").astype(str),
            "services": _services(source),
            "hours": said.where(said.notna(), hours_if_missing).astype(str),
            "hours_assumed": said.isna().to_numpy(bool),
            "capacity": capacity,
            "code": code.mask(code == "", name.mask(name == "", "station")),
        }
    )
    show = show_row(source, label)
    faults = [
        source.ragged(),
        *spots.faults,
        Fault("closed", (said == CLOSED).to_numpy(bool), show),
    ]
    kept, losses = sift(len(source), [*faults, repeated_rows(table, spots.x, spots.y, show)])
    unknown_kind = kind.isna() & (source.text("kind") != "")
    notes = {
        "hours assumed": int(table["hours_assumed"][kept].sum()),
        "hours not readable": int((said.isna() & _has_hours(source))[kept].sum()),
        "unknown kind, taken as station": int(unknown_kind[kept].sum()),
        "capacity not readable": int(odd_capacity[kept].sum()),
    }
    return finish(place_rows(table, spots.points(kept), kept, "station_id"), "stations", source,
                  losses, notes=notes)  # fmt: skip


def place_rows(
    table: pd.DataFrame, points: gpd.GeoSeries, kept: np.ndarray, index: str
) -> gpd.GeoDataFrame:
    """Return the kept rows with their points, under distinct identifiers made of `code`."""
    rows = table[kept].reset_index(drop=True)
    ids = make_ids(rows["code"].tolist(), points.x.to_numpy(), points.y.to_numpy())
    placed = gpd.GeoDataFrame(rows.drop(columns="code"), geometry=points.values, crs=points.crs)
    placed.index = pd.Index(ids, name=index, dtype=str)
    return placed.iloc[natural_order(ids)]


def read_opening(source: Source) -> pd.Series:
    """Return canonical hours, None where there are none that can be read."""
    text = source.text("hours")
    if source.has("opens", "closes"):
        opens, closes = source.text("opens"), source.text("closes")
        both = opens.map(_clock_part) + "-" + closes.map(_clock_part)
        text = text.mask((text == "") & (opens != "") & (closes != ""), both)
    return pd.Series(each_text(text, read_hours), index=text.index, dtype=object)


def _clock_part(text: str) -> str:
    """Return the clock of a spreadsheet's time: ``1899-12-30T09:00:00``, or a share of a day."""
    if "T" in text:
        return text.split("T")[1][:5]
    try:
        share = float(text)
    except ValueError:
        return text
    minutes = round(share * 24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" if 0 <= share <= 1 else text


def _has_hours(source: Source) -> pd.Series:
    return (source.text("hours") != "") | (source.text("opens") != "")


def _capacity(source: Source) -> tuple[np.ndarray, np.ndarray]:
    if not source.has("capacity"):
        return np.full(len(source), np.nan), np.zeros(len(source), dtype=bool)
    number, odd = to_numbers(source.frame["capacity"])
    negative = number < 0
    return np.where(negative, np.nan, number), odd | negative


def _services(source: Source) -> pd.Series:
    """Return the services listed, and the headers of the columns of services that are ticked."""
    listed = each_text(source.text("services"), service_list)
    for column in source.frame.columns:
        if column.startswith("has_"):
            ticked = each_text(source.text(column), is_yes)
            word = source.header(column)
            listed = [
                service_list(f"{have};{word}") if tick else have
                for have, tick in zip(listed, ticked, strict=True)
            ]
    return pd.Series(listed, dtype=str)


def row_label(name: pd.Series, code: pd.Series) -> Callable[[int], str]:
    """Return what calls a row by identifier and name."""

    def label(position: int) -> str:
        words = [code.iloc[position], name.iloc[position]]
        return " ".join(dict.fromkeys(w for w in words if w))

    return label


def show_row(source: Source, label: Callable[[int], str]) -> Callable[[int], str]:
    """Return what shows a row: its number in the file and what it is called."""

    def show(position: int) -> str:
        what = f" ({label(position)})" if label(position) else ""
        return f"{source.place(position)}{what}"

    return show


def repeated_rows(
    table: pd.DataFrame, x: np.ndarray, y: np.ndarray, show: Callable[[int], Any]
) -> Fault:
    """Return the fault of rows that repeat another in identifier, name and place."""
    rows = table[["code", "name"]].assign(x=np.round(x, 1), y=np.round(y, 1))
    return Fault("repeated row", rows.duplicated().to_numpy(bool), show)
