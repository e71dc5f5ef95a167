"""The workbook's tables of gathering places, hot spots and of what demand is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.report.crowds import place_name, to_site_m, weighing_words
from planner.report.figures import table
from planner.report.sheet import Field, Sheet, degrees
from planner.report.words import data_dates

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from planner.plan import Plan
    from planner.report.words import Words

_TYPE = "weight_type_"


def crowd_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the tables that the plan has something for."""
    sheets = [_demand(plan, w)]
    if "hotspots" in plan.tables:
        sheets.insert(0, _hotspots(plan, w))
    if "gatherings" in plan.tables:
        sheets.insert(0, _gatherings(plan, w))
    return sheets


def _gatherings(plan: Plan, w: Words) -> Sheet:
    t, known = w.t, table(plan, "gatherings")
    parts, (lon, lat) = _dayparts(plan, known), degrees(known)
    rows = [
        (place_id, place_name(plan, g["name"]), w.yes_no(g["informal"]), g["rest_per_day"],
         g["station_m"], np.fmin(g["station_m"], site_m), g["weight_per_day"],
         *(g[f"weight_{p}"] for p in parts), _peak(g, w), g["peak_share"], x, y)
        for (place_id, g), site_m, x, y in zip(
            known.iterrows(), to_site_m(plan, known), lon, lat, strict=True
        )
    ]  # fmt: skip
    fields = [
        Field(t("Place no.")), Field(t("Where"), most=34), Field(t("Without shelter")),
        Field(t("Rests/day"), "measure"), Field(t("Nearest station, m"), "count"),
        Field(t("With the plan, m"), "count"), *_crowd_fields(parts, w),
    ]  # fmt: skip
    about = t("where riders gather to rest, and how far shelter is")
    return Sheet(t("Gathering places"), about, rest_basis(plan, w), fields, rows, frozen=2)


def _hotspots(plan: Plan, w: Words) -> Sheet:
    t, known = w.t, table(plan, "hotspots")
    parts, (lon, lat) = _dayparts(plan, known), degrees(known)
    rests = "rest_per_day" in known
    rows = [
        (place_id, place_name(plan, h["name"]), *([h["rest_per_day"]] if rests else []),
         h["weight_per_day"], *(h[f"weight_{p}"] for p in parts), _peak(h, w),
         h.get("peak_share"), x, y)
        for (place_id, h), x, y in zip(known.iterrows(), lon, lat, strict=True)
    ]  # fmt: skip
    fields = [
        Field(t("Place no.")), Field(t("Where"), most=34),
        *([Field(t("Rests/day"), "measure")] if rests else []), *_crowd_fields(parts, w),
    ]  # fmt: skip
    about = t("where demand crowds together, heaviest first")
    return Sheet(t("Hot spots"), about, demand_basis(plan, w), fields, rows, frozen=2)


def _demand(plan: Plan, w: Words) -> Sheet:
    t = w.t
    total = float(plan.summary["demand"]["weight_per_day"])
    rows = [
        (family, name, visits, share)
        for family, name, visits, share in [(t("All"), t("All"), total, 1.0), *_shares(plan, w)]
    ]
    fields = [
        Field(t("Scope")), Field(t("Name"), most=34), Field(t("Rider-visits/day"), "measure"),
        Field(t("Of all, %"), "share"),
    ]  # fmt: skip
    about = t("rider-visits by time of day, kind of day, length and worker type")
    return Sheet(t("Demand"), about, demand_basis(plan, w), fields, rows, frozen=2)


def _shares(plan: Plan, w: Words) -> Iterator[tuple[str, str, float, float | None]]:
    """Yield family, name, visits a day and share of each part of demand; days are no part."""
    t, demand, told = w.t, table(plan, "demand"), plan.summary["demand"]
    total = float(told["weight_per_day"])
    hours = plan.settings.demand.dayparts
    for name, visits in told.get("by_daypart", {}).items():
        label = f"{w.daypart(name)} {w.clock(hours[name])}"
        yield t("Time of day"), label, visits, visits / total
    days = {"workday": t("an average workday"), "weekend": t("an average weekend day")}
    for name, label in days.items():
        if name in told:
            yield t("Kind of day"), label, told[name], None
    classes = {
        "handover": t("handovers under 5 min"),
        "wait": t("waits of 5 to 20 min"),
        "rest": t("rests of 20 min or more"),
    }
    for name, visits in told.get("by_class", {}).items():
        if visits:  # what `min_stay_min` leaves out was not looked for
            yield t("Length of stay"), classes[name], visits, visits / total
    for column in [c for c in demand.columns if c.startswith(_TYPE)]:
        visits = float(demand[column].sum())
        yield t("Worker type"), t(column.removeprefix(_TYPE)), visits, visits / total


def _crowd_fields(parts: list[str], w: Words) -> list[Field]:
    t = w.t
    return [
        Field(t("Rider-visits/day"), "measure"),
        *(Field(t("{part}, visits/day", part=w.daypart(p)), "measure") for p in parts),
        Field(t("Peak")), Field(t("Peak, % of its visits"), "share"),
        Field(t("Longitude, °"), "degrees"), Field(t("Latitude, °"), "degrees"),
    ]  # fmt: skip


def _dayparts(plan: Plan, known: pd.DataFrame) -> list[str]:
    return [p for p in plan.settings.demand.dayparts if f"weight_{p}" in known]


def _peak(row: pd.Series, w: Words) -> str | None:
    peak: Any = row.get("peak")
    return w.daypart(str(peak)) if peak else None


def demand_basis(plan: Plan, w: Words) -> str:
    """Return what stands under a table of visits: what they were multiplied by, and their dates."""
    dates = data_dates(plan.summary, w)
    told = [w.t("an average day, five workdays and two weekend days of seven")]
    told += [weighing_words(plan, w), w.t("data {dates}", dates=dates) if dates else ""]
    return " · ".join(filter(None, told))


def rest_basis(plan: Plan, w: Words) -> str:
    """Return what stands under a table of gathering places."""
    said = w.t(
        "rests: stays of 20 min or more · straight line to the nearest station with shelter, which "
        "parking and charging are not"
    )
    return f"{said} · {demand_basis(plan, w)}"
