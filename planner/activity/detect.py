# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""Find the stays of one rider in cleaned fixes: kernels that can stop and go on.

Each takes the first `known` of a rider's fixes and returns the first fix that is not decided by
them; if they are all there will be (`final`), everything is decided. What has been found stands in
`out`, a row a stay: rider, first and last second, x, y, fixes.

`find_robust` grows a stay with a running centre and forgives outliers; `find_plain` is the rule of
Li et al. (2008) as published; `find_slots` samples presence by the clock.
"""

from __future__ import annotations

import numpy as np

from planner.compiled import compiled, inlined

GAP_S = 1500.0  # longer silence ends a stay
SEED_S = 180.0  # what the robust rule grows from; shorter halts are traffic lights
_MAX_OUTSIDE = 5  # fixes in a row that may lie outside before a stay ends
_MAX_OUTSIDE_S = 300.0  # and seconds
_MEMORY = 20  # the running centre follows the last 20 fixes or so
_WEIGHT = 1.0 / np.clip(np.arange(_MEMORY + 1), 1, None)  # of the n-th fix for the centre
_SAMPLE = 64  # fixes that a stay's centre is the median of
_FEW = 16  # fixes that tell roughly where others lie
_BINS = 32  # a median is the mean of the values in its bin
_NARROW, _WIDE = 0.8, 1.2  # of the radius: how far it adapts to a device's noise
_NOISE = 3.5  # times the median distance: the radius that suits
_TRIM_SHARE = 0.3  # of the radius: ends closer than this to the centre are never trimmed
_TRIM_FACTOR = 2.6  # times the median distance
_DRIFT_SHARE = 0.85  # of the radius from the first to the last third is no stay but a slow ride,
_DRIFT_FACTOR = 2.0  # if it is this many times the median distance as well
_JOIN_SHARE = 0.8  # of the radius: neighbours this close are one stay
_JOIN_GAP_S = 1500.0

_LEAST_SCATTER = 1.0  # metres
_COUNTS = 2 * _SAMPLE  # where the bins' counts start in a buffer of values, bins and counts

OUT_COLUMNS = 6
STATE_COLUMNS = 6  # of what is kept of a rider between windows
_FROM, _TO, _X, _Y, _FIXES = range(1, 6)  # of `out` and of a pending stay in the state


@compiled
def find_plain(
    rider: int,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    begin: int,
    known: int,
    final: bool,
    radius_m: float,
    min_s: float,
    out: np.ndarray,
    found: int,
) -> tuple[int, int]:
    """Stay points of Li et al. (2008): all fixes within the radius of the first one."""
    i = begin
    while i < known:
        j = i + 1
        open_end = True
        while j < known:
            if second[j] - second[j - 1] > GAP_S or _off2(x, y, j, x[i], y[i]) > radius_m**2:
                open_end = False
                break
            j += 1
        if open_end and not final:
            return found, i
        if second[j - 1] - second[i] < min_s or j == i + 1:
            i += 1
            continue
        out[found, 0], out[found, _FROM], out[found, _TO] = rider, second[i], second[j - 1]
        out[found, _X], out[found, _Y] = x[i:j].mean(), y[i:j].mean()
        out[found, _FIXES] = j - i
        found += 1
        i = j
    return found, known


@compiled
def find_slots(
    rider: int,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    begin: int,
    known: int,
    slot_s: float,
    state: np.ndarray,
    out: np.ndarray,
    found: int,
) -> tuple[int, int]:
    """Take the first fix in each slot of the clock; the last slot seen is kept in the state."""
    for i in range(begin, known):
        slot = np.floor(second[i] / slot_s)
        if state[_FIXES] > 0 and state[_FROM] == slot:
            continue
        state[_FROM], state[_FIXES] = slot, 1
        out[found, 0], out[found, _FROM], out[found, _TO] = rider, second[i], second[i] + slot_s
        out[found, _X], out[found, _Y], out[found, _FIXES] = x[i], y[i], 1
        found += 1
    return found, known


@compiled
def find_robust(
    rider: int,
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    begin: int,
    known: int,
    final: bool,
    radius_m: float,
    seed_s: float,
    min_s: float,
    state: np.ndarray,
    out: np.ndarray,
    found: int,
) -> tuple[int, int]:
    """Stays grown, trimmed and joined; `state` holds the rider's last one, which may yet grow."""
    buffer = np.empty(_COUNTS + 2 * _BINS)
    i = ahead = begin
    while i < known:
        ahead = _skip_to(second, ahead, i, known, seed_s)
        if _moves_on(x, y, i, ahead, known, radius_m):
            i += 1
            continue
        stop, decided, cx, cy, noise = _settle(
            second, x, y, i, known, final, radius_m, seed_s, buffer
        )
        if not decided:
            return found, i
        if second[stop] - second[i] < seed_s:
            i += 1
            continue
        a, b = _trim(x, y, i, stop, cx, cy, noise, radius_m)
        if second[b] - second[a] < seed_s or _drifts(x, y, a, b, cx, cy, noise, radius_m):
            i += 1
            continue
        if _goes_on(state, second[a], cx, cy, radius_m):
            _lengthen(state, second[b], cx, cy, b - a + 1)
        else:
            found = _emit(state, rider, min_s, out, found)
            state[_FROM], state[_TO], state[_X], state[_Y] = second[a], second[b], cx, cy
            state[_FIXES] = b - a + 1
        i = b + 1
    if final:
        found = _emit(state, rider, min_s, out, found)
    return found, known


