"""Service areas of stations as a table of polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from planner.coverage.placing import place_points, require_positive
from planner.network import each_service_area, service_areas

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from planner.network import Places, StreetNetwork


def make_service_areas(
    streets: StreetNetwork,
    facilities: gpd.GeoDataFrame,
    *,
    limits_min: Iterable[float] = (5, 10, 15),
    snap_m: float = 300.0,
    each: bool = False,
) -> gpd.GeoDataFrame:
    """Draw the area from which some facility is within each limit.

    Parameters
    ----------
    streets, facilities, snap_m
        As in `make_reach`; `facilities` may be empty.
    limits_min
        Minutes, > 0.
    each
        Draw the areas of each facility instead of those of all together.

    Returns
    -------
    geopandas.GeoDataFrame
        `limit_min` (float64, ascending) and `geometry`, one (multi)polygon a limit, the smaller
        inside the larger, in the CRS of `facilities`. With `each` there is a row for each facility
        and limit, in the order of `facilities`, and its identifier in `facility_id`. What bounds
        no area has no row, so without facilities near a street the table is empty.

    Raises
    ------
    InputError, CrsError, SettingsError
        As `make_reach`.

    Notes
    -----
    How the areas are drawn, and how well they fit, stands at `planner.network.service_areas`.
    """
    limits = sorted({float(limit) for limit in limits_min})
    for limit in limits:
        require_positive(limit, "limits_min")
    columns: dict[str, pd.Index | np.ndarray] = {"limit_min": np.zeros(0)}
    shapes = np.zeros(0, dtype=object)
    row = np.zeros(0, dtype=int)
    if len(facilities) and limits:
        places = place_points(streets, facilities, "facilities", snap_m)
        draw = _draw_each if each else _draw_together
        row, columns["limit_min"], shapes = draw(streets, places, limits)
    if each:
        columns = {"facility_id": facilities.index[row], **columns}
    areas = gpd.GeoDataFrame(columns, geometry=shapes, crs=streets.crs)
    areas = areas[~areas.geometry.is_empty].reset_index(drop=True)
    areas.index.name = "service_area_id"
    return areas if facilities.crs in (None, streets.crs) else areas.to_crs(facilities.crs)


def _draw_together(
    streets: StreetNetwork, places: Places, limits: list[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """No facility, limit and area, row by row."""
    shapes = np.array(service_areas(streets, places, limits), dtype=object)
    return np.zeros(len(limits), dtype=int), np.array(limits), shapes


def _draw_each(
    streets: StreetNetwork, places: Places, limits: list[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position of the facility, limit and area, row by row."""
    shapes = np.empty((len(places), len(limits)), dtype=object)
    for k, limit in enumerate(limits):
        shapes[:, k] = each_service_area(streets, places, limit)
        if k:  # a dropped vertex must not leave the smaller area sticking out
            shapes[:, k] = shapely.union(shapes[:, k], shapes[:, k - 1])
    row = np.repeat(np.arange(len(places)), len(limits))
    return row, np.tile(limits, len(places)), shapes.ravel()
