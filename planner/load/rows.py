"""One file of fixes → columns of the feed: which column is which, and how each is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from planner.errors import InputError
from planner.load.cells import as_text
from planner.load.columnar import is_geographic, open_arrow, open_parquet
from planner.load.columns import (
    Words,
    clean_names,
    fill_words,
    text_array,
    to_degrees,
    to_pairs,
    worker_words,
)
from planner.load.files import file_kind, partition_values, read_sheet, with_folders
from planner.load.headers import missing_column, pick_columns
from planner.load.instants import join_clock, read_instants
from planner.load.lines import open_lines
from planner.load.pieces import BATCH_ROWS, Part, Piece
from planner.load.presets import unfold
from planner.load.source import Source, join_sheets
from planner.load.times import find_day_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Predicates of Arrow's types.
_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
_NUMBER = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_READABLE = {
    "rider_id": ("names", (*_TEXT, *_NUMBER)),
    "worker_type": ("names", (*_TEXT, *_NUMBER)),
    "time": ("times", (*_TEXT, *_NUMBER, pa.types.is_timestamp, pa.types.is_time)),
    "date": ("days", (*_TEXT, *_NUMBER, pa.types.is_timestamp, pa.types.is_date)),
    "lon": ("numbers", (*_TEXT, *_NUMBER)),
    "lat": ("numbers", (*_TEXT, *_NUMBER)),
    "lonlat": ("texts", _TEXT),
    "latlon": ("texts", _TEXT),
    "polyline": ("texts", _TEXT),
}
_SHOWN = "rows with more cells than headers, counted as without coordinate"

Columns = dict[str, pa.Array]


def open_rows(path: Path, columns: Mapping[str, str] | None, clock: str) -> Rows | SheetRows:
    """Find out how a file's fixes are to be read.

    Raises
    ------
    InputError
        The file is damaged, columns are missing (`ColumnError`) or of unusable types, or its times
        are written in no form that is known.
    """
    kind = file_kind(path)
    if kind == "excel":
        return SheetRows(path, columns, clock, "row")
    if kind == "vector" or (kind == "parquet" and is_geographic(path)):
        return SheetRows(path, columns, clock, "feature")
    opener = {"parquet": open_parquet, "arrow": open_arrow}
    part = opener[kind](path) if kind in opener else open_lines(path, "fixes", columns)
    folders = {k: v for k, v in partition_values(path).items() if k not in part.headers}
    return open_part(part, columns, clock, folders)


def open_part(
    part: Part,
    columns: Mapping[str, str] | None,
    clock: str,
    folders: Mapping[str, str] | None = None,
) -> Rows:
    """Find out how fixes are to be read of which it is known how they lie; see `open_rows`."""
    path, folders = part.path, folders or {}
    headers = [*part.headers, *folders]
    picked = pick_columns(headers, "fixes", columns, file=path)
    picked = _needed(picked, headers, path)
    _check_types(part, picked)
    form = _time_form(part, picked, folders, clock)
    if not form.joined:
        picked.pop("date", None)
    constants = {f: folders[h] for f, h in picked.items() if h in folders}
    return Rows(part, {f: h for f, h in picked.items() if h not in folders}, constants, form)


def _needed(picked: dict[str, str], headers: list[str], path: Path) -> dict[str, str]:
    """Return the columns that are read of a file; raise if some are missing."""
    if _is_folded(picked):
        fields = [f for f in picked if f != "date"]
    else:
        pair = next((f for f in ("lonlat", "latlon") if f in picked), None)
        place = ["lon", "lat"] if pair is None or {"lon", "lat"} <= set(picked) else [pair]
        fields = ["rider_id", "worker_type", "time", "date", *place]
    missing = [f for f in fields if f not in picked and f not in ("worker_type", "date")]
    if missing:
        raise missing_column(missing, headers, "fixes", file=path)
    return {f: picked[f] for f in fields if f in picked}


def _is_folded(picked: Mapping[str, str]) -> bool:
    """Tell whether a row holds several fixes: see `planner.load.presets.unfold`."""
    trips = {"polyline", "time"} <= set(picked) and "lon" not in picked
    ends = {"accept_lon", "accept_lat", "accept_time", "pickup_lon", "pickup_lat"}
    return trips or ends <= set(picked)


def _check_types(part: Part, picked: Mapping[str, str]) -> None:
    for ours, header in picked.items():
        kind = part.types.get(header)
        if kind is None:
            continue
        inner = kind.value_type if pa.types.is_dictionary(kind) else kind
        what, tests = _READABLE.get(ours, ("texts or numbers", (*_TEXT, *_NUMBER)))
        if not any(test(inner) for test in tests):
            raise InputError(
                f"holds {_in_words(inner)}, and `{ours}` is read from {what}. Name another column "
                f"under `columns`, or write this one as {what}.",
                file=part.path,
                column=header,
            )


def _in_words(kind: pa.DataType) -> str:
    """Return what a type is to a reader who does not know Arrow.

    Examples
    --------
    >>> _in_words(pa.bool_())
    'yes and no (bool)'
    """
    words = (
        (pa.types.is_boolean, "yes and no"),
        (pa.types.is_nested, "lists"),
        (pa.types.is_date, "days"),
        (pa.types.is_duration, "durations"),
        (pa.types.is_temporal, "times"),
        (_is_text, "texts"),
        (pa.types.is_binary, "bytes"),
    )
    word = next((w for test, w in words if test(kind)), "")
    return f"{word} ({kind})" if word else str(kind)


class TimeForm(NamedTuple):
    """How a file writes its times."""

    clock: str
    day_first: bool | None = None
    joined: bool = False  # a clock in `time`, its day in `date`


def _time_form(
    part: Part, picked: Mapping[str, str], folders: Mapping[str, str], clock: str
) -> TimeForm:
    """Tell from a look at a file how its times are written.

    Raises
    ------
    InputError
        Not one of them is understood; the first is shown with its row.
    """
    header = picked["time"]
    kind = part.types.get(header)
    if kind is not None and pa.types.is_dictionary(kind):
        kind = kind.value_type
    if kind is not None and pa.types.is_time(kind) and "date" in picked:
        return TimeForm(clock, None, joined=True)
    if kind is not None and not any(test(kind) for test in (*_TEXT, pa.types.is_time)):
        return TimeForm(clock)
    if "accept_time" in picked:
        return TimeForm(clock)
    seen = part.peek(header)
    filled = (seen != "").to_numpy(bool)
    seen = seen[filled]
    day_first = find_day_first(seen)
    cells = text_array(seen)
    if not len(seen) or _any_time(cells, clock, day_first):
        return TimeForm(clock, day_first)
    if "date" in picked:
        date = picked["date"]
        days = (
            pa.array([folders[date]] * len(seen))
            if date in folders
            else text_array(part.peek(date)[filled])
        )
        joined = join_clock(days, cells)
        day_first = find_day_first(joined.to_pandas())
        if _any_time(joined, clock, day_first):
            return TimeForm(clock, day_first, joined=True)
    raise _unknown_time(part, header, seen)


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in _TEXT)


def _any_time(cells: pa.Array, clock: str, day_first: bool | None) -> bool:
    for start in range(0, len(cells), 1 << 12):
        times = read_instants(cells[start : start + (1 << 12)], clock=clock, day_first=day_first)
        if times.null_count < len(times):
            return True
    return False


def _unknown_time(part: Part, header: str, seen: pd.Series) -> InputError:
    """Return the error for a file of which no time is understood."""
    row, cell = int(seen.index[0]), str(seen.iloc[0])
    why, remedy = _why_no_time(cell)
    return InputError(f"`{cell}` {why}. {remedy}", file=part.path, row=row or None, column=header)


def _why_no_time(cell: str) -> tuple[str, str]:
    """Say what a text lacks to be a time, and the remedy.

    Examples
    --------
    >>> _why_no_time("1970-01-01 08:00:00")[0]
    'lies before 2000 or after 2099, and so does every other that was looked at'
    >>> _why_no_time("08:00")[0]
    'is a clock without its day'
    """
    form = "Write times like 2026-09-15 11:02:00, or as seconds since 1970."
    if _any_time(pa.array([cell]), "UTC", day_first=True):
        why = "may begin with the day or with the month, and no date in the file decides it"
        return why, form
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?", cell):
        return "is a clock without its day", 'Name the column of days: columns = { date = "…" }.'
    if re.fullmatch(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", cell):
        return "is a day without a clock", form
    if _says_year(cell):
        why = "lies before 2000 or after 2099, and so does every other that was looked at"
        return why, "Set right the clock that wrote them, or name another column."
    return "is written in no form of time that is known, nor is any other that was looked at", form


def _says_year(cell: str) -> bool:
    """Tell whether a text is a time but for its year."""
    same = re.sub(r"^\d{4}(?=\D)", "2024", cell)
    return same != cell and _any_time(pa.array([same]), "UTC", day_first=True)


@dataclass(frozen=True)
class Rows:
    """The fixes of one file."""

    part: Part
    picked: dict[str, str]
    constants: dict[str, str]
    form: TimeForm

    @property
    def path(self) -> Path:
        """The file."""
        return self.part.path

    @property
    def unit(self) -> str:
        """What a row is called."""
        return self.part.unit

    @property
    def count(self) -> int | None:
        """How many, None if that is not known beforehand."""
        return None if _is_folded(self.picked) else self.part.rows

    @property
    def has_worker_type(self) -> bool:
        """Whether `read` gives worker types."""
        return (
            "worker_type" in self.picked
            or "worker_type" in self.constants
            or _is_folded(self.picked)
        )

    def read(self, notes: dict[str, int]) -> Iterator[tuple[Columns, int | np.ndarray]]:
        """Yield columns of the feed and where their rows stand; `notes` is added to."""
        reader = _Reader(self.form)
        for found in self.part.read(self.picked):
            for ours, value in self.constants.items():
                found.columns[ours] = pa.repeat(pa.scalar(value or None, pa.string()), len(found))
            folded = _is_folded(self.picked)
            piece = _unfold_piece(self.path, found, self.picked, notes) if folded else found
            if piece.too_many is not None:
                notes[_SHOWN] = notes.get(_SHOWN, 0) + int(piece.too_many.sum())
            try:
                columns = reader.read(piece.columns)
            except pa.ArrowException as error:
                raise InputError(
                    f"its columns cannot be read here ({str(error).splitlines()[0][:200]}). Write "
                    "the file again, with texts and numbers only.",
                    file=self.path,
                    row=int(piece.rows()[0]),
                ) from error
            yield columns, piece.row


@dataclass(frozen=True)
class SheetRows:
    """The fixes of a file that is read as a whole: a workbook, a layer."""

    path: Path
    columns: Mapping[str, str] | None
    clock: str
    unit: str

    count: ClassVar[int | None] = None
    has_worker_type: ClassVar[bool] = True

    def read(self, notes: dict[str, int]) -> Iterator[tuple[Columns, int | np.ndarray]]:
        """Yield columns of the feed and where their rows stand; `notes` is added to."""
        sheet = with_folders(read_sheet(self.path, "fixes", self.columns))
        if not len(sheet.frame):
            return
        source = join_sheets(self.path, [sheet], "fixes", self.columns)
        picked = {f: source.header(f) for f in source.frame.columns}
        if not _is_folded(picked):
            picked = _needed(picked, [*source.all_headers], self.path)
        source, said = unfold(source)
        _add(notes, said)
        columns = _arrays(source.frame[[c for c in source.frame.columns if c in _READABLE]])
        part = Part(
            self.path, source.all_headers, {}, None, self.unit, partial(_peek, source), _no_pieces
        )
        typed = not _is_text(columns["time"].type)
        ours = {f: source.header(f) for f in columns}
        form = TimeForm(self.clock) if typed else _time_form(part, ours, {}, self.clock)
        reader = _Reader(form)
        for start in range(0, len(source), BATCH_ROWS):
            some = {f: c[start : start + BATCH_ROWS] for f, c in columns.items()}
            yield reader.read(some), source.row[start : start + BATCH_ROWS]


def _peek(source: Source, header: str) -> pd.Series:
    ours = {source.header(field): field for field in source.frame.columns}
    return source.text(ours[header]).set_axis(source.row)


def _no_pieces(_picked: Mapping[str, str]) -> Iterator[Piece]:
    return iter(())


def _add(notes: dict[str, int], said: Mapping[str, int]) -> None:
    for what, count in said.items():
        notes[what] = notes.get(what, 0) + count


def _unfold_piece(path: Path, piece: Piece, picked: dict[str, str], notes: dict[str, int]) -> Piece:
    """Return a piece of one fix a row."""
    frame = pd.DataFrame({f: c.to_pandas() for f, c in piece.columns.items()})
    count = len(piece)
    too_many = np.zeros(count, dtype=bool) if piece.too_many is None else piece.too_many
    source = Source(
        path, "fixes", frame, piece.rows(), np.zeros(count, np.int64), (path,), ("row",), picked,
        too_many,
    )  # fmt: skip
    source, said = unfold(source)
    _add(notes, said)
    return Piece(_arrays(source.frame), source.row, source.too_many)


def _arrays(frame: pd.DataFrame) -> Columns:
    return {str(name): _array(frame[name]) for name in frame.columns}


def _array(cells: pd.Series) -> pa.Array:
    """Return a column as Arrow has it: texts where types are mixed, empty ones as null."""
    numeric = pd.api.types.is_numeric_dtype(cells.dtype) and cells.dtype != bool
    if numeric or pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return pa.array(cells, from_pandas=True)
    text = as_text(cells)
    return text_array(text.where(text != ""))


class _Reader:
    """Reads the columns of one file, of any number of batches; it keeps what they share."""

    def __init__(self, form: TimeForm) -> None:
        self._form = form
        self._riders = Words(clean_names)
        self._types = Words(worker_words)

    def read(self, cells: Columns) -> Columns:
        """Return `rider_id`, `time`, `lon`, `lat` and perhaps `worker_type` as a feed has them."""
        clock, day_first, joined = self._form
        time = join_clock(cells["date"], cells["time"]) if joined else cells["time"]
        found = {
            "rider_id": self._riders.read(cells["rider_id"]),
            "time": read_instants(time, clock=clock, day_first=day_first),
        }
        if "lon" in cells:
            found["lon"], found["lat"] = to_degrees(cells["lon"]), to_degrees(cells["lat"])
        else:
            pair = "lonlat" if "lonlat" in cells else "latlon"
            found["lon"], found["lat"] = to_pairs(cells[pair], latitude_first=pair == "latlon")
        if "worker_type" in cells:
            found["worker_type"] = fill_words(self._types.read(cells["worker_type"]), "rider")
        return found
