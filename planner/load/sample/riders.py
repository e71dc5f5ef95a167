"""The sample city's riders and their days: stop after stop, with the ways between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.load.sample.spots import Spots, make_spots

if TYPE_CHECKING:
    from planner.load.sample.places import Kerbs, Place
    from planner.load.sample.routes import Routes
    from planner.load.sample.streets import Streets

HOUR = 3600.0


class Crew(NamedTuple):
    """How riders of one type spend their days.

    Attributes
    ----------
    riders
        How many there are.
    kmh
        Speed on the way.
    starts
        Hours at which shifts begin (mean, spread) and how many choose each.
    hours
        Length of a shift (mean, spread).
    """

    name: str
    riders: int
    kmh: float
    starts: tuple[tuple[float, float, float], ...]
    hours: tuple[float, float]


CREWS = (
    Crew("food", 360, 19, ((10.1, 0.5, 0.62), (7.0, 0.5, 0.16), (13.2, 0.6, 0.22)), (11.0, 0.7)),
    Crew("courier", 150, 15, ((7.2, 0.4, 1.0),), (11.8, 0.7)),
    Crew("ride", 90, 24, ((6.6, 0.6, 0.55), (11.2, 0.8, 0.45)), (11.0, 0.9)),
)


class Stops(NamedTuple):
    """Where riders stopped: one entry a stop, arrays of one length."""

    rider: np.ndarray
    arrive: np.ndarray  # seconds of the day
    leave: np.ndarray
    node: np.ndarray  # the vertex of the routes nearest to it
    x: np.ndarray
    y: np.ndarray


class Day:
    """All riders of one crew on one day, stepped together: each step is one stop of each."""

    def __init__(
        self,
        crew: Crew,
        world: tuple[Spots, Routes],
        who: np.ndarray,
        homes: np.ndarray,
        rng: np.random.Generator,
        *,
        weekend: bool,
    ) -> None:
        n = len(homes)
        start, spread, share = np.array(crew.starts).T
        shift = rng.choice(len(start), n, p=share / share.sum())
        self.rng, self.crew = rng, crew
        self.spots, self.routes = world
        self.rider = who
        self.weekend = weekend
        self.at = homes.copy()
        self.home = homes
        self.clock = (start[shift] + rng.normal(0, 1, n) * spread[shift]) * HOUR
        self.clock = np.maximum(self.clock, 4.6 * HOUR)
        length = rng.normal(*crew.hours, n)
        self.end = np.minimum(self.clock + length * HOUR, 23.1 * HOUR)
        self.rested = self.clock.copy()  # when the last rest ended
        self.log: list[np.ndarray] = []
        self.stay(np.ones(n, dtype=bool), homes, np.zeros(n), self.clock)

    def stay(
        self, who: np.ndarray, spot: np.ndarray, arrive: np.ndarray, leave: np.ndarray
    ) -> None:
        """Log a stop of some riders."""
        rows = [self.rider[who], arrive[who], leave[who], spot[who]]
        self.log.append(np.array(rows, dtype=float))

    def go(self, who: np.ndarray, spot: np.ndarray, minutes: np.ndarray) -> None:
        """Send some riders to spots where they stay for minutes."""
        way = self.routes.metres(self.spots.node[self.at], self.spots.node[spot])
        speed = self.crew.kmh / 3.6 * self.rng.uniform(0.85, 1.15, len(way))
        arrive = self.clock + way / speed + 20.0
        leave = arrive + 60.0 * minutes
        self.stay(who, spot, arrive, leave)
        self.clock = np.where(who, leave, self.clock)
        self.at = np.where(who, spot, self.at)

    def pick(self, kind: str, reach_m: float) -> np.ndarray:
        """Draw a spot of a kind for each rider, likelier the nearer and the weightier."""
        options = np.flatnonzero(self.spots.draw[kind] > 0)
        here = np.column_stack([self.spots.x, self.spots.y])
        away = np.hypot(*(here[self.at][:, None, :] - here[options][None, :, :]).transpose(2, 0, 1))
        score = np.log(self.spots.draw[kind][options])[None, :] - away / reach_m
        score = np.where(away < 30, -np.inf, score)
        return options[(score + self.rng.gumbel(size=score.shape)).argmax(axis=1)]

    def finish(self) -> np.ndarray:
        """Send everyone home for the night and return the log, shape (4, stops)."""
        everyone = np.ones(len(self.at), dtype=bool)
        until = 24 * HOUR + self.rng.uniform(4.2, 5.6, len(self.at)) * HOUR
        way = self.routes.metres(self.spots.node[self.at], self.spots.node[self.home])
        arrive = self.clock + way / (self.crew.kmh / 3.6)
        self.stay(everyone, self.home, arrive, np.maximum(until, arrive + 4.2 * HOUR))
        return np.concatenate(self.log, axis=1)


def food_step(day: Day) -> bool:
    """One order, or a rest when orders are few; False when every shift is over."""
    rng, hour = day.rng, day.clock / HOUR
    on = day.clock < day.end
    if not on.any():
        return False
    peak = ((hour > 11) & (hour < 13.6)) | ((hour > 17) & (hour < 19.6))
    tired = (day.clock - day.rested) / HOUR
    wants = np.where(peak, 0.015, np.where((hour > 13.6) & (hour < 16.6), 0.5, 0.06))
    rests = on & (rng.random(len(hour)) < wants * np.clip(tired, 0, 1.6))
    day.go(rests, day.pick("rest", 650), rng.gamma(5.5, 8.0, len(hour)).clip(20, 95))
    day.rested = np.where(rests, day.clock, day.rested)
    works = on & ~rests
    wait = np.where(peak, rng.gamma(6.0, 1.5, len(hour)), rng.gamma(3.4, 1.7, len(hour)))
    day.go(works, day.pick("weekend" if day.weekend else "meal", 750), wait.clip(2.2, 18))
    evening = (day.clock / HOUR > 16.8).mean() > 0.5 or day.weekend
    goal = day.pick("dine_home" if evening else "dine_work", 900)
    day.go(works, goal, rng.gamma(3.0, 1.0, len(hour)).clip(1.2, 9))
    pause = np.where(peak, 0.6, 17.0) * rng.exponential(1, len(hour))
    idle = works & (pause > 5)
    day.go(idle, day.pick("idle", 350), pause.clip(5, 40))
    return True


def courier_step(day: Day) -> bool:
    """Bring parcels to a door; now and then reload at the depot, at noon perhaps rest."""
    rng = day.rng
    on = day.clock < day.end
    if not on.any():
        return False
    n, hour = len(day.clock), day.clock / HOUR
    depot = day.spots.depot_of[day.home]
    reload = on & ((day.clock - day.rested) / HOUR > 3.2)
    day.go(reload, depot, rng.gamma(9, 4.2, n).clip(15, 70))
    day.rested = np.where(reload, day.clock, day.rested)
    day.go(on, day.pick("door", 480), rng.gamma(3.2, 2.6, n).clip(2, 26))
    noon = on & (hour > 12) & (hour < 14.2) & (rng.random(n) < 0.3)
    day.go(noon, day.pick("rest", 600), rng.gamma(6, 6, n).clip(18, 70))
    return True


def ride_step(day: Day) -> bool:
    """Wait for a passenger, bring them somewhere, now and then rest."""
    rng = day.rng
    on = day.clock < day.end
    if not on.any():
        return False
    n, hour = len(day.clock), day.clock / HOUR
    day.go(on, day.pick("rank", 1300), rng.gamma(3.2, 3.6, n).clip(2, 40))
    day.go(on, day.pick("ride", 1900), rng.uniform(0.6, 2, n))
    rests = on & ((day.clock - day.rested) / HOUR > 3.4) & (rng.random(n) < 0.5)
    rests &= (hour > 10) & (hour < 20)
    day.go(rests, day.pick("rest", 900), rng.gamma(6, 7, n).clip(20, 80))
    day.rested = np.where(rests, day.clock, day.rested)
    return True


_STEP = {"food": food_step, "courier": courier_step, "ride": ride_step}


def make_stops(
    places: list[Place], streets: Streets, kerbs: Kerbs, routes: Routes, rng: np.random.Generator
) -> tuple[list[Stops], np.ndarray]:
    """Let every crew live a weekday and a weekend day.

    Returns
    -------
    The stops of each day, and the worker type of each rider.
    """
    spots = make_spots(places, streets, kerbs, routes, rng)
    estates = np.flatnonzero(spots.draw["home"] > 0)
    share = spots.draw["home"][estates]
    homes = {c.name: rng.choice(estates, c.riders, p=share / share.sum()) for c in CREWS}
    days = []
    for weekend in (False, True):
        logs, first = [], 0
        for crew in CREWS:
            works = rng.random(crew.riders) < (0.8 if weekend else 0.92)
            who, home = first + np.flatnonzero(works), homes[crew.name][works]
            day = Day(crew, (spots, routes), who, home, rng, weekend=weekend)
            while _STEP[crew.name](day):
                pass
            logs.append(day.finish())
            first += crew.riders
        days.append(_settle(np.concatenate(logs, axis=1), spots, rng))
    return days, np.repeat([c.name for c in CREWS], [c.riders for c in CREWS])


def _settle(log: np.ndarray, spots: Spots, rng: np.random.Generator) -> Stops:
    """Sort stops by rider and time and put each a few steps from its spot."""
    log = log[:, np.lexsort((log[1], log[0]))]
    spot = log[3].astype(np.int64)
    x = spots.x[spot] + rng.normal(0, spots.spread_m[spot])
    y = spots.y[spot] + rng.normal(0, spots.spread_m[spot])
    return Stops(log[0].astype(np.int64), log[1], log[2], spots.node[spot], x, y)
