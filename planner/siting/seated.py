"""What seats serve: the order of opening, and what sites and plan tell of seats and loads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.i18n import translator
from planner.locate.capacitated.model import serve_most
from planner.siting.why import digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from planner.locate import Solution
    from planner.siting.case import Case
    from planner.siting.seats import Seated

_ROUNDED = 1e-9  # weights are cut to whole numbers before they are served


def order_seated(case: Case, seated: Seated, first: Sequence[int]) -> list[int]:
    """Order new stations by how much more is served with each; those of `first` come before.

    Each step opens the station with which the existing and those opened before serve most; ties go
    to the smaller column.
    """
    capacity = np.zeros(len(case.candidates))
    capacity[seated.columns] = seated.capacity
    opened = case.existing.tolist()
    order: list[int] = []
    left = [int(j) for j in seated.columns if int(j) not in set(opened)]
    ahead = [j for j in first if j in left]
    while left:
        queue = ahead[:1] or left
        values = [serve_most(case.cover, case.weight, capacity, [*opened, j]) for j in queue]
        best = queue[int(np.argmax(values))]
        order.append(best)
        opened.append(best)
        left.remove(best)
        ahead = [j for j in ahead if j != best]
    return order


def add_seats(
    sites: gpd.GeoDataFrame, case: Case, seated: Seated, actions: dict[str, str], language: str
) -> gpd.GeoDataFrame:
    """Add to each site what it becomes, its seats and what they serve."""
    t = translator(language)
    row = {case.candidates.index[j]: k for k, j in enumerate(seated.columns)}
    place = [row[candidate] for candidate in sites["candidate_id"]]
    kind = [seated.kind[k] for k in place]
    told = sites.assign(
        action=[actions[name] for name in kind],
        seat_kind=kind,
        seats=seated.seats[place],
        served_per_day=seated.served[place],
        load_share=[_load(seated, k) for k in place],
    )
    said = [
        t(
            " With {seats} seats it serves {visits} rider-visits a day.",
            seats=digits(seats), visits=digits(round(served) if served >= 10 else served),
        )
        for seats, served in zip(told["seats"], told["served_per_day"], strict=True)
    ]  # fmt: skip
    told["why"] = [why + more for why, more in zip(told["why"], said, strict=True)]
    geometry = told.pop("geometry")
    return told.assign(geometry=geometry).set_geometry("geometry", crs=sites.crs)


def note_seats(
    case: Case, seated: Seated, actions: dict[str, str], solution: Solution
) -> dict[str, Any]:
    """Return what ``attrs["siting"]`` tells of seats."""
    total = math.fsum(case.weight)
    kept = set(case.existing.tolist())
    stations = [
        {
            "candidate_id": str(case.candidates.index[j]),
            "name": str(case.candidates["name"].iloc[j]),
            "action": actions.get(seated.kind[k], "keep"),
            "seat_kind": seated.kind[k],
            "seats": float(seated.seats[k]),
            "seats_added": float(seated.added[k]),
            "seats_assumed": bool(seated.assumed[k]),
            "capacity_per_day": float(seated.capacity[k]),
            "served_per_day": float(seated.served[k]),
            "load_share": _load(seated, k),
        }
        for k, j in enumerate(seated.columns.tolist())
    ]
    today = np.zeros(len(case.candidates))
    for k, j in enumerate(seated.columns.tolist()):
        if j in kept and seated.seats[k] > 0:
            own = 1.0 - seated.added[k] / seated.seats[k]
            today[j] = seated.capacity[k] * own
    before = serve_most(case.cover, case.weight, today, sorted(kept))
    return {
        "served_share_before": before / total,
        "served_share": solution.objective / total,
        "served_share_best": min(1.0, solution.bound / total),
        "seats_added": float(seated.added.sum()),
        "cost": float(seated.cost.sum()),
        "seating": stations,
    }


def _load(seated: Seated, k: int) -> float:
    """Return the share of its capacity that a station uses; 0 without any."""
    capacity = float(seated.capacity[k])
    if capacity <= 0:
        return 0.0
    share = float(seated.served[k]) / capacity
    return 1.0 if share > 1.0 - _ROUNDED else share
