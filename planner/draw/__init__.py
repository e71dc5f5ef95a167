"""The map of a plan: one page that needs no network, no tile server and no installation."""

from planner.draw.maps import draw_map, draw_plan, write_map

__all__ = ["draw_map", "draw_plan", "write_map"]
