"""The page in headless Chromium with the network cut."""

import base64
import json
import time
from dataclasses import replace

import numpy as np
import pytest
import shapely

from planner.draw import draw_map, draw_plan, write_map

pytestmark = pytest.mark.browser

VERMILLION, BLUE, GREEN = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2), (0x00, 0x9E, 0x73)
WATER = (0xDC, 0xEA, 0xF2)
EXISTING = 5


@pytest.fixture(scope="module")
def file(plan, tmp_path_factory):
    return write_map(plan, tmp_path_factory.mktemp("map") / "map.html")


@pytest.fixture
def page(browser, file):
    """The page as it opens on a desk."""
    browser.size(1440, 900)
    browser.open(file)
    return browser


def like(colour, other, tolerance=14):
    return max(abs(a - b) for a, b in zip(colour, other, strict=True)) <= tolerance


def spot(page, kind, number):
    """Where a marker's centre lies on the screen."""
    return page.run(
        "const c = p.map.latLngToContainerPoint(p.layers.all[arguments[0]].getLayers()"
        "[arguments[1]].getLatLng()); return [Math.round(c.x), Math.round(c.y)]",
        kind,
        number,
    )


# ── opening ───────────────────────────────────────────────────────────────────────────────────


def test_it_opens_without_a_network_and_without_complaint(page, file):
    log = [json.loads(e["message"])["message"] for e in page.driver.get_log("performance")]
    asked = [
        m["params"]["request"]["url"] for m in log if m["method"] == "Network.requestWillBeSent"
    ]
    outside = [u for u in asked if not u.startswith(("data:", "blob:", "about:"))]
    assert outside == [file.resolve().as_uri()]
    assert page.errors() == []


def test_first_picture_shows_the_answer(page):
    for i in range(3):
        x, y = spot(page, "sites", i)
        assert like(page.colour(x - 9, y), VERMILLION)
    for i in (0, 2):
        assert like(page.colour(*spot(page, "stations", i)), BLUE)
    for i in range(4):
        x, y = spot(page, "parking", i)
        assert like(page.colour(x - 4, y - 4), GREEN)
    picture = page.picture(scale=0.25).reshape(-1, 3)
    assert len(np.unique(picture, axis=0)) > 300
    drawn = (np.abs(picture.astype(int) - 0xFB).max(axis=1) > 8).mean()
    assert 0.2 < drawn < 0.95


def test_site_lies_where_the_plan_says(page, plan):
    sites = plan.tables["sites"].to_crs(4326)
    places = page.run(
        "return p.layers.all.sites.getLayers().map(m => [m.getLatLng().lng, m.getLatLng().lat])"
    )
    assert np.array(places) == pytest.approx(np.c_[sites.geometry.x, sites.geometry.y], abs=6e-6)


def test_cells_have_three_states(page):
    states = page.run("return [...p.layers.all.demand.state]")
    assert {5, 6} < set(states)
    assert set(states) - {5, 6} <= {0, 1, 2, 3, 4}
    i = states.index(4)
    x, y = page.run(
        "const c = p.cells, q = p.map.latLngToContainerPoint(L.CRS.EPSG3857.pointToLatLng("
        "L.point(c.x[arguments[0]], c.y[arguments[0]]), 18)); return [q.x, q.y]", i
    )  # fmt: skip
    red, green, blue = page.colour(round(x), round(y))
    assert blue > green + 20
    assert red > green + 10


def test_service_areas_and_water_are_drawn(page):
    above = ["demand", "streets", "places", "stations", "parking", "sites", "districts"]
    page.run("for (const name of arguments[0]) p.layers.show(name, false)", above)
    x, y = page.run(
        "const c = p.map.latLngToContainerPoint(p.where(3)); return [c.x, c.y].map(Math.round)"
    )
    before = page.colour(x, y)
    assert like(before, (0xFB, 0xFB, 0xFA), 3)
    page.run("p.layers.show('areas', true)")
    red, _, blue = page.colour(x, y)
    assert blue - red > 25
    water = page.run(
        "const b = p.layers.all.water.getBounds(), lat = b.getCenter().lat;"
        "const c = p.map.latLngToContainerPoint([lat, 0.98 * b.getWest() + 0.02 * b.getEast()]);"
        "return [c.x, c.y].map(Math.round)"
    )
    page.run("p.layers.show('areas', false)")
    assert like(page.colour(*water), WATER, 4)


