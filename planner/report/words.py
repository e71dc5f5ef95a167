"""How numbers, names and bases read in the study's language: formatting only, no results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Any

from planner.i18n import Translate, translator
from planner.tables import SAME_SITE_M

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from planner.plan import Plan

NOTHING = "–"
_BETWEEN = " · "
_THIN_SPACE = "\u202f"


@dataclass(frozen=True)
class Words:
    """How things are said in one language.

    Attributes
    ----------
    language
        ``zh`` or ``en``.
    t
        Says an English message in that language.
    """

    language: str
    t: Translate

    @property
    def percent_sign(self) -> str:
        """What follows the digits of a percentage."""
        return "%" if self.language == "zh" else f"{_THIN_SPACE}%"

    def percent(self, share: Any, *, places: int = 0) -> str:
        """Return a share (0..1) as a percentage of at most three significant digits.

        What is not all is never printed as 100, what is not nothing never as 0.

        Examples
        --------
        >>> zh = speak("zh")
        >>> zh.percent(0.614), zh.percent(0.9996, places=1), zh.percent(0.0001, places=1)
        ('61%', '99.9%', '<0.1%')
        """
        if not is_number(share):
            return NOTHING
        value, least = 100.0 * float(share), 10.0**-places
        digits = f"{value:.{places}f}"
        if abs(value) < 1e-9:
            digits = "0"
        elif value < 100.0 - 1e-9 and float(digits) >= 100.0:
            digits = f"{100.0 - least:.{places}f}"
        elif float(digits) == 0.0:
            digits = f"<{least:.{places}f}"
        elif float(digits) >= 100.0:
            digits = f"{value:.0f}"
        return f"{digits}{self.percent_sign}"

    def from_to(self, before: Any, after: Any) -> tuple[str, str]:
        """Return two shares as percentages, with a decimal only where they would read alike.

        Examples
        --------
        >>> speak("zh").from_to(0.611, 0.614), speak("zh").from_to(0.61, 0.79)
        (('61.1%', '61.4%'), ('61%', '79%'))
        """
        places = 0
        if is_number(before) and is_number(after) and before != after:
            places = int(self.percent(before) == self.percent(after))
        return self.percent(before, places=places), self.percent(after, places=places)

    def number(self, value: Any) -> str:
        """Return a measure with three significant digits and thousands separated.

        Examples
        --------
        >>> speak("en").number(8247.3), speak("en").number(0.0512), speak("en").number(12.0)
        ('8,250', '0.0512', '12')
        """
        if not is_number(value):
            return NOTHING
        value = float(value)
        if value == 0.0:
            return "0"
        places = 2 - floor(log10(abs(value)))
        text = f"{round(value, places):,.{max(places, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def count(self, value: Any) -> str:
        """Return a number of rows or things, exact, thousands separated."""
        return f"{int(value):,}" if is_number(value) else NOTHING

    def minutes(self, value: Any) -> str:
        """Return minutes: whole ones from ten on, one decimal below."""
        if not is_number(value):
            return NOTHING
        return f"{value:.0f}" if float(value) >= 9.95 else f"{value:.1f}"

    def rate(self, value: Any) -> str:
        """Return a rate for a column: three digits at most, one decimal only below ten."""
        if not is_number(value):
            return NOTHING
        return self.number(round(float(value), 0 if abs(value) >= 9.95 else 1))

    def metres(self, value: Any) -> str:
        """Return metres to the nearest five."""
        return f"{5 * round(float(value) / 5):,}" if is_number(value) else NOTHING

    def points(self, before: Any, after: Any) -> str:
        """Return by how many percentage points a share changed, with its sign."""
        if not (is_number(before) and is_number(after)):
            return NOTHING
        change = round(100.0 * (float(after) - float(before)), 1)
        return f"{change:+.1f}".replace("-", "−") if change else "0"

    def mode(self, mode: str) -> str:
        """Return the way of travel as a basis line has it."""
        names = {
            "walk": self.t("walking"),
            "ebike": self.t("by e-bike"),
            "drive": self.t("driving"),
        }
        return names.get(mode, mode)

    def action(self, action: str) -> str:
        """Return what is to be done at a site."""
        names = {
            "activate": self.t("Open existing premises"),
            "build": self.t("Build anew"),
            "enlarge": self.t("Enlarge"),
            "keep": self.t("Keep"),
        }
        return names.get(action, action)

    def decision(self, status: str) -> str:
        """Return what was decided on a site."""
        names = {
            "proposed": self.t("proposed"),
            "surveyed": self.t("surveyed"),
            "agreed": self.t("host agreed"),
            "rejected": self.t("rejected"),
            "opened": self.t("opened"),
        }
        return names.get(status, status)

    def outcome(self, outcome: str) -> str:
        """Return what a run made of a row of the register."""
        names = {
            "rejected": self.t("taken off the candidates"),
            "agreed": self.t("opens first"),
            "opened": self.t("counts as an existing station"),
            "kept": self.t("recommended again"),
            "waiting": self.t("a candidate, not recommended"),
            "unmatched": self.t("no longer a candidate"),
        }
        return names.get(outcome, outcome)

    def match(self, rule: str) -> str:
        """Return by what a site was known again."""
        names = {
            "id": self.t("candidate no."),
            "place": self.t("place within {m} m", m=f"{SAME_SITE_M:g}"),
            "name": self.t("name of the host"),
            "added": self.t("its own place"),
        }
        return names.get(rule, rule)

    def kind(self, kind: str) -> str:
        """Return the kind of a station."""
        names = {
            "station": self.t("Station"),
            "parking": self.t("Parking"),
            "merchant": self.t("Merchant"),
            "pharmacy": self.t("Pharmacy"),
            "canteen": self.t("Canteen"),
            "charging": self.t("Charging"),
            "drivers_home": self.t("Drivers' home"),
        }
        return names.get(kind, kind)

    def host_class(self, kind: str) -> str:
        """Return what kind of premises a host is."""
        names = {
            "pharmacy": self.t("Pharmacy"),
            "union": self.t("Trade union"),
            "community": self.t("Community or Party centre"),
            "public": self.t("Government hall"),
            "bank": self.t("Bank"),
            "post_office": self.t("Post office"),
            "telecom": self.t("Telecom shop"),
            "hospital": self.t("Hospital or clinic"),
            "library": self.t("Library or bookshop"),
            "mall": self.t("Mall"),
            "supermarket": self.t("Supermarket"),
            "convenience": self.t("Convenience store"),
            "market": self.t("Market"),
            "fuel": self.t("Fuel station"),
            "cafe": self.t("Café"),
            "restaurant": self.t("Restaurant"),
            "office": self.t("Office building"),
            "school": self.t("School"),
            "transit": self.t("Transit stop"),
            "other": self.t("Other premises"),
        }
        return names.get(kind, kind)

    def source(self, name: str) -> str:
        """Return what an input of the study is."""
        names = {
            "area": self.t("Area"),
            "streets": self.t("Streets"),
            "activity": self.t("Rider activity"),
            "stations": self.t("Existing stations"),
            "hosts": self.t("Hosts"),
            "register": self.t("Site register"),
        }
        return names.get(name, name)

    def reason(self, reason: str) -> str:
        """Return why rows were left out; ``pickup: no coordinate`` is said part by part."""
        names = {
            "no_position": self.t("no position"),
            "no_time": self.t("no time"),
            "duplicate": self.t("same rider, time and place twice"),
            "conflicting": self.t("same rider and time at another place"),
            "jump": self.t("a jump faster than any rider"),
            "spike": self.t("a lone fix far from the ones beside it"),
            "stuck": self.t("a device that repeats one position"),
            "teleport": self.t("to and fro between two places"),
            "on the spot of another": self.t("on the spot of another"),
            "a host stands near": self.t("a host stands near"),
            "a gathering place is near": self.t("a gathering place is near"),
            "excluded": self.t("excluded"),
            "near an existing station": self.t("near an existing station"),
            "more of a class than allowed": self.t("more of a class than allowed"),
            "another covers as much": self.t("another covers as much"),
            "screened out": self.t("screened out"),
        }
        return ": ".join(names.get(part) or self.t(part) for part in str(reason).split(": "))

    def example(self, text: str) -> str:
        """Return where in a file something stood: ``row 41: …`` in the study's language."""
        return re.sub(r"^row (\d+)", lambda found: self.t("row {n}", n=found[1]), text)

    def status(self, status: Any) -> str:
        """Return whether a plan is proven to be the best."""
        names = {"optimal": self.t("proven optimal"), "feasible": self.t("not proven optimal")}
        return names.get(str(status), str(status))

    def day(self, day: date) -> str:
        """Return a day as an axis has it: month and day."""
        return self.t("{month:02}-{day:02}", month=day.month, day=day.day)

    def sentence(self, text: str) -> str:
        """Return a text with its first letter large."""
        return text[:1].upper() + text[1:]

    def daypart(self, name: str) -> str:
        """Return a daypart's name, the first letter large, as a row's label has it."""
        return self.sentence(self.t(name))

    def clock(self, hours: tuple[float, float]) -> str:
        """Return the hours of a daypart: ``11–14``, or with minutes ``11:30–14:00``."""
        if all(float(h).is_integer() for h in hours):
            return "–".join(f"{h:.0f}" for h in hours)
        return "–".join(f"{int(h):02}:{round(h % 1 * 60):02}" for h in hours)

    def yes_no(self, flag: Any) -> str:
        """Return a flag in words."""
        return self.t("yes") if flag else self.t("no")


