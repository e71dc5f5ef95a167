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

from planner.compiled import compiled
from planner.geo import WGS84, from_wgs84, require_metric, to_wgs84

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.geo import Datum

OK, EMPTY, MALFORMED, ZERO, SWAPPED, OFF_GLOBE, OUTSIDE, _ASK = range(8)
_IN, _OUT, _MIXED = 1, 0, 2

_STEP_DEG = 0.01  # between tabulated points to begin with
_FINEST_DEG = 0.00125
_ERROR_M = 0.001  # the table is refined until interpolation is this exact
_MOST_NODES = 4_000_000
_RASTER = 512  # cells along the longer side of the area's raster
_LEAST_CELL_M = 10.0


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
        Exact to a millimetre or so (interpolation; coordinates are kept in centimetres).

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
    forth = Transformer.from_crs(WGS84, area.crs, always_xy=True)

    def exact(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return np.stack(forth.transform(*to_wgs84(lon, lat, datum)), -1)

    step = _STEP_DEG
    while True:
        first = (lon.min() - 2.5 * step, lat.min() - 2.5 * step)
        columns = int((lon.max() - first[0]) / step) + 4
        rows = int((lat.max() - first[1]) / step) + 4
        grid = np.meshgrid(first[0] + step * np.arange(columns), first[1] + step * np.arange(rows))
        table = np.ascontiguousarray(exact(*grid))
        finer = step / 2.0
        if finer < _FINEST_DEG or 4 * rows * columns > _MOST_NODES:
            return first, step, table
        if (
            _error(table, first, step, exact(grid[0] + 0.37 * step, grid[1] + 0.43 * step))
            < _ERROR_M
        ):
            return first, step, table
        step = finer


def _error(table: np.ndarray, first: tuple[float, float], step: float, exact: np.ndarray) -> float:
    """Return by how many metres interpolation errs a little aside of every inner point."""
    worst = 0.0
    inner = exact[1:-2, 1:-2]
    rows, columns = inner.shape[:2]
    for r in range(rows):
        lon = first[0] + step * (np.arange(1, columns + 1) + 0.37)
        got = np.empty((columns, 2))
        _interpolate_row(lon, first[1] + step * (r + 1.43), *first, step, table, got)
        worst = max(worst, float(np.abs(got - inner[r]).max()))
    return worst


@compiled
def _interpolate_row(
    lon: np.ndarray,
    lat: float,
    lon0: float,
    lat0: float,
    step: float,
    table: np.ndarray,
    out: np.ndarray,
) -> None:
    for i in range(len(lon)):
        out[i, 0], out[i, 1] = _interpolate((lon[i] - lon0) / step, (lat - lat0) / step, table)


@compiled
def _interpolate(u: float, v: float, table: np.ndarray) -> tuple[float, float]:
    """Cubic Lagrange interpolation at column u, row v of the table (at least 1 from its edges)."""
    c, r = int(u), int(v)
    s, t = u - c, v - r
    # Weights of the points at -1, 0, 1 and 2.
    a0, a1 = -s * (s - 1.0) * (s - 2.0) / 6.0, (s + 1.0) * (s - 1.0) * (s - 2.0) / 2.0
    a2, a3 = -(s + 1.0) * s * (s - 2.0) / 2.0, (s + 1.0) * s * (s - 1.0) / 6.0
    b0, b1 = -t * (t - 1.0) * (t - 2.0) / 6.0, (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0
    b2, b3 = -(t + 1.0) * t * (t - 2.0) / 2.0, (t + 1.0) * t * (t - 1.0) / 6.0
    x = y = 0.0
    for k in range(4):
        weight = b0 if k == 0 else (b1 if k == 1 else (b2 if k == 2 else b3))
        row = table[r - 1 + k]
        x += weight * (
            a0 * row[c - 1, 0] + a1 * row[c, 0] + a2 * row[c + 1, 0] + a3 * row[c + 2, 0]
        )
        y += weight * (
            a0 * row[c - 1, 1] + a1 * row[c, 1] + a2 * row[c + 1, 1] + a3 * row[c + 2, 1]
        )
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
    per_step = 1.0 / step
    asked = 0
    for i in range(len(lon)):
        u, v = (lon[i] - lon0) * per_step, (lat[i] - lat0) * per_step
        # NaN and infinity fail every comparison.
        if u >= 1.0 and v >= 1.0 and u < columns - 2 and v < rows - 2:
            px, py = _interpolate(u, v, table)
            x[i], y[i] = np.int64(np.floor(px * 100.0 + 0.5)), np.int64(np.floor(py * 100.0 + 0.5))
            inside = _inside(px, py, west, south, cell, raster)
            status[i] = OK if inside == _IN else (OUTSIDE if inside == _OUT else _ASK)
            asked += inside == _MIXED
        else:
            status[i] = _why_not(lon[i], lat[i])
            u, v = (lat[i] - lon0) * per_step, (lon[i] - lat0) * per_step
            turned = u >= 1.0 and v >= 1.0 and u < columns - 2 and v < rows - 2
            if status[i] >= OFF_GLOBE and turned:
                px, py = _interpolate(u, v, table)
                if _inside(px, py, west, south, cell, raster) != _OUT:
                    status[i] = SWAPPED
    return asked


@compiled
def _inside(x: float, y: float, west: float, south: float, cell: float, raster: np.ndarray) -> int:
    c, r = int(np.floor((x - west) / cell)), int(np.floor((y - south) / cell))
    if c < 0 or r < 0 or r >= raster.shape[0] or c >= raster.shape[1]:
        return _OUT
    return raster[r, c]


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
