"""Covering under capacities: against enumeration, plain programs, laws, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import maximum_flow

from planner.compiled import working_seconds
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_capacitated, solve_mclp
from planner.locate.capacitated.assign import assign
from planner.locate.capacitated.bound import _certify
from planner.locate.capacitated.flow import make_net, served
from planner.locate.capacitated.rules import pose_rules
from planner.locate.setcover.reduce import as_cover


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
    monkeypatch.setattr("planner.locate.capacitated.exact._ENTRIES", -1)
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


def best_with_kinds(reach, weight, capacity, rules, roles):
    """The optimum by looking at every choice that keeps count, budget and exclusions."""
    n, must = reach.shape[1], roles.get("required", [])
    closed = {*roles.get("existing", []), *roles.get("forbidden", []), *must}
    free = [j for j in range(n) if j not in closed]
    best = None
    for size in range(len(free) + 1):
        for picked in itertools.combinations(free, size):
            chosen = [*must, *picked]
            if keeps(rules, chosen):
                value = most_served(reach, weight, capacity, [*roles.get("existing", []), *chosen])
                best = value if best is None else max(best, value)
    return best


def keeps(rules, chosen):
    paid = rules["cost"][chosen].sum() <= rules["budget"] + 1e-9
    few = rules["count"] is None or rules["places"][chosen].sum() <= rules["count"]
    apart = not any({int(a), int(b)} <= set(chosen) for a, b in rules["conflicts"])
    return paid and few and apart


@st.composite
def problems_with_kinds(draw):
    """Places of which each has up to three kinds, existing ones that can be enlarged."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, sites = draw(st.integers(1, 8)), draw(st.integers(2, 4))
    table = rng.integers(0, 12, (m, sites)).astype(float)
    table[rng.random((m, sites)) < draw(st.sampled_from([0.2, 0.5]))] = np.inf
    weight, room = rng.integers(0, 9, m), rng.integers(0, 15, sites).astype(float)
    cost = rng.integers(1, 6, sites).astype(float) / 2
    owner = [*range(sites), *range(sites)]
    grown = draw(st.booleans())
    places = np.ones(2 * sites, dtype=int)
    existing = [0] if grown else []
    places[sites] = 0 if grown else 1
    pairs = [(j, sites + j) for j in range(1 if grown else 0, sites)]
    if draw(st.booleans()):
        pairs.append((1, sites + 0))
    capacity = np.concatenate([room, 2 * room + 1])
    roles = {"existing": existing}
    if draw(st.booleans()) and sites > 2:
        roles |= {"required": [sites - 1], "forbidden": [sites + 1]}
    rules = {
        "cost": np.concatenate([cost, 1.7 * cost]),
        "budget": float(cost[-1] + rng.integers(0, 8) / 2),
        "count": draw(st.sampled_from([None, 1, 2, 3])),
        "conflicts": np.array(pairs, dtype=int).reshape(-1, 2),
        "places": places,
    }
    return table[:, owner], weight, capacity, rules, roles


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems_with_kinds())
def test_kinds_under_one_budget_are_the_optimum_of_enumeration(problem):
    table, weight, capacity, rules, roles = problem
    optimum = best_with_kinds(np.isfinite(table), weight, capacity, rules, roles)
    options = {name: rules[name] for name in ("cost", "budget", "conflicts", "places")}
    solution = solve_capacitated(
        as_sparse(table), weight, capacity, rules["count"], gap=0.0, **options, **roles
    )
    assert (solution.objective, solution.bound, solution.status) == (optimum, optimum, "optimal")
    assert keeps(rules, solution.chosen.tolist())
    assert set(roles.get("required", [])) <= set(solution.chosen.tolist())
    assert not {*roles["existing"], *roles.get("forbidden", [])} & set(solution.chosen.tolist())
    opened = [*roles["existing"], *solution.chosen.tolist()]
    check_assignment(solution, table, weight, capacity, opened)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(problems_with_kinds(), st.integers(0, 2**32 - 1))
def test_any_multipliers_bound_every_choice(problem, seed):
    """The bound holds wherever the search for multipliers stops, and the losses beside it."""
    table, weight, capacity, rules, roles = problem
    reach = np.isfinite(table)
    asked = pose_rules(
        reach.shape[1], rules["count"], existing=roles["existing"],
        required=roles.get("required", []), forbidden=roles.get("forbidden", []),
        cost=rules["cost"], budget=rules["budget"], conflicts=rules["conflicts"],
        places=rules["places"],
    )  # fmt: skip
    kept = weight > 0
    room = np.minimum(capacity, weight.sum()).astype(np.int64)
    net = make_net(as_cover(sparse.csc_array(reach[kept])), weight[kept].astype(np.int64), room)
    rng = np.random.default_rng(seed)
    relaxation = _certify(
        net, asked.opened, asked.rules, rng.random(int(kept.sum())), rng.random(), 1
    )
    optimum = best_with_kinds(reach, weight, capacity, rules, roles)
    assert relaxation.bound >= optimum
    for j in asked.rules.free:
        forced = roles | {"required": [*roles.get("required", []), int(j)]}
        value = best_with_kinds(reach, weight, capacity, rules, forced)
        assert value is None or value <= relaxation.bound + 1 - relaxation.loss[j] + 1e-6


