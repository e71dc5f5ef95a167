"""Stations with seats: kinds of one place, enlarging, loads; enumeration, laws, bad input."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from siting_city import make_city

from planner.errors import InputError, SettingsError
from planner.locate.capacitated.model import serve_most
from planner.settings import make_settings
from planner.siting import Seating, SeatKind, choose_stations
from planner.tables import Reach, check_table

CRS = "EPSG:32650"
KINDS = {
    "small": SeatKind("activate", 2, 1.0),
    "large": SeatKind("build", 5, 3.0),
    "annex": SeatKind("enlarge", 3, 1.5),
}


def make_seated(seed, points=14, free=4):
    """Two stations, one of unknown seats, beside hosts and corners."""
    return make_city(seed, points, free, stations=2, side_m=2500, near_m=1200.0)


def seating_of(candidates, kinds=KINDS):
    return Seating(kinds, pd.Series([4.0, np.nan], candidates.index[:2]), 10.0)


def best_of_all(city, kinds, count, budget, required=()):
    """The most that seats serve, by looking at every kind of every place."""
    reach, demand, candidates = city
    weight, best = demand["weight_per_day"].to_numpy(), None
    who = {"activate": {"activate"}, "build": {"activate", "build"}, "enlarge": {"keep"}}
    options = [
        [None, *(name for name, kind in kinds.items() if action in who[kind.action])]
        for action in candidates["action"]
    ]
    for choice in itertools.product(*options):
        new = [j for j, name in enumerate(choice) if name and j >= 2]
        paid = sum(kinds[name].cost for name in choice if name)
        left_out = not set(required) <= set(new)
        if len(new) > count or left_out or (budget is not None and paid > budget):
            continue
        seats = np.zeros(len(candidates))
        seats[:2] = 4.0
        for j, name in enumerate(choice):
            seats[j] += kinds[name].seats if name else 0.0
        value = serve_most(reach.minutes, weight, 10.0 * seats, [0, 1, *new])
        best = value if best is None else max(best, value)
    return best


def check_seating(sites, city):
    """Loads add up to what is served, nobody is over capacity, sites and list tell the same."""
    _, demand, _ = city
    note = sites.attrs["siting"]
    stations = {s["candidate_id"]: s for s in note["seating"]}
    total = demand["weight_per_day"].sum()
    assert sum(s["served_per_day"] for s in stations.values()) == pytest.approx(note["objective"])
    assert note["served_share"] == pytest.approx(note["objective"] / total)
    assert note["served_share_before"] <= note["served_share"] + 1e-12
    assert all(s["served_per_day"] <= s["capacity_per_day"] + 1e-6 for s in stations.values())
    assert all(0 <= s["load_share"] <= 1 for s in stations.values())
    for _, site in sites.iterrows():
        told = stations[site["candidate_id"]]
        for name in ("seat_kind", "seats", "served_per_day", "load_share", "action"):
            assert site[name] == told[name]
    check_table(sites, "sites")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([3.0, 5.5, 9.0]), st.integers(1, 3), st.booleans())
def test_kinds_and_enlarging_are_the_best_of_all(seed, budget, count, locked):
    city = make_seated(seed)
    required = [3] if locked else []
    reach, demand, candidates = city
    if not (sparse.csc_array(reach.minutes)[:, 2:]).nnz:
        return
    sites = choose_stations(
        reach, demand, candidates, count, model="capacitated", budget=budget, gap=0.0,
        seating=seating_of(candidates), required=list(candidates.index[required]),
    )  # fmt: skip
    note = sites.attrs["siting"]
    best = best_of_all(city, KINDS, count, budget, required)
    assert (note["objective"], note["bound"]) == pytest.approx((best, best))
    assert note["status"] == "optimal"
    assert note["cost"] <= budget
    assert len(sites) <= count
    check_seating(sites, city)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_without_a_budget_every_place_has_most_seats(seed, count):
    city = make_seated(seed)
    kinds = {name: KINDS[name] for name in ("small", "large")}
    sites = choose_stations(
        *city, count, model="capacitated", gap=0.0, seating=seating_of(city[2], kinds)
    )
    assert sites.attrs["siting"]["objective"] == pytest.approx(
        best_of_all(city, kinds, count, None)
    )
    assert set(sites["seat_kind"]) <= {"large"}
    check_seating(sites, city)


def test_a_place_is_enlarged_where_that_serves_more_than_a_new_one():
    place = gpd.points_from_xy([0.0, 100.0], [0.0, 0.0])
    demand = gpd.GeoDataFrame(
        {"weight_per_day": [90.0], "workers": 12, "cell_row": 0, "cell_col": 0},
        index=pd.Index(["d"], name="demand_id"), geometry=place[:1], crs=CRS,
    )  # fmt: skip
    candidates = gpd.GeoDataFrame(
        {"name": ["old", "new"], "kind": "corner", "action": ["keep", "build"], "host_name": None,
         "hours": "00:00-24:00"},
        index=pd.Index(["old", "new"], name="candidate_id"), geometry=place, crs=CRS,
    )  # fmt: skip
    reach = Reach(sparse.csr_array([[1.0, 2.0]]), demand.index, candidates.index, 15.0, "walk", 4.0)
    seating = Seating(KINDS, pd.Series({"old": 4.0}), pd.Series({"old": 10.0, "new": 1.0}))
    options = {"model": "capacitated", "seating": seating, "language": "zh"}
    sites = choose_stations(reach, demand, candidates, 1, budget=3.0, **options)
    note = sites.attrs["siting"]
    assert len(sites) == 0
    assert (note["objective"], note["cost"], note["seats_added"]) == (70.0, 1.5, 3.0)
    assert note["seating"][0]["action"] == "enlarge"
    both = choose_stations(reach, demand, candidates, 1, budget=4.5, **options)
    assert both.attrs["siting"]["objective"] == 75.0
    assert both["why"].iloc[0].endswith("设 5 座，接待 5 人次/日。")


def test_more_money_and_more_visits_a_seat_never_serve_less():
    reach, demand, candidates = make_seated(5)
    options = {"model": "capacitated", "gap": 0.0}
    by_money = [
        choose_stations(
            reach, demand, candidates, 3, budget=b, seating=seating_of(candidates), **options
        ).attrs["siting"]["objective"]
        for b in (1.0, 4.0, 20.0)
    ]
    by_turn = [
        choose_stations(
            reach, demand, candidates, 3, budget=4.0,
            seating=Seating(KINDS, None, visits), **options,
        ).attrs["siting"]["objective"]
        for visits in (0.0, 5.0, 15.0)
    ]  # fmt: skip
    assert by_money == sorted(by_money)
    assert by_turn == sorted(by_turn)
    assert by_turn[0] == 0.0


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("needs `seating`", {"seating": None}),
        ("cheapest of `kinds`", {"budget": 0.5}),
        ("`budget` must be finite", {"budget": float("nan")}),
        ("without `budget`", {"budget": None}),
        ("takes no `cost`", {"cost": {"activate": 1, "build": 2}}),
        ("takes no `min_district_share`", {"min_district_share": 0.5}),
        ("activate or build", {"kinds": {"annex": SeatKind("enlarge", 3, 1)}}),
        ("must be one of", {"kinds": {"tent": SeatKind("pitch", 3, 1)}}),
        ("`seats` of 'small'", {"kinds": {"small": SeatKind("activate", -1, 1)}}),
        ("`seats` of 'small'", {"kinds": {"small": SeatKind("activate", float("nan"), 1)}}),
        ("`visits_per_seat`", {"visits": float("nan")}),
        ("`visits_per_seat`", {"visits": -1.0}),
    ],
)
def test_bad_seats_are_one_clear_error(words, change):
    reach, demand, candidates = make_seated(1)
    seating = Seating(change.pop("kinds", KINDS), None, change.pop("visits", 10.0))
    options = {"budget": 5.0, "seating": seating, **change}
    with pytest.raises(SettingsError, match=words):
        choose_stations(reach, demand, candidates, 2, model="capacitated", **options)


def test_negative_seats_of_a_station_are_refused():
    reach, demand, candidates = make_seated(1)
    seating = Seating(KINDS, pd.Series({candidates.index[0]: -3.0}), 10.0)
    with pytest.raises(InputError, match="0 or more"):
        choose_stations(
            reach, demand, candidates, 2, model="capacitated", budget=5.0, seating=seating
        )


@pytest.mark.parametrize(
    ("words", "siting"),
    [
        ("`kinds`.*or `new_seats`", {"model": "capacitated"}),
        ("needs `kinds`", {"model": "capacitated", "new_seats": 9, "budget": 5}),
        ("takes no `kinds`", {"kinds": {"small": {"action": "activate", "seats": 9}}}),
        ("siting.kinds.small.action", {"kinds": {"small": {"action": "pitch", "seats": 9}}}),
        ("siting.kinds.small.seats", {"kinds": {"small": {"action": "build", "seats": -9}}}),
    ],
)
def test_a_study_of_seats_is_checked_when_it_is_loaded(words, siting):
    with pytest.raises(SettingsError, match=words):
        make_settings({"siting": siting})
