"""Coverage: shares, minutes and seats of all demand, by daypart, district and worker type."""

from __future__ import annotations

import logging
from math import fsum, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.coverage.accessibility import known_seats, two_steps
from planner.coverage.hours import open_in_dayparts
from planner.coverage.minutes import ANY_HOUR, daypart_column, minutes_of
from planner.coverage.pairs import nearest_within, sorted_pairs, times_covered
from planner.errors import ColumnError, InputError, SettingsError
from planner.geo import require_metric
from planner.settings import DAYPARTS
from planner.tables import TABLES, check_table
from planner.weighted import weighted_mean, weighted_quantile, weighted_share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd

    from planner.coverage.pairs import SortedPairs
    from planner.tables import Reach

_log = logging.getLogger(__name__)


def measure_coverage(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    *,
    facilities: gpd.GeoDataFrame | None = None,
    area: gpd.GeoDataFrame | None = None,
    dayparts: Mapping[str, tuple[float, float]] = DAYPARTS,
    full_min: float = 5.0,
    minutes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Measure how well the demand is served: shares within the limit, minutes, seats.

    Parameters
    ----------
    reach
        Who reaches what, demand → facility, holding every row of `demand`. With `facilities`
        given, only the facilities of both count; without, all of `reach`.
    demand
        Columns read: `weight_per_day`, `weight_<daypart>` and `weight_type_<worker type>` where
        present, `geometry` where `area` is given.
    facilities
        Columns read: `hours`, without it what tells of dayparts stays empty; `capacity` (seats),
        without it `seats_per_100` does.
    area
        Districts, columns read: `name`, `geometry`. Demand outside every district counts to the
        nearest one. Districts of one name count as one.
    dayparts
        Name → (from, to) in hours; a daypart without its `weight_<daypart>` column has no row.
    full_min
        Minutes up to which `gradual_share` counts in full, ≥ 0; from the limit on it is the
        covered share. 5 min is a guess.
    minutes
        What `find_minutes` returned for the same demand and facilities. Without it minutes are
        known within the limit only.

    Returns
    -------
    pandas.DataFrame
        ``TABLES["coverage"]``, index `scope_id`: ``all``, ``daypart:<name>``, ``district:<name>``,
        ``worker_type:<type>``. Shares are of weight, not of points, and empty where the scope
        holds no demand; `open_share` counts only facilities open for at least half of the daypart.
        `mean_min`, `median_min` and `p90_min` tell the way of all demand of the scope to its
        nearest facility, of a daypart to the nearest one open then; a quantile beyond the search
        is empty, the mean is of what lies within it. `seats_per_100` is the mean of
        `measure_accessibility`; of a daypart it sets the seats open then against the visits of
        that daypart. ``attrs["coverage"]`` holds `mode`, `speed_kmh`, `limit_min`, `full_min`,
        `horizon_min` (how far minutes were searched), `beyond_share` (demand with no facility
        within that), `facilities` (how many counted), `unmatched` (rows of `facilities` that
        `reach` does not know), `seats` (all that are known) and `seats_unknown` (facilities
        without a known capacity: they add no seats).

    Raises
    ------
    InputError
        `demand` is empty, weightless, not in `reach` or not in `minutes`, no facility is in
        `reach`, or a capacity is no number of seats.
    SettingsError
        `full_min` is negative.

    Notes
    -----
    The covered share of a scope is :math:`\sum_i w_i [\min_j t_{ij} \le S] / \sum_i w_i` with
    weight :math:`w_i` of demand *i*, travel time :math:`t_{ij}` to facility *j* and limit *S*
    (R. Church and C. ReVelle (1974), “The maximal covering location problem”, Papers of the
    Regional Science Association 32). The gradual share has :math:`f(\min_j t_{ij})` in place of
    the bracket, 1 up to :math:`F` = `full_min`, 0 beyond the limit, linear between,

    .. math:: f(t) = \frac{S - t}{S - F}, \quad F < t \le S

    (O. Berman, D. Krass and Z. Drezner (2003), “The gradual covering decay location problem on a
    network”, European Journal of Operational Research 151). The backup share is of demand that two
    or more facilities cover (K. Hogan and C. ReVelle (1986), “Concepts and applications of backup
    coverage”, Management Science 32). Neither exceeds the covered share. One more facility lowers
    no share and no seats and lengthens no quantile; it can raise `mean_min` where it brings
    demand within the search that lay beyond.
    """
    check_table(demand, "demand")
    _require_weight(demand)
    if not full_min >= 0:
        raise SettingsError(f"The `full_min` setting must not be negative. Got {full_min}.")
    pairs = sorted_pairs(reach, demand, facilities)
    demand = demand.loc[pairs.demand_id]
    limit, seats = reach.limit_min, _known_seats(pairs, facilities)
    is_open = _open_flags(pairs, facilities, dayparts)
    way = _ways(pairs, is_open, minutes)
    inside, often = nearest_within(pairs), times_covered(pairs)
    parts = {
        "covered_share": often > 0,
        "backup_share": often > 1,
        "gradual_share": gradual_cover(inside, full_min, limit),
    }
    daily = demand["weight_per_day"].to_numpy(dtype=float)
    at_hand = _seats_at_hand(pairs, seats, daily, limit)
    rows = []
    for scope, name, weight in _scopes(demand, area, dayparts):
        record = _describe(scope, name, weight)
        record |= {column: weighted_share(weight, part) for column, part in parts.items()}
        if scope != "daypart":
            record |= _lengths(way[ANY_HOUR], weight)
            record["seats_per_100"] = weighted_share(weight, at_hand)
        elif name in is_open:
            then = nearest_within(pairs, is_open[name])
            record["open_share"] = weighted_share(weight, np.isfinite(then))
            record |= _lengths(way[daypart_column(name)], weight)
            awake = _seats_at_hand(pairs, np.where(is_open[name], seats, 0 * seats), weight, limit)
            record["seats_per_100"] = weighted_share(weight, awake)
        rows.append(record)
    horizon = limit if minutes is None else float(minutes.attrs["minutes"]["max_min"])
    note = {
        "mode": reach.mode,
        "speed_kmh": reach.speed_kmh,
        "limit_min": limit,
        "full_min": float(full_min),
        "horizon_min": horizon,
        "beyond_share": weighted_share(daily, ~np.isfinite(way[ANY_HOUR])),
        "facilities": len(pairs.facility_id),
        "unmatched": 0 if facilities is None else len(facilities) - len(pairs.facility_id),
        "seats": float(np.nansum(seats)),
        "seats_unknown": int(np.isnan(seats).sum()),
    }
    return _table(rows, note)


def gradual_cover(minutes: np.ndarray, full_min: float, limit_min: float) -> np.ndarray:
    """Return how far each point counts as covered: 1 up to `full_min`, 0 from beyond the limit.

    Examples
    --------
    >>> import numpy as np
    >>> gradual_cover(np.array([0.0, 5.0, 10.0, 15.0, np.inf]), 5.0, 15.0).tolist()
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """
    if full_min >= limit_min:
        return (minutes <= limit_min).astype(float)
    return np.clip((limit_min - minutes) / (limit_min - full_min), 0.0, 1.0)


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
    return weighted_share(demand["weight_per_day"].to_numpy(dtype=float), distance <= radius_m)


def _require_weight(demand: pd.DataFrame) -> None:
    if not demand["weight_per_day"].sum() > 0:
        raise InputError("`demand` holds no rider-visits. Check the activity it was made from.")


def _open_flags(
    pairs: SortedPairs, facilities: pd.DataFrame | None, dayparts: Mapping[str, tuple[float, float]]
) -> dict[str, np.ndarray]:
    """Tell for each daypart which facilities are open then; empty if no hours are known."""
    if facilities is None or "hours" not in facilities:
        return {}
    flags = open_in_dayparts(facilities["hours"].reindex(pairs.facility_id), dayparts)
    return {name: flags[name].to_numpy() for name in dayparts}


def _known_seats(pairs: SortedPairs, facilities: pd.DataFrame | None) -> np.ndarray:
    """Return the seats of each facility, NaN where they are not known."""
    if facilities is None or "capacity" not in facilities:
        return np.full(len(pairs.facility_id), nan)
    return known_seats(facilities["capacity"]).reindex(pairs.facility_id).to_numpy()


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
        district = districts_of(demand, area)
        for name in dict.fromkeys(area.sort_index()["name"].astype(str)):
            yield "district", name, np.where(district == name, weight, 0.0)
    for column in sorted(c for c in map(str, demand.columns) if c.startswith("weight_type_")):
        worker_type = column.removeprefix("weight_type_")
        yield "worker_type", worker_type, demand[column].to_numpy(dtype=float)


def districts_of(demand: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> np.ndarray:
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


def _ways(
    pairs: SortedPairs, is_open: Mapping[str, np.ndarray], minutes: pd.DataFrame | None
) -> dict[str, np.ndarray]:
    """Return minutes to the nearest facility, by column of `find_minutes`."""
    asked = {ANY_HOUR: None} | {daypart_column(name): flags for name, flags in is_open.items()}
    if minutes is None:
        return {column: nearest_within(pairs, flags) for column, flags in asked.items()}
    return {column: minutes_of(minutes, column, pairs.demand_id) for column in asked}


def _seats_at_hand(
    pairs: SortedPairs, seats: np.ndarray, weight: np.ndarray, limit_min: float
) -> np.ndarray:
    """Return the seats per 100 visits of each point; NaN if no capacity at all is known."""
    if np.isnan(seats).all():
        return np.full(len(weight), nan)
    return two_steps(pairs, np.nan_to_num(seats), weight, limit_min)


def _describe(scope: str, name: str, weight: np.ndarray) -> dict[str, Any]:
    return {
        "scope_id": scope if scope == "all" else f"{scope}:{name}",
        "scope": scope,
        "name": name,
        "weight_per_day": fsum(weight),
    }


def _lengths(minutes: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Tell how long the ways of the weight are."""
    return {
        "mean_min": weighted_mean(minutes, weight),
        "median_min": weighted_quantile(minutes, weight, 0.5),
        "p90_min": weighted_quantile(minutes, weight, 0.9),
    }


def _table(rows: list[dict[str, Any]], note: dict[str, Any]) -> pd.DataFrame:
    """Put the rows into a coverage table with a note of what was measured."""
    table = pd.DataFrame(rows).set_index("scope_id").reindex(columns=list(TABLES["coverage"]))
    table = table.replace(np.inf, nan)  # beyond the search
    table.attrs["coverage"] = note
    _log.info(
        "coverage: %d facilities, %d scopes, %.1f %% covered",
        *(note["facilities"], len(table), 100 * table["covered_share"].iloc[0]),
    )
    return table
