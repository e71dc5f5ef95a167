"""The frontier: enumerated for small cities, monotone, nested, and at the plan's count the plan."""

import itertools
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.siting import choose_stations, measure_frontier
from planner.tables import Reach

CRS = "EPSG:32650"
FEW = settings(max_examples=60, deadline=None, derandomize=True)


def make_city(seed, points=25, free=7, reach_m=900.0, existing=1):
    """A random city: demand, candidates of which the first are open, reach along straight lines."""
    rng = np.random.default_rng(seed)
    here, there = rng.uniform(0, 4000, (points, 2)), rng.uniform(0, 4000, (free + existing, 2))
    demand = gpd.GeoDataFrame(
        {"weight_per_day": rng.integers(1, 40, points) / 4, "workers": 12, "cell_row": 0,
         "cell_col": 0},
        index=pd.Index([f"d{k:03d}" for k in range(points)], name="demand_id"),
        geometry=gpd.points_from_xy(*here.T), crs=CRS,
    )  # fmt: skip
    ids = [f"{'station' if k < existing else 'corner'}:{k:02d}" for k in range(free + existing)]
    candidates = gpd.GeoDataFrame(
        {"name": ids, "kind": "corner",
         "action": ["keep" if k < existing else "build" for k in range(free + existing)],
         "host_name": None, "hours": "00:00-24:00"},
        index=pd.Index(ids, name="candidate_id"), geometry=gpd.points_from_xy(*there.T), crs=CRS,
    )  # fmt: skip
    apart = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1))
    row, column = np.nonzero(apart <= reach_m)
    minutes = sparse.csr_array((apart[row, column] * 0.015, (row, column)), shape=apart.shape)
    return Reach(minutes, demand.index, candidates.index, 15.0, "walk", 4.0), demand, candidates


def best_shares(reach, demand, candidates, most, *, apart_m=0.0, cost=None, budget=math.inf):
    """Every choice of at most k candidates tried."""
    weight = demand["weight_per_day"].to_numpy()
    covers = reach.minutes.toarray() > 0
    keep = (candidates["action"] == "keep").to_numpy()
    free = np.flatnonzero(~keep)
    xy = np.column_stack([candidates.geometry.x, candidates.geometry.y])
    best = [math.fsum(weight[covers[:, keep].any(axis=1)])]
    for k in range(1, most + 1):
        found = best[-1]
        for choice in itertools.combinations(free, k):
            pairs = itertools.combinations(choice, 2)
            near = any(np.hypot(*(xy[a] - xy[b])) < apart_m for a, b in pairs)
            if near or (cost is not None and cost.iloc[list(choice)].sum() > budget + 1e-9):
                continue
            opened = covers[:, keep].any(axis=1) | covers[:, list(choice)].any(axis=1)
            found = max(found, math.fsum(weight[opened]))
        best.append(found)
    return np.array(best) / math.fsum(weight)


@FEW
@given(st.integers(0, 10**6))
def test_every_count_is_the_enumerated_optimum(seed):
    city = make_city(seed)
    table = measure_frontier(*city, 7, gap=0)
    best = best_shares(*city, 7)
    assert table["covered_share"].to_numpy() == pytest.approx(best, abs=1e-12)
    assert (table["bound_share"] >= best - 1e-12).all()
    assert (table["status"] == "optimal").all()


@FEW
@given(st.integers(0, 10**6), st.sampled_from([300.0, 900.0, 1800.0]))
def test_spacing_never_lifts_a_value_over_the_optimum(seed, apart_m):
    city = make_city(seed, free=6)
    table = measure_frontier(*city, 6, min_spacing_m=apart_m)
    best = best_shares(*city, 6, apart_m=apart_m)
    assert (table["covered_share"] <= best + 1e-12).all()
    assert (table["bound_share"] >= best - 1e-12).all()


@FEW
@given(st.integers(0, 10**6), st.floats(1.0, 8.0))
def test_a_budget_binds_every_count(seed, budget):
    city = make_city(seed, free=6)
    rng = np.random.default_rng(seed)
    city[2]["action"] = ["keep", *rng.choice(["activate", "build"], 6)]
    prices = {"activate": 1.0, "build": float(rng.integers(2, 9)) / 2}
    cost = city[2]["action"].map(prices | {"keep": 0.0})
    table = measure_frontier(*city, 6, cost=prices, budget=budget)
    best = best_shares(*city, 6, cost=cost, budget=budget)
    assert (table["covered_share"] <= best + 1e-12).all()
    assert (table["bound_share"] >= best - 1e-12).all()
    assert (table["cost"] <= budget + 1e-9).all()


@FEW
@given(st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([0.0, 0.05]))
def test_at_the_plans_count_stand_the_plans_value_and_bound(seed, count, gap):
    city = make_city(seed, points=60, free=12)
    sites = choose_stations(*city, count, reruns=0, gap=gap)
    table = measure_frontier(*city, 10, sites=sites, gap=gap)
    note, row = sites.attrs["siting"], table.set_index("count").loc[count]
    assert row["covered_share"] == note["covered_share"]
    assert row["bound_share"] == note["best_possible_share"]
    assert row["nested_share"] == row["covered_share"]
    steps = table.set_index("count").loc[1 : len(sites), "nested_share"]
    assert steps.tolist() == sites["cumulative_share"].tolist()
    assert table["nested_share"].isna().tolist() == [k > count for k in table["count"]]


