"""Arrow columns of times → instants, quickly where a column is regular and patiently elsewhere."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from planner.load.times import localise, read_times

if TYPE_CHECKING:
    from collections.abc import Callable

INSTANT = pa.timestamp("us", tz="UTC")

_FIRST_US, _LAST_US = (int(dt.datetime(y, 1, 1, tzinfo=dt.UTC).timestamp()) * 10**6
                       for y in (2000, 2100))  # fmt: skip
_DAY_US = 86_400_000_000
_MOST_DAYS = 4000  # a batch of which the days are looked at one by one
# What tells seconds, milliseconds, micro- and nanoseconds since 1970 apart; to microseconds.
_EPOCHS: tuple[tuple[int, int, Callable[[np.ndarray], np.ndarray]], ...] = (
    (940_000_000, 4_200_000_000, lambda v: v * 10**6),
    (940_000_000_000, 4_200_000_000_000, lambda v: v * 1000),
    (940_000_000_000_000, 4_200_000_000_000_000, lambda v: v),
    (940_000_000_000_000_000, 4_200_000_000_000_000_000, lambda v: v // 1000),
)
_FORM = re.compile(r"(\d{4}|\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{1,2})([ T])\d{1,2}:\d{2}(:\d{2})?")
_FORM_ZH = re.compile(
    r"\d{4}年\d{1,2}月\d{1,2}日(\s?)\d{1,2}([:时点])\d{1,2}(?:([:分])\d{1,2}(秒?)|(分)|)"
)
_ISO = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$"


def read_instants(cells: pa.Array, *, clock: str, day_first: bool | None = None) -> pa.Array:
    """Return instants as `INSTANT`, null where there is none that can be used.

    Understood is what `planner.load.times.read_times` understands, with the same result to the
    microsecond.

    Parameters
    ----------
    cells
        Shape (n,): timestamps of any unit, with a zone or without; numbers; texts.
    clock
        IANA zone of times that carry no offset.
    day_first
        Whether ``03.04.2026`` is in April; None if no date is written so.

    Examples
    --------
    >>> found = read_instants(pa.array(["2026-09-15 11:02", "soon"]), clock="Asia/Shanghai")
    >>> found[0].as_py().isoformat(), found[1].as_py()
    ('2026-09-15T03:02:00+00:00', None)
    """
    kind = cells.type
    if pa.types.is_timestamp(kind):
        return _from_timestamps(cells, clock)
    if pa.types.is_integer(kind):
        return _from_integers(cells, clock)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(cells, clock, day_first)
    if pa.types.is_dictionary(kind):
        known = read_instants(cells.dictionary, clock=clock, day_first=day_first)
        return known.take(cells.indices)
    return _patiently(cells, clock, day_first)


def join_clock(date: pa.Array, clock: pa.Array) -> pa.Array:
    """Return texts of a day and a clock that stand in two columns."""
    day, hour = (pc.cast(a, pa.string()) for a in (date, clock))
    return pc.binary_join_element_wise(pc.utf8_slice_codeunits(day, 0, 10), hour, " ")


def _patiently(cells: pa.Array, clock: str, day_first: bool | None) -> pa.Array:
    times = read_times(cells.to_pandas(), clock=clock, timezone="UTC", day_first=day_first)
    return pa.array(times.dt.as_unit("us"), type=INSTANT)


def _numbers(cells: pa.Array) -> np.ndarray:
    """Return the 64-bit numbers of an array without copying; null ones are any number."""
    buffer = cells.buffers()[1]
    return np.frombuffer(buffer, dtype=np.int64)[cells.offset : cells.offset + len(cells)]


def _plausible(cells: pa.Array) -> pa.Array:
    """Return instants without those of clocks that were never set."""
    if not len(cells):
        return cells
    values = _numbers(cells)
    if values.min() >= _FIRST_US and values.max() < _LAST_US:
        return cells
    sound = (values >= _FIRST_US) & (values < _LAST_US)
    return pc.if_else(pa.array(sound), cells, pa.scalar(None, INSTANT))


def _from_timestamps(cells: pa.Array, clock: str) -> pa.Array:
    zone = cells.type.tz
    if cells.type.unit != "us":
        cells = cells.cast(pa.timestamp("us", tz=zone), safe=False)
    if zone is None:
        return _to_utc(cells, clock)
    return _plausible(cells if zone == "UTC" else cells.cast(INSTANT))


def _to_utc(cells: pa.Array, clock: str) -> pa.Array:
    """Return the instants of what clocks in a zone show (timestamps in µs)."""
    cells = cells.cast(INSTANT)
    if clock == "UTC":
        return _plausible(cells)
    if not len(cells):
        return cells
    cells = _plausible(cells)
    if cells.null_count:  # whatever stands under a null is no time to look up
        cells = pc.fill_null(cells, pa.scalar(0, INSTANT))
    values = _numbers(cells)
    known = values > 0
    if not known.all():
        moved = np.zeros(len(values), dtype=np.int64)
        moved[known] = _subtract_offset(values[known], clock)
        return pa.array(moved, mask=~known).cast(INSTANT)
    return pa.array(_subtract_offset(values, clock)).cast(INSTANT)


def _subtract_offset(values: np.ndarray, clock: str) -> np.ndarray:
    if not len(values):
        return values
    first, last = int(values.min()) // _DAY_US, int(values.max()) // _DAY_US
    if last - first > _MOST_DAYS:
        return _localised(values, clock)
    table = [_steady_offset(clock, day) for day in range(first, last + 1)]
    if len(set(table)) == 1 and table[0] is not None:
        return values - table[0]
    day = values // _DAY_US - first
    steady = np.array([offset is not None for offset in table])[day]
    moved = values - np.array([offset or 0 for offset in table], dtype=np.int64)[day]
    moved[~steady] = _localised(values[~steady], clock)
    return moved


def _localised(values: np.ndarray, clock: str) -> np.ndarray:
    naive = pd.Series(values.astype("datetime64[us]"))
    local = localise(naive, clock).dt.as_unit("us")
    return local.dt.tz_localize(None).to_numpy().astype(np.int64)


@lru_cache(maxsize=1 << 16)
def _steady_offset(clock: str, day: int) -> int | None:
    """Return a zone's offset in µs on a day since 1970, None where it changes on it or beside."""
    midnight = dt.datetime(1970, 1, 1, tzinfo=ZoneInfo(clock)) + dt.timedelta(days=day)
    ends = {(midnight + dt.timedelta(hours=h)).utcoffset() for h in (-3, 12, 27)}
    offset = ends.pop()
    if ends or offset is None:
        return None
    return round(offset.total_seconds() * 10**6)


