"""Bad street files: one clear error, in Python and from the command line, or a counted remark."""

import json
import struct

import geopandas as gpd
import networkx as nx
import pytest
import shapely
from small_study import write_small_study

from planner.cli import main
from planner.errors import InputError
from planner.network import load_streets

LINE = shapely.LineString
UTM = "EPSG:32650"


# ── files ─────────────────────────────────────────────────────────────────────────────────────


def pbf(*blocks):
    """An OSM PBF by hand: a header, and blocks of raw bytes."""
    header = field(4, b"OsmSchema-V0.6") + field(4, b"DenseNodes")
    out = b""
    for kind, body in ((b"OSMHeader", header), *((b"OSMData", block) for block in blocks)):
        blob = field(1, body)
        head = field(1, kind) + b"\x18" + varint(len(blob))
        out += struct.pack(">I", len(head)) + head + blob
    return out


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def zigzag(n):
    return varint((n << 1) ^ (n >> 63))


def block(**tags):
    """Two nodes and the way between them, with its tags."""
    texts = [b"", *(t.encode() for pair in tags.items() for t in pair)]
    table = b"".join(field(1, text) for text in texts)
    nodes = (
        field(1, zigzag(1) + zigzag(1))
        + field(8, zigzag(225_000_000) + zigzag(0))
        + field(9, zigzag(1_140_000_000) + zigzag(10_000))
    )
    keys = bytes(range(1, len(texts), 2))
    values = bytes(range(2, len(texts), 2))
    way = b"\x08\x07" + field(2, keys) + field(3, values) + field(8, zigzag(1) + zigzag(1))
    return field(1, table) + field(2, field(2, nodes)) + field(2, field(3, way))


def graphml(folder, *, x="x", crs="epsg:4326", length=True):
    graph = nx.MultiDiGraph(crs=crs)
    for i, (lon, lat) in enumerate([(114.0, 22.5), (114.001, 22.5), (114.001, 22.501)]):
        graph.add_node(i, **{x: lon, "y": lat})
    for u, v in ((0, 1), (1, 0), (1, 2), (2, 1)):
        graph.add_edge(u, v, highway="footway", **({"length": 100.0} if length else {}))
    nx.write_graphml(graph, folder / "streets.graphml")
    return folder / "streets.graphml"


def layer(folder, places, crs, name="streets.gpkg"):
    gpd.GeoDataFrame(geometry=[LINE(p) for p in places], crs=crs).to_file(folder / name)
    return folder / name


def written(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


DEGREES = [[(114.0, 22.5), (114.001, 22.5)], [(114.001, 22.5), (114.001, 22.502)]]
METRES = [[(500_000, 2_500_000), (500_100, 2_500_000)]]
OSM = b"""<?xml version="1.0"?><osm version="0.6">
<node id="1" lon="114.0" lat="22.5"/><node id="2" lon="114.001" lat="22.5"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/></way>
<way id="2"><nd ref="2"/><nd ref="1"/><tag k="highway" v="path"/></way></osm>"""
BAD = {
    "degrees said to be metres": (
        lambda f: layer(f, DEGREES, UTM),
        ["streets.gpkg", "says metres (EPSG:32650)", "look like degrees", "EPSG:4326"],
    ),
    "metres said to be degrees": (
        lambda f: layer(f, METRES, "EPSG:4326"),
        ["streets.gpkg", "says degrees", "500000", "Set the CRS"],
    ),
    "a GeoJSON in metres": (
        lambda f: written(f, "x.geojson", json.dumps({
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "properties": {},
                          "geometry": {"type": "LineString", "coordinates": METRES[0]}}],
        }).encode()),
        ["x.geojson", "says degrees"],
    ),
    "a graph in degrees said to be metres": (
        lambda f: graphml(f, crs=UTM),
        ["streets.graphml", "says metres", "look like degrees"],
    ),
    "a graph without CRS": (
        lambda f: graphml(f, crs=""),
        ["streets.graphml", "CRS", "EPSG"],
    ),
    "a graph without places": (
        lambda f: graphml(f, x="lon"),
        ["streets.graphml", "node '0' has no place", "as numbers"],
    ),
    "GraphML that is no XML": (
        lambda f: written(f, "a.graphml", b"node,edge\n1,2\n"),
        ["a.graphml", "cannot be read as GraphML", "Save it anew"],
    ),
    "GraphML cut off": (
        lambda f: written(f, "a.graphml", graphml(f).read_bytes()[:700]),
        ["a.graphml", "cannot be read as GraphML"],
    ),
    "another XML": (
        lambda f: written(f, "a.graphml", b"<html><body/></html>"),
        ["a.graphml", "GraphML"],
    ),
    "a pbf of nothing": (
        lambda f: written(f, "a.osm.pbf", pbf()),
        ["a.osm.pbf", "holds no way with a `highway` tag", "Export roads and paths"],
    ),
    "a pbf without highways": (
        lambda f: written(f, "a.osm.pbf", pbf(block(waterway="river"))),
        ["a.osm.pbf", "holds no way with a `highway` tag"],
    ),
    "a pbf cut off": (
        lambda f: written(f, "a.osm.pbf", pbf(block(highway="footway"))[:-9]),
        ["a.osm.pbf", "cannot be read as OpenStreetMap", "Download or export it anew"],
    ),
    "an osm cut off": (
        lambda f: written(f, "a.osm", OSM[: OSM.index(b'<way id="2"') + 9]),
        ["a.osm", "cannot be read as OpenStreetMap", "Download or export it anew"],
    ),
    "an osm without its end": (
        lambda f: written(f, "a.osm", OSM[: -len("</osm>")]),
        ["a.osm", "cannot be read as OpenStreetMap"],
    ),
    "points": (
        lambda f: written(f, "p.geojson", b'{"type": "Point", "coordinates": [114, 22]}'),
        ["p.geojson", "holds no lines", "Point"],
    ),
    "a folder": (lambda f: (f / "streets.osm.pbf").mkdir() or f / "streets.osm.pbf",
                 ["streets.osm.pbf"]),
}  # fmt: skip
ZERO = ["a.osm", "a.osm.pbf", "a.graphml", "a.gpkg", "a.geojson", "a.shp", "a.parquet", "a.npz"]
BAD |= {f"zero bytes of {name}": (lambda f, name=name: written(f, name, b""),
                                  [name, "cannot be read"]) for name in ZERO}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_error(tmp_path, name):
    make, words = BAD[name]
    file = make(tmp_path)
    with pytest.raises(InputError) as caught:
        load_streets(file)
    assert [word for word in words if word not in str(caught.value)] == []
    assert str(caught.value).count("\n") == 0
    assert len(str(caught.value)) < 400


