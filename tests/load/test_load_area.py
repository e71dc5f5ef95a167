"""Districts: repaired, named apart, in metres."""

import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from planner.errors import ColumnError, CrsError, InputError, SettingsError
from planner.load import area_from_streets, load_area
from planner.tables import check_table

WEST, EAST = shapely.box(114.0, 22.5, 114.1, 22.6), shapely.box(114.1, 22.5, 114.2, 22.6)
BOW_TIE = shapely.Polygon([(114.2, 22.5), (114.3, 22.6), (114.3, 22.5), (114.2, 22.6)])


def write(file, geometry, crs=4326, **columns):
    gpd.GeoDataFrame(columns, geometry=list(geometry), crs=crs).to_file(file)
    return file


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_districts_of_any_layer(tmp_path, suffix):
    file = write(tmp_path / f"area{suffix}", [EAST, WEST], 行政区=["乙", "甲"], adcode=[2, 1])
    area = load_area(file)
    check_table(area, "districts")
    assert area.index.tolist() == ["1", "2"]
    assert area["name"].tolist() == ["甲", "乙"]
    assert area.crs.to_epsg() == 32650 or area.crs.to_epsg() == 32649
    assert area.area.sum() == pytest.approx(228e6, rel=0.01)
    assert area.attrs["input"]["kept"] == area.attrs["input"]["rows"] == 2


def test_invalid_polygons_are_repaired_and_told(tmp_path):
    area = load_area(write(tmp_path / "a.geojson", [WEST, BOW_TIE], name=["甲", "结"]))
    assert area.is_valid.all()
    assert area.attrs["input"]["repaired"] == ["feature 2 (结): Self-intersection"]
    assert area.attrs["input"]["kept"] == 2


def test_what_is_no_polygon_is_counted(tmp_path):
    shapes = [WEST, shapely.Point(114, 22), shapely.LineString([(114, 22), (115, 23)]), None]
    area = load_area(write(tmp_path / "a.gpkg", shapes, name=list("abcd")))
    note = area.attrs["input"]
    assert note["dropped"] == {"no geometry": 1, "not a polygon": 2}
    assert note["examples"]["not a polygon"] == "feature 2 (b)"
    assert note["kept"] + sum(note["dropped"].values()) == note["rows"] == 4


def test_no_polygon_at_all_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no usable rows in 1: 1 × not a polygon"):
        load_area(write(tmp_path / "a.geojson", [shapely.Point(114, 22)], name=["a"]))


def test_districts_of_one_name_are_told_apart_by_place(tmp_path):
    one = load_area(write(tmp_path / "a.geojson", [WEST, EAST], name=["新区", "新区"]))
    other = load_area(write(tmp_path / "b.geojson", [EAST, WEST], name=["新区", "新区"]))
    assert sorted(one["name"]) == ["新区", "新区#2"]
    assert one.geometry["新区"].equals(other.geometry["新区"])


def test_districts_without_names_are_numbered(tmp_path):
    area = load_area(write(tmp_path / "a.geojson", [EAST, WEST]))
    assert area["name"].tolist() == ["1", "2"]
    assert area.geometry["1"].centroid.x < area.geometry["2"].centroid.x


def test_english_names_are_kept(tmp_path):
    area = load_area(write(tmp_path / "a.geojson", [WEST], 名称=["甲"], name_en=["First"]))
    assert area[["name", "name_en"]].to_numpy().tolist() == [["甲", "First"]]


def test_polygons_as_text_in_a_table(tmp_path):
    frame = pd.DataFrame({"区县": ["甲", "乙"], "边界": [WEST.wkt, "POLYGON(("]})
    frame.to_csv(tmp_path / "a.csv", index=False, encoding="gb18030")
    area = load_area(tmp_path / "a.csv")
    assert area["name"].tolist() == ["甲"]
    assert area.attrs["input"]["dropped"] == {"no geometry": 1}
    frame[["区县"]].to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(ColumnError, match="The file has `区县`"):
        load_area(tmp_path / "b.csv")


def test_the_files_own_metres_are_kept_but_not_web_mercator(tmp_path):
    degrees = gpd.GeoDataFrame({"name": ["a"]}, geometry=[WEST], crs=4326)
    for crs in (4547, 3857):
        degrees.to_crs(crs).to_file(tmp_path / f"{crs}.gpkg")
    assert load_area(tmp_path / "4547.gpkg").crs.to_epsg() == 4547
    assert load_area(tmp_path / "3857.gpkg").crs.to_epsg() in (32649, 32650)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_no_crs_means_degrees_if_it_can(tmp_path):
    write(tmp_path / "degrees.gpkg", [WEST], crs=None, name=["a"])
    assert load_area(tmp_path / "degrees.gpkg").area.iloc[0] == pytest.approx(114e6, rel=0.01)
    write(tmp_path / "metres.gpkg", [shapely.box(5e5, 2e6, 6e5, 3e6)], crs=None, name=["a"])
    with pytest.raises(CrsError, match="no CRS"):
        load_area(tmp_path / "metres.gpkg")


def test_datum_is_converted(tmp_path):
    file = write(tmp_path / "a.geojson", [WEST], name=["a"])
    wgs, gcj = load_area(file), load_area(file, datum="gcj02")
    assert 300 < wgs.geometry.iloc[0].centroid.distance(gcj.geometry.iloc[0].centroid) < 800


def test_one_area_is_one_file(tmp_path):
    for name in ("a.geojson", "b.geojson"):
        write(tmp_path / name, [WEST], name=["a"])
    with pytest.raises(InputError, match=r"means 2 files \(a\.geojson, b\.geojson"):
        load_area(tmp_path)


def test_heights_are_left_behind(tmp_path):
    area = load_area(write(tmp_path / "a.gpkg", [shapely.force_3d(WEST, 5.0)], name=["a"]))
    assert not area.has_z.any()


def test_an_unknown_datum_is_told(tmp_path):
    file = write(tmp_path / "a.geojson", [WEST], name=["a"])
    with pytest.raises(SettingsError, match="Did you mean `gcj02`"):
        load_area(file, datum="gcj-02")


def test_shuffled_features_give_the_same_districts(tmp_path):
    file = write(tmp_path / "a.geojson", [WEST, EAST, BOW_TIE], name=list("xyx"), code=list("132"))
    layer = json.loads(file.read_text())
    layer["features"].reverse()
    (tmp_path / "b.geojson").write_text(json.dumps(layer))
    one, other = load_area(file), load_area(tmp_path / "b.geojson")
    assert one.index.tolist() == other.index.tolist() == ["1", "2", "3"]
    assert one["name"].tolist() == other["name"].tolist()
    assert one.geometry.geom_equals(other.geometry).all()


def test_area_from_streets_is_their_hull():
    lines = gpd.GeoDataFrame(
        geometry=[shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString([(0, 0), (0, 1000)])],
        crs=32650,
    )
    area = area_from_streets(lines, "虔城")
    check_table(area, "districts")
    assert area.area.tolist() == [500_000]
    assert area["name"].tolist() == ["虔城"]
    with pytest.raises(InputError, match="span no area"):
        area_from_streets(lines.head(1), "虔城")
