"""Samples add up to the demand that they were taken of, and tell of enough workers only."""

import numpy as np
import pandas as pd
import pytest

from planner.demand import make_demand, make_sampled_demand
from planner.errors import InputError
from planner.samples import weigh_days


def test_the_demand_is_that_of_make_demand(town):
    demand, _ = make_sampled_demand(town)
    pd.testing.assert_frame_equal(demand, make_demand(town))


@pytest.mark.parametrize("need", [{}, {"food": 2.5}])
def test_days_average_to_the_demand(town, need):
    demand, samples = make_sampled_demand(town, need_types=need, registered={"courier": 500})
    average = weigh_days(samples.weekend) @ samples.days()
    assert average == pytest.approx(demand["weight_per_day"].to_numpy())
    assert samples.dayparts.sum(axis=0) == pytest.approx(demand["weight_per_day"].to_numpy())


def test_hours_add_up_to_their_dayparts(stays_of):
    rows = [(f"r{r}", "food", f"2026-03-06 {hour}:10", 0.0, 0.0) for r in range(12)
            for hour in ("07", "12", "13")]  # fmt: skip
    _, samples = make_sampled_demand(stays_of(rows))
    assert samples.hours.tolist() == [[12.0], [12.0], [12.0]]
    assert samples.part.tolist() == [0, 1, 1]
    assert samples.dayparts.tolist() == [[12.0], [24.0]]


def test_workers_are_counted_day_by_day(town):
    demand, samples = make_sampled_demand(town, min_workers=5)
    assert samples.weekend.tolist() == [False, True]
    days = town["arrive"].dt.date
    most = town.groupby(days)["rider_id"].nunique().to_numpy()
    assert (samples.workers() <= most).all()
    assert (samples.workers() > 0.9 * most).all()
    assert len(samples.demand_id) == samples.worker_days.shape[1] == len(demand)


def test_redrawn_demand_is_right_on_average_and_spreads_by_worker(stays_of):
    """Every worker stays ten times at one place: Poisson's spread would be far too small."""
    rows = [
        (f"r{r}", "food", f"2026-03-06 12:{k:02d}", 0.0 if r < 20 else 2000.0, 0.0)
        for r in range(40)
        for k in range(10)
    ]
    demand, samples = make_sampled_demand(stays_of(rows))
    drawn = samples.draw(2000, np.random.default_rng(0))
    assert demand["weight_per_day"].tolist() == [200.0, 200.0]
    assert drawn.mean(axis=0) == pytest.approx([200.0, 200.0], rel=0.02)
    assert drawn.sum(axis=1) == pytest.approx(np.full(2000, 400.0))
    assert drawn[:, 0].std() == pytest.approx(10 * np.sqrt(40 * 0.25), rel=0.1)


def test_a_daypart_of_few_workers_is_left_out(stays_of):
    rows = [(f"r{r}", "food", "2026-03-06 12:00", 0.0, 0.0) for r in range(12)]
    rows += [(f"r{r}", "food", "2026-03-06 23:00", 0.0, 0.0) for r in range(4)]
    rows += [(f"r{r}", "food", "2026-03-06 15:00", 0.0, 0.0) for r in range(11)]
    _, samples = make_sampled_demand(stays_of(rows))
    assert sorted(samples.dayparts.sum(axis=1)) == [11.0, 12.0]


def test_the_order_of_rows_does_not_matter(town):
    turned = town.iloc[np.random.default_rng(0).permutation(len(town))]
    one, two = (make_sampled_demand(t)[1] for t in (town, turned))
    assert (one.worker_days != two.worker_days).nnz == 0
    assert (one.day == two.day).all()
    assert (one.dayparts == two.dayparts).all()


def test_names_of_workers_have_no_say(town):
    """Pseudonyms change from run to run, and with them the order of workers."""
    other = town.assign(rider_id=[f"{hash_of(r)}" for r in town["rider_id"]])
    one, two = (make_sampled_demand(t)[1] for t in (town, other))
    draws = [s.draw(5, np.random.default_rng(1)) for s in (one, two)]
    assert (draws[0] == draws[1]).all()
    assert (one.hours == two.hours).all()
    assert (one.days() == two.days()).all()


def hash_of(rider):
    return int(rider) * 7919 % 1009


def test_counts_have_no_samples(town):
    counts = make_demand(town)[["weight_per_day", "workers", "geometry"]]
    demand, samples = make_sampled_demand(counts)
    assert samples is None
    assert len(demand) == len(counts)


def test_points_of_another_demand_are_refused(town):
    _, samples = make_sampled_demand(town)
    with pytest.raises(InputError, match="`samples` know nothing of demand point 'x'"):
        samples.take(pd.Index(["x"]))
    again = samples.take(samples.demand_id[::-1])
    assert (again.days()[:, ::-1] == samples.days()).all()


def test_neither_workers_nor_days_are_shown(town):
    _, samples = make_sampled_demand(town)
    assert repr(samples).startswith("Samples(")
    assert "r1" not in repr(samples)
