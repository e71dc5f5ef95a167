"""Days and hours are counted as the local clock has them; holes are found."""

import pandas as pd

from planner.quality.days import measure_days

ZONE = "Asia/Shanghai"


def visits(rows):
    """Stays of (rider, local time), twenty minutes each."""
    arrive = pd.DatetimeIndex([pd.Timestamp(when, tz=ZONE) for _, when in rows])
    return pd.DataFrame(
        {
            "rider_id": [rider for rider, _ in rows],
            "arrive": arrive,
            "leave": arrive + pd.Timedelta(minutes=20),
        }
    )


def crowd(day, hour, n=6):
    return [(f"r{i}", f"2026-03-{day:02} {hour:02}:10") for i in range(n)]


def measure(table, account=None, k=5):
    return measure_days(table, account or {}, basis="stays", min_workers=k)


def test_visits_are_counted_by_day_and_hour():
    found = measure(visits(crowd(2, 12) + crowd(2, 18) + crowd(7, 12)))
    assert found["counted"] == "stays"
    assert found["days"] == {"2026-03-02": 12, "2026-03-07": 6}
    assert {h: n for h, n in enumerate(found["hours"]) if n} == {12: 12, 18: 6}
    assert (found["weekdays"], found["weekend_days"]) == (1, 1)
    assert found["missing_days"] == [f"2026-03-{d:02}" for d in range(3, 7)]
    assert found["empty_hours"] == [h for h in range(24) if h not in (12, 18)]


def test_a_day_under_half_the_median_is_thin():
    rows = [row for day in (2, 3, 4) for row in crowd(day, 12, 20)] + crowd(5, 12, 9)
    assert measure(visits(rows))["thin_days"] == ["2026-03-05"]


def test_an_hour_of_few_riders_is_not_shown_and_cannot_be_computed():
    rows = crowd(2, 12, 20) + crowd(2, 15, 12) + crowd(2, 23, 2)
    found = measure(visits(rows), k=10)
    assert found["hours"][12] == 20
    assert found["hours"][23] is None
    assert found["hours"][15] is None  # else 34 visits less what is shown would tell of two riders
    assert 23 not in found["empty_hours"]


def test_fixes_by_hour_win_over_visits():
    hours = [0] * 24
    hours[9] = 500
    found = measure(visits(crowd(2, 9)), {"fixes_per_hour": {"2026-03-02": hours}})
    assert found["counted"] == "fixes"
    assert found["days"] == {"2026-03-02": 500}
    assert found["hours"][9] == 500


def test_the_end_of_a_night_is_no_day():
    day, night = [0] * 24, [0] * 24
    day[21], night[0] = 5000, 40
    found = measure(visits(crowd(6, 21, 9)), {"fixes_per_hour": {"2026-03-06": day,
                                                               "2026-03-07": night}})  # fmt: skip
    assert (found["weekdays"], found["weekend_days"]) == (1, 0)
    assert found["scrap_days"] == ["2026-03-07"]
    assert found["thin_days"] == []
    assert found["days"] == {"2026-03-06": 5040}


def test_a_long_stay_is_there_in_every_hour_of_it():
    table = visits(crowd(2, 9, 9))
    table["leave"] = table["arrive"] + pd.Timedelta(hours=3)
    hours = [0] * 24
    hours[10] = 80
    assert measure(table, {"fixes_per_hour": {"2026-03-02": hours}})["hours"][10] == 80


def test_fixes_of_a_day_without_known_riders_are_hidden():
    day, other = [0] * 24, [0] * 24
    day[9], other[3] = 500, 70
    table = visits(crowd(2, 9, 9))
    found = measure(table, {"fixes_per_hour": {"2026-03-03": other, "2026-03-02": day}})
    assert found["days"] == {"2026-03-02": None, "2026-03-03": None}
    assert found["hours"][3] is None


def test_counts_have_no_time():
    assert measure(pd.DataFrame({"weight_per_day": [3.0]})) == {}


def test_order_of_rows_is_no_matter():
    table = visits(crowd(2, 12) + crowd(3, 18) + crowd(7, 5, 3))
    assert measure(table.sample(frac=1.0, random_state=1)) == measure(table)
