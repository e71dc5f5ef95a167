"""Any format, encoding and separator gives the same stations; a broken file, one clear error."""

import csv
import io

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError, MissingFileError
from planner.load import load_activity, load_stations
from planner.load.delimited import find_encoding, read_delimited
from planner.load.files import find_files, fingerprint

HEADERS = ["编号", "驿站名称", "经度", "纬度", "营业时间", "座位数"]
ROWS = [
    ["S1", "江北驿站", "114.93", "25.85", "24小时", "12"],
    ["S2", "老城，驿站", "114.94", "25.86", "9点-21点", "30"],
    ["S10", "河套“新”站", "114.95", "25.87", "", ""],
]
TABLE = pd.DataFrame(ROWS, columns=HEADERS)


def text_of(separator=",", end="\n"):
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator=end).writerows([HEADERS, *ROWS])
    return stream.getvalue()


def check(stations):
    assert stations.index.tolist() == ["S1", "S2", "S10"]
    assert stations["name"].tolist() == [r[1] for r in ROWS]
    assert stations["hours"].tolist() == ["00:00-24:00", "09:00-21:00", "09:00-17:00"]
    assert stations["hours_assumed"].tolist() == [False, False, True]
    assert stations["capacity"].fillna(0).tolist() == [12, 30, 0]
    degrees = stations.to_crs(4326).geometry
    assert degrees.x.round(6).tolist() == [114.93, 114.94, 114.95]
    assert degrees.y.round(6).tolist() == [25.85, 25.86, 25.87]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_encodings_and_separators(tmp_path, encoding, separator):
    file = tmp_path / "stations.csv"
    file.write_bytes(text_of(separator).encode(encoding))
    check(load_stations(file))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, end):
    file = tmp_path / "stations.txt"
    file.write_bytes(text_of(end=end).encode())
    check(load_stations(file))


def points():
    return gpd.points_from_xy(TABLE["经度"].astype(float), TABLE["纬度"].astype(float), crs=4326)


def write_excel(file):
    with pd.ExcelWriter(file) as book:
        pd.DataFrame([["说明"], ["由工会填报"]]).to_excel(
            book, sheet_name="说明", index=False, header=False
        )
        titled = pd.DataFrame([["全市驿站一览表", *[""] * 5], [""] * 6, HEADERS, *ROWS])
        titled.to_excel(book, sheet_name="驿站", index=False, header=False)


WRITERS = {
    "stations.xlsx": write_excel,
    "stations.parquet": TABLE.to_parquet,
    "stations.geojson": lambda f: gpd.GeoDataFrame(TABLE, geometry=points()).to_file(f),
    "stations.gpkg": lambda f: gpd.GeoDataFrame(TABLE, geometry=points()).to_crs(32650).to_file(f),
    "stations.shp": lambda f: gpd.GeoDataFrame(TABLE, geometry=points()).to_file(
        f, encoding="gb18030"
    ),
    "geo.parquet": lambda f: gpd.GeoDataFrame(TABLE, geometry=points()).to_parquet(f),
    "squares.geojson": lambda f: gpd.GeoDataFrame(
        TABLE, geometry=points().buffer(0.0001, cap_style="square")
    ).to_file(f),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_formats(tmp_path, name):
    WRITERS[name](tmp_path / name)
    check(load_stations(tmp_path / name))


def test_a_workbook_named_csv_and_a_csv_named_xls(tmp_path):
    write_excel(tmp_path / "stations.xlsx")
    (tmp_path / "a.csv").write_bytes((tmp_path / "stations.xlsx").read_bytes())
    (tmp_path / "b.xls").write_text(text_of("\t"), encoding="gb18030")
    check(load_stations(tmp_path / "a.csv"))
    check(load_stations(tmp_path / "b.xls"))


def test_titles_above_the_header_and_blank_rows_keep_row_numbers(tmp_path):
    file = tmp_path / "stations.csv"
    lines = text_of().splitlines()
    broken = 'S9,坏站,"114.93.1",25.85,,'
    file.write_text("\n".join(["全市驿站", "", lines[0], "", *lines[1:], broken, ",,,,,"]))
    stations = load_stations(file)
    check(stations)
    note = stations.attrs["input"]
    assert (note["rows"], note["kept"]) == (4, 3)
    assert note["examples"] == {"malformed coordinate": "row 8 (S9 坏站): `114.93.1`"}


def test_rows_with_too_many_cells_are_counted(tmp_path):
    file = tmp_path / "stations.csv"
    file.write_text(text_of() + "S4,多,出,一,格,的,行\n")
    stations = load_stations(file)
    check(stations)
    assert stations.attrs["input"]["dropped"] == {"more cells than headers": 1}
    assert stations.attrs["input"]["examples"] == {"more cells than headers": "row 5"}


def test_a_column_without_header_does_no_harm(tmp_path):
    file = tmp_path / "stations.csv"
    file.write_text("".join(line + ",\n" for line in text_of().splitlines()))
    check(load_stations(file))


BROKEN = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\n\n  \n", "no text"),
    "header.csv": ("名称,经度,纬度\n".encode(), "no rows"),
    "binary.csv": (bytes(range(256)) * 20, "encoding"),
    "surrogate.csv": (b"\xff\xfe\x00\xd8\x81\x81", "encoding"),
    "damaged.xlsx": (b"PK\x03\x04damaged", "workbook is damaged"),
    "web.xls": (b"<html><table></table></html>", "web page"),
    "damaged.parquet": (b"PAR1 no more", "Parquet"),
    "damaged.geojson": (b"{", "not readable"),
    "damaged.gpkg": (b"SQLite format 3\x00", "not readable"),
    "letter.docx": (b"PK", "cannot be read here"),
    "quote.csv": ('名称,经度,纬度\n"驿站,114.9,25.8\n甲,114.9,25.8,1\n'.encode(), "quotation"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_clear_error(tmp_path, name):
    content, word = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=word) as caught:
        load_stations(tmp_path / name)
    assert name in str(caught.value)


def test_an_empty_workbook_is_told(tmp_path):
    pd.DataFrame().to_excel(tmp_path / "empty.xlsx")
    with pytest.raises(InputError, match="no cell"):
        load_stations(tmp_path / "empty.xlsx")


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "stations.csv").write_text(text_of())
    with pytest.raises(MissingFileError, match=r"Did you mean `stations\.csv`"):
        load_stations(tmp_path / "station.csv")
    with pytest.raises(MissingFileError, match="no such file"):
        find_files(tmp_path / "*.parquet")
    (tmp_path / "days").mkdir()
    with pytest.raises(MissingFileError, match="no readable file"):
        find_files(tmp_path / "days")


