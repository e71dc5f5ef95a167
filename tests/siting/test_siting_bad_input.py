"""What has no answer is told in one sentence, whatever the model; never an unproven optimum."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from siting_city import PRICES, make_city

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.siting import choose_stations
from planner.siting.models import MODELS
from planner.tables import Reach

ALL = sorted(set(MODELS) - {"capacitated"})  # whose kinds are refused in tests of their own
COUNTED = sorted(set(ALL) - {"lscp"})  # lscp finds its own number
ONCE = ["lscp", "mclp"]  # what is covered already needs no more


def with_minutes(reach, minutes):
    return Reach(
        sparse.csr_array(minutes), reach.demand_id, reach.facility_id, 15.0, "walk", 4.0
    )  # fmt: skip


def weights(change):
    def spoil(reach, demand, candidates):
        spoilt = demand.copy()
        spoilt.loc["d003", "weight_per_day"] = change
        return reach, spoilt, candidates

    return spoil


def nobody_reached(reach, demand, candidates):
    return with_minutes(reach, np.zeros(reach.minutes.shape)), demand, candidates


def nothing_asked(reach, demand, candidates):
    return reach, demand.assign(weight_per_day=0.0), candidates


def all_covered(reach, demand, candidates):
    minutes = reach.minutes.toarray()
    minutes[:, 0] = 1.0
    return with_minutes(reach, minutes), demand, candidates


def rest_out_of_reach(reach, demand, candidates):
    minutes = reach.minutes.toarray()
    minutes[minutes[:, 0] == 0] = 0.0
    return with_minutes(reach, minutes), demand, candidates


def twice_offered(reach, demand, candidates):
    return reach, demand, pd.concat([candidates, candidates.iloc[[2]]])


def none_offered(reach, demand, candidates):
    kept = candidates.iloc[:1]
    return reach.select(kept.index), demand, kept


def only_dear(reach, demand, candidates):
    kept = candidates[candidates["action"] != "activate"]
    return reach.select(kept.index), demand, kept


SAME = lambda *tables: tables  # noqa: E731
LOCKED = {"required": ["build:3", "build:4"]}
CASES = [
    (ALL, weights(-1.0), {}, InputError, "must be finite and not negative. Got -1.0 at"),
    (ALL, weights(np.nan), {}, InputError, "`weight_per_day` is empty at demand_id 'd003'"),
    (ALL, weights(np.inf), {}, InputError, "'d003'"),
    (ALL, nobody_reached, {}, NoSolutionError, "no candidate has any demand within reach"),
    (ALL, nothing_asked, {}, NoSolutionError, "no candidate has any demand within reach"),
    (["mclp"], all_covered, {}, NoSolutionError, "100.0% of the demand within reach already"),
    (["lscp"], all_covered, {}, NoSolutionError, "no new station is needed. Raise it"),
    (ONCE, rest_out_of_reach, {"target_share": 1.0}, NoSolutionError, "within reach already"),
    (ALL, twice_offered, {}, InputError, "its index is not unique"),
    (ALL, none_offered, {}, SettingsError, "there are only 0 candidates"),
    (COUNTED, SAME, {"count": 0}, SettingsError, "`count` must be a whole number of at least 1"),
    (COUNTED, SAME, {"count": -2}, SettingsError, "Got -2"),
    (COUNTED, SAME, {"count": 2.5}, SettingsError, "Got 2.5"),
    (COUNTED, SAME, {"count": 99}, SettingsError, "99, but there are only 7 candidates"),
    (COUNTED, SAME, {"count": 1, **LOCKED}, SettingsError, "names 2 sites, but `count` is 1"),
    (ALL, SAME, {"required": ["build:3"], "forbidden": ["build:3"]}, SettingsError, "both name"),
    (ALL, SAME, {"required": ["build:9"]}, SettingsError, "none of the 8 candidates"),
    (ALL, SAME, {"min_spacing_m": 1e6, **LOCKED}, SettingsError, "nearer to each other than"),
    (ALL, SAME, {"min_spacing_m": -1.0}, SettingsError, "must not be negative"),
    (ALL, SAME, {"budget": 3.0}, SettingsError, "`budget` needs `cost`"),
    (ALL, SAME, {"budget": np.nan, "cost": PRICES}, SettingsError, "`budget` must be finite"),
    (ALL, SAME, {"budget": 0.5, "cost": PRICES}, SettingsError, "less than one station costs"),
    (ALL, only_dear, {"budget": 2.0, "cost": PRICES}, SettingsError, "the cheapest of the candi"),
    (ALL, SAME, {"budget": 3.0, "cost": PRICES, **LOCKED}, NoSolutionError, "budget"),
    (["mclp", "pmedian"], SAME, {"min_district_share": 0.99}, NoSolutionError, "Lower the floor"),
    (["lscp"], SAME, {"target_share": 1.0, "min_spacing_m": 9.0}, NoSolutionError, "a share of 1"),
    (["lscp"], SAME, {"budget": 1.0, "cost": PRICES}, NoSolutionError, "`budget` of 1 is too sma"),
    (["lscp"], SAME, {"min_spacing_m": 1e6}, NoSolutionError, "keeps the conflicts"),
    (["pcenter"], SAME, {"min_spacing_m": 1e6, "count": 7}, NoSolutionError, "cannot reach every"),
    (["pcenter"], SAME, {"budget": 2.5, "cost": PRICES}, NoSolutionError, "cannot reach everybody"),
    (ALL, SAME, {"gap": 1.0}, SettingsError, "`gap` must be at least 0"),
    (ALL, SAME, {"time_limit_s": 0.0}, SettingsError, "`time_limit_s` must be greater than 0"),
]


@pytest.mark.parametrize(
    ("model", "spoil", "options", "error", "words"),
    [
        pytest.param(model, *rest, id=f"{number}-{model}")
        for number, (models, *rest) in enumerate(CASES)
        for model in models
    ],
)
def test_bad_input_is_one_clear_message(model, spoil, options, error, words):
    reach, demand, candidates = make_city(1)
    district = np.where(demand.geometry.x < 1500, "west", "east")
    asked = {"count": 3, "districts": district, "reruns": 0, "model": model, **options}
    with pytest.raises(error) as caught:
        choose_stations(*spoil(reach, demand, candidates), **asked)
    said = str(caught.value)
    assert words in said
    assert "\n" not in said
    assert said.rstrip().endswith((".", "?"))


@pytest.mark.parametrize("model", ALL)
def test_candidates_on_one_spot_are_no_fault(model):
    reach, demand, candidates = make_city(4)
    twin = candidates.iloc[[2]].rename(index=lambda name: f"{name} twin")
    minutes = sparse.csr_array(sparse.hstack([reach.minutes, reach.minutes[:, [2]]]))
    both = pd.concat([candidates, twin])
    doubled = Reach(minutes, demand.index, both.index, 15.0, "walk", 4.0)
    one = choose_stations(reach, demand, candidates, 4, model=model, reruns=0)
    two = choose_stations(doubled, demand, both, 4, model=model, reruns=0)
    notes = [sites.attrs["siting"] for sites in (one, two)]
    assert notes[0]["status"] == notes[1]["status"] == "optimal"
    if model != "backup":  # for which a second station on a spot is worth something
        assert notes[0]["objective"] == pytest.approx(notes[1]["objective"])
