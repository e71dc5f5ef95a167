"""A p-median problem as integers: for each client its facilities, nearest first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.travel import keep_entries, row_minimum

if TYPE_CHECKING:
    from planner.locate.travel import Roles

# Integer costs sum to at most this, so that sums and differences stay inside int64.
_TOTAL_BITS = 40


class Lists(NamedTuple):
    """Clients and the facilities that may serve them; a plain tuple so that numba takes it.

    Attributes
    ----------
    start, column, cost
        Client i is served by ``column[start[i] : start[i + 1]]`` at ``cost``, cheapest first;
        all cost less than `most`.
    most
        int64 of each client: what it costs unserved, by what is open already or as a penalty.
    back, client, price
        The same entries by column: ``client[back[j] : back[j + 1]]`` at ``price``.
    """

    start: np.ndarray
    column: np.ndarray
    cost: np.ndarray
    most: np.ndarray
    back: np.ndarray
    client: np.ndarray
    price: np.ndarray


class Posed(NamedTuple):
    """Integer lists and how they relate to the input: ``integer ≈ travel * weight * scale``.

    Attributes
    ----------
    lists
        Of the clients with weight; columns are numbered within the free ones.
    rows
        Row of each client in the input.
    hard
        A client that costs at least this must be served; all served cost less together.
    scale, slack, unit
        `slack` bounds how far the cost of any choice may be off by rounding, in integers; `unit`
        divides every cost.
    """

    lists: Lists
    rows: np.ndarray
    hard: int
    scale: float
    slack: float
    unit: int


def pose(
    matrix: sparse.csr_array, weight: np.ndarray, roles: Roles, penalty: float | None
) -> Posed:
    """Bring a checked problem to integer lists."""
    rows = np.flatnonzero(weight > 0)
    matrix = matrix[rows]
    have = row_minimum(matrix, roles.opened) * weight[rows]
    if penalty is not None:
        have = np.minimum(have, penalty * weight[rows])
    place = np.full(matrix.shape[1], -1, dtype=np.int64)
    place[roles.free] = np.arange(roles.free.size)
    costs = matrix.data * np.repeat(weight[rows], np.diff(matrix.indptr))
    matrix = matrix.copy()
    matrix.data = costs
    owner = np.repeat(np.arange(rows.size), np.diff(matrix.indptr))
    matrix = keep_entries(matrix, (place[matrix.indices] >= 0) & (costs < have[owner]))
    dearest = np.where(np.isfinite(have), have, 0.0)
    if matrix.nnz:
        filled = np.diff(matrix.indptr) > 0
        last = np.maximum.reduceat(matrix.data, matrix.indptr[:-1][filled])
        dearest[filled] = np.maximum(dearest[filled], last)
    bits = min(_TOTAL_BITS, 60 - math.ceil(math.log2(rows.size + 1)))
    total = math.fsum(dearest)
    exponent = bits - math.frexp(total)[1] if total > 0 else 0
    ends = have[np.isfinite(have)]
    whole = [np.rint(np.ldexp(values, exponent)) for values in (matrix.data, ends)]
    exact = all(
        np.array_equal(np.ldexp(values, exponent), near)
        for values, near in zip((matrix.data, ends), whole, strict=True)
    )
    hard = 1 << (bits + 1)
    most = np.full(rows.size, hard, dtype=np.int64)
    most[np.isfinite(have)] = whole[1].astype(np.int64)
    cost = whole[0].astype(np.int64)
    unit = int(np.gcd(np.gcd.reduce(cost), np.gcd.reduce(whole[1].astype(np.int64))))
    start = matrix.indptr.astype(np.int64)
    column = place[matrix.indices].astype(np.int32)
    owner = np.repeat(np.arange(rows.size), np.diff(start))
    order = np.argsort((owner << bits + 1) + cost, kind="stable")  # ties stay by column
    return Posed(
        two_way(start, column[order], cost[order], most, roles.free.size),
        rows,
        hard,
        math.ldexp(1.0, exponent),
        0.0 if exact else 0.5 * rows.size + 1.0,
        max(1, unit) if exact else 1,
    )


def two_way(
    start: np.ndarray, column: np.ndarray, cost: np.ndarray, most: np.ndarray, columns: int
) -> Lists:
    """Add the entries by column."""
    by_row = sparse.csr_array((cost, column, start), shape=(most.size, columns))
    by_column = by_row.tocsc()
    back, client = by_column.indptr.astype(np.int64), by_column.indices.astype(np.int32)
    return Lists(start, column, cost, most, back, client, by_column.data)


def restrict_lists(lists: Lists, keep: np.ndarray, opened: np.ndarray) -> Lists:
    """Keep some columns, renumbered, after others are opened for good."""
    columns = lists.back.size - 1
    most = lists.most.copy()
    for j in opened:
        mine = slice(lists.back[j], lists.back[j + 1])
        most[lists.client[mine]] = np.minimum(most[lists.client[mine]], lists.price[mine])
    place = np.full(columns, -1, dtype=np.int64)
    place[keep] = np.arange(keep.size)
    owner = np.repeat(np.arange(most.size), np.diff(lists.start))
    kept = (place[lists.column] >= 0) & (lists.cost < most[owner])
    total = np.concatenate([[0], np.cumsum(kept)])
    column = place[lists.column[kept]].astype(np.int32)
    return two_way(total[lists.start], column, lists.cost[kept], most, keep.size)


def value_of(lists: Lists, chosen: np.ndarray) -> int:
    """Return what a choice costs."""
    best = lists.most.copy()
    for j in chosen:
        mine = slice(lists.back[j], lists.back[j + 1])
        best[lists.client[mine]] = np.minimum(best[lists.client[mine]], lists.price[mine])
    return int(best.sum())
