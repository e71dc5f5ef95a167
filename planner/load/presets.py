"""Public data sets whose rows hold several fixes: one fix a row, or the two ends of a trip."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.load.cells import as_text, read_degrees, to_numbers

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


def find_order_ends(source: Source) -> tuple[Source, dict[str, int]]:
    """Return orders under the columns of their two ends, and what there is to say about them.

    Parameters
    ----------
    source
        Read as `orders`. Trips with a `polyline` (Porto taxis) go from its first ping to its last;
        one without a usable ping keeps its row, without places. Parcels that were fetched (LaDe)
        get a year; of waybills in millionths of a degree (Meituan) those that the rider declined
        lose their times. The one place of an order is where it was fetched if only that has a
        time, else where it was brought. Anything else is returned as it is.
    """
    if source.has("polyline", "order_time"):
        return _trip_ends(source)
    source, said = _read_parcels(source)
    source, more = _read_waybills(source)
    return _one_place(source), said | more


def _one_place(source: Source) -> Source:
    ends = [c for c in source.frame.columns if c.startswith(("pickup_l", "dropoff_l"))]
    if ends or not source.has("lon", "lat"):
        return source
    fetched = source.has("pickup_time") and not source.has("dropoff_time")
    names = {c: f"{'pickup' if fetched else 'dropoff'}_{c}" for c in ("lon", "lat")}
    headers = {names.get(field, field): header for field, header in source.headers.items()}
    return replace(source, frame=source.frame.rename(columns=names), headers=headers)


def _read_parcels(source: Source) -> tuple[Source, dict[str, int]]:
    """Give times a year where a file writes month, day and clock only.

    Notes
    -----
    Wu et al. (2023), “LaDe: The first comprehensive last-mile delivery dataset from industry”.
    """
    times = [c for c in source.frame.columns if c.endswith("_time")]
    dated = {c: _with_year(source.frame[c]) for c in times}
    bare = np.zeros(len(source), dtype=bool)
    for _, rows in dated.values():
        bare |= rows
    if not bare.any():
        return source, {}
    frame = source.frame.assign(**{c: text for c, (text, rows) in dated.items() if rows.any()})
    if not source.has("worker_type"):
        frame["worker_type"] = "courier"
    note = {f"orders with times without a year, taken as {_LADE_YEAR}": int(bare.sum())}
    return replace(source, frame=frame), note


def _with_year(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return times of LaDe with a year, and which had none, shape (n,) bool."""
    text = as_text(cells)
    bare = text.str.fullmatch(r"\d{2}-\d{2} \d{2}:\d{2}:\d{2}").to_numpy(bool)
    return text.mask(bare, _LADE_YEAR + "-" + text), bare


def _read_waybills(source: Source) -> tuple[Source, dict[str, int]]:
    """Read whole numbers as millionths of a degree, and declined waybills as without times.

    Notes
    -----
    The data set that Meituan gave to the INFORMS Transportation Science and Logistics society
    (2024): epochs in seconds, 0 for none; coordinates moved by an unknown distance.
    """
    places = [f"{end}_{c}" for end in ("pickup", "dropoff") for c in ("lon", "lat")]
    if source.header("pickup_lon") != "sender_lng" or not source.has(*places):
        return source, {}
    frame = source.frame.copy()
    degrees = {c: to_numbers(frame[c], read_degrees)[0] for c in places}
    filled = np.concatenate(list(degrees.values()))
    filled = filled[np.isfinite(filled) & (filled != 0)]
    if not len(filled) or not ((np.abs(filled) > 1000) & (filled == np.floor(filled))).all():
        return source, {}
    frame = frame.assign(**{c: values / 1e6 for c, values in degrees.items()})
    times = [c for c in frame.columns if c.endswith("_time")]
    notes = {"waybills in millionths of a degree": len(frame)}
    if source.has("taken_on"):
        declined = (source.text("taken_on") == "0").to_numpy(bool)
        frame = frame.assign(**{c: as_text(frame[c]).mask(declined, "") for c in times})
        notes["waybills that the rider declined, without times"] = int(declined.sum())
    if not source.has("worker_type"):
        frame["worker_type"] = "food"
    return replace(source, frame=frame), notes


def _trip_ends(source: Source) -> tuple[Source, dict[str, int]]:
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
        frames.append(part.assign(time=_with_year(part["time"])[0]))
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
