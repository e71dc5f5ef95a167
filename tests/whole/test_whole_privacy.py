"""No rider, no fix, no stay and no number of a few persons is in any output; order is no matter."""

import json
import re
import shutil
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import Transformer
from small_study import PLACES, crossing, lonlat, write_small_study
from test_whole_helsinki import STUDY as HELSINKI
from test_whole_porto import STUDY as PORTO
from test_whole_sample import SAMPLE

from planner.activity import make_stays
from planner.load import load_area, scan_activity
from planner.outputs import write_outputs
from planner.pipeline import run_study

DERIVED = {"demand", "hotspots", "gatherings", "candidates", "sites", "parking"}
DEGREES = re.compile(r"(-?\d{1,3}\.\d{6,})[^\d\-]{1,12}(-?\d{1,3}\.\d{6,})")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("private")
    plan = run_study(SAMPLE)
    write_outputs(plan, out)
    fixes = pd.read_parquet(SAMPLE / "activity.parquet")
    return plan, out, set(fixes["rider_id"].astype(str)), fixes[["lon", "lat"]].to_numpy()


@pytest.fixture(scope="module")
def porto(shared, tmp_path_factory):
    trips = pd.read_csv(shared / "porto" / "taxi_trips.csv", dtype=str)
    pings = np.array([p for line in trips["POLYLINE"] for p in json.loads(line)])
    plan, out = run_shared(PORTO, shared / "porto", tmp_path_factory)
    return plan, out, {*trips["TAXI_ID"], *trips["TRIP_ID"]}, pings


@pytest.fixture(scope="module")
def helsinki(shared, tmp_path_factory):
    orders = pd.read_csv(shared / "helsinki" / "wolt_orders.csv")
    ends = [orders[[f"{end}_LONG", f"{end}_LAT"]].to_numpy() for end in ("USER", "VENUE")]
    plan, out = run_shared(HELSINKI, shared / "helsinki", tmp_path_factory)
    return plan, out, set(), np.concatenate(ends)


def run_shared(study, data, factory):
    folder = factory.mktemp(data.name)
    (folder / "study.toml").write_text(study.format(data=data.as_posix()), encoding="utf-8")
    plan = run_study(folder)
    write_outputs(plan, folder / "out")
    return plan, folder / "out"


@pytest.fixture(params=["sample", "porto", "helsinki"])
def city(request):
    return request.getfixturevalue(request.param)


# ── reading all that was written ──────────────────────────────────────────────────────────────


def texts(out):
    """Yield name and text of every file; workbooks are unpacked, tables printed."""
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = str(path.relative_to(out))
        yield name, path.read_bytes().decode("latin1")
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                for part in book.namelist():
                    yield f"{name}/{part}", book.read(part).decode("utf-8")
        elif path.suffix in (".parquet", ".gpkg"):
            for layer, table in tables(path):
                words = table.drop(columns=[c for c in table if table[c].dtype == "geometry"])
                yield f"{name}/{layer}", words.to_csv()


def tables(path):
    if path.suffix == ".gpkg":
        return [(n, gpd.read_file(path, layer=n)) for n, _ in pyogrio.list_layers(path)]
    try:
        return [("", gpd.read_parquet(path))]
    except ValueError:  # it has no geometry
        return [("", pd.read_parquet(path))]


def numbers_called(name, value):
    """Return all numbers that stand under a key in JSON, at any depth."""
    if isinstance(value, list):
        return [n for v in value for n in numbers_called(name, v)]
    if not isinstance(value, dict):
        return []
    here = [v for k, v in value.items() if k == name and isinstance(v, int | float)]
    return here + [n for v in value.values() for n in numbers_called(name, v)]


# ── nobody is in it ───────────────────────────────────────────────────────────────────────────


def test_no_rider_is_in_any_file(city):
    _, out, riders, _ = city
    found = [
        (name, word)
        for name, text in texts(out)
        for word in set(re.findall(r"[\w\-]+", text)) & riders
    ]
    assert found == []
    assert len(list(texts(out))) > 25


