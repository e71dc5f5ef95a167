"""What a district holds is what was published; what was suppressed is told only of a crowd."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.demand import make_demand
from planner.quality.districts import measure_districts

CRS = "EPSG:32650"
K = 5


def area():
    boxes = [shapely.box(1000 * k, 0, 1000 * (k + 1), 1000) for k in range(3)]
    names = {"name": ["西区", "中区", "东区"], "name_en": ["West", None, "East"]}
    return gpd.GeoDataFrame(names, geometry=boxes, crs=CRS)


def stays(groups):
    """Stays at (x, y) of so many riders each, who are all different."""
    rows = [(x, y, f"{x}/{y}/{i}") for x, y, n in groups for i in range(n)]
    arrive = pd.Timestamp("2026-03-02 12:00", tz="Asia/Shanghai")
    return gpd.GeoDataFrame(
        {
            "rider_id": [r for _, _, r in rows],
            "worker_type": "food",
            "arrive": arrive,
            "leave": arrive + pd.Timedelta(minutes=20),
            "stay_min": 20.0,
        },
        geometry=gpd.points_from_xy([x for x, _, _ in rows], [y for _, y, _ in rows]),
        crs=CRS,
    )


def measure(groups, **options):
    table = stays(groups)
    demand = make_demand(table, cell_m=100, min_workers=K, merge_m=0)
    found = measure_districts(area(), table, demand, min_workers=K, **options)
    return found, demand


def test_weights_are_those_of_the_published_points():
    found, demand = measure([(500, 500, 30), (520, 900, 12), (1500, 500, 8)])
    by_name = {d["name"]: d for d in found["districts"]}
    assert by_name["西区"]["weight_per_day"] == 42
    assert by_name["西区"]["workers"] == 42
    assert by_name["西区"]["demand_points"] == 2
    assert by_name["西区"]["area_share"] == pytest.approx(2 * 100**2 * np.sqrt(3) / 2 / 1e6)
    total = sum(d["weight_per_day"] for d in found["districts"])
    assert total == pytest.approx(demand["weight_per_day"].sum())


def test_districts_without_activity_are_named_in_the_language():
    assert measure([(500, 500, 30)])[0]["empty"] == ["中区", "东区"]
    found, _ = measure([(500, 500, 30)], language="en")
    assert found["empty"] == ["中区", "East"]
    assert [d["label"] for d in found["districts"]] == ["West", "中区", "East"]


def test_few_workers_are_not_counted():
    found, _ = measure([(500, 500, 30), (1500, 500, 3)])
    middle = found["districts"][1]
    assert middle["workers"] is None
    assert middle["weight_per_day"] == 0
    assert middle["suppressed_share"] is None
    assert "中区" not in found["empty"]


def test_the_suppressed_share_is_told_of_a_crowd_only():
    lonely = [(100 + 180 * i, 900, 3) for i in range(4)]  # 12 workers in cells of three
    found, demand = measure([(500, 300, 36), *lonely])
    assert found["districts"][0]["suppressed_share"] == 0.25
    assert demand.attrs["demand"]["suppressed_share"] == pytest.approx(0.25)
    found, _ = measure([(500, 300, 36), lonely[0]])
    assert found["districts"][0]["suppressed_share"] is None


def test_counts_tell_no_workers():
    table = gpd.GeoDataFrame(
        {"weight_per_day": [10.0, 4.0], "workers": [9, 8]},
        geometry=gpd.points_from_xy([500, 1500], [500, 500]),
        crs=CRS,
    )
    demand = make_demand(table, cell_m=100, min_workers=K)
    found = measure_districts(area(), table, demand, min_workers=K)
    assert [d["workers"] for d in found["districts"]] == [None] * 3
    assert [d["weight_per_day"] for d in found["districts"]] == [10.0, 4.0, 0.0]
    assert found["empty"] == ["东区"]


def test_order_of_rows_is_no_matter():
    table = stays([(500, 500, 30), (700, 900, 4), (1500, 500, 8)])
    demand = make_demand(table, cell_m=100, min_workers=K, merge_m=0)
    shuffled = table.sample(frac=1.0, random_state=1)
    first, second = (measure_districts(area(), t, demand, min_workers=K) for t in (table, shuffled))
    assert first == second


def test_two_rows_of_one_name_are_one_district():
    twice = pd.concat([area(), area().iloc[[0]].translate(0, 5000).to_frame("geometry").assign(
        name="西区", name_en="West")], ignore_index=True)  # fmt: skip
    table = stays([(500, 500, 30), (500, 5500, 30)])
    demand = make_demand(table, cell_m=100, min_workers=K, merge_m=0)
    found = measure_districts(twice, table, demand, min_workers=K)
    assert [d["weight_per_day"] for d in found["districts"] if d["name"] == "西区"] == [60.0]
