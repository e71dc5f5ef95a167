"""Edited streets: equal to networkx on graphs cut by hand; laws; by hand; refusals."""

from dataclasses import fields

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from planner.errors import SettingsError
from planner.geo import from_wgs84
from planner.network import (
    StreetNetwork,
    carry_places,
    edit_streets,
    exact_places,
    load_streets,
    save_streets,
    snap_points,
    trace_edits,
    travel_within,
)
from planner.network.streets import CLOSED

CRS = "EPSG:32650"
X0, Y0 = ORIGIN = np.array([500_000.0, 2_800_000.0])
TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
RUNS = settings(max_examples=20)
METRE = 3.6  # km/h: a metre takes a second, so that every rounding is exact


def lonlat(x, y):
    return list(TO_DEGREES.transform(X0 + x, Y0 + y))


def connect(start, stop, **more):
    return {"action": "connect", "from": lonlat(*start), "to": lonlat(*stop), **more}


def close(at=None, line=None, **more):
    found = {} if at is None else {"at": lonlat(*at)}
    if line is not None:
        found |= {"from": lonlat(*line[0]), "to": lonlat(*line[1])}
    return {"action": "close", **found, **more}


def gate(x, y):
    return {"action": "open", "at": lonlat(x, y)}


def town(x, y, tail, head, length=None, **options):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if length is None:
        length = np.hypot(x[tail] - x[head], y[tail] - y[head])
    options = {"speed_kmh": METRE, **options}
    return StreetNetwork.from_arrays(X0 + x, Y0 + y, tail, head, length, crs=CRS, **options)


def lattice(seed, *, mode="walk", apart=True, n=5, step=100):
    """Streets of a grid with gaps and one-ways: every length whole metres."""
    rng = np.random.default_rng(seed)
    x, y = (v.ravel() * float(step) for v in np.meshgrid(np.arange(n), np.arange(n)))
    at = np.arange(n * n).reshape(n, n)
    tail = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    head = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    kept = rng.random(len(tail)) < 0.8
    tail, head = tail[kept], head[kept]
    length = step + rng.integers(0, 40, len(tail)).astype(float)
    oneway = (rng.random(len(tail)) < 0.25) & (mode != "walk")
    name = [f"s{i}" if apart else "" for i in range(len(tail))]  # names keep chains apart
    return rng, (x, y, tail, head, length, oneway, name)


def network_of(parts, mode):
    x, y, tail, head, length, oneway, name = parts
    return town(x, y, tail, head, length, oneway=oneway, name=name, mode=mode)


def matrix(streets, places, limit_min=600.0):
    """Seconds between all places, infinite where there is no way."""
    found = travel_within(streets, places, places, limit_min).tocoo()
    seconds = np.full((len(places), len(places)), np.inf)
    seconds[found.row, found.col] = found.data * 60
    return seconds


def some_places(streets, rng, n=25, inside=400):
    xy = rng.uniform(-30, inside + 30, (n, 2)) + ORIGIN
    return snap_points(streets, gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=CRS))


def same(one, other):
    for f in fields(StreetNetwork):
        a, b = getattr(one, f.name), getattr(other, f.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=f.name)
        else:
            assert a == b, f.name


# ── against networkx ──────────────────────────────────────────────────────────────────────────


@RUNS
@given(st.integers(0, 10_000), st.sampled_from(["walk", "ebike"]))
def test_edited_streets_are_those_of_a_graph_cut_by_hand(seed, mode):
    rng, parts = lattice(seed, mode=mode, apart=False)
    x, y, tail, head, length, oneway, name = parts
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(x)))
    middle = []  # of edges that new ways begin at: half of the length on either side
    order = rng.permutation(len(tail))
    cut, closed = order[:6], order[6:9]  # streets of names of their own, others run on in chains
    for e in closed:
        name[e] = f"closed {e}"
    for e in range(len(tail)):
        if e in closed:
            continue
        ways = [(tail[e], head[e])] if oneway[e] else [(tail[e], head[e]), (head[e], tail[e])]
        for a, b in ways:
            if e in cut:
                graph.add_edge(a, ("middle", e), s=length[e] / 2)
                graph.add_edge(("middle", e), b, s=length[e] / 2)
            else:
                graph.add_edge(a, b, s=length[e])
    edits = [close(street=name[e]) for e in closed]
    for k, (a, b) in enumerate(zip(cut[:3], cut[3:], strict=True)):
        ends = [(x[tail[e]] / 2 + x[head[e]] / 2, y[tail[e]] / 2 + y[head[e]] / 2) for e in (a, b)]
        far = float(rng.integers(20, 90))
        edits.append(connect(*ends, length_m=far, oneway=k == 0))
        graph.add_edge(("middle", a), ("middle", b), s=far)
        if k:
            graph.add_edge(("middle", b), ("middle", a), s=far)
        middle += [(("middle", e), xy) for e, xy in zip((a, b), ends, strict=True)]
    edited = edit_streets(network_of(parts, mode), [edits[i] for i in rng.permutation(len(edits))])
    nodes = [(i, (x[i], y[i])) for i in graph if not isinstance(i, tuple) and graph.degree(i)]
    asked = nodes + middle
    xy = np.array([p for _, p in asked]) + ORIGIN
    places = exact_places(edited, *xy.T)
    assert places.snapped.all()
    found = matrix(edited, places)
    whole = dict(nx.all_pairs_dijkstra_path_length(graph, weight="s"))
    wanted = np.array([[whole[a].get(b, np.inf) for b, _ in asked] for a, _ in asked])
    np.testing.assert_allclose(found, wanted, atol=1e-3)


