"""What hangs on each station, and who has none: closures and the demand left without a station."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from planner.report.crowds import place_name
from planner.report.figures import finite, read_figures, table
from planner.report.sheet import degrees

if TYPE_CHECKING:
    from planner.plan import Plan
    from planner.report.words import Words

MOST_ROWS = 8  # of a table in the report; the workbook has them all
_NOBODY = 1e-6  # rider-visits a day: sums of weights are not exact


class Closure(NamedTuple):
    """What closing one station alone would cost.

    Attributes
    ----------
    when
        ``before``: among the stations of today; ``after``: among those of the plan.
    rank
        Of a recommended site; None for an existing station.
    served_per_day
        Rider-visits that it is the nearest station for.
    lost_per_day, lost_share
        Rider-visits that would have no station within the limit, and their share of all.
    next_min
        Median minutes from those it serves to the next station; None beyond the horizon.
    """

    when: str
    name: str
    rank: int | None
    served_per_day: float
    lost_per_day: float
    lost_share: float
    next_min: float | None

    @property
    def free(self) -> bool:
        """Whether everybody it serves would still have a station."""
        return self.lost_per_day <= _NOBODY


class LeftOut(NamedTuple):
    """A place where demand without a station crowds together; None where unknown, WGS 84."""

    when: str
    name: str
    weight_per_day: float
    share: float
    peak: str
    nearest_min: float | None
    lon: float
    lat: float


def read_closures(plan: Plan, when: str) -> list[Closure]:
    """Return what each closing would cost ``before`` or ``after`` the plan, the dearest first."""
    known, ranks = table(plan, "closures"), _ranks(plan)
    known = known[known["when"] == when] if len(known) else known
    rows = [
        Closure(
            when, str(row["name"]), ranks.get(str(row["facility_id"])),
            float(row["served_per_day"]), float(row["lost_per_day"]), float(row["lost_share"]),
            finite(row["next_min"]),
        )
        for row in known.to_dict("records")
    ]  # fmt: skip
    return sorted(rows, key=lambda c: -c.lost_per_day)


def read_left_out(plan: Plan, when: str) -> list[LeftOut]:
    """Return where demand without a station crowds together, heaviest first."""
    total = float(plan.summary["demand"]["weight_per_day"])
    known = table(plan, "uncovered")
    known = known[known["when"] == when] if len(known) else known
    rows = [
        LeftOut(
            when, place_name(plan, row["name"]), float(row["weight_per_day"]),
            float(row["weight_per_day"]) / total, str(row.get("peak") or ""),
            finite(row.get("nearest_min")), float(x), float(y),
        )
        for row, x, y in zip(known.to_dict("records"), *degrees(known), strict=True)
    ]  # fmt: skip
    return sorted(rows, key=lambda p: -p.weight_per_day)


def _ranks(plan: Plan) -> dict[str, int]:
    """Return the rank of every recommended site by whatever identifies it."""
    sites = table(plan, "sites")
    if not len(sites):
        return {}
    ranks = sites["rank"].astype(int).tolist()
    ids = [sites.index.astype(str), sites["candidate_id"].astype(str)]
    return {key: rank for keys in ids for key, rank in zip(keys, ranks, strict=True)}


# ── in words ──────────────────────────────────────────────────────────────────────────────────


def closures_title(known: list[Closure], w: Words) -> str:
    """Return which station matters most."""
    if not known:
        return ""
    first = known[0]
    if first.free:
        return w.t("Any one station could close without leaving anybody without another")
    said = {"name": first.name, "n": w.number(first.lost_per_day)}
    if first.rank is None:
        return w.t("If {name} closed, {n} rider-visits a day would have no station", **said)
    return w.t(
        "If the recommended site {rank} ({name}) closed, {n} rider-visits a day would have no "
        "station",
        rank=first.rank, **said,
    )  # fmt: skip


def closures_line(plan: Plan, w: Words) -> str:
    """Return how many stations could each close without loss, with the plan and today."""
    after, before = read_closures(plan, "after"), read_closures(plan, "before")
    free = sum(c.free for c in after)
    if not free:
        return ""
    said = w.t(
        "{n} of {m} stations could close, each on its own, without leaving anybody without a "
        "station.",
        n=free, m=len(after),
    )  # fmt: skip
    if not before or not read_figures(plan).sites:
        return said
    today = w.t("Today it is {n} of {m}.", n=sum(c.free for c in before), m=len(before))
    return w.t("{one} {two}", one=said, two=today)


def far_minutes(minutes: float | None, horizon: float, w: Words) -> str:
    """Return minutes, ``>60`` beyond the horizon."""
    return f">{horizon:g}" if minutes is None else w.minutes(minutes)


def closures_note(w: Words) -> str:
    """Return how the table is to be read."""
    return w.t("one station closed at a time, all others open as planned")


def has_left_out(plan: Plan) -> bool:
    """Tell whether the plan was asked who is left out, and anybody is."""
    return "uncovered" in plan.tables and read_figures(plan).after < 1.0 - 1e-9


def left_out_title(plan: Plan, w: Words) -> str:
    """Return how many rider-visits are left without a station, with the plan and today."""
    f = read_figures(plan)
    before, after = ((1.0 - share) * f.weight_per_day for share in (f.before, f.after))
    share = w.percent(1.0 - f.after)
    if not f.sites:
        return w.t(
            "{n} rider-visits a day ({share}) have no station in reach",
            n=w.number(after), share=share,
        )  # fmt: skip
    return w.t(
        "With the plan {n} rider-visits a day ({share}) still have no station in reach; today {m}",
        n=w.number(after), share=share, m=w.number(before),
    )  # fmt: skip


def left_out_line(plan: Plan, w: Words) -> str:
    """Return at how many places they crowd together, today and with the plan."""
    after, before = read_left_out(plan, "after"), read_left_out(plan, "before")
    if not after:
        return w.t("They lie scattered: nowhere do they crowd together.")
    inside = sum(p.share for p in after) / max(1.0 - read_figures(plan).after, 1e-12)
    said = w.t(
        "They crowd together at {k} places, {share} of them there; look here for the next station.",
        k=len(after), share=w.percent(min(inside, 1.0)),
    )  # fmt: skip
    if not read_figures(plan).sites or not before:
        return said
    first = w.t(
        "Today it is {k} places, most of all {name} ({n} a day).",
        k=len(before), name=before[0].name, n=w.number(before[0].weight_per_day),
    )  # fmt: skip
    return w.t("{one} {two}", one=said, two=first)
