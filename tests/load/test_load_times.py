"""Times in every wording become instants of the study's zone."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import SettingsError
from planner.load.times import read_times

CN = "Asia/Shanghai"
NOON = pd.Timestamp("2026-09-15 11:02:00", tz=CN)


def read(*cells, clock=CN, timezone=CN, dtype=None):
    return read_times(pd.Series(list(cells), dtype=dtype), clock=clock, timezone=timezone).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-15 11:02", "2026-09-15T11:02:00", "2026-09-15T03:02:00Z",
        "2026-09-15T11:02:00+08:00", "2026-09-15 11:02:00.000", "2026/9/15 11:02",
        "2026/09/15 11:02:00", "2026.9.15 11:02", "2026年9月15日 11:02", "2026年9月15日11时2分",
        "2026/9/15 上午 11:02", "2026/9/15 11:02 AM", "２０２６/９/１５ １１:０２",
        "20260915110200", "1789441320", "1789441320000", "46280.459722222222", "15.09.2026 11:02",
        "9/15/2026 11:02",
    ],
)  # fmt: skip
def test_wordings(text):
    assert read(text) == [NOON]


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-13-01 10:00", "2026/02/30 10:00", "1970-01-01 00:00:00", "2026-09-15", "0",
     "05/06/2026 11:02", "2026/9/15 25:00"],
)  # fmt: skip
def test_what_is_no_time(text):
    assert read(text) == [pd.NaT] or pd.isna(read(text)[0])


instants = st.datetimes(
    dt.datetime.fromisoformat("2001-01-02"), dt.datetime.fromisoformat("2099-12-30")
).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))


@given(instants)
def test_an_instant_is_the_same_in_every_wording(instant):
    stamp = pd.Timestamp(instant, tz="UTC")
    epoch = int(stamp.timestamp() * 1000 + 0.5)
    texts = [stamp.isoformat(), str(epoch), stamp.tz_convert(CN).isoformat()]
    assert read(*texts) == [stamp] * 3
    assert read(epoch) == read(epoch * 1000) == [stamp]
    assert read(instant, clock="UTC") == [stamp]


def test_times_without_offset_are_read_by_the_clock():
    helsinki = read("2020-08-01 06:07:00.000", clock="UTC", timezone="Europe/Helsinki")
    assert helsinki[0].isoformat() == "2020-08-01T09:07:00+03:00"


def test_the_hours_of_daylight_saving_do_not_stop_a_file():
    repeated, skipped = read(
        "2020-10-25 03:30", "2020-03-29 03:30", clock="Europe/Helsinki", timezone="UTC"
    )
    assert repeated.isoformat() == "2020-10-25T01:30:00+00:00"
    assert skipped.isoformat() == "2020-03-29T01:00:00+00:00"


def test_a_mixed_column_of_a_spreadsheet():
    cells = [
        dt.datetime.fromisoformat("2026-09-15T11:02"),
        46280.459722222222,
        "2026/9/15 11:02",
        None,
    ]
    times = read(*cells, dtype=object)
    assert times[:3] == [NOON] * 3
    assert pd.isna(times[3])


def test_an_unknown_zone_is_told():
    with pytest.raises(SettingsError, match="Mars/Base"):
        read("2026-09-15 11:02", clock="Mars/Base")
