"""The network itself: contraction, numbering, components, drawing, refusals."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import CrsError, InputError, SettingsError
from planner.network import StreetNetwork
from planner.network.streets import CLOSED

CRS = "EPSG:32650"


def make(x, y, tail, head, length, **options):
    return StreetNetwork.from_arrays(x, y, tail, head, length, crs=CRS, **options)


def test_a_run_of_pieces_is_one_chain_with_its_shape():
    net = make([0, 100, 100, 50], [0, 0, 50, 50], [0, 1, 2], [1, 2, 3], [100.0, 50.0, 60.0])
    assert (net.n_nodes, net.n_edges, net.n_components) == (2, 1, 1)
    assert net.length_m[0] == 210.0
    assert net.forward_ms[0] == net.backward_ms[0] == 189_000
    shape = net.lines().geometry[0]
    assert shape.normalize().equals(
        shapely.LineString([(0, 0), (100, 0), (100, 50), (50, 50)]).normalize()
    )


def test_junctions_dead_ends_and_rings_stay():
    star = make([0, 100, -100, 0], [0, 0, 0, 100], [0, 0, 0], [1, 2, 3], [100.0] * 3)
    assert (star.n_nodes, star.n_edges) == (4, 3)
    ring = make([0, 100, 100, 0], [0, 0, 100, 100], [0, 1, 2, 3], [1, 2, 3, 0], [100.0] * 4)
    assert (ring.n_nodes, ring.n_edges) == (1, 1)
    assert ring.length_m[0] == 400.0
    assert ring.lines().geometry[0].is_closed


def test_a_vertex_stays_where_name_class_speed_or_direction_change():
    line = ([0, 100, 200], [0, 0, 0], [0, 1], [1, 2], [100.0, 100.0])
    assert make(*line).n_edges == 1
    assert make(*line, name=["a", "b"]).n_edges == 2
    assert make(*line, street_class=[1, 2]).n_edges == 2
    assert make(*line, speed_kmh=[4.0, 5.0]).n_edges == 2
    assert make(*line, mode="drive", oneway=[True, False]).n_edges == 2
    assert make(*line, mode="drive", oneway=[True, True]).n_edges == 1
    head_on = ([0, 100, 200], [0, 0, 0], [0, 2], [1, 1], [100.0, 100.0])
    assert make(*head_on, mode="drive", oneway=[True, True]).n_edges == 2


def test_one_way_streets_are_closed_backward_for_riders_only():
    line = ([0, 100], [0, 0], [1], [0], [100.0])
    ride = make(*line, mode="ebike", oneway=[True])
    assert sorted([ride.forward_ms[0], ride.backward_ms[0]]) == [24_000, CLOSED]
    walk = make(*line, oneway=[True])
    assert walk.forward_ms[0] == walk.backward_ms[0] == 90_000
    foot = ride.on_foot()
    assert (foot.mode, foot.speed_kmh, foot.key) == ("walk", 4.0, ride.key)
    assert foot.forward_ms[0] == foot.backward_ms[0] == 90_000
    assert ride.mode == "ebike"  # the network itself is never changed


def test_components_count_and_the_main_one_is_the_longest():
    net = make(
        [0, 1000, 0, 10, 20], [0, 0, 500, 500, 500], [0, 2, 3], [1, 3, 4], [1000.0, 10.0, 10.0],
        name=["long", "b", "c"],
    )  # fmt: skip
    assert net.n_components == 2
    assert net.lines().name[net.main].tolist() == ["long"]


def test_a_one_way_dead_end_is_no_part_of_the_main_component():
    net = make(
        [0, 100, 100, 0, 300], [0, 0, 100, 100, 0], [0, 1, 2, 3, 1], [1, 2, 3, 0, 4],
        [100.0] * 5, mode="drive", oneway=[True] * 5, name=["r", "r", "r", "r", "out"],
    )  # fmt: skip
    assert net.n_components == 1
    assert dict(zip(net.lines().name, net.main, strict=True)) == {"r": True, "out": False}


def test_lines_are_a_table_for_drawing():
    net = make(
        [0, 100, 200], [0, 0, 0], [0, 1], [1, 2], [100.0, 100.0],
        name=["解放路", ""], street_class=[4, 0],
    )  # fmt: skip
    lines = net.lines()
    assert isinstance(lines, gpd.GeoDataFrame)
    assert lines.index.name == "street_id"
    assert lines.crs == CRS
    assert sorted(zip(lines.name, lines.street_class, strict=True)) == [("", 0), ("解放路", 4)]
    assert lines.street_class.dtype == np.int8
    assert lines.name.dtype == "str"


def test_shapes_share_out_the_given_length_and_may_run_backward():
    bent = shapely.LineString([(0, 0), (0, 50), (100, 50)])
    for shape in (bent, bent.reverse()):
        net = make([0, 100], [0, 50], [0], [1], [300.0], geometry=[shape])
        assert net.length_m[0] == pytest.approx(300.0)
        np.testing.assert_allclose(net.vertex_m, [0, 100, 300])
        np.testing.assert_allclose(net.vertex_x, [0, 0, 100])


def test_the_mean_speed_stands_for_speeds_that_differ():
    net = make([0, 100, 300], [0, 0, 0], [0, 1], [1, 2], [100.0, 200.0], speed_kmh=[10.0, 40.0])
    assert net.speed_kmh == 20.0  # 0.3 km in 0.015 h


def test_repr_says_what_it_is():
    net = make([0, 100], [0, 0], [0], [1], [100.0])
    assert repr(net).startswith("<StreetNetwork walk 4 km/h: 2 junctions, 1 street, 0.1 km")
    assert net._repr_html_().startswith("<p><code>&lt;StreetNetwork")


def test_default_speeds():
    line = ([0, 100], [0, 0], [0], [1], [100.0])
    speeds = {mode: make(*line, mode=mode).speed_kmh for mode in ("walk", "ebike", "drive")}
    assert speeds == {"walk": 4.0, "ebike": 15.0, "drive": 30.0}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"mode": "wlak"}, SettingsError, "Did you mean `walk`"),
        ({"speed_kmh": 0.0}, SettingsError, "speed_kmh"),
        ({"speed_kmh": [np.nan]}, SettingsError, "speed_kmh"),
        ({"crs": "EPSG:4326"}, CrsError, "must be in metres"),
        ({"x": [0.0, np.nan]}, InputError, "not finite"),
        ({"y": [0.0]}, InputError, "differ in shape"),
        ({"head": [2]}, InputError, "0..1"),
        ({"tail": [-1]}, InputError, "0..1"),
        ({"length_m": [-5.0]}, InputError, "not negative"),
        ({"length_m": [1e12]}, InputError, "hours"),
        ({"name": ["a", "b"]}, InputError, "`name` has shape"),
        ({"tail": [], "head": [], "length_m": []}, InputError, "no street"),
    ],
)
def test_wrong_arrays_are_refused(change, error, words):
    right = {"x": [0.0, 100.0], "y": [0.0, 0.0], "tail": [0], "head": [1], "length_m": [100.0]}
    with pytest.raises(error, match=words):
        StreetNetwork.from_arrays(**({"crs": CRS} | right | change))
