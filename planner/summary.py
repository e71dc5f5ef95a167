"""The numbers of `plan.json`, gathered from settings and tables."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from planner.geo import WGS84
from planner.i18n import translator
from planner.settings import STAY_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from planner.network import StreetNetwork
    from planner.settings import Settings
    from planner.tables import Reach

MODES = {"walk": "walking", "ebike": "by e-bike", "drive": "driving"}
VISITS = {
    "stays": "visits are stays",
    "presence": "visits are riders seen every 5 min",
    "orders": "visits are ends of orders",
    "counts": "visits are counts",
}
EXPANDED, NEEDED = "expanded to registered workers", "need-weighted visits"
EXISTING = "station:"  # how the identifiers of existing stations start among candidates
DATA_KEYS = (
    "study", "version", "seed", "inputs", "activity", "network", "demand", "off_streets",
    "apart",
)  # fmt: skip
_MEASURES = (
    "backup_share", "gradual_share", "mean_min", "median_min", "p90_min", "seats_per_100",
)  # fmt: skip
_ROUNDING = 2e-9  # of shares: what the screening's bound allows for sums in floating point
# Counts that may tell of fewer workers than k; `quality` shows of them what may be shown.
_OF_FEW = ("fixes_per_hour", "workers_by_type")
_SEATS = ("seat_kind", "seats", "served_per_day", "load_share")
_SOMETIMES = ("host_class", "backed_per_day", *_SEATS, "status", "owner", "note")  # of sites
_PACKAGES = (
    "folium", "geopandas", "highspy", "numba", "numpy", "osmnx", "pandas", "pyarrow", "pyogrio",
    "scikit-learn", "scipy", "shapely", "station-coverage-planner",
)  # fmt: skip


def summarise(
    s: Settings,
    tables: Mapping[str, Any],
    *,
    notes: Mapping[str, Any],
    streets: StreetNetwork,
    stays: pd.DataFrame,
    reach: Reach,
    circles: tuple[float, float],
    equity: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what `plan.json` holds; its schema is in the docs.

    Parameters
    ----------
    s, tables
        The study and the tables of its plan (absent ones None).
    notes
        What was read and lost, an input each, as `tables.record_input` notes it.
    streets, stays, reach
        Where further counts come from; no stay and no rider enters the result.
    circles
        The covered share that circles would claim, before and after.
    equity
        Gini and the worst district of the plan.
    """
    return {
        **describe_data(
            s, tables["demand"], notes=notes, streets=streets, stays=stays, reach=reach
        ),
        "coverage": {
            "mode": s.service.mode,
            "limit_min": s.service.limit_min,
            "basis": basis_text(s, tables["stations"], **visit_words(tables["demand"])),
            "before": _coverage(tables, "before", circles[0]),
            "after": _coverage(tables, "after", circles[1]),
        },
        "siting": {
            **tables["sites"].attrs["siting"],
            "frontier": tables["frontier"].replace({np.nan: None}).to_dict("records"),
            **tables["frontier"].attrs["frontier"],
            **_money(tables["money"]),
            **_scenarios(tables["scenarios"]),
            "sites": _sites(tables["sites"], tables["explanations"]),
        },
        "candidates": _candidates(tables),
        "parking": {**tables["parking"].attrs["parking"], "sites": _bays(tables["parking"])},
        "informal_rest": _informal_rest(s, tables["gatherings"]),
        "hotspots": _hotspots(tables["hotspots"]),
        "whatif": _whatif(tables["edits"]),
        "equity": dict(equity),
        "privacy": {
            "min_workers": s.demand.min_workers,
            "suppressed_cells": tables["demand"].attrs["demand"]["suppressed_cells"],
        },
        "packages": {name: version(name) for name in _PACKAGES},
    }


