"""Held-out days and hours: what is known on paper, laws, and what is chosen when data are thin."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.samples import Samples
from planner.siting import choose_stations
from planner.siting.held_out import deal_days, measure_held_out
from planner.siting.stability import measure_stability

FEW = settings(max_examples=40, deadline=None, derandomize=True)
NONE = {"existing": np.empty(0, np.int64), "conflicts": np.empty((0, 2), np.int64), "required": ()}


def make_samples(days, dayparts=(), *, hours=None, weekend=None, workers=10):
    """Every day's visits shared evenly by so many workers."""
    days = np.asarray(days, dtype=float)
    rows = np.repeat(days / workers, workers, axis=0)
    day = np.repeat(np.arange(len(days)), workers)
    weekend = np.zeros(len(days), dtype=bool) if weekend is None else np.array(weekend)
    points = days.shape[1]
    index = pd.Index([f"d{k:03d}" for k in range(points)], name="demand_id")
    parts, none = np.array(dayparts, dtype=float).reshape(-1, points), np.empty((0, points))
    hours, part = (none, np.empty(0, np.int64)) if hours is None else map(np.array, hours)
    return Samples(index, sparse.csr_array(rows), day, weekend, parts, hours, part, 5)


def hold_out(cover, samples, count, chosen=(), **options):
    weight = samples.days().mean(axis=0)
    return measure_held_out(
        sparse.csr_array(cover), weight, chosen, count, days=float(samples.weekend.size),
        rng=np.random.default_rng(0), samples=samples, **(NONE | options),
    )  # fmt: skip


def test_two_days_that_differ_are_judged_by_each_other():
    """Each day one of three places is busiest, and not on the other."""
    samples = make_samples([[60.0, 30.0, 10.0], [20.0, 50.0, 30.0]])
    held = hold_out(np.eye(3), samples, 1)
    assert held["by"] == "days"
    assert (held["low"], held["high"]) == (0.2, 0.3)  # of day 1 by day 2's choice, and back
    assert held["share"] == pytest.approx((30 + 20) / 200)
    assert held["chosen_share"] == pytest.approx((60 + 50) / 200)


@FEW
@given(st.integers(0, 10**6), st.integers(2, 14), st.integers(1, 4))
def test_identical_days_hold_out_what_was_planned(seed, days, count):
    rng = np.random.default_rng(seed)
    cover, visits = rng.random((30, 8)) < 0.2, rng.integers(1, 50, 30).astype(float)
    cover[0, 0] = True
    samples = make_samples(np.tile(visits, (days, 1)))
    held = hold_out(cover, samples, count)
    assert held["by"] == "days"
    assert held["runs"] == min(days, 10)
    assert held["low"] == pytest.approx(held["high"]) == pytest.approx(held["chosen_share"])
    assert held["share"] == pytest.approx(held["chosen_share"])


@FEW
@given(st.integers(0, 10**6), st.integers(2, 30))
def test_shares_lie_within_the_range_told(seed, days):
    rng = np.random.default_rng(seed)
    samples = make_samples(rng.poisson(4.0, (days, 40)) + 0.1)
    held = hold_out(rng.random((40, 12)) < 0.15, samples, 3)
    assert 0 <= held["low"] <= held["share"] <= held["high"] <= 1


def test_workdays_and_weekends_keep_their_five_to_two():
    """Place 0 leads on an average day, place 1 on the days as they come."""
    week = [[10.0, 0.0], [10.0, 0.0], [0.0, 20.0], [0.0, 20.0], [0.0, 20.0]]
    samples = make_samples(week, weekend=[False, False, True, True, True])
    held = hold_out(np.eye(2), samples, 1)
    # by five to two place 0 has 7.1 a day, place 1 has 5.7, whichever day is left out
    assert held["high"] == 1.0
    assert held["low"] == 0.0
    assert held["share"] == pytest.approx(20 / 80)


def test_a_thin_day_goes_along_with_another():
    visits, workers = np.array([100.0, 3.0, 90.0, 80.0]), np.array([50, 9, 40, 4])
    assert deal_days(visits, workers, 5).tolist() == [0, 0, 1, 1]
    parts = deal_days(np.full(60, 5.0), np.full(60, 9), 5)
    assert np.bincount(parts).tolist() == [6] * 10


def test_one_day_is_held_out_by_dayparts():
    parts = [[50.0, 10.0, 0.0], [10.0, 30.0, 0.0], [0.0, 0.0, 15.0]]
    samples = make_samples([np.sum(parts, axis=0)], parts)
    held = hold_out(np.eye(3), samples, 1)
    # without the first part place 1 leads, without the others place 0 does
    assert held["by"] == "dayparts"
    assert (held["low"], held["high"]) == (0.0, 0.25)
    assert held["share"] == pytest.approx((10 + 10 + 0) / 115)


