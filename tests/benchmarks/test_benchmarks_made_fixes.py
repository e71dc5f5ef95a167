"""Laws of the invented city: what is drawn is what was asked for, however it is written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from made_fixes import make_area, write_fixes
from rides import HARD
from score import score, score_oracle

KEYS = ["rider_id", "time", "lon", "lat", "speed"]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    path = tmp_path_factory.mktemp("city") / "fixes.parquet"
    truth = write_fixes(path, riders=40, days=2)
    return pq.read_table(path).to_pandas(), truth


def test_as_many_fixes_and_stays_as_the_model_says(city):
    fixes, truth = city
    assert len(fixes) / 80 == pytest.approx(1_780, rel=0.1)
    lasts = (truth["leave"] - truth["arrive"]).dt.total_seconds()
    assert lasts.max() <= 3600
    assert (lasts >= 300).mean() == pytest.approx(1 - np.log(2.5) / np.log(30), abs=0.03)


def test_faults_are_as_frequent_as_said(city):
    fixes, _ = city
    assert ((fixes["lon"] == 0) & (fixes["lat"] == 0)).mean() == pytest.approx(0.003, rel=0.3)
    assert (fixes["lon"] > 120).mean() == pytest.approx(0.0005, rel=0.6)
    assert fixes.duplicated(["rider_id", "time"]).mean() == pytest.approx(0.006, rel=0.3)
    assert fixes.duplicated(KEYS[:4]).mean() == pytest.approx(0.005, rel=0.3)


def test_fixes_come_late_but_never_later_than_five_minutes(city):
    fixes, _ = city
    late = fixes["time"].cummax() - fixes["time"]
    assert (late > pd.Timedelta("20s")).mean() == pytest.approx(0.05, abs=0.01)
    assert late.max() < pd.Timedelta("315s")


def test_truth_lies_where_the_fixes_are(city):
    fixes, truth = city
    stay = truth[truth["fixes"] > 20].iloc[0]
    seen = fixes[(fixes["rider_id"] == stay["rider_id"]) & (fixes["time"] >= stay["first"])]
    seen = seen[seen["time"] <= stay["last"]]
    assert stay["fixes"] <= len(seen) <= 1.1 * stay["fixes"]
    assert abs(seen["lon"].median() - stay["lon"]) < 20 / 95_000
    assert abs(seen["lat"].median() - stay["lat"]) < 20 / 111_000


def test_shuffled_rows_are_the_same_rows(city, tmp_path):
    fixes, truth = city
    again = write_fixes(tmp_path / "s.parquet", riders=40, days=2, shuffled=True)
    shuffled = pq.read_table(tmp_path / "s.parquet").to_pandas()
    pd.testing.assert_frame_equal(again, truth)
    pd.testing.assert_frame_equal(
        shuffled.sort_values(KEYS, ignore_index=True), fixes.sort_values(KEYS, ignore_index=True)
    )
    rank = shuffled["time"].rank().to_numpy()
    assert abs(np.corrcoef(rank, np.arange(len(rank)))[0, 1]) < 0.02


def test_small_buckets_change_no_row(city, tmp_path, monkeypatch):
    for name, value in {"_BUCKET": 20_000, "_BLOCK": 7_000, "ROW_GROUP": 10_000}.items():
        monkeypatch.setattr(f"made_fixes.{name}", value)
    truth = write_fixes(tmp_path / "small.parquet", riders=40, days=2)
    file = pq.ParquetFile(tmp_path / "small.parquet")
    fixes = file.read().to_pandas()
    pd.testing.assert_frame_equal(truth, city[1])
    pd.testing.assert_frame_equal(
        fixes.sort_values(KEYS, ignore_index=True), city[0].sort_values(KEYS, ignore_index=True)
    )
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert set(groups[:-1]) == {10_000}
    assert sorted(Path(tmp_path).iterdir()) == [tmp_path / "small.parquet"]


def test_more_riders_leave_the_others_alone(city, tmp_path):
    write_fixes(tmp_path / "one.parquet", riders=1, days=2)
    one = pq.read_table(tmp_path / "one.parquet").to_pandas()
    same = city[0][city[0]["rider_id"] == one["rider_id"][0]]
    pd.testing.assert_frame_equal(
        one.sort_values(KEYS, ignore_index=True), same.sort_values(KEYS, ignore_index=True)
    )


def test_the_city_holds_its_fixes(city):
    west, south, east, north = make_area().to_crs("EPSG:4326").total_bounds
    fixes, _ = city
    inside = fixes["lon"].between(west, east) & fixes["lat"].between(south, north)
    assert inside.mean() > 0.995


def test_truth_scores_full_marks_and_the_oracle_nearly(city):
    _, truth = city
    long = truth[truth["leave"] - truth["arrive"] >= pd.Timedelta("300s")]
    assert score(long.sample(frac=1, random_state=1), truth)[2:] == (1.0, 1.0, 0.0, 0.0)
    oracle = score_oracle(truth)
    assert 0.93 < oracle.recall < 0.97
    assert 0.95 < oracle.precision < 0.99


def test_half_a_stay_is_a_pair_and_less_is_none():
    start = pd.Timestamp("2026-01-01 10:00", tz="UTC")
    truth = stay_table("a", start, 20)
    assert score(stay_table("a", start, 10), truth).recall == 1
    assert score(stay_table("a", start, 9.9), truth).recall == 0
    assert score(stay_table("b", start, 20), truth).recall == 0


def test_pairs_are_one_to_one_and_the_better_wins():
    start = pd.Timestamp("2026-01-01 10:00", tz="UTC")
    found = pd.concat([stay_table("a", start, 12), stay_table("a", start, 20, lon=104.01)])
    result = score(found, stay_table("a", start, 20))
    assert (result.true, result.found, result.recall, result.precision) == (1, 2, 1.0, 0.5)
    assert result.error_m == pytest.approx(958, abs=2)


def test_short_true_stays_take_partners_but_count_for_nothing():
    start = pd.Timestamp("2026-01-01 10:00", tz="UTC")
    truth = pd.concat([stay_table("a", start, 4), stay_table("b", start, 6)])
    assert score(truth, truth)[:4] == (1, 2, 1.0, 0.5)


def test_hard_places_have_fewer_fixes_that_scatter_wider(city, tmp_path):
    truth = write_fixes(tmp_path / "hard.parquet", riders=40, days=2, model=HARD)
    fixes = pq.read_table(tmp_path / "hard.parquet").to_pandas()
    assert len(fixes) == pytest.approx(len(city[0]) / 2, rel=0.1)
    assert scatter(fixes, truth) > 1.5 * scatter(*city)


def scatter(fixes, truth):
    """Median distance in latitude of fixes from the true centre of the stay they belong to."""
    pairs = pd.merge_asof(
        fixes.sort_values("time"),
        truth.sort_values("arrive").rename(columns={"lat": "centre"}).drop(columns="lon"),
        left_on="time", right_on="arrive", by="rider_id",
    ).query("time <= leave")  # fmt: skip
    return (pairs["lat"] - pairs["centre"]).abs().median()


def stay_table(rider, start, minutes, lon=104.0):
    return pd.DataFrame({
        "rider_id": [rider],
        "arrive": [start],
        "leave": [start + pd.Timedelta(minutes=minutes)],
        "lon": [lon],
        "lat": [30.6],
    })  # fmt: skip
