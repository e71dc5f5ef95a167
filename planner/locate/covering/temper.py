"""Better covers by annealing, and by searches at several temperatures that trade places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled, inlined, working_seconds
from planner.locate.covering.heuristics import covered_weight, lazy_greedy

if TYPE_CHECKING:
    from planner.locate.problem import Cover

# The hottest temperature, as a share of what the last facilities of a greedy choice add; how far
# the coldest lies under it, at least and at most; and the next under each.
_HOT, _NEAR, _FAR, _STEP = 0.06, 4.0, 60.0, 1.3
_RUNGS, _CALM = 12, 2 / 3  # temperatures that annealing passes, so much colder: it never returns
_LAST = 10  # one in so many of a greedy choice are its last
_SWEEP = 0.25  # of the candidates are tried before temperatures trade places
_CHUNK = 1e8  # entries between looks at the clock
_OVERHEAD, _PLACE = 10.0, 0.2  # entries that a trial is worth besides its cover, and for each place
_NEVER = 25.0  # temperatures down: a step so bad is not taken


class Chain(NamedTuple):
    """A search; a plain tuple so that numba takes it, written in place.

    With p places for the chosen, n candidates and m clients:

    Attributes
    ----------
    line
        Shape (p,): the chosen candidate at each place.
    inside
        Shape (n,), bool: chosen.
    times
        Shape (m,): how often each client is covered.
    mark
        Shape (m,): the places that cover it, combined by exclusive or.
    sole
        Shape (m,): the place that alone covers it; p where nobody does, p + 1 where several do.
    loss
        Shape (p,): weight that each place alone covers.
    """

    line: np.ndarray
    inside: np.ndarray
    times: np.ndarray
    mark: np.ndarray
    sole: np.ndarray
    loss: np.ndarray


class Chains(NamedTuple):
    """Searches side by side: arrays with a row for each, the weight it covers, and its rank.

    Attributes
    ----------
    rows
        What `Chain` holds, of all.
    value
        Shape (chains,): weight covered.
    turn
        Shape (chains,): the chain at each temperature.
    """

    rows: Chain
    value: np.ndarray
    turn: np.ndarray


def make_ladder(cover: Cover, weight: np.ndarray, count: int, margin: float) -> np.ndarray:
    """Return temperatures for so many facilities, the hottest first.

    What the last of a greedy choice add is the scale on which choices differ. `margin` is what the
    relaxation gives for one more: where it is far less, choices can be had that leave almost
    nothing, and differ by little.
    """
    greedy, last = lazy_greedy(cover, weight, count), math.ceil(count / _LAST)
    added = covered_weight(cover, weight, greedy) - covered_weight(cover, weight, greedy[:-last])
    added = max(1.0, added / last)
    width = np.clip(_NEAR * math.sqrt(added / max(1e-9, margin)), _NEAR, _FAR)
    ranks = 1 + math.ceil(math.log(width) / math.log(_STEP))
    return np.geomspace(_HOT * added, _HOT * added / width, ranks)


def start_chains(cover: Cover, weight: np.ndarray, chosen: np.ndarray, count: int) -> Chains:
    """Begin so many searches, all with the same choice."""
    n, m, p = cover.start.size - 1, weight.size, chosen.size
    rows = Chain(
        line=np.tile(chosen.astype(np.int64), (count, 1)),
        inside=np.zeros((count, n), dtype=np.bool_),
        times=np.zeros((count, m), dtype=np.int32),
        mark=np.zeros((count, m), dtype=np.int32),
        sole=np.full((count, m), p, dtype=np.int32),
        loss=np.zeros((count, p), dtype=np.int64),
    )
    chains = Chains(rows, value=np.zeros(count, dtype=np.int64), turn=np.arange(count))
    _fill(cover, weight, chains)
    return chains


def cool(
    cover: Cover,
    weight: np.ndarray,
    chosen: np.ndarray,
    heat: np.ndarray,
    *,
    trials: int,
    rng: np.random.Generator,
    deadline: float = math.inf,
) -> np.ndarray:
    """Return the best choice that one search meets on its way down the temperatures.

    Parameters are those of `temper`, and `chosen`, where it starts.

    Notes
    -----
    Kirkpatrick, Gelatt & Vecchi (1983), "Optimization by simulated annealing".
    """
    chains, best = start_chains(cover, weight, chosen, 1), chosen
    for rung in _CALM * np.geomspace(heat[0], heat[-1], _RUNGS):
        met = temper(
            cover, weight, chains, np.array([rung]), trials=math.ceil(trials / _RUNGS), rng=rng,
            deadline=deadline,
        )  # fmt: skip
        best = max(best, met[0], key=lambda line: covered_weight(cover, weight, line))
    return best


def temper(
    cover: Cover,
    weight: np.ndarray,
    chains: Chains,
    heat: np.ndarray,
    *,
    trials: int,
    rng: np.random.Generator,
    deadline: float = math.inf,
) -> np.ndarray:
    """Search on; return the best choice that each temperature met, shape (chains, places).

    Parameters
    ----------
    cover, weight
        The problem; nothing but the count limits it.
    chains
        Where to go on from; where they end is written there.
    heat
        The temperatures, as `make_ladder` gives them.
    trials
        So many candidates are tried, those of all temperatures together.
    deadline
        `working_seconds()` at which to stop.

    Notes
    -----
    Swendsen & Wang (1986), "Replica Monte Carlo simulation of spin-glasses"; Geyer (1991), "Markov
    chain Monte Carlo maximum likelihood". A hot search crosses from one part of the map's choices
    to another and a cold one settles, so no schedule of cooling has to suit the problem.

    A step draws a newcomer, and who leaves for it by heat bath: each place, and none, with a
    chance that falls with what the exchange would cost. One pass over the newcomer's clients
    prices all places (Resende & Werneck 2007, "A fast swap-based local search procedure for
    location problems").
    """
    n = cover.start.size - 1
    steps = max(1, int(_SWEEP * n))
    rounds = math.ceil(trials / (steps * heat.size))
    chunk = max(1, int(_CHUNK / (steps * heat.size * trial_work(cover, chains.rows.line.shape[1]))))
    best, top = chains.rows.line[chains.turn], chains.value[chains.turn]
    for first in range(0, rounds, chunk):
        if working_seconds() > deadline:
            break
        count = min(chunk, rounds - first)
        _temper(cover, weight, chains, heat, rng, first, first + count, steps, best, top)
    return best


def trial_work(cover: Cover, places: int) -> float:
    """Return about how many entries of the cover a trial is worth."""
    return _OVERHEAD + cover.client.size / max(1, cover.start.size - 1) + _PLACE * places


@compiled
def _fill(cover: Cover, weight: np.ndarray, chains: Chains) -> None:
    """Choose what the lines hold."""
    for k in range(chains.value.size):
        chain = _row(chains.rows, k)
        for place in range(chain.line.size):
            chains.value[k] += _enter(cover, weight, chain, place, chain.line[place])


@compiled
def _row(rows: Chain, k: int) -> Chain:
    return Chain(
        rows.line[k], rows.inside[k], rows.times[k], rows.mark[k], rows.sole[k], rows.loss[k]
    )


@compiled
def _temper(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    chains: Chains,
    heat: np.ndarray,
    rng: np.random.Generator,
    first: int,
    stop: int,
    steps: int,
    best: np.ndarray,
    top: np.ndarray,
) -> None:
    """Let each temperature take so many steps, then neighbours trade places; round by round."""
    for turn in range(first, stop):
        for rank in range(heat.size):
            k = chains.turn[rank]
            chains.value[k], top[rank] = _walk(
                cover, weight, _row(chains.rows, k), heat[rank], rng, steps, chains.value[k],
                best[rank], top[rank],
            )  # fmt: skip
        for rank in range(turn % 2, heat.size - 1, 2):
            warm, cold = chains.turn[rank], chains.turn[rank + 1]
            more = float(chains.value[warm] - chains.value[cold])
            if np.log(rng.random() + 1e-300) < more * (1.0 / heat[rank + 1] - 1.0 / heat[rank]):
                chains.turn[rank], chains.turn[rank + 1] = cold, warm


@compiled
def _walk(  # noqa: PLR0917
    cover: Cover,
    weight: np.ndarray,
    chain: Chain,
    heat: float,
    rng: np.random.Generator,
    steps: int,
    value: int,
    best: np.ndarray,
    top: int,
) -> tuple[int, int]:
    """Take so many steps at one temperature; return the value there, and the best one's."""
    places = chain.line.size
    # The newcomer's clients by who alone covers them, zero between steps; what exchanges are worth.
    gain, net = np.zeros(places + 2, np.int64), np.zeros(places, np.int64)
    all_alike = np.log(places)
    for _ in range(steps):
        j = int(rng.random() * chain.inside.size)
        if chain.inside[j]:
            continue
        free, most = _price(cover.start, cover.client, weight, chain.sole, chain.loss, j, gain, net)
        # To stay has the odds 1, each exchange exp(worth / heat): one is made if these exceed odds.
        chance = rng.random()
        odds = chance / (1.0 - chance)
        if free + most < heat * (np.log(odds + 1e-300) - all_alike):
            continue
        place = _draw(net, free, heat, odds, rng)
        if place < 0:
            continue
        _leave(cover, weight, chain, place)
        _enter(cover, weight, chain, place, j)
        value += free + net[place]
        if value > top:
            top = value
            best[:] = chain.line
    return value, top


@inlined
def _price(start, client, weight, sole, loss, j, gain, net):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Write what j is worth at each place, less what nobody covers; return that, and the most."""
    for t in range(start[j], start[j + 1]):
        i = client[t]
        gain[sole[i]] += weight[i]
    most = gain[0] - loss[0]
    for place in range(net.size):
        worth = gain[place] - loss[place]
        net[place] = worth
        if worth > most:  # noqa: PLR1730 - several times as fast
            most = worth
    free = gain[net.size]
    gain[:] = 0
    return free, most


@compiled
def _draw(net: np.ndarray, free: int, heat: float, odds: float, rng: np.random.Generator) -> int:
    """Draw the place to take; -1 where none is."""
    total = 0.0
    for place in range(net.size):
        total += _odds(free + net[place], heat)
    if total <= odds:
        return -1
    left, pick = rng.random() * total, -1
    for place in range(net.size):
        share = _odds(free + net[place], heat)
        if share > 0.0:
            pick = place
            left -= share
            if left < 0.0:
                break
    return pick


@compiled
def _odds(worth: int, heat: float) -> float:
    """Return the odds of an exchange against none; beyond any doubt they stay finite."""
    return np.exp(min(worth / heat, 600.0)) if worth > -_NEVER * heat else 0.0


@compiled
def _enter(cover: Cover, weight: np.ndarray, chain: Chain, place: int, j: int) -> int:
    """Put j at an empty place; return what it adds."""
    added, several = 0, chain.loss.size + 1
    for t in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[t]
        chain.times[i] += 1
        chain.mark[i] ^= place
        if chain.times[i] == 1:
            added += weight[i]
            chain.sole[i] = place
        elif chain.times[i] == 2:
            chain.loss[chain.sole[i]] -= weight[i]
            chain.sole[i] = several
    chain.loss[place] = added
    chain.line[place] = j
    chain.inside[j] = True
    return added


@compiled
def _leave(cover: Cover, weight: np.ndarray, chain: Chain, place: int) -> None:
    """Empty a place."""
    j, nobody = chain.line[place], chain.loss.size
    for t in range(cover.start[j], cover.start[j + 1]):
        i = cover.client[t]
        chain.times[i] -= 1
        chain.mark[i] ^= place
        if chain.times[i] == 0:
            chain.sole[i] = nobody
        elif chain.times[i] == 1:
            chain.sole[i] = chain.mark[i]
            chain.loss[chain.mark[i]] += weight[i]
    chain.inside[j] = False
