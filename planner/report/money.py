"""What money brings: the best for every sum, its limit, and the money for a share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.figures import finite, read_figures, table
from planner.report.frontier import SHARES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.plan import Plan
    from planner.report.words import Words

_EXACT = 1e-9  # shares are sums of floats


class Sum(NamedTuple):
    """What so much money covers.

    Attributes
    ----------
    money
        What may be spent.
    covered, bound
        Covered share of the best set found, and the proven limit of any such set.
    cost, stations
        Of the best set found.
    proven
        Whether no set covers more.
    """

    money: float
    covered: float
    bound: float
    cost: float
    stations: int
    proven: bool


class Price(NamedTuple):
    """How much money a covered share takes.

    Attributes
    ----------
    share
        Covered share.
    money
        Of the cheapest set found; None if none was.
    least
        Proven: no less does. None if no sum does.
    """

    share: float
    money: float | None
    least: float | None


def read_money(plan: Plan) -> list[Sum]:
    """Return what every sum brings, least first; nothing if it was not traced."""
    frame = table(plan, "money")
    if not len(frame):
        return []
    return [
        Sum(
            float(row["budget"]), float(row["covered_share"]),
            max(float(row["bound_share"]), float(row["covered_share"])), float(row["cost"]),
            int(row["count"]), str(row["status"]) == "optimal",
        )
        for row in frame.sort_values("budget").to_dict("records")
    ]  # fmt: skip


def read_prices(plan: Plan) -> list[Price]:
    """Return how much money each of the shares takes; nothing if it was not traced."""
    siting = plan.summary["siting"]
    found, least = (siting.get(k) for k in ("money_for_share", "money_for_share_at_least"))
    if not found or not least:
        return []
    keys = [(share, f"{share:g}") for share in SHARES]
    return [Price(s, finite(found.get(k)), finite(least.get(k))) for s, k in keys if k in found]


def read_spent(plan: Plan) -> float | None:
    """Return what the plan costs: the sum its sites' actions cost."""
    prices = {str(a): float(c) for a, c in plan.settings.siting.cost.items()}
    if not prices:
        return None
    return sum(prices.get(str(s["action"]), 0.0) for s in plan.summary["siting"]["sites"])


# ── words ─────────────────────────────────────────────────────────────────────────────────────


def money_title(plan: Plan, prices: Sequence[Price], w: Words) -> str:
    """Return what the plan's money covers and what the next share would take."""
    f, spent = read_figures(plan), read_spent(plan)
    said = {"money": w.number(spent), "share": w.percent(f.after)}
    ahead = next((p for p in prices if p.share > f.after + _EXACT), None)
    if ahead is None:
        return w.t("A cost of {money} covers {share}", **said)
    said["next"] = w.percent(ahead.share)
    if ahead.least is None:
        return w.t("A cost of {money} covers {share}; no sum would bring {next}", **said)
    if ahead.money is None or ahead.money <= (spent or 0.0):
        return w.t("A cost of {money} covers {share}", **said)
    return w.t(
        "A cost of {money} covers {share}; {more} would bring {next}",
        more=w.number(ahead.money), **said,
    )  # fmt: skip


def prices_line(prices: Sequence[Price], w: Words) -> str:
    """Return in words how much each share takes; empty without any."""
    beyond = next((k for k, p in enumerate(prices) if p.least is None), len(prices))
    told = ("；" if w.language == "zh" else "; ").join(_price(p, w) for p in prices[: beyond + 1])
    return w.t("Money among these candidates: {told}.", told=told) if told else ""


def _price(p: Price, w: Words) -> str:
    t, share = w.t, w.percent(p.share)
    if p.money == 0:
        return t("{share} is covered today", share=share)
    if p.least is None:
        return t("no sum covers {share}", share=share)
    if p.money is None:
        return t("{share} takes {n} or more", share=share, n=w.number(p.least))
    if w.number(p.least) != w.number(p.money):
        return t("{share} needs {n} at most and {least} at least",
                 share=share, n=w.number(p.money), least=w.number(p.least))  # fmt: skip
    return t("{share} needs {n}", share=share, n=w.number(p.money))


def price_label(p: Price, w: Words) -> str:
    """Return the same beside its line in the chart; empty where nothing is known."""
    share = w.percent(p.share)
    if p.money == 0:
        return w.t("{share} today", share=share)
    if p.money is None:
        return ""
    sign = "" if p.least is not None and w.number(p.least) == w.number(p.money) else "≤"
    return w.t("{share}: {sign}{money}", share=share, sign=sign, money=w.number(p.money))


def money_note(plan: Plan, w: Words) -> str:
    """Return what one costs, and that any number of stations may be opened."""
    cost = plan.settings.siting.cost
    told = " · ".join(f"{w.action(str(a))} {w.number(c)}" for a, c in cost.items())
    return w.t("cost of one: {told}; any number of stations", told=told)
