"""Print how good and how fast siting is, against targets, published values and other programs.

Run it from the project's folder:

    python tests/benchmarks/locate.py --size M --data /tmp/places --peers /tmp/peers

Made places (`made_places.py`), published lists and two real cities; lists and cities are read from
the shared data (`PLANNER_SHARED`, by default ../shared) and left out where that is absent. Sizes: S
takes a minute (the targets are not for it), M about ten with peers, L an hour. `--data` keeps the
made cases for the next run. `--peers` names a folder of virtual environments for the peers that are
no dependencies of the planner; what is missing there is made with pip.

Each job is a process of its own, on one thread, compiled before; CPU time (user and system) counts,
for what takes a few seconds the least of two runs, and time limits are CPU time, too. Three numbers
are told apart: how closely the linear relaxation was solved, how far the value is from the
relaxation's bound, and the gap that is proven in the end. A run fails if a peer proves another
optimum, or if anything published is better than our bound.
"""

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from locate_peers import REQUIRES
from locate_rows import HEAD, LISTS, WITHIN, Listed, Row, Skipped, Target
from locate_sizes import SIZES, TOWN_KM, Size
from made_places import load_case, make_case, make_square, make_town
from network import tell_seconds
from table import HERE, environment, made_folder, print_table, run, say

_ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB", "NUMBA")
}
_TWICE_S = 6.0  # what is asked to be faster runs twice


class Bench:
    """Where files lie, and who else is asked."""

    def __init__(self, folder, peers=None, shared=None):
        self.folder = made_folder(folder, "made_places.py")
        self.peers = peers
        root = Path(shared or os.environ.get("PLANNER_SHARED", HERE.parents[1] / ".." / "shared"))
        self.shared = (root / "data").resolve()

    def case(self, kind, sites, clients, radius):
        """Return the file of a made case."""
        path = self.folder / f"{kind}-{sites}-{clients}-{radius:g}.npz"
        if not path.exists():
            say(f"making {path.name}")
            make = {"square": make_square, "town": make_town}[kind]
            make_case(make(sites, clients), radius).save(path)
        return path

    def job(self, job, /, **options):
        """Run a job of ours on one thread."""
        text = json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in options.items()})
        script = HERE / "locate_jobs.py"
        return run(sys.executable, script, job, text, environ=os.environ | _ONE_THREAD)

    def peer(self, name, /, **options):
        """Run a peer; spopt in its own environment."""
        python = sys.executable
        package = name.partition("_")[0]
        if package in REQUIRES:
            python = environment(self.peers / package, REQUIRES[package])
        text = json.dumps(options | {"file": str(options["file"])})
        return run(python, HERE / "locate_peers.py", name, text, environ=os.environ | _ONE_THREAD)


def measure_made(bench, made):
    """Cover the most of made places with so many sites."""
    target = made.target
    limit_s = target.limit_s if target else 30.0
    repeat = 2 if target is None or (target.seconds or 0.0) <= _TWICE_S else 1
    gap = 0.0 if target is None or target.proven else 1e-4
    for radius in made.radii:
        file = bench.case(made.kind, made.sites, made.clients, radius)
        for count in made.counts:
            said = bench.job(
                "cover", file=file, count=count, limit_s=limit_s, gap=gap, repeat=repeat
            )
            within = f", R {radius:g}" if len(made.radii) > 1 else ""
            task = f"{made.kind} {made.sites:,} × {made.clients:,}{within}, p {count}"
            alone = target._replace(ratio=None) if target else None
            yield Row(task, said, target=alone)
            if bench.peers and made.peers:
                yield from measure_peers(bench, made, file, count, said)


