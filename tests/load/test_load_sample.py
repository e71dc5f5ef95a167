"""The sample city: made again byte for byte, believable, and with gaps worth planning for."""

import json
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from openpyxl import load_workbook

import planner as pl
from planner.load.sample import write_sample
from planner.settings import load_settings

COMMITTED = Path(__file__).parents[2] / "data" / "sample"
FILES = {
    "activity.parquet", "districts.geojson", "hosts.geojson", "places.geojson", "stations.xlsx",
    "streets.graphml", "study.toml", "water.geojson",
}  # fmt: skip
UTM = "EPSG:32650"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city") / "new"
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def fixes(city):
    table = pd.read_parquet(city / "activity.parquet")
    table["hour"] = table["time"].dt.hour
    return table


@pytest.fixture(scope="module")
def area(city):
    return pl.load_area(city / "districts.geojson")


@pytest.fixture(scope="module")
def stays(city, area):
    return pl.make_stays(pl.load_activity(city / "activity.parquet", area=area))


@pytest.fixture(scope="module")
def graph(city):
    return nx.read_graphml(city / "streets.graphml", force_multigraph=True)


def features(file):
    return json.loads(file.read_text(encoding="utf-8"))["features"]


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def test_twice_the_same_bytes(city, tmp_path):
    write_sample(str(tmp_path), seed=0)
    assert {f.name for f in tmp_path.iterdir()} == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (city / name).read_bytes(), name


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_committed_city_is_what_the_command_makes(city, name):
    new, old = city / name, COMMITTED / name
    if new.read_bytes() == old.read_bytes():
        return
    # other versions of a library may pack the same content differently
    if name.endswith(".parquet"):
        pd.testing.assert_frame_equal(
            pd.read_parquet(new), pd.read_parquet(old), check_exact=False, atol=2e-5
        )
    elif name.endswith(".xlsx"):
        rows = [list(load_workbook(f).active.values) for f in (new, old)]
        assert rows[0] == rows[1]
    elif name.endswith(".geojson"):
        tables = [gpd.read_file(f) for f in (new, old)]
        for column in tables[0].columns.drop("geometry"):
            assert tables[0][column].equals(tables[1][column])
        assert tables[0].geometry.geom_equals_exact(tables[1].geometry, 2e-5).all()
    else:
        assert new.read_text(encoding="utf-8") == old.read_text(encoding="utf-8")


def test_it_is_small(city):
    assert sum(f.stat().st_size for f in city.iterdir()) <= 4_000_000


def test_another_seed_makes_another_city_on_the_same_ground(city, tmp_path):
    write_sample(tmp_path, seed=1)
    same = {n for n in FILES if (tmp_path / n).read_bytes() == (city / n).read_bytes()}
    assert same == {"districts.geojson", "water.geojson", "study.toml"}


def test_the_study_is_valid_and_names_only_files_beside_it(city):
    s = load_settings(city)
    assert (s.study.name, s.study.language) == ("虔城样例", "zh")
    assert (s.service.mode, s.service.limit_min, s.parking.count) == ("walk", 15, 20)
    assert 8 <= s.siting.count <= 10
    named = [s.area.file, s.activity.file, s.stations.file, s.hosts.file, s.streets.file]
    for file in [*named, s.streets.water]:
        assert file in FILES


# ── ground and streets ────────────────────────────────────────────────────────────────────────


def test_districts_share_the_area_without_overlap(city):
    districts = gpd.read_file(city / "districts.geojson").to_crs(UTM)
    assert len(districts) == 8
    assert districts["name"].is_unique
    assert districts["name_en"].str.isascii().all()
    assert districts.is_valid.all()
    whole = districts.union_all().area
    assert districts.area.sum() == pytest.approx(whole, rel=1e-3)
    assert 60e6 < whole < 130e6


def test_the_streets_are_a_city_of_lanes_and_main_roads(graph):
    streets = {}
    for a, b, data in graph.edges(data=True):
        streets[frozenset((a, b)), data["length"]] = data
    highways = pd.Series([d["highway"] for d in streets.values()]).value_counts()
    assert 2500 <= len(streets) <= 5000
    assert {"trunk", "primary", "secondary", "tertiary", "residential", "living_street",
            "motorway", "footway"} <= set(highways.index)  # fmt: skip
    assert np.mean(["name" in d for d in streets.values()]) > 0.75
    assert any(d.get("oneway") for d in streets.values())


