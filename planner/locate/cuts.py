"""Bounds under the linear relaxation's: zero-half cuts, priced in as further multipliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds
from planner.locate.bounds import Relaxation, collect, collect_whole, project, spread
from planner.locate.order import make_runs
from planner.locate.separate import find_sets, find_support, pick_sets

if TYPE_CHECKING:
    from planner.locate.order import Runs
    from planner.locate.problem import Cover

_SIZES = (3, 5)  # clients of a cut
_WIDE = 5
_FINEST, _WIDEST = 20, 60
_CHUNK, _STEPS = 25, 300  # iterations between looks, and between rounds of cuts
_LEAST = 0.002  # cuts that gain less than this share of a mean client are not worth a multiplier
_PATIENCE, _GAIN = 5, 0.01  # rounds without this share of the gap closed end the search


class Cuts(NamedTuple):
    """Some cuts; a plain tuple so that numba takes it.

    Attributes
    ----------
    member, size
        Cut c holds the clients ``member[c, : size[c]]``, sorted.
    scale
        Least weight among its clients: a multiplier of 1 is worth this.
    start, candidate, factor
        ⌈half of its clients⌉ that each candidate covers, where there are any.
    """

    member: np.ndarray
    size: np.ndarray
    scale: np.ndarray
    start: np.ndarray
    candidate: np.ndarray
    factor: np.ndarray


def tighten(
    cover: Cover,
    weight: np.ndarray,
    most: int,
    *,
    relaxation: Relaxation,
    target: int,
    rng: np.random.Generator,
    unit: int = 1,
    work: float = math.inf,
    deadline: float = math.inf,
) -> Relaxation:
    """Lower the bound of a covering problem by cuts; never returns a higher one.

    Parameters
    ----------
    cover, weight, most
        The problem; nothing but the count limits it.
    relaxation
        From `planner.locate.bounds.relax`.
    target
        Stop once the bound is at most this.
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

    told in integers. The sets are found by random walks over the relaxation's choice.
    """
    search = _Search(cover, weight, most, relaxation)
    best, stale = relaxation, 0
    for _ in range(10_000):
        added = search.separate(rng)
        bound = search.advance(deadline) // unit * unit
        gained = best.bound - bound
        if gained > 0:
            best = Relaxation(
                bound,
                search.price,
                search.x.copy(),
                search.multiplier(),
                relaxation.balance,
                relaxation.reached,
            )
        stale = 0 if gained > _GAIN * max(1, best.bound - target) else stale + 1
        if best.bound <= target or stale >= _PATIENCE or added == 0:
            break
        if search.touched > work or working_seconds() > deadline:
            break
    return best


class _Search:
    """Cuts found so far, and primal-dual iterates over candidates, clients and cuts."""

    def __init__(self, cover: Cover, weight: np.ndarray, most: int, relaxation: Relaxation) -> None:
        self.cover, self.runs, self.whole, self.most = cover, make_runs(cover), weight, most
        self.weight = weight.astype(float)
        self.degree = np.diff(cover.back).astype(float)
        self.mass = np.empty(cover.start.size - 1)
        collect(self.runs, self.weight, self.mass)
        self.mass = np.maximum(self.mass, 1e-12)
        self.x, self.s = relaxation.share.copy(), relaxation.multiplier.copy()
        times = np.empty(weight.size)
        spread(self.runs, self.x, times)
        self.y = np.minimum(1.0, times)
        self.t = np.empty(0)
        self.balance, self.touched = 0.5 * relaxation.balance, 0.0
        self.price = relaxation.price
        self.best_s, self.best_t = self.s, self.t
        self.cuts = _make_cuts(
            cover, self.weight, np.empty((0, _WIDE), np.int64), np.empty(0, np.int64)
        )

    def separate(self, rng: np.random.Generator) -> int:
        """Drop cuts without a multiplier and look for new ones; return how many were added."""
        m = self.weight.size
        support = find_support(self.cover, self.x, 2e-4)
        least = _LEAST * float(self.weight.sum()) / m
        sets, sizes, gains = [], [], []
        for size in _SIZES:
            trials = int(min(300_000, 8 * m)) // (1 if size == _SIZES[0] else 4)
            found, gain = find_sets(
                *support, self.cover, self.x, self.y, self.weight, size, trials, least, rng
            )
            sets.append(found)
            sizes.append(np.full(gain.size, size))
            gains.append(gain)
            self.touched += 100.0 * trials
        member, wide = np.concatenate(sets), np.concatenate(sizes)
        order = np.argsort(-np.concatenate(gains), kind="stable")
        old = self.t > 1e-4
        kept = self.cuts.member[old]
        picked = pick_sets(kept, member[order], wide[order], m)
        member = np.concatenate([kept, member[order][picked]])
        wide = np.concatenate([self.cuts.size[old], wide[order][picked]])
        self.t = np.concatenate([self.t[old], np.zeros(picked.size)])
        self.cuts = _make_cuts(self.cover, self.weight, member, wide)
        return int(picked.size)

    def advance(self, deadline: float) -> int:
        """Take a round of steps; return the integer bound at the best multipliers."""
        state = (self.x, self.y, self.s, self.t)
        sums = tuple(np.zeros_like(v) for v in state)
        origin = tuple(v.copy() for v in state)
        norms = _norms(self.cuts, self.weight, self.degree, self.mass)
        upper, since, restart = math.inf, 0, 2 * _CHUNK
        for done in range(_CHUNK, _STEPS + 1, _CHUNK):
            _iterate(
                self.runs, self.cuts, self.weight, norms, self.most, *state, *sums, self.balance,
                _CHUNK,
            )  # fmt: skip
            self.touched += _CHUNK * (
                2.0 * self.runs.first.size + 4.0 * self.weight.size + 2.0 * self.cuts.factor.size
            )
            since += _CHUNK
            means = tuple(v / since for v in sums)
            for s, t in ((self.s, self.t), means[2:]):
                value = _upper(self.runs, self.cuts, self.weight, s, t, self.most)
                if value < upper:
                    upper, self.best_s, self.best_t = value, s.copy(), t.copy()
            if done >= restart:
                for v, mean in zip(state, means, strict=True):
                    v[:] = mean
                self._rebalance(norms, state, origin)
                origin = tuple(v.copy() for v in state)
                for v in sums:
                    v[:] = 0.0
                since, restart = 0, done + max(2 * _CHUNK, done // 2)
            if working_seconds() > deadline:
                break
        if since:
            self.x[:], self.y[:] = sums[0] / since, sums[1] / since
        self.s, self.t = self.best_s.copy(), self.best_t.copy()
        bound, self.price = _certify(
            self.runs, self.cuts, self.whole, self.best_s, self.best_t, self.most
        )
        return bound

    def multiplier(self) -> np.ndarray:
        """Return the best multipliers of the clients, as shares of their weight."""
        return np.clip(self.best_s, 0.0, 1.0)

    def _rebalance(
        self,
        norms: tuple[np.ndarray, ...],
        state: tuple[np.ndarray, ...],
        origin: tuple[np.ndarray, ...],
    ) -> None:
        moved = [
            float(((a - b) ** 2 * norm).sum())
            for a, b, norm in zip(state, origin, norms, strict=True)
        ]
        primal, dual = moved[0] + moved[1], moved[2] + moved[3]
        if primal > 1e-12 and dual > 1e-12:
            self.balance = math.sqrt(self.balance * math.sqrt(primal / dual))


def _make_cuts(cover: Cover, weight: np.ndarray, member: np.ndarray, size: np.ndarray) -> Cuts:
    start, candidate, factor = _coefficients(cover, member, size)
    scale = np.full(size.size, np.inf)
    for k in range(_WIDE):
        inside = k < size
        scale[inside] = np.minimum(scale[inside], weight[member[inside, k]])
    return Cuts(member, size, scale, start, candidate, factor)


def _norms(
    cuts: Cuts, weight: np.ndarray, degree: np.ndarray, mass: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Row and column sums of all that couples candidates, clients and cuts: the step sizes."""
    x, y, t = mass.copy(), weight.copy(), cuts.size.astype(float)
    _add_norms(cuts, x, y, t)
    return x, y, weight * (1.0 + degree), cuts.scale * t


