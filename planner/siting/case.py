"""One question of siting as arrays, in an order that no shuffle of the tables changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from planner.errors import InputError
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from scipy.sparse import csr_array

    from planner.tables import Reach

# Of candidates that cover the same, premises that exist go first.
_PREFERENCE = {"existing": 0, "host": 1, "hotspot": 2, "corner": 3}


@dataclass(frozen=True, eq=False)
class Case:
    """The arrays of one question, rows and columns in an order that no shuffle changes."""

    demand: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    cover: csr_array
    weight: np.ndarray
    xy: np.ndarray
    existing: np.ndarray
    conflicts: np.ndarray
    rest: np.ndarray  # at gathering places without shelter, a day
    home: np.ndarray  # the demand row on which a candidate stands


def make_case(
    reach: Reach, demand: gpd.GeoDataFrame, candidates: gpd.GeoDataFrame, min_spacing_m: float
) -> Case:
    """Check the tables of a question and put them into arrays."""
    check_table(demand, "demand")
    check_table(candidates, "candidates")
    for index, table, name in (
        (reach.demand_id, demand, "demand"),
        (reach.facility_id, candidates, "candidates"),
    ):
        if len(index) != len(table) or not table.index.isin(index).all():
            raise InputError(
                f"`reach` and `{name}` hold different identifiers. Make the reach from the same "
                f"tables: `make_reach(streets, demand, candidates)`."
            )
    rows = demand.sort_index()
    place = candidates["kind"].map(_PREFERENCE).fillna(len(_PREFERENCE)).to_numpy(float)
    rest = rest_of(candidates)
    order = np.lexsort((candidates.index.astype(str), -rest, place))
    columns = candidates.iloc[order]
    cover = reach.minutes.tocsr()[reach.demand_id.get_indexer(rows.index)]
    cover = cover.tocsc()[:, reach.facility_id.get_indexer(columns.index)].tocsr()
    xy = shapely.get_coordinates(columns.geometry)
    existing = np.flatnonzero((columns["action"] == "keep").to_numpy())
    return Case(
        rows,
        columns,
        cover,
        rows["weight_per_day"].to_numpy(float),
        xy,
        existing,
        _too_close(xy, existing, min_spacing_m),
        rest[order],
        cKDTree(shapely.get_coordinates(rows.geometry)).query(xy)[1],
    )


def plan_columns(case: Case, sites: gpd.GeoDataFrame) -> list[int]:
    """Return the columns of a plan in its order of opening.

    Raises
    ------
    InputError
        A site is none of the candidates.
    """
    chosen = sites.sort_values("rank")["candidate_id"]
    place = case.candidates.index.get_indexer(chosen)
    if (place < 0).any():
        raise InputError(
            f"`sites` names {chosen[place < 0].iloc[0]!r}, which is not among the candidates. "
            "Give the candidates that the sites were chosen from."
        )
    return [int(j) for j in place]


def district_rows(
    case: Case, demand: gpd.GeoDataFrame, districts: Sequence[str] | np.ndarray | None
) -> np.ndarray | None:
    """Return the names of the districts, given in the order of `demand`, in that of the rows."""
    if districts is None:
        return None
    if len(districts) != len(demand):
        raise InputError(
            f"`districts` must name one a demand point: {len(demand)}. Got {len(districts)}."
        )
    names = pd.Series(np.asarray(districts, dtype=object), demand.index)
    return names.loc[case.demand.index].to_numpy()


def rest_of(candidates: gpd.GeoDataFrame) -> np.ndarray:
    """Return the rest at gathering places without shelter; a table without the column has none."""
    if "informal_rest_per_day" not in candidates.columns:
        return np.zeros(len(candidates))
    return candidates["informal_rest_per_day"].to_numpy(float)


def _too_close(xy: np.ndarray, existing: np.ndarray, min_spacing_m: float) -> np.ndarray:
    """Pairs of new candidates nearer to each other than the spacing."""
    if min_spacing_m <= 0:
        return np.empty((0, 2), dtype=np.int64)
    pairs = cKDTree(xy).query_pairs(min_spacing_m, output_type="ndarray").astype(np.int64)
    apart = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    pairs = pairs[(apart < min_spacing_m) & ~np.isin(pairs, existing).any(axis=1)]
    return pairs[np.lexsort(pairs.T[::-1])]


def price_columns(case: Case, cost: Mapping[str, float] | None) -> np.ndarray | None:
    """Return what each column costs by its action; the existing cost nothing."""
    if not cost:
        return None
    price = case.candidates["action"].map(dict(cost)).to_numpy(float, copy=True)
    price[case.existing] = 0.0
    return price