# ── laws ──────────────────────────────────────────────────────────────────────────────────────


@RUNS
@given(st.integers(0, 10_000), st.sampled_from(["walk", "ebike", "drive"]))
def test_opening_makes_nobody_slower_and_closing_nobody_faster(seed, mode):
    rng, parts = lattice(seed, mode=mode, apart=seed % 2 == 0)
    streets = network_of(parts, mode)
    places = some_places(streets, rng)
    ends = rng.uniform(0, 400, (2, 2))
    before = matrix(streets, places)
    opened = edit_streets(streets, [connect(*ends, length_m=30.0)])
    there = carry_places(places, streets, opened)
    assert there.snapped.all()
    np.testing.assert_array_equal(there.access_m, places.access_m)
    assert (matrix(opened, there) <= before + 0.0021).all()  # a millisecond an end that was cut
    closed = edit_streets(streets, [close(at=rng.uniform(0, 400, 2))])
    stay = carry_places(places, streets, closed)
    kept = stay.snapped
    assert kept.sum() > len(kept) / 2
    after = matrix(closed, stay)
    assert (after[np.ix_(kept, kept)] >= before[np.ix_(kept, kept)]).all()


@RUNS
@given(st.integers(0, 10_000))
def test_what_is_opened_and_closed_again_was_never_there(seed):
    rng, parts = lattice(seed, apart=seed % 2 == 0)
    streets = network_of(parts, "walk")
    places = some_places(streets, rng)
    way = connect(*rng.uniform(0, 400, (2, 2)), name="new way", length_m=5.0)
    opened = edit_streets(streets, [way])
    again = edit_streets(opened, [close(street="new way")])
    there = carry_places(places, streets, again)
    assert there.snapped.all()
    np.testing.assert_allclose(matrix(again, there), matrix(streets, places), atol=0.0021)
    assert again.length_m.sum() == pytest.approx(streets.length_m.sum())


def test_a_cut_street_costs_in_all_what_it_did():
    streets = town([0, 0, 100, 301], [0, 100, 0, 77], [0, 2, 3, 1], [2, 3, 1, 0], speed_kmh=4.7)
    for mode in ("walk", "drive"):
        if mode == "drive":
            streets = town(
                [0, 100, 301, 0, 0], [0, 0, 77, -60, 60], [0, 1, 3], [1, 2, 4],
                mode="drive", speed_kmh=[31.0, 31.0, 17.0], oneway=[True, True, False],
            )  # fmt: skip
        edited = edit_streets(
            streets,
            [connect((20, 1), (250, 60), length_m=9e3), connect((33, 1), (222, 40), length_m=9e3)],
        )
        old = edited.length_m < 9e3
        for way in ("forward_ms", "backward_ms"):
            now, before = getattr(edited, way)[old], getattr(streets, way)
            assert now[now < CLOSED].sum() == before[before < CLOSED].sum()
        assert edited.length_m[old].sum() == pytest.approx(streets.length_m.sum())
        assert (old.sum(), (~old).sum()) == (streets.n_edges + 4, 2)


def test_an_edit_elsewhere_leaves_minutes_as_they_were():
    rng, parts = lattice(3)
    streets = network_of(parts, "walk")
    whole = some_places(streets, rng, 60)
    far = connect((5, 30), (30, 5), length_m=50_000.0)  # too long for anyone
    edited = edit_streets(streets, [far])
    there = carry_places(whole, streets, edited)
    lengths = streets.length_m[whole.chain]
    uncut = edited.length_m[there.chain] == lengths
    assert 40 < uncut.sum() < 60
    before, after = matrix(streets, whole), matrix(edited, there)
    np.testing.assert_array_equal(after[np.ix_(uncut, uncut)], before[np.ix_(uncut, uncut)])


