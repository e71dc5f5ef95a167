"""Candidates: who is offered, who is dropped and counted, and what they are called."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist
from shapely import box

from planner.candidates import make_candidates
from planner.coverage import make_reach
from planner.errors import ColumnError, SettingsError
from planner.network import StreetNetwork

CRS = "EPSG:32650"


@pytest.fixture(scope="module")
def streets():
    """A grid of 11 × 11 junctions, 100 m apart; streets along x are named, one is a motorway."""
    x, y = (g.ravel() * 100.0 for g in np.meshgrid(np.arange(11), np.arange(11)))
    tail, head, name, kind = [], [], [], []
    for k in range(121):
        column, row = k % 11, k // 11
        if column < 10:
            tail.append(k)
            head.append(k + 1)
            name.append(f"Street {row}" if row < 6 else "")
            kind.append(2)
        if row < 10:
            tail.append(k)
            head.append(k + 11)
            name.append("Avenue" if column == 5 else "")
            kind.append(3 if column == 5 else 2)
    return StreetNetwork.from_arrays(
        x, y, tail, head, [100.0] * len(tail), crs=CRS, name=name, street_class=kind
    )


@pytest.fixture
def demand():
    rng = np.random.default_rng(0)
    xy = rng.random((60, 2)) * 1000
    return gpd.GeoDataFrame(
        {
            "weight_per_day": rng.integers(1, 30, 60).astype(float),
            "workers": 12,
            "cell_row": np.arange(60),
            "cell_col": 0,
        },
        geometry=gpd.points_from_xy(*xy.T),
        index=pd.Index([f"d{k:02d}" for k in range(60)], name="demand_id"),
        crs=CRS,
    )


def points(ids, xy, label, **columns):
    plain = pd.DataFrame(columns, index=pd.Index(ids, name=label))
    return gpd.GeoDataFrame(plain, geometry=gpd.points_from_xy(*np.transpose(xy)), crs=CRS)


@pytest.fixture
def existing():
    return points(
        ["1", "2"],
        [(100, 100), (5000, 5000)],
        "station_id",
        name=["Old <b>", "Far"],
        kind="station",
        services=None,
        hours="08:00-20:00",
        hours_assumed=False,
        capacity=np.nan,
    )


@pytest.fixture
def hosts():
    return points(
        ["a", "b", "c", "d"],
        [(103, 100), (500, 503), (720, 733), (2000, 2000)],
        "host_id",
        name=["On the station", "Centre", None, "Outside"],
        kind="community",
        hours=["", "07:00-22:00", None, ""],
    )


@pytest.fixture
def hotspots():
    return points(
        ["hs001", "hs002"],
        [(504, 500), (250, 810)],
        "hotspot_id",
        name="",
        weight_per_day=[9.0, 5.0],
    )


@pytest.fixture
def area():
    return gpd.GeoDataFrame(
        {"name": ["江北", "South"]},
        geometry=[box(-50, 700, 1050, 1050), box(-50, -50, 1050, 700)],
        index=pd.Index(["n", "s"], name="district_id"),
        crs=CRS,
    )


@pytest.fixture
def tables(existing, hosts, hotspots, area):
    return {"existing": existing, "hosts": hosts, "hotspots": hotspots, "area": area}


def test_existing_first_then_hosts_hotspots_corners(demand, streets, tables):
    found = make_candidates(demand, streets, **tables)
    assert found.index[:5].tolist() == [
        "station:1", "station:2", "host:b", "host:c", "hotspot:hs002",
    ]  # fmt: skip
    assert (found["kind"][5:] == "corner").all()
    assert found.index[5:].tolist() == [f"corner:{k}" for k in range(1, len(found) - 4)]
    assert found["action"][:5].tolist() == ["keep", "keep", "activate", "activate", "build"]
    assert found["hours"][:5].tolist() == [
        "08:00-20:00", "08:00-20:00", "07:00-22:00", "00:00-24:00", "00:00-24:00",
    ]  # fmt: skip
    assert found.loc["host:b", "host_name"] == "Centre"
    assert found["host_name"][4:].isna().all()
    assert found.crs == demand.crs


def test_what_is_dropped_is_counted(demand, streets, tables):
    """Host a stands on station 1, hot spot hs001 on host b, host d lies outside."""
    note = make_candidates(demand, streets, kinds=("hosts", "hotspots"), **tables).attrs[
        "candidates"
    ]
    assert note == {
        "existing": 2, "host": 2, "hotspot": 1, "corner": 0, "street": 0, "informal": 0,
        "dropped": {"outside the area": 1, "on the spot of another": 2},
        "screening": {
            "offered": 3, "dominated": 0, "cut": 0, "exact": True, "bound": None, "only_share": 0.0,
        },
    }  # fmt: skip


def test_names_come_from_streets_then_districts(demand, streets, existing, hosts, area):
    found = make_candidates(
        demand, streets, existing=existing, hosts=hosts, area=area, spacing_m=150
    )
    assert found["name"].is_unique
    assert found.loc["station:1", "name"] == "Old <b>"
    corners = found[found["kind"] == "corner"]
    named = corners[corners.geometry.y <= 500]
    for place, name in zip(named.geometry, named["name"], strict=True):
        crossing = f"Street {place.y / 100:.0f}"
        expected = f"Avenue / {crossing}" if place.x == 500 else crossing
        assert name.split(" #")[0] == expected
    assert {500.0} < set(named.geometry.x)
    assert found["name"].str.contains("Street|Avenue|Old|Far|Centre|江北|South").all()


def test_the_unnamed_are_called_after_their_district(demand, existing, area):
    bare = StreetNetwork.from_arrays(
        [0, 1000, 0, 1000, 500], [500, 500, 900, 900, 0], [0, 1, 0, 1, 0], [1, 3, 2, 2, 4],
        [1000.0, 400.0, 400.0, 1000.0, 708.0], crs=CRS,
    )  # fmt: skip
    spots = points(
        ["p", "q", "r"],
        [(100, 800), (900, 800), (500, 300)],
        "hotspot_id",
        name="",
        weight_per_day=1.0,
    )
    found = make_candidates(demand, bare, hotspots=spots, area=area, kinds=["hotspots"])
    assert found["name"].tolist() == ["江北 #1", "江北 #2", "South #1"]


def test_corners_keep_their_distance_and_the_busy_ones_lead(demand, streets):
    found = make_candidates(demand, streets, kinds=["corners"], spacing_m=250, limit_min=5)
    xy = np.column_stack([found.geometry.x, found.geometry.y])
    assert pdist(xy).min() >= 250
    reach = make_reach(streets, demand, found, limit_min=5)
    served = demand["weight_per_day"].to_numpy() @ (reach.minutes.toarray() > 0)
    assert served.tolist() == sorted(served, reverse=True)
    assert min(served) > 0


def test_motorway_junctions_are_no_corners(demand):
    fast = StreetNetwork.from_arrays(
        [500, 400, 600, 500, 500], [500, 500, 500, 400, 600], [0, 0, 0, 0], [1, 2, 3, 4],
        [100.0] * 4, crs=CRS, mode="drive", street_class=[5] * 4,
    )  # fmt: skip
    assert make_candidates(demand, fast, kinds=["corners"]).empty


def test_order_of_rows_does_not_change_the_answer(demand, streets, tables):
    def run(shuffle):
        turn = {k: t.sample(frac=1, random_state=1) if shuffle else t for k, t in tables.items()}
        rows = demand.sample(frac=1, random_state=2) if shuffle else demand
        return make_candidates(rows, streets, **turn)

    pd.testing.assert_frame_equal(run(shuffle=False), run(shuffle=True))


def test_nothing_is_written_into_the_arguments(demand, streets, tables):
    before = [t.copy() for t in (demand, *tables.values())]
    make_candidates(demand, streets, **tables)
    for was, now in zip(before, (demand, *tables.values()), strict=True):
        pd.testing.assert_frame_equal(was, now)


def test_other_crs_are_brought_to_that_of_demand(demand, streets, hosts):
    plain = make_candidates(demand, streets, hosts=hosts, kinds=["hosts"])
    moved = make_candidates(demand, streets, hosts=hosts.to_crs("EPSG:32651"), kinds=["hosts"])
    assert plain.geometry.distance(moved.geometry).max() < 0.01
    assert moved.crs == demand.crs


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("Did you mean `corners`", {"kinds": ["corner"]}),
        ("spacing_m", {"spacing_m": 0}),
        ("max_count", {"max_count": 0}),
        ("limit_min", {"limit_min": float("nan")}),
    ],
)
def test_bad_settings_are_one_clear_error(demand, streets, words, change):
    with pytest.raises(SettingsError, match=words):
        make_candidates(demand, streets, **change)


def test_a_table_without_its_columns_is_refused(demand, streets, hosts):
    with pytest.raises(ColumnError, match="hosts"):
        make_candidates(demand, streets, hosts=hosts.drop(columns="kind"))


@pytest.mark.parametrize("host_m", [0.0, 150.0, 260.0])
def test_nothing_is_built_near_a_host(demand, streets, hosts, hotspots, host_m):
    offered = make_candidates(demand, streets, hosts=hosts, hotspots=hotspots, host_m=host_m)
    host = offered[offered["kind"] == "host"]
    built = offered[offered["action"] == "build"]
    apart = built.geometry.apply(host.distance).min(axis=1)
    assert (apart > host_m).all()
    free = make_candidates(demand, streets, hosts=hosts, hotspots=hotspots, host_m=0)
    near = offered.attrs["candidates"]["dropped"].get("a host stands near", 0)
    assert len(offered) == len(free) - near
    assert (near > 0) == (host_m > 0)


def test_a_host_may_not_reach_backwards(demand, streets, hosts):
    with pytest.raises(SettingsError, match="host_m"):
        make_candidates(demand, streets, hosts=hosts, host_m=-1)


# ── gathering places without shelter ──────────────────────────────────────────────────────────


@pytest.fixture
def gatherings():
    """g1 by no host, g2 55 m from host b, g3 has a station at hand, g4 outside the area."""
    return points(
        ["g1", "g2", "g3", "g4"],
        [(250, 300), (500, 558), (130, 150), (3000, 3000)],
        "gathering_id",
        name=["南区 · 水边", "South · Centre", "South", ""],
        weight_per_day=[50.0, 80.0, 60.0, 9.0],
        rest_per_day=[30.0, 45.0, 25.0, 9.0],
        points=[3, 4, 2, 1],
        peak=["afternoon", "", "noon", ""],
        peak_share=[0.5, np.nan, 0.4, np.nan],
        station_m=[240.0, 600.0, 58.0, 4000.0],
        informal=[True, True, False, True],
    )


def test_riders_without_shelter_are_offered_a_place_or_the_host_beside_them(
    demand, streets, tables, gatherings
):
    found = make_candidates(demand, streets, gatherings=gatherings, **tables)
    bare = found[found["informal_rest_per_day"] > 0]
    assert bare["informal_rest_per_day"].to_dict() == {"hotspot:g1": 30.0, "host:b": 45.0}
    assert found.loc["hotspot:g1", ["name", "kind", "action"]].tolist() == [
        "南区 · 水边", "hotspot", "build",
    ]  # fmt: skip
    assert not {"hotspot:g2", "hotspot:g3", "hotspot:g4"} & set(found.index)
    assert found.attrs["candidates"]["informal"] == 2
    assert not found["informal_rest_per_day"].isna().any()


def test_without_gatherings_nobody_rests_informally(demand, streets, tables):
    found = make_candidates(demand, streets, **tables)
    assert (found["informal_rest_per_day"] == 0).all()
    assert found.attrs["candidates"]["informal"] == 0


def test_one_host_takes_over_all_the_riders_beside_it(demand, streets, hosts, gatherings):
    beside = (
        gatherings.assign(informal=True)
        .iloc[[0, 1]]
        .set_geometry(gpd.points_from_xy([500, 530], [560, 503]), crs=CRS)
    )
    found = make_candidates(demand, streets, hosts=hosts, gatherings=beside)
    assert found.loc["host:b", "informal_rest_per_day"] == 75.0
    both = make_candidates(demand, streets, hosts=hosts, gatherings=beside, host_m=0)
    assert both.loc["host:b", "informal_rest_per_day"] == 0.0
    assert both.loc[["hotspot:g1", "hotspot:g2"], "informal_rest_per_day"].tolist() == [30, 45]


def test_a_hot_spot_makes_way_for_a_gathering_place(demand, streets, hotspots, gatherings):
    near = gatherings.iloc[[0]].set_geometry(gpd.points_from_xy([250], [760]), crs=CRS)
    found = make_candidates(demand, streets, hotspots=hotspots, gatherings=near, kinds=["hotspots"])
    assert found.index.tolist() == ["hotspot:g1", "hotspot:hs001"]
    assert found.attrs["candidates"]["dropped"] == {"a gathering place is near": 1}


@pytest.mark.parametrize("max_count", [1, 3])
def test_screening_never_drops_riders_without_shelter(
    demand, streets, tables, gatherings, max_count
):
    found = make_candidates(demand, streets, gatherings=gatherings, max_count=max_count, **tables)
    offered = found[found["kind"] != "existing"]
    assert len(offered) == max(2, max_count)
    assert (offered["informal_rest_per_day"] > 0).sum() == 2


def test_planners_who_want_no_hot_spots_get_no_gathering_places(demand, streets, gatherings):
    assert make_candidates(demand, streets, gatherings=gatherings, kinds=["hosts"]).empty


def test_order_of_gatherings_does_not_change_the_answer(demand, streets, tables, gatherings):
    one = make_candidates(demand, streets, gatherings=gatherings, **tables)
    two = make_candidates(demand, streets, gatherings=gatherings.iloc[::-1], **tables)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_gatherings_table_without_its_columns_is_refused(demand, streets, gatherings):
    with pytest.raises(ColumnError, match="`gatherings` lacks `informal`"):
        make_candidates(demand, streets, gatherings=gatherings.drop(columns="informal"))
