"""Gather possible sites into one table, existing stations first."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.candidates.corners import find_corners
from planner.candidates.naming import fill_names
from planner.candidates.screen import (
    INFORMAL,
    SAME_M,
    keep_best,
    keep_distinct,
    keep_inside,
    spare_neighbours,
    take_over,
)
from planner.errors import SettingsError, nearest_name
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.network import StreetNetwork

_LOG = logging.getLogger(__name__)
_KINDS = ("hosts", "hotspots", "corners")


def make_candidates(
    demand: gpd.GeoDataFrame,
    streets: StreetNetwork,
    *,
    existing: gpd.GeoDataFrame | None = None,
    hosts: gpd.GeoDataFrame | None = None,
    hotspots: gpd.GeoDataFrame | None = None,
    gatherings: gpd.GeoDataFrame | None = None,
    area: gpd.GeoDataFrame | None = None,
    kinds: Sequence[str] = _KINDS,
    spacing_m: float = 250.0,
    host_m: float = 100.0,
    max_count: int = 1500,
    catchment_m: float = 500.0,
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
    kinds
        Which of ``hosts``, ``hotspots``, ``corners`` are offered.
    spacing_m
        At least so far apart are street corners, > 0. 250 m is a guess.
    host_m
        Straight line, >= 0: nothing is built so near to a host, for the host can be opened
        instead, nor on a hot spot so near to a gathering place. 100 m is a guess; 0 leaves both to
        be compared.
    max_count
        At most so many besides the existing: hosts and hot spots first, then corners, each by the
        demand within `catchment_m`. Those for riders who rest without shelter are always kept.
    catchment_m
        Straight-line radius in which demand counts for the screening: a guess at what is always
        within a walk of 15 minutes. Corners without any demand in it are not offered.
    new_hours
        Opening hours planned where no host gives its own.
    rng
        Accepted as in every stage; the method draws nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        `candidates`: existing first (``station:<station_id>``, `action` keep), then hosts
        (``host:<host_id>``, activate), hot spots (``hotspot:<gathering_id>`` and
        ``hotspot:<hotspot_id>``, build) and corners (``corner:<n>``, build, by falling demand
        around). `informal_rest_per_day` is the rest of the gathering place without shelter that a
        candidate stands for, 0 at all others. ``attrs["candidates"]`` = ``{existing, host, hotspot,
        corner, informal, dropped: {reason: n}}``.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared.
    SettingsError
        A kind is unknown, or a number is not greater than 0.

    Notes
    -----
    Of two candidates within 10 m the existing stays before the host, the host before the gathering
    place, that before the hot spot and that before the corner; of the same kind the one with the
    smaller identifier. A host that takes the place of a gathering takes its riders over.
    """
    began = perf_counter()
    _check(demand, kinds, spacing_m=spacing_m, max_count=max_count, catchment_m=catchment_m)
    if not host_m >= 0:
        raise SettingsError(f"`host_m` must not be negative. Got {host_m}.")
    demand = demand.sort_index()
    frames = [_existing(existing, demand)]
    if "hosts" in kinds:
        frames.append(_hosts(hosts, demand, new_hours))
    if "hotspots" in kinds:
        frames.append(_gatherings(gatherings, demand, new_hours))
        frames.append(_hotspots(hotspots, demand, new_hours))
    if "corners" in kinds:
        corners = find_corners(
            streets, demand, area=area, spacing_m=spacing_m, catchment_m=catchment_m
        )
        frames.append(_build(corners, "corner", new_hours))
    offered = pd.concat([f for f in frames if len(f)] or frames[:1])
    dropped: dict[str, int] = {}
    offered = inside = keep_inside(offered, area, dropped)
    offered = keep_distinct(offered, dropped)
    offered = spare_neighbours(offered, host_m, dropped)
    offered = take_over(offered, inside, max(host_m, SAME_M))
    offered = keep_best(offered, demand, max_count, catchment_m, dropped)
    offered = fill_names(_number_corners(offered), streets, area)
    kept = {kind: int((offered["kind"] == kind).sum()) for kind in _ORDER}
    kept["informal"] = int((offered[INFORMAL] > 0).sum())
    offered.attrs = {"candidates": {**kept, "dropped": dropped}}
    check_table(offered, "candidates")
    _LOG.info("candidates: %s, dropped %s, %.1f s", kept, dropped, perf_counter() - began)
    return offered


