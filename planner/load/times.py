"""Times as files write them → instants in the study's time zone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.errors import SettingsError
from planner.load.cells import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_YEAR, _LAST_YEAR = 2000, 2100  # a clock that was never set says 1970
_EXCEL_DAYS = (36526.0, 73051.0)  # 2000-01-01 … 2100-01-01 in days since 1899-12-30
# Powers of ten that tell seconds, milliseconds, microseconds and nanoseconds since 1970 apart.
_EPOCHS: tuple[tuple[float, float, str], ...] = (
    (9.4e8, 4.2e9, "s"), (9.4e11, 4.2e12, "ms"), (9.4e14, 4.2e15, "us"), (9.4e17, 4.2e18, "ns"),
)  # fmt: skip
_COMPACT = (2.0e13, 2.1e13)  # 20260915110203

_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
_HALF = r"(?P<half>上午|下午|中午|晚上|凌晨|早上|am|pm|a\.m\.|p\.m\.)?"
_CLOCK = (
    r"(?:[T\s]*(?:周.|星期.)?\s*" + _HALF + r"\s*(?P<hour>\d{1,2})\s*[:时点]\s*(?P<minute>\d{1,2})"
    r"\s*(?:[:分]\s*(?P<second>\d{1,2}(?:\.\d+)?)\s*秒?|分)?\s*(?P<after>am|pm|a\.m\.|p\.m\.)?)?"
)
_YEAR_FIRST = re.compile(
    r"^(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    + _CLOCK + r"$", re.IGNORECASE
)  # fmt: skip
_YEAR_LAST = re.compile(
    r"^(?P<first>\d{1,2})[-/.](?P<other>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK + r"$",
    re.IGNORECASE,
)


def read_times(
    values: pd.Series, *, clock: str, timezone: str, day_first: bool | None = None
) -> pd.Series:
    """Return instants in the study's time zone, NaT where there is none.

    Understood: typed times; seconds, milliseconds, micro- and nanoseconds since 1970 (UTC);
    ISO 8601 with or without offset; ``2026/9/15 11:02``, ``2026年9月15日 下午3点02分``,
    ``15.09.2026 11:02``; ``20260915110203``; a spreadsheet's day numbers. Years before 2000 are no
    times, nor is a day without a clock.

    Parameters
    ----------
    values
        Shape (n,), any dtype.
    clock
        IANA zone of times that carry no offset; in the hour that daylight saving repeats, the
        later instant is taken.
    timezone
        IANA zone of the result.
    day_first
        Whether ``03.04.2026`` is in April; None to tell it from the whole column: undecided, no
        such time is taken.

    Raises
    ------
    SettingsError
        A zone is unknown.

    Examples
    --------
    >>> read_times(pd.Series(["2026/9/15 11:02", "1757905320"]), clock="Asia/Shanghai",
    ...            timezone="Asia/Shanghai").astype(str).tolist()
    ['2026-09-15 11:02:00+08:00', '2025-09-15 11:02:00+08:00']
    """
    check_zones([clock, timezone])
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return _plausible(values.dt.tz_convert(timezone).dt.as_unit("ns"))
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return _plausible(localise(values, clock).dt.tz_convert(timezone))
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype != bool:
        return _plausible(_from_numbers(values, clock).dt.tz_convert(timezone))
    return _plausible(_from_text(as_text(values), clock, day_first).dt.tz_convert(timezone))


def find_day_first(text: pd.Series) -> bool | None:
    """Tell whether days stand before months in dates that end with the year, None if undecided.

    Examples
    --------
    >>> find_day_first(pd.Series(["03.04.2026 10:00", "15.04.2026 10:00"]))
    True
    >>> find_day_first(pd.Series(["03.04.2026 10:00"])) is None
    True
    """
    last = text.str.normalize("NFKC").str.strip().str.extract(_YEAR_LAST)
    first, other = (pd.to_numeric(last[c], errors="coerce") for c in ("first", "other"))
    day_first, month_first = bool((first > 12).any()), bool((other > 12).any())
    return None if day_first == month_first else day_first


def check_zones(zones: Sequence[str]) -> None:
    """Raise `SettingsError` unless all are IANA time zones."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    for zone in zones:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(
                f"{zone!r} is no IANA time zone. Use one like Asia/Shanghai."
            ) from error


def localise(naive: pd.Series, clock: str) -> pd.Series:
    """Return the instants (UTC, ns) of what a clock in a zone shows."""
    twice = np.zeros(len(naive), dtype=bool)
    return (
        naive.dt.as_unit("ns")
        .dt.tz_localize(clock, ambiguous=twice, nonexistent="shift_forward")
        .dt.tz_convert("UTC")
    )


def _plausible(times: pd.Series) -> pd.Series:
    year = times.dt.year
    return times.where((year >= _FIRST_YEAR) & (year < _LAST_YEAR))


