"""`planner check` on the sample city, its activity shifted as Chinese maps shift it."""

import json
import shutil

import pandas as pd
import pytest
from small_study import write_small_study
from typer.testing import CliRunner

from planner.cli import app
from planner.geo import from_wgs84

runner = CliRunner()


@pytest.fixture(scope="module")
def shifted(request, tmp_path_factory):
    """The sample study with fixes in GCJ-02 that are declared as WGS 84, checked in English."""
    folder = tmp_path_factory.mktemp("check") / "city"
    shutil.copytree(request.config.rootpath / "data" / "sample", folder)
    shutil.rmtree(folder / "out", ignore_errors=True)
    fixes = pd.read_parquet(folder / "activity.parquet")
    lon, lat = from_wgs84(fixes["lon"].to_numpy(), fixes["lat"].to_numpy(), "gcj02")
    fixes.assign(lon=lon, lat=lat).to_parquet(folder / "activity.parquet")
    result = runner.invoke(app, ["check", str(folder), "--set", "study.language=en"])
    assert result.exit_code == 0, result.output
    return result, folder, fixes


def test_both_reports_are_written_beside_the_study(shifted):
    result, folder, _ = shifted
    assert {p.name for p in (folder / "out").iterdir()} == {"quality.html", "quality.json"}
    assert str(folder / "out" / "quality.html") in result.stdout
    assert "data checks" in result.stderr


def test_the_shift_is_found_and_the_remedy_named(shifted):
    result, folder, _ = shifted
    quality = json.loads((folder / "out" / "quality.json").read_text(encoding="utf-8"))
    assert quality["datum"]["activity"]["verdict"] == "other"
    assert quality["datum"]["activity"]["best"] == "gcj02"
    assert [quality["datum"][name]["verdict"] for name in ("stations", "hosts")] == ["fits"] * 2
    assert quality["verdict"]["level"] == "doubtful"
    assert '`activity.datum = "gcj02"`' in quality["warnings"][0]
    assert quality["verdict"]["text"] in result.stdout


def test_numbers_are_whole(shifted):
    _, folder, fixes = shifted
    quality = json.loads((folder / "out" / "quality.json").read_text(encoding="utf-8"))
    note, account = quality["inputs"]["activity"], quality["activity"]
    assert note["rows"] == len(fixes)
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"]
    assert not {"fixes_per_hour", "workers_by_type"} & set(account)  # they may tell of few
    assert account["used"] + sum(account["dropped"].values()) == account["fixes"]
    assert (quality["time"]["weekdays"], quality["time"]["weekend_days"]) == (1, 1)
    assert len(quality["space"]["districts"]) == 8
    assert quality["space"]["empty"] == []
    seen = fixes.groupby("worker_type")["rider_id"].nunique()
    told = {t["worker_type"]: t["workers"] for t in quality["sample"]["types"]}
    assert sum(told.values()) <= seen.sum()
    assert sum(d["weight_per_day"] for d in quality["space"]["districts"]) == pytest.approx(
        quality["demand"]["weight_per_day"]
    )


def test_no_rider_is_in_any_output(shifted):
    _, folder, fixes = shifted
    riders = set(fixes["rider_id"].astype(str))
    assert len(riders) > 500
    for path in (folder / "out").iterdir():
        text = path.read_text(encoding="utf-8")
        assert [rider for rider in riders if rider in text] == []


def test_json_is_the_file(tmp_path):
    study = write_small_study(tmp_path / "town")
    result = runner.invoke(app, ["check", str(study), "--json"])
    assert result.exit_code == 0, result.output
    text = (study / "out" / "quality.json").read_text(encoding="utf-8")
    assert json.loads(result.stdout) == json.loads(text)
    assert {"verdict", "warnings", "age", "time", "space", "datum", "sample"} <= set(
        json.loads(text)
    )


def test_a_missing_file_writes_nothing(tmp_path, monkeypatch, capsys):
    from planner.cli import main

    study = write_small_study(tmp_path / "town")
    (study / "activity.csv").unlink()
    monkeypatch.setattr("sys.argv", ["planner", "check", str(study)])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "activity.csv" in capsys.readouterr().err
    assert not (study / "out").exists()
