"""Coordinates of any wording and datum → points in metres, the unusable ones named."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from planner.errors import InputError
from planner.geo import WGS84, Datum, metric_crs, require_metric, to_wgs84
from planner.load.cells import as_text, each_text, read_degrees, read_pair, to_numbers
from planner.load.sift import Fault
from planner.load.source import check_datum

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from pyproj import CRS

    from planner.load.source import Source

# How far beyond the districts' outer border a row may lie and still be the area's.
STATION_MARGIN_M = 2000.0  # it serves demand inside: 2 km are half an hour's walk (guess)
ACTIVITY_MARGIN_M = 100.0  # GPS noise and generalised borders only: demand beyond, where the
HOST_MARGIN_M = 100.0  # streets may end, is not the area's to cover, nor is a host its to open


class Spots(NamedTuple):
    """Where rows lie.

    Attributes
    ----------
    x, y
        Shape (n,), metres in `crs`; NaN where there is no usable coordinate.
    faults
        Why rows are unusable, in the order of `sift`.
    """

    x: np.ndarray
    y: np.ndarray
    crs: CRS
    faults: list[Fault]

    @property
    def usable(self) -> np.ndarray:
        """Shape (n,) bool, rows without a fault."""
        return ~np.logical_or.reduce([f.rows for f in self.faults])

    def points(self, kept: np.ndarray) -> gpd.GeoSeries:
        """Return the points of the kept rows, none where a row has a fault."""
        points = shapely.points(self.x[kept], self.y[kept])
        points[~self.usable[kept]] = None
        return gpd.GeoSeries(points, crs=self.crs)


def no_spots(count: int, crs: CRS) -> Spots:
    """Return the places of rows of which the file tells none."""
    nowhere = np.full(count, np.nan)
    fault = Fault("not in the file", np.ones(count, dtype=bool), lambda _: "every row")
    return Spots(nowhere, nowhere.copy(), crs, [fault])


def find_spots(
    source: Source,
    *,
    area: gpd.GeoDataFrame | None,
    datum: Datum,
    margin_m: float,
    prefix: str = "",
    crs: CRS | None = None,
    label: Callable[[int], str] | None = None,
) -> Spots:
    """Return where the rows of a source lie.

    Parameters
    ----------
    source
        Reads the columns `lon` and `lat`, or `lonlat`, or `latlon`, each after `prefix`.
    area
        Districts in a metric CRS; rows farther than `margin_m` outside are faulty. Without it,
        the CRS is `crs`, else the UTM zone of the rows' median.
    datum
        What the degrees are in.
    margin_m
        Metres.
    label
        What to call a row in examples beside its number; None if rows are personal, and then no
        coordinate is shown either.

    Raises
    ------
    ColumnError
        There are no coordinates.
    InputError
        Longitude and latitude are swapped in most rows.
    """
    check_datum(datum)
    read = _read_degrees(source, prefix)
    lon, lat = read.lon, read.lat
    sound = ~(read.empty | read.malformed)
    zero = sound & (lon == 0) & (lat == 0)
    globe = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    turned = (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    usable = sound & ~zero & globe
    if area is not None:
        require_metric(area, "area")
        crs = area.crs
    elif crs is None:
        crs = _zone(lon[usable], lat[usable])
    x, y = _to_metres(lon, lat, usable, datum, crs)
    swapped = sound & ~zero & ~globe & turned
    outside = np.zeros(len(x), dtype=bool)
    if area is not None:
        inside = _inside(area, margin_m)
        outside = usable & ~inside(x, y)
        swapped = inside(*_to_metres(lat, lon, turned & (outside | swapped), datum, crs))
    _refuse_swapped(source, prefix, swapped, sound & ~zero)

    def show(position: int) -> str:
        name = label(position) if label else ""
        return f"{source.place(position)} ({name})" if name else source.place(position)

    def show_cell(position: int) -> str:
        return f"{show(position)}: `{read.cell(position)}`" if label else show(position)

    def show_distance(position: int) -> str:
        far = _outside_m(area, x[position], y[position]) if label else np.nan
        return show(position) + ("" if np.isnan(far) else f": {far / 1000:.1f} km outside")

    faults = [
        Fault("no coordinate", read.empty, show),
        Fault("malformed coordinate", read.malformed, show_cell),
        Fault("coordinate 0, 0", zero, show),
        Fault("longitude and latitude swapped", swapped, show),
        Fault("coordinate off the globe", sound & ~globe & ~swapped, show_cell),
        Fault("outside the area", outside & ~swapped, show_distance),
    ]
    return Spots(x, y, crs, faults)


class _Degrees(NamedTuple):
    lon: np.ndarray
    lat: np.ndarray
    empty: np.ndarray  # nothing stands there
    malformed: np.ndarray  # something, but no coordinate
    cell: Callable[[int], str]  # what stands there


def _read_degrees(source: Source, prefix: str) -> _Degrees:
    frame = source.frame
    lon_name, lat_name = f"{prefix}lon", f"{prefix}lat"
    pair = next((p for p in (f"{prefix}lonlat", f"{prefix}latlon") if source.has(p)), None)
    if pair is None or source.has(lon_name, lat_name):
        source.require(lon_name, lat_name)
        lon, bad_lon = to_numbers(frame[lon_name], read_degrees)
        lat, bad_lat = to_numbers(frame[lat_name], read_degrees)
        malformed = bad_lon | bad_lat
        empty = (np.isnan(lon) | np.isnan(lat)) & ~malformed

        def cell(position: int) -> str:
            cells = as_text(frame.iloc[position][[lon_name, lat_name]].astype(object))
            bad = (bad_lon[position], bad_lat[position])
            return ", ".join(c for c, b in zip(cells, bad, strict=True) if b or not any(bad))

        return _Degrees(lon, lat, empty, malformed, cell)
    return _read_pairs(as_text(frame[pair]), latitude_first=pair.endswith("latlon"))


def _read_pairs(text: pd.Series, *, latitude_first: bool) -> _Degrees:
    pairs = np.array(each_text(text, read_pair), dtype=float).reshape(-1, 2)
    lon, lat = (pairs[:, 1], pairs[:, 0]) if latitude_first else (pairs[:, 0], pairs[:, 1])
    empty = (text == "").to_numpy(bool)
    malformed = ~empty & (np.isnan(lon) | np.isnan(lat))
    return _Degrees(lon, lat, empty, malformed, lambda position: str(text.iloc[position]))


def _zone(lon: np.ndarray, lat: np.ndarray) -> CRS:
    """Return the UTM zone of the median point; of 0, 0 if there is none (then no row is kept)."""
    middle = (np.median(lon), np.median(lat)) if len(lon) else (0.0, 0.0)
    return metric_crs(gpd.GeoDataFrame(geometry=[shapely.Point(middle)], crs=WGS84))


def _to_metres(
    lon: np.ndarray, lat: np.ndarray, usable: np.ndarray, datum: Datum, crs: CRS
) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.full(len(lon), np.nan), np.full(len(lon), np.nan)
    project = Transformer.from_crs(WGS84, crs, always_xy=True)
    x[usable], y[usable] = project.transform(*to_wgs84(lon[usable], lat[usable], datum))
    x[~np.isfinite(x)] = np.nan
    y[~np.isfinite(y)] = np.nan
    return x, y


def _inside(
    area: gpd.GeoDataFrame, margin_m: float
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the test of points against the area and its margin."""
    shape = shapely.union_all(area.geometry.values).buffer(margin_m)
    shapely.prepare(shape)

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        found = np.zeros(len(x), dtype=bool)
        some = np.isfinite(x) & np.isfinite(y)
        found[some] = shapely.contains_xy(shape, x[some], y[some])
        return found

    return inside


