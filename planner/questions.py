"""Which settings of siting go together: what each location model takes, asked before any work."""

from __future__ import annotations

import math
from numbers import Integral
from typing import TYPE_CHECKING, Any

from planner.errors import SettingsError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACTIONS = ("activate", "build")
_ALONE = "it is proven with spacing and money, not with floors"
# Of each model, the settings of `[siting]` that it has no place for, and why.
REFUSED: dict[str, dict[str, str]] = {
    "mclp": {},
    "backup": {"min_district_share": _ALONE},
    "gradual": {"min_district_share": _ALONE},
    "lscp": {
        "informal_share": "it is a share of `count`, and lscp finds its own number. Name such "
        "places in `required`"
    },
    "pmedian": {},
    "pcenter": {
        "min_district_share": "pcenter reaches all demand that any station or candidate can "
        "reach, in every district"
    },
}
REFUSED["capacitated"] = {
    "min_district_share": "its floor would be one of seats, not of reach",
    "cost": "each of `kinds` has its own",
}
FINDS_COUNT = frozenset({"lscp"})  # `count` is not read; with costs the cheapest are found
_SHARES = ("target_share", "min_district_share", "informal_share", "backup_share")


def check_question(model: str, given: Mapping[str, Any]) -> None:
    """Refuse settings that are out of range, or that make no sense together.

    Parameters
    ----------
    model
        A key of `REFUSED`.
    given
        The settings of siting by name; absent ones are not set.

    Raises
    ------
    SettingsError
        What is wrong, and the remedy.
    """
    if model not in REFUSED:
        raise SettingsError(
            f"`model` knows {', '.join(REFUSED)}. Got {model!r}.{nearest_name(model, REFUSED)}"
        )
    for name in _SHARES:
        value = given.get(name, 0.0)
        if not 0 <= value <= 1:
            raise SettingsError(f"`{name}` must be from 0 to 1. Got {value}.")
    spacing = given.get("min_spacing_m", 0.0)
    if not spacing >= 0:
        raise SettingsError(f"`min_spacing_m` must not be negative. Got {spacing}.")
    if model not in FINDS_COUNT:
        _check_count(given.get("count", 1), len(given.get("required", ())))
    _check_lists(given.get("required", ()), given.get("forbidden", ()))
    for name, why in REFUSED[model].items():
        if given.get(name):
            raise SettingsError(
                f"the model {model} takes no `{name}`: {why}. Leave it out, or choose "
                'model = "mclp".'
            )
    if model == "capacitated":
        _check_seats(given)
    else:
        check_cost(given.get("cost"), given.get("budget"), alone=model in FINDS_COUNT)
        if given.get("kinds"):
            raise SettingsError(
                f"the model {model} takes no `kinds`: it knows no seats. Leave it out, or choose "
                'model = "capacitated".'
            )


def _check_seats(given: Mapping[str, Any]) -> None:
    """Refuse a study of seats that names none, and kinds that do not fit the budget."""
    budget, kinds = given.get("budget"), given.get("kinds") or {}
    if kinds:
        check_kinds({name: (kind.action, kind.cost) for name, kind in kinds.items()}, budget)
    elif "kinds" in given and not given.get("new_seats"):
        raise SettingsError(
            "the model capacitated needs `kinds`, what a place can become, or `new_seats`: e.g. "
            'kinds = { small = { action = "activate", seats = 8, cost = 1 }, large = { action = '
            '"build", seats = 30, cost = 4 } }.'
        )
    elif "kinds" in given and budget is not None:
        raise SettingsError("`budget` needs `kinds`, which tell what each costs.")


def check_kinds(kinds: Mapping[str, tuple[str, float]], budget: float | None) -> None:
    """Refuse kinds of stations that leave nothing to open, or that do not fit the budget.

    Parameters
    ----------
    kinds
        Name → (action, cost).
    budget
        What all may cost together; None is no limit.
    """
    if not {action for action, _ in kinds.values()} & set(ACTIONS):
        raise SettingsError(
            "`kinds` must hold one with the action activate or build: what new stations become."
        )
    if budget is None:
        enlarging = [name for name, (action, _) in kinds.items() if action == "enlarge"]
        if enlarging:
            raise SettingsError(
                f"`kinds` has {enlarging[0]!r}, which enlarges existing stations: without `budget` "
                "all would be enlarged. Set `budget`, or leave that kind out."
            )
        return
    if not (math.isfinite(budget) and budget >= 0):
        raise SettingsError(f"`budget` must be finite and not negative. Got {budget}.")
    least = min(cost for _, cost in kinds.values())
    if budget < least:
        raise SettingsError(
            f"`budget` is {budget:g}, less than the cheapest of `kinds` costs: {least:g}. Raise it."
        )


def _check_count(count: Any, required: int) -> None:
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise SettingsError(f"`count` must be a whole number of at least 1. Got {count!r}.")
    if required > count:
        raise SettingsError(
            f"`required` names {required} sites, but `count` is {count}. Raise `count` or lock "
            "fewer."
        )


def _check_lists(required: Iterable[str], forbidden: Iterable[str]) -> None:
    """Refuse a name that is written twice."""
    locked, banned = ([str(name).strip() for name in names] for names in (required, forbidden))
    for what, names in (("required", locked), ("forbidden", banned)):
        twice = [name for k, name in enumerate(names) if name in names[:k]]
        if twice:
            raise SettingsError(f"`{what}` names {twice[0]!r} twice. Name every place once.")
    both = [name for name in locked if name in banned]
    if both:
        raise SettingsError(f"`required` and `forbidden` both name {both[0]!r}. Leave it in one.")


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
    if cost and budget is not None and budget < min(cost[action] for action in ACTIONS):
        raise SettingsError(
            f"`budget` is {budget:g}, less than one station costs: {dict(cost)!r}. Raise `budget`."
        )
