"""Floors: equal to enumeration, kept, and refused in words where they cannot be kept."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate import solve_mclp
from planner.locate.covering import floors
from planner.locate.covering.floors import solve_floored_mclp

MANY = settings(max_examples=60, deadline=None, derandomize=True)


def draw_case(seed, rows=14, columns=7, groups=3):
    rng = np.random.default_rng(seed)
    cover = rng.random((rows, columns)) < rng.choice([0.12, 0.25, 0.4])
    weight = rng.integers(0, 9, rows) * rng.choice([1.0, 0.37])
    return cover, weight, rng.integers(0, groups, rows)


def least_share(cover, weight, group, choice):
    hit = cover[:, list(choice)].any(axis=1)
    totals = [(weight[hit & (group == g)].sum(), weight[group == g].sum()) for g in set(group)]
    return min([part / total for part, total in totals if total > 0], default=1.0)


def enumerate_best(cover, weight, group, count, floor, *, existing=(), apart=()):
    """Best value of at most `count` that keeps the floor, or None; and the fairest share."""
    best, fairest = None, 0.0
    free = [j for j in range(cover.shape[1]) if j not in existing]
    for k in range(count + 1):
        for choice in itertools.combinations(free, k):
            if any(a in choice and b in choice for a, b in apart):
                continue
            opened = (*existing, *choice)
            least = least_share(cover, weight, group, opened)
            fairest = max(fairest, least)
            if least >= floor - 1e-9:
                value = weight[cover[:, list(opened)].any(axis=1)].sum()
                best = value if best is None else max(best, value)
    return best, fairest


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([0.2, 0.5, 0.7, 1.0]))
def test_equals_enumeration(seed, count, floor):
    cover, weight, group = draw_case(seed)
    best, _ = enumerate_best(cover, weight, group, count, floor)
    matrix = sparse.csr_array(cover.astype(float))
    if best is None:
        with pytest.raises(NoSolutionError, match="floor cannot be kept"):
            solve_floored_mclp(matrix, weight, count, groups=group, floor=floor, gap=0)
        return
    solution = solve_floored_mclp(matrix, weight, count, groups=group, floor=floor, gap=0)
    assert solution.objective == pytest.approx(best)
    assert solution.bound >= best - 1e-9
    assert solution.gap < 1e-5  # floating point of HiGHS
    assert solution.chosen.size == count
    assert least_share(cover, weight, group, solution.chosen) >= floor - 1e-9


@MANY
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([0.3, 0.6]))
def test_existing_and_conflicts_are_kept(seed, count, floor):
    cover, weight, group = draw_case(seed)
    apart = np.array([[2, 3], [4, 5], [3, 6]])
    best, _ = enumerate_best(cover, weight, group, count, floor, existing=(0, 1), apart=apart)
    options = {"groups": group, "floor": floor, "existing": [0, 1], "conflicts": apart, "gap": 0}
    matrix = sparse.csr_array(cover.astype(float))
    if best is None:
        with pytest.raises(NoSolutionError, match="floor cannot be kept"):
            solve_floored_mclp(matrix, weight, count, **options)
        return
    solution = solve_floored_mclp(matrix, weight, count, **options)
    assert solution.objective == pytest.approx(best)
    assert solution.bound >= best - 1e-9
    assert not any(a in solution.chosen and b in solution.chosen for a, b in apart)


@MANY
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_a_higher_floor_never_covers_more(seed, count):
    cover, weight, group = draw_case(seed)
    matrix, values = sparse.csr_array(cover.astype(float)), []
    for floor in (0.0, 0.2, 0.4, 0.6):
        try:
            found = solve_floored_mclp(matrix, weight, count, groups=group, floor=floor, gap=0)
        except NoSolutionError:
            break
        values.append(found.objective)
    assert values[0] == solve_mclp(matrix, weight, count, gap=0).objective
    assert (np.diff(values) <= 1e-9).all()


def test_the_most_that_a_group_can_get_is_told():
    cover = sparse.csr_array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    with pytest.raises(NoSolutionError, match=r"in 'north': at most 25.0% of its demand"):
        solve_floored_mclp(
            cover, [4, 2, 2, 6], 3, groups=["south", "south", "north", "north"], floor=0.3
        )
    with pytest.raises(NoSolutionError, match=r"in 'south': at most 66.6% of its demand"):
        solve_floored_mclp(
            cover, [4, 2, 2, 0], 1, groups=["south", "south", "north", "north"], floor=0.7
        )


def test_floors_that_exclude_each_other_are_told():
    cover = sparse.csr_array([[1.0, 0], [0, 1]])
    with pytest.raises(NoSolutionError, match=r"everywhere at once: .* '[ab]' gets 0.0%"):
        solve_floored_mclp(cover, [4, 2], 1, groups=["a", "b"], floor=0.5)


def made_town(rows=3000, columns=150):
    """Points and sites in a square of four districts, cover within a tenth of its side."""
    rng = np.random.default_rng(5)
    here, there = rng.random((rows, 2)) ** 1.5, rng.random((columns, 2)) ** 1.5
    near = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1)) < 0.1
    district = (here[:, 0] > 0.5) * 2 + (here[:, 1] > 0.5)
    return sparse.csr_array(near.astype(float)), rng.integers(1, 50, rows), district


@pytest.mark.parametrize("entries", [0, 10**6])
def test_a_floor_in_a_town_is_kept_and_bounded_with_and_without_the_program(monkeypatch, entries):
    monkeypatch.setattr(floors, "_MIP_ENTRIES", entries)
    cover, weight, district = made_town()
    solution = solve_floored_mclp(cover, weight, 12, groups=district, floor=0.25, time_limit_s=20)
    free = solve_mclp(cover, weight, 12)
    assert least_share(cover.toarray() > 0, weight, district, solution.chosen) >= 0.25 - 1e-9
    assert solution.objective <= solution.bound <= free.bound
    assert solution.objective < free.objective  # the floor costs something here
    assert solution.gap < 0.03
    assert solution.status == ("optimal" if solution.gap <= 1e-4 else "feasible")


def test_a_floor_that_is_neither_found_nor_excluded_is_told_so(monkeypatch):
    monkeypatch.setattr(floors, "_MIP_ENTRIES", 0)
    cover, weight, district = made_town()
    words = r"nor a proof that there is none: .* '\d' gets \d.*Lower the floor"
    with pytest.raises(NoSolutionError, match=words):
        solve_floored_mclp(cover, weight, 12, groups=district, floor=0.5, time_limit_s=20)


def test_every_group_that_cannot_be_served_enough_is_named():
    cover = sparse.csr_array([[1.0, 0], [0, 1], [0, 0], [0, 0]])
    with pytest.raises(NoSolutionError) as error:
        solve_floored_mclp(cover, [1, 1, 2, 3], 2, groups=["a", "b", "a", "b"], floor=0.5)
    for words in ("in 'b': at most 25.0%", "in 'a': at most 33.3%", "Lower the floor to that"):
        assert words in str(error.value)


def test_what_makes_no_sense_is_refused():
    cover = sparse.csr_array([[1.0, 0], [0, 1]])
    with pytest.raises(SettingsError, match=r"`floor` must be from 0 to 1. Got 1.2."):
        solve_floored_mclp(cover, [4, 2], 1, groups=["a", "b"], floor=1.2)
    with pytest.raises(InputError, match="`groups` must name one a demand row"):
        solve_floored_mclp(cover, [4, 2], 1, groups=["a"], floor=0.2)
