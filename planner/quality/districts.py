"""Coverage in space: what each district has in activity and demand, and what was suppressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.demand.gate import Crowds, join_neighbours
from planner.demand.hexagons import cell_of
from planner.quality.crowds import count_workers

if TYPE_CHECKING:
    import geopandas as gpd

_HEXAGON = np.sqrt(3.0) / 2.0  # area of a hexagon of width 1


def measure_districts(
    area: gpd.GeoDataFrame,
    visits: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
    *,
    min_workers: int,
    language: str = "zh",
) -> dict[str, Any]:
    """Say of each district how much activity and demand it holds.

    Parameters
    ----------
    area
        Districts; columns read: `name`, `geometry`, `name_en` if it is there.
    visits
        What demand was made of: `rider_id` and points, or a `counts` table.
    demand
        The demand; ``attrs["demand"]`` says how cells were joined.
    min_workers
        The privacy limit k.
    language
        Of the labels.

    Returns
    -------
    dict
        ``districts`` [{name, label, workers, demand_points, weight_per_day, suppressed_share,
        area_share}] and ``empty``, the labels of those without any activity. `weight_per_day` sums
        the published points in the district, never what is hidden; `workers` is None under k or
        where they cannot be told apart; `suppressed_share` (of the visits in the district) is None
        where fewer than k workers stand behind the suppressed or the shown ones; `area_share` is
        the share of the district's area in cells that carry demand.
    """
    area = (
        area.dissolve("name", sort=True).reset_index() if area["name"].duplicated().any() else area
    )
    seen, points = (_owners(area, table.geometry.to_numpy()) for table in (visits, demand))
    count = np.bincount(points, minlength=len(area))
    weight = np.bincount(
        points, weights=demand["weight_per_day"].to_numpy(dtype=float), minlength=len(area)
    )
    cell_m2 = _HEXAGON * float(demand.attrs["demand"]["cell_m"]) ** 2
    covered = np.minimum(count * cell_m2 / area.area.to_numpy(), 1.0)
    workers, suppressed = _crowds(seen, len(area), visits, demand.attrs["demand"], min_workers)
    rows = [
        {
            "name": name,
            "label": label,
            "workers": workers[k],
            "demand_points": int(count[k]),
            "weight_per_day": float(weight[k]),
            "suppressed_share": suppressed[k],
            "area_share": float(covered[k]),
        }
        for k, (name, label) in enumerate(
            zip(area["name"].astype(str), _labels(area, language), strict=True)
        )
    ]
    visited = np.bincount(seen, minlength=len(area)) > 0
    return {
        "districts": rows,
        "empty": [row["label"] for row, some in zip(rows, visited, strict=True) if not some],
    }


def _labels(area: gpd.GeoDataFrame, language: str) -> list[str]:
    """Return what districts are called in a language: their own name where there is no other."""
    own = area["name"].astype(str)
    if language != "en" or "name_en" not in area:
        return own.tolist()
    return area["name_en"].where(area["name_en"].notna() & (area["name_en"] != ""), own).tolist()


def _xy(table: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    points = table.geometry.to_numpy()
    return shapely.get_x(points), shapely.get_y(points)


def _owners(area: gpd.GeoDataFrame, points: np.ndarray) -> np.ndarray:
    """Return the row of each point's district: on a border the first, outside all the nearest."""
    tree, owner = shapely.STRtree(area.geometry.to_numpy()), np.full(len(points), len(area))
    point, polygon = tree.query(points, predicate="intersects")
    np.minimum.at(owner, point, polygon)
    outside = np.flatnonzero(owner == len(area))
    if len(outside):
        point, polygon = tree.query_nearest(points[outside], all_matches=True)
        np.minimum.at(owner, outside[point], polygon)
    return owner


def _crowds(
    seen: np.ndarray, districts: int, visits: gpd.GeoDataFrame, note: dict[str, Any], enough: int
) -> tuple[list[int | None], list[float | None]]:
    """Return the distinct workers and the suppressed share of each district, None where hidden."""
    if "rider_id" not in visits:  # counts do not tell workers apart
        return [None] * districts, [None] * districts
    rider = pd.factorize(visits["rider_id"])[0]
    weak = _suppressed(*_xy(visits), rider, note)
    shares: list[float | None] = []
    behind = [count_workers(seen[part], rider[part], districts) for part in (weak, ~weak)]
    lost, all_of = (np.bincount(d, minlength=districts) for d in (seen[weak], seen))
    for number in range(districts):
        few = any(0 < workers[number] < enough for workers in behind)
        known = all_of[number] and not few
        shares.append(round(float(lost[number] / all_of[number]), 3) if known else None)
    workers = count_workers(seen, rider, districts)
    return [None if 0 < n < enough else n for n in workers], shares


def _suppressed(
    x: np.ndarray, y: np.ndarray, rider: np.ndarray, note: dict[str, Any]
) -> np.ndarray:
    """Tell which visits lie in cells that the demand leaves out, by the demand's own rule."""
    row, col = cell_of(x, y, float(note["cell_m"]))
    least, width = int(col.min()), int(np.ptp(col)) + 1
    cell, cells = pd.factorize(row * width + col - least, sort=True)
    row, col = np.divmod(cells, width)
    riders = int(rider.max()) + 1
    where, who = np.divmod(np.sort(pd.unique(cell * riders + rider)), riders)
    start = np.searchsorted(where, np.arange(len(cells) + 1))
    groups = join_neighbours(
        row, col + least, Crowds(who, start, np.ones((len(cells), 1))),
        enough=int(note["min_workers"]), reach_m=float(note["merge_m"]),
        cell_m=float(note["cell_m"]),
    )  # fmt: skip
    return groups.weak[cell]
