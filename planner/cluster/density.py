"""Dense groups of weighted points, and the point in the middle of each."""

from __future__ import annotations

import numpy as np

from planner.errors import InputError

_FEW = 1_000  # points of which all distances are held
_SLACK = 1e-9  # relative: rounding of a bound on a sum of distances


def dense_groups(
    xy: np.ndarray, weight: np.ndarray, *, radius_m: float, min_weight: float
) -> np.ndarray:
    """Label points by the dense group they belong to.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.
    weight
        Shape (n,), not negative.
    radius_m
        How far a point looks around, metres.
    min_weight
        A point is a core point if the weight within `radius_m`, its own included, reaches this.

    Returns
    -------
    numpy.ndarray
        Shape (n,), int64: 0 for the heaviest group, 1 for the next, …; -1 in no group. Groups of
        equal weight come in the order of their first point by x, then y. The order of the input
        does not matter.

    Raises
    ------
    InputError
        Shapes do not match, values are not finite, or a number that must be positive is not.

    Notes
    -----
    Weighted DBSCAN: Ester, Kriegel, Sander and Xu (1996), *A density-based algorithm for
    discovering clusters in large spatial databases with noise*, KDD. A border point in reach of two
    groups goes to the one found first, from low to high x.

    Examples
    --------
    >>> xy = np.array([[0.0, 0], [50, 0], [60, 0], [900, 0]])
    >>> dense_groups(xy, np.array([1.0, 5, 5, 2]), radius_m=100, min_weight=8)
    array([ 0,  0,  0, -1])
    """
    from sklearn.cluster import DBSCAN

    xy, weight = check_points(xy, weight)
    for name, value in (("radius_m", radius_m), ("min_weight", min_weight)):
        if not value > 0:
            raise InputError(f"`{name}` must be greater than 0. Got {value}.")
    if not weight.any():  # no weight, or no point at all
        return np.full(len(xy), -1, dtype=np.int64)
    order = np.lexsort((weight, xy[:, 1], xy[:, 0]))
    # DBSCAN counts to a whole number: one stands for `min_weight`, with room for rounding.
    share = weight[order] / min_weight * (1.0 + 1e-9)
    found = DBSCAN(eps=radius_m, min_samples=1).fit(xy[order], sample_weight=share).labels_
    label = np.empty(len(xy), dtype=np.int64)
    label[order] = _by_weight(found, weight[order])
    return label


def group_medoids(xy: np.ndarray, weight: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return for each group the point from which the group is nearest.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.
    weight
        Shape (n,), not negative.
    label
        Shape (n,), 0 … k-1, or -1 for points in no group.

    Returns
    -------
    numpy.ndarray
        Shape (k,), int64 positions in `xy`: the point of each group whose weighted sum of distances
        to the group's points is least; ties by x, then y. No point is ever invented.

    Raises
    ------
    InputError
        Shapes do not match, or a label between 0 and the highest has no point.

    Examples
    --------
    >>> xy = np.array([[0.0, 0], [10, 0], [30, 0]])
    >>> group_medoids(xy, np.ones(3), np.array([0, 0, 0]))
    array([1])
    """
    xy, weight = check_points(xy, weight)
    label = np.asarray(label)
    if label.shape != weight.shape:
        raise InputError(f"`label` must have shape {weight.shape}. Got {label.shape}.")
    groups = int(label.max()) + 1 if len(label) else 0
    order = np.lexsort((xy[:, 1], xy[:, 0], label))
    starts = np.searchsorted(label[order], np.arange(groups + 1))
    if (np.diff(starts) == 0).any():
        raise InputError("every label from 0 to the highest needs a point. Renumber the labels.")
    medoid = np.empty(groups, dtype=np.int64)
    for g in range(groups):
        member = order[starts[g] : starts[g + 1]]
        cost = _distance_sums(xy[member], weight[member])
        # Sums that differ by rounding only are ties.
        medoid[g] = member[np.flatnonzero(cost <= cost.min() * (1.0 + 1e-12))[0]]
    return medoid


def _distance_sums(xy: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return each point's weighted sum of distances to all; infinite where it cannot be least.

    The sum f is convex over the plane: f(p) >= f(q) + g·(p - q) with the slope g at any q. Of many
    points only those are measured that no such cut rules out.
    """
    from scipy.spatial.distance import cdist

    if len(xy) <= _FEW:
        return cdist(xy, xy) @ weight
    least, cost = np.zeros(len(xy)), np.full(len(xy), np.inf)
    total = weight.sum()
    k = int(np.argmin(((xy - weight @ xy / (total or 1.0)) ** 2).sum(1)))
    while not np.isfinite(cost[k]) and least[k] <= cost.min() * (1.0 + _SLACK):
        apart = xy[k] - xy
        far = np.hypot(*apart.T)
        cost[k] = cdist(xy[k : k + 1], xy)[0] @ weight
        slope = (weight / np.where(far > 0, far, 1.0)) @ apart
        np.maximum(least, cost[k] + (xy - xy[k]) @ slope, out=least)
        k = int(np.argmin(np.where(np.isfinite(cost), np.inf, least)))
    return cost


def _by_weight(found: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Renumber labels so that the heaviest group is 0; -1 stays."""
    groups = int(found.max()) + 1
    total = np.bincount(found[found >= 0], weights=weight[found >= 0], minlength=groups)
    rank = np.empty(groups + 1, dtype=np.int64)
    rank[np.argsort(-total, kind="stable")] = np.arange(groups)
    rank[-1] = -1
    return rank[found]


def check_points(xy: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as floats, or raise InputError."""
    xy, weight = np.asarray(xy, dtype=float), np.asarray(weight, dtype=float)
    if xy.ndim != 2 or xy.shape[1] != 2 or weight.shape != xy.shape[:1]:
        raise InputError(
            f"`xy` must have shape (n, 2) and `weight` (n,). Got {xy.shape} and {weight.shape}."
        )
    if not np.isfinite(xy).all() or not np.isfinite(weight).all() or (weight < 0).any():
        raise InputError("`xy` and `weight` must be finite, and no weight negative.")
    return xy, weight
