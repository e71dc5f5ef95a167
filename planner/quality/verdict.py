"""One line about all of it: may these data carry a plan, and how much is to mend."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from planner.i18n import Translate, translator
from planner.quality.warnings import OLD, find_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.settings import Settings

_FIRST = ("activity", "stations", "hosts")  # what planners look at before the ground
_MOST = 0.5  # of rows lost or of demand suppressed: no longer a sample (guess)
_MANY_OFF = 0.2  # of demand off the streets (guess)


def judge(s: Settings, numbers: Mapping[str, Any], *, today: date | None = None) -> dict[str, Any]:
    """Return the numbers with the data's age, the warnings and a verdict.

    Parameters
    ----------
    s
        The study.
    numbers
        The data part of ``plan.json``, and what `measure_quality` found.
    today
        The day that the age is counted from; None leaves it out.

    Returns
    -------
    dict
        ``verdict`` {level, text}, ``warnings``, ``age`` {first_day, last_day, days_old,
        limit_days, old}, then the numbers. The level is ``good`` (nothing to mend), ``usable`` or
        ``doubtful`` (no plan should be made before it is mended).
    """
    warnings = find_warnings(s, numbers, today=today)
    inputs = numbers["inputs"]
    order = [*(name for name in _FIRST if name in inputs), *inputs]
    return {
        "verdict": _verdict(translator(s.study.language), numbers, len(warnings)),
        "warnings": warnings,
        "age": _age(numbers["demand"], today),
        **numbers,
        "inputs": {name: inputs[name] for name in order},
    }


def _verdict(t: Translate, numbers: Mapping[str, Any], n: int) -> dict[str, str]:
    why = next(_grave(t, numbers), None)
    if why:
        text = t("not fit for a plan yet: {why}", why=why)
        return {"level": "doubtful", "text": text}
    if not n:
        return {"level": "good", "text": t("usable; nothing to mend")}
    text = t("usable; 1 thing to mend") if n == 1 else t("usable; {n} things to mend", n=n)
    return {"level": "usable", "text": text}


def _grave(t: Translate, numbers: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes a plan of these data worthless."""
    if numbers.get("datum", {}).get("activity", {}).get("verdict") == "other":
        yield t("the activity and the streets are in different datums")
    note = numbers["inputs"].get("activity", {"rows": 0, "kept": 0})
    if note["rows"] - note["kept"] > _MOST * note["rows"]:
        yield t("most rows of the activity are lost")
    if numbers["demand"]["off_streets_share"] > _MANY_OFF:
        yield t("much of the demand lies off the streets")
    if numbers["demand"]["suppressed_share"] > _MOST:
        yield t("most of the demand is suppressed for privacy")


def _age(demand: Mapping[str, Any], today: date | None) -> dict[str, Any]:
    last = demand.get("last_day")
    days = (today - date.fromisoformat(last)).days if today and last else None
    return {
        "first_day": demand.get("first_day"),
        "last_day": last,
        "days_old": days,
        "limit_days": OLD.days,
        "old": None if days is None else days > OLD.days,
    }
