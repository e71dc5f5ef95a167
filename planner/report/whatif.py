"""If a street changed: what an opened passage or a closed bridge does to riders' ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from planner.geo import middle_of
from planner.report.city_map import (
    View,
    draw_scale,
    draw_sites,
    draw_stations,
    draw_streets,
    draw_water,
)
from planner.report.figures import district_names, finite, has_stations, table
from planner.report.losses import far_minutes
from planner.report.nearness import horizon_min
from planner.report.sheet import text
from planner.report.svg import INK, drawing, element, group, line_path
from planner.report.words import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markupsafe import Markup

    from planner.plan import Plan
    from planner.report.words import Words

MOST_EDITS = 4  # told at length in the report; the workbook has them all
_WIDE, _HIGH = 760.0, 500.0  # of a sketch, ten units a millimetre
_WIDE_M = (1200.0, 4000.0)  # at least, so that one knows where it is; at most, so that one sees it
_AROUND = 2.0  # how much wider a sketch is than the street it shows
_SHORT = 130.0  # a shorter line would hide under its sign, which then stands beside it


class Change(NamedTuple):
    """A number without and with the change; None where unknown."""

    before: float | None
    after: float | None

    @property
    def known(self) -> bool:
        """Whether anything can be told of it."""
        return self.before is not None or self.after is not None


class Edit(NamedTuple):
    """What one change of the streets does; shares are 0..1, None where unknown.

    Attributes
    ----------
    action
        ``connect`` (a new way), ``open`` or ``close``.
    adopted
        Whether the plan counts with it.
    ends_min
        Minutes between its two ends; None beyond the horizon, or where no way leads there.
    affected_per_day, affected_min
        Rider-visits whose minutes to the nearest station change, and the mean of those minutes.
    hours_saved_per_day
        Rider-hours; negative where they are lost.
    today, planned
        Covered share with the stations of today, and with those of the plan.
    district, there
        Where coverage changes most, empty for none; its share with the stations of today.
    """

    edit_id: int
    name: str
    action: str
    adopted: bool
    ends_min: Change
    affected_per_day: float | None
    affected_min: Change
    hours_saved_per_day: float | None
    today: Change
    planned: Change
    district: str
    there: Change

    @property
    def closes(self) -> bool:
        """Whether a street is taken away."""
        return self.action == "close"


def read_edits(plan: Plan) -> list[Edit]:
    """Return the changes in the study's order; nothing where it asks for none."""
    known, said = table(plan, "edits"), district_names(plan)

    def change(row: Mapping[str, Any], before: str, after: str) -> Change:
        return Change(finite(row[before]), finite(row[after]))

    return [
        Edit(
            edit_id=int(key),
            name=str(row["name"]),
            action=str(row["action"]),
            adopted=bool(row["adopted"]),
            ends_min=change(row, "before_min", "after_min"),
            affected_per_day=finite(row["affected_per_day"]),
            affected_min=change(row, "affected_before_min", "affected_after_min"),
            hours_saved_per_day=finite(row["hours_saved_per_day"]),
            today=change(row, "covered_before", "covered_after"),
            planned=change(row, "planned_before", "planned_after"),
            district=said.get(row["district"], text(row["district"]) or ""),
            there=change(row, "district_before", "district_after"),
        )
        for key, row in known.sort_index().to_dict("index").items()
    ]


# ── in words ──────────────────────────────────────────────────────────────────────────────────


def edit_title(plan: Plan, edit: Edit, w: Words) -> str:
    """Return the finding: minutes between its ends, and what riders save or lose a day."""
    t = w.t
    minutes, hours = ends_words(plan, edit, w), edit.hours_saved_per_day
    title = t("{name}: {minutes} min from end to end", name=edit.name, minutes=minutes)
    if hours is None or round(abs(hours), 2) == 0:
        return title
    value = w.rate(abs(hours))
    return (
        t("{one}, riders save {n} hours a day", one=title, n=value)
        if hours > 0
        else t("{one}, riders lose {n} hours a day", one=title, n=value)
    )


def ends_words(plan: Plan, edit: Edit, w: Words) -> str:
    """Return the minutes between its ends, ``>60`` beyond the horizon."""
    if not edit.ends_min.known:
        return NOTHING
    return " → ".join(far_minutes(m, horizon_min(plan), w) for m in edit.ends_min)


