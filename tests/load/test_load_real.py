"""Real files: what is known of them is found in them."""

import pandas as pd
import pytest

from planner.geo import shift_datum
from planner.load import load_activity, load_area, load_hosts, load_stations
from planner.tables import check_table

INVALID = {"110000": 1, "420100": 3, "370600": 1, "500000": 6}


def adds_up(table):
    note = table.attrs["input"]
    assert note["kept"] == len(table)
    return note["kept"] + sum(note["dropped"].values()) == note["rows"]


def iou(one, other):
    return one.intersection(other).area / one.union(other).area


def test_futian_in_gcj02_meets_futian_in_wgs84(shared):
    true = load_area(shared / "shenzhen" / "shenzhen_districts_wgs84.geojson").to_crs(32650)
    true = true.geometry[true["name"] == "福田"].union_all()
    file = shared / "boundaries_gcj02" / "440304.json"
    raw, converted = (
        load_area(file, datum=d).to_crs(32650).union_all() for d in ("wgs84", "gcj02")
    )
    assert iou(true, raw) < 0.9
    assert iou(true, converted) > 0.99


@pytest.mark.parametrize("adcode", ["110000", "360700", "370600", "420100", "500000", "511100"])
def test_boundaries_load_whatever_they_are(shared, adcode):
    area = load_area(shared / "boundaries_gcj02" / f"{adcode}.json", datum="gcj02")
    check_table(area, "districts")
    assert area.is_valid.all()
    assert area["name"].is_unique
    assert area.index.str.fullmatch(r"\d{6}").all()
    assert adds_up(area)
    if adcode in INVALID:
        assert len(area.attrs["input"]["repaired"]) == INVALID[adcode]


def test_porto_stands_report_the_malformed_row(shared):
    stands = load_stations(shared / "porto" / "taxi_stands.csv")
    check_table(stands, "stations")
    assert len(stands) == 62
    assert "41" not in stands.index
    note = stands.attrs["input"]
    # Stand 41 is on line 42: the header is row 1.
    assert note["dropped"] == {"malformed coordinate": 1}
    assert note["examples"] == {
        "malformed coordinate": "row 42 (41 Nevogilde): `41.163066654-8.67598304213`"
    }
    assert stands.loc["4", "name"] == "Alfândega"
    assert stands["hours_assumed"].all()
    assert adds_up(stands)


def test_porto_trips_account_for_every_ping(shared):
    trips = load_activity(shared / "porto" / "taxi_trips.csv", timezone="Europe/Lisbon")
    check_table(trips, "fixes")
    note = trips.attrs["input"]
    assert note["rows"] == 47_304
    assert adds_up(trips)
    assert trips["rider_id"].nunique() == 308  # of 309 drivers, one trip has no ping
    assert note["notes"]["trips"] == 999
    assert trips["time"].min() >= pd.Timestamp("2013-07-01 00:00", tz="UTC")


def test_wolt_orders_are_all_read(shared):
    orders = load_activity(
        shared / "helsinki" / "wolt_orders.csv",
        kind="orders",
        timezone="Europe/Helsinki",
        clock="UTC",
    )
    check_table(orders, "orders")
    assert orders.attrs["input"]["rows"] == 18_706
    assert adds_up(orders)
    first = orders["pickup_time"].min()
    assert first.isoformat() == "2020-08-01T09:07:00+03:00"
    assert orders["dropoff_time"].notna().all()
    raw = pd.read_csv(shared / "helsinki" / "wolt_orders.csv", encoding="utf-8-sig")
    for points, prefix in ((orders.geometry, "USER"), (orders["pickup"], "VENUE")):
        degrees = points.to_crs(4326)
        found = sorted(zip(degrees.x.round(6), degrees.y.round(6), strict=True))
        assert found == sorted(zip(raw[f"{prefix}_LONG"], raw[f"{prefix}_LAT"], strict=True))


def test_helsinki_amenities_are_hosts(shared):
    hosts = load_hosts(shared / "helsinki" / "streets.osm.pbf")
    check_table(hosts, "hosts")
    kinds = hosts["kind"].value_counts()
    assert kinds["cafe"] == 161
    assert kinds["pharmacy"] == 13
    assert kinds["public"] >= 2
    assert kinds["community"] >= 6
    assert "restaurant" not in kinds
    assert hosts.index.str.fullmatch(r"[nwr]\d+").all()
    assert adds_up(hosts)
    assert (hosts["hours"] != "").sum() > 100


def test_roads_alone_hold_no_hosts(shared):
    from planner.errors import InputError

    with pytest.raises(InputError, match="no amenities"):
        load_hosts(shared / "porto" / "streets.osm.pbf")


@pytest.mark.parametrize("city", ["shanghai", "jilin"])
def test_parcels_become_two_fixes_each(shared, city):
    fixes = load_activity(shared / "lade" / f"{city}.xlsx")
    check_table(fixes, "fixes")
    note = fixes.attrs["input"]
    assert note["rows"] == 2 * note["notes"]["parcels, each with two events"]
    assert note["dropped"]["no coordinate"] > 300
    assert adds_up(fixes)


def test_a_wrong_datum_moves_a_city_by_half_a_kilometre(shared):
    area = load_area(shared / "shenzhen" / "shenzhen_districts_wgs84.geojson")
    moved = shift_datum(area.to_crs(4326), "gcj02").to_crs(area.crs)
    distance = area.centroid.distance(moved.centroid)
    assert distance.between(300, 800).all()
