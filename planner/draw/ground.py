"""What lies under the answer: streets, districts, water, service areas; thinned for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.draw.pack import pack_lines, ring_steps, whole_pixels

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

_STREET_TOLERANCE_M = 0.8  # a pixel and a half at the closest zoom
_AREA_TOLERANCE_M = 6.0
_CLOSE_M = 30.0  # gaps within a block are closed, and holes under two hectares
_HOLE_M2 = 20_000.0
_MOST_STREET_NAMES = 4000


def describe_streets(streets: gpd.GeoDataFrame) -> tuple[str, list[list[Any]]]:
    """Return packed lines and, for the search, one point a street name.

    Parameters
    ----------
    streets
        Lines with ``name`` and ``street_class`` (0 path … 5 motorway) where known; any metric CRS.
    """
    lines = shapely.get_parts(streets.geometry.to_numpy())
    owner = np.repeat(
        np.arange(len(streets)), shapely.get_num_geometries(streets.geometry.to_numpy())
    )
    line_class = (
        streets["street_class"].to_numpy()[owner]
        if "street_class" in streets
        else np.full(len(lines), 2)
    )
    names = streets["name"].fillna("").to_numpy()[owner] if "name" in streets else None
    found = [] if names is None else _street_names(lines, names, streets.crs)
    joined, joined_class = _join(lines, np.clip(line_class, 0, 5).astype(np.int64))
    return pack_lines(joined, joined_class, streets.crs), found


def _join(lines: np.ndarray, line_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join pieces of a class end to end and thin them: the same picture from fewer numbers."""
    order = np.lexsort((shapely.length(lines), *shapely.bounds(lines).T))  # whatever their rows
    lines, line_class = lines[order], line_class[order]
    parts, classes = [], []
    for number in np.unique(line_class):
        merged = shapely.line_merge(shapely.multilinestrings(lines[line_class == number]))
        thin = shapely.simplify(shapely.get_parts(merged), _STREET_TOLERANCE_M)
        parts.append(thin)
        classes.append(np.full(len(thin), number))
    return np.concatenate(parts), np.concatenate(classes)


def _street_names(lines: np.ndarray, names: np.ndarray, crs: Any) -> list[list[Any]]:
    """Return the middle of the longest piece of every named street, of the longest ones if many."""
    length = shapely.length(lines)
    order = np.lexsort((-length, names))
    order = order[names[order] != ""]
    if not len(order):
        return []
    first = np.r_[True, names[order][1:] != names[order][:-1]]
    total = np.add.reduceat(length[order], np.flatnonzero(first))
    longest = order[first]
    keep = np.sort(np.argsort(-total, kind="stable")[:_MOST_STREET_NAMES])
    middle = shapely.line_interpolate_point(lines[longest[keep]], 0.5, normalized=True)
    x, y = whole_pixels(shapely.get_x(middle), shapely.get_y(middle), crs)
    return [list(row) for row in zip(names[longest[keep]].tolist(), x, y, strict=True)]


def describe_districts(area: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return outline, names and a place for the name of every district."""
    shapes = shapely.make_valid(area.geometry.to_numpy())
    middle = shapely.centroid(shapes)
    outside = ~shapely.contains(shapes, middle)
    circles = shapely.maximum_inscribed_circle(shapes[outside], tolerance=20.0)
    middle[outside] = shapely.get_point(circles, 0)
    x, y = whole_pixels(shapely.get_x(middle), shapely.get_y(middle), area.crs)
    english = area["name_en"].fillna("") if "name_en" in area else [""] * len(area)
    named = area["name"].fillna("") if "name" in area else area.index.astype(str)
    thin = shapely.simplify(shapes, _AREA_TOLERANCE_M)
    return [
        {"name": str(n), "english": str(e), "x": px, "y": py, "rings": ring_steps(s, area.crs)}
        for n, e, px, py, s in zip(named, english, x, y, thin, strict=True)
    ]


def describe_water(water: gpd.GeoDataFrame) -> list[list[list[int]]]:
    """Return the rings of all water."""
    whole = shapely.union_all(shapely.make_valid(water.geometry.to_numpy()))
    return ring_steps(shapely.simplify(whole, _AREA_TOLERANCE_M), water.crs)


def describe_areas(areas: gpd.GeoDataFrame, limit_min: float) -> dict[str, Any]:
    """Return service areas today as rings between the limits, and what the plan adds.

    Parameters
    ----------
    areas
        ``limit_min``, ``geometry`` and, where the plan's are in it too, ``when``
        (``before`` or ``after``).
    limit_min
        The service limit: what is gained is measured at it, or at the nearest limit there is.
    """
    when = areas.get("when")
    before = _by_limit(areas if when is None else areas[when == "before"])
    after = _by_limit(areas.iloc[:0] if when is None else areas[when == "after"])
    limits, bands, inner = sorted(before), [], shapely.Polygon()
    for limit in limits:
        bands.append(ring_steps(shapely.difference(before[limit], inner), areas.crs))
        inner = before[limit]
    edge = ring_steps(inner, areas.crs)
    gained: list[Any] = []
    if after:
        at = min(after, key=lambda limit: (abs(limit - limit_min), limit))
        fresh = shapely.difference(after[at], before.get(at, shapely.Polygon()))
        # what is thinner than 30 m is the two outlines' disagreement, not ground gained
        gained = ring_steps(fresh.buffer(-15).buffer(15), areas.crs)
    return {"limits": limits, "bands": bands, "edge": edge, "gained": gained}


def _by_limit(areas: gpd.GeoDataFrame) -> dict[float, Any]:
    """Return the area of every limit, calm enough to be read: courts inside a block are closed."""
    shapes = shapely.make_valid(areas.geometry.to_numpy())
    closed = shapely.buffer(shapely.buffer(shapes, _CLOSE_M, quad_segs=3), -_CLOSE_M, quad_segs=3)
    calm = {}
    for limit, shape in zip(areas["limit_min"].astype(float), closed, strict=True):
        parts = [
            shapely.Polygon(
                p.exterior, [h for h in p.interiors if shapely.Polygon(h).area > _HOLE_M2]
            )
            for p in shapely.get_parts(shape)
            if p.geom_type == "Polygon"
        ]
        whole = shapely.simplify(shapely.union_all(parts), _AREA_TOLERANCE_M)
        if not whole.is_empty:
            calm[limit] = whole
    return calm


def attribution_of(streets: pd.DataFrame | None) -> str:
    """Return whom the streets are owed to, as their table notes it."""
    return "" if streets is None else str(streets.attrs.get("attribution", ""))
