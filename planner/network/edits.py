"""Changes to the streets: a passage or bridge opened, a road closed, a gate opened.

All changes count at once, whatever their order: first what is closed, then what is opened, which
joins streets that stay. Streets that are not touched keep their shape and their milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from pyproj import Transformer

from planner.errors import SettingsError, nearest_name
from planner.geo import WGS84, Datum, to_wgs84
from planner.network.access import ORDINARY
from planner.network.carry import SAME_M
from planner.network.frame import ground_length
from planner.network.grid import find_nearest
from planner.network.snap import place
from planner.network.splice import End, Link, chain_shapes, splice
from planner.settings import StreetEdit, make_settings

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from planner.network.streets import StreetNetwork

JOIN_M = 100.0  # how far the end of a passage may lie from a street (guess)
GATE_M = 25.0  # how far apart street ends may lie that a gate parts (guess)
_FAR_M = 10_000.0  # how far a message looks for the nearest street
_MOST_SECTIONS = 12
_STEP_BACK_M = 5.0  # from a gate, to tell its two sides apart
_PATH = 0


class Trace(NamedTuple):
    """What one change does, for maps: the lines opened or closed, and between which places.

    `lines` is a MultiLineString in the streets' CRS; `ends` are x and y of pairs of places on
    streets, shape (k, 2, 2): the ends of a passage or gate, or those of every section closed (of
    many the longest).
    """

    lines: shapely.MultiLineString
    ends: np.ndarray


class _Asked(NamedTuple):
    """One edit with its number in the study and its places in the streets' CRS, by key."""

    number: int
    edit: StreetEdit
    xy: dict[str, np.ndarray]  # shape (2,); of an area (k, 2)

    def wrong(self, message: str) -> SettingsError:
        """Return an error that says which edit it is about."""
        named = f" “{self.edit.name}”" if self.edit.name else ""
        return SettingsError(
            f"`streets.edits` {self.number}{named} ({self.edit.action}): {message}"
        )


class _Change(NamedTuple):
    """One edit, found on the streets."""

    closed: np.ndarray  # chains
    links: list[Link]


def edit_streets(
    streets: StreetNetwork,
    edits: Iterable[StreetEdit | Mapping[str, Any]],
    *,
    datum: Datum = "wgs84",
    only: Container[int] | None = None,
) -> StreetNetwork:
    """Return the streets with some opened and others closed.

    Parameters
    ----------
    streets
        The network; it stays as it is.
    edits
        As `[[streets.edits]]` of a study: ``connect`` (`from`, `to`, optional `length_m`,
        `oneway`), ``close`` (`at`, `street`, a line `from` – `to` or
        `inside` an area) and ``open`` (`at`). Whether
        they are to be adopted plays no part.
    datum
        Of the edits' longitudes and latitudes: wgs84, gcj02 or bd09.
    only
        Which of the edits count, numbered from 1; all by default.

    Returns
    -------
    StreetNetwork
        What is connected is travelled at the network's speed. A street that is cut in two costs in
        all what it did before.

    Raises
    ------
    SettingsError
        An edit is malformed, lies too far from any street, names a street that is not there, or
        changes nothing.

    Notes
    -----
    Junctions wait for those that meet there: where a way begins in the middle of a street
    `StreetNetwork.junction_s` is charged from then on, and no more where closing leaves a street
    that just goes on. A road drawn as two carriageways is closed by a line across both.

    Examples
    --------
    >>> from planner.network import StreetNetwork
    >>> lane = StreetNetwork.from_arrays(
    ...     [500_000, 500_300, 500_300, 500_000], [2_800_000, 2_800_000, 2_800_060, 2_800_060],
    ...     [0, 1, 2], [1, 2, 3], [300, 60, 300], crs="EPSG:32650",
    ... )
    >>> door = {"action": "connect", "from": [117, 25.31655], "to": [117, 25.3171]}
    >>> edit_streets(lane, [door])
    <StreetNetwork walk 4 km/h: 2 junctions, 2 streets, 0.7 km, 1 component, EPSG:32650>
    """
    changes = _find(streets, _asked(streets, edits, datum, only))
    if not changes:
        return streets
    stays = np.ones(streets.n_edges, dtype=bool)
    for change in changes.values():
        stays[change.closed] = False
    return splice(streets, stays, [link for change in changes.values() for link in change.links])


