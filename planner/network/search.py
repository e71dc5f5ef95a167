"""Searches from many places, in blocks and threads, and what they found put together."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from planner.network import kernel
from planner.network.layout import lay_sources, lay_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planner.network.layout import Layout, Sources
    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork
    from planner.network.world import World

CHUNKS_PER_THREAD = 8
_PILOT_ROWS = 128  # searched first, to learn how many pairs a row has
_BLOCK_PAIRS = 1 << 21  # 12 MB, which the cache holds
_IDLE: WeakKeyDictionary[StreetNetwork, list[kernel.Workspace]] = WeakKeyDictionary()


class Task(NamedTuple):
    """Sources among targets in one world; workspaces that no thread holds at present.

    `limits` are milliseconds: for places, and for junctions, where who only arrives does not wait.
    """

    world: World
    layout: Layout
    sources: Sources
    limits: tuple[int, int]
    idle: list[kernel.Workspace]


def make_task(
    streets: StreetNetwork, sources: Places, targets: Places, budget: int, *, inbound: bool
) -> Task:
    """Lay out places for searches up to a budget in milliseconds."""
    layout = lay_targets(streets, targets, inbound=inbound)
    placed = lay_sources(streets, sources, layout, inbound=inbound)
    world = streets.inbound if inbound else streets.outbound
    return Task(world, layout, placed, (budget, budget + int(world.waits[:, 1].max())), [])


@contextmanager
def workspace(task: Task) -> Iterator[kernel.Workspace]:
    """Lend a workspace that no other thread holds."""
    try:
        work = task.idle.pop()
    except IndexError:
        work = kernel.make_workspace(task.world, task.limits[1], kernel.UNSEEN)
    yield work
    task.idle.append(work)


@contextmanager
def tagged_workspace(streets: StreetNetwork, task: Task) -> Iterator[kernel.Workspace]:
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


def collect(
    task: Task, n_rows: int, tick_ms: int, dtype: type[np.generic], threads: int | None
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
        with workspace(task) as work:
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
        step = min(step, max(16, n // (workers * CHUNKS_PER_THREAD)))
    cuts = [*range(len(first.rows), n, step), n]
    rooms = [int(1.1 * mean * (high - low)) + 4096 for low, high in pairwise(cuts)]
    blocks = run_parts(run, workers, cuts[:-1], cuts[1:], rooms)
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


def run_parts(run: Callable[..., Any], threads: int, *parts: Sequence[Any]) -> Iterator[Any]:
    """Run a function over parts, several at a time; results in order."""
    if threads == 1 or len(parts[0]) <= 1:
        yield from map(run, *parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(run, *parts)
