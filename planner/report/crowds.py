"""Where demand crowds together and where riders rest: what report and workbook tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from planner.report.figures import district_names, table
from planner.report.words import is_number

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.plan import Plan
    from planner.report.words import Words

MOST_ROWS = 10  # of a table in the report; the workbook has them all
_BETWEEN = " · "


class Gathering(NamedTuple):
    """A place where riders gather to rest; metres are straight lines, NaN without a station."""

    name: str
    rest_per_day: float
    weight_per_day: float
    peak: str
    station_m: float
    planned_m: float


class HotSpot(NamedTuple):
    """A place where demand crowds together; shares are 0..1, None where unknown."""

    name: str
    weight_per_day: float
    share: float
    peak: str
    peak_share: float | None


class Rest(NamedTuple):
    """What is told of gathering places.

    Attributes
    ----------
    places
        All of them.
    bare
        Those without shelter at hand, most rest first.
    rest_per_day
        Rests a day at those.
    helped
        How many of those have a station at hand with the plan.
    shelter_m
        What “at hand” means.
    """

    places: int
    bare: list[Gathering]
    rest_per_day: float
    helped: int
    shelter_m: float


def read_rest(plan: Plan) -> Rest | None:
    """Return what is known of rest without shelter; None where the data cannot tell.

    Orders, counts and presence do not say how long anybody stood.
    """
    if "gatherings" not in plan.tables or plan.summary["demand"].get("basis") != "stays":
        return None
    known = table(plan, "gatherings")
    shelter_m = plan.settings.candidates.shelter_m
    bare = known[known["informal"].astype(bool)]
    planned = to_site_m(plan, bare)
    rows = [
        Gathering(
            place_name(plan, row["name"]), float(row["rest_per_day"]),
            float(row["weight_per_day"]), str(row["peak"] or ""), float(row["station_m"]),
            float(np.fmin(row["station_m"], site_m)),
        )
        for row, site_m in zip(bare.to_dict("records"), planned, strict=True)
    ]  # fmt: skip
    return Rest(
        len(known), rows, float(bare["rest_per_day"].sum()),
        sum(row.planned_m <= shelter_m for row in rows), shelter_m,
    )  # fmt: skip


def read_hotspots(plan: Plan) -> list[HotSpot]:
    """Return the hot spots, heaviest first."""
    known = table(plan, "hotspots")
    total = float(plan.summary["demand"]["weight_per_day"])
    return [
        HotSpot(
            place_name(plan, row["name"]), float(row["weight_per_day"]),
            float(row["weight_per_day"]) / total, str(row.get("peak") or ""),
            float(row["peak_share"]) if is_number(row.get("peak_share")) else None,
        )
        for row in known.to_dict("records")
    ]  # fmt: skip


def to_site_m(plan: Plan, places: gpd.GeoDataFrame) -> np.ndarray:
    """Return metres in a straight line from each place to the nearest recommended site.

    Shape (n,), NaN without any site.
    """
    sites = table(plan, "sites")
    if not len(sites) or not len(places):
        return np.full(len(places), np.nan)
    at = shapely.get_coordinates(sites.geometry.to_crs(places.crs))
    xy = shapely.get_coordinates(places.geometry)
    return np.hypot(*(xy[:, None, :] - at[None, :, :]).transpose(2, 0, 1)).min(axis=1)


def place_name(plan: Plan, name: Any) -> str:
    """Return ``district · street``, the district as the study's language calls it."""
    district, *rest = str(name).split(_BETWEEN)
    return _BETWEEN.join([district_names(plan).get(district, district), *rest])


# ── in words ──────────────────────────────────────────────────────────────────────────────────


def rest_title(rest: Rest, w: Words) -> str:
    """Return how many gathering places have no shelter."""
    limit = w.number(rest.shelter_m)
    if not rest.places:
        return w.t("The data show no place where riders gather to rest")
    if not rest.bare:
        return w.t(
            "All {m} gathering places have a station within {limit} m", m=rest.places, limit=limit
        )
    return w.t(
        "{n} of {m} gathering places have no station within {limit} m",
        n=len(rest.bare), m=rest.places, limit=limit,
    )  # fmt: skip


def rest_line(rest: Rest, w: Words) -> str:
    """Return how much rest has no shelter, and what the plan does about it."""
    if not rest.bare:
        return ""
    return w.t(
        "Riders rest there {rest} times a day. With the plan {n} of these places have a station "
        "within {limit} m.",
        rest=w.number(rest.rest_per_day), n=rest.helped, limit=w.number(rest.shelter_m),
    )  # fmt: skip


def hotspots_title(spots: list[HotSpot], w: Words) -> str:
    """Return which hot spot is the busiest."""
    if not spots:
        return ""
    return w.t(
        "{n} hot spots; the busiest is {name} with {visits} rider-visits a day",
        n=len(spots), name=spots[0].name, visits=w.number(spots[0].weight_per_day),
    )  # fmt: skip


def most_line(shown: int, found: int, w: Words) -> str:
    """Say that a table holds only the first rows; nothing where it holds all."""
    if shown >= found:
        return ""
    return w.t("the first {n} of {m}", n=shown, m=found)


def demand_line(plan: Plan, w: Words) -> str:
    """Return the rider-visits a day by length of stay and kind of day, as far as they are known."""
    demand, t = plan.summary["demand"], w.t
    classes = demand.get("by_class", {}) if demand.get("basis") == "stays" else {}
    said = {
        "rest": t("rests of 20 min or more"),
        "wait": t("waits of 5 to 20 min"),
        "handover": t("handovers under 5 min"),
    }
    parts = [f"{said[c]} {w.number(classes[c])}" for c in said if classes.get(c, 0.0) > 0]
    lines = []
    if len(parts) > 1:
        lines.append(t("Rider-visits a day: {parts}.", parts=_BETWEEN.join(parts)))
    if "workday" in demand and "weekend" in demand:
        lines.append(
            t(
                "On a workday {workday}, on a weekend day {weekend}.",
                workday=w.number(demand["workday"]), weekend=w.number(demand["weekend"]),
            )
        )  # fmt: skip
    return t("{one} {two}", one=lines[0], two=lines[1]) if len(lines) > 1 else "".join(lines)


def weighing_words(plan: Plan, w: Words) -> str:
    """Return what visits were multiplied by, as the basis of a table says it; empty for nothing."""
    said = {w.t("expanded to registered workers"), w.t("need-weighted visits")}
    parts = str(plan.summary["coverage"]["basis"]).split(_BETWEEN)
    return _BETWEEN.join(part for part in parts if part in said)
