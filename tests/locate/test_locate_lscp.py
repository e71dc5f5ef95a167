"""Set covering, whole and in part: against enumeration, plain programs, laws, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_lscp, solve_mclp
from planner.locate.setcover.reduce import as_cover, reduce_cover
from planner.locate.setcover.whole import cover_all


def csr(cover):
    """Explicit zeros: only the pattern counts."""
    row, column = np.nonzero(cover)
    return sparse.csr_array((np.zeros(row.size), (row, column)), shape=cover.shape)


def share_of(cover, weight, columns):
    reached = weight[cover[:, list(columns)].any(axis=1)].sum() if len(columns) else 0.0
    return reached / weight.sum() if weight.sum() else 1.0


def least_cost(cover, weight, cost, share, *, existing=(), required=(), forbidden=()):
    """The optimum by looking at every choice; None where nothing covers enough."""
    free = [j for j in range(cover.shape[1]) if j not in {*existing, *forbidden, *required}]
    costs = [
        cost[[*required, *chosen]].sum()
        for size in range(len(free) + 1)
        for chosen in itertools.combinations(free, size)
        if share_of(cover, weight, [*existing, *required, *chosen]) >= share - 1e-12
    ]
    return min(costs, default=None)


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, n = draw(st.integers(1, 14)), draw(st.integers(2, 9))
    cover = rng.random((m, n)) < draw(st.sampled_from([0.15, 0.3, 0.6]))
    whole = draw(st.booleans())
    weight = rng.integers(0, 9, m).astype(float) if whole else rng.random(m) * 100.0
    kind = draw(st.sampled_from(["none", "whole", "real"]))
    cost = {"none": np.ones(n), "whole": rng.integers(0, 7, n), "real": rng.random(n)}[kind]
    roles = rng.permutation(n)
    roles = {"existing": roles[:1], "required": roles[1:2], "forbidden": roles[2:3]}
    if n < 5 or draw(st.booleans()):
        roles = {}
    share = draw(st.sampled_from([1.0, 0.3, 0.55, 0.8, 0.95]))
    return cover, weight, None if kind == "none" else cost.astype(float), roles, share


@settings(max_examples=300, deadline=None, derandomize=True)
@given(problems())
def test_cost_is_the_optimum_of_enumeration_and_bound_holds(problem):
    cover, weight, cost, roles, share = problem
    price = np.ones(cover.shape[1]) if cost is None else cost
    lists = {name: [int(j) for j in columns] for name, columns in roles.items()}
    optimum = least_cost(cover, weight, price, share, **lists)
    arguments = {"weight": weight, "target_share": share, "cost": cost, **roles}
    arguments["gap"] = 0.0 if (price == np.rint(price)).all() else 1e-5
    if optimum is None:
        with pytest.raises(NoSolutionError, match="offer more candidates"):
            solve_lscp(csr(cover), **arguments)
        return
    solution = solve_lscp(csr(cover), **arguments)
    chosen = solution.chosen.tolist()
    assert solution.objective == pytest.approx(optimum, rel=1e-9, abs=1e-12)
    assert solution.bound <= optimum * (1 + 1e-12)
    assert solution.objective == pytest.approx(price[chosen].sum(), rel=1e-12, abs=0)
    assert solution.status == "optimal"
    assert chosen == sorted(set(chosen))
    assert set(lists.get("required", [])) <= set(chosen)
    assert not {*lists.get("existing", []), *lists.get("forbidden", [])} & set(chosen)
    reached = share_of(cover, weight, [*lists.get("existing", []), *chosen])
    assert reached >= share - 1e-9


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems())
def test_reduction_keeps_the_optimum(problem):
    cover, _, cost, _, _ = problem
    cover = cover[cover.any(axis=1)]
    if not cover.size:
        return
    price = np.ones(cover.shape[1]) if cost is None else cost
    whole = np.rint(price * 1000).astype(np.int64)
    small = reduce_cover(as_cover(sparse.csc_array(cover)), whole)
    left = np.zeros((small.cover.back.size - 1, small.columns.size), dtype=bool)
    left[
        small.cover.client, np.repeat(np.arange(small.columns.size), np.diff(small.cover.start))
    ] = True
    ones = np.ones(cover.shape[0])
    optimum = least_cost(cover, ones, whole, 1.0)
    rest = least_cost(left, np.ones(left.shape[0]), small.cost, 1.0)
    assert rest + whole[small.forced].sum() == optimum


@settings(max_examples=150, deadline=None, derandomize=True)
@given(problems(), st.integers(1, 6))
def test_whether_enough_will_do_is_decided(problem, enough):
    cover = problem[0][problem[0].any(axis=1)]
    if not cover.size:
        return
    ones = np.ones(cover.shape[1], dtype=np.int64)
    optimum = least_cost(cover, np.ones(cover.shape[0]), ones, 1.0)
    found = cover_all(
        as_cover(sparse.csc_array(cover)), ones, enough=enough, rng=np.random.default_rng(0)
    )
    assert cover[:, found.chosen].any(axis=1).all()
    assert (found.chosen.size <= enough) == (optimum <= enough)
    assert found.bound <= optimum
    assert optimum <= enough or found.bound > enough


def city(n=150, m=500, radius=0.12, seed=0):
    """Candidates and demand scattered over the unit square; every demand has a candidate."""
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((n, 2)), rng.random((m, 2))
    near = ((homes[:, None] - sites[None]) ** 2).sum(axis=2) <= radius**2
    near = near[near.any(axis=1)]
    return sparse.csr_array(near), rng.integers(1, 40, near.shape[0]).astype(float)


def plain_program(cover, weight, cost, share):
    """Scipy's solver on the whole model."""
    m, n = cover.shape
    links = sparse.hstack([-cover.astype(float), sparse.eye_array(m)])
    total = sparse.csr_array(np.concatenate([np.zeros(n), weight])[None])
    return milp(
        np.concatenate([cost, np.zeros(m)]),
        constraints=[
            LinearConstraint(links, ub=0.0),
            LinearConstraint(total, lb=np.ceil(share * weight.sum())),
        ],
        integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    ).fun


