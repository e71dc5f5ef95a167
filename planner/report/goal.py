"""What was asked beside coverage, and what came of it: one line in the model's own unit."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planner.plan import Plan
    from planner.report.words import Words

_EXACT = 1e-9


def goal_lines(plan: Plan, w: Words) -> Iterator[str]:
    """Yield what the model sought and reached, and what is spent; nothing of plain coverage."""
    siting: Mapping[str, Any] = plan.summary["siting"]
    say = _GOALS.get(str(siting.get("model")))
    if say is not None:
        yield say(plan, siting, w)
    yield from _spent(siting, w)
    yield from _floor(siting, w)


def goal_rows(plan: Plan, w: Words) -> Iterator[tuple[str, str]]:
    """Yield the same as lines of the terminal."""
    for number, line in enumerate(goal_lines(plan, w)):
        yield "" if number else w.t("what was asked"), line


def by_coverage_alone(plan: Plan, w: Words) -> str:
    """Say that other counts are told by coverage where the plan sought something else."""
    if plan.summary["siting"].get("model", "mclp") in {"mclp", "lscp"}:
        return ""
    return w.t(
        "The grey line is by coverage alone; the plan was asked for something else, so it may lie "
        "below."
    )


def _spent(siting: Mapping[str, Any], w: Words) -> Iterator[str]:
    """Yield what the plan costs; of lscp the cost is the goal, of seats it is told with them."""
    budget, cost = siting.get("budget"), siting.get("cost")
    if budget is None or cost is None:
        return
    said = {"cost": w.number(cost), "budget": w.number(budget)}
    if siting.get("model") != "mclp":
        yield w.t("The plan spends {cost} of a budget of {budget}.", **said)
        return
    yield w.t(
        "The plan spends {cost} of a budget of {budget}; nothing within it could cover more than "
        "{best}.",
        best=w.percent(siting["best_possible_share"], places=1), **said,
    )  # fmt: skip


def _floor(siting: Mapping[str, Any], w: Words) -> Iterator[str]:
    """Yield what every district was to have, and the proven limit of plans that give it."""
    floor = siting.get("min_district_share")
    if not floor:
        return
    if siting.get("model") != "mclp" or siting.get("best_possible_share") is None:
        yield w.t("Every district has at least {floor} covered.", floor=w.percent(floor))
        return
    yield w.t(
        "Every district has at least {floor} covered; no such plan could cover more than {best} in "
        "all.",
        floor=w.percent(floor), best=w.percent(siting["best_possible_share"], places=1),
    )  # fmt: skip


def _fewest(_: Plan, siting: Mapping[str, Any], w: Words) -> str:
    said = {"target": w.percent(siting["target_share"])}
    proven = siting["status"] == "optimal"
    if siting["unit"] == "cost":
        said |= {"n": w.number(siting["objective"]), "least": w.number(siting["bound"])}
        if proven:
            return w.t("To cover {target} costs {n}; proven: not less.", **said)
        return w.t("To cover {target} costs {n}; proven: at least {least}.", **said)
    said |= {
        "n": w.count(siting["objective"]), "least": w.count(ceil(siting["bound"] - _EXACT))
    }  # fmt: skip
    if proven:
        return w.t("To cover {target} takes {n} new stations; proven: not fewer.", **said)
    return w.t("To cover {target} takes {n} new stations; proven: at least {least}.", **said)


def _backed(_: Plan, siting: Mapping[str, Any], w: Words) -> str:
    return w.t(
        "Two stations within reach: {before} → {after} of rider-visits; a second one counts "
        "{part} of a visit.",
        before=w.percent(siting["backed_share_before"]), after=w.percent(siting["backed_share"]),
        part=w.percent(siting["backup_share"]),
    )  # fmt: skip


def _nearer(_: Plan, siting: Mapping[str, Any], w: Words) -> str:
    return w.t(
        "The nearer the more it counts: gradual coverage {before} → {after}, {best} at most.",
        before=w.percent(siting["gradual_share_before"], places=1),
        after=w.percent(siting["gradual_share"], places=1),
        best=w.percent(siting["gradual_share_best"], places=1),
    )  # fmt: skip


def _least_minutes(plan: Plan, siting: Mapping[str, Any], w: Words) -> str:
    weight = float(plan.summary["demand"]["weight_per_day"])
    said = {
        "n": w.number(siting["objective"]), "mean": f"{siting['objective'] / weight:.1f}",
        "far": f"{2 * plan.settings.service.limit_min:g}",
        "least": _under(siting["bound"] / weight),
    }  # fmt: skip
    if siting["status"] == "optimal":
        return w.t(
            "Ways to the nearest station: {n} rider-minutes a day, {mean} minutes a visit (out of "
            "reach counted as {far}); proven: no other choice of sites does with less.",
            **said,
        )
    return w.t(
        "Ways to the nearest station: {n} rider-minutes a day, {mean} minutes a visit (out of "
        "reach counted as {far}); proven: no choice of sites does with less than {least}.",
        **said,
    )


def _farthest(_: Plan, siting: Mapping[str, Any], w: Words) -> str:
    said = {"n": f"{siting['objective']:.1f}", "least": _under(siting["bound"])}
    if siting["status"] == "optimal":
        return w.t(
            "The farthest of those that can be reached has {n} minutes to go; proven: no other "
            "choice of sites does with less.",
            **said,
        )
    return w.t(
        "The farthest of those that can be reached has {n} minutes to go; proven: no choice of "
        "sites does with less than {least}.",
        **said,
    )


def _under(minutes: float) -> str:
    """Return minutes with a decimal, rounded down: a limit from below stays one."""
    return f"{floor(10 * minutes + _EXACT) / 10:.1f}"


def _served(_: Plan, siting: Mapping[str, Any], w: Words) -> str:
    said = {
        "before": w.percent(siting["served_share_before"], places=1),
        "after": w.percent(siting["served_share"], places=1),
        "n": w.count(round(siting["seats_added"])),
        "best": w.percent(siting["served_share_best"], places=1),
        "grown": sum(r["action"] == "enlarge" for r in siting["seating"]),
    }
    if said["grown"]:
        return w.t(
            "Seats serve {before} → {after} of rider-visits ({best} at most): {n} seats are "
            "added, {grown} existing stations enlarged.",
            **said,
        )
    return w.t(
        "Seats serve {before} → {after} of rider-visits ({best} at most): {n} seats are added.",
        **said,
    )


_GOALS: dict[str, Callable[[Plan, Mapping[str, Any], Words], str]] = {
    "lscp": _fewest,
    "backup": _backed,
    "gradual": _nearer,
    "pmedian": _least_minutes,
    "pcenter": _farthest,
    "capacitated": _served,
}
