"""What each site is worth to the plan: what is lost without it, and what could take its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from planner.report.figures import finite, table
from planner.report.sheet import text

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.figures import Figures
    from planner.report.words import Words

_MOST_NAMES = 2
_SAME = 0.0005  # of coverage: what one decimal of a percentage does not show


class Replacement(NamedTuple):
    """What stands behind one site.

    Attributes
    ----------
    loss
        Covered share that goes with it.
    name, share
        The best candidate in its place, and the covered share of the plan with that; None if
        there is none.
    ties, ties_count
        Names of candidates in whose place it covers nearly as much, best first, and how many
        there are.
    station, station_min
        The nearest existing station and the minutes to it; None if none was found.
    """

    loss: float
    name: str | None
    share: float | None
    ties: tuple[str, ...]
    ties_count: int
    station: str | None
    station_min: float | None

    @property
    def tied(self) -> bool:
        """Whether the best replacement is nearly as good as the site."""
        return self.name is not None and self.name in self.ties


def read_replacements(plan: Plan) -> dict[str, Replacement]:
    """Return what stands behind each site, by its identifier; nothing if it was not explained."""
    frame = table(plan, "explanations")
    return {str(key): _read(row) for key, row in zip(frame.index, frame.to_dict("records"),
                                                     strict=True)}  # fmt: skip


def _read(row: dict[str, Any]) -> Replacement:
    named = text(row.get("near_ties")) or ""
    ties = tuple(part.strip() for part in named.split(";") if part.strip())
    count = finite(row.get("near_ties_count")) or 0
    return Replacement(
        loss=float(row["loss_share"]),
        name=text(row.get("alternative_name")),
        share=finite(row.get("alternative_share")),
        ties=ties,
        ties_count=max(int(count), len(ties)),
        station=text(row.get("nearest_station_name")),
        station_min=finite(row.get("nearest_station_min")),
    )


def replacement_line(r: Replacement | None, f: Figures, w: Words, *, judged: bool = True) -> str:
    """Return in one line what is lost without a site and what could take its place.

    The latter only where it was `judged`, for coverage decided: else a replacement would be judged
    by what was not asked.
    """
    if r is None:
        return ""
    if not judged:
        return _lost_coverage(r, w)
    lost = (
        w.t("Without it {points} points are lost", points=w.points(0.0, r.loss).lstrip("+"))
        if r.loss >= _SAME
        else w.t("Without it nothing is lost: others of the plan cover the same")
    )
    best = _best(r, f, w)
    parts = filter(None, [lost, best, _others(r, w) if best else ""])
    return ("；" if w.language == "zh" else "; ").join(parts)


def _lost_coverage(r: Replacement, w: Words) -> str:
    if r.loss < _SAME:
        return w.t("Without it no coverage is lost: others of the plan reach the same visits")
    return w.t(
        "Without it {points} points of coverage are lost", points=w.points(0.0, r.loss).lstrip("+")
    )


def _best(r: Replacement, f: Figures, w: Words) -> str:
    least = f.after - r.loss + _SAME  # below it the replacement brings nothing
    if r.name is None or r.share is None or r.share < least:
        return w.t("no candidate makes up for it") if r.loss >= _SAME else ""
    said = {"name": r.name, "share": w.percent(r.share, places=1)}
    if r.tied:
        return w.t("nearly as good: {name} (then {share} covered)", **said)
    return w.t("best replacement: {name} (then {share} covered)", **said)


def _others(r: Replacement, w: Words) -> str:
    """Return the other near-ties, the first few by name."""
    others = [name for name in r.ties if name != r.name]
    more = r.ties_count - int(r.tied) - min(len(others), _MOST_NAMES)
    names = ("、" if w.language == "zh" else ", ").join(others[:_MOST_NAMES])
    if not names:
        return ""
    if more > 0:
        return w.t("also {names} and {n} more", names=names, n=more)
    return w.t("also {names}", names=names)
