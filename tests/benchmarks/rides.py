# ruff: noqa: PLR0917  (numba kernels take plain arrays and numbers, by position)
"""A rider's working day, invented: rides and stays in metres, and the fixes a phone makes of them.

The statistics are those of delivery riders in a big city. The day has ten hours and starts between
7 and 10. Rides go to hot spots, round the corner or across town at 3–6 m/s, wait at traffic lights
and sometimes creep through a jam. Stays last 2–60 min, log-uniformly. Position noise is
autocorrelated; between tall buildings it is wider and heavy-tailed (Student's t with 3 degrees of
freedom); one fix in a hundred is an outlier; 0.7 times an hour the phone falls silent for 1–20 min.
What arrives is late, doubled, or nowhere.
"""

from typing import NamedTuple

import numpy as np

from planner.compiled import compiled

CITY_M = 30_000.0
DAY_S = 86_400.0
FIRST_S = 7 * 3600.0  # no day starts earlier
LAST_S = FIRST_S + 13 * 3600.0 + 400.0  # nothing arrives later
MOST_FIXES = 5_000  # of a rider and day
MOST_STAYS = 400
TYPICAL_FIXES = 17_800  # of a rider and day, divided by `Model.fix_s`

FIX = np.dtype([
    ("rider", "i4"), ("late", "i4"), ("time", "i8"), ("x", "f8"), ("y", "f8"), ("speed", "f4"),
])  # fmt: skip
STAY = np.dtype([
    ("rider", "i4"), ("fixes", "i4"), ("arrive", "f8"), ("leave", "f8"),
    ("first", "f8"), ("last", "f8"), ("x", "f8"), ("y", "f8"),
])  # fmt: skip
_RIDER = np.dtype([
    ("id", "i4"), ("time", "f8"), ("x", "f8"), ("y", "f8"), ("east", "f8"), ("north", "f8"),
    ("fix_s", "f8"), ("next_fix", "f8"), ("next_gap", "f8"), ("gap_end", "f8"),
])  # fmt: skip


class Model(NamedTuple):
    """What differs between easy and hard places; each rider and stay draws its own within."""

    fix_s: float  # seconds between fixes: this to three times this
    noise_m: float  # standard deviation at a stay: this to twice this
    canyon_share: float  # of stays


STANDARD = Model(fix_s=10.0, noise_m=10.0, canyon_share=0.15)
HARD = Model(fix_s=20.0, noise_m=15.0, canyon_share=0.40)


def make_spots(seed):
    """Place 3,000 hot spots, half of them in 25 quarters; the first are the popular ones."""
    rng = np.random.default_rng(seed)
    spots = rng.uniform(500, CITY_M - 500, (3000, 2))
    quarters = rng.uniform(4000, CITY_M - 4000, (25, 2))[rng.integers(0, 25, 1500)]
    spots[:1500] = np.clip(quarters + rng.normal(0, 900, (1500, 2)), 300, CITY_M - 300)
    return spots


def live_day(seed, rider, day, model, spots, fixes, stays):
    """Write one rider's day into `fixes` and `stays`; return how many there are of each.

    The same seed, rider and day give the same fixes, whoever else rides.
    """
    rng = np.random.default_rng([seed, day, rider])
    me = np.zeros(1, _RIDER)
    me["id"] = rider
    n, m = _live(rng, day * DAY_S, model, spots, me[0], fixes, stays)
    return _arrive(rng, fixes, n), m


@compiled
def _live(rng, midnight, model, spots, me, fixes, stays):
    me.time = midnight + FIRST_S + 3 * 3600.0 * rng.random()
    end = me.time + 10 * 3600.0
    me.fix_s = model.fix_s * (1 + 2 * rng.random())
    me.x = 2000 + (CITY_M - 4000) * rng.random()
    me.y = 2000 + (CITY_M - 4000) * rng.random()
    me.next_fix = me.time
    me.gap_end = -1.0
    me.next_gap = me.time + rng.exponential(3600.0 / 0.7)
    n = m = 0
    while me.time < end:
        to_x, to_y = _choose(rng, spots, me)
        n = _ride(rng, to_x, to_y, end, me, fixes, n)
        if me.time < end:
            n = _stay(rng, model, end, me, fixes, n, stays[m])
            m += 1
    return n, m


@compiled
def _choose(rng, spots, me):
    """Where to go next: round the corner, to a hot spot not too far, or across town."""
    kind = rng.random()
    if 0.10 <= kind < 0.75:
        best, x, y = np.inf, me.x, me.y
        for _ in range(40):
            spot = spots[int(len(spots) * rng.random() ** 2)]
            square = (spot[0] - me.x) ** 2 + (spot[1] - me.y) ** 2
            if 400.0**2 < square < best:
                best, x, y = square, spot[0], spot[1]
        x += 5 * rng.standard_normal()
        y += 5 * rng.standard_normal()
    else:
        angle = 2 * np.pi * rng.random()
        far = 150 + 250 * rng.random() if kind < 0.10 else 500 + 3500 * rng.random()
        x, y = me.x + far * np.cos(angle), me.y + far * np.sin(angle)
    return min(max(x, 200.0), CITY_M - 200), min(max(y, 200.0), CITY_M - 200)


