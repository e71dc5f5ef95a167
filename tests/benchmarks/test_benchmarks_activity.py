"""The benchmark runs, and what it says about the smallest city is right; no time is judged."""

import subprocess
import sys

import activity
import numpy as np
import pandas as pd
import pytest
from jobs import JOBS, find
from made_fixes import make_area
from peers import PEERS, REQUIRES
from rides import HARD
from score import score, tell_stays

TINY = activity.Size(riders=120, days=1, scored=120, against_peers=20, repeat=1, full=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return activity.Data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def found(data):
    fixes, truth = data.city(TINY.riders)
    return find(fixes, make_area()), pd.read_parquet(truth), activity.rows_of(fixes)


def test_stays_of_the_standard_city_are_found(found):
    stays, truth, _ = found
    right = score(tell_stays(stays), truth)
    assert right.recall > 0.92
    assert right.precision > 0.93
    assert right.error_m < 7


def test_stays_of_the_hard_city_are_found(data):
    fixes, truth = data.city(TINY.riders, hard=True)
    right = score(tell_stays(find(fixes, make_area())), pd.read_parquet(truth))
    assert right.recall > 0.88
    assert right.precision > 0.92
    assert activity.rows_of(fixes) == pytest.approx(17_800 / HARD.fix_s * TINY.riders, rel=0.1)


def test_losses_add_up_to_the_rows_of_the_file(found):
    stays, _, rows = found
    note, read = stays.attrs["activity"], stays.attrs["input"]
    assert note["used"] + sum(note["dropped"].values()) == note["fixes"]
    assert note["fixes"] + sum(read["dropped"].values()) == read["rows"] == rows


def test_shuffled_city_has_the_same_stays(data, found):
    fixes, _ = data.city(TINY.riders, shuffled=True)
    pd.testing.assert_frame_equal(tell_stays(find(fixes, make_area())), tell_stays(found[0]))


def test_the_table_is_whole(data, monkeypatch):
    pytest.importorskip("duckdb", reason="the extra `bench` is not installed")

    def here(_python, _script, name, *files):
        return JOBS[name](*files)

    monkeypatch.setattr(activity, "run", here)
    lines = [*activity.measure_speed(data, TINY), *activity.measure_rightness(data, TINY)]
    assert all(np.isfinite(line.measured) for line in lines)
    table = "\n".join(map(str, lines))
    assert "recall" in table
    assert {row.count("|") for row in table.splitlines()} == {5}
    judged = [line for line in lines if line.target]
    assert {line.what.split()[-1] for line in judged} == {"recall", "precision", "m"}


def test_every_peer_is_timed_and_scored(data, monkeypatch, tmp_path):
    truth = pd.read_parquet(data.city(TINY.against_peers)[1])

    def stand_in(_python, script, name, *files):
        if script.stem == "jobs":
            return JOBS[name](*files)
        assert name in PEERS
        truth[truth["leave"] - truth["arrive"] >= pd.Timedelta("300s")].to_parquet(files[1])
        return {"seconds": 3600.0, "version": "1.0"}

    monkeypatch.setattr(activity, "run", stand_in)
    monkeypatch.setattr(activity, "environment", lambda *_: None)
    lines = list(activity.measure_peers(data, TINY._replace(full=True), tmp_path))
    ratios = [line for line in lines if line.what == "over ours"]
    assert [line.target for line in ratios] == [40.0, 80.0, 800.0, None]
    assert all(line.measured > 1000 for line in ratios)
    scores = [line.measured for line in lines if line.what.startswith(("recall", "precision"))]
    assert len(scores) == 16
    assert scores[0] > 0.9
    assert set(scores[2:]) == {1.0}


def test_what_is_met_is_told():
    assert str(activity.Line("speed", 7.04, "{:.1f}", 6.0, most=False)).endswith("≥ 6.0 | yes |")
    assert str(activity.Line("memory", 0.6, target=0.5)).endswith("| 0.60 | ≤ 0.50 | NO |")


def test_a_job_runs_as_a_process(data):
    fixes, _ = data.city(TINY.riders)
    said = activity.run(sys.executable, activity.HERE / "jobs.py", "decode", fixes)
    assert said["seconds"] > 0


def test_peers_get_clean_fixes(data):
    fixes = pd.read_parquet(data.cleaned(TINY.against_peers, spikes=True))
    calm = pd.read_parquet(data.cleaned(TINY.against_peers, spikes=False))
    assert not fixes.duplicated(["rider_id", "time"]).any()
    assert fixes["rider_id"].is_monotonic_increasing
    assert fixes["lon"].between(103, 105).all()
    assert 0.98 < len(calm) / len(fixes) < 0.995


def test_every_peer_is_documented_and_has_a_target():
    assert {peer.split()[0] for peer in PEERS} == set(REQUIRES) == set(activity.PEER_TARGETS)
    done = subprocess.run(
        [sys.executable, activity.HERE / "peers.py", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(name in done.stdout for name in REQUIRES)
