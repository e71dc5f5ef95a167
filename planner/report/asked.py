"""Which model decided on the sites, in a sentence with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.plan import Plan
    from planner.report.words import Words


def asked_method(plan: Plan, w: Words) -> str:
    """Return the model, how it was solved and how near to the best that is proven to be."""
    siting: dict[str, Any] = plan.summary["siting"]
    told = {
        "gap": w.percent(siting.get("gap"), places=2), "status": w.status(siting.get("status"))
    }  # fmt: skip
    say = _SENTENCES.get(str(siting.get("model")), _covering)
    return say(plan, told, w)


def _covering(_: Plan, told: dict[str, str], w: Words) -> str:
    return w.t(
        "Maximal covering location problem (Church & ReVelle 1974): greedy and exchange, "
        "bounded by a linear relaxation; gap {gap}, {status}.",
        **told,
    )


def _set_covering(plan: Plan, told: dict[str, str], w: Words) -> str:
    siting = plan.summary["siting"]
    said = {**told, "target": w.percent(siting["target_share"])}
    if siting["unit"] == "cost":
        return w.t(
            "Location set covering (Toregas, Swain, ReVelle & Bergman 1971): the cheapest sites "
            "that bring {target} of the demand within reach. Greedy and exchange, bounded by "
            "Lagrangean multipliers; gap {gap}, {status}.",
            **said,
        )
    return w.t(
        "Location set covering (Toregas, Swain, ReVelle & Bergman 1971): the fewest sites that "
        "bring {target} of the demand within reach. Greedy and exchange, bounded by Lagrangean "
        "multipliers; gap {gap}, {status}.",
        **said,
    )


def _median(plan: Plan, told: dict[str, str], w: Words) -> str:
    return w.t(
        "p-median (Hakimi 1964; ReVelle & Swain 1970): the least minutes to the nearest station "
        "in all, a rider-visit out of reach counted as {far} minutes. Greedy and fast "
        "interchange, bounded by Lagrangean multipliers and HiGHS; gap {gap}, {status}.",
        far=f"{2 * plan.settings.service.limit_min:g}", **told,
    )  # fmt: skip


def _center(_: Plan, told: dict[str, str], w: Words) -> str:
    return w.t(
        "p-center (Hakimi 1964): the least minutes of the farthest demand that any station or "
        "candidate reaches within the limit. Bisection over the times that occur, each tried by "
        "set covering; gap {gap}, {status}.",
        **told,
    )


def _backup(plan: Plan, told: dict[str, str], w: Words) -> str:
    siting = plan.summary["siting"]
    return w.t(
        "Backup coverage (Hogan & ReVelle 1986): a rider-visit counts {first} with one station "
        "within reach and in full with two, so more have a second station and fewer a first than "
        "where the first alone counts. With the plan {after} of the demand have two stations "
        "({before} today). Greedy, exchange and annealing, bounded by Lagrangean multipliers; gap "
        "{gap}, {status}.",
        first=w.percent(1 - siting["backup_share"]), after=w.percent(siting["backed_share"]),
        before=w.percent(siting["backed_share_before"]), **told,
    )  # fmt: skip


def _gradual(plan: Plan, told: dict[str, str], w: Words) -> str:
    siting = plan.summary["siting"]
    return w.t(
        "Gradual coverage (Berman & Krass 2002; Berman, Krass & Drezner 2003): a rider-visit "
        "counts in full up to {full} minutes from its nearest station, then evenly less, nothing "
        "from {limit} minutes on. So measured, coverage is {before} today and {after} with the "
        "plan; no choice of as many sites, or within the same budget, could bring more than "
        "{best}. Solved as maximal covering, a layer for each step of the decline; gap {gap}, "
        "{status}.",
        full=f"{siting['full_min']:g}", limit=f"{plan.settings.service.limit_min:g}",
        before=w.percent(siting["gradual_share_before"], places=1),
        after=w.percent(siting["gradual_share"], places=1),
        best=w.percent(siting["gradual_share_best"], places=1), **told,
    )  # fmt: skip


_SENTENCES: dict[str, Callable[[Plan, dict[str, str], Words], str]] = {
    "lscp": _set_covering,
    "pmedian": _median,
    "pcenter": _center,
    "backup": _backup,
    "gradual": _gradual,
}
