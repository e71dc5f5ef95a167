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
    is_open = (pieces.forward_kmh > 0) | (pieces.backward_kmh > 0)
    loop = (pieces.a == pieces.b) & (pieces.length_m <= 0)
    kept = np.flatnonzero(is_open & ~loop)
    a, b = pieces.a[kept].astype(np.int64), pieces.b[kept].astype(np.int64)
    length = pieces.length_m[kept].astype(np.float64)
    forward, backward = pieces.forward_kmh[kept], pieces.backward_kmh[kept]
    n = len(pieces.x)

    ends = np.concatenate([a, b])
    incident = np.argsort(ends, kind="stable") % max(len(a), 1)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n))]).astype(np.int64)
    label = pieces.name_code[kept].astype(np.int64) * 8 + pieces.street_class[kept]
    junction = _junctions(ptr, incident, b, label, forward, backward)
    order = _along_curve(pieces.x, pieces.y)
    start, run = _runs(ptr, incident, a, b, junction, order)

    # one number for every junction that a chain touches, along the curve
    piece, reverse = run >> 1, (run & 1).astype(bool)
    first = np.where(reverse, b[piece], a[piece])
    last = np.where(reverse, a[piece], b[piece])
    used = np.zeros(n, dtype=bool)
    used[first[start[:-1]]] = used[last[start[1:] - 1]] = True
    junctions = order[used[order]]
    number = np.full(n, -1, dtype=np.int32)
    number[junctions] = np.arange(len(junctions), dtype=np.int32)

    run, start = _canonical(run, start, number, first, last, pieces)
    piece, reverse = run >> 1, (run & 1).astype(bool)
    first = np.where(reverse, b[piece], a[piece])
    last = np.where(reverse, a[piece], b[piece])
    head_piece, tail_piece = piece[start[:-1]], piece[start[1:] - 1]
    turned = reverse[start[:-1]]
    vertex_ptr, vertices, vertex_m = _shapes(start, first, last, length[piece])
    return Chains(
        x=pieces.x[junctions].astype(np.float64),
        y=pieces.y[junctions].astype(np.float64),
        tail=number[first[start[:-1]]],
        head=number[last[start[1:] - 1]],
        length_m=vertex_m[vertex_ptr[1:] - 1],
        forward_kmh=np.where(turned, backward[head_piece], forward[head_piece]),
        backward_kmh=np.where(turned, forward[head_piece], backward[head_piece]),
        name_code=pieces.name_code[kept][tail_piece].astype(np.int32),
        street_class=pieces.street_class[kept][tail_piece].astype(np.int8),
        vertex_ptr=vertex_ptr,
        vertex_x=pieces.x[vertices].astype(np.float64),
        vertex_y=pieces.y[vertices].astype(np.float64),
        vertex_m=vertex_m,
    )


def _canonical(  # noqa: PLR0917
    run: np.ndarray,
    start: np.ndarray,
    number: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    pieces: Pieces,
) -> tuple[np.ndarray, np.ndarray]:
    """Turn every chain to run from its lower junction, and sort chains by ends and shape."""
    tail, head = number[first[start[:-1]]], number[last[start[1:] - 1]]
    second, second_last = last[start[:-1]], first[start[1:] - 1]
    x, y = pieces.x, pieces.y
    later = (x[second] > x[second_last]) | (
        (x[second] == x[second_last]) & (y[second] > y[second_last])
    )
    flip = (tail > head) | ((tail == head) & later)
    near = np.where(flip, second_last, second)
    far = np.where(flip, second, second_last)
    count = np.diff(start)
    lower, upper = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((y[far], x[far], y[near], x[near], count, upper, lower))
    new_start = np.concatenate([[0], np.cumsum(count[order])])
    chain = np.repeat(np.arange(len(order)), count[order])
    step = np.arange(len(run)) - new_start[chain]
    back = flip[order][chain]
    old = start[:-1][order][chain] + np.where(back, count[order][chain] - 1 - step, step)
    return run[old] ^ back, new_start


def _shapes(
    start: np.ndarray, first: np.ndarray, last: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices of every chain, both ends included, and the metres walked up to each."""
    n_chains = len(start) - 1
    ptr = start + np.arange(n_chains + 1)
    chain = np.repeat(np.arange(n_chains), np.diff(start))
    vertices = np.empty(ptr[-1], dtype=np.int64)
    metres = np.zeros(ptr[-1])
    inner = np.arange(len(first)) + chain
    vertices[inner], vertices[ptr[1:] - 1] = first, last[start[1:] - 1]
    total = np.cumsum(length)
    before = np.concatenate([[0.0], total])[start[:-1]]
    metres[inner + 1] = total - before[chain]
    return ptr.astype(np.int64), vertices, metres


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
    run = np.empty(len(a), np.int64)
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
    order = np.argsort(place, kind="stable")
    equal = place[order[1:]] == place[order[:-1]]
    tied = np.zeros(len(x), dtype=bool)
    tied[1:] |= equal
    tied[:-1] |= equal
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