@compiled
def _emit(state: np.ndarray, rider: int, min_s: float, out: np.ndarray, found: int) -> int:
    """Write the pending stay, if there is one and it is long enough."""
    if state[_FIXES] > 0 and state[_TO] - state[_FROM] >= min_s:
        out[found, 1:] = state[1:OUT_COLUMNS]
        out[found, 0] = rider
        found += 1
    state[_FIXES] = 0
    return found


@inlined
def _goes_on(state: np.ndarray, start: float, cx: float, cy: float, radius_m: float) -> bool:
    """Tell whether a stay that starts now goes on with the pending one."""
    join = _JOIN_SHARE * radius_m
    off2 = (state[_X] - cx) ** 2 + (state[_Y] - cy) ** 2
    return state[_FIXES] > 0 and off2 <= join * join and start - state[_TO] <= _JOIN_GAP_S


@inlined
def _lengthen(state: np.ndarray, end: float, cx: float, cy: float, fixes: int) -> None:
    both = state[_FIXES] + fixes
    state[_X] += (cx - state[_X]) * fixes / both
    state[_Y] += (cy - state[_Y]) * fixes / both
    state[_TO], state[_FIXES] = end, both


@inlined
def _skip_to(second: np.ndarray, ahead: int, i: int, known: int, seed_s: float) -> int:
    """Return the first fix at least `seed_s` after fix i; `ahead` is where a search ended."""
    ahead = max(ahead, i)
    while ahead < known and second[ahead] - second[i] < seed_s:
        ahead += 1
    return ahead


@inlined
def _moves_on(
    x: np.ndarray, y: np.ndarray, i: int, ahead: int, known: int, radius_m: float
) -> bool:
    """Tell cheaply that no stay starts at i: two fixes in a row are more than 2 radii away."""
    if ahead + 1 >= known:
        return False
    limit = 4.0 * radius_m * radius_m
    return _off2(x, y, ahead, x[i], y[i]) > limit and _off2(x, y, ahead + 1, x[i], y[i]) > limit


@compiled
def _settle(
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    i: int,
    known: int,
    final: bool,
    radius_m: float,
    seed_s: float,
    buffer: np.ndarray,
) -> tuple[int, bool, float, float, float]:
    """Return the last fix of a stay from i on, if later fixes leave it so, its centre and noise.

    The radius suits the device: it is narrow unless the fixes scatter.
    """
    radius = _NARROW * radius_m
    stop, over = _grow(second, x, y, i, known, radius)
    decided = over or final
    if not decided or second[stop] - second[i] < seed_s:
        return stop, decided, 0.0, 0.0, 0.0
    mx, my, scatter = _around(x, y, i, stop, radius)
    wanted = min(_NOISE * scatter, _WIDE * radius_m)
    if wanted > radius:
        stop, over = _grow(second, x, y, i, known, wanted)
        mx, my, scatter = _around(x, y, i, stop, wanted)
    cx, cy, noise = _middle(x, y, i, stop, mx, my, scatter, buffer)
    return stop, over or final, cx, cy, noise


@compiled
def _grow(
    second: np.ndarray, x: np.ndarray, y: np.ndarray, i: int, known: int, radius: float
) -> tuple[int, bool]:
    """Return the last fix within the radius of a centre that follows the fixes from i on.

    And whether later fixes leave it so.
    """
    cx, cy = x[i], y[i]
    inside, last, outside = 1, i, 0
    for j in range(i + 1, known):
        if second[j] - second[j - 1] > GAP_S:
            return last, True
        dx, dy = x[j] - cx, y[j] - cy
        if dx * dx + dy * dy <= radius * radius:
            inside += 1
            weight = _WEIGHT[min(inside, _MEMORY)]
            cx += dx * weight
            cy += dy * weight
            last, outside = j, 0
        else:
            outside += 1
            if outside > _MAX_OUTSIDE or second[j] - second[last] > _MAX_OUTSIDE_S:
                return last, True
    return last, False


