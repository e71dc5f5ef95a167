"""Files → tables: area, stations, hosts, activity; and the sample city."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.load.activity import load_activity
from planner.load.area import area_from_streets, load_area
from planner.load.feed import scan_activity
from planner.load.hosts import load_hosts
from planner.load.register import add_opened, load_register
from planner.load.stations import load_stations

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "add_opened",
    "area_from_streets",
    "load_activity",
    "load_area",
    "load_hosts",
    "load_register",
    "load_stations",
    "scan_activity",
    "write_sample",
]


def write_sample(folder: Path | str, *, seed: int = 0) -> None:
    """Write the sample city: a study with its data, the same bytes for the same seed.

    Parameters
    ----------
    folder
        Where to; it is made if need be.
    seed
        Of everything drawn at random.
    """
    from planner.load.sample import write_sample as write

    write(folder, seed=seed)
