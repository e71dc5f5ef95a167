"""Where a parking site could be, and which stops it would serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import csr_array

from planner.network import snap_points, travel_within

if TYPE_CHECKING:
    from planner.network import StreetNetwork
    from planner.parking.stops import Stops

# Classes without bays: paths and steps, where no e-bike rides; motorways and trunk roads.
_NO_BAYS = (0, 5)
_STEP_M = 25.0  # between points tried along a street (guess: a quarter of the way to the door)
_CELL_M = 50.0  # of the points in one such square only the best is offered (guess)
SLACK_M = 0.01  # travel times are whole milliseconds: a limit met to the centimetre is met
_ON_STREET_M = 1.0  # a point taken from a street lies on it


class Spots(NamedTuple):
    """Points on streets where bays could be.

    Attributes
    ----------
    xy
        Shape (c, 2), metres, ascending by x, then y.
    minutes
        CSR, stop places × spots: the walk from the bay's user, where within reach of the door.
    offered
        Shape (c,), bool: whether the spot may be chosen, being the best of its square of 50 m with
        enough distinct workers stopping within reach.
    """

    xy: np.ndarray
    minutes: csr_array
    offered: np.ndarray


def metres_per_minute(streets: StreetNetwork) -> float:
    """Return the speed of a network on foot as metres a minute."""
    return float(streets.speed_kmh) * 1000.0 / 60.0


def find_spots(
    streets: StreetNetwork, on_foot: StreetNetwork, stops: Stops, *, door_m: float, min_workers: int
) -> Spots:
    """Try points along the streets near stops and offer the best of each 50 m.

    Parameters
    ----------
    streets
        The study's network; its lines carry the points.
    on_foot
        The same streets for walking from bay to door.
    stops
        In the CRS of `streets`.
    door_m
        Longest walk between bay and door, metres.
    min_workers
        Spots with fewer distinct workers stopping within reach are not offered.

    Notes
    -----
    Spots are points of the street, never the place of a stop, so no position is one rider's.
    """
    xy = _points_near(streets, stops.xy, door_m)
    minutes = _walks(on_foot, stops.xy, xy, door_m)
    workers = count_workers(minutes, stops)
    weight = np.asarray(stops.weight @ _ones(minutes), dtype=float)
    cell = np.unique(np.floor(xy / _CELL_M), axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(-weight, kind="stable")
    order = order[workers[order] >= min_workers]
    _, first = np.unique(cell[order], return_index=True)
    offered = np.zeros(len(xy), dtype=bool)
    offered[order[first]] = True
    return Spots(xy, minutes, offered)


def count_workers(minutes: csr_array, stops: Stops, site: np.ndarray | None = None) -> np.ndarray:
    """Count the distinct workers who stop within reach of each spot.

    Parameters
    ----------
    minutes
        CSR, stop places × spots.
    stops
        The stops.
    site
        Shape (m,), places that count, bool; all if None.
    """
    counts = np.ones(len(stops.place)) if site is None else site[stops.place].astype(float)
    shape = (minutes.shape[0], int(stops.rider.max(initial=-1)) + 1)
    riders = csr_array((counts, (stops.place, stops.rider)), shape=shape)
    return np.asarray(((_ones(minutes).T @ riders) > 0).sum(axis=1)).reshape(-1)


def _ones(minutes: csr_array) -> csr_array:
    """Return 1 wherever the matrix has an entry, be its time zero or not."""
    return csr_array((np.ones(minutes.nnz), minutes.indices, minutes.indptr), shape=minutes.shape)


def _points_near(streets: StreetNetwork, stops_xy: np.ndarray, door_m: float) -> np.ndarray:
    """List points every 25 m along streets that can have bays and lie near some stop."""
    from scipy.spatial import cKDTree

    lines = streets.lines()
    lines = lines.geometry.to_numpy()[~lines["street_class"].isin(_NO_BAYS).to_numpy()]
    length = shapely.length(lines)
    pieces = np.maximum(np.ceil(length / _STEP_M).astype(np.int64), 1)
    line = np.repeat(np.arange(len(lines)), pieces)
    nth = np.arange(len(line)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    points = shapely.line_interpolate_point(
        lines[line], (nth + 0.5) / pieces[line], normalized=True
    )
    xy = shapely.get_coordinates(points)
    if not len(xy) or not len(stops_xy):
        return np.empty((0, 2))
    distance, _ = cKDTree(stops_xy).query(xy, distance_upper_bound=door_m + SLACK_M)
    return np.unique(np.round(xy[np.isfinite(distance)], 2), axis=0)


def _walks(
    on_foot: StreetNetwork, stops_xy: np.ndarray, spots_xy: np.ndarray, door_m: float
) -> csr_array:
    """Find the walking minutes between stops and spots, where within `door_m`."""
    if not len(stops_xy) or not len(spots_xy):
        return csr_array((len(stops_xy), len(spots_xy)))
    doors = snap_points(on_foot, _series(stops_xy, on_foot), max_m=door_m)
    spots = snap_points(on_foot, _series(spots_xy, on_foot), max_m=_ON_STREET_M)
    limit_min = (door_m + SLACK_M) / metres_per_minute(on_foot)
    return travel_within(on_foot, doors, spots, limit_min)


def _series(xy: np.ndarray, streets: StreetNetwork) -> gpd.GeoSeries:
    return gpd.GeoSeries(gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=streets.crs)
