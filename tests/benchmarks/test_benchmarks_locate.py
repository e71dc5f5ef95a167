"""The benchmark of siting runs, and its answers are right; no time is judged."""

import itertools
import json
import subprocess
import sys

import locate
import locate_jobs
import locate_peers
import locate_rows
import locate_sizes
import made_places
import numpy as np
import published_places
import pytest

COLUMNS = locate_rows.HEAD.count("|") - 1


def here(_python, script, name, text, environ=None):
    """Do a job in this process."""
    assert environ["OMP_NUM_THREADS"] == "1"
    jobs = {"locate_jobs": locate_jobs.JOBS, "locate_peers": locate_peers.PEERS}[script.stem]
    return json.loads(json.dumps(jobs[name](**json.loads(text))))


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "run", here)
    return locate.Bench(tmp_path, shared=tmp_path)


@pytest.fixture
def real(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "run", here)
    return locate.Bench(tmp_path, shared=shared.parent)


def cells(row):
    return [cell.strip() for cell in str(row).split("|")[1:-1]]


def covered(case, sites):
    return case.places.weight[case.cover[:, list(sites)].sum(axis=1) > 0].sum()


@pytest.mark.parametrize(("kind", "radius"), [("square", 5.0), ("town", 4.0)])
def test_values_are_those_of_enumeration(bench, kind, radius):
    made = locate_sizes.Made(kind, 11, 300, (radius,), (3,), locate.Target(60.0, proven=True))
    (row,) = locate.measure_made(bench, made)
    case = made_places.load_case(bench.case(kind, 11, 300, radius))
    best = max(covered(case, chosen) for chosen in itertools.combinations(range(11), 3))
    assert row.said["value"] == row.said["bound"] == best == covered(case, row.said["chosen"])
    assert row.said["proven"]
    assert row.said["seconds"] > 0
    assert len(cells(row)) == COLUMNS


def test_the_three_numbers_are_told_apart(bench):
    made = locate_sizes.Made("town", 60, 800, (3.0,), (8,))
    (row,) = locate.measure_made(bench, made)
    said = row.said
    assert 0 <= said["residual"] < 0.01
    assert said["gap"] <= said["lp_gap"] + 1e-12 < 0.1
    assert cells(row)[3:6] == [
        f"{said['residual']:.3%}", f"{said['lp_gap']:.3%}",
        f"{said['gap']:.3%}" + " (proven)" * said["proven"],
    ]  # fmt: skip


def test_weights_that_are_not_whole_have_the_same_three_numbers(bench):
    case = made_places.load_case(bench.case("town", 60, 800, 3.0))
    whole = locate_jobs.cover_most(case.cover, case.places.weight, 8, 30.0)
    parts = locate_jobs.cover_most(case.cover, case.places.weight / 7, 8, 30.0)
    assert parts["value"] == pytest.approx(whole["value"] / 7)
    for key in ("residual", "lp_gap", "gap"):
        assert parts[key] == pytest.approx(whole[key], abs=1e-6)


def test_a_relaxation_that_was_not_needed_has_no_residual(bench):
    case = made_places.load_case(bench.case("town", 60, 800, 9.0))
    said = locate_jobs.cover_most(case.cover, case.places.weight, 30, 30.0)
    assert said["proven"]
    assert said["value"] == case.places.weight.sum()
    assert "residual" not in said
    assert "–" in cells(locate.Row("all", said))


def test_fewest_sites_are_those_of_enumeration(bench):
    (row,) = locate.measure_shares(bench, locate_sizes.Shares(9, 400, {0.04: None}))
    case = made_places.load_case(bench.case("town", 9, 400, 1.0))
    enough = 0.04 * case.places.weight.sum()
    fewest = next(
        count for count in range(10)
        if any(covered(case, sites) >= enough for sites in itertools.combinations(range(9), count))
    )  # fmt: skip
    assert row.said["value"] == row.said["bound"] == fewest


