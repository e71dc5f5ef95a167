"""Whatever planners wrote comes back from the workbook and the layers, letter by letter."""

import tempfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import hypothesis
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import strategies as st

from planner.load import load_register
from planner.report import write_sites, write_workbook
from planner.report.html import render_report
from planner.report.register import register_line
from planner.report.words import speak
from planner.tables import STATUSES

WRITTEN = ["status", "owner", "note"]
letters = st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters=" \n")
texts = st.text(letters, max_size=20).map(lambda text: text.strip())
decisions = st.fixed_dictionaries(
    {"status": st.sampled_from(list(STATUSES)), "owner": texts, "note": texts}
)
COUNTS = {"rows": 9, "rejected": 2, "agreed": 0, "opened": 1, "kept": 6, "waiting": 0,
          "unmatched": 0}  # fmt: skip


def decided(plan, here, others):
    """The plan with decisions on its sites, and other sites beside them in its register."""
    sites = plan.tables["sites"]
    live = sites.iloc[: len(here)].assign(**{c: [d[c] for d in here] for c in WRITTEN})
    count = len(others)
    register = gpd.GeoDataFrame(
        {
            "site_id": None, "candidate_id": [f"corner:{k}" for k in range(count)],
            "name": [f"旧点 {k}" for k in range(count)], "host_name": "",
            **{c: [d[c] for d in others] for c in WRITTEN}, "hours": "08:00-20:00",
            "capacity": 12.0, "row": 3, "part": "a.xlsx", "outcome": "unmatched",
            "matched_id": None, "match": "",
        },
        geometry=gpd.points_from_xy(
            sites.geometry.x.iloc[0] + 500.0 + 100.0 * np.arange(count),
            np.full(count, sites.geometry.y.iloc[0]),
        ),
        crs=sites.crs,
        index=pd.Index([f"R{k:02d}" for k in range(count)], name="register_id"),
    )  # fmt: skip
    siting = {**plan.summary["siting"], "register": {"file": "a.xlsx", **COUNTS}}
    tables = {**plan.tables, "sites": live, "register": register}
    return replace(plan, tables=tables, summary={**plan.summary, "siting": siting})


@pytest.mark.parametrize("language", ["zh", "en"])
@hypothesis.settings(max_examples=4)
@hypothesis.given(
    here=st.lists(decisions, min_size=1, max_size=6), others=st.lists(decisions, max_size=4)
)
def test_all_that_was_written_comes_back(plan, english_plan, language, here, others):
    whole = decided({"zh": plan, "en": english_plan}[language], here, others)
    with tempfile.TemporaryDirectory() as folder:
        book = write_workbook(whole, Path(folder) / "plan.xlsx")
        paths = [book, *write_sites(whole, folder).values()]
        found = [load_register(path, area=whole.tables["districts"]) for path in paths]
    expected = [[d[c] for c in WRITTEN] for d in [*here, *others]]
    ids = [*whole.tables["sites"]["candidate_id"], *whole.tables["register"]["candidate_id"]]
    points = [*whole.tables["sites"].geometry, *whole.tables["register"].geometry]
    for table in found:
        assert table[WRITTEN].to_numpy().tolist() == expected
        assert table["candidate_id"].tolist() == ids
        assert max(a.distance(b) for a, b in zip(table.geometry, points, strict=True)) < 0.3
        assert table["hours"].tolist()[len(here) :] == ["08:00-20:00"] * len(others)
    assert found[0]["capacity"].tolist()[len(here) :] == [12.0] * len(others)


def test_report_and_workbook_tell_what_the_register_did(plan, tmp_path):
    here = [{"status": "agreed", "owner": "王", "note": "<b>20 ㎡</b>"}]
    whole = decided(plan, here, [{"status": "rejected", "owner": "", "note": ""}])
    line = "站点台账 a.xlsx：已否决 2 处，不再推荐；已启用 1 处，按现有站点计；继续推荐 6 处。"
    assert register_line(whole, speak("zh")) == line
    assert register_line(plan, speak("zh")) == ""
    english = register_line(whole, speak("en"))
    assert english.startswith("Site register a.xlsx: 2 rejected, not recommended again; 1 opened")
    html = render_report(whole)
    assert line in html
    assert "已同意 · 王 · &lt;b&gt;20 ㎡&lt;/b&gt;" in html
    assert "状态：" not in render_report(plan)
    book = openpyxl.load_workbook(write_workbook(whole, tmp_path / "plan.xlsx"))
    assert line in [c.value for row in book["摘要"] for c in row]
    assert "台账其他站点" in book.sheetnames
