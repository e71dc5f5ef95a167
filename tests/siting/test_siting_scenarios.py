"""Scenarios: computed by hand, laws of regret and bound, who is safe; bad input."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.errors import InputError, SettingsError
from planner.siting import choose_stations, measure_scenarios

FEW = settings(max_examples=30, deadline=None, derandomize=True)


def make_city(seed, points=30, free=8):
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 40, points) / 4
    half = rng.random(points)
    demand = make_demand(
        rng.uniform(0, 4000, (points, 2)), weight, weight_type_food=weight * half,
        weight_type_courier=weight * (1 - half), weight_noon=weight * half**2,
        weight_night=weight * (1 - half**2),
    )  # fmt: skip
    demand.attrs["demand"] = {"days": 3, "dayparts": {"noon": [0, 12], "night": [12, 24]}}
    ids = [f"corner:{k}" for k in range(free)]
    candidates = make_candidates(ids, rng.uniform(0, 4000, (free, 2)))
    district = np.where(demand.geometry.x < 2000, "west", "east")
    return (
        make_reach(demand, candidates, straight(demand, candidates)),
        demand,
        candidates,
        district,
    )


@FEW
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([0.2, 0.7]))
def test_best_and_bound_hold_the_enumerated_optimum(seed, count, change):
    *city, district = make_city(seed)
    sites = choose_stations(*city, count, reruns=0)
    table = measure_scenarios(*city, sites, districts=district, change=change, gap=0)
    covers = city[0].minutes.toarray() > 0
    for row in table.itertuples():
        part = {
            "all": city[1]["weight_per_day"],
            "type": city[1].get(f"weight_type_{row.name}"),
            "district": city[1]["weight_per_day"].where(district == row.name, 0.0),
            "daypart": city[1].get(f"weight_{row.name}"),
        }[row.kind]
        weight = (city[1]["weight_per_day"] + row.change * part).to_numpy()
        best = max(
            math.fsum(weight[covers[:, c].any(axis=1)])
            for c in itertools.combinations(range(8), count)
        ) / math.fsum(weight)
        assert row.best_share == pytest.approx(best)
        assert row.bound_share == pytest.approx(best)
        assert row.covered_share <= row.best_share
        assert row.regret == pytest.approx(row.best_share - row.covered_share)


@FEW
@given(st.integers(0, 10**6), st.sampled_from([0.0, 600.0]))
def test_regret_is_never_negative_and_all_alike_changes_nothing(seed, spacing):
    *city, district = make_city(seed, points=80, free=20)
    sites = choose_stations(*city, 5, reruns=0, min_spacing_m=spacing)
    table = measure_scenarios(*city, sites, districts=district, min_spacing_m=spacing)
    assert (table["regret"] >= 0).all()
    assert (table["bound_share"] >= table["best_share"]).all()
    assert table["kind"].tolist() == ["all"] * 2 + ["type"] * 4 + ["district"] * 4 + ["daypart"] * 4
    everywhere = table.loc[table["kind"] == "all", "covered_share"]
    assert everywhere.to_numpy() == pytest.approx(sites["cumulative_share"].max())
    worst = table.attrs["scenarios"]["worst"]
    assert worst["covered_share"] == table["covered_share"].min()
    assert table.loc[worst["scenario_id"], "name"] == worst["name"]


def test_a_site_that_a_district_can_do_without_is_not_safe():
    """Three far places of 10, 6 and 5 visits, two stations: 20 % of one district turn 6 and 5."""
    far = [(0, 0), (20_000, 0), (40_000, 0)]
    demand, candidates = make_demand(far, [10, 6, 5.5]), make_candidates(
        ["corner:0", "corner:1", "corner:2"], far)  # fmt: skip
    city = make_reach(demand, candidates, straight(demand, candidates)), demand, candidates
    sites = choose_stations(*city, 2, reruns=0)
    table = measure_scenarios(*city, sites, districts=["a", "b", "c"])
    assert sites["candidate_id"].tolist() == ["corner:0", "corner:1"]
    assert table.attrs["scenarios"]["safe"] == ["S01"]
    more = table.set_index(["name", "change"]).loc[("c", 0.2)]
    assert more["covered_share"] == pytest.approx(16 / 22.6)
    assert more["best_share"] == pytest.approx(16.6 / 22.6)
    assert more["status"] == "optimal"
    worst = table.attrs["scenarios"]["worst"]
    assert (worst["name"], worst["change"]) == ("c", 0.2)


def test_a_budget_binds_the_best_too():
    *city, district = make_city(11)
    prices = {"activate": 1.0, "build": 2.0}
    sites = choose_stations(*city, 5, reruns=0, cost=prices, budget=6.0)
    table = measure_scenarios(*city, sites, districts=district, cost=prices, budget=6.0)
    free = measure_scenarios(*city, sites, districts=district)
    assert (table["regret"] >= 0).all()
    assert (table["best_share"] <= free["bound_share"] + 1e-12).all()


def test_the_order_of_rows_does_not_matter():
    reach, demand, candidates, district = make_city(2, points=60, free=15)
    sites = choose_stations(reach, demand, candidates, 4, reruns=0)
    order = np.random.default_rng(0).permutation(len(demand))
    turned = demand.iloc[order]
    again = make_reach(turned, candidates, straight(turned, candidates))
    one = measure_scenarios(reach, demand, candidates, sites, districts=district)
    two = measure_scenarios(again, turned, candidates, sites, districts=district[order])
    assert one.equals(two)


def test_bad_input_is_refused():
    *city, district = make_city(1)
    sites = choose_stations(*city, 2, reruns=0)
    for change in (0.0, 1.0, -0.2, math.nan):
        with pytest.raises(SettingsError, match="`change` must be more than 0"):
            measure_scenarios(*city, sites, change=change)
    with pytest.raises(InputError, match="`districts` must name one a demand point"):
        measure_scenarios(*city, sites, districts=["a"])
    floored = choose_stations(
        *city, 4, reruns=0, min_district_share=0.01, districts=district
    )  # fmt: skip
    with pytest.raises(SettingsError, match="without a floor"):
        measure_scenarios(*city, floored)
    sites["candidate_id"] = "corner:99"
    with pytest.raises(InputError, match="'corner:99', which is not among the candidates"):
        measure_scenarios(*city, sites)
