"""How sure the plan is, and what money brings, as the tables have it."""

import re
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from planner.draw.figures import figures_of_plan
from planner.report import answer_rows, write_workbook
from planner.report.html import render_report
from planner.report.money import Price, Sum, price_label, prices_line, read_money, read_prices
from planner.report.money_chart import draw_money
from planner.report.robust import (
    HeldOut,
    Scenario,
    floor_line,
    held_line,
    held_title,
    range_text,
    read_held_out,
    read_scenarios,
    scenario_name,
    scenarios_lines,
    scenarios_title,
    stability_line,
)
from planner.report.robust_chart import draw_ranges
from planner.report.words import speak
from planner.settings import make_settings

ZH, EN = speak("zh"), speak("en")
HOSTILE = "<img src=x onerror=alert(1)>"
HELD = {"share": 0.71, "low": 0.66, "high": 0.74, "chosen_share": 0.76, "runs": 5, "days": 5.0,
        "by": "days"}  # fmt: skip


def with_siting(plan, **siting):
    return replace(plan, summary={**plan.summary, "siting": {**plan.summary["siting"], **siting}})


def with_tables(plan, **tables):
    return replace(plan, tables={**plan.tables, **tables})


def scenarios(*rows):
    names = ["kind", "name", "change", "covered_share", "best_share", "bound_share"]
    frame = pd.DataFrame(rows, columns=names)
    frame["regret"] = frame["best_share"] - frame["covered_share"]
    proven = frame["best_share"] == frame["bound_share"]
    return frame.assign(status=proven.map({True: "optimal", False: "feasible"}))


@pytest.fixture
def tried(plan):
    """A plan of six sites with days held out and three scenarios."""
    table = scenarios(
        ("all", "", 0.2, 0.75, 0.75, 0.75),
        ("daypart", "noon", -0.2, 0.71, 0.73, 0.74),
        ("district", "老城", 0.2, 0.73, 0.735, 0.735),
    )
    ids = [s["site_id"] for s in sorted(plan.summary["siting"]["sites"], key=lambda s: s["rank"])]
    found = with_siting(plan, held_out=HELD, reruns=100, safe=[ids[0], ids[2]])
    return with_tables(found, scenarios=table)


def money(plan, *, language="en"):
    """The same with costs: a plan of 6 sites that costs 12."""
    siting = {"cost": {"activate": 2.0, "build": 2.0}, "budget": 12.0, "count": 6}
    settings = make_settings({"study": {"language": language}, "siting": siting})
    table = pd.DataFrame(
        {"budget": [0.0, 6.0, 12.0, 24.0], "covered_share": [0.5, 0.62, 0.75, 0.85],
         "bound_share": [0.5, 0.64, 0.75, 0.9], "cost": [0.0, 6.0, 12.0, 24.0],
         "count": [0, 3, 6, 12], "status": ["optimal", "feasible", "optimal", "feasible"]}
    )  # fmt: skip
    told = with_siting(
        plan, money_for_share={"0.8": 18.0, "0.9": None, "0.95": None},
        money_for_share_at_least={"0.8": 16.0, "0.9": 24.5, "0.95": None},
    )  # fmt: skip
    return replace(with_tables(told, money=table), settings=settings)


def words_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.split("</style>")[1]))


def test_ranges_take_a_decimal_where_they_are_narrow():
    assert range_text(0.66, 0.74, EN) == "66–74\u202f%"
    assert range_text(0.701, 0.709, ZH) == "70.1–70.9%"
    assert range_text(0.7, 0.7, ZH) == "70.0%"


@pytest.mark.parametrize(
    ("by", "said"),
    [("days", "on days that"), ("dayparts", "at hours that"), ("visits", "of visits that")],
)
def test_what_was_left_out_is_named(plan, by, said):
    held = HeldOut(0.7, 0.66, 0.74, by)
    assert said in held_title(plan, held, EN)
    assert held_title(plan, held, EN).endswith("66–74\u202f%")
    assert held_line(held, EN).count("left out") == {"days": 2, "dayparts": 2, "visits": 0}[by]


