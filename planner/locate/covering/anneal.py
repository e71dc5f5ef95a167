"""Better covers by simulated annealing: one swap after another, ever less often for the worse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, working_seconds
from planner.locate.covering.order import make_runs

if TYPE_CHECKING:
    from planner.locate.covering.order import Runs
    from planner.locate.problem import Cover, Limits

# Temperatures, as shares of what one facility covers on average.
HOT, COLD = 0.06, 0.003
_NEAR = 0.95  # of the swaps go to a candidate that shares a client
_OVERHEAD = 30.0  # entries that choosing a swap is worth
_CHUNK = 2e7  # entries between looks at the clock
_FREE, _SHARED = -1, -2  # who alone covers a client: nobody at all, or nobody alone


class Tally(NamedTuple):
    """Who covers what under a choice; a plain tuple so that numba takes it, written in place.

    Attributes
    ----------
    times
        How often each client is covered.
    mark
        The chosen that cover it, combined by exclusive or: with `times` 1 it is the one.
    sole
        The chosen candidate that alone covers a client; -1 nobody does, -2 several do.
    loss
        Of each chosen candidate: weight that it alone covers.
    barred
        How many chosen rivals each candidate has.
    inside
        bool: chosen.
    """

    times: np.ndarray
    mark: np.ndarray
    sole: np.ndarray
    loss: np.ndarray
    barred: np.ndarray
    inside: np.ndarray


def anneal(
    cover: Cover,
    weight: np.ndarray,
    limits: Limits,
    chosen: np.ndarray,
    *,
    trials: int,
    rng: np.random.Generator,
    deadline: float = math.inf,
) -> np.ndarray:
    """Return the best choice met while swapping one for one by chance.

    Parameters
    ----------
    cover, weight, limits
        The problem.
    chosen
        Where to start; it keeps the limits, and so does every choice met.
    trials
        So many swaps are tried.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Kirkpatrick, Gelatt & Vecchi (1983), "Optimization by simulated annealing". A swap is priced by
    one pass over the newcomer's clients: those whom nobody covers, or only the one that leaves.
    """
    mass = np.add.reduceat(np.append(weight[cover.client], 0), cover.start[:-1])
    mass[np.diff(cover.start) == 0] = 0
    runs = make_runs(cover)
    line, best, top = chosen, chosen, -1
    held = [cover.client[cover.start[j] : cover.start[j + 1]] for j in chosen]
    covered = int(weight[np.unique(np.concatenate(held))].sum())
    heat, fall = HOT * max(1.0, covered / chosen.size), (COLD / HOT) ** (1.0 / max(1, trials))
    chunk = max(1, int(_CHUNK / trial_work(cover)))
    for first in range(0, trials, chunk):
        count = min(chunk, trials - first)
        line, found, value, heat = _anneal(
            cover, runs, weight, limits, mass, line, rng, count, heat, fall
        )
        if value > top:
            best, top = found, value
        if working_seconds() > deadline:
            break
    return best


def trial_work(cover: Cover) -> float:
    """Return about how many entries of the cover a trial touches."""
    return _OVERHEAD + max(1.0, cover.client.size / max(1, cover.start.size - 1))


@compiled
def _anneal(  # noqa: PLR0917
    cover: Cover,
    runs: Runs,
    weight: np.ndarray,
    limits: Limits,
    mass: np.ndarray,
    chosen: np.ndarray,
    rng: np.random.Generator,
    trials: int,
    heat: float,
    fall: float,
) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Try so many swaps; return the last choice, the best one, its value and the heat left."""
    n, m = cover.start.size - 1, weight.size
    tally = Tally(
        np.zeros(m, np.int32),
        np.zeros(m, np.int32),
        np.full(m, _FREE, np.int32),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.bool_),
    )
    line = chosen.copy()
    spent, value = 0.0, 0
    for j in line:
        value += _enter(runs, weight, limits, tally, j)
        spent += limits.cost[j]
    best, top = line.copy(), value
    room = limits.budget + 1e-9 * max(1.0, abs(limits.budget))
    for _ in range(trials):
        heat *= fall
        turn = int(rng.random() * line.size)
        out = line[turn]
        j = draw_neighbour(cover, out, rng)
        if tally.inside[j] or spent - limits.cost[out] + limits.cost[j] > room:
            continue
        least = tally.loss[out] + heat * np.log(rng.random() + 1e-300)
        if mass[j] < least or _worth(runs, weight, tally.sole, j, out) < least:
            continue
        if limits.rival.size > 0 and tally.barred[j] > count_rivalry(limits, out, j):
            continue
        value -= _leave(runs, weight, limits, tally, out)
        value += _enter(runs, weight, limits, tally, j)
        spent += limits.cost[j] - limits.cost[out]
        line[turn] = j
        if value > top:
            best, top = line.copy(), value
    return line, best, top, heat


@compiled
def _worth(runs: Runs, weight: np.ndarray, sole: np.ndarray, j: int, out: int) -> int:
    """Weight that j would add once `out` has left."""
    total = 0
    for k in range(runs.start[j], runs.start[j + 1]):
        for i in range(runs.first[k], runs.stop[k]):
            total += weight[i] * ((sole[i] == _FREE) | (sole[i] == out))
    return total


@compiled
def _enter(runs: Runs, weight: np.ndarray, limits: Limits, tally: Tally, j: int) -> int:
    """Choose j; return what it adds."""
    gained = 0
    for k in range(runs.start[j], runs.start[j + 1]):
        for i in range(runs.first[k], runs.stop[k]):
            tally.times[i] += 1
            tally.mark[i] ^= j
            if tally.times[i] == 1:
                gained += weight[i]
                tally.sole[i] = j
            elif tally.times[i] == 2:
                tally.loss[tally.sole[i]] -= weight[i]
                tally.sole[i] = _SHARED
    tally.loss[j] = gained
    tally.inside[j] = True
    for q in range(limits.start[j], limits.start[j + 1]):
        tally.barred[limits.rival[q]] += 1
    return gained


@compiled
def _leave(runs: Runs, weight: np.ndarray, limits: Limits, tally: Tally, j: int) -> int:
    """Drop j from the chosen; return what is lost."""
    lost = tally.loss[j]
    for k in range(runs.start[j], runs.start[j + 1]):
        for i in range(runs.first[k], runs.stop[k]):
            tally.times[i] -= 1
            tally.mark[i] ^= j
            if tally.times[i] == 0:
                tally.sole[i] = _FREE
            elif tally.times[i] == 1:
                tally.sole[i] = tally.mark[i]
                tally.loss[tally.mark[i]] += weight[i]
    tally.loss[j] = 0
    tally.inside[j] = False
    for q in range(limits.start[j], limits.start[j + 1]):
        tally.barred[limits.rival[q]] -= 1
    return lost


@compiled
def count_rivalry(limits: Limits, one: int, other: int) -> int:
    """Tell how often two candidates are rivals: 0 or 1."""
    for q in range(limits.start[one], limits.start[one + 1]):
        if limits.rival[q] == other:
            return 1
    return 0


@compiled
def draw_neighbour(cover: Cover, j: int, rng: np.random.Generator) -> int:
    """Draw a candidate that shares a client with j, mostly; else any."""
    length = cover.start[j + 1] - cover.start[j]
    if length > 0 and rng.random() < _NEAR:
        i = cover.client[cover.start[j] + int(rng.random() * length)]
        return cover.candidate[
            cover.back[i] + int(rng.random() * (cover.back[i + 1] - cover.back[i]))
        ]
    return int(rng.random() * (cover.start.size - 1))