def test_layer_control_switches_every_layer(page):
    page.run("p.search.openPanel(true)")
    names = page.run(
        "return [...document.querySelectorAll('.pm-layers input')].map(n => n.dataset.layer)"
    )
    assert set(names) == {
        "sites", "gained", "uncovered", "parking", "candidates", "edits", "stations", "demand",
        "hotspots", "gatherings", "areas", "streets", "districts", "places", "water",
    }  # fmt: skip
    for name in names:
        for _ in range(2):
            before = page.run("return p.map.hasLayer(p.layers.all[arguments[0]])", name)
            page.run('document.querySelector(`[data-layer="${arguments[0]}"]`).click()', name)
            assert page.run("return p.map.hasLayer(p.layers.all[arguments[0]])", name) is not before
    assert page.errors() == []


def test_legend_says_what_is_on_and_nothing_else(page):
    text = "return document.querySelector('.pm-legend').innerText"
    assert "友好停车" in page.run(text)
    page.run(
        "for (const n of ['parking', 'demand']) p.layers.show(n, false);"
        "p.layers.show('areas', true)"
    )
    assert "友好停车" not in page.run(text)
    assert "人次/日" not in page.run(text)
    assert "5 · 10 · 15" in page.run(text)


def test_informal_rest_and_hot_spots_are_told_when_switched_on(page):
    assert not page.run("return p.map.hasLayer(p.layers.all.gatherings)")
    page.run("for (const n of ['gatherings', 'hotspots']) p.layers.show(n, true)")
    legend = page.run("return document.querySelector('.pm-legend').innerText")
    assert "自发聚集点" in legend
    assert "热区" in legend
    lines = page.run(
        "return ['gatherings', 'hotspots'].flatMap(n => p.layers.all[n].getLayers()"
        ".map(m => m.getElement().getAttribute('aria-label')))"
    )
    assert lines == [
        "江南区 · 第 8 街 · 休息 122 人次/日 · 距最近站点 1,230 米",
        "江南区 · 5 号路 · 休息 41 人次/日 · 无站点",
        "江南区 · 第 10 街 · 813 人次/日 · 高峰：午间",
        "江北区 · 北广场 · 401 人次/日",
    ]
    x, y = spot(page, "gatherings", 0)
    assert like(page.colour(x, y), (0xCC, 0x79, 0xA7))
    page.run("p.popups.openGathering(p.study.gatherings[0])")
    text = page.run("return document.querySelector('.pm-pop').innerText")
    assert "骑手在此自发休息" in text
    assert "1,230" in text
    page.run("p.popups.openHotspot(p.study.hotspots[0])")
    assert "需求在此集中，午间尤甚" in page.run(
        "return document.querySelector('.pm-pop').innerText"
    )
    page.run("p.setLanguage('en')")
    assert "Informal rest" in page.run("return document.querySelector('.pm-legend').innerText")
    page.run(
        "p.map.closePopup(); p.setLanguage('zh');"
        "for (const n of ['gatherings', 'hotspots']) p.layers.show(n, false)"
    )
    assert page.errors() == []


def test_places_that_stay_without_a_station_are_told_when_switched_on(page):
    assert not page.run("return p.map.hasLayer(p.layers.all.uncovered)")
    page.run("p.layers.show('uncovered', true)")
    assert "方案仍未覆盖" in page.run("return document.querySelector('.pm-legend').innerText")
    assert page.run(
        "return p.layers.all.uncovered.getLayers()"
        ".map(m => m.getElement().getAttribute('aria-label'))"
    ) == [
        "江南区 · 29 号路 · 233 人次/日 · 距最近站点 21 分钟",
        "江北区 · 27 号路 · 121 人次/日 · 距最近站点超过 60 分钟",
    ]
    assert like(page.colour(*spot(page, "uncovered", 0)), (0x6A, 0x2C, 0x70))
    page.run("p.popups.openUncovered(p.study.uncovered[1])")
    text = page.run("return document.querySelector('.pm-pop').innerText")
    assert "15 分钟内仍无站可达" in text
    assert ">60" in text
    page.run("p.map.closePopup(); p.layers.show('uncovered', false)")
    assert page.errors() == []


