"""Compact dense groups: what is denser than usual, parted where it runs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.cluster.density import check_points, dense_groups, group_medoids

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY = 1.5  # times the median: what a group is at least (guess)
_WIDE = 2.0  # a group whose points lie over twice the radius from its middle is looked at closer
_STRICTER = 1.25  # how much denser the closer look asks for
_BLOCK = 5_000  # points whose surroundings are looked at together: bounds the memory


def compact_groups(xy: np.ndarray, weight: np.ndarray, *, radius_m: float) -> np.ndarray:
    """Label points by the compact dense group they belong to.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.
    weight
        Shape (n,), not negative; points without weight belong to no group and count for nothing.
    radius_m
        How far a point looks around, metres.

    Returns
    -------
    numpy.ndarray
        Shape (n,), int64: 0 for the heaviest group, 1 for the next, …; -1 in no group. Groups of
        equal weight come in the order of their medoids by x, then y. The order of the input does
        not matter.

    Raises
    ------
    InputError
        Shapes do not match, values are not finite, or `radius_m` is not greater than 0.

    Notes
    -----
    Weighted DBSCAN (Ester et al. 1996, see `dense_groups`). A point is a core point if the weight
    within `radius_m` reaches the upper quartile and 1.5 × the median of all points' surroundings.
    In a busy centre such groups run together over kilometres; a group with points over 2 `radius_m`
    from its medoid is therefore searched again, asking for a quarter more, until its peaks part or
    nothing denser is in it.

    Examples
    --------
    >>> xy = np.array([[0.0, 0], [50, 0], [900, 0], [1800, 0], [2700, 0]])
    >>> compact_groups(xy, np.array([9.0, 5, 2, 2, 0]), radius_m=100)
    array([ 0,  0, -1, -1, -1])
    """
    xy, weight = check_points(xy, weight)
    order = np.lexsort((weight, xy[:, 1], xy[:, 0]))
    order = order[weight[order] > 0]
    label = np.full(len(weight), -1, dtype=np.int64)
    if not order.size:
        return label
    place, load = xy[order], weight[order]
    around = weight_around(place, load, radius_m)
    groups = list(_split(place, load, np.arange(len(load)), radius_m, busy_weight(around)))
    rank = rank_groups(place, load, groups)
    for g, group in enumerate(groups):
        label[order[group]] = rank[g]
    return label


def rank_groups(xy: np.ndarray, weight: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Return the rank of each group of positions: by weight, then by the medoid's x and y."""
    key = []
    for g, group in enumerate(groups):
        label = np.zeros(len(group), dtype=np.int64)
        x, y = xy[group[group_medoids(xy[group], weight[group], label)[0]]]
        key.append((-float(weight[group].sum()), float(x), float(y), g))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[[g for *_, g in sorted(key)]] = np.arange(len(groups))
    return rank


def busy_weight(around: np.ndarray) -> float:
    """Return what the surroundings of a busy point weigh at least, of those of all points."""
    return float(max(np.quantile(around, 0.75), _BUSY * np.median(around)))


def weight_around(xy: np.ndarray, weight: np.ndarray, radius_m: float) -> np.ndarray:
    """Return the weight within the radius of each point, its own included."""
    from scipy.spatial import cKDTree

    everyone, around = cKDTree(xy), np.empty(len(xy))
    for k in range(0, len(xy), _BLOCK):
        some = cKDTree(xy[k : k + _BLOCK])
        pairs = some.sparse_distance_matrix(everyone, radius_m, output_type="ndarray")
        pairs = pairs[np.lexsort((pairs["j"], pairs["i"]))]
        around[k : k + some.n] = np.bincount(pairs["i"], weight[pairs["j"]], minlength=some.n)
    return around


def _split(
    xy: np.ndarray, weight: np.ndarray, member: np.ndarray, radius_m: float, needed: float
) -> Iterator[np.ndarray]:
    """Yield compact dense groups among the members, as positions."""
    label = dense_groups(xy[member], weight[member], radius_m=radius_m, min_weight=needed)
    middles = group_medoids(xy[member], weight[member], label)
    for g, middle in enumerate(middles):
        group = member[label == g]
        reach = np.hypot(*(xy[group] - xy[member[middle]]).T).max()
        parts: list[np.ndarray] = []
        if reach > _WIDE * radius_m:
            parts = list(_split(xy, weight, group, radius_m, needed * _STRICTER))
        yield from parts or [group]
