"""Warnings: what a planner can mend, one sentence each with its remedy."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from planner.i18n import Translate, translator
from planner.quality.doubts import find_doubts
from planner.quality.rows import say_reasons

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.settings import Settings

OLD = timedelta(days=180)  # Jiangmen warns of older data
FAR_AHEAD = timedelta(days=366)  # no time zone explains it (guess)
_NO_FAULT = ("closed", "repeated row")  # rows that nobody need mend
_OUTSIDE = "outside the area"
MANY_LOST = 0.05  # of activity rows (guess)
MANY_SUPPRESSED = 0.15  # of demand (guess)


def find_warnings(
    s: Settings, numbers: Mapping[str, Any], *, today: date | None = None
) -> list[str]:
    """Return what the planner can mend, one sentence each with its remedy, in the study's language.

    Parameters
    ----------
    s
        The study.
    numbers
        ``plan.json``, or the part of it that `planner check` knows, with what `measure_quality`
        found where it was asked.
    today
        The day that the data's age is counted from; None leaves age out.
    """
    t = translator(s.study.language)
    return [
        *find_doubts(t, s, numbers),
        *_lost_rows(t, numbers["inputs"]),
        *_assumed_hours(t, s, numbers["inputs"].get("stations", {})),
        *_network(t, numbers["network"]),
        *_off_streets(t, s, numbers),
        *_apart(t, numbers),
        *_demand(t, s, numbers["demand"], today),
        *_sites(t, numbers.get("siting", {})),
    ]


def _lost_rows(t: Translate, inputs: Mapping[str, Any]) -> Iterator[str]:
    for name, note in inputs.items():
        faults = {reason: n for reason, n in note["dropped"].items() if reason not in _NO_FAULT}
        lost = sum(faults.values())
        if lost <= (MANY_LOST * note["rows"] if name == "activity" else 0):
            continue
        told = {
            "name": t(name),
            "lost": f"{lost:,}",
            "rows": f"{note['rows']:,}",
            "reasons": say_reasons(t, faults, note.get("examples")),
        }
        outside = sum(n for reason, n in faults.items() if reason.endswith(_OUTSIDE))
        if name == "activity" and 2 * outside > lost:
            yield t(
                "{name}: {lost} of {rows} rows left out{reasons}. Widen the area, or the street "
                "file where no area is given, if riders work there.",
                **told,
            )  # fmt: skip
        else:
            yield t(
                "{name}: {lost} of {rows} rows left out{reasons}. Mend them in {file}.",
                **told, file=note["file"],
            )  # fmt: skip


def _assumed_hours(t: Translate, s: Settings, note: Mapping[str, Any]) -> Iterator[str]:
    assumed = note.get("notes", {}).get("hours assumed", 0)
    if assumed:
        yield t(
            "{n} of {of} stations give no opening hours; {hours} is assumed. Fill them in the "
            "register: open-now shares depend on it.",
            n=assumed, of=note["kept"], hours=s.stations.assumed_hours,
        )  # fmt: skip


def _network(t: Translate, network: Mapping[str, Any]) -> Iterator[str]:
    lost = 1.0 - network.get("main_share", 1.0)
    if lost > 0.02:
        yield t(
            "{share} of the street length is cut off from the rest ({n} parts). Check the street "
            "file for gaps.",
            share=f"{lost:.1%}", n=network["components"],
        )  # fmt: skip


def _off_streets(t: Translate, s: Settings, numbers: Mapping[str, Any]) -> Iterator[str]:
    share, stations = numbers["demand"]["off_streets_share"], numbers["off_streets"]
    if share > 0.005:
        yield t(
            "{share} of the demand lies over {m} m from every street and counts as not covered. "
            "Check `streets.file` and the `datum` of the activity.",
            share=f"{share:.1%}", m=f"{s.service.snap_m:g}",
        )  # fmt: skip
    if stations:
        yield t(
            "{n} stations lie over {m} m from every street and serve nobody: {which}. Check their "
            "coordinates.",
            n=len(stations), m=f"{s.service.snap_m:g}",
            which=", ".join(i.partition(":")[2] for i in stations[:5]),
        )  # fmt: skip


def _apart(t: Translate, numbers: Mapping[str, Any]) -> Iterator[str]:
    # plans of earlier versions were not asked
    share, stations = numbers["demand"].get("apart_share", 0.0), numbers.get("apart", ())
    if share > 0.005:
        yield t(
            "{share} of the demand stands on streets that lead to no station and counts as not "
            "covered. Check the street file for missing bridges and links.",
            share=f"{share:.1%}",
        )
    if stations:
        yield t(
            "{n} stations stand on streets that lead to no demand and serve nobody: {which}. Check "
            "the street file for missing bridges and links.",
            n=len(stations), which=", ".join(i.partition(":")[2] for i in stations[:5]),
        )  # fmt: skip


def _demand(
    t: Translate, s: Settings, demand: Mapping[str, Any], today: date | None
) -> Iterator[str]:
    if demand["suppressed_share"] > MANY_SUPPRESSED:
        yield t(
            "{share} of the demand is suppressed: under {k} distinct workers a cell. Load more "
            "days or widen `demand.cell_m`.",
            share=f"{demand['suppressed_share']:.1%}", k=s.demand.min_workers,
        )  # fmt: skip
    if demand.get("basis") == "presence" and s.demand.basis == "auto":
        yield t(
            "the fixes show under one stay a rider and day, so demand is where riders are every "
            "5 min. Load activity that goes on while riders wait, or set `demand.basis`."
        )
    last = demand.get("last_day")
    if today and last and today - date.fromisoformat(last) > OLD:
        yield t("the newest activity is of {day}, over 180 days old. Load newer data.", day=last)
    if today and last and date.fromisoformat(last) - today > FAR_AHEAD:
        yield t(
            "the newest activity is of {day}, over a year ahead. Set the clock that wrote it.",
            day=last,
        )


def _sites(t: Translate, siting: Mapping[str, Any]) -> Iterator[str]:
    found, asked = len(siting.get("sites", ())), siting.get("count", 0)
    if found < asked:
        yield t(
            "{found} of {asked} new stations are recommended: no further candidate covers more. "
            "Lower `siting.count`, or offer more hosts.",
            found=found, asked=asked,
        )  # fmt: skip
