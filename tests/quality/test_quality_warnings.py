"""Warnings come when there is something to mend, and only then."""

from datetime import date

import pytest

from planner.i18n import translator
from planner.quality import find_warnings, input_rows
from planner.settings import make_settings


def numbers(**changes):
    kept = {"file": "a.csv", "rows": 100, "kept": 100, "dropped": {}, "examples": {}}
    base = {
        "off_streets": [],
        "apart": [],
        "inputs": {"activity": dict(kept), "stations": dict(kept)},
        "network": {"components": 1, "main_share": 1.0},
        "demand": {
            "points": 3,
            "weight_per_day": 10.0,
            "suppressed_share": 0.0,
            "off_streets_share": 0.0,
            "apart_share": 0.0,
            "last_day": "2026-09-16",
        },
    }
    for path, value in changes.items():
        *keys, last = path.split("__")
        place = base
        for key in keys:
            place = place[key]
        place[last] = value
    return base


def say(today=None, **changes):
    settings = make_settings({"study": {"language": "en"}})
    return find_warnings(settings, numbers(**changes), today=today)


def test_good_data_need_no_warning():
    assert say(today=date(2026, 10, 1)) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"inputs__stations__kept": 99, "inputs__stations__dropped": {"malformed": 1}}, "a.csv"),
        ({"inputs__activity__kept": 90, "inputs__activity__dropped": {"far": 10}}, "10 of 100"),
        ({"network__main_share": 0.9, "network__components": 4}, "4 parts"),
        ({"demand__suppressed_share": 0.3}, "30.0%"),
        ({"demand__off_streets_share": 0.2}, "20.0%"),
        ({"off_streets": ["station:东站"]}, "东站"),
        ({"demand__apart_share": 0.03}, "3.0%"),
        ({"apart": ["station:洲站"]}, "洲站"),
    ],
)
def test_a_fault_is_told_once(changes, word):
    assert [word in text for text in say(**changes)] == [True]


def test_few_lost_fixes_are_no_fault():
    assert say(inputs__activity__kept=99, inputs__activity__dropped={"far": 1}) == []


def test_old_data_are_told_only_against_a_day():
    assert say(today=date(2027, 9, 1))
    assert say() == []


def test_rows_tell_reasons_with_an_example():
    stations = {
        "inputs__stations__kept": 99,
        "inputs__stations__dropped": {"malformed": 1},
        "inputs__stations__examples": {"malformed": "row 41"},
    }
    rows = dict(input_rows(numbers(**stations), translator("en")))
    assert rows["stations"] == "99 of 100 rows kept (malformed 1: row 41)"
