"""Sites edited in Excel, CSV, GeoJSON and GeoPackage, given back, and run again."""

import json
import shutil

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
from small_study import write_small_study

from planner import load_plan, load_register, run_study, score_sites
from planner.errors import ColumnError, InputError
from planner.outputs import write_outputs

SHEET = {"zh": ("推荐站点", "台账其他站点"), "en": ("Recommended sites", "Other sites")}
HEADS = {"zh": ("状态", "负责人", "备注", "名称"), "en": ("Status", "Owner", "Note", "Name")}
WORDS = {
    "zh": {"rejected": "已否决", "agreed": "已同意", "opened": "已启用", "surveyed": "已踏勘"},
    "en": {"rejected": "Rejected", "agreed": "host agreed", "opened": "opened",
           "surveyed": "surveyed"},
}  # fmt: skip


def make_town(folder, language):
    """A study, its first plan and the outputs of that."""
    write_small_study(folder, language)
    plan = run_study(folder)
    write_outputs(plan, folder / "out")
    return language, folder, plan


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return make_town(tmp_path_factory.mktemp("zh") / "town", "zh")


@pytest.fixture(scope="module", params=["zh", "en"])
def each_town(request, town, tmp_path_factory):
    if request.param == "zh":
        return town
    return make_town(tmp_path_factory.mktemp("en") / "town", "en")


def edit_book(book, language, *decisions):
    """Fill in status, owner and note of the first sites."""
    sheet = book[SHEET[language][0]]
    at = {c.value: c.column for c in sheet[2]}
    for row, (status, owner, note) in enumerate(decisions, 3):
        values = (WORDS[language].get(status, status), owner, note)
        for head, value in zip(HEADS[language], values, strict=False):
            sheet.cell(row, at[head], value)


def edited(town, path, *decisions):
    language, folder, _ = town
    book = openpyxl.load_workbook(folder / "out" / "plan.xlsx")
    edit_book(book, language, *decisions)
    book.save(path)
    return path


def again(town, path, *more):
    return run_study(town[1], overrides=(f'siting.register="{path}"', *more))


def test_planners_choose_a_status_from_a_list_and_the_table_has_twelve_columns_at_most(each_town):
    language, folder, plan = each_town
    sheet = openpyxl.load_workbook(folder / "out" / "plan.xlsx")[SHEET[language][0]]
    heads = [c.value for c in sheet[2]]
    seen = [h for c, h in zip(sheet[2], heads, strict=True)
            if not sheet.column_dimensions[c.column_letter].hidden]  # fmt: skip
    dimensions = sheet.column_dimensions
    folded = {letter for d in dimensions.values() if d.hidden
              for letter in "ABCDEFGHIJKLMNOP"[d.min - 1 : d.max]}  # fmt: skip
    shown = [h for c, h in zip(sheet[2], heads, strict=True) if c.column_letter not in folded]
    assert len(shown) <= 12 < len(seen) + len(folded)
    assert shown[-3:] == list(HEADS[language][:3])
    rule = sheet.data_validations.dataValidation[0]
    letter = sheet.cell(2, heads.index(HEADS[language][0]) + 1).column_letter
    assert rule.type == "list"
    assert f"{letter}3" in rule.sqref
    assert len(rule.formula1.strip('"').split(",")) == 5
    row = plan.tables["sites"].loc["S01"]
    assert row[["status", "owner", "note"]].tolist() == ["proposed", "", ""]


