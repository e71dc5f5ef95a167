"""How sure the plan is: days it has not seen, demand that changes, and what a floor costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from planner.report.figures import STABLE, district_names, finite, read_figures, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.plan import Plan
    from planner.report.words import Words

MOST_ROWS = 8  # of the table in the report; the workbook has them all
_SAME = 0.0005  # of coverage: what one decimal of a percentage does not show
_NARROW = 0.02  # a range that needs its decimals


class HeldOut(NamedTuple):
    """What choices cover of visits that they have not seen; every share is 0..1.

    Attributes
    ----------
    share
        Of all visits, each by a choice that has not seen it.
    low, high
        Over the days or hours that were left out together.
    by
        ``days``, ``dayparts`` or ``visits``.
    """

    share: float
    low: float
    high: float
    by: str


class Scenario(NamedTuple):
    """What the plan covers if some demand changes, and what the best for that would.

    Attributes
    ----------
    kind, name, change
        ``all``, ``type``, ``district`` or ``daypart``; of which; by how much of itself.
    covered, best, bound
        Covered share of the plan, of the best choice found, and the proven limit.
    proven
        Whether the best is proven to be the best.
    """

    kind: str
    name: str
    change: float
    covered: float
    best: float
    bound: float
    proven: bool

    @property
    def regret(self) -> float:
        """What the plan covers less than the best choice found."""
        return max(self.best - self.covered, 0.0)


def read_held_out(plan: Plan) -> HeldOut | None:
    """Return what was found of visits not seen; None where it was not measured."""
    held = plan.summary["siting"].get("held_out") or {}
    if finite(held.get("share")) is None:
        return None
    share, low, high = (float(held[k]) for k in ("share", "low", "high"))
    return HeldOut(share, low, high, str(held["by"]))


def read_scenarios(plan: Plan) -> list[Scenario]:
    """Return the scenarios, the one in which the plan covers least first."""
    frame = table(plan, "scenarios")
    if not len(frame):
        return []
    found = [
        Scenario(
            str(row["kind"]), str(row["name"]), float(row["change"]), float(row["covered_share"]),
            float(row["best_share"]), float(row["bound_share"]), str(row["status"]) == "optimal",
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    return sorted(found, key=lambda s: (s.covered, -s.regret))


# ── words ─────────────────────────────────────────────────────────────────────────────────────


def range_text(low: float, high: float, w: Words) -> str:
    """Return a range of shares as one percentage span, with a decimal where it is narrow.

    Examples
    --------
    >>> from planner.report.words import speak
    >>> range_text(0.841, 0.872, speak("zh")), range_text(0.8544, 0.8558, speak("zh"))
    ('84–87%', '85.4–85.6%')
    """
    places = 1 if high - low < _NARROW else 0
    ends = [w.percent(share, places=places) for share in (low, high)]
    if ends[0] == ends[1]:
        return ends[0]
    return f"{ends[0].removesuffix(w.percent_sign)}–{ends[1]}"


def held_title(plan: Plan, held: HeldOut, w: Words) -> str:
    """Return what share is kept on days or hours that the choice has not seen."""
    said = {
        "range": range_text(held.low, held.high, w),
        "share": w.percent(read_figures(plan).after, places=_places(held)),
    }
    if held.by == "days":
        return w.t("Planned {share}; on days that the choice has not seen {range}", **said)
    if held.by == "dayparts":
        return w.t("Planned {share}; at hours that the choice has not seen {range}", **said)
    return w.t("Planned {share}; of visits that the choice has not seen {range}", **said)


def _places(held: HeldOut) -> int:
    return 1 if held.high - held.low < _NARROW else 0


def held_label(held: HeldOut, w: Words) -> str:
    """Return the same as a row's label."""
    if held.by == "days":
        return w.t("days not seen")
    return w.t("hours not seen") if held.by == "dayparts" else w.t("visits not seen")


def held_line(held: HeldOut, w: Words) -> str:
    """Return how that was found out."""
    said = {"share": w.percent(held.share, places=1)}
    if held.by == "days":
        return w.t(
            "Each part of the days was left out once: sites were chosen by the other days, then "
            "judged on those left out; together {share} of visits are covered so.",
            **said,
        )
    if held.by == "dayparts":
        return w.t(
            "The data hold too few days to leave some out. Each time of day was left out once: "
            "sites were chosen by the other hours, then judged on those left out; together {share} "
            "of visits are covered so.",
            **said,
        )
    return w.t(
        "Visits were halved by chance: one half chose the sites, the other judged them; on average "
        "{share} are covered so. Riders who come back stand in both halves, so that other days may "
        "differ more.",
        **said,
    )


