# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""Find stays in cleaned, sorted fixes: numba kernels over plain arrays.

`find_robust` grows a stay with a running centre and forgives outliers; `find_plain` is the rule of
Li et al. (2008) as published. Both write the first and last fix of each stay, its centre and its
number of fixes into arrays they are given and return how many stays there are.
"""

from __future__ import annotations

import numpy as np

from planner.compiled import compiled

GAP_S = 1500.0  # longer silence ends a stay
_MAX_OUTSIDE = 5  # fixes in a row that may lie outside before a stay ends
_MAX_OUTSIDE_S = 300.0  # and seconds
_MEMORY = 20  # the running centre follows the last 20 fixes or so
_SAMPLE = 64  # fixes that the medians are taken from
_TRIM_SHARE = 0.3  # of the radius: ends closer than this to the centre are never trimmed
_TRIM_FACTOR = 2.5  # times the median distance
_JOIN_SHARE = 0.8  # of the radius: neighbours this close are one stay
_JOIN_GAP_S = 1500.0


@compiled
def find_plain(
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    bounds: np.ndarray,
    radius_m: float,
    min_s: float,
    first: np.ndarray,
    last: np.ndarray,
    centre: np.ndarray,
) -> int:
    """Stay points of Li et al. (2008): all fixes within the radius of the first one."""
    found = 0
    for r in range(len(bounds) - 1):
        i, end = bounds[r], bounds[r + 1]
        while i < end - 1:
            j = i + 1
            while j < end and second[j] - second[j - 1] <= GAP_S:
                if (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 > radius_m * radius_m:
                    break
                j += 1
            if second[j - 1] - second[i] < min_s:
                i += 1
                continue
            first[found], last[found] = i, j - 1
            centre[found, 0], centre[found, 1] = x[i:j].mean(), y[i:j].mean()
            found += 1
            i = j
    return found


@compiled
def find_robust(
    second: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    bounds: np.ndarray,
    radius_m: float,
    seed_s: float,
    first: np.ndarray,
    last: np.ndarray,
    centre: np.ndarray,
) -> int:
    """Stays of at least `seed_s` seconds, grown, trimmed and joined rider by rider."""
    found = 0
    buffer = np.empty(_SAMPLE)
    for r in range(len(bounds) - 1):
        i, end = bounds[r], bounds[r + 1]
        own = found  # this rider's first stay
        weight = 0  # fixes behind the rider's last stay
        ahead = i
        while i < end:
            ahead = _skip_to(second, ahead, i, end, seed_s)
            if _moves_on(x, y, i, ahead, end, radius_m):
                i += 1
                continue
            stop = _grow(second, x, y, i, end, radius_m)
            if second[stop] - second[i] < seed_s:
                i += 1
                continue
            cx, cy = _median(x, i, stop, buffer), _median(y, i, stop, buffer)
            a, b = _trim(x, y, i, stop, cx, cy, radius_m, buffer)
            if second[b] - second[a] < seed_s:
                i += 1
                continue
            n = b - a + 1
            if found > own and _is_same(second, last, centre, found - 1, a, cx, cy, radius_m):
                both = weight + n
                centre[found - 1, 0] += (cx - centre[found - 1, 0]) * n / both
                centre[found - 1, 1] += (cy - centre[found - 1, 1]) * n / both
                last[found - 1], weight = b, both
            else:
                first[found], last[found] = a, b
                centre[found, 0], centre[found, 1] = cx, cy
                found += 1
                weight = n
            i = b + 1
    return found


@compiled
def _skip_to(second: np.ndarray, ahead: int, i: int, end: int, seed_s: float) -> int:
    """Return the first fix at least `seed_s` after fix i; `ahead` is where a search ended."""
    ahead = max(ahead, i)
    while ahead < end and second[ahead] - second[i] < seed_s:
        ahead += 1
    return ahead


@compiled
def _moves_on(x: np.ndarray, y: np.ndarray, i: int, ahead: int, end: int, radius_m: float) -> bool:
    """Tell cheaply that no stay starts at i: two fixes in a row are more than 2 radii away."""
    if ahead + 1 >= end:
        return False
    limit = 4.0 * radius_m * radius_m
    near = (x[ahead] - x[i]) ** 2 + (y[ahead] - y[i]) ** 2 <= limit
    return not near and (x[ahead + 1] - x[i]) ** 2 + (y[ahead + 1] - y[i]) ** 2 > limit


@compiled
def _grow(
    second: np.ndarray, x: np.ndarray, y: np.ndarray, i: int, end: int, radius_m: float
) -> int:
    """Return the last fix within the radius of a centre that follows the fixes from i on."""
    cx, cy = x[i], y[i]
    inside, last, outside = 1, i, 0
    for j in range(i + 1, end):
        if second[j] - second[j - 1] > GAP_S:
            break
        dx, dy = x[j] - cx, y[j] - cy
        if dx * dx + dy * dy <= radius_m * radius_m:
            inside += 1
            cx += dx / min(inside, _MEMORY)
            cy += dy / min(inside, _MEMORY)
            last, outside = j, 0
        else:
            outside += 1
            if outside > _MAX_OUTSIDE or second[j] - second[last] > _MAX_OUTSIDE_S:
                break
    return last


@compiled
def _trim(
    x: np.ndarray,
    y: np.ndarray,
    a: int,
    b: int,
    cx: float,
    cy: float,
    radius_m: float,
    buffer: np.ndarray,
) -> tuple[int, int]:
    """Cut the ride in and the ride out: both ends are to be two near fixes in a row."""
    stride = (b - a + 1) // _SAMPLE + 1
    n = 0
    for q in range(a, b + 1, stride):
        buffer[n] = np.hypot(x[q] - cx, y[q] - cy)
        n += 1
    limit = min(max(_TRIM_SHARE * radius_m, _TRIM_FACTOR * _select(buffer, n)), radius_m)
    limit2 = limit * limit
    while a < b and (_off2(x, y, a, cx, cy) > limit2 or _off2(x, y, a + 1, cx, cy) > limit2):
        a += 1
    while b > a and (_off2(x, y, b, cx, cy) > limit2 or _off2(x, y, b - 1, cx, cy) > limit2):
        b -= 1
    return a, b


@compiled
def _off2(x: np.ndarray, y: np.ndarray, i: int, cx: float, cy: float) -> float:
    return (x[i] - cx) ** 2 + (y[i] - cy) ** 2


@compiled
def _is_same(
    second: np.ndarray,
    last: np.ndarray,
    centre: np.ndarray,
    k: int,
    a: int,
    cx: float,
    cy: float,
    radius_m: float,
) -> bool:
    """Tell whether a stay that starts at fix a goes on with stay k."""
    join = _JOIN_SHARE * radius_m
    off2 = (centre[k, 0] - cx) ** 2 + (centre[k, 1] - cy) ** 2
    return off2 <= join * join and second[a] - second[last[k]] <= _JOIN_GAP_S


@compiled
def _median(values: np.ndarray, a: int, b: int, buffer: np.ndarray) -> float:
    """Upper median of at most 64 values evenly taken from a..b (both included)."""
    stride = (b - a + 1) // _SAMPLE + 1
    n = 0
    for q in range(a, b + 1, stride):
        buffer[n] = values[q]
        n += 1
    return _select(buffer, n)


@compiled
def _select(buffer: np.ndarray, n: int) -> float:
    """Upper median of the first n values by Hoare's selection; reorders them."""
    k, low, high = n // 2, 0, n - 1
    while low < high:
        pivot = buffer[k]
        i, j = low, high
        while i <= j:
            while buffer[i] < pivot:
                i += 1
            while buffer[j] > pivot:
                j -= 1
            if i <= j:
                buffer[i], buffer[j] = buffer[j], buffer[i]
                i += 1
                j -= 1
        if j < k:
            low = i
        if k < i:
            high = j
    return buffer[k]
