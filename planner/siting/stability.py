"""How often a site would be chosen again if the demand were drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.locate import heuristic_mclp
from planner.siting.gatherings import pick_first

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scipy.sparse import csr_array

    from planner.samples import Samples

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
    first: Sequence[int],
    rest_per_day: np.ndarray,
    home: np.ndarray,
    locked: Sequence[int] = (),
    samples: Samples | None = None,
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
    first, rest_per_day, home
        Columns that were picked as gathering places before coverage decided, and what they were
        picked by, shape (candidates,): they are picked anew from rest that is drawn anew; the
        others are chosen beside those that were picked.
    locked
        Columns that every rerun opens.
    samples
        Visits by worker and day, in the order of the rows of `cover`.

    Notes
    -----
    A bootstrap over worker-days, see `planner.samples.Samples.draw`. Without samples a parametric
    one (Efron & Tibshirani 1993): visits in a cell over all days are Poisson around what was seen,
    and riders who come back make the real spread larger. Each drawing is solved without a proof, by
    swaps from the plan and from greedy, the better kept.
    """
    if reruns == 0 or not len(chosen):
        return np.full(len(chosen), np.nan)
    if samples is None:
        drawn = rng.poisson(weight * days, size=(reruns, weight.size)) / days
    else:
        drawn = samples.draw(reruns, rng)
    runs = heuristic_mclp(
        cover, drawn, count, existing=existing, required=[*locked, *first], conflicts=conflicts,
        start=chosen, on_step=on_step,
    )  # fmt: skip
    share = share_near(xy, chosen, runs)
    if len(first):
        rest = rng.poisson(rest_per_day * days, size=(reruns, rest_per_day.size)) / days
        is_open = np.append(existing, np.asarray(locked, dtype=np.int64))
        limits: dict[str, Any] = {"existing": is_open, "conflicts": conflicts, "most": len(first)}
        picks = [pick_first(row, home, cover, **limits) for row in rest]
        share = np.where(np.isin(chosen, first), share_near(xy, chosen, picks), share)
    return share


def share_near(
    xy: np.ndarray, chosen: Sequence[int], runs: Sequence[Sequence[int] | np.ndarray]
) -> np.ndarray:
    """Return for each of the chosen in what share of the runs it or a near one is."""
    here = xy[np.asarray(chosen)][:, None]
    again = np.zeros(len(chosen))
    for run in runs:
        there = xy[np.asarray(run, dtype=np.int64)][None]
        again += (np.hypot(*(here - there).transpose(2, 0, 1)) <= NEIGHBOUR_M).any(axis=1)
    return again / len(runs)
