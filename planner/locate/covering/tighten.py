"""Bounds under the linear relaxation's: zero-half cuts, priced in as further multipliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import working_seconds
from planner.locate.covering.bounds import Relaxation, Warm
from planner.locate.covering.cuts import Sets, certify, make_cuts, no_sets, upper
from planner.locate.covering.halpern import Point, Steps
from planner.locate.covering.order import make_runs
from planner.locate.covering.separate import find_sets, find_support, pick_sets
from planner.locate.covering.sums import spread

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_SIZES = {3: 1, 5: 3}  # clients of a cut, and how often each of them is changed for the best
_TRIALS, _FEWEST, _MOST = 0.25, 500, 8000  # sets that are tried a client; at least, at most
_CHUNK = 25  # iterations between looks
_BALANCE = 0.3  # what each round begins with
_LEAST = 0.002  # cuts that gain less than this share of a mean client are not worth a multiplier
_DROP = 1e-4  # nor are those whose multiplier has fallen to this


class Tight(NamedTuple):
    """A bound, the sets of clients whose cuts prove it, and the work done.

    Attributes
    ----------
    relaxation
        Its `share` and `multiplier` are where a further search begins.
    sets
        With their multipliers.
    work
        Entries touched.
    added
        Sets found in the last round.
    """

    relaxation: Relaxation
    sets: Sets
    work: float
    added: int


def tighten(
    cover: Cover,
    weight: np.ndarray,
    most: int,
    *,
    warm: Warm,
    target: int,
    rng: np.random.Generator,
    sets: Sets | None = None,
    unit: int = 1,
    rounds: int = 4,
    steps: int = 200,
    work: float = math.inf,
    deadline: float = math.inf,
) -> Tight:
    """Bound a covering problem by its linear relaxation with cuts.

    Parameters
    ----------
    cover, weight, most
        The problem; nothing but the count limits it, and there are more candidates than that.
    warm
        Where the search begins: from `planner.locate.covering.bounds`, or from the last search.
    target
        Stop once the bound is at most this.
    sets
        Known already, with their multipliers.
    rounds, steps
        How often cuts are looked for, and the iterations that follow.
    work
        Entries to touch before it stops.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    For an odd set C of clients, adding up half of every y_i ≤ Σ_j a_ij x_j and half of every
    y_i ≤ 1, and rounding, gives the zero-half inequality (Caprara & Fischetti 1996,
    "{0, 1/2}-Chvátal-Gomory cuts")

        Σ_{i in C} y_i - Σ_j ⌈|C ∩ N_j| / 2⌉ x_j ≤ (|C| - 1) / 2,

    where N_j are the clients of j. With multipliers μ_c ≥ 0 of the cuts and u_i ≥ 0 of the clients,
    and q_i the sum of μ_c over the cuts that hold i, no choice of p candidates covers more than

        Σ_c μ_c (|C| - 1) / 2 + Σ_i max(0, w_i - u_i - q_i) + the p largest of
        Σ_i a_ij u_i + Σ_c μ_c ⌈|C ∩ N_j| / 2⌉,

    told in integers.
    """
    search = _Search(cover, weight, most, warm, sets)
    best, added = None, 0
    for _ in range(rounds):
        added = search.separate(rng)
        found = search.advance(steps, target, unit, deadline)
        if best is None or found.bound < best.bound:
            best = found
        if best.bound <= target or search.work > work or working_seconds() > deadline:
            break
    assert best is not None
    last = best._replace(share=search.at.x, multiplier=search.at.s)
    return Tight(last, search.sets(), search.work, added)


class _Search:
    """Cuts found so far, and where the iterates stand."""

    def __init__(
        self, cover: Cover, weight: np.ndarray, most: int, warm: Warm, sets: Sets | None
    ) -> None:
        self.cover, self.runs, self.whole, self.most = cover, make_runs(cover), weight, most
        self.weight, self.work = weight.astype(float), 0.0
        if sets is None:
            times = np.empty(weight.size)
            spread(self.runs, warm.share, times)
            sets = no_sets(np.minimum(1.0, times))
        self.cuts = make_cuts(cover, self.weight, sets.member, sets.size)
        t = sets.value / self.cuts.scale
        self.at = Point(warm.share, sets.served, warm.multiplier, t)

    def separate(self, rng: np.random.Generator) -> int:
        """Drop cuts without a multiplier and look for new ones; return how many were added."""
        m = self.weight.size
        support = find_support(self.cover, self.at.x, self.at.y, self.weight)
        least = _LEAST * float(self.weight.sum()) / m
        trials = min(_MOST, max(_FEWEST, int(_TRIALS * m)))
        sets, sizes, gains = [], [], []
        for size, sweeps in _SIZES.items():
            found, gain, work = find_sets(support, size, trials, sweeps, least, rng)
            sets.append(found)
            sizes.append(np.full(gain.size, size))
            gains.append(gain)
            self.work += 2.0 * work + 100.0 * trials
        member, wide = np.concatenate(sets), np.concatenate(sizes)
        order = np.argsort(-np.concatenate(gains), kind="stable")
        old = self.at.t > _DROP
        kept = self.cuts.member[old]
        picked = pick_sets(kept, member[order], wide[order], m)
        member = np.concatenate([kept, member[order][picked]])
        wide = np.concatenate([self.cuts.size[old], wide[order][picked]])
        t = np.concatenate([self.at.t[old], np.zeros(picked.size)])
        self.at = self.at._replace(t=t)
        self.cuts = make_cuts(self.cover, self.weight, member, wide)
        return int(picked.size)

    def advance(self, count: int, target: int, unit: int, deadline: float) -> Relaxation:
        """Take steps; return the integer bound at the best multipliers met, and its prices."""
        steps = Steps(self.runs, self.cuts, self.weight, self.most, self.at, _BALANCE)
        lowest, s, t = math.inf, self.at.s, self.at.t
        while steps.taken < count:
            steps.advance(_CHUNK)
            value = upper(self.runs, self.cuts, self.weight, steps.now.s, steps.now.t, self.most)
            if value < lowest:
                lowest, s, t = value, steps.now.s.copy(), steps.now.t.copy()
            if value < target + 1 or working_seconds() > deadline:
                break
        self.work += steps.taken * (
            2.0 * self.runs.first.size + 4.0 * self.weight.size + 2.0 * self.cuts.factor.size
        )
        self.at = Point(steps.now.x, steps.now.y, s, t)
        bound, price = certify(self.runs, self.cuts, self.whole, s, t, self.most)
        return Relaxation(bound // unit * unit, price, self.at.x, s, steps.balance, -math.inf)

    def sets(self) -> Sets:
        """Return the cuts that carry a multiplier."""
        held = self.at.t > _DROP
        value = (self.at.t * self.cuts.scale)[held]
        return Sets(self.cuts.member[held], self.cuts.size[held], value, self.at.y)
