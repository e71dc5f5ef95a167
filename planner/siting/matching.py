"""Which candidate a site of a register is: by its number, its place, or the premises' name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.tables import SAME_SITE_M

if TYPE_CHECKING:
    import geopandas as gpd

SAME_PREMISES_M = 1000.0  # premises of one name farther apart are two of a chain (guess)
_GONE = ("rejected", "opened")
_TURN = {"agreed": 0, "rejected": 1, "opened": 1, "surveyed": 2, "proposed": 3}


class Matches(NamedTuple):
    """What each row of a register is among the candidates.

    Attributes
    ----------
    ids
        The candidates, best first; of rows that are neither rejected nor opened one at most.
    rule
        ``id``, ``place``, ``name``, or empty where it is none of them.
    """

    ids: list[list[str]]
    rule: list[str]


def match_register(register: gpd.GeoDataFrame, candidates: gpd.GeoDataFrame) -> Matches:
    """Find the candidates that the rows of a register tell of.

    Parameters
    ----------
    register
        `register` table. Columns read: `candidate_id, name, host_name, status, geometry`.
    candidates
        `candidates` table in the same CRS; what exists already is nobody's match.

    Notes
    -----
    Rules, in this order for all rows before the next: the candidate of the same number, if it
    stands within 30 m or is of the same host name, for numbers of street corners and hot spots are
    given anew in every run; candidates within 30 m, the nearest first; the only premises of the
    same name, within 1 km where the row has coordinates. No candidate is given to two rows. Of
    rows that want the same, agreed ones come first, then rejected, opened, surveyed, proposed. A
    row that is rejected or opened takes every candidate within 30 m if the place decides; if the
    number does, and something would be built there, also the others to be built within 30 m.
    """
    case = _Case(register, candidates[candidates["action"] != "keep"].to_crs(register.crs))
    for rule in (case.by_id, case.by_place, case.by_name):
        for k in case.order:
            if not case.ids[k]:
                rule(k)
    return Matches(case.ids, case.rule)


class _Case:
    """The rows still open, and the candidates not yet given away."""

    def __init__(self, register: gpd.GeoDataFrame, free: gpd.GeoDataFrame) -> None:
        self.x, self.y = free.geometry.x.to_numpy(), free.geometry.y.to_numpy()
        self.index = free.index.to_numpy(str)
        self.host = free["host_name"].fillna("").to_numpy(str)
        self.built = (free["action"] == "build").to_numpy(bool)
        self.at = {i: j for j, i in enumerate(self.index)}
        self.left = np.ones(len(free), dtype=bool)
        self.row_x = register.geometry.x.to_numpy(float)
        self.row_y = register.geometry.y.to_numpy(float)
        self.code = register["candidate_id"].to_numpy(str)
        names = register["host_name"].mask(register["host_name"] == "", register["name"])
        self.names = names.to_numpy(str)
        self.gone = register["status"].isin(_GONE).to_numpy(bool)
        turn = register["status"].map(_TURN).to_numpy(float)
        self.order = np.argsort(turn, kind="stable").tolist()
        self.ids: list[list[str]] = [[] for _ in range(len(register))]
        self.rule = [""] * len(register)

    def apart(self, k: int) -> np.ndarray:
        """Return how far each candidate is from a row; NaN where the row has no place."""
        return np.hypot(self.x - self.row_x[k], self.y - self.row_y[k])

    def take(self, k: int, columns: list[int], rule: str) -> None:
        """Give candidates to a row."""
        self.ids[k] = [str(self.index[j]) for j in columns]
        self.rule[k] = rule
        self.left[columns] = False

    def by_id(self, k: int) -> None:
        """Take the candidate of the same number, if it is the same place or premises."""
        j = self.at.get(self.code[k])
        if j is None or not self.left[j]:
            return
        apart = self.apart(k)
        same_name = bool(self.host[j]) and self.host[j] == self.names[k]
        if np.isnan(apart[j]) or apart[j] <= SAME_SITE_M or same_name:
            found = [j]
            if self.gone[k] and self.built[j]:
                near = np.hypot(self.x - self.x[j], self.y - self.y[j]) <= SAME_SITE_M
                claimed = np.isin(self.index, self.code[~self.gone])  # another row's own number
                near &= self.built & self.left & ~claimed
                found += [int(i) for i in np.flatnonzero(near) if i != j]
            self.take(k, found, "id")

    def by_place(self, k: int) -> None:
        """Take what stands within 30 m: the nearest, or all where the place is ruled out."""
        apart = self.apart(k)
        near = np.flatnonzero((apart <= SAME_SITE_M) & self.left)
        if near.size:
            found = near[np.lexsort((self.index[near], apart[near]))].tolist()
            self.take(k, found if self.gone[k] else found[:1], "place")

    def by_name(self, k: int) -> None:
        """Take the only premises of the same name."""
        if not self.names[k]:
            return
        apart = self.apart(k)
        far = apart > SAME_PREMISES_M  # not of rows without a place
        same = np.flatnonzero((self.host == self.names[k]) & self.left & ~far)
        if same.size == 1:
            self.take(k, [int(same[0])], "name")
