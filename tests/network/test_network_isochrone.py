"""Service areas: they hold the reached streets, respect the river, and nest."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from street_points import measure_truth
from street_points import street_points as points_along

from planner.errors import InputError, SettingsError
from planner.network import (
    StreetNetwork,
    each_service_area,
    load_streets,
    nearest_minutes,
    raster,
    service_areas,
    snap_points,
)

CRS = "EPSG:32650"


def series(xy):
    xy = np.asarray(xy, dtype=float)
    return gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=CRS)


def grid(n_cols, n_rows, step, x0=0.0, y0=0.0):
    col, row = np.meshgrid(np.arange(n_cols), np.arange(n_rows))
    x, y = x0 + step * col.ravel(), y0 + step * row.ravel()
    k = np.arange(n_cols * n_rows).reshape(n_rows, n_cols)
    tail = np.concatenate([k[:, :-1].ravel(), k[:-1].ravel()])
    head = np.concatenate([k[:, 1:].ravel(), k[1:].ravel()])
    return x, y, tail, head


def city_on_a_river(water_m=400.0, **options):
    """Two grids of 100 m blocks, water between them, one bridge at x = 0."""
    x0, y0, tail0, head0 = grid(16, 10, 100.0)
    x1, y1, tail1, head1 = grid(16, 10, 100.0, y0=900.0 + water_m)
    x, y = np.concatenate([x0, x1]), np.concatenate([y0, y1])
    south, north = 9 * 16, 160  # the ends of the bridge
    tail = np.concatenate([tail0, tail1 + 160, [south]])
    head = np.concatenate([head0, head1 + 160, [north]])
    length = np.hypot(x[tail] - x[head], y[tail] - y[head])
    return StreetNetwork.from_arrays(x, y, tail, head, length, crs=CRS, **options)


def street_points(net, step=5.0):
    lines = net.lines().geometry.to_numpy()
    parts = [shapely.line_interpolate_point(g, np.arange(0, g.length, step)) for g in lines]
    return gpd.GeoSeries(np.concatenate(parts), crs=CRS)


def test_the_area_holds_reached_street_points_and_no_others():
    net = city_on_a_river()
    station = snap_points(net, series([[520, 460]]))
    points = street_points(net)
    minutes, _ = nearest_minutes(net, snap_points(net, points), station, max_min=60)
    for limit, area in zip((5, 10, 15), service_areas(net, station, [5, 10, 15]), strict=True):
        inside = shapely.contains_xy(area, points.x.to_numpy(), points.y.to_numpy())
        reached = minutes <= limit
        assert inside[reached].mean() > 0.99
        assert reached[inside].mean() > 0.95
        # what the line gets wrong lies within a cell of it
        wrong = points[inside != reached].to_numpy()
        assert shapely.distance(wrong, area.boundary).max(initial=0.0) < 25.0


def test_a_river_is_crossed_at_the_bridge_only():
    net = city_on_a_river()
    far = snap_points(net, series([[1500, 850]]))  # 400 m from the other bank, 1.9 km by bridge
    (area,) = service_areas(net, far, [15])
    assert area.bounds[3] < 1000.0
    near = snap_points(net, series([[0, 900]]))
    (area,) = service_areas(net, near, [15])
    assert area.covers(shapely.Point(0, 1100))  # the bridge itself
    assert area.covers(shapely.Point(100, 1400))
    assert not area.intersects(shapely.box(100, 1000, 1500, 1200))  # water


def far_bank_m(net, station, area, limit, water_m):
    """Metres of street on the north bank that an area holds: too far to be reached, and all."""
    points, metres = points_along(net)
    minutes, _ = nearest_minutes(net, points, station, max_min=60)
    north = points.y > 900.0 + water_m - 1.0
    held = north & shapely.contains_xy(area, points.x, points.y)
    return metres[held & (minutes > limit)].sum(), metres[north & (minutes <= limit)].sum()


@pytest.mark.parametrize("water_m", [400.0, 60.0, 30.0])
def test_no_area_takes_in_a_bank_that_is_too_far(water_m):
    """Street length wrongly contained across the water, where a circle or a hull fails."""
    net = city_on_a_river(water_m)
    spots = [[1000, 895], [500, 700], [300, 905], [20, 600]]
    for spot in spots:
        station = snap_points(net, series([spot]))
        (area,) = service_areas(net, station, [15])
        wrong, reached = far_bank_m(net, station, area, 15, water_m)
        assert wrong <= 0.01 * reached + 5.0
    # the last one crosses the bridge, the first one stands at the water and does not
    assert reached > 500.0
    station = snap_points(net, series(spots[:1]))
    (area,) = service_areas(net, station, [15])
    assert far_bank_m(net, station, area, 15, water_m) == (0.0, 0.0)
    assert area.bounds[3] <= 900.0 + max(50.0, water_m / 2)
    circle = shapely.Point(spots[0]).buffer(1000.0)
    assert far_bank_m(net, station, circle, 15, water_m)[0] > 5_000.0
    station = snap_points(net, series(spots[3:]))
    hull = service_areas(net, station, [15])[0].convex_hull
    assert far_bank_m(net, station, hull, 15, water_m)[0] > 100.0


def test_the_line_runs_midway_between_a_reached_street_and_another():
    """Two streets 20 m apart, as on the sides of a railway, joined 3 km away."""
    x = [0, 3000, 3000, 0, 3100, 3100]
    y = [0, 0, 20, 20, 0, 20]
    net = StreetNetwork.from_arrays(
        x, y, [0, 1, 2, 1, 2], [1, 2, 3, 4, 5], [3000, 20, 3000, 100, 100], crs=CRS
    )
    (area,) = service_areas(net, snap_points(net, series([[1000, -5]])), [10])
    reach = 10 * 4000 / 60 - 5
    assert area.bounds == pytest.approx((1000 - reach, -50, 1000 + reach, 10), abs=3.0)
    assert not shapely.contains_xy(area, np.arange(0, 3000, 5.0), 20.0).any()


def test_areas_nest_and_follow_the_order_asked_for():
    net = city_on_a_river()
    places = snap_points(net, series([[300, 300], [1200, 1700]]))
    areas = service_areas(net, places, [15, 3, 7, 7.5])
    by_limit = [areas[1], areas[2], areas[3], areas[0]]
    for inner, outer in pairwise(by_limit):
        assert outer.area > inner.area
        assert inner.difference(outer).area < 1e-6
    assert all(a.is_valid and a.geom_type == "MultiPolygon" for a in areas)


def test_the_union_of_stations_is_the_area_of_all():
    net = city_on_a_river()
    spots = [[300, 300], [1200, 1700]]
    together = service_areas(net, snap_points(net, series(spots)), [5])[0]
    apart = [service_areas(net, snap_points(net, series([s])), [5])[0] for s in spots]
    assert together.symmetric_difference(shapely.union_all(apart)).area < 0.01 * together.area


def test_the_access_leg_shortens_the_area():
    net = city_on_a_river()
    near = service_areas(net, snap_points(net, series([[700, 400]])), [5])[0]
    far = service_areas(net, snap_points(net, series([[750, 450]])), [5])[0]
    assert far.area < near.area


def test_travel_is_toward_the_facility():
    """A one-way street to the east: the station is reached from the west."""
    n = 40
    x = np.arange(n) * 100.0
    net = StreetNetwork.from_arrays(
        x, np.zeros(n), np.arange(n - 1), np.arange(1, n), np.full(n - 1, 100.0),
        crs=CRS, mode="ebike", oneway=np.ones(n - 1, dtype=bool),
    )  # fmt: skip
    (area,) = service_areas(net, snap_points(net, series([[2000, 0]])), [4])
    low, _, high, _ = area.bounds
    assert low == pytest.approx(1000.0, abs=20.0)  # 4 min at 250 m/min
    assert high < 2060.0


def test_nobody_on_the_streets_is_an_empty_area():
    net = city_on_a_river()
    nobody = snap_points(net, series([[1e6, 1e6]]))
    assert [a.is_empty for a in service_areas(net, nobody, [5, 15])] == [True, True]
    assert service_areas(net, nobody, []) == []


def test_limits_out_of_range_are_refused():
    net = city_on_a_river()
    with pytest.raises(SettingsError, match="limits_min"):
        service_areas(net, snap_points(net, series([[0, 0]])), [5, -1])


def test_each_area_is_what_its_facility_has_alone():
    net = city_on_a_river()
    spots = [[300, 300], [1e6, 1e6], [1200, 1700], [310, 320], [0, 900]]
    places = snap_points(net, series(spots))
    areas = each_service_area(net, places, 5)
    assert [area.is_empty for area in areas] == [False, True, False, False, False]
    for area, spot in zip(areas, spots, strict=True):
        (alone,) = service_areas(net, snap_points(net, series([spot])), [5])
        assert area.geom_type == "MultiPolygon"
        assert area.is_valid
        assert area.symmetric_difference(alone).area < 1e-6


def test_neither_order_nor_threads_change_an_area():
    net = city_on_a_river()
    rng = np.random.default_rng(3)
    spots = np.column_stack([rng.uniform(0, 1500, 80), rng.uniform(0, 900, 80)])
    order = rng.permutation(80)
    one = each_service_area(net, snap_points(net, series(spots)), 7, threads=1)
    other = each_service_area(net, snap_points(net, series(spots[order])), 7, threads=3)
    assert shapely.equals_identical(np.array(one)[order], np.array(other)).all()
    together = service_areas(net, snap_points(net, series(spots)), [3, 7])
    again = service_areas(net, snap_points(net, series(spots[order])), [3, 7])
    assert shapely.equals_identical(together, again).all()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_areas_of_any_streets_are_valid_and_nest(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 60))
    x, y = rng.uniform(0, rng.choice([300.0, 2500.0]), (2, n))
    tail, head = rng.integers(0, n, (2, 2 * n))
    tail, head = tail[tail != head], head[tail != head]
    length = np.hypot(x[tail] - x[head], y[tail] - y[head]) * rng.uniform(1, 1.3, len(tail))
    net = StreetNetwork.from_arrays(
        x, y, tail, head, length, crs=CRS, mode="ebike", oneway=rng.random(len(tail)) < 0.3,
        junction_s=float(rng.choice([0.0, 12.0])),
    )  # fmt: skip
    stations = snap_points(net, series(rng.uniform(-50, 2500, (3, 2))))
    limits = [0.2, 1.0, 2.0, 5.0]
    areas = service_areas(net, stations, limits)
    assert all(area.is_valid for area in areas)
    for inner, outer in pairwise(areas):
        assert inner.difference(outer).area < 1e-6
    points, metres = points_along(net)
    minutes, _ = nearest_minutes(net, points, stations, max_min=60)
    apart = ~shapely.contains_xy(areas[-1].buffer(15.0), points.x, points.y)
    # what the area leaves out are streets among streets that are not reached
    assert metres[apart & (minutes <= 5.0)].sum() <= 0.05 * metres[minutes <= 5.0].sum()


def test_a_wait_at_junctions_makes_the_area_smaller():
    free, slow = city_on_a_river(), city_on_a_river(junction_s=20.0)
    points, _ = points_along(slow)
    station = snap_points(slow, series([[520, 460]]))
    (area,) = service_areas(slow, station, [10])
    (larger,) = service_areas(free, snap_points(free, series([[520, 460]])), [10])
    assert area.area < 0.8 * larger.area
    minutes, _ = nearest_minutes(slow, points, station, max_min=60)
    inside = shapely.contains_xy(area, points.x, points.y)
    assert inside[minutes <= 10].mean() > 0.98
    assert (minutes <= 10)[inside].mean() > 0.95


def test_a_large_city_is_drawn_in_windows(monkeypatch):
    net = city_on_a_river()
    spots = series([[300, 300], [1200, 400]])
    want = each_service_area(net, snap_points(net, spots), 4)
    (both,) = service_areas(net, snap_points(net, spots), [4])
    monkeypatch.setattr(raster, "MOST_NODES", 20_000)  # not all of it, but what is reached
    again = each_service_area(net, snap_points(net, spots), 4)
    for area, whole in zip(again, want, strict=True):
        assert area.symmetric_difference(whole).area < 1e-6
    monkeypatch.setattr(raster, "MOST_NODES", 2_000)  # nor that: cells grow
    (rough,) = service_areas(net, snap_points(net, spots), [4])
    assert rough.is_valid
    assert rough.symmetric_difference(both).area < 0.15 * both.area
    assert not rough.equals(both)


def test_a_limit_of_a_few_metres_is_an_empty_area_at_worst():
    net = city_on_a_river()
    station = snap_points(net, series([[520, 440]]))  # 40 m from a street
    tiny, small = service_areas(net, station, [0.1, 1.0])
    assert tiny.is_empty
    assert not small.is_empty
    assert each_service_area(net, station, 0.1)[0].is_empty


def test_porto_areas_are_true_to_the_streets(shared):
    porto = load_streets(shared / "porto" / "streets.osm.pbf", speed_kmh=4.8)
    rng = np.random.default_rng(11)
    lines = porto.lines().geometry[porto.main]
    stations = snap_points(porto, lines.iloc[rng.choice(len(lines), 60, replace=False)].centroid)
    for limit, least, most in ((15, 0.995, 0.004), (5, 0.985, 0.012)):
        areas = each_service_area(porto, stations, limit)
        truth = measure_truth(porto, stations, areas, limit)
        assert truth.inside > least
        assert truth.unreachable < most


def test_each_area_refuses_what_it_cannot_draw():
    net, other = city_on_a_river(), city_on_a_river(60.0)
    station = snap_points(net, series([[0, 0]]))
    with pytest.raises(SettingsError, match="limit_min"):
        each_service_area(net, station, 0)
    with pytest.raises(InputError, match="another street network"):
        each_service_area(other, station, 5)
    assert each_service_area(net, station.take(np.arange(0)), 5) == []
