"""Prove a cover optimal, or nearly so, by a branch and bound whose nodes are presolved anew."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.cuts import carry
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.nodes import Node, alike, excluded, with_client
from planner.locate.covering.presolve import reduce
from planner.locate.covering.tighten import tighten
from planner.locate.problem import Limits

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

# How far the search goes, in entries of cover touched: counted, not timed, so that every machine
# proves the same. Two or three seconds for each billion.
WORK = 10e9
_NODE_WORK = 3e5  # what making a node is worth
_ENTRIES = 200_000_000  # kept in the open nodes together
_ROOT, _NODE = 2000, 250  # iterations of the bound
_ROUNDS = 6  # of fixing at the root
_CLOSE = 0.15
_CUT_ROUNDS, _NODE_ROUNDS = 4, 1  # of cuts, between looks at the root and at other nodes
_CUT_STEPS, _NODE_STEPS = 200, 500  # iterations after each
_PATIENCE, _GAIN = 3, 0.01  # looks without this share of the gap closed end the search for cuts
_WORTH = 0.15  # share of candidates worth a new presolve


class Proved(NamedTuple):
    """The best choice found, a proven integer bound on all choices, and the work done."""

    chosen: np.ndarray
    bound: int
    work: float


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
        Of the whole problem, from `planner.locate.covering.bounds.relax`.
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
    tree = Tree(cover, weight, chosen, known=known, gap=gap, before=before, unit=unit)
    node = tree.root(most, relaxation, deadline)
    return tree.run(node, WORK if work is None else work, deadline)


class Tree:
    """The best choice so far, what is enough, and ways to bound and to split parts of the choices.

    Parameters are those of `branch`; `rng` draws the walks that find cuts.
    """

    def __init__(
        self,
        cover: Cover,
        weight: np.ndarray,
        chosen: np.ndarray,
        *,
        known: int = -1,
        gap: float = 0.0,
        before: int = 0,
        unit: int = 1,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.cover, self.weight = cover, weight
        self.rng = np.random.default_rng(0) if rng is None else rng
        self.gap, self.before, self.unit = gap, before, unit
        self.touched, self.enough, self.value = 0.0, known, known
        self.chosen = chosen
        self.offer(chosen)

    def root(self, most: int, relaxation: Relaxation, deadline: float) -> Node:
        """Return all choices as a node, without what the relaxation excludes again and again."""
        warm = Warm(relaxation.share, relaxation.multiplier, relaxation.balance)
        everyone, none = np.arange(self.cover.start.size - 1), np.empty(0, dtype=np.int64)
        node = Node(self.cover, self.weight, everyone, none, most, 0, warm, relaxation.bound)
        self.try_shares(node, relaxation.share)
        self.fix(node, relaxation)
        for _ in range(_ROUNDS):
            size = node.ids.size
            node = self.shrink(node)
            if node.ids.size > 0.9 * size and size == everyone.size:
                break
            if not self.bounded(node, _ROOT, 0.02, deadline) or node.ids.size > 0.9 * size:
                break
        return node

    def lower(self, node: Node, work: float, deadline: float) -> Node:
        """Lower a node's bound by cuts until little comes of it, without what that excludes."""
        until, stale = self.touched + work, 0
        while node.bound > self.enough and stale < _PATIENCE:
            if self.touched > until or working_seconds() > deadline:
                break
            if not 0 < node.most < node.ids.size:
                self.bounded(node, _ROOT, 0.02, deadline)
                break
            before = node.bound
            added = self.cut(node, _CUT_ROUNDS, _CUT_STEPS, deadline, until - self.touched)
            self.polish(node)
            gained = before - node.bound > _GAIN * (before - self.enough)
            stale = 0 if added and gained else stale + 1
            if self.gone(node) > _WORTH:
                node = self.shrink(node)
        return node

    def gone(self, node: Node) -> float:
        """Share of a node's candidates that are excluded or forced."""
        if node.out is None or node.into is None:
            return 0.0
        return float((node.out | node.into).mean())

    def polish(self, node: Node) -> None:
        """Round a relaxation's choice and swap."""
        top = np.argsort(-node.warm.share, kind="stable")[: node.most]
        limits = only_count(node.most, node.ids.size)
        better = search(node.cover, node.weight, limits, rng=self.rng, coolings=0, start=top)
        self.offer(np.concatenate([node.fixed, node.ids[better]]))

    def offer(self, columns: np.ndarray) -> None:
        """Take a choice if it is better."""
        value = covered_weight(self.cover, self.weight, columns)
        if value > self.value:
            self.value, self.chosen = value, np.sort(columns)
            room = math.floor((value + self.before) / (1.0 - self.gap)) - self.before
            self.enough = max(value, room)

    def try_shares(self, node: Node, share: np.ndarray) -> None:
        """Round a relaxation's choice."""
        top = np.argsort(-share, kind="stable")[: node.most]
        self.offer(np.concatenate([node.fixed, node.ids[top]]))

    def bounded(self, node: Node, iterations: int, close: float, deadline: float) -> bool:
        """Bound a node; tell whether it may hold a choice that is still worth finding."""
        if node.most < 0:  # more is forced than may be chosen: nothing here is worth finding
            node.bound = min(node.bound, self.value)
            return False
        if node.ids.size <= node.most or node.most == 0:
            self.offer(np.concatenate([node.fixed, node.ids[: node.most]]))
            settled = node.base + (int(node.weight.sum()) if node.most else 0)
            node.bound = min(node.bound, settled)
            return False
        if node.sets is not None:
            self.cut(node, _NODE_ROUNDS, _NODE_STEPS, deadline)
            return node.bound > self.value
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

    def cut(
        self, node: Node, rounds: int, steps: int, deadline: float, work: float = math.inf
    ) -> bool:
        """Bound a node by cuts; tell whether more of them may still do something."""
        found = tighten(
            node.cover,
            node.weight,
            node.most,
            warm=node.warm,
            target=self.value - node.base,
            rng=self.rng,
            sets=node.sets,
            unit=self.unit,
            rounds=rounds,
            steps=steps,
            work=work,
            deadline=deadline,
        )
        self.touched += found.work
        relaxed, node.sets = found.relaxation, found.sets
        node.bound = min(node.bound, node.base + relaxed.bound)
        node.warm = Warm(relaxed.share, relaxed.multiplier, relaxed.balance)
        self.try_shares(node, relaxed.share)
        self.fix(node, relaxed)
        return found.added > 0

    def fix(self, node: Node, found: Relaxation) -> None:
        """Mark what reduced costs exclude or force."""
        node.out, node.into = excluded(found, node.most, self.value - node.base, self.unit)

    def shrink(self, node: Node) -> Node:
        """Return the node without what is excluded or forced."""
        if node.out is None or node.into is None or not (node.out.any() or node.into.any()):
            return node
        forced = np.flatnonzero(node.into)
        return self.part(node, np.flatnonzero(~node.out & ~node.into), forced)

    def part(self, node: Node, keep: np.ndarray, forced: np.ndarray) -> Node:
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
        node: Node,
        cover: Cover,
        weight: np.ndarray,
        keep: np.ndarray,
        alive: np.ndarray,
        *,
        fixed: np.ndarray,
        base: int,
    ) -> Node:
        small = reduce(cover, weight, keep, alive)
        inside = small.group >= 0
        multiplier = np.zeros(small.weight.size)
        given = node.warm.multiplier
        if given.size < small.group.size:  # the client that stands for a rule
            given = np.append(given, 0.05)
        multiplier[small.group[inside]] = given[inside]
        sets = node.sets
        if sets is not None:
            sets = carry(sets, weight.astype(float), small.group, small.weight.size)
        self.touched += 4.0 * cover.client.size + _NODE_WORK
        return Node(
            small.cover,
            small.weight,
            node.ids[small.keep],
            fixed,
            node.most - (fixed.size - node.fixed.size),
            base,
            Warm(node.warm.share[small.keep], multiplier, node.warm.balance),
            node.bound,
            sets,
        )

    def split(self, node: Node) -> list[Node]:
        """Return the choices with none, and those with at least one, of some like candidates."""
        likes = alike(node)
        rest = np.setdiff1d(np.arange(node.ids.size), likes)
        none = self.part(node, rest, likes[:0])
        if likes.size == 1:
            return [none, self.part(node, rest, likes)]
        room = self.value // max(1, node.most + node.fixed.size) + 4 * (node.bound - self.value)
        penalty = -(-room // self.unit) * self.unit
        cover, weight = with_client(node.cover, likes), np.append(node.weight, penalty)
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

    def run(self, root: Node, work: float, deadline: float) -> Proved:
        """Split the node of the highest bound until all are settled or the work is done."""
        heap: list[tuple[int, int, Node]] = []
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


def only_count(most: int, n: int) -> Limits:
    """Return the limits of a problem that only counts."""
    none = np.zeros(n + 1, dtype=np.int64)
    return Limits(most, np.ones(n), float(most), none, none[:0])
