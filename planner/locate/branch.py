"""Prove a cover optimal, or nearly so, by a branch and bound whose nodes are presolved anew."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import working_seconds
from planner.locate.bounds import Warm, relax
from planner.locate.heuristics import covered_weight
from planner.locate.presolve import reduce
from planner.locate.problem import Cover, Limits

if TYPE_CHECKING:
    from planner.locate.bounds import Relaxation

# How far the search goes, in entries of cover touched: counted, not timed, so that every machine
# proves the same. Two or three seconds for each billion.
_WORK = 10e9
_NODE_WORK = 3e5  # what making a node is worth
_ENTRIES = 200_000_000  # kept in the open nodes together
_ROOT, _NODE = 2000, 250  # iterations of the bound
_ROUNDS = 6  # of fixing at the root
_CLOSE = 0.15
_ALONE = 0.45  # a candidate with this share is branched on alone


class Proved(NamedTuple):
    """The best choice found, a proven integer bound on all choices, and the work done."""

    chosen: np.ndarray
    bound: int
    work: float


@dataclass
class _Node:
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
    out: np.ndarray | None = None
    into: np.ndarray | None = None


def branch(
    cover: Cover,
    weight: np.ndarray,
    most: int,
    *,
    chosen: np.ndarray,
    relaxation: Relaxation,
    known: int = -1,
    gap: float = 0.0,
    before: int = 0,
    unit: int = 1,
    deadline: float = math.inf,
    work: float | None = None,
) -> Proved:
    """Improve a choice of `most` candidates and prove how good it is.

    Parameters
    ----------
    cover, weight, most
        The problem; nothing but the count limits it.
    chosen
        A good choice.
    relaxation
        Of the whole problem, from `planner.locate.bounds.relax`.
    known
        Only choices worth more than this are looked for; without one, `chosen` is returned.
    gap
        Choices that are better by no more than this, relative, need not be found.
    before
        Weight covered already, for the relative gap.
    unit
        Divides every weight.
    deadline
        `working_seconds()` at which to stop.
    work
        Entries to touch before it stops.

    Notes
    -----
    A node keeps the candidates that reduced costs do not exclude (Balas & Martin 1980), with
    clients merged and dominated candidates dropped again; its bound is the linear relaxation's from
    where its parent's ended. It is split by a set G of candidates that cover much the same and of
    which about half a one is chosen: none of G, or at least one. The latter is a further client
    that G covers, of weight W, with W taken off the objective: for choices that keep the rule this
    changes nothing, and the others it only lowers.
    """
    search = _Tree(cover, weight, chosen, known=known, gap=gap, before=before, unit=unit)
    warm = Warm(relaxation.share, relaxation.multiplier, relaxation.balance)
    everyone = np.arange(cover.start.size - 1)
    none = np.empty(0, dtype=np.int64)
    node = _Node(cover, weight, everyone, none, most, 0, warm, relaxation.bound)
    search.try_shares(node, relaxation.share)
    search.fix(node, relaxation)
    for _ in range(_ROUNDS):
        size = node.ids.size
        node = search.shrink(node)
        if not search.bounded(node, _ROOT, 0.02, deadline) or node.ids.size > 0.9 * size:
            break
    proved = search.run(node, _WORK if work is None else work, deadline)
    return proved._replace(bound=min(proved.bound, relaxation.bound))


class _Tree:
    """The best choice so far, what is enough, and the open nodes."""

    def __init__(
        self,
        cover: Cover,
        weight: np.ndarray,
        chosen: np.ndarray,
        *,
        known: int,
        gap: float,
        before: int,
        unit: int,
    ) -> None:
        self.cover, self.weight = cover, weight
        self.gap, self.before, self.unit = gap, before, unit
        self.touched, self.enough, self.value = 0.0, known, known
        self.chosen = chosen
        self.offer(chosen)

    def offer(self, columns: np.ndarray) -> None:
        """Take a choice if it is better."""
        value = covered_weight(self.cover, self.weight, columns)
        if value > self.value:
            self.value, self.chosen = value, np.sort(columns)
            room = math.floor((value + self.before) / (1.0 - self.gap)) - self.before
            self.enough = max(value, room)

    def try_shares(self, node: _Node, share: np.ndarray) -> None:
        """Round a relaxation's choice."""
        top = np.argsort(-share, kind="stable")[: node.most]
        self.offer(np.concatenate([node.fixed, node.ids[top]]))

    def bounded(self, node: _Node, iterations: int, close: float, deadline: float) -> bool:
        """Bound a node; tell whether it may hold a choice that is still worth finding."""
        if node.most < 0:  # more is forced than may be chosen: nothing here is worth finding
            return False
        if node.ids.size <= node.most or node.most == 0:
            self.offer(np.concatenate([node.fixed, node.ids[: node.most]]))
            settled = node.base + (int(node.weight.sum()) if node.most else 0)
            node.bound = min(node.bound, settled)
            return False
        limits = only_count(node.most, node.ids.size)
        found = relax(
            node.cover,
            node.weight,
            limits,
            target=self.value - node.base,
            warm=node.warm,
            unit=self.unit,
            iterations=iterations,
            close=close,
            deadline=deadline,
        )
        self.touched += 0.25 * iterations * (node.cover.client.size + node.weight.size)
        node.bound = min(node.bound, node.base + found.bound)
        node.warm = Warm(found.share, found.multiplier, found.balance)
        self.try_shares(node, found.share)
        self.fix(node, found)
        return node.bound > self.value

    def fix(self, node: _Node, found: Relaxation) -> None:
        """Mark what reduced costs exclude or force."""
        node.out, node.into = excluded(found, node.most, self.value - node.base, self.unit)

    def shrink(self, node: _Node) -> _Node:
        """Return the node without what is excluded or forced."""
        if node.out is None or node.into is None or not (node.out.any() or node.into.any()):
            return node
        forced = np.flatnonzero(node.into)
        return self.part(node, np.flatnonzero(~node.out & ~node.into), forced)

    def part(self, node: _Node, keep: np.ndarray, forced: np.ndarray) -> _Node:
        """Choose some candidates of a node for good, keep others, and presolve anew."""
        alive = np.ones(node.weight.size, dtype=np.bool_)
        for j in forced:
            alive[node.cover.client[node.cover.start[j] : node.cover.start[j + 1]]] = False
        return self._reduced(
            node,
            node.cover,
            node.weight,
            keep,
            alive,
            fixed=np.concatenate([node.fixed, node.ids[forced]]),
            base=node.base + int(node.weight[~alive].sum()),
        )

    def _reduced(
        self,
        node: _Node,
        cover: Cover,
        weight: np.ndarray,
        keep: np.ndarray,
        alive: np.ndarray,
        *,
        fixed: np.ndarray,
        base: int,
    ) -> _Node:
        small = reduce(cover, weight, keep, alive)
        inside = small.group >= 0
        multiplier = np.zeros(small.weight.size)
        given = node.warm.multiplier
        if given.size < small.group.size:  # the client that stands for a rule
            given = np.append(given, 0.05)
        multiplier[small.group[inside]] = given[inside]
        self.touched += 4.0 * cover.client.size + _NODE_WORK
        return _Node(
            small.cover,
            small.weight,
            node.ids[small.keep],
            fixed,
            node.most - (fixed.size - node.fixed.size),
            base,
            Warm(node.warm.share[small.keep], multiplier, node.warm.balance),
            node.bound,
        )

    def split(self, node: _Node) -> list[_Node]:
        """Return the choices with none, and those with at least one, of some like candidates."""
        likes = _alike(node)
        rest = np.setdiff1d(np.arange(node.ids.size), likes)
        none = self.part(node, rest, likes[:0])
        if likes.size == 1:
            return [none, self.part(node, rest, likes)]
        room = self.value // max(1, node.most + node.fixed.size) + 4 * (node.bound - self.value)
        penalty = -(-room // self.unit) * self.unit
        cover, weight = _with_client(node.cover, likes), np.append(node.weight, penalty)
        some = self._reduced(
            node,
            cover,
            weight,
            np.arange(node.ids.size),
            np.ones(weight.size, dtype=np.bool_),
            fixed=node.fixed,
            base=node.base - penalty,
        )
        return [none, some]

    def run(self, root: _Node, work: float, deadline: float) -> Proved:
        """Split the node of the highest bound until all are settled or the work is done."""
        heap: list[tuple[int, int, _Node]] = []
        if root.bound > self.value:
            heap.append((-root.bound, 0, root))
        made, entries = 1, root.cover.client.size
        while heap and -heap[0][0] > self.enough:
            if self.touched > work or entries > _ENTRIES or working_seconds() > deadline:
                break
            node = heapq.heappop(heap)[2]
            entries -= node.cover.client.size
            node = self.shrink(node)
            parts = self.split(node) if 0 < node.most < node.ids.size else [node]
            for part in parts:
                if self.bounded(part, _NODE, _CLOSE, deadline):
                    heapq.heappush(heap, (-part.bound, made, part))
                    entries += part.cover.client.size
                    made += 1
        bound = max(self.value, *(-item[0] for item in heap), 0)
        return Proved(self.chosen, bound, self.touched)


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


def only_count(most: int, n: int) -> Limits:
    """Return the limits of a problem that only counts."""
    none = np.zeros(n + 1, dtype=np.int64)
    return Limits(most, np.ones(n), float(most), none, none[:0])


def _alike(node: _Node) -> np.ndarray:
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


def _with_client(cover: Cover, candidates: np.ndarray) -> Cover:
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
