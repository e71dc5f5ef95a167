"""The numbers that the card says, taken from a plan or from the tables of a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.settings import DAYPARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from planner.plan import Plan
    from planner.tables import Reach

_HORIZON_LIMITS = 4.0  # minutes are sought up to so many limits


@dataclass(frozen=True)
class Figures:
    """What the card says; a share is 0..1, None where unknown.

    Attributes
    ----------
    before, after
        Covered share: ``all`` is nominal, at any hour; a daypart counts only stations open then.
    best
        Proven bound on the covered share of a plan with as many stations.
    gap, status
        How far the plan may be from the best, and whether it is proven.
    weight_per_day
        Rider-visits of an average day.
    circle
        Covered share that circles would claim, before and after.
    withheld
        Share of the rider-visits that privacy keeps out.
    expanded, needed
        Whether visits stand for all registered workers, and whether they weigh by need.
    first, free
        How many stations open first where riders already gather, and the share that would be
        covered without that rule; None without the rule.
    best_of
        What `best` holds for, where not for any so many stations: ``all`` candidates together, or
        plans that keep the ``required`` sites.
    judged
        Whether coverage decided, so that replacements were sought.
    held
        What is covered of days or hours that the choice has not seen: ``{low, high, by}``.
    ahead
        What the next share would take, or the greatest where the plan covers more than all:
        ``{share, stations, most}``; `stations` None if no set of up to `most` brings it.
    """

    name: str
    language: str
    mode: str
    limit_min: float
    dayparts: Mapping[str, tuple[float, float]]
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]
    weight_per_day: float
    best: float | None = None
    gap: float | None = None
    status: str = ""
    circle: tuple[float | None, float | None] = (None, None)
    withheld: float | None = None
    expanded: bool = False
    needed: bool = False
    first: int | None = None
    free: float | None = None
    held: Mapping[str, Any] | None = None
    ahead: Mapping[str, Any] | None = None
    best_of: str = ""
    judged: bool = True
    dates: tuple[str, ...] = ()
    review_number: str = ""

    @property
    def horizon_min(self) -> float:
        """Return how many minutes away stations were looked for."""
        return _HORIZON_LIMITS * self.limit_min


def figures_of_plan(plan: Plan) -> Figures:
    """Read the card's numbers from ``plan.json``; nothing is computed that stands there."""
    s, numbers = plan.settings, plan.summary
    coverage, siting, demand = numbers["coverage"], numbers["siting"], numbers["demand"]
    weight = float(demand["weight_per_day"])
    dates = [str(demand[k]) for k in ("first_day", "last_day") if demand.get(k)]
    return Figures(
        name=str(numbers["study"]),
        language=s.study.language,
        mode=coverage["mode"],
        limit_min=float(coverage["limit_min"]),
        dayparts=s.demand.dayparts,
        before=_shares(coverage["before"]),
        after=_shares(coverage["after"]),
        weight_per_day=weight,
        best=_best(siting, weight),
        gap=_number(siting.get("gap")) if _bounds_coverage(siting) else None,
        status=str(siting.get("status", "")) if _bounds_coverage(siting) else "",
        circle=(_number(coverage["before"].get("circle_share")),
                _number(coverage["after"].get("circle_share"))),
        withheld=_number(demand.get("suppressed_share")),
        expanded=bool(demand.get("expansion")),
        needed=bool(demand.get("need")),
        first=siting.get("informal_first"),
        free=_number(siting.get("free_share")),
        best_of=_best_of(siting),
        judged=_is_judged(siting),
        held=_held(siting),
        ahead=_ahead(siting, _number(coverage["after"].get("covered_share"))),
        dates=tuple(dict.fromkeys(dates)),
        review_number=s.report.review_number,
    )  # fmt: skip


