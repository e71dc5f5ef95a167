"""Plan where riders need the next station.

The names below are loaded when they are first used, so that ``import planner`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.activity import make_stays
    from planner.candidates import make_candidates
    from planner.coverage import (
        circle_share,
        compare_access,
        find_minutes,
        make_reach,
        make_service_areas,
        measure_accessibility,
        measure_closures,
        measure_coverage,
        measure_equity,
    )
    from planner.demand import (
        find_gatherings,
        find_hotspots,
        make_demand,
        make_sampled_demand,
    )
    from planner.draw import draw_plan, write_map
    from planner.editing import move_site, score_sites
    from planner.load import (
        load_activity,
        load_area,
        load_hosts,
        load_register,
        load_stations,
        scan_activity,
        write_sample,
    )
    from planner.locate import (
        Solution,
        solve_backup,
        solve_capacitated,
        solve_gradual,
        solve_lscp,
        solve_mclp,
        solve_pcenter,
        solve_pmedian,
    )
    from planner.network import (
        StreetNetwork,
        edit_streets,
        fetch_streets,
        load_streets,
        save_streets,
    )
    from planner.outputs import write_outputs
    from planner.parking import choose_parking
    from planner.pipeline import run_study
    from planner.plan import Plan, load_plan
    from planner.report import write_report, write_sites, write_workbook
    from planner.settings import Settings, load_settings
    from planner.siting import (
        Seating,
        SeatKind,
        SiteExplanation,
        SiteMove,
        SiteScore,
        choose_stations,
        explain_site,
        measure_frontier,
        measure_money,
        measure_scenarios,
    )
    from planner.tables import Reach

_HOMES = {
    "activity": ["make_stays"],
    "candidates": ["make_candidates"],
    "coverage": [
        "circle_share",
        "compare_access",
        "find_minutes",
        "make_reach",
        "make_service_areas",
        "measure_accessibility",
        "measure_closures",
        "measure_coverage",
        "measure_equity",
    ],
    "demand": ["find_gatherings", "find_hotspots", "make_demand", "make_sampled_demand"],
    "editing": ["move_site", "score_sites"],
    "draw": ["draw_plan", "write_map"],
    "load": [
        "load_activity",
        "load_area",
        "load_hosts",
        "load_register",
        "load_stations",
        "scan_activity",
        "write_sample",
    ],
    "locate": [
        "Solution",
        "solve_backup",
        "solve_capacitated",
        "solve_gradual",
        "solve_lscp",
        "solve_mclp",
        "solve_pcenter",
        "solve_pmedian",
    ],
    "network": [
        "StreetNetwork",
        "edit_streets",
        "fetch_streets",
        "load_streets",
        "save_streets",
    ],
    "parking": ["choose_parking"],
    "outputs": ["write_outputs"],
    "pipeline": ["run_study"],
    "plan": ["Plan", "load_plan"],
    "report": ["write_report", "write_sites", "write_workbook"],
    "settings": ["Settings", "load_settings"],
    "siting": [
        "SeatKind",
        "Seating",
        "SiteExplanation",
        "SiteMove",
        "SiteScore",
        "choose_stations",
        "explain_site",
        "measure_frontier",
        "measure_money",
        "measure_scenarios",
    ],
    "tables": ["Reach"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Plan",
    "Reach",
    "SeatKind",
    "Seating",
    "Settings",
    "SiteExplanation",
    "SiteMove",
    "SiteScore",
    "Solution",
    "StreetNetwork",
    "choose_parking",
    "choose_stations",
    "circle_share",
    "compare_access",
    "draw_plan",
    "edit_streets",
    "explain_site",
    "fetch_streets",
    "find_gatherings",
    "find_hotspots",
    "find_minutes",
    "load_activity",
    "load_area",
    "load_hosts",
    "load_plan",
    "load_register",
    "load_settings",
    "load_stations",
    "load_streets",
    "make_candidates",
    "make_demand",
    "make_reach",
    "make_sampled_demand",
    "make_service_areas",
    "make_stays",
    "measure_accessibility",
    "measure_closures",
    "measure_coverage",
    "measure_equity",
    "measure_frontier",
    "measure_money",
    "measure_scenarios",
    "move_site",
    "run_study",
    "save_streets",
    "scan_activity",
    "score_sites",
    "solve_backup",
    "solve_capacitated",
    "solve_gradual",
    "solve_lscp",
    "solve_mclp",
    "solve_pcenter",
    "solve_pmedian",
    "write_map",
    "write_outputs",
    "write_report",
    "write_sample",
    "write_sites",
    "write_workbook",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    return getattr(import_module(f"planner.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
