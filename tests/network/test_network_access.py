"""The access table: as printed in its module, and what tags change."""

import re
from importlib.resources import files

import numpy as np
import pytest

from planner.errors import SettingsError
from planner.network import access
from planner.network.access import BARRIERS, NODE_TAGS, ROADS, TAGS, bars, permit


def speeds(mode, speed_kmh=None, **tags):
    arrays = {name.replace("__", ":"): np.array([value]) for name, value in tags.items()}
    found = permit(arrays, 1, mode, speed_kmh=speed_kmh)
    return float(found.forward_kmh[0]), float(found.backward_kmh[0])


def test_the_printed_table_is_the_table():
    rows = [line.split() for line in access.__doc__.splitlines()]
    printed = {r[0]: r[1:] for r in rows if len(r) == 5 and r[0] in ROADS}
    word = {True: "yes", False: "no", None: "tag"}
    for name, road in ROADS.items():
        if name.endswith("_link") and name not in printed:
            assert road == ROADS[name.removesuffix("_link")]
            continue
        drive = f"{road.drive_kmh:g}" if road.drive_kmh else "no"
        assert printed[name] == [str(road.street_class), word[road.walk], word[road.ebike], drive]
    assert len(printed) == len(ROADS) - 3  # links that count as their road


def test_gdal_hands_over_every_tag_that_the_table_reads():
    conf = files("planner.network").joinpath("osmconf.ini").read_text(encoding="utf-8")
    points, lines = (row for row in conf.splitlines() if row.startswith("attributes="))
    assert points.removeprefix("attributes=").split(",") == list(NODE_TAGS)
    assert lines.removeprefix("attributes=").split(",") == list(TAGS)


def test_the_printed_barriers_are_the_barriers():
    printed = {}
    for line in access.__doc__.splitlines():
        kinds, *passes = re.split(r"  +", line.strip())
        if len(passes) == 3 and set(passes) <= {"yes", "no"}:
            printed |= {kind: tuple(p == "yes" for p in passes) for kind in kinds.split(", ")}
    assert printed == {kind: tuple(passes) for kind, passes in BARRIERS.items()}


def barred(mode, **tags):
    return bool(bars({name: np.array([value]) for name, value in tags.items()}, 1, mode)[0])


@pytest.mark.parametrize(
    ("tags", "stopped"),
    [
        ({"barrier": "gate"}, ""),
        ({"barrier": "lift_gate"}, ""),
        ({"barrier": "bollard"}, "drive"),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ""),
        ({"barrier": "bollard", "access": "yes"}, "drive"),  # whoever fits through
        ({"barrier": "stile"}, "ebike drive"),
        ({"barrier": "turnstile", "bicycle": "yes"}, "drive"),
        ({"barrier": "wall"}, "walk ebike drive"),
        ({"barrier": "wall", "foot": "yes"}, "ebike drive"),
        ({"barrier": "of some new kind"}, "drive"),
        ({"barrier": "yes"}, "walk ebike drive"),
        ({"barrier": "gate", "access": "private"}, "walk ebike drive"),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, "ebike drive"),
        ({"barrier": "gate", "access": "no", "bicycle": "permissive"}, "walk drive"),
        ({"barrier": "gate", "access": "private", "vehicle": "delivery"}, "walk"),
        ({"barrier": "gate", "access": "customers"}, ""),
        ({"barrier": "lift_gate", "motor_vehicle": "private"}, "drive"),
        ({"barrier": "lift_gate", "motor_vehicle": "private", "motorcar": "yes"}, ""),
        ({"barrier": "gate", "foot": "no"}, "walk"),
        ({"barrier": "gate", "bicycle": "dismount"}, ""),
        ({"barrier": "gate", "locked": "yes"}, "walk ebike drive"),
        ({"barrier": "gate", "locked": "yes", "foot": "permissive"}, "ebike drive"),
        ({"barrier": "gate", "locked": "no"}, ""),
        ({"access": "private"}, ""),  # no barrier: nothing stands there
    ],
)
def test_whom_a_barrier_stops(tags, stopped):
    assert [mode for mode in ("walk", "ebike", "drive") if barred(mode, **tags)] == stopped.split()


