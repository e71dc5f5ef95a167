"""Parts of the choices of a covering problem, and what splits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.locate.problem import Cover

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation, Warm
    from planner.locate.covering.cuts import Sets

_ALONE = 0.45  # a candidate with this share is branched on alone


@dataclass
class Node:
    """A part of the choices: so many of these candidates, beside the fixed.

    Attributes
    ----------
    cover, weight
        What is left to cover, by whom.
    ids
        The candidates' columns in the whole problem.
    fixed
        Columns chosen already.
    most
        So many may still be chosen.
    base
        Weight that is settled; negative where a part of the choices carries a penalty.
    warm
        Where the bound's search begins.
    bound
        No choice of this part covers more.
    sets
        Whose cuts the bound takes in, if any.
    out, into
        bool per candidate: not in, or in every choice worth finding.
    """

    cover: Cover
    weight: np.ndarray
    ids: np.ndarray
    fixed: np.ndarray
    most: int
    base: int
    warm: Warm
    bound: int
    sets: Sets | None = None
    out: np.ndarray | None = None
    into: np.ndarray | None = None


def excluded(found: Relaxation, most: int, value: int, unit: int) -> tuple[np.ndarray, np.ndarray]:
    """Tell which candidates are in none, and which in every, choice worth more than `value`."""
    n = found.price.size
    if n <= most or not found.price.any():
        return np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    ordered = np.sort(found.price)[::-1]
    last, following = ordered[most - 1], ordered[most]
    # the bound was rounded down by less than a unit, the prices by less than one
    slack = found.bound + unit + 1 - (value + 1)
    return last - found.price > slack, found.price - following > slack


def alike(node: Node) -> np.ndarray:
    """Return candidates, sorted, that cover much the same and have about half a share together."""
    share, cover = node.warm.share, node.cover
    lead = int(np.argmax(share))
    if share[lead] >= _ALONE:
        return np.array([lead])
    common = np.zeros(share.size)
    mine = cover.client[cover.start[lead] : cover.start[lead + 1]]
    for i in mine:
        common[cover.candidate[cover.back[i] : cover.back[i + 1]]] += node.weight[i]
    sums = np.concatenate([[0.0], np.cumsum(node.weight[cover.client].astype(float))])
    mass = sums[cover.start[1:]] - sums[cover.start[:-1]]
    likeness = common / np.maximum(mass + mass[lead] - common, 1e-12)
    order = np.lexsort((np.arange(share.size), -likeness))
    enough = int(np.searchsorted(np.cumsum(share[order]), 0.5)) + 1
    return np.sort(order[: min(enough, share.size - 1)])


def with_client(cover: Cover, candidates: np.ndarray) -> Cover:
    """Add a last client that these candidates cover."""
    more = np.zeros(cover.start.size - 1, dtype=np.int64)
    more[candidates] = 1
    start = cover.start + np.concatenate([[0], np.cumsum(more)])
    client = np.full(start[-1], cover.back.size - 1, dtype=cover.client.dtype)
    own = np.ones(client.size, dtype=bool)
    own[start[1:][candidates] - 1] = False
    client[own] = cover.client
    back = np.append(cover.back, cover.back[-1] + candidates.size)
    return Cover(
        start, client, back, np.concatenate([cover.candidate, candidates]).astype(np.int32)
    )
