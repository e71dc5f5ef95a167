"""How many stations bring how much: the best for every number, its limit, the order's cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.figures import finite, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.plan import Plan
    from planner.report.figures import Figures
    from planner.report.words import Words

SHARES = (0.8, 0.9, 0.95)
_EXACT = 1e-9  # shares are sums of floats
_SAME = 0.0005  # of coverage: what one decimal of a percentage does not show


class Step(NamedTuple):
    """What so many new stations cover.

    Attributes
    ----------
    stations
        New stations.
    covered, bound
        Covered share of the best set found, and the proven limit of any such set.
    nested
        Covered share of the first so many sites of the plan; None beyond it.
    cost
        What the set costs; None without costs.
    proven
        Whether no set covers more.
    """

    stations: int
    covered: float
    bound: float
    nested: float | None
    cost: float | None
    proven: bool


class Need(NamedTuple):
    """How many new stations a covered share takes.

    Attributes
    ----------
    share
        Covered share.
    stations
        Of the smallest set found; None if none was.
    least
        Proven: no smaller set does. One more than were tried if none of these can.
    tried
        The most stations that were tried.
    """

    share: float
    stations: int | None
    least: int
    tried: int


def read_frontier(plan: Plan) -> list[Step]:
    """Return what every number of stations brings, fewest first; nothing if it was not traced."""
    frame = table(plan, "frontier")
    if not len(frame):
        return []
    return [
        Step(
            stations=int(row["count"]),
            covered=float(row["covered_share"]),
            bound=max(float(row["bound_share"]), float(row["covered_share"])),
            nested=finite(row.get("nested_share")),
            cost=finite(row.get("cost")),
            proven=str(row["status"]) == "optimal",
        )
        for row in frame.sort_values("count").to_dict("records")
    ]


def read_needs(plan: Plan, steps: Sequence[Step]) -> list[Need]:
    """Return how many stations each of `SHARES` takes; nothing without a frontier.

    ``plan.json`` may know of more stations than the frontier has rows.
    """
    siting = plan.summary["siting"]
    found, least = (siting.get(key) or {} for key in ("for_share", "for_share_at_least"))
    needs = [find_need(steps, share) for share in SHARES] if steps else []
    return [
        n._replace(stations=found.get(f"{n.share:g}", n.stations),
                   least=least.get(f"{n.share:g}") or n.least)
        for n in needs
    ]  # fmt: skip


def find_need(steps: Sequence[Step], share: float) -> Need:
    """Return how many stations a share takes, from what each number of them covers.

    Examples
    --------
    >>> steps = [Step(0, 0.6, 0.6, None, None, True), Step(1, 0.8, 0.82, None, None, False)]
    >>> find_need(steps, 0.8), find_need(steps, 0.9).least
    (Need(share=0.8, stations=1, least=1, tried=1), 2)
    """
    tried = steps[-1].stations
    return Need(
        share,
        next((s.stations for s in steps if s.covered >= share - _EXACT), None),
        next((s.stations for s in steps if s.bound >= share - _EXACT), tried + 1),
        tried,
    )


def worth_telling(needs: Sequence[Need]) -> list[Need]:
    """Leave out what follows the first share that no set reaches: it takes more still."""
    beyond = next((k for k, n in enumerate(needs) if n.stations is None), len(needs))
    return list(needs[: beyond + 1])


# ── words ─────────────────────────────────────────────────────────────────────────────────────


def frontier_title(f: Figures, needs: Sequence[Need], w: Words) -> str:
    """Return what the plan's stations reach and what the next share would take; or nothing."""
    ahead = next((n for n in needs if n.share > f.after + _EXACT), None)
    if ahead is None or not f.sites:
        return ""
    sites = w.t("1 new station") if f.sites == 1 else w.t("{n} new stations", n=f.sites)
    said = {"sites": sites, "share": w.percent(f.after), "next": w.percent(ahead.share)}
    if ahead.stations is None and ahead.least > ahead.tried:
        return w.t(
            "{sites}: {share} covered; not even {most} would bring {next}",
            most=ahead.tried, **said,
        )  # fmt: skip
    if ahead.stations is None or ahead.stations <= f.sites:
        return ""
    return w.t("{sites}: {share} covered; {more} would bring {next}", more=ahead.stations, **said)


def needs_line(needs: Sequence[Need], w: Words) -> str:
    """Return in words how many stations each share takes; empty without a frontier."""
    if not needs:
        return ""
    told = ("；" if w.language == "zh" else "; ").join(_need(n, w) for n in worth_telling(needs))
    return w.t("New stations among these candidates: {told}.", told=told)


def _need(n: Need, w: Words) -> str:
    t, share = w.t, w.percent(n.share)
    if n.stations == 0:
        return t("{share} is covered today", share=share)
    if n.stations is None and n.least > n.tried:
        return t("{share} takes more than {n}", share=share, n=n.tried)
    if n.stations is None:
        return t("no set of up to {n} was found for {share}", share=share, n=n.tried)
    if n.least < n.stations:
        return t(
            "{share} needs {n} at most and {least} at least",
            share=share, n=n.stations, least=n.least,
        )  # fmt: skip
    return t("{share} needs {n}", share=share, n=n.stations)


def need_label(n: Need, w: Words) -> str:
    """Return the same beside its line in the chart; empty where nothing is known."""
    t, share, sign = w.t, w.percent(n.share), _sign(n)
    if n.stations == 0:
        return t("{share} today", share=share)
    if n.stations is None and not sign:
        return ""
    number = n.tried if n.stations is None else n.stations
    if number == 1:
        return t("{share}: needs {sign}1 station", share=share, sign=sign)
    return t("{share}: needs {sign}{n} stations", share=share, sign=sign, n=number)


def needs_row(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    """Yield the terminal's line: how many new stations 80, 90 and 95 % take."""
    needs = read_needs(plan, read_frontier(plan))
    if not needs:
        return
    shares = "/".join(f"{100 * n.share:g}" for n in needs) + w.percent_sign
    numbers = " / ".join(_short(n) for n in needs)
    yield w.t("to cover {shares}", shares=shares), w.t("{numbers} new stations", numbers=numbers)


def _short(n: Need) -> str:
    """Return the number: ``≤`` where fewer might do, ``>`` where all that were tried do not."""
    if n.stations is not None:
        return f"{_sign(n)}{n.stations}"
    return f"{_sign(n)}{n.tried}" if _sign(n) else "?"


def _sign(n: Need) -> str:
    if n.stations is None:
        return ">" if n.least > n.tried else ""
    return "≤" if n.least < n.stations else ""


def nesting_line(steps: Sequence[Step], w: Words) -> str:
    """Return what opening one by one costs against the best set of every number; or nothing."""
    lost = [
        (s.covered - s.nested, s.stations) for s in steps if s.nested is not None and s.stations
    ]
    if len(lost) < 2:
        return ""
    most, count = max(lost, key=lambda pair: (pair[0], -pair[1]))
    if most < _SAME:
        return w.t(
            "Opening in the order of the list costs nothing: at every step it covers as much as "
            "the best set found of as many stations."
        )
    points = w.points(0.0, most).lstrip("+")
    if count == 1:
        return w.t(
            "Opening in the order of the list costs {points} points at most, after the first "
            "station: so much more the best single station found would cover.",
            points=points,
        )
    return w.t(
        "Opening in the order of the list costs {points} points at most, after {n} stations: so "
        "much more the best set found of {n} would cover.",
        points=points, n=count,
    )  # fmt: skip
