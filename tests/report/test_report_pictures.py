"""Charts and map: what is drawn is where the numbers say."""

import re

import numpy as np
import pytest
import shapely

from planner.report.cells import unmet_breaks, who_is_reached
from planner.report.charts import Row, draw_changes
from planner.report.city_map import WIDTH, draw_city, frame_view
from planner.report.growth import draw_growth
from planner.report.svg import area_path, element, line_path, shorten
from planner.report.words import speak

CELL_M = 150.0  # of the town in conftest.py

ZH = speak("zh")


def test_cells_reached_add_up_to_the_covered_share(plan):
    reached, demand = who_is_reached(plan), plan.tables["demand"]
    weight = demand["weight_per_day"].to_numpy()
    coverage = plan.summary["coverage"]
    for side, when in zip(reached, ("before", "after"), strict=True):
        share = weight[side].sum() / weight.sum()
        assert share == pytest.approx(coverage[when]["covered_share"])


def test_breaks_part_unmet_demand_into_fifths():
    weight = np.random.default_rng(3).gamma(1.5, 4.0, 4000)
    step = np.searchsorted(unmet_breaks(weight), weight, side="left")
    share = np.bincount(step, weights=weight) / weight.sum()
    assert share == pytest.approx(np.full(5, 0.2), abs=0.01)


def test_the_window_holds_every_station_and_site(plan):
    view = frame_view(plan)
    for name in ("stations", "sites", "parking"):
        xy = view.points(plan.tables[name])
        assert ((xy > 0) & (xy < [WIDTH, view.height])).all()


def test_hexagons_on_the_map_have_the_ground_area_of_their_cells(plan):
    picture = str(draw_city(plan, ZH, label="x"))
    drawn = re.findall(r'<path d="([^"]+)" fill="#D9DCE0"', picture)[0]
    view = frame_view(plan)
    reached = who_is_reached(plan).today.sum()
    cell = 0.5 * 3**0.5 * CELL_M**2 * view.scale**2
    assert ring_areas(drawn) == pytest.approx(reached * cell, rel=0.04)


def ring_areas(path):
    """Area of an ``evenodd`` path of relative steps; holes turn the other way."""
    total = 0.0
    for ring in path.split("z"):
        if not ring:
            continue
        numbers = np.array([float(n) for n in re.findall(r"-?\d+", ring)]).reshape(-1, 2)
        xy = np.cumsum(numbers, axis=0)
        x, y = xy.T
        total += 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return abs(total)


def test_big_city_stays_small_on_paper(new_plan):
    plan = new_plan()
    rng = np.random.default_rng(0)
    n = 60_000
    start = rng.uniform(-4000, 4000, (n, 2)) + np.array([400_000, 2_860_000])
    lines = shapely.linestrings(np.stack([start, start + rng.normal(0, 60, (n, 2))], axis=1))
    streets = plan.tables["streets"].iloc[:0].copy()
    streets = type(streets)(
        {"name": "", "street_class": rng.integers(0, 6, n).astype(np.int8)}, geometry=lines,
        crs=plan.tables["demand"].crs,
    )  # fmt: skip
    plan.tables["streets"] = streets
    assert len(str(draw_city(plan, ZH, label="x"))) < 400_000


def test_dumbbell_dots_lie_on_the_scale():
    picture = str(draw_changes([Row("a", "", 0.25, 0.75)], ZH, label="x"))
    lines = dict(
        zip((0.0, 0.25, 0.5, 0.75, 1.0), re.findall(r'd="M([\d.]+) 22\.0V', picture), strict=True)
    )
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', picture)]
    assert dots == pytest.approx([float(lines[0.25]), float(lines[0.75])])
    assert "25%" in picture
    assert "75%" in picture


def test_scope_without_demand_is_said_in_words():
    assert "无需求" in draw_changes([Row("a", "", None, None)], ZH, label="x")


@pytest.mark.parametrize("count", [1, 2, 12, 13, 40])
def test_growth_names_first_and_last(count):
    shares = list(np.linspace(0.2, 0.9, count + 1))
    picture = draw_growth(shares, ZH, best=0.95, best_label="上限 95%", label="x")
    for text in ("20%", "90%", "上限 95%", "今日"):
        assert f">{text}<" in picture


def test_text_and_values_are_escaped():
    assert str(element("text", "<&>", label='"')) == '<text label="&#34;">&lt;&amp;&gt;</text>'


def test_paths_of_nothing_are_empty():
    assert line_path(np.array([])) == ""
    assert area_path(shapely.from_wkt(["POINT (0 0)"])) == ""


def test_shortened_text_fits():
    assert shorten("沙河工业园社区", 10.0, 70.0) == "沙河工业园社区"
    assert shorten("沙河工业园社区", 10.0, 69.0).endswith("…")
