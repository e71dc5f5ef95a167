"""The workbook's columns and table of what stands behind a plan: replacements, and other counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.frontier import read_frontier
from planner.report.replacements import read_replacements
from planner.report.sheet import Field, Sheet
from planner.report.words import basis_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.plan import Plan
    from planner.report.words import Words


def replacement_columns(
    plan: Plan, site_ids: Iterable[Any], w: Words
) -> tuple[list[Field], list[tuple[Any, ...]]]:
    """Return the columns on what is lost without a site and what could take its place, and rows.

    Without explanations there are no columns, and the rows are empty.
    """
    t, behind = w.t, read_replacements(plan)
    if not behind:
        return [], [() for _ in site_ids]
    fields = [
        Field(t("Lost without it, %"), "share"), Field(t("Best replacement"), most=16),
        Field(t("Covered with that, %"), "share"), Field(t("Nearly as good"), most=22),
        Field(t("Nearest existing station"), most=16), Field(t("To that, min"), "measure"),
    ]  # fmt: skip
    rows = []
    for site_id in site_ids:
        r = behind.get(str(site_id))
        ties = "; ".join(r.ties) if r and r.ties else None
        rows.append(
            (r.loss, r.name, r.share, ties, r.station, r.station_min)
            if r
            else (None,) * len(fields)
        )
    return fields, rows


def frontier_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the table of what every number of stations brings; none where it was not traced."""
    t, steps = w.t, read_frontier(plan)
    if not steps:
        return []
    priced = any(s.cost is not None for s in steps)
    rows = [
        (s.stations, s.covered, s.bound, w.yes_no(s.proven), s.nested,
         None if s.nested is None else 100.0 * max(s.covered - s.nested, 0.0),
         *([s.cost] if priced else []))
        for s in steps
    ]  # fmt: skip
    fields = [
        Field(t("New stations"), "count"), Field(t("Best found, %"), "share"),
        Field(t("Proven limit, %"), "share"), Field(t("Proven best")),
        Field(t("In the plan's order, %"), "share"),
        Field(t("Cost of the order, points"), "measure"),
        *([Field(t("Cost"), "measure")] if priced else []),
    ]  # fmt: skip
    about = t("what fewer or more stations would cover, and what no set of them can pass")
    name = t("Coverage by number of stations")
    return [Sheet(name, about, basis_line(plan, w), fields, rows, frozen=1)]
