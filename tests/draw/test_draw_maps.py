"""The page as a file: self-contained, locked, the same every time, safe whatever names say."""

import base64
import hashlib
import re

import folium
import pytest

from planner.draw import draw_map, draw_plan, write_map
from planner.draw.shell import OfflinePage
from planner.errors import ColumnError
from planner.plan import load_plan


@pytest.fixture(scope="module")
def page(plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    assert write_map(plan, path) == path
    return path.read_text(encoding="utf-8")


def markup(html):
    return re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)


def test_nothing_points_outside_the_file(page):
    assert not re.search(r"<(link|img|iframe|object|embed|base)\b", page)
    assert not re.search(r"\b(src|href|action)\s*=", markup(page))
    assert not re.search(
        r"url\((?!data:|#)", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    )
    assert "@import" not in page


def test_policy_names_every_script_and_allows_nothing_else(page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == hashes
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_same_plan_gives_the_same_bytes(plan, page):
    assert draw_map(plan).get_root().render() == page


def test_a_saved_plan_draws_the_same_map(plan, page, tmp_path):
    plan.save(tmp_path)
    assert draw_map(load_plan(tmp_path)).get_root().render() == page


def test_a_failure_leaves_the_earlier_map(plan, tmp_path):
    import dataclasses

    path = tmp_path / "map.html"
    path.write_text("earlier", encoding="utf-8")
    broken = dataclasses.replace(
        plan, tables={**plan.tables, "demand": plan.tables["demand"].drop(columns="cell_row")}
    )
    with pytest.raises(KeyError):
        write_map(broken, path)
    assert path.read_text(encoding="utf-8") == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


def test_no_name_of_the_data_stands_in_the_page(hostile_plan):
    html = draw_map(hostile_plan).get_root().render()
    assert "pwned" not in html
    assert hostile_plan.summary["study"] not in html


def test_a_notebook_shows_it(plan):
    m = draw_map(plan)
    assert isinstance(m, folium.Map)
    assert isinstance(m.get_root(), OfflinePage)
    assert m._repr_html_().startswith('<div style="width:100%;">')
    assert "srcdoc" in m._repr_html_()


def test_notebook_tables_are_enough(plan, tmp_path):
    t = plan.tables
    m = draw_plan(t["districts"], t["demand"], t["sites"], t["parking"], language="en", name="Town")
    m.save(tmp_path / "map.html")
    assert (tmp_path / "map.html").stat().st_size > 100_000


def test_a_wrong_table_is_named(plan):
    t = plan.tables
    with pytest.raises(ColumnError, match="`demand` lacks `weight_per_day`"):
        draw_plan(t["districts"], t["demand"].drop(columns="weight_per_day"), t["sites"])


def test_two_maps_of_one_page_share_leaflet_but_no_id(plan):
    figure = folium.Figure()
    first, second = draw_map(plan), draw_plan(None, plan.tables["demand"], plan.tables["sites"])
    figure.add_child(first)
    figure.add_child(second)
    html = figure.render()
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert html.count("Leaflet 1.9.4") == 1


def test_file_of_a_town_is_small(page):
    assert len(page.encode()) < 350_000
