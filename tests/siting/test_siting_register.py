"""A register of sites: known again by number, place or name; what it does; nothing is lost."""

import geopandas as gpd
import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from siting_tables import CRS, make_candidates, make_demand, make_reach, straight

from planner.errors import InputError, SettingsError
from planner.siting import choose_stations, note_sites, settle_sites
from planner.siting.matching import match_register
from planner.siting.register import OUTCOMES
from planner.tables import STATUSES

IDS = ["station:0", "host:library", "host:bank", "hotspot:hs1", "corner:1", "corner:2", "corner:3"]
XY = [(0, 0), (1000, 0), (2000, 0), (3000, 0), (4000, 0), (4020, 0), (6000, 0)]


def places(xy=XY, ids=IDS):
    table = make_candidates(ids, xy)
    return table.assign(hours="09:00-17:00")


def make_register(*rows):
    """`rows`: dicts with at least a status; x, y where told."""
    table = pd.DataFrame(rows)
    blank = {"candidate_id": "", "name": "", "host_name": "", "owner": "", "note": "", "hours": ""}
    for column, default in blank.items():
        table[column] = table[column].fillna("") if column in table else default
    table["capacity"] = np.nan
    table["row"] = np.arange(3, 3 + len(table))
    table["part"] = "plan.xlsx"
    points = [
        None if "x" not in row or np.isnan(row["x"]) else (row["x"], row.get("y", 0.0))
        for row in rows
    ]
    geometry = gpd.GeoSeries(
        [None if p is None else gpd.points_from_xy([p[0]], [p[1]])[0] for p in points], crs=CRS
    )
    index = pd.Index([f"R{k:02d}" for k in range(1, len(table) + 1)], name="register_id")
    table = table.drop(columns=[c for c in ("x", "y") if c in table])
    return gpd.GeoDataFrame(table.set_index(index), geometry=geometry.values, crs=CRS)


def found(*rows, candidates=None):
    matches = match_register(make_register(*rows), places() if candidates is None else candidates)
    return list(zip(matches.ids, matches.rule, strict=True))


def test_the_number_counts_only_at_the_same_place_or_for_the_same_premises():
    assert found({"status": "surveyed", "candidate_id": "corner:3"}) == [(["corner:3"], "id")]
    near = {"status": "surveyed", "candidate_id": "corner:3", "x": 6029.0}
    assert found(near) == [(["corner:3"], "id")]
    elsewhere = {"status": "rejected", "candidate_id": "corner:3", "x": 5000.0}
    assert found(elsewhere) == [([], "")]
    renumbered = {"status": "rejected", "candidate_id": "corner:3", "x": 3010.0}
    assert found(renumbered) == [(["hotspot:hs1"], "place")]
    moved = {"status": "rejected", "candidate_id": "host:bank", "name": "At host:bank", "x": 2300.0}
    assert found(moved) == [(["host:bank"], "id")]


def test_a_place_counts_within_30_m_and_no_farther():
    for off, expected in ((30.0, (["host:bank"], "place")), (30.1, ([], ""))):
        assert found({"status": "rejected", "name": "Old bank", "x": 2000.0 + off}) == [expected]


def test_the_name_of_the_premises_counts_where_it_is_the_only_one_near():
    named = {"status": "rejected", "name": "At host:bank", "x": 2500.0}
    assert found(named) == [(["host:bank"], "name")]
    assert found({**named, "x": 3100.0}) == [([], "")]  # another of the chain, over 1 km off
    assert found({"status": "rejected", "name": "At host:bank"}) == [(["host:bank"], "name")]
    twins = places()
    twins.loc["host:library", "host_name"] = "At host:bank"
    assert found({**named, "x": 1500.0}, candidates=twins) == [([], "")]
    assert found({"status": "rejected", "name": "At corner:3", "x": 6500.0}) == [([], "")]


def test_rejecting_a_place_rejects_every_candidate_of_it_but_other_premises_stay():
    assert found({"status": "rejected", "x": 4010.0}) == [(["corner:1", "corner:2"], "place")]
    by_number = {"status": "rejected", "candidate_id": "corner:1", "x": 4000.0}
    assert found(by_number) == [(["corner:1", "corner:2"], "id")]
    shops = places([*XY[:2], (1020, 0), *XY[3:]])
    shop = {"status": "rejected", "candidate_id": "host:library", "x": 1000.0}
    assert found(shop, candidates=shops) == [(["host:library"], "id")]


def test_what_another_row_agreed_is_not_rejected_with_its_neighbour():
    rows = (
        {"status": "rejected", "candidate_id": "corner:1", "x": 4000.0},
        {"status": "agreed", "candidate_id": "corner:2", "x": 4020.0},
    )
    assert found(*rows) == [(["corner:1"], "id"), (["corner:2"], "id")]
    assert found(*rows[::-1]) == [(["corner:2"], "id"), (["corner:1"], "id")]


