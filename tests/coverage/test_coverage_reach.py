import networkx as nx
import numpy as np
import pandas as pd
import pytest

from planner.coverage import (
    circle_share,
    find_minutes,
    make_reach,
    measure_coverage,
)
from planner.errors import CrsError, InputError, SettingsError

METRES_A_MINUTE = 4000 / 60


def on_grid_lines(rng, count, size_m, off_m):
    """Points beside streets that run east: (x, y, crossing behind, metres along, metres beside)."""
    along = rng.uniform(25, 75, count)
    beside = rng.uniform(0, off_m, count)
    column, row = (
        rng.integers(0, int(size_m / 100), count),
        rng.integers(0, int(size_m / 100), count),
    )
    return [
        (c * 100 + a, r * 100 + b, (int(c), int(r)), a, b)
        for c, r, a, b in zip(column, row, along, beside, strict=True)
    ]


def plain_metres(n, demand, stations):
    """Metres from each demand point to its nearest station, by networkx on split edges."""
    graph = nx.grid_2d_graph(n, n)
    nx.set_edge_attributes(graph, 100.0, "m")
    on_edge = {}
    for kind, points in (("d", demand), ("s", stations)):
        for number, (_, _, (c, r), along, beside) in enumerate(points):
            graph.add_edge((kind, number), (c, r), m=along + beside)
            graph.add_edge((kind, number), (c + 1, r), m=100 - along + beside)
            on_edge.setdefault((c, r), []).append((kind, number, along, beside))
    for here in on_edge.values():  # on one edge the way need not touch a crossing
        for kind, number, along, beside in here:
            for other, second, along2, beside2 in here:
                if (kind, other) == ("d", "s"):
                    way = abs(along - along2) + beside + beside2
                    graph.add_edge((kind, number), (other, second), m=way)
    return np.array(
        [
            min(
                nx.shortest_path_length(graph, ("d", d), weight="m")[("s", s)]
                for s in range(len(stations))
            )
            for d in range(len(demand))
        ]
    )


@pytest.fixture(scope="module")
def scene(make_grid, make_demand_table, make_stations_table):
    rng = np.random.default_rng(5)
    demand, stations = on_grid_lines(rng, 60, 1000, 20), on_grid_lines(rng, 3, 1000, 20)
    table = make_demand_table([p[:2] for p in demand], rng.integers(1, 50, 60))
    return make_grid(11), table, make_stations_table([p[:2] for p in stations]), demand, stations


def test_covered_share_equals_networkx(scene):
    streets, demand, stations, demand_at, stations_at = scene
    metres = plain_metres(11, demand_at, stations_at)
    for limit_min in (2.0, 5.0, 9.0):
        reach = make_reach(streets, demand, stations, limit_min=limit_min)
        share = measure_coverage(reach, demand, dayparts={}).loc["all", "covered_share"]
        weight = demand["weight_per_day"].to_numpy()
        inside = metres <= limit_min * METRES_A_MINUTE
        assert 0 < inside.sum() < len(inside)
        assert share == pytest.approx(weight[inside].sum() / weight.sum())


def test_nearest_minutes_equal_networkx(scene):
    streets, demand, stations, demand_at, stations_at = scene
    minutes = find_minutes(streets, demand, stations, max_min=60)["nearest_min"]
    assert list(minutes.index) == list(demand.index)
    expected = plain_metres(11, demand_at, stations_at) / METRES_A_MINUTE
    np.testing.assert_allclose(minutes, expected, atol=1e-4)  # whole milliseconds a street
    near = find_minutes(streets, demand, stations, max_min=4)["nearest_min"]
    np.testing.assert_allclose(near, np.where(expected <= 4, expected, np.inf), atol=1e-4)


