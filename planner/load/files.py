"""Files of any kind as rows: CSV, TSV, Excel, Parquet, GeoJSON, GeoPackage, Shapefile."""

from __future__ import annotations

import hashlib
import re
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.errors import InputError, MissingFileError, nearest_name
from planner.load.delimited import read_delimited, unique_headers
from planner.load.headers import HEADERS, pick_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEXT = frozenset({".csv", ".tsv", ".txt"})
EXCEL = frozenset({".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"})
PARQUET = frozenset({".parquet", ".pq", ".geoparquet"})
ARROW = frozenset({".arrow", ".feather", ".ipc"})
VECTOR = frozenset({".geojson", ".json", ".gpkg", ".shp", ".fgb", ".kml", ".gml", ".zip"})
OSM = frozenset({".osm", ".pbf"})
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz"})
_KINDS = "csv, tsv, xlsx, parquet, arrow, geojson, gpkg or shp"


@dataclass(frozen=True)
class Sheet:
    """The rows of one file as they stand.

    Attributes
    ----------
    frame
        The file's columns under their own names, index 0…n-1, without empty rows.
    row
        Shape (n,) int64, the rows' numbers in the file: under a header from 2, else from 1.
    too_many
        Shape (n,) bool, rows with more cells than headers.
    geometry
        The file's geometries with the file's CRS, if it has any.
    """

    path: Path
    frame: pd.DataFrame
    row: np.ndarray
    too_many: np.ndarray = field(repr=False)
    geometry: gpd.GeoSeries | None = None

    @property
    def unit(self) -> str:
        """What a row is called: ``row`` or, where the file has no lines, ``feature``."""
        return "row" if self.geometry is None else "feature"


def find_files(
    path: Path | str, suffixes: frozenset[str] | None = None, *, nested: bool = False
) -> list[Path]:
    """Return the files that a path, a pattern (``activity/*.parquet``) or a folder means, sorted.

    With `nested`, folders are searched to their bottom, and so are those that a pattern means;
    names that begin with ``_`` are notes of the program that wrote the folder.

    Raises
    ------
    MissingFileError
        There is none.
    InputError
        It is a folder, a file of a kind that cannot be read, or empty.
    """
    path = Path(path)
    known = suffixes or TEXT | EXCEL | PARQUET | ARROW | VECTOR
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = _files_below(path, known, nested=nested)
    else:
        pattern = str(path.relative_to(path.anchor))
        meant = sorted(Path(path.anchor).glob(pattern))
        found = [p for p in meant if p.is_file()]
        if nested:
            found += [f for p in meant if p.is_dir() for f in _files_below(p, known, nested=True)]
    found = [p for p in found if not p.name.startswith((".", "~$"))]  # locks of open workbooks
    if not found:
        what = "no readable file in this folder" if path.is_dir() else "no such file"
        raise MissingFileError(
            f"{what}.{_neighbour(path)} Check the path; it starts at study.toml.", file=path
        )
    for file in found:
        if file.suffix.lower() not in known:
            remedy = "Unpack it first." if file.suffix.lower() in _PACKED else f"Use {_KINDS}."
            raise InputError(
                f"files of the kind `{file.suffix}` cannot be read here. {remedy}", file=file
            )
        if file.stat().st_size == 0:
            raise InputError("the file is empty (0 bytes). Export it again.", file=file)
    return found


def _files_below(folder: Path, known: frozenset[str], *, nested: bool) -> list[Path]:
    inside = folder.rglob("*") if nested else folder.iterdir()
    hidden = (".", "_") if nested else ()
    return sorted(
        p
        for p in inside
        if p.suffix.lower() in known
        and p.is_file()
        and not any(part.startswith(hidden) for part in p.relative_to(folder).parts)
    )


def partition_values(path: Path) -> dict[str, str]:
    """Return what a file's folders say of its rows: ``date=2026-03-02/part-0.parquet``.

    Examples
    --------
    >>> partition_values(Path("fixes/city=ganzhou/date=2026-03-02/part-0.parquet"))
    {'city': 'ganzhou', 'date': '2026-03-02'}
    """
    values: dict[str, str] = {}
    for folder in path.parents:
        key, equals, value = folder.name.partition("=")
        if not equals or not key:
            break
        value = unquote(value)
        values = {key: "" if value == "__HIVE_DEFAULT_PARTITION__" else value, **values}
    return values


def with_folders(sheet: Sheet) -> Sheet:
    """Return a sheet with what the file's folders say as columns."""
    said = {k: v for k, v in partition_values(sheet.path).items() if k not in sheet.frame.columns}
    return replace(sheet, frame=sheet.frame.assign(**said)) if said else sheet


