# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""Which fixes of a rider cannot be true: one kernel over sorted records.

Cleaning is made to be interrupted: of records up to a watermark it also says how many of the kept
fixes are *settled*, i.e. cannot be judged otherwise by whatever comes later.
"""

from __future__ import annotations

import numpy as np

from planner.activity.records import time_of
from planner.compiled import compiled

REASONS = ("kept", "duplicate", "conflicting", "jump", "spike", "stuck", "teleport")
_DUPLICATE, _CONFLICTING, _JUMP, _SPIKE, _STUCK, _TELEPORT = range(1, 7)

_MAX_SPEED = 50.0  # m/s: 180 km/h, faster than any rider or truck
_JUMP_SLACK_M = 30.0  # two good fixes at one place may lie this far apart
_MAX_JUMPS = 3  # in a row; after that it is the earlier fix that was wrong
_SPIKE_M = 100.0
_STUCK_FIXES = 5  # to the centimetre at one place, then an impossible jump (guess)
_TELEPORT_S = 600.0  # how long a receiver may be elsewhere before it comes back (guess)
_RIDING_SPEED = 20.0  # m/s: what takes it from before to after (guess)


@compiled
def clean_track(
    records: np.ndarray,
    a: int,
    b: int,
    final: bool,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    origin: np.ndarray,
    reason: np.ndarray,
) -> tuple[int, int]:
    """Clean the records a..b-1 of one rider.

    Parameters
    ----------
    records
        Shape (n, 2), sorted by time and place.
    final
        Nothing comes after them.
    second, x, y, origin
        Scratch of b - a or more: seconds, metres and record number of the fixes that stay.
    reason
        Scratch of b - a or more, int8: why each record is left out (`REASONS`), 0 if it stays.

    Returns
    -------
    kept, settled
        How many fixes stay, and how many of those whatever comes later leaves as they are.
    """
    kept, doubtful = _drop_jumps(records, a, b, final, second, x, y, origin, reason)
    settled = kept - 1
    while settled > 0 and x[settled] == x[settled - 1] and y[settled] == y[settled - 1]:
        settled -= 1  # may yet turn out to be a stuck device
    settled = max(min(settled, doubtful), 0)
    return _drop_spikes(a, kept, settled, second, x, y, origin, reason)


@compiled
def _drop_jumps(  # noqa: C901  (one pass, one state)
    records: np.ndarray,
    a: int,
    b: int,
    final: bool,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    origin: np.ndarray,
    reason: np.ndarray,
) -> tuple[int, int]:
    """Drop repeated and impossible fixes; return how many stay, and how many before any doubt.

    An impossible jump that had to be believed is in doubt for `_TELEPORT_S`: if the rider comes
    back, what was there is dropped, else the fixes of a device that was stuck before it.
    """
    m, jumps, stuck = 0, 0, 0
    apart, frozen = -1, -1  # first fix after a believed jump; first of those at one place before it
    for i in range(a, b):
        key, value = records[i, 0], records[i, 1]
        if i > a and key == records[i - 1, 0]:
            reason[i - a] = _DUPLICATE if value == records[i - 1, 1] else _CONFLICTING
            continue
        t = time_of(key) * 0.001
        px, py = (value >> 32) * 0.01, np.int64(np.int32(value & 0xFFFFFFFF)) * 0.01
        if apart >= 0 and t - second[apart - 1] > _TELEPORT_S:
            stuck += _drop_stuck(a, frozen, apart, origin, reason)
            apart = -1
        if m > 0 and _too_fast(t - second[m - 1], px - x[m - 1], py - y[m - 1], _MAX_SPEED):
            if jumps < _MAX_JUMPS:
                jumps += 1
                reason[i - a] = _JUMP
                continue
            if apart >= 0 and _comes_back(t, px, py, apart - 1, second, x, y):
                for k in range(apart, m):
                    reason[origin[k] - a] = _TELEPORT
                m, apart = apart, -1
            else:
                if apart >= 0:
                    stuck += _drop_stuck(a, frozen, apart, origin, reason)
                apart, frozen = m, _first_at_place(m - 1, x, y)
        jumps = 0
        second[m], x[m], y[m], origin[m] = t, px, py, i
        reason[i - a] = 0
        m += 1
    doubtful = m
    if apart >= 0 and not final:
        doubtful = frozen if apart - frozen >= _STUCK_FIXES else apart - 1
    elif apart >= 0:
        stuck += _drop_stuck(a, frozen, apart, origin, reason)
    if stuck:
        m, doubtful = _close_ranks(a, m, doubtful, second, x, y, origin, reason)
    return m, doubtful


@compiled
def _first_at_place(m: int, x: np.ndarray, y: np.ndarray) -> int:
    """Return the first of the fixes that lie, without a break, to the centimetre where m lies."""
    k = m
    while k > 0 and x[k] == x[k - 1] and y[k] == y[k - 1]:
        k -= 1
    return k


@compiled
def _drop_stuck(a: int, frozen: int, apart: int, origin: np.ndarray, reason: np.ndarray) -> int:
    """Drop the fixes of a device that said one place until it jumped, but for the first."""
    if apart - frozen < _STUCK_FIXES:
        return 0
    for k in range(frozen + 1, apart):
        reason[origin[k] - a] = _STUCK
    return apart - frozen - 1


@compiled
def _close_ranks(
    a: int,
    m: int,
    doubtful: int,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    origin: np.ndarray,
    reason: np.ndarray,
) -> tuple[int, int]:
    """Take stuck fixes out; return how many stay, and how many before the doubtful one."""
    w, certain = 0, 0
    for k in range(m):
        if k == doubtful:
            certain = w
        if reason[origin[k] - a] == 0:
            second[w], x[w], y[w], origin[w] = second[k], x[k], y[k], origin[k]
            w += 1
    return w, certain if doubtful < m else w


@compiled
def _too_fast(dt: float, dx: float, dy: float, speed: float) -> bool:
    limit = speed * dt + _JUMP_SLACK_M
    return dx * dx + dy * dy > limit * limit


@compiled
def _comes_back(
    t: float, px: float, py: float, before: int, second: np.ndarray, x: np.ndarray, y: np.ndarray
) -> bool:
    """Tell whether a fix goes on where the rider was before the last jump that was believed."""
    dt = t - second[before]
    return dt <= _TELEPORT_S and not _too_fast(dt, px - x[before], py - y[before], _RIDING_SPEED)


@compiled
def _drop_spikes(
    a: int,
    kept: int,
    settled: int,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    origin: np.ndarray,
    reason: np.ndarray,
) -> tuple[int, int]:
    """Drop single fixes that leave and come back; a fix after a spike is judged anew."""
    far2 = _SPIKE_M * _SPIKE_M
    w, settled_w = 0, 0
    for i in range(kept):
        if i == settled:
            settled_w = w
        if w > 0 and i < kept - 1:
            p = w - 1
            out2 = (x[i] - x[p]) ** 2 + (y[i] - y[p]) ** 2
            back2 = (x[i + 1] - x[i]) ** 2 + (y[i + 1] - y[i]) ** 2
            aside2 = (x[i + 1] - x[p]) ** 2 + (y[i + 1] - y[p]) ** 2
            if min(out2, back2) > far2 and 4.0 * aside2 < min(out2, back2):
                reason[origin[i] - a] = _SPIKE
                continue
        second[w], x[w], y[w], origin[w] = second[i], x[i], y[i], origin[i]
        w += 1
    return w, settled_w if settled < kept else w