def test_no_place_is_a_fix_of_a_few(city):
    """To the centimetre: at metres, half a million fixes in one city hit any place by chance."""
    plan, _, _, fixes = city
    crs, k = plan.tables["demand"].crs, plan.settings.demand.min_workers
    xy = np.column_stack(Transformer.from_crs(4326, crs, always_xy=True).transform(*fixes.T))
    places, count = np.unique(np.round(xy, 2), axis=0, return_counts=True)
    few = set(map(tuple, places[count < k]))
    for name in DERIVED & set(plan.tables):
        rows = plan.tables[name]
        assert rows.crs == crs
        own = rows[rows["action"] == "build"] if "action" in rows else rows  # hosts are public
        points = np.round(shapely.get_coordinates(own.geometry.values), 2)
        assert few.isdisjoint(map(tuple, points)), name


def test_no_text_holds_the_degrees_of_a_fix(city):
    _, out, _, fixes = city
    places, count = np.unique(np.round(fixes, 6), axis=0, return_counts=True)
    few = set(map(tuple, places[count < 5]))
    seen = 0
    for name, text in texts(out):
        pairs = {(float(a), float(b)) for a, b in DEGREES.findall(text)}
        # What is published has seven decimals and may agree with a fix in six by chance.
        exact = {(round(a, 7), round(b, 7)) for a, b in pairs}
        assert few.isdisjoint(exact | {(b, a) for a, b in exact}), name
        seen += len(pairs)
    assert seen > 10


def test_no_place_is_a_stay_of_a_rider(sample):
    plan = sample[0]
    area = load_area(SAMPLE / "districts.geojson")
    stays = make_stays(scan_activity(SAMPLE / "activity.parquet", area=area))
    assert len(stays) > 20_000
    centres = set(map(tuple, np.round(shapely.get_coordinates(stays.geometry.values), 2)))
    for name in ("demand", "hotspots", "gatherings", "parking"):
        points = np.round(shapely.get_coordinates(plan.tables[name].geometry.values), 2)
        assert centres.isdisjoint(map(tuple, points)), name


def test_no_number_of_workers_is_under_k(city):
    plan, out, _, _ = city
    k = plan.settings.demand.min_workers
    for path in out.rglob("*.parquet"):
        for _, table in tables(path):
            for column in [c for c in table if c == "workers"]:
                assert not (table[column] < k).any(), path.name
    for name in ("plan.json", "quality.json"):
        found = numbers_called("workers", json.loads((out / name).read_text(encoding="utf-8")))
        assert found
        assert min(found) >= k


def test_the_key_of_pseudonyms_changes_no_output(sample, tmp_path, monkeypatch):
    monkeypatch.setenv("PLANNER_PSEUDONYM_KEY", "a key that is long enough to be one")
    write_outputs(run_study(SAMPLE), tmp_path)
    for name in ("map.html", "report.html", "plan.xlsx", "sites.geojson", "quality.json"):
        assert (tmp_path / name).read_bytes() == (sample[1] / name).read_bytes(), name
    assert not [name for name, text in texts(tmp_path) if "a key that is long" in text]


# ── what two runs tell together ───────────────────────────────────────────────────────────────


def add_visits(study, riders, place, start, *, minutes, kind):
    """Append stays of riders to the town's activity."""
    file = study / "activity.csv"
    fixes = pd.read_csv(file, parse_dates=["time"])
    if "worker_type" not in fixes:
        fixes["worker_type"] = np.where(fixes["rider_id"] < "r040", "food", "parcel")
    rng = np.random.default_rng(3)
    rows = []
    for rider in riders:
        lon, lat = lonlat(np.array(crossing(*place)) + rng.normal(0, 6, (minutes, 2)))
        time = pd.Timestamp(start) + pd.to_timedelta(np.arange(minutes), unit="min")
        rows.append(pd.DataFrame({"rider_id": rider, "time": time, "lon": lon, "lat": lat}))
    more = pd.concat(rows).assign(worker_type=kind)
    pd.concat([fixes, more]).to_csv(file, index=False)


