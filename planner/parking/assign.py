"""Which spots become sites, and which stops each of them serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.locate import solve_mclp
from planner.parking.places import count_workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.parking.places import Spots
    from planner.parking.stops import Stops

_SOLVE_S = 10.0  # guard for one model; the gap below ends it long before
_GAP = 1e-3


class Assignment(NamedTuple):
    """Which spot serves which place.

    Attributes
    ----------
    chosen
        Columns of the spots that become sites, ascending.
    site
        Shape (m,): position in `chosen` of the nearest one for each place of stops, -1 if none is
        within reach.
    suppressed
        Squares, as wide as the walk to the door, with stops that no site may serve because too
        few distinct workers stop there.
    """

    chosen: np.ndarray
    site: np.ndarray
    suppressed: int


def assign_stops(
    stops: Stops,
    spots: Spots,
    count: int,
    *,
    min_workers: int,
    door_m: float,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Assignment:
    """Choose spots that cover the most stops, each with enough workers of its own.

    Parameters
    ----------
    stops, spots
        What to cover, and from where.
    count
        Sites at most.
    min_workers
        Distinct workers that every site must serve.
    door_m
        Width of the squares in which suppressed places are counted, metres.
    rng
        Seed of the location model.
    on_step
        Called with (sites found, sites wanted).

    Notes
    -----
    Covering is solved for `count` sites. Where some of them would serve too few workers, it is
    solved for fewer; what the best of these choices leaves uncovered is then tried again, until
    nothing more can be won. At last each site moves to the spot with the shortest walks among
    those that still reach everybody it serves.
    """
    rng = np.random.default_rng(rng)
    chosen = np.empty(0, dtype=np.int64)
    while len(chosen) < count:
        more = _add_sites(stops, spots, chosen, count, min_workers=min_workers, rng=rng)
        if _covered(stops, spots, more) <= _covered(stops, spots, chosen):
            break
        chosen = more
        if on_step:
            on_step(len(chosen), count)
    chosen = _shorten_walks(stops, spots, chosen, min_workers)
    site = nearest_site(spots, chosen)
    return Assignment(chosen, site, _count_suppressed(stops, spots, site, min_workers, door_m))


def nearest_site(spots: Spots, chosen: np.ndarray) -> np.ndarray:
    """Return for each place the position in `chosen` of the nearest, -1 if none is in reach."""
    position = np.full(len(spots.xy), -1)
    position[chosen] = np.arange(len(chosen))
    site, minutes = position[spots.minutes.indices], spots.minutes.data
    row = _rows(spots)[site >= 0]
    site, minutes = site[site >= 0], minutes[site >= 0]
    order = np.lexsort((site, minutes, row))
    rows, first = np.unique(row[order], return_index=True)
    nearest = np.full(spots.minutes.shape[0], -1)
    nearest[rows] = site[order][first]
    return nearest


def _rows(spots: Spots) -> np.ndarray:
    """Return the place of each entry of `minutes`."""
    return np.repeat(np.arange(spots.minutes.shape[0]), np.diff(spots.minutes.indptr))


def _covered(stops: Stops, spots: Spots, chosen: np.ndarray) -> int:
    return int(stops.weight[nearest_site(spots, chosen) >= 0].sum())


def _add_sites(
    stops: Stops,
    spots: Spots,
    chosen: np.ndarray,
    count: int,
    *,
    min_workers: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Add to the chosen spots those that cover most of what is left; the best of several tries."""
    left = nearest_site(spots, chosen) < 0
    pool = np.flatnonzero(
        spots.offered & (count_workers(spots.minutes, stops, left) >= min_workers)
    )
    wanted = min(count - len(chosen), len(pool))
    best = chosen
    while wanted > 0:
        solution = solve_mclp(
            spots.minutes[:, pool],
            np.where(left, stops.weight, 0).astype(float),
            wanted,
            xy=spots.xy[pool],
            time_limit_s=_SOLVE_S,
            gap=_GAP,
            rng=rng,
        )
        tried = np.union1d(chosen, pool[solution.chosen])
        good = tried[_workers_of(stops, nearest_site(spots, tried), len(tried)) >= min_workers]
        if _covered(stops, spots, good) > _covered(stops, spots, best):
            best = good
        if len(good) == len(tried):
            break
        wanted = min(max(len(good) - len(chosen), 1), wanted - 1)
    return best


def _workers_of(stops: Stops, site: np.ndarray, sites: int) -> np.ndarray:
    """Count the distinct workers whose stops each site serves."""
    pairs = np.unique(np.column_stack([site[stops.place], stops.rider]), axis=0)
    return np.bincount(pairs[pairs[:, 0] >= 0, 0], minlength=sites)


def _shorten_walks(stops: Stops, spots: Spots, chosen: np.ndarray, min_workers: int) -> np.ndarray:
    """Move each site to the spot with the shortest walks that reaches all whom it serves."""
    site, moved = nearest_site(spots, chosen), chosen.copy()
    for number, spot in enumerate(chosen):
        places = np.flatnonzero(site == number)
        walks = spots.minutes[places]
        walkers = np.repeat(stops.weight[places], np.diff(walks.indptr))
        reached = np.bincount(walks.indices, minlength=len(spots.xy)) == len(places)
        reached[moved[moved != spot]] = False
        total = np.bincount(walks.indices, walks.data * walkers, minlength=len(spots.xy))
        moved[number] = int(np.argmin(np.where(reached, total, np.inf)))
    moved = np.sort(moved)
    workers = _workers_of(stops, nearest_site(spots, moved), len(moved))
    return moved if (workers >= min_workers).all() else chosen


def _count_suppressed(
    stops: Stops, spots: Spots, site: np.ndarray, min_workers: int, door_m: float
) -> int:
    """Count the squares with unserved stops that only privacy keeps from being served."""
    workers = count_workers(spots.minutes, stops, site < 0)
    most = np.zeros(len(stops.xy), dtype=np.int64)
    np.maximum.at(most, _rows(spots), workers[spots.minutes.indices])
    few = (site < 0) & (most > 0) & (most < min_workers)
    return len(np.unique(np.floor(stops.xy[few] / door_m), axis=0))
