"""Places as the kernels read them: laid out junction by junction, chain by chain, with their costs.

A place at the end of a chain is that junction, also where the chain may not be travelled. Places
inside a chain are ordered by position, never by milliseconds: on a one-way street a metre behind
means once round the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, inlined
from planner.network.world import CLOSED

if TYPE_CHECKING:
    from planner.network.snap import Places
    from planner.network.streets import StreetNetwork

_NEVER = 1 << 30  # milliseconds from where no way leads
_CROWD = 32  # more places than these on one chain are sorted beforehand


class Targets(NamedTuple):
    """Places to be reached, in one order for the kernels.

    The run of a junction are the places that stand at it, and then those inside each chain that
    starts at it, from tail to head.

    Attributes
    ----------
    run
        int32, shape (n_nodes + 1, 2): where each junction's run starts, and the longest of the
        chains in `met`, milliseconds from head to tail.
    place
        int32, shape (n, 4): milliseconds from the junction of the run, from the chain's other end
        (``CLOSED`` where that way is not open, the access leg included), that end, and the row.
    met_ptr, met
        int32, shapes (n_nodes + 1,) and (k, 3): the chains with places that end at each junction:
        the tail and the range of `place`.
    """

    run: np.ndarray
    place: np.ndarray
    met_ptr: np.ndarray
    met: np.ndarray


class Layout(NamedTuple):
    """Targets, and what it takes to find a chain's among them.

    `slot_ptr` says where the places of each slot start (a slot is a junction or the inside of a
    chain), `share` how far along its chain each place is.
    """

    targets: Targets
    slot_ptr: np.ndarray
    share: np.ndarray


class Sources(NamedTuple):
    """Places where searches begin, in the order of their rows.

    Attributes
    ----------
    row
        int64, shape (n,).
    place
        int32, shape (n, 9): a junction and the milliseconds to it, and another; the cost of going
        ahead along the own chain, less what that is from its tail; of going back, less what that
        is from its head; the targets inside the own chain: the first, the first ahead, the end.
    slot
        int64, shape (n,): where on the ground, so that neighbours are searched together.
    """

    row: np.ndarray
    place: np.ndarray
    slot: np.ndarray


class Placed(NamedTuple):
    """Snapped places sorted by chain, and where searches from them begin.

    The places of chain e are ``ptr[e]:ptr[e + 1]``; `share` is how far along the chain, `leg` the
    access leg in milliseconds, `start` the first four columns of `Sources.place`.
    """

    chain: np.ndarray
    ptr: np.ndarray
    share: np.ndarray
    leg: np.ndarray
    start: np.ndarray


def lay_targets(streets: StreetNetwork, places: Places, *, inbound: bool) -> Layout:
    """Lay out snapped places for travel one way; remembered as long as the places live."""
    known = streets.layouts.setdefault(places, {})
    if inbound not in known:
        known[inbound] = _lay_targets(streets, places, _frame(streets, inbound=inbound))
    return known[inbound]


def lay_sources(
    streets: StreetNetwork, places: Places, layout: Layout, *, inbound: bool
) -> Sources:
    """Price snapped places as places where searches begin, among the targets of a layout."""
    row = np.flatnonzero(places.snapped)
    chain, share, leg = places.chain[row], places.share[row], _leg_ms(streets, places, row)
    return Sources(row, *_price(streets, chain, share, leg, layout, inbound=inbound))


def sort_places(
    streets: StreetNetwork, places: Places, *, inbound: bool
) -> tuple[Placed, np.ndarray]:
    """Sort snapped places by chain and price them; returns the row that each one came from too."""
    row = np.flatnonzero(places.snapped)
    row = row[np.lexsort((row, places.share[row], places.chain[row]))]
    chain, share, leg = places.chain[row], places.share[row], _leg_ms(streets, places, row)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(chain, minlength=streets.n_edges))])
    empty = np.zeros(streets.slots[0][-1] + 1, dtype=np.int32)
    nobody = Layout(None, empty, np.zeros(0))  # type: ignore[arg-type]
    start = _price(streets, chain, share, leg, nobody, inbound=inbound)[0][:, :4].copy()
    return Placed(chain, ptr, share, leg, start), row


def _price(
    streets: StreetNetwork,
    chain: np.ndarray,
    share: np.ndarray,
    leg: np.ndarray,
    layout: Layout,
    *,
    inbound: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns `place` and `slot` of sources."""
    out = np.empty((len(chain), 9), dtype=np.int32)
    slot = np.empty(len(chain), dtype=np.int64)
    frame = _frame(streets, inbound=inbound)
    _fill_sources(chain, share, leg, frame, layout.slot_ptr, layout.share, out, slot)
    return out, slot


