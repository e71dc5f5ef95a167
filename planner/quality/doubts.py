"""Doubts that the data themselves raise: datum, rounding, days, districts, sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.quality.datum import STREETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.i18n import Translate
    from planner.settings import Settings

DATUMS = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}
DEGREE_M = 111_000.0  # a degree of latitude
WAKING = range(7, 22)  # hours in which some rider is on the road anywhere (guess)
FEW_SEEN = 0.1  # of the registered workers of a type (guess)


def find_doubts(t: Translate, s: Settings, numbers: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the planner can mend in datum, time, space and sample; heaviest first.

    Parameters
    ----------
    t
        The language.
    s
        The study.
    numbers
        What `measure_quality` found; parts that are absent raise no doubt.
    """
    for name, found in numbers.get("datum", {}).items():
        yield from say_datum(t, name, found)
        yield from _rounding(t, s, name, found)
    yield from _time(t, numbers.get("time", {}))
    yield from _space(t, numbers.get("space", {}))
    yield from _sample(t, numbers.get("sample", {}))


def say_datum(t: Translate, name: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the suspicion about one input's datum, if there is one."""
    if found["verdict"] != "other":
        return
    best, readings = found["best"], found["readings"]
    metres = {
        "m": f"{readings[best]['median_m']:.0f}",
        "was": f"{readings[found['declared']]['median_m']:.0f}",
    }
    if best.startswith(STREETS):
        yield t(
            "the streets look like {datum} beside {name}: median distance to the nearest street "
            "{m} m instead of {was} m. Convert `streets.file` to WGS 84.",
            name=t(name), datum=DATUMS[best.removeprefix(STREETS)], **metres,
        )  # fmt: skip
    else:
        yield t(
            "{name}: the coordinates look like {datum}: median distance to the nearest street {m} "
            'm instead of {was} m. Set `{section}.datum = "{word}"`.',
            name=t(name), section=name, word=best, datum=DATUMS[best], **metres,
        )  # fmt: skip


def _rounding(t: Translate, s: Settings, name: str, found: Mapping[str, Any]) -> Iterator[str]:
    step = found["rounded_deg"]
    if step and step * DEGREE_M > 0.5 * s.demand.cell_m:
        yield t(
            "{name}: coordinates are rounded to {step}° (about {m} m), coarser than the cells of "
            "{cell} m. Ask for finer ones, or read the plan as no finer than that.",
            name=t(name), step=f"{step:g}", m=f"{step * DEGREE_M:,.0f}",
            cell=f"{s.demand.cell_m:g}",
        )  # fmt: skip


def _time(t: Translate, time: Mapping[str, Any]) -> Iterator[str]:
    if not time:
        return
    days = time["weekdays"] + time["weekend_days"]
    if not time["weekend_days"]:
        yield t("no Saturday or Sunday in the data, so all days count as weekdays. Load a weekend.")
    elif not time["weekdays"]:
        yield t("no day from Monday to Friday in the data. Load weekdays too.")
    if 0 < len(time["missing_days"]) < days:
        yield t(
            "{n} of {of} days hold nothing: {which}. Load them, or check that the export is whole.",
            n=len(time["missing_days"]), of=days + len(time["missing_days"]),
            which=_some(time["missing_days"]),
        )  # fmt: skip
    if time["thin_days"]:
        yield t(
            "{n} of {of} days hold under half of what the median day does: {which}. Check that the "
            "export is whole, or leave them out.",
            n=len(time["thin_days"]), of=days, which=_some(time["thin_days"]),
        )  # fmt: skip
    silent = [hour for hour in time["empty_hours"] if hour in WAKING]
    if silent:
        yield t(
            "no activity at all in the hours {which}. Check the time zone, or load what is "
            "missing.",
            which=say_hours(silent),
        )  # fmt: skip


def _space(t: Translate, space: Mapping[str, Any]) -> Iterator[str]:
    empty = space.get("empty", [])
    if empty:
        yield t(
            "no activity in {n} of {of} districts: {which}. Load activity that covers them, or "
            "take them out of the area: the plan cannot see them.",
            n=len(empty), of=len(space["districts"]), which=_some(empty),
        )  # fmt: skip


def _sample(t: Translate, sample: Mapping[str, Any]) -> Iterator[str]:
    few = []
    for row in sample.get("types", []):
        kind, share = str(row["worker_type"]), row["share"]
        if share is not None and share < FEW_SEEN:
            few.append(f"{t(kind)} {share:.1%}")
    if few:
        yield t(
            "few of the registered workers are in the data: {which}. Load more of them: what they "
            "need is drawn from few.",
            which=", ".join(few),
        )


def say_hours(hours: list[int]) -> str:
    """Say hours as spans of the clock.

    Examples
    --------
    >>> say_hours([2, 3, 4, 23])
    '02–05, 23–24'
    """
    spans: list[list[int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    return ", ".join(f"{a:02}–{b:02}" for a, b in spans)


def _some(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