@compiled
def _ride(rng, to_x, to_y, end, me, fixes, n):
    """Go there in steps of 5 s."""
    usual = 3.0 + 3.0 * rng.random()
    jam_in, jam_left, light_left = np.inf, 0.0, 0.0
    if rng.random() < 0.05:
        jam_in, jam_left = 300 * rng.random(), 120 + 240 * rng.random()
    noise = 8.0 + 7.0 * rng.random()
    while me.time < end:
        east, north = to_x - me.x, to_y - me.y
        left = np.hypot(east, north)
        if left < 1.0:
            break
        speed = usual
        if jam_in <= 0 and jam_left > 0:
            speed = 0.5 + 0.5 * rng.random()
            jam_left -= 5
        elif light_left > 0:
            speed = 0.0
            light_left -= 5
        elif rng.random() < 5.0 / 240.0:
            light_left = 15 + 75 * rng.random()
        if 5 * speed >= left:
            me.x, me.y = to_x, to_y
        else:
            heading = np.arctan2(north, east)
            if left > 150:
                heading += 0.7 * rng.standard_normal()
            me.x += 5 * speed * np.cos(heading)
            me.y += 5 * speed * np.sin(heading)
        me.time += 5
        jam_in -= 5
        n = _report(rng, me, speed, noise, False, fixes, n)
    return n


@compiled
def _stay(rng, model, end, me, fixes, n, stay):
    stay.rider, stay.x, stay.y, stay.arrive = me.id, me.x, me.y, me.time
    lasts = 120.0 * 30.0 ** rng.random()
    noise = model.noise_m * (1 + rng.random())
    canyon = rng.random() < model.canyon_share
    me.time = stay.leave = min(me.time + lasts, end)
    last = _report(rng, me, 0.0, noise, canyon, fixes, n)
    stay.fixes = last - n
    if last > n:
        stay.first, stay.last = fixes[n].time / 1000.0, fixes[last - 1].time / 1000.0
    return last


@compiled
def _report(rng, me, speed, noise, canyon, fixes, n):
    """Make the fixes that are due by now, unless the phone is silent."""
    while me.next_fix <= me.time:
        time = me.next_fix
        me.next_fix += me.fix_s * (0.8 + 0.4 * rng.random())
        if time > me.next_gap:
            me.gap_end = time + 60 + 1140 * rng.random() ** 2
            me.next_gap = me.gap_end + rng.exponential(3600.0 / 0.7)
        if time < me.gap_end:
            continue
        wide = 1.4 * noise if canyon else noise
        me.east = 0.5 * me.east + 0.866 * _draw(rng, canyon)
        me.north = 0.5 * me.north + 0.866 * _draw(rng, canyon)
        fix = fixes[n]
        fix.rider, fix.time = me.id, int(1000 * time)
        fix.x, fix.y = me.x + wide * me.east, me.y + wide * me.north
        if rng.random() < 0.01:
            angle, far = 2 * np.pi * rng.random(), 200 + rng.exponential(600.0)
            fix.x += far * np.cos(angle)
            fix.y += far * np.sin(angle)
        fix.speed = max(0.0, speed + 0.3 * rng.standard_normal())
        n += 1
    return n


@compiled
def _draw(rng, heavy):
    z = rng.standard_normal()
    if not heavy:
        return z
    square = 0.0
    for _ in range(3):
        square += rng.standard_normal() ** 2
    return z / np.sqrt(square / 3)


@compiled
def _arrive(rng, fixes, n):
    """How late each fix comes, in ms; some come twice, from nowhere (NaN) or from far away."""
    k = n
    for i in range(n):
        if rng.random() < 0.95:
            fixes[i].late = int(5_000 * rng.random())
        else:
            fixes[i].late = int(30_000 + 270_000 * rng.random())
        kind = rng.random()
        if kind < 0.006:
            again = fixes[k]
            again.rider, again.time, again.speed = fixes[i].rider, fixes[i].time, fixes[i].speed
            again.x, again.y = fixes[i].x, fixes[i].y
            again.late = fixes[i].late + int(10_000 * rng.random())
            if kind >= 0.005:  # the same moment at another place
                again.x += 10 * rng.standard_normal()
                again.y += 10 * rng.standard_normal()
            k += 1
        elif kind < 0.009:
            fixes[i].x = np.nan
        elif kind < 0.0095:
            fixes[i].x += 3e6
    return k