def test_second_run_leaves_out_the_rejected_opens_the_agreed_first_and_counts_the_opened(
    each_town, tmp_path
):
    language, _, free = each_town
    sites = free.tables["sites"]
    path = edited(
        each_town, tmp_path / "意见.xlsx", ("rejected", "城管局 李", "无电；业主不同意"),
        ("opened", "总工会", ""), ("agreed", "社区\n王", "可用 20㎡"),
    )  # fmt: skip
    plan = again(each_town, path, "siting.count=2")
    told, new = plan.summary["siting"]["register"], plan.tables["sites"]
    assert (told["rejected"], told["opened"], told["agreed"]) == (1, 1, 1)
    assert told["file"] == "意见.xlsx"
    names = sites["name"].tolist()
    assert new.loc["S01", ["name", "status", "owner", "note"]].tolist() == [
        names[2], "agreed", "社区\n王", "可用 20㎡",
    ]  # fmt: skip
    assert not {names[0], names[1]} & set(new["name"])
    assert names[1] in set(plan.tables["stations"]["name"])
    opened = free.tables["candidates"].loc[sites["candidate_id"].iloc[1]]
    station = plan.tables["stations"].set_index("name").loc[names[1]]
    assert station["hours"] == opened["hours"]
    before = plan.summary["coverage"]["before"]["covered_share"]
    gained = sites["cumulative_share"].iloc[1] - sites["gain_share"].iloc[0]
    assert before >= free.summary["coverage"]["before"]["covered_share"]
    assert before >= gained - 1e-9 or sites["gain_share"].iloc[1] == 0
    out = tmp_path / "out"
    write_outputs(plan, out)
    book = openpyxl.load_workbook(out / "plan.xlsx")
    others = [[c.value for c in row] for row in book[SHEET[language][1]].iter_rows(min_row=3)]
    assert {r[0] for r in others} == set(names[:2])
    assert any("城管局 李" in r and "无电；业主不同意" in r for r in others)
    line = " ".join(str(c.value) for row in book.worksheets[0] for c in row if c.value)
    assert "意见.xlsx" in line
    assert "意见.xlsx" in (out / "report.html").read_text(encoding="utf-8")
    assert json.loads((out / "plan.json").read_text())["siting"]["register"] == told


def test_the_third_run_knows_all_that_the_second_knew(town, tmp_path):
    path = edited(town, tmp_path / "a.xlsx", ("rejected", "李", "无"), ("surveyed", "王", "—"))
    second = again(town, path)
    write_outputs(second, tmp_path / "out")
    one = load_register(path, area=second.tables["districts"])
    written = ["status", "owner", "note"]
    told = {tuple(r) for r in one[written].itertuples(index=False) if any(r[1:])}
    assert len(told) == 2
    for name in ("plan.xlsx", "sites.geojson", "sites.gpkg"):
        two = load_register(tmp_path / "out" / name, area=second.tables["districts"])
        assert two["status"].tolist().count("rejected") == 1
        assert told <= {tuple(r) for r in two[written].itertuples(index=False)}
    ranks = gpd.read_file(tmp_path / "out" / "sites.geojson")["rank"]
    assert ranks.notna().sum() == len(second.tables["sites"])
    assert ranks.isna().sum() == second.tables["register"]["site_id"].isna().sum() > 0
    assert len(load_plan(tmp_path / "out").tables["register"]) == len(one)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_a_csv_of_the_sheet_is_the_same_register(town, tmp_path, encoding):
    path = edited(town, tmp_path / "a.xlsx", ("rejected", "李", "无电"), ("agreed", "王", ""))
    frame = pd.read_excel(path, sheet_name=SHEET[town[0]][0], header=1, engine="calamine")
    frame.to_csv(tmp_path / "a.csv", index=False, encoding=encoding)
    area = town[2].tables["districts"]
    one, two = (load_register(tmp_path / n, area=area) for n in ("a.xlsx", "a.csv"))
    columns = ["candidate_id", "name", "status", "owner", "note", "hours", "row"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(one[columns[:-1]]), pd.DataFrame(two[columns[:-1]]), check_dtype=False
    )
    assert (one.geometry.distance(two.geometry) < 0.2).all()
    assert two["row"].tolist() == [2, 3, 4]


@pytest.mark.parametrize("kind", ["geojson", "gpkg"])
def test_a_layer_edited_in_a_gis_is_the_same_register(town, tmp_path, kind):
    language, folder, plan = town
    layer = gpd.read_file(folder / "out" / f"sites.{kind}", layer="sites")
    assert layer["status"].tolist() == [{"zh": "建议", "en": "proposed"}[language]] * 3
    layer.loc[0, ["status", "owner", "note"]] = [WORDS[language]["rejected"], "李", "无电"]
    pyogrio.write_dataframe(layer, tmp_path / f"a.{kind}")
    found = load_register(tmp_path / f"a.{kind}", area=plan.tables["districts"])
    assert found["status"].tolist() == ["rejected", "proposed", "proposed"]
    assert found.loc["R01", ["owner", "note"]].tolist() == ["李", "无电"]
    sites = plan.tables["sites"]
    assert found["candidate_id"].tolist() == sites["candidate_id"].tolist()
    apart = [a.distance(b) for a, b in zip(found.geometry, sites.geometry, strict=True)]
    assert max(apart) < 0.2


