"""A town of 3 × 3 km made here, and its plan."""

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import csr_array

from planner.coverage.hours import open_in_dayparts
from planner.plan import Plan
from planner.settings import make_settings
from planner.tables import Reach

CRS = "EPSG:32650"
X0, Y0, SIDE = 400_000.0, 2_860_000.0, 3_000.0
CELL_M, LIMIT_MIN, METRES_A_MINUTE = 100.0, 15.0, 4000.0 / 60.0
HOSTILE = "<img src=x onerror=window.pwned=1>${1+1}</script>"


@pytest.fixture(scope="session")
def plan():
    """A plan with every layer: 5 stations, 3 sites, 12 other candidates, 4 parking sites."""
    settings = make_settings(
        {
            "study": {"name": "方城", "language": "zh"},
            "siting": {"count": 3},
            "report": {"review_number": "赣S(2025)012号"},
        }
    )
    demand, stations = _demand(), _stations()
    candidates = _candidates(stations)
    reach = _reach(demand, candidates)
    sites = _sites(reach, demand, candidates)
    opened = [*candidates.index[: len(stations)], *sites["candidate_id"]]
    tables = {
        "demand": demand,
        "stations": stations,
        "candidates": candidates,
        "sites": sites,
        "explanations": _explanations(sites),
        "parking": _parking(stations),
        "districts": _districts(),
        "hotspots": _hotspots(),
        "gatherings": _gatherings(),
        "uncovered": _uncovered(),
        "edits": _edits(),
        "streets": _streets(),
        "service_areas": _areas(candidates, candidates.index[: len(stations)], opened),
        "water": gpd.GeoDataFrame(
            geometry=[shapely.box(X0, Y0 + 1_430, X0 + SIDE, Y0 + 1_520)], crs=CRS
        ),
    }
    before = _coverage(reach, demand, candidates, candidates.index[: len(stations)], settings)
    after = _coverage(reach, demand, candidates, opened, settings)
    weight = float(demand["weight_per_day"].sum())
    summary = {
        "study": settings.name,
        "inputs": {"streets": {"file": "streets.osm.pbf"}},
        "demand": {
            "points": len(demand),
            "weight_per_day": weight,
            "suppressed_share": 0.031,
            "first_day": "2024-05-13",
            "last_day": "2024-05-15",
        },
        "coverage": {
            "mode": "walk",
            "limit_min": LIMIT_MIN,
            "basis": "步行",
            "before": before,
            "after": after,
        },
        "siting": {
            "bound": (after["covered_share"] + 0.03) * weight,
            "gap": 0.0123,
            "status": "feasible",
        },
    }
    return Plan(settings, tables, summary, reach)


@pytest.fixture(scope="session")
def hostile_plan(plan):
    """The same plan with markup in every name."""
    tables = {}
    for key, table in plan.tables.items():
        names = [
            c
            for c in (
                "name", "name_en", "host_name", "services", "why", "district", "alternative_name",
            )
            if c in table
        ]  # fmt: skip
        tables[key] = table.assign(
            **{c: [f"{HOSTILE} {key} {i}" for i in range(len(table))] for c in names}
        )
        tables[key].attrs = table.attrs
    settings = plan.settings.model_copy(
        update={"report": plan.settings.report.model_copy(update={"review_number": HOSTILE})}
    )
    summary = {**plan.summary, "study": HOSTILE}
    return dataclasses.replace(plan, tables=tables, settings=settings, summary=summary)


