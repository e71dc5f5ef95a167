"""No figure is shown that tells of fewer than k workers, alone or as what is left of a sum."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.quality.crowds import count_workers, hide_small

SLOTS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 30)), max_size=12)


@given(SLOTS, st.integers(5, 12))
def test_what_is_hidden_cannot_be_computed_from_the_sum(slots, enough):
    values, workers = [value for value, _ in slots], [n for _, n in slots]
    shown = hide_small(values, workers, enough)
    small = [i for i, (v, n) in enumerate(slots) if v and n < enough]
    assert all(shown[i] is None for i in small)
    left = [i for i, s in enumerate(shown) if values[i] and s is not None]
    more = [i for i, s in enumerate(shown) if s is None and i not in small]
    if small and left and not more:
        # The attacker knows the sum; rounding hides twice what is hidden.
        unit = min(10**k for k in range(1, 9) if 10**k >= 2 * sum(values[i] for i in small))
        assert all(shown[i] % unit == 0 for i in left)


@given(SLOTS, st.integers(5, 12))
def test_what_is_shown_is_right_to_a_twentieth(slots, enough):
    values = [value for value, _ in slots]
    shown = hide_small(values, [n for _, n in slots], enough)
    for value, said in zip(values, shown, strict=True):
        assert said is None or abs(said - value) <= 0.05 * value


def test_a_small_figure_that_rounding_cannot_swallow_takes_the_next_with_it():
    assert hide_small([200, 90, 40], [20, 12, 3], 10) == [200, None, None]


def test_nothing_is_touched_without_need():
    assert hide_small([5, 0, 7], [10, 0, 11], 10) == [5, 0, 7]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=40))
def test_workers_are_counted_once_a_slot(pairs):
    slot = np.array([a for a, _ in pairs], dtype=np.int64)
    rider = np.array([b for _, b in pairs], dtype=np.int64)
    assert count_workers(slot, rider, 5) == [len({b for a, b in pairs if a == k}) for k in range(5)]
