"""Backup coverage: equal to enumeration, never above its bound, refused where it makes no sense."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_backup, solve_mclp
from planner.locate.backup import exact
from planner.locate.backup.bound import relax_backup
from planner.locate.backup.search import Worth, worth_of
from planner.locate.covering.presolve import core_limits, make_core
from planner.locate.problem import make_problem

MANY = settings(max_examples=100, deadline=None, derandomize=True)
SHARES = st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0])
ROWS, COLUMNS = 13, 8


def draw_case(seed):
    rng = np.random.default_rng(seed)
    cover = rng.random((ROWS, COLUMNS)) < rng.choice([0.15, 0.3, 0.45])
    weight = rng.integers(0, 9, ROWS) * rng.choice([1.0, 0.37])
    return cover, weight, rng.integers(1, 5, COLUMNS).astype(float)


def parts(cover, weight, opened):
    """Weight covered once, and twice or more."""
    times = cover[:, list(opened)].sum(axis=1)
    return weight[times >= 1].sum(), weight[times >= 2].sum()


def value(cover, weight, opened, share):
    once, twice = parts(cover, weight, opened)
    return (1 - share) * once + share * twice


def enumerate_best(
    cover, weight, count, share, *, first=0.0, existing=(), required=(), forbidden=(),
    apart=(), cost=None, budget=None,
):  # fmt: skip
    free = [j for j in range(cover.shape[1]) if j not in {*existing, *forbidden}]
    choices = [
        (*existing, *choice)
        for k in range(count + 1)
        for choice in itertools.combinations(free, k)
        if set(required) <= set(choice)
        and not any(a in choice and b in choice for a, b in apart)
        and (cost is None or cost[list(choice)].sum() <= budget)
    ]
    need = first * max(parts(cover, weight, opened)[0] for opened in choices)
    return max(
        value(cover, weight, opened, share)
        for opened in choices
        if parts(cover, weight, opened)[0] >= need - 1e-9
    )


def solve(cover, *arguments, **options):
    return solve_backup(sparse.csr_array(cover.astype(float)), *arguments, gap=0, **options)


def check(solution, best):
    assert solution.objective == pytest.approx(best, abs=1e-9)
    assert solution.bound >= best - 1e-9
    assert solution.gap < 1e-5  # floating point of HiGHS


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4), SHARES, st.sampled_from([0.0, 0.8, 1.0]))
def test_equals_enumeration(seed, count, share, first):
    cover, weight, _ = draw_case(seed)
    solution = solve(cover, weight, count, backup_share=share, first_share=first)
    check(solution, enumerate_best(cover, weight, count, share, first=first))
    assert solution.chosen.size == count
    assert solution.objective == pytest.approx(value(cover, weight, solution.chosen, share))


@MANY
@given(st.integers(0, 10**6), st.integers(2, 4), SHARES, st.sampled_from([0.0, 0.9]))
def test_existing_required_forbidden_and_conflicts_are_kept(seed, count, share, first):
    cover, weight, _ = draw_case(seed)
    limits = {"existing": [0, 1], "required": [6], "forbidden": [7]}
    apart = np.array([[2, 3], [4, 5], [3, 6]])
    best = enumerate_best(cover, weight, count, share, first=first, apart=apart, **limits)
    options = {"backup_share": share, "first_share": first, "conflicts": apart}
    solution = solve(cover, weight, count, **limits, **options)
    check(solution, best)
    assert 6 in solution.chosen
    assert not set(solution.chosen) & {0, 1, 7}
    assert not any(a in solution.chosen and b in solution.chosen for a, b in apart)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 5), SHARES, st.sampled_from([0.0, 1.0]))
def test_budgets_are_kept(seed, count, share, first):
    cover, weight, cost = draw_case(seed)
    limits = {"existing": [0], "cost": cost, "budget": 7.0}
    best = enumerate_best(cover, weight, count, share, first=first, **limits)
    solution = solve(cover, weight, count, backup_share=share, first_share=first, **limits)
    check(solution, best)
    assert cost[solution.chosen].sum() <= 7.0


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_the_relaxation_is_never_under_the_optimum(seed, count):
    rng = np.random.default_rng(seed)
    cover, _, cost = draw_case(seed)
    weight = rng.integers(0, 99, (2, ROWS))
    costs = {"cost": cost, "budget": 6.5} if seed % 2 else {}
    problem = make_problem(sparse.csr_array(cover), count, conflicts=np.array([[0, 1]]), **costs)
    core = make_core(problem)
    limits = core_limits(problem, core)
    worth = Worth(core.weigh(weight[0]), core.weigh(weight[1]))
    found = relax_backup(core.cover, worth, limits, target=0, chosen=np.empty(0, np.int64))
    price = limits.cost
    for size in range(min(count, price.size) + 1):
        for choice in itertools.combinations(range(price.size), size):
            if price[list(choice)].sum() <= limits.budget:
                chosen = np.array(choice, dtype=np.int64)
                assert found.bound >= worth_of(core.cover, worth, chosen)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), SHARES)
def test_order_of_rows_and_columns_does_not_matter(seed, share):
    cover, weight, _ = draw_case(seed)
    rng = np.random.default_rng(seed + 1)
    rows, columns = rng.permutation(ROWS), rng.permutation(COLUMNS)
    straight = solve(cover, weight, 3, backup_share=share)
    shuffled = solve(cover[rows][:, columns], weight[rows], 3, backup_share=share)
    assert shuffled.objective == pytest.approx(straight.objective)


def draw_city(candidates, points, radius, seed=3):
    rng = np.random.default_rng(seed)
    at, near = rng.uniform(0, 10, (points, 2)), rng.uniform(0, 10, (candidates, 2))
    cover = np.hypot(*(at[:, None] - near[None]).transpose(2, 0, 1)) <= radius
    return sparse.csr_array(cover.astype(float)), rng.integers(1, 50, points).astype(float)


def peer(cover, weight, count, share, need=0.0):
    """Solve Hogan & ReVelle's program as it is printed."""
    m, n = cover.shape
    eye, none = sparse.eye_array(m), sparse.csr_array((m, n))
    zero = np.zeros(m)
    rows = [
        optimize.LinearConstraint(sparse.hstack([cover, -eye, -eye]), lb=0),
        optimize.LinearConstraint(sparse.hstack([none, eye, -eye]), lb=0),
        optimize.LinearConstraint(np.r_[np.ones(n), zero, zero][None], ub=count),
        optimize.LinearConstraint(np.r_[np.zeros(n), weight, zero][None], lb=need),
    ]
    worth = np.r_[np.zeros(n), (1 - share) * weight, share * weight]
    options = {"mip_rel_gap": 0.0}
    found = optimize.milp(
        -worth, constraints=rows, integrality=np.ones(n + 2 * m), bounds=(0, 1), options=options
    )
    return -found.fun


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_equals_the_printed_program_on_a_middling_case(share):
    cover, weight = draw_city(36, 150, 1.8)
    solution = solve_backup(cover, weight, 5, backup_share=share, gap=1e-5)
    assert solution.objective == pytest.approx(peer(cover, weight, 5, share), rel=2e-5)
    assert solution.status == "optimal"


