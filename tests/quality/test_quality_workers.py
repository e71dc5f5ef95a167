"""Workers are counted by type; a type of few cannot be found out from the rest."""

import pandas as pd

from planner.quality.workers import measure_workers


def visits(**types):
    rows = [(f"{kind}{i}", kind) for kind, n in types.items() for i in range(n) for _ in range(2)]
    return pd.DataFrame(rows, columns=["rider_id", "worker_type"])


def measure(table, account=None, registered=None):
    return measure_workers(table, account or {}, registered=registered or {}, min_workers=10)


def test_distinct_workers_by_type_largest_first():
    found = measure(visits(courier=12, food=40))
    assert [(t["worker_type"], t["workers"]) for t in found["types"]] == [
        ("food", 40),
        ("courier", 12),
    ]
    assert found["hidden_types"] == []


def test_share_of_the_registered():
    found = measure(visits(food=40), registered={"food": 1000, "truck": 50})
    assert [(t["worker_type"], t["registered"], t["share"]) for t in found["types"]] == [
        ("food", 1000, 0.04),
        ("truck", 50, 0.0),
    ]


def test_a_small_type_takes_the_next_with_it():
    found = measure(visits(food=40, courier=12, truck=4), registered={"courier": 100})
    shown = {t["worker_type"]: t["workers"] for t in found["types"]}
    assert shown == {"food": 40, "courier": None, "truck": None}
    assert all(t["share"] is None for t in found["types"])
    assert found["hidden_types"] == ["courier", "truck"]


def test_the_engines_count_wins():
    found = measure(visits(food=40), {"workers_by_type": {"food": 55}, "workers_basis": "riders"})
    assert found["types"][0]["workers"] == 55


def test_orders_without_riders_have_no_share():
    found = measure(visits(food=40), {"workers_basis": "orders"}, {"food": 100})
    assert found["basis"] == "orders"
    assert found["types"][0]["share"] is None


def test_counts_tell_nobody():
    assert measure(pd.DataFrame({"weight_per_day": [1.0]}))["basis"] == "unknown"
