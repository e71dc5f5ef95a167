"""From raw rider activity to stays: GPS fixes or orders in, one row a dwell episode out."""

from planner.activity.presence import make_presence, shows_stays
from planner.activity.stays import make_stays

__all__ = ["make_presence", "make_stays", "shows_stays"]
