"""One line an input: rows, kept, and what was lost for which reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.i18n import Translate


def input_rows(numbers: Mapping[str, Any], t: Translate) -> Iterator[tuple[str, str]]:
    """Yield label and text for each input and step: rows, kept, dropped by reason."""
    for name, note in numbers["inputs"].items():
        yield t(name), _kept(t, note)
    activity = numbers.get("activity", {})
    if activity:
        dropped = say_reasons(t, activity.get("dropped", {}))
        yield (
            t("stays"),
            _stays(t, activity, numbers["demand"]["days"]) + dropped,
        )
    demand = numbers["demand"]
    yield (
        t("demand"),
        t(
            "{points} points, {weight} visits a day, {share} suppressed for privacy",
            points=demand["points"],
            weight=f"{demand['weight_per_day']:,.0f}",
            share=f"{demand['suppressed_share']:.1%}",
        ),
    )


def _stays(t: Translate, activity: Mapping[str, Any], days: int) -> str:
    counts = {"stays": f"{activity['stays']:,}", "riders": f"{activity['riders']:,}", "days": days}
    if activity.get("workers_basis") == "orders":
        return t("{stays} ends of {riders} orders on {days} days", **counts)
    return t("{stays} of {riders} riders on {days} days", **counts)


def _kept(t: Translate, note: Mapping[str, Any]) -> str:
    text = t("{kept} of {rows} rows kept", kept=f"{note['kept']:,}", rows=f"{note['rows']:,}")
    return text + say_reasons(t, note.get("dropped", {}), note.get("examples", {}))


def say_reasons(
    t: Translate, dropped: Mapping[str, int], examples: Mapping[str, str] | None = None
) -> str:
    """Say the losses in a bracket: ``(malformed coordinate 1: row 41 …)``, or nothing."""
    parts = [
        f"{t(reason)} {n:,}" + (f": {examples[reason]}" if examples and reason in examples else "")
        for reason, n in dropped.items()
        if n
    ]
    return f" ({'; '.join(parts)})" if parts else ""
