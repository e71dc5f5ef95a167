"""Fixes as a stream: the same from every format, every row in it once, whatever the batches."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyarrow import feather

from planner.activity.feed import FIX_SCHEMA
from planner.errors import ColumnError, CrsError, InputError, SettingsError
from planner.load import load_activity, scan_activity

AREA = gpd.GeoDataFrame(
    {"name": ["甲"]}, geometry=[shapely.box(114.90, 25.80, 115.00, 25.90)], crs=4326
).to_crs(32650)


def scan(path, **options):
    return scan_activity(path, area=AREA, **options)


def table_of(feed):
    """The whole feed as a table, words as text."""
    batches = list(feed.read())
    for batch in batches:
        names = [n for n in FIX_SCHEMA.names if n in batch.schema.names]
        assert batch.schema.equals(pa.schema([FIX_SCHEMA.field(n) for n in names]))
        batch.validate(full=True)
    frame = pa.Table.from_batches(batches).to_pandas()
    for name in {"rider_id", "worker_type"} & set(frame.columns):
        frame[name] = frame[name].astype(object).fillna("")
    return frame


def fixes(count=50, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "骑手编号": rng.integers(1, 5, count),
            "骑手类型": rng.choice(["外卖", "快递", ""], count),
            "定位时间": pd.Timestamp("2026-09-15")
            + pd.to_timedelta(rng.integers(0, 86400, count), unit="s"),
            "经度": rng.uniform(114.91, 114.99, count),
            "纬度": rng.uniform(25.81, 25.89, count),
        }
    )


def write(folder, rows, name="activity.csv", **options):
    pd.DataFrame(rows).to_csv(folder / name, index=False, **options)
    return folder / name


FORMATS = (
    "a.parquet", "a.feather", "a.arrow", "a.csv", "a.tsv", "bom.csv", "gb.csv", "u16.csv",
    "wide.csv", "a.xlsx", "a.gpkg", "a.geojson", "geo.parquet", "shape.shp",
)  # fmt: skip


@pytest.fixture(scope="module")
def every_format(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("formats"), fixes()
    rows.to_parquet(folder / "a.parquet")
    feather.write_feather(rows, folder / "a.feather", compression="zstd")
    feather.write_feather(rows, folder / "a.arrow", compression="uncompressed", chunksize=7)
    write(folder, rows, "a.csv")
    write(folder, rows, "a.tsv", sep="\t")
    write(folder, rows, "bom.csv", encoding="utf-8-sig")
    write(folder, rows, "gb.csv", encoding="gb18030")
    write(folder, rows, "u16.csv", encoding="utf-16", sep=";")
    text = (folder / "a.csv").read_text(encoding="utf-8").replace(",", "，")
    (folder / "wide.csv").write_text(text, encoding="utf-8")
    rows.to_excel(folder / "a.xlsx", index=False)
    points = gpd.points_from_xy(rows["经度"], rows["纬度"], crs=4326)
    layer = gpd.GeoDataFrame(rows.drop(columns=["经度", "纬度"]), geometry=points)
    layer.to_file(folder / "a.gpkg")
    layer.to_file(folder / "a.geojson")
    layer.to_parquet(folder / "geo.parquet")
    short = layer.assign(定位时间=layer["定位时间"].astype(str))
    short.columns = ["rider_id", "job", "time", "geometry"]
    short.to_crs(32650).to_file(folder / "shape.shp", encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_streams_the_same_fixes(every_format, name):
    rows = fixes()
    feed = scan(every_format / name)
    table = table_of(feed)
    assert table["rider_id"].tolist() == rows["骑手编号"].astype(str).tolist()
    local = table["time"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
    assert (local == rows["定位时间"]).all()
    assert np.allclose(table["lon"], rows["经度"], atol=1e-9)
    assert np.allclose(table["lat"], rows["纬度"], atol=1e-9)
    words = {"外卖": "food", "快递": "courier", "": "rider"}
    assert table["worker_type"].tolist() == rows["骑手类型"].map(words).tolist()
    assert feed.rows in (None, 50)
    assert feed.note["file"] == name


def test_a_feed_reads_again_from_the_start(every_format):
    for name in ("a.parquet", "gb.csv", "a.xlsx"):
        feed = scan(every_format / name)
        one, other = table_of(feed), table_of(feed)
        pd.testing.assert_frame_equal(one, other)


def kept(feed, table):
    """What `load_activity` keeps of a feed, its area aside."""
    sound = table["lon"].notna() & table["lat"].notna() & table["time"].notna()
    sound &= table["rider_id"] != ""
    table = table[sound & (table["lon"].between(114.9, 115.0))]
    table = table.drop_duplicates(["rider_id", "time", "lon", "lat"])
    return table.sort_values(["rider_id", "time", "lon"], ignore_index=True)


@pytest.mark.parametrize("name", FORMATS)
def test_streamed_is_loaded(every_format, name):
    loaded = load_activity(every_format / name, area=AREA)
    feed = scan(every_format / name)
    streamed = kept(feed, table_of(feed))
    assert streamed["rider_id"].tolist() == loaded["rider_id"].tolist()
    assert (streamed["time"] == loaded["time"].dt.tz_convert("UTC")).all()
    assert streamed["worker_type"].tolist() == loaded["worker_type"].tolist()


def test_what_a_row_lacks_is_null_and_what_is_no_coordinate_nan(tmp_path):
    good = {"rider": "a", "time": "2026-09-15 10:00:00", "lon": "114.95", "lat": "25.85"}
    rows = [
        good,
        good | {"lon": ""},
        good | {"lat": "25.85.1"},
        good | {"lon": "１１４．９５", "lat": "北纬25°51′"},
        good | {"lon": "nan", "lat": "N/A"},
        good | {"time": "soon"},
        good | {"rider": "N/A"},
        good | {"lon": "inf"},
        good | {"rider": " a "},
    ]
    feed = scan(write(tmp_path, rows))
    table = table_of(feed)
    batch = pa.Table.from_batches(list(feed.read()))
    assert batch["lon"].is_null().to_pylist() == [0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert batch["lat"].is_null().to_pylist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert np.isnan(table["lat"]).tolist() == [0, 0, 1, 0, 1, 0, 0, 0, 0]
    assert np.isnan(table["lon"]).tolist() == [0, 1, 0, 0, 1, 0, 0, 1, 0]
    assert (table["lon"][3], table["lat"][3]) == (114.95, 25.85)
    assert table["time"].isna().tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert table["rider_id"].tolist() == ["a", "a", "a", "a", "a", "a", "", "a", "a"]
    assert feed.place(5) == "row 7"


def test_typed_numbers_without_a_value_are_null_too(tmp_path):
    table = pa.table(
        {
            "rider": pa.array([7, None, 8, 9], pa.int64()),
            "time": pa.array([1_757_905_320, 0, None, 1_757_905_321], pa.int64()),
            "lon": pa.array([114.95, np.nan, np.inf, None], from_pandas=False),
            "lat": pa.array([25.85] * 4, pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    (batch,) = scan(tmp_path / "a.parquet").read()
    assert batch["lon"].is_null().to_pylist() == [False, True, False, True]
    assert np.isnan(batch["lon"][2].as_py())
    assert batch["rider_id"].to_pylist() == ["7", None, "8", "9"]
    assert batch["time"].is_null().to_pylist() == [False, True, True, False]
    assert batch["time"][0].as_py().timestamp() == 1_757_905_320


@pytest.mark.parametrize(
    ("low", "count"), [(1, 200), (10**12, 200), (-5, 10), (2**62, 300)], ids=str
)
def test_numbered_riders_keep_their_numbers_from_batch_to_batch(tmp_path, low, count):
    rng = np.random.default_rng(3)
    span = 10**9 if low == 2**62 else count
    rider = low + rng.integers(0, span, 200_000)
    rows = len(rider)
    table = {
        "rider": rider,
        "time": np.full(rows, 1_757_905_320),
        "lon": np.full(rows, 114.95),
        "lat": np.full(rows, 25.85),
    }
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    read = table_of(scan(tmp_path / "a.parquet"))["rider_id"]
    assert read.tolist() == [str(r) for r in rider.tolist()]


def hive(folder, count=60):
    rows = fixes(count).assign(定位时间=lambda t: t["定位时间"].dt.strftime("%H:%M:%S"))
    for day, part in rows.groupby(np.arange(count) % 3):
        place = folder / f"city=赣州/date=2026-09-{15 + day}"
        place.mkdir(parents=True)
        part.to_parquet(place / "part-0.parquet")
    (folder / "_SUCCESS").touch()
    return rows


@pytest.mark.parametrize("typed", [False, True])
def test_folders_of_days_give_clocks_their_day(tmp_path, typed):
    rows = hive(tmp_path)
    if typed:
        for file in tmp_path.rglob("*.parquet"):
            table = pd.read_parquet(file)
            table["定位时间"] = pd.to_datetime(table["定位时间"], format="%H:%M:%S").dt.time
            table.to_parquet(file)
    feed = scan(tmp_path)
    assert feed.rows == 60
    table = table_of(feed)
    local = table["time"].dt.tz_convert("Asia/Shanghai")
    want = sorted(f"2026-09-{15 + i % 3} {t}" for i, t in enumerate(rows["定位时间"]))
    assert sorted(local.dt.strftime("%Y-%m-%d %H:%M:%S")) == want
    assert feed.place(20) == "part-0.parquet row 1"
    loaded = load_activity(tmp_path, area=AREA)
    assert len(loaded) == 60
    assert sorted(loaded["time"].dt.strftime("%Y-%m-%d %H:%M:%S")) == want


def test_folders_that_clusters_write_are_files_to_a_pattern(tmp_path):
    for day in ("1", "2"):
        folder = tmp_path / f"day{day}.parquet"
        folder.mkdir()
        fixes(5, seed=int(day)).to_parquet(folder / "part-00000.snappy.parquet")
        for note in ("_SUCCESS", ".part-00000.snappy.parquet.crc"):
            (folder / note).touch()
    for path in (tmp_path, tmp_path / "day*.parquet"):
        assert len(table_of(scan(path))) == 10
    assert scan(tmp_path / "day2.parquet").rows == 5


def test_numbers_of_any_type_are_degrees(tmp_path):
    table = pa.table(
        {
            "rider": ["a", "b"],
            "time": pa.array([1_757_905_320] * 2),
            "lon": pa.array(["114.95", None]).cast(pa.decimal128(9, 6)),
            "lat": pa.array([25.5, None], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    (batch,) = scan(tmp_path / "a.parquet").read()
    assert batch["lon"][0].as_py() == pytest.approx(114.95)
    assert batch["lon"][1].as_py() is None
    assert batch["lat"].to_pylist() == [25.5, None]


def test_a_feed_travels_to_other_processes(every_format):
    import pickle

    for name in ("a.parquet", "gb.csv", "a.xlsx", "a.arrow"):
        feed = scan(every_format / name)
        twin = pickle.loads(pickle.dumps(feed))
        pd.testing.assert_frame_equal(table_of(twin), table_of(feed))
        assert twin.place(3) == feed.place(3)
        assert twin.note["sha256"] == feed.note["sha256"]


def test_a_row_is_found_before_anything_was_read(every_format):
    feed = scan(every_format / "gb.csv")
    assert feed.place(7) == "row 9"
    assert scan(every_format).place(120) == "a.feather row 21"


def test_a_folder_of_every_kind_is_one_feed(every_format):
    alone = [table_of(scan(every_format / n)) for n in FORMATS]
    feed = scan(every_format)
    table = table_of(feed)
    assert len(table) == 50 * len(FORMATS)
    key = ["time", "rider_id", "lon"]
    one = pd.concat(alone).sort_values(key, ignore_index=True)
    other = table.sort_values(key, ignore_index=True)
    assert one["rider_id"].tolist() == other["rider_id"].tolist()
    assert feed.place(0) == "a.arrow row 1"
    assert feed.rows is None


def test_files_without_worker_types_beside_files_with_them(tmp_path):
    fixes(5).to_parquet(tmp_path / "1.parquet")
    fixes(5).drop(columns="骑手类型").to_parquet(tmp_path / "2.parquet")
    table = table_of(scan(tmp_path))
    assert set(table["worker_type"][5:]) == {"rider"}
    assert "worker_type" not in table_of(scan(tmp_path / "2.parquet"))


def test_the_fingerprint_is_taken_when_it_is_asked_for(tmp_path):
    import hashlib

    file = write(tmp_path, fixes())
    note = scan(file).note
    assert "sha256" not in note
    assert note["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert set(note) == {"file", "notes", "sha256"}
    with pytest.raises(KeyError):
        note["else"]


# ── rows of text files ────────────────────────────────────────────────────────────────────────


def test_uneven_and_blank_rows_keep_their_place(tmp_path):
    text = (
        "活动记录,,,\nrider,time,lon,lat\n"
        "a,2026-09-15 10:00,114.95,25.85\n"
        "\n"
        "b,2026-09-15 10:00,114.95,25.85,,\n"
        "c,2026-09-15 10:00,114.95,25.85,spill\n"
        ",,,\n"
        "d,2026-09-15 10:00\n"
        '"e ""x""",2026-09-15 10:00,"114.95",25.85\n'
        "f,2026-09-15 10:00,114.95,25.85"
    )
    (tmp_path / "a.csv").write_text(text, encoding="gb18030")
    feed = scan(tmp_path / "a.csv")
    table = table_of(feed)
    assert table["rider_id"].tolist() == ["a", "b", "", "d", 'e "x"', "f"]
    assert table["lon"].notna().tolist() == [True, True, False, False, True, True]
    assert [feed.place(i) for i in range(6)] == [f"row {r}" for r in (3, 5, 6, 8, 9, 10)]
    assert feed.note["notes"] == {
        "rows with more cells than headers, counted as without coordinate": 1
    }
    loaded = load_activity(tmp_path / "a.csv", area=AREA).attrs["input"]
    assert loaded["rows"] == 6
    assert loaded["examples"]["more cells than headers"] == "row 6"


