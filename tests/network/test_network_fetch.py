"""Streets from servers, played by one on this machine; nothing asks the internet."""

import json
import socket
import threading
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner import fetch_streets
from planner.cli import main
from planner.errors import InputError, SettingsError
from planner.network import load_streets, nearest_minutes, snap_points
from planner.network.access import ROADS
from planner.network.streets import CLOSED

NODES = {
    1: (114.900, 25.850), 2: (114.902, 25.850), 3: (114.904, 25.850), 4: (114.906, 25.850),
    5: (114.902, 25.852), 6: (114.904, 25.852), 7: (114.903, 25.853), 8: (114.9031, 25.8512),
    9: (114.960, 25.850), 10: (114.961, 25.850), 11: (114.9055, 25.8530), 12: (114.9060, 25.8530),
    13: (114.9060, 25.8535),
}  # fmt: skip
NODE_TAGS = {5: {"barrier": "gate", "access": "private"}, 7: {"barrier": "bollard"}}
WAYS = [
    ((1, 2, 3, 4), {"highway": "primary", "name": "红旗大道", "oneway": "yes", "maxspeed": "60",
                    "oneway:bicycle": "no"}),
    ((3, 2), {"highway": "residential", "oneway": "-1", "name": "反"}),
    ((2, 5, 7), {"highway": "service", "name": "小区"}),
    ((7, 6, 3), {"highway": "residential", "cycleway": "opposite", "oneway": "yes"}),
    ((2, 8, 6), {"highway": "footway", "bicycle": "yes"}),
    ((4, 6), {"highway": "motorway"}),
    ((3, 8), {"highway": "residential", "oneway:bicycle": "yes"}),
    ((9, 10), {"highway": "residential", "name": "far"}),
    ((1, 5), {"highway": "construction"}),
    ((11, 12, 13, 11), {"highway": "footway", "name": "a ring that nothing joins"}),
]  # fmt: skip
PLACE = {
    "place_id": 1, "osm_type": "relation", "osm_id": 1, "lat": "25.851", "lon": "114.903",
    "class": "boundary", "type": "administrative", "importance": 0.5, "name": "章贡区",
    "display_name": "章贡区, 赣州市", "boundingbox": ["25.849", "25.854", "114.899", "114.907"],
}  # fmt: skip


def elements():
    for i, (lon, lat) in NODES.items():
        yield {"type": "node", "id": i, "lon": lon, "lat": lat, "tags": NODE_TAGS.get(i, {})}
    for i, (nodes, tags) in enumerate(WAYS, 1):
        yield {"type": "way", "id": i, "nodes": list(nodes), "tags": tags}


def write_osm(path, ways):
    """The same streets as an extract."""

    def tagged(tags):
        return "".join(f"<tag k='{k}' v='{v}'/>" for k, v in (tags or {}).items())

    lines = ["<osm version='0.6'>"]
    for i, (lon, lat) in NODES.items():
        lines.append(f"<node id='{i}' lon='{lon}' lat='{lat}'>{tagged(NODE_TAGS.get(i))}</node>")
    for i, (nodes, tags) in enumerate(ways, 1):
        refs = "".join(f"<nd ref='{n}'/>" for n in nodes)
        lines.append(f"<way id='{i}'>{refs}{tagged(tags)}</way>")
    path.write_text("".join([*lines, "</osm>"]), encoding="utf-8")
    return path


