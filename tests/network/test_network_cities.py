"""Real streets: plausible counts, and Porto's travel times against networkx on the raw ways."""

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod, Transformer

from planner.network import (
    load_streets,
    nearest_minutes,
    nearest_street,
    service_areas,
    snap,
    snap_points,
    travel_within,
)


@pytest.fixture(scope="module")
def porto(shared):
    return load_streets(shared / "porto" / "streets.osm.pbf")


def pieces(net):
    return len(net.vertex_x) - net.n_edges


@pytest.mark.parametrize(
    ("file", "mode", "n_pieces", "km", "main_share"),
    [
        ("porto/streets.osm.pbf", "walk", (54_000, 58_000), (1_500, 1_700), 0.95),
        ("porto/streets.osm.pbf", "ebike", (50_000, 55_000), (1_400, 1_600), 0.95),
        ("helsinki/streets.osm.pbf", "walk", (14_000, 17_000), (200, 250), 0.95),
        ("shanghai/peoples_square_drive.osm", "drive", (2_700, 3_000), (95, 105), 0.6),
        ("shenzhen/futian_osmnx_walk.graphml", "walk", (8_000, 9_500), (210, 225), 0.98),
        ("wuhan/streets_osm.parquet", "drive", (90_000, 93_000), (7_100, 7_200), 0.95),
        ("tiny/finland.osm.pbf", "drive", (800, 1_000), (40, 55), 0.8),
    ],
)
def test_cities_load_with_plausible_counts(  # noqa: PLR0917
    shared, file, mode, n_pieces, km, main_share
):
    net = load_streets(shared / file, mode=mode)
    assert n_pieces[0] < pieces(net) < n_pieces[1]
    assert km[0] < net.length_m.sum() / 1000 < km[1]
    assert net.length_m[net.main].sum() > main_share * net.length_m.sum()
    assert net.n_nodes <= net.n_edges * 1.5
    lines = net.lines()
    assert len(lines) == net.n_edges
    # drawn metres differ from the ground's by UTM's scale, 1 in 1000 at most
    assert lines.length.sum() == pytest.approx(net.length_m.sum(), rel=2e-3)
    assert lines.street_class.between(0, 5).all()


def test_wuhan_holds_every_metre_of_its_layer(shared):
    file = shared / "wuhan" / "streets_osm.parquet"
    layer = gpd.read_parquet(file)
    ordinary = layer.drop(columns="highway")
    net = load_streets(ordinary)
    assert net.length_m.sum() == pytest.approx(layer.length.sum(), rel=1e-4)
    ends = np.concatenate(
        [layer.geometry.get_coordinates().groupby(level=0).nth(k) for k in (0, -1)]
    )
    assert net.n_nodes <= len(np.unique(ends.round(3), axis=0))


def test_street_names_are_kept(porto):
    lines = porto.lines()
    assert (lines.name != "").mean() > 0.5
    spot = (
        lines.geometry[lines.name == "Avenida da Boavista"]
        .iloc[:5]
        .interpolate(0.5, normalized=True)
    )
    assert set(nearest_street(porto, spot)) == {"Avenida da Boavista"}


def raw_walking_graph(file):
    """Every OSM segment that a walker may use, read with GDAL's own configuration."""
    ways = pyogrio.read_dataframe(file, layer="lines", where="highway IS NOT NULL")
    rest = ways.other_tags.fillna("")
    shut = rest.str.contains(r'"(?:foot|access)"=>"(?:no|private|permit|agricultural|forestry)"')
    invited = rest.str.contains(r'"foot"=>"(?:yes|designated|permissive|official)"')
    motor = ways.highway.isin(["motorway", "motorway_link"]) | rest.str.contains(
        '"motorroad"=>"yes"'
    )
    none = ways.highway.isin(
        ["raceway", "elevator", "platform", "bus_stop", "construction", "proposed"]
    )
    denied = rest.str.contains('"foot"=>"(?:no|private)"')
    area = rest.str.contains('"area"=>"yes"')
    kept = ways[~none & ~area & ~denied & (invited | ~(shut | motor))]
    xy, way = shapely.get_coordinates(kept.geometry.to_numpy(), return_index=True)
    key, node = np.unique(np.rint(xy * 1e7).astype(np.int64), axis=0, return_inverse=True)
    at = np.flatnonzero(way[1:] == way[:-1])
    return key / 1e7, node.reshape(-1)[at], node.reshape(-1)[at + 1]


