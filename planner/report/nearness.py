"""How near the stations are: minutes, a second station, gradual coverage and seats, by scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from planner.report.figures import district_names, finite, has_stations, table
from planner.report.words import NOTHING, is_number

if TYPE_CHECKING:
    import pandas as pd

    from planner.plan import Plan
    from planner.report.words import Words

MEASURES = ("mean_min", "median_min", "p90_min", "backup_share", "gradual_share", "seats_per_100")
_MARK = "mean_min"  # tables of earlier versions hold a `median_min` of covered demand alone


class Ease(NamedTuple):
    """What one set of stations gives one scope; shares are 0..1, None where unknown.

    Attributes
    ----------
    mean_min
        Minutes to the nearest station, the mean of what lies within the horizon.
    median_min, p90_min
        Minutes within which half and nine tenths of all demand have a station; None beyond the
        horizon.
    backup_share
        Demand with two stations or more within the limit.
    gradual_share
        Coverage that falls evenly from a few minutes to the limit.
    seats_per_100
        Seats for 100 rider-visits a day; None where no capacity is known.
    """

    mean_min: float | None
    median_min: float | None
    p90_min: float | None
    backup_share: float | None
    gradual_share: float | None
    seats_per_100: float | None


class Nearness(NamedTuple):
    """One scope, today and with the plan."""

    scope: str  # all, daypart, district, worker_type
    name: str
    weight_per_day: float | None
    before: Ease
    after: Ease


def read_nearness(plan: Plan) -> list[Nearness]:
    """Return the scopes in the table's order; nothing where the plan was made without them."""
    before, after = (table(plan, f"coverage_{when}") for when in ("before", "after"))
    if _MARK not in before or _MARK not in after:
        return []
    said, today = district_names(plan), before.to_dict("index")
    return [
        Nearness(
            str(row["scope"]), said.get(row["name"], str(row["name"])),
            finite(row["weight_per_day"]), _ease(today.get(key, {})), _ease(row),
        )
        for key, row in after.to_dict("index").items()
    ]  # fmt: skip


def horizon_min(plan: Plan) -> float:
    """Return how many minutes away stations were looked for."""
    note: Any = table(plan, "coverage_after").attrs.get("coverage", {})
    return float(note.get("horizon_min") or 4.0 * plan.settings.service.limit_min)


def has_seats(scopes: list[Nearness]) -> bool:
    """Tell whether any station's capacity is known."""
    sides = (side for s in scopes for side in (s.before, s.after))
    return any(is_number(side.seats_per_100) for side in sides)


def tells_new_seats(plan: Plan) -> bool:
    """Tell whether new stations are planned with seats; without, the plan adds none."""
    siting = plan.settings.siting
    return siting.new_seats is not None or siting.model == "capacitated"


def _ease(row: dict[str, Any]) -> Ease:
    return Ease(*(finite(row.get(name)) for name in MEASURES))


# ── in words ──────────────────────────────────────────────────────────────────────────────────


def quantile_words(minutes: float | None, side: Ease, horizon: float, w: Words) -> str:
    """Return minutes, ``>60`` beyond the horizon; a dash where no station was found at all."""
    if minutes is None:
        return NOTHING if side.mean_min is None else f">{horizon:g}"
    return w.minutes(minutes)


def nearness_heads(w: Words, *, seats: bool) -> list[str]:
    """Return the heads of the columns that `nearness_cells` fills."""
    t = w.t
    heads = [t("Mean, min"), t("Half within, min"), t("Nine in ten within, min"),
             t("Two or more stations, %"), t("Gradual, %")]  # fmt: skip
    return [*heads, t("Seats per 100 visits")] if seats else heads


def nearness_cells(plan: Plan, scope: Nearness, w: Words, *, seats: bool) -> list[str]:
    """Return what stands in a scope's row after its name, ``today → planned`` a column.

    Times of day have no shares: those hold at any hour, while their minutes do not. Where there is
    no station today, nothing is said of it.
    """
    sides, far = _told(plan, scope), horizon_min(plan)
    pairs = [
        [w.minutes(side.mean_min) for side in sides],
        [quantile_words(side.median_min, side, far, w) for side in sides],
        [quantile_words(side.p90_min, side, far, w) for side in sides],
    ]
    if scope.scope == "daypart":
        pairs += [[], []]
    else:
        pairs += [_shares(sides, "backup_share", w), _shares(sides, "gradual_share", w)]
    if seats:
        told = sides if tells_new_seats(plan) else sides[:1]
        pairs.append([w.rate(side.seats_per_100) for side in told])
    return [" → ".join(pair).replace(w.percent_sign, "") for pair in pairs]


def _told(plan: Plan, scope: Nearness) -> tuple[Ease, ...]:
    """Return today and the plan; the plan alone where there is no station today."""
    return (scope.before, scope.after) if has_stations(plan) else (scope.after,)


