"""Streets of a place or box from OpenStreetMap's servers, through osmnx, into one GraphML file."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from planner.errors import InputError, SettingsError
from planner.geo import WGS84, utm_crs
from planner.network.access import NODE_TAGS, ROADS, TAGS, check_mode, check_speed, one_way
from planner.network.frame import ground_length
from planner.progress import OnStage, Stages
from planner.settings import SPEED_KMH

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import networkx as nx

    Box = tuple[float, float, float, float]

NOMINATIM = "https://nominatim.openstreetmap.org/"
OVERPASS = "https://overpass-api.de/api"
_SUFFIX = ".graphml"
_PATIENCE_S = 20


def fetch_streets(
    where: str | Box | gpd.GeoDataFrame,
    file: Path | str,
    *,
    margin_m: float | None = None,
    margin_min: float = 15.0,
    mode: str = "walk",
    speed_kmh: float | None = None,
    nominatim_url: str = NOMINATIM,
    overpass_url: str = OVERPASS,
    on_stage: OnStage | None = None,
) -> Path:
    """Download all streets of an area and its surroundings; the file serves every mode.

    Parameters
    ----------
    where
        A place's name that Nominatim knows as an area (``"赣州市章贡区"``), a box (west, south,
        east, north) in degrees of WGS 84, or polygons with a CRS.
    file
        Where to, ending in ``.graphml``; it replaces what stood there once it is whole.
    margin_m
        Metres around the area whose streets come along, so that ways out of it and back are known;
        by default how far one gets within `margin_min`.
    margin_min, mode, speed_kmh
        Minutes, at least the study's limit, and how they are travelled: walk 4, ebike 15, drive 30
        km/h unless said otherwise.
    nominatim_url, overpass_url
        The servers, or mirrors of them.
    on_stage
        Called before and after every step, for progress.

    Returns
    -------
    The path.

    Raises
    ------
    InputError
        No such place, no streets there, or a server that cannot be reached or refuses.
    SettingsError
        A box, margin, mode or file name that cannot be.

    Notes
    -----
    Kept are all ways of the access table with the tags that it reads, barriers on nodes, and
    geodesic lengths. Data © OpenStreetMap contributors, ODbL 1.0.
    """
    file = Path(file)
    if file.suffix.lower() != _SUFFIX:
        raise SettingsError(f"Fetched streets must end in `{_SUFFIX}`. Got `{file.name}`.")
    margin = _margin(margin_m, margin_min, mode, speed_kmh)
    stage = Stages(on_stage)
    with _osmnx(nominatim_url, overpass_url) as ox:
        if isinstance(where, str):
            where = stage("place", _find, ox, where, nominatim_url)
        area = _widened(_polygon(where), margin)
        graph = stage("download", _download, ox, area, overpass_url)
        graph = stage("junctions", _simplify, ox, graph)
        fresh = file.with_name(f".{file.name}.new")  # osmnx makes the folder
        try:
            ox.save_graphml(graph, fresh)
            return fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)


def _margin(margin_m: float | None, margin_min: float, mode: str, speed_kmh: float | None) -> float:
    """Return the metres around the area."""
    check_mode(mode)
    check_speed(speed_kmh)
    if margin_m is None:
        margin_m = margin_min * (speed_kmh or SPEED_KMH[mode]) * 1000 / 60
    if not 0 <= margin_m <= 100_000:
        raise SettingsError(
            f"The margin must be between 0 and 100,000 m. Got {margin_m:,.0f} m. Ask for fewer "
            "minutes or metres."
        )
    return margin_m


@contextmanager
def _osmnx(nominatim_url: str, overpass_url: str) -> Iterator[Any]:
    """Lend osmnx with the settings of this download; all is as it was afterwards.

    Nothing is cached in the working folder, and nobody else is asked for addresses.
    """
    import osmnx as ox

    ours = {
        "useful_tags_way": list(TAGS), "useful_tags_node": list(NODE_TAGS), "all_oneway": True,
        "use_cache": False, "cache_only_mode": False, "default_crs": WGS84, "log_console": False,
        "log_file": False, "doh_url_template": None, "nominatim_url": nominatim_url,
        "overpass_url": overpass_url,
    }  # fmt: skip
    before = {name: getattr(ox.settings, name) for name in ours}
    resolve = socket.getaddrinfo  # osmnx pins the server's address for good
    try:
        for name, value in ours.items():
            setattr(ox.settings, name, value)
        yield ox
    finally:
        socket.getaddrinfo = resolve
        for name, value in before.items():
            setattr(ox.settings, name, value)


def _find(ox: Any, place: str, server: str) -> gpd.GeoDataFrame:
    """Return the polygon of a named place."""
    _greet(server)
    try:
        return ox.geocode_to_gdf(place)
    except OSError as error:  # requests' errors are
        raise _unreachable(server, error) from error
    except (ValueError, TypeError) as error:
        raise InputError(
            f"OpenStreetMap knows no area named `{place}`. Write it as on the map with its city or "
            "country, or give a box of west, south, east, north."
        ) from error


def _polygon(where: Any) -> shapely.Geometry:
    """Return a box or polygons as one shape in degrees."""
    if hasattr(where, "geometry"):
        if where.crs is None:
            raise InputError("the area has no CRS. Set it, e.g. `area.set_crs('EPSG:4326')`.")
        return where.to_crs(WGS84).geometry.union_all()
    west, south, east, north = (float(v) for v in where)
    if not (-180 <= west < east <= 180 and -85 <= south < north <= 85):
        raise SettingsError(
            f"The box must be west, south, east, north in degrees. Got {west:g}, {south:g}, "
            f"{east:g}, {north:g}. West is the smaller longitude, south the smaller latitude."
        )
    return shapely.box(west, south, east, north)


def _widened(area: shapely.Geometry, margin_m: float) -> shapely.Geometry:
    """Return the area and so many metres around it, in degrees."""
    import geopandas as gpd

    middle = area.centroid
    shape = gpd.GeoSeries([area], crs=WGS84).to_crs(utm_crs(middle.x, middle.y))
    return shape.buffer(margin_m).to_crs(WGS84).iloc[0]


def _download(ox: Any, area: shapely.Geometry, server: str) -> nx.MultiDiGraph:
    """Return all streets inside, an edge each way, every vertex a node."""
    _greet(server)
    try:
        graph = ox.graph_from_polygon(
            area, simplify=False, retain_all=True, truncate_by_edge=True,
            custom_filter=f'["highway"~"^({"|".join(ROADS)})$"]',
        )  # fmt: skip
    except OSError as error:
        raise _unreachable(server, error) from error
    except ValueError as error:
        raise InputError(
            f"no streets came back: {str(error)[:200].rstrip('.')}. Check the place or box, or ask "
            "again later: the server may be busy."
        ) from error
    if not graph.edges:
        raise InputError("no streets lie there. Check the place or box, or widen the margin.")
    _open_back(graph)
    _measure(graph)
    return graph


def _greet(server: str) -> None:
    """Ask whether a server is there; osmnx would wait for minutes before it finds out."""
    if not server.startswith(("http://", "https://")):
        raise SettingsError(f"The server must be an address with http. Got {server!r}.")
    try:
        urllib.request.urlopen(f"{server.rstrip('/')}/status", timeout=_PATIENCE_S).close()  # noqa: S310
    except urllib.error.HTTPError:
        return  # it is there; not every mirror tells its status
    except OSError as error:
        raise _unreachable(server, error) from error


def _unreachable(server: str, error: OSError) -> InputError:
    reason = str(getattr(error, "reason", error)).split("(Caused by")[0]
    return InputError(
        f"{server} cannot be reached: {reason[:120].strip(' (')}. Check the network or proxy, name "
        "another server, or use a file from download.geofabrik.de."
    )


def _open_back(graph: nx.MultiDiGraph) -> None:
    """Add the other direction of what is not one-way to cars, as the access table has it."""
    edges = list(graph.edges(data=True))
    tags = {
        name: np.array([str(data.get(name, "")) for *_, data in edges], dtype=str)
        for name in ("highway", "junction", "oneway")
    }
    forward, backward = one_way(tags, len(edges), "drive")
    for (u, v, data), ahead, back in zip(edges, forward.tolist(), backward.tolist(), strict=True):
        data["oneway"], data["reversed"] = ahead or back, back
        if not data["oneway"]:
            graph.add_edge(v, u, **data | {"reversed": True})


def _measure(graph: nx.MultiDiGraph) -> None:
    """Put geodesic lengths where osmnx measures on a sphere."""
    number = {node: i for i, node in enumerate(graph)}
    x, y = (np.array([data[axis] for _, data in graph.nodes(data=True)]) for axis in ("x", "y"))
    a, b = (np.array([number[edge[end]] for edge in graph.edges], dtype=int) for end in (0, 1))
    metres = ground_length(x, y, a, b, CRS.from_user_input(WGS84))
    for (*_, data), length in zip(graph.edges(data=True), metres.tolist(), strict=True):
        data["length"] = length


def _simplify(ox: Any, graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    """Join edges where nothing but the direction changes."""
    alike = [name for name in TAGS if name != "area"]
    return ox.simplify_graph(
        graph, node_attrs_include=["barrier"], edge_attrs_differ=alike, remove_rings=False
    )