def trace_edits(
    streets: StreetNetwork,
    edits: Iterable[StreetEdit | Mapping[str, Any]],
    *,
    datum: Datum = "wgs84",
    only: Container[int] | None = None,
) -> dict[int, Trace]:
    """Tell where the edits lie, by their number; parameters and errors as `edit_streets`."""
    found = _find(streets, _asked(streets, edits, datum, only))
    return {number: _trace(streets, change) for number, change in found.items()}


# ── where edits lie ───────────────────────────────────────────────────────────────────────────


def _asked(
    streets: StreetNetwork,
    edits: Iterable[StreetEdit | Mapping[str, Any]],
    datum: Datum,
    only: Container[int] | None,
) -> list[_Asked]:
    """Check edits, number them from 1 and bring their places to the streets' CRS."""
    study = {"streets": {"edits": list(edits)}}
    turn = Transformer.from_crs(WGS84, streets.crs, always_xy=True).transform
    found = []
    for number, edit in enumerate(make_settings(study, source="street edits").streets.edits, 1):
        if only is not None and number not in only:
            continue
        asked = _Asked(number, edit, {})
        places = {"from": edit.from_, "to": edit.to, "at": edit.at, "inside": edit.inside}
        for key, given in places.items():
            if given is not None:
                degrees = np.array(given, dtype=float)
                lon, lat = to_wgs84(degrees[..., 0], degrees[..., 1], datum)
                asked.xy[key] = np.stack(turn(lon, lat), axis=-1)
                if not np.isfinite(asked.xy[key]).all():
                    raise asked.wrong(
                        f"`{key}` lies outside of what {streets.crs.to_string()[:40]} can show. "
                        "Write longitude first, then latitude."
                    )
        found.append(asked)
    return found


def _find(streets: StreetNetwork, wanted: list[_Asked]) -> dict[int, _Change]:
    """Find every edit on the streets: closures on all of them, the rest on what stays open."""
    closures = [asked for asked in wanted if asked.edit.action == "close"]
    closed = {asked.number: _closed_chains(streets, asked) for asked in closures}
    stays = np.ones(streets.n_edges, dtype=bool)
    for chains in closed.values():
        stays[chains] = False
    if not stays.any():
        raise SettingsError(
            "the street edits close every street, so nothing is left to travel on. Close fewer."
        )
    nothing = np.zeros(0, dtype=np.int64)
    find = {"connect": _connected, "open": _opened}
    return {
        asked.number: _Change(closed[asked.number], [])
        if asked.number in closed
        else _Change(nothing, find[asked.edit.action](streets, asked, stays))
        for asked in wanted
    }


def _closed_chains(streets: StreetNetwork, asked: _Asked) -> np.ndarray:
    """Chains at a place, across a line, in an area or of a name."""
    edit = asked.edit
    of_name = np.ones(streets.n_edges, dtype=bool)
    if edit.street is not None:
        of_name = (streets.names == edit.street).astype(bool)[streets.name_code]
        if not of_name.any():
            known = nearest_name(edit.street, sorted({str(n) for n in streets.names if n}))
            raise asked.wrong(
                f"no street is called `{edit.street}`.{known} Write the name as the "
                "street file has it, or give a place: `at`."
            )
    if edit.at is not None:
        end = _nearest_end(streets, asked, "at", of_name)
        return np.array([end.chain])
    if edit.from_ is None and edit.inside is None:
        return np.flatnonzero(of_name)
    chains = (_crossed if edit.inside is None else _surrounded)(streets, asked, of_name)
    if not len(chains):
        what = f"`{edit.street}`" if edit.street else "any street"
        does = "the line `from` – `to` does not cross" if edit.from_ else "`inside` does not hold"
        raise asked.wrong(
            f"{does} {what}, so nothing is closed. Draw it anew, or give a place on the street: "
            "`at`."
        )
    return chains


