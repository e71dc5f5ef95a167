"""Dense groups and medoids."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.cluster import dense_groups, group_medoids
from planner.errors import InputError

points = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 5)), min_size=1, max_size=60
).map(lambda rows: np.array(rows, dtype=float))


def test_weight_makes_a_group_not_the_number_of_points():
    xy = np.array([[0, 0], [50, 0], [1000, 0], [1050, 0], [5000, 0]])
    weight = np.array([1.0, 1, 10, 20, 40])
    label = dense_groups(xy, weight, radius_m=100, min_weight=5)
    assert label.tolist() == [-1, -1, 1, 1, 0]


def test_the_limit_is_reached_by_equality_in_spite_of_rounding():
    xy = np.zeros((10, 2))
    assert dense_groups(xy, np.full(10, 0.1), radius_m=1, min_weight=1).tolist() == [0] * 10


def test_no_points_no_groups():
    assert dense_groups(np.empty((0, 2)), np.empty(0), radius_m=1, min_weight=1).tolist() == []
    assert group_medoids(np.empty((0, 2)), np.empty(0), np.empty(0, dtype=int)).tolist() == []


def test_the_medoid_follows_the_weight():
    xy = np.array([[0.0, 0], [10, 0], [20, 0], [5, 500]])
    label = np.array([0, 0, 0, -1])
    assert group_medoids(xy, np.array([1.0, 1, 1, 9]), label).tolist() == [1]
    assert group_medoids(xy, np.array([1.0, 1, 5, 9]), label).tolist() == [2]


@settings(max_examples=60)
@given(points, st.randoms(use_true_random=False))
def test_shuffled_points_get_the_same_labels(table, random):
    order = list(range(len(table)))
    random.shuffle(order)
    label = dense_groups(table[:, :2], table[:, 2], radius_m=4, min_weight=6)
    again = dense_groups(table[order, :2], table[order, 2], radius_m=4, min_weight=6)
    assert again.tolist() == label[order].tolist()
    middle = group_medoids(table[:, :2], table[:, 2], label)
    middle_again = group_medoids(table[order, :2], table[order, 2], again)
    assert table[middle, :2].tolist() == table[order][middle_again, :2].tolist()


@settings(max_examples=60)
@given(points)
def test_groups_come_by_weight_and_their_core_is_dense(table):
    xy, weight = table[:, :2], table[:, 2]
    label = dense_groups(xy, weight, radius_m=4, min_weight=6)
    total = [weight[label == g].sum() for g in range(label.max() + 1)]
    assert total == sorted(total, reverse=True)
    near = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= 4
    core = near @ weight >= 6
    assert (label[core] >= 0).all()
    # Whoever is in a group has a core point of the group in reach; core points in reach share one.
    for i in np.flatnonzero(label >= 0):
        assert (near[i] & core & (label == label[i])).any()
    for i in np.flatnonzero(core):
        assert set(label[near[i] & core]) == {label[i]}


@settings(max_examples=40)
@given(points)
def test_medoids_agree_with_all_pairs(table):
    xy, weight = table[:, :2], table[:, 2]
    label = (np.arange(len(xy)) % 2)[: len(xy)]
    distance = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    for g, middle in enumerate(group_medoids(xy, weight, label)):
        inside = label == g
        cost = distance[np.ix_(inside, inside)] @ weight[inside]
        own = distance[middle, inside] @ weight[inside]
        assert label[middle] == g
        assert own == pytest.approx(cost.min())


def test_bad_arrays_are_named():
    xy = np.zeros((3, 2))
    with pytest.raises(InputError, match="shape"):
        dense_groups(xy, np.ones(2), radius_m=1, min_weight=1)
    with pytest.raises(InputError, match="radius_m"):
        dense_groups(xy, np.ones(3), radius_m=0, min_weight=1)
    with pytest.raises(InputError, match="finite"):
        dense_groups(xy, np.array([1, np.nan, 1]), radius_m=1, min_weight=1)
    with pytest.raises(InputError, match="shape"):
        group_medoids(xy, np.ones(3), np.zeros(2, dtype=int))
    with pytest.raises(InputError, match="Renumber"):
        group_medoids(xy, np.ones(3), np.array([0, 2, 2]))
