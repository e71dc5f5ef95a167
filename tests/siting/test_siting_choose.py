"""Sites: hand-computed gains, minutes and words; laws; bad input."""

import itertools

import numpy as np
import pandas as pd
import pytest
from siting_tables import make_candidates, make_demand, make_reach, straight

from planner.errors import InputError, NoSolutionError, SettingsError
from planner.siting import choose_stations
from planner.tables import Reach


@pytest.fixture
def small():
    """Five demand points on a line, one existing station, three candidates; reach by hand."""
    demand = make_demand(
        [(0, 0), (1000, 0), (2000, 0), (3000, 0), (4000, 0)],
        [10, 20, 30, 15, 25],
        weight_noon=[10.0, 20.0, 5.0, 5.0, 20.0],
        weight_afternoon=[0.0, 0.0, 25.0, 10.0, 5.0],
        weight_type_food=[99.0] * 5,
    )
    demand.attrs["demand"] = {"days": 2, "dayparts": {"noon": [11, 14], "afternoon": [14, 17]}}
    candidates = make_candidates(
        ["station:1", "host:a", "corner:1", "corner:2"],
        [(0, 0), (2500, 0), (4000, 0), (1000, 0)],
    )
    minutes = [
        [0, np.inf, np.inf, 12],
        [15, np.inf, np.inf, 0],
        [np.inf, 6, np.inf, 15],
        [np.inf, 8, 14, np.inf],
        [np.inf, np.inf, 0, np.inf],
    ]
    today = pd.Series([0.0, 15.0, 28.0, np.inf, np.inf], index=demand.index)
    return make_reach(demand, candidates, minutes), demand, candidates, today


def test_gains_minutes_and_peaks_are_those_computed_by_hand(small):
    """Today 30 of 100; host:a gains 30 + 15, then corner:1 gains 25 of the 40 it reaches."""
    reach, demand, candidates, today = small
    sites = choose_stations(reach, demand, candidates, 2, existing_minutes=today)
    assert sites.index.tolist() == ["S01", "S02"]
    assert sites["candidate_id"].tolist() == ["host:a", "corner:1"]
    assert sites["rank"].tolist() == [1, 2]
    assert sites["gain_per_day"].tolist() == [45.0, 25.0]
    assert sites["gain_share"].tolist() == [0.45, 0.25]
    assert sites["cumulative_share"].tolist() == [0.75, 1.0]
    assert sites["before_min"].tolist() == [28.0, 30.0]
    assert sites["after_min"].tolist() == [6.0, 0.0]
    assert sites["peak"].tolist() == ["afternoon", "noon"]
    note = sites.attrs["siting"]
    assert (note["objective"], note["bound"], note["gap"]) == (100.0, 100.0, 0.0)
    assert (note["status"], note["model"]) == ("optimal", "mclp")
    assert (note["count"], note["count_used"]) == (2, 2)
    assert (note["covered_share"], note["best_possible_share"]) == (1.0, 1.0)


def test_why_says_the_numbers_in_both_languages(small):
    reach, demand, candidates, today = small
    english = choose_stations(reach, demand, candidates, 2, existing_minutes=today, reruns=0)
    assert english["why"].tolist() == [
        (
            "45 rider-visits a day nearby need about 28 min on foot to the nearest station today, "
            "mostly in the afternoon; with this site about 6 min. "
            "Activate the existing premises: At host:a."
        ),
        (
            "25 rider-visits a day nearby need 30 min or more on foot to the nearest station "
            "today, mostly at noon; with this site under 1 min."
        ),
    ]
    chinese = choose_stations(
        reach, demand, candidates, 2, existing_minutes=today, reruns=0, language="zh"
    )
    assert chinese["why"].tolist() == [
        (
            "附近 45 人次/日今天步行到最近站点要约 28 分钟，多在下午；设站后只要约 6 分钟。"
            "存量盘活，依托：At host:a。"
        ),
        "附近 25 人次/日今天步行到最近站点要 30 分钟以上，多在午间；设站后只要不到 1 分钟。",
    ]


