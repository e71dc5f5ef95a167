"""A site moved: coverage before and after, who gains and who loses, against plans made anew."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from siting_tables import CRS, make_candidates, make_demand, make_reach, straight

from planner.errors import InputError, SettingsError
from planner.settings import make_settings
from planner.siting import choose_stations, move_site
from planner.siting.move import Spot


def random_plan(seed, language="en", spacing=0.0):
    rng = np.random.default_rng(seed)
    demand = make_demand(rng.random((50, 2)) * 4000, rng.integers(1, 30, 50))
    ids = ["station:0", *(f"corner:{k:02d}" for k in range(9)), "host:library"]
    candidates = make_candidates(ids, rng.random((11, 2)) * 4000)
    reach = make_reach(demand, candidates, straight(demand, candidates))
    sites = choose_stations(reach, demand, candidates, 3, reruns=0)
    districts = gpd.GeoDataFrame(
        {"name": ["West", "East"]},
        geometry=[shapely.box(0, 0, 2000, 4000), shapely.box(2000, 0, 4000, 4000)],
        index=pd.Index(["1", "2"], name="district_id"), crs=CRS,
    )  # fmt: skip
    settings = make_settings(
        {"study": {"language": language}, "siting": {"min_spacing_m": spacing}}
    )
    tables = {"demand": demand, "candidates": candidates, "sites": sites, "districts": districts}
    return SimpleNamespace(tables=tables, reach=reach, settings=settings)


def covered(plan, ids):
    return plan.reach.select(["station:0", *ids]).covered()


@pytest.mark.parametrize("seed", range(6))
def test_a_move_is_the_difference_of_two_plans(seed):
    plan = random_plan(seed)
    demand, sites = plan.tables["demand"], plan.tables["sites"]
    weight, chosen = demand["weight_per_day"].to_numpy(), list(sites["candidate_id"])
    to = next(i for i in plan.tables["candidates"].index[1:] if i not in chosen)
    move = move_site(plan, "S02", f"At {to}")
    old, new = covered(plan, chosen), covered(plan, [chosen[0], *chosen[2:], to])
    assert move.to_id == to
    assert move.before_share == pytest.approx(weight[old].sum() / weight.sum())
    assert move.after_share == pytest.approx(weight[new].sum() / weight.sum())
    assert move.gained_per_day == weight[new & ~old].sum()
    assert move.lost_per_day == weight[old & ~new].sum()
    east = (demand.geometry.x > 2000).to_numpy()
    told = {d.district: d for d in move.by_district}
    for name, here in (("East", east), ("West", ~east)):
        change = [weight[here & new & ~old].sum(), weight[here & old & ~new].sum()]
        if max(change):
            assert [told[name].gained_per_day, told[name].lost_per_day] == change
            assert told[name].after_share == pytest.approx(
                weight[here & new].sum() / weight[here].sum()
            )
        else:
            assert name not in told
    a, b = (plan.tables["candidates"].geometry[i] for i in (chosen[1], to))
    assert move.moved_m == pytest.approx(a.distance(b))


def test_a_spot_counts_those_who_reach_it():
    plan = random_plan(1)
    sites, demand = plan.tables["sites"], plan.tables["demand"]
    everyone = move_site(plan, "S01", Spot("everywhere", shapely.Point(1, 1), demand.index))
    assert everyone.after_share == 1.0
    assert everyone.lost_per_day == 0.0
    nobody = move_site(plan, "S01", Spot("nowhere", shapely.Point(1, 1), demand.index[:0]))
    rest = covered(plan, list(sites["candidate_id"])[1:])
    weight = demand["weight_per_day"].to_numpy()
    assert nobody.after_share == pytest.approx(weight[rest].sum() / weight.sum())
    assert nobody.gained_per_day == 0.0
    assert nobody.to_id == "point"


def test_words_numbers_and_sites_that_would_be_too_close():
    plan = random_plan(2, "zh", spacing=1e5)
    to = plan.tables["candidates"].index.difference([*plan.tables["sites"]["candidate_id"]])[0]
    move = move_site(plan, "S01", to)
    assert move.too_close == ("S02", "S03")
    labels = [label for label, _ in move.rows()]
    assert {"移到", "方案覆盖，移动前 → 后", "间距过近"} <= set(labels)
    assert move._repr_html_().count("<tr>") == len(labels)
    told = move.numbers()
    assert "language" not in told
    assert told["by_district"] == [d._asdict() for d in move.by_district]


def test_moves_that_make_no_sense_are_refused_with_the_remedy():
    plan = random_plan(3)
    for site, to, error, words in (
        ("s1", "corner:01", InputError, "no site `s1`.*`S01`.*Did you mean"),
        ("S01", "S01", SettingsError, "where it stands already"),
        ("S01", "S02", SettingsError, "site `S02` of the plan"),
        ("S01", "station:0", SettingsError, "open already"),
        ("S01", "corner:0", SettingsError, "Did you mean `corner:0"),
    ):
        with pytest.raises(error, match=words):
            move_site(plan, site, to)
