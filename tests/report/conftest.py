"""A small city with a plan, made by numpy alone: no stage of the line takes part."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import csr_array

from planner.plan import Plan
from planner.settings import make_settings
from planner.tables import Reach

CRS = "EPSG:32650"
HOSTILE = "<img src=x onerror=alert(1)>${1+1}</script>"
FORMULA = "=1+1"
X0, Y0 = 400_000.0, 2_860_000.0
CELL_M, LIMIT_MIN, HORIZON_MIN, KMH = 150.0, 15.0, 60.0, 4.0
DETOUR = 1.3
EDITS = [("商场后门通道", "Mall storeroom door"), ("江北大桥", "North bridge"),
         ("厂区东门", "East gate")]  # fmt: skip
DAYPARTS = {
    "morning": (6, 11),
    "noon": (11, 14),
    "afternoon": (14, 17),
    "evening": (17, 21),
    "night": (21, 6),
}
NAMES = {
    "zh": {
        "districts": ["江北", "老城", "新区"],
        "street": "长征大道{n}号路口",
        "station": "骑手驿站{n}",
        "host": "幸福社区{n}号服务中心",
        "study": "虔城样例",
    },
    "en": {
        "districts": ["North Bank", "Old Town", "New District"],
        "street": "{n} Long March Ave",
        "station": "Riders' station {n}",
        "host": "Happiness Centre {n}",
        "study": "Sample city",
    },
}


def make_plan(language="zh", *, hostile=False, **study):
    """A plan of 900 cells, 9 stations and 6 sites; `hostile` puts markup and formulas in names."""
    words = NAMES[language]
    settings = make_settings(
        {
            "study": {"name": words["study"], "language": language, **study},
            "demand": {"cell_m": CELL_M},
            "siting": {"count": 6},
            "streets": {"file": "streets.osm.pbf"},
        }
    )
    rng = np.random.default_rng(7)
    demand, stations = make_demand(rng), make_stations(rng, words)
    candidates = make_candidates(rng, stations, words)
    districts = make_districts(words)
    if hostile:
        poison = f"{HOSTILE}"
        districts.loc[districts.index[0], "name"] = poison
        stations.loc[stations.index[0], ["name", "services"]] = [FORMULA, '=HYPERLINK("http://x")']
        candidates.loc[candidates.index[9:], "name"] = [
            poison,
            FORMULA,
            "+cmd|'/C calc'!A0",
            "@SUM(1)",
            "-2+3",
            "&L&D",
        ] * 4
    minutes = minutes_between(demand, candidates)
    reach = Reach(minutes, demand.index, candidates.index, LIMIT_MIN, "walk", KMH)
    sites = choose(reach, demand, candidates)
    parking = make_parking(rng, stations, sites)
    tables = {
        "demand": demand,
        "stations": stations,
        "candidates": candidates,
        "districts": districts,
        "hotspots": make_hotspots(words),
        "gatherings": make_gatherings(words),
        "sites": sites,
        "parking": parking,
        "streets": make_streets(),
        "water": gpd.GeoDataFrame(geometry=[river()], crs=CRS),
    }
    for when, chosen in (("before", []), ("after", list(sites["candidate_id"]))):
        tables[f"coverage_{when}"] = measure(reach, demand, candidates, chosen, districts)
    tables |= {
        "closures": make_closures(reach, demand, candidates, sites),
        "uncovered": make_uncovered(words),
        "edits": make_edits(words),
        "frontier": make_frontier(reach, demand, candidates, sites),
        "explanations": make_explanations(reach, demand, candidates, sites),
    }
    if hostile:
        for name, columns in (("edits", ["name", "district"]), ("uncovered", ["name"])):
            tables[name] = tables[name].assign(**dict.fromkeys(columns, HOSTILE))
    summary = summarise(settings, tables)
    if hostile:
        summary["inputs"]["stations"]["examples"] = {"malformed coordinate": f"row 41: {HOSTILE}"}
        summary["inputs"]["stations"]["file"] = FORMULA
        summary["study"] = f"{HOSTILE}&L"
    return Plan(settings, tables, summary, reach)


def river():
    x = np.linspace(X0 - 4000, X0 + 4000, 60)
    return shapely.LineString(np.column_stack([x, Y0 + 900 + 500 * np.sin(x / 900)])).buffer(130)


def make_demand(rng):
    row, col = np.divmod(np.arange(52 * 60), 60)
    row, col = row + int(Y0 / (CELL_M * 0.75**0.5)) - 26, col + int(X0 / CELL_M) - 30
    x, y = CELL_M * (col + 0.5 * (row % 2)), row * CELL_M * 0.75**0.5
    hills = [
        (0, -400, 900, 60),
        (1800, 1900, 800, 40),
        (-2200, -1500, 700, 30),
        (2600, -1700, 500, 45),
    ]
    weight = sum(
        k * np.exp(-((x - X0 - dx) ** 2 + (y - Y0 - dy) ** 2) / (2 * s * s))
        for dx, dy, s, k in hills
    ) * rng.gamma(2.0, 0.5, len(x))
    dry = ~shapely.contains_xy(river(), x, y)
    keep = (weight > 3.0) & dry
    frame = gpd.GeoDataFrame(
        {
            "weight_per_day": weight[keep],
            "workers": rng.integers(10, 60, keep.sum()),
            "cell_row": row[keep],
            "cell_col": col[keep],
        },
        geometry=gpd.points_from_xy(x[keep], y[keep]),
        crs=CRS,
    )
    for part, share in zip(DAYPARTS, (0.2, 0.3, 0.15, 0.25, 0.1), strict=True):
        frame[f"weight_{part}"] = frame["weight_per_day"] * share
    frame.index = pd.Index([f"d{k:04}" for k in range(len(frame))], name="demand_id")
    return frame


def make_hotspots(words):
    north, old, _ = words["districts"]
    return gpd.GeoDataFrame(
        {
            "name": [
                f"{old} · {words['street'].format(n=2)}",
                f"{north} · {words['street'].format(n=5)}",
            ],
            "weight_per_day": [812.6, 401.0],
            "rest_per_day": [122.4, 60.0],
            "points": [12, 7],
            "peak": ["noon", ""],
            "peak_share": [0.41, np.nan],
            **{f"weight_{p}": [160.0, 80.0] for p in DAYPARTS},
        },
        geometry=gpd.points_from_xy([X0, X0 + 1800], [Y0 - 400, Y0 + 1900]),
        crs=CRS,
        index=pd.Index(["hs001", "hs002"], name="hotspot_id"),
    )


def make_gatherings(words):
    """Three places: one that a site comes near to, one with a station at hand, one far off."""
    _, old, new = words["districts"]
    return gpd.GeoDataFrame(
        {
            "name": [
                f"{old} · {words['street'].format(n=2)}",
                old,
                f"{new} · {words['street'].format(n=7)}",
            ],
            "weight_per_day": [300.0, 401.0, 90.0],
            "rest_per_day": [122.4, 60.0, 41.0],
            "points": [9, 7, 3],
            "peak": ["evening", "", "noon"],
            "peak_share": [0.35, np.nan, 0.4],
            "station_m": [1234.0, 90.0, np.nan],
            "informal": [True, False, True],
            **{f"weight_{p}": [60.0, 80.0, 18.0] for p in DAYPARTS},
        },
        geometry=gpd.points_from_xy([X0 - 700, X0, X0 + 60_000], [Y0 - 300, Y0 - 500, Y0]),
        crs=CRS,
        index=pd.Index(["g001", "g002", "g003"], name="gathering_id"),
    )


def make_stations(rng, words):
    at = [
        (-200, -500),
        (400, -100),
        (-700, -900),
        (900, -600),
        (-100, 100),
        (1500, 1700),
        (2300, 2200),
        (-1900, -1300),
        (300, -1300),
    ]
    n = len(at)
    frame = gpd.GeoDataFrame(
        {
            "name": [words["station"].format(n=k + 1) for k in range(n)],
            "kind": ["station"] * 6 + ["pharmacy", "merchant", "drivers_home"],
            "services": ["rest;water;charge"] * (n - 1) + [None],
            "hours": ["09:00-17:00", "00:00-24:00", "08:00-22:00"] * 3,
            "hours_assumed": [True, False, False] * 3,
            "capacity": [12.0, np.nan, 8.0] * 3,
        },
        geometry=gpd.points_from_xy([X0 + x for x, _ in at], [Y0 + y for _, y in at]),
        crs=CRS,
    )
    frame.index = pd.Index([f"{k:03}" for k in range(1, n + 1)], name="station_id")
    return frame


def make_candidates(rng, stations, words):
    x, y = np.meshgrid(np.linspace(-2800, 2800, 6), np.linspace(-2000, 2300, 4))
    x, y = x.ravel() + rng.normal(0, 60, 24), y.ravel() + rng.normal(0, 60, 24)
    host = np.arange(24) % 2 == 0
    names = [words["host" if h else "street"].format(n=k + 1) for k, h in enumerate(host)]
    fresh = gpd.GeoDataFrame(
        {
            "name": names,
            "kind": np.where(host, "host", "corner"),
            "action": np.where(host, "activate", "build"),
            "host_name": [n if h else None for n, h in zip(names, host, strict=True)],
            "hours": "07:00-22:00",
        },
        geometry=gpd.points_from_xy(X0 + x, Y0 + y),
        crs=CRS,
        index=[f"{'host' if h else 'corner'}:{k}" for k, h in enumerate(host)],
    )
    kept = stations[["name", "hours", "geometry"]].assign(
        kind="existing", action="keep", host_name=None
    )
    kept.index = [f"station:{k}" for k in stations.index]
    return pd.concat([kept[fresh.columns], fresh]).rename_axis("candidate_id")


def make_districts(words):
    west, east = X0 - 3900, X0 + 3900
    boxes = [
        shapely.box(west, Y0 + 700, east, Y0 + 3600),
        shapely.box(west, Y0 - 3200, X0 + 1300, Y0 + 700),
        shapely.box(X0 + 1300, Y0 - 3200, east, Y0 + 700),
    ]
    index = pd.Index(["a", "b", "c"], name="district_id")
    english = NAMES["en"]["districts"]
    return gpd.GeoDataFrame(
        {"name": words["districts"], "name_en": english}, geometry=boxes, crs=CRS, index=index
    )


def make_streets():
    lines, classes = [], []
    for k, offset in enumerate(range(-3600, 3601, 240)):
        number = 4 if k % 10 == 5 else 3 if k % 5 == 0 else 1
        lines += [
            shapely.LineString([(X0 + offset, Y0 - 3200), (X0 + offset + 90, Y0 + 3500)]),
            shapely.LineString(
                [(X0 - 3900, Y0 + 0.9 * offset), (X0 + 3900, Y0 + 0.9 * offset + 200)]
            ),
        ]
        classes += [number, number]
    frame = {"name": "", "street_class": np.array(classes, dtype=np.int8)}
    return gpd.GeoDataFrame(frame, geometry=lines, crs=CRS)


def minutes_between(demand, candidates):
    minutes = all_minutes(demand, candidates)
    return csr_array(np.where(minutes <= LIMIT_MIN, minutes, 0.0))


def all_minutes(demand, facilities):
    """Minutes from every demand point to every facility, however far; shape (n, m)."""
    dx = demand.geometry.x.to_numpy()[:, None] - facilities.geometry.x.to_numpy()
    dy = demand.geometry.y.to_numpy()[:, None] - facilities.geometry.y.to_numpy()
    return DETOUR * np.hypot(dx, dy) / (KMH * 1000 / 60)


def choose(reach, demand, candidates, count=6):
    """Greedy: enough of a plan to be told of."""
    weight, total = demand["weight_per_day"].to_numpy(), demand["weight_per_day"].sum()
    minutes = reach.minutes.tocsc()
    covered = reach.covered(np.flatnonzero(candidates["action"] == "keep"))
    offered = np.flatnonzero(candidates["action"] != "keep")
    rows = []
    for rank in range(1, count + 1):
        fresh = {j: minutes.indices[minutes.indptr[j] : minutes.indptr[j + 1]] for j in offered}
        gains = {j: weight[r[~covered[r]]].sum() for j, r in fresh.items()}
        best = max(offered, key=lambda j: (gains[j], -j))
        covered[fresh[best]] = True
        candidate = candidates.iloc[best]
        rows.append(
            {
                "candidate_id": candidates.index[best],
                "rank": rank,
                **candidate[["name", "kind", "action", "host_name", "hours"]],
                "gain_per_day": gains[best],
                "gain_share": gains[best] / total,
                "cumulative_share": weight[covered].sum() / total,
                "stability": [1.0, 0.97, 0.93, 0.88, 0.81, 0.64][rank - 1],
                "before_min": 24.0 + rank,
                "after_min": 6.4 + rank,
                "peak": "noon",
                "why": f"{gains[best]:.0f} {candidate['name']}",
                "geometry": candidate["geometry"],
            }
        )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=candidates.crs)
    frame.index = pd.Index([f"site:{r}" for r in frame["rank"]], name="site_id")
    return frame


def make_parking(rng, stations, sites):
    at = sites.geometry.iloc[:4].translate(120, -150)
    frame = gpd.GeoDataFrame(
        {
            "name": list(sites["name"].iloc[:4]),
            "bays": [8, 5, 12, 4],
            "served_per_day": [120.4, 61.2, 310.0, 33.3],
            "peak_per_hour": [22.0, 11.5, 60.2, 7.1],
            "blocking_share": [0.031, 0.044, 0.0499, 0.012],
            "workers": [40, 21, 77, 12],
            "station_id": [sites.index[0], "003", None, sites.index[3]],
            "station_walk_m": [182.0, 94.0, np.nan, 140.0],
        },
        geometry=list(at),
        crs=CRS,
    )
    frame.index = pd.Index([f"parking:{k}" for k in range(1, 5)], name="site_id")
    return frame


def measure(reach, demand, candidates, chosen, districts):
    kept = candidates.index[candidates["action"] == "keep"]
    columns = candidates.index.get_indexer([*kept, *chosen])
    covered = reach.covered(columns)
    awake = candidates["hours"].to_numpy() != "09:00-17:00"
    at_night = reach.covered(columns[awake[columns]])
    near = all_minutes(demand, candidates.iloc[columns])
    rows = {}

    def add(scope, name, weight, open_now=None):
        key = scope if scope == "all" else f"{scope}:{name}"
        total = weight.sum()
        rows[key] = {
            "scope": scope,
            "name": name,
            "weight_per_day": total,
            "covered_share": weight[covered].sum() / total,
            "open_share": np.nan if open_now is None else weight[open_now].sum() / total,
            **ease(near, weight.to_numpy(), covered),
        }

    add("all", "all", demand["weight_per_day"])
    for part in DAYPARTS:
        add(
            "daypart",
            part,
            demand[f"weight_{part}"],
            at_night if part in ("evening", "night") else covered,
        )
    for name, shape in zip(districts["name"], districts.geometry, strict=True):
        add("district", name, demand["weight_per_day"] * demand.within(shape))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("scope_id")
    table.attrs["coverage"] = {"horizon_min": HORIZON_MIN, "full_min": 5.0}
    return table


def ease(minutes, weight, covered):
    """Minutes, backup, gradual coverage and seats of one scope, straight from the definitions."""
    nearest = minutes.min(axis=1)
    order = np.argsort(nearest, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    within = nearest <= HORIZON_MIN

    def quantile(q):
        value = nearest[order][np.searchsorted(share, q - 1e-12)]
        return value if value <= HORIZON_MIN else np.nan

    gradual = np.clip((LIMIT_MIN - nearest) / (LIMIT_MIN - 5.0), 0.0, 1.0)
    return {
        "mean_min": np.average(nearest[within], weights=weight[within]),
        "median_min": quantile(0.5),
        "p90_min": quantile(0.9),
        "backup_share": weight[(minutes <= LIMIT_MIN).sum(axis=1) >= 2].sum() / weight.sum(),
        "gradual_share": (weight * gradual).sum() / weight.sum(),
        "seats_per_100": 36.0 / weight.sum() * 100 * covered.mean(),
    }


def make_closures(reach, demand, candidates, sites):
    """What each closing would cost, today and with the plan."""
    weight, rows = demand["weight_per_day"].to_numpy(), {}
    kept = candidates.index[candidates["action"] == "keep"]
    for when, opened in (("before", kept), ("after", kept.append(pd.Index(sites["candidate_id"])))):
        minutes = all_minutes(demand, candidates.loc[opened])
        nearest = minutes.argmin(axis=1)
        for j, key in enumerate(opened):
            rest = np.delete(minutes, j, axis=1).min(axis=1)
            lost = weight[(minutes.min(axis=1) <= LIMIT_MIN) & (rest > LIMIT_MIN)].sum()
            away = np.median(rest[nearest == j]) if (nearest == j).any() else np.nan
            rows[f"{when}:{key}"] = {
                "when": when,
                "facility_id": key,
                "name": candidates.loc[key, "name"],
                "served_per_day": weight[nearest == j].sum(),
                "lost_per_day": lost,
                "lost_share": lost / weight.sum(),
                "next_min": away if away <= HORIZON_MIN else np.nan,
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("closure_id")


def make_frontier(reach, demand, candidates, sites, most=20):
    """Greedy for every count, better by a point at the third; the bound opens from the fifth on."""
    order = [*sites["candidate_id"]]
    rest = [j for j in candidates.index[candidates["action"] != "keep"] if j not in order]
    kept = [*candidates.index[candidates["action"] == "keep"]]
    nested = np.array([share_of(reach, demand, [*kept, *order[:k]]) for k in range(len(order) + 1)])
    while len(order) < most:
        order.append(max(rest, key=lambda j: share_of(reach, demand, [*kept, *order, j])))
        rest.remove(order[-1])
    covered = [share_of(reach, demand, [*kept, *order[:k]]) for k in range(most + 1)]
    covered[3] += 0.01
    count = np.arange(most + 1)
    bound = np.minimum(1.0, np.array(covered) + 0.002 * np.maximum(count - 4, 0))
    return pd.DataFrame(
        {
            "count": count,
            "covered_share": covered,
            "bound_share": bound,
            "nested_share": np.append(nested, np.full(most + 1 - len(nested), np.nan)),
            "status": np.where(bound - covered < 1e-9, "optimal", "feasible"),
            "cost": np.nan,
        },
        index=pd.RangeIndex(most + 1, name="frontier_id"),
    )


def share_of(reach, demand, facilities):
    weight = demand["weight_per_day"].to_numpy()
    covered = reach.covered(reach.facility_id.get_indexer(list(facilities)))
    return weight[covered].sum() / weight.sum()


def make_explanations(reach, demand, candidates, sites):
    """What each site's absence costs and every candidate in its place, by trying them all."""
    kept = [*candidates.index[candidates["action"] == "keep"]]
    chosen = [*sites["candidate_id"]]
    free = candidates.index.difference([*kept, *chosen])
    whole, rows = share_of(reach, demand, [*kept, *chosen]), []
    for place in chosen:
        others = [*kept, *(j for j in chosen if j != place)]
        value = {j: share_of(reach, demand, [*others, j]) for j in free}
        best = sorted(free, key=lambda j: (-value[j], j))
        ties = [j for j in best if value[j] >= 0.995 * whole]
        rows.append(
            {
                "loss_share": whole - share_of(reach, demand, others),
                "alternative_id": best[0],
                "alternative_name": candidates.loc[best[0], "name"],
                "alternative_share": value[best[0]],
                "near_ties": "; ".join(candidates.loc[ties, "name"]),
                "near_ties_count": len(ties),
                "nearest_station_id": kept[0],
                "nearest_station_name": candidates.loc[kept[0], "name"],
                "nearest_station_min": 18.4,
                "district": None,
                "district_gain_per_day": np.nan,
            }
        )
    return pd.DataFrame(rows, index=sites.index)


