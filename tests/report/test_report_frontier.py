"""Other numbers of stations, and what stands behind each site, as the tables have it."""

import re
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest

from planner.draw.figures import figures_of_plan
from planner.report import answer_rows, write_workbook
from planner.report.figures import read_figures
from planner.report.frontier import (
    SHARES,
    Need,
    Step,
    find_need,
    frontier_title,
    need_label,
    needs_line,
    nesting_line,
    read_frontier,
    read_needs,
)
from planner.report.growth import draw_frontier
from planner.report.html import render_report
from planner.report.replacements import Replacement, read_replacements, replacement_line
from planner.report.words import speak
from planner.summary import _sites

HOSTILE = "<img src=x onerror=alert(1)>${1+1}</script>"
ZH, EN = speak("zh"), speak("en")
SHEET, SITES = "站数与覆盖率", "推荐站点明细"
BEHIND = [
    "去掉后少覆盖，%",
    "最好的替代",
    "换后覆盖，%",
    "几乎相当",
    "最近的现有站",
    "到该站，分钟",
]


def with_tables(plan, **tables):
    kept = {**plan.tables, **tables}
    return replace(plan, tables={k: v for k, v in kept.items() if v is not None})


def with_siting(plan, **siting):
    return replace(plan, summary={**plan.summary, "siting": {**plan.summary["siting"], **siting}})


def told(plan):
    """The words of the recommended sites' section."""
    html = render_report(plan).split("</style>")[1].split("<section")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def step(count, covered, bound=None, nested=None):
    proven = bound is None or bound == covered
    return Step(count, covered, covered if bound is None else bound, nested, None, proven)


# ── how many stations a share takes ───────────────────────────────────────────────────────────


def test_needs_are_the_first_counts_of_the_table(plan):
    frame = plan.tables["frontier"]
    for need in read_needs(plan, read_frontier(plan)):
        enough = frame[frame["covered_share"] >= need.share]["count"]
        possible = frame[frame["bound_share"] >= need.share]["count"]
        assert (need.stations, need.least) == (enough.min(), possible.min())


@pytest.mark.parametrize("seed", range(20))
def test_needs_of_any_frontier_hold(seed):
    rng = np.random.default_rng(seed)
    covered = np.sort(rng.uniform(0.3, 1.0, 12))
    bound = np.minimum(1.0, np.maximum.accumulate(covered + rng.uniform(0, 0.1, 12)))
    steps = [step(k, c, b) for k, (c, b) in enumerate(zip(covered, bound, strict=True))]
    for share in rng.uniform(0.2, 1.1, 20):
        need = find_need(steps, share)
        below = [s for s in steps if s.stations < need.least]
        assert all(s.bound < share for s in below)
        if need.stations is None:
            assert covered[-1] < share
        else:
            assert need.least <= need.stations
            assert steps[need.stations].covered >= share
            assert all(s.covered < share for s in steps[: need.stations])


def test_shares_beyond_the_table_come_from_the_numbers(plan):
    frame = plan.tables["frontier"].iloc[:8]
    short = with_tables(plan, frontier=frame)
    short = with_siting(short, for_share={"0.8": 6, "0.9": 11, "0.95": None},
                        for_share_at_least={"0.8": 6, "0.9": 10, "0.95": None})  # fmt: skip
    needs = read_needs(short, read_frontier(short))
    assert [n.stations for n in needs] == [6, 11, None]
    assert [n.least for n in needs] == [6, 10, 8]
    assert dict(answer_rows(short))["要覆盖 80/90/95%"] == "新增 6 / ≤11 / >7 站"
    rings = r'<circle cx="[^>]*fill="#FFF" stroke="#1F2933"'
    assert len(re.findall(rings, render_report(short))) == 1  # the others lie beyond the axis


@pytest.mark.parametrize(("need", "zh", "en", "label"), [
    (Need(0.8, 6, 6, 20), "80% 需 6 站", "80\u202f% needs 6", "80%：需 6 站"),
    (Need(0.8, 1, 1, 20), "80% 需 1 站", "80\u202f% needs 1", "80%：需 1 站"),
    (Need(0.9, 11, 9, 20), "90% 至多 11 站、至少 9 站", "90\u202f% needs 11 at most and 9 at least",
     "90%：需 ≤11 站"),
    (Need(0.95, None, 21, 20), "95% 用 20 站仍不够", "95\u202f% takes more than 20",
     "95%：需 >20 站"),
    (Need(0.95, None, 18, 20), "95% 在 20 站以内未找到方案",
     "no set of up to 20 was found for 95\u202f%", ""),
    (Need(0.8, 0, 0, 20), "80% 今日已达到", "80\u202f% is covered today", "80%：今日已达"),
])  # fmt: skip
def test_needs_in_words(need, zh, en, label):
    assert needs_line([need], ZH) == f"在这些候选点中要新增多少站：{zh}。"
    assert needs_line([need], EN) == f"New stations among these candidates: {en}."
    assert need_label(need, ZH) == label


