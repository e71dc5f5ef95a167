"""Demand points: examples by hand, laws, counts, bad input."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from planner.demand import make_demand
from planner.demand.hexagons import cell_centre, cell_of, halves, steps_within
from planner.errors import ColumnError, CrsError, InputError, SettingsError
from planner.settings import DAYPARTS
from planner.tables import check_table


def crowd(n, *, first=0, kind="food", time="2026-03-02 12:00", x=0.0, y=0.0):
    return [(first + i, kind, time, x, y) for i in range(n)]


def test_visits_of_an_average_day(stays_of):
    # Monday 10 visits, Tuesday 20, Saturday 6, Sunday 2 by the same ten riders.
    rows = crowd(10) + crowd(10, time="2026-03-03 12:00") + crowd(10, time="2026-03-03 18:30")
    rows += crowd(6, time="2026-03-07 23:30") + crowd(2, time="2026-03-08 02:00")
    demand = make_demand(stays_of(rows))
    assert demand.index.tolist() == ["d0001"]
    assert demand.index.name == "demand_id"
    assert demand["weight_per_day"].tolist() == pytest.approx([(5 * 15 + 2 * 4) / 7])
    assert demand["workers"].tolist() == [10]
    note = demand.attrs["demand"]
    assert (note["days"], note["first_day"], note["last_day"]) == (4, "2026-03-02", "2026-03-08")
    check_table(demand, "demand")


def test_one_kind_of_day_gives_the_plain_mean(stays_of):
    rows = crowd(10) + crowd(5, time="2026-03-03 12:00")
    assert make_demand(stays_of(rows))["weight_per_day"].tolist() == [7.5]
    rows = crowd(10, time="2026-03-07 12:00") + crowd(5, time="2026-03-08 12:00")
    assert make_demand(stays_of(rows))["weight_per_day"].tolist() == [7.5]


def test_busy_points_show_their_own_dayparts_and_types(stays_of):
    rows = crowd(30) + crowd(12, first=30, kind="courier", time="2026-03-02 18:00")
    demand = make_demand(stays_of(rows))
    assert demand["weight_noon"].tolist() == [30.0]
    assert demand["weight_evening"].tolist() == [12.0]
    assert demand["weight_type_food"].tolist() == [30.0]
    assert demand["weight_type_courier"].tolist() == [12.0]
    assert demand["weight_night"].tolist() == [0.0]
    parts = [f"weight_{name}" for name in DAYPARTS]
    types = ["weight_type_courier", "weight_type_food"]
    classes = ["weight_class_handover", "weight_class_wait", "weight_class_rest"]
    assert list(demand.columns) == [
        "weight_per_day", "workers", *parts, *types, "weight_workday", *classes,
        "cell_row", "cell_col", "geometry",
    ]  # fmt: skip


def test_a_cell_under_k_joins_its_neighbour_and_shared_workers_count_once(stays_of):
    six, six_next_door = crowd(6), crowd(6, x=100)  # the same six riders
    with pytest.raises(InputError, match="nothing may be shown"):
        make_demand(stays_of(six + six_next_door))
    demand = make_demand(stays_of(six + six_next_door + crowd(4, first=6, x=100)))
    assert demand["workers"].tolist() == [10]
    assert demand["weight_per_day"].tolist() == [16.0]
    assert demand.geometry.x.tolist() == pytest.approx([500_000 + 100 * 10 / 16])


def test_far_cells_are_suppressed_and_counted(stays_of):
    rows = crowd(10) + crowd(4, first=10, x=600) + crowd(2, first=14, x=5000)
    demand = make_demand(stays_of(rows), merge_m=400)
    note = demand.attrs["demand"]
    assert demand["weight_per_day"].tolist() == [10.0]
    assert note["suppressed_cells"] == 2
    assert note["suppressed_share"] == pytest.approx(0.38)  # of six workers: in whole percent
    assert note["workers"] == 10
    assert make_demand(stays_of(rows), merge_m=700)["weight_per_day"].tolist() == [14.0]


def test_hours_without_a_daypart_go_to_other(stays_of):
    rows = crowd(20) + crowd(20, time="2026-03-02 03:00")
    demand = make_demand(stays_of(rows), dayparts={"day": (6, 18), "late": (18, 22.5)})
    assert demand["weight_day"].tolist() == [20.0]
    assert demand["weight_other"].tolist() == [20.0]
    assert demand.attrs["demand"]["dayparts"] == {"day": [6.0, 18.0], "late": [18.0, 22.5]}


def test_a_daypart_may_pass_midnight(stays_of):
    rows = crowd(20, time="2026-03-02 23:30") + crowd(20, time="2026-03-02 05:59")
    rows += crowd(20, time="2026-03-02 06:00")
    demand = make_demand(stays_of(rows))
    assert demand["weight_night"].tolist() == [40.0]
    assert demand["weight_morning"].tolist() == [20.0]
    whole = make_demand(stays_of(rows), dayparts={"all": (0, 24)})
    assert whole["weight_all"].tolist() == [60.0]


# ── the grid ──────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from([20.0, 100.0, 173.2, 5000.0]))
def test_a_point_lies_in_the_hexagon_with_the_nearest_centre(x, y, width):
    row, col = cell_of(np.array([x]), np.array([y]), width)
    rows, cols = np.meshgrid(row[0] + np.arange(-2, 3), col[0] + np.arange(-2, 3))
    cx, cy = cell_centre(rows.ravel(), cols.ravel(), width)
    own = np.hypot(*np.subtract((x, y), np.array(cell_centre(row[0], col[0], width))))
    assert own <= np.hypot(cx - x, cy - y).min() + 1e-6


def test_steps_are_all_cells_in_reach_nearest_first():
    rows, cols = (a.ravel() for a in np.meshgrid(np.arange(20, 41), np.arange(20, 41)))
    x, y = cell_centre(rows, cols, 100.0)
    home = np.flatnonzero((rows == 31) & (cols == 30))[0]
    near = cKDTree(np.column_stack([x, y])).query_ball_point([x[home], y[home]], 400.0 + 1e-6)
    steps = steps_within(400.0, 100.0)
    found = set(zip(rows - 31, halves(rows, cols) - halves(rows[home], cols[home]), strict=True))
    assert set(steps) <= found
    assert len(steps) == len(near) - 1 == 60
    length = [3 * dr**2 + dh**2 for dr, dh in steps]
    assert length == sorted(length)
    assert steps_within(0.0, 100.0) == []


def test_the_grid_does_not_depend_on_the_data(stays_of):
    one = make_demand(stays_of(crowd(10, x=777, y=333)))
    two = make_demand(stays_of(crowd(10, x=777, y=333) + crowd(10, x=-4000, y=-4000)))
    cells = ["cell_row", "cell_col"]
    assert one[cells].iloc[0].tolist() in two[cells].to_numpy().tolist()


# ── laws ──────────────────────────────────────────────────────────────────────────────────────


def test_dayparts_and_types_add_up(town):
    demand = make_demand(town)
    parts = demand[[f"weight_{name}" for name in DAYPARTS]]
    assert np.allclose(parts.sum(axis=1), demand["weight_per_day"])
    types = demand.filter(like="weight_type_")
    assert np.allclose(types.sum(axis=1), demand["weight_per_day"])
    note = demand.attrs["demand"]
    everything = len(town) / 2 * (5 + 2) / 7  # as many stays on the Friday as on the Saturday
    shown = demand["weight_per_day"].sum() / everything
    assert shown == pytest.approx(1 - note["suppressed_share"])


def test_totals_by_daypart_stay_close_to_the_truth(town):
    demand = make_demand(town, merge_m=2000)
    hour = town["arrive"].dt.hour
    for name, (start, end) in DAYPARTS.items():
        inside = hour.between(start, end - 1) if start < end else (hour >= start) | (hour < end)
        saturday = town["arrive"].dt.day == 7
        truth = (5 * (inside & ~saturday).sum() + 2 * (inside & saturday).sum()) / 7
        assert demand[f"weight_{name}"].sum() == pytest.approx(truth, rel=0.1)


def test_the_order_of_rows_does_not_matter(town):
    shuffled = make_demand(town.sample(frac=1, random_state=5))
    pd.testing.assert_frame_equal(
        pd.DataFrame(make_demand(town)), pd.DataFrame(shuffled), check_exact=True
    )


def test_the_input_is_left_alone(town):
    before = town.copy()
    make_demand(town)
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(town))


# ── counts ────────────────────────────────────────────────────────────────────────────────────


def counts(weight, workers, x, **more):
    return gpd.GeoDataFrame(
        {"weight_per_day": weight, "workers": workers, **more},
        geometry=gpd.points_from_xy(np.array(x) + 500_000.0, [3_000_000.0] * len(x)),
        crs="EPSG:32650",
    )


def test_counts_are_summed_by_cell_and_small_ones_suppressed():
    table = counts([10.0, 30, 4, 6], [12, 20, 9, 10], [0, 10, 5, 900], weight_noon=[1.0, 2, 3, 4])
    demand = make_demand(table)
    assert demand["weight_per_day"].tolist() == [40.0, 6.0]
    assert demand["workers"].tolist() == [20, 10]
    assert demand["weight_noon"].tolist() == [3.0, 4.0]
    assert demand.geometry.x.iloc[0] == pytest.approx(500_007.5)
    note = demand.attrs["demand"]
    assert note["suppressed_cells"] == 1
    assert note["suppressed_share"] == pytest.approx(4 / 50)
    assert list(note["dayparts"]) == ["noon"]
    check_table(demand, "demand")


def test_bad_counts_are_named():
    with pytest.raises(InputError, match="no count stems from 10"):
        make_demand(counts([3.0], [9], [0]))
    with pytest.raises(InputError, match="not negative"):
        make_demand(counts([-3.0], [19], [0]))
    with pytest.raises(InputError, match="must be numbers"):
        make_demand(counts(["many"], [19], [0]))
    with pytest.raises(ColumnError, match="lacks `workers`"):
        make_demand(counts([3.0], [19], [0]).drop(columns="workers"))
    with pytest.raises(InputError, match="no rows"):
        make_demand(counts([3.0], [19], [0]).iloc[:0])


# ── bad input ─────────────────────────────────────────────────────────────────────────────────


def test_bad_stays_are_named(stays_of):
    table = stays_of(crowd(10))
    with pytest.raises(CrsError, match="must be in metres"):
        make_demand(table.to_crs(4326))
    with pytest.raises(ColumnError, match="lacks `worker_type`"):
        make_demand(table.drop(columns="worker_type"))
    with pytest.raises(InputError, match="is empty: nobody stayed"):
        make_demand(table.iloc[:0])
    with pytest.raises(InputError, match="time zone"):
        make_demand(table.assign(arrive=table["arrive"].dt.tz_localize(None)))
    with pytest.raises(InputError, match="must be points"):
        make_demand(table.set_geometry(table.buffer(3)))
    table.loc[3, "geometry"] = gpd.points_from_xy([np.nan], [0])[0]
    with pytest.raises(InputError, match="row 3 has no coordinates"):
        make_demand(table)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"cell_m": 0}, "`cell_m`"),
        ({"merge_m": -1}, "`merge_m`"),
        ({"min_workers": 4}, "`min_workers` setting must be 5 or more. Got 4"),
        ({"dayparts": {}}, "at least one daypart"),
        ({"dayparts": {"a": (6, 12), "b": (11, 13)}}, "`a` and `b` overlap"),
        ({"dayparts": {"a": (22, 5), "b": (4, 6)}}, "`a` and `b` overlap"),
        ({"dayparts": {"a": (6, 25)}}, r"must be 0\.\.24"),
        ({"dayparts": {"per_day": (6, 20)}}, "name that is taken"),
        ({"dayparts": {"weekend": (6, 20)}}, "name that is taken"),
        ({"dayparts": {"class_rest": (6, 20)}}, "name that is taken"),
        ({"registered": {"food": 0}}, "`registered` workers of type `food`"),
        ({"need": {"sleep": 1}}, "knows `handover`, `wait`, `rest`. Got `sleep`"),
        ({"need": {"rest": -1}}, "`need` of `rest` must be 0 or more. Got -1"),
        ({"need_types": {"food": float("nan")}}, "`need_types` of `food`"),
    ],
)
def test_bad_settings_are_named(stays_of, setting, message):
    with pytest.raises(SettingsError, match=message):
        make_demand(stays_of(crowd(10)), **setting)