def test_rows_that_all_end_with_a_separator(tmp_path):
    lines = "".join(f"a,2026-09-15 10:{m:02d},114.95,25.85,\n" for m in range(60))
    (tmp_path / "a.csv").write_text("rider,time,lon,lat\n" + lines)
    table = table_of(scan(tmp_path / "a.csv"))
    assert len(table) == 60
    assert table["time"].is_unique


@pytest.mark.parametrize("block", [200, 1000, 1 << 22])
def test_the_size_of_blocks_changes_nothing(tmp_path, monkeypatch, block):
    rng = np.random.default_rng(5)
    rows = fixes(2000).astype(str)
    lines = ["骑手编号,骑手类型,定位时间,经度,纬度"]
    for number, cells in enumerate(rows.to_numpy().tolist()):
        kind = rng.integers(0, 12)
        odd = {
            0: "", 1: ",,,,", 2: ",".join([*cells, "x"]), 3: ",".join(cells[:3]),
            4: f'{cells[0]},"快\n递",{cells[2]},{cells[3]},{cells[4]}',
        }  # fmt: skip
        lines.append(odd.get(int(kind), ",".join(cells)) if number else ",".join(cells))
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="gb18030")
    monkeypatch.setattr("planner.load.lines._BLOCK", block)
    feed = scan(tmp_path / "a.csv")
    table = table_of(feed)
    monkeypatch.undo()
    whole = scan(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(table, table_of(whole))
    assert [feed.place(i) for i in range(len(table))] == [whole.place(i) for i in range(len(table))]
    note = load_activity(tmp_path / "a.csv", area=AREA).attrs["input"]
    assert note["rows"] == len(table)
    wide = note["dropped"]["more cells than headers"]
    assert list(feed.note["notes"].values()) == [wide]
    first = int(np.argmax((table["lon"].isna() & (table["rider_id"] == "")).to_numpy()))
    assert feed.place(first) == note["examples"]["more cells than headers"]


@pytest.mark.parametrize(
    ("header", "cell", "other"),
    [("坐标", "114.95,25.85", "114.95，25.85"), ("坐标", "POINT (114.95 25.85)", "(114.95 25.85)"),
     ("latlng", "25.85,114.95", "25.85 , 114.95")],
)  # fmt: skip
def test_both_coordinates_in_one_cell(tmp_path, header, cell, other):
    rows = [
        {"rider": "a", "time": "2026-09-15 10:00", header: c} for c in (cell, other, "", "here")
    ]
    (batch,) = scan(write(tmp_path, rows)).read()
    assert batch["lon"].to_pylist()[:3] == [114.95, 114.95, None]
    assert batch["lat"].to_pylist()[:3] == [25.85, 25.85, None]
    assert np.isnan(batch["lon"][3].as_py())


@pytest.mark.parametrize(
    "cells",
    [
        ["2026-09-15 10:00:00", "2026-09-15 10:00:00.5", "2026-09-15", "x", ""],
        ["2026-09-15T10:00:00+08:00", "2026-09-15T10:00:00Z", "2026-09-15 10:00"],
        ["2026/9/15 7:05", "2026/9/15 7:05:11", "2026/13/15 7:05", "2026/9/15 7:61"],
        ["2026年9月15日 下午3点02分", "2026-09-15 10:00"],
        ["15.09.2026 11:02", "03.04.2026 11:02", "03.04.2026 11:02:60"],
        ["9/15/2026 11:02", "3/4/2026 11:02 PM"],
        ["1757905320", "1757905320123", "0", "x", "20260915110203", "46280.5"],
        [
            "2026-10-25 02:30:00",
            "2026-03-29 02:30:00",
            "2026-07-01 00:00:00",
            "1970-01-01 08:00:00",
        ],
    ],
    ids=lambda c: c[0],
)
@pytest.mark.parametrize("clock", ["Asia/Shanghai", "Europe/Berlin", "UTC"])
def test_times_of_a_stream_are_those_of_a_table(tmp_path, cells, clock):
    rows = [{"rider": "a", "time": c, "lon": 114.95, "lat": 25.85} for c in cells]
    file = write(tmp_path, rows)
    table = table_of(scan(file, clock=clock))
    from planner.load.times import read_times

    want = read_times(pd.Series(cells, dtype=str), clock=clock, timezone="UTC")
    assert table["time"].tolist() == want.tolist()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_typed_times_of_a_year_with_summer_time(tmp_path, unit, zone):
    local = pd.Series(pd.date_range("2026-01-01 00:30", "2026-12-31", freq="7h"))
    cells = local if zone is None else local.dt.tz_localize(zone, nonexistent="shift_forward",
                                                            ambiguous=False)  # fmt: skip
    cells = cells.dt.as_unit(unit)
    cells[5] = pd.NaT
    rows = pd.DataFrame({"rider": "a", "time": cells, "lon": 114.95, "lat": 25.85})
    rows.to_parquet(tmp_path / "a.parquet", coerce_timestamps=None)
    from planner.load.times import read_times

    table = table_of(scan(tmp_path / "a.parquet", clock="Europe/Berlin"))
    want = read_times(cells, clock="Europe/Berlin", timezone="UTC")
    assert table["time"].tolist() == want.tolist()


def test_day_or_month_first_is_told_from_all_of_a_long_file(tmp_path):
    days = pd.date_range("2026-03-01", "2026-03-31", periods=60_000)
    rows = pd.DataFrame(
        {"rider": "a", "time": days.strftime("%d/%m/%Y %H:%M:%S"), "lon": 114.95, "lat": 25.85}
    )
    table = table_of(scan(write(tmp_path, rows)))
    assert (table["time"].dt.tz_convert("Asia/Shanghai").dt.month == 3).all()
    parts = rows.assign(day=rows["time"].str[:10], time=rows["time"].str[11:])
    assert table_of(scan(write(tmp_path, parts, "parts.csv")))["time"].equals(table["time"])


# ── raw public files ──────────────────────────────────────────────────────────────────────────


def test_porto_streams_every_ping(shared, monkeypatch):
    file = shared / "porto" / "taxi_trips.csv"
    area = gpd.GeoDataFrame(geometry=[shapely.box(-9, 41, -8, 42)], crs=4326).to_crs(32629)
    loaded = load_activity(file, timezone="Europe/Lisbon", area=area).attrs["input"]
    monkeypatch.setattr("planner.load.lines._BLOCK", 1 << 17)
    feed = scan_activity(file, area=area, timezone="Europe/Lisbon")
    table = table_of(feed)
    assert len(table) == loaded["rows"] == 47_304
    assert feed.note["notes"] == loaded["notes"]
    assert set(table["worker_type"]) == {"ride"}
    usable = table["lon"].notna() & table["time"].notna() & (table["rider_id"] != "")
    lost = sum(n for why, n in loaded["dropped"].items() if why not in ("outside the area",
               "repeated row"))  # fmt: skip
    assert int((~usable).sum()) == lost
    assert table["rider_id"].nunique() == 308


@pytest.mark.parametrize("city", ["shanghai", "jilin"])
def test_parcels_stream_two_fixes_each(shared, city):
    file = shared / "lade" / f"{city}.xlsx"
    loaded = load_activity(file)
    feed = scan(file)
    table = table_of(feed)
    note = loaded.attrs["input"]
    assert len(table) == note["rows"]
    assert feed.note["notes"] == note["notes"]
    assert int(table["lon"].isna().sum()) == note["dropped"]["no coordinate"]
    assert set(table["worker_type"]) == {"courier"}


# ── bad input ─────────────────────────────────────────────────────────────────────────────────


def read_all(path, **options):
    return list(scan(path, **options).read())


def test_a_truncated_parquet_file(tmp_path):
    fixes(5000).to_parquet(tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"a\.parquet: not readable as Parquet .*Write it again"):
        read_all(tmp_path / "a.parquet")


def test_a_parquet_file_damaged_in_its_middle(tmp_path):
    fixes(200_000).to_parquet(tmp_path / "a.parquet", compression="zstd")
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    for at in range(len(data) // 4, len(data) // 2, 97):
        data[at] ^= 0xFF
    (tmp_path / "a.parquet").write_bytes(data)
    feed = scan(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet: not readable as Parquet"):
        list(feed.read())


def test_a_truncated_arrow_file(tmp_path):
    feather.write_feather(fixes(5000), tmp_path / "a.feather")
    data = (tmp_path / "a.feather").read_bytes()
    (tmp_path / "a.feather").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"a\.feather: not readable as Arrow"):
        read_all(tmp_path / "a.feather")


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("经度", pa.array([[1.0]] * 3)),
        ("经度", pa.array([True] * 3)),
        ("定位时间", pa.array([True, False, True])),
        ("定位时间", pa.array([[1]] * 3)),
        ("骑手编号", pa.array([{"a": 1}] * 3)),
    ],
    ids=["list-lon", "bool-lon", "bool-time", "list-time", "struct-rider"],
)
@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_columns_of_wrong_types_are_named(tmp_path, column, cells, suffix):
    table = pa.Table.from_pandas(fixes(3), preserve_index=False)
    table = table.set_column(table.schema.get_field_index(column), column, cells)
    file = tmp_path / f"a.{suffix}"
    (pq.write_table if suffix == "parquet" else feather.write_feather)(table, file)
    with pytest.raises(InputError, match=rf"a\.{suffix}, column `{column}`: holds .*`columns`"):
        scan(file)


