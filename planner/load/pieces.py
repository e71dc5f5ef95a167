"""One file's rows as they are read: piece by piece, cells as they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class Piece:
    """Some rows of a file.

    Attributes
    ----------
    columns
        Our name → shape (n,), cells as they stand.
    row
        The first row's number in its file if they follow each other, else shape (n,) int64.
    too_many
        Shape (n,) bool, rows with more cells than headers; None if there are none.
    blank
        Shape (n,) bool, rows in which nothing stands; None if there are none.
    """

    columns: dict[str, pa.Array]
    row: int | np.ndarray
    too_many: np.ndarray | None = None
    blank: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values())))

    def rows(self) -> np.ndarray:
        """Return every row's number in its file, shape (n,)."""
        if isinstance(self.row, np.ndarray):
            return self.row
        return np.arange(self.row, self.row + len(self), dtype=np.int64)


@dataclass(frozen=True)
class Part:
    """One file of a feed.

    Attributes
    ----------
    headers
        The file's columns, partition keys of its folders among them.
    types
        Header → type where the file has types; those of the others are found out.
    rows
        How many, None if that is not known beforehand.
    unit
        What a row is called.
    peek
        Given a header, returns its cells in some rows of the file as text, indexed by the rows'
        numbers: of its beginning all, of the rest here and there.
    read
        Given our name → header, yields pieces.
    shares
        The same rows in several parts, where a large file can be read from the middle.
    """

    path: Path
    headers: tuple[str, ...]
    types: Mapping[str, pa.DataType]
    rows: int | None
    unit: str
    peek: Callable[[str], pd.Series] = field(repr=False)
    read: Callable[[Mapping[str, str]], Iterator[Piece]] = field(repr=False)
    shares: tuple[Part, ...] = field(default=(), repr=False)