@FEW
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_shares_never_fall_and_bounds_never_lie_under_values(seed, count):
    city = make_city(seed, points=120, free=25)
    sites = choose_stations(*city, count, reruns=0, gap=0.1)
    table = measure_frontier(*city, 12, sites=sites, gap=0.02)
    for column in ("covered_share", "bound_share"):
        assert table[column].is_monotonic_increasing
    assert (table["bound_share"] >= table["covered_share"]).all()
    known = table["nested_share"].notna()
    assert (table["nested_share"] <= table["covered_share"] + 1e-12)[known].all()
    lost = (table["covered_share"] - table["nested_share"]).max()
    assert table.attrs["frontier"]["nesting_cost"] == pytest.approx(max(lost, 0.0), abs=1e-12)


def test_nesting_costs_what_is_computed_by_hand():
    """One site in the middle covers most alone; two sites cover more without it."""
    covers = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]], dtype=float)
    reach, demand, candidates = make_city(0, points=4, free=3, existing=0)
    demand["weight_per_day"] = [4.0, 3.0, 4.0, 2.0]
    reach = Reach(sparse.csr_array(covers), demand.index, candidates.index, 15.0, "walk", 4.0)
    sites = choose_stations(reach, demand, candidates, 2, reruns=0)
    table = measure_frontier(reach, demand, candidates, 3, sites=sites)
    assert table["covered_share"].tolist() == pytest.approx([0, 8 / 13, 1, 1])
    assert table["nested_share"].tolist()[:3] == pytest.approx([0, 7 / 13, 1])
    assert table.attrs["frontier"]["nesting_cost"] == pytest.approx(1 / 13)


@FEW
@given(st.integers(0, 10**6))
def test_stations_for_a_share_are_the_fewest(seed):
    city = make_city(seed)
    best = best_shares(*city, 7)
    note = measure_frontier(*city, 2, gap=0, shares=(0.3, 0.5, 0.95)).attrs["frontier"]
    for share in (0.3, 0.5, 0.95):
        fewest = next((k for k, b in enumerate(best) if b >= share - 1e-12), None)
        found, least = note["for_share"][f"{share:g}"], note["for_share_at_least"][f"{share:g}"]
        if fewest is None:
            assert found is None
        else:
            assert least <= fewest <= found
            if fewest <= 2:  # among the rows both are exact
                assert least == fewest == found


def test_order_of_rows_and_columns_does_not_matter():
    reach, demand, candidates = make_city(3, points=150, free=30)
    rows, columns = (np.random.default_rng(1).permutation(len(t)) for t in (demand, candidates))
    turned = Reach(
        sparse.csr_array(reach.minutes.tocsr()[rows].tocsc()[:, columns]), demand.index[rows],
        candidates.index[columns], 15.0, "walk", 4.0,
    )  # fmt: skip
    one = measure_frontier(reach, demand, candidates, 12)
    two = measure_frontier(turned, demand.iloc[rows], candidates.iloc[columns], 12)
    pd.testing.assert_frame_equal(one, two)


def test_gathering_places_open_first_in_every_row():
    reach, demand, candidates = make_city(5, points=40, free=8)
    candidates["informal_rest_per_day"] = [0.0, 0, 0, 9, 0, 0, 5, 0, 0]
    sites = choose_stations(reach, demand, candidates, 3, informal_share=0.4, reruns=0)
    assert sites.attrs["siting"]["informal_first"] == 1
    table = measure_frontier(reach, demand, candidates, 4, sites=sites)
    assert table["covered_share"].iloc[1] == pytest.approx(sites["cumulative_share"].iloc[0])
    assert table["bound_share"].iloc[1] == table["covered_share"].iloc[1]


def test_rows_are_the_counts_asked_and_none_above_the_candidates():
    city = make_city(1)
    assert measure_frontier(*city, 50)["count"].tolist() == list(range(8))
    assert measure_frontier(*city, [5, 2, 2, 90])["count"].tolist() == [2, 5]


@pytest.mark.parametrize("counts", [-1, [1, -2], [1.5], []])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(SettingsError, match="`counts` must be whole numbers"):
        measure_frontier(*make_city(1), counts)


def test_cost_without_budget_is_refused():
    city = make_city(1)
    with pytest.raises(SettingsError, match="`cost` needs `budget`"):
        measure_frontier(*city, 3, cost={"activate": 1.0, "build": 2.0})
    with pytest.raises(SettingsError, match="`budget` needs `cost`"):
        measure_frontier(*city, 3, budget=2.0)
    with pytest.raises(SettingsError, match="a number, 0 or more, for 'build'"):
        measure_frontier(*city, 3, cost={"activate": 1.0}, budget=2.0)


def test_sites_of_other_candidates_are_refused():
    city = make_city(1)
    sites = choose_stations(*city, 2, reruns=0)
    sites["candidate_id"] = "corner:99"
    with pytest.raises(InputError, match="'corner:99', which is not among the candidates"):
        measure_frontier(*city, 3, sites=sites)


def test_a_city_without_candidates_has_no_frontier():
    reach, demand, candidates = make_city(1, free=0)
    with pytest.raises(NoSolutionError, match="nothing to trace"):
        measure_frontier(reach, demand, candidates, 3)
