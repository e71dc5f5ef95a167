"""What the report says in sentences: headline, four figures, bullets, and what it does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.figures import (
    STABLE,
    best_label,
    best_places,
    best_text,
    rule_text,
    stable_text,
)
from planner.report.goal import goal_lines
from planner.report.whatif import read_edits
from planner.report.words import data_dates, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.plan import Plan
    from planner.report.figures import Figures, Scope
    from planner.report.words import Words


_SEEN = 0.0005  # of coverage: what one decimal of a percentage shows


class Fact(NamedTuple):
    """One of the four figures on page one."""

    value: str
    label: str


def headline(plan: Plan, f: Figures, w: Words) -> str:
    """Return the finding in one line: how many sites, and covered share today and planned."""
    t = w.t
    before, after = w.from_to(f.before, f.after)
    limit = f"{plan.summary['coverage']['limit_min']:g}"
    if not f.sites:
        return t("No new station: {share} of rider-visits are covered today", share=before)
    sites = t("1 new station") if f.sites == 1 else t("{n} new stations", n=f.sites)
    said = {"sites": sites, "limit": limit, "before": before, "after": after}
    mode = plan.summary["coverage"]["mode"]
    if mode == "walk":
        return t("{sites}: {before} → {after} covered within a {limit}-minute walk", **said)
    if mode == "ebike":
        return t("{sites}: {before} → {after} covered within {limit} minutes by e-bike", **said)
    return t("{sites}: {before} → {after} covered within a {limit}-minute drive", **said)


def four_facts(f: Figures, w: Words) -> list[Fact]:
    """Return covered today → planned, best possible, rider-visits gained, stable sites."""
    t = w.t
    before, after = w.from_to(f.before, f.after)
    return [
        Fact(f"{before} → {after}", t("covered today → planned")),
        Fact(*_best(f, w)),
        Fact(f"+{w.number(f.gained_per_day)}", t("rider-visits gained a day")),
        Fact(stable_text(f, w), t("stable sites")),
    ]


def _best(f: Figures, w: Words) -> tuple[str, str]:
    """Return the best possible share, and its label with the gap where it is not proven."""
    label = best_label(f, w)
    if f.best is None and f.limit is not None:
        said = w.t("best possible under the study's conditions")
        near = w.percent(f.limit) == w.percent(f.after) and f.limit - f.after >= _SEEN
        return w.percent(f.limit, places=int(near)), said
    if f.best is None or f.status == "optimal" or not is_number(f.gap):
        return best_text(f, w), label
    share = w.percent(f.best, places=best_places(f, w))
    return share, w.t("{what}, gap {gap}", what=label, gap=w.percent(f.gap, places=2))


def circle_line(f: Figures, w: Words) -> str:
    """Return what circles would have claimed, as the line beside the network's share."""
    if f.circle_before is None or f.circle_after is None:
        return ""
    before, after = w.from_to(f.circle_before, f.circle_after)
    return w.t("Circles on paper would claim {before} → {after}.", before=before, after=after)


def bullets(plan: Plan, f: Figures, w: Words) -> list[str]:
    """Return up to five sentences a leader needs; those without data are left out."""
    found = [
        *_gain(plan, f, w), *goal_lines(plan, w), *_how(f, w), *_rule(f, w), *_hours(f, w),
        *_districts(f, w), *_parking(f, w), *_circles(f, w), *_proof(f, w),
    ]  # fmt: skip
    return found[:5]


def _gain(plan: Plan, f: Figures, w: Words) -> Iterator[str]:
    sites = plan.summary["siting"]["sites"]
    gained = sum(s["gain_share"] for s in sites)
    if not sites or gained <= 0:
        return
    text = w.t(
        "Each day {n} more of {all} rider-visits have a station in reach.",
        n=w.number(f.gained_per_day), all=w.number(f.weight_per_day),
    )  # fmt: skip
    if len(sites) > 3:
        first = sum(s["gain_share"] for s in sorted(sites, key=lambda s: s["rank"])[:3])
        rest = w.t("The first three sites bring {share} of that.", share=w.percent(first / gained))
        text = w.t("{one} {two}", one=text, two=rest)
    yield text