def test_first_cover_is_kept_on_a_middling_case():
    cover, weight = draw_city(36, 150, 1.8)
    most = solve_mclp(cover, weight, 5, gap=0).objective
    kept = solve_backup(cover, weight, 5, first_share=0.95, gap=1e-5)
    assert kept.objective == pytest.approx(peer(cover, weight, 5, 0.5, 0.95 * most), rel=2e-5)
    assert parts(cover.toarray() > 0, weight, kept.chosen)[0] >= 0.95 * most
    assert kept.status == "optimal"


def test_without_backup_it_is_maximal_covering():
    cover, weight = draw_city(80, 600, 1.2)
    free = solve_mclp(cover, weight, 6)
    assert solve_backup(cover, weight, 6, backup_share=0.0).objective == free.objective


def test_a_large_case_is_bounded_without_a_solver(monkeypatch):
    monkeypatch.setattr(exact, "_ENTRIES", 0)
    cover, weight = draw_city(150, 1500, 1.4)
    one, same = (solve_backup(cover, weight, 12, existing=[0, 1]) for _ in range(2))
    assert one.chosen.tolist() == same.chosen.tolist()
    assert one.gap < 0.01
    once, twice = parts(cover.toarray() > 0, weight, [0, 1, *one.chosen])
    assert one.objective == pytest.approx(0.5 * once + 0.5 * twice)


def test_two_that_cover_the_same_back_each_other_up():
    cover = sparse.csr_array([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert solve_backup(cover, [3, 2, 2], 2, backup_share=1.0).chosen.tolist() == [0, 1]
    done = solve_backup(cover, [3, 2, 2], 1, existing=[0, 1])
    assert done.chosen.tolist() == [2]
    assert done.objective == 6.0


def test_nothing_left_to_cover():
    cover = sparse.csr_array([[1.0, 1, 0], [1, 1, 0]])
    solution = solve_backup(cover, [3, 2], 1, existing=[0, 1])
    assert (solution.objective, solution.bound, solution.status) == (5.0, 5.0, "optimal")
    none = solve_backup(cover, [0, 0], 1)
    assert (none.objective, none.bound, none.status) == (0.0, 0.0, "optimal")


def test_steps_are_told():
    steps = []
    cover = sparse.csr_array([[1.0, 1, 0], [1, 1, 0]])
    solve_backup(cover, [3, 2], 2, on_step=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_makes_no_sense_is_refused():
    cover = sparse.csr_array([[1.0, 1, 0], [1, 1, 0]])
    with pytest.raises(SettingsError, match=r"`backup_share` must be from 0 to 1. Got -0.1."):
        solve_backup(cover, [3, 2], 1, backup_share=-0.1)
    with pytest.raises(SettingsError, match=r"`first_share` must be from 0 to 1. Got nan."):
        solve_backup(cover, [3, 2], 1, first_share=float("nan"))
    with pytest.raises(SettingsError, match="`count` is 4"):
        solve_backup(cover, [3, 2], 4)
    with pytest.raises(InputError, match="`weight` must be finite and not negative"):
        solve_backup(cover, [3, float("nan")], 1)
    with pytest.raises(SettingsError, match="both required and forbidden"):
        solve_backup(cover, [3, 2], 1, required=[1], forbidden=[1])
    with pytest.raises(NoSolutionError, match="required candidates cost"):
        solve_backup(cover, [3, 2], 1, required=[1], cost=np.ones(3), budget=0.5)
