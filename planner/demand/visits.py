"""Stays as counted visits: who was in which cell, in which daypart, on which kind of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from planner.compiled import compiled
from planner.demand.dayparts import daypart_of
from planner.demand.gate import Crowds
from planner.demand.hexagons import cell_centre, cell_of
from planner.errors import InputError
from planner.settings import STAY_CLASSES
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd

_CHUNK = 1 << 20  # rows looked at in one go
_UNIT_M = 1e-5  # positions within a cell are whole numbers of this: their sums are exact
_DAY_US, _HOUR_US, _HOURS = 86_400_000_000, 3_600_000_000, 24
_COLUMNS = 1 << 32  # more than hexagon columns there are
_MOST_TYPES = 1000  # of workers: more are names or numbers of something else


class Entries(NamedTuple):
    """Stays that are alike, counted: one entry each, in no order that matters.

    Attributes
    ----------
    cell, rider
        Position in `Visits.cells`; number of the rider.
    part, kind, duration, weekend
        Position in the dayparts, in `Visits.kinds` (worker types) and in the stay classes; 1 at
        weekends.
    stays
        How many stays there are.
    """

    cell: np.ndarray
    rider: np.ndarray
    part: np.ndarray
    kind: np.ndarray
    duration: np.ndarray
    weekend: np.ndarray
    stays: np.ndarray


class Diary(NamedTuple):
    """Who was in which cell at which hour of which day: one entry each.

    Attributes
    ----------
    cell, rider, day
        Position in `Visits.cells`; number of the rider; position in `Visits.days`.
    part, hour
        Position in the dayparts; hour of the clock, 0 … 23.
    stays
        How many stays there are.
    """

    cell: np.ndarray
    rider: np.ndarray
    day: np.ndarray
    part: np.ndarray
    hour: np.ndarray
    stays: np.ndarray


@dataclass(frozen=True)
class Visits:
    """Stays by cell; sums are of whole numbers, so no order of rows changes them.

    Attributes
    ----------
    cells
        Shape (cells, 2): row and column, ascending.
    entries
        What there is in the cells.
    per_day
        Visits on an average day that a stay on a workday and one at a weekend stand for.
    stays
        Shape (cells, 2): number on workdays and at weekends.
    inside
        Shape (cells, 2, 2): sum over them of x and y from the middle of the cell, metres.
    days
        Local dates that have any stay.
    kinds
        Worker types.
    diary
        The same by day, where it was asked for.
    """

    cells: np.ndarray
    entries: Entries
    per_day: np.ndarray
    stays: np.ndarray
    inside: np.ndarray
    days: np.ndarray
    kinds: tuple[str, ...]
    diary: Diary | None = None

    def crowds(self, point: np.ndarray, points: int, category: str, categories: int) -> Crowds:
        """Return who was at each point 0..points-1, by category.

        Parameters
        ----------
        point
            Of each cell; -1 where it belongs to none.
        category
            A field of `Entries`, or ``""`` for everybody in one.
        """
        entries = self.entries
        which = getattr(entries, category) if category else np.zeros_like(entries.part)
        rider, start, stays = _gather(entries, which, point, points, categories)
        weight = _weight(stays, self.per_day)
        return Crowds(rider, start, weight.reshape(points, categories))

    def weight(self) -> np.ndarray:
        """Return the visits on an average day by cell."""
        return _weight(self.stays, self.per_day)

    def workers(self, entries: np.ndarray | None = None) -> int:
        """Count the distinct workers, of some entries where a mask is given."""
        rider = self.entries.rider if entries is None else self.entries.rider[entries]
        return int(np.count_nonzero(np.bincount(rider)))


def read_visits(
    stays: gpd.GeoDataFrame,
    dayparts: Mapping[str, tuple[float, float]],
    *,
    cell_m: float,
    by_day: bool = False,
) -> Visits:
    """Check a `stays` table and count it by cell, rider, time and kind, and by day if asked.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, is empty, or its times have no zone.
    """
    _check(stays)
    part, weekend, days = _clock(stays["arrive"], dayparts)
    cell, cells, stays_in, inside = _places(stays, weekend, cell_m)
    rider, riders = numbered(stays["rider_id"])
    kind, kinds = numbered(stays["worker_type"])
    if len(kinds) > _MOST_TYPES:
        raise InputError(
            f"there are {len(kinds)} worker types. Name the right column.", column="worker_type"
        )
    diary = _diary(stays["arrive"], days, cell, rider, part) if by_day else None
    duration = _duration(stays["stay_min"].to_numpy(dtype=float))
    sizes = (len(riders), len(dayparts) + 1, len(kinds), len(STAY_CLASSES), 2)
    key = cell.astype(np.int64)
    for size, number in zip(sizes, (rider, part, kind, duration, weekend), strict=True):
        key *= size
        key += number
    del part, weekend, cell, rider, kind, duration
    return Visits(
        cells=cells, entries=_count(key, sizes), per_day=_per_average_day(days), stays=stays_in,
        inside=inside, days=days.astype("datetime64[D]"), kinds=tuple(kinds), diary=diary,
    )  # fmt: skip


def read_points(table: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of a table of points; raise `InputError` where one has none."""
    points: np.ndarray = np.asarray(table.geometry, dtype=object)
    if (shapely.get_type_id(points) != 0).any():
        raise InputError("the geometries must be points. Use `.representative_point()`.")
    empty = shapely.is_empty(points)
    if empty.any():
        points = points.copy()
        points[empty] = None  # GEOS refuses their coordinates
    x, y = shapely.get_x(points), shapely.get_y(points)
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(bad):
        raise InputError(f"the point of row {table.index[bad[0]]!r} has no coordinates. Drop it.")
    return x, y


