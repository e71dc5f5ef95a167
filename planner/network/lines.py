"""Any layer of lines → street pieces: joined where ends meet, tags found under many names.

Joined are equal vertices, ends within half a metre of each other, and an end within half a metre of
another line (a T). Lines that merely cross are bridges.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.errors import CrsError, InputError
from planner.network.access import permit, require_open
from planner.network.assemble import Pieces
from planner.network.frame import check_units, ground_length, to_metres
from planner.network.graph import first_text

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from pyproj import CRS

JOIN_M = 0.5
_SAME_M = 0.001  # vertices that differ by less are equal: files round

SYNONYMS: dict[str, tuple[str, ...]] = {
    "highway": (
        "highway", "fclass", "class", "road_class", "roadclass", "street_class", "type",
        "road_type", "kind", "道路等级", "道路类型", "等级", "类型",
    ),
    "name": (
        "name", "street", "street_name", "streetname", "road_name", "roadname", "name_zh", "名称",
        "道路名称", "路名", "街道",
    ),
    "oneway": ("oneway", "one_way", "单行", "单行线", "单向", "是否单行"),
    "maxspeed": (
        "maxspeed", "max_speed", "speed_kmh", "speed_kph", "speed_limit", "speed", "kmh", "限速",
        "速度", "车速",
    ),
}  # fmt: skip
_AS_TAGGED = ("foot", "bicycle", "access", "motor_vehicle", "junction", "motorroad")
_HIGHWAYS: dict[str, str] = {
    "高速公路": "motorway", "高速": "motorway", "快速路": "trunk", "国道": "trunk",
    "省道": "primary", "主干路": "primary", "主干道": "primary", "县道": "secondary",
    "次干路": "secondary", "次干道": "secondary", "乡道": "tertiary", "支路": "residential",
    "街巷": "residential", "小区道路": "service", "内部道路": "service", "步行街": "pedestrian",
    "人行道": "footway", "小路": "path", "小径": "path", "自行车道": "cycleway",
    "非机动车道": "cycleway", "台阶": "steps",
}  # fmt: skip
# (Geofabrik writes F, T, B; ESRI FT, TF: T and TF run against the line)
_FORWARD = ("yes", "true", "1", "1.0", "y", "f", "ft", "forward", "是", "单向", "单行", "正向")
_BACKWARD = ("-1", "-1.0", "reverse", "t", "tf", "backward", "逆向", "反向")


def read_layer(file: Path) -> gpd.GeoDataFrame:
    """Read the first layer of lines in a file that GDAL or GeoParquet knows.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    import geopandas as gpd
    import pyarrow as pa
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        if file.suffix.lower() in {".parquet", ".geoparquet", ".pq"}:
            return gpd.read_parquet(file)
        layers = [(str(name), str(kind)) for name, kind in pyogrio.list_layers(file)]
        lines = [name for name, kind in layers if "LineString" in kind or "Curve" in kind]
        first = [name for name, _ in layers[:1]]
        layer = gpd.read_file(file, layer=next(iter(lines + first), None))
    except shapely.errors.ShapelyError as error:
        raise InputError(
            f"holds a malformed geometry: {_one_line(error)}. Repair it in a GIS, e.g. with "
            "“fix geometries”.",
            file=file,
        ) from error
    except (DataSourceError, DataLayerError, pa.ArrowException, ValueError, OSError) as error:
        raise InputError(
            f"cannot be read as a layer of lines: {_one_line(error)}. Use .osm.pbf, .osm, "
            ".graphml, .gpkg, .shp, .geojson or .parquet.",
            file=file,
        ) from error
    if not isinstance(layer, gpd.GeoDataFrame):
        raise InputError("holds a table without geometry. Use a layer of lines.", file=file)
    return layer


def _one_line(error: Exception) -> str:
    """Return the first sentence of a library's message."""
    return " ".join(str(error).split(";")[0].split()).rstrip(".")


