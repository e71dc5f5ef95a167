"""From stays to demand points by daypart and worker type, safe to show; hot spots among them."""

from planner.demand.hotspots import find_gatherings, find_hotspots
from planner.demand.points import make_demand, make_sampled_demand

__all__ = ["find_gatherings", "find_hotspots", "make_demand", "make_sampled_demand"]
