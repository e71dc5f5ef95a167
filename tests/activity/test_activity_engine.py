"""The engine's laws: neither windows nor order nor batches change what is found or counted."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.activity import FixFeed, engine, make_presence, make_stays
from planner.activity.engine import Rule, add_accounts, find_stays
from planner.activity.ground import make_ground
from planner.errors import InputError

NOON_S = 1_772_424_000  # 2026-03-02 12:00 in Shanghai
AREA = gpd.GeoDataFrame(
    {"name": ["a"]}, geometry=[shapely.box(114.0, 22.5, 114.2, 22.7)], crs="EPSG:4326"
).to_crs("EPSG:32650")
GROUND = make_ground(AREA, "wgs84")
M_PER_LON, M_PER_LAT = 102_760.0, 110_750.0
RULES = [Rule("robust", 100.0, 300.0), Rule("li2008", 100.0, 300.0), Rule("presence", 0.0, 300.0)]


def day(rng, rider):
    """A rider's fixes (second, east, north in metres) with everything that goes wrong."""
    rows, t, x, y = [], rng.uniform(0, 3600), *rng.uniform(3_000, 17_000, 2)
    while t < 4 * 3600:
        for _ in range(rng.integers(1, 60)):  # a stay, or a halt
            t += rng.uniform(5, 40)
            rows.append((t, x + rng.normal(0, 15), y + rng.normal(0, 15)))
        mishap = rng.integers(0, 6)
        if mishap == 0:  # the device says one place and then jumps
            here = rows[-1][1:]
            for _ in range(rng.integers(3, 12)):
                t += 20
                rows.append((t, *here))
            x = np.clip(x + rng.choice([-1, 1]) * rng.uniform(4_000, 6_000), 1_000, 19_000)
        elif mishap == 1:  # elsewhere for some fixes, and back
            for _ in range(rng.integers(1, 12)):
                t += 20
                rows.append((t, x, np.clip(y + 9_000, 0, 19_900) + rng.normal(0, 10)))
        elif mishap == 2:  # silence
            t += rng.uniform(600, 2400)
        elif mishap == 3:  # the same once more, and the same moment elsewhere
            rows += [rows[-1], (rows[-1][0], rows[-1][1] + 30, rows[-1][2])]
        for _ in range(rng.integers(0, 20)):  # a ride
            t, x, y = t + 15, x + rng.uniform(-80, 80), y + rng.uniform(0, 60)
            rows.append((t, x, y))
    return pd.DataFrame(rows, columns=["t", "x", "y"]).assign(rider=f"r{rider}")


def town(seed, riders=4):
    rng = np.random.default_rng(seed)
    fixes = pd.concat([day(rng, r) for r in range(riders)])
    late = fixes["t"] + rng.exponential(8.0, len(fixes))
    return fixes.iloc[np.argsort(late, kind="stable")].reset_index(drop=True)


def batches(fixes, size):
    """Record batches as a feed gives them."""
    ms = ((fixes["t"] + NOON_S) * 1000).round().astype("int64").to_numpy()
    table = pa.table({
        "rider_id": pa.array(fixes["rider"].astype(str)).dictionary_encode(),
        "worker_type": pa.array(np.where(fixes["rider"] == "r0", "food", "ride"))
        .dictionary_encode(),
        "time": pa.array(ms * 1000, pa.timestamp("us", "UTC")),
        "lon": 114.0 + fixes["x"].to_numpy() / M_PER_LON,
        "lat": 22.5 + fixes["y"].to_numpy() / M_PER_LAT,
    })  # fmt: skip
    return lambda: iter(table.to_batches(max_chunksize=size))


def feed(read):
    return FixFeed(
        read=read, place="row {}".format, area=AREA, datum="wgs84", timezone="Asia/Shanghai",
        rows=None, note={"file": "town.parquet"},
    )  # fmt: skip


def plain(found):
    frame = found.stays.to_pandas().astype({"rider_id": str, "worker_type": str})
    return frame.sort_values(["rider_id", "arrive_ms"], ignore_index=True), {
        key: value for key, value in found.account.items() if key != "first"
    }


def assert_same(one, other):
    (stays, account), (others, others_account) = plain(one), plain(other)
    assert_frame_equal(stays, others)
    assert account == others_account


@pytest.fixture
def small_steps(monkeypatch):
    """Windows of a few fixes, closed a minute after the newest."""
    monkeypatch.setattr(engine, "BATCH_ROWS", 32)
    monkeypatch.setattr(engine, "LATENESS_MS", 120_000)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)
