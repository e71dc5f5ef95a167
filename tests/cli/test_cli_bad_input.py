"""Bad input gives one clear error and exit code 2, and leaves earlier outputs alone."""

import json

import pandas as pd
import pytest
from small_study import write_small_study

from planner.cli import main


@pytest.fixture
def study(tmp_path):
    return write_small_study(tmp_path / "town")


def run(monkeypatch, capsys, *words):
    """Run `planner WORDS`; return exit code, stdout, stderr."""
    monkeypatch.setattr("sys.argv", ["planner", *map(str, words)])
    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    out, err = capsys.readouterr()
    return code, out, err


def edit(file, change):
    table = pd.read_csv(file, dtype=str)
    change(table).to_csv(file, index=False)


def swap(table):
    return table.rename(columns={"lon": "lat", "lat": "lon"})


def shift_far(table):
    return table.assign(lon=table["lon"].astype(float) + 3.0)


def blank(table):
    return table.assign(lon="", lat="")


BAD_ACTIVITY = {
    "missing column": (lambda t: t.drop(columns="time"), ["time", "activity.csv"]),
    "swapped": (swap, ["activity.csv", "lon"]),
    "elsewhere": (shift_far, ["activity.csv"]),
    "empty": (lambda t: t.head(0), ["activity.csv"]),
    "no coordinates": (blank, ["activity.csv"]),
}


@pytest.mark.parametrize("name", BAD_ACTIVITY)
def test_bad_activity_is_one_clear_error(study, monkeypatch, capsys, name):
    change, words = BAD_ACTIVITY[name]
    edit(study / "activity.csv", change)
    code, _, err = run(monkeypatch, capsys, "run", study)
    assert code == 2, err
    assert "Traceback" not in err
    assert all(word in err for word in words), err
    assert not (study / "out").exists()


