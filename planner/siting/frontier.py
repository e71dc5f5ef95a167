"""Coverage against the number of stations: what each count covers, and what it at most could."""

from __future__ import annotations

import logging
import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.errors import NoSolutionError, SettingsError
from planner.locate.covering.frontier import trace_mclp
from planner.questions import check_cost
from planner.siting.case import make_case, plan_columns, price_columns
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd

    from planner.locate.covering.frontier import Frontier
    from planner.siting.case import Case
    from planner.tables import Reach

_LOG = logging.getLogger(__name__)
SHARES = (0.8, 0.9, 0.95)
_SAME = 1e-12  # shares this near are the same but for rounding
_PROVEN = 1e-9  # the smallest gap that floating point can tell from none


def measure_frontier(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    counts: int | Sequence[int],
    *,
    sites: gpd.GeoDataFrame | None = None,
    min_spacing_m: float = 0.0,
    cost: Mapping[str, float] | None = None,
    budget: float | None = None,
    shares: Sequence[float] = SHARES,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Tell what so many new stations cover, and prove what so many at most could.

    Parameters
    ----------
    reach, demand, candidates, min_spacing_m, cost, budget, gap, rng
        As in `choose_stations`; cost and budget go together.
    counts
        New stations: the greatest count (rows 0 … counts), or the counts of the rows. Counts above
        the candidates are left out.
    sites
        The plan, as `choose_stations` returns it. Its order of opening becomes `nested_share`, its
        gathering places open first in every row, and if coverage alone decided on it, its own count
        has its own value and bound.
    shares
        0 … 1, of which the stations needed are told.
    on_step
        Called with (counts done, counts in all).

    Returns
    -------
    pandas.DataFrame
        `frontier`, index `frontier_id`: `count`, `covered_share` (the best choice found),
        `bound_share` (proven: no choice of so many covers more), `nested_share` (the first so many
        of the plan; NaN beyond it), `status` (``optimal`` where the two are within `gap`), `cost`
        (of the best choice; NaN without costs). Neither share falls as the count grows.
        ``attrs["frontier"]`` = ``{for_share, for_share_at_least, nesting_cost}``: share → the
        fewest stations whose choice reaches it (None if none is found) and the count below which
        none can (None if no count can); and the most that the plan's order of opening loses at any
        count against the best found for it.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or reach belongs to other tables.
    SettingsError
        A number is out of range, or only one of `cost` and `budget` is given.

    Notes
    -----
    See `planner.locate.covering.frontier.trace_mclp` for the model and its bounds. Stations for a
    share are sought beyond the last row too, by adding the best station one at a time.

    Examples
    --------
    >>> import geopandas as gpd, numpy as np, pandas as pd
    >>> from scipy.sparse import csr_array
    >>> from planner.tables import Reach
    >>> place = gpd.points_from_xy([0, 900, 5000], [0, 0, 0])
    >>> demand = gpd.GeoDataFrame({"weight_per_day": [6.0, 3.0, 1.0], "workers": 12, "cell_row": 0,
    ...     "cell_col": 0}, index=["a", "b", "c"], geometry=place, crs="EPSG:32650")
    >>> candidates = gpd.GeoDataFrame({"name": ["A", "B", "C"], "kind": "corner",
    ...     "action": "build", "host_name": None, "hours": "00:00-24:00"}, index=["A", "B", "C"],
    ...     geometry=place, crs="EPSG:32650")
    >>> near = csr_array(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]))
    >>> reach = Reach(near, demand.index, candidates.index, 15.0, "walk", 4.0)
    >>> table = measure_frontier(reach, demand, candidates, 3)
    >>> table["covered_share"].tolist(), table.attrs["frontier"]["for_share"]
    ([0.0, 0.6, 0.9, 1.0], {'0.8': 2, '0.9': 2, '0.95': 3})
    """
    began = perf_counter()
    _check(shares, min_spacing_m)
    check_cost(cost, budget)
    case = make_case(reach, demand, candidates, min_spacing_m)
    price, rows = price_columns(case, cost), _rows(case, counts)
    plan = [] if sites is None else plan_columns(case, sites)
    note = _note(sites)
    planned = max(len(plan), note.get("count", 0))
    traced = trace_mclp(
        case.cover, case.weight, max(rows[-1], planned, 1), xy=case.xy, existing=case.existing,
        first=plan[: note.get("required", 0) + note.get("informal_first", 0)], cost=price,
        budget=budget,
        conflicts=case.conflicts, known=[plan[:k] for k in range(1, len(plan) + 1)], gap=gap,
        rng=rng, on_step=on_step,
    )  # fmt: skip
    value, bound = _meet(traced, note, math.fsum(case.weight))
    nested = np.full(value.size, np.nan)
    if sites is not None:
        kept = _opened_share(case, plan)
        nested[: planned + 1] = np.append(kept, np.full(planned + 1 - kept.size, kept[-1]))
    proven = value >= (1 - max(gap, _PROVEN)) * bound
    table = pd.DataFrame(
        {
            "count": np.array(rows, dtype=np.int64),
            "covered_share": value[rows],
            "bound_share": bound[rows],
            "nested_share": nested[rows],
            "status": np.where(proven, "optimal", "feasible")[rows],
            "cost": [np.nan if price is None else price[traced.chosen[k]].sum() for k in rows],
        },
        index=pd.RangeIndex(len(rows), name="frontier_id"),
    )
    cost_of_order = max(0.0, float(np.nanmax(value - nested))) if sites is not None else None
    table.attrs = {
        "frontier": {
            "for_share": {f"{s:g}": _first(value, s) for s in shares},
            "for_share_at_least": {f"{s:g}": _first(bound, s) for s in shares},
            "nesting_cost": cost_of_order,
        }
    }
    check_table(table, "frontier")
    _LOG.info("frontier: %d counts, %.1f s", len(rows), perf_counter() - began)
    return table


def _check(shares: Sequence[float], min_spacing_m: float) -> None:
    if not min_spacing_m >= 0:
        raise SettingsError(f"`min_spacing_m` must not be negative. Got {min_spacing_m}.")
    if not all(0 <= share <= 1 for share in shares):
        raise SettingsError(f"`shares` must be from 0 to 1. Got {list(shares)}.")


def _rows(case: Case, counts: int | Sequence[int]) -> list[int]:
    """Return the counts to tell, rising, none above the candidates."""
    asked = list(range(counts + 1)) if isinstance(counts, int | np.integer) else list(counts)
    if not asked or any(isinstance(k, bool) or int(k) != k or k < 0 for k in asked):
        raise SettingsError(f"`counts` must be whole numbers, 0 or more. Got {counts!r}.")
    free = len(case.candidates) - case.existing.size
    kept = sorted({int(k) for k in asked if k <= free})
    if not kept or not free or math.fsum(case.weight) <= 0:
        raise NoSolutionError(
            f"there is nothing to trace: {free} candidates for new stations, "
            f"{math.fsum(case.weight):g} rider-visits a day. Offer candidates and demand, and "
            "`counts` no greater than the candidates."
        )
    return kept


def _note(sites: gpd.GeoDataFrame | None) -> dict[str, Any]:
    return {} if sites is None else dict(sites.attrs.get("siting", {}))


def _meet(traced: Frontier, note: dict[str, Any], total: float) -> tuple[np.ndarray, np.ndarray]:
    """Return values and bounds as shares, brought together with those of the plan."""
    value, bound = (np.minimum(1.0, v / total) for v in (traced.objective, traced.bound))
    if note.get("model") != "mclp" or note.get("min_district_share"):
        return value, bound
    k, own, limit = note["count"], note["covered_share"], note["best_possible_share"]
    for line, mark in ((value, own), (bound, limit)):
        line[:k] = np.minimum(line[:k], mark)
        line[k:] = np.maximum(line[k:], mark)
        line[k] = mark
    return value, bound


def _opened_share(case: Case, plan: list[int]) -> np.ndarray:
    """Return the share covered today and after each opening of the plan."""
    pattern, total = case.cover.tocsc(), math.fsum(case.weight)
    seen, shares = np.zeros(case.weight.size, dtype=bool), []
    for columns in [case.existing.tolist(), *([j] for j in plan)]:
        for j in columns:
            seen[pattern.indices[pattern.indptr[j] : pattern.indptr[j + 1]]] = True
        shares.append(math.fsum(case.weight[seen]) / total)
    return np.array(shares)


def _first(shares: np.ndarray, least: float) -> int | None:
    """Return the first count whose share is at least so much."""
    reached = np.flatnonzero(shares >= least - _SAME)
    return int(reached[0]) if reached.size else None
