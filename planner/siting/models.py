"""Which question is asked of the candidates: one entry a location model, and its answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import NoSolutionError, SettingsError
from planner.locate import (
    solve_backup,
    solve_gradual,
    solve_lscp,
    solve_mclp,
    solve_pcenter,
    solve_pmedian,
)
from planner.locate.covering.floors import solve_floored_mclp
from planner.locate.problem import rows_covered
from planner.questions import FINDS_COUNT, check_question
from planner.siting.backing import measure_backing, measure_gradual
from planner.siting.case import price_columns
from planner.siting.seats import seat_stations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planner.locate import Solution
    from planner.siting.case import Case
    from planner.siting.seats import Seated, Seating

# Settings behind what the solvers call so.
_LIMITS = {"conflict": "min_spacing_m", "budget": "budget", "floor": "min_district_share"}
_FAR = 2.0  # demand out of everyone's reach travels so many limits


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked, beside the tables.

    Attributes
    ----------
    model
        A key of `MODELS`.
    count
        New stations; not read by models that find their own number.
    target_share
        Of lscp: the share of the demand that must be covered.
    min_district_share
        The share of each district's demand that must be covered; 0 is no floor.
    budget, cost
        What the new stations may cost together, and what one costs by its action.
    min_spacing_m, informal_share
        As in `choose_stations`.
    limit_min
        The service limit.
    backup_share
        Of backup: the part of a visit's weight that only a second station brings.
    full_min
        Of gradual: minutes up to which a visit counts in full.
    seating
        Of capacitated: what a place can become, and what a seat serves.
    """

    model: str
    count: int
    target_share: float
    min_district_share: float
    budget: float | None
    cost: Mapping[str, float] | None
    min_spacing_m: float
    informal_share: float
    limit_min: float
    backup_share: float
    full_min: float
    seating: Seating | None = None

    @property
    def kind(self) -> Model:
        """The entry of the model."""
        return MODELS[self.model]

    @property
    def plain(self) -> bool:
        """Coverage by count alone decides, beside spacing and gathering places."""
        return self.model == "mclp" and self.budget is None and not self.min_district_share

    @property
    def finds_count(self) -> bool:
        """The model finds its own number; with costs it seeks the cheapest."""
        return self.model in FINDS_COUNT

    def check(self) -> None:
        """Refuse numbers out of range, and what the model has no place for."""
        check_question(self.model, vars(self))
        if self.model == "capacitated":
            if self.seating is None:
                raise SettingsError(
                    "the model capacitated needs `seating`: kinds of stations, seats of those that "
                    "exist, and what a seat serves a day."
                )
            self.seating.check(self.budget)


@dataclass(frozen=True, eq=False)
class Asked:
    """A question about a case, and how long to think about it.

    Attributes
    ----------
    question, case
        What is asked, about which arrays.
    district
        The name of each demand row's district, None where they are not known.
    time_limit_s, gap, rng
        As the solvers take them.
    """

    question: Question
    case: Case
    district: np.ndarray | None
    time_limit_s: float
    gap: float
    rng: np.random.Generator

    @property
    def price(self) -> np.ndarray | None:
        """What each column costs, None without costs."""
        return price_columns(self.case, self.question.cost)

    @property
    def spending(self) -> dict[str, Any]:
        """Spacing and money, as the solvers take them."""
        return {
            "conflicts": self.case.conflicts, "cost": self.price, "budget": self.question.budget
        }  # fmt: skip

    @property
    def floor(self) -> dict[str, Any]:
        """What every district must get, as the solvers take it; empty without a floor."""
        if not self.question.min_district_share:
            return {}
        if self.district is None:
            raise SettingsError(
                "`min_district_share` needs `districts`: the name of each demand point's district."
            )
        return {"groups": self.district, "floor": self.question.min_district_share}


class Answer(NamedTuple):
    """What a model answers: its solution, and of capacitated what every station becomes."""

    solution: Solution
    seated: Seated | None = None


@dataclass(frozen=True)
class Model:
    """How one location model is asked.

    Attributes
    ----------
    unit
        Of objective and bound.
    answer
        Called with what is asked and the options that every solver takes (existing, required,
        limits of time and gap).
    covers
        The objective is the demand within reach, so it tells the covered share and its bound.
    nearness
        Minutes or second stations are asked for, so a site that covers nobody anew may still serve.
    notes
        What else ``attrs["siting"]`` tells.
    measures
        The same, of the answer.
    """

    unit: str
    answer: Callable[[Asked, dict[str, Any]], Answer]
    covers: bool = False
    nearness: bool = False
    notes: Callable[[Question], dict[str, Any]] | None = None
    measures: Callable[[Asked, Solution], dict[str, Any]] | None = None


def _most_covered(asked: Asked, options: dict[str, Any]) -> Answer:
    question, case = asked.question, asked.case
    options = {"xy": case.xy, **asked.spending, **asked.floor, **options}
    most_covered = solve_floored_mclp if asked.floor else solve_mclp
    return Answer(most_covered(case.cover, case.weight, question.count, **options))


def _covered_twice(asked: Asked, options: dict[str, Any]) -> Answer:
    question, case = asked.question, asked.case
    options = {"xy": case.xy, **asked.spending, **options}
    return Answer(
        solve_backup(
            case.cover, case.weight, question.count, backup_share=question.backup_share, **options
        )
    )


