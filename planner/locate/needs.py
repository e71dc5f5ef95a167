"""Shares of groups that must be covered, and choices that see to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from planner.compiled import working_seconds
from planner.errors import InputError, NoSolutionError, SettingsError
from planner.locate.covering.heuristics import search
from planner.locate.solution import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.locate.problem import Cover, Limits

_ONE = 1 << 10  # extra weights are whole multiples of 1 / 1024 of a group's lack
_LISTED = 5
_MOST = 1 << 40  # all weights of a search sum to about this at most


class Needs(NamedTuple):
    """Weight that must be covered of each group of clients; groups may overlap.

    Attributes
    ----------
    share
        CSR, groups × clients: the weight of each client that counts for each group.
    need
        float64 of each group: how much of it must be covered.
    """

    share: sparse.csr_array
    need: np.ndarray

    def missing(self, cover: Cover, chosen: np.ndarray) -> np.ndarray:
        """Weight that each group lacks; 0 or less where it has enough."""
        return self.need - self.share @ clients_covered(cover, chosen).astype(float)

    def kept(self, cover: Cover, chosen: np.ndarray) -> bool:
        """Tell whether a choice covers enough of every group."""
        return bool((self.missing(cover, chosen) <= 0).all())


def need_everyone(clients: int) -> Needs:
    """Return what asks for the cover of every client."""
    return Needs(sparse.csr_array(sparse.eye_array(clients)), np.full(clients, 1.0))


def clients_covered(cover: Cover, chosen: np.ndarray) -> np.ndarray:
    """Tell which clients a choice covers."""
    seen = np.zeros(cover.back.size - 1, dtype=bool)
    for j in chosen:
        seen[cover.client[cover.start[j] : cover.start[j + 1]]] = True
    return seen


class Floor(NamedTuple):
    """A share of every group's weight that must be covered.

    Attributes
    ----------
    names
        Of the groups.
    group
        int64 of each demand row: the number of its group.
    total, settled
        float64 of each group: its integer weight, and what of it is covered already.
    needs
        What is left to cover, over the merged clients.
    """

    names: list[str]
    group: np.ndarray
    total: np.ndarray
    settled: np.ndarray
    needs: Needs

    def check_reach(self) -> None:
        """Refuse a floor that some group cannot get even if every candidate is opened."""
        reach = np.asarray(self.needs.share.sum(axis=1)).ravel()
        short = np.flatnonzero(reach < self.needs.need)
        if short.size:
            raise self.refuse(short, reach[short])

    def tell_lacking(self, cover: Cover, chosen: np.ndarray) -> str:
        """Say what the groups get that a choice leaves under the floor, the worst first."""
        reached = self.settled + self.needs.share @ clients_covered(cover, chosen).astype(float)
        share = reached / np.maximum(self.total, 1.0)
        low = np.flatnonzero(self.needs.missing(cover, chosen) > 0)
        worst = low[np.argsort(share[low], kind="stable")]
        listed = ", ".join(f"{self.names[g]!r} gets {share[g]:.1%}" for g in worst[:_LISTED])
        more = f" and {worst.size - _LISTED} more too little" if worst.size > _LISTED else ""
        return f"with the fairest choice that was found {listed}{more}"

    def refuse(self, groups: np.ndarray, most: np.ndarray) -> NoSolutionError:
        """Say what some groups can get at most, if `most` is all that can be added to them."""
        shares = np.minimum(1.0, (self.settled[groups] + most) / self.total[groups])
        order = np.argsort(shares, kind="stable")
        listed = "; ".join(
            f"in {self.names[groups[k]]!r}: at most {math.floor(1000 * shares[k]) / 10:.1f}% of "
            "its demand can be covered"
            for k in order[:_LISTED]
        )
        more = f"; and in {order.size - _LISTED} more" if order.size > _LISTED else ""
        return NoSolutionError(
            f"the floor cannot be kept {listed}{more}. Lower the floor to that, open more, or "
            "offer candidates there."
        )


def make_floor(
    groups: Sequence[Any] | np.ndarray | None,
    floor: float,
    whole: np.ndarray,
    *,
    settled: np.ndarray,
    client: np.ndarray,
    clients: int,
) -> Floor:
    """Bring a floor to merged clients.

    Parameters
    ----------
    groups
        The group of every demand row, any names.
    floor
        0 … 1.
    whole
        int64 weight of every demand row.
    settled
        bool of every demand row: covered already.
    client, clients
        The merged client of every demand row, -1 without one, and how many there are.

    Raises
    ------
    InputError
        `groups` does not name one a row.
    SettingsError
        `floor` is out of range.
    """
    names, group = check_groups(groups, floor, whole.size)
    size, inside = len(names), client >= 0
    total = np.bincount(group, weights=whole, minlength=size)
    have = np.bincount(group[settled], weights=whole[settled], minlength=size)
    share = sparse.coo_array(
        (whole[inside].astype(float), (group[inside], client[inside])), shape=(size, clients)
    )
    need = np.maximum(0.0, floor * total * (1 - TOLERANCE) - have)
    return Floor(names, group, total, have, Needs(sparse.csr_array(share), need))


def check_groups(
    groups: Sequence[Any] | np.ndarray | None, floor: float, rows: int
) -> tuple[list[str], np.ndarray]:
    """Return the names of the groups and the number of each row's; errors as `make_floor`."""
    if not 0 <= floor <= 1:
        raise SettingsError(f"`floor` must be from 0 to 1. Got {floor}.")
    if groups is None:
        raise InputError("`floor` needs `groups`: the group of every demand row.")
    labels = np.asarray(groups, dtype=object)
    if labels.shape != (rows,):
        raise InputError(f"`groups` must name one a demand row: ({rows},). Got {labels.shape}.")
    names, group = np.unique(labels.astype(str), return_inverse=True)
    return [str(name) for name in names], group.astype(np.int64)