def _demand():
    """Hexagons of the town but for its corners, heavier towards the south-west."""
    step = CELL_M * np.sqrt(3) / 2
    first, last = int(Y0 / step) + 1, int((Y0 + SIDE) / step)
    row, col = (
        a.ravel()
        for a in np.meshgrid(
            np.arange(first, last),
            np.arange(int(X0 / CELL_M), int((X0 + SIDE) / CELL_M)),
            indexing="ij",
        )
    )
    x, y = CELL_M * (col + 0.5 * (row % 2)), row * step
    u, v = (x - X0) / SIDE, (y - Y0) / SIDE
    inside = np.hypot(u - 0.5, v - 0.5) < 0.5
    row, col, x, y, u, v = (a[inside] for a in (row, col, x, y, u, v))
    rng = np.random.default_rng(7)
    base = rng.gamma(2.0, 3.0, len(row)) * (2.0 - u - v)
    parts = dict(zip(("morning", "noon", "afternoon", "evening", "night"),
                     (0.2, 0.3, 0.15, 0.25, 0.1), strict=True))  # fmt: skip
    shares = {k: base * s * rng.uniform(0.5, 1.5, len(base)) for k, s in parts.items()}
    table = gpd.GeoDataFrame(
        {
            "weight_per_day": np.sum(list(shares.values()), axis=0),
            "workers": rng.integers(10, 60, len(row)),
            "cell_row": row,
            "cell_col": col,
            **{f"weight_{k}": w for k, w in shares.items()},
        },
        geometry=gpd.points_from_xy(x + rng.uniform(-20, 20, len(x)), y),
        index=pd.Index([f"d{i:04d}" for i in range(len(row))], name="demand_id"),
        crs=CRS,
    )
    table.attrs["demand"] = {"cell_m": CELL_M, "origin_x": 0.0, "origin_y": 0.0}
    return table


def _points(*places):
    return [shapely.Point(X0 + u * SIDE, Y0 + v * SIDE) for u, v in places]


def _stations():
    return gpd.GeoDataFrame(
        {
            "name": ["东门驿站", "河滨药店", "北广场驿站", "西市食堂", "南站司机之家"],
            "kind": ["station", "pharmacy", "station", "merchant", "drivers_home"],
            "services": ["休息;饮水", None, "休息", "", "充电;停车"],
            "hours": ["09:00-17:00", "00:00-24:00", "06:00-11:00,17:00-22:00",
                      "10:00-22:00", "20:00-06:00"],
            "hours_assumed": [True, False, False, False, False],
            "capacity": [12.0, np.nan, 8.0, np.nan, 30.0],
        },
        geometry=_points((0.8, 0.5), (0.62, 0.62), (0.5, 0.85), (0.3, 0.62), (0.55, 0.2)),
        index=pd.Index(["A1", "A2", "A3", "A4", "A5"], name="station_id"),
        crs=CRS,
    )  # fmt: skip


def _candidates(stations):
    grid = [(u, v) for u in (0.15, 0.4, 0.65) for v in (0.3, 0.45, 0.7, 0.8)]
    spots = [(0.2, 0.35), (0.42, 0.4), (0.75, 0.3), *grid]
    ids = ["host:h1", "corner:1", "hotspot:1", *(f"corner:{i}" for i in range(10, 22))]
    new = gpd.GeoDataFrame(
        {
            "name": ["老城社区中心", "中山路口", "工业园门", *(f"候选 {i}" for i in range(12))],
            "kind": ["host", "corner", "hotspot", *["corner"] * 12],
            "action": ["activate", "build", "build", *["build"] * 12],
            "host_name": ["老城社区中心", *[None] * 14],
            "hours": ["08:00-20:00", *["00:00-24:00"] * 14],
        },
        geometry=_points(*spots),
        index=pd.Index(ids),
        crs=CRS,
    )  # fmt: skip
    old = stations.assign(kind="existing", action="keep", host_name=None)
    old = old[["name", "kind", "action", "host_name", "hours", "geometry"]]
    old.index = pd.Index([f"station:{i}" for i in stations.index])
    return pd.concat([old, new]).rename_axis("candidate_id")


def _reach(demand, candidates):
    """Walk along the grid of streets: minutes are the sum of both sides."""
    dx = np.abs(np.subtract.outer(demand.geometry.x.to_numpy(), candidates.geometry.x.to_numpy()))
    dy = np.abs(np.subtract.outer(demand.geometry.y.to_numpy(), candidates.geometry.y.to_numpy()))
    minutes = (dx + dy) / METRES_A_MINUTE
    row, col = np.nonzero(minutes <= LIMIT_MIN)
    matrix = csr_array((minutes[row, col], (row, col)), shape=minutes.shape)
    return Reach(matrix, demand.index, candidates.index, LIMIT_MIN, "walk", 4.0)