def test_names_with_braces_are_said_as_they_are(small):
    reach, demand, candidates, _ = small
    candidates = candidates.copy()
    candidates.loc["host:a", "host_name"] = "{x}<img onerror=1>"
    sites = choose_stations(reach, demand, candidates, 1, reruns=0)
    assert sites["why"].iloc[0].endswith("{x}<img onerror=1>.")


def test_without_existing_minutes_before_is_empty(small):
    reach, demand, candidates, _ = small
    sites = choose_stations(reach, demand, candidates, 1, reruns=0)
    assert sites["before_min"].isna().all()
    assert "have no station within 15 min on foot today" in sites["why"].iloc[0]
    assert sites["stability"].isna().all()


def test_sites_that_gain_nothing_are_left_out(small):
    """Two sites cover everything; the third would add nothing."""
    reach, demand, candidates, today = small
    sites = choose_stations(reach, demand, candidates, 3, existing_minutes=today)
    assert len(sites) == 2
    assert sites.attrs["siting"]["count"] == 3
    assert sites.attrs["siting"]["count_used"] == 2


def test_nothing_is_recommended_where_all_is_covered_today():
    demand = make_demand([(0, 0)], [5])
    candidates = make_candidates(["station:1", "corner:1"], [(0, 0), (10, 0)])
    reach = make_reach(demand, candidates, [[0, 1]])
    with pytest.raises(NoSolutionError, match=r"100\.0% of the demand within reach already"):
        choose_stations(reach, demand, candidates, 1)
    locked = choose_stations(reach, demand, candidates, 1, required=["corner:1"])
    assert locked["candidate_id"].tolist() == ["corner:1"]


def test_premises_go_before_building_where_both_cover_the_same():
    demand = make_demand([(0, 0), (50, 0)], [5, 7])
    candidates = make_candidates(["corner:1", "host:z", "hotspot:1"], [(0, 0), (20, 0), (40, 0)])
    reach = make_reach(demand, candidates, np.ones((2, 3)))
    assert choose_stations(reach, demand, candidates, 1)["candidate_id"].tolist() == ["host:z"]


@pytest.fixture(scope="module")
def city():
    rng = np.random.default_rng(3)
    demand = make_demand(rng.random((150, 2)) * 5000, rng.integers(1, 40, 150))
    demand.attrs["demand"] = {"days": 2}
    ids = [f"station:{k}" for k in range(3)] + [f"corner:{k}" for k in range(60)]
    candidates = make_candidates(ids, rng.random((63, 2)) * 5000)
    return make_reach(demand, candidates, straight(demand, candidates)), demand, candidates


def test_order_of_rows_does_not_change_the_answer(city):
    reach, demand, candidates = city
    rows = demand.sample(frac=1, random_state=1)
    columns = candidates.sample(frac=1, random_state=2)
    mixed = Reach(
        reach.minutes[demand.index.get_indexer(rows.index)][
            :, candidates.index.get_indexer(columns.index)
        ],
        rows.index,
        columns.index,
        reach.limit_min,
        reach.mode,
        reach.speed_kmh,
    )
    one = choose_stations(reach, demand, candidates, 6, reruns=20)
    two = choose_stations(mixed, rows, columns, 6, reruns=20)
    pd.testing.assert_frame_equal(one, two, check_like=False)
    other = choose_stations(reach, rows, columns, 6, reruns=20)
    pd.testing.assert_frame_equal(one, other)


def test_shares_add_up_to_an_independent_count(city):
    reach, demand, candidates = city
    sites = choose_stations(reach, demand, candidates, 6, reruns=0)
    opened = [c for c in candidates.index if c.startswith("station")] + sites[
        "candidate_id"
    ].tolist()
    pairs = reach.pairs()
    within = pairs.loc[pairs["facility_id"].isin(opened), "demand_id"].unique()
    weight = demand["weight_per_day"]
    assert sites.attrs["siting"]["objective"] == weight[within].sum()
    assert sites["cumulative_share"].iloc[-1] == pytest.approx(weight[within].sum() / weight.sum())
    assert sites["gain_per_day"].is_monotonic_decreasing
    assert sites["cumulative_share"].is_monotonic_increasing


