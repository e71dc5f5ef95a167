"""Seats in the report: what they serve, how full each station is, and what is enlarged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.sheet import Field, Sheet
from planner.report.words import basis_line

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.words import Words

MOST_ROWS = 12  # existing stations that the report lists, fullest first
_FULL = 0.9995


def read_seating(plan: Plan) -> list[dict[str, Any]]:
    """Return every station with its seats and load: new, enlarged, then the fullest first."""
    order = {"build": 0, "activate": 0, "enlarge": 1}
    rows = plan.summary["siting"].get("seating") or []
    return sorted(
        rows, key=lambda r: (order.get(r["action"], 2), -r["load_share"], r["candidate_id"])
    )


def seating_title(plan: Plan, w: Words) -> str:
    """Say what the seats serve today and with the plan."""
    siting = plan.summary["siting"]
    return w.t(
        "Seats serve {before} of the visits today, {after} with {n} seats more",
        before=w.percent(siting["served_share_before"], places=1),
        after=w.percent(siting["served_share"], places=1),
        n=w.count(round(siting["seats_added"])),
    )  # fmt: skip


def seating_lines(plan: Plan, w: Words) -> list[str]:
    """Say how good that is, which stations grow, which are full, and what was assumed."""
    siting, rows, t = plan.summary["siting"], read_seating(plan), w.t
    lines = [
        t(
            "No choice of as many new stations could serve more than {best}.",
            best=w.percent(siting["served_share_best"], places=1),
        )
        if siting.get("budget") is None
        else t(
            "The plan costs {cost} of a budget of {budget}; no choice within it could serve more "
            "than {best}.",
            cost=w.number(siting["cost"]), budget=w.number(siting["budget"]),
            best=w.percent(siting["served_share_best"], places=1),
        )
    ]  # fmt: skip
    grown = [r["name"] for r in rows if r["action"] == "enlarge"]
    if grown:
        names = ("、" if w.language == "zh" else ", ").join(grown)
        lines.append(t("Existing stations to enlarge: {names}.", names=names))
    full = sum(r["load_share"] >= _FULL for r in rows)
    lines.append(
        t(
            "Full on an average day: {full} of {n} stations.",
            full=w.count(full),
            n=w.count(len(rows)),
        )
    )
    assumed = sum(r["seats_assumed"] for r in rows)
    if assumed:
        lines.append(
            t(
                "The seats of {n} stations are not known; as many as is usual were assumed.",
                n=w.count(assumed),
            )
        )
    return lines


def seat_use_line(plan: Plan, w: Words) -> str:
    """Say what a seat serves a day, and whence that is known."""
    s = plan.settings.siting
    if s.visits_per_seat is not None:
        return w.t("{n} visits a seat and day", n=w.number(s.visits_per_seat))
    return w.t(
        "visits a seat and day: hours open over the mean stay, taken {share} of the time",
        share=w.percent(s.seat_use),
    )


def seating_cells(row: dict[str, Any], w: Words) -> list[str]:
    """Return the cells of a station: name, action, seats, served, capacity, load."""
    seats = w.count(round(row["seats"]))
    if row["action"] == "enlarge":
        seats = f"{w.count(round(row['seats'] - row['seats_added']))} → {seats}"
    return [
        row["name"], becomes(row, w), seats, w.rate(row["served_per_day"]),
        w.rate(row["capacity_per_day"]), w.percent(row["load_share"]),
    ]  # fmt: skip


def becomes(row: dict[str, Any], w: Words) -> str:
    """Return what is to be done at a station, and the kind that it becomes."""
    action = w.action(row["action"])
    if row["seat_kind"] in {"", row["action"], action}:
        return action
    kind = f"（{row['seat_kind']}）" if w.language == "zh" else f" ({row['seat_kind']})"
    return action + kind


def seating_heads(w: Words) -> list[str]:
    """Return the heads of `seating_cells`."""
    t = w.t
    return [
        t("Station"), t("Action"), t("Seats"), t("Serves, rider-visits/day"),
        t("Could serve, rider-visits/day"), t("Load, %"),
    ]  # fmt: skip


def seating_method(plan: Plan, w: Words) -> str:
    """Say how seats were decided on."""
    siting = plan.summary["siting"]
    return w.t(
        "Covering under capacities (Current & Storbeck 1988): exchanges over maximum flows, "
        "bounded by Lagrangean multipliers and HiGHS; gap {gap}, {status}. {seat}.",
        gap=w.percent(siting.get("gap"), places=2), status=w.status(siting.get("status")),
        seat=seat_use_line(plan, w),
    )  # fmt: skip


def seating_part(plan: Plan, w: Words) -> dict[str, Any]:
    """Return what the report's section on seats shows; no rows where seats were not asked."""
    rows = read_seating(plan)
    if not rows:
        return {"seating": []}
    changed = [r for r in rows if r["action"] != "keep"]
    kept = [r for r in rows if r["action"] == "keep"]
    gap = "" if w.language == "zh" else " "
    shown = w.t(
        "existing stations shown: the {k} fullest of {n}",
        k=w.count(min(MOST_ROWS, len(kept))), n=w.count(len(kept)),
    )  # fmt: skip
    return {
        "seating": [seating_cells(r, w) for r in [*changed, *kept[:MOST_ROWS]]],
        "seating_title": seating_title(plan, w),
        "seating_heads": seating_heads(w),
        "seating_line": gap.join(seating_lines(plan, w)),
        "seating_basis": " · ".join([shown, seat_use_line(plan, w), basis_line(plan, w)]),
    }


def seating_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the table of all stations with seats and load; none where seats were not asked."""
    t, rows = w.t, read_seating(plan)
    if not rows:
        return []
    fields = [
        Field(t("Station"), most=30), Field(t("Action"), most=22), Field(t("Seats"), "count"),
        Field(t("Of these new"), "count"), Field(t("Seats assumed")),
        Field(t("Serves, rider-visits/day"), "measure"),
        Field(t("Could serve, rider-visits/day"), "measure"), Field(t("Load, %"), "share"),
    ]  # fmt: skip
    cells = [
        (r["name"], becomes(r, w), r["seats"], r["seats_added"], w.yes_no(r["seats_assumed"]),
         r["served_per_day"], r["capacity_per_day"], r["load_share"])
        for r in rows
    ]  # fmt: skip
    basis = f"{seat_use_line(plan, w)} · {basis_line(plan, w)}"
    about = t("what the seats of every station serve on an average day, and how full it is")
    return [Sheet(t("Seats and load"), about, basis, fields, cells, frozen=1)]