def make_uncovered(words):
    """One place that the plan does not reach, two that are without a station today."""
    north, _, new = words["districts"]
    return gpd.GeoDataFrame(
        {
            "when": ["before", "before", "after"],
            "name": [
                f"{new} · {words['street'].format(n=3)}",
                f"{north} · {words['street'].format(n=8)}",
                f"{north} · {words['street'].format(n=8)}",
            ],
            "weight_per_day": [1240.0, 355.4, 233.3],
            "points": [14, 6, 5],
            "peak": ["noon", "", ""],
            "peak_share": [0.4, np.nan, np.nan],
            "nearest_min": [23.4, np.nan, 17.2],
        },
        geometry=gpd.points_from_xy([X0 + 2600, X0 - 3000, X0 - 3000], [Y0 - 1700, Y0, Y0 + 2000]),
        crs=CRS,
        index=pd.Index(["before:1", "before:2", "after:1"], name="uncovered_id"),
    )


def make_edits(words):
    """A passage that would help, a bridge that may close, a gate that changes nothing."""
    north, old, _ = words["districts"]
    x, y = X0 + 600, Y0 + 1200
    lines = [
        [(X0 - 300, Y0 - 700), (X0 - 260, Y0 - 650)],
        [(x, y - 260), (x + 20, y + 260)],
        [(X0, Y0), (X0 + 90, Y0)],
    ]
    return gpd.GeoDataFrame(
        {
            "name": [EDITS[k][words is NAMES["en"]] for k in range(3)],
            "action": ["connect", "close", "open"],
            "adopted": [False, False, True],
            "before_min": [7.6, 2.1, np.nan],
            "after_min": [1.0, 24.2, 3.0],
            "affected_per_day": [812.0, 1534.0, 0.0],
            "affected_before_min": [11.2, 8.4, np.nan],
            "affected_after_min": [8.1, 15.0, np.nan],
            "hours_saved_per_day": [42.0, -168.7, 0.0],
            "covered_before": [0.511, 0.511, 0.511],
            "covered_after": [0.523, 0.466, 0.511],
            "planned_before": [0.931, 0.931, 0.931],
            "planned_after": [0.931, 0.884, 0.931],
            "district": [old, north, ""],
            "district_before": [0.62, 0.41, np.nan],
            "district_after": [0.64, 0.22, np.nan],
        },
        geometry=[shapely.MultiLineString([line]) for line in lines],
        crs=CRS,
        index=pd.Index([1, 2, 3], name="edit_id"),
    )


