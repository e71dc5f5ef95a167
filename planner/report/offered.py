"""Where stations could have been: how many places were offered, and what leaving some out costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.words import Words


def offered_line(plan: Plan, w: Words) -> str:
    """Return how many candidates of each kind there were, and what is proven of those left out.

    Empty where the plan does not tell.
    """
    told = plan.summary.get("candidates")
    if not told:
        return ""
    kinds = {
        "host": w.t("existing premises"),
        "hotspot": w.t("hot spots (medoids)"),
        "corner": w.t("street corners"),
        "street": w.t("street points"),
    }
    parts = [f"{w.count(told[kind])} {name}" for kind, name in kinds.items() if told.get(kind)]
    said = w.t("Offered: {parts}.", parts=" · ".join(parts) or w.count(0))
    return " ".join([said, *_screening(told["screening"], w)])


def _screening(screening: dict[str, Any], w: Words) -> list[str]:
    said, cut, may_lose = [], screening["cut"], screening["may_lose_share"]
    if screening["dominated"]:
        said.append(
            w.t(
                "{n} more were left out because another candidate can take the place of each in "
                "any plan, so the best plan stays possible.",
                n=w.count(screening["dominated"]),
            )
        )
    if not cut:
        return said
    n = w.count(cut)
    if may_lose == 0:
        text = w.t("{n} more were screened out; it is proven that the plan lost nothing.", n=n)
    elif may_lose is not None:
        share = w.percent(may_lose, places=1)
        text = w.t(
            "{n} more were screened out; with them a plan of as many sites could cover at most "
            "{share} of the demand more (proven).",
            n=n, share=share,
        )  # fmt: skip
    else:
        text = w.t("{n} more were screened out, without proof that the plan lost nothing.", n=n)
    only = screening["only_share"]
    if only:
        share = w.percent(only, places=1)
        text += " " + w.t("{share} of the demand is within reach of these alone.", share=share)
    return [*said, text]


def dropped_rows(plan: Plan, w: Words) -> list[tuple[Any, ...]]:
    """Return a row of the workbook's losses for each reason why candidates were left out."""
    told = plan.summary.get("candidates") or {}
    return [
        (w.t("Candidates"), None, w.reason(why), None, None, n, None, None)
        for why, n in told.get("dropped", {}).items()
    ]
