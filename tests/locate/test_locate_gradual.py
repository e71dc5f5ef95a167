"""Gradual coverage: equal to enumeration under any decay, never above its bound."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_gradual, solve_mclp
from planner.locate.covering import gradual
from planner.locate.covering.gradual import covered_shares

MANY = settings(max_examples=120, deadline=None, derandomize=True)
ROWS, COLUMNS = 12, 8
STEPS = [(8.0, 0.7), (12.0, 0.7), (13.5, 0.2)]
LIMITS = {"full_min": 5.0, "limit_min": 15.0}


def falling(minutes):
    return np.exp(-minutes / 6)


def share_of(minutes, decay):
    """Say the share in plain Python."""
    if minutes <= 5:
        return 1.0
    if minutes > 15:
        return 0.0
    if decay == "linear":
        return (15 - minutes) / 10
    if decay is STEPS:
        return next((share for until, share in STEPS if minutes <= until), 0.0)
    return float(falling(minutes))


def draw_case(seed):
    rng = np.random.default_rng(seed)
    travel = rng.uniform(0, 22, (ROWS, COLUMNS)).round(rng.integers(0, 3))
    travel[rng.random((ROWS, COLUMNS)) < 0.3] = np.inf
    weight = rng.integers(0, 9, ROWS) * rng.choice([1.0, 0.37])
    return travel, weight, rng.integers(1, 5, COLUMNS).astype(float)


def enumerate_best(
    shares, weight, count, *, existing=(), required=(), forbidden=(), apart=(), cost=None,
    budget=None,
):  # fmt: skip
    free = [j for j in range(COLUMNS) if j not in {*existing, *forbidden}]
    return max(
        (weight * shares[:, [*existing, *choice]].max(axis=1, initial=0.0)).sum()
        for k in range(count + 1)
        for choice in itertools.combinations(free, k)
        if set(required) <= set(choice)
        and not any(a in choice and b in choice for a, b in apart)
        and (cost is None or cost[list(choice)].sum() <= budget)
    )


def table(travel, decay):
    return np.array([[share_of(minutes, decay) for minutes in row] for row in travel])


def check(solution, best):
    assert solution.objective == pytest.approx(best, abs=1e-9)
    assert solution.bound >= best - 1e-9
    assert solution.gap < 1e-5  # floating point of HiGHS, where it decides


DECAYS = st.sampled_from(["linear", STEPS, falling])


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4), DECAYS)
def test_equals_enumeration(seed, count, decay):
    travel, weight, _ = draw_case(seed)
    best = enumerate_best(table(travel, decay), weight, count)
    solution = solve_gradual(travel, weight, count, **LIMITS, decay=decay, gap=0)
    check(solution, best)
    assert solution.chosen.size == count
    assert solution.status == "optimal"


@MANY
@given(st.integers(0, 10**6), st.integers(2, 4), DECAYS)
def test_existing_required_forbidden_and_conflicts_are_kept(seed, count, decay):
    travel, weight, _ = draw_case(seed)
    limits = {"existing": [0, 1], "required": [6], "forbidden": [7]}
    apart = np.array([[2, 3], [4, 5], [3, 6]])
    best = enumerate_best(table(travel, decay), weight, count, apart=apart, **limits)
    options = {"decay": decay, "conflicts": apart, "gap": 0}
    solution = solve_gradual(travel, weight, count, **LIMITS, **limits, **options)
    check(solution, best)
    assert 6 in solution.chosen
    assert not any(a in solution.chosen and b in solution.chosen for a, b in apart)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 5), DECAYS)
def test_budgets_are_kept(seed, count, decay):
    travel, weight, cost = draw_case(seed)
    limits = {"existing": [0], "cost": cost, "budget": 7.0}
    best = enumerate_best(table(travel, decay), weight, count, **limits)
    solution = solve_gradual(travel, weight, count, **LIMITS, **limits, decay=decay, gap=0)
    check(solution, best)
    assert cost[solution.chosen].sum() <= 7.0


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(gradual._LEVELS))
def test_rounded_levels_bound_from_above(seed, levels):
    travel, weight, _ = draw_case(seed)
    best = enumerate_best(table(travel, "linear"), weight, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gradual, "_LEVELS", (levels, levels))
        patch.setattr(gradual, "_MOST_ENTRIES", 0)
        solution = solve_gradual(travel, weight, 3, **LIMITS, gap=0)
    assert solution.objective <= best + 1e-9
    assert solution.bound >= best - 1e-9
    assert solution.bound - solution.objective <= weight.sum() * 2 / levels + 1e-9


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_order_and_form_do_not_matter(seed):
    travel, weight, _ = draw_case(seed)
    rng = np.random.default_rng(seed + 1)
    rows, columns = rng.permutation(ROWS), rng.permutation(COLUMNS)
    straight = solve_gradual(travel, weight, 3, **LIMITS, gap=0)
    shuffled = solve_gradual(travel[rows][:, columns], weight[rows], 3, **LIMITS, gap=0)
    assert shuffled.objective == pytest.approx(straight.objective)
    near = travel <= 15
    thin = sparse.csr_array((travel[near], np.nonzero(near)), shape=travel.shape)
    assert solve_gradual(thin, weight, 3, **LIMITS, gap=0).objective == straight.objective


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_without_decay_it_is_maximal_covering(seed, count):
    travel, weight, _ = draw_case(seed)
    near = sparse.csr_array((travel <= 15).astype(float))
    sharp = solve_gradual(travel, weight, count, full_min=15, limit_min=15, gap=0)
    assert sharp.objective == pytest.approx(solve_mclp(near, weight, count, gap=0).objective)


def draw_city(candidates, points, radius):
    rng = np.random.default_rng(5)
    at, near = rng.uniform(0, 10, (points, 2)), rng.uniform(0, 10, (candidates, 2))
    minutes = 15 / radius * np.hypot(*(at[:, None] - near[None]).transpose(2, 0, 1))
    return np.where(minutes <= 15, minutes, np.inf), rng.uniform(0.1, 9, points)


def test_a_city_is_proven():
    travel, weight = draw_city(200, 1500, 0.9)
    solution = solve_gradual(travel, weight, 8, full_min=7.5, limit_min=15)
    assert solution.status == "optimal"
    best = covered_shares(travel, full_min=7.5, limit_min=15).toarray()[:, solution.chosen]
    assert solution.objective == pytest.approx((weight * best.max(axis=1)).sum())


def test_nearer_is_worth_more():
    travel = [[5.0, 15.0, 10.0]]
    assert covered_shares(travel, **LIMITS).toarray().tolist() == [[1.0, 0.0, 0.5]]
    assert solve_gradual(travel, [4.0], 1, **LIMITS, existing=[2]).objective == 4.0
    assert solve_gradual(travel, [4.0], 1, **LIMITS, existing=[2], forbidden=[0]).objective == 2.0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"full_min": 16}, SettingsError, "`full_min` must be from 0 to `limit_min`"),
        ({"full_min": float("nan")}, SettingsError, "`full_min` must be from 0"),
        ({"limit_min": float("inf")}, SettingsError, "that finite"),
        ({"decay": "quick"}, SettingsError, "`decay` knows \"linear\".*Got 'quick'"),
        ({"decay": [1, 2]}, InputError, "pairs of numbers"),
        ({"decay": [(4, 0.5)]}, SettingsError, "minutes of `decay` must rise"),
        ({"decay": [(8, 0.5), (7, 0.3)]}, SettingsError, "minutes of `decay` must rise"),
        ({"decay": [(8, 0.5), (9, 0.6)]}, SettingsError, "shares of `decay` must be from 0 to 1"),
        ({"decay": lambda t: t / 15}, SettingsError, "never rise with the minutes"),
        ({"decay": lambda t: t[:1]}, InputError, "one share a minute"),
        ({"existing": [9]}, InputError, "`existing` must list columns, 0 to 2"),
        ({"required": [1], "forbidden": [1]}, SettingsError, "both required and forbidden"),
        ({"required": [0, 1]}, NoSolutionError, "2 candidates are required"),
    ],
)
def test_what_makes_no_sense_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        solve_gradual([[6.0, 15.0, 10.0], [7.0, 8.0, 9.0]], [4.0, 1.0], 1, **LIMITS | options)


def test_negative_travel_is_refused():
    with pytest.raises(InputError, match="`travel` must not be negative or NaN"):
        solve_gradual([[-1.0, 2.0]], [1.0], 1, **LIMITS)
