"""What is timed of siting, one job a process: ours, compiled before.

`python locate_jobs.py cover '{"file": "town.npz", "count": 20, "limit_s": 5}'` prints CPU seconds,
value and bounds as JSON. Time limits count CPU seconds here, so that a busy machine changes nothing
(HiGHS, asked for small remainders, counts seconds of the clock).
"""

import argparse
import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from clock import take_turns
from made_places import Case, Places, load_case, make_case, make_square, make_town
from published_places import (
    best_census,
    best_graph,
    read_census,
    read_graph,
    read_quarter,
)
from scipy.sparse import csr_array

from planner.locate import (
    solve_backup,
    solve_lscp,
    solve_mclp,
    solve_pcenter,
    solve_pmedian,
)
from planner.locate.covering import mclp
from planner.locate.covering.presolve import make_core
from planner.locate.covering.recombine import recombine
from planner.locate.median import pmedian
from planner.locate.problem import make_problem

_STUDIES = {
    "porto": """
        [study]
        name = "Porto"
        timezone = "Europe/Lisbon"
        [activity]
        file = "{data}/porto/taxi_trips.csv"
        timezone = "UTC"
        [streets]
        file = "{data}/porto/streets.osm.pbf"
        [demand]
        min_workers = 5
        """,
    "helsinki": """
        [study]
        name = "Helsinki"
        timezone = "Europe/Helsinki"
        [activity]
        file = "{data}/helsinki/wolt_orders.csv"
        kind = "orders"
        timezone = "UTC"
        [streets]
        file = "{data}/helsinki/streets.osm.pbf"
        [service]
        limit_min = 5
        """,
}  # fmt: skip
_SITES = """
        [candidates]
        spacing_m = {spacing}
        [siting]
        count = 1
        reruns = 0
"""
_WARM = ((make_square, 20, 400, 5.0, 4), (make_town, 150, 1500, 1.0, 6))


def cover(file, count, limit_s, gap=0.0, repeat=1):
    """The most weight covered by so many sites of a case."""
    case = load_case(file)
    options = {"gap": gap, "repeat": repeat, "xy": case.places.sites}
    return cover_most(case.cover, case.places.weight, count, limit_s, **options)


def cover_most(matrix, weight, count, limit_s, *, gap=0.0, repeat=1, xy=None):
    """Time `solve_mclp`; tell the linear relaxation's bound that it found on its way, too."""
    options = {"xy": xy, "time_limit_s": limit_s, "gap": gap}
    with cpu_limits():
        seconds, found = take_turns(
            {"ours": lambda: recorded(solve_mclp, matrix, weight, count, **options)},
            {"ours": repeat},
        )
    solution, record = found["ours"]
    return tell(seconds["ours"], solution) | record


def recorded(solve, matrix, weight, count, **options):
    """Solve, and keep what the first linear relaxation was told to be; shares of its bound."""
    relaxed, scales = [], []

    def relax(*arguments, **named):
        relaxed.append(mclp_relax(*arguments, **named))
        return relaxed[-1]

    def scale_weight(values):
        scales.append(mclp_scale(values))
        return scales[-1]

    mclp_relax, mclp_scale = mclp.relax, mclp.scale_weight
    with patch.object(mclp, "relax", relax), patch.object(mclp, "scale_weight", scale_weight):
        solution = solve(matrix, weight, count, **options)
    if not relaxed or not relaxed[0].bound:
        return solution, {}
    bound, reached = relaxed[0].bound, relaxed[0].reached
    value = solution.objective * scales[0].scale
    record = {"lp_gap": max(0.0, bound - value) / bound}
    if np.isfinite(reached):  # else nobody had to look
        record["residual"] = max(0.0, bound - reached) / bound
    return solution, record


def share(file, target_share, limit_s, repeat=1):
    """The fewest sites that cover a share of all weight."""
    case = load_case(file)
    options = {"weight": case.places.weight, "target_share": target_share, "time_limit_s": limit_s}
    with cpu_limits():
        seconds, found = take_turns(
            {"ours": lambda: solve_lscp(case.cover, **options)}, {"ours": repeat}
        )
    chosen = found["ours"].chosen
    weight = case.places.weight
    reached = weight[case.cover[:, chosen].sum(axis=1) > 0].sum() / weight.sum()
    if reached < target_share:
        raise ValueError(f"{len(chosen)} sites cover {reached:.4%}, not {target_share:.2%}")
    return tell(seconds["ours"], found["ours"])


def census(folder, name, counts, limit_s):
    """Published lists of New York and the Bronx: value and best known value of each."""
    matrix, demand = read_census(Path(folder), name)
    said = []
    for count in counts:
        best = best_census(Path(folder), name, count, matrix, demand)
        said.append(cover_most(matrix, demand, count, limit_s) | {"count": count, "best": best})
    return said


def medians(folder, numbers, limit_s):
    """p-median on graphs of the OR-Library."""
    said = []
    for number in numbers:
        table, count = read_graph(Path(folder), number)
        best = best_graph(Path(folder), number, "pmedopt.txt")
        ours = least_travel(table, np.ones(len(table)), count, limit_s, gap=0.0)
        said.append(ours | {"number": number, "count": count, "best": best})
    return said


def centers(folder, numbers, limit_s):
    """p-center on graphs of the OR-Library."""
    said = []
    for number in numbers:
        table, count = read_graph(Path(folder), number)
        best = best_graph(Path(folder), number, "kcenteropt.txt")
        with cpu_limits():
            seconds, found = take_turns(
                {"ours": lambda t=table, p=count: solve_pcenter(
                    t, p, gap=0.0, time_limit_s=limit_s
                )},
                {"ours": 1},
            )  # fmt: skip
        ours = tell(seconds["ours"], found["ours"])
        said.append(ours | {"number": number, "count": count, "best": best})
    return said


