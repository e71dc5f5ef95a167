from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError, SettingsError
from planner.queueing import bays_needed, erlang_b

loads = st.floats(0, 60)
limits = st.floats(0.001, 0.9)


def plain_erlang_b(n, load):
    terms = [load**k / factorial(k) for k in range(n + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize(
    ("n", "load", "limit"),
    # Offered load at which n servers block the share: the printed Erlang B tables.
    [
        *[(1, 0.0101, 0.01), (2, 0.153, 0.01), (5, 1.361, 0.01), (10, 4.461, 0.01)],
        *[(1, 0.0526, 0.05), (2, 0.381, 0.05), (5, 2.219, 0.05), (10, 6.216, 0.05)],
    ],
)
def test_printed_tables(n, load, limit):
    assert erlang_b(n, load) == pytest.approx(limit, abs=0.0003)
    assert bays_needed(load * 0.99, limit) == n
    assert bays_needed(load * 1.01, limit) == n + 1


@given(st.integers(0, 60), loads)
def test_recursion_equals_the_formula(n, load):
    assert erlang_b(n, load) == pytest.approx(plain_erlang_b(n, load), rel=1e-9, abs=1e-300)


@given(st.integers(0, 60), loads)
def test_one_more_server_never_blocks_more(n, load):
    assert erlang_b(n + 1, load) <= erlang_b(n, load)


@given(loads, limits)
def test_bays_needed_is_the_smallest_number(load, limit):
    n = int(bays_needed(load, limit))
    assert n >= 1
    assert erlang_b(n, load) <= limit < erlang_b(n - 1, load)


def test_arrays_broadcast_and_keep_their_shape():
    servers, load = np.array([[1], [2], [3]]), np.array([0.0, 1.0, 2.0, 3.0])
    blocked = erlang_b(servers, load)
    assert blocked.shape == (3, 4)
    assert blocked[1, 1] == pytest.approx(0.2)
    assert bays_needed(load, 0.05).shape == (4,)
    assert bays_needed([], 0.05).tolist() == []
    assert erlang_b([], []).tolist() == []


def test_large_loads_do_not_overflow():
    assert erlang_b(10_000, 9_000.0) < 1e-3
    assert 900 < bays_needed(1_000.0, 0.05) < 1_000


@pytest.mark.parametrize(("servers", "load"), [(-1, 1.0), (1.5, 1.0), (2, -1.0), (2, np.nan)])
def test_impossible_values_are_refused(servers, load):
    with pytest.raises(InputError, match="must be"):
        erlang_b(servers, load)


@pytest.mark.parametrize("limit", [0.0, 1.0, -0.1, 5.0])
def test_impossible_limit_is_refused(limit):
    with pytest.raises(SettingsError, match="between 0 and 1"):
        bays_needed(1.0, limit)
