"""Print how fast, how lean and how right stays are found, against targets and other libraries.

Run it from the project's folder, in an environment with the extra `bench`:

    python tests/benchmarks/activity.py --size M --data /tmp/fixes --peers /tmp/peers

Sizes: S takes two minutes (1 M fixes; the targets of time are not for it), M a quarter of an hour
with peers (50 M, 3 GB of disk), L adds 200 M fixes (20 GB while they are made). `--data` keeps the
generated files for the next run. `--peers` names a folder of virtual environments, one a peer;
what is missing there is made with pip. Each job is a process of its own, run three times; the least
CPU time (user and system) counts, and the most memory.
"""

import argparse
import importlib.util
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from made_fixes import M_PER_LAT, M_PER_LON, make_area, write_fixes
from peers import PEERS, REQUIRES
from rides import HARD, STANDARD
from score import score, score_oracle
from table import HERE, Line, environment, made_folder, print_table, run, say


class Size(NamedTuple):
    """Riders and days; one rider's day is 1,780 fixes."""

    riders: int
    days: int
    scored: int  # riders of one day whose stays are scored
    against_peers: int  # riders of one day
    many: int | None = None  # riders of a file four times as long
    repeat: int = 3
    full: bool = True  # too small a size says nothing about the targets of time

    def limit(self, target):
        """Return the target if it applies to this size."""
        return target if self.full else None


SIZES = {
    "S": Size(riders=560, days=1, scored=560, against_peers=60, full=False),
    "M": Size(riders=4_100, days=7, scored=5_600, against_peers=560),
    "L": Size(riders=4_100, days=7, scored=5_600, against_peers=560, many=16_400),
}
_MEMORY_GB = 0.5  # of the size M; four times the fixes may take half as much again
PEER_TARGETS = {"scikit-mobility": 40.0, "trackintel": 80.0, "movingpandas": 800.0}


class Data:
    """Generated files in one folder, made when they are asked for."""

    def __init__(self, folder):
        self.folder = made_folder(folder, "rides.py", "made_fixes.py")

    def city(self, riders, days=1, *, hard=False, shuffled=False):
        """Return the files of fixes and of true stays."""
        name = f"{'hard' if hard else 'standard'}-{riders}x{days}{'-shuffled' * shuffled}"
        fixes, truth = (self.folder / f"{name}{end}.parquet" for end in ("", "-truth"))
        if not truth.exists():
            say(f"making {fixes.name}")
            model = HARD if hard else STANDARD
            write_fixes(fixes, riders=riders, days=days, model=model, shuffled=shuffled).to_parquet(
                truth
            )
        return fixes, truth

    def cleaned(self, riders, *, spikes):
        """Return the file of a city's fixes cleaned for peers, which do not clean."""
        path = self.folder / f"cleaned-{riders}{'-with-spikes' * spikes}.parquet"
        if not path.exists():
            clean(pd.read_parquet(self.city(riders)[0]), spikes=spikes).to_parquet(path)
        return path

    def jobs(self, names, fixes, *, repeat=1):
        """Run jobs in turn, some times; return the best time and worst memory of each."""
        runs = {name: [] for name in names}
        for _ in range(repeat):
            for name, results in runs.items():
                more = [self.city(100)[0]] if name in {"stays", "demand"} else []
                more += [self.stays] if name == "stays" else []
                results.append(run(sys.executable, HERE / "jobs.py", name, fixes, *more))
        for results in runs.values():
            best = min(results, key=lambda one: one["seconds"])
            yield best | {"bytes": max(one.get("bytes", 0) for one in results)}

    @property
    def stays(self):
        """Where the last job that found stays has left them."""
        return self.folder / "found.parquet"


def clean(fixes, *, spikes):
    """Sort fixes, leave out those off the city, all but one a moment, and spikes if wished.

    A spike is over 100 m from the fixes before and after it, which lie within 100 m of each other.
    """
    west, south, east, north = make_area().to_crs("EPSG:4326").total_bounds
    inside = fixes["lon"].between(west, east) & fixes["lat"].between(south, north)
    fixes = fixes[inside].drop(columns="speed").sort_values(["rider_id", "time", "lon", "lat"])
    fixes = fixes.drop_duplicates(["rider_id", "time"], ignore_index=True)
    if spikes:
        return fixes
    x, y = fixes["lon"] * M_PER_LON, fixes["lat"] * M_PER_LAT
    step = np.hypot(x.diff(), y.diff())
    across = np.hypot(x.shift(-1) - x.shift(), y.shift(-1) - y.shift())
    rider = fixes["rider_id"]
    spike = (step > 100) & (step.shift(-1) > 100) & (across < 100)
    spike &= rider.shift() == rider.shift(-1)
    return fixes[~spike].reset_index(drop=True)


def rows_of(path):
    """How many rows a Parquet file has."""
    return pq.ParquetFile(path).metadata.num_rows


