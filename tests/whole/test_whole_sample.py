"""The sample city through the whole line, and its map in a browser without a network."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from planner.errors import InputError
from planner.outputs import write_outputs
from planner.pipeline import measure_today, run_study
from planner.plan import load_plan
from planner.settings import load_settings
from planner.summary import hide_few

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
KEYS = {
    "": "study version seed inputs network demand coverage siting parking informal_rest hotspots "
    "whatif equity privacy packages",
    "network": "nodes edges components mode",
    "demand": "points weight_per_day workers suppressed_share by_daypart by_class workday weekend",
    "coverage": "mode limit_min basis before after",
    "siting": "model count objective bound gap status seconds sites",
    "parking": "sites covered_share",
    "informal_rest": "places without_shelter rest_per_day shelter_m",
    "equity": "gini worst_district worst_share",
    "privacy": "min_workers suppressed_cells",
}
SHARES = (
    "covered_share open_now by_district circle_share backup_share gradual_share mean_min "
    "median_min p90_min seats_per_100 uncovered closures"
)
CLOSURE = "facility_id name served_per_day lost_per_day lost_share next_min"
SITE = [
    "site_id",
    "name",
    "rank",
    "action",
    "lon",
    "lat",
    "gain_share",
    "cumulative_share",
    "stability",
    "informal_rest_per_day",
    "host_name",
    "host_class",
    "why",
    "status",
    "owner",
    "note",
    "loss_share",
    "alternative",
    "near_ties",
    "nearest_station",
    "nearest_station_min",
]
BAY = [
    "site_id",
    "lon",
    "lat",
    "bays",
    "served_per_day",
    "blocking_share",
    "station_id",
    "station_walk_m",
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample")
    plan = run_study(SAMPLE)
    write_outputs(plan, out)
    return plan, out


def test_plan_json_has_the_keys_that_others_rely_on(sample):
    numbers = json.loads((sample[1] / "plan.json").read_text(encoding="utf-8"))
    for path, keys in KEYS.items():
        assert set(keys.split()) <= set(numbers[path] if path else numbers), path
    for when in ("before", "after"):
        shares = numbers["coverage"][when]
        assert set(shares) == set(SHARES.split())
        assert all(set(CLOSURE.split()) == set(row) for row in shares["closures"])
        assert all({"name", "weight_per_day", "nearest_min"} == set(r) for r in shares["uncovered"])
    for note in numbers["inputs"].values():
        assert {"file", "rows", "kept", "dropped", "sha256"} <= set(note)
        assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    assert all(set(SITE) == set(site) for site in numbers["siting"]["sites"])
    assert all(set(BAY) == set(site) for site in numbers["parking"]["sites"])


def test_a_second_run_heeds_what_planners_decided_on_the_first(sample, tmp_path):
    plan, out = sample
    layer = gpd.read_file(out / "sites.geojson")
    layer.loc[[0, 1, 4], "status"] = ["已否决", "已启用", "已同意"]
    layer.loc[4, "owner"] = "社区 王"
    layer.to_file(tmp_path / "sites.geojson")
    again = run_study(
        SAMPLE, overrides=(f'siting.register="{tmp_path / "sites.geojson"}"', "siting.reruns=0")
    )
    old, new = plan.tables["sites"], again.tables["sites"]
    assert new.loc["S01", ["name", "status", "owner"]].tolist() == [
        old.loc["S05", "name"], "agreed", "社区 王",
    ]  # fmt: skip
    assert not {old.loc["S01", "candidate_id"], old.loc["S02", "candidate_id"]} & set(
        again.tables["candidates"].index
    )
    before, after = (again.summary["coverage"][k]["covered_share"] for k in ("before", "after"))
    assert before > plan.summary["coverage"]["before"]["covered_share"] + 0.02
    assert after > plan.summary["siting"]["sites"][-3]["cumulative_share"]
    told = again.summary["siting"]["register"]
    assert (told["rejected"], told["opened"], told["agreed"]) == (1, 1, 1)
    assert told["kept"] + told["waiting"] + told["unmatched"] == 5


def test_the_plan_makes_sense(sample):
    plan, _ = sample
    before, after = (plan.summary["coverage"][k] for k in ("before", "after"))
    assert 0.45 < before["covered_share"] < 0.7
    assert after["covered_share"] > before["covered_share"] + 0.1
    assert all(before["open_now"][d] <= after["open_now"][d] for d in before["open_now"])
    assert before["circle_share"] > before["covered_share"]
    assert plan.summary["siting"]["gap"] <= 0.01
    sites = plan.tables["sites"]
    assert (sites["gain_per_day"].diff().dropna() <= 1e-9).all()
    assert {"activate", "build"} == set(sites["action"])
    assert plan.tables["demand"]["workers"].min() >= 10


def test_minutes_closures_and_places_without_a_station_agree_with_coverage(sample):
    plan, _ = sample
    weight = plan.summary["demand"]["weight_per_day"]
    for when in ("before", "after"):
        told, table = plan.summary["coverage"][when], plan.tables[f"coverage_{when}"]
        closures, uncovered = (
            t[t["when"] == when] for t in (plan.tables["closures"], plan.tables["uncovered"])
        )
        once = told["covered_share"] - told["backup_share"]
        assert closures["lost_per_day"].sum() / weight == pytest.approx(once)
        assert closures["served_per_day"].sum() / weight == pytest.approx(told["covered_share"])
        assert len(closures) == table.attrs["coverage"]["facilities"]
        left = (1 - told["covered_share"]) * weight
        assert 0 < uncovered["weight_per_day"].sum() <= left
        assert (uncovered["nearest_min"] > plan.settings.service.limit_min).all()
        assert uncovered["name"].str.contains("·").all()
        assert table.attrs["coverage"]["horizon_min"] == 4 * plan.settings.service.limit_min
        assert (table["p90_min"] >= table["median_min"]).all()
        assert table.attrs["coverage"]["seats"] == plan.tables["stations"]["capacity"].sum()
    before, after = (plan.tables[f"coverage_{when}"] for when in ("before", "after"))
    assert (after["median_min"] <= before["median_min"]).all()
    assert (after["gradual_share"] >= before["gradual_share"]).all()


def test_demand_is_told_by_class_and_day_and_rest_by_shelter(sample):
    plan, out = sample
    numbers = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    demand, rest = numbers["demand"], numbers["informal_rest"]
    weight = demand["weight_per_day"]
    assert sum(demand["by_class"].values()) == pytest.approx(weight)
    assert (5 * demand["workday"] + 2 * demand["weekend"]) / 7 == pytest.approx(weight)
    assert not {"expansion", "need"} & set(demand)
    assert not {"fixes_per_hour", "workers_by_type"} & set(numbers["activity"])
    gatherings = plan.tables["gatherings"]
    assert 0 < rest["without_shelter"] < rest["places"] == len(gatherings)
    bare = gatherings.query("informal")["rest_per_day"]
    assert rest["rest_per_day"] == pytest.approx(bare.sum())
    spots = numbers["hotspots"]
    assert [s["weight_per_day"] for s in spots] == sorted(
        (s["weight_per_day"] for s in spots), reverse=True
    )
    assert {s["peak"] for s in spots} <= {None, *plan.settings.demand.dayparts}
    assert all("·" in s["name"] and 114 < s["lon"] < 116 for s in spots)


def test_streets_are_changed_one_by_one_in_what_ifs(sample):
    plan, out = sample
    numbers = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    door, bridge = numbers["whatif"]
    assert (door["action"], bridge["action"]) == ("connect", "close")
    assert not door["adopted"] | bridge["adopted"]
    assert door["before_min"] >= 6
    assert door["after_min"] <= 1.5
    assert door["hours_saved_per_day"] > 0
    assert door["affected_after_min"] < door["affected_before_min"]
    # the far bank is worse off without the bridge and its road
    assert bridge["district"] == "水西区"
    assert bridge["district_after"] < bridge["district_before"] - 0.01
    assert bridge["hours_saved_per_day"] < 0
    assert bridge["before_min"] < 5
    assert bridge["after_min"] > 60
    for edit in (door, bridge):
        for side in ("before", "after"):
            covered = numbers["coverage"][side]["covered_share"]
            assert edit["covered_before" if side == "before" else "planned_before"] == covered
    edits = plan.tables["edits"]
    assert edits.geometry.length.loc[1] < 100
    road = plan.tables["streets"].query("name == '西津路'")
    assert edits.geometry.length.loc[2] == pytest.approx(road.length.sum())


def test_report_tells_the_passage_and_the_closed_bridge(sample):
    plan, out = sample
    door, bridge = plan.summary["whatif"]
    html = (out / "report.html").read_text(encoding="utf-8")
    section = html.split("<h2>如果街道有变</h2>")[1].split("</section>")[0]
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section))
    assert f"{door['name']}：两端之间 {door['before_min']:.1f} → {door['after_min']:.1f}" in told
    far_bank = (round(100 * bridge[f"district_{when}"]) for when in ("before", "after"))
    assert "变化最大：{}，按今日站点 {}% → {}%".format(bridge["district"], *far_bank) in told
    assert told.count("方案未计入此项变更") == 2
    assert section.count('class="map"') == 2
    for heading in ("到最近的站要几分钟", "谁还没有站可去", "如果某站关闭"):
        assert f"<h2>{heading}</h2>" in html


def test_a_plan_of_an_earlier_version_is_written_out_too(sample, tmp_path):
    plan, _ = sample
    later = ("backup_share", "gradual_share", "mean_min", "p90_min", "seats_per_100")
    tables = {n: t for n, t in plan.tables.items() if n not in ("closures", "uncovered", "edits")}
    for name in ("coverage_before", "coverage_after"):
        tables[name] = tables[name].drop(columns=list(later))
    numbers = {k: v for k, v in plan.summary.items() if k not in ("whatif", "apart")}
    numbers["demand"] = {k: v for k, v in numbers["demand"].items() if k != "apart_share"}
    old = replace(plan, tables=tables, summary=numbers)
    old.save(tmp_path)
    paths = write_outputs(load_plan(tmp_path), tmp_path)
    assert {"map", "report", "workbook", "data report"} <= set(paths)
    assert "如果街道有变" not in paths["report"].read_text(encoding="utf-8")
    blind = {k: v for k, v in numbers.items() if k not in ("time", "space")}
    with pytest.raises(InputError, match=r"lacks `time`, `space`.*Run the study again"):
        write_outputs(replace(old, summary=blind), tmp_path)


def test_an_adopted_edit_is_what_the_plan_counts_with(sample, tmp_path):
    study = tmp_path / "study"
    shutil.copytree(SAMPLE, study)
    toml = (study / "study.toml").read_text(encoding="utf-8")
    text = toml.replace('street = "西津路"', 'adopt = true\nstreet = "西津路"')
    (study / "study.toml").write_text(text, encoding="utf-8")
    plan = run_study(study, overrides=("siting.reruns=0",))
    before, after = sample[0].summary["whatif"][1], plan.summary["whatif"][1]
    assert (before["adopted"], after["adopted"]) == (False, True)
    told = [k for k in after if k not in ("adopted", "planned_before", "planned_after")]
    assert {k: after[k] for k in told} == pytest.approx({k: before[k] for k in told})
    assert plan.summary["coverage"]["before"]["covered_share"] == pytest.approx(
        after["covered_after"], abs=1e-4
    )
    assert "西津路" not in set(plan.tables["streets"]["name"])
    _, today = measure_today(load_settings(study))
    assert today.loc["all", "covered_share"] == pytest.approx(after["covered_after"], abs=1e-4)
    assert "已采纳街道变更 1 项" in plan.summary["coverage"]["basis"]
    assert "变更" not in sample[0].summary["coverage"]["basis"]
    assert plan.summary["inputs"]["streets"] == sample[0].summary["inputs"]["streets"]


def test_expansion_need_and_rule_are_told(tmp_path):
    plan = run_study(
        SAMPLE,
        overrides=(
            "demand.registered={food=12000,courier=3000}",
            "demand.need={rest=2.0}",
            "siting.informal_share=0.5",
            "siting.reruns=0",
        ),
    )
    write_outputs(plan, tmp_path)
    numbers = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    demand, siting = numbers["demand"], numbers["siting"]
    food = demand["expansion"]["food"]
    assert food["factor"] == pytest.approx(12000 / food["seen"])
    assert demand["expansion_faults"] == {"not_listed": ["ride"]}
    assert demand["need"]["rest"] == 2.0
    assert numbers["coverage"]["basis"].endswith("已扩样至在册人数 · 人次按需求加权")
    assert siting["informal_first"] == 4
    first = [s for s in siting["sites"] if s["informal_rest_per_day"] > 0]
    assert len(first) >= 4
    assert siting["free_share"] >= numbers["coverage"]["after"]["covered_share"]
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "4 站优先设在骑手自发聚集处" in report
    assert "已扩样至在册人数" in report


@pytest.mark.parametrize(("riders", "hidden"), [(490, False), (493, True), (500, False)])
def test_no_type_under_k_can_be_worked_out_of_the_expansion(riders, hidden):
    told = {
        "food": {"seen": 350, "registered": 700, "factor": 2.0},
        "courier": {"seen": 140, "registered": 420, "factor": 3.0, "together_with": ["bike"]},
        "bike": {"seen": 140, "registered": 420, "factor": 3.0, "together_with": ["courier"]},
    }
    shown = hide_few(told, riders, 10)
    assert shown["food"] == told["food"]
    for kind in ("courier", "bike"):
        assert (shown[kind]["seen"] is None) is hidden
        assert (shown[kind]["factor"] is None) is hidden


def test_the_same_study_gives_the_same_numbers(sample, tmp_path):
    out = sample[1]
    write_outputs(run_study(SAMPLE), tmp_path)
    first, second = (
        json.loads((folder / "plan.json").read_text(encoding="utf-8")) for folder in (out, tmp_path)
    )
    for numbers in (first, second):
        numbers["siting"].pop("seconds")
    assert first == second
    for name in ("map.html", "report.html", "plan.xlsx", "sites.geojson"):
        assert (out / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_saved_and_loaded_it_draws_the_same_map(sample, tmp_path):
    from planner.draw import write_map

    write_map(load_plan(sample[1]), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (sample[1] / "map.html").read_bytes()


def test_no_rider_and_no_fix_reaches_an_output(sample):
    import pandas as pd

    fixes = pd.read_parquet(SAMPLE / "activity.parquet")
    riders = [str(r).encode() for r in fixes["rider_id"].unique()[:40]]
    files = [p for p in sample[1].rglob("*") if p.is_file()]
    assert len(files) > 15
    assert not [(p.name, r) for p in files for r in riders if r in p.read_bytes()]


@pytest.mark.browser
def test_map_shows_all_its_layers_and_asks_for_nothing(sample, browser):
    path = sample[1] / "map.html"
    assert path.stat().st_size < 3_000_000
    browser.size(1440, 900)
    browser.open(path)
    log = [json.loads(e["message"])["message"] for e in browser.driver.get_log("performance")]
    asked = {
        m["params"]["request"]["url"] for m in log if m["method"] == "Network.requestWillBeSent"
    }
    outside = {u for u in asked if not u.startswith(("data:", "blob:", "about:"))}
    assert outside == {path.resolve().as_uri()}
    plain = browser.picture(scale=0.25)
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) > 300
    for layer in (
        "streets", "districts", "demand", "stations", "areas", "sites", "parking", "uncovered",
        "edits",
    ):  # fmt: skip
        shown = browser.run("return p.map.hasLayer(p.layers.all[arguments[0]])", layer)
        browser.run("p.layers.show(arguments[0], arguments[1])", layer, not shown)
        changed = (browser.picture(scale=0.25) != plain).any(axis=2).sum()
        browser.run("p.layers.show(arguments[0], arguments[1])", layer, shown)
        assert changed > 20, layer
    assert browser.errors() == []


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_site_hides_under_card_or_legend(sample, browser, language):
    browser.size(1440, 900)
    browser.open(sample[1] / "map.html")
    browser.run("p.setLanguage(arguments[0]); p.fit()", language)
    seen = browser.run(
        "return p.layers.all.sites.getLayers().map(m => { const { x, y } ="
        "p.map.latLngToContainerPoint(m.getLatLng()); return document.elementFromPoint(x, y)"
        ".closest('.pm-box') === null; })"
    )
    assert len(seen) == len(sample[0].tables["sites"])
    assert all(seen)


@pytest.mark.browser
def test_no_site_hides_under_the_legend_on_paper(sample, browser):
    browser.size(1440, 900)
    browser.open(sample[1] / "map.html")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        legend, *sites = browser.run(
            "const box = n => { const { left, top, right, bottom } = n.getBoundingClientRect();"
            "return [left, top, right, bottom]; };"
            "return [document.querySelector('.pm-legend'),"
            "...p.layers.all.sites.getLayers().map(m => m.getElement())].map(box);"
        )
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert len(sites) == len(sample[0].tables["sites"])
    for left, top, right, bottom in sites:
        middle = (left + right) / 2, (top + bottom) / 2
        assert not (legend[0] < middle[0] < legend[2] and legend[1] < middle[1] < legend[3])
