"""Sets of clients whose zero-half cut a relaxation's choice breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_SHARE = 0.01  # candidates with a smaller share are left aside while searching
_LOOSE = 0.5  # a client further than this from tight is in no set
_HOPELESS = -0.2  # sets that lack more are not changed
_OFTEN = 3  # new cuts a round that a client may be part of
_MOST = 30_000  # new cuts a round


class Support(NamedTuple):
    """The candidates with a share and the clients they hold; a plain tuple so that numba takes it.

    Attributes
    ----------
    back, holder
        Client i is held by ``holder[back[i] : back[i + 1]]``; by none if it is not tight enough.
    start, client
        Candidate j holds ``client[start[j] : start[j + 1]]``.
    share, weight
        Of the candidates; of the clients.
    apart
        Of each client: what it is covered beyond what is counted, and what is not counted of it.
    worth
        Of each client: the share of its candidates.
    """

    back: np.ndarray
    holder: np.ndarray
    start: np.ndarray
    client: np.ndarray
    share: np.ndarray
    weight: np.ndarray
    apart: np.ndarray
    worth: np.ndarray


class Room(NamedTuple):
    """Working space of a search; all zero, or False, between uses."""

    odd: np.ndarray
    near: np.ndarray
    shared: np.ndarray
    touched: np.ndarray


@compiled
def find_support(  # noqa: C901
    cover: Cover, x: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> Support:
    """Leave out candidates without a share and clients that are far from tight."""
    n, m = x.size, weight.size
    worth, apart = np.zeros(m), np.empty(m)
    for j in range(n):
        if x[j] > _SHARE:
            for k in range(cover.start[j], cover.start[j + 1]):
                worth[cover.client[k]] += x[j]
    back, holder, at = np.zeros(m + 1, np.int64), np.empty(cover.candidate.size, np.int32), 0
    for i in range(m):
        counted = min(y[i], 1.0, worth[i])
        apart[i] = worth[i] + 1.0 - 2.0 * counted
        if apart[i] < _LOOSE:
            for k in range(cover.back[i], cover.back[i + 1]):
                if x[cover.candidate[k]] > _SHARE:
                    holder[at] = cover.candidate[k]
                    at += 1
        back[i + 1] = at
    start, client, at = np.zeros(n + 1, np.int64), np.empty(at, np.int32), 0
    for j in range(n):
        if x[j] > _SHARE:
            for k in range(cover.start[j], cover.start[j + 1]):
                if apart[cover.client[k]] < _LOOSE:
                    client[at] = cover.client[k]
                    at += 1
        start[j + 1] = at
    return Support(back, holder[:at].copy(), start, client, x, weight, apart, worth)


@compiled
def _walk(i: int, support: Support, rng: np.random.Generator) -> int:
    """Draw a candidate of a client by its share, and one of the candidate's clients."""
    left = rng.random() * support.worth[i]
    j = support.holder[support.back[i + 1] - 1]
    for k in range(support.back[i], support.back[i + 1]):
        left -= support.share[support.holder[k]]
        if left <= 0.0:
            j = support.holder[k]
            break
    first, stop = support.start[j], support.start[j + 1]
    return support.client[first + int(rng.random() * (stop - first))]


@compiled
def _toggle(i: int, support: Support, odd: np.ndarray) -> float:
    """Let a client in or out; return by how much the share covered an odd number of times grows."""
    grown = 0.0
    for k in range(support.back[i], support.back[i + 1]):
        j = support.holder[k]
        grown += -support.share[j] if odd[j] else support.share[j]
        odd[j] = not odd[j]
    return grown


