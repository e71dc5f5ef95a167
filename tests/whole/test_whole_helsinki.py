"""Helsinki: food orders, streets, and the amenities of OpenStreetMap as hosts."""

import oracle
import pytest

from planner.outputs import write_outputs
from planner.pipeline import run_study

STUDY = """
[study]
name = "Helsinki"
language = "en"
timezone = "Europe/Helsinki"

[activity]
file = "{data}/wolt_orders.csv"
kind = "orders"
timezone = "UTC"

[hosts]
osm = true

[streets]
file = "{data}/streets.osm.pbf"

[service]
limit_min = 5

[siting]
count = 8
"""


@pytest.fixture(scope="module")
def helsinki(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("helsinki")
    text = STUDY.format(data=(shared / "helsinki").as_posix())
    (folder / "study.toml").write_text(text, encoding="utf-8")
    plan = run_study(folder)
    write_outputs(plan, folder / "out")
    return plan, folder / "out"


def test_orders_add_up(helsinki):
    note = helsinki[0].summary["inputs"]["activity"]
    assert note["rows"] == 18706
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    assert note["kept"] >= 3142


def test_rounded_coordinates_are_told(helsinki):
    plan, out = helsinki
    assert plan.summary["datum"]["activity"]["rounded_deg"] == 0.001
    assert plan.summary["datum"]["hosts"]["rounded_deg"] is None
    assert "rounded to 0.001°" in (out / "quality.html").read_text(encoding="utf-8")


def test_amenities_are_hosts_and_some_are_recommended(helsinki):
    plan, _ = helsinki
    assert len(plan.tables["hosts"]) > 20
    assert (plan.tables["sites"]["action"] == "activate").any()


def test_the_plan_is_proven_and_agrees_with_networkx(helsinki, shared):
    plan, _ = helsinki
    coverage, siting = plan.summary["coverage"], plan.summary["siting"]
    assert coverage["before"]["covered_share"] == 0
    assert 0 < siting["gap"] <= 0.01 or siting["gap"] == 0
    demand, sites = plan.tables["demand"], plan.tables["sites"]
    lines = oracle.read_walkable_lines(shared / "helsinki" / "streets.osm.pbf", demand.crs)
    expected = oracle.covered_share(lines, demand, sites.geometry.values, limit_min=5)
    assert coverage["after"]["covered_share"] == pytest.approx(expected, abs=0.005)


def test_outputs_are_all_there(helsinki):
    out = helsinki[1]
    names = {"plan.json", "map.html", "report.html", "plan.xlsx", "sites.geojson", "sites.gpkg"}
    assert names <= {p.name for p in out.iterdir()}
