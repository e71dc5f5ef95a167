"""Minutes, closures, who is left out and changed streets: told as the tables have them."""

import re
from dataclasses import replace

import numpy as np
import openpyxl
import pytest

from planner.report import answer_rows, write_workbook
from planner.report.html import render_report
from planner.report.losses import MOST_ROWS, closures_title, read_closures, read_left_out
from planner.report.method import setting_rows
from planner.report.nearness import nearness_cells, read_nearness
from planner.report.whatif import edit_rows, edit_title, read_edits
from planner.report.words import speak
from planner.settings import make_settings

ZH, EN = speak("zh"), speak("en")
MINUTES, CLOSURES = "到最近的站要几分钟", "如果某站关闭"
LEFT_OUT, STREETS = "谁还没有站可去", "如果街道有变"
NEW = ["backup_share", "gradual_share", "mean_min", "p90_min", "seats_per_100"]


def told(plan):
    """The report's words without tags."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", render_report(plan).split("</style>")[1]))


def section(plan, heading):
    html = render_report(plan).split(f"<h2>{heading}</h2>")[1].split("</section>")[0]
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", html))


def with_tables(plan, **tables):
    kept = {name: table for name, table in (plan.tables | tables).items() if table is not None}
    return replace(plan, tables=kept)


@pytest.fixture(scope="module")
def book(plan, tmp_path_factory):
    path = write_workbook(plan, tmp_path_factory.mktemp("access") / "plan.xlsx")
    return openpyxl.load_workbook(path)


# ── minutes ───────────────────────────────────────────────────────────────────────────────────


def test_minutes_are_those_of_the_tables(plan):
    before, after = (plan.tables[f"coverage_{when}"].loc["all"] for when in ("before", "after"))
    text = section(plan, MINUTES)
    half = f"{ZH.minutes(before['median_min'])}\u00a0→\u00a0{ZH.minutes(after['median_min'])}"
    most = f"{ZH.minutes(before['p90_min'])}\u00a0→\u00a0{ZH.minutes(after['p90_min'])}"
    assert f"半数人次到最近的站不超过 {half} 分钟，九成不超过 {most} 分钟" in text
    backup = " → ".join(ZH.from_to(before["backup_share"], after["backup_share"]))
    assert f"15 分钟内有两站以上可达的人次：{backup}" in text
    assert "5 分钟以内全算，越远算得越少，到 15 分钟不再计" in text
    rows = [s for s in read_nearness(plan) if s.scope != "all"]
    assert all(s.name in text for s in rows if s.scope == "district")
    assert "上午 6–11" in text
    assert "步行 · 15 分钟" in text.split("每百人次座位")[1]


def test_what_lies_beyond_the_horizon_is_said(plan):
    table = plan.tables["coverage_after"]
    far = table.assign(p90_min=np.where(table["scope"] == "district", np.nan, table["p90_min"]))
    scope = read_nearness(with_tables(plan, coverage_after=far))[-1]
    assert nearness_cells(plan, scope, ZH, seats=False)[2].endswith("→ >60")
    nobody = scope._replace(after=scope.after._replace(mean_min=None, median_min=None))
    assert nearness_cells(plan, nobody, ZH, seats=False)[1].endswith("→ –")


def test_a_time_of_day_has_minutes_but_no_share_that_holds_at_any_hour(plan):
    night = next(s for s in read_nearness(plan) if s.name == "night")
    cells = nearness_cells(plan, night, ZH, seats=True)
    assert all("→" in cell for cell in cells[:3])
    assert cells[3:5] == ["", ""]
    assert "→" not in cells[5]  # no seats are told for new stations


def test_seats_of_new_stations_are_told_where_the_study_plans_them(plan):
    siting = plan.settings.siting.model_copy(update={"new_seats": 10.0})
    planned = replace(plan, settings=plan.settings.model_copy(update={"siting": siting}))
    whole = read_nearness(planned)[0]
    assert "→" in nearness_cells(planned, whole, ZH, seats=True)[5]
    assert "新站未注明座位数" in section(plan, MINUTES)
    assert "新站未注明座位数" not in section(planned, MINUTES)


def test_seats_are_told_only_where_a_capacity_is_known(plan, tmp_path):
    assert "每百人次座位" in section(plan, MINUTES)
    sides = {f"coverage_{when}": plan.tables[f"coverage_{when}"] for when in ("before", "after")}
    bare = with_tables(plan, **{k: t.assign(seats_per_100=np.nan) for k, t in sides.items()})
    assert "每百人次座位" not in told(bare)
    heads = openpyxl.load_workbook(write_workbook(bare, tmp_path / "a.xlsx"))[MINUTES][2]
    assert not any("座位" in c.value for c in heads)


def test_sheet_of_minutes_holds_every_measure(plan, book):
    heads, *rows = book[MINUTES].iter_rows(min_row=2, values_only=True)
    told = {(row[1].split(" ")[0], row[2]): row for row in rows}
    names = {"all": "全部", "daypart:noon": "午间", "district:新区": "新区"}
    columns = {"mean_min": "平均，分钟", "p90_min": "九成不超过，分钟",
               "median_min": "半数不超过，分钟", "backup_share": "两站以上可达，%",
               "gradual_share": "渐进覆盖，%", "seats_per_100": "每百人次座位"}  # fmt: skip
    for when, side in (("before", "今日"), ("after", "方案")):
        table = plan.tables[f"coverage_{when}"]
        assert [row[2] for row in rows].count(side) == len(table)
        for key, name in names.items():
            got = [told[name, side][heads.index(head)] for head in columns.values()]
            assert got == pytest.approx(table.loc[key, list(columns)].tolist(), rel=1e-9)


# ── closures, and who is left out ─────────────────────────────────────────────────────────────


def test_dearest_closures_are_told_and_the_rest_counted(plan):
    known = read_closures(plan, "after")
    dear = [c for c in known if not c.free]
    assert len(dear) > MOST_ROWS
    assert len(known) == 15
    text = section(plan, CLOSURES)
    assert dear[0].rank is None
    assert f"若{dear[0].name}关闭，每日 {ZH.number(dear[0].lost_per_day)} 人次将无站可达" in text
    site = dear[0]._replace(rank=2)
    assert closures_title([site], ZH).startswith(f"若推荐的第 2 站（{site.name}）关闭")
    assert f"按方案的 15 站中，有 {15 - len(dear)} 站单独关闭" in text
    assert f"共 {len(dear)} 处，列前 {MOST_ROWS} 处" in text
    assert {c.rank for c in known} == {None, 1, 2, 3, 4, 5, 6}


def test_no_closing_hurts(plan):
    free = plan.tables["closures"].assign(lost_per_day=0.0, lost_share=0.0)
    text = section(with_tables(plan, closures=free), CLOSURES)
    assert "任何一站单独关闭，都不会有人无站可达" in text
    assert "到下一站" not in text


def test_who_is_left_out_is_told_by_place(plan):
    f = plan.summary["coverage"]
    weight = plan.summary["demand"]["weight_per_day"]
    text = section(plan, LEFT_OUT)
    left = ZH.number((1.0 - f["after"]["covered_share"]) * weight)
    assert f"按方案每日仍有 {left} 人次" in text
    assert "江北 · 长征大道8号路口 233 0.8 – 17" in text
    assert "今日有 2 处，最多的是新区 · 长征大道3号路口（1,240 人次/日）" in text


def test_far_and_scattered_demand_is_said(plan):
    spots = plan.tables["uncovered"]
    far = with_tables(plan, uncovered=spots.assign(nearest_min=np.nan))
    assert "– &gt;60" in section(far, LEFT_OUT)
    none = section(with_tables(plan, uncovered=spots.iloc[:2]), LEFT_OUT)
    assert "没有集中之处" in none
    assert "占全部，%" not in none


def test_sheets_of_closures_and_places_hold_both_sides(plan, book):
    for name, table in ((CLOSURES, "closures"), (LEFT_OUT, "uncovered")):
        rows = list(book[name].iter_rows(min_row=3, values_only=True))
        when = plan.tables[table]["when"].tolist()
        assert [row[0] for row in rows].count("方案") == when.count("after")
        assert [row[0] for row in rows].count("今日") == when.count("before")
    places = {row[1] for row in book[LEFT_OUT].iter_rows(min_row=3, values_only=True)}
    assert places == {p.name for side in ("before", "after") for p in read_left_out(plan, side)}


# ── changed streets ───────────────────────────────────────────────────────────────────────────


def test_changes_of_streets_are_told_with_both_figures(plan, english_plan):
    text = section(plan, STREETS)
    assert "商场后门通道：两端之间 7.6 → 1.0 分钟，骑手每日共省 42 小时" in text
    assert "江北大桥：两端之间 2.1 → 24 分钟，骑手每日共多走 169 小时" in text
    assert "覆盖率，按今日站点 51% → 47%" in text
    assert "变化最大：江北，按今日站点 41% → 22%" in text
    assert "每日节省，骑手小时 42 " in text
    assert "每日多走，骑手小时 169 " in text
    assert text.count("方案未计入此项变更") == 2
    assert text.count("方案已计入此项变更") == 1
    first, second, third = read_edits(english_plan)
    assert edit_title(english_plan, first, EN) == (
        "Mall storeroom door: 7.6 → 1.0 min from end to end, riders save 42 hours a day"
    )
    assert "riders lose 169 hours a day" in edit_title(english_plan, second, EN)
    rows = dict(edit_rows(english_plan, third, EN))
    assert rows["From end to end, min"] == ">60 → 3.0"
    assert rows["Covered, stations of today"] == "51\u202f%, unchanged"
    assert "Rider-hours saved a day" not in rows


def test_every_change_has_its_sketch(plan):
    html = render_report(plan).split(f"<h2>{STREETS}</h2>")[1].split("</section>")[0]
    assert html.count("<svg") == 6
    assert html.count("stroke-dasharray") == 1  # what closes is broken
    assert html.count("rotate(45)") == 2  # and its signs are crosses
    assert len(set(re.findall(r'clipPath id="(\w+)"', html))) == 3


def test_sheet_of_changes_has_their_numbers(plan, book):
    heads, *rows = book[STREETS].iter_rows(min_row=2, values_only=True)
    pairs = {
        "两端之间，分钟": ("before_min", "after_min"),
        "其到站平均用时，分钟": ("affected_before_min", "affected_after_min"),
        "覆盖率，按今日站点": ("covered_before", "covered_after"),
        "覆盖率，按方案站点": ("planned_before", "planned_after"),
        "该区覆盖率": ("district_before", "district_after"),
    }
    for head, columns in pairs.items():
        got = [np.nan if row[heads.index(head)] is None else row[heads.index(head)] for row in rows]
        want = plan.tables["edits"][list(columns)].to_numpy().ravel()
        assert got == pytest.approx(want, nan_ok=True), head
    assert [row[heads.index("方案已计入")] for row in rows] == ["否"] * 4 + ["是"] * 2
    assert [row[heads.index("每日节省，骑手小时")] for row in rows][1::2] == [42.0, -168.7, 0.0]


# ── what is not there ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "heading"), [("closures", CLOSURES), ("uncovered", LEFT_OUT), ("edits", STREETS)]
)
@pytest.mark.parametrize("empty", [False, True])
def test_what_a_plan_does_not_hold_leaves_no_trace(plan, tmp_path, name, heading, empty):
    table = plan.tables[name].iloc[:0] if empty else None
    less = with_tables(plan, **{name: table})
    if not (empty and name == "uncovered"):  # nobody crowds together: that is said
        assert heading not in told(less)
    book = openpyxl.load_workbook(write_workbook(less, tmp_path / "less.xlsx"))
    assert heading not in book.sheetnames


def test_plans_of_earlier_versions_print_as_they_did(plan, tmp_path):
    sides = {f"coverage_{when}": plan.tables[f"coverage_{when}"] for when in ("before", "after")}
    old = with_tables(
        plan, closures=None, uncovered=None, edits=None,
        **{key: table.drop(columns=NEW) for key, table in sides.items()},
    )  # fmt: skip
    text = told(old)
    for heading in (MINUTES, CLOSURES, LEFT_OUT, STREETS):
        assert heading not in text
    rows = dict(answer_rows(plan))
    assert rows.keys() - dict(answer_rows(old)).keys() == {"到最近的站，分钟", "如果街道有变", ""}
    assert rows["如果街道有变"].startswith("商场后门通道")
    minutes = r"半数人次 [\d.]+\s→\s[\d.]+，九成 [\d.]+\s→\s[\d.]+"
    assert re.fullmatch(minutes, rows["到最近的站，分钟"])
    book = openpyxl.load_workbook(write_workbook(old, tmp_path / "old.xlsx"))
    assert not {MINUTES, CLOSURES, LEFT_OUT, STREETS} & set(book.sheetnames)


def test_page_one_says_on_which_changes_the_figures_rest(plan):
    first = render_report(plan).split("</style>")[1].split("</section>")[0]
    assert "各项数字以下列街道变更落实为前提：厂区东门。" in first
    none = plan.tables["edits"].assign(adopted=False)
    assert "为前提" not in told(with_tables(plan, edits=none))


def test_without_a_station_today_only_the_plan_is_told(new_plan):
    plan, names = new_plan(), ["mean_min", "median_min", "p90_min"]
    nothing = dict.fromkeys(names, np.nan) | {"backup_share": 0.0, "gradual_share": 0.0}
    today = plan.tables["coverage_before"].assign(**nothing)
    bare = with_tables(plan, stations=None, coverage_before=today)
    text = section(bare, MINUTES)
    assert "→" not in text.replace("今日 → 方案", "")
    assert "→" not in dict(answer_rows(bare))["到最近的站，分钟"]
    assert "走到方案最近站点" in section(bare, STREETS)
    assert "按今日站点" not in section(bare, STREETS)


def test_changes_among_the_settings_name_only_what_was_asked():
    asked = {"action": "close", "name": "大桥", "from": [114.9, 25.8], "to": [114.91, 25.81]}
    rows = setting_rows(make_settings({"streets": {"file": "a.osm", "edits": [asked]}}))
    told = next(row for row in rows if row.key == "streets.edits")
    assert told.changed
    assert told.value == "action = close, name = 大桥, from = [114.9, 25.8], to = [114.91, 25.81]"
