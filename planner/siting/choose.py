"""Choose sites for new stations from a table of candidates."""

from __future__ import annotations

import logging
import math
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from planner.errors import SettingsError
from planner.siting.backing import add_backing
from planner.siting.case import district_rows, make_case, rest_of
from planner.siting.checks import check_case
from planner.siting.gatherings import pick_first
from planner.siting.held_out import measure_held_out
from planner.siting.locks import find_locked, lock_and_ban, without_banned
from planner.siting.models import Asked, Question, solve, tell
from planner.siting.rank import daypart_names, describe, rank_sites
from planner.siting.seated import add_seats, note_seats, order_seated
from planner.siting.stability import measure_stability
from planner.siting.why import explain
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import geopandas as gpd

    from planner.samples import Samples
    from planner.siting.case import Case
    from planner.siting.models import Answer
    from planner.siting.seats import Seating
    from planner.tables import Reach

_LOG = logging.getLogger(__name__)
_FIRST_STEPS = 4  # of the solver, before the reruns


def choose_stations(
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    count: int,
    *,
    model: str = "mclp",
    target_share: float = 0.9,
    backup_share: float = 0.5,
    full_min: float = 5.0,
    budget: float | None = None,
    cost: Mapping[str, float] | None = None,
    min_district_share: float = 0.0,
    districts: Sequence[str] | np.ndarray | None = None,
    required: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    min_spacing_m: float = 0.0,
    informal_share: float = 0.0,
    time_limit_s: float = 30.0,
    gap: float = 1e-4,
    reruns: int = 100,
    existing_minutes: pd.Series | None = None,
    samples: Samples | None = None,
    seating: Seating | None = None,
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
        How many new stations, at least 1; ``lscp`` finds its own number and does not read it.
    model
        ``mclp``, most demand within reach; ``backup``, most demand with one station and with two
        within reach; ``gradual``, the same by how near the nearest is;
        ``lscp``, fewest stations (with `cost`, cheapest) that
        bring `target_share` within reach; ``pmedian``, least minutes to the nearest station in
        all, demand out of reach counted as twice the limit; ``pcenter``, least minutes of the
        farthest demand that any station or candidate reaches; ``capacitated``, most demand that
        seats within reach can serve.
    target_share
        0 … 1, for ``lscp``.
    backup_share
        0 … 1, for ``backup``: the part of a visit's weight that only a second station brings.
    full_min
        For ``gradual``: minutes up to which a visit counts in full; then evenly less, nothing from
        the limit on.
    budget, cost
        What the new stations may cost together, and what one costs by its action:
        ``{"activate": …, "build": …}``. With them fewer than `count` may be chosen. For ``lscp``,
        which seeks the cheapest, the budget is a ceiling that it must not pass.
    min_district_share
        0 … 1: every district's covered share must be at least this; 0 is no floor. Not for
        ``pcenter``, which reaches everybody who can be reached, ``backup`` and ``gradual``.
    districts
        The name of each demand point's district, aligned with `demand`; the floor needs it.
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
        How often the demand is drawn anew for `stability`; 0 leaves it empty. It is empty too
        where more than coverage and count decide: a budget, a floor, another model.
    existing_minutes
        Index `demand_id`: minutes to the nearest existing station, inf or absent if farther than
        was looked; taken as at most twice the limit. Without it `before_min` is empty.
    samples
        What the demand was averaged from, by `make_sampled_demand`: `stability` then draws
        worker-days, and `held_out` leaves out days, or dayparts where there is one day only.
    seating
        For ``capacitated``: what each place can become (kinds with seats and costs), the seats of
        existing stations and what a seat serves a day; see `planner.siting.Seating`. The `budget`
        is for all kinds together, those that enlarge existing stations among them, which do not
        count; without a budget each place becomes what has most seats.
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
        Sites that would gain nothing are left out; not so of ``backup``, ``gradual``, ``pmedian``
        and ``pcenter``, where a site may only be a second one or shorten ways: these come last.
        ``attrs["siting"]`` = ``{model, count, count_used, objective, bound, unit, gap, status,
        seconds, covered_share, best_possible_share, min_spacing_m, reruns}``; objective and bound
        are in `unit`: rider-visits a day within reach of any station, the existing included, or
        stations, cost, rider-minutes a day, minutes. No plan can cover more than
        `best_possible_share`: of ``mclp`` the bound, else all candidates together. Where they are
        set also ``{target_share, min_district_share, budget, cost}``. With `reruns`
        ``held_out = {share, low, high, chosen_share, runs, days, by}``: what a choice by some of
        the visits covers of the others (`planner.siting.held_out`). With
        `informal_share` also ``{informal_share, informal_first, free_share}``: how many gathering
        places were picked first, and the covered share of the best plan found without that rule.
        Of ``backup`` there is ``{backup_share, backed_share_before, backed_share}``, shares of the
        demand with two stations within reach, and the column `backed_per_day`: rider-visits for
        whom a site is the second at its rank; of ``gradual`` ``{full_min, gradual_share_before,
        gradual_share, gradual_share_best}``, the last a proven limit. Both have objective and bound
        in rider-visits a day that count so.
        Objective, bound, gap and status are those of the plans that keep the rule. Of
        ``capacitated`` the sites rank by how much more is served, have the columns `seat_kind`,
        `seats`, `served_per_day` and `load_share`, and besides there is ``{served_share_before,
        served_share, served_share_best, seats_added, cost, budget, seating}``, the last a list of
        all stations with their seats and load, those that are enlarged named so.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared, or reach belongs to other tables, or a weight is negative.
    SettingsError
        The model is unknown, `count` is under 1 or above the candidates, a number out of range,
        or the model has no place for a setting.
    NoSolutionError
        No candidate has any demand within reach, all that they reach is covered already, or the
        target, the budget, the spacing or the floor leaves no choice.

    Notes
    -----
    Church, R. L. & ReVelle, C. (1974), "The maximal covering location problem"; see
    `planner.locate.solve_mclp` for the model, its bound and its gap. Without room for `count`
    sites `min_spacing_m` apart, fewer are chosen.

    That places where riders gather by themselves come first is the practice of Leshan; here as
    required columns x_j = 1 of the model, picked by falling rest.
    """
    began = perf_counter()
    question = Question(
        model, count, target_share, min_district_share, budget, cost, min_spacing_m,
        informal_share, reach.limit_min, backup_share, full_min, seating,
    )  # fmt: skip
    question.check()
    if reruns < 0:
        raise SettingsError(f"`reruns` must not be negative. Got {reruns}.")
    reruns = reruns if question.plain else 0
    offered, locked_id = lock_and_ban(candidates, required, forbidden)
    case = make_case(without_banned(reach, candidates, offered), demand, offered, min_spacing_m)
    asked = Asked(
        question, case, district_rows(case, demand, districts), time_limit_s, gap,
        np.random.default_rng(rng),
    )  # fmt: skip
    opened = _open_first(asked, locked_id)
    steps = _FIRST_STEPS + reruns
    answer = solve(
        asked, required=opened.all, on_step=on_step and (lambda done, _: on_step(done, steps))
    )
    facts = _describe(asked, answer, opened, existing_minutes)
    again = _redraw(asked, demand, samples)
    facts["stability"] = measure_stability(
        case.cover, case.weight, facts["column"].tolist(), count, xy=case.xy,
        reruns=reruns, first=opened.gathered, locked=opened.locked, rest_per_day=case.rest,
        home=case.home, **again,
        on_step=on_step and (lambda done, _: on_step(_FIRST_STEPS + done, steps)),
    )  # fmt: skip
    sites = _table(case, facts, language, reach)
    note = tell(asked, answer.solution) | {"count_used": len(sites)}
    note |= {"min_spacing_m": float(min_spacing_m), "reruns": int(reruns)}
    note |= _note_first(asked, opened, answer, note)
    if reruns:
        note["held_out"] = measure_held_out(
            case.cover, case.weight, answer.solution.chosen, count, required=opened.all,
            dayparts=_dayparts(case), **again,
        )  # fmt: skip
    if answer.seated and seating:
        sites = add_seats(sites, case, answer.seated, seating.actions, language)
        note |= note_seats(case, answer.seated, seating.actions, answer.solution)
        note["budget"] = budget
    if model == "backup":
        sites = add_backing(sites, case, language)
    sites.attrs = {"siting": note}
    check_table(sites, "sites")
    _log(case, count, note, perf_counter() - began)
    return sites


class _Opened(NamedTuple):
    """Columns that open before the model decides: locked ones, then gathering places.

    `most` is how many gathering places the rule could have picked.
    """

    locked: list[int]
    gathered: list[int]
    most: int

    @property
    def all(self) -> list[int]:
        return [*self.locked, *self.gathered]


def _open_first(asked: Asked, locked_id: list[str]) -> _Opened:
    """Check the case, and find what opens in any case."""
    question, case = asked.question, asked.case
    count = None if question.finds_count else question.count
    check_case(question, case, locked=bool(locked_id))
    locked = find_locked(case, locked_id, count)
    wished = math.floor(question.informal_share * question.count + 1e-9)
    most = min(wished, max(question.count - len(locked), 0))
    gathered = pick_first(
        case.rest, case.home, case.cover, conflicts=case.conflicts, most=most,
        existing=np.append(case.existing, np.array(locked, dtype=np.int64)),
    )  # fmt: skip
    return _Opened(locked, gathered, most)


def _describe(
    asked: Asked, answer: Answer, opened: _Opened, existing_minutes: pd.Series | None
) -> pd.DataFrame:
    """Rank what was chosen, and tell what each site does at its rank."""
    question, case = asked.question, asked.case
    first = order_seated(case, answer.seated, opened.all) if answer.seated else opened.all
    ranking = rank_sites(
        case.cover, case.weight, case.existing, answer.solution.chosen, first,
        keep_all=question.kind.nearness,
    )  # fmt: skip
    return describe(
        ranking, case.cover, case.demand, question.limit_min, existing=case.existing,
        existing_minutes=existing_minutes,
    )  # fmt: skip


def _redraw(asked: Asked, demand: gpd.GeoDataFrame, samples: Samples | None) -> dict[str, Any]:
    """Return what stability and held-out visits are drawn from, as both take it."""
    case = asked.case
    return {
        "existing": case.existing, "conflicts": case.conflicts, "days": _days(demand),
        "rng": asked.rng,
        "samples": None if samples is None else samples.take(case.demand.index),
    }  # fmt: skip


def _note_first(
    asked: Asked, opened: _Opened, answer: Answer, kept: Mapping[str, Any]
) -> dict[str, Any]:
    """Note what opened first, and what is covered without the rule on gathering places."""
    note: dict[str, Any] = {}
    if opened.most:
        free = solve(asked, required=opened.locked) if opened.gathered else answer
        share = tell(asked, free.solution)["covered_share"]
        note["informal_share"] = float(asked.question.informal_share)
        note["informal_first"] = len(opened.gathered)
        note["free_share"] = (
            max(share, kept["covered_share"]) if asked.question.kind.covers else share
        )
    if opened.locked:
        note["required"] = len(opened.locked)
    return note


def _dayparts(case: Case) -> np.ndarray:
    """Return the weights by daypart, one row a daypart that has any."""
    names = [f"weight_{name}" for name in daypart_names(case.demand)]
    parts = case.demand[names].to_numpy(float).T
    return np.asarray(parts[parts.sum(axis=1) > 0])


def _log(case: Case, count: int, note: Mapping[str, Any], seconds: float) -> None:
    new = len(case.candidates) - case.existing.size
    words = "siting: %d of %d sites from %d candidates, gap %.2g, %.1f s"
    _LOG.info(words, note["count_used"], count, new, note["gap"], seconds)


def _days(demand: gpd.GeoDataFrame) -> float:
    """Days behind the weights: what a rider-visit per day was averaged over."""
    return max(1.0, float(demand.attrs.get("demand", {}).get("days") or 1))


def _table(case: Case, facts: pd.DataFrame, language: str, reach: Reach) -> gpd.GeoDataFrame:
    """Candidates' columns beside what was found out about the chosen."""
    chosen = case.candidates.iloc[facts["column"].to_numpy(np.int64)]
    digits = max(2, len(str(len(chosen))))
    index = pd.Index([f"S{k:0{digits}d}" for k in facts["rank"]], name="site_id", dtype=str)
    told = ["name", "kind", "action", "host_name", "host_class", "hours", "geometry"]
    sites = chosen[[name for name in told if name in chosen]].set_index(index)
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
