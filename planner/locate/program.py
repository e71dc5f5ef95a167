"""A mixed-integer program, solved by HiGHS: one thread, the same answer every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

# HiGHS works in floating point: what it proves is told with this relative margin.
SAFE = 1e-6
# HiGHS works best with objectives up to about this.
_MODERATE = 1e7


class Program(NamedTuple):
    """Minimise ``cost @ x`` where ``lower <= rows @ x <= upper`` and ``0 <= x <= most``.

    Attributes
    ----------
    cost, most
        float64 of every variable.
    rows
        scipy CSR.
    lower, upper
        float64 of every row; infinite where there is no limit.
    whole
        bool: the variable is an integer.
    """

    cost: np.ndarray
    most: np.ndarray
    rows: sparse.csr_array
    lower: np.ndarray
    upper: np.ndarray
    whole: np.ndarray


class Outcome(NamedTuple):
    """The best point found (None without one), and what no point is under."""

    values: np.ndarray | None
    bound: float


def minimise(
    program: Program,
    *,
    abs_gap: float,
    nodes: int,
    time_limit_s: float,
    start: np.ndarray | None = None,
    enough: float | None = None,
) -> Outcome:
    """Solve a program.

    Parameters
    ----------
    program
        The program.
    abs_gap
        Stop once the best point is proven this close.
    nodes
        Stop after so many nodes: the clock has no say in the answer.
    time_limit_s
        Stop then at the latest; what is proven by then holds.
    start
        A feasible point to start from.
    enough
        Stop at a point that costs no more.
    """
    import highspy

    factor = min(1.0, _MODERATE / max(1.0, float(np.abs(program.cost).max(initial=0.0))))
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    options = {
        "threads": 1,
        "random_seed": 0,
        "time_limit": float(max(0.01, time_limit_s)),
        "mip_max_nodes": nodes,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": max(1e-6, abs_gap * factor),
    }
    if enough is not None:
        options["objective_target"] = enough * factor
    for option, value in options.items():
        solver.setOptionValue(option, value)
    solver.passModel(_model(program, factor))
    if start is not None:
        hint = highspy.HighsSolution()
        hint.col_value = start.tolist()
        hint.value_valid = True
        solver.setSolution(hint)
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return Outcome(None, np.inf)
    info = solver.getInfo()
    found = info.primal_solution_status == 2  # feasible
    values = np.asarray(solver.getSolution().col_value) if found else None
    return Outcome(values, _safe(float(info.mip_dual_bound) / factor))


def _safe(bound: float) -> float:
    return bound - SAFE * max(1.0, abs(bound)) if np.isfinite(bound) else -np.inf


def _model(program: Program, factor: float) -> object:
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.cost.size, program.lower.size
    lp.col_cost_ = factor * program.cost
    lp.col_lower_, lp.col_upper_ = np.zeros(program.cost.size), program.most
    lp.row_lower_, lp.row_upper_ = program.lower, program.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.rows.indptr, program.rows.indices
    lp.a_matrix_.value_ = program.rows.data
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in program.whole]
    return lp
