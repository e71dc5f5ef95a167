"""Places as siting meets them, made by rule: candidate sites, clients and their weights.

`square` are the instances of Cordeau, Furini & Ljubić (2019), "Benders decomposition for very large
scale partial set covering and maximal covering location problems": sites and clients uniform in a
square of 30 × 30, weights 1 to 100. `town` is 25 × 25 km in kilometres: people live in clusters
about centres and along straight streets, few elsewhere, and sites stand where people are, only
somewhat more evenly; within one kilometre of a client are about 0.8 % of the sites. Nothing is
sorted: no order of rows is favoured.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import KDTree

SQUARE = 30.0
TOWN_KM = 25.0
_CENTRES, _STREETS = 14, 80
_CLIENTS_IN = (0.55, 0.30, 0.15)  # clusters, streets, anywhere
_SITES_IN = (0.45, 0.35, 0.20)
_STREET_KM = 0.04  # how far people live from the middle of their street
_TURN = 0.15  # of the grid of streets, and how much a street deviates from it
_HEAVIEST = 200
_BLOCK = 50_000


class Places(NamedTuple):
    """Where sites may be, where clients are, and what they weigh."""

    sites: np.ndarray
    clients: np.ndarray
    weight: np.ndarray


class Case(NamedTuple):
    """Places and who is within reach of what: `cover` is CSR, clients × sites."""

    places: Places
    cover: csr_array

    def save(self, path):
        """Write an `.npz` file."""
        np.savez(
            path, indptr=self.cover.indptr, indices=self.cover.indices, **self.places._asdict()
        )


def load_case(path):
    """Read what `Case.save` has written."""
    with np.load(path) as file:
        places = Places(*(file[name] for name in Places._fields))
        return Case(places, _pattern(places, file["indptr"], file["indices"]))


def make_square(sites, clients, *, seed=1):
    """Scatter sites and clients in a square."""
    rng = np.random.default_rng(seed)
    return Places(
        rng.uniform(0.0, SQUARE, (sites, 2)),
        rng.uniform(0.0, SQUARE, (clients, 2)),
        rng.integers(1, 100, clients, endpoint=True),
    )


def make_town(sites, clients, *, seed=1):
    """Scatter sites and clients in a town."""
    rng = np.random.default_rng(seed)
    town = _Town(rng)
    people = town.scatter(clients, _CLIENTS_IN)
    weight = np.minimum(1 + rng.geometric(1 / 12, clients), _HEAVIEST)
    return Places(town.scatter(sites, _SITES_IN), people, weight)


def make_case(places, radius):
    """Find the sites within a radius of each client."""
    tree = KDTree(places.sites)
    rows, columns = [], []
    for first in range(0, len(places.clients), _BLOCK):
        block = KDTree(places.clients[first : first + _BLOCK])
        near = block.sparse_distance_matrix(tree, radius, output_type="ndarray")
        order = np.lexsort((near["j"], near["i"]))
        rows.append(first + near["i"][order])
        columns.append(near["j"][order].astype(np.int32))
    count = np.bincount(np.concatenate(rows), minlength=len(places.clients))
    indptr = np.concatenate([[0], np.cumsum(count)])
    return Case(places, _pattern(places, indptr, np.concatenate(columns)))


def _pattern(places, indptr, indices):
    shape = len(places.clients), len(places.sites)
    return csr_array((np.ones(len(indices), np.int8), indices, indptr), shape=shape)


class _Town:
    """Centres of clusters, and streets from here to there."""

    def __init__(self, rng):
        self.rng = rng
        self.centre = rng.uniform(0.12, 0.88, (_CENTRES, 2)) * TOWN_KM
        self.spread = rng.uniform(0.7, 2.5, _CENTRES)
        self.share = 0.7 * rng.dirichlet(np.full(_CENTRES, 2.0))
        self.centre[0], self.spread[0] = TOWN_KM / 2, 3.5  # the old town
        self.share[0] += 0.3
        self.start = rng.uniform(0.0, TOWN_KM, (_STREETS, 2))
        angle = rng.choice([0.0, np.pi / 2], _STREETS) + rng.normal(_TURN, _TURN, _STREETS)
        self.length = rng.uniform(4.0, 20.0, _STREETS)
        self.way = self.length[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])

    def scatter(self, count, shares):
        """Draw points; those that fall outside are put anywhere inside."""
        rng = self.rng
        kind = rng.choice(len(shares), count, p=shares)
        home = rng.choice(_CENTRES, count, p=self.share)
        street = rng.choice(_STREETS, count, p=self.length / self.length.sum())
        noise = rng.normal(size=(count, 2))
        at = np.stack([
            self.centre[home] + self.spread[home, None] * noise,
            self.start[street] + rng.random((count, 1)) * self.way[street] + _STREET_KM * noise,
            rng.uniform(0.0, TOWN_KM, (count, 2)),
        ])  # fmt: skip
        outside = ((at < 0.0) | (at > TOWN_KM)).any(axis=2)
        kind[outside[kind, np.arange(count)]] = 2
        return at[kind, np.arange(count)]
