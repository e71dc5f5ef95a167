"""Whoever subtracts publications from each other meets k workers or nobody."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.demand import make_demand
from planner.demand.gate import join_neighbours
from planner.demand.shares import BLOCK_M, THIN_SHARE
from planner.demand.visits import read_visits
from planner.demand.weighing import weigh
from planner.errors import InputError
from planner.settings import DAYPARTS, STAY_CLASSES

K = 10
REGISTER = {"food": 9000, "courier": 800, "truck": 60}
NEED = {"rest": 3.0, "wait": 0.5, "handover": 0.0}

FAMILIES = {
    "part": [f"weight_{name}" for name in DAYPARTS],
    "kind": ["weight_type_courier", "weight_type_food", "weight_type_truck"],
    "duration": [f"weight_class_{name}" for name in STAY_CLASSES],
    "weekend": ["weight_workday", "weight_weekend"],
}


@pytest.fixture(scope="module")
def mixed(town):
    """The town with stays of all lengths, rests at some places more than at others."""
    rng = np.random.default_rng(3)
    rest = (town.geometry.x // 400 + town.geometry.y // 400) % 3 == 0
    long = rng.random(len(town)) < np.where(rest, 0.7, 0.05)
    short = rng.choice([3.0, 8.0], len(town), p=[0.3, 0.7])
    return town.assign(stay_min=np.where(long, 45.0, short))


def points_of(visits, k, merge_m=400.0):
    """Return the position of each cell's point, -1 if suppressed, and the points' cells."""
    n = len(visits.cells)
    groups = join_neighbours(
        *visits.cells.T, visits.crowds(np.arange(n), n, "", 1),
        enough=k, reach_m=merge_m, cell_m=100.0,
    )  # fmt: skip
    stands = np.unique(groups.anchor[~groups.weak])
    return np.where(groups.weak, -1, np.searchsorted(stands, groups.anchor)), visits.cells[stands]


# ── one publication ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("k", [5, 10, 20])
def test_what_columns_and_rows_are_made_of_has_k_workers(mixed, family, k):
    """Recompute a family from sums that are disjoint, each of k distinct workers, and public ones.

    So whatever is added or subtracted is a sum over k workers again, or nothing.
    """
    demand = make_demand(mixed, min_workers=k)
    visits, columns = read_visits(mixed, DAYPARTS, cell_m=100.0), FAMILIES[family]
    point, cells = points_of(visits, k)
    assert demand[["cell_row", "cell_col"]].to_numpy().tolist() == cells.tolist()
    block = join_neighbours(
        *cells.T, visits.crowds(point, len(cells), family, len(columns)),
        enough=k, reach_m=BLOCK_M / 2, cell_m=100.0, thin_share=THIN_SHARE,
    ).anchor  # fmt: skip
    scale = [7 / 5, 7 / 2] if family == "weekend" else 1.0
    shown = demand[columns].to_numpy() / scale
    study = true_weights(visits, point >= 0, family, len(columns))
    profile = np.where(study > 0, np.maximum(np.round(study / study.sum(), 2), 0.005), 0.0)
    for where in np.unique(block):
        inside = np.isin(point, np.flatnonzero(block == where))
        weight = true_weights(visits, inside, family, len(columns))
        entries = visits.entries
        workers = [
            set(entries.rider[inside[entries.cell] & (getattr(entries, family) == c)].tolist())
            for c in range(len(columns))
        ]
        crowd = demand["workers"].to_numpy()[block == where].sum()
        told = np.zeros(len(columns))
        pools = pools_of(workers, np.flatnonzero(profile), k)
        assert len(pools) == 1 or min(len(who) for _, who in pools) >= k
        for pool, who in pools:
            assert len(who) >= k
            total = weight[pool].sum()  # all that is read, of k workers
            told[pool] = total * profile[pool] / profile[pool].sum()
            ample = [c for c in pool if len(workers[c]) >= k]
            thin = [c for c in pool if c not in ample]
            if ample:
                most = k / 2 / crowd * weight.sum()
                told[thin] = np.minimum(told[thin], most)
                told[ample] = total - told[thin].sum()
        rows = shown[block == where]
        assert rows.sum(axis=0) == pytest.approx(told)
        assert rows / rows.sum(axis=1, keepdims=True) == pytest.approx(
            np.tile(told / told.sum(), (len(rows), 1))
        )


def true_weights(visits, cells, family, categories):
    e = visits.entries
    weight = (e.stays * visits.per_day[e.weekend])[cells[e.cell]]
    return np.bincount(getattr(e, family)[cells[e.cell]], weights=weight, minlength=categories)


def pools_of(workers, categories, k):
    """Pool sets of workers: smallest with next smallest until each has k."""
    pools = [([int(c)], set(workers[c])) for c in categories]
    while len(pools) > 1:
        pools.sort(key=lambda pool: (len(pool[1]), pool[0]))
        if len(pools[0][1]) >= k:
            break
        (some, who), (more, others) = pools[:2]
        pools[:2] = [(sorted(some + more), who | others)]
    return pools


@pytest.mark.parametrize("family", ["part", "kind", "duration", "weekend"])
def test_a_lone_visit_moved_between_thin_categories_changes_nothing(stays_of, family):
    """The attacker knows all but one visit's time, type, length and day, and cannot tell them."""
    noon, kinds = "2026-03-06 12:00", ("food", "courier", "truck")
    here = [(i, "food", noon, 0.0, 0.0) for i in range(60)]
    away = [
        (1000 * n + i, kind, f"{day} {hour:02d}:00", 5000.0, 0.0)
        for n, (kind, day, hour) in enumerate(
            itertools.product(kinds, ("2026-03-06", "2026-03-07"), (7, 12, 15, 18, 23))
        )
        for i in range(20)
    ]
    choices = {
        "part": [("food", f"2026-03-06 {hour:02d}:30", 8.0) for hour in (7, 15, 18, 23)],
        "kind": [(kind, noon, 8.0) for kind in ("courier", "truck")],
        "duration": [("food", noon, minutes) for minutes in (3.0, 45.0)],
        "weekend": [("food", "2026-03-07 12:00", 8.0)],
    }[family]
    lengths = [8.0] * 60 + [3.0, 8.0, 45.0] * 200
    tables = []
    for kind, time, minutes in choices:
        stays = stays_of([*here, *away, (99_999, kind, time, 5.0, 0.0)])
        stays = stays.assign(stay_min=[*lengths, minutes])
        register = REGISTER if family != "kind" else {}  # else all couriers count one more
        tables.append(make_demand(stays, registered=register, need=NEED))
    for table in tables[1:]:
        columns = FAMILIES[family]
        pd.testing.assert_frame_equal(
            pd.DataFrame(table[columns].iloc[:1]), pd.DataFrame(tables[0][columns].iloc[:1])
        )
    assert tables[0]["workers"].iloc[0] == 61


