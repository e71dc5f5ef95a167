"""Small demand tables, areas and a street grid, all computed by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from shapely import Point, box

from planner.network import StreetNetwork
from planner.tables import Reach

CRS = "EPSG:32650"


@pytest.fixture(scope="session")
def crs():
    return CRS


@pytest.fixture(scope="session")
def make_demand_table():
    """A demand table from coordinates and weights; further columns as keywords."""

    def make(xy, weight, **columns):
        n = len(xy)
        return gpd.GeoDataFrame(
            {
                "weight_per_day": np.asarray(weight, dtype=float),
                "workers": np.full(n, 10),
                "cell_row": np.arange(n),
                "cell_col": np.zeros(n, dtype=int),
                **columns,
            },
            geometry=[Point(*p) for p in xy],
            crs=CRS,
            index=pd.Index([f"d{i}" for i in range(n)], name="demand_id"),
        )

    return make


@pytest.fixture(scope="session")
def make_stations_table():
    """Stations s0, s1, … at coordinates, with hours if given."""

    def make(xy, hours=None):
        index = pd.Index([f"s{i}" for i in range(len(xy))], name="station_id", dtype="str")
        data = {} if hours is None else {"hours": hours}
        return gpd.GeoDataFrame(data, geometry=[Point(*p) for p in xy], crs=CRS, index=index)

    return make


@pytest.fixture(scope="session")
def two_districts():
    """West of x = 1000 and east of it, sharing a border."""
    return gpd.GeoDataFrame(
        {"name": ["江北", "江南"]},
        geometry=[box(0, 0, 1000, 2000), box(1000, 0, 2000, 2000)],
        crs=CRS,
        index=pd.Index(["a", "b"], name="district_id"),
    )


@pytest.fixture(scope="session")
def make_grid():
    """A grid of n × n crossings, `step` metres apart, walked both ways at 4 km/h."""

    def make(n=11, step=100.0, **options):
        x, y = (v.ravel() * step for v in np.meshgrid(np.arange(n), np.arange(n)))
        at = np.arange(n * n).reshape(n, n)
        tail = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
        head = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
        length = np.full(len(tail), step)
        options = {"mode": "walk", "speed_kmh": 4.0, "crs": CRS, **options}
        return StreetNetwork.from_arrays(x, y, tail, head, length, **options)

    return make


@pytest.fixture(scope="session")
def make_reach_by_hand():
    """A reach within 15 minutes from a dense table, NaN out of reach; zero stays an entry."""

    def make(demand, facilities, minutes):
        minutes = np.asarray(minutes, dtype=float).reshape(len(demand), len(facilities))
        row, column = np.nonzero(np.isfinite(minutes))
        table = csr_array((minutes[row, column], (row, column)), shape=minutes.shape)
        table.sort_indices()
        return Reach(table, demand.index, pd.Index(facilities), 15.0, "walk", 4.0)

    return make
