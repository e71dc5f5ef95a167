"""CSV and TSV of any size as pieces: only a block of the file is in memory at a time."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from functools import partial
from io import RawIOBase, StringIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from planner.errors import InputError
from planner.load.cells import as_text
from planner.load.delimited import (
    find_encoding,
    find_separator,
    first_rows,
    mixed_encodings,
    require_one_encoding,
    unique_headers,
)
from planner.load.files import find_header
from planner.load.pieces import Part, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BLOCK = 1 << 22
_HEAD = 1 << 20
_PLACES, _PLACE = 32, 1 << 16  # where a long file is looked at beyond its head, and how far
_STAND_IN = "\x1f"  # Arrow wants a separator of one byte: this one for “，”
_WORDS = ("rider_id", "worker_type")  # read as dictionaries


@dataclass(frozen=True)
class Layout:
    """How a text file is cut into cells.

    Attributes
    ----------
    above
        Lines up to the header and with it.
    width
        Cells a row; more than headers where every row ends with separators.
    """

    path: Path
    encoding: str
    separator: str
    headers: tuple[str, ...]
    above: int
    width: int


def open_lines(path: Path, table: str, columns: Mapping[str, str] | None) -> Part:
    """Look at a text file and return how to read it.

    Raises
    ------
    InputError
        The encoding cannot be found out, or the file holds no text.
    """
    layout = _find_layout(path, table, columns)
    return Part(
        path, layout.headers, {}, None, "row", partial(_peek, layout), partial(_read, layout)
    )


def _find_layout(path: Path, table: str, columns: Mapping[str, str] | None) -> Layout:
    head, places = _look(path)
    whole = len(head) == path.stat().st_size
    encoding = find_encoding(head, whole=whole)
    if encoding == "utf-8" and head.isascii():  # undecided: all encodings of concern hold ASCII
        encoding = find_encoding(head + b"".join(places), whole=False)
    encoding = require_one_encoding(head, encoding, path)
    text = _head_text(head, encoding)
    separator = find_separator(text)
    rows, ends = first_rows(text, separator)
    if not any(cell.strip() for row in rows for cell in row):
        raise InputError("the file holds no text. Export it again.", file=path)
    header = find_header(rows, table, columns)
    headers = tuple(unique_headers(rows[header]))
    below = rows[header + 1 :] if whole or len(rows) < 3 else rows[header + 1 : -1]
    width = _usual_width(below, len(headers))
    return Layout(path, encoding, separator, headers, ends[header], width)


def _look(path: Path) -> tuple[bytes, list[bytes]]:
    """Return a file's head, and whole lines at places spread over the rest."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        if size <= _HEAD + _PLACE:
            return head, []
        places = []
        for number in range(_PLACES):
            stream.seek(_HEAD + (size - _HEAD - _PLACE) * number // (_PLACES - 1))
            block = stream.read(_PLACE)
            places.append(block[block.find(b"\n") + 1 : block.rfind(b"\n") + 1])
    return head, places


def _head_text(head: bytes, encoding: str) -> str:
    text = codecs.getincrementaldecoder(encoding)().decode(head).removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _usual_width(rows: list[list[str]], headers: int) -> int:
    """Return how wide rows are: wider than the headers if most end with empty cells."""
    widths = [len(row) for row in rows if row and not any(c.strip() for c in row[headers:])]
    usual = max(set(widths), key=widths.count) if widths else headers
    return max(usual, headers)


def _peek(layout: Layout, header: str) -> pd.Series:
    """Return a column's cells in the head and, if letters are bytes there, at the places."""
    head, places = _look(layout.path)
    text = _head_text(head, layout.encoding)
    lines = text.split("\n")[layout.above :]
    lines = lines if len(head) == layout.path.stat().st_size else lines[:-1]
    rows = range(layout.above + 1, layout.above + 1 + len(lines))
    at, numbers = layout.headers.index(header), list(rows)
    if not layout.encoding.startswith(("utf-16", "utf-32")):
        for place in places:
            lines += place.decode(layout.encoding, errors="replace").splitlines()
    numbers += [0] * (len(lines) - len(numbers))
    cells = [_cell(line, layout.separator, at) for line in lines]
    return as_text(pd.Series(cells, index=numbers, dtype=str))


def _cell(line: str, separator: str, at: int) -> str:
    cells = next(csv.reader([line], delimiter=separator), []) if '"' in line else (
        line.split(separator)
    )  # fmt: skip
    return cells[at] if at < len(cells) else ""


class _Recoded(RawIOBase):
    """A text file as UTF-8, whatever it is written in."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stream = layout.path.open("rb")
        self._decoder = codecs.getincrementaldecoder(layout.encoding)()
        self._line = 1
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size or size < 0:
            data = self._stream.read(_HEAD)
            self._rest += self._decode(data)
            if not data:
                break
        size = len(self._rest) if size < 0 else size
        out, self._rest = self._rest[:size], self._rest[size:]
        return out

    def _decode(self, data: bytes) -> bytes:
        before = self._decoder.getstate()
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            self._decoder.setstate(before)
            newline = "\n".encode(_without_mark(self._layout.encoding))
            line = self._line + error.object[: error.start].count(newline)
            raise mixed_encodings(self._layout.path, line) from error
        self._line += text.count("\n")
        if self._layout.separator == "，":
            text = text.replace("，", _STAND_IN)
        return text.encode()

    def close(self) -> None:
        self._stream.close()
        super().close()


def _without_mark(encoding: str) -> str:
    """Return the encoding of a text's inside, where no mark stands."""
    return {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(encoding, encoding)


def _read(layout: Layout, picked: Mapping[str, str]) -> Iterator[Piece]:
    """Yield pieces; rows that are cut unevenly come at their place, as far as they make sense."""
    uneven: list[tuple[int, str]] = []
    row = layout.above + 1
    try:
        with _open_stream(layout) as stream:
            for batch in _open_reader(layout, picked, stream, uneven):
                used = _before(uneven, row + batch.num_rows)
                piece = _even(batch, picked, row)
                if used:
                    piece = _merge(piece, _mended(layout, picked, used), row)
                row += batch.num_rows + len(used)
                piece = _filled_rows(piece)
                if len(piece):
                    yield piece
            if uneven:
                piece = _filled_rows(_mended(layout, picked, uneven))
                if len(piece):
                    yield piece
    except (pa.ArrowException, UnicodeError) as error:
        raise _explain(layout, error, row) from error


def _before(uneven: list[tuple[int, str]], row: int) -> list[tuple[int, str]]:
    """Take those out of `uneven` that lie before a row, each of which moves it by one."""
    count = 0
    while count < len(uneven) and uneven[count][0] < row + count:
        count += 1
    used = uneven[:count]
    del uneven[:count]
    return used


def _open_stream(layout: Layout) -> pa.NativeFile:
    if layout.encoding in ("utf-8", "utf-8-sig") and layout.separator != "，":
        return pa.OSFile(str(layout.path))
    return pa.PythonFile(_Recoded(layout), mode="r")


def _open_reader(
    layout: Layout,
    picked: Mapping[str, str],
    stream: pa.NativeFile,
    uneven: list[tuple[int, str]],
) -> Iterator[pa.RecordBatch]:
    import pyarrow.csv as pacsv

    def keep(row: object) -> str:
        uneven.append((row.number, row.text))  # type: ignore[attr-defined]
        return "skip"

    separator = _STAND_IN if layout.separator == "，" else layout.separator
    word = pa.dictionary(pa.int32(), pa.string())
    words = {picked[f] for f in _WORDS if f in picked}
    names = _cell_names(layout)
    try:
        return pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=_BLOCK, skip_rows=layout.above, column_names=names
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=separator, newlines_in_values=True, ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={n: word if n in words else pa.string() for n in names},
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return iter(())
        raise


def _cell_names(layout: Layout) -> list[str]:
    fill = range(layout.width - len(layout.headers))
    return [*layout.headers, *(f"\x00{n}" for n in fill)]


def _even(batch: pa.RecordBatch, picked: Mapping[str, str], row: int) -> Piece:
    """Return a batch as a piece, with which of its rows are blank."""
    filled = np.zeros(batch.num_rows, dtype=bool)
    for column in batch.columns:
        if column.null_count == 0:
            filled[:] = True
            break
        filled |= np.asarray(column.is_valid())
    columns = {field: batch.column(header) for field, header in picked.items()}
    return Piece(columns, row, None, None if filled.all() else ~filled)


def _mended(layout: Layout, picked: Mapping[str, str], rows: list[tuple[int, str]]) -> Piece:
    """Return uneven rows as a piece."""
    cells = [_mend(layout, text, number) for number, text in rows]
    at = {field: layout.headers.index(header) for field, header in picked.items()}
    return Piece(
        {f: pa.array([(c and c[k]) or None for c in cells], pa.string()) for f, k in at.items()},
        np.array([number for number, _ in rows], dtype=np.int64),
        np.array([c is None for c in cells], dtype=bool),
        np.array([c is not None and not any(map(str.strip, c)) for c in cells], dtype=bool),
    )


def _merge(even: Piece, uneven: Piece, row: int) -> Piece:
    """Return both in the order of their rows: the uneven have numbers, the even what is left."""
    count = len(even)
    numbers = np.arange(row, row + count + len(uneven), dtype=np.int64)
    mine = np.isin(numbers, uneven.row)
    order = np.empty(len(numbers), dtype=np.int64)
    order[~mine], order[mine] = np.arange(count), np.arange(count, len(numbers))
    columns = {
        field: pa.concat_arrays([pc.cast(cells, pa.string()), uneven.columns[field]]).take(
            pa.array(order)
        )
        for field, cells in even.columns.items()
    }
    nothing = np.zeros(count, dtype=bool)
    blank = nothing if even.blank is None else even.blank
    return Piece(
        columns,
        numbers,
        np.concatenate([nothing, _flags(uneven.too_many)])[order],
        np.concatenate([blank, _flags(uneven.blank)])[order],
    )


def _flags(flags: np.ndarray | None) -> np.ndarray:
    return np.zeros(0, dtype=bool) if flags is None else flags


def _filled_rows(piece: Piece) -> Piece:
    """Return a piece without the rows in which nothing stands: they are no data and no loss."""
    if piece.blank is None or not piece.blank.any():
        return piece
    kept = ~piece.blank
    mask = pa.array(kept)
    columns = {field: cells.filter(mask) for field, cells in piece.columns.items()}
    too_many = None if piece.too_many is None else piece.too_many[kept]
    return Piece(columns, piece.rows()[kept], too_many)


def _mend(layout: Layout, text: str, row: int) -> list[str] | None:
    """Return the cells of a row that is too short or ends with separators; None if too long."""
    separator = _STAND_IN if layout.separator == "，" else layout.separator
    try:
        cells = next(csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise _unclosed(layout, str(error), row) from error
    width = len(layout.headers)
    if any(c.strip() for c in cells[width:]):
        return None
    return [*cells[:width], *[""] * (width - len(cells))]


def _explain(layout: Layout, error: Exception, row: int) -> InputError:
    """Return what is wrong with a file that Arrow stumbles over."""
    line = _find_bad_line(layout)
    if line:
        return mixed_encodings(layout.path, line)
    return _unclosed(layout, str(error), row)


def _unclosed(layout: Layout, said: str, row: int) -> InputError:
    why = (said.splitlines() or ["damaged"])[0].rstrip(".")[:200]
    return InputError(
        f"not readable as a table from about here on: {why}. Look for a quotation mark that is "
        "never closed.",
        file=layout.path,
        row=row,
    )


def _find_bad_line(layout: Layout) -> int:
    """Return the first line that is not in the file's encoding, 0 if there is none."""
    decoder = codecs.getincrementaldecoder(layout.encoding)()
    line = 1
    with layout.path.open("rb") as stream:
        while True:
            data = stream.read(_HEAD)
            try:
                line += decoder.decode(data, final=not data).count("\n")
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            if not data:
                return 0
