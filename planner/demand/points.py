"""`make_demand`: stays or counts to demand points that are safe to show."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.demand.counts import sum_counts
from planner.demand.dayparts import KINDS_OF_DAY, REST, check_dayparts
from planner.demand.gate import join_neighbours
from planner.demand.hexagons import cell_centre
from planner.demand.sampling import take_samples
from planner.demand.shares import share_out, told_share
from planner.demand.visits import Visits, read_visits
from planner.demand.weighing import TYPE, Expansion, check_weights, expand_sample, weigh
from planner.errors import InputError, SettingsError
from planner.settings import DAYPARTS, STAY_CLASSES, StayClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.samples import Samples

_LOG = logging.getLogger(__name__)

_LEAST_WORKERS = 5  # Mobility Data Specification, privacy guide: never show fewer


def make_demand(
    stays: gpd.GeoDataFrame,
    *,
    cell_m: float = 100.0,
    min_workers: int = 10,
    merge_m: float = 400.0,
    dayparts: Mapping[str, tuple[float, float]] = DAYPARTS,
    registered: Mapping[str, int] | None = None,
    need: Mapping[StayClass, float] | None = None,
    need_types: Mapping[str, float] | None = None,
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
    registered
        Worker type = how many there are: what the sample is expanded to. None: not at all.
    need, need_types
        What a visit weighs by stay class (`handover`, `wait`, `rest`) and by worker type; 1 if
        absent.

    Returns
    -------
    geopandas.GeoDataFrame
        `demand`, sorted by hexagon: index `demand_id`, `weight_per_day` (visits on an average day,
        times expansion and need), `workers` (as seen, never expanded), `cell_row` and `cell_col` of
        the hexagon that stands for the point, `geometry` (weighted centre of its stays), and four
        families that each add up to `weight_per_day`: ``weight_<daypart>`` (with `weight_other` if
        the dayparts leave hours out), ``weight_type_<worker type>``, `weight_class_handover`
        (under 5 min), `weight_class_wait` (5 to 20) and `weight_class_rest` (longer), and
        `weight_workday` and `weight_weekend`, the visits of an average workday and weekend day (5/7
        and 2/7 of them add up; a kind of day that was not seen has no column).

        ``attrs["demand"]`` = ``{cell_m, min_workers, merge_m, origin_x, origin_y, stays, days,
        first_day, last_day, cells, suppressed_cells, suppressed_share, workers, dayparts,
        expansion, expansion_faults, need, need_types, need_types_unseen}``: `suppressed_share` in
        whole percent, rounded up, where under k workers are lost; `expansion` = ``{type: {seen,
        registered, factor, together_with}}``; `expansion_faults` names types that are `not_listed`
        (they keep factor 1), `not_seen`, `too_few_seen` or `more_seen_than_registered` (factor 1).

    Raises
    ------
    ColumnError, CrsError, InputError
        The table is not what is declared, is empty, or no cell reaches `min_workers`.
    SettingsError
        A setting is out of its range, or `registered` is set for a table that does not tell
        workers apart.

    Notes
    -----
    An average day is five weekdays and two weekend days out of seven: (5 · mean of the weekdays
    seen + 2 · mean of the weekend days seen) / 7, or the plain mean if only one kind was seen; a
    day counts as seen if it has any stay.

    A cell under k joins its nearest neighbour, weakest cell first, until k *distinct* workers are
    together, else it is suppressed and counted. The same points serve all families of weights,
    which are shared out over blocks of points where a point alone has too few workers in a category
    (see `planner.demand.shares`). Expansion and need multiply what has passed this gate (see
    `planner.demand.weighing`), so k always counts workers seen, and publishing with and without
    them reveals nothing more.

    What differences tell: rows and columns of one publication never lead below k workers, nor do
    the totals by point under two values of `min_workers`. Two publications of the same stays with
    another `cell_m` or `merge_m`, or of columns by category with another `min_workers`, can be
    subtracted: publish one.

    Orders become stays with assumed lengths (5 min at the merchant: `wait`, 3 min at the customer:
    `handover`), and so do samples of presence (5 min: `wait`): their classes say where, not how
    long somebody stood.

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
    gate = _Gate(float(cell_m), int(min_workers), float(merge_m))
    asked = _Asked(gate, dayparts, registered or {}, need or {}, need_types or {})
    return _make(stays, asked, by_day=False)[0]


def make_sampled_demand(
    stays: gpd.GeoDataFrame,
    *,
    cell_m: float = 100.0,
    min_workers: int = 10,
    merge_m: float = 400.0,
    dayparts: Mapping[str, tuple[float, float]] = DAYPARTS,
    registered: Mapping[str, int] | None = None,
    need: Mapping[StayClass, float] | None = None,
    need_types: Mapping[str, float] | None = None,
) -> tuple[gpd.GeoDataFrame, Samples | None]:
    """Return what `make_demand` returns, and what that was averaged from.

    Parameters and errors are those of `make_demand`.

    Returns
    -------
    demand, samples
        The samples tell single workers and days apart: hand them to `choose_stations`, write them
        nowhere. None of a `counts` table, which knows neither.
    """
    gate = _Gate(float(cell_m), int(min_workers), float(merge_m))
    asked = _Asked(gate, dayparts, registered or {}, need or {}, need_types or {})
    return _make(stays, asked, by_day=True)


class _Asked(NamedTuple):
    gate: _Gate
    dayparts: Mapping[str, tuple[float, float]]
    registered: Mapping[str, int]
    need: Mapping[StayClass, float]
    need_types: Mapping[str, float]


def _make(
    stays: gpd.GeoDataFrame, asked: _Asked, *, by_day: bool
) -> tuple[gpd.GeoDataFrame, Samples | None]:
    """Return the demand table and, where days are asked for and known, its samples."""
    started = perf_counter()
    gate, dayparts = asked.gate, asked.dayparts
    tiled = check_dayparts(dayparts)
    _check_settings(gate)
    by_class: dict[str, float] = {str(name): float(value) for name, value in asked.need.items()}
    by_type = dict(asked.need_types)
    check_weights(asked.registered, by_class, by_type)
    names = [*dayparts] if tiled else [*dayparts, REST]
    passed, expansion = _pass_gate(stays, asked, names, by_day=by_day)
    factor = {
        name: expansion.factor.get(name, 1.0) * by_type.get(name, 1.0)
        for name in {*expansion.factor, *by_type}
    }
    columns = weigh(passed.columns, by_type=factor, by_class=by_class)
    digits = max(4, len(str(len(passed.centre[0]))))
    demand = gpd.GeoDataFrame(
        columns,
        index=pd.Index(
            [f"d{i + 1:0{digits}d}" for i in range(len(passed.centre[0]))],
            name="demand_id",
            dtype=str,
        ),
        geometry=gpd.points_from_xy(*passed.centre),
        crs=stays.crs,
    )
    demand.attrs["demand"] = {
        **gate._asdict(),
        "origin_x": 0.0,
        "origin_y": 0.0,
        **passed.note,
        "dayparts": {
            name: [float(start), float(end)]
            for name, (start, end) in dayparts.items()
            if f"weight_{name}" in columns
        },
        **expansion.note,
        "need": {str(name): by_class.get(name, 1.0) for name in STAY_CLASSES},
        "need_types": {name: float(value) for name, value in sorted(by_type.items())},
        "need_types_unseen": sorted(name for name in by_type if f"{TYPE}{name}" not in columns),
    }
    samples = None
    if by_day and passed.visits is not None:
        samples = take_samples(passed.visits, passed.point, demand, min_workers=gate.min_workers)
    seconds, lost = perf_counter() - started, passed.note["suppressed_cells"]
    _LOG.info(
        "demand: %d rows in, %d points out, %d cells suppressed, %.2f s",
        *(len(stays), len(demand), lost, seconds),
    )
    return demand, samples


class _Gate(NamedTuple):
    cell_m: float
    min_workers: int
    merge_m: float


class _Passed(NamedTuple):
    """What may be shown, and of stays what it was summed from: the points of their cells."""

    columns: dict[str, np.ndarray]
    centre: list[np.ndarray]
    note: dict[str, Any]
    visits: Visits | None
    point: np.ndarray


def _check_settings(gate: _Gate) -> None:
    if not 0 < gate.cell_m < np.inf:
        raise SettingsError(f"The `cell_m` setting must be greater than 0. Got {gate.cell_m}.")
    if not 0 <= gate.merge_m < np.inf:
        raise SettingsError(f"The `merge_m` setting must not be negative. Got {gate.merge_m}.")
    if not gate.min_workers >= _LEAST_WORKERS:
        raise SettingsError(
            f"The `min_workers` setting must be {_LEAST_WORKERS} or more. Got {gate.min_workers}. "
            "Fewer workers could be recognised."
        )


def _pass_gate(
    stays: gpd.GeoDataFrame, asked: _Asked, names: list[str], *, by_day: bool
) -> tuple[_Passed, Expansion]:
    """Return what may be shown of stays or counts, and how they are to be expanded."""
    gate, registered = asked.gate, asked.registered
    if "arrive" not in stays.columns and "weight_per_day" in stays.columns:
        counted = sum_counts(stays, cell_m=gate.cell_m, min_workers=gate.min_workers)
        return _Passed(*counted, None, np.empty(0)), _no_expansion(registered, "`counts`")
    visits = read_visits(stays, asked.dayparts, cell_m=gate.cell_m, by_day=by_day)
    summed = _sum_visits(visits, names, gate)
    account = stays.attrs.get("activity", {})
    if account.get("workers_basis") == "orders":
        return summed, _no_expansion(registered, "orders without riders")
    tracked = account.get("workers_by_type", {})
    return summed, expand_sample(visits, registered, tracked=tracked, min_workers=gate.min_workers)


def _no_expansion(registered: Mapping[str, int], what: str) -> Expansion:
    if registered:
        raise SettingsError(
            f"The `registered` setting needs to know how many workers were seen, which {what} do "
            "not tell. Leave it out."
        )
    return Expansion({}, {"expansion": {}, "expansion_faults": {}})


def _sum_visits(visits: Visits, names: list[str], gate: _Gate) -> _Passed:
    """Pass the cells through the gate and share the visits of the points out."""
    cells, places = visits.cells, len(visits.cells)
    groups = join_neighbours(
        cells[:, 0],
        cells[:, 1],
        visits.crowds(np.arange(places), places, "", 1),
        enough=gate.min_workers,
        reach_m=gate.merge_m,
        cell_m=gate.cell_m,
    )
    stands = np.unique(groups.anchor[~groups.weak])
    stays = int(visits.stays.sum())
    if not len(stands):
        raise InputError(
            f"nothing may be shown: no place is visited by {gate.min_workers} distinct workers "
            f"({stays} stays of {visits.workers()} workers in {places} "
            "cells). Take a larger `merge_m`, a shorter `min_stay_min`, or more days."
        )
    point = np.where(groups.weak, -1, np.searchsorted(stands, groups.anchor))
    weight, lost = visits.weight(), groups.weak[visits.entries.cell]
    few = visits.workers(lost) < gate.min_workers
    columns = _columns(visits, point, cells[stands], names, gate)
    note = {
        "stays": stays,
        "days": len(visits.days),
        "first_day": str(visits.days[0]),
        "last_day": str(visits.days[-1]),
        "cells": places,
        "suppressed_cells": int(groups.weak.sum()),
        "suppressed_share": told_share(weight[groups.weak].sum() / weight.sum(), enough=not few),
        "workers": visits.workers(~lost),
    }
    centre = _centres(visits, point, len(stands), gate.cell_m)
    return _Passed(columns, centre, note, visits, point)


def _columns(
    visits: Visits, point: np.ndarray, cells: np.ndarray, names: list[str], gate: _Gate
) -> dict[str, np.ndarray]:
    """Return the columns of the demand table; `point` is that of each cell."""
    n = len(cells)
    everybody = visits.crowds(point, n, "", 1)
    workers = np.diff(everybody.start)

    def shared(category: str, labels: Sequence[str]) -> dict[str, np.ndarray]:
        weights = share_out(
            visits.crowds(point, n, category, len(labels)), workers, cells[:, 0], cells[:, 1],
            min_workers=gate.min_workers, cell_m=gate.cell_m,
        )  # fmt: skip
        return {f"weight_{label}": weights[:, i] for i, label in enumerate(labels)}

    return {
        "weight_per_day": everybody.visits[:, 0],
        "workers": workers,
        **shared("part", names),
        **shared("kind", [f"type_{kind}" for kind in visits.kinds]),
        **_by_kind_of_day(shared("weekend", KINDS_OF_DAY), visits),
        **shared("duration", [f"class_{name}" for name in STAY_CLASSES]),
        "cell_row": cells[:, 0],
        "cell_col": cells[:, 1],
    }


def _by_kind_of_day(parts: dict[str, np.ndarray], visits: Visits) -> dict[str, np.ndarray]:
    """Return the visits of an average workday and weekend day; none for a kind not seen."""
    seen = visits.stays.sum(axis=0) > 0
    if not seen.all():
        return {name: parts[name] for name, there in zip(parts, seen, strict=True) if there}
    return {n: part * 7.0 / days for (n, part), days in zip(parts.items(), (5, 2), strict=True)}


def _centres(visits: Visits, point: np.ndarray, points: int, cell_m: float) -> list[np.ndarray]:
    """Return x and y of the points: the weighted centres of their stays."""
    shown = point >= 0
    weight = visits.weight()
    total = np.bincount(point[shown], weights=weight[shown], minlength=points)
    middles = cell_centre(visits.cells[:, 0], visits.cells[:, 1], cell_m)
    centre = []
    for axis, middle in enumerate(middles):
        moment = weight * middle + visits.inside[:, :, axis] @ visits.per_day
        centre.append(np.bincount(point[shown], weights=moment[shown], minlength=points) / total)
    return centre
