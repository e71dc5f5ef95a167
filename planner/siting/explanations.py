"""Why each site is in the plan: whom it gains, what is near, and what would do nearly as well."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.network import nearest_minutes, snap_points
from planner.siting.opened import open_sites
from planner.siting.rank import daypart_names
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import geopandas as gpd

    from planner.network import StreetNetwork
    from planner.settings import SitingSettings
    from planner.siting.opened import Opened
    from planner.siting.swaps import Swaps
    from planner.tables import Reach

_LOG = logging.getLogger(__name__)
NEAR_TIE = 0.005  # of what the plan covers: less than the demand moves from month to month (guess)
MOST_TIES = 10
_DIGITS = 12  # of a share: sums in another order differ beyond


def seeks_coverage(siting: SitingSettings) -> bool:
    """Tell whether coverage decides between two sites, so that one can be told as good as another.

    Not so of the models that count seats, minutes or second stations, nor under a district floor,
    which one exchange may break.
    """
    return siting.model in {"mclp", "lscp"} and not siting.min_district_share


def make_explanations(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    district: Sequence[str] | np.ndarray | None = None,
    streets: StreetNetwork | None = None,
    max_min: float = 60.0,
    snap_m: float = 300.0,
    min_spacing_m: float = 0.0,
    forbidden: Sequence[str] = (),
    replacements: bool = True,
    cost: Mapping[str, float] | None = None,
    budget: float | None = None,
) -> pd.DataFrame:
    """Explain every site of a plan: its gains, the nearest station, the best replacement.

    Parameters
    ----------
    reach
        Demand × candidates, the existing among the columns.
    demand
        `demand` table. Columns read: `weight_per_day`, those of the dayparts, and
        ``weight_type_<worker type>``.
    candidates
        `candidates` table; those with the action ``keep`` are open already.
    sites
        `sites` table; columns read: `candidate_id`, `rank`, `geometry`.
    district
        Names aligned with `demand`; without them nothing is told of districts.
    streets, max_min, snap_m
        Where to look for the nearest existing station, up to how many minutes, and how far a site
        may lie from a street. Travel runs from the site to the station. Without streets these
        columns stay empty.
    min_spacing_m, forbidden
        Replacements that stand nearer to another site, or have one of these identifiers, are not
        named.
    replacements
        Whether to seek what could stand in a site's place, judged by coverage: pointless where the
        plan was asked for something else (see `seeks_coverage`).
    cost, budget
        As in `choose_stations`: replacements that the budget does not allow are not named.

    Returns
    -------
    pandas.DataFrame
        `explanations`, index `site_id`. The gains ``gain_<daypart>``, ``gain_type_<worker type>``
        and ``gain_district_<name>`` are rider-visits a day that the site is the first to cover in
        the order of the ranks, so that they add up over the sites; `loss_share` and what is said of
        replacements hold for the plan as a whole.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or they do not belong together.
    """
    began = perf_counter()
    case = open_sites(reach, demand, candidates, sites["candidate_id"])
    names = None
    if district is not None:
        named = pd.Series(np.asarray(district, dtype=object), index=demand.index)
        names = named.reindex(case.demand.index).to_numpy()
    gains = _gains(case, sites["rank"].to_numpy(), names)
    swaps = case.swaps(min_spacing_m, forbidden, cost=cost, budget=budget)
    if not replacements:
        swaps.value[:] = -np.inf
    table = pd.concat(
        [
            pd.DataFrame(part, index=sites.index.rename("site_id"))
            for part in (
                gains,
                _top_district(gains, len(sites)),
                _nearest(streets, sites, case.candidates.iloc[case.existing], max_min, snap_m),
                _replacements(case, swaps),
            )
        ],
        axis=1,
    )
    check_table(table, "explanations")
    _LOG.info("explanations: %d sites, %.2f s", len(table), perf_counter() - began)
    return table


def _gains(case: Opened, rank: np.ndarray, district: np.ndarray | None) -> dict[str, np.ndarray]:
    """Sum what each site is the first to cover, by column of the result."""
    first = _first_site(case, rank)
    new = first >= 0

    def by_site(weight: np.ndarray) -> np.ndarray:
        return np.bincount(first[new], weights=weight[new], minlength=case.chosen.size)

    sums = {
        f"gain_{name}": by_site(values)
        for name, values in (
            (column.removeprefix("weight_"), case.demand[column].to_numpy(float))
            for column in (*_dayparts(case), *_types(case))
        )
    }
    for name in () if district is None else sorted(set(district)):
        sums[f"gain_district_{name}"] = by_site(np.where(district == name, case.weight, 0.0))
    return sums


def _dayparts(case: Opened) -> Iterator[str]:
    yield from (f"weight_{name}" for name in daypart_names(case.demand))


def _types(case: Opened) -> list[str]:
    return sorted(c for c in map(str, case.demand.columns) if c.startswith("weight_type_"))


def _first_site(case: Opened, rank: np.ndarray) -> np.ndarray:
    """Tell for each row which of the chosen covers it first; -1 if existing ones do, or none."""
    turn = np.full(case.cover.shape[1], np.iinfo(np.int64).max)
    turn[case.chosen] = np.argsort(np.argsort(rank, kind="stable"), kind="stable")
    turn[case.existing] = -1
    rows = np.repeat(np.arange(case.weight.size), np.diff(case.cover.indptr))
    soonest = np.full(case.weight.size, np.iinfo(np.int64).max)
    np.minimum.at(soonest, rows, turn[case.cover.indices])
    new = (soonest >= 0) & (soonest < case.chosen.size)
    return np.where(new, np.argsort(rank, kind="stable")[np.where(new, soonest, 0)], -1)


def _top_district(gains: dict[str, np.ndarray], sites: int) -> dict[str, Any]:
    """Name the district that each site gains most in; the first by name of equals."""
    names = [c.removeprefix("gain_district_") for c in gains if c.startswith("gain_district_")]
    if not names or not sites:
        return {"district": [None] * sites, "district_gain_per_day": np.full(sites, np.nan)}
    values = np.column_stack([gains[f"gain_district_{name}"] for name in names])
    best = values.argmax(axis=1)
    return {"district": [names[k] for k in best], "district_gain_per_day": values.max(axis=1)}


def _nearest(
    streets: StreetNetwork | None,
    sites: gpd.GeoDataFrame,
    existing: gpd.GeoDataFrame,
    max_min: float,
    snap_m: float,
) -> dict[str, Any]:
    """Find the existing station that is soonest reached from each site."""
    position, minutes = np.full(len(sites), -1), np.full(len(sites), np.inf)
    if streets is not None and len(existing) and len(sites):
        origins, targets = (snap_points(streets, t, max_m=snap_m) for t in (sites, existing))
        minutes, position = nearest_minutes(streets, origins, targets, max_min=max_min)
    names = existing["name"].astype(str).tolist()
    ids = existing.index.tolist()
    return {
        "nearest_station_id": [ids[k] if k >= 0 else None for k in position],
        "nearest_station_name": [names[k] if k >= 0 else None for k in position],
        "nearest_station_min": np.where(np.isfinite(minutes), minutes, np.nan),
    }


def _replacements(case: Opened, swaps: Swaps) -> dict[str, Any]:
    """Tell what each site's loss would be, the best candidate in its place and those near to it."""
    told: dict[str, Any] = {
        name: []
        for name in ("alternative_id", "alternative_name", "alternative_share", "near_ties")
    }
    counts, names = [], case.candidates["name"].astype(str).to_numpy()
    for k in range(case.chosen.size):
        best, ties = rank_replacements(case, swaps, k)
        found = best.size > 0
        told["alternative_id"].append(case.candidates.index[best[0]] if found else None)
        told["alternative_name"].append(names[best[0]] if found else None)
        told["alternative_share"].append(swaps.value[k, best[0]] / case.total if found else np.nan)
        told["near_ties"].append(";".join(dict.fromkeys(names[best[: min(ties, MOST_TIES)]])))
        counts.append(ties)
    told["alternative_share"] = np.asarray(told["alternative_share"], dtype=float)
    return {
        "loss_share": swaps.loss / case.total,
        **told,
        "near_ties_count": np.asarray(counts, dtype=np.int64),
    }


def rank_replacements(case: Opened, swaps: Swaps, k: int) -> tuple[np.ndarray, int]:
    """Order the columns that may replace the chosen `k`, most covered first.

    Returns
    -------
    columns, ties
        At most `MOST_TIES` columns; of equals premises that exist, then the smallest identifier.
        How many columns of all reach what the plan covers to within `NEAR_TIE`.
    """
    value = np.round(swaps.value[k] / case.total, _DIGITS)
    least = round((1 - NEAR_TIE) * swaps.objective / case.total, _DIGITS)
    allowed = np.flatnonzero(np.isfinite(value))
    order = allowed[np.argsort(-value[allowed], kind="stable")]
    return order[:MOST_TIES], int((value[allowed] >= least).sum())