def test_an_empty_file_among_others(tmp_path):
    write(tmp_path, fixes(), "1.csv")
    (tmp_path / "2.csv").touch()
    with pytest.raises(InputError, match=r"2\.csv: the file is empty \(0 bytes\)"):
        scan(tmp_path)


def test_a_file_that_lacks_columns_is_named(tmp_path):
    write(tmp_path, fixes(), "1.csv")
    write(tmp_path, fixes().drop(columns="经度"), "2.csv")
    with pytest.raises(ColumnError, match=r"2\.csv: `fixes` needs `lon`.*The file has"):
        scan(tmp_path)
    (tmp_path / "2.csv").unlink()
    fixes().drop(columns="经度").to_excel(tmp_path / "3.xlsx", index=False)
    with pytest.raises(ColumnError, match=r"3\.xlsx: `fixes` needs `lon`.*The file has"):
        read_all(tmp_path)


@pytest.mark.parametrize("cell", ["tea time", "03.04.2026 10:00"])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_an_unknown_form_of_time_is_named_with_its_row(tmp_path, cell, suffix):
    rows = fixes().assign(定位时间=["", *[cell] * 49])
    file = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        rows.to_csv(file, index=False)
    else:
        getattr(rows, {"parquet": "to_parquet", "xlsx": "to_excel"}[suffix])(file, index=False)
    row = 2 if suffix == "parquet" else 3
    why = "day or with the month" if cell[0] == "0" else "no form of time"
    with pytest.raises(InputError, match=rf"row {row}, column `定位时间`: `{cell}`.*{why}.*Write"):
        read_all(file)


