"""A plan keeps the streets it was made on."""

import numpy as np
import pytest
from small_study import write_small_study

from planner import load_plan, run_study
from planner.errors import InputError


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
