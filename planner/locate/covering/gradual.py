"""Gradual coverage: full near by, falling to nothing at a limit; each demand takes its best."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import InputError, SettingsError
from planner.locate.covering.mclp import solve_mclp
from planner.locate.problem import check_numbers, check_weight
from planner.locate.solution import at_most
from planner.locate.travel import check_travel, keep_entries

if TYPE_CHECKING:
    from planner.locate.solution import Solution

Decay = str | Sequence[tuple[float, float]] | Callable[[np.ndarray], np.ndarray]

# Above so many entries of the layers (about a GB) levels are rounded up to few.
_MOST_ENTRIES = 40_000_000
_LEVELS = (1024, 256, 64, 16, 4, 1)
_NOISE = 1e-12  # a function may rise by so little, from rounding


def solve_gradual(
    travel: Any,
    weight: Any,
    count: int | None,
    *,
    full_min: float,
    limit_min: float,
    decay: Decay = "linear",
    xy: np.ndarray | None = None,
    existing: Sequence[int] | np.ndarray = (),
    required: Sequence[int] | np.ndarray = (),
    forbidden: Sequence[int] | np.ndarray = (),
    cost: np.ndarray | None = None,
    budget: float | None = None,
    conflicts: np.ndarray | None = None,
    time_limit_s: float = 60.0,
    gap: float = 1e-4,
    rng: int | np.random.Generator = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Solution:
    """Choose candidates where the nearer a facility is, the more of a demand is covered.

    Parameters
    ----------
    travel
        Minutes from demand to candidates, demand × candidates, not negative: scipy sparse (an
        absent entry is out of reach, an explicit 0 is no way at all) or a dense array (infinity is
        out of reach).
    weight
        Shape (demand,), finite, not negative.
    count
        How many to choose, the required among them. None with costs: as many as they allow.
    full_min
        Minutes within which a demand is covered wholly.
    limit_min
        Minutes beyond which it is not covered at all, at least `full_min`.
    decay
        What is covered in between: ``"linear"``, falling to nothing at the limit; pairs
        ``(minutes, share)``, the share up to so many minutes, minutes rising and shares falling;
        or a function of an array of minutes that never rises and stays within 0 … 1.
    xy, existing, required, forbidden, cost, budget, conflicts, time_limit_s, gap, rng, on_step
        As in `planner.locate.solve_mclp`.

    Returns
    -------
    Solution
        `objective` is the sum over all demand of weight times the share of its best facility,
        existing ones included; no choice has more than `bound`.

    Raises
    ------
    InputError, SettingsError, NoSolutionError
        As `planner.locate.solve_mclp`; travel is negative or not a number, the limits are out of
        order, or the decay rises or leaves 0 … 1.

    Notes
    -----
    Berman, O. & Krass, D. (2002), "The generalized maximal covering location problem", and Berman,
    O., Krass, D. & Drezner, Z. (2003), "The gradual covering decay location problem on a network":
    maximise Σ_i w_i max_{j chosen} f(t_ij), where w_i is the weight of demand i, t_ij its travel to
    candidate j and f the share covered, never rising.

    A demand whose candidates offer the shares f_1 > f_2 > … > f_K is K demands of maximal covering:
    the k-th weighs w_i (f_k - f_{k+1}), with f_{K+1} = 0, and is covered by all that offer f_k or
    more. So `planner.locate.solve_mclp` decides, and its proof holds. Where the layers would fill
    the memory, shares are rounded up to multiples of 1 / 1024 or coarser; the bound holds still,
    but is less near.

    Examples
    --------
    >>> solution = solve_gradual([[5, 12], [14, 6]], [3, 2], 1, full_min=5, limit_min=15)
    >>> solution.chosen.tolist(), round(solution.objective, 6), solution.status
    ([0], 3.2, 'optimal')
    >>> steps = solve_gradual(
    ...     [[5, 12], [14, 6]], [3, 2], 1, full_min=6, limit_min=15, decay=[(12, 0.5)]
    ... )
    >>> steps.chosen.tolist(), steps.objective
    ([1], 3.5)
    """
    began = working_seconds()
    check_numbers(time_limit_s, gap)
    matrix = check_travel(travel)
    values = check_weight(weight, matrix.shape[0])
    shares = _shares(matrix, full_min, limit_min, decay)
    opened = _checked(existing, matrix.shape[1])
    layers = _stack(_needed(shares, opened), values)
    answer = solve_mclp(
        layers.cover, layers.weight, count, xy=xy, existing=opened, required=required,
        forbidden=forbidden, cost=cost, budget=budget, conflicts=conflicts,
        time_limit_s=max(1e-3, time_limit_s - (working_seconds() - began)), gap=gap, rng=rng,
        on_step=on_step,
    )  # fmt: skip
    best = row_maximum(shares, np.append(opened, answer.chosen))
    objective, seconds = math.fsum(values * best), working_seconds() - began
    bound = min(answer.bound + layers.slack, math.fsum(values))
    return at_most(answer.chosen, objective, bound, gap=gap, model="gradual", seconds=seconds)


def covered_shares(
    travel: sparse.csr_array, *, full_min: float, limit_min: float, decay: Decay = "linear"
) -> sparse.csr_array:
    """Return what share of each demand each candidate covers; entries of 0 are left out.

    Parameters
    ----------
    travel, full_min, limit_min, decay
        As in `solve_gradual`.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> covered_shares(csr_array([[5.0, 10.0, 15.0]]), full_min=5, limit_min=15).toarray().tolist()
    [[1.0, 0.5, 0.0]]
    """
    return _shares(check_travel(travel), full_min, limit_min, decay)


def row_maximum(matrix: sparse.csr_array, columns: np.ndarray) -> np.ndarray:
    """Return each row's greatest entry among some columns, 0 without one."""
    chosen = np.zeros(matrix.shape[1], dtype=bool)
    chosen[columns] = True
    kept = keep_entries(matrix, chosen[matrix.indices])
    most = np.zeros(matrix.shape[0])
    filled = np.diff(kept.indptr) > 0
    if kept.nnz:
        most[filled] = np.maximum.reduceat(kept.data, kept.indptr[:-1][filled])
    return most