def _crossed(streets: StreetNetwork, asked: _Asked, allowed: np.ndarray) -> np.ndarray:
    """Chains that the line crosses or touches."""
    line = shapely.LineString([asked.xy["from"], asked.xy["to"]])
    chains = _in_window(streets, line.bounds, allowed)
    return chains[shapely.intersects(chain_shapes(streets, chains), line)]


def _surrounded(streets: StreetNetwork, asked: _Asked, allowed: np.ndarray) -> np.ndarray:
    """Chains of which the greater part lies in the area."""
    area = shapely.Polygon(asked.xy["inside"])
    if not area.is_valid or area.area == 0:
        raise asked.wrong(
            "the corners of `inside` bound no area. Give them in the order in which one would walk "
            "round it."
        )
    chains = _in_window(streets, area.bounds, allowed)
    shapes = chain_shapes(streets, chains)
    held = shapely.length(shapely.intersection(shapes, area))
    return chains[held > 0.5 * shapely.length(shapes)]


def _in_window(
    streets: StreetNetwork, bounds: tuple[float, float, float, float], allowed: np.ndarray
) -> np.ndarray:
    """Chains whose own window meets another."""
    start = streets.vertex_ptr[:-1]
    west, south, east, north = bounds
    near = allowed & (np.minimum.reduceat(streets.vertex_x, start) <= east)
    near &= np.maximum.reduceat(streets.vertex_x, start) >= west
    near &= np.minimum.reduceat(streets.vertex_y, start) <= north
    near &= np.maximum.reduceat(streets.vertex_y, start) >= south
    return np.flatnonzero(near)


def _connected(streets: StreetNetwork, asked: _Asked, stays: np.ndarray) -> list[Link]:
    """Return the way between the street places nearest to `from` and `to`."""
    edit = asked.edit
    start, stop = (_nearest_end(streets, asked, key, stays) for key in ("from", "to"))
    length = _metres(streets, start, stop)
    if (start.chain, start.share) == (stop.chain, stop.share) or length < SAME_M:
        raise asked.wrong(
            "`from` and `to` lie at the same place of one street, so nothing is "
            "connected. Move one of them to the other street."
        )
    street_class = ORDINARY if streets.mode == "drive" else _PATH
    return [Link(start, stop, edit.length_m or length, edit.oneway, edit.name, street_class)]


def _opened(streets: StreetNetwork, asked: _Asked, stays: np.ndarray) -> list[Link]:
    """Join the street ends at a gate, or the one that is there and the nearest other street."""
    x, y = asked.xy["at"]
    at_tail = np.bincount(streets.tail[stays], minlength=streets.n_nodes)
    degree = at_tail + np.bincount(streets.head[stays], minlength=streets.n_nodes)
    loose = np.flatnonzero(degree == 1)
    away = np.hypot(streets.x[loose] - x, streets.y[loose] - y)
    order = np.argsort(away, kind="stable")
    loose, away = loose[order], away[order]
    ends = [_loose_end(streets, int(node), stays) for node in loose[away <= GATE_M]]
    if not ends:
        least = f"the nearest is {away[0]:.0f} m away" if len(away) else "there is none at all"
        raise asked.wrong(
            f"no street ends within {GATE_M:g} m of `at` ({least}), so there is "
            "nothing to join. Move it to the gate, or use the action connect: a street that is "
            "closed along its whole length is not in the network."
        )
    first = ends[0]
    round_about = streets.length_m[first.chain] > 2 * GATE_M  # its other end may be across the gate
    others = [end for end in ends[1:] if end.chain != first.chain or round_about]
    if not others:
        beside = stays.copy()
        beside[first.chain] = False
        others = _places_of(streets, first.x, first.y, GATE_M, beside)
    if not others:
        raise asked.wrong(
            f"only one street ends at `at`, and no other lies within {GATE_M:g} m of "
            "its end. Use the action connect with `from` and `to`."
        )
    name = str(streets.names[streets.name_code[first.chain]])
    street_class = int(streets.street_class[first.chain])
    return [
        Link(first, end, _metres(streets, first, end), False, name, street_class) for end in others
    ]


