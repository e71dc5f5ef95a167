"""The nearest facility of each place, and the two nearest, from labels that junctions have.

A label is ``milliseconds << TAG_BITS | facility``, see `kernel`. Of two labels at one junction the
facilities differ, so the second tells the way to a backup.
"""

from __future__ import annotations

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def"
import numpy as np

from planner.compiled import compiled, inlined
from planner.network.kernel import FAR, TAG_BITS, TAG_MASK


@compiled
def read_nearest(targets, sources, tags, best, budget, label):
    """Label each place, in the order of `targets`, from both ends of its chain and along it."""
    run, place = targets[0], targets[1]
    limit = budget << TAG_BITS | TAG_MASK
    for node in range(len(run) - 1):
        x = best[node]
        for p in range(run[node, 0], run[node + 1, 0]):
            new = min(
                x + (np.int64(place[p, 0]) << TAG_BITS),
                best[place[p, 2]] + (np.int64(place[p, 1]) << TAG_BITS),
            )
            label[p] = new if new <= limit else FAR
    for s in range(len(sources)):
        for p in range(sources[s, 6], sources[s, 8]):
            new = _straight(sources[s], p, place) << TAG_BITS | tags[s]
            if new <= limit:
                label[p] = min(label[p], new)


@inlined
def _straight(source, p, place):
    """Cost of a place from a source on the same chain, straight along it."""
    if p < source[7]:
        return np.int64(source[5]) + place[p, 1]
    return np.int64(source[4]) + place[p, 0]


@compiled
def _put(node, label, two):
    """Offer a label to the two best ones of different tags; → whether it is one of them."""
    one, other = two[node, 0], two[node, 1]
    if (one ^ label) & TAG_MASK == 0 and one < FAR:
        two[node, 0] = min(one, label)
        return label < one
    if label < one:
        two[node, 0], two[node, 1] = label, one
        return True
    two[node, 1] = min(other, label)
    return label < other


@compiled
def _queue_two(node, label, two, bits, begin, work, n):
    """Queue a label that is one of the two best of a junction; → how many entries there are."""
    _, _, first, entries, labels, _ = work
    if n + 1 >= len(labels):  # full of entries that were dropped: queue who is not yet passed
        n = 0
        first[:] = -1
        for k in range(2 * len(two)):
            old = two[k >> 1, k & 1]
            if old < FAR and old >> bits >= begin:
                entries[n, 0], entries[n, 1], labels[n] = k >> 1, first[old >> bits], old
                first[old >> bits] = n
                n += 1
        return n  # the label is among them
    entries[n, 0], entries[n, 1], labels[n] = node, first[label >> bits], label
    first[label >> bits] = n
    return n + 1


@compiled
def spread_two(world, sources, tags, work, budget, two):
    """Label junctions within the budget with their two nearest sources."""
    indptr, arcs = world.indptr, world.arcs
    _, _, first, entries, labels, _ = work
    bits, limit = np.int64(work.bits) + TAG_BITS, budget << TAG_BITS | TAG_MASK
    n = 0
    for s in range(len(sources)):
        for end in range(2):
            label = np.int64(sources[s, 2 * end + 1]) << TAG_BITS | tags[s]
            if label <= limit and _put(sources[s, 2 * end], label, two):
                n = _queue_two(sources[s, 2 * end], label, two, bits, 0, work, n)
    for bucket in range(len(first)):
        at = first[bucket]
        while at >= 0:
            node, label = entries[at, 0], labels[at]
            first[bucket] = entries[at, 1]
            if label == two[node, 0] or label == two[node, 1]:
                for a in range(indptr[node], indptr[node + 1]):
                    new = label + (np.int64(arcs[a, 1]) << TAG_BITS)
                    if new > limit:
                        break
                    if _put(arcs[a, 0], new, two):
                        n = _queue_two(arcs[a, 0], new, two, bits, bucket, work, n)
            at = first[bucket]


@compiled
def read_two(targets, sources, tags, best, budget, two):
    """Two labels of each place, in the order of `targets`; `best` are those of the junctions."""
    run, place = targets[0], targets[1]
    limit = budget << TAG_BITS | TAG_MASK
    for node in range(len(run) - 1):
        for p in range(run[node, 0], run[node + 1, 0]):
            for k in range(2):
                new = best[node, k] + (np.int64(place[p, 0]) << TAG_BITS)
                if new <= limit:
                    _put(p, new, two)
                new = best[place[p, 2], k] + (np.int64(place[p, 1]) << TAG_BITS)
                if new <= limit:
                    _put(p, new, two)
    for s in range(len(sources)):
        for p in range(sources[s, 6], sources[s, 8]):
            new = _straight(sources[s], p, place) << TAG_BITS | tags[s]
            if new <= limit:
                _put(p, new, two)


@compiled
def tell(place, label, unit_ms, time, tag):
    """Write the time and the tag of each labelled place to its row, in units of milliseconds."""
    for p in range(len(label)):
        if label[p] < FAR:
            row = place[p, 3]
            time[row] = (label[p] >> TAG_BITS) / unit_ms
            tag[row] = label[p] & TAG_MASK
