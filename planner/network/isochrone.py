"""Service areas: the ground from which a facility is within a limit, as polygons.

Times come from the travel kernel, the ground from the raster beside the streets (`raster`), the
line from where reached and missed ground are equally near (`field`, `outline`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import GeometryType, MultiPolygon, Polygon

from planner.network import kernel
from planner.network.field import fill_field, make_chain_list, trace_each
from planner.network.layout import sort_places
from planner.network.outline import trace_rings
from planner.network.raster import CELL_M, Window, fitting_cell, make_raster, near_m, whole_window
from planner.network.travel import budget_ms, require_same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.network.layout import Placed
    from planner.network.raster import Raster
    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork

TOLERANCE = 0.2  # vertices that move the line by less, in cells, are dropped: 2.5 m
LEAST_HOLE = 1.0  # holes of fewer cells are filled: 156 m²
_SLACK = 2.0  # times are needed so many cells beyond the limit, to place the line
_TILE_M = 10_000.0
_CHUNKS_PER_THREAD = 8


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
        One a limit, in the order of `limits_min`, in the streets' CRS, valid, each inside those of
        longer limits; empty if there is no facility on the streets, or if what is reached is
        smaller than a cell.

    Raises
    ------
    SettingsError
        A limit is out of its range.
    InputError
        Places of another network.

    Notes
    -----
    All limits and facilities share one search. The ground is a raster of 12.5 m, kept with the
    network; where it would have more than four million nodes, which 25 km × 25 km have, one is made
    for the part that is reached, if need be of larger cells. Ground up to 50 m from a street
    belongs to the nearest street, ground farther off to none, unless streets enclose it and it is
    smaller than 4 ha. The line runs half-way between reached streets and others, so it does not
    cross a river where no bridge is. Vertices that move it by less than 2.5 m are dropped and holes
    under 156 m² filled. In Porto, for 15 minutes on foot, 99.7 % of the length of reached streets
    lies inside, and 0.4 % of the length inside is not reached.

    The polygons are for looking at: shares are counted from travel times, never from them.
    """
    limits = [budget_ms(limit, "limits_min") for limit in limits_min]
    require_same(streets, facilities)
    if not limits or not facilities.snapped.any():
        return [MultiPolygon() for _ in limits]
    placed, tags = sort_places(streets, facilities, inbound=True)
    raster = _raster_for(streets, placed, tags, max(limits))
    work, n_touched = _spread(streets, placed, tags, max(limits) + _slack_ms(streets, raster))
    seen = make_chain_list(streets.n_edges)
    areas: dict[int, MultiPolygon] = {}
    inner = MultiPolygon()
    for limit in sorted(set(limits)):
        z, x, y = fill_field(
            streets.inbound, placed, 0, len(tags), work, n_touched, limit, _m_per_ms(streets),
            raster, near_m(raster.cell_m), seen,
        )  # fmt: skip
        inner = _as_multi(_outline(z, x, y, raster.cell_m).union(inner))
        areas[limit] = inner
    return [areas[limit] for limit in limits]


def each_service_area(
    streets: StreetNetwork, facilities: Places, limit_min: float, *, threads: int | None = None
) -> list[MultiPolygon]:
    """Draw for each facility the area from which it is within a limit.

    Parameters
    ----------
    streets, facilities
        As in `service_areas`.
    limit_min
        Minutes, > 0 and at most 6000.
    threads
        How many to use; by default one a core. The answer does not depend on it.

    Returns
    -------
    list of shapely.MultiPolygon
        One a facility, in their order, in the streets' CRS, valid; empty for a facility that is not
        on the streets, or from which less than a cell is reached.

    Raises
    ------
    SettingsError, InputError
        As `service_areas`.

    Notes
    -----
    Drawn as in `service_areas`. In a network larger than 25 km × 25 km the facilities are taken by
    tiles of 10 km, each on a raster of its own.
    """
    limit = budget_ms(limit_min, "limit_min")
    require_same(streets, facilities)
    areas = np.full(len(facilities), MultiPolygon(), dtype=object)
    for rows in _tiles(streets, facilities):
        placed, tags = sort_places(streets, facilities.take(rows), inbound=True)
        raster = _raster_for(streets, placed, tags, limit)
        workers = threads or os.cpu_count() or 1
        areas[rows[tags]] = _draw_each(streets, placed, tags, limit, raster, workers)
    return areas.tolist()


