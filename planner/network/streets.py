"""The street network: junctions, chains between them, and what each direction costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from pyproj import CRS

from planner.errors import CrsError, InputError, SettingsError
from planner.geo import is_metric
from planner.network.access import check_mode, check_speed
from planner.network.assemble import Chains, Pieces, make_chains
from planner.network.world import CLOSED, World, make_world, meet
from planner.settings import SPEED_KMH, WALK_KMH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import shapely

    from planner.network.grid import Grid
    from planner.network.layout import Layout
    from planner.network.raster import Raster
    from planner.network.snap import Places

_MS_PER_M_AT_1_KMH = 3600.0
_LONGEST_DELAY_S = 600.0


@dataclass(frozen=True, eq=False, repr=False)
class StreetNetwork:
    """Streets for one mode: undirected chains with an integer cost in milliseconds each way.

    Made by `load_streets` or `StreetNetwork.from_arrays`; never changed afterwards.

    Attributes
    ----------
    crs
        Of all coordinates; metres.
    mode
        walk, ebike or drive.
    speed_kmh
        The speed on every street; by car with speeds of their own, the mean over open metres.
    x, y
        Junctions, shape (n_nodes,), along a Hilbert curve.
    tail, head
        Junctions at the ends of each chain, int32, shape (n_edges,).
    length_m
        Metres of each chain on the ground.
    forward_ms, backward_ms
        Milliseconds from tail to head and back, int32; ``CLOSED`` where that way is not open.
    name_code, names
        The name of chain e is ``names[name_code[e]]``, empty if it has none.
    street_class
        int8: 0 path, 1 service, 2 ordinary, 3 secondary, 4 primary, 5 motorway or trunk.
    vertex_ptr, vertex_x, vertex_y, vertex_m
        The shape of chain e is vertices ``vertex_ptr[e]:vertex_ptr[e + 1]`` from tail to head;
        `vertex_m` are the metres walked up to each.
    dropped
        What the source held and could not be used: reason → number of rows.
    credit
        Whom the streets are owed to, for every map of them; empty if the source does not tell.
    junction_s
        Seconds lost at every junction of three or more streets that a path passes.

    Notes
    -----
    The wait at a junction is borne once by who passes it, and by who sets out from a place right at
    it to another; not by who arrives at such a place, nor by who stays on one chain.

    Costs are whole milliseconds, so that sums are exact and equal in whatever order and direction
    they are made.

    Examples
    --------
    >>> net = StreetNetwork.from_arrays(
    ...     [0, 100, 100], [0, 0, 100], [0, 1], [1, 2], [100, 100], crs="EPSG:32650", mode="walk"
    ... )
    >>> net
    <StreetNetwork walk 4 km/h: 2 junctions, 1 street, 0.2 km, 1 component, EPSG:32650>
    >>> int(net.forward_ms[0]) / 60_000
    3.0
    """

    crs: CRS
    mode: str
    speed_kmh: float
    x: np.ndarray
    y: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    length_m: np.ndarray
    forward_ms: np.ndarray
    backward_ms: np.ndarray
    name_code: np.ndarray
    names: np.ndarray
    street_class: np.ndarray
    vertex_ptr: np.ndarray
    vertex_x: np.ndarray
    vertex_y: np.ndarray
    vertex_m: np.ndarray
    dropped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    credit: str = ""
    junction_s: float = 0.0

    @classmethod
    def from_arrays(
        cls,
        x: Sequence[float] | np.ndarray,
        y: Sequence[float] | np.ndarray,
        tail: Sequence[int] | np.ndarray,
        head: Sequence[int] | np.ndarray,
        length_m: Sequence[float] | np.ndarray,
        *,
        crs: Any,
        mode: str = "walk",
        speed_kmh: float | Sequence[float] | np.ndarray | None = None,
        oneway: Sequence[bool] | np.ndarray | None = None,
        name: Sequence[str] | np.ndarray | None = None,
        street_class: Sequence[int] | np.ndarray | None = None,
        geometry: Sequence[shapely.LineString] | np.ndarray | None = None,
        junction_s: float = 0.0,
    ) -> StreetNetwork:
        """Make a network from nodes and edges.

        Parameters
        ----------
        x, y
            Nodes, shape (n,), metres in `crs`.
        tail, head
            Nodes at the ends of each edge, shape (m,), 0..n-1.
        length_m
            Metres of each edge, ≥ 0.
        crs
            Anything pyproj reads; metres.
        mode
            walk, ebike or drive.
        speed_kmh
            One speed, or one an edge; by default 4 on foot, 15 by e-bike, 30 by car.
        oneway
            Edges open from tail to head only, shape (m,). Does not bind walkers.
        name, street_class
            Shape (m,); by default no name and class 2.
        geometry
            LineStrings between tail and head, shape (m,); by default straight.
        junction_s
            Seconds lost at every junction of three or more streets that a path passes, 0..600.

        Raises
        ------
        SettingsError
            Unknown mode, a speed that is not positive, or `junction_s` out of its range.
        InputError
            Arrays of different lengths, nodes that do not exist, lengths or places that are not
            finite; CrsError if `crs` is not in metres.
        """
        from planner.network.arrays import pieces_from_arrays

        check_mode(mode)
        pieces, speed = pieces_from_arrays(
            x, y, tail, head, length_m, mode, speed_kmh, oneway, name, street_class, geometry
        )
        return network_from_pieces(
            pieces, crs=crs, mode=mode, speed_kmh=speed, junction_s=junction_s
        )

    @property
    def n_nodes(self) -> int:
        """Junctions."""
        return len(self.x)

    @property
    def n_edges(self) -> int:
        """Chains: streets between two junctions."""
        return len(self.tail)

    @property
    def walk_kmh(self) -> float:
        """The speed of access legs: the network's own on foot, else 4 km/h."""
        return self.speed_kmh if self.mode == "walk" else WALK_KMH

    @cached_property
    def component(self) -> np.ndarray:
        """The connected part that each junction belongs to, one-ways taken as open both ways."""
        return self._components("weak")

    @property
    def n_components(self) -> int:
        """Parts of the network that no street joins."""
        return int(self.component.max(initial=-1)) + 1

    @cached_property
    def main(self) -> np.ndarray:
        """Chains of the main component: the most metres where all is reached from all."""
        label = self._components("strong")
        inside = label[self.tail] == label[self.head]
        metres = np.bincount(label[self.tail][inside], weights=self.length_m[inside])
        return inside & (label[self.tail] == (metres.argmax() if len(metres) else -1))

    @cached_property
    def outbound(self) -> World:
        """The streets as they are travelled; where all are alike both ways, `inbound` itself."""
        if not self.junction_s and np.array_equal(self.forward_ms, self.backward_ms):
            return self.inbound
        return self._world(self.forward_ms, self.backward_ms, inbound=False)

    @cached_property
    def inbound(self) -> World:
        """The streets travelled backward in time: costs toward a place instead of from it."""
        return self._world(self.backward_ms, self.forward_ms, inbound=True)

    @cached_property
    def slots(self) -> tuple[np.ndarray, np.ndarray]:
        """One order of all junctions and chains, each junction before the chains that start there.

        int32: the number of each junction, shape (n_nodes + 1,), and of each chain.
        """
        starting = np.bincount(self.tail, minlength=self.n_nodes)
        node = np.arange(self.n_nodes + 1) + np.concatenate([[0], np.cumsum(starting)])
        chain = np.empty(self.n_edges, dtype=np.int32)
        order = np.argsort(self.tail, kind="stable")
        chain[order] = np.arange(self.n_edges) + self.tail[order] + 1
        return node.astype(np.int32), chain

    @cached_property
    def layouts(self) -> WeakKeyDictionary[Places, dict[bool, Layout]]:
        """How places were laid out for the kernels, see `layout.lay_targets`."""
        return WeakKeyDictionary()

    @cached_property
    def grid(self) -> Grid:
        """The index that finds the nearest street."""
        from planner.network.grid import make_grid

        return make_grid(self.vertex_ptr, self.vertex_x, self.vertex_y)

    @cached_property
    def raster(self) -> Raster:
        """The ground beside the streets, for service areas; made when first asked for."""
        from planner.network.raster import make_raster, whole_window

        return make_raster(self, whole_window(self))

    @cached_property
    def key(self) -> str:
        """A short text that is equal for networks of the same chains, whatever their mode."""
        digest = blake2b(digest_size=12)
        for array in (self.vertex_ptr, self.vertex_x, self.vertex_y):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def lines(self) -> gpd.GeoDataFrame:
        """Return one row a chain for drawing.

        Returns
        -------
        geopandas.GeoDataFrame
            Index `street_id`; columns `name` (str, may be empty), `street_class` (int8, 0 path to
            5 motorway) and `geometry` (LineString in `crs`). ``attrs["attribution"]`` is `credit`.
        """
        import geopandas as gpd
        import pandas as pd
        import shapely

        row = np.repeat(np.arange(self.n_edges), np.diff(self.vertex_ptr))
        shapes = shapely.linestrings(self.vertex_x, self.vertex_y, indices=row)
        table = gpd.GeoDataFrame(
            {
                "name": pd.Series(self.names[self.name_code].astype(object), dtype="str"),
                "street_class": self.street_class.astype(np.int8),
            },
            geometry=shapes,
            crs=self.crs,
        )
        table.index.name = "street_id"
        table.attrs["attribution"] = self.credit
        return table

    def on_foot(self, speed_kmh: float = WALK_KMH) -> StreetNetwork:
        """Return the same streets walked both ways at one speed; places on them stay valid.

        The wait at junctions stays if this network is walked too; that of vehicles does not.
        """
        check_speed(speed_kmh)
        cost = _milliseconds(self.length_m, np.full(self.n_edges, speed_kmh))
        return replace(
            self,
            mode="walk",
            speed_kmh=float(speed_kmh),
            forward_ms=cost,
            backward_ms=cost,
            junction_s=self.junction_s if self.mode == "walk" else 0.0,
        )

    def __repr__(self) -> str:
        count = f"{self.n_nodes:,} junctions, {self.n_edges:,} street{'s' * (self.n_edges != 1)}"
        parts = f"{self.n_components:,} component{'s' * (self.n_components != 1)}"
        return (
            f"<StreetNetwork {self.mode} {self.speed_kmh:g} km/h: {count}, "
            f"{self.length_m.sum() / 1000:,.1f} km, {parts}, {self.crs.to_string()[:40]}>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p><code>{escape(repr(self))}</code></p>"

    def _components(self, connection: str) -> np.ndarray:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ahead, back = self.forward_ms < CLOSED, self.backward_ms < CLOSED
        row = np.concatenate([self.tail[ahead], self.head[back]])
        col = np.concatenate([self.head[ahead], self.tail[back]])
        graph = coo_array((np.ones(len(row), dtype=np.int8), (row, col)), (self.n_nodes,) * 2)
        return connected_components(graph.tocsr(), directed=True, connection=connection)[1]

    @cached_property
    def _meeting(self) -> tuple[np.ndarray, np.ndarray]:
        """Chains that meet at each junction."""
        ptr, chain = meet(self.tail, self.head, self.n_nodes)
        return ptr, chain

    def _world(self, ahead: np.ndarray, against: np.ndarray, *, inbound: bool) -> World:
        delay_ms = round(self.junction_s * 1000)
        ends, costs = (self.tail, self.head), (ahead, against)
        return make_world(self._meeting, ends, costs, delay_ms, inbound=inbound)


def network_from_pieces(
    pieces: Pieces,
    *,
    crs: Any,
    mode: str,
    speed_kmh: float | None = None,
    dropped: Mapping[str, int] | None = None,
    file: str | None = None,
    junction_s: float = 0.0,
) -> StreetNetwork:
    """Contract pieces into a network; `InputError` if none is open to the mode."""
    check_delay(junction_s)
    metric = CRS.from_user_input(crs)
    if not is_metric(metric):
        raise CrsError(
            f"the CRS of a street network must be in metres. Got {metric.to_string()}. Use the UTM "
            "zone of the area.",
            file=file,
        )
    chains = make_chains(pieces)
    if not len(chains.tail):
        raise InputError(
            f"no street here is open to the mode `{mode}`. Use another file or mode.", file=file
        )
    ahead = _milliseconds(chains.length_m, chains.forward_kmh)
    back = _milliseconds(chains.length_m, chains.backward_kmh)
    if speed_kmh is None:
        speed_kmh = _mean_speed(chains, mode)
    shape = {name: value for name, value in chains._asdict().items() if not name.endswith("_kmh")}
    return StreetNetwork(
        crs=metric,
        mode=mode,
        speed_kmh=float(speed_kmh),
        forward_ms=ahead,
        backward_ms=back,
        names=pieces.names,
        dropped=MappingProxyType(dict(dropped or {})),
        junction_s=float(junction_s),
        **shape,
    )


def check_delay(junction_s: float) -> None:
    """Raise `SettingsError` unless a wait at junctions is a number of seconds in its range."""
    if not 0.0 <= junction_s <= _LONGEST_DELAY_S:
        raise SettingsError(
            f"The `junction_s` setting must be between 0 and {_LONGEST_DELAY_S:g} seconds. "
            f"Got {junction_s}. Write the mean wait at a junction, such as 10."
        )


def _mean_speed(chains: Chains, mode: str) -> float:
    """Metres over hours of all open directions, to a tenth."""
    kmh = np.concatenate([chains.forward_kmh, chains.backward_kmh])
    metres = np.concatenate([chains.length_m, chains.length_m])[kmh > 0]
    hours = (metres / kmh[kmh > 0]).sum()
    return round(float(metres.sum() / hours), 1) if hours > 0 else SPEED_KMH[mode]


def _milliseconds(length_m: np.ndarray, kmh: np.ndarray) -> np.ndarray:
    """Whole milliseconds for a chain, ``CLOSED`` where the speed is 0."""
    is_open = kmh > 0
    cost = np.rint(length_m * _MS_PER_M_AT_1_KMH / np.where(is_open, kmh, 1.0))
    if cost.max(initial=0.0) >= CLOSED:
        raise InputError(
            f"a street takes {cost.max() / 3.6e6:,.0f} hours. Check that lengths are in metres."
        )
    return np.where(is_open, cost, CLOSED).astype(np.int32)
