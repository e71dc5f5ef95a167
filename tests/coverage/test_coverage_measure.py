import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.coverage import circle_share, measure_coverage
from planner.errors import InputError, SettingsError
from planner.tables import check_table

PARTS = {"noon": (11, 14), "night": (21, 6)}


@pytest.fixture
def town(make_reach_by_hand, make_demand_table, make_stations_table):
    demand = make_demand_table(
        [(100, 100), (900, 900), (1100, 100), (2500, 500)],
        [10, 20, 30, 40],
        weight_noon=[10.0, 10.0, 0.0, 20.0],
        weight_night=[0.0, 10.0, 30.0, 20.0],
        weight_type_food=[10.0, 0.0, 30.0, 0.0],
        weight_type_courier=[0.0, 20.0, 0.0, 40.0],
    )
    stations = make_stations_table(
        [(0, 0), (1000, 1000), (5000, 5000)], ["11:00-14:00", "22:00-06:00", "00:00-24:00"]
    )
    reach = make_reach_by_hand(
        demand,
        stations.index,
        [[0.0, np.nan, np.nan], [12.0, 4.0, np.nan], [np.nan, 14.0, np.nan], [np.nan] * 3],
    )
    return demand, stations, reach


def test_by_hand(town, two_districts):
    demand, stations, reach = town
    table = measure_coverage(reach, demand, facilities=stations, area=two_districts, dayparts=PARTS)
    check_table(table, "coverage")
    assert list(table.index) == [
        "all",
        "daypart:noon",
        "daypart:night",
        "district:江北",
        "district:江南",
        "worker_type:courier",
        "worker_type:food",
    ]
    assert table["weight_per_day"].tolist() == [100, 40, 60, 30, 70, 60, 40]
    # d3 alone is beyond every limit
    assert table["covered_share"].tolist() == pytest.approx(
        [60 / 100, 20 / 40, 40 / 60, 1.0, 30 / 70, 20 / 60, 1.0]
    )
    # at noon s0 serves d0 and d1; at night s1 serves d1 and d2
    assert table.loc["daypart:noon", "open_share"] == pytest.approx(20 / 40)
    assert table.loc["daypart:night", "open_share"] == pytest.approx(40 / 60)
    assert table["open_share"].notna().sum() == 2
    # d1 alone is covered twice
    assert table["backup_share"].tolist() == pytest.approx(
        [20 / 100, 10 / 40, 10 / 60, 20 / 30, 0, 20 / 60, 0]
    )
    # 0 and 4 min count in full, 14 min a tenth
    assert table.loc["all", "gradual_share"] == pytest.approx((10 + 20 + 3) / 100)
    assert table.loc["daypart:night", "gradual_share"] == pytest.approx((10 + 3) / 60)
    # nearest 0, 4, 14 and endless min with weights 10, 20, 30 and 40
    assert table.loc["all", ["mean_min", "median_min"]].tolist() == pytest.approx([500 / 60, 14])
    assert np.isnan(table.loc["all", "p90_min"])
    assert table.loc["worker_type:food", ["median_min", "p90_min"]].tolist() == [14, 14]
    # at noon 10 at 0 min and 10 at 12 min, 20 endless
    noon = table.loc["daypart:noon", ["mean_min", "median_min"]].tolist()
    assert noon == pytest.approx([6, 12])
    assert table["seats_per_100"].isna().all()
    assert table.attrs["coverage"] == {
        "mode": "walk",
        "speed_kmh": 4.0,
        "limit_min": 15.0,
        "full_min": 5.0,
        "horizon_min": 15.0,
        "beyond_share": pytest.approx(0.4),
        "facilities": 3,
        "unmatched": 0,
        "seats": 0.0,
        "seats_unknown": 3,
    }