def _sites(reach, demand, candidates):
    chosen = ["host:h1", "corner:1", "hotspot:1"]
    weight = demand["weight_per_day"].to_numpy()
    hit = reach.covered(np.arange(5))
    rows = []
    for rank, name in enumerate(chosen, start=1):
        now = hit | reach.covered(reach.facility_id.get_indexer([name]))
        gain = float(weight[now & ~hit].sum())
        hit = now
        rows.append(
            {
                "candidate_id": name,
                "rank": rank,
                **candidates.loc[name, ["name", "kind", "action", "host_name", "hours"]].to_dict(),
                "gain_per_day": gain,
                "gain_share": gain / weight.sum(),
                "cumulative_share": float(weight[hit].sum() / weight.sum()),
                "stability": [0.97, 0.85, 0.55][rank - 1],
                "before_min": 22.0 if rank < 3 else np.nan,
                "after_min": 8.0,
                "peak": "noon",
                "why": f"附近 {gain:.0f} 人次/日今天要走 22 分钟，多在午间；设站后只要 8 分钟。",
                "geometry": candidates.geometry[name],
            }
        )
    index = pd.Index(["S1", "S2", "S3"], name="site_id")
    return gpd.GeoDataFrame(rows, index=index, crs=CRS)


def _explanations(sites):
    """The first has a replacement, the second one nearly as good, the third none."""
    after = sites["cumulative_share"].iloc[-1]
    return pd.DataFrame(
        {
            "loss_share": [0.1234, 0.056, 0.0],
            "alternative_id": ["corner:10", "corner:11", None],
            "alternative_name": ["候选 0", "候选 1", None],
            "alternative_share": [after - 0.05, after - 0.001, np.nan],
            "near_ties": ["", "候选 1; 候选 7", ""],
            "near_ties_count": [0, 2, 0],
            "nearest_station_id": ["station:A1"] * 3,
            "nearest_station_name": ["东门驿站"] * 3,
            "nearest_station_min": [17.2, 21.0, np.nan],
            "district": ["江南区"] * 3,
            "district_gain_per_day": [100.0, 50.0, 20.0],
        },
        index=sites.index,
    )


def _parking(stations):
    return gpd.GeoDataFrame(
        {
            "name": ["人民路", "滨江路", "学府街", "站前路"],
            "bays": [6, 4, 9, 5],
            "served_per_day": [120.4, 66.0, 240.0, 81.0],
            "peak_per_hour": [18.0, 9.0, 33.0, 12.0],
            "blocking_share": [0.031, 0.048, 0.012, 0.02],
            "workers": [20, 14, 33, 17],
            "station_id": ["A1", None, "S1", None],
            "station_walk_m": [134.0, np.nan, 90.0, np.nan],
        },
        geometry=_points((0.87, 0.4), (0.35, 0.5), (0.1, 0.5), (0.7, 0.75)),
        index=pd.Index(["P1", "P2", "P3", "P4"], name="site_id"),
        crs=CRS,
    )


def _hotspots():
    return gpd.GeoDataFrame(
        {
            "name": ["江南区 · 第 10 街", "江北区 · 北广场"],
            "weight_per_day": [812.5, 401.0],
            "rest_per_day": [120.0, 60.0],
            "points": [12, 7],
            "peak": ["noon", ""],
            "peak_share": [0.41, np.nan],
        },
        geometry=_points((0.38, 0.36), (0.55, 0.78)),
        index=pd.Index(["hs001", "hs002"], name="hotspot_id"),
        crs=CRS,
    )


def _gatherings():
    return gpd.GeoDataFrame(
        {
            "name": ["江南区 · 第 8 街", "江北区 · 北广场", "江南区 · 5 号路"],
            "weight_per_day": [300.0, 401.0, 90.0],
            "rest_per_day": [122.4, 60.0, 41.0],
            "points": [9, 7, 3],
            "peak": ["evening", "", "noon"],
            "peak_share": [0.35, np.nan, 0.4],
            "station_m": [1234.0, 90.0, np.nan],
            "informal": [True, False, True],
        },
        geometry=_points((0.27, 0.27), (0.52, 0.82), (0.7, 0.15)),
        index=pd.Index(["g001", "g002", "g003"], name="gathering_id"),
        crs=CRS,
    )


