"""The numbers that report, workbook and terminal tell, read once from a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.report.words import data_dates, is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from planner.plan import Plan
    from planner.report.words import Words

STABLE = 0.8  # of the bootstrap runs: from there on a site counts as stable


@dataclass(frozen=True)
class Scope:
    """Covered share of one daypart or district; None where unknown."""

    name: str
    weight_per_day: float | None
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Figures:
    """What is told of a plan; every share is 0..1, None where unknown.

    Attributes
    ----------
    before, after
        Covered share at any hour, today and with the plan.
    best
        Proven bound on the covered share with as many sites: what no plan can pass.
    gap, status
        How far the plan may be from the best, and whether it is proven optimal.
    gained_per_day
        Rider-visits that the plan newly covers.
    stable
        Sites that at least `STABLE` of the bootstrap runs choose; None if it was not tested.
    circle_before, circle_after
        What circles would claim.
    first
        Sites that the rule on gathering places opened first; None without the rule.
    free
        Covered share of the best plan found without that rule.
    required
        Sites that open in any case, because the study or the register says so.
    by_coverage
        Whether coverage within reach was maximised; else `best` is what all candidates together
        would cover.
    limit
        Proven bound on the covered share of plans that keep the study's budget or floor, for which
        `best` is None.
    dayparts, districts
        Open-now share of every daypart in the study's order; covered share of every district,
        largest demand first.
    """

    study: str
    before: float
    after: float
    best: float | None
    gap: float | None
    status: str
    weight_per_day: float
    gained_per_day: float
    sites: int
    stable: int | None
    activated: int
    circle_before: float | None
    circle_after: float | None
    parking_sites: int
    bays: int
    parking_share: float | None
    dayparts: tuple[Scope, ...]
    districts: tuple[Scope, ...]
    suppressed_share: float | None
    first: int | None = None
    free: float | None = None
    required: int = 0
    by_coverage: bool = True
    limit: float | None = None

    @property
    def ruled(self) -> bool:
        """Whether the rule on gathering places opened any site."""
        return bool(self.first)


def read_figures(plan: Plan) -> Figures:
    """Read the numbers of a plan; none is computed that ``plan.json`` or a table holds."""
    summary = plan.summary
    coverage, siting, demand = summary["coverage"], summary["siting"], summary["demand"]
    before, after = coverage["before"], coverage["after"]
    sites, parking = siting["sites"], summary["parking"]
    weight = float(demand["weight_per_day"])
    tested = [s["stability"] for s in sites if is_number(s.get("stability"))]
    return Figures(
        study=str(summary["study"]),
        before=float(before["covered_share"]),
        after=float(after["covered_share"]),
        best=_best(siting, weight),
        gap=finite(siting.get("gap")) if bounds_coverage(siting) else None,
        status=str(siting.get("status", "")) if bounds_coverage(siting) else "",
        weight_per_day=weight,
        gained_per_day=float(table(plan, "sites")["gain_per_day"].sum()) if sites else 0.0,
        sites=len(sites),
        stable=sum(s >= STABLE for s in tested) if tested else None,
        activated=sum(s["action"] == "activate" for s in sites),
        circle_before=finite(before.get("circle_share")),
        circle_after=finite(after.get("circle_share")),
        parking_sites=len(parking["sites"]),
        bays=sum(int(s["bays"]) for s in parking["sites"]),
        parking_share=finite(parking.get("covered_share")),
        dayparts=_dayparts(plan, before, after),
        districts=_districts(plan, before, after),
        suppressed_share=finite(demand.get("suppressed_share")),
        first=(siting.get("informal_first") or 0) if _has_rule(plan) else None,
        free=finite(siting.get("free_share")),
        required=int(siting.get("required") or 0),
        by_coverage=siting.get("model", "mclp") == "mclp",
        limit=None if bounds_coverage(siting) else finite(siting.get("best_possible_share")),
    )


def best_text(f: Figures, w: Words) -> str:
    """Return the best possible share, with the gap where the plan is not proven to be it.

    The decimals are those of `best_places`.
    """
    share = w.percent(f.best, places=best_places(f, w))
    if f.status == "optimal" or not is_number(f.gap):
        return share
    return w.t("{share} (gap {gap})", share=share, gap=w.percent(f.gap, places=2))


def best_label(f: Figures, w: Words) -> str:
    """Return what the best possible share holds for."""
    if not f.by_coverage:
        return w.t("all candidates together would cover")
    if f.ruled:
        return w.t("best possible, gathering places first")
    if f.required:
        return w.t("best possible that keeps the required sites")
    return w.t("best possible with as many sites")


def best_places(f: Figures, w: Words) -> int:
    """Return one decimal where the bound would else read as what the plan reaches but is not."""
    alike = w.percent(f.best) == w.percent(f.after)
    return int(alike and f.best is not None and f.best - f.after >= 0.0005)


def rule_text(f: Figures, w: Words) -> str:
    """Return how many stations open first where riders gather, and what the rule costs.

    Empty where the rule is off, or opened none.
    """
    if not f.ruled:
        return ""
    said = {"n": f.first, "share": w.from_to(f.after, f.free)[1]}
    if f.first == 1:
        return w.t(
            "1 station opens first where riders already gather; the best possible holds among such "
            "plans; without this rule {share}",
            **said,
        )
    return w.t(
        "{n} stations open first where riders already gather; the best possible holds among such "
        "plans; without this rule {share}",
        **said,
    )


def stable_text(f: Figures, w: Words) -> str:
    """Return how many of the sites are stable, in words if it was not tested."""
    if f.stable is None:
        return w.t("not tested")
    return w.t("{a} of {b}", a=f.stable, b=f.sites)


def table(plan: Plan, name: str) -> gpd.GeoDataFrame:
    """Return a table of the plan, an empty one where it has none."""
    found = plan.tables.get(name)
    return pd.DataFrame() if found is None else found


def has_stations(plan: Plan) -> bool:
    """Tell whether any station exists today."""
    return len(table(plan, "stations")) > 0


def station_names(plan: Plan) -> dict[str, str]:
    """Return name by identifier of every station there will be: existing ones and sites."""
    names: dict[str, str] = {}
    for source in ("stations", "sites"):
        frame = table(plan, source)
        if len(frame):
            names |= dict(zip(frame.index.astype(str), frame["name"].astype(str), strict=True))
    return names | {f"station:{key}": name for key, name in names.items()}


def data_text(plan: Plan, w: Words) -> str:
    """Return the study's name and its data's dates: what a footer says."""
    dates = data_dates(plan.summary, w)
    return " · ".join(filter(None, [str(plan.summary["study"]), dates]))


def _dayparts(plan: Plan, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Scope, ...]:
    today, then = before.get("open_now", {}), after.get("open_now", {})
    weight = plan.summary["demand"].get("by_daypart", {})
    known = [name for name in plan.settings.demand.dayparts if name in {*today, *then}]
    return tuple(
        Scope(n, finite(weight.get(n)), finite(today.get(n)), finite(then.get(n))) for n in known
    )


def _districts(
    plan: Plan, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Scope, ...]:
    today, then = before.get("by_district", {}), after.get("by_district", {})
    coverage = table(plan, "coverage_after")
    rows = coverage[coverage["scope"] == "district"] if len(coverage) else coverage
    weight = dict(zip(rows["name"], rows["weight_per_day"], strict=True)) if len(rows) else {}
    said = district_names(plan)
    scopes = [
        Scope(said.get(n, n), finite(weight.get(n)), finite(today.get(n)), finite(then.get(n)))
        for n in dict.fromkeys([*today, *then])
    ]
    return tuple(sorted(scopes, key=lambda s: (-(s.weight_per_day or 0.0), s.name)))


def district_names(plan: Plan) -> dict[str, str]:
    """Return what each district is called in the study's language, where that is not its name."""
    districts = table(plan, "districts")
    if plan.settings.study.language != "en" or "name_en" not in districts:
        return {}
    pairs = zip(districts["name"].astype(str), districts["name_en"], strict=True)
    return {name: str(english) for name, english in pairs if isinstance(english, str) and english}


def _has_rule(plan: Plan) -> bool:
    return plan.settings.siting.informal_share > 0


def bounds_coverage(siting: Mapping[str, Any]) -> bool:
    """Tell whether bound and gap are those of what any so many sites could cover.

    Other models bound something else, and a floor or a budget bounds only what keeps it.
    """
    bound_by = ("min_district_share", "budget")
    return siting.get("model", "mclp") == "mclp" and not any(siting.get(k) for k in bound_by)


def _best(siting: Mapping[str, Any], weight: float) -> float | None:
    if bounds_coverage(siting):
        return _share(siting.get("bound"), weight)
    return None if siting.get("model") == "mclp" else finite(siting.get("best_possible_share"))


def _share(part: Any, whole: float) -> float | None:
    return min(float(part) / whole, 1.0) if is_number(part) and whole > 0 else None


def finite(value: Any) -> float | None:
    """Return a finite number, or None."""
    return float(value) if is_number(value) else None
