"""The study area: districts as polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.errors import InputError
from planner.geo import Datum, is_metric, metric_crs, shift_datum
from planner.load.cells import as_text
from planner.load.files import Sheet, find_file, fingerprint, read_sheet
from planner.load.headers import missing_column, pick_columns
from planner.load.sift import Fault, finish, make_ids, natural_order, sift
from planner.load.source import Source, check_datum, to_degrees

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyproj import CRS

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def load_area(
    path: Path | str, *, datum: Datum = "wgs84", columns: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """Read districts.

    Parameters
    ----------
    path
        GeoJSON, GeoPackage, Shapefile, GeoParquet, or a table with a WKT column.
    datum
        What the degrees are in: ``wgs84``, ``gcj02`` or ``bd09``.
    columns
        Our name → the file's: `name`, `district_id`, `name_en`, where synonyms do not find them.

    Returns
    -------
    Table `districts`, index `district_id` (str): `name` (distinct; the identifier or a number
    where the file has none), `name_en` if the file has it, `geometry` in metres: the file's own
    metric CRS, else the area's UTM zone. Invalid polygons are repaired, and listed in
    ``attrs["input"]["repaired"]``; what is no polygon is left out and counted.

    Raises
    ------
    InputError
        The file is missing, damaged, or holds no polygon.
    """
    check_datum(datum)
    file = find_file(path)
    sheet = read_sheet(file, "districts", columns)
    picked = pick_columns(list(sheet.frame.columns), "districts", columns, file=file)
    shapes = _shapes(sheet, picked)
    crs = _own_crs(sheet)
    shapes = shift_datum(gpd.GeoDataFrame(geometry=shapes), datum).geometry
    text = {f: as_text(sheet.frame[h]) for f, h in picked.items() if f != "wkt"}
    blank = pd.Series("", index=sheet.frame.index, dtype=str)
    name = text.get("name", blank)
    whole, repaired = _repair(shapes)

    def show(position: int) -> str:
        what = f" ({name.iloc[position]})" if name.iloc[position] else ""
        return f"{sheet.unit} {sheet.row[position]}{what}"

    kinds = shapely.get_type_id(whole.values)
    empty = (whole.isna() | whole.is_empty).to_numpy(bool)
    faults = [
        Fault("no geometry", (shapes.isna() | shapes.is_empty).to_numpy(bool), show),
        Fault("not a polygon", ~np.isin(kinds, _POLYGONS) | empty, show),
    ]
    kept, losses = sift(len(sheet.frame), faults)
    source = Source(
        file, "districts", sheet.frame, sheet.row, np.zeros(len(sheet.row), np.int64), (file,),
        (sheet.unit,), picked, sheet.too_many, sha256=fingerprint([file]),
    )  # fmt: skip
    if not kept.any():
        return finish(gpd.GeoDataFrame(geometry=[]), "districts", source, losses)
    table = gpd.GeoDataFrame(
        {f: t[kept].to_numpy() for f, t in text.items()}, geometry=whole[kept].values, crs=4326
    )
    table = _named(table.to_crs(crs or metric_crs(table)))
    table = finish(table, "districts", source, losses)
    why = shapely.is_valid_reason(shapes.values)
    table.attrs["input"]["repaired"] = [
        f"{show(i)}: {str(why[i]).split('[')[0]}" for i in np.flatnonzero(repaired & kept).tolist()
    ]
    return table


def area_from_streets(lines: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Return the area of a study that names none: the convex hull of its streets, one district.

    Parameters
    ----------
    lines
        Streets, any CRS.
    name
        What to call it.

    Returns
    -------
    Table `districts` of one row, in the streets' metric CRS, else their UTM zone.

    Raises
    ------
    InputError
        The streets span no area.
    """
    lines = lines.to_crs(metric_crs(lines))
    hull = shapely.convex_hull(shapely.multipoints(shapely.get_coordinates(lines.geometry.values)))
    if hull.geom_type != "Polygon":
        raise InputError("the streets span no area. Name an `area.file`.")
    index = pd.Index([name or "area"], name="district_id", dtype=str)
    table = gpd.GeoDataFrame(
        {"name": [name or "area"]}, index=index, geometry=[hull], crs=lines.crs
    )
    table["name"] = table["name"].astype(str)
    return table


def _shapes(sheet: Sheet, picked: Mapping[str, str]) -> gpd.GeoSeries:
    """Return a sheet's geometries in degrees, of its own or from a column of WKT."""
    if sheet.geometry is not None:
        return to_degrees(sheet)
    if "wkt" not in picked:
        raise missing_column(["wkt"], list(sheet.frame.columns), "districts", file=sheet.path)
    text = as_text(sheet.frame[picked["wkt"]]).astype(object)
    shapes = shapely.from_wkt(text.mask(text == "", None).to_numpy(), on_invalid="ignore")
    return gpd.GeoSeries(shapes, crs=4326)


def _own_crs(sheet: Sheet) -> CRS | None:
    """Return the file's own CRS if its metres are metres: Web Mercator's are not."""
    crs = None if sheet.geometry is None else sheet.geometry.crs
    if crs is None or not is_metric(crs):
        return None
    method = crs.coordinate_operation.method_name if crs.coordinate_operation else ""
    return None if "Mercator" in method and "Transverse" not in method else crs


def _repair(shapes: gpd.GeoSeries) -> tuple[gpd.GeoSeries, np.ndarray]:
    """Return valid polygons, and which rows were not valid before."""
    bad = (~shapes.is_valid & shapes.notna()).to_numpy(bool)
    whole = shapes.copy()
    if bad.any():
        whole[bad] = [_polygons_of(s) for s in shapely.make_valid(shapes[bad].values)]
    return whole, bad


def _polygons_of(shape: Any) -> Any:
    """Return the polygons of what a repair left: it may leave lines and points beside them."""
    if shape.geom_type != "GeometryCollection":
        return shape
    return shapely.union_all([p for p in shape.geoms if p.geom_type in ("Polygon", "MultiPolygon")])


def _named(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give districts distinct identifiers and names, in the identifiers' order."""
    centre = table.geometry.representative_point()
    x, y = centre.x.to_numpy(), centre.y.to_numpy()
    blank = pd.Series("", index=table.index, dtype=str)
    name, code = table.get("name", blank), table.get("district_id", blank)
    code = code.mask(code == "", name)
    number = np.empty(len(table), dtype=np.int64)
    number[np.lexsort((y, x))] = np.arange(1, len(table) + 1)
    code = code.mask(code == "", pd.Series(number, index=table.index).astype(str))
    ids = make_ids(code.tolist(), x, y)
    name = name.mask(name == "", pd.Series(ids, index=table.index, dtype=str))
    table = table.assign(name=pd.Series(make_ids(name.tolist(), x, y), dtype=str))
    table = table.drop(columns="district_id", errors="ignore")
    if "name_en" in table:
        table["name_en"] = table["name_en"].astype(str)
    table.index = pd.Index(ids, name="district_id", dtype=str)
    front = [c for c in ("name", "name_en") if c in table]
    return table.iloc[natural_order(ids)][[*front, "geometry"]]
