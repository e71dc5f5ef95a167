"""Locked and banned sites: against full enumeration, in the order named, and refused in words."""

import itertools

import numpy as np
import pytest
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.errors import SettingsError
from planner.siting import choose_stations, lock_and_ban, measure_frontier


def city(seed, candidates=8):
    rng = np.random.default_rng(seed)
    demand = make_demand(rng.random((40, 2)) * 4000, rng.integers(1, 30, 40))
    ids = ["station:0", *(f"corner:{k}" for k in range(candidates - 1)), "host:library"]
    table = make_candidates(ids, rng.random((len(ids), 2)) * 4000)
    return make_reach(demand, table, straight(demand, table)), demand, table


def share(reach, demand, ids):
    weight = demand["weight_per_day"].to_numpy()
    return weight[reach.select(["station:0", *ids]).covered()].sum() / weight.sum()


@pytest.mark.parametrize("seed", range(8))
def test_the_best_plan_with_locks_and_bans_is_that_of_full_enumeration(seed):
    reach, demand, table = city(seed)
    new = [i for i in table.index if i != "station:0"]
    mixed = list(np.random.default_rng(seed).permutation(new))
    locked, banned = mixed[:1], mixed[1:4]
    sites = choose_stations(
        reach, demand, table, 3, required=locked, forbidden=banned, reruns=5
    )  # fmt: skip
    best = max(
        share(reach, demand, pick)
        for pick in itertools.combinations(new, 3)
        if set(locked) <= set(pick) and not set(banned) & set(pick)
    )
    note = sites.attrs["siting"]
    assert note["covered_share"] == pytest.approx(best)
    assert note["best_possible_share"] >= best - 1e-12
    assert note["required"] == 1
    assert sites["candidate_id"].iloc[0] == locked[0]
    assert not set(sites["candidate_id"]) & set(banned)
    assert sites["stability"].iloc[0] == 1.0


def test_locked_sites_open_first_in_the_order_named_even_if_they_gain_nothing():
    demand = make_demand([(0, 0), (5000, 0)], [10, 20])
    table = make_candidates(
        ["station:0", "corner:idle", "host:library", "corner:far"],
        [(0, 0), (100, 0), (200, 0), (5000, 0)],
    )
    reach = make_reach(demand, table, straight(demand, table))
    named = ["At host:library", "corner:idle"]
    sites = choose_stations(reach, demand, table, 3, required=named, reruns=0)
    assert sites["candidate_id"].tolist() == ["host:library", "corner:idle", "corner:far"]
    assert sites["gain_per_day"].tolist() == [0.0, 0.0, 20.0]
    assert (sites["why"].str.len() > 10).all()
    assert sites["before_min"].isna().all()


def test_gathering_places_that_a_locked_site_serves_are_not_picked_besides():
    demand = make_demand([(0, 0), (5000, 0), (9000, 0)], [10, 20, 30])
    table = make_candidates(
        ["corner:a", "corner:b", "corner:c"], [(0, 0), (5000, 0), (5100, 0)]
    ).assign(informal_rest_per_day=[5.0, 9.0, 0.0])
    reach = make_reach(demand, table, straight(demand, table))
    rule = {"informal_share": 1.0, "reruns": 20}
    free = choose_stations(reach, demand, table, 2, **rule)
    assert free["candidate_id"].tolist() == ["corner:b", "corner:a"]
    held = choose_stations(reach, demand, table, 2, required=["corner:c"], **rule)
    assert held["candidate_id"].tolist() == ["corner:c", "corner:a"]
    assert held.attrs["siting"]["informal_first"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_frontier_keeps_the_lock(seed):
    reach, demand, table = city(seed)
    new = [i for i in table.index if i != "station:0"]
    worst = min(new, key=lambda i: share(reach, demand, [i]))
    sites = choose_stations(reach, demand, table, 2, required=[worst], reruns=0)
    frontier = measure_frontier(reach, demand, table, 3, sites=sites).set_index("count")
    for k in (1, 2, 3):
        best = max(
            share(reach, demand, p) for p in itertools.combinations(new, k) if worst in p
        )  # fmt: skip
        assert frontier.loc[k, "covered_share"] == pytest.approx(best)
        assert frontier.loc[k, "bound_share"] >= best - 1e-12


@pytest.mark.parametrize(
    ("required", "forbidden", "words"),
    [
        (["host:library"], ["At host:library"], "both name 'host:library'"),
        (["host:libary"], [], "Did you mean `host:library`"),
        ([], ["corner:99"], "Did you mean `corner:"),
        (["station:0"], [], "open already"),
        (["corner:1", "corner:1"], [], "twice"),
        (["corner:1", "corner:2", "corner:3"], [], "names 3 sites, but `count` is 2"),
    ],
)
def test_locks_that_make_no_sense_are_refused_with_the_remedy(required, forbidden, words):
    reach, demand, table = city(0)
    with pytest.raises(SettingsError, match=words):
        choose_stations(reach, demand, table, 2, required=required, forbidden=forbidden)


def test_two_locked_sites_too_close_to_each_other_are_refused():
    demand = make_demand([(0, 0), (5000, 0)], [10, 20])
    table = make_candidates(["corner:a", "corner:b"], [(0, 0), (100, 0)])
    reach = make_reach(demand, table, straight(demand, table))
    with pytest.raises(SettingsError, match="min_spacing_m"):
        choose_stations(
            reach, demand, table, 2, required=["corner:a", "corner:b"], min_spacing_m=300
        )


def test_no_names_change_nothing():
    table = city(0)[2]
    offered, locked = lock_and_ban(table, (), ())
    assert offered is table
    assert locked == []
