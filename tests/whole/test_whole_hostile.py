"""Names that are code stay names: on the map, in the report, in the workbook."""

from html.parser import HTMLParser

import openpyxl
import pandas as pd
import pytest
from small_study import write_small_study

from planner.outputs import write_outputs
from planner.pipeline import run_study

HOSTILE = "<img src=x onerror=alert(1)>${1+1}</script>"
FORMULA = "=1+1"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    study = write_small_study(tmp_path_factory.mktemp("hostile") / "town")
    stations = pd.read_csv(study / "stations.csv", dtype=str)
    stations.assign(站点名称=[HOSTILE, FORMULA], 服务=[FORMULA, HOSTILE]).to_csv(
        study / "stations.csv", index=False
    )
    hosts = pd.read_csv(study / "hosts.csv", dtype=str)
    hosts["名称"] = [f"{HOSTILE} {i}" for i in range(len(hosts))]
    hosts.to_csv(study / "hosts.csv", index=False)
    words = ('candidates.kinds=["hosts"]',)
    write_outputs(run_study(study, overrides=words), study / "out")
    return study / "out"


class Elements(HTMLParser):
    """The names of all elements, and the text between them."""

    def __init__(self):
        super().__init__()
        self.names, self.text = [], ""

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        self.names.append(tag)

    def handle_data(self, data):
        self.text += data


def test_report_says_the_name_and_makes_no_element_of_it(out):
    page = Elements()
    page.feed((out / "report.html").read_text(encoding="utf-8"))
    assert HOSTILE in page.text
    assert "img" not in page.names


def test_workbook_holds_texts_and_no_formula(out):
    book = openpyxl.load_workbook(out / "plan.xlsx")
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    texts = [c for c in cells if c.value in (FORMULA, HOSTILE)]
    assert {c.value for c in texts} == {FORMULA, HOSTILE}
    assert {c.data_type for c in texts} == {"s"}
    assert not [c for c in cells if c.data_type == "f"]


@pytest.mark.browser
def test_map_says_the_names_and_runs_nothing(browser, out):
    browser.size(1440, 900)
    browser.open(out / "map.html")
    said = browser.run(
        "window.alert = () => { window.pwned = 1; };"
        "return [0, 1, 2].map(f => { p.popups.open(f);"
        "return document.querySelector('.pm-pop').textContent; }).join()"
    )
    assert HOSTILE in said
    assert FORMULA in said
    assert browser.run("return window.pwned ?? null") is None
    assert browser.run("return document.querySelectorAll('.pm img').length") == 0
    assert browser.errors() == []
