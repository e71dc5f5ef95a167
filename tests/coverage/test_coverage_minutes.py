"""Minutes beyond the limit, to any station and to those open then."""

import numpy as np
import pandas as pd
import pytest

from planner.coverage import find_minutes, make_reach, measure_coverage
from planner.errors import InputError, SettingsError

PARTS = {"noon": (11, 14), "night": (21, 6)}
METRES_A_MINUTE = 4000 / 60


@pytest.fixture(scope="module")
def scene(make_grid, make_demand_table, make_stations_table):
    rng = np.random.default_rng(3)
    demand = make_demand_table(
        rng.uniform(0, 2000, (40, 2)),
        rng.integers(1, 20, 40),
        weight_noon=rng.uniform(0, 2, 40),
        weight_night=rng.uniform(0, 2, 40),
    )
    stations = make_stations_table(
        [(100, 100), (1900, 300), (1000, 1000)], ["00:00-24:00", "11:00-14:00", "21:00-06:00"]
    )
    return make_grid(21), demand, stations


def test_each_daypart_looks_for_what_is_open_then(scene):
    streets, demand, stations = scene
    minutes = find_minutes(streets, demand, stations, max_min=60, dayparts=PARTS)
    assert minutes.attrs["minutes"] == {"max_min": 60.0}
    for column, ids in {
        "nearest_min": ["s0", "s1", "s2"],
        "nearest_noon_min": ["s0", "s1"],
        "nearest_night_min": ["s0", "s2"],
    }.items():
        open_then = stations.loc[ids, ["geometry"]]
        one = find_minutes(streets, demand, open_then, max_min=60)
        np.testing.assert_array_equal(minutes[column], one["nearest_min"])
    assert (minutes["nearest_noon_min"] > minutes["nearest_min"]).any()


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_the_next_station_is_the_second_in_order(scene, make_stations_table, count):
    streets, demand, _ = scene
    rng = np.random.default_rng(count)
    stations = make_stations_table(rng.uniform(0, 2000, (count, 2)))
    minutes = find_minutes(streets, demand, stations, max_min=60)
    dense = make_reach(streets, demand, stations, limit_min=60).minutes.toarray()
    dense = np.sort(np.where(dense == 0, np.inf, dense), axis=1)
    np.testing.assert_array_equal(minutes["nearest_min"], dense[:, 0])
    expected = dense[:, 1] if count > 1 else np.full(len(demand), np.inf)
    np.testing.assert_array_equal(minutes["next_min"], expected)


def test_two_stations_at_one_place_are_two(scene, make_stations_table):
    streets, demand, _ = scene
    twice = make_stations_table([(300, 300), (300, 300), (1500, 1500)])
    minutes = find_minutes(streets, demand, twice, max_min=60)
    near = (
        minutes["nearest_min"] < find_minutes(streets, demand, twice[2:], max_min=60)["nearest_min"]
    )
    assert near.any()
    assert (minutes["next_min"] == minutes["nearest_min"])[near].all()


def test_coverage_uses_what_lies_beyond_the_limit(scene):
    streets, demand, stations = scene
    reach = make_reach(streets, demand, stations, limit_min=5)
    minutes = find_minutes(streets, demand, stations, max_min=20, dayparts=PARTS)
    table = measure_coverage(
        reach, demand, facilities=stations, dayparts=PARTS, minutes=minutes.iloc[::-1]
    )
    shares = measure_coverage(reach, demand, facilities=stations, dayparts=PARTS)
    same = ["covered_share", "open_share", "backup_share", "gradual_share"]
    pd.testing.assert_frame_equal(table[same], shares[same])
    weight = demand["weight_per_day"].to_numpy()
    far = minutes["nearest_min"].to_numpy()
    known = np.isfinite(far)
    assert 0 < (~known).sum() < known.sum()
    expected = np.average(far[known], weights=weight[known])
    assert table.loc["all", "mean_min"] == pytest.approx(expected)
    note = table.attrs["coverage"]
    assert (note["limit_min"], note["horizon_min"]) == (5.0, 20.0)
    assert note["beyond_share"] == pytest.approx(weight[~known].sum() / weight.sum())
    # half of the demand, counted one by one
    spread = np.sort(np.repeat(far, weight.astype(int)))
    assert table.loc["all", "median_min"] == spread[(len(spread) - 1) // 2]
    at_noon = minutes["nearest_noon_min"]
    kept = np.isfinite(at_noon)
    assert table.loc["daypart:noon", "mean_min"] == pytest.approx(
        np.average(at_noon[kept], weights=demand["weight_noon"][kept])
    )


def test_without_stations_everything_is_endless(scene, make_stations_table):
    streets, demand, stations = scene
    far = make_stations_table([(90_000, 0)], ["00:00-24:00"])
    for none in (stations.iloc[:0], far):
        minutes = find_minutes(streets, demand, none, max_min=60, dayparts=PARTS)
        assert np.isinf(minutes).all(axis=None)
        dayparts = ["nearest_noon_min", "nearest_night_min"]
        assert minutes.columns.tolist() == ["nearest_min", "next_min", *dayparts]


def test_order_of_rows_does_not_matter(scene):
    streets, demand, stations = scene
    plain = find_minutes(streets, demand, stations, max_min=60, dayparts=PARTS)
    mixed = find_minutes(
        streets,
        demand.sample(frac=1, random_state=2),
        stations.sample(frac=1, random_state=2),
        max_min=60,
        dayparts=PARTS,
    )
    pd.testing.assert_frame_equal(plain, mixed.loc[plain.index])


def test_minutes_of_other_demand_or_without_hours_are_refused(scene):
    streets, demand, stations = scene
    reach = make_reach(streets, demand, stations)
    options = {"facilities": stations, "dayparts": PARTS}
    short = find_minutes(streets, demand.iloc[1:], stations, max_min=60, dayparts=PARTS)
    with pytest.raises(InputError, match="`minutes` lacks 1 demand points, first 'd0'"):
        measure_coverage(reach, demand, minutes=short, **options)
    bare = find_minutes(streets, demand, stations[["geometry"]], max_min=60)
    assert bare.columns.tolist() == ["nearest_min", "next_min"]
    with pytest.raises(InputError, match="`minutes` lacks `nearest_noon_min`"):
        measure_coverage(reach, demand, minutes=bare, **options)
    with pytest.raises(SettingsError, match="`max_min` setting must be greater than 0"):
        find_minutes(streets, demand, stations, max_min=0)
