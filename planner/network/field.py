"""How far inside the limit the ground is, from travel times and the raster beside the streets.

Of each node we know the nearest streets. ``reached`` is how far it is to the nearest ground that is
reached in time, ``missed`` to the nearest that is not; their difference is below zero inside the
service area and zero on its line. Along a street it passes zero where the time is up; between a
reached and a missed street half-way; beside a reached street alone, `near` metres away.
"""

from __future__ import annotations

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def"
import numpy as np

from planner.compiled import compiled, inlined
from planner.network import kernel
from planner.network.outline import longer, trace_rings

_SLIVER = 0.02  # lines keep this part of a cell between them and the nodes
_UNSEEN, _EDGE, _DEEP = 0, 1, 2  # chains: not reached; reached, look closer; in time by far


def make_chain_list(n_chains: int) -> tuple[np.ndarray, np.ndarray]:
    """State of each chain, all unseen, and room for the list of the seen."""
    return np.zeros(n_chains, dtype=np.int8), np.empty(n_chains, dtype=np.int32)


@inlined
def _place_ms(world, facilities, low, high, best, e, share):
    """Milliseconds from a place on chain e to the nearest of facilities ``low:high``."""
    ahead, against = np.int64(world.ahead[e]), np.int64(world.against[e])
    at_tail, at_head = (
        best[world.tail[e]] >> kernel.TAG_BITS,
        best[world.head[e]] >> kernel.TAG_BITS,
    )
    ms = kernel.CLOSED
    if ahead < kernel.CLOSED or share <= 0.0:
        ms = min(ms, at_tail + np.int64(ahead * share))
    if against < kernel.CLOSED or share >= 1.0:
        ms = min(ms, at_head + np.int64(against * (1.0 - share)))
    ptr, at, leg = facilities.ptr, facilities.share, facilities.leg
    for f in range(max(low, ptr[e]), min(high, ptr[e + 1])):
        if share >= at[f] and ahead < kernel.CLOSED:
            ms = min(ms, leg[f] + np.int64(ahead * (share - at[f])))
        elif share <= at[f] and against < kernel.CLOSED:
            ms = min(ms, leg[f] + np.int64(against * (at[f] - share)))
    return ms