def _told_twice(asked: Asked, solution: Solution) -> dict[str, Any]:
    weight = {"backup_share": asked.question.backup_share}
    return weight | measure_backing(asked.case, solution.chosen)


def _nearer_counts_more(asked: Asked, options: dict[str, Any]) -> Answer:
    question, case = asked.question, asked.case
    options = {"xy": case.xy, **asked.spending, **_decline(question), **options}
    return Answer(solve_gradual(case.cover, case.weight, question.count, **options))


def _told_gradually(asked: Asked, solution: Solution) -> dict[str, Any]:
    decline, nobody = _decline(asked.question), np.empty(0, dtype=np.int64)
    return {
        "full_min": decline["full_min"],
        "gradual_share_before": measure_gradual(asked.case, nobody, **decline),
        "gradual_share": measure_gradual(asked.case, solution.chosen, **decline),
        "gradual_share_best": min(1.0, solution.bound / math.fsum(asked.case.weight)),
    }


def _decline(question: Question) -> dict[str, Any]:
    limit_min = question.limit_min
    return {"full_min": min(question.full_min, limit_min), "limit_min": limit_min}


def _fewest(asked: Asked, options: dict[str, Any]) -> Answer:
    question, case = asked.question, asked.case
    options = {"target_share": question.target_share, **asked.spending, **asked.floor, **options}
    return Answer(solve_lscp(case.cover, weight=case.weight, **options))


def _nearest(asked: Asked, options: dict[str, Any]) -> Answer:
    question, case = asked.question, asked.case
    options = {"penalty": _FAR * question.limit_min, **asked.spending, **asked.floor, **options}
    return Answer(solve_pmedian(case.cover, case.weight, question.count, **options))


def _nearest_for_the_farthest(asked: Asked, options: dict[str, Any]) -> Answer:
    question, case = asked.question, asked.case
    options = {"weight": _reachable(case), **asked.spending, **options}
    return Answer(solve_pcenter(case.cover, question.count, **options))


def _most_served(asked: Asked, options: dict[str, Any]) -> Answer:
    question = asked.question
    if question.seating is None:
        raise SettingsError("the model capacitated needs `seating`.")
    return Answer(
        *seat_stations(asked.case, question.seating, question.count, question.budget, options)
    )


# What each has no place for is told in `planner.questions.REFUSED`.
MODELS: dict[str, Model] = {
    "mclp": Model("rider-visits a day", _most_covered, covers=True),
    "lscp": Model(
        "stations", _fewest, notes=lambda question: {"target_share": question.target_share}
    ),
    "backup": Model(
        "rider-visits a day", _covered_twice, nearness=True, measures=_told_twice
    ),
    "gradual": Model(
        "rider-visits a day", _nearer_counts_more, nearness=True, measures=_told_gradually
    ),
    "pmedian": Model("rider-minutes a day", _nearest, nearness=True),
    "capacitated": Model("rider-visits a day", _most_served, nearness=True),
    "pcenter": Model("minutes", _nearest_for_the_farthest, nearness=True),
}  # fmt: skip


def solve(
    asked: Asked, *, required: Sequence[int], on_step: Callable[[int, int], None] | None = None
) -> Answer:
    """Answer what is asked; the `required` columns open in any case."""
    question, case = asked.question, asked.case
    options: dict[str, Any] = {
        "existing": case.existing, "required": list(required), "time_limit_s": asked.time_limit_s,
        "gap": asked.gap, "rng": asked.rng, "on_step": on_step,
    }  # fmt: skip
    try:
        return question.kind.answer(asked, options)
    except NoSolutionError as error:
        limits = [
            f"`{name}`" for word, name in _LIMITS.items()
            if getattr(question, name) and word in str(error)
        ]  # fmt: skip
        raise NoSolutionError(f"{', '.join(limits)}: {error}" if limits else str(error)) from error


def tell(asked: Asked, solution: Solution) -> dict[str, Any]:
    """Return objective and bound in the model's unit, and what is covered whatever the model."""
    question, case, kind = asked.question, asked.case, asked.question.kind
    total = math.fsum(case.weight)
    share = solution.objective / total
    best = min(1.0, solution.bound / total)
    if not kind.covers:
        everything = np.arange(len(case.candidates))
        opened = np.append(case.existing, solution.chosen)
        share, best = (
            math.fsum(case.weight[rows_covered(case.cover, columns)]) / total
            for columns in (opened, everything)
        )
    told: dict[str, Any] = {
        "model": question.model,
        "count": len(solution.chosen) if question.finds_count else int(question.count),
        "objective": solution.objective,
        "bound": solution.bound,
        "unit": "cost" if question.cost and question.finds_count else kind.unit,
        "gap": solution.gap,
        "status": solution.status,
        "seconds": solution.seconds,
        "covered_share": share,
        "best_possible_share": best,
    }
    if kind.notes:
        told |= kind.notes(question)
    if kind.measures:
        told |= kind.measures(asked, solution)
    if question.min_district_share:
        told["min_district_share"] = question.min_district_share
    if asked.price is not None:
        told |= {"budget": question.budget, "cost": float(asked.price[solution.chosen].sum())}
    return told


def _reachable(case: Case) -> np.ndarray:
    """1 where demand has a station or candidate within reach, else 0: nobody can help it."""
    return ((case.weight > 0) & (np.diff(case.cover.indptr) > 0)).astype(float)