BAD_FILES = {
    "missing file": ("stations.csv", None, "stations.csv"),
    "not an encoding": ("stations.csv", b"\xff\xfe\x00\xd8\x81\x81", "stations.csv"),
    "no GeoJSON": ("districts.geojson", b"{", "districts.geojson"),
    "broken streets": ("streets.geojson", b"not a layer", "streets.geojson"),
    "unknown key": ("study.toml", b"[siting]\ncuont = 3\n", "Did you mean `count`?"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_one_clear_error(study, monkeypatch, capsys, name):
    file, content, word = BAD_FILES[name]
    if content is None:
        (study / file).unlink()
    else:
        (study / file).write_bytes(content)
    code, _, err = run(monkeypatch, capsys, "run", study)
    assert code == 2, err
    assert "Traceback" not in err
    assert word in err


def test_count_above_the_candidates(study, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "run", study, "--set", "siting.count=9999")
    assert code == 2
    assert "9999" in err


def test_a_failed_run_leaves_earlier_outputs(study, monkeypatch, capsys):
    assert run(monkeypatch, capsys, "run", study)[0] == 0
    before = {p.name: p.read_bytes() for p in (study / "out").iterdir() if p.is_file()}
    assert {"plan.json", "map.html", "report.html", "plan.xlsx", "quality.json"} <= set(before)
    edit(study / "activity.csv", lambda t: t.drop(columns="time"))
    assert run(monkeypatch, capsys, "run", study)[0] == 2
    after = {p.name: p.read_bytes() for p in (study / "out").iterdir() if p.is_file()}
    assert after == before


def test_malformed_and_outside_stations_are_counted(study, monkeypatch, capsys):
    def spoil(table):
        extra = table.iloc[[0, 0]].assign(站点名称=["坏站", "远站"])
        extra["经度"] = ["114.05.22", "120.0"]
        return pd.concat([table, extra])

    edit(study / "stations.csv", spoil)
    code, out, err = run(monkeypatch, capsys, "check", study, "--json")
    assert code == 0, err
    note = json.loads(out)["inputs"]["stations"]
    assert (note["rows"], note["kept"], sum(note["dropped"].values())) == (4, 2, 2)
    assert any("114.05.22" in text for text in note["examples"].values())


def test_disconnected_streets_are_told(study, monkeypatch, capsys):
    layer = json.loads((study / "streets.geojson").read_text(encoding="utf-8"))
    layer["features"] = [
        f
        for f in layer["features"]
        if f["properties"]["name"] not in {f"东西{r}路" for r in range(16)}
    ]
    (study / "streets.geojson").write_text(json.dumps(layer), encoding="utf-8")
    code, out, err = run(monkeypatch, capsys, "check", study, "--json")
    assert code == 0, err
    assert json.loads(out)["network"]["components"] > 1
    assert any("不相连" in text for text in json.loads(out)["warnings"])


BAD_EDITS = {
    "no such street": ('action = "close"\nstreet = "Nowhere Lane"', "no street is called"),
    "far off": ('action = "open"\nat = [10, 10]\nname = "gate"', "`streets.edits` 2 “gate”"),
    "no place": ('action = "connect"', "edit 2: `streets.edits` connects"),
}


@pytest.mark.parametrize(
    ("name", "command"),
    [*((name, "run") for name in BAD_EDITS), ("far off", "check"), ("far off", "coverage")],
)
def test_a_bad_edit_is_told_before_the_activity_is_read(study, monkeypatch, capsys, name, command):
    text, words = BAD_EDITS[name]
    (study / "activity.csv").unlink()
    toml = (study / "study.toml").read_text(encoding="utf-8")
    layer = json.loads((study / "streets.geojson").read_text(encoding="utf-8"))
    start = layer["features"][0]["geometry"]["coordinates"][0]
    fine = f'action = "close"\nat = {start}'
    toml += "".join(f"\n[[streets.edits]]\n{edit}\n" for edit in (fine, text))
    (study / "study.toml").write_text(toml, encoding="utf-8")
    code, _, err = run(monkeypatch, capsys, command, study)
    assert code == 2, err
    assert "Traceback" not in err
    assert words in err


@pytest.mark.parametrize("shift", [0.03, 0.5])
def test_streets_of_elsewhere_are_told_with_the_datum(study, monkeypatch, capsys, shift):
    layer = json.loads((study / "streets.geojson").read_text(encoding="utf-8"))
    for feature in layer["features"]:
        line = feature["geometry"]["coordinates"]
        feature["geometry"]["coordinates"] = [[x + shift, y] for x, y in line]
    (study / "streets.geojson").write_text(json.dumps(layer), encoding="utf-8")
    code, _, err = run(monkeypatch, capsys, "run", study)
    assert code == 2, err
    assert "street" in err
    assert "datum" in err
    assert not (study / "out").exists()


def test_what_lies_off_the_streets_is_told(study, monkeypatch, capsys):
    layer = json.loads((study / "streets.geojson").read_text(encoding="utf-8"))
    east = [f for f in layer["features"] if f["geometry"]["coordinates"][0][0] < 114.015]
    assert 0 < len(east) < len(layer["features"])
    (study / "streets.geojson").write_text(json.dumps({**layer, "features": east}), "utf-8")
    code, out, err = run(monkeypatch, capsys, "check", study, "--json")
    assert code == 0, err
    quality = json.loads(out)
    assert quality["demand"]["off_streets_share"] > 0.1
    assert any("按未覆盖计" in text for text in quality["warnings"])


def test_new_refuses_to_overwrite(study, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "new", study)
    assert code == 2
    assert "exists already" in err


def test_demo_refuses_a_folder_of_something_else(tmp_path, monkeypatch, capsys):
    (tmp_path / "letter.txt").write_text("mine")
    code, _, err = run(monkeypatch, capsys, "demo", tmp_path)
    assert code == 2
    assert "Name a new folder" in err


def test_demo_in_an_unknown_language_writes_nothing(tmp_path, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, "demo", tmp_path / "x", "--language", "fr")
    assert code == 2
    assert "fr" in err
    assert not (tmp_path / "x").exists()
