"""Places on the ground: metric CRS, Chinese datums, units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from planner.errors import CrsError

if TYPE_CHECKING:
    import geopandas as gpd
    import shapely
    from pyproj import CRS

Datum = Literal["wgs84", "gcj02", "bd09"]

WGS84 = "EPSG:4326"

# The ellipsoid of the GCJ-02 offset: Krasovsky 1940.
_KRASOVSKY_A = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BD09_TURN = np.pi * 3000.0 / 180.0
# Inside these bounds GCJ-02 is shifted; elsewhere it equals WGS 84.
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)


def to_wgs84(lon: np.ndarray, lat: np.ndarray, datum: Datum) -> tuple[np.ndarray, np.ndarray]:
    """Convert longitudes and latitudes of a Chinese datum to WGS 84.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees in `datum`.
    datum
        ``wgs84`` (returned as is), ``gcj02`` or ``bd09``.

    Returns
    -------
    lon, lat
        Shape (n,), degrees in WGS 84, within 1 mm of the point whose forward shift is the input.

    Notes
    -----
    GCJ-02 has no closed inverse. The fixed point of ``p = q - shift(p)`` is iterated: the shift
    changes by under 1 % of the step, so six rounds shrink 700 m to well under 1 mm.

    Examples
    --------
    >>> lon, lat = from_wgs84(np.array([114.05]), np.array([22.54]), "gcj02")
    >>> back = to_wgs84(lon, lat, "gcj02")
    >>> bool(abs(back[0][0] - 114.05) < 1e-9)
    True
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum == "wgs84":
        return lon, lat
    if datum == "bd09":
        lon, lat = _bd09_to_gcj02(lon, lat)
    wgs_lon, wgs_lat = lon.copy(), lat.copy()
    for _ in range(8):
        d_lon, d_lat = _gcj02_shift(wgs_lon, wgs_lat)
        wgs_lon, wgs_lat = lon - d_lon, lat - d_lat
    return wgs_lon, wgs_lat


