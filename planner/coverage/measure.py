"""Covered shares: of all demand, by daypart, district and worker type."""

from __future__ import annotations

import logging
from math import fsum, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.coverage.hours import open_in_dayparts
from planner.errors import ColumnError, InputError
from planner.geo import require_metric
from planner.settings import DAYPARTS
from planner.tables import TABLES, check_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd

    from planner.tables import Reach

_log = logging.getLogger(__name__)


def measure_coverage(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    *,
    facilities: gpd.GeoDataFrame | None = None,
    area: gpd.GeoDataFrame | None = None,
    dayparts: Mapping[str, tuple[float, float]] = DAYPARTS,
) -> pd.DataFrame:
    r"""Measure which share of the demand some facility serves within the limit of `reach`.

    Parameters
    ----------
    reach
        Who reaches what, demand → facility, holding every row of `demand`. With `facilities`
        given, only the facilities of both count; without, all of `reach`.
    demand
        Columns read: `weight_per_day`, `weight_<daypart>` and `weight_type_<worker type>` where
        present, `geometry` where `area` is given.
    facilities
        Column read: `hours`; without it the open shares stay empty.
    area
        Districts, columns read: `name`, `geometry`. Demand outside every district counts to the
        nearest one. Districts of one name count as one.
    dayparts
        Name → (from, to) in hours; a daypart without its `weight_<daypart>` column has no row.

    Returns
    -------
    pandas.DataFrame
        ``TABLES["coverage"]``, index `scope_id`: ``all``, ``daypart:<name>``, ``district:<name>``,
        ``worker_type:<type>``. Shares are of weight, not of points, and empty where the scope
        holds no demand; `open_share` counts only facilities open for at least half of the daypart;
        `median_min` is the weighted median of the minutes to the nearest facility over the demand
        that is covered. ``attrs["coverage"]`` holds `mode`, `speed_kmh`, `limit_min`,
        `facilities` (how many counted) and `unmatched` (rows of `facilities` that `reach` does
        not know).

    Raises
    ------
    InputError
        `demand` is empty, weightless, not in `reach`, or no facility is in `reach`.

    Notes
    -----
    The covered share of a scope is :math:`\sum_i w_i [\min_j t_{ij} \le S] / \sum_i w_i` with
    weight :math:`w_i` of demand *i*, travel time :math:`t_{ij}` to facility *j* and limit *S*
    (R. Church and C. ReVelle (1974), “The maximal covering location problem”, Papers of the
    Regional Science Association 32).
    """
    check_table(demand, "demand")
    _require_weight(demand)
    row = reach.demand_id.get_indexer(demand.index)
    if (row < 0).any():
        lost = demand.index[row < 0].tolist()
        raise InputError(
            f"`reach` lacks {len(lost)} demand points, first {lost[0]!r}. "
            "Make the reach from the same demand."
        )
    counted = _counted_facilities(reach, facilities)
    nearest = _nearest_minutes(reach, counted)[row]
    is_open = _open_columns(reach, facilities, dayparts)
    rows = []
    for scope, name, weight in _scopes(demand, area, dayparts):
        record = _measure(scope, name, weight, nearest)
        if scope == "daypart" and is_open is not None:
            then = _nearest_minutes(reach, counted & is_open[name].to_numpy())[row]
            record["open_share"] = _share(weight, np.isfinite(then))
        rows.append(record)
    return _table(rows, reach, counted, facilities)


def circle_share(
    demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, *, radius_m: float
) -> float:
    """Return the share of demand within a straight line of some facility.

    What circles on a map would claim; rivers, railways and blocks make the share over the streets
    smaller.

    Parameters
    ----------
    demand
        Columns read: `weight_per_day`, `geometry` (metric CRS).
    facilities
        Points in a metric CRS; may be empty.
    radius_m
        Radius of the circles, metres; for a fair comparison limit × speed.

    Raises
    ------
    InputError
        `demand` holds no weight.
    """
    from scipy.spatial import cKDTree

    check_table(demand, "demand")
    require_metric(facilities, "facilities")
    _require_weight(demand)
    if not len(facilities):
        return 0.0
    points = facilities.geometry.to_crs(demand.crs)
    tree = cKDTree(np.column_stack([points.x, points.y]))
    distance, _ = tree.query(np.column_stack([demand.geometry.x, demand.geometry.y]))
    return _share(demand["weight_per_day"].to_numpy(dtype=float), distance <= radius_m)


def _require_weight(demand: pd.DataFrame) -> None:
    if not demand["weight_per_day"].sum() > 0:
        raise InputError("`demand` holds no rider-visits. Check the activity it was made from.")


