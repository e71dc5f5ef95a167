"""Groups of weighted points by one of several methods, each with parameters in metres."""

from __future__ import annotations

import numpy as np

from planner.cluster.compact import busy_weight, compact_groups, rank_groups, weight_around
from planner.cluster.density import check_points, group_medoids
from planner.errors import SettingsError, nearest_name

METHODS = ("auto", "dbscan", "hdbscan", "kmeans")
_MANY = 50_000  # points from which on `auto` takes k-means: DBSCAN holds all neighbours at once
_GRAINS = 8_000  # so many stand for all weight, at most one more a point
_MOST_GRAINS = 40_000  # HDBSCAN's time grows with their square
_LEAST = 5  # grains of a group, at least
_GOLDEN = np.pi * (3.0 - 5.0**0.5)  # the angle of a sunflower
_WIDTH = 4.0  # radii from one centre of k-means to the next at the start


def find_groups(
    xy: np.ndarray,
    weight: np.ndarray,
    *,
    radius_m: float,
    method: str = "auto",
    rng: int | np.random.Generator = 0,
) -> np.ndarray:
    """Label weighted points by the busy group they belong to.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.
    weight
        Shape (n,), not negative; points without weight belong to no group and count for nothing.
    radius_m
        How far a point looks around, metres.
    method
        ``dbscan``: compact dense groups, see `compact_groups`; ``hdbscan``: dense groups of any
        density; ``kmeans``: busy points shared out among centres; ``auto``: dbscan up to 50,000
        points with weight, kmeans above.
    rng
        Seed of the batches of k-means; the others draw nothing.

    Returns
    -------
    numpy.ndarray
        Shape (n,), int64: 0 for the heaviest group, 1 for the next, …; -1 in no group. The order of
        the input does not matter.

    Raises
    ------
    InputError
        Shapes do not match, values are not finite, or `radius_m` is not greater than 0.
    SettingsError
        The method is unknown, or there are too many points for ``hdbscan``.

    Notes
    -----
    A point is *busy* if the weight within `radius_m` reaches the upper quartile and 1.5 × the
    median of all points' surroundings.

    HDBSCAN (Campello, Moulavi & Sander 2013, *Density-based clustering based on hierarchical
    density estimates*) knows no weights: every point stands as so many grains as its weight is
    worth, 8,000 in all or one a point if that is more, spread over a sunflower (Vogel 1979) of a
    quarter of `radius_m` around it, so that a heavy point is a dense place. A point goes where most
    of its grains go. A group holds at least the weight that makes a point busy, and its medoid must
    be busy: the flat country is no group.

    MiniBatchKMeans (Sculley 2010, *Web-scale k-means clustering*) over the busy points, weighted,
    from one centre a square of four radii that holds any, at their weighted mean. The centres only
    share the points out: what stands for a group is its medoid, never a mean.

    Examples
    --------
    >>> xy = np.array([[0.0, 0], [50, 0], [900, 0], [1800, 0], [2700, 0]])
    >>> weight = np.array([9.0, 5, 2, 2, 0])
    >>> [find_groups(xy, weight, radius_m=100, method=m).tolist() for m in ("dbscan", "kmeans")]
    [[0, 0, -1, -1, -1], [0, 0, -1, -1, -1]]
    """
    if method not in METHODS:
        raise SettingsError(
            f"`cluster` knows {', '.join(METHODS)}. Got {method!r}.{nearest_name(method, METHODS)}"
        )
    xy, weight = check_points(xy, weight)
    order = np.lexsort((weight, xy[:, 1], xy[:, 0]))
    order = order[weight[order] > 0]
    if method == "auto":
        method = "kmeans" if order.size > _MANY else "dbscan"
    if method == "dbscan" or not (order.size and radius_m > 0):
        return compact_groups(xy, weight, radius_m=radius_m)
    place, load = xy[order], weight[order]
    around = weight_around(place, load, radius_m)
    if method == "hdbscan":
        found = _hdbscan(place, load, around, radius_m)
    else:
        found = _kmeans(place, load, around, radius_m, np.random.default_rng(rng))
    label = np.full(len(weight), -1, dtype=np.int64)
    label[order] = _ranked(place, load, found)
    return label


