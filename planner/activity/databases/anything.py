"""Any other database that Ibis connects to."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from planner.activity.databases.address import import_driver, told
from planner.activity.databases.query import BATCH_ROWS, Column, Driver, Limit, Table
from planner.errors import InputError, MissingFileError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from planner.activity.databases.address import Address


_ELSEWHERE = frozenset({"http", "https", "ftp", "sftp", "s3", "gs", "hdfs"})


@contextmanager
def _ibis(address: Address) -> Iterator[Any]:
    if address.scheme in _ELSEWHERE:
        raise InputError(
            f"files are not read over `{address.scheme}://`. Download it and name the file.",
            file=address.label,
        )
    ibis = import_driver("ibis", address)
    known = sorted({b.name for b in ibis.util.backend_entry_points()} - {"postgres", "duckdb"})
    if address.scheme not in known:
        raise InputError(
            f"`{address.scheme}://` is no database that can be read here. Known are postgresql, "
            f"duckdb, {', '.join(known)}.{nearest_name(address.scheme, ['postgresql', *known])}",
            file=address.label,
        )
    if address.scheme == "sqlite" and not Path(urlsplit(address.url).path).is_file():
        raise MissingFileError("no such SQLite file. Check the path.", file=address.label)
    with told(address, Exception):  # each of its backends raises its own
        connection = ibis.connect(address.url)
        try:
            yield connection
        finally:
            connection.disconnect()


def _tables(connection: Any) -> list[Table]:
    return [Table("", name) for name in sorted(connection.list_tables())]


def _columns(connection: Any, table: Table) -> list[Column]:
    schema = connection.table(table.name).schema()
    return [Column(n, n, "time" if d.is_timestamp() else "") for n, d in schema.items()]


def _types(connection: Any, table: Table, picked: Sequence[Column]) -> list[pa.DataType]:
    return list(_select(connection, table, picked).schema().to_pyarrow().types)


def _rows(connection: Any, table: Table) -> int | None:  # noqa: ARG001 - none of them says
    return None


def _batches(
    connection: Any, table: Table, picked: Sequence[Column], limits: Sequence[Limit]
) -> Iterator[pa.RecordBatch]:
    expression, batches = _select(connection, table, picked, limits), None
    while True:
        with warnings.catch_warnings():  # its own about pandas
            warnings.simplefilter("ignore")
            batches = batches or expression.to_pyarrow_batches(chunk_size=BATCH_ROWS)
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _select(
    connection: Any, table: Table, picked: Sequence[Column], limits: Sequence[Limit] = ()
) -> Any:
    rows = connection.table(table.name)
    for column, sign, moment in limits:
        there = rows[column.select]
        rows = rows.filter(there >= moment if sign == ">=" else there < moment)
    return rows.select(**{f"c{n}": _plain(rows[c.select]) for n, c in enumerate(picked)})


def _plain(column: Any) -> Any:
    kind = column.type()
    if kind.is_decimal():
        return column.cast("float64" if kind.scale else "string")
    plain = (kind.is_numeric(), kind.is_timestamp(), kind.is_date(), kind.is_boolean())
    return column if kind.is_string() or any(plain) else column.cast("string")


DRIVER = Driver(_ibis, _tables, _columns, _types, _rows, _batches)
