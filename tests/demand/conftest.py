"""Small stays tables."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def stays_of():
    """Make a stays table of rows (rider, worker type, "YYYY-MM-DD HH:MM", x, y)."""

    def make(rows):
        rider, kind, time, x, y = zip(*rows, strict=True)
        arrive = pd.DatetimeIndex(pd.to_datetime(list(time))).tz_localize("Asia/Shanghai")
        return gpd.GeoDataFrame(
            {
                "rider_id": [str(r) for r in rider],
                "worker_type": list(kind),
                "arrive": arrive,
                "leave": arrive + pd.Timedelta("10min"),
                "stay_min": 10.0,
            },
            geometry=gpd.points_from_xy(np.array(x) + 500_000.0, np.array(y) + 3_000_000.0),
            index=pd.RangeIndex(len(rider), name="stay_id"),
            crs="EPSG:32650",
        )

    return make


@pytest.fixture(scope="session")
def town(stays_of):
    """300 riders of three unequal types on a Friday and a Saturday around 150 places."""
    rng = np.random.default_rng(11)
    place = rng.uniform(0, 3500, (150, 2))
    favour = rng.pareto(1.1, 150) + 0.1
    hour_of = rng.choice([7, 12, 13, 15, 18, 22], (150, 4))  # each place has its hours
    rows = []
    for rider in range(300):
        kind = "food" if rider % 10 < 6 else "courier" if rider % 10 < 9 else "truck"
        home = rng.uniform(0, 3500, 2)
        odds = favour * np.exp(-np.hypot(*(place - home).T) / 700)
        for day in ("2026-03-06", "2026-03-07"):
            for p in rng.choice(150, 5, p=odds / odds.sum()):
                hour, minute = rng.choice(hour_of[p]), rng.integers(60)
                x, y = rng.normal(place[p], 20)
                rows.append((rider, kind, f"{day} {hour:02d}:{minute:02d}", x, y))
    return stays_of(rows)
