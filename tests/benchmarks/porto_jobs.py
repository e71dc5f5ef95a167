"""What is timed on a real city, one job a process: ours, and in turn what its peers do.

`python porto_jobs.py streets '{"file": "streets.osm.pbf"}'` prints CPU seconds as JSON. osmnx reads
XML, which `network_peers.py` writes beforehand: without it osmnx is not asked.
"""

import time
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx as ox
import shapely
from clock import take_turns
from made_cities import KMH, make_city
from network_jobs import do_one, network_of, places_of
from network_peers import LIMIT_S, require_equal
from street_points import measure_truth

from planner.network import (
    each_service_area,
    load_streets,
    reach_pairs,
    reach_sums,
    snap_points,
)

LIMIT_MIN = LIMIT_S / 60
_LIMIT_M = LIMIT_S * KMH / 3.6
_BUFFER_M = 25.0
_SCATTER_M = 20.0
_TOWN_M = 2500.0  # of a normal distribution, each way
_ELSEWHERE_M = 50.0  # how much farther a point goes to be on the main part of the network
_EXACT_M = 1e-6
_TRUE_SITES = 100  # areas that are compared with the streets
_METRES_APART = 0.02  # share of street length by which readers of the same file may differ
_BARRED = {
    "highway": {"motorway", "motorway_link", "raceway"},
    "access": {"private", "no"},
    "area": {"yes"},
}


def streets(file, xml=None, repeat=5):
    """From the extract to a network that is ready for walking."""
    calls = {"ours": lambda: load(file)}
    rounds = {"ours": repeat}
    load(file)
    if xml:
        calls["osmnx"] = lambda: ox.graph_from_xml(xml, bidirectional=True)
        rounds["osmnx"] = 2
    seconds, found = take_turns(calls, rounds)
    ours = found["ours"]
    said = {"seconds": seconds, "nodes": ours.n_nodes, "edges": ours.n_edges}
    if xml:
        said["osmnx_nodes"] = len(found["osmnx"])
        metres = ox.convert.to_undirected(walkable(found["osmnx"])).size(weight="length")
        if abs(metres / ours.length_m[ours.main].sum() - 1) > _METRES_APART:
            raise ValueError(f"osmnx reads other streets: {metres:,.0f} m. {said}")
    return said


def walkable(graph):
    """Keep of osmnx's streets, of which it has all, what a walker may use and hangs together."""
    kept = [
        (tail, head, key)
        for tail, head, key, edge in graph.edges(keys=True, data=True)
        if not any(barred & set(np.atleast_1d(edge.get(tag))) for tag, barred in _BARRED.items())
    ]
    return ox.truncate.largest_component(graph.edge_subgraph(kept).copy())


def snapping(file, points, repeat=5):
    """Points on the nearest place of a street, against the nearest of all pieces in a tree."""
    city = load(file)
    table = people_of(city, points)
    first, last = pieces_of(city)
    ends = np.stack([np.column_stack([v[first], v[last]]) for v in (city.vertex_x, city.vertex_y)])
    tree = shapely.STRtree(shapely.linestrings(np.moveaxis(ends, 0, -1)))
    shapes = table.to_numpy()
    snap_points(city, table[:10])
    calls = {
        "ours": lambda: snap_points(city, table),
        "shapely": lambda: tree.query_nearest(shapes, all_matches=False, return_distance=True),
    }
    seconds, found = take_turns(calls, {"ours": repeat, "shapely": 2})
    (_, piece), metres = found["shapely"]
    farther = found["ours"].access_m - metres
    on_main = city.main[np.searchsorted(city.vertex_ptr, first[piece], side="right") - 1]
    allowed = np.where(on_main, 0.0, _ELSEWHERE_M)  # a point by an island may go to the main part
    good = (farther > -_EXACT_M) & (farther < allowed + _EXACT_M)
    require_equal("shapely, snapping", good, np.ones(points, bool))
    return {"seconds": seconds, "pieces": len(first)}


