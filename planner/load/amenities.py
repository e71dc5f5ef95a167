"""Amenities of an OpenStreetMap file that could host a station."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.load.files import Sheet

if TYPE_CHECKING:
    from pathlib import Path

# OSM's tag → kind of host. Chosen because such premises let people in who buy nothing, and have
# been opened as stations in Chinese cities: community and Party centres, government halls,
# libraries, banks, post offices, pharmacies, hospitals' halls, malls, supermarkets, fuel stations,
# cafés. Restaurants, bars and fast food are where riders wait, and live from their tables: left
# out. Schools and places of worship keep doors of their own: left out.
HOST_TAGS: dict[tuple[str, str], str] = {
    ("amenity", "community_centre"): "community",
    ("amenity", "social_centre"): "community",
    ("amenity", "social_facility"): "community",
    ("amenity", "townhall"): "public",
    ("amenity", "public_building"): "public",
    ("amenity", "library"): "library",
    ("amenity", "bank"): "bank",
    ("amenity", "post_office"): "post_office",
    ("amenity", "pharmacy"): "pharmacy",
    ("amenity", "hospital"): "hospital",
    ("amenity", "clinic"): "hospital",
    ("amenity", "fuel"): "fuel",
    ("amenity", "cafe"): "cafe",
    ("amenity", "marketplace"): "market",
    ("amenity", "bus_station"): "transit",
    ("shop", "mall"): "mall",
    ("shop", "department_store"): "mall",
    ("shop", "supermarket"): "supermarket",
    ("shop", "convenience"): "convenience",
    ("office", "union"): "union",
}

_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_KEYS = ("amenity", "shop", "office")


def read_amenities(path: Path) -> Sheet:
    """Read the premises of an ``.osm.pbf`` or ``.osm`` file that `HOST_TAGS` names.

    Nodes as they stand, buildings and grounds as areas. Each feature once: `host_id` is OSM's
    number after ``n`` (node), ``w`` (way) or ``r`` (relation).

    Raises
    ------
    InputError
        The file is damaged, or holds no such premises.
    """
    import pyogrio

    like = " OR ".join(f"other_tags LIKE '%\"{key}\"%'" for key in _KEYS)
    filled = " OR ".join(f"{key} IS NOT NULL" for key in _KEYS)
    try:
        nodes = pyogrio.read_dataframe(path, layer="points", where=like, on_invalid="ignore")
        areas = pyogrio.read_dataframe(
            path, layer="multipolygons", where=filled, on_invalid="ignore"
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise InputError(
            "not readable as an OpenStreetMap file. Download the extract again.", file=path
        ) from error
    frame = pd.concat([_describe(nodes), _describe(areas)], ignore_index=True)
    shapes = pd.concat([nodes.geometry, areas.geometry], ignore_index=True)
    is_host = frame["kind"].notna().to_numpy(bool)
    if not is_host.any():
        raise InputError(
            "the file holds no amenities that could host a station (roads only?). Use an extract "
            "with all tags, or name a `hosts.file`.",
            file=path,
        )
    frame = frame[is_host].reset_index(drop=True)
    geometry = gpd.GeoSeries(shapes[is_host].to_numpy(), crs=4326)
    row = np.arange(1, len(frame) + 1, dtype=np.int64)
    return Sheet(path, frame, row, np.zeros(len(row), dtype=bool), geometry)


def _describe(features: pd.DataFrame) -> pd.DataFrame:
    """Return `host_id`, `name`, `kind` (None if no host) and `hours` of one layer."""
    rows: list[dict[str, Any]] = []
    plain = [c for c in ("osm_id", "osm_way_id", "name", *_KEYS) if c in features.columns]
    records = pd.DataFrame(features[[*plain, "other_tags"]]).astype(object)
    records = records.where(records.notna(), None)
    for record in records.to_dict("records"):
        tags = dict(_TAG.findall(record["other_tags"] or ""))
        tags.update({k: v for k, v in record.items() if v is not None and k != "other_tags"})
        kinds = [HOST_TAGS[(k, tags[k])] for k in _KEYS if (k, tags.get(k)) in HOST_TAGS]
        rows.append(
            {
                "host_id": _number(tags, is_area="osm_way_id" in features.columns),
                "name": _unescape(tags.get("name", "")),
                "kind": kinds[0] if kinds else None,
                "hours": _unescape(tags.get("opening_hours", "")),
            }
        )
    return pd.DataFrame(rows, columns=["host_id", "name", "kind", "hours"], dtype=object)


def _number(tags: dict[str, str], *, is_area: bool) -> str:
    if "osm_way_id" in tags:
        return f"w{tags['osm_way_id']}"
    return f"{'r' if is_area else 'n'}{tags['osm_id']}"


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
