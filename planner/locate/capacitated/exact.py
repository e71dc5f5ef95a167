"""Prove covering under capacities by HiGHS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from planner.locate.capacitated.flow import served
from planner.locate.capacitated.rules import cliques_and_pairs, keep_fitting
from planner.locate.program import Program, minimise

if TYPE_CHECKING:
    from planner.locate.capacitated.flow import Net
    from planner.locate.capacitated.rules import Rules

# Above so many entries HiGHS takes minutes: the Lagrangean bound stands alone then.
_ENTRIES = 12_000
_NODES = 3_000


class Proof(NamedTuple):
    """The better choice, if one was found, and a proven integer bound."""

    chosen: np.ndarray
    bound: int


def prove(
    net: Net,
    fixed: np.ndarray,
    rules: Rules,
    chosen: np.ndarray,
    *,
    unit: int,
    abs_gap: float,
    time_limit_s: float,
) -> Proof:
    """Choose of the free columns by HiGHS, keeping the rules.

    Notes
    -----
    Maximise Σ_ij w_i y_ij with Σ_j y_ij ≤ 1, Σ_i w_i y_ij ≤ C_j x_j, 0 ≤ y_ij ≤ x_j and
    Σ_j x_j ≤ p (Current & Storbeck 1988, "Capacitated covering models"), with y_ij the share of
    demand i that facility j serves, which may be any; besides Σ_j c_j x_j ≤ B, and Σ_j x_j ≤ 1 over
    columns that exclude each other.
    """
    whole = int(net.weight.sum())
    usable = np.zeros(net.capacity.size, dtype=bool)
    usable[fixed] = usable[rules.free] = True
    entries = np.flatnonzero(usable[net.owner])
    if entries.size > _ENTRIES or entries.size == 0:
        return Proof(chosen, whole if entries.size else 0)
    program = _program(net, fixed, rules, entries)
    outcome = minimise(program, abs_gap=abs_gap, nodes=_NODES, time_limit_s=time_limit_s)
    best = chosen
    if outcome.values is not None:
        trial = rules.free[outcome.values[: rules.free.size] > 0.5]
        both = [np.concatenate([fixed, columns]) for columns in (trial, chosen)]
        if keep_fitting(rules, trial).size == trial.size and served(net, both[0]) > served(
            net, both[1]
        ):
            best = trial
    bound = math.floor(-outcome.bound) if math.isfinite(outcome.bound) else whole
    return Proof(best, min(whole, bound // unit * unit))


def _program(net: Net, fixed: np.ndarray, rules: Rules, entries: np.ndarray) -> Program:
    kept = rules.free
    n, m, columns = kept.size, net.weight.size, net.capacity.size
    place = np.full(columns, -1, dtype=np.int64)
    place[kept] = np.arange(n)
    client, owner = net.cover.client[entries].astype(np.int64), net.owner[entries]
    weight = net.weight[client].astype(float)
    share = n + np.arange(entries.size)
    linked = np.flatnonzero(place[owner] >= 0)
    full = m + np.arange(columns)  # rows: clients, capacities, links, then what limits the choice
    links = m + columns + np.arange(linked.size)
    scale = 1.0 / max(1, int(net.weight.max()))
    ones = np.ones(linked.size)
    body = sparse.csr_array(
        (
            np.concatenate([
                np.ones(entries.size), scale * weight, -scale * net.capacity[kept], ones, -ones,
            ]),
            (
                np.concatenate([client, m + owner, full[kept], links, links]),
                np.concatenate([share, share, place[kept], share[linked], place[owner[linked]]]),
            ),
        ),
        shape=(m + columns + linked.size, n + entries.size),
    )  # fmt: skip
    upper = np.zeros(body.shape[0])
    upper[:m] = 1.0
    upper[m + fixed] = scale * net.capacity[fixed]
    choice, most = _choice(rules, place)
    empty = sparse.csr_array((choice.shape[0], entries.size))
    return Program(
        np.concatenate([np.zeros(n), -weight]),
        np.ones(n + entries.size),
        sparse.csr_array(sparse.vstack([body, sparse.hstack([choice, empty])])),
        np.full(upper.size + most.size, -np.inf),
        np.concatenate([upper, most]),
        np.arange(n + entries.size) < n,
    )


def _choice(rules: Rules, place: np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
    """Return the rows that limit the choice: places, money, exclusions; and their right sides."""
    rows = [rules.place[rules.free].astype(float)]
    right = [float(rules.most)]
    if math.isfinite(rules.budget):
        unit = max(1e-300, float(rules.cost[rules.free].max(initial=0.0)))
        rows.append(rules.cost[rules.free] / unit)
        right.append(rules.budget / unit)
    sets = cliques_and_pairs(rules)
    member = np.concatenate([place[columns] for columns in sets]) if sets else place[:0]
    number = np.repeat(np.arange(len(sets)), [len(columns) for columns in sets])
    apart = sparse.csr_array(
        (np.ones(member.size), (number, member)), shape=(len(sets), rules.free.size)
    )
    table = sparse.csr_array(np.array(rows))
    return (
        sparse.csr_array(sparse.vstack([table, apart])),
        np.concatenate([right, np.ones(len(sets))]),
    )
