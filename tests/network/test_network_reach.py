"""Pairs, sums, waits at junctions and second stations: examples computed by hand, and laws."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InputError, SettingsError
from planner.network import (
    Places,
    StreetNetwork,
    kernel,
    nearest,
    nearest_minutes,
    nearest_two,
    reach_pairs,
    reach_sums,
    travel_within,
)
from planner.network.layout import lay_sources, lay_targets

CRS = "EPSG:32650"


def put(net, *spots, leg_m=0.0):
    """Places of (chain's two ends, share), the ends by their place along x and y."""
    corner = {(x, y): i for i, (x, y) in enumerate(zip(net.x, net.y, strict=True))}
    chain, share = [], []
    for a, b, at in spots:
        u, v = corner[a], corner[b]
        e = next(e for e in range(net.n_edges) if {int(net.tail[e]), int(net.head[e])} == {u, v})
        chain.append(e)
        share.append(at if net.tail[e] == u else 1.0 - at)
    return anywhere(net, chain, share, leg_m)


def anywhere(net, chain, share, leg_m=0.0):
    n = len(chain)
    return Places(
        np.array(chain, dtype=np.int32), np.array(share, dtype=float), np.full(n, leg_m),
        np.zeros(n), np.zeros(n), net.key,
    )  # fmt: skip


def comb(junction_s, *, oneway=None, mode="walk"):
    """A street of three blocks of 100 m with a side street at each of the two inner corners."""
    return StreetNetwork.from_arrays(
        [0, 100, 200, 300, 100, 200], [0, 0, 0, 0, 100, 100],
        [0, 1, 2, 1, 2], [1, 2, 3, 4, 5], [100.0] * 5,
        crs=CRS, mode=mode, speed_kmh=3.6, junction_s=junction_s, oneway=oneway,
        name=["a", "b", "c", "d", "e"],
    )  # fmt: skip


WEST, ONE, TWO, EAST = (0.0, 0.0), (100.0, 0.0), (200.0, 0.0), (300.0, 0.0)
UP, RIGHT = (100.0, 100.0), (200.0, 100.0)


@pytest.mark.parametrize(
    ("start", "end", "metres", "waits"),
    [
        ((WEST, ONE, 0.5), (TWO, EAST, 0.5), 200, 2),  # passes both corners
        ((WEST, ONE, 0.5), (ONE, UP, 0.5), 100, 1),
        ((WEST, ONE, 0.2), (WEST, ONE, 0.7), 50, 0),  # stays on its chain
        ((WEST, ONE, 0.5), (WEST, ONE, 1.0), 50, 0),  # ends at the corner
        ((WEST, ONE, 1.0), (WEST, ONE, 0.5), 50, 1),  # sets out from it
        ((WEST, ONE, 1.0), (TWO, RIGHT, 0.0), 100, 1),  # from corner to corner
        ((WEST, ONE, 1.0), (ONE, UP, 0.0), 0, 0),  # the same corner
        ((WEST, ONE, 0.0), (TWO, EAST, 1.0), 300, 2),  # dead ends have no wait
        ((ONE, TWO, 0.5), (ONE, TWO, 0.5), 0, 0),
    ],
)
def test_every_junction_passed_is_waited_at_once(start, end, metres, waits):
    for junction_s in (0.0, 7.5):
        net = comb(junction_s)
        one, other = put(net, start), put(net, end)
        crowd = put(net, *[end] * 3)
        want = metres + waits * junction_s
        for a, b in ((one, other), (one, crowd)):  # searched from one side, and from the other
            assert travel_within(net, a, b, 20).toarray() * 60 == pytest.approx(want)
        minutes, _ = nearest_minutes(net, one, other, max_min=20)
        assert minutes * 60 == pytest.approx(want)
        for inbound, places in ((True, (other, one)), (False, (one, other))):
            pairs = reach_pairs(net, *places, 20, inbound=inbound)
            assert pairs.times * 0.1 == pytest.approx(want)
            exact = want / 60 if want else 1e-3
            assert reach_sums(net, *places, exact, [2.0], inbound=inbound) == 2.0
            if want:  # a millisecond short
                less = (want - 1e-3) / 60
                assert reach_sums(net, *places, less, [2.0], inbound=inbound) == 0.0
                assert not len(reach_pairs(net, *places, less, inbound=inbound).ids)


def test_waits_count_where_three_streets_meet_whatever_is_open():
    net = comb(10.0, oneway=[True] * 5, mode="drive")
    assert net.outbound.waits[:, 0].tolist().count(10_000) == 2
    there = travel_within(net, put(net, (WEST, ONE, 0.5)), put(net, (TWO, EAST, 0.5)), 20)
    assert there.toarray() * 60 == pytest.approx(220)
    back = travel_within(net, put(net, (TWO, EAST, 0.5)), put(net, (WEST, ONE, 0.5)), 20)
    assert back.nnz == 0


@pytest.mark.parametrize("junction_s", [-1.0, np.nan, np.inf, 601.0])
def test_waits_out_of_range_are_refused(junction_s):
    with pytest.raises(SettingsError, match="junction_s"):
        comb(junction_s)


def test_walkers_keep_their_waits_and_vehicles_do_not_hand_them_on():
    assert comb(5.0).on_foot(5.0).junction_s == 5.0
    assert comb(5.0, mode="drive").on_foot().junction_s == 0.0


def test_a_place_at_the_end_of_a_one_way_is_the_junction():
    """From there one goes any way, and gets there by any."""
    net = comb(0.0, oneway=[False, True, False, False, False], mode="drive")
    at_one, at_two = put(net, (ONE, TWO, 0.0)), put(net, (ONE, TWO, 1.0))
    west, right = put(net, (WEST, ONE, 0.5)), put(net, (TWO, RIGHT, 0.5))
    assert travel_within(net, west, at_one, 9).toarray() * 60 == pytest.approx(50)
    assert travel_within(net, at_one, west, 9).toarray() * 60 == pytest.approx(50)
    assert travel_within(net, at_two, right, 9).toarray() * 60 == pytest.approx(50)
    assert travel_within(net, at_one, at_two, 9).toarray() * 60 == pytest.approx(100)
    assert travel_within(net, at_two, at_one, 9).nnz == 0


def test_places_of_a_one_way_are_ordered_by_position_not_by_time():
    """Half a millimetre behind is no milliseconds away, and yet out of reach."""
    net = comb(0.0, oneway=[False, True, False, False, False], mode="drive")
    spots = put(net, (ONE, TWO, 0.5), (ONE, TWO, 0.5 - 1e-9), (ONE, TWO, 0.5), (ONE, TWO, 0.9))
    times = travel_within(net, spots, spots, 9)
    reached = [times.indices[i:j].tolist() for i, j in pairwise(times.indptr)]
    assert reached == [[0, 2, 3], [0, 1, 2, 3], [0, 2, 3], [3]]
    assert times[0, 2] == times[1, 0] == 0.0


def test_a_source_on_a_chain_without_targets_misses_nobody_of_the_next():
    """An empty chain starts, among the places, where the next one does."""
    net = comb(0.0)
    for e in range(net.n_edges):
        people = anywhere(net, [k for k in range(net.n_edges) if k != e], [0.4] * 4)
        pairs = reach_pairs(net, anywhere(net, [e], [0.6]), people, 60)
        assert sorted(pairs.ids) == [0, 1, 2, 3]


def test_long_limits_have_longer_ticks():
    net = StreetNetwork.from_arrays([0, 40_000], [0, 0], [0], [1], [400_000.0], crs=CRS)
    people = anywhere(net, [0] * 50, np.linspace(0, 1, 50))
    site = anywhere(net, [0], [0.0])
    for limit in (109.0, 110.0, 6_000.0):
        pairs = reach_pairs(net, site, people, limit)
        exact = travel_within(net, people, site, limit)
        assert pairs.tick_ms % 100 == 0
        assert pairs.tick_ms == (
            100 if limit == 109.0 else -(-int(limit * 60_000) // 65_535 // 100) * 100
        )
        order = np.argsort(pairs.ids)
        np.testing.assert_array_equal(pairs.ids[order], exact.tocoo().row)
        ticks = np.rint(exact.data * 60_000) / pairs.tick_ms
        assert np.abs(pairs.times[order] - ticks).max() <= 0.5
        assert pairs.ids.dtype == np.uint32
        assert pairs.times.dtype == np.uint16


def test_rows_of_any_length_fit():
    """Many people at few sites: the first blocks tell little of what is to come."""
    net = StreetNetwork.from_arrays(
        [0, 100, 90_000, 90_100], [0, 0, 0, 0], [0, 2], [1, 3], [100.0, 100.0], crs=CRS
    )
    people = anywhere(net, [0, *[1] * 2_000], [0.5, *np.linspace(0, 1, 2_000)])
    sites = anywhere(net, [0] * 200 + [1] * 300, [0.5] * 500)
    for threads in (1, 3):
        pairs = reach_pairs(net, sites, people, 5, threads=threads)
        assert np.diff(pairs.indptr).tolist() == [1] * 200 + [2_000] * 300
        assert (pairs.ids[:200] == 0).all()
        assert len(pairs.ids) == len(pairs.times) == pairs.indptr[-1]
        assert (np.sort(pairs.ids[200:].reshape(300, -1), axis=1) == np.arange(1, 2_001)).all()


def grid_city(seed, junction_s=0.0):
    rng = np.random.default_rng(seed)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(12) * 100.0, np.arange(12) * 100.0))
    k = np.arange(144).reshape(12, 12)
    tail = np.concatenate([k[:, :-1].ravel(), k[:-1].ravel()])
    head = np.concatenate([k[:, 1:].ravel(), k[1:].ravel()])
    kept = rng.random(len(tail)) < 0.9
    net = StreetNetwork.from_arrays(
        x, y, tail[kept], head[kept], rng.uniform(60, 200, kept.sum()), crs=CRS, mode="drive",
        speed_kmh=6.0, oneway=rng.random(kept.sum()) < 0.2, junction_s=junction_s,
    )  # fmt: skip
    return rng, net


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_shuffled_rows_change_nothing(seed):
    rng, net = grid_city(seed, junction_s=4.0)
    chain, share = rng.integers(0, net.n_edges, 90), rng.choice([0.0, 0.3, 0.5, 0.77, 1.0], 90)
    weight = rng.uniform(0, 9, 90) * 10.0 ** rng.integers(-6, 6, 90)
    people, sites = anywhere(net, chain, share, 20.0), anywhere(net, chain[:12], share[:12], 9.0)
    mixed, swapped = rng.permutation(90), rng.permutation(12)
    pairs = reach_pairs(net, sites, people, 6)
    other = reach_pairs(net, sites.take(swapped), people.take(mixed), 6)
    for j in range(12):
        one = slice(*pairs.indptr[swapped[j] : swapped[j] + 2])
        two = slice(*other.indptr[j : j + 2])
        told = dict(zip(mixed[other.ids[two]], other.times[two], strict=True))
        assert told == dict(zip(pairs.ids[one], pairs.times[one], strict=True))
    sums = reach_sums(net, sites, people, 6, weight)
    again = reach_sums(net, sites.take(swapped), people.take(mixed), 6, weight[mixed], threads=3)
    np.testing.assert_array_equal(again, sums[swapped])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_queue_that_fills_up_is_made_anew(seed):
    """As short a queue as can be gives the labels of a long one."""
    rng, net = grid_city(seed)
    sites = anywhere(net, rng.integers(0, net.n_edges, 30), rng.random(30))
    layout = lay_targets(net, sites, inbound=True)
    row, starts, _ = lay_sources(net, sites, layout, inbound=True)
    found = []
    for room in (None, net.n_nodes + 8, 2 * net.n_nodes + 8):
        work = kernel.make_workspace(net.inbound, 3_600_000, kernel.FAR)
        work = work._replace(entries=work.entries[:room], labels=work.labels[:room])
        two = np.full((net.n_nodes, 2), kernel.FAR)
        if room != net.n_nodes + 8:  # two labels a junction need more
            nearest.spread_two(net.inbound, starts, row, work, 3_600_000, two)
            work = kernel.empty_workspace(work, 3_600_000, kernel.FAR)
        kernel.spread(net.inbound, starts, row, work, 3_600_000)
        found.append((work.best.copy(), two))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][0], found[2][0])
    np.testing.assert_array_equal(found[0][1], found[2][1])
    np.testing.assert_array_equal(found[0][1][:, 0], found[0][0])


