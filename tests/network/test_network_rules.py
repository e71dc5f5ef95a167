"""Every access rule, seen through a tiny extract: who gets along a way, which way, past what."""

import numpy as np
import pytest

from planner.errors import InputError
from planner.network import load_streets
from planner.network.streets import CLOSED

STEP = 0.001  # degrees


def write_osm(path, ways, nodes=()):
    """Write ways along nodes 1, 2, 3 …: `ways` [(first, last, tags)], `nodes` {i: tags}."""
    told = dict(nodes)
    last = max(max(way[:2]) for way in ways)
    lines = ["<osm version='0.6'>"]
    for i in range(1, last + 1):
        lines.append(f"<node id='{i}' lon='{114 + i * STEP:.4f}' lat='22.5'>{tagged(told.get(i))}")
        lines.append("</node>")
    for k, (first, end, tags) in enumerate(ways):
        refs = "".join(f"<nd ref='{i}'/>" for i in range(first, end + 1))
        lines.append(f"<way id='{k + 1}'>{refs}{tagged(tags)}</way>")
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def tagged(tags):
    return "".join(f"<tag k='{k}' v='{v}'/>" for k, v in (tags or {}).items())


def directions(tmp_path, mode, **tags):
    """Return whether a way is open as drawn (eastward), and back; a plain one keeps it company."""
    plain = {"highway": "residential", "name": "plain"}
    tags = {key.replace("__", ":"): value for key, value in tags.items()} | {"name": "told"}
    net = load_streets(write_osm(tmp_path / "x.osm", [(1, 2, plain), (2, 3, tags)]), mode=mode)
    told = np.flatnonzero(net.names[net.name_code] == "told")
    if not len(told):
        return False, False
    (i,) = told
    ways = bool(net.forward_ms[i] < CLOSED), bool(net.backward_ms[i] < CLOSED)
    return ways if net.x[net.head[i]] > net.x[net.tail[i]] else ways[::-1]


BOTH, AHEAD, BACK, SHUT = (True, True), (True, False), (False, True), (False, False)

