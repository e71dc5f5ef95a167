"""Location problems that others have published, read as arrays, with the best known values."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

RADIUS_M = {"NewYork": 400, "Bronx": 600}
COUNTS = (50, 60, 70, 80, 90, 100)
_EARTH_M = 6_371_000.0


def read_census(folder, name):
    """Return the cover and the demand of a list of census points, both clients and sites."""
    lines = (folder / "mclp" / f"{name}.txt").read_text().splitlines()
    heads = [k for k, line in enumerate(lines) if line.startswith(("NODE_COORD", "DEMAND"))]
    points = [line.split() for line in lines[heads[0] + 1 : heads[1]]]
    words = [line.split() for line in lines[heads[1] + 1 :]]
    demand = np.array([line[-1] for line in words if line and line[-1] != "EOF"], dtype=float)
    lat, lon = np.radians(np.array([line[:2] for line in points if line], dtype=float)).T
    half = np.sin((lat[:, None] - lat) / 2) ** 2
    half += np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    near = 2 * _EARTH_M * np.arcsin(np.sqrt(half)) <= RADIUS_M[name]
    return csr_array(near), demand


def best_census(folder, name, count, cover, demand):
    """Evaluate the best published sites: files differ in how they measure distance."""
    path = folder / "mclp" / "best" / f"{name}_{count}_{RADIUS_M[name]}.txt"
    sites = np.array(path.read_text().partition("Facilidade:")[2].split(), dtype=np.int64)
    return float(demand[cover[:, sites].sum(axis=1) > 0].sum())


def read_graph(folder, number):
    """Return distances and the count of a graph of the OR-Library (Beasley 1985)."""
    words = (folder / "pmed" / f"pmed{number}.txt").read_text().split()
    numbers = np.array(words, dtype=np.int64)
    size, edges, count = map(int, numbers[:3])
    first, second, length = numbers[3 : 3 + 3 * edges].reshape(-1, 3).T
    table = np.zeros((size, size))
    for i, j, metres in zip(first - 1, second - 1, length, strict=True):  # the last line counts
        table[i, j] = table[j, i] = metres
    return shortest_path(table, directed=False), count


def best_graph(folder, number, file):
    """Return the listed optimum of a graph: `pmedopt.txt` or `kcenteropt.txt`."""
    lines = (folder / "pmed" / file).read_text().splitlines()
    words = [line.split() for line in lines]
    return float(next(line[1] for line in words if line[:1] == [f"pmed{number}"]))


def read_quarter(folder, size):
    """Return distances and demand of São José dos Campos (Lorena & Pereira 2002)."""
    words = (folder / "sjc" / f"SJC{size}.txt").read_text().split()
    places = np.array(words[1:], dtype=float).reshape(-1, 2)
    demand = (folder / "sjc" / f"demand-SJC{size}.dat").read_text().split()
    table = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    return table, np.array(demand, dtype=float)
