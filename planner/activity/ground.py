# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""Degrees of any datum → centimetres in the study's CRS, and what lies in its area, at GPS speed.

Projecting a point with PROJ costs more than reading it from disk. So the exact conversion (datum
and projection in one) is tabulated once over the area and interpolated in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from scipy.interpolate import RectBivariateSpline

from planner.compiled import compiled
from planner.geo import WGS84, from_wgs84, require_metric, to_wgs84

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.geo import Datum

OK, EMPTY, MALFORMED, ZERO, SWAPPED, OFF_GLOBE, OUTSIDE, _ASK = range(8)
_IN, _OUT, _MIXED = 1, 0, 2

_EXACT_DEG = 0.005  # between points that are converted exactly
_ERROR_M = 0.005  # the table is refined until interpolation is this exact
_MOST_VALUES = 8_000_000
_RASTER = 512  # cells along the longer side of the area's raster
_LEAST_CELL_M = 10.0
_SHIFT = 2.0**40 + 0.5


@dataclass(frozen=True)
class Ground:
    """An area, and the way into its CRS.

    Attributes
    ----------
    crs
        WKT of the metric CRS.
    shape
        WKB of the area with its margin, metres.
    start, step
        Longitude and latitude of the table's first point, and degrees between points.
    table
        Shape (rows, columns, 2): x and y in metres.
    corner, cell_m
        Lower left corner of the raster and the side of its cells, metres.
    raster
        Shape (rows, columns) int8: 1 inside the area, 0 outside, 2 the border runs through.
    """

    crs: str
    shape: bytes
    start: tuple[float, float]
    step: float
    table: np.ndarray
    corner: tuple[float, float]
    cell_m: float
    raster: np.ndarray

    @cached_property
    def _polygon(self) -> shapely.Geometry:
        polygon = shapely.from_wkb(self.shape)
        shapely.prepare(polygon)
        return polygon

    def locate(
        self, lon: np.ndarray, lat: np.ndarray, x: np.ndarray, y: np.ndarray, status: np.ndarray
    ) -> None:
        """Write where points lie.

        Parameters
        ----------
        lon, lat
            Shape (n,), degrees; infinite where there is none, NaN where it is malformed.
        x, y
            Shape (n,) int64, centimetres; meaningful where the status is `OK`.
        status
            Shape (n,) int8: `OK` or the reason why a point cannot be used.
        """
        asked = _locate(
            lon, lat, *self.start, self.step, self.table, *self.corner, self.cell_m, self.raster,
            x, y, status,
        )  # fmt: skip
        if asked:
            rows = np.flatnonzero(status == _ASK)
            inside = shapely.contains_xy(self._polygon, x[rows] / 100.0, y[rows] / 100.0)
            status[rows] = np.where(inside, OK, OUTSIDE)


def make_ground(area: gpd.GeoDataFrame, datum: Datum, margin_m: float = 100.0) -> Ground:
    """Tabulate the way from degrees into the CRS of an area.

    Parameters
    ----------
    area
        Districts in a metric CRS.
    datum
        What the degrees will be in.
    margin_m
        How far outside the districts a point may lie, metres: GPS noise and generalised borders.

    Returns
    -------
    Ground
        Exact to a centimetre: half of it interpolation, half of it rounding.

    Raises
    ------
    CrsError
        The area's CRS is not metric.
    """
    require_metric(area, "area")
    shape = shapely.union_all(area.geometry.values).buffer(margin_m)
    corner, cell_m, raster = _rasterise(shape)
    start, step, table = _tabulate(shape, area, datum)
    return Ground(
        area.crs.to_wkt(), shapely.to_wkb(shape), start, step, table, corner, cell_m, raster
    )


def _rasterise(shape: shapely.Geometry) -> tuple[tuple[float, float], float, np.ndarray]:
    """Return corner, cell size and cells of a raster that says what is in, out or on the border."""
    west, south, east, north = shape.bounds
    cell = max(max(east - west, north - south) / _RASTER, _LEAST_CELL_M)
    west, south = west - 2 * cell, south - 2 * cell
    columns, rows = int((east - west) / cell) + 3, int((north - south) / cell) + 3
    x = west + cell * (np.arange(columns) + 0.5)
    y = south + cell * (np.arange(rows) + 0.5)
    shapely.prepare(shape)
    raster = shapely.contains_xy(shape, *np.meshgrid(x, y)).astype(np.int8)
    border = shapely.get_coordinates(shapely.segmentize(shape.boundary, cell / 2.0))
    column = ((border[:, 0] - west) / cell).astype(np.int64)
    row = ((border[:, 1] - south) / cell).astype(np.int64)
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            raster[row + dr, column + dc] = _MIXED
    return (west, south), cell, raster


