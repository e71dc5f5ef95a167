"""A study with costs: plan.json tells what money brings, and without costs says nothing of it."""

import itertools
import json

from small_study import write_small_study

from planner.outputs import write_outputs
from planner.pipeline import run_study


def test_money_is_told_where_costs_are_set(tmp_path):
    study = write_small_study(tmp_path / "town", language="en")
    priced = ("siting.budget=6", "siting.cost={activate=1,build=2}", "siting.count=3")
    plan = run_study(study, overrides=priced)
    write_outputs(plan, tmp_path / "out")
    siting = json.loads((tmp_path / "out" / "plan.json").read_text(encoding="utf-8"))["siting"]
    rows = siting["money"]
    assert rows[0]["budget"] == 0.0
    assert all(a["bound_share"] <= b["bound_share"] for a, b in itertools.pairwise(rows))
    assert all(r["covered_share"] <= r["bound_share"] for r in rows)
    assert siting["cost"] in {r["budget"] for r in rows}
    assert set(siting["money_for_share"]) == {"0.8", "0.9", "0.95"}
    assert 'class="chart money"' in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    bare = run_study(study).summary["siting"]
    assert "money" not in bare
    assert bare["scenarios"]
