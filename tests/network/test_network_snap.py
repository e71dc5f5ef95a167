"""Snapping: the nearest place of any street, the main component preferred, the far flagged."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import CrsError, InputError, SettingsError
from planner.network import (
    StreetNetwork,
    load_streets,
    nearest_street,
    on_island,
    snap_points,
    travel_within,
)
from planner.network.grid import find_nearest

CRS = "EPSG:32650"


def series(xy, crs=CRS):
    xy = np.asarray(xy, dtype=float)
    return gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=crs)


def two_parts(gap_m):
    """A long street at y = 0 and, `gap_m` above it, a short one that nothing joins."""
    return StreetNetwork.from_arrays(
        [0, 1000, 400, 500], [0, 0, gap_m, gap_m], [0, 2], [1, 3], [1000.0, 100.0],
        crs=CRS, name=["Long", ""],
    )  # fmt: skip


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60)
def test_nearest_place_equals_shapely(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 200))
    spread = rng.choice([100.0, 3000.0, 60_000.0])
    x, y = rng.uniform(0, spread, n), rng.uniform(0, spread / 2, n)
    tail, head = np.arange(n - 1), np.arange(1, n)  # one connected run
    net = StreetNetwork.from_arrays(x, y, tail, head, np.full(n - 1, 10.0), crs=CRS)
    xy = np.column_stack([rng.uniform(-500, spread + 500, 80), rng.uniform(-500, spread, 80)])
    limit = float(rng.choice([20.0, 300.0, 5000.0]))
    places = snap_points(net, series(xy), max_m=limit)
    tree = shapely.STRtree(net.lines().geometry.to_numpy())
    points = shapely.points(xy)
    (row, _), gap = tree.query_nearest(points, return_distance=True, all_matches=False)
    assert (row == np.arange(80)).all()
    assert (places.snapped == (gap <= limit)).all()
    near = places.snapped
    np.testing.assert_allclose(places.access_m[near], gap[near], atol=1e-6)
    assert np.isinf(places.access_m[~near]).all()
    on_street = shapely.points(places.x[near], places.y[near])
    np.testing.assert_allclose(shapely.distance(on_street, points[near]), gap[near], atol=1e-6)
    chains = net.lines().geometry.to_numpy()[places.chain[near]]
    assert shapely.distance(chains, on_street).max(initial=0.0) < 1e-6


def test_far_points_are_flagged_and_stay_in_line():
    net = two_parts(5000)
    places = snap_points(net, series([[10, 5], [10, 301], [10, -299], [1e7, 1e7]]), max_m=300)
    assert places.snapped.tolist() == [True, False, True, False]
    assert len(places) == 4
    assert places.access_m.tolist() == [5.0, np.inf, 299.0, np.inf]


def test_a_point_exactly_at_the_cap_is_snapped():
    net = two_parts(5000)
    assert snap_points(net, series([[10, 300.0]]), max_m=300).snapped.all()


def test_the_main_component_is_preferred_if_it_is_at_most_50_m_farther():
    beside_the_short_one = series([[450, 60]])
    near = snap_points(two_parts(55), beside_the_short_one)  # 5 m against 60 m: 55 m farther
    assert near.access_m[0] == pytest.approx(5.0)
    preferred = snap_points(two_parts(50), series([[450, 52]]))  # 2 m against 52 m
    assert preferred.access_m[0] == pytest.approx(52.0)
    assert preferred.y[0] == 0.0


def test_the_main_component_is_not_taken_beyond_the_cap():
    places = snap_points(two_parts(40), series([[450, 42]]), max_m=30)
    assert places.access_m[0] == pytest.approx(2.0)


def test_points_beside_islands_alone_are_snapped_there_and_can_be_counted():
    net = two_parts(500)
    points = series([[450, 510], [420, 480], [450, 20], [5000, 5000]])
    places = snap_points(net, points)
    assert places.snapped.tolist() == [True, True, True, False]
    assert on_island(net, places).tolist() == [True, True, False, False]
    assert places.access_m[:2].tolist() == [10.0, 20.0]
    # they reach each other, and nobody elsewhere
    assert travel_within(net, places, places, 60).toarray()[0].nonzero()[0].tolist() == [0, 1]


def test_the_access_leg_is_walked():
    walk = two_parts(5000)
    drive = StreetNetwork.from_arrays(
        [0, 1000], [0, 0], [0], [1], [1000.0], crs=CRS, mode="drive", speed_kmh=30.0
    )
    for net, street_min in ((walk, 500 * 0.06 / 4), (drive, 500 * 0.06 / 30)):
        here, there = snap_points(net, series([[250, 40]])), snap_points(net, series([[750, 100]]))
        minutes = travel_within(net, here, there, 60).toarray()
        assert minutes[0, 0] == pytest.approx(140 * 0.06 / 4 + street_min, abs=1e-4)


def test_many_points_and_few_find_the_same():
    """Points are put in order only where they are many."""
    rng = np.random.default_rng(8)
    x, y = rng.uniform(0, 3000, (2, 60))
    net = StreetNetwork.from_arrays(
        x, y, np.arange(59), np.arange(1, 60), np.full(59, 10.0), crs=CRS
    )
    xy = rng.uniform(-100, 3100, (5000, 2))
    xy[::500] = np.nan
    many = snap_points(net, series(xy))
    for row in (0, 1, 7, 500, 4999):
        one = snap_points(net, series(xy[row : row + 1]))
        assert one.chain[0] == many.chain[row]
        assert one.access_m[0] == many.access_m[row]
    assert not many.snapped[::500].any()
    back = snap_points(net, series(xy[::-1]))
    assert (back.chain[::-1] == many.chain).all()
    assert (back.share[::-1] == many.share).all()


def test_porto_points_are_where_shapely_has_them(shared):
    porto = load_streets(shared / "porto" / "streets.osm.pbf")
    rng = np.random.default_rng(4)
    k = rng.integers(0, len(porto.vertex_x), 4000)
    xy = np.column_stack([porto.vertex_x[k], porto.vertex_y[k]]) + rng.normal(0, 40, (4000, 2))
    found = find_nearest(porto.grid, xy[:, 0], xy[:, 1], max_m=300.0)
    tree = shapely.STRtree(porto.lines().geometry.to_numpy())
    _, gap = tree.query_nearest(shapely.points(xy), return_distance=True, all_matches=False)
    np.testing.assert_allclose(found.distance_m, np.where(gap <= 300, gap, np.inf), atol=1e-6)
    places = snap_points(porto, series(xy, crs=porto.crs))
    farther = places.access_m[places.snapped] - gap[places.snapped]
    assert farther.min() > -1e-6
    assert farther.max() < 50.0 + 1e-6
    moved = farther > 1e-6  # from an island to the main component
    assert 0 < moved.mean() < 0.05
    assert not on_island(porto, places.take(np.flatnonzero(places.snapped)[moved])).any()


def test_points_in_another_crs_are_converted():
    net = StreetNetwork.from_arrays(
        [500_000, 501_000], [2_500_000] * 2, [0], [1], [1000.0], crs=CRS
    )
    metric = series([[500_300, 2_500_020]])
    degrees = metric.to_crs("EPSG:4326")
    one, two = snap_points(net, metric), snap_points(net, degrees)
    assert one.share[0] == pytest.approx(0.3)
    assert two.share[0] == pytest.approx(0.3, abs=1e-6)
    assert two.access_m[0] == pytest.approx(20.0, abs=1e-3)


def test_empty_geometries_are_not_snapped():
    points = gpd.GeoSeries([shapely.Point(5, 5), shapely.Point(), None], crs=CRS)
    assert snap_points(two_parts(500), points).snapped.tolist() == [True, False, False]


def test_wrong_points_are_refused():
    net = two_parts(500)
    with pytest.raises(CrsError, match="no CRS"):
        snap_points(net, series([[1, 1]], crs=None))
    lines = gpd.GeoSeries([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)], index=["a", "b"], crs=CRS)
    with pytest.raises(InputError, match="row 'b' is a Polygon"):
        snap_points(net, lines)
    with pytest.raises(SettingsError, match="max_m"):
        snap_points(net, series([[1, 1]]), max_m=0)


def test_a_street_without_length_can_be_snapped_to():
    net = StreetNetwork.from_arrays([0, 0, 90], [0, 0, 0], [0, 1], [1, 2], [0.0, 90.0], crs=CRS)
    assert snap_points(net, series([[-3, 0]])).access_m[0] == pytest.approx(3.0)


def test_names_come_from_the_nearest_named_street():
    names = nearest_street(two_parts(60), series([[450, 61], [450, 249], [450, 251], [450, -900]]))
    assert names.tolist() == ["Long", "Long", "", ""]


def test_a_name_or_small_ways_may_be_passed_over():
    cross = StreetNetwork.from_arrays(
        [0, 900, 0, 0], [0, 0, 200, 900], [0, 0, 2], [1, 2, 3], [900.0, 200.0, 700.0], crs=CRS,
        name=["Long", "", "Side"], street_class=[1, 2, 2],
    )  # fmt: skip
    here = series([[10, 5], [400, 5]])
    assert nearest_street(cross, here).tolist() == ["Long", "Long"]
    assert nearest_street(cross, here, besides="Long").tolist() == ["Side", ""]
    assert nearest_street(cross, here, besides="Side").tolist() == ["Long", "Long"]
    assert nearest_street(cross, here, least_class=2).tolist() == ["Side", ""]
