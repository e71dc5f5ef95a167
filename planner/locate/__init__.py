"""Location models over arrays: covers in, proven solutions out; no geography here."""

from planner.locate.backup.model import solve_backup
from planner.locate.capacitated.model import solve_capacitated
from planner.locate.covering.gradual import solve_gradual
from planner.locate.covering.mclp import heuristic_mclp, solve_mclp
from planner.locate.median.pcenter import solve_pcenter
from planner.locate.median.pmedian import solve_pmedian
from planner.locate.setcover.lscp import solve_lscp
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