def test_report_tells_days_not_seen_runs_and_scenarios(tried):
    told = words_of(render_report(tried))
    assert "方案有多可靠" in told
    assert "没见过的日子里为 66–74%" in told
    assert "重抽数据 100 次" in told
    assert "最差的情形：午间 −20%" in told
    assert "换别的站点最多能多覆盖 2.0 个百分点（午间 −20%）" in told
    assert "第 1、3 号" in told
    assert "至多 74.0" in told
    assert "老城 +20%" in told


def test_a_plan_that_was_not_tried_says_nothing(plan):
    bare = with_siting(plan, held_out=None, reruns=0, safe=None)
    assert read_held_out(bare) is None
    assert read_scenarios(bare) == []
    assert scenarios_title(bare, [], EN) == ""
    assert list(scenarios_lines(bare, [], EN)) == []
    assert stability_line(bare, EN) == ""
    told = words_of(render_report(bare))
    assert "方案有多可靠" not in told
    assert "资金" not in told


def test_scenarios_come_worst_first_and_say_what_is_proven(tried):
    known = read_scenarios(tried)
    assert [s.covered for s in known] == [0.71, 0.73, 0.75]
    assert scenario_name(tried, known[0], EN) == "Noon −20\u202f%"
    proven = [s._replace(best=s.covered, bound=s.covered) for s in known]
    assert "this is proven" in next(scenarios_lines(tried, proven, EN))
    loose = [s._replace(best=s.covered, bound=s.covered + 0.01) for s in known]
    assert "1.0 points at most" in next(scenarios_lines(tried, loose, EN))


@pytest.mark.parametrize(("safe", "said"), [(6, "All 6 sites"), (0, "No site"), (1, "numbers 1.")])
def test_safe_sites_are_counted(tried, safe, said):
    ids = [s["site_id"] for s in tried.summary["siting"]["sites"]][:safe]
    lines = list(scenarios_lines(tried, read_scenarios(tried), EN))
    assert lines
    assert said in list(scenarios_lines(with_siting(tried, safe=ids), read_scenarios(tried), EN))[1]


def test_names_of_districts_are_never_markup(tried):
    table = scenarios(("district", HOSTILE, 0.2, 0.7, 0.7, 0.7))
    html = render_report(with_tables(tried, scenarios=table))
    assert HOSTILE not in html
    assert "&lt;img src=x" in html


def test_a_floor_tells_its_price(plan):
    assert floor_line(plan, EN) == ""
    floored = with_siting(plan, min_district_share=0.6)
    equity = {**plan.summary["equity"], "price": 0.012}
    told = floor_line(replace(floored, summary={**floored.summary, "equity": equity}), EN)
    assert "60\u202f% covered costs 1.2 points" in told
    free = {**plan.summary["equity"], "price": 0.0}
    told = floor_line(replace(floored, summary={**floored.summary, "equity": free}), EN)
    assert told.endswith("costs no coverage.")


def test_the_ranges_are_drawn_where_they_lie():
    held = HeldOut(0.5, 0.25, 0.75, "days")
    known = [Scenario("all", "", 0.2, 0.5, 0.5, 0.5, proven=True)]
    chart = str(draw_ranges(0.5, EN, held=held, scenarios=known, label="x"))
    rects = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', chart)
    wide = 454.0  # from 0 to 100 %
    assert [float(w) for _, w in rects] == [pytest.approx(wide / 2), 3.0]
    assert float(rects[0][0]) == pytest.approx(152 + wide / 4)
    assert "demand ±20" in chart
    high = str(
        draw_ranges(0.96, EN, held=held._replace(low=0.9, high=0.99), scenarios=[], label="")
    )
    assert re.search(r'x="5[\d.]+" y="[\d.]+" fill="#1F2933" text-anchor="end"[^>]*>90–99', high)
    assert "<rect" not in str(draw_ranges(0.5, EN, held=None, scenarios=[], label="x"))


def test_the_terminal_says_one_line_more(tried):
    rows = dict(answer_rows(tried))
    assert rows["没见过的日子"] == "66–74%"
    bare = dict(answer_rows(with_siting(tried, held_out=None)))
    assert set(rows) - set(bare) == {"没见过的日子"}


