"""A planner's own list of sites, held against the plan and against what is proven possible."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from planner.errors import SettingsError
from planner.i18n import translator
from planner.siting.answers import show_rows
from planner.siting.explanations import seeks_coverage
from planner.siting.opened import open_sites
from planner.siting.picks import pick_candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.plan import Plan
    from planner.siting.opened import Opened

_MOST_SWAPS = 5
_DIGITS = 12  # of a share: sums in another order differ beyond


class Swap(NamedTuple):
    """One exchange in a list of sites."""

    out_id: str
    out_name: str
    in_id: str
    in_name: str
    gain_share: float


@dataclass(frozen=True)
class SiteScore:
    """What a list of sites is worth.

    Attributes
    ----------
    chosen
        Identifiers of the candidates, in the order named.
    covered_share, today_share, gain_share
        Covered with the list, by what is open today, and the difference.
    plan_share, gap_to_plan
        Covered by the plan, whatever its number of sites, and how much more that is.
    bound_share, gap_to_bound
        Proven: so much at most any choice of as many sites covers, and how much more that is; None
        if the plan has no bound for this number.
    idle
        Sites of the list without which as much would be covered.
    too_close
        Pairs of the list that stand nearer to each other than `siting.min_spacing_m`.
    swaps
        For every site of the list the best candidate in its place, as far as that covers more: the
        five that gain most.
    by_coverage
        Whether coverage decided on the plan's own sites; else the list is still told by coverage.
    language
        ``zh`` or ``en``, of the words.
    """

    chosen: tuple[str, ...]
    covered_share: float
    today_share: float
    gain_share: float
    plan_share: float
    gap_to_plan: float
    bound_share: float | None
    gap_to_bound: float | None
    idle: tuple[str, ...]
    too_close: tuple[tuple[str, str], ...]
    swaps: tuple[Swap, ...]
    by_coverage: bool = True
    language: str = field(default="en", repr=False)

    def numbers(self) -> dict[str, Any]:
        """Return all of it as plain data, ready for JSON."""
        told = {k: v for k, v in asdict(self).items() if k != "language"}
        return told | {"swaps": [swap._asdict() for swap in self.swaps]}

    def rows(self) -> list[tuple[str, str]]:
        """Return label and value pairs in the study's language."""
        t = translator(self.language)
        rows = [
            (t("covered today → with these sites"),
             f"{self.today_share:.1%} → {self.covered_share:.1%}"),
            (t("the plan covers"), f"{self.plan_share:.1%}"),
        ]  # fmt: skip
        if not self.by_coverage:
            rows.append((t("told by"), t("coverage alone; more than that decided on the plan")))
        if self.bound_share is not None:
            rows.append((t("as many sites cover at most"), f"{self.bound_share:.1%}"))
        if self.idle:
            rows.append((t("sites that add nothing"), ", ".join(self.idle)))
        rows += [(t("too close to each other"), " · ".join(pair)) for pair in self.too_close]
        for k, swap in enumerate(self.swaps):
            gain = f"{100 * swap.gain_share:+.2f}"
            text = t("{out} → {into}: {gain} points",
                     out=swap.out_name, into=swap.in_name, gain=gain)  # fmt: skip
            rows.append(("" if k else t("swaps that cover more"), text))
        if not self.swaps:
            rows.append((t("swaps that cover more"), t("none")))
        return rows

    def _repr_html_(self) -> str:
        return show_rows(self.rows())


def score_sites(plan: Plan, chosen: Sequence[str]) -> SiteScore:
    """Score a planner's own list of sites against a plan and its proven bound.

    Parameters
    ----------
    plan
        A finished run, fresh or read by `load_plan`.
    chosen
        Sites of the plan (``S03``), identifiers of candidates, or names of hosts and other
        candidates; at least one.

    Returns
    -------
    SiteScore
        Shares, gaps, and the swaps that would cover more. Shown as a table in a notebook.

    Raises
    ------
    SettingsError
        The list is empty or names something unknown, twice, ambiguous or open already.

    Notes
    -----
    A swap keeps `siting.min_spacing_m`. The bound is the one of `frontier` for as many sites. It
    holds for lists that keep the plan's rules; one that does not may cover more.

    Examples
    --------
    >>> from planner import load_plan, score_sites  # doctest: +SKIP
    >>> score_sites(load_plan("data/sample/out"), ["S01", "S02", "host:1"])  # doctest: +SKIP
    """
    if isinstance(chosen, str) or not len(chosen):
        raise SettingsError("`chosen` must list at least one site, e.g. `['S01', 'S02']`.")
    tables, spacing = plan.tables, plan.settings.siting.min_spacing_m
    known = tables["sites"]["candidate_id"].to_dict()
    ids = pick_candidates(
        tables["candidates"], [known.get(str(c).strip(), c) for c in chosen], what="chosen"
    )
    case = open_sites(plan.reach, tables["demand"], tables["candidates"], ids)
    swaps = case.swaps(spacing)
    covered = swaps.objective / case.total
    today = case.share(case.covered(case.existing))
    planned = _covered(plan, known.values())
    bound = _bound(plan, len(ids))
    return SiteScore(
        chosen=tuple(ids),
        covered_share=covered,
        today_share=today,
        gain_share=covered - today,
        plan_share=planned,
        gap_to_plan=planned - covered,
        bound_share=bound,
        gap_to_bound=None if bound is None else bound - covered,
        idle=tuple(i for i, lost in zip(ids, swaps.loss, strict=True) if lost <= 0),
        too_close=_too_close(case, spacing),
        swaps=_best_swaps(case, swaps.value / case.total, covered),
        by_coverage=seeks_coverage(plan.settings.siting),
        language=plan.settings.study.language,
    )


def _covered(plan: Plan, ids: Any) -> float:
    """Return the share that some candidates cover beside what exists."""
    tables = plan.tables
    case = open_sites(plan.reach, tables["demand"], tables["candidates"], ids)
    return case.swaps().objective / case.total


def _bound(plan: Plan, count: int) -> float | None:
    """Return what is proven of as many sites: of the frontier, else of the plan itself."""
    frontier = plan.tables.get("frontier")
    if frontier is not None:
        same = frontier.loc[frontier["count"] == count, "bound_share"]
        if len(same):
            return float(same.iloc[0])
    siting = plan.summary["siting"]
    return float(siting["best_possible_share"]) if count == siting["count"] else None


def _too_close(case: Opened, spacing_m: float) -> tuple[tuple[str, str], ...]:
    """Name the pairs of the list that break the spacing."""
    if spacing_m <= 0:
        return ()
    xy, ids = case.xy[case.chosen], case.candidates.index[case.chosen]
    pairs = sorted(cKDTree(xy).query_pairs(spacing_m))
    return tuple(
        (str(ids[a]), str(ids[b])) for a, b in pairs if np.hypot(*(xy[a] - xy[b])) < spacing_m
    )


def _best_swaps(case: Opened, share: np.ndarray, covered: float) -> tuple[Swap, ...]:
    """Return the best exchange of each site that covers more, most gain first."""
    gain = np.round(share - covered, _DIGITS)
    best = gain.argmax(axis=1)
    most = gain[np.arange(len(best)), best]
    order = [k for k in np.argsort(-most, kind="stable") if most[k] > 0][:_MOST_SWAPS]
    ids, names = case.candidates.index, case.candidates["name"].astype(str)
    return tuple(
        Swap(
            str(ids[case.chosen[k]]),
            names.iloc[case.chosen[k]],
            str(ids[best[k]]),
            names.iloc[best[k]],
            float(most[k]),
        )
        for k in order
    )
