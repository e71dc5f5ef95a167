"""Nodes and edges in plain arrays → pieces: lengths given, shapes optional."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import InputError, SettingsError
from planner.network.access import ORDINARY, check_speed
from planner.network.assemble import Pieces
from planner.settings import SPEED_KMH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import shapely


def pieces_from_arrays(  # noqa: PLR0917 - as `from_arrays`
    x: Any,
    y: Any,
    tail: Any,
    head: Any,
    length_m: Any,
    mode: str,
    speed_kmh: Any,
    oneway: Any,
    name: Any,
    street_class: Any,
    geometry: Any,
) -> tuple[Pieces, float | None]:
    """Check what `StreetNetwork.from_arrays` was given; returns the one speed too, if any."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    tail, head = np.asarray(tail, dtype=np.int64), np.asarray(head, dtype=np.int64)
    length = np.asarray(length_m, dtype=float)
    _check_edges(x, y, tail, head, length)
    m = len(tail)
    one_way = _column(oneway, m, "oneway", np.zeros(m, dtype=bool)).astype(bool)
    names, code = np.unique(
        _column(name, m, "name", np.full(m, "")).astype(str), return_inverse=True
    )
    classes = _column(street_class, m, "street_class", np.full(m, ORDINARY)).astype(np.int8)
    kmh, speed = _speeds(speed_kmh, m, mode)
    bound = one_way.any() and mode != "walk"
    backward = np.where(one_way, 0.0, kmh) if bound else kmh
    edges = Pieces(
        x, y, tail.astype(np.int32), head.astype(np.int32), length, kmh, backward,
        code.astype(np.int32), names.astype(object), classes,
    )  # fmt: skip
    if geometry is None:
        return edges, speed
    return split_edges(edges, _column(geometry, m, "geometry", None)), speed


def split_edges(edges: Pieces, shapes: Sequence[shapely.LineString] | np.ndarray) -> Pieces:
    """Cut edges at the vertices of their shapes, sharing out each edge's length.

    Parameters
    ----------
    edges
        One piece an edge; `a` and `b` are nodes.
    shapes
        One LineString an edge, or None for a straight one. A shape that runs from `b` to `a` is
        turned round; its ends are taken to be the nodes.
    """
    import shapely

    shapes = np.asarray(shapes, dtype=object)
    missing = shapely.is_missing(shapes) | (shapely.get_type_id(shapes) != 1)
    missing |= shapely.is_empty(shapes)
    a_xy = np.column_stack([edges.x[edges.a], edges.y[edges.a]])
    b_xy = np.column_stack([edges.x[edges.b], edges.y[edges.b]])
    straight = shapely.linestrings(np.stack([a_xy, b_xy], axis=1)) if len(a_xy) else shapes
    shapes = shapely.force_2d(np.where(missing, straight, shapes))
    first = shapely.get_coordinates(shapely.get_point(shapes, 0))
    last = shapely.get_coordinates(shapely.get_point(shapes, -1))
    turned = _gap(first, a_xy) + _gap(last, b_xy) > _gap(first, b_xy) + _gap(last, a_xy)
    shapes = np.where(turned, shapely.reverse(shapes), shapes)

    xy, edge = shapely.get_coordinates(shapes, return_index=True)
    starts = np.concatenate([[True], edge[1:] != edge[:-1]])
    ends = np.concatenate([edge[1:] != edge[:-1], [True]])
    vertex = np.empty(len(xy), dtype=np.int64)
    vertex[starts], vertex[ends] = edges.a, edges.b
    inner = ~starts & ~ends
    vertex[inner] = len(edges.x) + np.arange(inner.sum())
    at = np.flatnonzero(~ends)
    step = np.hypot(*(xy[at + 1] - xy[at]).T)
    owner = edge[at]
    whole = np.bincount(owner, weights=step, minlength=len(edges.a))
    pieces = np.bincount(owner, minlength=len(edges.a))
    part = np.where(whole[owner] > 0, step / np.maximum(whole[owner], 1e-12), 1 / pieces[owner])
    z = None if edges.z is None else _heights(edges, edges.z, edge, inner, step)
    return Pieces(
        x=np.concatenate([edges.x, xy[inner, 0]]),
        y=np.concatenate([edges.y, xy[inner, 1]]),
        a=vertex[at],
        b=vertex[at + 1],
        length_m=edges.length_m[owner] * part,
        forward_kmh=edges.forward_kmh[owner],
        backward_kmh=edges.backward_kmh[owner],
        name_code=edges.name_code[owner],
        names=edges.names,
        street_class=edges.street_class[owner],
        z=z,
    )


