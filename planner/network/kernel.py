"""The travel kernels: who is reached within a budget, and from whom each place is nearest.

Label-correcting with buckets. A junction whose label improves is queued anew; the entry of a label
that is no longer its junction's is dropped when its turn comes. A label is milliseconds (int32), or
``milliseconds << TAG_BITS | facility`` (int64), so that one comparison orders by time and then by
facility, the lowest first. Arcs come quickest first: the scan of a junction ends at the first one
beyond the limit.

Places are read from the junctions, see `layout.Targets`. What may turn out not to belong is written
first and kept or not afterwards: a branch that nobody can foresee costs more than a write. Unsigned
indices spare the test for negative ones.
"""

from __future__ import annotations

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def"
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, inlined
from planner.network.world import CLOSED as _CLOSED

if TYPE_CHECKING:
    from planner.network.world import World

CLOSED = np.int64(_CLOSED)
UNSEEN = np.int32(1 << 30)  # the label, in milliseconds, of a junction that was not reached
FAR = np.int64(1 << 62)  # the same with a tag
TAG_BITS = np.int64(31)
TAG_MASK = np.int64((1 << 31) - 1)
_SAMPLE = 4096  # arcs whose mean cost sets the width of buckets
_WIDEST = 17  # 131 s


class Workspace(NamedTuple):
    """What a search writes in: `best` label of each junction, and those that were `touched`.

    `first` entry of each bucket of ``2 ** bits`` milliseconds; `entries` are a junction and the
    next entry, with their `labels`.
    """

    best: np.ndarray
    touched: np.ndarray
    first: np.ndarray
    entries: np.ndarray
    labels: np.ndarray
    bits: int


def make_workspace(world: World, budget_ms: int, far: np.signedinteger) -> Workspace:
    """Make room for searches in one world up to a budget, nobody labelled.

    The queue is as long as two labels a junction and one an arc would need; where entries that were
    dropped fill it, it is made anew. Room that no search ever comes to costs no memory.
    """
    n_nodes = len(world.waits)
    room = 2 * n_nodes + len(world.arcs) + 8
    bits = _bucket_bits(world, far)
    return Workspace(
        np.full(n_nodes, far),
        np.empty(n_nodes + 1, dtype=np.int32),
        np.full((budget_ms >> bits) + 1, -1, dtype=np.int32),
        np.empty((room, 2), dtype=np.int32),
        np.empty(room, dtype=far.dtype),
        bits,
    )


def empty_workspace(work: Workspace, budget_ms: int, far: np.signedinteger) -> Workspace:
    """Make a used workspace ready for a search up to another budget."""
    work.best.fill(far)
    return work._replace(first=np.full((budget_ms >> work.bits) + 1, -1, dtype=np.int32))


