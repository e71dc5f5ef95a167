"""Tables of siting, made by hand for tests."""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.tables import Reach

CRS = "EPSG:32650"


def make_demand(xy, weight, **columns):
    plain = pd.DataFrame(
        {"weight_per_day": np.asarray(weight, dtype=float), "workers": 12, "cell_row": 0,
         "cell_col": 0, **columns},
        index=pd.Index([f"d{k:03d}" for k in range(len(weight))], name="demand_id"),
    )  # fmt: skip
    return gpd.GeoDataFrame(plain, geometry=gpd.points_from_xy(*np.transpose(xy)), crs=CRS)


def make_candidates(ids, xy):
    kind = [{"station": "existing"}.get(i.split(":")[0], i.split(":")[0]) for i in ids]
    action = [{"existing": "keep", "host": "activate"}.get(k, "build") for k in kind]
    plain = pd.DataFrame(
        {"name": [f"At {i}" for i in ids], "kind": kind, "action": action,
         "host_name": [f"At {i}" if k == "host" else None for i, k in zip(ids, kind, strict=True)],
         "hours": "00:00-24:00"},
        index=pd.Index(ids, name="candidate_id"),
    )  # fmt: skip
    return gpd.GeoDataFrame(plain, geometry=gpd.points_from_xy(*np.transpose(xy)), crs=CRS)


def make_reach(demand, candidates, minutes, limit_min=15.0):
    """`minutes` dense, inf where out of reach."""
    minutes = np.asarray(minutes, dtype=float)
    row, column = np.nonzero(minutes <= limit_min)
    matrix = sparse.csr_array((minutes[row, column], (row, column)), shape=minutes.shape)
    return Reach(matrix, demand.index, candidates.index, limit_min, "walk", 4.0)


def straight(demand, candidates):
    """Minutes at 4 km/h along straight lines."""
    here = np.column_stack([demand.geometry.x, demand.geometry.y])
    there = np.column_stack([candidates.geometry.x, candidates.geometry.y])
    return np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1)) / (4000 / 60)