def read_lines(
    layer: gpd.GeoDataFrame,
    *,
    mode: str,
    speed_kmh: float | None = None,
    crs: Any = None,
    file: str | None = None,
) -> tuple[Pieces, CRS, dict[str, int]]:
    """Turn a table of lines into pieces; the third value counts the rows that were left out.

    Parameters
    ----------
    layer
        LineStrings or MultiLineStrings. Columns read, by any of their names in `SYNONYMS`:
        `highway`, `name`, `oneway`, `maxspeed` (km/h); and `foot`, `bicycle`, `access`,
        `motor_vehicle`. All may be missing: then every line is an ordinary street, both ways.
    mode, speed_kmh, crs
        As in `load_streets`.
    file
        For messages.

    Raises
    ------
    CrsError
        The layer has no CRS.
    InputError
        No lines, or coordinates that are no places.
    """
    where = file or "the street layer"
    if layer.crs is None:
        raise CrsError(
            "the layer has no CRS, so its lengths mean nothing. Set it: "
            "`layer.set_crs('EPSG:4326')` for degrees, or save it with its .prj file.",
            file=where,
        )
    row, shapes, dropped = _usable(layer, where)
    tags = _tags(layer, row)
    allowed = permit(tags, len(row), mode, speed_kmh=speed_kmh, unlisted_open=True)
    require_open(allowed, tags, mode, unlisted_open=True, file=file)
    names, code = np.unique(_column(layer, "name")[row], return_inverse=True)
    xyz, line = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    xy, z = xyz[:, :2], xyz[:, 2]
    at = np.flatnonzero(line[:-1] == line[1:])
    x, y, metric = to_metres(xy[:, 0], xy[:, 1], layer.crs, crs, file=where)
    length = ground_length(xy[:, 0], xy[:, 1], at, at + 1, layer.crs)
    check_units(xy[:, 0], xy[:, 1], length, layer.crs, file=where)
    vertex, x, y = _join(x, y, line)
    height = np.full(len(x), np.nan)
    np.fmin.at(height, vertex, z)  # of lines that meet at several heights the lowest
    a, b, owner, length = _join_tees(x, y, vertex[at], vertex[at + 1], line[at], length)
    pieces = Pieces(
        x, y, a, b, length, allowed.forward_kmh[owner], allowed.backward_kmh[owner],
        code[owner].astype(np.int32), names.astype(object), allowed.street_class[owner], height,
    )  # fmt: skip
    return pieces, metric, dropped


def _usable(layer: gpd.GeoDataFrame, where: str) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Single LineStrings, the row of each, and what was left out."""
    values = np.asarray(layer.geometry.array)
    missing = shapely.is_missing(values) | shapely.is_empty(values)
    is_line = np.isin(shapely.get_type_id(values), (1, 2, 5)) & ~missing
    short = np.zeros(len(values), dtype=bool)
    short[is_line] = shapely.length(values[is_line]) == 0
    kept = np.flatnonzero(is_line & ~short)
    if not len(kept):
        kinds = ", ".join(sorted({g.geom_type for g in values[~missing]})) or "nothing"
        raise InputError(
            f"holds no lines, so there are no streets. It holds {kinds}. Use a layer of lines.",
            file=where,
        )
    parts, index = shapely.get_parts(values[kept], return_index=True)
    dropped = {
        "no geometry": int(missing.sum()),
        "no line": int((~is_line & ~missing).sum()),
        "line without length": int(short.sum()),
    }
    return kept[index], parts, {reason: n for reason, n in dropped.items() if n}


def _tags(layer: gpd.GeoDataFrame, row: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the layer as OSM tags, one text a line."""
    tags = {name: _column(layer, name)[row] for name in ("highway", "oneway", "maxspeed")}
    for name in _AS_TAGGED:
        tags[name] = np.char.lower(_column(layer, name)[row])
    kinds, kind = np.unique(tags["highway"], return_inverse=True)
    tags["highway"] = np.array([_highway(k) for k in kinds.tolist()], dtype=str)[kind]
    way = np.char.lower(tags["oneway"])
    way = np.where(np.isin(way, _FORWARD), "yes", np.where(np.isin(way, _BACKWARD), "-1", way))
    tags["oneway"] = way
    return tags


