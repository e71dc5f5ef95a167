"""Networkx graphs, osmnx's among them, and GraphML files → street pieces."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as UnknownCrsError

from planner.errors import CrsError, InputError
from planner.network.access import NODE_TAGS, TAGS, Permit, bars, permit, require_open
from planner.network.arrays import split_edges
from planner.network.assemble import BARRED, Pieces, cut_at
from planner.network.frame import check_units, ground_length, to_metres

if TYPE_CHECKING:
    from pathlib import Path

    import networkx as nx


MEASURED = "edge without length, measured"  # in `StreetNetwork.dropped`


class _Edges(NamedTuple):
    """Edges of a graph as it lists them."""

    a: np.ndarray
    b: np.ndarray
    data: list[dict[str, Any]]


def read_graphml(file: Path) -> nx.MultiDiGraph:
    """Read a GraphML file as it stands, all values as written; `InputError` if it is none."""
    import networkx as nx

    try:
        return nx.read_graphml(file, force_multigraph=True)
    except (nx.NetworkXException, ParseError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read as GraphML: {error}. Save it anew, e.g. with `osmnx.save_graphml`.",
            file=file,
        ) from error


def read_graph(
    graph: nx.Graph,
    *,
    mode: str,
    speed_kmh: float | None = None,
    crs: Any = None,
    file: str | None = None,
) -> tuple[Pieces, CRS, dict[str, int]]:
    """Turn a networkx graph into pieces; the third value counts what was no more than that.

    An edge without length is measured, a node with a barrier that the mode cannot pass is cut.

    Parameters
    ----------
    graph
        Nodes with `x` and `y`; the graph with `crs`, as osmnx makes them. Nodes may have
        `elevation` or `ele` (metres) and a `barrier` with access tags. Edges may have `length`
        (metres; else measured), `geometry` (LineString or WKT; else straight) and OSM tags
        (`highway`, `name`, `maxspeed`, …; of a list the first counts). In a directed graph an edge
        opens its own direction, `oneway:bicycle` and `cycleway=opposite…` the other one too; on
        foot every edge is walked both ways unless `oneway:foot` says no.
    mode, speed_kmh, crs
        As in `load_streets`.
    file
        For messages.

    Raises
    ------
    CrsError
        The graph does not say its CRS.
    InputError
        No edges, a node without place, a length that is no number, a geometry that is no line.
    """
    where = file or "the graph"
    source = _crs_of(graph, where)
    number = {node: i for i, node in enumerate(graph.nodes)}
    x, y = _places(graph, where)
    edges = _Edges(
        np.array([number[u] for u, _ in graph.edges()], dtype=np.int64),
        np.array([number[v] for _, v in graph.edges()], dtype=np.int64),
        [data for _, _, data in graph.edges(data=True)],
    )
    if not len(edges.a):
        raise InputError("holds no edges, so there are no streets. Check the export.", file=where)
    shapes, straight = _shapes(edges, x, y, where)
    length = _lengths(edges, shapes, source, where)
    kept, two_way = _pair(edges, length, directed=graph.is_directed())
    edges = _Edges(edges.a[kept], edges.b[kept], [edges.data[i] for i in kept])
    allowed, name = _permit(edges, two_way, mode, speed_kmh, file)
    edge_xy = shapely.get_coordinates(shapes[kept])
    sx, sy, metric = to_metres(edge_xy[:, 0], edge_xy[:, 1], source, crs, file=where)
    x, y, metric = to_metres(x, y, source, metric, file=where)
    shapes = shapely.set_coordinates(shapes[kept], np.column_stack([sx, sy]))
    names, code = np.unique(name, return_inverse=True)
    pieces = Pieces(
        x, y, edges.a, edges.b, length[kept], allowed.forward_kmh, allowed.backward_kmh,
        code.astype(np.int32), names.astype(object), allowed.street_class, _elevations(graph),
    )  # fmt: skip
    nodes = [data for _, data in graph.nodes(data=True)]
    shut = bars({name: _texts(nodes, name) for name in NODE_TAGS}, len(nodes), mode)
    pieces, n_barred = cut_at(pieces, shut)
    n_measured = sum(_is_blank(data.get("length")) for data in edges.data)
    counts = {BARRED: n_barred, MEASURED: n_measured}
    pieces = split_edges(pieces, np.where(straight[kept], None, shapes))
    return pieces, metric, {reason: n for reason, n in counts.items() if n}


def _permit(
    edges: _Edges, two_way: np.ndarray, mode: str, speed_kmh: float | None, file: str | None
) -> tuple[Permit, np.ndarray]:
    """Speeds by the access table, and names.

    The direction is the edge's own, not a tag's. Osmnx marks as `reversed` the edge that runs
    against its way, which the tags speak of.
    """
    tags = {name: _texts(edges.data, name) for name in TAGS if name != "junction"}
    tags["oneway"] = np.where(two_way, "no", "yes")
    against = np.isin(_texts(edges.data, "reversed"), ("True", "true", "1"))
    for name in ("oneway:bicycle", "oneway:foot"):
        ahead, back = (np.isin(tags[name], values) for values in (("yes", "1"), ("-1",)))
        tags[name] = np.where(against & ahead, "-1", np.where(against & back, "yes", tags[name]))
    speeds = _texts(edges.data, "speed_kph")  # osmnx.add_edge_speeds
    tags["maxspeed"] = np.where(speeds != "", speeds, tags["maxspeed"])
    allowed = permit(tags, len(edges.a), mode, speed_kmh=speed_kmh, unlisted_open=True)
    require_open(allowed, tags, mode, unlisted_open=True, file=file)
    return allowed, tags["name"]


def _crs_of(graph: nx.Graph, where: str) -> CRS:
    stated = graph.graph.get("crs")
    if stated is None:
        raise CrsError(
            "the graph does not say its CRS. Set it, e.g. `graph.graph['crs'] = 'EPSG:4326'`.",
            file=where,
        )
    try:
        return CRS.from_user_input(stated)
    except UnknownCrsError as error:
        raise CrsError(
            f"the graph's CRS {stated!r} is unknown. Use an EPSG code.", file=where
        ) from error


def _places(graph: nx.Graph, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of all nodes."""
    places = np.empty((graph.number_of_nodes(), 2))
    for i, (node, data) in enumerate(graph.nodes(data=True)):
        try:
            places[i] = float(data["x"]), float(data["y"])
        except (KeyError, TypeError, ValueError):
            places[i] = np.nan
        if not np.isfinite(places[i]).all():
            raise InputError(
                f"node {node!r} has no place: `x` is {data.get('x')!r}, `y` is {data.get('y')!r}. "
                "Give both as numbers.",
                file=where,
            )
    return places[:, 0], places[:, 1]