def test_only_facilities_of_both_count(town):
    demand, stations, reach = town
    both = measure_coverage(reach, demand, facilities=stations.loc[["s1", "s2"]], dayparts=PARTS)
    assert both.loc["all", "covered_share"] == pytest.approx(50 / 100)
    assert both.attrs["coverage"]["facilities"] == 2
    fewer = measure_coverage(reach.select(["s0"]), demand, facilities=stations, dayparts=PARTS)
    assert fewer.loc["all", "covered_share"] == pytest.approx(30 / 100)
    assert fewer.attrs["coverage"]["unmatched"] == 2


def test_without_hours_open_shares_stay_empty(town):
    demand, stations, reach = town
    for facilities in (None, stations[["geometry"]]):
        table = measure_coverage(reach, demand, facilities=facilities, dayparts=PARTS)
        assert table["open_share"].isna().all()
        assert table.loc["all", "covered_share"] == pytest.approx(0.6)


def test_no_stations_cover_nothing(town):
    demand, stations, reach = town
    table = measure_coverage(reach.select([]), demand, facilities=stations.iloc[:0], dayparts=PARTS)
    assert (table["covered_share"] == 0).all()
    assert (table.loc[["daypart:noon", "daypart:night"], "open_share"] == 0).all()
    assert table["median_min"].isna().all()


def test_demand_outside_every_district_counts_to_the_nearest(town, two_districts):
    demand, _, reach = town
    table = measure_coverage(reach, demand, area=two_districts, dayparts={})
    districts = table[table["scope"] == "district"]
    assert districts["weight_per_day"].sum() == demand["weight_per_day"].sum()
    assert table.loc["district:江南", "weight_per_day"] == 70  # d3 lies 500 m east of it


def test_a_shared_border_counts_once_and_to_the_first(
    make_reach_by_hand, make_demand_table, two_districts
):
    demand = make_demand_table([(1000, 50), (1500, 50)], [3, 4])
    reach = make_reach_by_hand(demand, ["s0"], [[1.0], [np.nan]])
    for area in (two_districts, two_districts.iloc[::-1]):
        table = measure_coverage(reach, demand, area=area, dayparts={})
        assert table.loc["district:江北", "weight_per_day"] == 3
        assert table.loc["district:江南", "weight_per_day"] == 4
        assert list(table.index) == ["all", "district:江北", "district:江南"]


def test_districts_in_another_crs_are_met(town, two_districts):
    demand, _, reach = town
    plain = measure_coverage(reach, demand, area=two_districts, dayparts={})
    degrees = measure_coverage(reach, demand, area=two_districts.to_crs(4326), dayparts={})
    pd.testing.assert_frame_equal(plain, degrees)


def test_a_scope_without_demand_has_no_share(make_reach_by_hand, make_demand_table, two_districts):
    demand = make_demand_table([(100, 50)], [3])
    reach = make_reach_by_hand(demand, ["s0"], [[1.0]])
    row = measure_coverage(reach, demand, area=two_districts, dayparts={}).loc["district:江南"]
    assert row["weight_per_day"] == 0
    assert np.isnan(row["covered_share"])
    assert np.isnan(row["median_min"])


def test_order_of_rows_does_not_matter(town, two_districts):
    demand, stations, reach = town
    demand = demand.assign(weight_per_day=[0.1, 0.2, 0.3, 0.4])
    stations = stations.assign(capacity=[7.0, 11.0, 13.0])
    plain = measure_coverage(reach, demand, facilities=stations, area=two_districts, dayparts=PARTS)
    for seed in range(5):
        shuffled = measure_coverage(
            reach.select(stations.index[::-1]),
            demand.sample(frac=1, random_state=seed),
            facilities=stations.sample(frac=1, random_state=seed),
            area=two_districts.iloc[::-1],
            dayparts=PARTS,
        )
        pd.testing.assert_frame_equal(plain, shuffled, check_exact=True)