def test_more_sites_never_cover_less(city):
    reach, demand, candidates = city
    shares = [
        choose_stations(reach, demand, candidates, k, reruns=0, gap=0).attrs["siting"][
            "covered_share"
        ]
        for k in (1, 3, 6, 9)
    ]
    assert shares == sorted(shares)


@pytest.mark.parametrize("spacing", [800.0, 2000.0])
def test_spacing_is_kept_and_costs_coverage(city, spacing):
    reach, demand, candidates = city
    free = choose_stations(reach, demand, candidates, 5, reruns=0)
    apart = choose_stations(reach, demand, candidates, 5, reruns=0, min_spacing_m=spacing)
    gaps = [a.distance(b) for a, b in itertools.combinations(apart.geometry, 2)]
    assert min(gaps) >= spacing
    assert apart.attrs["siting"]["objective"] <= free.attrs["siting"]["bound"]
    assert apart.attrs["siting"]["gap"] <= 1e-4


def test_stability_is_a_share_and_sure_where_there_is_no_rival(city):
    reach, demand, candidates = city
    sites = choose_stations(reach, demand, candidates, 5, reruns=30)
    assert sites["stability"].between(0, 1).all()
    far = make_demand([(0, 0), (9000, 0)], [50, 40])
    two = make_candidates(["corner:1", "corner:2"], [(0, 0), (9000, 0)])
    sure = choose_stations(make_reach(far, two, straight(far, two)), far, two, 2, reruns=30)
    assert sure["stability"].tolist() == [1.0, 1.0]


def test_neighbours_count_as_the_same_place():
    """Two corners 100 m apart are chosen in turns: either counts for the other."""
    demand = make_demand([(0, 0), (1, 0)], [20, 20])
    candidates = make_candidates(["corner:1", "corner:2"], [(0, 0), (100, 0)])
    reach = make_reach(demand, candidates, [[1, np.inf], [np.inf, 1]])
    sites = choose_stations(reach, demand, candidates, 1, reruns=40)
    assert sites["stability"].tolist() == [1.0]


def test_steps_are_told(city):
    reach, demand, candidates = city
    steps = []
    choose_stations(reach, demand, candidates, 2, reruns=3, on_step=lambda *s: steps.append(s))
    assert steps == [(k, 7) for k in range(1, 8)]


def test_nothing_is_written_into_the_arguments(small):
    reach, demand, candidates, today = small
    before = [t.copy() for t in (demand, candidates, today)]
    choose_stations(reach, demand, candidates, 2, existing_minutes=today)
    pd.testing.assert_frame_equal(before[0], demand)
    pd.testing.assert_frame_equal(before[1], candidates)
    pd.testing.assert_series_equal(before[2], today)


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SettingsError, "only 3 candidates", {"count": 4}),
        (SettingsError, "at least 1", {"count": 0}),
        (SettingsError, "Did you mean `mclp`", {"model": "mcpl"}),
        (SettingsError, "min_spacing_m", {"min_spacing_m": -1.0}),
        (SettingsError, "reruns", {"reruns": -1}),
        (SettingsError, "gap", {"gap": 2.0}),
    ],
)
def test_bad_settings_are_one_clear_error(small, error, words, change):
    reach, demand, candidates, _ = small
    arguments = {"count": 1, **change}
    with pytest.raises(error, match=words):
        choose_stations(reach, demand, candidates, arguments.pop("count"), **arguments)


def test_reach_of_other_tables_is_refused(small):
    reach, demand, candidates, _ = small
    with pytest.raises(InputError, match="different identifiers"):
        choose_stations(reach, demand, candidates.drop(index="corner:2"), 1)


def test_demand_out_of_everyones_reach_is_no_solution():
    demand = make_demand([(0, 0)], [5])
    candidates = make_candidates(["corner:1"], [(9000, 0)])
    reach = make_reach(demand, candidates, [[np.inf]])
    with pytest.raises(NoSolutionError, match="within reach"):
        choose_stations(reach, demand, candidates, 1)
