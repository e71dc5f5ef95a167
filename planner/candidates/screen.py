"""Leave out candidates that may not be, or stand in each other's place, and count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from planner.geo import names_at, require_metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

SAME_M = 10.0  # nearer than this two candidates are one place
INFORMAL = "informal_rest_per_day"


def keep_inside(
    offered: gpd.GeoDataFrame, area: gpd.GeoDataFrame | None, dropped: dict[str, int]
) -> gpd.GeoDataFrame:
    """Leave out what lies outside the area, unless it exists already."""
    if area is None or area.empty:
        return offered
    require_metric(area, "area")
    whole = area.to_crs(offered.crs).union_all()
    within = shapely.intersects_xy(whole, offered.geometry.x, offered.geometry.y)
    kept = within | (offered["kind"] == "existing").to_numpy()
    return _drop(offered, kept, "outside the area", dropped)


def keep_allowed(
    offered: gpd.GeoDataFrame, exclude: gpd.GeoDataFrame | None, dropped: dict[str, int]
) -> gpd.GeoDataFrame:
    """Leave out what lies inside an excluded polygon, by its name, unless it exists already."""
    names = names_at(offered.geometry, exclude)
    names[(offered["kind"] == "existing").to_numpy()] = ""
    for name in sorted(set(names) - {""}):
        dropped[f"excluded: {name}"] = int((names == name).sum())
    return offered.loc[names == ""]


def keep_apart(
    offered: gpd.GeoDataFrame, from_existing_m: float, dropped: dict[str, int]
) -> gpd.GeoDataFrame:
    """Leave out what stands nearer to an existing station than asked."""
    if from_existing_m == 0:
        return offered
    existing = offered["kind"] == "existing"
    near = _near(offered, existing, from_existing_m)
    return _drop(offered, existing.to_numpy() | ~near, "near an existing station", dropped)


def keep_some_of_class(
    offered: gpd.GeoDataFrame,
    served: np.ndarray,
    most: Mapping[str, int],
    dropped: dict[str, int],
) -> np.ndarray:
    """Tell which to keep: of a class of hosts at most so many, those that most demand reaches."""
    kept = np.ones(len(offered), dtype=bool)
    for name, count in most.items():
        here = np.flatnonzero((offered["host_class"] == name).to_numpy())
        kept[here[np.lexsort((here, -served[here]))][count:]] = False
    if not kept.all():
        dropped["more of a class than allowed"] = int((~kept).sum())
    return kept


def keep_distinct(offered: gpd.GeoDataFrame, dropped: dict[str, int]) -> gpd.GeoDataFrame:
    """Leave one of those that stand on the same spot; rows come in order of preference."""
    tree = cKDTree(shapely.get_coordinates(offered.geometry))
    fixed = (offered["kind"] == "existing").to_numpy()
    kept = np.ones(len(offered), dtype=bool)
    for i, j in sorted(tree.query_pairs(SAME_M)):
        if kept[i] and not fixed[j]:
            kept[j] = False
    return _drop(offered, kept, "on the spot of another", dropped)


def spare_neighbours(
    offered: gpd.GeoDataFrame, host_m: float, dropped: dict[str, int]
) -> gpd.GeoDataFrame:
    """Offer no building where a host stands near, and no hot spot beside a gathering place."""
    if host_m == 0:
        return offered
    near = _near(offered, offered["kind"] == "host", host_m)
    built = (offered["action"] == "build").to_numpy()
    offered = _drop(offered, ~(built & near), "a host stands near", dropped)
    bare = offered[INFORMAL] > 0
    near = _near(offered, bare, host_m)
    other = ((offered["kind"] == "hotspot") & ~bare).to_numpy()
    return _drop(offered, ~(other & near), "a gathering place is near", dropped)


def _near(offered: gpd.GeoDataFrame, these: pd.Series, near_m: float) -> np.ndarray:
    """Tell for each candidate whether one of these stands near."""
    xy = shapely.get_coordinates(offered.geometry)
    if not these.any():
        return np.zeros(len(xy), dtype=bool)
    distance, _ = cKDTree(xy[these.to_numpy()]).query(xy, distance_upper_bound=near_m)
    return np.isfinite(distance)


def take_over(
    offered: gpd.GeoDataFrame, before: gpd.GeoDataFrame, near_m: float
) -> gpd.GeoDataFrame:
    """Let the nearest host take over the riders of each gathering place that made way for one."""
    gone = before[(before[INFORMAL] > 0) & ~before.index.isin(offered.index)]
    hosts = offered.index[offered["kind"] == "host"]
    if gone.empty or hosts.empty:
        return offered
    tree = cKDTree(shapely.get_coordinates(offered.geometry.loc[hosts]))
    apart, which = tree.query(shapely.get_coordinates(gone.geometry), distance_upper_bound=near_m)
    rest = offered[INFORMAL].copy()
    for k in np.flatnonzero(np.isfinite(apart)):
        rest.loc[hosts[which[k]]] += gone[INFORMAL].iloc[k]
    return offered.assign(**{INFORMAL: rest})


def _drop(
    offered: gpd.GeoDataFrame, kept: np.ndarray, reason: str, dropped: dict[str, int]
) -> gpd.GeoDataFrame:
    if not kept.all():
        dropped[reason] = int((~kept).sum())
    return offered.loc[kept]