def test_terminal_tells_the_numbers_in_one_line(plan, english_plan):
    assert dict(answer_rows(plan))["要覆盖 80/90/95%"] == "新增 6 / 11 / ≤16 站"
    rows = dict(answer_rows(english_plan))
    assert rows["to cover 80/90/95\u202f%"] == "6 / 11 / ≤16 new stations"


def test_title_names_the_next_share(plan):
    f, needs = read_figures(plan), read_needs(plan, read_frontier(plan))
    assert frontier_title(f, needs, ZH) == "新增 6 站，覆盖 80%；11 站可达 90%"
    assert frontier_title(f, [Need(0.9, None, 21, 20)], ZH).endswith("20 站仍不到 90%")
    assert frontier_title(f, [Need(0.9, None, 20, 20)], ZH) == ""  # nothing is known
    assert frontier_title(f, [Need(0.9, 6, 6, 20)], ZH) == ""  # another rule reaches it
    one = frontier_title(replace(f, sites=1), needs, EN)
    assert one == "1 new station: 80\u202f% covered; 11 would bring 90\u202f%"


def test_cost_of_the_order_is_the_greatest_difference(plan):
    line = nesting_line(read_frontier(plan), ZH)
    assert "最多 1.0 个百分点，在开到 3 站时" in line
    same = [step(k, 0.5 + 0.1 * k, nested=0.5 + 0.1 * k) for k in range(4)]
    assert "不吃亏" in nesting_line(same, ZH)
    assert nesting_line(same[:2], ZH) == ""  # one station has no order
    first = [same[0], step(1, 0.65, nested=0.6), *same[2:]]
    assert "5.0 points at most, after the first station" in nesting_line(first, EN)


# ── the chart ─────────────────────────────────────────────────────────────────────────────────


def test_curve_band_and_rings_lie_where_the_shares_say(plan):
    steps = read_frontier(plan)
    needs = read_needs(plan, steps)
    shares = [s.nested for s in steps if s.nested is not None]
    picture = str(draw_frontier(shares, ZH, steps=steps, needs=needs, label="x"))
    heights = [
        float(y) for y in re.findall(r'd="M44\.0 ([\d.]+)H[\d.]+" stroke="#E8EAED"', picture)
    ]
    zero = float(re.search(r'd="M44\.0 ([\d.]+)H[\d.]+" stroke="#D5D8DC"', picture)[1])
    assert len(heights) == 4

    def level(y):
        return (zero - y) / (zero - heights[-1])

    def points(path):
        return np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", path), dtype=float)

    curve = points(re.search(r'd="([^"]+)" fill="none" stroke="#616E7C"', picture)[1])
    assert level(curve[:, 1]) == pytest.approx([s.covered for s in steps], abs=5e-4)
    band = points(re.search(r'd="([^"]+)" fill="#DDE1E5"', picture)[1])
    assert level(band[: len(steps), 1]) == pytest.approx([s.bound for s in steps], abs=5e-4)
    assert band[len(steps) :] == pytest.approx(curve[::-1])
    plan_line = points(re.search(r'd="([^"]+)" fill="none" stroke="#D55E00"', picture)[1])
    assert level(plan_line[:, 1]) == pytest.approx(shares, abs=5e-4)
    rings = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="[\d.]+" fill="#FFF"', picture)
    wanted = [curve[n.stations] for n in needs]
    assert np.array(rings, dtype=float) == pytest.approx(np.array(wanted), abs=0.11)
    for need in needs:
        assert f">{need_label(need, ZH)}<" in picture
    right = max(float(x) for x in re.findall(r'x="([\d.]+)"', picture))
    assert right < 640


