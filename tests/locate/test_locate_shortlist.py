"""Short lists of candidates: the best choice stays among them, and bounds hold."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planner.errors import InputError, SettingsError
from planner.locate import solve_lscp, solve_mclp
from planner.locate.covering.shortlist import bound_with, make_shortlist


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    rows, n = draw(st.integers(3, 30)), draw(st.integers(2, 10))
    inside = rng.random((rows, n)) < rng.uniform(0.05, 0.5)
    return inside, rng.integers(0, 9, rows).astype(float), draw(st.integers(1, n))


def best_of(inside, weight, count, some=None):
    """The most that `count` columns cover (one of `some` among them), by enumeration."""
    return max(
        (
            weight[inside[:, list(choice)].any(1)].sum()
            for choice in combinations(range(inside.shape[1]), count)
            if some is None or some[list(choice)].any()
        ),
        default=-np.inf,
    )


@settings(max_examples=40)
@given(cases())
def test_without_the_dominated_the_optimum_is_the_same(case):
    inside, weight, count = case
    found = make_shortlist(csr_array(inside.astype(float)), weight, count)
    kept = np.flatnonzero(~found.dominated)
    few = best_of(inside[:, kept], weight, min(count, kept.size))
    assert few == best_of(inside, weight, count)
    if kept.size:
        some = csr_array(inside[:, kept].astype(float))
        assert solve_mclp(some, weight, min(count, kept.size)).objective == few


@settings(max_examples=20)
@given(cases(), st.integers(0, 2**16))
def test_with_costs_no_cheaper_candidate_is_dominated_by_a_dearer(case, seed):
    inside, weight, _ = case
    rng = np.random.default_rng(seed)
    cost = rng.choice([1.0, 4.0], inside.shape[1])
    cover = csr_array(inside.astype(float))
    found = make_shortlist(cover, weight, 1, cost=cost)
    kept = np.flatnonzero(~found.dominated)
    some = csr_array(inside[:, kept].astype(float))
    for budget in (1.0, 4.0, 6.0):
        every = solve_mclp(cover, weight, None, cost=cost, budget=budget)
        few = solve_mclp(some, weight, None, cost=cost[kept], budget=budget)
        assert few.objective == pytest.approx(every.objective)
    reached = inside.any(1) & (weight > 0)
    if reached.any():
        every = solve_lscp(csr_array(inside[reached].astype(float)), weight=weight[reached])
        few = solve_lscp(csr_array(inside[reached][:, kept].astype(float)), weight=weight[reached])
        assert few.objective == every.objective


@settings(max_examples=80)
@given(cases(), st.integers(0, 2**16))
def test_no_choice_with_one_left_out_passes_the_bound(case, seed):
    inside, weight, count = case
    found = make_shortlist(csr_array(inside.astype(float)), weight, count)
    price = inside.T @ (weight * found.multiplier)
    some = np.random.default_rng(seed).random(inside.shape[1]) < 0.5
    bound = bound_with(weight, found.multiplier, price, some, count)
    assert best_of(inside, weight, count, some) <= bound


@settings(max_examples=40)
@given(cases())
def test_picks_cover_what_can_be_covered(case):
    inside, weight, count = case
    found = make_shortlist(csr_array(inside.astype(float)), weight, None if count == 1 else count)
    assert (inside[:, found.picks].any(1) == inside.any(1)).all()
    assert np.unique(found.picks).size == found.picks.size


def test_the_barred_dominate_nobody():
    cover = csr_array([[1, 1, 0], [0, 1, 1]])
    assert make_shortlist(cover, [1, 1], 1).dominated.tolist() == [True, False, True]
    barred = np.array([False, True, False])
    found = make_shortlist(cover, [1, 1], 1, barred=barred)
    assert not found.dominated[[0, 2]].any()
    assert 1 not in found.picks


def test_of_equals_the_first_stays():
    assert make_shortlist(csr_array(np.ones((2, 3))), [1, 1], 1).dominated.tolist() == [
        False, True, True,
    ]  # fmt: skip


def test_bad_input_is_named():
    cover = csr_array(np.eye(3))
    with pytest.raises(SettingsError, match="count"):
        make_shortlist(cover, np.ones(3), 0)
    with pytest.raises(InputError, match="weight"):
        make_shortlist(cover, [1, -1, 1], 1)
    with pytest.raises(InputError, match="barred"):
        make_shortlist(cover, np.ones(3), 1, barred=np.zeros(2, dtype=bool))
    with pytest.raises(InputError, match="cost"):
        make_shortlist(cover, np.ones(3), 1, cost=np.array([1, np.nan, 1]))