@pytest.mark.parametrize("first", ["utf-8", "gb18030", "utf-16"])
def test_a_file_of_two_encodings_is_told_with_its_row(tmp_path, first):
    second = "gb18030" if first == "utf-8" else "utf-8"
    rows = fixes(60_000).assign(骑手类型="外卖员")
    text = rows.to_csv(index=False, lineterminator="\n")
    cut = text.index("\n", len(text) * 3 // 4) + 1
    tail = b"\xff\xff\xff" + text[cut:].encode(second)
    if first == "utf-16":
        tail = b"\x00\xdc\x00\xdc" + tail
    (tmp_path / "a.csv").write_bytes(text[:cut].encode(first) + tail)
    row = text[:cut].count("\n") + 1
    with pytest.raises(InputError, match=rf"a\.csv, row {row}: this line .*another encoding"):
        read_all(tmp_path / "a.csv")


@pytest.mark.parametrize("first", ["utf-8", "gb18030"])
def test_a_few_lines_of_another_encoding_are_not_read_as_nonsense(tmp_path, first):
    second = "gb18030" if first == "utf-8" else "utf-8"
    text = fixes(40).assign(骑手类型="外卖员").to_csv(index=False)
    cut = text.index("\n", len(text) // 2) + 1
    (tmp_path / "a.csv").write_bytes(text[:cut].encode(first) + text[cut:].encode(second))
    row = 1 if first == "gb18030" else text[:cut].count("\n") + 1
    for read in (read_all, lambda f: load_activity(f, area=AREA)):
        with pytest.raises(InputError, match=rf"a\.csv, row {row}: this line .*another encoding"):
            read(tmp_path / "a.csv")


def test_files_of_several_encodings_in_one_folder(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        write(tmp_path, fixes(), f"{encoding}.csv", encoding=encoding)
    table = table_of(scan(tmp_path))
    assert len(table) == 200
    assert set(table["worker_type"]) == {"food", "courier", "rider"}


def test_a_quotation_mark_that_is_never_closed(tmp_path):
    text = fixes(3000).to_csv(index=False)
    at = text.index("\n", 2000) + 1
    (tmp_path / "a.csv").write_text(text[:at] + '"' + text[at:])
    with pytest.raises(InputError, match=r"a\.csv, row \d+: .*quotation mark"):
        read_all(tmp_path / "a.csv")


def test_headers_without_rows_and_wrong_arguments(tmp_path):
    with pytest.raises(InputError, match="no rows"):
        read_all(write(tmp_path, fixes(0)))
    file = write(tmp_path, fixes())
    with pytest.raises(CrsError, match="area"):
        scan_activity(file, area=AREA.to_crs(4326))
    with pytest.raises(SettingsError, match="Did you mean `gcj02`"):
        scan(file, datum="gcj2")
    with pytest.raises(SettingsError, match="Asia/Ganzhou"):
        scan(file, clock="Asia/Ganzhou")
    with pytest.raises(InputError, match="no such file"):
        scan(tmp_path / "b.csv")


MEMORY = """
import json, resource, sys
import geopandas as gpd, shapely
from planner.load import scan_activity
area = gpd.GeoDataFrame(geometry=[shapely.box(114.9, 25.8, 115, 25.9)], crs=4326).to_crs(32650)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
list(scan_activity(sys.argv[1], area=area).read())
before, rows = peak(), 0
for batch in scan_activity(sys.argv[2], area=area).read():
    rows += batch.num_rows
print(json.dumps([rows, peak() - before]))
"""


def test_memory_does_not_grow_with_a_text_file(tmp_path):
    import subprocess
    import sys

    rows = fixes(100_000).to_csv(index=False).encode("gb18030")
    head, body = rows.split(b"\n", 1)
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_bytes(rows)
    with large.open("wb") as file:
        file.write(head + b"\n")
        for _ in range(20):
            file.write(body)
    assert large.stat().st_size > 1.2e8
    command = [sys.executable, "-c", MEMORY, str(small), str(large)]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    count, grown = json.loads(out.stdout)
    assert count == 2_000_000
    assert grown < 60


# ── databases ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("typed", [True, False])
def test_a_table_of_a_database_is_read_like_a_file(tmp_path, typed):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    rows = fixes().assign(unused=1)
    rows = rows if typed else rows.astype(str)
    with duckdb.connect(str(tmp_path / "a.duckdb")) as base:
        base.register("rows", rows)
        base.execute("create table fixes as select * from rows")
    address = f"{tmp_path / 'a.duckdb'}#fixes"
    feed = scan(address)
    table = table_of(feed)
    want = table_of(scan(write(tmp_path, rows)))
    key = ["time", "rider_id", "lon"]
    one, other = (t.sort_values(key, ignore_index=True) for t in (table, want))
    pd.testing.assert_frame_equal(one, other)
    assert (feed.rows, feed.note["sha256"]) == (50, "")
    assert feed.place(1) == "row 2"
    assert len(load_activity(address, area=AREA)) == 50