def _lay_targets(streets: StreetNetwork, places: Places, frame: _Frame) -> Layout:
    row = np.flatnonzero(places.snapped)
    chain, share = places.chain[row], places.share[row]
    ptr = np.zeros(frame.node_slot[-1] + 1, dtype=np.int32)
    at, rank = np.empty(len(row)), np.empty(len(row), dtype=np.int32)
    _sort_places(_order(chain, share), chain, share, frame, ptr, at, rank)
    place = np.empty((len(row), 4), dtype=np.int32)
    _fill_places(rank, row, chain, share, _leg_ms(streets, places, row), frame, place)
    run = np.zeros((streets.n_nodes + 1, 2), dtype=np.int32)
    run[:, 0] = ptr[frame.node_slot]
    return Layout(Targets(run, place, *_fill_met(ptr, frame, run)), ptr, at)


def _order(chain: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Rows, those of crowded chains by position; the rest is sorted as it is laid out."""
    order = np.arange(len(chain))
    if len(chain):
        crowded = np.flatnonzero((np.bincount(chain) > _CROWD)[chain])
        order[crowded] = crowded[np.argsort(share[crowded], kind="stable")]
    return order


def _leg_ms(streets: StreetNetwork, places: Places, row: np.ndarray) -> np.ndarray:
    """Access legs, at most as long as a closed street."""
    leg = np.rint(places.access_m[row] * 3600.0 / streets.walk_kmh)
    return np.minimum(leg, CLOSED).astype(np.int64)


class _Frame(NamedTuple):
    """What the kernels below ask of the streets: see `StreetNetwork.slots` and `World`."""

    node_slot: np.ndarray
    chain_slot: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    ahead: np.ndarray
    against: np.ndarray
    waits: np.ndarray


def _frame(streets: StreetNetwork, *, inbound: bool) -> _Frame:
    world = streets.inbound if inbound else streets.outbound
    return _Frame(*streets.slots, world.tail, world.head, world.ahead, world.against, world.waits)


# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: ANN001, ANN202, PLR0917 - numba infers the types of what it compiles


@inlined
def _slot(chain, share, frame):
    """Return the slot of a place: a junction if it stands at an end, else the chain's inside."""
    if share <= 0.0:
        return frame.node_slot[frame.tail[chain]]
    return frame.node_slot[frame.head[chain]] if share >= 1.0 else frame.chain_slot[chain]


@inlined
def _tail_part(cost, share):
    """Price the part of a chain on the tail's side of a place; the head's side has the rest.

    So the parts add up to the whole, whichever way the search runs.
    """
    return np.int64(np.rint(np.int64(cost) * share))


@compiled
def _sort_places(order, chain, share, frame, ptr, at, rank):
    """Sort places by slot, position and row; `ptr` comes in as zeros."""
    slots = np.empty(len(order), np.int32)
    for i in order:
        slots[i] = _slot(chain[i], share[i], frame)
        ptr[slots[i] + 1] += 1
    for slot in range(len(ptr) - 1):
        ptr[slot + 1] += ptr[slot]
    end = ptr[:-1].copy()
    for i in order:
        slot = slots[i]
        here = share[i] if 0.0 < share[i] < 1.0 else 0.0
        p = end[slot]
        end[slot] += 1
        while p > ptr[slot] and at[p - 1] > here:
            at[p], rank[p] = at[p - 1], rank[p - 1]
            p -= 1
        at[p], rank[p] = here, i


@compiled
def _fill_places(rank, row, chain, share, leg, frame, place):
    """Price each place from the junction of its run and from the chain's other end."""
    ahead, against = frame.ahead, frame.against
    for p in range(len(rank)):
        i = rank[p]
        e = chain[i]
        place[p, 3] = row[i]
        if 0.0 < share[i] < 1.0:
            place[p, 0], place[p, 1], place[p, 2] = CLOSED, CLOSED, frame.head[e]
            if ahead[e] < CLOSED:
                place[p, 0] = leg[i] + _tail_part(ahead[e], share[i])
            if against[e] < CLOSED:
                place[p, 1] = leg[i] + against[e] - _tail_part(against[e], share[i])
        else:
            node = frame.tail[e] if share[i] <= 0.0 else frame.head[e]
            place[p, 0], place[p, 1], place[p, 2] = leg[i] - frame.waits[node, 1], CLOSED, node


@compiled
def _fill_met(ptr, frame, run):
    """List at each junction the chains with places that end there, and the longest of them."""
    tail, head, against = frame.tail, frame.head, frame.against
    n_nodes = len(frame.node_slot) - 1
    met_ptr = np.zeros(n_nodes + 2, np.int32)
    for e in range(len(tail)):
        slot, node = frame.chain_slot[e], head[e]
        if ptr[slot + 1] > ptr[slot] and tail[e] != node and against[e] < CLOSED:
            met_ptr[node + 2] += 1
            run[node, 1] = max(run[node, 1], against[e] + frame.waits[tail[e], 0])
    for node in range(n_nodes):
        met_ptr[node + 1] += met_ptr[node]
    met_ptr[n_nodes + 1] += met_ptr[n_nodes]
    met = np.empty((met_ptr[n_nodes + 1], 3), np.int32)
    for e in range(len(tail)):
        slot, node = frame.chain_slot[e], head[e]
        if ptr[slot + 1] > ptr[slot] and tail[e] != node and against[e] < CLOSED:
            k = met_ptr[node + 1]
            met[k, 0], met[k, 1], met[k, 2] = tail[e], ptr[slot], ptr[slot + 1]
            met_ptr[node + 1] += 1
    return met_ptr[:-1].copy(), met


@compiled
def _fill_sources(chain, share, leg, frame, ptr, at, out, slots):
    """Price each source to where its search begins, and find the targets on its own chain."""
    ahead, against = frame.ahead, frame.against
    for i in range(len(chain)):
        e, s = chain[i], share[i]
        slot = _slot(e, s, frame)
        slots[i] = slot
        out[i, 1], out[i, 3], out[i, 4], out[i, 5] = _NEVER, _NEVER, _NEVER, _NEVER
        out[i, 6], out[i, 7], out[i, 8] = -1, -1, -1  # (an empty chain starts where the next does)
        if not 0.0 < s < 1.0:
            node = frame.tail[e] if s <= 0.0 else frame.head[e]
            out[i, 0], out[i, 1], out[i, 2] = node, leg[i] + frame.waits[node, 1], node
            continue
        out[i, 0], out[i, 2] = frame.tail[e], frame.head[e]
        if ahead[e] < CLOSED:
            part = _tail_part(ahead[e], s)
            out[i, 3] = min(leg[i] + ahead[e] - part + frame.waits[frame.head[e], 0], _NEVER)
            out[i, 4] = leg[i] - part
        if against[e] < CLOSED:
            part = _tail_part(against[e], s)
            out[i, 1] = min(leg[i] + part + frame.waits[frame.tail[e], 0], _NEVER)
            out[i, 5] = leg[i] - against[e] + part
        low, high = ptr[slot], ptr[slot + 1]
        if low < high:
            middle = low  # who stands at the same place is ahead, or behind where that is open
            while middle < high and (at[middle] < s or (at[middle] == s and ahead[e] >= CLOSED)):
                middle += 1
            out[i, 6], out[i, 7], out[i, 8] = low, middle, high
