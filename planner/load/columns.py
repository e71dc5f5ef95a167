"""Arrow columns of riders, worker types and degrees, as a feed of fixes has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from planner.load.cells import as_text, each_text, read_degrees, read_pair, to_numbers
from planner.load.words import worker_type

if TYPE_CHECKING:
    from collections.abc import Callable

WORD = pa.dictionary(pa.int32(), pa.string())

_MOST_CODES = 1 << 24  # of numbers that are looked up in a table: 64 MB
_BLANK_BYTES = 7  # no longer is what people write into a cell to say that it is empty
_BLANK_STARTS = np.isin(np.arange(256), np.frombuffer("-—/\\n#NU<无暂未空u".encode(), np.uint8))
_EDGES = np.arange(256) <= 0x20
_EDGES[[0xC2, 0xE3, 0xE2, 0x80, 0xA0]] = True  # bytes of the spaces beyond ASCII
_PAIR = r"^\s*(?P<a>[-+]?\d{1,3}(?:\.\d+)?)\s*,\s*(?P<b>[-+]?\d{1,3}(?:\.\d+)?)\s*$"
_NUMBER = r"^[-+]?\d+(?:\.\d*)?$"


class Words:
    """Reads one column of words as a dictionary, and each distinct word once.

    It keeps the last dictionary: batches of one file mostly share theirs.
    """

    def __init__(self, read: Callable[[pa.Array], pa.Array]) -> None:
        self._read = read
        self._seen: pa.Array | None = None
        self._known: pa.Array | None = None
        self._moved: pa.Array | None = None  # where the words went, if two have become one
        self._numbers = _Numbers()

    def read(self, cells: pa.Array) -> pa.DictionaryArray:
        """Return a column as `WORD`, null where nothing stands."""
        kind = cells.type
        if pa.types.is_integer(kind):
            return self._read_numbers(cells)
        if pa.types.is_null(kind):
            cells = cells.cast(pa.string())
        elif pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            cells = text_array(as_text(cells.to_pandas()))
        if not pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_encode()
        codes = cells.indices
        if codes.type != pa.int32():
            codes = codes.cast(pa.int32())
        return self._spell(codes, cells.dictionary)

    def _spell(self, codes: pa.Array, dictionary: pa.Array) -> pa.DictionaryArray:
        if self._known is None or not dictionary.equals(self._seen):
            self._seen, self._moved = dictionary, None
            text = dictionary if dictionary.type == pa.string() else dictionary.cast(pa.string())
            self._known = self._read(text)
            if self._known is not text:
                encoded = self._known.dictionary_encode()
                self._known, self._moved = encoded.dictionary, encoded.indices
        if self._moved is not None:
            codes = self._moved.take(codes)
        return pa.DictionaryArray.from_arrays(codes, self._known, safe=False)

    def _read_numbers(self, cells: pa.Array) -> pa.DictionaryArray:
        return self._spell(*self._numbers.read(cells))


class _Numbers:
    """Gives numbers codes that stay the same from batch to batch."""

    def __init__(self) -> None:
        self._known = np.empty(0, dtype=np.int64)
        self._text = pa.array([], pa.string())
        self._low = 0
        self._table = np.empty(0, dtype=np.int32)  # number - low → code, -1 = not seen yet
        self._index: pd.Index | None = None

    def read(self, cells: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return codes, null where the number is, and the texts that they stand for."""
        nothing = np.asarray(cells.is_null()) if cells.null_count else None
        values = np.asarray(pc.fill_null(cells, 0) if cells.null_count else cells)
        if values.dtype == np.uint64 and (values > np.uint64(2**63 - 1)).any():
            encoded = cells.dictionary_encode()
            return encoded.indices, encoded.dictionary.cast(pa.string())
        values = values.astype(np.int64, copy=False)
        return pa.array(self._codes(values), mask=nothing), self._text

    def _codes(self, values: np.ndarray) -> np.ndarray:
        if not len(values):
            return np.empty(0, dtype=np.int32)
        low, high = int(values.min()), int(values.max())
        if len(self._known):
            low, high = min(low, self._low), max(high, self._low + len(self._table) - 1)
        if self._index is None and high - low < _MOST_CODES:
            return self._from_table(values, low, high)
        return self._from_index(values)

    def _from_table(self, values: np.ndarray, low: int, high: int) -> np.ndarray:
        if low < self._low or high - low >= len(self._table):
            table = np.full(high - low + 1, -1, dtype=np.int32)
            table[self._known - low] = np.arange(len(self._known), dtype=np.int32)
            self._low, self._table = low, table
        codes = self._table[values - low]
        if codes.min() < 0:
            self._learn(np.unique(values[codes < 0]))
            new = self._known[self._table[self._known - low] < 0]
            first = len(self._known) - len(new)
            self._table[new - low] = np.arange(first, len(self._known), dtype=np.int32)
            codes = self._table[values - low]
        return codes

    def _from_index(self, values: np.ndarray) -> np.ndarray:
        if self._index is None:
            self._index, self._table = pd.Index(self._known), np.empty(0, dtype=np.int32)
        codes = self._index.get_indexer(pd.Index(values))
        if codes.min() < 0:
            self._learn(np.unique(values[codes < 0]))
            self._index = pd.Index(self._known)
            codes = self._index.get_indexer(pd.Index(values))
        return codes.astype(np.int32)

    def _learn(self, new: np.ndarray) -> None:
        self._known = np.concatenate([self._known, new])
        self._text = pa.concat_arrays([self._text, pa.array(new).cast(pa.string())])


