"""The streets: who reaches whom, how fast, and along which way."""

from planner.network.carry import carry_places, exact_places
from planner.network.edits import edit_streets, trace_edits
from planner.network.fetch import fetch_streets
from planner.network.isochrone import each_service_area, service_areas
from planner.network.load import load_streets
from planner.network.snap import Places, nearest_street, on_island, snap_points
from planner.network.store import save_streets
from planner.network.streets import StreetNetwork
from planner.network.travel import (
    Pairs,
    nearest_minutes,
    nearest_two,
    reach_pairs,
    reach_sums,
    travel_within,
)

__all__ = [
    "Pairs",
    "Places",
    "StreetNetwork",
    "carry_places",
    "each_service_area",
    "edit_streets",
    "exact_places",
    "fetch_streets",
    "load_streets",
    "nearest_minutes",
    "nearest_street",
    "nearest_two",
    "on_island",
    "reach_pairs",
    "reach_sums",
    "save_streets",
    "service_areas",
    "snap_points",
    "trace_edits",
    "travel_within",
]
