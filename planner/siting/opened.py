"""A plan as arrays: who reaches what, what is open, and what every exchange would do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError
from planner.locate.problem import rows_covered
from planner.siting.case import make_case
from planner.siting.swaps import Swaps, bar_swaps, value_swaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from scipy.sparse import csr_array

    from planner.tables import Reach


_SAME_COST = 1e-9  # sums of money in another order differ by less


@dataclass(frozen=True, eq=False)
class Opened:
    """The arrays of one plan, rows and columns in an order that no shuffle of tables changes."""

    demand: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    cover: csr_array
    weight: np.ndarray
    total: float
    xy: np.ndarray
    existing: np.ndarray  # columns
    chosen: np.ndarray  # columns, in the order they were named

    def covered(self, columns: Iterable[int]) -> np.ndarray:
        """Tell which demand rows some columns cover."""
        return rows_covered(self.cover, list(columns))

    def share(self, rows: np.ndarray) -> float:
        """Return the share of all demand that stands in some rows."""
        return math.fsum(self.weight[rows]) / self.total

    def swaps(
        self,
        min_spacing_m: float = 0.0,
        forbidden: Iterable[str] = (),
        *,
        cost: Mapping[str, float] | None = None,
        budget: float | None = None,
    ) -> Swaps:
        """Value every exchange that keeps spacing and budget and opens nothing forbidden."""
        barred = bar_swaps(self.xy, self.existing, self.chosen, min_spacing_m)
        barred[:, self.candidates.index.isin(list(forbidden))] = True
        if cost and budget is not None:
            price = self.candidates["action"].map(dict(cost)).to_numpy(float)
            left = budget - math.fsum(price[self.chosen])
            barred |= price > (left + price[self.chosen])[:, None] + _SAME_COST
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
    case = make_case(reach, demand, candidates, 0.0)
    picked = np.asarray(case.candidates.index.get_indexer(list(chosen)), dtype=np.int64)
    if (picked < 0).any():
        raise InputError("a chosen site is none of the candidates. Take them from the same plan.")
    return Opened(
        case.demand, case.candidates, case.cover, case.weight, math.fsum(case.weight), case.xy,
        case.existing, picked,
    )  # fmt: skip
