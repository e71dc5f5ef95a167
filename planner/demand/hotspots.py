"""Hot spots: where demand crowds together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.cluster import dense_groups, group_medoids
from planner.errors import SettingsError
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAST_EPS_M = 200.0  # three minutes on foot (guess)
_EPS_CELLS = 1.5  # neighbouring hexagons see each other
_BUSY = 1.5  # times the median: what a hot spot is at least (guess)
_WIDE = 2.0  # a group whose points lie over twice eps_m from its middle is looked at closer
_STRICTER = 1.25  # how much denser the closer look asks for


def find_hotspots(
    demand: gpd.GeoDataFrame,
    *,
    eps_m: float | None = None,
    rng: int | np.random.Generator = 0,  # noqa: ARG001  (nothing is drawn; all stages take it)
) -> gpd.GeoDataFrame:
    """Find compact groups of demand points that are busier than usual.

    Parameters
    ----------
    demand
        `demand` table: `weight_per_day`, points; metric CRS.
    eps_m
        How far a point looks around, in metres; if absent 200 (a guess: three minutes on foot), or
        one and a half hexagons where those are larger.
    rng
        Accepted as in every stage; the method draws nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        `hotspots`, heaviest first: index `hotspot_id` (``hs001`` …), `name` (empty: names are
        given where streets and hosts are known), `weight_per_day` (of the points in the group),
        `points` (their number), `geometry` (the group's medoid, a demand point).

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared.
    SettingsError
        `eps_m` is not greater than 0.

    Notes
    -----
    Weighted DBSCAN (Ester et al. 1996, see `planner.cluster.dense_groups`). A point is a core point
    if the weight within `eps_m` reaches the upper quartile and 1.5 × the median of all points'
    surroundings. In a busy centre such groups run together over kilometres; a group with points
    over 2 `eps_m` from its medoid is therefore searched again, asking for a quarter more, until its
    peaks part or nothing denser is in it.
    """
    check_table(demand, "demand")
    if eps_m is None:
        width = float(demand.attrs.get("demand", {}).get("cell_m", 0.0))
        eps_m = max(_LEAST_EPS_M, _EPS_CELLS * width)
    if not eps_m > 0:
        raise SettingsError(f"The `eps_m` setting must be greater than 0. Got {eps_m}.")
    xy = np.column_stack([demand.geometry.x, demand.geometry.y])
    weight = demand["weight_per_day"].to_numpy(dtype=float)
    found: list[tuple[float, float, float, int]] = []
    if weight.sum() > 0:
        around = _around(xy, weight, eps_m)
        needed = float(max(np.quantile(around, 0.75), _BUSY * np.median(around)))
        for group in _split(xy, weight, np.arange(len(weight)), eps_m, needed):
            label = np.zeros(len(group), dtype=np.int64)
            middle = group[group_medoids(xy[group], weight[group], label)[0]]
            found.append((-weight[group].sum(), *xy[middle], len(group)))
    found.sort()
    index = pd.Index([f"hs{i + 1:03d}" for i in range(len(found))], name="hotspot_id", dtype=str)
    return gpd.GeoDataFrame(
        {
            "name": pd.Series([""] * len(found), index=index, dtype=str),
            "weight_per_day": pd.Series([-f[0] for f in found], index=index, dtype=float),
            "points": pd.Series([f[3] for f in found], index=index, dtype="int64"),
        },
        index=index,
        geometry=gpd.points_from_xy([f[1] for f in found], [f[2] for f in found]),
        crs=demand.crs,
    )


def _around(xy: np.ndarray, weight: np.ndarray, radius_m: float) -> np.ndarray:
    """Return the weight within the radius of each point, its own included."""
    from scipy.spatial import cKDTree

    near = cKDTree(xy).query_ball_point(xy, radius_m, return_sorted=True)
    return np.array([weight[n].sum() for n in near])


def _split(
    xy: np.ndarray, weight: np.ndarray, member: np.ndarray, eps_m: float, needed: float
) -> Iterator[np.ndarray]:
    """Yield compact dense groups among the members, as positions."""
    label = dense_groups(xy[member], weight[member], radius_m=eps_m, min_weight=needed)
    middles = group_medoids(xy[member], weight[member], label)
    for g, middle in enumerate(middles):
        group = member[label == g]
        reach = np.hypot(*(xy[group] - xy[member[middle]]).T).max()
        parts: list[np.ndarray] = []
        if reach > _WIDE * eps_m:
            parts = list(_split(xy, weight, group, eps_m, needed * _STRICTER))
        yield from parts or [group]
