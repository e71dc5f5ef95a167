"""Recommended sites, parking and existing stations as layers for a GIS: GeoJSON and GeoPackage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from planner.geo import WGS84
from planner.report.figures import table
from planner.report.site_sheets import other_sites
from planner.report.words import speak

if TYPE_CHECKING:
    from planner.plan import Plan

_ENTRIES = ("status", "owner", "note")
_SITES = [
    "rank", "name", "kind", "action", "host_name", "host_class", "hours", "gain_per_day",
    "gain_share",
    "cumulative_share", "stability", "before_min", "after_min", "peak", "why", "candidate_id",
    *_ENTRIES,
]  # fmt: skip
_PARKING = [
    "name", "bays", "served_per_day", "peak_per_hour", "blocking_share", "station_id",
    "station_walk_m",
]  # fmt: skip
_STATIONS = ["name", "kind", "services", "hours", "hours_assumed", "capacity"]
_NO_DATE = "2000-01-01"


def write_sites(plan: Plan, folder: Path | str) -> dict[str, Path]:
    """Write ``sites.geojson`` and ``sites.gpkg`` (layers sites, parking, stations), EPSG:4326.

    Parameters
    ----------
    plan
        A finished run. The same plan gives the same bytes: GeoPackage's date of change is that of
        the newest data.
    folder
        Where to; it must exist. Each file is replaced at once if it exists.

    Returns
    -------
    ``geojson`` and ``gpkg`` → path.
    """
    folder = Path(folder)
    layers = make_layers(plan)
    paths = {"geojson": folder / "sites.geojson", "gpkg": folder / "sites.gpkg"}
    fresh = {kind: path.with_name(f".new-{path.name}") for kind, path in paths.items()}
    for path in fresh.values():
        path.unlink(missing_ok=True)
    _write(
        layers["sites"], fresh["geojson"], driver="GeoJSON", layer="sites",
        layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": "7"},
    )  # fmt: skip
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{_date(plan)}T00:00:00.000Z"})
    try:
        for name, layer in layers.items():
            _write(layer, fresh["gpkg"], driver="GPKG", layer=name)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    return {kind: fresh[kind].replace(path) for kind, path in paths.items()}


def make_layers(plan: Plan) -> dict[str, gpd.GeoDataFrame]:
    """Return ``sites``, ``parking`` and ``stations`` in EPSG:4326, columns in a fixed order.

    The index comes first, as text; coordinates have seven decimals (1 cm). Below the recommended
    sites stand, without rank, the other sites of the register, so that one layer given back as
    `siting.register` holds all that planners wrote; statuses are in the study's language.
    """
    return {
        "sites": _site_layer(plan),
        "parking": _layer(table(plan, "parking"), "site_id", _PARKING),
        "stations": _layer(table(plan, "stations"), "station_id", _STATIONS),
    }


def _site_layer(plan: Plan) -> gpd.GeoDataFrame:
    sites, others = table(plan, "sites"), other_sites(plan)
    w = speak(plan.settings.study.language)
    layers = []
    for frame, index in ((sites.sort_values("rank") if len(sites) else sites, "site_id"),
                         (others, "")):  # fmt: skip
        if len(frame):
            told = frame.assign(**{c: frame.get(c, "") for c in _ENTRIES})
            told["status"] = told["status"].replace("", "proposed").map(w.decision)
            layers.append(_layer(told, index, _SITES))
    if not layers:
        return _layer(sites, "site_id", _SITES)
    if len(layers) == 1 and len(sites):
        return layers[0]
    whole = pd.concat(layers, ignore_index=True)
    known = [c for c in ("site_id", *_SITES) if c in whole]
    if "rank" in whole:
        whole["rank"] = whole["rank"].astype("Int64")
    return gpd.GeoDataFrame(whole[known], geometry=whole.geometry, crs=WGS84)


def _layer(frame: gpd.GeoDataFrame, index: str, columns: list[str]) -> gpd.GeoDataFrame:
    if not len(frame):
        empty = {index: pd.Series(dtype="str"), "name": pd.Series(dtype="str")}
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=WGS84), crs=WGS84)
    points = frame.geometry.to_crs(WGS84)
    known = [c for c in columns if c in frame.columns]
    fresh = pd.DataFrame(frame[known]).reset_index(drop=True)
    if index:
        fresh.insert(0, index, frame.index.astype(str))
    place = gpd.GeoSeries(gpd.points_from_xy(np.round(points.x, 7), np.round(points.y, 7)))
    place[points.isna().to_numpy()] = None
    return gpd.GeoDataFrame(fresh, geometry=place.values, crs=WGS84)


def _write(frame: gpd.GeoDataFrame, path: Path, **options: object) -> None:
    pyogrio.write_dataframe(frame, path, geometry_type="Point", **options)


def _date(plan: Plan) -> str:
    """Return the newest day of the data: never the clock's."""
    return str(plan.summary["demand"].get("last_day") or _NO_DATE)