def test_by_hand_on_a_grid(make_grid, make_demand_table, make_stations_table):
    streets = make_grid(11)
    demand = make_demand_table([(0, 0), (500, 500), (1000, 1000)], [1, 1, 2])
    stations = make_stations_table([(500, 0), (500, 1000)])
    reach = make_reach(streets, demand, stations, limit_min=7.5 + 1e-6)
    pairs = reach.pairs().sort_values(["demand_id", "facility_id"])
    assert pairs[["demand_id", "facility_id"]].to_numpy().tolist() == [
        ["d0", "s0"],
        ["d1", "s0"],
        ["d1", "s1"],
        ["d2", "s1"],
    ]
    np.testing.assert_allclose(pairs["travel_min"], 7.5, rtol=1e-6)
    assert (reach.mode, reach.speed_kmh, reach.limit_min) == ("walk", 4.0, 7.5 + 1e-6)


def test_a_station_at_the_demand_is_reached_in_no_time(
    make_grid, make_demand_table, make_stations_table
):
    reach = make_reach(
        make_grid(3), make_demand_table([(50, 0)], [1]), make_stations_table([(50, 0)])
    )
    assert reach.minutes.nnz == 1
    assert reach.minutes.data.tolist() == [0.0]
    table = measure_coverage(reach, make_demand_table([(50, 0)], [1]), dayparts={})
    assert table.loc["all", "covered_share"] == 1.0
    assert table.loc["all", "median_min"] == 0.0


def test_circles_claim_no_less_than_streets(scene):
    streets, demand, stations, *_ = scene
    for limit_min in (3.0, 6.0, 9.0):
        reach = make_reach(streets, demand, stations, limit_min=limit_min)
        share = measure_coverage(reach, demand, dayparts={}).loc["all", "covered_share"]
        assert circle_share(demand, stations, radius_m=limit_min * METRES_A_MINUTE) >= share


def test_one_way_streets_are_driven_towards_the_station(make_demand_table, make_stations_table):
    from planner.network import StreetNetwork

    ring = StreetNetwork.from_arrays(
        np.array([0.0, 600, 600, 0]),
        np.array([0.0, 0, 600, 600]),
        np.array([0, 1, 2, 3]),
        np.array([1, 2, 3, 0]),
        np.full(4, 600.0),
        crs="EPSG:32650",
        mode="drive",
        speed_kmh=36.0,
        oneway=np.ones(4, dtype=bool),
    )
    demand = make_demand_table([(100, 0), (300, 0)], [1, 1])
    reach = make_reach(ring, demand, make_stations_table([(200, 0)]), limit_min=60)
    # 100 m with the arrow; 300 → 200 against it must round the block: 2400 − 100
    np.testing.assert_allclose(reach.minutes.toarray().ravel(), [100 / 600, 2300 / 600], rtol=1e-6)


def test_order_of_rows_does_not_matter(scene):
    streets, demand, stations, *_ = scene
    plain = make_reach(streets, demand, stations, limit_min=6).pairs()
    mixed = make_reach(
        streets,
        demand.sample(frac=1, random_state=1),
        stations.sample(frac=1, random_state=1),
        limit_min=6,
    ).pairs()
    keys = ["demand_id", "facility_id"]
    pd.testing.assert_frame_equal(
        plain.sort_values(keys).reset_index(drop=True),
        mixed.sort_values(keys).reset_index(drop=True),
    )


def test_points_in_another_metric_crs_are_converted(scene):
    streets, demand, stations, *_ = scene
    plain = make_reach(streets, demand, stations, limit_min=6)
    moved = make_reach(streets, demand.to_crs(32651), stations.to_crs(32651), limit_min=6)
    np.testing.assert_allclose(plain.minutes.toarray(), moved.minutes.toarray(), atol=1e-6)


def test_points_far_from_streets_are_listed(make_grid, make_demand_table, make_stations_table):
    demand = make_demand_table([(100, 100), (100, -500)], [1, 1])
    stations = make_stations_table([(0, 0), (-900, 0)])
    reach = make_reach(make_grid(), demand, stations)
    assert list(reach.unsnapped_demand) == ["d1"]
    assert list(reach.unsnapped_facilities) == ["s1"]
    assert reach.minutes.shape == (2, 2)
    assert reach.minutes.nnz == 1


