"""Arrow record batches in, stays out: one function, whoever feeds it.

Fixes that come roughly in the order of time are worked on in a window that moves along: what is
decided leaves it, the rest is carried over. Fixes in any other order go through buckets on disk.
Either way memory is bounded, and neither the window's size nor the order changes what is found.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from planner.activity.clean import REASONS
from planner.activity.detect import OUT_COLUMNS, SEED_S, STATE_COLUMNS
from planner.activity.intake import BATCH_ROWS, Intake
from planner.activity.records import EPOCH_MS, sort_records
from planner.activity.scan import PLAIN, ROBUST, SLOTS, scan_records
from planner.activity.spill import BUCKETS, Spill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from planner.activity.ground import Ground

WINDOW = 4_000_000
LATENESS_MS = 600_000  # fixes that come later than this after newer ones are no ordered feed
_METHODS = {"robust": ROBUST, "li2008": PLAIN, "presence": SLOTS}
_FOREVER = -1  # the watermark when nothing can come any more


class Rule(NamedTuple):
    """What to look for.

    Attributes
    ----------
    method
        ``robust``, ``li2008`` or ``presence``.
    radius_m
        Of a stay, metres.
    min_s
        Shortest stay, or for presence the length of a slot; seconds.
    """

    method: str
    radius_m: float
    min_s: float

    @property
    def seed_s(self) -> float:
        """What a stay grows from: halts at traffic lights are shorter (or the slot's length)."""
        return min(self.min_s, SEED_S) if self.method == "robust" else self.min_s


class Found(NamedTuple):
    """What a feed held.

    Attributes
    ----------
    stays
        Columns `rider_id`, `worker_type` (dictionaries), `arrive_ms`, `leave_ms` (since 1970 UTC),
        `x`, `y` (metres), `fixes`; in no particular order.
    account
        What became of the rows, plain numbers: ``rows``; ``lost`` = {reason: rows} and ``first`` =
        {reason: number of the first such row}; ``dropped`` = {reason: fixes}; ``used``; ``riders``;
        ``kinds`` = {worker type: riders}; ``quarters`` = {quarter of an hour since 2000: fixes}.
    """

    stays: pa.Table
    account: dict[str, Any]


def find_stays(
    read: Callable[[], Iterable[pa.RecordBatch]],
    ground: Ground,
    rule: Rule,
    *,
    window: int = WINDOW,
    on_step: Callable[[int, int], None] | None = None,
) -> Found:
    """Find the stays in a stream of fixes.

    Parameters
    ----------
    read
        Starts the stream: record batches of `planner.activity.feed.FIX_SCHEMA`. It is called a
        second time if the fixes turn out not to come in the order of time.
    ground
        Where the fixes belong.
    rule
        What to look for.
    window
        Fixes held at a time; it grows where riders leave more undecided.
    on_step
        Called with (rows read, 0).

    Notes
    -----
    A feed that fits into one window is sorted there, whatever its order.
    """
    try:
        return _find(read, ground, rule, window, on_step, ordered=True)
    except _OutOfOrderError:
        return _find(read, ground, rule, window, on_step, ordered=False)


def _find(
    read: Callable[[], Iterable[pa.RecordBatch]],
    ground: Ground,
    rule: Rule,
    window: int,
    on_step: Callable[[int, int], None] | None,
    *,
    ordered: bool,
) -> Found:
    intake, search = Intake(ground), _Search(rule)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in read():
            for start in range(0, len(batch), BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)
            if on_step:
                on_step(intake.rows, 0)

    _scan(batches(), intake, search, window, ordered=ordered)
    pa.default_memory_pool().release_unused()  # what reading needed
    kinds, kind = intake.kinds_of_riders()
    stays = tabulate(search.stays, intake.names, kinds, kind)
    return Found(stays, intake.account() | _fates(search.counts))


def scan_sorted(records: np.ndarray, riders: int, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Find the stays in records (`pack_records`) that are all there are, in any order.

    Returns
    -------
    stays, counts
        Shape (n, 6), see `planner.activity.detect`; shape (7,), records by fate.
    """
    search = _Search(rule)
    search.finish(records, riders)
    return search.stays, search.counts


def add_accounts(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Add up the accounts of two feeds that have no rider in common."""
    total = dict(one)
    for key, value in other.items():
        if key == "first":
            total[key] = {**value, **one.get(key, {})}
        elif isinstance(value, dict):
            mine = one.get(key, {})
            total[key] = {k: mine.get(k, 0) + value.get(k, 0) for k in {**mine, **value}}
        else:
            total[key] = one.get(key, 0) + value
    return total


def tabulate(stays: np.ndarray, names: list[str], kinds: list[str], kind: np.ndarray) -> pa.Table:
    """Return stays as the table that `Found` holds.

    Parameters
    ----------
    stays
        Shape (n, 6): rider, first and last second since 2000, x, y, fixes.
    names
        Of the riders, by number.
    kinds, kind
        Worker types, and which of them each rider is (int32).
    """
    rider = stays[:, 0].astype(np.int32)
    ms = np.rint(stays[:, 1:3] * 1000.0).astype(np.int64) + EPOCH_MS
    return pa.table({
        "rider_id": pa.DictionaryArray.from_arrays(rider, pa.array(names, pa.string())),
        "worker_type": pa.DictionaryArray.from_arrays(kind[rider], pa.array(kinds, pa.string())),
        "arrive_ms": ms[:, 0],
        "leave_ms": ms[:, 1],
        "x": stays[:, 3],
        "y": stays[:, 4],
        "fixes": stays[:, 5].astype(np.int64),
    })  # fmt: skip


class _OutOfOrderError(Exception):
    """A fix came after its time had been closed."""


class _Search:
    """What a search knows: the rule, what it has found, and what is open."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._pieces: list[np.ndarray] = []
        self._state = np.zeros((0, STATE_COLUMNS))
        self._ordered = np.empty((0, 2), dtype=np.int64)
        self.counts = np.zeros(len(REASONS), dtype=np.int64)

    @property
    def stays(self) -> np.ndarray:
        """Shape (n, 6), see `planner.activity.detect`."""
        return np.concatenate([np.empty((0, OUT_COLUMNS)), *self._pieces])

    def move_on(self, records: np.ndarray, riders: int, watermark: int, carried: np.ndarray) -> int:
        """Search records up to a watermark; return how many are carried over to `carried`."""
        more = np.zeros((riders - len(self._state), STATE_COLUMNS))
        self._state = np.concatenate([self._state, more])
        return self._scan(records, self._state, (0, 0), watermark, carried)

    def finish(self, records: np.ndarray, riders: int) -> None:
        """Search the records that are left: nothing else will come."""
        self.move_on(records, riders, _FOREVER, records[:0])

    def search_bucket(self, records: np.ndarray, riders: int, bucket: int) -> None:
        """Search all records of the riders in a bucket, `riders` being those in all buckets."""
        shift = BUCKETS.bit_length() - 1
        state = np.zeros(((riders - bucket + BUCKETS - 1) >> shift, STATE_COLUMNS))
        self._scan(records, state, (shift, bucket), _FOREVER, records[:0])

    def _scan(
        self,
        records: np.ndarray,
        state: np.ndarray,
        place: tuple[int, int],
        watermark: int,
        carried: np.ndarray,
    ) -> int:
        rule, slots = self._rule, self._rule.method == "presence"
        if len(self._ordered) < len(records):
            self._ordered = np.empty_like(records)
        ordered = self._ordered[: len(records)]
        start = np.zeros(len(state) + 1, dtype=np.int64)
        sort_records(records, place[0], ordered, start)
        room = len(records) if slots else len(records) // 2 + len(state)
        out = np.empty((room + 1, OUT_COLUMNS))
        found, kept_back = scan_records(
            ordered, start, *place, watermark, _METHODS[rule.method], rule.radius_m, rule.seed_s,
            rule.min_s, state, self.counts, out, carried,
        )  # fmt: skip
        self._pieces.append(out[:found].copy())
        return int(kept_back)


def _scan(
    batches: Iterable[pa.RecordBatch],
    intake: Intake,
    search: _Search,
    window: int,
    *,
    ordered: bool,
) -> None:
    """Read fixes through a window while they come in the order of time, else through buckets.

    Raises
    ------
    _OutOfOrderError
        They turned out not to after a window had been closed: start again with `ordered` false.
    """
    records = np.empty((window + BATCH_ROWS, 2), dtype=np.int64)
    n, closed = 0, -1
    with ExitStack() as disk:
        spill = None if ordered else disk.enter_context(Spill())
        for batch in batches:
            n = intake.take(batch, records, n)
            if n + BATCH_ROWS <= len(records):
                continue
            if spill is None and intake.latest > LATENESS_MS:
                if closed >= 0:
                    raise _OutOfOrderError
                spill = disk.enter_context(Spill())
            if spill is None:
                closed = max(intake.newest - LATENESS_MS, closed, 0)
                n = search.move_on(records[:n], intake.riders, closed, records)
                while n + BATCH_ROWS > len(records) or 2 * n > len(records):
                    records = np.concatenate([records, np.empty_like(records)])
            else:
                spill.write(records[:n])
                n = 0
        if spill is None:
            search.finish(records[:n], intake.riders)
            return
        spill.write(records[:n])
        del records
        for bucket, part in spill.buckets():
            search.search_bucket(part, intake.riders, bucket)


def _fates(counts: np.ndarray) -> dict[str, Any]:
    return {
        "used": int(counts[0]),
        "dropped": {name: int(n) for name, n in zip(REASONS[1:], counts[1:], strict=True)},
    }
