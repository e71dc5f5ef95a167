"""The tables that flow between the stages, each declared once, and what relates two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from planner.errors import ColumnError, InputError, nearest_name
from planner.geo import require_metric

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scipy.sparse import csr_array


class Column(NamedTuple):
    """What a column holds."""

    dtype: str  # str | float64 | int64 | bool | time | point | polygon | line
    meaning: str
    unit: str = ""
    nullable: bool = False
    optional: bool = False


# What became of a site, in the order of its life; `rejected` and `opened` end it.
STATUSES = {
    "proposed": "proposed",
    "surveyed": "surveyed",
    "agreed": "host agreed",
    "rejected": "rejected",
    "opened": "opened",
}

SAME_SITE_M = 30.0  # the same place: less than a building, more than a redrawn door (guess)

# Columns named `weight_<daypart>` and `weight_type_<worker type>` follow the study's own names, so
# `demand` does not declare them; nor does `explanations` its `gain_<daypart>`,
# `gain_type_<worker type>` and `gain_district_<name>`.
TABLES: dict[str, dict[str, Column]] = {
    "districts": {
        "name": Column("str", "the district's name"),
        "name_en": Column("str", "its English name", nullable=True, optional=True),
        "geometry": Column("polygon", "the district"),
    },
    "fixes": {
        "rider_id": Column("str", "keyed by the file; never in an output"),
        "worker_type": Column("str", "food, courier, ride, truck, …; `rider` if unknown"),
        "time": Column("time", "when, in the study's time zone"),
        "geometry": Column("point", "where"),
    },
    "orders": {
        "rider_id": Column("str", "who delivered; empty if the file does not say", nullable=True),
        "worker_type": Column("str", "as in fixes"),
        "pickup_time": Column("time", "at the merchant", nullable=True),
        "dropoff_time": Column("time", "at the customer", nullable=True),
        "accept_time": Column("time", "when it was taken on", nullable=True, optional=True),
        "pickup": Column(
            "point",
            "where it was fetched, none if unknown or outside the area; metric CRS, not active",
            nullable=True,
        ),
        "geometry": Column(
            "point", "where it was brought, none if unknown or outside the area", nullable=True
        ),
    },
    "stays": {
        "rider_id": Column("str", "who stayed; for orders without riders the order itself"),
        "worker_type": Column("str", "as in fixes"),
        "arrive": Column("time", "start"),
        "leave": Column("time", "end"),
        "stay_min": Column("float64", "leave - arrive", "min"),
        "geometry": Column("point", "centre of the stay"),
    },
    "counts": {
        "weight_per_day": Column("float64", "rider-visits", "1/d"),
        "workers": Column("int64", "distinct workers behind the count"),
        "geometry": Column("point", "where"),
    },
    "stations": {
        "name": Column("str", "as the register has it"),
        "kind": Column(
            "str", "station, parking, merchant, pharmacy, canteen, charging, drivers_home"
        ),
        "services": Column("str", "separated by `;`", nullable=True),
        "hours": Column("str", "`HH:MM-HH:MM`, several joined by `,`"),
        "hours_assumed": Column("bool", "the file gave no hours"),
        "capacity": Column("float64", "seats", nullable=True),
        "geometry": Column("point", "the door"),
    },
    "hosts": {
        "name": Column("str", "as the register has it", nullable=True),
        "kind": Column("str", "community, mall, union, bank, pharmacy, restaurant, …"),
        "hours": Column("str", "as in stations; empty if unknown", nullable=True),
        "geometry": Column("point", "the door"),
    },
    "demand": {
        "weight_per_day": Column(
            "float64", "rider-visits on an average day, times expansion and need if set", "1/d"
        ),
        "workers": Column("int64", "distinct workers seen, never under the privacy limit"),
        "weight_workday": Column(
            "float64", "of an average workday; absent if none was seen", "1/d", optional=True
        ),
        "weight_weekend": Column(
            "float64", "of an average weekend day; absent if none was seen", "1/d", optional=True
        ),
        "weight_class_handover": Column(
            "float64", "in visits of under 5 min; the classes add up", "1/d", optional=True
        ),
        "weight_class_wait": Column("float64", "of 5 to 20 min", "1/d", optional=True),
        "weight_class_rest": Column("float64", "of 20 min and more", "1/d", optional=True),
        "cell_row": Column("int64", "hexagon row of the cell that stands for the point"),
        "cell_col": Column("int64", "hexagon column"),
        "geometry": Column("point", "weighted centre of the stays"),
    },
    "hotspots": {
        "name": Column("str", "district · nearest host or street, as far as they are known"),
        "weight_per_day": Column("float64", "rider-visits", "1/d"),
        "rest_per_day": Column("float64", "stays of the class rest", "1/d", optional=True),
        "points": Column("int64", "demand points in it", optional=True),
        "peak": Column(
            "str", "the daypart clearly above its share in the whole city, or none", optional=True
        ),
        "peak_share": Column(
            "float64", "its share of the visits here", "0..1", nullable=True, optional=True
        ),
        "geometry": Column("point", "the medoid cell"),
    },
    "gatherings": {
        "name": Column("str", "as in hotspots"),
        "weight_per_day": Column("float64", "rider-visits of all kinds", "1/d"),
        "rest_per_day": Column("float64", "stays of the class rest", "1/d"),
        "points": Column("int64", "demand points in it"),
        "peak": Column("str", "as in hotspots"),
        "peak_share": Column("float64", "as in hotspots", "0..1", nullable=True),
        "station_m": Column(
            "float64", "straight line to the nearest station with shelter", "m", nullable=True
        ),
        "informal": Column("bool", "no station with shelter at hand: informal rest"),
        "geometry": Column("point", "the medoid cell"),
    },
    "candidates": {
        "name": Column("str", "of host, hot spot or street corner"),
        "kind": Column("str", "existing, host, hotspot, corner, street (a point along it)"),
        "action": Column("str", "keep (existing), activate (host), build"),
        "host_name": Column("str", "the host's name", nullable=True),
        "host_class": Column("str", "the host's kind, as in hosts", nullable=True, optional=True),
        "hours": Column("str", "as in stations"),
        "informal_rest_per_day": Column(
            "float64",
            "rest without shelter at the gathering place it stands for, else 0",
            "1/d",
            optional=True,
        ),
        "geometry": Column("point", "where"),
    },
    "sites": {
        "candidate_id": Column("str", "the candidate that was chosen"),
        "rank": Column("int64", "order of opening, by gain"),
        "name": Column("str", "as in candidates"),
        "kind": Column("str", "as in candidates"),
        "action": Column("str", "activate or build"),
        "host_name": Column("str", "as in candidates", nullable=True),
        "host_class": Column("str", "as in candidates", nullable=True, optional=True),
        "hours": Column("str", "as in candidates"),
        "gain_per_day": Column("float64", "rider-visits newly covered at its rank", "1/d"),
        "gain_share": Column("float64", "the same over all demand", "0..1"),
        "cumulative_share": Column("float64", "covered share with the sites up to here", "0..1"),
        "stability": Column(
            "float64",
            "share of bootstrap reruns that choose it or a neighbour",
            "0..1",
            nullable=True,
        ),
        "before_min": Column(
            "float64",
            "median minutes to the nearest existing station of the "
            "demand it gains, capped at twice the limit",
            "min",
            nullable=True,
        ),
        "after_min": Column(
            "float64", "median minutes from that demand to it", "min", nullable=True
        ),
        "peak": Column("str", "the daypart that gains most"),
        "informal_rest_per_day": Column("float64", "as in candidates", "1/d", optional=True),
        "backed_per_day": Column(
            "float64",
            "of backup: rider-visits whose second station it is at its rank",
            "1/d",
            optional=True,
        ),
        "seat_kind": Column("str", "of capacitated: what it becomes", optional=True),
        "seats": Column("float64", "of capacitated: planned", "seats", optional=True),
        "served_per_day": Column(
            "float64", "of capacitated: rider-visits that its seats serve", "1/d", optional=True
        ),
        "load_share": Column(
            "float64", "the same over what its seats can serve", "0..1", optional=True
        ),
        "why": Column("str", "one sentence in the study's language"),
        "status": Column("str", "as in register", optional=True),
        "owner": Column("str", "as in register", optional=True),
        "note": Column("str", "as in register", optional=True),
        "geometry": Column("point", "where"),
    },
    "register": {
        "site_id": Column(
            "str", "the site of this plan that it is; empty of others", nullable=True, optional=True
        ),
        "candidate_id": Column("str", "the candidate it was, as its file has it; may be empty"),
        "name": Column("str", "as its file has it; may be empty"),
        "host_name": Column("str", "the premises; may be empty"),
        "status": Column("str", f"{', '.join(STATUSES)}"),
        "owner": Column("str", "the person or office responsible; may be empty"),
        "note": Column("str", "what planners wrote; may be empty"),
        "hours": Column("str", "as in stations; empty if its file has none"),
        "capacity": Column("float64", "seats", nullable=True),
        "row": Column("int64", "the first row of its file that tells of it"),
        "part": Column("str", "the file, or the sheet of a workbook"),
        "outcome": Column(
            "str",
            "agreed, rejected, opened: as told to; kept: recommended again; waiting: a candidate "
            "that is not recommended; unmatched: no candidate any more",
            optional=True,
        ),
        "matched_id": Column("str", "the candidate it is now", nullable=True, optional=True),
        "match": Column(
            "str",
            "by what it was known again: id, place, name; added: it is a candidate by its own "
            "place; or empty",
            optional=True,
        ),
        "geometry": Column("point", "where", nullable=True),
    },
    "explanations": {
        "district": Column("str", "where the site gains most", nullable=True),
        "district_gain_per_day": Column(
            "float64", "rider-visits newly covered there", "1/d", nullable=True
        ),
        "nearest_station_id": Column(
            "str",
            "the existing station soonest reached from the site, as in candidates; none within "
            "four times the limit",
            nullable=True,
        ),
        "nearest_station_name": Column("str", "its name", nullable=True),
        "nearest_station_min": Column("float64", "the way to it", "min", nullable=True),
        "loss_share": Column(
            "float64", "demand that no other station of the plan would cover", "0..1"
        ),
        "alternative_id": Column(
            "str", "the candidate that would replace it best, as in candidates", nullable=True
        ),
        "alternative_name": Column("str", "its name", nullable=True),
        "alternative_share": Column(
            "float64", "covered share of the plan with it instead", "0..1", nullable=True
        ),
        "near_ties": Column(
            "str",
            "names, joined by `;`, of the ten best candidates with which, instead, the plan would "
            "cover as much but for 0.5 %",
        ),
        "near_ties_count": Column("int64", "how many candidates are as good"),
    },
    "frontier": {
        "count": Column("int64", "new stations"),
        "covered_share": Column(
            "float64", "of the best choice of so many that was found, existing included", "0..1"
        ),
        "bound_share": Column("float64", "proven: no choice of so many covers more", "0..1"),
        "nested_share": Column(
            "float64",
            "of the first so many sites of the plan; empty beyond it",
            "0..1",
            nullable=True,
        ),
        "status": Column("str", "optimal if the two are proven to be the same, else feasible"),
        "cost": Column(
            "float64", "of the best choice; empty where the study sets no costs", nullable=True
        ),
    },
    "money": {
        "budget": Column("float64", "what the new stations may cost together"),
        "covered_share": Column(
            "float64", "of the best choice that was found, existing included", "0..1"
        ),
        "bound_share": Column("float64", "proven: no choice within the budget covers more", "0..1"),
        "cost": Column("float64", "of the best choice"),
        "count": Column("int64", "its stations"),
        "status": Column("str", "optimal if the two are proven to be the same, else feasible"),
    },
    "scenarios": {
        "kind": Column("str", "all, type, district or daypart: whose demand changes"),
        "name": Column("str", "of the worker type, district or daypart; empty of all"),
        "change": Column("float64", "by how much of itself"),
        "covered_share": Column("float64", "of the plan", "0..1"),
        "best_share": Column(
            "float64", "of the best choice of as many stations found for it", "0..1"
        ),
        "bound_share": Column("float64", "proven: no choice covers more", "0..1"),
        "regret": Column("float64", "best_share - covered_share", "0..1"),
        "status": Column("str", "optimal if the best is proven to be the best, else feasible"),
    },
    "parking": {
        "name": Column("str", "nearest street or host"),
        "bays": Column("int64", "places for e-bikes"),
        "served_per_day": Column("float64", "short stops within reach of the door", "1/d"),
        "peak_per_hour": Column("float64", "short stops in the busiest hour", "1/h"),
        "blocking_share": Column("float64", "arrivals that find all bays taken (Erlang B)", "0..1"),
        "workers": Column("int64", "distinct workers behind it, never under the privacy limit"),
        "station_id": Column("str", "nearest station on foot, if near enough", nullable=True),
        "station_walk_m": Column("float64", "walk to it", "m", nullable=True),
        "geometry": Column("point", "where, on a street"),
    },
    "coverage": {
        "scope": Column("str", "all, daypart, district or worker_type"),
        "name": Column("str", "which daypart, district or type; `all`"),
        "weight_per_day": Column("float64", "demand in the scope", "1/d"),
        "covered_share": Column(
            "float64", "within the limit of any station", "0..1", nullable=True
        ),
        "open_share": Column(
            "float64",
            "within the limit of a station open then; dayparts only",
            "0..1",
            nullable=True,
        ),
        "backup_share": Column(
            "float64", "within the limit of two or more stations", "0..1", nullable=True
        ),
        "gradual_share": Column(
            "float64",
            "in full up to `service.full_min` from a station, then ever less, nothing from the "
            "limit on",
            "0..1",
            nullable=True,
        ),
        "mean_min": Column(
            "float64",
            "mean way to the nearest station (of a daypart: open then), of what has one within "
            "four times the limit",
            "min",
            nullable=True,
        ),
        "median_min": Column(
            "float64",
            "half of all demand has no longer way; empty beyond four times the limit",
            "min",
            nullable=True,
        ),
        "p90_min": Column("float64", "nine tenths have no longer way", "min", nullable=True),
        "seats_per_100": Column(
            "float64",
            "seats of stations (of a daypart: open then) per 100 visits, shared by who reaches "
            "them (E2SFCA); empty if no capacity is known",
            "seats per 100/d",
            nullable=True,
        ),
    },
    "closures": {
        "when": Column("str", "before or after: among today's stations, or the plan's"),
        "facility_id": Column("str", "the station, as in candidates"),
        "name": Column("str", "its name"),
        "served_per_day": Column("float64", "visits within the limit it is nearest to", "1/d"),
        "lost_per_day": Column("float64", "visits that no other station would cover", "1/d"),
        "lost_share": Column("float64", "the same over all demand", "0..1"),
        "next_min": Column(
            "float64",
            "median way of what it serves to the next station; empty beyond four times the limit",
            "min",
            nullable=True,
        ),
    },
    "uncovered": {
        "when": Column("str", "before or after: beyond today's stations, or the plan's"),
        "name": Column("str", "as in hotspots"),
        "weight_per_day": Column("float64", "rider-visits with no station in the limit", "1/d"),
        "rest_per_day": Column("float64", "as in hotspots", "1/d", optional=True),
        "points": Column("int64", "demand points in it"),
        "peak": Column("str", "as in hotspots, against all uncovered demand"),
        "peak_share": Column("float64", "as in hotspots", "0..1", nullable=True),
        "nearest_min": Column(
            "float64",
            "median way to the nearest station; empty beyond four times the limit",
            "min",
            nullable=True,
        ),
        "geometry": Column("point", "the medoid cell"),
    },
    "edits": {
        "name": Column("str", "as the study names it; else what it does"),
        "action": Column("str", "connect, close or open"),
        "adopted": Column("bool", "the plan counts with it"),
        "before_min": Column(
            "float64",
            "between its two ends without it, empty where there is no way; of several sections "
            "closed, the one with the longest way round",
            "min",
            nullable=True,
        ),
        "after_min": Column("float64", "the same with it", "min", nullable=True),
        "affected_per_day": Column(
            "float64", "visits whose way to the nearest station changes", "1/d"
        ),
        "affected_before_min": Column(
            "float64",
            "their mean way without it; ways beyond four times the limit count as that",
            "min",
            nullable=True,
        ),
        "affected_after_min": Column("float64", "the same with it", "min", nullable=True),
        "hours_saved_per_day": Column(
            "float64", "rider-hours, one way a visit; negative where ways grow longer", "h/d"
        ),
        "covered_before": Column("float64", "by today's stations, without it", "0..1"),
        "covered_after": Column("float64", "the same with it", "0..1"),
        "planned_before": Column("float64", "by the plan's stations, without it", "0..1"),
        "planned_after": Column("float64", "the same with it", "0..1"),
        "district": Column(
            "str", "where the share covered by today's stations changes most", nullable=True
        ),
        "district_before": Column("float64", "its share without it", "0..1", nullable=True),
        "district_after": Column("float64", "its share with it", "0..1", nullable=True),
        "geometry": Column("line", "what is opened or closed"),
    },
}


def check_table(table: pd.DataFrame, name: str, *, file: Any = None) -> None:
    """Raise unless a table is what `TABLES[name]` declares; all faults are reported at once.

    Parameters
    ----------
    table
        Any frame; one with a `geometry` column must be in a metric CRS.
    name
        A key of `TABLES`.
    file
        The file it came from, for the message.

    Raises
    ------
    ColumnError
        Columns are missing; the nearest present name is suggested.
    CrsError
        The CRS is absent or in degrees.
    InputError
        The index is not unique, or a column that must be filled has gaps.
    """
    declared = TABLES[name]
    missing = [c for c, spec in declared.items() if c not in table.columns and not spec.optional]
    if missing:
        hints = "".join(nearest_name(c, map(str, table.columns)) for c in missing)
        raise ColumnError(
            f"`{name}` lacks {_listing(missing)}. It has {_listing(table.columns)}.{hints}",
            file=file,
        )
    if "geometry" in declared:
        require_metric(table, name)
    faults = [] if table.index.is_unique else ["its index is not unique"]
    for column, spec in declared.items():
        if column in table.columns and not spec.nullable and table[column].isna().any():
            first = table.index[table[column].isna()].tolist()[0]
            faults.append(f"`{column}` is empty at {table.index.name or 'row'} {first!r}")
    if faults:
        raise InputError(f"`{name}`: {'; '.join(faults)}.", file=file)


def _listing(names: Iterable[object]) -> str:
    return ", ".join(f"`{n}`" for n in names) or "nothing"


# ── what was read, and what was lost ──────────────────────────────────────────────────────────


class Loss(NamedTuple):
    """Rows that were left out for one reason."""

    reason: str
    rows: int
    example: str = ""  # file row and what stood there; never personal data


def record_input(
    table: pd.DataFrame, *, file: str, rows: int, losses: Iterable[Loss] = (), sha256: str = ""
) -> None:
    """Note on a freshly made table where it came from and what was lost on the way.

    The note is a plain dict in `table.attrs["input"]`:
    ``{file, rows, kept, dropped: {reason: n}, examples: {reason: text}, sha256}``, with
    ``kept + sum(dropped) = rows``.
    """
    losses = [loss for loss in losses if loss.rows]
    dropped = {loss.reason: int(loss.rows) for loss in losses}
    table.attrs["input"] = {
        "file": file,
        "rows": int(rows),
        "kept": int(rows) - sum(dropped.values()),
        "dropped": dropped,
        "examples": {loss.reason: loss.example for loss in losses if loss.example},
        "sha256": sha256,
    }


_REMEDIES = {
    "no rider": 'Name the column that tells riders apart under `columns`: { rider_id = "…" }.',
    "no usable time": (
        "Write times like 2026-09-15 11:02:00, or as seconds since 1970, from 2000 to 2099."
    ),
    "outside the area": (
        "Check that the area, or the street file where none is given, shows the same city, and "
        "that `datum` is right."
    ),
    "off the globe": "Write longitude and latitude in degrees.",
    "coordinate": "Check which columns hold longitude and latitude: columns = { lon, lat }.",
}


def no_rows_left(rows: int, losses: Iterable[Loss], *, file: Path | str) -> InputError:
    """Return the error for a file of which every row was lost, with the remedy of most of them."""
    losses = sorted((loss for loss in losses if loss.rows), key=lambda loss: -loss.rows)
    told = "; ".join(
        f"{loss.rows} × {loss.reason}" + (f" ({loss.example})" if loss.example else "")
        for loss in losses
    )
    most = losses[0].reason if losses else ""
    remedy = next(
        (text for part, text in _REMEDIES.items() if part in most),
        "Check that columns, datum and area belong together.",
    )
    return InputError(f"no usable rows in {rows}{': ' + told if told else ''}. {remedy}", file=file)


# ── who reaches what ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Reach:
    """Pairs (demand, facility) within a limit, travelled from demand to facility.

    Attributes
    ----------
    minutes
        CSR, demand × facilities; an entry only where within the limit (a time of zero is kept as
        an explicit entry). Use ``minutes.indptr`` and ``minutes.indices``, not truth, for "within".
    demand_id, facility_id
        The indexes of the two tables, in the order of rows and columns.
    limit_min, mode, speed_kmh
        What was asked.
    unsnapped_demand, unsnapped_facilities
        Identifiers too far from every street to be reached at all.
    apart_demand, apart_facilities
        Identifiers of demand on a part of the streets where none of the facilities stands that the
        reach was made with, and of facilities where no demand stands: no limit joins them.
    """

    minutes: csr_array
    demand_id: pd.Index
    facility_id: pd.Index
    limit_min: float
    mode: str
    speed_kmh: float
    unsnapped_demand: pd.Index = field(default_factory=lambda: pd.Index([], dtype=object))
    unsnapped_facilities: pd.Index = field(default_factory=lambda: pd.Index([], dtype=object))
    apart_demand: pd.Index = field(default_factory=lambda: pd.Index([], dtype=object))
    apart_facilities: pd.Index = field(default_factory=lambda: pd.Index([], dtype=object))

    def pairs(self) -> pd.DataFrame:
        """Return one row a pair: `demand_id`, `facility_id`, `travel_min`."""
        row = np.repeat(np.arange(self.minutes.shape[0]), np.diff(self.minutes.indptr))
        return pd.DataFrame(
            {
                "demand_id": self.demand_id.take(row),
                "facility_id": self.facility_id.take(self.minutes.indices),
                "travel_min": self.minutes.data,
            }
        )

    def covered(self, columns: np.ndarray | None = None) -> np.ndarray:
        """Tell for each demand row whether a facility (of the given columns) is in reach."""
        inside = np.ones(self.minutes.shape[1], dtype=bool)
        if columns is not None:
            inside[:] = False
            inside[columns] = True
        counts = np.zeros(self.minutes.shape[0], dtype=np.int64)
        row = np.repeat(np.arange(self.minutes.shape[0]), np.diff(self.minutes.indptr))
        np.add.at(counts, row, inside[self.minutes.indices])
        return counts > 0

    def select(self, facility_id: Iterable[str]) -> Reach:
        """Return the same reach with only the given facilities, in the given order."""
        column = self.facility_id.get_indexer(pd.Index(list(facility_id)))
        minutes = self.minutes.tocsc()[:, column].tocsr()
        minutes.sort_indices()
        return Reach(
            minutes,
            self.demand_id,
            self.facility_id[column],
            self.limit_min,
            self.mode,
            self.speed_kmh,
            self.unsnapped_demand,
            self.unsnapped_facilities.intersection(self.facility_id[column]),
            self.apart_demand,
            self.apart_facilities.intersection(self.facility_id[column]),
        )
