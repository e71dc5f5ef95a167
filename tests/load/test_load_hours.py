"""Opening hours in every wording become one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.load.hours import is_hours, read_hours

CASES = {
    "24小时": "00:00-24:00",
    "全天": "00:00-24:00",
    "24h": "00:00-24:00",
    "24/7": "00:00-24:00",
    "周一至周日 全天": "00:00-24:00",
    "00:00-23:59": "00:00-24:00",
    "08:00-08:00": "00:00-24:00",
    "09:00-21:00": "09:00-21:00",
    "09:00:00-17:00:00": "09:00-17:00",
    "9-17": "09:00-17:00",
    "09.00–17.00": "09:00-17:00",
    "9点-21点": "09:00-21:00",
    "9点半至21点": "09:30-21:00",
    "9时30分～21时": "09:30-21:00",
    "早9点到晚9点": "09:00-21:00",
    "早8晚10": "08:00-22:00",
    "每天 08：00－20：00": "08:00-20:00",
    "周一至周五 09:00-17:00": "09:00-17:00",
    "星期一到星期五，9:00—17:00": "09:00-17:00",
    "工作日9:00-18:00；周末10:00-16:00": "09:00-18:00",
    "周一至周五 09:00-17:00 周六 10:00-12:00": "09:00-17:00",
    "上午8:30至12点，下午2点半到晚上6点": "08:30-12:00,14:30-18:00",
    "14:00-18:00,9:00-12:00": "09:00-12:00,14:00-18:00",
    "9:00-12:00、11:00-18:00": "09:00-18:00",
    "22:00-06:00": "22:00-06:00",
    "8:00-次日2:00": "08:00-02:00",
    "08:00-26:00": "08:00-02:00",
    "9am-5pm": "09:00-17:00",
    "12am-12pm": "00:00-12:00",
    "Monday to Friday 9:00-17:00": "09:00-17:00",
    "Mo-Th 11:00-23:00; Fr 11:00-24:00; Sa 12:00-24:00; Su 13:00-23:00": "11:00-23:00",
    "Mo-Fr 08:00-18:00, Sa 09:00-13:00": "08:00-18:00",
    "Mo-Su 10:00-20:00; PH off": "10:00-20:00",
    "Mo-Fr 10:00-02:00; Sa,Su off": "10:00-02:00",
    '10:00-22:00 || "by appointment"': "10:00-22:00",
    "off": "",
    "暂停服务": "",
    "": None,
    "电话预约": None,
    "25:00-26:00": None,
    "10:00+": None,
    "sunrise-sunset": None,
    "09:00-17:00 凭码进入": None,
}


@pytest.mark.parametrize("text", CASES)
def test_wordings(text):
    assert read_hours(text) == CASES[text]


minutes = st.integers(0, 24 * 60 - 1)


@given(st.lists(st.tuples(minutes, minutes), min_size=1, max_size=4))
def test_what_was_read_is_read_again_as_the_same(spans):
    text = ",".join(f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in spans)
    once = read_hours(text)
    assert is_hours(once)
    assert read_hours(once) == once


@given(st.lists(st.tuples(minutes, minutes), min_size=1, max_size=4))
def test_every_minute_that_was_open_stays_open(spans):
    text = ",".join(f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in spans)
    before = set().union(*(open_minutes(a, b) for a, b in spans))
    found = re.findall(r"(\d\d):(\d\d)-(\d\d):(\d\d)", read_hours(text))
    after = set().union(
        *(open_minutes(int(a) * 60 + int(b), int(c) * 60 + int(d)) for a, b, c, d in found)
    )
    assert before <= after
    assert len(after - before) <= len(spans)  # 23:59 is taken as midnight


def open_minutes(opens, closes):
    closes = closes if closes > opens else closes + 1440
    return {m % 1440 for m in range(opens, closes)}


@given(st.text(max_size=30))
def test_any_text_is_hours_closed_or_unknown(text):
    hours = read_hours(text)
    assert hours is None or hours == "" or is_hours(hours)