def test_the_input_is_left_alone(town, two_districts):
    demand, stations, reach = town
    before = demand.copy(), stations.copy(), reach.minutes.copy()
    measure_coverage(reach, demand, facilities=stations, area=two_districts, dayparts=PARTS)
    pd.testing.assert_frame_equal(demand, before[0])
    pd.testing.assert_frame_equal(stations, before[1])
    assert (reach.minutes != before[2]).nnz == 0


def test_demand_the_reach_does_not_know_is_an_error(town, make_demand_table):
    demand, _, reach = town
    stranger = demand.rename({"d2": "d9"})
    with pytest.raises(InputError, match="lacks 1 demand points, first 'd9'"):
        measure_coverage(reach, stranger)


def test_facilities_the_reach_does_not_know_are_an_error(town):
    demand, stations, reach = town
    with pytest.raises(InputError, match="knows none of the 3 facilities"):
        measure_coverage(reach, demand, facilities=stations.rename(lambda i: f"x{i}"))


def test_demand_without_weight_is_an_error(town):
    demand, stations, reach = town
    for empty in (demand.assign(weight_per_day=0.0), demand.iloc[:0]):
        with pytest.raises(InputError, match="no rider-visits"):
            measure_coverage(reach, empty)
        with pytest.raises(InputError, match="no rider-visits"):
            circle_share(empty, stations, radius_m=100)


minutes_tables = st.lists(
    st.lists(st.one_of(st.just(np.nan), st.floats(0, 15)), min_size=4, max_size=4),
    min_size=3,
    max_size=3,
)
spans = st.sampled_from(["", "00:00-24:00", "11:00-14:00", "22:00-06:00", "08:00-12:00"])
SHARES = ["covered_share", "backup_share", "gradual_share", "open_share"]


@settings(max_examples=25)
@given(minutes_tables, st.tuples(st.lists(spans, min_size=4, max_size=4), st.floats(0, 20)))
def test_more_stations_never_serve_worse_and_no_share_exceeds_the_covered(
    make_reach_by_hand, make_demand_table, make_stations_table, minutes, options
):
    hours, full_min = options
    demand = make_demand_table(
        [(0, 0), (1, 1), (2, 2)], [1, 2, 4], weight_noon=[1.0, 0, 2], weight_night=[0.0, 2, 2]
    )
    stations = make_stations_table([(0, 0)] * 4, hours).assign(capacity=[4.0, np.nan, 9.0, 0.0])
    reach = make_reach_by_hand(demand, stations.index, minutes)
    last = None
    for count in range(5):
        some = stations.iloc[:count]
        table = measure_coverage(
            reach.select(some.index), demand, facilities=some, dayparts=PARTS, full_min=full_min
        )
        for share in SHARES:
            assert (table["covered_share"] - table[share].fillna(0) >= -1e-12).all()
        if last is not None:
            for column in [*SHARES, "seats_per_100"]:
                assert (table[column].fillna(0) >= last[column].fillna(0) - 1e-9).all()
            for column in ["median_min", "p90_min"]:
                assert (table[column].fillna(99) <= last[column].fillna(99) + 1e-12).all()
        last = table
    # no demand lies between full cover and none
    steps = measure_coverage(reach, demand, facilities=stations, dayparts=PARTS, full_min=15)
    assert steps["gradual_share"].tolist() == steps["covered_share"].tolist()


def test_a_negative_full_cover_is_refused(town):
    demand, _, reach = town
    with pytest.raises(SettingsError, match="`full_min` setting must not be negative"):
        measure_coverage(reach, demand, full_min=-1)


def test_circles_by_hand(make_demand_table, make_stations_table):
    demand = make_demand_table([(0, 0), (300, 400), (600, 800)], [1, 2, 5])
    stations = make_stations_table([(0, 0)])
    assert circle_share(demand, stations, radius_m=499) == pytest.approx(1 / 8)
    assert circle_share(demand, stations, radius_m=500) == pytest.approx(3 / 8)
    assert circle_share(demand, stations, radius_m=1000) == 1.0
    assert circle_share(demand, stations.iloc[:0], radius_m=1000) == 0.0
