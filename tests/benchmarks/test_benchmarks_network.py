"""The benchmark of the streets runs, its answers are equal to its peers'; no time is judged."""

import json
import subprocess
import sys

import made_cities
import network
import network_jobs
import network_peers
import numpy as np
import porto_jobs
import pytest
import shapely
from clock import take_turns
from scipy.sparse.csgraph import connected_components
from street_points import measure_truth, street_points

from planner.network import Pairs, StreetNetwork, snap_points

TINY = network.Size(
    crossings=30, sources=60, stations=8, rows=40, large=40, sites=40, people=400, areas=6,
    full=False,
)  # fmt: skip


def here(_python, script, name, text, environ=None):
    """Do a job in this process."""
    assert environ["OMP_NUM_THREADS"] == "1"
    jobs = {"network_jobs": network_jobs, "porto_jobs": porto_jobs}[script.stem]
    return json.loads(json.dumps(jobs.JOBS[name](**json.loads(text))))


@pytest.fixture(scope="module")
def city():
    return made_cities.make_city(30, sources=60, stations=8)


def cells(row):
    return [cell.strip() for cell in str(row).split("|")[1:-1]]


def pandana(_bench, name, *files):
    """Stand in for the peer that has an environment of its own."""
    assert name == "pandana"
    assert all(path.exists() for path in files)
    return {"version": "0.8", "building": 356.0, "nodes_in_range": 9.0, "call": 8.0,
            "nearest_pois": 7.0}  # fmt: skip


@pytest.mark.parametrize("name", network.TARGETS)
def test_peers_find_the_same_in_a_made_city(name, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "run", here)
    monkeypatch.setattr(network.Bench, "peer", pandana)
    rows = list(network.measure_city(network.Bench(TINY, tmp_path, tmp_path), name))
    peers = " ".join(row.peer for row in rows)
    assert all(told in peers for told in network.TOLD.values())
    assert all(len(cells(row)) == network.HEAD.count("|") - 1 for row in rows)
    assert all(row.ours > 0 and row.target is None for row in rows)
    size = next(row.ours for row in rows if row.task.startswith("bytes"))
    found = np.load(next(tmp_path.glob(f"*/found-{name}-*-reach.npz")))
    assert size == pytest.approx(6 + found["indptr"].nbytes / len(found["ids"]))
    assert ("pandana" in peers) == (name == "grid")


def test_porto_is_measured(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "run", here)
    bench = network.Bench(TINY, tmp_path, shared=shared.parent)
    rows = list(network.measure_porto(bench))
    assert {len(cells(row)) for row in rows} == {network.HEAD.count("|") - 1}
    shares = [row.ours for row in rows if row.tell is network.tell_share]
    assert shares[0] > 0.95
    assert shares[1] < 0.05


def test_porto_is_left_out_where_it_is_absent(tmp_path):
    (row,) = network.measure_porto(network.Bench(TINY, tmp_path, shared=tmp_path))
    assert "skipped: its streets are absent" in str(row)
    assert len(cells(row)) == network.HEAD.count("|") - 1


def test_memory_is_measured_in_a_process_of_its_own(tmp_path):
    rows = list(network.measure_memory(network.Bench(TINY, tmp_path)))
    assert rows[0].ours > 0
    assert 0 < rows[1].ours <= rows[2].ours <= rows[3].ours


def test_pandana_is_told_with_its_building(tmp_path, monkeypatch):
    monkeypatch.setattr(network.Bench, "peer", pandana)
    bench = network.Bench(TINY._replace(full=True), tmp_path, tmp_path)
    rows = list(network.measure_pandana(bench, (), 1.0, 2.0))
    assert [(row.ours, row.theirs, row.target) for row in rows] == [
        (1.0, 9.0, 35.0), (1.0, 8.0, 3.5), (2.0, 7.0, None),
    ]  # fmt: skip
    assert all("pandana 0.8" in row.peer and "356 s of building" in row.peer for row in rows)


def test_pandana_that_cannot_be_installed_is_a_line(tmp_path, monkeypatch):
    def fail(*_):
        raise subprocess.CalledProcessError(1, ["python", "-m", "pip", "install"])

    monkeypatch.setattr(network, "environment", fail)
    bench = network.Bench(TINY, tmp_path, tmp_path)
    assert "not installable" in str(*network.measure_pandana(bench, (), 1.0, 1.0))


