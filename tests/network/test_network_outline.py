"""Rings round the ground below zero: true to the numbers, simple, nested, holes in place."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.network.outline import trace_rings


def area_of(z, tolerance=0.0, least_hole=0.0, *, x0=0.0, y0=0.0, cell=1.0):
    xy, ends, outer = trace_rings(z, x0, y0, cell, tolerance, least_hole)
    rings = np.split(xy, ends[:-1])
    polygons = []
    for ring, is_outer in zip(rings, outer, strict=False):
        if is_outer:
            polygons.append([ring, []])
        else:
            polygons[-1][1].append(ring)
    return shapely.MultiPolygon([shapely.Polygon(shell, holes) for shell, holes in polygons])


def bordered(inner):
    return np.pad(np.where(np.abs(inner) < 0.02, 0.02, inner), 1, constant_values=1.0)


def made(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 25, 2)
    rough = rng.uniform(-1, 1, shape) + rng.uniform(-0.8, 0.8)
    return bordered(rough), rng


def nodes_of(z):
    row, col = np.indices(z.shape)
    return col.ravel(), row.ravel()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_rings_are_simple_and_part_the_nodes_by_sign(seed):
    z, _ = made(seed)
    area = area_of(z)
    assert area.is_valid
    assert (shapely.contains_xy(area, *nodes_of(z)) == (z < 0).ravel()).all()
    for polygon in area.geoms:
        assert shapely.is_ccw(polygon.exterior)
        assert not any(shapely.is_ccw(hole) for hole in polygon.interiors)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_lower_field_has_the_larger_area(seed):
    z, rng = made(seed)
    lower = bordered((z - rng.uniform(0, 0.4, z.shape))[1:-1, 1:-1])
    lower[1:-1, 1:-1] = np.minimum(lower, z)[1:-1, 1:-1]
    assert area_of(z).difference(area_of(lower)).area < 1e-9


@given(seed=st.integers(0, 10**6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_small_holes_are_filled_with_what_lies_in_them(seed):
    z, _ = made(seed)
    whole, filled = area_of(z), area_of(z, least_hole=4.0)
    assert filled.is_valid
    assert whole.difference(filled).area < 1e-9
    holes = [shapely.Polygon(hole) for part in filled.geoms for hole in part.interiors]
    assert all(hole.area >= 4.0 for hole in holes)
    lost = shapely.get_parts(filled.difference(whole))
    assert all(shapely.Polygon(part.exterior).area < 4.0 for part in lost)


def test_dropped_vertices_stay_within_the_tolerance():
    row, col = np.indices((120, 120))
    z = bordered(np.clip(np.hypot(row - 60, col - 60) - 40 + np.sin(row / 3), -1, 1))
    fine, coarse = area_of(z), area_of(z, tolerance=0.2)
    assert shapely.get_num_coordinates(coarse) < 0.5 * shapely.get_num_coordinates(fine)
    assert coarse.boundary.hausdorff_distance(fine.boundary) <= 0.2 + 1e-9


def test_an_island_in_a_hole_is_a_part_of_its_own():
    z = np.full((13, 13), 1.0)
    for low, sign in ((1, -1.0), (3, 1.0), (5, -1.0)):
        z[low : 13 - low, low : 13 - low] = sign
    area = area_of(z)
    assert [len(part.interiors) for part in area.geoms] == [1, 0]
    squares = [side**2 - 4 / 8 for side in (11, 7, 3)]  # corners are cut
    assert area.area == pytest.approx(squares[0] - squares[1] + squares[2])
    assert len(area_of(z, least_hole=100.0).geoms) == 1  # the hole is gone, and the island with it


def test_rings_stand_where_the_grid_does():
    z = bordered(np.full((3, 5), -1.0))
    low_x, low_y, high_x, high_y = area_of(z, x0=1000.0, y0=-50.0, cell=10.0).bounds
    assert (low_x, low_y) == (1005.0, -45.0)
    assert (high_x, high_y) == (1055.0, -15.0)


def test_nothing_below_zero_has_no_ring():
    xy, ends, outer = trace_rings(np.ones((5, 7)), 0.0, 0.0, 1.0, 0.2, 2.0)
    assert len(xy) == len(ends) == len(outer) == 0


def test_many_rings_and_long_ones_find_room():
    z = np.ones((203, 203))
    z[1:-1:2, 1:-1:2] = -1.0  # 10,201 squares apart
    assert len(area_of(z).geoms) == 101**2
    comb = np.ones((203, 203))
    comb[1:-1:2, 1:-1] = -1.0
    comb[1:-1, 1] = -1.0
    area = area_of(comb, tolerance=0.2)
    assert area.is_valid
    assert len(area.geoms) == 1


@pytest.mark.parametrize("dominoes", [0, 1, 2, 3])
def test_room_grows_wherever_it_ends(dominoes):
    """Squares have 5 points and dominoes 7: with 2 of these a ring ends at point 1024."""
    z = np.ones((62, 62))
    z[1:-1:2, 1:-1:2] = -1.0
    z[1, 2 : 4 * dominoes : 4] = -1.0
    area = area_of(z)
    assert area.is_valid
    assert len(area.geoms) == 900 - dominoes
    assert shapely.get_num_coordinates(area) == 5 * (900 - 2 * dominoes) + 7 * dominoes
    assert (shapely.contains_xy(area, *nodes_of(z)) == (z < 0).ravel()).all()
