"""Stays from fixes: examples by hand, laws, known true stays, bad input."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.activity import make_stays, pseudonymise
from planner.errors import ColumnError, CrsError, InputError, SettingsError

START = pd.Timestamp("2026-03-02 12:00", tz="Asia/Shanghai")


def fixes(rows, *, crs="EPSG:32650"):
    """Rows of (rider, seconds after noon, x, y)."""
    rider, second, x, y = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {
            "rider_id": list(rider),
            "worker_type": "food",
            "time": START + pd.to_timedelta(list(second), unit="s"),
        },
        geometry=gpd.points_from_xy(np.array(x) + 500_000.0, np.array(y) + 3_000_000.0),
        crs=crs,
    )


def visit(rider, start, minutes, x, y, *, step=30):
    return [(rider, start + s, x, y) for s in range(0, int(minutes * 60) + 1, step)]


def ride(rider, start, x0, x1, *, seconds=300, step=30):
    share = np.arange(step, seconds, step) / seconds
    return [(rider, start + s * seconds, x0 + s * (x1 - x0), 0) for s in share]


def same(a, b):
    assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b))


def test_two_visits_and_the_ride_between():
    rows = visit("a", 0, 10, 0, 0) + ride("a", 600, 0, 2000) + visit("a", 900, 7, 2000, 0)
    stays = make_stays(fixes(rows))
    assert stays.index.name == "stay_id"
    assert list(stays.columns) == [
        "rider_id", "worker_type", "arrive", "leave", "stay_min", "geometry",
    ]  # fmt: skip
    assert stays["stay_min"].tolist() == [10.0, 7.0]
    assert stays["arrive"].tolist() == [START, START + pd.Timedelta("15min")]
    assert (stays.geometry.x - 500_000).tolist() == [0.0, 2000.0]
    assert str(stays["arrive"].dt.tz) == "Asia/Shanghai"
    assert stays.crs == "EPSG:32650"


def test_an_outlier_does_not_cut_a_stay():
    rows = visit("a", 0, 20, 0, 0)
    rows[20] = ("a", rows[20][1], 150, 0)
    rows[21] = ("a", rows[21][1], 160, 20)
    stays = make_stays(fixes(rows))
    assert stays["stay_min"].tolist() == [20.0]
    assert (stays.geometry.x - 500_000).tolist() == [0.0]
    assert len(make_stays(fixes(rows), method="li2008")) == 2


def test_a_pause_between_two_trips_is_a_stay_up_to_25_minutes():
    def day(pause):
        pings = [("a", 300, 3000, 0), ("a", 300 + pause * 60, 3010, 0)]
        return ride("a", 0, 0, 3000) + pings + ride("a", 300 + pause * 60, 3010, 9000)

    assert make_stays(fixes(day(24)))["stay_min"].tolist() == [24.0]
    assert len(make_stays(fixes(day(26)))) == 0


def test_long_stays_are_excluded_and_counted():
    rows = visit("a", 0, 300, 0, 0, step=300) + visit("b", 0, 30, 0, 0)
    stays = make_stays(fixes(rows))
    assert stays["rider_id"].tolist() == ["b"]
    assert stays.attrs["activity"]["excluded_long"] == 1


def test_every_loss_is_counted():
    rows = visit("a", 0, 10, 0, 0)
    rows += [rows[3]]  # the same once more
    rows += [("a", rows[5][1], 30, 0)]  # the same moment elsewhere
    rows += [("a", 315, 40_000, 0)]  # 40 km in 15 s
    rows += [("a", 345, 500, 0)]  # out and back
    table = fixes(rows)
    note = make_stays(table).attrs["activity"]
    assert note == {
        "fixes": 25, "used": 21,
        "dropped": {"duplicate": 1, "conflicting": 1, "jump": 1, "spike": 1},
        "stays": 1, "excluded_home": 0, "excluded_long": 0, "riders": 1,
        "workers_by_type": {"food": 1}, "first_day": "2026-03-02", "last_day": "2026-03-02",
        "days": 1, "fixes_per_hour": {"2026-03-02": [0] * 12 + [25] + [0] * 11},
        "workers_basis": "riders",
    }  # fmt: skip


def test_days_are_local_dates():
    rows = visit("a", 11.5 * 3600, 60, 0, 0)  # half an hour either side of midnight in Shanghai
    note = make_stays(fixes(rows)).attrs["activity"]
    assert (note["first_day"], note["last_day"], note["days"]) == ("2026-03-02", "2026-03-03", 2)


def test_a_wrong_first_fix_costs_three_fixes_at_most():
    rows = [("a", -30, 90_000, 0), *visit("a", 0, 10, 0, 0)]
    stays = make_stays(fixes(rows))
    assert stays.attrs["activity"]["dropped"] == {"jump": 3}
    assert stays["stay_min"].tolist() == [8.5]


def test_fixes_without_a_position_are_counted():
    table = fixes(visit("a", 0, 10, 0, 0))
    table.loc[4, "geometry"] = gpd.points_from_xy([np.nan], [np.nan])[0]
    stays = make_stays(table)
    assert stays.attrs["activity"]["dropped"] == {"no_position": 1}
    assert stays["stay_min"].tolist() == [10.0]


def test_no_stay_is_an_empty_table_of_the_same_kind():
    stays = make_stays(fixes(ride("a", 0, 0, 9000)))
    assert len(stays) == 0
    assert stays.crs == "EPSG:32650"
    assert isinstance(stays["arrive"].dtype, pd.DatetimeTZDtype)
    assert stays.attrs["activity"]["used"] == 9


def test_progress_reaches_the_total():
    seen = []
    make_stays(fixes(visit("a", 0, 10, 0, 0)), on_step=lambda *step: seen.append(step))
    assert seen == [(21, 21)]


# ── laws ──────────────────────────────────────────────────────────────────────────────────────

rows_of_fixes = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 120).map(lambda n: n * 30),
        st.integers(-4, 4).map(lambda n: n * 60),
        st.integers(-1, 1).map(lambda n: n * 60),
    ),
    min_size=1,
    max_size=150,
)


@settings(max_examples=60)
@given(rows_of_fixes, st.sampled_from(["robust", "li2008"]), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, method, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    a, b = make_stays(fixes(rows), method=method), make_stays(fixes(shuffled), method=method)
    same(a, b)
    assert a.attrs == b.attrs


@settings(max_examples=100)
@given(rows_of_fixes, st.floats(3, 20))
def test_a_higher_minimum_only_filters(rows, least):
    all_stays = make_stays(fixes(rows), min_stay_min=3)
    filtered = all_stays[all_stays["stay_min"] >= least].reset_index(drop=True)
    same(make_stays(fixes(rows), min_stay_min=least).reset_index(drop=True), filtered)


@settings(max_examples=60)
@given(rows_of_fixes, st.sampled_from(["robust", "li2008"]))
def test_counts_add_up_and_stays_of_a_rider_do_not_overlap(rows, method):
    stays = make_stays(fixes(rows), method=method, min_stay_min=3)
    note = stays.attrs["activity"]
    assert note["used"] + sum(note["dropped"].values()) == note["fixes"] == len(rows)
    assert note["stays"] == len(stays)
    assert stays["stay_min"].between(3, 240).all()
    for _, own in stays.groupby("rider_id"):
        assert own["arrive"].is_monotonic_increasing
        assert (own["arrive"].to_numpy()[1:] > own["leave"].to_numpy()[:-1]).all()


@settings(max_examples=40)
@given(rows_of_fixes)
def test_riders_do_not_influence_each_other(rows):
    together = make_stays(fixes(rows))
    for rider in {row[0] for row in rows}:
        alone = make_stays(fixes([row for row in rows if row[0] == rider]))
        mine = together[together["rider_id"] == rider].reset_index(drop=True)
        same(mine, alone.reset_index(drop=True))


# ── known true stays ──────────────────────────────────────────────────────────────────────────


def generate(riders, rng):
    """A day of rides and stays: 20-s fixes, 10 m noise, 0.5 % outliers, dropouts; and the truth."""
    rows, truth = [], []
    for r in range(riders):
        t, x, y = 0.0, *rng.uniform(0, 10_000, 2)
        for _ in range(12):
            minutes = float(np.exp(rng.uniform(np.log(6), np.log(60))))
            n = int(minutes * 3) + 1
            second = t + 20.0 * np.arange(n)
            truth.append((f"r{r}", second[0], second[-1], x, y))
            here = rng.normal((x, y), 10, (n, 2))
            rows += [(f"r{r}", s, *xy) for s, xy in zip(second, here, strict=True)]
            turn, length = rng.uniform(0, 2 * np.pi), rng.uniform(600, 3000)
            to = x + length * np.cos(turn), y + length * np.sin(turn)
            n = int(length / 5 / 20)
            second = second[-1] + 20.0 * np.arange(1, n + 1)
            way = np.linspace((x, y), to, n + 2)[1:-1] + rng.normal(0, 8, (n, 2))
            rows += [(f"r{r}", s, *xy) for s, xy in zip(second, way, strict=True)]
            t, (x, y) = second[-1] + 20.0, to
    table = pd.DataFrame(rows, columns=["r", "t", "x", "y"])
    wild = rng.random(len(table)) < 0.005
    table.loc[wild, ["x", "y"]] += rng.normal(0, 500, (wild.sum(), 2))
    table = table[rng.random(len(table)) > 0.1].sample(frac=1, random_state=1)
    return fixes(table.itertuples(index=False)), truth


def test_known_stays_are_found():
    table, truth = generate(30, np.random.default_rng(3))
    stays = make_stays(table)
    arrive = (stays["arrive"] - START).dt.total_seconds().to_numpy()
    leave = (stays["leave"] - START).dt.total_seconds().to_numpy()
    hits, errors = 0, []
    for rider, start, end, x, y in truth:
        mine = (stays["rider_id"] == rider).to_numpy()
        both = np.minimum(leave, end) - np.maximum(arrive, start)
        either = np.maximum(leave, end) - np.minimum(arrive, start)
        good = mine & (both > 0.5 * either)
        hits += good.any()
        if good.any():
            p = stays.geometry.iloc[int(np.flatnonzero(good)[0])]
            errors.append(np.hypot(p.x - 500_000 - x, p.y - 3_000_000 - y))
    assert hits / len(truth) >= 0.95
    assert hits / len(stays) >= 0.95
    assert np.median(errors) < 5
    plain = make_stays(table, method="li2008")
    assert len(plain) > 0.8 * len(truth)


# ── bad input ─────────────────────────────────────────────────────────────────────────────────


def test_bad_input_is_named():
    table = fixes(visit("a", 0, 10, 0, 0))
    with pytest.raises(CrsError, match="must be in metres"):
        make_stays(table.to_crs(4326))
    with pytest.raises(ColumnError, match=r"lacks `rider_id`.*It has"):
        make_stays(table.drop(columns="rider_id"))
    with pytest.raises(InputError, match="no rows"):
        make_stays(table.iloc[:0])
    with pytest.raises(InputError, match="column `time`: the times must carry a time zone"):
        make_stays(table.assign(time=table["time"].dt.tz_localize(None)))
    with pytest.raises(InputError, match="`time` is empty"):
        make_stays(table.assign(time=table["time"].where(table.index != 3)))
    with pytest.raises(InputError, match="must hold points"):
        make_stays(table.set_geometry(table.buffer(5)))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"radius_m": 0}, "`radius_m`"),
        ({"min_stay_min": -1}, "`min_stay_min`"),
        ({"max_stay_min": 3}, "must not be below"),
        ({"method": "lee"}, "`robust` or `li2008`"),
    ],
)
def test_bad_settings_are_named(setting, message):
    with pytest.raises(SettingsError, match=message):
        make_stays(fixes(visit("a", 0, 10, 0, 0)), **setting)


# ── a real city ───────────────────────────────────────────────────────────────────────────────


def test_porto_taxis(shared):
    import json

    trips = pd.read_csv(shared / "porto" / "taxi_trips.csv")
    trips = trips.assign(place=trips["POLYLINE"].map(json.loads)).explode("place")
    trips["step"] = trips.groupby(level=0).cumcount() * 15
    trips = trips[trips["place"].notna()]
    lon, lat = np.array(trips["place"].tolist()).T
    time = pd.to_datetime(trips["TIMESTAMP"] + trips["step"], unit="s", utc=True)
    table = gpd.GeoDataFrame(
        {
            "rider_id": trips["TAXI_ID"].astype(str).to_numpy(),
            "worker_type": "ride",
            "time": time.dt.tz_convert("Europe/Lisbon").to_numpy(),
        },
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
    ).to_crs("EPSG:32629")
    table["time"] = pd.DatetimeIndex(table["time"]).tz_convert("Europe/Lisbon")
    stays = make_stays(table)
    note = stays.attrs["activity"]
    assert note["fixes"] == 47_304
    assert note["used"] + sum(note["dropped"].values()) == 47_304
    assert note["riders"] == 308
    assert 40 <= len(stays) <= 80


def test_a_stuck_device_keeps_its_first_fix_only():
    rows = visit("a", 0, 10, 0, 0) + [("a", 630 + 30 * k, 40, 0) for k in range(10)]
    rows += visit("a", 930, 10, 30_000, 0)
    dropped = make_stays(fixes(rows)).attrs["activity"]["dropped"]
    assert dropped == {"jump": 3, "stuck": 9}


def test_a_device_that_says_one_place_all_day_is_no_stuck_one():
    rows = visit("a", 0, 60, 0, 0) + ride("a", 3600, 0, 3000)
    assert make_stays(fixes(rows)).attrs["activity"]["dropped"] == {}


def test_a_receiver_that_is_elsewhere_and_comes_back_tells_nothing():
    away = [("a", 600 + 20 * k, 20_000, 7 * k) for k in range(1, 13)]
    rows = visit("a", 0, 10, 0, 0) + away + visit("a", 870, 10, 0, 0)
    stays = make_stays(fixes(rows))
    assert stays.attrs["activity"]["dropped"] == {"jump": 6, "teleport": 9}
    assert stays["stay_min"].tolist() == [24.5]


def test_a_slow_ride_is_no_stay():
    rows = [("a", 10 * k, 5 * k, 0) for k in range(40)] + ride("a", 400, 200, 4000)
    assert len(make_stays(fixes(rows))) == 0


def test_nights_and_evenings_at_home_are_left_out_and_counted():
    hour = 3600
    night = visit("a", 10 * hour, 9 * 60, 0, 0, step=600)  # 22:00 to 07:00
    evening = visit("a", 8 * hour, 30, 60, 0)
    work = visit("a", 2 * hour, 30, 5_000, 0)
    others = visit("b", 8 * hour, 30, 60, 0)
    stays = make_stays(fixes(work + evening + night + others))
    assert stays["rider_id"].tolist() == ["a", "b"]
    assert stays.attrs["activity"]["excluded_home"] == 2
    assert stays.attrs["activity"]["excluded_long"] == 0
    kept = make_stays(fixes(work + evening + night), exclude_homes=False)
    assert kept["stay_min"].tolist() == [30.0, 30.0]
    assert kept.attrs["activity"]["excluded_long"] == 1


def test_a_long_rest_by_day_is_nobodys_home():
    stays = make_stays(fixes(visit("a", 0, 200, 0, 0, step=300)))
    assert stays["stay_min"].tolist() == [200.0]


def test_pseudonyms_hide_riders_and_link_them_only_with_the_key():
    stays = make_stays(fixes(visit("Wang Wei", 0, 10, 0, 0) + visit("Li Na", 0, 10, 0, 0)))
    again = stays.iloc[[1]]
    keyed = pseudonymise(stays, b"secret")
    assert not set(keyed["rider_id"]) & set(stays["rider_id"])
    assert pseudonymise(again, b"secret")["rider_id"].iloc[0] == keyed["rider_id"].iloc[1]
    assert pseudonymise(stays, b"other")["rider_id"].iloc[1] != keyed["rider_id"].iloc[1]
    assert pseudonymise(stays)["rider_id"].tolist() == ["1", "2"]
    assert pseudonymise(stays, b"k" * 100)["rider_id"].nunique() == 2
