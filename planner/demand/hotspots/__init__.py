"""Where demand crowds together, and where riders rest without shelter."""

from planner.demand.hotspots.find import find_hotspots
from planner.demand.hotspots.gatherings import find_gatherings

__all__ = ["find_gatherings", "find_hotspots"]
