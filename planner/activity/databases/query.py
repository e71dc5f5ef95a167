"""What is asked of a database: tables, columns, and one SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from planner.activity.databases.address import Address

BATCH_ROWS = 1 << 17  # where the reader lets us say
STREAM_FAULTS = (pa.ArrowException, OSError)  # what a stream raises that breaks off midway


class Column(NamedTuple):
    """A column as it is offered, and what is asked of the database for it."""

    name: str
    select: str
    time: str = ""  # what the database calls its type, where it is a time
    end: int | None = None  # of a geometry in WKB: 0 the longitude, 1 the latitude
    crs: str = "EPSG:4326"  # of that geometry


class Table(NamedTuple):
    """A table or view; the schema is empty where there are none."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


Limit = tuple[Column, str, "datetime"]


class Driver(NamedTuple):
    """The same questions to each kind of database, asked in a session."""

    session: Callable[[Address], Any]
    tables: Callable[[Any], list[Table]]
    columns: Callable[[Any, Table], list[Column]]
    types: Callable[[Any, Table, Sequence[Column]], list[pa.DataType]]
    rows: Callable[[Any, Table], int | None]
    batches: Callable[[Any, Table, Sequence[Column], Sequence[Limit]], Iterator[pa.RecordBatch]]


def quoted(*names: str) -> str:
    """Return a name for SQL, with its schema if that is not empty."""
    return ".".join('"' + n.replace('"', '""') + '"' for n in names if n)


def select_sql(table: Table, picked: Sequence[Column], limits: Sequence[Limit]) -> str:
    """Return one SELECT for PostgreSQL and DuckDB; nothing in it comes unquoted from outside."""
    select = ", ".join(f"{c.select} AS {quoted(f'c{n}')}" for n, c in enumerate(picked))
    where = " AND ".join(
        f"{c.select} {sign} {c.time} '{moment.isoformat(sep=' ')}'" for c, sign, moment in limits
    )
    sql = f"SELECT {select} FROM {quoted(*table)}"  # noqa: S608 - names are quoted
    return f"{sql} WHERE {where}" if where else sql


def place_names(taken: Sequence[str], geometry: str) -> tuple[str, str]:
    """Return what the longitude and the latitude of a geometry column are called."""
    free = not {"lon", "lat"} & {n.casefold() for n in taken}
    return ("lon", "lat") if free else (f"{geometry}_lon", f"{geometry}_lat")
