"""Public data sets whose rows hold several fixes: one fix a row, or the two ends of a trip."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.load.cells import as_text

if TYPE_CHECKING:
    from planner.load.source import Source

_PORTO_STEP_S = 15
_LADE_YEAR = "2022"  # the files name none; a guess, only weekdays hang on it


def unfold(source: Source) -> tuple[Source, dict[str, int]]:
    """Return fixes one a row, and what there is to say about the rows they came from.

    Parameters
    ----------
    source
        Read as `fixes`. Trips with a column `polyline` (Porto taxis) and rows with the GPS of two
        events (LaDe) are unfolded, anything else is returned as it is.
    """
    if source.has("polyline", "time") and not source.has("lon"):
        return _unfold_trips(source)
    if source.has("accept_lon", "accept_lat", "accept_time", "pickup_lon", "pickup_lat"):
        return _unfold_events(source)
    return source, {}


def find_trip_ends(source: Source) -> tuple[Source, dict[str, int]]:
    """Return trips with a `polyline` as orders, from its first ping to its last.

    Parameters
    ----------
    source
        Read as `orders`; one without a `polyline` is returned as it is. A trip without a usable
        ping keeps its row, without places.
    """
    if not source.has("polyline", "order_time"):
        return source, {}
    trips = [_read_polyline(text) for text in as_text(source.frame["polyline"])]
    none = np.full((1, 2), np.nan)
    pings = [none if trip is None or not len(trip) else trip for trip in trips]
    first, last = (np.array([p[k] for p in pings]).reshape(-1, 2) for k in (0, -1))
    start = pd.to_numeric(as_text(source.frame["order_time"]), errors="coerce").to_numpy(float)
    frame = source.frame.drop(columns=["polyline", "order_time"]).assign(
        pickup_lon=first[:, 0],
        pickup_lat=first[:, 1],
        dropoff_lon=last[:, 0],
        dropoff_lat=last[:, 1],
        pickup_time=start,
        dropoff_time=start + _PORTO_STEP_S * (np.array([len(p) for p in pings]) - 1),
    )
    if not source.has("worker_type"):
        frame["worker_type"] = "ride"
    return replace(source, frame=frame), {"trips, each with two ends": len(trips)}


def _unfold_trips(source: Source) -> tuple[Source, dict[str, int]]:
    """Unfold trips: JSON [[lon, lat], …], one ping every 15 s from the trip's time.

    Notes
    -----
    Moreira-Matias, Gama, Ferreira, Mendes-Moreira & Damas (2013), “Predicting taxi–passenger
    demand using streaming data”; the files of the ECML/PKDD 2015 challenge.
    """
    trips = [_read_polyline(text) for text in as_text(source.frame["polyline"])]
    unreadable = np.array([trip is None for trip in trips], dtype=bool)
    sizes = np.array([1 if trip is None else len(trip) for trip in trips], dtype=np.int64)
    pings = [np.full((1, 2), np.nan) if trip is None else trip for trip in trips]
    position = np.repeat(np.arange(len(trips)), sizes)
    xy = np.concatenate([np.empty((0, 2)), *pings])
    step = np.arange(len(position)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    start = pd.to_numeric(as_text(source.frame["time"]), errors="coerce").to_numpy(float)
    frame = source.frame.drop(columns=["polyline", "time"]).take(position)
    frame = frame.assign(lon=xy[:, 0], lat=xy[:, 1], time=start[position] + _PORTO_STEP_S * step)
    if not source.has("worker_type"):
        frame["worker_type"] = "ride"
    unfolded = _at(source, frame, position)
    notes = {
        "trips": len(trips),
        "trips without a ping": int((sizes == 0).sum()),
        "trips whose polyline is unreadable, counted as one ping": int(unreadable.sum()),
    }
    return unfolded, notes


def _read_polyline(text: str) -> np.ndarray | None:
    """Return pings, shape (n, 2), or None if the text is no polyline."""
    if not text:
        return np.empty((0, 2))
    try:
        pings = np.array(json.loads(text), dtype=float)
    except (ValueError, TypeError):
        return None
    if pings.size == 0:
        return np.empty((0, 2))
    return pings if pings.ndim == 2 and pings.shape[1] == 2 else None


def _unfold_events(source: Source) -> tuple[Source, dict[str, int]]:
    """Unfold parcels: where the courier was when accepting and when picking up.

    Notes
    -----
    Wu et al. (2023), “LaDe: The first comprehensive last-mile delivery dataset from industry”.
    """
    frames = []
    for event in ("accept", "pickup"):
        renamed = {f"{event}_{c}": c for c in ("lon", "lat", "time")}
        others = [c for c in source.frame.columns if c in ("rider_id", "worker_type")]
        part = source.frame[[*others, *renamed]].rename(columns=renamed)
        text = as_text(part["time"])
        bare = text.str.fullmatch(r"\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
        frames.append(part.assign(time=text.mask(bare, _LADE_YEAR + "-" + text)))
    position = np.tile(np.arange(len(source)), 2)
    frame = pd.concat(frames, ignore_index=True)
    if not source.has("worker_type"):
        frame["worker_type"] = "courier"
    notes = {"parcels, each with two events": len(source)}
    return _at(source, frame, position), notes


def _at(source: Source, frame: pd.DataFrame, position: np.ndarray) -> Source:
    """Return a source of rows that stand where those at `position` stood."""
    return replace(
        source,
        frame=frame.reset_index(drop=True),
        row=source.row[position],
        part=source.part[position],
        too_many=source.too_many[position],
    )
