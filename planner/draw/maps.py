"""Maps of a plan, for a notebook and for a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.draw.content import Tables, pack_content, plan_tables
from planner.draw.figures import figures_of_plan, figures_of_tables
from planner.draw.shell import PlanMap
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import folium
    import geopandas as gpd
    import pandas as pd

    from planner.plan import Plan
    from planner.tables import Reach


def write_map(plan: Plan, path: Path | str) -> Path:
    """Write the map of a plan as one HTML file that opens anywhere without a network.

    Parameters
    ----------
    plan
        The plan.
    path
        The file; it is replaced at once, so that a failure leaves the earlier one.

    Returns
    -------
    The path.
    """
    path = Path(path)
    fresh = path.with_name(f".{path.name}.new")
    draw_map(plan).save(fresh)
    return fresh.replace(path)


def draw_map(plan: Plan) -> folium.Map:
    """Draw a plan as a map that a notebook shows and ``.save(path)`` writes, self-contained.

    Every number on it comes from ``plan.json``; what the reader tries out on the page is computed
    there from the plan's own reach.
    """
    figures = figures_of_plan(plan)
    tables = plan_tables(plan.tables, plan.reach, plan.settings.demand.cell_m)
    blobs = pack_content(tables, figures)
    return PlanMap(blobs, language=figures.language)


def draw_plan(
    area: gpd.GeoDataFrame | None,
    demand: gpd.GeoDataFrame,
    siting: gpd.GeoDataFrame,
    parking: gpd.GeoDataFrame | None = None,
    *,
    streets: Any = None,
    existing: gpd.GeoDataFrame | None = None,
    candidates: gpd.GeoDataFrame | None = None,
    reach: Reach | None = None,
    service_areas: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    hotspots: gpd.GeoDataFrame | None = None,
    gatherings: gpd.GeoDataFrame | None = None,
    uncovered: gpd.GeoDataFrame | None = None,
    edits: gpd.GeoDataFrame | None = None,
    explanations: pd.DataFrame | None = None,
    dayparts: Mapping[str, tuple[float, float]] | None = None,
    mode: str = "walk",
    limit_min: float = 15.0,
    language: str = "zh",
    name: str = "",
    attribution: str | None = None,
) -> folium.Map:
    """Draw the tables of the stages as a map; a table that is not given leaves its layer out.

    Parameters
    ----------
    area, demand, siting, parking
        Districts, demand, recommended sites and friendly parking, as
        `planner.tables.TABLES` declares them.
    streets
        A `StreetNetwork`, or lines with ``name`` and ``street_class``.
    existing
        Stations of today.
    candidates, reach
        What was offered to the solver and who reaches it: with both, the page can try stations
        out.
    service_areas
        ``limit_min``, ``geometry`` and, if the plan's are in it too, ``when``.
    water
        Polygons.
    hotspots, gatherings
        Where demand crowds together, and where riders rest.
    uncovered, edits
        Where demand stays without a station, and what changed streets would do.
    explanations
        What is lost without each site, and what could take its place.
    dayparts
        Name → hours; by default those the demand was made with.
    mode, limit_min
        What “served” means, where no `reach` says so.
    language
        ``zh`` or ``en``; the page can switch.
    name
        Of the study; the only area's name if empty.
    attribution
        Whom the streets are owed to; by default what they say themselves.

    Returns
    -------
    A folium map: a notebook shows it, ``.save(path)`` writes one file that needs no network.

    Raises
    ------
    ColumnError, CrsError, InputError
        A table is not what its declaration says.
    """
    given = {
        "districts": area, "demand": demand, "sites": siting, "parking": parking,
        "stations": existing, "candidates": candidates, "hotspots": hotspots,
        "gatherings": gatherings, "uncovered": uncovered, "edits": edits,
        "explanations": explanations,
    }  # fmt: skip
    for table, frame in given.items():
        if frame is not None:
            check_table(frame, table)
    lines = streets.lines() if hasattr(streets, "lines") else streets
    if not name and area is not None and len(area) == 1:
        name = str(area["name"].iloc[0])
    figures = figures_of_tables(
        demand, siting, reach=reach, name=name, language=language, limit_min=limit_min, mode=mode,
        dayparts=dayparts,
    )  # fmt: skip
    tables = Tables(
        districts=area, demand=demand, sites=siting, parking=parking, streets=lines,
        stations=existing, candidates=candidates, reach=reach, service_areas=service_areas,
        water=water, hotspots=hotspots, gatherings=gatherings, uncovered=uncovered, edits=edits,
        explanations=explanations,
    )  # fmt: skip
    blobs = pack_content(tables, figures, attribution=attribution)
    return PlanMap(blobs, language=language)
