"""Other names for riders: what leaves this room need not say who they are."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd

_LONGEST_KEY = 64  # bytes that BLAKE2b takes


def pseudonymise(stays: gpd.GeoDataFrame, key: bytes | None = None) -> gpd.GeoDataFrame:
    """Return stays whose `rider_id` tells nobody who rode.

    Parameters
    ----------
    stays
        A `stays` table.
    key
        A secret: with the same key a rider has the same pseudonym in every table (keyed BLAKE2b,
        16 bytes), without it nobody can compute them. If None, riders are numbered within this
        table and cannot be found in any other.

    Examples
    --------
    >>> import geopandas as gpd
    >>> stays = gpd.GeoDataFrame({"rider_id": ["Wang", "Li", "Wang"]})
    >>> pseudonymise(stays)["rider_id"].tolist()
    ['2', '1', '2']
    """
    code, names = pd.factorize(stays["rider_id"].astype(str), sort=True)
    if key is None:
        digits = len(str(len(names)))
        others = [f"{number:0{digits}d}" for number in range(1, len(names) + 1)]
    else:
        secret = blake2b(key).digest() if len(key) > _LONGEST_KEY else key
        others = [blake2b(n.encode(), key=secret, digest_size=16).hexdigest() for n in names]
    renamed = pd.Series(others, dtype=str).take(code).set_axis(stays.index)
    return stays.assign(rider_id=renamed)
