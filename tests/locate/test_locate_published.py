"""Published location problems: optima are reached, and no bound or value lies beyond them."""

import numpy as np
import pytest
from published_places import (
    COUNTS,
    best_census,
    best_graph,
    read_census,
    read_graph,
    read_quarter,
)

from planner.locate import solve_mclp, solve_pcenter, solve_pmedian

LISTS = [(name, count) for name in ("NewYork", "Bronx") for count in COUNTS]


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "locate"


@pytest.mark.parametrize(("name", "count"), LISTS)
def test_census_is_bounded_however_soon_the_time_is_up(folder, name, count):
    cover, demand = read_census(folder, name)
    best = best_census(folder, name, count, cover, demand)
    solution = solve_mclp(cover, demand, count, time_limit_s=1e-3)
    covered = demand[cover[:, solution.chosen].sum(axis=1) > 0].sum()
    assert solution.objective == pytest.approx(covered)
    assert 0.99 * best <= solution.objective <= solution.bound
    assert solution.bound >= best
    assert solution.status == "feasible"


@pytest.mark.parametrize(("name", "count"), LISTS[::5])
def test_census_is_reached_and_bounded(folder, name, count):
    cover, demand = read_census(folder, name)
    best = best_census(folder, name, count, cover, demand)
    solution = solve_mclp(cover, demand, count, time_limit_s=4)
    assert solution.objective >= 0.995 * best
    assert solution.bound >= best
    assert solution.gap < 0.02


@pytest.mark.parametrize("number", range(1, 21))
def test_graphs_are_bounded_however_soon_the_time_is_up(folder, number):
    table, count = read_graph(folder, number)
    for solve, file in (
        (lambda: solve_pmedian(table, np.ones(len(table)), count, time_limit_s=1e-3), "pmedopt"),
        (lambda: solve_pcenter(table, count, time_limit_s=1e-3), "kcenteropt"),
    ):
        solution = solve()
        optimum = best_graph(folder, number, f"{file}.txt")
        assert solution.bound <= optimum <= solution.objective
        assert solution.status == "feasible" or solution.objective == optimum


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 9, 10, 12, 15, 20])
def test_optima_of_graphs_are_reached_and_proven(folder, number):
    table, count = read_graph(folder, number)
    optimum = best_graph(folder, number, "pmedopt.txt")
    solution = solve_pmedian(table, np.ones(len(table)), count, gap=0.0)
    assert solution.objective == solution.bound == optimum
    assert solution.status == "optimal"


@pytest.mark.parametrize("number", [1, 2, 5, 8, 10, 12, 14, 15, 17, 20])
def test_radii_of_graphs_are_reached_and_proven(folder, number):
    table, count = read_graph(folder, number)
    radius = best_graph(folder, number, "kcenteropt.txt")
    solution = solve_pcenter(table, count, gap=0.0)
    assert solution.objective == solution.bound == radius
    assert solution.status == "optimal"


@pytest.mark.parametrize(
    ("size", "count", "optimum"),
    [
        (324, 5, 4393323.500881745),
        (324, 20, 1738437.5386455655),
        (402, 50, 1303673.1767140024),
        (500, 10, 6094948.91074114),
    ],
)
def test_quarters_are_proven(folder, size, count, optimum):
    """Values proven here once, to 1e-6: the papers round distances each in their way."""
    table, weight = read_quarter(folder, size)
    solution = solve_pmedian(table, weight, count, gap=2e-6)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(optimum, rel=2e-6)
    assert solution.bound <= optimum * (1 + 1e-12)
