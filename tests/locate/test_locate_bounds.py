"""Presolve, order, bounds, cuts, branching and search of the covering model, each by itself."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.locate.covering.anneal import anneal
from planner.locate.covering.bounds import Warm, relax
from planner.locate.covering.branch import Tree, branch, only_count
from planner.locate.covering.cuts import carry, make_cuts
from planner.locate.covering.heuristics import covered_weight, search
from planner.locate.covering.nodes import excluded
from planner.locate.covering.order import make_runs, order_clients, place_candidates
from planner.locate.covering.presolve import make_core, merge_clients, reduce
from planner.locate.covering.separate import find_sets, find_support
from planner.locate.covering.tighten import tighten
from planner.locate.covering.windows import improve
from planner.locate.problem import make_problem


def scattered(n, m, radius, seed):
    """Candidates' coordinates, cover and whole weights of points over the unit square."""
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((n, 2)), rng.random((m, 2))
    near = ((homes[:, None] - sites[None]) ** 2).sum(axis=2) <= radius**2
    return sites, sparse.csr_array(near), rng.integers(1, 40, m)


def small_core(seed, count, n=14, m=60, radius=0.3):
    sites, cover, whole = scattered(n, m, radius, seed)
    core = make_core(make_problem(cover, count), sites)
    return core, core.weigh(whole), sites[core.columns]


def optimum(cover, weight, count):
    n = cover.start.size - 1
    return max(
        covered_weight(cover, weight, np.array(c, dtype=np.int64))
        for c in itertools.combinations(range(n), min(count, n))
    )


def posed(core, weight, count):
    n = core.columns.size
    count = min(count, n)
    limits = only_count(count, n)
    chosen = search(core.cover, weight, limits, rng=np.random.default_rng(0), coolings=0)
    return limits, chosen


def tightened(cover, weight, most, found, **options):
    warm = Warm(found.share, found.multiplier, found.balance)
    return tighten(cover, weight, most, warm=warm, target=0, **options)


seeds = st.integers(0, 10_000)
counts = st.integers(1, 6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds, counts)
def test_cuts_never_bound_under_the_optimum_nor_over_the_relaxation(seed, count):
    core, weight, _ = small_core(seed, count)
    limits, chosen = posed(core, weight, count)
    loose = relax(core.cover, weight, limits, chosen=chosen, target=0)
    if limits.most >= core.columns.size:
        return
    tight = tightened(core.cover, weight, limits.most, loose, rng=np.random.default_rng(seed))
    assert optimum(core.cover, weight, count) <= tight.relaxation.bound <= loose.bound + 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds, counts, st.booleans())
def test_what_is_excluded_or_forced_loses_no_better_choice(seed, count, cut):
    core, weight, _ = small_core(seed, count, n=12)
    limits, chosen = posed(core, weight, count)
    n, p = core.columns.size, limits.most
    if p >= n:
        return
    found = relax(core.cover, weight, limits, chosen=chosen, target=0)
    if cut:
        rng = np.random.default_rng(0)
        found = tightened(core.cover, weight, p, found, rng=rng).relaxation
    value = covered_weight(core.cover, weight, chosen)
    out, into = excluded(found, p, value, 1)
    for choice in itertools.combinations(range(n), p):
        if covered_weight(core.cover, weight, np.array(choice)) > value:
            assert not out[list(choice)].any()
            assert set(np.flatnonzero(into)) <= set(choice)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds, st.integers(3, 6))
def test_sets_found_are_odd_and_as_broken_as_told(seed, count):
    core, weight, _ = small_core(seed, count, n=40, m=200, radius=0.2)
    limits, chosen = posed(core, weight, count)
    found = relax(core.cover, weight, limits, chosen=chosen, target=0)
    share = np.where(found.share > 0.01, found.share, 0.0)  # smaller ones are left aside
    dense = np.zeros((share.size, weight.size))
    for j in range(share.size):
        dense[j, core.cover.client[core.cover.start[j] : core.cover.start[j + 1]]] = 1.0
    counted = np.minimum(1.0, share @ dense)
    support = find_support(core.cover, found.share, counted, weight.astype(float))
    for size in (3, 5):
        rng = np.random.default_rng(seed)
        sets, gain, work = find_sets(support, size, 200, 2, 0.0, rng)
        assert work > 0
        for row, told in zip(sets, gain, strict=True):
            members = row[:size]
            assert np.unique(members).size == size
            assert (row[size:] == weight.size).all()
            held = dense[:, members].sum(axis=1)
            broken = counted[members].sum() - share @ np.ceil(held / 2) - (size - 1) / 2
            assert told == pytest.approx(broken * weight[members].min(), abs=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds, st.booleans())
