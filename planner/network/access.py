"""Who may use which street, how fast, which way: the one table of access rules.

===============  =====  ====  =====  =====
highway          class  walk  ebike  drive
===============  =====  ====  =====  =====
motorway         5      no    no     100
motorway_link    5      no    no     60
trunk            5      yes   yes    80
trunk_link       5      yes   yes    40
primary          4      yes   yes    45
secondary        3      yes   yes    40
tertiary         2      yes   yes    35
unclassified     2      yes   yes    30
residential      2      yes   yes    25
road             2      yes   yes    25
living_street    2      yes   yes    10
pedestrian       2      yes   tag    no
service          1      yes   yes    12
track            0      yes   yes    no
path             0      yes   yes    no
cycleway         0      yes   yes    no
footway          0      yes   tag    no
bridleway        0      yes   tag    no
crossing         0      yes   tag    no
steps            0      yes   no     no
===============  =====  ====  =====  =====

`drive` is the speed in km/h where no `maxspeed` is given: urban averages, guessed. `tag` means:
only with ``bicycle=yes|designated|permissive``. The `*_link` of primary to tertiary count as their
road. A highway that is not listed (construction, proposed, platform, corridor, raceway, …) is
closed, and so is an area (``area=yes``): it is a surface, the streets are the ways across it.

Tags override the table, the most specific first: ``foot > access`` on foot, ``bicycle > vehicle >
access`` on an e-bike (in China a non-motor vehicle), ``motorcar > motor_vehicle > vehicle >
access`` in a car; ``motorroad=yes`` closes a road to riders and walkers. One-way binds e-bikes
(unless ``oneway:bicycle=no`` or ``cycleway=opposite…``) and cars, never walkers (unless
``oneway:foot=yes``); roundabouts and motorways are one-way unless they say no. Speed: on foot and
by e-bike the same on every street; by car ``maxspeed`` where given, else the table, or one speed
everywhere if asked for.

What stands on a node of the street (`barrier=…`) lets pass, where no access tag says otherwise:

====================================================  =====  =====  =====
barrier                                               walk   ebike  drive
====================================================  =====  =====  =====
gate, lift_gate, swing_gate, sliding_gate             yes    yes    yes
entrance, arch, no                                    yes    yes    yes
toll_booth, border_control, sally_port, checkpoint    yes    yes    yes
cattle_grid, height_restrictor, kerb, speed_bump      yes    yes    yes
bollard, block, planter, chain, rope, jersey_barrier  yes    yes    no
cycle_barrier, motorcycle_barrier, bar                yes    yes    no
bus_trap, sump_buster, spikes, log, debris, boom      yes    yes    no
kissing_gate, stile, turnstile, wicket_gate           yes    no     no
full-height_turnstile, step, steps, horse_stile       yes    no     no
wall, city_wall, retaining_wall, fence, guard_rail    no     no     no
hedge, ditch, handrail, yes                           no     no     no
====================================================  =====  =====  =====

A kind that is not listed stops cars only. The access tags above count on the node, too, the most
specific first: ``access=private|no|…`` bars (the gate of an estate that riders may not enter) and
``yes|permissive|delivery|…`` takes that back; only the mode's own tag (``foot``, ``bicycle``,
``motor_vehicle``, ``motorcar``) opens what its kind closes, such as a bollard that is lowered.
``locked=yes`` bars unless a tag opens. Most of this is routers' practice: OSRM's profiles stop
walkers and bicycles at `yes`, `wall` and `fence` only, and cars at all but gates, grids, booths and
entrances; that no e-bike fits through a kissing gate or stile is a guess. At a node that bars the
streets end.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.errors import InputError, SettingsError, nearest_name
from planner.settings import SPEED_KMH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Tag = Callable[[str], np.ndarray]

ORDINARY = 2  # street_class where nothing is known


class Road(NamedTuple):
    """What a highway value allows."""

    street_class: int  # 0 path, 1 service, 2 ordinary, 3 secondary, 4 primary, 5 motorway or trunk
    walk: bool
    ebike: bool | None  # None: only where a tag opens it
    drive_kmh: float  # 0: closed


ROADS: dict[str, Road] = {
    "motorway": Road(5, False, False, 100.0),
    "motorway_link": Road(5, False, False, 60.0),
    "trunk": Road(5, True, True, 80.0),
    "trunk_link": Road(5, True, True, 40.0),
    "primary": Road(4, True, True, 45.0),
    "primary_link": Road(4, True, True, 45.0),
    "secondary": Road(3, True, True, 40.0),
    "secondary_link": Road(3, True, True, 40.0),
    "tertiary": Road(2, True, True, 35.0),
    "tertiary_link": Road(2, True, True, 35.0),
    "unclassified": Road(2, True, True, 30.0),
    "residential": Road(2, True, True, 25.0),
    "road": Road(2, True, True, 25.0),
    "living_street": Road(2, True, True, 10.0),
    "pedestrian": Road(2, True, None, 0.0),
    "service": Road(1, True, True, 12.0),
    "track": Road(0, True, True, 0.0),
    "path": Road(0, True, True, 0.0),
    "cycleway": Road(0, True, True, 0.0),
    "footway": Road(0, True, None, 0.0),
    "bridleway": Road(0, True, None, 0.0),
    "crossing": Road(0, True, None, 0.0),
    "steps": Road(0, True, False, 0.0),
}
# The street of a layer that does not say what it is: open to all.
UNKNOWN = Road(ORDINARY, True, True, SPEED_KMH["drive"])

NO_STREET = (
    "construction", "proposed", "planned", "abandoned", "disused", "razed", "raceway", "platform",
    "corridor", "elevator", "bus_guideway", "escape", "rest_area", "services", "no",
)  # fmt: skip


class Barrier(NamedTuple):
    """Whom a barrier lets pass."""

    walk: bool
    ebike: bool
    drive: bool


_ALL, _NO_CARS = Barrier(True, True, True), Barrier(True, True, False)
_ON_FOOT, _NOBODY = Barrier(True, False, False), Barrier(False, False, False)
UNLISTED = _NO_CARS
BARRIERS: dict[str, Barrier] = {
    kind: passes
    for passes, kinds in (
        (_ALL, ("gate lift_gate swing_gate sliding_gate entrance arch no toll_booth border_control "
               "sally_port checkpoint cattle_grid height_restrictor kerb speed_bump")),
        (_NO_CARS, ("bollard block planter chain rope jersey_barrier cycle_barrier "
                   "motorcycle_barrier bar bus_trap sump_buster spikes log debris boom")),
        (_ON_FOOT, ("kissing_gate stile turnstile wicket_gate full-height_turnstile step steps "
                   "horse_stile")),
        (_NOBODY, ("wall city_wall retaining_wall fence guard_rail hedge ditch handrail "
                  "yes")),
    )
    for kind in kinds.split()
}  # fmt: skip

TAGS = (
    "highway", "name", "oneway", "oneway:bicycle", "oneway:foot", "cycleway", "junction", "foot",
    "bicycle", "access", "vehicle", "motor_vehicle", "motorcar", "motorroad", "maxspeed", "area",
)  # fmt: skip
NODE_TAGS = (
    "barrier", "access", "foot", "bicycle", "vehicle", "motor_vehicle", "motorcar", "locked",
)  # fmt: skip

_OPEN = ("yes", "designated", "permissive", "official", "destination", "customers", "delivery")
_SHUT = (
    "no", "private", "military", "restricted", "emergency", "agricultural", "forestry", "permit",
    "use_sidepath", "dismount",
)  # fmt: skip
_CHAIN = {
    "walk": ("foot", "access"),
    "ebike": ("bicycle", "vehicle", "access"),
    "drive": ("motorcar", "motor_vehicle", "vehicle", "access"),
}
_OWN = {"walk": ("foot",), "ebike": ("bicycle",), "drive": ("motor_vehicle", "motorcar")}
_INVITED = ("yes", "designated", "permissive", "official")
_MPH = 1.609344


class Permit(NamedTuple):
    """Speeds (0 = closed that way) and class of each street; arrays of shape (n,)."""

    forward_kmh: np.ndarray
    backward_kmh: np.ndarray
    street_class: np.ndarray


def check_mode(mode: str) -> None:
    """Raise `SettingsError` unless `mode` is one that the table knows."""
    if mode not in _CHAIN:
        raise SettingsError(
            f"The `mode` setting must be walk, ebike or drive. Got {mode!r}."
            f"{nearest_name(str(mode), _CHAIN)}"
        )


def check_speed(speed_kmh: float | None) -> None:
    """Raise `SettingsError` unless a speed is absent or a positive number."""
    if speed_kmh is not None and not (math.isfinite(speed_kmh) and speed_kmh > 0):
        raise SettingsError(
            f"The `speed_kmh` setting must be greater than 0. Got {speed_kmh}. "
            "Leave it out for the default of the mode."
        )


def permit(
    tags: Mapping[str, np.ndarray],
    n: int,
    mode: str,
    *,
    speed_kmh: float | None = None,
    unlisted_open: bool = False,
) -> Permit:
    """Apply the table to `n` streets.

    Parameters
    ----------
    tags
        Name of an OSM tag → array of n texts, empty where the tag is absent. Any may be missing.
    n
        Number of streets.
    mode
        walk, ebike or drive.
    speed_kmh
        One speed for every street; by default that of the mode, by car that of each street.
    unlisted_open
        Whether a highway value that the table lacks is an ordinary street instead of a closed one:
        layers from other sources name their classes as they like. `NO_STREET` stays closed.
    """
    tag = _reader(tags, n)

    kinds, kind = np.unique(tag("highway"), return_inverse=True)
    otherwise = UNKNOWN if unlisted_open else None
    roads = [None if k in NO_STREET else ROADS.get(str(k), otherwise) for k in kinds]
    listed = np.array([road is not None for road in roads], dtype=bool)[kind]
    table = [road or Road(ORDINARY, False, False, 0.0) for road in roads]
    default = np.array([_default(road, mode) for road in table], dtype=bool)[kind]
    passable = np.array([_passable(road, mode) for road in table], dtype=bool)[kind]

    is_open = _allowed(tag, mode, default) & passable & listed & (tag("area") != "yes")
    if mode == "drive" and speed_kmh is None:
        kmh = np.array([road.drive_kmh for road in table])[kind]
        kmh = np.where(kmh > 0, kmh, SPEED_KMH["drive"])
        kmh = _posted(tag("maxspeed"), kmh)
    else:
        kmh = np.full(n, speed_kmh if speed_kmh is not None else SPEED_KMH[mode])
    forward_only, backward_only = one_way(tags, n, mode)
    return Permit(
        np.where(is_open & ~backward_only, kmh, 0.0),
        np.where(is_open & ~forward_only, kmh, 0.0),
        np.array([road.street_class for road in table], dtype=np.int8)[kind],
    )


def require_open(
    allowed: Permit,
    tags: Mapping[str, np.ndarray],
    mode: str,
    *,
    unlisted_open: bool = False,
    file: Path | str | None = None,
) -> None:
    """Raise `InputError` if no street is open to the mode; it names the modes that have some."""
    if (allowed.forward_kmh > 0).any() or (allowed.backward_kmh > 0).any():
        return
    n = len(allowed.forward_kmh)
    others = [permit(tags, n, other, unlisted_open=unlisted_open) for other in _CHAIN]
    served = [
        f"`{other}`"
        for other, found in zip(_CHAIN, others, strict=True)
        if (found.forward_kmh > 0).any() or (found.backward_kmh > 0).any()
    ]
    rest = f"but there are streets for {' and '.join(served)}" if served else "nor to any other"
    raise InputError(
        f"no street here is open to the mode `{mode}`, {rest}. Use another file or mode.", file=file
    )


def bars(tags: Mapping[str, np.ndarray], n: int, mode: str) -> np.ndarray:
    """Tell which of `n` nodes a mode cannot pass; bool, shape (n,).

    Parameters
    ----------
    tags
        Name of an OSM tag → array of n texts, empty where the tag is absent. Any may be missing; a
        node without `barrier` bars nobody.
    n
        Number of nodes.
    mode
        walk, ebike or drive.
    """
    tag = _reader(tags, n)

    kinds, kind = np.unique(tag("barrier"), return_inverse=True)
    default = np.array([getattr(BARRIERS.get(str(k), UNLISTED), mode) for k in kinds], dtype=bool)
    passes = default[kind]
    allowed = passes & (tag("locked") != "yes")
    for name in reversed(_CHAIN[mode]):
        value = tag(name)
        pushed = value == "dismount"  # a rider may push through
        opened = (np.isin(value, _OPEN) | pushed) & (passes | (name in _OWN[mode]))
        allowed = (allowed & (~np.isin(value, _SHUT) | pushed)) | opened
    return ~allowed & (tag("barrier") != "")


def _reader(tags: Mapping[str, np.ndarray], n: int) -> Tag:
    """Return a function that gives a tag's texts, empty ones where nobody has it."""
    absent = np.zeros(n, dtype="<U1")
    return lambda name: tags.get(name, absent)


