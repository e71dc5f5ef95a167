"""What Spark's workers do: read parts of a feed, and find the stays of their riders."""

from __future__ import annotations

import json
import tempfile
from bisect import bisect_right
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from planner.activity.engine import find_stays
from planner.activity.feed import FIX_SCHEMA
from planner.activity.intake import BATCH_ROWS, Intake
from planner.errors import PlannerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planner.activity.engine import Rule
    from planner.activity.feed import FeedPart
    from planner.activity.ground import Ground

_NOTE = pa.field("note", pa.string())  # JSON: what a task has to tell, in a row without a rider
_SENT = pa.schema([
    ("rider_id", pa.string()), ("worker_type", pa.string()), ("time", pa.int64()),
    ("lon", pa.float64()), ("lat", pa.float64()), _NOTE,
])  # fmt: skip
_FOUND = pa.schema([
    ("rider_id", pa.string()), ("worker_type", pa.string()), ("arrive_ms", pa.int64()),
    ("leave_ms", pa.int64()), ("x", pa.float64()), ("y", pa.float64()), ("fixes", pa.int64()),
    _NOTE,
])  # fmt: skip
SENT_SQL = "rider_id string, worker_type string, time long, lon double, lat double, note string"
FOUND_SQL = (
    "rider_id string, worker_type string, arrive_ms long, leave_ms long, x double, y double, "
    "fixes long, note string"
)


def read_whole(
    read: Callable[[], Iterator[pa.RecordBatch]], _notes: dict[str, int]
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Read a feed that has no parts."""
    row = 1
    for batch in read():
        yield batch, row
        row += len(batch)


def read_parts(
    numbers: Iterable[pa.RecordBatch], *, parts: Sequence[FeedPart], ground: Ground
) -> Iterator[pa.RecordBatch]:
    """Read the parts with these numbers; after each, tell what was lost of it."""
    for batch in numbers:
        for number in batch.column(0).to_pylist():
            note: dict[str, Any] = {"part": number}
            try:
                yield from _read_part(parts[number], ground, note)
            except PlannerError as error:
                note["error"] = [type(error).__name__, str(error)]
            yield _as_row(note, _SENT)


def _read_part(part: FeedPart, ground: Ground, note: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Send the rows that have a rider: the others can be nothing but lost."""
    intake, runs, sent = Intake(ground), _Runs(), 0
    notes: dict[str, int] = {}
    unused = np.empty((BATCH_ROWS, 2), dtype=np.int64)
    for batch, row in part.read(notes):
        runs.add(row, len(batch))
        for start in range(0, len(batch), BATCH_ROWS):
            piece = batch.slice(start, BATCH_ROWS)
            intake.take(piece, unused, 0)
            ready = _to_send(piece)
            sent += len(ready)
            yield ready
    told = intake.account()
    places = {why: f"{part.place} {runs.row(n)}" for why, n in told["first"].items()}
    note |= {k: told[k] for k in ("rows", "lost", "first")}
    note |= {"places": places, "notes": notes, "sent": sent}


class _Runs:
    """Which row of its file the n-th row of a part is."""

    def __init__(self) -> None:
        self._begin: list[int] = []  # n of a row that does not follow the one before it
        self._row: list[int] = []
        self._size = 0

    def add(self, row: int | np.ndarray, size: int) -> None:
        """Add rows: the first one's number, or every one's."""
        rows = row if isinstance(row, np.ndarray) else np.array([row])
        for at in [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist()] if size else []:
            n, begin = self._size + at, int(rows[at])
            if not self._begin or begin - n != self._row[-1] - self._begin[-1]:
                self._begin.append(n)
                self._row.append(begin)
        self._size += size

    def row(self, n: int) -> int:
        """Return the row's number in its file."""
        k = bisect_right(self._begin, n) - 1
        return self._row[k] + n - self._begin[k]


def _to_send(batch: pa.RecordBatch) -> pa.RecordBatch:
    words = {
        name: batch.column(name).cast(pa.string()) if name in batch.schema.names else None
        for name in ("rider_id", "worker_type")
    }
    rider = words["rider_id"]
    columns = [
        rider,
        pa.nulls(len(batch), pa.string()) if words["worker_type"] is None else words["worker_type"],
        batch.column("time").view(pa.int64()),
        batch.column("lon"),
        batch.column("lat"),
        pa.nulls(len(batch), pa.string()),
    ]
    named = pc.fill_null(pc.not_equal(rider, ""), False)
    return pa.RecordBatch.from_arrays(columns, schema=_SENT).filter(named)


def _as_row(note: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.nulls(1, field.type) for field in schema][:-1]
    return pa.RecordBatch.from_arrays([*columns, pa.array([json.dumps(note)])], schema=schema)


def search_riders(
    batches: Iterable[pa.RecordBatch], *, ground: Ground, rule: Rule, window: int
) -> Iterator[pa.RecordBatch]:
    """Find the stays of the riders in one partition; hand on what other tasks tell."""
    notes: list[str] = []
    with tempfile.TemporaryFile() as file:
        rows = _Replay(_fixes(batches, notes), file)
        try:
            found = find_stays(rows.read, ground, rule, window=window)
        except PlannerError as error:
            yield _as_row({"error": [type(error).__name__, str(error)]}, _FOUND)
        else:
            yield from _as_found(found.stays)
            yield _as_row({"account": found.account}, _FOUND)
    for note in notes:
        yield _as_row(json.loads(note), _FOUND)


def _fixes(batches: Iterable[pa.RecordBatch], notes: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield batches as a feed has them; what is a note goes to `notes`."""
    schema = pa.schema([
        ("rider_id", pa.string()), ("worker_type", pa.string()), FIX_SCHEMA.field("time"),
        FIX_SCHEMA.field("lon"), FIX_SCHEMA.field("lat"),
    ])  # fmt: skip
    for batch in batches:
        told = batch.column("note")
        if told.null_count < len(told):
            notes += told.drop_null().to_pylist()
            batch = batch.filter(told.is_null())  # noqa: PLW2901 - the rest of it
        columns = [batch.column(n) for n in ("rider_id", "worker_type", "time", "lon", "lat")]
        columns[2] = columns[2].view(schema.field("time").type)
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_found(stays: pa.Table) -> Iterator[pa.RecordBatch]:
    columns = [stays[f.name].cast(f.type) for f in _FOUND if f.name != "note"]
    columns.append(pa.chunked_array([pa.nulls(len(stays), pa.string())]))
    yield from pa.Table.from_arrays(columns, schema=_FOUND).to_batches(BATCH_ROWS)


class _Replay:
    """Lets a stream that comes but once be read again, from a file without a name.

    Nothing of it is left behind when a worker is killed.
    """

    def __init__(self, batches: Iterator[pa.RecordBatch], file: IO[bytes]) -> None:
        self._rest, self._file = batches, file
        self._writer: pa.RecordBatchStreamWriter | None = None

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield all of it; a second reader ends the first one, and there is no third."""
        if self._writer is not None:
            self._writer.close()
            self._file.seek(0)
            yield from pa.ipc.open_stream(self._file)
            yield from self._rest
            return
        for batch in self._rest:
            if self._writer is None:
                self._writer = pa.ipc.new_stream(self._file, batch.schema)
            self._writer.write_batch(batch)
            yield batch
