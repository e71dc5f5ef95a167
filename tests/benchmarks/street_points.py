"""Street points: the streets as a point every few metres, to measure how true an area is."""

from typing import NamedTuple

import numpy as np
import shapely

from planner.network import Places, reach_pairs

STEP_M = 5.0


class Truth(NamedTuple):
    """Shares of street length, over all areas together."""

    inside: float  # of what is reached, what the areas hold
    unreachable: float  # of what the areas hold, what is not reached


def street_points(streets, step_m=STEP_M):
    """Cut every street into equal parts of `step_m` at most: their middles, and their metres.

    Returns
    -------
    places
        `planner.network.Places`, one a part.
    metres
        float64, what each part stands for.
    """
    last = np.zeros(len(streets.vertex_x), dtype=bool)
    last[streets.vertex_ptr[1:] - 1] = True
    start = np.flatnonzero(~last)
    length = np.diff(streets.vertex_m, append=0.0)[start]
    parts = np.maximum(1, np.ceil(length / step_m)).astype(np.int64)
    vertex = np.repeat(start, parts)
    rank = np.arange(len(vertex)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = (rank + 0.5) / np.repeat(parts, parts)

    def along(values):
        return values[vertex] + share * (values[vertex + 1] - values[vertex])

    chain = np.searchsorted(streets.vertex_ptr, vertex, side="right") - 1
    whole = streets.length_m[chain]
    places = Places(
        chain=chain.astype(np.int32),
        share=np.clip(along(streets.vertex_m) / np.where(whole > 0, whole, 1.0), 0.0, 1.0),
        access_m=np.zeros(len(vertex)),
        x=along(streets.vertex_x),
        y=along(streets.vertex_y),
        key=streets.key,
    )
    return places, np.repeat(length / parts, parts)


def measure_truth(streets, facilities, areas, limit_min, step_m=STEP_M):
    """Compare one area a facility with the streets from which it is within the limit."""
    points, metres = street_points(streets, step_m)
    pairs = reach_pairs(streets, facilities, points, limit_min)
    reached = held = both = 0.0
    for row, area in zip(range(len(facilities)), areas, strict=False):
        found = np.zeros(len(points), dtype=bool)
        found[pairs.ids[pairs.indptr[row] : pairs.indptr[row + 1]]] = True
        shapely.prepare(area)
        inside = shapely.contains_xy(area, points.x, points.y)
        reached += metres[found].sum()
        held += metres[inside].sum()
        both += metres[found & inside].sum()
    return Truth(both / reached, 1.0 - both / held)