def meet_needs(
    cover: Cover,
    needs: Needs,
    limits: Limits,
    *,
    rng: np.random.Generator,
    rounds: int,
    start: np.ndarray | None = None,
    deadline: float = math.inf,
) -> tuple[np.ndarray, bool]:
    """Seek a choice within limits that covers enough of every group.

    Parameters
    ----------
    cover, needs, limits
        Of the same candidates and clients.
    rng
        Of the search.
    rounds
        So many searches at most.
    start
        A choice within the limits to begin with.
    deadline
        `working_seconds()` at which to stop.

    Returns
    -------
    chosen, kept
        The choice whose worst group lacks least, sorted, and whether it covers enough.

    Notes
    -----
    Groups that lack weigh more from round to round, and what counts for a group weighs as its part
    of the need, so that small groups are not outdone (breakout local search: Morris 1993, "The
    breakout method for escaping from local minima").
    """
    asked = np.flatnonzero(needs.need > 0)
    parts = sparse.diags_array(1.0 / needs.need[asked]) @ needs.share[asked]
    extra = np.ones(asked.size)
    best, least = np.empty(0, dtype=np.int64), (math.inf, math.inf)
    chosen = start
    for k in range(rounds):
        weight = parts.T @ (_ONE * extra)
        weight = np.rint(weight * min(1.0, _MOST / max(1.0, weight.sum()))).astype(np.int64)
        chosen = search(cover, weight, limits, rng=rng, coolings=int(k > 1), start=chosen)
        lacking = np.maximum(0.0, needs.missing(cover, chosen)[asked] / needs.need[asked])
        lack = (float(lacking.max(initial=0.0)), float(lacking.sum()))
        if lack < least:
            best, least = chosen, lack
        if least[0] == 0 or working_seconds() > deadline:
            break
        extra = extra * np.where(lacking > 0, 1.6, 1.0)
    return np.sort(best), least[0] == 0
