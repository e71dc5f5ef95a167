"""Street networks with some chains left out, some cut and new ways added between them."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from planner.errors import SettingsError
from planner.network.world import CLOSED

if TYPE_CHECKING:
    from planner.network.streets import StreetNetwork


class End(NamedTuple):
    """A place on a street, as `Places` has it."""

    chain: int
    share: float
    x: float
    y: float


class Link(NamedTuple):
    """A way to be opened between two places."""

    start: End
    stop: End
    length_m: float
    oneway: bool
    name: str
    street_class: int


class _Rows(NamedTuple):
    """Some chains, as `StreetNetwork` holds them; `vertices` of each."""

    tail: np.ndarray
    head: np.ndarray
    length_m: np.ndarray
    forward_ms: np.ndarray
    backward_ms: np.ndarray
    name_code: np.ndarray
    street_class: np.ndarray
    vertices: np.ndarray
    vertex_x: np.ndarray
    vertex_y: np.ndarray
    vertex_m: np.ndarray


def splice(streets: StreetNetwork, stays: np.ndarray, links: list[Link]) -> StreetNetwork:
    """Leave out chains, cut those where new ways begin, and add these.

    Parameters
    ----------
    streets
        The network.
    stays
        Which chains stay, bool, shape (n_edges,); new ways join these only.
    links
        The ways to open, in any order.
    """
    links = sorted(links)
    ends = {end[:2]: end for link in links for end in (link.start, link.stop)}
    cuts = [ends[key] for key in sorted(ends) if 0.0 < key[1] < 1.0]
    number = {cut[:2]: streets.n_nodes + i for i, cut in enumerate(cuts)}
    whole = stays.copy()
    whole[[cut.chain for cut in cuts]] = False
    names = np.array(
        [*streets.names, *sorted({link.name for link in links} - set(streets.names))], dtype=object
    )
    rows = [_untouched(streets, whole)]
    rows += [_parts(streets, list(on_it), number) for _, on_it in groupby(cuts, itemgetter(0))]
    rows += [_opened_way(streets, link, number, names) for link in links]
    merged = _Rows(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))
    x = np.concatenate([streets.x, [cut.x for cut in cuts]])
    y = np.concatenate([streets.y, [cut.y for cut in cuts]])
    return _renumbered(streets, merged, x, y, names)


def _renumbered(
    streets: StreetNetwork, rows: _Rows, x: np.ndarray, y: np.ndarray, names: np.ndarray
) -> StreetNetwork:
    """Return a network of these chains, junctions that none of them touches left out."""
    used = np.zeros(len(x), dtype=bool)
    used[rows.tail] = used[rows.head] = True
    new = np.cumsum(used) - 1
    kept = rows._asdict()
    kept["vertex_ptr"] = np.concatenate([[0], np.cumsum(kept.pop("vertices"))]).astype(np.int64)
    kept["tail"] = new[rows.tail].astype(np.int32)
    kept["head"] = new[rows.head].astype(np.int32)
    return replace(streets, x=x[used], y=y[used], names=names, **kept)


def _untouched(streets: StreetNetwork, kept: np.ndarray) -> _Rows:
    count = np.diff(streets.vertex_ptr)
    vertex = np.repeat(kept, count)
    return _Rows(
        streets.tail[kept], streets.head[kept], streets.length_m[kept], streets.forward_ms[kept],
        streets.backward_ms[kept], streets.name_code[kept], streets.street_class[kept],
        count[kept], streets.vertex_x[vertex], streets.vertex_y[vertex], streets.vertex_m[vertex],
    )  # fmt: skip


def _parts(streets: StreetNetwork, cuts: list[End], number: dict[tuple[int, float], int]) -> _Rows:
    """Cut one chain: its milliseconds are shared out as places on it have them."""
    chain = cuts[0].chain
    low, high = streets.vertex_ptr[chain], streets.vertex_ptr[chain + 1]
    x, y, metres = (v[low:high] for v in (streets.vertex_x, streets.vertex_y, streets.vertex_m))
    share = np.array([0.0, *(cut.share for cut in cuts), 1.0])
    at = share * metres[-1]
    corner_x = [x[0], *(cut.x for cut in cuts), x[-1]]
    corner_y = [y[0], *(cut.y for cut in cuts), y[-1]]
    node = [streets.tail[chain], *(number[cut[:2]] for cut in cuts), streets.head[chain]]
    inner = [np.flatnonzero((metres > a) & (metres < b)) for a, b in pairwise(at)]
    n = len(inner)

    def shape(values: np.ndarray, corners: list[float] | np.ndarray) -> np.ndarray:
        ends = zip(corners, corners[1:], inner, strict=False)
        return np.concatenate([np.array([a, *values[i], b]) for a, b, i in ends])

    count = np.array([len(i) + 2 for i in inner])
    return _Rows(
        np.array(node[:-1], dtype=np.int32), np.array(node[1:], dtype=np.int32), np.diff(at),
        _shared_out(streets.forward_ms[chain], share),
        _shared_out(streets.backward_ms[chain], share),
        np.repeat(streets.name_code[chain], n), np.repeat(streets.street_class[chain], n),
        count, shape(x, corner_x), shape(y, corner_y),
        shape(metres, at) - np.repeat(at[:-1], count),
    )  # fmt: skip


def _shared_out(cost: np.int32, share: np.ndarray) -> np.ndarray:
    """Milliseconds of the parts; they add up to the whole."""
    if cost >= CLOSED:
        return np.full(len(share) - 1, CLOSED, dtype=np.int32)
    return np.diff(np.rint(int(cost) * share)).astype(np.int32)


def _opened_way(
    streets: StreetNetwork,
    link: Link,
    number: dict[tuple[int, float], int],
    names: np.ndarray,
) -> _Rows:
    """Return a new way as one chain at the network's speed."""
    cost = round(link.length_m * 3600.0 / streets.speed_kmh)
    if cost >= CLOSED:
        raise SettingsError(
            f"the street edit “{link.name}” takes {cost / 3.6e6:,.0f} hours to travel. Check its "
            "`length_m` and places."
        )
    ends = (link.start, link.stop)
    tail, head = (
        number.get(end[:2], (streets.head if end.share >= 1.0 else streets.tail)[end.chain])
        for end in ends
    )
    back = CLOSED if link.oneway else cost
    return _Rows(
        np.array([tail], dtype=np.int32), np.array([head], dtype=np.int32),
        np.array([link.length_m]), np.array([cost], dtype=np.int32),
        np.array([back], dtype=np.int32),
        np.array([list(names).index(link.name)], dtype=np.int32),
        np.array([link.street_class], dtype=np.int8), np.array([2]),
        np.array([end.x for end in ends]), np.array([end.y for end in ends]),
        np.array([0.0, link.length_m]),
    )  # fmt: skip


def chain_shapes(streets: StreetNetwork, chains: np.ndarray) -> np.ndarray:
    """Return the lines of some chains."""
    rows = _untouched(streets, np.isin(np.arange(streets.n_edges), chains))
    owner = np.repeat(np.arange(len(rows.vertices)), rows.vertices)
    return shapely.linestrings(rows.vertex_x, rows.vertex_y, indices=owner)