def text_array(text: pd.Series) -> pa.Array:
    """Return texts as one Arrow array, null where none is known."""
    found = pa.array(text, type=pa.string())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def clean_names(names: pa.Array) -> pa.Array:
    """Return names as `planner.load.cells.as_text` has them: no edges of space, no “N/A”.

    Examples
    --------
    >>> clean_names(pa.array(["r1", " 骑手 ", "N/A"])).to_pylist()
    ['r1', '骑手', '']
    """
    doubtful = _doubtful(names)
    if not doubtful.any():
        return names
    mask = pa.array(doubtful)
    cleaned = as_text(names.filter(mask).to_pandas())
    return pc.replace_with_mask(names, mask, text_array(cleaned))


def _doubtful(names: pa.Array) -> np.ndarray:
    """Tell which names may be blank or have spaces at their edges, from their first and last byte.

    A quarter of a million riders stand in the dictionary of a day's row group: this is to cost
    next to nothing.
    """
    if not len(names) or names.null_count:
        return np.ones(len(names), dtype=bool)
    _, offsets, data = names.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32)[names.offset : names.offset + len(names) + 1]
    start, size = ends[:-1], np.diff(ends)
    if size.min() == 0 or data is None:
        return np.ones(len(names), dtype=bool)
    letters = np.frombuffer(data, dtype=np.uint8)
    first, last = letters[start], letters[ends[1:] - 1]
    return _EDGES[first] | _EDGES[last] | ((size <= _BLANK_BYTES) & _BLANK_STARTS[first])


def worker_words(words: pa.Array) -> pa.Array:
    """Return worker types in our words."""
    return pa.array(each_text(words.to_pandas(), worker_type), type=pa.string())


def fill_words(words: pa.DictionaryArray, filling: str) -> pa.DictionaryArray:
    """Return words with one in place of nulls."""
    if not words.indices.null_count:
        return words
    known = pa.concat_arrays([words.dictionary, pa.array([filling])])
    codes = pc.fill_null(words.indices, pa.scalar(len(words.dictionary), pa.int32()))
    return pa.DictionaryArray.from_arrays(codes, known)


def all_riders(count: int) -> pa.DictionaryArray:
    """Return the worker types of a file that names none."""
    codes = pa.array(np.zeros(count, dtype=np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array(["rider"]))


def to_degrees(cells: pa.Array) -> pa.Array:
    """Return degrees, null where nothing stands and NaN where no number does.

    Examples
    --------
    >>> to_degrees(pa.array(["104.06", "１０４．０６", "", "here"])).to_pylist()
    [104.06, 104.06, None, nan]
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return to_degrees(cells.dictionary).take(cells.indices)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(cells)
    if kind != pa.float64():
        cells = cells.cast(pa.float64(), safe=False)
    return _marked(cells)


def _marked(cells: pa.Array) -> pa.Array:
    """Return numbers with null for NaN (tables without a number hold it) and NaN for infinity."""
    buffer = cells.buffers()[1]
    if not len(cells) or buffer is None:
        return cells
    values = np.frombuffer(buffer, dtype=np.float64)[cells.offset : cells.offset + len(cells)]
    if np.isfinite(values).all():
        return cells
    nan = np.isnan(values)
    kept = np.where(np.isinf(values), np.nan, values)
    return pa.array(kept, mask=nan | np.asarray(cells.is_null()) if cells.null_count else nan)


def _from_text(cells: pa.Array) -> pa.Array:
    nothing = pa.scalar(None, cells.type)
    try:
        return _marked(cells.cast(pa.float64()))
    except pa.ArrowInvalid:
        plain = pc.fill_null(pc.match_substring_regex(cells, _NUMBER), True)
        degrees = _marked(pc.if_else(plain, cells, nothing).cast(pa.float64()))
    odd = pc.invert(plain)
    text = cells.filter(odd).to_pandas()
    numbers, unreadable = to_numbers(text, read_degrees)
    found = pa.array(np.where(unreadable, np.nan, numbers), mask=np.isnan(numbers) & ~unreadable)
    return pc.replace_with_mask(degrees, odd, found)


def to_pairs(cells: pa.Array, *, latitude_first: bool) -> tuple[pa.Array, pa.Array]:
    """Return longitudes and latitudes that stand in one cell; null and NaN as in `to_degrees`.

    Examples
    --------
    >>> lon, lat = to_pairs(pa.array(["104.06,30.66", "POINT (104.06 30.66)", "here", None]),
    ...                     latitude_first=False)
    >>> lon.to_pylist(), lat.to_pylist()
    ([104.06, 104.06, nan, None], [30.66, 30.66, nan, None])
    """
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    parts = pc.extract_regex(cells, _PAIR)
    one, other = (pc.struct_field(parts, n).cast(pa.float64()) for n in ("a", "b"))
    rest = pc.and_(pc.is_null(parts), pc.is_valid(cells))
    if pc.any(rest).as_py():
        text = as_text(cells.filter(rest).to_pandas())
        pairs = np.array(each_text(text, read_pair), dtype=float).reshape(-1, 2)
        blank = (text == "").to_numpy(bool)
        bad = ~blank & np.isnan(pairs).any(axis=1)
        pairs[bad] = np.nan
        one, other = (
            pc.replace_with_mask(a, rest, pa.array(pairs[:, k], mask=blank))
            for k, a in enumerate((one, other))
        )
    return (other, one) if latitude_first else (one, other)
