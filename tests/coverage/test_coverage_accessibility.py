"""Seats per visit: by hand, conserved, never fewer for more seats."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.coverage import measure_accessibility, measure_coverage
from planner.errors import ColumnError, InputError

OUT = np.nan


@pytest.fixture
def street(make_reach_by_hand, make_demand_table):
    """d0 in the first band of A and the second of B, d1 in the last of A, d2 nowhere."""
    demand = make_demand_table([(0, 0), (1, 1), (2, 2)], [10, 20, 70], weight_noon=[5.0, 0, 1])
    return demand, make_reach_by_hand(demand, ["A", "B"], [[5.0, 10.0], [15.0, OUT], [OUT, OUT]])


def test_by_hand(street):
    demand, reach = street
    seats = measure_accessibility(reach, demand, pd.Series({"A": 20.0, "B": 10.0}))
    at_a, at_b = 20 / (10 + 0.22 * 20), 10 / (0.68 * 10)
    assert seats.tolist() == pytest.approx([100 * (at_a + 0.68 * at_b), 100 * 0.22 * at_a, 0])
    assert (seats.name, seats.index.name) == ("seats_per_100", "demand_id")


def test_one_daypart_shares_the_seats_among_its_own_visits(street):
    demand, reach = street
    capacity = pd.Series({"A": 20.0, "B": 0.0})
    seats = measure_accessibility(reach, demand, capacity, weight="weight_noon")
    assert seats.tolist() == pytest.approx([100 * 20 / 5, 100 * 0.22 * 20 / 5, 0])


def test_what_is_not_known_does_not_count(street):
    demand, reach = street
    some = measure_accessibility(reach, demand, pd.Series({"A": 20.0, "B": np.nan}))
    alone = measure_accessibility(reach, demand, pd.Series({"A": 20.0}))
    pd.testing.assert_series_equal(some, alone)
    assert measure_accessibility(reach, demand, pd.Series({"A": np.nan})).isna().all()


def test_coverage_tells_the_mean_and_what_is_not_known(street, make_stations_table):
    demand, reach = street
    stations = make_stations_table([(0, 0), (1, 1)], ["11:00-14:00", ""])
    stations.index = pd.Index(["A", "B"], name="station_id")
    table = measure_coverage(
        reach,
        demand,
        facilities=stations.assign(capacity=[20.0, np.nan]),
        dayparts={"noon": (11, 14), "night": (21, 6)},
    )
    # every seat that anyone reaches, over all visits
    assert table.loc["all", "seats_per_100"] == pytest.approx(100 * 20 / 100)
    assert table.loc["daypart:noon", "seats_per_100"] == pytest.approx(100 * 20 / 6)
    assert table.attrs["coverage"]["seats"] == 20
    assert table.attrs["coverage"]["seats_unknown"] == 1


def test_bad_capacities_and_weights_are_refused(street):
    demand, reach = street
    for wrong in (-1.0, np.inf, "many"):
        with pytest.raises(InputError, match="`capacity` of 'B' must be a number of seats"):
            measure_accessibility(reach, demand, pd.Series({"A": 1.0, "B": wrong}))
    with pytest.raises(ColumnError, match=r"`demand` lacks `weight_nonn`.*weight_noon"):
        measure_accessibility(reach, demand, pd.Series({"A": 1.0}), weight="weight_nonn")
    with pytest.raises(InputError, match="knows none of the 1 facilities"):
        measure_accessibility(reach, demand, pd.Series({"Z": 1.0}))


times = st.lists(
    st.lists(st.one_of(st.just(OUT), st.floats(0, 15)), min_size=3, max_size=3),
    min_size=4,
    max_size=4,
)
amounts = st.lists(st.integers(0, 40), min_size=3, max_size=3)


@settings(max_examples=60)
@given(times, st.tuples(amounts, amounts), st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_seats_are_conserved_and_more_of_them_never_give_less(
    make_reach_by_hand, make_demand_table, minutes, seats, weight
):
    seats, more = seats
    demand = make_demand_table([(k, k) for k in range(4)], np.add(weight, 1e-3 * np.arange(4)))
    reach = make_reach_by_hand(demand, ["A", "B", "C"], minutes)
    capacity = pd.Series(seats, index=["A", "B", "C"], dtype=float)
    found = measure_accessibility(reach, demand, capacity)
    load = demand["weight_per_day"].to_numpy()
    reached = (np.isfinite(minutes) & (load > 0)[:, None]).any(axis=0)
    assert found.to_numpy() @ load / 100 == pytest.approx(capacity.to_numpy()[reached].sum())
    richer = measure_accessibility(reach, demand, capacity + more)
    assert (richer >= found - 1e-9).all()
    fewer = measure_accessibility(reach, demand, capacity[["A", "B"]])
    assert (fewer <= found + 1e-9).all()
