"""Orders as platforms publish them: one end, several times, clocks without a day."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from planner.activity.orders import orders_to_stays
from planner.errors import ColumnError
from planner.load import load_activity
from planner.tables import check_table

AREA = gpd.GeoDataFrame(
    {"name": ["甲"]}, geometry=[shapely.box(114.90, 25.80, 115.00, 25.90)], crs=4326
).to_crs(32650)


def load(folder, rows, **options):
    pd.DataFrame(rows).to_csv(folder / "orders.csv", index=False)
    orders = load_activity(folder / "orders.csv", kind="orders", **options)
    check_table(orders, "orders")
    note = orders.attrs["input"]
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    return orders


def clock(times):
    return times.dt.strftime("%m-%d %H:%M").fillna("").tolist()


@pytest.mark.parametrize("city", ["shanghai", "jilin", "yantai", "hangzhou", "chongqing"])
def test_parcels_load_as_orders_that_were_fetched(shared, city):
    file = shared / "lade" / f"{city}.xlsx"
    orders = load_activity(file, kind="orders")
    check_table(orders, "orders")
    raw = pd.read_excel(file, engine="calamine")
    note = orders.attrs["input"]
    assert note["rows"] == len(raw)
    assert note["kept"] + sum(note["dropped"].values()) == len(raw)
    assert note["notes"]["only the pickup kept, dropoff: not in the file"] == len(orders)
    assert set(orders["worker_type"]) == {"courier"}
    assert orders.geometry.isna().all()
    degrees = gpd.GeoSeries(orders["pickup"], crs=orders.crs).to_crs(4326)
    assert sorted(degrees.x.round(5)) == sorted(raw["lng"].round(5))
    assert set(orders["pickup_time"].dt.year) == {2022}
    stays = orders_to_stays(orders)
    assert len(stays) == len(orders)
    assert (stays["leave"] - stays["arrive"] <= pd.Timedelta(minutes=5)).all()


def waybill(**changes):
    row = {
        "dt": 20221017, "order_id": 7, "waybill_id": 9, "courier_id": 3, "is_courier_grabbed": 1,
        "sender_lng": 114950000, "sender_lat": 25850000, "recipient_lng": 114960000,
        "recipient_lat": 25860000, "grab_time": 1665969000, "fetch_time": 1665969600,
        "arrive_time": 1665970800, "platform_order_time": 1665968900,
    }  # fmt: skip
    return row | changes


def test_waybills_in_millionths_of_a_degree(tmp_path):
    rows = [
        waybill(),
        waybill(waybill_id=10, is_courier_grabbed=0, fetch_time=0, arrive_time=0),
        waybill(waybill_id=11, fetch_time=0),
        waybill(waybill_id=12, sender_lng=0, sender_lat=0),
    ]
    orders = load(tmp_path, rows, area=AREA)
    assert len(orders) == 3
    assert orders.attrs["input"]["dropped"] == {"no usable time": 1}
    notes = orders.attrs["input"]["notes"]
    assert notes["waybills in millionths of a degree"] == 4
    assert notes["waybills that the rider declined, without times"] == 1
    assert notes["only the dropoff kept, pickup: coordinate 0, 0"] == 1
    assert set(orders["worker_type"]) == {"food"}
    ends = orders.geometry.to_crs(4326)
    assert sorted(ends.x.round(6)) == [114.96] * 3
    assert clock(orders["accept_time"].iloc[:1]) == ["10-17 09:10"]
    assert sorted(clock(orders["pickup_time"])) == ["10-17 09:08", "10-17 09:20", "10-17 09:20"]
    assert clock(orders["dropoff_time"]) == ["10-17 09:40"] * 3


def test_degrees_under_the_same_headers_are_left_alone(tmp_path):
    row = waybill(sender_lng=114.95, sender_lat=25.85, recipient_lng=114.96, recipient_lat=25.86)
    orders = load(tmp_path, [row], area=AREA)
    assert round(orders.geometry.to_crs(4326).x.iloc[0], 6) == 114.96


def dated(**changes):
    row = {
        "rider": "r", "订单日期": "2026/9/15", "下单时间": "23:40", "接单时间": "23:45",
        "取餐时间": "23:55", "送达时间": "0:15", "商家经度": 114.95, "商家纬度": 25.85,
        "顾客经度": 114.96, "顾客纬度": 25.86,
    }  # fmt: skip
    return row | changes


def test_clocks_are_joined_with_their_day_and_go_past_midnight(tmp_path):
    rows = [
        dated(),
        dated(下单时间="11:00", 接单时间="11:02", 取餐时间="11:10", 送达时间="11:30"),
        dated(接单时间="0:01", 取餐时间="", 送达时间="0:30"),
        dated(下单时间="12:00", 接单时间="12:01", 取餐时间="12:20", 送达时间="12:10"),
    ]
    orders = load(tmp_path, rows, area=AREA)
    assert orders.attrs["input"]["dropped"] == {"dropoff before pickup": 1}
    found = pd.DataFrame(
        {c: clock(orders[c]) for c in ("accept_time", "pickup_time", "dropoff_time")}
    ).sort_values("dropoff_time")
    assert found.to_numpy().tolist() == [
        ["09-15 11:02", "09-15 11:10", "09-15 11:30"],
        ["09-15 23:45", "09-15 23:55", "09-16 00:15"],
        ["09-16 00:01", "09-15 23:40", "09-16 00:30"],
    ]
    notes = orders.attrs["input"]["notes"]
    assert notes["clock past midnight taken as the next day's"] == 2
    assert notes["pickup time taken from the order's"] == 1


def test_a_day_and_two_clocks_under_english_headers(tmp_path):
    row = {
        "Order_Date": "19-03-2026", "Time_Orderd": "11:30:00", "Time_Order_picked": "11:45:00",
        "Restaurant_latitude": 25.85, "Restaurant_longitude": 114.95,
        "Delivery_location_latitude": 25.86, "Delivery_location_longitude": 114.96,
    }  # fmt: skip
    orders = load(tmp_path, [row], area=AREA)
    assert clock(orders["pickup_time"]) == ["03-19 11:45"]


def test_the_time_of_taking_on_stands_in_for_the_order(tmp_path):
    row = {k: v for k, v in dated().items() if k not in ("下单时间", "取餐时间", "送达时间")}
    orders = load(tmp_path, [row | {"接单时间": "2026-09-15 10:50"}], area=AREA)
    assert clock(orders["pickup_time"]) == ["09-15 10:50"]


@pytest.mark.parametrize(("time", "end"), [("取餐时间", "pickup"), ("送达时间", "dropoff")])
def test_the_only_place_of_an_order_is_the_end_that_has_a_time(tmp_path, time, end):
    row = {"rider": "r", time: "2026-09-15 10:50", "经度": 114.95, "纬度": 25.85}
    orders = load(tmp_path, [row], area=AREA)
    there = orders["pickup"].notna() if end == "pickup" else orders.geometry.notna()
    assert there.all()
    assert orders["pickup"].notna().sum() + orders.geometry.notna().sum() == 1
    only = load(tmp_path, [{k: v for k, v in dated(送达时间="").items() if "顾客" not in k}])
    assert only["pickup"].notna().all()
    with pytest.raises(ColumnError, match="dropoff_lon"):
        load(tmp_path, [{"rider": "r", time: "2026-09-15 10:50"}], area=AREA)


def test_an_order_without_an_end_is_lost_for_what_its_only_end_lacks(tmp_path):
    row = {"rider": "r", "送达时间": "2026-09-15 10:50", "经度": 114.95, "纬度": 25.85}
    orders = load(tmp_path, [row, row | {"经度": 0, "纬度": 0}], area=AREA)
    assert orders.attrs["input"]["dropped"] == {"dropoff: coordinate 0, 0": 1}


def test_every_reason_and_note_speaks_chinese(tmp_path):
    from planner.i18n import translator

    speak = translator("zh")
    rows = [waybill(), waybill(is_courier_grabbed=0), waybill(sender_lng=0, sender_lat=0)]
    one = load(tmp_path, rows, area=AREA).attrs["input"]
    rows = [dated(), dated(送达时间="", 取餐时间="", 接单时间="", 下单时间="")]
    other = load(tmp_path, rows, area=AREA).attrs["input"]
    said = [w for note in (one, other) for key in ("dropped", "notes") for w in note[key]]
    assert len(said) > 5
    assert [w for w in said if speak(w) == w] == []