def test_changed_streets_are_drawn_and_told_when_switched_on(page, plan):
    assert not page.run("return p.map.hasLayer(p.layers.all.edits)")
    page.run(
        "for (const n of ['stations', 'parking', 'demand', 'streets']) p.layers.show(n, false)"
    )
    x, y = page.run(
        "const e = p.study.edits[1], c = p.map.latLngToContainerPoint(toLatLng(e.x, e.y));"
        "return [c.x, c.y].map(Math.round)".replace(
            "toLatLng(e.x, e.y)", "L.CRS.EPSG3857.pointToLatLng(L.point(e.x, e.y), 18)"
        )
    )
    page.run("p.layers.show('edits', true)")
    assert like(page.colour(x, y), (0x1F, 0x29, 0x33), 60)  # the cross in its disc
    lines = page.run(
        "return p.layers.all.edits.getLayers().filter(l => l.options.weight < 6)"
        ".map(l => [l.options.dashArray, l.getLatLngs().flat().map(q => [q.lng, q.lat])])"
    )
    shapes = plan.tables["edits"].to_crs(4326).geometry
    for (dashes, places), shape, broken in zip(lines, shapes, (False, True), strict=True):
        assert bool(dashes) is broken
        assert np.array(places) == pytest.approx(shapely.get_coordinates(shape), abs=6e-6)
    legend = page.run("return document.querySelector('.pm-legend').innerText")
    assert "假设打通的街道" in legend
    assert "假设封闭的街道" in legend
    page.run("p.layers.all.edits.getLayers().findLast(l => l.getLatLngs).fire('click')")
    text = page.run("return document.querySelector('.pm-pop').innerText")
    assert "若封闭：两端之间 2.1\u00a0→\u00a0>60 分钟。方案未计入。" in text
    assert "覆盖：今日站点 62%\u00a0→\u00a057%，方案站点 93%\u00a0→\u00a088%" in text
    assert "变化最大：江北区 41%\u00a0→\u00a022%" in text
    assert "步行 · 15 分钟 · 不计营业时间" in text
    assert "169\n每日多走" in text or "每日多走，骑手小时\n169" in text
    page.run("p.popups.openEdit(p.study.edits[0])")
    text = page.run("return document.querySelector('.pm-pop').innerText")
    assert "7.6\u00a0→\u00a01" in text
    assert "方案已计入" in text
    assert "方案站点 93% ·" in text
    page.run("p.setLanguage('en'); p.popups.openEdit(p.study.edits[1])")
    text = page.run("return document.querySelector('.pm-pop').innerText")
    assert "If closed: 2.1\u00a0→\u00a0>60 min from end to end. The plan does not count" in text
    assert "most in Jiangbei: 41\u202f%\u00a0→\u00a022\u202f% today" in text
    page.run("p.map.closePopup()")
    assert page.errors() == []


def test_rule_expansion_and_need_are_said_beside_the_shares(browser, plan, tmp_path):
    siting = plan.summary["siting"] | {"informal_first": 2, "free_share": 0.987}
    demand = plan.summary["demand"] | {
        "expansion": {"food": {"seen": 30, "registered": 300, "factor": 10.0}},
        "need": {"rest": 2.0},
    }
    summary = plan.summary | {"siting": siting, "demand": demand}
    file = write_map(replace(plan, summary=summary), tmp_path / "rule.html")
    browser.size(1440, 900)
    browser.open(file)
    text = browser.run("return document.querySelector('.pm-card').innerText")
    assert "2 站优先设在骑手自发聚集处；不设此规则可达 99%" in text
    assert "自发聚集点优先时的上限，差距 1.2%" in text.replace("\n", "")
    basis = browser.run("return document.querySelector('.pm-basis').innerText")
    assert "已扩样至在册人数" in basis
    assert "人次按需求加权" in basis
    assert browser.errors() == []


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