def quarters(folder, sizes, counts, limit_s):
    """p-median in São José dos Campos; nobody has published these values for exact distances."""
    said = []
    for size in sizes:
        table, demand = read_quarter(Path(folder), size)
        for count in counts:
            ours = least_travel(table, demand, count, limit_s, gap=1e-6)
            said.append(ours | {"size": size, "count": count})
    return said


def least_travel(table, weight, count, limit_s, gap):
    """Time `solve_pmedian`; tell the Lagrangean bound before the proof, too."""
    bounds, scales = [0], []

    def certify(*arguments, **named):
        found = pmedian_certify(*arguments, **named)
        bounds.append(found.bound)
        return found

    def pose(*arguments, **named):
        scales.append(pmedian_pose(*arguments, **named))
        return scales[-1]

    pmedian_certify, pmedian_pose = pmedian.certify, pmedian.pose
    with (
        cpu_limits(),
        patch.object(pmedian, "certify", certify),
        patch.object(pmedian, "pose", pose),
    ):
        seconds, found = take_turns(
            {"ours": lambda: solve_pmedian(table, weight, count, gap=gap, time_limit_s=limit_s)},
            {"ours": 1},
        )
    said = tell(seconds["ours"], found["ours"])
    relaxed = (max(bounds) - scales[0].slack) / scales[0].scale
    return said | {"lp_gap": max(0.0, said["value"] - relaxed) / said["value"]}


def model(file, model, count, radius):
    """One of spopt's problem types on distances, making the cover of them included."""
    case = load_case(file)
    places = case.places
    away = np.hypot(*(places.clients[:, None] - places.sites).transpose(2, 0, 1))
    with cpu_limits():
        seconds, found = take_turns(
            {"ours": lambda: MODELS[model](away, places.weight, count, radius=radius)}, {"ours": 2}
        )
    return tell(seconds["ours"], found["ours"])


def _cover_all_twice(away, weight, *_, radius):
    """The fewest sites that cover all; among those, the most clients covered twice."""
    cover, ones = csr_array(away <= radius), np.ones(len(weight))
    fewest = solve_lscp(cover, gap=0.0)
    if fewest.status != "optimal":
        raise ValueError("the fewest sites are not proven, so twice the cover means nothing")
    return solve_backup(cover, ones, len(fewest.chosen), backup_share=1.0, first_share=1.0, gap=0.0)


MODELS = {
    "LSCP": lambda away, *_, radius: solve_lscp(csr_array(away <= radius), gap=0.0),
    "LSCPB": _cover_all_twice,
    "MCLP": lambda away, weight, count, *, radius: solve_mclp(
        csr_array(away <= radius), weight, count, gap=0.0
    ),
    "PMedian": lambda away, weight, count, **_: solve_pmedian(away, weight, count, gap=1e-6),
    "PCenter": lambda away, _, count, **__: solve_pcenter(away, count, gap=0.0),
}


def city(data, name, spacing, out):
    """A real city as a case: what `run_study` finds within reach of its candidates."""
    from planner.pipeline import run_study  # what reads files is slow to import

    folder = Path(out).parent / name
    folder.mkdir(exist_ok=True)
    text = _STUDIES[name].format(data=Path(data).as_posix()) + _SITES.format(spacing=spacing)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    plan = run_study(folder)
    demand, sites = plan.tables["demand"], plan.tables["candidates"]
    minutes = plan.reach.minutes.tocsr()
    minutes.sort_indices()
    xy = [np.column_stack([t.geometry.x, t.geometry.y]) for t in (sites, demand)]
    weight = demand["weight_per_day"].to_numpy(dtype=float)
    Case(Places(*xy, weight), minutes).save(out)
    return {"sites": len(sites), "clients": len(demand)}


def tell(seconds, solution):
    """Return what the table wants to know of a solution."""
    return {
        "seconds": seconds,
        "value": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "proven": solution.status == "optimal",
        "chosen": solution.chosen.tolist(),
    }


@contextmanager
def cpu_limits():
    """Let time limits count CPU seconds of this process."""
    with patch.object(time, "perf_counter", time.process_time):
        yield


def warm():
    """Compile everything, or read it from disk."""
    for make, sites, clients, radius, count in _WARM:
        case = make_case(make(sites, clients), radius)
        weight = case.places.weight
        solve_mclp(case.cover, weight, count, xy=case.places.sites, gap=0.0, time_limit_s=5)
        solve_lscp(case.cover, weight=weight, target_share=0.5, time_limit_s=5)
        core, rng = make_core(make_problem(case.cover, count)), np.random.default_rng(0)
        recombine(core.cover, core.weigh(weight), chosen=np.arange(count), rng=rng, work=1e7)
    table = np.hypot(*(case.places.sites[:, None] - case.places.sites).transpose(2, 0, 1))
    solve_pmedian(table, np.ones(len(table)), 5, time_limit_s=5)
    solve_pcenter(table, 5, time_limit_s=5)


JOBS = {
    "cover": cover, "share": share, "census": census, "medians": medians, "centers": centers,
    "quarters": quarters, "city": city, "model": model,
}  # fmt: skip


def main():
    """Do one job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("options", type=json.loads)
    asked = parser.parse_args()
    warm()
    json.dump(JOBS[asked.job](**asked.options), sys.stdout)


if __name__ == "__main__":
    main()
