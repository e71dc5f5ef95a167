"""CSV and TSV of any encoding and separator, every row with its number in the file."""

from __future__ import annotations

import codecs
import csv
import warnings
from io import BytesIO, StringIO
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins the same
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_SEPARATORS = ",\t;|，"
_HEAD_ROWS = 15
_LOOK = 1 << 20
_TOO_MANY = "\x00too many cells"


def find_encoding(data: bytes, *, whole: bool = True) -> str | None:
    """Return the encoding of a text: its mark, else UTF-8, GB 18030, UTF-16, else a good guess.

    Parameters
    ----------
    data
        Bytes from the beginning of the text.
    whole
        Whether they are all; else the last letter may be cut.

    Examples
    --------
    >>> find_encoding("驿站".encode("gbk")), find_encoding("驿站".encode())
    ('gb18030', 'utf-8')
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding if _decodes(data, encoding, whole=whole) else None
    zeros = np.frombuffer(data[: 1 << 16], dtype=np.uint8) == 0
    if zeros.any():  # text holds none: half of UTF-16's bytes, where it is ASCII
        encoding = "utf-16-le" if zeros[1::2].sum() >= zeros[::2].sum() else "utf-16-be"
        text = data[: len(data) // 2 * 2]
        return encoding if zeros.mean() > 0.1 and _decodes(text, encoding, whole=whole) else None
    for encoding in ("utf-8", "gb18030"):
        if _decodes(data, encoding, whole=whole):
            return encoding
    for encoding in ("utf-16-le", "utf-16-be"):
        if _decodes(data, encoding, whole=whole) and _is_readable(
            data[:8192].decode(encoding, errors="ignore")
        ):
            return encoding
    from charset_normalizer import from_bytes

    best = from_bytes(data[: 1 << 18]).best()
    guess = best.encoding if best else None
    return guess if guess and _decodes(data, guess, whole=whole) else None


def require_one_encoding(data: bytes, encoding: str | None, file: Path) -> str:
    """Return the encoding if all of the text is in it.

    Parameters
    ----------
    data
        Whole lines from the beginning of the text.
    encoding
        As `find_encoding` tells it.

    Raises
    ------
    InputError
        There is none, or some lines are Chinese in UTF-8 and others are not UTF-8: as GB 18030 the
        former would be read without a complaint, and wrongly.
    """
    if encoding is None or not encoding.startswith("utf"):
        fine, odd, first = 0, 0, 0
        for number, line in enumerate(data[:_LOOK].split(b"\n")[:-1], start=1):
            if line.isascii():
                continue
            try:
                fine += any("\u3000" <= c <= "\u9fff" for c in line.decode())
            except UnicodeDecodeError:
                odd, first = odd + 1, first or number
        if odd and fine * 50 >= odd:  # a line of GB 18030 that is UTF-8 too is a rare accident
            raise mixed_encodings(file, first)
    if encoding is None:
        raise InputError(
            "its encoding is not readable (no UTF-8, GB 18030 or UTF-16). Save it as UTF-8 CSV "
            "or as Excel.",
            file=file,
        )
    return encoding


def mixed_encodings(file: Path, row: int) -> InputError:
    """Return the error for a text of which a line is in another encoding than the rest."""
    return InputError(
        "this line is written in another encoding than others of the file. Save it anew as "
        "UTF-8, from the program that wrote it.",
        file=file,
        row=row,
    )


def _decodes(data: bytes, encoding: str, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeError:
        return False
    return True


def _is_readable(text: str) -> bool:
    """Tell whether a text has lines, and letters that Chinese or Western files have."""
    usual = sum(c < "\u0250" or "\u3000" <= c <= "\u9fff" or c >= "\uff00" for c in text)
    return "\n" in text and usual > 0.95 * len(text)


def read_delimited(
    data: bytes, find_header: Callable[[list[list[str]]], int], *, file: Path
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Read delimited text, every cell as it stands.

    Parameters
    ----------
    data
        The file's bytes.
    find_header
        Given the first rows, tells which of them holds the headers (0-based).
    file
        For messages.

    Returns
    -------
    frame, row, too_many
        Text columns; the rows' numbers as a person counts them in the file, shape (n,) int64;
        shape (n,) bool, true for rows with more cells than headers (their cells are empty).

    Raises
    ------
    InputError
        The encoding cannot be found out, or a quotation mark is never closed.
    """
    encoding = require_one_encoding(data, find_encoding(data), file)
    text = data.decode(encoding).removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    separator = find_separator(text)
    rows, ends = first_rows(text, separator)
    if not any(cell.strip() for row in rows for cell in row):
        raise InputError("the file holds no text. Export it again.", file=file)
    header = find_header(rows)
    headers = unique_headers(rows[header])
    below = text.split("\n", ends[header])[ends[header] :]
    frame = _read_cells("".join(below), separator, len(headers), ends[header], file)
    frame.columns = pd.Index(headers)
    row = np.arange(len(frame), dtype=np.int64) + ends[header] + 1
    too_many = (frame[headers[0]] == _TOO_MANY).to_numpy(bool)
    if too_many.any():
        frame = frame.where(np.broadcast_to(~too_many[:, None], frame.shape), "")
    return frame, row, too_many


