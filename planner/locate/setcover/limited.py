"""Covering at least cost under limits: spacing, a budget, shares of groups."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.locate.covering.exact import keeps_limits, limit_rows
from planner.locate.needs import Needs, clients_covered, meet_needs, need_everyone
from planner.locate.problem import Limits, counts_only
from planner.locate.program import Program, minimise

if TYPE_CHECKING:
    from planner.locate.problem import Cover

# Above so many entries HiGHS takes minutes and may not look at the clock: the bound stands alone.
_MIP_ENTRIES = 60_000
_MIP_NODES = 20_000
_ROUNDS = 30
_CUTS = 12  # halvings of the way between a choice and the bound


def name_limits(limits: Limits, *, floor: bool = False) -> str:
    """Say in words what limits a choice beside the count."""
    spending = not counts_only(limits) and math.isfinite(limits.budget)
    given = {"the budget": spending, "the conflicts": limits.rival.size > 0, "the floor": floor}
    named = [name for name, is_given in given.items() if is_given] or ["the count"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if named[:-1] else named)


class Least(NamedTuple):
    """What a search for the cheapest choice ends with.

    Attributes
    ----------
    chosen
        Columns, sorted; None where no choice that keeps every limit was found.
    bound
        No choice that keeps them is under it; infinity where there is none.
    """

    chosen: np.ndarray | None
    bound: float


def cheapest_within(
    cover: Cover,
    cost: np.ndarray,
    limits: Limits,
    needs: Needs | None,
    *,
    bound: int = 0,
    unit: int = 1,
    enough: int | None = None,
    gap: float,
    rng: np.random.Generator,
    deadline: float,
) -> Least:
    """Find the cheapest choice within limits that covers enough of every group.

    Parameters
    ----------
    cover
        Candidates × clients.
    cost
        int64 of every candidate, not negative; `unit` divides it.
    limits
        How many, at what cost of their own, and who excludes whom.
    needs
        What must be covered; without it every client.
    bound
        What no choice costs less than, known before.
    enough
        A choice of at most this cost will do.
    gap
        Stop when proven this close, relative to the cost.
    rng, deadline
        Of the search; `working_seconds()` at which to stop proving.

    Notes
    -----
    Minimise Σ_j c_j x_j with Σ_{i in g} w_i y_i ≥ b_g for every group g, y_i ≤ Σ_j a_ij x_j,
    Σ_j x_j ≤ p, Σ_j d_j x_j ≤ B and Σ_{j in K} x_j ≤ 1 for every clique K of candidates too near to
    each other. HiGHS decides where the program is not too large; else the bound is that of the
    problem without limits.
    """
    asked = need_everyone(cover.back.size - 1) if needs is None else needs
    chosen, kept = meet_needs(cover, asked, limits, rng=rng, rounds=_ROUNDS, deadline=deadline)
    best = _prune(cover, cost, asked, chosen) if kept else None
    if best is not None and (enough is None or int(cost[best].sum()) > enough):
        best = _cheaper(cover, cost, limits, asked, best, max(bound, enough or 0), unit, rng)
    value = math.inf if best is None else int(cost[best].sum())
    close = max(bound, -1 if enough is None else enough)
    if best is not None and (value <= close or value - bound <= gap * value):
        return Least(best, min(bound, value))
    if cover.client.size > _MIP_ENTRIES or working_seconds() > deadline:
        return Least(best, bound)
    spare = gap * value if math.isfinite(value) else 0.0
    outcome = minimise(
        _program(cover, cost, limits, needs),
        abs_gap=max(spare, unit - 0.01),
        nodes=_MIP_NODES,
        time_limit_s=deadline - working_seconds(),
        start=None if best is None else _point(cover, best, needs),
        enough=None if enough is None else enough + 0.5,
    )
    if outcome.values is not None:
        found = np.flatnonzero(outcome.values[: cost.size] > 0.5)
        if keeps_limits(limits, found) and asked.kept(cover, found):
            found = _prune(cover, cost, asked, found)
            if int(cost[found].sum()) < value:
                best, value = found, int(cost[found].sum())
    if outcome.bound == np.inf:
        return Least(best, math.inf if best is None else value)
    if math.isfinite(outcome.bound):
        bound = max(bound, -(-math.ceil(outcome.bound) // unit) * unit)
    return Least(best, min(bound, value))


def _prune(cover: Cover, cost: np.ndarray, needs: Needs, chosen: np.ndarray) -> np.ndarray:
    """Drop what nobody needs, the dearest first."""
    kept = np.sort(chosen)
    for j in kept[np.argsort(-cost[kept], kind="stable")]:
        without = kept[kept != j]
        if needs.kept(cover, without):
            kept = without
    return kept


def _cheaper(  # noqa: PLR0917
    cover: Cover,
    cost: np.ndarray,
    limits: Limits,
    needs: Needs,
    chosen: np.ndarray,
    bound: int,
    unit: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Halve the way to the bound as long as a choice within that cost is found."""
    low, best = bound, chosen
    for _ in range(_CUTS):
        value = int(cost[best].sum())
        if low >= value:
            break
        trial = (low + value - unit) // 2 // unit * unit
        tight = _within(limits, cost, max(trial, low))
        found, kept = meet_needs(cover, needs, tight, rng=rng, rounds=_ROUNDS // 2, start=None)
        if kept:
            best = _prune(cover, cost, needs, found)
        else:
            low = max(trial, low) + unit
    return best


def _within(limits: Limits, cost: np.ndarray, most: int) -> Limits:
    """Return the limits with a ceiling on the cost."""
    if (cost == 1).all():
        count = min(limits.most, most)
        plain = counts_only(limits)
        return limits._replace(most=count, budget=float(count) if plain else limits.budget)
    return limits._replace(cost=cost.astype(float), budget=float(most))


def _program(cover: Cover, cost: np.ndarray, limits: Limits, needs: Needs | None) -> Program:
    """Write the rows: without needs every client is covered, with them clients have variables."""
    n, m = cost.size, cover.back.size - 1
    links = sparse.csr_array((np.ones(cover.candidate.size), cover.candidate, cover.back), (m, n))
    within, most = limit_rows(limits)
    free = np.full(most.size, -np.inf)
    if needs is None:
        rows = sparse.csr_array(sparse.vstack([links, within]))
        lower, upper = np.append(np.ones(m), free), np.append(np.full(m, np.inf), most)
        return Program(cost.astype(float), np.ones(n), rows, lower, upper, np.ones(n, dtype=bool))
    asked = np.flatnonzero(needs.need > 0)
    scale = sparse.diags_array(1.0 / needs.need[asked])
    rows = sparse.csr_array(
        sparse.block_array(
            [[links, -sparse.eye_array(m)], [None, scale @ needs.share[asked]], [within, None]]
        )
    )
    return Program(
        np.append(cost.astype(float), np.zeros(m)),
        np.ones(n + m),
        rows,
        np.concatenate([np.zeros(m), np.ones(asked.size), free]),
        np.concatenate([np.full(m + asked.size, np.inf), most]),
        np.arange(n + m) < n,
    )


def _point(cover: Cover, chosen: np.ndarray, needs: Needs | None) -> np.ndarray:
    """Return a choice as values of the program's variables."""
    opened = np.zeros(cover.start.size - 1)
    opened[chosen] = 1.0
    if needs is None:
        return opened
    return np.append(opened, clients_covered(cover, chosen).astype(float))
