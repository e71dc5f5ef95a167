"""Say in one sentence why a site is recommended."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from planner.i18n import translator

if TYPE_CHECKING:
    import pandas as pd

    from planner.i18n import Translate

_PEAKS = {
    "morning": "mostly in the morning",
    "noon": "mostly at noon",
    "afternoon": "mostly in the afternoon",
    "evening": "mostly in the evening",
    "night": "mostly at night",
}
_MODES = {"walk": "on foot", "ebike": "by e-bike", "drive": "by car"}


def explain(sites: pd.DataFrame, *, language: str, mode: str, limit_min: float) -> list[str]:
    """Return one sentence a site, in the study's language.

    Parameters
    ----------
    sites
        Columns read: `gain_per_day`, `before_min`, `after_min`, `peak`, `action`, `host_name`, and
        `informal_rest_per_day` if it is there.
    language
        ``zh`` or ``en``.
    mode
        walk, ebike or drive.
    limit_min
        The service limit; `before_min` is capped at twice this.
    """
    t = translator(language)
    return [_sentence(t, row, mode, limit_min) for _, row in sites.iterrows()]


def _sentence(t: Translate, site: pd.Series, mode: str, limit_min: float) -> str:
    if site["gain_per_day"] > 0:
        text = _gain(t, site, mode, limit_min)
    elif math.isnan(site["after_min"]) or site["after_min"] >= site["before_min"]:
        text = t("Brings nobody within reach who was not.")
    else:
        time = _minutes(t, site["after_min"])
        text = t("Brings nobody new within reach; from nearby it takes {time}.", time=time)
    rest = site.get("informal_rest_per_day", 0.0)
    if rest > 0:
        number = digits(round(rest) if rest >= 10 else rest)
        text += t(" Riders already rest here without shelter: {rest} a day.", rest=number)
    if site["action"] != "activate":
        return text
    host = site["host_name"]
    return text + t(" Activate the existing premises: {host}.", host=host)


def _gain(t: Translate, site: pd.Series, mode: str, limit_min: float) -> str:
    """Say how many come within reach, how far they have to go today, and then."""
    before, by = site["before_min"], t(_MODES.get(mode, "on foot"))
    if math.isnan(before):
        today = t("have no station within {limit} min {by} today", limit=digits(limit_min), by=by)
    elif before >= 2 * limit_min:
        today = t(
            "need {limit} min or more {by} to the nearest station today",
            limit=digits(2 * limit_min),
            by=by,
        )
    else:
        today = t("need {time} {by} to the nearest station today", time=_minutes(t, before), by=by)
    return t(
        "{visits} rider-visits a day nearby {today}{peak}; with this site {time}.",
        visits=digits(site["gain_per_day"]),
        today=today,
        peak=_peak(t, site["peak"]),
        time=_minutes(t, site["after_min"]),
    )


def _minutes(t: Translate, minutes: float) -> str:
    """Say a median time in whole minutes: more would be false precision."""
    whole = math.floor(minutes + 0.5)
    return t("about {n} min", n=whole) if whole > 0 else t("under 1 min")


def _peak(t: Translate, peak: str) -> str:
    if not peak:
        return ""
    words = t(_PEAKS[peak]) if peak in _PEAKS else t("mostly in “{peak}”", peak=peak)
    return t(", {words}", words=words)


def digits(value: float) -> str:
    """Write a number with at most three significant digits.

    Examples
    --------
    >>> digits(1234.5), digits(6.04), digits(0.1234)
    ('1,230', '6.04', '0.123')
    """
    return f"{float(f'{value:.3g}'):,.12g}"
