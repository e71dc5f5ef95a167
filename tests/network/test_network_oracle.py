"""Travel times against scipy's Dijkstra, which knows neither chains nor buckets nor places.

The graph it walks is made here: every straight piece of street is split at each place on it, and
every junction is doubled, so that whoever passes it goes from the one to the other and waits.
"""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from planner.network import (
    Places,
    StreetNetwork,
    load_streets,
    nearest_minutes,
    nearest_two,
    reach_pairs,
    reach_sums,
    travel_within,
)

CRS = "EPSG:32650"
QUANTUM_MS = 100.0
TINY_MS = 1e-6  # scipy's graphs have no edge of no length


class Streets(NamedTuple):
    """Straight pieces from vertex `a` to `b`, milliseconds each way (infinite: closed)."""

    a: np.ndarray
    b: np.ndarray
    ahead: np.ndarray
    back: np.ndarray
    delay: np.ndarray  # of each vertex
    vertex_of: np.ndarray  # of each vertex of the network's shapes
    piece_of: np.ndarray  # number << 1 | turned of each piece of the network's shapes


def delays(a, b, n, delay_s):
    meeting = np.bincount(a, minlength=n) + np.bincount(b, minlength=n)
    return np.where(meeting >= 3, delay_s * 1000.0, 0.0)


def times(cost, share):
    """Cost of a share of a closed street is infinite too, also of none."""
    return np.where(np.isfinite(cost), np.where(np.isfinite(cost), cost, 0.0) * share, np.inf)


def make_graph(streets, piece, share, corner):
    """Vertex v is entered at v and left from n + v; place i is 2n + i.

    Place i stands on `piece` at `share`, or is the vertex `corner` where that is not -1.
    """
    n, arcs = len(streets.delay), []

    def link(a, b, cost):
        arcs.append(tuple(np.broadcast_arrays(a, b, cost)))

    v = np.arange(n)
    link(v, n + v, streets.delay)
    at = 2 * n + np.arange(len(piece))
    stands = corner >= 0
    link(at[stands], corner[stands], 0.0)
    link(corner[stands], at[stands], 0.0)
    free = np.ones(len(streets.a), dtype=bool)
    free[piece[~stands]] = False
    link(n + streets.a[free], streets.b[free], streets.ahead[free])
    link(n + streets.b[free], streets.a[free], streets.back[free])
    order = np.flatnonzero(~stands)
    order = order[np.lexsort((share[order], piece[order]))]
    p, s, here = piece[order], share[order], at[order]
    first = np.concatenate([[True], p[1:] != p[:-1]])[: len(p)]
    last = np.concatenate([p[1:] != p[:-1], [True]])[-len(p) :]
    prior = np.concatenate([[0.0], s[:-1]])[: len(p)]
    gap = s - np.where(first, 0.0, prior)
    before = np.concatenate([[0], here[:-1]])[: len(p)]
    same = ~first & (gap == 0.0)  # one and the same place, whichever way the street is open
    ahead, back = (
        np.where(same, 0.0, times(cost[p], gap)) for cost in (streets.ahead, streets.back)
    )
    link(np.where(first, n + streets.a[p], before), here, ahead)
    link(here, np.where(first, streets.a[p], before), back)
    p, rest, here = p[last], 1.0 - s[last], here[last]
    link(here, streets.b[p], times(streets.ahead[p], rest))
    link(n + streets.b[p], here, times(streets.back[p], rest))
    row, col, cost = (np.concatenate(part) for part in zip(*arcs, strict=True))
    is_open = np.isfinite(cost)
    row, col, cost = row[is_open], col[is_open], np.maximum(cost[is_open], TINY_MS)
    order = np.lexsort((cost, col, row))  # of parallels the quickest; scipy would add them up
    row, col, cost = row[order], col[order], cost[order]
    one = np.concatenate([[True], (row[1:] != row[:-1]) | (col[1:] != col[:-1])])
    size = 2 * n + len(piece)
    return csr_array((cost[one], (row[one], col[one])), shape=(size, size))


