"""From straight pieces to chains: exact contraction of what is no junction, in one fixed order.

A chain is an undirected run of pieces between two junctions. A vertex vanishes only where exactly
two pieces of the same name, class and speeds meet, so nothing but shape is lost, and the shape is
kept. Junctions are numbered along a Hilbert curve and chains by their ends, so that what is near on
the ground is near in memory, and the order of the input rows decides nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.compiled import compiled

BARRED = "barred node"  # in `StreetNetwork.dropped`


class Pieces(NamedTuple):
    """Straight street pieces between vertices, as the sources give them.

    `x, y` (v,) are vertices in metres; the rest is (p,): vertex numbers `a` and `b`, metres, speeds
    in km/h from a to b and back (0 = closed), a code into `names`, and the class. `z` are metres
    above the sea (v,), NaN where unknown, if the source tells them.
    """

    x: np.ndarray
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray
    length_m: np.ndarray
    forward_kmh: np.ndarray
    backward_kmh: np.ndarray
    name_code: np.ndarray
    names: np.ndarray
    street_class: np.ndarray
    z: np.ndarray | None = None


class Chains(NamedTuple):
    """Junctions and chains; see `StreetNetwork` for what the arrays hold."""

    x: np.ndarray
    y: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    length_m: np.ndarray
    forward_kmh: np.ndarray
    backward_kmh: np.ndarray
    name_code: np.ndarray
    street_class: np.ndarray
    vertex_ptr: np.ndarray
    vertex_x: np.ndarray
    vertex_y: np.ndarray
    vertex_m: np.ndarray


def cut_at(pieces: Pieces, barred: np.ndarray) -> tuple[Pieces, int]:
    """End every piece at the vertices where nobody passes; each keeps its stub.

    Parameters
    ----------
    pieces
        As the source gives them.
    barred
        bool, shape (v,): vertices that join nothing.

    Returns
    -------
    pieces, count
        And how many of the vertices joined open pieces before.
    """
    is_open = (pieces.forward_kmh > 0) | (pieces.backward_kmh > 0)
    meeting = np.bincount(pieces.a[is_open], minlength=len(pieces.x))
    meeting += np.bincount(pieces.b[is_open], minlength=len(pieces.x))
    cut = barred & (meeting > 1)
    ends = np.concatenate([pieces.a, pieces.b])
    loose = np.flatnonzero(cut[ends])
    old = ends[loose]
    ends[loose] = len(pieces.x) + np.arange(len(loose))
    count = len(pieces.a)
    return pieces._replace(
        x=np.concatenate([pieces.x, pieces.x[old]]),
        y=np.concatenate([pieces.y, pieces.y[old]]),
        a=ends[:count],
        b=ends[count:],
        z=None if pieces.z is None else np.concatenate([pieces.z, pieces.z[old]]),
    ), int(cut.sum())


def make_chains(pieces: Pieces) -> Chains:
    """Contract pieces into chains; pieces closed both ways are left out."""
    open_pieces = _usable(pieces)
    start, run, junctions, number = _contract(open_pieces)
    start, run = _canonical(open_pieces, start, run, number)
    return _shape(open_pieces, start, run, junctions, number)


def _usable(pieces: Pieces) -> Pieces:
    """Return the pieces that may be travelled; vertex numbers become int32."""
    kept = (pieces.forward_kmh > 0) | (pieces.backward_kmh > 0)
    kept &= (pieces.a != pieces.b) | (pieces.length_m > 0)
    rows = slice(None) if kept.all() else np.flatnonzero(kept)
    return pieces._replace(
        a=pieces.a[rows].astype(np.int32, copy=False),
        b=pieces.b[rows].astype(np.int32, copy=False),
        length_m=pieces.length_m[rows].astype(np.float64, copy=False),
        forward_kmh=pieces.forward_kmh[rows],
        backward_kmh=pieces.backward_kmh[rows],
        name_code=pieces.name_code[rows],
        street_class=pieces.street_class[rows],
    )


def _contract(pieces: Pieces) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Follow pieces between junctions.

    Returns
    -------
    start, run
        Chain c is the pieces ``run[start[c]:start[c + 1]]``, each ``piece << 1 | 1 if reversed``.
    junctions
        The vertex of each junction, along the curve.
    number
        The junction at each vertex, -1 if none.
    """
    a, b, n = pieces.a, pieces.b, len(pieces.x)
    ptr, incident = _incidence(a, b, n)
    label = pieces.name_code.astype(np.int32) * np.int32(8) + pieces.street_class
    junction = _junctions(ptr, incident, b, label, pieces.forward_kmh, pieces.backward_kmh)
    order = _along_curve(pieces.x, pieces.y)
    start, run = _runs(ptr, incident, a, b, junction, order)
    used = np.zeros(n, dtype=bool)
    used[_ends(pieces, run[start[:-1]])[0]] = used[_ends(pieces, run[start[1:] - 1])[1]] = True
    junctions = order[used[order]]
    number = np.full(n, -1, dtype=np.int32)
    number[junctions] = np.arange(len(junctions), dtype=np.int32)
    return start, run, junctions, number


