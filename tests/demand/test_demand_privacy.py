"""The privacy gate under attack: whoever differences publications meets k workers or nobody."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.demand import make_demand
from planner.demand.gate import Crowds, join_neighbours
from planner.demand.hexagons import cell_centre
from planner.demand.shares import BLOCK_M, THIN_SHARE, pool_blocks, share_out

places = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(0, 12), st.sets(st.integers(0, 30), min_size=1, max_size=8)
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda place: place[:2],
)


def crowds(workers, visits=None):
    """Return the crowds of places, each a list of sets of workers by category."""
    count = [[len(who) for who in place] for place in workers]
    return Crowds(
        rider=np.array([w for place in workers for who in place for w in who], dtype=np.int64),
        start=np.append(0, np.cumsum(count)),
        visits=np.array(count if visits is None else visits, dtype=float),
    )


def gate(table, enough, reach_m=250.0):
    row, col = np.array([t[0] for t in table]), np.array([t[1] for t in table])
    there = crowds([[t[2]] for t in table])
    return join_neighbours(row, col, there, enough=enough, reach_m=reach_m, cell_m=100.0)


def groups_of(table, enough):
    joined = gate(table, enough)
    anchor, weak = joined.anchor, joined.weak
    return {frozenset(np.flatnonzero(anchor == a)) for a in np.unique(anchor[~weak])}


@settings(max_examples=150)
@given(places, st.integers(2, 12))
def test_each_group_has_enough_distinct_workers(table, k):
    for group in groups_of(table, k):
        assert len(set().union(*(table[i][2] for i in group))) >= k


@settings(max_examples=150)
@given(places, st.integers(2, 12), st.integers(1, 6))
def test_a_higher_threshold_only_unites_or_drops_groups(table, k, more):
    """So the difference of two publications is made of groups that passed the lower threshold."""
    fine, coarse = groups_of(table, k), groups_of(table, k + more)
    for group in coarse:
        parts = {part for part in fine if part & group}
        assert frozenset().union(*parts) == group


@settings(max_examples=100)
@given(places, st.integers(2, 12))
def test_nobody_is_counted_far_from_where_the_group_stands(table, k):
    anchor = gate(table, k).anchor
    x, y = cell_centre(np.array([t[0] for t in table]), np.array([t[1] for t in table]), 100.0)
    assert np.hypot(x - x[anchor], y - y[anchor]).max() <= 2 * 250 + 1e-6


@settings(max_examples=100)
@given(places, st.integers(2, 12), st.randoms(use_true_random=False))
def test_the_order_of_places_does_not_matter(table, k, random):
    shuffled = list(table)
    random.shuffle(shuffled)

    def cells(rows):
        return {frozenset(rows[i][:2] for i in group) for group in groups_of(rows, k)}

    assert cells(table) == cells(shuffled)


def test_a_lone_weak_place_is_not_rescued_from_afar():
    joined = gate([(0, 0, {1, 2}), (0, 9, {3, 4, 5})], 3)
    assert joined.anchor.tolist() == [0, 1]
    assert joined.weak.tolist() == [True, False]


@pytest.mark.parametrize("k", [5, 8, 10, 20])
def test_no_row_is_under_k(town, k):
    demand = make_demand(town, min_workers=k)
    assert demand["workers"].min() >= k


def test_shifted_thresholds_reveal_no_small_group(town):
    """Every published point under a higher k is a sum of points published under a lower one."""
    publications = {k: make_demand(town, min_workers=k) for k in range(5, 16)}
    fewest = [table["workers"].min() for table in publications.values()]
    assert fewest == sorted(fewest)
    for k in range(5, 15):
        low, high = publications[k], publications[k + 1]
        key = ["cell_row", "cell_col"]
        both = low.merge(high, on=key, suffixes=("", "_high"))
        # A point that stands at the same cell in both publications differs by nothing, or by at
        # least one whole point of the lower publication: k workers or more.
        gone = low[~low.set_index(key).index.isin(high.set_index(key).index)]
        grown = (both["weight_per_day_high"] - both["weight_per_day"]).to_numpy()
        smallest = gone["weight_per_day"].min() if len(gone) else np.inf
        assert ((np.abs(grown) < 1e-9) | (grown >= smallest - 1e-9)).all()
        lost = low["weight_per_day"].sum() - high["weight_per_day"].sum()
        assert abs(lost) < 1e-9 or lost >= smallest - 1e-9


# ── dayparts and worker types ─────────────────────────────────────────────────────────────────


def people(*numbers, start=0):
    """Return so many distinct workers by category."""
    ends = start + np.cumsum(numbers)
    return [set(range(b - n, b)) for n, b in zip(numbers, ends.tolist(), strict=True)]


def shared(*places, k=10, apart=100):
    row = np.zeros(len(places), dtype=np.int64)
    col = np.arange(len(places)) * apart
    workers = np.array([len(set().union(*place)) for place in places])
    return share_out(crowds(places), workers, row, col, min_workers=k, cell_m=100.0)


def test_a_point_with_enough_in_each_category_shows_its_own():
    assert shared(people(12, 30, 10)).tolist() == [[12, 30, 10]]


def test_thin_categories_are_pooled_and_split_by_the_study():
    # Far apart: no block helps. One worker at night in the first place, sixty in the second.
    out = shared(people(1, 39), people(60, 60))
    assert out[1] == pytest.approx([60, 60])
    # 61 of 160 visits of the study are by night, but there are under ten of forty workers: taken
    # as five.
    assert out[0] == pytest.approx([5, 35])
    # 1 of 60 visits: 0.02 in whole percent is less than that.
    assert shared(people(1, 39), people(0, 20))[0] == pytest.approx([0.8, 39.2])
    # Nobody has ten: all by the study's shares, 10 : 60 : 30.
    three = shared(people(4, 5, 4), people(16, 115, 56), apart=100)
    assert three[0] == pytest.approx([13 * 0.1, 13 * 0.6, 13 * 0.3])


def test_nobody_looks_the_same_as_somebody():
    one = shared(people(1, 39), people(600, 600))
    nobody = shared(people(0, 40), people(600, 600))
    assert one.tolist() == nobody.tolist()


def test_a_category_that_nobody_has_stays_empty():
    assert shared(people(0, 12, 28), people(0, 50, 50)).tolist() == [[0, 12, 28], [0, 50, 50]]


def test_neighbours_share_a_profile_where_their_own_is_thin():
    # 6 + 6 workers by night in two points 300 m apart: together they may be shown.
    out = shared(people(6, 14), people(6, 34, start=100), apart=3)
    assert out[0] == pytest.approx([20 * 12 / 60, 20 * 48 / 60])
    assert out[1] == pytest.approx([40 * 12 / 60, 40 * 48 / 60])


def test_shares_add_up_to_the_point():
    out = shared(people(3, 4, 5), people(1, 1, 9), people(30, 2, 2), apart=4)
    assert out.sum(axis=1) == pytest.approx([12, 11, 34])


def test_differencing_dayparts_does_not_find_a_lone_visitor(stays_of):
    """One worker's visit moved from one thin daypart to another leaves the publication as it was.

    The attacker knows everything but when the lone worker came, and may add and subtract columns
    and rows at will: two towns that differ only in that give the same table, so no sum tells.
    """
    crowd = [(i, "food", "2026-03-02 12:00", 0.0, 0.0) for i in range(40)]
    busy = [
        (1000 + i, "food", f"2026-03-02 {h:02d}:00", 5000.0, 0.0)
        for h in (7, 12, 15, 18, 23)
        for i in range(100 * h, 100 * h + 80)
    ]
    tables = [
        make_demand(stays_of([*crowd, *busy, (99, "food", f"2026-03-02 {hour:02d}:30", 5.0, 0.0)]))
        for hour in (7, 15, 18, 23)
    ]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(tables[0]))
    assert tables[0]["weight_night"].iloc[0] != 1.0


def test_differencing_worker_types_does_not_find_a_lone_driver(stays_of):
    crowd = [(i, "food", "2026-03-02 12:00", 0.0, 0.0) for i in range(40)]
    busy = [
        (kind + str(i), kind, "2026-03-02 12:00", 5000.0, 0.0)
        for kind in ("food", "truck", "courier")
        for i in range(1000)
    ]
    truck, courier = (
        make_demand(stays_of([*crowd, *busy, ("x", kind, "2026-03-02 12:30", 5.0, 0.0)]))
        for kind in ("truck", "courier")
    )
    pd.testing.assert_frame_equal(pd.DataFrame(truck), pd.DataFrame(courier))
    away = truck["weight_per_day"] - truck["weight_type_food"] - truck["weight_type_courier"]
    assert away.to_numpy() == pytest.approx(truck["weight_type_truck"].to_numpy())
    assert truck["weight_type_truck"].iloc[0] not in {0.0, 1.0}


sizes = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))


def pools_of(workers, k):
    """Pool sets of workers by hand: smallest with next smallest until each has k."""
    pools = [([c], set(who)) for c, who in enumerate(workers)]
    while len(pools) > 1:
        pools.sort(key=lambda pool: (len(pool[1]), pool[0]))
        if len(pools[0][1]) >= k:
            break
        (some, who), (more, others) = pools[:2]
        pools[:2] = [(sorted(some + more), who | others)]
    return pools


@settings(max_examples=200)
@given(
    st.lists(st.sets(st.integers(0, 15), max_size=12), min_size=2, max_size=6),
    st.integers(5, 12),
    st.integers(1, 60),
)
def test_each_pool_has_enough_workers_or_is_all_there_is(workers, k, crowd):
    """The weight of a pool is exact; inside it only who is under k tells, not by how much."""
    profile = np.arange(1.0, len(workers) + 1)
    place = np.zeros(1, dtype=np.int64)
    joined = join_neighbours(place, place, crowds([workers]), enough=0, reach_m=0.0, cell_m=100.0)
    shown = pool_blocks(joined, np.array([float(crowd)]), profile, k)[0]
    total = sum(map(len, workers))
    pools = pools_of(workers, k)
    assert len(pools) == 1 or min(len(who) for _, who in pools) >= k
    for pool, _ in pools:
        weight = sum(len(workers[c]) for c in pool)
        assert shown[pool].sum() == pytest.approx(weight)
        ample = [c for c in pool if len(workers[c]) >= k]
        for c in set(pool) - set(ample):
            share = weight * profile[c] / profile[pool].sum()
            assert shown[c] == pytest.approx(min(share, k / 2 / crowd * total) if ample else share)


@settings(max_examples=60)
@given(st.lists(sizes, min_size=1, max_size=12), st.integers(5, 12))
def test_a_block_shows_its_points_totals_and_one_profile(table, k):
    """Points of one block have the same shares, and no weight is lost or made."""
    places = [people(*n, start=100 * i) for i, n in enumerate(table) if sum(n) >= k]
    if not places:
        return
    total = np.array([sum(map(len, place)) for place in places])
    out = shared(*places, k=k, apart=3)
    assert (out >= 0).all()
    assert out.sum(axis=1) == pytest.approx(total)
    row, col = np.zeros(len(places), dtype=np.int64), np.arange(len(places)) * 3
    block = join_neighbours(
        row, col, crowds(places),
        enough=k, reach_m=BLOCK_M / 2, cell_m=100.0, thin_share=THIN_SHARE,
    ).anchor  # fmt: skip
    assert out / total[:, None] == pytest.approx((out / total[:, None])[block])
