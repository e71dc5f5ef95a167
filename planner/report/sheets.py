"""The workbook's tables: which columns, which words, which rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.access_sheets import access_sheets
from planner.report.crowd_sheets import crowd_sheets
from planner.report.figures import station_names, table
from planner.report.method import (
    definitions,
    method_lines,
    package_rows,
    privacy_lines,
    setting_rows,
)
from planner.report.offered import dropped_rows
from planner.report.robust_sheets import money_sheets, scenario_sheets
from planner.report.seating import seating_sheets
from planner.report.sheet import Field, Sheet, degrees, text
from planner.report.site_sheets import site_sheets
from planner.report.siting_sheets import frontier_sheets
from planner.report.words import basis_line

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.words import Words


def make_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the tables in the order of the workbook, after its summary."""
    return [
        *site_sheets(plan, w), *frontier_sheets(plan, w),
        *seating_sheets(plan, w), *money_sheets(plan, w), *scenario_sheets(plan, w),
        _parking(plan, w),
        *access_sheets(plan, w), _stations(plan, w), *crowd_sheets(plan, w),
        _inputs(plan, w), _method(plan, w),
    ]  # fmt: skip


def _parking(plan: Plan, w: Words) -> Sheet:
    t, parking = w.t, table(plan, "parking")
    names, (lon, lat) = station_names(plan), degrees(parking)
    rows = [
        (site_id, p["name"], p["bays"], p["served_per_day"], p["peak_per_hour"],
         p["blocking_share"], text(p["station_id"]), names.get(str(p["station_id"])),
         p["station_walk_m"], x, y)
        for (site_id, p), x, y in zip(parking.iterrows(), lon, lat, strict=True)
    ]  # fmt: skip
    fields = [
        Field(t("Site no.")), Field(t("Where"), most=34), Field(t("Bays"), "count"),
        Field(t("Stops/day"), "measure"), Field(t("Busiest hour, stops"), "measure"),
        Field(t("Find it full, %"), "share"), Field(t("Station no.")),
        Field(t("Nearest station"), most=34), Field(t("Walk, m"), "count"),
        Field(t("Longitude, °"), "degrees"), Field(t("Latitude, °"), "degrees"),
    ]  # fmt: skip
    basis = t(
        "bay to door within {door} m · bay to station within {station} m on foot · Erlang B",
        door=f"{plan.settings.parking.door_m:g}", station=f"{plan.settings.parking.station_m:g}",
    )  # fmt: skip
    return Sheet(t("Friendly parking"), t("where e-bikes can stop, and how many bays"), basis,
                 fields, rows, frozen=2, tinted=True)  # fmt: skip


def _stations(plan: Plan, w: Words) -> Sheet:
    t, stations = w.t, table(plan, "stations")
    lon, lat = degrees(stations)
    rows = [
        (station_id, s["name"], w.kind(str(s["kind"])), text(s["services"]), s["hours"],
         w.yes_no(s["hours_assumed"]), s["capacity"], x, y)
        for (station_id, s), x, y in zip(stations.iterrows(), lon, lat, strict=True)
    ]  # fmt: skip
    fields = [
        Field(t("Station no.")), Field(t("Name"), most=34), Field(t("Kind")),
        Field(t("Services"), most=30), Field(t("Hours")), Field(t("Hours assumed")),
        Field(t("Capacity, seats"), "count"), Field(t("Longitude, °"), "degrees"),
        Field(t("Latitude, °"), "degrees"),
    ]  # fmt: skip
    return Sheet(t("Existing stations"), t("what exists and stays"), basis_line(plan, w), fields,
                 rows, frozen=2)  # fmt: skip


def _inputs(plan: Plan, w: Words) -> Sheet:
    t = w.t
    rows: list[tuple[Any, ...]] = []
    for name, note in plan.summary["inputs"].items():
        source, examples = w.source(name), note.get("examples") or {}
        lost = note["rows"] - note["kept"]
        remarks = [f"{w.reason(key)}: {n}" for key, n in (note.get("notes") or {}).items()]
        rows.append((source, note["file"], None, note["rows"], note["kept"], lost,
                     "; ".join(remarks) or None, note.get("sha256")))  # fmt: skip
        rows += [
            (
                source,
                note["file"],
                w.reason(why),
                None,
                None,
                n,
                w.example(examples.get(why, "")),
                None,
            )
            for why, n in (note.get("dropped") or {}).items()
        ]
    activity = plan.summary.get("activity") or {}
    rows += [
        (t("Stays"), None, w.reason(reason), None, None, n, None, None)
        for reason, n in (activity.get("dropped") or {}).items()
        if n
    ]
    rows += dropped_rows(plan, w)
    fields = [
        Field(t("Input")), Field(t("File"), most=30), Field(t("Reason of the loss"), most=40),
        Field(t("Rows"), "count"), Field(t("Kept"), "count"), Field(t("Left out"), "count"),
        Field(t("Example or remark"), most=44), Field("SHA-256", most=38),
    ]  # fmt: skip
    return Sheet(t("Data and losses"), t("what was read, what was left out and why"),
                 t("rows as in the file, the header is row 1"), fields, rows,
                 frozen=1)  # fmt: skip


def _method(plan: Plan, w: Words) -> Sheet:
    t = w.t
    parts = [
        (t("Definition"), definitions(plan, w)),
        (t("Method"), method_lines(plan, w)),
        (t("Privacy"), privacy_lines(plan, w)),
        (t("Setting"), [(s.key, s.value) for s in setting_rows(plan.settings)]),
        (t("Version"), [("planner", str(plan.summary["version"])), *package_rows(plan)]),
        (t("Version"), [(t("seed"), str(plan.summary["seed"]))]),
    ]  # fmt: skip
    rows = [(part, key, said) for part, lines in parts for key, said in lines]
    fields = [Field(t("Part")), Field(t("Key"), most=40), Field(t("Value"), most=90)]
    return Sheet(t("Settings and method"), t("definitions, method, settings and versions"),
                 basis_line(plan, w), fields, rows, frozen=2)  # fmt: skip
