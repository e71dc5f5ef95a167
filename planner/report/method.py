"""What the figures mean, how they were made, and with what: told alike by report and workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from planner.report.asked import asked_method
from planner.report.figures import STABLE
from planner.report.nearness import nearness_method, nearness_terms
from planner.report.offered import offered_line
from planner.report.seating import seating_method
from planner.report.words import basis_line
from planner.settings import Settings
from planner.siting.explanations import NEAR_TIE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.plan import Plan
    from planner.report.words import Words


class Setting(NamedTuple):
    """One key of the study."""

    key: str
    value: str
    changed: bool  # not the default


def definitions(plan: Plan, w: Words) -> list[tuple[str, str]]:
    """Return term and meaning of every figure in the report."""
    t, s = w.t, plan.settings
    return [
        (t("Basis"), basis_line(plan, w)),
        (t("Rider-visit"), _visit(plan, w)),
        *_weighing(plan, w),
        (
            t("Covered"),
            t(
                "a rider-visit from whose place a station is reached along the streets within "
                "{limit} minutes; shares are of rider-visits, not of places",
                limit=f"{s.service.limit_min:g}",
            ),
        ),
        (
            t("Open at the time"),
            t("the same, counting only stations open for at least half of the time of day"),
        ),
        *nearness_terms(plan, w),
        (t("Today, planned"), t("existing stations; existing stations and recommended sites")),
        (
            t("Best possible"),
            _best(plan, w),
        ),
        (
            t("Stable"),
            t(
                "chosen, or a neighbour in its place, in at least {share} of the runs with "
                "demand drawn anew from the data",
                share=w.percent(STABLE),
            ),
        ),
        *_near_tie(plan, w),
        *_gathering(plan, w),
        (
            t("Short stop"),
            t(
                "{first} to {last} minutes at one place: what a parking bay is for",
                first=f"{s.parking.min_stop_min:g}", last=f"{s.parking.max_stop_min:g}",
            ),
        ),
    ]  # fmt: skip


def _best(plan: Plan, w: Words) -> str:
    if plan.summary["siting"].get("informal_first"):
        return w.t(
            "a proven limit: no choice of as many sites among the candidates that opens gathering "
            "places first can cover more"
        )
    siting = plan.summary["siting"]
    if siting.get("model", "mclp") != "mclp":
        return w.t("what all candidates together would cover: no choice among them can cover more")
    if siting.get("required"):
        return w.t(
            "a proven limit: no choice of as many sites among the candidates that keeps the "
            "required ones can cover more"
        )
    return w.t("a proven limit: no choice of as many sites among the candidates can cover more")


def _weighing(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    """Yield what visits were multiplied by."""
    t, demand = w.t, plan.summary["demand"]
    told = demand.get("expansion", {})
    if told:
        factors = [
            f"{t(kind)} × {w.number(entry['factor'])}" if entry["factor"] else t(kind)
            for kind, entry in told.items()
        ]
        said = t(
            "each visit stands for registered workers over workers seen, by type: {factors}; other "
            "types keep their weight",
            factors=" · ".join(factors),
        )
        yield t("Expansion"), said
    if demand.get("need"):
        need = [f"{_need_name(key, w)} × {w.number(v)}" for key, v in demand["need"].items()]
        yield t("Need weight"), t("what a visit weighs: {factors}", factors=" · ".join(need))


def _need_name(key: str, w: Words) -> str:
    """Return what a need weight is of: a stay class or ``type_…``."""
    classes = {
        "handover": w.t("handover under 5 min"),
        "wait": w.t("wait of 5 to 20 min"),
        "rest": w.t("rest of 20 min or more"),
    }
    return classes.get(key) or w.t(key.removeprefix("type_"))


def _near_tie(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    if len(plan.tables.get("explanations", ())):
        said = w.t(
            "a candidate in whose place the plan would cover nearly as much: all but {share} of it",
            share=w.percent(NEAR_TIE, places=1),
        )
        yield w.t("Nearly as good"), said


def _gathering(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    if len(plan.tables.get("gatherings", ())):
        said = w.t(
            "a group of cells where riders stay 20 minutes or more; without shelter: no station "
            "within {limit} m in a straight line, parking and charging not counted",
            limit=f"{plan.settings.candidates.shelter_m:g}",
        )
        yield w.t("Gathering place"), said


def _first(plan: Plan, w: Words) -> str:
    """Say the rule on gathering places after the method of siting; empty where it is off."""
    share = plan.settings.siting.informal_share
    if not share:
        return ""
    return " " + w.t(
        "Up to {share} of the sites open first where most riders rest without shelter and no "
        "station is within the limit (practice of Leshan).",
        share=w.percent(share),
    )


def method_lines(plan: Plan, w: Words) -> list[tuple[str, str]]:
    """Return step and one sentence with its source, in the order of the work."""
    t, s = w.t, plan.settings
    network, siting = plan.summary["network"], plan.summary["siting"]
    lines = [
        (
            t("Stays"),
            _stays(plan, w),
        ),
        (
            t("Demand"),
            t(
                "Stays are counted in hexagons {cell} m wide; cells with fewer than {k} distinct "
                "workers join neighbours or are left out.",
                cell=f"{s.demand.cell_m:g}", k=s.demand.min_workers,
            ),
        ),
        (
            t("Reach"),
            t(
                "Shortest times from demand to station along {edges} street edges, each point "
                "snapped to its nearest street within {snap} m.",
                edges=w.count(network["edges"]), snap=f"{s.service.snap_m:g}",
            ),
        ),
        *nearness_method(plan, w),
        *([(t("Candidates"), offered_line(plan, w))] if offered_line(plan, w) else []),
        (
            t("Siting"),
            (
                seating_method(plan, w)
                if siting.get("model") == "capacitated"
                else asked_method(plan, w)
            )
            + _first(plan, w),
        ),
        *_stability(plan, w),
        (
            t("Bays needed"),
            t(
                "As few bays as keep arrivals that find none at {share} or below in the busiest "
                "hour (Erlang B; Erlang 1917).",
                share=w.percent(s.parking.max_blocking),
            ),
        ),
    ]  # fmt: skip
    if len(plan.summary["coverage"]["after"]["by_district"]) > 1:
        gini = w.number(plan.summary["equity"].get("gini"))
        said = t(
            "Gini coefficient of the districts' covered shares: {gini} (0: all alike).", gini=gini
        )
        lines.append((t("Evenness"), said))
    return lines


def _stability(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    """Yield how often demand was drawn anew; where it was not, why."""
    runs = plan.summary["siting"].get("reruns")
    if runs:
        said = w.t(
            "{n} runs on demand drawn anew with replacement (bootstrap; Efron 1979).",
            n=w.count(runs),
        )
    elif plan.settings.siting.reruns:
        said = w.t(
            "Not tested: demand is drawn anew only where coverage and the number of stations "
            "alone decide."
        )
    else:
        said = w.t("Not tested: the study asks for no runs.")
    yield w.t("Stability"), said


def _kind(plan: Plan) -> str:
    """Return what a rider-visit is: stays, presence, orders or counts."""
    basis = plan.summary["demand"].get("basis")
    kind = plan.settings.activity.kind
    return "presence" if basis == "presence" else kind


def _visit(plan: Plan, w: Words) -> str:
    """Say what one rider-visit stands for."""
    t, kind = w.t, _kind(plan)
    if kind == "presence":
        said = t("one rider seen at a place within five minutes, on an average day")
    elif kind == "orders":
        said = t("one end of an order, on an average day")
    elif kind == "counts":
        said = t("one visit as counted in the file, on an average day")
    else:
        said = t("one stay of one rider, on an average day")
    return said


def _stays(plan: Plan, w: Words) -> str:
    """Say where stays come from."""
    t, activity = w.t, plan.settings.activity
    if _kind(plan) == "presence":
        return t(
            "The fixes hardly show riders standing, so demand is where riders are every five "
            "minutes."
        )
    if activity.kind == "orders":
        return t("Stays are taken from the places and times of orders.")
    if activity.kind == "stays":
        return t("Stays were read from the study's own file.")
    if activity.kind == "counts":
        return t("Rider-visits were read as counts from the study's own file.")
    return t(
        "A rider is staying while all fixes lie within {radius} m for {least} to {most} minutes "
        "(after Li et al. 2008).",
        radius=f"{activity.radius_m:g}", least=f"{activity.min_stay_min:g}",
        most=f"{activity.max_stay_min:g}",
    )  # fmt: skip


def privacy_lines(plan: Plan, w: Words) -> list[tuple[str, str]]:
    """Return what was done so that no worker can be made out, and what it cost."""
    t, privacy, demand = w.t, plan.summary["privacy"], plan.summary["demand"]
    return [
        (t("Least distinct workers behind any figure"), w.count(privacy["min_workers"])),
        (t("Cells left out"), w.count(privacy["suppressed_cells"])),
        (t("Rider-visits left out"), w.percent(demand["suppressed_share"], places=1)),
        (t("Distinct workers in the data"), w.count(demand["workers"])),
    ]


def setting_rows(settings: Settings) -> list[Setting]:
    """Return every key of the study with its value, those that differ from the default marked."""
    given, default = (s.model_dump(mode="json", by_alias=True) for s in (settings, Settings()))
    return [
        Setting(f"{section}.{key}", _plain(value), value != default[section].get(key))
        for section, values in given.items()
        for key, value in values.items()
    ]


def package_rows(plan: Plan) -> list[tuple[str, str]]:
    """Return the names and versions of what the figures were made with."""
    summary = plan.summary
    return [*sorted((str(k), str(v)) for k, v in summary["packages"].items())]


def _plain(value: Any) -> str:
    """Say a setting as the study's file would have it, near enough to read."""
    if value is None or value in ("", {}, []):
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{k} = {_plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        return "; ".join(", ".join(_pairs(row)) for row in value)
    if isinstance(value, (list, tuple)):
        return "–".join(map(_plain, value)) if _is_span(value) else ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pairs(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a row of a list sets, places as longitude and latitude."""
    for key, value in row.items():
        if isinstance(value, (list, tuple)):
            yield f"{key} = [{', '.join(map(str, value))}]"
        elif value:
            yield f"{key} = {_plain(value)}"


def _is_span(value: Any) -> bool:
    return len(value) == 2 and all(isinstance(v, (int, float)) for v in value)
