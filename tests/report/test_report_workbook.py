"""The workbook holds the plan's numbers as numbers and every text as text."""

import zipfile

import openpyxl
import pytest

from planner.report import write_workbook
from planner.report.figures import read_figures

HOSTILE = "<img src=x onerror=alert(1)>${1+1}</script>"
FORMULA = "=1+1"

SHEETS = [
    "摘要", "推荐站点", "推荐站点明细", "站数与覆盖率", "友好停车", "覆盖率", "到最近的站要几分钟",
    "谁还没有站可去", "如果某站关闭", "如果街道有变", "现有站点", "聚集点", "热区", "需求",
    "数据与损失", "设置与方法",
]  # fmt: skip


@pytest.fixture(scope="module")
def book(plan, tmp_path_factory):
    return openpyxl.load_workbook(
        write_workbook(plan, tmp_path_factory.mktemp("book") / "plan.xlsx")
    )


@pytest.fixture(scope="module")
def hostile_file(hostile_plan, tmp_path_factory):
    return write_workbook(hostile_plan, tmp_path_factory.mktemp("hostile") / "plan.xlsx")


def column(sheet, head):
    heads = [c.value for c in sheet[2]]
    place = heads.index(head)
    return [row[place] for row in sheet.iter_rows(min_row=3)]


def test_same_plan_gives_the_same_bytes(plan, tmp_path, new_plan):
    first = write_workbook(plan, tmp_path / "a.xlsx").read_bytes()
    assert write_workbook(new_plan(), tmp_path / "b.xlsx").read_bytes() == first


def test_sheets_and_links(book):
    assert book.sheetnames == SHEETS
    targets = {c.hyperlink.location for row in book["摘要"] for c in row if c.hyperlink}
    assert targets == {f"'{name}'!A1" for name in SHEETS[1:]}


def test_shares_are_percentages_of_the_plan(plan, book):
    sheet = book["推荐站点明细"]
    sites = plan.tables["sites"].sort_values("rank")
    cells = column(sheet, "新增占全部，%")
    assert [c.value for c in cells] == pytest.approx(list(sites["gain_share"]))
    assert {c.number_format for c in cells} == {"0.0%"}
    assert [c.value for c in column(sheet, "编号")] == list(sites.index)
    f = read_figures(plan)
    shares = {r[1].value: (r[4].value, r[5].value) for r in book["覆盖率"].iter_rows(min_row=3)}
    assert shares["全部"] == pytest.approx((f.before, f.after))
    for scope in f.districts:
        assert shares[scope.name] == pytest.approx((scope.before, scope.after))


def test_identifiers_are_text(book):
    cells = column(book["现有站点"], "站点编号")
    assert [c.value for c in cells] == [f"{k:03}" for k in range(1, 10)]
    assert {c.data_type for c in cells} == {"s"}


def test_recommended_rows_are_tinted(book):
    assert {c.fill.fgColor.rgb for c in column(book["推荐站点"], "名称")} == {"FFFBE9DD"}


def test_prints_on_a4_landscape_one_page_wide(book):
    for sheet in book:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    for sheet in book.worksheets[1:]:
        assert sheet.print_title_rows == "$2:$2"
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref.startswith("A2:")


def test_whatever_a_name_holds_is_a_string(hostile_file):
    book = openpyxl.load_workbook(hostile_file)
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    texts = {c.value for c in cells if c.data_type == "s"}
    assert not [c for c in cells if c.data_type == "f"]
    assert {HOSTILE, FORMULA, '=HYPERLINK("http://x")'} <= texts
    assert any(text.startswith(("+cmd", "@SUM", "-2+3", "&L")) for text in texts)
    with zipfile.ZipFile(hostile_file) as parts:
        sheets = [
            parts.read(n).decode() for n in parts.namelist() if n.startswith("xl/worksheets/s")
        ]
        assert not any("<f>" in text for text in sheets)
        links = [n for n in parts.namelist() if "_rels" in n and "worksheet" in n]
        assert not any("http://x" in parts.read(n).decode() for n in links)


def test_footer_survives_ampersands(hostile_file):
    footer = openpyxl.load_workbook(hostile_file)["摘要"].oddFooter
    assert "&&L" in (footer.left.text or "") or "&L" in (footer.left.text or "")


def test_losses_and_settings_are_there(book):
    losses = [c.value for c in column(book["数据与损失"], "略去的原因")]
    assert "坐标格式有误" in losses
    keys = [c.value for c in column(book["设置与方法"], "项")]
    assert {"siting.count", "demand.min_workers", "numpy"} <= set(keys)
