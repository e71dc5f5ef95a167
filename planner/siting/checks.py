"""What has no answer is refused before anything is solved, in the words of a planner."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.problem import rows_covered
from planner.siting.case import price_columns

if TYPE_CHECKING:
    from planner.siting.case import Case
    from planner.siting.models import Question


def check_case(question: Question, case: Case, *, locked: bool) -> None:
    """Refuse a question that cannot be answered, or whose answer is to open nothing.

    Parameters
    ----------
    question, case
        What is asked, about which arrays.
    locked
        Something opens in any case, so that there is a plan whatever the others add.

    Raises
    ------
    InputError
        A weight is negative or not finite.
    SettingsError
        `count` is above the candidates, or `budget` under the cheapest of them.
    NoSolutionError
        No candidate has any demand within reach, or all that can be covered is covered already.
    """
    _check_weights(case)
    new = np.setdiff1d(np.arange(len(case.candidates)), case.existing)
    _check_count(1 if question.finds_count else question.count, new.size)
    _check_budget(question, case, new)
    reached = rows_covered(case.cover, new) & (case.weight > 0)
    if not reached.any():
        raise NoSolutionError(
            "no candidate has any demand within reach. Check that demand and candidates lie in "
            "the same city and on connected streets, or raise `limit_min`."
        )
    if not locked and not question.kind.nearness:
        _check_open_demand(question, case, reached)


def _check_weights(case: Case) -> None:
    bad = np.flatnonzero(~(np.isfinite(case.weight) & (case.weight >= 0)))
    if bad.size:
        raise InputError(
            f"`demand`: `weight_per_day` must be finite and not negative. Got "
            f"{case.weight[bad[0]]} at demand_id {case.demand.index[bad[0]]!r} ({bad.size} such "
            "rows). Drop those rows or set them to 0."
        )


def _check_count(count: int, candidates: int) -> None:
    if count > candidates:
        raise SettingsError(
            f"`count` is {count}, but there are only {candidates} candidates. Lower `count`, or "
            "offer more: a smaller `spacing_m`, more `kinds`, a larger area."
        )


def _check_budget(question: Question, case: Case, new: np.ndarray) -> None:
    """Refuse a budget that buys none of the candidates that are offered."""
    price = price_columns(case, question.cost)
    if price is None or question.budget is None or not new.size:
        return
    least = float(price[new].min())
    if question.budget < least:
        raise SettingsError(
            f"`budget` is {question.budget:g}, but the cheapest of the candidates costs "
            f"{least:g}. Raise it, or offer hosts that can be activated."
        )


def _check_open_demand(question: Question, case: Case, reached: np.ndarray) -> None:
    """Refuse to look for stations where what exists does all that could be done."""
    settled = rows_covered(case.cover, case.existing)
    total = math.fsum(case.weight)
    share = math.fsum(case.weight[settled]) / total
    remedy = 'Ask for shorter ways with model = "pmedian", or for less time with `limit_min`.'
    fair = question.min_district_share == 0  # a district may still have too little
    if question.finds_count and fair and share >= question.target_share:
        raise NoSolutionError(
            f"the existing stations have {share:.1%} of the demand within reach already, and "
            f"`target_share` is {question.target_share:g}: no new station is needed. Raise it."
        )
    if not (reached & ~settled).any():
        raise NoSolutionError(
            f"the existing stations have {share:.1%} of the demand within reach already, and no "
            f"candidate reaches any of the rest. {remedy}"
        )
