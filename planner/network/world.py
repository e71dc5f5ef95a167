"""The streets seen in one direction of travel: arcs out of each junction, the quickest first."""

from __future__ import annotations

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - numba infers the types of what it compiles
from typing import NamedTuple

import numpy as np

from planner.compiled import compiled

CLOSED = 1 << 29  # milliseconds (149 h) that say: this direction may not be used
_CROSSING = 3  # streets that make a junction where one waits


class World(NamedTuple):
    """The streets seen in one direction of travel, for the kernels.

    `indptr, arcs` are the open arcs out of each junction, the quickest first: the junction they
    lead to, and milliseconds with the wait there. `waits` are milliseconds at each junction: lost
    by whom passes it, and by whom starts there (who arrives there gets them back). `at_ptr,
    at_chain` are the chains that meet there, open or not, as ``chain << 1 | 1 if it ends there``.
    `ahead, against` cost a whole chain from tail to head and back.
    """

    indptr: np.ndarray
    arcs: np.ndarray
    waits: np.ndarray
    at_ptr: np.ndarray
    at_chain: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    ahead: np.ndarray
    against: np.ndarray


def make_world(
    meeting: tuple[np.ndarray, np.ndarray],
    ends: tuple[np.ndarray, np.ndarray],
    costs: tuple[np.ndarray, np.ndarray],
    delay_ms: int,
    *,
    inbound: bool,
) -> World:
    """Sort arcs by junction and cost.

    Parameters
    ----------
    meeting
        From `meet`.
    ends, costs
        Tail and head of each chain; int32 milliseconds from the one to the other, and back.
    delay_ms
        The wait at a junction of three or more streets.
    inbound
        Whether the world runs backward in time: then who sets out is the one who arrives.
    """
    at_ptr, at_chain = meeting
    waits = np.zeros((len(at_ptr) - 1, 2), dtype=np.int32)
    waits[np.diff(at_ptr) >= _CROSSING, : 1 if inbound else 2] = delay_ms
    n_arcs = sum(int((cost < CLOSED).sum()) for cost in costs)
    indptr = np.zeros(len(at_ptr), dtype=np.int32)
    arcs = np.empty((n_arcs, 2), dtype=np.int32)
    _fill_arcs(at_ptr, at_chain, *ends, *costs, waits, indptr, arcs)
    return World(indptr, arcs, waits, at_ptr, at_chain, *ends, *costs)


@compiled
def _fill_arcs(at_ptr, at_chain, tail, head, ahead, against, waits, indptr, arcs):  # type: ignore[no-untyped-def]
    """Write the open arcs of each junction by cost, and of equals by where they lead."""
    n = 0
    for node in range(len(at_ptr) - 1):
        first = n
        for k in range(at_ptr[node], at_ptr[node + 1]):
            e, ends = at_chain[k] >> 1, at_chain[k] & 1
            cost = against[e] if ends else ahead[e]
            if cost >= CLOSED:
                continue
            to = tail[e] if ends else head[e]
            cost += waits[to, 0]
            p = n
            while p > first and (arcs[p - 1, 1], arcs[p - 1, 0]) > (cost, to):
                arcs[p, 0], arcs[p, 1] = arcs[p - 1, 0], arcs[p - 1, 1]
                p -= 1
            arcs[p, 0], arcs[p, 1] = to, cost
            n += 1
        indptr[node + 1] = n


@compiled
def meet(tail, head, n_nodes):  # type: ignore[no-untyped-def]
    """List the chains that meet at each junction: → `at_ptr, at_chain` of `World`."""
    ptr = np.zeros(n_nodes + 2, np.int32)
    for e in range(len(tail)):
        ptr[tail[e] + 2] += 1
        ptr[head[e] + 2] += 1
    for k in range(2, n_nodes + 2):
        ptr[k] += ptr[k - 1]
    chain = np.empty(2 * len(tail), np.int32)
    for e in range(len(tail)):
        for end in range(2):
            node = head[e] if end else tail[e]
            chain[ptr[node + 1]] = e << 1 | end
            ptr[node + 1] += 1
    return ptr[:-1].copy(), chain
