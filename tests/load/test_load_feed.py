"""Fixes as a stream: the same from every format, every row in it once, whatever the batches."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import shapely

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
    frame["rider_id"] = frame["rider_id"].astype(object).fillna("")
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
