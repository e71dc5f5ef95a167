"""Choose sites for new stations from a table of candidates."""

from __future__ import annotations

import logging
import math
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.errors import NoSolutionError, SettingsError, nearest_name
from planner.locate import solve_mclp
from planner.siting.case import make_case, rest_of
from planner.siting.gatherings import pick_first
from planner.siting.locks import find_locked, lock_and_ban, without_banned
from planner.siting.rank import describe, rank_sites
from planner.siting.stability import measure_stability
from planner.siting.why import explain
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd

    from planner.locate import Solution
    from planner.siting.case import Case
    from planner.tables import Reach

_LOG = logging.getLogger(__name__)
_MODELS = ("mclp",)


def choose_stations(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    count: int,
    *,
    model: str = "mclp",
    required: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    min_spacing_m: float = 0.0,
    informal_share: float = 0.0,
    time_limit_s: float = 30.0,
    gap: float = 1e-4,
    reruns: int = 100,
    existing_minutes: pd.Series | None = None,
    language: str = "en",
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> gpd.GeoDataFrame:
    """Choose up to `count` new stations that bring most demand within reach.

    Parameters
    ----------
    reach
        Demand × candidates, travelled from demand to candidate; the existing among the columns.
    demand
        `demand` table in a metric CRS. Columns read: `weight_per_day` and those of the dayparts
        (``weight_<daypart>``, as ``attrs["demand"]["dayparts"]`` names them).
    candidates
        `candidates` table; those with the action ``keep`` are open already.
    count
        How many new stations, at least 1.
    model
        ``mclp``, maximal covering.
    required, forbidden
        Candidates, by identifier or name, that open in any case, first and in this order, and such
        that never do.
    min_spacing_m
        At least so far apart are the recommended sites, straight line; 0 leaves them free.
    informal_share
        0 … 1: up to this share of `count`, rounded down, opens first where most riders rest without
        shelter (`informal_rest_per_day` of the candidates), at places that no station, existing or
        picked before, has within reach; coverage decides on the others. 0 leaves all to coverage.
    time_limit_s
        Seconds for the proof; the sites stand before.
    gap
        Stop when proven this close to the best, relative.
    reruns
        How often the demand is drawn anew for `stability`; 0 leaves it empty.
    existing_minutes
        Index `demand_id`: minutes to the nearest existing station, inf or absent if farther than
        was looked; taken as at most twice the limit. Without it `before_min` is empty.
    language
        ``zh`` or ``en``, of the sentence in `why`.
    rng
        Seed of search and redraws.
    on_step
        Called with (steps done, steps in all).

    Returns
    -------
    geopandas.GeoDataFrame
        `sites`, index `site_id` (``S01`` …) by rank: gathering places that were picked first by
        their rest, then the site that gains most, then the one that adds most to it, and so on.
        Sites that would gain nothing are left out.
        ``attrs["siting"]`` = ``{model, count, count_used, objective, bound, gap, status, seconds,
        covered_share, best_possible_share, min_spacing_m, reruns}``; objective and bound are
        rider-visits a day within reach of any station, the existing included. With
        `informal_share` also ``{informal_share, informal_first, free_share}``: how many gathering
        places were picked first, and the covered share of the best plan found without that rule.
        Objective, bound, gap and status are those of the plans that keep the rule.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or reach belongs to other tables.
    SettingsError
        The model is unknown, `count` is under 1 or above the candidates, a number out of range.
    NoSolutionError
        No candidate has any demand within reach.

    Notes
    -----
    Church, R. L. & ReVelle, C. (1974), "The maximal covering location problem"; see
    `planner.locate.solve_mclp` for the model, its bound and its gap. Without room for `count`
    sites `min_spacing_m` apart, fewer are chosen.

    That places where riders gather by themselves come first is the practice of Leshan; here as
    required columns x_j = 1 of the model, picked by falling rest.
    """
    began = perf_counter()
    _check_settings(model, min_spacing_m, reruns, informal_share)
    offered, locked_id = lock_and_ban(candidates, required, forbidden)
    case = make_case(without_banned(reach, candidates, offered), demand, offered, min_spacing_m)
    _check_case(case, count)
    locked = find_locked(case, locked_id, count)
    draw = np.random.default_rng(rng)
    steps = 4 + reruns
    most = min(math.floor(informal_share * count + 1e-9), count - len(locked))
    gathered: dict[str, Any] = {"rest_per_day": case.rest, "home": case.home}
    is_open = np.append(case.existing, np.array(locked, dtype=np.int64))
    first = pick_first(
        **gathered, cover=case.cover, existing=is_open, conflicts=case.conflicts, most=most
    )

    def solve(required: list[int], tell: Callable[[int, int], None] | None) -> Solution:
        return solve_mclp(
            case.cover, case.weight, count, xy=case.xy, existing=case.existing, required=required,
            conflicts=case.conflicts, time_limit_s=time_limit_s, gap=gap, rng=draw, on_step=tell,
        )  # fmt: skip

    solution = solve([*locked, *first], on_step and (lambda done, _: on_step(done, steps)))
    ranking = rank_sites(case.cover, case.weight, case.existing, solution.chosen, [*locked, *first])
    facts = describe(
        ranking, case.cover, case.demand, reach.limit_min, existing=case.existing,
        existing_minutes=existing_minutes,
    )  # fmt: skip
    facts["stability"] = measure_stability(
        case.cover, case.weight, [site.column for site in ranking], count, xy=case.xy,
        existing=case.existing, conflicts=case.conflicts, days=_days(demand), reruns=reruns,
        rng=draw, first=first, locked=locked, **gathered,
        on_step=on_step and (lambda done, _: on_step(4 + done, steps)),
    )  # fmt: skip
    sites = _table(case, facts, language, reach)
    note: dict[str, Any] = {"min_spacing_m": float(min_spacing_m), "reruns": int(reruns)}
    if most:
        free = solve(locked, None).objective if first else solution.objective
        note |= _rule(informal_share, len(first), max(free, solution.objective), case)
    if locked:
        note["required"] = len(locked)
    sites.attrs = {"siting": _summary(solution, case, count, len(sites)) | note}
    check_table(sites, "sites")
    offered, seconds = len(case.candidates) - case.existing.size, perf_counter() - began
    words = "siting: %d of %d sites from %d candidates, gap %.2g, %.1f s"
    _LOG.info(words, len(sites), count, offered, solution.gap, seconds)
    return sites


def _check_settings(model: str, min_spacing_m: float, reruns: int, informal_share: float) -> None:
    if model not in _MODELS:
        raise SettingsError(
            f"`model` knows {', '.join(_MODELS)}. Got {model!r}.{nearest_name(model, _MODELS)}"
        )
    if not min_spacing_m >= 0:
        raise SettingsError(f"`min_spacing_m` must not be negative. Got {min_spacing_m}.")
    if reruns < 0:
        raise SettingsError(f"`reruns` must not be negative. Got {reruns}.")
    if not 0 <= informal_share <= 1:
        raise SettingsError(f"`informal_share` must be from 0 to 1. Got {informal_share}.")


def _check_case(case: Case, count: int) -> None:
    """Refuse what has no answer, in the words of a planner."""
    free = len(case.candidates) - case.existing.size
    if count > free:
        raise SettingsError(
            f"`count` is {count}, but there are only {free} candidates. Lower `count`, or offer "
            "more: a smaller `spacing_m`, more `kinds`, a larger area."
        )
    new = np.setdiff1d(np.arange(len(case.candidates)), case.existing)
    inside = np.isin(case.cover.indices, new)
    row = np.repeat(np.arange(case.weight.size), np.diff(case.cover.indptr))
    if not (case.weight[row[inside]] > 0).any():
        raise NoSolutionError(
            "no candidate has any demand within reach. Check that demand and candidates lie in "
            "the same city and on connected streets, or raise `limit_min`."
        )


def _days(demand: gpd.GeoDataFrame) -> float:
    """Days behind the weights: what a rider-visit per day was averaged over."""
    return max(1.0, float(demand.attrs.get("demand", {}).get("days") or 1))


def _table(case: Case, facts: pd.DataFrame, language: str, reach: Reach) -> gpd.GeoDataFrame:
    """Candidates' columns beside what was found out about the chosen."""
    chosen = case.candidates.iloc[facts["column"].to_numpy(np.int64)]
    digits = max(2, len(str(len(chosen))))
    index = pd.Index([f"S{k:0{digits}d}" for k in facts["rank"]], name="site_id", dtype=str)
    sites = chosen[["name", "kind", "action", "host_name", "hours", "geometry"]].set_index(index)
    sites.insert(0, "candidate_id", chosen.index.to_numpy())
    sites.insert(1, "rank", facts["rank"].to_numpy(np.int64))
    for column in (
        "gain_per_day",
        "gain_share",
        "cumulative_share",
        "stability",
        "before_min",
        "after_min",
        "peak",
    ):
        sites[column] = facts[column].to_numpy()
    sites["informal_rest_per_day"] = rest_of(chosen)
    sites["why"] = explain(sites, language=language, mode=reach.mode, limit_min=reach.limit_min)
    geometry = sites.pop("geometry")
    return sites.assign(geometry=geometry).set_geometry("geometry", crs=case.candidates.crs)


def _rule(share: float, first: int, free: float, case: Case) -> dict[str, Any]:
    """Note how many gathering places went first, and what is covered without that rule."""
    return {
        "informal_share": float(share),
        "informal_first": first,
        "free_share": free / math.fsum(case.weight),
    }


def _summary(solution: Solution, case: Case, count: int, used: int) -> dict[str, Any]:
    total = math.fsum(case.weight)
    return {
        "model": solution.model,
        "count": int(count),
        "count_used": used,
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "status": solution.status,
        "seconds": solution.seconds,
        "covered_share": solution.objective / total,
        "best_possible_share": min(1.0, solution.bound / total),
    }