def least_travel(table, weight, capacity, columns, total):
    """The least travel of all that serve so much, by scipy's linear programming."""
    row, place = np.nonzero(np.isfinite(table[:, columns]))
    if total == 0:
        return 0.0
    cells = np.arange(row.size)
    ones = np.ones(row.size)
    limits = sparse.vstack(
        [
            sparse.csr_array((ones, (row, cells)), shape=(len(weight), row.size)),
            sparse.csr_array((ones, (place, cells)), shape=(len(columns), row.size)),
        ]
    )
    room = np.minimum(capacity[columns], weight.sum())
    answer = linprog(
        table[:, columns][row, place], A_ub=limits, b_ub=np.concatenate([weight, room]),
        A_eq=np.ones((1, row.size)), b_eq=[total],
    )  # fmt: skip
    return answer.fun


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems())
def test_assignment_is_a_maximum_of_least_travel(problem):
    table, weight, capacity, *_ = problem
    columns = np.arange(table.shape[1])
    parts, gap = assign(as_sparse(table), weight.astype(float), capacity, np.inf)
    total = most_served(np.isfinite(table), weight, capacity, columns)
    assert (parts.sum(), gap) == (total, 0.0)
    travel = (parts.toarray() * np.where(np.isfinite(table), table, 0.0)).sum()
    assert travel == pytest.approx(least_travel(table, weight, capacity, columns, total), abs=1e-6)


@pytest.mark.parametrize("limit", [0, 40, 120])
def test_assignment_cut_short_is_a_maximum_and_tells_its_travel(limit, monkeypatch):
    table, weight, capacity = town(n=25, m=250, radius=0.3)
    columns = np.arange(25)
    total = most_served(np.isfinite(table), weight.astype(int), capacity, columns)
    monkeypatch.setattr("planner.locate.capacitated.assign._CHUNK", 40)
    stops = iter([0.0] * (limit // 40) + [2.0] * 10)
    monkeypatch.setattr("planner.locate.capacitated.assign.working_seconds", lambda: next(stops))
    parts, gap = assign(as_sparse(table), weight, capacity, 1.0)
    least = least_travel(table, weight, capacity, columns, total)
    travel = parts.multiply(np.where(np.isfinite(table), table, 0.0)).sum()
    assert parts.sum() == total
    assert travel >= least - 1e-6
    assert travel * (1 - gap) <= least + 1e-6


def test_a_larger_budget_never_serves_less():
    table, weight, capacity = town(n=30, m=100, radius=0.2)
    cost = np.random.default_rng(3).integers(1, 9, 30).astype(float)
    values = [
        solve_capacitated(table, weight, capacity, None, cost=cost, budget=b, gap=0.0).objective
        for b in (0.0, 4.0, 9.0, 16.0, 1000.0)
    ]
    assert values[0] == 0.0
    assert values == sorted(values)


def test_enlarging_takes_no_place():
    travel = np.array([[1.0, 2.0, 1.0], [1.0, 3.0, 1.0]])
    options = {"existing": [0], "cost": [0.0, 5.0, 1.0], "places": [1, 1, 0]}
    solution = solve_capacitated(travel, [6, 6], [4.0, 4.0, 4.0], 1, budget=6.0, **options)
    assert (solution.chosen.tolist(), solution.objective) == ([1, 2], 12.0)
    poor = solve_capacitated(travel, [6, 6], [4.0, 4.0, 4.0], 1, budget=5.0, **options)
    assert (poor.objective, poor.bound) == (8.0, 8.0)


def test_time_limit_cuts_and_still_answers():
    table, weight, capacity = town(n=150, m=2000, radius=0.2)
    began = working_seconds()
    solution = solve_capacitated(table, weight, capacity, 12, gap=0.0, time_limit_s=0.5)
    assert working_seconds() - began < 15
    assert solution.objective <= solution.bound
    check_assignment(solution, table, weight, capacity, solution.chosen.tolist())


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
        (SettingsError, "go together", {"budget": 1.0}),
        (SettingsError, "budget", {"cost": np.ones(3), "budget": -1.0}),
        (InputError, "column 1", {"cost": [1.0, np.nan, 1.0], "budget": 1.0}),
        (InputError, "`conflicts` names", {"conflicts": [[0, 7]]}),
        (NoSolutionError, "Raise the budget", {"required": [1], "cost": np.ones(3), "budget": 0.5}),
        (NoSolutionError, "exclude", {"count": 2, "required": [0, 1], "conflicts": [[0, 1]]}),
        (SettingsError, "takes no place", {"places": [1, 1, 0]}),
        (InputError, "0 or 1", {"places": [1, 2, 0], "cost": np.ones(3), "budget": 1.0}),
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
