"""What changed streets would do, and where demand stays without a station, as the page is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.draw.pack import line_steps, whole_pixels
from planner.geo import middle_of

if TYPE_CHECKING:
    import geopandas as gpd


def describe_edits(
    edits: gpd.GeoDataFrame | None, water: gpd.GeoDataFrame | None
) -> list[dict[str, Any]]:
    """Return lines, a place for the sign, and figures of every changed street.

    Parameters
    ----------
    edits
        As `planner.tables.TABLES` declares it; rows in the order of the identifiers.
    water
        A bridge bears its sign where it crosses this.
    """
    if edits is None or edits.empty:
        return []
    ordered = edits.sort_index()
    lakes = None if water is None else water.geometry.to_numpy()
    signs = [middle_of(shape, lakes) for shape in ordered.geometry]
    x, y = whole_pixels([p.x for p in signs], [p.y for p in signs], ordered.crs)
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
