"""Give every candidate a name that a planner can find on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.geo import names_at
from planner.network import nearest_street

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network import StreetNetwork


def fill_names(
    offered: gpd.GeoDataFrame, streets: StreetNetwork, area: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """Name the unnamed after the nearest street, else after the district; tell namesakes apart.

    Words of no language are added: the second candidate on 中山路 is called ``中山路 #2``. What has
    a name of its own, a station or a host, keeps it as it is. Hosts get their name as `host_name`.
    """
    names = offered["name"].astype(object).to_numpy(copy=True)
    own = names != ""
    bare = np.flatnonzero(~own)
    names[bare] = nearest_street(streets, offered.geometry.iloc[bare]) if bare.size else ""
    nameless = names == ""
    rest = np.flatnonzero(nameless)
    if rest.size:
        names[rest] = names_at(offered.geometry.iloc[rest], area)
    fixed = own & offered["kind"].isin(["existing", "host"]).to_numpy()
    names = _number(names, fixed, nameless)
    hosts = offered["kind"] == "host"
    named = offered.assign(name=names.astype(str))
    return named.assign(host_name=named["name"].astype(object).where(hosts, None))


def _number(names: np.ndarray, fixed: np.ndarray, nameless: np.ndarray) -> np.ndarray:
    """Add ``#2``, ``#3``, … to repeated names; those of a district start at ``#1``."""
    taken = set(names[fixed])
    last: dict[str, int] = {}
    out = names.copy()
    for k in np.flatnonzero(~fixed):
        base = names[k]
        text, count = f"{base} #1".strip() if nameless[k] else base, last.get(base, 1)
        while text in taken:
            count += 1
            text = f"{base} #{count}".strip()
        last[base], out[k] = count, text
        taken.add(text)
    return out
