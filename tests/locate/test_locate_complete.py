"""Nearly complete covers: the books are right, nothing gets worse, a hidden cover is found."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.compiled import working_seconds
from planner.locate import solve_mclp
from planner.locate.covering.complete import complete, nearly_complete
from planner.locate.covering.exchange import (
    BARE,
    SIZE,
    SPENT,
    STEP,
    grow,
    start_exchange,
    take_step,
)
from planner.locate.covering.heuristics import covered_weight
from planner.locate.covering.presolve import make_core
from planner.locate.problem import make_problem

seeds = st.integers(0, 10_000)


def town(seed, n=20, m=80, radius=0.3):
    """Cover and whole weights of points over the unit square."""
    rng = np.random.default_rng(seed)
    sites, homes = rng.random((n, 2)), rng.random((m, 2))
    near = ((homes[:, None] - sites[None]) ** 2).sum(axis=2) <= radius**2
    core = make_core(make_problem(sparse.csr_array(near), 1), sites)
    return core.cover, core.weigh(rng.integers(1, 40, m))


def hidden(seed, count, m=400, n=120, share=0.6):
    """Return a cover in which only some facilities, which share nothing, cover everyone.

    Returns it as clients x candidates with weights; the others hold a part of two of those.
    """
    rng = np.random.default_rng(seed)
    part = rng.permutation(m) % count
    rows = [part == k for k in range(count)]
    for _ in range(n - count):
        two = np.isin(part, rng.choice(count, 2, replace=False))
        rows.append(two & (rng.random(m) < share))
    order = rng.permutation(n)
    return sparse.csr_array(np.array(rows)[order].T), rng.integers(1, 40, m)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seeds, st.integers(1, 6), st.integers(0, 60), st.booleans())
def test_what_exchanges_note_is_what_the_choice_covers(seed, count, steps, dear):
    cover, weight = town(seed)
    n, rng = cover.start.size - 1, np.random.default_rng(seed)
    cost = rng.integers(1, 4, n) if dear else np.ones(n, dtype=np.int64)
    room = int(cost[:count].sum())
    state = start_exchange(cover, cost, weight.copy(), np.arange(count))
    growth = rng.integers(1, 5, weight.size)
    for _ in range(steps):
        take_step(cover, cost, state, room, rng)
        grow(cover, state, growth)
        assert state.tally[SPENT] <= room
    chosen = np.flatnonzero(state.inside)
    assert sorted(state.line[: state.tally[SIZE]].tolist()) == chosen.tolist()
    assert state.tally[SPENT] == cost[chosen].sum()
    assert state.tally[STEP] == steps + 1
    own = [set(cover.client[cover.start[j] : cover.start[j + 1]].tolist()) for j in range(n)]
    times = np.array([sum(i in own[j] for j in chosen) for i in range(weight.size)])
    assert state.times.tolist() == times.tolist()
    assert sorted(state.bare[: state.tally[BARE]].tolist()) == np.flatnonzero(times == 0).tolist()
    for j in range(n):
        alone = 1 if state.inside[j] else 0
        assert state.score[j] == sum(state.weight[i] for i in own[j] if times[i] == alone)
    extra = state.weight - weight
    assert (extra % growth == 0).all()
    assert (extra <= steps * growth).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seeds, st.integers(1, 6), st.sampled_from([1e3, 1e5, 2e6]))
def test_completed_is_never_worse_keeps_the_count_and_repeats_itself(seed, count, work):
    cover, weight = town(seed)
    start = np.arange(count)  # a poor choice
    runs = [
        complete(cover, weight, chosen=start, rng=np.random.default_rng(seed), work=work)
        for _ in range(2)
    ]
    assert runs[0].tolist() == runs[1].tolist()
    assert len(set(runs[0].tolist())) == count
    assert covered_weight(cover, weight, runs[0]) >= covered_weight(cover, weight, start)


@pytest.mark.parametrize("seed", range(8))
def test_completed_is_the_best_where_all_can_be_tried(seed):
    cover, weight = town(seed, n=16, m=60, radius=0.45)
    n = cover.start.size - 1
    count = min(4, n)
    best = max(
        covered_weight(cover, weight, np.array(some))
        for some in itertools.combinations(range(n), count)
    )
    found = complete(
        cover, weight, chosen=np.arange(count), rng=np.random.default_rng(seed), work=1e6
    )
    assert covered_weight(cover, weight, found) == best


@pytest.mark.parametrize("seed", range(5))
def test_a_hidden_cover_is_found(seed):
    matrix, weight = hidden(seed, 12)
    core = make_core(make_problem(matrix, 12))
    weight = core.weigh(weight)
    start = np.argsort(-np.diff(core.cover.start), kind="stable")[:12]  # the largest
    assert covered_weight(core.cover, weight, start) < weight.sum()
    rng = np.random.default_rng(seed)
    found = complete(core.cover, weight, chosen=np.sort(start), rng=rng, work=1e8)
    assert covered_weight(core.cover, weight, found) == weight.sum()


def test_where_much_is_left_one_round_is_enough(monkeypatch):
    monkeypatch.setattr("planner.locate.covering.complete._ROUND", 1e6)
    cover, weight = town(1, n=60, m=400, radius=0.1)
    start = np.arange(5)
    found = [
        complete(cover, weight, chosen=start, rng=np.random.default_rng(0), work=work)
        for work in (1e6, 1e12)
    ]
    assert not nearly_complete(cover, weight, found[1])
    assert found[0].tolist() == found[1].tolist()


def test_without_time_what_was_known_is_kept():
    cover, weight = town(2)
    start = np.array([3, 1, 2])
    now = working_seconds() - 1.0
    found = complete(
        cover, weight, chosen=start, rng=np.random.default_rng(0), work=1e12, deadline=now
    )
    assert found.tolist() == [1, 2, 3]


def test_a_large_hidden_cover_is_proven_to_cover_everyone():
    matrix, weight = hidden(3, 40, m=6000, n=2500, share=0.7)
    solution = solve_mclp(matrix, weight, 40, time_limit_s=60.0, gap=0.0)
    assert solution.status == "optimal"
    assert solution.objective == weight.sum()