# ── two publications ──────────────────────────────────────────────────────────────────────────


def test_expansion_and_need_say_nothing_that_was_not_said_before(mixed):
    """With and without them: one table follows from the other and the multipliers told."""
    plain = make_demand(mixed)
    known = {c: plain[c].to_numpy() for c in plain.columns if c != "geometry"}
    register, need, types = REGISTER, NEED, {"courier": 0.2}
    weighed = make_demand(mixed, registered=register, need=need, need_types=types)
    note = weighed.attrs["demand"]
    told = {kind: note["expansion"][kind]["factor"] for kind in note["expansion"]}
    told["courier"] = told.get("courier", 1.0) * 0.2
    guessed = weigh(known, by_type=told, by_class=note["need"])
    for column, values in guessed.items():
        assert weighed[column].to_numpy() == pytest.approx(values), column
    assert weighed.geometry.geom_equals(plain.geometry).all()
    assert weighed["workers"].tolist() == plain["workers"].tolist()


def test_numbers_of_workers_by_type_are_of_k_or_more(mixed):
    for k in (5, 10, 20, 40, 70):
        try:
            note = make_demand(mixed, min_workers=k, registered=REGISTER).attrs["demand"]
        except InputError:
            continue
        for told in note["expansion"].values():
            assert told["seen"] >= k
            assert told["factor"] == pytest.approx(max(1.0, told["registered"] / told["seen"]))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(5, 12), st.integers(1, 8))
