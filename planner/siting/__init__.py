"""Where the next stations should be, how sure that is, and why."""

from planner.siting.choose import choose_stations

__all__ = ["choose_stations"]
