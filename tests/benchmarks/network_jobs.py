"""What is timed on made cities, one job a process: ours, and in turn what its peers do.

`python network_jobs.py reach '{"city": "city.npz", "out": "reach.npz"}'` prints CPU seconds as
JSON. A job raises if a peer finds something else: no wrong answer is timed. The peers here are
dependencies of the planner itself; what else is compared runs in `network_peers.py`.
"""

import argparse
import json
import sys
from dataclasses import replace
from functools import partial

import geopandas as gpd
import networkx as nx
import numpy as np
from clock import peak_bytes, take_turns
from made_cities import CRS, KMH, load_city
from network_peers import LIMIT_S, require_equal
from scipy.sparse.csgraph import dijkstra

from planner.network import (
    Places,
    StreetNetwork,
    nearest_minutes,
    reach_pairs,
    snap_points,
)

LIMIT_MIN = LIMIT_S / 60
LIMIT_MS = int(1000 * LIMIT_S)
_FAR_MIN = 240.0  # from everywhere in a made city there is a station within four hours
_MS_PER_MIN = 60_000


def reach(city, out, rows=400, repeat=5):
    """All vertices within the limit of each source; peers for some of the sources.

    Peers are asked for `rows` sources, scipy for a twentieth of them; what they find is compared.
    """
    city = load_city(city)
    streets = network_of(city)
    vertices, sources = places_of(streets, city), places_of(streets, city, city.sources)
    find = partial(reach_pairs, streets, sources, threads=1)
    many = city.sources[:rows].tolist()
    few = many[: -(-rows // 20)]
    graph = city.graph()
    web = nx.Graph()
    web.add_weighted_edges_from(np.column_stack([city.tail, city.head, city.ms]).tolist())
    cutoff = partial(nx.single_source_dijkstra_path_length, web, cutoff=LIMIT_MS)
    ego = partial(nx.ego_graph, web, radius=LIMIT_MS, distance="weight")
    find(vertices, 1.0)
    calls = {
        "ours": lambda: find(vertices, LIMIT_MIN),
        "fresh": lambda: find(replace(vertices), LIMIT_MIN),  # laid out along the streets anew
        "scipy": lambda: dijkstra(graph, indices=few, limit=LIMIT_MS),
        "networkx": lambda: [cutoff(source) for source in many],
        "ego_graph": lambda: [ego(source) for source in many],
    }
    seconds, found = take_turns(
        calls, {"ours": repeat, "fresh": repeat, "scipy": 3, "networkx": 2, "ego_graph": 1}
    )
    pairs = found["ours"]
    require_equal("laid out anew", found["fresh"].indptr, pairs.indptr)
    for row, cost in enumerate(found["scipy"]):
        within = np.flatnonzero(np.isfinite(cost))
        check_row("scipy", pairs, row, within, cost[within])
    for row, cost in enumerate(found["networkx"]):
        check_row("networkx", pairs, row, list(cost), list(cost.values()))
    for row, part in enumerate(found["ego_graph"]):
        check_row("ego_graph", pairs, row, list(part))
    row = np.repeat(np.arange(len(city.sources)), np.diff(pairs.indptr))
    np.savez(out, indptr=pairs.indptr, ids=pairs.ids[np.lexsort((pairs.ids, row))])
    return {
        "seconds": seconds,
        "rows": {"scipy": len(few), "networkx": rows, "ego_graph": rows},
        "pairs": len(pairs.ids),
        "bytes": sum(array.nbytes for array in (pairs.indptr, pairs.ids, pairs.times)),
    }


def check_row(peer, pairs, row, vertices, cost_ms=None):
    """Raise unless a peer found the same vertices from a source, at the same times to a tick."""
    mine = slice(pairs.indptr[row], pairs.indptr[row + 1])
    order, theirs = np.argsort(pairs.ids[mine]), np.argsort(vertices)
    require_equal(peer, np.asarray(vertices)[theirs], pairs.ids[mine][order])
    if cost_ms is not None:
        off = pairs.times[mine][order] * float(pairs.tick_ms) - np.asarray(cost_ms)[theirs]
        require_equal(f"{peer}, times", np.abs(off) <= pairs.tick_ms / 2, np.ones(len(off), bool))


def nearest(city, out, repeat=9):
    """The nearest station of every vertex, with its label."""
    city = load_city(city)
    streets = network_of(city)
    vertices, stations = places_of(streets, city), places_of(streets, city, city.stations)
    graph = city.graph()

    def scipy():
        return dijkstra(graph, indices=city.stations, min_only=True, return_predecessors=True)

    one = places_of(streets, city, city.sources[:1])
    calls = {  # one place asks for what the junctions of the whole city need, and no more
        "junctions": lambda: nearest_minutes(streets, one, stations, max_min=_FAR_MIN),
        "vertices": lambda: nearest_minutes(streets, vertices, stations, max_min=_FAR_MIN),
        "scipy": scipy,
    }
    take_turns(calls, {"junctions": 1, "vertices": 1, "scipy": 0})  # compiles
    seconds, found = take_turns(calls, {"junctions": repeat, "vertices": repeat, "scipy": 3})
    minutes, position = found["vertices"]
    cost, _, label = found["scipy"]
    cost_ms = np.rint(minutes * _MS_PER_MIN).astype(np.int64)
    require_equal("scipy, nearest", np.rint(cost).astype(np.int64), cost_ms)
    other = city.stations[position] != label
    if other.mean() > 0.01:  # of stations equally far each of us may take another
        raise ValueError(f"scipy, labels: {other.mean():.1%} are other stations")
    require_equal("one place", found["junctions"][0], minutes[city.sources[:1]])
    np.savez(out, ms=cost_ms)
    return {"seconds": seconds, "junctions": streets.n_nodes, "vertices": len(vertices)}


def memory(city, seed=5):
    """Most memory above imports and the city itself: built; searched from all stations; indexed."""
    city = load_city(city)
    bare = peak_bytes()
    streets = network_of(city)
    built = peak_bytes()
    worlds = (streets.inbound, streets.outbound)
    rng = np.random.default_rng(seed)
    stations, people = (
        at_tails(streets, rng.integers(0, streets.n_edges, len(at)))
        for at in (city.stations, city.sources)
    )
    minutes, _ = nearest_minutes(streets, people, stations, max_min=_FAR_MIN)
    require_equal("nearest", np.isfinite(minutes), np.ones(len(people), bool))
    searched = peak_bytes()
    held = [array for part in (vars(streets).values(), *worlds) for array in part]
    places_of(streets, city, city.stations)
    return {
        "built": built - bare,
        "searched": searched - bare,
        "indexed": peak_bytes() - bare,
        "held": sum({id(a): a.nbytes for a in held if isinstance(a, np.ndarray)}.values()),
        "nodes": len(city.x),
    }


def at_tails(streets, chain):
    """Put places where chains begin."""
    tail = streets.tail[chain]
    nought = np.zeros(len(chain))
    return Places(
        chain=chain.astype(np.int32), share=nought, access_m=nought,
        x=streets.x[tail], y=streets.y[tail], key=streets.key,
    )  # fmt: skip


def network_of(city):
    """Make our network of a made city."""
    return StreetNetwork.from_arrays(
        city.x, city.y, city.tail, city.head, city.length_m, crs=CRS, speed_kmh=KMH
    )


def places_of(streets, city, vertices=slice(None)):
    """Put vertices of a made city on its streets."""
    points = gpd.GeoSeries.from_xy(city.x[vertices], city.y[vertices], crs=CRS)
    return snap_points(streets, points, max_m=1.0)


JOBS = {"reach": reach, "nearest": nearest, "memory": memory}


def do_one(jobs, about):
    """Do the job that the command line names."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("job", choices=jobs)
    parser.add_argument("options", type=json.loads, help="keyword arguments as JSON")
    asked = parser.parse_args()
    json.dump(jobs[asked.job](**asked.options), sys.stdout)


if __name__ == "__main__":
    do_one(JOBS, __doc__)
