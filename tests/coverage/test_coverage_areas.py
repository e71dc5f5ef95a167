"""Tables of service areas: of all stations together, and of each by itself."""

import geopandas as gpd
import pytest
from shapely import Point

from planner.coverage import make_service_areas
from planner.errors import InputError, SettingsError

METRES_A_MINUTE = 4000 / 60


def test_areas_are_nested_and_hold_what_is_reached(make_grid, make_stations_table):
    streets = make_grid(21)
    stations = make_stations_table([(1000, 1000)])
    areas = make_service_areas(streets, stations, limits_min=(9, 3, 6))
    assert areas["limit_min"].tolist() == [3, 6, 9]
    assert areas.crs == streets.crs
    shapes = list(areas.geometry)
    assert shapes[0].area < shapes[1].area < shapes[2].area
    assert shapes[0].difference(shapes[1]).area < 1e-6
    assert shapes[1].difference(shapes[2]).area < 1e-6
    reached = 9 * METRES_A_MINUTE
    assert shapes[2].contains(Point(1000 + reached - 30, 1000))
    assert not shapes[2].contains(Point(1000 + reached + 30, 1000))
    # a grid is a diamond: as far again along the diagonal is out of reach
    assert not shapes[2].contains(Point(1000 + 0.7 * reached, 1000 + 0.7 * reached))


def test_more_stations_never_serve_a_smaller_area(make_grid, make_stations_table):
    streets = make_grid(21)
    one = make_service_areas(streets, make_stations_table([(500, 500)]), limits_min=(5,))
    two = make_service_areas(
        streets, make_stations_table([(500, 500), (1500, 1500)]), limits_min=(5,)
    )
    assert two.geometry.iloc[0].buffer(1).contains(one.geometry.iloc[0])


def test_each_station_has_a_row_a_limit(make_grid, make_stations_table):
    streets = make_grid(21)
    stations = make_stations_table([(1500, 1500), (90_000, 0), (500, 500), (700, 500)])
    areas = make_service_areas(streets, stations, limits_min=(6, 3), each=True)
    assert list(areas.columns) == ["facility_id", "limit_min", "geometry"]
    assert areas.index.name == "service_area_id"
    assert areas["facility_id"].tolist() == ["s0", "s0", "s2", "s2", "s3", "s3"]
    assert areas["facility_id"].dtype == stations.index.dtype
    assert areas["limit_min"].tolist() == [3.0, 6.0] * 3
    assert areas.geometry.is_valid.all()
    for _, rows in areas.groupby("facility_id"):
        smaller, larger = rows.geometry
        assert smaller.difference(larger).area < 1e-6
    together = make_service_areas(streets, stations, limits_min=(3, 6))
    for limit, rows in areas.groupby("limit_min"):
        whole = together.geometry[together["limit_min"] == limit].iloc[0]
        assert rows.union_all().symmetric_difference(whole).area < 0.01 * whole.area


def test_areas_come_back_in_the_crs_of_the_stations(make_grid, make_stations_table):
    streets = make_grid(21)
    stations = make_stations_table([(500, 500)])
    other = stations.to_crs("EPSG:32651")
    for each in (False, True):
        areas = make_service_areas(streets, other, limits_min=(5,), each=each)
        assert areas.crs == other.crs
        here = make_service_areas(streets, stations, limits_min=(5,), each=each)
        back = areas.to_crs(stations.crs).geometry.iloc[0]
        assert back.symmetric_difference(here.geometry.iloc[0]).area < 1.0


def test_no_station_near_a_street_serves_no_area(make_grid, make_stations_table):
    streets = make_grid()
    for each, columns in ((False, []), (True, ["facility_id"])):
        for stations in (make_stations_table([]), make_stations_table([(90_000, 0)])):
            areas = make_service_areas(streets, stations, each=each)
            assert isinstance(areas, gpd.GeoDataFrame)
            assert areas.empty
            assert list(areas.columns) == [*columns, "limit_min", "geometry"]
            assert areas.index.name == "service_area_id"
            assert areas["limit_min"].dtype == float


def test_bad_limits_and_stations_are_refused(make_grid, make_stations_table):
    streets, stations = make_grid(), make_stations_table([(0, 0)])
    with pytest.raises(SettingsError, match="limits_min"):
        make_service_areas(streets, stations, limits_min=(5, 0), each=True)
    with pytest.raises(InputError, match="hold no point"):
        make_service_areas(streets, stations.set_geometry(stations.buffer(9)), each=True)
