"""Datum suspicion: whether points would lie nearer to the streets if read otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.geo import WGS84, Datum, from_wgs84, to_wgs84
from planner.network import snap_points

if TYPE_CHECKING:
    from planner.network import StreetNetwork

SAMPLE = 2000  # points measured at most
FAR_M = 2000.0  # a point farther from every street counts as so far away
_THIN_M = 25.0  # one point a square: a crowd at one door is measured once
_BLOCK_M = 500.0  # neighbours move over the same streets: a block of them is one witness
_FEW = 12  # witnesses, under which nothing is said (guess)
_SURE, _LIKELY = 4.0, 2.0  # standard errors: to accuse, and to trust what is declared
_CLEAR = 0.9  # the other reading's median distance, at most, over the declared one's (guess)
_STEPS = (0.01, 0.001, 0.0001)  # degrees: about 1 km, 100 m, 10 m
_ON_GRID = 0.05  # of a step, either way
STREETS = "streets_"  # readings in which the streets, not the points, are in another datum


class Sample(NamedTuple):
    """Points as the file has them and as they were read, degrees, and their blocks; shape (n,)."""

    lon: np.ndarray
    lat: np.ndarray
    wgs_lon: np.ndarray
    wgs_lat: np.ndarray
    block: np.ndarray


def check_datum(
    streets: StreetNetwork, places: gpd.GeoDataFrame, declared: Datum
) -> dict[str, Any]:
    """Measure how far places lie from the nearest street as declared and as read otherwise.

    Parameters
    ----------
    streets
        The network, taken to be in WGS 84.
    places
        Points in a metric CRS, converted from `declared`.
    declared
        What their degrees were taken for.

    Returns
    -------
    dict
        ``declared``; ``points`` measured; ``rounded_deg``, the step that the file's degrees are
        rounded to (None: finer than 0.0001°); ``readings`` {datum: {median_m, p90_m}}, the
        declared one first; ``best`` (a datum, or ``streets_gcj02``, ``streets_bd09`` if the streets
        rather are in that datum); ``verdict``: ``fits`` (as declared), ``other`` (`best` fits
        clearly better), ``unclear``, ``few`` (too few points), ``outside`` (outside China, where
        Chinese datums do not apply).

    Notes
    -----
    A shift of 300–700 m in a dense city moves most points from one street to another, so distances
    alone tell little of one point. The witnesses are many: at most 2,000 places, one a square of
    25 m, gathered by blocks of 500 m. Each block votes by the balance of its places that lie nearer
    and farther. Another reading is believed if the mean vote is four standard errors above nothing,
    the median distance a tenth smaller, and every further reading beaten as clearly: places in the
    middle of large blocks lie nearer to streets wherever they are moved.
    """
    sample = _sample(places, declared)
    answer: dict[str, Any] = {
        "declared": declared,
        "points": len(sample.lon),
        "rounded_deg": _rounded(sample),
    }
    inside = _in_china(sample)
    near = {name: _distance(streets, *at) for name, at in _readings(sample, declared, inside)}
    answer["readings"] = {name: _describe(far) for name, far in near.items()}
    return answer | _judge(near, declared, sample.block, inside=inside)


def _sample(places: gpd.GeoDataFrame, declared: Datum) -> Sample:
    """Return one place a square, evenly spread, whatever the order of the rows."""
    x, y = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    square = np.column_stack([np.floor(y / _THIN_M), np.floor(x / _THIN_M)]).astype(np.int64)
    order = np.lexsort((y, x, square[:, 1], square[:, 0]))
    _, first = np.unique(square[order], axis=0, return_index=True)
    taken = order[first]
    if len(taken) > SAMPLE:
        taken = taken[np.linspace(0, len(taken) - 1, SAMPLE).round().astype(np.int64)]
    at = gpd.GeoSeries(gpd.points_from_xy(x[taken], y[taken]), crs=places.crs).to_crs(WGS84)
    lon, lat = at.x.to_numpy(), at.y.to_numpy()
    row, col = (np.floor(v[taken] / _BLOCK_M).astype(np.int64) for v in (y, x))
    block = pd.factorize(pd.MultiIndex.from_arrays([row, col]))[0]
    return Sample(*from_wgs84(lon, lat, declared), lon, lat, block)


def _in_china(sample: Sample) -> bool:
    """Tell whether Chinese datums mean anything here: GCJ-02 moves nothing outside China."""
    lon, lat = from_wgs84(sample.wgs_lon, sample.wgs_lat, "gcj02")
    moved = (lon != sample.wgs_lon) | (lat != sample.wgs_lat)
    return bool(len(moved)) and float(moved.mean()) > 0.5


def _readings(
    sample: Sample, declared: Datum, inside: bool
) -> list[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Return the points in WGS 84 under each reading, the declared one first."""
    datums: list[Datum] = [declared, *(d for d in get_args(Datum) if d != declared)]
    if not inside:
        datums = [d for d in datums if d in (declared, "wgs84")]
    readings = [(str(d), to_wgs84(sample.lon, sample.lat, d)) for d in datums]
    # Points declared as the streets' datum, put back into it, are the file's own degrees again.
    shifted: list[Datum] = [d for d in ("gcj02", "bd09") if inside and d != declared]
    return readings + [
        (STREETS + d, from_wgs84(sample.wgs_lon, sample.wgs_lat, d)) for d in shifted
    ]