@pytest.mark.parametrize("share", [0.8, 1.0])
@pytest.mark.parametrize("priced", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_optimum_is_that_of_the_plain_program(seed, priced, share):
    cover, weight = city(n=50, m=140, radius=0.2, seed=seed)
    cost = np.random.default_rng(seed).integers(3, 12, 50).astype(float)
    solution = solve_lscp(
        cover, weight=weight, target_share=share, cost=cost if priced else None, gap=0.0
    )
    plain = plain_program(cover, weight, cost if priced else np.ones(50), share)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(plain, abs=1e-6)
    assert solution.bound == pytest.approx(plain, abs=1e-6)


def test_one_site_fewer_covers_less_than_the_share():
    """The two covering models agree with each other."""
    cover, weight = city()
    for share in (0.7, 0.9):
        fewest = solve_lscp(cover, weight=weight, target_share=share, gap=0.0)
        count = int(fewest.objective)
        assert fewest.status == "optimal"
        assert solve_mclp(cover, weight, count, gap=0.0).objective >= share * weight.sum()
        assert solve_mclp(cover, weight, count - 1, gap=0.0).bound < share * weight.sum()


def test_a_greater_share_never_costs_less():
    cover, weight = city()
    shares = (0.2, 0.5, 0.75, 0.9, 0.97, 1.0)
    found = [solve_lscp(cover, weight=weight, target_share=s) for s in shares]
    assert [s.objective for s in found] == sorted(s.objective for s in found)
    for share, solution in zip(shares, found, strict=True):
        assert share_of(cover.toarray(), weight, solution.chosen) >= share - 1e-9
        assert solution.bound <= solution.objective


def test_existing_stations_never_cost_more():
    cover, weight = city()
    for share in (0.8, 1.0):
        without = solve_lscp(cover, weight=weight, target_share=share)
        existing = without.chosen[:2]
        having = solve_lscp(cover, weight=weight, target_share=share, existing=existing)
        assert having.objective <= without.objective - 2
        assert not set(existing.tolist()) & set(having.chosen.tolist())


def test_order_of_rows_and_columns_does_not_change_the_objective():
    cover, weight = city(n=80, m=250, radius=0.17)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(cover.shape[0]), rng.permutation(cover.shape[1])
    for share in (0.85, 1.0):
        plain = solve_lscp(cover, weight=weight, target_share=share, gap=0.0)
        mixed = solve_lscp(
            cover[rows][:, columns], weight=weight[rows], target_share=share, gap=0.0
        )
        assert (plain.objective, plain.bound) == (mixed.objective, mixed.bound)


def test_same_seed_same_answer():
    cover, weight = city()
    for share in (0.85, 1.0):
        one, two = (solve_lscp(cover, weight=weight, target_share=share, rng=3) for _ in range(2))
        assert one.chosen.tolist() == two.chosen.tolist()
        assert (one.objective, one.bound) == (two.objective, two.bound)


@pytest.mark.parametrize("share", [0.9, 1.0])
def test_bound_without_the_program_holds(monkeypatch, share):
    cover, weight = city()
    exact = solve_lscp(cover, weight=weight, target_share=share, gap=0.0)
    monkeypatch.setattr("planner.locate.setcover.whole._MIP_ENTRIES", -1)
    monkeypatch.setattr("planner.locate.setcover.partial._MIP_ENTRIES", -1)
    loose = solve_lscp(cover, weight=weight, target_share=share, gap=0.0)
    assert exact.status == "optimal"
    assert loose.bound <= exact.objective <= loose.objective
    assert loose.gap <= 0.15


def test_rows_without_weight_need_no_cover():
    cover = sparse.csr_array(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]]))
    assert solve_lscp(cover, weight=[1.0, 0.0, 0.0]).chosen.tolist() == [0]
    nothing = solve_lscp(cover, weight=np.zeros(3))
    assert (nothing.chosen.size, nothing.objective, nothing.gap) == (0, 0.0, 0.0)
    assert nothing.status == "optimal"


