"""A study that runs in seconds: a grid town of 4 × 3 km, eight gathering places, two stations."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CRS = "EPSG:32650"
WEST, SOUTH = 190_000.0, 2_495_000.0
BLOCK = 200.0
COLUMNS, ROWS = 21, 16
PLACES = [(2, 2), (2, 12), (6, 7), (10, 3), (11, 12), (15, 8), (18, 3), (19, 13)]
STATIONS = [(2, 3), (6, 8)]
RIDERS, DAYS = 60, 2

STUDY = """
[study]
name = "方格镇"
language = "{language}"

[area]
file = "districts.geojson"
[activity]
file = "activity.csv"
[stations]
file = "stations.csv"
[hosts]
file = "hosts.csv"
[streets]
file = "streets.geojson"
[service]
limit_min = 10
[siting]
count = 3
reruns = 10
[parking]
count = 4
"""


def crossing(column, row):
    return WEST + BLOCK * column, SOUTH + BLOCK * row


def lonlat(points):
    degrees = gpd.GeoSeries(shapely.points(np.asarray(points, float)), crs=CRS).to_crs(4326)
    return degrees.x.round(6).to_numpy(), degrees.y.round(6).to_numpy()


def write_small_study(folder, language="zh"):
    """Write the study and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(STUDY.format(language=language), encoding="utf-8")
    _districts().to_file(folder / "districts.geojson")
    _streets().to_file(folder / "streets.geojson")
    lon, lat = lonlat([crossing(*s) for s in STATIONS])
    pd.DataFrame(
        {"站点名称": ["西站", "中站"], "经度": lon, "纬度": lat, "开放时间": ["08:00-20:00", None]}
    ).to_csv(folder / "stations.csv", index=False)
    lon, lat = lonlat([crossing(*p) for p in PLACES[3:]])
    pd.DataFrame(
        {"名称": [f"社区中心{i}" for i in range(len(lon))], "经度": lon, "纬度": lat}
    ).to_csv(folder / "hosts.csv", index=False)
    _fixes().to_csv(folder / "activity.csv", index=False)
    return folder


def _districts():
    x0, y0 = crossing(-1, -1)
    x1, y1 = crossing(COLUMNS, ROWS)
    middle = (x0 + x1) / 2
    boxes = [shapely.box(x0, y0, middle, y1), shapely.box(middle, y0, x1, y1)]
    names = {"name": ["西区", "东区"], "name_en": ["West", "East"]}
    return gpd.GeoDataFrame(names, geometry=boxes, crs=CRS).to_crs(4326)


def _streets():
    lines, names = [], []
    for row in range(ROWS):
        lines += [
            shapely.LineString([crossing(c, row), crossing(c + 1, row)]) for c in range(COLUMNS - 1)
        ]
        names += [f"东西{row}路"] * (COLUMNS - 1)
    for column in range(COLUMNS):
        lines += [
            shapely.LineString([crossing(column, r), crossing(column, r + 1)])
            for r in range(ROWS - 1)
        ]
        names += [f"南北{column}街"] * (ROWS - 1)
    return gpd.GeoDataFrame({"name": names}, geometry=lines, crs=CRS).to_crs(4326)


def _fixes():
    rng = np.random.default_rng(7)
    rows = []
    for rider in range(RIDERS):
        for day in range(DAYS):
            clock = pd.Timestamp(2026, 9, 15 + day, 9, 0) + pd.Timedelta(
                minutes=int(rng.integers(60))
            )
            for place in rng.permutation(len(PLACES))[:5]:
                stay = int(rng.integers(8, 25))
                x, y = crossing(*PLACES[place])
                for minute in range(stay):
                    at = clock + pd.Timedelta(minutes=minute)
                    rows.append((rider, at, x + rng.normal(0, 8), y + rng.normal(0, 8)))
                clock += pd.Timedelta(minutes=stay + 20)
    rider, at, x, y = zip(*rows, strict=True)
    lon, lat = lonlat(list(zip(x, y, strict=True)))
    return pd.DataFrame(
        {"rider_id": [f"r{r:03}" for r in rider], "time": at, "lon": lon, "lat": lat}
    )
