"""Service areas: they hold the reached streets, respect the river, and nest."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import SettingsError
from planner.network import (
    StreetNetwork,
    nearest_minutes,
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


def city_on_a_river(**options):
    """Two grids of 100 m blocks, 400 m of water between them, one bridge at x = 0."""
    x0, y0, tail0, head0 = grid(16, 10, 100.0)
    x1, y1, tail1, head1 = grid(16, 10, 100.0, y0=1300.0)
    x, y = np.concatenate([x0, x1]), np.concatenate([y0, y1])
    south, north = 9 * 16, 160  # (0, 900) and (0, 1300)
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
