"""p-median: against enumeration, published optima, plain programs, laws, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_pmedian
from planner.locate.median.bound import Ascent, certify
from planner.locate.median.lists import pose, value_of
from planner.locate.median.search import by_count, cost_of, greedy, interchange
from planner.locate.travel import check_roles, check_travel


def as_sparse(table):
    """Infinity is absent, 0 is an entry."""
    row, column = np.nonzero(np.isfinite(table))
    return sparse.csr_array((table[row, column], (row, column)), shape=table.shape)


def travelled(table, weight, columns, penalty=np.inf):
    asked = weight > 0
    nearest = np.minimum(table[asked][:, list(columns)].min(axis=1, initial=np.inf), penalty)
    return (weight[asked] * nearest).sum()


def least_travel(table, weight, count, *, existing=(), required=(), forbidden=(), penalty=np.inf):
    """The optimum by looking at every choice."""
    free = [j for j in range(table.shape[1]) if j not in {*existing, *forbidden, *required}]
    return min(
        travelled(table, weight, [*existing, *required, *chosen], penalty)
        for chosen in itertools.combinations(free, count - len(required))
    )


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n = draw(st.integers(1, 12)), draw(st.integers(2, 9))
    if draw(st.booleans()):
        table = rng.integers(0, 12, (m, n)).astype(float)
        weight = rng.integers(0, 5, m).astype(float)
    else:
        table = np.hypot(*(rng.random((2, m, 1)) - rng.random((2, 1, n))))
        weight = rng.random(m) * 10.0 ** rng.integers(-3, 6)
    table[rng.random((m, n)) < draw(st.sampled_from([0.0, 0.2, 0.5]))] = np.inf
    roles = rng.permutation(n)
    roles = {"existing": roles[:1], "required": roles[1:2], "forbidden": roles[2:3]}
    if n < 5 or draw(st.booleans()):
        roles = {}
    lists = {name: [int(j) for j in columns] for name, columns in roles.items()}
    free = n - len(lists.get("existing", [])) - len(lists.get("forbidden", []))
    penalty = draw(st.sampled_from([None, 0.7, 8.0]))
    return table, weight, int(rng.integers(1, min(free, 5) + 1)), lists, penalty


@settings(max_examples=400, deadline=None, derandomize=True)
@given(problems(), st.booleans())
def test_travel_is_the_optimum_of_enumeration_and_bound_holds(problem, dense):
    table, weight, count, lists, penalty = problem
    far = np.inf if penalty is None else penalty
    optimum = least_travel(table, weight, count, penalty=far, **lists)
    travel = table if dense else as_sparse(table)
    arguments = {"penalty": penalty, "gap": 1e-5, **lists}
    if np.isinf(optimum):
        with pytest.raises(NoSolutionError, match="penalty"):
            solve_pmedian(travel, weight, count, **arguments)
        return
    solution = solve_pmedian(travel, weight, count, **arguments)
    chosen = solution.chosen.tolist()
    assert solution.objective == pytest.approx(optimum, rel=1e-9, abs=1e-12)
    assert solution.bound <= optimum * (1 + 1e-12)
    assert solution.status == "optimal"
    assert len(chosen) == count
    assert chosen == sorted(set(chosen))
    assert set(lists.get("required", [])) <= set(chosen)
    assert not {*lists.get("existing", []), *lists.get("forbidden", [])} & set(chosen)
    told = travelled(table, weight, [*lists.get("existing", []), *chosen], far)
    assert solution.objective == pytest.approx(told, rel=1e-12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(problems(), st.integers(0, 1000))
def test_multipliers_never_bound_above_the_optimum(problem, seed):
    table, weight, count, lists, _ = problem
    matrix = check_travel(table)
    roles = check_roles(table.shape[1], count, *(lists.get(k, ()) for k in ROLES))
    posed = pose(matrix, weight, roles, 5.0)
    if roles.left == 0 or posed.rows.size == 0:
        return
    optimum = least_travel(table, weight, count, penalty=5.0, **lists) * posed.scale
    wild = np.random.default_rng(seed).random(posed.rows.size) * posed.lists.most * 1.5
    ascent = Ascent(posed.lists, roles.left, greedy(posed.lists, roles.left))
    ascent.advance(30, float(optimum) * 1.1 + 1, np.inf)
    for multipliers in (wild, ascent.u):
        bound = certify(posed.lists, roles.left, multipliers).bound
        assert bound <= optimum * (1 + 1e-12) + posed.slack


ROLES = ("existing", "required", "forbidden")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(problems())
def test_interchange_leaves_no_exchange_that_saves(problem):
    table, weight, count, _, _ = problem
    roles = check_roles(table.shape[1], count, (), (), ())
    lists = pose(check_travel(table), weight, roles, 9.0).lists
    begun = greedy(lists, count)
    chosen = interchange(lists, begun, by_count(table.shape[1]))
    value = value_of(lists, chosen)
    assert value == cost_of(lists, chosen) <= cost_of(lists, begun)
    for out, into in itertools.product(chosen, np.setdiff1d(roles.free, chosen)):
        assert cost_of(lists, np.append(chosen[chosen != out], into)) >= value


def town(n=70, m=220, seed=0):
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((2, n, 1)), rng.random((2, m, 1))
    return np.hypot(*(homes - sites.transpose(0, 2, 1))), rng.integers(1, 30, m).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_optimum_is_that_of_the_plain_program(seed):
    """Against scipy's solver on the whole model of ReVelle & Swain (1970)."""
    table, weight = town(n=18, m=40, seed=seed)
    m, n = table.shape
    served = sparse.hstack([sparse.csr_array((m, n)), sparse.kron(sparse.eye_array(m), np.ones(n))])
    opened = sparse.hstack(
        [-sparse.kron(np.ones((m, 1)), sparse.eye_array(n)), sparse.eye_array(m * n)]
    )
    total = sparse.csr_array(np.concatenate([np.ones(n), np.zeros(m * n)])[None])
    plain = milp(
        np.concatenate([np.zeros(n), (weight[:, None] * table).ravel()]),
        constraints=[
            LinearConstraint(served, 1.0, 1.0),
            LinearConstraint(opened, ub=0.0),
            LinearConstraint(total, ub=4.0),
        ],
        integrality=np.concatenate([np.ones(n), np.zeros(m * n)]),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    solution = solve_pmedian(table, weight, 4, gap=1e-6)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(plain.fun, rel=1e-6)


def test_more_facilities_never_travel_farther():
    table, weight = town()
    found = [solve_pmedian(table, weight, p, gap=1e-6).objective for p in (1, 2, 4, 8, 16, 70)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx((weight * table.min(axis=1)).sum())


def test_existing_facilities_serve_too():
    table, weight = town()
    without = solve_pmedian(table, weight, 6, gap=1e-6)
    fewer = solve_pmedian(table, weight, 4, existing=without.chosen[:2], gap=1e-6)
    assert fewer.objective == pytest.approx(without.objective, rel=1e-9)
    assert sorted([*fewer.chosen, *without.chosen[:2]]) == without.chosen.tolist()


def test_penalty_counts_nobody_farther():
    table, weight = town()
    plain = solve_pmedian(table, weight, 5, gap=1e-6)
    capped = solve_pmedian(table, weight, 5, penalty=0.2, gap=1e-6)
    cut = solve_pmedian(as_sparse(np.where(table < 0.2, table, np.inf)), weight, 5, penalty=0.2)
    wide = solve_pmedian(table, weight, 5, penalty=9.0, gap=1e-6)
    assert capped.objective < plain.objective == wide.objective
    assert cut.objective == pytest.approx(capped.objective, rel=1e-4)
    assert solve_pmedian(table, weight, 5, penalty=0.0).objective == 0.0


def test_all_must_be_served_without_a_penalty():
    """The cheapest choice would leave the far one out."""
    travel = np.array([[1.0, 2.0, np.inf], [1.0, 2.0, np.inf], [np.inf, 30.0, 20.0]])
    weight = np.array([10.0, 10.0, 1.0])
    assert solve_pmedian(travel, weight, 1).chosen.tolist() == [1]
    assert solve_pmedian(travel, weight, 1, penalty=25.0).chosen.tolist() == [0]
    with pytest.raises(NoSolutionError, match="at least 3 are needed"):
        solve_pmedian(as_sparse(np.where(np.eye(3) > 0, 1.0, np.inf)), np.ones(3), 2)


def test_order_of_rows_and_columns_does_not_change_the_objective():
    table, weight = town()
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(table.shape[0]), rng.permutation(table.shape[1])
    one = solve_pmedian(table, weight, 7, gap=1e-6)
    two = solve_pmedian(table[rows][:, columns], weight[rows], 7, gap=1e-6)
    assert one.objective == pytest.approx(two.objective, rel=1e-12)


def test_same_seed_same_answer():
    table, weight = town()
    one, two = (solve_pmedian(table, weight, 9, rng=5) for _ in range(2))
    assert one.chosen.tolist() == two.chosen.tolist()
    assert (one.objective, one.bound) == (two.objective, two.bound)


def test_bound_without_the_program_holds(monkeypatch):
    table, weight = town()
    exact = solve_pmedian(table, weight, 5, gap=1e-6)
    monkeypatch.setattr("planner.locate.median.exact._ENTRIES", -1)
    loose = solve_pmedian(table, weight, 5, gap=1e-6)
    assert loose.bound <= exact.objective <= loose.objective
    assert loose.gap < 0.02


def test_nothing_to_serve_is_no_trouble():
    none = solve_pmedian(np.zeros((0, 3)), [], 2)
    assert (none.chosen.tolist(), none.objective, none.status) == ([0, 1], 0.0, "optimal")
    idle = solve_pmedian(np.ones((2, 3)), [0.0, 0.0], 1)
    assert (idle.chosen.tolist(), idle.gap) == ([0], 0.0)
    near = solve_pmedian(np.zeros((2, 3)), [1.0, 1.0], 1)
    assert (near.chosen.tolist(), near.objective, near.bound) == ([0], 0.0, 0.0)


def test_steps_are_told_in_order_and_nothing_is_printed(capfd):
    steps = []
    solve_pmedian(*town(), 5, on_step=lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert capfd.readouterr() == ("", "")


GOOD = np.array([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SettingsError, "at least 1", {"count": 0}),
        (SettingsError, "only 3 candidates", {"count": 4}),
        (InputError, "row 1, column 2", {"travel": [[1.0, 2.0, 3.0], [2.0, 0.0, np.nan]]}),
        (InputError, "negative", {"travel": -GOOD}),
        (InputError, "two dimensions", {"travel": [1.0, 2.0]}),
        (InputError, "row 1", {"weight": [1.0, np.nan]}),
        (InputError, "not negative", {"weight": [1.0, -2.0]}),
        (InputError, "one number a demand row", {"weight": [1.0]}),
        (InputError, "`travel` has columns 0 to 2", {"forbidden": [-1]}),
        (SettingsError, "required and forbidden", {"required": [1], "forbidden": [1]}),
        (NoSolutionError, "Raise `count`", {"required": [0, 1]}),
        (NoSolutionError, "row 0", {"travel": [[np.inf, np.inf], [1.0, 2.0]]}),
        (NoSolutionError, "out of everyone's reach", {"travel": sparse.csr_array((2, 3))}),
        (SettingsError, "penalty", {"penalty": -1.0}),
        (SettingsError, "penalty", {"penalty": np.inf}),
        (InputError, "penalty", {"penalty": "far"}),
        (SettingsError, "time_limit_s", {"time_limit_s": 0.0}),
        (SettingsError, "gap", {"gap": 1.0}),
    ],
)
def test_bad_input_is_one_clear_error(error, words, change):
    with pytest.raises(error, match=words) as caught:
        solve_pmedian(
            change.pop("travel", GOOD),
            change.pop("weight", [1.0, 2.0]),
            change.pop("count", 1),
            **change,
        )
    assert str(caught.value).rstrip().endswith(".")