def _ends(pieces: Pieces, run: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices at which each step of the runs begins and ends."""
    piece, reverse = run >> 1, (run & 1).astype(bool)
    one, other = pieces.a[piece], pieces.b[piece]
    return np.where(reverse, other, one), np.where(reverse, one, other)


def _canonical(
    pieces: Pieces, start: np.ndarray, run: np.ndarray, number: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Turn every chain to run from its lower junction, and sort chains by ends and shape."""
    first, second = _ends(pieces, run[start[:-1]])
    second_last, last = _ends(pieces, run[start[1:] - 1])
    tail, head = number[first], number[last]
    x, y = pieces.x, pieces.y
    later = (x[second] > x[second_last]) | (
        (x[second] == x[second_last]) & (y[second] > y[second_last])
    )
    flip = (tail > head) | ((tail == head) & later)
    pair = np.minimum(tail, head) * np.int64(len(number)) + np.maximum(tail, head)
    order = np.argsort(pair, kind="stable").astype(np.int32)
    tied = _tied(pair[order])
    group = order[tied]
    near = np.where(flip, second_last, second)[group]
    far = np.where(flip, second, second_last)[group]
    keys = y[far], x[far], y[near], x[near], np.diff(start)[group], pair[group]
    order[tied] = group[np.lexsort(keys)]
    return _turned(start, run, order, flip)


def _tied(value: np.ndarray) -> np.ndarray:
    """Tell which of some sorted values stand there more than once."""
    equal = value[1:] == value[:-1]
    tied = np.zeros(len(value), dtype=bool)
    tied[1:] |= equal
    tied[:-1] |= equal
    return tied


def _shape(
    pieces: Pieces, start: np.ndarray, run: np.ndarray, junctions: np.ndarray, number: np.ndarray
) -> Chains:
    """Describe the chains by their junctions, costs and vertices."""
    vertex_ptr = start + np.arange(len(start))
    vertices, metres = _vertices(start, run, pieces.a, pieces.b, pieces.length_m)
    one, turned = run[start[:-1]] >> 1, (run[start[:-1]] & 1).astype(bool)
    return Chains(
        x=pieces.x[junctions].astype(np.float64, copy=False),
        y=pieces.y[junctions].astype(np.float64, copy=False),
        tail=number[vertices[vertex_ptr[:-1]]],
        head=number[vertices[vertex_ptr[1:] - 1]],
        length_m=metres[vertex_ptr[1:] - 1],
        forward_kmh=np.where(turned, pieces.backward_kmh[one], pieces.forward_kmh[one]),
        backward_kmh=np.where(turned, pieces.forward_kmh[one], pieces.backward_kmh[one]),
        name_code=pieces.name_code[one].astype(np.int32, copy=False),
        street_class=pieces.street_class[one].astype(np.int8, copy=False),
        vertex_ptr=vertex_ptr,
        vertex_x=pieces.x[vertices].astype(np.float64, copy=False),
        vertex_y=pieces.y[vertices].astype(np.float64, copy=False),
        vertex_m=metres,
    )


@compiled
def _vertices(
    start: np.ndarray, run: np.ndarray, a: np.ndarray, b: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of every chain, both ends included, and the metres walked up to each."""
    vertices = np.empty(len(run) + len(start) - 1, np.int32)
    metres = np.zeros(len(vertices))
    at = 0
    for c in range(len(start) - 1):
        for k in range(start[c], start[c + 1]):
            piece, reverse = run[k] >> 1, run[k] & 1
            vertices[at] = b[piece] if reverse else a[piece]
            vertices[at + 1] = a[piece] if reverse else b[piece]
            metres[at + 1] = metres[at] + length[piece]
            at += 1
        at += 1
    return vertices, metres


@compiled
def _incidence(a: np.ndarray, b: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """List the pieces at each vertex: those that start there, then those that end there."""
    ptr = np.zeros(n + 1, np.int64)
    for k in range(len(a)):
        ptr[a[k] + 1] += 1
        ptr[b[k] + 1] += 1
    for i in range(n):
        ptr[i + 1] += ptr[i]
    at = ptr[:-1].astype(np.int32)
    incident = np.empty(2 * len(a), np.int32)
    for ends in (a, b):
        for k in range(len(ends)):
            incident[at[ends[k]]] = k
            at[ends[k]] += 1
    return ptr, incident


@compiled
def _turned(
    start: np.ndarray, run: np.ndarray, order: np.ndarray, flip: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Put chains into an order, those of `flip` backward."""
    starts, steps = np.zeros_like(start), np.empty_like(run)
    for k, c in enumerate(order):
        low, high, at = start[c], start[c + 1], starts[k]
        for step in range(high - low):
            steps[at + step] = run[high - 1 - step] ^ 1 if flip[c] else run[low + step]
        starts[k + 1] = at + high - low
    return starts, steps


@compiled
def _junctions(  # noqa: PLR0917
    ptr: np.ndarray,
    incident: np.ndarray,
    b: np.ndarray,
    label: np.ndarray,
    forward: np.ndarray,
    backward: np.ndarray,
) -> np.ndarray:
    """Tell which vertices stay: all but those where a street just goes on."""
    n = len(ptr) - 1
    stays = np.ones(n, np.bool_)
    for i in range(n):
        if ptr[i + 1] - ptr[i] != 2:
            continue
        s, t = incident[ptr[i]], incident[ptr[i] + 1]
        if s == t or label[s] != label[t]:
            continue
        s_in, s_out = (forward[s], backward[s]) if b[s] == i else (backward[s], forward[s])
        t_in, t_out = (forward[t], backward[t]) if b[t] == i else (backward[t], forward[t])
        stays[i] = s_in != t_out or t_in != s_out
    return stays


@compiled
def _runs(  # noqa: PLR0917
    ptr: np.ndarray,
    incident: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    junction: np.ndarray,
    order: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Follow pieces from junction to junction: ``piece << 1 | against its direction``."""
    used = np.zeros(len(a), np.bool_)
    run = np.empty(len(a), np.int32)
    start = np.zeros(len(a) + 1, np.int64)
    n_runs, filled = 0, 0
    for lap in range(
        2
    ):  # the second lap takes rings without a junction, opened at the first vertex
        for i in order:
            if lap == 0 and not junction[i]:
                continue
            for k in range(ptr[i], ptr[i + 1]):
                piece = incident[k]
                if used[piece]:
                    continue
                junction[i] = True
                at = i
                while True:
                    used[piece] = True
                    against = 0 if a[piece] == at else 1
                    run[filled] = piece << 1 | against
                    filled += 1
                    at = b[piece] if against == 0 else a[piece]
                    if junction[at]:
                        break
                    one, two = incident[ptr[at]], incident[ptr[at] + 1]
                    piece = two if one == piece else one
                n_runs += 1
                start[n_runs] = filled
    return start[: n_runs + 1].copy(), run[:filled].copy()


def _along_curve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Order points along a Hilbert curve, those in one cell of it by their places."""
    place = hilbert(x, y)
    order = np.argsort(place, kind="stable").astype(np.int32)
    tied = _tied(place[order])
    group = order[tied]
    order[tied] = group[np.lexsort((y[group], x[group], place[group]))]
    return order


def hilbert(x: np.ndarray, y: np.ndarray, order: int = 16) -> np.ndarray:
    """Return the position of points along a Hilbert curve over their bounding square.

    Examples
    --------
    >>> hilbert(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0]), order=1).tolist()
    [0, 1, 2, 3]
    """
    place = np.zeros(len(x), dtype=np.uint32)
    if not len(x):
        return place
    side = np.uint32((1 << order) - 1)
    span = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    col = ((x - x.min()) / span * float(side)).astype(np.uint32)
    row = ((y - y.min()) / span * float(side)).astype(np.uint32)
    for bit in range(order - 1, -1, -1):
        right, upper = (col >> bit) & 1, (row >> bit) & 1
        place = place << 2 | (3 * right) ^ upper
        turn = np.where((upper == 0) & (right == 1), side, np.uint32(0))
        flat = upper == 0
        col, row = np.where(flat, row ^ turn, col), np.where(flat, col ^ turn, row)
    return place
