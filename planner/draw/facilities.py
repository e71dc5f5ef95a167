"""Every place that can be open: existing stations, recommended sites, other candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.coverage import open_in_dayparts
from planner.draw.pack import whole_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from planner.tables import Reach

MOST_OTHERS = 150
_MOST_PAIRS = 400_000  # of the other candidates: under 1 MB in the file
_MOST_DAYPARTS = 30  # bits of a mask


@dataclass(frozen=True)
class Facilities:
    """Existing stations first, then recommended sites by rank, then other candidates.

    Attributes
    ----------
    table
        Index facility id; columns ``name, kind, hours, services, capacity, hours_assumed,
        geometry``.
    existing, chosen
        How many of the rows exist, and how many follow that are recommended.
    column
        Shape (n,), their columns in the reach; -1 where it does not know them.
    """

    table: gpd.GeoDataFrame
    existing: int
    chosen: int
    column: np.ndarray


def gather_facilities(
    demand: gpd.GeoDataFrame,
    sites: gpd.GeoDataFrame,
    *,
    existing: gpd.GeoDataFrame | None,
    candidates: gpd.GeoDataFrame | None,
    reach: Reach | None,
) -> Facilities:
    """Line up what can be open.

    Parameters
    ----------
    demand, sites
        As `planner.tables.TABLES` declares them.
    existing
        Stations, for their kinds, services and seats; where absent, the existing candidates.
    candidates
        With their identifiers the reach is read; without, there are no other candidates.
    reach
        Demand × candidates.
    """
    import geopandas as gpd

    stations = _stations(existing, candidates)
    chosen = _chosen(sites)
    others = _others(demand, stations, chosen, candidates, reach)
    frames = [f.to_crs(demand.crs) for f in (stations, chosen, others) if len(f)]
    table = gpd.GeoDataFrame(pd.concat(frames), crs=demand.crs) if frames else chosen
    known = pd.Index([]) if reach is None else reach.facility_id
    return Facilities(table, len(stations), len(chosen), known.get_indexer(table.index))


def _shape(table: gpd.GeoDataFrame, index: pd.Index) -> gpd.GeoDataFrame:
    """Return the columns that the map reads, empty where the table has none."""
    import geopandas as gpd

    def column(name: str, default: object) -> pd.Series:
        if name in table:
            return table[name].astype(object).where(table[name].notna(), default)
        return pd.Series(default, index=table.index, dtype=object)

    empty: dict[str, object] = {
        "name": "",
        "kind": "",
        "hours": "",
        "services": "",
        "host_name": "",
        "host_class": "",
    }
    columns = {name: column(name, default).to_numpy() for name, default in empty.items()}
    columns["hours_assumed"] = column("hours_assumed", False).astype(bool).to_numpy()
    columns["capacity"] = pd.to_numeric(column("capacity", np.nan), errors="coerce").to_numpy()
    return gpd.GeoDataFrame(columns, geometry=table.geometry.to_numpy(), index=index, crs=table.crs)


def _stations(
    existing: gpd.GeoDataFrame | None, candidates: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Existing stations under their candidates' names (``station:…``), by identifier."""
    if existing is not None:
        ids = [str(i) for i in existing.index]
        index = pd.Index([i if i.startswith("station:") else f"station:{i}" for i in ids])
        return _shape(existing, index).sort_index()
    if candidates is not None:
        kept = candidates[candidates["action"] == "keep"]
        return _shape(kept, kept.index).sort_index()
    return _nothing()


def _chosen(sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    sites = sites.sort_values("rank")
    ids = sites["candidate_id"] if "candidate_id" in sites else sites.index.to_series()
    return _shape(sites, pd.Index(ids.astype(str)))


def _others(
    demand: gpd.GeoDataFrame,
    stations: gpd.GeoDataFrame,
    chosen: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame | None,
    reach: Reach | None,
) -> gpd.GeoDataFrame:
    """Return the candidates left, those first whose reach holds most that today misses."""
    if candidates is None or reach is None:
        return _nothing()
    taken = stations.index.union(chosen.index)
    free = candidates.index[(candidates["action"] != "keep") & ~candidates.index.isin(taken)]
    free = free[free.isin(reach.facility_id)]
    if free.empty:
        return _nothing()
    weight = demand["weight_per_day"].reindex(reach.demand_id).fillna(0.0).to_numpy()
    today = reach.facility_id.get_indexer(stations.index)
    unmet = np.where(reach.covered(today[today >= 0]), 0.0, weight)
    columns = reach.minutes.tocsc()[:, reach.facility_id.get_indexer(free)]
    within = np.diff(columns.indptr)
    facility = np.repeat(np.arange(len(free)), within)
    score = pd.DataFrame(
        {
            "unmet": np.bincount(facility, unmet[columns.indices], minlength=len(free)),
            "all": np.bincount(facility, weight[columns.indices], minlength=len(free)),
            "pairs": within,
            "id": free,
        }
    ).sort_values(["unmet", "all", "id"], ascending=[False, False, True])
    best = score[score["pairs"] > 0].head(MOST_OTHERS)
    best = best[best["pairs"].cumsum() <= _MOST_PAIRS]
    return _shape(candidates.loc[best["id"]], pd.Index(best["id"]))


def _nothing() -> gpd.GeoDataFrame:
    import geopandas as gpd

    return _shape(gpd.GeoDataFrame(geometry=[]), pd.Index([], dtype=object))


def describe_facilities(
    facilities: Facilities, dayparts: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """Return what the page is told of each facility, as parallel lists.

    ``open`` holds bits: bit 0 always (the all-day share is nominal), bit k for the k-th daypart.
    """
    table = facilities.table
    x, y = whole_pixels(table.geometry.x, table.geometry.y, table.crs) if len(table) else ([], [])
    return {
        "id": [str(i) for i in table.index],
        "existing": facilities.existing,
        "chosen": facilities.chosen,
        "x": x,
        "y": y,
        "name": table["name"].astype(str).tolist(),
        "kind": table["kind"].astype(str).tolist(),
        "hours": table["hours"].astype(str).tolist(),
        "services": table["services"].astype(str).tolist(),
        "host": table["host_name"].astype(str).tolist(),
        "hostClass": table["host_class"].astype(str).tolist(),
        "assumed": table["hours_assumed"].astype(int).tolist(),
        "capacity": [None if np.isnan(c) else round(float(c)) for c in table["capacity"]],
        "open": open_masks(table["hours"], dayparts),
    }


def open_masks(hours: pd.Series, dayparts: Mapping[str, tuple[float, float]]) -> list[int]:
    """Return one number a facility: bit 0 set, bit k if it is open in the k-th daypart."""
    parts = dict(list(dayparts.items())[:_MOST_DAYPARTS])
    flags = open_in_dayparts(hours, parts).to_numpy(dtype=np.int64)
    return (1 + flags @ (2 ** np.arange(1, len(parts) + 1))).astype(int).tolist()