def stability_line(plan: Plan, w: Words) -> str:
    """Return how many sites are chosen again on redrawn data, and which least."""
    f = read_figures(plan)
    runs = plan.summary["siting"].get("reruns")
    if f.stable is None or not runs:
        return ""
    said = {"runs": runs, "a": f.stable, "b": f.sites, "share": w.percent(STABLE)}
    text = w.t(
        "On data drawn anew {runs} times, {a} of {b} sites are chosen in at least {share} of the "
        "runs.",
        **said,
    )
    known = [s for s in plan.summary["siting"]["sites"] if finite(s.get("stability")) is not None]
    least = min(known, key=lambda s: (s["stability"], s["rank"]))
    if least["stability"] >= STABLE:
        return text
    rest = w.t(
        "Least sure is number {rank}, {name} ({share}).",
        rank=least["rank"], name=least["name"], share=w.percent(least["stability"]),
    )  # fmt: skip
    return w.t("{one} {two}", one=text, two=rest)


def scenario_name(plan: Plan, s: Scenario, w: Words) -> str:
    """Return whose demand changes, and by how much."""
    name = {
        "all": w.t("all demand"),
        "type": w.t(s.name),
        "district": district_names(plan).get(s.name, s.name),
        "daypart": w.t(s.name),
    }[s.kind]
    sign = "+" if s.change > 0 else "−"
    return f"{w.sentence(name)} {sign}{w.percent(abs(s.change))}"


def scenarios_title(plan: Plan, known: Sequence[Scenario], w: Words) -> str:
    """Return what the plan covers at least, whatever part of demand changes."""
    if not known:
        return ""
    change = w.percent(max(abs(s.change) for s in known))
    worst = known[0]
    return w.t(
        "If part of demand changes by {change}, the plan still covers {share}; worst: {name}",
        change=change, share=w.percent(worst.covered, places=_decimals(known)),
        name=scenario_name(plan, worst, w),
    )  # fmt: skip


def _decimals(known: Sequence[Scenario]) -> int:
    return 1 if known[-1].covered - known[0].covered < _NARROW else 0


def scenarios_lines(plan: Plan, known: Sequence[Scenario], w: Words) -> Iterator[str]:
    """Yield what another choice would gain in any of them, and which sites hold in all."""
    if not known:
        return
    most = max(known, key=lambda s: s.regret)
    room = max(s.bound - s.covered for s in known)
    if room < _SAME:
        yield w.t("In none of them would other sites cover more: this is proven.")
    elif most.regret < _SAME:
        yield w.t(
            "In none of them was a choice found that covers more; proven: {points} points at most.",
            points=w.points(0.0, room).lstrip("+"),
        )
    else:
        yield w.t(
            "Other sites would cover {points} points more at most ({name}).",
            points=w.points(0.0, most.regret).lstrip("+"), name=scenario_name(plan, most, w),
        )  # fmt: skip
    yield from _safe(plan, w)


def _safe(plan: Plan, w: Words) -> Iterator[str]:
    """Yield which sites the best choice of every scenario holds."""
    siting = plan.summary["siting"]
    safe, sites = set(siting.get("safe") or ()), siting["sites"]
    ranks = [str(s["rank"]) for s in sites if s["site_id"] in safe]
    if not sites:
        return
    if len(ranks) == len(sites):
        yield w.t("All {n} sites are right in every one of them.", n=len(sites))
    elif ranks:
        names = ("、" if w.language == "zh" else ", ").join(ranks)
        yield w.t(
            "{n} of {m} sites are right in every one of them: numbers {ranks}.",
            n=len(ranks), m=len(sites), ranks=names,
        )  # fmt: skip
    else:
        yield w.t("No site is right in every one of them.")


def most_line(shown: int, tried: int, w: Words) -> str:
    """Return that the table shows only some of what was tried, or nothing."""
    if tried <= shown:
        return ""
    return w.t("{n} changes tried, the {k} in which the plan covers least", n=tried, k=shown)


def scenario_cells(plan: Plan, s: Scenario, w: Words) -> tuple[str, ...]:
    """Return a scenario as a row: name, covered, best possible, what is lost."""
    best = w.percent(s.best if s.proven else s.bound, places=1)
    return (
        scenario_name(plan, s, w),
        w.percent(s.covered, places=1),
        best if s.proven else w.t("at most {share}", share=best),
        w.points(0.0, s.regret).lstrip("+"),
    )


def floor_line(plan: Plan, w: Words) -> str:
    """Return what the district floor costs in coverage; empty without a floor."""
    price = finite(plan.summary.get("equity", {}).get("price"))
    floor = finite(plan.summary["siting"].get("min_district_share"))
    if price is None or not floor:
        return ""
    share = w.percent(floor)
    if price < _SAME:
        return w.t("That every district has at least {floor} covered costs no coverage.",
                   floor=share)  # fmt: skip
    return w.t(
        "That every district has at least {floor} covered costs {points} points of coverage: as "
        "many stations without that floor would cover {free}.",
        floor=share, points=w.points(0.0, price).lstrip("+"),
        free=w.percent(read_figures(plan).after + price, places=1),
    )  # fmt: skip


def held_row(plan: Plan, w: Words) -> Iterator[tuple[str, Any]]:
    """Yield the terminal's line: what is covered on days or hours not seen."""
    held = read_held_out(plan)
    if held is not None:
        yield held_label(held, w), range_text(held.low, held.high, w)