def test_every_street_leads_to_every_other_by_ebike(graph):
    motorway = [
        (a, b, k)
        for a, b, k, d in graph.edges(keys=True, data=True)
        if d["highway"].startswith("motorway")
    ]
    assert motorway
    open_ = graph.copy()
    open_.remove_edges_from(motorway)
    open_.remove_nodes_from([n for n in graph if open_.degree(n) == 0])
    assert nx.is_strongly_connected(open_)


def test_only_a_few_bridges_cross_the_river(city, graph):
    water = gpd.read_file(city / "water.geojson").to_crs(UTM)
    river = water.geometry[water["kind"] == "river"].union_all()
    ends = graph.nodes
    lines, wet = [], []
    for a, b, data in graph.edges(data=True):
        line = (
            shapely.from_wkt(data["geometry"])
            if "geometry" in data
            else shapely.LineString([(ends[n]["x"], ends[n]["y"]) for n in (a, b)])
        )
        lines.append(line)
        wet.append(data.get("bridge") == "yes")
    over = gpd.GeoSeries(lines, crs="EPSG:4326").to_crs(UTM).intersects(river.buffer(-30))
    assert (over.to_numpy() <= np.array(wet)).all()
    bridges = {(d["name"], d["highway"]) for _, _, d in graph.edges(data=True) if "bridge" in d}
    assert 4 <= len(bridges) <= 6
    assert ("古浮桥", "footway") in bridges


def test_the_old_town_is_denser_than_the_edges(city, graph):
    districts = gpd.read_file(city / "districts.geojson").to_crs(UTM).set_index("name")
    nodes = gpd.GeoSeries(
        gpd.points_from_xy(
            *zip(*((d["x"], d["y"]) for _, d in graph.nodes(data=True)), strict=True)
        ),
        crs="EPSG:4326",
    ).to_crs(UTM)
    density = {n: nodes.within(g).sum() / g.area for n, g in districts.geometry.items()}
    assert max(density, key=density.get) == "古城区"
    assert min(density, key=density.get) == "港南区"


# ── registers ─────────────────────────────────────────────────────────────────────────────────


def test_stations_are_read_with_their_gaps(city, area):
    stations = pl.load_stations(city / "stations.xlsx", area=area)
    assert 55 <= len(stations) <= 70
    assert stations.attrs["input"]["dropped"] == {}
    assert {"station", "merchant", "pharmacy", "charging", "drivers_home"} <= set(stations["kind"])
    assert 3 <= stations["hours_assumed"].sum() <= 20
    assert stations["capacity"].isna().any()
    assert stations["name"].is_unique
    inner = area[area["name"].isin(["古城区", "中山区"])].union_all()
    assert stations.within(inner).mean() > 0.4


def test_the_workbook_carries_no_clock(city):
    said = load_workbook(city / "stations.xlsx").properties
    assert said.created.year == 2026
    assert (said.created.month, said.created.day) == (9, 1)


def test_hosts_are_of_many_kinds(city, area):
    hosts = pl.load_hosts(city / "hosts.geojson", area=area)
    assert 70 <= len(hosts) <= 90
    assert hosts.attrs["input"]["dropped"] == {}
    assert {"community", "mall", "union", "pharmacy", "bank"} == set(hosts["kind"])
    assert 0.03 < (hosts["hours"] == "").mean() < 0.4
    assert hosts["name"].is_unique


def test_places_are_context_of_every_kind(city):
    kinds = pd.Series([f["properties"]["kind"] for f in features(city / "places.geojson")])
    for kind in ("mall", "tower", "hospital", "school", "estate", "restaurant"):
        assert (kinds == kind).sum() >= 5, kind


# ── riders ────────────────────────────────────────────────────────────────────────────────────


def test_fixes_of_three_worker_types_on_two_days(fixes):
    assert list(fixes.columns[:5]) == ["rider_id", "worker_type", "time", "lon", "lat"]
    assert 550 <= fixes["rider_id"].nunique() <= 600
    assert fixes.groupby("rider_id")["worker_type"].nunique().max() == 1
    riders = fixes.groupby("worker_type")["rider_id"].nunique()
    assert riders["food"] > riders["courier"] > riders["ride"] > 50
    worked = fixes[fixes["hour"].between(9, 20)]["time"].dt.strftime("%a %Y-%m-%d")
    assert set(worked) == {"Tue 2026-09-15", "Sat 2026-09-19"}


def test_fixes_hold_faults_to_be_counted(fixes):
    zero = fixes["lon"] == 0
    assert zero.equals(fixes["lat"] == 0)
    assert 50 < zero.sum() < 1000
    assert 100 < fixes.duplicated(["rider_id", "time", "lon", "lat"]).sum() < 3000