def _heights(
    edges: Pieces, z: np.ndarray, edge: np.ndarray, inner: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """Metres above the sea of nodes, and of inner vertices in proportion between an edge's ends.

    `z` are the nodes', `edge` is that of every vertex, `inner` marks those inside, `step` are the
    lengths of all pieces.
    """
    whole = np.bincount(edge[1:][edge[1:] == edge[:-1]], weights=step, minlength=len(edges.a))
    vertex = np.flatnonzero(inner)
    edge = edge[vertex]
    # pieces stand edge by edge as vertices do, one fewer an edge
    walked = np.cumsum(step)[vertex - edge - 1] - (np.cumsum(whole) - whole)[edge]
    share = walked / np.maximum(whole[edge], 1e-12)
    start, stop = z[edges.a][edge], z[edges.b][edge]
    return np.concatenate([z, start + share * (stop - start)])


def _gap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.hypot(one[:, 0] - other[:, 0], one[:, 1] - other[:, 1])


def _check_edges(
    x: np.ndarray, y: np.ndarray, tail: np.ndarray, head: np.ndarray, length: np.ndarray
) -> None:
    """All faults of the arrays at once."""
    faults = []
    if x.ndim != 1 or x.shape != y.shape:
        faults.append(f"x and y differ in shape: {x.shape} and {y.shape}")
    elif not (np.isfinite(x).all() and np.isfinite(y).all()):
        faults.append("a node's place is not finite")
    if tail.ndim != 1 or not tail.shape == head.shape == length.shape:
        faults.append(
            f"tail, head and length_m differ in shape: {tail.shape}, {head.shape}, {length.shape}"
        )
    else:
        if len(tail) and not (
            0 <= min(tail.min(), head.min()) <= max(tail.max(), head.max()) < len(x)
        ):
            faults.append(f"tail and head must lie in 0..{len(x) - 1}")
        if not (np.isfinite(length) & (length >= 0)).all():
            faults.append("length_m must be finite and not negative")
    if faults:
        raise InputError(f"the street arrays: {'; '.join(faults)}. Check how they were made.")


def _column(values: Any, m: int, name: str, default: Any) -> np.ndarray:
    if values is None:
        return default
    array = np.empty(len(values), dtype=object) if name == "geometry" else np.asarray(values)
    if name == "geometry":
        array[:] = list(values)
    if array.shape != (m,):
        raise InputError(
            f"the street arrays: `{name}` has shape {array.shape}, not ({m},). Give one value an "
            "edge."
        )
    return array


def _speeds(speed_kmh: Any, m: int, mode: str) -> tuple[np.ndarray, float | None]:
    """Speed of each edge, and the one speed if it is the same for all."""
    if speed_kmh is None or np.ndim(speed_kmh) == 0:
        check_speed(speed_kmh)
        speed = SPEED_KMH[mode] if speed_kmh is None else float(speed_kmh)
        return np.full(m, speed), speed
    kmh = _column(speed_kmh, m, "speed_kmh", None).astype(float)
    if not (np.isfinite(kmh) & (kmh > 0)).all():
        raise SettingsError("Every `speed_kmh` must be a number greater than 0. Check the array.")
    return kmh, None
