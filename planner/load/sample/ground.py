"""The ground of the sample city: a river that two arms make, lakes, an expressway, districts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
import shapely.ops
from pyproj import CRS, Transformer

CENTRE = (114.93, 25.85)  # degrees; where x = y = 0
METRIC = CRS.from_epsg(32650)

# Courses as x, y in metres from the centre. The town lies in the fork of the two arms.
_WEST_ARM = (
    (-7600, -900), (-6300, -1350), (-5200, -1250), (-4300, -400), (-3500, 350), (-2500, 550),
    (-1750, 1150), (-1250, 2100), (-800, 2900), (-480, 3500),
)  # fmt: skip
_EAST_ARM = (
    (6300, -7200), (5600, -6000), (4800, -5000), (3700, -4150), (2900, -3200), (2700, -2200),
    (3150, -1200), (3100, -200), (2350, 600), (1450, 1250), (800, 2050), (250, 2850), (-480, 3500),
)  # fmt: skip
_TRUNK = ((-480, 3500), (-900, 4250), (-880, 5100), (-1350, 5950), (-2100, 7000))
_ISLAND = ((-800, 4050), (-880, 4420), (-900, 4780))
_EXPRESSWAY = (
    (-7500, -3900), (-5600, -4280), (-3600, -4350), (-1200, -4180), (1000, -4350), (2800, -4750),
    (4300, -4500), (5600, -3700), (7200, -3100),
)  # fmt: skip
_LAKES = (  # x, y, radii, turn in degrees
    (-2850, -2350, 330, 190, 25),
    (-4150, 3050, 210, 120, -20),
    (1450, -1250, 190, 110, 70),
)

# Lines between districts; river arms and expressway divide the rest. Ends reach over the border.
_DIVIDERS = (
    ((-2650, 760), (-1500, 700), (-300, 640), (900, 720), (2550, 760)),
    ((-2480, 760), (-2050, -150), (-1560, -1080)),
    ((-1560, -1080), (200, -1020), (1600, -1060), (3350, -1090)),
    ((-760, -980), (-640, -2500), (-700, -4300)),
    ((2850, 60), (4300, 420), (5200, 450), (7000, 700)),
)
DISTRICTS: dict[str, tuple[str, tuple[float, float]]] = {  # name: English name, a point inside
    "古城区": ("Gucheng Old Town", (-100, 1800)),
    "中山区": ("Zhongshan", (300, -300)),
    "滨江新区": ("Binjiang New District", (-2600, -2000)),
    "高新区": ("Gaoxin Hi-tech Park", (1300, -2600)),
    "水西区": ("Shuixi", (-3000, 2600)),
    "水东区": ("Shuidong", (2500, 2400)),
    "东江新城": ("Dongjiang New Town", (4300, -1500)),
    "港南区": ("Gangnan Logistics", (-200, -5000)),
}


@dataclass(frozen=True)
class Ground:
    """What the city is built on; metres from the centre.

    Attributes
    ----------
    area
        The study area.
    river, lakes, islands
        Water; the river without its islands.
    expressway
        The centre line, inside the area.
    land
        Where streets can be: polygons parted by water and expressway.
    districts
        Name → polygon.
    """

    area: shapely.Polygon
    river: shapely.Polygon
    lakes: shapely.MultiPolygon
    expressway: shapely.LineString
    land: shapely.MultiPolygon
    districts: dict[str, shapely.Polygon]

    @property
    def water(self) -> shapely.MultiPolygon:
        """River and lakes."""
        return shapely.union_all([self.river, self.lakes])


def make_ground() -> Ground:
    """Lay out river, lakes, expressway and districts; nothing here is drawn at random."""
    area = _area()
    arms = [
        _stream(_WEST_ARM, 175, 215),
        _stream(_EAST_ARM, 330, 265),
        _stream(_TRUNK, 400, 470),
    ]
    river = shapely.union_all(arms).buffer(70).buffer(-120).buffer(50)
    island = smooth(_ISLAND).buffer(62)
    river = shapely.make_valid(river.difference(island).intersection(area))
    lakes = shapely.MultiPolygon([_lake(*lake) for lake in _LAKES])
    expressway = smooth(_EXPRESSWAY).intersection(area)
    barrier = shapely.union_all(
        [river.buffer(38), island.buffer(50), lakes.buffer(25), expressway.buffer(42, quad_segs=4)]
    )
    pieces = shapely.get_parts(area.difference(barrier))
    land = shapely.MultiPolygon([p for p in pieces if p.area > 100_000])
    return Ground(area, river, lakes, expressway, land, _districts(area))


def smooth(points: tuple[tuple[float, float], ...], step: float = 45.0) -> shapely.LineString:
    """Return a Catmull-Rom curve through points, with a vertex about every `step` metres."""
    p = np.array(points, dtype=float)
    if len(p) < 3:
        return shapely.LineString(p)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    parts = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        t = np.linspace(0, 1, max(2, int(np.hypot(*(c - b)) / step)), endpoint=False)[:, None]
        parts.append(
            b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        )
    return shapely.LineString(np.vstack([*parts, p[-2:-1]]))


def to_degrees(xy: np.ndarray) -> np.ndarray:
    """Turn metres from the centre, shape (n, 2), into longitude and latitude."""
    xy = np.asarray(xy, dtype=float).reshape(-1, 2)
    back = Transformer.from_crs(METRIC, "EPSG:4326", always_xy=True)
    return np.column_stack(back.transform(*(xy + _origin()).T))


def to_metres(degrees: np.ndarray) -> np.ndarray:
    """Turn longitude and latitude, shape (n, 2), into metres from the centre."""
    degrees = np.asarray(degrees, dtype=float).reshape(-1, 2)
    there = Transformer.from_crs("EPSG:4326", METRIC, always_xy=True)
    return np.column_stack(there.transform(*degrees.T)) - _origin()


@cache
def _origin() -> np.ndarray:
    there = Transformer.from_crs("EPSG:4326", METRIC, always_xy=True)
    return np.round(np.array(there.transform(*CENTRE)))


def _area() -> shapely.Polygon:
    """Return the border: an oval with bays, as administrative borders have."""
    turn = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    bays = 0.045 * np.sin(3 * turn + 0.7) + 0.03 * np.sin(5 * turn + 2.1)
    bays += 0.016 * np.sin(11 * turn) + 0.008 * np.sin(23 * turn + 1.0)
    x = -100 + 5750 * (1 + bays) * np.cos(turn)
    y = -330 + 5450 * (1 + bays) * np.sin(turn)
    return shapely.Polygon(np.column_stack([x, y]))


def _stream(
    course: tuple[tuple[float, float], ...], width: float, width_end: float
) -> shapely.Polygon:
    """Return water along a course whose width swells and shrinks."""
    line = shapely.get_coordinates(smooth(course, step=60))
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    ahead = np.gradient(line, axis=0)
    side = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.hypot(*ahead.T)[:, None]
    half = 0.5 * np.interp(along, [0, along[-1]], [width, width_end])
    left = half * (1 + 0.13 * np.sin(along / 410 + 0.4) + 0.06 * np.sin(along / 150))
    right = half * (1 + 0.12 * np.sin(along / 530 + 2.0) + 0.06 * np.sin(along / 170 + 1))
    ring = np.vstack([line + side * left[:, None], (line - side * right[:, None])[::-1]])
    return shapely.make_valid(shapely.Polygon(ring))


def _lake(x: float, y: float, long: float, short: float, turn_deg: float) -> shapely.Polygon:
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    swell = 1 + 0.16 * np.sin(2 * turn + 1) + 0.09 * np.sin(3 * turn) + 0.05 * np.sin(7 * turn)
    u, v = long * swell * np.cos(turn), short * swell * np.sin(turn)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    return shapely.Polygon(np.column_stack([x + u * c - v * s, y + u * s + v * c]))


def _districts(area: shapely.Polygon) -> dict[str, shapely.Polygon]:
    lines = [smooth(c) for c in (_WEST_ARM, _EAST_ARM, _TRUNK, _EXPRESSWAY, *_DIVIDERS)]
    noded = shapely.union_all([area.exterior, *lines])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    faces = [f for f in faces if area.contains(f.representative_point())]
    points = shapely.points([at for _, at in DISTRICTS.values()])
    owner = [int(np.argmin(shapely.distance(face, points))) for face in faces]
    return {
        name: shapely.union_all([f for f, o in zip(faces, owner, strict=True) if o == k])
        for k, name in enumerate(DISTRICTS)
    }
