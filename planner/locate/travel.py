"""Travel times of the p-median and p-center models, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.errors import InputError
from planner.locate.problem import make_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.locate.problem import Limits


class Roles(NamedTuple):
    """What the columns may do.

    Attributes
    ----------
    free
        May be chosen, sorted.
    required
        Are chosen in any case, sorted.
    opened
        The existing and the required, sorted.
    left
        How many of the free are to be chosen.
    limits
        Of the free: how many, at what cost, and who excludes whom.
    plain
        Nothing but the count limits the choice, so that exactly so many are chosen.
    """

    free: np.ndarray
    required: np.ndarray
    opened: np.ndarray
    left: int
    limits: Limits
    plain: bool

    def fill(self, chosen: np.ndarray) -> np.ndarray:
        """Return the required and the chosen, filled up to the count by the smallest free ones.

        Costs and conflicts leave fewer: nothing is filled up then.
        """
        room = self.left - chosen.size if self.plain else 0
        spare = np.setdiff1d(self.free, chosen)[:room]
        return np.sort(np.concatenate([self.required, chosen, spare])).astype(np.int64)


def check_travel(travel: Any) -> sparse.csr_array:
    """Return the travel as float64 CSR with an entry wherever a facility is within reach.

    An explicit 0 is a travel of 0; infinite entries are out of reach, like absent ones.
    """
    if sparse.issparse(travel):
        if travel.ndim != 2:
            raise InputError(f"`travel` must have two dimensions. Got {travel.ndim}.")
        matrix = sparse.csr_array(travel, dtype=np.float64, copy=True)
        matrix.sum_duplicates()
    else:
        try:
            table = np.asarray(travel, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError("`travel` must hold numbers, demand × candidates.") from error
        if table.ndim != 2:
            raise InputError(f"`travel` must have two dimensions. Got {table.ndim}.")
        inside = table != np.inf
        start = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
        column = np.nonzero(inside)[1]
        matrix = sparse.csr_array((table[inside], column, start), shape=table.shape)
    bad = np.flatnonzero(~(matrix.data >= 0))
    if bad.size:
        row = int(np.searchsorted(matrix.indptr, bad[0], side="right")) - 1
        raise InputError(
            f"`travel` must not be negative or NaN. Got {matrix.data[bad[0]]} in row {row}, "
            f"column {matrix.indices[bad[0]]} ({bad.size} such entries). Leave entries out, or set "
            "them to infinity, where a facility is out of reach."
        )
    if np.isinf(matrix.data).any():
        return keep_entries(matrix, np.isfinite(matrix.data))
    return matrix


def keep_entries(matrix: sparse.csr_array, kept: np.ndarray) -> sparse.csr_array:
    """Keep some of the entries; a kept 0 stays an entry."""
    total = np.concatenate([[0], np.cumsum(kept)])
    return sparse.csr_array(
        (matrix.data[kept], matrix.indices[kept], total[matrix.indptr]), shape=matrix.shape
    )


def check_roles(
    columns: int,
    count: int | None,
    existing: Sequence[int] | np.ndarray,
    required: Sequence[int] | np.ndarray,
    forbidden: Sequence[int] | np.ndarray,
    *,
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
) -> Roles:
    """Check the count and the lists as the covering models do."""
    for name, values in (("existing", existing), ("required", required), ("forbidden", forbidden)):
        array = np.asarray(values)
        if (
            array.dtype.kind in "iu"
            and array.size
            and not 0 <= array.min() <= array.max() < columns
        ):
            bad = array[(array < 0) | (array >= columns)][0]
            raise InputError(
                f"`{name}` names column {bad}, but `travel` has columns 0 to {columns - 1}."
            )
    problem = make_problem(
        sparse.csr_array((0, columns)),
        count,
        existing=existing,
        required=required,
        forbidden=forbidden,
        cost=cost,
        budget=budget,
        conflicts=conflicts,
    )
    opened = np.union1d(np.asarray(existing, dtype=np.int64), problem.required)
    free = problem.free
    if problem.plain:  # all of them tell who is within anyone's reach, also where none may open
        free = np.setdiff1d(np.arange(columns), np.union1d(opened, np.asarray(forbidden, np.int64)))
    left = min(problem.limits.most, free.size)
    return Roles(free, problem.required, opened, left, problem.limits, problem.plain)


def row_minimum(matrix: sparse.csr_array, columns: np.ndarray) -> np.ndarray:
    """Return each row's least entry among some columns, infinity without one."""
    chosen = np.zeros(matrix.shape[1], dtype=bool)
    chosen[columns] = True
    kept = keep_entries(matrix, chosen[matrix.indices])
    least = np.full(matrix.shape[0], np.inf)
    filled = np.diff(kept.indptr) > 0
    if kept.nnz:
        least[filled] = np.minimum.reduceat(kept.data, kept.indptr[:-1][filled])
    return least
