"""The report says the plan's numbers, and whatever a name holds stays text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from planner.report import write_report
from planner.report.html import render_report
from planner.report.words import speak

HOSTILE = "<img src=x onerror=alert(1)>${1+1}</script>"

OURS = {
    "html", "head", "meta", "title", "style", "body", "main", "section", "p", "span", "h1", "h2",
    "h3", "figure", "figcaption", "ul", "li", "dl", "dt", "dd", "div", "aside", "table", "thead",
    "tbody", "tr", "th", "td", "br", "small", "i", "b", "code",
    "svg", "g", "path", "rect", "circle", "text", "defs", "pattern", "clippath",
}  # fmt: skip


class Page(HTMLParser):
    """Collects tags, attributes and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words = set(), [], []
        self.style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        self.style = tag == "style"

    def handle_endtag(self, _tag):
        self.style = False

    def handle_data(self, data):
        if not self.style:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"[ \n]+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def page(plan):
    return Page(render_report(plan))


def test_same_plan_gives_the_same_bytes(plan, tmp_path, new_plan):
    first = write_report(plan, tmp_path / "a.html").read_bytes()
    assert write_report(new_plan(), tmp_path / "b.html").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_headline_states_the_finding(plan, page):
    before, after = (plan.summary["coverage"][k]["covered_share"] for k in ("before", "after"))
    assert f"新增 6 站，步行 15 分钟覆盖 {before:.0%} → {after:.0%}" in page.text


def test_english_has_a_thin_space_before_the_sign(english_plan):
    text = Page(render_report(english_plan)).text
    shares = [english_plan.summary["coverage"][k]["covered_share"] for k in ("before", "after")]
    before, after = (f"{100 * s:.0f}\u202f%" for s in shares)
    assert f"6 new stations: {before} → {after} covered within a 15-minute walk" in text
    assert not re.search(r"\d%", text)


def test_every_number_of_the_sites_is_the_plans(plan, page):
    for site in plan.summary["siting"]["sites"]:
        assert site["name"] in page.text
        assert f"{100 * site['gain_share']:.1f}" in page.text
        assert f"{100 * site['cumulative_share']:.1f}" in page.text
    for share in plan.summary["coverage"]["after"]["by_district"].values():
        assert f"{100 * share:.1f}" in page.text


def test_losses_stand_with_reason_and_example(page):
    for text in ("48,213", "48,009", "第 41 行: 41.16-8.67", "坐标格式有误", "4.3%"):
        assert text in page.text


def test_every_figure_and_table_is_followed_by_its_basis(plan):
    html = render_report(plan)
    basis = plan.summary["coverage"]["basis"]
    for section in re.findall(r"<section[^>]*>.*?</section>", html, flags=re.DOTALL):
        if "%" in section and 'class="chart"' in section:
            figures = section.count("<figure>")
            assert section.count('<p class="basis">') >= figures
    assert html.count(basis) >= 5


def test_hostile_names_are_text(hostile_plan):
    html = render_report(hostile_plan)
    page = Page(html)
    assert page.tags <= OURS
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in page.attributes)
    assert HOSTILE in page.text
    assert "=1+1" in page.text
    assert html.count("</style>") == 1


def test_nothing_is_asked_of_the_network(plan, hostile_plan):
    for html in (render_report(plan), render_report(hostile_plan)):
        assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
        assert "<script" not in html
        assert "@import" not in html
        assert not re.search(r"url\((?!#)", html)
    assert not re.search(r"https?:", render_report(plan))


def test_map_shows_sites_parking_and_unmet_demand(plan):
    picture = re.search(r'<svg[^>]*class="map".*?</svg>', render_report(plan), re.DOTALL).group()
    assert len(picture) < 400_000
    for rank in range(1, 7):
        assert f">{rank}</text>" in picture
    for text in ("江北", "老城", "新区", "1 公里", "北"):
        assert text in picture
    assert picture.count('fill="#D55E00" stroke="#FFF"') == 6
    assert picture.count('rx="6"') == 4
    assert "#6A2C70" in picture
    assert "url(#gained)" in picture


def test_study_without_stations_parking_water_or_hours_is_still_told(new_plan):
    plan = new_plan()
    tables = {k: v for k, v in plan.tables.items() if k not in ("stations", "water", "streets")}
    tables["parking"] = tables["parking"].iloc[:0]
    tables["candidates"] = tables["candidates"].query("action != 'keep'")
    summary = {**plan.summary, "parking": {"sites": [], "covered_share": 0.0}}
    sides = {
        when: {**plan.summary["coverage"][when], "open_now": {}, "circle_share": None}
        for when in ("before", "after")
    }
    sides["before"]["covered_share"] = 0.0
    summary["coverage"] = {**plan.summary["coverage"], **sides}
    summary["demand"] = {**plan.summary["demand"], "first_day": None, "last_day": None}
    poor = replace(
        plan, tables=tables, summary=summary, reach=plan.reach.select(tables["candidates"].index)
    )
    text = Page(render_report(poor)).text
    assert "新增 6 站，步行 15 分钟覆盖 0% →" in text
    assert "没有一处的短停来自 10 名及以上的骑手" in text
    assert "数据中没有时段信息" in text


def test_plan_without_a_site_says_so(new_plan):
    plan = new_plan()
    siting = {**plan.summary["siting"], "sites": []}
    coverage = {**plan.summary["coverage"], "after": plan.summary["coverage"]["before"]}
    empty = replace(
        plan,
        tables={**plan.tables, "sites": plan.tables["sites"].iloc[:0]},
        summary={**plan.summary, "siting": siting, "coverage": coverage},
    )
    text = Page(render_report(empty)).text
    assert "未新增站点" in text
    assert "要求 6 站，推荐 0 站" in text


def test_chinese_report_speaks_no_english_sentence(page):
    """Names of packages, keys and sources aside, no word of the page is left in English."""
    body = page.text.split("方法摘要")[0]
    words = set(re.findall(r"[A-Za-z]{4,}", body))
    assert words <= {
        "Erlang",
        "activity",
        "parquet",
        "stations",
        "xlsx",
        "OpenStreetMap",
        "contributors",
    }


@pytest.mark.parametrize(("share", "zh", "en"), [
    (0.614, "61%", "61\u202f%"), (0.996, "99%", "99\u202f%"), (1.0, "100%", "100\u202f%"),
    (0.004, "<1%", "<1\u202f%"), (0.0, "0%", "0\u202f%"),
    (None, "–", "–"), (float("nan"), "–", "–"),
])  # fmt: skip
def test_percentages(share, zh, en):
    assert speak("zh").percent(share) == zh
    assert speak("en").percent(share) == en