def _outside_m(area: gpd.GeoDataFrame | None, x: float, y: float) -> float:
    """Return how far a point lies from the area, NaN if either is not known."""
    if area is None or not (np.isfinite(x) and np.isfinite(y)):
        return float("nan")
    return float(shapely.distance(area.geometry.values, shapely.Point(x, y)).min())


def _refuse_swapped(source: Source, prefix: str, swapped: np.ndarray, sound: np.ndarray) -> None:
    """Raise if most rows make sense only with longitude and latitude exchanged."""
    if swapped.sum() * 2 <= sound.sum():
        return
    if source.has(f"{prefix}lon", f"{prefix}lat"):
        lon, lat = source.header(f"{prefix}lon"), source.header(f"{prefix}lat")
        remedy = f'Exchange them: columns = {{ {prefix}lon = "{lat}", {prefix}lat = "{lon}" }}.'
        columns = f"`{lon}` and `{lat}`"
    else:
        have, want = f"{prefix}lonlat", f"{prefix}latlon"
        have, want = (have, want) if source.has(have) else (want, have)
        remedy = f'Exchange them: columns = {{ {want} = "{source.header(have)}" }}.'
        columns = f"`{source.header(have)}`"
    raise InputError(
        f"longitude and latitude are swapped in {columns}: {int(swapped.sum())} of "
        f"{int(sound.sum())} rows make sense only the other way round. {remedy}",
        file=source.path,
    )
