"""Compiled kernels where nothing can be written."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import geopandas as gpd
from planner.network import StreetNetwork, snap_points
net = StreetNetwork.from_arrays([0, 90], [0, 0], [0], [1], [90.0], crs="EPSG:32650")
spot = gpd.GeoSeries(gpd.points_from_xy([30], [4]), crs="EPSG:32650")
print(snap_points(net, spot).access_m[0])
"""


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(blocked / "cache"),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "4.0"


def test_a_changed_module_of_the_room_makes_kernels_anew(tmp_path):
    from planner.compiled import _folder

    room = tmp_path / "room"
    room.mkdir()
    (room / "caller.py").write_text("a = 1", encoding="utf-8")
    (room / "callee.py").write_text("b = 1", encoding="utf-8")
    before = _folder(room, "")
    _folder.cache_clear()
    assert _folder(room, "") == before
    (room / "callee.py").write_text("b = 2", encoding="utf-8")
    _folder.cache_clear()
    assert _folder(room, "") != before
    assert _folder(room, str(tmp_path / "mine")).parent == tmp_path / "mine"
    _folder.cache_clear()
