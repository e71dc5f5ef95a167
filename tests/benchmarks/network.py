"""Print how fast the streets answer, against targets and other libraries.

Run it from the project's folder, in an environment with the extra `bench`:

    python tests/benchmarks/network.py --size M --data /tmp/cities --peers /tmp/peers

Two made cities (`made_cities.py`) and Porto's streets, which are read from the shared data
(`PLANNER_SHARED`, by default ../shared) and left out where that is absent. Sizes: S takes half a
minute (cities of a few thousand vertices; the targets are not for it), M a quarter of an hour with
peers, half of it pandana's building. `--data` keeps the made cities for the next run. `--peers`
names a folder of virtual environments for the peers that are no dependencies of the planner; what
is missing there is made with pip. Each job is a process of its own; ours and a peer take turns in
it, on one thread, compiled before, and the least CPU time (user and system) of some runs counts. A
job fails if a peer finds something else.
"""

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from made_cities import make_city
from network_peers import REQUIRES
from table import HERE, environment, judge, made_folder, print_table, run, say

HEAD = "| task | ours | peer | ratio | target | met |"
_ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")
}


class Size(NamedTuple):
    """How large cities are, and how much is asked of them."""

    crossings: int  # along one side of the grid city; of the shaped one a bit less than half
    sources: int
    stations: int
    rows: int  # sources that the slow peers are asked for
    large: int  # crossings along one side of the city that memory is measured with
    sites: int
    people: int
    areas: int
    full: bool = True  # too small a size says nothing about the targets

    def limit(self, target):
        """Return the target if it applies to this size."""
        return target if self.full else None


SIZES = {
    "S": Size(100, 500, 50, 40, 200, 500, 5_000, 50, full=False),
    "M": Size(455, 10_000, 500, 400, 1_049, 10_000, 100_000, 500),
}


class Row(NamedTuple):
    """One row of the table: what is judged is the ratio if there is one, else ours."""

    task: str
    ours: float
    tell: object = None  # how to write ours, and theirs; by default as seconds
    peer: str = ""
    theirs: float | None = None
    target: float | None = None
    most: bool = True  # the target of ours is an upper limit
    ratio: bool = True  # theirs is told as a multiple of ours

    def __str__(self):
        """Write the row as Markdown."""
        tell = self.tell or tell_seconds
        peer, ratio = self.peer, ""
        judged = judge(self.ours, self.target, tell, most=self.most)
        if self.theirs is not None:
            peer = f"{self.peer}: {tell(self.theirs)}"
        if self.theirs is not None and self.ratio:
            ratio = tell_ratio(self.theirs / self.ours)
            judged = judge(self.theirs / self.ours, self.target, tell_ratio, most=False)
        return f"| {self.task} | {tell(self.ours)} | {peer} | {ratio} | {judged} |"


class Skipped(NamedTuple):
    """What could not be asked, and why."""

    task: str
    why: str

    def __str__(self):
        """Write the row as Markdown."""
        return f"| {self.task} | skipped: {self.why} | | | | |"