def test_the_map_is_told_days_not_seen_and_the_next_share(tried):
    told = figures_of_plan(tried)
    assert told.held == {"low": 0.66, "high": 0.74, "by": "days"}
    assert figures_of_plan(with_siting(tried, held_out=None)).held is None
    after = told.after["all"]
    siting = {
        "frontier": [{"count": 0}, {"count": 20}],
        "for_share": {"0.1": 1, "0.9": 9, "0.99": None},
        "for_share_at_least": {"0.1": 1, "0.9": 8, "0.99": None},
    }
    assert after < 0.9
    assert figures_of_plan(with_siting(tried, **siting)).ahead == {
        "share": 0.9, "stations": 9, "most": 20}  # fmt: skip
    none = siting | {"for_share": {"0.9": None}, "for_share_at_least": {"0.9": None}}
    assert figures_of_plan(with_siting(tried, **none)).ahead["stations"] is None
    open_ = siting | {"for_share": {"0.9": None}, "for_share_at_least": {"0.9": 12}}
    assert figures_of_plan(with_siting(tried, **open_)).ahead is None


# ── money ─────────────────────────────────────────────────────────────────────────────────────


def test_report_tells_money(plan):
    told = words_of(render_report(money(plan)))
    assert "80 % needs 18 at most and 16 at least" in told
    assert "90 % takes 24.5 or more" in told
    assert "no sum covers 95 %" in told
    assert "cost of one: Open existing premises 2 · Build anew 2; any number of stations" in told
    assert "room up to the proven limit" in told


def test_without_costs_nothing_is_said_of_money(plan):
    assert read_money(plan) == []
    assert read_prices(plan) == []
    assert 'class="chart money"' not in render_report(plan)


def test_prices_say_what_is_known():
    known, open_, none = Price(0.8, 18.0, 18.0), Price(0.9, None, 20.0), Price(0.95, None, None)
    line = prices_line([known, open_, none], EN)
    assert line.endswith("80\u202f% needs 18; 90\u202f% takes 20 or more; no sum covers 95\u202f%.")
    assert [price_label(p, EN) for p in (known, open_, none)] == ["80\u202f%: 18", "", ""]
    assert price_label(known._replace(least=15.0), EN) == "80\u202f%: ≤18"
    assert prices_line([Price(0.8, 0.0, 0.0)], EN).endswith("80\u202f% is covered today.")
    assert prices_line([], EN) == ""


def test_the_money_chart_marks_the_plan_on_rising_steps():
    sums = [Sum(0.0, 0.2, 0.2, 0.0, 0, proven=True), Sum(10.0, 0.6, 0.8, 8.0, 2, proven=False)]
    options = {"prices": [Price(0.8, None, 11.0)], "covered": 0.6, "label": "x"}
    chart = str(draw_money(sums, EN, spent=8.0, **options))
    assert "the plan: 8, 60\u202f%" in chart
    line = re.search(r'<path d="([^"]+)" fill="none"', chart)[1]
    corners = [tuple(map(float, p.split())) for p in re.findall(r"[ML]([\d.]+ [\d.]+)", line)]
    assert len(corners) == 3
    assert corners[0][1] == corners[1][1] > corners[2][1]
    assert corners[1][0] == corners[2][0]
    assert "the plan" not in str(draw_money(sums, EN, spent=None, **options))


def test_the_workbook_has_both_tables(tried, tmp_path):
    both = with_tables(money(tried, language="zh"), scenarios=tried.tables["scenarios"])
    book = openpyxl.load_workbook(write_workbook(both, tmp_path / "plan.xlsx"))
    sums, changes = book["资金与覆盖率"], book["需求变化"]
    assert [[c.value for c in row] for row in sums.iter_rows(min_row=3)][1][:3] == [6, 0.62, 0.64]
    assert changes.cell(3, 1).value == "午间 −20%"
    assert changes.cell(3, 6).value == pytest.approx(2.0)
    bare = openpyxl.load_workbook(write_workbook(tried, tmp_path / "bare.xlsx"))
    assert "资金与覆盖率" not in bare.sheetnames
