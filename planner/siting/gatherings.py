"""Which gathering places are opened before coverage decides: riders' own places come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def pick_first(
    rest_per_day: np.ndarray,
    cover: csr_array,
    weight: np.ndarray,
    *,
    existing: np.ndarray,
    conflicts: np.ndarray,
    most: int,
) -> list[int]:
    """Pick the busiest gathering places, each of which brings demand within reach.

    Parameters
    ----------
    rest_per_day
        Shape (candidates,): rest without shelter that a candidate stands for, 0 at most of them.
    cover, weight, existing
        Demand × candidates, the pattern counts; shape (demand,); columns open already.
    conflicts
        Shape (k, 2): pairs of which at most one may be picked.
    most
        How many.

    Returns
    -------
    list of int
        Columns in the order of picking: most rest first, ties by column. Those that would add
        nothing to the existing and the picked, or conflict with one picked, are passed over.
    """
    pattern = cover.tocsc()

    def rows(j: int) -> np.ndarray:
        return pattern.indices[pattern.indptr[j] : pattern.indptr[j + 1]]

    seen, barred = np.zeros(weight.size, dtype=bool), {int(j) for j in existing}
    for j in existing:
        seen[rows(int(j))] = True
    picked: list[int] = []
    for j in np.argsort(-rest_per_day, kind="stable").tolist():
        if len(picked) >= most or rest_per_day[j] <= 0:
            break
        if j in barred or not (weight[rows(j)][~seen[rows(j)]] > 0).any():
            continue
        picked.append(j)
        seen[rows(j)] = True
        barred.update(conflicts[(conflicts == j).any(axis=1)].ravel().tolist())
    return picked
