"""Lines round the ground below zero in a grid of numbers: marching squares, as closed rings.

Rings are simple and apart from each other by construction: a line crosses an edge of the grid
strictly between its nodes, and where a cell has two opposite corners inside, the mean of the four
says whether they are joined (Lorensen and Cline 1987, Marching cubes; Nielson and Hamann 1991, The
asymptotic decider). A field that is lower everywhere has rings that hold those of the higher one.
"""

from __future__ import annotations

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def"
import numpy as np

from planner.compiled import compiled, inlined

# Sides of a cell are 0 bottom, 1 right, 2 top, 3 left; its corners count 1, 2, 4, 8 anticlockwise
# from the lower left. A line keeps the inside on its left, so the corners say where it leaves.
_EXIT = np.array([-1, 3, 0, 3, 1, -1, 0, 3, 2, 2, -1, 2, 1, 1, 0, -1], dtype=np.int8)
_RISING = 5  # inside are the lower left and the upper right; where `_EXIT` is open else, the others


_LEAST = 4  # a closed ring has three vertices and the first once more


@inlined
def _leave(z, r, c, side):
    """Side by which the line leaves a cell that it enters by `side`."""
    a, b, e, d = z[r, c], z[r, c + 1], z[r + 1, c + 1], z[r + 1, c]
    corners = (a < 0) + 2 * (b < 0) + 4 * (e < 0) + 8 * (d < 0)
    out = _EXIT[corners]
    if out < 0:
        joined = a + b + d + e < 0
        if corners == _RISING:
            out = 1 if (side == 0) == joined else 3
        else:
            out = 2 if (side == 1) == joined else 0
    return out


@compiled
def longer(array):
    """Copy an array into one twice as long."""
    more = np.empty(2 * len(array), array.dtype)
    for i in range(len(array)):
        more[i] = array[i]
    return more


@compiled
def _trace(z, r0, c0, ring, owner, xs, ys, n):
    """Follow the line through the horizontal edge (r0, c0); points from `n`; → area, end, both."""
    r, c, side = r0, c0, 0
    if z[r0, c0 + 1] < 0:  # the inside is to the east: southward, into the cell below
        r, side = r0 - 1, 2
    start, area = n, 0.0
    x, y = c0 + z[r0, c0] / (z[r0, c0] - z[r0, c0 + 1]), float(r0)
    running = True
    while running:
        if n + 1 >= len(xs):
            xs, ys = longer(xs), longer(ys)
        xs[n], ys[n] = x, y
        n += 1
        out = _leave(z, r, c, side)
        if out == 0 or out == 2:  # noqa: PLR1714
            at = r + (out == 2)
            u, v = z[at, c], z[at, c + 1]
            to_x, to_y = c + u / (u - v), float(at)
            owner[at, c] = ring
            running = at != r0 or c != c0
            r, side = (r - 1, 2) if out == 0 else (r + 1, 0)
        else:
            at = c + (out == 1)
            u, v = z[r, at], z[r + 1, at]
            to_x, to_y = float(at), r + u / (u - v)
            c, side = (c + 1, 3) if out == 1 else (c - 1, 1)
        area += x * to_y - to_x * y
        x, y = to_x, to_y
    xs[n], ys[n] = xs[start], ys[start]
    return 0.5 * area, n + 1, xs, ys


@compiled
def _simplify(xs, ys, low, high, tolerance, keep, stack):
    """Drop vertices of the closed ring ``low:high`` (Douglas and Peucker 1973); → its new end."""
    far, most = low, -1.0
    for i in range(low, high):
        keep[i - low] = False
        d = (xs[i] - xs[low]) ** 2 + (ys[i] - ys[low]) ** 2
        if d > most:
            far, most = i, d
    keep[0] = keep[far - low] = keep[high - 1 - low] = True
    stack[0, 0], stack[0, 1], stack[1, 0], stack[1, 1] = low, far, far, high - 1
    depth, kept = 2, 3
    while depth > 0:
        depth -= 1
        i, j = stack[depth, 0], stack[depth, 1]
        dx, dy = xs[j] - xs[i], ys[j] - ys[i]
        worst, at = tolerance * tolerance * (dx * dx + dy * dy), -1
        for k in range(i + 1, j):
            cross = dx * (ys[k] - ys[i]) - dy * (xs[k] - xs[i])
            if cross * cross > worst:
                worst, at = cross * cross, k
        if at >= 0:
            keep[at - low] = True
            kept += 1
            stack[depth, 0], stack[depth, 1] = i, at
            stack[depth + 1, 0], stack[depth + 1, 1] = at, j
            depth += 2
    if kept < _LEAST:
        return high
    n = low
    for i in range(low, high):
        if keep[i - low]:
            xs[n], ys[n] = xs[i], ys[i]
            n += 1
    return n