def test_published_values_are_reached(real):
    asked = locate_sizes.Published(
        {"Bronx": (50,)}, 1.5, 0.01, (1, 2), locate.Target(60.0, proven=True), None, {324: (5,)},
        locate.Target(60.0, proven=True),
    )  # fmt: skip
    rows, listed = locate.measure_published(real, asked)
    assert all(len(cells(row)) == COLUMNS for row in rows)
    assert all(len(cells(line)) == locate_rows.LISTS.count("|") - 1 for line in listed)
    census, *graphs, quarter = listed
    assert census.said["value"] >= 0.99 * census.best
    assert [line.best for line in graphs] == [5819, 4093, 127, 98]
    assert all(line.reached and line.said["proven"] for line in graphs)
    assert quarter.said["value"] == pytest.approx(4393323.5, rel=1e-6)  # proven here
    assert cells(quarter)[-1] == ""
    assert [cells(row)[-1] for row in rows][1:] == ["yes", "", "yes"]


def test_best_sites_of_the_bronx_are_worth_what_is_listed(shared):
    folder = shared / "locate"
    cover, demand = published_places.read_census(folder, "Bronx")
    values = [published_places.best_census(folder, "Bronx", p, cover, demand) for p in (50, 90)]
    assert values == [1_205_051, 1_384_376]


def test_what_is_absent_is_a_line(bench):
    cities = locate_sizes.Cities({"porto": 150}, (10,), locate.Target(10.0, gap=0.003))
    rows = [*locate.measure_cities(bench, cities)]
    more, listed = locate.measure_published(bench, locate.SIZES["M"].published[0])
    assert not listed
    for row in rows + more:
        assert "PLANNER_SHARED" in str(row)
        assert len(cells(row)) == COLUMNS


def test_a_real_city_is_kept_and_covered(bench):
    bench.shared.joinpath("porto").mkdir(parents=True)
    places = made_places.make_town(50, 500)
    made_places.make_case(places, 2.0).save(bench.folder / "porto-150.npz")
    cities = locate_sizes.Cities({"porto": 150}, (5, 10), locate.Target(60.0, gap=0.5))
    rows = [*locate.measure_cities(bench, cities)]
    assert [cells(row)[0] for row in rows] == ["Porto 50 × 500, p 5", "Porto 50 × 500, p 10"]
    assert [cells(row)[-1] for row in rows] == ["yes", "yes"]


def test_peers_find_the_same(bench, monkeypatch):
    asked = locate_sizes.Made("town", 40, 600, (1.0,), (6,), locate.Target(ratio=100.0),
                        {**locate_sizes.SPOPT, **locate_sizes._highs(30)})  # fmt: skip
    plain = locate.Bench.peer

    def peer(self, name, /, **options):
        said = plain(self, "highs", file=options["file"], count=options["count"], limit_s=30)
        assert said["gap"] == 0
        return said if name == "highs" else said | {"building": 40.0, "seconds": 50.0}

    monkeypatch.setattr(locate.Bench, "peer", peer)
    bench.peers = bench.folder
    first, *rows = locate.measure_made(bench, asked)
    assert [cells(row)[0] for row in rows] == ["the same"] * 3
    assert cells(rows[0])[6] == "spopt with HiGHS: 50 s (40 s of it building)"
    assert rows[0].ratio == 50.0 / first.said["seconds"]
    assert cells(rows[0])[-2:] == ["≥ 100×", "yes" if rows[0].ratio >= 100 else "NO"]
    assert cells(rows[2])[-1] == ""


def test_models_are_compared(bench, monkeypatch):
    ours = {}

    def peer(_, name, /, **options):
        assert name == "spopt_model"
        return {"value": ours[options["model"]] + off, "building": 1.0, "seconds": 50.0}

    monkeypatch.setattr(locate.Bench, "peer", peer)
    for name in locate_peers.MODELS:
        asked, off = locate_sizes.Model(name, 12, 150, 3, 14.0), 0.0
        bench.peers = None
        (alone,) = locate.measure_model(bench, asked)
        assert alone.said["proven"]
        ours[name], bench.peers = alone.said["value"], bench.folder
        first, same = locate.measure_model(bench, asked)
        assert cells(same)[0] == "the same, equal"
        assert same.ratio == 50.0 / first.said["seconds"]
        off = 1.0
        with pytest.raises(ValueError, match="spopt ends with"):
            [*locate.measure_model(bench, asked)]


def test_a_peer_that_refutes_us_ends_the_run():
    ours = {"value": 100.0, "bound": 101.0}
    locate.require_sound("peer", ours, {"value": 90.0}, solved=False)
    locate.require_sound("peer", ours, {"value": 100.0}, solved=True)
    with pytest.raises(ValueError, match="more than our bound"):
        locate.require_sound("peer", ours, {"value": 102.0}, solved=False)
    with pytest.raises(ValueError, match="ends with 90"):
        locate.require_sound("peer", ours, {"value": 90.0}, solved=True)


