"""What others do with the same cover; spopt runs in an environment of its own.

`python locate_peers.py spopt '{"file": "town.npz", "count": 20, "solver": "HiGHS", "limit_s": 99}'`
prints CPU seconds of building and solving, and the value found. `spopt_model` solves any of its
problem types (`MODELS`) by distance. `highs` is the textbook's program given to HiGHS as it is: one
continuous variable a client, one binary a site. Only numpy and the peer are imported.
"""

import argparse
import importlib.metadata
import json
import os
import time

import numpy as np

REQUIRES = {"spopt": ["spopt==0.7.0", "highspy==1.15.1"]}
MODELS = ("LSCP", "LSCPB", "MCLP", "PMedian", "PCenter")


def spopt(file, count, solver, limit_s):
    """`MCLP.from_cost_matrix` and `solve`; a cost is 0 within reach and 2 beyond."""
    import pulp
    from spopt.locate import MCLP

    weight, indptr, indices, sites = read(file)
    cost = np.full((len(weight), sites), 2.0)
    cost[np.repeat(np.arange(len(weight)), np.diff(indptr)), indices] = 0.0
    start = used()
    model = MCLP.from_cost_matrix(cost, weight, service_radius=1.0, p_facilities=count)
    built = used()
    makers = {"CBC": pulp.PULP_CBC_CMD, "HiGHS": pulp.HiGHS}
    began = time.perf_counter()
    model = model.solve(makers[solver](msg=False, threads=1, timeLimit=limit_s))
    in_time = time.perf_counter() - began < limit_s  # else it says “optimal” all the same
    end = used()
    chosen = np.flatnonzero([(variable.value() or 0) > 0.5 for variable in model.fac_vars])
    return {
        "building": built - start, "seconds": end - start,
        "value": value_of(weight, indptr, indices, chosen), "in_time": in_time,
    }  # fmt: skip


def spopt_model(file, model, count, radius):
    """Build a model from distances and solve it with HiGHS; its objective is the value."""
    import pulp
    from spopt import locate

    with np.load(file) as case:
        weight, clients, sites = (case[name] for name in ("weight", "clients", "sites"))
    cost = np.hypot(*(clients[:, None] - sites).transpose(2, 0, 1))
    solver = pulp.HiGHS(msg=False, threads=1)
    within, some = {"service_radius": radius}, {"p_facilities": count}
    asked = {
        "LSCP": within, "LSCPB": within | {"solver": solver},
        "MCLP": {"weights": weight, **within, **some}, "PMedian": {"weights": weight, **some},
        "PCenter": some,
    }[model]  # fmt: skip
    start = used()
    built_model = getattr(locate, model).from_cost_matrix(cost, **asked)
    built = used()
    solved = built_model.solve(solver)
    end = used()
    return {
        "building": built - start, "seconds": end - start,
        "value": solved.problem.objective.value(),
    }  # fmt: skip


def highs(file, count, limit_s):
    """Maximise the weight covered: HiGHS builds and solves, on one thread."""
    import highspy

    weight, indptr, indices, sites = read(file)
    start = used()
    solver = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, "time_limit": float(limit_s)}.items():
        solver.setOptionValue(name, value)
    solver.passModel(program(highspy, weight, (indptr, indices), sites, count))
    built = used()
    solver.run()
    end = used()
    info = solver.getInfo()
    answer = solver.getSolution().col_value
    if not answer:
        return {"building": built - start, "seconds": end - start, "value": 0.0, "gap": 1.0}
    chosen = np.flatnonzero(np.asarray(answer[:sites]) > 0.5)
    value = value_of(weight, indptr, indices, chosen)
    bound = info.mip_dual_bound
    gap = max(0.0, bound - value) / bound if np.isfinite(bound) else 1.0
    return {"building": built - start, "seconds": end - start, "value": value, "gap": gap}


def program(highspy, weight, cover, sites, count):
    """x of the sites first, then y of the clients: y_i ≤ Σ_j a_ij x_j, Σ_j x_j = count."""
    indptr, indices = cover
    clients = len(weight)
    degree = np.diff(indptr)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = sites + clients, clients + 1
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = np.concatenate([np.zeros(sites), weight])
    program.col_lower_, program.col_upper_ = np.zeros(sites + clients), np.ones(sites + clients)
    infinite = highspy.kHighsInf
    program.row_lower_ = np.append(np.zeros(clients), float(count))
    program.row_upper_ = np.append(np.full(clients, infinite), float(count))
    owner = np.repeat(np.arange(clients), degree + 1)
    last = np.cumsum(degree + 1) - 1
    column, value = np.empty(owner.size, np.int64), np.ones(owner.size)
    inside = np.ones(owner.size, bool)
    inside[last] = False
    column[inside], column[last], value[last] = indices, sites + np.arange(clients), -1.0
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    start = np.concatenate([[0], np.cumsum(degree + 1), [owner.size + sites]])
    program.a_matrix_.start_ = start.astype(np.int32)
    program.a_matrix_.index_ = np.concatenate([column, np.arange(sites)]).astype(np.int32)
    program.a_matrix_.value_ = np.concatenate([value, np.ones(sites)])
    kinds = highspy.HighsVarType
    program.integrality_ = [kinds.kInteger] * sites + [kinds.kContinuous] * clients
    return program


def read(file):
    """Return weights, the cover's rows, and how many sites there are."""
    with np.load(file) as case:
        return case["weight"], case["indptr"], case["indices"], len(case["sites"])


def value_of(weight, indptr, indices, chosen):
    """Weigh what the chosen sites cover."""
    owner = np.repeat(np.arange(len(weight)), np.diff(indptr))
    return float(weight[np.unique(owner[np.isin(indices, chosen)])].sum())


def used():
    """CPU seconds of this process and of solvers it has started and ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


PEERS = {"spopt": spopt, "spopt_model": spopt_model, "highs": highs}


def main():
    """Time one peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("options", type=json.loads)
    asked = parser.parse_args()
    with os.fdopen(os.dup(1), "w") as answer:
        os.dup2(2, 1)  # what compiled code prints on its way
        said = PEERS[asked.peer](**asked.options)
        package = {"highs": "highspy"}.get(asked.peer, "spopt")
        json.dump(said | {"version": importlib.metadata.version(package)}, answer)


if __name__ == "__main__":
    main()
