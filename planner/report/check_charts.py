"""The data report's charts: how much there is on each day, and in each hour."""

from __future__ import annotations

from datetime import date, timedelta
from math import floor, log10
from typing import TYPE_CHECKING, Any, NamedTuple

from planner.report.svg import FAINT, INK, RULE, SECOND, UNMET, drawing, element, text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from planner.report.words import Words

_WIDTH = 640.0  # 160 mm
_LEFT, _RIGHT = 52.0, 636.0
_TOP, _BOTTOM = 20.0, 128.0
_SMALL = 11.3
_BAR, _PALE = UNMET[3], UNMET[2]
_STUB = 9.0  # height of a bar whose figure is not shown


class Bar(NamedTuple):
    """One bar: its value (None where it may not be shown), its tick, and whether it is pale."""

    value: float | None
    tick: str = ""
    pale: bool = False


def draw_days(days: Mapping[str, int | None], w: Words, *, label: str) -> Markup:
    """Draw a bar a day from the first to the last; weekends are pale, days without data empty.

    Parameters
    ----------
    days
        Date → number, None where it may not be shown.
    w
        The language.
    label
        What the chart shows, for those who hear it.
    """
    known = {date.fromisoformat(day): n for day, n in days.items()}
    first, last = min(known), max(known)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    step = max(1, -(-len(every) // 9))
    bars = [
        Bar(
            known.get(day, 0),
            w.day(day) if k % step == 0 and (k + step <= len(every) or len(every) <= 9) else "",
            day.weekday() >= 5,
        )
        for k, day in enumerate(every)
    ]
    return draw_bars(bars, w, label=label)


def draw_hours(hours: Sequence[float | None], w: Words, *, label: str) -> Markup:
    """Draw a bar an hour of the day, 0 to 23.

    Parameters
    ----------
    hours
        24 numbers, None where one may not be shown.
    w, label
        As in `draw_days`.
    """
    bars = [Bar(n, f"{hour:02}" if hour % 3 == 0 else "") for hour, n in enumerate(hours)]
    return draw_bars(bars, w, label=label)


def draw_bars(bars: Sequence[Bar], w: Words, *, label: str) -> Markup:
    """Draw bars from zero; the tallest carries its number, a hidden one is a dashed stub."""
    highest = max((b.value or 0.0 for b in bars), default=0.0)
    top = _round_up(highest)
    pitch = min((_RIGHT - _LEFT) / max(len(bars), 1), 64.0)
    parts: list[Any] = _grid(top, _LEFT + pitch * len(bars), w)
    for number, bar in enumerate(bars):
        x = _LEFT + pitch * (number + 0.5)
        parts += _draw_bar(bar, x, 0.72 * pitch, top)
        if bar.value and bar.value == highest:
            y = _BOTTOM - (_BOTTOM - _TOP) * highest / top
            parts.append(_text(w.number(highest), x, y - 4, INK, "middle"))
            highest = float("inf")  # named once
        if bar.tick:
            parts.append(_text(bar.tick, x, _BOTTOM + 15, SECOND, "middle"))
    return drawing(parts, width=_WIDTH, height=_BOTTOM + 20, label=label, class_="chart")


def _draw_bar(bar: Bar, x: float, width: float, top: float) -> list[Markup]:
    if bar.value is None:
        return [
            element(
                "rect", x=x - width / 2, y=_BOTTOM - _STUB, width=width, height=_STUB, fill="none",
                stroke=SECOND, stroke_width="0.8", stroke_dasharray="2 2",
            )
        ]  # fmt: skip
    height = (_BOTTOM - _TOP) * bar.value / top if top else 0.0
    if not height:
        return []
    look = {"x": x - width / 2, "y": _BOTTOM - height, "width": width, "height": height}
    return [element("rect", **look, fill=_PALE if bar.pale else _BAR)]


def _grid(top: float, right: float, w: Words) -> list[Markup]:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = _BOTTOM - (_BOTTOM - _TOP) * share
        parts.append(
            element("path", d=f"M{_LEFT} {y:.1f}H{right:.1f}", stroke=FAINT if share else RULE)
        )
        if share == 0.0 or top:
            parts.append(_text(w.number(top * share), _LEFT - 6, y + 4, SECOND, "end"))
    return parts


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 4, 5, 6, 8, 10 times a power of ten.

    Examples
    --------
    >>> _round_up(0.0), _round_up(37.0), _round_up(1001.0)
    (0.0, 40.0, 2000.0)
    """
    if value <= 0:
        return 0.0
    power = 10.0 ** floor(log10(value))
    return next(k * power for k in (1, 2, 4, 5, 6, 8, 10) if k * power >= value)


def _text(text: str, x: float, y: float, fill: str, anchor: str) -> Markup:
    half = text_width(text, _SMALL) / 2
    if anchor == "middle":
        x = min(x, _WIDTH - half)
    return element("text", text, x=x, y=y, fill=fill, text_anchor=anchor, font_size=_SMALL)
