"""Fixes of an invented city of any size as Parquet, and the stays that are true of them.

Memory stays bounded: rows go into buckets on disk, by arrival or at random, and each bucket is
put in order by itself.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from rides import (
    CITY_M,
    DAY_S,
    FIRST_S,
    FIX,
    LAST_S,
    MOST_FIXES,
    MOST_STAYS,
    STANDARD,
    STAY,
    TYPICAL_FIXES,
    live_day,
    make_spots,
)

WEST, SOUTH = 103.9, 30.5
M_PER_LON = 111_319.49 * np.cos(np.radians(30.635))
M_PER_LAT = 110_860.0
CRS = "EPSG:32648"
EPOCH_S = 1_767_196_800  # midnight of 2026-01-01 in Chengdu
ROW_GROUP = 1_000_000
_BLOCK = 1_000_000  # rows made between two visits to the buckets
_BUCKET = 2_000_000  # rows of a bucket, about

_SCHEMA = pa.schema([
    ("rider_id", pa.string()),
    ("time", pa.timestamp("us", tz="UTC")),
    ("lon", pa.float64()),
    ("lat", pa.float64()),
    ("speed", pa.float32()),
])  # fmt: skip


def make_area():
    """The city as one district, in a metric CRS."""
    east, north = WEST + CITY_M / M_PER_LON, SOUTH + CITY_M / M_PER_LAT
    city = gpd.GeoDataFrame(
        {"name": ["Invented"]},
        geometry=[shapely.segmentize(shapely.box(WEST, SOUTH, east, north), 0.01)],
        crs="EPSG:4326",
    )
    city.index.name = "district_id"
    return city.to_crs(CRS).pipe(lambda district: district.set_geometry(district.buffer(1000)))


def write_fixes(path, *, riders, days=1, model=STANDARD, seed=7, shuffled=False):
    """Write the fixes in order of arrival, or shuffled, and return the true stays.

    A rider and day of `STANDARD` makes about 1,780 fixes, of `HARD` 890. The same seed gives the
    same riders the same days, however many there are.

    Parameters
    ----------
    path
        Parquet file: `rider_id`, `time`, `lon`, `lat`, `speed`, a row a fix.
    riders, days
        How many; everyone works every day.

    Returns
    -------
    `rider_id`, `arrive`, `leave`, `first`, `last` (the fixes that show it, NaT without any),
    `lon`, `lat`, `fixes`.
    """
    names = pa.array([f"rider-{i * 7919 % 1_000_003:06d}" for i in range(riders)])
    spots = make_spots(seed)
    rng = np.random.default_rng([seed, 1])
    a_day = riders * TYPICAL_FIXES / model.fix_s
    truth = []
    with TemporaryDirectory(dir=Path(path).parent) as folder, _Rows(path, names) as rows:
        shuffle = _Shuffle(folder, rng, int(days * a_day / _BUCKET) + 1) if shuffled else None
        for day in range(days):
            buckets = shuffle or _Arrivals(folder, day, int(a_day / _BUCKET) + 1)
            for fixes, stays in _live(seed, riders, day, model, spots):
                buckets.add(fixes)
                truth.append(stays)
            if not shuffled:
                buckets.empty_into(rows)
        if shuffled:
            buckets.empty_into(rows)
    return _tell(np.concatenate(truth), names)


def _live(seed, riders, day, model, spots):
    fixes = np.zeros(_BLOCK + MOST_FIXES, FIX)
    stays = np.zeros(_BLOCK // 100, STAY)
    n = m = 0
    for rider in range(riders):
        more, stayed = live_day(seed, rider, day, model, spots, fixes[n:], stays[m:])
        n, m = n + more, m + stayed
        if n > _BLOCK or m > len(stays) - MOST_STAYS:
            yield fixes[:n], stays[:m].copy()
            n = m = 0
    yield fixes[:n], stays[:m].copy()


class _Buckets:
    def __init__(self, folder, count):
        self.files = [Path(folder) / f"{i}.rows" for i in range(count)]

    def add(self, fixes):
        bucket = self.sort_out(fixes)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=len(self.files)))
        for file, part in zip(self.files, np.split(fixes[order], ends[:-1]), strict=True):
            with file.open("ab") as out:
                part.tofile(out)

    def empty_into(self, rows):
        for file in self.files:
            fixes = np.fromfile(file, FIX)
            file.unlink()
            rows.write(fixes[self.put_in_order(fixes)])


class _Arrivals(_Buckets):
    def __init__(self, folder, day, count):
        super().__init__(folder, count)
        self.start_ms, self.length_ms = 1000 * (day * DAY_S + FIRST_S), 1000 * (LAST_S - FIRST_S)

    def sort_out(self, fixes):
        share = (fixes["time"] + fixes["late"] - self.start_ms) / self.length_ms
        return (share * len(self.files)).astype(np.int64)

    def put_in_order(self, fixes):
        return np.argsort(fixes["time"] + fixes["late"], kind="stable")


class _Shuffle(_Buckets):
    def __init__(self, folder, rng, count):
        super().__init__(folder, count)
        self.rng = rng

    def sort_out(self, fixes):
        return self.rng.integers(0, len(self.files), len(fixes))

    def put_in_order(self, fixes):
        return self.rng.permutation(len(fixes))


class _Rows:
    """A Parquet file that is written in groups of equal size, whatever comes in."""

    def __init__(self, path, names):
        self.file = pq.ParquetWriter(path, _SCHEMA, compression="zstd", compression_level=3)
        self.names, self.rest = names, np.zeros(0, FIX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._write(self.rest)
        self.file.close()

    def write(self, fixes):
        fixes = np.concatenate([self.rest, fixes])
        whole = len(fixes) - len(fixes) % ROW_GROUP
        for start in range(0, whole, ROW_GROUP):
            self._write(fixes[start : start + ROW_GROUP])
        self.rest = fixes[whole:].copy()

    def _write(self, fixes):
        lon, lat = to_degrees(fixes["x"], fixes["y"])
        nowhere = np.isnan(lon)
        columns = [
            pa.DictionaryArray.from_arrays(fixes["rider"], self.names).cast(pa.string()),
            pa.array(1000 * fixes["time"] + EPOCH_S * 1_000_000, _SCHEMA.field("time").type),
            np.where(nowhere, 0.0, np.round(lon, 6)),
            np.where(nowhere, 0.0, np.round(lat, 6)),
            fixes["speed"],
        ]
        self.file.write_table(pa.table(columns, schema=_SCHEMA), row_group_size=ROW_GROUP)


def to_degrees(x, y):
    """Metres of the invented city in degrees."""
    return WEST + x / M_PER_LON, SOUTH + y / M_PER_LAT


def _tell(stays, names):
    lon, lat = to_degrees(stays["x"], stays["y"])
    seen = stays["fixes"] > 0
    return pd.DataFrame({
        "rider_id": names.take(pa.array(stays["rider"])).to_pandas(),
        "arrive": _time(stays["arrive"]),
        "leave": _time(stays["leave"]),
        "first": _time(stays["first"]).where(seen),
        "last": _time(stays["last"]).where(seen),
        "lon": lon,
        "lat": lat,
        "fixes": stays["fixes"].astype(np.int64),
    })  # fmt: skip


def _time(seconds):
    return pd.Series(pd.to_datetime(np.round(1000 * (seconds + EPOCH_S)), unit="ms", utc=True))
