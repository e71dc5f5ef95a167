"""How a point's weight is shared among dayparts or worker types, read off only where k workers are.

A point that k workers visit may have been visited by one of them at night. Its night weight is
therefore never read off the point alone, see `share_out`.
"""

from __future__ import annotations

import numpy as np

from planner.demand.gate import Crowd, join_neighbours

BLOCK_M = (
    1000.0  # a 15-min walk: points this near share a profile if theirs cannot be shown (guess)
)
_THIN_SHARE = (
    0.1  # of a block's weight may lie in categories under k before it joins others (guess)
)
_LEAST_SHARE = 0.005  # of the study: what a category that occurs at all is taken to have at least


def share_out(
    visits: list[Crowd], row: np.ndarray, col: np.ndarray, *, min_workers: int, cell_m: float
) -> np.ndarray:
    """Share the weight of points among categories so that no number stems from under k workers.

    Parameters
    ----------
    visits
        One a point: workers and weight by category. They are used up.
    row, col
        Shape (n,), the points' hexagons.
    min_workers
        The privacy limit k.
    cell_m
        Hexagon width in metres.

    Returns
    -------
    numpy.ndarray
        Shape (n, categories): weights, each row adding up to the point's own weight.

    Notes
    -----
    Points join into blocks of at most `BLOCK_M` around one of them, until at most a tenth of a
    block's weight lies in categories with fewer than k distinct workers; most busy points are a
    block of their own. Within a block, the categories under k (nobody at all is under k as well, or
    a zero would tell that the others were someone) are pooled, smallest with next smallest, until
    each pool has k workers. A pool's weight is split by the whole study's shares in whole percent,
    and each point of a block gets the block's shares of its own weight. So what is shown follows
    from totals of points, totals of pools in disjoint blocks and rounded shares of the study, all
    of them of k workers or more; within a block every point has the same shares, so no difference
    of columns or rows leads below a block. Totals by category over the study are exact but for the
    pooled parts. With k = 1 every weight is the point's own.
    """
    own = np.array([crowd.visits for crowd in visits])
    total = own.sum(axis=1)
    if min_workers <= 1 or own.shape[1] == 1:
        return own
    profile = _whole_percent(own.sum(axis=0))
    anchor, _ = join_neighbours(
        row, col, visits, _strength, enough=min_workers, reach_m=BLOCK_M / 2.0, cell_m=cell_m
    )
    shown = np.zeros_like(own)
    for block in np.unique(anchor):
        shown[block] = _pooled(visits[block], profile, min_workers)
    in_block = np.bincount(anchor, weights=total, minlength=len(total))
    return (total / in_block[anchor])[:, None] * shown[anchor]


def _whole_percent(weight: np.ndarray) -> np.ndarray:
    share = np.maximum(np.round(weight / weight.sum(), 2), _LEAST_SHARE)
    return np.where(weight > 0, share, 0.0)


def _strength(crowd: Crowd) -> int:
    """Return the highest k that leaves at most a tenth of the weight in categories under k."""
    count = np.array([len(workers) for workers in crowd.workers])
    order = np.argsort(count, kind="stable")
    below = np.cumsum(crowd.visits[order])
    first = int(np.searchsorted(below, _THIN_SHARE * below[-1], side="right"))
    return int(count[order[min(first, len(order) - 1)]])


def _pooled(crowd: Crowd, profile: np.ndarray, min_workers: int) -> np.ndarray:
    """Return a block's weight by category, that of each pool split by the study's shares."""
    weight = np.zeros(len(profile))
    for pool in _pools(crowd.workers, np.flatnonzero(profile > 0), min_workers):
        part = profile[pool] / profile[pool].sum() if len(pool) > 1 else 1.0
        weight[pool] = crowd.visits[pool].sum() * part
    return weight


def _pools(workers: list[set[int]], categories: np.ndarray, min_workers: int) -> list[list[int]]:
    """Pool categories, smallest with next smallest, until each pool has enough workers."""
    pools = [([int(c)], workers[c]) for c in categories]
    while len(pools) > 1:
        pools.sort(key=lambda pool: (len(pool[1]), pool[0]))
        if len(pools[0][1]) >= min_workers:
            break
        (some, who), (more, others) = pools[:2]
        pools[:2] = [(sorted(some + more), who | others)]
    return [pool for pool, _ in pools]
