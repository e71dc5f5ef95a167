"""Prove how good a cover is, by whatever suits its limits and its size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from planner.compiled import working_seconds
from planner.locate.branch import branch, excluded
from planner.locate.cuts import tighten
from planner.locate.exact import make_kernel, prove
from planner.locate.heuristics import covered_weight
from planner.locate.order import place_candidates
from planner.locate.windows import improve

if TYPE_CHECKING:
    import numpy as np

    from planner.locate.bounds import Relaxation
    from planner.locate.problem import Cover, Limits

# Where prices exclude less than this share of the candidates, branching alone would take too long;
# it is then cut short if there are more than a few clients.
_MANY, _FEW = 0.4, 2000
# Entries to touch: some five seconds, and twelve; then a tenth of branching's own, or all of it.
_WINDOW_WORK, _CUT_WORK, _LITTLE = 2e9, 1e9, 1e9


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
    hard = _hard(relaxation, limits, stake)
    if hard:
        chosen = improve(
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
        value = stake.before + covered_weight(cover, weight, chosen)
        stake = stake._replace(value=value, enough=math.floor(value / (1.0 - stake.gap)))
        relaxation = tighten(
            cover,
            weight,
            limits.most,
            relaxation=relaxation,
            target=stake.enough - stake.before,
            rng=stake.rng,
            unit=stake.unit,
            work=_CUT_WORK,
            deadline=stake.deadline,
        )
    hopeless = hard and weight.size > _FEW and _hard(relaxation, limits, stake)
    proved = branch(
        cover,
        weight,
        limits.most,
        chosen=chosen,
        relaxation=relaxation,
        gap=stake.gap,
        before=stake.before,
        unit=stake.unit,
        work=_LITTLE if hopeless else None,
        deadline=stake.deadline,
    )
    return proved.chosen, min(relaxation.bound, proved.bound)


def _hard(relaxation: Relaxation, limits: Limits, stake: Stake) -> bool:
    """Tell whether prices leave more to branch on than can be settled soon."""
    gone = excluded(relaxation, limits.most, stake.value - stake.before, stake.unit)[0]
    return bool(gone.mean() < _MANY)


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
