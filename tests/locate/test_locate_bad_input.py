"""Every solver tells in one sentence what is wrong, and never calls an unproven choice optimal."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_lscp, solve_mclp, solve_pcenter, solve_pmedian
from planner.locate.covering.floors import solve_floored_mclp

SOME = settings(max_examples=60, deadline=None, derandomize=True)
TRAVEL = np.array(
    [[1.0, 9, 5, 7], [2, 1, 5, 7], [9, 1, 5, 7], [9, 9, 1, 7], [np.inf, np.inf, np.inf, 2]]
)
WEIGHT = np.array([3.0, 1, 2, 4, 1])


def as_travel(table):
    row, column = np.nonzero(np.isfinite(table) | np.isnan(table))
    return sparse.csr_array((table[row, column], (row, column)), shape=table.shape)


def mclp(table, weight, count, **options):
    return solve_mclp(as_travel(table), weight, count, **options)


def floored(table, weight, count, **options):
    options = {"groups": ["a", "a", "b", "b", "b"][: len(table)], "floor": 0.1} | options
    return solve_floored_mclp(as_travel(table), weight, count, **options)


def lscp(table, weight, count, **options):
    return solve_lscp(as_travel(table), weight=weight, **options)


def pmedian(table, weight, count, **options):
    return solve_pmedian(as_travel(table), weight, count, **options)


def pcenter(table, weight, count, **options):
    return solve_pcenter(as_travel(table), count, weight=weight, **options)


ALL = [mclp, floored, lscp, pmedian, pcenter]
COUNTED = [mclp, floored, pmedian, pcenter]
SERVING = [lscp, pmedian, pcenter]  # all demand must be served
NOBODY = np.full(TRAVEL.shape, np.inf)
BAD = np.where(TRAVEL == 9, np.nan, TRAVEL)
ONES = np.ones(4)
CASES = [
    (COUNTED, {"count": 0}, SettingsError, "`count` must be a whole number of at least 1. Got 0"),
    (COUNTED, {"count": -1}, SettingsError, "Got -1"),
    (COUNTED, {"count": 5}, SettingsError, "only 4 candidates may be chosen"),
    (COUNTED, {"count": 4, "forbidden": [3]}, SettingsError, "only 3 candidates may be chosen"),
    (COUNTED, {"count": 1, "required": [0, 1]}, NoSolutionError, "2 candidates are required but"),
    (ALL, {"weight": -WEIGHT}, InputError, "finite and not negative. Got -3.0 in row 0"),
    (ALL, {"weight": WEIGHT * np.nan}, InputError, "Got nan in row 0"),
    (ALL, {"weight": WEIGHT[:2]}, InputError, "one number a demand row"),
    (ALL, {"required": [1], "forbidden": [1]}, SettingsError, "both required and forbidden"),
    (ALL, {"required": [9]}, InputError, "`required` names column 9"),
    (
        ALL,
        {"required": [1, 2], "conflicts": [[2, 1]]},
        NoSolutionError,
        "candidates 1, 2 exclude each other",
    ),
    (ALL, {"conflicts": np.array([[1, 9]])}, InputError, "`conflicts` names a column outside"),
    (ALL, {"budget": 2.0}, SettingsError, "`cost`"),
    (ALL, {"budget": np.nan, "cost": ONES}, SettingsError, "`budget` must be finite"),
    (ALL, {"budget": 1.0, "cost": ONES, "required": [0, 1]}, NoSolutionError, "budget"),
    (ALL, {"budget": 9.0, "cost": -ONES}, InputError, "`cost` must be finite and not negative"),
    (SERVING, {"budget": 0.5, "cost": ONES}, NoSolutionError, ""),
    (SERVING, {"table": NOBODY}, NoSolutionError, "out of every"),
    ([pmedian, pcenter], {"table": BAD}, InputError, "`travel` must not be negative or NaN"),
    ([pmedian, pcenter], {"table": -TRAVEL}, InputError, "`travel` must not be negative"),
    ([floored], {"floor": 1.0, "forbidden": [3]}, NoSolutionError, "in 'b': at most 85.7%"),
    ([floored, lscp, pmedian], {"floor": 1.5}, SettingsError, "`floor` must be from 0 to 1"),
    ([lscp, pmedian], {"floor": 0.5}, InputError, "`floor` needs `groups`"),
    ([lscp], {"target_share": 0.0}, SettingsError, "`target_share` must be greater than 0"),
    (ALL, {"time_limit_s": 0.0}, SettingsError, "`time_limit_s` must be greater than 0"),
    (ALL, {"gap": -0.1}, SettingsError, "`gap` must be at least 0"),
]


@pytest.mark.parametrize(
    ("solver", "change", "error", "words"),
    [
        pytest.param(solver, *rest, id=f"{number}-{solver.__name__}")
        for number, (solvers, *rest) in enumerate(CASES)
        for solver in solvers
    ],
)
def test_bad_input_is_one_clear_message(solver, change, error, words):
    asked = {"table": TRAVEL, "weight": WEIGHT, "count": 2} | change
    with pytest.raises(error) as caught:
        solver(**asked)
    said = str(caught.value)
    assert words in said
    assert "\n" not in said
    assert said.endswith(".")


@pytest.mark.parametrize("solver", ALL)
def test_what_is_open_already_may_do_all(solver):
    """Nothing is left to gain: that is an answer, and a proven one."""
    table = np.column_stack([np.zeros(5), TRAVEL])
    solution = solver(table, WEIGHT, 1, existing=[0])
    assert (solution.status, solution.gap) == ("optimal", 0.0)
    best = {"mclp": WEIGHT.sum(), "floored": WEIGHT.sum()}.get(solver.__name__, 0.0)
    assert solution.objective == solution.bound == best


@pytest.mark.parametrize("solver", ALL)
def test_a_candidate_offered_twice_changes_nothing(solver):
    twice = np.column_stack([TRAVEL, TRAVEL[:, [2, 0]]])
    one, two = solver(TRAVEL, WEIGHT, 3), solver(twice, WEIGHT, 3)
    assert one.status == two.status == "optimal"
    assert one.objective == two.objective


def draw(seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 12, (24, 9)).astype(float)
    table[rng.random(table.shape) < 0.4] = np.inf
    table[:, 0] = 30.0  # reaches everybody, if from afar
    pairs = np.array(list(itertools.combinations(range(1, 9), 2)))
    limits = {"conflicts": pairs[rng.random(len(pairs)) < 0.2]}
    if rng.random() < 0.5:
        limits |= {"cost": rng.integers(1, 4, 9).astype(float), "budget": 6.0}
    return table, rng.integers(1, 9, 24).astype(float), limits


def worths(solver, table, weight, limits):
    """What every allowed choice of at most 3 is worth; of lscp of any number."""
    for k in range(10 if solver is lscp else 4):
        for choice in itertools.combinations(range(9), k):
            spent = limits.get("cost", np.zeros(9))[list(choice)].sum()
            apart = not any(a in choice and b in choice for a, b in limits["conflicts"])
            if apart and (solver is lscp or spent <= limits.get("budget", np.inf)):
                near = table[:, choice].min(axis=1, initial=np.inf)
                yield choice, spent, near


@SOME
@given(st.integers(0, 10**6), st.sampled_from([mclp, lscp, pmedian, pcenter]))
def test_without_time_nothing_is_called_optimal_that_is_not(seed, solver):
    table, weight, limits = draw(seed)
    found = list(worths(solver, table, weight, limits))
    if solver is mclp:
        best = -max(weight[np.isfinite(near)].sum() for _, _, near in found)
    elif solver is lscp:
        best = min(
            spent if "cost" in limits else len(choice)
            for choice, spent, near in found if np.isfinite(near).all()
        )  # fmt: skip
        limits.pop("budget", None)
    elif solver is pmedian:
        best = min(weight @ near for _, _, near in found)
    else:
        best = min((weight * near).max() for _, _, near in found)
    solution = said = None
    try:
        solution = solver(table, weight, 3, **limits, time_limit_s=1e-9, gap=0.0)
    except NoSolutionError as error:
        said = str(error)
    if solution is None:
        assert best == np.inf or "nor a proof" in said or "seem to be" in said
        return
    sign = -1 if solver is mclp else 1
    assert sign * solution.objective >= best - 1e-9 * abs(best)
    assert sign * solution.bound <= best + 1e-9 * abs(best)
    if solution.status == "optimal":
        assert sign * solution.objective == pytest.approx(best)
