"""What a closing costs: by hand, and against coverage measured without the station."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.coverage import measure_closures, measure_coverage
from planner.errors import InputError

OUT = np.nan


@pytest.fixture
def town(make_reach_by_hand, make_demand_table, make_stations_table):
    demand = make_demand_table([(k, k) for k in range(4)], [10, 20, 30, 40])
    stations = make_stations_table([(0, 0), (1, 1), (2, 2)]).assign(name=["West", "East", None])
    minutes = [[0.0, OUT, OUT], [12.0, 4.0, OUT], [OUT, 14.0, OUT], [OUT] * 3]
    return demand, stations, make_reach_by_hand(demand, stations.index, minutes)


def test_by_hand(town):
    demand, stations, reach = town
    table = measure_closures(reach, demand, stations)
    assert table.index.tolist() == ["s1", "s0", "s2"]
    assert table["name"].tolist() == ["East", "West", ""]
    assert table["served_per_day"].tolist() == [50, 10, 0]
    assert table["lost_per_day"].tolist() == [30, 10, 0]
    assert table["lost_share"].tolist() == pytest.approx([0.3, 0.1, 0])
    # within the limit only d1, the lesser part of what s1 serves, has another station
    assert table["next_min"].isna().all()


def test_minutes_tell_the_next_station_beyond_the_limit(town):
    demand, stations, reach = town
    minutes = pd.DataFrame({"next_min": [21.0, 12.0, 33.0, np.inf]}, index=demand.index)
    table = measure_closures(reach, demand, stations, minutes=minutes)
    assert table["next_min"].tolist()[:2] == [33.0, 21.0]
    assert np.isnan(table.loc["s2", "next_min"])  # nobody is served
    endless = minutes.assign(next_min=[21.0, 12.0, np.inf, np.inf])
    assert np.isnan(
        measure_closures(reach, demand, stations, minutes=endless).loc["s1", "next_min"]
    )


def test_equals_are_served_by_the_first_in_whatever_order(town, make_reach_by_hand):
    demand, stations, _ = town
    reach = make_reach_by_hand(demand, stations.index, [[5.0, 5.0, 5.0]] * 4)
    table = measure_closures(reach.select(["s2", "s0", "s1"]), demand, stations.iloc[::-1])
    assert table["served_per_day"].to_dict() == {"s0": 100, "s1": 0, "s2": 0}
    assert table["next_min"].to_dict()["s0"] == 5.0
    assert (table["lost_per_day"] == 0).all()


def test_without_stations_nothing_can_close(town):
    demand, stations, reach = town
    table = measure_closures(reach, demand, stations.iloc[:0])
    assert table.empty
    assert table.columns.tolist()[0] == "name"


def test_what_does_not_belong_together_is_refused(town):
    demand, stations, reach = town
    with pytest.raises(InputError, match="no rider-visits"):
        measure_closures(reach, demand.assign(weight_per_day=0.0), stations)
    with pytest.raises(InputError, match="knows none of the 3 facilities"):
        measure_closures(reach, demand, stations.rename(lambda i: f"x{i}"))
    short = pd.DataFrame({"next_min": [1.0]}, index=["d0"])
    with pytest.raises(InputError, match="`minutes` lacks 3 demand points, first 'd1'"):
        measure_closures(reach, demand, stations, minutes=short)


times = st.lists(
    st.lists(st.one_of(st.just(OUT), st.floats(0, 15)), min_size=4, max_size=4),
    min_size=5,
    max_size=5,
)


@settings(max_examples=25)
@given(times, st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_a_loss_is_what_coverage_falls_by_without_the_station(
    make_reach_by_hand, make_demand_table, make_stations_table, minutes, weight
):
    demand = make_demand_table([(k, k) for k in range(5)], weight)
    stations = make_stations_table([(0, 0)] * 4)
    reach = make_reach_by_hand(demand, stations.index, minutes)
    table = measure_closures(reach, demand, stations)
    whole = measure_coverage(reach, demand, dayparts={}).loc["all"]
    for station, row in table.iterrows():
        rest = reach.select(stations.index.drop(station))
        left = measure_coverage(rest, demand, dayparts={}).loc["all", "covered_share"]
        assert whole["covered_share"] - row["lost_share"] == pytest.approx(left)
        assert row["lost_per_day"] <= row["served_per_day"]
    once = whole["covered_share"] - whole["backup_share"]
    assert table["lost_share"].sum() == pytest.approx(once)
    assert table["served_per_day"].sum() == pytest.approx(whole["covered_share"] * sum(weight))
