"""What the page is told: from plan.json and the tables, and nothing else."""

import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest

from planner.coverage.hours import open_in_dayparts
from planner.draw.content import pack_content, plan_tables
from planner.draw.facilities import MOST_OTHERS, gather_facilities, open_masks
from planner.draw.figures import figures_of_plan
from planner.draw.ground import attribution_of, describe_areas
from planner.draw.pack import to_pixels


def unpack(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


def content(plan, **changes):
    tables = {**plan.tables, **changes}
    return pack_content(plan_tables(tables, plan.reach, 100.0), figures_of_plan(plan))


@pytest.fixture(scope="module")
def told(plan):
    return unpack(content(plan)["study"])


def test_figures_are_those_of_the_summary(plan, told):
    coverage, weight = plan.summary["coverage"], plan.summary["demand"]["weight_per_day"]
    parts = list(plan.settings.demand.dayparts)
    for side in ("before", "after"):
        want = [coverage[side]["covered_share"], *(coverage[side]["open_now"][p] for p in parts)]
        assert told[side] == pytest.approx(want)
    assert told["best"] == pytest.approx(plan.summary["siting"]["bound"] / weight)
    assert told["weight"] == pytest.approx(weight)
    assert told["dates"] == ["2024-05-13", "2024-05-15"]
    assert told["review"] == "赣S(2025)012号"


def test_facilities_stand_in_order(plan, told):
    ids = told["facilities"]["id"]
    assert told["facilities"]["existing"] == 5
    assert ids[:5] == [f"station:A{i}" for i in range(1, 6)]
    assert ids[5:8] == list(plan.tables["sites"]["candidate_id"])
    assert sorted(ids) == sorted(plan.tables["candidates"].index)
    assert told["facilities"]["capacity"][:3] == [12, None, 8]


def test_masks_are_the_rule_of_coverage(plan, told):
    dayparts = plan.settings.demand.dayparts
    hours = plan.tables["candidates"]["hours"].loc[told["facilities"]["id"]]
    want = open_in_dayparts(hours, dayparts)
    for bit, name in enumerate(dayparts, start=1):
        got = [bool(mask >> bit & 1) for mask in told["facilities"]["open"]]
        assert got == want[name].tolist()
    assert all(mask & 1 for mask in told["facilities"]["open"])
    assert open_masks(hours.iloc[:2], {}) == [1, 1]


def test_changed_streets_are_told_as_the_table_has_them(plan, told):
    first, second = told["edits"]
    assert (first["closes"], second["closes"]) == (False, True)
    assert (first["adopted"], second["adopted"]) == (True, False)
    assert first["ends"] == [7.6, 1.0]
    assert second["ends"] == [2.1, None]
    assert second["today"] == [0.623, 0.566]
    assert second["hours"] == -168.7
    assert [len(edit["lines"]) for edit in told["edits"]] == [1, 2]
    assert told["horizon"] == 60.0
    river = plan.tables["water"].union_all()
    bridge = plan.tables["edits"].geometry.intersection(river).iloc[1]
    x, y = to_pixels(bridge.centroid.x, bridge.centroid.y, plan.tables["water"].crs)
    assert (second["x"], second["y"]) == (round(float(x)), round(float(y)))
    assert unpack(content(plan, edits=plan.tables["edits"].iloc[[1, 0]])["study"]) == told


def test_only_places_beyond_the_plan_are_told_heaviest_first(plan, told):
    assert [place["visits"] for place in told["uncovered"]] == [233.3, 120.5]
    assert [place["nearest"] for place in told["uncovered"]] == [21.4, None]
    bare = unpack(content(plan, uncovered=None, edits=None)["study"])
    assert bare["uncovered"] == bare["edits"] == []


def test_shuffled_rows_make_the_same_page(plan):
    rng = np.random.default_rng(1)
    shuffled = {
        key: table.iloc[rng.permutation(len(table))]
        for key, table in plan.tables.items()
        if key in {"demand", "stations", "candidates", "sites", "streets", "uncovered", "edits"}
    }
    before, after = content(plan), content(plan, **shuffled)
    assert unpack(before["study"]) == unpack(after["study"])
    assert {k: v for k, v in before.items() if k != "study"} == {
        k: v for k, v in after.items() if k != "study"
    }


def test_other_candidates_are_those_that_reach_most_unmet_demand(plan):
    import geopandas as gpd
    import pandas as pd

    t, reach = plan.tables, plan.reach
    found = gather_facilities(
        t["demand"], t["sites"], existing=t["stations"], candidates=t["candidates"], reach=reach
    )
    others = found.table.index[8:]
    weight = t["demand"]["weight_per_day"].to_numpy()
    unmet = np.where(reach.covered(np.arange(5)), 0.0, weight)
    score = [unmet[reach.covered(reach.facility_id.get_indexer([i]))].sum() for i in others]
    assert score == sorted(score, reverse=True)
    assert len(others) == 12 < MOST_OTHERS
    assert isinstance(found.table, gpd.GeoDataFrame)
    assert isinstance(others, pd.Index)


def test_sites_and_parking_are_told_with_their_numbers(plan, told):
    assert [s["rank"] for s in told["sites"]] == [1, 2, 3]
    assert told["sites"][0]["gain"] == pytest.approx(
        plan.tables["sites"]["gain_per_day"].iloc[0], rel=1e-5
    )
    assert told["sites"][2]["before"] is None
    assert told["sites"][0]["peak"] == 2
    assert [p["bays"] for p in told["parking"]] == [6, 4, 9, 5]
    assert told["parking"][0]["station"] == "东门驿站"
    assert told["parking"][1]["station"] == ""


def test_loss_and_replacement_are_told_as_the_table_has_them(plan, told):
    rows = plan.tables["explanations"]
    assert [s["loss"] for s in told["sites"]] == [0.1234, 0.056, 0.0]
    assert [s["other"] for s in told["sites"]] == ["候选 0", "候选 1", ""]
    assert [s["tied"] for s in told["sites"]] == [False, True, False]
    assert told["sites"][0]["otherShare"] == pytest.approx(rows["alternative_share"].iloc[0])
    assert told["sites"][2]["otherShare"] is None
    for absent in (None, rows.iloc[:0]):
        bare = unpack(content(plan, explanations=absent)["study"])["sites"]
        kept = {"loss", "other", "otherShare", "tied"}
        assert bare == [{k: v for k, v in s.items() if k not in kept} for s in told["sites"]]


def test_places_without_shelter_and_hot_spots_are_told(told):
    assert [g["name"] for g in told["gatherings"]] == ["江南区 · 第 8 街", "江南区 · 5 号路"]
    assert [(g["rest"], g["station"]) for g in told["gatherings"]] == [
        (122.4, 1234.0),
        (41.0, None),
    ]
    assert [(h["visits"], h["peak"]) for h in told["hotspots"]] == [(812.5, 2), (401.0, 0)]
    assert all("rider_id" not in place for place in told["gatherings"] + told["hotspots"])


@pytest.mark.parametrize(
    ("siting", "want"),
    [
        ({}, None),
        ({"informal_first": 0, "free_share": 0.9}, None),
        ({"informal_first": 3, "free_share": 0.9}, {"first": 3, "free": 0.9}),
    ],
)
def test_the_rule_is_told_where_it_opened_a_station(plan, siting, want):
    summary = plan.summary | {"siting": plan.summary["siting"] | siting}
    assert unpack(content(replace(plan, summary=summary))["study"])["rule"] == want


def test_a_table_that_is_absent_gives_no_layer(plan):
    bare = dict.fromkeys(("streets", "service_areas", "water", "districts", "parking"))
    blobs = content(plan, **bare)
    told = unpack(blobs["study"])
    assert set(blobs) == {"study", "cells", "reach"}
    assert (told["water"], told["districts"], told["parking"]) == ([], [], [])
    assert "areas" not in told


def test_bands_of_service_areas_lie_beside_each_other(plan, told):
    areas = plan.tables["service_areas"]
    assert told["areas"]["limits"] == [5.0, 10.0, 15.0]
    assert all(told["areas"]["bands"])
    assert told["areas"]["gained"]
    only_before = describe_areas(areas[areas["when"] == "before"].drop(columns="when"), 15.0)
    assert only_before["gained"] == []


def test_streets_may_say_whom_they_are_owed_to(plan):
    streets = plan.tables["streets"].copy()
    streets.attrs["attribution"] = "Own survey"
    assert attribution_of(streets) == "Own survey"
    assert attribution_of(None) == ""
