"""Gather possible sites into one table, existing stations first."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from planner.candidates.catchment import make_catchment
from planner.candidates.frames import (
    build_frame,
    check_classes,
    existing_frame,
    gatherings_frame,
    hosts_frame,
    hotspots_frame,
)
from planner.candidates.naming import fill_names
from planner.candidates.screen import (
    INFORMAL,
    SAME_M,
    keep_allowed,
    keep_apart,
    keep_distinct,
    keep_inside,
    keep_some_of_class,
    spare_neighbours,
    take_over,
)
from planner.candidates.shorten import Aim, shorten
from planner.candidates.spots import find_corners, find_street_points
from planner.errors import SettingsError, nearest_name
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from planner.candidates.catchment import Catchment
    from planner.network import StreetNetwork

_LOG = logging.getLogger(__name__)
_KINDS = ("hosts", "hotspots", "corners", "streets")


def make_candidates(
    demand: gpd.GeoDataFrame,
    streets: StreetNetwork,
    *,
    existing: gpd.GeoDataFrame | None = None,
    hosts: gpd.GeoDataFrame | None = None,
    hotspots: gpd.GeoDataFrame | None = None,
    gatherings: gpd.GeoDataFrame | None = None,
    area: gpd.GeoDataFrame | None = None,
    exclude: gpd.GeoDataFrame | None = None,
    kinds: Sequence[str] = ("hosts", "hotspots", "corners"),
    host_classes: Sequence[str] = (),
    host_caps: Mapping[str, int] | None = None,
    spacing_m: float = 250.0,
    host_m: float = 100.0,
    min_from_existing_m: float = 0.0,
    max_count: int = 1500,
    limit_min: float = 15.0,
    snap_m: float = 300.0,
    aim: Aim | None = None,
    new_hours: str = "00:00-24:00",
    rng: int | np.random.Generator = 0,  # noqa: ARG001  (nothing is drawn; all stages take it)
) -> gpd.GeoDataFrame:
    """Offer the places where a station exists or could be.

    Parameters
    ----------
    demand
        `demand` table in a metric CRS; the result has its CRS.
    streets
        The network: corners and names come from it.
    existing, hosts, hotspots
        `stations`, `hosts` and `hotspots` tables; each may be absent or empty.
    gatherings
        `gatherings` table: where riders rest without shelter (`informal`) a hot spot is offered
        before all others, or the host beside it in its place.
    area
        `districts`: candidates outside are dropped, and the unnamed are called after them. The
        existing are kept wherever they are.
    exclude
        Polygons with a column `name` in which nothing may be opened; what exists there stays.
    kinds
        Which of ``hosts``, ``hotspots``, ``corners`` and ``streets`` are offered; the last are
        points along the streets, junction or not.
    host_classes
        Which hosts are offered, by their column `kind`; of two on one spot the class named first
        stays. Empty: all.
    host_caps
        Class of hosts → at most so many of it, those that most demand reaches.
    spacing_m
        At least so far apart are street corners, and street points from these and from one
        another, > 0. 250 m is a guess.
    host_m
        Straight line, >= 0: nothing is built so near to a host, for the host can be opened
        instead, nor on a hot spot so near to a gathering place. 100 m is a guess; 0 leaves both to
        be compared.
    min_from_existing_m
        Straight line, >= 0: nothing is offered nearer to an existing station.
    max_count
        At most so many besides the existing, see Notes. Those for riders who rest without shelter,
        and those that `aim` names, are always kept.
    limit_min, snap_m
        As in `make_reach`: the demand that reaches a place ranks it. Corners and street points
        that none reaches are not offered.
    aim
        What the candidates are for; by default coverage by 10 new stations.
    new_hours
        Opening hours planned where no host gives its own.
    rng
        Accepted as in every stage; the method draws nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        `candidates`: existing first (``station:<station_id>``, `action` keep), then hosts
        (``host:<host_id>``, activate, with their `host_class`), hot spots
        (``hotspot:<gathering_id>`` and ``hotspot:<hotspot_id>``, build), corners (``corner:<n>``,
        build, by falling demand in reach) and street points (``street:<n>``, likewise).
        `informal_rest_per_day` is the rest of the gathering place without shelter that a candidate
        stands for, 0 at all others. ``attrs["candidates"]`` = ``{existing, host, hotspot, corner,
        street, informal, dropped: {reason: n}, screening}``; for `screening` see
        `planner.candidates.shorten`.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared.
    SettingsError
        A kind or a class of hosts is unknown, or a number is out of range.

    Notes
    -----
    Of two candidates within 10 m the existing stays before the host, the host before the gathering
    place, that before the hot spot, that before the corner and that before the street point; of the
    same kind the one with the smaller identifier. A host that takes the place of a gathering takes
    its riders over.

    Of more than `max_count` those go first that another candidate can replace in any plan: all that
    reach it reach the other too. The best plan by coverage is then still among the others. If that
    is not enough, the screening says what it may have cost (`planner.candidates.shorten`).
    """
    began = perf_counter()
    aim = aim or Aim()
    _check(demand, kinds, spacing_m=spacing_m, max_count=max_count)
    _check_least(host_m=host_m, min_from_existing_m=min_from_existing_m, **(host_caps or {}))
    catchment = make_catchment(streets, demand, limit_min=limit_min, snap_m=snap_m)
    dropped: dict[str, int] = {}
    frames = [existing_frame(existing, demand)]
    if "hosts" in kinds:
        frames.append(hosts_frame(hosts, demand, new_hours, host_classes))
    if "hotspots" in kinds:
        frames.append(gatherings_frame(gatherings, demand, new_hours))
        frames.append(hotspots_frame(hotspots, demand, new_hours))
    inside = keep_inside(_join(frames), area, dropped)
    street = _on_streets(
        catchment, demand.crs, area=area, exclude=exclude, kinds=kinds, spacing_m=spacing_m
    )
    inside = _join([inside, *(build_frame(points, kind, new_hours) for kind, points in street)])
    offered = keep_apart(keep_allowed(inside, exclude, dropped), min_from_existing_m, dropped)
    offered = keep_distinct(offered, dropped)
    offered = spare_neighbours(offered, host_m, dropped)
    offered = take_over(offered, inside, max(host_m, SAME_M))
    offered = fill_names(_number(offered), streets, area)
    offered = _limit_classes(offered, catchment, hosts, host_caps or {}, dropped)
    offered, screening = shorten(offered, catchment, aim, max_count, dropped)
    kept = {kind: int((offered["kind"] == kind).sum()) for kind in _ORDER}
    kept["informal"] = int((offered[INFORMAL] > 0).sum())
    offered.attrs = {"candidates": {**kept, "dropped": dropped, "screening": screening}}
    check_table(offered, "candidates")
    _LOG.info("candidates: %s, dropped %s, %.1f s", kept, dropped, perf_counter() - began)
    return offered


_ORDER = ("existing", "host", "hotspot", "corner", "street")


def _on_streets(
    catchment: Catchment,
    crs: object,
    *,
    area: gpd.GeoDataFrame | None,
    exclude: gpd.GeoDataFrame | None,
    kinds: Sequence[str],
    spacing_m: float,
) -> list[tuple[str, gpd.GeoDataFrame]]:
    """Find corners and street points inside the area; none stands in another's way if excluded."""

    def allowed(xy: np.ndarray) -> np.ndarray:
        within = np.ones(len(xy), dtype=bool)
        for shapes, wanted in ((area, True), (exclude, False)):
            if shapes is not None and not shapes.empty:
                whole = shapes.to_crs(crs).union_all()
                within &= shapely.intersects_xy(whole, xy[:, 0], xy[:, 1]) == wanted
        return within

    found, besides = [], np.empty((0, 2))
    if "corners" in kinds:
        corners = find_corners(catchment, crs, allowed=allowed, spacing_m=spacing_m)
        found.append(("corner", corners))
        besides = shapely.get_coordinates(corners.geometry)
    if "streets" in kinds:
        points = find_street_points(
            catchment, crs, allowed=allowed, spacing_m=spacing_m, besides=besides
        )
        found.append(("street", points))
    return found


