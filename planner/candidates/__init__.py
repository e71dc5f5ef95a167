"""Where a station could be: hosts, hot spots and street corners, screened by demand."""

from planner.candidates.offer import make_candidates

__all__ = ["make_candidates"]