@compiled
def _trim(
    x: np.ndarray,
    y: np.ndarray,
    a: int,
    b: int,
    cx: float,
    cy: float,
    noise: float,
    radius_m: float,
) -> tuple[int, int]:
    """Cut the ride in and the ride out: both ends are to be two near fixes in a row."""
    limit = min(max(_TRIM_SHARE * radius_m, _TRIM_FACTOR * noise), radius_m)
    limit2 = limit * limit
    while a < b and (_off2(x, y, a, cx, cy) > limit2 or _off2(x, y, a + 1, cx, cy) > limit2):
        a += 1
    while b > a and (_off2(x, y, b, cx, cy) > limit2 or _off2(x, y, b - 1, cx, cy) > limit2):
        b -= 1
    return a, b


@compiled
def _drifts(
    x: np.ndarray,
    y: np.ndarray,
    a: int,
    b: int,
    cx: float,
    cy: float,
    noise: float,
    radius_m: float,
) -> bool:
    """Tell a slow ride: its last third lies elsewhere than its first."""
    third = (b - a + 1) // 3
    if third < 2:
        return False
    c, d = a + third - 1, b - third + 1
    dx = _mean(x, a, c, cx, radius_m) - _mean(x, d, b, cx, radius_m)
    dy = _mean(y, a, c, cy, radius_m) - _mean(y, d, b, cy, radius_m)
    far2 = dx * dx + dy * dy
    return far2 > (_DRIFT_SHARE * radius_m) ** 2 and far2 > (_DRIFT_FACTOR * noise) ** 2


@compiled
def _mean(values: np.ndarray, a: int, b: int, near: float, radius_m: float) -> float:
    """Mean distance from a value of some of a..b, none taken for farther than the radius."""
    total, n = 0.0, 0
    for q in range(a, b + 1, (b - a) // _FEW + 1):
        total += min(max(values[q] - near, -radius_m), radius_m)
        n += 1
    return total / n


@inlined
def _off2(x: np.ndarray, y: np.ndarray, i: int, cx: float, cy: float) -> float:
    return (x[i] - cx) ** 2 + (y[i] - cy) ** 2


@compiled
def _around(
    x: np.ndarray, y: np.ndarray, a: int, b: int, radius: float
) -> tuple[float, float, float]:
    """Return the mean place of at most 16 fixes of a..b, and their mean distance from it.

    What lies far off counts as if it lay at the edge.
    """
    stride = (b - a) // _FEW + 1
    n, dx, dy, far = 0, 0.0, 0.0, 0.0
    for q in range(a, b + 1, stride):
        dx += min(max(x[q] - x[a], -2.0 * radius), 2.0 * radius)
        dy += min(max(y[q] - y[a], -2.0 * radius), 2.0 * radius)
        n += 1
    mx, my = x[a] + dx / n, y[a] + dy / n
    for q in range(a, b + 1, stride):
        far += min(np.sqrt(_off2(x, y, q, mx, my)), radius)
    return mx, my, far / n


@compiled
def _middle(
    x: np.ndarray,
    y: np.ndarray,
    a: int,
    b: int,
    mx: float,
    my: float,
    scatter: float,
    buffer: np.ndarray,
) -> tuple[float, float, float]:
    """Return the median place of at most 64 fixes of a..b, and their median distance from it."""
    stride = (b - a) // _SAMPLE + 1
    span = 2.0 * max(scatter, _LEAST_SCATTER)  # of a mean distance: medians lie within
    n = _take(x, a, b, stride, buffer)
    cx = _median(buffer, n, mx - span, _BINS / (2.0 * span))
    _take(y, a, b, stride, buffer)
    cy = _median(buffer, n, my - span, _BINS / (2.0 * span))
    for k in range(n):
        buffer[k] = np.sqrt(_off2(x, y, a + k * stride, cx, cy))
    return cx, cy, _median(buffer, n, 0.0, _BINS / span)


@inlined
def _take(values: np.ndarray, a: int, b: int, stride: int, buffer: np.ndarray) -> int:
    n = 0
    for q in range(a, b + 1, stride):
        buffer[n] = values[q]
        n += 1
    return n


@compiled
def _median(buffer: np.ndarray, n: int, low: float, per_unit: float) -> float:
    """Upper median of the first n values: the mean of those in its bin.

    The outermost bins take what lies beyond them. Even and odd values are counted apart, so that
    no count waits for the one before.
    """
    for b in range(_COUNTS, _COUNTS + 2 * _BINS):
        buffer[b] = 0.0
    for q in range(n):
        b = int(min(max((buffer[q] - low) * per_unit, 0.0), _BINS - 1.0))
        buffer[_COUNTS + 2 * b + (q & 1)] += 1.0
        buffer[_SAMPLE + q] = b
    b, seen = 0, buffer[_COUNTS] + buffer[_COUNTS + 1]
    while seen <= n // 2:
        b += 1
        seen += buffer[_COUNTS + 2 * b] + buffer[_COUNTS + 2 * b + 1]
    total = members = 0.0
    for q in range(n):
        mine = 1.0 if buffer[_SAMPLE + q] == b else 0.0
        total += mine * buffer[q]
        members += mine
    return total / members
