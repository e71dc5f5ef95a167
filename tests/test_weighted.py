"""Shares, means and quantiles of weighted values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.weighted import weighted_mean, weighted_quantile, weighted_share


def test_the_median_takes_the_lower_of_two_halves():
    assert weighted_quantile(np.array([4.0, 8.0]), np.array([1.0, 1.0]), 0.5) == 4.0
    assert weighted_quantile(np.array([4.0, np.inf]), np.array([1.0, 3.0]), 0.5) == np.inf


def test_without_weight_there_is_no_answer():
    nothing = np.zeros(2), np.zeros(2)
    assert np.isnan(weighted_quantile(*nothing, 0.5))
    assert np.isnan(weighted_mean(*nothing))
    assert np.isnan(weighted_share(np.zeros(2), np.ones(2, dtype=bool)))


def test_the_mean_leaves_out_what_is_endless():
    assert weighted_mean(np.array([2.0, np.inf, 8.0]), np.array([1.0, 5.0, 2.0])) == 6.0
    assert np.isnan(weighted_mean(np.array([np.inf]), np.array([1.0])))


def test_a_share_may_count_rows_in_part():
    assert weighted_share(np.array([1.0, 3.0]), np.array([True, False])) == 0.25
    assert weighted_share(np.array([1.0, 3.0]), np.array([0.0, 0.5])) == 0.375


rows = st.lists(st.tuples(st.floats(0, 60), st.integers(1, 5)), min_size=1, max_size=9)


@given(rows, st.sampled_from([0.1, 0.5, 0.9]), st.randoms(use_true_random=False))
def test_weight_counts_as_repeated_rows_in_any_order(pairs, share, random):
    values, weight = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    told = weighted_quantile(values, weight, share)
    repeated = np.sort(np.repeat(values, weight.astype(int)))
    # the smallest value with at least this share at or under it
    under = np.searchsorted(repeated, told, side="right") / len(repeated)
    assert under >= share - 1e-9
    assert np.searchsorted(repeated, told, side="left") / len(repeated) < share
    random.shuffle(pairs)
    mixed = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    assert weighted_quantile(*mixed, share) == told
    assert weighted_mean(values, weight) == pytest.approx(repeated.mean())
