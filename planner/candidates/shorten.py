"""Keep the list of candidates short without losing the best plan, or tell what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from planner.candidates.screen import INFORMAL
from planner.locate.covering.shortlist import bound_with, make_shortlist
from planner.tables import SAME_SITE_M
from planner.weighted import weighted_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from planner.candidates.catchment import Catchment
    from planner.network import Places

_MOST_PAIRS = 20_000_000  # demand × candidates compared one by one: some hundred megabytes
_COVERING = ("mclp", "lscp")


@dataclass(frozen=True, eq=False)
class Aim:
    """What candidates are for: it decides which of them another can replace.

    Attributes
    ----------
    model, count, cost, min_spacing_m
        As in `choose_stations`; `count` None where it is not known.
    named
        Candidates, by identifier or name, that are kept whatever they are worth.
    barred
        Candidates, by identifier or name, that may not be opened, and so replace none; kept too.
    decided
        `register` of sites: what it may tell of, by identifier, name or place, is treated as
        `barred`, whatever was decided.
    """

    model: str = "mclp"
    count: int | None = 10
    cost: Mapping[str, float] | None = None
    min_spacing_m: float = 0.0
    named: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    decided: gpd.GeoDataFrame | None = None

    @property
    def exact(self) -> bool:
        """Whether a candidate can be replaced by one that all its demand reaches too."""
        return self.model in _COVERING and self.min_spacing_m == 0


def shorten(
    offered: gpd.GeoDataFrame,
    catchment: Catchment,
    aim: Aim,
    max_count: int,
    dropped: dict[str, int],
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Keep at most `max_count` besides the existing.

    Parameters
    ----------
    offered
        Candidates with their names; the order of rows is that of preference.
    catchment
        Who reaches whom.
    aim
        What they are for.
    max_count
        How many; more only if more than that are named or stand for riders without shelter.
    dropped
        Reasons and numbers, written into.

    Returns
    -------
    candidates, screening
        The table, and ``{offered, dominated, cut, exact, bound, only_share}``: how many there were
        besides the existing; how many of those left out another replaces (`dominated`) and how many
        none does (`cut`); whether the best plan is provably still there whatever the weights
        (`exact`: none was cut); what no plan with a candidate of the cut covers more than, in
        rider-visits a day, existing stations included (`bound`; None without a cut, or of other
        models than ``mclp``); the share of the demand that only those left out would reach.

    Notes
    -----
    Candidate j is dominated by k if all demand that reaches j and no existing station reaches k too
    and k costs no more: in any plan k can stand in for j (Church & ReVelle 1974; Toregas et al.
    1971). That is exact for coverage by count, cost or district, not where sites must keep a
    distance or where minutes count; there all that is left out counts as cut.

    If still too many are left, first come those that together cover all that can be covered
    (greedily), then those of highest price: Σ_i a_ij w_i s_i with the multipliers s of the linear
    relaxation. These also bound what plans with the cut can cover, see
    `planner.locate.covering.shortlist`; a plan at least as good as `bound` has lost nothing by the
    cut. Beyond 20 million pairs only the candidates that most demand reaches are compared; the
    bound is of all nevertheless.
    """
    new = np.flatnonzero((offered["action"] != "keep").to_numpy())
    note: dict[str, Any] = {
        "offered": len(new), "dominated": 0, "cut": 0, "exact": True, "bound": None,
        "only_share": 0.0,
    }  # fmt: skip
    if len(new) <= max_count:
        return offered, note
    places = catchment.place(offered.geometry)
    existing = np.setdiff1d(np.arange(len(offered)), new)
    today = catchment.reaches_any(places.take(existing))
    weight = catchment.weight.copy()
    if aim.model in _COVERING:
        weight[today] = 0.0  # what is covered already is nobody's gain
    free, mine = places.take(new), offered.iloc[new]
    value = _rank(mine, free, catchment, weight, aim)
    order = np.lexsort((np.arange(len(new)), -value.price, value.dominated, value.rank))
    kept = np.zeros(len(new), dtype=bool)
    kept[order[: max(max_count, int((value.rank == 0).sum()))]] = True
    replaced = ~kept & value.dominated if aim.exact else np.zeros(len(new), dtype=bool)
    cut = ~kept & ~replaced
    note |= {"dominated": int(replaced.sum()), "cut": int(cut.sum()), "exact": not cut.any()}
    if cut.any():
        if aim.model == "mclp" and aim.count is not None:
            most = bound_with(weight, value.multiplier, value.price, cut, aim.count)
            note["bound"] = most + float(catchment.weight[today].sum())
        note["only_share"] = _only(catchment, today, free, kept)
    for reason, some in (("another covers as much", replaced), ("screened out", cut)):
        if some.any():
            dropped[reason] = int(some.sum())
    stays = np.ones(len(offered), dtype=bool)
    stays[new[~kept]] = False
    return offered.loc[stays], note


