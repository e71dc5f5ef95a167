"""Stations and hosts: coordinates of any wording, kinds, services, hours; every loss counted."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import ColumnError, InputError, SettingsError
from planner.geo import from_wgs84
from planner.load import load_hosts, load_stations
from planner.load.sift import Fault, sift
from planner.tables import check_table

AREA = gpd.GeoDataFrame(
    {"name": ["甲"]}, geometry=[shapely.box(114.90, 25.80, 115.00, 25.90)], crs=4326
).to_crs(32650)


def write(folder, rows, headers=("名称", "经度", "纬度")):
    file = folder / "stations.csv"
    pd.DataFrame(rows, columns=list(headers)).to_csv(file, index=False)
    return file


def note_of(table):
    note = table.attrs["input"]
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    assert note["kept"] == len(table)
    return note


def test_every_fault_of_a_coordinate_is_counted_with_an_example(tmp_path):
    rows = [
        ("好", "114.95", "25.85"),
        ("空", "", ""),
        ("半", "114.95", ""),
        ("坏", "114.95.1", "25.85"),
        ("零", "0", "0"),
        ("反", "25.85", "114.95"),
        ("飞", "300", "95"),
        ("远", "115.95", "25.85"),
    ]
    stations = load_stations(write(tmp_path, rows), area=AREA)
    note = note_of(stations)
    assert stations["name"].tolist() == ["好"]
    assert note["dropped"] == {
        "no coordinate": 2,
        "malformed coordinate": 1,
        "coordinate 0, 0": 1,
        "longitude and latitude swapped": 1,
        "coordinate off the globe": 1,
        "outside the area": 1,
    }
    assert note["examples"]["malformed coordinate"] == "row 5 (坏): `114.95.1`"
    assert note["examples"]["longitude and latitude swapped"] == "row 7 (反)"
    assert note["examples"]["outside the area"].startswith("row 9 (远): 95")
    assert note["examples"]["outside the area"].endswith("km outside")


def test_a_station_just_outside_the_area_still_serves_it(tmp_path):
    rows = [("近", "115.015", "25.85"), ("远", "115.025", "25.85")]
    assert load_stations(write(tmp_path, rows), area=AREA)["name"].tolist() == ["近"]


def test_a_host_just_outside_the_area_is_not_its_own(tmp_path):
    rows = [("内", "114.95", "25.85"), ("近", "115.015", "25.85")]
    assert load_hosts(write(tmp_path, rows), area=AREA)["name"].tolist() == ["内"]


@pytest.mark.parametrize("area", [AREA, None])
def test_a_file_with_longitude_and_latitude_swapped_is_one_error(tmp_path, area):
    rows = [(str(n), "25.85", str(114.91 + n / 100)) for n in range(5)]
    file = write(tmp_path, rows, ("名称", "lng", "lat"))
    with pytest.raises(InputError, match=r"swapped in `lng` and `lat`: 5 of 5 rows") as caught:
        load_stations(file, area=area)
    assert 'columns = { lon = "lat", lat = "lng" }' in str(caught.value)
    exchanged = load_stations(file, area=area, columns={"lon": "lat", "lat": "lng"})
    assert len(exchanged) == 5


def test_pairs_swapped_in_one_cell_are_one_error_too(tmp_path):
    rows = [("a", "25.85,114.95"), ("b", "25.86,114.96")]
    file = write(tmp_path, rows, ("名称", "坐标"))
    with pytest.raises(InputError, match=r'columns = \{ latlon = "坐标" \}'):
        load_stations(file, area=AREA)
    assert len(load_stations(file, area=AREA, columns={"latlon": "坐标"})) == 2


@pytest.mark.parametrize(
    "cell",
    ["114.95,25.85", "114.95，25.85", "(114.95 25.85)", "POINT (114.95 25.85)", "[114.95, 25.85]",
     "１１４．９５，２５．８５", "E114.95,N25.85"],
)  # fmt: skip
def test_both_numbers_in_one_cell(tmp_path, cell):
    file = write(tmp_path, [("a", cell), ("b", "nowhere")], ("名称", "经纬度"))
    stations = load_stations(file, area=AREA)
    assert stations.to_crs(4326).geometry.x.round(6).tolist() == [114.95]
    assert note_of(stations)["examples"] == {"malformed coordinate": "row 3 (b): `nowhere`"}


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_datums_meet_in_one_place(tmp_path, datum):
    lon, lat = from_wgs84(np.array([114.95]), np.array([25.85]), datum)
    file = write(tmp_path, [("a", repr(float(lon[0])), repr(float(lat[0])))])
    here = load_stations(file, area=AREA, datum=datum).geometry.iloc[0]
    there = load_stations(write(tmp_path, [("a", "114.95", "25.85")]), area=AREA).geometry.iloc[0]
    assert here.distance(there) < 0.001


def test_nothing_usable_is_an_error_that_lists_the_losses(tmp_path):
    rows = [("a", "", ""), ("b", "x", "25.85"), ("c", "116.0", "25.85")]
    with pytest.raises(InputError, match="no usable rows in 3") as caught:
        load_stations(write(tmp_path, rows), area=AREA)
    for reason in ("1 × no coordinate", "1 × malformed", "1 × outside the area"):
        assert reason in str(caught.value)


def test_a_missing_column_is_told(tmp_path):
    file = write(tmp_path, [("a", "1", "2")], ("名称", "经度值", "纬"))
    with pytest.raises(ColumnError, match=r"needs `lon` and `lat`.*Might be: `经度值`"):
        load_stations(file)


def test_kinds_services_and_capacity(tmp_path):
    headers = ("编号", "名称", "类型", "服务内容", "WiFi", "座位数", "经度", "纬度")
    rows = [
        ("10", "a", "户外劳动者服务站", "休息、热水/充电", "有", "约30人", "114.95", "25.85"),
        ("2", "b", "骑手友好商户", "", "", "", "114.95", "25.86"),
        ("1", "c", "卡车司机之家", "休息;休息", "否", "-5", "114.95", "25.87"),
        ("3", "d", "？？", "", "", "many", "114.95", "25.88"),
    ]
    stations = load_stations(write(tmp_path, rows, headers), area=AREA)
    check_table(stations, "stations")
    assert stations.index.tolist() == ["1", "2", "3", "10"]
    assert stations["kind"].tolist() == ["drivers_home", "merchant", "station", "station"]
    assert stations["services"].tolist() == ["休息", "", "", "休息;热水;充电;WiFi"]
    assert stations["capacity"].fillna(-1).tolist() == [-1, -1, -1, 30]
    notes = note_of(stations)["notes"]
    assert notes == {
        "hours assumed": 4,
        "unknown kind, taken as station": 1,
        "capacity not readable": 2,
    }


def test_hours_are_read_assumed_or_the_station_is_closed(tmp_path):
    headers = ("名称", "营业时间", "开门时间", "关门时间", "经度", "纬度")
    rows = [
        ("a", "9点-21点", "", "", "114.95", "25.85"),
        ("b", "", "08:00:00", "20:00:00", "114.95", "25.86"),
        ("c", "随缘", "", "", "114.95", "25.87"),
        ("d", "暂停服务", "", "", "114.95", "25.88"),
        ("e", "", "", "", "114.95", "25.89"),
        ("f", "22:00-06:00", "", "", "114.96", "25.89"),
    ]
    stations = load_stations(write(tmp_path, rows, headers), area=AREA, assumed_hours="10-16点")
    assert stations["hours"].to_dict() == {
        "a": "09:00-21:00",
        "b": "08:00-20:00",
        "c": "10:00-16:00",
        "e": "10:00-16:00",
        "f": "22:00-06:00",
    }
    assert stations.index[stations["hours_assumed"]].tolist() == ["c", "e"]
    note = note_of(stations)
    assert note["dropped"] == {"closed": 1}
    assert note["examples"] == {"closed": "row 5 (d)"}
    assert note["notes"] == {"hours assumed": 2, "hours not readable": 1}
    with pytest.raises(SettingsError, match="assumed_hours"):
        load_stations(tmp_path / "stations.csv", assumed_hours="sometimes")


def test_repeated_rows_count_once_and_same_names_stay_apart(tmp_path):
    rows = [("站", "114.95", "25.85"), ("站", "114.95", "25.85"), ("站", "114.96", "25.85")]
    stations = load_stations(write(tmp_path, rows), area=AREA)
    assert stations.index.tolist() == ["站", "站#2"]
    assert note_of(stations)["dropped"] == {"repeated row": 1}


def test_shuffled_rows_give_the_same_table(tmp_path):
    rng = np.random.default_rng(5)
    rows = [(f"站{n % 7}", str(x), str(y)) for n, (x, y) in enumerate(
        zip(rng.uniform(114.9, 115, 30), rng.uniform(25.8, 25.9, 30), strict=True)
    )]  # fmt: skip
    one = load_stations(write(tmp_path, rows), area=AREA)
    other = load_stations(write(tmp_path, [rows[i] for i in rng.permutation(30)]), area=AREA)
    pd.testing.assert_frame_equal(one, other)


def test_hostile_text_stays_text(tmp_path):
    name = "<img src=x onerror=alert(1)>${1+1}</script>"
    rows = [(name, "114.95", "25.85"), ("=1+1", "114.95", "25.86")]
    assert set(load_stations(write(tmp_path, rows), area=AREA)["name"]) == {name, "=1+1"}


def test_hosts_of_a_register(tmp_path):
    headers = ("名称", "类型", "开放时间", "经度", "纬度")
    rows = [
        ("江北社区", "社区党群服务中心", "8:00-18:00", "114.95", "25.85"),
        ("", "建设银行网点", "", "114.95", "25.86"),
        ("动物园", "Zoo", "看天", "114.95", "25.87"),
    ]
    hosts = load_hosts(write(tmp_path, rows, headers), area=AREA)
    check_table(hosts, "hosts")
    assert hosts["kind"].to_dict() == {"bank": "bank", "动物园": "zoo", "江北社区": "community"}
    assert hosts["hours"].to_dict() == {"bank": "", "动物园": "", "江北社区": "08:00-18:00"}
    assert note_of(hosts)["notes"] == {"hours not given": 2, "hours not readable": 1}


@settings(max_examples=60)
@given(st.lists(st.lists(st.booleans(), min_size=9, max_size=9), max_size=5))
def test_losses_always_add_up(masks):
    faults = [Fault(f"reason {n}", np.array(m), lambda i: f"row {i}") for n, m in enumerate(masks)]
    kept, losses = sift(9, faults)
    assert kept.sum() + sum(loss.rows for loss in losses) == 9
    assert not (kept & np.array(masks or [[False] * 9]).any(axis=0)).any()


cells = st.sampled_from(["114.95", "25.85", "", "x", "0", "300", "114.95.1", "-", "１１４．９２"])


@settings(max_examples=60)
@given(st.lists(st.tuples(cells, cells), max_size=12))
def test_every_row_of_any_register_is_kept_or_counted(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("register")
    rows = [("好", "114.95", "25.85")] * 13 + [(f"站{n}", *p) for n, p in enumerate(pairs)]
    stations = load_stations(write(folder, rows), area=AREA)
    assert note_of(stations)["rows"] == len(rows)
