"""No figure is shown that tells of fewer than k workers, alone or as what is left of a sum."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.quality.crowds import crowds_of, hide_small

SLOTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12), st.integers(0, 30)), max_size=12)


@given(SLOTS, st.integers(5, 12))
def test_hidden_figures_together_tell_of_k_workers_or_nothing_is_left(slots, enough):
    values = [value for value, _, _ in slots]
    crowds = [np.arange(first, first + n) for _, n, first in slots]
    shown = hide_small(values, crowds, enough)
    for value, crowd, said in zip(values, crowds, shown, strict=True):
        assert said in (value, None)
        assert value == 0 or said is None or len(crowd) >= enough
    hidden = [c for c, v, s in zip(crowds, values, shown, strict=True) if v and s is None]
    open_left = [v for v, s in zip(values, shown, strict=True) if v and s is not None]
    if hidden and open_left:
        assert len(set(np.concatenate(hidden).tolist())) >= enough


def test_a_lone_small_figure_takes_the_next_smallest_with_it():
    crowds = [np.arange(20), np.arange(20, 32), np.arange(3)]
    assert hide_small([200, 90, 4], crowds, 10) == [200, None, None]


def test_nothing_is_hidden_without_need():
    assert hide_small([5, 0, 7], [np.arange(10), np.arange(0), np.arange(11)], 10) == [5, 0, 7]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=40))
def test_crowds_are_the_distinct_riders_of_each_slot(pairs):
    slot = np.array([a for a, _ in pairs], dtype=np.int64)
    rider = np.array([b for _, b in pairs], dtype=np.int64)
    crowds = crowds_of(slot, rider, 5)
    assert [c.tolist() for c in crowds] == [
        sorted({b for a, b in pairs if a == k}) for k in range(5)
    ]
