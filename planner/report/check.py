"""The data report: what a planner reads before anything else, one HTML file that prints on A4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.check_charts import draw_days, draw_hours
from planner.report.check_words import (
    DATUMS,
    cleaning_row,
    counted,
    explain,
    facts,
    places_title,
    sample_title,
    say_streets,
    say_verdict,
    time_lines,
    time_title,
)
from planner.report.page import render_page, write_page
from planner.report.words import NOTHING, Words, data_dates, is_number, speak

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planner.settings import Settings


def write_check(s: Settings, numbers: Mapping[str, Any], path: Path | str) -> Path:
    """Write the data report in the study's language.

    Parameters
    ----------
    s
        The study.
    numbers
        What ``quality.json`` holds; the same numbers give the same bytes.
    path
        Where to: an ``.html`` file, replaced at once if it exists. It holds style and pictures,
        asks the network for nothing and runs no script.

    Returns
    -------
    The path.
    """
    return write_page(render_check(s, numbers), path)


def render_check(s: Settings, numbers: Mapping[str, Any]) -> str:
    """Return the data report as HTML text."""
    w = speak(s.study.language)
    dates = data_dates(numbers, w)
    return render_page(
        "check.html",
        footer=" · ".join(filter(None, [str(numbers["study"]), dates])),
        t=w.t, w=w, s=s, n=numbers, dates=dates, facts=facts(numbers, w),
        cleaning=cleaning_row(numbers, w),
        explain=lambda reason: explain(w, reason),
        **_time(numbers, w), **_space(numbers, w), **_datum(numbers, w), **_sample(numbers, w),
    )  # fmt: skip


def _time(numbers: Mapping[str, Any], w: Words) -> dict[str, Any]:
    time = numbers.get("time") or {}
    if not time:
        return {"time": {}}
    title, days = time_title(time, w), max(time["weekdays"] + time["weekend_days"], 1)
    hours = [n if n is None else n / days for n in time["hours"]]
    return {
        "time": time,
        "time_title": title,
        "time_counted": counted(time, w),
        "time_lines": time_lines(time, numbers["age"], w),
        "days_chart": draw_days(time["days"], w, label=title),
        "hours_chart": draw_hours(hours, w, label=w.t("{what} in each hour", what=title)),
        "hidden_days": None in time["days"].values(),
        "hidden_hours": None in time["hours"],
    }


def _space(numbers: Mapping[str, Any], w: Words) -> dict[str, Any]:
    space = numbers["space"]
    rows = sorted(space["districts"], key=lambda d: (-d["weight_per_day"], d["label"]))
    return {
        "districts": rows,
        "empty": set(space["empty"]),
        "space_title": places_title(space, w),
    }


def _datum(numbers: Mapping[str, Any], w: Words) -> dict[str, Any]:
    found = numbers["datum"]
    read = [d for d in DATUMS if any(d in one["readings"] for one in found.values())]
    lines = [
        {
            "name": w.source(name),
            "points": one["points"],
            "cells": [_reading(one, datum, w) for datum in read],
            "verdict": say_verdict(one, w),
            "suspect": one["verdict"] == "other",
            "rounded": one["rounded_deg"],
        }
        for name, one in found.items()
    ]
    first = found.get("activity") or next(iter(found.values()))
    return {
        "datum_title": w.t("{what}: {verdict}", what=w.source("activity"),
                           verdict=say_verdict(first, w)),
        "datum_names": [DATUMS[d] for d in read],
        "datum_rows": lines,
        "datum_notes": [note for one in found.values() for note in say_streets(one, w)],
    }  # fmt: skip


def _reading(one: Mapping[str, Any], datum: str, w: Words) -> dict[str, Any]:
    """Return the distances under one reading; the declared one is marked."""
    read = one["readings"].get(datum) or {}
    median, p90 = (
        w.number(round(read[key])) if is_number(read.get(key)) else NOTHING
        for key in ("median_m", "p90_m")
    )
    marks = {"declared": datum == one["declared"], "best": datum == one["best"]}
    return {"median": median, "p90": p90, **marks}


def _sample(numbers: Mapping[str, Any], w: Words) -> dict[str, Any]:
    sample = numbers["sample"]
    return {
        "sample": sample,
        "sample_title": sample_title(sample, w),
        "registered": any(is_number(row["registered"]) for row in sample["types"]),
    }
