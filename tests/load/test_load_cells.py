"""Cells: numbers, degrees and pairs in every wording."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.load.cells import as_text, each_text, read_amount, read_degrees, read_pair, to_numbers

FULL_WIDTH = str.maketrans("0123456789.-,", "０１２３４５６７８９．－，")
degrees = st.decimals(-180, 180, places=6, allow_nan=False)


@given(degrees)
def test_degrees_are_read_in_any_width(value):
    text = f"{value:f}"
    assert read_degrees(text) == float(text)
    assert read_degrees(text.translate(FULL_WIDTH)) == float(text)
    assert read_degrees(f"  {text}° ") == float(text)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 59), st.sampled_from("EW"))
def test_minutes_and_seconds_are_parts_of_a_degree(whole, minutes, seconds, side):
    expected = (whole + minutes / 60 + seconds / 3600) * (1 if side == "E" else -1)
    assert read_degrees(f"{whole}°{minutes}′{seconds}″{side}") == pytest.approx(expected)
    assert read_degrees(f"{side}{whole}度{minutes}分{seconds}秒") == pytest.approx(expected)


@given(degrees, degrees, st.sampled_from([",", "，", " ", ";", ", ", "、", "/"]))
def test_pairs_are_read_whatever_parts_them(lon, lat, separator):
    assert read_pair(f"{lon:f}{separator}{lat:f}") == (float(lon), float(lat))
    assert read_pair(f"POINT ({lon:f} {lat:f})") == (float(lon), float(lat))
    assert read_pair(f"[{lon:f}, {lat:f}]") == (float(lon), float(lat))


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_none(text):
    for value in (read_degrees(text), read_amount(text), *read_pair(text)):
        assert isinstance(value, float)


@pytest.mark.parametrize(
    "text", ["41.163066654-8.67598304213", "114.05.22", "12°75′", "", "north", "1x", "12;13"]
)
def test_what_is_no_degree_is_not_read(text):
    assert math.isnan(read_degrees(text))


@pytest.mark.parametrize(
    ("text", "number"),
    [("约50人", 50), ("1,200", 1200), ("２０", 20), ("-5", -5), ("3-5", None), ("many", None)],
)
def test_amounts(text, number):
    assert read_amount(text) == number or (number is None and math.isnan(read_amount(text)))


def test_blanks_are_no_text():
    values = pd.Series(["-", "无", "N/A", None, " ", np.nan, "暂无"], dtype=object)
    assert as_text(values).tolist() == [""] * 7


def test_cells_of_a_spreadsheet_become_plain_text():
    cells = [
        3781637.0,
        1.5,
        dt.time(9),
        dt.datetime.fromisoformat("2026-09-15T11:02"),
        dt.timedelta(days=1),
        True,
    ]
    text = as_text(pd.Series(cells, dtype=object)).tolist()
    assert text == ["3781637", "1.5", "09:00:00", "2026-09-15T11:02:00", "24:00", "true"]


@pytest.mark.parametrize("dtype", ["category", "str", object])
def test_text_is_the_same_of_every_dtype(dtype):
    values = pd.Series(["a ", "b", None, "a "]).astype(dtype)
    assert as_text(values).tolist() == ["a", "b", "", "a"]


def test_index_is_kept():
    values = pd.Series([1.0, None], index=[7, 3])
    assert as_text(values).to_dict() == {7: "1", 3: ""}


def test_infinity_and_words_are_unreadable_numbers():
    numbers, unreadable = to_numbers(pd.Series(["inf", "x", "", "5"]))
    assert unreadable.tolist() == [True, True, False, False]
    assert np.isnan(numbers).tolist() == [True, True, True, False]


def test_each_text_is_read_once():
    seen = []
    assert each_text(pd.Series(["a", "b", "a"]), lambda t: seen.append(t) or t) == ["a", "b", "a"]
    assert seen == ["a", "b"]