def _hdbscan(xy: np.ndarray, weight: np.ndarray, around: np.ndarray, radius_m: float) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    unit = float(weight.sum()) / max(_GRAINS, len(weight))
    count = np.maximum(1, np.rint(weight / unit)).astype(np.int64)
    if count.sum() > _MOST_GRAINS:
        raise SettingsError(
            f"`cluster` = hdbscan is for up to {_MOST_GRAINS // 2:,} places. Got {len(weight):,}. "
            "Take kmeans or auto, or a larger `demand.cell_m`."
        )
    owner = np.repeat(np.arange(len(weight)), count)
    needed = busy_weight(around)
    least = max(_LEAST, round(needed / unit))
    if len(owner) < least:
        return np.full(len(weight), -1, dtype=np.int64)
    grain = HDBSCAN(
        min_cluster_size=least, min_samples=_LEAST, cluster_selection_method="leaf", copy=True
    ).fit_predict(_grains(xy, count, radius_m / 4.0))
    found = _renumber(_majority(owner, grain, len(weight)))
    quiet = around[group_medoids(xy, weight, found)] < needed
    return np.where(found >= 0, np.where(np.append(quiet, True)[found], -1, found), -1)


def _grains(xy: np.ndarray, count: np.ndarray, radius_m: float) -> np.ndarray:
    """Spread each point's grains evenly over a disc around it."""
    nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    far = radius_m * np.sqrt(nth / np.repeat(count, count))
    turn = nth * _GOLDEN
    return np.repeat(xy, count, axis=0) + far[:, None] * np.column_stack(
        [np.cos(turn), np.sin(turn)]
    )


def _majority(owner: np.ndarray, label: np.ndarray, n: int) -> np.ndarray:
    """Return for each owner the label most of its grains have; the smallest at a tie."""
    pairs, votes = np.unique(np.column_stack([owner, label]), axis=0, return_counts=True)
    order = np.lexsort((-pairs[:, 1], votes, pairs[:, 0]))
    most = np.empty(n, dtype=np.int64)
    most[pairs[order, 0]] = pairs[order, 1]  # the last written of an owner is its largest
    return most


def _kmeans(
    xy: np.ndarray,
    weight: np.ndarray,
    around: np.ndarray,
    radius_m: float,
    rng: np.random.Generator,
) -> np.ndarray:
    from sklearn.cluster import MiniBatchKMeans

    found = np.full(len(weight), -1, dtype=np.int64)
    busy = np.flatnonzero(around >= busy_weight(around))
    if not busy.size:
        return found
    square = np.floor(xy[busy] / (_WIDTH * radius_m)).astype(np.int64)
    _, home = np.unique(square, axis=0, return_inverse=True)
    mass = np.bincount(home.ravel(), weight[busy])
    start = np.column_stack(
        [np.bincount(home.ravel(), weight[busy] * xy[busy, k]) / mass for k in range(2)]
    )
    middle = xy[busy].mean(axis=0)  # coordinates of a city lose digits to their own size
    model = MiniBatchKMeans(
        n_clusters=len(start), init=start - middle, n_init=1, batch_size=max(1024, len(start)),
        random_state=int(rng.integers(2**31)), reassignment_ratio=0.0,
    )  # fmt: skip
    label = model.fit(xy[busy] - middle, sample_weight=weight[busy]).labels_
    found[busy] = _renumber(np.asarray(label, dtype=np.int64))
    return found


def _renumber(label: np.ndarray) -> np.ndarray:
    """Return labels counted from 0 on without gaps; -1 stays."""
    there = np.unique(label[label >= 0])
    return np.where(label >= 0, np.searchsorted(there, label), -1)


def _ranked(xy: np.ndarray, weight: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return labels counted by falling weight, then by the medoid's place."""
    found = _renumber(found)
    members = [np.flatnonzero(found == g) for g in range(int(found.max(initial=-1)) + 1)]
    rank = np.append(rank_groups(xy, weight, members), -1)
    return rank[found]