@pytest.mark.parametrize("seed", range(12))
def test_the_window_does_not_change_what_is_found(small_steps, rule, seed):
    fixes = town(seed)
    whole = find_stays(batches(fixes, 10_000), GROUND, rule, window=100_000)
    assert len(whole.stays)
    for window in (1, 64, 300, 1500):
        assert_same(find_stays(batches(fixes, 50), GROUND, rule, window=window), whole)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.method)
def test_the_order_of_rows_does_not_change_what_is_found(small_steps, rule):
    fixes = town(99, riders=9)
    whole = find_stays(batches(fixes, 10_000), GROUND, rule, window=100_000)
    shuffled = fixes.sample(frac=1.0, random_state=1).reset_index(drop=True)
    for window in (100, 100_000):
        assert_same(find_stays(batches(shuffled, 77), GROUND, rule, window=window), whole)


def test_mishaps_of_the_town_are_all_seen():
    """Else the laws above would say less than they seem to."""
    dropped = dict.fromkeys(("duplicate", "conflicting", "jump", "spike", "stuck", "teleport"), 0)
    for seed in range(12):
        found = find_stays(batches(town(seed), 10_000), GROUND, RULES[0])
        dropped = {name: n + found.account["dropped"][name] for name, n in dropped.items()}
    assert min(dropped.values()) > 0


def test_a_feed_and_a_table_of_the_same_fixes_have_the_same_stays():
    fixes = town(5)
    x, y = (np.empty(len(fixes), dtype=np.int64) for _ in range(2))
    lon, lat = 114.0 + fixes["x"] / M_PER_LON, 22.5 + fixes["y"] / M_PER_LAT
    GROUND.locate(lon.to_numpy(), lat.to_numpy(), x, y, np.empty(len(fixes), dtype=np.int8))
    stamp = pd.to_datetime((fixes["t"] + NOON_S) * 1000, unit="ms", utc=True)
    table = gpd.GeoDataFrame(
        {
            "rider_id": fixes["rider"].astype(str),
            "worker_type": np.where(fixes["rider"] == "r0", "food", "ride"),
            "time": stamp.dt.round("ms").dt.tz_convert("Asia/Shanghai"),
        },
        geometry=gpd.points_from_xy(x / 100.0, y / 100.0),
        crs=AREA.crs,
    )
    streamed, held = make_stays(feed(batches(fixes, 500))), make_stays(table)
    assert_frame_equal(pd.DataFrame(streamed), pd.DataFrame(held))
    assert streamed.attrs["activity"] == held.attrs["activity"]
    assert_frame_equal(
        pd.DataFrame(make_presence(feed(batches(fixes, 500)))), pd.DataFrame(make_presence(table))
    )


def test_every_row_is_kept_or_lost_with_its_reason_and_place():
    fixes = town(3).head(200)
    batch = next(batches(fixes, 1000)())
    lon = batch["lon"].to_pylist()
    lat = batch["lat"].to_pylist()
    time = batch["time"].to_pylist()
    rider = [str(name) for name in batch["rider_id"].to_pylist()]
    lon[3], lat[3] = None, None
    lon[5] = float("nan")
    lon[7], lat[7] = 0.0, 0.0
    lon[9], lat[9] = lat[9], lon[9]
    lon[11], lat[11] = 500.0, 22.6
    lon[13] = 116.0
    time[15] = None
    time[17] = pd.Timestamp("1980-01-06", tz="UTC")
    rider[19], rider[21] = None, ""
    spoilt = pa.record_batch({
        "rider_id": pa.array(rider).dictionary_encode(),
        "time": pa.array(time, pa.timestamp("us", "UTC")),
        "lon": pa.array(lon), "lat": pa.array(lat),
    })  # fmt: skip
    note = make_stays(feed(lambda: iter([spoilt]))).attrs["input"]
    assert note["dropped"] == {
        "no coordinate": 1, "malformed coordinate": 1, "coordinate 0, 0": 1,
        "longitude and latitude swapped": 1, "coordinate off the globe": 1, "outside the area": 1,
        "no usable time": 2, "no rider": 2,
    }  # fmt: skip
    assert note["examples"]["no usable time"] == "row 15"
    assert note["examples"]["no rider"] == "row 19"
    assert note["rows"] == 200
    assert note["kept"] == 190


