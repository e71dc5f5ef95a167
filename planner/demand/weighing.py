"""From visits seen to what they stand for: a sample's expansion to the register, and need weights.

Both multiply weights that have passed the privacy gate, point by point. Nothing else is read, so a
publication with them says no more than one without and the multipliers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import InputError, SettingsError
from planner.settings import STAY_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.demand.visits import Visits

TYPE, CLASS = "weight_type_", "weight_class_"


class Expansion(NamedTuple):
    """How a sample is blown up.

    Attributes
    ----------
    factor
        By worker type; types without one keep their weight.
    note
        What `attrs["demand"]` tells of it.
    """

    factor: dict[str, float]
    note: dict[str, Any]


def expand_sample(
    visits: Visits,
    registered: Mapping[str, int],
    *,
    tracked: Mapping[str, int],
    min_workers: int,
) -> Expansion:
    """Return by how much each worker type is under-represented in the sample.

    Parameters
    ----------
    visits
        What was seen, all of it.
    registered
        Workers by type that there are.
    tracked
        Workers by type that were observed at all, where that is known: some never stay anywhere.
    min_workers
        The privacy limit k: listed types with fewer workers seen are expanded together.

    Notes
    -----
    A type's factor is registered / distinct workers seen, with or without stays (the ratio
    estimator of Cochran 1977, *Sampling Techniques*, ch. 6). Listed types under k are pooled,
    smallest with next smallest, until each pool has k; if all of them together have fewer, none is
    expanded. A sample that is larger than the register is a fault of the data and is not shrunk.
    """
    listed = sorted(set(registered) & set(visits.kinds))
    pools = _pools(visits, listed, tracked, min_workers)
    faults: dict[str, list[str]] = {
        "not_listed": sorted(set(visits.kinds) - set(registered)),
        "not_seen": sorted(set(registered) - set(visits.kinds)),
        "too_few_seen": [],
        "more_seen_than_registered": [],
    }
    factor: dict[str, float] = {}
    told: dict[str, dict[str, Any]] = {}
    for kinds, seen in pools:
        if seen < min_workers:
            faults["too_few_seen"] += kinds
            continue
        there = sum(int(registered[kind]) for kind in kinds)
        if there < seen:
            faults["more_seen_than_registered"] += kinds
        for kind in kinds:
            factor[kind] = max(1.0, there / seen)
            others = [other for other in kinds if other != kind]
            told[kind] = {"seen": seen, "registered": there, "factor": factor[kind]}
            told[kind] |= {"together_with": others} if others else {}
    return Expansion(
        factor,
        {"expansion": told, "expansion_faults": {k: sorted(v) for k, v in faults.items() if v}},
    )


def weigh(
    columns: Mapping[str, np.ndarray],
    *,
    by_type: Mapping[str, float],
    by_class: Mapping[str, float],
) -> dict[str, np.ndarray]:
    """Multiply the weights of points by worker type and stay class.

    Parameters
    ----------
    columns
        Of the demand table: `weight_per_day`, all other ``weight_…`` and the rest.
    by_type, by_class
        Multipliers; 1 where nothing is said.

    Returns
    -------
    dict
        The columns anew; each family of weights still adds up to `weight_per_day`.

    Raises
    ------
    InputError
        The points have no such columns, or nothing is left.

    Notes
    -----
    A point's weight is multiplied by the mean over its types times the mean over its classes. Which
    type comes for what and when is not known of a single point (it must not be told), so within a
    point all dayparts and kinds of day are multiplied alike.
    """
    type_mean = _mean(columns, TYPE, by_type)
    class_mean = _mean(columns, CLASS, by_class)
    out = {}
    for name, values in columns.items():
        if name.startswith(TYPE):
            out[name] = values * by_type.get(name.removeprefix(TYPE), 1.0) * class_mean
        elif name.startswith(CLASS):
            out[name] = values * by_class.get(name.removeprefix(CLASS), 1.0) * type_mean
        else:
            out[name] = values * type_mean * class_mean if name.startswith("weight_") else values
    if not out["weight_per_day"].sum() > 0:
        raise InputError("the need weights leave no demand at all. Set some above 0 (`need`).")
    return out


def check_weights(
    registered: Mapping[str, int], need: Mapping[str, float], need_types: Mapping[str, float]
) -> None:
    """Raise `SettingsError` where a multiplier or a number of workers is out of its range."""
    for name, number in registered.items():
        if not 0 < number < np.inf:
            raise SettingsError(
                f"The `registered` workers of type `{name}` must be 1 or more. Got {number}."
            )
    unknown = sorted(set(need) - set(STAY_CLASSES))
    if unknown:
        raise SettingsError(
            f"The `need` setting knows {', '.join(f'`{c}`' for c in STAY_CLASSES)}. "
            f"Got `{unknown[0]}`."
        )
    for setting, table in (("need", need), ("need_types", need_types)):
        for name, value in table.items():
            if not 0 <= value < np.inf:
                raise SettingsError(f"The `{setting}` of `{name}` must be 0 or more. Got {value}.")


def _pools(
    visits: Visits, kinds: list[str], tracked: Mapping[str, int], min_workers: int
) -> list[tuple[list[str], int]]:
    """Pool worker types until each pool has enough distinct workers; return pools and workers."""
    number = {kind: i for i, kind in enumerate(visits.kinds)}

    def workers(some: list[str]) -> int:
        stayed = visits.workers(np.isin(visits.entries.kind, [number[kind] for kind in some]))
        return max(stayed, sum(int(tracked.get(kind, 0)) for kind in some))

    pools = [([kind], workers([kind])) for kind in kinds]
    while len(pools) > 1:
        pools.sort(key=lambda pool: (pool[1], pool[0]))
        if pools[0][1] >= min_workers:
            break
        joint = sorted(pools[0][0] + pools[1][0])
        pools[:2] = [(joint, workers(joint))]
    return pools


def _mean(
    columns: Mapping[str, np.ndarray], prefix: str, factor: Mapping[str, float]
) -> np.ndarray:
    """Return the mean factor of each point over the weights whose names begin with a prefix."""
    total = columns["weight_per_day"]
    if all(value == 1.0 for value in factor.values()):
        return np.ones(len(total))
    named = {n.removeprefix(prefix): v for n, v in columns.items() if n.startswith(prefix)}
    if not named:
        raise InputError(
            f"there are no `{prefix}…` columns to weigh the counts by. Add them, or leave out "
            "`need` and `need_types`."
        )
    parts = np.stack([values * factor.get(name, 1.0) for name, values in named.items()])
    return np.where(total > 0, parts.sum(axis=0) / np.where(total > 0, total, 1.0), 1.0)
