"""The map on page one: ground, demand not reached, what exists, and the answer on top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.report.cells import draw_cells
from planner.report.figures import district_names, table
from planner.report.svg import (
    DISTRICT_LINE,
    EXISTING,
    INK,
    PARKING,
    SECOND,
    SITE,
    WATER,
    area_path,
    drawing,
    element,
    group,
    line_path,
    text_width,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from markupsafe import Markup

    from planner.plan import Plan
    from planner.report.words import Words

# Ten units a millimetre: the map is 160 mm wide.
WIDTH = 1600.0
_HEIGHTS = (800.0, 1100.0)
_STREET_BYTES = 160_000
_TYPE = 25.0  # 7 pt
_LABEL_GAP = 8.0
_LEAST_CELL = 20.0  # a lone cell is drawn 2 mm wide at least
_RIM = 36.0  # between the middles of a circle and a square that touch

# How wide a street is drawn by its class, 0 path … 5 motorway, and how strong.
_STREET_LOOK = {5: (4.5, 0.3), 4: (4.0, 0.3), 3: (3.0, 0.28), 2: (1.8, 0.2), 1: (1.2, 0.13),
                0: (0.8, 0.1)}  # fmt: skip

# Every kind but a station has its own simple shape within ±9 units.
GLYPHS = {
    "parking": "M-7-7h14v14h-14z",
    "merchant": "M0-10l10 10l-10 10l-10-10z",
    "pharmacy": "M-3-9h6v6h6v6h-6v6h-6v-6h-6v-6h6z",
    "canteen": "M0-9l9.5 16.5h-19z",
    "charging": "M0 9l9.5-16.5h-19z",
    "drivers_home": "M0-10l9.5 8v10h-19v-10z",
}


@dataclass(frozen=True)
class View:
    """A window of the ground in metres, and the picture it is shown in.

    Attributes
    ----------
    west, south, east, north
        The window, metres in the study's CRS.
    height, width
        Of the picture in units, ten a millimetre.
    """

    west: float
    south: float
    east: float
    north: float
    height: float
    width: float = WIDTH

    @property
    def scale(self) -> float:
        """Units a metre."""
        return self.width / (self.east - self.west)

    def cut(self, shapes: np.ndarray) -> np.ndarray:
        """Return shapes cut to the window and 2 mm beyond, still in metres; some may be empty."""
        rim = 20.0 / self.scale
        return shapely.clip_by_rect(
            shapes, self.west - rim, self.south - rim, self.east + rim, self.north + rim
        )

    def place(self, shapes: np.ndarray) -> np.ndarray:
        """Return what of the shapes is in the window, in units, y downwards."""
        cut = self.cut(shapes)
        return self.turn(cut[~shapely.is_empty(cut)])

    def turn(self, shapes: np.ndarray) -> np.ndarray:
        """Return shapes in units, uncut."""
        corner = np.array([self.west, self.north])
        factor = np.array([self.scale, -self.scale])
        return shapely.transform(shapes, lambda xy: (xy - corner) * factor)

    def points(self, frame: gpd.GeoDataFrame) -> np.ndarray:
        """Return the points of a table in units, shape (n, 2); those outside as they fall."""
        if not len(frame):
            return np.zeros((0, 2))
        xy = np.column_stack([frame.geometry.x, frame.geometry.y])
        corner = np.array([self.west, self.north])
        return (xy - corner) * np.array([self.scale, -self.scale])


def draw_city(plan: Plan, w: Words, *, label: str) -> Markup:
    """Draw the plan on one picture 160 mm wide, well under 400 kB.

    Parameters
    ----------
    plan
        Tables read: ``demand, districts, streets, water, stations, parking, sites, candidates``,
        those that are absent give nothing.
    w
        The language.
    label
        What the map shows in words.
    """
    view = frame_view(plan)
    sites, parking = table(plan, "sites"), table(plan, "parking")
    at_sites = view.points(sites)
    at_parking = _beside(view.points(parking), at_sites)
    at_stations = view.points(table(plan, "stations"))
    marks = np.vstack([at_sites, at_stations, at_parking])
    window = element("rect", width=WIDTH, height=view.height)
    parts = [
        element("defs", element("clipPath", window, id="window"), _hatch()),
        group(
            [
                draw_water(table(plan, "water"), view),
                draw_cells(plan, view.turn, least_m=_LEAST_CELL / view.scale),
                draw_streets(table(plan, "streets"), view),
                _districts(table(plan, "districts"), view),
                _names(table(plan, "districts"), view, marks, district_names(plan)),
                _parking(parking, at_parking),
                draw_stations(table(plan, "stations"), at_stations),
                draw_sites(sites, at_sites),
            ],
            clip_path="url(#window)",
        ),
        draw_scale(view, w),
        _north(w),
    ]
    return drawing(parts, width=WIDTH, height=view.height, label=label, class_="map")


def frame_view(plan: Plan) -> View:
    """Return the window that holds the answer, what exists, and 98 % of the demand either way."""
    demand = table(plan, "demand")
    weight = demand["weight_per_day"].to_numpy(dtype=float)
    spans = []
    for axis in ("x", "y"):
        values = getattr(demand.geometry, axis).to_numpy()
        order = np.argsort(values, kind="stable")
        share = np.cumsum(weight[order]) / weight.sum()
        ends = np.searchsorted(share, [0.01, 0.99]).clip(0, len(values) - 1)
        span = list(values[order][ends])
        for name in ("sites", "parking", "stations"):
            frame = table(plan, name)
            span += list(getattr(frame.geometry, axis)) if len(frame) else []
        spans.append((min(span), max(span)))
    (west, east), (south, north) = spans
    pad = 0.05 * max(east - west, north - south, 500.0)
    wide, high = east - west + 2 * pad, north - south + 2 * pad
    height = float(np.clip(WIDTH * high / wide, *_HEIGHTS))
    wide = max(wide, high * WIDTH / height)
    high = wide * height / WIDTH
    x, y = (west + east) / 2, (south + north) / 2
    return View(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, height)


# ── ground ────────────────────────────────────────────────────────────────────────────────────


def _hatch() -> Markup:
    """Hatch what the plan gains, over a tint, so that it stands out in grey print."""
    return element(
        "pattern",
        element("rect", width=13, height=13, fill=SITE, fill_opacity="0.16"),
        element("path", d="M0 0V13", stroke=SITE, stroke_opacity="0.8", stroke_width=3),
        id="gained",
        patternUnits="userSpaceOnUse",
        width=13,
        height=13,
        patternTransform="rotate(45)",
    )


def draw_water(water: gpd.GeoDataFrame, view: View) -> Markup:
    """Draw rivers and lakes."""
    if not len(water):
        return group([])
    shapes = view.place(shapely.make_valid(water.geometry.to_numpy()))
    return element("path", d=area_path(shapely.simplify(shapes, 1.0)), fill=WATER)


def draw_streets(streets: gpd.GeoDataFrame, view: View) -> Markup:
    """Draw streets by class; the smallest are left out where they would make the file heavy."""
    if not len(streets):
        return group([])
    cut = view.cut(streets.geometry.to_numpy())
    inside = ~shapely.is_empty(cut)
    lines = view.turn(cut[inside])
    street_class = (
        np.clip(streets["street_class"].to_numpy(dtype=np.int64), 0, 5)[inside]
        if "street_class" in streets
        else np.full(len(lines), 2)
    )
    parts: list[Markup] = []
    room = _STREET_BYTES
    for number in sorted(_STREET_LOOK, reverse=True):
        path = line_path(_thin(lines[street_class == number]))
        if len(path) > room:
            break
        room -= len(path)
        width, strength = _STREET_LOOK[number]
        look = {"stroke_width": width, "stroke_opacity": f"{strength:g}"}
        parts.insert(0, element("path", d=path, **look))
    return group(parts, fill="none", stroke=INK, stroke_linejoin="round")


def _thin(lines: np.ndarray) -> np.ndarray:
    """Join lines end to end, smooth away what a tenth of a millimetre hides, drop specks."""
    if not len(lines):
        return lines
    parts = shapely.get_parts(shapely.get_parts(lines))
    joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts)))
    joined = joined[shapely.length(joined) >= 6.0]
    return shapely.simplify(joined, 1.2)


def _districts(districts: gpd.GeoDataFrame, view: View) -> Markup:
    if not len(districts):
        return group([])
    outlines = shapely.boundary(shapely.make_valid(districts.geometry.to_numpy()))
    path = line_path(shapely.get_parts(shapely.simplify(view.place(outlines), 1.5)))
    return element("path", d=path, fill="none", stroke=DISTRICT_LINE, stroke_width=2,
                   stroke_dasharray="14 8")  # fmt: skip


def _names(
    districts: gpd.GeoDataFrame, view: View, marks: np.ndarray, said: dict[str, str]
) -> Markup:
    """Write each district's name where it is widest, moved off the marks; a lone one goes bare."""
    if len(districts) < 2:
        return group([])
    names = [said.get(name, name) for name in districts["name"].astype(str)]
    taken: list[tuple[float, float, float, float]] = [
        (x - 24.0, y - 24.0, x + 24.0, y + 24.0) for x, y in marks
    ]
    parts = []
    for name, shape in zip(names, districts.geometry, strict=True):
        seen = view.place(np.array([shapely.make_valid(shape)]))
        spot = _spot(seen, text_width(name, _TYPE + 3), taken, view.height)
        if spot is not None:
            x, y = spot
            parts.append(element("text", name, x=x, y=y + 9.0))
    return group(
        parts, fill=SECOND, font_size=_TYPE + 3, text_anchor="middle", stroke="#FFF",
        stroke_width=5, stroke_opacity="0.8", paint_order="stroke", stroke_linejoin="round",
    )  # fmt: skip


