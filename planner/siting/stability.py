"""How often a site would be chosen again if the demand were drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.locate import heuristic_mclp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scipy.sparse import csr_array

NEIGHBOUR_M = 300.0  # a site this near serves the same place: five minutes on foot (guess)


def measure_stability(
    cover: csr_array,
    weight: np.ndarray,
    chosen: Sequence[int],
    count: int,
    *,
    xy: np.ndarray,
    existing: np.ndarray,
    conflicts: np.ndarray,
    days: float,
    reruns: int,
    rng: np.random.Generator,
    on_step: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Return for each chosen column the share of reruns that choose it or a near candidate.

    Parameters
    ----------
    cover, weight, existing, conflicts, count
        As solved.
    chosen
        Columns, in the order of the result.
    xy
        Shape (candidates, 2), metres: near is within 300 m (a guess).
    days
        Over how many days the weights were averaged.
    reruns
        How many; with 0 the result is NaN.

    Notes
    -----
    A parametric bootstrap (Efron & Tibshirani 1993): visits in a cell over all days are Poisson
    around what was seen. Each drawing is solved without a proof, by swaps from the plan and from
    greedy, the better kept. Riders who come back every day make the real spread a little larger
    than Poisson's.
    """
    if reruns == 0 or not len(chosen):
        return np.full(len(chosen), np.nan)
    drawn = rng.poisson(weight * days, size=(reruns, weight.size)) / days
    runs = heuristic_mclp(
        cover, drawn, count, existing=existing, conflicts=conflicts, start=chosen, on_step=on_step
    )
    again = np.zeros(len(chosen))
    for run in runs:
        apart = np.hypot(*(xy[np.asarray(chosen)][:, None] - xy[run][None]).transpose(2, 0, 1))
        again += (apart <= NEIGHBOUR_M).any(axis=1)
    return again / reruns
