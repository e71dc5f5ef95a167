"""What a plan would cover with one of its sites elsewhere, and who gains and loses by that."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from planner.errors import SettingsError
from planner.geo import names_at
from planner.i18n import translator
from planner.siting.answers import show_rows, site_of
from planner.siting.opened import open_sites
from planner.siting.picks import pick_candidates
from planner.siting.why import digits

if TYPE_CHECKING:
    import pandas as pd

    from planner.plan import Plan
    from planner.siting.opened import Opened

_DIGITS = 12  # of a share: sums in another order differ beyond
_NOTHING = 1e-9  # visits a day


class DistrictMove(NamedTuple):
    """What a move does in one district, in rider-visits a day and shares of its demand."""

    district: str
    gained_per_day: float
    lost_per_day: float
    before_share: float
    after_share: float


@dataclass(frozen=True)
class SiteMove:
    """What becomes of a plan when one of its sites stands elsewhere.

    Attributes
    ----------
    site_id, name, candidate_id
        The site, and the candidate that it leaves.
    to_id, to_name
        Where it goes: a candidate, or ``point`` and its coordinates.
    moved_m
        Straight line between the two.
    before_share, after_share
        Covered by the whole plan before and after the move.
    gained_per_day, lost_per_day
        Rider-visits a day that have a station within the limit only after, and only before.
    by_district
        The same by district, those that change most first; those where nothing changes are left
        out.
    too_close
        Sites of the plan that would stand nearer than `siting.min_spacing_m`.
    language
        ``zh`` or ``en``, of the words.
    """

    site_id: str
    name: str
    candidate_id: str
    to_id: str
    to_name: str
    moved_m: float
    before_share: float
    after_share: float
    gained_per_day: float
    lost_per_day: float
    by_district: tuple[DistrictMove, ...]
    too_close: tuple[str, ...]
    language: str = field(default="en", repr=False)

    def numbers(self) -> dict[str, Any]:
        """Return all of it as plain data, ready for JSON."""
        told = {k: v for k, v in asdict(self).items() if k != "language"}
        return told | {"by_district": [district._asdict() for district in self.by_district]}

    def rows(self) -> list[tuple[str, str]]:
        """Return label and value pairs in the study's language."""
        t = translator(self.language)
        points = f"{100 * (self.after_share - self.before_share):+.2f}"
        rows = [
            (t("moved to"), t("{name}, {m} m away", name=self.to_name, m=f"{self.moved_m:,.0f}")),
            (t("the plan covers, before → after"),
             t("{before} → {after} ({points} points)", before=f"{self.before_share:.1%}",
               after=f"{self.after_share:.1%}", points=points)),
            (t("gained and lost, rider-visits a day"),
             f"+{digits(self.gained_per_day)} · −{digits(self.lost_per_day)}"),
        ]  # fmt: skip
        for k, d in enumerate(self.by_district):
            said = t(
                "{district}: +{gained} · −{lost}, {before} → {after} covered",
                district=d.district, gained=digits(d.gained_per_day), lost=digits(d.lost_per_day),
                before=f"{d.before_share:.1%}", after=f"{d.after_share:.1%}",
            )  # fmt: skip
            rows.append(("" if k else t("by district"), said))
        if self.too_close:
            rows.append((t("too close to"), ", ".join(self.too_close)))
        return rows

    def _repr_html_(self) -> str:
        return show_rows(self.rows(), f"{self.site_id} · {self.name} → {self.to_name}")


class Spot(NamedTuple):
    """A place that is no candidate, in the plan's CRS, and the demand rows that reach it."""

    name: str
    point: shapely.Point
    demand_id: pd.Index


def move_site(plan: Plan, site_id: str, to: str | Spot) -> SiteMove:
    """Tell what a plan covers with one of its sites at another candidate or at a spot.

    Parameters
    ----------
    plan
        A finished run, fresh or read by `load_plan`.
    site_id
        As in the table `sites`.
    to
        Identifier or name of a candidate, or a spot.

    Raises
    ------
    InputError, SettingsError
        The plan has no such site; the candidate is unknown, ambiguous, open already, or another
        site of the plan.
    """
    site, candidates = site_of(plan, site_id), plan.tables["candidates"]
    chosen = list(plan.tables["sites"]["candidate_id"])
    case = open_sites(plan.reach, plan.tables["demand"], candidates, chosen)
    place = chosen.index(site["candidate_id"])
    stay = np.delete(case.chosen, place)
    kept = case.covered(np.append(case.existing, stay))
    before = kept | case.covered(case.chosen[[place]])
    if isinstance(to, Spot):
        to_id, to_name, point = "point", to.name, to.point
        after = kept | case.demand.index.isin(to.demand_id)
    else:
        to_id = _other_candidate(plan, site_id, to)
        to_name, point = str(candidates.loc[to_id, "name"]), candidates.geometry.loc[to_id]
        after = kept | case.covered([case.candidates.index.get_loc(to_id)])
    gained, lost = (math.fsum(case.weight[a & ~b]) for a, b in ((after, before), (before, after)))
    return SiteMove(
        site_id=str(site_id),
        name=str(site["name"]),
        candidate_id=str(site["candidate_id"]),
        to_id=to_id,
        to_name=to_name,
        moved_m=float(shapely.distance(site["geometry"], point)),
        before_share=round(case.share(before), _DIGITS),
        after_share=round(case.share(after), _DIGITS),
        gained_per_day=gained,
        lost_per_day=lost,
        by_district=_by_district(plan, case, before, after),
        too_close=_too_close(plan, site_id, point),
        language=plan.settings.study.language,
    )


def _other_candidate(plan: Plan, site_id: str, named: str) -> str:
    """Find the candidate that is named; it must not be a site of the plan already."""
    sites = plan.tables["sites"]
    known = sites["candidate_id"].to_dict()
    named = str(named).strip()
    found = pick_candidates(plan.tables["candidates"], [known.get(named, named)], what="to")[0]
    taken = sites.index[sites["candidate_id"] == found]
    if len(taken):
        what = (
            "where it stands already" if taken[0] == site_id else f"site `{taken[0]}` of the plan"
        )
        raise SettingsError(f"`to` names {named!r}, which is {what}. Name another candidate.")
    return found


def _by_district(
    plan: Plan, case: Opened, before: np.ndarray, after: np.ndarray
) -> tuple[DistrictMove, ...]:
    """Sum what changes by district, most change first; of equals by name."""
    names = names_at(case.demand.geometry, plan.tables.get("districts"))
    found = []
    for name in sorted(set(names) - {""}):
        here = names == name
        sums = [math.fsum(case.weight[here & rows]) for rows in
                (after & ~before, before & ~after, before, after)]  # fmt: skip
        total = math.fsum(case.weight[here])
        if max(sums[:2]) > _NOTHING:
            found.append(DistrictMove(str(name), sums[0], sums[1], sums[2] / total,
                                      sums[3] / total))  # fmt: skip
    return tuple(sorted(found, key=lambda d: (-(d.gained_per_day + d.lost_per_day), d.district)))


def _too_close(plan: Plan, site_id: str, point: shapely.Point) -> tuple[str, ...]:
    """Name the sites of the plan that would break the spacing."""
    spacing = plan.settings.siting.min_spacing_m
    others = plan.tables["sites"].drop(index=site_id)
    near = others.geometry.distance(point) < spacing
    return tuple(map(str, others.index[near]))
