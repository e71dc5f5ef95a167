"""Pieces before they become chains: one fixed order, cuts at barred vertices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.network import assemble
from planner.network.assemble import Pieces, cut_at, hilbert


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40),
    st.sampled_from([1.0, 1e-7, 1e5]),
)
def test_the_order_along_the_curve_is_that_of_curve_then_place(places, scale):
    x, y = np.array(places, dtype=float).T * scale
    x[::3] += 1e-6 * scale  # within one cell of the curve
    order = assemble._along_curve(x, y)
    np.testing.assert_array_equal(order, np.lexsort((y, x, hilbert(x, y))))
    assert sorted(order) == list(range(len(x)))


def test_the_curve_visits_every_cell_once_and_steps_to_a_neighbour():
    col, row = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(8), np.arange(8)))
    place = hilbert(col, row, order=3)
    assert sorted(place.tolist()) == list(range(64))
    along = np.argsort(place)
    steps = np.abs(np.diff(col[along])) + np.abs(np.diff(row[along]))
    assert (steps == 1).all()


def pieces(ends, *, z=None, kmh=4.0):
    a, b = np.array(ends).T
    n, m = int(max(a.max(), b.max())) + 1, len(ends)
    return Pieces(
        np.arange(n, dtype=float), np.zeros(n), a, b, np.ones(m), np.full(m, kmh), np.full(m, kmh),
        np.zeros(m, dtype=np.int32), np.array([""], dtype=object), np.zeros(m, dtype=np.int8), z,
    )  # fmt: skip


def test_every_piece_keeps_its_stub_at_a_barred_vertex():
    star = pieces([(0, 1), (1, 2), (3, 1)], z=np.array([5.0, 7.0, 5.0, 5.0]))
    barred = np.array([False, True, False, False])
    cut, count = cut_at(star, barred)
    assert count == 1
    assert len(set(cut.b[[0, 2]]) | {cut.a[1]}) == 3  # three ends of their own now
    ends = np.array([cut.b[0], cut.a[1], cut.b[2]])
    assert (cut.x[ends], cut.y[ends], cut.z[ends]) == (
        pytest.approx(1.0), pytest.approx(0.0), pytest.approx(7.0)
    )  # fmt: skip
    np.testing.assert_array_equal(star.a, [0, 1, 3])  # the argument is as it was


def test_a_loop_that_passes_a_barred_vertex_is_opened():
    cut, count = cut_at(pieces([(0, 1), (1, 2), (2, 0)]), np.array([True, False, False]))
    assert count == 1
    assert len(assemble.make_chains(cut).tail) == 1
    assert len(assemble.make_chains(cut).x) == 2


def test_a_barred_end_and_a_vertex_of_closed_pieces_cut_nothing():
    line = pieces([(0, 1), (1, 2)])
    assert cut_at(line, np.array([True, False, True]))[1] == 0
    assert cut_at(pieces([(0, 1), (1, 2)], kmh=0.0), np.array([False, True, False]))[1] == 0