def test_existing_stations_are_nobodys_match():
    assert found({"status": "rejected", "candidate_id": "station:0", "x": 0.0}) == [([], "")]


def town(seed=0):
    rng = np.random.default_rng(seed)
    demand = make_demand(np.column_stack([rng.random(60) * 7000, rng.normal(0, 300, 60)]),
                         rng.integers(1, 30, 60))  # fmt: skip
    return demand, places()


def plan(register, *, count=3, seed=0, **rules):
    demand, candidates = town(seed)
    settled = settle_sites(candidates, register, count=count, **rules)
    reach = make_reach(demand, settled.candidates, straight(demand, settled.candidates))
    sites = choose_stations(reach, demand, settled.candidates, count, required=settled.required,
                            reruns=0)  # fmt: skip
    return settled, *note_sites(sites, settled, file="plan.xlsx")


def test_each_status_does_what_it_says():
    _, free, none = plan(None)
    assert none is None
    assert (free["status"] == "proposed").all()
    assert "register" not in free.attrs["siting"]
    first, other = free["candidate_id"].iloc[0], "corner:3"
    register = make_register(
        {"status": "rejected", "candidate_id": first, "owner": "李", "note": "无电"},
        {"status": "agreed", "candidate_id": other, "owner": "王"},
        {"status": "surveyed", "candidate_id": free["candidate_id"].iloc[1], "note": "可用"},
        {"status": "rejected", "candidate_id": "corner:99", "x": 9000.0},
    )
    settled, sites, told = plan(register)
    assert first not in settled.candidates.index
    assert sites["candidate_id"].iloc[0] == other
    assert sites.loc["S01", ["status", "owner", "note"]].tolist() == ["agreed", "王", ""]
    again = sites[sites["candidate_id"] == free["candidate_id"].iloc[1]]
    assert again[["status", "note"]].to_numpy().tolist() == [["surveyed", "可用"]]
    assert told["outcome"].tolist() == ["rejected", "agreed", "kept", "unmatched"]
    note = sites.attrs["siting"]["register"]
    expected = {"file": "plan.xlsx", "rows": 4, "rejected": 1, "agreed": 1, "opened": 0, "kept": 1}
    assert expected.items() <= note.items()
    assert note["unmatched"] == 1
    assert note["matched_by"] == {"id": 3, "place": 0, "name": 0, "added": 0}


def test_surveyed_and_proposed_change_nothing_of_the_choice():
    _, free, _ = plan(None)
    register = make_register(
        *({"status": s, "candidate_id": i} for s, i in zip(("surveyed", "proposed") * 3, IDS[1:],
                                                           strict=True))
    )  # fmt: skip
    _, sites, told = plan(register)
    pd.testing.assert_series_equal(sites["candidate_id"], free["candidate_id"])
    assert set(told["outcome"]) == {"kept", "waiting"}


def test_an_agreed_place_that_is_no_candidate_becomes_one():
    register = make_register(
        {"status": "agreed", "name": "新谈妥的书店", "x": 5200.0, "hours": "08:00-22:00"},
        {"status": "agreed", "candidate_id": "corner:3", "name": "旧街角", "x": 5300.0},
    )
    settled, sites, _ = plan(register)
    assert sites["name"].tolist()[:2] == ["新谈妥的书店", "旧街角"]
    assert sites["action"].tolist()[:2] == ["activate", "build"]
    assert sites["hours"].tolist()[:2] == ["08:00-22:00", "00:00-24:00"]
    assert settled.required == ["host:新谈妥的书店", "corner:3#2"]
    assert sites.attrs["siting"]["register"]["matched_by"]["added"] == 2


def test_where_a_station_opened_nothing_is_recommended():
    _, free, _ = plan(None)
    first = free["candidate_id"].iloc[0]
    register = make_register(
        {"status": "opened", "candidate_id": first, "x": free.geometry.x.iloc[0]}
    )
    settled, sites, told = plan(register)
    assert first not in settled.candidates.index
    assert sites.attrs["siting"]["register"]["opened"] == 1
    assert told["site_id"].isna().all()


