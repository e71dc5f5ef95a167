"""Streets from files: OSM, GraphML, graphs, line layers; and what happens to bad ones."""

import json

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from planner.errors import CrsError, InputError, MissingFileError, SettingsError
from planner.network import load_streets
from planner.network.streets import CLOSED

UTM = "EPSG:32650"
LINE = shapely.LineString

OSM = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6" generator="hand">
{nodes}
{ways}
</osm>
"""


def write_osm(path, nodes, ways):
    """`nodes`: {id: (lon, lat)}; `ways`: [(node ids, tags)]."""
    points = "\n".join(f'<node id="{i}" lon="{x}" lat="{y}"/>' for i, (x, y) in nodes.items())
    lines = "\n".join(
        f'<way id="{k + 1}">'
        + "".join(f'<nd ref="{i}"/>' for i in ids)
        + "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        + "</way>"
        for k, (ids, tags) in enumerate(ways)
    )
    path.write_text(OSM.format(nodes=points, ways=lines), encoding="utf-8")
    return path


@pytest.fixture
def crossing(tmp_path):
    """Two streets that share a node, a bridge over one of them, a road under construction."""
    nodes = {
        1: (114.000, 22.500), 2: (114.001, 22.500), 3: (114.002, 22.500),
        4: (114.001, 22.499), 5: (114.001, 22.501),
        6: (114.0005, 22.499), 7: (114.0005, 22.501), 8: (114.003, 22.5),
    }  # fmt: skip
    ways = [
        ((1, 2, 3), {"highway": "primary", "name": "深南大道", "oneway": "yes", "maxspeed": "60"}),
        ((4, 2, 5), {"highway": "residential", "name": "A"}),
        ((6, 7), {"highway": "footway", "bridge": "yes"}),
        ((3, 8), {"highway": "construction"}),
        ((1, 6), {"building": "yes"}),
    ]
    return write_osm(tmp_path / "crossing.osm", nodes, ways)


def test_osm_ways_join_where_they_share_a_node(crossing):
    net = load_streets(crossing)
    assert (net.n_nodes, net.n_edges, net.n_components) == (7, 5, 2)
    assert net.crs == "EPSG:32650"
    names = sorted(net.lines().name)
    assert names == ["", "A", "A", "深南大道", "深南大道"]
    west_east = Geod(ellps="WGS84").inv(114.0, 22.5, 114.002, 22.5)[2]
    main = net.lines().name == "深南大道"
    assert net.length_m[main].sum() == pytest.approx(west_east, abs=0.01)


def test_osm_one_way_and_maxspeed_bind_cars(crossing):
    net = load_streets(crossing, mode="drive")
    lines = net.lines()
    main = (lines.name == "深南大道").to_numpy()
    one_way = (net.forward_ms == CLOSED) | (net.backward_ms == CLOSED)
    assert (one_way == main).all()
    cost = np.minimum(net.forward_ms, net.backward_ms)
    np.testing.assert_allclose(cost[main], net.length_m[main] * 3.6 / 60 * 1000, atol=1)
    # the way runs from west to east, in the order of its nodes
    east = net.x[net.head] > net.x[net.tail]
    assert ((net.forward_ms < CLOSED) == east)[main].all()
    assert 25 < net.speed_kmh < 60


def test_the_asked_crs_is_used(crossing):
    assert load_streets(crossing, crs="EPSG:32649").crs == "EPSG:32649"
    with pytest.raises(CrsError, match="in metres"):
        load_streets(crossing, crs="EPSG:4326")


def test_osm_without_streets(tmp_path):
    nodes = {1: (114.0, 22.5), 2: (114.1, 22.5)}
    bare = write_osm(tmp_path / "bare.osm", nodes, [((1, 2), {"waterway": "river"})])
    with pytest.raises(InputError, match=r"bare\.osm: holds no way with a `highway` tag"):
        load_streets(bare)
    rail = write_osm(tmp_path / "paths.osm", nodes, [((1, 2), {"highway": "footway"})])
    with pytest.raises(InputError, match=r"paths\.osm: no street here is open to the mode `drive`"):
        load_streets(rail, mode="drive")


@pytest.mark.parametrize(
    "name",
    ["x.osm", "x.osm.pbf", "x.graphml", "x.gpkg", "x.geojson", "x.parquet", "x.shp", "x.txt"],
)
def test_unreadable_files_are_named(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(b"this is no map at all, only some bytes")
    with pytest.raises(InputError, match=rf"{name}: cannot be read") as caught:
        load_streets(file)
    assert caught.value.file == file


def test_tables_and_malformed_geometries_are_named(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("name,length\na,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"table\.csv: holds a table without geometry"):
        load_streets(table)
    point = {"type": "LineString", "coordinates": [[114.0, 22.5]]}
    broken = tmp_path / "broken.geojson"
    broken.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": point}))
    with pytest.raises(InputError, match=r"broken\.geojson: holds a malformed geometry"):
        load_streets(broken)


def test_truncated_osm_is_refused(crossing):
    text = crossing.read_text(encoding="utf-8")
    crossing.write_text(text[: len(text) * 2 // 3], encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as OpenStreetMap"):
        load_streets(crossing)


def test_missing_files_and_wrong_arguments(tmp_path, crossing):
    with pytest.raises(MissingFileError, match=r"nowhere\.osm\.pbf"):
        load_streets(tmp_path / "nowhere.osm.pbf")
    with pytest.raises(SettingsError, match="Did you mean `ebike`"):
        load_streets(crossing, mode="e-bike")
    with pytest.raises(SettingsError, match="speed_kmh"):
        load_streets(crossing, speed_kmh=-4)
    with pytest.raises(InputError, match="Got int"):
        load_streets(3)


# ── graphs ────────────────────────────────────────────────────────────────────────────────────


def small_graph(kind=nx.MultiDiGraph, crs=UTM):
    graph = kind(crs=crs)
    graph.add_node("a", x=0.0, y=0.0)
    graph.add_node("b", x=100.0, y=0.0)
    graph.add_node("c", x=100.0, y=100.0)
    graph.add_edge("a", "b", length=100.0, highway="residential", name="一")
    graph.add_edge("b", "c", length=120.0, highway="['primary', 'service']", name="二")
    if graph.is_directed():
        graph.add_edge("b", "a", length=100.0, highway="residential", name="一")
    return graph


def test_a_directed_graph_opens_the_directions_it_holds():
    ride = load_streets(small_graph(), mode="ebike")
    lines = ride.lines()
    assert (ride.n_nodes, ride.n_edges) == (3, 2)
    closed = (ride.forward_ms == CLOSED) | (ride.backward_ms == CLOSED)
    assert dict(zip(lines.name, closed, strict=True)) == {"一": False, "二": True}
    assert dict(zip(lines.name, lines.street_class, strict=True)) == {"一": 2, "二": 4}
    assert dict(zip(lines.name, ride.length_m, strict=True)) == {"一": 100.0, "二": 120.0}
    walk = load_streets(small_graph())
    assert (walk.forward_ms < CLOSED).all()
    assert (walk.backward_ms < CLOSED).all()


def test_an_undirected_graph_is_open_both_ways():
    net = load_streets(small_graph(nx.Graph), mode="drive")
    assert (net.forward_ms < CLOSED).all()
    assert (net.backward_ms < CLOSED).all()


def test_lengths_are_measured_where_the_graph_has_none():
    graph = small_graph()
    for *_, data in graph.edges(data=True):
        del data["length"]
    bent = LINE([(100, 0), (200, 50), (100, 100)])
    graph.edges["b", "c", 0]["geometry"] = bent
    net = load_streets(graph)
    assert sorted(net.length_m) == pytest.approx([100.0, bent.length])


def test_degrees_are_measured_on_the_ellipsoid():
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_node(1, x=114.0, y=22.5)
    graph.add_node(2, x=114.01, y=22.5)
    graph.add_edge(1, 2)
    net = load_streets(graph)
    assert net.length_m[0] == pytest.approx(Geod(ellps="WGS84").inv(114.0, 22.5, 114.01, 22.5)[2])
    assert net.crs == UTM


def test_graphml_reads_as_the_graph_does(tmp_path):
    graph = small_graph()
    graph.edges["b", "c", 0]["geometry"] = "LINESTRING (100 0, 150 50, 100 100)"
    file = tmp_path / "city.graphml"
    nx.write_graphml(graph, file)
    one, two = load_streets(file, mode="drive"), load_streets(graph, mode="drive")
    np.testing.assert_array_equal(one.forward_ms, two.forward_ms)
    np.testing.assert_array_equal(one.vertex_x, two.vertex_x)
    assert one.lines().name.tolist() == two.lines().name.tolist()


def test_a_graph_of_osmnx_reads_back(tmp_path, crossing):
    import osmnx as ox

    graph = ox.graph_from_xml(crossing, simplify=False, retain_all=True)
    graph.remove_edges_from([e for e in graph.edges(keys=True) if "highway" not in graph.edges[e]])
    file = tmp_path / "osmnx.graphml"
    ox.save_graphml(graph, file)
    one, two = load_streets(file), load_streets(crossing)
    # osmnx measures on a sphere
    assert one.length_m.sum() == pytest.approx(two.length_m.sum(), rel=5e-3)


def test_self_loops_and_parallel_streets_stay():
    graph = nx.MultiDiGraph(crs=UTM)
    graph.add_node(1, x=0.0, y=0.0)
    graph.add_node(2, x=100.0, y=0.0)
    for u, v, length, shape in (
        (1, 2, 100.0, None),
        (1, 2, 150.0, LINE([(0, 0), (50, 60), (100, 0)])),
        (2, 2, 90.0, LINE([(100, 0), (130, 0), (130, 30), (100, 0)])),
    ):
        for a, b in ((u, v), (v, u)):
            graph.add_edge(a, b, length=length, **({"geometry": shape} if shape else {}))
    net = load_streets(graph, mode="drive")
    # node 1 joins the two parallel streets to one that returns to node 2
    assert sorted(net.length_m) == pytest.approx([90.0, 250.0])
    assert (net.forward_ms < CLOSED).all()
    assert (net.backward_ms < CLOSED).all()


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda g: g.graph.pop("crs"), CrsError, "does not say its CRS"),
        (lambda g: g.graph.update(crs="EPSG:nonsense"), CrsError, "unknown"),
        (lambda g: g.nodes["b"].pop("x"), InputError, "node 'b' has no place"),
        (lambda g: g.edges["b", "c", 0].update(length="long"), InputError, "length of edge"),
        (lambda g: g.edges["b", "c", 0].update(geometry="POINT (0 0)"), InputError, "no line"),
        (lambda g: g.edges["b", "c", 0].update(geometry="nonsense"), InputError, "no line"),
        (lambda g: g.remove_edges_from(list(g.edges)), InputError, "no edges"),
    ],
)
def test_spoilt_graphs_are_refused(spoil, error, words):
    graph = small_graph()
    spoil(graph)
    with pytest.raises(error, match=words):
        load_streets(graph)


# ── layers of lines ───────────────────────────────────────────────────────────────────────────


def layer(shapes, crs=UTM, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def test_ends_within_half_a_metre_are_joined_and_crossings_are_bridges():
    net = load_streets(
        layer(
            [LINE([(0, 0), (100, 0)]), LINE([(100.4, 0.1), (200, 0)]), LINE([(50, -50), (50, 50)])]
        )
    )
    assert net.n_components == 2
    assert net.n_nodes == 4  # the first two are one street now
    apart = load_streets(layer([LINE([(0, 0), (100, 0)]), LINE([(100.6, 0), (200, 0)])]))
    assert apart.n_components == 2


def test_a_loose_end_on_another_line_is_a_junction():
    tee = load_streets(layer([LINE([(0, 0), (100, 0)]), LINE([(30, 0.3), (30, 80)])]))
    assert (tee.n_components, tee.n_nodes, tee.n_edges) == (1, 4, 3)
    assert tee.length_m.sum() == pytest.approx(100 + 79.7, abs=1e-6)
    assert sorted(tee.length_m) == pytest.approx([30, 70, 79.7], abs=0.01)


def test_two_loose_ends_on_one_piece():
    net = load_streets(
        layer([LINE([(0, 0), (100, 0)]), LINE([(70, 0), (70, 80)]), LINE([(30, 0), (30, 80)])])
    )
    assert (net.n_components, net.n_nodes, net.n_edges) == (1, 6, 5)
    assert sorted(net.length_m) == pytest.approx([30, 30, 40, 80, 80])


def test_shared_vertices_inside_lines_are_junctions():
    net = load_streets(
        layer([LINE([(0, 0), (50, 0), (99, 0)]), LINE([(50, -9), (50, 0), (50, 9)])])
    )
    assert (net.n_components, net.n_nodes, net.n_edges) == (1, 5, 4)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".shp"])
def test_every_format_reads_alike(tmp_path, suffix):
    table = layer(
        [LINE([(500_000, 2_500_000), (500_100, 2_500_000)])], name=["解放路"], oneway=["F"]
    )
    file = tmp_path / f"streets{suffix}"
    if suffix == ".parquet":
        table.to_parquet(file)
    else:
        table = table.to_crs("EPSG:4326") if suffix == ".geojson" else table
        table.to_file(file, encoding="utf-8" if suffix == ".shp" else None)
    net = load_streets(str(file), mode="ebike", crs=UTM)
    assert net.lines().name.tolist() == ["解放路"]
    assert net.crs == UTM
    # plane metres in UTM, geodesic ones in degrees: 0.04 % apart at the central meridian
    assert net.length_m[0] == pytest.approx(100.0, rel=5e-4)
    assert sorted([net.forward_ms[0], net.backward_ms[0]])[1] == CLOSED


def test_columns_are_found_by_synonym_in_two_languages():
    net = load_streets(
        layer(
            [LINE([(0, 0), (100, 0)]), LINE([(100, 0), (200, 0)]), LINE([(200, 0), (300, 0)])],
            道路名称=["快", "小", None], 道路等级=["主干路", "人行道", "次干路"],
            限速=[60, None, 40.0], 单行=["是", "否", "逆向"],
        ),
        mode="drive",
    )  # fmt: skip
    lines = net.lines()
    assert dict(zip(lines.name, lines.street_class, strict=True)) == {"快": 4, "": 3}
    fast = (lines.name == "快").to_numpy()
    one_way = np.minimum(net.forward_ms, net.backward_ms)
    assert one_way[fast][0] == 6000
    assert one_way[~fast][0] == 9000
    east = net.x[net.head] > net.x[net.tail]
    assert ((net.forward_ms < CLOSED) == east)[fast].all()
    assert ((net.forward_ms < CLOSED) != east)[~fast].all()


def test_multilines_are_taken_apart_and_the_rest_is_counted():
    table = layer(
        [shapely.MultiLineString([[(0, 0), (9, 0)], [(9, 0), (9, 9)]]), None, shapely.Point(0, 0),
         LINE([(5, 5), (5, 5)]), LINE()],
    )  # fmt: skip
    net = load_streets(table)
    assert net.length_m.sum() == pytest.approx(18.0)
    assert dict(net.dropped) == {"no geometry": 2, "no line": 1, "line without length": 1}


def test_web_mercator_is_no_measure_of_the_ground():
    table = layer([LINE([(114.0, 30.0), (114.01, 30.0)])], crs="EPSG:4326")
    true = load_streets(table)
    mercator = load_streets(table.to_crs("EPSG:3857"))
    assert mercator.crs == true.crs == "EPSG:32650"
    assert mercator.length_m[0] == pytest.approx(true.length_m[0], rel=1e-6)


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        (layer([LINE([(114, 22), (114.1, 22)])], crs=None), CrsError, "has no CRS"),
        (layer([shapely.Point(0, 0)]), InputError, "holds no lines.*Point"),
        (layer([]), InputError, "holds no lines"),
        (layer([LINE([(0, 0), (np.inf, 0)])]), InputError, "not a finite number"),
        (
            layer([LINE([(22.5, 114), (22.6, 114)])], crs="EPSG:4326"),
            InputError,
            "longitude stands",
        ),
        (layer([LINE([(5e5, 2e6), (5e5, 3e6)])], crs="EPSG:4326"), InputError, "says degrees"),
    ],
)
def test_spoilt_layers_are_refused(table, error, words):
    with pytest.raises(error, match=words):
        load_streets(table)


def test_columns_of_any_dtype_and_lists_are_read():
    shapes = [LINE([(0, 0), (100, 0)]), LINE([(100, 0), (200, 0)]), LINE([(200, 0), (300, 0)])]
    table = layer(
        shapes,
        name=pd.array(["a", pd.NA, "c"], dtype="string"),
        maxspeed=pd.array([50, pd.NA, 25], dtype="Int64"),
        oneway=pd.array([True, False, pd.NA], dtype="boolean"),
        highway=[["primary", "service"], "residential", None],
    )
    net = load_streets(table, mode="drive")
    lines = net.lines()
    assert dict(zip(lines.name, lines.street_class, strict=True)) == {"a": 4, "": 2, "c": 2}
    quick = dict(zip(lines.name, np.minimum(net.forward_ms, net.backward_ms), strict=True))
    assert quick == {"a": 7200, "": 14_400, "c": 14_400}
    assert (np.maximum(net.forward_ms, net.backward_ms) == CLOSED).sum() == 1


@pytest.mark.parametrize(("suffix", "credit"), [("geojson", ""), ("gpkg", "")])
def test_own_layers_owe_nobody(tmp_path, suffix, credit):
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (0, 90)])], crs="EPSG:32650")
    lines.to_file(tmp_path / f"streets.{suffix}")
    assert load_streets(tmp_path / f"streets.{suffix}").lines().attrs["attribution"] == credit


@pytest.mark.parametrize("file", ["helsinki/streets.osm.pbf", "shenzhen/futian_osmnx_walk.graphml"])
def test_openstreetmap_is_credited(shared, file):
    streets = load_streets(shared / file)
    for network in (streets, streets.on_foot()):
        assert "OpenStreetMap" in network.lines().attrs["attribution"]


# ── how lines of a layer join ─────────────────────────────────────────────────────────────────


@given(st.permutations(range(5)), st.lists(st.booleans(), min_size=5, max_size=5))
def test_the_order_and_direction_of_rows_do_not_matter(order, flips):
    lines = [
        LINE([(0, 0), (50, 0), (99, 0)]), LINE([(50, -9), (50, 0), (50, 9)]),
        LINE([(20, 0.3), (20, 40)]), LINE([(99.3, 0), (99.3, 50)]), LINE([(10, 20), (40, 20)]),
    ]  # fmt: skip
    turned = [line.reverse() if flip else line for line, flip in zip(lines, flips, strict=True)]
    one, two = load_streets(layer(lines)), load_streets(layer([turned[i] for i in order]))
    assert one.key == two.key
    np.testing.assert_array_equal(one.forward_ms, two.forward_ms)
    # the last two cross the third without a vertex: a bridge
    assert one.n_components == 2


def test_a_crossing_needs_a_vertex_of_both():
    """Lines that cross, one of them with a vertex there: no junction, as on a bridge."""
    plain, noded = LINE([(0, 0), (100, 0)]), LINE([(50, -50), (50, 0), (50, 50)])
    assert load_streets(layer([plain, noded])).n_components == 2
    assert load_streets(layer([LINE([(0, 0), (50, 0), (100, 0)]), noded])).n_components == 1


@pytest.mark.parametrize("gap", [0.0, 0.3, 0.49])
def test_tees_are_found_from_both_sides_and_inside_bends(gap):
    bend = LINE([(0, 0), (100, 0), (100, 100)])
    west, north = LINE([(30, -60), (30, -gap)]), LINE([(160, 70), (100 + gap, 70)])
    net = load_streets(layer([bend, west, north]))
    assert (net.n_components, net.n_nodes, net.n_edges) == (1, 6, 5)
    assert net.length_m.sum() == pytest.approx(200 + 60 - gap + 60 - gap)


def test_a_tee_just_out_of_reach_stays_loose():
    net = load_streets(layer([LINE([(0, 0), (100, 0)]), LINE([(30, 0.52), (30, 80)])]))
    assert net.n_components == 2


def test_parts_of_one_line_meet_like_any_others():
    """A cross as two rows of two parts each, one part in common, and a part far off."""
    cross = shapely.MultiLineString([[(0, 0), (50, 0)], [(50, 0), (100, 0)]])
    rest = shapely.MultiLineString(
        [[(50, -40), (50, 0)], [(50, 0.2), (50, 40)], [(0, 900), (9, 900)]]
    )
    net = load_streets(layer([cross, rest], name=["东西", "南北"]))
    assert net.n_components == 2
    assert net.n_edges == 5
    metres = net.lines().assign(m=net.length_m).groupby("name")["m"].sum()
    assert dict(metres) == pytest.approx({"东西": 100.0, "南北": 88.8})


def test_rings_and_dead_ends_of_a_layer():
    ring = LINE([(0, 0), (50, 0), (50, 50), (0, 50), (0, 0)])
    net = load_streets(layer([ring, LINE([(50, 25), (90, 25)])]))
    assert (net.n_components, net.n_edges) == (1, 2)
    assert sorted(net.length_m) == pytest.approx([40, 200])
    alone = load_streets(layer([ring]))
    assert (alone.n_nodes, alone.n_edges) == (1, 1)
