"""Exchanges in a plan, against opening every plan anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planner.siting.swaps import bar_swaps, value_swaps


def covered(dense, weight, open_columns):
    return weight[dense[:, sorted(open_columns)].any(axis=1)].sum()


@st.composite
def plans(draw):
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(2, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dense = rng.random((rows, columns)) < draw(st.sampled_from([0.1, 0.3, 0.7]))
    weight = rng.integers(0, 9, rows).astype(float)
    order = rng.permutation(columns)
    old = draw(st.integers(0, columns - 1))
    new = draw(st.integers(0, columns - old))
    return dense, weight, order[:old], order[old : old + new], rng.random((columns, 2)) * 1000


def as_cover(dense):
    """Minutes of zero are entries too."""
    row, column = np.nonzero(dense)
    return csr_array((np.zeros(len(row)), (row, column)), shape=dense.shape)


@given(plans())
def test_every_loss_gain_and_swap_is_what_opening_anew_covers(case):
    dense, weight, existing, chosen, _ = case
    swaps = value_swaps(as_cover(dense), weight, existing, chosen)
    is_open = {*existing.tolist(), *chosen.tolist()}
    assert swaps.objective == covered(dense, weight, is_open)
    for k, site in enumerate(chosen.tolist()):
        assert swaps.loss[k] == swaps.objective - covered(dense, weight, is_open - {site})
        for j in range(dense.shape[1]):
            if j in is_open:
                assert swaps.value[k, j] == -np.inf
            else:
                assert swaps.value[k, j] == covered(dense, weight, (is_open - {site}) | {j})
    for j in set(range(dense.shape[1])) - is_open:
        assert swaps.gain[j] == covered(dense, weight, is_open | {j}) - swaps.objective


@given(plans(), st.sampled_from([0.0, 100.0, 300.0, 2000.0]))
def test_barred_are_those_too_close_to_a_site_that_stays(case, spacing):
    dense, weight, existing, chosen, xy = case
    barred = bar_swaps(xy, existing, chosen, spacing)
    for k in range(len(chosen)):
        for j in range(dense.shape[1]):
            stay = np.delete(chosen, k)
            near = np.hypot(*(xy[stay] - xy[j]).T) < spacing
            assert barred[k, j] == near.any()
    swaps = value_swaps(as_cover(dense), weight, existing, chosen, barred=barred)
    assert (swaps.value[barred] == -np.inf).all()


def test_the_existing_need_no_spacing():
    xy = np.array([[0.0, 0.0], [1000.0, 0.0], [10.0, 0.0]])
    assert not bar_swaps(xy, np.array([0]), np.array([1]), 50.0).any()
