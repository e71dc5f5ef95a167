"""The travel kernels: who is reached within a budget, and from whom each place is nearest.

Label-correcting with buckets. A junction's label is ``milliseconds << 31 | tag`` in int64, so that
one comparison orders by time and then by tag (the facility, lowest first). A junction waits in at
most one bucket of 8.2 s, an intrusive doubly linked list: no heap, nothing that can overflow. After
the junctions settle, each chain with a reached end is read once and its places come out as the
least of: from its tail, from its head, straight along the source's own chain.

All functions that call each other live in this one file: numba's disk cache does not notice changes
elsewhere.
"""

from __future__ import annotations

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def"
import numpy as np

from planner.compiled import compiled
from planner.network.streets import CLOSED as _CLOSED

CLOSED = np.int64(_CLOSED)
TAG_BITS = np.int64(31)
TAG_MASK = np.int64((1 << 31) - 1)
BUCKET_BITS = np.int64(13)
FAR = np.int64(1 << 62)


def make_workspace(n_nodes: int, budget_ms: int) -> tuple[np.ndarray, ...]:
    """Labels, next and previous in a bucket, own bucket, bucket heads, touched junctions."""
    return (
        np.full(n_nodes, FAR, dtype=np.int64),
        np.empty(n_nodes, dtype=np.int32),
        np.empty(n_nodes, dtype=np.int32),
        np.full(n_nodes, -1, dtype=np.int32),
        np.full((budget_ms >> int(BUCKET_BITS)) + 1, -1, dtype=np.int32),
        np.empty(n_nodes, dtype=np.int32),
    )


@compiled
def _offer(node, label, work, n_touched):
    """Give a junction a label if it is better than what it has, and queue it."""
    best, after, before, bucket_of, first, touched = work
    if label >= best[node]:
        return n_touched
    if best[node] == FAR:
        touched[n_touched] = node
        n_touched += 1
    best[node] = label
    bucket = label >> (TAG_BITS + BUCKET_BITS)
    old = bucket_of[node]
    if old == bucket:
        return n_touched
    if old >= 0:  # leave the later bucket
        a, b = before[node], after[node]
        if a >= 0:
            after[a] = b
        else:
            first[old] = b
        if b >= 0:
            before[b] = a
    b = first[bucket]
    after[node], before[node] = b, -1
    if b >= 0:
        before[b] = node
    first[bucket] = node
    bucket_of[node] = bucket
    return n_touched


@compiled
def _settle(world, work, n_touched, budget):
    """Spread the queued labels to all junctions within the budget; → how many were touched."""
    indptr, heads, arc_ms = world[0], world[1], world[2]
    best, after, before, bucket_of, first, _ = work
    for bucket in range(len(first)):
        node = first[bucket]
        while node >= 0:
            b = after[node]
            first[bucket] = b
            if b >= 0:
                before[b] = -1
            bucket_of[node] = -1
            label = best[node]
            left = budget - (label >> TAG_BITS)
            for arc in range(indptr[node], indptr[node + 1]):
                cost = np.int64(arc_ms[arc])
                if cost > left:  # the quickest come first
                    break
                n_touched = _offer(heads[arc], label + (cost << TAG_BITS), work, n_touched)
            node = first[bucket]
    return n_touched


@compiled
def _straight(ahead, against, from_share, to_share, from_tail, from_head, to_tail, to_head):
    """Cost along one chain, where that way is open.

    Who is ahead is decided by position, not by milliseconds: on a one-way street a metre behind
    means once round the block. The last four are costs from the tail to the first place, from the
    head to it, and the same of the second.
    """
    cost = CLOSED
    if from_share == to_share:
        cost = np.int64(0)
    elif ahead < CLOSED and to_share > from_share:
        cost = np.int64(to_tail) - from_tail
    elif against < CLOSED and to_share < from_share:
        cost = np.int64(to_head) - from_head
    return cost