def speak(language: str) -> Words:
    """Return how things are said in a language (``zh`` or ``en``)."""
    return Words(language, translator(language))


def is_number(value: Any) -> bool:
    """Tell whether a value is there and finite."""
    try:
        return value is not None and isfinite(float(value))
    except (TypeError, ValueError):
        return False


def data_dates(summary: Mapping[str, Any], w: Words) -> str:
    """Return the days that the activity spans, or an empty text where no day is known."""
    first, last = (summary["demand"].get(k) for k in ("first_day", "last_day"))
    if not first or not last:
        return str(first or last or "")
    return str(first) if first == last else w.t("{first} to {last}", first=first, last=last)


def basis_line(plan: Plan, w: Words, *, hours: str | None = None) -> str:
    """Return what every covered share carries: mode, limit, hours, basis and the data's dates.

    Parameters
    ----------
    plan
        Whose shares.
    w
        The language.
    hours
        Which stations count where it is not all of them at any hour.
    """
    text = str(plan.summary["coverage"]["basis"])
    if hours is not None:
        any_hour = w.t("at any hour")
        parts = text.split(_BETWEEN)
        text = _BETWEEN.join(hours if part == any_hour else part for part in parts)
        text = text if any_hour in parts else f"{text}{_BETWEEN}{hours}"
    dates = data_dates(plan.summary, w)
    return f"{text}{_BETWEEN}{w.t('data {dates}', dates=dates)}" if dates else text