def _elevations(graph: nx.Graph) -> np.ndarray | None:
    """Metres above the sea of all nodes, NaN where one has none; None if none has."""
    given = [data.get("elevation", data.get("ele")) for _, data in graph.nodes(data=True)]
    if all(_is_blank(value) for value in given):
        return None
    return pd.to_numeric(pd.Series(given, dtype=object), errors="coerce").to_numpy(float)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _pair(edges: _Edges, length: np.ndarray, *, directed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Join the two directions of a street, which a directed graph holds as two equally long edges.

    Returns the edges that stay, and which of them are open both ways.
    """
    if not directed:
        return np.arange(len(edges.a)), np.ones(len(edges.a), dtype=bool)
    two_way = np.zeros(len(edges.a), dtype=bool)
    waiting: dict[tuple[int, int, int], list[int]] = {}
    kept = []
    centimetres = np.rint(length * 100).astype(np.int64).tolist()
    for i, (u, v, size) in enumerate(
        zip(edges.a.tolist(), edges.b.tolist(), centimetres, strict=True)
    ):
        twins = waiting.get((v, u, size))
        if twins:
            two_way[twins.pop()] = True
        else:
            waiting.setdefault((u, v, size), []).append(i)
            kept.append(i)
    return np.array(kept, dtype=np.int64), two_way[kept]


def _texts(data: list[dict[str, Any]], name: str) -> np.ndarray:
    """One attribute of all edges or nodes as text; of a list the first."""
    given = [d.get(name) for d in data]
    plain = {value: first_text(value) for value in given if isinstance(value, str)}
    if not plain and not any(value is not None for value in given):
        return np.zeros(len(given), dtype="<U1")
    return np.array([plain[v] if isinstance(v, str) else first_text(v) for v in given], dtype=str)


def first_text(value: Any) -> str:
    """Return a value as text, of a list (or its `repr`) the first, empty for none.

    Examples
    --------
    >>> first_text("['primary', 'residential']"), first_text(None), first_text(50)
    ('primary', '', '50')
    """
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    if isinstance(value, (list, tuple, np.ndarray)):
        value = value[0] if len(value) else None
    return "" if pd.isna(value) else str(value)


def _shapes(
    edges: _Edges, x: np.ndarray, y: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """LineStrings of all edges in the graph's CRS, and which of them are just straight."""
    ends = np.stack(
        [np.column_stack([x[edges.a], y[edges.a]]), np.column_stack([x[edges.b], y[edges.b]])], 1
    )
    shapes = np.asarray(shapely.linestrings(ends), dtype=object)
    straight = np.ones(len(shapes), dtype=bool)
    for i, data in enumerate(edges.data):
        given = data.get("geometry")
        if _is_blank(given):
            continue
        try:
            shape = shapely.from_wkt(given) if isinstance(given, str) else given
        except shapely.errors.ShapelyError:
            shape = None
        if not isinstance(shape, shapely.LineString) or shape.is_empty:
            raise InputError(
                f"the geometry of edge {i} is no line: {str(given)[:60]!r}. Leave it out for a "
                "straight edge.",
                file=where,
            )
        shapes[i], straight[i] = shapely.force_2d(shape), False
    return shapes, straight


def _lengths(edges: _Edges, shapes: np.ndarray, crs: CRS, where: str) -> np.ndarray:
    """Metres: as given, else measured along the shape."""
    xy, edge = shapely.get_coordinates(shapes, return_index=True)
    at = np.flatnonzero(edge[:-1] == edge[1:])
    step = ground_length(xy[:, 0], xy[:, 1], at, at + 1, crs)
    check_units(xy[:, 0], xy[:, 1], step, crs, file=where)
    length = np.bincount(edge[at], weights=step, minlength=len(shapes))
    for i, data in enumerate(edges.data):
        given = data.get("length")
        if _is_blank(given):
            continue
        try:
            length[i] = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            length[i] = np.nan
        if not (np.isfinite(length[i]) and length[i] >= 0):
            raise InputError(
                f"the length of edge {i} is {given!r}. Give metres as a number.", file=where
            )
    return length
