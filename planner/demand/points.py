"""`make_demand`: stays or counts to demand points that are safe to show."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.demand.counts import sum_counts
from planner.demand.dayparts import REST, check_dayparts
from planner.demand.gate import join_neighbours
from planner.demand.hexagons import cell_of
from planner.demand.shares import share_out
from planner.demand.visits import Visits, read_visits
from planner.errors import InputError, SettingsError
from planner.settings import DAYPARTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOG = logging.getLogger(__name__)

_LEAST_WORKERS = 5  # Mobility Data Specification, privacy guide: never show fewer


def make_demand(
    stays: gpd.GeoDataFrame,
    *,
    cell_m: float = 100.0,
    min_workers: int = 10,
    merge_m: float = 400.0,
    dayparts: Mapping[str, tuple[float, float]] = DAYPARTS,
) -> gpd.GeoDataFrame:
    """Sum stays up to demand points, each with enough distinct workers behind it.

    Parameters
    ----------
    stays
        A `stays` table (`rider_id`, `worker_type`, `arrive` tz-aware, points), or a `counts` table
        (`weight_per_day`, `workers`, points), in a metric CRS. The order of rows does not matter.
    cell_m
        Width of the hexagons in metres.
    min_workers
        The privacy limit k, 5 or more: fewer distinct workers are never shown.
    merge_m
        How far, between centres, a cell under k may join others, in metres.
    dayparts
        Name = (from, to) in hours of the local clock; a stay counts where it begins.

    Returns
    -------
    geopandas.GeoDataFrame
        `demand`, sorted by hexagon: index `demand_id`, `weight_per_day` (visits on an average day),
        `workers`, `weight_<daypart>` (they add up to `weight_per_day`, with `weight_other` if the
        dayparts leave hours out), `weight_type_<worker type>` (they add up as well), `cell_row` and
        `cell_col` of the hexagon that stands for the point, `geometry` (weighted centre of its
        stays). ``attrs["demand"]`` = ``{cell_m, origin_x, origin_y, stays, days, first_day,
        last_day, cells, suppressed_cells, suppressed_share, min_workers, merge_m, workers,
        dayparts}``.

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, is empty, or no cell reaches `min_workers`.
    SettingsError
        A setting is out of its range.

    Notes
    -----
    An average day is five weekdays and two weekend days out of seven: (5 · mean of the weekdays
    seen + 2 · mean of the weekend days seen) / 7, or the plain mean if only one kind was seen; a
    day counts as seen if it has any stay.

    A cell under k joins its nearest neighbour, weakest cell first, until k *distinct* workers are
    together, else it is suppressed and counted. The same points serve all dayparts and worker
    types. Weights by daypart or type are shared out over blocks of points where a point alone has
    too few workers in them (see `planner.demand.shares`).

    In a `counts` table workers cannot be told apart: rows under k are suppressed, the others summed
    by cell, `workers` is the highest among them (at least so many), and only `weight_<…>` columns
    that the table brings are summed along.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> stays = gpd.GeoDataFrame(
    ...     {
    ...         "rider_id": list("abcdef"),
    ...         "worker_type": "food",
    ...         "arrive": pd.Timestamp("2026-03-02 12:00", tz="Asia/Shanghai"),
    ...         "leave": pd.Timestamp("2026-03-02 12:30", tz="Asia/Shanghai"),
    ...         "stay_min": 30.0,
    ...     },
    ...     geometry=gpd.points_from_xy([500_000] * 6, [0] * 6),
    ...     crs="EPSG:32650",
    ... )
    >>> make_demand(stays, min_workers=5)[["weight_per_day", "workers", "weight_noon"]]
               weight_per_day  workers  weight_noon
    demand_id
    d0001                 6.0        6          6.0
    """
    started = perf_counter()
    tiled = check_dayparts(dayparts)
    _check_settings(cell_m, min_workers, merge_m)
    gate = _Gate(float(cell_m), int(min_workers), float(merge_m))
    if "arrive" not in stays.columns and "weight_per_day" in stays.columns:
        columns, centre, note = sum_counts(stays, cell_m=gate.cell_m, min_workers=gate.min_workers)
    else:
        names = [*dayparts] if tiled else [*dayparts, REST]
        columns, centre, note = _sum_visits(read_visits(stays, dayparts), names, gate)
    digits = max(4, len(str(len(centre[0]))))
    demand = gpd.GeoDataFrame(
        columns,
        index=pd.Index(
            [f"d{i + 1:0{digits}d}" for i in range(len(centre[0]))], name="demand_id", dtype=str
        ),
        geometry=gpd.points_from_xy(*centre),
        crs=stays.crs,
    )
    demand.attrs["demand"] = {
        **gate._asdict(),
        "origin_x": 0.0,
        "origin_y": 0.0,
        **note,
        "dayparts": {
            name: [float(start), float(end)]
            for name, (start, end) in dayparts.items()
            if f"weight_{name}" in columns
        },
    }
    seconds, lost = perf_counter() - started, note["suppressed_cells"]
    _LOG.info(
        "demand: %d rows in, %d points out, %d cells suppressed, %.2f s",
        *(len(stays), len(demand), lost, seconds),
    )
    return demand


class _Gate(NamedTuple):
    cell_m: float
    min_workers: int
    merge_m: float


def _check_settings(cell_m: float, min_workers: int, merge_m: float) -> None:
    if not 0 < cell_m < np.inf:
        raise SettingsError(f"The `cell_m` setting must be greater than 0. Got {cell_m}.")
    if not 0 <= merge_m < np.inf:
        raise SettingsError(f"The `merge_m` setting must not be negative. Got {merge_m}.")
    if not min_workers >= _LEAST_WORKERS:
        raise SettingsError(
            f"The `min_workers` setting must be {_LEAST_WORKERS} or more. Got {min_workers}. "
            "Fewer workers could be recognised."
        )


def _sum_visits(
    visits: Visits, names: list[str], gate: _Gate
) -> tuple[dict[str, np.ndarray], list[np.ndarray], dict[str, Any]]:
    """Sum visits up by hexagon, pass them through the gate, and share them out."""
    hexagon = np.stack(cell_of(visits.x, visits.y, gate.cell_m), 1)
    cells, cell = np.unique(hexagon, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    anchor, weak = join_neighbours(
        cells[:, 0],
        cells[:, 1],
        visits.crowds(cell, len(cells), np.zeros_like(cell), 1),
        lambda crowd: len(crowd.workers[0]),
        enough=gate.min_workers,
        reach_m=gate.merge_m,
        cell_m=gate.cell_m,
    )
    stands = np.unique(anchor[~weak])
    if not len(stands):
        raise InputError(
            f"nothing may be shown: no place is visited by {gate.min_workers} distinct workers "
            f"({len(visits.x)} stays of {len(np.unique(visits.rider))} workers in {len(cells)} "
            "cells). Take a larger `merge_m`, a shorter `min_stay_min`, or more days."
        )
    kept = ~weak[cell]
    shown = visits.where(kept)
    columns, centre = _columns(
        shown, np.searchsorted(stands, anchor[cell[kept]]), cells[stands], names, gate
    )
    return columns, centre, {
        "stays": len(visits.x),
        "days": len(np.unique(visits.day)),
        "first_day": str(visits.day.min()),
        "last_day": str(visits.day.max()),
        "cells": len(cells),
        "suppressed_cells": int(weak.sum()),
        "suppressed_share": float(visits.per_day[~kept].sum() / visits.per_day.sum()),
        "workers": len(np.unique(shown.rider)),
    }  # fmt: skip


def _columns(
    visits: Visits, point: np.ndarray, cells: np.ndarray, names: list[str], gate: _Gate
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Return the columns of the demand table and the points' x and y."""
    n = len(cells)
    pairs = np.unique(np.stack([point, visits.rider], 1), axis=0)
    weight = np.bincount(point, weights=visits.per_day, minlength=n)

    def shared(category: np.ndarray, labels: Sequence[str]) -> np.ndarray:
        crowds = visits.crowds(point, n, category, len(labels))
        return share_out(
            crowds, cells[:, 0], cells[:, 1], min_workers=gate.min_workers, cell_m=gate.cell_m
        )

    by_part, by_kind = shared(visits.part, names), shared(visits.kind, visits.kinds)
    columns = {
        "weight_per_day": weight,
        "workers": np.bincount(pairs[:, 0], minlength=n).astype(np.int64),
        **{f"weight_{name}": by_part[:, i] for i, name in enumerate(names)},
        **{f"weight_type_{name}": by_kind[:, i] for i, name in enumerate(visits.kinds)},
        "cell_row": cells[:, 0],
        "cell_col": cells[:, 1],
    }
    centre = [np.bincount(point, weights=visits.per_day * v) / weight for v in (visits.x, visits.y)]
    return columns, centre