def _certify(  # noqa: PLR0917
    runs: Runs, cuts: Cuts, weight: np.ndarray, s: np.ndarray, t: np.ndarray, most: int
) -> tuple[int, np.ndarray]:
    """Bound at some multipliers, in integers, and each candidate's price."""
    value = np.maximum(t, 0.0) * cuts.scale
    # no price is above all weight and all cuts' coefficients together
    largest = float(weight.sum()) + (_WIDE // 2 + 1) * float(value.sum())
    fraction = 1 << max(0, min(_FINEST, _WIDEST - math.ceil(math.log2(max(2.0, largest)))))
    whole = weight * fraction
    cut = np.floor(value * fraction).astype(np.int64)
    charged = np.zeros(weight.size, dtype=np.int64)
    _charge(cuts, cut, charged)
    client = np.floor(np.maximum(s, 0.0) * weight * fraction).astype(np.int64)
    client = np.minimum(client, np.maximum(0, whole - charged))
    base = int((cut * ((cuts.size - 1) // 2)).sum())
    base += int(np.maximum(0, whole - client - charged).sum())
    price = np.empty(runs.start.size - 1, dtype=np.int64)
    collect_whole(runs, client, price)
    _add_prices(cuts, cut, price)
    top = np.partition(price, price.size - most)[price.size - most :]
    return (base + sum(int(v) for v in top)) // fraction, price / fraction


@compiled
def _coefficients(
    cover: Cover, member: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tally = np.zeros(cover.start.size - 1, np.int64)
    total = 0
    for c in range(size.size):
        for k in range(size[c]):
            total += cover.back[member[c, k] + 1] - cover.back[member[c, k]]
    start = np.zeros(size.size + 1, np.int64)
    candidate = np.empty(total, np.int32)
    factor = np.empty(total, np.int64)
    at = 0
    for c in range(size.size):
        for k in range(size[c]):
            for q in range(cover.back[member[c, k]], cover.back[member[c, k] + 1]):
                tally[cover.candidate[q]] += 1
        for k in range(size[c]):
            for q in range(cover.back[member[c, k]], cover.back[member[c, k] + 1]):
                j = cover.candidate[q]
                if tally[j] > 0:
                    candidate[at] = j
                    factor[at] = (tally[j] + 1) // 2
                    at += 1
                    tally[j] = 0
        start[c + 1] = at
    return start, candidate[:at].copy(), factor[:at].copy()


@compiled
def _add_norms(cuts: Cuts, x: np.ndarray, y: np.ndarray, t: np.ndarray) -> None:
    for c in range(cuts.size.size):
        for k in range(cuts.size[c]):
            y[cuts.member[c, k]] += cuts.scale[c]
        for k in range(cuts.start[c], cuts.start[c + 1]):
            x[cuts.candidate[k]] += cuts.scale[c] * cuts.factor[k]
            t[c] += cuts.factor[k]


@compiled
def _charge(cuts: Cuts, value: np.ndarray, out: np.ndarray) -> None:
    """Add each cut's value to its clients."""
    for c in range(cuts.size.size):
        if value[c] != 0:
            for k in range(cuts.size[c]):
                out[cuts.member[c, k]] += value[c]


@compiled
def _add_prices(cuts: Cuts, value: np.ndarray, price: np.ndarray) -> None:
    """Add each cut's value to its candidates, as often as its coefficient says."""
    for c in range(cuts.size.size):
        if value[c] != 0:
            for k in range(cuts.start[c], cuts.start[c + 1]):
                price[cuts.candidate[k]] += value[c] * cuts.factor[k]


@compiled
def _upper(  # noqa: PLR0917
    runs: Runs, cuts: Cuts, weight: np.ndarray, s: np.ndarray, t: np.ndarray, most: int
) -> float:
    """Bound at some multipliers, in floating point."""
    charged, price = np.zeros(weight.size), np.empty(runs.start.size - 1)
    _charge(cuts, t * cuts.scale, charged)
    total = (t * cuts.scale * ((cuts.size - 1) // 2)).sum()
    client = np.empty(weight.size)
    for i in range(weight.size):
        client[i] = min(weight[i] * s[i], max(0.0, weight[i] - charged[i]))
        total += max(0.0, weight[i] - client[i] - charged[i])
    collect(runs, client, price)
    _add_prices(cuts, t * cuts.scale, price)
    ordered = np.partition(price, price.size - most)
    for j in range(price.size - most, price.size):
        total += ordered[j]
    return total


@compiled
def _excess(cuts: Cuts, x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    """Left side of each cut."""
    for c in range(out.size):
        total = 0.0
        for k in range(cuts.size[c]):
            total += y[cuts.member[c, k]]
        for k in range(cuts.start[c], cuts.start[c + 1]):
            total -= cuts.factor[k] * x[cuts.candidate[k]]
        out[c] = total


@compiled
def _iterate(  # noqa: PLR0917
    runs: Runs,
    cuts: Cuts,
    weight: np.ndarray,
    norms: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    most: int,
    x: np.ndarray,
    y: np.ndarray,
    s: np.ndarray,
    t: np.ndarray,
    x_sum: np.ndarray,
    y_sum: np.ndarray,
    s_sum: np.ndarray,
    t_sum: np.ndarray,
    balance: float,
    steps: int,
) -> None:
    """Take primal-dual steps in place."""
    n, m = x.size, weight.size
    step, ones = balance / norms[0], np.ones(n)
    y_step = balance / norms[1]
    s_step, t_step = weight / (balance * norms[2]), cuts.scale / (balance * norms[3])
    before, after = np.empty(m), np.empty(m)
    excess, fresh = np.empty(t.size), np.empty(t.size)
    price, worth = 0.0, np.empty(n)
    y_new = np.empty(m)
    spread(runs, x, before)
    _excess(cuts, x, y, excess)
    for _ in range(steps):
        collect(runs, weight * s, worth)
        _add_prices(cuts, t * cuts.scale, worth)
        charged = weight * s
        _charge(cuts, t * cuts.scale, charged)
        nearer, price = project(x + step * worth, step, ones, float(most), price)
        for i in range(m):
            y_new[i] = min(1.0, max(0.0, y[i] + y_step[i] * (weight[i] - charged[i])))
        spread(runs, nearer, after)
        _excess(cuts, nearer, y_new, fresh)
        for i in range(m):
            lead = 2.0 * (y_new[i] - after[i]) - (y[i] - before[i])
            s[i] = max(0.0, s[i] + s_step[i] * lead)
            s_sum[i] += s[i]
            y[i] = y_new[i]
            y_sum[i] += y[i]
            before[i] = after[i]
        for c in range(t.size):
            lead = 2.0 * fresh[c] - excess[c] - (cuts.size[c] - 1) // 2
            t[c] = max(0.0, t[c] + t_step[c] * lead)
            t_sum[c] += t[c]
            excess[c] = fresh[c]
        for j in range(n):
            x[j] = nearer[j]
            x_sum[j] += x[j]
