"""The chart of coverage against stations: the plan site by site, and the best for every number."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from planner.report.charts import SMALL, WIDTH, caption
from planner.report.frontier import need_label, worth_telling
from planner.report.svg import (
    EXISTING,
    FAINT,
    INK,
    RULE,
    SECOND,
    SITE,
    drawing,
    element,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from planner.report.frontier import Need, Step
    from planner.report.words import Words

_LEFT, _RIGHT, _TOP = 44.0, 610.0, 18.0
_LOW, _HIGH = 208.0, 268.0  # the foot of the chart, alone and with a frontier
_BAND = "#DDE1E5"
_SEEN = 2.0  # a thinner band hides behind its line
_DOTS = 25  # sites that have room for their rank


class _Frame(NamedTuple):
    """Where the axes lie, and how many stations they hold."""

    right: float
    bottom: float
    most: int

    @property
    def step(self) -> float:
        return (self.right - _LEFT) / max(self.most, 1)

    def at(self, count: int, share: float) -> tuple[float, float]:
        return _LEFT + self.step * count, self.bottom - (self.bottom - _TOP) * share


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
    frame = _Frame(_RIGHT, _LOW, len(shares) - 1)
    parts = _axes(frame, w)
    if best is not None:
        y = frame.at(0, best)[1]
        parts += [
            element(
                "path", d=f"M{_LEFT} {y:.1f}H{_RIGHT + 14}", stroke=INK, stroke_dasharray="5 4"
            ),
            caption(best_label, _LEFT + 6, y - 6, fill=INK),
        ]
    parts += [*_plan(frame, shares, w), *_ticks(frame, w)]
    return drawing(parts, width=WIDTH, height=_LOW + 38, label=label, class_="chart")


def draw_frontier(
    shares: Sequence[float],
    w: Words,
    *,
    steps: Sequence[Step],
    needs: Sequence[Need],
    ruled: bool = False,
    label: str,
) -> Markup:
    """Draw the plan site by site on the best found for every number, the proven limit as a band.

    Parameters
    ----------
    shares
        Covered share with 0, 1, 2, … sites of the plan.
    w
        The language.
    steps
        The frontier.
    needs
        Shares with a line, and how many stations each takes.
    ruled
        Whether every number opens gathering places first.
    label
        What the chart shows.
    """
    said = [(n, need_label(n, w)) for n in worth_telling(needs)]
    room = max((text_width(text, SMALL) for _, text in said), default=0.0)
    frame = _Frame(
        min(_RIGHT, WIDTH - 22.0 - room), _HIGH, max(len(shares) - 1, steps[-1].stations)
    )  # fmt: skip
    parts = [*_axes(frame, w), *_band(frame, steps)]
    for need, text in said:
        parts += _target(frame, need, text)
    line = _path([frame.at(s.stations, s.covered) for s in steps])
    parts.append(element("path", d=line, fill="none", stroke=SECOND, stroke_width=1.5))
    parts += _rings(frame, needs, steps, len(shares) - 1)
    parts += [*_plan(frame, shares, w), *_ticks(frame, w), *_key(frame, steps, w, ruled=ruled)]
    return drawing(parts, width=WIDTH, height=_HIGH + 38, label=label, class_="chart")


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


def _ticks(frame: _Frame, w: Words) -> list[Markup]:
    """Name the numbers under the axis, as many as there is room for."""
    every = max(1, -(-frame.most // 12))
    named = [k for k in range(frame.most + 1) if k % every == 0 or k == frame.most]
    if every > 1 and len(named) > 1 and named[-1] - named[-2] < every:
        named.pop(-2)
    foot = frame.bottom
    return [
        *(
            caption(str(k) if k else w.t("today"), frame.at(k, 0)[0], foot + 16, fill=SECOND,
                    anchor="middle")
            for k in named
        ),
        caption(w.t("new stations"), frame.right + 14, foot + 32, fill=SECOND, anchor="end"),
    ]  # fmt: skip


def _plan(frame: _Frame, shares: Sequence[float], w: Words) -> list[Markup]:
    """Draw the plan's line, its dots with their ranks, and the shares under them."""
    last = len(shares) - 1
    at = [frame.at(k, share) for k, share in enumerate(shares)]
    parts = [element("path", d=_path(at), fill="none", stroke=SITE, stroke_width=2)]
    widest = max(text_width(w.percent(share), SMALL) for share in shares)
    every = max(1, -(-last // 12), -int(-(widest + 3.0) // frame.step))
    for k, ((x, y), share) in enumerate(zip(at, shares, strict=True)):
        if k == 0:
            parts.append(element("circle", cx=x, cy=y, r=5, fill=EXISTING))
        elif last <= _DOTS:
            parts += [
                element("circle", cx=x, cy=y, r=8, fill=SITE),
                caption(str(k), x, y + 3.6, fill="#FFF", anchor="middle", size=10, weight=700),
            ]
        else:
            parts.append(element("circle", cx=x, cy=y, r=3, fill=SITE))
        if k == last or (k % every == 0 and last - k >= every):
            parts.append(
                caption(w.percent(share), x, y + 23, fill=INK, anchor="middle")
                if k
                else caption(w.percent(share), x - 2, y + 23, fill=INK)
            )
    return parts


def _band(frame: _Frame, steps: Sequence[Step]) -> list[Markup]:
    """Fill what lies between the best found and what is proven to be out of reach."""
    above = [frame.at(s.stations, s.bound) for s in steps]
    below = [frame.at(s.stations, s.covered) for s in reversed(steps)]
    return [element("path", d=f"{_path(above + below)}Z", fill=_BAND, class_="band")]


def _target(frame: _Frame, need: Need, text: str) -> list[Markup]:
    """Draw the line of a share, and say at its end how many stations it takes."""
    if not text:
        return []
    y = frame.at(0, need.share)[1]
    end = frame.right + 14
    return [
        element("path", d=f"M{_LEFT} {y:.1f}H{end:.1f}", stroke=SECOND, stroke_width=0.75,
                stroke_dasharray="2 3"),
        caption(text, end + 6, y + 4, fill=INK),
    ]  # fmt: skip


def _rings(frame: _Frame, needs: Sequence[Need], steps: Sequence[Step], sites: int) -> list[Markup]:
    """Ring the number at which each share is reached."""
    covered = {s.stations: s.covered for s in steps}
    counts = sorted({n.stations for n in needs if n.stations} & covered.keys())
    return [
        element("circle", cx=x, cy=y, r=4.5 if count > sites else 11.0, fill="#FFF", stroke=INK,
                stroke_width=1.5)
        for count in counts
        for x, y in [frame.at(count, covered[count])]
    ]  # fmt: skip


def _key(frame: _Frame, steps: Sequence[Step], w: Words, *, ruled: bool) -> list[Markup]:
    """Say what the lines are, where the curve leaves room: under it, else above it."""
    middle = steps[len(steps) // 2].covered
    gap = max(s.bound - s.covered for s in steps)
    seen = gap * (frame.bottom - _TOP) >= _SEEN
    if all(s.proven for s in steps):
        best = w.t("best possible for every number, proven")
    elif seen:
        best = w.t("best found for every number")
    else:
        best = w.t("best found, at most {points} points under the proven limit",
                   points=f"{ceil(1000.0 * gap - 1e-6) / 10.0:.1f}")  # fmt: skip
    if ruled:
        best = w.t("{text}, gathering places first", text=best)
    lines = [
        (element("path", d="M0 0H18", stroke=SITE, stroke_width=2), w.t("the plan, in its order")),
        (element("path", d="M0 0H18", stroke=SECOND, stroke_width=1.5), best),
    ]
    if seen:
        mark = element("rect", x=0, y=-4, width=18, height=8, fill=_BAND)
        lines.append((mark, w.t("room up to the proven limit")))
    wide = max(text_width(text, SMALL) for _, text in lines) + 26
    x = max(_LEFT + 10, frame.right - wide)
    y = frame.bottom - 16.0 * len(lines) - 2 if middle > 0.45 else _TOP + 24
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
