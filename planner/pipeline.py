"""THE LINE: every stage called once, in order; nothing else knows the order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner import quality, summary
from planner.activity import FixFeed, make_presence, make_stays, pseudonymise, shows_stays
from planner.candidates import Aim, make_candidates
from planner.coverage import (
    circle_share,
    districts_of,
    find_minutes,
    hours_open,
    make_reach,
    make_service_areas,
    measure_closures,
    measure_coverage,
    measure_edits,
    measure_equity,
)
from planner.demand import find_gatherings, find_hotspots, make_demand, make_sampled_demand
from planner.errors import InputError, SettingsError
from planner.inputs import load_inputs
from planner.load.words import host_class
from planner.parking import choose_parking
from planner.plan import Plan
from planner.progress import OnStage, Stages
from planner.settings import Settings, load_settings
from planner.siting import (
    Seating,
    SeatKind,
    Settled,
    choose_stations,
    make_explanations,
    measure_frontier,
    measure_money,
    measure_scenarios,
    note_sites,
    settle_sites,
)
from planner.siting.explanations import seeks_coverage
from planner.tables import check_table

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np

    from planner.inputs import Inputs
    from planner.network import StreetNetwork
    from planner.samples import Samples
    from planner.tables import Reach

    Sides = dict[str, tuple[gpd.GeoDataFrame, pd.DataFrame]]  # when → stations, minutes to them

_LEAST_TRACED = 20  # counts of stations that the frontier shows at least


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
    stage, seed, limit = Stages(on_stage), s.study.seed, _limit(s)
    inputs = load_inputs(s, on_stage=on_stage)
    area, streets, stations, hosts = inputs.area, inputs.streets, inputs.stations, inputs.hosts

    stops = stage("stays", _make_stops, s, inputs.activity, stage)
    visits, basis = _visits(s, inputs.activity, stops, stage)
    demand, samples = stage("demand", _weigh_sampled, s, visits, basis)
    places: dict[str, Any] = {
        "area": area, "streets": streets, "hosts": hosts, "cluster": s.candidates.cluster,
        "rng": seed,
    }  # fmt: skip
    hotspots = stage("hotspots", find_hotspots, demand, **places)
    gatherings = stage(
        "gatherings", find_gatherings, demand, existing=stations,
        shelter_m=s.candidates.shelter_m, **places,
    )  # fmt: skip
    candidates = stage("candidates", _offer, s, demand, inputs, hotspots, gatherings)
    settled = _settle(s, candidates, inputs)
    candidates, required = settled.candidates, settled.required
    reach = stage("reach", make_reach, streets, demand, candidates, **limit)
    _check_near_streets(reach, demand)

    existing = _add_seats(s, candidates[candidates["action"] == "keep"], stations)
    today = _minutes(s, streets, demand, existing)
    before = stage("coverage", _measure, s, reach, demand, existing, area=area, minutes=today)
    districts = districts_of(demand, area)
    seating = _seating(s, candidates, existing, visits, basis)
    sites = stage(
        "siting", _choose, s, reach, demand, candidates, today, districts=districts,
        required=required, samples=samples, seating=seating,
    )  # fmt: skip
    sites, register = note_sites(sites, settled, file=Path(s.siting.register_ or "").name)
    frontier = stage("frontier", _trace, s, reach, demand, candidates, sites)
    money = None
    if _prices(s) is not None and s.siting.model in {"mclp", "lscp"}:
        money = stage("money", _spend, s, reach, demand, candidates, sites)
    scenarios = None
    if s.siting.demand_change and _is_coverage(s):
        scenarios = stage(
            "scenarios", _vary, s, reach, demand, candidates, sites, districts=districts
        )
    explanations = stage(
        "explanations", make_explanations, reach, demand, candidates, sites, streets=streets,
        district=districts, max_min=_horizon_min(s), snap_m=s.service.snap_m,
        min_spacing_m=s.siting.min_spacing_m, replacements=seeks_coverage(s.siting),
        cost=_prices(s), budget=s.siting.budget,
    )  # fmt: skip
    chosen = _add_seats(s, candidates.loc[sites["candidate_id"]], None)
    opened = _planned_seats(pd.concat([existing, chosen]), sites)
    planned = _minutes(s, streets, demand, opened)
    after = _measure(s, reach, demand, opened, area=area, minutes=planned)
    sides = {"before": (existing, today), "after": (opened, planned)}
    closures = _close_each(reach, demand, sides)
    uncovered = stage("uncovered", _find_uncovered, reach, demand, sides, places)
    bays = stage("parking", _park, s, inputs, stops, sites)
    areas = stage("service_areas", _make_areas, s, streets, existing, opened)
    edits = None
    if s.streets.edits:
        edits = stage("edits", _measure_edits, s, inputs, demand, existing, opened)

    tables = {
        "districts": area, "demand": demand, "stations": stations, "hosts": hosts,
        "candidates": candidates, "sites": sites, "frontier": frontier,
        "register": register,
        "money": money, "scenarios": scenarios,
        "explanations": explanations, "parking": bays,
        "hotspots": hotspots, "gatherings": gatherings,
        "coverage_before": before, "coverage_after": after, "closures": closures,
        "uncovered": uncovered, "service_areas": areas, "edits": edits,
        "streets": _lines(s, streets), "water": inputs.water,
    }  # fmt: skip
    circles = [circle_share(demand, f, radius_m=_radius_m(s)) for f in (existing, opened)]
    numbers = summary.summarise(
        s, tables, notes=_input_notes(inputs, stops), streets=streets, stays=stops, reach=reach,
        circles=(circles[0], circles[1]), equity=_equity(after, sites, frontier),
    )  # fmt: skip
    numbers |= stage("quality", _check_data, s, inputs, stops, visits, demand)
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
    stops = stage("stays", _make_stops, s, inputs.activity, stage)
    demand = stage("demand", _weigh, s, *_visits(s, inputs.activity, stops, stage))
    reach = stage("reach", make_reach, inputs.streets, demand, inputs.stations, **_limit(s))
    _check_near_streets(reach, demand)
    minutes = _minutes(s, inputs.streets, demand, inputs.stations)
    coverage = stage(
        "coverage", _measure, s, reach, demand, inputs.stations, area=inputs.area, minutes=minutes
    )
    coverage.attrs["visits"] = summary.visit_words(demand)
    coverage.attrs["circle_share"] = circle_share(demand, inputs.stations, radius_m=_radius_m(s))
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
    stops = stage("stays", _make_stops, s, inputs.activity, stage)
    visits, basis = _visits(s, inputs.activity, stops, stage)
    demand = stage("demand", _weigh, s, visits, basis)
    facilities, limit = demand, _limit(s) | {"limit_min": 1.0}  # asks who stands on streets
    if inputs.stations is not None:
        facilities = inputs.stations.rename(index=lambda i: f"{summary.EXISTING}{i}")
    reach = make_reach(inputs.streets, demand, facilities, **limit)
    _check_near_streets(reach, demand)
    numbers = summary.describe_data(
        s,
        demand,
        notes=_input_notes(inputs, stops),
        streets=inputs.streets,
        stays=stops,
        reach=reach,
    )
    return numbers | stage("quality", _check_data, s, inputs, stops, visits, demand)


# ── stages that need a setting looked up ──────────────────────────────────────────────────────


def _limit(s: Settings) -> dict[str, float]:
    return {"limit_min": s.service.limit_min, "snap_m": s.service.snap_m}


def _radius_m(s: Settings) -> float:
    """How far the straight line is that the limit allows: what a circle on paper would be."""
    return s.service.limit_min * s.service.circle_kmh * 1000.0 / 60.0


def _make_stops(
    s: Settings, activity: gpd.GeoDataFrame | FixFeed, stage: Stages
) -> gpd.GeoDataFrame:
    """Stays long enough for a bay or more; counts and stays come as they are."""
    if s.activity.kind in ("stays", "counts"):
        return activity
    stays = make_stays(
        activity,
        radius_m=s.activity.radius_m,
        min_stay_min=min(s.parking.min_stop_min, s.activity.min_stay_min),
        max_stay_min=s.activity.max_stay_min,
        exclude_homes=s.activity.exclude_homes,
        master=_master(s),
        on_step=stage.step("activity"),
    )
    return pseudonymise(stays, s.activity.secret)


def _master(s: Settings) -> str | None:
    return s.activity.master if s.activity.engine == "spark" else None


def _input_notes(inputs: Inputs, stops: gpd.GeoDataFrame) -> dict[str, dict[str, Any]]:
    """Return what was read and lost of each input; of a feed that is known once it was read."""
    if not isinstance(inputs.activity, FixFeed):
        return inputs.notes
    activity = stops.attrs["input"] | {"sha256": inputs.activity.note["sha256"]}
    return inputs.notes | {"activity": activity}


def _weigh(s: Settings, visits: gpd.GeoDataFrame, basis: str) -> gpd.GeoDataFrame:
    """Make demand of visits, and note what they are."""
    return _noted(make_demand(visits, **_weighing(s)), basis)


def _weigh_sampled(
    s: Settings, visits: gpd.GeoDataFrame, basis: str
) -> tuple[gpd.GeoDataFrame, Samples | None]:
    """Return the same and what it was averaged from, which no output holds."""
    demand, samples = make_sampled_demand(visits, **_weighing(s))
    return _noted(demand, basis), samples


def _weighing(s: Settings) -> dict[str, Any]:
    """Return what the study says on how visits become demand."""
    names = (
        "cell_m", "min_workers", "merge_m", "dayparts", "registered", "need", "need_types",
    )  # fmt: skip
    return {name: getattr(s.demand, name) for name in names}


def _noted(demand: gpd.GeoDataFrame, basis: str) -> gpd.GeoDataFrame:
    """Return demand with what a visit is."""
    demand.attrs["demand"]["basis"] = basis
    if basis == "presence":  # every sample is as long as any other
        by_class = [c for c in demand.columns if str(c).startswith("weight_class_")]
        return demand.drop(columns=by_class)
    return demand


def _visits(
    s: Settings, activity: gpd.GeoDataFrame | FixFeed, stops: gpd.GeoDataFrame, stage: Stages
) -> tuple[gpd.GeoDataFrame, str]:
    """Return what is counted as a visit, and its name.

    Of fixes the stays that are long enough; where they show none to speak of, presence.
    """
    if s.activity.kind != "fixes":
        return stops, s.activity.kind
    stays = stops[stops["stay_min"] >= s.activity.min_stay_min]
    if s.demand.basis == "stays":
        return stays, "stays"
    moving = not shows_stays({**stops.attrs["activity"], "stays": len(stays)})
    if moving or s.demand.basis == "presence":
        presence = make_presence(activity, master=_master(s), on_step=stage.step("activity"))
        return pseudonymise(presence, s.activity.secret), "presence"
    return stays, "stays"


def _check_data(
    s: Settings,
    inputs: Inputs,
    stops: gpd.GeoDataFrame,
    visits: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
) -> dict[str, Any]:
    return quality.measure_quality(
        s, area=inputs.area, streets=inputs.streets, stays=stops, visits=visits, demand=demand,
        stations=inputs.stations, hosts=inputs.hosts,
    )  # fmt: skip


def _offer(
    s: Settings,
    demand: gpd.GeoDataFrame,
    inputs: Inputs,
    hotspots: gpd.GeoDataFrame,
    gatherings: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """List where a station is, and where one could be."""
    known = set() if inputs.hosts is None else set(inputs.hosts["kind"].astype(str))
    caps = {host_class(name, known): most for name, most in s.candidates.host_caps.items()}
    return make_candidates(
        demand, inputs.streets, existing=inputs.stations, hosts=inputs.hosts, hotspots=hotspots,
        gatherings=gatherings, area=inputs.area, exclude=inputs.exclude, kinds=s.candidates.kinds,
        host_classes=[host_class(name, known) for name in s.candidates.host_classes],
        host_caps=caps,
        spacing_m=s.candidates.spacing_m, host_m=s.candidates.host_m,
        min_from_existing_m=s.candidates.min_from_existing_m, max_count=s.candidates.max_count,
        aim=_aim(s, inputs), new_hours=s.siting.new_hours, rng=s.study.seed, **_limit(s),
    )  # fmt: skip


def _aim(s: Settings, inputs: Inputs) -> Aim:
    """Say what the candidates are for."""
    return Aim(
        model=s.siting.model, count=None if s.siting.model == "lscp" else s.siting.count,
        cost=_prices(s), min_spacing_m=s.siting.min_spacing_m, named=s.siting.required,
        barred=s.siting.forbidden, decided=inputs.register,
    )  # fmt: skip


def _settle(s: Settings, candidates: gpd.GeoDataFrame, inputs: Inputs) -> Settled:
    """Apply what planners decided on sites to the candidates."""
    return settle_sites(
        candidates, inputs.register, required=s.siting.required, forbidden=s.siting.forbidden,
        count=None if s.siting.model == "lscp" else s.siting.count,
        min_spacing_m=s.siting.min_spacing_m, new_hours=s.siting.new_hours,
    )  # fmt: skip


def _choose(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    today: pd.DataFrame,
    *,
    districts: np.ndarray,
    required: list[str],
    samples: Samples | None,
    seating: Seating | None,
) -> gpd.GeoDataFrame:
    """Choose new stations; `today` are the minutes to those that there are."""
    known = (candidates["action"] == "keep").any()
    return choose_stations(
        reach, demand, candidates, s.siting.count, model=s.siting.model,
        target_share=s.siting.target_share, backup_share=s.siting.backup_share,
        full_min=s.service.full_min, budget=s.siting.budget, cost=_prices(s),
        min_district_share=s.siting.min_district_share, districts=districts, required=required,
        min_spacing_m=s.siting.min_spacing_m, gap=s.siting.gap,
        informal_share=s.siting.informal_share, time_limit_s=s.siting.time_limit_s,
        reruns=s.siting.reruns, rng=s.study.seed,
        existing_minutes=today["nearest_min"] if known else None, language=s.study.language,
        samples=samples, seating=seating,
    )  # fmt: skip


def _seating(
    s: Settings,
    candidates: gpd.GeoDataFrame,
    existing: gpd.GeoDataFrame,
    visits: gpd.GeoDataFrame,
    basis: str,
) -> Seating | None:
    """Say what places can become and what a seat serves a day; None where no seats are asked."""
    if s.siting.model != "capacitated":
        return None
    kinds = {n: SeatKind(k.action, k.seats, k.cost) for n, k in s.siting.kinds.items()}
    if not kinds:
        kinds = {a: SeatKind(a, s.siting.new_seats or 0.0) for a in ("activate", "build")}
    each: float | pd.Series | None = s.siting.visits_per_seat
    if each is None:
        if basis != "stays":
            raise SettingsError(
                "`siting.visits_per_seat` must be set: the activity does not tell how long visits "
                "last."
            )
        stay_min = float(visits["stay_min"].mean())
        each = hours_open(candidates["hours"]) * (60.0 / stay_min * s.siting.seat_use)
    return Seating(kinds, existing["capacity"], each)


def _planned_seats(opened: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give stations the seats that siting has planned, where it has."""
    planned = sites.attrs["siting"].get("seating", [])
    seats = {p["candidate_id"]: p["seats"] for p in planned if p["seats_added"] > 0}
    return opened.assign(
        capacity=[seats.get(i, c) for i, c in zip(opened.index, opened["capacity"], strict=True)]
    )