def _from_integers(cells: pa.Array, clock: str) -> pa.Array:
    """Scale epochs; a zero is none. Mixed units, compact dates and day numbers go patiently."""
    if not len(cells):
        return pa.array([], INSTANT)
    filled = pc.fill_null(cells, 0) if cells.null_count else cells
    try:
        values = _numbers(filled.cast(pa.int64()))
    except pa.ArrowInvalid:
        return _patiently(cells, clock, None)
    highest = int(values.max())
    for low, high, to_us in _EPOCHS:
        if low <= highest < high:
            mine = values >= low
            if mine.all():
                return _plausible(pa.array(to_us(values)).cast(INSTANT))
            if (mine | (values == 0)).all():
                return _plausible(pa.array(to_us(values), mask=~mine).cast(INSTANT))
    if highest == 0 and not values.any():
        return pa.nulls(len(cells), INSTANT)
    return _patiently(cells, clock, None)


def _from_text(cells: pa.Array, clock: str, day_first: bool | None) -> pa.Array:
    """Read the form of the first cell at once, and cell by cell only what is written otherwise."""
    filled = cells.drop_null()
    if not len(filled):
        return pa.nulls(len(cells), INSTANT)
    times = _at_once(cells, filled[0].as_py().strip(), clock, day_first)
    if times.null_count == cells.null_count:
        return times
    rest = np.asarray(pc.and_(pc.is_null(times), pc.is_valid(cells)))
    found = _patiently(cells.filter(pa.array(rest)).cast(pa.string()), clock, day_first)
    if found.null_count == len(found):
        return times
    return pc.replace_with_mask(times, pa.array(rest), found)


def _at_once(cells: pa.Array, first: str, clock: str, day_first: bool | None) -> pa.Array:
    """Return the times that are written like the first one, null elsewhere."""
    if first.isdecimal() and first.isascii():
        try:
            return _from_integers(cells.cast(pa.int64()), clock)
        except pa.ArrowInvalid:
            return pa.nulls(len(cells), INSTANT)
    if re.match(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:", first):
        return _from_iso(cells, clock)
    form = _strptime_form(first, day_first)
    if form is None:
        return pa.nulls(len(cells), INSTANT)
    leap = pc.match_substring_regex(cells, "60秒?$")  # a second that clocks in files do not know
    cells = pc.if_else(leap, pa.scalar(None, cells.type), cells)
    naive = pc.strptime(cells, format=form, unit="us", error_is_null=True)
    return _to_utc(naive, clock)


def _from_iso(cells: pa.Array, clock: str) -> pa.Array:
    short = pc.less(pc.binary_length(cells), 16)  # a day alone is no time
    if pc.any(short).as_py():
        cells = pc.if_else(short, pa.scalar(None, cells.type), cells)
    for _ in range(2):
        for kind in (pa.timestamp("us"), INSTANT):
            try:
                return _from_timestamps(cells.cast(kind), clock)
            except pa.ArrowInvalid:
                continue
        plain = pc.match_substring_regex(cells, _ISO)
        cells = pc.if_else(plain, cells, pa.scalar(None, cells.type))
    return pa.nulls(len(cells), INSTANT)


def _strptime_form(text: str, day_first: bool | None) -> str | None:
    """Return the C form of a date and a clock.

    Examples
    --------
    >>> _strptime_form("2026/9/15 7:05", None), _strptime_form("15.09.2026 07:05:11", True)
    ('%Y/%m/%d %H:%M', '%d.%m.%Y %H:%M:%S')
    >>> _strptime_form("2026年9月15日 11点02分", None)
    '%Y年%m月%d日 %H点%M分'
    """
    if found := _FORM_ZH.fullmatch(text):
        space, colon, minute, second, end = (part or "" for part in found.groups())
        return f"%Y年%m月%d日{space}%H{colon}%M" + (f"{minute}%S{second}" if minute else end)
    match = _FORM.fullmatch(text)
    if match is None or (len(match[1]) == 4) == (len(match[4]) == 4):
        return None
    if len(match[1]) == 4:
        fields = ["%Y", "%m", "%d"]
    elif day_first is None:
        return None
    else:
        fields = ["%d", "%m", "%Y"] if day_first else ["%m", "%d", "%Y"]
    return match[2].join(fields) + match[5] + "%H:%M" + (":%S" if match[6] else "")
