"""Backup coverage as a mixed-integer program, on what reduced costs leave open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.backup.search import Worth, worth_of
from planner.locate.covering.presolve import add_up, merge_clients
from planner.locate.problem import Limits, counts_only
from planner.locate.program import Program, minimise

if TYPE_CHECKING:
    from planner.locate.backup.bound import BackupBound
    from planner.locate.problem import Cover

# Above so many entries HiGHS takes minutes: the Lagrangean bound stands alone then.
_ENTRIES = 40_000
_NODES = 2_000


class Floor(NamedTuple):
    """A first cover that must be kept: int64 of every client, and what they must come to."""

    counted: np.ndarray
    need: int

    def kept(self, cover: Cover, chosen: np.ndarray) -> bool:
        """Tell whether a choice keeps it."""
        return worth_of(cover, Worth(self.counted, 0 * self.counted), chosen) >= self.need


def prove_backup(  # noqa: PLR0917
    cover: Cover,
    worth: Worth,
    limits: Limits,
    floor: Floor,
    chosen: np.ndarray,
    relaxation: BackupBound,
    *,
    enough: int,
    unit: int,
    time_limit_s: float,
) -> tuple[np.ndarray, int]:
    """Return the better choice, if one was found, and an integer bound.

    Parameters
    ----------
    cover, worth, limits, floor
        The problem.
    chosen
        A choice that keeps the limits and the floor.
    relaxation
        A bound without the floor, and its prices.
    enough
        Stop once this is proven not to be passed.
    unit
        Every value is a multiple of it.
    time_limit_s
        Stop then; what is proven by then holds.

    Notes
    -----
    Hogan & ReVelle (1986): maximise Σ f_i y_i + s_i u_i subject to y_i + u_i ≤ Σ_j a_ij x_j,
    Σ_j x_j ≤ p, x_j in {0, 1}, 0 ≤ y_i, u_i ≤ 1. Only where s_i > f_i, u_i ≤ y_i must be said, and
    y_i be whole. Opening candidate j outside the highest prices costs the bound at least the
    difference to the last one inside (reduced-cost fixing; Balas & Martin 1980).
    """
    keep, sure = _open(limits, relaxation, chosen, enough + unit)
    small = _columns(cover, keep)
    start, client, group = merge_clients(*small, worth.first.size)
    size = int(group.max(initial=-1)) + 1
    if client.size > _ENTRIES or size == 0:
        return chosen, relaxation.bound
    merged = Worth(add_up(worth.first, group, size), add_up(worth.second, group, size))
    counted = add_up(floor.counted, group, size)
    shape = (size, keep.size)
    links = sparse.csc_array((np.ones(client.size), client, start), shape=shape).tocsr()
    rest = Limits(limits.most, limits.cost[keep], limits.budget, *_among(limits, keep))
    program = _program(links, merged, rest, Floor(counted, floor.need), np.isin(keep, sure))
    outcome = minimise(
        program,
        abs_gap=0.9 * max(0, enough - worth_of(cover, worth, chosen)),
        nodes=_NODES,
        time_limit_s=time_limit_s,
        start=_point(links, merged, np.isin(keep, chosen)),
    )
    best = chosen
    if outcome.values is not None:
        found = keep[np.flatnonzero(outcome.values[: keep.size] > 0.5)]
        better = worth_of(cover, worth, found) > worth_of(cover, worth, chosen)
        if better and _allowed(limits, found) and floor.kept(cover, found):
            best = found
    if not math.isfinite(outcome.bound):
        return best, relaxation.bound
    bound = math.floor(-outcome.bound) // unit * unit
    cutoff = enough if keep.size < limits.cost.size or sure.size else -1
    return best, min(relaxation.bound, max(bound, cutoff))


def _open(
    limits: Limits, relaxation: BackupBound, chosen: np.ndarray, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return candidates that a choice worth `least` may open, and those that it must."""
    n, everyone, nobody = limits.cost.size, np.arange(limits.cost.size), np.empty(0, np.int64)
    if not counts_only(limits) or not 0 < limits.most < n:
        return everyone, nobody
    order = np.sort(relaxation.price)[::-1]
    slack = relaxation.bound - least + 2  # bound and prices were rounded down by less than one
    out = order[limits.most - 1] - relaxation.price > slack
    sure = relaxation.price - order[limits.most] > slack
    current = np.isin(everyone, chosen)
    return np.flatnonzero(~out | current), np.flatnonzero(sure & current)