def _bucket_bits(world: World, far: np.signedinteger) -> int:
    """Choose the width of buckets by the mean cost of an arc, as measured in several cities.

    A search from one place is quickest with a quarter to half of it; one from many, whose fronts
    lie all over the city and far apart in memory, with one to two of it.
    """
    mean = world.arcs[:: 1 + len(world.arcs) // _SAMPLE, 1].mean() if len(world.arcs) else 0.0
    bits = int(mean).bit_length() + (1 if far == FAR else -1) - 1
    return min(max(bits, 10), _WIDEST)


@compiled
def _start(node, label, far, bits, limit, work, n_touched, n_queued):
    """Queue a junction where a search begins."""
    best, touched, first, entries, labels, _ = work
    if label > limit or label >= best[node]:
        return n_touched, n_queued
    if n_queued + 1 >= len(labels):
        n_queued = _queue_anew(0, bits, work, n_touched)
    if best[node] == far:
        touched[n_touched] = node
        n_touched += 1
    best[node] = label
    bucket = label >> bits
    entries[n_queued, 0], entries[n_queued, 1] = node, first[bucket]
    labels[n_queued] = label
    first[bucket] = n_queued
    return n_touched, n_queued + 1


@compiled
def _settle(world, far, tag_bits, begin, limit, work, n_touched, n_queued):
    """Spread the queued labels over all junctions within the limit; → how many were touched."""
    indptr, arcs = world.indptr, world.arcs
    best, touched, first, entries, labels, _ = work
    bits = np.int64(work.bits) + tag_bits
    n_queued = np.int32(n_queued)
    for bucket in range(np.uint32(begin >> bits), np.uint32((limit >> bits) + 1)):
        at = first[bucket]
        while at >= 0:
            node, label = np.uint32(entries[np.uint32(at), 0]), labels[np.uint32(at)]
            first[bucket] = entries[np.uint32(at), 1]
            if best[node] == label:
                a0, a1 = np.uint32(indptr[node]), np.uint32(indptr[node + np.uint32(1)])
                if n_queued + a1 - a0 >= len(labels):
                    n_queued = np.int32(_queue_anew(bucket, bits, work, n_touched))
                for a in range(a0, a1):
                    new = label + (np.int64(arcs[a, 1]) << tag_bits)
                    if new > limit:
                        break
                    head = np.uint32(arcs[a, 0])
                    old = best[head]
                    better = new < old
                    touched[np.uint32(n_touched)] = head
                    n_touched += old == far
                    best[head] = min(new, old)
                    later = np.uint32(new >> bits)
                    after = first[later]
                    entries[np.uint32(n_queued), 0] = head
                    entries[np.uint32(n_queued), 1] = after
                    labels[np.uint32(n_queued)] = new
                    first[later] = n_queued if better else after
                    n_queued += better
            at = first[bucket]
    return n_touched


@compiled
def _queue_anew(bucket, bits, work, n_touched):
    """Empty a full queue of dropped entries: queue who is not yet passed; → how many these are."""
    best, touched, first, entries, labels, _ = work
    first[:] = -1
    for k in range(n_touched):
        label = best[touched[k]]
        labels[k] = label
        entries[k, 0], entries[k, 1] = touched[k], -1
        if label >> bits >= bucket:
            entries[k, 1] = first[label >> bits]
            first[label >> bits] = k
    return n_touched


@compiled
def _search(world, source, budget, work):
    """Label all junctions within the budget of one source; → how many were touched."""
    first, second = np.int64(source[1]), np.int64(source[3])
    none, bits = np.int64(0), np.int64(work.bits)
    touched, queued = _start(source[0], first, UNSEEN, bits, budget, work, 0, 0)
    touched, queued = _start(source[2], second, UNSEEN, bits, budget, work, touched, queued)
    if queued == 0:
        return touched
    return _settle(world, UNSEEN, none, min(first, second), budget, work, touched, queued)


@inlined
def _through(p, x, place, best):
    """Cost of a place in the run of a junction with label x, access leg included."""
    return min(x + place[p, 0], best[np.uint32(place[p, 2])] + place[p, 1])


@inlined
def _keep(p, t, place, budget, ticks, found, times, n):
    """Write a place behind the first n, and count it if it is within the budget."""
    found[n] = place[p, 3]
    times[n] = ((t + ticks[0]) * ticks[1]) >> ticks[2]
    return n + np.uint64(t <= budget)


@compiled
def reach_rows(world, rows, sources, targets, limits, ticks, work, found, times):  # noqa: C901, PLR0912
    """Collect the targets within the budget of each source in `rows`.

    `limits` are the budget, and how far junctions are searched: who arrives gets back his wait.

    `found` and `times` are filled, or longer ones if they are short; → both, and where each row
    ends in them. `ticks` turns milliseconds into what `times` holds: added, multiplied, shifted.
    """
    run, place, met_ptr, met = targets
    best, touched = work.best, work.touched
    budget, farthest = limits
    ends = np.empty(len(rows), np.int64)
    n = np.uint64(0)
    for i in range(len(rows)):
        source = sources[rows[i]]
        low, middle, high = np.uint32(source[6]), np.uint32(source[7]), np.uint32(source[8])
        n_touched = _search(world, source, farthest, work)
        if n + high - low > len(found):
            found, times = _longer_rows(found, times, n, high - low)
        x, y = best[source[0]], best[source[2]]
        along, back = min(x, source[4]), min(y, source[5])
        for p in range(low, high):  # the own chain, also straight along it
            u, v = (x, back) if p < middle else (along, y)
            t = min(u + place[p, 0], v + place[p, 1])
            n = _keep(p, t, place, budget, ticks, found, times, n)
        for j in range(n_touched):
            node = np.uint32(touched[j])
            x = best[node]
            p0, p1 = np.uint32(run[node, 0]), np.uint32(run[node + np.uint32(1), 0])
            if n + p1 - p0 > len(found):
                found, times = _longer_rows(found, times, n, p1 - p0)
            if p0 <= low < p1:  # the own chain starts here: pass over it
                for p in range(p0, low):
                    t = _through(p, x, place, best)
                    n = _keep(p, t, place, budget, ticks, found, times, n)
                p0 = high
            for p in range(p0, p1):
                t = _through(p, x, place, best)
                n = _keep(p, t, place, budget, ticks, found, times, n)
            if x + run[node, 1] <= budget:
                continue  # the tails of all chains that end here were reached
            for k in range(np.uint32(met_ptr[node]), np.uint32(met_ptr[node + np.uint32(1)])):
                p0, p1 = np.uint32(met[k, 1]), np.uint32(met[k, 2])
                if best[np.uint32(met[k, 0])] != UNSEEN or p0 == low:
                    continue  # it is read from its tail, or is the own chain
                if n + p1 - p0 > len(found):
                    found, times = _longer_rows(found, times, n, p1 - p0)
                for p in range(p0, p1):
                    t = x + place[p, 1]
                    n = _keep(p, t, place, budget, ticks, found, times, n)
        for j in range(n_touched):
            best[np.uint32(touched[j])] = UNSEEN
        ends[i] = n
    return found, times, ends


@compiled
def _longer_rows(found, times, n, more):
    """Copy n pairs into arrays with room for at least `more` of them."""
    room = 2 * (n + more)
    long_found, long_times = np.empty(room, found.dtype), np.empty(room, times.dtype)
    long_found[:n], long_times[:n] = found[:n], times[:n]
    return long_found, long_times


@compiled
def put_rows(found, times, ends, starts, out_found, out_times):
    """Copy each row to where it starts in the arrays of all rows."""
    low = np.int64(0)
    for i in range(len(ends)):
        to, n = starts[i], ends[i] - low
        out_found[to : to + n] = found[low : low + n]
        out_times[to : to + n] = times[low : low + n]
        low = ends[i]


@compiled
def reach_totals(world, rows, sources, targets, weight, limits, work, totals):  # noqa: C901
    """Add up the weights of the targets within the budget of each source in `rows`."""
    run, place, met_ptr, met = targets
    best, touched = work.best, work.touched
    budget, farthest = limits
    none = np.int64(0)
    for row in rows:
        source = sources[row]
        n_touched = _search(world, source, farthest, work)
        total = none
        x, y = best[source[0]], best[source[2]]
        for p in range(source[6], source[8]):  # who is reached only straight along the own chain
            t = source[5] + place[p, 1] if p < source[7] else source[4] + place[p, 0]
            if t <= budget and min(x + place[p, 0], y + place[p, 1]) > budget:
                total += weight[p]
        for j in range(n_touched):
            node = np.uint32(touched[j])
            x = best[node]
            for p in range(np.uint32(run[node, 0]), np.uint32(run[node + np.uint32(1), 0])):
                t = _through(p, x, place, best)
                total += weight[p] if t <= budget else none
            if x + run[node, 1] <= budget:
                continue
            for k in range(np.uint32(met_ptr[node]), np.uint32(met_ptr[node + np.uint32(1)])):
                if best[np.uint32(met[k, 0])] == UNSEEN:
                    for p in range(np.uint32(met[k, 1]), np.uint32(met[k, 2])):
                        total += weight[p] if x + place[p, 1] <= budget else none
        for j in range(n_touched):
            best[np.uint32(touched[j])] = UNSEEN
        totals[row] = total


@compiled
def spread(world, sources, tags, work, budget):
    """Label junctions within the budget with their nearest source, of equals the lowest tag."""
    bits, limit = np.int64(work.bits) + TAG_BITS, budget << TAG_BITS | TAG_MASK
    begin, n_touched, n_queued = limit, 0, 0
    for s in range(len(sources)):
        for end in range(2):
            label = np.int64(sources[s, 2 * end + 1]) << TAG_BITS | tags[s]
            n_touched, n_queued = _start(
                sources[s, 2 * end], label, FAR, bits, limit, work, n_touched, n_queued
            )
            begin = min(begin, label)
    return _settle(world, FAR, TAG_BITS, begin, limit, work, n_touched, n_queued)
