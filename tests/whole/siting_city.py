"""A random city with few stations, small enough for enumeration."""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.tables import Reach

CRS = "EPSG:32650"
PRICES = {"activate": 1.0, "build": 2.5}


def make_city(seed, points=20, free=7, *, stations=1, side_m=3000, near_m=1000.0):
    """A random city with a few stations; candidates are hosts and corners."""
    rng = np.random.default_rng(seed)
    here = rng.uniform(0, side_m, (points, 2))
    there = rng.uniform(0, side_m, (free + stations, 2))
    demand = gpd.GeoDataFrame(
        {"weight_per_day": rng.integers(1, 20, points) / 2, "workers": 12, "cell_row": 0,
         "cell_col": 0},
        index=pd.Index([f"d{k:03d}" for k in range(points)], name="demand_id"),
        geometry=gpd.points_from_xy(*here.T), crs=CRS,
    )  # fmt: skip
    demand.attrs["demand"] = {"days": 4}
    action = [*["keep"] * stations, *rng.choice(["activate", "build"], free)]
    ids = [f"{a}:{k}" for k, a in enumerate(action)]
    candidates = gpd.GeoDataFrame(
        {"name": ids, "kind": "corner", "action": action, "host_name": None,
         "hours": "00:00-24:00"},
        index=pd.Index(ids, name="candidate_id"), geometry=gpd.points_from_xy(*there.T), crs=CRS,
    )  # fmt: skip
    apart = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1))
    row, column = np.nonzero(apart <= near_m)
    minutes = sparse.csr_array(
        (apart[row, column] * 15.0 / near_m, (row, column)), shape=apart.shape
    )
    return Reach(minutes, demand.index, candidates.index, 15.0, "walk", 4.0), demand, candidates
