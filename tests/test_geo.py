"""Datums go there and back to under a millimetre; metric CRS are told from others."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point

from planner.errors import CrsError
from planner.geo import (
    from_wgs84,
    is_metric,
    metric_crs,
    names_at,
    require_metric,
    shift_datum,
    to_wgs84,
    utm_crs,
)

GEOD = Geod(ellps="WGS84")
in_china = st.tuples(st.floats(73.5, 134.5), st.floats(18.5, 53.0))
in_europe = st.tuples(st.floats(-9.0, 30.0), st.floats(36.0, 70.0))


@pytest.mark.parametrize("place", [(8.1, 60.2), (114.05, 22.54), (-70.6, -33.4), (179.9, -0.01)])
def test_the_zone_is_the_one_of_the_database(place):
    table = gpd.GeoDataFrame(geometry=[Point(place).buffer(0.01)], crs="EPSG:4326")
    assert utm_crs(*place) == table.estimate_utm_crs() == metric_crs(table)


def metres(a, b):
    return GEOD.inv(a[0], a[1], b[0], b[1])[2]


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@given(place=in_china)
def test_a_datum_and_back_is_under_a_millimetre(datum, place):
    lon, lat = (np.array([v]) for v in place)
    there = from_wgs84(lon, lat, datum)
    back = to_wgs84(*there, datum)
    assert metres((lon, lat), back)[0] < 0.001
    assert 20 < metres((lon, lat), there)[0] < 2000


@given(place=in_europe)
def test_gcj02_is_wgs84_outside_china(place):
    lon, lat = (np.array([v]) for v in place)
    assert [v[0] for v in from_wgs84(lon, lat, "gcj02")] == list(place)
    assert [v[0] for v in to_wgs84(lon, lat, "gcj02")] == list(place)


@given(place=in_europe)
def test_bd09_goes_and_comes_back_outside_china(place):
    lon, lat = (np.array([v]) for v in place)
    assert metres((lon, lat), to_wgs84(*from_wgs84(lon, lat, "bd09"), "bd09"))[0] < 0.001


# (longitude, latitude) in WGS 84 and GCJ-02: Shanghai, Shenzhen and Beijing, as published with the
# test suite of eviltransform.
PUBLISHED = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_published_pairs_of_gcj02_are_met(wgs84, gcj02):
    lon, lat = from_wgs84(np.array([wgs84[0]]), np.array([wgs84[1]]), "gcj02")
    assert (lon[0], lat[0]) == pytest.approx(gcj02, abs=1e-6)


def test_wgs84_is_left_alone():
    assert to_wgs84(np.array([114.0]), np.array([22.5]), "wgs84")[0][0] == 114.0


def test_shift_datum_moves_polygons_and_not_its_argument():
    box = gpd.GeoDataFrame(geometry=[shapely.box(114.0, 22.5, 114.1, 22.6)], crs=4326)
    moved = shift_datum(box, "gcj02")
    assert metres(box.geometry[0].exterior.coords[0], moved.geometry[0].exterior.coords[0]) > 100
    assert box.geometry[0].bounds == (114.0, 22.5, 114.1, 22.6)


def test_metric_crs_is_the_utm_zone_or_the_tables_own():
    table = gpd.GeoDataFrame(geometry=[Point(114.9, 25.8)], crs=4326)
    assert metric_crs(table).to_epsg() == 32650
    assert metric_crs(table.to_crs(32649)).to_epsg() == 32649


def test_degrees_and_no_crs_are_refused():
    table = gpd.GeoDataFrame(geometry=[Point(114.9, 25.8)])
    assert not is_metric(table.crs)
    with pytest.raises(CrsError, match="no CRS"):
        metric_crs(table)
    with pytest.raises(CrsError, match="must be in metres"):
        require_metric(table.set_crs(4326), "area")
    with pytest.raises(CrsError, match="no geometry"):
        metric_crs(gpd.GeoDataFrame(geometry=[], crs=4326))


def test_a_point_is_named_after_the_first_polygon_that_holds_it():
    area = gpd.GeoDataFrame(
        {"name": ["East", "West", "Middle"]},
        geometry=[shapely.box(10, 0, 20, 10), shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10)],
        index=["b", "a", "c"],
        crs=32650,
    )
    points = gpd.GeoSeries([Point(x, 5) for x in (2, 7, 12, 30)], crs=32650)
    expected = ["West", "West", "East", ""]
    assert names_at(points, area).tolist() == expected
    assert names_at(points, area.iloc[::-1]).tolist() == expected
    assert names_at(points.to_crs(32651), area).tolist() == expected
    assert names_at(points, None).tolist() == [""] * 4
    assert names_at(points.iloc[:0], area).tolist() == []
