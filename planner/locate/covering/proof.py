"""Prove how good a cover is, by whatever suits its limits and its size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from planner.compiled import working_seconds
from planner.locate.covering.branch import WORK, Tree
from planner.locate.covering.exact import make_kernel, prove
from planner.locate.covering.order import place_candidates
from planner.locate.covering.windows import improve

if TYPE_CHECKING:
    import numpy as np

    from planner.locate.covering.bounds import Relaxation
    from planner.locate.covering.nodes import Node
    from planner.locate.problem import Cover, Limits

# Where more than this share of the candidates is left, branching alone would take too long; it is
# then cut short if there are more than a few clients.
_MANY, _FEW = 0.6, 2000
_LARGE = 1_000_000  # entries of cover from which a better choice is worth more than early cuts
# Entries to touch: for a first try, for cuts before and after windows and for these (some five
# seconds for two billion); then a tenth of branching's own, or all of it.
_SOON, _CUT_WORK, _WINDOW_WORK, _MORE_CUT_WORK, _LITTLE = 6e7, 1e9, 2e9, 8e9, 1e9
# How often a choice is annealed before anything is proven, and again under costs or conflicts.
FIRST_COOLINGS, MORE_COOLINGS = 1, 3


class Stake(NamedTuple):
    """What a proof is after: weight covered before, the value to beat, what is enough; hints."""

    before: int
    value: int
    enough: int
    unit: int
    gap: float
    deadline: float
    rng: np.random.Generator
    xy: np.ndarray | None


def prove_count(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    chosen: np.ndarray,
    relaxation: Relaxation,
    stake: Stake,
) -> tuple[np.ndarray, int]:
    """Branch; where prices exclude too little for that, better the choice and the bound before."""
    tree = Tree(cover, weight, chosen, gap=stake.gap, before=stake.before, unit=stake.unit,
                rng=stake.rng)  # fmt: skip
    node = tree.root(limits.most, relaxation, stake.deadline)
    if not _many(node, cover):
        proved = tree.run(node, _SOON, stake.deadline)
        if proved.bound <= tree.enough:
            return proved.chosen, min(relaxation.bound, proved.bound)
        node.bound = min(node.bound, proved.bound)
    large = cover.client.size > _LARGE
    if not large:
        node = tree.lower(node, _CUT_WORK, stake.deadline)
    many = _many(node, cover)
    if node.bound > tree.enough and (many or large):
        if not many:
            tree.offer(_better(cover, weight, tree.chosen, relaxation, stake))
        node = tree.lower(node, _MORE_CUT_WORK, stake.deadline)
    proved = tree.run(node, _LITTLE if _many(node, cover) else WORK, stake.deadline)
    if proved.bound > tree.enough and not (many or large):
        tree.offer(_better(cover, weight, tree.chosen, relaxation, stake))
    return tree.chosen, max(tree.value, min(relaxation.bound, proved.bound))


def _better(
    cover: Cover,
    weight: np.ndarray,
    chosen: np.ndarray,
    relaxation: Relaxation,
    stake: Stake,
) -> np.ndarray:
    """Search further for a choice, where bounds alone will not settle it soon."""
    if working_seconds() > stake.deadline:
        return chosen
    return improve(
        cover,
        weight,
        chosen=chosen,
        relaxation=relaxation,
        points=place_candidates(cover, stake.xy),
        rng=stake.rng,
        unit=stake.unit,
        work=_WINDOW_WORK,
        deadline=stake.deadline,
    )


def _many(node: Node, cover: Cover) -> bool:
    """Tell whether there is more left to branch on than can be settled soon."""
    left = node.ids.size - (0 if node.out is None else int(node.out.sum()))
    return left > _MANY * (cover.start.size - 1) and node.weight.size > _FEW


def prove_limits(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    chosen: np.ndarray,
    relaxation: Relaxation,
    stake: Stake,
) -> tuple[np.ndarray, int]:
    """Lower the bound by HiGHS on what reduced costs do not exclude."""
    near = max(stake.value, math.floor(stake.value / (1.0 - 0.5 * stake.gap))) - stake.before
    kernel = make_kernel(cover, weight, limits, relaxation, chosen, enough=near, unit=stake.unit)
    proof = prove(
        kernel,
        chosen,
        unit=stake.unit,
        abs_gap=max(0.0, 0.9 * (stake.enough - stake.value)),
        time_limit_s=max(1e-3, stake.deadline - working_seconds()),
    )
    return proof.chosen, min(relaxation.bound, proof.bound)
