"""What is read of Arrow columns at once is what is read of their cells one by one."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.load.cells import as_text, each_text, read_degrees, read_pair, to_numbers
from planner.load.columns import (
    Words,
    clean_names,
    fill_words,
    to_degrees,
    to_pairs,
    worker_words,
)
from planner.load.instants import join_clock, read_instants
from planner.load.times import read_times

CELLS = [
    "", " ", "-", "N/A", "nan", "inf", "-inf", "无", "null", "\u3000", "114.95", " 114.95",
    "-25.85", "1e2", "１１４．９５", "104,06", "东经104.06", "30°39′36″N", "1,149.5", "0", "0.0",
    "x", "1_0", "0x10", "25.85.1", ".5", "5.", "+3", "１", "114.95°", "180", "1e400",
]  # fmt: skip
PAIRS = [
    "", "104.06,30.66", "104.06，30.66", "104.06, 30.66", "POINT (104.06 30.66)", "[104.06, 30.66]",
    "104.06", "104.06;30.66", "here", "N/A", "-8.6,41.1", "104.06 30.66", "1,2,3", "１,２",
]  # fmt: skip
TIMES = [
    "", "2026-09-15 10:00:00", "2026-09-15 10:00", "2026-09-15T10:00:00.25", "2026-09-15",
    "soon", "2026-09-15 10", "2026-13-15 10:00", "2026-09-15T10:00:00Z",
    "2026-09-15T10:00:00+08:00", "2026/9/5 7:05", "2026/9/5 7:05:60", "2026/9/5 24:00",
    "2026/9/5 07:05:11", " 2026-09-15 10:00", "1757905320", "1757905320.5", "1757905320123",
    "0", "20260915110203", "46280.5", "N/A", "2026年9月15日 下午3点02分",
    "2026年9月15日 15点02分", "2026年09月15日15时02分60秒", "2026年9月15日 15:02:11",
    "2026年9月15日 15时2分1秒", "2026年9月15日 15:02", "03.04.2026 11:02", "15.04.2026 11:02",
    "1999-01-01 10:00:00", "2026-10-25 02:30:00", "2026-03-29 02:30:00", "9/15/2026 3:02 PM",
    "2026.9.5 7:05", "26/9/5 7:05",
]  # fmt: skip
NAMES = [
    "",
    " a",
    "a ",
    "a",
    "N/A",
    "-",
    "无",
    "骑手",
    "骑手\u3000",
    "null",
    "nullable",
    "\xa0b",
    "7",
]


def columns_of(cells):
    text = pa.array([c or None for c in cells], pa.string())
    return [text, text.cast(pa.large_string()), text.dictionary_encode(), text[1:]]


def same(one, other):
    assert one.is_null().to_pylist() == other.is_null().to_pylist()
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@given(st.lists(st.sampled_from(CELLS), max_size=12))
def test_degrees(cells):
    numbers, unreadable = to_numbers(pd.Series(cells, dtype=str), read_degrees)
    want = pa.array(np.where(unreadable, np.nan, numbers), mask=np.isnan(numbers) & ~unreadable)
    for column in columns_of(cells):
        same(to_degrees(column), want[len(want) - len(column) :])


@given(st.lists(st.sampled_from(PAIRS), max_size=12), st.booleans())
def test_pairs(cells, latitude_first):
    text = as_text(pd.Series(cells, dtype=str))
    pairs = np.array(each_text(text, read_pair), dtype=float).reshape(-1, 2)
    empty = (text == "").to_numpy(bool)
    pairs[~empty & np.isnan(pairs).any(axis=1)] = np.nan
    want = [pa.array(pairs[:, k], mask=empty) for k in (0, 1)]
    for column in columns_of(cells):
        lon, lat = to_pairs(column, latitude_first=latitude_first)
        first, second = (lat, lon) if latitude_first else (lon, lat)
        same(first, want[0][len(cells) - len(column) :])
        same(second, want[1][len(cells) - len(column) :])


@given(
    st.lists(st.sampled_from(TIMES), max_size=12),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]),
    st.booleans(),
)
def test_times(cells, clock, day_first):
    want = read_times(pd.Series(cells, dtype=str), clock=clock, timezone="UTC", day_first=day_first)
    for column in columns_of(cells):
        found = read_instants(column, clock=clock, day_first=day_first).to_pandas()
        assert found.tolist() == want.tolist()[len(cells) - len(column) :]


@given(
    st.lists(
        st.sampled_from([0, 1, 1_757_905_320, 1_757_905_320_123, 1_757_905_320_123_456,
                         1_757_905_320_123_456_789, 20260915110203, 46280, -5, None, 950_000_000,
                         2**62])
        | st.integers(1_700_000_000, 1_800_000_000),
        max_size=8,
    )
)  # fmt: skip
def test_numbered_times(cells):
    column = pa.array(cells, pa.int64())
    numbers = pd.Series(cells, dtype="Int64")
    want = read_times(numbers, clock="Asia/Shanghai", timezone="UTC").dt.as_unit("us")
    assert read_instants(column, clock="Asia/Shanghai").to_pandas().tolist() == want.tolist()


@given(
    st.lists(st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2099-12-30")), max_size=8),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Africa/Casablanca", "Pacific/Apia"]),
)
def test_what_clocks_show(times, clock):
    series = pd.Series(times, dtype="datetime64[us]")
    want = read_times(series, clock=clock, timezone="UTC").dt.as_unit("us")
    found = read_instants(pa.array(series, pa.timestamp("us")), clock=clock).to_pandas()
    border = pd.Timestamp("2000-01-01")  # of the century: in one zone already, in another not
    inside = (series - border).abs() > pd.Timedelta(days=2)
    assert found[inside].tolist() == want[inside].tolist()


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=8), max_size=4))
def test_names(batches):
    words = Words(clean_names)
    for cells in batches:
        want = as_text(pd.Series(cells, dtype=str)).tolist()
        for column in columns_of(cells):
            found = words.read(column)
            assert found.type == pa.dictionary(pa.int32(), pa.string())
            assert len(set(found.dictionary.to_pylist())) == len(found.dictionary)
            assert [w or "" for w in found.to_pylist()] == want[len(want) - len(column) :]


@given(st.lists(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=8), max_size=4))
def test_numbered_names(batches):
    words = Words(clean_names)
    for cells in batches:
        found = words.read(pa.array(cells, pa.int64())).to_pylist()
        assert found == [None if c is None else str(c) for c in cells]


def test_names_of_other_numbers():
    words = Words(clean_names)
    assert words.read(pa.array([12.0, None, 7.5])).to_pylist() == ["12", "", "7.5"]
    assert words.read(pa.array([2**64 - 1, 3], pa.uint64())).to_pylist() == [str(2**64 - 1), "3"]
    assert words.read(pa.nulls(2)).to_pylist() == [None, None]


def test_worker_types_are_words_and_riders_where_there_is_none():
    read = Words(worker_words).read(pa.array(["外卖", None, "送餐", "快递"]))
    assert fill_words(read, "rider").to_pylist() == ["food", "rider", "food", "courier"]


@pytest.mark.parametrize(
    ("day", "clock", "want"),
    [
        (pa.array(["2026-09-15"]), pa.array(["10:00"]), "2026-09-15 10:00"),
        (pa.array([20711], pa.date32()), pa.array([36_000], pa.time32("s")), "2026-09-15 10:00:00"),
        (pa.array(["2026-09-15 00:00:00"]), pa.array(["10:00"]), "2026-09-15 10:00"),
    ],
)
def test_a_day_and_a_clock(day, clock, want):
    assert join_clock(day, clock).to_pylist() == [want]
