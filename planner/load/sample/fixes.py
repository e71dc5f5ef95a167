"""GPS fixes that the sample city's riders leave: what a phone records, faults included."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.load.sample.ground import to_degrees

if TYPE_CHECKING:
    from planner.load.sample.riders import Stops
    from planner.load.sample.routes import Routes

_MOVING_S = 60.0
_STILL_S = 180.0
_NIGHT_S = 1200.0  # an idle phone reports three times an hour
_NIGHT_MIN_S = 4 * 3600.0
_TICK_S = 5.0  # clocks are read to five seconds
_NOISE_M = 8.0
_CANYONS = ((1050.0, -2200.0, 520.0), (1500.0, -3050.0, 300.0))  # between towers: x, y, radius
_CANYON_NOISE_M = 24.0
_SILENT_SHARE = 0.35  # of riders lose the signal once a day
_FAULTS = {"jump": 6e-4, "zero": 4e-4, "repeat": 1.2e-3}  # shares of fixes


class Fixes(NamedTuple):
    """Arrays of one length, sorted by rider and time."""

    rider: np.ndarray
    second: np.ndarray  # whole seconds since midnight of the first day
    lon: np.ndarray
    lat: np.ndarray


def make_fixes(
    days: list[Stops], offsets_s: tuple[float, ...], routes: Routes, rng: np.random.Generator
) -> Fixes:
    """Record riders at stops and on their ways.

    Parameters
    ----------
    days
        Stops of each day.
    offsets_s
        When each day begins, in seconds since midnight of the first.
    """
    parts = []
    for stops, offset in zip(days, offsets_s, strict=True):
        rider, second, x, y, night = _record(stops, routes, rng)
        parts.append(np.array([rider, _TICK_S * np.rint(second / _TICK_S) + offset, x, y, night]))
    rider, second, x, y, night = np.concatenate(parts, axis=1)
    noise = np.full(len(x), _NOISE_M)
    for cx, cy, radius in _CANYONS:
        noise[(np.hypot(x - cx, y - cy) < radius) & (night == 0)] = _CANYON_NOISE_M
    xy = np.column_stack([x, y]) + rng.normal(0, 1, (len(x), 2)) * noise[:, None]
    return _spoil(rider.astype(np.int64), second.astype(np.int64), xy, night > 0, rng)


def _record(stops: Stops, routes: Routes, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return rider, second, x, y and whether at home of all fixes of a day, without noise."""
    still, at = _at_stops(stops)
    home = stops.leave - stops.arrive >= _NIGHT_MIN_S
    silent = _silent(stops.rider[still], at, rng) & ~home[still]
    still, at = still[~silent], at[~silent]
    leg, then, x, y = _on_the_way(stops, routes)
    silent = _silent(stops.rider[leg], then, rng)
    leg, then, x, y = leg[~silent], then[~silent], x[~silent], y[~silent]
    return (
        np.concatenate([stops.rider[still], stops.rider[leg]]),
        np.concatenate([at, then]),
        np.concatenate([stops.x[still], x]),
        np.concatenate([stops.y[still], y]),
        np.concatenate([home[still], np.zeros(len(leg), dtype=bool)]),
    )


def _at_stops(stops: Stops) -> tuple[np.ndarray, np.ndarray]:
    """Return which stop and when: at the arrival, every few minutes, and on leaving."""
    span = stops.leave - stops.arrive
    pace = np.where(span >= _NIGHT_MIN_S, _NIGHT_S, _STILL_S)
    count = np.ceil(span / pace).astype(np.int64) + 1
    stop = np.repeat(np.arange(len(span)), count)
    k = np.arange(len(stop)) - np.repeat(np.cumsum(count) - count, count)
    return stop, np.minimum(stops.arrive[stop] + k * pace[stop], stops.leave[stop])


def _on_the_way(
    stops: Stops, routes: Routes
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return leg, second, x and y of the fixes between stops, along the streets."""
    leg = np.flatnonzero(stops.rider[:-1] == stops.rider[1:])
    spot, to = stops.node[leg], stops.node[leg + 1]
    vertex, begin = routes.ways(spot, to)
    size = np.diff(begin) + 2  # the way, and the stops at both ends
    first = np.concatenate([[0], np.cumsum(size)])
    x, y = np.empty(first[-1]), np.empty(first[-1])
    inner = np.ones(first[-1], dtype=bool)
    inner[first[:-1]] = inner[first[1:] - 1] = False
    x[inner], y[inner] = routes.xy[vertex].T
    x[first[:-1]], y[first[:-1]] = stops.x[leg], stops.y[leg]
    x[first[1:] - 1], y[first[1:] - 1] = stops.x[leg + 1], stops.y[leg + 1]
    step = np.hypot(np.diff(x), np.diff(y))
    step[first[1:-1] - 1] = 1.0  # from one way to the next
    along = np.concatenate([[0], np.cumsum(step)])
    start, span = stops.leave[leg], stops.arrive[leg + 1] - stops.leave[leg]
    count = np.maximum(np.ceil(span / _MOVING_S).astype(np.int64) - 1, 0)
    own = np.repeat(np.arange(len(leg)), count)
    k = np.arange(len(own)) - np.repeat(np.cumsum(count) - count, count) + 1
    share = k * _MOVING_S / span[own]
    a, b = along[first[:-1]][own], along[first[1:] - 1][own]
    at = a + share * (b - a)
    return leg[own], start[own] + k * _MOVING_S, np.interp(at, along, x), np.interp(at, along, y)


def _silent(rider: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tell which fixes fall into the minutes in which their rider has no signal."""
    n = int(rider.max()) + 1
    begin = rng.uniform(9 * 3600, 20 * 3600, n)
    begin[rng.random(n) > _SILENT_SHARE] = np.inf
    size = rng.uniform(8 * 60, 22 * 60, n)
    return (second >= begin[rider]) & (second < begin[rider] + size[rider])


def _spoil(
    rider: np.ndarray,
    second: np.ndarray,
    xy: np.ndarray,
    home: np.ndarray,
    rng: np.random.Generator,
) -> Fixes:
    """Add what real recordings hold: far outliers, zeros for coordinates, repeated rows."""
    once = np.unique(np.stack([rider, second]), axis=1, return_index=True)[1]
    rider, second, xy, home = rider[once], second[once], xy[once], home[once]
    n = len(rider)
    jump = (rng.random(n) < _FAULTS["jump"]) & ~home
    angle, far = rng.uniform(0, 2 * np.pi, n), rng.uniform(600, 4000, n)
    xy = xy + (jump * far)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    lon, lat = np.round(to_degrees(xy), 5).T.copy()
    zero = (rng.random(n) < _FAULTS["zero"]) & ~home
    lon[zero] = lat[zero] = 0.0
    twice = np.concatenate([np.arange(n), np.flatnonzero(rng.random(n) < _FAULTS["repeat"])])
    order = twice[np.lexsort((twice, second[twice], rider[twice]))]
    return Fixes(rider[order], second[order], lon[order], lat[order])
