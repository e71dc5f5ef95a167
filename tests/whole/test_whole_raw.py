"""LaDe's workbooks as they are: every row is kept or lost for a reason, and nobody is shown."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.activity import make_stays
from planner.demand import make_demand
from planner.load import load_activity, load_area, scan_activity

BOUNDARY = {"shanghai": "310000", "hangzhou": "330100", "yantai": "370600", "chongqing": "500000"}
PARCELS = {"shanghai": 1285, "hangzhou": 1156, "yantai": 1512, "chongqing": 1470, "jilin": 767}


@pytest.fixture(params=PARCELS)
def city(request, shared):
    name = request.param
    box = gpd.GeoDataFrame({"name": [name]}, geometry=[shapely.box(120, 40, 132, 47)], crs=4326)
    boundary = shared / "boundaries_gcj02" / f"{BOUNDARY.get(name)}.json"
    area = load_area(boundary, datum="gcj02") if name in BOUNDARY else box
    return name, shared / "lade" / f"{name}.xlsx", area.to_crs(area.estimate_utm_crs())


def assert_adds_up(note, rows):
    assert note["rows"] == rows
    assert note["kept"] + sum(note["dropped"].values()) == rows
    assert set(note["examples"]) == set(note["dropped"])


def test_parcels_as_fixes_account_for_every_row(city):
    name, file, area = city
    stays = make_stays(scan_activity(file, area=area))
    note, account = stays.attrs["input"], stays.attrs["activity"]
    assert_adds_up(note, 2 * PARCELS[name])
    assert note["notes"] == {"parcels, each with two events": PARCELS[name]}
    assert note["dropped"]["no coordinate"] > 300
    assert account["fixes"] == note["kept"]
    assert account["used"] + sum(account["dropped"].values()) == account["fixes"]
    assert len(stays) > 50
    assert account["riders"] <= pd.read_excel(file, engine="openpyxl")["courier_id"].nunique()


def test_parcels_as_orders_make_demand_of_five_or_more(city):
    name, file, area = city
    orders = load_activity(file, kind="orders", area=area)
    assert_adds_up(orders.attrs["input"], PARCELS[name])
    demand = make_demand(make_stays(orders), min_workers=5)
    assert len(demand)
    assert demand["workers"].min() >= 5
    places = pd.Series(map(tuple, np.round(shapely.get_coordinates(orders["pickup"].values), 2)))
    few = set(places[orders["rider_id"].groupby(places).transform("nunique").to_numpy() < 5])
    points = map(tuple, np.round(shapely.get_coordinates(demand.geometry.values), 2))
    assert few.isdisjoint(points)
