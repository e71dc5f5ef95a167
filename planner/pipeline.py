"""THE LINE: every stage called once, in order; nothing else knows the order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner import stages, summary
from planner.coverage import circle_share, districts_of, make_reach
from planner.demand import find_gatherings, find_hotspots
from planner.errors import SettingsError
from planner.inputs import load_inputs
from planner.plan import Plan
from planner.progress import OnStage, Stages
from planner.settings import Settings, load_settings
from planner.siting import make_explanations, note_sites
from planner.siting.explanations import seeks_coverage

if TYPE_CHECKING:
    import geopandas as gpd


def plan_study(s: Settings, *, on_stage: OnStage | None = None) -> Plan:
    """Run the whole line of a study: from activity and stations to recommended sites.

    Parameters
    ----------
    s
        The study.
    on_stage
        Called before and after every stage, for progress.

    Raises
    ------
    PlannerError
        Anything wrong with the study, its files or their contents.
    """
    stage, seed, limit = Stages(on_stage), s.study.seed, stages.limits(s)
    inputs = load_inputs(s, on_stage=on_stage)
    area, streets, stations, hosts = inputs.area, inputs.streets, inputs.stations, inputs.hosts

    stops = stage("stays", stages.make_stops, s, inputs.activity, stage)
    visits, basis = stages.pick_visits(s, inputs.activity, stops, stage)
    demand, samples = stage("demand", stages.weigh_sampled, s, visits, basis)
    places: dict[str, Any] = {
        "area": area, "streets": streets, "hosts": hosts, "cluster": s.candidates.cluster,
        "rng": seed,
    }  # fmt: skip
    hotspots = stage("hotspots", find_hotspots, demand, **places)
    gatherings = stage(
        "gatherings", find_gatherings, demand, existing=stations,
        shelter_m=s.candidates.shelter_m, **places,
    )  # fmt: skip
    candidates = stage("candidates", stages.offer, s, demand, inputs, hotspots, gatherings)
    settled = stages.settle(s, candidates, inputs)
    candidates, required = settled.candidates, settled.required
    reach = stage("reach", make_reach, streets, demand, candidates, **limit)
    stages.check_near_streets(reach, demand)

    existing = stages.add_seats(s, candidates[candidates["action"] == "keep"], stations)
    today = stages.find_ways(s, streets, demand, existing)
    before = stage("coverage", stages.measure, s, reach, demand, existing, area=area, minutes=today)
    districts = districts_of(demand, area)
    seating = stages.make_seating(s, candidates, existing, visits, basis)
    sites = stage(
        "siting", stages.choose, s, reach, demand, candidates, today, districts=districts,
        required=required, samples=samples, seating=seating,
    )  # fmt: skip
    sites, register = note_sites(sites, settled, file=Path(s.siting.register_ or "").name)
    frontier = stage("frontier", stages.trace, s, reach, demand, candidates, sites)
    money = None
    if stages.prices(s) is not None and s.siting.model in {"mclp", "lscp"}:
        money = stage("money", stages.spend, s, reach, demand, candidates, sites)
    scenarios = None
    if s.siting.demand_change and stages.is_coverage(s):
        scenarios = stage(
            "scenarios", stages.vary, s, reach, demand, candidates, sites, districts=districts
        )
    explanations = stage(
        "explanations", make_explanations, reach, demand, candidates, sites, streets=streets,
        district=districts, max_min=stages.horizon_min(s), snap_m=s.service.snap_m,
        min_spacing_m=s.siting.min_spacing_m, replacements=seeks_coverage(s.siting),
        cost=stages.prices(s), budget=s.siting.budget,
    )  # fmt: skip
    chosen = stages.add_seats(s, candidates.loc[sites["candidate_id"]], None)
    opened = stages.plan_seats(pd.concat([existing, chosen]), sites)
    planned = stages.find_ways(s, streets, demand, opened)
    after = stages.measure(s, reach, demand, opened, area=area, minutes=planned)
    sides = {"before": (existing, today), "after": (opened, planned)}
    closures = stages.close_each(reach, demand, sides)
    uncovered = stage("uncovered", stages.find_uncovered, reach, demand, sides, places)
    bays = stage("parking", stages.park, s, inputs, stops, sites)
    areas = stage("service_areas", stages.make_areas, s, streets, existing, opened)
    edits = None
    if s.streets.edits:
        edits = stage("edits", stages.measure_each_edit, s, inputs, demand, existing, opened)

    tables = {
        "districts": area, "demand": demand, "stations": stations, "hosts": hosts,
        "candidates": candidates, "sites": sites, "frontier": frontier,
        "register": register, "money": money, "scenarios": scenarios,
        "explanations": explanations, "parking": bays,
        "hotspots": hotspots, "gatherings": gatherings,
        "coverage_before": before, "coverage_after": after, "closures": closures,
        "uncovered": uncovered, "service_areas": areas, "edits": edits,
        "streets": stages.draw_lines(s, streets), "water": inputs.water,
    }  # fmt: skip
    circles = [circle_share(demand, f, radius_m=stages.radius_m(s)) for f in (existing, opened)]
    numbers = summary.summarise(
        s, tables, notes=stages.input_notes(inputs, stops), streets=streets, stays=stops,
        reach=reach, circles=(circles[0], circles[1]),
        equity=stages.tell_equity(after, sites, frontier),
    )  # fmt: skip
    numbers |= stage("quality", stages.check_data, s, inputs, stops, visits, demand)
    if "expansion" in numbers["demand"]:  # what is saved tells no more than what is printed
        demand.attrs["demand"]["expansion"] = numbers["demand"]["expansion"]
    return Plan(s, {k: t for k, t in tables.items() if t is not None}, numbers, reach, streets)


def run_study(
    study: Path | str, *, overrides: tuple[str, ...] = (), on_stage: OnStage | None = None
) -> Plan:
    """Read a `study.toml` (or the folder that holds it) and run the whole line.

    Parameters
    ----------
    study
        The file or its folder.
    overrides
        Settings that win over the file, e.g. ``("siting.count=12",)``.
    on_stage
        Called before and after every stage, for progress.

    Raises
    ------
    PlannerError
        Anything wrong with the study, its files or their contents.
    """
    return plan_study(load_settings(study, overrides), on_stage=on_stage)


def measure_today(
    s: Settings, *, on_stage: OnStage | None = None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Measure what the existing stations of a study cover, and nothing else.

    Returns
    -------
    stations, coverage
        The tables of that name; ``coverage.attrs["circle_share"]`` is what circles would claim.

    Raises
    ------
    PlannerError
        Anything wrong with the study or its files; `SettingsError` if it names no stations.
    """
    stage = Stages(on_stage)
    inputs = None
    if s.stations.file is not None or s.siting.register_ is not None:
        inputs = load_inputs(s, on_stage=on_stage)
    if inputs is None or inputs.stations is None:
        raise SettingsError("the study names no `stations.file`, so there is no coverage today.")
    stops = stage("stays", stages.make_stops, s, inputs.activity, stage)
    demand = stage("demand", stages.weigh, s, *stages.pick_visits(s, inputs.activity, stops, stage))
    reach = stage("reach", make_reach, inputs.streets, demand, inputs.stations, **stages.limits(s))
    stages.check_near_streets(reach, demand)
    minutes = stages.find_ways(s, inputs.streets, demand, inputs.stations)
    coverage = stage(
        "coverage", stages.measure, s, reach, demand, inputs.stations, area=inputs.area,
        minutes=minutes,
    )  # fmt: skip
    coverage.attrs["visits"] = summary.visit_words(demand)
    coverage.attrs["circle_share"] = circle_share(
        demand, inputs.stations, radius_m=stages.radius_m(s)
    )
    return inputs.stations, coverage


def check_inputs(s: Settings, *, on_stage: OnStage | None = None) -> dict[str, Any]:
    """Load a study's inputs and say what they are worth.

    Returns
    -------
    The data part of `plan.json`, and what `quality.measure_quality` found.

    Raises
    ------
    PlannerError
        Anything wrong with the study or its files.
    """
    stage = Stages(on_stage)
    inputs = load_inputs(s, on_stage=on_stage)
    stops = stage("stays", stages.make_stops, s, inputs.activity, stage)
    visits, basis = stages.pick_visits(s, inputs.activity, stops, stage)
    demand = stage("demand", stages.weigh, s, visits, basis)
    facilities, limit = demand, stages.limits(s) | {"limit_min": 1.0}  # asks who stands on streets
    if inputs.stations is not None:
        facilities = inputs.stations.rename(index=lambda i: f"{summary.EXISTING}{i}")
    reach = make_reach(inputs.streets, demand, facilities, **limit)
    stages.check_near_streets(reach, demand)
    numbers = summary.describe_data(
        s, demand, notes=stages.input_notes(inputs, stops), streets=inputs.streets, stays=stops,
        reach=reach,
    )  # fmt: skip
    return numbers | stage("quality", stages.check_data, s, inputs, stops, visits, demand)
