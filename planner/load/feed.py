"""Fixes of any file as a stream: what they look like is found out, what they hold is not kept."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from planner.activity.databases import is_database
from planner.activity.feed import FIX_SCHEMA, FeedPart, FixFeed
from planner.errors import InputError
from planner.geo import require_metric
from planner.load.columns import all_riders
from planner.load.files import find_files, fingerprint
from planner.load.rows import Rows, SheetRows, open_part, open_rows
from planner.load.source import asked_path, check_datum
from planner.load.times import check_zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import geopandas as gpd

    from planner.geo import Datum


def scan_activity(
    path: Path | str,
    *,
    area: gpd.GeoDataFrame,
    datum: Datum = "wgs84",
    columns: Mapping[str, str] | None = None,
    timezone: str = "Asia/Shanghai",
    clock: str | None = None,
) -> FixFeed:
    """Open fixes to be read as a stream, in memory that does not grow with the files.

    Parameters
    ----------
    path
        A file, a pattern (``activity/*.parquet``) or a folder with all that lies below it; CSV,
        Excel, Parquet, Arrow, GeoJSON, GeoPackage or Shapefile, of one kind or several. Folders
        named ``date=2026-03-02`` are a column `date`. Or a table of a database, see
        `planner.activity.databases.open_table`.
    area
        Districts in a metric CRS.
    datum
        What the degrees are in.
    columns
        Our name → the file's, where synonyms do not find them; see `planner.load.headers`.
    timezone
        IANA zone of the study.
    clock
        IANA zone of times without offset; `timezone` if None.

    Returns
    -------
    The feed. Every row of the files is in it once, in the files' order; what a row lacks is null,
    and what is no coordinate NaN. Its `note` gives `sha256` when that is asked for (all files are
    read then), and `notes` once the feed was read.

    Raises
    ------
    InputError
        A file is missing, damaged or has columns of unusable types; columns are missing
        (`ColumnError`); no time is written in a form that is known. What shows only in the rows is
        raised while reading.
    SettingsError
        `datum` or a time zone is unknown.

    Notes
    -----
    Whether days or months come first in dates like ``03.04.2026`` is told from the beginning of a
    file and from places spread over the rest; a file that leaves it open is refused.
    """
    check_datum(datum)
    check_zones([clock or timezone, timezone])
    require_metric(area, "area")
    if is_database(path):
        from planner.load.database import open_database

        rows: list[Rows | SheetRows] = [open_part(open_database(path), columns, clock or timezone)]
        note = _Note([], file=rows[0].path.name, notes={}, sha256="")
    else:
        files = find_files(path, nested=True)
        rows = [open_rows(file, columns, clock or timezone) for file in files]
        note = _Note(files, file=asked_path(path, files).name, notes={})
    scan = _Scan(rows, note)
    known = [part.count for part in rows]
    return FixFeed(
        read=scan.read,
        place=scan.place,
        area=area,
        datum=datum,
        timezone=timezone,
        rows=None if None in known else sum(n for n in known if n is not None),
        note=note,
        parts=tuple(p for part in rows for p in _as_parts(part, alone=len(rows) == 1)),
    )


def _as_parts(part: Rows | SheetRows, *, alone: bool) -> list[FeedPart]:
    shares: list[Rows | SheetRows] = [part]
    if isinstance(part, Rows) and part.part.shares:
        shares = [replace(part, part=share) for share in part.part.shares]
    place = part.unit if alone else f"{part.path.name} {part.unit}"
    return [FeedPart(partial(_read_part, share), place) for share in shares]


def _read_part(
    part: Rows | SheetRows, notes: dict[str, int]
) -> Iterator[tuple[pa.RecordBatch, int | np.ndarray]]:
    names = [n for n in FIX_SCHEMA.names if n != "worker_type" or part.has_worker_type]
    schema = pa.schema([FIX_SCHEMA.field(name) for name in names])
    for columns, row in part.read(notes):
        if part.has_worker_type and "worker_type" not in columns:
            columns["worker_type"] = all_riders(len(columns["time"]))
        yield pa.RecordBatch.from_arrays([columns[n] for n in names], schema=schema), row


class _Note(dict[str, Any]):
    """What the plan tells of the input; `sha256` is computed when it is asked for."""

    def __init__(self, files: list[Path], **known: object) -> None:
        super().__init__(known)
        self._files = files

    def __missing__(self, key: str) -> str:
        if key != "sha256":
            raise KeyError(key)
        self[key] = fingerprint(self._files)
        return str(self[key])

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_note, (self._files, dict(self))


def _restore_note(files: list[Path], known: dict[str, Any]) -> _Note:
    return _Note(files, **known)


@dataclass(frozen=True)
class _Scan:
    """Reads files one after the other and remembers where their rows stand."""

    parts: list[Rows | SheetRows]
    note: _Note
    # Where runs of rows begin that follow each other in a file: of the feed, which part, its row.
    _starts: list[int] = field(default_factory=list)
    _runs: list[tuple[int, int]] = field(default_factory=list)
    _seen: list[int] = field(default_factory=lambda: [0])  # rows of the feed that are remembered

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of `FIX_SCHEMA`, from the first row on."""
        schema = FIX_SCHEMA
        if not any(part.has_worker_type for part in self.parts):
            schema = pa.schema([f for f in FIX_SCHEMA if f.name != "worker_type"])
        notes: dict[str, int] = {}
        position = 0
        for number, part in enumerate(self.parts):
            for columns, row in part.read(notes):
                count = len(columns["time"])
                self._remember(position, number, row, count)
                position += count
                if "worker_type" in schema.names and "worker_type" not in columns:
                    columns["worker_type"] = all_riders(count)
                arrays = [columns[name] for name in schema.names]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        if not position:
            raise InputError(
                "the file has headers but no rows. Export it again.", file=self.parts[0].path
            )
        self.note["notes"] = {what: n for what, n in notes.items() if n}

    def _remember(self, position: int, part: int, row: int | np.ndarray, count: int) -> None:
        if position < self._seen[0] or not count:
            return
        self._seen[0] = position + count
        if isinstance(row, int):
            self._begin(position, part, row)
            return
        for at in [0, *(np.flatnonzero(np.diff(row) != 1) + 1).tolist()]:
            self._begin(position + at, part, int(row[at]))

    def _begin(self, start: int, part: int, first: int) -> None:
        """Remember that a run of rows begins, unless it goes on where the last one ended."""
        if self._runs and self._runs[-1] == (part, first - start + self._starts[-1]):
            return
        self._starts.append(start)
        self._runs.append((part, first))

    def place(self, row: int) -> str:
        """Say where a row of the feed stands: ``row 42``, with its file if there are several."""
        if row >= self._seen[0]:
            for _ in self.read():
                if row < self._seen[0]:
                    break
        at = bisect_right(self._starts, row) - 1
        part, first = self._runs[at]
        found = self.parts[part]
        name = f"{found.path.name} " if len(self.parts) > 1 else ""
        return f"{name}{found.unit} {first + row - self._starts[at]}"