def measure_peers(bench, made, file, count, ours):
    """Let others solve the same, and compare."""
    for name, (peer, options) in made.peers.items():
        try:
            theirs = bench.peer(peer, file=file, count=count, **options)
        except subprocess.CalledProcessError as error:
            if error.cmd[1:3] != ["-m", "pip"]:
                raise
            yield Skipped(name, "not installable here", HEAD.count("|") - 1)
            continue
        in_time = theirs.get("in_time", True)
        require_sound(name, ours, theirs, solved=in_time and not theirs.get("gap"))
        told = f"{name}: {tell_seconds(theirs['seconds'])}"
        if theirs["building"] > 0.1 * theirs["seconds"]:
            told += f" ({tell_seconds(theirs['building'])} of it building)"
        if not in_time:
            told += f", its limit, value {theirs['value']:,.0f}"
        if theirs.get("gap"):
            told += f", value {theirs['value']:,.0f}, gap {theirs['gap']:.2%}"
        asked = None
        if peer == "spopt" and made.target and made.target.ratio:
            asked = Target(ratio=made.target.ratio)
        yield Row("the same", ours, told, theirs["seconds"] / ours["seconds"], asked)


def require_sound(name, ours, theirs, *, solved):
    """Raise if a peer refutes our bound, or we find more than the optimum it claims."""
    value, tolerance = theirs["value"], 1e-4 * ours["value"]  # as close as HiGHS and CBC look
    if value > ours["bound"] * (1 + 1e-9):
        raise ValueError(f"{name} covers {value:,.0f}, more than our bound {ours['bound']:,.0f}.")
    if solved and abs(value - ours["value"]) > tolerance:
        raise ValueError(f"{name} ends with {value:,.0f}, we with {ours['value']:,.0f}.")


def measure_model(bench, asked):
    """Solve a problem type of spopt, and compare."""
    file = bench.case("square", asked.sites, asked.clients, asked.radius)
    options = {"file": file, "model": asked.name, "count": asked.count, "radius": asked.radius}
    said = bench.job("model", **options)
    yield Row(f"{asked.name}, square {asked.sites:,} × {asked.clients:,}", said)
    if not bench.peers:
        return
    theirs = bench.peer("spopt_model", **options)
    if abs(theirs["value"] - said["value"]) > 1e-6 * said["value"] or not said["proven"]:
        raise ValueError(f"{asked.name}: spopt ends with {theirs['value']}, we with {said}.")
    told = f"spopt with HiGHS: {tell_seconds(theirs['seconds'])}"
    yield Row("the same, equal", said, told, theirs["seconds"] / said["seconds"])


def measure_shares(bench, asked):
    """Cover a share of a town with the fewest sites."""
    file = bench.case("town", asked.sites, asked.clients, TOWN_KM)
    for share, target in asked.targets.items():
        limit_s = target.limit_s if target else 10.0
        said = bench.job("share", file=file, target_share=share, limit_s=limit_s)
        task = f"fewest for {share:.0%} of town {asked.sites:,} × {asked.clients:,}"
        yield Row(task, said, target=target)


def measure_cities(bench, cities):
    """Cover the most of real cities."""
    for name, spacing in cities.spacing.items():
        if not (bench.shared / name).is_dir():
            yield Skipped(name.title(), "its data are absent: set PLANNER_SHARED",
                          HEAD.count("|") - 1)  # fmt: skip
            continue
        file = bench.folder / f"{name}-{spacing}.npz"
        if not file.exists():
            bench.job("city", data=bench.shared, name=name, spacing=spacing, out=file)
        clients, sites = load_case(file).cover.shape
        for count in cities.counts:
            said = bench.job("cover", file=file, count=count, limit_s=cities.target.limit_s,
                             gap=1e-4)  # fmt: skip
            task = f"{name.title()} {sites:,} × {clients:,}, p {count}"
            yield Row(task, said, target=cities.target)