def make_places(net, chain, share, access_m):
    return Places(
        chain=chain.astype(np.int32), share=share, access_m=access_m,
        x=np.zeros(len(chain)), y=np.zeros(len(chain)), key=net.key,
    )  # fmt: skip


def draw_places(rng, net, n, *, at_ends, max_leg_m):
    """Places anywhere on chains: inside, in a row at the same place, and right at the ends."""
    chain = rng.integers(0, net.n_edges, n)
    share = rng.choice([0.25, 0.5, 0.75, -1.0, -1.0], n)
    share = np.where(share < 0, rng.uniform(1e-6, 1 - 1e-6, n), share)
    share = np.where(rng.random(n) < at_ends, rng.integers(0, 2, n), share)
    chain = np.where(rng.random(n) < 0.02, -1, chain)  # nowhere near a street
    return make_places(net, chain, share.astype(float), rng.uniform(0, max_leg_m, n))


def pieces_of(net):
    """First vertex of every piece of every chain."""
    return np.setdiff1d(np.arange(len(net.vertex_x)), net.vertex_ptr[1:] - 1)


def find_pieces(net, places):
    """Number among `pieces_of`, and share of that piece; a chain of no length is shared evenly."""
    piece, share = np.zeros(len(places), dtype=np.int64), np.zeros(len(places))
    for i in np.flatnonzero(places.snapped):
        e = places.chain[i]
        low, high = net.vertex_ptr[e], net.vertex_ptr[e + 1]
        metres = net.vertex_m[low:high]
        if metres[-1] <= 0:
            metres = np.linspace(0.0, 1.0, high - low)
        here = places.share[i] * metres[-1]
        k = min(max(int(np.searchsorted(metres, here, side="right")) - 1, 0), high - low - 2)
        step = metres[k + 1] - metres[k]
        piece[i] = low - e + k
        share[i] = (here - metres[k]) / step if step > 0 else 0.0
    return piece, np.clip(share, 0.0, 1.0)


def find_corners(net, places, vertex_of):
    """The vertex of places right at the end of a chain, else -1."""
    chain = np.maximum(places.chain, 0)
    low, high = net.vertex_ptr[chain], net.vertex_ptr[chain + 1] - 1
    corner = np.where(places.share <= 0, vertex_of[low], vertex_of[high])
    return np.where((places.share <= 0) | (places.share >= 1), corner, -1)


def all_milliseconds(net, streets, people, sites, horizon_ms):
    """Both ways between all: people → sites and sites → people, access legs included."""
    both = make_places(
        net,
        *(
            np.concatenate([getattr(people, name), getattr(sites, name)])
            for name in ("chain", "share", "access_m")
        ),
    )
    piece, share = find_pieces(net, both)
    piece, turned = streets.piece_of[piece] >> 1, streets.piece_of[piece] & 1
    share = np.where(turned == 1, 1.0 - share, share)
    graph = make_graph(streets, piece, share, find_corners(net, both, streets.vertex_of))
    first = 2 * len(streets.delay)
    at_people = first + np.arange(len(people))
    at_sites = first + len(people) + np.arange(len(sites))
    leg = np.where(both.snapped, both.access_m, np.inf) * 3600.0 / net.walk_kmh
    legs = leg[: len(people)] + leg[len(people) :, None]
    out = dijkstra(graph, indices=at_sites, limit=horizon_ms)[:, at_people] + legs
    inn = dijkstra(graph.T.tocsr(), indices=at_sites, limit=horizon_ms)[:, at_people] + legs
    return inn, out


def dense(pairs, n_people):
    """Milliseconds of pairs, infinite where there is none; nobody may stand twice in a row."""
    out = np.full((len(pairs.indptr) - 1, n_people), np.inf)
    row = np.repeat(np.arange(len(out)), np.diff(pairs.indptr))
    assert len(np.unique(row * n_people + pairs.ids)) == len(row)
    out[row, pairs.ids] = pairs.times.astype(float) * pairs.tick_ms
    return out


