"""A maximal covering problem, checked and brought to integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.errors import InputError, NoSolutionError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Integer weights sum to at most this, so that sums and fixed-point products stay inside int64.
TOTAL_BITS = 44


class Cover(NamedTuple):
    """Which clients a candidate covers, and back; a plain tuple so that numba takes it.

    Attributes
    ----------
    start, client
        Candidate j covers ``client[start[j] : start[j + 1]]``, sorted.
    back, candidate
        Client i is covered by ``candidate[back[i] : back[i + 1]]``, sorted.
    """

    start: np.ndarray
    client: np.ndarray
    back: np.ndarray
    candidate: np.ndarray


class Limits(NamedTuple):
    """What may be opened together; a plain tuple so that numba takes it.

    Attributes
    ----------
    most
        At most so many.
    cost, budget
        float64 of every candidate, and what they may sum to. Without costs: ones and `most`.
    start, rival
        Candidate j excludes ``rival[start[j] : start[j + 1]]``.
    """

    most: int
    cost: np.ndarray
    budget: float
    start: np.ndarray
    rival: np.ndarray


def counts_only(limits: Limits) -> bool:
    """Tell whether costs add nothing to the count."""
    return bool(limits.budget == limits.most and (limits.cost == 1.0).all())


@dataclass(frozen=True, eq=False)
class Problem:
    """What is left to decide once the open, the required and the forbidden are settled.

    Attributes
    ----------
    matrix
        CSC pattern, demand × all candidates.
    free
        Columns that may still be chosen, sorted.
    required
        Columns that are chosen in any case, sorted.
    open_rows
        bool per demand row: covered by the existing or the required.
    limits
        For the free columns, the required already taken off.
    exact_count
        Without costs and conflicts exactly `count` are chosen, gain or no gain.
    """

    matrix: sparse.csc_array
    free: np.ndarray
    required: np.ndarray
    open_rows: np.ndarray
    limits: Limits
    exact_count: bool

    @property
    def plain(self) -> bool:
        """Nothing but the count limits the choice."""
        return self.exact_count


def make_problem(
    cover: Any,
    count: int | None,
    *,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
) -> Problem:
    """Check the arguments of a covering model; errors as `planner.locate.solve_mclp`."""
    matrix = _pattern(cover)
    n = matrix.shape[1]
    opened = _columns(existing, n, "existing")
    must = np.setdiff1d(_columns(required, n, "required"), opened)
    banned = _columns(forbidden, n, "forbidden")
    both = np.intersect1d(must, banned)
    if both.size:
        raise SettingsError(
            f"candidates {_few(both)} are both required and forbidden. Drop them from one list."
        )
    price = _prices(cost, budget, n)
    pairs = _pairs(conflicts, n)
    clash = np.isin(pairs, must).all(axis=1)
    if clash.any():
        raise NoSolutionError(
            f"the required candidates {_few(pairs[clash][0])} exclude each other. "
            "Require one of them, or allow a smaller spacing."
        )
    free = np.setdiff1d(np.arange(n), np.concatenate([opened, must, banned]))
    size = _count(count, must.size, free.size, costs=cost is not None)
    spent = float(price[must].sum())
    limit = float(size if budget is None else budget)
    if budget is not None and spent > limit * (1 + 1e-12):
        raise NoSolutionError(
            f"the required candidates cost {spent:g}, more than the budget of {limit:g}. "
            "Raise the budget or require fewer."
        )
    rivals = np.unique(
        np.concatenate([pairs[np.isin(pairs[:, k], must)][:, 1 - k] for k in (0, 1)])
    )
    left = limit - spent if budget is not None else float(size - must.size)
    free = np.setdiff1d(free, rivals)
    free = free[price[free] <= left + 1e-9 * max(1.0, left)] if size > must.size else free[:0]
    limits = Limits(size - must.size, price[free], left, *_adjacency(pairs, free, n))
    settled = np.zeros(matrix.shape[0], dtype=bool)
    for j in np.concatenate([opened, must]):
        settled[matrix.indices[matrix.indptr[j] : matrix.indptr[j + 1]]] = True
    return Problem(matrix, free, must, settled, limits, cost is None and pairs.size == 0)


def check_weight(weight: Any, rows: int) -> np.ndarray:
    """Return the weights as float64 of shape (rows,), or raise `InputError`."""
    try:
        values = np.asarray(weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("`weight` must hold numbers, one a demand row.") from error
    if values.shape != (rows,):
        raise InputError(
            f"`weight` must have one number a demand row: ({rows},). Got {values.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise InputError(
            f"`weight` must be finite and not negative. Got {values[bad[0]]} in row {bad[0]} "
            f"({bad.size} such rows). Drop those rows or set them to 0."
        )
    return values


def check_numbers(time_limit_s: float, gap: float) -> None:
    """Check what every solver takes."""
    if not time_limit_s > 0:
        raise SettingsError(f"`time_limit_s` must be greater than 0. Got {time_limit_s}.")
    if not 0 <= gap < 1:
        raise SettingsError(f"`gap` must be at least 0 and under 1. Got {gap}.")


def rows_covered(cover: Any, columns: Sequence[int] | np.ndarray) -> np.ndarray:
    """Tell which rows some columns of a sparse matrix cover; the pattern counts."""
    matrix, covered = cover.tocsc(), np.zeros(cover.shape[0], dtype=bool)
    for j in columns:
        covered[matrix.indices[matrix.indptr[j] : matrix.indptr[j + 1]]] = True
    return covered


class Scaled(NamedTuple):
    """Weights as integers: ``whole ≈ weight * scale``.

    `slack` bounds, in integer units, how far the sum over any set of rows may be off;
    `unit` divides every weight, so every objective is a multiple of it.
    """

    whole: np.ndarray
    scale: float
    slack: float
    unit: int


def scale_weight(weight: np.ndarray) -> Scaled:
    """Bring weights to integers: exactly if they are whole, else to 2**-44 of their sum."""
    total = math.fsum(weight)
    if total == 0:
        return Scaled(np.zeros(weight.size, dtype=np.int64), 1.0, 0.0, 1)
    room = TOTAL_BITS - math.frexp(total)[1]
    if room >= 0 and np.array_equal(weight, np.rint(weight)):
        whole = weight.astype(np.int64)
        return Scaled(whole, 1.0, 0.0, int(np.gcd.reduce(whole)) or 1)
    exponent = room
    exact = np.ldexp(weight, exponent)
    whole = np.rint(exact).astype(np.int64)
    slack = math.fsum(np.abs(exact - whole))
    return Scaled(whole, math.ldexp(1.0, exponent), slack, int(np.gcd.reduce(whole)) or 1)


def _pattern(cover: Any) -> sparse.csc_array:
    """Return the cover as a CSC pattern: every entry counts, an explicit zero too."""
    if not sparse.issparse(cover):
        raise InputError(
            "`cover` must be a scipy sparse matrix, demand × candidates. "
            f"Got {type(cover).__name__}; use `scipy.sparse.csr_array(cover)`."
        )
    if cover.ndim != 2:
        raise InputError(f"`cover` must have two dimensions. Got {cover.ndim}.")
    if cover.format == "csr":
        pattern = sparse.csr_array(_marked(cover), shape=cover.shape).tocsc()
    elif cover.format == "csc":
        pattern = sparse.csc_array(_marked(cover), shape=cover.shape)
        if not pattern.has_canonical_format:
            pattern = pattern.copy()  # the caller's arrays stay as they are
    else:
        raw = cover.tocoo()
        place = raw.coords if hasattr(raw, "coords") else (raw.row, raw.col)
        pattern = sparse.coo_array((np.ones(raw.nnz, np.int8), place), shape=raw.shape).tocsc()
    pattern.sum_duplicates()
    return pattern


def _marked(cover: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a compressed matrix with a mark for each entry, whatever its value."""
    entries = int(cover.indptr[-1])
    return np.ones(entries, dtype=np.int8), cover.indices[:entries], cover.indptr


