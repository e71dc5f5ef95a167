"""Hills: Tobler's function by hand, and heights from rasters, graphs and lines."""

import sys

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from planner.errors import CrsError, InputError, MissingFileError, SettingsError
from planner.network import load_streets, save_streets, slope
from planner.network.slope import sample_dem, tobler_share

UTM = "EPSG:32650"
WEST, NORTH = 500_000.0, 2_500_000.0
LINE = shapely.LineString


def write_dem(file, values, *, cell=10.0, crs=UTM, west=WEST, north=NORTH, **options):
    """Write heights, the first row northernmost."""
    import rasterio

    values = np.asarray(values)
    rasterio.open(
        file, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1,
        dtype=values.dtype, crs=crs, transform=rasterio.Affine(cell, 0, west, 0, -cell, north),
        **options,
    ).close()  # fmt: skip
    with rasterio.open(file, "r+") as dem:
        dem.write(values, 1)
    return file


def street(*places):
    return gpd.GeoDataFrame(geometry=[LINE(places)], crs=UTM)


def seconds(net):
    """West to east and back, over the whole of a straight street."""
    east = net.x[net.head] > net.x[net.tail]
    there = np.where(east, net.forward_ms, net.backward_ms).sum() / 1000
    return there, np.where(east, net.backward_ms, net.forward_ms).sum() / 1000


def hill(rise, crs=UTM, **node):
    graph = nx.MultiDiGraph(crs=crs)
    graph.add_node(1, x=WEST, y=NORTH, elevation=50.0)
    graph.add_node(2, x=WEST + 100, y=NORTH, **({"elevation": 50.0 + rise} | node))
    graph.add_edge(1, 2, length=100.0)
    graph.add_edge(2, 1, length=100.0)
    return graph


def test_a_hill_by_hand():
    """100 m at 4 km/h are 90 s; up 10 % e^(−3.5 · 0.1) of the speed, down 10 % just the same 90 s:
    |−0.1 + 0.05| is as far from the best slope as flat ground is."""
    up, down = seconds(load_streets(hill(10.0), elevation="source"))
    assert up == pytest.approx(90 * np.exp(0.35), abs=1e-3)
    assert up == pytest.approx(127.716, abs=1e-3)
    assert down == pytest.approx(90.0, abs=1e-3)
    gently_down = seconds(load_streets(hill(5.0), elevation="source"))[1]
    assert gently_down == pytest.approx(90 / 1.19125, rel=1e-4)


def test_nothing_is_steeper_than_a_half():
    assert seconds(load_streets(hill(900.0), elevation="source")) == seconds(
        load_streets(hill(50.0), elevation="source")
    )


@given(st.floats(-0.5, 0.5))
def test_uphill_is_never_quicker_than_down(rise):
    up, down = tobler_share(np.array([abs(rise), -abs(rise)]))
    assert up <= down <= np.exp(0.175) + 1e-12
    assert tobler_share(np.array([0.0]))[0] == 1.0


def test_heights_are_asked_for_by_name():
    assert seconds(load_streets(hill(10.0))) == pytest.approx((90, 90))


@pytest.mark.parametrize("mode", ["ebike", "drive"])
def test_riders_and_cars_do_not_mind(mode, tmp_path):
    dem = write_dem(tmp_path / "dem.tif", np.arange(100.0).reshape(10, 10))
    for elevation in ("source", dem):
        one = load_streets(hill(10.0), mode=mode, elevation=elevation)
        two = load_streets(hill(10.0), mode=mode)
        np.testing.assert_array_equal(one.forward_ms, two.forward_ms)


def test_graphml_names_heights_either_way(tmp_path):
    graph = hill(10.0)
    for name in ("elevation", "ele"):
        told = nx.relabel_nodes(graph, {})
        for node in told:
            told.nodes[node][name] = str(told.nodes[node].pop("elevation"))
        nx.write_graphml(told, tmp_path / "hill.graphml")
        net = load_streets(tmp_path / "hill.graphml", elevation="source")
        assert seconds(net)[0] == pytest.approx(127.716, abs=1e-3)


def test_inner_vertices_of_an_edge_rise_in_proportion():
    graph = hill(10.0)
    bent = LINE([(WEST, NORTH), (WEST + 30, NORTH), (WEST + 70, NORTH), (WEST + 100, NORTH)])
    for *_, data in graph.edges(data=True):
        data["geometry"] = bent
    assert seconds(load_streets(graph, elevation="source")) == pytest.approx(
        seconds(load_streets(hill(10.0), elevation="source")), abs=2e-3
    )


