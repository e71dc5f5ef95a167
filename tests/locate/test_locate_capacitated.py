"""Covering under capacities: against enumeration, plain programs, laws, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import maximum_flow

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_capacitated, solve_mclp
from planner.locate.capacitated_flow import make_net, served
from planner.locate.program import Outcome
from planner.locate.setcover_reduce import as_cover


def as_sparse(table):
    """Infinity is absent, 0 is an entry."""
    row, column = np.nonzero(np.isfinite(table))
    return sparse.csr_array((table[row, column], (row, column)), shape=table.shape)


def most_served(reach, weight, capacity, columns):
    """Scipy's maximum flow; weights and capacities are whole."""
    m, k = reach.shape[0], len(columns)
    graph = np.zeros((m + k + 2, m + k + 2), dtype=np.int32)
    graph[0, 1 : m + 1] = weight
    graph[1 : m + 1, m + 1 : m + 1 + k] = reach[:, columns] * 10_000
    graph[m + 1 : m + 1 + k, -1] = np.minimum(capacity[columns], 10_000)
    return maximum_flow(sparse.csr_array(graph), 0, m + k + 1).flow_value


def best_of_all(reach, weight, capacity, count, *, existing=(), required=(), forbidden=()):
    """The optimum by looking at every choice."""
    free = [j for j in range(reach.shape[1]) if j not in {*existing, *forbidden, *required}]
    return max(
        most_served(reach, weight, capacity, [*existing, *required, *chosen])
        for chosen in itertools.combinations(free, count - len(required))
    )


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n = draw(st.integers(1, 9)), draw(st.integers(2, 7))
    table = rng.integers(0, 12, (m, n)).astype(float)
    table[rng.random((m, n)) < draw(st.sampled_from([0.2, 0.5, 0.8]))] = np.inf
    weight, capacity = rng.integers(0, 9, m), rng.integers(0, 25, n).astype(float)
    capacity[rng.random(n) < 0.1] = np.inf
    roles = rng.permutation(n)
    roles = {"existing": roles[:1], "required": roles[1:2], "forbidden": roles[2:3]}
    if n < 5 or draw(st.booleans()):
        roles = {}
    lists = {name: [int(j) for j in columns] for name, columns in roles.items()}
    free = n - len(lists.get("existing", [])) - len(lists.get("forbidden", []))
    return table, weight, capacity, int(rng.integers(1, min(free, 4) + 1)), lists


def check_assignment(solution, table, weight, capacity, opened):
    """Nothing is served twice, over capacity, out of reach, or where nothing is open."""
    served_by = solution.assignment.toarray()
    tiny = 1e-9 * max(1.0, weight.sum())
    assert served_by.sum() == pytest.approx(solution.objective, rel=1e-9, abs=1e-9)
    assert (served_by >= 0).all()
    assert (served_by.sum(axis=1) <= weight + tiny).all()
    assert (served_by.sum(axis=0) <= capacity + tiny).all()
    assert not served_by[~np.isfinite(table)].any()
    assert set(np.flatnonzero(served_by.any(axis=0)).tolist()) <= set(opened)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems(), st.sampled_from([1.0, 0.125, 0.3]))
def test_served_is_the_optimum_of_enumeration_and_bound_holds(problem, scale):
    table, weight, capacity, count, lists = problem
    optimum = best_of_all(np.isfinite(table), weight, capacity, count, **lists) * scale
    weight, capacity = weight * scale, capacity * scale
    gap = 0.0 if scale == 1.0 else 1e-5
    solution = solve_capacitated(as_sparse(table), weight, capacity, count, gap=gap, **lists)
    chosen = solution.chosen.tolist()
    assert solution.objective == pytest.approx(optimum, rel=1e-9, abs=1e-12)
    assert solution.bound >= optimum * (1 - 1e-12)
    assert solution.status == "optimal"
    assert len(chosen) == count
    assert chosen == sorted(set(chosen))
    assert set(lists.get("required", [])) <= set(chosen)
    assert not {*lists.get("existing", []), *lists.get("forbidden", [])} & set(chosen)
    opened = [*lists.get("existing", []), *chosen]
    check_assignment(solution, table, weight, capacity, opened)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(problems())
def test_flow_is_the_maximum(problem):
    table, weight, capacity, *_ = problem
    reach = np.isfinite(table)
    room = np.minimum(capacity, weight.sum()).astype(np.int64)
    net = make_net(as_cover(sparse.csc_array(reach)), weight, room)
    every = np.arange(reach.shape[1])
    for columns in (every, every[::-1], every[::2]):
        assert served(net, columns) == most_served(reach, weight, capacity, columns)


def town(n=60, m=250, radius=0.16, seed=0):
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((2, n, 1)), rng.random((2, m, 1))
    table = np.hypot(*(homes - sites.transpose(0, 2, 1)))
    table[table > radius] = np.inf
    weight, capacity = rng.integers(1, 20, m), rng.integers(60, 240, n)
    return table, weight.astype(float), capacity.astype(float)


def test_town_is_proven_and_assigned():
    table, weight, capacity = town()
    solution = solve_capacitated(table, weight, capacity, 8, gap=0.002)
    assert solution.status == "optimal"
    check_assignment(solution, table, weight, capacity, solution.chosen.tolist())


