"""Hot spots."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from planner.demand import find_hotspots, make_demand
from planner.errors import ColumnError, SettingsError
from planner.network import StreetNetwork


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
    pd.testing.assert_frame_equal(spots, shuffled, check_exact=True)


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


# ── dayparts ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two_rhythms():
    """A market that is busy at noon, bars that are busy at night, a quiet plain like the city."""
    plain = [(x, y) for x in range(0, 6000, 500) for y in range(3000, 6000, 500)]
    xy = [(0, 0), (100, 0), (4000, 0), (4100, 0), *plain]
    noon = np.array([60, 20, 4, 4] + [2.0] * len(plain))
    night = np.array([3, 1, 20, 10] + [1.0] * len(plain))
    table = demand(xy, noon + night).assign(weight_noon=noon, weight_night=night)
    table.attrs["demand"] = {"dayparts": {"noon": [11, 14], "night": [21, 6]}}
    return table


def test_a_daypart_has_its_own_hot_spots(two_rhythms):
    day = find_hotspots(two_rhythms)
    night = find_hotspots(two_rhythms, daypart="night")
    assert day.geometry.x.tolist() == [500_000.0, 504_000.0]
    assert night.geometry.x.tolist()[0] == 504_000.0
    assert night["weight_night"].is_monotonic_decreasing
    assert night.loc["hs001", ["weight_per_day", "weight_noon", "weight_night"]].tolist() == [
        38.0, 8.0, 30.0,
    ]  # fmt: skip


def test_the_peak_is_what_the_city_does_not_do_alike(two_rhythms):
    """Noon leads at the bars too where numbers count; against the city's share they are nightly."""
    spots = find_hotspots(two_rhythms)
    assert spots["peak"].tolist() == ["noon", "night"]
    assert spots["peak_share"].tolist() == [80 / 84, 30 / 38]
    alike = two_rhythms.assign(
        weight_noon=two_rhythms["weight_per_day"] * 0.7,
        weight_night=two_rhythms["weight_per_day"] * 0.3,
    )
    spots = find_hotspots(alike)
    assert spots["peak"].tolist() == ["", ""]
    assert spots["peak_share"].isna().all()


def test_daypart_sums_are_sums_over_the_points(town):
    table = make_demand(town, min_workers=5)
    spots = find_hotspots(table)
    parts = [f"weight_{p}" for p in table.attrs["demand"]["dayparts"]]
    assert len(parts) == 5
    assert spots[parts].sum(axis=1).tolist() == pytest.approx(spots["weight_per_day"].tolist())
    assert set(spots["peak"]) - {""} <= {p.removeprefix("weight_") for p in parts}


def test_demand_without_dayparts_has_no_peak():
    plain = [(x, 3000) for x in range(0, 60_000, 500)]
    table = demand([(0, 0), (100, 0), *plain], [9.0, 8, *([1.0] * len(plain))])
    spots = find_hotspots(table)
    assert spots["peak"].tolist() == [""]
    with pytest.raises(SettingsError, match="none in this demand"):
        find_hotspots(table, daypart="noon")


def test_an_unknown_daypart_is_named(two_rhythms):
    with pytest.raises(SettingsError, match=r"knows noon, night\. .* Did you mean `night`"):
        find_hotspots(two_rhythms, daypart="nigth")


def test_a_daypart_without_any_visit_has_no_hot_spot(two_rhythms):
    assert find_hotspots(two_rhythms.assign(weight_night=0.0), daypart="night").empty


# ── names ─────────────────────────────────────────────────────────────────────────────────────

X, Y = 500_000.0, 3_000_000.0


@pytest.fixture
def streets():
    """文清路 along y = 0, crossed by 云达路 at x = 0 and 锦泉路 at x = 2000."""
    x = np.array([0.0, 2000, 5000, 0, 2000]) + X
    y = np.array([0.0, 0, 0, -600, -600]) + Y
    return StreetNetwork.from_arrays(
        x, y, [0, 1, 0, 1], [1, 2, 3, 4], [2000.0, 3000, 600, 600], crs="EPSG:32650",
        name=["文清路", "文清路", "云达路", "锦泉路"],
    )  # fmt: skip


@pytest.fixture
def hosts():
    return gpd.GeoDataFrame(
        {"name": ["社区中心", "", None, "药店"], "kind": "community", "hours": ""},
        index=pd.Index(["b", "c", "d", "a"], name="host_id"),
        geometry=gpd.points_from_xy(
            X + np.array([4060, 1010, 1020, 4000]), Y + np.array([50, 50, 50, 130])
        ),
        crs="EPSG:32650",
    )


@pytest.fixture
def area():
    return gpd.GeoDataFrame(
        {"name": ["城东区", "城西区"]},
        geometry=[box(X + 1500, Y - 900, X + 9000, Y + 20_000), box(X - 900, Y - 900, X + 1500, Y)],
        index=pd.Index(["e", "w"], name="district_id"),
        crs="EPSG:32650",
    )


def spots_at(places, **known):
    quiet = [(float(x), 90_000.0) for x in range(0, 60_000, 500)]
    xy = [p for x, y in places for p in ((x, y), (x + 1, y))]
    weight = [100.0 - i for i in range(len(xy))]
    table = demand(xy + quiet, weight + [0.5] * len(quiet))
    found = find_hotspots(table, **known)
    assert len(found) == len(places)
    return found["name"].tolist()


def test_a_hot_spot_is_called_after_district_and_host_else_street(streets, hosts, area):
    places = [(4000.0, 51.0), (1000, 10), (3000, 0), (3000, 5000), (-3000, 5000)]
    names = spots_at(places, area=area, streets=streets, hosts=hosts)
    assert names == [
        "城东区 · 社区中心",  # 60 m off; the pharmacy is 79 m off
        "文清路",  # north of the west, in no district
        "城东区 · 文清路",
        "城东区",  # no named street within 250 m
        "",
    ]  # fmt: skip


def test_two_on_one_street_are_told_apart_by_the_next_street_then_by_number(streets):
    places = [(100.0, 0.0), (1900, 0), (3000, 0), (4500, 0)]
    assert spots_at(places, streets=streets) == [
        "文清路 / 云达路", "文清路 / 锦泉路", "文清路", "文清路 #2",
    ]  # fmt: skip


def test_an_alley_gives_its_name_only_where_no_street_does():
    x, y = np.array([0.0, 9000, 0, 9000]) + X, np.array([0.0, 0, 200, 200]) + Y
    net = StreetNetwork.from_arrays(
        x, y, [0, 2, 0], [1, 3, 2], [9000.0, 9000, 200], crs="EPSG:32650",
        name=["后巷", "文清路", ""], street_class=[1, 3, 2],
    )  # fmt: skip
    assert spots_at([(3000.0, -5.0), (5000, -100)], streets=net) == ["文清路", "后巷"]


def test_streets_of_one_name_in_two_districts_are_apart_already(streets, area):
    places = [(1000.0, -10.0), (3000, -10)]
    assert spots_at(places, streets=streets, area=area) == ["城西区 · 文清路", "城东区 · 文清路"]


def test_names_do_not_depend_on_the_order_of_rows(streets, hosts, area):
    places = [(4000.0, 51.0), (100, 0), (1900, 0), (3000, 0), (4500, 0)]
    one = spots_at(places, area=area, streets=streets, hosts=hosts)
    two = spots_at(places, area=area.iloc[::-1], streets=streets, hosts=hosts.iloc[::-1])
    assert one == two
    assert len(set(one)) == len(one)