def _shares(sides: tuple[Ease, ...], name: str, w: Words) -> list[str]:
    shares = [getattr(side, name) for side in sides]
    return list(w.from_to(*shares)) if len(shares) == 2 else [w.percent(shares[0])]


def nearness_title(whole: Nearness, plan: Plan, w: Words) -> str:
    """Return within how many minutes half and nine tenths of all demand have a station."""
    half, most = _quantiles(whole, plan, w)
    return w.t(
        "Half of all visits: {half} minutes or less to the nearest station; nine in ten: {most}",
        half=half, most=most,
    )  # fmt: skip


def nearness_words(whole: Nearness, plan: Plan, w: Words) -> str:
    """Return the same for a line of a table."""
    half, most = _quantiles(whole, plan, w)
    return w.t("half of the visits {half}, nine in ten {most}", half=half, most=most)


def _quantiles(whole: Nearness, plan: Plan, w: Words) -> list[str]:
    far, sides = horizon_min(plan), _told(plan, whole)
    return [
        "\u00a0→\u00a0".join(quantile_words(getattr(side, name), side, far, w) for side in sides)
        for name in ("median_min", "p90_min")
    ]


def nearness_lines(whole: Nearness, plan: Plan, w: Words) -> list[str]:
    """Return what a second station and gradual coverage mean, with their shares."""
    limit, full = (f"{v:g}" for v in (plan.settings.service.limit_min, _full_min(plan)))
    sides, lines = _told(plan, whole), []
    if is_number(whole.after.backup_share):
        backup = " → ".join(_shares(sides, "backup_share", w))
        lines.append(
            w.t(
                "{shares} of rider-visits have two or more stations within {limit} minutes: should "
                "one close or be full, another is in reach.",
                shares=backup, limit=limit,
            )
        )  # fmt: skip
    if is_number(whole.after.gradual_share):
        gradual = " → ".join(_shares(sides, "gradual_share", w))
        lines.append(
            w.t(
                "Weighed gradually, coverage is {shares}: a visit counts in full up to {full} "
                "minutes, then less and less, and not at all from {limit} minutes on.",
                shares=gradual, full=full, limit=limit,
            )
        )  # fmt: skip
    return lines


def nearness_note(plan: Plan, w: Words) -> str:
    """Return how the table is to be read."""
    said = w.t(
        "today → planned · minutes at times of day: to stations open then; shares: at any hour · "
        "mean of what lies within {far} min; >{far}: farther than that",
        far=f"{horizon_min(plan):g}",
    )
    if not has_seats(read_nearness(plan)) or tells_new_seats(plan):
        return said
    seats = w.t("seats of today; none are told for new stations")
    return f"{said} · {seats}"


def nearness_terms(plan: Plan, w: Words) -> list[tuple[str, str]]:
    """Return term and meaning of these measures; none where the plan has none."""
    scopes = read_nearness(plan)
    if not scopes:
        return []
    t, s = w.t, plan.settings.service
    limit, full = f"{s.limit_min:g}", f"{_full_min(plan):g}"
    terms = [
        (
            t("Two or more stations"),
            t("rider-visits with two stations or more within {limit} min", limit=limit),
        ),
        (
            t("Gradual coverage"),
            t("a visit counts 1 up to {full} min, falling evenly to 0 at {limit} min",
              full=full, limit=limit),
        ),
    ]  # fmt: skip
    if has_seats(scopes):
        said = t(
            "seats in reach for 100 rider-visits a day, shared among all who reach them, nearer "
            "ones counting more; stations of known capacity only"
        )
        terms.append((t("Seats per 100 visits"), said))
    return terms


def nearness_method(plan: Plan, w: Words) -> list[tuple[str, str]]:
    """Return how these measures were made, with their sources; none where the plan has none."""
    scopes = read_nearness(plan)
    if not scopes:
        return []
    said = w.t(
        "Stations are sought up to {far} minutes away. Two or more stations: backup coverage "
        "(Hogan & ReVelle 1986); gradual coverage after Berman, Krass & Drezner (2003).",
        far=f"{horizon_min(plan):g}",
    )
    if has_seats(scopes):
        seats = w.t("Seats: enhanced two-step floating catchment areas (Luo & Qi 2009).")
        said = w.t("{one} {two}", one=said, two=seats)
    return [(w.t("Nearness"), said)]


def _full_min(plan: Plan) -> float:
    """Return up to how many minutes gradual coverage is full, as the table notes it."""
    note: pd.DataFrame = table(plan, "coverage_after")
    told = note.attrs.get("coverage", {}).get("full_min")
    return float(told if is_number(told) else getattr(plan.settings.service, "full_min", 5.0))