def edit_rows(plan: Plan, edit: Edit, w: Words) -> Iterator[tuple[str, str]]:
    """Yield what is told beside the sketch: label and value."""
    t = w.t
    if edit.ends_min.known:
        yield t("From end to end, min"), ends_words(plan, edit, w)
    if edit.affected_per_day is not None:
        yield t("Visits whose way changes, a day"), w.rate(edit.affected_per_day)
    if edit.affected_per_day and edit.affected_min.known:
        yield t("Their mean way to a station, min"), " → ".join(map(w.minutes, edit.affected_min))
    hours = edit.hours_saved_per_day
    if edit.affected_per_day and hours is not None:
        label = t("Rider-hours saved a day") if hours >= 0 else t("Rider-hours lost a day")
        yield label, w.rate(abs(hours))
    if edit.today.known and has_stations(plan):
        yield t("Covered, stations of today"), _shares(edit.today, w)
    if edit.planned.known:
        yield t("Covered, stations of the plan"), _shares(edit.planned, w)
    if edit.district and edit.there.known and has_stations(plan):
        label = t("Most in {district}, today", district=edit.district)
        yield label, _shares(edit.there, w)


def _shares(change: Change, w: Words) -> str:
    """Return two shares; one where nothing changes."""
    before, after = w.from_to(*change)
    if before == after:
        return w.t("{share}, unchanged", share=before)
    return f"{before} → {after}"


def action_words(edit: Edit, w: Words) -> str:
    """Return what happens to the street, as the line under its sketch."""
    names = {
        "connect": w.t("a new way, as if it were there"),
        "open": w.t("a way opened, as if it were so"),
        "close": w.t("a street closed, as if it were so"),
    }
    return names.get(edit.action, edit.action)


def adopted_words(edit: Edit, w: Words) -> str:
    """Return whether the plan counts with the change."""
    if edit.adopted:
        return w.t("The plan counts with it: its figures hold once this is done.")
    return w.t("The plan does not count with it: its figures are for the streets of today.")


def edits_line(plan: Plan, w: Words) -> str:
    """Return what is compared."""
    said = w.t("One change at a time, all else as it is; figures are without → with the change.")
    hours = (
        w.t("Hours count one way to the nearest station of today a visit.")
        if has_stations(plan)
        else w.t("Hours count one way to the nearest station of the plan a visit.")
    )
    return w.t("{one} {two}", one=said, two=hours)


# ── the sketch ────────────────────────────────────────────────────────────────────────────────


def draw_edit(plan: Plan, edit: Edit, w: Words) -> Markup:
    """Draw the streets around a change: what opens as a solid line, what closes as a broken one."""
    shape = table(plan, "edits").geometry.loc[edit.edit_id]
    water = table(plan, "water")
    middle = middle_of(shape, water.geometry.to_numpy() if len(water) else None)
    view = _around(shape, middle)
    lines = view.place(shapely.get_parts(np.array([shape])))
    path, window = line_path(lines), f"edit{edit.edit_id}"
    dashes = "13 9" if edit.closes else None
    stations, sites = table(plan, "stations"), table(plan, "sites")
    frame = element("rect", width=view.width, height=view.height)
    parts = [
        element("clipPath", frame, id=window),
        group(
            [
                draw_water(water, view),
                draw_streets(table(plan, "streets"), view),
                element("path", d=path, fill="none", stroke="#FFF", stroke_width=17),
                element("path", d=path, fill="none", stroke=INK, stroke_width=9,
                        stroke_dasharray=dashes),
                draw_stations(stations, view.points(stations)),
                draw_sites(sites, view.points(sites)),
                _beside(lines, view.turn(np.array([middle]))[0], draw_sign(closes=edit.closes)),
            ],
            clip_path=f"url(#{window})",
        ),
        draw_scale(view, w),
    ]  # fmt: skip
    label = edit_title(plan, edit, w)
    return drawing(parts, width=view.width, height=view.height, label=label, class_="map")


def _around(shape: shapely.Geometry, middle: shapely.Point) -> View:
    """Return the window round a street, its middle in the middle."""
    west, south, east, north = shapely.bounds(shape)
    ratio = _WIDE / _HIGH
    wide = np.clip(_AROUND * max(east - west, (north - south) * ratio), *_WIDE_M)
    high = wide / ratio
    return View(
        middle.x - wide / 2, middle.y - high / 2, middle.x + wide / 2, middle.y + high / 2,
        _HIGH, _WIDE,
    )  # fmt: skip


def draw_sign(*, closes: bool) -> Markup:
    """Draw a disc with a plus for what opens, a cross for what closes."""
    turn = "rotate(45)" if closes else None
    return group(
        [
            element("circle", r=20, fill="#FFF", stroke=INK, stroke_width=4),
            element("path", d="M-11 0H11M0-11V11", stroke=INK, stroke_width=5, transform=turn),
        ]
    )


def _beside(lines: np.ndarray, middle: shapely.Point, sign: Markup) -> Markup:
    """Put a sign on the middle of a street, or beside it where it is short."""
    aside = 34.0 if shapely.length(lines).sum() < _SHORT else 0.0
    return group([sign], transform=f"translate({middle.x + aside:.1f} {middle.y - aside:.1f})")
