"""What a plan loses without one of its sites, and what every single swap would cover."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Swaps(NamedTuple):
    """What a set of open columns covers, and what it would cover with one of them changed."""

    objective: float  # weight covered by the existing and the chosen
    loss: np.ndarray  # (chosen,): weight that only this one of the chosen covers
    value: np.ndarray  # (chosen, columns): weight covered with this column in its place; or -inf
    gain: np.ndarray  # (columns,): weight that this column would add to all of them


def value_swaps(
    cover: csr_array,
    weight: np.ndarray,
    existing: np.ndarray,
    chosen: np.ndarray,
    *,
    barred: np.ndarray | None = None,
) -> Swaps:
    r"""Value every exchange of one chosen column for one that is not open.

    Parameters
    ----------
    cover
        Demand × candidates, the pattern counts.
    weight
        Shape (demand,), not negative.
    existing, chosen
        Columns that are open; a chosen column that exists already changes nothing.
    barred
        Shape (chosen, columns), bool: exchanges that are not allowed; see `bar_swaps`.

    Notes
    -----
    With :math:`n_i` the number of open columns that cover row *i*, the plan without *s* and with
    *j* covers

    .. math:: \sum_{n_i > 0} w_i - \sum_{i \in C_s,\, n_i = 1} w_i
              + \sum_{i \in C_j,\, n_i = 0} w_i + \sum_{i \in C_j \cap C_s,\, n_i = 1} w_i ,

    the bookkeeping of vertex substitution (Teitz & Bart 1968, "Heuristic methods for estimating the
    generalized vertex median of a weighted graph"), here for covering: one pass over the pattern
    values all exchanges.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cover = csr_array([[1, 1, 0], [1, 0, 1], [0, 0, 1]])
    >>> swaps = value_swaps(cover, np.array([5.0, 1.0, 2.0]), np.array([], int), np.array([0]))
    >>> swaps.objective, swaps.loss.tolist(), swaps.value.tolist()
    (6.0, [6.0], [[-inf, 5.0, 3.0]])
    """
    existing, chosen = (np.asarray(c, dtype=np.int64) for c in (existing, chosen))
    columns = cover.shape[1]
    slot = np.zeros(columns, dtype=np.int64)  # 0 closed, k the chosen k - 1, beyond them existing
    slot[chosen] = np.arange(1, chosen.size + 1)
    slot[existing] = chosen.size + 1
    at, row = slot[cover.indices], np.repeat(np.arange(weight.size), np.diff(cover.indptr))
    times = np.bincount(row[at > 0], minlength=weight.size)
    owner = np.zeros(weight.size, dtype=np.int64)
    once = (at > 0) & (times[row] == 1)
    owner[row[once]] = at[once]
    own = owner - 1
    own[(owner == 0) | (owner > chosen.size)] = -1
    loss = np.bincount(own[own >= 0], weights=weight[own >= 0], minlength=chosen.size)
    new = (at == 0) & (times[row] == 0)
    gain = np.bincount(cover.indices[new], weights=weight[row[new]], minlength=columns)
    kept = (at == 0) & (own[row] >= 0)
    back = np.bincount(
        own[row[kept]] * columns + cover.indices[kept],
        weights=weight[row[kept]], minlength=chosen.size * columns,
    ).reshape(chosen.size, columns)  # fmt: skip
    objective = math.fsum(weight[times > 0])
    value = objective - loss[:, None] + gain + back
    value[:, slot > 0] = -np.inf
    if barred is not None:
        value[barred] = -np.inf
    return Swaps(objective, loss, value, gain)


def bar_swaps(
    xy: np.ndarray, existing: np.ndarray, chosen: np.ndarray, min_spacing_m: float
) -> np.ndarray:
    """Tell which column would stand too close to one of the chosen that stay.

    Parameters
    ----------
    xy
        Shape (columns, 2), metres.
    existing, chosen
        Columns that are open; spacing is asked between new ones only.
    min_spacing_m
        At least so far apart, straight line; 0 bars nothing.

    Returns
    -------
    numpy.ndarray
        Shape (chosen, columns), bool.
    """
    barred = np.zeros((chosen.size, xy.shape[0]), dtype=bool)
    if min_spacing_m <= 0 or not chosen.size:
        return barred
    near = cKDTree(xy).query_ball_point(xy[chosen], min_spacing_m)
    close = np.zeros_like(barred)
    for k, found in enumerate(near):
        columns = np.asarray(found, dtype=np.int64)
        apart = np.hypot(*(xy[columns] - xy[chosen[k]]).T)
        close[k, columns[apart < min_spacing_m]] = True
    close[np.isin(chosen, existing)] = False
    return (close.sum(axis=0) - close) > 0
