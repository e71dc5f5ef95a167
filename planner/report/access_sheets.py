"""The workbook's tables of coverage, of who has no station, of closures and of changed streets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.figures import read_figures, table
from planner.report.losses import Closure, LeftOut, closures_note, read_closures, read_left_out
from planner.report.nearness import (
    MEASURES,
    Nearness,
    has_seats,
    horizon_min,
    nearness_note,
    read_nearness,
)
from planner.report.sheet import Field, Sheet
from planner.report.whatif import edits_line, read_edits
from planner.report.words import basis_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.plan import Plan
    from planner.report.figures import Figures
    from planner.report.words import Words


def access_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the tables that the plan has something for; coverage always."""
    sheets = [_coverage(plan, w)]
    if len(table(plan, "uncovered")):
        sheets.append(_left_out(plan, w))
    if len(table(plan, "closures")):
        sheets.append(_closures(plan, w))
    if len(table(plan, "edits")):
        sheets.append(_edits(plan, w))
    return sheets


# ── coverage ──────────────────────────────────────────────────────────────────────────────────


def _coverage(plan: Plan, w: Words) -> Sheet:
    t, near = w.t, read_nearness(plan)
    by_name = {(s.scope, s.name): s for s in near}
    measures = [m for m in MEASURES if m != "seats_per_100" or has_seats(near)] if near else []
    rows = [
        (*shares, *_measures(by_name.get(key), measures))
        for key, shares in _shares(plan, read_figures(plan), w)
    ]
    heads = {
        "mean_min": t("Mean, min"), "median_min": t("Half within, min"),
        "p90_min": t("Nine in ten within, min"), "backup_share": t("Two or more stations, %"),
        "gradual_share": t("Gradual, %"), "seats_per_100": t("Seats per 100 visits"),
    }  # fmt: skip
    fields = [
        Field(t("Scope")), Field(t("Name"), most=34), Field(t("Stations counted")),
        Field(t("Rider-visits/day"), "measure"), Field(t("Today, %"), "share"),
        Field(t("Planned, %"), "share"), Field(t("Change, points"), "points"),
        *(
            Field(head, "share" if m.endswith("_share") else "measure")
            for m in measures
            for head in (t("{what}: today", what=heads[m]), t("{what}: planned", what=heads[m]))
        ),
    ]  # fmt: skip
    basis = basis_line(plan, w)
    if near:
        far = f"{horizon_min(plan):g}"
        empty = t("no minutes: farther than {far} min, or nobody", far=far)
        basis = f"{basis} · {nearness_note(plan, w)} · {empty}"
    return Sheet(t("Coverage"), t("covered shares of districts and times of day"), basis, fields,
                 rows, frozen=2)  # fmt: skip


def _shares(plan: Plan, f: Figures, w: Words) -> Iterator[tuple[tuple[str, str], tuple[Any, ...]]]:
    """Yield scope and name, and what stands first in that row."""
    t = w.t
    at_any_hour, open_then = t("at any hour"), t("open at the time")
    hours = plan.settings.demand.dayparts

    def row(scope: str, name: str, stations: str, s: Any) -> tuple[Any, ...]:
        known = s.before is not None and s.after is not None
        change = round(100.0 * (s.after - s.before), 4) if known else None
        return scope, name, stations, s.weight_per_day, s.before, s.after, change

    yield ("all", "all"), row(t("All"), t("All"), at_any_hour, f)
    yield (
        ("", ""),
        (t("Circles"), t("what circles would claim"), at_any_hour, f.weight_per_day,
         f.circle_before, f.circle_after, None),
    )  # fmt: skip
    for s in f.dayparts:
        label = f"{w.daypart(s.name)} {w.clock(hours[s.name])}"
        yield ("daypart", s.name), row(t("Time of day"), label, open_then, s)
    for s in f.districts:
        yield ("district", s.name), row(t("District"), s.name, at_any_hour, s)


def _measures(scope: Nearness | None, names: list[str]) -> list[float | None]:
    if scope is None:
        return [None] * (2 * len(names))
    return [getattr(side, name) for name in names for side in (scope.before, scope.after)]


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
        (e.name, actions.get(e.action, e.action), w.yes_no(e.adopted), *e.ends_min,
         e.affected_per_day, *e.affected_min, e.hours_saved_per_day, *e.today, *e.planned,
         e.district or None, *e.there)
        for e in read_edits(plan)
    ]  # fmt: skip
    both = [
        (t("From end to end, min"), "measure"), (t("Their mean to a station, min"), "measure"),
        (t("Covered, stations of today"), "share"), (t("Covered, stations of the plan"), "share"),
        (t("Covered there"), "share"),
    ]  # fmt: skip
    ends, mean, today, planned, there = (
        [Field(t("{what}: without", what=head), look), Field(t("{what}: with", what=head), look)]
        for head, look in both
    )
    fields = [
        Field(t("Street"), most=34), Field(t("Change")), Field(t("Plan counts with it")), *ends,
        Field(t("Visits with another way, a day"), "measure"), *mean,
        Field(t("Rider-hours saved a day"), "measure"), *today, *planned,
        Field(t("Changes most in")), *there,
    ]  # fmt: skip
    about = t("what an opened passage or a closed bridge would do")
    basis = f"{edits_line(w)} · {basis_line(plan, w)}"
    return Sheet(t("If a street changed"), about, basis, fields, rows, frozen=1)
