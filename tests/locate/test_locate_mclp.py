"""Maximal covering: against enumeration, published tables, laws, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.compiled import compiled
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import heuristic_mclp, solve_mclp
from planner.locate.covering.bounds import relax
from planner.locate.covering.presolve import make_core
from planner.locate.problem import make_problem


def covered(cover, weight, columns):
    return weight[cover[:, list(columns)].any(axis=1)].sum() if len(columns) else 0.0


def best_of_all(cover, weight, count, *, existing=(), required=(), forbidden=(), allowed=None):
    """The optimum by looking at every choice."""
    free = [j for j in range(cover.shape[1]) if j not in {*existing, *forbidden, *required}]
    size = count - len(required)
    choices = itertools.combinations(free, size)
    if allowed is not None:
        sizes = range(min(size, len(free)) + 1)
        choices = (c for k in sizes for c in itertools.combinations(free, k))
    return max(
        covered(cover, weight, [*existing, *required, *c])
        for c in choices
        if allowed is None or allowed([*required, *c])
    )


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n = draw(st.integers(1, 14)), draw(st.integers(2, 9))
    cover = rng.random((m, n)) < draw(st.sampled_from([0.1, 0.3, 0.6]))
    if draw(st.booleans()):
        weight = rng.integers(0, 9, m).astype(float)
    else:
        weight = rng.random(m) * 10.0 ** rng.integers(-3, 6)
    roles = rng.permutation(n)
    existing, required, forbidden = roles[:1], roles[1:2], roles[2:3]
    if n < 5 or draw(st.booleans()):
        existing = required = forbidden = roles[:0]
    free = n - existing.size - forbidden.size
    count = int(rng.integers(max(1, required.size), free + 1))
    return cover, weight, count, existing, required, forbidden


def csr(cover):
    """Explicit zeros: only the pattern counts."""
    row, column = np.nonzero(cover)
    return sparse.csr_array((np.zeros(row.size), (row, column)), shape=cover.shape)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(problems())
def test_value_is_the_optimum_of_enumeration_and_bound_holds(problem):
    cover, weight, count, existing, required, forbidden = problem
    roles = {"existing": existing, "required": required, "forbidden": forbidden}
    solution = solve_mclp(csr(cover), weight, count, gap=0.0, **roles)
    optimum = best_of_all(
        cover, weight, count, **{k: [int(j) for j in v] for k, v in roles.items()}
    )
    tiny = 1e-9 * max(1.0, weight.sum())
    assert solution.objective == pytest.approx(optimum, rel=1e-9, abs=1e-12)
    assert solution.objective <= solution.bound
    assert optimum <= solution.bound + tiny
    assert solution.status == "optimal"
    assert solution.chosen.size == count
    assert set(required) <= set(solution.chosen.tolist())
    assert not set(forbidden) & set(solution.chosen.tolist())
    assert not set(existing) & set(solution.chosen.tolist())
    assert solution.objective == pytest.approx(
        covered(cover, weight, [*existing, *solution.chosen]), rel=1e-12
    )


@settings(max_examples=120, deadline=None, derandomize=True)
@given(problems(), st.integers(0, 1000))
def test_budget_is_kept_and_optimal(problem, seed):
    cover, weight, _, existing, _, forbidden = problem
    n = cover.shape[1]
    cost = np.random.default_rng(seed).integers(0, 6, n).astype(float)
    budget = float(cost.sum() * 0.4)
    solution = solve_mclp(
        csr(cover),
        weight,
        None,
        cost=cost,
        budget=budget,
        existing=existing,
        forbidden=forbidden,
        gap=0.0,
    )
    optimum = best_of_all(
        cover,
        weight,
        n,
        existing=[int(j) for j in existing],
        forbidden=[int(j) for j in forbidden],
        allowed=lambda c: cost[c].sum() <= budget,
    )
    assert cost[solution.chosen].sum() <= budget
    assert solution.objective == pytest.approx(optimum, rel=1e-9, abs=1e-12)
    assert optimum <= solution.bound * (1 + 1e-9)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(problems(), st.integers(0, 1000))
def test_conflicts_are_kept_and_optimal(problem, seed):
    cover, weight, count, *_ = problem
    n = cover.shape[1]
    pairs = np.random.default_rng(seed).integers(0, n, (n, 2))
    rivals = {frozenset(map(int, p)) for p in pairs if p[0] != p[1]}
    solution = solve_mclp(csr(cover), weight, count, conflicts=pairs, gap=0.0)
    optimum = best_of_all(
        cover, weight, count, allowed=lambda c: not any(p <= set(c) for p in rivals)
    )
    assert not any(p <= set(solution.chosen.tolist()) for p in rivals)
    assert solution.objective == pytest.approx(optimum, rel=1e-9, abs=1e-12)
    assert optimum <= solution.bound * (1 + 1e-9)


def city(n=300, m=900, radius=0.09, seed=0):
    """Candidates and demand scattered over the unit square."""
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((n, 2)), rng.random((m, 2))
    near = ((homes[:, None] - sites[None]) ** 2).sum(axis=2) <= radius**2
    return sparse.csr_array(near), rng.integers(1, 40, m).astype(float)


def test_more_stations_never_cover_less():
    cover, weight = city(n=120, m=400)
    values = [solve_mclp(cover, weight, p, gap=0.0).objective for p in (1, 2, 4, 8, 16)]
    assert values == sorted(values)


def test_existing_stations_never_cover_less():
    cover, weight = city(n=120, m=400)
    without = solve_mclp(cover, weight, 5, gap=0.0)
    with_one = solve_mclp(cover, weight, 5, existing=[3], gap=0.0)
    assert with_one.objective >= without.objective
    assert 3 not in with_one.chosen


def test_order_of_rows_and_columns_does_not_change_the_objective():
    cover, weight = city(n=120, m=400)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(cover.shape[0]), rng.permutation(cover.shape[1])
    plain = solve_mclp(cover, weight, 8, gap=0.0)
    mixed = solve_mclp(cover[rows][:, columns], weight[rows], 8, gap=0.0)
    assert plain.objective == mixed.objective
    assert plain.bound == mixed.bound


def test_same_seed_same_answer():
    cover, weight = city()
    one, two = (solve_mclp(cover, weight, 10, rng=7) for _ in range(2))
    assert one.chosen.tolist() == two.chosen.tolist()
    assert (one.objective, one.bound) == (two.objective, two.bound)


def test_bound_of_the_relaxation_alone_holds(monkeypatch):
    cover, weight = city(n=60, m=300)
    exact = solve_mclp(cover, weight, 6, gap=0.0)
    for name in ("_SOON", "_CUT_WORK", "_MORE_CUT_WORK", "_LITTLE", "WORK"):
        monkeypatch.setattr(f"planner.locate.covering.proof.{name}", -1)
    loose = solve_mclp(cover, weight, 6, gap=0.0)
    assert exact.status == "optimal"
    assert loose.objective <= exact.objective <= loose.bound
    assert loose.gap < 0.03


@pytest.mark.parametrize("seed", range(4))
def test_optimum_is_that_of_the_plain_program(seed):
    """Against scipy's solver on the whole model: neither presolve nor fixing loses the optimum."""
    cover, weight = city(n=70, m=260, radius=0.13, seed=seed)
    m, n = cover.shape
    links = sparse.hstack([-cover.astype(float), sparse.eye_array(m)])
    total = sparse.csr_array(np.concatenate([np.ones(n), np.zeros(m)])[None])
    plain = milp(
        -np.concatenate([np.zeros(n), weight]),
        constraints=[LinearConstraint(links, ub=0.0), LinearConstraint(total, ub=7.0)],
        integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    solution = solve_mclp(cover, weight, 7, gap=0.0)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(-plain.fun, abs=1e-6)
    assert solution.bound == pytest.approx(-plain.fun, abs=1e-6)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems(), st.integers(0, 1000))
