"""Why one site of a finished plan is in it, for a planner who is asked that."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.errors import InputError
from planner.i18n import translator
from planner.siting.answers import show_rows, site_of
from planner.siting.explanations import rank_replacements, seeks_coverage
from planner.siting.opened import open_sites
from planner.siting.why import digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.plan import Plan

_FIRST = 5  # replacements that are listed


@dataclass(frozen=True)
class Replacement:
    """A candidate that could stand in a site's place, and what the plan would cover with it."""

    candidate_id: str
    name: str
    covered_share: float
    near_tie: bool


@dataclass(frozen=True)
class SiteExplanation:
    """Why a site is in a plan.

    Attributes
    ----------
    site_id, candidate_id, name, rank, why
        As in `sites`.
    gain_per_day, gain_share
        Rider-visits a day that it is the first to cover, and their share of all demand.
    by_daypart, by_type, by_district
        The same rider-visits by name.
    nearest_station_id, nearest_station_name, nearest_station_min
        The existing station that is soonest reached from here; None if there is none within
        `looked_min` minutes.
    covered_share, loss_share
        What the whole plan covers, and what it would lose without this site.
    replacements
        The best candidates in its place, at most five, most covered first; none where the plan
        was asked for something else than coverage.
    near_ties
        How many candidates would do as well but for half a percent of what the plan covers.
    by_coverage
        Whether coverage decided on the sites, so that replacements can be judged by it.
    language
        ``zh`` or ``en``, of the words.
    """

    site_id: str
    candidate_id: str
    name: str
    rank: int
    why: str
    gain_per_day: float
    gain_share: float
    by_daypart: Mapping[str, float]
    by_type: Mapping[str, float]
    by_district: Mapping[str, float]
    nearest_station_id: str | None
    nearest_station_name: str | None
    nearest_station_min: float | None
    looked_min: float
    covered_share: float
    loss_share: float
    near_ties: int
    replacements: tuple[Replacement, ...]
    by_coverage: bool = True
    language: str = field(default="en", repr=False)

    def numbers(self) -> dict[str, Any]:
        """Return all of it as plain data, ready for JSON."""
        return {k: v for k, v in asdict(self).items() if k != "language"}

    def rows(self) -> list[tuple[str, str]]:
        """Return label and value pairs in the study's language."""
        t = translator(self.language)
        gain = t(
            "{visits} rider-visits a day, {share} of all demand",
            visits=digits(self.gain_per_day), share=_percent(self.gain_share),
        )  # fmt: skip
        found = [
            (t("why"), self.why),
            (t("newly covered"), gain),
            (t("by time of day"), self._split(self.by_daypart)),
            (t("by worker type"), self._split(self.by_type)),
            (t("by district"), self._split(self.by_district)),
            (t("nearest station today"), self._nearest()),
            (t("lost without it"), self._lost()),
            *self._instead(),
        ]
        return [(label, value) for label, value in found if value]

    def _split(self, parts: Mapping[str, float]) -> str:
        """Name the parts that gain, most first."""
        t = translator(self.language)
        order = sorted((-value, name) for name, value in parts.items() if value > 0)
        return " · ".join(f"{t(name)} {digits(-value)}" for value, name in order)

    def _nearest(self) -> str:
        t = translator(self.language)
        if self.nearest_station_min is None:
            return t("none within {n} min", n=digits(self.looked_min))
        minutes = t("{n} min", n=f"{self.nearest_station_min:.1f}")
        return f"{self.nearest_station_name} · {minutes}"

    def _lost(self) -> str:
        left = self.covered_share - self.loss_share
        return translator(self.language)(
            "{share} of all demand: {before} → {after} covered",
            share=_percent(self.loss_share),
            before=_percent(self.covered_share),
            after=_percent(left),
        )

    def _instead(self) -> list[tuple[str, str]]:
        """Say what could stand in its place."""
        t = translator(self.language)
        label = t("in its place")
        if not self.by_coverage:
            return [(label, t("not judged: more than coverage decided on this plan"))]
        if not self.replacements:
            return [(label, t("no other candidate"))]
        rows = []
        for k, other in enumerate(self.replacements):
            text = t(
                "{name}: {share} covered", name=other.name, share=_percent(other.covered_share)
            )
            if other.near_tie:
                text += t(" (near-tie)")
            rows.append(("" if k else label, text))
        more = self.near_ties - sum(r.near_tie for r in self.replacements)
        if more > 0:
            rows.append(("", t("and {n} more near-ties", n=more)))
        return rows

    def _repr_html_(self) -> str:
        return show_rows(self.rows(), f"{self.site_id} · {self.name}")


