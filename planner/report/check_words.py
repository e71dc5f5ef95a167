"""What the data report says in words: findings, and why rows are left out and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.report.words import Words, is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.i18n import Translate

DATUMS = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}
_STREETS = "streets_"


# ── losses ────────────────────────────────────────────────────────────────────────────────────


def explain(w: Words, reason: str) -> str:
    """Return what a reason means and what to do about it; nothing where it speaks for itself.

    ``only the pickup kept, dropoff: no coordinate`` is explained by its last part.
    """
    last = str(reason).rpartition(": ")[2]
    return {**_in_files(w.t), **_in_fixes(w.t)}.get(last, "")


def _in_files(t: Translate) -> dict[str, str]:
    """Return what is wrong with rows of a file."""
    return {
        "no coordinate": t("The cells are empty. Ask the platform to fill them."),
        "malformed coordinate": t("The cell is no number of degrees. Mend it."),
        "coordinate 0, 0": t(
            "The device had no position yet and wrote 0, 0. Nothing to mend while they are few."
        ),
        "longitude and latitude swapped": t(
            "Each stands in the other's column. Swap them in the file or under `columns`."
        ),
        "coordinate off the globe": t(
            "Beyond ±180° or ±90°: metres, or degrees and minutes. Export decimal degrees."
        ),
        "outside the area": t(
            "Over 100 m outside the districts. Widen the area if riders work there."
        ),
        "no usable time": t("Empty or not readable. Export times such as 2026-09-15 08:30."),
        "no rider": t("Fixes of nobody cannot become stays. Fill the column; pseudonyms will do."),
        "repeated row": t("The same row twice, often from exports that overlap. Nothing is lost."),
        "more cells than headers": t(
            "A separator stands inside a text. Put texts in quotes when exporting."
        ),
        "closed": t("The register says that it is closed."),
        "no geometry": t("Nothing is drawn there. Draw it or delete the row."),
        "not a polygon": t("A district must be an area. Draw it as a polygon."),
        "dropoff before pickup": t("Two columns are swapped, or two clocks differ. Compare them."),
        "leaves before it arrives": t(
            "Two columns are swapped, or two clocks differ. Compare them."
        ),
        "no usable weight": t("Empty, negative or no number. Fill it."),
        "no usable number of workers": t("Empty, negative or no number. Fill it."),
    }


def _in_fixes(t: Translate) -> dict[str, str]:
    """Return what is wrong with fixes that can be read."""
    return {
        "duplicate": t(
            "A device or an export that sends the same fix again. Nothing is lost by it."
        ),
        "conflicting": t(
            "Two devices under one identifier, or seconds cut off. One fix of each is kept; ask "
            "the platform which holds."
        ),
        "jump": t(
            "No rider goes 180 km/h: satellite error, or two riders under one identifier. Many of "
            "them ask for a look at the identifiers."
        ),
        "spike": t(
            "Over 100 m off and back again at once: satellite error among buildings. Nothing to "
            "mend while they are few."
        ),
        "stuck": t(
            "The device repeats one position while its clock goes on. Have the device or the app "
            "checked."
        ),
        "teleport": t(
            "To and fro between two places at once: two devices under one identifier. Give each "
            "its own."
        ),
        "no_position": t("The place is missing or outside the area, so this end cannot count."),
        "no_time": t("The order tells no usable time. Export when it was fetched and brought."),
        "late": t("Came long after its neighbours in time. Export in the order of time."),
    }


# ── page one ──────────────────────────────────────────────────────────────────────────────────


def facts(numbers: Mapping[str, Any], w: Words) -> list[tuple[str, str]]:
    """Return four figures and what they are."""
    note, time = numbers["inputs"].get("activity", {}), numbers.get("time") or {}
    used = _used(numbers)
    days = time.get("weekdays", 0) + time.get("weekend_days", 0)
    shown = 1.0 - float(numbers["demand"]["suppressed_share"])
    rows, age = note.get("rows") or 0, numbers["age"]
    aged = w.t("age of the newest activity") if is_number(age["days_old"]) else None
    return [
        (w.percent(used / rows if rows else None, places=1),
         w.t("of {n} activity rows used", n=w.count(rows))),
        (_days_text(time, days, w), w.t("with activity")),
        (w.percent(shown, places=1), w.t("of visits shown, the rest hidden for privacy")),
        (_age_text(age, w), aged or w.t("Newest activity")),
    ]  # fmt: skip


def _used(numbers: Mapping[str, Any]) -> int:
    """Count the rows that were used, after reading and, of fixes, after cleaning."""
    note, account = numbers["inputs"].get("activity", {}), numbers.get("activity") or {}
    of_fixes = account.get("fixes") == note.get("kept")  # orders are cleaned end by end
    lost = sum((account.get("dropped") or {}).values()) if of_fixes else 0
    return int(note.get("kept", 0)) - lost


def _days_text(time: Mapping[str, Any], days: int, w: Words) -> str:
    if not time:
        return w.t("no times")
    return w.t("1 day") if days == 1 else w.t("{n} days", n=w.count(days))


def _age_text(age: Mapping[str, Any], w: Words) -> str:
    days = age["days_old"]
    if not is_number(days):
        return str(age["last_day"] or w.t("unknown"))
    return w.t("1 day") if days == 1 else w.t("{n} days", n=w.count(days))


# ── time, place, datum, sample ────────────────────────────────────────────────────────────────


def cleaning_row(numbers: Mapping[str, Any], w: Words) -> tuple[str, str]:
    """Return what was cleaned, and what came of it."""
    account = numbers.get("activity") or {}
    counts = {key: w.count(account.get(key)) for key in ("stays", "riders")}
    counts["days"] = w.count(numbers["demand"].get("days"))
    if account.get("workers_basis") == "orders":
        return w.t("Ends of orders"), w.t("{riders} orders on {days} days", **counts)
    return w.t("Cleaning"), w.t("{stays} stays of {riders} riders on {days} days", **counts)


def time_title(time: Mapping[str, Any], w: Words) -> str:
    """Return the finding: how many days, of which kind."""
    kinds = {"weekdays": time["weekdays"], "weekend": time["weekend_days"]}
    missing = len(time["missing_days"])
    if not missing:
        return w.t("weekdays: {weekdays}, weekend days: {weekend}", **kinds)
    return w.t(
        "weekdays: {weekdays}, weekend days: {weekend}, days missing between them: {missing}",
        **kinds, missing=missing,
    )  # fmt: skip


def counted(time: Mapping[str, Any], w: Words) -> str:
    """Return what is counted in the charts of time."""
    names = {
        "fixes": w.t("fixes"),
        "stays": w.t("stays, by the hour they begin in"),
        "presence": w.t("riders seen, every five minutes"),
        "orders": w.t("ends of orders"),
        "counts": w.t("visits"),
    }
    return names[time["counted"]]


def time_lines(time: Mapping[str, Any], age: Mapping[str, Any], w: Words) -> list[tuple[str, str]]:
    """Return how old the data are, and the gaps: what kind, and which days or hours."""
    nothing = w.t("none")
    scraps = [(w.t("Scraps, counted with the nearest day"), _list(time["scrap_days"]))]
    newest = str(age["last_day"] or w.t("unknown"))
    if is_number(age["days_old"]):
        newest = w.t("{day}, {n} days ago; over {limit} days is old", day=newest,
                     n=w.count(age["days_old"]), limit=age["limit_days"])  # fmt: skip
    return [
        (w.t("Newest activity"), newest),
        *(scraps if time["scrap_days"] else []),
        (w.t("Days missing"), _list(time["missing_days"]) or nothing),
        (w.t("Days under half the median"), _list(time["thin_days"]) or nothing),
        (w.t("Hours without data"), _spans(time["empty_hours"]) or nothing),
    ]


def places_title(space: Mapping[str, Any], w: Words) -> str:
    """Return the finding: which districts hold no activity."""
    of, empty = len(space["districts"]), space["empty"]
    if not empty:
        return w.t("activity in all districts") if of > 1 else w.t("activity in the area")
    return w.t("no activity in {n} of {of} districts: {which}", n=len(empty), of=of,
               which=_list(empty))  # fmt: skip


def sample_title(sample: Mapping[str, Any], w: Words) -> str:
    """Return the finding: how many kinds of workers are seen."""
    if not sample["types"]:
        return w.t("the data do not tell workers apart")
    if sample["basis"] == "orders":
        return w.t("orders without riders: each counts as one person")
    n = len(sample["types"])
    return w.t("one type of worker") if n == 1 else w.t("{n} types of workers", n=n)


def say_verdict(found: Mapping[str, Any], w: Words) -> str:
    """Return the verdict about the datum of one input."""
    verdict, best = found["verdict"], str(found["best"])
    if verdict == "other":
        if best.startswith(_STREETS):
            return w.t("beside it the streets look like {datum}",
                       datum=DATUMS[best.removeprefix(_STREETS)])  # fmt: skip
        return w.t("looks like {datum}", datum=DATUMS[best])
    return {
        "fits": w.t("as declared fits"),
        "unclear": w.t("cannot be told: no reading lies clearly nearer"),
        "few": w.t("too few points to tell"),
        "outside": w.t("outside China, no Chinese datum applies"),
    }[verdict]


def say_streets(found: Mapping[str, Any], w: Words) -> Iterator[str]:
    """Yield how near the points would lie if it were the streets that are shifted."""
    best = str(found["best"])
    if best.startswith(_STREETS):
        metres = found["readings"][best]["median_m"]
        yield w.t("with the streets read as {datum} the median distance is {m} m",
                  datum=DATUMS[best.removeprefix(_STREETS)], m=w.number(metres))  # fmt: skip


def _list(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" … ({len(names)})" if len(names) > most else "")


def _spans(hours: list[int]) -> str:
    """Say hours as spans of the clock: ``02–05, 23–24``."""
    starts = [h for h in hours if h - 1 not in hours]
    ends = [h + 1 for h in hours if h + 1 not in hours]
    return ", ".join(f"{a:02}–{b:02}" for a, b in zip(starts, ends, strict=True))
