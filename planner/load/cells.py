"""Cells of a file as text and numbers, however people typed them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

# What people write into a cell to say that it is empty.
_BLANKS = frozenset({
    "-", "--", "—", "——", "/", "\\", "n/a", "#n/a", "na", "nan", "nat", "null", "none", "<na>",
    "无", "暂无", "未知", "空",
})  # fmt: skip

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_DECIMAL = re.compile(rf"({_NUMBER})°?")
_DMS = re.compile(
    r"([-+]?\d{1,3})°(\d{1,2}(?:\.\d+)?)'(?:(\d{1,2}(?:\.\d+)?)\"?)?|([-+]?\d{1,3})°(\d{1,2})'"
)
_HEMISPHERE = (
    (re.compile(r"^(?:东经|北纬|[EN])|[EN]$"), 1.0),
    (re.compile(r"^(?:西经|南纬|[SW])|[SW]$"), -1.0),
)
_PAIR = re.compile(
    rf"[\[({{\s]*({_NUMBER})\s*[,;\s/]\s*({_NUMBER})(?:\s+{_NUMBER})?[\])}}\s]*", re.IGNORECASE
)


def as_text(values: pd.Series) -> pd.Series:
    """Return cells as trimmed text, empty ones (and “-”, “无”, “N/A”) as an empty text.

    Whole numbers lose the ``.0`` that spreadsheets give them; times become ISO.

    Examples
    --------
    >>> as_text(pd.Series([3.0, None, " 驿站 ", "无"], dtype=object)).tolist()
    ['3', '', '驿站', '']
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        known = [*as_text(pd.Series(values.cat.categories)).tolist(), ""]
        filled = pd.Series(known, dtype=str).take(values.cat.codes.to_numpy() % len(known))
        return filled.set_axis(values.index)
    if isinstance(values.dtype, pd.StringDtype):
        text = values.fillna("").astype(str).str.strip()
    elif pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        return values.astype(str)
    else:
        # A dictionary of the distinct cells: files repeat themselves, Python is slow.
        cells = values.astype(object)
        codes, distinct = pd.factorize(cells.where(cells.notna(), None), use_na_sentinel=True)
        texts = [*(_cell_text(v) for v in distinct), ""]
        text = pd.Series(texts, dtype=str).take(codes % len(texts)).set_axis(values.index)
    blank = text.str.lower().isin(_BLANKS)
    return text.mask(blank, "") if blank.any() else text


def _cell_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, dt.timedelta):  # how spreadsheets store 24:00
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return str(value).strip()


def to_numbers(
    values: pd.Series, read: Callable[[str], float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return cells as float64 (NaN where there is none) and which cells could not be read.

    Parameters
    ----------
    values
        Shape (n,), any dtype.
    read
        Reads one text that is no plain number; `read_amount` if None.

    Returns
    -------
    numbers, unreadable
        Shape (n,) float64; shape (n,) bool, true where something stands that is no number.

    Examples
    --------
    >>> numbers, unreadable = to_numbers(pd.Series(["１２", "", "x"]))
    >>> numbers.tolist(), unreadable.tolist()
    ([12.0, nan, nan], [False, False, True])
    """
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype != bool:
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        return numbers, np.isinf(numbers)
    text = as_text(values)
    numbers = pd.to_numeric(text.mask(text == ""), errors="coerce").to_numpy(float, copy=True)
    odd = ~np.isfinite(numbers) & (text != "").to_numpy()
    if odd.any():
        read = read or read_amount
        rest = text[odd]
        found = {t: read(t) for t in rest.unique()}
        numbers[odd] = rest.map(found).to_numpy(float)
    return numbers, odd & ~np.isfinite(numbers)


def read_amount(text: str) -> float:
    """Return the one number in a text like ``约50人`` or ``1,200``, or NaN.

    Examples
    --------
    >>> read_amount("约５０人"), read_amount("1,200"), read_amount("3-5")
    (50.0, 1200.0, nan)
    """
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", unicodedata.normalize("NFKC", text))
    numbers = re.findall(r"\d+(?:\.\d+)?", plain)
    if len(numbers) != 1:
        return float("nan")
    number = float(numbers[0])
    return -number if plain.strip().startswith("-") else number


def read_degrees(text: str) -> float:
    """Return a longitude or latitude in degrees, or NaN if it is none.

    Full-width digits, a decimal comma, hemispheres and degrees–minutes–seconds are understood.

    Examples
    --------
    >>> read_degrees("１０４．０６"), read_degrees("西经8.5°"), read_degrees("41,15")
    (104.06, -8.5, 41.15)
    >>> round(read_degrees("30°39′36″N"), 6), read_degrees("41.163066654-8.67598304213")
    (30.66, nan)
    """
    plain = text.replace("″", '"').replace("”", '"').replace("′", "'").replace("’", "'")
    plain = unicodedata.normalize("NFKC", plain).strip().upper().replace("''", '"')
    plain = plain.replace("度", "°").replace("º", "°").replace("分", "'").replace("秒", '"')
    plain = re.sub(r"\s+", "", plain)
    sign = 1.0
    for pattern, side in _HEMISPHERE:
        plain, count = pattern.subn("", plain)
        sign = side if count else sign
    plain = plain.strip(":：")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if match := _DECIMAL.fullmatch(plain):
        return sign * float(match[1])
    if match := _DMS.fullmatch(plain):
        degrees, minutes, seconds = (float(g or 0.0) for g in match.groups()[:3])
        if minutes < 60 and seconds < 60:
            total = abs(degrees) + minutes / 60 + seconds / 3600
            return sign * (-total if plain.startswith("-") else total)
    return float("nan")


def read_pair(text: str) -> tuple[float, float]:
    """Return the two numbers of a cell like ``104.06,30.66`` or ``POINT (104.06 30.66)``, or NaNs.

    Examples
    --------
    >>> read_pair("104.06，30.66"), read_pair("POINT (104.06 30.66)"), read_pair("104.06")
    ((104.06, 30.66), (104.06, 30.66), (nan, nan))
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = re.sub(r"^(?:SRID=\d+;)?\s*POINT\s*Z?\s*(?=\()", "", plain, flags=re.IGNORECASE)
    plain = plain.replace("、", ",")
    if match := _PAIR.fullmatch(plain):
        return float(match[1]), float(match[2])
    parts = [p for p in re.split(r"[,;]", plain.strip("[](){} ")) if p.strip()]
    if len(parts) == 2:
        return read_degrees(parts[0]), read_degrees(parts[1])
    return float("nan"), float("nan")


def each_text(values: pd.Series, read: Callable[[str], Any]) -> list[Any]:
    """Return `read` of every cell's text, each distinct text read once."""
    text = as_text(values)
    found = {t: read(t) for t in text.unique()}
    return [found[t] for t in text]
