"""Location models over arrays: covers in, proven solutions out; no geography here."""

from planner.locate.backup import solve_backup
from planner.locate.capacitated import solve_capacitated
from planner.locate.gradual import solve_gradual
from planner.locate.lscp import solve_lscp
from planner.locate.mclp import heuristic_mclp, solve_mclp
from planner.locate.pcenter import solve_pcenter
from planner.locate.pmedian import solve_pmedian
from planner.locate.solution import Solution

__all__ = [
    "Solution",
    "heuristic_mclp",
    "solve_backup",
    "solve_capacitated",
    "solve_gradual",
    "solve_lscp",
    "solve_mclp",
    "solve_pcenter",
    "solve_pmedian",
]