def measure_published(bench, asked):
    """Solve what others have published; rows of the table, and rows of the list."""
    folder = bench.shared / "locate"
    if not folder.is_dir():
        skipped = "published lists", "they are absent: set PLANNER_SHARED"
        return [Skipped(*skipped, HEAD.count("|") - 1)], []
    rows, listed = [], []
    for name, counts in asked.census.items():
        limit_s = WITHIN * asked.census_s
        said = bench.job("census", folder=folder, name=name, counts=counts, limit_s=limit_s)
        lines = [Listed(f"{name} in {asked.census_s:g} s", one, one["best"]) for one in said]
        good = sum(line.said["value"] >= (1 - asked.census_off) * line.best for line in lines)
        rows.append(_summary(f"{name}: {good} of {len(lines)} ≥ best − {asked.census_off:.1%}",
                             said, Target(asked.census_s), good == len(lines)))  # fmt: skip
        listed += lines
    if asked.graphs:
        for job, told, target in (
            ("medians", "p-median", asked.graphs_s), ("centers", "p-center", asked.centers_s)
        ):  # fmt: skip
            said = bench.job(job, folder=folder, numbers=asked.graphs, limit_s=60.0)
            lines = [Listed(f"pmed{one['number']} {told}", one, one["best"], most=False)
                     for one in said]  # fmt: skip
            rows.append(_together(f"pmed, {told}", lines, target))
            listed += lines
    for size, counts in asked.quarters.items():
        said = bench.job("quarters", folder=folder, sizes=[size], counts=counts, limit_s=30.0)
        listed += [Listed(f"SJC{size} p-median", one, None) for one in said]
        proven = sum(one["proven"] for one in said)
        rows.append(_summary(f"SJC{size}: {proven} of {len(said)} proven, the slowest", said,
                             asked.quarter, proven == len(said)))  # fmt: skip
    require_bounds(listed)
    return rows, listed


def require_bounds(listed):
    """Raise if something published is better than our bound."""
    for line in listed:
        if line.best is None:
            continue
        off = line.best - line.said["bound"] if line.most else line.said["bound"] - line.best
        if off > 1e-9 * line.best:
            raise ValueError(f"{line.name}: {line.best:,.0f} is better than the bound. {line.said}")


def _summary(task, said, target, good):
    """Return the worst of several answers as a row."""
    worst = {"proven": all(one["proven"] for one in said)}
    for key in ("seconds", "gap", "residual", "lp_gap"):
        if any(key in one for one in said):
            worst[key] = max(one[key] for one in said if key in one)
    return Row(task, worst, target=target, good=good)


def _together(task, lines, target):
    """Return several answers as a row with the sum of their seconds."""
    good = sum(line.said["proven"] and line.said["value"] == line.best for line in lines)
    said = [line.said for line in lines]
    row = _summary(f"{task}: {good} of {len(lines)} optima proven, together", said, target,
                   good == len(lines))  # fmt: skip
    return row._replace(said=row.said | {"seconds": sum(one["seconds"] for one in said)})


def measure(bench, size, parts):
    """Return rows of the table and of the list."""
    rows, listed = [], []
    for part in parts:
        for one in getattr(size, part):
            if part == "published":
                more, lines = measure_published(bench, one)
                listed += lines
            else:
                more = MEASURES[part](bench, one)
            rows += map(_shown, more)
    return rows, listed


MEASURES = {
    "made": measure_made, "models": measure_model, "shares": measure_shares,
    "cities": measure_cities,
}  # fmt: skip


def _shown(row):
    """Tell a row as soon as it is there."""
    say(str(row))
    return row


def main():
    """Measure, and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--part", choices=Size._fields, nargs="+", default=Size._fields)
    parser.add_argument("--data", type=Path, help="where made cases are kept")
    parser.add_argument("--peers", type=Path, help="folder of virtual environments, one a peer")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        bench = Bench(asked.data or Path(folder), asked.peers)
        rows, listed = measure(bench, SIZES[asked.size], asked.part)
    said = "" if asked.peers else "No peer was asked: see `--peers`. "
    versions = ", ".join(f"{name} {version(name)}" for name in ("highspy", "numba", "scipy"))
    print_table(HEAD, rows, "")
    print_table(LISTS, listed, f"Size {asked.size}. {said}{versions}. ")


if __name__ == "__main__":
    main()