def numbered(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return each text's number, by their order, and the texts; dictionaries are read by code.

    Examples
    --------
    >>> numbered(pd.Series(["b", "a", "b"], dtype="category"))
    (array([1, 0, 1], dtype=int32), ['a', 'b'])
    """
    if column.dtype == object:
        column = column.astype(str)
    code, values = pd.factorize(column)
    number, names = pd.factorize(np.asarray(pd.Index(values).astype(str), dtype=object), sort=True)
    return number.astype(np.int32)[code], [str(name) for name in names]


def _check(stays: gpd.GeoDataFrame) -> None:
    check_table(stays, "stays")
    if stays.empty:
        found = stays.attrs.get("activity", {}).get("fixes")
        seen = f" in {found} fixes" if found else ""
        raise InputError(
            f"`stays` is empty: nobody stayed anywhere{seen}. Check times, coordinates and "
            "`min_stay_min`."
        )
    if not isinstance(stays["arrive"].dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"the times must carry a time zone. Got {stays['arrive'].dtype}. "
            "Use `.dt.tz_localize('Asia/Shanghai')`.",
            column="arrive",
        )


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(a, min(a + _CHUNK, rows)) for a in range(0, rows, _CHUNK))


def _clock(
    arrive: pd.Series, dayparts: Mapping[str, tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the daypart of each time, 1 for those at weekends, and the days that occur."""
    local = arrive.dt.tz_localize(None).to_numpy("datetime64[us]").view(np.int64)
    part, weekend = (np.empty(len(local), dtype=np.int16) for _ in range(2))
    days = []
    for rows in _chunks(len(local)):
        day = local[rows] // _DAY_US
        part[rows] = daypart_of((local[rows] - day * _DAY_US) / _HOUR_US, dayparts)
        weekend[rows] = _weekend(day)
        days.append(pd.unique(day))
    return part, weekend, np.unique(np.concatenate(days))


def _diary(
    arrive: pd.Series, days: np.ndarray, cell: np.ndarray, rider: np.ndarray, part: np.ndarray
) -> Diary:
    """Count the stays by cell, rider, day, daypart and hour."""
    local = arrive.dt.tz_localize(None).to_numpy("datetime64[us]").view(np.int64)
    sizes = (int(rider.max(initial=0)) + 1, days.size, int(part.max(initial=0)) + 1, _HOURS)
    key = cell.astype(np.int64)
    for rows in _chunks(len(local)):
        day = local[rows] // _DAY_US
        hour = (local[rows] - day * _DAY_US) // _HOUR_US
        numbers = (rider[rows], np.searchsorted(days, day), part[rows], hour)
        for size, number in zip(sizes, numbers, strict=True):
            key[rows] *= size
            key[rows] += number
    key.sort()
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    parts, rest = [], key[first]
    for size in reversed(sizes):
        rest, number = np.divmod(rest, size)
        parts.append(number)
    hour, part, day, rider = parts
    return Diary(rest, rider, day, part, hour, np.diff(np.append(first, key.size)))


def _duration(stay_min: np.ndarray) -> np.ndarray:
    """Return the position of each stay's class; the last has no upper end."""
    starts = [start for start, _ in STAY_CLASSES.values()]
    duration = np.zeros(len(stay_min), dtype=np.int16)
    for start in starts[1:]:
        duration += stay_min >= start
    return duration


def _places(
    stays: gpd.GeoDataFrame, weekend: np.ndarray, cell_m: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the position of each stay's cell, the cells, and `stays` and `inside` of them."""
    x, y = read_points(stays)
    cell, cells = _cells(x, y, cell_m)
    middle = cell_centre(cells[:, 0], cells[:, 1], cell_m)
    slots = 2 * len(cells)
    number, total = np.zeros(slots, dtype=np.int64), np.zeros((slots, 2))
    for rows in _chunks(len(x)):
        slot = 2 * cell[rows].astype(np.int64) + weekend[rows]
        number += np.bincount(slot, minlength=slots)
        for axis, value in enumerate((x, y)):
            off = np.rint((value[rows] - middle[axis][cell[rows]]) / _UNIT_M)
            total[:, axis] += np.bincount(slot, weights=off, minlength=slots)
    return cell, cells, number.reshape(-1, 2), total.reshape(-1, 2, 2) * _UNIT_M


def _cells(x: np.ndarray, y: np.ndarray, cell_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each point's cell, and the cells by row and column."""
    key = np.empty(len(x), dtype=np.int64)
    for rows in _chunks(len(x)):
        row, col = cell_of(x[rows], y[rows], cell_m)
        key[rows] = row * _COLUMNS + col + _COLUMNS // 2
    code, values = pd.factorize(key)
    order = np.argsort(values)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order))
    row, col = np.divmod(values[order], _COLUMNS)
    return place[code], np.stack([row, col - _COLUMNS // 2], 1)


def _count(key: np.ndarray, sizes: tuple[int, ...]) -> Entries:
    """Count equal keys and take them apart; sorts them in place."""
    key.sort()
    n = 1 + int(np.count_nonzero(key[1:] != key[:-1]))
    cell, rider, stays = (np.empty(n, dtype=np.int32) for _ in range(3))
    part, kind, duration, weekend = (np.empty(n, dtype=np.int16) for _ in range(4))
    entries = Entries(cell, rider, part, kind, duration, weekend, stays)
    _take_apart(key, np.array(sizes), entries)
    return entries


@compiled
def _take_apart(key: np.ndarray, sizes: np.ndarray, out: Entries) -> None:
    e = -1
    for i in range(len(key)):
        if i > 0 and key[i] == key[i - 1]:
            out.stays[e] += 1
            continue
        e += 1
        rest, out.weekend[e] = divmod(key[i], sizes[4])
        rest, out.duration[e] = divmod(rest, sizes[3])
        rest, out.kind[e] = divmod(rest, sizes[2])
        rest, out.part[e] = divmod(rest, sizes[1])
        out.cell[e], out.rider[e] = divmod(rest, sizes[0])
        out.stays[e] = 1


@compiled
def _gather(
    entries: Entries, category: np.ndarray, point: np.ndarray, points: int, categories: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return riders by slot, each once; where the slots begin; stays by slot and kind of day."""
    slots = points * categories
    start = np.zeros(slots + 1, dtype=np.int64)
    stays = np.zeros((slots, 2), dtype=np.int64)
    for e in range(len(category)):
        if point[entries.cell[e]] >= 0:
            slot = point[entries.cell[e]] * categories + category[e]
            start[slot + 1] += 1
            stays[slot, entries.weekend[e]] += entries.stays[e]
    riders = 0
    for e in range(len(category)):
        riders = max(riders, entries.rider[e] + 1)
    for slot in range(slots):
        start[slot + 1] += start[slot]
    at = start.copy()
    rider = np.empty(start[-1], dtype=np.int32)
    for e in range(len(category)):
        if point[entries.cell[e]] >= 0:
            slot = point[entries.cell[e]] * categories + category[e]
            rider[at[slot]] = entries.rider[e]
            at[slot] += 1
    mark = np.full(riders, -1)
    end = 0
    for slot in range(slots):
        first, start[slot] = start[slot], end
        for e in range(first, start[slot + 1]):
            if mark[rider[e]] != slot:
                mark[rider[e]] = slot
                rider[end] = rider[e]
                end += 1
    start[slots] = end
    return rider[:end].copy(), start, stays


def _weight(stays: np.ndarray, per_day: np.ndarray) -> np.ndarray:
    """Return visits on an average day of stays by kind of day, shape (…, 2)."""
    return np.asarray(stays[..., 0] * per_day[0] + stays[..., 1] * per_day[1])


def _weekend(day: np.ndarray) -> np.ndarray:
    return ((day + 3) % 7 >= 5).astype(np.int64)  # day 0 was a Thursday


def _per_average_day(seen: np.ndarray) -> np.ndarray:
    """Return how many visits on an average day a stay on a workday and at a weekend stand for."""
    rest = int(_weekend(seen).sum())
    work = len(seen) - rest
    if not rest or not work:
        return np.full(2, 1.0 / len(seen))
    return np.array([5.0 / (7.0 * work), 2.0 / (7.0 * rest)])
