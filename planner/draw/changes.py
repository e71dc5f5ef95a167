"""What changed streets would do, and where demand stays without a station, as the page is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.draw.pack import line_steps, whole_pixels

if TYPE_CHECKING:
    import geopandas as gpd


def describe_edits(edits: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    """Return lines, a place for the sign, and figures of every changed street.

    Parameters
    ----------
    edits
        As `planner.tables.TABLES` declares it; rows in the order of the identifiers.
    """
    if edits is None or edits.empty:
        return []
    ordered = edits.sort_index()
    signs = _middles(ordered.geometry.to_numpy())
    x, y = whole_pixels(shapely.get_x(signs), shapely.get_y(signs), ordered.crs)
    return [
        {
            "name": str(row["name"]),
            "closes": row["action"] == "close",
            "adopted": bool(row["adopted"]),
            "x": px,
            "y": py,
            "lines": line_steps(row["geometry"], ordered.crs),
            "ends": _pair(row, "before_min", "after_min"),
            "affected": finite(row["affected_per_day"]),
            "hours": finite(row["hours_saved_per_day"]),
            "today": _pair(row, "covered_before", "covered_after"),
            "plan": _pair(row, "planned_before", "planned_after"),
            "district": "" if pd.isna(row["district"]) else str(row["district"]),
            "there": _pair(row, "district_before", "district_after"),
        }
        for row, px, py in zip(ordered.to_dict("records"), x, y, strict=True)
    ]


def left_out(uncovered: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return the places that the plan, not today, leaves without a station."""
    return None if uncovered is None else uncovered[uncovered["when"] == "after"]


def finite(value: Any) -> float | None:
    """Return a number rounded to six significant digits, or None."""
    if value is None or pd.isna(value) or not np.isfinite(float(value)):
        return None
    return float(f"{float(value):.6g}")


def _pair(row: dict[str, Any], before: str, after: str) -> list[float | None]:
    return [finite(row[before]), finite(row[after])]


def _middles(shapes: np.ndarray) -> np.ndarray:
    """Return the middle of the longest line of each shape."""
    lines, owner = shapely.get_parts(shapes, return_index=True)
    order = np.lexsort((-shapely.length(lines), owner))
    first = np.searchsorted(owner[order], np.arange(len(shapes)))
    return shapely.line_interpolate_point(lines[order[first]], 0.5, normalized=True)