def describe_data(
    s: Settings,
    demand: pd.DataFrame,
    *,
    notes: Mapping[str, Any],
    streets: StreetNetwork,
    stays: pd.DataFrame,
    reach: Reach,
) -> dict[str, Any]:
    """Return the part of `plan.json` that is known before any site is chosen (`DATA_KEYS`)."""
    return {
        "study": s.name,
        "version": version("station-coverage-planner"),
        "seed": s.study.seed,
        "inputs": {name: dict(note) for name, note in notes.items()},
        "activity": {
            key: value
            for key, value in stays.attrs.get("activity", {}).items()
            if key not in _OF_FEW
        },
        "network": {
            "nodes": streets.n_nodes,
            "edges": streets.n_edges,
            "components": streets.n_components,
            "mode": streets.mode,
            "main_share": float(streets.length_m[streets.main].sum() / streets.length_m.sum()),
        },
        "demand": _demand(s, demand, stays)
        | {
            "off_streets_share": off_streets_share(reach, demand),
            "apart_share": _share_of(demand, reach.apart_demand),
        },
        "off_streets": [i for i in map(str, reach.unsnapped_facilities) if i.startswith(EXISTING)],
        "apart": [i for i in map(str, reach.apart_facilities) if i.startswith(EXISTING)],
    }


def basis_text(
    s: Settings, stations: pd.DataFrame | None, visits: str = "stays", *, expanded: bool = False
) -> str:
    """Return the words every covered share carries: mode, limit, hours and basis.

    Parameters
    ----------
    s
        The study.
    stations
        `stations` table, for hours that were assumed.
    visits
        A key of `VISITS`.
    expanded
        Whether visits were expanded to the registered workers. Need weights are the study's.

    Examples
    --------
    >>> from planner.settings import make_settings
    >>> basis_text(make_settings({"study": {"language": "en"}}), None)
    'walking · 15 min · at any hour · along streets at 4 km/h · visits are stays'
    """
    t = translator(s.study.language)
    parts = [
        t(MODES[s.service.mode]),
        t("{n} min", n=f"{s.service.limit_min:g}"),
        t("at any hour"),
        t("along streets at {v} km/h", v=f"{s.service.circle_kmh:g}"),
    ]
    if s.service.mode == "drive" and s.service.speed_kmh is None:
        parts[-1] = t("along streets at street speeds")
    adopted = sum(edit.adopt for edit in s.streets.edits)
    if adopted:
        parts.append(t("adopted changes to the streets: {n}", n=adopted))
    if stations is not None and stations["hours_assumed"].any():
        parts.append(
            t(
                "hours assumed for {n} of {of} stations",
                n=int(stations["hours_assumed"].sum()),
                of=len(stations),
            )
        )
    parts.append(t(VISITS[visits]))
    if expanded:
        parts.append(t(EXPANDED))
    if weighs_need(s):
        parts.append(t(NEEDED))
    return " · ".join(parts)


def visit_words(demand: pd.DataFrame) -> dict[str, Any]:
    """Return what `basis_text` asks about demand: what a visit is, and whether it is expanded."""
    note = demand.attrs["demand"]
    return {"visits": note["basis"], "expanded": bool(note.get("expansion"))}


def weighs_need(s: Settings) -> bool:
    """Tell whether visits weigh by their stay class or worker type."""
    return any(value != 1.0 for value in (*s.demand.need.values(), *s.demand.need_types.values()))


def off_streets_share(reach: Reach, demand: pd.DataFrame) -> float:
    """Return the share of the demand too far from every street to reach anything."""
    return _share_of(demand, reach.unsnapped_demand)


def _share_of(demand: pd.DataFrame, demand_id: pd.Index) -> float:
    return float(demand["weight_per_day"].reindex(demand_id).sum() / demand["weight_per_day"].sum())


