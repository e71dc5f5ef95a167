"""Shares, means and quantiles of what has weight, the same whatever the order of its rows."""

from __future__ import annotations

from math import fsum, nan

import numpy as np


def weighted_share(weight: np.ndarray, part: np.ndarray) -> float:
    """Divide the weight of a part by all weight; NaN without any.

    Parameters
    ----------
    weight
        Shape (n,), not negative.
    part
        Shape (n,): bool, or how far each row belongs to the part, 0..1.
    """
    total = fsum(weight)
    return fsum(weight * part) / total if total > 0 else nan


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the mean of the finite values; NaN where they carry no weight."""
    known = np.isfinite(values)
    total = fsum(weight[known])
    return fsum(weight[known] * values[known]) / total if total > 0 else nan


def weighted_quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Return the smallest value at which this share of the weight is reached; NaN without weight.

    Examples
    --------
    >>> weighted_quantile(np.array([9.0, 1.0, 5.0]), np.array([1.0, 1.0, 3.0]), 0.5)
    5.0
    """
    inside = weight > 0
    if not inside.any():
        return nan
    order = np.lexsort((weight[inside], values[inside]))
    running = np.cumsum(weight[inside][order])
    at = np.searchsorted(running, share * running[-1] * (1 - 1e-12))
    return float(values[inside][order][at])
