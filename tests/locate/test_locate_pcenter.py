"""p-center: against enumeration, published radii, laws, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_pcenter


def as_sparse(table):
    """Infinity is absent, 0 is an entry."""
    row, column = np.nonzero(np.isfinite(table))
    return sparse.csr_array((table[row, column], (row, column)), shape=table.shape)


def radius(table, weight, columns):
    asked = weight > 0
    nearest = table[asked][:, list(columns)].min(axis=1, initial=np.inf)
    return (weight[asked] * nearest).max(initial=0.0)


def least_radius(table, weight, count, *, existing=(), required=(), forbidden=()):
    """The optimum by looking at every choice."""
    free = [j for j in range(table.shape[1]) if j not in {*existing, *forbidden, *required}]
    return min(
        radius(table, weight, [*existing, *required, *chosen])
        for chosen in itertools.combinations(free, count - len(required))
    )


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n = draw(st.integers(1, 12)), draw(st.integers(2, 9))
    if draw(st.booleans()):
        table = rng.integers(0, 12, (m, n)).astype(float)
    else:
        table = np.hypot(*(rng.random((2, m, 1)) - rng.random((2, 1, n))))
    table[rng.random((m, n)) < draw(st.sampled_from([0.0, 0.2, 0.5]))] = np.inf
    weight = rng.integers(0, 4, m).astype(float) if draw(st.booleans()) else np.ones(m)
    roles = rng.permutation(n)
    roles = {"existing": roles[:1], "required": roles[1:2], "forbidden": roles[2:3]}
    if n < 5 or draw(st.booleans()):
        roles = {}
    lists = {name: [int(j) for j in columns] for name, columns in roles.items()}
    free = n - len(lists.get("existing", [])) - len(lists.get("forbidden", []))
    return table, weight, int(rng.integers(1, min(free, 5) + 1)), lists


@settings(max_examples=400, deadline=None, derandomize=True)
@given(problems(), st.booleans())
def test_radius_is_the_optimum_of_enumeration(problem, dense):
    table, weight, count, lists = problem
    optimum = least_radius(table, weight, count, **lists)
    travel = table if dense else as_sparse(table)
    if np.isinf(optimum):
        with pytest.raises(NoSolutionError, match="weight 0"):
            solve_pcenter(travel, count, weight=weight, gap=0.0, **lists)
        return
    solution = solve_pcenter(travel, count, weight=weight, gap=0.0, **lists)
    chosen = solution.chosen.tolist()
    assert solution.objective == solution.bound == optimum
    assert (solution.gap, solution.status) == (0.0, "optimal")
    assert len(chosen) == count
    assert chosen == sorted(set(chosen))
    assert set(lists.get("required", [])) <= set(chosen)
    assert not {*lists.get("existing", []), *lists.get("forbidden", [])} & set(chosen)
    assert radius(table, weight, [*lists.get("existing", []), *chosen]) == optimum


def town(n=90, m=250, seed=0):
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((2, n, 1)), rng.random((2, m, 1))
    return np.hypot(*(homes - sites.transpose(0, 2, 1)))


def test_more_facilities_are_never_farther():
    table = town()
    found = [solve_pcenter(table, p).objective for p in (1, 2, 4, 8, 16, 90)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == table.min(axis=1).max()


def test_existing_facilities_never_make_it_farther():
    table = town()
    without = solve_pcenter(table, 6, gap=0.0)
    having = solve_pcenter(table, 6, existing=without.chosen[:2], gap=0.0)
    fewer = solve_pcenter(table, 4, existing=without.chosen[:2], gap=0.0)
    assert having.objective <= without.objective
    assert fewer.objective == without.objective


def test_order_of_rows_and_columns_does_not_change_the_objective():
    table = town()
    rng = np.random.default_rng(1)
    mixed = table[rng.permutation(table.shape[0])][:, rng.permutation(table.shape[1])]
    one, two = solve_pcenter(table, 7, gap=0.0), solve_pcenter(mixed, 7, gap=0.0)
    assert (one.objective, one.bound) == (two.objective, two.bound)


def test_same_seed_same_answer():
    one, two = (solve_pcenter(town(), 9, rng=5) for _ in range(2))
    assert one.chosen.tolist() == two.chosen.tolist()
    assert one.objective == two.objective


def test_bound_without_the_program_holds(monkeypatch):
    table = town()
    exact = solve_pcenter(table, 9, gap=0.0)
    monkeypatch.setattr("planner.locate.setcover.whole._MIP_ENTRIES", -1)
    loose = solve_pcenter(table, 9, gap=0.0)
    assert exact.status == "optimal"
    assert loose.bound <= exact.objective <= loose.objective
    assert loose.gap < 0.2


def test_time_limit_leaves_a_choice_and_a_bound():
    table = town()
    exact = solve_pcenter(table, 9, gap=0.0)
    hasty = solve_pcenter(table, 9, gap=0.0, time_limit_s=1e-6)
    assert hasty.chosen.size == 9
    assert hasty.bound <= exact.objective <= hasty.objective
    assert hasty.status == "feasible"


def test_more_than_enough_are_filled_up():
    table = np.array([[0.0, 3.0, 5.0], [0.0, 2.0, 5.0]])
    solution = solve_pcenter(table, 2)
    assert (solution.chosen.tolist(), solution.objective) == ([0, 1], 0.0)
    none = solve_pcenter(np.zeros((0, 3)), 1)
    assert (none.chosen.tolist(), none.objective, none.status) == ([0], 0.0, "optimal")
    all_open = solve_pcenter(table, 1, existing=[0])
    assert (all_open.chosen.tolist(), all_open.objective) == ([1], 0.0)


def test_too_few_facilities_are_told_how_many_are_needed():
    travel = as_sparse(np.where(np.eye(3) > 0, 1.0, np.inf))
    with pytest.raises(NoSolutionError, match="at least 3 are needed"):
        solve_pcenter(travel, 2)
    assert solve_pcenter(travel, 2, weight=[1.0, 0.0, 1.0]).objective == 1.0


def test_steps_are_told_and_nothing_is_printed(capfd):
    steps = []
    solve_pcenter(town(), 5, on_step=lambda *step: steps.append(step))
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    assert capfd.readouterr() == ("", "")


GOOD = np.array([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SettingsError, "at least 1", {"count": 0}),
        (SettingsError, "only 3 candidates", {"count": 4}),
        (InputError, "row 1, column 2", {"travel": [[1.0, 2.0, 3.0], [2.0, 0.0, np.nan]]}),
        (InputError, "negative", {"travel": -GOOD}),
        (InputError, "negative", {"travel": sparse.csr_array(-GOOD)}),
        (InputError, "two dimensions", {"travel": [1.0, 2.0]}),
        (InputError, "two dimensions", {"travel": sparse.coo_array(GOOD[0])}),
        (InputError, "numbers", {"travel": [["a", "b"]]}),
        (InputError, "row 1", {"weight": [1.0, np.nan]}),
        (InputError, "one number a demand row", {"weight": [1.0]}),
        (InputError, "`travel` has columns 0 to 2", {"existing": [3]}),
        (InputError, "integers", {"required": [0.5]}),
        (SettingsError, "required and forbidden", {"required": [1], "forbidden": [1]}),
        (NoSolutionError, "Raise `count`", {"required": [0, 1]}),
        (NoSolutionError, "row 0", {"travel": [[np.inf, np.inf], [1.0, 2.0]]}),
        (SettingsError, "time_limit_s", {"time_limit_s": 0.0}),
        (SettingsError, "gap", {"gap": 1.0}),
    ],
)
def test_bad_input_is_one_clear_error(error, words, change):
    with pytest.raises(error, match=words) as caught:
        solve_pcenter(change.pop("travel", GOOD), change.pop("count", 1), **change)
    assert str(caught.value).rstrip().endswith(".")