def test_the_backup_is_another_station_and_ties_go_to_the_lower_row():
    net = comb(0.0)
    people = put(net, (WEST, ONE, 0.0), (TWO, EAST, 1.0), (ONE, TWO, 0.5))
    west, east, middle = (WEST, ONE, 0.5), (TWO, EAST, 0.5), (ONE, TWO, 0.5)
    minutes, position = nearest_two(net, people, put(net, middle, west, west, east), max_min=9)
    assert position.tolist() == [[1, 2], [3, 0], [0, 1]]
    assert minutes * 60 == pytest.approx(np.array([[50, 50], [50, 150], [0, 100]]))
    minutes, position = nearest_two(net, people, put(net, west), max_min=9)
    assert position.tolist() == [[0, -1]] * 3
    assert np.isinf(minutes[:, 1]).all()


def test_nobody_and_nowhere_are_empty_answers():
    net = comb(0.0)
    people, none = put(net, (WEST, ONE, 0.5)), anywhere(net, [], [])
    lost = anywhere(net, [-1, -1], [0.0, 0.0], np.inf)
    for sites, found in (
        (none, none),
        (none, people),
        (lost, people),
        (people, none),
        (people, lost),
    ):
        pairs = reach_pairs(net, sites, found, 5)
        assert pairs.indptr.tolist() == [0] * (len(sites) + 1)
        assert len(pairs.ids) == len(pairs.times) == 0
        assert reach_sums(net, sites, found, 5, np.ones(len(found))).tolist() == [0.0] * len(sites)
        minutes, position = nearest_two(net, found, sites, max_min=5)
        assert np.isinf(minutes).all()
        assert (position == -1).all()


@pytest.mark.parametrize("weight", [[1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_weights_that_do_not_fit_are_refused(weight):
    net = comb(0.0)
    people = put(net, (WEST, ONE, 0.5), (TWO, EAST, 0.5))
    with pytest.raises(InputError, match="2 finite numbers"):
        reach_sums(net, people, people, 5, np.array(weight))
