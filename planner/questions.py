"""Which settings of siting go together: what each location model takes, asked before any work."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from planner.errors import SettingsError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIONS = ("activate", "build")
# What a model takes of the settings that only some take; all take count, required and forbidden.
TAKES: dict[str, frozenset[str]] = {
    "mclp": frozenset({"min_spacing_m", "min_district_share", "budget", "cost", "informal_share"}),
    "lscp": frozenset({"target_share", "cost"}),
    "pmedian": frozenset({"informal_share"}),
    "pcenter": frozenset({"informal_share"}),
}
_COST_ALONE = frozenset({"lscp"})  # without a budget the cheapest is sought
_SHARES = ("target_share", "min_district_share", "informal_share")


def check_question(model: str, given: Mapping[str, Any]) -> None:
    """Refuse settings that are out of range, or that a model has no place for.

    Parameters
    ----------
    model
        A key of `TAKES`.
    given
        The settings of siting by name; absent ones are not set.

    Raises
    ------
    SettingsError
        What is wrong, and the remedy.
    """
    if model not in TAKES:
        raise SettingsError(
            f"`model` knows {', '.join(TAKES)}. Got {model!r}.{nearest_name(model, TAKES)}"
        )
    for name in _SHARES:
        value = given.get(name, 0.0)
        if not 0 <= value <= 1:
            raise SettingsError(f"`{name}` must be from 0 to 1. Got {value}.")
    spacing = given.get("min_spacing_m", 0.0)
    if not spacing >= 0:
        raise SettingsError(f"`min_spacing_m` must not be negative. Got {spacing}.")
    check_cost(given.get("cost"), given.get("budget"), alone=model != "mclp")
    _check_taken(model, given)


def check_cost(
    cost: Mapping[str, float] | None, budget: float | None, *, alone: bool = False
) -> None:
    """Refuse costs without a budget (unless they may stand alone), and a budget without costs."""
    if budget is not None and not (math.isfinite(budget) and budget >= 0):
        raise SettingsError(f"`budget` must be finite and not negative. Got {budget}.")
    if budget is not None and not cost:
        raise SettingsError(
            "`budget` needs `cost`: what it costs to activate a host and to build a station, "
            "e.g. cost = { activate = 1.0, build = 4.0 }."
        )
    if cost and budget is None and not alone:
        raise SettingsError("`cost` needs `budget`: what all new stations may cost together.")
    for action in ACTIONS if cost else ():
        value = (cost or {}).get(action, math.nan)
        if not (math.isfinite(value) and value >= 0):
            raise SettingsError(
                f"`cost` must name a number, 0 or more, for {action!r}. Got {dict(cost or {})!r}."
            )


def _check_taken(model: str, given: Mapping[str, Any]) -> None:
    """Name the settings that a model has no place for."""
    optional = {name for takes in TAKES.values() for name in takes} - {"target_share"}
    told = {name: value for name, value in given.items() if value or name == "budget"}
    wrong = [
        f"`{name}`"
        for name, value in told.items()
        if name in optional - TAKES[model] and value is not None
    ]
    if wrong:
        raise SettingsError(
            f"the model {model} takes no {', '.join(wrong)}. Leave that out, or choose "
            'model = "mclp".'
        )