@pytest.fixture(scope="module")
def towns(tmp_path_factory):
    """Make the town with and without a rider who rests where and when nobody else does."""
    folder = tmp_path_factory.mktemp("lone")
    for name in ("without", "with"):
        study = write_small_study(folder / name, language="en")
        add_visits(
            study,
            [f"D{n}" for n in range(3)],
            PLACES[0],
            "2026-09-15 11:07",
            minutes=23,
            kind="ride",
        )
    add_visits(folder / "with", ["LONER-007"], (20, 0), "2026-09-15 02:13", minutes=37, kind="food")
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("demand.min_workers=5",),
        ("demand.merge_m=300",),
        ('demand.dayparts={ "all" = [0, 24] }',),
        ('demand.dayparts={ "day" = [6, 22], "dark" = [22, 6] }',),
    ],
    ids=lambda s: "".join(s)[:20] or "defaults",
)
def test_a_lone_rider_changes_no_row_whatever_the_settings(towns, settings):
    """So two runs under other settings have nothing of theirs to subtract."""
    first, second = (
        run_study(towns / name, overrides=settings).tables["demand"] for name in ("without", "with")
    )
    assert len(first)
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))


def test_three_drivers_are_not_told_apart(towns):
    plan = run_study(towns / "with")
    assert "LONER" not in json.dumps(plan.summary, default=str)
    types = {t["worker_type"]: t["workers"] for t in plan.summary["sample"]["types"]}
    assert types["ride"] is None
    assert sum(n is None for n in types.values()) >= 2  # one alone would be the rest of the sum


# ── the order and the form of files ───────────────────────────────────────────────────────────


def same_numbers(summary):
    """Return a plan's numbers without what names its files and clocks."""
    summary = json.loads(json.dumps(summary, default=str))
    for key in ("file", "sha256", "examples"):
        summary["inputs"]["activity"].pop(key)
    summary["siting"].pop("seconds")
    return summary


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    study = write_small_study(tmp_path_factory.mktemp("forms") / "town")
    fixes = pd.read_csv(study / "activity.csv", dtype={"rider_id": str}, parse_dates=["time"])
    return study, fixes, run_study(study)


def write_form(form, fixes, folder):
    """Write fixes in another form and order; return what the study says of them."""
    if form == "parquet":
        fixes.to_parquet(folder / "a.parquet")
    elif form == "xlsx":
        fixes.to_excel(folder / "a.xlsx", index=False)
    elif form == "duckdb":
        duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
        with duckdb.connect(str(folder / "a.duckdb")) as connection:
            connection.execute("CREATE TABLE fixes AS SELECT * FROM fixes")
        return folder / "a.duckdb#fixes"
    else:
        for n in range(3):
            fixes.iloc[n::3].to_csv(folder / f"{n}.csv", index=False, encoding="gb18030")
        fixes.iloc[:0].to_parquet(folder / "3.parquet")
    return folder


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx", "duckdb"])
def test_form_and_order_of_files_change_no_number(plain, tmp_path, form):
    study, fixes, plan = plain
    (tmp_path / "files").mkdir()
    shuffled = fixes.sample(frac=1.0, random_state=11)
    file = write_form(form, shuffled, tmp_path / "files")
    again = run_study(study, overrides=(f'activity.file="{file}"',))
    assert same_numbers(again.summary) == same_numbers(plan.summary)
    for name, table in plan.tables.items():
        pd.testing.assert_frame_equal(pd.DataFrame(again.tables[name]), pd.DataFrame(table))


def test_the_sample_shuffled_over_files_is_the_same_plan(sample, tmp_path):
    study = tmp_path / "sample"
    shutil.copytree(SAMPLE, study, ignore=shutil.ignore_patterns("out", "activity.parquet"))
    (study / "days").mkdir()
    fixes = pd.read_parquet(SAMPLE / "activity.parquet").sample(frac=1.0, random_state=2)
    for n in range(4):
        fixes.iloc[n::4].to_parquet(study / "days" / f"{n}.parquet")
    again = run_study(study, overrides=('activity.file="days"',))
    assert same_numbers(again.summary) == same_numbers(sample[0].summary)
