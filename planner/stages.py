"""Each stage as a study asks for it: settings looked up, the order left to the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from planner import quality, summary
from planner.activity import FixFeed, make_presence, make_stays, pseudonymise, shows_stays
from planner.candidates import Aim, make_candidates
from planner.coverage import (
    find_minutes,
    hours_open,
    make_service_areas,
    measure_closures,
    measure_coverage,
    measure_edits,
    measure_equity,
)
from planner.demand import find_hotspots, make_demand, make_sampled_demand
from planner.errors import InputError, SettingsError
from planner.load.words import host_class
from planner.parking import choose_parking
from planner.questions import FINDS_COUNT
from planner.siting import (
    Seating,
    SeatKind,
    Settled,
    choose_stations,
    measure_frontier,
    measure_money,
    measure_scenarios,
    settle_sites,
)
from planner.tables import check_table

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np

    from planner.inputs import Inputs
    from planner.network import StreetNetwork
    from planner.progress import Stages
    from planner.samples import Samples
    from planner.settings import Settings
    from planner.tables import Reach

    Sides = dict[str, tuple[gpd.GeoDataFrame, pd.DataFrame]]  # when → stations, minutes to them

_LEAST_TRACED = 20  # counts of stations that the frontier shows at least


def limits(s: Settings) -> dict[str, float]:
    """Return how far a way may be: minutes on streets, and metres from a place to its street."""
    return {"limit_min": s.service.limit_min, "snap_m": s.service.snap_m}


def radius_m(s: Settings) -> float:
    """How far the straight line is that the limit allows: what a circle on paper would be."""
    return s.service.limit_min * s.service.circle_kmh * 1000.0 / 60.0


def make_stops(
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


def input_notes(inputs: Inputs, stops: gpd.GeoDataFrame) -> dict[str, dict[str, Any]]:
    """Return what was read and lost of each input; of a feed that is known once it was read."""
    if not isinstance(inputs.activity, FixFeed):
        return inputs.notes
    activity = stops.attrs["input"] | {"sha256": inputs.activity.note["sha256"]}
    return inputs.notes | {"activity": activity}


def weigh(s: Settings, visits: gpd.GeoDataFrame, basis: str) -> gpd.GeoDataFrame:
    """Make demand of visits, and note what they are."""
    return _noted(make_demand(visits, **_weighing(s)), basis)


def weigh_sampled(
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


def pick_visits(
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


def check_data(
    s: Settings,
    inputs: Inputs,
    stops: gpd.GeoDataFrame,
    visits: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
) -> dict[str, Any]:
    """Tell what the data are worth."""
    return quality.measure_quality(
        s, area=inputs.area, streets=inputs.streets, stays=stops, visits=visits, demand=demand,
        stations=inputs.stations, hosts=inputs.hosts,
    )  # fmt: skip


def offer(
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
        aim=_aim(s, inputs), new_hours=s.siting.new_hours, rng=s.study.seed, **limits(s),
    )  # fmt: skip


def _aim(s: Settings, inputs: Inputs) -> Aim:
    """Say what the candidates are for."""
    return Aim(
        model=s.siting.model, count=_count(s),
        cost=prices(s), min_spacing_m=s.siting.min_spacing_m, named=s.siting.required,
        barred=s.siting.forbidden, decided=inputs.register,
    )  # fmt: skip


def _count(s: Settings) -> int | None:
    """Return how many sites are asked for, None where the model finds that out."""
    return None if s.siting.model in FINDS_COUNT else s.siting.count


def settle(s: Settings, candidates: gpd.GeoDataFrame, inputs: Inputs) -> Settled:
    """Apply what planners decided on sites to the candidates."""
    return settle_sites(
        candidates, inputs.register, required=s.siting.required, forbidden=s.siting.forbidden,
        count=_count(s),
        min_spacing_m=s.siting.min_spacing_m, new_hours=s.siting.new_hours,
    )  # fmt: skip


def choose(
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
        full_min=s.service.full_min, budget=s.siting.budget, cost=prices(s),
        min_district_share=s.siting.min_district_share, districts=districts, required=required,
        min_spacing_m=s.siting.min_spacing_m, gap=s.siting.gap,
        informal_share=s.siting.informal_share, time_limit_s=s.siting.time_limit_s,
        reruns=s.siting.reruns, rng=s.study.seed,
        existing_minutes=today["nearest_min"] if known else None, language=s.study.language,
        samples=samples, seating=seating,
    )  # fmt: skip


def make_seating(
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


def plan_seats(opened: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give stations the seats that siting has planned, where it has."""
    planned = sites.attrs["siting"].get("seating", [])
    seats = {p["candidate_id"]: p["seats"] for p in planned if p["seats_added"] > 0}
    return opened.assign(
        capacity=[seats.get(i, c) for i, c in zip(opened.index, opened["capacity"], strict=True)]
    )


