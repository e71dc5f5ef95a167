"""Weights by kind of day, stay class, register and need: examples by hand and laws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from planner.activity.orders import orders_to_stays
from planner.demand import make_demand
from planner.demand.gate import join_neighbours
from planner.demand.visits import read_visits
from planner.errors import InputError, SettingsError
from planner.settings import DAYPARTS, STAY_CLASSES
from planner.siting.rank import daypart_names
from planner.tables import check_table

CLASSES = [f"weight_class_{name}" for name in STAY_CLASSES]


def crowd(n, *, first=0, kind="food", time="2026-03-02 12:00", x=0.0, y=0.0):
    return [(first + i, kind, time, x, y) for i in range(n)]


def lasting(stays, *minutes):
    return stays.assign(stay_min=np.resize(np.array(minutes, dtype=float), len(stays)))


def random_town(stays_of, seed, *, places=6, riders=40, stays=400):
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 1500, (places, 2))
    odds = rng.pareto(1.0, places) + 0.05
    rows = []
    for _ in range(stays):
        p, rider = rng.choice(places, p=odds / odds.sum()), int(rng.integers(riders))
        kind = ("food", "food", "courier", "truck")[rider % 4]
        time = f"2026-03-0{rng.integers(5, 9)} {rng.integers(24):02d}:{rng.integers(60):02d}"
        rows.append((rider, kind, time, *rng.normal(at[p], 30)))
    return lasting(stays_of(rows), *rng.choice([2.0, 4.99, 5.0, 12.0, 20.0, 90.0], 50))


seeds = st.integers(0, 2**32 - 1)


# ── kinds of day and classes ──────────────────────────────────────────────────────────────────


def test_workday_and_weekend_are_means_of_their_own_days(stays_of):
    # 40 visits on the Monday, 20 on the Tuesday; 30 on the one weekend day that was seen.
    rows = crowd(40) + crowd(20, time="2026-03-03 12:00") + crowd(30, time="2026-03-07 12:00")
    demand = make_demand(stays_of(rows))
    assert demand["weight_workday"].tolist() == pytest.approx([30.0])
    assert demand["weight_weekend"].tolist() == pytest.approx([30.0])
    assert demand["weight_per_day"].tolist() == pytest.approx([30.0])


@pytest.mark.parametrize(
    ("day", "there", "absent"),
    [("2026-03-02", "workday", "weekend"), ("2026-03-07", "weekend", "workday")],
)
def test_a_kind_of_day_that_was_not_seen_has_no_column(stays_of, day, there, absent):
    demand = make_demand(stays_of(crowd(12, time=f"{day} 12:00")))
    assert demand[f"weight_{there}"].tolist() == demand["weight_per_day"].tolist() == [12.0]
    assert f"weight_{absent}" not in demand


def test_classes_begin_at_5_and_20_minutes(stays_of):
    minutes = [3.0, 4.99, 5.0, 19.99, 20.0, 240.0, 500.0]
    stays = lasting(stays_of([r for m in range(7) for r in crowd(20, first=20 * m)]))
    demand = make_demand(stays.assign(stay_min=np.repeat(minutes, 20)))
    assert demand[CLASSES].iloc[0].tolist() == [40.0, 40.0, 60.0]


def test_orders_wait_at_the_merchant_and_hand_over_at_the_door(stays_of):
    stays = stays_of(crowd(30))
    orders = stays.rename(columns={"arrive": "pickup_time", "leave": "dropoff_time"})
    orders = orders.drop(columns="stay_min").assign(
        pickup=stays.geometry.translate(30.0), geometry=stays.geometry
    )
    demand = make_demand(orders_to_stays(orders))
    assert demand[CLASSES].to_numpy().tolist() == [[30.0, 30.0, 0.0]]
    asked = make_demand(orders_to_stays(orders), need={"handover": 0.5})
    assert asked["weight_per_day"].tolist() == [45.0]


@settings(max_examples=25)
@given(seeds, st.sampled_from([5, 8, 12]))
def test_each_family_adds_up(stays_of, seed, k):
    demand = make_demand(random_town(stays_of, seed), min_workers=k)
    whole = demand["weight_per_day"].to_numpy()
    parts = demand[[f"weight_{name}" for name in DAYPARTS]]
    for family in (parts, demand.filter(like="weight_type_"), demand[CLASSES]):
        assert (family.to_numpy() >= 0).all()
        assert family.sum(axis=1).to_numpy() == pytest.approx(whole)
    days = (5 * demand["weight_workday"] + 2 * demand["weight_weekend"]) / 7
    assert days.to_numpy() == pytest.approx(whole)
    check_table(demand, "demand")


@settings(max_examples=15)
@given(seeds)
def test_the_order_of_rows_and_the_kind_of_text_change_nothing(stays_of, seed):
    stays = random_town(stays_of, seed)
    options = {"min_workers": 6, "registered": {"food": 500, "truck": 40}, "need": {"wait": 0.3}}
    first = make_demand(stays, **options)
    shuffled = stays.sample(frac=1, random_state=seed % 1000)
    number = shuffled["rider_id"].astype(int)
    coded = {"rider_id": "category", "worker_type": "category"}
    for other in (
        shuffled.astype(coded),
        shuffled.assign(rider_id=number),
        shuffled.astype(dict.fromkeys(coded, object)),
    ):
        again = make_demand(other, **options)
        pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(again), check_exact=True)
        assert again.attrs == first.attrs


@settings(max_examples=25)
@given(seeds, st.sampled_from([5, 8, 12]), st.sampled_from([0.0, 200.0, 600.0]))
def test_each_point_has_k_distinct_workers_counted_by_hand(stays_of, seed, k, merge_m):
    stays = random_town(stays_of, seed)
    try:
        demand = make_demand(stays, min_workers=k, merge_m=merge_m)
    except InputError:
        reject()
    visits = read_visits(stays, DAYPARTS, cell_m=100.0)
    places = len(visits.cells)
    groups = join_neighbours(
        *visits.cells.T, visits.crowds(np.arange(places), places, "", 1),
        enough=k, reach_m=merge_m, cell_m=100.0,
    )  # fmt: skip
    pairs = pd.DataFrame(
        {"cell": groups.anchor[visits.entries.cell], "rider": visits.entries.rider}
    )
    by_hand = pairs.groupby("cell")["rider"].nunique()
    shown = demand.set_index(
        pd.MultiIndex.from_frame(pd.DataFrame(demand)[["cell_row", "cell_col"]])
    )["workers"]
    cells = pd.MultiIndex.from_arrays(visits.cells[by_hand.index].T)
    strong = pd.Series(by_hand.to_numpy(), index=cells)
    strong = strong[strong >= k]
    assert shown.to_dict() == strong.to_dict()


# ── expansion ─────────────────────────────────────────────────────────────────────────────────


def two_types(stays_of):
    return stays_of(
        crowd(40) + crowd(10, first=40, kind="courier", time="2026-03-02 18:00")
        + crowd(30, first=10, x=3000) + crowd(10, first=40, kind="courier", x=3000)
    )  # fmt: skip


def test_a_sample_stands_for_the_register(stays_of):
    seen = two_types(stays_of)
    demand = make_demand(seen, registered={"food": 400, "courier": 50, "ride": 9})
    assert demand["weight_type_food"].sum() == pytest.approx(700.0)
    assert demand["weight_type_courier"].sum() == pytest.approx(100.0)
    assert demand["workers"].tolist() == make_demand(seen)["workers"].tolist()
    note = demand.attrs["demand"]
    assert note["expansion"] == {
        "courier": {"seen": 10, "registered": 50, "factor": 5.0},
        "food": {"seen": 40, "registered": 400, "factor": 10.0},
    }
    assert note["expansion_faults"] == {"not_seen": ["ride"]}


def test_workers_who_stayed_nowhere_are_in_the_sample(stays_of):
    stays = two_types(stays_of)
    stays.attrs["activity"] = {"workers_by_type": {"food": 80, "ride": 7}}
    note = make_demand(stays, registered={"food": 400}).attrs["demand"]
    assert note["expansion"] == {"food": {"seen": 80, "registered": 400, "factor": 5.0}}


def test_types_that_are_not_listed_keep_their_weight_and_are_told(stays_of):
    demand = make_demand(two_types(stays_of), registered={"courier": 100})
    assert demand["weight_type_courier"].sum() == pytest.approx(200.0)
    assert demand["weight_type_food"].sum() == pytest.approx(70.0)
    assert demand.attrs["demand"]["expansion_faults"] == {"not_listed": ["food"]}


def test_a_sample_larger_than_the_register_is_told_and_not_shrunk(stays_of):
    demand = make_demand(two_types(stays_of), registered={"food": 20, "courier": 10})
    assert demand["weight_per_day"].sum() == pytest.approx(90.0)
    note = demand.attrs["demand"]
    assert note["expansion_faults"] == {"more_seen_than_registered": ["food"]}
    assert note["expansion"]["food"]["factor"] == 1.0


def test_thin_types_are_expanded_together(stays_of):
    rows = crowd(40) + crowd(4, first=100, kind="truck") + crowd(30, first=200, kind="courier")
    note = make_demand(stays_of(rows), registered={"food": 400, "truck": 90, "courier": 250}).attrs[
        "demand"
    ]
    joint = {"seen": 34, "registered": 340, "factor": 10.0}
    assert note["expansion"]["truck"] == {**joint, "together_with": ["courier"]}
    assert note["expansion"]["courier"] == {**joint, "together_with": ["truck"]}
    alone = make_demand(stays_of(rows), registered={"truck": 90}).attrs["demand"]
    assert alone["expansion"] == {}
    assert alone["expansion_faults"]["too_few_seen"] == ["truck"]
    assert "4" not in repr(alone["expansion_faults"])


def test_without_riders_there_is_nothing_to_expand_from(stays_of):
    stays = two_types(stays_of)
    stays.attrs["activity"] = {"workers_basis": "orders"}
    with pytest.raises(SettingsError, match="orders without riders do not tell"):
        make_demand(stays, registered={"food": 400})
    counts = make_demand(two_types(stays_of))[["weight_per_day", "workers", "geometry"]]
    with pytest.raises(SettingsError, match="`counts` do not tell"):
        make_demand(counts, registered={"food": 400})


@settings(max_examples=20)
@given(seeds, st.integers(2, 40))
def test_twice_the_register_is_twice_the_weight(stays_of, seed, times):
    stays = random_town(stays_of, seed)
    register = {"food": 100, "courier": 50, "truck": 10**4}
    once = make_demand(stays, min_workers=5, registered=register)
    larger = {kind: n * times for kind, n in register.items()}
    more = make_demand(stays, min_workers=5, registered=larger)
    for column in (c for c in more.columns if c.startswith("weight_")):
        assert more[column].to_numpy() == pytest.approx(once[column].to_numpy() * times)


# ── need ──────────────────────────────────────────────────────────────────────────────────────


def test_need_multiplies_visits_by_class_and_type(stays_of):
    stays = lasting(two_types(stays_of), 10.0).assign(
        stay_min=lambda t: np.where(t["worker_type"] == "courier", 3.0, 30.0)
    )
    demand = make_demand(stays, need={"rest": 2.0, "handover": 0.0})
    assert demand["weight_class_rest"].tolist() == pytest.approx([80.0, 60.0])
    assert demand["weight_class_handover"].tolist() == [0.0, 0.0]
    assert demand["weight_per_day"].tolist() == pytest.approx([80.0, 60.0])
    note = demand.attrs["demand"]
    assert note["need"] == {"handover": 0.0, "wait": 1.0, "rest": 2.0}
    demand = make_demand(stays, need_types={"courier": 3.0, "nurse": 1.0})
    assert demand["weight_type_courier"].iloc[0] == pytest.approx(30.0)
    assert demand["weight_per_day"].tolist() == pytest.approx([70.0, 60.0])
    note = demand.attrs["demand"]
    assert note["need_types"] == {"courier": 3.0, "nurse": 1.0}
    assert note["need_types_unseen"] == ["nurse"]


def test_need_of_nothing_is_an_error(stays_of):
    with pytest.raises(InputError, match="leave no demand"):
        make_demand(lasting(two_types(stays_of), 10.0), need={"wait": 0.0})


@settings(max_examples=20)
@given(seeds, st.floats(0.1, 9.0), st.floats(0.1, 9.0), st.floats(0.1, 9.0))
def test_weighed_families_add_up_too(stays_of, seed, a, b, c):
    demand = make_demand(
        random_town(stays_of, seed), min_workers=5, registered={"food": 300, "courier": 20},
        need={"rest": a, "wait": b}, need_types={"truck": c},
    )  # fmt: skip
    whole = demand["weight_per_day"].to_numpy()
    parts = demand[[f"weight_{name}" for name in DAYPARTS]]
    for family in (parts, demand.filter(like="weight_type_"), demand[CLASSES]):
        assert family.sum(axis=1).to_numpy() == pytest.approx(whole)
    days = (5 * demand["weight_workday"] + 2 * demand["weight_weekend"]) / 7
    assert days.to_numpy() == pytest.approx(whole)


def test_counts_are_weighed_by_the_classes_they_bring(stays_of):
    counts = make_demand(lasting(two_types(stays_of), 3.0, 30.0))
    again = make_demand(counts, need={"handover": 0.0})
    assert again["weight_per_day"].to_numpy() == pytest.approx(counts["weight_class_rest"])
    bare = counts[["weight_per_day", "workers", "geometry"]]
    with pytest.raises(InputError, match="no `weight_class_…` columns"):
        make_demand(bare, need={"handover": 0.0})


def test_nobody_takes_the_new_columns_for_dayparts(town):
    demand = make_demand(town)
    assert daypart_names(demand) == list(DAYPARTS)
    demand.attrs = {}  # as after reading a file
    assert daypart_names(demand) == list(DAYPARTS)


def test_a_column_that_names_no_types_is_refused(stays_of):
    stays = stays_of(crowd(1100))
    with pytest.raises(InputError, match="1100 worker types"):
        make_demand(stays.assign(worker_type=stays["rider_id"]))