def test_sets_carried_to_a_smaller_problem_bound_it_too(seed, cover_some):
    core, weight, _ = small_core(seed, 4, n=16, m=80, radius=0.25)
    limits, chosen = posed(core, weight, 4)
    n = core.columns.size
    if n < 9:
        return
    loose = relax(core.cover, weight, limits, chosen=chosen, target=0)
    tight = tightened(core.cover, weight, 4, loose, rng=np.random.default_rng(0))
    alive = np.ones(weight.size, dtype=bool)
    if cover_some:
        alive[core.cover.client[core.cover.start[0] : core.cover.start[1]]] = False
    small = reduce(core.cover, weight, np.arange(1, n - 1), alive)
    if small.keep.size <= 3:
        return
    sets = carry(tight.sets, weight.astype(float), small.group, small.weight.size)
    assert (sets.size % 2 == 1).all()
    for row, size in zip(sets.member, sets.size, strict=True):
        assert np.unique(row[:size]).size == size > 1
        assert (row[:size] < small.weight.size).all()
        assert (row[size:] == small.weight.size).all()
    cuts = make_cuts(small.cover, small.weight.astype(float), sets.member, sets.size)
    assert np.isfinite(cuts.scale).all()
    even = Warm(np.full(small.keep.size, 0.3), np.full(small.weight.size, 0.5), 0.3)
    again = tighten(
        small.cover, small.weight, 3, warm=even, target=0, rng=np.random.default_rng(0), sets=sets
    )
    assert again.relaxation.bound >= optimum(small.cover, small.weight, 3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds, counts)
def test_branching_on_cuts_finds_the_optimum_and_proves_it(seed, count):
    core, weight, _ = small_core(seed, count, n=15, radius=0.25)
    limits, _ = posed(core, weight, count)
    worst = np.arange(limits.most)
    found = relax(core.cover, weight, limits, target=0, iterations=25)
    tree = Tree(core.cover, weight, worst)
    node = tree.root(limits.most, found, np.inf)
    node = tree.lower(node, 3e5, np.inf)
    proved = tree.run(node, 1e9, np.inf)
    best = optimum(core.cover, weight, count)
    assert proved.bound == best
    assert covered_weight(core.cover, weight, proved.chosen) == best


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds, counts)
def test_branching_finds_the_optimum_and_proves_it(seed, count):
    core, weight, _ = small_core(seed, count, n=15, radius=0.25)
    limits, _ = posed(core, weight, count)
    worst = np.arange(limits.most)  # whatever comes first: branching has to find the way
    found = relax(core.cover, weight, limits, target=0, iterations=25)
    proved = branch(core.cover, weight, limits.most, chosen=worst, relaxation=found)
    best = optimum(core.cover, weight, count)
    assert proved.bound == best
    assert covered_weight(core.cover, weight, proved.chosen) == best
    assert proved.chosen.size <= limits.most


def test_branching_stopped_at_once_still_bounds():
    core, weight, _ = small_core(3, 5, n=40, m=400, radius=0.15)
    limits, chosen = posed(core, weight, 5)
    found = relax(core.cover, weight, limits, chosen=chosen, target=0)
    whole = branch(core.cover, weight, 5, chosen=chosen, relaxation=found)
    stopped = branch(core.cover, weight, 5, chosen=chosen, relaxation=found, work=-1.0)
    assert whole.bound <= stopped.bound <= found.bound
    known = branch(core.cover, weight, 5, chosen=chosen[:0], known=whole.bound, relaxation=found)
    assert known.chosen.size == 0  # nothing is better than the best


@pytest.mark.parametrize("seed", range(4))
def test_windows_and_annealing_never_lose_and_keep_the_count(seed):
    core, weight, points = small_core(seed, 8, n=120, m=900, radius=0.1)
    limits, chosen = posed(core, weight, 8)
    value = covered_weight(core.cover, weight, chosen)
    found = relax(core.cover, weight, limits, chosen=chosen, target=0)
    better = improve(
        core.cover,
        weight,
        chosen=chosen,
        relaxation=found,
        points=points,
        rng=np.random.default_rng(0),
    )
    rng = np.random.default_rng(seed)
    cooled = anneal(core.cover, weight, limits, chosen, trials=20_000, rng=rng)
    for choice in (better, cooled):
        assert np.unique(choice).size == 8
        assert value <= covered_weight(core.cover, weight, choice) <= found.bound


