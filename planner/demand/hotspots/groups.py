"""From demand points to groups of them with their figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.cluster import find_groups, group_medoids
from planner.errors import SettingsError
from planner.settings import DAYPARTS
from planner.weighted import weighted_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

REST = "weight_class_rest"  # stays of the class rest a day
_LEAST_EPS_M = 200.0  # three minutes on foot (guess)
_EPS_CELLS = 1.5  # neighbouring hexagons see each other
_CLEAR = 0.03  # above the city's share: less can be chance over a few days (guess)


def look_around_m(demand: gpd.GeoDataFrame, eps_m: float | None) -> float:
    """Return how far a point looks around: what is asked, else 200 m or 1.5 hexagons."""
    if eps_m is None:
        width = float(demand.attrs.get("demand", {}).get("cell_m", 0.0))
        return max(_LEAST_EPS_M, _EPS_CELLS * width)
    if not eps_m > 0:
        raise SettingsError(f"The `eps_m` setting must be greater than 0. Got {eps_m}.")
    return eps_m


def daypart_names(demand: gpd.GeoDataFrame) -> list[str]:
    """List the dayparts that a demand table splits its weight into."""
    noted = demand.attrs.get("demand", {}).get("dayparts") or DAYPARTS
    return [name for name in noted if f"weight_{name}" in demand.columns]


def gather(
    demand: gpd.GeoDataFrame,
    column: str,
    *,
    radius_m: float,
    prefix: str,
    label: str,
    medians: Sequence[str] = (),
    cluster: str = "auto",
    rng: int | np.random.Generator = 0,
) -> gpd.GeoDataFrame:
    """Group demand points by one of their weights and sum up all that a hot spot tells.

    Returns `weight_per_day`, ``weight_<daypart>``, `rest_per_day` (where known), `points`, `peak`,
    `peak_share`, the medians over the points of each group, weighted by `column`, of the columns
    asked for, `geometry`; the group with most of `column` first.
    """
    demand = demand.sort_index()
    xy = np.column_stack([demand.geometry.x, demand.geometry.y])
    weight = demand[column].to_numpy(dtype=float)
    group = find_groups(xy, weight, radius_m=radius_m, method=cluster, rng=rng)
    middle = xy[group_medoids(xy, weight, group)]
    dayparts = [f"weight_{name}" for name in daypart_names(demand)]
    known = {c: demand[c].to_numpy(float) for c in ["weight_per_day", *dayparts]}
    if REST in demand.columns:
        known["rest_per_day"] = demand[REST].to_numpy(float) / _rest_need(demand)
    inside = group >= 0
    sums = {
        name: np.bincount(group[inside], weights=values[inside], minlength=len(middle))
        for name, values in known.items()
    }
    found = gpd.GeoDataFrame(
        {name: sum_.astype(float) for name, sum_ in sums.items()}
        | {"points": np.bincount(group[inside], minlength=len(middle)).astype(np.int64)},
        index=pd.Index([f"{prefix}{k + 1:03d}" for k in range(len(middle))], name=label, dtype=str),
        geometry=gpd.points_from_xy(middle[:, 0], middle[:, 1]),
        crs=demand.crs,
    )
    geometry = found.pop("geometry")
    found["peak"], found["peak_share"] = _peaks(found, demand)
    for name in medians:
        values = demand[name].to_numpy(float)
        found[name] = [
            weighted_quantile(values[group == k], weight[group == k], 0.5)
            for k in range(len(middle))
        ]
    return found.assign(geometry=geometry).set_geometry("geometry", crs=demand.crs)


def _rest_need(demand: gpd.GeoDataFrame) -> float:
    """Return how often a rest was counted by its need weight: stays are told as they were."""
    return float(demand.attrs.get("demand", {}).get("need", {}).get("rest", 1.0)) or 1.0


def _peaks(found: pd.DataFrame, demand: gpd.GeoDataFrame) -> tuple[pd.Series, np.ndarray]:
    """Return the daypart most above its share in the whole city, and its share here.

    The difference of shares counts, not their ratio: a few visits at night are no peak. Where none
    stands out the place keeps the hours of the city: empty.
    """
    names = daypart_names(demand)
    if not names or found.empty:
        return pd.Series("", found.index, dtype=str), np.full(len(found), np.nan)
    columns = [f"weight_{name}" for name in names]
    here = found[columns].to_numpy(float) / found["weight_per_day"].to_numpy(float)[:, None]
    city = demand[columns].to_numpy(float).sum(0) / demand["weight_per_day"].to_numpy(float).sum()
    above = np.round(here - city, 9)
    best = above.argmax(1)
    clear = above.max(1) >= _CLEAR
    peak = pd.Series(np.where(clear, np.array(names, dtype=object)[best], ""), found.index)
    return peak.astype(str), np.where(clear, here[np.arange(len(found)), best], np.nan)
