"""The commands do what their help says."""

import json
import subprocess
import sys
import tomllib

import pytest
from small_study import write_small_study
from typer.testing import CliRunner

from planner.cli import app
from planner.cli.new import study_template
from planner.settings import Settings, load_settings

runner = CliRunner()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("cli") / "town")


def test_template_names_every_key_and_is_valid(tmp_path):
    text = study_template()
    tomllib.loads(text)
    for section, field in Settings.model_fields.items():
        if section != "folder":
            assert f"[{section}]" in text
            for name, told in field.annotation.model_fields.items():
                key = told.alias or name
                assert f"{key} = " in text or f"[[{section}.{key}]]" in text
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path).siting == Settings().siting


def _is_told(line):
    return line.startswith("# [[") or (" = " in line and '= ""' not in line)


def test_template_uncommented_gives_the_defaults(tmp_path):
    lines = [
        line.removeprefix("# ") if _is_told(line) else line
        for line in study_template().splitlines()
    ]
    (tmp_path / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    settings = load_settings(tmp_path)
    (edit,) = settings.streets.edits  # the one example that stands in the template
    assert edit.action == "connect"
    assert edit.from_ != edit.to
    defaults = Settings()
    assert settings.service == defaults.service
    assert settings.demand == defaults.demand
    assert settings.candidates == defaults.candidates
    assert settings.parking == defaults.parking


def test_run_prints_the_answer_and_where_to_look(study, tmp_path):
    result = runner.invoke(app, ["run", str(study), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "out" / "map.html") in result.stdout
    assert str(tmp_path / "out" / "report.html") in result.stdout
    assert "%" in result.stdout


def test_run_json_is_the_plan(study, tmp_path):
    words = ["run", str(study), "--out", str(tmp_path), "--set", "siting.count=2", "--json"]
    result = runner.invoke(app, words)
    assert result.exit_code == 0, result.output
    saved = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout) == saved
    assert len(saved["siting"]["sites"]) == 2


def test_dry_run_writes_nothing(study, tmp_path):
    result = runner.invoke(app, ["run", str(study), "--out", str(tmp_path / "x"), "--dry-run"])
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "x").exists()


def test_coverage_tells_today(study):
    result = runner.invoke(app, ["coverage", str(study), "--json"])
    assert result.exit_code == 0, result.output
    rows = {r["scope"] + r["name"]: r for r in json.loads(result.stdout)["rows"]}
    assert 0 < rows["allall"]["covered_share"] < 1
    assert rows["daypartnight"]["open_share"] is None or rows["daypartnight"]["open_share"] == 0
    assert rows["district西区"]["covered_share"] > rows["district东区"]["covered_share"]
    plain = runner.invoke(app, ["coverage", str(study)])
    assert "步行" in plain.stdout
    assert "半数人次" in plain.stdout


def test_check_writes_what_it_prints(study, tmp_path):
    result = runner.invoke(app, ["check", str(study), "--json", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "quality.json").read_text(encoding="utf-8")) == json.loads(
        result.stdout
    )


@pytest.mark.parametrize("command", ["demo", "new", "check", "run", "coverage", "fetch", "explain"])
def test_every_command_has_help_and_stands_in_the_readme(command, request):
    assert runner.invoke(app, [command, "--help"]).exit_code == 0
    readme = (request.config.rootpath / "README.md").read_text(encoding="utf-8")
    assert f"planner {command}" in readme


def test_a_gbk_console_is_no_obstacle(study, tmp_path):
    words = [sys.executable, "-m", "planner", "coverage", str(study)]
    done = subprocess.run(
        words,
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONIOENCODING": "gbk", "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    assert "步行" in done.stdout.decode("gbk")
