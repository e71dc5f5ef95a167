"""Gathering places: where riders rest, and which of them have no shelter."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planner.demand import find_gatherings, find_hotspots
from planner.errors import ColumnError, SettingsError

CRS = "EPSG:32650"
PARK, MALL, MARKET = (1000, 1000), (4000, 1000), (4000, 4000)


def demand_of(xy, rest, wait):
    xy, rest, wait = np.asarray(xy, dtype=float), np.asarray(rest, float), np.asarray(wait, float)
    table = gpd.GeoDataFrame(
        {
            "weight_per_day": rest + wait,
            "workers": 10,
            "weight_noon": wait,
            "weight_afternoon": rest,
            "weight_class_wait": wait,
            "weight_class_rest": rest,
            "cell_row": range(len(xy)),
            "cell_col": 0,
        },
        index=pd.Index([f"d{i:04d}" for i in range(len(xy))], name="demand_id"),
        geometry=gpd.points_from_xy(*xy.T),
        crs=CRS,
    )
    table.attrs["demand"] = {"dayparts": {"noon": [11, 14], "afternoon": [14, 17]}}
    return table


@pytest.fixture
def demand():
    """Riders rest in a park and before a mall, and only wait at a market; elsewhere little."""
    places = [(x + dx, y) for x, y in (PARK, MALL, MARKET) for dx in (0, 100)]
    plain = [(x, y) for x in range(0, 6000, 500) for y in range(6000, 9000, 500)]
    rest = [20, 15, 9, 8, 0, 0, *([0.5] * len(plain))]
    wait = [1, 1, 5, 5, 60, 50, *([1.0] * len(plain))]
    return demand_of(places + plain, rest, wait)


def stations(xy, kind="station"):
    return gpd.GeoDataFrame(
        {
            "name": [f"Station {i}" for i in range(len(xy))],
            "kind": kind,
            "services": None,
            "hours": "09:00-17:00",
            "hours_assumed": False,
            "capacity": np.nan,
        },
        index=pd.Index([f"s{i}" for i in range(len(xy))], name="station_id"),
        geometry=gpd.points_from_xy(*np.transpose(xy)),
        crs=CRS,
    )


def test_riders_who_rest_far_from_a_station_have_no_shelter(demand):
    found = find_gatherings(demand, existing=stations([(4000, 1150), (1000, 1250)]))
    assert found.index.tolist() == ["g001", "g002"]
    assert found.index.name == "gathering_id"
    assert found["rest_per_day"].tolist() == [35.0, 17.0]
    assert found["weight_per_day"].tolist() == [37.0, 27.0]
    assert found["points"].tolist() == [2, 2]
    assert found["station_m"].tolist() == [250.0, 150.0]
    assert found["informal"].tolist() == [True, False]
    assert found.geometry.x.tolist() == [1000.0, 4000.0]
    assert found["peak"].tolist() == ["afternoon", "afternoon"]


def test_where_riders_only_wait_is_a_hot_spot_and_no_gathering_place(demand):
    assert (4000.0, 4000.0) in {(p.x, p.y) for p in find_hotspots(demand).geometry}
    assert (4000.0, 4000.0) not in {(p.x, p.y) for p in find_gatherings(demand).geometry}


@pytest.mark.parametrize(("shelter_m", "informal"), [(149.0, True), (150.0, False)])
def test_shelter_at_hand_is_what_the_planner_says(demand, shelter_m, informal):
    found = find_gatherings(demand, existing=stations([(4000, 1150)]), shelter_m=shelter_m)
    assert found["informal"].tolist() == [True, informal]


def test_a_charging_cabinet_and_a_bay_are_no_shelter(demand):
    for kind in ("charging", "parking"):
        found = find_gatherings(demand, existing=stations([PARK], kind))
        assert found["informal"].all()
        assert found["station_m"].isna().all()


def test_without_stations_nobody_has_shelter(demand):
    for existing in (None, stations([PARK]).iloc[:0]):
        found = find_gatherings(demand, existing=existing)
        assert found["informal"].tolist() == [True, True]
        assert found["station_m"].isna().all()


def test_without_classes_of_stays_nothing_is_told(demand):
    plain = demand.drop(columns="weight_class_rest")
    found = find_gatherings(plain, existing=stations([PARK]))
    assert found.empty
    assert {"rest_per_day", "station_m", "informal"} <= set(found.columns)
    assert "rest_per_day" not in find_hotspots(plain).columns


def test_hot_spots_tell_how_much_of_it_is_rest(demand):
    found = find_hotspots(demand).set_index("weight_per_day")["rest_per_day"]
    assert found[110.0] == 0.0
    assert found[37.0] == 35.0


def test_rest_is_told_as_it_was_whatever_it_weighs(demand):
    heavy = demand.assign(weight_class_rest=demand["weight_class_rest"] * 4)
    heavy.attrs["demand"] = {**demand.attrs["demand"], "need": {"rest": 4.0}}
    assert find_gatherings(heavy)["rest_per_day"].tolist() == [35.0, 17.0]
    none = demand.assign(weight_class_rest=0.0)
    none.attrs["demand"] = {**demand.attrs["demand"], "need": {"rest": 0.0}}
    assert find_gatherings(none).empty


def test_order_and_crs_of_the_tables_do_not_matter(demand):
    existing = stations([(4000, 1150), (1000, 1250)])
    one = find_gatherings(demand, existing=existing)
    two = find_gatherings(
        demand.sample(frac=1, random_state=1),
        existing=existing.sample(frac=1, random_state=2).to_crs("EPSG:32651"),
        rng=7,
    )
    far = two.pop("station_m")
    assert far.tolist() == pytest.approx(one.pop("station_m").tolist(), abs=0.01)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_nothing_is_written_into_the_arguments(demand):
    existing = stations([PARK])
    before = demand.copy(), existing.copy()
    find_gatherings(demand, existing=existing)
    pd.testing.assert_frame_equal(before[0], demand)
    pd.testing.assert_frame_equal(before[1], existing)


def test_bad_input_is_named(demand):
    with pytest.raises(SettingsError, match="`shelter_m`"):
        find_gatherings(demand, shelter_m=0)
    with pytest.raises(SettingsError, match="`eps_m`"):
        find_gatherings(demand, eps_m=float("nan"))
    with pytest.raises(ColumnError, match="lacks `kind`"):
        find_gatherings(demand, existing=stations([PARK]).drop(columns="kind"))
