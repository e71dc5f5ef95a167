# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""From record batches to records: names become numbers, degrees become centimetres, losses count.

Nothing else sees a rider's name until stays have been found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from planner.activity.ground import EMPTY, MALFORMED, OFF_GLOBE, OUTSIDE, SWAPPED, ZERO
from planner.activity.records import EPOCH_MS, LAST_MS, MOST_RIDERS, TIME_BITS
from planner.compiled import compiled
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.activity.ground import Ground

BATCH_ROWS = 1 << 16
QUARTER_MS = 900_000  # offsets of all time zones are multiples of it
ANY_KIND = "rider"  # the worker type where none is said

_NO_TIME, _NO_RIDER = 7, 8
LOSSES = {
    EMPTY: "no coordinate",
    MALFORMED: "malformed coordinate",
    ZERO: "coordinate 0, 0",
    SWAPPED: "longitude and latitude swapped",
    OFF_GLOBE: "coordinate off the globe",
    OUTSIDE: "outside the area",
    _NO_TIME: "no usable time",
    _NO_RIDER: "no rider",
}
_NO_STAMP = np.iinfo(np.int64).min
_NEWEST, _LATEST = 0, 1


class Intake:
    """Takes batches and remembers whom it has seen and what it had to leave out."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._riders = _Numbers()
        self._kinds = _Numbers()
        self._seen = np.zeros(0, dtype=np.bool_)
        self._kind_rows = np.zeros((0, 0), dtype=np.int64)
        self._lost = np.zeros(_NO_RIDER + 1, dtype=np.int64)
        self._first = np.full(_NO_RIDER + 1, -1, dtype=np.int64)
        self._quarters = np.zeros(LAST_MS // QUARTER_MS + 1, dtype=np.int64)
        self._clock = np.array([-1, 0], dtype=np.int64)
        self._x, self._y = np.empty((2, BATCH_ROWS), dtype=np.int64)
        self._status = np.empty(BATCH_ROWS, dtype=np.int8)
        self.rows = 0

    @property
    def names(self) -> list[str]:
        """The riders' names, by number."""
        return self._riders.names

    @property
    def riders(self) -> int:
        """How many riders have a number."""
        return len(self._riders.names)

    @property
    def newest(self) -> int:
        """Milliseconds since 2000 of the newest fix."""
        return int(self._clock[_NEWEST])

    @property
    def latest(self) -> int:
        """By how many milliseconds, at most, a fix came after a newer one."""
        return int(self._clock[_LATEST])

    def take(self, batch: pa.RecordBatch, records: np.ndarray, n: int) -> int:
        """Append the usable fixes of a batch to the first n records; return how many there are.

        Raises
        ------
        InputError
            There are more riders than numbers for them.
        """
        size = len(batch)
        lon, lat = (_floats(batch.column(name)) for name in ("lon", "lat"))
        self._ground.locate(lon, lat, self._x[:size], self._y[:size], self._status[:size])
        code, rider = self._riders.of(batch.column("rider_id"))
        if self.riders > MOST_RIDERS:
            raise InputError(
                f"there are more than {MOST_RIDERS:,} riders. Check that `rider_id` names riders, "
                "not trips or fixes."
            )
        self._seen = _longer(self._seen, self.riders)
        if "worker_type" in batch.schema.names:
            kind_code, kind = self._kinds.of(batch.column("worker_type"))
            self._count_kinds(rider[code], kind[kind_code])
        n = _append(
            code, rider, _stamps(batch.column("time")), self._x, self._y, self._status, records, n,
            self.rows, self._lost, self._first, self._quarters, self._seen, self._clock,
        )  # fmt: skip
        self.rows += size
        return n

    def _count_kinds(self, rider: np.ndarray, kind: np.ndarray) -> None:
        shape = (len(self._seen), len(self._kinds.names))
        if self._kind_rows.shape != shape:
            wider = np.zeros(shape, dtype=np.int64)
            rows, columns = self._kind_rows.shape
            wider[:rows, :columns] = self._kind_rows
            self._kind_rows = wider
        _count_pairs(rider, kind, self._kind_rows)

    def kinds_of_riders(self) -> tuple[list[str], np.ndarray]:
        """Return worker types, and of each rider the one that most of its rows name (int32).

        Of two that are named equally often it is the first by name.
        """
        known = sorted(range(len(self._kinds.names)), key=lambda k: self._kinds.names[k])
        names = [self._kinds.names[k] for k in known] or [ANY_KIND]
        rows = _longer(self._kind_rows, self.riders)[: self.riders, known]
        if not known or not self.riders:
            return names, np.zeros(self.riders, dtype=np.int32)
        kind = rows.argmax(axis=1).astype(np.int32)
        nameless = rows.max(axis=1) == 0
        if nameless.any():
            if ANY_KIND not in names:
                names.append(ANY_KIND)
            kind[nameless] = names.index(ANY_KIND)
        return names, kind

    def account(self) -> dict[str, Any]:
        """Return what became of the rows so far, see `planner.activity.engine.Found`."""
        names, kind = self.kinds_of_riders()
        riders = np.bincount(kind[self._seen[: self.riders]], minlength=len(names))
        quarters = np.flatnonzero(self._quarters)
        lost = {name: k for k, name in LOSSES.items() if self._lost[k]}
        return {
            "rows": self.rows,
            "lost": {name: int(self._lost[k]) for name, k in lost.items()},
            "first": {name: int(self._first[k]) for name, k in lost.items()},
            "riders": int(self._seen.sum()),
            "kinds": {name: int(n) for name, n in zip(names, riders, strict=True) if n},
            "quarters": {int(q): int(self._quarters[q]) for q in quarters},
        }


