"""What is measured of siting at sizes S, M and L, and what is asked there."""

from typing import NamedTuple

from locate_rows import Target
from published_places import COUNTS

TOWN_KM = 1.0


class Made(NamedTuple):
    """A class of made cases: kind, how many, which radii and counts, and what is asked."""

    kind: str
    sites: int
    clients: int
    radii: tuple
    counts: tuple
    target: Target | None = None
    peers: dict | None = None  # name to tell → peer and its options


class Shares(NamedTuple):
    """Partial covering of a town."""

    sites: int
    clients: int
    targets: dict  # share → what is asked


class Published(NamedTuple):
    """How many of the published lists, and how long each may take."""

    census: dict  # name → counts
    census_s: float
    census_off: float  # of the best known value may be missing
    graphs: tuple
    graphs_s: Target | None
    centers_s: Target | None
    quarters: dict  # size → counts
    quarter: Target | None


class Cities(NamedTuple):
    """Real cities with so many candidates."""

    spacing: dict  # name → metres between corners
    counts: tuple
    target: Target


class Model(NamedTuple):
    """A problem type of spopt on a made square."""

    name: str
    sites: int
    clients: int
    count: int  # not read where the model finds its own
    radius: float  # not read where distance is the objective


class Size(NamedTuple):
    """What is asked."""

    made: tuple
    models: tuple = ()
    shares: tuple = ()
    published: tuple = ()
    cities: tuple = ()


SPOPT = {
    "spopt with HiGHS": ("spopt", {"solver": "HiGHS", "limit_s": 300}),
    "spopt with CBC": ("spopt", {"solver": "CBC", "limit_s": 300}),
}
_BOTH = {"NewYork": COUNTS, "Bronx": COUNTS}
_GRAPHS = tuple(range(1, 21))


def _highs(limit_s):
    return {f"plain HiGHS, {limit_s} s": ("highs", {"limit_s": limit_s})}


_SMALL = Size(
    made=(
        Made("square", 40, 4_000, (3.25, 6.25), (5,)),
        Made("town", 200, 2_000, (TOWN_KM,), (10,), peers={**SPOPT, **_highs(60)}),
        Made("town", 200, 5_000, (TOWN_KM,), (30,)),
    ),
    models=(Model("PMedian", 30, 300, 5, 1.0), Model("LSCPB", 40, 400, 0, 12.0)),
    shares=(Shares(200, 5_000, {0.5: None}),),
    published=(
        Published({"Bronx": (50,)}, 2.0, 0.01, (1, 2), None, None, {324: (5,)}, None),
    ),
)  # fmt: skip
_MIDDLE = Size(
    made=(
        Made("square", 100, 100_000, (3.25, 4.0, 4.75, 5.5, 6.25), (10, 15),
             Target(2.0, proven=True)),
        Made("square", 100, 1_000_000, (5.5,), (10,), Target(10.0, proven=True)),
        Made("town", 1_000, 10_000, (TOWN_KM,), (20,), Target(proven=True, ratio=100.0),
             {**SPOPT, **_highs(120)}),
        Made("town", 500, 100_000, (TOWN_KM,), (20,), Target(5.0, proven=True)),
        Made("town", 1_000, 100_000, (TOWN_KM,), (20,), Target(5.0, proven=True)),
        Made("town", 500, 100_000, (TOWN_KM,), (50, 125), Target(15.0, gap=0.002)),
        Made("town", 1_000, 100_000, (TOWN_KM,), (50, 125), Target(30.0, gap=0.008)),
    ),
    models=(
        Model("MCLP", 400, 4_000, 15, 3.0), Model("LSCP", 200, 2_000, 0, 6.5),
        Model("LSCPB", 200, 2_000, 0, 6.5), Model("PMedian", 100, 1_000, 10, 1.0),
        Model("PCenter", 40, 400, 5, 1.0),
    ),
    published=(
        Published(_BOTH, 5.0, 0.001, _GRAPHS, Target(40.0, proven=True), Target(4.0, proven=True),
                  dict.fromkeys((324, 402, 500), (5, 10, 20, 50)), Target(3.0, proven=True)),
    ),
    cities=(Cities({"porto": 150, "helsinki": 25}, (10, 20, 30), Target(10.0, gap=0.003)),),
)  # fmt: skip
_LARGE = Size(
    made=(
        Made("square", 100, 100_000, (5.5,), (10,), peers=_highs(120)),
        Made("town", 2_000, 20_000, (TOWN_KM,), (20,), Target(10.0, gap=0.005)),
        Made("town", 2_000, 20_000, (TOWN_KM,), (20,), Target(40.0, proven=True), _highs(100)),
        Made("town", 5_000, 100_000, (TOWN_KM,), (20,), Target(20.0, gap=0.006)),
        Made("town", 5_000, 100_000, (TOWN_KM,), (50, 125, 200), Target(20.0, gap=0.025)),
        Made("town", 5_000, 100_000, (TOWN_KM,), (50,), Target(120.0, gap=0.020)),
        Made("town", 5_000, 100_000, (TOWN_KM,), (125,), Target(120.0, gap=0.023)),
        Made("town", 5_000, 100_000, (TOWN_KM,), (200,), Target(120.0, gap=0.017)),
        Made("town", 10_000, 300_000, (TOWN_KM,), (20,), Target(30.0, gap=0.007)),
        Made("town", 10_000, 300_000, (TOWN_KM,), (50, 125, 200), Target(30.0, gap=0.029)),
    ),
    shares=(
        Shares(5_000, 100_000, {0.8: Target(20.0, gap=0.07), 0.9: Target(20.0, gap=0.10)}),
    ),
    published=(Published(_BOTH, 60.0, 0.0, (), None, None, {}, None),),
)  # fmt: skip
SIZES = {
    "S": _SMALL,
    "M": _MIDDLE,
    "L": Size(*(middle + large for middle, large in zip(_MIDDLE, _LARGE, strict=True))),
}
