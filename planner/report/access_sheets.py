"""The workbook's tables of coverage, of who has no station, of closures and of changed streets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.figures import read_figures, table
from planner.report.losses import Closure, LeftOut, closures_note, read_closures, read_left_out
from planner.report.nearness import (
    Nearness,
    has_seats,
    horizon_min,
    nearness_heads,
    nearness_note,
    read_nearness,
)
from planner.report.sheet import Field, Sheet
from planner.report.whatif import edits_line, read_edits
from planner.report.words import basis_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.plan import Plan
    from planner.report.words import Words


def access_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the tables that the plan has something for; coverage always."""
    sheets = [_coverage(plan, w)]
    if read_nearness(plan):
        sheets.append(_nearness(plan, w))
    if len(table(plan, "uncovered")):
        sheets.append(_left_out(plan, w))
    if len(table(plan, "closures")):
        sheets.append(_closures(plan, w))
    if len(table(plan, "edits")):
        sheets.append(_edits(plan, w))
    return sheets


# ── coverage ──────────────────────────────────────────────────────────────────────────────────


def _coverage(plan: Plan, w: Words) -> Sheet:
    t, f = w.t, read_figures(plan)
    at_any_hour, open_then = t("at any hour"), t("open at the time")

    def row(scope: str, name: str, hours: str, s: Any) -> tuple[Any, ...]:
        known = s.before is not None and s.after is not None
        change = round(100.0 * (s.after - s.before), 4) if known else None
        return scope, name, hours, s.weight_per_day, s.before, s.after, change

    whole = row(t("All"), t("All"), at_any_hour, f)
    circles = (t("Circles"), t("what circles would claim"), at_any_hour, f.weight_per_day,
               f.circle_before, f.circle_after, None)  # fmt: skip
    rows = [whole, circles]
    rows += [row(t("Time of day"), _daypart(plan, s.name, w), open_then, s) for s in f.dayparts]
    rows += [row(t("District"), s.name, at_any_hour, s) for s in f.districts]
    fields = [
        Field(t("Scope")), Field(t("Name"), most=34), Field(t("Stations counted")),
        Field(t("Rider-visits/day"), "measure"), Field(t("Today, %"), "share"),
        Field(t("Planned, %"), "share"), Field(t("Change, points"), "points"),
    ]  # fmt: skip
    return Sheet(t("Coverage"), t("covered shares of districts and times of day"),
                 basis_line(plan, w), fields, rows, frozen=2)  # fmt: skip


def _nearness(plan: Plan, w: Words) -> Sheet:
    t, scopes = w.t, read_nearness(plan)
    seats = has_seats(scopes)
    kinds = {"all": t("All"), "daypart": t("Time of day"), "district": t("District"),
             "worker_type": t("Worker type")}  # fmt: skip
    rows = [
        (kinds.get(s.scope, s.scope), _scope_name(plan, s, w), side, s.weight_per_day,
         *(ease if seats else ease[:-1]))
        for s in scopes
        for side, ease in ((t("of today"), s.before), (t("of the plan"), s.after))
    ]  # fmt: skip
    looks = ["measure"] * 3 + ["share"] * 2 + ["measure"]
    heads = nearness_heads(w, seats=seats)
    fields = [
        Field(t("Scope")), Field(t("Name"), most=34), Field(t("Stations")),
        Field(t("Rider-visits/day"), "measure"), *map(Field, heads, looks),
    ]  # fmt: skip
    empty = t("no minutes: farther than {far} min, or nobody", far=f"{horizon_min(plan):g}")
    basis = f"{basis_line(plan, w)} · {nearness_note(plan, w)} · {empty}"
    about = t("minutes to the nearest station, a second one in reach, seats")
    return Sheet(t("Minutes to the nearest station"), about, basis, fields, rows, frozen=3)