def summarise(settings, tables):
    demand, sites, parking = tables["demand"], tables["sites"], tables["parking"]
    weight = float(demand["weight_per_day"].sum())
    final = float(sites["cumulative_share"].iloc[-1])

    def side(when, circle):
        table = tables[f"coverage_{when}"]
        pick = {s: table[table["scope"] == s] for s in ("daypart", "district")}
        return {
            "covered_share": float(table.loc["all", "covered_share"]),
            "open_now": dict(
                zip(pick["daypart"]["name"], pick["daypart"]["open_share"], strict=True)
            ),
            "by_district": dict(
                zip(pick["district"]["name"], pick["district"]["covered_share"], strict=True)
            ),
            "circle_share": circle,
        }

    zh = settings.study.language == "zh"
    records = sites.drop(columns="geometry").astype(object)
    degrees = sites.geometry.to_crs("EPSG:4326")
    return {
        "study": settings.name,
        "version": "0.1.0",
        "seed": 0,
        "inputs": {
            "activity": {
                "file": "activity/*.parquet",
                "rows": 48213,
                "kept": 48009,
                "dropped": {"outside the area": 201, "malformed coordinate": 3},
                "examples": {"outside the area": "row 17: 115.91, 25.02"},
                "sha256": "ab" * 32,
            },
            "stations": {
                "file": "stations.xlsx",
                "rows": 10,
                "kept": 9,
                "dropped": {"malformed coordinate": 1},
                "examples": {"malformed coordinate": "row 41: 41.16-8.67"},
                "sha256": "cd" * 32,
            },
        },
        "network": {"nodes": 1200, "edges": 2310, "components": 1, "mode": "walk"},
        "demand": {
            "points": len(demand),
            "weight_per_day": weight,
            "workers": 611,
            "suppressed_share": 0.043,
            "first_day": "2024-05-06",
            "last_day": "2024-05-11",
            "days": 2,
            "basis": "stays",
            "by_class": {"handover": 0.0, "wait": 0.8 * weight, "rest": 0.2 * weight},
            "workday": 1.05 * weight,
            "weekend": 0.875 * weight,
            "by_daypart": {p: float(demand[f"weight_{p}"].sum()) for p in DAYPARTS},
        },
        "coverage": {
            "mode": "walk",
            "limit_min": 15.0,
            "basis": "步行 · 15 分钟 · 不计营业时间 · 按路网、4 公里/时"
            if zh
            else "walking · 15 min · at any hour · along streets at 4 km/h",
            "before": side("before", 0.72),
            "after": side("after", 0.93),
        },
        "siting": {
            "model": "mclp",
            "count": 6,
            "objective": final * weight,
            "gap": 0.0042,
            "bound": final * weight / (1 - 0.0042),
            "status": "feasible",
            "seconds": 1.2,
            "sites": [
                {"site_id": key, "lon": round(p.x, 7), "lat": round(p.y, 7), **row}
                for (key, row), p in zip(records.to_dict("index").items(), degrees, strict=True)
            ],
        },
        "parking": {
            "sites": [
                {"site_id": key, "lon": 0.0, "lat": 0.0, **row}
                for key, row in parking.drop(columns="geometry").to_dict("index").items()
            ],
            "covered_share": 0.38,
        },
        "equity": {"gini": 0.091, "worst_district": "x", "worst_share": 0.5},
        "privacy": {"min_workers": 10, "suppressed_cells": 37},
        "packages": {"numpy": "2.4.6", "geopandas": "1.2.0"},
    }


@pytest.fixture(scope="session")
def new_plan():
    """The maker itself, for tests that want a plan of their own."""
    return make_plan


@pytest.fixture(scope="session")
def plan():
    return make_plan()


@pytest.fixture(scope="session")
def english_plan():
    return make_plan("en")


@pytest.fixture(scope="session")
def hostile_plan():
    return make_plan(hostile=True)
