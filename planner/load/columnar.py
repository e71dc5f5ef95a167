"""Parquet and Arrow files as pieces: decoded by one thread, a batch in memory at a time."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from planner.errors import InputError
from planner.load.cells import as_text
from planner.load.pieces import BATCH_ROWS, Part, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_WORDS = ("rider_id", "worker_type")  # read as dictionaries: their texts are touched once
_BUFFER = 1 << 20  # of a column that is being read: row groups may be larger than the memory
_SHARE_ROWS = 4_000_000  # of a large file, for whoever reads it with others
_PLACES = 32  # parts of a file that are looked at where dates are ambiguous


@contextmanager
def _guard(path: Path, kind: str) -> Iterator[None]:
    """Turn what Arrow says of a damaged file into our error."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        said = (str(error).strip().splitlines() or ["damaged"])[0].rstrip(".")[:200]
        raise InputError(f"not readable as {kind} ({said}). Write it again.", file=path) from error


def open_parquet(path: Path) -> Part:
    """Look at a Parquet file's footer and return how to read it.

    Raises
    ------
    InputError
        The file is truncated or damaged.
    """
    with _guard(path, "Parquet"), pq.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
        sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
    types = dict(zip(schema.names, schema.types, strict=True))
    part = Part(
        path, tuple(types), types, rows, "row",
        partial(_peek_parquet, path), partial(_read_parquet, path),
    )  # fmt: skip
    return replace(part, shares=_share_groups(part, sizes))


def _share_groups(part: Part, sizes: list[int]) -> tuple[Part, ...]:
    """Return row groups that follow each other as parts of `_SHARE_ROWS` rows or little more."""
    shares: list[Part] = []
    groups: list[int] = []
    start, rows = 0, 0
    for number, size in enumerate(sizes):
        groups.append(number)
        rows += size
        if rows >= _SHARE_ROWS or number == len(sizes) - 1:
            read = partial(_read_parquet, part.path, groups=tuple(groups), row=start + 1)
            shares.append(replace(part, rows=rows, read=read))
            groups, start, rows = [], start + rows, 0
    return tuple(shares) if len(shares) > 1 else ()


def is_geographic(path: Path) -> bool:
    """Tell whether a Parquet file holds geometries."""
    with _guard(path, "Parquet"):
        return b"geo" in (pq.read_schema(path).metadata or {})


def _read_parquet(
    path: Path, picked: Mapping[str, str], *, groups: tuple[int, ...] | None = None, row: int = 1
) -> Iterator[Piece]:
    words = [picked[field] for field in _WORDS if field in picked]
    with (
        _guard(path, "Parquet"),
        pq.ParquetFile(
            path,
            read_dictionary=words,
            pre_buffer=False,
            buffer_size=_BUFFER,
            page_checksum_verification=True,
        ) as file,
    ):
        for batch in file.iter_batches(
            batch_size=BATCH_ROWS, row_groups=groups, columns=[*picked.values()], use_threads=False
        ):
            yield Piece({f: batch.column(h) for f, h in picked.items()}, row)
            row += batch.num_rows


def _peek_parquet(path: Path, header: str) -> pd.Series:
    with _guard(path, "Parquet"), pq.ParquetFile(path, pre_buffer=False) as file:
        groups = _some(file.num_row_groups)
        starts = np.cumsum([0, *(file.metadata.row_group(g).num_rows
                                 for g in range(file.num_row_groups))])  # fmt: skip
        seen = [
            _shown(batch.column(0), int(starts[g]) + 1)
            for g in groups
            for batch in [next(file.iter_batches(BATCH_ROWS, row_groups=[g], columns=[header],
                                                 use_threads=False), None)]
            if batch is not None
        ]  # fmt: skip
    return pd.concat(seen) if seen else pd.Series([], dtype=str)


def open_arrow(path: Path) -> Part:
    """Look at an Arrow IPC (Feather) file and return how to read it.

    Raises
    ------
    InputError
        The file is truncated or damaged.
    """
    with _guard(path, "Arrow"), pa.OSFile(str(path)) as stream:
        file = pa.ipc.open_file(stream)
        schema, count = file.schema, file.num_record_batches
    types = dict(zip(schema.names, schema.types, strict=True))
    return Part(
        path, tuple(types), types, None, "row",
        partial(_peek_arrow, path, count), partial(_read_arrow, path),
    )  # fmt: skip


def _read_arrow(path: Path, picked: Mapping[str, str]) -> Iterator[Piece]:
    with _guard(path, "Arrow"), pa.OSFile(str(path)) as stream:
        schema = pa.ipc.open_file(stream).schema
        wanted = [schema.get_field_index(h) for h in picked.values()]
        options = pa.ipc.IpcReadOptions(included_fields=wanted, use_threads=False)
        file = pa.ipc.open_file(stream, options=options)
        row = 1
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for start in range(0, batch.num_rows, BATCH_ROWS):
                part = batch.slice(start, BATCH_ROWS)
                yield Piece({f: part.column(h) for f, h in picked.items()}, row)
                row += part.num_rows


def _peek_arrow(path: Path, count: int, header: str) -> pd.Series:
    seen, row = [], 1
    with _guard(path, "Arrow"), pa.OSFile(str(path)) as stream:
        file = pa.ipc.open_file(stream)
        wanted = set(_some(count))
        for number in range(count):
            batch = file.get_batch(number)
            if number in wanted:
                seen.append(_shown(batch.column(header)[:BATCH_ROWS], row))
            row += batch.num_rows
    return pd.concat(seen) if seen else pd.Series([], dtype=str)


def _some(count: int) -> list[int]:
    """Return some of so many numbers, evenly spread."""
    return sorted({count * k // _PLACES for k in range(_PLACES)} | {count - 1}) if count else []


def _shown(cells: pa.Array, row: int) -> pd.Series:
    text = as_text(cells.to_pandas())
    return text.set_axis(np.arange(row, row + len(text)))