@pytest.mark.parametrize("most", [1, 5, 24, 60])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_any_number_of_stations_has_its_chart(most, language):
    covered = np.linspace(0.2, 0.97, most + 1)
    steps = [step(k, c) for k, c in enumerate(covered)]
    needs = [find_need(steps, share) for share in SHARES]
    picture = draw_frontier(covered[: most // 2 + 1], speak(language), steps=steps, needs=needs,
                            label="x")  # fmt: skip
    assert f">{most}</text>" in picture
    proven = {"zh": "每种站数的最好方案，已证明", "en": "best possible for every number, proven"}
    assert proven[language] in picture
    assert "上限" not in picture


def test_thin_band_is_said_in_figures():
    steps = [step(k, 0.5 + 0.05 * k, 0.5012 + 0.05 * k) for k in range(6)]
    picture = draw_frontier([0.5, 0.55], ZH, steps=steps, needs=[], label="x")
    assert "距已证明的上限不超过 0.2 个百分点" in picture
    assert "与已证明上限之间" not in picture
    wide = [s._replace(bound=s.covered + 0.05) for s in steps]
    assert "与已证明上限之间" in draw_frontier([0.5], ZH, steps=wide, needs=[], label="x")


def test_nothing_is_told_beyond_the_first_share_out_of_reach(plan):
    needs = [Need(0.8, 5, 5, 20), Need(0.9, None, 21, 20), Need(0.95, None, 21, 20)]
    assert needs_line(needs, EN).endswith("80\u202f% needs 5; 90\u202f% takes more than 20.")
    picture = draw_frontier([0.6], ZH, steps=read_frontier(plan), needs=needs, label="x")
    assert "90%：需 &gt;20 站" in picture
    assert "95%" not in picture


def test_chart_says_that_gathering_places_go_first(plan):
    siting = plan.settings.siting.model_copy(update={"informal_share": 0.5})
    ruled = replace(
        with_siting(plan, informal_first=2, free_share=0.97),
        settings=plan.settings.model_copy(update={"siting": siting}),
    )
    assert "每种站数找到的最好方案，自发聚集点优先" in told(ruled)
    assert "自发聚集点优先" not in told(plan)


def test_chart_keeps_the_proof_and_the_sentences(plan):
    text = told(plan)
    for part in (
        "新增 6 站，覆盖 80%；11 站可达 90%",
        "已证明：与 6 站的最优方案相差不超过 0.42%。",
        "80% 需 6 站；90% 需 11 站；95% 至多 16 站、至少 14 站",
        "在开到 3 站时",
    ):
        assert part in text


# ── what stands behind a site ─────────────────────────────────────────────────────────────────


def test_every_site_tells_its_loss_and_its_replacement(plan):
    text, rows = told(plan), plan.tables["explanations"]
    for row in rows.to_dict("records"):
        assert f"去掉它少覆盖 {100 * row['loss_share']:.1f} 个百分点" in text
        assert f"{row['alternative_name']}（换后覆盖 {row['alternative_share']:.1%}）" in text
    assert text.count("几乎相当的替代：") == (rows["near_ties_count"] > 0).sum() == 2
    assert text.count("最好的替代：") == 4
    assert "还有幸福社区7号服务中心、长征大道8号路口及另外 1 处" in text


@pytest.mark.parametrize(("changes", "zh", "en"), [
    ({"name": None, "share": None}, "去掉它少覆盖 3.0 个百分点；没有候选点能替代它",
     "Without it 3.0 points are lost; no candidate makes up for it"),
    ({"share": 0.7729}, "去掉它少覆盖 3.0 个百分点；没有候选点能替代它", None),
    ({"loss": 0.0, "share": 0.8025},
     "去掉它不少覆盖：这些人次方案里别的站也能到",
     "Without it nothing is lost: others of the plan cover the same"),
    ({"ties": ("乙", "甲", "丙", "丁"), "ties_count": 9}, None,
     ("Without it 3.0 points are lost; nearly as good: 甲 (then 80.0\u202f% covered)"
      "; also 乙, 丙 and 6 more")),
    ({"ties": ("甲",), "ties_count": 1},
     "去掉它少覆盖 3.0 个百分点；几乎相当的替代：甲（换后覆盖 80.0%）", None),
])  # fmt: skip
def test_replacements_in_words(plan, changes, zh, en):
    f = replace(read_figures(plan), after=0.8026)
    r = Replacement(0.03, "甲", 0.8, (), 0, None, None)._replace(**changes)
    for words, wanted in ((ZH, zh), (EN, en)):
        if wanted is not None:
            assert replacement_line(r, f, words) == wanted


def test_workbook_holds_both_tables(plan, tmp_path):
    book = openpyxl.load_workbook(write_workbook(plan, tmp_path / "plan.xlsx"))
    rows = list(book[SHEET].iter_rows(min_row=3, values_only=True))
    frame = plan.tables["frontier"]
    assert [r[0] for r in rows] == list(frame["count"])
    assert [r[1] for r in rows] == pytest.approx(list(frame["covered_share"]))
    assert [r[2] for r in rows] == pytest.approx(list(frame["bound_share"]))
    assert [r[3] for r in rows] == ["是" if s == "optimal" else "否" for s in frame["status"]]
    nested = frame["nested_share"].dropna()
    assert [r[4] for r in rows if r[4] is not None] == pytest.approx(list(nested))
    assert rows[3][5] == pytest.approx(1.0)
    assert len(rows[0]) == 6  # no costs, no column of costs
    heads = [c.value for c in book[SITES][2]]
    places = [heads.index(head) for head in BEHIND]
    cells = [[r[p] for p in places] for r in book[SITES].iter_rows(min_row=3, values_only=True)]
    for cell, (key, row) in zip(cells, plan.tables["explanations"].iterrows(), strict=True):
        assert cell[0] == pytest.approx(row["loss_share"]), key
        assert cell[1:3] == [row["alternative_name"], pytest.approx(row["alternative_share"])]
        assert cell[3] == (row["near_ties"] or None)
        assert cell[4:] == ["骑手驿站1", pytest.approx(18.4)]


def test_costs_have_a_column_where_they_are_known(plan, tmp_path):
    frame = plan.tables["frontier"]
    priced = with_tables(plan, frontier=frame.assign(cost=1000.0 * frame["count"]))
    book = openpyxl.load_workbook(write_workbook(priced, tmp_path / "plan.xlsx"))
    costs = [r[6] for r in book[SHEET].iter_rows(min_row=3, values_only=True)]
    assert costs == [1000.0 * k for k in frame["count"]]


def test_numbers_of_a_site_say_what_stands_behind_it(plan):
    sites = plan.tables["sites"].assign(informal_rest_per_day=0.0)
    rows = plan.tables["explanations"].copy()
    rows.loc[rows.index[-1], ["alternative_id", "alternative_name"]] = None
    rows.loc[rows.index[-1], ["alternative_share", "nearest_station_min"]] = np.nan
    told = _sites(sites.iloc[::-1], rows)
    assert [s["site_id"] for s in told] == list(sites.index[::-1])
    for site in told[1:]:
        row = rows.loc[site["site_id"]]
        assert site["loss_share"] == row["loss_share"]
        assert list(site["alternative"].values()) == list(
            row[["alternative_id", "alternative_name", "alternative_share"]]
        )
        assert "; ".join(site["near_ties"]) == row["near_ties"]
        assert (site["nearest_station"], site["nearest_station_min"]) == ("骑手驿站1", 18.4)
    assert told[0]["alternative"] is told[0]["nearest_station_min"] is None
    assert len(told[0]["near_ties"]) == 4


@pytest.mark.parametrize(("siting", "best"), [
    ({"model": "pmedian", "bound": 3.0, "best_possible_share": 0.97, "status": "optimal"}, 0.97),
    ({"min_district_share": 0.5, "status": "optimal"}, None),
    ({"budget": 500_000.0, "status": "optimal"}, None),
])  # fmt: skip
def test_bounds_of_something_else_are_not_told_as_coverage(plan, siting, best):
    other = with_siting(plan, **siting)
    f = read_figures(other)
    assert (f.best, f.gap, f.status) == (best, None, "")
    drawn = figures_of_plan(other)
    assert (drawn.best, drawn.gap, drawn.status) == (best, None, "")
    html = render_report(other).split("</style>")[1]
    assert "可证明" not in html
    assert "已证明：" not in html
    assert "已获证明" not in html


@pytest.mark.parametrize("empty", [False, True])
def test_what_was_not_traced_or_explained_leaves_no_trace(plan, tmp_path, empty):
    gone = [t.iloc[:0] if empty else None for t in (plan.tables[k] for k in TABLES)]
    old = with_tables(plan, **dict(zip(TABLES, gone, strict=True)))
    text = told(old)
    for words in ("去掉它", "替代", "新增多少站", "按排名", "可达 90%"):
        assert words not in text
    assert "已证明：与 6 站的最优方案相差不超过 0.42%" in text
    assert "6 站的上限" in text
    assert dict(answer_rows(plan)).keys() - dict(answer_rows(old)).keys() == {"要覆盖 80/90/95%"}
    book = openpyxl.load_workbook(write_workbook(old, tmp_path / "old.xlsx"))
    assert SHEET not in book.sheetnames
    assert not set(BEHIND) & {c.value for c in book[SITES][2]}
    assert read_replacements(old) == {}


TABLES = ("frontier", "explanations")


def test_names_of_replacements_stay_text(plan):
    poison = {"alternative_name": HOSTILE, "near_ties": f"{HOSTILE}; {HOSTILE}"}
    html = render_report(
        with_tables(plan, explanations=plan.tables["explanations"].assign(**poison))
    )
    assert HOSTILE not in html
    assert html.count("&lt;img src=x") == 6


def test_a_plan_without_a_site_still_tells_what_stations_would_bring(plan):
    none = with_tables(plan, sites=plan.tables["sites"].iloc[:0],
                       explanations=plan.tables["explanations"].iloc[:0])  # fmt: skip
    none = with_siting(none, sites=[])
    frontier = none.tables["frontier"].assign(nested_share=np.nan)
    text = told(with_tables(none, frontier=pd.DataFrame(frontier)))
    assert "80% 需 6 站" in text
    assert "按排名" not in text.replace("方案，按排名逐站开放", "")