def _shares(
    matrix: sparse.csr_array, full_min: float, limit_min: float, decay: Decay
) -> sparse.csr_array:
    if not (math.isfinite(limit_min) and 0 <= full_min <= limit_min):
        raise SettingsError(
            "`full_min` must be from 0 to `limit_min`, and that finite. "
            f"Got {full_min} and {limit_min}."
        )
    minutes = matrix.data
    share = np.where(minutes <= full_min, 1.0, 0.0)
    between = (minutes > full_min) & (minutes <= limit_min)
    share[between] = _decayed(minutes[between], full_min, limit_min, decay)
    shares = sparse.csr_array((share, matrix.indices, matrix.indptr), shape=matrix.shape)
    return keep_entries(shares, share > 0)


def _decayed(minutes: np.ndarray, full_min: float, limit_min: float, decay: Decay) -> np.ndarray:
    if isinstance(decay, str):
        if decay != "linear":
            raise SettingsError(
                f'`decay` knows "linear", pairs (minutes, share) and functions. Got {decay!r}.'
            )
        return (limit_min - minutes) / max(limit_min - full_min, np.finfo(float).tiny)
    if not callable(decay):
        until, offered = _steps(decay, full_min, limit_min)
        step = np.searchsorted(until, minutes)
        return np.append(offered, 0.0)[step]
    share = np.asarray(decay(minutes), dtype=np.float64)
    if share.shape != minutes.shape:
        raise InputError(
            f"`decay` must return one share a minute: {minutes.shape}. Got {share.shape}."
        )
    order = np.argsort(minutes, kind="stable")
    if not ((share >= 0) & (share <= 1)).all() or (np.diff(share[order]) > _NOISE).any():
        raise SettingsError("`decay` must stay within 0 … 1 and never rise with the minutes.")
    return share


def _steps(
    decay: Sequence[tuple[float, float]], full_min: float, limit_min: float
) -> tuple[np.ndarray, np.ndarray]:
    table = np.asarray(decay, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != 2 or not np.isfinite(table).all():
        raise InputError("`decay` must be pairs of numbers (minutes, share), e.g. [(10, 0.5)].")
    until, share = table.T
    inside = (until > full_min).all() and (until <= limit_min).all()
    if not inside or (np.diff(until) <= 0).any():
        raise SettingsError(
            f"the minutes of `decay` must rise, above {full_min} (`full_min`) up to {limit_min} "
            f"(`limit_min`). Got {until.tolist()}."
        )
    if not ((share >= 0) & (share <= 1)).all() or (np.diff(share) > 0).any():
        raise SettingsError(
            f"the shares of `decay` must be from 0 to 1 and never rise. Got {share.tolist()}."
        )
    return until, share


def _checked(existing: Sequence[int] | np.ndarray, columns: int) -> np.ndarray:
    array = np.asarray(existing)
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= columns:
        raise InputError(f"`existing` must list columns, 0 to {columns - 1}, as integers.")
    return np.unique(array).astype(np.int64)


def _needed(shares: sparse.csr_array, opened: np.ndarray) -> sparse.csr_array:
    """Leave out what offers no more than the best of the existing, but for that one itself."""
    if not opened.size:
        return shares
    today = row_maximum(shares, opened)
    row = np.repeat(np.arange(shares.shape[0]), np.diff(shares.indptr))
    is_open = np.zeros(shares.shape[1], dtype=bool)
    is_open[opened] = True
    equal = is_open[shares.indices] & (shares.data == today[row])
    return keep_entries(shares, (shares.data > today[row]) | equal)


class _Layers(NamedTuple):
    """Demands of maximal covering, and how far rounding may set their value off."""

    cover: sparse.csr_array
    weight: np.ndarray
    slack: float


def _stack(shares: sparse.csr_array, values: np.ndarray) -> _Layers:
    """Stack a layer for each distinct share that a demand is offered."""
    row = np.repeat(np.arange(shares.shape[0]), np.diff(shares.indptr))
    held = values[row] > 0
    row, column, share = row[held], shares.indices[held], shares.data[held]
    for levels in _LEVELS:
        order = np.lexsort((column, -share, row))
        row, column, share = row[order], column[order], share[order]
        new = np.ones(row.size, dtype=bool)
        new[1:] = (row[1:] != row[:-1]) | (share[1:] != share[:-1])
        layer = np.cumsum(new) - 1  # in which an entry appears first
        owner, level = row[new], share[new]
        last = np.searchsorted(owner, row, side="right")  # the layers of its demand end here
        times = last - layer
        if times.sum() <= _MOST_ENTRIES:
            break
        share = np.minimum(1.0, np.ceil(share * levels) / levels)
    start = np.concatenate([[0], np.cumsum(times)])
    rows = np.repeat(layer - start[:-1], times) + np.arange(start[-1])
    cover = sparse.csr_array(
        sparse.coo_array(
            (np.ones(rows.size, dtype=np.int8), (rows, np.repeat(column, times))),
            shape=(owner.size, shares.shape[1]),
        )
    )
    below = np.append(level[1:], 0.0)
    below[:-1][owner[1:] != owner[:-1]] = 0.0
    # each layer's weight is rounded twice, and once more as the layers of a demand are summed
    slack = 4.0 * np.finfo(float).eps * math.fsum(values[owner])
    return _Layers(cover, values[owner] * (level - below), slack)