def _join(frames: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    return pd.concat([f for f in frames if len(f)] or frames[:1])


def _limit_classes(
    offered: gpd.GeoDataFrame,
    catchment: Catchment,
    hosts: gpd.GeoDataFrame | None,
    most: Mapping[str, int],
    dropped: dict[str, int],
) -> gpd.GeoDataFrame:
    if not most or hosts is None:
        return offered
    check_classes(hosts, most, "host_caps")
    served = catchment.served(catchment.place(offered.geometry))
    return offered.loc[keep_some_of_class(offered, served, most, dropped)]


def _check(demand: gpd.GeoDataFrame, kinds: Sequence[str], **numbers: float) -> None:
    check_table(demand, "demand")
    for kind in kinds:
        if kind not in _KINDS:
            raise SettingsError(
                f"`kinds` knows {', '.join(_KINDS)}. Got {kind!r}.{nearest_name(kind, _KINDS)}"
            )
    for name, value in numbers.items():
        if not value > 0:
            raise SettingsError(f"`{name}` must be greater than 0. Got {value}.")


def _check_least(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value >= 0:
            raise SettingsError(f"`{name}` must not be negative. Got {value}.")


def _number(offered: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Count the corners and the street points that are left, from 1 on, in their identifiers."""
    index = offered.index.to_numpy(object, copy=True)
    for kind in ("corner", "street"):
        here = np.flatnonzero(offered["kind"] == kind)
        index[here] = [f"{kind}:{n}" for n in range(1, here.size + 1)]
    return offered.set_index(pd.Index(index, name="candidate_id"))
