"""Where a station could be: hosts, hot spots and street corners, screened by demand."""

from planner.candidates.offer import make_candidates
from planner.candidates.shorten import Aim

__all__ = ["Aim", "make_candidates"]
