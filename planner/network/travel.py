"""Travel times between places: everyone within a limit, and the nearest facilities of each."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from planner.errors import InputError, SettingsError
from planner.network import kernel
from planner.network.layout import lay_sources, lay_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from scipy.sparse import csr_array

    from planner.network.layout import Layout, Sources
    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork
    from planner.network.world import World

_MS_PER_MIN = 60_000
_LONGEST_MIN = 6_000.0  # labels stay far below CLOSED
_TICK_MS = 100
_MOST_TICKS = 65_535  # what a uint16 holds
_PILOT_ROWS = 128  # searched first, to learn how many pairs a row has
_BLOCK_PAIRS = 1 << 21  # 12 MB, which the cache holds
_CHUNKS_PER_THREAD = 8
_WEIGHT_BITS = 61  # sums of weights are made in whole numbers below 2 ** 61
_IDLE: WeakKeyDictionary[StreetNetwork, list[kernel.Workspace]] = WeakKeyDictionary()


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
    task = _make_task(streets, facilities, people, budget, inbound=inbound)
    return Pairs(*_collect(task, len(facilities), tick, np.uint16, threads), tick)


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
    task = _make_task(streets, facilities, people, budget, inbound=inbound)
    bits = _WEIGHT_BITS - int(np.frexp(total)[1])
    whole = np.rint(np.ldexp(weight, bits)).astype(np.int64)[task.layout.targets.place[:, 3]]
    totals = np.zeros(len(task.sources.row), dtype=np.int64)
    order = np.argsort(task.sources.slot, kind="stable")

    def run(rows: np.ndarray) -> None:
        with _workspace(task) as work:
            kernel.reach_totals(
                task.world, rows, task.sources.place, task.layout.targets, whole, task.limits, work,
                totals,
            )  # fmt: skip

    workers = threads or os.cpu_count() or 1
    n_parts = 1 if workers == 1 else max(1, min(workers * _CHUNKS_PER_THREAD, len(order) // 16))
    list(_run(run, workers, np.array_split(order, n_parts)))
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
    task = _make_task(streets, near, far, budget, inbound=backward)
    indptr, ids, times = _collect(task, len(near), 1, np.int32, threads)
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
    task = _make_task(streets, facilities, origins, budget, inbound=True)
    targets, (row, starts, _) = task.layout.targets, task.sources
    minutes = np.full(len(origins), np.inf)
    position = np.full(len(origins), -1, dtype=np.int64)
    label = np.empty(len(targets.place), dtype=np.int64)
    with _tagged_workspace(streets, task) as work:
        kernel.spread(task.world, starts, row, work, budget)
        kernel.read_nearest(targets, starts, row, work.best, budget, label)
    kernel.tell(targets.place, label, _MS_PER_MIN, minutes, position)
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
    task = _make_task(streets, facilities, origins, budget, inbound=True)
    targets, (row, starts, _) = task.layout.targets, task.sources
    minutes = np.full((len(origins), 2), np.inf)
    position = np.full((len(origins), 2), -1, dtype=np.int64)
    best = np.full((streets.n_nodes, 2), kernel.FAR)
    with _tagged_workspace(streets, task) as work:
        kernel.spread_two(task.world, starts, row, work, budget, best)
    label = np.full((len(targets.place), 2), kernel.FAR)
    kernel.read_two(targets, starts, row, best, budget, label)
    for k in range(2):
        kernel.tell(targets.place, label[:, k], _MS_PER_MIN, minutes[:, k], position[:, k])
    return minutes, position


class _Task(NamedTuple):
    """Sources among targets in one world; workspaces that no thread holds at present.

    `limits` are milliseconds: for places, and for junctions, where who only arrives does not wait.
    """

    world: World
    layout: Layout
    sources: Sources
    limits: tuple[int, int]
    idle: list[kernel.Workspace]


def _make_task(
    streets: StreetNetwork, sources: Places, targets: Places, budget: int, *, inbound: bool
) -> _Task:
    layout = lay_targets(streets, targets, inbound=inbound)
    placed = lay_sources(streets, sources, layout, inbound=inbound)
    world = streets.inbound if inbound else streets.outbound
    return _Task(world, layout, placed, (budget, budget + int(world.waits[:, 1].max())), [])


@contextmanager
def _workspace(task: _Task) -> Iterator[kernel.Workspace]:
    """Lend a workspace that no other thread holds."""
    try:
        work = task.idle.pop()
    except IndexError:
        work = kernel.make_workspace(task.world, task.limits[1], kernel.UNSEEN)
    yield work
    task.idle.append(work)


@contextmanager
def _tagged_workspace(streets: StreetNetwork, task: _Task) -> Iterator[kernel.Workspace]:
    """Lend a workspace for a search from many places, one that the streets have used if any."""
    idle = _IDLE.setdefault(streets, [])
    try:
        work = kernel.empty_workspace(idle.pop(), task.limits[0], kernel.FAR)
    except IndexError:
        work = kernel.make_workspace(task.world, task.limits[0], kernel.FAR)
    yield work
    if not idle:
        idle.append(work)


class _Block(NamedTuple):
    """What was found from some sources: `rows` in the order searched, and where each one ends."""

    rows: np.ndarray
    found: np.ndarray
    times: np.ndarray
    ends: np.ndarray


def _collect(
    task: _Task, n_rows: int, tick_ms: int, dtype: type[np.generic], threads: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search from all sources; → where each row starts, targets, ticks.

    Rows are searched in blocks, each along the ground, and put in their own order as the blocks
    come. The first block tells how many pairs to make room for.
    """
    n = len(task.sources.row)
    workers = threads or os.cpu_count() or 1

    def run(low: int, high: int, room: int) -> _Block:
        rows = low + np.argsort(task.sources.slot[low:high], kind="stable")
        found, times = np.empty(room, dtype=np.uint32), np.empty(room, dtype=dtype)
        with _workspace(task) as work:
            return _Block(rows, *kernel.reach_rows(
                task.world, rows, task.sources.place, task.layout.targets, task.limits,
                _rounding(tick_ms), work, found, times,
            ))  # fmt: skip

    indptr = np.zeros(n_rows + 1, dtype=np.int64)
    if n == 0:
        return indptr, np.empty(0, dtype=np.uint32), np.empty(0, dtype=dtype)
    first = run(0, min(n, _PILOT_ROWS), _BLOCK_PAIRS // 8)
    mean = max(1.0, float(first.ends[-1]) / len(first.rows))
    step = 1 + int(_BLOCK_PAIRS / mean)
    if workers > 1:
        step = min(step, max(16, n // (workers * _CHUNKS_PER_THREAD)))
    cuts = [*range(len(first.rows), n, step), n]
    rooms = [int(1.1 * mean * (high - low)) + 4096 for low, high in pairwise(cuts)]
    blocks = _run(run, workers, cuts[:-1], cuts[1:], rooms)
    return _put_together(indptr, task.sources.row, chain([first], blocks), int(1.05 * mean * n))


def _put_together(
    indptr: np.ndarray, row: np.ndarray, blocks: Iterable[_Block], room: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Copy blocks of consecutive sources into arrays of their own length; fills `indptr`."""
    filled, ids, times = 0, np.empty(0), np.empty(0)
    for block in blocks:
        low = int(block.rows.min())
        counts = np.empty(len(block.rows), dtype=np.int64)
        counts[block.rows - low] = np.diff(block.ends, prepend=0)
        indptr[row[low : low + len(counts)] + 1] = counts
        starts = filled + np.cumsum(counts) - counts
        filled += int(block.ends[-1])
        if not low:
            ids, times = np.empty(room, block.found.dtype), np.empty(room, block.times.dtype)
        if filled > len(ids):
            _resize(filled + filled // 8, ids, times)
        kernel.put_rows(block.found, block.times, block.ends, starts[block.rows - low], ids, times)
    _resize(filled, ids, times)
    return np.cumsum(indptr, out=indptr), ids, times


def _resize(size: int, *arrays: np.ndarray) -> None:
    """Lengthen or shorten arrays where they lie: the system moves pages, nobody copies them."""
    for array in arrays:
        array.resize(size, refcheck=False)


def _rounding(tick_ms: int) -> tuple[int, int, int]:
    """Return what to add to milliseconds, multiply and shift by, to have ticks, rounded.

    The product with a scaled reciprocal is exact: milliseconds · ticks stay below 2⁴⁴.
    """
    return (0, 1, 0) if tick_ms == 1 else (tick_ms // 2, (1 << 44) // tick_ms + 1, 44)


def _run(run: Callable[..., Any], threads: int, *parts: Sequence[Any]) -> Iterator[Any]:
    """Run a function over parts, several at a time; results in order."""
    if threads == 1 or len(parts[0]) <= 1:
        yield from map(run, *parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(run, *parts)


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
