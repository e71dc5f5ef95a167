"""Seats within reach: how much capacity there is for those who may come to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.pairs import sorted_pairs
from planner.errors import ColumnError, InputError, nearest_name

if TYPE_CHECKING:
    from planner.coverage.pairs import SortedPairs
    from planner.tables import Reach

# Luo & Qi (2009): zones of 0–10, 10–20 and 20–30 min; here thirds of whatever the limit is.
BAND_WEIGHTS = (1.0, 0.68, 0.22)
PER_VISITS = 100.0


def measure_accessibility(
    reach: Reach, demand: pd.DataFrame, capacity: pd.Series, *, weight: str = "weight_per_day"
) -> pd.Series:
    r"""Measure how many seats each demand point has at hand, shared with all who reach them.

    Parameters
    ----------
    reach
        Who reaches what, demand → facility, holding every row of `demand`.
    demand
        Column read: that of `weight`; index as in `reach`.
    capacity
        Seats of each facility, ≥ 0, on the facilities' index. A facility without a number, or
        without a row, does not count: what is not known is neither none nor many.
    weight
        The demand that competes for the seats: all of the day, or one daypart's.

    Returns
    -------
    pandas.Series
        `seats_per_100`, float64 on the index of `demand`: seats per 100 rider-visits a day; 0
        where no seat is within the limit. All NaN where no facility's capacity is known.

    Raises
    ------
    ColumnError
        `demand` has no such weight.
    InputError
        A capacity is negative or infinite, or `reach` does not hold the demand or knows none of
        the facilities.

    Notes
    -----
    Enhanced two-step floating catchment area, E2SFCA (W. Luo and Y. Qi (2009), “An enhanced
    two-step floating catchment area (E2SFCA) method for measuring spatial accessibility to primary
    care physicians”, Health & Place 15). First each facility *j* shares its seats :math:`C_j`
    among the demand :math:`w_i` around it, then each point *i* adds up what it gets:

    .. math:: R_j = \frac{C_j}{\sum_i W(t_{ij}) w_i}, \qquad A_i = \sum_j W(t_{ij}) R_j

    with :math:`W` = 1, 0.68 and 0.22 in the first, second and last third of the limit: the
    published weights of the method's three zones. The steps were preferred to a slope since
    figures of other cities are made with them. Seats are conserved: :math:`\sum_i w_i A_i` is the
    sum of :math:`C_j` over the facilities that anyone reaches. What a facility holds does not
    depend on the others, so more seats or more facilities never lower any :math:`A_i`.

    Examples
    --------
    >>> import pandas as pd
    >>> from scipy.sparse import csr_array
    >>> from planner.tables import Reach
    >>> demand = pd.DataFrame({"weight_per_day": [60.0, 100.0]}, index=["d0", "d1"])
    >>> reach = Reach(csr_array([[3.0], [8.0]]), demand.index, pd.Index(["A"]), 15.0, "walk", 4.0)
    >>> measure_accessibility(reach, demand, pd.Series({"A": 32.0})).round(2).tolist()
    [25.0, 17.0]
    """
    if weight not in demand:
        raise ColumnError(f"`demand` lacks `{weight}`.{nearest_name(weight, map(str, demand))}")
    seats = known_seats(capacity).dropna()
    result = pd.Series(np.nan, index=demand.index, name="seats_per_100", dtype=float)
    if seats.empty:
        return result
    pairs = sorted_pairs(reach, demand, seats)
    amount = seats.reindex(pairs.facility_id).to_numpy(dtype=float)
    load = demand[weight].reindex(pairs.demand_id).to_numpy(dtype=float)
    found = two_steps(pairs, amount, load, reach.limit_min)
    result[:] = pd.Series(found, index=pairs.demand_id).reindex(demand.index)
    return result


def known_seats(capacity: pd.Series) -> pd.Series:
    """Return seats as float64, NaN where they are not known.

    Raises
    ------
    InputError
        A capacity is negative, infinite or no number; the facility is named.
    """
    seats = pd.to_numeric(capacity, errors="coerce").astype(float)
    bad = ~((seats >= 0) & np.isfinite(seats)) & capacity.notna()
    if bad.any():
        first = capacity.index[bad].tolist()[0]
        raise InputError(
            f"`capacity` of {first!r} must be a number of seats from 0 up. Got {capacity[first]}. "
            "Leave it empty where it is not known."
        )
    return seats


def two_steps(
    pairs: SortedPairs, seats: np.ndarray, weight: np.ndarray, limit_min: float
) -> np.ndarray:
    """Return the seats per 100 visits of each demand point.

    Parameters
    ----------
    pairs
        Who reaches what.
    seats, weight
        Of each facility and each demand point, in the order of the pairs; seats not NaN.
    limit_min
        What the bands are thirds of, minutes.
    """
    band = np.searchsorted(limit_min / 3 * np.array([1.0, 2.0]), pairs.minutes)
    decay = np.array(BAND_WEIGHTS)[band]
    around = np.bincount(pairs.column, decay * weight[pairs.row], minlength=pairs.shape[1])
    ratio = np.divide(seats, around, out=np.zeros(len(seats)), where=around > 0)
    mine = np.bincount(pairs.row, decay * ratio[pairs.column], minlength=pairs.shape[0])
    return PER_VISITS * mine