def test_the_order_of_edits_plays_no_part():
    rng, parts = lattice(11)
    streets = network_of(parts, "walk")
    edits = [
        connect((20, 0), (230, 100), name="b"),
        connect((20, 0), (150, 210), name="a"),  # two from one place
        connect((20, 0), (230, 100), name="c", length_m=300.0),
        close(at=(350, 400)),
        close(line=[(250, 250), (350, 390)]),
    ]
    wanted = edit_streets(streets, edits)
    for _ in range(4):
        same(edit_streets(streets, [edits[i] for i in rng.permutation(len(edits))]), wanted)


def test_edits_that_do_not_count_are_not_made():
    streets = network_of(lattice(11)[1], "walk")
    edits = [connect((20, 0), (230, 100)), close(at=(350, 400))]
    same(edit_streets(streets, edits, only={2}), edit_streets(streets, edits[1:]))
    assert edit_streets(streets, edits, only=()) is streets
    assert edit_streets(streets, []) is streets
    assert list(trace_edits(streets, edits, only={2})) == [2]


def test_the_network_itself_is_never_changed(tmp_path):
    streets = network_of(lattice(5)[1], "walk")
    before = save_streets(streets, tmp_path / "a.npz").read_bytes()
    edited = edit_streets(streets, [connect((20, 0), (230, 110)), close(at=(350, 400))])
    assert save_streets(streets, tmp_path / "b.npz").read_bytes() == before
    assert edited.key != streets.key
    save_streets(edited, tmp_path / "c.npz")
    same(load_streets(tmp_path / "c.npz"), edited)


# ── by hand ───────────────────────────────────────────────────────────────────────────────────


def horseshoe(**options):
    """Two streets 60 m apart that meet 300 m further on."""
    return town([0, 300, 300, 0], [0, 0, 60, 60], [0, 1, 2], [1, 2, 3], **options)


def seconds(streets, a, b):
    places = exact_places(streets, *(np.array([a, b], dtype=float) + ORIGIN).T)
    return matrix(streets, places)[0, 1]


def test_a_passage_saves_the_way_round():
    streets = horseshoe(name=["North", "Gap", "South"], street_class=[3, 2, 4])
    edited = edit_streets(streets, [connect((100, 8), (100, 55), name="back door")])
    assert seconds(streets, (100, 0), (100, 60)) == 460
    assert seconds(edited, (100, 0), (100, 60)) == pytest.approx(60, abs=0.001)
    table = edited.lines().set_index("name")
    assert table.index.tolist().count("North") == 2
    assert dict(zip(table.index, table["street_class"], strict=True)) == {
        "North": 3,
        "Gap": 2,
        "South": 4,
        "back door": 0,
    }
    assert table.geometry["back door"].length == pytest.approx(60)
    drive = edit_streets(horseshoe(mode="drive", junction_s=2.5), [connect((9, 8), (9, 55))])
    assert drive.lines()["street_class"].tolist() == [2, 2, 2, 2]  # a passage is no footpath
    assert (drive.junction_s, drive.mode, drive.speed_kmh) == (2.5, "drive", METRE)


def test_credit_and_dropped_rows_stay():
    streets = load_streets(
        gpd.GeoDataFrame(geometry=gpd.GeoSeries.from_wkt(
            ["LINESTRING (0 0, 300 0)", "LINESTRING (0 60, 300 60)", "POINT (1 1)"]), crs=CRS)
    )  # fmt: skip
    x, y = TO_DEGREES.transform([100, 100], [0, 60])
    edit = {"action": "connect", "from": [x[0], y[0]], "to": [x[1], y[1]]}
    edited = edit_streets(streets, [edit])
    assert (edited.credit, edited.dropped) == (streets.credit, {"no line": 1})
    assert (streets.n_components, edited.n_components) == (2, 1)


@pytest.mark.parametrize("mode", ["walk", "ebike"])
def test_a_one_way_passage_leads_from_and_to(mode):
    edit = connect((100, 0), (100, 60), oneway=True)
    edited = edit_streets(horseshoe(mode=mode), [edit])
    assert seconds(edited, (100, 0), (100, 60)) == pytest.approx(60, abs=0.001)
    assert seconds(edited, (100, 60), (100, 0)) == pytest.approx(460, abs=0.001)


