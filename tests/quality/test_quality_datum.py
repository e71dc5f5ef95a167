"""A wrong datum is found where it can be, never invented where it cannot."""

import geopandas as gpd
import numpy as np
import pytest
from pyproj import Transformer

from planner.geo import from_wgs84, to_wgs84
from planner.network import StreetNetwork
from planner.quality.datum import SAMPLE, check_datum

GANZHOU, PORTO = (114.93, 25.83), (-8.62, 41.15)
CRS = {GANZHOU: "EPSG:32650", PORTO: "EPSG:32629"}
DATUMS = ["wgs84", "gcj02", "bd09"]


def make_city(centre, seed=0, n=700):
    """An uneven grid of streets, and places 2-15 m beside them in degrees of WGS 84."""
    rng = np.random.default_rng(seed)
    to_m = Transformer.from_crs(4326, CRS[centre], always_xy=True)
    x0, y0 = to_m.transform(*centre)
    xs = x0 + np.cumsum(rng.uniform(120, 260, 24)) - 2300
    ys = y0 + np.cumsum(rng.uniform(120, 260, 24)) - 2300
    x, y = (a.ravel() for a in np.meshgrid(xs, ys))
    node = np.arange(24 * 24).reshape(24, 24)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    length = np.hypot(x[tail] - x[head], y[tail] - y[head])
    streets = StreetNetwork.from_arrays(x, y, tail, head, length, crs=CRS[centre])
    edge = rng.integers(0, len(tail), n)
    share, aside = rng.uniform(0, 1, n), rng.uniform(2, 15, n)
    px = x[tail[edge]] * (1 - share) + x[head[edge]] * share
    py = y[tail[edge]] * (1 - share) + y[head[edge]] * share
    flat = y[tail[edge]] == y[head[edge]]
    px, py = np.where(flat, px, px + aside), np.where(flat, py + aside, py)
    back = Transformer.from_crs(CRS[centre], 4326, always_xy=True)
    return streets, back.transform(px, py)


def read_as(lon, lat, declared, centre):
    """Return places as a loader does that takes the degrees for `declared`."""
    lon, lat = to_wgs84(lon, lat, declared)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=4326).to_crs(CRS[centre])


@pytest.mark.parametrize("truth", DATUMS)
@pytest.mark.parametrize("declared", DATUMS)
def test_in_china_every_mistake_is_found(truth, declared):
    streets, at = make_city(GANZHOU)
    found = check_datum(streets, read_as(*from_wgs84(*at, truth), declared, GANZHOU), declared)
    assert (found["verdict"], found["best"]) == (
        ("fits", declared) if truth == declared else ("other", truth)
    )
    assert next(iter(found["readings"])) == declared
    assert found["readings"][truth]["median_m"] < 15
    assert found["readings"][truth]["p90_m"] < 25


@pytest.mark.parametrize("shifted", ["gcj02", "bd09"])
def test_shifted_streets_are_told_from_shifted_points(shifted):
    streets, at = make_city(GANZHOU)
    # Streets in GCJ-02 under points in WGS 84: the points lie as far off as if moved back.
    places = read_as(*to_wgs84(*at, shifted), "wgs84", GANZHOU)
    found = check_datum(streets, places, "wgs84")
    assert (found["verdict"], found["best"]) == ("other", f"streets_{shifted}")


def test_sixty_stations_are_enough():
    streets, at = make_city(GANZHOU, n=60)
    right = check_datum(streets, read_as(*at, "wgs84", GANZHOU), "wgs84")
    wrong = check_datum(streets, read_as(*from_wgs84(*at, "gcj02"), "wgs84", GANZHOU), "wgs84")
    assert right["verdict"] == "fits"
    assert (wrong["verdict"], wrong["best"]) == ("other", "gcj02")


def test_few_points_are_not_judged():
    streets, at = make_city(GANZHOU, n=5)
    found = check_datum(streets, read_as(*from_wgs84(*at, "gcj02"), "wgs84", GANZHOU), "wgs84")
    assert found["verdict"] == "few"


@pytest.mark.parametrize("seed", range(5))
def test_places_that_ignore_streets_raise_no_suspicion(seed):
    streets, (lon, lat) = make_city(GANZHOU)
    rng = np.random.default_rng(seed)
    anywhere = rng.uniform(lon.min(), lon.max(), 900), rng.uniform(lat.min(), lat.max(), 900)
    found = check_datum(streets, read_as(*anywhere, "wgs84", GANZHOU), "wgs84")
    assert found["verdict"] in ("unclear", "fits")


@pytest.mark.parametrize("seed", range(8))
def test_places_in_the_middle_of_blocks_raise_no_suspicion(seed):
    streets, _ = make_city(GANZHOU, seed=seed)
    rng = np.random.default_rng(seed)
    xs, ys = (np.unique(v) for v in (streets.x, streets.y))
    x, y = (rng.choice((v[:-1] + v[1:]) / 2, 40) for v in (xs, ys))
    block = rng.integers(0, 40, 900)  # moved anywhere they lie nearer to a street
    to_degrees = Transformer.from_crs(CRS[GANZHOU], 4326, always_xy=True)
    places = to_degrees.transform(
        x[block] + rng.normal(0, 20, 900), y[block] + rng.normal(0, 20, 900)
    )
    found = check_datum(streets, read_as(*places, "wgs84", GANZHOU), "wgs84")
    assert found["verdict"] == "unclear"


def test_outside_china_there_is_nothing_to_suspect():
    streets, at = make_city(PORTO)
    found = check_datum(streets, read_as(*at, "wgs84", PORTO), "wgs84")
    assert (found["verdict"], list(found["readings"])) == ("outside", ["wgs84"])


def test_a_chinese_datum_declared_outside_china_is_found():
    streets, at = make_city(PORTO)
    found = check_datum(streets, read_as(*at, "bd09", PORTO), "bd09")
    assert (found["verdict"], found["best"]) == ("other", "wgs84")


@pytest.mark.parametrize(("decimals", "step"), [(2, 0.01), (3, 0.001), (4, 0.0001), (6, None)])
@pytest.mark.parametrize("declared", DATUMS)
def test_rounding_is_that_of_the_file(decimals, step, declared):
    streets, at = make_city(GANZHOU, n=1500)
    lon, lat = (v.round(decimals) for v in from_wgs84(*at, declared))
    # Places of one kilometre are few in a small town: spread them.
    if decimals == 2:
        lon = (lon + np.arange(1500) % 7 * 0.01).round(2)
    assert (
        check_datum(streets, read_as(lon, lat, declared, GANZHOU), declared)["rounded_deg"] == step
    )


def test_the_sample_is_bounded_and_does_not_depend_on_the_order():
    streets, (lon, lat) = make_city(GANZHOU, n=6000)
    places = read_as(lon, lat, "wgs84", GANZHOU)
    found = check_datum(streets, places, "wgs84")
    assert found["points"] == SAMPLE
    assert check_datum(streets, places.sample(frac=1.0, random_state=3), "wgs84") == found


def test_a_crowd_at_one_door_is_one_witness():
    streets, (lon, lat) = make_city(GANZHOU, n=40)
    crowd = read_as(np.repeat(lon, 50), np.repeat(lat, 50), "wgs84", GANZHOU)
    assert check_datum(streets, crowd, "wgs84")["points"] <= 40
