"""Coverage in space: what each district has in activity and demand, and what was suppressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.demand.gate import Crowds, join_neighbours
from planner.demand.hexagons import cell_of

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
    x, y = _xy(visits)
    seen, points = _owners(area, x, y), _owners(area, *_xy(demand))
    weight = demand["weight_per_day"].to_numpy(dtype=float)
    cell_m2 = _HEXAGON * float(demand.attrs["demand"]["cell_m"]) ** 2
    rider, weak = _riders(visits), None
    if rider is not None:
        weak = _suppressed(x, y, rider, demand.attrs["demand"])
    rows: list[dict[str, Any]] = []
    names = zip(area["name"].astype(str), _labels(area, language), strict=True)
    for number, (name, label) in enumerate(names):
        here, points_here = seen == number, points == number
        rows.append(
            {
                "name": name,
                "label": label,
                "workers": None if rider is None else _workers(rider[here], min_workers),
                "demand_points": int(points_here.sum()),
                "weight_per_day": float(weight[points_here].sum()),
                "suppressed_share": None
                if rider is None or weak is None
                else _share(weak[here], rider[here], min_workers),
                "area_share": min(
                    float(points_here.sum() * cell_m2 / area.geometry.iloc[number].area), 1.0
                ),
            }
        )
    empty = [row["label"] for number, row in enumerate(rows) if not (seen == number).any()]
    return {"districts": rows, "empty": empty}


def _labels(area: gpd.GeoDataFrame, language: str) -> list[str]:
    """Return what districts are called in a language: their own name where there is no other."""
    own = area["name"].astype(str)
    if language != "en" or "name_en" not in area:
        return own.tolist()
    return area["name_en"].where(area["name_en"].notna() & (area["name_en"] != ""), own).tolist()


def _xy(table: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    points = table.geometry.to_numpy()
    return shapely.get_x(points), shapely.get_y(points)


def _owners(area: gpd.GeoDataFrame, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the row of each point's district: on a border the first, outside all the nearest."""
    tree, points = shapely.STRtree(area.geometry.to_numpy()), shapely.points(x, y)
    owner = np.full(len(x), len(area))
    point, polygon = tree.query(points, predicate="intersects")
    np.minimum.at(owner, point, polygon)
    outside = np.flatnonzero(owner == len(area))
    if len(outside):
        point, polygon = tree.query_nearest(points[outside], all_matches=True)
        np.minimum.at(owner, outside[point], polygon)
    return owner


def _riders(visits: pd.DataFrame) -> np.ndarray | None:
    """Return a number for each rider, or None for counts, which do not tell them apart."""
    if "rider_id" not in visits:
        return None
    return pd.factorize(visits["rider_id"].astype(str), sort=True)[0]


def _suppressed(
    x: np.ndarray, y: np.ndarray, rider: np.ndarray, note: dict[str, Any]
) -> np.ndarray:
    """Tell which visits lie in cells that the demand leaves out, by the demand's own rule."""
    hexagon = np.column_stack(cell_of(x, y, float(note["cell_m"])))
    cells, cell = np.unique(hexagon, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    pair = np.unique(np.column_stack([cell, rider]), axis=0)
    start = np.searchsorted(pair[:, 0], np.arange(len(cells) + 1))
    groups = join_neighbours(
        cells[:, 0], cells[:, 1], Crowds(pair[:, 1], start, np.ones((len(cells), 1))),
        enough=int(note["min_workers"]), reach_m=float(note["merge_m"]),
        cell_m=float(note["cell_m"]),
    )  # fmt: skip
    return groups.weak[cell]


def _workers(rider: np.ndarray, enough: int) -> int | None:
    """Count distinct workers; None for one to k-1."""
    n = len(np.unique(rider))
    return None if 0 < n < enough else n


def _share(weak: np.ndarray, rider: np.ndarray, enough: int) -> float | None:
    """Return the share of suppressed visits if k workers or none stand behind either side."""
    if not len(weak):
        return None
    crowds = [_workers(rider[weak], enough), _workers(rider[~weak], enough)]
    return None if None in crowds else round(float(weak.mean()), 3)
