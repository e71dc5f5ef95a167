"""Money: enumerated on small cases, bounds valid at every sum, and monotone; bad input."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planner.errors import InputError, SettingsError
from planner.locate.covering.spending import trace_spending

FEW = settings(max_examples=80, deadline=None, derandomize=True)


def make_case(seed, rows=18, columns=7, prices=2):
    rng = np.random.default_rng(seed)
    cover = rng.random((rows, columns)) < 0.3
    kinds = rng.choice([0.0, 1.0, 1.5, 2.0, 3.25, 4.0], prices, replace=False)
    return cover, rng.integers(0, 30, rows) / 4, rng.choice(kinds, columns)


def best_within(cover, weight, cost, money, *, existing=(), conflicts=(), first=()):
    """Every choice tried."""
    found, cheapest = 0.0, {}
    free = [j for j in range(cover.shape[1]) if j not in existing]
    for k in range(len(free) + 1):
        for choice in itertools.combinations(free, k):
            spent = sum(cost[j] for j in choice)
            if any(a in choice and b in choice for a, b in conflicts):
                continue
            if not set(first) <= set(choice):
                continue
            worth = math.fsum(weight[cover[:, [*existing, *choice]].any(axis=1)])
            cheapest[choice] = (spent, worth)
            if spent <= money + 1e-12:
                found = max(found, worth)
    return found, cheapest


@FEW
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans())
def test_values_and_bounds_hold_the_enumerated_optimum(seed, prices, spaced):
    cover, weight, cost = make_case(seed, prices=prices)
    conflicts = np.array([[0, 1], [2, 5]]) if spaced else None
    sums = [0.0, 1.0, 2.0, 3.5, 6.0, 9.0, 30.0]
    traced = trace_spending(
        csr_array(cover), weight, cost, sums, existing=[6], conflicts=conflicts, gap=0
    )
    for k, money in enumerate(sums):
        best, _ = best_within(cover, weight, cost, money, existing=[6],
                              conflicts=[] if conflicts is None else conflicts)  # fmt: skip
        assert traced.objective[k] <= best + 1e-9
        assert traced.bound[k] >= best - 1e-9
        assert traced.spent[k] <= money + 1e-9
    assert (np.diff(traced.objective) >= 0).all()
    assert (np.diff(traced.bound) >= 0).all()
    assert (traced.bound >= traced.objective).all()


@FEW
@given(st.integers(0, 10**6), st.floats(0.2, 1.0))
def test_money_for_a_target_holds_the_cheapest(seed, share):
    cover, weight, cost = make_case(seed)
    target = share * weight.sum()
    _, choices = best_within(cover, weight, cost, math.inf)
    cheapest = min((s for s, worth in choices.values() if worth >= target), default=math.inf)
    found, least = trace_spending(
        csr_array(cover), weight, cost, [0.0, 2.0, 4.0], targets=[target]
    ).needs[0]
    assert least <= cheapest + 1e-6
    assert found >= cheapest - 1e-9
    assert math.isinf(found) == math.isinf(cheapest)


def test_values_are_mostly_the_optimum():
    hits = 0
    for seed in range(60):
        cover, weight, cost = make_case(seed)
        traced = trace_spending(csr_array(cover), weight, cost, [2.0, 5.0], gap=0)
        best = [best_within(cover, weight, cost, money)[0] for money in (2.0, 5.0)]
        hits += np.allclose(traced.objective, best)
    assert hits >= 55


@FEW
@given(st.integers(0, 10**6))
def test_the_first_open_first_as_far_as_money_goes(seed):
    cover, weight, cost = make_case(seed)
    cost = cost + 1.0
    total = cost[3] + cost[4]
    sums = [0.0, cost[3], total, total + 3.0]
    traced = trace_spending(csr_array(cover), weight, cost, sums, first=[3, 4], gap=0)
    assert [c.tolist() for c in traced.chosen[:2]] == [[], [3]]
    assert all({3, 4} <= set(c.tolist()) for c in traced.chosen[2:])
    best, _ = best_within(cover, weight, cost, total + 3.0, first=[3, 4])
    assert traced.objective[3] <= best + 1e-9 <= traced.bound[3] + 2e-9


def test_a_known_choice_is_never_undercut():
    cover, weight, cost = make_case(9, rows=60, columns=14)
    known = [1, 4, 8]
    traced = trace_spending(
        csr_array(cover), weight, cost, [float(cost[known].sum())], known=[known]
    )
    assert traced.objective[0] >= weight[cover[:, known].any(axis=1)].sum() - 1e-9


@pytest.mark.parametrize(
    ("budgets", "cost", "error", "said"),
    [
        ([2.0, 1.0], 1.0, SettingsError, "`budgets` must rise"),
        ([-1.0], 1.0, SettingsError, "finite and not negative"),
        ([math.nan], 1.0, SettingsError, "finite and not negative"),
        ([], 1.0, SettingsError, "finite and not negative"),
        ([1.0], -1.0, InputError, "`cost` must be finite and not negative"),
        ([1.0], math.nan, InputError, "`cost` must be finite and not negative"),
    ],
)
def test_bad_money_is_refused(budgets, cost, error, said):
    with pytest.raises(error, match=said):
        trace_spending(csr_array(np.eye(3)), np.ones(3), np.full(3, cost), budgets)


def test_a_gap_of_one_is_refused():
    with pytest.raises(SettingsError, match="`gap`"):
        trace_spending(csr_array(np.eye(3)), np.ones(3), np.ones(3), [1.0], gap=1.0)