def _from_numbers(values: pd.Series, clock: str) -> pd.Series:
    """Return instants (UTC) of numbers: an epoch, a compact date or a spreadsheet's day."""
    number = values.to_numpy(dtype=float, na_value=np.nan)
    stamps = np.full(len(number), np.datetime64("NaT"), dtype="datetime64[ns]")
    for low, high, unit in _EPOCHS:
        mine = (number >= low) & (number < high)
        if mine.any():
            per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
            stamps[mine] = _nanoseconds(values[mine], per_second)
    result = pd.Series(stamps, index=values.index).dt.tz_localize("UTC")
    serial = (number >= _EXCEL_DAYS[0]) & (number < _EXCEL_DAYS[1])
    compact = (number >= _COMPACT[0]) & (number < _COMPACT[1])
    if serial.any():
        seconds = np.round(number[serial] * 86400.0)
        days = pd.Timestamp("1899-12-30") + pd.to_timedelta(seconds, unit="s")
        result[serial] = localise(pd.Series(days, index=values.index[serial]), clock)
    if compact.any():
        text = pd.Series(number[compact], index=values.index[compact]).astype("int64").astype(str)
        naive = pd.to_datetime(text, format="%Y%m%d%H%M%S", errors="coerce")
        result[compact] = localise(naive, clock)
    return result


def _nanoseconds(values: pd.Series, per_second: int) -> np.ndarray:
    """Return times since 1970 at full precision: integers are not sent through floats."""
    scale = 10**9 // per_second
    if pd.api.types.is_integer_dtype(values.dtype):
        return (values.to_numpy(dtype=np.int64) * scale).astype("datetime64[ns]")
    number = values.to_numpy(dtype=float)
    whole = np.floor(number).astype(np.int64)
    part = np.round((number - whole) * scale).astype(np.int64)
    return (whole * scale + part).astype("datetime64[ns]")


def _from_text(text: pd.Series, clock: str, day_first: bool | None) -> pd.Series:
    """Return instants (UTC) of texts, the common forms column-wise and the rest by pattern."""
    result = pd.Series(pd.NaT, index=text.index, dtype="datetime64[ns, UTC]")
    todo = (text != "").to_numpy(bool)
    numeric = todo & text.str.fullmatch(r"\d+(?:\.\d+)?").to_numpy(bool)
    if numeric.any():
        whole = text[numeric]
        numbers = pd.to_numeric(whole, errors="coerce")
        result[numeric] = _from_numbers(numbers, clock)
        todo = todo & ~numeric
    offset = todo & text.str.contains(r"\d{2}:\d{2}.*" + _OFFSET).to_numpy(bool)
    if offset.any():
        iso = pd.to_datetime(text[offset], format="ISO8601", errors="coerce", utc=True)
        result[offset] = iso.dt.as_unit("ns")
        todo = todo & ~offset
    if todo.any():
        timed = text[todo].where(text[todo].str.contains(":"))  # a day alone is no time
        naive = pd.to_datetime(timed, format="ISO8601", errors="coerce").dt.as_unit("ns")
        rest = naive.isna()
        if rest.any():
            naive[rest] = _by_pattern(text[todo][rest], day_first)
        result[todo] = localise(naive, clock)
    return result


def _by_pattern(text: pd.Series, day_first: bool | None) -> pd.Series:
    """Return naive times of texts that are not ISO."""
    plain = text.str.normalize("NFKC").str.strip()
    parts = plain.str.extract(_YEAR_FIRST)
    last = plain.str.extract(_YEAR_LAST)
    day_first = find_day_first(text) if day_first is None else day_first
    if day_first is not None:
        first, other = (pd.to_numeric(last[c], errors="coerce") for c in ("first", "other"))
        last["day"], last["month"] = (first, other) if day_first else (other, first)
        last = last.drop(columns=["first", "other"]).astype(object)
        parts = parts.astype(object).where(parts["year"].notna(), last)
    number = {
        c: pd.to_numeric(parts[c], errors="coerce")
        for c in ("year", "month", "day", "hour", "minute", "second")
    }
    half = parts["half"].fillna(parts["after"]).fillna("").astype(str).str.lower()
    hour = number["hour"]
    late = half.str.startswith("p") | half.isin(["下午", "晚上"])
    early = half.str.startswith("a") | half.isin(["上午", "凌晨", "早上"])
    hour = hour + np.where(late & (hour < 12), 12, 0) - np.where(early & (hour == 12), 12, 0)
    date = pd.to_datetime(
        pd.DataFrame({c: number[c] for c in ("year", "month", "day")}), errors="coerce"
    ).dt.as_unit("ns")
    minute, second = number["minute"].fillna(0.0), number["second"].fillna(0.0)
    sound = (hour < 24) & (minute < 60) & (second < 60)
    return (
        date
        + pd.to_timedelta(hour * 3600 + minute * 60, unit="s").dt.as_unit("ns")
        + pd.to_timedelta(second, unit="s").dt.as_unit("ns")
    ).where(sound)
