"""Sites that a planner locks or bans before the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.errors import SettingsError
from planner.siting.picks import pick_candidates
from planner.tables import check_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from planner.siting.case import Case
    from planner.tables import Reach


def lock_and_ban(
    candidates: gpd.GeoDataFrame, required: Iterable[str], forbidden: Iterable[str]
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Take banned candidates off the table and find the locked ones.

    Parameters
    ----------
    candidates
        `candidates` table.
    required, forbidden
        Candidates by identifier or name, see `pick_candidates`.

    Returns
    -------
    candidates, locked
        The table without the banned, and the identifiers of the locked in the order named.

    Raises
    ------
    SettingsError
        A name is unknown, ambiguous, named twice or open already; a candidate is locked and banned.
    """
    check_table(candidates, "candidates")
    locked = pick_candidates(candidates, required, what="siting.required")
    banned = pick_candidates(candidates, forbidden, what="siting.forbidden")
    both = [i for i in locked if i in banned]
    if both:
        raise SettingsError(
            f"`siting.required` and `siting.forbidden` both name {both[0]!r}. Leave it in one."
        )
    return (candidates.drop(index=banned) if banned else candidates), locked


def without_banned(reach: Reach, candidates: gpd.GeoDataFrame, offered: gpd.GeoDataFrame) -> Reach:
    """Return the reach without the candidates that are no longer offered."""
    if len(offered) == len(candidates):
        return reach
    banned = candidates.index.difference(offered.index)
    return reach.select(reach.facility_id[~reach.facility_id.isin(banned)])


def find_locked(case: Case, locked: list[str], count: int | None) -> list[int]:
    """Return the columns of the locked candidates.

    Raises
    ------
    SettingsError
        More are locked than may open (`count`; None for any number), or two of them stand too close
        to each other.
    """
    if count is not None and len(locked) > count:
        raise SettingsError(
            f"`siting.required` names {len(locked)} sites, but `count` is {count}. Raise `count` "
            "or lock fewer."
        )
    columns = [int(j) for j in case.candidates.index.get_indexer(locked)]
    close = case.conflicts[np.isin(case.conflicts, columns).all(axis=1)]
    if len(close):
        one, other = case.candidates.index[close[0]]
        raise SettingsError(
            f"`siting.required` names {one!r} and {other!r}, which stand nearer to each other than "
            "`min_spacing_m`. Lower it or lock one of them."
        )
    return columns
