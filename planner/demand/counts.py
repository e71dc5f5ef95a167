"""Demand from counts that others made: cells are summed, counts of too few workers suppressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.demand.hexagons import cell_of
from planner.demand.shares import told_share
from planner.demand.visits import read_points
from planner.errors import InputError
from planner.tables import check_table

if TYPE_CHECKING:
    import geopandas as gpd


def sum_counts(
    counts: gpd.GeoDataFrame, *, cell_m: float, min_workers: int
) -> tuple[dict[str, np.ndarray], list[np.ndarray], dict[str, Any]]:
    """Sum a `counts` table by hexagon.

    Returns
    -------
    columns
        Of the demand table, without geometry.
    centre
        x and y of the points.
    note
        What `attrs["demand"]` tells of the counts.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, is empty, or no count has enough workers.
    """
    check_table(counts, "counts")
    parts = [c for c in counts.columns if str(c).startswith("weight_") and c != "weight_per_day"]
    values = _weights(counts, parts)
    workers = counts["workers"].to_numpy()
    kept = workers >= min_workers
    if not kept.any():
        raise InputError(
            f"no count stems from {min_workers} workers or more, so nothing may be shown. Sum the "
            "counts over larger places first."
        )
    x, y = read_points(counts)
    order = np.flatnonzero(kept)[np.lexsort((workers[kept], values[kept, 0], y[kept], x[kept]))]
    x, y, values, workers = x[order], y[order], values[order], workers[order]
    cells, cell = np.unique(np.stack(cell_of(x, y, cell_m), 1), axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    most = np.zeros(len(cells), dtype=np.int64)
    np.maximum.at(most, cell, workers.astype(np.int64))
    total = [np.bincount(cell, weights=v, minlength=len(cells)) for v in values.T]
    heft = np.where(total[0][cell] > 0, values[:, 0], 1.0)  # a cell of weight 0: its plain middle
    centre = [np.bincount(cell, weights=heft * v) / np.bincount(cell, weights=heft) for v in (x, y)]
    columns = {
        "weight_per_day": total[0],
        "workers": most,
        **{str(name): total[i + 1] for i, name in enumerate(parts)},
        "cell_row": cells[:, 0],
        "cell_col": cells[:, 1],
    }
    all_weight = counts["weight_per_day"].sum()
    note = {
        "stays": len(counts),
        "days": 0,
        "first_day": "",
        "last_day": "",
        "cells": len(cells),
        "suppressed_cells": int((~kept).sum()),
        "suppressed_share": told_share(1.0 - min(1.0, total[0].sum() / all_weight), enough=False),
        "workers": int(most.max()),
    }
    return columns, centre, note


def _weights(counts: gpd.GeoDataFrame, parts: list[str]) -> np.ndarray:
    if counts.empty:
        raise InputError("`counts` holds no rows. Look for what the loader has dropped.")
    try:
        values = counts[["weight_per_day", *parts]].to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"the `weight_…` columns of `counts` must be numbers: {error}.") from error
    if not np.isfinite(values).all() or (values < 0).any() or not values[:, 0].sum() > 0:
        raise InputError("the weights of `counts` must be finite, not negative, and not all 0.")
    return values