def test_a_node_without_height_makes_its_streets_flat_and_is_counted():
    net = load_streets(hill(0, elevation="high"), elevation="source")
    assert seconds(net) == pytest.approx((90, 90))
    assert dict(net.dropped) == {"vertex without elevation": 1}


def test_lines_bring_their_own_heights(tmp_path):
    """Up 10 % for 100 m, level for 100 m."""
    table = street((WEST, NORTH, 5.0), (WEST + 100, NORTH, 15.0), (WEST + 200, NORTH, 15.0))
    table.to_file(tmp_path / "z.gpkg")
    for source in (table, tmp_path / "z.gpkg"):
        net = load_streets(source, elevation="source")
        assert seconds(net) == pytest.approx((127.716 + 90, 180), abs=2e-3)
        assert net.length_m.sum() == pytest.approx(200.0)  # walked on the map, not on the slope
    assert seconds(load_streets(table)) == pytest.approx((180, 180))


def test_where_lines_meet_at_two_heights_the_lower_counts():
    spot = (WEST + 100, NORTH)
    lines = [
        LINE([(WEST, NORTH, 0.0), (*spot, 10.0)]),
        LINE([(*spot, 0.0), (WEST + 200, NORTH, 0)]),
    ]
    for order in (lines, lines[::-1]):
        net = load_streets(gpd.GeoDataFrame(geometry=order, crs=UTM), elevation="source")
        assert seconds(net) == pytest.approx((180, 180))


@pytest.mark.parametrize("source", ["graph", "layer", "file"])
def test_a_source_without_heights_says_so(source, tmp_path):
    flat = street((WEST, NORTH), (WEST + 100, NORTH))
    if source == "graph":
        flat = hill(0)
        for node in flat:
            del flat.nodes[node]["elevation"]
    elif source == "file":
        flat.to_file(tmp_path / "flat.gpkg")
        flat = tmp_path / "flat.gpkg"
    with pytest.raises(InputError, match=r"holds no elevation.*Name a DEM file") as caught:
        load_streets(flat, elevation="source")
    assert source != "file" or str(caught.value.file).endswith("flat.gpkg")


# ── rasters ───────────────────────────────────────────────────────────────────────────────────


def plane(rows=40, columns=40, cell=10.0):
    """Heights 0.1 m a metre eastward and 0.02 northward."""
    x = WEST + cell * (np.arange(columns) + 0.5)
    y = NORTH - cell * (np.arange(rows) + 0.5)
    return height(x[None, :], y[:, None])


def height(x, y):
    return 100 + 0.1 * (x - WEST) + 0.02 * (y - NORTH)


def test_a_plane_is_read_exactly(tmp_path):
    dem = write_dem(tmp_path / "dem.tif", plane())
    rng = np.random.default_rng(0)
    x, y = WEST + rng.uniform(5, 395, 200), NORTH - rng.uniform(5, 395, 200)
    np.testing.assert_allclose(sample_dem(dem, x, y, CRS(UTM)), height(x, y), atol=1e-9)


def test_large_rasters_are_read_in_bands(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    dem = write_dem(tmp_path / "dem.tif", rng.uniform(0, 100, (60, 30)))
    x, y = WEST + rng.uniform(0, 300, 500), NORTH - rng.uniform(0, 600, 500)
    whole = sample_dem(dem, x, y, CRS(UTM))
    monkeypatch.setattr(slope, "_BAND_CELLS", 100)
    np.testing.assert_array_equal(sample_dem(dem, x, y, CRS(UTM)), whole)
    assert np.isfinite(whole).all()


def test_a_raster_in_degrees_and_scaled_is_read_alike(tmp_path):
    """Decimetres in whole numbers, in another CRS."""
    to_degrees = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)
    west, north = to_degrees.transform(WEST - 50, NORTH + 50)
    cell = 1e-4
    lon = west + cell * (np.arange(60) + 0.5)
    lat = north - cell * (np.arange(60) + 0.5)
    x, y = Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(*np.meshgrid(lon, lat))
    values = np.rint(10 * height(x, y)).astype(np.int16)
    dem = write_dem(
        tmp_path / "dem.tif", values, cell=cell, crs="EPSG:4326", west=west, north=north
    )
    import rasterio

    with rasterio.open(dem, "r+") as raster:
        raster.scales = (0.1,)
    px, py = np.array([WEST + 30, WEST + 300]), np.array([NORTH - 20, NORTH - 400])
    np.testing.assert_allclose(sample_dem(dem, px, py, CRS(UTM)), height(px, py), atol=0.06)


def test_a_street_on_the_plane_by_hand(tmp_path):
    dem = write_dem(tmp_path / "dem.tif", plane())
    net = load_streets(street((WEST + 50, NORTH - 50), (WEST + 150, NORTH - 50)), elevation=dem)
    assert seconds(net) == pytest.approx((127.716, 90), abs=1e-3)
    assert dict(net.dropped) == {}