@compiled
def _see_chains(world, facilities, low, high, work, n_touched, budget, early, box, seen):
    """List the chains that are reached; → their number, and the raster's part beside them."""
    at_ptr, at_chain, tail, head = world.at_ptr, world.at_chain, world.tail, world.head
    ahead, against = world.ahead, world.against
    best, touched = work.best, work.touched
    state, chains = seen
    n = 0
    c0, c1, r0, r1 = 1 << 30, -1, 1 << 30, -1
    for k in range(n_touched + 1):
        if k < n_touched:
            if best[touched[k]] >> kernel.TAG_BITS > budget:
                continue
            start, stop = at_ptr[touched[k]], at_ptr[touched[k] + 1]
        else:
            start, stop = low, high
        for a in range(start, stop):
            e = at_chain[a] >> 1 if k < n_touched else facilities.chain[a]
            if state[e] != _UNSEEN or (k == n_touched and facilities.leg[a] > budget):
                continue
            one, other = best[tail[e]] >> kernel.TAG_BITS, best[head[e]] >> kernel.TAG_BITS
            last = min((one + other + max(ahead[e], against[e])) // 2, one + ahead[e])
            state[e] = _DEEP if min(last, other + against[e]) <= early else _EDGE
            chains[n] = e
            n += 1
            c0, c1 = min(c0, box[e, 0]), max(c1, box[e, 1])
            r0, r1 = min(r0, box[e, 2]), max(r1, box[e, 3])
    return n, c0, c1, r0, r1


@inlined
def _look_closer(
    world,
    facilities,
    low,
    high,
    best,
    budget,
    m_per_ms,
    near,
    start,
    stop,
    chain,
    share,
    gap,
    state,
):
    """How far from a node with entries ``start:stop`` reached and missed ground are, metres."""
    reached, missed = 3.0 * near, near
    for k in range(start, stop):
        e, d = chain[k], np.float64(gap[k])
        if state[e] == _DEEP:
            reached = min(reached, d)
        elif state[e] == _UNSEEN:
            missed = min(missed, d)
        else:
            ms = _place_ms(world, facilities, low, high, best, e, share[k])
            late = (ms - budget) * m_per_ms
            along = np.sqrt(d * d + late * late)
            reached = min(reached, along if late > 0.0 else d)
            missed = min(missed, d if late > 0.0 else along)
    return reached, missed


@compiled
def fill_field(world, facilities, low, high, work, n_touched, budget, m_per_ms, raster, near, seen):
    """Say of the nodes how much nearer reached ground is than missed ground, metres.

    Parameters
    ----------
    world, facilities, work, n_touched
        Junctions labelled by the travel kernel from facilities ``low:high``, a little beyond the
        budget.
    budget
        The limit, milliseconds.
    m_per_ms
        The speed at which a late place is taken to be so much farther.
    raster, near
        The ground, and how far from streets it belongs to them.
    seen
        From `make_chain_list`; left as it was found.

    Returns
    -------
    z
        float64, shape (rows, columns), at most a cell either way, never 0, positive on the border.
    x, y
        Where its first node stands.
    """
    cell, x0, y0, n_cols, _, ptr, chain, share, gap, box = raster
    state, chains = seen
    ample = np.sqrt(near * near - (near - cell) ** 2)  # more metres in hand are no better
    early = budget - np.int64(ample / m_per_ms)
    n, c0, c1, r0, r1 = _see_chains(
        world, facilities, low, high, work, n_touched, budget, early, box, seen
    )
    if c1 < 0:
        c0, c1, r0, r1 = 0, -1, 0, -1
    z = np.full((r1 - r0 + 3, c1 - c0 + 3), cell)
    for r in range(r0, r1 + 1):
        row = z[r - r0 + 1]
        stop = np.uint32(ptr[r * n_cols + c0])
        for c in range(c0, c1 + 1):
            start, stop = stop, np.uint32(ptr[r * n_cols + c + 1])
            least, most = _DEEP, _UNSEEN
            for k in range(start, stop):
                kind = state[np.uint32(chain[np.uint32(k)])]
                least, most = min(least, kind), max(most, kind)
            if most == _UNSEEN:
                continue
            reached, missed = np.float64(gap[start]), near  # of the nearest street
            if least != _DEEP:
                reached, missed = _look_closer(
                    world, facilities, low, high, work.best, budget, m_per_ms, near, start, stop,
                    chain, share, gap, state,
                )  # fmt: skip
            beyond = reached - missed
            size = min(cell, max(_SLIVER * cell, abs(beyond)))
            row[c - c0 + 1] = size if beyond > 0.0 else -size
    for k in range(n):
        state[chains[k]] = _UNSEEN
    return z, x0 + (c0 - 1) * cell, y0 + (r0 - 1) * cell


@compiled
def trace_each(
    low, high, world, facilities, tags, work, budget, reach, m_per_ms, raster, near, seen,
    tolerance, least_hole,
):  # fmt: skip
    """Trace the areas of facilities ``low:high``, each by itself.

    Returns
    -------
    x, y, ends, outer
        As `trace_rings`, of all facilities one after another.
    n_rings
        Of each facility, int64.
    """
    n_rings = np.zeros(high - low, np.int64)
    all_x, all_y = np.empty(4096), np.empty(4096)
    all_ends, all_outer = np.empty(256, np.int64), np.empty(256, np.bool_)
    n = m = 0
    for f in range(low, high):
        own = slice(f, f + 1)
        n_touched = kernel.spread(world, facilities.start[own], tags[own], work, reach)
        z, x0, y0 = fill_field(
            world, facilities, f, f + 1, work, n_touched, budget, m_per_ms, raster, near, seen
        )
        for k in range(n_touched):
            work.best[work.touched[k]] = kernel.FAR
        xy, ends, outer = trace_rings(z, x0, y0, raster[0], tolerance, least_hole)
        while n + len(xy) > len(all_x):
            all_x, all_y = longer(all_x), longer(all_y)
        while m + len(ends) > len(all_ends):
            all_ends, all_outer = longer(all_ends), longer(all_outer)
        for k in range(len(ends)):
            all_ends[m + k], all_outer[m + k] = n + ends[k], outer[k]
        for k in range(len(xy)):
            all_x[n + k], all_y[n + k] = xy[k, 0], xy[k, 1]
        n, m = n + len(xy), m + len(ends)
        n_rings[f - low] = len(ends)
    return all_x[:n].copy(), all_y[:n].copy(), all_ends[:m].copy(), all_outer[:m].copy(), n_rings