RULES = [
    # oneway
    ("walk", {"highway": "primary", "oneway": "yes"}, BOTH),
    ("ebike", {"highway": "primary", "oneway": "yes"}, AHEAD),
    ("drive", {"highway": "primary", "oneway": "yes"}, AHEAD),
    ("drive", {"highway": "primary", "oneway": "true"}, AHEAD),
    ("drive", {"highway": "primary", "oneway": "1"}, AHEAD),
    ("drive", {"highway": "primary", "oneway": "no"}, BOTH),
    ("walk", {"highway": "primary", "oneway": "-1"}, BOTH),
    ("ebike", {"highway": "primary", "oneway": "-1"}, BACK),
    ("drive", {"highway": "primary", "oneway": "reverse"}, BACK),
    ("drive", {"highway": "tertiary", "junction": "roundabout"}, AHEAD),
    ("ebike", {"highway": "tertiary", "junction": "circular"}, AHEAD),
    ("walk", {"highway": "tertiary", "junction": "roundabout"}, BOTH),
    ("drive", {"highway": "tertiary", "junction": "roundabout", "oneway": "no"}, BOTH),
    ("drive", {"highway": "motorway"}, AHEAD),
    ("drive", {"highway": "motorway", "oneway": "no"}, BOTH),
    # oneway:bicycle, cycleway=opposite*, oneway:foot
    ("ebike", {"highway": "primary", "oneway": "yes", "oneway__bicycle": "no"}, BOTH),
    ("drive", {"highway": "primary", "oneway": "yes", "oneway__bicycle": "no"}, AHEAD),
    ("ebike", {"highway": "primary", "oneway__bicycle": "yes"}, AHEAD),
    ("ebike", {"highway": "primary", "oneway__bicycle": "-1"}, BACK),
    ("ebike", {"highway": "primary", "oneway": "yes", "oneway__bicycle": "-1"}, BACK),
    ("ebike", {"highway": "primary", "oneway": "-1", "oneway__bicycle": "no"}, BOTH),
    ("ebike", {"highway": "primary", "oneway": "yes", "cycleway": "opposite"}, BOTH),
    ("ebike", {"highway": "primary", "oneway": "yes", "cycleway": "opposite_lane"}, BOTH),
    ("ebike", {"highway": "primary", "oneway": "yes", "cycleway": "opposite_track"}, BOTH),
    ("ebike", {"highway": "primary", "oneway": "yes", "cycleway": "lane"}, AHEAD),
    ("drive", {"highway": "primary", "oneway": "yes", "cycleway": "opposite"}, AHEAD),
    ("walk", {"highway": "footway", "oneway__foot": "yes"}, AHEAD),
    ("walk", {"highway": "footway", "oneway__foot": "-1"}, BACK),
    ("ebike", {"highway": "cycleway", "oneway": "yes"}, AHEAD),
    # private, and who is let in all the same
    ("walk", {"highway": "service", "access": "private"}, SHUT),
    ("ebike", {"highway": "service", "access": "private"}, SHUT),
    ("drive", {"highway": "service", "access": "private"}, SHUT),
    ("walk", {"highway": "residential", "access": "no"}, SHUT),
    ("ebike", {"highway": "residential", "access": "permit"}, SHUT),
    ("walk", {"highway": "service", "access": "private", "foot": "yes"}, BOTH),
    ("ebike", {"highway": "service", "access": "private", "bicycle": "permissive"}, BOTH),
    ("drive", {"highway": "service", "access": "no", "vehicle": "yes"}, BOTH),
    ("ebike", {"highway": "service", "access": "no", "vehicle": "delivery"}, BOTH),
    ("walk", {"highway": "service", "access": "customers"}, BOTH),
    ("drive", {"highway": "service", "access": "destination"}, BOTH),
    ("drive", {"highway": "residential", "motor_vehicle": "private"}, SHUT),
    ("ebike", {"highway": "residential", "motor_vehicle": "no"}, BOTH),
    ("ebike", {"highway": "residential", "vehicle": "no"}, SHUT),
    ("walk", {"highway": "residential", "vehicle": "no"}, BOTH),
    ("ebike", {"highway": "primary", "bicycle": "use_sidepath"}, SHUT),
    ("walk", {"highway": "secondary", "foot": "use_sidepath"}, SHUT),
    # steps, foot ways, cycle ways, surfaces, what is not there yet
    ("walk", {"highway": "steps"}, BOTH),
    ("ebike", {"highway": "steps", "bicycle": "yes"}, SHUT),
    ("drive", {"highway": "steps"}, SHUT),
    ("walk", {"highway": "footway"}, BOTH),
    ("ebike", {"highway": "footway"}, SHUT),
    ("ebike", {"highway": "footway", "bicycle": "yes"}, BOTH),
    ("ebike", {"highway": "pedestrian", "bicycle": "designated"}, BOTH),
    ("ebike", {"highway": "footway", "bicycle": "dismount"}, SHUT),
    ("drive", {"highway": "footway", "motorcar": "yes"}, SHUT),
    ("walk", {"highway": "cycleway"}, BOTH),
    ("walk", {"highway": "cycleway", "foot": "no"}, SHUT),
    ("ebike", {"highway": "cycleway"}, BOTH),
    ("drive", {"highway": "cycleway"}, SHUT),
    ("ebike", {"highway": "path"}, BOTH),
    ("walk", {"highway": "motorway"}, SHUT),
    ("ebike", {"highway": "trunk"}, BOTH),
    ("ebike", {"highway": "trunk", "motorroad": "yes"}, SHUT),
    ("walk", {"highway": "construction"}, SHUT),
    ("walk", {"highway": "pedestrian", "area": "yes"}, SHUT),
]


@pytest.mark.parametrize(("mode", "tags", "ways"), RULES)
def test_a_way_is_open_as_its_tags_say(tmp_path, mode, tags, ways):
    assert directions(tmp_path, mode, **tags) == ways


def road(tmp_path, nodes, ways=None, mode="walk"):
    ways = ways or [(1, 5, {"highway": "residential", "name": "A"})]
    return load_streets(write_osm(tmp_path / "x.osm", ways, nodes), mode=mode)


