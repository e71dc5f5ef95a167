"""Two models of siting: a second station counts, and how near the first one is."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from siting_city import PRICES, make_city

from planner.coverage.measure import gradual_cover
from planner.errors import SettingsError
from planner.siting import choose_stations

SOME = settings(max_examples=25, deadline=None, derandomize=True)


def make_dense(seed, **size):
    return make_city(seed, side_m=2500, **size)


def minutes_of(reach, choice):
    table = reach.minutes.toarray()
    table[table == 0] = np.inf
    return table[:, [0, *choice]]


def twice(reach, demand, choice, share):
    times = np.isfinite(minutes_of(reach, choice)).sum(axis=1)
    weight = demand["weight_per_day"].to_numpy()
    return (1 - share) * weight[times >= 1].sum() + share * weight[times >= 2].sum()


def graded(reach, demand, choice, full_min):
    near = minutes_of(reach, choice).min(axis=1)
    return (demand["weight_per_day"] * gradual_cover(near, full_min, 15.0)).sum()


def choices(candidates, count, **limits):
    """Candidates that may open together."""
    xy = np.column_stack([candidates.geometry.x, candidates.geometry.y])
    price = candidates["action"].map(PRICES).to_numpy()
    for k in range(count + 1):
        for choice in map(list, itertools.combinations(range(1, len(candidates)), k)):
            pairs = itertools.combinations(choice, 2)
            apart = min((np.hypot(*(xy[a] - xy[b])) for a, b in pairs), default=np.inf)
            cheap = price[choice].sum() <= limits.get("budget", np.inf)
            if cheap and apart >= limits.get("min_spacing_m", 0.0):
                yield choice


def chosen(sites, candidates):
    return [int(k) for k in candidates.index.get_indexer(sites["candidate_id"])]


LIMITS = st.sampled_from([{}, {"min_spacing_m": 700.0}, {"budget": 4.0, "cost": PRICES}])


@SOME
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([0.3, 0.5, 0.8]), LIMITS)
def test_backup_equals_enumeration(seed, count, share, limits):
    reach, demand, candidates = make_dense(seed)
    sites = choose_stations(
        reach, demand, candidates, count, model="backup", backup_share=share, gap=0, **limits
    )
    note = sites.attrs["siting"]
    best = max(twice(reach, demand, c, share) for c in choices(candidates, count, **limits))
    assert note["objective"] == pytest.approx(best)
    assert note["bound"] >= best - 1e-9
    picked, total = chosen(sites, candidates), demand["weight_per_day"].sum()
    assert note["objective"] == pytest.approx(twice(reach, demand, picked, share))
    assert note["backed_share"] == pytest.approx(twice(reach, demand, picked, 1.0) / total)
    assert note["backed_share_before"] == pytest.approx(twice(reach, demand, [], 1.0) / total)
    assert note["covered_share"] == pytest.approx(twice(reach, demand, picked, 0.0) / total)
    added = (note["backed_share"] - note["backed_share_before"]) * total
    assert sites["backed_per_day"].sum() == pytest.approx(added)


@SOME
@given(st.integers(0, 10**6), st.integers(1, 4), st.sampled_from([0.0, 5.0, 40.0]), LIMITS)
def test_gradual_equals_enumeration_by_the_measure_of_coverage(seed, count, full_min, limits):
    reach, demand, candidates = make_dense(seed)
    sites = choose_stations(
        reach, demand, candidates, count, model="gradual", full_min=full_min, gap=0, **limits
    )
    note = sites.attrs["siting"]
    best = max(graded(reach, demand, c, full_min) for c in choices(candidates, count, **limits))
    assert note["objective"] == pytest.approx(best)
    assert note["bound"] >= best - 1e-9
    picked, total = chosen(sites, candidates), demand["weight_per_day"].sum()
    assert note["gradual_share"] == pytest.approx(graded(reach, demand, picked, full_min) / total)
    assert note["gradual_share_before"] == pytest.approx(
        graded(reach, demand, [], full_min) / total
    )
    assert note["gradual_share_best"] >= note["gradual_share"]
    assert note["covered_share"] == pytest.approx(twice(reach, demand, picked, 0.0) / total)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_second_station_is_told_as_such(language):
    reach, demand, candidates = make_dense(4)
    options = {"model": "backup", "backup_share": 1.0, "language": language}
    sites = choose_stations(reach, demand, candidates, 4, **options)
    words = {"en": "it is the second station", "zh": "提供第二个可达站点"}[language]
    assert (sites["backed_per_day"] > 0).any()
    told = sites["why"].str.contains(words).tolist()
    assert told == (sites["backed_per_day"] > 0).tolist()


def test_locked_and_banned_sites_are_kept():
    reach, demand, candidates = make_dense(4)
    ids = candidates.index
    for model in ("backup", "gradual"):
        free = chosen(choose_stations(reach, demand, candidates, 2, model=model), candidates)
        sites = choose_stations(
            reach, demand, candidates, 2, model=model, required=[ids[6]], forbidden=[ids[free[0]]]
        )
        assert 6 in chosen(sites, candidates)
        assert free[0] not in chosen(sites, candidates)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "backup", "backup_share": 1.5}, "`backup_share` must be from 0 to 1. Got 1.5."),
        ({"model": "backup", "min_district_share": 0.2}, "backup takes no `min_district_share`"),
        ({"model": "gradual", "min_district_share": 0.2}, "gradual takes no `min_district_share`"),
        ({"model": "gradual", "full_min": -1.0}, "`full_min` must be from 0"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words):
    reach, demand, candidates = make_dense(4)
    with pytest.raises(SettingsError, match=words):
        choose_stations(reach, demand, candidates, 2, **options)