def test_own_sums_agree_with_the_plan(page, plan):
    today, planned = page.run("return [p.own.today, p.own.plan]")
    for own, side in ((today, "before"), (planned, "after")):
        coverage = plan.summary["coverage"][side]
        want = [coverage["covered_share"], *coverage["open_now"].values()]
        assert own == pytest.approx(want, abs=1e-3)


def test_shares_of_any_set_equal_numpy(page, plan):
    ids = page.run("return p.study.facilities.id")
    masks = page.run("return p.study.facilities.open")
    reach, demand = plan.reach, plan.tables["demand"]
    column = reach.facility_id.get_indexer(ids)
    rng = np.random.default_rng(5)
    sets = [sorted(rng.choice(len(ids), k, replace=False).tolist()) for k in (0, 1, 3, 8, 14)]
    got = page.run("return arguments[0].map(s => p.whatIf.measure(s).share)", sets)
    parts = ["weight_per_day", *(f"weight_{d}" for d in plan.settings.demand.dayparts)]
    for chosen, shares in zip(sets, got, strict=True):
        for bit, name in enumerate(parts):
            open_now = [column[f] for f in chosen if masks[f] >> bit & 1]
            hit = reach.covered(np.array(open_now, dtype=int))
            want = demand.loc[hit, name].sum() / demand[name].sum()
            assert shares[bit] == pytest.approx(want, abs=1e-5)


def test_card_says_the_figures_of_the_summary(page, plan):
    coverage = plan.summary["coverage"]
    text = page.run("return document.querySelector('.pm-card').innerText")
    shares = [f"{coverage[side]['covered_share'] * 100:.0f}%" for side in ("before", "after")]
    assert f"新增 3 站，覆盖 {shares[0]}\u00a0→\u00a0{shares[1]}" in text
    assert "差距 1.2%" in text
    assert "2 / 3" in text
    basis = "步行 · 15 分钟 · 不计营业时间 · 按街道实距 · 已采纳街道变更 1 项 · 数据 "
    assert f"{basis}2024-05-13 至 05-15" in text.replace("\n", "")


def test_daypart_switch_counts_only_what_is_open(page, plan):
    parts = list(plan.settings.demand.dayparts)
    page.run("document.querySelector('[data-focus=part5]').click()")
    after = plan.summary["coverage"]["after"]["open_now"][parts[4]]
    text = page.run("return document.querySelector('.pm-card').innerText")
    assert "夜间覆盖 " in text
    assert f"→\u00a0{after * 100:.0f}%" in text
    assert "夜间 21–6 点营业" in text
    assert page.run(
        "return p.markers.marks.slice(0, 5)"
        ".map(mark => mark.getElement().classList.contains('pm-closed'))"
    ) == [True, False, True, True, False]
    assert "本时段关闭" in page.run("return document.querySelector('.pm-legend').innerText")
    x, y = spot(page, "stations", 0)
    assert like(page.colour(x, y), (255, 255, 255), 6)
    assert page.run("return location.hash") == "#part=night"


def test_daypart_switch_fits_in_both_languages(page):
    for language in ("zh", "en"):
        page.run("p.setLanguage(arguments[0])", language)
        spill = page.run(
            "return [...document.querySelectorAll('.pm-switch span')]"
            ".filter(n => n.scrollWidth > n.clientWidth).map(n => n.textContent)"
        )
        assert spill == []


# ── trying out ────────────────────────────────────────────────────────────────────────────────


