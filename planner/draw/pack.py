"""Numbers into short text: integers → zigzag steps → varint bytes → deflate → base64.

Everything that a map draws many of goes this way; `page/packed.js` reads it back. Coordinates are
whole pixels of Web Mercator at zoom 18: 0.6 m at the equator, less elsewhere.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely

from planner.geo import WGS84

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from scipy.sparse import csc_array

ZOOM = 18
_ROW_STEP = np.sqrt(3.0) / 2.0  # rows of hexagons lie this many widths apart


def pack(*parts: bytes) -> str:
    """Return bytes as text: deflated, base64."""
    return base64.b64encode(zlib.compress(b"".join(parts), 9)).decode("ascii")


def pack_json(value: Any) -> str:
    """Return a plain value as packed JSON; NaN is refused, for JSON does not know it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return pack(text.encode())


def varint(values: np.ndarray) -> bytes:
    """Return unsigned integers as bytes: seven bits each, low ones first, the high bit says “more”.

    Examples
    --------
    >>> list(varint([5, 300]))
    [5, 172, 2]
    """
    rest = np.asarray(values, dtype=np.uint64)
    if not rest.size:
        return b""
    size = np.ones(rest.size, dtype=np.int64)
    for bits in range(7, 64, 7):
        size += rest >> np.uint64(bits) > 0
    start = np.cumsum(size) - size
    out = np.zeros(int(size.sum()), dtype=np.uint8)
    for k in range(int(size.max())):
        has = size > k
        seven = (rest[has] >> np.uint64(7 * k)) & np.uint64(127)
        out[start[has] + k] = seven | np.where(size[has] > k + 1, 128, 0).astype(np.uint64)
    return out.tobytes()


def zigzag(values: np.ndarray) -> np.ndarray:
    """Return signed integers as unsigned ones, small ones first: 0, -1, 1, -2 → 0, 1, 2, 3."""
    whole = np.asarray(values, dtype=np.int64)
    return ((whole << 1) ^ (whole >> 63)).astype(np.uint64)