def test_a_passage_from_corner_to_corner_adds_no_junction():
    streets = horseshoe(name=["a", "b", "c"])
    edited = edit_streets(streets, [connect((0, 0), (0, 60)), connect((-3, 0.004), (303, 61))])
    assert (edited.n_nodes, edited.n_edges) == (streets.n_nodes, streets.n_edges + 2)
    np.testing.assert_array_equal(edited.forward_ms[:3], streets.forward_ms)


def test_a_street_is_closed_at_a_place_by_name_or_across_a_line():
    streets = horseshoe(name=["North", "Gap", "South"])

    def left(*edits):
        edited = edit_streets(streets, edits)
        return sorted(edited.lines()["name"]), edited.n_nodes

    assert left(close(at=(310, 30))) == (["North", "South"], 4)
    assert left(close(street="North")) == (["Gap", "South"], 3)
    assert left(close(line=[(150, -20), (150, 20)])) == (["Gap", "South"], 3)
    assert left(close(line=[(150, -20), (150, 80)])) == (["Gap"], 2)
    assert left(close(line=[(150, -20), (150, 80)], street="South")) == (["Gap", "North"], 3)
    assert left(close(at=(150, 0), street="South")) == (["Gap", "North"], 3)
    assert left(close(at=(150, 0)), close(street="Gap")) == (["South"], 2)

    def area(*corners, **more):
        return {"action": "close", "inside": [lonlat(*xy) for xy in corners], **more}

    estate = [(140, -9), (140, 99), (400, 99), (400, -9)]
    assert left(area(*estate, street="South")) == (["Gap", "North"], 3)
    assert left(area((160, -9), *estate[1:])) == (["North"], 2)  # of North less than half
    assert left(area((-9, -9), (-9, 9), (310, 9), (310, -9))) == (["Gap", "South"], 3)


def test_a_passage_joins_streets_that_stay():
    streets = town([0, 300, 0, 300, 0, 300], [0, 0, 20, 20, 80, 80], [0, 2, 4], [1, 3, 5])
    edited = edit_streets(streets, [close(at=(10, 21)), connect((100, 18), (100, 70))])
    assert edited.n_components == 1
    assert seconds(edited, (100, 0), (100, 80)) == pytest.approx(80, abs=0.001)


def test_a_gate_joins_street_ends():
    # a lane cut at (100, 0) by a barrier, drawn as two vertices at one place
    cut = town([0, 100, 100, 200], [0, 0, 0, 0], [0, 2], [1, 3])
    assert seconds(cut, (50, 0), (150, 0)) == np.inf
    assert seconds(edit_streets(cut, [gate(104, 3)]), (50, 0), (150, 0)) == 100
    (trace,) = trace_edits(cut, [gate(104, 3)]).values()
    assert sorted(np.round(trace.ends[0] - ORIGIN).tolist()) == [[95, 0], [105, 0]]
    # drawn apart: twelve metres between the ends
    apart = town([0, 100, 112, 200], [0, 0, 0, 0], [0, 2], [1, 3])
    assert seconds(edit_streets(apart, [gate(104, 3)]), (50, 0), (150, 0)) == 100
    # one end, beside a street that runs on
    beside = town([0, 100, 115, 115], [0, 0, -50, 50], [0, 2], [1, 3])
    opened = edit_streets(beside, [gate(104, 3)])
    assert seconds(opened, (50, 0), (115, 50)) == pytest.approx(115, abs=0.001)
    # four ends at one crossing
    star = town([0, 0, 0, 0, 0, 100, 0, -100], [0, 0, 0, 0, 100, 0, -100, 0],
                [0, 1, 2, 3], [4, 5, 6, 7])  # fmt: skip
    assert star.n_components == 4
    opened = edit_streets(star, [gate(2, 2)])
    assert opened.n_components == 1
    assert seconds(opened, (-50, 0), (0, 50)) == 100


def test_a_gate_that_the_file_bars_is_opened(tmp_path):
    places = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (0, 200), 5: (200, 200)}
    tags = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in (("barrier", "gate"), ("access", "no")))
    text = '<osm version="0.6">'
    for node, xy in places.items():
        lon, lat = lonlat(*xy)
        text += f'<node id="{node}" lon="{lon}" lat="{lat}">{tags if node == 2 else ""}</node>'
    for way in ((1, 2, 3), (1, 4, 5, 3)):
        refs = "".join(f'<nd ref="{ref}"/>' for ref in way)
        text += f'<way id="{way[1]}">{refs}<tag k="highway" v="residential"/></way>'
    file = tmp_path / "estate.osm"
    file.write_text(text + "</osm>", encoding="utf-8")
    streets = load_streets(file, crs=CRS, speed_kmh=METRE)
    opened = edit_streets(streets, [gate(103, 2)])
    assert seconds(streets, (50, 0), (150, 0)) == pytest.approx(700, abs=1)
    assert seconds(opened, (50, 0), (150, 0)) == pytest.approx(100, abs=1)