def _metres(streets: StreetNetwork, a: End, b: End) -> float:
    """Straight metres on the ground."""
    x, y = np.array([a.x, b.x]), np.array([a.y, b.y])
    return float(ground_length(x, y, np.array([0]), np.array([1]), streets.crs)[0])


def _loose_end(streets: StreetNetwork, node: int, stays: np.ndarray) -> End:
    """Return the one street that ends at a junction."""
    chain = int(np.flatnonzero(stays & ((streets.tail == node) | (streets.head == node)))[0])
    share = 0.0 if streets.tail[chain] == node else 1.0
    return End(chain, share, float(streets.x[node]), float(streets.y[node]))


def _nearest_end(streets: StreetNetwork, asked: _Asked, key: str, allowed: np.ndarray) -> End:
    """Put one end of an edit on the nearest street, or say how far that is."""
    x, y = asked.xy[key]
    found = _places_of(streets, x, y, JOIN_M, allowed)
    if found:
        return found[0]
    told = f"`{asked.edit.street}`" if asked.edit.street else "street"
    farther = _places_of(streets, x, y, _FAR_M, allowed)
    away = f"{np.hypot(farther[0].x - x, farther[0].y - y):.0f} m" if farther else "over 10 km"
    raise asked.wrong(f"`{key}` lies {away} from the nearest {told}; {JOIN_M:g} m is the most. "
        "Move it to the street, and check that longitude stands first and the `datum` is right."
    )  # fmt: skip


def _places_of(
    streets: StreetNetwork, x: float, y: float, max_m: float, allowed: np.ndarray
) -> list[End]:
    """Return the nearest place on an allowed street, or nothing."""
    here = np.array([x]), np.array([y])
    places = place(streets, find_nearest(streets.grid, *here, max_m=max_m, allowed=allowed))
    if not places.snapped[0]:
        return []
    return [End(int(places.chain[0]), *(float(v[0]) for v in (places.share, places.x, places.y)))]


# ── for maps and reports ──────────────────────────────────────────────────────────────────────


def _trace(streets: StreetNetwork, change: _Change) -> Trace:
    if change.links:
        sides = np.array([_sides(streets, link) for link in change.links])
        return Trace(shapely.MultiLineString(list(sides)), sides[:1])
    closed = change.closed
    others = np.ones(streets.n_edges, dtype=bool)
    others[closed] = False
    alive = np.union1d(streets.tail[others], streets.head[others])
    through = np.isin(streets.tail[closed], alive) & np.isin(streets.head[closed], alive)
    sections = closed[through] if through.any() else closed
    sections = sections[np.argsort(-streets.length_m[sections], kind="stable")][:_MOST_SECTIONS]
    nodes = np.column_stack([streets.tail[sections], streets.head[sections]])
    ends = np.stack([streets.x[nodes], streets.y[nodes]], axis=-1)
    return Trace(shapely.MultiLineString(list(chain_shapes(streets, closed))), ends)


def _sides(streets: StreetNetwork, link: Link) -> np.ndarray:
    """Return the ends of a new way; of those at one place, a little back on either street."""
    ends = np.array([link.start[2:], link.stop[2:]])
    if np.hypot(*(ends[1] - ends[0])) >= 1.0:
        return ends
    return np.array([_stepped_back(streets, end) for end in (link.start, link.stop)])


def _stepped_back(streets: StreetNetwork, end: End) -> tuple[float, float]:
    """Return a place on the same street, away from the end that it stands at."""
    low, high = streets.vertex_ptr[end.chain], streets.vertex_ptr[end.chain + 1]
    metres = streets.vertex_m[low:high]
    step = min(_STEP_BACK_M, metres[-1] / 2)
    here = end.share * metres[-1]
    at = here - step if here >= metres[-1] / 2 else here + step
    x, y = (np.interp(at, metres, v[low:high]) for v in (streets.vertex_x, streets.vertex_y))
    return float(x), float(y)