def _spot(
    seen: np.ndarray, width: float, taken: list[tuple[float, float, float, float]], height: float
) -> tuple[float, float] | None:
    """Return where a name fits in what is seen of its district, and keep the place for it."""
    if not len(seen) or shapely.area(seen[0]) < width * _TYPE:
        return None
    inside = shapely.intersection(seen[0], shapely.box(10, 10, WIDTH - 10, height - 10))
    if shapely.area(inside) <= 0:
        return None
    centre = shapely.get_point(shapely.maximum_inscribed_circle(inside, tolerance=8.0), 0)
    x0, y0 = shapely.get_x(centre), shapely.get_y(centre)
    for dx, dy in _moves():
        x, y = x0 + dx, y0 + dy
        box = (x - width / 2 - _LABEL_GAP, y - _TYPE, x + width / 2 + _LABEL_GAP, y + _TYPE)
        room = box[0] > 0 and box[2] < WIDTH and box[1] > 0 and box[3] < height - 60
        if room and not any(_meet(box, other) for other in taken):
            taken.append(box)
            return float(x), float(y)
    return None


def _moves() -> list[tuple[float, float]]:
    """List the steps away from the best place, nearest first."""
    steps = [(dx, dy) for dx in range(-160, 161, 40) for dy in range(-150, 151, 30)]
    return sorted(steps, key=lambda s: (s[0] ** 2 + s[1] ** 2, s))


