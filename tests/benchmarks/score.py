"""How well found stays agree with the true ones."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from made_fixes import M_PER_LAT, M_PER_LON

from planner.compiled import compiled

_LEAST_S = 300.0


class Score(NamedTuple):
    """Found stays against true ones; errors of the centre in metres."""

    true: int
    found: int
    recall: float
    precision: float
    error_m: float
    error_p95_m: float


def score(found, truth, *, least_s=_LEAST_S):
    """Pair found stays with true ones, one to one, those that overlap best first.

    Parameters
    ----------
    found, truth
        `rider_id`, `arrive`, `leave` (tz-aware), `lon`, `lat`. Stays of one rider must not overlap
        in `truth`.

    Notes
    -----
    A pair needs an intersection over union in time of 0.5 or more. Recall is the share of true
    stays of `least_s` or more that have a partner; precision the share of found stays whose
    partner is one of these.
    """
    riders = pd.Index(pd.unique(truth["rider_id"]))
    mine, theirs = _sorted(found, riders), _sorted(truth, riders)
    i, j, iou = _overlaps(*mine[:3], *theirs[:3])
    best = np.lexsort((j, i, -iou))
    i, j = i[best], j[best]
    first = _first_come(i, j, len(found), len(truth))
    i, j = i[first], j[first]
    long = theirs[2] - theirs[1] >= least_s
    i, j = i[long[j]], j[long[j]]
    error = np.hypot(
        (mine[3][i] - theirs[3][j]) * M_PER_LON, (mine[4][i] - theirs[4][j]) * M_PER_LAT
    )
    median, p95 = np.percentile(error, [50, 95]) if len(error) else (np.nan, np.nan)
    return Score(
        int(long.sum()), len(found), len(i) / max(int(long.sum()), 1), len(i) / max(len(found), 1),
        float(median), float(p95),
    )  # fmt: skip


def score_oracle(truth, *, least_s=_LEAST_S):
    """What one who knows the stays, but sees only their fixes, could reach."""
    seen = truth["last"] - truth["first"] >= pd.Timedelta(seconds=0.9 * least_s)
    known = truth[seen & (truth["fixes"] >= 2)].assign(
        arrive=lambda stay: stay["first"], leave=lambda stay: stay["last"]
    )
    return score(known, truth, least_s=least_s)


def tell_stays(stays):
    """Columns that `score` wants, of a `stays` table."""
    centre = stays.geometry.to_crs("EPSG:4326")
    return pd.DataFrame(stays[["rider_id", "arrive", "leave"]]).assign(lon=centre.x, lat=centre.y)


def _sorted(stays, riders):
    rider = riders.get_indexer(stays["rider_id"])
    arrive, leave = (
        stays[name].dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
        .astype("int64").to_numpy() / 1e6
        for name in ("arrive", "leave")
    )  # fmt: skip
    order = np.lexsort((leave, arrive, rider))
    lon, lat = stays["lon"].to_numpy("f8"), stays["lat"].to_numpy("f8")
    return rider[order], arrive[order], leave[order], lon[order], lat[order]


@compiled
def _overlaps(rider, arrive, leave, true_rider, true_arrive, true_leave):  # noqa: PLR0917
    """All pairs that share half their time; of disjoint true stays no more than two can."""
    i, j = np.empty(2 * len(rider), np.int64), np.empty(2 * len(rider), np.int64)
    iou = np.empty(2 * len(rider))
    n, start = 0, 0
    for k in range(len(rider)):
        while start < len(true_rider) and (
            true_rider[start] < rider[k]
            or (true_rider[start] == rider[k] and true_leave[start] <= arrive[k])
        ):
            start += 1
        t = start
        while t < len(true_rider) and true_rider[t] == rider[k] and true_arrive[t] < leave[k]:
            both = min(leave[k], true_leave[t]) - max(arrive[k], true_arrive[t])
            either = max(leave[k], true_leave[t]) - min(arrive[k], true_arrive[t])
            if both >= 0.5 * either:
                i[n], j[n], iou[n] = k, t, both / either
                n += 1
            t += 1
    return i[:n], j[:n], iou[:n]


@compiled
def _first_come(i, j, found, true):
    taken_i, taken_j = np.zeros(found, np.bool_), np.zeros(true, np.bool_)
    first = np.zeros(len(i), np.bool_)
    for k in range(len(i)):
        if not taken_i[i[k]] and not taken_j[j[k]]:
            taken_i[i[k]] = taken_j[j[k]] = first[k] = True
    return first