_ORDER = {"existing": 0, "host": 1, "hotspot": 2, "corner": 3}


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


def _ready(
    table: gpd.GeoDataFrame | None, name: str, demand: gpd.GeoDataFrame
) -> gpd.GeoDataFrame | None:
    """Check a table and bring it to the CRS of demand, by identifier; None if nothing is in it."""
    if table is None or table.empty:
        return None
    check_table(table, name)
    return table.to_crs(demand.crs).sort_index()


def _frame(
    points: gpd.GeoDataFrame,
    kind: str,
    *,
    prefix: str,
    action: str,
    name: pd.Series,
    hours: pd.Series,
) -> gpd.GeoDataFrame:
    text = name.astype(object).where(name.notna(), "").astype(str).str.strip().to_numpy(object)
    return gpd.GeoDataFrame(
        {
            "name": text,
            "kind": kind,
            "action": action,
            "host_name": None,
            "hours": hours.to_numpy(object),
            INFORMAL: 0.0,
            "geometry": points.geometry.to_numpy(),
        },
        index=pd.Index([f"{prefix}:{i}" for i in points.index], name="candidate_id"),
        crs=points.crs,
    )


def _existing(table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    ready = _ready(table, "stations", demand)
    if ready is None:
        return _build(demand.iloc[:0], "existing", "")
    return _frame(
        ready,
        "existing",
        prefix="station",
        action="keep",
        name=ready["name"],
        hours=ready["hours"],
    )


def _hosts(
    table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame, new_hours: str
) -> gpd.GeoDataFrame:
    ready = _ready(table, "hosts", demand)
    if ready is None:
        return _build(demand.iloc[:0], "host", new_hours)
    own = ready["hours"].astype(object)
    hours = own.where(own.notna() & (own != ""), new_hours)
    return _frame(ready, "host", prefix="host", action="activate", name=ready["name"], hours=hours)


def _hotspots(
    table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame, new_hours: str
) -> gpd.GeoDataFrame:
    ready = _ready(table, "hotspots", demand)
    return _build(demand.iloc[:0] if ready is None else ready, "hotspot", new_hours)


def _gatherings(
    table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame, new_hours: str
) -> gpd.GeoDataFrame:
    """Hot spots where riders rest without shelter."""
    ready = _ready(table, "gatherings", demand)
    if ready is None:
        return _build(demand.iloc[:0], "hotspot", new_hours)
    bare = ready[ready["informal"].astype(bool) & (ready["rest_per_day"] > 0)]
    built = _build(bare, "hotspot", new_hours)
    return built.assign(**{INFORMAL: bare["rest_per_day"].to_numpy(float)})


def _build(points: gpd.GeoDataFrame, kind: str, hours: str) -> gpd.GeoDataFrame:
    """Places where a station would be built: hot spots and corners."""
    named = points["name"] if "name" in points.columns else pd.Series("", points.index)
    return _frame(
        points,
        kind,
        prefix=kind,
        action="build",
        name=named,
        hours=pd.Series(hours, points.index),
    )


def _number_corners(offered: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Count the corners that are left, from 1 on, in their identifiers."""
    corner = (offered["kind"] == "corner").to_numpy()
    number = np.cumsum(corner)
    index = [
        f"corner:{n}" if c else i for i, c, n in zip(offered.index, corner, number, strict=True)
    ]
    return offered.set_index(pd.Index(index, name="candidate_id"))
