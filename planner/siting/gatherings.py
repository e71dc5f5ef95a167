"""Which gathering places are opened before coverage decides: riders' own places come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def pick_first(
    rest_per_day: np.ndarray,
    home: np.ndarray,
    cover: csr_array,
    *,
    existing: np.ndarray,
    conflicts: np.ndarray,
    most: int,
) -> list[int]:
    """Pick the busiest gathering places that no station serves yet.

    Parameters
    ----------
    rest_per_day
        Shape (candidates,): rest without shelter that a candidate stands for, 0 at most of them.
    home
        Shape (candidates,): the demand row on which a candidate stands.
    cover, existing
        Demand × candidates, the pattern counts; columns open already.
    conflicts
        Shape (k, 2): pairs of which at most one may be picked.
    most
        How many.

    Returns
    -------
    list of int
        Columns in the order of picking: most rest first, ties by column. Passed over is a place
        that is within reach of the existing or of one picked before, that does not even reach its
        own demand, or that conflicts with one picked.
    """
    pattern = cover.tocsc()

    def rows(j: int) -> np.ndarray:
        return pattern.indices[pattern.indptr[j] : pattern.indptr[j + 1]]

    served, barred = np.zeros(cover.shape[0], dtype=bool), {int(j) for j in existing}
    for j in existing:
        served[rows(int(j))] = True
    picked: list[int] = []
    for j in np.argsort(-rest_per_day, kind="stable").tolist():
        if len(picked) >= most or rest_per_day[j] <= 0:
            break
        if j not in barred and not served[home[j]] and home[j] in rows(j):
            picked.append(j)
            served[rows(j)] = True
            barred.update(conflicts[(conflicts == j).any(axis=1)].ravel().tolist())
    return picked
