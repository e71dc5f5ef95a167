"""Where the next stations should be, how sure that is, and why."""

from planner.siting.choose import choose_stations
from planner.siting.explain import SiteExplanation, explain_site
from planner.siting.explanations import make_explanations
from planner.siting.frontier import measure_frontier
from planner.siting.locks import lock_and_ban
from planner.siting.money import measure_money
from planner.siting.move import SiteMove, move_site
from planner.siting.register import Settled, note_sites, settle_sites
from planner.siting.scenarios import measure_scenarios
from planner.siting.score import SiteScore, score_sites
from planner.siting.seats import Seating, SeatKind

__all__ = [
    "SeatKind",
    "Seating",
    "Settled",
    "SiteExplanation",
    "SiteMove",
    "SiteScore",
    "choose_stations",
    "explain_site",
    "lock_and_ban",
    "make_explanations",
    "measure_frontier",
    "measure_money",
    "measure_scenarios",
    "move_site",
    "note_sites",
    "score_sites",
    "settle_sites",
]