def test_a_pattern_and_a_folder_take_every_file_once(tmp_path):
    day = pd.DataFrame({"rider_id": "a", "lon": 114.9, "lat": 25.8, "time": ["2026-09-15 10:00"]})
    for number in (1, 2):
        day.assign(time=f"2026-09-1{number} 10:00").to_csv(tmp_path / f"{number}.csv", index=False)
    day.head(0).to_csv(tmp_path / "3.csv", index=False)
    by_pattern = load_activity(tmp_path / "*.csv")
    by_folder = load_activity(tmp_path)
    assert by_pattern["time"].dt.day.tolist() == by_folder["time"].dt.day.tolist() == [11, 12]
    assert by_pattern.attrs["input"]["file"] == "*.csv"
    assert by_pattern.attrs["input"]["sha256"] == by_folder.attrs["input"]["sha256"]


def test_losses_of_many_files_name_the_file(tmp_path):
    good = "rider_id,lon,lat,time\na,114.9,25.8,2026-09-15 10:00\n"
    (tmp_path / "1.csv").write_text(good)
    (tmp_path / "2.csv").write_text(good + "b,,,2026-09-15 10:00\n")
    note = load_activity(tmp_path / "*.csv").attrs["input"]
    assert note["examples"]["no coordinate"] == "2.csv row 3"
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"] == 3


def test_fingerprint_is_the_files_sha256(tmp_path):
    import hashlib

    (tmp_path / "a.csv").write_bytes(b"a")
    assert fingerprint([tmp_path / "a.csv"]) == hashlib.sha256(b"a").hexdigest()


@given(st.text(st.characters(categories=["L", "N"], include_characters=",\n"), min_size=1))
def test_text_of_any_letters_is_decoded_as_it_was(text):
    data = text.encode("utf-8")
    assert data.decode(find_encoding(data)).removeprefix("\ufeff") == text.removeprefix("\ufeff")


cells = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=6)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8))
def test_csv_gives_the_cells_that_were_written(rows):
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["a", "b", "c"], *rows])
    frame, row, too_many = read_delimited(stream.getvalue().encode(), lambda _: 0, file="f.csv")
    assert frame.to_numpy().tolist() == rows
    assert row.tolist() == list(range(2, len(rows) + 2))
    assert not too_many.any()


def test_every_reason_for_a_loss_has_chinese():
    import re
    from pathlib import Path

    from planner import load
    from planner.i18n import translator

    source = "\n".join(
        p.read_text(encoding="utf-8") for p in Path(load.__file__).parent.glob("*.py")
    )
    reasons = set(re.findall(r'(?:Fault|Loss)\(\s*"([^"]+)"', source))
    notes = set(
        re.findall(r'^        "([a-z][^"]+ [^"]+)": (?!Column)[\w(~]', source, re.MULTILINE)
    )
    reasons -= {"low", "odd"}  # of a doctest
    assert len(reasons) >= 15
    assert "hours assumed" in notes
    t = translator("zh")
    assert [r for r in sorted(reasons | notes) if t(r) == r] == []