def test_every_peer_is_documented():
    assert set(network_peers.REQUIRES) == set(network_peers.PEERS)
    done = subprocess.run(
        [sys.executable, network_peers.__file__, "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(name in done.stdout for name in network_peers.REQUIRES)


def test_a_wrong_answer_is_not_timed():
    pairs = Pairs(
        indptr=np.array([0, 2]), ids=np.array([5, 3], "u4"), times=np.array([7, 0], "u2"),
        tick_ms=100,
    )  # fmt: skip
    network_jobs.check_row("peer", pairs, 0, [3, 5], [49.0, 651.0])
    for vertices, cost in ([3], [0.0]), ([3, 4], [0.0, 700.0]), ([3, 5], [0.0, 800.0]):
        with pytest.raises(ValueError, match="peer"):
            network_jobs.check_row("peer", pairs, 0, vertices, cost)


@pytest.mark.parametrize("bends", [0, 2])
def test_made_cities_hang_together_and_are_shuffled(bends):
    city = made_cities.make_city(20, bends=bends, sources=30, stations=5)
    assert connected_components(city.graph(), directed=False)[0] == 1
    assert len(city.x) >= 0.98 * 400 + bends * 600
    assert np.array_equal(np.rint(city.length_m * 750.0), city.ms)  # 4.8 km/h
    assert abs(np.corrcoef(np.arange(len(city.x)), city.x)[0, 1]) < 0.2
    assert len(set(city.sources)) == 30
    degree = np.bincount(np.concatenate([city.tail, city.head]))
    assert ((degree == 2).mean() > 0.6) == bool(bends)


def test_made_cities_are_the_same_every_time(city, tmp_path):
    city.save(tmp_path / "city.npz")
    again = made_cities.load_city(tmp_path / "city.npz")
    other = made_cities.make_city(30, sources=60, stations=8)
    for kept, loaded, made in zip(city, again, other, strict=True):
        assert np.array_equal(kept, loaded)
        assert np.array_equal(kept, made)


def test_every_vertex_of_a_made_city_is_a_place_on_its_streets(city):
    places = network_jobs.places_of(network_jobs.network_of(city), city)
    assert places.snapped.all()
    assert places.access_m.max() < 1e-6


def test_street_points_stand_for_every_metre(city):
    streets = network_jobs.network_of(city)
    places, metres = street_points(streets, 7.0)
    assert metres.sum() == pytest.approx(streets.length_m.sum())
    assert metres.max() <= 7.0 + 1e-9
    along = np.bincount(places.chain, weights=metres, minlength=streets.n_edges)
    np.testing.assert_allclose(along, streets.length_m)


def test_truth_of_areas_on_a_straight_street():
    streets = StreetNetwork.from_arrays(
        [-1500, 0, 1500], [0, 0, 0], [0, 1], [1, 2], [1500, 1500], crs="EPSG:32650"
    )
    points = shapely.points([[0.0, 0.0]])
    middle = snap_points(streets, network_jobs.gpd.GeoSeries(points, crs=streets.crs))
    for half, inside, unreachable in (500, 0.5, 0.0), (1000, 1.0, 0.0), (2000, 1.0, 1 / 3):
        truth = measure_truth(streets, middle, [shapely.box(-half, -1, half, 1)], 15)
        assert truth == pytest.approx((inside, unreachable), abs=0.01)


def test_calls_take_turns():
    order = []

    def call(name):
        order.append(name)
        return name

    seconds, answers = take_turns(
        {"ours": lambda: call("ours"), "peer": lambda: call("peer")}, {"ours": 3, "peer": 2}
    )
    assert order == ["ours", "peer", "ours", "peer", "ours"]
    assert answers == {"ours": "ours", "peer": "peer"}
    assert all(0 <= spent < 1 for spent in seconds.values())


def test_what_is_judged_is_the_ratio_if_there_is_a_peer():
    row = network.Row("reach", 0.077, peer="networkx", theirs=3.619, target=50.0)
    assert cells(row) == ["reach", "77 ms", "networkx: 3.62 s", "47×", "≥ 50×", "NO"]
    row = network.Row("reach", 0.069, target=0.07)
    assert cells(row) == ["reach", "69 ms", "", "", "≤ 70 ms", "yes"]
    row = network.Row("inside", 0.993, network.tell_share, peer="osmnx", theirs=0.977,
                      target=0.992, most=False, ratio=False)  # fmt: skip
    assert cells(row) == ["inside", "99.3%", "osmnx: 97.7%", "", "≥ 99.2%", "yes"]
