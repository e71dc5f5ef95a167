"""A fix in 16 bytes, and how records are brought into the order of riders and time.

The first integer of a record is the rider's number and the milliseconds since 2000, the second x
and y in centimetres: comparing integers compares rider, then time, then place, so that ties never
depend on which fix came first.
"""

from __future__ import annotations

import numpy as np

from planner.compiled import compiled

EPOCH_MS = 946_684_800_000  # 2000-01-01 UTC, since 1970
TIME_BITS = 41
LAST_MS = (1 << TIME_BITS) - 1  # in 2069
MOST_RIDERS = 1 << (63 - TIME_BITS)
_LOW = 0xFFFFFFFF
_MOVES = 4  # an insertion sort that moves a fix farther than this on average gives up
_AHEAD = 256  # moves that it may take before it is judged
_DIGIT = 11  # bits that a pass of the radix sort takes
_DIGIT_MASK = (1 << _DIGIT) - 1


def pack_records(rider: np.ndarray, ms: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return records, shape (n, 2) int64.

    Parameters
    ----------
    rider
        Shape (n,), 0 or more.
    ms
        Shape (n,) int64, milliseconds since `EPOCH_MS`.
    x, y
        Shape (n,) int64, centimetres.
    """
    return np.column_stack([(rider.astype(np.int64) << TIME_BITS) | ms, (x << 32) | (y & _LOW)])


@compiled
def time_of(key: int) -> int:
    """Return the milliseconds since `EPOCH_MS` of a record's first integer."""
    return key & LAST_MS


@compiled
def sort_records(records: np.ndarray, shift: int, out: np.ndarray, start: np.ndarray) -> None:
    """Write records in the order of rider, time and place.

    Parameters
    ----------
    records
        Shape (n, 2).
    shift
        Riders are numbered by their number shifted right by this (what a bucket has in common).
    out
        Shape (n, 2) or longer.
    start
        Shape (riders + 1,): where each rider's records start in `out`.
    """
    riders = len(start) - 1
    start[:] = 0
    for i in range(len(records)):
        start[(records[i, 0] >> (TIME_BITS + shift)) + 1] += 1
    for r in range(riders):
        start[r + 1] += start[r]
    place = start[:riders].copy()
    for i in range(len(records)):
        r = records[i, 0] >> (TIME_BITS + shift)
        p = place[r]
        place[r] = p + 1
        out[p, 0], out[p, 1] = records[i, 0], records[i, 1]
    longest = 1
    for r in range(riders):
        longest = max(longest, start[r + 1] - start[r])
    spare = np.empty((longest, 2), dtype=np.int64)
    for r in range(riders):
        a, b = start[r], start[r + 1]
        if not _insert(out, a, b, _MOVES):
            _sort_by_time(out, a, b, spare)
            _sort_ties(out, a, b)


@compiled
def _sort_by_time(out: np.ndarray, a: int, b: int, spare: np.ndarray) -> None:
    """Sort records a..b-1 of one rider by radix, whatever their order."""
    first, last = out[a, 0], out[a, 0]
    for i in range(a, b):
        first, last = min(first, out[i, 0]), max(last, out[i, 0])
    count = np.empty(1 << _DIGIT, dtype=np.int64)
    source, target = out[a:b], spare[: b - a]
    shift = 0
    while (last - first) >> shift:
        count[:] = 0
        for i in range(len(source)):
            count[((source[i, 0] - first) >> shift) & _DIGIT_MASK] += 1
        place = 0
        for digit in range(1 << _DIGIT):
            place, count[digit] = place + count[digit], place
        for i in range(len(source)):
            digit = ((source[i, 0] - first) >> shift) & _DIGIT_MASK
            p = count[digit]
            count[digit] = p + 1
            target[p, 0], target[p, 1] = source[i, 0], source[i, 1]
        source, target = target, source
        shift += _DIGIT
    if (shift // _DIGIT) % 2:
        out[a:b] = source


@compiled
def _sort_ties(out: np.ndarray, a: int, b: int) -> None:
    """Sort records of equal times by place."""
    i = a
    while i < b:
        j = i + 1
        while j < b and out[j, 0] == out[i, 0]:
            j += 1
        if j - i > 1 and not _insert(out, i, j, _MOVES):
            out[i:j, 1] = np.sort(out[i:j, 1])
        i = j


@compiled
def _insert(out: np.ndarray, a: int, b: int, most: int) -> bool:
    """Sort records a..b-1 by insertion; return False if that takes more moves a record than so."""
    moves = -_AHEAD
    for i in range(a + 1, b):
        key, value = out[i, 0], out[i, 1]
        j = i - 1
        while j >= a and (out[j, 0] > key or (out[j, 0] == key and out[j, 1] > value)):
            out[j + 1, 0], out[j + 1, 1] = out[j, 0], out[j, 1]
            j -= 1
        out[j + 1, 0], out[j + 1, 1] = key, value
        moves += i - 1 - j
        if moves > most * (i - a):
            return False
    return True


@compiled
def bucket_records(records: np.ndarray, out: np.ndarray, start: np.ndarray) -> None:
    """Write records grouped by bucket, the rider's number modulo their number (a power of two).

    `start`, shape (buckets + 1,), receives where each bucket starts.
    """
    buckets = len(start) - 1
    start[:] = 0
    for i in range(len(records)):
        start[((records[i, 0] >> TIME_BITS) & (buckets - 1)) + 1] += 1
    for b in range(buckets):
        start[b + 1] += start[b]
    place = start[:buckets].copy()
    for i in range(len(records)):
        b = (records[i, 0] >> TIME_BITS) & (buckets - 1)
        p = place[b]
        place[b] = p + 1
        out[p, 0], out[p, 1] = records[i, 0], records[i, 1]