def trace(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Trace coverage against the number of stations, well beyond the plan's."""
    return measure_frontier(
        reach, demand, candidates, max(2 * sites.attrs["siting"]["count"], _LEAST_TRACED),
        sites=sites, min_spacing_m=s.siting.min_spacing_m, gap=s.siting.gap, rng=s.study.seed,
        **_spending(s),
    )  # fmt: skip


def spend(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
) -> pd.DataFrame:
    """Trace coverage against money, well beyond what the plan costs."""
    return measure_money(
        reach, demand, candidates, cost=prices(s) or {}, sites=sites,
        min_spacing_m=s.siting.min_spacing_m, gap=s.siting.gap, rng=s.study.seed,
    )  # fmt: skip


def is_coverage(s: Settings) -> bool:
    """Tell whether coverage alone decides on the sites, with a budget or without."""
    return s.siting.model == "mclp" and not s.siting.min_district_share


def vary(
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
        min_spacing_m=s.siting.min_spacing_m, gap=s.siting.gap, **_spending(s),
    )  # fmt: skip


def _spending(s: Settings) -> dict[str, Any]:
    """Return the budget and what is paid of it; where either is not set, no money limits."""
    if prices(s) is None or s.siting.budget is None:
        return {"budget": None, "cost": None}
    return {"budget": s.siting.budget, "cost": prices(s)}


def prices(s: Settings) -> dict[str, float] | None:
    """Return what a station costs by its action, None where the study sets no costs."""
    return {str(action): price for action, price in s.siting.cost.items()} or None


def tell_equity(
    after: pd.DataFrame, sites: gpd.GeoDataFrame, frontier: pd.DataFrame
) -> dict[str, Any]:
    """Measure how evenly districts are served, and what a floor costs in coverage."""
    equity, siting = measure_equity(after), sites.attrs["siting"]
    if siting["model"] == "mclp" and siting.get("min_district_share"):
        free = frontier.set_index("count")["covered_share"].loc[siting["count"]]
        equity["price"] = max(0.0, float(free) - siting["covered_share"])
    return equity


def park(
    s: Settings, inputs: Inputs, stops: gpd.GeoDataFrame, sites: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Choose friendly parking beside the stations that are and will be."""
    return choose_parking(
        inputs.streets, stops, sites, existing=inputs.stations, hosts=inputs.hosts,
        min_workers=s.demand.min_workers, language=s.study.language, rng=s.study.seed,
        **s.parking.model_dump(),
    )  # fmt: skip


def measure_each_edit(
    s: Settings,
    inputs: Inputs,
    demand: gpd.GeoDataFrame,
    existing: gpd.GeoDataFrame,
    opened: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Tell what each change of the streets does, by itself."""
    return measure_edits(
        inputs.unedited, s.streets.edits, demand, existing, opened, area=inputs.area,
        datum=s.study.datum, **limits(s),
    )  # fmt: skip


def horizon_min(s: Settings) -> float:
    """How far the way to a station is searched: how bad the gap is."""
    return 4 * s.service.limit_min


def add_seats(
    s: Settings, facilities: gpd.GeoDataFrame, stations: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Say how many seats existing stations have, and what the study plans new ones with."""
    seats = pd.Series(s.siting.new_seats, facilities.index, dtype=float)
    if stations is not None:
        known = stations["capacity"].rename(index=lambda i: f"{summary.EXISTING}{i}")
        seats = known.reindex(facilities.index)
    return facilities.assign(capacity=seats)


def find_ways(
    s: Settings, streets: StreetNetwork, demand: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Minutes to the nearest station, searched up to four times the limit."""
    return find_minutes(
        streets, demand, facilities, max_min=horizon_min(s),
        dayparts=s.demand.dayparts, snap_m=s.service.snap_m,
    )  # fmt: skip


def measure(
    s: Settings,
    reach: Reach,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    area: gpd.GeoDataFrame,
    minutes: pd.DataFrame,
) -> pd.DataFrame:
    """Measure what some stations cover; `minutes` are those to the nearest of them."""
    return measure_coverage(
        reach.select(facilities.index), demand, facilities=facilities, area=area,
        dayparts=s.demand.dayparts, full_min=s.service.full_min, minutes=minutes,
    )  # fmt: skip


def close_each(reach: Reach, demand: gpd.GeoDataFrame, sides: Sides) -> pd.DataFrame:
    """Tell what each closing would cost, among today's stations and among the plan's."""
    frames = []
    for when, (facilities, minutes) in sides.items():
        table = measure_closures(reach, demand, facilities, minutes=minutes).reset_index()
        table.insert(0, "when", when)
        frames.append(table.set_index(when + ":" + table["facility_id"].astype(str)))
    closures = pd.concat(frames).rename_axis("closure_id")
    check_table(closures, "closures")
    return closures


def find_uncovered(
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


def make_areas(
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


def draw_lines(s: Settings, streets: StreetNetwork) -> gpd.GeoDataFrame:
    """Return the streets to draw, with whom they are owed to."""
    lines = streets.lines()
    if s.streets.attribution is not None:
        lines.attrs["attribution"] = s.streets.attribution
    return lines


def check_near_streets(reach: Reach, demand: gpd.GeoDataFrame) -> None:
    """Refuse a study whose demand lies off the streets: a wrong datum, area or street file."""
    share = summary.off_streets_share(reach, demand)
    if share > 0.5:
        raise InputError(
            f"{share:.0%} of the demand lies too far from every street to be snapped. Check that "
            "`streets.file` shows the same city, and the `datum` of activity and streets "
            "(wgs84, gcj02 or bd09)."
        )
