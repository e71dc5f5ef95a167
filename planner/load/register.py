"""The register of sites: what planners decided on recommended sites, given back with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.errors import ColumnError, InputError, nearest_name
from planner.geo import utm_crs
from planner.load.cells import each_text, to_numbers
from planner.load.files import Sheet, file_kind, find_file, fingerprint, read_sheet, read_workbook
from planner.load.headers import pick_columns
from planner.load.points import HOST_MARGIN_M, find_spots, no_spots
from planner.load.sift import finish, make_ids
from planner.load.source import Source, join_sheets
from planner.load.stations import read_opening, row_label
from planner.load.words import SITE_STATUSES, site_status
from planner.tables import SAME_SITE_M

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from planner.geo import Datum
    from planner.load.points import Spots

_TEXTS = ("candidate_id", "name", "host_name", "owner", "note")
_IDENTIFYING = ("candidate_id", "name", "lon", "lonlat", "latlon")


def load_register(
    path: Path | str,
    *,
    area: gpd.GeoDataFrame | None = None,
    datum: Datum = "wgs84",
    columns: Mapping[str, str] | None = None,
    needs_status: bool = True,
) -> gpd.GeoDataFrame:
    """Read the register of sites: a plan's workbook or layer of sites as planners edited it.

    Parameters
    ----------
    path
        CSV, Excel, GeoJSON, GeoPackage or another file that stations are read from. Of a workbook
        every sheet with a column of the status is read.
    area
        Districts in a metric CRS: the result is in it.
    datum
        What the degrees are in; those of a plan's own files are WGS 84.
    columns
        Our name → the file's, where synonyms do not find them: `candidate_id, name, host_name,
        status, owner, note, hours, capacity, lon, lat, lonlat, latlon`.
    needs_status
        Whether a file without a column of the status is refused; else all its sites are proposed.

    Returns
    -------
    Table `register`, index `register_id` (``R01`` … in the file's order). Rows that tell the same
    site with the same status are one; their owners and notes are joined.

    Raises
    ------
    InputError
        The file is missing or damaged, lacks a column, a status is unknown, a site stands twice
        with different statuses or lies outside the area, or a row says neither where nor which
        candidate it is. Nothing is left out silently: the first such row is an error.

    Examples
    --------
    >>> from planner import load_register  # doctest: +SKIP
    >>> load_register("out/plan.xlsx")[["name", "status", "owner"]]  # doctest: +SKIP
    """
    file = find_file(path)
    source, parts = _read(file, columns, needs_status=needs_status)
    label = row_label(source.text("name"), source.text("candidate_id"))

    def wrong(position: int, column: str | None, message: str) -> InputError:
        header = None if column is None else source.header(column)
        row, part = int(source.row[position]), parts[position]
        return InputError(message, file=part, row=row, column=header)

    status = _statuses(source, wrong)
    spots = _find_spots(source, area, datum, label)
    _check_places(source, spots, wrong)
    text = {name: _written(source, name) for name in _TEXTS}
    said = read_opening(source)
    capacity = np.full(len(source), np.nan)
    if source.has("capacity"):
        capacity, _ = to_numbers(source.frame["capacity"])
    table = gpd.GeoDataFrame(
        {
            **text,
            "status": status,
            "hours": said.where(said.notna(), "").astype(str),
            "capacity": np.where(capacity < 0, np.nan, capacity),
            "row": source.row.astype(np.int64),
            "part": parts,
        },
        geometry=spots.points(np.ones(len(source), dtype=bool)).values,
        crs=spots.crs,
    )
    _check_opened(table, wrong)
    table = _join_repeated(table, wrong)
    digits = max(2, len(str(len(table))))
    ids = [f"R{k:0{digits}d}" for k in range(1, len(table) + 1)]
    table.index = pd.Index(ids, name="register_id", dtype=str)
    return finish(table, "register", source, [])


def add_opened(
    stations: gpd.GeoDataFrame | None, register: gpd.GeoDataFrame, assumed_hours: str
) -> gpd.GeoDataFrame | None:
    """Return the existing stations with the sites that have opened since.

    Parameters
    ----------
    stations
        `stations` table; None if there is none.
    register
        `register` table in the same CRS. A site within 30 m of a station is that station: the
        stations' own file tells of it already.
    assumed_hours
        Where the register tells none, flagged as assumed.
    """
    opened = register[register["status"] == "opened"]
    if stations is not None and len(opened):
        near = opened.geometry.apply(lambda p: float(stations.distance(p).min()))
        opened = opened[near > SAME_SITE_M]
    if opened.empty:
        return stations
    code = opened["candidate_id"].mask(opened["candidate_id"] == "", opened["name"])
    code = code.mask(code == "", "site")
    known = [] if stations is None else list(stations.index)
    x, y = (np.r_[np.full(len(known), -np.inf), c] for c in (opened.geometry.x, opened.geometry.y))
    ids = make_ids([*known, *code], x, y)[len(known) :]
    unknown = opened["hours"] == ""
    fresh = gpd.GeoDataFrame(
        {
            "name": opened["name"].mask(opened["name"] == "", code).to_numpy(),
            "kind": "station",
            "services": "",
            "hours": opened["hours"].mask(unknown, assumed_hours).to_numpy(),
            "hours_assumed": unknown.to_numpy(bool),
            "capacity": opened["capacity"].to_numpy(float),
        },
        geometry=opened.geometry.values,
        index=pd.Index(ids, name="station_id", dtype=str),
        crs=register.crs,
    )
    if stations is None:
        return fresh
    whole = pd.concat([stations, fresh])
    whole.attrs = dict(stations.attrs)
    return whole


def _read(
    file: Path, columns: Mapping[str, str] | None, *, needs_status: bool
) -> tuple[Source, list[str]]:
    """Read the rows that have a status, and in what part of the file each stands."""
    sheets: dict[str, Sheet] = (
        read_workbook(file, "register", columns)
        if file_kind(file) == "excel"
        else {"": read_sheet(file, "register", columns)}
    )
    held = {name: sheet for name, sheet in sheets.items() if _tells_status(sheet, columns)}
    if not held and not needs_status:
        held = {"": read_sheet(file, "register", columns)}
    if not held:
        raise _no_status(file, sheets)
    filled = {name: sheet for name, sheet in held.items() if len(sheet.frame)} or held
    source = join_sheets(file, filled.values(), "register", columns)
    names = [f"{file}, sheet `{name}`" if len(sheets) > 1 else str(file) for name in filled]
    parts = [names[k] for k in source.part]
    return Source(**{**source.__dict__, "sha256": fingerprint([file])}), parts


def _no_status(file: Path, sheets: Mapping[str, Sheet]) -> ColumnError:
    """Return the error for a file in which no decision stands."""
    headers = dict.fromkeys(str(c) for sheet in sheets.values() for c in sheet.frame.columns)
    listed = ", ".join(f"`{h}`" for h in list(headers)[:30])
    return ColumnError(
        "no column tells the status of the sites beside their candidate, name or place. The file "
        f"has {listed}. Give the workbook or layer of a plan back, or call the columns 状态 "
        "(status), 经度 (lon) and 纬度 (lat).",
        file=file,
    )


def _tells_status(sheet: Sheet, columns: Mapping[str, str] | None) -> bool:
    headers = [str(c) for c in sheet.frame.columns]
    known = {ours: h for ours, h in (columns or {}).items() if h in headers}
    picked = pick_columns(headers, "register", known)
    placed = sheet.geometry is not None or any(name in picked for name in _IDENTIFYING)
    return "status" in picked and placed


def _find_spots(
    source: Source, area: gpd.GeoDataFrame | None, datum: Datum, label: Callable[[int], str]
) -> Spots:
    """Return where the rows lie; nowhere if the file has identifiers alone."""
    if source.has("candidate_id") and not any(map(source.has, ("lon", "lonlat", "latlon"))):
        return no_spots(len(source), utm_crs(0.0, 0.0) if area is None else area.crs)
    return find_spots(source, area=area, datum=datum, margin_m=HOST_MARGIN_M, label=label)


def _check_places(
    source: Source, spots: Spots, wrong: Callable[[int, str | None, str], InputError]
) -> None:
    """Refuse rows that lie nowhere, unless they name their candidate."""
    named = (source.text("candidate_id") != "").to_numpy(bool)
    column = next((c for c in ("lon", "lonlat", "latlon") if source.has(c)), None)
    ragged = source.ragged().rows
    if ragged.any():
        raise wrong(int(ragged.argmax()), None, "more cells than headers. Put texts in quotes.")
    for fault in spots.faults:
        absent = fault.reason in ("no coordinate", "not in the file")
        bad = fault.rows & ~named if absent else fault.rows
        if not bad.any():
            continue
        first = int(bad.argmax())
        if absent:
            raise wrong(
                first,
                column,
                "the site has neither coordinates nor the number of its candidate, so nobody knows "
                "which it is. Fill in longitude and latitude, or the candidate's number.",
            )
        raise wrong(
            first,
            column,
            f"{fault.reason} ({fault.show(first)}). Correct longitude and latitude (degrees, WGS "
            "84), or take the row out.",
        )


def _statuses(source: Source, wrong: Callable[[int, str | None, str], InputError]) -> pd.Series:
    """Return the statuses; an unknown word is an error that names the nearest known one."""
    text = source.text("status")
    found = pd.Series(each_text(text, site_status), index=text.index, dtype=object)
    bad = found.isna().to_numpy(bool)
    if bad.any():
        first = int(bad.argmax())
        words = [word for known in SITE_STATUSES.values() for word in known]
        first_words = ", ".join(f"{known[0]} ({ours})" for ours, known in SITE_STATUSES.items())
        raise wrong(
            first,
            "status",
            f"unknown status {text.iloc[first]!r}.{nearest_name(text.iloc[first].lower(), words)} "
            f"Write one of {first_words}.",
        )
    return found.astype(str)


def _written(source: Source, column: str) -> pd.Series:
    """Return what stands in a column; a dash or “无” is a text too where people write notes."""
    text = source.text(column)
    if column not in ("owner", "note") or not source.has(column):
        return text
    raw = source.frame[column].astype(object)
    raw = raw.where(raw.notna(), "").map(lambda cell: cell.strip() if isinstance(cell, str) else "")
    return text.mask(text == "", raw).astype(str)


def _check_opened(
    table: gpd.GeoDataFrame, wrong: Callable[[int, str | None, str], InputError]
) -> None:
    """Refuse a site that opened nobody knows where."""
    lost = ((table["status"] == "opened") & table.geometry.isna()).to_numpy(bool)
    if lost.any():
        raise wrong(
            int(lost.argmax()),
            None,
            "a site that has opened needs its place. Fill in longitude and latitude (degrees, WGS "
            "84).",
        )


def _join_repeated(
    table: gpd.GeoDataFrame, wrong: Callable[[int, str | None, str], InputError]
) -> gpd.GeoDataFrame:
    """Make one row of those that tell the same site; they must have the same status."""
    first = _first_of_same(table)
    status = table["status"].to_numpy()
    differ = status != status[first]
    if differ.any():
        bad = int(differ.argmax())
        one = table.iloc[first[bad]]
        name = one["name"] or one["candidate_id"]
        raise wrong(
            bad,
            "status",
            f"the site {name!r} is {status[bad]} here and {one['status']} in row {one['row']} of "
            f"{one['part']}. Leave it in one row, or give both the same status.",
        )
    kept = first == np.arange(len(table))
    if kept.all():
        return table
    joined = table.copy()
    for column, sign in (("owner", "; "), ("note", "\n")):
        texts = (
            table[column]
            .groupby(first)
            .agg(lambda cells, sign=sign: sign.join(dict.fromkeys(c for c in cells if c)))
        )
        joined.loc[kept, column] = texts.to_numpy()
    for column in ("candidate_id", "name", "host_name", "hours"):
        filled = table[column].mask(table[column] == "").groupby(first).first().fillna("")
        joined.loc[kept, column] = filled.to_numpy()
    joined.loc[kept, "capacity"] = table["capacity"].groupby(first).first().to_numpy()
    placed = table.geometry.groupby(first).first()
    joined.loc[kept, "geometry"] = gpd.GeoSeries(placed.to_numpy(), joined.index[kept], joined.crs)
    return joined[kept].reset_index(drop=True)


def _first_of_same(table: gpd.GeoDataFrame) -> np.ndarray:
    """Return for each row the first that tells the same site.

    The same site has the same candidate's number within 30 m (or no place told), or the same name
    at the same metre.
    """
    x, y = (np.asarray(c, dtype=float) for c in (table.geometry.x, table.geometry.y))
    first = np.arange(len(table))
    for column, within_m in (("candidate_id", SAME_SITE_M), ("name", 1.0)):
        told = table[column].to_numpy(str)
        for k in range(len(table)):
            if not told[k] or first[k] != k:
                continue
            apart = np.hypot(x[:k] - x[k], y[:k] - y[k])
            near = apart <= within_m
            if column == "candidate_id":
                near |= np.isnan(apart)
            same = np.flatnonzero((told[:k] == told[k]) & near)
            if same.size:
                first[k] = first[same[0]]
    while (first[first] != first).any():
        first = first[first]
    return first