@compiled
def _best_partner(  # noqa: C901, PLR0912
    members: np.ndarray, place: int, support: Support, room: Room
) -> tuple[int, float, int]:
    """Find the client that, at a place of a set, makes it broken most; -1 if there is none.

    Returns it, by how much the cut is then broken, times the least weight if it is, and the work.
    """
    loose, odd, least = 0.0, 0.0, np.inf
    for k in range(members.size):
        if k != place:
            loose += support.apart[members[k]]
            least = min(least, support.weight[members[k]])
            odd += _toggle(members[k], support, room.odd)
    near = 0
    for k in range(members.size):
        if k != place:
            for q in range(support.back[members[k]], support.back[members[k] + 1]):
                j = support.holder[q]
                if room.odd[j]:
                    room.odd[j] = False
                    room.near[near] = j
                    near += 1
    touched, work = 0, 0
    for q in range(near):
        j = room.near[q]
        work += support.start[j + 1] - support.start[j]
        for k in range(support.start[j], support.start[j + 1]):
            i = support.client[k]
            if room.shared[i] == 0.0:
                room.touched[touched] = i
                touched += 1
            room.shared[i] += support.share[j]
    for k in range(members.size):
        if k != place:
            room.shared[members[k]] = -np.inf
    best, lead = -1, -np.inf
    for q in range(touched):
        i = room.touched[q]
        broken = 1.0 - loose - odd - support.apart[i] - support.worth[i] + 2.0 * room.shared[i]
        broken *= 0.5 * min(least, support.weight[i]) if broken > 0.0 else 0.5
        if broken > lead:
            best, lead = i, broken
        room.shared[i] = 0.0
    for k in range(members.size):
        if k != place:
            room.shared[members[k]] = 0.0
    return best, lead, work + touched


@compiled
def find_sets(  # noqa: C901, PLR0917
    support: Support, size: int, trials: int, sweeps: int, least: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """Find sets of clients whose cut is broken: random walks, then the best change of each member.

    Notes
    -----
    With every client's row tight, a cut is broken by half of one minus the share of the candidates
    that cover an odd number of its clients (compare Andreello, Caprara & Fischetti 2007, "Embedding
    {0,1/2}-cuts in a branch-and-cut framework"), so what each client would add to a set is known
    from one pass over the candidates that cover an odd number of the others.

    Returns the sets, their worth, and the entries read.
    """
    n, m = support.start.size - 1, support.weight.size
    room = Room(np.zeros(n, np.bool_), np.empty(n, np.int64), np.zeros(m), np.empty(m, np.int64))
    out, gain = np.full((trials, 5), m, np.int64), np.zeros(trials)
    members = np.empty(size, np.int64)
    found, work = 0, 0
    first = int(rng.random() * m)
    for trial in range(trials):
        members[0] = (first + trial * 7919) % m
        if support.back[members[0]] == support.back[members[0] + 1]:
            continue
        good = True
        for k in range(1, size - 1):
            members[k] = _walk(members[k - 1], support, rng)
            for q in range(k):
                good = good and members[q] != members[k]
        if not good:
            continue
        best, value, read = _best_partner(members, size - 1, support, room)
        work += read
        if best < 0 or value < _HOPELESS:
            continue
        members[size - 1] = best
        quiet, place = 0, 0
        for _ in range(sweeps * size):
            if quiet == size - 1:
                break
            best, changed, read = _best_partner(members, place, support, room)
            work += read
            quiet += 1
            if best >= 0 and changed > value + 1e-12:
                members[place], value, quiet = best, changed, 0
            place = (place + 1) % size
        if value > least:
            out[found, :size] = np.sort(members)
            gain[found] = value
            found += 1
    return out[:found].copy(), gain[:found].copy(), work


@compiled
def pick_sets(  # noqa: C901
    kept: np.ndarray, member: np.ndarray, size: np.ndarray, m: int
) -> np.ndarray:
    """Pick new cuts in the order given: no client twice or too often, none known already."""
    used = np.zeros(m + 1, np.int64)
    slots = 2
    while slots < 4 * (kept.shape[0] + member.shape[0] + 1):
        slots *= 2
    table = np.zeros(slots, np.int64)
    picked = np.empty(member.shape[0], np.int64)
    count = 0
    for row in range(kept.shape[0] + member.shape[0]):
        new = row - kept.shape[0]
        clients = kept[row] if new < 0 else member[new]
        if new >= 0:
            good = count < _MOST
            for k in range(size[new]):
                good = good and used[clients[k]] < _OFTEN
                good = good and (k == 0 or clients[k] != clients[k - 1])
            if not good:
                continue
        key = 1
        for i in clients:
            key = (key ^ i) * 1099511628211
            key ^= key >> 29
        key |= 1
        at = (key >> 7) & (slots - 1)
        while table[at] != 0 and table[at] != key:
            at = (at + 1) & (slots - 1)
        if table[at] == key:
            continue
        table[at] = key
        if new >= 0:
            for k in range(size[new]):
                used[clients[k]] += 1
            picked[count] = new
            count += 1
    return picked[:count].copy()