def test_bad_tables_and_numbers_are_refused(make_grid, make_demand_table, make_stations_table):
    streets = make_grid()
    demand, stations = make_demand_table([(0, 0)], [1]), make_stations_table([(0, 0)])
    with pytest.raises(InputError, match="`demand` is empty"):
        make_reach(streets, demand.iloc[:0], stations)
    with pytest.raises(InputError, match="`facilities` is empty"):
        make_reach(streets, demand, stations.iloc[:0])
    with pytest.raises(CrsError, match="metres"):
        make_reach(streets, demand.to_crs(4326), stations)
    with pytest.raises(InputError, match="'s0' stands twice"):
        make_reach(streets, demand, pd.concat([stations, stations]))
    with pytest.raises(InputError, match="hold no point, first 's0'"):
        make_reach(streets, demand, stations.set_geometry(stations.buffer(9)))
    with pytest.raises(InputError, match="hold no point"):
        make_reach(streets, demand, stations.set_geometry([None], crs=stations.crs))
    with pytest.raises(InputError, match=r"`facilities` lies within 300 m.*datum"):
        make_reach(streets, demand, make_stations_table([(90_000, 0)]))
    for options in ({"limit_min": 0}, {"limit_min": float("nan")}, {"snap_m": -1}):
        with pytest.raises(SettingsError, match="greater than 0"):
            make_reach(streets, demand, stations, **options)


def test_nearest_station_without_stations_is_infinitely_far(
    make_grid, make_demand_table, make_stations_table
):
    demand = make_demand_table([(0, 0), (100, 0)], [1, 1])
    for stations in (make_stations_table([]), make_stations_table([(90_000, 0)])):
        minutes = find_minutes(make_grid(), demand, stations, max_min=30)["nearest_min"]
        assert np.isinf(minutes).all()
        assert minutes.index.equals(demand.index)


def two_banks(make_grid):
    """Two grids, 5 km apart, that no street joins."""
    from planner.network import StreetNetwork

    one = make_grid(5)
    n, far = one.n_nodes, 5000.0
    return StreetNetwork.from_arrays(
        np.concatenate([one.x, one.x + far]),
        np.concatenate([one.y, one.y]),
        np.concatenate([one.tail, one.tail + n]),
        np.concatenate([one.head, one.head + n]),
        np.tile(one.length_m, 2),
        crs=one.crs,
        mode="walk",
    )


def test_points_that_no_street_joins_are_listed(make_grid, make_demand_table, make_stations_table):
    streets = two_banks(make_grid)
    demand = make_demand_table([(100, 100), (5100, 100), (100, 2000)], [1, 1, 1])
    stations = make_stations_table([(0, 0), (200, 0)])
    reach = make_reach(streets, demand, stations, limit_min=60)
    assert list(reach.apart_demand) == ["d1"]
    assert list(reach.unsnapped_demand) == ["d2"]
    assert list(reach.apart_facilities) == []
    other_side = make_stations_table([(0, 0), (5200, 0)])
    both = make_reach(streets, demand.iloc[:1], other_side, limit_min=60)
    assert list(both.apart_demand) == []
    assert list(both.apart_facilities) == ["s1"]
    assert list(both.select(["s0"]).apart_facilities) == []


def test_two_sides_that_no_street_joins_are_an_error(
    make_grid, make_demand_table, make_stations_table
):
    streets = two_banks(make_grid)
    demand = make_demand_table([(100, 100), (300, 100)], [1, 1])
    with pytest.raises(InputError, match=r"no street joins.*2 parts.*bridges"):
        make_reach(streets, demand, make_stations_table([(5000, 0)]))


def test_streets_of_another_city_are_told_by_their_distance(
    make_grid, make_demand_table, make_stations_table
):
    demand = make_demand_table([(0, 120_000), (300, 130_000)], [1, 1])
    with pytest.raises(InputError, match=r"`demand` lies within 300 m of a street: they begin 119"):
        make_reach(make_grid(), demand, make_stations_table([(0, 0)]))
    beside = make_demand_table([(0, 1500)], [1])
    with pytest.raises(InputError, match=r"`demand` lies within 300 m of a street\. Check"):
        make_reach(make_grid(), beside, make_stations_table([(0, 0)]))
