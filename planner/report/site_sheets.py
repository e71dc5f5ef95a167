"""The workbook's recommended sites: what a leader reads, the details, and the register's others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.report.figures import table
from planner.report.sheet import Field, Sheet, degrees, text
from planner.report.siting_sheets import replacement_columns
from planner.report.words import basis_line
from planner.tables import STATUSES

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.plan import Plan
    from planner.report.words import Words


def site_sheets(plan: Plan, w: Words) -> list[Sheet]:
    """Return the sheet of sites, that of their details and, if there are any, the other sites.

    Candidate and degrees stand hidden beside each site: by them the next run knows it again.
    """
    return [_sites(plan, w), _details(plan, w), *_others(plan, w)]


def _ranked(plan: Plan) -> gpd.GeoDataFrame:
    sites = table(plan, "sites")
    return sites.sort_values("rank") if len(sites) else sites


def _sites(plan: Plan, w: Words) -> Sheet:
    t, sites = w.t, _ranked(plan)
    lon, lat = degrees(sites)
    rows = [
        (s["rank"], site_id, s["name"], w.action(s["action"]), s["hours"], s["gain_per_day"],
         s["cumulative_share"], s["why"], w.decision(s.get("status") or "proposed"),
         s.get("owner") or None, s.get("note") or None, text(s["candidate_id"]), x, y)
        for (site_id, s), x, y in zip(sites.iterrows(), lon, lat, strict=True)
    ]  # fmt: skip
    fields = [
        Field(t("Rank"), "count", width=6), Field(t("Site no."), width=7.5),
        Field(t("Name"), most=20), Field(t("Action"), width=10), Field(t("Hours"), most=13),
        Field(t("Gain, rider-visits/day"), "measure", width=10),
        Field(t("Covered so far, %"), "share", width=9.5), Field(t("Why here"), width=38),
        status_field(w), Field(t("Owner"), "entry", width=10), Field(t("Note"), "entry", width=18),
        *identity_fields(w, hidden=True),
    ]  # fmt: skip
    return Sheet(t("Recommended sites"), t("the answer: where to open stations, by rank"),
                 basis_line(plan, w), fields, rows, frozen=3, tinted=True)  # fmt: skip


def status_field(w: Words) -> Field:
    """Return the column in which planners choose a site's status."""
    return Field(w.t("Status"), "entry", width=8.5, choices=tuple(map(w.decision, STATUSES)))


def identity_fields(w: Words, *, hidden: bool) -> list[Field]:
    """Return the columns by which a site is known again."""
    return [
        Field(w.t("Candidate no."), most=20, hidden=hidden),
        Field(w.t("Longitude, °"), "degrees", hidden=hidden),
        Field(w.t("Latitude, °"), "degrees", hidden=hidden),
    ]


def _details(plan: Plan, w: Words) -> Sheet:
    t, sites = w.t, _ranked(plan)
    lon, lat = degrees(sites)
    heads, behind = replacement_columns(plan, sites.index, w)
    rows = [
        (s["rank"], site_id, s["name"], text(s["host_name"]),
         w.host_class(str(s["host_class"])) if text(s.get("host_class")) else None,
         s["gain_share"], s["stability"],
         s["before_min"], s["after_min"], w.daypart(str(s["peak"])), *more,
         text(s["candidate_id"]), x, y)
        for (site_id, s), more, x, y in zip(sites.iterrows(), behind, lon, lat, strict=True)
    ]  # fmt: skip
    fields = [
        Field(t("Rank"), "count", width=6), Field(t("Site no."), width=7.5),
        Field(t("Name"), most=20), Field(t("Host"), most=16), Field(t("Class of host"), most=12),
        Field(t("Gain, % of all"), "share"),
        Field(t("Chosen in reruns, %"), "share"),
        Field(t("Before, min"), "measure"), Field(t("After, min"), "measure"),
        Field(t("Gains most at")), *heads, *identity_fields(w, hidden=False),
    ]  # fmt: skip
    return Sheet(t("Details of sites"), t("minutes, losses and replacements of every site"),
                 basis_line(plan, w), fields, rows, frozen=3, tinted=True)  # fmt: skip


def _others(plan: Plan, w: Words) -> list[Sheet]:
    """Return the sites of the register that are not recommended; no sheet where there are none."""
    t, others = w.t, other_sites(plan)
    if not len(others):
        return []
    lon, lat = (np.full(len(others), np.nan) for _ in range(2))
    placed = others.geometry.notna().to_numpy()
    lon[placed], lat[placed] = degrees(others[placed])
    rows: list[tuple[Any, ...]] = [
        (s["name"] or None, w.decision(s["status"]), s["owner"] or None, s["note"] or None,
         w.outcome(str(s["outcome"])), w.match(str(s["match"])) or None, s["hours"] or None,
         s["capacity"], text(s["host_name"]) or None, s["candidate_id"] or None, x, y)
        for (_, s), x, y in zip(others.iterrows(), lon, lat, strict=True)
    ]  # fmt: skip
    fields = [
        Field(t("Name"), most=24), status_field(w), Field(t("Owner"), "entry", width=10),
        Field(t("Note"), "entry", width=26), Field(t("In this plan"), most=22),
        Field(t("Known again by"), most=14), Field(t("Hours")),
        Field(t("Capacity, seats"), "count"), Field(t("Host"), most=20),
        *identity_fields(w, hidden=False),
    ]  # fmt: skip
    about = t("sites of the register that are not recommended now, with their last status")
    basis = t(
        "from {file}; give this workbook back as `siting.register`: its rows count",
        file=plan.summary["siting"]["register"]["file"],
    )
    return [Sheet(t("Other sites"), about, basis, fields, rows, frozen=1)]


def other_sites(plan: Plan) -> gpd.GeoDataFrame:
    """Return the rows of the register that are none of the plan's sites, in its order."""
    register = table(plan, "register")
    return register[register["site_id"].isna()] if len(register) else register
