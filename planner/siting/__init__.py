"""Where the next stations should be, how sure that is, and why."""

from planner.siting.choose import choose_stations
from planner.siting.frontier import measure_frontier

__all__ = ["choose_stations", "measure_frontier"]