def explain_site(plan: Plan, site_id: str) -> SiteExplanation:
    """Explain why one site is in a plan.

    Parameters
    ----------
    plan
        A finished run, fresh or read by `load_plan`.
    site_id
        As in the table `sites`, e.g. ``S03``.

    Returns
    -------
    SiteExplanation
        Whom it newly covers, the nearest existing station, what the plan would lose without it,
        and the best single exchanges. Shown as a table in a notebook.

    Raises
    ------
    InputError
        The plan has no such site, or an earlier version made it.

    Examples
    --------
    >>> from planner import explain_site, load_plan  # doctest: +SKIP
    >>> explain_site(load_plan("data/sample/out"), "S01")  # doctest: +SKIP
    """
    site = site_of(plan, site_id)
    if "explanations" not in plan.tables:
        raise InputError("the plan holds no explanations: an earlier version made it. Run it anew.")
    told = _row(plan.tables["explanations"], site_id)
    minutes = told["nearest_station_min"]
    near = not pd.isna(minutes)
    covered, ties, replacements = _replacements(
        plan, plan.tables["sites"].index.tolist().index(site_id)
    )
    return SiteExplanation(
        site_id=str(site_id),
        candidate_id=str(site["candidate_id"]),
        name=str(site["name"]),
        rank=int(site["rank"]),
        why=str(site["why"]),
        gain_per_day=float(site["gain_per_day"]),
        gain_share=float(site["gain_share"]),
        by_daypart=_parts(told, plan.settings.demand.dayparts),
        by_type=_named(told, "gain_type_"),
        by_district=_named(told, "gain_district_"),
        nearest_station_id=str(told["nearest_station_id"]) if near else None,
        nearest_station_name=str(told["nearest_station_name"]) if near else None,
        nearest_station_min=float(minutes) if near else None,
        looked_min=4 * plan.settings.service.limit_min,
        covered_share=covered,
        loss_share=float(told["loss_share"]),
        near_ties=ties,
        replacements=replacements,
        by_coverage=seeks_coverage(plan.settings.siting),
        language=plan.settings.study.language,
    )


def _replacements(plan: Plan, k: int) -> tuple[float, int, tuple[Replacement, ...]]:
    """Return what the plan covers, how many near-ties the k-th site has, and the best exchanges."""
    tables = plan.tables
    case = open_sites(
        plan.reach, tables["demand"], tables["candidates"], tables["sites"]["candidate_id"]
    )
    siting = plan.settings.siting
    swaps = case.swaps(
        siting.min_spacing_m, cost={str(a): c for a, c in siting.cost.items()}, budget=siting.budget
    )
    if not seeks_coverage(siting):
        return swaps.objective / case.total, 0, ()
    best, ties = rank_replacements(case, swaps, k)
    names = case.candidates["name"].astype(str)
    listed = tuple(
        Replacement(
            str(names.index[j]), names.iloc[j], float(swaps.value[k, j] / case.total), n < ties
        )
        for n, j in enumerate(best[:_FIRST])
    )
    return swaps.objective / case.total, ties, listed


def _row(table: pd.DataFrame, site_id: str) -> dict[str, Any]:
    return {str(name): value for name, value in table.loc[[site_id]].iloc[0].items()}


def _parts(told: Mapping[str, Any], names: Iterable[str]) -> dict[str, float]:
    return {n: float(told[f"gain_{n}"]) for n in names if f"gain_{n}" in told}


def _named(told: Mapping[str, Any], start: str) -> dict[str, float]:
    return {c.removeprefix(start): float(told[c]) for c in told if c.startswith(start)}


def _percent(share: float) -> str:
    return f"{share:.1%}"
