"""The report's charts: shares before and after, circles, and what each further site brings."""

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
_WIDTH = 640.0
_TEXT = 12.7
_SMALL = 11.3
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
    parts = [*_scale(top - 4, bottom, w)]
    for number, row in enumerate(rows):
        y = top + pitch * (number + 0.5)
        parts += _row_label(row, y)
        parts += _dumbbell(row, y, w, heads=number == 0)
    return drawing(parts, width=_WIDTH, height=bottom + 22, label=label, class_="chart")


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
    parts = _scale(top - 4, bottom, w)
    for number, (name, streets, circles) in enumerate(pairs):
        y, colour = top + pitch * number + 4, (EXISTING, SITE)[number % 2]
        dashed = {"fill": "none", "stroke": SECOND, "stroke_dasharray": "4 3"}
        parts += _row_label(Row(name, w.t("along streets"), streets, circles, strong=True), y + 8)
        parts += _row_label(Row("", w.t("circles"), streets, circles), y + 28)
        for share, line, look in ((streets, y, {"fill": colour}), (circles, y + 20, dashed)):
            width = _x(share) - _LABELS
            parts += [
                element("rect", x=_LABELS, y=line, width=width, height=16.0, **look),
                _text(w.percent(share), _x(share) + 7, line + 12, fill=INK),
            ]
    return drawing(parts, width=_WIDTH, height=bottom + 22, label=label, class_="chart")


def draw_growth(
    shares: Sequence[float], w: Words, *, best: float | None, best_label: str, label: str
) -> Markup:
    """Draw the covered share with each further site, and the line that no plan can pass.

    Parameters
    ----------
    shares
        Covered share with 0, 1, 2, … sites.
    w
        The language.
    best, best_label
        Proven bound with all the sites, and what it says.
    label
        What the chart shows.
    """
    left, right, top, bottom = 44.0, 610.0, 18.0, 208.0
    step = (right - left) / max(len(shares) - 1, 1)
    at = [(left + step * k, bottom - (bottom - top) * s) for k, s in enumerate(shares)]
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = bottom - (bottom - top) * share
        parts += [
            element(
                "path", d=f"M{left} {y:.1f}H{right + 14}", stroke=RULE if share == 0 else FAINT
            ),
            _text(w.percent(share), left - 8, y + 4, fill=SECOND, anchor="end"),
        ]
    if best is not None:
        y = bottom - (bottom - top) * best
        parts += [
            element("path", d=f"M{left} {y:.1f}H{right + 14}", stroke=INK, stroke_dasharray="5 4"),
            _text(best_label, left + 6, y - 6, fill=INK),
        ]
    path = "".join(f"{'L' if k else 'M'}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(at))
    parts.append(element("path", d=path, fill="none", stroke=SITE, stroke_width=2))
    parts += _growth_marks(shares, at, bottom, w)
    parts.append(_text(w.t("new stations"), right + 14, bottom + 32, fill=SECOND, anchor="end"))
    return drawing(parts, width=_WIDTH, height=bottom + 38, label=label, class_="chart")


def _growth_marks(
    shares: Sequence[float], at: Sequence[tuple[float, float]], bottom: float, w: Words
) -> list[Markup]:
    """Draw the dots with their ranks, the shares under them and the ticks of the axis."""
    last, parts = len(shares) - 1, []
    every = max(1, -(-last // 12))
    for k, ((x, y), share) in enumerate(zip(at, shares, strict=True)):
        named = k % every == 0 or k == last
        if k == 0:
            parts.append(element("circle", cx=x, cy=y, r=5, fill=EXISTING))
        elif last <= 25:
            parts += [
                element("circle", cx=x, cy=y, r=8, fill=SITE),
                _text(str(k), x, y + 3.6, fill="#FFF", anchor="middle", size=10, weight=700),
            ]
        else:
            parts.append(element("circle", cx=x, cy=y, r=3, fill=SITE))
        if named and not (k == last - 1 and every > 1):
            tick = w.t("today") if k == 0 else str(k)
            parts += [
                _text(w.percent(share), x - 2, y + 23, fill=INK)
                if k == 0
                else _text(w.percent(share), x, y + 23, fill=INK, anchor="middle"),
                _text(tick, x, bottom + 16, fill=SECOND, anchor="middle"),
            ]
    return parts


def _scale(top: float, bottom: float, w: Words) -> list[Markup]:
    """Lines and words of the axis from 0 to 100 %."""
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        parts += [
            element("path", d=f"M{x:.1f} {top:.1f}V{bottom:.1f}", stroke=FAINT if share else RULE),
            _text(w.percent(share), x, bottom + 16, fill=SECOND, anchor="middle"),
        ]
    return parts


def _row_label(row: Row, y: float) -> list[Markup]:
    room = _LABELS - 6 - (text_width(row.note, _SMALL) + 6 if row.note else 0)
    label = shorten(row.label, _TEXT, room)
    parts = [_text(label, 0, y + 4.5, fill=INK, size=_TEXT, weight=600 if row.strong else None)]
    if row.note:
        parts.append(_text(row.note, _LABELS - 12, y + 4.5, fill=SECOND, anchor="end"))
    return parts


def _dumbbell(row: Row, y: float, w: Words, *, heads: bool) -> list[Markup]:
    if not (is_number(row.before) and is_number(row.after)):
        return [_text(w.t("no demand"), _LABELS + 8, y + 4.5, fill=SECOND)]
    before, after = float(row.before or 0.0), float(row.after or 0.0)
    low, high = sorted((before, after))
    left, right = _x(low), _x(high)
    parts = [
        element("path", d=f"M{left:.1f} {y:.1f}H{right:.1f}", stroke="#B5BAC0", stroke_width=3),
        element("circle", cx=_x(before), cy=y, r=5.5, fill=EXISTING),
        element("circle", cx=_x(after), cy=y, r=5.5, fill=SITE),
    ]
    said = dict(zip((before, after), w.from_to(before, after), strict=True))
    if before != after:
        room = left - _LABELS > text_width(said[low], _SMALL) + 12
        if room:
            parts.append(_text(said[low], left - 10, y + 4.2, fill=INK, anchor="end"))
        more = said[high] if room else f"{said[before]} → {said[after]}"
    else:
        more = said[high]
    parts.append(_text(more, right + 10, y + 4.2, fill=INK))
    return [*parts, *_heads(before, after, y, w)] if heads else parts


def _heads(before: float, after: float, y: float, w: Words) -> list[Markup]:
    """Name the two dots above the first row; side by side where they are close."""
    names = [(before, w.t("today"), EXISTING), (after, w.t("planned"), SITE)]
    names.sort(key=lambda item: item[0])
    (low, first, colour), (high, second, other) = names
    wide = (text_width(first, _SMALL) + text_width(second, _SMALL)) / 2 + 10
    apart = max(0.0, wide - (_x(high) - _x(low))) / 2
    return [
        _text(first, _x(low) - apart, y - 12, fill=colour, anchor="middle", weight=600),
        _text(second, _x(high) + apart, y - 12, fill=other, anchor="middle", weight=600),
    ]


def _x(share: float) -> float:
    return _LABELS + (_END - _LABELS) * share


def _text(
    text: str,
    x: float,
    y: float,
    *,
    fill: str,
    anchor: str | None = None,
    size: float = _SMALL,
    weight: int | None = None,
) -> Markup:
    return element(
        "text", text, x=float(x), y=float(y), fill=fill, text_anchor=anchor, font_size=size,
        font_weight=weight,
    )  # fmt: skip