def _how(f: Figures, w: Words) -> Iterator[str]:
    if not f.sites:
        return
    if f.activated in (0, f.sites):
        text = (
            w.t("All sites open existing premises.")
            if f.activated
            else (w.t("All sites are built anew."))
        )
    else:
        text = w.t(
            "{a} of the sites open existing premises, {b} are built anew.",
            a=f.activated, b=f.sites - f.activated,
        )  # fmt: skip
    if f.stable is not None:
        rest = (
            w.t("All of them hold when the data are redrawn.")
            if f.stable == f.sites
            else w.t(
                "{n} hold in at least {share} of runs with redrawn data; look at the others first.",
                n=f.stable, share=w.percent(STABLE),
            )
        )  # fmt: skip
        text = w.t("{one} {two}", one=text, two=rest)
    yield text


def _rule(f: Figures, w: Words) -> Iterator[str]:
    if f.ruled:
        yield w.t("{text}.", text=rule_text(f, w))


def rule_line(f: Figures, w: Words) -> str:
    """Return what the rule on gathering places did; empty where it is off."""
    if f.first == 0:
        return w.t(
            "The rule to open stations first where riders gather changed nothing: no place came "
            "under it."
        )
    return "".join(_rule(f, w))


def weakest(scopes: Sequence[Scope]) -> Scope | None:
    """Return the scope that the plan leaves lowest; of equals the first."""
    known = [s for s in scopes if s.after is not None and s.before is not None]
    return min(known, key=lambda s: s.after or 0.0) if known else None


def _hours(f: Figures, w: Words) -> Iterator[str]:
    worst = weakest(f.dayparts)
    if worst is not None:
        before, after = w.from_to(worst.before, worst.after)
        yield w.t(
            "Counting only stations open at the time, {part} is weakest: {before} → {after}.",
            part=w.t(worst.name), before=before, after=after,
        )  # fmt: skip


def _districts(f: Figures, w: Words) -> Iterator[str]:
    worst = weakest(f.districts)
    if worst is not None and len(f.districts) > 1:
        before, after = w.from_to(worst.before, worst.after)
        yield w.t(
            "{district} stays the least served district: {before} → {after}.",
            district=worst.name, before=before, after=after,
        )  # fmt: skip


def _parking(f: Figures, w: Words) -> Iterator[str]:
    if f.parking_sites:
        yield w.t(
            "{n} friendly-parking sites with {bays} bays serve {share} of short stops.",
            n=f.parking_sites, bays=f.bays, share=w.percent(f.parking_share),
        )  # fmt: skip


def _circles(f: Figures, w: Words) -> Iterator[str]:
    if f.circle_after is not None and f.circle_after > f.after:
        yield w.t(
            "Circles on paper would claim {points} points more than riders find along the streets.",
            points=w.points(f.after, f.circle_after).lstrip("+"),
        )  # fmt: skip


def _proof(f: Figures, w: Words) -> Iterator[str]:
    if f.ruled or not f.by_coverage:
        return
    if f.sites and f.required:
        yield _proof_of_required(f, w)
    elif f.sites and f.status == "optimal":
        yield w.t(
            "It is proven that no other {n} sites among the candidates cover more.", n=f.sites
        )
    elif f.sites and f.best is not None:
        yield w.t(
            "It is proven that no {n} sites among the candidates cover more than {share}.",
            n=f.sites, share=w.percent(f.best, places=best_places(f, w)),
        )  # fmt: skip


def _proof_of_required(f: Figures, w: Words) -> str:
    if f.status == "optimal":
        return w.t(
            "It is proven that no other {n} sites that keep the {k} required ones cover more.",
            n=f.sites, k=f.required,
        )  # fmt: skip
    return w.t(
        "It is proven that no {n} sites that keep the {k} required ones cover more than {share}.",
        n=f.sites, k=f.required, share=w.percent(f.best, places=best_places(f, w)),
    )  # fmt: skip


