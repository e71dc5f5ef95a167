"""Service areas: the ground from which a facility is within a limit, as polygons.

A raster of 25 m cells; a cell within 50 m of a street shows the time of the street beside it. The
line is drawn where that time passes the limit, and half-way toward cells that no street reaches.
"""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from planner.network import kernel
from planner.network.grid import find_nearest
from planner.network.snap import place
from planner.network.travel import budget_ms, require_same, sort_places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork

CELL_M = 25.0
NEAR_M = 50.0
_CLIP_MS = 20_000  # times farther from the limit than this do not move the line
_MOST_CELLS = 4_000_000


class _Raster(NamedTuple):
    """Times on a regular grid of points: columns at `x`, rows at `y`, milliseconds."""

    x: np.ndarray
    y: np.ndarray
    cost_ms: np.ndarray


def service_areas(
    streets: StreetNetwork, facilities: Places, limits_min: Iterable[float]
) -> list[MultiPolygon]:
    """Draw the area from which some facility is within each limit.

    Parameters
    ----------
    streets
        The network that the facilities were snapped to.
    facilities
        Places; travel is toward them. Their access legs count.
    limits_min
        Minutes, > 0 and at most 6000, in any order.

    Returns
    -------
    list of shapely.MultiPolygon
        One a limit, in the order of `limits_min`, in the streets' CRS, each inside those of longer
        limits; empty if there is no facility on the streets.

    Raises
    ------
    SettingsError
        A limit is out of its range.
    InputError
        Places of another network.

    Notes
    -----
    Cells are 25 m, doubled until four million or fewer cover what is reached. The polygon is for
    looking at: shares are counted from travel times, never from it.
    """
    limits = [budget_ms(limit, "limits_min") for limit in limits_min]
    require_same(streets, facilities)
    if not limits or not facilities.snapped.any():
        return [MultiPolygon() for _ in limits]
    raster = _rasterise(streets, facilities, max(limits) + _CLIP_MS)
    areas: dict[int, MultiPolygon] = {}
    inner = MultiPolygon()
    for limit in sorted(set(limits)):
        inner = _as_multi(_outline(raster, limit).union(inner))
        areas[limit] = inner
    return [areas[limit] for limit in limits]


def _rasterise(streets: StreetNetwork, facilities: Places, budget: int) -> _Raster:
    """Time from each cell to its nearest facility, over the part of the city that is reached."""
    world = streets.inbound
    starts, tags = sort_places(streets, facilities, world)
    work = kernel.make_workspace(streets.n_nodes, budget)
    kernel.spread(world, starts, tags, work, budget)
    x, y = _cells(streets, facilities, work[0])
    cost = np.full(len(x) * len(y), 2 * budget, dtype=np.int64)
    cell_x, cell_y = np.tile(x, len(y)), np.repeat(y, len(x))
    near = max(NEAR_M, 2.0 * (x[1] - x[0]))
    found = find_nearest(streets.grid, cell_x, cell_y, max_m=near, threads=os.cpu_count() or 1)
    beside = place(streets, found._replace(distance_m=np.zeros(len(cell_x))))
    places, cell = sort_places(streets, beside, world)
    label = np.full(len(cell), kernel.FAR, dtype=np.int64)
    kernel.read_places(world, places, starts, tags, work[0], budget, label)
    reached = label < kernel.FAR
    cost[cell[reached]] = label[reached] >> kernel.TAG_BITS
    return _Raster(x, y, cost.reshape(len(y), len(x)))


def _cells(
    streets: StreetNetwork, facilities: Places, label: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of cells that cover every chain with a reached end, and the facilities."""
    reached = label < kernel.FAR
    chain = reached[streets.tail] | reached[streets.head]
    chain[facilities.chain[facilities.snapped]] = True
    vertex = np.repeat(chain, np.diff(streets.vertex_ptr))
    x, y = streets.vertex_x[vertex], streets.vertex_y[vertex]
    cell = CELL_M
    while (np.ptp(x) / cell + 8) * (np.ptp(y) / cell + 8) > _MOST_CELLS:
        cell *= 2.0
    margin = max(NEAR_M, 2.0 * cell) + cell
    low = np.floor((np.array([x.min(), y.min()]) - margin) / cell)
    high = np.ceil((np.array([x.max(), y.max()]) + margin) / cell)
    return cell * np.arange(low[0], high[0] + 1), cell * np.arange(low[1], high[1] + 1)


def _outline(raster: _Raster, limit: int) -> MultiPolygon:
    """Polygons of the ground within a limit."""
    import contourpy

    level = np.clip(raster.cost_ms - limit, -_CLIP_MS, _CLIP_MS).astype(float)
    lines = contourpy.contour_generator(
        raster.x, raster.y, level, name="serial", fill_type="OuterOffset"
    )
    polygons = []
    for points, offsets in zip(*lines.filled(-2.0 * _CLIP_MS, 0.0), strict=True):
        rings = [points[i:j] for i, j in pairwise(offsets)]
        polygons.append(Polygon(rings[0], rings[1:]))
    return _as_multi(shapely.make_valid(MultiPolygon(polygons)))


def _as_multi(shape: shapely.Geometry) -> MultiPolygon:
    """Keep the polygons of any geometry."""
    parts = shapely.get_parts(shapely.get_parts([shape]))
    return MultiPolygon([p for p in parts if isinstance(p, Polygon) and p.area > 0])
