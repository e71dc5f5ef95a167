"""Replica exchange: the books are right, choices come up as often as their heat says."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.compiled import working_seconds
from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.presolve import make_core
from planner.locate.covering.temper import make_ladder, start_chains, temper
from planner.locate.problem import make_problem

seeds = st.integers(0, 10_000)


def town(seed, count, n=20, m=80, radius=0.3):
    """Cover and whole weights of points over the unit square."""
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((n, 2)), rng.random((m, 2))
    near = ((homes[:, None] - sites[None]) ** 2).sum(axis=2) <= radius**2
    core = make_core(make_problem(sparse.csr_array(near), count), sites)
    return core.cover, core.weigh(rng.integers(1, 40, m))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds, st.integers(1, 6))
def test_what_a_search_notes_of_its_choice_is_what_the_choice_covers(seed, count):
    cover, weight = town(seed, count)
    heat = make_ladder(cover, weight, count, 5.0)
    chains = start_chains(cover, weight, np.arange(count), heat.size)
    rng = np.random.default_rng(seed)
    best = temper(cover, weight, chains, heat, trials=4000, rng=rng)
    assert sorted(chains.turn.tolist()) == list(range(heat.size))
    for k, line in enumerate(chains.rows.line):
        assert np.flatnonzero(chains.rows.inside[k]).tolist() == sorted(line.tolist())
        value = covered_weight(cover, weight, line)
        assert chains.value[k] == value
        alone = [value - covered_weight(cover, weight, np.delete(line, q)) for q in range(count)]
        assert chains.rows.loss[k].tolist() == alone
    met = [covered_weight(cover, weight, line) for line in best]
    assert min(met) >= covered_weight(cover, weight, np.arange(count))
    assert max(met) >= chains.value.max()
    assert all(len(set(line.tolist())) == count for line in best)


@pytest.mark.parametrize("seed", range(3))
def test_choices_come_up_as_often_as_their_temperature_says(seed):
    cover, weight = town(seed, 2, n=7, m=30, radius=0.4)
    n = cover.start.size - 1
    pairs = list(itertools.combinations(range(n), 2))
    value = np.array([covered_weight(cover, weight, np.array(pair)) for pair in pairs])
    heat = np.array([value.std()])
    expected = np.exp((value - value.max()) / heat)
    expected /= expected.sum()
    chains, rng = start_chains(cover, weight, np.arange(2), 1), np.random.default_rng(seed)
    met = dict.fromkeys(pairs, 0)
    for _ in range(20_000):  # each a single step: a quarter of so few candidates
        temper(cover, weight, chains, heat, trials=1, rng=rng)
        met[tuple(sorted(chains.rows.line[0].tolist()))] += 1
    shares = np.array(list(met.values())) / 20_000
    assert expected.max() > 2 * expected.min()
    assert np.abs(shares - expected).sum() / 2 < 0.04


def test_the_less_one_more_would_add_the_colder_the_coldest():
    cover, weight = town(1, 5)
    wide, narrow = (make_ladder(cover, weight, 5, margin) for margin in (0.0, 1e9))
    assert wide[0] == narrow[0]
    assert wide[-1] < narrow[-1] / 10
    assert wide.size > narrow.size
    for ladder in (wide, narrow):
        assert (np.diff(ladder) < 0).all()
        assert (ladder[:-1] / ladder[1:] < 1.31).all()


def test_where_everything_is_covered_already_temperatures_stay_above_zero():
    cover, weight = town(2, 3, n=6, m=20, radius=2.0)
    assert (make_ladder(cover, weight, 1, 0.0) > 0).all()


def test_after_the_deadline_nothing_is_tried_and_a_seed_repeats_itself():
    cover, weight = town(3, 4)
    start, heat = np.arange(4), make_ladder(cover, weight, 4, 5.0)
    late = working_seconds() - 1.0
    chains = start_chains(cover, weight, start, heat.size)
    options = {"trials": 10**15, "rng": np.random.default_rng(0), "deadline": late}
    assert (temper(cover, weight, chains, heat, **options) == start).all()
    runs = [
        temper(
            cover, weight, start_chains(cover, weight, start, heat.size), heat, trials=3000,
            rng=np.random.default_rng(5),
        ).tolist()
        for _ in range(2)
    ]  # fmt: skip
    assert runs[0] == runs[1]
