"""Stations, hosts, hot spots and places on the streets in the columns of candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.candidates.screen import INFORMAL
from planner.errors import SettingsError, nearest_name
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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
            "host_class": None,
            "hours": hours.to_numpy(object),
            INFORMAL: 0.0,
            "geometry": points.geometry.to_numpy(),
        },
        index=pd.Index([f"{prefix}:{i}" for i in points.index], name="candidate_id"),
        crs=points.crs,
    )


def existing_frame(table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the stations that there are."""
    ready = _ready(table, "stations", demand)
    if ready is None:
        return build_frame(demand.iloc[:0], "existing", "")
    return _frame(
        ready,
        "existing",
        prefix="station",
        action="keep",
        name=ready["name"],
        hours=ready["hours"],
    )


def hosts_frame(
    table: gpd.GeoDataFrame | None,
    demand: gpd.GeoDataFrame,
    new_hours: str,
    classes: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Return premises of the given classes, those of the class named first at the front."""
    ready = _ready(table, "hosts", demand)
    if ready is None:
        return build_frame(demand.iloc[:0], "host", new_hours)
    if classes:
        check_classes(ready, classes, "host_classes")
        place = ready["kind"].map({name: k for k, name in reversed([*enumerate(classes)])})
        ready = ready.iloc[np.argsort(place.to_numpy(float), kind="stable")[: place.count()]]
    own = ready["hours"].astype(object)
    hours = own.where(own.notna() & (own != ""), new_hours)
    found = _frame(ready, "host", prefix="host", action="activate", name=ready["name"], hours=hours)
    return found.assign(host_class=ready["kind"].astype(object).to_numpy())


def check_classes(hosts: gpd.GeoDataFrame, classes: Iterable[str], setting: str) -> None:
    """Refuse a class that no host is of."""
    known = sorted(set(hosts["kind"].astype(str)))
    for name in classes:
        if name not in known:
            raise SettingsError(
                f"`{setting}` names {name!r}, but the hosts are of the classes {', '.join(known)}."
                f"{nearest_name(name, known)}"
            )


def hotspots_frame(
    table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame, new_hours: str
) -> gpd.GeoDataFrame:
    """Return the medoids of hot spots."""
    ready = _ready(table, "hotspots", demand)
    return build_frame(demand.iloc[:0] if ready is None else ready, "hotspot", new_hours)


def gatherings_frame(
    table: gpd.GeoDataFrame | None, demand: gpd.GeoDataFrame, new_hours: str
) -> gpd.GeoDataFrame:
    """Return the hot spots where riders rest without shelter."""
    ready = _ready(table, "gatherings", demand)
    if ready is None:
        return build_frame(demand.iloc[:0], "hotspot", new_hours)
    bare = ready[ready["informal"].astype(bool) & (ready["rest_per_day"] > 0)]
    built = build_frame(bare, "hotspot", new_hours)
    return built.assign(**{INFORMAL: bare["rest_per_day"].to_numpy(float)})


def build_frame(points: gpd.GeoDataFrame, kind: str, hours: str) -> gpd.GeoDataFrame:
    """Return places where a station would be built: hot spots, corners and street points."""
    named = points["name"] if "name" in points.columns else pd.Series("", points.index)
    return _frame(
        points,
        kind,
        prefix=kind,
        action="build",
        name=named,
        hours=pd.Series(hours, points.index),
    )
