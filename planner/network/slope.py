"""Hills: how much slower a street is walked uphill, from the heights of its vertices."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS, Transformer

from planner.errors import CrsError, InputError, MissingFileError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.network.assemble import Pieces

SOURCE = "source"  # heights that the street source itself holds
FLAT = "vertex without elevation"  # in `StreetNetwork.dropped`
_STEEPEST = 0.5  # what is steeper is an error of the heights (guess)
_ON_EARTH = (-500.0, 9000.0)  # what lies outside is a mark for “no value”
_BAND_CELLS = 1 << 24  # read at once from a DEM


def tobler_share(slope: np.ndarray) -> np.ndarray:
    """Return walking speed on a slope as a share of that on flat ground.

    Parameters
    ----------
    slope
        Rise over run, any shape; negative is downhill.

    Notes
    -----
    Tobler 1993, Three presentations on geographical analysis and modeling: on slope S one walks
    W = 6 exp(−3.5 |S + 0.05|) km/h, quickest on a gentle way down. Divided by W(0), so that flat
    ground keeps the network's own speed: exp(−3.5 (|S + 0.05| − 0.05)).

    Examples
    --------
    >>> tobler_share(np.array([0.0, 0.1, -0.05, -0.1])).round(3).tolist()
    [1.0, 0.705, 1.191, 1.0]
    """
    return np.exp(-3.5 * (np.abs(slope + 0.05) - 0.05))


def climb(
    pieces: Pieces, elevation: Path | str, crs: CRS, *, file: str | None = None
) -> tuple[Pieces, int]:
    """Slow every piece down, or speed it up, by its slope; each direction has its own.

    Parameters
    ----------
    pieces
        On foot, at flat speeds.
    elevation
        A raster of heights, or ``"source"`` for those in ``pieces.z``.
    crs
        Of the pieces.
    file
        The street file, for messages.

    Returns
    -------
    pieces, count
        And at how many vertices no height is known; what touches those is taken as flat.

    Raises
    ------
    InputError
        Heights are known nowhere, or the raster cannot be read.
    """
    if str(elevation) == SOURCE:
        if pieces.z is None or np.isnan(pieces.z).all():
            raise InputError(
                "holds no elevation: no node has `elevation` or `ele`, no line a Z. Name a DEM "
                "file in `streets.elevation`, or leave it out.",
                file=file,
            )
        z = pieces.z
    else:
        z = sample_dem(Path(elevation), pieces.x, pieces.y, crs)
    used = np.zeros(len(pieces.x), dtype=bool)
    used[pieces.a] = used[pieces.b] = True
    rise = np.nan_to_num(z[pieces.b] - z[pieces.a])
    run = np.where(pieces.length_m > 0, pieces.length_m, np.inf)
    slope = np.clip(rise / run, -_STEEPEST, _STEEPEST)
    return pieces._replace(
        forward_kmh=pieces.forward_kmh * tobler_share(slope),
        backward_kmh=pieces.backward_kmh * tobler_share(-slope),
    ), int((used & np.isnan(z)).sum())


def sample_dem(file: Path, x: np.ndarray, y: np.ndarray, crs: CRS) -> np.ndarray:
    """Read heights at points from the first band of a raster, bilinearly.

    Parameters
    ----------
    file
        Any raster that GDAL knows, with a CRS; heights in metres.
    x, y
        Points in `crs`, shape (n,).
    crs
        Their CRS.

    Returns
    -------
    Metres, shape (n,); NaN outside the raster and beside cells without value.

    Raises
    ------
    MissingFileError
        There is no such file.
    SettingsError
        Rasterio is not installed.
    InputError
        The file is no raster, or covers none of the points; CrsError if it has no CRS.
    """
    with _opened(file) as dem:
        if dem.crs is None:
            raise CrsError(
                "the elevation file has no CRS. Assign it in a GIS, or export it as GeoTIFF.",
                file=file,
            )
        to_dem = Transformer.from_crs(crs, CRS.from_wkt(dem.crs.to_wkt()), always_xy=True)
        east, north = to_dem.transform(x, y)
        a, b, c, d, e, f = (~dem.transform)[:6]
        with np.errstate(invalid="ignore"):
            col, row = a * east + b * north + c, d * east + e * north + f
            inside = (col >= 0) & (col <= dem.width) & (row >= 0) & (row <= dem.height)
        z = np.full(len(x), np.nan)
        z[inside] = _bilinear(dem, col[inside] - 0.5, row[inside] - 0.5)
    if np.isnan(z).all():
        raise InputError(
            "the elevation file covers none of the streets, or has no value there. Check its CRS "
            "and extent.",
            file=file,
        )
    return z


def _bilinear(dem: Any, col: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return heights between cell centres, read in bands of rows so that a large raster fits."""
    col, row = np.clip(col, 0, dem.width - 1), np.clip(row, 0, dem.height - 1)
    left, top = np.floor(col).astype(np.int64), np.floor(row).astype(np.int64)
    z = np.full(len(col), np.nan)
    if not len(col):
        return z
    first = int(left.min())
    width = min(int(left.max()) + 2, dem.width) - first
    band = max(_BAND_CELLS // width, 2)
    for start in range(int(top.min()), int(top.max()) + 1, band):
        here = (top >= start) & (top < start + band)
        if not here.any():
            continue
        cells = _heights(dem, start, min(start + band + 1, dem.height), first, width)
        i, j = top[here] - start, left[here] - first
        below, right = np.minimum(i + 1, len(cells) - 1), np.minimum(j + 1, width - 1)
        u, v = col[here] - left[here], row[here] - top[here]
        upper = _between(cells[i, j], cells[i, right], u)
        z[here] = _between(upper, _between(cells[below, j], cells[below, right], u), v)
    return z


def _between(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Weigh two heights; a weight of nothing asks for no value."""
    return np.where(share > 0, one * (1 - share) + other * share, one)


def _heights(dem: Any, start: int, stop: int, first: int, width: int) -> np.ndarray:
    """Read rows `start` to `stop` as metres, NaN where there is no value."""
    from rasterio.windows import Window

    window = Window(first, start, width, stop - start)
    cells = dem.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
    cells = cells * dem.scales[0] + dem.offsets[0]
    with np.errstate(invalid="ignore"):
        return np.where((cells < _ON_EARTH[0]) | (cells > _ON_EARTH[1]), np.nan, cells)


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """Open a raster."""
    if not file.is_file():
        raise MissingFileError("no such file. Check `streets.elevation`.", file=file)
    try:
        import rasterio
    except ImportError as error:
        raise SettingsError(
            "Reading `streets.elevation` needs rasterio, which is not installed. Install it: "
            'pip install "station-coverage-planner[elevation]".'
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            dem = rasterio.open(file)
        with dem:
            yield dem
    except rasterio.errors.RasterioError as error:
        raise InputError(
            f"cannot be read as elevation: {error}. Use a GeoTIFF or another raster of heights.",
            file=file,
        ) from error
