"""What a plan is worth for visits it has not seen: half of them choose, the other half judges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.locate import heuristic_mclp
from planner.locate.problem import rows_covered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

RUNS = 20
_RANGE = (0.05, 0.95)


def measure_held_out(
    cover: csr_array,
    weight: np.ndarray,
    chosen: Sequence[int] | np.ndarray,
    count: int,
    *,
    existing: np.ndarray,
    conflicts: np.ndarray,
    required: Sequence[int],
    days: float,
    rng: np.random.Generator,
    runs: int = RUNS,
) -> dict[str, Any]:
    """Choose by half of the visits, and tell what of the other half that choice covers.

    Parameters
    ----------
    cover, weight, count, existing, conflicts, required
        As solved by `planner.locate.solve_mclp`.
    chosen
        The plan, from which each half's choice starts.
    days
        Over how many days the weights were averaged.
    rng, runs
        Of the halving, and how often it is done.

    Returns
    -------
    dict
        ``share`` (mean covered share of the half that judges), ``low`` and ``high`` (its 5th and
        95th percentile over the runs), ``chosen_share`` (mean of the half that chose: what it would
        have promised), ``runs``, ``days`` and ``by`` (``visits``: the demand does not say which
        visit was on which day, so visits are halved and not days).

    Notes
    -----
    Each cell's visits over all days are thinned by a fair coin, so that the halves are independent
    where visits are Poisson (Kingman 1993, "Poisson processes"). Riders who come back every day
    stand in both halves, so days that are yet to come may differ more.
    """
    seen = np.rint(weight * days).astype(np.int64)
    if runs == 0 or seen.sum() < 2:
        return {}
    halves = rng.binomial(seen, 0.5, size=(runs, weight.size))
    choices = heuristic_mclp(
        cover, halves.astype(float), count, existing=existing, required=required,
        conflicts=conflicts, start=chosen,
    )  # fmt: skip
    judged: list[float] = []
    promised: list[float] = []
    for half, choice in zip(halves, choices, strict=True):
        covered = rows_covered(cover, np.append(existing, choice))
        for votes, shares in ((half, promised), (seen - half, judged)):
            total = int(votes.sum())
            if total:
                shares.append(int(votes[covered].sum()) / total)
    low, high = np.quantile(judged, _RANGE)
    return {
        "share": math.fsum(judged) / len(judged),
        "low": float(low),
        "high": float(high),
        "chosen_share": math.fsum(promised) / len(promised),
        "runs": runs,
        "days": float(days),
        "by": "visits",
    }
