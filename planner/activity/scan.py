# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""One pass over sorted records of many riders: clean, find stays, keep what is not decided yet."""

from __future__ import annotations

import numpy as np

from planner.activity.clean import clean_track
from planner.activity.detect import find_plain, find_robust, find_slots
from planner.activity.records import time_of
from planner.compiled import compiled

ROBUST, PLAIN, SLOTS = range(3)
_CONTEXT = 0  # in a rider's state: the first record carried over is there for cleaning only


@compiled
def scan_records(
    records: np.ndarray,
    start: np.ndarray,
    shift: int,
    bucket: int,
    watermark: int,
    method: int,
    radius_m: float,
    seed_s: float,
    min_s: float,
    state: np.ndarray,
    counts: np.ndarray,
    out: np.ndarray,
    carried: np.ndarray,
) -> tuple[int, int]:
    """Clean and search the fixes of each rider up to the watermark.

    Parameters
    ----------
    records
        Shape (n, 2), sorted (`sort_records`).
    start
        Shape (riders + 1,): where each rider's records start.
    shift, bucket
        Rider r here is number ``r << shift | bucket``.
    watermark
        Milliseconds since 2000 up to which nothing can come any more; negative if nothing can come
        at all.
    method, radius_m, seed_s, min_s
        What to find: `ROBUST`, `PLAIN` or `SLOTS` (of `seed_s`).
    state
        Shape (riders, 6): what is kept of each rider between windows.
    counts
        Shape (7,): records by fate are added (`planner.activity.clean.REASONS`).
    out
        Receives stays, shape (room, 6).
    carried
        Receives the records that are not decided yet.

    Returns
    -------
    found, kept_back
        Rows written to `out` and to `carried`.
    """
    riders = len(start) - 1
    longest = 1
    for r in range(riders):
        longest = max(longest, start[r + 1] - start[r])
    second, x, y = np.empty(longest), np.empty(longest), np.empty(longest)
    origin, reason = np.empty(longest, np.int64), np.empty(longest, np.int8)
    found = kept_back = 0
    final = watermark < 0
    for r in range(riders):
        a, b = start[r], start[r + 1]
        if a == b and (not final or method != ROBUST):
            continue
        end = b
        while not final and end > a and time_of(records[end - 1, 0]) > watermark:
            end -= 1
        kept, settled = clean_track(records, a, end, final, second, x, y, origin, reason)
        found, undecided = _find_stays(
            (r << shift) | bucket, second, x, y, kept if final else settled, final, method,
            radius_m, seed_s, min_s, state[r], out, found,
        )  # fmt: skip
        first = b if final else _carry_from(a, undecided, settled, origin, state[r])
        kept_here = 0
        for i in range(a, min(first, end)):
            if reason[i - a] == 0:
                kept_here += 1
            else:
                counts[reason[i - a]] += 1
        counts[0] += kept_here
        for i in range(first, b):
            carried[kept_back, 0], carried[kept_back, 1] = records[i, 0], records[i, 1]
            kept_back += 1
    return found, kept_back


@compiled
def _find_stays(
    rider: int,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    known: int,
    final: bool,
    method: int,
    radius_m: float,
    seed_s: float,
    min_s: float,
    state: np.ndarray,
    out: np.ndarray,
    found: int,
) -> tuple[int, int]:
    """Search the known fixes of one rider; return rows written and the first undecided fix."""
    begin = int(state[_CONTEXT])
    if begin > known:
        return found, begin
    if method == ROBUST:
        return find_robust(
            rider, second, x, y, begin, known, final, radius_m, seed_s, min_s, state, out, found
        )
    if method == PLAIN:
        return find_plain(rider, second, x, y, begin, known, final, radius_m, min_s, out, found)
    return find_slots(rider, second, x, y, begin, known, seed_s, state, out, found)


@compiled
def _carry_from(a: int, undecided: int, known: int, origin: np.ndarray, state: np.ndarray) -> int:
    """Return the first record to carry over; note whether it only serves to clean the next."""
    if undecided < known:
        state[_CONTEXT] = 0
        return origin[undecided]
    if known > state[_CONTEXT]:
        state[_CONTEXT] = 1
        return origin[known - 1]
    return a
