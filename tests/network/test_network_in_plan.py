"""A plan keeps the streets it was made on."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from small_study import write_small_study

from planner import load_plan, load_settings, load_streets, run_study
from planner.errors import InputError
from planner.i18n import translator
from planner.inputs import load_inputs
from planner.network.load import REMARKS


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    plan = run_study(write_small_study(folder / "town"), overrides=("siting.reruns=2",))
    plan.save(folder / "out")
    return plan, folder / "out"


def test_a_plan_gives_its_streets_back(saved):
    plan, out = saved
    again = load_plan(out)
    assert (out / "plan" / "streets.npz").is_file()
    assert again.network.key == plan.network.key
    np.testing.assert_array_equal(again.network.forward_ms, plan.network.forward_ms)
    assert "StreetNetwork" in again.network._repr_html_()
    assert again._repr_html_() == plan._repr_html_()


def test_a_plan_without_streets_still_loads(saved, tmp_path):
    import shutil

    plan, out = saved
    shutil.copytree(out, tmp_path / "old")
    (tmp_path / "old" / "plan" / "streets.npz").unlink()
    again = load_plan(tmp_path / "old")
    assert again.network is None
    assert set(again.tables) == set(plan.tables)


def test_damaged_streets_of_a_plan_are_named(saved, tmp_path):
    import shutil

    shutil.copytree(saved[1], tmp_path / "bad")
    (tmp_path / "bad" / "plan" / "streets.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"streets\.npz: cannot be read.*Run the study again"):
        load_plan(tmp_path / "bad")


# ── what a study says of its streets ──────────────────────────────────────────────────────────


def test_a_study_may_ask_for_waits_and_hills(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    town = write_small_study(tmp_path / "town")
    plain = load_inputs(load_settings(town))
    x, y = plain.streets.x, plain.streets.y
    west, north, cell = x.min() - 100, y.max() + 100, 100.0
    columns, rows = int(np.ptp(x) / cell) + 3, int(np.ptp(y) / cell) + 3
    heights = np.tile(0.1 * cell * np.arange(columns), (rows, 1))  # 10 % up eastward
    with rasterio.open(
        town / "dem.tif", "w", driver="GTiff", width=columns, height=rows, count=1,
        dtype="float64", crs=plain.streets.crs.to_wkt(),
        transform=rasterio.Affine(cell, 0, west, 0, -cell, north),
    ) as dem:  # fmt: skip
        dem.write(heights, 1)
    asked = ("streets.elevation=dem.tif", "streets.junction_s=12")
    hilly = load_inputs(load_settings(town, asked))
    assert (plain.streets.junction_s, hilly.streets.junction_s) == (0.0, 12.0)
    assert hilly.streets.length_m.sum() == pytest.approx(plain.streets.length_m.sum())
    slower = hilly.streets.forward_ms.sum() + hilly.streets.backward_ms.sum()
    level = plain.streets.forward_ms.sum() + plain.streets.backward_ms.sum()
    # half the streets lead east and west: up 1.42 times as long, down as on level ground
    assert slower / level == pytest.approx(1.105, abs=0.01)
    one, two = plain.notes["streets"], hilly.notes["streets"]
    assert one["sha256"] != two["sha256"]
    assert two["dropped"] == {}
    riding = load_inputs(load_settings(town, (*asked, "service.mode=ebike")))
    assert riding.notes["streets"]["sha256"] == one["sha256"]


def test_remarks_are_no_lost_rows(tmp_path):
    town = write_small_study(tmp_path / "town")
    dem = "streets.elevation=source"
    with pytest.raises(InputError, match="holds no elevation"):
        load_inputs(load_settings(town, (dem,)))
    lines = gpd.read_file(town / "streets.geojson")
    flat = shapely.LineString([(114.2, 22.6), (114.2001, 22.6)])  # without a height
    shapes = [*(shapely.force_3d(line, 3.0) for line in lines.geometry), flat]
    gpd.GeoDataFrame(geometry=shapes, crs=lines.crs).to_file(town / "z.gpkg")
    note = load_inputs(load_settings(town, (dem, "streets.file=z.gpkg"))).notes["streets"]
    assert note["notes"] == {"vertex without elevation": 2}
    assert note["dropped"] == {}
    assert note["rows"] == note["kept"]


def test_every_loss_and_remark_has_its_chinese():
    t = translator("zh")
    lost = load_streets(
        gpd.GeoDataFrame(
            geometry=[
                shapely.LineString([(0, 0), (9, 0)]), None, shapely.Point(0, 0),
                shapely.LineString([(5, 5), (5, 5)]),
            ],
            crs="EPSG:32650",
        )
    ).dropped  # fmt: skip
    assert len(lost) == 3
    for reason in (*lost, *REMARKS):
        assert any(ord(c) > 0x2E80 for c in t(reason)), reason