def from_wgs84(lon: np.ndarray, lat: np.ndarray, datum: Datum) -> tuple[np.ndarray, np.ndarray]:
    """Convert WGS 84 longitudes and latitudes to a Chinese datum; the inverse of `to_wgs84`."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    if datum == "wgs84":
        return lon, lat
    d_lon, d_lat = _gcj02_shift(lon, lat)
    lon, lat = lon + d_lon, lat + d_lat
    return _gcj02_to_bd09(lon, lat) if datum == "bd09" else (lon, lat)


def _gcj02_shift(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees by which GCJ-02 moves a WGS 84 point; zero outside China."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    d_lat += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi / 3.0 * y)) * 2.0 / 3.0
    d_lat += (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    d_lon += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi / 3.0 * x)) * 2.0 / 3.0
    d_lon += (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) * 2.0 / 3.0
    phi = np.radians(lat)
    w2 = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    meridian = _KRASOVSKY_A * (1.0 - _KRASOVSKY_E2) / (w2 * np.sqrt(w2))
    prime = _KRASOVSKY_A / np.sqrt(w2)
    inside = (lon > _CHINA[0]) & (lon < _CHINA[2]) & (lat > _CHINA[1]) & (lat < _CHINA[3])
    return (
        np.where(inside, np.degrees(d_lon / (prime * np.cos(phi))), 0.0),
        np.where(inside, np.degrees(d_lat / meridian), 0.0),
    )


def _gcj02_to_bd09(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD09_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD09_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _bd09_to_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gcj_lon, gcj_lat = lon - 0.0065, lat - 0.006
    for _ in range(8):
        bd_lon, bd_lat = _gcj02_to_bd09(gcj_lon, gcj_lat)
        gcj_lon, gcj_lat = gcj_lon + lon - bd_lon, gcj_lat + lat - bd_lat
    return gcj_lon, gcj_lat


def shift_datum(table: gpd.GeoDataFrame, datum: Datum) -> gpd.GeoDataFrame:
    """Return a table of geographic geometries with `datum` converted to WGS 84.

    Parameters
    ----------
    table
        Any geometries in degrees; the CRS is taken to be EPSG:4326 whatever it says.
    datum
        The datum that the degrees are in.
    """
    import shapely

    def convert(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))

    table = table.copy()
    if datum != "wgs84":
        table[table.geometry.name] = shapely.transform(table.geometry.values, convert)
    return table.set_crs(WGS84, allow_override=True)


def metric_crs(table: gpd.GeoDataFrame) -> CRS:
    """Return the CRS in metres that suits a table: its own if metric, else its UTM zone.

    Raises
    ------
    CrsError
        The table has no CRS, or nothing in it to estimate a zone from.
    """
    if table.crs is None:
        raise CrsError("the table has no CRS. Set it, e.g. `table.set_crs('EPSG:4326')`.")
    if is_metric(table.crs):
        return table.crs
    if table.geometry.isna().all() or table.geometry.is_empty.all():
        raise CrsError("the table holds no geometry, so no UTM zone can be chosen.")
    corners = table.total_bounds
    if not table.crs.is_geographic:
        from pyproj import Transformer

        corners = Transformer.from_crs(table.crs, WGS84, always_xy=True).transform_bounds(*corners)
    return utm_crs((corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2)


def utm_crs(lon: float, lat: float) -> CRS:
    """Return the UTM zone of a place on WGS 84.

    Examples
    --------
    >>> utm_crs(114.05, 22.54).to_string(), utm_crs(-58.4, -34.6).to_string()
    ('EPSG:32650', 'EPSG:32721')
    """
    from pyproj import CRS

    zone = int((lon + 180.0) // 6.0) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def is_metric(crs: CRS | None) -> bool:
    """Tell whether a metre of a CRS is a metre on the ground: projected, metres, no web Mercator.

    Examples
    --------
    >>> from pyproj import CRS
    >>> [is_metric(CRS(code)) for code in (32650, 3857, 4326)]
    [True, False, False]
    """
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        return False
    method = crs.coordinate_operation.method_name if crs.coordinate_operation else ""
    return "Mercator" not in method or "Transverse" in method


def require_metric(table: gpd.GeoDataFrame, name: str) -> None:
    """Raise `CrsError` unless the table's CRS is in metres; `name` is what the message calls it."""
    if not is_metric(table.crs):
        raise CrsError(
            f"the CRS of `{name}` must be in metres. Got {table.crs and table.crs.to_string()}. "
            "Use `table.to_crs(table.estimate_utm_crs())`."
        )


def names_at(points: gpd.GeoSeries, area: gpd.GeoDataFrame | None) -> np.ndarray:
    """Name the polygon that each point lies in, the first by index of those that hold it.

    Parameters
    ----------
    points
        Points in any CRS.
    area
        Polygons with a column `name`, in any CRS; None holds nothing.

    Returns
    -------
    numpy.ndarray
        Texts aligned with the points; empty where no polygon holds one.
    """
    import shapely

    found = np.full(len(points), "", dtype=object)
    if area is None or not len(points):
        return found
    shapes = area.to_crs(points.crs).sort_index()
    x, y = points.x.to_numpy(), points.y.to_numpy()
    for name, shape in zip(shapes["name"], shapes.geometry, strict=True):
        found[shapely.intersects_xy(shape, x, y) & (found == "")] = name
    return found


def middle_of(shape: shapely.Geometry, water: np.ndarray | None = None) -> shapely.Point:
    """Return where on a street to look: the middle of its bridge, else of its longest part.

    Parameters
    ----------
    shape
        LineString or MultiLineString.
    water
        Polygons in the same CRS; a street over none of them has no bridge.

    Examples
    --------
    >>> import numpy as np, shapely
    >>> street = shapely.LineString([(0, 0), (100, 0)])
    >>> river = np.array([shapely.box(60, -10, 80, 10)])
    >>> middle_of(street).x, middle_of(street, river).x
    (50.0, 70.0)
    """
    import shapely

    if water is not None and len(water):
        bridge = shapely.intersection(shape, shapely.union_all(shapely.make_valid(water)))
        shape = bridge if shapely.length(bridge) > 0 else shape
    parts = shapely.get_parts(shape)
    longest = parts[int(np.argmax(shapely.length(parts)))]
    return shapely.line_interpolate_point(longest, 0.5, normalized=True)