def find_file(path: Path | str, suffixes: frozenset[str] | None = None) -> Path:
    """Return the one file that a path, a pattern or a folder means; errors as `find_files`."""
    found = find_files(path, suffixes)
    if len(found) > 1:
        raise InputError(
            f"means {len(found)} files ({found[0].name}, {found[1].name}, …), and one is wanted. "
            "Name the one.",
            file=path,
        )
    return found[0]


def _neighbour(path: Path) -> str:
    """Name a file of nearly that name beside it."""
    folder = path.parent
    beside = [p.name for p in folder.iterdir() if p != path] if folder.is_dir() else []
    return nearest_name(path.name, beside)


def fingerprint(files: Sequence[Path]) -> str:
    """Return the SHA-256 of a file, or of the lines ``<sha256>  <name>`` of several.

    A Shapefile's companions (``.dbf``, ``.prj``, …) count as files of their own.
    """
    parts = {p for f in files for p in _companions(f)}
    digests = []
    for part in sorted(parts):
        with part.open("rb") as stream:
            digests.append((hashlib.file_digest(stream, "sha256").hexdigest(), part.name))
    if len(digests) == 1:
        return digests[0][0]
    lines = "".join(f"{digest}  {name}\n" for digest, name in digests)
    return hashlib.sha256(lines.encode()).hexdigest()


def _companions(file: Path) -> list[Path]:
    if file.suffix.lower() != ".shp":
        return [file]
    return [p for p in file.parent.iterdir() if p.stem == file.stem and p.is_file()]


def read_sheet(path: Path, table: str, columns: Mapping[str, str] | None = None) -> Sheet:
    """Read one file.

    Parameters
    ----------
    path
        An existing file; what it holds is told from its first bytes, then from its name.
    table, columns
        As in `planner.load.headers.pick_columns`: they find the row that holds the headers.

    Raises
    ------
    InputError
        The file is damaged, of another kind than its name says, or its encoding is unknown.
    """
    kind = file_kind(path)
    if kind == "text":
        frame, row, too_many = read_delimited(
            path.read_bytes(), lambda rows: find_header(rows, table, columns), file=path
        )
        return _without_blank_rows(path, frame, row, too_many)
    if kind == "excel":
        return _read_excel(path, table, columns)
    readers = {"parquet": _read_parquet, "arrow": _read_arrow, "vector": _read_vector}
    return readers[kind](path)


def file_kind(path: Path) -> str:
    """Return what a file is: ``text``, ``excel``, ``parquet``, ``arrow`` or ``vector``.

    Raises
    ------
    InputError
        It is a web page under a workbook's name.
    """
    with path.open("rb") as stream:
        start = stream.read(512)
    suffix = path.suffix.lower()
    if start.startswith(b"PAR1"):
        return "parquet"
    if suffix in ARROW or start.startswith(b"ARROW1"):
        return "arrow"
    if suffix not in VECTOR and start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    if suffix in EXCEL and re.match(rb"\s*<(?:!doctype|html|table|\?xml)", start, re.IGNORECASE):
        raise InputError(
            "not an Excel workbook but a web page under that name. Open it in Excel and save it "
            "as .xlsx.",
            file=path,
        )
    if suffix in EXCEL:
        text = b"\x00" not in start and suffix == ".xls"  # many systems name their CSV .xls
        return "text" if text else "excel"
    if suffix in PARQUET:
        return "parquet"
    return "text" if suffix in TEXT else "vector"


def find_header(
    rows: Sequence[Sequence[Any]], table: str, columns: Mapping[str, str] | None
) -> int:
    """Return which of the first rows holds the headers: titles and notes may stand above it.

    It is the first of those rows in which the most of our columns are found; if none is found in
    any, the first that is not empty.

    Examples
    --------
    >>> find_header([["驿站一览表"], [], ["名称", "经度", "纬度"]], "stations", None)
    2
    """
    named = set((columns or {}).values())
    best, best_count = 0, 0
    for number, row in enumerate(rows):
        headers = [str(c).strip() for c in row if isinstance(c, str) and c.strip()]
        known = {k: v for k, v in (columns or {}).items() if k in HEADERS[table] and v in headers}
        count = len(pick_columns(unique_headers(headers), table, known))
        count += len(named & set(headers))
        if count > best_count:
            best, best_count = number, count
    if best_count == 0:
        filled = [n for n, r in enumerate(rows) if any(str(c or "").strip() for c in r)]
        return filled[0] if filled else 0
    return best