class _Value(NamedTuple):
    """What candidates are worth; `rank`: 0 must stay, 1 cover all with their like, 2 the rest."""

    rank: np.ndarray
    dominated: np.ndarray
    price: np.ndarray
    multiplier: np.ndarray


def _rank(
    mine: gpd.GeoDataFrame, free: Places, catchment: Catchment, weight: np.ndarray, aim: Aim
) -> _Value:
    """Compare candidates with one another."""
    n = len(mine)
    barred = _named(mine, aim.barred) | _decided(mine, aim.decided)
    held = _named(mine, aim.named) | barred | (mine[INFORMAL] > 0).to_numpy()
    served = catchment.served(free, weight)
    open_rows = np.flatnonzero(weight > 0)
    first = np.lexsort((np.arange(n), -served, ~held))
    pairs = np.cumsum(catchment.served(free, (weight > 0).astype(float))[first])
    some = np.sort(first[: max(1, int(np.searchsorted(pairs, _MOST_PAIRS, side="right")))])
    found = make_shortlist(
        catchment.cover(free.take(some))[open_rows], weight[open_rows],
        aim.count if aim.model == "mclp" else None, cost=_cost(mine.iloc[some], aim),
        barred=barred[some], xy=shapely.get_coordinates(mine.geometry.iloc[some]),
    )  # fmt: skip
    multiplier = np.ones(len(weight))
    multiplier[open_rows] = found.multiplier
    dominated, rank = np.zeros(n, dtype=bool), np.full(n, 2)
    dominated[some] = found.dominated & aim.exact
    rank[some[found.picks]] = 1
    rank[held] = 0
    return _Value(rank, dominated, catchment.served(free, weight * multiplier), multiplier)


def _named(mine: gpd.GeoDataFrame, names: tuple[str, ...]) -> np.ndarray:
    return (mine.index.isin(names) | mine["name"].isin(names)).to_numpy(bool)


def _decided(mine: gpd.GeoDataFrame, register: gpd.GeoDataFrame | None) -> np.ndarray:
    """Tell which candidates a register may tell of."""
    if register is None or register.empty:
        return np.zeros(len(mine), dtype=bool)
    texts = [register[c].astype(str) for c in ("candidate_id", "name", "host_name")]
    near = np.zeros(len(mine), dtype=bool)
    placed = register.geometry[register.geometry.notna()].to_crs(mine.crs)
    spots, _ = mine.sindex.query(placed.to_numpy(), predicate="dwithin", distance=SAME_SITE_M)[::-1]
    near[spots] = True
    return near | _named(mine, tuple(set().union(*texts) - {""}))


def _cost(mine: gpd.GeoDataFrame, aim: Aim) -> np.ndarray | None:
    """Return what each costs by its action; None where only their number counts."""
    return None if not aim.cost else mine["action"].map(dict(aim.cost)).to_numpy(float)


def _only(catchment: Catchment, today: np.ndarray, free: Places, kept: np.ndarray) -> float:
    """Return the share of the demand that candidates left out would reach and no other does."""
    lost = catchment.reaches_any(free.take(np.flatnonzero(~kept))) & ~today
    lost &= ~catchment.reaches_any(free.take(np.flatnonzero(kept)))
    return weighted_share(catchment.weight, lost)
