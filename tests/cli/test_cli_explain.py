"""`planner explain`: a site of a saved plan, in words and numbers; bad input in one line."""

import json

import geopandas as gpd
import pytest
from small_study import write_small_study
from typer.testing import CliRunner

from planner import explain_site, load_plan, move_site, run_study
from planner.cli import app, main
from planner.errors import InputError

runner = CliRunner()


@pytest.fixture(scope="module", params=["zh", "en"])
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    plan = run_study(write_small_study(folder / "town", request.param))
    plan.save(folder / "out")
    return plan, folder / "out"


def test_words_are_those_of_the_study(saved):
    plan, out = saved
    result = runner.invoke(app, ["explain", str(out), "S01"])
    assert result.exit_code == 0, result.output
    zh = plan.settings.study.language == "zh"
    words = ["最近的现有站点", "若取消此站"] if zh else ["nearest station today", "lost without it"]
    assert all(word in result.stdout for word in words)
    assert plan.tables["sites"].loc["S01", "name"] in result.stdout
    if zh:
        assert "rider-visits" not in result.stdout


def test_json_is_what_the_plan_explains_before_and_after_saving(saved):
    plan, out = saved
    result = runner.invoke(app, ["explain", str(out), "S02", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told == json.loads(json.dumps(explain_site(plan, "S02").numbers()))
    assert told == json.loads(json.dumps(explain_site(load_plan(out), "S02").numbers()))
    row, site = plan.tables["explanations"].loc["S02"], plan.tables["sites"].loc["S02"]
    assert told["loss_share"] == row["loss_share"]
    assert told["near_ties"] == row["near_ties_count"]
    assert told["replacements"][0]["candidate_id"] == row["alternative_id"]
    assert told["replacements"][0]["covered_share"] == pytest.approx(row["alternative_share"])
    after = plan.summary["coverage"]["after"]["covered_share"]
    assert told["covered_share"] == pytest.approx(after)
    for parts in ("by_daypart", "by_type", "by_district"):
        assert sum(told[parts].values()) == pytest.approx(site["gain_per_day"])
    assert told["nearest_station_min"] > plan.settings.service.limit_min / 2


def test_a_notebook_shows_a_table(saved):
    html = explain_site(saved[0], "S01")._repr_html_()
    assert html.startswith("<table><caption>S01")
    assert html.count("<tr>") == len(explain_site(saved[0], "S01").rows())


def refused(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["planner", "explain", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr().err.strip()
    assert left.value.code == 2
    assert told.count("error:") == 1
    assert "Traceback" not in told
    return told


def test_bad_input_is_one_error_that_names_the_nearest_site(saved, monkeypatch, capsys, tmp_path):
    _, out = saved
    told = refused(monkeypatch, capsys, out, "s1")
    assert "no site `s1`" in told
    assert "`S01`" in told
    assert "Did you mean" in told
    assert "`S01` to `S03`" in refused(monkeypatch, capsys, out, "north gate")
    assert "holds no plan" in refused(monkeypatch, capsys, tmp_path, "S01")
    assert "holds no plan" in refused(monkeypatch, capsys, tmp_path / "nowhere", "S01")


def test_a_plan_of_an_earlier_version_says_so(saved):
    plan, out = saved
    plan.save(out.parent / "old")
    (out.parent / "old" / "plan" / "explanations.parquet").unlink()
    with pytest.raises(InputError, match="earlier version"):
        explain_site(load_plan(out.parent / "old"), "S01")


def free_point(plan, far_m=60.0):
    """A place on no candidate, in degrees."""
    site, others = plan.tables["sites"].iloc[0], plan.tables["candidates"].geometry
    for dx, dy in ((far_m, 0), (-far_m, 0), (0, far_m), (0, -far_m)):
        point = gpd.GeoSeries([site["geometry"]], crs=others.crs).translate(dx, dy)
        if others.distance(point.iloc[0]).min() > 30:
            at = point.to_crs(4326).iloc[0]
            return f"{at.x:.6f},{at.y:.6f}"
    raise AssertionError("candidates on all sides")


def test_a_site_may_move_to_a_candidate_or_to_any_place(saved):
    plan, out = saved
    to = plan.tables["explanations"].loc["S01", "alternative_id"]
    result = runner.invoke(app, ["explain", str(out), "S01", "--move-to", to, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told == json.loads(json.dumps(move_site(plan, "S01", to).numbers()))
    best = plan.tables["explanations"].loc["S01", "alternative_share"]
    assert told["after_share"] == pytest.approx(best)
    point = free_point(plan)
    result = runner.invoke(app, ["explain", str(out), "S01", "--move-to", point])
    assert result.exit_code == 0, result.output
    zh = plan.settings.study.language == "zh"
    assert ("移到" if zh else "moved to") in result.stdout
    lon, lat = map(float, point.split(","))
    near = move_site(load_plan(out), "S01", (lon, lat))
    assert near.to_id == "point"
    assert near.moved_m == pytest.approx(60.0, abs=1.0)
    assert abs(near.after_share - near.before_share) < 0.1
    at = plan.tables["candidates"].geometry.loc[[to]].to_crs(4326).iloc[0]
    assert move_site(plan, "S01", (at.x, at.y)) == move_site(plan, "S01", to)


def test_a_place_outside_or_without_streets_is_one_error(saved, monkeypatch, capsys, tmp_path):
    plan, out = saved
    told = refused(monkeypatch, capsys, out, "S01", "--move-to", "114.1,22.1")
    assert "outside the area" in told
    assert "Did you mean" in refused(monkeypatch, capsys, out, "S01", "--move-to", "社区中心")
    plan.save(tmp_path / "bare")
    (tmp_path / "bare" / "plan" / "streets.npz").unlink()
    with pytest.raises(InputError, match=r"without its streets. Name a candidate; the nearest is"):
        move_site(load_plan(tmp_path / "bare"), "S01", free_point(plan))
