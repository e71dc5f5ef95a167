"""Land between main roads → blocks and the streets that part them, halving again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from shapely.affinity import rotate
from shapely.ops import split

from planner.load.sample.arterials import QUARTERS, Quarter, block_size

if TYPE_CHECKING:
    from planner.load.sample.ground import Ground


class Cut(NamedTuple):
    """A street that parts a block."""

    line: shapely.LineString
    highway: str
    district: str
    lattice: tuple[int, int] | None  # axis and number of the grid line it lies on


class Block(NamedTuple):
    """Land without streets inside."""

    shape: shapely.Polygon
    district: str


def part_blocks(
    faces: list[shapely.Polygon], ground: Ground, rng: np.random.Generator
) -> tuple[list[Cut], list[Block]]:
    """Halve each face until its blocks have the size of their quarter.

    Grown quarters are cut across their longer side by bent lanes, some of which end blind; planned
    ones along the lines of a lattice that whole districts share.
    """
    cuts: list[Cut] = []
    blocks: list[Block] = []
    todo = [(face, district_of(face.representative_point(), ground)) for face in reversed(faces)]
    while todo:
        block, district = todo.pop()
        at = block.representative_point()
        quarter, enough = block_size(at.x, at.y, QUARTERS[district])
        if block.area < enough * rng.uniform(1.35, 1.9):
            blocks.append(Block(block, district))
            continue
        line, lattice = (
            _grown(block, rng) if quarter.axis_deg is None else _planned(block, quarter, rng)
        )
        halves = [h for h in split(block, line).geoms if h.area > 200]
        small = min(h.area for h in halves) < 0.16 * block.area
        if len(halves) < 2 or (small and block.area < 4 * enough):
            blocks.append(Block(block, district))
            continue
        street = _longest(line.intersection(block))
        highway = _highway(block.area, enough, street.length, quarter, rng)
        if quarter.axis_deg is None and block.area < 2.4 * enough and rng.random() < 0.12:
            blind = shapely.ops.substring(street, 0, rng.uniform(0.5, 0.7), normalized=True)
            cuts.append(Cut(blind, "living_street", district, None))
            blocks.append(Block(block, district))
            continue
        cuts.append(Cut(street, highway, district, lattice))
        todo.extend(
            (half, district_of(half.representative_point(), ground)) for half in reversed(halves)
        )
    return cuts, blocks


def district_of(point: shapely.Point, ground: Ground) -> str:
    """Return the district that a point lies in, or the nearest."""
    far = shapely.distance(point, list(ground.districts.values()))
    return list(ground.districts)[int(np.argmin(far))]


def _longest(shape: shapely.Geometry) -> shapely.LineString:
    lines = [g for g in shapely.get_parts(shape) if g.geom_type == "LineString"]
    merged = shapely.get_parts(shapely.line_merge(shapely.MultiLineString(lines)))
    return max(merged, key=lambda g: g.length)


def _grown(
    block: shapely.Polygon, rng: np.random.Generator
) -> tuple[shapely.LineString, tuple[int, int] | None]:
    """Return a bent line across the longer side, not quite square to it."""
    corners = shapely.get_coordinates(block.minimum_rotated_rectangle)[:4]
    sides = np.diff(np.vstack([corners, corners[:1]]), axis=0)
    along = sides[np.argmax(np.hypot(*sides.T))]
    size = np.hypot(*along)
    along = along / size
    turn = np.radians(90 + rng.normal(0, 11))
    across = np.array(
        [along[0] * np.cos(turn) - along[1] * np.sin(turn),
         along[0] * np.sin(turn) + along[1] * np.cos(turn)]
    )  # fmt: skip
    middle = shapely.get_coordinates(block.centroid)[0] + along * size * rng.uniform(-0.11, 0.11)
    half = 1.5 * size
    bend = middle + along * size * rng.normal(0, 0.035)
    lean = along * size * rng.normal(0, 0.05)
    ends = middle - across * half + lean, middle + across * half + lean
    return shapely.LineString([ends[0], bend, ends[1]]), None


def _planned(
    block: shapely.Polygon, quarter: Quarter, rng: np.random.Generator
) -> tuple[shapely.LineString, tuple[int, int] | None]:
    """Return the lattice line nearest the middle across the longer side, or one between."""
    assert quarter.axis_deg is not None
    upright = rotate(block, -quarter.axis_deg, origin=(0, 0))
    x0, y0, x1, y1 = upright.bounds
    axis = 0 if x1 - x0 > y1 - y0 else 1
    low, high = (x0, x1) if axis == 0 else (y0, y1)
    middle, free = 0.5 * (low + high), 0.17 * (high - low)
    at, lattice = middle + rng.uniform(-0.2, 0.2) * free, None
    for spacing in (quarter.spacing_m * 2, quarter.spacing_m, quarter.spacing_m / 2):
        nearest = round(middle / spacing) * spacing
        if abs(nearest - middle) < free:
            at, lattice = nearest, (axis, round(2 * nearest / quarter.spacing_m))
            break
    line = [(at, y0 - 50), (at, y1 + 50)] if axis == 0 else [(x0 - 50, at), (x1 + 50, at)]
    return rotate(shapely.LineString(line), quarter.axis_deg, origin=(0, 0)), lattice


def _highway(
    area: float, enough: float, length: float, quarter: Quarter, rng: np.random.Generator
) -> str:
    """Rank a street by what it parts."""
    if area > 16 * enough and length > 350:
        return "tertiary"
    if area > 5.5 * enough:
        return "residential"
    if quarter.axis_deg is None:
        return "living_street" if rng.random() < 0.8 else "footway"
    return "residential" if rng.random() < 0.45 else "service"