class _Numbers:
    """Names of a column, numbered as they come; Arrow's dictionaries are looked up once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._number: dict[str | None, int] = {}
        self._last: pa.Array | None = None
        self._table = np.empty(0, dtype=np.int64)

    def of(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's place in a table, and the table: a number each, -1 for no name."""
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        known = column.dictionary
        if self._last is None or not known.equals(self._last):
            self._table = np.array([*self._of_names(known.to_pylist()), -1], dtype=np.int64)
            self._last = known
        return _integers(column.indices, -1), self._table

    def _of_names(self, names: list[str | None]) -> list[int]:
        for name in names:
            if name and name not in self._number:
                self._number[name] = len(self.names)
                self.names.append(name)
        return [self._number.get(name, -1) for name in names]


def _longer(table: np.ndarray, rows: int) -> np.ndarray:
    """Return a table with more rows; they double so that this stays rare."""
    if rows <= len(table):
        return table
    wider = np.zeros((max(rows, 2 * len(table)), *table.shape[1:]), dtype=table.dtype)
    wider[: len(table)] = table
    return wider


def _integers(column: pa.Array, absent: int) -> np.ndarray:
    if column.null_count:
        column = pc.fill_null(column, pa.scalar(absent, column.type))
    return column.to_numpy(zero_copy_only=False)


def _floats(column: pa.Array) -> np.ndarray:
    """Return a column, infinite where there is no value."""
    if column.null_count:
        column = pc.fill_null(column, np.inf)
    return column.to_numpy(zero_copy_only=False)


def _stamps(column: pa.Array) -> np.ndarray:
    """Return microseconds since 1970."""
    return _integers(column.view(pa.int64()), _NO_STAMP)


@compiled
def _count_pairs(rider: np.ndarray, kind: np.ndarray, rows: np.ndarray) -> None:
    for i in range(len(rider)):
        if rider[i] >= 0 and kind[i] >= 0:
            rows[rider[i], kind[i]] += 1


@compiled
def _append(
    code: np.ndarray,
    table: np.ndarray,
    microsecond: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    status: np.ndarray,
    records: np.ndarray,
    n: int,
    row: int,
    lost: np.ndarray,
    first: np.ndarray,
    quarters: np.ndarray,
    seen: np.ndarray,
    clock: np.ndarray,
) -> int:
    """Write the records of one batch; count what is lost, by reason."""
    newest, latest = clock[_NEWEST], clock[_LATEST]
    quarter, begun = 0, n
    for i in range(len(code)):
        rider = table[code[i]]
        ms = microsecond[i] // 1000 - EPOCH_MS
        why = status[i]
        if why == 0:
            if ms < 0 or ms > LAST_MS:
                why = _NO_TIME
            elif rider < 0:
                why = _NO_RIDER
        if why != 0:
            lost[why] += 1
            if first[why] < 0:
                first[why] = row + i
            continue
        newest = max(newest, ms)
        latest = max(latest, newest - ms)
        if ms < quarter or ms >= quarter + QUARTER_MS:
            quarters[quarter // QUARTER_MS] += n - begun
            quarter, begun = ms - ms % QUARTER_MS, n
        seen[rider] = True
        records[n, 0] = (rider << TIME_BITS) | ms
        records[n, 1] = (x[i] << 32) | (y[i] & 0xFFFFFFFF)
        n += 1
    quarters[quarter // QUARTER_MS] += n - begun
    clock[_NEWEST], clock[_LATEST] = newest, latest
    return n
