"""Hot spots: where demand crowds together, in the whole day or in one daypart."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from planner.demand.hotspots.groups import daypart_names, gather, look_around_m
from planner.demand.hotspots.naming import name_places
from planner.errors import ColumnError, SettingsError, nearest_name
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy as np

    from planner.network import StreetNetwork

_LOG = logging.getLogger(__name__)


def find_hotspots(
    demand: gpd.GeoDataFrame,
    *,
    daypart: str | None = None,
    area: gpd.GeoDataFrame | None = None,
    streets: StreetNetwork | None = None,
    hosts: gpd.GeoDataFrame | None = None,
    eps_m: float | None = None,
    cluster: str = "auto",
    medians: Sequence[str] = (),
    rng: int | np.random.Generator = 0,
) -> gpd.GeoDataFrame:
    """Find compact groups of demand points that are busier than usual.

    Parameters
    ----------
    demand
        `demand` table: `weight_per_day`, ``weight_<daypart>``, points; metric CRS.
    daypart
        Look for what is busy then, e.g. ``night``; if absent in the whole day.
    area, streets, hosts
        Where the names come from: `districts`, the network, `hosts`; each may be absent.
    eps_m
        How far a point looks around, in metres; if absent 200 (a guess: three minutes on foot), or
        one and a half hexagons where those are larger.
    cluster
        How points are grouped: ``auto``, ``dbscan``, ``hdbscan`` or ``kmeans``, see
        `planner.cluster.find_groups`.
    medians
        Further columns of `demand`, of which each hot spot tells the weighted median of its points.
    rng
        Seed of the batches of k-means; the other methods draw nothing.

    Returns
    -------
    geopandas.GeoDataFrame
        `hotspots`, heaviest (in the daypart) first: index `hotspot_id` (``hs001`` …), `name`
        (``district · nearest host or street``, as far as they are known), `weight_per_day` and
        ``weight_<daypart>`` (sums over the points of the group), `rest_per_day` (stays of the class
        rest, without their need weight; only if demand tells classes), `points` (their number),
        `peak` (the daypart whose share of the visits here is most above its share in the whole
        city, by three hundredths at least; empty where none is, and without dayparts), `peak_share`
        (its share here), `medians` under their names, `geometry` (the group's medoid, a demand
        point).

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, or lacks one of `medians`.
    SettingsError
        `eps_m` is not greater than 0, `cluster` is unknown, or demand has no such daypart.

    Notes
    -----
    Unless told otherwise, weighted DBSCAN (Ester et al. 1996) looked at closer where groups run
    together; k-means above 50,000 points. All figures are sums over demand points, which are safe
    to show; the same points serve all dayparts.
    """
    began = perf_counter()
    check_table(demand, "demand")
    for name in medians:
        if name not in demand:
            raise ColumnError(f"`demand` lacks `{name}`.{nearest_name(name, map(str, demand))}")
    radius_m = look_around_m(demand, eps_m)
    column = "weight_per_day" if daypart is None else _column(demand, daypart)
    found = gather(
        demand, column, radius_m=radius_m, prefix="hs", label="hotspot_id", medians=medians,
        cluster=cluster, rng=rng,
    )  # fmt: skip
    found.insert(0, "name", name_places(found.geometry, area=area, streets=streets, hosts=hosts))
    found["name"] = found["name"].astype(str)
    check_table(found, "hotspots")
    _LOG.info(
        "hotspots: %d points in, %d out, %.1f s", len(demand), len(found), perf_counter() - began
    )
    return found


def _column(demand: gpd.GeoDataFrame, daypart: str) -> str:
    known = daypart_names(demand)
    if daypart not in known:
        raise SettingsError(
            f"`daypart` knows {', '.join(known) or 'none in this demand'}. Got {daypart!r}."
            f"{nearest_name(daypart, known)}"
        )
    return f"weight_{daypart}"