def to_pixels(x: np.ndarray, y: np.ndarray, crs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates of a CRS as Web Mercator pixels at `ZOOM`, unrounded, y downwards."""
    lon, lat = _to_degrees(crs).transform(x, y)
    size = 256.0 * 2.0**ZOOM
    north = np.arcsinh(np.tan(np.radians(np.asarray(lat))))
    return (np.asarray(lon) / 360.0 + 0.5) * size, (0.5 - north / (2.0 * np.pi)) * size


@cache
def _to_degrees(crs: Any) -> pyproj.Transformer:
    """Return the way from a CRS to degrees; finding it costs more than going it."""
    return pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)


def whole_pixels(x: ArrayLike, y: ArrayLike, crs: Any) -> tuple[list[int], list[int]]:
    """Return `to_pixels` rounded, as plain lists."""
    px, py = to_pixels(np.asarray(x, dtype=float), np.asarray(y, dtype=float), crs)
    return np.rint(px).astype(int).tolist(), np.rint(py).astype(int).tolist()


def ring_steps(shape: Any, crs: Any) -> list[list[list[int]]]:
    """Return polygons as lists of rings, each flat: first pixel, then steps (x, y, dx, dy, …)."""
    polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
    return [
        [_steps(ring, crs) for ring in (polygon.exterior, *polygon.interiors)]
        for polygon in polygons
    ]


def line_steps(shape: Any, crs: Any) -> list[list[int]]:
    """Return lines, each flat as a ring of `ring_steps` is."""
    return [_steps(line, crs) for line in shapely.get_parts(shape)]


def _steps(ring: Any, crs: Any) -> list[int]:
    xy = shapely.get_coordinates(ring)
    px = np.rint(np.column_stack(to_pixels(xy[:, 0], xy[:, 1], crs))).astype(np.int64)
    px = px[np.r_[True, (px[1:] != px[:-1]).any(axis=1)]]
    return np.diff(px, axis=0, prepend=0).ravel().tolist()


def pack_lines(lines: np.ndarray, line_class: np.ndarray, crs: Any) -> str:
    """Pack polylines with a small class number each.

    Lines follow each other along a coarse grid, in a snake, so that the jumps between them are
    short numbers.
    """
    xy, line = shapely.get_coordinates(lines, return_index=True)
    px = np.rint(np.column_stack(to_pixels(xy[:, 0], xy[:, 1], crs))).astype(np.int64)
    fresh = np.ones(len(px), dtype=bool)  # rounding made some neighbours equal
    fresh[1:] = (line[1:] != line[:-1]) | (px[1:] != px[:-1]).any(axis=1)
    px, line = px[fresh], line[fresh]
    count = np.bincount(line, minlength=len(lines))
    first = np.cumsum(count) - count
    order = np.flatnonzero(count > 1)
    head = px[first[order]]
    band = head[:, 1] >> 10
    order = order[np.lexsort((np.where(band % 2, -1, 1) * head[:, 0], band))]
    length = count[order]
    take = np.repeat(first[order] - (np.cumsum(length) - length), length) + np.arange(length.sum())
    step = np.diff(px[take], axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return pack(
        varint(np.array([len(order)])),
        varint(length),
        varint(np.asarray(line_class)[order]),
        varint(zigzag(step[:, 0])),
        varint(zigzag(step[:, 1])),
    )


def pack_cells(
    row: np.ndarray,
    col: np.ndarray,
    weight: np.ndarray,
    *,
    origin: tuple[float, float],
    width_m: float,
    crs: Any,
) -> tuple[dict[str, Any], str, np.ndarray]:
    """Pack hexagons and their weights.

    Parameters
    ----------
    row, col
        Shape (n,), the cells of a pointy-top grid whose odd rows lie half a width to the right.
    weight
        Shape (n, dayparts), never negative.
    origin
        Centre of cell (0, 0) in `crs`, metres.
    width_m
        From flat side to flat side.
    crs
        Metric.

    Returns
    -------
    head, body, order
        What the page is told (where the grid lies: one cubic, off by under a pixel), the packed
        cells, and their order in it, as positions of the input.
    """
    row, col = np.asarray(row, dtype=np.int64), np.asarray(col, dtype=np.int64)
    order = np.lexsort((col, row))
    base_row, base_col = int(row.min()) // 2 * 2, int(col.min())  # even: parity shifts the row
    row, col = row[order] - base_row, col[order] - base_col
    x0 = origin[0] + width_m * base_col
    y0 = origin[1] + width_m * base_row * _ROW_STEP
    scale = float(max(col.max() + 1, row.max() * _ROW_STEP, 8.0))
    fit = _fit_grid((x0, y0), width_m * scale, crs)
    weight = np.asarray(weight, dtype=float)[order]
    unit = _weight_unit(weight)
    whole = np.rint(weight / unit).astype(np.int64)
    head = {
        "n": len(row),
        "parts": weight.shape[1],
        "unit": unit.tolist(),
        "scale": scale,
        "fit": fit.T.tolist(),
    }
    body = pack(
        varint(np.diff(row, prepend=0)),
        varint(zigzag(np.diff(col, prepend=0))),
        *(varint(whole[:, part]) for part in range(weight.shape[1])),
    )
    return head, body, order


def _weight_unit(weight: np.ndarray) -> np.ndarray:
    """Return the weight that one whole number stands for, a daypart.

    A cell is off by half a unit at most, so a covered share by under ``1 / levels``; the more
    cells, the more the roundings cancel.
    """
    levels = 20_000 if len(weight) < 20_000 else 2_000
    mean = weight.mean(axis=0)
    return np.where(mean > 0, mean, 1.0) / levels


def _fit_grid(origin: tuple[float, float], side_m: float, crs: Any) -> np.ndarray:
    """Fit pixels as a cubic of (u, v), the place in the grid over its longer side."""
    side = np.linspace(-0.05, 1.05, 12)
    u, v = (a.ravel() for a in np.meshgrid(side, side))
    px, py = to_pixels(origin[0] + side_m * u, origin[1] + side_m * v, crs)
    terms = [u**i * v**j for i in range(4) for j in range(4 - i)]
    return np.linalg.lstsq(np.column_stack(terms), np.column_stack([px, py]), rcond=None)[0]


def pack_reach(minutes: csc_array, order: np.ndarray, limit_min: float) -> tuple[float, str]:
    """Pack who reaches which cell, and how long it takes.

    Parameters
    ----------
    minutes
        Cells × facilities, an entry only where within the limit.
    order
        The cells' order in the pack.
    limit_min
        The limit; times are rounded up to a quarter minute, or to a 240th of a longer limit.

    Returns
    -------
    unit_min, body
        Minutes that one whole number stands for, and the packed pairs.
    """
    unit_min = max(0.25, limit_min / 240.0)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    facility = np.repeat(np.arange(minutes.shape[1]), np.diff(minutes.indptr))
    cell = place[minutes.indices]
    line = np.lexsort((cell, facility))
    facility, cell = facility[line], cell[line]
    code = np.ceil(np.asarray(minutes.data)[line] / unit_min - 1e-9).clip(0, 254)
    same = np.r_[False, facility[1:] == facility[:-1]] if len(cell) else np.zeros(0, dtype=bool)
    step = np.where(same, np.diff(cell, prepend=0), cell)
    count = np.bincount(facility, minlength=minutes.shape[1])
    return unit_min, pack(varint(count), varint(step), code.astype(np.uint8).tobytes())
