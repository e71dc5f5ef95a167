"""Proven lower bounds of the p-median by Lagrangean multipliers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.median.lists import Lists


class Certificate(NamedTuple):
    """A bound, and what opening each column adds to it: never above 0."""

    bound: int
    reduced: np.ndarray


class Ascent:
    """Multipliers that climb; the best so far and the choice they like best are kept.

    Attributes
    ----------
    u
        float64 of every client.
    chosen
        The cheapest choice that any multipliers liked, and `cost`, what it costs.

    Notes
    -----
    Minimise Σ_ij c_ij y_ij with Σ_j y_ij = 1 relaxed by multipliers u: for any u_i at most what
    client i costs unserved, Σ_i u_i + the p least of Σ_i min(0, c_ij - u_i) is a bound (Cornuéjols,
    Fisher & Nemhauser 1977, "Location of bank accounts to optimize float"). Steps have the length
    of Polyak (1969) towards the best known cost, along a subgradient deflected by the last
    direction (Camerini, Fratta & Maffioli 1975).
    """

    def __init__(self, lists: Lists, count: int, chosen: np.ndarray) -> None:
        self.lists, self.count = lists, count
        first, second = _two_nearest(lists, chosen)
        self.now = 0.5 * (first + second)
        self.u = self.now.copy()
        self.direction = np.zeros(self.now.size)
        # the share of the way, the best bound, and the steps since it rose
        self.state = np.array([1.0, -np.inf, 0.0])
        self.chosen, self.cost = chosen, np.iinfo(np.int64).max

    @property
    def best(self) -> float:
        """The best bound so far, in floating point."""
        return float(self.state[1])

    @property
    def settled(self) -> bool:
        """Whether steps have become too short to matter."""
        return bool(self.state[0] < 1e-4)

    def advance(self, steps: int, target: float, stop: float) -> None:
        """Take some steps towards a target; stop once the bound exceeds `stop`."""
        chosen, cost = _ascend(
            self.lists,
            self.count,
            self.now,
            self.u,
            self.direction,
            self.state,
            np.array([target, stop]),
            steps,
        )
        if cost < self.cost:
            self.chosen, self.cost = chosen, int(cost)


def certify(lists: Lists, count: int, u: np.ndarray) -> Certificate:
    """Evaluate the bound at multipliers in integers: it holds whatever the arithmetic."""
    whole = np.clip(np.floor(u), 0, lists.most).astype(np.int64)
    reduced = _reduced(lists, whole)
    least = np.partition(reduced, count - 1)[:count] if count < reduced.size else reduced
    return Certificate(int(whole.sum()) + int(least.sum()), reduced)


@compiled
def _reduced(lists: Lists, u: np.ndarray) -> np.ndarray:
    out = np.zeros(lists.back.size - 1, np.int64)
    for i in range(u.size):
        for k in range(lists.start[i], lists.start[i + 1]):
            if lists.cost[k] >= u[i]:
                break
            out[lists.column[k]] += lists.cost[k] - u[i]
    return out


@compiled
def _two_nearest(lists: Lists, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = np.zeros(lists.back.size - 1, np.bool_)
    inside[chosen] = True
    first, second = lists.most.astype(np.float64), lists.most.astype(np.float64)
    for i in range(first.size):
        seen = 0
        for k in range(lists.start[i], lists.start[i + 1]):
            if inside[lists.column[k]]:
                seen += 1
                if seen == 2:
                    second[i] = lists.cost[k]
                    break
                first[i] = lists.cost[k]
        if seen == 1 and lists.start[i + 1] > lists.start[i]:
            second[i] = min(second[i], max(first[i], lists.cost[lists.start[i + 1] - 1]))
    return first, second


@compiled
def _price(lists: Lists, now: np.ndarray, reduced: np.ndarray) -> float:
    """Write the reduced cost of each column; return the sum of the multipliers."""
    reduced[:] = 0.0
    total = 0.0
    for i in range(now.size):
        total += now[i]
        for k in range(lists.start[i], lists.start[i + 1]):
            if lists.cost[k] >= now[i]:
                break
            reduced[lists.column[k]] += lists.cost[k] - now[i]
    return total


@compiled
def _deflect(
    lists: Lists, now: np.ndarray, inside: np.ndarray, direction: np.ndarray
) -> tuple[np.int64, float]:
    """Turn the direction towards the subgradient; → what the choice costs, and its square."""
    cost, norm = np.int64(0), 0.0
    for i in range(now.size):
        over, mine = 1.0, lists.most[i]
        for k in range(lists.start[i], lists.start[i + 1]):
            if lists.cost[k] >= now[i] and mine < lists.most[i]:
                break
            if inside[lists.column[k]]:
                mine = min(mine, lists.cost[k])
                if lists.cost[k] < now[i]:
                    over -= 1.0
        cost += mine
        if (over > 0.0 and now[i] >= lists.most[i]) or (over < 0.0 and now[i] <= 0.0):
            over = 0.0
        direction[i] = over + 0.3 * direction[i]
        norm += direction[i] * direction[i]
    return cost, norm


@compiled
def _ascend(  # noqa: PLR0917
    lists: Lists,
    count: int,
    now: np.ndarray,
    best: np.ndarray,
    direction: np.ndarray,
    state: np.ndarray,
    aims: np.ndarray,
    steps: int,
) -> Any:
    """Take steps in place; return the cheapest choice that the multipliers liked, and its cost."""
    n, m = lists.back.size - 1, now.size
    target, stop = aims[0], aims[1]
    reduced = np.empty(n)
    inside = np.empty(n, np.bool_)
    liked, least = np.zeros(count, np.int64), np.int64(2) ** 62
    for _ in range(steps):
        bound = _price(lists, now, reduced)
        order = np.argsort(reduced)[:count]
        inside[:] = False
        for j in order:
            inside[j] = True
            bound += reduced[j]
        if bound > state[1]:
            state[2] = state[2] + 1.0 if bound < state[1] + 1e-4 * (target - state[1]) else 0.0
            state[1] = bound
            best[:] = now
        else:
            state[2] += 1.0
        if state[1] > stop:
            break
        if state[2] > 15.0:
            state[0] *= 0.6
            state[2] = 0.0
            now[:] = best
            direction[:] = 0.0
            if state[0] < 1e-4:
                break
            continue
        cost, norm = _deflect(lists, now, inside, direction)
        if cost < least:
            least, liked = cost, order.copy()
        if norm == 0.0:
            state[0] = 0.0
            break
        length = state[0] * max(target - bound, 1e-6 * abs(target)) / norm
        for i in range(m):
            now[i] = min(float(lists.most[i]), max(0.0, now[i] + length * direction[i]))
    return liked, least