def test_a_flat_raster_changes_nothing(tmp_path):
    dem = write_dem(tmp_path / "dem.tif", np.full((20, 20), 37.0))
    lines = [
        LINE([(WEST + 10, NORTH - 10), (WEST + 60, NORTH - 15), (WEST + 150, NORTH - 90)]),
        LINE([(WEST + 60, NORTH - 15), (WEST + 60, NORTH - 150)]),
    ]
    table = gpd.GeoDataFrame(geometry=lines, crs=UTM)
    one, two = load_streets(table), load_streets(table, elevation=dem)
    assert one.key == two.key
    np.testing.assert_array_equal(one.forward_ms, two.forward_ms)
    np.testing.assert_array_equal(one.backward_ms, two.backward_ms)


@pytest.mark.parametrize("mark", ["declared", "undeclared", "not a number"])
def test_cells_without_value_are_flat_and_counted(tmp_path, mark):
    values = plane().astype(np.float32)
    values[:, 20:] = np.nan if mark == "not a number" else -32768
    options = {"nodata": -32768} if mark == "declared" else {}
    dem = write_dem(tmp_path / "dem.tif", values, **options)
    y = NORTH - 50
    net = load_streets(street((WEST + 50, y), (WEST + 150, y), (WEST + 300, y)), elevation=dem)
    assert seconds(net) == pytest.approx((127.716 + 135, 90 + 135), abs=2e-3)
    assert dict(net.dropped) == {"vertex without elevation": 1}


def test_streets_beyond_the_raster_are_flat_and_counted(tmp_path):
    dem = write_dem(tmp_path / "dem.tif", plane())
    y = NORTH - 50
    net = load_streets(street((WEST + 300, y), (WEST + 395, y), (WEST + 500, y)), elevation=dem)
    assert dict(net.dropped) == {"vertex without elevation": 1}
    far = street((WEST + 5000, y), (WEST + 6000, y))
    with pytest.raises(
        InputError, match=r"dem\.tif: the elevation file covers none of the streets"
    ):
        load_streets(far, elevation=dem)


def test_rasters_that_are_none(tmp_path):
    here = street((WEST + 50, NORTH - 50), (WEST + 150, NORTH - 50))
    with pytest.raises(MissingFileError, match=r"none\.tif: no such file.*streets\.elevation"):
        load_streets(here, elevation=tmp_path / "none.tif")
    for content in (b"", b"not a raster at all"):
        (tmp_path / "bad.tif").write_bytes(content)
        with pytest.raises(InputError, match=r"bad\.tif: cannot be read as elevation.*GeoTIFF"):
            load_streets(here, elevation=tmp_path / "bad.tif")
    whole = write_dem(tmp_path / "dem.tif", plane()).read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputError, match=r"cut\.tif: cannot be read as elevation"):
        load_streets(here, elevation=tmp_path / "cut.tif")
    with pytest.raises(CrsError, match=r"nocrs\.tif: the elevation file has no CRS"):
        load_streets(here, elevation=write_dem(tmp_path / "nocrs.tif", plane(), crs=None))


def test_without_rasterio_the_extra_is_named(tmp_path, monkeypatch):
    dem = write_dem(tmp_path / "dem.tif", plane())
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(SettingsError, match=r'pip install "station-coverage-planner\[elevation\]"'):
        load_streets(street((WEST + 50, NORTH), (WEST + 150, NORTH)), elevation=dem)


def test_a_saved_network_has_its_slopes_already(tmp_path):
    net = load_streets(hill(10.0), elevation="source")
    file = save_streets(net, tmp_path / "hill.npz")
    assert seconds(load_streets(file)) == seconds(net)
    with pytest.raises(InputError, match=r"those they were saved with, not other slopes"):
        load_streets(file, elevation="source")


def test_slopes_do_not_depend_on_the_order_of_rows(tmp_path):
    rng = np.random.default_rng(3)
    dem = write_dem(tmp_path / "dem.tif", rng.uniform(0, 30, (40, 40)))
    xy = rng.integers(1, 39, (30, 2, 2)) * 10.0
    lines = [LINE([(WEST + a, NORTH - b), (WEST + c, NORTH - d)]) for (a, b), (c, d) in xy]
    table = gpd.GeoDataFrame(geometry=[line for line in lines if line.length], crs=UTM)
    one = load_streets(table, elevation=dem)
    two = load_streets(table.sample(frac=1, random_state=1), elevation=dem)
    assert one.key == two.key
    np.testing.assert_array_equal(one.forward_ms, two.forward_ms)
