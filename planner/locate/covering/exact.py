"""Prove a cover optimal, or nearly so, by mixed-integer programming (HiGHS)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.presolve import restrict
from planner.locate.problem import Limits, counts_only

if TYPE_CHECKING:
    from planner.locate.covering.bounds import Relaxation
    from planner.locate.problem import Cover

# HiGHS works in floating point: its bound is told with this relative margin on top.
SAFE = 1e-6
# A proof that needs more nodes is left to the gap, so that a plan does not hang on the clock.
_MAX_NODES = 20_000


class Proof(NamedTuple):
    """The better choice, if one was found, and a proven integer bound."""

    chosen: np.ndarray
    bound: int


class Kernel(NamedTuple):
    """What could still be part of a better choice.

    Attributes
    ----------
    cover, weight
        Of the kept candidates and the clients that the forced ones leave uncovered.
    limits
        Of the kept candidates, the forced ones already taken off.
    keep
        Column of each kept candidate in the larger problem.
    forced
        Columns that every better choice opens.
    base
        Integer weight that the forced ones cover.
    cutoff
        Choices outside the kernel are worth at most this.
    """

    cover: Cover
    weight: np.ndarray
    limits: Limits
    keep: np.ndarray
    forced: np.ndarray
    base: int
    cutoff: int


def make_kernel(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    relaxation: Relaxation,
    chosen: np.ndarray,
    *,
    enough: int,
    unit: int,
) -> Kernel:
    """Leave out candidates that no choice worth more than `enough` can open or miss.

    Opening candidate j outside the best prices costs the bound at least the price difference to
    the last one inside (reduced-cost fixing; Balas & Martin 1980). The current choice always
    stays inside, so the search starts from it.
    """
    n = cover.start.size - 1
    out, into = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    if counts_only(limits) and 0 < limits.most < n and relaxation.price.any():
        order = np.sort(relaxation.price)[::-1]
        last, following = order[limits.most - 1], order[limits.most]
        # the bound was rounded down by less than a unit, the prices by less than one
        slack = relaxation.bound + unit + 1 - (enough + 1)
        out = last - relaxation.price > slack
        into = relaxation.price - following > slack
    current = np.zeros(n, dtype=bool)
    current[chosen] = True
    forced = np.flatnonzero(into & current)
    barred = np.zeros(n, dtype=bool)  # rivals of what is open for good
    for j in forced:
        barred[limits.rival[limits.start[j] : limits.start[j + 1]]] = True
    keep = np.flatnonzero((~out | current) & ~(into & current) & ~barred)
    alive = np.ones(weight.size, dtype=bool)
    for j in forced:
        alive[cover.client[cover.start[j] : cover.start[j + 1]]] = False
    small, merged = restrict(cover, weight, keep, alive)
    rest = Limits(
        limits.most - forced.size,
        limits.cost[keep],
        limits.budget - float(limits.cost[forced].sum()),
        *_among(limits, keep, n),
    )
    base = int(weight[~alive].sum())
    whole = not out.any() and forced.size == 0
    return Kernel(small, merged, rest, keep, forced, base, -1 if whole else enough)


def prove(
    kernel: Kernel, chosen: np.ndarray, *, unit: int, abs_gap: float, time_limit_s: float
) -> Proof:
    """Solve a kernel by HiGHS from a choice that is inside it.

    Parameters
    ----------
    kernel
        From `make_kernel`.
    chosen
        Columns of the larger problem; all of them are inside the kernel.
    unit
        Every objective is a multiple of it.
    abs_gap
        Stop once the bound is this close, in integer weight.
    time_limit_s
        Stop then; what is proven by then holds.

    Notes
    -----
    The model is that of Church & ReVelle (1974): maximise Σ w_i y_i subject to
    y_i ≤ Σ_j a_ij x_j, Σ_j x_j ≤ p (or Σ_j c_j x_j ≤ B), x_j in {0, 1}, 0 ≤ y_i ≤ 1. A client
    that one candidate alone covers is counted with it. Conflicts are stated as cliques.
    """
    cover, weight, limits = kernel.cover, kernel.weight, kernel.limits
    everything = kernel.base + int(weight.sum())
    if weight.size == 0 or limits.most == 0:
        return Proof(chosen, max(everything if limits.most else kernel.base, kernel.cutoff))
    start = np.isin(kernel.keep, chosen)
    shares, dual = _solve(cover, weight, limits, start, abs_gap=abs_gap, time_limit_s=time_limit_s)
    best = chosen
    if shares is not None:
        found = np.flatnonzero(shares > 0.5)
        if keeps_limits(limits, found):
            value = kernel.base + covered_weight(cover, weight, found)
            before = kernel.base + covered_weight(cover, weight, np.flatnonzero(start))
            if value > before:
                best = np.sort(np.concatenate([kernel.forced, kernel.keep[found]]))
    bound = everything
    if math.isfinite(dual):
        bound = min(bound, kernel.base + math.floor(dual + SAFE * max(abs(dual), 1.0)))
    return Proof(best, max(bound // unit * unit, kernel.cutoff))


def _solve(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    start: np.ndarray,
    *,
    abs_gap: float,
    time_limit_s: float,
) -> tuple[np.ndarray | None, float]:
    """Run HiGHS; return the shares of its best choice (None without one) and its dual bound."""
    import highspy

    model, factor = _model(cover, weight, limits)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    for option, value in {
        "threads": 1,
        "random_seed": 0,
        "time_limit": float(time_limit_s),
        "mip_max_nodes": _MAX_NODES,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": max(1e-6, abs_gap * factor),
    }.items():
        solver.setOptionValue(option, value)
    solver.passModel(model)
    values = np.zeros(model.num_col_)
    values[: start.size] = start
    _, many = _clients(cover)
    times = np.bincount(cover.client[np.repeat(start, np.diff(cover.start))], minlength=weight.size)
    values[start.size :] = times[many] > 0
    hint = highspy.HighsSolution()
    hint.col_value = values.tolist()
    hint.value_valid = True
    solver.setSolution(hint)
    solver.run()
    info = solver.getInfo()
    found = info.primal_solution_status == 2  # feasible
    shares = np.asarray(solver.getSolution().col_value)[: start.size] if found else None
    return shares, float(info.mip_dual_bound) / factor


def _model(cover: Cover, weight: np.ndarray, limits: Limits) -> tuple[Any, float]:
    """Write the program, and the factor on its objective that keeps numbers moderate."""
    import highspy

    n, (one, many) = cover.start.size - 1, _clients(cover)
    total = float(weight.sum())
    factor = 1.0 if total <= 1e7 else 1e6 / total
    direct = np.zeros(n)
    np.add.at(direct, cover.candidate[cover.back[one]], weight[one].astype(float))
    degree = np.diff(cover.back)
    row = np.repeat(np.arange(many.size), degree[many])
    inside = np.repeat(degree > 1, degree)
    links = sparse.csr_array(
        (np.full(row.size, -1.0), (row, cover.candidate[inside])), shape=(many.size, n)
    )
    within, most = limit_rows(limits)
    left = sparse.vstack([links, within])
    right = sparse.vstack([sparse.eye_array(many.size), sparse.csr_array((most.size, many.size))])
    matrix = sparse.csr_array(sparse.hstack([left, right]))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = n + many.size, matrix.shape[0]
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = factor * np.concatenate([direct, weight[many].astype(float)])
    lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.ones(lp.num_col_)
    lp.row_lower_ = np.full(lp.num_row_, -highspy.kHighsInf)
    lp.row_upper_ = np.concatenate([np.zeros(many.size), most])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_ = matrix.data
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger] * n + [kinds.kContinuous] * many.size
    return lp, factor


def _clients(cover: Cover) -> tuple[np.ndarray, np.ndarray]:
    """Clients that one candidate alone covers, and the others."""
    degree = np.diff(cover.back)
    return np.flatnonzero(degree == 1), np.flatnonzero(degree > 1)


def limit_rows(limits: Limits) -> tuple[sparse.csr_array, np.ndarray]:
    """Return count, costs and conflicts as rows over the candidates, and what each may reach."""
    groups = _cliques(limits)
    packed = sparse.csr_array(
        (
            np.ones(sum(map(len, groups))),
            (
                np.repeat(np.arange(len(groups)), [len(c) for c in groups]).astype(np.int64),
                np.array([j for c in groups for j in c], dtype=np.int64),
            ),
        ),
        shape=(len(groups), limits.cost.size),
    )
    totals = sparse.csr_array(np.vstack([np.ones(limits.cost.size), limits.cost]))
    most = np.concatenate([[limits.most, limits.budget], np.ones(len(groups))])
    return sparse.csr_array(sparse.vstack([totals, packed])), most


def _cliques(limits: Limits) -> list[list[int]]:
    """Cover all conflicts by sets of candidates of which at most one may open."""
    rivals = [
        set(limits.rival[limits.start[j] : limits.start[j + 1]].tolist())
        for j in range(limits.start.size - 1)
    ]
    done: set[tuple[int, int]] = set()
    cliques = []
    for j, mine in enumerate(rivals):
        for k in sorted(r for r in mine if r > j):
            if (j, k) in done:
                continue
            clique = [j, k]
            common = mine & rivals[k]
            while common:
                new = min(common)
                clique.append(new)
                common &= rivals[new]
            clique.sort()
            done.update((a, b) for a in clique for b in clique if a < b)
            cliques.append(clique)
    return cliques


def _among(limits: Limits, keep: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rivals among the kept candidates, renumbered."""
    place = np.full(n, -1, dtype=np.int64)
    place[keep] = np.arange(keep.size)
    source = place[np.repeat(np.arange(n), np.diff(limits.start))]
    rival = place[limits.rival]
    inside = (source >= 0) & (rival >= 0)
    start = np.zeros(keep.size + 1, dtype=np.int64)
    np.cumsum(np.bincount(source[inside], minlength=keep.size), out=start[1:])
    return start, rival[inside]


def keeps_limits(limits: Limits, chosen: np.ndarray) -> bool:
    """Tell whether a rounded choice keeps every limit."""
    inside = np.zeros(limits.start.size - 1, dtype=bool)
    inside[chosen] = True
    source = np.repeat(inside, np.diff(limits.start))
    spent = float(limits.cost[chosen].sum())
    return (
        chosen.size <= limits.most
        and spent <= limits.budget + 1e-9 * max(1.0, abs(limits.budget))
        and not (source & inside[limits.rival]).any()
    )
