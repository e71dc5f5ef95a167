"""The sample city 虔城样例 (Qiancheng sample): a whole study, made from a seed.

The city is invented. It resembles towns on the upper Gan river and lies, on paper, near 114.93° E,
25.85° N; no street, name, station or rider in it is real. The lie of the land (`ground`,
`arterials`) is drawn by hand; blocks and lanes (`blocks`, `streets`), what stands along them
(`places`, `register`) and two days of riders (`spots`, `riders`, `fixes`) are drawn at random.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from planner.load.sample import files
from planner.load.sample.fixes import make_fixes
from planner.load.sample.ground import make_ground
from planner.load.sample.places import Kerbs, make_places
from planner.load.sample.register import make_hosts, make_stations
from planner.load.sample.riders import make_stops
from planner.load.sample.routes import Routes
from planner.load.sample.streets import make_streets
from planner.load.sample.study import STUDY

__all__ = ["write_sample"]

WEEKDAY, WEEKEND = "2026-09-15", "2026-09-19"  # a Tuesday and a Saturday


def write_sample(folder: Path | str, *, seed: int = 0) -> None:
    """Write the sample city: a study with its data, the same bytes for the same seed.

    Parameters
    ----------
    folder
        Made if it does not exist; files of the same names are overwritten.
    seed
        Of everything drawn at random: lanes, places, stations, riders.

    Notes
    -----
    Same bytes holds for the same versions of numpy, GEOS, PROJ, pyarrow and XlsxWriter. It writes
    `study.toml`, `districts.geojson`, `water.geojson`, `streets.graphml`, `places.geojson`,
    `hosts.geojson`, `stations.xlsx` and `activity.parquet`: under 4 MB, in a few seconds.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_sample(folder)
    ...     sorted(p.name for p in Path(folder).iterdir())[:3]
    ['activity.parquet', 'districts.geojson', 'hosts.geojson']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # one stream a subject, so that a change to one leaves the others as they are
    lanes, standing, register, premises, living, phones = np.random.default_rng(seed).spawn(6)
    ground = make_ground()
    streets = make_streets(ground, lanes)
    kerbs = Kerbs(streets)
    places = make_places(ground, streets, kerbs, standing)
    stations = make_stations(places, kerbs, register)
    hosts = make_hosts(places, kerbs, premises)
    routes = Routes(streets)
    days, types = make_stops(places, streets, kerbs, routes, living)
    apart = (np.datetime64(WEEKEND) - np.datetime64(WEEKDAY)) / np.timedelta64(1, "s")
    fixes = make_fixes(days, (0.0, float(apart)), routes, phones)
    files.write_districts(folder / "districts.geojson", ground)
    files.write_water(folder / "water.geojson", ground)
    files.write_streets(folder / "streets.graphml", streets)
    files.write_points(folder / "places.geojson", places)
    files.write_points(folder / "hosts.geojson", hosts)
    files.write_stations(folder / "stations.xlsx", stations)
    files.write_activity(folder / "activity.parquet", fixes, types, WEEKDAY)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8", newline="\n")