def test_riders_ride_at_the_pace_of_ebikes(fixes):
    good = fixes[fixes["lon"] > 0]
    metres = np.hypot(good["lon"].diff() * 100_200, good["lat"].diff() * 110_800)
    seconds = good["time"].diff().dt.total_seconds()
    moving = (good["rider_id"] == good["rider_id"].shift()) & seconds.between(40, 90)
    kmh = (3.6 * metres / seconds)[moving & (metres > 150)]
    assert 10 < kmh.median() < 25
    assert kmh.quantile(0.99) < 45


def test_cleaning_counts_what_was_spoilt(stays):
    dropped = stays.attrs["activity"]["dropped"]
    assert dropped["jump"] + dropped["spike"] > 100
    assert "no_position" not in dropped  # the loader has left the zeros out


def test_meals_make_peaks(stays):
    food = stays[(stays["worker_type"] == "food") & (stays["stay_min"] < 20)]
    hourly = food["arrive"].dt.hour.value_counts()
    peaks = hourly.loc[[11, 12, 17, 18]].mean()
    assert peaks > 1.3 * hourly.loc[[14, 15]].mean()
    assert peaks > 3 * hourly.loc[[8, 9]].mean()


def test_nights_are_spent_at_home_and_are_no_demand(stays):
    activity = stays.attrs["activity"]
    assert activity["excluded_home"] + activity["excluded_long"] > 1500
    days = stays["arrive"].dt.strftime("%Y-%m-%d").unique().tolist()
    assert sorted(days) == ["2026-09-15", "2026-09-19"]
    rests = stays[stays["stay_min"].between(20, 90)]
    assert rests["rider_id"].nunique() > 350


# ── what a planner finds ──────────────────────────────────────────────────────────────────────


def test_real_gaps_remain_and_eight_stations_close_many(city, area, stays):
    demand = pl.make_demand(stays)
    note = demand.attrs["demand"]
    assert 400 <= len(demand) <= 1000
    assert note["suppressed_share"] < 0.15
    assert note["days"] == 2
    streets = pl.load_streets(city / "streets.graphml", mode="walk", crs=area.crs)
    assert streets.n_components == 1
    stations = pl.load_stations(city / "stations.xlsx", area=area)
    hosts = pl.load_hosts(city / "hosts.geojson", area=area)
    reach = pl.make_reach(streets, demand, stations, limit_min=15)
    assert len(reach.unsnapped_demand) == 0
    today = pl.measure_coverage(reach, demand, area=area)["covered_share"]
    assert 0.55 <= today["all"] <= 0.65
    assert today["district:古城区"] > 0.9
    for gap in ("高新区", "水西区", "水东区", "滨江新区"):
        assert today[f"district:{gap}"] < 0.75
    offered = pl.make_candidates(demand, streets, existing=stations, hosts=hosts, area=area, rng=0)
    reach = pl.make_reach(streets, demand, offered, limit_min=15)
    sites = pl.choose_stations(reach, demand, offered, count=8, reruns=0)
    assert sites.attrs["siting"]["covered_share"] > today["all"] + 0.15
    gains = sites.sort_values("rank")["gain_share"]
    assert gains.iloc[0] < 0.12  # no single gap is the story
    assert sites.geometry.x.max() - sites.geometry.x.min() > 5000


def test_network_and_straight_line_disagree_at_the_river(city, graph):
    """From the old town's bank to the other one it is far on foot but near as the crow flies."""
    places = {f["properties"]["name"]: f["geometry"]["coordinates"]
              for f in features(city / "places.geojson")}  # fmt: skip
    walk = nx.Graph()
    for a, b, d in graph.edges(data=True):
        if not d["highway"].startswith("motorway"):
            walk.add_edge(a, b, length=float(d["length"]))

    def nearest(name):
        x, y = places[name]
        nodes = list(walk)
        far = [np.hypot((graph.nodes[n]["x"] - x) * 0.9, graph.nodes[n]["y"] - y) for n in nodes]
        return nodes[int(np.argmin(far))]

    a, b = nearest("古城墙公园"), nearest("水西里商业街")
    walked = nx.shortest_path_length(walk, a, b, weight="length")
    ends = gpd.GeoSeries(
        gpd.points_from_xy([graph.nodes[n]["x"] for n in (a, b)],
                           [graph.nodes[n]["y"] for n in (a, b)]), crs="EPSG:4326"
    ).to_crs(UTM)  # fmt: skip
    assert walked > 1.2 * ends.iloc[0].distance(ends.iloc[1])