def _demand(s: Settings, demand: pd.DataFrame, stays: pd.DataFrame) -> dict[str, Any]:
    note = demand.attrs["demand"]
    days = stays["arrive"].dt.date if "arrive" in stays else None
    return {
        "points": len(demand),
        "weight_per_day": float(demand["weight_per_day"].sum()),
        "workers": note["workers"],
        "suppressed_share": note["suppressed_share"],
        "basis": note["basis"],
        "by_daypart": _sums(demand, {name: name for name in s.demand.dayparts}),
        "by_class": _sums(demand, {name: f"class_{name}" for name in STAY_CLASSES}),
        **_sums(demand, {name: name for name in ("workday", "weekend")}),
        **_weighing(s, note, stays),
        "first_day": None if days is None else str(days.min()),
        "last_day": None if days is None else str(days.max()),
        "days": note["days"],
    }


def _sums(demand: pd.DataFrame, names: Mapping[str, str]) -> dict[str, float]:
    """Return visits a day by name, of those ``weight_…`` columns that are there."""
    columns = {name: f"weight_{column}" for name, column in names.items()}
    return {n: float(demand[c].sum()) for n, c in columns.items() if c in demand}


def _weighing(s: Settings, note: Mapping[str, Any], stays: pd.DataFrame) -> dict[str, Any]:
    """Return what visits were multiplied by; nothing where they were not."""
    told: dict[str, Any] = {}
    if s.demand.registered:
        riders = stays.attrs.get("activity", {}).get("riders")
        told["expansion"] = hide_few(note.get("expansion", {}), riders, s.demand.min_workers)
        if note.get("expansion_faults"):
            told["expansion_faults"] = note["expansion_faults"]
    if weighs_need(s):
        told["need"] = {**s.demand.need, **{f"type_{k}": v for k, v in s.demand.need_types.items()}}
    return told


def hide_few(
    expansion: Mapping[str, Mapping[str, Any]], riders: int | None, min_workers: int
) -> dict[str, dict[str, Any]]:
    """Return the expansion without numbers from which under k workers could be worked out.

    The workers of all listed types, taken from all riders, leave those of the others. If these are
    under k, the smallest pool of listed types is told without its number and factor.

    Parameters
    ----------
    expansion
        Worker type → ``{seen, registered, factor, together_with}``.
    riders
        All that were seen, where it is known.
    min_workers
        The privacy limit k.

    Examples
    --------
    >>> told = {"food": {"seen": 300, "registered": 900, "factor": 3.0}}
    >>> hide_few(told, 400, 10)["food"]["factor"], hide_few(told, 304, 10)["food"]["factor"]
    (3.0, None)
    """
    told = {kind: dict(entry) for kind, entry in expansion.items()}
    pools = {frozenset([k, *e.get("together_with", [])]): e["seen"] for k, e in told.items()}
    left = 0 if riders is None else riders - sum(pools.values())
    if 0 < left < min_workers and pools:
        for kind in min(pools, key=lambda pool: (pools[pool], sorted(pool))):
            told[kind] |= {"seen": None, "factor": None}
    return told