def _trace(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Trace coverage against the number of stations, well beyond the plan's."""
    return measure_frontier(
        reach, demand, candidates, max(2 * sites.attrs["siting"]["count"], _LEAST_TRACED),
        sites=sites, min_spacing_m=s.siting.min_spacing_m,
        budget=s.siting.budget if _prices(s) is not None else None,
        cost=_prices(s) if s.siting.budget is not None else None, gap=s.siting.gap,
        rng=s.study.seed,
    )  # fmt: skip


def _spend(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Trace coverage against money, well beyond what the plan costs."""
    return measure_money(
        reach, demand, candidates, cost=_prices(s) or {}, sites=sites,
        min_spacing_m=s.siting.min_spacing_m, gap=s.siting.gap, rng=s.study.seed,
    )  # fmt: skip


def _is_coverage(s: Settings) -> bool:
    """Tell whether coverage alone decides on the sites, with a budget or without."""
    return s.siting.model == "mclp" and not s.siting.min_district_share


def _vary(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    districts: np.ndarray,
) -> pd.DataFrame:
    """Try the plan on demand that grows and falls."""
    return measure_scenarios(
        reach, demand, candidates, sites, change=s.siting.demand_change, districts=districts,
        min_spacing_m=s.siting.min_spacing_m, budget=s.siting.budget,
        cost=_prices(s) if s.siting.budget is not None else None, gap=s.siting.gap,
    )  # fmt: skip


def _prices(s: Settings) -> dict[str, float] | None:
    """Return what a station costs by its action, None where the study sets no costs."""
    return {str(action): price for action, price in s.siting.cost.items()} or None


def _equity(after: pd.DataFrame, sites: gpd.GeoDataFrame, frontier: pd.DataFrame) -> dict[str, Any]:
    """Measure how evenly districts are served, and what a floor costs in coverage."""
    equity, siting = measure_equity(after), sites.attrs["siting"]
    if siting["model"] == "mclp" and siting.get("min_district_share"):
        free = frontier.set_index("count")["covered_share"].loc[siting["count"]]
        equity["price"] = max(0.0, float(free) - siting["covered_share"])
    return equity


def _park(
    s: Settings, inputs: Inputs, stops: gpd.GeoDataFrame, sites: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Choose friendly parking beside the stations that are and will be."""
    return choose_parking(
        inputs.streets, stops, sites, existing=inputs.stations, hosts=inputs.hosts,
        min_workers=s.demand.min_workers, language=s.study.language, rng=s.study.seed,
        **s.parking.model_dump(),
    )  # fmt: skip


def _measure_edits(
    s: Settings,
    inputs: Inputs,
    demand: gpd.GeoDataFrame,
    existing: gpd.GeoDataFrame,
    opened: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Tell what each change of the streets does, by itself."""
    return measure_edits(
        inputs.unedited, s.streets.edits, demand, existing, opened, area=inputs.area,
        datum=s.study.datum, **_limit(s),
    )  # fmt: skip


def _horizon_min(s: Settings) -> float:
    """How far the way to a station is searched: how bad the gap is."""
    return 4 * s.service.limit_min


def _add_seats(
    s: Settings, facilities: gpd.GeoDataFrame, stations: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Say how many seats existing stations have, and what the study plans new ones with."""
    seats = pd.Series(s.siting.new_seats, facilities.index, dtype=float)
    if stations is not None:
        known = stations["capacity"].rename(index=lambda i: f"{summary.EXISTING}{i}")
        seats = known.reindex(facilities.index)
    return facilities.assign(capacity=seats)


def _minutes(
    s: Settings, streets: StreetNetwork, demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Minutes to the nearest station, searched up to four times the limit."""
    return find_minutes(
        streets, demand, facilities, max_min=_horizon_min(s),
        dayparts=s.demand.dayparts, snap_m=s.service.snap_m,
    )  # fmt: skip


def _measure(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    area: gpd.GeoDataFrame,
    minutes: pd.DataFrame,
) -> pd.DataFrame:
    return measure_coverage(
        reach.select(facilities.index), demand, facilities=facilities, area=area,
        dayparts=s.demand.dayparts, full_min=s.service.full_min, minutes=minutes,
    )  # fmt: skip


def _close_each(reach: Reach, demand: gpd.GeoDataFrame, sides: Sides) -> pd.DataFrame:
    """Tell what each closing would cost, among today's stations and among the plan's."""
    frames = []
    for when, (facilities, minutes) in sides.items():
        table = measure_closures(reach, demand, facilities, minutes=minutes).reset_index()
        table.insert(0, "when", when)
        frames.append(table.set_index(when + ":" + table["facility_id"].astype(str)))
    closures = pd.concat(frames).rename_axis("closure_id")
    check_table(closures, "closures")
    return closures


def _find_uncovered(
    reach: Reach, demand: gpd.GeoDataFrame, sides: Sides, places: dict[str, Any]
) -> gpd.GeoDataFrame:
    """Find hot spots of what no station covers, today and with the plan, and the way to one."""
    frames = []
    for when, (facilities, minutes) in sides.items():
        left = demand.assign(nearest_min=minutes["nearest_min"])
        left = left[~reach.select(facilities.index).covered()]
        found = find_hotspots(left, medians=["nearest_min"], **places)
        found["nearest_min"] = found["nearest_min"].replace(float("inf"), float("nan"))
        found.insert(0, "when", when)
        frames.append(found.set_index(found.index.str.replace("hs", f"{when}:u")))
    uncovered = pd.concat(frames).rename_axis("uncovered_id")
    check_table(uncovered, "uncovered")
    return uncovered


def _make_areas(
    s: Settings,
    streets: StreetNetwork,
    existing: gpd.GeoDataFrame,
    opened: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Service areas before and after, at a third, two thirds and the whole of the limit."""
    limits = tuple(round(s.service.limit_min * k / 3, 2) for k in (1, 2, 3))
    frames = [
        make_service_areas(streets, f, limits_min=limits, snap_m=s.service.snap_m).assign(when=when)
        for when, f in (("before", existing), ("after", opened))
    ]
    return pd.concat(frames, ignore_index=True).rename_axis("area_id")


def _lines(s: Settings, streets: StreetNetwork) -> gpd.GeoDataFrame:
    """Return the streets to draw, with whom they are owed to."""
    lines = streets.lines()
    if s.streets.attribution is not None:
        lines.attrs["attribution"] = s.streets.attribution
    return lines


def _check_near_streets(reach: Reach, demand: gpd.GeoDataFrame) -> None:
    """Refuse a study whose demand lies off the streets: a wrong datum, area or street file."""
    share = summary.off_streets_share(reach, demand)
    if share > 0.5:
        raise InputError(
            f"{share:.0%} of the demand lies too far from every street to be snapped. Check that "
            "`streets.file` shows the same city, and the `datum` of activity and streets "
            "(wgs84, gcj02 or bd09)."
        )
