"""Stations with seats: what each place can become, and the choice that serves the most visits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.errors import InputError, SettingsError
from planner.locate import solve_capacitated
from planner.questions import check_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from planner.locate import Solution
    from planner.siting.case import Case

_WHO = {"activate": ("activate",), "build": ("activate", "build"), "enlarge": ("keep",)}


class SeatKind(NamedTuple):
    """What a place can become.

    Attributes
    ----------
    action
        ``activate``, for candidates that are premises; ``build``, for any candidate; ``enlarge``,
        for existing stations.
    seats
        That it has; of ``enlarge``, that are added.
    cost
        Of one, in the unit of the budget.
    """

    action: str
    seats: float
    cost: float = 0.0


@dataclass(frozen=True, eq=False)
class Seating:
    """What is known of seats.

    Attributes
    ----------
    kinds
        Name → `SeatKind`. Kinds of one place exclude each other.
    seats
        Index `candidate_id` of the existing stations: their seats; NaN or absent where nobody
        knows: the median of those known is assumed, else the fewest of `kinds`.
    visits_per_seat
        Rider-visits that a seat serves a day: one number, or one a `candidate_id`.
    """

    kinds: Mapping[str, SeatKind]
    seats: pd.Series | None
    visits_per_seat: pd.Series | float

    @property
    def actions(self) -> dict[str, str]:
        """The action of each kind."""
        return {name: kind.action for name, kind in self.kinds.items()}

    def check(self, budget: float | None) -> None:
        """Refuse kinds that are none, and such that need a budget."""
        for name, kind in self.kinds.items():
            if kind.action not in _WHO:
                raise SettingsError(
                    f"`kinds`: the action of {name!r} must be one of {', '.join(_WHO)}. "
                    f"Got {kind.action!r}."
                )
            for what, value in (("seats", kind.seats), ("cost", kind.cost)):
                if not (math.isfinite(value) and value >= 0):
                    raise SettingsError(
                        f"`kinds`: `{what}` of {name!r} must be a number, 0 or more. Got {value}."
                    )
        check_kinds({name: (kind.action, kind.cost) for name, kind in self.kinds.items()}, budget)

    def existing(self, case: Case) -> tuple[np.ndarray, np.ndarray]:
        """Return the seats of the existing stations, and which of them are assumed."""
        ids = case.candidates.index[case.existing]
        known = np.full(ids.size, np.nan)
        if self.seats is not None:
            known = self.seats.reindex(ids).to_numpy(float)
        bad = known[~np.isnan(known)]
        if (bad < 0).any() or np.isinf(bad).any():
            raise InputError(
                f"`seats` of existing stations must be 0 or more. Got {bad[(bad < 0)][:1]}."
            )
        assumed = np.isnan(known)
        fewest = min(kind.seats for kind in self.kinds.values())
        usual = float(np.median(known[~assumed])) if (~assumed).any() else fewest
        return np.where(assumed, usual, known), assumed

    def visits(self, case: Case) -> np.ndarray:
        """Return what a seat serves a day, of every candidate."""
        each = self.visits_per_seat
        if isinstance(each, int | float):
            values = np.full(len(case.candidates), float(each))
        else:
            values = each.reindex(case.candidates.index).to_numpy(float)
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
        if bad.size:
            raise SettingsError(
                f"`visits_per_seat` must be a number, 0 or more, for every place. Got "
                f"{values[bad[0]]} for {case.candidates.index[bad[0]]!r}."
            )
        return values


class Offer(NamedTuple):
    """One column of the solver: a place and what it could become.

    Attributes
    ----------
    column
        Of the case.
    kind
        A key of `Seating.kinds`; empty for an existing station as it is.
    seats, cost
        That it brings, and what it takes.
    place
        1 where it counts as a new station.
    """

    column: int
    kind: str
    seats: float
    cost: float
    place: int


@dataclass(frozen=True, eq=False)
class Seated:
    """What came out, by column of the case.

    Attributes
    ----------
    columns
        Of the stations: the existing, then the new, by number.
    kind
        What each becomes; empty for an existing station that stays as it is.
    seats, added, assumed
        In the plan; of these, new ones; and whether today's are assumed.
    capacity, served
        Rider-visits a day that it can serve, and that it serves.
    cost
        Of what is new.
    """

    columns: np.ndarray
    kind: list[str]
    seats: np.ndarray
    added: np.ndarray
    assumed: np.ndarray
    capacity: np.ndarray
    served: np.ndarray
    cost: np.ndarray

    def only(self, kept: np.ndarray) -> Seated:
        """Return some of the stations; bool of each."""
        parts = {name: value[kept] for name, value in vars(self).items() if name != "kind"}
        kind = [name for name, keep in zip(self.kind, kept, strict=True) if keep]
        return replace(self, kind=kind, **parts)


def make_offers(
    case: Case, seating: Seating, required: Sequence[int], *, with_costs: bool
) -> tuple[list[Offer], list[int]]:
    """List what every place could become; return also which offers are taken in any case.

    Without costs a place becomes what has most seats. A required place has its cheapest kind, and
    offers to enlarge it by what other kinds have more, at what they cost more.
    """
    seats, _ = seating.existing(case)
    offers = [
        Offer(int(j), "", float(s), 0.0, 0) for j, s in zip(case.existing, seats, strict=True)
    ]
    taken: list[int] = []
    action = case.candidates["action"].to_numpy()
    for j in range(len(action)):
        fitting = {n: k for n, k in seating.kinds.items() if action[j] in _WHO[k.action]}
        if not fitting:
            continue
        if action[j] == "keep":
            offers += [Offer(j, n, k.seats, k.cost, 0) for n, k in fitting.items()]
        elif not with_costs:
            largest = max(fitting, key=lambda name: fitting[name].seats)
            taken += [len(offers)] if j in required else []
            offers.append(Offer(j, largest, fitting[largest].seats, 0.0, 1))
        elif j in required:
            taken.append(len(offers))
            offers += _upgrades(j, fitting)
        else:
            offers += [Offer(j, n, k.seats, k.cost, 1) for n, k in fitting.items()]
    return offers, taken


def _upgrades(j: int, fitting: Mapping[str, SeatKind]) -> Iterator[Offer]:
    """Offer the cheapest kind, then what the others have more than it."""
    base = min(fitting, key=lambda name: (fitting[name].cost, -fitting[name].seats))
    yield Offer(j, base, fitting[base].seats, fitting[base].cost, 1)
    for name, kind in fitting.items():
        if kind.seats > fitting[base].seats:
            more = kind.seats - fitting[base].seats
            yield Offer(j, name, more, kind.cost - fitting[base].cost, 0)


def seat_stations(
    case: Case, seating: Seating, count: int, budget: float | None, options: dict[str, Any]
) -> tuple[Solution, Seated]:
    """Choose stations and what each becomes, so that their seats serve the most visits.

    Returns
    -------
    solution
        Its columns and assignment are those of the case, without the stations that are enlarged.
    seated
        What every station becomes and serves.

    Notes
    -----
    The model of `planner.locate.solve_capacitated`: demand within the limit of an open station is
    served up to its capacity, seats × visits a seat. Enlarging adds a facility where one stands.
    """
    required = options.pop("required")
    offers, taken = make_offers(case, seating, required, with_costs=budget is not None)
    n_open = case.existing.size
    column = np.array([offer.column for offer in offers], dtype=np.int64)
    visits = seating.visits(case)
    capacity = visits[column] * np.array([offer.seats for offer in offers])
    if budget is not None:
        options |= {
            "cost": np.array([offer.cost for offer in offers]), "budget": budget,
            "places": np.array([offer.place for offer in offers]),
        }  # fmt: skip
    travel = sparse.csr_array(case.cover.tocsc()[:, column])
    options |= {"existing": np.arange(n_open), "required": taken}
    options["conflicts"] = _exclusions(case, offers, n_open)
    solution = solve_capacitated(travel, case.weight, capacity, count, **options)
    seated = _decode(case, seating, offers, solution, visits)
    useful = (seated.served > 0) | np.isin(seated.columns, [*case.existing, *required])
    solution = _by_place(case, offers, solution)
    chosen = np.intersect1d(solution.chosen, seated.columns[useful])
    return replace(solution, chosen=chosen), seated.only(useful)


def _exclusions(case: Case, offers: list[Offer], n_open: int) -> np.ndarray:
    """Pairs of offers of one place, or of new places too near to each other."""
    of_place: dict[int, list[int]] = {}
    for k, offer in enumerate(offers[n_open:], n_open):
        of_place.setdefault(offer.column, []).append(k)
    pairs: list[tuple[int, int]] = []
    for own in of_place.values():
        fresh = [k for k in own if offers[k].place]
        others = [k for k in own if not offers[k].place]  # beside a required place, not instead
        pairs += [*combinations(fresh, 2), *combinations(others, 2)]
    for a, b in case.conflicts.tolist():
        pairs += [
            (k, q)
            for k in of_place.get(a, [])
            for q in of_place.get(b, [])
            if offers[k].place and offers[q].place
        ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _by_place(case: Case, offers: list[Offer], solution: Solution) -> Solution:
    """Return the solution over the columns of the case."""
    column = np.array([offer.column for offer in offers], dtype=np.int64)
    shape = (column.size, len(case.candidates))
    gather = sparse.csr_array((np.ones(column.size), (np.arange(column.size), column)), shape=shape)
    parts = solution.assignment
    new = np.array([bool(offer.place) for offer in offers], dtype=bool)
    return replace(
        solution,
        chosen=np.unique(column[solution.chosen[new[solution.chosen]]]),
        assignment=None if parts is None else sparse.csr_array(parts @ gather),
    )


def _decode(
    case: Case, seating: Seating, offers: list[Offer], solution: Solution, visits: np.ndarray
) -> Seated:
    """Add up what every station is, has and serves."""
    n_open = case.existing.size
    loads = np.zeros(len(offers)) if solution.assignment is None else solution.assignment.sum(0)
    total = {name: np.zeros(len(case.candidates)) for name in ("seats", "added", "served", "cost")}
    kind: dict[int, str] = {}
    for k in [*range(n_open), *solution.chosen.tolist()]:
        offer = offers[k]
        total["seats"][offer.column] += offer.seats
        total["served"][offer.column] += loads[k]
        total["cost"][offer.column] += offer.cost
        total["added"][offer.column] += offer.seats if k >= n_open else 0.0
        kind[offer.column] = offer.kind  # an upgrade comes after what it upgrades
    columns = np.array([*case.existing, *sorted(set(kind) - set(case.existing.tolist()))], int)
    unknown = dict(zip(case.existing.tolist(), seating.existing(case)[1].tolist(), strict=True))
    seats = total["seats"][columns]
    return Seated(
        columns, [kind[int(j)] for j in columns], seats, total["added"][columns],
        np.array([unknown.get(int(j), False) for j in columns], dtype=bool),
        visits[columns] * seats, total["served"][columns], total["cost"][columns],
    )  # fmt: skip