def people(file, sites, people, repeat=5):
    """Everyone within the limit of each site: sums, and all pairs."""
    city = load(file)
    points = people_of(city, sites + people)
    start, crowd = snap_points(city, points[:sites]), snap_points(city, points[sites:])
    one = np.ones(people)

    def sums(threads=1):
        return reach_sums(city, start, crowd, LIMIT_MIN, one, threads=threads)

    calls = {
        "sums": sums,
        "fresh": lambda: reach_sums(city, start, replace(crowd), LIMIT_MIN, one, threads=1),
        "pairs": lambda: reach_pairs(city, start, crowd, LIMIT_MIN, threads=1),
    }
    take_turns(calls, dict.fromkeys(calls, 1))  # compiles
    seconds, found = take_turns(calls, {"sums": repeat, "fresh": repeat, "pairs": 3})
    require_equal("laid out anew", found["fresh"], found["sums"])
    require_equal("sums", np.diff(found["pairs"].indptr), found["sums"].astype(np.int64))
    walls = {threads: min(wall(sums, threads) for _ in range(repeat)) for threads in (1, 2)}
    return {"seconds": seconds, "pairs": len(found["pairs"].ids), "walls": walls}


def wall(call, *arguments):
    """Seconds on the clock."""
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def areas(file, sites, xml=None, nodes=10, repeat=3):
    """The ground within the limit of each site as a polygon, and how true it is to the streets."""
    city = load(file)
    points = people_of(city, sites)
    start, few = snap_points(city, points), snap_points(city, points[:_TRUE_SITES])
    compile_areas()
    making = time.process_time()
    each_service_area(city, start, LIMIT_MIN)  # makes the raster
    making = time.process_time() - making
    calls = {"ours": lambda: each_service_area(city, start, LIMIT_MIN)}
    rounds = {"ours": repeat}
    if xml:
        graph = walkable(ox.graph_from_xml(xml, bidirectional=True))
        graph = ox.project_graph(graph, to_crs=city.crs)
        some = list(graph)[:: len(graph) // nodes][:nodes]
        calls["osmnx"] = lambda: [area_by_buffers(graph, node) for node in some]
        rounds["osmnx"] = 1
    seconds, found = take_turns(calls, rounds)
    said = {"seconds": seconds, "raster": making}
    said["ours"] = measure_truth(city, few, found["ours"], LIMIT_MIN)._asdict()
    if xml:
        x, y = np.array([[graph.nodes[node][axis] for axis in "xy"] for node in some]).T
        at = snap_points(city, gpd.GeoSeries.from_xy(x, y, crs=city.crs))
        said["osmnx"] = measure_truth(city, at, found["osmnx"], LIMIT_MIN)._asdict()
    return said


def compile_areas():
    """Draw an area of a made city."""
    city = make_city(8, sources=1, stations=1)
    streets = network_of(city)
    each_service_area(streets, places_of(streets, city, city.stations), LIMIT_MIN)


def area_by_buffers(graph, node):
    """Make an area as the gallery of osmnx does: what a walk reaches, its edges made broad."""
    part = nx.ego_graph(graph, node, radius=_LIMIT_M, distance="length")
    places = {name: shapely.Point(at["x"], at["y"]) for name, at in part.nodes(data=True)}
    lines = [
        shape or shapely.LineString([places[tail], places[head]])
        for tail, head, shape in part.edges(data="geometry")
    ]
    return shapely.union_all(shapely.buffer([*lines, *places.values()], _BUFFER_M))


def load(file):
    """Read the streets for walking, as fast as the reference figures have it."""
    return load_streets(file, mode="walk", speed_kmh=KMH)


def people_of(city, count, seed=3):
    """Draw points beside streets, denser toward the middle: 5 of 100 pairs are a walk apart."""
    rng = np.random.default_rng(seed)
    first, last = pieces_of(city)
    x, y = city.vertex_x[first], city.vertex_y[first]
    near = np.exp(-0.5 * ((x - np.median(x)) ** 2 + (y - np.median(y)) ** 2) / _TOWN_M**2)
    piece = rng.choice(len(first), count, p=near / near.sum())
    share = rng.random(count)
    x, y = (
        v[first[piece]]
        + share * (v[last[piece]] - v[first[piece]])
        + rng.normal(0, _SCATTER_M, count)
        for v in (city.vertex_x, city.vertex_y)
    )
    return gpd.GeoSeries.from_xy(x, y, crs=city.crs)


def pieces_of(city):
    """Return the first and last vertex of every straight piece of a street."""
    inner = np.ones(len(city.vertex_x), dtype=bool)
    inner[city.vertex_ptr[1:] - 1] = False
    first = np.flatnonzero(inner)
    return first, first + 1


JOBS = {"streets": streets, "snapping": snapping, "people": people, "areas": areas}


if __name__ == "__main__":
    do_one(JOBS, __doc__)