@compiled
def _in_order(xs, ys, ends, outer, kept, x0, y0, cell):
    """Copy rings so that holes follow their outer ring, from cells to the ground's units."""
    rank = np.zeros(kept + 1, np.int64)  # where an outer ring, then each of its holes, goes
    for ring in range(kept):
        rank[outer[ring] + 1] += 1
    for ring in range(kept):
        rank[ring + 1] += rank[ring]
    order = np.empty(kept, np.int64)
    for ring in range(kept):
        order[rank[outer[ring]]] = ring
        rank[outer[ring]] += 1
    xy = np.empty((ends[kept - 1] if kept > 0 else 0, 2))
    stops, is_outer = np.empty(kept, np.int64), np.empty(kept, np.bool_)
    n = 0
    for m in range(kept):
        ring = order[m]
        for k in range(ends[ring - 1] if ring > 0 else 0, ends[ring]):
            xy[n, 0], xy[n, 1] = x0 + cell * xs[k], y0 + cell * ys[k]
            n += 1
        stops[m], is_outer[m] = n, outer[ring] == ring
    return xy, stops, is_outer


@compiled
def trace_rings(z, x0, y0, cell, tolerance, least_hole):
    """Trace the rings round the ground below zero.

    Parameters
    ----------
    z
        Numbers at the nodes of a grid, float64, shape (rows, columns), none zero, all positive on
        the border.
    x0, y0, cell
        Where the first node stands and how far apart they are.
    tolerance
        How far a dropped vertex may lie from the line, in cells; 0 drops those on it.
    least_hole
        Holes of a smaller area, in cells, are filled, with what lies inside them.

    Returns
    -------
    xy
        Vertices of all rings, float64, shape (n, 2). Rings are closed, outer ones anticlockwise,
        each followed by its holes, clockwise.
    ends
        Where each ring ends in `xy`, int64.
    outer
        Whether it is an outer one.
    """
    rows, cols = z.shape
    owner = np.full((rows, cols), -1, np.int32)  # the ring that crosses each horizontal edge
    around = np.empty(64, np.int64)  # of a hole its outer ring, of an outer ring its hole
    state = np.empty(64, np.int8)  # 0 outer, 1 hole; 2 and 3 the same, dropped
    name = np.empty(64, np.int64)  # number among the rings that are kept
    ends, outer = np.empty(64, np.int64), np.empty(64, np.int64)
    xs, ys = np.empty(1024), np.empty(1024)
    keep, stack = np.empty(1024, np.bool_), np.empty((1024, 2), np.int64)
    n = rings = kept = 0
    for r in range(1, rows - 1):
        last = -1
        inside, ring_at = z[r] < 0, owner[r]
        for c in np.flatnonzero(inside[1:] != inside[:-1]):
            hole = inside[c]  # if this is where a ring is met first
            if ring_at[c] < 0:
                if rings == len(name):
                    around, state, name = longer(around), longer(state), longer(name)
                    ends, outer = longer(ends), longer(outer)
                ring_at[c] = rings
                area, end, xs, ys = _trace(z, r, c, rings, owner, xs, ys, n)
                holder = last  # the ring to the left is it, or lies in the same as this one
                if last >= 0 and (state[last] & 1 == 1) == hole:
                    holder = around[last]
                drop = holder >= 0 and state[holder] > 1
                drop |= hole and -area < least_hole
                around[rings], state[rings] = holder, hole + 2 * drop
                if not drop:
                    if end - n > len(keep):
                        keep = np.empty(2 * (end - n), np.bool_)
                        stack = np.empty((2 * (end - n), 2), np.int64)
                    name[rings] = kept
                    ends[kept] = n = _simplify(xs, ys, n, end, tolerance, keep, stack)
                    outer[kept] = name[holder] if hole else kept
                    kept += 1
                rings += 1
            last = ring_at[c]
    return _in_order(xs, ys, ends, outer, kept, x0, y0, cell)
