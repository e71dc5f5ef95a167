"""Which question is asked of the candidates: the models, what they take, and their answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import NoSolutionError, SettingsError, nearest_name
from planner.locate import solve_lscp, solve_mclp, solve_pcenter, solve_pmedian
from planner.locate.floors import solve_floored_mclp
from planner.locate.problem import rows_covered
from planner.siting.case import check_cost, price_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.locate import Solution
    from planner.siting.case import Case

UNITS = {
    "mclp": "rider-visits a day",
    "lscp": "stations",
    "pmedian": "rider-minutes a day",
    "pcenter": "minutes",
}
_FAR = 2.0  # demand out of everyone's reach travels so many limits


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked, beside the tables.

    Attributes
    ----------
    model
        A key of `UNITS`.
    count
        New stations; of lscp not read.
    target_share
        Of lscp: the share of the demand that must be covered.
    min_district_share
        Of mclp: the share of each district's demand that must be covered; 0 is no floor.
    budget, cost
        What the new stations may cost together, and what one costs by its action.
    min_spacing_m, informal_share
        As in `choose_stations`.
    limit_min
        The service limit.
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

    @property
    def plain(self) -> bool:
        """Coverage by count alone decides, beside spacing and gathering places."""
        return self.model == "mclp" and self.budget is None and not self.min_district_share

    @property
    def nearness(self) -> bool:
        """Minutes are asked for, so a site that covers nobody anew may still serve."""
        return self.model in {"pmedian", "pcenter"}

    def check(self) -> None:
        """Refuse numbers out of range, and what no model takes together."""
        if self.model not in UNITS:
            raise SettingsError(
                f"`model` knows {', '.join(UNITS)}. Got {self.model!r}."
                f"{nearest_name(self.model, UNITS)}"
            )
        for name in ("target_share", "min_district_share", "informal_share"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingsError(f"`{name}` must be from 0 to 1. Got {value}.")
        if not self.min_spacing_m >= 0:
            raise SettingsError(f"`min_spacing_m` must not be negative. Got {self.min_spacing_m}.")
        check_cost(self.cost, self.budget, alone=self.model != "mclp")
        if self.model != "mclp":
            self._check_together()

    def _check_together(self) -> None:
        """Name the settings that a model has no place for."""
        given = {
            "min_spacing_m": self.min_spacing_m > 0,
            "min_district_share": self.min_district_share > 0,
            "budget": self.budget is not None,
            "cost": bool(self.cost) and self.model != "lscp",
            "informal_share": self.informal_share > 0 and self.model == "lscp",
        }
        wrong = [f"`{name}`" for name, is_given in given.items() if is_given]
        if wrong:
            raise SettingsError(
                f"the model {self.model} takes no {', '.join(wrong)}. Leave that out, or choose "
                'model = "mclp".'
            )


def solve(
    question: Question,
    case: Case,
    *,
    required: list[int],
    district: np.ndarray | None,
    time_limit_s: float,
    gap: float,
    rng: np.random.Generator,
    on_step: Callable[[int, int], None] | None,
) -> Solution:
    """Answer a question about a case; `district` names that of every demand row."""
    open_already: dict[str, Any] = {"existing": case.existing, "required": required}
    common: dict[str, Any] = {
        "time_limit_s": time_limit_s, "gap": gap, "rng": rng, "on_step": on_step,
    }  # fmt: skip
    if question.model == "lscp":
        return solve_lscp(
            case.cover, weight=case.weight, target_share=question.target_share,
            cost=price_columns(case, question.cost), **open_already, **common,
        )  # fmt: skip
    if question.model == "pmedian":
        return solve_pmedian(
            case.cover, case.weight, question.count, penalty=_FAR * question.limit_min,
            **open_already, **common,
        )  # fmt: skip
    if question.model == "pcenter":
        return solve_pcenter(
            case.cover, question.count, weight=_reachable(case), **open_already, **common
        )
    covering: dict[str, Any] = {
        "xy": case.xy, "conflicts": case.conflicts, "cost": price_columns(case, question.cost),
        "budget": question.budget, **open_already, **common,
    }  # fmt: skip
    if not question.min_district_share:
        return solve_mclp(case.cover, case.weight, question.count, **covering)
    if district is None:
        raise SettingsError(
            "`min_district_share` needs `districts`: the name of each demand point's district."
        )
    try:
        return solve_floored_mclp(
            case.cover, case.weight, question.count, groups=district,
            floor=question.min_district_share, **covering,
        )  # fmt: skip
    except NoSolutionError as error:
        raise NoSolutionError(f"`min_district_share`: {error}") from error


def tell(question: Question, case: Case, solution: Solution) -> dict[str, Any]:
    """Return objective and bound in the model's unit, and what is covered whatever the model."""
    total = math.fsum(case.weight)
    share = solution.objective / total
    best = min(1.0, solution.bound / total)
    if question.model != "mclp":
        everything = np.arange(len(case.candidates))
        opened = np.append(case.existing, solution.chosen)
        share, best = (
            math.fsum(case.weight[rows_covered(case.cover, columns)]) / total
            for columns in (opened, everything)
        )
    unit = "cost" if question.cost and question.model == "lscp" else UNITS[question.model]
    told: dict[str, Any] = {
        "model": question.model,
        "count": len(solution.chosen) if question.model == "lscp" else int(question.count),
        "objective": solution.objective,
        "bound": solution.bound,
        "unit": unit,
        "gap": solution.gap,
        "status": solution.status,
        "seconds": solution.seconds,
        "covered_share": share,
        "best_possible_share": best,
    }
    if question.model == "lscp":
        told["target_share"] = question.target_share
    if question.min_district_share:
        told["min_district_share"] = question.min_district_share
    price = price_columns(case, question.cost)
    if price is not None:
        told |= {"budget": question.budget, "cost": float(price[solution.chosen].sum())}
    return told


def _reachable(case: Case) -> np.ndarray:
    """1 where demand has a station or candidate within reach, else 0: nobody can help it."""
    return ((case.weight > 0) & (np.diff(case.cover.indptr) > 0)).astype(float)
