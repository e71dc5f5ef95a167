"""Stays as counted visits: who was in which cell, in which daypart, on which kind of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

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
_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000
_COLUMNS = 1 << 32  # more than hexagon columns there are
_MOST_TYPES = 1000  # of workers: more are names or numbers of something else


@dataclass(frozen=True)
class Visits:
    """Stays that are alike, counted: one entry each, in no order that matters.

    Sums are made of whole numbers and multiplied in the end, so no order of rows changes them.

    Attributes
    ----------
    cells
        Shape (cells, 2): row and column, ascending.
    cell, rider, part, kind, duration, weekend
        What is alike in the stays of an entry: position in `cells`, number of the rider, position
        in the dayparts, in `kinds` (worker types) and in the stay classes, and 1 at weekends.
    stays
        How many stays there are in an entry.
    per_day
        Visits on an average day that a stay on a workday and one at a weekend stand for.
    inside
        Shape (cells, 2, 2): sum of x and y from the middle of the cell over the stays on workdays
        and at weekends, metres.
    days
        Local dates that have any stay.
    """

    cells: np.ndarray
    cell: np.ndarray
    rider: np.ndarray
    part: np.ndarray
    kind: np.ndarray
    duration: np.ndarray
    weekend: np.ndarray
    stays: np.ndarray
    per_day: np.ndarray
    inside: np.ndarray
    days: np.ndarray
    kinds: tuple[str, ...]

    def counted(self, slot: np.ndarray, slots: int, kept: np.ndarray | None = None) -> np.ndarray:
        """Return the stays by slot and kind of day: shape (slots, 2)."""
        stays = self.stays if kept is None else np.where(kept, self.stays, 0)
        number = np.bincount(2 * slot + self.weekend, weights=stays, minlength=2 * slots)
        return number.reshape(slots, 2)

    def crowds(
        self, place: np.ndarray, places: int, category: np.ndarray, categories: int
    ) -> Crowds:
        """Return who was at each place 0..places-1, by category; entries at place -1 are left out.

        Parameters
        ----------
        place, category
            One an entry.
        """
        kept = place >= 0
        slots = places * categories
        slot = np.where(kept, place * categories + category, 0)
        weight = self.counted(slot, slots, kept) @ self.per_day
        riders = int(self.rider.max()) + 1
        pair = _distinct(slot[kept] * riders + self.rider[kept])
        return Crowds(
            rider=pair % riders,
            start=np.searchsorted(pair, np.arange(slots + 1) * riders),
            visits=weight.reshape(places, categories),
        )


def read_visits(
    stays: gpd.GeoDataFrame, dayparts: Mapping[str, tuple[float, float]], *, cell_m: float
) -> Visits:
    """Check a `stays` table and count it by cell, rider, time and kind.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, is empty, or its times have no zone.
    """
    _check(stays)
    rider, riders = numbered(stays["rider_id"])
    kind, kinds = numbered(stays["worker_type"])
    if len(kinds) > _MOST_TYPES:
        raise InputError(
            f"there are {len(kinds)} worker types. Name the right column.", column="worker_type"
        )
    x, y = read_points(stays)
    cell, cells = _cells(x, y, cell_m)
    local = stays["arrive"].dt.tz_localize(None).to_numpy("datetime64[us]").view(np.int64)
    long = stays["stay_min"].to_numpy(dtype=float)
    sizes = _Sizes(len(cells), len(riders), len(dayparts) + 1, len(kinds), len(STAY_CLASSES), 2)
    key = np.empty(len(stays), dtype=np.int64)
    for rows in _chunks(len(stays)):
        part = daypart_of(local[rows] % _DAY_US / _HOUR_US, dayparts)
        weekend = _weekend(local[rows] // _DAY_US)
        key[rows] = sizes.join(
            cell[rows], rider[rows], part, kind[rows], _duration(long[rows]), weekend
        )
    days = _days(local)
    inside = _inside(x, y, cell, key % 2, cell_centre(cells[:, 0], cells[:, 1], cell_m))
    key.sort()
    fresh = np.flatnonzero(np.diff(key, prepend=-1))
    in_cell, who, part, worker, duration, weekend = sizes.part(key[fresh])
    return Visits(
        cells=cells, cell=in_cell, rider=who, part=part, kind=worker, duration=duration,
        weekend=weekend, stays=np.diff(fresh, append=len(key)), per_day=_per_average_day(days),
        inside=inside, days=days.astype("datetime64[D]"), kinds=tuple(kinds),
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
    (array([1, 0, 1]), ['a', 'b'])
    """
    if column.dtype == object:
        column = column.astype(str)
    code, values = pd.factorize(column)
    number, names = pd.factorize(np.asarray(pd.Index(values).astype(str), dtype=object), sort=True)
    return number[code], [str(name) for name in names]