@compiled
def reach_rows(low, high, world, sources, targets, work, budget, counts):  # noqa: C901
    """Collect the targets within the budget of sources ``low:high``: positions and milliseconds.

    `sources` and `targets` are sorted by chain; see `travel.Placed`.
    """
    _, _, _, at_ptr, at_chain, tail, head, ahead, against = world
    s_chain, _, s_share, s_from_tail, s_from_head, s_to_tail, s_to_head, s_leg = sources
    _, t_ptr, t_share, t_from_tail, t_from_head, _, _, t_leg = targets
    best, touched = work[0], work[5]
    found = np.empty(4096, np.int32)
    cost = np.empty(4096, np.int32)
    n = 0
    for row in range(low, high):
        own = s_chain[row]
        leg = np.int64(s_leg[row])
        n_touched = 0
        if leg + s_to_tail[row] <= budget:
            n_touched = _offer(tail[own], (leg + s_to_tail[row]) << TAG_BITS, work, n_touched)
        if leg + s_to_head[row] <= budget:
            n_touched = _offer(head[own], (leg + s_to_head[row]) << TAG_BITS, work, n_touched)
        n_touched = _settle(world, work, n_touched, budget)
        start = n
        for step in range(-1, n_touched):
            # first the own chain, then every chain that meets a touched junction
            k0, k1 = (0, 1) if step < 0 else (at_ptr[touched[step]], at_ptr[touched[step] + 1])
            for k in range(k0, k1):
                chain = own if step < 0 else at_chain[k] >> 1
                p0, p1 = t_ptr[chain], t_ptr[chain + 1]
                if p0 == p1 or (step >= 0 and chain == own):
                    continue
                at_tail = best[tail[chain]] >> TAG_BITS
                at_head = best[head[chain]] >> TAG_BITS
                if step >= 0 and at_chain[k] & 1 and at_tail <= budget:
                    continue  # it is read from its tail
                if n + p1 - p0 > len(found):
                    room = max(2 * len(found), n + p1 - p0)
                    more, dear = np.empty(room, np.int32), np.empty(room, np.int32)
                    more[:n], dear[:n] = found[:n], cost[:n]
                    found, cost = more, dear
                for p in range(p0, p1):
                    t = min(at_tail + t_from_tail[p], at_head + t_from_head[p])
                    if step < 0:
                        t = min(t, leg + _straight(
                            ahead[own], against[own], s_share[row], t_share[p],
                            s_from_tail[row], s_from_head[row], t_from_tail[p], t_from_head[p],
                        ))  # fmt: skip
                    t += t_leg[p]
                    if t <= budget:
                        found[n], cost[n] = p, t
                        n += 1
        counts[row - low] = n - start
        for k in range(n_touched):
            best[touched[k]] = FAR
    return found[:n].copy(), cost[:n].copy()


@compiled
def spread(world, facilities, tags, work, budget):
    """Label junctions within the budget with their nearest facility, of equals the lowest tag."""
    tail, head = world[5], world[6]
    chain, _, _, _, _, to_tail, to_head, leg = facilities
    n_touched = 0
    for f in range(len(chain)):
        start = np.int64(leg[f])
        if start + to_tail[f] <= budget:
            label = ((start + to_tail[f]) << TAG_BITS) | tags[f]
            n_touched = _offer(tail[chain[f]], label, work, n_touched)
        if start + to_head[f] <= budget:
            label = ((start + to_head[f]) << TAG_BITS) | tags[f]
            n_touched = _offer(head[chain[f]], label, work, n_touched)
    return _settle(world, work, n_touched, budget)


@compiled
def read_places(world, places, facilities, tags, best, budget, out):
    """Label of each place: from both ends of its chain and from the facilities on the chain."""
    tail, head, ahead, against = world[5], world[6], world[7], world[8]
    chain, _, share, from_tail, from_head, _, _, leg = places
    _, f_ptr, f_share, f_from_tail, f_from_head, _, _, f_leg = facilities
    for p in range(len(chain)):
        e = chain[p]
        label = FAR
        for end in range(2):
            here = best[tail[e]] if end == 0 else best[head[e]]
            more = np.int64(from_tail[p]) if end == 0 else np.int64(from_head[p])
            if here < FAR and more < CLOSED:
                label = min(label, here + (more << TAG_BITS))
        for f in range(f_ptr[e], f_ptr[e + 1]):
            t = f_leg[f] + _straight(
                ahead[e], against[e], f_share[f], share[p],
                f_from_tail[f], f_from_head[f], from_tail[p], from_head[p],
            )  # fmt: skip
            label = min(label, (t << TAG_BITS) | tags[f])
        if label < FAR:
            label += np.int64(leg[p]) << TAG_BITS
            if label >> TAG_BITS <= budget:
                out[p] = label