def _columns(cover: Cover, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and clients of some candidates."""
    length = np.diff(cover.start)[keep]
    start = np.concatenate([[0], np.cumsum(length)])
    place = np.repeat(cover.start[keep] - start[:-1], length) + np.arange(start[-1])
    return start, cover.client[place]


def _among(limits: Limits, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rivals among the kept, renumbered."""
    place = np.full(limits.cost.size, -1, dtype=np.int64)
    place[keep] = np.arange(keep.size)
    source = place[np.repeat(np.arange(limits.cost.size), np.diff(limits.start))]
    rival = place[limits.rival]
    inside = (source >= 0) & (rival >= 0)
    size = np.bincount(source[inside], minlength=keep.size)
    return np.concatenate([[0], np.cumsum(size)]), rival[inside]


def _program(
    links: sparse.csr_array, worth: Worth, limits: Limits, floor: Floor, sure: np.ndarray
) -> Program:
    """Write the rows: variables are x of the candidates, y of the clients, u of some of them."""
    m, n = links.shape
    twice, late = _backed(links, worth)
    firsts, least = _floor_rows(floor)
    if least.size > 1:  # every y is 1
        late = late[:0]
    k = twice.size
    pick = sparse.csr_array((np.ones(k), (twice, np.arange(k))), shape=(m, k))
    source = np.repeat(np.arange(n), np.diff(limits.start))
    once = source < limits.rival
    pairs = int(once.sum())
    apart = sparse.csr_array(
        (
            np.ones(2 * pairs),
            (np.tile(np.arange(pairs), 2), np.append(source[once], limits.rival[once])),
        ),
        shape=(pairs, n),
    )
    totals = np.vstack([np.ones(n), limits.cost / max(1.0, limits.budget), sure])
    rows = sparse.block_array(
        [
            [links, -sparse.eye_array(m), -pick],
            [None, sparse.csr_array(pick[:, late].T), -sparse.eye_array(k).tocsr()[late]],
            [None, firsts, None],
            [sparse.csr_array(totals), None, None],
            [apart, None, None],
        ],
        format="csr",
    )
    inf = np.inf
    lower = [np.zeros(m + late.size), least, [-inf, -inf, sure.sum()]]
    upper = [
        np.full(m + late.size + least.size, inf),
        [limits.most, limits.budget / max(1.0, limits.budget)],
    ]
    whole = np.zeros(n + m + k, dtype=bool)
    whole[:n] = True
    whole[n + twice[late]] = True
    return Program(
        -np.concatenate([np.zeros(n), worth.first, worth.second[twice]]).astype(float),
        np.ones(n + m + k),
        sparse.csr_array(rows),
        np.concatenate([*lower, np.full(pairs, -inf)]),
        np.concatenate([*upper, [inf], np.ones(pairs)]),
        whole,
    )


def _floor_rows(floor: Floor) -> tuple[sparse.csr_array, np.ndarray]:
    """Say what first covers must come to: one row, or each client's own where all are needed."""
    if floor.need >= floor.counted.sum() > 0:
        each = np.flatnonzero(floor.counted > 0)
        shape = (each.size, floor.counted.size)
        return sparse.csr_array((np.ones(each.size), (np.arange(each.size), each)), shape), (
            np.ones(each.size)
        )
    scale = 1.0 / max(1.0, float(floor.need))
    return sparse.csr_array(scale * floor.counted[None, :]), np.array(
        [min(1.0, scale * floor.need)]
    )


def _backed(links: sparse.csr_array, worth: Worth) -> tuple[np.ndarray, np.ndarray]:
    """Clients whom two may cover, and the places among them where that brings more than one."""
    twice = np.flatnonzero((np.diff(links.indptr) > 1) & (worth.second > 0))
    return twice, np.flatnonzero(worth.second[twice] > worth.first[twice])


def _point(links: sparse.csr_array, worth: Worth, opened: np.ndarray) -> np.ndarray:
    """Return a choice as values of the program's variables."""
    times = links @ opened.astype(float)
    twice, _ = _backed(links, worth)
    return np.concatenate([opened, times > 0, times[twice] > 1]).astype(float)


def _allowed(limits: Limits, chosen: np.ndarray) -> bool:
    """Tell whether a rounded choice keeps every limit."""
    inside = np.isin(np.arange(limits.cost.size), chosen)
    rivals = np.repeat(inside, np.diff(limits.start)) & inside[limits.rival]
    spent = float(limits.cost[chosen].sum())
    room = limits.budget + 1e-9 * max(1.0, abs(limits.budget))
    return bool(chosen.size <= limits.most and spent <= room and not rivals.any())