def measure_speed(data, size):
    """Time from the file to demand, beside readers that do nothing with what they read."""
    fixes, _ = data.city(size.riders, size.days)
    mixed, _ = data.city(size.riders, size.days, shuffled=True)
    floor, base, ours = data.jobs(("decode", "duckdb", "demand"), fixes, repeat=size.repeat)
    low, spill = data.jobs(("decode", "demand"), mixed, repeat=size.repeat)
    seconds, rows = ours["seconds"], rows_of(fixes) / 1e6
    what = f"{rows:.1f} M fixes → cleaned, robust stays, cell sums"
    yield Line(f"{what}: CPU seconds", seconds)
    yield Line("of it, up to the stays", ours["stays_seconds"])
    yield Line("over pyarrow's decode of the same columns", seconds / floor["seconds"],
               "{:.2f}×", size.limit(3.0))  # fmt: skip
    yield Line("over DuckDB's min, max and sum of them", seconds / base["seconds"],
               "{:.2f}×", size.limit(1.6))  # fmt: skip
    yield Line("M fixes a CPU second", rows / seconds, "{:.1f}", size.limit(6.0), most=False)
    yield Line("memory above bare imports, GB", ours["bytes"] / 1e9, target=size.limit(_MEMORY_GB))
    yield Line("rows shuffled: over decode", spill["seconds"] / low["seconds"],
               "{:.2f}×", size.limit(4.0))  # fmt: skip
    yield Line("rows shuffled: memory, GB", spill["bytes"] / 1e9, target=size.limit(_MEMORY_GB))
    if size.many:
        yield from measure_growth(data, size, {False: ours, True: spill})


def measure_growth(data, size, less):
    """Compare the memory of four times as many fixes."""
    for shuffled, few in less.items():
        fixes, _ = data.city(size.many, size.days, shuffled=shuffled)
        (many,) = data.jobs(("demand",), fixes)
        rows = rows_of(fixes) / 1e6
        what = f"{rows:.0f} M fixes{', shuffled' * shuffled}: "
        yield Line(f"{what}memory, GB", many["bytes"] / 1e9, target=1.5 * _MEMORY_GB)
        yield Line(f"{what}memory over that of a quarter", many["bytes"] / few["bytes"], "{:.2f}×")
        yield Line(f"{what}M fixes a CPU second", rows / many["seconds"], "{:.1f}")


def measure_rightness(data, size):
    """Score our stays, and what the best of all could reach."""
    for hard, recall, precision in ((False, 0.945, 0.955), (True, 0.92, 0.945)):
        fixes, truth = data.city(size.scored, hard=hard)
        list(data.jobs(("stays",), fixes))
        truth = pd.read_parquet(truth)
        right, best = score(pd.read_parquet(data.stays), truth), score_oracle(truth)
        what = f"{'hard' if hard else 'standard'} set, {right.true:,} true stays"
        yield Line(f"{what}: recall", right.recall, "{:.3f}", recall, most=False)
        yield Line("precision", right.precision, "{:.3f}", precision, most=False)
        yield Line("recall of the oracle", best.recall, "{:.3f}")
        yield Line("precision of the oracle", best.precision, "{:.3f}")
        limits = (None, None) if hard else (6.0, 16.0)
        yield Line("centre error, median, m", right.error_m, "{:.1f}", limits[0])
        yield Line("centre error, 95 of 100, m", right.error_p95_m, "{:.1f}", limits[1])


def measure_peers(data, size, folder):
    """Time peers on fixes cleaned for them, and ours from the file just before each."""
    fixes, truth = data.city(size.against_peers)
    truth = pd.read_parquet(truth)
    for peer in PEERS:
        package = peer.split()[0]
        python = environment(folder / package, REQUIRES[package])
        (ours,) = data.jobs(("stays",), fixes, repeat=size.repeat)
        if peer == next(iter(PEERS)):
            what = f"{rows_of(fixes) / 1e6:.2f} M fixes → stays: "
            yield Line(f"{what}ours from the file, CPU seconds", ours["seconds"])
            yield from tell_score(data.stays, truth)
        repeat = 1 if package == "movingpandas" else size.repeat  # minutes, and no close call
        said, out = measure_peer(data, size, peer, python, repeat)
        yield Line(f"{peer} {said['version']}, its call alone, CPU seconds", said["seconds"])
        yield Line("over ours", said["seconds"] / ours["seconds"], "{:.0f}×",
                   size.limit(PEER_TARGETS.get(peer)), most=False)  # fmt: skip
        yield from tell_score(out, truth)
        if peer != "movingpandas":  # in metres it finds the same
            _, out = measure_peer(data, size, peer, python, spikes=False)
            yield from tell_score(out, truth, ", spikes taken out for it")


def measure_peer(data, size, peer, python, repeat=1, *, spikes=True):
    """Run a peer; return what it says, and the file of its stays."""
    fixes = data.cleaned(size.against_peers, spikes=spikes)
    out = data.folder / "found-by-peer.parquet"
    return run(python, HERE / "peers.py", peer, fixes, out, "--repeat", repeat), out


def tell_score(stays, truth, how=""):
    """Tell recall and precision, to compare."""
    right = score(pd.read_parquet(stays), truth)
    yield Line(f"recall{how}", right.recall, "{:.3f}")
    yield Line(f"precision{how}", right.precision, "{:.3f}")


def main():
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--data", type=Path, help="where generated files are kept")
    parser.add_argument("--peers", type=Path, help="folder of virtual environments, one a peer")
    parser.add_argument("--repeat", type=int, default=3, help="the least of so many runs counts")
    asked = parser.parse_args()
    if not importlib.util.find_spec("duckdb"):
        parser.error("DuckDB is missing: pip install -e '.[bench]'")
    size = SIZES[asked.size]._replace(repeat=asked.repeat)
    with TemporaryDirectory() as folder:
        data = Data(asked.data or Path(folder))
        lines = [*measure_speed(data, size), *measure_rightness(data, size)]
        if asked.peers:
            lines += measure_peers(data, size, asked.peers)
    said = "" if asked.peers else "Other libraries were not asked: see `--peers`. "
    print_table("| what | measured | target | met |", lines, f"Size {asked.size}. {said}")


if __name__ == "__main__":
    main()
