"""The data report says the numbers of quality.json, in both languages, and nothing else."""

import copy
import re

import pytest

from planner.report import write_check
from planner.report.check import render_check
from planner.report.check_charts import Bar, draw_bars
from planner.report.words import speak
from planner.settings import make_settings

HOSTILE = "<img src=x onerror=alert(1)>`${1+1}`</script>"
READINGS = {
    "wgs84": {"median_m": 410.4, "p90_m": 702.0},
    "gcj02": {"median_m": 24.2, "p90_m": 61.0},
    "bd09": {"median_m": 333.0, "p90_m": 640.0},
}


def numbers(**changes):
    base = {
        "verdict": {"level": "usable", "text": "usable; 2 things to mend"},
        "warnings": ["set `activity.datum`.", "load a weekend."],
        "age": {"first_day": "2026-09-14", "last_day": "2026-09-18", "days_old": 1234,
                "limit_days": 180, "old": True},
        "study": "Riverside", "version": "0.1.0",
        "inputs": {
            "activity": {
                "file": "fixes.csv", "rows": 50_000, "kept": 49_000,
                "dropped": {"no usable time": 400, "outside the area": 600},
                "examples": {"no usable time": "row 41: `31/02` in `time`"},
            },
            "streets": {"file": "s.pbf", "rows": 10, "kept": 10, "dropped": {}, "examples": {}},
        },
        "activity": {
            "fixes": 49_000, "used": 48_000, "dropped": {"jump": 300, "teleport": 700},
            "stays": 900, "riders": 120, "days": 5, "workers_basis": "riders", "excluded_home": 12,
        },
        "demand": {"suppressed_share": 0.031, "first_day": "2026-09-14", "last_day": "2026-09-18"},
        "time": {
            "counted": "fixes",
            "days": {"2026-09-14": 12_000, "2026-09-15": None, "2026-09-18": 24_000},
            "hours": [None, *[0] * 5, *[2000] * 18],
            "weekdays": 3, "weekend_days": 0, "scrap_days": ["2026-09-19"],
            "missing_days": ["2026-09-16", "2026-09-17"], "thin_days": [],
            "empty_hours": [1, 2, 3, 4, 5],
        },
        "space": {
            "districts": [
                {"name": "A", "label": "Apfelau", "workers": None, "demand_points": 2,
                 "weight_per_day": 31.0, "suppressed_share": None, "area_share": 0.02},
                {"name": "B", "label": "Birnheim", "workers": 77, "demand_points": 9,
                 "weight_per_day": 1310.0, "suppressed_share": 0.05, "area_share": 0.2},
                {"name": "C", "label": "Celle", "workers": 0, "demand_points": 0,
                 "weight_per_day": 0.0, "suppressed_share": None, "area_share": 0.0},
            ],
            "empty": ["Celle"],
        },
        "datum": {"activity": {"declared": "wgs84", "points": 1999, "rounded_deg": 0.001,
                               "readings": READINGS, "best": "gcj02", "verdict": "other"}},
        "sample": {
            "basis": "riders", "hidden_types": ["truck"],
            "types": [
                {"worker_type": "food", "workers": 110, "registered": 4000, "share": 0.0275},
                {"worker_type": "truck", "workers": None, "registered": None, "share": None},
            ],
        },
    }  # fmt: skip
    for key, value in changes.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) and value else value
    return base


def render(language="en", **changes):
    return render_check(make_settings({"study": {"language": language}}), numbers(**changes))


def text_of(html):
    body = html[html.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_verdict_and_remedies_come_first():
    text = text_of(render())
    order = ["Usable; 2 things to mend", "1,234 days", "To mend", "Set", "activity.datum",
             "Load a weekend.", "Read and lost", "When", "Where", "Datum", "Whom"]  # fmt: skip
    at = [text.index(word) for word in order]
    assert at == sorted(at)


def test_losses_stand_with_share_example_and_remedy():
    text = text_of(render())
    for word in ("no usable time", "row 41: `31/02`", "Export times such as", "0.80", "1.20",
                 "to and fro between two places", "Give each its own", "96.0"):  # fmt: skip
        assert word in text, word


def test_figures_of_few_are_not_shown():
    text = text_of(render())
    assert "Apfelau 31 &lt;10 2" in text
    assert "Celle no activity" in text
    assert "Birnheim 1,310 77 9 20.0 5.0" in text
    assert re.search(r"truck not shown", text)
    assert "dashed: under 10 workers on a visit then, not shown" in text
    assert render().count('stroke-dasharray="2 2"') == 2


def test_datums_are_compared():
    text = text_of(render())
    assert "410* 702 24 61 333 640 looks like GCJ-02" in text
    assert "rounded to 0.001° (about 111 m)" in text


def test_gaps_are_listed():
    text = text_of(render())
    assert "days missing between them: 2" in text
    assert "2026-09-16, 2026-09-17" in text
    assert "2026-09-18, 1,234 days ago; over 180 days is old" in text
    assert "01–06" in text
    assert "2026-09-19" in text


def test_chinese_speaks_chinese():
    text = text_of(render("zh"))
    for word in (
        "待改进",
        "读入与剔除",
        "像是 GCJ-02",
        "两地之间瞬间来回",
        "在家的停留",
        "9月14日",
        "外卖",
    ):
        assert word in text, word
    assert "Left out" not in text


def test_data_without_times_workers_or_age():
    text = text_of(
        render(time={}, age={"days_old": None, "last_day": None}, activity={},
               sample={"types": [], "basis": "unknown", "hidden_types": []})
    )  # fmt: skip
    assert "The data carry no times" in text
    assert "do not tell workers apart" in text


def test_hostile_names_are_text():
    spoilt = copy.deepcopy(numbers())
    spoilt["study"] = HOSTILE
    spoilt["warnings"] = [HOSTILE]
    spoilt["space"]["districts"][1]["label"] = HOSTILE
    spoilt["inputs"]["activity"]["file"] = HOSTILE
    spoilt["inputs"]["activity"]["dropped"] = {HOSTILE: 1}
    html = render_check(make_settings({"study": {"language": "en"}}), spoilt)
    assert "<img" not in html
    assert html.count("</style>") == 1
    assert "<script" not in html


def test_nothing_is_asked_of_the_network():
    html = render()
    assert "default-src 'none'" in html
    assert not re.search(r"https?:|url\((?!#)|@import|<script", html)


def test_the_same_numbers_give_the_same_bytes(tmp_path):
    settings = make_settings({"study": {"language": "zh"}})
    first = write_check(settings, numbers(), tmp_path / "a.html").read_bytes()
    assert write_check(settings, numbers(), tmp_path / "b.html").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


@pytest.mark.parametrize("values", [[], [0, 0], [None, None], [1], [3, None, 7] * 40])
def test_bars_stay_in_the_picture(values):
    picture = draw_bars([Bar(v, "x") for v in values], speak("en"), label="bars")
    for found in re.findall(r'<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)"', picture):
        x, y, width = map(float, found)
        assert 0 <= x <= x + width <= 640
        assert 0 <= y <= 128
