"""Hosts: existing premises that could be opened as stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.load.amenities import read_amenities
from planner.load.cells import each_text
from planner.load.files import OSM, find_file
from planner.load.hours import CLOSED
from planner.load.points import HOST_MARGIN_M, find_spots
from planner.load.sift import Fault, finish, sift
from planner.load.source import read_source
from planner.load.stations import place_rows, read_opening, repeated_rows, row_label, show_row
from planner.load.words import host_kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd

    from planner.geo import Datum


def load_hosts(
    path: Path | str,
    *,
    area: gpd.GeoDataFrame | None = None,
    datum: Datum = "wgs84",
    columns: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """Read existing premises that could be opened.

    Parameters
    ----------
    path
        A register (CSV, Excel, Parquet, GeoJSON, GeoPackage, Shapefile), or an OpenStreetMap
        file, of which the amenities in `planner.load.amenities.HOST_TAGS` are taken.
    area
        Districts in a metric CRS: the result is in it, and premises more than 100 m outside are
        left out and counted.
    datum
        What the degrees are in; OpenStreetMap files are always WGS 84.
    columns
        Our name → the file's, where synonyms do not find them: `host_id, name, kind, hours, opens,
        closes, lon, lat, lonlat, latlon`.

    Returns
    -------
    Table `hosts`, index `host_id` (str; of OpenStreetMap ``n…``, ``w…``, ``r…``), in its order.
    `hours` is empty where the file gives none that can be read.

    Raises
    ------
    InputError
        As in `load_stations`.
    """
    if str(path).lower().endswith(tuple(OSM)):
        file = find_file(path, OSM)
        source, datum = read_source(file, "hosts", read=read_amenities), "wgs84"
    else:
        source = read_source(path, "hosts", columns)
    name, code = source.text("name"), source.text("host_id")
    kind = pd.Series(each_text(source.text("kind"), host_kind), dtype=str)
    label = row_label(name.mask(name == "", kind), code)
    show = show_row(source, label)
    spots = find_spots(source, area=area, datum=datum, margin_m=HOST_MARGIN_M, label=label)
    said = read_opening(source)
    table = pd.DataFrame(
        {
            "name": name,
            "kind": kind,
            "hours": said.where(said.notna(), "").astype(str),
            "code": code.mask(code == "", name).mask((code == "") & (name == ""), kind),
        }
    )
    closed = Fault("closed", (said == CLOSED).to_numpy(bool), show)
    faults = [source.ragged(), *spots.faults, closed, repeated_rows(table, spots.x, spots.y, show)]
    kept, losses = sift(len(source), faults)
    unread = (said.isna() & (source.text("hours") != "")).to_numpy(bool)
    notes = {
        "hours not given": int((table["hours"] == "").to_numpy(bool)[kept].sum()),
        "hours not readable": int(np.sum(unread & kept)),
    }
    placed = place_rows(table, spots.points(kept), kept, "host_id")
    return finish(placed, "hosts", source, losses, notes=notes)