def _highway(text: str) -> str:
    """Return a class in OSM's words: Chinese ones translated, Geofabrik's grades cut off."""
    plain = re.sub(r"_grade\d$", "", text.strip().lower())
    return _HIGHWAYS.get(plain, plain)


def _column(layer: gpd.GeoDataFrame, name: str) -> np.ndarray:
    """Return the column of that meaning as texts, empty where it is absent or has a gap."""
    wanted = SYNONYMS.get(name, (name,))
    plain = {re.sub(r"[\s:\-]+", "_", str(c).strip().lower()): c for c in layer.columns}
    column = next((plain[w] for w in wanted if w in plain), None)
    if column is None or column == layer.geometry.name:
        return np.full(len(layer), "", dtype="<U1")
    return np.array([first_text(value) for value in layer[column].tolist()], dtype=str)


def _join(
    x: np.ndarray, y: np.ndarray, line: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give equal vertices, and line ends close to each other, one number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    whole = np.column_stack([np.rint(x / _SAME_M), np.rint(y / _SAME_M)])
    whole, vertex = np.unique(whole, axis=0, return_inverse=True)
    vertex = vertex.reshape(-1)
    xy = whole * _SAME_M
    is_end = np.concatenate([[True], line[1:] != line[:-1]])
    is_end |= np.concatenate([line[1:] != line[:-1], [True]])
    ends = np.unique(vertex[is_end])
    pairs = cKDTree(xy[ends]).query_pairs(JOIN_M, output_type="ndarray")
    graph = coo_array(
        (np.ones(len(pairs), dtype=np.int8), (ends[pairs[:, 0]], ends[pairs[:, 1]])),
        (len(xy), len(xy)),
    )
    label = connected_components(graph.tocsr(), directed=False)[1]
    first = np.full(label.max() + 1, len(xy))
    np.minimum.at(first, label, np.arange(len(xy)))
    return label[vertex], xy[first, 0], xy[first, 1]


def _join_tees(  # noqa: PLR0917
    x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, line: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split pieces where the loose end of another line touches them."""
    degree = np.bincount(np.concatenate([a, b]), minlength=len(x))
    loose = np.flatnonzero(degree == 1)
    shapes = shapely.linestrings(np.stack([np.column_stack([x[a], y[a]]),
                                           np.column_stack([x[b], y[b]])], axis=1))  # fmt: skip
    points = shapely.points(x[loose], y[loose])
    i, piece = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=JOIN_M)
    vertex = loose[i]
    other = (a[piece] != vertex) & (b[piece] != vertex)
    vertex, piece, i = vertex[other], piece[other], i[other]
    gap = shapely.distance(points[i], shapes[piece])
    order = np.lexsort((piece, gap, vertex))
    vertex, piece = vertex[order], piece[order]
    nearest = np.concatenate([[True], vertex[1:] != vertex[:-1]])[: len(vertex)]
    vertex, piece = vertex[nearest], piece[nearest]
    share = shapely.line_locate_point(
        shapes[piece], shapely.points(x[vertex], y[vertex]), normalized=True
    )
    return _cut(a, b, line, length, piece, share, vertex)


def _cut(  # noqa: PLR0917
    a: np.ndarray,
    b: np.ndarray,
    line: np.ndarray,
    length: np.ndarray,
    piece: np.ndarray,
    share: np.ndarray,
    vertex: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Replace pieces by their parts between the vertices put on them."""
    every = np.concatenate(
        [np.arange(len(a)), piece]
    )  # each piece starts a part, each cut one more
    at = np.concatenate([np.zeros(len(a)), share])
    start = np.concatenate([a, vertex])
    order = np.lexsort((start, np.r_[np.zeros(len(a)), np.ones(len(piece))], at, every))
    every, at, start = every[order], at[order], start[order]
    last = np.concatenate([every[1:] != every[:-1], [True]])
    stop = np.where(last, b[every], np.concatenate([start[1:], [0]]))
    part = np.where(last, 1.0, np.concatenate([at[1:], [1.0]])) - at
    return start, stop, line[every], length[every] * part
