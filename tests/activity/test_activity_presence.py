"""Presence: one sample a rider and slot of the clock, whatever the rate of the fixes."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planner.activity import make_presence, shows_stays
from planner.errors import SettingsError


def ride(rider="a", start="2026-03-02 12:00", seconds=15, n=81):
    time = pd.date_range(start, periods=n, freq=f"{seconds}s", tz="Asia/Shanghai")
    return gpd.GeoDataFrame(
        {"rider_id": rider, "worker_type": "ride", "time": time},
        geometry=gpd.points_from_xy(np.arange(n) * seconds * 5.0, np.zeros(n)),
        crs="EPSG:32650",
    )


def test_twenty_minutes_are_five_samples():
    samples = make_presence(ride(), every_min=5)
    assert samples["arrive"].dt.minute.tolist() == [0, 5, 10, 15, 20]
    assert samples.geometry.x.tolist() == [0.0, 1500.0, 3000.0, 4500.0, 6000.0]
    assert (samples["stay_min"] == 5).all()


def test_the_rate_of_the_fixes_does_not_matter():
    often, seldom = make_presence(ride()), make_presence(ride(seconds=60, n=21))
    assert often["arrive"].tolist() == seldom["arrive"].tolist()


def test_riders_are_sampled_apart_and_shuffling_changes_nothing():
    fixes = pd.concat([ride(), ride("b")], ignore_index=True)
    samples = make_presence(fixes)
    assert samples.groupby("rider_id").size().to_dict() == {"a": 5, "b": 5}
    again = make_presence(fixes.sample(frac=1, random_state=1).reset_index(drop=True))
    pd.testing.assert_frame_equal(pd.DataFrame(samples), pd.DataFrame(again))


def test_a_slot_must_last():
    with pytest.raises(SettingsError, match="every_min"):
        make_presence(ride(), every_min=0)


@pytest.mark.parametrize(("stays", "expected"), [(19, False), (20, True)])
def test_one_stay_a_rider_and_day_is_enough(stays, expected):
    assert shows_stays({"stays": stays, "riders": 10, "days": 2}) is expected
