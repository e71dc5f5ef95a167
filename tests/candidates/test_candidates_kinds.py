"""What may be a candidate: classes of hosts, exclusions, street points, distances; short lists."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist
from shapely import box

from planner.candidates import Aim, make_candidates
from planner.coverage import make_reach
from planner.errors import SettingsError
from planner.locate import solve_mclp
from planner.network import StreetNetwork

CRS = "EPSG:32650"
SIDE = 16


@pytest.fixture(scope="module")
def streets():
    """A grid of junctions 200 m apart."""
    x, y = (g.ravel() * 200.0 for g in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    tail = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    head = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    return StreetNetwork.from_arrays(x, y, tail, head, [200.0] * tail.size, crs=CRS)


def places(xy, label, **columns):
    index = pd.Index([f"{label}{k:03d}" for k in range(len(xy))], name=f"{label}_id")
    points = gpd.points_from_xy(*np.transpose(xy))
    return gpd.GeoDataFrame(columns, geometry=points, index=index, crs=CRS)


def demand_of(seed, n=150):
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 30, n).astype(float)
    return places(
        rng.random((n, 2)) * 3000, "demand", weight_per_day=weight, workers=12, cell_row=0,
        cell_col=0,
    )  # fmt: skip


def hosts_of(seed, n=30, classes=("pharmacy", "mall", "fuel")):
    rng = np.random.default_rng(seed)
    kind = rng.choice(classes, n)
    return places(rng.random((n, 2)) * 3000, "host", name="", kind=kind, hours="")


@pytest.fixture
def existing():
    return places(
        [(1500.0, 1500.0), (100.0, 100.0)], "station", name=["A", "B"], kind="station",
        services=None, hours="08:00-20:00", hours_assumed=False, capacity=np.nan,
    )  # fmt: skip


# ── classes of hosts ──────────────────────────────────────────────────────────────────────────


def test_only_hosts_of_the_classes_asked_for_are_offered(streets):
    hosts = hosts_of(1)
    found = make_candidates(demand_of(1), streets, hosts=hosts, kinds=["hosts"])
    assert found["host_class"].tolist() == hosts["kind"].tolist()
    some = make_candidates(
        demand_of(1), streets, hosts=hosts, kinds=["hosts"], host_classes=["fuel", "mall"]
    )
    assert set(some["host_class"]) == {"fuel", "mall"}
    assert len(some) == hosts["kind"].isin(["fuel", "mall"]).sum()


def test_of_two_hosts_on_one_spot_the_class_named_first_stays(streets):
    twins = places([(1000.0, 1000), (1003, 1000)], "host", name="", kind=["mall", "fuel"], hours="")
    for order in (["mall", "fuel"], ["fuel", "mall"]):
        found = make_candidates(
            demand_of(1), streets, hosts=twins, kinds=["hosts"], host_classes=order
        )
        assert found["host_class"].tolist() == order[:1]


def test_a_cap_keeps_the_hosts_that_most_demand_reaches(streets):
    hosts, demand = hosts_of(2), demand_of(2)
    every = make_candidates(demand, streets, hosts=hosts, kinds=["hosts"])
    found = make_candidates(demand, streets, hosts=hosts, kinds=["hosts"], host_caps={"mall": 3})
    reach = make_reach(streets, demand, every)
    within = np.diff(reach.minutes.tocsc().indptr) > 0
    served = pd.Series(demand["weight_per_day"].to_numpy() @ reach.minutes.astype(bool).toarray())
    malls = served[(every["host_class"] == "mall").to_numpy() & within].nlargest(3)
    assert set(found.index[found["host_class"] == "mall"]) == set(every.index[malls.index])
    lost = found.attrs["candidates"]["dropped"]["more of a class than allowed"]
    assert len(found) == len(every) - lost


def test_a_class_that_no_host_is_of_is_refused(streets):
    with pytest.raises(SettingsError, match="Did you mean `pharmacy`"):
        make_candidates(demand_of(1), streets, hosts=hosts_of(1), host_classes=["pharmcy"])
    with pytest.raises(SettingsError, match="`host_caps` names 'zoo'"):
        make_candidates(demand_of(1), streets, hosts=hosts_of(1), host_caps={"zoo": 1})
    with pytest.raises(SettingsError, match="must not be negative"):
        make_candidates(demand_of(1), streets, hosts=hosts_of(1), host_caps={"mall": -1})


# ── where nothing may be ──────────────────────────────────────────────────────────────────────


def test_inside_an_excluded_polygon_only_what_exists_stays(streets, existing):
    shapes = gpd.GeoDataFrame(
        {"name": ["Campus", "Depot"]}, geometry=[box(900, 900, 2100, 2100), box(-9, -9, 500, 500)],
        crs=CRS,
    )  # fmt: skip
    args = {"existing": existing, "hosts": hosts_of(3), "host_m": 0.0, "spacing_m": 300.0}
    free = make_candidates(demand_of(3), streets, **args)
    found = make_candidates(demand_of(3), streets, exclude=shapes.to_crs("EPSG:4326"), **args)
    new = found[found["action"] != "keep"]
    assert not new.intersects(shapes.union_all()).any()
    assert (found["action"] == "keep").sum() == 2
    hosts = free[free["kind"] == "host"]
    pairs = zip(shapes["name"], shapes.geometry, strict=True)
    inside = {name: hosts.intersects(shape).sum() for name, shape in pairs}
    dropped = found.attrs["candidates"]["dropped"]
    assert sum(inside.values()) > 0
    assert {k: v for k, v in dropped.items() if k.startswith("excluded")} == {
        f"excluded: {name}": n for name, n in inside.items() if n
    }


def test_new_places_keep_their_distance_from_existing_stations(streets, existing):
    args = {"existing": existing, "hosts": hosts_of(4), "kinds": ["hosts", "corners"]}
    found = make_candidates(demand_of(4), streets, min_from_existing_m=700, **args)
    apart = found[found["action"] != "keep"].geometry.apply(
        found[found["action"] == "keep"].distance
    )
    assert apart.to_numpy().min() >= 700
    assert found.attrs["candidates"]["dropped"]["near an existing station"] > 0


# ── street points ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kinds", [["streets"], ["corners", "streets"]])
def test_street_points_lie_on_streets_at_even_distances(streets, kinds):
    found = make_candidates(demand_of(5), streets, kinds=kinds, spacing_m=90, max_count=9999)
    xy = np.column_stack([found.geometry.x, found.geometry.y])
    assert pdist(xy).min() >= 90
    on_street = np.abs(xy / 200 - np.round(xy / 200)).min(axis=1)
    assert on_street.max() < 1e-9
    assert (np.abs(xy / 200 - np.round(xy / 200)).max(axis=1) > 1e-6).any()  # not junctions alone
    ends = np.column_stack([streets.x, streets.y])
    assert cKDTree(xy).query(ends)[0].max() <= 90
    points = found[found["kind"] == "street"]
    assert points.index.tolist() == [f"street:{k}" for k in range(1, len(points) + 1)]


# ── short lists ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(6))
def test_a_short_list_keeps_the_best_plan_or_tells_what_it_may_lose(streets, existing, seed):
    demand, count = demand_of(seed), 4
    args = {"existing": existing, "hosts": hosts_of(seed), "host_m": 0.0, "limit_min": 8.0}
    args |= {"kinds": ["hosts", "corners", "streets"], "spacing_m": 120.0}
    every = make_candidates(demand, streets, max_count=9999, **args)

    def best(candidates):
        reach = make_reach(streets, demand, candidates, limit_min=8.0)
        keep = np.flatnonzero((candidates["action"] == "keep").to_numpy())
        weight = demand["weight_per_day"].to_numpy()
        found = solve_mclp(reach.minutes, weight, count, existing=keep)
        assert found.status == "optimal"
        return found.objective

    optimum = best(every)
    for most in (len(every) // 2, 40, 8):
        few = make_candidates(demand, streets, max_count=most, aim=Aim(count=count), **args)
        note = few.attrs["candidates"]["screening"]
        assert len(few) == most + 2
        assert note["offered"] == len(every) - 2 == most + note["dominated"] + note["cut"]
        assert set(few.index) <= set(every.index)
        left = best(few)
        assert left <= optimum
        if note["exact"]:
            assert left == optimum
        else:
            assert max(left, note["bound"]) >= optimum * (1 - 1e-12)


def test_named_and_barred_candidates_are_kept_and_the_barred_replace_none(streets):
    demand = demand_of(7)
    args = {"kinds": ["corners"], "spacing_m": 150.0, "max_count": 5}
    every = make_candidates(demand, streets, **(args | {"max_count": 9999}))
    named, barred = every.index[-1], every["name"].iloc[-2] or every.index[-2]
    few = make_candidates(demand, streets, aim=Aim(named=(named,), barred=(barred,)), **args)
    assert {named, every.index[-2]} <= set(few.index)


@pytest.mark.parametrize(
    "aim", [Aim(model="pmedian"), Aim(model="lscp", count=None), Aim(min_spacing_m=300.0)]
)
def test_where_nothing_is_proven_nothing_is_claimed(streets, aim):
    found = make_candidates(
        demand_of(8), streets, kinds=["streets"], spacing_m=100, max_count=6, limit_min=4, aim=aim
    )
    note = found.attrs["candidates"]["screening"]
    assert not note["exact"]
    assert (note["dominated"] > 0) == (aim.model == "lscp")
    assert (note["bound"] is not None) == (aim.model == "mclp")
    assert 0 < note["only_share"] < 1


def test_short_lists_do_not_depend_on_the_order_of_rows(streets, existing):
    demand, hosts = demand_of(9), hosts_of(9)
    args = {"kinds": ["hosts", "corners"], "max_count": 20, "host_m": 0.0, "spacing_m": 150.0}
    one = make_candidates(demand, streets, hosts=hosts, existing=existing, **args)
    two = make_candidates(
        demand.iloc[::-1], streets, hosts=hosts.sample(frac=1, random_state=1),
        existing=existing.iloc[::-1], **args,
    )  # fmt: skip
    pd.testing.assert_frame_equal(one, two)