def _tiles(streets: StreetNetwork, facilities: Places) -> list[np.ndarray]:
    """Rows of the facilities on streets: all of them, or in a large network tile by tile."""
    rows = np.flatnonzero(facilities.snapped)
    if _is_small(streets) or not len(rows):
        return [rows] if len(rows) else []
    tile = np.stack([facilities.x[rows] // _TILE_M, facilities.y[rows] // _TILE_M])
    _, of = np.unique(tile, axis=1, return_inverse=True)
    return [rows[of == k] for k in range(int(of.max()) + 1)]


def _is_small(streets: StreetNetwork) -> bool:
    """Whether one raster of the finest cells covers the network."""
    return fitting_cell(whole_window(streets)) == CELL_M


def _raster_for(streets: StreetNetwork, placed: Placed, tags: np.ndarray, budget: int) -> Raster:
    """Return the network's own raster, or make one for what is reached."""
    if _is_small(streets):
        return streets.raster
    work, n_touched = _spread(streets, placed, tags, budget)
    junction = np.zeros(streets.n_nodes, dtype=bool)
    junction[work.touched[:n_touched]] = True
    chain = junction[streets.tail] | junction[streets.head]
    chain[placed.chain] = True
    vertex = np.repeat(chain, np.diff(streets.vertex_ptr))
    x, y = streets.vertex_x[vertex], streets.vertex_y[vertex]
    window = Window(float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    return make_raster(streets, window)


def _spread(
    streets: StreetNetwork, placed: Placed, tags: np.ndarray, budget: int
) -> tuple[kernel.Workspace, int]:
    """Label the junctions within a budget; → the kernel's workspace and how many there are."""
    work = kernel.make_workspace(streets.inbound, budget, kernel.FAR)
    return work, kernel.spread(streets.inbound, placed.start, tags, work, budget)


def _m_per_ms(streets: StreetNetwork) -> float:
    return streets.speed_kmh / 3600.0


def _slack_ms(streets: StreetNetwork, raster: Raster) -> int:
    """Milliseconds beyond the limit that the line depends on."""
    return round(_SLACK * raster.cell_m / _m_per_ms(streets))


def _outline(z: np.ndarray, x: float, y: float, cell_m: float) -> MultiPolygon:
    """Polygons of the ground below zero."""
    for tolerance in (TOLERANCE, 0.0):  # dropping vertices may, rarely, make a line cross itself
        xy, ends, outer = trace_rings(z, x, y, cell_m, tolerance, LEAST_HOLE)
        (area,) = _shapes(xy, ends, outer, np.array([len(ends)]))
        if area.is_valid:
            break
    return area


def _draw_each(  # noqa: PLR0917
    streets: StreetNetwork,
    placed: Placed,
    tags: np.ndarray,
    limit: int,
    raster: Raster,
    threads: int,
) -> np.ndarray:
    """One area a facility, in the order of `placed`."""
    reach = limit + _slack_ms(streets, raster)

    def draw(low: int, high: int, tolerance: float) -> np.ndarray:
        work = kernel.make_workspace(streets.inbound, reach, kernel.FAR)
        x, y, ends, outer, n_rings = trace_each(
            low, high, streets.inbound, placed, tags, work, limit, reach, _m_per_ms(streets),
            raster, near_m(raster.cell_m), make_chain_list(streets.n_edges), tolerance, LEAST_HOLE,
        )  # fmt: skip
        return _shapes(np.column_stack([x, y]), ends, outer, n_rings)

    n = len(tags)
    n_parts = 1 if threads == 1 else max(1, min(threads * _CHUNKS_PER_THREAD, n // 16))
    cuts = np.linspace(0, n, n_parts + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(draw, cuts[:-1], cuts[1:], [TOLERANCE] * n_parts))
    areas = np.concatenate(parts)
    for bad in np.flatnonzero(~shapely.is_valid(areas)).tolist():  # as in `_outline`
        areas[bad] = draw(bad, bad + 1, 0.0)[0]
    return areas


def _shapes(xy: np.ndarray, ends: np.ndarray, outer: np.ndarray, n_rings: np.ndarray) -> np.ndarray:
    """Make areas from what `trace_rings` found, so many rings each."""
    ring = np.concatenate([[0], ends])
    polygon = np.append(np.flatnonzero(outer), len(ends))
    area = np.searchsorted(polygon, np.concatenate([[0], np.cumsum(n_rings)]))
    return shapely.from_ragged_array(GeometryType.MULTIPOLYGON, xy, (ring, polygon, area))


def _as_multi(shape: shapely.Geometry) -> MultiPolygon:
    """Keep the polygons of any geometry."""
    parts = shapely.get_parts(shapely.get_parts([shape]))
    return MultiPolygon([p for p in parts if isinstance(p, Polygon) and p.area > 0])
