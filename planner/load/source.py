"""One input, of one file or many, under our own column names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.activity.databases import is_database
from planner.errors import CrsError, InputError, SettingsError, nearest_name
from planner.geo import WGS84, Datum
from planner.load.cells import as_text
from planner.load.files import find_files, fingerprint, read_sheet, with_folders
from planner.load.headers import missing_column, pick_columns
from planner.load.sift import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from planner.load.files import Sheet

_NESTED = frozenset({"fixes", "orders", "stays", "counts"})  # they come in folders of days


@dataclass(frozen=True)
class Source:
    """Rows of one input.

    Attributes
    ----------
    path
        What was asked for: a file, a pattern or a folder.
    table
        The key of `planner.load.headers.HEADERS` it is read as.
    frame
        Our columns as far as the files have them, cells as they stand, index 0…n-1.
    row, part
        Shape (n,) int64: the row's number in its file; which of `files`.
    headers
        Our name → the header in the first file that has it.
    """

    path: Path
    table: str
    frame: pd.DataFrame
    row: np.ndarray
    part: np.ndarray
    files: tuple[Path, ...]
    units: tuple[str, ...]
    headers: dict[str, str]
    too_many: np.ndarray = field(repr=False)
    all_headers: tuple[str, ...] = ()
    sha256: str = ""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def has(self, *fields: str) -> bool:
        """Tell whether all of our columns were found."""
        return all(f in self.frame.columns for f in fields)

    def require(self, *fields: str) -> None:
        """Raise `ColumnError` for those of our columns that were not found."""
        missing = [f for f in fields if f not in self.frame.columns]
        if missing:
            raise missing_column(missing, self.all_headers, self.table, file=self.path)

    def text(self, column: str) -> pd.Series:
        """Return a column as text, empty texts if the files have none such."""
        if column not in self.frame.columns:
            return pd.Series("", index=self.frame.index, dtype=str)
        return as_text(self.frame[column])

    def place(self, position: int) -> str:
        """Say where a row stands: ``row 42``, with the file's name if there are several."""
        part = int(self.part[position])
        name = f"{self.files[part].name} " if len(self.files) > 1 else ""
        return f"{name}{self.units[part]} {self.row[position]}"

    def header(self, column: str) -> str:
        """Return the file's name for one of our columns."""
        return self.headers.get(column, column)

    def ragged(self) -> Fault:
        """Return the fault of rows that have more cells than headers."""
        return Fault("more cells than headers", self.too_many, self.place)


def read_source(
    path: Path | str,
    table: str,
    columns: Mapping[str, str] | None = None,
    *,
    read: Callable[[Path], Sheet] | None = None,
) -> Source:
    """Read files and rename their columns to ours.

    Geometries of any kind become the columns `lon` and `lat` of a point on them, unless
    `columns` names others.

    Parameters
    ----------
    path
        A file, a pattern or a folder; for activity the address of a table in a database too.
    table, columns
        As in `planner.load.headers.pick_columns`.
    read
        Reads a file of its own kind; None for those of `planner.load.files`.

    Raises
    ------
    InputError
        A file is missing, damaged or has no rows.
    """
    if table in _NESTED and is_database(path):
        from planner.load.database import read_database

        sheet = read_database(path)
        return join_sheets(sheet.path, [sheet], table, columns)
    files = find_files(path, nested=table in _NESTED) if read is None else [Path(path)]
    sheets = [read(f) if read else read_sheet(f, table, columns) for f in files]
    if table in _NESTED:
        sheets = [with_folders(s) for s in sheets]
    source = join_sheets(asked_path(path, files), sheets, table, columns)
    return replace(source, sha256=fingerprint(files))


