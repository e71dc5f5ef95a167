"""Order fixes by rider and time and tell which of them cannot be true."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from planner.compiled import compiled
from planner.errors import InputError

if TYPE_CHECKING:
    import geopandas as gpd

REASONS = ("duplicate", "conflicting", "jump", "spike")
_DUPLICATE, _CONFLICTING, _JUMP, _SPIKE = 1, 2, 3, 4

_MAX_SPEED = 50.0  # m/s: 180 km/h, faster than any rider or truck
_JUMP_SLACK_M = 30.0  # two good fixes at one place may lie this far apart
_MAX_JUMPS = 3  # in a row; after that it is the earlier fix that was wrong
_SPIKE_M = 100.0


class Track(NamedTuple):
    """Cleaned fixes, sorted by rider, then time."""

    row: np.ndarray  # (n,) position in the table they came from
    rider: np.ndarray  # (n,) rider number, ascending
    second: np.ndarray  # (n,) float64 seconds since the first fix
    x: np.ndarray  # (n,) metres
    y: np.ndarray  # (n,) metres
    dropped: dict[str, int]  # reason = number of fixes left out

    @property
    def bounds(self) -> np.ndarray:
        """Return where each rider's fixes start, and the end: shape (riders + 1,)."""
        change = np.flatnonzero(np.diff(self.rider)) + 1
        return np.concatenate([[0], change, [len(self.rider)]]).astype(np.int64)


def point_xy(points: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates of shapely points, NaN where one is missing, empty or not finite.

    Raises
    ------
    InputError
        Some of the geometries are no points.
    """
    points = np.array(points, dtype=object)
    points[shapely.is_empty(points)] = None  # GEOS refuses their coordinates
    wrong = np.flatnonzero(shapely.get_type_id(points) > 0)
    if len(wrong):
        kind = points[wrong[0]].geom_type
        raise InputError(
            f"`{name}` must hold points. Got {len(wrong)} other geometries, the first a {kind} at "
            f"position {wrong[0]}. Use `.representative_point()` where an area stands for a place."
        )
    x, y = shapely.get_x(points), shapely.get_y(points)
    bad = ~(np.isfinite(x) & np.isfinite(y))
    x[bad], y[bad] = np.nan, np.nan
    return x, y


def make_track(fixes: gpd.GeoDataFrame) -> Track:
    """Return the cleaned fixes of a table.

    Raises
    ------
    InputError
        The times have no time zone, or a geometry is no point.
    """
    time = fixes["time"]
    if not isinstance(time.dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"the times must carry a time zone. Got {time.dtype}. "
            "Use `.dt.tz_localize('Asia/Shanghai')`.",
            column="time",
        )
    microsecond = time.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    rider, _ = pd.factorize(fixes["rider_id"].astype(str), sort=True)
    kind, _ = pd.factorize(fixes["worker_type"].astype(str), sort=True)
    x, y = point_xy(fixes.geometry.to_numpy(), "fixes")
    return clean_fixes(rider, microsecond.astype(np.int64), x, y, kind)


def clean_fixes(
    rider: np.ndarray, microsecond: np.ndarray, x: np.ndarray, y: np.ndarray, tie: np.ndarray
) -> Track:
    """Sort fixes by rider and time and leave out what cannot be true.

    Parameters
    ----------
    rider
        Shape (n,), integer rider numbers.
    microsecond
        Shape (n,), int64 time stamps.
    x, y
        Shape (n,), metres; NaN where there is no position.
    tie
        Shape (n,), integers that decide between fixes alike in all of the above (the worker type).

    Returns
    -------
    Track
        The fixes that stay, and the number left out by reason: ``no_position``, ``duplicate``
        (same rider, time and place), ``conflicting`` (same rider and time elsewhere; the smaller
        coordinates stay, whichever came first in the file), ``jump`` (farther than
        50 m/s · dt + 30 m from the last good fix, at most 3 in a row) and ``spike`` (over 100 m
        from both neighbours, which lie within half that way of each other).
    """
    placed = np.flatnonzero(~np.isnan(x))
    order = placed[
        np.lexsort((tie[placed], y[placed], x[placed], microsecond[placed], rider[placed]))
    ]
    rider, x, y = rider[order], x[order], y[order]
    start = microsecond[order].min() if len(order) else 0
    second = (microsecond[order] - start) / 1e6
    reason = find_faults(rider, second, x, y)
    counts = np.bincount(reason, minlength=len(REASONS) + 1)
    dropped = {"no_position": len(microsecond) - len(placed)}
    dropped |= {name: int(counts[i + 1]) for i, name in enumerate(REASONS)}
    good = reason == 0
    return Track(order[good], rider[good], second[good], x[good], y[good], dropped)


@compiled
def find_faults(rider: np.ndarray, second: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell of each sorted fix why it is left out; 0 where it stays. Returns int64 (n,)."""
    n = len(second)
    reason = np.zeros(n, dtype=np.int64)
    before = np.full(n, -1, dtype=np.int64)  # the good fix before this one, same rider
    last, jumps = -1, 0
    for i in range(n):
        if last >= 0 and rider[last] != rider[i]:
            last, jumps = -1, 0
        if i > 0 and rider[i] == rider[i - 1] and second[i] == second[i - 1]:
            same = x[i] == x[i - 1] and y[i] == y[i - 1]
            reason[i] = _DUPLICATE if same else _CONFLICTING
            continue
        if last >= 0:
            limit = _MAX_SPEED * (second[i] - second[last]) + _JUMP_SLACK_M
            far = (x[i] - x[last]) ** 2 + (y[i] - y[last]) ** 2 > limit * limit
            if far and jumps < _MAX_JUMPS:
                reason[i] = _JUMP
                jumps += 1
                continue
        before[i] = last
        last, jumps = i, 0
    _mark_spikes(reason, before, x, y)
    return reason


@compiled
def _mark_spikes(reason: np.ndarray, before: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Mark single good fixes that leave and come back; a fix after a spike is judged anew."""
    far2 = _SPIKE_M * _SPIKE_M
    for j in range(len(x)):  # j is the fix after the suspect i, p the one before it
        i = before[j]
        if reason[j] != 0 or i < 0 or before[i] < 0:
            continue
        p = before[i]
        out2 = (x[i] - x[p]) ** 2 + (y[i] - y[p]) ** 2
        back2 = (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2
        aside2 = (x[j] - x[p]) ** 2 + (y[j] - y[p]) ** 2
        if min(out2, back2) > far2 and 4.0 * aside2 < min(out2, back2):
            reason[i] = _SPIKE
            before[j] = p
