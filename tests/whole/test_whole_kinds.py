"""The line takes fixes, orders, stays and counts, from any file format."""

import numpy as np
import pandas as pd
import pytest
from small_study import PLACES, crossing, lonlat, write_small_study

from planner.outputs import write_outputs
from planner.pipeline import run_study


@pytest.fixture
def study(tmp_path):
    return write_small_study(tmp_path / "town", language="en")


def visits(n=240):
    """Where and when riders stop: every place by every rider."""
    rng = np.random.default_rng(3)
    place = np.arange(n) % len(PLACES)
    x, y = np.array([crossing(*PLACES[p]) for p in place]).T
    lon, lat = lonlat(np.c_[x + rng.normal(0, 10, n), y + rng.normal(0, 10, n)])
    start = pd.Timestamp("2026-09-15 10:00") + pd.to_timedelta(np.arange(n) % 300, unit="min")
    rider = [f"rider-{i // len(PLACES) % 30:02}" for i in range(n)]
    return pd.DataFrame({"rider": rider, "start": start, "lon": lon, "lat": lat})


def stays():
    table = visits().rename(columns={"rider": "骑手编号", "start": "到达时间"})
    return table.assign(离开时间=table["到达时间"] + pd.Timedelta(minutes=12))


def orders():
    table = visits()
    return pd.DataFrame(
        {
            "骑手编号": table["rider"],
            "取餐时间": table["start"],
            "送达时间": table["start"] + pd.Timedelta(minutes=25),
            "取餐经度": table["lon"],
            "取餐纬度": table["lat"],
            "送达经度": table["lon"].to_numpy()[::-1],
            "送达纬度": table["lat"].to_numpy()[::-1],
        }
    )


def counts():
    lon, lat = lonlat([crossing(*p) for p in PLACES])
    table = {"weight_per_day": [30.0] * len(PLACES), "workers": [12] * len(PLACES)}
    return pd.DataFrame({**table, "lon": lon, "lat": lat})


def save(table, path):
    if path.suffix == ".xlsx":
        table.to_excel(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, encoding="gb18030")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
@pytest.mark.parametrize(
    ("kind", "make"), [("stays", stays), ("orders", orders), ("counts", counts)]
)
def test_every_kind_from_every_format(study, kind, make, suffix):
    save(make(), study / f"visits{suffix}")
    plan = run_study(
        study,
        overrides=(f"activity.file=visits{suffix}", f"activity.kind={kind}", "siting.reruns=0"),
    )
    before, after = (plan.summary["coverage"][k]["covered_share"] for k in ("before", "after"))
    assert 0 < before < after <= 1
    assert plan.summary["demand"]["basis"] == kind
    assert write_outputs(plan, study / "out")["report"].exists()
