"""From a source's coordinates to metres: which CRS, and how long things are on the ground."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyproj import CRS, Geod, Transformer

from planner.errors import CrsError, InputError
from planner.geo import WGS84, is_metric, utm_crs

_EARTH = Geod(ellps="WGS84")
_SHORT_M, _POLAR_DEG = 300.0, 75.0
_TINY_M = 0.05


def measures_ground(crs: CRS) -> bool:
    """Tell whether plane distances in a CRS are metres on the ground (not so in Mercator's)."""
    if not is_metric(crs):
        return False
    operation = crs.coordinate_operation
    method = operation.method_name.lower() if operation is not None else ""
    return "mercator" not in method or "transverse" in method


def to_metres(
    x: np.ndarray, y: np.ndarray, source: CRS, target: Any = None, *, file: str | None = None
) -> tuple[np.ndarray, np.ndarray, CRS]:
    """Convert coordinates to a CRS in metres.

    Parameters
    ----------
    x, y
        Coordinates in `source` (longitude first).
    source
        Their CRS.
    target
        The wanted CRS; by default the source's own if it is in metres, else the UTM zone.
    file
        For the message.

    Returns
    -------
    x, y, crs

    Raises
    ------
    CrsError
        `target` is not in metres.
    InputError
        Coordinates that lie outside the source CRS.
    """
    _check_range(x, y, source, file)
    crs = CRS.from_user_input(target) if target is not None else _own_or_utm(x, y, source)
    if not is_metric(crs):
        raise CrsError(f"the CRS of streets must be in metres. Got {crs.to_string()}.", file=file)
    if crs == source:
        return x, y, crs
    x, y = Transformer.from_crs(source, crs, always_xy=True).transform(x, y)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(
            f"coordinates lie outside what {crs.to_string()[:60]} can show. Check the file's CRS "
            "and that longitude and latitude are not swapped.",
            file=file,
        )
    return x, y, crs


def ground_length(
    x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, crs: CRS
) -> np.ndarray:
    """Metres between points `a` and `b`: plane where `crs` is true to scale, else geodesic.

    Notes
    -----
    Geodesics on the WGS 84 ellipsoid after Karney 2013, Algorithms for geodesics; up to 300 m by
    Gauss's mid-latitude formula, which differs by under a micrometre and takes a tenth of the time.
    """
    if measures_ground(crs):
        return np.hypot(x[b] - x[a], y[b] - y[a])
    lon, lat = (x, y) if crs.is_geographic else _degrees(x, y, crs)
    return _geodesic(lon[a], lat[a], lon[b], lat[b])


def _geodesic(lon0: np.ndarray, lat0: np.ndarray, lon1: np.ndarray, lat1: np.ndarray) -> np.ndarray:
    """Metres on the ellipsoid: short ones by the radii at mid-latitude, good to a micrometre."""
    middle = np.radians((lat0 + lat1) / 2)
    sine = np.sin(middle)
    curve = 1.0 - _EARTH.es * sine**2
    east = np.radians(lon1 - lon0) * np.cos(middle) * _EARTH.a / np.sqrt(curve)
    north = np.radians(lat1 - lat0) * _EARTH.a * (1.0 - _EARTH.es) / curve**1.5
    metres = np.hypot(east, north)
    far = np.flatnonzero((metres > _SHORT_M) | (np.abs(lat0) > _POLAR_DEG))
    metres[far] = _EARTH.inv(lon0[far], lat0[far], lon1[far], lat1[far])[2]
    return metres


def _degrees(x: np.ndarray, y: np.ndarray, crs: CRS) -> tuple[np.ndarray, np.ndarray]:
    return Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)


def check_units(
    x: np.ndarray, y: np.ndarray, length_m: np.ndarray, crs: CRS, *, file: str | None = None
) -> None:
    """Raise `CrsError` if a CRS says metres, but the coordinates can only be degrees.

    So it is where all of them are possible longitudes and latitudes, and half of the pieces between
    vertices are shorter than 5 cm: in degrees that is 5 km.
    """
    if crs.is_geographic or not len(length_m):
        return
    if np.abs(x).max() <= 180 and np.abs(y).max() <= 90 and np.median(length_m) < _TINY_M:
        raise CrsError(
            f"the CRS says metres ({crs.to_string()[:40]}), but the coordinates look like degrees: "
            f"({x[0]:g}, {y[0]:g}). Set the CRS that they are in, such as EPSG:4326.",
            file=file,
        )


def _own_or_utm(x: np.ndarray, y: np.ndarray, source: CRS) -> CRS:
    if measures_ground(source):
        return source
    lon, lat = np.array([x.min(), x.max()]), np.array([y.min(), y.max()])
    if not source.is_geographic:
        lon, lat = _degrees(lon, lat, source)
    return utm_crs(lon.mean(), lat.mean())


def _check_range(x: np.ndarray, y: np.ndarray, crs: CRS, file: str | None) -> None:
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(
            "a coordinate is not a finite number. Repair the geometry in a GIS.", file=file
        )
    if crs.is_geographic and len(x) and (np.abs(x).max() > 360 or np.abs(y).max() > 90):
        far = np.flatnonzero((np.abs(x) > 360) | (np.abs(y) > 90))[0]
        raise InputError(
            f"the CRS says degrees, but a coordinate is ({x[far]:g}, {y[far]:g}). Set the CRS that "
            "the coordinates are in, and check that longitude stands before latitude.",
            file=file,
        )
