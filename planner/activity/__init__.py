"""From raw rider activity to stays: GPS fixes or orders in, one row a dwell episode out."""

from planner.activity.feed import FixFeed
from planner.activity.presence import make_presence, shows_stays
from planner.activity.pseudonyms import pseudonymise
from planner.activity.stays import make_stays

__all__ = ["FixFeed", "make_presence", "make_stays", "pseudonymise", "shows_stays"]