def first_rows(text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """Return the first rows and the line that each ends on (a quoted cell may span lines)."""
    reader = csv.reader(StringIO(text[: 1 << 16], newline=""), delimiter=separator)
    rows: list[list[str]] = []
    ends: list[int] = []
    for row in islice(reader, _HEAD_ROWS):
        rows.append(row)
        ends.append(reader.line_num)
    return rows, ends


def find_separator(text: str) -> str:
    """Return what cuts the first lines into the most equal rows of more than one cell."""

    def fitness(separator: str) -> tuple[int, int]:
        widths = [len(row) for row in first_rows(text, separator)[0] if any(row)]
        usual = max(set(widths), key=lambda w: (widths.count(w), w)) if widths else 1
        return (widths.count(usual) if usual > 1 else 0), usual

    return max(_SEPARATORS, key=fitness)


def _read_cells(body: str, separator: str, width: int, above: int, file: Path) -> pd.DataFrame:
    """Read cells under the header, the quick way if every row fits and else the patient one."""
    if not body.strip():
        return pd.DataFrame(index=range(0), columns=range(width), dtype=str)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(
                BytesIO(body.encode()), sep=separator, header=None, names=list(range(width)),
                index_col=False, dtype=str, keep_default_na=False, skip_blank_lines=False,
            )  # fmt: skip
        except (pd.errors.ParserError, pd.errors.ParserWarning):
            return _read_patiently(body, separator, width, above, file)


def _read_patiently(body: str, separator: str, width: int, above: int, file: Path) -> pd.DataFrame:
    cells: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(body, newline=""), delimiter=separator, strict=True):
            if any(c.strip() for c in row[width:]):
                cells.append([_TOO_MANY, *[""] * (width - 1)])
            else:
                cells.append([*row[:width], *[""] * (width - len(row))])
    except csv.Error as error:
        raise InputError(
            f"not readable as a table: {error}. Look for a quotation mark that is never closed.",
            file=file,
            row=len(cells) + above + 1,
        ) from error
    return pd.DataFrame(cells, columns=range(width), dtype=str)


def unique_headers(headers: Sequence[object]) -> list[str]:
    """Return headers as distinct texts: an empty one by its place, a repeated one numbered.

    Examples
    --------
    >>> unique_headers([" 时间 ", "时间", None])
    ['时间', '时间.1', 'column 3']
    """
    names: list[str] = []
    for place, header in enumerate(headers, start=1):
        name = "" if header is None else str(header).strip().strip("\ufeff")
        name = name or f"column {place}"
        count = 1
        unique = name
        while unique in names:
            unique = f"{name}.{count}"
            count += 1
        names.append(unique)
    return names
