"""OpenStreetMap extracts → street pieces, through GDAL's OSM driver with our own configuration."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from planner.errors import InputError
from planner.geo import WGS84
from planner.network.access import NODE_TAGS, TAGS, bars, permit, require_open
from planner.network.assemble import BARRED, Pieces, cut_at
from planner.network.frame import ground_length, to_metres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_UNITS_PER_DEGREE = 1e7  # OSM coordinates are whole 1e-7 degrees


def read_osm(
    file: Path, *, mode: str, speed_kmh: float | None = None, crs: Any = None
) -> tuple[Pieces, CRS, dict[str, int]]:
    """Read the streets of an ``.osm.pbf`` or ``.osm`` file that a mode may use.

    Ways are joined where they share a node, which GDAL does not name: points with equal coordinates
    are the same node. They are cut at nodes whose barrier the mode cannot pass; the third value
    counts those. Lengths are geodesic.

    Raises
    ------
    InputError
        GDAL cannot read the file, or it holds no way with a `highway` tag.
    """
    barred = _barred(file, mode)
    ways = _ways(file)
    if not ways.num_rows:
        raise InputError(
            "holds no way with a `highway` tag, so there are no streets. Export roads and paths "
            "too.",
            file=file,
        )
    tags, kind = _distinct(ways, [name for name in TAGS if name != "name"])
    allowed = permit(tags, kind.max() + 1, mode, speed_kmh=speed_kmh)
    require_open(allowed, tags, mode, file=file)
    forward, backward = allowed.forward_kmh[kind], allowed.backward_kmh[kind]
    kept = np.flatnonzero((forward > 0) | (backward > 0))
    shapes = shapely.from_wkb(ways.column(ways.num_columns - 1).to_numpy()[kept])
    xy, way = shapely.get_coordinates(shapes, return_index=True)
    key, vertex = np.unique(_keys(xy), return_inverse=True)
    lon, lat = _places(key)
    at = np.flatnonzero((way[:-1] == way[1:]) & (vertex[:-1] != vertex[1:]))
    a, b, way = vertex[at], vertex[at + 1], kept[way[at]]
    length = ground_length(lon, lat, a, b, CRS.from_user_input(WGS84))
    x, y, metric = to_metres(lon, lat, CRS.from_user_input(WGS84), crs, file=str(file))
    names, code = _names(ways)
    pieces = Pieces(
        x, y, a, b, length, forward[way], backward[way], code[way], names,
        allowed.street_class[kind[way]],
    )  # fmt: skip
    pieces, count = cut_at(pieces, np.isin(key, barred))
    return pieces, metric, {BARRED: count} if count else {}


def _barred(file: Path, mode: str) -> np.ndarray:
    """Keys of the nodes that a mode cannot pass.

    Read row by row: the driver tells here, and only here, that the file is cut off.
    """
    meta, _, wkb, columns = _read(
        pyogrio.raw.read, file, "SELECT * FROM points WHERE barrier IS NOT NULL", 1
    )
    if not len(wkb):
        return np.zeros(0, dtype=np.int64)
    texts = [pa.array(values, pa.string()) for values in columns]
    nodes = pa.table(texts, names=list(meta["fields"]))
    tags, kind = _distinct(nodes, NODE_TAGS)
    shut = bars(tags, kind.max() + 1, mode)[kind]
    return _keys(shapely.get_coordinates(shapely.from_wkb(wkb[shut])))


def _ways(file: Path) -> pa.Table:
    """All ways with a `highway` tag: tags as columns of texts, shapes in degrees as the last.

    Places of nodes are kept in memory up to a size after which GDAL takes to the disk. It is
    cleared before the first is read: GDAL's own 100 MB cost a small file more time than all else.
    """
    store_mb = min(100, 10 + 10 * file.stat().st_size // 1_000_000)
    return _read(
        pyogrio.raw.read_arrow, file, "SELECT * FROM lines WHERE highway IS NOT NULL", store_mb
    )[1]


def _read(reader: Callable[..., Any], file: Path, sql: str, store_mb: int) -> Any:
    # (SQL makes the driver skip the other kinds, which would pile up in memory)
    with as_file(files(__package__) / "osmconf.ini") as conf:
        try:
            return reader(file, sql=sql, CONFIG_FILE=str(conf), MAX_TMPFILE_SIZE=str(store_mb))
        except (DataSourceError, DataLayerError) as error:
            raise InputError(
                f"cannot be read as OpenStreetMap data: {str(error).split(';')[0].rstrip('.')}. "
                "Download or export it anew.",
                file=file,
            ) from error


def _distinct(table: pa.Table, names: Sequence[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the combinations of tags that occur, as texts, and which of them each row is."""
    code = np.zeros(table.num_rows, dtype=np.int64)
    most = 1
    for name in names:
        column = table.column(name).combine_chunks().dictionary_encode()
        size = len(column.dictionary) + 1
        if most > 2**62 // size:
            seen, code = np.unique(code, return_inverse=True)
            most = len(seen)
        code = code * size + column.indices.fill_null(size - 1).to_numpy()
        most *= size
    _, first, kind = np.unique(code, return_index=True, return_inverse=True)
    return {
        name: np.array(table.column(name).take(first).fill_null("").to_pylist(), dtype=str)
        for name in names
    }, kind


def _names(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Street names in the order of the alphabet, and which of them each row has."""
    column = table.column("name").combine_chunks().fill_null("").dictionary_encode()
    names, order = np.unique(np.array(column.dictionary.to_pylist(), dtype=object),
                             return_inverse=True)  # fmt: skip
    return names, order[column.indices.to_numpy()].astype(np.int32)


def _keys(xy: np.ndarray) -> np.ndarray:
    """One number a place, equal for equal nodes."""
    whole = np.rint(xy * _UNITS_PER_DEGREE).astype(np.int64)
    return (whole[:, 0] << 32) + (whole[:, 1] + (1 << 31))


def _places(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of keys."""
    return (key >> 32) / _UNITS_PER_DEGREE, ((key & 0xFFFFFFFF) - (1 << 31)) / _UNITS_PER_DEGREE
