"""Leshan's rule: where riders rest without shelter a station comes first."""

import itertools
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from planner.errors import SettingsError
from planner.siting import choose_stations
from planner.tables import Reach

CRS = "EPSG:32650"


def case(xy, weight, ids, places, rest):
    """Demand and candidates, reach along straight lines at 4 km/h."""
    demand = gpd.GeoDataFrame(
        {"weight_per_day": np.asarray(weight, dtype=float), "workers": 12, "cell_row": 0,
         "cell_col": 0},
        index=pd.Index([f"d{k:03d}" for k in range(len(weight))], name="demand_id"),
        geometry=gpd.points_from_xy(*np.transpose(xy)), crs=CRS,
    )  # fmt: skip
    kind = [{"station": "existing"}.get(i.split(":")[0], i.split(":")[0]) for i in ids]
    candidates = gpd.GeoDataFrame(
        {"name": [f"At {i}" for i in ids], "kind": kind,
         "action": [{"existing": "keep", "host": "activate"}.get(k, "build") for k in kind],
         "host_name": [f"At {i}" if k == "host" else None for i, k in zip(ids, kind, strict=True)],
         "hours": "00:00-24:00", "informal_rest_per_day": np.asarray(rest, dtype=float)},
        index=pd.Index(ids, name="candidate_id"),
        geometry=gpd.points_from_xy(*np.transpose(places)), crs=CRS,
    )  # fmt: skip
    here, there = np.asarray(xy, dtype=float), np.asarray(places, dtype=float)
    apart = np.hypot(*(here[:, None] - there[None]).transpose(2, 0, 1))
    row, column = np.nonzero(apart <= 1000.0)
    minutes = sparse.csr_array((apart[row, column] * 0.06 / 4, (row, column)), shape=apart.shape)
    return Reach(minutes, demand.index, candidates.index, 15.0, "walk", 4.0), demand, candidates


@pytest.fixture
def town():
    """A station; four places far from it; riders rest most at x = 500, which it serves."""
    x = [0, 5000, 10_000, 15_000, 20_000, 500]
    weight = [10, 100, 80, 20, 15, 30]
    ids = ["station:1", "corner:1", "corner:2", "hotspot:g3", "host:c", "hotspot:g1"]
    rest = [0, 0, 0, 12.4, 9.4, 28]
    xy = [(v, 0) for v in x]
    return case(xy, weight, ids, xy, rest)


def test_without_the_rule_coverage_decides(town):
    sites = choose_stations(*town, 2, reruns=0)
    assert sites["candidate_id"].tolist() == ["corner:1", "corner:2"]
    assert "informal_first" not in sites.attrs["siting"]
    assert sites["informal_rest_per_day"].tolist() == [0.0, 0.0]


def test_the_busiest_place_that_no_station_serves_comes_first(town):
    sites = choose_stations(*town, 2, informal_share=0.5, reruns=0)
    assert sites["candidate_id"].tolist() == ["hotspot:g3", "corner:1"]  # not g1: station 1 serves
    assert sites["rank"].tolist() == [1, 2]
    assert sites["gain_per_day"].tolist() == [20.0, 100.0]
    assert sites["informal_rest_per_day"].tolist() == [12.4, 0.0]


def test_bound_and_price_of_the_rule_are_told(town):
    """Today 40 of 255 are covered; free 220; with g3 one must do with 160."""
    note = choose_stations(*town, 2, informal_share=0.5, reruns=0).attrs["siting"]
    assert (note["objective"], note["bound"], note["gap"]) == (160.0, 160.0, 0.0)
    assert note["status"] == "optimal"
    assert (note["informal_share"], note["informal_first"]) == (0.5, 1)
    assert note["free_share"] == 220 / 255


@pytest.mark.parametrize(
    ("count", "share", "first"), [(1, 0.5, 0), (1, 1.0, 1), (3, 0.5, 1), (4, 0.5, 2), (4, 1.0, 2)]
)
def test_no_more_than_the_share_goes_first(town, count, share, first):
    sites = choose_stations(*town, count, informal_share=share, reruns=0)
    told = sites["informal_rest_per_day"].tolist()
    assert told[:first] == [12.4, 9.4][:first]
    assert sites.attrs["siting"].get("informal_first", 0) == first


def test_two_places_within_one_reach_count_once():
    xy = [(0, 0), (300, 0), (9000, 0)]
    town = case(xy, [9, 9, 5], ["hotspot:g1", "hotspot:g2", "hotspot:g3"], xy, [30, 20, 10])
    sites = choose_stations(*town, 2, informal_share=1.0, reruns=0)
    assert sites["candidate_id"].tolist() == ["hotspot:g1", "hotspot:g3"]


def test_spacing_holds_for_them_too():
    xy = [(0, 0), (1500, 0), (9000, 0)]
    town = case(xy, [9, 9, 5], ["hotspot:g1", "hotspot:g2", "hotspot:g3"], xy, [30, 20, 10])
    sites = choose_stations(*town, 2, informal_share=1.0, min_spacing_m=2000, reruns=0)
    assert sites["candidate_id"].tolist() == ["hotspot:g1", "hotspot:g3"]


