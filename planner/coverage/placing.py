"""Tables of points, checked and put on the streets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError, SettingsError
from planner.geo import require_metric
from planner.network import snap_points

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network import Places, StreetNetwork


def place_points(
    streets: StreetNetwork, table: gpd.GeoDataFrame, name: str, snap_m: float
) -> Places:
    """Check a table of points and put it on the streets."""
    require_positive(snap_m, "snap_m")
    _require_points(table, name)
    return snap_points(streets, table, max_m=snap_m)


def _require_points(table: gpd.GeoDataFrame, name: str) -> None:
    """Raise unless every row of a table is a point in metres under an identifier of its own."""
    require_metric(table, name)
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()].tolist()[0]
        raise InputError(f"`{name}`: the identifier {twice!r} stands twice. Make it unique.")
    bad = ((table.geom_type != "Point") | table.is_empty).to_numpy()
    if bad.any():
        raise InputError(
            f"`{name}`: {bad.sum()} rows hold no point, first {table.index[bad].tolist()[0]!r}. "
            "Use the door of a building or `table.representative_point()`."
        )


def require_positive(value: float, name: str) -> None:
    """Raise `SettingsError` unless a setting is a positive number."""
    if not (np.isfinite(value) and value > 0):
        raise SettingsError(
            f"The `{name}` setting must be greater than 0. Got {value}. Write it as a plain number."
        )