def test_trial_changes_shares_and_survives_a_reload(page, file):
    plan_share = page.run("return p.own.plan[0]")
    page.run("document.querySelector('[data-focus=try]').click()")
    assert page.run("return p.map.hasLayer(p.layers.all.candidates)")
    page.run("p.markers.marks[arguments[0]].fire('click')", EXISTING)
    dropped = page.run("return p.now.share[0]")
    assert dropped < plan_share
    assert "试算" in page.run("return document.querySelector('.pm-card h1').textContent")
    page.run("p.markers.marks[arguments[0]].fire('click')", EXISTING + 3)
    tried = page.run("return p.now.share[0]")
    assert tried > dropped
    fragment = page.run("return location.hash")
    assert "drop=host%3Ah1" in fragment
    page.open(file, fragment)
    assert page.run("return p.now.share[0]") == pytest.approx(tried)
    page.run("document.querySelector('[data-focus=restore]').click()")
    assert page.run("return p.now.share[0]") == pytest.approx(plan_share)
    page.run("document.querySelector('[data-focus=try]').click()")
    assert page.run("return location.hash") == ""
    assert page.errors() == []


def test_an_address_of_another_plan_does_no_harm(page, file):
    page.open(file, "#lang=fr&part=brunch&add=nobody&drop=%3Cimg%3E")
    assert page.run("return [p.state.language, p.state.part, p.state.trying]") == ["zh", 0, False]
    assert page.errors() == []


# ── popups, search, keys, languages ───────────────────────────────────────────────────────────


def test_popup_says_why_with_three_figures(page, plan):
    page.run("p.popups.open(5)")
    text = page.run("return document.querySelector('.pm-pop').innerText")
    assert plan.tables["sites"]["why"].iloc[0] in text
    assert page.run("return document.querySelectorAll('.pm-pop dd').length") == 3
    page.run("p.setLanguage('en'); p.popups.open(5)")
    english = page.run("return document.querySelector('.pm-pop').innerText")
    assert "visits a day nearby (peak: noon) are 22 min from a station today" in english
    page.run("p.popups.openParking(0)")
    assert "130 m on foot to 东门驿站" in page.run(
        "return document.querySelector('.pm-pop').innerText"
    )
    page.run("p.popups.open(0)")
    station = page.run("return document.querySelector('.pm-pop').innerText")
    assert "09:00-17:00 (assumed)" in station
    assert page.run("return document.querySelectorAll('.pm-pop dd').length") == 3


def test_popup_tells_the_loss_and_what_could_take_its_place(page, plan):
    share = plan.tables["explanations"]["alternative_share"]
    popup = "p.popups.open(arguments[0]); return document.querySelector('.pm-pop').innerText"
    first, second, third = (page.run(popup, EXISTING + k) for k in range(3))
    assert f"去掉它少覆盖 12.3 个百分点。最好的替代：候选 0（换后 {share.iloc[0]:.1%}）。" in first
    assert f"几乎相当的替代：候选 1（换后 {share.iloc[1]:.1%}）。" in second
    assert "去掉它不少覆盖。" in third
    assert "替代" not in third
    page.run("p.setLanguage('en')")
    wanted = "Without it 12.3 points of coverage are lost. Best replacement: 候选 0 (then"
    assert wanted in page.run(popup, EXISTING)
    assert page.errors() == []


def test_popup_of_a_plan_that_explains_nothing_says_nothing_of_it(browser, plan, tmp_path):
    tables = {k: v for k, v in plan.tables.items() if k != "explanations"}
    browser.size(1440, 900)
    browser.open(write_map(replace(plan, tables=tables), tmp_path / "map.html"))
    browser.run("p.popups.open(arguments[0])", EXISTING)
    text = browser.run("return document.querySelector('.pm-pop').innerText")
    assert plan.tables["sites"]["why"].iloc[0] in text
    assert "去掉它" not in text
    assert browser.errors() == []


def test_keyboard_reaches_everything(page):
    from selenium.webdriver import ActionChains, Keys

    def press(*keys):
        ActionChains(page.driver).send_keys(*keys).perform()

    press("2")
    page.wait("return document.querySelector('.pm-pop h3')?.textContent.startsWith('2')")
    press(Keys.ESCAPE)
    assert page.run(
        "return !document.querySelector('.leaflet-popup-pane .pm-pop') || !p.map._popup?.isOpen()"
    )
    press("/")
    press("30 hao")
    press(Keys.ESCAPE)
    page.run("document.querySelector('.pm-line input').value = ''")
    press("t")
    assert page.run("return p.state.trying")
    page.run("p.markers.marks[0].getElement().focus()")
    assert page.run("return document.activeElement.tabIndex") == 0
    press(Keys.ENTER)
    assert page.run("return p.state.open.has(0)") is False
    press("t")
    page.run("document.querySelector('[data-focus=part0]').focus()")
    press(Keys.ARROW_RIGHT)
    assert page.run("return [p.state.part, document.activeElement.dataset.focus]") == [1, "part1"]