def _uncovered():
    return gpd.GeoDataFrame(
        {
            "when": ["before", "after", "after"],
            "name": ["江南区 · 3 号路", "江北区 · 27 号路", "江南区 · 29 号路"],
            "weight_per_day": [910.0, 120.5, 233.3],
            "points": [15, 4, 6],
            "peak": ["noon", "", "evening"],
            "peak_share": [0.4, np.nan, 0.5],
            "nearest_min": [18.0, np.nan, 21.4],
        },
        geometry=_points((0.1, 0.35), (0.9, 0.9), (0.92, 0.1)),
        index=pd.Index(["before:1", "after:1", "after:2"], name="uncovered_id"),
        crs=CRS,
    )


def _edits():
    """A passage that the plan counts with, and a bridge over the river that may close."""
    (a, b), (c, d) = _points((0.45, 0.32), (0.49, 0.36)), _points((0.5, 0.46), (0.5, 0.53))
    return gpd.GeoDataFrame(
        {
            "name": ["商场后门通道", "江心桥"],
            "action": ["connect", "close"],
            "adopted": [True, False],
            "before_min": [7.6, 2.1],
            "after_min": [1.0, np.nan],
            "affected_per_day": [812.0, 1534.0],
            "affected_before_min": [11.2, 8.4],
            "affected_after_min": [8.1, 15.0],
            "hours_saved_per_day": [42.0, -168.7],
            "covered_before": [0.611, 0.623],
            "covered_after": [0.623, 0.566],
            "planned_before": [0.931, 0.931],
            "planned_after": [0.931, 0.884],
            "district": ["", "江北区"],
            "district_before": [np.nan, 0.41],
            "district_after": [np.nan, 0.22],
        },
        geometry=[
            shapely.MultiLineString([[a, b]]),
            shapely.MultiLineString([[c, d], [d, shapely.Point(d.x + 40, d.y)]]),
        ],
        index=pd.Index([1, 2], name="edit_id"),
        crs=CRS,
    )


def _districts():
    return gpd.GeoDataFrame(
        {"name": ["江北区", "江南区"], "name_en": ["Jiangbei", "Jiangnan"]},
        geometry=[
            shapely.box(X0, Y0 + SIDE / 2, X0 + SIDE, Y0 + SIDE),
            shapely.box(X0, Y0, X0 + SIDE, Y0 + SIDE / 2),
        ],
        index=pd.Index(["D1", "D2"], name="district_id"),
        crs=CRS,
    )


def _streets():
    lines, names, ranks = [], [], []
    for i in range(31):
        at = i * SIDE / 30
        rank = 4 if i % 10 == 0 else 3 if i % 5 == 0 else 2
        lines += [
            shapely.LineString([(X0 + at, Y0), (X0 + at, Y0 + SIDE)]),
            shapely.LineString([(X0, Y0 + at), (X0 + SIDE, Y0 + at)]),
        ]
        names += [f"{i} 号路", "" if i % 2 else f"第 {i} 街"]
        ranks += [rank, rank]
    streets = gpd.GeoDataFrame({"name": names, "street_class": ranks}, geometry=lines, crs=CRS)
    streets.attrs["attribution"] = "© OpenStreetMap contributors"
    return streets


def _areas(candidates, existing, opened):
    rows = []
    for when, ids in (("before", existing), ("after", opened)):
        for limit in (5.0, 10.0, 15.0):
            r = limit * METRES_A_MINUTE
            diamonds = [
                shapely.Polygon([(p.x - r, p.y), (p.x, p.y + r), (p.x + r, p.y), (p.x, p.y - r)])
                for p in candidates.geometry[list(ids)]
            ]
            rows.append({"when": when, "limit_min": limit, "geometry": shapely.union_all(diamonds)})
    return gpd.GeoDataFrame(rows, crs=CRS)


def _coverage(reach, demand, candidates, ids, settings):
    """What the line would write: nominal over the day, open-now in every daypart."""
    dayparts = settings.demand.dayparts
    columns = reach.facility_id.get_indexer(list(ids))
    weight = demand["weight_per_day"]
    is_open = open_in_dayparts(candidates["hours"].loc[list(ids)], dayparts)
    open_now = {
        k: float(demand.loc[reach.covered(columns[is_open[k].to_numpy()]), f"weight_{k}"].sum()
                 / demand[f"weight_{k}"].sum())
        for k in dayparts
    }  # fmt: skip
    covered = float(weight[reach.covered(columns)].sum() / weight.sum())
    return {
        "covered_share": covered,
        "open_now": open_now,
        "by_district": {},
        "circle_share": min(1.0, covered * 1.1),
    }
