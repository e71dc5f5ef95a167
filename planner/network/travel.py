"""Travel times between places: everyone within a limit, and the nearest facilities of each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.errors import InputError, SettingsError
from planner.network import kernel, nearest
from planner.network.search import (
    CHUNKS_PER_THREAD,
    collect,
    make_task,
    run_parts,
    tagged_workspace,
    workspace,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork

_MS_PER_MIN = 60_000
_LONGEST_MIN = 6_000.0  # labels stay far below CLOSED
_TICK_MS = 100
_MOST_TICKS = 65_535  # what a uint16 holds
_WEIGHT_BITS = 61  # sums of weights are made in whole numbers below 2 ** 61


class Pairs(NamedTuple):
    """Facilities and the people within a limit of them: 6 bytes a pair.

    Attributes
    ----------
    indptr
        int64, shape (n_facilities + 1,): the pairs of facility j are ``indptr[j]:indptr[j + 1]``.
    ids
        uint32, shape (n_pairs,): rows of the people, each at most once a facility, in no order that
        means anything.
    times
        uint16, shape (n_pairs,): travel times, ticks, rounded.
    tick_ms
        Milliseconds a tick: 100, or so many hundreds that a longer limit fits.
    """

    indptr: np.ndarray
    ids: np.ndarray
    times: np.ndarray
    tick_ms: int


def reach_pairs(
    streets: StreetNetwork,
    facilities: Places,
    people: Places,
    limit_min: float,
    *,
    inbound: bool = True,
    threads: int | None = None,
) -> Pairs:
    """Find for each facility the people within a travel time.

    Parameters
    ----------
    streets
        The network that both were snapped to.
    facilities, people
        Places; one-ways bind, the wait at junctions and both access legs count.
    limit_min
        Longest time that counts, minutes, > 0 and at most 6000. It is held against whole
        milliseconds; only what is stored is rounded.
    inbound
        People travel to the facility; False: from it to them.
    threads
        How many to use; by default one a core. The answer does not depend on it.

    Returns
    -------
    Pairs
        Rows facilities, in their order.

    Raises
    ------
    SettingsError
        The limit is out of its range.
    InputError
        Places of another network.

    Notes
    -----
    One bounded search a facility, see `travel_within`. Six bytes a pair is what it takes: there is
    no matrix of all facilities and people, and the blocks searched at a time are small.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from planner.network import StreetNetwork, snap_points
    >>> net = StreetNetwork.from_arrays(
    ...     [0, 1000], [0, 0], [0], [1], [1000], crs="EPSG:32650", mode="walk"
    ... )
    >>> spots = gpd.GeoSeries(gpd.points_from_xy([0, 400, 900], [0, 0, 0]), crs=net.crs)
    >>> people = snap_points(net, spots)
    >>> pairs = reach_pairs(net, people.take([0]), people, 10)
    >>> pairs.ids.tolist(), pairs.times.tolist()  # 400 m at 4 km/h: 360 s
    ([0, 1], [0, 3600])
    """
    budget = budget_ms(limit_min, "limit_min")
    require_same(streets, facilities, people)
    tick = _TICK_MS * -(-budget // (_MOST_TICKS * _TICK_MS))
    task = make_task(streets, facilities, people, budget, inbound=inbound)
    return Pairs(*collect(task, len(facilities), tick, np.uint16, threads), tick)


def reach_sums(
    streets: StreetNetwork,
    facilities: Places,
    people: Places,
    limit_min: float,
    weight: np.ndarray,
    *,
    inbound: bool = True,
    threads: int | None = None,
) -> np.ndarray:
    """Add up for each facility the weights of the people within a travel time.

    Parameters
    ----------
    streets, facilities, people, limit_min, inbound, threads
        As in `reach_pairs`.
    weight
        Finite numbers, shape (len(people),).

    Returns
    -------
    numpy.ndarray
        float64, shape (len(facilities),): cumulative opportunities; 0 for a facility that is not on
        the streets.

    Raises
    ------
    SettingsError
        As `reach_pairs`.
    InputError
        Places of another network, or weights of another shape or not finite.

    Notes
    -----
    Nothing is stored a pair. Weights are added as whole multiples of the total's 2⁻⁶¹, so the order
    of rows, and the number of threads, do not change a bit of the sums.
    """
    budget = budget_ms(limit_min, "limit_min")
    require_same(streets, facilities, people)
    weight = _check_weight(weight, len(people))
    total = float(np.abs(weight).sum())
    sums = np.zeros(len(facilities))
    if total <= 0.0:
        return sums
    task = make_task(streets, facilities, people, budget, inbound=inbound)
    bits = _WEIGHT_BITS - int(np.frexp(total)[1])
    whole = np.rint(np.ldexp(weight, bits)).astype(np.int64)[task.layout.targets.place[:, 3]]
    totals = np.zeros(len(task.sources.row), dtype=np.int64)
    order = np.argsort(task.sources.slot, kind="stable")

    def run(rows: np.ndarray) -> None:
        with workspace(task) as work:
            kernel.reach_totals(
                task.world, rows, task.sources.place, task.layout.targets, whole, task.limits, work,
                totals,
            )  # fmt: skip

    workers = threads or os.cpu_count() or 1
    n_parts = 1 if workers == 1 else max(1, min(workers * CHUNKS_PER_THREAD, len(order) // 16))
    list(run_parts(run, workers, np.array_split(order, n_parts)))
    sums[task.sources.row] = np.ldexp(totals.astype(float), -bits)
    return sums


def travel_within(
    streets: StreetNetwork,
    origins: Places,
    destinations: Places,
    limit_min: float,
    *,
    threads: int | None = None,
) -> csr_array:
    """Find all pairs (origin, destination) within a travel time.

    Parameters
    ----------
    streets
        The network that both were snapped to.
    origins, destinations
        Places; time runs from origin to destination, one-ways bind, and both access legs count,
        walked at 4 km/h (on foot at the network's speed).
    limit_min
        Longest time that counts, minutes, > 0 and at most 6000.
    threads
        How many to use; by default one a core. The answer does not depend on it.

    Returns
    -------
    scipy.sparse.csr_array
        Minutes (float64, whole milliseconds), rows origins, columns destinations in their order;
        an entry only where within the limit, zeros explicit, column indices sorted.

    Raises
    ------
    SettingsError
        The limit is out of its range.
    InputError
        Places of another network.

    Notes
    -----
    A bounded shortest-path search (Dijkstra 1959, A note on two problems in connexion with graphs)
    starts at the fewer of the two sides; from destinations it walks the streets backward in time.
    Labels are corrected within buckets of time (Denardo and Fox 1979, Shortest-route methods: 1).
    Whole milliseconds make both sides the same.
    """
    from scipy.sparse import csc_array, csr_array

    budget = budget_ms(limit_min, "limit_min")
    require_same(streets, origins, destinations)
    shape = (len(origins), len(destinations))
    backward = int(destinations.snapped.sum()) < int(origins.snapped.sum())
    near, far = (destinations, origins) if backward else (origins, destinations)
    task = make_task(streets, near, far, budget, inbound=backward)
    indptr, ids, times = collect(task, len(near), 1, np.int32, threads)
    matrix = (csc_array if backward else csr_array)((times, ids, indptr), shape=shape).tocsr()
    matrix.sort_indices()
    matrix.data = matrix.data / _MS_PER_MIN
    return matrix


def nearest_minutes(
    streets: StreetNetwork, origins: Places, facilities: Places, *, max_min: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the facility that each origin reaches soonest.

    Parameters
    ----------
    streets
        The network that both were snapped to.
    origins, facilities
        Places; time runs from origin to facility, as in `travel_within`.
    max_min
        How far to look, minutes, > 0 and at most 6000.

    Returns
    -------
    minutes
        float64, one an origin; infinite where no facility is within `max_min`.
    position
        int64, the facility's row; -1 where there is none. Of facilities equally far (to the
        millisecond) the first.

    Raises
    ------
    SettingsError, InputError
        As `travel_within`.
    """
    budget = budget_ms(max_min, "max_min")
    require_same(streets, origins, facilities)
    task = make_task(streets, facilities, origins, budget, inbound=True)
    targets, (row, starts, _) = task.layout.targets, task.sources
    minutes = np.full(len(origins), np.inf)
    position = np.full(len(origins), -1, dtype=np.int64)
    label = np.empty(len(targets.place), dtype=np.int64)
    with tagged_workspace(streets, task) as work:
        kernel.spread(task.world, starts, row, work, budget)
        nearest.read_nearest(targets, starts, row, work.best, budget, label)
    nearest.tell(targets.place, label, _MS_PER_MIN, minutes, position)
    return minutes, position


def nearest_two(
    streets: StreetNetwork, origins: Places, facilities: Places, *, max_min: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the two facilities that each origin reaches soonest: the nearest and its backup.

    Parameters
    ----------
    streets, origins, facilities, max_min
        As in `nearest_minutes`.

    Returns
    -------
    minutes
        float64, shape (len(origins), 2), ascending; infinite where there is no such facility within
        `max_min`.
    position
        int64, shape (len(origins), 2): rows of two different facilities; -1 where there is none. Of
        facilities equally far (to the millisecond) the first.

    Raises
    ------
    SettingsError, InputError
        As `travel_within`.
    """
    budget = budget_ms(max_min, "max_min")
    require_same(streets, origins, facilities)
    task = make_task(streets, facilities, origins, budget, inbound=True)
    targets, (row, starts, _) = task.layout.targets, task.sources
    minutes = np.full((len(origins), 2), np.inf)
    position = np.full((len(origins), 2), -1, dtype=np.int64)
    best = np.full((streets.n_nodes, 2), kernel.FAR)
    with tagged_workspace(streets, task) as work:
        nearest.spread_two(task.world, starts, row, work, budget, best)
    label = np.full((len(targets.place), 2), kernel.FAR)
    nearest.read_two(targets, starts, row, best, budget, label)
    for k in range(2):
        nearest.tell(targets.place, label[:, k], _MS_PER_MIN, minutes[:, k], position[:, k])
    return minutes, position


def _check_weight(weight: np.ndarray, n: int) -> np.ndarray:
    values = np.asarray(weight, dtype=float)
    if values.shape != (n,) or not np.isfinite(values).all():
        raise InputError(
            f"`weight` must be {n} finite numbers, one for each row of `people`. "
            f"Got the shape {values.shape}. Fill what is missing with 0."
        )
    return values


def budget_ms(limit_min: float, name: str) -> int:
    """Return the milliseconds of a limit in minutes; `SettingsError` out of range."""
    if not (np.isfinite(limit_min) and 0 < limit_min <= _LONGEST_MIN):
        raise SettingsError(
            f"The `{name}` setting must be greater than 0 and at most {_LONGEST_MIN:g} minutes. "
            f"Got {limit_min}. Write it as a plain number of minutes."
        )
    return round(limit_min * _MS_PER_MIN)


def require_same(streets: StreetNetwork, *places: Places) -> None:
    """Raise `InputError` if places belong to another network."""
    if any(p.key != streets.key for p in places):
        raise InputError(
            "the places were snapped to another street network. Use `snap_points` with this one."
        )