def test_relaxation_never_bounds_under_the_optimum(problem, seed):
    cover, weight, count, *_ = problem
    n = cover.shape[1]
    whole = np.rint(weight * 100).astype(np.int64)
    cost = np.random.default_rng(seed).integers(1, 6, n).astype(float)
    budget = float(cost.sum() // 2)
    for roles, allowed in (
        ({}, None),
        ({"cost": cost, "budget": budget}, lambda c: cost[list(c)].sum() <= budget),
    ):
        posed = make_problem(csr(cover), n if roles else count, **roles)
        core = make_core(posed)
        limits = posed.limits if roles else posed.limits._replace(cost=np.ones(core.columns.size))
        found = relax(
            core.cover,
            core.weigh(whole),
            limits,
            chosen=np.empty(0, dtype=np.int64),
            target=0,
        )
        best = best_of_all(cover, whole, n if roles else count, allowed=allowed)
        assert best <= found.bound <= whole.sum()


def test_kernels_compile_where_nothing_can_be_kept():
    """numba refuses to cache functions without a source file; they compile all the same."""
    scope = {}
    exec("def double(x):\n    return 2 * x", scope)
    assert compiled(scope["double"])(21) == 42


def test_ties_go_to_the_smallest_column():
    cover = sparse.csr_array(np.eye(4, dtype=int))
    assert solve_mclp(cover, np.ones(4), 2).chosen.tolist() == [0, 1]
    twins = sparse.csr_array(np.ones((3, 4), dtype=int))
    assert solve_mclp(twins, np.ones(3), 1).chosen.tolist() == [0]


def test_count_is_filled_where_nothing_more_is_gained():
    cover = sparse.csr_array(np.array([[1, 0, 0], [1, 1, 0]]))
    solution = solve_mclp(cover, [1.0, 2.0], 3)
    assert solution.chosen.tolist() == [0, 1, 2]
    assert (solution.objective, solution.gap, solution.status) == (3.0, 0.0, "optimal")


def test_no_weight_and_no_demand_are_no_trouble():
    cover = sparse.csr_array(np.array([[1, 0]]))
    assert solve_mclp(cover, [0.0], 1).objective == 0.0
    empty = solve_mclp(sparse.csr_array((0, 2)), [], 1)
    assert (empty.objective, empty.bound, empty.gap, empty.status) == (0.0, 0.0, 0.0, "optimal")


def test_solution_shows_itself_in_a_line():
    solution = solve_mclp(sparse.csr_array(np.eye(2, dtype=int)), [1.0, 2.0], 1)
    assert "mclp" in solution._repr_html_()
    assert len(solution._repr_html_()) < 200
    with pytest.raises(AttributeError):
        solution.objective = 5.0


def test_steps_are_told_in_order():
    steps = []
    solve_mclp(*city(n=40, m=80), 3, on_step=lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_solver_says_nothing(capfd):
    cover, weight = city(n=60, m=300)
    solve_mclp(cover, weight, 6, gap=0.0)
    assert capfd.readouterr() == ("", "")


def test_reruns_solve_each_weighting_by_itself():
    cover, weight = city(n=60, m=300)
    tables = np.vstack([weight, weight[::-1]])
    both = heuristic_mclp(cover, tables, 5)
    alone = [heuristic_mclp(cover, row[None], 5)[0] for row in tables]
    assert [c.tolist() for c in both] == [c.tolist() for c in alone]
    exact = solve_mclp(cover, weight, 5)
    reached = covered(cover.toarray() != 0, weight, both[0])
    assert 0.9 * exact.objective <= reached <= exact.bound


GOOD = sparse.csr_array(np.array([[1, 0, 1], [0, 1, 1]]))


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SettingsError, "at least 1", {"count": 0}),
        (SettingsError, "at least 1", {"count": 1.5}),
        (SettingsError, "at least 1", {"count": True}),
        (SettingsError, "only 3 candidates", {"count": 4}),
        (SettingsError, "only 1 candidates", {"count": 2, "existing": [0], "forbidden": [1]}),
        (InputError, "row 1", {"weight": [1.0, np.nan]}),
        (InputError, "not negative", {"weight": [1.0, -2.0]}),
        (InputError, "one number a demand row", {"weight": [1.0]}),
        (InputError, "numbers", {"weight": ["a", "b"]}),
        (InputError, "sparse", {"cover": np.eye(2)}),
        (InputError, "column 3", {"existing": [3]}),
        (InputError, "integers", {"required": [0.5]}),
        (InputError, "xy", {"xy": np.zeros((2, 2))}),
        (SettingsError, "required and forbidden", {"required": [1], "forbidden": [1]}),
        (NoSolutionError, "Raise `count`", {"required": [0, 1], "count": 1}),
        (SettingsError, "go together", {"cost": np.ones(3)}),
        (SettingsError, "go together", {"budget": 3.0}),
        (InputError, "one number a candidate", {"cost": np.ones(2), "budget": 3.0}),
        (InputError, "not negative", {"cost": -np.ones(3), "budget": 3.0}),
        (SettingsError, "finite", {"cost": np.ones(3), "budget": -1.0}),
        (NoSolutionError, "budget", {"cost": np.ones(3), "budget": 0.5, "required": [0]}),
        (InputError, "pairs", {"conflicts": np.array([0, 1])}),
        (InputError, "outside", {"conflicts": np.array([[0, 9]])}),
        (
            NoSolutionError,
            "exclude each other",
            {"conflicts": np.array([[0, 1]]), "required": [0, 1], "count": 2},
        ),
        (SettingsError, "time_limit_s", {"time_limit_s": 0.0}),
        (SettingsError, "gap", {"gap": 1.0}),
    ],
)
def test_bad_input_is_one_clear_error(error, words, change):
    arguments = {"cover": GOOD, "weight": [1.0, 2.0], "count": 1, **change}
    with pytest.raises(error, match=words) as caught:
        solve_mclp(
            arguments.pop("cover"), arguments.pop("weight"), arguments.pop("count"), **arguments
        )
    assert str(caught.value).rstrip().endswith((".", "`"))


def test_rivals_of_a_fixed_site_stay_closed():
    """Reduced costs open a site for good; its rivals must leave the kernel with it."""
    rows = ["00100", "00001", "00000", "01011", "01000", "00110", "01000", "01001", "00010",
            "00010", "00101", "10000"]  # fmt: skip
    weight = [0.27404839, 0.00709183, 0.6457209, 0.71990938, 0.83556922, 0.28187783, 0.21521817,
              0.63933138, 0.80505483, 0.96367087, 0.15052483, 0.48221239]  # fmt: skip
    cover = np.array([[c == "1" for c in row] for row in rows])
    for seed in range(60):
        pairs = np.random.default_rng(seed).integers(0, 5, (5, 2))
        rivals = {frozenset(map(int, p)) for p in pairs if p[0] != p[1]}
        solution = solve_mclp(csr(cover), weight, 3, conflicts=pairs, gap=0.0)
        assert not any(p <= set(solution.chosen.tolist()) for p in rivals)
        optimum = best_of_all(
            cover, np.array(weight), 3, allowed=lambda c, r=rivals: not any(p <= set(c) for p in r)
        )
        assert solution.objective == pytest.approx(optimum, rel=1e-9)