def _meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# ── the answer ────────────────────────────────────────────────────────────────────────────────


def draw_sites(sites: pd.DataFrame, at: np.ndarray) -> Markup:
    """Rank numbers in circles; the first rank lies on top where they meet."""
    ranks = sites["rank"].to_numpy() if len(sites) else np.zeros(0)
    parts: list[Any] = []
    for k in np.argsort(-ranks, kind="stable"):
        (x, y), rank = at[k], int(ranks[k])
        parts += [
            element("circle", cx=x, cy=y, r=23, fill=SITE, stroke="#FFF", stroke_width=4),
            element("text", str(rank), x=x, y=y + 9.5, font_size=27 if rank < 100 else 20),
        ]
    return group(parts, text_anchor="middle", fill="#FFF", font_weight=700)


def draw_stations(stations: pd.DataFrame, at: np.ndarray) -> Markup:
    """Draw what exists, each kind in its shape, at places in units."""
    if not len(stations):
        return group([])
    kinds = stations["kind"] if "kind" in stations else ["station"] * len(stations)
    parts = [mark(str(kind), x, y) for kind, (x, y) in zip(kinds, at, strict=True)]
    return group(parts, fill=EXISTING, stroke="#FFF", stroke_width=2.5)


def mark(kind: str, x: float, y: float) -> Markup:
    """Return the shape that stands for an existing facility of a kind, centred at x, y."""
    if kind not in GLYPHS:
        return element("circle", cx=x, cy=y, r=9)
    return element("path", d=GLYPHS[kind], transform=f"translate({x:.1f} {y:.1f})")


