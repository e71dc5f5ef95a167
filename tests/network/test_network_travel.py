"""Travel times: equal to networkx on random graphs whose edges are split at every place."""

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InputError, SettingsError
from planner.network import (
    StreetNetwork,
    load_streets,
    nearest_minutes,
    snap,
    snap_points,
    travel_within,
)

CRS = "EPSG:32650"
LEG_KMH = 4.0
RUNS = settings(max_examples=60)


def random_city(seed):
    """A small nasty graph: one-ways, dead ends, loops of streets, long runs, several parts."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    x, y = rng.uniform(0, 2000, n), rng.uniform(0, 2000, n)
    pairs = {tuple(sorted(p)) for p in rng.integers(0, n, (int(rng.integers(1, 2 * n)), 2))}
    if rng.random() < 0.7:  # long runs of degree two
        pairs |= {(i, i + 1) for i in range(int(rng.integers(1, n)))}
    pairs = np.array(sorted(p for p in pairs if p[0] != p[1]) or [(0, 1)])
    flip = rng.random(len(pairs)) < 0.5
    tail, head = np.where(flip[:, None], pairs[:, ::-1], pairs).T
    length = np.hypot(x[tail] - x[head], y[tail] - y[head]) * rng.uniform(1.0, 1.6, len(tail))
    oneway = rng.random(len(tail)) < rng.choice([0.0, 0.3, 0.8])
    kmh = rng.choice([8.0, 15.0, 30.0], len(tail))
    return rng, x, y, tail, head, length, oneway, kmh


def points_near(rng, x, y, n):
    return np.column_stack([rng.uniform(-50, 2050, n), rng.uniform(-50, 2050, n)])


def series(xy):
    return gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=CRS)


def split_graph(streets, places, leg_kmh=LEG_KMH, max_m=300.0):
    """The input edges, each split at every place snapped to it by shapely; seconds."""
    x, y, tail, head, length, oneway, kmh = streets
    shapes = shapely.linestrings(np.stack([np.c_[x[tail], y[tail]], np.c_[x[head], y[head]]], 1))
    tree = shapely.STRtree(shapes)
    on_edge = {}
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(x)))

    def link(a, b, seconds, *, both):
        for u, v in ((a, b), (b, a)) if both else ((a, b),):
            if not graph.has_edge(u, v) or graph[u][v]["s"] > seconds:
                graph.add_edge(u, v, s=seconds)

    for key, xy in places.items():
        for i, point in enumerate(shapely.points(xy)):
            graph.add_node((key, i))
            edge = int(tree.query_nearest(point, all_matches=False)[0])
            gap = shapely.distance(point, shapes[edge])
            if gap > max_m:
                continue
            share = shapely.line_locate_point(shapes[edge], point, normalized=True)
            on_street = (key, i, "street")
            leg = gap * 3.6 / leg_kmh
            link((key, i), on_street, leg, both=True)
            if share in {0.0, 1.0}:
                link(on_street, int((tail, head)[int(share)][edge]), 0.0, both=True)
            else:
                on_edge.setdefault(edge, []).append((share, on_street))
    for e in range(len(tail)):
        stops = [(0.0, int(tail[e])), *sorted(on_edge.get(e, []), key=str), (1.0, int(head[e]))]
        stops.sort(key=lambda stop: stop[0])
        for (at, a), (then, b) in pairwise(stops):
            link(a, b, (then - at) * length[e] * 3.6 / kmh[e], both=not oneway[e])
    return graph


def seconds_between(graph, n_origins, n_destinations, cutoff):
    out = np.full((n_origins, n_destinations), np.inf)
    for i in range(n_origins):
        reached = nx.single_source_dijkstra_path_length(graph, ("o", i), cutoff, weight="s")
        for j in range(n_destinations):
            out[i, j] = reached.get(("d", j), np.inf)
    return out


@pytest.fixture(autouse=True)
def _nearest_street_whatever_its_component(monkeypatch):
    monkeypatch.setattr(snap, "MAIN_SLACK_M", 0.0)


def make_case(seed, n_origins, n_destinations):
    rng, x, y, tail, head, length, oneway, kmh = random_city(seed)
    net = StreetNetwork.from_arrays(
        x, y, tail, head, length, crs=CRS, mode="drive", speed_kmh=kmh, oneway=oneway
    )
    xy = {"o": points_near(rng, x, y, n_origins), "d": points_near(rng, x, y, n_destinations)}
    graph = split_graph((x, y, tail, head, length, oneway, kmh), xy)
    places = {key: snap_points(net, series(points)) for key, points in xy.items()}
    return rng, net, graph, places


@given(seed=st.integers(0, 10**6), flip=st.booleans())
@RUNS
def test_times_equal_networkx_on_split_edges(seed, flip):
    n_origins, n_destinations = (9, 14) if flip else (14, 9)
    rng, net, graph, places = make_case(seed, n_origins, n_destinations)
    limit = float(rng.choice([2.0, 6.0, 30.0]))
    want = seconds_between(graph, n_origins, n_destinations, limit * 60 + 1)
    got = travel_within(net, places["o"], places["d"], limit)
    dense = np.full(got.shape, np.inf)
    row = np.repeat(np.arange(got.shape[0]), np.diff(got.indptr))
    dense[row, got.indices] = got.data * 60
    inside, wanted = np.isfinite(dense), np.isfinite(want)
    assert (want[inside] <= limit * 60 + 0.1).all()
    assert (dense[wanted & (want < limit * 60 - 0.1)] < np.inf).all()
    both = inside & wanted
    assert np.abs(dense[both] - want[both]).max(initial=0.0) < 0.1
    assert (dense[inside] <= limit * 60).all()


@given(seed=st.integers(0, 10**6))
@RUNS
def test_nearest_equals_the_least_of_all_pairs(seed):
    _, net, graph, places = make_case(seed, 20, 6)
    want = seconds_between(graph, 20, 6, 40 * 60)
    minutes, position = nearest_minutes(net, places["o"], places["d"], max_min=30)
    least = want.min(axis=1)
    found = position >= 0
    assert (np.isfinite(minutes) == found).all()
    assert (least[found] <= 30 * 60 + 0.1).all()
    assert (found | (least > 30 * 60 - 0.1)).all()
    assert np.abs(minutes[found] * 60 - least[found]).max(initial=0.0) < 0.1
    own = want[np.flatnonzero(found), position[found]]
    assert np.abs(minutes[found] * 60 - own).max(initial=0.0) < 0.1
    pairs = travel_within(net, places["o"], places["d"], 30)
    for i in np.flatnonzero(found):
        row = slice(pairs.indptr[i], pairs.indptr[i + 1])
        assert pairs.data[row].min() == minutes[i]
        assert pairs.indices[row][pairs.data[row].argmin()] == position[i]  # ties: the first


@given(seed=st.integers(0, 10**6))
@RUNS
def test_either_side_gives_the_same_answer(seed):
    """The search starts at the fewer side; padding one side must not change a single bit."""
    _, net, _, places = make_case(seed, 8, 12)
    from_origins = travel_within(net, places["o"], places["d"], 20)
    fields = ("chain", "share", "access_m", "x", "y")
    many = snap.Places(
        **{name: np.concatenate([getattr(places["o"], name)] * 3) for name in fields}, key=net.key
    )
    from_destinations = travel_within(net, many, places["d"], 20)
    for k in range(3):
        part = from_destinations[8 * k : 8 * (k + 1)]
        part.sort_indices()
        np.testing.assert_array_equal(part.indptr, from_origins.indptr)
        np.testing.assert_array_equal(part.indices, from_origins.indices)
        np.testing.assert_array_equal(part.data, from_origins.data)


@given(seed=st.integers(0, 10**6))
@RUNS
def test_a_longer_limit_never_loses_a_pair(seed):
    _, net, _, places = make_case(seed, 10, 10)
    before = None
    for limit in (1, 3, 7, 20):
        now = travel_within(net, places["o"], places["d"], limit)
        if before is not None:
            small = before.tocoo()
            large = now.toarray()
            assert now.nnz >= before.nnz
            np.testing.assert_array_equal(large[small.coords], small.data)
        before = now


@given(seed=st.integers(0, 10**6))
@RUNS
def test_shuffled_input_gives_the_same_network_and_times(seed):
    rng, x, y, tail, head, length, oneway, kmh = random_city(seed)
    net = StreetNetwork.from_arrays(
        x, y, tail, head, length, crs=CRS, mode="drive", speed_kmh=kmh, oneway=oneway
    )
    node, edge = rng.permutation(len(x)), rng.permutation(len(tail))
    new = np.argsort(node)
    other = StreetNetwork.from_arrays(
        x[node], y[node], new[tail][edge], new[head][edge], length[edge],
        crs=CRS, mode="drive", speed_kmh=kmh[edge], oneway=oneway[edge],
    )  # fmt: skip
    for name in ("x", "y", "tail", "head", "forward_ms", "backward_ms", "vertex_ptr", "vertex_x"):
        np.testing.assert_array_equal(getattr(net, name), getattr(other, name))
    xy = points_near(rng, x, y, 15)
    turn = rng.permutation(15)
    one = travel_within(net, snap_points(net, series(xy)), snap_points(net, series(xy)), 10)
    two = travel_within(
        other, snap_points(other, series(xy[turn])), snap_points(other, series(xy)), 10
    )
    np.testing.assert_array_equal(one.toarray()[turn], two.toarray())


def test_one_way_binds_riders_and_not_walkers():
    corners = {"x": [0, 300, 300, 0], "y": [0, 0, 300, 300]}
    ring = {"tail": [0, 1, 2, 3], "head": [1, 2, 3, 0], "length_m": [300.0] * 4}
    a, b = series(np.array([[0.0, 0.0]])), series(np.array([[150.0, 0.0]]))
    ride = StreetNetwork.from_arrays(
        **corners, **ring, crs=CRS, mode="ebike", speed_kmh=18.0, oneway=[True] * 4
    )
    there = travel_within(ride, snap_points(ride, a), snap_points(ride, b), 60)
    back = travel_within(ride, snap_points(ride, b), snap_points(ride, a), 60)
    assert there.toarray() == pytest.approx(0.5)  # 150 m at 300 m/min
    assert back.toarray() == pytest.approx(3.5)  # round the block
    foot = ride.on_foot()
    back = travel_within(foot, snap_points(ride, b), snap_points(ride, a), 60)
    assert back.toarray() == pytest.approx(150 * 0.06 / 4.0)
    minutes, position = nearest_minutes(ride, snap_points(ride, b), snap_points(ride, a), max_min=9)
    assert (minutes[0], position[0]) == (pytest.approx(3.5), 0)


def test_a_station_at_the_end_of_a_one_way_is_reached_at_its_junction():
    """The chain itself is far away by its own direction; the corner is not."""
    net = StreetNetwork.from_arrays(
        [0, 10_000, 10_000], [0, 0, 300], [0, 1], [1, 2], [10_000.0, 300.0],
        crs=CRS, mode="drive", speed_kmh=30.0, oneway=[True, False], name=["a", "b"],
    )  # fmt: skip
    home, station = series(np.array([[10_000.0, 300.0]])), series(np.array([[9_999.999, 0.0]]))
    minutes = travel_within(net, snap_points(net, home), snap_points(net, station), 5)
    assert minutes.toarray() == pytest.approx(0.6, abs=1e-3)


def test_access_legs_are_walked_at_four_kmh():
    net = StreetNetwork.from_arrays([0, 1000], [0, 0], [0], [1], [1000.0], crs=CRS, mode="ebike")
    ends = series(np.array([[0.0, 100.0], [1000.0, 50.0]]))
    places = snap_points(net, ends)
    minutes = travel_within(net, places, places, 60).toarray()
    assert minutes[0, 1] == pytest.approx(1000 * 0.06 / 15 + 150 * 0.06 / 4)
    assert minutes[0, 0] == pytest.approx(200 * 0.06 / 4)  # to the street and back


def test_a_place_reaches_itself_in_no_time_as_an_explicit_zero():
    net = StreetNetwork.from_arrays([0, 1000], [0, 0], [0], [1], [1000.0], crs=CRS)
    places = snap_points(net, series(np.array([[500.0, 0.0]])))
    minutes = travel_within(net, places, places, 1)
    assert minutes.nnz == 1
    assert minutes.data[0] == 0.0


def test_threads_do_not_change_the_answer():
    _, net, _, places = make_case(3, 200, 150)
    one = travel_within(net, places["o"], places["d"], 20, threads=1)
    many = travel_within(net, places["o"], places["d"], 20, threads=4)
    np.testing.assert_array_equal(one.indptr, many.indptr)
    np.testing.assert_array_equal(one.indices, many.indices)
    np.testing.assert_array_equal(one.data, many.data)


def test_nobody_asked_is_an_empty_answer():
    net = StreetNetwork.from_arrays([0, 1000], [0, 0], [0], [1], [1000.0], crs=CRS)
    none = snap_points(net, series(np.zeros((0, 2))))
    some = snap_points(net, series(np.array([[1.0, 1.0]])))
    assert travel_within(net, none, some, 5).shape == (0, 1)
    assert travel_within(net, some, none, 5).nnz == 0
    minutes, position = nearest_minutes(net, some, none, max_min=5)
    assert np.isinf(minutes[0])
    assert position[0] == -1


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf, 1e9])
def test_limits_out_of_range_are_refused(limit):
    net = StreetNetwork.from_arrays([0, 1000], [0, 0], [0], [1], [1000.0], crs=CRS)
    places = snap_points(net, series(np.array([[1.0, 1.0]])))
    with pytest.raises(SettingsError, match="limit_min"):
        travel_within(net, places, places, limit)
    with pytest.raises(SettingsError, match="max_min"):
        nearest_minutes(net, places, places, max_min=limit)


def test_places_of_another_network_are_refused():
    one = StreetNetwork.from_arrays([0, 1000], [0, 0], [0], [1], [1000.0], crs=CRS)
    two = StreetNetwork.from_arrays([0, 900], [0, 0], [0], [1], [900.0], crs=CRS)
    places = snap_points(one, series(np.array([[1.0, 1.0]])))
    with pytest.raises(InputError, match="another street network"):
        travel_within(two, places, places, 5)


def test_lines_and_arrays_make_the_same_network():
    _, x, y, tail, head, *_ = random_city(5)
    shapes = shapely.linestrings(np.stack([np.c_[x[tail], y[tail]], np.c_[x[head], y[head]]], 1))
    lines = load_streets(gpd.GeoDataFrame(geometry=shapes, crs=CRS), mode="walk")
    arrays = StreetNetwork.from_arrays(
        x, y, tail, head, np.hypot(x[tail] - x[head], y[tail] - y[head]), crs=CRS
    )
    assert lines.n_nodes == arrays.n_nodes
    assert lines.n_edges == arrays.n_edges
    assert lines.length_m.sum() == pytest.approx(arrays.length_m.sum(), rel=1e-5)
