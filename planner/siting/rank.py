"""Put chosen sites in order of gain, and say what each of them changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from planner.weighted import weighted_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from scipy.sparse import csr_array


class Ranked(NamedTuple):
    """A chosen column and the demand rows it is the first to cover."""

    column: int
    rows: np.ndarray


def rank_sites(
    cover: csr_array,
    weight: np.ndarray,
    existing: np.ndarray,
    chosen: np.ndarray,
    first: Sequence[int] = (),
    *,
    keep_all: bool = False,
) -> list[Ranked]:
    """Order the chosen by what each adds to those before it; those that add nothing are left out.

    Parameters
    ----------
    cover
        Demand × candidates, the pattern counts.
    weight
        Shape (demand,).
    existing, chosen
        Columns. Of equal gains the smaller column comes first.
    first
        Columns among the chosen that come before the others, in this order, whatever they add.
    keep_all
        Those that add nothing come last, instead of being left out.
    """
    pattern = cover.tocsc()
    columns = {
        int(j): pattern.indices[pattern.indptr[j] : pattern.indptr[j + 1]]
        for j in [*existing, *chosen]
    }
    seen = np.zeros(weight.size, dtype=bool)
    for j in existing:
        seen[columns[int(j)]] = True
    ahead, left = list(first), sorted({int(j) for j in chosen} - set(first))
    ranking = []
    while ahead or left:
        queue = ahead[:1] or left
        gains = [math.fsum(weight[columns[j][~seen[columns[j]]]]) for j in queue]
        if max(gains) <= 0 and not (keep_all or ahead):
            break
        best = queue[int(np.argmax(gains))]
        (ahead or left).remove(best)
        rows = np.sort(columns[best][~seen[columns[best]]])
        seen[rows] = True
        ranking.append(Ranked(best, rows))
    return ranking


def describe(
    ranking: list[Ranked],
    minutes: csr_array,
    demand: gpd.GeoDataFrame,
    limit_min: float,
    *,
    existing: np.ndarray,
    existing_minutes: pd.Series | None,
) -> pd.DataFrame:
    """Tell gain, shares, minutes before and after, and the busiest daypart of each ranked site.

    Parameters
    ----------
    ranking
        From `rank_sites`.
    minutes
        Demand × candidates: travel minutes; rows as in `demand`.
    demand
        `demand` table.
    limit_min
        Minutes to the nearest existing station are taken as at most twice this.
    existing
        Columns open already.
    existing_minutes
        Index `demand_id`; absent and inf are farther than was looked.
    """
    weight = demand["weight_per_day"].to_numpy(float)
    total = math.fsum(weight)
    before = None
    if existing_minutes is not None:
        known = existing_minutes.reindex(demand.index).to_numpy(float)
        before = np.minimum(np.where(np.isnan(known), np.inf, known), 2 * limit_min)
    travel = minutes.tocsc()
    open_rows = np.zeros(weight.size, dtype=bool)
    for j in existing:
        open_rows[travel.indices[travel.indptr[j] : travel.indptr[j + 1]]] = True
    gains = [math.fsum(weight[site.rows]) for site in ranking]
    records = []
    for k, (column, rows) in enumerate(ranking):
        open_rows[rows] = True
        span = slice(travel.indptr[column], travel.indptr[column + 1])
        # a site that gains nobody only shortens the ways of those whom it reaches
        told = rows if gains[k] else np.sort(travel.indices[span])
        share = weight[told]
        walk = np.full(weight.size, np.nan)
        walk[travel.indices[span]] = travel.data[span]
        records.append(
            {
                "column": column,
                "rank": k + 1,
                "gain_per_day": gains[k],
                "gain_share": gains[k] / total,
                "cumulative_share": math.fsum(weight[open_rows]) / total,
                "before_min": np.nan
                if before is None
                else weighted_quantile(before[told], share, 0.5),
                "after_min": weighted_quantile(walk[told], share, 0.5),
                "peak": _peak(demand, told),
            }
        )
    names = "column rank gain_per_day gain_share cumulative_share before_min after_min peak"
    return pd.DataFrame(records, columns=names.split())


def _peak(demand: gpd.GeoDataFrame, rows: np.ndarray) -> str:
    """Name the daypart with most weight in some rows; the first of equals, empty without any."""
    best, most = "", 0.0
    for name in daypart_names(demand):
        gained = math.fsum(demand[f"weight_{name}"].to_numpy(float)[rows])
        if gained > most:
            best, most = name, gained
    return best


def daypart_names(demand: pd.DataFrame) -> list[str]:
    """List the dayparts that a demand table splits its weight into."""
    columns = [str(c) for c in demand.columns]
    noted = demand.attrs.get("demand", {}).get("dayparts")
    if noted:
        return [name for name in noted if f"weight_{name}" in columns]
    return [
        c.removeprefix("weight_")
        for c in columns
        if c.startswith("weight_")
        and c not in {"weight_per_day", "weight_workday", "weight_weekend"}
        and not c.startswith(("weight_type_", "weight_class_"))
    ]
