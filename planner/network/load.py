"""`load_streets`: one door for every source of streets."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeGuard

from planner.errors import InputError, MissingFileError
from planner.network.access import check_mode, check_speed
from planner.network.assemble import BARRED
from planner.network.graph import MEASURED, read_graph, read_graphml
from planner.network.slope import FLAT, climb
from planner.network.store import SUFFIX, read_asked
from planner.network.streets import StreetNetwork, check_delay, network_from_pieces
from planner.settings import SPEED_KMH

if TYPE_CHECKING:
    import geopandas as gpd
    import networkx as nx
    from pyproj import CRS

    from planner.network.assemble import Pieces

REMARKS = (BARRED, MEASURED, FLAT)  # counted in `StreetNetwork.dropped`, but no row was lost

_log = logging.getLogger(__name__)

_OSM_SUFFIXES = (".osm", ".pbf", ".osm.gz", ".osm.bz2", ".osm.xml", ".graphml")


def load_streets(
    path_or_graph: Path | str | nx.Graph | gpd.GeoDataFrame,
    *,
    mode: str = "walk",
    speed_kmh: float | None = None,
    crs: Any = None,
    elevation: Path | str | None = None,
    junction_s: float = 0.0,
) -> StreetNetwork:
    """Read the streets that a mode may use.

    Parameters
    ----------
    path_or_graph
        An OpenStreetMap extract (``.osm.pbf``, ``.osm``), a ``.graphml`` file, any layer of lines
        (``.gpkg``, ``.shp``, ``.geojson``, ``.parquet``, …), a network that `save_streets` wrote
        (``.npz``); or a networkx graph as osmnx makes them, or a GeoDataFrame of lines.
    mode
        walk, ebike or drive; who may use what is in `planner.network.access`.
    speed_kmh
        One speed for every street; by default 4 on foot, 15 by e-bike, and by car what the street's
        class or `maxspeed` says.
    crs
        The CRS of the result, in metres, usually that of the area; by default the source's own if
        it is in metres, else its UTM zone.
    elevation
        Heights by which walking is slower uphill and quicker gently downhill (Tobler 1993): a
        raster file (DEM, read with rasterio), or ``"source"`` for those of the street source:
        `elevation` or `ele` of a graph's nodes, Z of a layer's lines. By default all is flat, as it
        always is by e-bike and by car.
    junction_s
        Seconds lost at every junction that a path passes, 0–600; see `StreetNetwork`. A saved
        network keeps its own unless another is asked for.

    Returns
    -------
    StreetNetwork
        What could not be used is counted in its `dropped`, and what had to be made up (`REMARKS`).

    Raises
    ------
    MissingFileError
        There is no such file.
    InputError
        The file cannot be read, or holds no street that is open to the mode; a saved network is
        for another mode, speed or CRS.
    CrsError
        The source does not say its CRS, or `crs` is not in metres.
    SettingsError
        Unknown mode, or a speed that is not positive.
    """
    started = perf_counter()
    check_mode(mode)
    check_speed(speed_kmh)
    check_delay(junction_s)
    if _is_saved(path_or_graph):
        saved = read_asked(
            Path(path_or_graph), mode=mode, speed_kmh=speed_kmh, crs=crs, elevation=elevation
        )
        return replace(saved, junction_s=junction_s) if junction_s else saved
    pieces, metric, dropped, file = _read(path_or_graph, mode, speed_kmh, crs)
    if elevation is not None and mode == "walk":
        pieces, n_flat = climb(pieces, elevation, metric, file=file)
        dropped |= {FLAT: n_flat} if n_flat else {}
    speed = speed_kmh or (SPEED_KMH[mode] if mode != "drive" else None)
    network = network_from_pieces(
        pieces, crs=metric, mode=mode, speed_kmh=speed, junction_s=junction_s, dropped=dropped,
        file=file,
    )  # fmt: skip
    streets = replace(network, credit=_credit(path_or_graph))
    _log.info(
        "streets: %d pieces → %d junctions, %d streets, %d components, %.1f s",
        len(pieces.a),
        streets.n_nodes,
        streets.n_edges,
        streets.n_components,
        perf_counter() - started,
    )
    return streets


def _read(
    source: Any, mode: str, speed_kmh: float | None, crs: Any
) -> tuple[Pieces, CRS, dict[str, int], str | None]:
    """Read any source: pieces, their CRS, what was left out, the file's name for messages."""
    from planner.network.lines import read_layer, read_lines

    if hasattr(source, "nodes") and hasattr(source, "edges"):
        return *read_graph(source, mode=mode, speed_kmh=speed_kmh, crs=crs), None
    if hasattr(source, "geometry") and hasattr(source, "crs"):
        return *read_lines(source, mode=mode, speed_kmh=speed_kmh, crs=crs), None
    if not isinstance(source, (str, Path)):
        raise InputError(
            f"streets come from a file, a networkx graph or a GeoDataFrame. Got "
            f"{type(source).__name__}. Pass the path of a file."
        )
    file = Path(source)
    if not file.exists():
        raise MissingFileError("no such file. Check `streets.file`.", file=file)
    kind = file.name.lower()
    if kind.endswith((".pbf", ".osm")):
        from planner.network.osm import read_osm

        return *read_osm(file, mode=mode, speed_kmh=speed_kmh, crs=crs), str(file)
    if kind.endswith(".graphml"):
        graph = read_graphml(file)
        return (
            *read_graph(graph, mode=mode, speed_kmh=speed_kmh, crs=crs, file=str(file)),
            str(file),
        )
    layer = read_layer(file)
    return *read_lines(layer, mode=mode, speed_kmh=speed_kmh, crs=crs, file=str(file)), str(file)


def _is_saved(source: object) -> TypeGuard[Path | str]:
    return isinstance(source, Path | str) and Path(source).suffix.lower() == SUFFIX


def _credit(source: object) -> str:
    """Say whom streets are owed to: files of OpenStreetMap and osmnx name their source."""
    known = isinstance(source, Path | str) and str(source).lower().endswith(_OSM_SUFFIXES)
    return "© OpenStreetMap contributors" if known else ""
