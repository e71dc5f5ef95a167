"""Compact groups: walkable, whatever the order of the points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.cluster import compact_groups
from planner.errors import InputError

points = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 9)), min_size=1, max_size=60
).map(lambda rows: np.array(rows, dtype=float))


def street(length_m=4000.0, step_m=50.0):
    """A busy street with peaks a kilometre apart in a quiet plain."""
    x = np.arange(0, length_m, step_m)
    weight = 10 + 8 * np.cos(x / 1000 * 2 * np.pi)
    plain = np.array([(px, py) for px in range(0, 20_000, 400) for py in (5000, 6000)], dtype=float)
    xy = np.concatenate([np.column_stack([x, np.zeros_like(x)]), plain])
    return xy, np.concatenate([weight, np.full(len(plain), 0.5)])


def test_a_street_without_end_parts_into_walkable_groups():
    xy, weight = street()
    label = compact_groups(xy, weight, radius_m=150)
    assert label.max() + 1 == 5  # peaks at 0, 1000, 2000, 3000 and the rise at the end
    spread = [np.ptp(xy[label == g, 0]) for g in range(label.max() + 1)]
    assert max(spread) <= 900
    assert (label[xy[:, 1] > 0] == -1).all()


def test_the_heaviest_comes_first_and_equals_by_place():
    xy = np.array([[0.0, 0], [0, 10], [5000, 0], [5000, 10], [9000, 0], [9000, 10]])
    lonely = np.column_stack([np.arange(20_000, 40_000, 1000.0), np.zeros(20)])
    weight = np.concatenate([[5.0, 5, 8, 8, 5, 5], np.ones(20)])
    label = compact_groups(np.concatenate([xy, lonely]), weight, radius_m=50)
    assert label.tolist() == [1, 1, 0, 0, 2, 2] + [-1] * 20


def test_points_without_weight_count_for_nothing():
    xy, weight = street()
    label = compact_groups(xy, weight, radius_m=150)
    silent = np.concatenate([xy + np.array([0.0, 1.0]), xy + np.array([0.0, 20_000.0])])
    more = compact_groups(
        np.concatenate([xy, silent]), np.concatenate([weight, np.zeros(len(silent))]), radius_m=150
    )
    assert more.tolist() == label.tolist() + [-1] * len(silent)
    assert compact_groups(xy, np.zeros(len(xy)), radius_m=150).tolist() == [-1] * len(xy)
    assert compact_groups(np.empty((0, 2)), np.empty(0), radius_m=150).tolist() == []


@settings(max_examples=60)
@given(points, st.integers(0, 2**16))
def test_shuffling_changes_nothing(rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows))
    label = compact_groups(rows[:, :2], rows[:, 2], radius_m=4.0)
    again = compact_groups(rows[order, :2], rows[order, 2], radius_m=4.0)
    # Points in one place with equal weight cannot be told apart: compare what they carry.
    key = [tuple(r) for r in rows]
    assert sorted(zip(key, label.tolist(), strict=True)) == sorted(
        zip([key[i] for i in order], again.tolist(), strict=True)
    )
    assert (label[rows[:, 2] == 0] == -1).all()


@pytest.mark.parametrize("radius", [0.0, -1.0, float("nan")])
def test_a_radius_must_reach_somewhere(radius):
    with pytest.raises(InputError, match="radius_m"):
        compact_groups(np.zeros((2, 2)), np.ones(2), radius_m=radius)
