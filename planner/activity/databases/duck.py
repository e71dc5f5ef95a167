"""DuckDB files through DuckDB's own Arrow stream.

Not through Ibis: Ibis 12 cannot live with DuckDB 2, nor DuckDB 1 read files of DuckDB 2.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.activity.databases.address import import_driver, told
from planner.activity.databases.query import (
    BATCH_ROWS,
    STREAM_FAULTS,
    Column,
    Driver,
    Limit,
    Table,
    place_names,
    quoted,
    select_sql,
)
from planner.errors import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from planner.activity.databases.address import Address

_MEMORY = "256MB"  # what it may keep of the file; views that sort spill


@contextmanager
def _duckdb(address: Address) -> Iterator[Any]:
    duckdb = import_driver("duckdb", address)
    if not Path(address.url).is_file():
        raise MissingFileError("no such DuckDB file. Check the path.", file=address.url)
    config = {
        "memory_limit": _MEMORY,
        "threads": "1",
        "temp_directory": str(Path(tempfile.gettempdir()) / f"planner-duckdb-{os.getpid()}"),
    }
    with (
        told(address, (duckdb.Error, *STREAM_FAULTS)),
        closing(duckdb.connect(address.url, read_only=True, config=config)) as connection,
    ):
        yield connection


def _tables(connection: Any) -> list[Table]:
    sql = (
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = "
        "current_database() ORDER BY table_schema <> current_schema(), 1, 2"
    )
    return [Table(*row) for row in connection.execute(sql).fetchall()]


def _columns(connection: Any, table: Table) -> list[Column]:
    rows = connection.execute(f"DESCRIBE {quoted(*table)}").fetchall()
    found: list[Column] = []
    for name, kind, *_ in rows:
        column = quoted(name)
        if kind.startswith("GEOMETRY"):
            names = place_names([*(r[0] for r in rows), *(c.name for c in found)], name)
            crs = re.search(r"EPSG:\d+", kind)
            found += [
                Column(n, f"ST_AsWKB({column})", end=end, crs=crs[0] if crs else "EPSG:4326")
                for end, n in enumerate(names)
            ]
        else:
            found.append(_column(name, column, kind))
    return found


def _column(name: str, column: str, kind: str) -> Column:
    if kind.startswith("TIMESTAMP"):
        zoned = "TIMESTAMPTZ" if "ZONE" in kind else "TIMESTAMP"
        return Column(name, f"CASE WHEN isfinite({column}) THEN {column} END", zoned)
    scale = re.fullmatch(r"DECIMAL\(\d+,\s*(\d+)\)", kind)
    if scale and scale[1] != "0":
        return Column(name, f"{column}::DOUBLE")
    plain = re.fullmatch(r"U?(TINY|SMALL|BIG)?INT(EGER)?|DOUBLE|FLOAT|BOOLEAN|VARCHAR|DATE", kind)
    return Column(name, column if plain else f"{column}::VARCHAR")


def _types(connection: Any, table: Table, picked: Sequence[Column]) -> list[pa.DataType]:
    none = f"{select_sql(table, picked, ())} LIMIT 0"
    return list(connection.sql(none).to_arrow_reader().schema.types)


def _rows(connection: Any, table: Table) -> int | None:
    sql = (
        "SELECT estimated_size FROM duckdb_tables() WHERE schema_name = ? AND table_name = ? "
        "AND database_name = current_database()"
    )
    row = connection.execute(sql, list(table)).fetchone()
    return None if row is None else int(row[0])


def _batches(
    connection: Any, table: Table, picked: Sequence[Column], limits: Sequence[Limit]
) -> Iterator[pa.RecordBatch]:
    yield from connection.sql(select_sql(table, picked, limits)).to_arrow_reader(BATCH_ROWS)


DRIVER = Driver(_duckdb, _tables, _columns, _types, _rows, _batches)
