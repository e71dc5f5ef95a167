"""Tables of databases as a feed reads files: only the columns that are needed leave them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from planner.activity.databases import DatabaseTable, guess_rows, open_table, read_batches
from planner.load.cells import as_text
from planner.load.files import Sheet
from planner.load.pieces import Part, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SEEN_ROWS = 1 << 16


def open_database(path: Path | str) -> Part:
    """Look a table up and return how to read it.

    Raises
    ------
    InputError
        The database cannot be reached, the table is unknown, or the driver is not installed.
    """
    table = open_table(path)
    return Part(
        Path(table.label), table.columns, table.types, guess_rows(table), "row",
        partial(_peek, table), partial(_read, table),
    )  # fmt: skip


def read_database(path: Path | str) -> Sheet:
    """Read a table as a whole.

    Raises
    ------
    InputError
        As `open_database`.
    """
    table = open_table(path)
    batches = list(read_batches(table, table.columns))
    schema = pa.schema([(name, table.types[name]) for name in table.columns])
    rows = pa.Table.from_batches(batches, batches[0].schema if batches else schema)
    frame = rows.to_pandas()
    row = np.arange(1, len(frame) + 1, dtype=np.int64)
    return Sheet(Path(table.label), frame, row, np.zeros(len(row), dtype=bool))


def _read(table: DatabaseTable, picked: Mapping[str, str]) -> Iterator[Piece]:
    row = 1
    for batch in read_batches(table, [*picked.values()]):
        yield Piece(dict(zip(picked, batch.columns, strict=True)), row)
        row += batch.num_rows


def _peek(table: DatabaseTable, header: str) -> pd.Series:
    seen: list[pd.Series] = []
    for batch in read_batches(table, [header]):
        seen.append(as_text(batch.column(0).to_pandas()))
        if sum(map(len, seen)) >= _SEEN_ROWS:
            break
    text = pd.concat(seen, ignore_index=True) if seen else pd.Series([], dtype=str)
    return text.set_axis(np.arange(1, len(text) + 1))
