"""What stands in the sample city: malls, towers, hospitals, schools, estates, restaurants."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from planner.load.sample.blocks import district_of
from planner.load.sample.names import Names

if TYPE_CHECKING:
    from planner.load.sample.ground import Ground
    from planner.load.sample.streets import Streets

# Landmarks by hand: name, kind, x, y, weight. The weight says how much it draws.
_LANDMARKS: tuple[tuple[str, str, float, float, float], ...] = (
    ("九街里商业街", "mall", -60, 1900, 9), ("鼓楼百货", "mall", 300, 1480, 5),
    ("虔城万和汇", "mall", 180, 30, 10), ("中山广场购物中心", "mall", -560, -420, 6),
    ("南门百货大楼", "mall", 1100, -260, 5), ("滨江悦汇广场", "mall", -2150, -1560, 8),
    ("翠湖天地", "mall", -3330, -2000, 5), ("科创云谷中心", "mall", 1050, -2150, 7),
    ("智汇里食街", "mall", 500, -3000, 5), ("水西里商业街", "mall", -2050, 2060, 5),
    ("学府街商业城", "mall", -3050, 3000, 7), ("水东汇广场", "mall", 1620, 2560, 6),
    ("站前广汇中心", "mall", 3350, 1950, 6), ("东江锦城", "mall", 3980, -560, 8),
    ("东江里生活广场", "mall", 4150, -1550, 5), ("港南商贸城", "mall", -520, -4870, 4),
    ("虔城市人民医院", "hospital", -420, 250, 6), ("古城中医院", "hospital", -520, 1300, 4),
    ("虔城大学附属医院", "hospital", 2750, 2950, 7),
    ("滨江妇幼保健院", "hospital", -3900, -2650, 6),
    ("东江新城医院", "hospital", 4550, -980, 6), ("高新区医院", "hospital", 1750, -2900, 4),
    ("水西医院", "hospital", -3000, 1150, 4),
    ("虔城大学", "university", -3150, 3500, 9), ("虔城职业技术学院", "university", -4450, 2450, 5),
    ("虔江师范学院", "university", 4900, -1600, 4),
    ("虔城火车站", "transit", 4250, 2150, 7), ("城南客运站", "transit", -1750, -3500, 4),
    ("水西客运站", "transit", -2700, 2350, 3),
    ("水东果蔬批发市场", "market", 1350, 2850, 5), ("西门菜市场", "market", -1000, 1300, 3),
    ("南门农贸市场", "market", 650, -520, 3), ("东江农贸市场", "market", 3700, -1350, 3),
    ("翠湖公园", "park", -2650, -2080, 4), ("古城墙公园", "park", 60, 2600, 3),
    ("八角亭公园", "park", 1400, -1020, 3), ("月牙湖公园", "park", -3900, 3100, 2),
    ("中心广场", "plaza", 60, -560, 5), ("市民广场", "plaza", -2350, -2250, 4),
    ("站前广场", "plaza", 4080, 2120, 4), ("科创广场", "plaza", 1120, -2700, 4),
    ("鼓楼广场", "plaza", 60, 1450, 3), ("东江市民广场", "plaza", 3950, -950, 4),
)  # fmt: skip

# Where towers, schools, estates and restaurants gather: x, y, spread, how much
# each draws, then how many of each.
_GATHERINGS: tuple[tuple[float, float, float, float, int, int, int, int], ...] = (
    (-50, 1750, 650, 1.25, 0, 5, 12, 26),  # old town
    (200, -250, 900, 1.3, 11, 6, 20, 22),  # Zhongshan
    (-2250, -1750, 750, 1.2, 10, 4, 16, 14),  # Binjiang, the government's quarter
    (-3750, -2500, 550, 1.0, 2, 3, 13, 8),  # Binjiang west
    (-2900, -3100, 500, 1.0, 0, 2, 11, 4),
    (1050, -2200, 700, 1.0, 13, 1, 4, 12),  # business park
    (1500, -3050, 550, 1.0, 5, 1, 6, 7),
    (400, -3050, 500, 1.0, 4, 1, 10, 7),
    (-2000, 2100, 500, 1.0, 1, 3, 11, 9),  # Shuixi
    (-3100, 3200, 500, 1.0, 0, 2, 10, 15),  # university
    (-3000, 1250, 600, 1.0, 0, 2, 11, 5),
    (1550, 2650, 550, 1.0, 1, 3, 13, 12),  # Shuidong
    (2750, 2850, 500, 1.0, 2, 2, 11, 9),  # hospital
    (3350, 1850, 600, 1.0, 4, 2, 14, 10),  # railway station
    (4000, -700, 600, 1.0, 5, 3, 17, 12),  # Dongjiang
    (4250, -1600, 500, 1.0, 1, 3, 15, 8),
    (-400, -4950, 700, 1.0, 3, 1, 5, 7),  # logistics
    # the edges, where flats are cheap and nothing is near
    (-4750, 1350, 450, 2.0, 0, 1, 8, 5),
    (-4700, -1350, 450, 2.0, 0, 1, 7, 4),
    (-4450, -2500, 450, 2.0, 1, 1, 7, 3),
    (-2900, -450, 500, 2.0, 1, 2, 9, 4),
    (-2500, 3900, 450, 2.0, 0, 1, 7, 4),
    (2050, -1350, 450, 2.0, 2, 1, 8, 5),
    (2150, -3000, 350, 2.0, 1, 0, 6, 4),
    (-800, -3050, 450, 2.0, 2, 1, 7, 4),
    (2250, 3650, 500, 2.0, 0, 2, 10, 5),
    (4000, 3100, 500, 2.0, 0, 1, 8, 4),
    (4700, 750, 500, 2.0, 1, 1, 9, 5),
    (5150, -350, 400, 2.0, 0, 1, 7, 3),
    (4250, -2700, 400, 2.0, 0, 1, 7, 4),
    (600, 3900, 500, 2.0, 0, 1, 8, 4),
    (1300, -4900, 500, 2.0, 2, 0, 4, 4),
    (-2300, -4850, 450, 2.0, 2, 0, 3, 3),
)
_WEIGHT = {"tower": 2.2, "school": 1.0, "estate": 1.6, "restaurant": 1.0}
_LABEL = {
    "tower": ("大厦", "中心", "国际", "商务楼"),
    "school": ("小学", "中学", "实验学校", "幼儿园"),
    "estate": ("花园", "小区", "家园", "府", "苑", "新村", "公馆"),
    "restaurant": ("小炒", "粉面馆", "茶饮", "烧烤", "快餐", "汤店", "炸鸡", "米粉", "饭店"),
}


class Place(NamedTuple):
    """Something people go to; its point is the door, beside a street."""

    name: str
    kind: str
    district: str
    x: float
    y: float
    weight: float


class Kerbs:
    """Points beside streets on foot, drawn near anywhere."""

    def __init__(self, streets: Streets) -> None:
        walked = [p for p in streets.pieces if not p.highway.startswith("motorway")]
        calm = [p for p in walked if p.highway not in {"trunk", "path"}]
        self.lines = np.array([shapely.LineString(p.xy) for p in calm])
        self._tree = shapely.STRtree(self.lines)

    def door(self, x: float, y: float, *, set_back_m: float = 12.0) -> tuple[float, float]:
        """Return the point beside the nearest street, on the side that (x, y) lies on."""
        here = shapely.Point(x, y)
        line = self.lines[int(self._tree.nearest(here))]
        foot = np.array(line.interpolate(line.project(here)).coords[0])
        away = np.array([x, y]) - foot
        size = np.hypot(*away)
        away = away / size if size > 0.5 else np.array([1.0, 0.0])
        at = foot + away * min(set_back_m, max(size, 4.0))
        return float(at[0]), float(at[1])


def make_places(
    ground: Ground, streets: Streets, kerbs: Kerbs, rng: np.random.Generator
) -> list[Place]:
    """Place landmarks where they belong and everything else around centres."""
    names = Names(rng)
    places = [
        _stand(Place(name, kind, "", x, y, weight), ground, kerbs)
        for name, kind, x, y, weight in _LANDMARKS
    ]
    middles = shapely.get_coordinates([b.shape.representative_point() for b in streets.blocks])
    free = np.ones(len(middles), dtype=bool)
    big = np.array([b.shape.area for b in streets.blocks]) > 6000
    for x, y, spread, pull, *counts in _GATHERINGS:
        for kind, count in zip(_WEIGHT, map(int, counts), strict=True):
            for _ in range(count):
                wanted = np.array([x, y]) + rng.normal(0, spread * 0.6, 2)
                if kind == "restaurant":
                    at = _near_landmark(places, wanted, rng)
                else:  # one a block
                    far = np.hypot(*(middles - wanted).T) + 1e6 * ~(free & big)
                    block = int(far.argmin())
                    free[block] = False
                    at = middles[block]
                label = _LABEL[kind][rng.integers(len(_LABEL[kind]))]
                weight = pull * _WEIGHT[kind] * rng.lognormal(0, 0.45)
                place = Place(names.word() + label, kind, "", *at, weight)
                places.append(_stand(place, ground, kerbs))
    return places


def _stand(place: Place, ground: Ground, kerbs: Kerbs) -> Place:
    """Move a place to the kerb and note its district."""
    x, y = kerbs.door(place.x, place.y)
    return place._replace(district=district_of(shapely.Point(x, y), ground), x=x, y=y)


def _near_landmark(
    places: list[Place], wanted: np.ndarray, rng: np.random.Generator
) -> tuple[float, float]:
    """Draw a restaurant to the crowd: most stand within a few steps of a landmark."""
    draws = [p for p in places if p.kind in {"mall", "university", "hospital", "market", "transit"}]
    xy = np.array([(p.x, p.y) for p in draws])
    nearest = int(np.hypot(*(xy - wanted).T).argmin())
    if rng.random() < 0.72 and np.hypot(*(xy[nearest] - wanted)) < 900:
        wanted = xy[nearest] + rng.normal(0, 75, 2)
    return float(wanted[0]), float(wanted[1])
