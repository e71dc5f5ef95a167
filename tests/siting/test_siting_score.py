"""A planner's own list: scored against plans opened anew, its swaps against all of them."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.errors import SettingsError
from planner.settings import make_settings
from planner.siting import choose_stations, measure_frontier, score_sites
from planner.siting.picks import pick_candidates


def random_plan(seed, spacing=0.0, language="en"):
    rng = np.random.default_rng(seed)
    demand = make_demand(rng.random((40, 2)) * 4000, rng.integers(1, 30, 40))
    ids = ["station:0", *(f"corner:{k:02d}" for k in range(9)), "host:library"]
    candidates = make_candidates(ids, rng.random((11, 2)) * 4000)
    reach = make_reach(demand, candidates, straight(demand, candidates))
    rules = {"min_spacing_m": spacing}
    sites = choose_stations(reach, demand, candidates, 3, reruns=0, **rules)
    frontier = measure_frontier(reach, demand, candidates, 5, sites=sites, **rules)
    settings = make_settings({"study": {"language": language}, "siting": {"count": 3, **rules}})
    return SimpleNamespace(
        tables={"demand": demand, "candidates": candidates, "sites": sites, "frontier": frontier},
        reach=reach, settings=settings, summary={"siting": dict(sites.attrs["siting"])},
    )  # fmt: skip


def share(plan, ids):
    weight = plan.tables["demand"]["weight_per_day"].to_numpy()
    return weight[plan.reach.select(["station:0", *ids]).covered()].sum() / weight.sum()


@pytest.mark.parametrize("seed", range(6))
def test_shares_gaps_and_swaps_are_those_of_full_enumeration(seed):
    plan = random_plan(seed)
    new = [i for i in plan.tables["candidates"].index if i != "station:0"]
    mine = list(np.random.default_rng(seed).permutation(new)[:3])
    score = score_sites(plan, mine)
    assert score.covered_share == pytest.approx(share(plan, mine))
    assert score.today_share == pytest.approx(share(plan, []))
    assert score.gain_share == pytest.approx(share(plan, mine) - share(plan, []))
    best = max(share(plan, c) for c in itertools.combinations(new, 3))
    assert score.bound_share >= best - 1e-12
    assert score.plan_share == pytest.approx(best)
    assert score.gap_to_plan == pytest.approx(best - share(plan, mine))
    assert score.gap_to_bound >= -1e-12
    gains = {
        out: max(
            share(plan, [*(i for i in mine if i != out), j]) for j in new if j not in mine
        ) - share(plan, mine)
        for out in mine
    }  # fmt: skip
    better = sorted((g for g in gains.values() if g > 1e-12), reverse=True)
    assert [swap.gain_share for swap in score.swaps] == pytest.approx(better)
    for swap in score.swaps:
        changed = [swap.in_id if i == swap.out_id else i for i in mine]
        assert share(plan, changed) - share(plan, mine) == pytest.approx(swap.gain_share)
    assert set(score.idle) == {
        i for i in mine if share(plan, [o for o in mine if o != i]) == share(plan, mine)
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_proven_plan_itself_has_no_gap_and_no_better_swap(seed):
    plan = random_plan(seed)
    score = score_sites(plan, plan.tables["sites"].index)
    assert score.gap_to_plan == 0.0
    assert score.gap_to_bound == pytest.approx(0.0, abs=1e-9)
    assert score.swaps == ()


def test_as_many_sites_as_the_frontier_knows_have_a_bound_others_none():
    plan = random_plan(1)
    ids = [i for i in plan.tables["candidates"].index if i != "station:0"]
    assert score_sites(plan, ids[:5]).bound_share is not None
    assert score_sites(plan, ids[:6]).bound_share is None
    del plan.tables["frontier"]
    assert score_sites(plan, ids[:3]).bound_share is not None
    assert score_sites(plan, ids[:2]).gap_to_bound is None


def test_swaps_keep_the_spacing_and_pairs_that_break_it_are_named():
    plan = random_plan(2, spacing=900.0)
    table = plan.tables["candidates"]
    ids = [i for i in table.index if i != "station:0"]
    near = [
        pair for pair in itertools.combinations(ids, 2)
        if table.geometry[pair[0]].distance(table.geometry[pair[1]]) < 900
    ]  # fmt: skip
    assert score_sites(plan, near[0]).too_close == (near[0],)
    score = score_sites(plan, ids[-3:])
    for swap in score.swaps:
        for stay in set(ids[-3:]) - {swap.out_id}:
            assert table.geometry[swap.in_id].distance(table.geometry[stay]) >= 900


def test_words_and_numbers():
    plan = random_plan(0, language="zh")
    score = score_sites(plan, ["At host:library", "corner:01", " S01 "])
    assert score.chosen[:2] == ("host:library", "corner:01")
    assert "方案覆盖" in score._repr_html_()
    assert score.numbers()["covered_share"] == score.covered_share
    assert all(set(s) >= {"out_id", "in_id", "gain_share"} for s in score.numbers()["swaps"])


def test_lists_that_make_no_sense_are_refused_with_the_remedy():
    plan = random_plan(0)
    for chosen, words in (
        ([], "at least one"),
        ("S01", "at least one"),
        (["corner:0"], "Did you mean `corner:0"),
        (["host:library", "At host:library"], "twice"),
        (["station:0"], "open already"),
    ):
        with pytest.raises(SettingsError, match=words):
            score_sites(plan, chosen)


def test_a_name_of_several_candidates_asks_for_the_identifier():
    table = make_candidates(["corner:a", "corner:b"], [(0, 0), (9, 9)]).assign(name="Main St")
    with pytest.raises(SettingsError, match="`corner:a`, `corner:b`"):
        pick_candidates(table, ["Main St"], what="siting.required")
