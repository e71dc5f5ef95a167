"""Give places names that a planner finds on the ground: district, and host or street."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from planner.geo import names_at
from planner.network import nearest_street

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network import StreetNetwork

_PROPER = 2  # street_class from which on a street is more than a path or service way
_HOST_M = 80.0  # a host this near stands for the place: across a wide street (guess)


def name_places(
    points: gpd.GeoSeries,
    *,
    area: gpd.GeoDataFrame | None,
    streets: StreetNetwork | None,
    hosts: gpd.GeoDataFrame | None,
) -> list[str]:
    """Name points ``district · host`` or ``district · street``, as far as these are known.

    A host counts within 80 m (a guess), a named street within 250 m; a path or service way only
    where no other street has a name. Two places on one street are told apart by the next street,
    ``district · street / next street``; what is alike still is numbered from the second on,
    ``… #2``, in the order of the points. No words of any language are added. Without anything near
    the name is empty.
    """
    place = _host_names(points, hosts)
    on_street = place == ""
    if streets is not None and on_street.any():
        place[on_street] = _street_names(points[on_street], streets)
    names = _join(names_at(points, area), place, " · ")
    if streets is not None:
        alike = pd.Series(names).duplicated(keep=False).to_numpy() & on_street & (place != "")
        for street in sorted(set(place[alike])):
            here = alike & (place == street)
            crossing = _street_names(points[here], streets, besides=street)
            names[here] = _join(names[here], crossing, " / ")
    return _number(names)


def _street_names(points: gpd.GeoSeries, streets: StreetNetwork, besides: str = "") -> np.ndarray:
    """Name the nearest proper street, else the nearest path or service way."""
    proper = nearest_street(streets, points, besides=besides, least_class=_PROPER)
    small = nearest_street(streets, points, besides=besides)
    return np.where(proper != "", proper, small)


def _host_names(points: gpd.GeoSeries, hosts: gpd.GeoDataFrame | None) -> np.ndarray:
    """Name the nearest host that has a name; of equals the first by index."""
    names = np.full(len(points), "", dtype=object)
    if hosts is None or not len(points):
        return names
    known = hosts[hosts["name"].fillna("").astype(str).str.strip() != ""].sort_index()
    known = known.to_crs(points.crs)
    point, host = known.sindex.query(points.to_numpy(), predicate="dwithin", distance=_HOST_M)
    apart = shapely.distance(points.to_numpy()[point], known.geometry.to_numpy()[host])
    for k in np.lexsort((-host, -apart)):  # the nearest is written last
        names[point[k]] = str(known["name"].iloc[host[k]]).strip()
    return names


def _join(first: np.ndarray, second: np.ndarray, sign: str) -> np.ndarray:
    both = [sign.join(part for part in pair if part) for pair in zip(first, second, strict=True)]
    return np.array(both, dtype=object)


def _number(names: np.ndarray) -> list[str]:
    nth = pd.Series(names, dtype=object).groupby(names).cumcount().to_numpy() + 1
    return [f"{name} #{k}" if k > 1 and name else name for name, k in zip(names, nth, strict=True)]
