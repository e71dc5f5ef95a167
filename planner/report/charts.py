"""The report's charts of shares: before and after, streets and circles."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.svg import (
    EXISTING,
    FAINT,
    INK,
    RULE,
    SECOND,
    SITE,
    drawing,
    element,
    shorten,
    text_width,
)
from planner.report.words import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from planner.report.words import Words

# Four units a millimetre: 160 mm are 640; 9 pt are 12.7.
WIDTH = 640.0
_TEXT = 12.7
SMALL = 11.3
_LABELS = 152.0  # where the axis starts
_END = 606.0  # where 100 % is


class Row(NamedTuple):
    """One line of a chart: what it is about, and its share today and with the plan."""

    label: str
    note: str
    before: float | None
    after: float | None
    strong: bool = False


def draw_changes(rows: Sequence[Row], w: Words, *, label: str) -> Markup:
    """Draw a dot for today and a dot for the plan on every row, axis from 0 to 100 %.

    Parameters
    ----------
    rows
        From top to bottom; a row with a gap is said in words.
    w
        The language.
    label
        What the chart shows, for those who hear it.
    """
    pitch, top = 24.0, 26.0
    bottom = top + pitch * len(rows)
    parts = [*scale(top - 4, bottom, w)]
    for number, row in enumerate(rows):
        y = top + pitch * (number + 0.5)
        parts += _row_label(row, y)
        parts += _dumbbell(row, y, w, heads=number == 0)
    return drawing(parts, width=WIDTH, height=bottom + 22, label=label, class_="chart")


def draw_circles(pairs: Sequence[tuple[str, float, float]], w: Words, *, label: str) -> Markup:
    """Draw what the streets give as a bar and under it, as an outline, what circles would claim.

    Parameters
    ----------
    pairs
        Name, share along the streets, share within circles.
    w, label
        As in `draw_changes`.
    """
    pitch, top = 50.0, 10.0
    bottom = top + pitch * len(pairs)
    parts = scale(top - 4, bottom, w)
    for number, (name, streets, circles) in enumerate(pairs):
        y, colour = top + pitch * number + 4, (EXISTING, SITE)[number % 2]
        dashed = {"fill": "none", "stroke": SECOND, "stroke_dasharray": "4 3"}
        parts += _row_label(Row(name, w.t("along streets"), streets, circles, strong=True), y + 8)
        parts += _row_label(Row("", w.t("circles"), streets, circles), y + 28)
        for share, line, look in ((streets, y, {"fill": colour}), (circles, y + 20, dashed)):
            width = share_x(share) - _LABELS
            parts += [
                element("rect", x=_LABELS, y=line, width=width, height=16.0, **look),
                caption(w.percent(share), share_x(share) + 7, line + 12, fill=INK),
            ]
    return drawing(parts, width=WIDTH, height=bottom + 22, label=label, class_="chart")


def scale(top: float, bottom: float, w: Words) -> list[Markup]:
    """Return lines and words of the axis from 0 to 100 %."""
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = share_x(share)
        parts += [
            element("path", d=f"M{x:.1f} {top:.1f}V{bottom:.1f}", stroke=FAINT if share else RULE),
            caption(w.percent(share), x, bottom + 16, fill=SECOND, anchor="middle"),
        ]
    return parts


def _row_label(row: Row, y: float) -> list[Markup]:
    room = _LABELS - 6 - (text_width(row.note, SMALL) + 6 if row.note else 0)
    label = shorten(row.label, _TEXT, room)
    parts = [caption(label, 0, y + 4.5, fill=INK, size=_TEXT, weight=600 if row.strong else None)]
    if row.note:
        parts.append(caption(row.note, _LABELS - 12, y + 4.5, fill=SECOND, anchor="end"))
    return parts


def _dumbbell(row: Row, y: float, w: Words, *, heads: bool) -> list[Markup]:
    if not (is_number(row.before) and is_number(row.after)):
        return [caption(w.t("no demand"), _LABELS + 8, y + 4.5, fill=SECOND)]
    before, after = float(row.before or 0.0), float(row.after or 0.0)
    low, high = sorted((before, after))
    left, right = share_x(low), share_x(high)
    parts = [
        element("path", d=f"M{left:.1f} {y:.1f}H{right:.1f}", stroke="#B5BAC0", stroke_width=3),
        element("circle", cx=share_x(before), cy=y, r=5.5, fill=EXISTING),
        element("circle", cx=share_x(after), cy=y, r=5.5, fill=SITE),
    ]
    said = dict(zip((before, after), w.from_to(before, after), strict=True))
    if before != after:
        room = left - _LABELS > text_width(said[low], SMALL) + 12
        if room:
            parts.append(caption(said[low], left - 10, y + 4.2, fill=INK, anchor="end"))
        more = said[high] if room else f"{said[before]} → {said[after]}"
    else:
        more = said[high]
    parts.append(caption(more, right + 10, y + 4.2, fill=INK))
    return [*parts, *_heads(before, after, y, w)] if heads else parts


def _heads(before: float, after: float, y: float, w: Words) -> list[Markup]:
    """Name the two dots above the first row; side by side where they are close."""
    names = [(before, w.t("today"), EXISTING), (after, w.t("planned"), SITE)]
    names.sort(key=lambda item: item[0])
    (low, first, colour), (high, second, other) = names
    wide = (text_width(first, SMALL) + text_width(second, SMALL)) / 2 + 10
    apart = max(0.0, wide - (share_x(high) - share_x(low))) / 2
    return [
        caption(first, share_x(low) - apart, y - 12, fill=colour, anchor="middle", weight=600),
        caption(second, share_x(high) + apart, y - 12, fill=other, anchor="middle", weight=600),
    ]


def share_x(share: float) -> float:
    """Return where a share lies on that axis."""
    return _LABELS + (_END - _LABELS) * share


def caption(
    text: str,
    x: float,
    y: float,
    *,
    fill: str,
    anchor: str | None = None,
    size: float = SMALL,
    weight: int | None = None,
) -> Markup:
    """Return a text whose line starts, ends or is centred at a point."""
    return element(
        "text", text, x=float(x), y=float(y), fill=fill, text_anchor=anchor, font_size=size,
        font_weight=weight,
    )  # fmt: skip
