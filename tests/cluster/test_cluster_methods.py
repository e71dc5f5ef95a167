"""Groups by method: real places, whatever the order, weights honoured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.cluster import METHODS, compact_groups, find_groups, group_medoids
from planner.errors import InputError, SettingsError


def town(seed=0, centres=4, step_m=100.0, side=40):
    """Cells of a quiet plain with busy centres a kilometre wide, far from one another."""
    rng = np.random.default_rng(seed)
    x, y = (g.ravel() * step_m for g in np.meshgrid(np.arange(side), np.arange(side)))
    middle = np.array([(600.0, 700.0), (3200.0, 800.0), (900.0, 3100.0), (3000.0, 3200.0)])
    near = np.hypot(x[:, None] - middle[:centres, 0], y[:, None] - middle[:centres, 1]).min(1)
    return np.column_stack([x, y]), rng.uniform(0.5, 1.0, x.size) + 20.0 * np.exp(-near / 150.0)


@pytest.mark.parametrize("method", METHODS)
def test_busy_centres_are_found_and_each_medoid_is_a_cell_of_its_group(method):
    xy, weight = town()
    label = find_groups(xy, weight, radius_m=200, method=method)
    middle = group_medoids(xy, weight, label)
    assert label[middle].tolist() == list(range(label.max() + 1))
    for centre in [(600, 700), (3200, 800), (900, 3100), (3000, 3200)]:
        assert np.hypot(*(xy[middle] - centre).T).min() <= 200
    load = np.bincount(label[label >= 0], weight[label >= 0])
    assert (np.diff(load) <= 0).all()
    assert weight[label >= 0].mean() > 2 * weight[label < 0].mean()


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_points_does_not_matter(method):
    xy, weight = town(seed=3)
    weight[::17] = 0.0
    order = np.random.default_rng(1).permutation(len(xy))
    label = find_groups(xy, weight, radius_m=200, method=method, rng=5)
    again = find_groups(xy[order], weight[order], radius_m=200, method=method, rng=5)
    assert again.tolist() == label[order].tolist()
    assert (label[::17] == -1).all()


@pytest.mark.parametrize("method", ["dbscan", "hdbscan", "kmeans"])
def test_weight_decides_where_a_group_is(method):
    """Cells stand alike everywhere: only what they weigh makes a centre."""
    xy, weight = town(centres=1)
    label = find_groups(xy, weight, radius_m=200, method=method)
    heaviest = xy[group_medoids(xy, weight, label)[0]]
    assert np.hypot(*(heaviest - (600, 700))) <= 150


def test_auto_is_dbscan_for_few_and_k_means_for_many(monkeypatch):
    xy, weight = town()
    args = {"radius_m": 200.0, "rng": 2}
    auto = find_groups(xy, weight, **args)
    assert auto.tolist() == compact_groups(xy, weight, radius_m=200).tolist()
    monkeypatch.setattr("planner.cluster.methods._MANY", 100)
    many = find_groups(xy, weight, **args)
    assert many.tolist() == find_groups(xy, weight, method="kmeans", **args).tolist()
    assert many.tolist() != auto.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_comes_of_nothing(method):
    assert find_groups(np.empty((0, 2)), np.empty(0), radius_m=1, method=method).tolist() == []
    none = find_groups(np.zeros((3, 2)), np.zeros(3), radius_m=1, method=method)
    assert none.tolist() == [-1] * 3
    assert len(find_groups(np.zeros((1, 2)), np.ones(1), radius_m=1, method=method)) == 1


def test_bad_input_is_named(monkeypatch):
    xy, weight = town()
    with pytest.raises(SettingsError, match="Did you mean `dbscan`"):
        find_groups(xy, weight, radius_m=200, method="dbscam")
    with pytest.raises(InputError, match="radius_m"):
        find_groups(xy, weight, radius_m=0, method="kmeans")
    monkeypatch.setattr("planner.cluster.methods._MOST_GRAINS", 1000)
    with pytest.raises(SettingsError, match="kmeans or auto"):
        find_groups(xy, weight, radius_m=200, method="hdbscan")


@settings(max_examples=15)
@given(st.integers(0, 2**16), st.sampled_from([1.0, 0.0, 7.0]))
def test_medoids_of_many_points_are_those_of_all_pairs(seed, spread):
    rng = np.random.default_rng(seed)
    xy = np.concatenate([rng.normal(0, 1, (700, 2)), rng.normal(spread, 0.2, (500, 2))])
    xy = np.round(xy, 2 if seed % 2 else 0)  # with and without points in one place
    weight = rng.integers(0, 4, len(xy)).astype(float)
    middle = group_medoids(xy, weight, np.zeros(len(xy), dtype=int))[0]
    cost = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) @ weight
    least = cost <= cost.min() * (1 + 1e-12)
    assert least[middle]
    assert xy[middle].tolist() == min(xy[least].tolist())