def test_places_are_in_the_datum_that_is_said():
    streets = horseshoe()
    wanted = edit_streets(streets, [connect((100, 0), (100, 60))])
    lon, lat = np.transpose([lonlat(100, 0), lonlat(100, 60)])
    shifted = np.transpose(from_wgs84(lon, lat, "gcj02")).tolist()
    edit = {"action": "connect", "from": shifted[0], "to": shifted[1]}
    found = edit_streets(streets, [edit], datum="gcj02")
    np.testing.assert_allclose(found.vertex_x, wanted.vertex_x, atol=0.01)
    with pytest.raises(SettingsError, match="`from` lies"):
        edit_streets(streets, [edit])


def test_traces_tell_what_is_opened_and_closed():
    streets = horseshoe(name=["North", "Gap", "South"])
    edits = [connect((100, 8), (100, 55)), close(street="Gap"), close(line=[(9, -9), (9, 99)])]
    traces = trace_edits(streets, edits, only={1})
    assert traces[1].lines.length == pytest.approx(60)
    np.testing.assert_allclose(traces[1].ends - ORIGIN, [[[100, 0], [100, 60]]], atol=1e-6)
    closed = trace_edits(streets, edits, only={2})[2]
    assert closed.lines.length == pytest.approx(60)
    assert sorted(map(tuple, closed.ends[0] - ORIGIN)) == [(300, 0), (300, 60)]
    both = trace_edits(streets, edits, only={3})[3]
    assert both.lines.length == pytest.approx(600)
    assert both.ends.shape == (2, 2, 2)


# ── refusals ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (connect((100, 0), (100, 400), name="door"), ["2 “door” (connect)", "`to` lies 340 m"]),
        (connect((100, 90_000), (100, 0)), ["`from` lies over 10 km", "longitude stands first"]),
        (connect((100, 0), (100.001, 1)), ["at the same place"]),
        (connect((300, 0), (301, 0)), ["at the same place"]),
        (connect((9, 0), (9, 60), length_m=9e8), ["hours", "length_m"]),
        (close(street="Sout"), ["no street is called `Sout`", "Did you mean `South`?"]),
        (close(at=(100, 200)), ["`at` lies 140 m from the nearest street"]),
        (close(at=(0, 170), street="North"), ["170 m from the nearest `North`"]),
        (close(line=[(100, 10), (200, 10)]), ["does not cross any street"]),
        (close(line=[(9, 50), (9, 70)], street="North"), ["does not cross `North`"]),
        (
            {"action": "close", "inside": [lonlat(9, 9), lonlat(9, 20), lonlat(20, 20)]},
            ["`inside` does not hold any street"],
        ),
        (
            {"action": "close", "inside": [lonlat(*xy) for xy in ((0, 0), (9, 9), (9, 0), (0, 9))]},
            ["bound no area", "walk round it"],
        ),
        (gate(150, 0), ["no street ends within 25 m", "the nearest is 150 m away", "connect"]),
        (gate(0, 0), ["only one street ends at `at`", "25 m"]),
        ({"action": "open"}, ["edit 2: `streets.edits` opens a gate `at` a place"]),
        ({"action": "close", "at": [114, 95]}, ["edit 2: ", "less than or equal to 90"]),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(edit, words):
    streets = horseshoe(name=["North", "Gap", "South"])
    with pytest.raises(SettingsError) as caught:
        edit_streets(streets, [connect((50, 0), (50, 60)), edit])
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_something_must_stay_open():
    streets = horseshoe(name=["North", "Gap", "South"])
    names = [close(street=name) for name in ("North", "Gap", "South")]
    with pytest.raises(SettingsError, match="close every street"):
        edit_streets(streets, names)


def test_a_ring_road_has_no_ends_to_join():
    ring = town([0, 100, 100, 0], [0, 0, 100, 100], [0, 1, 2, 3], [1, 2, 3, 0])
    with pytest.raises(SettingsError, match="there is none at all"):
        edit_streets(ring, [gate(0, 0)])
