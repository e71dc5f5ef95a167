"""The ground beside the streets: which are nearest to each node, and what is blank."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.network import StreetNetwork, raster
from planner.network.raster import fitting_cell, make_raster, whole_window

CRS = "EPSG:32650"


def network(x, y, tail, head):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    length = np.hypot(x[tail] - x[head], y[tail] - y[head])
    return StreetNetwork.from_arrays(x, y, tail, head, length, crs=CRS)


def square(side):
    return network([0, side, side, 0], [0, 0, side, side], [0, 1, 2, 3], [1, 2, 3, 0])


def make(net):
    return make_raster(net, whole_window(net))


def nodes_of(ground):
    row, col = np.divmod(np.arange(ground.n_cols * ground.n_rows), ground.n_cols)
    return shapely.points(ground.x0 + ground.cell_m * col, ground.y0 + ground.cell_m * row)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
def test_nodes_name_their_nearest_streets(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    tail, head = rng.integers(0, n, (2, 2 * n))
    net = network(*rng.uniform(0, 600, (2, n)), tail[tail != head], head[tail != head])
    ground = make(net)
    lines = net.lines().geometry.to_numpy()
    points = nodes_of(ground)
    gap = shapely.distance(points[:, None], lines)
    count = np.diff(ground.ptr)
    blank = np.repeat(gap.min(axis=1) > raster.NEAR_M, count)
    node = np.repeat(np.arange(len(count)), count)
    np.testing.assert_allclose(
        ground.gap_m[~blank], gap[node, ground.chain][~blank], rtol=1e-5, atol=1e-4
    )
    near = gap.min(axis=1) <= raster.NEAR_M
    assert (count[near] > 0).all()
    first = ground.ptr[:-1][near]
    np.testing.assert_allclose(ground.gap_m[first], gap[near].min(axis=1), rtol=1e-5, atol=1e-4)
    for i in np.flatnonzero(near):
        named = ground.chain[ground.ptr[i] : ground.ptr[i + 1]]
        close = np.flatnonzero(gap[i] <= min(raster.NEAR_M, gap[i].min() + ground.cell_m) - 1e-6)
        assert len(set(named)) == len(named) == min(4, max(len(named), len(close)))
    place = shapely.line_interpolate_point(lines[ground.chain], ground.share, normalized=True)
    apart = shapely.distance(place, points[node])
    np.testing.assert_allclose(apart[~blank], ground.gap_m[~blank], atol=0.02)


def test_a_chain_knows_the_nodes_that_name_it():
    net = square(300.0)
    ground = make(net)
    row, col = np.divmod(np.arange(ground.n_cols * ground.n_rows), ground.n_cols)
    node = np.repeat(np.arange(len(row)), np.diff(ground.ptr))
    for chain in range(net.n_edges):
        here = node[ground.chain == chain]
        bounds = [col[here].min(), col[here].max(), row[here].min(), row[here].max()]
        assert ground.box[chain].tolist() == bounds
    assert (row[node] > 0).all()  # the border is blank
    assert (col[node] < ground.n_cols - 1).all()


@pytest.mark.parametrize(("side", "filled"), [(290.0, True), (310.0, False)])
def test_enclosed_blanks_smaller_than_4_ha_belong_to_the_streets_around(side, filled):
    ground = make(square(side))  # the blank within is 100 m shorter and narrower
    count = np.diff(ground.ptr).reshape(ground.n_rows, ground.n_cols)
    middle = round((side / 2 - ground.y0) / ground.cell_m)
    assert (count[middle, middle] > 0) == filled
    outside = round((-60.0 - ground.x0) / ground.cell_m)
    assert count[middle, outside] == 0
    if filled:  # as if it lay at the streets, so that it goes with the nearest
        i = middle * ground.n_cols + middle
        assert ground.gap_m[ground.ptr[i]] == 0.0


def test_the_cell_grows_with_the_window_not_beyond_the_bound():
    for side in (1e3, 2e4, 1e5, 1e6):
        window = raster.Window(0.0, 0.0, side, side)
        cell = fitting_cell(window)
        assert (cell == raster.CELL_M) == (side < 2.4e4)
        nodes = (side / cell) ** 2
        assert nodes < raster.MOST_NODES
        assert cell == raster.CELL_M or nodes > 0.9 * raster.MOST_NODES
