"""Coverage against money: what each sum covers, and what it at most could."""

from __future__ import annotations

import logging
import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.errors import NoSolutionError, SettingsError
from planner.locate.covering.spending import trace_spending
from planner.locate.problem import rows_covered
from planner.questions import check_cost
from planner.siting.case import make_case, plan_columns, price_columns
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd

    from planner.siting.case import Case
    from planner.tables import Reach

_LOG = logging.getLogger(__name__)
SHARES = (0.8, 0.9, 0.95)
_MOST_ROWS = 24
_PROVEN = 1e-9  # the smallest gap that floating point can tell from none
_SAME = 1e-12  # shares this near are the same but for rounding


def measure_money(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    *,
    cost: Mapping[str, float],
    budgets: Sequence[float] | None = None,
    sites: gpd.GeoDataFrame | None = None,
    min_spacing_m: float = 0.0,
    shares: Sequence[float] = SHARES,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Tell what each sum of money covers with any number of new stations, and prove its limit.

    Parameters
    ----------
    reach, demand, candidates, min_spacing_m, gap, rng
        As in `choose_stations`.
    cost
        What a station costs by its action: ``{"activate": …, "build": …}``.
    budgets
        Sums, 0 or more. By default round ones, about two dozen, up to twice what the plan costs or
        may cost, without a plan up to what all candidates cost.
    sites
        The plan, as `choose_stations` returns it: its locked sites and gathering places open first,
        what it costs has a row, and as much money never covers less than it does.
    shares
        0 … 1, of which the money needed is told.
    on_step
        Called with (sums done, sums).

    Returns
    -------
    pandas.DataFrame
        `money`, index `money_id`: `budget`, `covered_share` (of the best choice found),
        `bound_share` (proven: no choice within the budget covers more), `cost` (of the best
        choice), `count` (its stations), `status` (``optimal`` where the two shares are within
        `gap`). Neither share falls as the budget grows.
        ``attrs["money"]`` = ``{money_for_share, money_for_share_at_least}``: share → what the
        cheapest choice found for it costs (None if none is found), and the sum below which none can
        reach it (None if no sum can).

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or they do not belong together.
    SettingsError
        A number is out of range, or a cost is missing.
    NoSolutionError
        There are no candidates, or no demand.

    Notes
    -----
    See `planner.locate.covering.spending.trace_spending` for the model and its bounds.

    Examples
    --------
    >>> import geopandas as gpd, numpy as np
    >>> from scipy.sparse import csr_array
    >>> from planner.tables import Reach
    >>> place = gpd.points_from_xy([0, 900, 5000], [0, 0, 0])
    >>> demand = gpd.GeoDataFrame({"weight_per_day": [6.0, 3.0, 1.0], "workers": 12, "cell_row": 0,
    ...     "cell_col": 0}, index=["a", "b", "c"], geometry=place, crs="EPSG:32650")
    >>> candidates = gpd.GeoDataFrame({"name": ["A", "B", "C"], "kind": "corner",
    ...     "action": ["build", "activate", "activate"], "host_name": None,
    ...     "hours": "00:00-24:00"}, index=["A", "B", "C"], geometry=place, crs="EPSG:32650")
    >>> near = csr_array(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]))
    >>> reach = Reach(near, demand.index, candidates.index, 15.0, "walk", 4.0)
    >>> prices = {"activate": 1.0, "build": 4.0}
    >>> table = measure_money(reach, demand, candidates, cost=prices, budgets=[0, 2, 4, 6])
    >>> table["covered_share"].tolist(), table["cost"].tolist()
    ([0.0, 0.4, 0.6, 1.0], [0.0, 2.0, 4.0, 6.0])
    >>> table.attrs["money"]["money_for_share"]
    {'0.8': 5.0, '0.9': 5.0, '0.95': 6.0}
    """
    began = perf_counter()
    _check(shares, min_spacing_m, cost)
    case = make_case(reach, demand, candidates, min_spacing_m)
    price = price_columns(case, cost)
    if price is None or not _is_any(case):
        raise NoSolutionError(
            "there is nothing to trace: no candidate for a new station, or no demand. Offer "
            "candidates and demand."
        )
    plan = [] if sites is None else plan_columns(case, sites)
    note: dict[str, Any] = {} if sites is None else dict(sites.attrs.get("siting", {}))
    sums = _sums(price, plan, note, budgets)
    total = math.fsum(case.weight)
    traced = trace_spending(
        case.cover, case.weight, price, sums, xy=case.xy, existing=case.existing,
        first=plan[: note.get("required", 0) + note.get("informal_first", 0)],
        conflicts=case.conflicts, known=[plan[:k] for k in range(1, len(plan) + 1)],
        targets=[(share - _SAME) * total for share in shares], gap=gap, rng=rng, on_step=on_step,
    )  # fmt: skip
    value, bound = (np.minimum(1.0, v / total) for v in (traced.objective, traced.bound))
    table = pd.DataFrame(
        {
            "budget": sums,
            "covered_share": value,
            "bound_share": bound,
            "cost": traced.spent,
            "count": np.array([_useful(case, c) for c in traced.chosen], dtype=np.int64),
            "status": np.where(value >= (1 - max(gap, _PROVEN)) * bound, "optimal", "feasible"),
        },
        index=pd.RangeIndex(len(sums), name="money_id"),
    )
    needs = dict(zip((f"{s:g}" for s in shares), traced.needs, strict=True))
    table.attrs = {
        "money": {
            "money_for_share": {s: _known(found) for s, (found, _) in needs.items()},
            "money_for_share_at_least": {s: _known(least) for s, (_, least) in needs.items()},
        }
    }
    check_table(table, "money")
    _LOG.info("money: %d sums, %.1f s", len(table), perf_counter() - began)
    return table


def _check(shares: Sequence[float], min_spacing_m: float, cost: Mapping[str, float]) -> None:
    if not min_spacing_m >= 0:
        raise SettingsError(f"`min_spacing_m` must not be negative. Got {min_spacing_m}.")
    if not all(0 <= share <= 1 for share in shares):
        raise SettingsError(f"`shares` must be from 0 to 1. Got {list(shares)}.")
    if not cost:
        raise SettingsError(
            "`cost` must say what it costs to activate a host and to build a station, e.g. "
            "cost = { activate = 1.0, build = 4.0 }."
        )
    check_cost(cost, None, alone=True)


def _is_any(case: Case) -> bool:
    return len(case.candidates) > case.existing.size and math.fsum(case.weight) > 0


def _sums(
    price: np.ndarray, plan: list[int], note: Mapping[str, Any], budgets: Sequence[float] | None
) -> np.ndarray:
    """Return the sums to trace, rising: those asked for, or round ones and the plan's own."""
    if budgets is not None:
        asked = np.unique(np.asarray(budgets, dtype=float))
        if not asked.size or not (np.isfinite(asked) & (asked >= 0)).all():
            raise SettingsError(
                f"`budgets` must be sums of money, finite and 0 or more. Got {list(budgets)!r}."
            )
        return asked
    everything = float(price.sum())
    own = [float(price[plan].sum()), float(note.get("budget") or 0.0)]
    most = min(2.0 * max(own), everything) or everything
    step = round_step(most / (_MOST_ROWS - 3))
    sums = np.arange(0.0, most + 1e-9 * max(1.0, most), step) if step else np.zeros(1)
    return np.unique(np.round([*sums, *(s for s in own if s <= most), most], 9))


def round_step(least: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50, … times a power of ten; 0 for 0.

    Examples
    --------
    >>> [round_step(x) for x in (0.0, 0.3, 2.0, 2.1, 700)]
    [0.0, 0.5, 2.0, 5.0, 1000.0]
    """
    if least <= 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(least))
    return next(m * unit for m in (1.0, 2.0, 5.0, 10.0) if m * unit >= least * (1 - 1e-12))


def _useful(case: Case, chosen: np.ndarray) -> int:
    """Count the stations of a choice, leaving out those that nobody would miss."""
    kept: list[int] = []
    seen = rows_covered(case.cover, case.existing)
    for j in chosen:
        rows = rows_covered(case.cover, [int(j)])
        if (case.weight[rows & ~seen] > 0).any():
            kept.append(int(j))
            seen |= rows
    return len(kept)


def _known(money: float) -> float | None:
    return round(money, 9) if math.isfinite(money) else None