def tell_seconds(seconds):
    """Write seconds to three digits."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= factor:
            return f"{_digits(seconds / factor)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def tell_ratio(ratio):
    """Write how many times."""
    return f"{_digits(ratio)}×"


def tell_share(share):
    """Write a share of 1."""
    return f"{share:.1%}"


def tell_megabytes(count):
    """Write a count of bytes."""
    return f"{count / 1e6:.0f} MB"


def tell_bytes(count):
    """Write a small count of bytes."""
    return f"{count:.2f} bytes"


def _digits(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Target(NamedTuple):
    """What is asked of the two made cities."""

    reach_s: float
    reach: dict
    nearest: float


TARGETS = {
    "grid": Target(0.20, {"networkx": 30.0, "ego_graph": 200.0}, 5.0),
    "shaped": Target(0.07, {"networkx": 50.0, "ego_graph": 550.0, "scipy": 60.0}, 13.0),
}
TOLD = {
    "scipy": "scipy `dijkstra(limit=)`",
    "networkx": "networkx `single_source_dijkstra_path_length(cutoff=)`",
    "ego_graph": "networkx `ego_graph`",
}
INSTALLED = ("scipy", "networkx", "shapely", "osmnx")
PANDANA = (
    ("nodes_in_range", "`nodes_in_range`", 35.0),
    ("call", "its C++ call alone", 3.5),
)


class Bench:
    """Where files lie, how large things are, and who else is asked."""

    def __init__(self, size, folder, peers=None, shared=None):
        self.size = size
        self.folder = made_folder(folder, "made_cities.py")
        self.peers = peers
        root = Path(shared or os.environ.get("PLANNER_SHARED", HERE.parents[1] / ".." / "shared"))
        self.porto = (root / "data" / "porto" / "streets.osm.pbf").resolve()

    def city(self, name):
        """Return the file of a made city."""
        size = self.size
        options = {
            "grid": {"side": size.crossings},
            "shaped": {"side": round(0.466 * size.crossings), "block_m": 200.0, "bends": 2},
            "large": {"side": size.large, "sources": 100 * size.stations},
        }[name]
        options = {"sources": size.sources, "stations": size.stations} | options
        label = "-".join(str(value) for value in options.values())
        path = self.folder / f"{name}-{label}.npz"
        if not path.exists():
            say(f"making {path.name}")
            make_city(**options).save(path)
        return path

    def job(self, script, name, **options):
        """Run a job of ours on one thread."""
        text = json.dumps({key: _text(value) for key, value in options.items()})
        return run(sys.executable, HERE / script, name, text, environ=os.environ | _ONE_THREAD)

    def peer(self, name, *files):
        """Run a peer in its own environment."""
        python = environment(self.peers / name, REQUIRES[name])
        return run(
            python, HERE / "network_peers.py", name, *files, environ=os.environ | _ONE_THREAD
        )


def _text(value):
    return str(value) if isinstance(value, Path) else value


def measure_city(bench, name):
    """Reach and nearest stations in a made city."""
    size, target, city = bench.size, TARGETS[name], bench.city(name)
    found, near = (city.with_name(f"found-{city.stem}-{what}.npz") for what in ("reach", "nearest"))
    said = bench.job("network_jobs.py", "reach", city=city, out=found, rows=size.rows)
    ours = said["seconds"]["ours"]
    task = f"{name} city: {size.sources:,} sources × 15 min as CSR"
    yield Row(f"{task}, {said['pairs'] / 1e6:.2f} M pairs", ours, target=size.limit(target.reach_s))
    for peer, told in TOLD.items():
        rows = said["rows"][peer]
        theirs = said["seconds"][peer] / rows * size.sources
        yield Row("the same", ours, peer=f"{told}, from {rows} sources", theirs=theirs,
                  target=size.limit(target.reach.get(peer)))  # fmt: skip
    yield Row("the same, the vertices put in order along the streets first",
              said["seconds"]["fresh"])  # fmt: skip
    each = said["bytes"] / said["pairs"]
    yield Row("bytes a pair, with the pointer", each, tell_bytes)
    seek = bench.job("network_jobs.py", "nearest", city=city, out=near)
    seconds = seek["seconds"]
    task = f"{name} city: nearest of {size.stations} with label"
    scipy = {"peer": "scipy `dijkstra(min_only=True)`", "theirs": seconds["scipy"]}
    yield Row(f"{task}, {seek['junctions']:,} junctions", seconds["junctions"], **scipy,
              target=size.limit(target.nearest))  # fmt: skip
    yield Row(f"the same, {seek['vertices']:,} vertices as places", seconds["vertices"], **scipy)
    if name == "grid" and bench.peers:
        yield from measure_pandana(bench, (city, found, near), ours, seconds["vertices"])


def measure_pandana(bench, files, reach, nearest):
    """Reach and nearest stations as pandana finds them, after its building, over our seconds."""
    try:
        said = bench.peer("pandana", *files)
    except subprocess.CalledProcessError as error:
        if error.cmd[1:3] != ["-m", "pip"]:
            raise
        yield Skipped("pandana", "not installable here")
        return
    name = f"pandana {said['version']}"
    built = f"after {tell_seconds(said['building'])} of building"
    for call, told, target in PANDANA:
        yield Row(f"grid city: {bench.size.sources:,} sources × 15 min", reach,
                  peer=f"{name} {told} ({built})", theirs=said[call],
                  target=bench.size.limit(target))  # fmt: skip
    yield Row(f"grid city: nearest of {bench.size.stations} with label", nearest,
              peer=f"{name} `nearest_pois` ({built})", theirs=said["nearest_pois"])  # fmt: skip


def measure_porto(bench):
    """Read a real city, put points on it, find who is within a limit, draw areas."""
    size, file = bench.size, bench.porto
    if not file.exists():
        yield Skipped("Porto", "its streets are absent: set PLANNER_SHARED")
        return
    xml = porto_xml(bench) if bench.peers else None
    said = bench.job("porto_jobs.py", "streets", file=file, xml=xml)
    yield Row(f"Porto: .osm.pbf → walking network, {said['edges']:,} streets",
              said["seconds"]["ours"])  # fmt: skip
    if xml:
        yield Row("the same", said["seconds"]["ours"],
                  peer="osmnx `graph_from_xml`, simplified (motorways too)",
                  theirs=said["seconds"]["osmnx"], target=size.limit(45.0))  # fmt: skip
    yield from measure_people(bench)
    said = bench.job("porto_jobs.py", "snapping", file=file, points=size.people)
    yield Row(f"Porto: snapping {size.people:,} points", said["seconds"]["ours"],
              peer="shapely `STRtree.query_nearest`", theirs=said["seconds"]["shapely"],
              target=size.limit(20.0))  # fmt: skip
    yield from measure_areas(bench, xml)


def porto_xml(bench):
    """Return Porto's streets as XML."""
    xml = bench.folder / "porto.osm"
    if not xml.exists():
        bench.peer("osmium", bench.porto, xml)
    return xml


