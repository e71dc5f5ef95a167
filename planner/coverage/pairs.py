"""The pairs of a reach in the order of identifiers, and what each demand point finds in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_array

    from planner.tables import Reach


class SortedPairs(NamedTuple):
    """Demand × facilities within the limit, both sides in the order of their identifiers.

    `row` and `column` are the positions of each pair in `demand_id` and `facility_id`, sorted;
    `minutes` its time. Sums over them come out the same whatever order the tables had.
    """

    row: np.ndarray
    column: np.ndarray
    minutes: np.ndarray
    demand_id: pd.Index
    facility_id: pd.Index

    @property
    def shape(self) -> tuple[int, int]:
        """How many demand points and facilities there are."""
        return len(self.demand_id), len(self.facility_id)


def sorted_pairs(
    reach: Reach, demand: pd.DataFrame, facilities: pd.DataFrame | pd.Series | None
) -> SortedPairs:
    """Take the pairs between the demand and the facilities that both know.

    Raises
    ------
    InputError
        `reach` lacks a demand point, or knows none of the facilities.
    """
    demand_id = demand.index.sort_values()
    row = reach.demand_id.get_indexer(demand_id)
    if (row < 0).any():
        lost = demand.index[reach.demand_id.get_indexer(demand.index) < 0].tolist()
        raise InputError(
            f"`reach` lacks {len(lost)} demand points, first {lost[0]!r}. "
            "Make the reach from the same demand."
        )
    facility_id = _known_facilities(reach, facilities).sort_values()
    column = reach.facility_id.get_indexer(facility_id)
    table: csr_array = reach.minutes[row][:, column]
    table.sort_indices()
    count = np.diff(table.indptr)
    return SortedPairs(
        np.repeat(np.arange(len(demand_id)), count),
        table.indices,
        np.asarray(table.data, dtype=float),
        demand_id,
        facility_id,
    )


def _known_facilities(reach: Reach, facilities: pd.DataFrame | pd.Series | None) -> pd.Index:
    """Return the identifiers of the facilities that count."""
    if facilities is None:
        return reach.facility_id
    known = reach.facility_id[reach.facility_id.isin(facilities.index)]
    if len(facilities) and len(reach.facility_id) and not len(known):
        raise InputError(
            f"`reach` knows none of the {len(facilities)} facilities, e.g. "
            f"{facilities.index.tolist()[0]!r}; it has {reach.facility_id.tolist()[0]!r}. "
            "Make the reach from the same facilities."
        )
    return known


def nearest_within(pairs: SortedPairs, counted: np.ndarray | None = None) -> np.ndarray:
    """Return each demand point's minutes to its nearest (counted) facility, else infinite."""
    nearest = np.full(pairs.shape[0], np.inf)
    some = slice(None) if counted is None else counted[pairs.column]
    np.minimum.at(nearest, pairs.row[some], pairs.minutes[some])
    return nearest


def times_covered(pairs: SortedPairs) -> np.ndarray:
    """Return how many facilities each demand point has within the limit."""
    return np.bincount(pairs.row, minlength=pairs.shape[0])


def nearest_two_within(pairs: SortedPairs) -> tuple[np.ndarray, np.ndarray]:
    """Return each demand point's nearest facility and its minutes to the second nearest.

    Returns
    -------
    column
        int64, -1 where none is within the limit; of equals the first by identifier.
    next_min
        float64, infinite where there is no second within the limit.
    """
    order = np.lexsort((pairs.column, pairs.minutes, pairs.row))
    count = times_covered(pairs)
    start = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
    column = np.full(pairs.shape[0], -1, dtype=np.int64)
    column[count > 0] = pairs.column[order[start[count > 0]]]
    next_min = np.full(pairs.shape[0], np.inf)
    next_min[count > 1] = pairs.minutes[order[start[count > 1] + 1]]
    return column, next_min