def test_a_place_off_the_streets_is_passed_over():
    """g1 reaches nobody, not even those who rest there."""
    xy = [(0, 0), (9000, 0)]
    reach, demand, candidates = case(xy, [9, 5], ["hotspot:g1", "corner:1"], xy, [30, 0])
    lame = Reach(
        sparse.csr_array(np.array([[0, 0], [0, 1.0]])), demand.index, candidates.index, 15.0,
        "walk", 4.0,
    )  # fmt: skip
    sites = choose_stations(lame, demand, candidates, 1, informal_share=1.0, reruns=0)
    assert sites["candidate_id"].tolist() == ["corner:1"]
    assert sites.attrs["siting"]["informal_first"] == 0
    assert reach.minutes.nnz == 2


def test_why_says_who_rests_there(town):
    english = choose_stations(*town, 2, informal_share=1.0, reruns=0)["why"].tolist()
    assert english == [
        (
            "20 rider-visits a day nearby have no station within 15 min on foot today; with this "
            "site under 1 min. Riders already rest here without shelter: 12 a day."
        ),
        (
            "15 rider-visits a day nearby have no station within 15 min on foot today; with this "
            "site under 1 min. Riders already rest here without shelter: 9.4 a day. "
            "Activate the existing premises: At host:c."
        ),
    ]
    chinese = choose_stations(*town, 1, informal_share=1.0, reruns=0, language="zh")["why"]
    assert chinese.iloc[0].endswith("骑手已在此自发聚集休息，附近无站点可避风雨：12 人次/日。")


@pytest.fixture(scope="module")
def city():
    rng = np.random.default_rng(5)
    xy = rng.random((120, 2)) * 8000
    ids = [f"station:{k}" for k in range(2)] + [f"hotspot:g{k}" for k in range(12)]
    places = np.concatenate([rng.random((2, 2)) * 8000, xy[:12]])
    rest = np.concatenate([[0, 0], rng.integers(0, 40, 12)])
    return case(xy, rng.integers(1, 50, 120), ids, places, rest)


@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
def test_the_bound_is_true_of_all_plans_that_keep_the_rule(city, share):
    """Against full enumeration of what coverage may still decide."""
    reach, demand, _candidates = city
    sites = choose_stations(*city, 4, informal_share=share, reruns=0, gap=0)
    note = sites.attrs["siting"]
    first = sites["candidate_id"].tolist()[: note["informal_first"]]
    assert note["informal_first"] == math.floor(share * 4 + 1e-9) > 0
    column = {c: k for k, c in enumerate(reach.facility_id)}
    matrix = np.zeros(reach.minutes.shape, dtype=bool)
    matrix[
        np.repeat(np.arange(len(demand)), np.diff(reach.minutes.indptr)), reach.minutes.indices
    ] = 1
    weight = demand["weight_per_day"].to_numpy()
    fixed = [column["station:0"], column["station:1"], *(column[c] for c in first)]
    others = [k for c, k in column.items() if c.startswith("hotspot") and c not in first]
    best = max(
        weight[matrix[:, [*fixed, *some]].any(axis=1)].sum()
        for some in itertools.combinations(others, 4 - len(first))
    )
    assert note["objective"] == best
    assert note["bound"] == pytest.approx(best, rel=1e-6)
    assert note["status"] == "optimal"
    free = choose_stations(*city, 4, reruns=0, gap=0).attrs["siting"]
    assert note["free_share"] == pytest.approx(free["covered_share"])
    assert note["covered_share"] <= note["free_share"]


def test_more_share_never_covers_more(city):
    notes = [
        choose_stations(*city, 4, informal_share=s, reruns=0, gap=0).attrs["siting"]
        for s in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    shares = [n["covered_share"] for n in notes]
    assert shares == sorted(shares, reverse=True)


def test_order_of_rows_does_not_change_the_answer(city):
    reach, demand, candidates = city
    one = choose_stations(*city, 4, informal_share=0.5, reruns=10)
    rows = demand.sample(frac=1, random_state=1)
    columns = candidates.sample(frac=1, random_state=2)
    two = choose_stations(reach, rows, columns, 4, informal_share=0.5, reruns=10)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_stability_asks_whether_they_would_come_first_again():
    """One place leads by far; of two alike, 5 km apart, either may be the second."""
    xy = [(0, 0), (5000, 0), (10_000, 0), (15_000, 0)]
    ids = ["hotspot:g1", "hotspot:g2", "hotspot:g3", "corner:1"]
    town = case(xy, [50, 40, 40, 60], ids, xy, [500, 20, 20, 0])
    sites = choose_stations(*town, 2, informal_share=1.0, reruns=200)
    assert sites["candidate_id"].tolist() == ["hotspot:g1", "hotspot:g2"]
    assert sites["stability"].iloc[0] == 1.0
    assert 0.3 < sites["stability"].iloc[1] < 0.7


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_a_share(town, share):
    with pytest.raises(SettingsError, match="informal_share"):
        choose_stations(*town, 1, informal_share=share)