def check_pairs(got, want, limit_ms, slack_ms=QUANTUM_MS):
    inside = np.isfinite(got)
    assert (want[inside] <= limit_ms + slack_ms).all()
    assert (want[~inside] > limit_ms - slack_ms).all()
    assert np.abs(got[inside] - want[inside]).max(initial=0.0) <= slack_ms


def check_all(net, people, sites, limit_min, want):
    """Pairs equal scipy's; sums, single times and nearest ones equal the pairs, to the bit."""
    limit_ms = limit_min * 60_000
    weight = np.random.default_rng(5).uniform(0, 3, len(people))
    for inbound, expected in zip((True, False), want, strict=True):
        pairs = reach_pairs(net, sites, people, limit_min, inbound=inbound, threads=1)
        got = dense(pairs, len(people))
        check_pairs(got, expected, limit_ms)
        many = reach_pairs(net, sites, people, limit_min, inbound=inbound, threads=3)
        for one, other in zip(pairs[:3], many[:3], strict=True):
            np.testing.assert_array_equal(one, other)
        sums = reach_sums(net, sites, people, limit_min, weight, inbound=inbound, threads=2)
        assert sums == pytest.approx(np.isfinite(got) @ weight, rel=1e-12, abs=1e-12)
    forth, back = travel_within(net, people, sites, limit_min), got
    times = np.full((len(people), len(sites)), np.inf)
    row = np.repeat(np.arange(len(people)), np.diff(forth.indptr))
    times[row, forth.indices] = np.rint(forth.data * 60_000)
    pairs = dense(reach_pairs(net, sites, people, limit_min), len(people)).T
    np.testing.assert_array_equal(np.isfinite(times), np.isfinite(pairs))
    inside = np.isfinite(times)
    np.testing.assert_array_equal((times[inside] + 50) // 100 * 100, pairs[inside])
    away = travel_within(net, sites, people, limit_min)
    row = np.repeat(np.arange(len(sites)), np.diff(away.indptr))
    assert (np.isfinite(back).sum(axis=1) == np.diff(away.indptr)).all()
    assert np.isfinite(back[row, away.indices]).all()
    order = np.argsort(times, axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(times, order, axis=1)
    place = np.where(np.isfinite(best), order, -1)
    one = nearest_minutes(net, people, sites, max_min=limit_min)
    two = nearest_two(net, people, sites, max_min=limit_min)
    np.testing.assert_array_equal(one[1], place[:, 0])
    np.testing.assert_array_equal(two[1][:, : best.shape[1]], place)
    np.testing.assert_array_equal(one[0], best[:, 0] / 60_000)
    np.testing.assert_array_equal(two[0][:, : best.shape[1]], best / 60_000)


def nasty_city(rng):
    """Parallels, loops, bends, one-ways, dead ends, several parts, streets of no length."""
    n = int(rng.integers(2, 50))
    ends = [tuple(pair) for pair in rng.integers(0, n, (int(rng.integers(1, 2 * n)), 2))]
    if rng.random() < 0.6:
        ends += [(i, i + 1) for i in range(int(rng.integers(1, n)))]
    known, a, b, top = set(), [], [], n
    for u, v in ends:
        bends = int(rng.integers(0, 3))
        if u == v or (min(u, v), max(u, v)) in known:
            bends = 2  # a loop, or a street beside another
        if not bends:
            known.add((min(u, v), max(u, v)))
        stops = [u, *range(top, top + bends), v]
        top += bends
        a += stops[:-1]
        b += stops[1:]
    x, y = rng.uniform(0, 2000, (2, top))
    length = rng.uniform(0, 400, len(a)) * (rng.random(len(a)) > rng.choice([0.0, 0.2]))
    oneway = rng.random(len(a)) < rng.choice([0.0, 0.3, 0.8])
    return x, y, np.array(a), np.array(b), length, oneway, rng.choice([8.0, 15.0, 30.0], len(a))


@given(seed=st.integers(0, 10**9))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_random_streets_equal_scipy(seed):
    rng = np.random.default_rng(seed)
    x, y, a, b, length, oneway, kmh = nasty_city(rng)
    delay_s = float(rng.choice([0.0, 0.0, 7.0, 40.0]))
    net = StreetNetwork.from_arrays(
        x, y, a, b, length, crs=CRS, mode="drive", speed_kmh=kmh, oneway=oneway, junction_s=delay_s
    )
    number = {pair: i for i, pair in enumerate(zip(x, y, strict=True))}
    vertex_of = np.array([number[p] for p in zip(net.vertex_x, net.vertex_y, strict=True)])
    edge = {pair: e << 1 for e, pair in enumerate(zip(a.tolist(), b.tolist(), strict=True))}
    edge |= {pair[::-1]: e | 1 for pair, e in edge.items()}
    piece_of = np.array([edge[vertex_of[k], vertex_of[k + 1]] for k in pieces_of(net)])
    cost = length * 3600.0 / kmh
    back = np.where(oneway, np.inf, cost)
    streets = Streets(a, b, cost, back, delays(a, b, len(x), delay_s), vertex_of, piece_of)
    leg_m = float(rng.choice([0.0, 60.0]))
    ends = float(rng.choice([0.0, 0.3]))
    people = draw_places(rng, net, 40, at_ends=ends, max_leg_m=leg_m)
    sites = draw_places(rng, net, int(rng.integers(1, 9)), at_ends=ends, max_leg_m=leg_m)
    limit_min = float(rng.choice([0.5, 2.0, 6.0, 30.0]))
    want = all_milliseconds(net, streets, people, sites, 1e9)
    check_all(net, people, sites, limit_min, want)


@pytest.mark.parametrize(
    ("file", "mode", "limit_min", "junction_s"),
    [
        ("porto/streets.osm.pbf", "walk", 15.0, 0.0),
        ("porto/streets.osm.pbf", "drive", 6.0, 8.0),
        ("wuhan/streets_osm.parquet", "drive", 4.0, 0.0),
        ("shenzhen/futian_osmnx_walk.graphml", "walk", 20.0, 15.0),
    ],
)
def test_cities_equal_scipy(shared, file, mode, limit_min, junction_s):
    net = load_streets(shared / file, mode=mode, junction_s=junction_s)
    rng = np.random.default_rng(3)
    first = pieces_of(net)
    inner = np.setdiff1d(first, net.vertex_ptr[:-1])
    vertex_of = np.empty(len(net.vertex_x), dtype=np.int64)
    vertex_of[net.vertex_ptr[:-1]], vertex_of[net.vertex_ptr[1:] - 1] = net.tail, net.head
    vertex_of[inner] = net.n_nodes + np.arange(len(inner))
    chain = np.repeat(np.arange(net.n_edges), np.diff(net.vertex_ptr))[first]
    length = np.where(net.length_m > 0, net.length_m, 1.0)[chain]
    part = (net.vertex_m[first + 1] - net.vertex_m[first]) / length
    cost = [
        np.where(ms[chain] < (1 << 29), ms[chain] * part, np.inf)
        for ms in (net.forward_ms, net.backward_ms)
    ]
    a, b = vertex_of[first], vertex_of[first + 1]
    delay = delays(net.tail, net.head, net.n_nodes + len(inner), junction_s)
    people = draw_places(rng, net, 3000, at_ends=0.1, max_leg_m=80.0)
    sites = draw_places(rng, net, 40, at_ends=0.1, max_leg_m=80.0)
    streets = Streets(a, b, *cost, delay, vertex_of, 2 * np.arange(len(first)))
    want = all_milliseconds(net, streets, people, sites, limit_min * 60_000 + 1_000)
    assert np.isfinite(want[0]).sum() > 150
    check_all(net, people, sites, limit_min, want)
