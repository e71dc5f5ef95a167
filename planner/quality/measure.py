"""`measure_quality`: the figures of `quality.json` that the tables tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.quality.datum import check_datum
from planner.quality.days import measure_days
from planner.quality.districts import measure_districts
from planner.quality.workers import measure_workers

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network import StreetNetwork
    from planner.settings import Settings

MEASURED = ("time", "space", "datum", "sample")  # keys of what `measure_quality` returns


def measure_quality(
    s: Settings,
    *,
    area: gpd.GeoDataFrame,
    streets: StreetNetwork,
    stays: gpd.GeoDataFrame,
    visits: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame | None = None,
    hosts: gpd.GeoDataFrame | None = None,
) -> dict[str, Any]:
    """Say when and where the data are, whether their datum fits, and whom they show.

    Parameters
    ----------
    s
        The study.
    area, streets, stations, hosts
        What it brings.
    stays
        What became of the activity, for its account in ``attrs["activity"]``.
    visits
        What demand was made of: stays, positions at regular moments, ends of orders, or counts.
    demand
        The demand.

    Returns
    -------
    dict
        ``time``, ``space``, ``datum`` and ``sample``; no rider, no place of a visit and no number
        from under ``s.demand.min_workers`` workers is in it.
    """
    account, k = stays.attrs.get("activity", {}), s.demand.min_workers
    points = {"activity": visits, "stations": stations, "hosts": hosts}
    declared = {
        "activity": s.datum_of(s.activity),
        "stations": s.datum_of(s.stations),
        "hosts": "wgs84" if s.hosts.osm else s.datum_of(s.hosts),
    }
    return {
        "time": measure_days(visits, account, basis=demand.attrs["demand"]["basis"], min_workers=k),
        "space": measure_districts(area, visits, demand, min_workers=k, language=s.study.language),
        "datum": {
            name: check_datum(streets, table, declared[name])
            for name, table in points.items()
            if table is not None and len(table)
        },
        "sample": measure_workers(
            visits, account, registered=getattr(s.demand, "registered", {}), min_workers=k
        ),
    }
