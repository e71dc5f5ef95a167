import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.coverage import open_in_dayparts
from planner.errors import InputError
from planner.settings import DAYPARTS


def flags(text, dayparts=DAYPARTS):
    return open_in_dayparts(pd.Series([text], index=["s"]), dayparts).loc["s"].to_dict()


@pytest.mark.parametrize(
    ("text", "open_parts"),
    [
        ("00:00-24:00", {"morning", "noon", "afternoon", "evening", "night"}),
        ("09:00-17:00", {"noon", "afternoon"}),  # 2 of 5 morning hours are too few
        ("08:30-17:00", {"morning", "noon", "afternoon"}),  # exactly half of the morning
        ("22:00-06:00", {"night"}),
        ("21:00-01:30", {"night"}),  # exactly half of the night
        ("21:00-01:29", set()),
        ("06:00-08:30,16:00-21:00", {"morning", "evening"}),
        ("11:00-11:45, 12:00-12:45", {"noon"}),  # halves add up
        ("8:00-8:00", {"morning", "noon", "afternoon", "evening", "night"}),
        ("", set()),
    ],
)
def test_open_at_least_half_of_the_daypart(text, open_parts):
    assert {name for name, is_open in flags(text).items() if is_open} == open_parts


def test_missing_hours_are_never_open():
    hours = pd.Series([None, "00:00-24:00"], index=["a", "b"])
    table = open_in_dayparts(hours, DAYPARTS)
    assert not table.loc["a"].any()
    assert table.loc["b"].all()
    assert table.to_numpy().dtype == np.bool_
    assert list(table.columns) == list(DAYPARTS)


def test_no_facilities_give_an_empty_table():
    table = open_in_dayparts(pd.Series([], dtype="str"), DAYPARTS)
    assert table.shape == (0, 5)


@pytest.mark.parametrize(
    "text", ["9-17", "09:00", "09:00-25:00", "09:60-10:00", "24:30-24:40", "x"]
)
def test_malformed_hours_name_the_facility(text):
    with pytest.raises(InputError, match=r"hours.*'s'.*HH:MM-HH:MM"):
        flags(text)


minute = st.integers(0, 24 * 60)


@given(minute, minute, minute)
def test_longer_hours_never_close_a_daypart(start, end, more):
    def text(a, b):
        return f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}"

    short = flags(text(start, end))
    both = flags(f"{text(start, end)},{text(end, more)}")
    assert all(both[name] for name, is_open in short.items() if is_open)