def test_a_register_that_a_run_would_replace_is_kept(town, tmp_path):
    language, folder, _ = town
    copy = tmp_path / "town"
    shutil.copytree(folder, copy)
    book = openpyxl.load_workbook(copy / "out" / "plan.xlsx")
    edit_book(book, language, ("rejected", "李", "无电"))
    book.worksheets[0]["H30"] = "电话 123"
    book.save(copy / "out" / "plan.xlsx")
    before = (copy / "out" / "plan.xlsx").read_bytes()
    write_outputs(run_study(copy, overrides=('siting.register="out/plan.xlsx"',)), copy / "out")
    kept = list((copy / "out").glob("register-*.xlsx"))
    assert [k.read_bytes() for k in kept] == [before]
    assert (copy / "out" / "plan.xlsx").read_bytes() != before


def test_a_planners_own_list_is_scored_from_a_file(town, tmp_path):
    _, folder, plan = town
    whole = score_sites(plan, list(plan.tables["sites"].index))
    for name in ("plan.xlsx", "sites.geojson", "sites.gpkg"):
        assert score_sites(plan, folder / "out" / name) == whole
    path = edited(town, tmp_path / "mine.xlsx", ("rejected", "", ""))
    assert score_sites(plan, str(path)).chosen == whole.chosen[1:]
    listed = pd.DataFrame({"name": ["x"], "lon": [0.0], "lat": [0.0], "candidate_id": ["nobody"]})
    listed.drop(columns=["lon", "lat"]).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match=r"row 2: the site 'x' is none of the plan's candidates"):
        score_sites(plan, tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("host:a,A,114.1,22.1,已统意", "row 2, column `状态`: unknown status '已统意'.*`已同意`"),
        (",A,,,已否决", "row 2, column `经度`: .* neither coordinates nor the number"),
        ("host:a,A,1.0,2.0,已否决", "row 2, column `经度`: outside the area .*km outside"),
        ("host:a,A,,,已启用", "row 2: a site that has opened needs its place"),
        ("host:a,A,,,已同意\nhost:a,A,,,已否决", "row 3, column `状态`: the site 'A' is rejected"),
        ("host:a,A,x,22.1,已否决", "row 2, column `经度`: malformed coordinate"),
    ],
)
def test_bad_rows_are_one_error_with_file_row_column_and_remedy(town, tmp_path, rows, words):
    path = tmp_path / "register.csv"
    path.write_text(f"候选点编号,名称,经度,纬度,状态\n{rows}\n", encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        load_register(path, area=town[2].tables["districts"])
    assert str(caught.value).startswith(f"{path}, row ")


def test_a_file_without_a_status_says_so(tmp_path):
    path = tmp_path / "register.csv"
    path.write_text("名称,经度,纬度,状况\nA,114,22,已否决\n", encoding="utf-8")
    with pytest.raises(ColumnError, match=r"no column tells the status.*has .*`状况`.*call"):
        load_register(path)


def test_rows_of_the_same_site_and_status_are_joined(tmp_path):
    path = tmp_path / "register.csv"
    path.write_text(
        "candidate_id,name,lon,lat,status,owner,note\n"
        "host:a,A,114.1,22.1,surveyed,Li,no power\n"
        "host:a,A,114.1,22.1,surveyed,Wang,no power\n"
        "host:a,B,114.2,22.1,rejected,,\n",
        encoding="utf-8",
    )
    found = load_register(path)
    assert found["status"].tolist() == ["surveyed", "rejected"]
    assert found.loc["R01", ["owner", "note", "row"]].tolist() == ["Li; Wang", "no power", 2]