def test_annealing_keeps_budget_and_conflicts():
    sites, cover, whole = scattered(60, 300, 0.15, 1)
    cost = np.random.default_rng(0).integers(1, 5, 60).astype(float)
    pairs = np.argwhere(np.triu(np.hypot(*(sites[:, None] - sites).transpose(2, 0, 1)) < 0.2, 1))
    problem = make_problem(cover, None, cost=cost, budget=14.0, conflicts=pairs)
    core = make_core(problem)
    weight, limits = core.weigh(whole), problem.limits
    first = search(core.cover, weight, limits, rng=np.random.default_rng(0), coolings=0)
    rng = np.random.default_rng(0)
    chosen = anneal(core.cover, weight, limits, first, trials=30_000, rng=rng)
    assert cost[chosen].sum() <= 14.0
    assert not np.isin(pairs, chosen).all(axis=1).any()
    assert covered_weight(core.cover, weight, chosen) >= covered_weight(core.cover, weight, first)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(seeds, st.sampled_from([0.1, 0.5, 0.9]))
def test_merged_clients_are_those_with_the_same_candidates(seed, density):
    rng = np.random.default_rng(seed)
    dense = rng.random((40, 4)) < density
    matrix = sparse.csc_array(dense)
    start, client = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    short, merged, group = merge_clients(start, client, 40)
    kept = [tuple(row) for row in dense if row.any()]
    assert [g >= 0 for g in group] == dense.any(axis=1).tolist()
    assert group.max(initial=-1) + 1 == len(set(kept))
    for one, two in itertools.combinations(np.flatnonzero(group >= 0), 2):
        assert (group[one] == group[two]) == (dense[one] == dense[two]).all()
    for j in range(4):
        assert set(merged[short[j] : short[j + 1]]) == set(group[dense[:, j]])


@pytest.mark.parametrize("hint", [True, False])
def test_order_makes_few_runs_that_hold_the_same_clients(hint):
    sites, cover, _ = scattered(150, 1500, 0.1, 0)
    core = make_core(make_problem(cover, 5), sites if hint else None)
    small = core.cover
    runs = make_runs(small)
    assert runs.first.size < small.client.size / (4 if hint else 2)
    for j in range(small.start.size - 1):
        own = small.client[small.start[j] : small.start[j + 1]]
        spans = range(runs.start[j], runs.start[j + 1])
        held = [np.arange(runs.first[k], runs.stop[k]) for k in spans]
        assert np.concatenate(held).tolist() == own.tolist()
        rows = cover[:, [core.columns[j]]].nonzero()[0]
        assert sorted(set(core.group[rows])) == own.tolist()


def test_order_is_a_numbering_and_hints_may_be_useless():
    sites, cover, _ = scattered(30, 200, 0.2, 2)
    small = make_core(make_problem(cover, 5)).cover
    for xy in (None, np.full((30, 2), np.nan), np.zeros((30, 2)), sites):
        kept = xy if xy is None else xy[: small.start.size - 1]
        place = order_clients(small, kept)
        assert sorted(place) == list(range(small.back.size - 1))
        assert np.isfinite(place_candidates(small, kept)).all()


def test_pattern_counts_zeros_and_repeats_once_in_every_format():
    row, column = np.array([2, 0, 2, 1, 2]), np.array([1, 0, 1, 1, 0])
    coo = sparse.coo_array((np.array([0.0, 1.0, 3.0, -3.0, 2.0]), (row, column)), shape=(3, 2))
    order = np.lexsort((np.arange(5), row))
    start = np.array([0, 1, 2, 5])
    csr = sparse.csr_array((np.zeros(5), column[order], start), shape=(3, 2))
    turned = sparse.csc_array(
        (np.zeros(5), np.array([2, 0, 2, 1, 2]), np.array([0, 2, 5])), shape=(3, 2)
    )
    for cover in (coo, csr, turned):
        before = [getattr(cover, name).copy() for name in ("data",)]
        matrix = make_problem(cover, 1).matrix
        assert matrix.indptr.tolist() == [0, 2, 4]
        assert matrix.indices.tolist() in ([0, 2, 1, 2], [0, 2, 1, 2])
        assert cover.data.tolist() == before[0].tolist()
