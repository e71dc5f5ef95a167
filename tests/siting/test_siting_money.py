"""Coverage against money: enumerated on small cities, monotone, the plan on it; bad input."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.siting import choose_stations, measure_money

FEW = settings(max_examples=40, deadline=None, derandomize=True)
PRICES = {"activate": 1.0, "build": 3.0}


def make_city(seed, points=25, hosts=3, corners=4):
    rng = np.random.default_rng(seed)
    demand = make_demand(rng.uniform(0, 4000, (points, 2)), rng.integers(1, 40, points) / 4)
    ids = ["station:0", *(f"host:{k}" for k in range(hosts)), *(f"corner:{k}" for k in
                                                               range(corners))]  # fmt: skip
    candidates = make_candidates(ids, rng.uniform(0, 4000, (len(ids), 2)))
    return make_reach(demand, candidates, straight(demand, candidates)), demand, candidates


def best_share(city, money):
    """Every choice tried."""
    reach, demand, candidates = city
    covers, weight = reach.minutes.toarray() > 0, demand["weight_per_day"].to_numpy()
    price = candidates["action"].map({**PRICES, "keep": 0.0}).to_numpy()
    free = np.flatnonzero(price > 0)
    return max(
        math.fsum(weight[covers[:, [0, *choice]].any(axis=1)])
        for k in range(len(free) + 1)
        for choice in itertools.combinations(free, k)
        if price[list(choice)].sum() <= money + 1e-9
    ) / math.fsum(weight)


@FEW
@given(st.integers(0, 10**6))
def test_every_sum_holds_the_enumerated_optimum(seed):
    city = make_city(seed)
    sums = [0.0, 1.0, 3.0, 4.5, 8.0, 15.0]
    table = measure_money(*city, cost=PRICES, budgets=sums, gap=0)
    best = np.array([best_share(city, money) for money in sums])
    assert (table["covered_share"] <= best + 1e-9).all()
    assert (table["bound_share"] >= best - 1e-9).all()
    assert (table["cost"] <= table["budget"] + 1e-9).all()
    for column in ("covered_share", "bound_share"):
        assert table[column].is_monotonic_increasing
    proven = (table["status"] == "optimal").to_numpy()
    assert table["covered_share"].to_numpy()[proven] == pytest.approx(best[proven], abs=1e-8)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_the_plan_has_its_row_and_money_reaches_to_twice_its_cost(seed, count):
    city = make_city(seed, points=60, hosts=6, corners=10)
    sites = choose_stations(*city, count, reruns=0, cost=PRICES, budget=8.0)
    table = measure_money(*city, cost=PRICES, sites=sites)
    spent = sites.attrs["siting"]["cost"]
    rows = table.set_index("budget")
    assert table["budget"].iloc[0] == 0.0
    assert table["budget"].iloc[-1] == 16.0
    assert len(table) <= 28
    assert {spent, 8.0} <= set(table["budget"])
    assert rows.loc[spent, "covered_share"] >= sites["cumulative_share"].max() - 1e-12


@FEW
@given(st.integers(0, 10**6))
def test_money_for_a_share_is_what_the_rows_say_or_less(seed):
    city = make_city(seed)
    table = measure_money(*city, cost=PRICES, shares=(0.3, 0.6, 0.999))
    note = table.attrs["money"]
    for share in (0.3, 0.6, 0.999):
        found, least = (note[k][f"{share:g}"] for k in ("money_for_share",
                                                        "money_for_share_at_least"))  # fmt: skip
        reached = table.loc[table["covered_share"] >= share - 1e-12, "cost"]
        if len(reached):
            assert found <= reached.iloc[0] + 1e-9
        if found is None:
            assert table["covered_share"].max() < share
        else:
            assert least <= found
            assert best_share(city, found) >= share - 1e-9
            if least > 0:
                assert best_share(city, least - 1e-3) < share


def test_locked_sites_open_first():
    city = make_city(7)
    sites = choose_stations(*city, 3, reruns=0, required=["corner:2"], cost=PRICES, budget=9.0)
    table = measure_money(*city, cost=PRICES, sites=sites, budgets=[0.0, 2.0, 3.0])
    assert table["cost"].tolist()[1:] == [0.0, 3.0]  # two would buy hosts, if none were locked
    first = sites["cumulative_share"].iloc[0]
    assert table["covered_share"].iloc[2] == pytest.approx(first)
    assert table["bound_share"].iloc[2] == pytest.approx(first)


def test_the_order_of_rows_does_not_matter():
    reach, demand, candidates = make_city(3, points=80, hosts=8, corners=8)
    order = np.random.default_rng(1).permutation(len(demand))
    turned = demand.iloc[order]
    again = make_reach(turned, candidates, straight(turned, candidates))
    one = measure_money(reach, demand, candidates, cost=PRICES)
    two = measure_money(again, turned, candidates, cost=PRICES)
    assert one.equals(two)


def test_bad_input_is_refused():
    city = make_city(1)
    with pytest.raises(SettingsError, match="`cost` must say"):
        measure_money(*city, cost={})
    with pytest.raises(SettingsError, match="a number, 0 or more, for 'build'"):
        measure_money(*city, cost={"activate": 1.0})
    with pytest.raises(SettingsError, match="`budgets` must be sums of money"):
        measure_money(*city, cost=PRICES, budgets=[-1.0])
    with pytest.raises(SettingsError, match="`shares`"):
        measure_money(*city, cost=PRICES, shares=[1.5])
    with pytest.raises(NoSolutionError, match="nothing to trace"):
        measure_money(*make_city(1, hosts=0, corners=0), cost=PRICES)
    sites = choose_stations(*city, 2, reruns=0)
    sites["candidate_id"] = "corner:99"
    with pytest.raises(InputError, match="'corner:99', which is not among the candidates"):
        measure_money(*city, cost=PRICES, sites=sites)
