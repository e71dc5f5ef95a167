"""Which model decided on the sites, in a sentence with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.words import Words


def asked_method(plan: Plan, w: Words) -> str:
    """Return the model, how it was solved and how near to the best that is proven to be."""
    siting: dict[str, Any] = plan.summary["siting"]
    told = {
        "gap": w.percent(siting.get("gap"), places=2), "status": w.status(siting.get("status"))
    }  # fmt: skip
    model = siting.get("model")
    if model == "backup":
        return _backup(siting, told, w)
    if model == "gradual":
        return _gradual(plan, told, w)
    return w.t(
        "Maximal covering location problem (Church & ReVelle 1974): greedy and exchange, "
        "bounded by a linear relaxation; gap {gap}, {status}.",
        **told,
    )


def _backup(siting: dict[str, Any], told: dict[str, str], w: Words) -> str:
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
