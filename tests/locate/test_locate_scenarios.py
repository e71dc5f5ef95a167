"""Many weightings: enumerated on small cases, bounds over values, nothing under the start."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from planner.errors import InputError, SettingsError
from planner.locate.covering.scenarios import solve_scenarios

FEW = settings(max_examples=60, deadline=None, derandomize=True)


@FEW
@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans())
def test_every_weighting_is_the_enumerated_optimum(seed, count, priced):
    rng = np.random.default_rng(seed)
    cover, weights = rng.random((20, 8)) < 0.25, rng.integers(0, 30, (5, 20)) / 4
    cost, budget = (rng.integers(1, 4, 8).astype(float), 5.0) if priced else (None, None)
    solved = solve_scenarios(
        csr_array(cover), weights, count, existing=[7], cost=cost, budget=budget, gap=0
    )
    for weight, value, bound, chosen in zip(weights, *solved, strict=True):
        best = max(
            weight[cover[:, [7, *c]].any(axis=1)].sum()
            for k in range(count + 1)
            for c in itertools.combinations(range(7), k)
            if cost is None or cost[list(c)].sum() <= budget
        )
        assert bound >= best - 1e-9
        assert value <= best + 1e-9
        assert value == pytest.approx(weight[cover[:, [7, *chosen]].any(axis=1)].sum())
        if not priced:
            assert value == pytest.approx(best)
            assert bound == pytest.approx(best)


@FEW
@given(st.integers(0, 10**6))
def test_no_run_covers_less_than_the_start(seed):
    rng = np.random.default_rng(seed)
    cover, weights = rng.random((60, 15)) < 0.2, rng.integers(1, 30, (4, 60)).astype(float)
    start = rng.choice(15, 4, replace=False)
    apart = np.array([[0, 1], [2, 3], [4, 5]])
    if any(np.isin(pair, start).all() for pair in apart):
        return
    solved = solve_scenarios(csr_array(cover), weights, 4, start=start, conflicts=apart)
    given_worth = weights[:, cover[:, start].any(axis=1)].sum(axis=1)
    assert (solved.objective >= given_worth - 1e-9).all()
    assert (solved.bound >= solved.objective).all()


def test_a_start_that_is_best_everywhere_is_kept():
    cover, weights = csr_array(np.eye(4)), np.array([[4.0, 3, 1, 1], [3.0, 4, 2, 2]])
    solved = solve_scenarios(cover, weights, 2, start=[0, 1])
    assert [c.tolist() for c in solved.chosen] == [[0, 1], [0, 1]]


def test_bad_input_is_refused():
    cover = csr_array(np.eye(3))
    with pytest.raises(InputError, match="the shape"):
        solve_scenarios(cover, np.ones(3), 1)
    with pytest.raises(InputError, match="finite and not negative"):
        solve_scenarios(cover, [[1.0, -1.0, 1.0]], 1)
    with pytest.raises(SettingsError, match="`gap`"):
        solve_scenarios(cover, np.ones((1, 3)), 1, gap=1.0)
