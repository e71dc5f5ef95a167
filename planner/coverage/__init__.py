"""Who is served: reach over the streets, shares, minutes, seats, opening hours, equity."""

from planner.coverage.access import compare_access, measure_edits, minutes_between
from planner.coverage.accessibility import measure_accessibility
from planner.coverage.areas import make_service_areas
from planner.coverage.closing import measure_closures
from planner.coverage.equity import measure_equity
from planner.coverage.hours import hours_open, open_in_dayparts
from planner.coverage.measure import circle_share, districts_of, measure_coverage
from planner.coverage.minutes import find_minutes
from planner.coverage.reach import make_reach

__all__ = [
    "circle_share",
    "compare_access",
    "districts_of",
    "find_minutes",
    "hours_open",
    "make_reach",
    "make_service_areas",
    "measure_accessibility",
    "measure_closures",
    "measure_coverage",
    "measure_edits",
    "measure_equity",
    "minutes_between",
    "open_in_dayparts",
]
