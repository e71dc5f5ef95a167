"""OpenStreetMap extracts → street pieces, through GDAL's OSM driver with our own configuration."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from planner.errors import InputError
from planner.geo import WGS84
from planner.network.access import TAGS, permit
from planner.network.assemble import Pieces
from planner.network.frame import ground_length, to_metres

if TYPE_CHECKING:
    from pathlib import Path

_UNITS_PER_DEGREE = 1e7  # OSM coordinates are whole 1e-7 degrees


def read_osm(
    file: Path, *, mode: str, speed_kmh: float | None = None, crs: Any = None
) -> tuple[Pieces, CRS]:
    """Read the streets of an ``.osm.pbf`` or ``.osm`` file that a mode may use.

    Ways are joined where they share a node, which GDAL does not name: points with equal coordinates
    are the same node. Lengths are geodesic.

    Raises
    ------
    InputError
        GDAL cannot read the file, or it holds no way with a `highway` tag.
    """
    tags, shapes = _read_ways(file)
    allowed = permit(tags, len(shapes), mode, speed_kmh=speed_kmh)
    kept = (allowed.forward_kmh > 0) | (allowed.backward_kmh > 0)
    names, code = np.unique(tags["name"][kept], return_inverse=True)
    xy, way = shapely.get_coordinates(shapes[kept], return_index=True)
    lon, lat, vertex = _nodes(xy)
    at = np.flatnonzero((way[:-1] == way[1:]) & (vertex[:-1] != vertex[1:]))
    a, b, way = vertex[at], vertex[at + 1], way[at]
    if not len(a):
        raise InputError(
            f"no street here is open to the mode `{mode}`. Use another file or mode.", file=file
        )
    length = ground_length(lon, lat, a, b, CRS.from_user_input(WGS84))
    x, y, metric = to_metres(lon, lat, CRS.from_user_input(WGS84), crs, file=str(file))
    pieces = Pieces(
        x, y, a, b, length, allowed.forward_kmh[kept][way], allowed.backward_kmh[kept][way],
        code[way].astype(np.int32), names.astype(object), allowed.street_class[kept][way],
    )  # fmt: skip
    return pieces, metric


def _read_ways(file: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All ways with a `highway` tag: tags as texts, and their shapes in degrees."""
    # (SQL makes the driver skip points and relations, which would pile up in memory)
    with as_file(files(__package__) / "osmconf.ini") as conf:
        try:
            meta, _, wkb, columns = pyogrio.raw.read(
                file, sql="SELECT * FROM lines WHERE highway IS NOT NULL", CONFIG_FILE=str(conf)
            )
        except (DataSourceError, DataLayerError) as error:
            raise InputError(
                f"cannot be read as OpenStreetMap data: {str(error).split(';')[0].rstrip('.')}. "
                "Download or export it anew.",
                file=file,
            ) from error
    if not len(wkb):
        raise InputError(
            "holds no way with a `highway` tag, so there are no streets. Export roads and paths "
            "too.",
            file=file,
        )
    tags = {
        str(name): np.array(["" if v is None else str(v) for v in values], dtype=str)
        for name, values in zip(meta["fields"], columns, strict=True)
    }
    return {name: tags[name] for name in TAGS}, shapely.from_wkb(wkb)


def _nodes(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct coordinates, and which of them each row is."""
    whole = np.rint(xy * _UNITS_PER_DEGREE).astype(np.int64)
    key, vertex = np.unique((whole[:, 0] << 32) + (whole[:, 1] + (1 << 31)), return_inverse=True)
    lon = (key >> 32) / _UNITS_PER_DEGREE
    lat = ((key & 0xFFFFFFFF) - (1 << 31)) / _UNITS_PER_DEGREE
    return lon, lat, vertex
