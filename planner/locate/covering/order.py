"""Number clients so that covers are runs of consecutive numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from planner.locate.problem import Cover

_LEVELS = 16  # of the Hilbert curve: 2**16 cells a side
_SMOOTHINGS = 24  # rounds that draw neighbours together where no coordinates are known


class Runs(NamedTuple):
    """Covers as runs of consecutive clients; a plain tuple so that numba takes it.

    Attributes
    ----------
    start, first, stop
        Candidate j covers the clients ``first[k] … stop[k] - 1`` of the runs k from ``start[j]``
        to ``start[j + 1] - 1``.
    """

    start: np.ndarray
    first: np.ndarray
    stop: np.ndarray


def order_clients(cover: Cover, xy: np.ndarray | None) -> np.ndarray:
    """Return a new number for each client, so that covers fall into few runs.

    Parameters
    ----------
    cover
        Candidates × clients.
    xy
        Shape (candidates, 2), a hint; without it, coordinates are made up from the cover.

    Notes
    -----
    A client lies about where the mean of its candidates lies, and the clients are numbered along a
    Hilbert curve through these means (Hilbert 1891; for runs of clustered cells see Moon, Jagadish,
    Faloutsos & Saltz 2001, "Analysis of the clustering properties of the Hilbert space-filling
    curve"). The order they come in is kept where its runs are no more.
    """
    clients = cover.back.size - 1
    given = np.arange(clients)
    if clients < 2:
        return given
    points = np.empty((clients, 2))
    _means(cover.back, cover.candidate, place_candidates(cover, xy), points)
    low = points.min(axis=0)
    side = max(float((points.max(axis=0) - low).max()), np.finfo(float).tiny)
    cell = ((points - low) / side * ((1 << _LEVELS) - 1)).astype(np.int64)
    place = np.empty(clients, dtype=np.int64)
    place[np.argsort(_hilbert(cell), kind="stable")] = given
    return place if _count_runs(cover, place) < _count_runs(cover, given) else given


def place_candidates(cover: Cover, xy: np.ndarray | None) -> np.ndarray:
    """Return coordinates of the candidates: those given, or some made up from the cover."""
    if xy is None or not np.isfinite(xy).all():
        return _made_up(cover)
    return np.asarray(xy, dtype=np.float64)


def make_runs(cover: Cover) -> Runs:
    """Write each candidate's sorted clients as runs."""
    return Runs(*_runs(cover.start, cover.client))


def _made_up(cover: Cover) -> np.ndarray:
    """Draw candidates and clients that know each other together, from random places."""
    sites = np.random.default_rng(0).standard_normal((cover.start.size - 1, 2))
    points = np.empty((cover.back.size - 1, 2))
    for _ in range(_SMOOTHINGS):
        _means(cover.back, cover.candidate, sites, points)
        _means(cover.start, cover.client, points, sites)
        sites -= sites.mean(axis=0)
        one, two = sites.T
        two -= one * (one @ two) / max(float(one @ one), 1e-300)
        sites = np.column_stack([one, two])
        sites /= np.maximum(np.abs(sites).max(axis=0), 1e-300)
    return sites


@compiled
def _means(start: np.ndarray, member: np.ndarray, xy: np.ndarray, out: np.ndarray) -> None:
    for i in range(start.size - 1):
        x, y = 0.0, 0.0
        for k in range(start[i], start[i + 1]):
            x += xy[member[k], 0]
            y += xy[member[k], 1]
        size = max(1, start[i + 1] - start[i])
        out[i, 0], out[i, 1] = x / size, y / size


@compiled
def _hilbert(cell: np.ndarray) -> np.ndarray:
    """Distance along the Hilbert curve of cells on a grid of 2**_LEVELS a side."""
    out = np.empty(cell.shape[0], np.int64)
    for k in range(cell.shape[0]):
        x, y, along = cell[k, 0], cell[k, 1], 0
        half = 1 << (_LEVELS - 1)
        while half > 0:
            right, upper = (x & half) > 0, (y & half) > 0
            along += half * half * ((3 * right) ^ upper)
            x &= half - 1
            y &= half - 1
            if not upper:
                if right:
                    x, y = half - 1 - x, half - 1 - y
                x, y = y, x
            half >>= 1
        out[k] = along
    return out


@compiled
def _count_runs(cover: Cover, place: np.ndarray) -> int:
    """Count the runs under other numbers: clients whose predecessor is not in the same cover."""
    at = np.empty(place.size, np.int64)
    for i in range(place.size):
        at[place[i]] = i
    inside = np.full(cover.start.size - 1, -1, np.int64)
    runs = 0
    for number in range(place.size):
        i = at[number]
        for k in range(cover.back[i], cover.back[i + 1]):
            j = cover.candidate[k]
            if inside[j] != number - 1 or number == 0:
                runs += 1
            inside[j] = number
    return runs


@compiled
def _runs(start: np.ndarray, client: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    short = np.zeros(start.size, np.int64)
    runs = 0
    for j in range(start.size - 1):
        for k in range(start[j], start[j + 1]):
            if k == start[j] or client[k] != client[k - 1] + 1:
                runs += 1
        short[j + 1] = runs
    first = np.empty(runs, np.int32)
    stop = np.empty(runs, np.int32)
    at = -1
    for j in range(start.size - 1):
        for k in range(start[j], start[j + 1]):
            if k == start[j] or client[k] != client[k - 1] + 1:
                at += 1
                first[at] = client[k]
            stop[at] = client[k] + 1
    return short, first, stop
