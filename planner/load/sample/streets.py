"""The streets of the sample city as a network: main roads, lanes, bridges, expressway."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planner.load.sample.arterials import (
    ARTERIALS,
    FOOTBRIDGE,
    INTERCHANGES,
    QUARTERS,
    block_size,
)
from planner.load.sample.blocks import Block, Cut, district_of, part_blocks
from planner.load.sample.chains import RANK, Piece, ends, join_chains, merge_close, prune
from planner.load.sample.ground import Ground, smooth
from planner.load.sample.names import Names

FRONTAGE = "虔南高速辅路"
_GRID_M = 1.0  # crossings are found on a grid of one metre
_ONEWAY_SHARE = 0.3  # of the old town's lanes


class Source(NamedTuple):
    """A line that streets are made from, before it is cut at crossings."""

    line: shapely.LineString
    name: str
    highway: str


class Streets(NamedTuple):
    """The network: pieces between junctions, and the blocks they enclose."""

    pieces: list[Piece]
    oneway: np.ndarray  # (n,) bool, along the piece
    blocks: list[Block]
    bridges: list[Piece]


def make_streets(ground: Ground, rng: np.random.Generator) -> Streets:
    """Lay out all streets; everything is connected on foot and by e-bike."""
    names = Names(rng)
    main = _main_roads(ground)
    faces = _faces(ground, main)
    cuts, blocks = part_blocks(faces, ground, rng)
    sources = [*main, *_waterside(ground), *_named(cuts, names)]
    pieces = _cut_at_crossings(sources)
    pieces = join_chains(_largest(prune(merge_close(pieces), ground.area)))
    pieces += _expressway(ground, pieces)
    channel = ground.river.buffer(-25)
    over = [shapely.LineString(p.xy).intersects(channel) for p in pieces]
    bridges = [p for p, b in zip(pieces, over, strict=True) if b]
    return Streets(pieces, _oneway(pieces, ground, rng), blocks, bridges)


def _main_roads(ground: Ground) -> list[Source]:
    """Return main roads, cut where they may not cross water or the expressway."""
    roads = []
    for road in (*ARTERIALS, FOOTBRIDGE):
        where = ground.area if road.crosses else ground.land
        line = smooth(road.points).intersection(where)
        dry = line.difference(ground.lakes.buffer(25))
        roads += [
            Source(part.simplify(1.5), road.name, road.highway)
            for part in shapely.get_parts(dry)
            if part.geom_type == "LineString" and part.length > 60
        ]
    return roads


def _faces(ground: Ground, main: list[Source]) -> list[shapely.Polygon]:
    """Return land between main roads, from west to east."""
    lines = [s.line for s in main] + [p.boundary for p in ground.land.geoms]
    noded = shapely.union_all(lines, grid_size=_GRID_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = ground.land.buffer(1.5)
    shapely.prepare(inside)
    faces = [f for f in faces if f.area > 2000 and inside.contains(f.representative_point())]
    return sorted(faces, key=lambda f: f.bounds)


def _waterside(ground: Ground) -> list[Source]:
    """Return embankment roads in town, paths where few live, nothing in the fields."""
    sources = []
    for land in ground.land.geoms:
        for ring in (land.exterior, *land.interiors):
            shore = ring.difference(ground.area.exterior.buffer(25)).simplify(1.5)
            for part in shapely.get_parts(shapely.line_merge(shore)):
                marks = np.linspace(0, 1, max(1, round(part.length / 150)) + 1)
                for a, b in pairwise(marks.tolist()):
                    line = shapely.ops.substring(part, a, b, normalized=True)
                    sources += _shore(line, ground)
    return sources


def _shore(line: shapely.LineString, ground: Ground) -> list[Source]:
    """Return what a stretch of shore is built as, if anything."""
    at = line.interpolate(0.5, normalized=True)
    district = district_of(at, ground)
    size = block_size(at.x, at.y, QUARTERS[district])[1]
    if ground.expressway.distance(at) < 70:
        return [Source(line, FRONTAGE, "tertiary")]
    if ground.lakes.distance(at) < 60:
        return [Source(line, "湖滨步道", "footway")]
    if size < 60_000:
        side = {"水西区": "江北", "水东区": "江东", "东江新城": "江东"}.get(district, "")
        return [Source(line, f"{side}滨江路", "tertiary")]
    return [Source(line, "虔江绿道", "path")] if size < 250_000 else []


def _named(cuts: list[Cut], names: Names) -> list[Source]:
    return [Source(c.line, names.street(c.district, c.highway, c.lattice), c.highway) for c in cuts]


def _cut_at_crossings(sources: list[Source]) -> list[Piece]:
    """Cut all lines where they meet; each piece takes the highest rank of the lines it lies on."""
    noded = shapely.union_all([s.line for s in sources], grid_size=_GRID_M)
    lines = shapely.get_parts(noded)
    lines = lines[np.lexsort((*shapely.bounds(lines).T, shapely.length(lines)))]
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    tree = shapely.STRtree([s.line for s in sources])
    piece, source = tree.query(middle, predicate="dwithin", distance=2.5)
    rank = np.array([RANK[s.highway] for s in sources])[source]
    gap = shapely.distance(middle[piece], np.array([s.line for s in sources])[source])
    order = np.lexsort((source, gap, -rank, piece))
    first = order[np.unique(piece[order], return_index=True)[1]]
    owner = dict(zip(piece[first].tolist(), source[first].tolist(), strict=True))
    return [
        Piece(shapely.get_coordinates(line), sources[owner[i]].name, sources[owner[i]].highway)
        for i, line in enumerate(lines)
        if i in owner
    ]


def _largest(pieces: list[Piece]) -> list[Piece]:
    nodes, a, b = ends(pieces)
    graph = coo_array((np.ones(len(a)), (a, b)), (len(nodes), len(nodes)))
    label = connected_components(graph, directed=False)[1]
    best = np.bincount(label[a]).argmax()
    return [p for p, k in zip(pieces, label[a], strict=True) if k == best]


def _expressway(ground: Ground, pieces: list[Piece]) -> list[Piece]:
    """Return the expressway, passing over the streets, and its ramps to the frontage roads."""
    line, links, gates = ground.expressway, [], []
    nodes = ends([p for p in pieces if p.name == FRONTAGE])[0]
    for name in INTERCHANGES:
        road = smooth(next(r.points for r in ARTERIALS if r.name == name))
        cross = line.project(shapely.get_parts(line.intersection(road))[0])
        for side in (-1, 1):
            gate = np.round(shapely.get_coordinates(line.interpolate(cross + side * 420))[0])
            foot = np.array(line.interpolate(cross + side * 120).coords[0])
            near = nodes[np.argsort(np.hypot(*(nodes - foot).T), kind="stable")]
            for bank in (-1, 1):
                ahead = np.array(line.interpolate(cross + side * 421).coords[0]) - gate
                turn = near - gate
                left = np.sign(turn[:, 1] * ahead[0] - turn[:, 0] * ahead[1])
                target = near[left == bank][0]
                links.append(Piece(np.array([gate, target]), "虔南高速匝道", "motorway_link"))
            gates.append(gate)
    vertices = shapely.get_coordinates(line.simplify(2))
    places = [(line.project(shapely.Point(v)), tuple(np.round(v))) for v in vertices]
    places += [(line.project(shapely.Point(g)), tuple(g)) for g in gates]
    xy = np.array([at for _, at in sorted(places)])
    stops = [0, *(int(np.flatnonzero((xy == g).all(axis=1))[0]) for g in gates), len(xy) - 1]
    stops = sorted(set(stops))
    road = [Piece(xy[a : b + 1], "虔南高速", "motorway") for a, b in pairwise(stops)]
    return road + links


def _oneway(pieces: list[Piece], ground: Ground, rng: np.random.Generator) -> np.ndarray:
    """Choose lanes of the old town that are one way, so that every place stays reachable."""
    old = ground.districts["古城区"]
    middle = shapely.points([p.xy.mean(axis=0) for p in pieces])
    lanes = np.array([p.highway in {"residential", "living_street"} for p in pieces])
    chosen = lanes & shapely.contains(old, middle) & (rng.random(len(pieces)) < _ONEWAY_SHARE)
    chosen |= np.array([p.highway == "motorway_link" for p in pieces])
    nodes, a, b = ends(pieces)
    car = np.array([p.highway.startswith("motorway") for p in pieces])
    while True:
        both = ~chosen & ~car
        tail = np.concatenate([a[~car], b[both]])
        head = np.concatenate([b[~car], a[both]])
        graph = coo_array((np.ones(len(tail)), (tail, head)), (len(nodes), len(nodes)))
        label = connected_components(graph, directed=True, connection="strong")[1]
        apart = chosen & ~car & (label[a] != label[b])
        if not apart.any():
            return chosen
        chosen &= ~apart
