"""Where riders stop and how strongly each spot draws them, for each thing they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

if TYPE_CHECKING:
    from planner.load.sample.places import Kerbs, Place
    from planner.load.sample.routes import Routes
    from planner.load.sample.streets import Streets

# activity: kind of place and how strongly a place of weight 1 draws
_DRAW: dict[str, dict[str, float]] = {
    "meal": {"mall": 1.5, "restaurant": 1.0, "market": 0.5},
    "weekend": {"mall": 2.0, "restaurant": 1.0, "market": 0.4},
    "dine_work": {"tower": 1.5, "hospital": 1.3, "university": 1.3, "estate": 0.5, "school": 0.6},
    "dine_home": {"estate": 1.2, "university": 1.2, "hospital": 0.8, "tower": 0.4},
    "rest": {"plaza": 1.4, "park": 1.1, "hospital": 0.9, "mall": 0.5, "tree": 1.0, "arch": 2.2,
             "university": 0.6},
    "idle": {"mall": 0.9, "restaurant": 0.5, "plaza": 0.6, "tree": 0.35, "hospital": 0.6},
    "door": {"estate": 1.0, "tower": 0.9, "school": 0.3, "university": 1.6, "hospital": 0.5,
             "market": 0.8},
    "rank": {"transit": 3.2, "mall": 1.4, "hospital": 1.6, "tower": 0.5, "university": 1.1,
             "plaza": 0.7, "estate": 0.2},
    "ride": {"estate": 1.0, "tower": 0.8, "transit": 1.5, "mall": 0.7, "hospital": 0.7},
    "home": {"estate": 1.0},
}  # fmt: skip
_SPREAD_M = {  # around the spot: other gates, doors and kerbs
    "university": 60.0, "estate": 42.0, "hospital": 34.0, "mall": 38.0, "transit": 38.0,
    "park": 30.0, "tower": 24.0, "market": 30.0, "school": 20.0, "plaza": 20.0,
}  # fmt: skip
_TREES = 46
_DEPOTS = (
    (-420, -640), (620, 1300), (-2500, -1250), (-3650, -3000), (900, -2850), (1900, -2300),
    (-1800, 2500), (-3250, 2750), (1800, 2850), (3050, 2250), (4150, -350), (4350, -1900),
    (-700, -4800), (900, -4900),
)  # fmt: skip


class Spots(NamedTuple):
    """Arrays of one length, one entry a spot."""

    x: np.ndarray
    y: np.ndarray
    node: np.ndarray  # the vertex of the routes nearest to it
    spread_m: np.ndarray  # how far riders stand from it
    draw: dict[str, np.ndarray]  # activity → strength
    depot_of: np.ndarray  # the nearest depot


def make_spots(
    places: list[Place],
    streets: Streets,
    kerbs: Kerbs,
    routes: Routes,
    rng: np.random.Generator,
) -> Spots:
    """Return all places, and the trees, bridge arches and depots that no register lists."""
    xy = [(p.x, p.y) for p in places]
    kind = [p.kind for p in places]
    weight = [p.weight for p in places]
    for x, y in _trees(places, kerbs, rng):
        xy.append((x, y))
        kind.append("tree")
        weight.append(rng.lognormal(0, 0.4))
    for x, y in _arches(streets):
        xy.append(kerbs.door(x, y))
        kind.append("arch")
        weight.append(1.0)
    for x, y in _DEPOTS:
        xy.append(kerbs.door(x, y, set_back_m=25))
        kind.append("depot")
        weight.append(1.0)
    at, kinds = np.array(xy), np.array(kind)
    draw = {
        act: np.array([table.get(k, 0.0) for k in kind]) * np.array(weight)
        for act, table in _DRAW.items()
    }
    depots = np.flatnonzero(kinds == "depot")
    away = np.hypot(*(at[:, None, :] - at[depots][None, :, :]).transpose(2, 0, 1))
    spread = np.array([_SPREAD_M.get(k, 12.0) for k in kind])
    node = routes.nearest(at)
    return Spots(at[:, 0], at[:, 1], node, spread, draw, depots[away.argmin(axis=1)])


def _trees(
    places: list[Place], kerbs: Kerbs, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Draw shady kerbs near where meals are fetched."""
    near = [p for p in places if p.kind in {"restaurant", "tower", "mall"}]
    chosen = rng.choice(len(near), _TREES, replace=False)
    return [
        kerbs.door(near[k].x + rng.normal(0, 130), near[k].y + rng.normal(0, 130)) for k in chosen
    ]


def _arches(streets: Streets) -> list[tuple[float, float]]:
    """Return both ends of the long pieces of bridges: shade and no rain below."""
    found = []
    for bridge in streets.bridges:
        line = shapely.LineString(bridge.xy)
        for at in (0.0, 1.0):
            point = line.interpolate(at, normalized=True)
            found.append((point.x, point.y))
    return found