def test_search_finds_streets_stations_and_districts(page):
    def find(text):
        return page.run(
            "const i = document.querySelector('.pm-line input'); i.value = arguments[0];"
            "i.dispatchEvent(new Event('input'));"
            "return [...document.querySelectorAll('.pm-found span:first-child')]"
            ".map(n => n.textContent)",
            text,
        )

    assert find("河滨") == ["河滨药店"]
    assert find("jiangBEI") == ["Jiangbei"]
    assert "10 号路" in find("10 号")
    assert find("no such place") == []


def test_page_speaks_both_languages(page):
    assert page.driver.title == "方城 · 站点规划"
    page.run("document.querySelector('[data-focus=en]').click()")
    assert page.driver.title == "方城 · station plan"
    text = page.run("return document.body.innerText")
    assert "For internal use" in text
    assert "Map review no. 赣S(2025)012号" in text
    assert "© OpenStreetMap contributors" in text
    assert page.run("return location.hash") == "#lang=en"
    left = page.run(
        """
        const names = [p.study.name, p.study.review, ...p.study.facilities.name,
          ...p.study.districts.map(d => d.name), "中"];
        const walk = document.createTreeWalker(p.root, NodeFilter.SHOW_TEXT), found = [];
        while (walk.nextNode()) {
          if (walk.currentNode.parentNode.tagName === "NOSCRIPT") continue;
          const rest = names.reduce((s, n) => s.split(n).join(""), walk.currentNode.data);
          if (/[\u4e00-\u9fff]/.test(rest)) found.push(rest);
        }
        return found"""
    )
    assert left == []


def test_hostile_names_stay_text(browser, hostile_plan, tmp_path):
    name = hostile_plan.summary["study"]
    browser.size(1440, 900)
    browser.open(write_map(hostile_plan, tmp_path / "hostile.html"))
    texts = browser.run(
        "const texts = []; for (let f = 0; f < 9; f++) { p.popups.open(f); "
        "texts.push(document.querySelector('.pm-pop').textContent); }"
        "for (const act of [() => p.popups.openParking(0),"
        " () => p.popups.openUncovered(p.study.uncovered[0]),"
        " () => p.popups.openEdit(p.study.edits[0])])"
        " { act(); texts.push(document.querySelector('.pm-pop').textContent); }"
        "p.layers.show('edits', true); p.layers.show('uncovered', true);"
        "p.setTrying(true); p.search.openPanel(true); p.setLanguage('en'); return texts"
    )
    assert all(name in text for text in texts)
    time.sleep(0.2)
    assert browser.run("return window.pwned ?? null") is None
    assert browser.run("return document.querySelectorAll('.pm img').length") == 0
    assert name in browser.driver.title
    assert name in browser.run("return document.querySelector('.pm-credits').textContent")
    found = browser.run(
        "const i = document.querySelector('.pm-line input'); i.value = '<img';"
        "i.dispatchEvent(new Event('input')); return document.querySelector('.pm-found').innerText"
    )
    assert name in found
    assert browser.errors() == []
    # and if somebody forgot, the policy would hold
    browser.run(
        "const n = document.createElement('div');"
        "n.innerHTML = '<img src=x onerror=\"window.pwned = 9\">'; document.body.append(n)"
    )
    time.sleep(0.2)
    assert browser.run("return window.pwned ?? null") is None
    browser.errors()


# ── other screens ─────────────────────────────────────────────────────────────────────────────