def join_sheets(
    path: Path, sheets: Iterable[Sheet], table: str, columns: Mapping[str, str] | None
) -> Source:
    """Return the rows of sheets under our column names.

    Parameters
    ----------
    path
        What was asked for.
    table, columns
        As in `planner.load.headers.pick_columns`.

    Raises
    ------
    InputError
        There are no rows.
    """
    sheets = list(sheets)
    frames: list[pd.DataFrame] = []
    headers: dict[str, str] = {}
    for sheet in sheets:
        if len(sheet.frame) == 0 and len(sheets) > 1:
            continue  # one day without data among many
        picked = pick_columns(list(sheet.frame.columns), table, columns, file=sheet.path)
        _require_cells(sheet, picked)
        frame = sheet.frame[list(picked.values())].set_axis(list(picked), axis=1)
        if sheet.geometry is not None and not {"lon", "lonlat", "latlon"} & set(columns or {}):
            frame = _with_lonlat(frame, sheet)
        headers = {**picked, **headers}
        frames.append(frame)
    used = [s for s in sheets if len(s.frame) or len(sheets) == 1]
    if not sum(len(f) for f in frames):
        raise InputError("the file has headers but no rows. Export it again.", file=sheets[0].path)
    sizes = [len(f) for f in frames]
    return Source(
        path=path,
        table=table,
        frame=pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0],
        row=np.concatenate([s.row for s in used]),
        part=np.repeat(np.arange(len(used)), sizes),
        files=tuple(s.path for s in used),
        units=tuple(s.unit for s in used),
        headers=headers,
        too_many=np.concatenate([s.too_many for s in used]),
        all_headers=tuple(dict.fromkeys(str(c) for s in used for c in s.frame.columns)),
    )


def _require_cells(sheet: Sheet, picked: Mapping[str, str]) -> None:
    """Refuse columns that hold more than one thing in a cell."""
    for ours, header in picked.items():
        cells = sheet.frame[header]
        if cells.dtype != object or not cells.notna().any():
            continue
        first = int(cells.notna().to_numpy().argmax())
        if isinstance(cells.iloc[first], list | tuple | dict | bytes | np.ndarray):
            raise InputError(
                f"holds lists or bytes, and `{ours}` is read from texts, numbers or times. Name "
                "another column under `columns`, or write this one so.",
                file=sheet.path,
                row=int(sheet.row[first]),
                column=header,
            )


def check_datum(datum: str) -> None:
    """Raise `SettingsError` unless a datum is one that can be converted."""
    known = get_args(Datum)
    if datum not in known:
        raise SettingsError(
            f"`datum` must be one of {', '.join(known)}. Got {datum!r}.{nearest_name(datum, known)}"
        )


def asked_path(path: Path | str, files: Iterable[Path]) -> Path:
    """Return the one file that was found, else the pattern or folder that was asked for."""
    found = list(files)
    return found[0] if len(found) == 1 else Path(path)


def _with_lonlat(frame: pd.DataFrame, sheet: Sheet) -> pd.DataFrame:
    shapes = to_degrees(sheet)
    usable = ~(shapes.isna() | shapes.is_empty)
    if not usable.any() and {"lon", "lat"} <= set(frame.columns):
        return frame
    points = shapes.where(usable).representative_point()
    return frame.drop(columns=["lonlat", "latlon"], errors="ignore").assign(
        lon=points.x.to_numpy(), lat=points.y.to_numpy()
    )


def to_degrees(sheet: Sheet) -> gpd.GeoSeries:
    """Return a sheet's geometries in longitude and latitude.

    Raises
    ------
    CrsError
        The file has no CRS and its coordinates are no degrees.
    """
    shapes = gpd.GeoSeries(sheet.geometry).force_2d()
    if shapes.crs is not None:
        return shapes.to_crs(WGS84)
    west, south, east, north = shapes.total_bounds
    if not (west >= -180 and south >= -90 and east <= 180 and north <= 90):
        raise CrsError(
            "the file has no CRS and its coordinates are no degrees. Save it with its CRS (for a "
            "Shapefile, the .prj file).",
            file=sheet.path,
        )
    return shapes.set_crs(WGS84)
