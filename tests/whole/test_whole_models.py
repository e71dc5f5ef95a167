"""Every location model through the whole line: plan.json, report and terminal tell its own goal."""

import json
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from small_study import write_small_study

from planner.outputs import write_outputs
from planner.pipeline import run_study
from planner.report.answer import answer_rows

DOCS = Path(__file__).parents[2] / "docs"
QUICK = ("siting.reruns=0", "siting.demand_change=0", "siting.min_spacing_m=50")
KINDS = (
    'siting.kinds={small={action="activate",seats=4,cost=1},large={action="build",seats=9,cost=3},'
    'annex={action="enlarge",seats=5,cost=2}}'
)
# Settings; what the method names; the unit of plan.json; what page one and the terminal say of it.
MODELS = {
    "mclp": ((), "最大覆盖选址", "rider-visits a day", None),
    "priced": (
        ("siting.model=mclp", "siting.cost={activate=1,build=2}", "siting.budget=4"),
        "最大覆盖选址", "rider-visits a day", "方案花费 {cost:g}，预算 4；",
    ),
    "lscp": (("siting.target_share=0.7",), "集合覆盖选址", "stations",
             "覆盖 70% 最少要新增 {objective:g} 站"),
    "cheapest": (
        ("siting.model=lscp", "siting.target_share=0.7", "siting.cost={activate=1,build=2}"),
        "以最少的费用", "cost", "覆盖 70% 最少花费 {objective:g}",
    ),
    "backup": ((), "备用覆盖选址", "rider-visits a day", "有两站可达的骑手人次 "),
    "gradual": ((), "渐进覆盖选址", "rider-visits a day", "越近算得越多：渐进覆盖 "),
    "pmedian": ((), "p-中位选址", "rider-minutes a day", "人次·分钟，平均每人次 "),
    "pcenter": (("siting.count=6",), "p-中心选址", "minutes",
                "可及的需求中最远者要走 {objective:.1f} 分钟"),
    "capacitated": ((KINDS, "siting.budget=6"), "带容量的覆盖模型", "rider-visits a day",
                    "座位可接待的骑手人次 "),
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("models") / "town")


def read_text(path):
    """The words of a page, without tags."""
    body = path.read_text(encoding="utf-8").split("</style>")[1]
    return re.sub(r"<[^>]+>", " ", unescape(body))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_tells_its_own_goal(study, name):
    settings, method, unit, goal = MODELS[name]
    model = () if any("siting.model" in s for s in settings) else (f"siting.model={name}",)
    plan = run_study(study, overrides=(*QUICK, *model, *settings))
    files = write_outputs(plan, study / name)
    siting = json.loads((study / name / "plan.json").read_text(encoding="utf-8"))["siting"]
    check_siting(siting, unit)
    text, terminal = read_text(files["report"]), dict(answer_rows(plan))
    assert method in text
    assert ("最大覆盖选址" in text) == (siting["model"] == "mclp")
    assert "自助法" not in text
    assert re.search(r"稳定性\s+未检验：", text)
    if goal is None:
        assert "选址目标" not in terminal
    else:
        said = goal.format(**siting)
        assert said in terminal["选址目标"]
        assert said in text.split("本报告未说明的")[0]
    check_beside(plan, siting, text, terminal)


def check_siting(siting, unit):
    """Keys are those of the docs, numbers are finite, bound and objective stand as they must."""
    page = (DOCS / "plan.md").read_text(encoding="utf-8")
    known = set(re.findall(r"\w+", page))
    for part in (siting, *siting["sites"], *siting["frontier"], *siting.get("seating", [])):
        assert set(part) <= known, set(part) - known
    assert siting["unit"] == unit
    assert siting["status"] in {"optimal", "feasible"}
    assert 0 <= siting["gap"] < 0.2
    least = siting["model"] in {"lscp", "pmedian", "pcenter"}
    low = min(siting["objective"], siting["bound"])
    assert (siting["bound"] if least else siting["objective"]) == pytest.approx(low)


def check_beside(plan, siting, text, terminal):
    """Losses, replacements, other counts and limits are told as what they are."""
    judged = siting["model"] in {"mclp", "lscp"}
    assert bool(re.search("按排名逐站开放(的代价|不吃亏)", text)) == judged
    assert ("灰线只看覆盖率" in text) != judged
    if not judged:
        assert "替代" not in text
        assert all(s["alternative"] is None and not s["near_ties"] for s in siting["sites"])
    assert ("全部候选点合计" in terminal) == (siting["model"] != "mclp")
    if siting["model"] == "mclp" and siting.get("budget"):
        assert "所设条件下的理论上限" in text
    if siting.get("cost") is not None and siting.get("budget") is not None:
        assert siting["cost"] <= siting["budget"] + 1e-9
    assert all(s["loss_share"] >= 0 for s in plan.summary["siting"]["sites"])


def test_what_is_required_stays_in_every_count_and_is_said_so(study):
    free = run_study(study, overrides=QUICK)
    chosen = set(free.tables["sites"]["candidate_id"])
    hosts = [i for i in free.tables["candidates"].index if str(i).startswith("host")]
    poor = next(i for i in reversed(hosts) if i not in chosen)
    plan = run_study(study, overrides=(*QUICK, f'siting.required=["{poor}"]'))
    assert poor in set(plan.tables["sites"]["candidate_id"])
    count = plan.summary["siting"]["count"]
    rows = plan.tables["frontier"].set_index("count")["covered_share"]
    assert rows[count] == pytest.approx(plan.summary["siting"]["covered_share"])
    assert rows[1] <= free.tables["frontier"].set_index("count")["covered_share"][1]
    text = read_text(write_outputs(plan, study / "kept")["report"])
    assert "保留 1 处指定站点时" in text
    assert "各种站数都保留 1 处指定站点" in text
    assert "保留 1 处指定站点" in dict(answer_rows(plan))["同样站数的上限"]


@pytest.mark.parametrize("word", ["社区", "community"])
def test_classes_of_hosts_are_named_in_either_language(study, word):
    hosts = pd.read_csv(study / "hosts.csv").assign(类型=["药店", *["社区"] * 4])
    hosts.to_csv(study / "classes.csv", index=False)
    named = (f'candidates.host_classes=["{word}"]', "hosts.file=classes.csv")
    plan = run_study(study, overrides=(*QUICK, *named))
    hosts = plan.tables["candidates"].query("kind == 'host'")
    assert len(hosts) == 4
    assert set(hosts["host_class"]) == {"community"}
