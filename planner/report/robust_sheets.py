"""The workbook's tables of what money brings, and of demand that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.report.money import money_note, read_money
from planner.report.robust import read_scenarios, scenario_name
from planner.report.sheet import Field, Sheet
from planner.report.words import basis_line

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.words import Words


def money_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the table of what every sum of money brings; none where it was not traced."""
    t, sums = w.t, read_money(plan)
    if not sums:
        return []
    rows = [(s.money, s.covered, s.bound, w.yes_no(s.proven), s.cost, s.stations) for s in sums]
    fields = [
        Field(t("Money"), "measure"), Field(t("Best found, %"), "share"),
        Field(t("Proven limit, %"), "share"), Field(t("Proven best")),
        Field(t("Cost"), "measure"), Field(t("New stations"), "count"),
    ]  # fmt: skip
    about = t("what less or more money would cover, and what no set of stations for it can pass")
    basis = f"{money_note(plan, w)} · {basis_line(plan, w)}"
    return [Sheet(t("Coverage by money"), about, basis, fields, rows, frozen=1)]


def scenario_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the table of demand that grows or falls; none where it was not tried."""
    t, known = w.t, read_scenarios(plan)
    if not known:
        return []
    rows = [
        (scenario_name(plan, s, w), s.covered, s.best, s.bound, w.yes_no(s.proven),
         100.0 * s.regret)
        for s in known
    ]  # fmt: skip
    fields = [
        Field(t("Demand that changes"), most=34), Field(t("Covered by the plan, %"), "share"),
        Field(t("Best found, %"), "share"), Field(t("Proven limit, %"), "share"),
        Field(t("Proven best")), Field(t("Lost against the best, points"), "measure"),
    ]  # fmt: skip
    about = t("what the plan covers if part of demand grows or falls, and what others would")
    name = t("If demand changes")
    return [Sheet(name, about, basis_line(plan, w), fields, rows, frozen=1)]