def test_a_published_value_beyond_the_bound_ends_the_run():
    said = {"value": 90.0, "bound": 95.0}
    locate.require_bounds([locate.Listed("list", said, 95.0), locate.Listed("none", said, None)])
    with pytest.raises(ValueError, match="better than the bound"):
        locate.require_bounds([locate.Listed("list", said, 96.0)])
    with pytest.raises(ValueError, match="better than the bound"):
        locate.require_bounds([locate.Listed("list", said, 94.0, most=False)])


def test_a_peer_that_cannot_be_installed_is_a_line(bench, monkeypatch):
    def fail(*_):
        raise subprocess.CalledProcessError(1, ["python", "-m", "pip", "install"])

    monkeypatch.setattr(locate, "environment", fail)
    bench.peers = bench.folder
    asked = locate_sizes.Made("town", 40, 600, (1.0,), (6,), peers=locate_sizes.SPOPT)
    rows = [*locate.measure_peers(bench, asked, bench.folder, 6, {})]
    assert ["not installable" in str(row) for row in rows] == [True, True]
    assert all(len(cells(row)) == COLUMNS for row in rows)


@pytest.mark.parametrize(
    ("target", "words", "met"),
    [
        (locate.Target(2.0, proven=True), "proven, ≤ 2 s", False),
        (locate.Target(2.0, gap=0.01), "≤ 1.0%, ≤ 2 s", True),
        (locate.Target(0.5, gap=0.01), "≤ 1.0%, ≤ 500 ms", False),
        (locate.Target(2.0, gap=0.001), "≤ 0.1%, ≤ 2 s", False),
        (locate.Target(ratio=100.0), "≥ 100×", False),
    ],
)
def test_all_that_is_asked_must_hold(target, words, met):
    said = {"seconds": 1.0, "gap": 0.005, "proven": False}
    assert str(target) == words
    assert target.met(said, ratio=99.0) == met
    assert cells(locate.Row("task", said, target=target, good=False))[-1] == "NO"


def test_every_peer_is_documented():
    done = subprocess.run(
        [sys.executable, locate_peers.__file__, "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(name in done.stdout for name in locate_peers.PEERS)
    asked = {peer for size in locate.SIZES.values() for made in size.made
             for peer, _ in (made.peers or {}).values()} | {"spopt_model"}  # fmt: skip
    assert asked == set(locate_peers.PEERS)


@pytest.mark.parametrize("make", [made_places.make_square, made_places.make_town])
def test_made_places_are_the_same_every_time(make, tmp_path):
    case = made_places.make_case(make(50, 700), 2.0)
    case.save(tmp_path / "case.npz")
    again = made_places.load_case(tmp_path / "case.npz")
    for kept, loaded, made in zip(case.places, again.places, make(50, 700), strict=True):
        assert np.array_equal(kept, loaded)
        assert np.array_equal(kept, made)
    assert (case.cover != again.cover).nnz == 0
    assert not np.array_equal(case.places.sites, make(50, 700, seed=2).sites)


def test_covers_are_who_is_near(monkeypatch):
    monkeypatch.setattr(made_places, "_BLOCK", 70)
    places = made_places.make_square(40, 300)
    away = np.hypot(*(places.clients[:, None] - places.sites).transpose(2, 0, 1))
    assert np.array_equal(made_places.make_case(places, 4.0).cover.toarray(), away <= 4.0)


def test_towns_are_dense_where_people_are():
    places = made_places.make_town(500, 20_000)
    case = made_places.make_case(places, 1.0)
    assert 0.006 < case.cover.nnz / (500 * 20_000) < 0.010
    assert 1 <= places.weight.min() <= places.weight.max() <= 200
    assert places.weight.mean() == pytest.approx(13, rel=0.05)
    cell = np.floor(places.clients).astype(int)
    counts = np.sort(np.bincount(25 * cell[:, 0] + cell[:, 1], minlength=625))
    assert counts[-62:].sum() > 0.25 * 20_000  # a tenth of the ground
    assert abs(np.corrcoef(np.arange(20_000), places.clients[:, 0])[0, 1]) < 0.03
