"""Stays as arrays: who, where, in which daypart, and how many visits a day each stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from planner.demand.dayparts import daypart_of
from planner.demand.gate import Crowd
from planner.errors import InputError
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd


@dataclass(frozen=True)
class Visits:
    """One entry a stay, in an order that does not depend on that of the table.

    Attributes
    ----------
    x, y
        Metres.
    rider
        Rider numbers.
    part, kind
        Positions in the dayparts and in `kinds`, the worker types.
    per_day
        Visits on an average day that the stay stands for.
    day
        Local dates.
    """

    x: np.ndarray
    y: np.ndarray
    rider: np.ndarray
    part: np.ndarray
    kind: np.ndarray
    per_day: np.ndarray
    day: np.ndarray
    kinds: tuple[str, ...]

    def where(self, kept: np.ndarray) -> Visits:
        """Return the entries that a mask keeps, or in the order of positions."""
        arrays = ("x", "y", "rider", "part", "kind", "per_day", "day")
        return replace(self, **{name: getattr(self, name)[kept] for name in arrays})

    def crowds(
        self, place: np.ndarray, places: int, category: np.ndarray, categories: int
    ) -> list[Crowd]:
        """Return who was at each place 0..places-1, by category."""
        slot = place * categories + category
        amount = np.bincount(slot, weights=self.per_day, minlength=places * categories)
        pair = np.unique(np.stack([slot, self.rider], 1), axis=0)
        ends = np.searchsorted(pair[:, 0], np.arange(places * categories + 1)).tolist()
        rider = pair[:, 1].tolist()
        sets = [set(rider[a:b]) for a, b in pairwise(ends)]
        return [
            Crowd(sets[i * categories : (i + 1) * categories], weight)
            for i, weight in enumerate(amount.reshape(places, categories))
        ]


def read_visits(stays: gpd.GeoDataFrame, dayparts: Mapping[str, tuple[float, float]]) -> Visits:
    """Check a `stays` table and return it as arrays.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, is empty, or its times have no zone.
    """
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
    x, y = read_points(stays)
    rider, _ = pd.factorize(stays["rider_id"].astype(str), sort=True)
    kind, kinds = pd.factorize(stays["worker_type"].astype(str), sort=True)
    local = stays["arrive"].dt.tz_localize(None).to_numpy("datetime64[us]")
    day = local.astype("datetime64[D]")
    part = daypart_of((local - day) / np.timedelta64(1, "h"), dayparts)
    names = tuple(str(name) for name in kinds)
    visits = Visits(x, y, rider, part, kind, _per_average_day(day), day, names)
    return visits.where(np.lexsort((kind, y, x, local, rider)))


def read_points(table: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates of a table of points; raise `InputError` where one has none."""
    points = np.array(table.geometry, dtype=object)
    if (shapely.get_type_id(points) != 0).any():
        raise InputError("the geometries must be points. Use `.representative_point()`.")
    points[shapely.is_empty(points)] = None  # GEOS refuses their coordinates
    x, y = shapely.get_x(points), shapely.get_y(points)
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(bad):
        raise InputError(f"the point of row {table.index[bad[0]]!r} has no coordinates. Drop it.")
    return x, y


def _per_average_day(day: np.ndarray) -> np.ndarray:
    """Return how many visits on an average day each stay stands for, by its date."""
    weekend = (day.view("int64") + 3) % 7 >= 5  # day 0 of numpy was a Thursday
    seen, first = np.unique(day, return_index=True)
    rest = int(weekend[first].sum())
    work = len(seen) - rest
    if not rest or not work:
        return np.full(len(day), 1.0 / len(seen))
    return np.where(weekend, 2.0 / (7.0 * rest), 5.0 / (7.0 * work))
