"""Stays from orders: two an order, each order a person where nobody is named."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from planner.activity import make_stays
from planner.errors import ColumnError, CrsError, InputError

NOON = pd.Timestamp("2026-03-02 12:00", tz="Asia/Shanghai")


def orders(n=3, **columns):
    table = {
        "rider_id": ["b", "a", None][:n],
        "worker_type": "food",
        "pickup_time": [NOON + pd.Timedelta(minutes=30 * i) for i in range(n)],
        "dropoff_time": [NOON + pd.Timedelta(minutes=30 * i + 20) for i in range(n)],
        "pickup": gpd.GeoSeries(gpd.points_from_xy([0] * n, range(n)), crs="EPSG:32650"),
        **columns,
    }
    geometry = table.pop("geometry", gpd.points_from_xy([900] * n, range(n)))
    return gpd.GeoDataFrame(table, geometry=geometry, crs="EPSG:32650")


def test_an_order_makes_a_wait_and_a_handover():
    stays = make_stays(orders(1))
    assert stays["rider_id"].tolist() == ["b", "b"]
    assert stays["arrive"].tolist() == [NOON - pd.Timedelta("5min"), NOON + pd.Timedelta("20min")]
    assert stays["stay_min"].tolist() == [5.0, 3.0]
    assert stays.geometry.x.tolist() == [0.0, 900.0]
    assert stays.index.name == "stay_id"
    assert stays.crs == "EPSG:32650"


def test_short_handovers_are_not_filtered():
    assert len(make_stays(orders(3), min_stay_min=30)) == 6


def test_orders_without_riders_are_persons_of_their_own():
    stays = make_stays(orders(3))
    assert stays["rider_id"].tolist() == ["a", "a", "b", "b", "order:2", "order:2"]
    assert stays.attrs["activity"]["workers_basis"] == "orders"
    assert stays.attrs["activity"]["riders"] == 3
    assert make_stays(orders(2)).attrs["activity"]["workers_basis"] == "riders"


def test_a_late_accept_shortens_the_wait():
    accept = [NOON - pd.Timedelta("2min"), NOON - pd.Timedelta("1h"), NOON + pd.Timedelta("2h")]
    stays = make_stays(orders(3, rider_id=["a", "b", "c"], accept_time=accept))
    assert stays["stay_min"].tolist() == [2.0, 3.0, 5.0, 3.0, 0.0, 3.0]


def test_a_missing_time_comes_from_the_other_end():
    table = orders(2)
    table.loc[0, "dropoff_time"] = pd.NaT
    table.loc[1, "pickup_time"] = pd.NaT
    stays = make_stays(table)
    b = stays[stays["rider_id"] == "b"]
    assert b["arrive"].tolist() == [NOON - pd.Timedelta("5min"), NOON]
    a = stays[stays["rider_id"] == "a"]
    assert a["leave"].iloc[0] == NOON + pd.Timedelta("50min")


def test_ends_without_place_or_time_are_counted():
    table = orders(3, pickup=gpd.GeoSeries([None, shapely.Point(), shapely.Point(1, 1)], crs=32650))
    table.loc[2, ["pickup_time", "dropoff_time"]] = pd.NaT
    note = make_stays(table).attrs["activity"]
    assert note["dropped"] == {"no_time": 2, "no_position": 2}
    assert note["fixes"] == 6
    assert note["used"] == note["stays"] == 2


def test_the_order_of_rows_does_not_matter():
    table = orders(3)
    a, b = make_stays(table), make_stays(table.iloc[::-1])
    pd.testing.assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b))


def test_bad_orders_are_named():
    with pytest.raises(ColumnError, match=r"lacks `dropoff_time`"):
        make_stays(orders(2).drop(columns="dropoff_time"))
    with pytest.raises(CrsError, match="must be in metres"):
        make_stays(orders(2).to_crs(4326))
    with pytest.raises(InputError, match="no rows"):
        make_stays(orders(2).iloc[:0])
    with pytest.raises(InputError, match="time zone"):
        make_stays(orders(2, pickup_time=[pd.Timestamp("2026-03-02")] * 2))
    with pytest.raises(CrsError, match="CRS of `pickup`"):
        make_stays(orders(2, pickup=gpd.GeoSeries.from_xy([0, 1], [0, 1], crs=4326)))
    with pytest.raises(InputError, match="index is not unique"):
        make_stays(orders(2).set_axis([0, 0]))
