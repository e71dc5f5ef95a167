"""Travel times between places: everyone within a limit, and the nearest facility of each."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.errors import InputError, SettingsError
from planner.network import kernel
from planner.network.streets import CLOSED, World

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork

_MS_PER_MIN = 60_000
_LONGEST_MIN = 6_000.0  # labels stay far below CLOSED
_CHUNKS_PER_THREAD = 8


class Placed(NamedTuple):
    """Snapped places sorted by chain, with their costs in one world, milliseconds.

    The places of chain e are ``ptr[e]:ptr[e + 1]``; `from_*` are costs from that end of the chain
    to the place and `to_*` from the place to it (CLOSED where that way is not open); `leg` is the
    access leg.
    """

    chain: np.ndarray
    ptr: np.ndarray
    share: np.ndarray
    from_tail: np.ndarray
    from_head: np.ndarray
    to_tail: np.ndarray
    to_head: np.ndarray
    leg: np.ndarray


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
    Whole milliseconds make both the same.
    """
    from scipy.sparse import csr_array

    budget = budget_ms(limit_min, "limit_min")
    require_same(streets, origins, destinations)
    backward = int(destinations.snapped.sum()) < int(origins.snapped.sum())
    near, far = (destinations, origins) if backward else (origins, destinations)
    world = streets.inbound if backward else streets.outbound
    sources, near_row = sort_places(streets, near, world)
    targets, far_row = sort_places(streets, far, world)
    workers = threads or os.cpu_count() or 1
    parts = _run_rows(world, sources, targets, budget, workers)
    counts = np.concatenate([p[0] for p in parts])
    row = np.repeat(near_row, counts)
    col = far_row[np.concatenate([p[1] for p in parts])]
    minutes = np.concatenate([p[2] for p in parts]) / _MS_PER_MIN
    pair = (col, row) if backward else (row, col)
    matrix = csr_array((minutes, pair), shape=(len(origins), len(destinations)))
    matrix.sort_indices()
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
    world = streets.inbound
    places, row = sort_places(streets, origins, world)
    label = nearest_labels(streets, facilities, places, world, budget)
    minutes = np.full(len(origins), np.inf)
    position = np.full(len(origins), -1, dtype=np.int64)
    found = label < kernel.FAR
    minutes[row[found]] = (label[found] >> kernel.TAG_BITS) / _MS_PER_MIN
    position[row[found]] = label[found] & kernel.TAG_MASK
    return minutes, position


def nearest_labels(
    streets: StreetNetwork, facilities: Places, places: Placed, world: World, budget: int
) -> np.ndarray:
    """Label of each place: milliseconds to its nearest facility, and that facility's row."""
    starts, tags = sort_places(streets, facilities, world)
    work = kernel.make_workspace(streets.n_nodes, budget)
    kernel.spread(world, starts, tags, work, budget)
    label = np.full(len(places.chain), kernel.FAR, dtype=np.int64)
    kernel.read_places(world, places, starts, tags, work[0], budget, label)
    return label


def sort_places(streets: StreetNetwork, places: Places, world: World) -> tuple[Placed, np.ndarray]:
    """Sort snapped places by chain and price them; returns the row that each one came from too."""
    row = np.flatnonzero(places.snapped)
    row = row[np.lexsort((row, places.share[row], places.chain[row]))]
    chain, share = places.chain[row], places.share[row]
    from_tail, to_head = _split(world.ahead[chain], share)
    to_tail, from_head = _split(world.against[chain], share)
    leg = np.rint(places.access_m[row] * 3600.0 / streets.walk_kmh).astype(np.int64)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(chain, minlength=streets.n_edges))])
    placed = Placed(chain, ptr.astype(np.int64), share, from_tail, from_head, to_tail, to_head, leg)
    return placed, row.astype(np.int64)


def _split(cost: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a chain's cost at a place: whole milliseconds on the tail's side and on the head's.

    The parts add up to the whole, whichever way the world runs. A place at an end is that junction,
    also where the chain may not be travelled that way.
    """
    whole = cost.astype(np.int64)
    is_open = whole < CLOSED
    tail_part = np.rint(whole * share).astype(np.int64)
    return (
        np.where(is_open, tail_part, np.where(share <= 0.0, 0, CLOSED)),
        np.where(is_open, whole - tail_part, np.where(share >= 1.0, 0, CLOSED)),
    )


def _run_rows(
    world: World, sources: Placed, targets: Placed, budget: int, threads: int
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Reach of all sources: per part the counts a row, the targets' positions, milliseconds."""
    n = len(sources.chain)
    n_parts = 1 if threads == 1 else max(1, min(threads * _CHUNKS_PER_THREAD, n // 16))
    cuts = np.linspace(0, n, n_parts + 1).astype(np.int64)

    def run(part: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        low, high = int(cuts[part]), int(cuts[part + 1])
        counts = np.zeros(high - low, dtype=np.int64)
        work = kernel.make_workspace(len(world.indptr) - 1, budget)
        found, cost = kernel.reach_rows(low, high, world, sources, targets, work, budget, counts)
        return counts, found, cost

    if n_parts == 1:
        return [run(0)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(n_parts)))


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
