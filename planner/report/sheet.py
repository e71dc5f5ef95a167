"""One table of the workbook: its columns and rows, and how values stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from planner.geo import WGS84

if TYPE_CHECKING:
    import geopandas as gpd


class Field(NamedTuple):
    """One column: its header with the unit, how its values look, its greatest or its only width.

    Columns to fill in (look ``entry``) may offer `choices`; hidden ones are for the next run.
    """

    head: str
    look: str = "text"  # text, entry, share, measure, count, degrees, points, number
    most: float = 0.0
    width: float = 0.0
    choices: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def is_text(self) -> bool:
        """Whether texts stand in it."""
        return self.look in ("text", "entry")


class Sheet(NamedTuple):
    """One table of the workbook.

    Attributes
    ----------
    name, about
        What it is called, and one sentence on it for the summary.
    basis
        The grey line above the table.
    fields, rows
        Columns, and a tuple of values a row.
    frozen
        How many columns stay in sight.
    tinted
        Whether the rows are the recommendation.
    """

    name: str
    about: str
    basis: str
    fields: list[Field]
    rows: list[tuple[Any, ...]]
    frozen: int = 0
    tinted: bool = False


def degrees(frame: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude with six decimals (10 cm)."""
    if not len(frame):
        return np.zeros(0), np.zeros(0)
    points = frame.geometry.to_crs(WGS84)
    return np.round(points.x.to_numpy(), 6), np.round(points.y.to_numpy(), 6)


def text(value: Any) -> str | None:
    """Return a text, or None where there is none."""
    return None if value is None or pd.isna(value) else str(value)
