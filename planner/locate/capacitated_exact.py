"""Prove covering under capacities by HiGHS, and assign demand to what is open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.capacitated_flow import make_net, serve, served
from planner.locate.program import Program, minimise
from planner.locate.setcover_reduce import as_cover

if TYPE_CHECKING:
    from planner.locate.capacitated_flow import Net

# Above so many entries HiGHS takes minutes: the Lagrangean bound stands alone then.
_ENTRIES = 12_000
_NODES = 3_000
# With more pairs the assignment of least travel takes minutes (14,000, measured).
_PAIRS = 6_000


class Proof(NamedTuple):
    """The better choice, if one was found, and a proven integer bound."""

    chosen: np.ndarray
    bound: int


def prove(
    net: Net,
    fixed: np.ndarray,
    kept: np.ndarray,
    count: int,
    chosen: np.ndarray,
    *,
    unit: int,
    abs_gap: float,
    time_limit_s: float,
) -> Proof:
    """Choose at most `count` of the kept columns by HiGHS.

    Notes
    -----
    Maximise Σ_ij w_i y_ij with Σ_j y_ij ≤ 1, Σ_i w_i y_ij ≤ C_j x_j, 0 ≤ y_ij ≤ x_j and
    Σ_j x_j ≤ p (Current & Storbeck 1988, "Capacitated covering models"), with y_ij the share of
    demand i that facility j serves, which may be any.
    """
    whole = int(net.weight.sum())
    usable = np.zeros(net.capacity.size, dtype=bool)
    usable[fixed] = usable[kept] = True
    entries = np.flatnonzero(usable[net.owner])
    if entries.size > _ENTRIES or entries.size == 0:
        return Proof(chosen, whole if entries.size else 0)
    program = _program(net, fixed, kept, count, entries)
    outcome = minimise(program, abs_gap=abs_gap, nodes=_NODES, time_limit_s=time_limit_s)
    best = chosen
    if outcome.values is not None:
        trial = kept[outcome.values[: kept.size] > 0.5]
        both = [np.concatenate([fixed, columns]) for columns in (trial, chosen)]
        if trial.size <= count and served(net, both[0]) > served(net, both[1]):
            best = trial
    bound = math.floor(-outcome.bound) if math.isfinite(outcome.bound) else whole
    return Proof(best, min(whole, bound // unit * unit))


def _program(
    net: Net, fixed: np.ndarray, kept: np.ndarray, count: int, entries: np.ndarray
) -> Program:
    n, m, columns = kept.size, net.weight.size, net.capacity.size
    place = np.full(columns, -1, dtype=np.int64)
    place[kept] = np.arange(n)
    client, owner = net.cover.client[entries].astype(np.int64), net.owner[entries]
    weight = net.weight[client].astype(float)
    share = n + np.arange(entries.size)
    every = np.arange(entries.size)
    linked = every[place[owner] >= 0]
    full = m + np.arange(columns)  # rows: clients, capacities, links, the count
    links = m + columns + np.arange(linked.size)
    last = m + columns + linked.size
    row = np.concatenate([client, m + owner, full[kept], links, links, np.full(n, last)])
    column = np.concatenate(
        [share, share, place[kept], share[linked], place[owner[linked]], np.arange(n)]
    )
    value = np.concatenate(
        [
            np.ones(entries.size),
            weight,
            -net.capacity[kept].astype(float),
            np.ones(linked.size),
            -np.ones(linked.size),
            np.ones(n),
        ]
    )
    upper = np.zeros(last + 1)
    upper[:m] = 1.0
    upper[m + fixed] = net.capacity[fixed]
    upper[last] = count
    scale = 1.0 / max(1, int(net.weight.max()))
    value[entries.size : 2 * entries.size + n] *= scale
    upper[m : m + columns] *= scale
    return Program(
        np.concatenate([np.zeros(n), -weight]),
        np.ones(n + entries.size),
        sparse.csr_array((value, (row, column)), shape=(last + 1, n + entries.size)),
        np.full(last + 1, -np.inf),
        upper,
        np.arange(n + entries.size) < n,
    )


def assign(
    travel: sparse.csr_array,
    weight: np.ndarray,
    capacity: np.ndarray,
    total: float,
    time_limit_s: float,
) -> sparse.csr_array:
    """Assign a total of demand to the columns with least travel; return what each serves.

    Parameters
    ----------
    travel
        CSR, demand × columns that are open.
    weight, capacity
        float64 of every row and column.
    total
        What can be served, and is.
    time_limit_s
        Where HiGHS needs longer any assignment of the total is returned.
    """
    m, n = travel.shape
    if travel.nnz == 0 or total <= 0:
        return sparse.csr_array((m, n))
    if travel.nnz > _PAIRS:
        return _any(travel, weight, capacity)
    owner = np.repeat(np.arange(m), np.diff(travel.indptr))
    scale = float(weight.max())
    every = np.arange(travel.nnz)
    row = np.concatenate([owner, m + travel.indices, np.full(travel.nnz, m + n)])
    matrix = sparse.csr_array(
        (np.ones(row.size), (row, np.tile(every, 3))), shape=(m + n + 1, travel.nnz)
    )
    lower = np.full(m + n + 1, -np.inf)
    lower[-1] = total / scale * (1 - 1e-12)
    upper = np.concatenate([weight, np.minimum(capacity, weight.sum()), [np.inf]]) / scale
    outcome = minimise(
        Program(
            travel.data / max(1e-300, float(travel.data.max())),
            np.full(travel.nnz, np.inf),
            matrix,
            lower,
            upper,
            np.zeros(travel.nnz, dtype=bool),
        ),
        abs_gap=0.0,
        nodes=1,
        time_limit_s=time_limit_s,
    )
    if outcome.values is None:
        return _any(travel, weight, capacity)
    amounts = outcome.values * scale
    near = np.rint(amounts)
    amounts = np.where(np.abs(amounts - near) <= 1e-7 * scale, near, amounts).clip(0.0)
    kept = amounts > 0
    return sparse.csr_array((amounts[kept], (owner[kept], travel.indices[kept])), shape=(m, n))


def _any(travel: sparse.csr_array, weight: np.ndarray, capacity: np.ndarray) -> sparse.csr_array:
    """Assign the most that can be served, whatever the travel."""
    m, n = travel.shape
    room = np.minimum(capacity, weight.sum())
    scale = math.ldexp(1.0, 40 - math.frexp(float(weight.sum()))[1])
    columns = sparse.csc_array(travel)
    columns.sort_indices()
    whole = [np.floor(numbers * scale).astype(np.int64) for numbers in (weight, room)]
    net = make_net(as_cover(columns), *whole)
    amounts = serve(net, np.arange(n)) / scale
    kept = amounts > 0
    return sparse.csr_array(
        (amounts[kept], (net.cover.client[kept], net.owner[kept])), shape=(m, n)
    )
