"""What is packed comes back as it was, and no rounding changes who is covered."""

import base64
import json
import zlib

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csc_array

from planner.draw import pack

CRS = "EPSG:32650"


class Reader:
    """The same bytes as `page/packed.js` reads them."""

    def __init__(self, text):
        self.bytes, self.at = zlib.decompress(base64.b64decode(text)), 0

    def uint(self):
        value, shift = 0, 0
        while True:
            byte = self.bytes[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def int(self):
        v = self.uint()
        return (v >> 1) ^ -(v & 1)

    def uints(self, n):
        return [self.uint() for _ in range(n)]

    def ints(self, n):
        return [self.int() for _ in range(n)]


@given(hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-(2**40), 2**40)))
def test_integers_come_back(values):
    read = Reader(pack.pack(pack.varint(pack.zigzag(values))))
    assert read.ints(len(values)) == values.tolist()


def test_json_refuses_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack.pack_json({"share": float("nan")})


def test_pixels_are_web_mercator_at_zoom_18():
    x, y = pack.to_pixels(np.array([0.0, 120.0]), np.array([0.0, 30.0]), "EPSG:4326")
    assert x == pytest.approx([2**25, 2**26 * (120 / 360 + 0.5)])
    assert y[0] == pytest.approx(2**25)
    assert y[1] == pytest.approx(2**26 * 0.41257, rel=1e-4)  # tile (213, 105) of zoom 8 has it


def test_lines_come_back_each_with_its_class():
    rng = np.random.default_rng(3)
    lines = [
        shapely.LineString(np.array([4e5, 2.8e6]) + rng.uniform(0, 900, (k, 2)))
        for k in rng.integers(2, 9, 40)
    ]
    rank = rng.integers(0, 6, 40)
    read = Reader(pack.pack_lines(np.array(lines), rank, CRS))
    n = read.uint()
    counts, ranks = read.uints(n), read.uints(n)
    x, y = np.cumsum(read.ints(sum(counts))), np.cumsum(read.ints(sum(counts)))
    got = {}
    for points, r in zip(np.split(np.c_[x, y], np.cumsum(counts)[:-1]), ranks, strict=True):
        got[tuple(map(tuple, points.tolist()))] = r
    for line, r in zip(lines, rank, strict=True):
        px = np.rint(np.c_[pack.to_pixels(*shapely.get_coordinates(line).T, CRS)]).astype(int)
        assert got[tuple(map(tuple, px.tolist()))] == r


def test_a_line_of_one_pixel_is_left_out():
    dot = shapely.LineString([(4e5 + 0.3, 2.8e6 + 0.3), (4e5 + 0.301, 2.8e6 + 0.3)])
    assert Reader(pack.pack_lines(np.array([dot]), np.array([2]), CRS)).uint() == 0


@pytest.mark.parametrize(
    ("width", "base"),
    [(30.0, (0, 0)), (1000.0, (0, 0)), (100.0, (33021, 4011)), (30.0, (-7, -13)), (500.0, (-8, 3))],
)
def test_hexagons_lie_where_they_are_within_a_pixel(width, base):
    row, col = (a.ravel() + b for a, b in zip(np.mgrid[0:80:9, 0:90:11], base, strict=True))
    origin = (5e5, 3e6) if base[0] < 1000 else (0.0, 0.0)
    x = origin[0] + width * (col + 0.5 * (row % 2))
    y = origin[1] + width * row * np.sqrt(3) / 2
    weight = np.ones((len(row), 1))
    head, body, order = pack.pack_cells(row, col, weight, origin=origin, width_m=width, crs=CRS)
    read = Reader(body)
    r, c = np.cumsum(read.uints(len(row))), np.cumsum(read.ints(len(row)))
    u, v = (c + 0.5 * (r % 2)) / head["scale"], r * np.sqrt(3) / 2 / head["scale"]
    terms = np.column_stack([u**i * v**j for i in range(4) for j in range(4 - i)])
    px, py = terms @ np.array(head["fit"]).T[:, 0], terms @ np.array(head["fit"]).T[:, 1]
    want = np.c_[pack.to_pixels(x[order], y[order], CRS)]
    assert np.abs(np.c_[px, py] - want).max() < 1.0


def test_shares_survive_the_rounding_of_weights():
    rng = np.random.default_rng(0)
    n = 5000
    weight = np.c_[rng.gamma(0.5, 8.0, n), np.where(rng.random(n) < 0.7, 0.0, 1.0), np.zeros(n)]
    row, col = np.divmod(np.arange(n), 70)
    head, body, order = pack.pack_cells(row, col, weight, origin=(5e5, 3e6), width_m=50, crs=CRS)
    read = Reader(body)
    read.uints(n), read.ints(n)
    whole = np.array([read.uints(n) for _ in range(3)]).T
    assert (whole[:, 2] == 0).all()
    half = np.arange(n) % 2 == 0
    for part in (0, 1):
        want = weight[order][half, part].sum() / weight[:, part].sum()
        assert whole[half, part].sum() / whole[:, part].sum() == pytest.approx(want, abs=1e-5)
        assert whole[:, part] * head["unit"][part] == pytest.approx(weight[order, part], abs=1e-2)


@given(limit=st.sampled_from([5.0, 10.0, 15.0, 45.0, 120.0]), seed=st.integers(0, 1000))
def test_reach_comes_back_and_never_crosses_the_limit(limit, seed):
    rng = np.random.default_rng(seed)
    dense = rng.uniform(0, 2 * limit, (30, 6))
    dense[0, 0] = limit
    row, col = np.nonzero(dense <= limit)
    minutes = csc_array((dense[row, col], (row, col)), shape=dense.shape)
    order = rng.permutation(30)
    unit, text = pack.pack_reach(minutes, order, limit)
    read = Reader(text)
    counts = read.uints(6)
    cells = [np.cumsum(read.uints(k)) for k in counts]
    times = np.frombuffer(read.bytes[read.at :], dtype=np.uint8)
    assert len(times) == sum(counts)
    for f, (cell, time) in enumerate(
        zip(cells, np.split(times, np.cumsum(counts)[:-1]), strict=True)
    ):
        assert set(order[cell]) == set(np.flatnonzero(dense[:, f] <= limit))
        assert (time * unit >= dense[order[cell], f] - 1e-6).all()
        assert (time * unit <= limit + 1e-9).all()


def test_reach_of_nobody_is_empty():
    unit, text = pack.pack_reach(csc_array((4, 0)), np.arange(4), 15.0)
    assert (unit, zlib.decompress(base64.b64decode(text))) == (0.25, b"")


def test_rings_come_back():
    hole = shapely.box(4e5 + 20, 2.8e6 + 20, 4e5 + 40, 2.8e6 + 40)
    shape = shapely.box(4e5, 2.8e6, 4e5 + 100, 2.8e6 + 100).difference(hole)
    ((outer, inner),) = json.loads(json.dumps(pack.ring_steps(shape, CRS)))
    assert len(outer) == len(inner) == 10
    corner = np.cumsum(np.array(outer).reshape(-1, 2), axis=0)[2]
    lonlat = gpd.GeoSeries([shape], crs=CRS)
    x, y = shapely.get_coordinates(lonlat.iloc[0])[2]
    assert corner == pytest.approx(np.ravel(pack.to_pixels(x, y, CRS)), abs=0.5)
    assert pack.ring_steps(shapely.Polygon(), CRS) == []
