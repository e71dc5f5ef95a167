"""The chart of coverage against money: the best found as steps, its limit as a band, the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.charts import SMALL, WIDTH, caption
from planner.report.money import price_label
from planner.report.svg import (
    FAINT,
    INK,
    RULE,
    SECOND,
    SITE,
    drawing,
    element,
    text_width,
)
from planner.siting.money import round_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from planner.report.money import Price, Sum
    from planner.report.words import Words

_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 610.0, 18.0, 230.0
_BAND = "#DDE1E5"
_SEEN = 2.0  # a thinner band hides behind its line


class _Frame(NamedTuple):
    right: float
    most: float

    def at(self, money: float, share: float) -> tuple[float, float]:
        wide = (self.right - _LEFT) / max(self.most, 1e-12)
        return _LEFT + wide * money, _BOTTOM - (_BOTTOM - _TOP) * share


def draw_money(
    sums: Sequence[Sum],
    w: Words,
    *,
    prices: Sequence[Price],
    spent: float | None,
    covered: float,
    label: str,
) -> Markup:
    """Draw what money covers, what it at most could as a band, and the plan as a dot.

    Parameters
    ----------
    sums
        At least one, rising.
    w
        The language.
    prices
        Shares with a line, and the money each takes.
    spent, covered
        What the plan costs and covers.
    label
        What the chart shows.
    """
    said = [(p, price_label(p, w)) for p in prices]
    room = max((text_width(text, SMALL) for _, text in said), default=0.0)
    frame = _Frame(min(_RIGHT, WIDTH - 22.0 - room), max(s.money for s in sums))
    parts = _axes(frame, w)
    above, below = (_steps(frame, sums, key) for key in ("bound", "covered"))
    back = "".join(f"L{x:.1f} {y:.1f}" for x, y in reversed(below))
    parts.append(element("path", d=f"{_path(above)}{back}Z", fill=_BAND, class_="band"))
    for price, text in said:
        parts += _target(frame, price, text)
    parts.append(element("path", d=_path(below), fill="none", stroke=SECOND, stroke_width=1.5))
    if spent is not None and spent <= frame.most:
        parts += _plan(frame, spent, covered, w)
    parts += [*_ticks(frame, w), *_key(frame, sums, w)]
    return drawing(parts, width=WIDTH, height=_BOTTOM + 38, label=label, class_="chart money")


def _axes(frame: _Frame, w: Words) -> list[Markup]:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = frame.at(0, share)[1]
        stroke = FAINT if share else RULE
        parts += [
            element("path", d=f"M{_LEFT} {y:.1f}H{frame.right + 14:.1f}", stroke=stroke),
            caption(w.percent(share), _LEFT - 8, y + 4, fill=SECOND, anchor="end"),
        ]
    return parts


def _steps(frame: _Frame, sums: Sequence[Sum], key: str) -> list[tuple[float, float]]:
    """Return the corners of a line that rises at each sum: money between two buys the lesser's."""
    corners, before = [], None
    for s in sums:
        x, y = frame.at(s.money, getattr(s, key))
        if before is not None and before != y:
            corners.append((x, before))
        corners.append((x, y))
        before = y
    return corners


def _target(frame: _Frame, price: Price, text: str) -> list[Markup]:
    if not text:
        return []
    y, end = frame.at(0, price.share)[1], frame.right + 14
    return [
        element("path", d=f"M{_LEFT} {y:.1f}H{end:.1f}", stroke=SECOND, stroke_width=0.75,
                stroke_dasharray="2 3"),
        caption(text, end + 6, y + 4, fill=INK),
    ]  # fmt: skip


def _plan(frame: _Frame, spent: float, covered: float, w: Words) -> list[Markup]:
    """Mark the plan, and say its money and share beside it."""
    x, y = frame.at(spent, covered)
    text = w.t("the plan: {money}, {share}", money=w.number(spent), share=w.percent(covered))
    left = x + 14 + text_width(text, SMALL) > frame.right
    return [
        element("circle", cx=x, cy=y, r=7, fill=SITE),
        caption(text, x - 12 if left else x + 12, y + 18, fill=INK,
                anchor="end" if left else None),
    ]  # fmt: skip


def _ticks(frame: _Frame, w: Words) -> list[Markup]:
    step = round_step(frame.most / 8) or 1.0
    marks = [step * k for k in range(int(frame.most / step + 1e-9) + 1)]
    return [
        *(caption(w.number(m), frame.at(m, 0)[0], _BOTTOM + 16, fill=SECOND, anchor="middle")
          for m in marks),
        caption(w.t("cost of new stations"), frame.right + 14, _BOTTOM + 32, fill=SECOND,
                anchor="end"),
    ]  # fmt: skip


def _key(frame: _Frame, sums: Sequence[Sum], w: Words) -> list[Markup]:
    """Say what line and band are, where the curve leaves room."""
    gap = max(s.bound - s.covered for s in sums)
    best = w.t("best possible for every sum, proven") if all(s.proven for s in sums) else w.t(
        "best found for every sum")  # fmt: skip
    lines = [(element("path", d="M0 0H18", stroke=SECOND, stroke_width=1.5), best)]
    if gap * (_BOTTOM - _TOP) >= _SEEN:
        mark = element("rect", x=0, y=-4, width=18, height=8, fill=_BAND)
        lines.append((mark, w.t("room up to the proven limit")))
    wide = max(text_width(text, SMALL) for _, text in lines) + 26
    x = max(_LEFT + 10, frame.right - wide)
    low = sums[len(sums) // 2].covered > 0.45
    y = _BOTTOM - 16.0 * len(lines) - 2 if low else _TOP + 24
    parts = []
    for number, (mark, text) in enumerate(lines):
        line = y + 16.0 * number
        parts += [
            element("g", mark, transform=f"translate({x:.1f} {line:.1f})"),
            caption(text, x + 26, line + 4, fill=INK),
        ]
    return parts


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if k else 'M'}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(points))