def test_a_barrier_cuts_the_way_and_leaves_both_stubs(tmp_path):
    whole = road(tmp_path, {})
    cut = road(tmp_path, {3: {"barrier": "gate", "access": "private"}})
    assert (whole.n_components, dict(whole.dropped)) == (1, {})
    assert (cut.n_components, cut.n_edges, dict(cut.dropped)) == (2, 2, {"barred node": 1})
    assert cut.length_m.sum() == pytest.approx(whole.length_m.sum())
    # both stubs end where the gate stands
    places = np.round(np.concatenate([cut.x[cut.tail], cut.x[cut.head]]), 3)
    assert sorted(np.unique(places, return_counts=True)[1]) == [1, 1, 2]


@pytest.mark.parametrize(("mode", "parts"), [("walk", 1), ("ebike", 1), ("drive", 2)])
def test_a_bollard_stops_cars_only(tmp_path, mode, parts):
    assert road(tmp_path, {3: {"barrier": "bollard"}}, mode=mode).n_components == parts


def test_a_gate_is_passable_unless_it_says_no(tmp_path):
    assert road(tmp_path, {3: {"barrier": "gate"}}).n_components == 1
    for shut in ({"access": "no"}, {"foot": "private"}, {"locked": "yes"}):
        assert road(tmp_path, {3: {"barrier": "gate"} | shut}).n_components == 2


def test_an_estate_behind_its_gate_is_an_island(tmp_path):
    """The way inside says nothing; only the gate is private. Everything that meets there is cut."""
    inside = {"highway": "service"}
    ways = [(1, 3, {"highway": "residential"}), (3, 5, inside), (5, 6, inside)]
    net = road(tmp_path, {3: {"barrier": "lift_gate", "access": "private"}}, ways)
    assert (net.n_components, dict(net.dropped)) == (2, {"barred node": 1})
    open_gate = road(tmp_path, {3: {"barrier": "lift_gate", "motor_vehicle": "private"}}, ways)
    assert open_gate.n_components == 1


def test_a_barrier_at_a_dead_end_cuts_nothing(tmp_path):
    net = road(tmp_path, {1: {"barrier": "wall"}, 5: {"barrier": "gate", "access": "no"}})
    assert (net.n_components, dict(net.dropped)) == (1, {})


def test_every_way_that_meets_at_a_barred_node_keeps_its_own_stub(tmp_path):
    text = """<osm version='0.6'>
    <node id='1' lon='114.001' lat='22.5'/><node id='2' lon='114.003' lat='22.5'/>
    <node id='3' lon='114.002' lat='22.499'/><node id='4' lon='114.002' lat='22.501'/>
    <node id='9' lon='114.002' lat='22.5'><tag k='barrier' v='fence'/></node>
    <way id='1'><nd ref='1'/><nd ref='9'/><nd ref='2'/><tag k='highway' v='path'/></way>
    <way id='2'><nd ref='3'/><nd ref='9'/><nd ref='4'/><tag k='highway' v='path'/></way></osm>"""
    file = tmp_path / "cross.osm"
    file.write_text(text, encoding="utf-8")
    net = load_streets(file)
    assert (net.n_components, net.n_edges, dict(net.dropped)) == (4, 4, {"barred node": 1})


def test_barriers_of_other_nodes_are_nobodys_concern(tmp_path):
    """A fence post beside the street has no node in common with it."""
    file = write_osm(tmp_path / "x.osm", [(1, 3, {"highway": "path"}), (4, 6, {"barrier": "wall"})],
                     {5: {"barrier": "wall"}})  # fmt: skip
    net = load_streets(file)
    assert (net.n_components, dict(net.dropped)) == (1, {})


def test_a_mode_without_a_way_is_one_clear_error(tmp_path):
    file = write_osm(tmp_path / "x.osm", [(1, 3, {"highway": "steps"})])
    with pytest.raises(InputError, match=r"x\.osm: no street here is open to the mode `ebike`"):
        load_streets(file, mode="ebike")


def test_real_barriers_shut_some_and_not_all(shared):
    """Helsinki has 411 of them, most of them open gates, bollards and entrances."""
    lost = {m: load_streets(shared / "helsinki/streets.osm.pbf", mode=m).dropped for m in MODES}
    count = {mode: dict(found).get("barred node", 0) for mode, found in lost.items()}
    assert 0 < count["walk"] < count["drive"] < 411


MODES = ("walk", "ebike", "drive")
