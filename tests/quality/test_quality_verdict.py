"""One line tells whether the data may carry a plan; every doubt names its remedy."""

from datetime import date

import pytest

from planner.quality import find_warnings, judge
from planner.settings import make_settings

READINGS = {
    "wgs84": {"median_m": 410.0, "p90_m": 700.0},
    "gcj02": {"median_m": 24.0, "p90_m": 60.0},
}


def numbers():
    kept = {"file": "a.csv", "rows": 100, "kept": 100, "dropped": {}, "examples": {}}
    return {
        "off_streets": [],
        "apart": [],
        "inputs": {"activity": dict(kept)},
        "network": {"components": 1, "main_share": 1.0},
        "demand": {
            "suppressed_share": 0.0,
            "off_streets_share": 0.0,
            "apart_share": 0.0,
            "first_day": "2026-09-15",
            "last_day": "2026-09-16",
        },
        "time": {
            "weekdays": 5, "weekend_days": 2, "missing_days": [], "thin_days": [],
            "empty_hours": [2, 3],
        },
        "space": {"districts": [{"name": "A"}, {"name": "B"}], "empty": []},
        "datum": {
            "activity": {
                "declared": "wgs84", "best": "wgs84", "verdict": "fits", "rounded_deg": None,
                "readings": READINGS,
            }
        },
        "sample": {"types": []},
    }  # fmt: skip


def settings(language="en"):
    return make_settings({"study": {"language": language}})


def test_good_data_are_called_good():
    found = judge(settings(), numbers(), today=date(2026, 10, 1))
    assert found["verdict"] == {"level": "good", "text": "usable; nothing to mend"}
    assert found["age"]["days_old"] == 15
    assert found["age"]["old"] is False


def test_age_is_left_out_without_a_day():
    age = judge(settings(), numbers())["age"]
    assert (age["days_old"], age["old"]) == (None, None)


@pytest.mark.parametrize(("today", "old"), [(date(2027, 3, 15), False), (date(2027, 3, 16), True)])
def test_data_are_old_after_180_days(today, old):
    found = judge(settings(), numbers(), today=today)
    assert found["age"]["old"] is old
    assert len(found["warnings"]) == old


def test_a_wrong_datum_forbids_a_plan_and_names_the_setting():
    spoilt = numbers()
    spoilt["datum"]["activity"] |= {"verdict": "other", "best": "gcj02"}
    found = judge(settings(), spoilt)
    assert found["verdict"]["level"] == "doubtful"
    assert "24 m instead of 410 m" in found["warnings"][0]
    assert '`activity.datum = "gcj02"`' in found["warnings"][0]


def test_shifted_streets_are_told_as_such():
    spoilt = numbers()
    readings = {**READINGS, "streets_gcj02": READINGS["gcj02"]}
    spoilt["datum"]["activity"] |= {
        "verdict": "other", "best": "streets_gcj02", "readings": readings
    }  # fmt: skip
    assert "`streets.file`" in find_warnings(settings(), spoilt)[0]


@pytest.mark.parametrize(
    ("part", "change", "word"),
    [
        ("time", {"weekend_days": 0}, "weekend"),
        ("time", {"weekdays": 0}, "Monday"),
        ("time", {"missing_days": ["2026-09-17"]}, "2026-09-17"),
        ("time", {"thin_days": ["2026-09-18"]}, "2026-09-18"),
        ("time", {"empty_hours": [2, 9, 10]}, "09–11"),
        ("space", {"empty": ["B"]}, "1 of 2 districts: B"),
        (
            "sample",
            {"types": [{"worker_type": "food", "share": 0.02, "registered": 9}]},
            "2.0%",
        ),
    ],
)
def test_a_doubt_is_told_once(part, change, word):
    spoilt = numbers()
    spoilt[part] |= change
    found = judge(settings(), spoilt)
    assert [word in text for text in found["warnings"]] == [True]
    assert found["verdict"] == {"level": "usable", "text": "usable; 1 thing to mend"}


@pytest.mark.parametrize(
    ("step", "cell", "told"), [(0.001, 100, 1), (0.001, 400, 0), (0.0001, 100, 0)]
)
def test_rounding_counts_against_the_cells(step, cell, told):
    spoilt = numbers()
    spoilt["datum"]["activity"]["rounded_deg"] = step
    s = make_settings({"study": {"language": "en"}, "demand": {"cell_m": cell}})
    assert sum("rounded" in text for text in find_warnings(s, spoilt)) == told


def test_days_that_were_picked_are_no_hole():
    picked = numbers()
    picked["time"] |= {"weekdays": 1, "weekend_days": 1, "missing_days": ["a", "b", "c"]}
    assert find_warnings(settings(), picked) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("inputs", "activity", "kept"), 40),
        (("demand", "off_streets_share"), 0.3),
        (("demand", "suppressed_share"), 0.6),
    ],
)
def test_grave_losses_forbid_a_plan(path, value):
    spoilt = numbers()
    place = spoilt
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert judge(settings("zh"), spoilt)["verdict"]["level"] == "doubtful"
