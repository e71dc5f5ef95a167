import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.coverage import measure_equity


def table(shares, weights, scope="district"):
    return pd.DataFrame(
        {
            "scope": scope,
            "name": [f"D{i}" for i in range(len(shares))],
            "weight_per_day": np.asarray(weights, dtype=float),
            "covered_share": np.asarray(shares, dtype=float),
        }
    )


def test_equal_shares_have_no_inequality():
    equity = measure_equity(table([0.4, 0.4, 0.4], [1, 5, 10]))
    assert equity["gini"] == pytest.approx(0.0)
    assert equity["worst_district"] == "D0"


def test_by_hand_two_districts():
    # mean 0.5; 2 · ½ · ½ · |1 − 0| / (2 · 0.5) = 0.5
    equity = measure_equity(table([1.0, 0.0], [3, 3]))
    assert equity == {"gini": pytest.approx(0.5), "worst_district": "D1", "worst_share": 0.0}


def test_districts_without_demand_do_not_count():
    equity = measure_equity(table([0.8, np.nan, 0.6], [2, 0, 2]))
    assert equity["worst_district"] == "D2"
    assert equity["gini"] == pytest.approx(measure_equity(table([0.8, 0.6], [1, 1]))["gini"])


def test_nothing_covered_is_equal():
    assert measure_equity(table([0.0, 0.0], [1, 2]))["gini"] == 0.0


def test_without_districts_there_is_no_answer():
    assert measure_equity(table([0.5], [1], scope="all")) == {
        "gini": None,
        "worst_district": None,
        "worst_share": None,
    }


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1.0), st.integers(1, 6)),
        min_size=1,
        max_size=8,
    )
)
def test_weight_counts_as_repeated_districts(pairs):
    """The sorted form of the unweighted coefficient over repeated values is the oracle."""
    shares, weights = zip(*pairs, strict=True)
    values = np.sort(np.repeat(shares, weights))
    n = len(values)
    rank = np.arange(1, n + 1)
    expected = (2 * (rank * values).sum() / (n * values.sum())) - (n + 1) / n
    equity = measure_equity(table(shares, weights))
    assert equity["gini"] == pytest.approx(expected, abs=1e-9)
    assert equity["worst_share"] == min(shares)