def test_swapped_columns_are_refused():
    batch = next(batches(town(3), 1000)())
    turned = pa.record_batch(
        {**{name: batch[name] for name in ("rider_id", "time")}, "lon": batch["lat"],
         "lat": batch["lon"]}
    )  # fmt: skip
    with pytest.raises(InputError, match="swapped"):
        make_stays(feed(lambda: iter([turned])))


def test_a_feed_without_a_usable_row_is_refused_with_its_reasons():
    batch = next(batches(town(3).assign(x=90_000.0), 50)())
    with pytest.raises(InputError, match=r"no usable rows in 50: 50 × outside the area \(row 0\)"):
        make_stays(feed(lambda: iter([batch])))


def test_an_empty_feed_is_refused():
    with pytest.raises(InputError, match="no usable rows in 0"):
        make_stays(feed(lambda: iter([])))


def test_a_riders_worker_type_is_the_one_most_fixes_name():
    fixes = pd.DataFrame({"t": np.arange(0, 1200, 20), "x": 9_000.0, "y": 9_000.0, "rider": "a"})
    batch = next(batches(fixes, 1000)())
    kinds = ["food"] * 20 + ["courier"] * 40
    named = batch.set_column(1, "worker_type", pa.array(kinds).dictionary_encode())
    stays = make_stays(feed(lambda: iter([named])))
    assert stays["worker_type"].tolist() == ["courier"]
    assert stays.attrs["activity"]["workers_by_type"] == {"courier": 1}


def test_accounts_of_two_halves_add_up_to_that_of_the_whole():
    fixes = town(8)
    whole = find_stays(batches(fixes, 1000), GROUND, RULES[0]).account
    one, two = (
        find_stays(batches(fixes[mine].reset_index(drop=True), 1000), GROUND, RULES[0]).account
        for mine in (fixes["rider"] < "r2", fixes["rider"] >= "r2")
    )
    assert add_accounts(one, two) == whole


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=1, max_size=30))
@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_tabulated_degrees_are_exact_to_a_centimetre(datum, offsets):
    from pyproj import Transformer

    from planner.geo import from_wgs84

    east, north = np.array(offsets).T
    lon, lat = 114.1 + 0.2 * east, 22.6 + 0.2 * north
    x, y = Transformer.from_crs("EPSG:4326", AREA.crs, always_xy=True).transform(lon, lat)
    got = np.empty((2, len(lon)), dtype=np.int64)
    status = np.empty(len(lon), dtype=np.int8)
    ground(datum).locate(*from_wgs84(lon, lat, datum), *got, status)
    assert (status == 0).all()
    np.testing.assert_allclose(got / 100.0, [x, y], atol=0.0111)


GROUNDS = {}


def ground(datum):
    if datum not in GROUNDS:
        GROUNDS[datum] = make_ground(AREA, datum)
    return GROUNDS[datum]


def test_the_border_is_the_districts_with_a_margin():
    shape = AREA.geometry.iloc[0].buffer(100.0)
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(113.99, 114.21, 20_000), rng.uniform(22.49, 22.71, 20_000)
    x, y = (np.empty(20_000, dtype=np.int64) for _ in range(2))
    status = np.empty(20_000, dtype=np.int8)
    GROUND.locate(lon, lat, x, y, status)
    on_table = status == 0
    assert shapely.contains_xy(shape, x[on_table] / 100.0, y[on_table] / 100.0).all()
    from pyproj import Transformer

    inside = shapely.contains_xy(
        shape.buffer(-0.02),
        *Transformer.from_crs(4326, AREA.crs, always_xy=True).transform(lon, lat),
    )
    assert on_table[inside].all()


@pytest.mark.parametrize("moments", [1, 3, 100_000])
def test_records_are_sorted_whatever_their_order(moments):
    from planner.activity.records import pack_records, sort_records

    rng = np.random.default_rng(moments)
    size, riders = 60_000, 4
    time = rng.integers(0, moments, size) * 7_000 + 10**11
    x, y = rng.integers(-(10**6), 10**6, (2, size))
    records = pack_records(rng.integers(0, riders, size), time, x, y)
    records[1::50] = records[0::50]  # some twice
    out, start = np.empty_like(records), np.zeros(riders + 1, dtype=np.int64)
    sort_records(records, 0, out, start)
    order = np.lexsort((records[:, 1], records[:, 0]))
    np.testing.assert_array_equal(out, records[order])
    assert start[-1] == size