def test_phone_has_a_sheet_and_targets_of_40_px(browser, file):
    browser.size(390, 844, phone=True)
    browser.open(file)
    assert browser.run("return document.querySelector('.pm').classList.contains('pm-phone')")
    assert browser.run("return document.documentElement.scrollWidth") == 390
    x, y = spot(browser, "sites", 0)
    assert like(browser.colour(x - 9, y), VERMILLION)
    top = browser.run("return document.querySelector('.pm-card').getBoundingClientRect().top")
    assert 560 < top < 760
    browser.run("p.sheet.set(2); p.search.openPanel(true)")
    time.sleep(0.3)
    small = browser.run(
        """
        const targets = ["button", "label", "summary", "input[type=search]"];
        return [...document.querySelectorAll(targets.map(t => `.pm-box ${t}`).join())]
          .map(n => [n.textContent || n.className, n.getBoundingClientRect()])
          .filter(([, r]) => r.width && (r.height < 39.5 || r.width < 39.5))
          .map(([name, r]) => `${name} ${Math.round(r.width)} x ${Math.round(r.height)}`)"""
    )
    assert small == []
    assert browser.errors() == []


def test_bare_map_of_notebook_tables(browser, plan, tmp_path):
    t = plan.tables
    m = draw_plan(None, t["demand"], t["sites"], language="en", name="Town")
    m.save(tmp_path / "bare.html")
    browser.size(1200, 700)
    browser.open(tmp_path / "bare.html")
    assert browser.run("return Object.keys(p.layers.all).sort()") == ["demand", "sites"]
    last = t["sites"]["cumulative_share"].iloc[-1]
    assert f"{last * 100:.0f}\u202f% covered" in browser.run(
        "return document.querySelector('h1').textContent"
    )
    assert browser.run("return document.querySelector('.pm-card footer').hidden")
    browser.run("p.popups.open(0); p.setPart(1)")
    assert browser.errors() == []


def test_two_maps_in_one_page(browser, plan, tmp_path):
    import folium

    t = plan.tables
    figure = folium.Figure(height=900)
    for m in (draw_map(plan), draw_plan(None, t["demand"], t["sites"])):
        figure.add_child(m)
    figure.save(str(tmp_path / "two.html"))
    browser.size(1440, 900)
    browser.open(tmp_path / "two.html", maps=2)
    ids = browser.run("return [...document.querySelectorAll('[id]')].map(n => n.id)")
    assert len(ids) == len(set(ids))
    assert browser.run(
        "return [...document.querySelectorAll('.pm')].map(n => n.planPage.study.sites.length)"
    ) == [3, 3]
    assert browser.errors() == []


def test_old_browser_is_told(browser, file, tmp_path):
    browser.size(1440, 900)
    script = {"source": "delete window.DecompressionStream"}
    made = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    try:
        browser.driver.get(file.resolve().as_uri())
        browser.wait("return document.querySelector('.pm-message')?.innerText.includes('浏览器')")
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
    broken = tmp_path / "broken.html"
    text = file.read_text(encoding="utf-8")
    at = text.index('_cells">') + 8
    broken.write_text(text[:at] + "AAAA" + text[at + 4 :], encoding="utf-8")
    browser.driver.get(broken.as_uri())
    browser.wait("return document.querySelector('.pm-message')?.innerText.includes('读取失败')")
    browser.errors()


def test_it_prints_on_one_sheet(page):
    made = page.driver.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
    )
    pdf = base64.b64decode(made["data"])
    assert pdf.count(b"/Type /Page\n") == 1 or pdf.count(b"/Type /Page ") == 1


def test_a_plan_without_sites_says_so(browser, plan, tmp_path):
    import dataclasses

    sites, parking = plan.tables["sites"].iloc[:0], plan.tables["parking"].iloc[:0]
    summary = {
        **plan.summary,
        "coverage": {**plan.summary["coverage"], "after": plan.summary["coverage"]["before"]},
    }
    empty = dataclasses.replace(
        plan, tables={**plan.tables, "sites": sites, "parking": parking}, summary=summary
    )
    browser.size(1440, 900)
    browser.open(write_map(empty, tmp_path / "empty.html"))
    assert "没有新增站点" in browser.run("return document.querySelector('h1').textContent")
    assert browser.run("return 'sites' in p.layers.all") is False
    assert browser.errors() == []
