"""Porto: GPS pings of taxis, 63 taxi stands and streets, from the raw files to a plan.

The pings exist only while a taxi is taken (nine pauses of five minutes in all), so demand is where
drivers are every five minutes.
"""

import json

import oracle
import pytest

from planner.outputs import write_outputs
from planner.pipeline import run_study
from planner.plan import load_plan

STUDY = """
[study]
name = "Porto"
language = "en"
timezone = "Europe/Lisbon"

[activity]
file = "{data}/taxi_trips.csv"
timezone = "UTC"

[stations]
file = "{data}/taxi_stands.csv"

[streets]
file = "{data}/streets.osm.pbf"

[demand]
min_workers = 5

[siting]
count = 10
"""


@pytest.fixture(scope="module")
def porto(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("porto")
    text = STUDY.format(data=(shared / "porto").as_posix())
    (folder / "study.toml").write_text(text, encoding="utf-8")
    plan = run_study(folder)
    write_outputs(plan, folder / "out")
    return plan, folder / "out"


def test_inputs_add_up_and_row_41_is_reported(porto):
    inputs = porto[0].summary["inputs"]
    for note in inputs.values():
        assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    stands = inputs["stations"]
    assert (stands["rows"], stands["kept"]) == (63, 62)
    assert any("41.163066654-8.67598304213" in text for text in stands["examples"].values())


def test_coverage_today_agrees_with_networkx(porto, shared):
    plan, _ = porto
    demand, stations = plan.tables["demand"], plan.tables["stations"]
    lines = oracle.read_walkable_lines(shared / "porto" / "streets.osm.pbf", demand.crs)
    expected = oracle.covered_share(lines, demand, stations.geometry.values)
    assert plan.summary["coverage"]["before"]["covered_share"] == pytest.approx(expected, abs=0.005)


def test_a_lack_of_stays_is_told(porto):
    plan, out = porto
    assert plan.summary["demand"]["basis"] == "presence"
    assert "every 5 min" in plan.summary["coverage"]["basis"]
    assert "under one stay a rider and day" in (out / "quality.json").read_text(encoding="utf-8")


def test_outside_china_no_datum_is_suspected(porto):
    datum = porto[0].summary["datum"]
    assert {name: found["verdict"] for name, found in datum.items()} == {
        "activity": "outside",
        "stations": "outside",
    }
    assert datum["activity"]["readings"]["wgs84"]["median_m"] < 6  # taxis drive on streets


def test_the_plan_covers_more_and_is_proven(porto):
    summary = porto[0].summary
    assert len(summary["siting"]["sites"]) == 10
    before, after = (summary["coverage"][k]["covered_share"] for k in ("before", "after"))
    assert after > before
    assert summary["siting"]["gap"] <= 0.01
    assert after == pytest.approx(
        summary["siting"]["objective"] / summary["demand"]["weight_per_day"], abs=1e-9
    )


def test_the_saved_plan_is_the_plan(porto):
    plan, out = porto
    again = load_plan(out)
    assert json.loads((out / "plan.json").read_text(encoding="utf-8")) == again.summary
    assert again.summary["siting"]["sites"] == plan.summary["siting"]["sites"]
    assert (again.reach.minutes != plan.reach.minutes).nnz == 0
    assert set(again.tables) == set(plan.tables)
    assert again.network.key == plan.network.key
    assert repr(again.network) == repr(plan.network)


def test_no_rider_reaches_an_output(porto, shared):
    out = porto[1]
    riders = {b"20000589", b"20000596", b"20000320"}
    files = [p for p in out.rglob("*") if p.is_file()]
    assert len(files) > 10
    assert [(p.name, r) for p in files for r in riders if r in p.read_bytes()] == []