def _parking(parking: pd.DataFrame, at: np.ndarray) -> Markup:
    parts: list[Any] = []
    for bays, (x, y) in zip(parking["bays"] if len(parking) else [], at, strict=True):
        parts += [
            element("rect", x=x - 14, y=y - 14, width=28, height=28, rx=6, fill=PARKING,
                    stroke="#FFF", stroke_width=2.5),
            element("text", str(int(bays)), x=x, y=y + 6.8, font_size=19 if bays < 100 else 15),
        ]  # fmt: skip
    return group(parts, text_anchor="middle", fill="#FFF", font_weight=700)


def _beside(marks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Move marks that would hide under another to its rim, 3.6 mm at most, keeping the bearing."""
    moved = marks.copy()
    for k, mark_at in enumerate(marks):
        away = mark_at - others
        distance = np.hypot(*away.T)
        near = int(np.argmin(distance)) if len(others) else -1
        if near >= 0 and distance[near] < _RIM:
            bearing = away[near] / distance[near] if distance[near] > 0 else np.array([0.6, 0.8])
            moved[k] = others[near] + _RIM * bearing
    return moved


def draw_scale(view: View, w: Words) -> Markup:
    """Draw a bar of a round length, about a seventh of the width."""
    wanted = 0.16 * (view.east - view.west)
    power = 10.0 ** np.floor(np.log10(wanted))
    metres = max(power * k for k in (1, 2, 5) if power * k <= wanted)
    length, y = metres * view.scale, view.height - 16
    text = (
        w.t("{n} km", n=f"{metres / 1000:g}") if metres >= 1000 else w.t("{n} m", n=f"{metres:g}")
    )
    box = max(length, text_width(text, _TYPE)) + 32
    return group(
        [
            element("rect", x=0, y=y - 44, width=box, height=60, fill="#FFF", fill_opacity="0.85"),
            element("path", d=f"M16 {y - 10:.1f}V{y:.1f}H{16 + length:.1f}V{y - 10:.1f}",
                    fill="none", stroke=INK, stroke_width=2.5),
            element("text", text, x=16, y=y - 17, font_size=_TYPE, fill=INK),
        ]
    )  # fmt: skip


def _north(w: Words) -> Markup:
    return group(
        [
            element("path", d="M0 0l13 38l-13-8l-13 8z", fill=INK),
            element("text", w.t("N"), x=0, y=62, font_size=_TYPE, text_anchor="middle", fill=INK),
        ],
        transform=f"translate({WIDTH - 36:.0f} 16)",
        stroke="#FFF", stroke_width=4, paint_order="stroke",
    )  # fmt: skip