class Server(BaseHTTPRequestHandler):
    """Nominatim and Overpass in one."""

    asked, answers = [], {}

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.asked.append((path, urllib.parse.parse_qs(query)))
        if path == "/nominatim/search":
            self.say(self.answers["place"])
        elif path == "/api/status":
            self.say("Connected as: 1\nCurrent time: now\nRate limit: 2\n\n2 slots available now.")
        else:
            self.say({}, status=404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.path, urllib.parse.parse_qs(body)))
        self.say(self.answers["streets"], status=self.answers.get("status", 200))

    def say(self, answer, status=200):
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def servers(monkeypatch):
    """Addresses of both, as `fetch_streets` takes them."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("time.sleep", lambda _: None)  # osmnx's courtesy to Nominatim
    box = shapely.box(114.899, 25.849, 114.907, 25.854)
    Server.asked = []
    Server.answers = {
        "place": [PLACE | {"geojson": shapely.geometry.mapping(box)}],
        "streets": {"elements": list(elements())},
    }
    with serving() as url:
        yield {"nominatim_url": f"{url}/nominatim/", "overpass_url": f"{url}/api"}


@contextmanager
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def fetched(servers, tmp_path):
    return fetch_streets("赣州市章贡区", tmp_path / "new" / "streets.graphml", **servers)


def directions(net):
    """Name and class → metres open from west to east and back, by street."""
    east = (net.x[net.head] > net.x[net.tail]) | (
        (net.x[net.head] == net.x[net.tail]) & (net.y[net.head] > net.y[net.tail])
    )
    there = np.where(east, net.forward_ms, net.backward_ms) < CLOSED
    back = np.where(east, net.backward_ms, net.forward_ms) < CLOSED
    names = net.names[net.name_code]
    rows = zip(names, net.street_class, there, back, net.length_m.round(2), strict=True)
    return sorted((str(n), int(c), bool(a), bool(b), float(m)) for n, c, a, b, m in rows)


@pytest.mark.parametrize("mode", ["walk", "ebike", "drive"])
def test_the_file_serves_every_mode_as_an_extract_would(fetched, tmp_path, mode):
    inside = [way for way in WAYS if way[0] != (9, 10)]
    extract = load_streets(write_osm(tmp_path / "x.osm", inside), mode=mode)
    net = load_streets(fetched, mode=mode)
    assert directions(net) == directions(extract)
    assert net.dropped == extract.dropped
    assert net.length_m.sum() == pytest.approx(extract.length_m.sum(), abs=1e-6)
    assert "OpenStreetMap" in net.credit
    spots = gpd.GeoSeries(gpd.points_from_xy(*zip(*NODES.values(), strict=True)), crs=4326)
    minutes = []
    for streets in (net, extract):
        places = snap_points(streets, spots.iloc[:8].to_crs(streets.crs))
        minutes.append(nearest_minutes(streets, places, places, max_min=30)[0])
    np.testing.assert_allclose(*minutes, atol=1e-3)


def test_the_area_is_asked_for_with_its_margin(servers, tmp_path):
    box = (114.899, 25.849, 114.907, 25.854)
    asked = {}
    for name, options in {
        "walk": {}, "ebike": {"mode": "ebike"}, "metres": {"margin_m": 200},
        "drive": {"mode": "drive", "margin_min": 2},
    }.items():  # fmt: skip
        Server.asked.clear()
        fetch_streets(box, tmp_path / "x.graphml", **servers, **options)
        (query,) = [q["data"][0] for path, q in Server.asked if path == "/api/interpreter"]
        kinds = query.split('way["highway"~"^(')[1].split(")$")[0].split("|")
        assert set(kinds) == set(ROADS)
        numbers = np.array(query.split("poly:'")[1].split("'")[0].split(), dtype=float)
        asked[name] = (box[1] - numbers[::2].min()) * 110_800  # metres southward
    # osmnx asks for 500 m more, so that ways across the border are whole
    expected = {"walk": 1000, "ebike": 3750, "metres": 200, "drive": 1000}
    assert asked == pytest.approx({k: v + 500 for k, v in expected.items()}, abs=25)


def test_streets_beyond_the_margin_stay_away(servers, tmp_path):
    near = load_streets(fetch_streets("章贡", tmp_path / "a.graphml", margin_m=50, **servers))
    wide = load_streets(fetch_streets("章贡", tmp_path / "b.graphml", margin_m=6000, **servers))
    assert "far" not in set(near.lines().name)
    assert "far" in set(wide.lines().name)


def test_polygons_with_a_crs_are_an_area(servers, tmp_path):
    area = gpd.GeoDataFrame(geometry=[shapely.box(114.899, 25.849, 114.907, 25.854)], crs=4326)
    file = fetch_streets(area.to_crs("EPSG:32650"), tmp_path / "a.graphml", **servers)
    assert load_streets(file).n_edges > 3
    with pytest.raises(InputError, match="area has no CRS"):
        fetch_streets(area.set_crs(None, allow_override=True), tmp_path / "a.graphml", **servers)


def test_osmnx_is_left_as_it_was_and_nothing_is_cached(servers, tmp_path, monkeypatch):
    import osmnx as ox

    monkeypatch.chdir(tmp_path)
    names = [name for name in dir(ox.settings) if not name.startswith("_")]
    before = {name: getattr(ox.settings, name) for name in names}
    resolve = socket.getaddrinfo
    fetch_streets("章贡", "streets.graphml", **servers)
    Server.answers["streets"] = {"elements": []}
    with pytest.raises(InputError):
        fetch_streets("章贡", "streets.graphml", **servers)
    assert {name: getattr(ox.settings, name) for name in names} == before
    assert socket.getaddrinfo is resolve
    assert [p.name for p in tmp_path.iterdir()] == ["streets.graphml"]


def test_progress_is_told(servers, tmp_path):
    told = []
    fetch_streets("章贡", tmp_path / "a.graphml", **servers, on_stage=lambda *a: told.append(a))
    done = [(name, rows) for name, *rest in told for rows in rest[:1]]
    assert [name for name, _ in done] == ["place", "download", "junctions"]
    assert dict(done)["place"] == 1


# ── what may go wrong ─────────────────────────────────────────────────────────────────────────

BUSY = "<html>rate_limited: please try again</html>"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"place": []}, "knows no area named `章贡`.*city or country, or give a box"),
        ({"place": [PLACE | {"geojson": {"type": "Point", "coordinates": [114.9, 25.85]}}]},
         "knows no area named"),
        ({"streets": {"elements": []}}, "no streets came back.*Check the place or box"),
        ({"streets": {"elements": [e for e in elements() if e["id"] in (9, 10)]}},
         "no streets"),
        ({"streets": BUSY, "status": 400}, "no streets came back.*server may be busy"),
        ({"streets": "no json"}, "no streets came back"),
    ],
)  # fmt: skip
def test_servers_that_have_nothing(servers, tmp_path, answers, words):
    Server.answers |= answers
    file = tmp_path / "a.graphml"
    file.write_text("earlier", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        fetch_streets("章贡", file, **servers)
    assert file.read_text(encoding="utf-8") == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a.graphml"]


def test_without_network_one_clear_error_and_no_wait(tmp_path, servers):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for where in ("章贡", (114.9, 25.8, 114.95, 25.9)):
            with pytest.raises(InputError, match=f"{nobody}.*cannot be reached.*network or proxy"):
                fetch_streets(
                    where, tmp_path / "a.graphml", nominatim_url=nobody, overpass_url=nobody
                )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("where", "options", "words"),
    [
        ((114.9, 25.8, 114.8, 25.9), {}, "west, south, east, north in degrees. Got 114.9"),
        ((25.8, 114.8, 25.9, 114.9), {}, "south the smaller latitude"),
        ("x", {"margin_m": -1}, "margin must be between"),
        ("x", {"margin_min": 999, "mode": "drive"}, "Got 499,500 m"),
        ("x", {"mode": "bike"}, "Did you mean `ebike`"),
        ("x", {"speed_kmh": 0}, "speed_kmh"),
        ("x", {"file": "streets.osm"}, r"must end in `\.graphml`"),
    ],
)
def test_arguments_that_cannot_be(servers, tmp_path, where, options, words):
    file = tmp_path / options.pop("file", "a.graphml")
    with pytest.raises(SettingsError, match=words):
        fetch_streets(where, file, **servers, **options)


def test_a_server_must_be_an_address(tmp_path):
    with pytest.raises(SettingsError, match="address with http"):
        fetch_streets((1, 1, 2, 2), tmp_path / "a.graphml", overpass_url="overpass")


# ── the command ───────────────────────────────────────────────────────────────────────────────


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["planner", "fetch", *map(str, words)])
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_fetches_a_place_and_a_box(servers, tmp_path, monkeypatch, capsys):
    urls = ["--nominatim", servers["nominatim_url"], "--overpass", servers["overpass_url"]]
    for where in (["赣州市章贡区"], ["--bbox", "114.899,25.849,114.907,25.854"]):
        file = tmp_path / f"{len(where)}.graphml"
        code, out, err = run(monkeypatch, capsys, *where, "--out", file, *urls)
        assert code == 0, err
        assert str(file) in out
        assert f'file = "{file.name}"' in out
        assert "junctions" in err
        assert load_streets(file).n_edges > 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Name a place or a --bbox"),
        (["x", "--bbox", "1,2,3,4"], "one of them"),
        (["--bbox", "1,2,3"], "four numbers"),
        (["--bbox", "-8.7,41.1,-8.8,41.2"], "Got -8.7, 41.1, -8.8, 41.2"),
        (["x", "--mode", "fly"], "walk, ebike or drive"),
        (["x", "--overpass", "nowhere", "--nominatim", "nowhere"], "http"),
    ],
)
def test_bad_words_are_exit_code_2(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(monkeypatch, capsys, *words)
    assert code == 2, err
    assert told in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
