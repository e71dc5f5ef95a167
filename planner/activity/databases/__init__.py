"""Activity that lies in a database: its tables, their columns, their rows as record batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely

from planner.activity.databases import anything, duck, postgres
from planner.activity.databases.address import Address, is_database, read_address
from planner.errors import InputError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from planner.activity.databases.query import Column, Driver, Table

__all__ = ["DatabaseTable", "guess_rows", "is_database", "open_table", "read_batches"]


@dataclass(frozen=True)
class DatabaseTable:
    """One table or view of a database: nothing is open, nothing is read yet.

    Attributes
    ----------
    label
        Where it lies, without user and password: ``postgresql://host/db#ops.fixes``.
    columns
        What can be asked for. A geometry column stands there as ``lon`` and ``lat`` (WGS 84), or,
        if the table has columns of that name, as ``<column>_lon`` and ``<column>_lat``.
    types
        Of those columns, as they will arrive.
    """

    label: str
    columns: tuple[str, ...]
    types: Mapping[str, pa.DataType] = field(repr=False)
    _address: Address = field(repr=False)
    _table: Table = field(repr=False)
    _offer: tuple[Column, ...] = field(repr=False)


def open_table(path: Path | str) -> DatabaseTable:
    """Look a table up and say which columns it has.

    Parameters
    ----------
    path
        ``postgresql://user@host/db#schema.table`` or ``…/db?table=fixes``,
        ``duckdb:///folder/file.duckdb#table``, the path of a DuckDB file with or without
        ``#table``, or any other URL that Ibis connects to. ``${NAME}`` in a URL stands for the
        variable of the environment. The table may stay away where there is only one.

    Raises
    ------
    InputError
        The database cannot be reached or does not let us in, the table is unknown, or the driver
        is not installed.
    """
    address = read_address(path)
    driver = _driver(address)
    with driver.session(address) as session:
        table = _pick_table(address, driver.tables(session))
        columns = tuple(driver.columns(session, table))
        arriving = driver.types(session, table, columns)
    names = tuple(c.name for c in columns)
    types = {
        c.name: kind if c.end is None else pa.float64()
        for c, kind in zip(columns, arriving, strict=True)
    }
    return DatabaseTable(f"{address.label}#{table}", names, types, address, table, columns)


def read_batches(
    table: DatabaseTable,
    columns: Sequence[str],
    *,
    time: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[pa.RecordBatch]:
    """Read some columns of a table as a stream; memory stays bounded.

    Parameters
    ----------
    table
        From `open_table`.
    columns
        Of `table.columns`; only these leave the database, in this order.
    time
        The column by which `since` (inclusive) and `until` (exclusive) choose rows.

    Yields
    ------
    Record batches with `columns`: numbers, text, dates and times as they are, anything else
    (UUIDs, exact whole numbers of any length, …) as text. A connection is opened at the first
    batch and closed with the last one or with the generator.

    Raises
    ------
    InputError
        As `open_table`, and when the database breaks off.

    Notes
    -----
    PostgreSQL is read with `COPY` in binary form (ADBC), one scan in the table's physical order.
    """
    by_name = {c.name: c for c in table._offer}  # noqa: SLF001 - its own module
    picked = [by_name[name] for name in columns]
    limits = [
        (by_name[time], sign, moment)
        for sign, moment in ((">=", since), ("<", until))
        if time is not None and moment is not None
    ]
    address = table._address  # noqa: SLF001
    driver = _driver(address)
    with driver.session(address) as session:
        for batch in driver.batches(session, table._table, picked, limits):  # noqa: SLF001
            yield _finish(batch, picked)


def guess_rows(table: DatabaseTable) -> int | None:
    """Return about how many rows a table has, for progress; None where only counting would say."""
    driver = _driver(table._address)  # noqa: SLF001 - its own module
    with driver.session(table._address) as session:  # noqa: SLF001
        return driver.rows(session, table._table)  # noqa: SLF001


def _pick_table(address: Address, tables: list[Table]) -> Table:
    """Return the table that is meant: by name, by schema and name, or the only one."""
    listing = ", ".join(f"`{t}`" for t in tables[:30]) or "nothing that this user may read"
    listing += f" and {len(tables) - 30} more" if len(tables) > 30 else ""
    if not address.table:
        if len(tables) == 1:
            return tables[0]
        raise InputError(
            f"names no table. The database has {listing}. Name one: {address.label}#table.",
            file=address.label,
        )
    for same in (str.__str__, str.casefold):
        wanted = same(address.table)
        found = [t for t in tables if wanted in (same(str(t)), same(t.name))]
        if found and (len({t.schema for t in found}) == 1 or str(found[0]) == address.table):
            return found[0]
        if found:
            both = " and ".join(f"`{t}`" for t in found)
            raise InputError(f"`{address.table}` means {both}. Name one.", file=address.label)
    raise InputError(
        f"there is no table `{address.table}`. The database has {listing}."
        f"{nearest_name(address.table, [n for t in tables for n in (str(t), t.name)])}",
        file=address.label,
    )


def _driver(address: Address) -> Driver:
    if address.scheme == "postgresql":
        return postgres.DRIVER
    return duck.DRIVER if address.scheme == "duckdb" else anything.DRIVER


def _finish(batch: pa.RecordBatch, picked: Sequence[Column]) -> pa.RecordBatch:
    """Return a batch under our names, geometries in WKB turned into degrees."""
    arrays = [
        array if column.end is None else _degrees(array, column.crs, column.end)
        for array, column in zip(batch.columns, picked, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[c.name for c in picked])


def _degrees(wkb: pa.Array, crs: str, end: int) -> pa.Array:
    points = shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="ignore")
    points = np.where(shapely.get_type_id(points) == 0, points, None)
    xy = np.array([shapely.get_x(points), shapely.get_y(points)])
    if crs != "EPSG:4326":
        from pyproj import Transformer

        xy = np.array(Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*xy))
    return pa.array(xy[end], from_pandas=True)
