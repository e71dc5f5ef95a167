"""Layers for a GIS: degrees, columns in order, the same bytes for the same plan."""

import json

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from planner.report import write_sites

HOSTILE = "<img src=x onerror=alert(1)>${1+1}</script>"


@pytest.fixture(scope="module")
def paths(plan, tmp_path_factory):
    return write_sites(plan, tmp_path_factory.mktemp("layers"))


def test_geojson_holds_the_ranked_sites_in_degrees(plan, paths):
    frame = gpd.read_file(paths["geojson"])
    assert list(frame.columns[:4]) == ["site_id", "rank", "name", "kind"]
    assert frame["rank"].tolist() == list(range(1, 7))
    assert frame.crs.to_epsg() == 4326
    expected = plan.tables["sites"].to_crs("EPSG:4326").geometry
    assert np.abs(frame.geometry.x.to_numpy() - expected.x.to_numpy()).max() < 1e-6
    assert frame["gain_share"].to_numpy() == pytest.approx(plan.tables["sites"]["gain_share"])


def test_geopackage_has_three_layers(plan, paths):
    assert [name for name, _ in pyogrio.list_layers(paths["gpkg"])] == [
        "sites",
        "parking",
        "stations",
    ]
    stations = gpd.read_file(paths["gpkg"], layer="stations")
    assert stations["station_id"].tolist() == plan.tables["stations"].index.tolist()
    parking = gpd.read_file(paths["gpkg"], layer="parking")
    assert parking["bays"].tolist() == plan.tables["parking"]["bays"].tolist()


def test_same_plan_gives_the_same_bytes(paths, tmp_path, new_plan):
    again = write_sites(new_plan(), tmp_path)
    for kind, path in again.items():
        assert path.read_bytes() == paths[kind].read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sites.geojson", "sites.gpkg"]


def test_hostile_names_are_values(hostile_plan, tmp_path):
    text = write_sites(hostile_plan, tmp_path)["geojson"].read_text(encoding="utf-8")
    names = [f["properties"]["name"] for f in json.loads(text)["features"]]
    assert HOSTILE in names


def test_empty_tables_give_empty_layers(plan, tmp_path):
    from dataclasses import replace

    poor = {k: v.iloc[:0] if k in ("sites", "parking") else v for k, v in plan.tables.items()}
    del poor["stations"]
    paths = write_sites(replace(plan, tables=poor), tmp_path)
    assert len(gpd.read_file(paths["geojson"])) == 0
    assert len(pyogrio.list_layers(paths["gpkg"])) == 3