@pytest.mark.parametrize(
    ("mode", "tags", "open_"),
    [
        ("walk", {"highway": "footway"}, True),
        ("walk", {"highway": "steps"}, True),
        ("walk", {"highway": "motorway"}, False),
        ("walk", {"highway": "construction"}, False),
        ("walk", {"highway": "residential", "foot": "no"}, False),
        ("walk", {"highway": "residential", "access": "private"}, False),
        ("walk", {"highway": "service", "access": "private", "foot": "yes"}, True),
        ("walk", {"highway": "trunk", "motorroad": "yes"}, False),
        ("walk", {"highway": "service", "access": "customers"}, True),
        ("walk", {"highway": "pedestrian", "area": "yes"}, False),
        ("walk", {"highway": "residential", "motor_vehicle": "no"}, True),
        ("ebike", {"highway": "cycleway"}, True),
        ("ebike", {"highway": "footway"}, False),
        ("ebike", {"highway": "footway", "bicycle": "designated"}, True),
        ("ebike", {"highway": "pedestrian", "bicycle": "yes"}, True),
        ("ebike", {"highway": "steps", "bicycle": "yes"}, False),
        ("ebike", {"highway": "path", "bicycle": "dismount"}, False),
        ("ebike", {"highway": "residential", "vehicle": "no"}, False),
        ("ebike", {"highway": "residential", "vehicle": "no", "bicycle": "yes"}, True),
        ("ebike", {"highway": "motorway"}, False),
        ("drive", {"highway": "residential"}, True),
        ("drive", {"highway": "footway", "motorcar": "yes"}, False),
        ("drive", {"highway": "service", "access": "private"}, False),
        ("drive", {"highway": "service", "access": "no", "motor_vehicle": "yes"}, True),
        ("drive", {"highway": "residential", "motorcar": "no"}, False),
        ("drive", {"highway": "track"}, False),
        ("drive", {"highway": "trunk", "motorroad": "yes"}, True),
    ],
)
def test_who_may_use_what(mode, tags, open_):
    assert (speeds(mode, **tags) != (0.0, 0.0)) == open_


@pytest.mark.parametrize(
    ("mode", "tags", "ways"),
    [
        ("drive", {"oneway": "yes"}, (True, False)),
        ("drive", {"oneway": "-1"}, (False, True)),
        ("drive", {"oneway": "no"}, (True, True)),
        ("drive", {"junction": "roundabout"}, (True, False)),
        ("drive", {"junction": "roundabout", "oneway": "no"}, (True, True)),
        ("drive", {"oneway": "yes", "oneway__bicycle": "no"}, (True, False)),
        ("ebike", {"oneway": "yes"}, (True, False)),
        ("ebike", {"oneway": "yes", "oneway__bicycle": "no"}, (True, True)),
        ("ebike", {"oneway": "yes", "cycleway": "opposite_lane"}, (True, True)),
        ("ebike", {"oneway": "-1", "oneway__bicycle": "no"}, (True, True)),
        ("ebike", {"oneway__bicycle": "yes"}, (True, False)),
        ("walk", {"oneway": "yes", "junction": "roundabout"}, (True, True)),
        ("walk", {"oneway__foot": "yes"}, (True, False)),
    ],
)
def test_which_way(mode, tags, ways):
    forward, backward = speeds(mode, highway="residential", **tags)
    assert (forward > 0, backward > 0) == ways


def test_motorways_are_one_way_unless_they_say_no():
    assert speeds("drive", highway="motorway") == (100.0, 0.0)
    assert speeds("drive", highway="motorway", oneway="no") == (100.0, 100.0)


def test_speeds():
    assert speeds("walk", highway="primary", maxspeed="50") == (4.0, 4.0)
    assert speeds("ebike", highway="primary") == (15.0, 15.0)
    assert speeds("drive", highway="primary") == (45.0, 45.0)
    assert speeds("drive", highway="primary", maxspeed="60") == (60.0, 60.0)
    assert speeds("drive", highway="primary", maxspeed="CN:urban") == (45.0, 45.0)
    assert speeds("drive", highway="primary", maxspeed="30 mph")[0] == pytest.approx(
        48.28, abs=0.01
    )
    assert speeds("drive", 20.0, highway="primary", maxspeed="60") == (20.0, 20.0)
    assert speeds("walk", 5.0, highway="primary") == (5.0, 5.0)


def test_an_unknown_class_is_closed_in_osm_and_open_in_other_layers():
    kind = {"highway": np.array(["Boulevard", "", "construction"])}
    assert not permit(kind, 3, "walk").forward_kmh.any()
    assert permit(kind, 3, "walk", unlisted_open=True).forward_kmh.tolist() == [4.0, 4.0, 0.0]


def test_an_unknown_mode_names_the_nearest():
    with pytest.raises(SettingsError, match=r"walk, ebike or drive. Got 'drvie'.*`drive`"):
        access.check_mode("drvie")