def measure_people(bench):
    """Find everyone within the limit of each site."""
    size = bench.size
    said = bench.job(
        "porto_jobs.py", "people", file=bench.porto, sites=size.sites, people=size.people
    )
    sums, pairs, count = said["seconds"]["sums"], said["seconds"]["pairs"], said["pairs"]
    task = f"Porto: {size.sites:,} sites × {size.people:,} people, 15 min"
    yield Row(f"{task} ({count / 1e6:.1f} M pairs): sums", sums, target=size.limit(0.6))
    yield Row("the same, people put in order along the streets first", said["seconds"]["fresh"])
    yield Row("the same as CSR", pairs)
    yield Row("of it, a pair", pairs / count, target=size.limit(20e-9))
    one, two = said["walls"]["1"], said["walls"]["2"]
    yield Row("sums in two threads, on the clock", two, peer="in one", theirs=one)


def measure_areas(bench, xml):
    """Draw the ground within the limit of sites, and see how true it is."""
    size = bench.size
    said = bench.job("porto_jobs.py", "areas", file=bench.porto, sites=size.areas, xml=xml)
    each = said["seconds"]["ours"] / size.areas
    name = "the recipe of osmnx"
    theirs = {"peer": name, "theirs": said["seconds"]["osmnx"] / 10} if xml else {}
    yield Row("Porto: raster of nearest streets, once a network", said["raster"])
    yield Row("Porto: 15 min walk polygon", each, target=size.limit(1e-3))
    if xml:
        yield Row("the same", each, **theirs)
    for key, task, target, most in (
        ("inside", "reachable street length inside", 0.992, False),
        ("unreachable", "unreachable share of the inside", 0.009, True),
    ):
        peer = {"peer": name, "theirs": said["osmnx"][key]} if xml else {}
        yield Row(f"its {task}", said["ours"][key], tell_share, **peer, ratio=False,
                  target=size.limit(target), most=most)  # fmt: skip


def measure_memory(bench):
    """Build a large network and search it."""
    said = bench.job("network_jobs.py", "memory", city=bench.city("large"))
    task = f"memory of {said['nodes']:,} vertices: arrays of the network and both worlds"
    yield Row(task, said["held"], tell_megabytes)
    yield Row(
        "most above imports and what it is made from, network built", said["built"], tell_megabytes
    )
    yield Row("both worlds, and a search from all stations", said["searched"], tell_megabytes,
              target=bench.size.limit(500e6))  # fmt: skip
    yield Row("and the index that puts points on streets", said["indexed"], tell_megabytes)


def measure(bench):
    """Yield all rows."""
    for name in TARGETS:
        yield from measure_city(bench, name)
    yield from measure_porto(bench)
    yield from measure_memory(bench)


def main():
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--data", type=Path, help="where made cities are kept")
    parser.add_argument("--peers", type=Path, help="folder of virtual environments, one a peer")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        bench = Bench(SIZES[asked.size], asked.data or Path(folder), asked.peers)
        rows = list(measure(bench))
    said = "" if asked.peers else "Some libraries were not asked: see `--peers`. "
    versions = ", ".join(f"{name} {version(name)}" for name in INSTALLED)
    print_table(HEAD, rows, f"Size {asked.size}. {said}{versions}. ")


if __name__ == "__main__":
    main()