def _distance(streets: StreetNetwork, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=WGS84)
    return np.minimum(snap_points(streets, points, max_m=FAR_M).access_m, FAR_M)


def _describe(far: np.ndarray) -> dict[str, float | None]:
    if not len(far):
        return {"median_m": None, "p90_m": None}
    median, p90 = np.quantile(far, [0.5, 0.9])
    return {"median_m": round(float(median), 1), "p90_m": round(float(p90), 1)}


def _judge(
    near: dict[str, np.ndarray], declared: Datum, block: np.ndarray, *, inside: bool
) -> dict[str, str]:
    mine = near[declared]
    others = {name: far for name, far in near.items() if name != declared}
    if not others:
        return {"best": declared, "verdict": "outside"}
    if block.max(initial=-1) + 1 < _FEW:
        return {"best": declared, "verdict": "few"}
    best = min(others, key=lambda name: (float(np.median(others[name])), name))
    clear = np.median(others[best]) <= _CLEAR * np.median(mine)
    rivals = [far for name, far in others.items() if name != best]
    alone = all(_votes(others[best], far, block) >= _SURE for far in rivals)
    if clear and alone and _votes(others[best], mine, block) >= _SURE:
        return {"best": best, "verdict": "other"}
    fits = all(_votes(mine, far, block) >= _LIKELY for far in others.values())
    if not inside:
        return {"best": declared, "verdict": "outside"}
    return {"best": declared, "verdict": "fits" if fits else "unclear"}


def _votes(near: np.ndarray, far: np.ndarray, block: np.ndarray) -> float:
    """Return by how many standard errors the blocks hold that the first reading is nearer."""
    nearer = np.where(np.abs(far - near) > 1.0, np.sign(far - near), 0.0)
    vote = np.bincount(block, weights=nearer) / np.bincount(block)
    blocks = len(vote)
    return float(vote.mean() / np.sqrt((vote.var(ddof=1) + 1.0 / blocks) / blocks))


def _rounded(sample: Sample) -> float | None:
    """Return the coarsest step that half of the places lie on, both ways; chance gives 1 %."""
    if len(sample.lon) < _FEW:
        return None
    for step in _STEPS:
        off = [np.abs(v / step - np.round(v / step)) for v in (sample.lon, sample.lat)]
        if float(((off[0] <= _ON_GRID) & (off[1] <= _ON_GRID)).mean()) >= 0.5:
            return step
    return None
