"""Make a set covering problem smaller without changing its optimum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.covering.presolve import implied, outdone, restrict
from planner.locate.problem import Cover

NONE = np.empty(0, dtype=np.int64)


class Reduced(NamedTuple):
    """What is left of a covering problem, and the columns that every best choice may open.

    Attributes
    ----------
    cover, cost
        Of the columns and clients left.
    columns
        Number of each column left in the larger problem.
    forced
        Columns of the larger problem that are opened.
    """

    cover: Cover
    cost: np.ndarray
    columns: np.ndarray
    forced: np.ndarray


def as_cover(pattern: sparse.csc_array) -> Cover:
    """Return a sparse pattern, clients × columns with sorted indices, as a cover."""
    rows = sparse.csr_array(pattern)
    rows.sort_indices()
    return Cover(
        pattern.indptr.astype(np.int64),
        pattern.indices.astype(np.int32),
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.int32),
    )


def reduce_cover(cover: Cover, cost: np.ndarray) -> Reduced:
    """Drop implied clients and dominated columns in turns; open what alone covers a client."""
    columns = np.arange(cover.start.size - 1)
    forced = [NONE]
    cost = cost.astype(np.int64)
    while True:
        before = (columns.size, cover.back.size)
        every = np.arange(columns.size)
        cover = keep_part(cover, every, ~implied(cover))
        kept = np.flatnonzero(~outdone(cover, cost))
        cover = keep_part(cover, kept, np.ones(cover.back.size - 1, dtype=bool))
        columns, cost = columns[kept], cost[kept]
        single = np.flatnonzero(np.diff(cover.back) == 1)
        sure = np.unique(cover.candidate[cover.back[single]]).astype(np.int64)
        if sure.size:
            forced.append(columns[sure])
            alive = np.ones(cover.back.size - 1, dtype=bool)
            alive[gather(cover.start, cover.client, sure)] = False
            kept = np.setdiff1d(np.arange(columns.size), sure)
            cover = keep_part(cover, kept, alive)
            columns, cost = columns[kept], cost[kept]
        if (columns.size, cover.back.size) == before:
            return Reduced(cover, cost, columns, np.sort(np.concatenate(forced)))


def keep_part(cover: Cover, columns: np.ndarray, alive: np.ndarray) -> Cover:
    """Keep some columns and the clients alive; merge clients that have become alike."""
    return restrict(cover, np.zeros(alive.size, dtype=np.int64), columns, alive)[0]


def gather(start: np.ndarray, items: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return the lists of some, one after the other."""
    if which.size == 0:
        return items[:0]
    return np.concatenate([items[start[k] : start[k + 1]] for k in which])
