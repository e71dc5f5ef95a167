"""Spacing, budgets and floors of every model: equal to enumeration, and refused in words."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.errors import NoSolutionError, SettingsError
from planner.locate import solve_lscp, solve_pcenter, solve_pmedian

MANY = settings(max_examples=150, deadline=None, derandomize=True)
PENALTY = 20.0


def draw_case(seed, rows=11, columns=7):
    """Travel with gaps, weights, groups, prices, pairs too near, a station, a locked, a banned."""
    rng = np.random.default_rng(seed)
    travel = rng.integers(1, 15, (rows, columns)).astype(float)
    travel[rng.random(travel.shape) > rng.choice([0.35, 0.6, 0.95])] = np.inf
    weight = rng.integers(0, 6, rows) * rng.choice([1.0, 0.37])
    limits = {}
    pairs = np.array(list(itertools.combinations(range(columns), 2)))
    if rng.random() < 0.7:
        limits["conflicts"] = pairs[rng.random(len(pairs)) < 0.2]
    if rng.random() < 0.6:
        limits["cost"] = rng.choice([1.0, 2.5, 4.0], columns)
        limits["budget"] = float(rng.choice([3.0, 5.0, 8.0]))
    if rng.random() < 0.5:
        limits["existing"] = [0]
    if rng.random() < 0.3:
        limits["required"] = [1]
    if rng.random() < 0.3:
        limits["forbidden"] = [2]
    floor = float(rng.choice([0.0, 0.4, 0.75]))
    return travel, weight, rng.integers(0, 3, rows), limits, floor


def choices(columns, count, limits, *, budget=True):
    """Every choice of at most `count` that keeps spacing, budget and lists; exact where alone."""
    opened = limits.get("existing", [])
    must, banned = set(limits.get("required", [])), set(limits.get("forbidden", []))
    pairs = limits.get("conflicts", np.empty((0, 2), int))
    free = [j for j in range(columns) if j not in opened and j not in banned]
    for k in range(count + 1):
        for choice in itertools.combinations(free, k):
            if not must <= set(choice) or any(a in choice and b in choice for a, b in pairs):
                continue
            if (
                budget
                and "cost" in limits
                and limits["cost"][list(choice)].sum() > limits["budget"] + 1e-9
            ):
                continue
            yield list(choice)


def nearest(travel, limits, choice):
    columns = [*limits.get("existing", []), *choice]
    return travel[:, columns].min(axis=1, initial=np.inf)


def keeps(weight, group, served, floor):
    parts = [(weight[served & (group == g)].sum(), weight[group == g].sum()) for g in set(group)]
    return all(part >= floor * total - 1e-9 for part, total in parts)


def check_choice(solution, limits, columns, *, budget=True):
    """The choice is one of those that enumeration allows."""
    allowed = choices(columns, columns, limits, budget=budget)
    assert solution.chosen.tolist() in list(allowed)


def as_travel(travel):
    """Sparse, so that an absent entry is out of reach."""
    row, column = np.nonzero(np.isfinite(travel))
    return sparse.csr_array((travel[row, column], (row, column)), shape=travel.shape)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_pmedian_is_that_of_enumeration(seed, count):
    travel, weight, group, limits, floor = draw_case(seed)
    worth = [
        weight @ np.minimum(near, PENALTY)
        for choice in choices(7, count, limits)
        for near in [nearest(travel, limits, choice)]
        if keeps(weight, group, near < PENALTY, floor)
    ]  # fmt: skip
    options = {"penalty": PENALTY, "groups": group, "floor": floor, "gap": 0, **limits}
    if not worth:
        with pytest.raises((NoSolutionError, SettingsError)):
            solve_pmedian(as_travel(travel), weight, count, **options)
        return
    solution = solve_pmedian(as_travel(travel), weight, count, **options)
    assert solution.objective == pytest.approx(min(worth))
    assert solution.bound <= min(worth) * (1 + 1e-9)
    assert solution.gap < 1e-5  # floating point of HiGHS
    check_choice(solution, limits, 7)
    assert keeps(weight, group, nearest(travel, limits, solution.chosen) < PENALTY, floor)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_pmedian_without_a_penalty_serves_all_within_the_limits(seed, count):
    travel, weight, _, limits, _ = draw_case(seed)
    travel = np.where(np.isinf(travel), np.where(np.arange(7) % 2, 30.0, np.inf), travel)
    weight = weight + 1
    worth = [
        weight @ nearest(travel, limits, choice)
        for choice in choices(7, count, limits)
        if np.isfinite(nearest(travel, limits, choice)).all()
    ]  # fmt: skip
    if not worth:
        with pytest.raises((NoSolutionError, SettingsError)):
            solve_pmedian(travel, weight, count, gap=0, **limits)
        return
    solution = solve_pmedian(travel, weight, count, gap=0, **limits)
    assert solution.objective == pytest.approx(min(worth))
    assert solution.bound <= min(worth) * (1 + 1e-9)
    check_choice(solution, limits, 7)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_pcenter_is_that_of_enumeration(seed, count):
    travel, weight, _, limits, _ = draw_case(seed)
    asked = weight > 0
    worth = [
        (weight * np.where(asked, near, 0.0))[asked].max(initial=0.0)
        for choice in choices(7, count, limits)
        for near in [nearest(travel, limits, choice)]
        if np.isfinite(near[asked]).all()
    ]  # fmt: skip
    options = {"weight": weight, "gap": 0, **limits}
    if not worth:
        with pytest.raises((NoSolutionError, SettingsError)):
            solve_pcenter(as_travel(travel), count, **options)
        return
    solution = solve_pcenter(as_travel(travel), count, **options)
    assert solution.objective == pytest.approx(min(worth))
    assert solution.bound == pytest.approx(min(worth))
    assert solution.status == "optimal"
    check_choice(solution, limits, 7)


@MANY
@given(st.integers(0, 10**6), st.sampled_from([0.5, 0.8, 1.0]))
def test_lscp_is_that_of_enumeration(seed, target):
    travel, weight, group, limits, floor = draw_case(seed)
    cover = as_travel(travel)
    price = limits.get("cost", np.ones(7))
    least = [
        price[choice].sum()
        for choice in choices(7, 7, limits, budget=False)
        for served in [np.isfinite(nearest(travel, limits, choice))]
        if weight[served].sum() >= target * weight.sum() - 1e-9
        and keeps(weight, group, served, floor)
    ]  # fmt: skip
    options = {"weight": weight, "target_share": target, "groups": group, "floor": floor, "gap": 0}
    if not least or min(least) > limits.get("budget", np.inf) + 1e-9:
        with pytest.raises(NoSolutionError, match="budget" if least else None):
            solve_lscp(cover, **options, **limits)
        return
    solution = solve_lscp(cover, **options, **limits)
    assert solution.objective == pytest.approx(min(least))
    assert solution.bound <= min(least) + 1e-9
    assert solution.status == "optimal"
    check_choice(solution, limits, 7)
    assert keeps(weight, group, np.isfinite(nearest(travel, limits, solution.chosen)), floor)
