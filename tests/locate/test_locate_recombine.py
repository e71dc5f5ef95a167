"""Choices combined: never worse, the best where all can be tried, the same for the same seed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.compiled import working_seconds
from planner.locate import solve_mclp
from planner.locate.covering.anneal import anneal
from planner.locate.covering.bounds import relax
from planner.locate.covering.branch import only_count
from planner.locate.covering.heuristics import covered_weight, lazy_greedy
from planner.locate.covering.merge import combine, merge
from planner.locate.covering.presolve import make_core
from planner.locate.covering.recombine import improve_open, recombine
from planner.locate.problem import make_problem

seeds = st.integers(0, 10_000)


def town(seed, count, n=14, m=60, radius=0.3):
    """Cover and whole weights of points over the unit square."""
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((n, 2)), rng.random((m, 2))
    near = ((homes[:, None] - sites[None]) ** 2).sum(axis=2) <= radius**2
    core = make_core(make_problem(sparse.csr_array(near), count), sites)
    return core.cover, core.weigh(rng.integers(1, 40, m))


def best_of(cover, weight, columns, count):
    """The most that so many of some columns cover, by trying all."""
    return max(
        covered_weight(cover, weight, np.array(some, dtype=np.int64))
        for some in itertools.combinations(columns, min(count, len(columns)))
    )


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seeds, st.integers(2, 4), st.integers(3, 10))
def test_merged_is_the_best_of_the_union(seed, count, size):
    cover, weight = town(seed, count)
    n, rng = cover.start.size - 1, np.random.default_rng(seed)
    columns, known = rng.permutation(n)[:size], rng.permutation(n)[:count]
    found, _ = merge(cover, weight, known, columns)
    assert found.tolist() == sorted(set(found.tolist()))
    assert found.size == count
    pool = np.union1d(columns, known)
    assert np.isin(found, pool).all()
    assert covered_weight(cover, weight, found) == best_of(cover, weight, pool, count)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seeds, st.integers(3, 4), st.integers(1, 10))
def test_combined_is_the_best_of_all_that_recurs_and_with_little_work_no_worse(seed, count, size):
    cover, weight = town(seed, count)
    n, rng = cover.start.size - 1, np.random.default_rng(seed)
    often, known = np.zeros(n, dtype=np.int64), rng.permutation(n)[:count]
    often[rng.permutation(n)[:size]] = rng.integers(1, 5, min(n, size))
    found, _ = combine(cover, weight, known, often, work=1e9)
    pool = np.union1d(np.flatnonzero(often), known)
    assert covered_weight(cover, weight, found) == best_of(cover, weight, pool, count)
    hasty, _ = combine(cover, weight, known, often, work=0.0)
    assert len(set(hasty.tolist())) == count
    assert covered_weight(cover, weight, hasty) >= covered_weight(cover, weight, known)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seeds, st.integers(2, 5))
def test_recombined_is_never_worse_keeps_the_count_and_repeats_itself(seed, count):
    cover, weight = town(seed, count, n=40, m=200, radius=0.2)
    start = np.arange(count)  # a poor choice
    runs = [
        recombine(cover, weight, chosen=start, rng=np.random.default_rng(seed), work=work)
        for work in (2e5, 2e5)
    ]
    assert runs[0].tolist() == runs[1].tolist()
    assert len(set(runs[0].tolist())) == count
    assert covered_weight(cover, weight, runs[0]) >= covered_weight(cover, weight, start)
    again = recombine(cover, weight, chosen=runs[0], rng=np.random.default_rng(seed + 1), work=2e5)
    assert covered_weight(cover, weight, again) >= covered_weight(cover, weight, runs[0])


@pytest.mark.parametrize("seed", range(5))
def test_recombining_finds_the_optimum_of_a_small_town(seed):
    cover, weight = town(seed, 8, n=60, m=400, radius=0.15)
    start = np.arange(8)
    found = recombine(cover, weight, chosen=start, rng=np.random.default_rng(seed), work=2e6)
    matrix = sparse.csc_array((np.ones(cover.client.size), cover.client, cover.start))
    best = solve_mclp(matrix, weight, 8)
    assert best.status == "optimal"
    assert covered_weight(cover, weight, start) < best.objective
    assert covered_weight(cover, weight, found) == best.objective


def test_nothing_is_done_after_the_deadline_nor_once_enough_is_covered():
    cover, weight = town(3, 5, n=60, m=400, radius=0.15)
    start = np.arange(5)
    late = working_seconds() - 1.0
    options = {"chosen": start, "work": 1e12}
    found = recombine(cover, weight, rng=np.random.default_rng(0), deadline=late, **options)
    assert found.tolist() == start.tolist()
    top = int(covered_weight(cover, weight, start))
    rng = np.random.default_rng(0)
    assert recombine(cover, weight, rng=rng, enough=top, **options).tolist() == start.tolist()


def test_with_little_work_a_choice_is_annealed_and_never_worse():
    cover, weight = town(8, 6, n=60, m=400, radius=0.15)
    start = np.arange(6)
    runs = [
        recombine(cover, weight, chosen=start, rng=np.random.default_rng(1), work=4e4).tolist()
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0] == sorted(set(runs[0]))
    assert len(runs[0]) == 6
    assert covered_weight(cover, weight, np.array(runs[0])) > covered_weight(cover, weight, start)


def test_a_run_of_annealing_ends_at_the_deadline():
    cover, weight = town(4, 6, n=60, m=400, radius=0.15)
    first = lazy_greedy(cover, weight, 6)
    late = working_seconds() - 1.0
    limits = only_count(6, cover.start.size - 1)
    options = {"trials": 10**15, "rng": np.random.default_rng(0), "deadline": late}
    cooled = anneal(cover, weight, limits, first, **options)
    assert len(set(cooled.tolist())) == 6
    assert covered_weight(cover, weight, cooled) >= covered_weight(cover, weight, first)


def test_where_prices_leave_most_open_the_time_limit_as_a_number_says_how_much_is_searched():
    cover, weight = town(5, 12, n=400, m=3000, radius=0.12)
    assert weight.size > 2000
    chosen = lazy_greedy(cover, weight, 12)
    limits = only_count(12, cover.start.size - 1)
    relaxation = relax(cover, weight, limits, chosen=chosen, target=0, iterations=20)
    options = {"chosen": chosen, "relaxation": relaxation, "enough": relaxation.bound}
    one, two = (
        improve_open(cover, weight, rng=np.random.default_rng(7), limit_s=0.2, **options).tolist()
        for _ in range(2)
    )
    assert one == two
    assert covered_weight(cover, weight, np.array(one)) > covered_weight(cover, weight, chosen)
