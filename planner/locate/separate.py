"""Sets of clients whose zero-half cut a relaxation's choice breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_CLIMB, _HOPELESS = 30, 8  # changes tried on a set of clients; fewer where it is far from a cut
_NEAR = 12  # a changed client is at most so many numbers away, where it is not drawn from a cover
_OFTEN = 3  # new cuts a round that a client may be part of
_MOST = 30_000  # new cuts a round


@compiled
def find_support(cover: Cover, x: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each client the candidates with a share, back to back."""
    m = cover.back.size - 1
    start = np.zeros(m + 1, np.int64)
    out = np.empty(cover.candidate.size, np.int32)
    at = 0
    for i in range(m):
        for k in range(cover.back[i], cover.back[i + 1]):
            if x[cover.candidate[k]] > least:
                out[at] = cover.candidate[k]
                at += 1
        start[i + 1] = at
    return start, out[:at].copy()


@compiled
def _violation(  # noqa: PLR0917
    members: np.ndarray,
    start: np.ndarray,
    holder: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    tally: np.ndarray,
) -> float:
    """By how much the relaxation's choice breaks a set's cut, times its least weight if it does."""
    total, least = 0.0, weight[members[0]]
    for i in members:
        total += y[i]
        least = min(least, weight[i])
        for k in range(start[i], start[i + 1]):
            tally[holder[k]] += 1
    for i in members:
        for k in range(start[i], start[i + 1]):
            j = holder[k]
            if tally[j] > 0:
                total -= x[j] * ((tally[j] + 1) // 2)
                tally[j] = 0
    total -= (members.size - 1) // 2
    return total * least if total > 0.0 else total


@compiled
def _step(  # noqa: PLR0917
    i: int,
    start: np.ndarray,
    holder: np.ndarray,
    cover: Cover,
    x: np.ndarray,
    rng: np.random.Generator,
) -> int:
    """Draw a candidate of a client by its share, and one of the candidate's clients."""
    total = 0.0
    for k in range(start[i], start[i + 1]):
        total += x[holder[k]]
    left = rng.random() * total
    j = holder[start[i + 1] - 1]
    for k in range(start[i], start[i + 1]):
        left -= x[holder[k]]
        if left <= 0.0:
            j = holder[k]
            break
    return cover.client[cover.start[j] + int(rng.random() * (cover.start[j + 1] - cover.start[j]))]


@compiled
def find_sets(  # noqa: C901, PLR0917
    start: np.ndarray,
    holder: np.ndarray,
    cover: Cover,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    size: int,
    trials: int,
    least: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Find sets of clients whose cut is broken: random walks, then changes that break it more."""
    m = weight.size
    tally = np.zeros(x.size, np.int64)
    out = np.full((trials, 5), m, np.int64)
    gain = np.zeros(trials)
    members = np.empty(size, np.int64)
    found = 0
    first = int(rng.random() * m)
    for trial in range(trials):
        members[0] = (first + trial * 7919) % m
        good = start[members[0]] < start[members[0] + 1]
        for k in range(1, size):
            if good:
                members[k] = _step(members[k - 1], start, holder, cover, x, rng)
                good = start[members[k]] < start[members[k] + 1]
        if not good:
            continue
        value = _violation(members, start, holder, x, y, weight, tally)
        for turn in range(_CLIMB):
            if turn == _HOPELESS and value < -0.3:
                break
            k = 1 + int(rng.random() * (size - 1))
            before = members[k]
            if rng.random() < 0.3:
                after = before - _NEAR + int(rng.random() * (2 * _NEAR + 1))
                after = min(m - 1, max(0, after))
            else:
                after = _step(members[int(rng.random() * size)], start, holder, cover, x, rng)
            if after == before or start[after] == start[after + 1]:
                continue
            members[k] = after
            changed = _violation(members, start, holder, x, y, weight, tally)
            if changed > value:
                value = changed
            else:
                members[k] = before
        if value > least:
            out[found, :size] = np.sort(members)
            gain[found] = value
            found += 1
    return out[:found].copy(), gain[:found].copy()


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