def _counted_facilities(reach: Reach, facilities: pd.DataFrame | None) -> np.ndarray:
    """Tell for each column of the reach whether it counts."""
    if facilities is None:
        return np.ones(len(reach.facility_id), dtype=bool)
    counted = np.asarray(reach.facility_id.isin(facilities.index))
    if len(facilities) and len(reach.facility_id) and not counted.any():
        raise InputError(
            f"`reach` knows none of the {len(facilities)} facilities, e.g. "
            f"{facilities.index.tolist()[0]!r}; it has {reach.facility_id.tolist()[0]!r}. "
            "Make the reach from the same facilities."
        )
    return counted


def _nearest_minutes(reach: Reach, counted: np.ndarray) -> np.ndarray:
    """Return the minutes of each demand row to its nearest counted facility, else infinite."""
    table = reach.minutes
    minutes = np.append(np.where(counted[table.indices], table.data, np.inf), np.inf)
    nearest = np.minimum.reduceat(minutes, table.indptr[:-1])
    nearest[np.diff(table.indptr) == 0] = np.inf
    return nearest


def _open_columns(
    reach: Reach, facilities: pd.DataFrame | None, dayparts: Mapping[str, tuple[float, float]]
) -> pd.DataFrame | None:
    """Tell for each column of the reach whether it is open then; None if no hours are known."""
    if facilities is None or "hours" not in facilities:
        return None
    return open_in_dayparts(facilities["hours"], dayparts).reindex(
        reach.facility_id, fill_value=False
    )


def _scopes(
    demand: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame | None,
    dayparts: Mapping[str, tuple[float, float]],
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield scope, name and the weight of each demand point in it."""
    weight = demand["weight_per_day"].to_numpy(dtype=float)
    yield "all", "all", weight
    for name in dayparts:
        if f"weight_{name}" in demand:
            yield "daypart", name, demand[f"weight_{name}"].to_numpy(dtype=float)
    if area is not None:
        district = _districts_of(demand, area)
        for name in dict.fromkeys(area.sort_index()["name"].astype(str)):
            yield "district", name, np.where(district == name, weight, 0.0)
    for column in sorted(c for c in map(str, demand.columns) if c.startswith("weight_type_")):
        worker_type = column.removeprefix("weight_type_")
        yield "worker_type", worker_type, demand[column].to_numpy(dtype=float)


def _districts_of(demand: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> np.ndarray:
    """Name the district of each demand point; on a shared border the first by index."""
    import shapely

    if "name" not in area or not len(area):
        raise ColumnError("`area` must hold one named polygon a district. Load it anew.")
    area = area.to_crs(demand.crs).sort_index()
    points = demand.geometry.to_numpy()
    tree = shapely.STRtree(area.geometry.to_numpy())
    district = np.full(len(points), len(area), dtype=np.int64)
    point, polygon = tree.query(points, predicate="intersects")
    np.minimum.at(district, point, polygon)
    outside = np.flatnonzero(district == len(area))
    if len(outside):
        point, polygon = tree.query_nearest(points[outside], all_matches=True)
        np.minimum.at(district, outside[point], polygon)
    return area["name"].astype(str).to_numpy(dtype=object)[district]


def _measure(scope: str, name: str, weight: np.ndarray, nearest: np.ndarray) -> dict[str, Any]:
    """Make one row of the coverage table, its open share still unknown."""
    return {
        "scope_id": scope if scope == "all" else f"{scope}:{name}",
        "scope": scope,
        "name": name,
        "weight_per_day": fsum(weight),
        "covered_share": _share(weight, np.isfinite(nearest)),
        "open_share": nan,
        "median_min": _weighted_median(nearest, np.where(np.isfinite(nearest), weight, 0.0)),
    }


def _share(weight: np.ndarray, covered: np.ndarray) -> float:
    """Divide covered by all weight; `fsum`, so that the order of rows cannot show."""
    total = fsum(weight)
    return fsum(weight[covered]) / total if total > 0 else nan


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the smallest value at which half of the weight is reached; NaN without weight."""
    inside = weight > 0
    if not inside.any():
        return nan
    order = np.lexsort((weight[inside], values[inside]))
    running = np.cumsum(weight[inside][order])
    half = np.searchsorted(running, 0.5 * running[-1] * (1 - 1e-12))
    return float(values[inside][order][half])


def _table(
    rows: list[dict[str, Any]],
    reach: Reach,
    counted: np.ndarray,
    facilities: pd.DataFrame | None,
) -> pd.DataFrame:
    """Put the rows into a coverage table with a note of what was measured."""
    table = pd.DataFrame(rows).set_index("scope_id")[list(TABLES["coverage"])]
    table.attrs["coverage"] = {
        "mode": reach.mode,
        "speed_kmh": reach.speed_kmh,
        "limit_min": reach.limit_min,
        "facilities": int(counted.sum()),
        "unmatched": 0 if facilities is None else int(len(facilities) - counted.sum()),
    }
    _log.info(
        "coverage: %d facilities, %d scopes, %.1f %% covered",
        counted.sum(),
        len(table),
        100 * table["covered_share"].iloc[0],
    )
    return table
