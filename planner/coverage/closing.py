"""What the closing of each station would cost."""

from __future__ import annotations

import logging
from math import fsum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.minutes import NEXT, minutes_of
from planner.coverage.pairs import nearest_two_within, sorted_pairs, times_covered
from planner.errors import InputError
from planner.weighted import weighted_quantile

if TYPE_CHECKING:
    from planner.tables import Reach

_log = logging.getLogger(__name__)


def measure_closures(
    reach: Reach,
    demand: pd.DataFrame,
    facilities: pd.DataFrame,
    *,
    minutes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Measure what riders would lose if one facility closed and all others stayed.

    Parameters
    ----------
    reach
        Who reaches what, demand → facility, holding every row of `demand`.
    demand
        Columns read: `weight_per_day`.
    facilities
        Those that are open; only those that `reach` knows too count. Columns read: `name`, where
        there is one.
    minutes
        What `find_minutes` returned for the same facilities; column read: `next_min`. Without it
        the way to the second nearest facility is known within the limit only.

    Returns
    -------
    pandas.DataFrame
        Index `facility_id`, the greatest loss first: `name`, `served_per_day` (rider-visits within
        the limit whose nearest facility it is; of equals the first by identifier),
        `lost_per_day` (those that no other facility would cover), `lost_share` (the same over all
        demand), `next_min` (weighted median minutes from what it serves to the next facility;
        empty where half of that has none within the search, or it serves nobody).

    Raises
    ------
    InputError
        `demand` holds no weight, or `reach` or `minutes` do not belong to it.

    Notes
    -----
    The loss of *j* is :math:`\sum_i w_i` over the demand whose only facility within the limit is
    *j*, so the losses of all facilities add up to the demand covered exactly once; what is left is
    backup coverage (K. Hogan and C. ReVelle (1986), “Concepts and applications of backup
    coverage”, Management Science 32). All figures are sums over demand points, which are
    published: they tell nothing of fewer workers than those do.

    Examples
    --------
    >>> import pandas as pd
    >>> from scipy.sparse import csr_array
    >>> from planner.tables import Reach
    >>> demand = pd.DataFrame({"weight_per_day": [30.0, 10.0]}, index=["d0", "d1"])
    >>> stations = pd.DataFrame({"name": ["North", "South"]}, index=["A", "B"])
    >>> times = csr_array([[3.0, 0.0], [5.0, 9.0]])
    >>> reach = Reach(times, demand.index, stations.index, 15.0, "walk", 4.0)
    >>> measure_closures(reach, demand, stations)[["served_per_day", "lost_per_day"]]
                 served_per_day  lost_per_day
    facility_id
    A                      40.0          30.0
    B                       0.0           0.0
    """
    total = fsum(demand["weight_per_day"])
    if not total > 0:
        raise InputError("`demand` holds no rider-visits. Check the activity it was made from.")
    pairs = sorted_pairs(reach, demand, facilities)
    weight = demand["weight_per_day"].reindex(pairs.demand_id).to_numpy(dtype=float)
    nearest, next_min = nearest_two_within(pairs)
    if minutes is not None:
        next_min = minutes_of(minutes, NEXT, pairs.demand_id)
    once = times_covered(pairs) == 1
    rows = []
    for position in range(len(pairs.facility_id)):
        here = nearest == position
        lost = fsum(weight[here & once])
        rows.append(
            {
                "served_per_day": fsum(weight[here]),
                "lost_per_day": lost,
                "lost_share": lost / total,
                "next_min": weighted_quantile(next_min[here], weight[here], 0.5),
            }
        )
    columns = ["served_per_day", "lost_per_day", "lost_share", "next_min"]
    table = pd.DataFrame(rows, index=pairs.facility_id, columns=columns, dtype=float)
    table = table.replace(np.inf, np.nan)  # beyond the search
    named = facilities["name"] if "name" in facilities else pd.Series("", facilities.index)
    table.insert(0, "name", named.reindex(table.index).fillna("").astype(str))
    table.index.name = "facility_id"
    _log.info("closures: %d facilities, worst %.1f %%", len(table), 100 * _worst(table))
    return _by_loss(table)


def _worst(table: pd.DataFrame) -> float:
    return float(table["lost_share"].max()) if len(table) else 0.0


def _by_loss(table: pd.DataFrame) -> pd.DataFrame:
    """Sort by loss, then by what is served; of equals the first by identifier."""
    order = np.lexsort((np.arange(len(table)), -table["served_per_day"], -table["lost_per_day"]))
    return table.iloc[order]