def _whatif(edits: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    """Rows of the table `edits` without geometry; none where the study edits no street."""
    if edits is None:
        return []
    frame = edits.drop(columns="geometry").astype(object)
    frame = frame.where(frame.notna(), None)
    frame.insert(0, "edit_id", edits.index)
    return frame.to_dict("records")


def _informal_rest(s: Settings, gatherings: pd.DataFrame) -> dict[str, Any]:
    bare = gatherings[gatherings["informal"].astype(bool)]
    return {
        "places": len(gatherings),
        "without_shelter": len(bare),
        "rest_per_day": float(bare["rest_per_day"].sum()),
        "shelter_m": s.candidates.shelter_m,
    }


def _hotspots(hotspots: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    named = hotspots.assign(peak=hotspots["peak"].replace("", None))
    return _records(named, ["name", "weight_per_day", "peak"], index="hotspot_id")


def _coverage(tables: Mapping[str, Any], when: str, circle_share: float) -> dict[str, Any]:
    table = tables[f"coverage_{when}"]
    closures, uncovered = (t[t["when"] == when] for t in (tables["closures"], tables["uncovered"]))

    def shares(scope: str, column: str) -> dict[str, float]:
        rows = table[table["scope"] == scope]
        return dict(zip(rows["name"], rows[column].astype(float), strict=True))

    return {
        "covered_share": float(table["covered_share"].loc["all"]),
        "open_now": shares("daypart", "open_share"),
        "by_district": shares("district", "covered_share"),
        "circle_share": circle_share,
        **{name: float(table[name].loc["all"]) for name in _MEASURES},
        "uncovered": uncovered[["name", "weight_per_day", "nearest_min"]].to_dict("records"),
        "closures": closures.drop(columns="when").to_dict("records"),
    }


def _money(money: pd.DataFrame | None) -> dict[str, Any]:
    """Return coverage against money; nothing without costs."""
    if money is None:
        return {}
    return {"money": money.to_dict("records"), **money.attrs["money"]}


def _scenarios(scenarios: pd.DataFrame | None) -> dict[str, Any]:
    """Return how the plan fares if demand changes, the worst of it, and the sites that hold."""
    if scenarios is None:
        return {}
    note = scenarios.attrs["scenarios"]
    rows = scenarios.reset_index().to_dict("records")
    return {"scenarios": rows, "worst": note["worst"], "safe": note["safe"]}


def _sites(sites: gpd.GeoDataFrame, explanations: pd.DataFrame) -> list[dict[str, Any]]:
    columns = [
        "rank", "name", "action", "gain_share", "cumulative_share", "stability",
        "informal_rest_per_day", "host_name", "why",
        *(name for name in _SOMETIMES if name in sites),
    ]  # fmt: skip
    told = explanations.reindex(sites.index).astype(object)
    rows = told.where(told.notna(), None).to_dict("records")
    pairs = zip(_records(sites, columns), rows, strict=True)
    return [site | _behind(dict(row)) for site, row in pairs]


def _behind(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what is lost without a site, and what could take its place."""
    best = {
        "candidate_id": row["alternative_id"],
        "name": row["alternative_name"],
        "covered_share": row["alternative_share"],
    }
    ties = [name.strip() for name in str(row["near_ties"] or "").split(";")]
    return {
        "loss_share": row["loss_share"],
        "alternative": best if row["alternative_id"] is not None else None,
        "near_ties": [name for name in ties if name],
        "nearest_station": row["nearest_station_name"],
        "nearest_station_min": row["nearest_station_min"],
    }


def _candidates(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many were offered and dropped, and what the screening may have cost the plan."""
    note, siting = tables["candidates"].attrs["candidates"], tables["sites"].attrs["siting"]
    screening, total = dict(note["screening"]), float(tables["demand"]["weight_per_day"].sum())
    may_lose = 0.0 if screening["exact"] else None
    if screening["bound"] is not None and siting["model"] == "mclp":
        may_lose = max(0.0, screening["bound"] - siting["objective"]) / total
        may_lose = 0.0 if may_lose < _ROUNDING else may_lose
    screening["may_lose_share"] = may_lose
    return {**note, "screening": screening}


def _bays(parking: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    columns = ["bays", "served_per_day", "blocking_share", "station_id", "station_walk_m"]
    return _records(parking, columns)


def _records(
    table: gpd.GeoDataFrame, columns: list[str], *, index: str = "site_id"
) -> list[dict[str, Any]]:
    """Rows as dicts with identifier and degrees (seven decimals: 1 cm)."""
    points = gpd.GeoSeries(table.geometry).to_crs(WGS84)
    frame = table[columns].astype(object).where(table[columns].notna(), None)
    frame.insert(0, index, table.index)
    frame["lon"], frame["lat"] = np.round(points.x, 7), np.round(points.y, 7)
    return frame.to_dict("records")
