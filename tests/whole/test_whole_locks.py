"""Locked and banned places through the whole line, and a planner's list scored on its plan."""

import pytest
from small_study import write_small_study

from planner import explain_site, run_study, score_sites
from planner.errors import SettingsError


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = write_small_study(tmp_path_factory.mktemp("locks") / "town", "en")
    return folder, run_study(folder)


def test_a_banned_place_stays_out_and_a_locked_one_comes_first(town):
    folder, free = town
    banned = free.tables["sites"].loc["S01", "name"]
    offered = free.tables["candidates"].query("action == 'activate'")["name"]
    locked = next(n for n in offered if n not in set(free.tables["sites"]["name"]))
    words = (f'siting.forbidden=["{banned}"]', f'siting.required=["{locked}"]')
    held = run_study(folder, overrides=words)
    assert held.tables["sites"].loc["S01", "name"] == locked
    assert banned not in set(held.tables["candidates"]["name"])
    after, before = (p.summary["coverage"]["after"]["covered_share"] for p in (held, free))
    assert after <= before
    told = explain_site(held, "S01")
    assert banned not in {other.name for other in told.replacements}
    score = score_sites(free, [locked, *free.tables["sites"].index[1:]])
    assert score.covered_share <= before
    assert score.plan_share == pytest.approx(before)


def test_an_unknown_name_is_one_error_with_the_nearest(town):
    folder, free = town
    name = free.tables["sites"].loc["S01", "name"]
    with pytest.raises(SettingsError, match=f"`siting.required` names .*Did you mean `{name}`"):
        run_study(folder, overrides=(f'siting.required=["{name}x"]',))