def _tabulate(
    shape: shapely.Geometry, area: gpd.GeoDataFrame, datum: Datum
) -> tuple[tuple[float, float], float, np.ndarray]:
    """Return start, step and values of a table over the shape, fine enough to interpolate."""
    back = Transformer.from_crs(area.crs, WGS84, always_xy=True)
    edge = shapely.segmentize(shapely.box(*shape.bounds).exterior, np.sqrt(shape.area) / 16.0)
    x, y = shapely.get_coordinates(edge).T
    lon, lat = from_wgs84(*back.transform(x, y), datum)
    exact = _splines(_steps(lon, _EXACT_DEG, 4), _steps(lat, _EXACT_DEG, 4), area, datum)
    step = _EXACT_DEG
    while True:
        columns, rows = _steps(lon, step, 1), _steps(lat, step, 1)
        table = np.stack([f(rows, columns) for f in exact], -1)
        between = [f(rows[:-1] + step / 2.0, columns[:-1] + step / 2.0) for f in exact]
        if _error(table, np.stack(between, -1)) < _ERROR_M or 4 * table.size > _MOST_VALUES:
            return (columns[0], rows[0]), step, np.ascontiguousarray(table)
        step /= 2.0


def _steps(degrees: np.ndarray, step: float, more: int) -> np.ndarray:
    """Return evenly spaced degrees that span some, with so many more on each side."""
    first = degrees.min() - more * step
    return first + step * np.arange(int((degrees.max() - first) / step) + 2 + more)


def _splines(
    lon: np.ndarray, lat: np.ndarray, area: gpd.GeoDataFrame, datum: Datum
) -> list[RectBivariateSpline]:
    """Return x and y as cubic splines through exact values: what is between is smooth."""
    forth = Transformer.from_crs(WGS84, area.crs, always_xy=True)
    x, y = np.meshgrid(lon, lat)
    values = forth.transform(*to_wgs84(x, y, datum))
    return [RectBivariateSpline(lat, lon, v) for v in values]


def _error(table: np.ndarray, middle: np.ndarray) -> float:
    """Return by how many metres interpolation errs in the middles between the table's points."""
    mean = (table[:-1, :-1] + table[1:, :-1] + table[:-1, 1:] + table[1:, 1:]) / 4.0
    return float(np.abs(mean - middle).max())


@compiled
def _interpolate(u: float, v: float, table: np.ndarray) -> tuple[float, float]:
    """Interpolate linearly at column u, row v of the table."""
    c, r = int(u), int(v)
    s, t = u - c, v - r
    a, b, d, e = (1.0 - s) * (1.0 - t), s * (1.0 - t), (1.0 - s) * t, s * t
    x = a * table[r, c, 0] + b * table[r, c + 1, 0]
    x += d * table[r + 1, c, 0] + e * table[r + 1, c + 1, 0]
    y = a * table[r, c, 1] + b * table[r, c + 1, 1]
    y += d * table[r + 1, c, 1] + e * table[r + 1, c + 1, 1]
    return x, y


@compiled
def _locate(
    lon: np.ndarray,
    lat: np.ndarray,
    lon0: float,
    lat0: float,
    step: float,
    table: np.ndarray,
    west: float,
    south: float,
    cell: float,
    raster: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    status: np.ndarray,
) -> int:
    """Write centimetres and status of each point; return how many lie where the border runs."""
    rows, columns = table.shape[0], table.shape[1]
    per_step, per_cell = 1.0 / step, 1.0 / cell
    asked = 0
    for i in range(len(lon)):
        u, v = (lon[i] - lon0) * per_step, (lat[i] - lat0) * per_step
        # NaN and infinity fail every comparison.
        if u >= 0.0 and v >= 0.0 and u < columns - 1 and v < rows - 1:
            px, py = _interpolate(u, v, table)
            x[i], y[i] = _centimetres(px), _centimetres(py)
            inside = _inside(px, py, west, south, per_cell, raster)
            status[i] = OK if inside == _IN else (OUTSIDE if inside == _OUT else _ASK)
            asked += inside == _MIXED
        else:
            status[i] = _why_not(lon[i], lat[i])
            u, v = (lat[i] - lon0) * per_step, (lon[i] - lat0) * per_step
            turned = u >= 0.0 and v >= 0.0 and u < columns - 1 and v < rows - 1
            if status[i] >= OFF_GLOBE and turned:
                px, py = _interpolate(u, v, table)
                if _inside(px, py, west, south, per_cell, raster) != _OUT:
                    status[i] = SWAPPED
    return asked


@compiled
def _centimetres(metres: float) -> int:
    """Round; the shift makes the number positive, so that cutting off rounds down."""
    return int(metres * 100.0 + _SHIFT) - int(_SHIFT)


@compiled
def _inside(
    x: float, y: float, west: float, south: float, per_cell: float, raster: np.ndarray
) -> int:
    u, v = (x - west) * per_cell, (y - south) * per_cell
    if u < 0.0 or v < 0.0 or v >= raster.shape[0] or u >= raster.shape[1]:
        return _OUT
    return raster[int(v), int(u)]


@compiled
def _why_not(lon: float, lat: float) -> int:
    """Say why a point beyond the table is of no use."""
    if np.isinf(lon) or np.isinf(lat):
        return EMPTY
    if np.isnan(lon) or np.isnan(lat):
        return MALFORMED
    if lon == 0.0 and lat == 0.0:
        return ZERO
    return OFF_GLOBE if abs(lon) > 180.0 or abs(lat) > 90.0 else OUTSIDE
