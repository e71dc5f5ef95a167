"""Gathering places: where riders rest, and which of these have no shelter."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.spatial import cKDTree

from planner.demand.hotspots.groups import REST, gather, look_around_m
from planner.demand.hotspots.naming import name_places
from planner.errors import SettingsError
from planner.tables import check_table

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network import StreetNetwork

_LOG = logging.getLogger(__name__)
_ROOFLESS = ("parking", "charging")  # kinds of stations where nobody sits down


def find_gatherings(
    demand: gpd.GeoDataFrame,
    *,
    existing: gpd.GeoDataFrame | None = None,
    shelter_m: float = 200.0,
    area: gpd.GeoDataFrame | None = None,
    streets: StreetNetwork | None = None,
    hosts: gpd.GeoDataFrame | None = None,
    eps_m: float | None = None,
    cluster: str = "auto",
    rng: int | np.random.Generator = 0,
) -> gpd.GeoDataFrame:
    """Find where riders gather to rest, and tell which of these places have no shelter.

    Parameters
    ----------
    demand
        `demand` table with `weight_class_rest`: stays of the class rest a day (20 min and more);
        points, metric CRS. Without that column nothing can be told and the result is empty.
    existing
        `stations` table. Those of the kinds parking and charging give no shelter. Hosts give none
        either before they are opened.
    shelter_m
        A station this near, in a straight line, is shelter at hand; > 0. 200 m, three minutes on
        foot, is a guess.
    area, streets, hosts
        Where the names come from: `districts`, the network, `hosts`; each may be absent.
    eps_m
        How far a point looks around, as in `find_hotspots`.
    cluster
        As in `find_hotspots`.
    rng
        Seed of the batches of k-means; the other methods draw nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        `gatherings`, most rest first: index `gathering_id` (``g001`` …) and the columns of
        `find_hotspots` (where `weight_per_day`, dayparts and `peak` are of all visits), besides
        `station_m` (straight line to the nearest existing station with shelter, empty without any)
        and `informal` (none within `shelter_m`: informal rest, 自发聚集点).

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what is declared.
    SettingsError
        `shelter_m` or `eps_m` is not greater than 0, or `cluster` is unknown.

    Notes
    -----
    The method of `find_hotspots`, on the stays of the class rest alone: where riders merely wait
    for orders is no gathering place. All figures are sums over demand points, which are safe to
    show.
    """
    began = perf_counter()
    check_table(demand, "demand")
    if not shelter_m > 0:
        raise SettingsError(f"The `shelter_m` setting must be greater than 0. Got {shelter_m}.")
    radius_m = look_around_m(demand, eps_m)
    if REST not in demand.columns:
        demand = demand.assign(**{REST: 0.0})
    found = gather(
        demand, REST, radius_m=radius_m, prefix="g", label="gathering_id", cluster=cluster, rng=rng
    )
    found.insert(0, "name", name_places(found.geometry, area=area, streets=streets, hosts=hosts))
    found["name"] = found["name"].astype(str)
    apart = _to_shelter_m(found, existing)
    found.insert(len(found.columns) - 1, "station_m", np.where(np.isfinite(apart), apart, np.nan))
    found.insert(len(found.columns) - 1, "informal", apart > shelter_m)
    check_table(found, "gatherings")
    _LOG.info(
        "gatherings: %d points in, %d out, %d without shelter, %.1f s",
        *(len(demand), len(found), int(found["informal"].sum()), perf_counter() - began),
    )
    return found


def _to_shelter_m(found: gpd.GeoDataFrame, existing: gpd.GeoDataFrame | None) -> np.ndarray:
    """Return metres from each place to the nearest existing station with shelter, inf without."""
    if existing is None:
        return np.full(len(found), np.inf)
    check_table(existing, "stations")
    roofs = existing[~existing["kind"].isin(_ROOFLESS)].to_crs(found.crs)
    if roofs.empty or found.empty:
        return np.full(len(found), np.inf)
    apart, _ = cKDTree(shapely.get_coordinates(roofs.geometry)).query(
        shapely.get_coordinates(found.geometry)
    )
    return np.asarray(apart, dtype=float)
