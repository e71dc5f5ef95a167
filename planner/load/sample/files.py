"""The sample city as files, the same bytes each time."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
import shapely

from planner.load.sample.chains import ends
from planner.load.sample.ground import DISTRICTS, to_degrees

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from planner.load.sample.fixes import Fixes
    from planner.load.sample.ground import Ground
    from planner.load.sample.register import Station
    from planner.load.sample.streets import Streets

STATION_HEADERS = ("站点名称", "类型", "经度", "纬度", "服务", "开放时间", "座位数")
_DIGITS = 5  # of degrees: a metre


def write_features(path: Path, features: Iterable[tuple[shapely.Geometry, dict[str, Any]]]) -> None:
    """Write GeoJSON, one feature a line; geometries in metres from the centre."""
    lines = [
        json.dumps(
            {"type": "Feature", "properties": said, "geometry": _geojson(shape)},
            ensure_ascii=False, separators=(",", ":"),
        )
        for shape, said in features
    ]  # fmt: skip
    head = f'{{"type":"FeatureCollection","name":"{path.stem}","features":[\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8", newline="\n")


def _geojson(shape: shapely.Geometry) -> dict[str, Any]:
    degrees = shapely.transform(shape, lambda xy: np.round(to_degrees(xy), _DIGITS))
    return dict(json.loads(shapely.to_geojson(degrees)))


def write_districts(path: Path, ground: Ground) -> None:
    """Write the districts with Chinese and English names."""
    write_features(
        path,
        [
            (shape, {"name": name, "name_en": DISTRICTS[name][0]})
            for name, shape in ground.districts.items()
        ],
    )


def write_water(path: Path, ground: Ground) -> None:
    """Write river and lakes as polygons."""
    rows = [(ground.river, {"name": "虔江", "kind": "river"})]
    names = ("翠湖", "月牙湖", "八角塘")
    rows += [
        (lake, {"name": name, "kind": "lake"})
        for lake, name in zip(ground.lakes.geoms, names, strict=True)
    ]
    write_features(path, rows)


def write_streets(path: Path, streets: Streets) -> None:
    """Write GraphML in osmnx's dialect: a street is an edge each way, a one-way one edge."""
    nodes, tail, head = ends(streets.pieces)
    degrees = np.round(to_degrees(nodes), 6)
    keys = {"length": "double", "name": "string", "highway": "string", "oneway": "boolean",
            "bridge": "string", "geometry": "string"}  # fmt: skip
    out = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
        '<key id="crs" for="graph" attr.name="crs" attr.type="string"/>',
        '<key id="x" for="node" attr.name="x" attr.type="double"/>',
        '<key id="y" for="node" attr.name="y" attr.type="double"/>',
        *(f'<key id="{k[0]}" for="edge" attr.name="{k}" attr.type="{t}"/>'
          for k, t in keys.items()),
        '<graph edgedefault="directed">',
        '<data key="crs">epsg:4326</data>',
    ]  # fmt: skip
    out += [
        f'<node id="{i}"><data key="x">{x:.6f}</data><data key="y">{y:.6f}</data></node>'
        for i, (x, y) in enumerate(degrees.tolist())
    ]
    bridges = {id(p) for p in streets.bridges}
    for k, piece in enumerate(streets.pieces):
        said = f'<data key="l">{piece.length:.2f}</data><data key="h">{piece.highway}</data>'
        said += f'<data key="n">{escape(piece.name)}</data>' if piece.name else ""
        said += '<data key="o">True</data>' if streets.oneway[k] else ""
        said += '<data key="b">yes</data>' if id(piece) in bridges else ""
        u, v = int(tail[k]), int(head[k])
        both = [(u, v, piece.xy)] + ([] if streets.oneway[k] else [(v, u, piece.xy[::-1])])
        for a, b, xy in both:
            bent = f'<data key="g">{_wkt(xy)}</data>' if len(xy) > 2 else ""
            out.append(f'<edge source="{a}" target="{b}">{said}{bent}</edge>')
    text = "\n".join([*out, "</graph>", "</graphml>", ""])
    path.write_text(text, encoding="utf-8", newline="\n")


def _wkt(xy: np.ndarray) -> str:
    places = ", ".join(f"{x:.6f} {y:.6f}" for x, y in np.round(to_degrees(xy), 6).tolist())
    return f"LINESTRING ({places})"


def write_points(path: Path, rows: Iterable[Any]) -> None:
    """Write named tuples with x and y as GeoJSON points, empty fields left out."""
    write_features(
        path,
        [
            (
                shapely.Point(row.x, row.y),
                {
                    k: v for k, v in row._asdict().items()
                    if k not in {"x", "y", "weight"} and v is not None
                },
            )
            for row in rows
        ],
    )  # fmt: skip


def write_stations(path: Path, stations: list[Station]) -> None:
    """Write the register as a workbook with Chinese headers, as an office would keep it."""
    import xlsxwriter

    degrees = np.round(to_degrees(np.array([(s.x, s.y) for s in stations])), 6)
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"title": "虔城样例站点（虚构）", "created": datetime(2026, 9, 1)})  # noqa: DTZ001
        sheet = book.add_worksheet("站点")
        bold = book.add_format({"bold": True})
        sheet.write_row(0, 0, STATION_HEADERS, bold)
        sheet.freeze_panes(1, 0)
        for column, width in enumerate((30, 20, 12, 12, 36, 22, 8)):
            sheet.set_column(column, column, width)
        for i, (s, (lon, lat)) in enumerate(zip(stations, degrees.tolist(), strict=True), 1):
            sheet.write_row(i, 0, (s.name, s.kind, lon, lat, s.services, s.hours, s.seats))


def write_activity(path: Path, fixes: Fixes, types: np.ndarray, first_day: str) -> None:
    """Write the fixes as Parquet: `rider_id`, `worker_type`, `time`, `lon`, `lat`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = pa.array([f"Q{1001 + k}" for k in range(len(types))])
    kinds, kind = np.unique(types, return_inverse=True)
    midnight = np.datetime64(first_day, "ms") - np.timedelta64(8, "h")  # in Shanghai
    time = midnight + (1000 * fixes.second).astype("timedelta64[ms]")
    rider = pa.array(fixes.rider.astype(np.int32))
    table = pa.table(
        {
            "rider_id": pa.DictionaryArray.from_arrays(rider, ids).cast(pa.string()),
            "worker_type": pa.DictionaryArray.from_arrays(
                pa.array(kind[fixes.rider].astype(np.int32)), pa.array(kinds.tolist())
            ).cast(pa.string()),
            "time": pa.array(time).cast(pa.timestamp("ms", tz="Asia/Shanghai")),
            "lon": pa.array(fixes.lon),
            "lat": pa.array(fixes.lat),
        }
    )
    pq.write_table(
        table, path, compression="zstd", compression_level=19, row_group_size=10_000_000,
        use_dictionary=["rider_id", "worker_type", "lon", "lat"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
    )  # fmt: skip