def _default(road: Road, mode: str) -> bool:
    """Whether the road is open where no tag says anything."""
    if mode == "walk":
        return road.walk
    return bool(road.ebike) if mode == "ebike" else road.drive_kmh > 0


def _passable(road: Road, mode: str) -> bool:
    """Whether a tag may open the road at all: no tag lets an e-bike up steps."""
    if mode == "ebike":
        return road.ebike is not False
    return road.drive_kmh > 0 if mode == "drive" else True


def _allowed(tag: Tag, mode: str, default: np.ndarray) -> np.ndarray:
    """Resolve the access tags: the most specific one that says something wins."""
    if mode != "drive":
        default = default & (tag("motorroad") != "yes")
    allowed = default
    *specific, general = _CHAIN[mode]
    for name in (general, *reversed(specific)):  # a general tag closes, or takes a closure back
        value = tag(name)
        allowed = (allowed & ~np.isin(value, _SHUT)) | (np.isin(value, _OPEN) & default)
    return allowed | np.isin(tag(_CHAIN[mode][0]), _INVITED)


def one_way(tags: Mapping[str, np.ndarray], n: int, mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Tell which of `n` streets are open only forward, and which only backward."""
    tag = _reader(tags, n)

    yes, no, back = ("yes", "true", "1"), ("no", "false", "0"), ("-1", "reverse")
    if mode == "walk":
        own = tag("oneway:foot")
        return np.isin(own, yes), np.isin(own, back)
    stated = tag("oneway")
    implied = np.isin(tag("junction"), ("roundabout", "circular"))
    implied |= np.isin(tag("highway"), ("motorway", "motorway_link"))
    forward, backward = np.isin(stated, yes) | implied, np.isin(stated, back)
    forward &= ~np.isin(stated, no) & ~backward
    if mode == "ebike":
        own = tag("oneway:bicycle")
        free = np.isin(own, no) | np.char.startswith(tag("cycleway").astype(str), "opposite")
        forward = (forward & ~free & ~np.isin(own, back)) | np.isin(own, yes)
        backward = (backward & ~free & ~np.isin(own, yes)) | np.isin(own, back)
    return forward, backward


def _posted(maxspeed: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Speeds from `maxspeed` texts in km/h; `otherwise` where there is none."""
    texts, which = np.unique(maxspeed, return_inverse=True)
    posted = np.array([posted_kmh(str(text)) for text in texts])[which]
    return np.where(posted > 0, posted, otherwise)


def posted_kmh(text: str) -> float:
    """Read a `maxspeed` text; 0 where it names no number (none, signals, CN:urban).

    Examples
    --------
    >>> posted_kmh("50"), posted_kmh("CN:urban"), posted_kmh("walk")
    (50.0, 0.0, 5.0)
    >>> round(posted_kmh("30 mph"), 1)
    48.3
    """
    if text == "walk":
        return 5.0
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*(mph)?", text)
    if not match:
        return 0.0
    kmh = float(match[1]) * (_MPH if match[2] else 1.0)
    return kmh if 1.0 <= kmh <= 200.0 else 0.0
