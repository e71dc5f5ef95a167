"""Explanations of sites: hand-computed, against plans made anew, and of the sample."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.errors import InputError
from planner.siting import choose_stations, make_explanations
from planner.siting.explanations import NEAR_TIE


@pytest.fixture
def line():
    """Six demand points, a station in the west, two sites that share the middle, two others.

    host:a covers d1, d2, d3; corner:b covers d3, d4; corner:c is host:a without d1; corner:d
    covers d4 and d5.
    """
    demand = make_demand(
        [(0, 0), (1000, 0), (2000, 0), (3000, 0), (4000, 0), (5000, 0)],
        [10, 20, 30, 16, 20, 4],
        weight_noon=[10.0, 20.0, 5.0, 6.0, 20.0, 0.0],
        weight_night=[0.0, 0.0, 25.0, 10.0, 0.0, 4.0],
        weight_type_food=[10.0, 20.0, 30.0, 0.0, 0.0, 4.0],
        weight_type_courier=[0.0, 0.0, 0.0, 16.0, 20.0, 0.0],
    )
    demand.attrs["demand"] = {"days": 2, "dayparts": {"noon": [11, 14], "night": [22, 6]}}
    candidates = make_candidates(
        ["station:w", "host:a", "corner:b", "corner:c", "corner:d"],
        [(0, 0), (2000, 0), (3500, 0), (2500, 0), (4500, 0)],
    )
    far = np.inf
    minutes = [
        [0, far, far, far, far],
        [far, 5, far, far, far],
        [far, 0, far, 5, far],
        [far, 9, 9, 5, far],
        [far, far, 9, far, 0],
        [far, far, far, far, 9],
    ]
    sites = pd.DataFrame(
        {"candidate_id": ["host:a", "corner:b"], "rank": [1, 2]},
        index=pd.Index(["S01", "S02"], name="site_id"),
    )
    places = gpd.GeoDataFrame(
        sites, geometry=candidates.loc[sites["candidate_id"]].geometry.to_numpy(),
        crs=candidates.crs,
    )  # fmt: skip
    return make_reach(demand, candidates, minutes), demand, candidates, places


DISTRICTS = ["West", "West", "East", "East", "East", "East"]


def test_gains_losses_and_replacements_are_those_computed_by_hand(line):
    """host:a gains 66 and loses 50 (d3 is covered twice); corner:b gains and loses 20."""
    table = make_explanations(*line, district=DISTRICTS)
    assert table["gain_noon"].tolist() == [31.0, 20.0]
    assert table["gain_night"].tolist() == [35.0, 0.0]
    assert table["gain_type_food"].tolist() == [50.0, 0.0]
    assert table["gain_type_courier"].tolist() == [16.0, 20.0]
    assert table["gain_district_West"].tolist() == [20.0, 0.0]
    assert table["gain_district_East"].tolist() == [46.0, 20.0]
    assert table["district"].tolist() == ["East", "East"]
    assert table["district_gain_per_day"].tolist() == [46.0, 20.0]
    assert table["loss_share"].tolist() == pytest.approx([0.5, 0.2])
    assert table["alternative_id"].tolist() == ["corner:c", "corner:d"]
    assert table["alternative_name"].tolist() == ["At corner:c", "At corner:d"]
    assert table["alternative_share"].tolist() == pytest.approx([0.76, 1.0])
    assert table["near_ties"].tolist() == ["", "At corner:d"]
    assert table["near_ties_count"].tolist() == [0, 1]
    assert table["nearest_station_min"].isna().all()


def test_spacing_and_bans_leave_replacements_out(line):
    spaced = make_explanations(*line, min_spacing_m=1200.0)
    assert spaced["alternative_id"].isna().tolist() == [True, False]
    assert spaced.loc["S02", "alternative_id"] == "corner:d"
    banned = make_explanations(*line, forbidden=["corner:c", "corner:d"])
    assert banned["alternative_id"].isna().all()
    assert banned["alternative_share"].isna().all()
    assert banned["near_ties"].tolist() == ["", ""]


def test_without_districts_nothing_is_told_of_them(line):
    table = make_explanations(*line)
    assert table["district"].isna().all()
    assert not [c for c in table if c.startswith("gain_district_")]


def test_a_site_that_is_no_candidate_is_refused(line):
    reach, demand, candidates, sites = line
    with pytest.raises(InputError, match="none of the candidates"):
        make_explanations(reach, demand, candidates, sites.assign(candidate_id="corner:z"))


def random_city(seed, count=4):
    rng = np.random.default_rng(seed)
    demand = make_demand(
        rng.random((60, 2)) * 4000, rng.integers(1, 30, 60),
        weight_noon=rng.integers(0, 9, 60).astype(float),
    )  # fmt: skip
    demand.attrs["demand"] = {"days": 3, "dayparts": {"noon": [11, 14]}}
    ids = [*(f"station:{k}" for k in range(2)), *(f"corner:{k:02d}" for k in range(12))]
    candidates = make_candidates(ids, rng.random((14, 2)) * 4000)
    reach = make_reach(demand, candidates, straight(demand, candidates))
    sites = choose_stations(reach, demand, candidates, count, reruns=0)
    return reach, demand, candidates, sites


def share(reach, demand, ids):
    inside = reach.select(ids).covered()
    return demand["weight_per_day"].to_numpy()[inside].sum() / demand["weight_per_day"].sum()


@pytest.mark.parametrize("seed", range(8))
def test_best_replacements_are_those_of_full_enumeration(seed):
    reach, demand, candidates, sites = random_city(seed)
    table = make_explanations(reach, demand, candidates, sites)
    is_open = [i for i in candidates.index if i.startswith("station")] + list(sites["candidate_id"])
    whole = share(reach, demand, is_open)
    for site, told in table.iterrows():
        stay = [i for i in is_open if i != sites.loc[site, "candidate_id"]]
        assert told["loss_share"] == pytest.approx(whole - share(reach, demand, stay))
        others = {i: share(reach, demand, [*stay, i]) for i in candidates.index if i not in is_open}
        assert told["alternative_share"] == pytest.approx(max(others.values()))
        assert others[told["alternative_id"]] == pytest.approx(max(others.values()))
        ties = [i for i, v in others.items() if v >= (1 - NEAR_TIE) * whole - 1e-12]
        assert told["near_ties_count"] == len(ties)
        assert set(filter(None, told["near_ties"].split(";"))) == {f"At {i}" for i in ties}
    assert np.allclose(
        table["gain_noon"].sum(),
        demand["weight_noon"][
            reach.select(is_open).covered() & ~reach.select(is_open[:2]).covered()
        ].sum(),
    )


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_tables_explain_the_same(seed):
    reach, demand, candidates, sites = random_city(seed)
    names = np.where(demand.geometry.x > 2000, "East", "West")
    table = make_explanations(reach, demand, candidates, sites, district=names)
    turn = np.random.default_rng(seed).permutation(len(demand))
    mixed = demand.iloc[turn]
    mixed.attrs = demand.attrs
    again = make_explanations(
        reach, mixed, candidates.sample(frac=1, random_state=seed), sites.iloc[::-1],
        district=names[turn],
    )  # fmt: skip
    pd.testing.assert_frame_equal(again.iloc[::-1], table)


def test_replacements_keep_the_budget_and_are_left_out_where_coverage_does_not_decide(line):
    """corner:c costs more than host:a, whose place it would take; corner:d as much as corner:b."""
    priced = make_explanations(*line, cost={"activate": 1.0, "build": 4.0}, budget=5.0)
    assert priced["alternative_id"].isna().tolist() == [True, False]
    assert priced.loc["S02", "alternative_id"] == "corner:d"
    roomy = make_explanations(*line, cost={"activate": 1.0, "build": 4.0}, budget=8.0)
    assert roomy["alternative_id"].tolist() == ["corner:c", "corner:d"]
    bare = make_explanations(*line, replacements=False)
    assert bare["alternative_id"].isna().all()
    assert bare["near_ties_count"].tolist() == [0, 0]
    assert bare["loss_share"].tolist() == pytest.approx([0.5, 0.2])