def _columns(values: Sequence[int] | np.ndarray, n: int, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"`{name}` must list columns as integers. Got {array.dtype} {array.shape}."
        )
    bad = array[(array < 0) | (array >= n)]
    if bad.size:
        raise InputError(f"`{name}` names column {bad[0]}, but `cover` has columns 0 to {n - 1}.")
    return np.unique(array).astype(np.int64)


def _count(count: int | None, required: int, free: int, *, costs: bool) -> int:
    if count is None and costs:
        return required + free
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise SettingsError(f"`count` must be a whole number of at least 1. Got {count!r}.")
    if required > count:
        raise NoSolutionError(
            f"{required} candidates are required but `count` is {count}. "
            "Raise `count` or require fewer."
        )
    if count > required + free and not costs:
        raise SettingsError(
            f"`count` is {count}, but only {required + free} candidates may be chosen. "
            "Lower `count` or offer more candidates."
        )
    return int(count)


def _prices(cost: np.ndarray | None, budget: float | None, n: int) -> np.ndarray:
    if (cost is None) != (budget is None):
        raise SettingsError("`cost` and `budget` go together. Give both or neither.")
    if cost is None or budget is None:
        return np.ones(n)
    price = np.asarray(cost, dtype=np.float64)
    if price.shape != (n,):
        raise InputError(f"`cost` must have one number a candidate: ({n},). Got {price.shape}.")
    bad = np.flatnonzero(~(np.isfinite(price) & (price >= 0)))
    if bad.size:
        raise InputError(
            f"`cost` must be finite and not negative. Got {price[bad[0]]} for column {bad[0]}."
        )
    if not (math.isfinite(budget) and budget >= 0):
        raise SettingsError(f"`budget` must be finite and not negative. Got {budget}.")
    return price


def _pairs(conflicts: np.ndarray | None, n: int) -> np.ndarray:
    if conflicts is None or np.size(conflicts) == 0:
        return np.empty((0, 2), dtype=np.int64)
    pairs = np.asarray(conflicts)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise InputError(f"`conflicts` must be pairs of columns: (k, 2). Got {pairs.shape}.")
    if pairs.min() < 0 or pairs.max() >= n:
        raise InputError(f"`conflicts` names a column outside 0 to {n - 1}.")
    pairs = np.sort(pairs.astype(np.int64), axis=1)
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0).reshape(-1, 2)


def _adjacency(pairs: np.ndarray, free: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rivals of each free candidate, both numbered within `free`."""
    place = np.full(n, -1, dtype=np.int64)
    place[free] = np.arange(free.size)
    ends = place[pairs]
    ends = ends[(ends >= 0).all(axis=1)]
    source, rival = np.concatenate([ends, ends[:, ::-1]]).T
    order = np.lexsort((rival, source))
    start = np.zeros(free.size + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=free.size), out=start[1:])
    return start, rival[order]


def _few(values: np.ndarray) -> str:
    shown = ", ".join(str(v) for v in values[:5])
    return shown + (", …" if values.size > 5 else "")
