"""Access before and after an edit, by hand: a river with one bridge, a passage, adopted edits."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer
from shapely import box

from planner.coverage import compare_access, measure_edits, minutes_between
from planner.errors import CrsError, InputError, SettingsError
from planner.network import StreetNetwork, edit_streets
from planner.settings import make_settings
from planner.tables import TABLES, check_table

CRS = "EPSG:32650"
TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def lonlat(x, y):
    return list(TO_DEGREES.transform(x, y))


def edits_of(*edits):
    return make_settings({"streets": {"edits": list(edits)}}).streets.edits


BRIDGE = {"action": "close", "name": "bridge closed", "at": lonlat(1000, 500)}
FERRY = {"action": "connect", "name": "ferry", "from": lonlat(900, 100), "to": lonlat(1100, 100),
         "length_m": 400.0}  # fmt: skip


@pytest.fixture(scope="module")
def banks():
    """Two grids of streets 100 m apart on either bank of a river; one bridge at y = 500."""
    x, y, tail, head, name = [], [], [], [], []
    for west in (0.0, 1100.0):
        at = np.arange(100).reshape(10, 10) + len(x)
        gx, gy = np.meshgrid(west + 100.0 * np.arange(10), 100.0 * np.arange(10))
        x, y = [*x, *gx.ravel()], [*y, *gy.ravel()]
        tail += [*at[:, :-1].ravel(), *at[:-1].ravel()]
        head += [*at[:, 1:].ravel(), *at[1:].ravel()]
    tail, head = [*tail, 59], [*head, 150]  # (900, 500) to (1100, 500)
    name = [*[""] * (len(tail) - 1), "Old Bridge"]
    length = np.hypot(np.diff(np.array(x)[[tail, head]], axis=0),
                      np.diff(np.array(y)[[tail, head]], axis=0))[0]  # fmt: skip
    return StreetNetwork.from_arrays(x, y, tail, head, length, crs=CRS, name=name, speed_kmh=4.0)


@pytest.fixture(scope="module")
def shores():
    return gpd.GeoDataFrame(
        {"name": ["West", "East"]},
        geometry=[box(-50, -50, 1000, 950), box(1000, -50, 2050, 950)],
        crs=CRS,
        index=pd.Index(["w", "e"], name="district_id"),
    )


@pytest.fixture(scope="module")
def people(make_demand_table):
    """West of the river three points, east of it two."""
    xy = [(900, 500), (500, 510), (0, 0), (1100, 500), (1250, 600)]
    return make_demand_table(xy, [10.0, 20.0, 30.0, 40.0, 50.0])


def test_a_closed_bridge_lowers_coverage_on_the_far_bank(
    banks, people, shores, make_stations_table
):
    stations = make_stations_table([(800, 500)])
    closed = edit_streets(banks, [BRIDGE])
    table = compare_access(banks, closed, people, stations, max_min=60, limit_min=15)
    assert table.index.tolist() == ["d3", "d4"]
    assert table["before_min"].tolist() == pytest.approx([4.5, 4.5 + 2.25 + 1.5])
    assert np.isinf(table["after_min"]).all()
    assert table["saved_min"].tolist() == pytest.approx([-55.5, -51.75])
    told = table.attrs["access"]
    assert told["affected_per_day"] == told["beyond_per_day"] == 90
    assert told["hours_saved_per_day"] == pytest.approx(-(40 * 55.5 + 50 * 51.75) / 60)
    assert (told["affected_before_min"], told["affected_after_min"]) == pytest.approx(
        ((40 * 4.5 + 50 * 8.25) / 90, 60)
    )
    assert (told["covered_before"], told["covered_after"]) == pytest.approx((120 / 150, 30 / 150))
    edits = measure_edits(
        banks, edits_of(BRIDGE), people, stations, stations, area=shores, limit_min=15
    )
    row = edits.loc[1]
    assert (row["district"], row["district_before"], row["district_after"]) == ("East", 1, 0)
    assert row["before_min"] == pytest.approx(3)
    assert np.isnan(row["after_min"])  # no way round at all
    assert row["hours_saved_per_day"] < 0


def test_all_points_are_told_if_asked_for(banks, people, make_stations_table):
    stations = make_stations_table([(800, 500)])
    closed = edit_streets(banks, [BRIDGE])
    every = compare_access(banks, closed, people, stations, every=True, trips=2.0)
    some = compare_access(banks, closed, people, stations)
    assert every.index.equals(people.index)
    assert every.loc[["d0", "d1", "d2"], "saved_min"].tolist() == [0, 0, 0]
    pd.testing.assert_frame_equal(every.loc[some.index], some, check_flags=False)
    hours = [t.attrs["access"]["hours_saved_per_day"] for t in (every, some)]
    assert hours[0] == pytest.approx(2 * hours[1])


def test_nothing_changes_on_the_same_streets(banks, people, make_stations_table):
    told = compare_access(banks, banks, people, make_stations_table([(0, 0)])).attrs["access"]
    assert told["affected_per_day"] == told["hours_saved_per_day"] == 0
    assert told["affected_before_min"] is None
    assert told["covered_before"] == told["covered_after"]


def test_without_facilities_nobody_is_covered(banks, people, make_stations_table):
    closed = edit_streets(banks, [BRIDGE])
    told = compare_access(banks, closed, people, make_stations_table([])).attrs["access"]
    assert (told["covered_before"], told["covered_after"], told["affected_per_day"]) == (0, 0, 0)


def test_a_point_on_a_closed_street_goes_to_the_next_one(
    banks, make_demand_table, make_stations_table
):
    here, stations = make_demand_table([(950, 501)], [10.0]), make_stations_table([(1200, 500)])
    before = edit_streets(banks, [FERRY])
    table = compare_access(before, edit_streets(before, [BRIDGE]), here, stations)
    metres = table[["before_min", "after_min"]].to_numpy()[0] * 1000 / 15
    round_the_ferry = 50 + 1 + 400 + 400 + 400 + 100  # from the street along the river
    assert metres == pytest.approx([1 + 150 + 100, round_the_ferry], abs=0.1)


def test_the_order_of_rows_plays_no_part(banks, people, make_stations_table):
    stations = make_stations_table([(800, 500), (1400, 0), (0, 900)])
    other = edit_streets(banks, edits_of(FERRY))
    one = compare_access(banks, other, people, stations)
    two = compare_access(banks, other, people.iloc[::-1], stations.iloc[[1, 2, 0]])
    pd.testing.assert_frame_equal(one, two.sort_index(), check_flags=False)
    assert one.attrs == two.attrs


def test_minutes_between_ends_are_those_of_the_streets(banks):
    ends = np.array([[[900, 500], [1100, 500]], [[0, 0], [0, 0]], [[0, 0], [1100, 0]]])
    found = minutes_between(banks, ends.astype(float), max_min=60)
    assert found.tolist() == pytest.approx([3, 0, 0.015 * (900 + 500 + 200 + 500)])
    closed = edit_streets(banks, [BRIDGE])
    assert minutes_between(closed, ends.astype(float), max_min=600).tolist() == [np.inf, 0, np.inf]


def test_edits_are_measured_one_by_one_against_the_plans_streets(
    banks, make_demand_table, shores, make_stations_table
):
    people = make_demand_table([(1100, 100), (500, 500)], [40.0, 20.0])
    today, planned = make_stations_table([(800, 100)]), make_stations_table([(800, 100), (0, 0)])
    asked = {"area": shores, "limit_min": 15.0}
    told = edits_of(BRIDGE, FERRY)
    table = measure_edits(banks, told, people, today, planned, **asked)
    check_table(table, "edits")
    assert list(table.columns) == list(TABLES["edits"])
    assert (table.index.tolist(), table.index.name) == ([1, 2], "edit_id")
    assert table["adopted"].tolist() == [False, False]
    assert table.loc[2, ["before_min", "after_min"]].tolist() == pytest.approx([15, 6])
    assert table.loc[2, "hours_saved_per_day"] > 0
    assert (table["planned_before"] >= table["covered_before"]).all()
    # the ferry adopted: the bridge is then closed beside it, and the ferry is told as before
    adopted = edits_of(BRIDGE, {**FERRY, "adopt": True})
    then = measure_edits(banks, adopted, people, today, planned, **asked)
    assert then["adopted"].tolist() == [False, True]
    pd.testing.assert_series_equal(
        then.loc[2].drop(["adopted", "geometry"]), table.loc[2].drop(["adopted", "geometry"])
    )
    assert then.loc[1, ["before_min", "after_min"]].tolist() == pytest.approx([3, 0.015 * 1200])
    assert then.loc[1, "covered_before"] == table.loc[2, "covered_after"]


def test_without_stations_today_the_plans_are_told_of(banks, people, shores, make_stations_table):
    none, planned = make_stations_table([]), make_stations_table([(800, 500)])
    table = measure_edits(banks, edits_of(BRIDGE), people, none, planned, area=shores)
    row = table.loc[1]
    assert row["affected_per_day"] == 90
    assert (row["covered_before"], row["covered_after"], row["district"]) == (0, 0, None)


def test_an_edit_without_a_name_is_called_after_its_street(
    banks, people, shores, make_stations_table
):
    stations = make_stations_table([(800, 500)])
    no_name = [{k: v for k, v in e.items() if k != "name"} for e in (BRIDGE, FERRY)]
    table = measure_edits(
        banks, edits_of(*no_name, {"action": "close", "street": "Old Bridge"}), people, stations,
        stations, area=shores,
    )  # fmt: skip
    assert table["name"].tolist() == ["Old Bridge", "2", "Old Bridge"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_min": 10.0}, "at least `limit_min` = 15"),
        ({"trips": 0.0}, "`trips`"),
        ({"limit_min": -1.0}, "`limit_min`"),
        ({"snap_m": np.nan}, "`snap_m`"),
    ],
)
def test_settings_out_of_range_are_refused(banks, people, make_stations_table, options, words):
    with pytest.raises(SettingsError, match=words):
        compare_access(banks, banks, people, make_stations_table([(0, 0)]), **options)


def test_tables_that_cannot_be_measured_are_refused(banks, people, make_stations_table):
    stations = make_stations_table([(0, 0)])
    with pytest.raises(InputError, match="no rider-visits"):
        compare_access(banks, banks, people.assign(weight_per_day=0.0), stations)
    with pytest.raises(CrsError, match="metres"):
        compare_access(banks, banks, people.to_crs("EPSG:4326"), stations)
