"""Which facilities are open in which part of the day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.settings import DAYPARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAY_MIN = 24 * 60
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


def open_in_dayparts(
    hours: pd.Series, dayparts: Mapping[str, tuple[float, float]] = DAYPARTS
) -> pd.DataFrame:
    """Tell for each facility whether it is open in each part of the day.

    Open means: for at least half of the daypart.

    Parameters
    ----------
    hours
        Canonical texts ``HH:MM-HH:MM``, several joined by ``,``. A span that ends at or before its
        start runs over midnight (``22:00-06:00``); ``00:00-24:00`` is always. Empty or missing:
        never open, since nobody can rely on it.
    dayparts
        Name → (from, to) in hours of the day, 0..24; ``to <= from`` runs over midnight.

    Returns
    -------
    pandas.DataFrame
        bool, the index of `hours`, one column a daypart.

    Raises
    ------
    InputError
        A text is not of that form; the facility is named.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.Series(["09:00-17:00", "22:00-06:00"], index=["A", "B"])
    >>> open_in_dayparts(hours, {"noon": (11, 14), "evening": (17, 21), "night": (21, 6)})
        noon  evening  night
    A   True    False  False
    B  False    False   True
    """
    texts = hours.fillna("").astype(str).str.strip()
    parts = [_span(round(start * 60), round(end * 60)) for start, end in dayparts.values()]
    known: dict[str, list[bool]] = {}
    for who, text in texts.items():
        if text not in known:
            day = _open_minutes(text, who)
            known[text] = [bool(day[part].mean() >= 0.5) for part in parts]
    flags = np.array([known[text] for text in texts], dtype=bool).reshape(len(texts), len(parts))
    return pd.DataFrame(flags, index=hours.index, columns=list(dayparts))


def hours_open(hours: pd.Series) -> pd.Series:
    """Return how many hours a day facilities are open; 0 where the hours are empty.

    Parameters
    ----------
    hours
        Opening hours as in `open_in_dayparts`.

    Raises
    ------
    InputError
        A text is no opening hours.

    Examples
    --------
    >>> hours_open(pd.Series(["09:00-17:30", "22:00-06:00,12:00-13:00", None])).tolist()
    [8.5, 9.0, 0.0]
    """
    texts = hours.fillna("").astype(str).str.strip()
    known = {text: _open_minutes(text, who).sum() / 60.0 for who, text in texts.items()}
    return texts.map(known).astype(float)


def _span(start: int, end: int) -> np.ndarray:
    """List the minutes of the day from `start` up to `end`, over midnight if that is not later."""
    end = end if end > start else end + _DAY_MIN
    return np.arange(start, end) % _DAY_MIN


def _open_minutes(text: str, who: object) -> np.ndarray:
    """Tell for each minute of the day whether the hours say open."""
    is_open = np.zeros(_DAY_MIN, dtype=bool)
    for part in (p.strip() for p in text.split(",") if p.strip()):
        match = _SPAN.fullmatch(part)
        ends = [int(v) for v in match.groups()] if match else [99] * 4
        start, end = ends[0] * 60 + ends[1], ends[2] * 60 + ends[3]
        if max(start, end) > _DAY_MIN or max(ends[1], ends[3]) > 59:
            raise InputError(
                f"`hours` of {who!r} must read HH:MM-HH:MM. Got {text!r}. "
                "Several spans are joined by a comma."
            )
        is_open[_span(start, end)] = True
    return is_open
