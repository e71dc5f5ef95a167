from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from shapely import Point, union_all

from planner.errors import ColumnError, CrsError, SettingsError
from planner.parking import choose_parking
from planner.parking.places import find_spots
from planner.parking.stops import find_stops
from planner.queueing import erlang_b
from planner.tables import TABLES, check_table

DAY1, DAY2 = "2024-05-06", "2024-05-07"


def visits(door, riders, day=DAY1, *, hour=12, minutes=5.0, prefix="r"):
    """One stop at a door by each of some riders, all in one hour."""
    return [
        (f"{prefix}{n}", *door, f"{day} {hour:02d}:{n % 60:02d}", minutes) for n in range(riders)
    ]


@pytest.fixture
def three_doors():
    """A: 12 riders on both days at noon. B: 10 riders over ten hours. C: 9 riders."""
    rows = visits((550, 10), 12) + visits((550, 10), 12, DAY2)
    rows += [(f"r{n}", 150, 810, f"{DAY1} {10 + n}:30", 6.0) for n in range(10)]
    rows += visits((850, 510), 9)
    rows += visits((250, 310), 30, minutes=2.0, prefix="hurry")
    rows += visits((250, 310), 30, minutes=60.0, prefix="rest")
    return rows


def walk_metres(n, stop, site):
    """Metres on foot over the grid from a stop above a street running east to a point on one."""
    graph = nx.grid_2d_graph(n, n)
    nx.set_edge_attributes(graph, 100.0, "m")
    ends = []
    for name, (x, y) in (("stop", stop), ("site", site)):
        row, column = round(y / 100), round(x / 100)
        if abs(y - row * 100) <= abs(x - column * 100):  # on a street running east
            low = int(x // 100)
            beside, along, near = abs(y - row * 100), x - low * 100, ((low, row), (low + 1, row))
        else:
            low = int(y // 100)
            beside, along = abs(x - column * 100), y - low * 100
            near = ((column, low), (column, low + 1))
        graph.add_edge(name, near[0], m=beside + along)
        graph.add_edge(name, near[1], m=beside + 100 - along)
        ends.append((near, beside, along))
    (near1, beside1, along1), (near2, beside2, along2) = ends
    if near1 == near2:
        graph.add_edge("stop", "site", m=beside1 + beside2 + abs(along1 - along2))
    return nx.shortest_path_length(graph, "stop", "site", weight="m")


def test_by_hand(make_grid, make_stays_table, make_points_table, three_doors):
    stations = make_points_table({"S1": (600, 0), "S2": (150, 1000)})
    sites = make_points_table({"N1": (500, 100)}, "site_id")
    parking = choose_parking(
        make_grid(), make_stays_table(three_doors), sites, existing=stations, count=5
    )
    check_table(parking, "parking")
    assert list(parking.columns) == list(TABLES["parking"])
    assert list(parking.index) == ["P01", "P02"]
    assert parking.index.name == "site_id"
    first, second = parking.loc["P01"], parking.loc["P02"]
    # 12 arrivals of 5 min in the busiest hour: 1 erlang. B(3, 1) = 1/16, B(4, 1) = 1/65.
    assert first["served_per_day"] == 12.0
    assert first["peak_per_hour"] == 12.0
    assert first["bays"] == 4
    assert first["blocking_share"] == pytest.approx(1 / 65, abs=5e-5)
    assert first["workers"] == 12
    assert first["name"] == "East 0"
    # 10 stops in two days, never two in an hour: half a stop in the busiest hour
    assert second["served_per_day"] == 5.0
    assert second["peak_per_hour"] == 0.5
    assert second["bays"] == 2
    assert second["workers"] == 10
    # S1 is on the same street; from B the nearest station is 200 m away or more
    assert first["station_id"] == "S1"
    assert first["station_walk_m"] == pytest.approx(abs(600 - first.geometry.x), abs=0.5)
    note = parking.attrs["parking"]
    assert note["covered_share"] == pytest.approx(34 / 43)
    assert note["stops_per_day"] == pytest.approx(43 / 2)
    assert note["days"] == 2
    assert note["suppressed"] > 0
    assert (note["count"], note["found"]) == (5, 2)


def test_sites_lie_on_streets_within_a_walk_of_the_door(
    make_grid, make_stays_table, no_sites, three_doors
):
    streets = make_grid()
    parking = choose_parking(streets, make_stays_table(three_doors), no_sites)
    lines = union_all(streets.lines().geometry.to_numpy())
    assert (parking.geometry.distance(lines) < 0.02).all()
    for door, site in zip([(550, 10), (150, 810)], parking.geometry, strict=True):
        assert walk_metres(11, door, (site.x, site.y)) <= 100


@pytest.mark.parametrize(("street_class", "sites"), [(0, 0), (1, 1), (2, 1), (4, 1), (5, 0)])
def test_no_site_on_steps_or_motorways(make_grid, make_stays_table, no_sites, street_class, sites):
    streets = make_grid(street_class=np.full(2 * 11 * 10, street_class, dtype=np.int8))
    stays = make_stays_table(visits((550, 10), 12))
    assert len(choose_parking(streets, stays, no_sites)) == sites


def test_too_few_workers_are_never_shown(make_grid, make_stays_table, no_sites):
    rows = visits((550, 10), 9) * 40  # 360 stops, but only nine riders
    parking = choose_parking(make_grid(), make_stays_table(rows), no_sites)
    assert parking.empty
    assert parking.attrs["parking"]["suppressed"] > 0
    assert parking.attrs["parking"]["covered_share"] == 0.0
    assert len(choose_parking(make_grid(), make_stays_table(rows), no_sites, min_workers=9)) == 1


def test_overlapping_sites_keep_enough_workers_each(make_grid, make_stays_table, no_sites):
    """Ten riders at one end of a street and six at the other do not make two sites."""
    rows = visits((530, 10), 10) + visits((670, 10), 6, prefix="q")
    parking = choose_parking(make_grid(), make_stays_table(rows), no_sites)
    assert len(parking) == 1
    assert parking["workers"].tolist() == [16]
    assert parking.attrs["parking"]["covered_share"] == 1.0


def test_the_busiest_hour_makes_the_bays(make_grid, make_stays_table, no_sites):
    spread = [(f"r{n}", 550, 10, f"{DAY1} {n:02d}:15", 10.0) for n in range(24)]
    packed = visits((550, 10), 24, minutes=10.0)
    few = choose_parking(make_grid(), make_stays_table(spread), no_sites)
    many = choose_parking(make_grid(), make_stays_table(packed), no_sites)
    assert few["served_per_day"].tolist() == many["served_per_day"].tolist() == [24.0]
    assert few["bays"].tolist() == [2]
    assert many["bays"].tolist() == [8]  # 4 erlangs: B(7) = 0.0627, B(8) = 0.0304


def test_long_stops_count_15_minutes_at_most(make_grid, make_stays_table, no_sites):
    rows = visits((550, 10), 12, minutes=20.0)
    parking = choose_parking(make_grid(), make_stays_table(rows), no_sites)
    load = 12 * 15 / 60
    assert parking["blocking_share"].iloc[0] == pytest.approx(
        erlang_b(parking["bays"].iloc[0], load), abs=5e-5
    )
    assert parking["bays"].tolist() == [7]  # 3 erlangs: B(6) = 0.0522, B(7) = 0.0219


def test_names_of_hosts_come_first(make_grid, make_stays_table, make_points_table, no_sites):
    hosts = make_points_table(
        {"h1": (545, 20), "h2": (545, -20), "h3": (900, 900)}, "host_id", name=["", "万象城", "far"]
    )
    stays = make_stays_table(visits((550, 10), 12))
    assert choose_parking(make_grid(), stays, no_sites, hosts=hosts)["name"].tolist() == ["万象城"]
    unnamed = make_grid(name=None)
    assert choose_parking(unnamed, stays, no_sites)["name"].tolist() == ["Unnamed street"]
    in_chinese = choose_parking(unnamed, stays, no_sites, language="zh")
    assert in_chinese["name"].tolist() == ["无名道路"]


def test_stations_beyond_the_walk_are_not_linked(
    make_grid, make_stays_table, make_points_table, no_sites
):
    stays = make_stays_table(visits((550, 10), 12))
    near, far = {"S1": (700, 0)}, {"S1": (800, 0)}
    linked = choose_parking(make_grid(), stays, make_points_table(near, "site_id"))
    assert linked["station_id"].tolist() == ["S1"]
    alone = choose_parking(make_grid(), stays, no_sites, existing=make_points_table(far))
    assert alone["station_id"].isna().all()
    assert alone["station_walk_m"].isna().all()


def test_nothing_wanted_or_nothing_there_gives_an_empty_table(
    make_grid, make_stays_table, no_sites, three_doors
):
    none = choose_parking(make_grid(), make_stays_table(three_doors), no_sites, count=0)
    no_stops = choose_parking(make_grid(), make_stays_table([]), no_sites)
    off_streets = choose_parking(
        make_grid(), make_stays_table(visits((9_000, 9_000), 20)), no_sites
    )
    for parking in (none, no_stops, off_streets):
        check_table(parking, "parking")
        assert parking.empty
        assert list(parking.columns) == list(TABLES["parking"])
        assert parking.index.name == "site_id"
        assert parking["bays"].dtype == np.int64
        assert parking.attrs["parking"]["covered_share"] == 0.0


def test_counts_hold_no_stops(make_grid, make_points_table, no_sites):
    counts = make_points_table({"c": (550, 10)}, "count_id", weight_per_day=[9.0], workers=[12])
    parking = choose_parking(make_grid(), counts, no_sites)
    assert parking.empty
    assert parking.attrs["parking"]["stops_per_day"] == 0.0


@pytest.fixture(scope="module")
def busy(make_stays_table):
    """1,200 stops of 60 riders around 25 doors, thick in the middle."""
    rng = np.random.default_rng(11)
    doors = np.clip(rng.normal(500, 220, (25, 2)), 120, 880).round()
    doors[:, 1] = doors[:, 1] // 100 * 100 + 10  # above a street running east
    doors[:, 0] += np.where(np.abs(doors[:, 0] % 100 - 50) > 35, 50 - doors[:, 0] % 100, 0)
    rows = [
        (
            f"r{rng.integers(60)}",
            *doors[min(int(rng.exponential(7)), 24)],
            f"{(DAY1, DAY2)[rng.integers(2)]} {rng.integers(8, 21):02d}:{rng.integers(60):02d}",
            float(rng.integers(3, 21)),
        )
        for _ in range(1200)
    ]
    return make_stays_table(rows)


def test_covered_share_and_workers_equal_networkx(make_grid, no_sites, busy):
    parking = choose_parking(make_grid(), busy, no_sites, count=4)
    xy = [(p.x, p.y) for p in parking.geometry]
    doors = sorted({(p.x, p.y) for p in busy.geometry})
    # stops are told apart by 5 m: the walk is to the rounded place
    walks = {d: [walk_metres(11, (round(d[0] / 5) * 5, d[1]), site) for site in xy] for d in doors}
    assert not any(abs(m - 100) < 0.01 for walk in walks.values() for m in walk)
    nearest = {d: int(np.argmin(m)) for d, m in walks.items() if min(m) <= 100}
    site = pd.Series([nearest.get((p.x, p.y), -1) for p in busy.geometry], index=busy.index)
    served = busy[site >= 0].groupby(site[site >= 0])
    assert parking.attrs["parking"]["covered_share"] == pytest.approx((site >= 0).mean())
    assert parking["served_per_day"].tolist() == (served.size() / 2).tolist()
    assert parking["workers"].tolist() == served["rider_id"].nunique().tolist()
    by_hour = busy[site >= 0].groupby([site[site >= 0], busy["arrive"].dt.hour]).size() / 2
    assert parking["peak_per_hour"].tolist() == by_hour.groupby(level=0).max().tolist()


def test_two_sites_cover_as_much_as_the_best_pair(make_grid, no_sites, busy):
    streets = make_grid()
    stops = find_stops(busy, streets.crs, min_stop_min=3, max_stop_min=20)
    spots = find_spots(streets, streets.on_foot(), stops, door_m=100, min_workers=10)
    within = np.zeros(spots.minutes.shape, dtype=bool)
    row = np.repeat(np.arange(within.shape[0]), np.diff(spots.minutes.indptr))
    assert spots.offered.sum() > 20
    within[row, spots.minutes.indices] = True
    best = max(
        stops.weight[within[:, a] | within[:, b]].sum()
        for a, b in combinations(np.flatnonzero(spots.offered), 2)
    )
    parking = choose_parking(streets, busy, no_sites, count=2)
    covered = parking.attrs["parking"]["covered_share"] * len(stops.place)
    assert covered == pytest.approx(best, rel=1e-3)


def test_laws_of_the_result(make_grid, no_sites, busy):
    last = 0.0
    for count in (1, 2, 4, 8, 16):
        parking = choose_parking(make_grid(), busy, no_sites, count=count, max_blocking=0.02)
        note = parking.attrs["parking"]
        assert len(parking) <= count
        assert note["covered_share"] >= last
        assert parking["served_per_day"].is_monotonic_decreasing
        total = note["covered_share"] * note["stops_per_day"]
        assert parking["served_per_day"].sum() == pytest.approx(total)
        assert (parking["workers"] >= 10).all()
        assert (parking["blocking_share"] <= 0.02 + 5e-5).all()
        assert (parking["bays"] >= 2).all()
        last = note["covered_share"]


def test_order_of_rows_does_not_matter(make_grid, make_points_table, busy):
    sites = make_points_table({"N1": (500, 500), "N2": (450, 500), "N3": (550, 500)}, "site_id")
    plain = choose_parking(make_grid(), busy, sites, count=6)
    for seed in range(3):
        mixed = choose_parking(
            make_grid(),
            busy.sample(frac=1, random_state=seed),
            sites.sample(frac=1, random_state=seed),
            count=6,
        )
        pd.testing.assert_frame_equal(plain, mixed, check_exact=True)
        assert plain.attrs == mixed.attrs


def test_the_crs_of_the_stays_is_kept(make_grid, no_sites, busy):
    plain = choose_parking(make_grid(), busy, no_sites, count=3)
    moved = choose_parking(make_grid(), busy.to_crs(32651), no_sites, count=3)
    assert moved.crs == "EPSG:32651"
    assert moved.attrs["parking"]["covered_share"] == pytest.approx(
        plain.attrs["parking"]["covered_share"], abs=0.02
    )


def test_steps_are_told(make_grid, no_sites, busy):
    steps = []
    choose_parking(
        make_grid(),
        busy,
        no_sites,
        count=3,
        on_step=lambda done, total: steps.append((done, total)),
    )
    assert steps
    assert all(done <= total for done, total in steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": -1}, "`count` setting must be at least 0. Got -1"),
        ({"min_workers": 4}, "`min_workers` setting must be at least 5. Got 4"),
        ({"max_blocking": 0.0}, "`max_blocking` setting must be between 0 and 1"),
        ({"min_stop_min": 30.0}, "`min_stop_min` setting must be over 0 and at most"),
        ({"door_m": 0.0}, "`door_m` setting must be greater than 0"),
        ({"station_m": -5.0}, "`station_m` setting must be greater than 0"),
    ],
)
def test_impossible_numbers_are_refused(make_grid, no_sites, busy, options, message):
    with pytest.raises(SettingsError, match=message):
        choose_parking(make_grid(3), busy, no_sites, **options)


def test_bad_tables_are_refused(make_grid, no_sites, busy):
    with pytest.raises(ColumnError, match="`stays` lacks `stay_min`"):
        choose_parking(make_grid(3), busy.drop(columns="stay_min"), no_sites)
    with pytest.raises(CrsError, match="metres"):
        choose_parking(make_grid(3), busy.to_crs(4326), no_sites)


def test_stops_are_rounded_and_counted(make_stays_table):
    rows = [("a", 101, 99, f"{DAY1} 23:59", 3.0), ("b", 99, 101, f"{DAY2} 00:00", 20.0)]
    rows += [("a", 110, 100, f"{DAY2} 08:30", 4.0), ("c", 0, 0, "2024-05-09 10:00", 99.0)]
    stops = find_stops(make_stays_table(rows), "EPSG:32650", min_stop_min=3, max_stop_min=20)
    assert stops.xy.tolist() == [[100, 100], [110, 100]]
    assert stops.weight.tolist() == [2, 1]
    assert sorted(stops.hour.tolist()) == [0, 8, 23]
    assert stops.days == 3
    assert Point(stops.xy[0]).distance(Point(101, 99)) < 3.6
