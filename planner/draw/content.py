"""A plan, or the tables of a notebook → what the page is told: packed arrays and one JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.draw.changes import describe_edits, finite, left_out
from planner.draw.facilities import Facilities, describe_facilities, gather_facilities
from planner.draw.figures import Figures, describe_figures
from planner.draw.ground import (
    attribution_of,
    describe_areas,
    describe_districts,
    describe_streets,
    describe_water,
)
from planner.draw.pack import pack_cells, pack_json, pack_reach, whole_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    import pandas as pd
    from scipy.sparse import csc_array

    from planner.tables import Reach

_ROW_STEP = np.sqrt(3.0) / 2.0


@dataclass(frozen=True)
class Tables:
    """The tables of a map in one metric CRS; those that are None give no layer."""

    districts: gpd.GeoDataFrame | None
    demand: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    explanations: pd.DataFrame | None = None
    parking: gpd.GeoDataFrame | None = None
    streets: gpd.GeoDataFrame | None = None
    stations: gpd.GeoDataFrame | None = None
    candidates: gpd.GeoDataFrame | None = None
    reach: Reach | None = None
    service_areas: gpd.GeoDataFrame | None = None
    water: gpd.GeoDataFrame | None = None
    hotspots: gpd.GeoDataFrame | None = None
    gatherings: gpd.GeoDataFrame | None = None
    uncovered: gpd.GeoDataFrame | None = None
    edits: gpd.GeoDataFrame | None = None
    cell_m: float = 100.0


def pack_content(
    tables: Tables, figures: Figures, *, attribution: str | None = None
) -> dict[str, str]:
    """Return the packed parts of a page: ``study``, ``cells`` and, where known, the others.

    Parameters
    ----------
    tables, figures
        What is drawn and what is said.
    attribution
        Whom the streets are owed to; by default what their own table notes.
    """
    head, cells, order = _cells(tables, figures)
    facilities = gather_facilities(
        tables.demand, tables.sites, existing=tables.stations, candidates=tables.candidates,
        reach=tables.reach,
    )  # fmt: skip
    if attribution is None:
        attribution = attribution_of(tables.streets)
    study = {
        **describe_figures(figures, attribution),
        "cells": head,
        "facilities": describe_facilities(facilities, figures.dayparts),
        "sites": describe_sites(tables.sites, figures, tables.explanations),
        "parking": describe_parking(tables.parking, facilities),
        "hotspots": describe_hotspots(tables.hotspots, figures),
        "gatherings": describe_gatherings(tables.gatherings, figures),
        "uncovered": describe_uncovered(tables.uncovered, figures),
        "edits": describe_edits(tables.edits, tables.water),
        "horizon": figures.horizon_min,
        "districts": [] if _none(tables.districts) else describe_districts(tables.districts),
        "water": [] if _none(tables.water) else describe_water(tables.water),
    }
    blobs = {"cells": cells}
    if not _none(tables.service_areas):
        study["areas"] = describe_areas(tables.service_areas, figures.limit_min)
    if not _none(tables.streets):
        blobs["streets"], study["lookup"] = describe_streets(tables.streets)
    if tables.reach is not None:
        minutes = _reach_columns(tables.reach, tables.demand.index, facilities)
        study["minute"], blobs["reach"] = pack_reach(minutes, order, figures.limit_min)
    study["frame"] = _frame(tables, facilities)
    return {"study": pack_json(study), **blobs}


def _none(table: pd.DataFrame | None) -> bool:
    return table is None or table.empty


def _cells(tables: Tables, figures: Figures) -> tuple[dict[str, Any], str, np.ndarray]:
    demand, note = tables.demand, tables.demand.attrs.get("demand", {})
    columns = ["weight_per_day", *(f"weight_{p}" for p in figures.dayparts)]
    weight = np.column_stack(
        [demand[c] if c in demand else np.zeros(len(demand)) for c in columns]
    ).astype(float)
    row, col = demand["cell_row"].to_numpy(), demand["cell_col"].to_numpy()
    width = float(note.get("cell_m", tables.cell_m))
    if "origin_x" in note:
        origin = float(note["origin_x"]), float(note["origin_y"])
    else:  # where the cells must lie for their points to be inside
        dx = demand.geometry.x - width * (col + 0.5 * (row % 2))
        dy = demand.geometry.y - width * _ROW_STEP * row
        origin = float(np.median(dx)), float(np.median(dy))
    return pack_cells(row, col, weight, origin=origin, width_m=width, crs=demand.crs)


def _reach_columns(reach: Reach, demand_id: pd.Index, facilities: Facilities) -> csc_array:
    """Demand × facilities in the order of the map; those the reach does not know are empty."""
    from scipy.sparse import csc_array

    rows = reach.demand_id.get_indexer(demand_id)
    if (rows < 0).any() or len(rows) != len(reach.demand_id):
        reach_rows = reach.minutes[rows[rows >= 0]].tocoo()
        back = np.flatnonzero(rows >= 0)[reach_rows.row]
        whole = csc_array(
            (reach_rows.data, (back, reach_rows.col)), shape=(len(rows), reach.minutes.shape[1])
        )
    else:
        whole = reach.minutes[rows].tocsc()
    starts, known = whole.indptr, facilities.column
    size = np.where(known >= 0, starts[known + 1] - starts[known], 0)
    offset = np.cumsum(size) - size
    take = np.repeat(starts[np.maximum(known, 0)] - offset, size) + np.arange(size.sum())
    return csc_array(
        (whole.data[take], whole.indices[take], np.r_[0, np.cumsum(size)]),
        shape=(whole.shape[0], len(known)),
    )


def describe_sites(
    sites: gpd.GeoDataFrame, figures: Figures, explanations: pd.DataFrame | None = None
) -> list[dict[str, Any]]:
    """Return what the list and the popups say of every recommended site, by rank."""
    ranked = sites.sort_values("rank")
    return [
        {
            "rank": int(s["rank"]),
            "name": str(s["name"]),
            "action": str(s["action"]),
            "gain": finite(s["gain_per_day"]),
            "stability": finite(s.get("stability")),
            "before": finite(s.get("before_min")),
            "after": finite(s.get("after_min")),
            "peak": _part(s.get("peak"), figures),
            "why": str(s.get("why") or ""),
            **_decision(s),
            **_replacement(explanations, key),
        }
        for key, s in zip(ranked.index, ranked.to_dict("records"), strict=True)
    ]


def _decision(site: dict[str, Any]) -> dict[str, Any]:
    """Return what was decided on a site that is still to open; nothing if it is only proposed."""
    status = site.get("status")
    return {"status": status} if status in ("surveyed", "agreed") else {}


def _replacement(explanations: pd.DataFrame | None, site_id: Any) -> dict[str, Any]:
    """Return what is lost without a site, and its best replacement; nothing if none is known."""
    if explanations is None or site_id not in explanations.index:
        return {}
    told = explanations.loc[site_id]
    share, ties = finite(told["alternative_share"]), str(told["near_ties"] or "")
    named = share is not None and isinstance(told["alternative_name"], str)
    return {
        "loss": finite(told["loss_share"]),
        "other": told["alternative_name"] if named else "",
        "otherShare": share,
        "tied": named and told["alternative_name"] in map(str.strip, ties.split(";")),
    }


def describe_parking(
    parking: gpd.GeoDataFrame | None, facilities: Facilities
) -> list[dict[str, Any]]:
    """Return what the map says of every friendly-parking site."""
    if parking is None or parking.empty:
        return []
    x, y = whole_pixels(parking.geometry.x, parking.geometry.y, parking.crs)
    names = facilities.table["name"].astype(str)
    known = dict(zip(names.index.str.removeprefix("station:"), names, strict=True)) | dict(names)
    return [
        {
            "name": str(p["name"]),
            "x": px,
            "y": py,
            "bays": int(p["bays"]),
            "served": finite(p["served_per_day"]),
            "blocking": finite(p["blocking_share"]),
            "station": known.get(str(p.get("station_id")), ""),
            "walk": finite(p.get("station_walk_m")),
        }
        for p, px, py in zip(parking.to_dict("records"), x, y, strict=True)
    ]


def describe_hotspots(hotspots: gpd.GeoDataFrame | None, figures: Figures) -> list[dict[str, Any]]:
    """Return what the map says of every hot spot, heaviest first."""
    return [] if hotspots is None else [place for place, _ in _crowds(hotspots, figures)]


def describe_gatherings(
    gatherings: gpd.GeoDataFrame | None, figures: Figures
) -> list[dict[str, Any]]:
    """Return what the map says of the places where riders rest without shelter, most rest first."""
    if gatherings is None:
        return []
    bare = gatherings[gatherings["informal"].astype(bool)]
    return [
        {**place, "rest": finite(row["rest_per_day"]), "station": finite(row["station_m"])}
        for place, row in _crowds(bare, figures)
    ]


def describe_uncovered(
    uncovered: gpd.GeoDataFrame | None, figures: Figures
) -> list[dict[str, Any]]:
    """Return what the map says of the places that stay without a station, heaviest first."""
    places = left_out(uncovered)
    if places is None:
        return []
    told = [{**p, "nearest": finite(row["nearest_min"])} for p, row in _crowds(places, figures)]
    return sorted(told, key=lambda place: -place["visits"])


def _crowds(
    table: gpd.GeoDataFrame, figures: Figures
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield place, name, visits and peak of each row, by identifier, and the row itself."""
    if table.empty:
        return
    ordered = table.sort_index()
    x, y = whole_pixels(ordered.geometry.x, ordered.geometry.y, ordered.crs)
    for row, px, py in zip(ordered.to_dict("records"), x, y, strict=True):
        place = {
            "name": str(row["name"]),
            "x": px,
            "y": py,
            "peak": _part(row.get("peak"), figures),
        }
        yield {**place, "visits": finite(row["weight_per_day"])}, row