def silences(plan: Plan, f: Figures, w: Words) -> list[str]:
    """Return what the report does not say: whom the data miss, and what was not looked at."""
    t, found = w.t, []
    dates = data_dates(plan.summary, w)
    if dates:
        days = plan.summary["demand"].get("days")
        found.append(
            t(
                "Only riders in the data of {dates} are counted; days with data: {n}.",
                dates=dates, n=w.count(days),
            )
        )  # fmt: skip
    if is_number(f.suppressed_share) and (f.suppressed_share or 0) > 0:
        found.append(
            t(
                "{share} of rider-visits are left out of every figure for privacy.",
                share=w.percent(f.suppressed_share, places=1),
            )
        )
    adopted = [e.name for e in read_edits(plan) if e.adopted]
    if adopted:
        names = ("、" if w.language == "zh" else "; ").join(adopted)
        found.append(
            t(
                "The figures hold only once these changes to the streets are done: {names}.",
                names=names,
            )
        )
    found.append(
        t("The covered share counts every station at any hour; opening hours are told apart below.")
    )
    found.append(
        t("Rent, power, ownership and consent are not in the data: each site needs a visit.")
    )
    return found


# ── titles that state the finding ─────────────────────────────────────────────────────────────


def hours_title(f: Figures, w: Words) -> str:
    """Return what opening hours take away."""
    worst = weakest(f.dayparts)
    if worst is None:
        return w.t("Coverage by time of day")
    return w.t(
        "Counting opening hours, {part} stays lowest at {share}",
        part=w.t(worst.name), share=w.percent(worst.after),
    )  # fmt: skip


def districts_title(f: Figures, w: Words) -> str:
    """Return which district gains most, and which stays lowest."""
    known = [s for s in f.districts if s.before is not None and s.after is not None]
    if len(known) < 2:
        return w.t("Coverage by district")
    most = max(known, key=lambda s: (s.after or 0) - (s.before or 0))
    worst = weakest(known)
    if (most.after or 0) <= (most.before or 0) or worst is None:
        return w.t("Coverage by district")
    if most.name == worst.name:
        return w.t(
            "{most} gains most ({points} points) and still stays lowest",
            most=most.name, points=w.points(most.before, most.after),
        )  # fmt: skip
    return w.t(
        "{most} gains most ({points} points), {worst} stays lowest",
        most=most.name, points=w.points(most.before, most.after), worst=worst.name,
    )  # fmt: skip


def circles_title(f: Figures, w: Words) -> str:
    """Return how much more circles would claim than the streets give."""
    if f.circle_after is None or f.circle_after <= f.after:
        return w.t("Circles and streets compared")
    return w.t(
        "Circles would claim {points} points more than the streets give",
        points=w.points(f.after, f.circle_after).lstrip("+"),
    )  # fmt: skip


def sites_title(f: Figures, w: Words) -> str:
    """Return what the recommended sites are, taken together."""
    if f.activated == 0:
        return w.t("{n} recommended sites, all built anew", n=f.sites)
    if f.activated == f.sites:
        return w.t("{n} recommended sites, all in existing premises", n=f.sites)
    return w.t(
        "{n} recommended sites: {a} in existing premises, {b} built anew",
        n=f.sites, a=f.activated, b=f.sites - f.activated,
    )  # fmt: skip


def growth_title(f: Figures, w: Words) -> str:
    """Return how near the plan comes to the best possible."""
    if f.ruled and f.status == "optimal":
        return w.t("No other {n} sites under this rule could cover more: this is proven", n=f.sites)
    if f.required and f.status == "optimal":
        return w.t(
            "No other {n} sites that keep the {k} required ones could cover more: this is proven",
            n=f.sites, k=f.required,
        )  # fmt: skip
    if f.status == "optimal":
        return w.t("No other {n} sites could cover more: this is proven", n=f.sites)
    if f.best is None or not is_number(f.gap):
        return w.t("Coverage with each further site")
    return w.t(
        "Proven to be within {gap} of the best possible with {n} sites",
        gap=w.percent(f.gap, places=2), n=f.sites,
    )  # fmt: skip


def parking_title(f: Figures, w: Words) -> str:
    """Return what friendly parking serves."""
    return w.t(
        "{n} friendly-parking sites with {bays} bays serve {share} of short stops",
        n=f.parking_sites, bays=f.bays, share=w.percent(f.parking_share),
    )  # fmt: skip


def inputs_title(plan: Plan, w: Words) -> str:
    """Return how much of what was read was used."""
    notes = plan.summary["inputs"].values()
    rows, kept = (sum(int(n.get(k) or 0) for n in notes) for k in ("rows", "kept"))
    return w.t("{kept} of {rows} rows were used", kept=w.count(kept), rows=w.count(rows))
