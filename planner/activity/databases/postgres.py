"""PostgreSQL and PostGIS through ADBC, which hands over as Arrow what `COPY` delivers."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from planner.activity.databases.address import import_driver, told
from planner.activity.databases.query import (
    STREAM_FAULTS,
    Column,
    Driver,
    Limit,
    Table,
    place_names,
    quoted,
    select_sql,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from planner.activity.databases.address import Address

_TABLES = """
SELECT n.nspname::text, c.relname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname IS DISTINCT FROM current_schema(), 1, 2"""
_COLUMNS = """
SELECT a.attname::text, t.typname::text, tn.nspname::text, a.atttypmod
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped
  AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attnum"""
_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass"
_PLAIN = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "date"}
# One scan from the table's start: rows come in the same order each time.
_SESSION = (
    "SET TimeZone = 'UTC'",
    "SET default_transaction_read_only = on",
    "SET synchronize_seqscans = off",
    "SET max_parallel_workers_per_gather = 0",
)


@contextmanager
def _postgres(address: Address) -> Iterator[Any]:
    driver = import_driver("adbc_driver_postgresql.dbapi", address)
    with (
        told(address, (driver.Error, *STREAM_FAULTS)),
        closing(driver.connect(address.url, autocommit=True)) as connection,
        closing(connection.cursor()) as cursor,
    ):
        for setting in _SESSION:
            cursor.execute(setting)
        yield cursor


def _tables(cursor: Any) -> list[Table]:
    cursor.execute(_TABLES)
    return [Table(*row) for row in cursor.fetchall()]


def _columns(cursor: Any, table: Table) -> list[Column]:
    cursor.execute(_COLUMNS.format(table=quoted(*table).replace("'", "''")))
    rows = cursor.fetchall()
    found: list[Column] = []
    for name, kind, schema, modifier in rows:
        if kind in ("geometry", "geography"):
            names = place_names([*(r[0] for r in rows), *(c.name for c in found)], name)
            found += _place(names, quoted(name), quoted(schema))
        else:
            found.append(_column(name, kind, modifier))
    return found


def _column(name: str, kind: str, modifier: int) -> Column:
    column = quoted(name)
    if kind in ("timestamp", "timestamptz"):  # infinity is no time
        return Column(name, f"CASE WHEN isfinite({column}) THEN {column} END", kind.upper())
    if kind == "numeric" and modifier >= 4 and (modifier - 4) & 0x7FF:
        return Column(name, f"{column}::float8")
    return Column(name, column if kind in _PLAIN else f"{column}::text")


def _place(names: tuple[str, str], column: str, schema: str) -> list[Column]:
    """Longitude and latitude of points, WGS 84; null for any other shape."""
    shape = f"{column}::{schema}.geometry"
    degrees = (
        f"CASE WHEN {schema}.ST_SRID({shape}) IN (0, 4326) THEN {shape} "
        f"ELSE {schema}.ST_Transform({shape}, 4326) END"
    )
    return [
        Column(
            name,
            f"CASE WHEN {schema}.ST_GeometryType({shape}) = 'ST_Point' "
            f"THEN {schema}.{function}({degrees}) END",
        )
        for name, function in zip(names, ("ST_X", "ST_Y"), strict=True)
    ]


def _types(cursor: Any, table: Table, picked: Sequence[Column]) -> list[pa.DataType]:
    return list(cursor.adbc_execute_schema(select_sql(table, picked, ())).types)


def _rows(cursor: Any, table: Table) -> int | None:
    cursor.execute(_ESTIMATE.format(table=quoted(*table).replace("'", "''")))
    rows = int(cursor.fetchone()[0])
    return rows if rows > 0 else None


def _batches(
    cursor: Any, table: Table, picked: Sequence[Column], limits: Sequence[Limit]
) -> Iterator[pa.RecordBatch]:
    cursor.execute(select_sql(table, picked, limits))
    yield from cursor.fetch_record_batch()


DRIVER = Driver(_postgres, _tables, _columns, _types, _rows, _batches)
