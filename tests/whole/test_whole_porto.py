"""Porto: GPS pings of taxis, 63 taxi stands and streets, from the raw files to a plan.

The pings exist only while a taxi is taken (nine pauses of five minutes in all), so demand is where
drivers are every five minutes.
"""

import base64
import html
import itertools
import json
import re
import zlib

import oracle
import pytest

from planner.activity import make_presence
from planner.demand import make_sampled_demand
from planner.inputs import load_inputs
from planner.outputs import write_outputs
from planner.pipeline import run_study
from planner.plan import load_plan
from planner.siting import choose_stations

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


def page_data(file):
    """What the map's page is told of the study."""
    packed = re.search(r'_study">([^<]+)</script>', file.read_text(encoding="utf-8"))
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


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


def test_the_plan_tells_phases_frontier_stability_and_reasons(porto):
    siting = porto[0].summary["siting"]
    sites, frontier = siting["sites"], siting["frontier"]
    assert [s["rank"] for s in sites] == list(range(1, 11))
    assert all(0 <= s["stability"] <= 1 for s in sites)
    assert all(s["why"] and s["loss_share"] >= 0 for s in sites)
    assert [row["count"] for row in frontier] == list(range(21))
    assert all(row["covered_share"] <= row["bound_share"] for row in frontier)
    assert all(a["bound_share"] <= b["bound_share"] for a, b in itertools.pairwise(frontier))
    assert frontier[10]["covered_share"] == pytest.approx(sites[-1]["cumulative_share"])
    assert [row["nested_share"] for row in frontier[1:11]] == [s["cumulative_share"] for s in sites]


def test_the_plan_is_tried_on_demand_that_changes(porto):
    siting = porto[0].summary["siting"]
    scenarios = siting["scenarios"]
    assert {s["kind"] for s in scenarios} >= {"all", "daypart"}
    assert all(0 <= s["regret"] <= s["bound_share"] - s["covered_share"] + 1e-12 for s in scenarios)
    assert siting["worst"]["covered_share"] == min(s["covered_share"] for s in scenarios)
    assert set(siting["safe"]) <= {s["site_id"] for s in siting["sites"]}


def test_hours_left_out_are_covered_within_the_range_told(porto):
    """Sites chosen by every other hour, judged on the hours between, and the other way round."""
    plan, _ = porto
    held, tables = plan.summary["siting"]["held_out"], plan.tables
    assert held["by"] == "dayparts"  # the trips are of one day
    assert held["low"] <= held["share"] <= held["high"]
    visits = make_presence(load_inputs(plan.settings).activity)
    hours = {f"h{k:02d}": (float(k), k + 1.0) for k in range(24)}
    demand, samples = make_sampled_demand(visits, min_workers=5, dayparts=hours)
    assert demand["weight_per_day"].equals(tables["demand"]["weight_per_day"])
    candidates = tables["candidates"]
    existing = candidates.index[candidates["action"] == "keep"]
    for start in (0, 1):
        seen, unseen = samples.dayparts[start::2].sum(axis=0), samples.dayparts[1 - start :: 2]
        by_these = demand.assign(weight_per_day=seen)
        sites = choose_stations(plan.reach, by_these, candidates, 10, reruns=0)
        covered = plan.reach.select([*existing, *sites["candidate_id"]]).covered()
        share = unseen[:, covered].sum() / unseen.sum()
        assert held["low"] <= share <= held["high"]


def test_report_and_map_tell_how_sure_the_plan_is(porto):
    plan, out = porto
    siting = plan.summary["siting"]
    report = (out / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", report))
    assert "at hours that the choice has not seen" in text
    stable = sum(s["stability"] >= 0.8 for s in siting["sites"])
    assert f"On data drawn anew 100 times, {stable} of 10 sites" in text
    assert "If part of demand changes by" in text
    assert "New stations among these candidates:" in text
    assert all(s["why"] in html.unescape(text) for s in siting["sites"])
    told = page_data(out / "map.html")
    assert [s["rank"] for s in told["sites"]] == list(range(1, 11))
    assert [s["stability"] for s in told["sites"]] == [s["stability"] for s in siting["sites"]]
    assert all("loss" in s for s in told["sites"])
    assert told["held"]["low"] == siting["held_out"]["low"]
    assert told["ahead"]["stations"] == siting["for_share"][f"{told['ahead']['share']:g}"]
