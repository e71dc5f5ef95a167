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
    check_cost(given.get("cost"), given.get("budget"), alone=model in FINDS_COUNT)
    for name, why in REFUSED[model].items():
        if given.get(name):
            raise SettingsError(
                f"the model {model} takes no `{name}`: {why}. Leave it out, or choose "
                'model = "mclp".'
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