def test_assignment_has_the_least_travel():
    """Both rows fit either way round; the near ones are taken."""
    travel = np.array([[1.0, 5.0], [4.0, 2.0]])
    solution = solve_capacitated(travel, [3.0, 3.0], [3.0, 3.0], 2)
    assert solution.assignment.toarray().tolist() == [[3.0, 0.0], [0.0, 3.0]]


def test_assignment_stands_where_the_program_gives_none(monkeypatch):
    table, weight, capacity = town()
    monkeypatch.setattr(
        "planner.locate.capacitated_exact.minimise", lambda *_, **__: Outcome(None, -np.inf)
    )
    solution = solve_capacitated(table, weight, capacity, 8, gap=0.01)
    check_assignment(solution, table, weight, capacity, solution.chosen.tolist())
    assert solution.bound >= solution.objective


def test_without_limits_it_is_maximal_covering():
    table, weight, _ = town()
    free = solve_capacitated(table, weight, np.full(60, np.inf), 7, gap=0.0)
    plain = solve_mclp(sparse.csr_array(np.isfinite(table)), weight, 7, gap=0.0)
    assert free.objective == plain.objective == free.bound


def test_more_capacity_never_serves_less():
    table, weight, capacity = town(n=30, m=100, radius=0.2)
    values = [
        solve_capacitated(table, weight, capacity * factor, 4, gap=0.0).objective
        for factor in (0.0, 0.3, 0.6, 1.0, 9.0)
    ]
    assert values[0] == 0.0
    assert values == sorted(values)


def test_capacity_of_existing_facilities_counts():
    travel = np.array([[1.0, 1.0], [1.0, 1.0]])
    solution = solve_capacitated(travel, [4.0, 4.0], [3.0, 4.0], 1, existing=[0])
    assert (solution.chosen.tolist(), solution.objective) == ([1], 7.0)


def test_order_of_rows_and_columns_does_not_change_the_objective():
    table, weight, capacity = town(n=30, m=100, radius=0.2)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(100), rng.permutation(30)
    one = solve_capacitated(table, weight, capacity, 5, gap=0.0)
    two = solve_capacitated(table[rows][:, columns], weight[rows], capacity[columns], 5, gap=0.0)
    assert (one.objective, one.bound) == (two.objective, two.bound)


def test_same_seed_same_answer():
    one, two = (solve_capacitated(*town(), 8, gap=0.01, rng=4) for _ in range(2))
    assert one.chosen.tolist() == two.chosen.tolist()
    assert (one.objective, one.bound) == (two.objective, two.bound)
    assert (one.assignment != two.assignment).nnz == 0


def test_bound_without_the_program_holds(monkeypatch):
    problem = town(n=30, m=100, radius=0.2)
    exact = solve_capacitated(*problem, 5, gap=0.0)
    monkeypatch.setattr("planner.locate.capacitated_exact._ENTRIES", -1)
    loose = solve_capacitated(*problem, 5, gap=0.0)
    assert loose.objective <= exact.objective <= loose.bound
    assert loose.gap < 0.05


def test_nothing_to_serve_is_no_trouble():
    none = solve_capacitated(np.zeros((0, 3)), [], np.ones(3), 2)
    assert (none.chosen.tolist(), none.objective, none.status) == ([0, 1], 0.0, "optimal")
    idle = solve_capacitated(np.ones((2, 3)), [0.0, 0.0], np.ones(3), 1)
    assert (idle.chosen.tolist(), idle.gap, idle.assignment.nnz) == ([0], 0.0, 0)
    apart = solve_capacitated(sparse.csr_array((2, 3)), [1.0, 2.0], np.ones(3), 1)
    assert (apart.objective, apart.bound, apart.assignment.shape) == (0.0, 0.0, (2, 3))


def test_steps_are_told_in_order_and_nothing_is_printed(capfd):
    steps = []
    solve_capacitated(*town(), 5, gap=0.01, on_step=lambda *step: steps.append(step))
    assert steps == sorted(steps)
    assert steps[-1] == (4, 4)
    assert capfd.readouterr() == ("", "")


GOOD = np.array([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SettingsError, "at least 1", {"count": 0}),
        (SettingsError, "only 3 candidates", {"count": 4}),
        (InputError, "negative", {"travel": -GOOD}),
        (InputError, "row 1", {"weight": [1.0, np.nan]}),
        (InputError, "one number a demand row", {"weight": [1.0]}),
        (InputError, "one number a candidate", {"capacity": [1.0]}),
        (InputError, "column 1", {"capacity": [1.0, -1.0, 2.0]}),
        (InputError, "NaN", {"capacity": [1.0, 1.0, np.nan]}),
        (InputError, "numbers", {"capacity": ["a", "b", "c"]}),
        (InputError, "`travel` has columns 0 to 2", {"existing": [9]}),
        (SettingsError, "required and forbidden", {"required": [1], "forbidden": [1]}),
        (NoSolutionError, "Raise `count`", {"required": [0, 1]}),
        (SettingsError, "time_limit_s", {"time_limit_s": 0.0}),
        (SettingsError, "gap", {"gap": 1.0}),
    ],
)
def test_bad_input_is_one_clear_error(error, words, change):
    with pytest.raises(error, match=words) as caught:
        solve_capacitated(
            change.pop("travel", GOOD),
            change.pop("weight", [1.0, 2.0]),
            change.pop("capacity", [2.0, 2.0, 2.0]),
            change.pop("count", 1),
            **change,
        )
    assert str(caught.value).rstrip().endswith(".")