def _scope_name(plan: Plan, scope: Nearness, w: Words) -> str:
    if scope.scope == "daypart":
        return _daypart(plan, scope.name, w)
    names = {"all": w.t("All"), "worker_type": w.t(scope.name)}
    return names.get(scope.scope, scope.name)


def _daypart(plan: Plan, name: str, w: Words) -> str:
    hours = plan.settings.demand.dayparts.get(name)
    return f"{w.daypart(name)} {w.clock(hours)}" if hours else w.daypart(name)


# ── who has none ──────────────────────────────────────────────────────────────────────────────


def _left_out(plan: Plan, w: Words) -> Sheet:
    t = w.t

    def rows(when: str, said: str) -> Iterator[tuple[Any, ...]]:
        place: LeftOut
        for place in read_left_out(plan, when):
            peak = w.daypart(place.peak) if place.peak else None
            yield (said, place.name, place.weight_per_day, place.share, peak, place.nearest_min,
                   place.lon, place.lat)  # fmt: skip

    fields = [
        Field(t("Stations")), Field(t("Where"), most=40), Field(t("Rider-visits/day"), "measure"),
        Field(t("Of all, %"), "share"), Field(t("Peak")),
        Field(t("Nearest station, min"), "measure"),
        Field(t("Longitude, °"), "degrees"), Field(t("Latitude, °"), "degrees"),
    ]  # fmt: skip
    told = [*rows("after", t("of the plan")), *rows("before", t("of today"))]
    about = t("where demand without a station crowds together")
    return Sheet(t("Who is left out"), about, basis_line(plan, w), fields, told, frozen=2)


def _closures(plan: Plan, w: Words) -> Sheet:
    t = w.t

    def rows(when: str, said: str) -> Iterator[tuple[Any, ...]]:
        station: Closure
        for station in read_closures(plan, when):
            yield (said, station.name, station.rank, station.served_per_day,
                   station.lost_per_day, station.lost_share, station.next_min)  # fmt: skip

    fields = [
        Field(t("Stations")), Field(t("Station closed"), most=40), Field(t("Rank"), "count"),
        Field(t("Nearest for, visits/day"), "measure"),
        Field(t("Left without one, visits/day"), "measure"), Field(t("Of all, %"), "share"),
        Field(t("Next station, min"), "measure"),
    ]  # fmt: skip
    told = [*rows("after", t("of the plan")), *rows("before", t("of today"))]
    basis = f"{closures_note(w)} · {basis_line(plan, w)}"
    about = t("what closing each station would cost")
    return Sheet(t("If a station closed"), about, basis, fields, told, frozen=2)


def _edits(plan: Plan, w: Words) -> Sheet:
    t = w.t
    actions = {"connect": t("New way"), "open": t("Opened"), "close": t("Closed")}
    rows = [
        (e.name, actions.get(e.action, e.action), w.yes_no(e.adopted), case, e.ends_min[k],
         e.affected_per_day, e.affected_min[k], e.hours_saved_per_day if k else None, e.today[k],
         e.planned[k], e.district or None, e.there[k])
        for e in read_edits(plan)
        for k, case in enumerate((t("without"), t("with")))
    ]  # fmt: skip
    fields = [
        Field(t("Street"), most=34), Field(t("Change")), Field(t("Plan counts with it")),
        Field(t("Case")), Field(t("From end to end, min"), "measure"),
        Field(t("Visits whose way changes, a day"), "measure"),
        Field(t("Their mean way to a station, min"), "measure"),
        Field(t("Rider-hours saved a day"), "measure"),
        Field(t("Covered, stations of today"), "share"),
        Field(t("Covered, stations of the plan"), "share"), Field(t("Changes most in")),
        Field(t("Covered there"), "share"),
    ]  # fmt: skip
    about = t("what an opened passage or a closed bridge would do")
    basis = f"{edits_line(plan, w)} · {basis_line(plan, w)}"
    return Sheet(t("If a street changed"), about, basis, fields, rows, frozen=1)
