"""A plan that leaves nobody out, and towns whose streets fall into parts."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from small_study import STATIONS, crossing, lonlat, write_small_study

from planner.errors import InputError
from planner.outputs import write_outputs
from planner.pipeline import check_inputs, measure_today, run_study
from planner.plan import load_plan
from planner.quality import find_warnings
from planner.settings import load_settings

GAP = 16.5  # the streets of this column and row are cut, so that the town falls apart there


def cut(study):
    """Take away every street between two columns: no way leads east."""
    streets = gpd.read_file(study / "streets.geojson")
    west = lonlat([crossing(GAP, 0)])[0][0]
    bounds = streets.bounds
    across = (bounds["minx"] < west) & (bounds["maxx"] > west)
    assert across.sum() > 10
    streets[~across].to_file(study / "streets.geojson")
    return study


def test_a_plan_may_leave_nobody_out(tmp_path):
    study = write_small_study(tmp_path / "town")
    pd.read_csv(study / "stations.csv").assign(座位数=[20, None]).to_csv(
        study / "stations.csv", index=False
    )
    words = ("service.limit_min=40", "siting.count=6", "siting.reruns=0", "siting.new_seats=12")
    plan = run_study(study, overrides=words)
    before, after = (plan.summary["coverage"][k] for k in ("before", "after"))
    assert after["covered_share"] == 1.0
    assert after["uncovered"] == []
    uncovered = plan.tables["uncovered"]
    assert not (uncovered["when"] == "after").any()
    assert uncovered["weight_per_day"].dtype == np.float64
    sites = len(plan.tables["sites"])
    seats = [plan.tables[f"coverage_{k}"].attrs["coverage"] for k in ("before", "after")]
    assert [note["seats"] for note in seats] == [20, 20 + 12 * sites]
    assert [note["seats_unknown"] for note in seats] == [1, 1]
    assert after["seats_per_100"] > before["seats_per_100"]
    plan.save(tmp_path / "out")
    again = load_plan(tmp_path / "out")
    for name in ("closures", "uncovered", "coverage_after"):
        pd.testing.assert_frame_equal(
            pd.DataFrame(again.tables[name]), pd.DataFrame(plan.tables[name]), check_dtype=False
        )
    assert write_outputs(plan, tmp_path / "out")["report"].exists()


def test_a_town_cut_in_two_is_told_of(tmp_path):
    study = cut(write_small_study(tmp_path / "town", language="en"))
    settings = load_settings(study)
    numbers = check_inputs(settings)
    assert 0.1 < numbers["demand"]["apart_share"] < 0.4
    assert numbers["apart"] == []
    told = [text for text in find_warnings(settings, numbers) if "no station" in text]
    assert len(told) == 1
    assert f"{numbers['demand']['apart_share']:.1%}" in told[0]
    _, table = measure_today(settings)
    beyond = table.attrs["coverage"]["beyond_share"]
    assert beyond == pytest.approx(numbers["demand"]["apart_share"])


def test_stations_without_any_way_to_demand_are_told_or_refused(tmp_path):
    study = cut(write_small_study(tmp_path / "town", language="en"))
    fixes = pd.read_csv(study / "activity.csv")
    west = lonlat([crossing(GAP, 0)])[0][0]
    fixes[fixes["lon"] < west].to_csv(study / "activity.csv", index=False)
    lon, lat = lonlat([crossing(*STATIONS[0]), crossing(19, 5)])
    stations = pd.read_csv(study / "stations.csv").assign(经度=lon, 纬度=lat)
    stations.to_csv(study / "stations.csv", index=False)
    numbers = check_inputs(load_settings(study))
    assert numbers["demand"]["apart_share"] == 0
    assert numbers["apart"] == ["station:中站"]
    stations.iloc[1:].to_csv(study / "stations.csv", index=False)
    with pytest.raises(InputError, match="no street joins any point of `demand`"):
        measure_today(load_settings(study))