def _without_blank_rows(
    path: Path, frame: pd.DataFrame, row: np.ndarray, too_many: np.ndarray
) -> Sheet:
    """Return a sheet without the rows in which nothing stands: they are no data and no loss."""
    filled = too_many.copy()
    for column in frame.columns:
        if filled.all():
            break
        cells = frame[column]
        filled |= (cells.notna() & (cells.astype(str).str.strip() != "")).to_numpy(bool)
    frame = frame[filled].reset_index(drop=True)
    return Sheet(path, frame, row[filled], too_many[filled])


def read_workbook(
    path: Path, table: str, columns: Mapping[str, str] | None = None
) -> dict[str, Sheet]:
    """Read every sheet of a workbook that holds anything, by name; errors as `read_sheet`."""
    return {
        name: _sheet_of(path, rows, find_header(rows[:15], table, columns))
        for name, rows in _open_workbook(path).items()
    }


def _read_excel(path: Path, table: str, columns: Mapping[str, str] | None) -> Sheet:
    """Read the sheet of a workbook whose header row holds the most of our columns."""
    best: list[Any] = []
    best_count = best_header = -1
    for rows in _open_workbook(path).values():
        header = find_header(rows[:15], table, columns)
        headers = [str(c) for c in rows[header] if c not in ("", None)]
        count = len(pick_columns(unique_headers(headers), table)) + sum(
            c in headers for c in (columns or {}).values()
        )
        if count > best_count:
            best, best_count, best_header = rows, count, header
    return _sheet_of(path, best, best_header)


def _open_workbook(path: Path) -> dict[str, list[Any]]:
    """Return the rows of every sheet that holds anything."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets: dict[str, list[Any]] = {
            n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names
        }
    except (calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        why = "protected by a password" if "assword" in repr(error) else f"damaged ({error})"
        raise InputError(
            f"the workbook is {why}. Open it in Excel and save it again.", file=path
        ) from error
    filled = {
        n: rows
        for n, rows in sheets.items()
        if any(any(c not in ("", None) for c in row) for row in rows)
    }
    if not filled:
        raise InputError("the workbook holds no cell. Export it again.", file=path)
    return filled


def _sheet_of(path: Path, rows: list[Any], header: int) -> Sheet:
    """Return the rows below a header."""
    frame = pd.DataFrame(rows[header + 1 :], dtype=object)
    frame = frame.reindex(columns=range(len(rows[header])))
    frame.columns = pd.Index(unique_headers(rows[header]))
    row = np.arange(len(frame), dtype=np.int64) + header + 2
    return _without_blank_rows(path, frame, row, np.zeros(len(frame), dtype=bool))


def _read_parquet(path: Path) -> Sheet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        if b"geo" in (schema.metadata or {}):
            table = gpd.read_parquet(path)
        else:
            table = pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"not readable as Parquet ({_first_line(error)}). Write it again.", file=path
        ) from error
    if any(name is not None for name in table.index.names):
        table = table.reset_index()
    return _typed_sheet(path, table)


def _read_arrow(path: Path) -> Sheet:
    import pyarrow as pa
    from pyarrow import feather

    try:
        table = feather.read_table(path, memory_map=False).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"not readable as Arrow ({_first_line(error)}). Write it again.", file=path
        ) from error
    return _typed_sheet(path, table)


def _read_vector(path: Path) -> Sheet:
    import pyogrio

    try:
        layers = pyogrio.list_layers(path)
        shaped = [name for name, shape in layers if shape is not None]
        if not shaped:
            raise InputError("it holds no layer with geometries. Export it again.", file=path)
        table = pyogrio.read_dataframe(path, layer=shaped[0], on_invalid="ignore")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputError(
            f"not readable ({_first_line(error)}). Export it again, e.g. as GeoJSON.", file=path
        ) from error
    return _typed_sheet(path, table)


def _typed_sheet(path: Path, table: pd.DataFrame) -> Sheet:
    """Return the sheet of a file whose columns have types."""
    row = np.arange(1, len(table) + 1, dtype=np.int64)
    geometry = None
    if isinstance(table, gpd.GeoDataFrame):
        geometry = table.geometry.reset_index(drop=True)
        table = pd.DataFrame(table.drop(columns=table.geometry.name))
    frame = table.reset_index(drop=True)
    frame.columns = pd.Index(unique_headers(list(frame.columns)))
    return Sheet(path, frame, row, np.zeros(len(row), dtype=bool), geometry)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["damaged"])[0].rstrip(".")[:200]
