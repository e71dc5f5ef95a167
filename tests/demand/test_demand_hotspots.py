"""Hot spots."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planner.demand import find_hotspots, make_demand
from planner.errors import ColumnError, SettingsError


def demand(xy, weight):
    xy = np.asarray(xy, dtype=float)
    n = len(xy)
    return gpd.GeoDataFrame(
        {"weight_per_day": weight, "workers": 10, "cell_row": range(n), "cell_col": 0},
        index=pd.Index([f"d{i:04d}" for i in range(n)], name="demand_id"),
        geometry=gpd.points_from_xy(xy[:, 0] + 500_000, xy[:, 1] + 3_000_000),
        crs="EPSG:32650",
    )


def test_two_centres_in_a_quiet_plain():
    plain = [(x, y) for x in range(0, 5000, 500) for y in range(0, 5000, 500)]
    centres = [(1100, 1100), (1150, 1100), (1100, 1150), (4100, 4100), (4150, 4100)]
    table = demand(plain + centres, [1.0] * len(plain) + [20, 30, 20, 40, 10])
    spots = find_hotspots(table)
    assert spots.index.tolist() == ["hs001", "hs002"]
    assert spots.index.name == "hotspot_id"
    assert spots["weight_per_day"].tolist() == [71.0, 51.0]  # with the point of the plain nearby
    assert spots.geometry.x.tolist() == [501_150.0, 504_100.0]
    assert spots["name"].tolist() == ["", ""]


def test_a_long_busy_street_parts_into_its_peaks():
    x = np.arange(0, 3600, 100.0)
    weight = 10 + 10 * np.cos(x / 1000 * 2 * np.pi)  # peaks at 0, 1000, 2000, 3000
    quiet = [(x, 3000.0) for x in np.arange(0, 60_000, 500.0)]
    table = demand([(v, 0.0) for v in x] + quiet, [*weight, *([0.5] * len(quiet))])
    spots = find_hotspots(table, eps_m=150)
    assert sorted((spots.geometry.x - 500_000).round(-3).astype(int)) == [0, 1000, 2000, 3000]


def test_hot_spots_are_demand_points_and_lose_nothing_by_shuffling(town):
    table = make_demand(town, min_workers=5)
    spots = find_hotspots(table, rng=0)
    assert len(spots) >= 3
    assert spots["weight_per_day"].is_monotonic_decreasing
    assert spots["weight_per_day"].sum() <= table["weight_per_day"].sum()
    assert set(spots.geometry) <= set(table.geometry)
    shuffled = find_hotspots(table.sample(frac=1, random_state=2), rng=1)
    pd.testing.assert_frame_equal(pd.DataFrame(spots), pd.DataFrame(shuffled))


def test_where_all_is_alike_nothing_is_hot():
    grid = [(x, y) for x in range(0, 3000, 300) for y in range(0, 3000, 300)]
    assert find_hotspots(demand(grid, [2.0] * len(grid))).empty
    assert find_hotspots(demand([(0, 0)], [3.0])).empty
    assert find_hotspots(demand([(0, 0)], [0.0])).empty


def test_bad_input_is_named():
    with pytest.raises(SettingsError, match="`eps_m`"):
        find_hotspots(demand([(0, 0)], [3.0]), eps_m=0)
    with pytest.raises(ColumnError, match="lacks `workers`"):
        find_hotspots(demand([(0, 0)], [3.0]).drop(columns="workers"))