def _part(name: Any, figures: Figures) -> int:
    """Return the number of a daypart, counted from 1; 0 for none."""
    parts = list(figures.dayparts)
    return parts.index(name) + 1 if name in parts else 0


def _frame(tables: Tables, facilities: Facilities) -> list[list[int]]:
    """Return the corners of the first view: the answer, and where most of the demand is."""
    demand, answer = tables.demand, facilities.table.geometry
    answer = answer.iloc[: facilities.existing + facilities.chosen]
    weight = demand["weight_per_day"].to_numpy()
    core: list[tuple[float, float]] = []
    for values in (demand.geometry.x.to_numpy(), demand.geometry.y.to_numpy()):
        order = np.argsort(values, kind="stable")
        share = np.cumsum(weight[order]) / weight.sum()
        core.append(
            tuple(values[order][np.searchsorted(share, [0.02, 0.98]).clip(0, len(share) - 1)])
        )
    x = [*core[0], *answer.x]
    y = [*core[1], *answer.y]
    px, py = whole_pixels(
        [min(x), min(x), max(x), max(x)], [min(y), max(y), min(y), max(y)], demand.crs
    )
    return [[min(px), min(py)], [max(px), max(py)]]


def plan_tables(tables: Mapping[str, Any], reach: Reach, cell_m: float) -> Tables:
    """Return the tables of a plan under the names of a map."""
    return Tables(
        districts=tables.get("districts"),
        demand=tables["demand"],
        sites=tables["sites"],
        explanations=tables.get("explanations"),
        parking=tables.get("parking"),
        streets=tables.get("streets"),
        stations=tables.get("stations"),
        candidates=tables.get("candidates"),
        reach=reach,
        service_areas=tables.get("service_areas"),
        water=tables.get("water"),
        hotspots=tables.get("hotspots"),
        gatherings=tables.get("gatherings"),
        uncovered=tables.get("uncovered"),
        edits=tables.get("edits"),
        cell_m=cell_m,
    )