def test_the_range_is_told_of_hours_and_thin_ones_are_left_out():
    parts = [[50.0, 10.0], [10.0, 30.0]]
    hours = [[40.0, 0.0], [10.0, 8.0], [0.0, 2.0], [0.0, 25.0], [10.0, 5.0]], [0, 0, 0, 1, 1]
    samples = make_samples([np.sum(parts, axis=0)], parts, hours=hours)
    held = hold_out(np.eye(2), samples, 1)
    # the first part is judged by place 1, the other by place 0; the third hour is thin
    assert (held["low"], held["high"]) == (0.0, pytest.approx(10 / 15))
    assert held["share"] == pytest.approx(20 / 100)
    again = hold_out(np.eye(2), samples.take(samples.demand_id[::-1]), 1)
    assert again == held


def test_of_many_days_the_range_leaves_out_the_extremes():
    rng = np.random.default_rng(2)
    days = np.tile([10.0, 10.0], (60, 1))
    days[0] = [0.0, 20.0]
    held = hold_out(np.array([[1], [0]]), make_samples(rng.permutation(days)), 1)
    assert held["share"] == pytest.approx(59 * 10 / 1200)
    assert (held["low"], held["high"]) == (held["share"], 0.5)  # one day of sixty has none


def test_one_day_and_one_daypart_leave_visits():
    samples = make_samples([[50.0, 30.0, 20.0]], [[50.0, 30.0, 20.0]])
    held = hold_out(np.eye(3), samples, 1)
    assert (held["by"], held["runs"]) == ("visits", 20)


def make_case(rng, days, **weights):
    xy = rng.uniform(0, 4000, (30, 2))
    weight = days.mean(axis=0)
    demand = make_demand(xy, weight, **weights)
    demand.attrs["demand"] = {"days": len(days), "dayparts": {"noon": [0, 12], "night": [12, 24]}}
    candidates = make_candidates([f"corner:{k}" for k in range(8)], rng.uniform(0, 4000, (8, 2)))
    return make_reach(demand, candidates, straight(demand, candidates)), demand, candidates


def test_the_choice_tells_days_and_its_rows_may_be_shuffled():
    rng = np.random.default_rng(5)
    days = rng.poisson(6.0, (4, 30)) + 1.0
    reach, demand, candidates = make_case(rng, days)
    samples = make_samples(days)
    told = choose_stations(reach, demand, candidates, 2, samples=samples, reruns=20)
    order = rng.permutation(30)
    turned = choose_stations(
        reach, demand.iloc[order], candidates, 2, samples=samples.take(demand.index[order]),
        reruns=20,
    )  # fmt: skip
    held = told.attrs["siting"]["held_out"]
    assert (held["by"], held["runs"]) == ("days", 4)
    assert turned.attrs["siting"]["held_out"] == held
    assert turned["stability"].tolist() == told["stability"].tolist()


def test_without_samples_dayparts_of_the_demand_are_held_out():
    rng = np.random.default_rng(6)
    parts = rng.poisson(6.0, (2, 30)) + 1.0
    case = make_case(rng, parts, weight_noon=parts[0] / 2, weight_night=parts[1] / 2)
    held = choose_stations(*case, 2, reruns=1).attrs["siting"]["held_out"]
    assert (held["by"], held["runs"]) == ("dayparts", 2)


def test_sites_that_one_worker_makes_are_less_stable():
    """Two places alike in visits: one of a single worker, one of fifty."""
    rows = np.zeros((51, 2))
    rows[0, 0], rows[1:, 1] = 50.0, 1.0
    index = pd.Index(["d000", "d001"])
    samples = Samples(
        index, sparse.csr_array(rows), np.zeros(51, np.int64), np.array([False]),
        np.empty((0, 2)), np.empty((0, 2)), np.empty(0, np.int64), 5,
    )  # fmt: skip
    options = {
        "xy": np.array([[0.0, 0], [9000, 0]]), "existing": NONE["existing"],
        "conflicts": NONE["conflicts"], "days": 1.0, "reruns": 400, "first": (),
        "rest_per_day": np.zeros(2), "home": np.arange(2), "samples": samples,
    }  # fmt: skip
    cover, weight = sparse.csr_array(np.eye(2)), np.array([50.0, 50.0])
    share = [
        measure_stability(cover, weight, [j], 1, rng=np.random.default_rng(0), **options)[0]
        for j in (0, 1)
    ]
    assert share[0] < 0.65  # it is never drawn in more than a third of the runs
    assert share[1] > 0.3
