"""A plan as arrays: who reaches what, what is open, and what every exchange would do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner.errors import InputError
from planner.siting.swaps import Swaps, bar_swaps, value_swaps
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from scipy.sparse import csr_array

    from planner.tables import Reach

# Of candidates that would cover the same, premises that exist are named first.
_PREFERENCE = {"existing": 0, "host": 1, "hotspot": 2, "corner": 3}


@dataclass(frozen=True, eq=False)
class Opened:
    """The arrays of one plan, rows and columns in an order that no shuffle of tables changes."""

    demand: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    cover: csr_array
    weight: np.ndarray
    total: float
    existing: np.ndarray  # columns
    chosen: np.ndarray  # columns, in the order they were named
    order: np.ndarray  # which row of the demand table stands at each row

    def swaps(self, min_spacing_m: float = 0.0, forbidden: Iterable[str] = ()) -> Swaps:
        """Value every exchange that keeps the spacing and opens nothing that is forbidden."""
        xy = shapely.get_coordinates(self.candidates.geometry)
        barred = bar_swaps(xy, self.existing, self.chosen, min_spacing_m)
        barred[:, self.candidates.index.isin(list(forbidden))] = True
        return value_swaps(self.cover, self.weight, self.existing, self.chosen, barred=barred)


def open_sites(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    chosen: Iterable[str],
) -> Opened:
    """Put a plan into arrays.

    Parameters
    ----------
    reach, demand, candidates
        As in `choose_stations`; candidates with the action ``keep`` are open already.
    chosen
        Identifiers of candidates.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or they do not belong together.
    """
    check_table(demand, "demand")
    check_table(candidates, "candidates")
    for index, table, name in (
        (reach.demand_id, demand, "demand"),
        (reach.facility_id, candidates, "candidates"),
    ):
        if len(index) != len(table) or not table.index.isin(index).all():
            raise InputError(
                f"`reach` and `{name}` hold different identifiers. Take them from the same plan."
            )
    order = np.argsort(demand.index.astype(str).to_numpy(), kind="stable")
    place = candidates["kind"].map(_PREFERENCE).fillna(len(_PREFERENCE)).to_numpy(float)
    columns = candidates.iloc[np.lexsort((candidates.index.astype(str), place))]
    rows = demand.iloc[order]
    cover = reach.minutes.tocsr()[reach.demand_id.get_indexer(rows.index)]
    cover = cover.tocsc()[:, reach.facility_id.get_indexer(columns.index)].tocsr()
    cover.sort_indices()
    weight = rows["weight_per_day"].to_numpy(float)
    picked = columns.index.get_indexer(list(chosen))
    if (picked < 0).any():
        raise InputError("a chosen site is none of the candidates. Take them from the same plan.")
    existing = np.flatnonzero((columns["action"] == "keep").to_numpy())
    return Opened(rows, columns, cover, weight, math.fsum(weight), existing, picked, order)
