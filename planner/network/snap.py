"""Put points on the nearest place of a street, and name the street beside a point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import CrsError, InputError, SettingsError
from planner.network.grid import Nearest, find_nearest

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network.streets import StreetNetwork

MAIN_SLACK_M = 50.0  # how much farther the main component may be and still be taken (guess)
NAME_M = 250.0  # how far a named street may be to name a point (guess)
_END_M = 0.01  # a centimetre from a junction is the junction


@dataclass(frozen=True, eq=False)
class Places:
    """Points on streets, one a row of what was snapped.

    Attributes
    ----------
    chain
        The chain each point stands on, int32; -1 where no street is near enough.
    share
        How far along the chain, 0 at its tail to 1 at its head.
    access_m
        The access leg: metres straight to that place; infinite where there is none.
    x, y
        The place on the street, metres in the streets' CRS; NaN where there is none.
    key
        Which network the places belong to.
    """

    chain: np.ndarray
    share: np.ndarray
    access_m: np.ndarray
    x: np.ndarray
    y: np.ndarray
    key: str

    def __len__(self) -> int:
        return len(self.chain)

    @property
    def snapped(self) -> np.ndarray:
        """Whether each row stands on a street, bool, shape (n,)."""
        return self.chain >= 0

    def take(self, rows: np.ndarray) -> Places:
        """Return some of the places, in the order of `rows`."""
        return replace(
            self,
            chain=self.chain[rows],
            share=self.share[rows],
            access_m=self.access_m[rows],
            x=self.x[rows],
            y=self.y[rows],
        )


def snap_points(
    streets: StreetNetwork, points: gpd.GeoSeries | gpd.GeoDataFrame, *, max_m: float = 300.0
) -> Places:
    """Put points on the nearest place of a street.

    Parameters
    ----------
    streets
        The network.
    points
        Points in any CRS; empty geometries are not snapped.
    max_m
        Farthest a point may lie from a street, metres, > 0. Points farther out are flagged in
        `Places.snapped`, never moved.

    Returns
    -------
    Places
        Aligned with the rows of `points`.

    Raises
    ------
    CrsError
        The points have no CRS.
    InputError
        A geometry is no point.
    SettingsError
        `max_m` is not a positive number.

    Notes
    -----
    The main component is preferred: a point whose nearest street lies on an island of the network
    goes to the main component instead if that is within `max_m` and at most 50 m farther. Else it
    stays on the island, from where travel ends; `on_island` tells which do. Of
    streets equally far the one that comes first along the network's order is taken; where they
    meet, the place is their junction.
    """
    if not (np.isfinite(max_m) and max_m > 0):
        raise SettingsError(f"The `max_m` setting must be greater than 0. Got {max_m}. Use 300.")
    x, y = _coordinates(streets, points)
    found = find_nearest(streets.grid, x, y, max_m=max_m)
    chain = streets.grid.chain[found.vertex]
    aside = np.flatnonzero((found.vertex >= 0) & ~streets.main[chain])
    if len(aside):
        limit = np.minimum(max_m, found.distance_m[aside] + MAIN_SLACK_M)
        main = find_nearest(streets.grid, x[aside], y[aside], max_m=limit, allowed=streets.main)
        better = main.vertex >= 0
        for kept, new in zip(found, main, strict=True):
            kept[aside[better]] = new[better]
    return place(streets, found)


def on_island(streets: StreetNetwork, places: Places) -> np.ndarray:
    """Tell which places stand on a street that is not of the main component.

    Parameters
    ----------
    streets
        The network that the places were snapped to.
    places
        From `snap_points`.

    Returns
    -------
    numpy.ndarray
        bool, shape (n,); false where a row stands on no street.
    """
    return places.snapped & ~streets.main[np.where(places.snapped, places.chain, 0)]


def place(streets: StreetNetwork, found: Nearest) -> Places:
    """Turn what `find_nearest` found into places."""
    here = found.vertex >= 0
    vertex = np.where(here, found.vertex, 0)
    chain = streets.grid.chain[vertex]
    t = found.fraction

    def along(values: np.ndarray) -> np.ndarray:
        return np.where(t < 1.0, values[vertex] + t * (values[vertex + 1] - values[vertex]),
                        values[vertex + 1])  # fmt: skip

    metres, length = along(streets.vertex_m), streets.length_m[chain]
    metres = np.where(metres < _END_M, 0.0, np.where(metres > length - _END_M, length, metres))
    share = np.where(length > 0, metres / np.where(length > 0, length, 1.0), 0.0)
    return Places(
        chain=np.where(here, chain, -1).astype(np.int32),
        share=np.where(here, share, 0.0),
        access_m=np.where(here, found.distance_m, np.inf),
        x=np.where(here, along(streets.vertex_x), np.nan),
        y=np.where(here, along(streets.vertex_y), np.nan),
        key=streets.key,
    )


def nearest_street(
    streets: StreetNetwork,
    points: gpd.GeoSeries | gpd.GeoDataFrame,
    *,
    besides: str = "",
    least_class: int = 0,
) -> np.ndarray:
    """Name the nearest street that has a name.

    Parameters
    ----------
    streets
        The network.
    points
        Points in any CRS.
    besides
        A name that is passed over, to ask for the next street.
    least_class
        Streets of a smaller `street_class` are passed over: 1 paths, 2 service ways too.

    Returns
    -------
    numpy.ndarray
        Texts aligned with the rows of `points`; empty if no named street lies within 250 m.

    Raises
    ------
    CrsError, InputError
        As `snap_points`.
    """
    x, y = _coordinates(streets, points)
    told = (streets.names != "") & (streets.names != besides)
    allowed = told.astype(bool)[streets.name_code] & (streets.street_class >= least_class)
    found = find_nearest(streets.grid, x, y, max_m=NAME_M, allowed=allowed)
    near = found.vertex >= 0
    texts = np.full(len(x), "", dtype=object)
    texts[near] = streets.names[streets.name_code[streets.grid.chain[found.vertex[near]]]]
    return texts


def _coordinates(
    streets: StreetNetwork, points: gpd.GeoSeries | gpd.GeoDataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in the streets' CRS, NaN where a row is empty."""
    import shapely

    series = points.geometry
    if series.crs is None:
        raise CrsError("the points have no CRS. Set it, e.g. `points.set_crs('EPSG:4326')`.")
    values = np.asarray(series.array)
    wrong = shapely.get_type_id(values) > 0
    if wrong.any():
        raise InputError(
            f"the points: row {series.index[wrong][0]!r} is a {values[wrong][0].geom_type}. Use "
            "`table.representative_point()`."
        )
    if series.crs != streets.crs:
        values = np.asarray(series.to_crs(streets.crs).array)
    empty = shapely.is_empty(values)
    if empty.any():
        values = values.copy()
        values[empty] = None
    return shapely.get_x(values), shapely.get_y(values)
