"""Fixes, orders, stays and counts: every row kept or counted, in an order of their own."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import ColumnError, InputError, SettingsError
from planner.load import load_activity
from planner.tables import check_table

AREA = gpd.GeoDataFrame(
    {"name": ["甲"]}, geometry=[shapely.box(114.90, 25.80, 115.00, 25.90)], crs=4326
).to_crs(32650)


def write(folder, rows, name="activity.csv"):
    pd.DataFrame(rows).to_csv(folder / name, index=False)
    return folder / name


def note_of(table):
    note = table.attrs["input"]
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    assert note["kept"] == len(table)
    return note


def fixes(count=50, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "骑手编号": rng.integers(1, 5, count),
            "骑手类型": rng.choice(["外卖", "快递", ""], count),
            "定位时间": pd.Timestamp("2026-09-15")
            + pd.to_timedelta(rng.integers(0, 86400, count), unit="s"),
            "经度": rng.uniform(114.91, 114.99, count),
            "纬度": rng.uniform(25.81, 25.89, count),
        }
    )


def test_fixes_of_every_format_are_the_same(tmp_path):
    rows = fixes()
    rows.to_parquet(tmp_path / "a.parquet")
    rows.to_csv(tmp_path / "a.csv", index=False, encoding="gb18030")
    rows.to_excel(tmp_path / "a.xlsx", index=False)
    points = gpd.points_from_xy(rows["经度"], rows["纬度"], crs=4326)
    layer = gpd.GeoDataFrame(rows.drop(columns=["经度", "纬度"]), geometry=points)
    layer.to_file(tmp_path / "a.gpkg")
    layer.to_parquet(tmp_path / "geo.parquet")
    tables = {
        name: load_activity(tmp_path / name, area=AREA)
        for name in ("a.parquet", "a.csv", "a.xlsx", "a.gpkg", "geo.parquet")
    }
    first = tables["a.parquet"]
    check_table(first, "fixes")
    assert str(first["time"].dt.tz) == "Asia/Shanghai"
    assert set(first["worker_type"]) == {"food", "courier", "rider"}
    for table in tables.values():
        assert note_of(table)["kept"] == 50
        assert table["rider_id"].tolist() == first["rider_id"].tolist()
        assert (table["time"] == first["time"]).all()
        assert table["worker_type"].tolist() == first["worker_type"].tolist()
        assert table.geometry.distance(first.geometry).max() < 1e-6


def test_shuffled_fixes_give_the_same_table(tmp_path):
    rows = fixes()
    rows.to_parquet(tmp_path / "a.parquet")
    rows.sample(frac=1, random_state=3).to_parquet(tmp_path / "b.parquet")
    one, other = (load_activity(tmp_path / f, area=AREA) for f in ("a.parquet", "b.parquet"))
    pd.testing.assert_frame_equal(one, other)


def test_every_loss_of_fixes_is_counted_and_shows_no_place(tmp_path):
    good = {"rider": "a", "time": "2026-09-15 10:00", "lon": "114.95", "lat": "25.85"}
    rows = [
        good,
        good,
        good | {"lon": ""},
        good | {"lat": "25.85.1"},
        good | {"lon": "115.2"},
        good | {"lon": "25.85", "lat": "114.95"},
        good | {"time": "soon"},
        good | {"rider": ""},
        good | {"lon": "0", "lat": "0.0"},
    ]
    table = load_activity(write(tmp_path, rows), area=AREA)
    note = note_of(table)
    assert note["dropped"] == {
        "no coordinate": 1,
        "malformed coordinate": 1,
        "coordinate 0, 0": 1,
        "longitude and latitude swapped": 1,
        "outside the area": 1,
        "no usable time": 1,
        "no rider": 1,
        "repeated row": 1,
    }
    assert note["examples"]["no usable time"] == "row 8: `soon` in `time`"
    assert note["examples"]["outside the area"] == "row 6"
    assert not any("114" in text or "115" in text for text in note["examples"].values())


def test_activity_just_outside_the_border_is_noise_and_farther_is_not_ours(tmp_path):
    good = {"rider": "a", "time": "2026-09-15 10:00", "lat": "25.85"}
    rows = [good | {"lon": "115.0005"}, good | {"lon": "115.002"}]
    assert note_of(load_activity(write(tmp_path, rows), area=AREA))["kept"] == 1


@pytest.mark.parametrize("missing", ["骑手编号", "定位时间", "经度"])
def test_a_missing_column_is_told(tmp_path, missing):
    rows = fixes().drop(columns=missing).to_dict("list")
    with pytest.raises(ColumnError, match=r"activity\.csv.*The file has"):
        load_activity(write(tmp_path, rows))


def test_unknown_kind_and_zone_are_told(tmp_path):
    file = write(tmp_path, fixes())
    with pytest.raises(SettingsError, match="Did you mean `fixes`"):
        load_activity(file, kind="fix")
    with pytest.raises(SettingsError, match="Asia/Ganzhou"):
        load_activity(file, timezone="Asia/Ganzhou")


def test_nothing_left_is_an_error(tmp_path):
    rows = fixes().assign(定位时间="")
    with pytest.raises(InputError, match=r"no usable rows in 50: 50 × no usable time"):
        load_activity(write(tmp_path, rows), area=AREA)


def test_day_and_clock_in_two_columns(tmp_path):
    rows = [{"uid": "a", "日期": "2026/9/15", "时间": "7:05", "经度": 114.95, "纬度": 25.85}]
    table = load_activity(write(tmp_path, rows), area=AREA)
    assert table["time"].iloc[0] == pd.Timestamp("2026-09-15 07:05", tz="Asia/Shanghai")


def test_a_file_with_another_order_of_columns_in_one_pattern(tmp_path):
    fixes(5, seed=1).to_csv(tmp_path / "1.csv", index=False)
    fixes(5, seed=2)[["纬度", "经度", "定位时间", "骑手编号"]].rename(
        columns={"骑手编号": "rider_id"}
    ).to_parquet(tmp_path / "2.parquet")
    assert note_of(load_activity(tmp_path, area=AREA))["kept"] == 10


def trip(line, **changes):
    row = {"TAXI_ID": "7", "TIMESTAMP": "1372636858", "DAY_TYPE": "A", "POLYLINE": line}
    return row | changes


def test_trips_become_a_ping_every_15_seconds(tmp_path):
    line = json.dumps([[-8.618643, 41.141412], [-8.618499, 41.141376], [-8.620326, 41.14251]])
    rows = [trip(line), trip("[]"), trip("[[1,2", TAXI_ID="8"), trip(line, TIMESTAMP="x")]
    table = load_activity(write(tmp_path, rows), timezone="Europe/Lisbon")
    note = note_of(table)
    assert note["rows"] == 7
    assert note["dropped"] == {"no coordinate": 1, "no usable time": 3}
    assert note["notes"] == {
        "trips": 4,
        "trips without a ping": 1,
        "trips whose polyline is unreadable, counted as one ping": 1,
    }
    seconds = (table["time"] - table["time"].iloc[0]).dt.total_seconds()
    assert seconds.tolist() == [0, 15, 30]
    assert table["time"].iloc[0].isoformat() == "2013-07-01T01:00:58+01:00"
    assert set(table["worker_type"]) == {"ride"}


def order(**changes):
    row = {
        "订单号": "1", "骑手": "r", "取餐时间": "2026-09-15 11:00", "送达时间": "2026-09-15 11:20",
        "商家经度": 114.95, "商家纬度": 25.85, "顾客经度": 114.96, "顾客纬度": 25.86,
    }  # fmt: skip
    return row | changes


def test_orders_keep_the_end_that_is_inside(tmp_path):
    rows = [
        order(),
        order(订单号="2", 顾客经度=115.2),
        order(订单号="10", 商家经度=""),
        order(订单号="4", 商家经度="", 顾客纬度=""),
        order(订单号="5", 取餐时间="", 送达时间=""),
        order(订单号="6", 送达时间="2026-09-15 10:00"),
        order(订单号="7", 取餐时间=""),
    ]
    table = load_activity(write(tmp_path, rows), area=AREA, kind="orders")
    check_table(table, "orders")
    assert table.index.tolist() == ["1", "2", "7", "10"]
    assert table.geometry.isna().tolist() == [False, True, False, False]
    assert table["pickup"].isna().tolist() == [False, False, False, True]
    assert table["pickup_time"].isna().tolist() == [False, False, True, False]
    note = note_of(table)
    assert note["dropped"] == {
        "pickup: no coordinate": 1,
        "no usable time": 1,
        "dropoff before pickup": 1,
    }
    assert note["notes"] == {
        "only the pickup kept, dropoff: outside the area": 1,
        "only the dropoff kept, pickup: no coordinate": 1,
    }


def test_order_times_stand_in_and_are_told(tmp_path):
    rows = [order(下单时间="2026-09-15 10:50", 配送时长="25")]
    rows = pd.DataFrame(rows).drop(columns=["取餐时间", "送达时间", "骑手"])
    table = load_activity(write(tmp_path, rows), area=AREA, kind="orders")
    assert table["pickup_time"].iloc[0].strftime("%H:%M") == "10:50"
    assert table["dropoff_time"].iloc[0].strftime("%H:%M") == "11:15"
    assert table["rider_id"].tolist() == [""]
    assert len(note_of(table)["notes"]) == 2
    with pytest.raises(ColumnError, match="pickup_time"):
        load_activity(write(tmp_path, rows.drop(columns="下单时间")), kind="orders")


def test_swapped_ends_of_orders_are_named(tmp_path):
    rows = [order(商家经度=25.85, 商家纬度=114.95), order(商家经度=25.86, 商家纬度=114.96)]
    with pytest.raises(InputError, match="swapped in `商家经度` and `商家纬度`"):
        load_activity(write(tmp_path, rows), area=AREA, kind="orders")


def test_stays_with_an_end_or_a_length(tmp_path):
    stay = {"rider_id": "a", "arrive": "2026-09-15 10:00", "lon": 114.95, "lat": 25.85}
    rows = [
        stay | {"leave": "2026-09-15 10:30"},
        stay | {"leave": "2026-09-15 09:30"},
        stay | {"leave": ""},
        stay | {"rider_id": "", "leave": "2026-09-15 10:30"},
    ]
    table = load_activity(write(tmp_path, rows), area=AREA, kind="stays")
    check_table(table, "stays")
    assert table["stay_min"].tolist() == [30.0]
    assert note_of(table)["dropped"] == {
        "no usable time": 1,
        "leaves before it arrives": 1,
        "no rider": 1,
    }
    by_length = load_activity(write(tmp_path, [stay | {"停留时长": "30"}]), area=AREA, kind="stays")
    assert by_length["leave"].iloc[0] == table["leave"].iloc[0]


def test_counts(tmp_path):
    place = {"经度": 114.95, "纬度": 25.85}
    rows = [
        place | {"日均人次": "12.5", "骑手数": "11"},
        place | {"日均人次": "-1", "骑手数": "11"},
        place | {"日均人次": "3", "骑手数": "1.5"},
    ]
    table = load_activity(write(tmp_path, rows), area=AREA, kind="counts")
    check_table(table, "counts")
    assert table["weight_per_day"].tolist() == [12.5]
    assert table["workers"].tolist() == [11]
    assert note_of(table)["dropped"] == {
        "no usable weight": 1,
        "no usable number of workers": 1,
    }


@pytest.mark.parametrize("kind", ["orders", "stays", "counts"])
def test_shuffled_rows_give_the_same_table(tmp_path, kind):
    rng = np.random.default_rng(2)
    rows = []
    for _ in range(20):
        lon, lat = rng.uniform(114.91, 114.99), rng.uniform(25.81, 25.89)
        rows.append(
            order(订单号="", 商家经度=lon, 商家纬度=lat)
            | {"rider_id": "a", "lon": lon, "lat": lat, "日均人次": 3, "骑手数": 12}
            | {"arrive": "2026-09-15 10:00", "leave": "2026-09-15 10:30"}
        )
    one = load_activity(write(tmp_path, rows), area=AREA, kind=kind)
    file = write(tmp_path, [rows[i] for i in rng.permutation(20)])
    other = load_activity(file, area=AREA, kind=kind)
    one.attrs, other.attrs = {}, {}
    pd.testing.assert_frame_equal(one, other)


def test_trips_read_as_orders_keep_their_two_ends(tmp_path):
    trips = pd.DataFrame(
        {
            "TAXI_ID": ["7", "8"],
            "TIMESTAMP": ["1372636858", "1372637000"],
            "POLYLINE": ["[[-8.61,41.14],[-8.62,41.15],[-8.63,41.16]]", "[]"],
        }
    )
    trips.to_csv(tmp_path / "trips.csv", index=False)
    orders = load_activity(tmp_path / "trips.csv", kind="orders", timezone="UTC")
    assert len(orders) == 1
    assert orders.attrs["input"]["dropped"] == {"pickup: no coordinate": 1}
    assert (orders["dropoff_time"] - orders["pickup_time"]).dt.total_seconds().tolist() == [30.0]
    ends = gpd.GeoSeries(orders["pickup"], crs=orders.crs).to_crs(4326).iloc[0]
    assert (round(ends.x, 6), round(ends.y, 6)) == (-8.61, 41.14)