def test_the_same_files_are_fine_when_they_are_whole(tmp_path):
    """So that what fails above fails for the reason given."""
    for file in (
        layer(tmp_path, DEGREES, "EPSG:4326"),
        graphml(tmp_path),
        written(tmp_path, "a.osm.pbf", pbf(block(highway="footway"))),
        written(tmp_path, "a.osm", OSM),
    ):
        assert load_streets(file).n_edges >= 1
    assert load_streets(tmp_path / "a.osm.pbf").length_m.sum() == pytest.approx(102.9, abs=0.1)


def test_a_graph_without_lengths_is_measured_and_says_so(tmp_path):
    given, measured = (load_streets(graphml(tmp_path, length=has)) for has in (True, False))
    assert given.length_m.sum() == pytest.approx(200)
    assert dict(given.dropped) == {}
    assert measured.length_m.sum() == pytest.approx(102.9 + 110.8, abs=0.1)
    assert dict(measured.dropped) == {"edge without length, measured": 2}


def test_short_streets_near_the_origin_are_no_degrees():
    """A made-up town in metres around (0, 0) is one."""
    table = gpd.GeoDataFrame(geometry=[LINE([(0, 0), (3, 0)]), LINE([(3, 0), (3, 4)])], crs=UTM)
    assert load_streets(table).length_m.sum() == pytest.approx(7)


# ── modes ─────────────────────────────────────────────────────────────────────────────────────


def test_the_modes_that_a_file_serves_are_named(tmp_path):
    file = written(tmp_path, "a.osm", OSM)
    with pytest.raises(
        InputError, match=r"a\.osm: no street here is open to the mode `drive`, but there are "
        r"streets for `walk` and `ebike`\. Use another file or mode",
    ):  # fmt: skip
        load_streets(file, mode="drive")
    table = gpd.GeoDataFrame({"类型": ["人行道"]}, geometry=[LINE(METRES[0])], crs=UTM)
    with pytest.raises(InputError, match=r"mode `ebike`, but there are streets for `walk`\. Use"):
        load_streets(table, mode="ebike")
    with pytest.raises(InputError, match=r"mode `drive`, but there are streets for `walk`"):
        load_streets(graphml(tmp_path), mode="drive")
    closed = table.assign(类型="construction")
    with pytest.raises(InputError, match=r"open to the mode `walk`, nor to any other"):
        load_streets(closed)


# ── from the command line ─────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("bad") / "town")


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["planner", "run", *map(str, words)])
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    return code, capsys.readouterr().err


@pytest.mark.parametrize("name", BAD)
def test_a_run_ends_with_code_2_and_one_message(study, tmp_path, monkeypatch, capsys, name):
    make, words = BAD[name]
    code, err = run(monkeypatch, capsys, study, "--set", f"streets.file={make(tmp_path)}")
    assert code == 2, err
    assert [word for word in words if word not in err] == []
    assert sum(line.startswith("error:") for line in err.splitlines()) == 1
    assert "Traceback" not in err
    assert not (study / "out").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["streets.elevation=none.tif"], ["none.tif", "no such file", "streets.elevation"]),
        (["streets.elevation=source"], ["holds no elevation", "DEM"]),
        (["streets.elevation=stations.csv"], ["stations.csv", "cannot be read as elevation"]),
        (["streets.junction_s=900"], ["junction_s", "600"]),
        (["streets.file=none.osm.pbf"], ["none.osm.pbf", "no such file"]),
    ],
)
def test_bad_settings_end_with_code_2(study, monkeypatch, capsys, settings, words):
    code, err = run(monkeypatch, capsys, study, *(w for s in settings for w in ("--set", s)))
    assert code == 2, err
    assert [word for word in words if word not in err] == []
    assert "Traceback" not in err


def test_a_saved_network_of_another_mode_ends_with_code_2(study, tmp_path, monkeypatch, capsys):
    from planner.network import save_streets

    save_streets(load_streets(study / "streets.geojson"), tmp_path / "walk.npz")
    chosen = ["--set", f"streets.file={tmp_path / 'walk.npz'}", "--set", "service.mode=drive"]
    code, err = run(monkeypatch, capsys, study, *chosen)
    assert code == 2
    assert "walk.npz: the saved streets are for `walk`, not `drive`" in " ".join(err.split())
