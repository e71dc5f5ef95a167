"""The chart of how sure the plan is: what is planned, and the range on days and demand not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.charts import SMALL, WIDTH, caption, scale, share_x
from planner.report.robust import held_label, range_text
from planner.report.svg import INK, SECOND, SITE, drawing, element, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from planner.report.robust import HeldOut, Scenario
    from planner.report.words import Words

_PITCH, _TOP = 30.0, 10.0
_THIN = 3.0  # a range no wider is drawn this wide


class _Row(NamedTuple):
    label: str
    low: float
    high: float
    middle: float | None
    said: str


def draw_ranges(
    planned: float,
    w: Words,
    *,
    held: HeldOut | None,
    scenarios: Sequence[Scenario],
    label: str,
) -> Markup:
    """Draw the planned share as a line through the ranges of what it is worth elsewhere.

    Parameters
    ----------
    planned
        Covered share of the plan.
    w
        The language.
    held, scenarios
        Visits that were left out, and demand that changes; what is missing has no row.
    label
        What the chart shows.
    """
    rows = [_Row(w.t("planned"), planned, planned, planned, w.percent(planned))]
    if held is not None:
        said = range_text(held.low, held.high, w)
        rows.append(_Row(held_label(held, w), held.low, held.high, held.share, said))
    if scenarios:
        shares = [s.covered for s in scenarios]
        change = w.percent(max(abs(s.change) for s in scenarios))
        text = w.t("demand ±{change}", change=change)
        said = range_text(min(shares), max(shares), w)
        rows.append(_Row(text, min(shares), max(shares), None, said))
    bottom = _TOP + _PITCH * len(rows)
    parts = [*scale(_TOP - 4, bottom, w)]
    x = share_x(planned)
    parts.append(
        element("path", d=f"M{x:.1f} {_TOP - 4:.1f}V{bottom:.1f}", stroke=SITE, stroke_width=1.5,
                stroke_dasharray="2 3")
    )  # fmt: skip
    for number, row in enumerate(rows):
        parts += _draw(row, _TOP + _PITCH * (number + 0.5), strong=number == 0)
    return drawing(parts, width=WIDTH, height=bottom + 22, label=label, class_="chart")


def _draw(row: _Row, y: float, *, strong: bool) -> list[Markup]:
    left, right = share_x(row.low), share_x(row.high)
    wide = max(right - left, _THIN)
    left = min(left, (left + right - wide) / 2)
    after = max(right, left + wide) + 12
    inside = after + text_width(row.said, SMALL) <= WIDTH
    parts = [
        caption(row.label, 0, y + 4.5, fill=INK, size=12.7, weight=600 if strong else None),
        caption(row.said, after if inside else left - 12, y + 4.2, fill=INK,
                anchor=None if inside else "end"),
    ]  # fmt: skip
    if not strong:
        parts.append(element("rect", x=left, y=y - 6, width=wide, height=12.0, fill="#B5BAC0"))
    if row.middle is not None:
        parts.append(
            element("circle", cx=share_x(row.middle), cy=y, r=5.5, fill=SITE if strong else SECOND)
        )
    return parts
