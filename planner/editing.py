"""Editing a finished plan: a site moved, a planner's own list scored, from names or from a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner import siting
from planner.coverage import make_reach
from planner.errors import InputError
from planner.geo import WGS84
from planner.load import load_register
from planner.siting.answers import site_of
from planner.siting.matching import match_register
from planner.siting.move import Spot
from planner.tables import SAME_SITE_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.plan import Plan
    from planner.siting import SiteMove, SiteScore

_LONLAT = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*[,;，\s]\s*(-?\d{1,2}(?:\.\d+)?)\s*")


def move_site(plan: Plan, site_id: str, to: str | Sequence[float]) -> SiteMove:
    """Tell what a plan would cover with one of its sites elsewhere, and who gains and loses.

    Parameters
    ----------
    plan
        A finished run, fresh or read by `load_plan`.
    site_id
        As in the table `sites`, e.g. ``S03``.
    to
        Another candidate, by identifier or name; or longitude and latitude (WGS 84), as two numbers
        or as ``"114.93, 25.85"``. Within 30 m of a candidate that one is meant; elsewhere the place
        itself is taken, and the ways to it are found on the plan's streets.

    Returns
    -------
    SiteMove
        Coverage before and after, rider-visits gained and lost, by district too. Shown as a table
        in a notebook. The plan itself stays as it is.

    Raises
    ------
    InputError
        The plan has no such site; the place lies outside the area or off every street, or the plan
        was saved without its streets.
    SettingsError
        The candidate is unknown, ambiguous, open already, or a site of the plan.

    Examples
    --------
    >>> from planner import load_plan, move_site  # doctest: +SKIP
    >>> move_site(load_plan("data/sample/out"), "S03", (114.95, 25.87))  # doctest: +SKIP
    """
    site_of(plan, site_id)
    lonlat = _read_lonlat(to)
    if lonlat is None:
        return siting.move_site(plan, site_id, str(to))
    point = _in_metres(plan, lonlat)
    candidates = plan.tables["candidates"]
    apart = candidates.geometry.distance(point)
    chosen = candidates.index[apart == apart.min()][0]
    if apart.min() <= SAME_SITE_M:
        return siting.move_site(plan, site_id, str(chosen))
    return siting.move_site(plan, site_id, _make_spot(plan, lonlat, point))


def score_sites(plan: Plan, chosen: Sequence[str] | Path | str) -> SiteScore:
    """Score a planner's own list of sites against a plan and its proven bound.

    Parameters
    ----------
    plan
        A finished run, fresh or read by `load_plan`.
    chosen
        Sites of the plan (``S03``), identifiers of candidates, or names of hosts and other
        candidates, at least one; or a file with such a list: a plan's workbook or layer of sites as
        planners edited it, or any file that `siting.register` takes. Of a file the rejected ones
        are left out, and so are those that are open already.

    Returns
    -------
    SiteScore
        Shares, gaps, and the swaps that would cover more. Shown as a table in a notebook.

    Raises
    ------
    SettingsError
        The list is empty or names something unknown, twice, ambiguous or open already.
    InputError
        The file is missing or wrong, or a site of it is none of the candidates.

    See Also
    --------
    planner.siting.score_sites

    Examples
    --------
    >>> from planner import load_plan, score_sites  # doctest: +SKIP
    >>> score_sites(load_plan("data/sample/out"), "mine.xlsx")  # doctest: +SKIP
    """
    if isinstance(chosen, Path) or (isinstance(chosen, str) and Path(chosen).suffix):
        chosen = _read_list(plan, Path(chosen))
    return siting.score_sites(plan, chosen)


def _read_list(plan: Plan, path: Path) -> list[str]:
    """Return the candidates that a file lists, in its order."""
    register = load_register(path, area=plan.tables["districts"], needs_status=False)
    listed = register[~register["status"].isin(["rejected", "opened"])]
    if listed.empty:
        raise InputError("lists no site that is neither rejected nor opened.", file=path)
    found = match_register(listed, plan.tables["candidates"])
    for ids, (_, row) in zip(found.ids, listed.iterrows(), strict=True):
        if not ids:
            name = row["name"] or row["candidate_id"]
            raise InputError(
                f"the site {name!r} is none of the plan's candidates. Take it out of the list, or "
                f"give its candidate's number or a place within {SAME_SITE_M:g} m of one.",
                file=row["part"],
                row=int(row["row"]),
            )
    return [ids[0] for ids in found.ids]


def _read_lonlat(to: Any) -> tuple[float, float] | None:
    """Return two numbers, None if something else stands there."""
    if isinstance(to, str):
        match = _LONLAT.fullmatch(to)
        return (float(match[1]), float(match[2])) if match else None
    lon, lat = (float(v) for v in to)
    return lon, lat


def _in_metres(plan: Plan, lonlat: tuple[float, float]) -> shapely.Point:
    """Return a place in the plan's CRS; it must lie in the area."""
    area = plan.tables["districts"]
    placed = gpd.GeoSeries([shapely.Point(lonlat)], crs=WGS84).to_crs(area.crs)
    point = placed.iloc[0]
    finite = np.isfinite(shapely.get_coordinates(point)).all()
    apart = float(area.geometry.distance(point).min()) if finite else np.inf
    if apart > 0:
        where = f" ({apart / 1000:.1f} km outside)" if np.isfinite(apart) else ""
        raise InputError(
            f"{lonlat[0]:g}, {lonlat[1]:g} lies outside the area{where}. Write longitude, then "
            "latitude, in degrees (WGS 84)."
        )
    return point


def _make_spot(plan: Plan, lonlat: tuple[float, float], point: shapely.Point) -> Spot:
    """Find who reaches a place that is no candidate."""
    name = f"{lonlat[0]:.6f}, {lonlat[1]:.6f}"
    if plan.network is None:
        candidates = plan.tables["candidates"]
        apart = candidates.geometry.distance(point)
        nearest = candidates.loc[apart.idxmin()]
        raise InputError(
            f"{name} is no candidate, and the plan was saved without its streets. Name a "
            f"candidate; the nearest is {nearest['name']!r} (`{apart.idxmin()}`), "
            f"{apart.min():.0f} m away."
        )
    demand = plan.tables["demand"]
    spot = gpd.GeoDataFrame(
        geometry=[point], index=pd.Index(["point"], name="candidate_id"), crs=demand.crs
    )
    s = plan.settings.service
    reach = make_reach(plan.network, demand, spot, limit_min=s.limit_min, snap_m=s.snap_m)
    return Spot(name, point, demand.index[reach.covered()])
