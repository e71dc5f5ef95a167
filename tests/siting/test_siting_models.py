"""Other questions than most coverage: fewest stations, least minutes, budgets, floors, halves."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from siting_city import PRICES, make_city

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.siting import choose_stations
from planner.siting.held_out import measure_held_out
from planner.tables import Reach

SOME = settings(max_examples=30, deadline=None, derandomize=True)


def choices(candidates, most):
    free = range(1, len(candidates))
    return itertools.chain.from_iterable(
        itertools.combinations(free, k) for k in range(1, most + 1)
    )


def share(reach, demand, choice):
    """Covered share with the station and some more, and minutes to the nearest (inf: none)."""
    table = reach.minutes.toarray()
    table[table == 0] = np.inf
    near = table[:, [0, *choice]].min(axis=1)
    weight = demand["weight_per_day"].to_numpy()
    return weight[near < np.inf].sum() / weight.sum(), near


def chosen(sites, candidates):
    return [int(k) for k in candidates.index.get_indexer(sites["candidate_id"])]


@SOME
@given(st.integers(0, 10**6), st.sampled_from([0.4, 0.6, 0.8]), st.booleans())
def test_lscp_opens_the_fewest_or_cheapest_that_reach_the_target(seed, target, priced):
    reach, demand, candidates = make_city(seed)
    price = candidates["action"].map(PRICES).to_numpy()
    wants = [c for c in [(), *choices(candidates, 7)] if share(reach, demand, c)[0] >= target]
    options = {"model": "lscp", "target_share": target, "cost": PRICES if priced else None}
    if not wants or wants[0] == ():
        words = "no new station is needed" if wants else "all candidates together cover"
        with pytest.raises(NoSolutionError, match=words):
            choose_stations(reach, demand, candidates, 3, **options)
        return
    sites = choose_stations(reach, demand, candidates, 3, **options)
    note = sites.attrs["siting"]
    worth = [price[list(c)].sum() if priced else len(c) for c in wants]
    assert note["objective"] == pytest.approx(min(worth))
    assert note["bound"] <= min(worth) + 1e-9
    assert note["unit"] == ("cost" if priced else "stations")
    assert note["covered_share"] >= target - 1e-9
    assert note["covered_share"] == pytest.approx(
        share(reach, demand, chosen(sites, candidates))[0]
    )


@SOME
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_pmedian_saves_most_minutes(seed, count):
    reach, demand, candidates = make_city(seed)
    weight = demand["weight_per_day"].to_numpy()
    sites = choose_stations(reach, demand, candidates, count, model="pmedian", gap=0)
    note = sites.attrs["siting"]
    worth = [
        weight @ np.minimum(share(reach, demand, c)[1], 30.0)
        for c in choices(candidates, count)
    ]  # fmt: skip
    assert note["objective"] == pytest.approx(min(worth))
    assert note["bound"] <= min(worth) * (1 + 1e-9)
    assert len(sites) == count
    assert (note["unit"], note["status"]) == ("rider-minutes a day", "optimal")
    assert sites["stability"].isna().all()
    assert sites["why"].str.len().gt(20).all()


@SOME
@given(st.integers(0, 10**6), st.integers(3, 7))
def test_pcenter_looks_at_the_farthest_that_can_be_reached(seed, count):
    reach, demand, candidates = make_city(seed)
    can = share(reach, demand, range(1, 8))[1] < np.inf
    worth = [share(reach, demand, c)[1][can].max() for c in choices(candidates, count)]
    if min(worth) == np.inf:
        with pytest.raises(NoSolutionError):
            choose_stations(reach, demand, candidates, count, model="pcenter")
        return
    note = choose_stations(reach, demand, candidates, count, model="pcenter").attrs["siting"]
    assert note["objective"] == pytest.approx(min(worth))
    assert note["unit"] == "minutes"


@SOME
@given(st.integers(0, 10**6), st.sampled_from([1.0, 3.0, 5.5]))
def test_a_budget_is_kept_and_used_best(seed, budget):
    reach, demand, candidates = make_city(seed)
    price = candidates["action"].map(PRICES).to_numpy()
    worth = [share(reach, demand, ())[0]]
    worth += [
        share(reach, demand, c)[0] for c in choices(candidates, 4)
        if price[list(c)].sum() <= budget
    ]  # fmt: skip
    sites = choose_stations(reach, demand, candidates, 4, budget=budget, cost=PRICES, gap=0)
    note = sites.attrs["siting"]
    assert note["covered_share"] == pytest.approx(max(worth))
    assert note["best_possible_share"] >= max(worth) - 1e-9
    assert note["cost"] <= note["budget"] == budget
    assert price[chosen(sites, candidates)].sum() <= budget


@SOME
@given(st.integers(0, 10**6), st.sampled_from([0.3, 0.5]))
def test_a_floor_is_kept_in_every_district(seed, floor):
    reach, demand, candidates = make_city(seed)
    weight = demand["weight_per_day"].to_numpy()
    district = np.where(demand.geometry.x < 1500, "west", "east")
    worth = []
    for choice in choices(candidates, 3):
        near = share(reach, demand, choice)[1] < np.inf
        parts = [weight[near & (district == d)].sum() / weight[district == d].sum()
                 for d in set(district)]  # fmt: skip
        if min(parts) >= floor - 1e-9:
            worth.append(weight[near].sum() / weight.sum())
    options = {"min_district_share": floor, "districts": district, "gap": 0}
    if not worth:
        with pytest.raises(NoSolutionError, match=r"`min_district_share`: .* '(east|west)'"):
            choose_stations(reach, demand, candidates, 3, **options)
        return
    note = choose_stations(reach, demand, candidates, 3, **options).attrs["siting"]
    assert note["covered_share"] == pytest.approx(max(worth))
    assert note["best_possible_share"] >= max(worth) - 1e-9
    assert note["min_district_share"] == floor


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "lscp", "informal_share": 0.3}, "lscp takes no `informal_share`"),
        ({"model": "pcenter", "min_district_share": 0.3}, "pcenter takes no `min_district_share`"),
        ({"model": "pmedian", "cost": PRICES}, "`cost` needs `budget`"),
        ({"budget": 0.5, "cost": PRICES}, "less than one station costs"),
        ({"model": "lscp", "target_share": 1.2}, "`target_share` must be from 0 to 1"),
        ({"budget": 4.0}, "`budget` needs `cost`"),
        ({"cost": PRICES}, "`cost` needs `budget`"),
        ({"budget": -1.0, "cost": PRICES}, "`budget` must be finite and not negative"),
        ({"budget": 3.0, "cost": {"build": 1.0}}, "for 'activate'"),
        ({"min_district_share": 0.3}, "needs `districts`"),
        ({"model": "pmedain"}, "Did you mean `pmedian`?"),
    ],
)
def test_what_makes_no_sense_together_is_refused(options, words):
    with pytest.raises(SettingsError) as error:
        choose_stations(*make_city(1), 3, **options)
    assert words in str(error.value)


def test_districts_of_other_demand_are_refused():
    with pytest.raises(InputError, match=r"one a demand point: 20\. Got 2"):
        choose_stations(*make_city(1), 3, min_district_share=0.1, districts=["a", "b"])


def test_districts_stay_with_their_demand_when_rows_are_shuffled():
    reach, demand, candidates = make_city(8)
    district = np.where(demand.geometry.x < 1500, "west", "east")
    order = np.random.default_rng(0).permutation(len(demand))
    turned = Reach(
        reach.minutes.tocsr()[order], demand.index[order], candidates.index, 15.0, "walk", 4.0
    )
    options = {"min_district_share": 0.3, "reruns": 0}
    one = choose_stations(reach, demand, candidates, 3, districts=district, **options)
    two = choose_stations(
        turned, demand.iloc[order], candidates, 3, districts=district[order], **options
    )
    assert one["candidate_id"].tolist() == two["candidate_id"].tolist()


def test_half_of_the_visits_choose_and_the_other_half_judges():
    note = choose_stations(*make_city(4, points=200), 3, reruns=5).attrs["siting"]
    held = note["held_out"]
    assert held["low"] <= held["share"] <= held["high"]
    assert (held["days"], held["by"], held["runs"]) == (4.0, "visits", 20)
    assert held["share"] == pytest.approx(note["covered_share"], abs=0.05)
    assert "held_out" not in choose_stations(*make_city(4), 3, reruns=0).attrs["siting"]


def test_a_choice_by_chance_promises_more_than_it_keeps():
    """Every candidate covers one point; weights differ by chance alone."""
    weight = np.random.default_rng(3).poisson(8.0, 600) / 4
    found = measure_held_out(
        sparse.csr_array(np.eye(600)), weight, np.arange(60), 60, existing=np.empty(0, np.int64),
        conflicts=np.empty((0, 2), np.int64), required=(), days=4.0,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert found["share"] == pytest.approx(0.1, abs=0.015)
    assert found["chosen_share"] > 0.15
    assert math.isclose(found["days"], 4.0)
