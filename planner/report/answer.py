"""The answer in a few lines: the last table of the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.report.figures import best_text, read_figures, rule_text, stable_text
from planner.report.frontier import needs_row
from planner.report.goal import goal_rows
from planner.report.nearness import nearness_words, read_nearness
from planner.report.robust import held_row
from planner.report.whatif import MOST_EDITS, edit_title, read_edits
from planner.report.words import basis_line, speak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.plan import Plan
    from planner.report.figures import Figures
    from planner.report.words import Words


def answer_rows(plan: Plan) -> list[tuple[str, str]]:
    """Return the answer as label and value pairs, for the last table of the terminal.

    Parameters
    ----------
    plan
        A finished run.

    Returns
    -------
    Covered share today and planned with its basis, what else was asked, minutes to the nearest
    station, best possible, what days or hours that were left out keep, how many stations other
    shares take, what circles would claim, rider-visits gained, stable sites, parking and what
    changed streets would do, in the study's language.
    """
    w = speak(plan.settings.study.language)
    f, t = read_figures(plan), w.t
    before, after = w.from_to(f.before, f.after)
    rows = [
        (t("covered today → planned"), f"{before} → {after}"),
        (t("basis"), basis_line(plan, w)),
        *goal_rows(plan, w),
        *_nearness(plan, w),
        *_best(f, w),
        *held_row(plan, w),
        *needs_row(plan, w),
        (t("circles would claim"), " → ".join(w.from_to(f.circle_before, f.circle_after))),
        (t("rider-visits gained a day"), f"+{w.number(f.gained_per_day)}"),
        (t("stable sites"), stable_text(f, w)),
    ]
    if f.parking_sites:
        text = t("{n} sites, {bays} bays", n=f.parking_sites, bays=f.bays)
        rows.append((t("Friendly parking"), text))
    for number, edit in enumerate(read_edits(plan)[:MOST_EDITS]):
        label = "" if number else t("if a street changed")
        rows.append((label, edit_title(plan, edit, w)))
    return rows


def _best(f: Figures, w: Words) -> Iterator[tuple[str, str]]:
    """Yield the proven limit of coverage, and what it holds for; nothing if none is known."""
    if f.best is None:
        return
    if not f.by_coverage:
        yield w.t("all candidates together"), best_text(f, w)
        return
    kept = w.t("keeping {k} required sites", k=f.required) if f.required else ""
    said = " · ".join(filter(None, [best_text(f, w), rule_text(f, w), kept]))
    yield w.t("best possible"), said


def _nearness(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    """Yield within how many minutes half and nine tenths of all demand have a station."""
    for whole in read_nearness(plan)[:1]:
        yield w.t("minutes to the nearest station"), nearness_words(whole, plan, w)
