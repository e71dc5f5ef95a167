"""Informal rest, hot spots, the rule on gathering places, and what visits were multiplied by."""

import re
from dataclasses import replace

import openpyxl
import pytest

from planner.report import answer_rows, write_workbook
from planner.report.crowds import MOST_ROWS, demand_line, place_name, read_rest
from planner.report.figures import read_figures
from planner.report.html import render_report
from planner.report.story import bullets
from planner.report.words import speak
from planner.settings import make_settings


def told(plan):
    """The report's words without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", render_report(plan).split("</style>")[1]))


def changed(plan, *, siting=None, demand=None, basis="", share=0.0):
    summary = {
        **plan.summary,
        "siting": {**plan.summary["siting"], **(siting or {})},
        "demand": {**plan.summary["demand"], **(demand or {})},
    }
    coverage = plan.summary["coverage"]
    summary["coverage"] = {**coverage, "basis": f"{coverage['basis']}{basis}"}
    settings = plan.settings.model_copy(
        update={"siting": plan.settings.siting.model_copy(update={"informal_share": share})}
    )
    return replace(plan, summary=summary, settings=settings)


def test_places_without_shelter_are_told(plan):
    rest = read_rest(plan)
    assert (rest.places, len(rest.bare)) == (3, 2)
    assert rest.rest_per_day == pytest.approx(163.4)
    text = told(plan)
    assert "3 处聚集点中，2 处 200 米内没有站点" in text
    assert "骑手每天在这些地方休息 163 人次" in text
    assert "1,235" in text
    assert "傍晚" in text


def test_a_site_nearer_than_any_station_counts_with_the_plan(plan):
    first, far = read_rest(plan).bare
    place = plan.tables["gatherings"].geometry.iloc[0]
    nearest = plan.tables["sites"].distance(place).min()
    assert first.planned_m == pytest.approx(min(1234.0, nearest))
    assert far.planned_m > 50_000  # no station at all, and the sites far away
    moved = plan.tables["gatherings"].assign(geometry=plan.tables["sites"].geometry.iloc[0])
    assert read_rest(replace(plan, tables={**plan.tables, "gatherings": moved})).helped == 2


@pytest.mark.parametrize(
    ("rows", "finding"),
    [(slice(1, 2), "1 处聚集点 200 米内均有站点"), (slice(0, 0), "数据中未见骑手聚集休息的地点")],
)
def test_nothing_without_shelter_is_said_in_words(plan, rows, finding):
    few = plan.tables["gatherings"].iloc[rows]
    text = told(replace(plan, tables={**plan.tables, "gatherings": few}))
    assert finding in text
    assert "距最近站点，米" not in text


@pytest.mark.parametrize("basis", ["orders", "presence", "counts"])
def test_orders_say_nothing_of_rest(plan, basis):
    text = told(changed(plan, demand={"basis": basis}))
    assert "骑手在哪里休息" not in text
    assert "休息（20 分钟以上）" not in text
    assert "需求集中在哪里" in text


def test_hot_spots_have_name_visits_and_peak(plan):
    text = told(plan)
    assert "2 个热区，最热的是老城 · 长征大道2号路口，813 人次/日" in text
    assert re.search(r"老城 · 长征大道2号路口 813 [\d.]+ 午间 41 ", text)
    assert re.search(r"江北 · 长征大道5号路口 401 [\d.]+ – – ", text)


def test_long_tables_are_cut_and_say_so(plan):
    import pandas as pd

    many = pd.concat([plan.tables["gatherings"].iloc[[0]]] * 14, ignore_index=True)
    html = render_report(replace(plan, tables={**plan.tables, "gatherings": many}))
    section = html.split("骑手在哪里休息而无站可歇")[1].split("</section>")[0]
    assert section.count("<tr>") == MOST_ROWS + 1
    assert "共 14 处，列前 10 处" in section


def test_visits_by_length_and_kind_of_day(plan, english_plan):
    weight = plan.summary["demand"]["weight_per_day"]
    rest, workday = (speak("zh").number(k * weight) for k in (0.2, 1.05))
    line = demand_line(plan, speak("zh"))
    assert f"休息（20 分钟以上） {rest}" in line
    assert f"工作日 {workday} 人次" in line
    assert "交接" not in line  # none was looked for
    assert "On a workday" in demand_line(english_plan, speak("en"))
    assert demand_line(changed(plan, demand={"by_class": {}, "basis": "orders"}), speak("zh"))


@pytest.mark.parametrize(("first", "words"), [(1, "1 站优先"), (3, "3 站优先")])
def test_the_rule_is_told_with_the_best_possible(plan, first, words):
    ruled = changed(plan, siting={"informal_first": first, "free_share": 0.97}, share=0.5)
    rows = dict(answer_rows(ruled))
    assert (
        f"{words}设在骑手自发聚集处，上限按此类方案计；不设此规则可达 97%" in rows["同样站数的上限"]
    )
    f, w = read_figures(ruled), speak("zh")
    assert any(line.startswith(words) for line in bullets(ruled, f, w))
    text = told(ruled)
    assert "自发聚集点优先时的上限" in text
    assert "至多 50% 的新站优先设在" in text
    assert "已获证明" not in text  # the fixture is not proven
    proven = changed(
        plan, siting={"informal_first": first, "free_share": 0.97, "status": "optimal"}, share=0.5
    )
    assert "按此规则，任何其他 6 处都不可能覆盖更多，已获证明" in told(proven)


def test_a_rule_that_opened_nothing_is_said(plan):
    assert "规则未起作用" in told(changed(plan, share=0.1))
    assert "规则未起作用" not in told(plan)
    assert "自发聚集处" not in dict(answer_rows(plan))["同样站数的上限"]


def test_expansion_and_need_stand_in_definitions_and_under_tables(plan):
    expansion = {
        "food": {"seen": 30, "registered": 300, "factor": 10.0},
        "ride": {"seen": None, "registered": 90, "factor": None},
    }
    weighed = changed(
        plan,
        demand={"expansion": expansion, "need": {"rest": 2.0, "type_ride": 0.5}},
        basis=" · 已扩样至在册人数 · 人次按需求加权",
    )
    text = told(weighed)
    assert "外卖 × 10 · 网约车；其他工种不扩样" in text
    assert "休息（20 分钟以上） × 2 · 网约车 × 0.5" in text
    assert text.count("已扩样至在册人数 · 人次按需求加权") >= 7
    assert "扩样" not in told(plan)


def test_districts_of_places_are_called_as_the_language_has_it(plan, english_plan):
    districts = english_plan.tables["districts"].assign(name=["江北", "老城", "新区"])
    mixed = replace(english_plan, tables={**english_plan.tables, "districts": districts})
    assert place_name(mixed, "老城 · 长征大道") == "Old Town · 长征大道"
    assert place_name(plan, "老城 · 长征大道") == "老城 · 长征大道"


def test_workbook_has_gathering_places_hot_spots_and_demand(plan, tmp_path):
    book = openpyxl.load_workbook(write_workbook(plan, tmp_path / "plan.xlsx"))

    def rows(name):
        heads, *rest = book[name].iter_rows(min_row=2, values_only=True)
        return [dict(zip(heads, row, strict=True)) for row in rest]

    places = rows("聚集点")
    assert [p["附近无站可歇"] for p in places] == ["是", "否", "是"]
    assert places[0]["休息人次/日"] == pytest.approx(122.4)
    assert places[0]["距最近站点，米"] == pytest.approx(1234.0)
    assert places[2]["距最近站点，米"] is None
    assert places[0]["上午，人次/日"] == pytest.approx(60.0)
    spots = rows("热区")
    assert [(s["地点编号"], s["高峰时段"]) for s in spots] == [("hs001", "午间"), ("hs002", None)]
    assert spots[0]["高峰时段占本处，%"] == pytest.approx(0.41)
    demand = {r["名称"]: r["骑手人次/日"] for r in rows("需求")}
    weight = plan.summary["demand"]["weight_per_day"]
    assert demand["全部"] == pytest.approx(weight)
    assert demand["休息（20 分钟以上）"] == pytest.approx(0.2 * weight)
    assert "交接（不足 5 分钟）" not in demand  # none was looked for
    assert demand["平均每个工作日"] == pytest.approx(1.05 * weight)


def test_a_plan_without_these_tables_has_neither_section_nor_sheet(plan, tmp_path):
    bare = {k: t for k, t in plan.tables.items() if k not in ("gatherings", "hotspots")}
    poor = replace(plan, tables=bare, settings=make_settings({"study": {"name": "样例"}}))
    text = told(poor)
    assert "自发聚集" not in text
    assert "热区" not in text
    names = openpyxl.load_workbook(write_workbook(poor, tmp_path / "p.xlsx")).sheetnames
    assert not {"聚集点", "热区"} & set(names)