def test_what_is_covered_already_needs_nothing():
    cover = sparse.csr_array(np.ones((3, 2), dtype=int))
    for share in (0.5, 1.0):
        solution = solve_lscp(cover, target_share=share, existing=[1])
        assert (solution.chosen.tolist(), solution.objective) == ([], 0.0)
    kept = solve_lscp(cover, required=[1], cost=[2.0, 3.0])
    assert (kept.chosen.tolist(), kept.objective, kept.bound) == ([1], 3.0, 3.0)


def test_message_tells_a_share_that_can_be_covered():
    cover = sparse.csr_array(np.array([[1, 0], [0, 1], [0, 0]]))
    weight = [5.0, 4.0, 2.0]
    with pytest.raises(NoSolutionError, match=r"1 demand rows.*row 2.*share of 0\.818181\."):
        solve_lscp(cover, weight=weight)
    assert solve_lscp(cover, weight=weight, target_share=0.818181).chosen.tolist() == [0, 1]


def test_ties_go_to_the_smallest_column():
    twins = sparse.csr_array(np.ones((3, 4), dtype=int))
    assert solve_lscp(twins).chosen.tolist() == [0]
    assert solve_lscp(twins, target_share=0.5).chosen.tolist() == [0]


def test_steps_are_told_in_order_and_nothing_is_printed(capfd):
    steps = []
    cover, weight = city(n=40, m=80, radius=0.2)
    solve_lscp(cover, weight=weight, target_share=0.9, on_step=lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert capfd.readouterr() == ("", "")


GOOD = sparse.csr_array(np.array([[1, 0, 1], [0, 1, 1]]))


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SettingsError, "target_share", {"target_share": 0.0}),
        (SettingsError, "target_share", {"target_share": 1.2}),
        (SettingsError, "target_share", {"target_share": float("nan")}),
        (InputError, "row 1", {"weight": [1.0, np.nan]}),
        (InputError, "not negative", {"weight": [1.0, -2.0]}),
        (InputError, "one number a demand row", {"weight": [1.0]}),
        (InputError, "sparse", {"cover": np.eye(2)}),
        (InputError, "column 3", {"existing": [3]}),
        (InputError, "integers", {"required": [0.5]}),
        (SettingsError, "required and forbidden", {"required": [1], "forbidden": [1]}),
        (InputError, "one number a candidate", {"cost": np.ones(2)}),
        (InputError, "not negative", {"cost": -np.ones(3)}),
        (InputError, "finite", {"cost": [1.0, np.nan, 1.0]}),
        (InputError, "finite", {"cost": [1.0, np.inf, 1.0]}),
        (InputError, "numbers", {"cost": ["a", "b", "c"]}),
        (NoSolutionError, "out of every candidate's reach", {"forbidden": [0, 2]}),
        (NoSolutionError, "out of every", {"cover": sparse.csr_array((2, 3))}),
        (SettingsError, "time_limit_s", {"time_limit_s": 0.0}),
        (SettingsError, "gap", {"gap": -0.1}),
    ],
)
def test_bad_input_is_one_clear_error(error, words, change):
    with pytest.raises(error, match=words) as caught:
        solve_lscp(change.pop("cover", GOOD), **change)
    assert str(caught.value).rstrip().endswith(".")