@pytest.mark.parametrize(
    ("rows", "rules", "words"),
    [
        (
            [{"status": "agreed", "candidate_id": i} for i in IDS[1:5]],
            {"count": 3},
            "row 6, column `status`: 4 sites are agreed, but `siting.count` is 3. Raise",
        ),
        (
            [{"status": "agreed", "candidate_id": "host:bank", "name": "Bank"}],
            {"forbidden": ["host:bank"]},
            "row 3.*'Bank' has agreed, but `siting.forbidden`",
        ),
        (
            [{"status": "rejected", "candidate_id": "host:bank", "name": "Bank"}],
            {"required": ["At host:bank"]},
            "row 3.*'Bank' is rejected, but `siting.required`",
        ),
        (
            [{"status": "opened", "candidate_id": "host:bank", "name": "Bank", "x": 2000.0}],
            {"required": ["host:bank"]},
            "'Bank' has opened, and `siting.required` still names it",
        ),
        (
            [{"status": "agreed", "candidate_id": i} for i in ("corner:1", "corner:2")],
            {"min_spacing_m": 100},
            "row 4.*stand 20 m apart, under `siting.min_spacing_m`",
        ),
        (
            [{"status": "agreed", "candidate_id": "host:gone", "name": "Gone"}],
            {},
            "row 3.*'Gone' has agreed, but it is none of the candidates.*Fill in longitude",
        ),
    ],
)
def test_contradictions_are_one_error_with_row_and_remedy(rows, rules, words):
    with pytest.raises(InputError, match=words) as caught:
        settle_sites(places(), make_register(*rows), **{"count": 3, **rules})
    assert str(caught.value).startswith("plan.xlsx, row ")


def test_as_many_as_required_and_agreed_together_fit():
    register = make_register({"status": "agreed", "candidate_id": "host:bank"})
    rules = {"required": ["corner:1", "At host:bank"], "count": 2}
    assert settle_sites(places(), register, **rules).required == ["corner:1", "host:bank"]
    with pytest.raises(InputError, match=r"1 sites are agreed beside the 1 of `siting.required`"):
        settle_sites(places(), register, required=["corner:1"], count=1)
    assert len(settle_sites(places(), register, required=["corner:1"], count=None).required) == 2


def test_without_a_register_only_the_settings_count():
    settled = settle_sites(places(), None, required=["corner:1"], forbidden=["host:bank"])
    assert settled.required == ["corner:1"]
    assert "host:bank" not in settled.candidates.index
    with pytest.raises(SettingsError, match="none of the 7 candidates"):
        settle_sites(places(), None, required=["nobody"])


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
rows = st.fixed_dictionaries(
    {
        "status": st.sampled_from([s for s in STATUSES if s != "agreed"]),
        "candidate_id": st.sampled_from(["", *IDS[1:], "corner:77", "host:closed"]),
        "name": st.sampled_from(["", "At host:bank", "At host:library", "别处"]),
        "x": st.sampled_from([*(x + d for x, _ in XY[1:] for d in (0.0, 18.0, 31.0)), 9e4]),
        "owner": texts,
        "note": texts,
    }
)


@hypothesis.settings(max_examples=40)
@given(st.lists(rows, max_size=8), st.lists(st.sampled_from(IDS[1:]), max_size=3, unique=True))
def test_nothing_that_was_written_is_lost(written, agreed):
    new = [{"status": "agreed", "candidate_id": i, "owner": f"o{i}", "note": "n"} for i in agreed]
    register = make_register(*new, *written) if new or written else None
    if register is None:
        return
    settled = settle_sites(places(), register, count=3)
    left = settled.candidates.query("action != 'keep'").index
    chosen = list(dict.fromkeys([*settled.required, *left]))[:3]
    sites = make_sites(settled, chosen)
    noted, told = note_sites(sites, settled)
    assert list(told.index) == list(register.index)
    here = told["site_id"].notna()
    assert told.loc[here, "site_id"].is_unique
    for key, row in register.iterrows():
        kept = noted.loc[told.loc[key, "site_id"]] if here[key] else told.loc[key]
        assert [kept[c] for c in ("status", "owner", "note")] == [
            row[c] for c in ("status", "owner", "note")
        ]
    gone = told[told["status"].isin(["rejected", "opened"])]
    assert not gone["site_id"].notna().any()
    assert set(agreed) <= set(sites["candidate_id"])
    counts = noted.attrs["siting"]["register"]
    assert sum(counts[name] for name in OUTCOMES) == counts["rows"] == len(register)


def make_sites(settled, chosen):
    index = pd.Index([f"S{k:02d}" for k in range(1, len(chosen) + 1)], name="site_id")
    table = settled.candidates.loc[chosen]
    sites = gpd.GeoDataFrame({"candidate_id": chosen}, geometry=table.geometry.values,
                             index=index, crs=CRS)  # fmt: skip
    sites.attrs = {"siting": {}}
    return sites


@hypothesis.settings(max_examples=15)
@given(st.permutations(range(5)))
def test_the_order_of_candidates_changes_nothing(order):
    register = make_register(
        {"status": "rejected", "x": 4010.0}, {"status": "surveyed", "x": 4010.0},
        {"status": "agreed", "name": "At host:bank"}, {"status": "proposed", "x": 1015.0},
    )  # fmt: skip
    table = places()
    shuffled = table.iloc[[0, 6, *(1 + k for k in order)]]
    assert match_register(register, shuffled) == match_register(register, table)