def figures_of_tables(
    demand: pd.DataFrame,
    sites: pd.DataFrame,
    *,
    reach: Reach | None,
    name: str,
    language: str,
    limit_min: float,
    mode: str,
    dayparts: Mapping[str, tuple[float, float]] | None,
) -> Figures:
    """Gather the card's numbers from the tables of the stages and the notes they carry.

    What is covered before the first site is what its cumulative share is above its own gain.
    """
    note = demand.attrs.get("demand", {})
    siting = sites.attrs.get("siting", {})
    weight = float(demand["weight_per_day"].sum())
    ranked = sites.sort_values("rank")
    after = _number(ranked["cumulative_share"].iloc[-1]) if len(ranked) else None
    before = (
        _number(ranked["cumulative_share"].iloc[0] - ranked["gain_share"].iloc[0])
        if len(ranked)
        else None
    )
    parts = dayparts if dayparts is not None else note.get("dayparts") or DAYPARTS
    known = {k: tuple(v) for k, v in parts.items() if f"weight_{k}" in demand}
    return Figures(
        name=name,
        language=language,
        mode=reach.mode if reach is not None else mode,
        limit_min=float(reach.limit_min if reach is not None else limit_min),
        dayparts=known,
        before={"all": None if before is None else max(before, 0.0)},
        after={"all": after},
        weight_per_day=weight,
        best=_best(siting, weight),
        gap=_number(siting.get("gap")) if _bounds_coverage(siting) else None,
        status=str(siting.get("status", "")) if _bounds_coverage(siting) else "",
        withheld=_number(note.get("suppressed_share")),
        expanded=bool(note.get("expansion")),
        needed=_weighs(note.get("need")) or _weighs(note.get("need_types")),
        first=siting.get("informal_first"),
        free=_number(siting.get("free_share")),
        best_of=_best_of(siting),
        judged=_is_judged(siting),
        held=_held(siting),
    )


def _held(siting: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is covered of days or hours that were left out; None where it is not known."""
    held = siting.get("held_out") or {}
    low, high = (_number(held.get(k)) for k in ("low", "high"))
    return None if low is None else {"low": low, "high": high, "by": str(held["by"])}


def _ahead(siting: Mapping[str, Any], after: float | None) -> dict[str, Any] | None:
    """Return what the first share beyond the plan's takes, else the last; None if that is open."""
    found, least = (siting.get(k) or {} for k in ("for_share", "for_share_at_least"))
    most = max((int(row["count"]) for row in siting.get("frontier") or ()), default=0)
    shares = sorted(found, key=float)
    if after is None or not shares:
        return None
    share = next((s for s in shares if float(s) > after + 1e-9), shares[-1])
    none_can = least.get(share) is None or least[share] > most
    if found[share] == 0 or (found[share] is None and not none_can):
        return None
    return {"share": float(share), "stations": found[share], "most": most}


def _weighs(factors: Mapping[str, float] | None) -> bool:
    return any(value != 1.0 for value in (factors or {}).values())


def _shares(side: Mapping[str, Any]) -> dict[str, float | None]:
    open_now = {k: _number(v) for k, v in side.get("open_now", {}).items()}
    return {"all": _number(side.get("covered_share")), **open_now}


def _bounds_coverage(siting: Mapping[str, Any]) -> bool:
    """Tell whether bound and gap are those of what any so many sites could cover."""
    bound_by = ("min_district_share", "budget")
    return siting.get("model", "mclp") == "mclp" and not any(siting.get(k) for k in bound_by)


def _best(siting: Mapping[str, Any], weight: float) -> float | None:
    """Return the bound as a share; of other models what all candidates together would cover."""
    if _bounds_coverage(siting):
        return _share(siting.get("bound"), weight)
    return None if siting.get("model") == "mclp" else _number(siting.get("best_possible_share"))


def _best_of(siting: Mapping[str, Any]) -> str:
    if siting.get("model", "mclp") != "mclp":
        return "all"
    return "required" if siting.get("required") else ""


def _is_judged(siting: Mapping[str, Any]) -> bool:
    return siting.get("model", "mclp") in {"mclp", "lscp"} and not siting.get("min_district_share")


def _share(part: Any, whole: float) -> float | None:
    number = _number(part)
    return None if number is None or whole <= 0 else min(number / whole, 1.0)


def _number(value: Any) -> float | None:
    """Return a finite number, or None."""
    if value is None:
        return None
    number = float(value)
    return number if np.isfinite(number) else None


def describe_figures(figures: Figures, attribution: str) -> dict[str, Any]:
    """Return what the page is told of all this."""
    parts = list(figures.dayparts)
    return {
        "name": figures.name,
        "language": figures.language,
        "mode": figures.mode,
        "limit": figures.limit_min,
        "dayparts": [{"name": n, "hours": [float(h) for h in figures.dayparts[n]]} for n in parts],
        "before": [figures.before.get(p) for p in ("all", *parts)],
        "after": [figures.after.get(p) for p in ("all", *parts)],
        "best": figures.best,
        "gap": figures.gap,
        "bestOf": figures.best_of,
        "judged": figures.judged,
        "weight": figures.weight_per_day,
        "circle": list(figures.circle),
        "withheld": figures.withheld,
        "expanded": figures.expanded,
        "needed": figures.needed,
        "held": figures.held,
        "ahead": figures.ahead,
        "rule": {"first": figures.first, "free": figures.free} if figures.first else None,
        "dates": list(figures.dates),
        "review": figures.review_number,
        "attribution": attribution,
    }