def test_porto_times_equal_networkx_on_raw_ways(shared, porto, monkeypatch):
    monkeypatch.setattr(snap, "MAIN_SLACK_M", 0.0)
    lonlat, a, b = raw_walking_graph(shared / "porto" / "streets.osm.pbf")
    x, y = Transformer.from_crs(4326, porto.crs, always_xy=True).transform(*lonlat.T)
    metres = Geod(ellps="WGS84").inv(*lonlat[a].T, *lonlat[b].T)[2]
    ends = np.stack([np.column_stack([x[a], y[a]]), np.column_stack([x[b], y[b]])], axis=1)
    segments = shapely.linestrings(ends)
    tree = shapely.STRtree(segments)
    rng = np.random.default_rng(11)
    xy = np.column_stack(
        [rng.uniform(529_000, 536_000, 160), rng.uniform(4_555_000, 4_559_500, 160)]
    )
    points = shapely.points(xy)
    (_, piece), gap = tree.query_nearest(points, return_distance=True, all_matches=False)
    share = shapely.line_locate_point(segments[piece], points, normalized=True)
    graph = nx.Graph()
    weighted = zip(a.tolist(), b.tolist(), metres.tolist(), strict=True)
    graph.add_weighted_edges_from(weighted, weight="m")
    on = {}
    for i, (e, s) in enumerate(zip(piece, share, strict=True)):
        on.setdefault(int(e), []).append((float(s), ("p", i)))
    for e, stops in on.items():
        run = [(0.0, int(a[e])), *sorted(stops), (1.0, int(b[e]))]
        for (s, u), (t, v) in pairwise(run):
            graph.add_edge(u, v, m=(t - s) * metres[e])
    origins, stations = np.arange(0, 120), np.arange(120, 160)
    near = gap <= 300
    limit_s = 900.0
    want = np.full((120, 40), np.inf)
    for j, station in enumerate(stations):
        reached = nx.single_source_dijkstra_path_length(graph, ("p", station), 1000, weight="m")
        for i in origins:
            if near[i] and near[station] and ("p", i) in reached:
                want[i, j] = (reached["p", i] + gap[i] + gap[station]) * 3.6 / 4.0
    spots = gpd.GeoSeries(points, crs=porto.crs)
    places = snap_points(porto, spots)
    assert (places.snapped == near).all()
    people, sites = snap_points(porto, spots[:120]), snap_points(porto, spots[120:])
    minutes = travel_within(porto, people, sites, 15)
    got = np.full(want.shape, np.inf)
    got[np.repeat(np.arange(120), np.diff(minutes.indptr)), minutes.indices] = minutes.data * 60
    assert np.isfinite(got).sum() > 60
    unsure = np.abs(want - limit_s) < 0.1
    assert ((np.isfinite(got) == (want <= limit_s)) | unsure).all()
    both = np.isfinite(got) & np.isfinite(want)
    assert np.abs(got[both] - want[both]).max() < 0.1
    best, _ = nearest_minutes(porto, people, sites, max_min=15)
    least = np.where(want <= limit_s, want, np.inf).min(axis=1)
    sure = ~unsure.any(axis=1)
    assert (np.isfinite(best) == np.isfinite(least))[sure].all()
    found = sure & np.isfinite(best)
    assert np.abs(best[found] * 60 - least[found]).max() < 0.1


def test_porto_service_areas_hold_what_is_reached(shared, porto):
    rng = np.random.default_rng(5)
    lines = porto.lines().geometry[porto.main]
    spots = lines.iloc[rng.choice(len(lines), 60, replace=False)].centroid
    stations = snap_points(porto, spots)
    areas = service_areas(porto, stations, [5, 10, 15])
    beads = lines.iloc[rng.choice(len(lines), 3000, replace=False)].interpolate(
        0.3, normalized=True
    )
    minutes, _ = nearest_minutes(porto, snap_points(porto, beads), stations, max_min=60)
    for limit, area in zip((5, 10, 15), areas, strict=True):
        inside = shapely.contains_xy(area, beads.x.to_numpy(), beads.y.to_numpy())
        reached = minutes <= limit
        assert inside[reached].mean() > 0.97
        assert reached[inside].mean() > 0.93
