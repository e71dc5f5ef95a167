"""How a point's weight is shared among categories, read off only where k workers are.

A point that k workers visit may have been visited by one of them at night. Its night weight is
therefore never read off the point alone, see `share_out`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.demand.gate import Crowds, Groups, by_size, join_neighbours

BLOCK_M = (
    1000.0  # a 15-min walk: points this near share a profile if theirs cannot be shown (guess)
)
THIN_SHARE = 0.1  # of a block's weight may lie in categories under k before it joins others (guess)
_FEW = 0.5  # of k: how many workers a category under k is taken to have at most (guess)
_GONE = np.iinfo(np.int64).max  # workers of a pool that joined another
_LEAST_SHARE = 0.005  # of the study: what a category that occurs at all is taken to have at least


def share_out(
    crowds: Crowds,
    workers: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
    *,
    min_workers: int,
    cell_m: float,
) -> np.ndarray:
    """Share the weight of points among categories so that no number stems from under k workers.

    Parameters
    ----------
    crowds
        Workers and weight of each point by category.
    workers
        Shape (n,), distinct workers of each point in all categories, as published.
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
    each pool has k workers. A pool's weight is split by the whole study's shares in whole percent;
    where one category of the pool has k workers by itself, the others, which are thin, get no more
    than k/2 of the block's workers stand for. Each point of a block gets the block's shares of its
    own weight. So what is shown follows from totals and workers of points, totals of pools in
    disjoint blocks, which categories are under k, and rounded shares of the study, all of them of k
    workers or more; within a block every point has the same shares, so no difference of columns or
    rows leads below a block. Totals by category over the study are exact but for the pooled parts.
    With k = 1 every weight is the point's own.
    """
    own = crowds.visits
    total = own.sum(axis=1)
    if min_workers <= 1 or own.shape[1] == 1:
        return own
    profile = _whole_percent(own.sum(axis=0))
    groups = join_neighbours(
        row, col, crowds,
        enough=min_workers, reach_m=BLOCK_M / 2.0, cell_m=cell_m, thin_share=THIN_SHARE,
    )  # fmt: skip
    anchor = groups.anchor
    crowd = np.bincount(anchor, weights=workers, minlength=len(total))
    shown = pool_blocks(groups, crowd, profile, min_workers)
    in_block = np.bincount(anchor, weights=total, minlength=len(total))
    return np.asarray((total / in_block[anchor])[:, None] * shown[anchor])


def pool_blocks(
    groups: Groups, crowd: np.ndarray, profile: np.ndarray, min_workers: int
) -> np.ndarray:
    """Return the weight of each block by category, that of each pool split by a public rule.

    Parameters
    ----------
    groups
        The blocks.
    crowd
        Shape (n,), the published workers of a block's points, added up.
    profile
        Shape (categories,), the study's shares; 0 for a category that does not occur.
    min_workers
        The privacy limit k.

    Returns
    -------
    numpy.ndarray
        Shape (n, categories): in the rows of places where a block stands, else 0.
    """
    shown = np.zeros_like(groups.visits)
    riders = int(groups.rider.max(initial=-1)) + 1
    mark, turn = np.zeros(riders, dtype=np.int64), np.zeros(1, dtype=np.int64)
    task = _Task(groups, crowd.astype(float), profile, min_workers, mark, turn)
    _pool_all(task, np.unique(groups.anchor), shown)
    return shown


class _Task(NamedTuple):
    groups: Groups
    crowd: np.ndarray
    profile: np.ndarray
    min_workers: int
    mark: np.ndarray  # of each rider: the turn in which it was seen last
    turn: np.ndarray


def told_share(share: float, *, enough: bool) -> float:
    """Return a share as it may be told: in whole percent, rounded up, if of under k workers.

    Examples
    --------
    >>> [told_share(0.0012, enough=yes) for yes in (False, True)]
    [0.01, 0.0012]
    """
    return float(share) if enough else math.ceil(100.0 * share - 1e-9) / 100.0


def _whole_percent(weight: np.ndarray) -> np.ndarray:
    share = np.maximum(np.round(weight / weight.sum(), 2), _LEAST_SHARE)
    return np.where(weight > 0, share, 0.0)


@compiled
def _pool_all(task: _Task, blocks: np.ndarray, shown: np.ndarray) -> None:
    visits = task.groups.visits
    for block in blocks:
        pool = _pools(task, block)
        for p in range(len(pool)):
            inside = np.flatnonzero(pool == p)
            if len(inside) == 1:
                shown[block, p] = visits[block, p]
            elif len(inside) > 1:
                _split(task, block, inside, shown)


@compiled
def _split(task: _Task, block: int, inside: np.ndarray, shown: np.ndarray) -> None:
    """Split the weight of a pool by the study's shares; thin ones beside an ample one get less."""
    workers, visits = task.groups.workers[block], task.groups.visits[block]
    weight, whole, total = 0.0, 0.0, 0.0
    for c in inside:
        weight += visits[c]
        whole += task.profile[c]
    for value in visits:
        total += value
    most = _FEW * task.min_workers / task.crowd[block] * total
    ample, left = -1, weight
    for c in inside:
        if workers[c] >= task.min_workers:
            ample = c
    for c in inside:
        if c != ample:
            shown[block, c] = weight * task.profile[c] / whole
            if ample >= 0:
                shown[block, c] = min(shown[block, c], most)
            left -= shown[block, c]
    if ample >= 0:
        shown[block, ample] = left


@compiled
def _pools(task: _Task, block: int) -> np.ndarray:
    """Pool categories, smallest with next smallest, until each pool has enough workers.

    A pool goes by its first category; -1 marks a category that does not occur.
    """
    pool = np.full(len(task.profile), -1)
    size = np.full(len(task.profile), _GONE)
    for c in range(len(pool)):
        if task.profile[c] > 0:
            pool[c], size[c] = c, task.groups.workers[block, c]
    while True:
        order = by_size(size)
        some, more = order[0], order[1]
        if size[some] >= task.min_workers or size[more] == _GONE:
            return pool
        some, more = min(some, more), max(some, more)
        for c in range(len(pool)):
            pool[c] = some if pool[c] == more else pool[c]
        size[more] = _GONE
        size[some] = _distinct(task, block, np.flatnonzero(pool == some))


@compiled
def _distinct(task: _Task, block: int, inside: np.ndarray) -> int:
    """Count the distinct workers of a block in some categories."""
    task.turn[0] += 1
    count = 0
    for c in inside:
        e = task.groups.head[block, c]
        while e >= 0:
            rider = task.groups.rider[e]
            if task.mark[rider] != task.turn[0]:
                task.mark[rider] = task.turn[0]
                count += 1
            e = task.groups.follow[e]
    return count
