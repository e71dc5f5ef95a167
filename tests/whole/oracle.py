"""Covered share computed another way: networkx on streets split at every door, no planner code."""

import networkx as nx
import numpy as np
import pyogrio
import shapely

WALK_M_PER_MIN = 4000 / 60
NOT_ON_FOOT = {
    *("motorway", "motorway_link", "construction", "proposed", "raceway", "bus_guideway"),
    *("corridor", "elevator", "platform", "abandoned", "razed", "no"),
}


def read_walkable_lines(pbf, crs):
    """OSM ways that may be walked, as lines in a metric CRS."""
    ways = pyogrio.read_dataframe(pbf, layer="lines")
    ways = ways[ways.highway.notna() & ~ways.highway.isin(NOT_ON_FOOT)]
    tags = ways.other_tags.fillna("")
    closed = tags.str.contains(r'"(?:foot|access)"=>"(?:no|private)"')
    open_ = tags.str.contains(r'"foot"=>"(?:yes|designated|permissive)"')
    return ways[~closed | open_].to_crs(crs).geometry.values


def covered_share(lines, demand, stations, limit_min=15.0):
    """Weight within `limit_min` of any station over all weight, on foot along `lines`."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    step = np.flatnonzero(line[:-1] == line[1:])
    key = [tuple(p) for p in np.round(xy, 2)]
    graph = nx.Graph()
    for i in step:
        if key[i] != key[i + 1]:
            graph.add_edge(key[i], key[i + 1], m=float(np.hypot(*(xy[i + 1] - xy[i]))))
    main = max(nx.connected_components(graph), key=len)
    step = [i for i in step if key[i] in main and key[i] != key[i + 1]]
    segments = shapely.linestrings([[key[i], key[i + 1]] for i in step])
    tree = shapely.STRtree(segments)

    def doors(points, label):
        """Tie each point to both ends of its nearest segment, through the foot of its leg."""
        for k, (point, s) in enumerate(zip(points, tree.nearest(points), strict=True)):
            along = segments[s].project(point)
            leg = point.distance(segments[s])
            ends = segments[s].coords
            name = (label, k)
            for end, way in ((ends[0], along), (ends[-1], segments[s].length - along)):
                end_ = tuple(end)
                graph.add_edge(name, end_, m=leg + way)
            yield name, s, along, leg

    stands = list(doors(stations, "station"))
    people = list(doors(demand.geometry.values, "demand"))
    on_segment = {}
    for _, s, along, leg in stands:
        on_segment.setdefault(s, []).append((along, leg))
    limit_m = limit_min * WALK_M_PER_MIN
    reached = nx.multi_source_dijkstra_path_length(
        graph, {name for name, *_ in stands}, cutoff=limit_m, weight="m"
    )
    weight = demand["weight_per_day"].to_numpy()
    covered = [
        name in reached
        or any(abs(along - a) + leg + b <= limit_m for a, b in on_segment.get(s, []))
        for name, s, along, leg in people
    ]
    return float(weight[np.array(covered)].sum() / weight.sum())