def test_totals_under_two_limits_differ_by_groups_of_k(stays_of, seed, k, more):
    """Each point under the higher limit is a union of points under the lower one."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 1500, (12, 2))
    riders = rng.integers(0, 90, 300)
    spots = rng.choice(12, 300, p=rng.dirichlet(np.full(12, 0.4)))
    stays = stays_of(
        [(r, "food", "2026-03-06 12:00", *at[p]) for r, p in zip(riders, spots, strict=True)]
    )
    visits = read_visits(stays, DAYPARTS, cell_m=100.0)
    low, high = points_of(visits, k)[0], points_of(visits, k + more)[0]
    assert (low[high >= 0] >= 0).all()  # nothing comes back that was suppressed
    for point in np.unique(low[low >= 0]):
        assert len(np.unique(high[low == point])) == 1  # nothing is torn apart
        inside = visits.entries.rider[np.isin(visits.entries.cell, np.flatnonzero(low == point))]
        assert len(np.unique(inside)) >= k


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)), min_size=1, max_size=25),
    st.integers(5, 15),
    st.integers(1, 10),
)
def test_counts_under_two_limits_differ_by_rows_of_k(table, k, more):
    """What a higher limit takes away from a cell are whole rows that passed the lower one."""
    workers, place = (np.array(column) for column in zip(*table, strict=True))
    weight = 2.0 ** np.arange(len(table))  # any sum tells its rows
    counts = gpd.GeoDataFrame(
        {"weight_per_day": weight, "workers": workers},
        geometry=gpd.points_from_xy(5e5 + 1000.0 * place, [3e6] * len(place)),
        crs="EPSG:32650",
    )

    def published(limit):
        try:
            demand = make_demand(counts, min_workers=limit)
        except InputError:
            return {}
        assert demand["workers"].min() >= limit
        return dict(zip(demand["cell_col"], demand["weight_per_day"], strict=True))

    low, high = published(k), published(k + more)
    assert set(high) <= set(low)
    for cell, total in low.items():
        gone = int(total - high.get(cell, 0.0))
        rows = [i for i in range(len(table)) if gone >> i & 1]
        assert all(workers[i] >= k for i in rows)


def test_two_reaches_can_be_subtracted_and_the_setting_says_so(stays_of):
    """What no suppression can prevent: a cell joined under one reach only is their difference."""
    rows = [(i, "food", "2026-03-06 12:00", 0.0, 0.0) for i in range(12)]
    rows += [(99, "food", "2026-03-06 12:00", 500.0, 0.0)]
    near, far = (make_demand(stays_of(rows), merge_m=m)["weight_per_day"] for m in (400, 600))
    assert far.tolist() == [13.0]
    assert near.tolist() == [12.0]
    from planner.settings import DemandSettings

    assert "publish one value only" in DemandSettings.model_fields["merge_m"].description
    assert "publish one" in make_demand.__doc__


# ── persons ───────────────────────────────────────────────────────────────────────────────────


def test_no_rider_is_in_what_is_published(mixed):
    names = {rider: f"secret{int(rider):05d}" for rider in mixed["rider_id"].unique()}
    demand = make_demand(
        mixed.assign(rider_id=mixed["rider_id"].map(names)), registered=REGISTER, need=NEED
    )
    text = demand.to_csv() + repr(demand.attrs) + demand.to_json()
    assert "secret" not in text
    assert len(demand) > 10


def test_few_lost_workers_are_told_in_whole_percent(stays_of):
    rows = [(i, "food", "2026-03-06 12:00", 0.0, 0.0) for i in range(400)]
    lone = [(999, "food", "2026-03-06 12:00", 5000.0, 0.0)]
    shares = [
        make_demand(stays_of(rows + lone * n)).attrs["demand"]["suppressed_share"]
        for n in (1, 2, 3)
    ]
    assert shares == [0.01] * 3
