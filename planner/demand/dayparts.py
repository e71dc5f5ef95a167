"""Dayparts: which one a clock time falls into, and whether they tile the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

REST = "other"  # names the hours that no daypart covers
KINDS_OF_DAY = ("workday", "weekend")
_TAKEN = {"per_day", *KINDS_OF_DAY, REST}


def check_dayparts(dayparts: Mapping[str, tuple[float, float]]) -> bool:
    """Return whether dayparts tile the day; raise where they overlap or cannot name a column.

    Raises
    ------
    SettingsError
        There is none, one has hours outside 0..24, two overlap, or `weight_<name>` would be taken
        for another column.
    """
    if not dayparts:
        raise SettingsError("The `dayparts` setting must name at least one daypart.")
    covered = 0.0
    taken: list[tuple[float, float, str]] = []
    for name, (start, end) in dayparts.items():
        if name in _TAKEN or name.startswith(("type_", "class_")):
            raise SettingsError(f"The daypart `{name}` has a name that is taken. Rename it.")
        if not (0 <= start <= 24 and 0 <= end <= 24):
            raise SettingsError(f"The hours of daypart `{name}` must be 0..24. Got {start}, {end}.")
        for a, b in _spans(start, end):
            for c, d, other in taken:
                if a < d and c < b:
                    raise SettingsError(f"The dayparts `{other}` and `{name}` overlap.")
            taken.append((a, b, name))
            covered += b - a
    return bool(np.isclose(covered, 24.0))


def daypart_of(hour: np.ndarray, dayparts: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """Return the position of the daypart of each hour 0..24; one past the last where there is none.

    Examples
    --------
    >>> daypart_of(np.array([5.9, 6.0, 23.0]), {"day": (6, 21), "night": (21, 6)})
    array([1, 0, 1])
    """
    part = np.full(len(hour), len(dayparts), dtype=np.int64)
    for i, (start, end) in enumerate(dayparts.values()):
        for a, b in _spans(start, end):
            part[(hour >= a) & (hour < b)] = i
    return part


def _spans(start: float, end: float) -> list[tuple[float, float]]:
    """Return the hours within one day, two spans if they pass midnight."""
    spans = [(start, end)] if end > start else [(start, 24.0), (0.0, end)]
    return [(a, b) for a, b in spans if b > a]
