"""Short stops at doors of a street grid, computed by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point

from planner.network import StreetNetwork

CRS = "EPSG:32650"


@pytest.fixture(scope="session")
def make_stays_table():
    """Stays from (rider, x, y, "YYYY-MM-DD HH:MM", minutes)."""

    def make(rows, crs=CRS):
        rider, x, y, when, minutes = zip(*rows, strict=True) if rows else ([],) * 5
        arrive = pd.Series(pd.to_datetime(list(when))).dt.tz_localize("Asia/Shanghai")
        minutes = np.asarray(minutes, dtype=float)
        return gpd.GeoDataFrame(
            {
                "rider_id": pd.Series(list(rider), dtype="str"),
                "worker_type": "food",
                "arrive": arrive,
                "leave": arrive + pd.to_timedelta(minutes, unit="min"),
                "stay_min": minutes,
            },
            geometry=[Point(*p) for p in zip(x, y, strict=True)],
            crs=crs,
        ).rename_axis("stay_id")

    return make


@pytest.fixture(scope="session")
def make_points_table():
    """Points with identifiers: stations, sites or hosts."""

    def make(points, index_name="station_id", **columns):
        return gpd.GeoDataFrame(
            columns,
            geometry=[Point(*p) for p in points.values()],
            crs=CRS,
            index=pd.Index(list(points), name=index_name, dtype="str"),
        )

    return make


@pytest.fixture(scope="session")
def no_sites(make_points_table):
    return make_points_table({}, "site_id")


@pytest.fixture(scope="session")
def make_grid():
    """A grid of n × n crossings; streets running east are named after their y."""

    def make(n=11, step=100.0, **options):
        x, y = (v.ravel() * step for v in np.meshgrid(np.arange(n), np.arange(n)))
        at = np.arange(n * n).reshape(n, n)
        tail = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
        head = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
        name = [f"East {y[t]:.0f}" if y[t] == y[h] else "" for t, h in zip(tail, head, strict=True)]
        options = {"mode": "walk", "speed_kmh": 4.0, "crs": CRS, "name": name, **options}
        return StreetNetwork.from_arrays(x, y, tail, head, np.full(len(tail), step), **options)

    return make