class _Sizes(NamedTuple):
    """How many of each there are: several small numbers as one."""

    cells: int
    riders: int
    parts: int
    kinds: int
    durations: int
    weekends: int

    def join(self, *numbers: np.ndarray) -> np.ndarray:
        key = numbers[0]
        for size, number in zip(self[1:], numbers[1:], strict=True):
            key = key * size + number
        return key

    def part(self, key: np.ndarray) -> list[np.ndarray]:
        numbers = []
        for size in reversed(self[1:]):
            key, number = np.divmod(key, size)
            numbers.append(number)
        return [key, *reversed(numbers)]


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


def _cells(x: np.ndarray, y: np.ndarray, cell_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each point's cell, and the cells by row and column."""
    key = np.empty(len(x), dtype=np.int64)
    for rows in _chunks(len(x)):
        row, col = cell_of(x[rows], y[rows], cell_m)
        key[rows] = row * _COLUMNS + col + _COLUMNS // 2
    code, values = pd.factorize(key)
    order = np.argsort(values)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    row, col = np.divmod(values[order], _COLUMNS)
    return place[code], np.stack([row, col - _COLUMNS // 2], 1)


def _duration(stay_min: np.ndarray) -> np.ndarray:
    """Return the position of each stay's class; the last has no upper end."""
    ends = [to for _, to in STAY_CLASSES.values()]
    return np.searchsorted(ends[:-1], stay_min, side="right")


def _inside(
    x: np.ndarray,
    y: np.ndarray,
    cell: np.ndarray,
    weekend: np.ndarray,
    middle: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return `Visits.inside`."""
    total = np.zeros((2 * len(middle[0]), 2))
    for rows in _chunks(len(x)):
        slot = 2 * cell[rows] + weekend[rows]
        for axis, value in enumerate((x, y)):
            off = np.rint((value[rows] - middle[axis][cell[rows]]) / _UNIT_M)
            total[:, axis] += np.bincount(slot, weights=off, minlength=len(total))
    return total.reshape(-1, 2, 2) * _UNIT_M


def _days(local_us: np.ndarray) -> np.ndarray:
    """Return the numbers of the days that occur, ascending."""
    found = [pd.unique(local_us[rows] // _DAY_US) for rows in _chunks(len(local_us))]
    return np.unique(np.concatenate(found))


def _weekend(day: np.ndarray) -> np.ndarray:
    return ((day + 3) % 7 >= 5).astype(np.int64)  # day 0 was a Thursday


def _per_average_day(seen: np.ndarray) -> np.ndarray:
    """Return how many visits on an average day a stay on a workday and at a weekend stand for."""
    rest = int(_weekend(seen).sum())
    work = len(seen) - rest
    if not rest or not work:
        return np.full(2, 1.0 / len(seen))
    return np.array([5.0 / (7.0 * work), 2.0 / (7.0 * rest)])


def _distinct(key: np.ndarray) -> np.ndarray:
    """Return the distinct values in ascending order."""
    key = np.sort(key)
    return key[np.diff(key, prepend=-1) != 0]
