"""Activity that lies in a database: its tables, their columns, their rows as record batches."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import numpy as np
import pyarrow as pa
import shapely

from planner.errors import InputError, MissingFileError, PlannerError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from types import ModuleType

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DUCKDB_FILE = re.compile(r"\.(duckdb|ddb)(#.*)?$", re.IGNORECASE)
_DUCKDB_MEMORY = "256MB"  # what it may keep of the file; views that sort spill
_ROWS = 1 << 17  # of a batch, where the reader lets us say
_CONNECT_S = "10"
_STREAM_FAULTS = (pa.ArrowException, OSError)  # what a stream raises that breaks off midway


class Column(NamedTuple):
    """A column as it is offered, and what is asked of the database for it."""

    name: str
    select: str
    time: str = ""  # what the database calls its type, where it is a time
    end: int | None = None  # of a geometry in WKB: 0 the longitude, 1 the latitude
    crs: str = "EPSG:4326"  # of that geometry


class _Table(NamedTuple):
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True)
class Address:
    """Where a table lies: a URL taken apart.

    Attributes
    ----------
    scheme
        ``postgresql``, ``duckdb`` or that of an Ibis backend.
    url
        For the driver: with the password, without the table.
    label
        For people and outputs: without user and password.
    table
        As written, empty if none is named.
    """

    scheme: str
    url: str = field(repr=False)
    label: str
    table: str

    def hide(self, text: str) -> str:
        """Return a driver's message without the password, in one line."""
        secret = urlsplit(self.url).netloc.rpartition("@")[0].partition(":")[2]
        for word in {secret, unquote(secret), self.url if secret else ""} - {""}:
            text = text.replace(word, "***")
        text = re.sub(
            r"^[A-Z_]+: |\[libpq\] |\s*(Query was|SQLSTATE): .*", "", text, flags=re.DOTALL
        )
        return " ".join(text.split())[:300].rstrip(". ")


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
    """

    label: str
    columns: tuple[str, ...]
    _address: Address = field(repr=False)
    _table: _Table = field(repr=False)
    _offer: tuple[Column, ...] = field(repr=False)


def is_database(path: Path | str) -> bool:
    """Say whether a path of a study means a database: a URL or a DuckDB file.

    Examples
    --------
    >>> is_database("postgresql://planner@host/city#ops.fixes"), is_database("day.duckdb#fixes")
    (True, True)
    >>> is_database("activity/*.parquet")
    False
    """
    return bool(_URL.match(str(path)) or _DUCKDB_FILE.search(str(path)))


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
    label = f"{address.label}#{table}"
    return DatabaseTable(label, tuple(c.name for c in columns), address, table, columns)


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


def read_address(path: Path | str) -> Address:
    """Take the address of a table apart; nothing is opened.

    Raises
    ------
    InputError
        A variable of the environment that it names is not set.

    Examples
    --------
    >>> read_address("postgresql://me:secret@db.city/ops?sslmode=require&table=gps.fixes")
    Address(scheme='postgresql', label='postgresql://db.city/ops', table='gps.fixes')
    >>> read_address("activity/day.duckdb#fixes")
    Address(scheme='duckdb', label='day.duckdb', table='fixes')
    """
    text = str(path)
    if not _URL.match(text):
        file, _, table = text.partition("#")
        return Address("duckdb", file, Path(file).name, table)
    parts = urlsplit(re.sub(r"\$\{(\w+)\}", _from_environment, text))
    scheme = parts.scheme.lower().partition("+")[0]
    scheme = "postgresql" if scheme == "postgres" else scheme
    query = parse_qsl(parts.query, keep_blank_values=True)
    table = unquote(parts.fragment) or dict(query).get("table", "")
    query = [(key, value) for key, value in query if key != "table"]
    if scheme == "duckdb":
        file = unquote(f"{parts.netloc}{parts.path}")
        return Address("duckdb", file, Path(file).name, table)
    if scheme == "postgresql" and "connect_timeout" not in dict(query):
        query.append(("connect_timeout", os.environ.get("PGCONNECT_TIMEOUT", _CONNECT_S)))
    host = parts.netloc.rpartition("@")[2]
    url = urlunsplit((scheme, parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))
    if not parts.netloc and not url.startswith(f"{scheme}://"):
        url = url.replace(":", "://", 1)  # of `postgresql:///db`, which urlunsplit shortens
    return Address(scheme, url, f"{scheme}://{host}{parts.path}", table)


def _from_environment(name: re.Match[str]) -> str:
    if name[1] not in os.environ:
        raise InputError(
            f"the database's address names ${{{name[1]}}}, which is not set. Set this variable of "
            "the environment."
        )
    return quote(os.environ[name[1]], safe="")


def _pick_table(address: Address, tables: list[_Table]) -> _Table:
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


# ── drivers: the same four questions to each kind of database ─────────────────────────────────

Limit = tuple[Column, str, "datetime"]


class _Driver(NamedTuple):
    session: Callable[[Address], Any]
    tables: Callable[[Any], list[_Table]]
    columns: Callable[[Any, _Table], list[Column]]
    rows: Callable[[Any, _Table], int | None]
    batches: Callable[[Any, _Table, Sequence[Column], Sequence[Limit]], Iterator[pa.RecordBatch]]


def _driver(address: Address) -> _Driver:
    if address.scheme == "postgresql":
        return _Driver(_postgres, _pg_tables, _pg_columns, _pg_rows, _pg_batches)
    if address.scheme == "duckdb":
        return _Driver(_duckdb, _duck_tables, _duck_columns, _duck_rows, _duck_batches)
    return _Driver(_ibis, _ibis_tables, _ibis_columns, _ibis_rows, _ibis_batches)


def _import(name: str, address: Address) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"reading a database needs the package `{name.partition('.')[0]}`, which is not "
            'installed. Install it: pip install "station-coverage-planner[databases]".',
            file=address.label,
        ) from error


def _quoted(*names: str) -> str:
    return ".".join('"' + n.replace('"', '""') + '"' for n in names if n)


def _sql(table: _Table, picked: Sequence[Column], limits: Sequence[Limit]) -> str:
    """One SELECT for PostgreSQL and DuckDB; nothing in it comes unquoted from outside."""
    select = ", ".join(f"{c.select} AS {_quoted(f'c{n}')}" for n, c in enumerate(picked))
    where = " AND ".join(
        f"{c.select} {sign} {c.time} '{moment.isoformat(sep=' ')}'" for c, sign, moment in limits
    )
    sql = f"SELECT {select} FROM {_quoted(*table)}"  # noqa: S608 - names are quoted
    return f"{sql} WHERE {where}" if where else sql


def _place_names(taken: Sequence[str], geometry: str) -> tuple[str, str]:
    """Return what the longitude and the latitude of a geometry column are called."""
    free = not {"lon", "lat"} & {n.casefold() for n in taken}
    return ("lon", "lat") if free else (f"{geometry}_lon", f"{geometry}_lat")


@contextmanager
def _told(
    address: Address, faults: type[Exception] | tuple[type[Exception], ...]
) -> Iterator[None]:
    """Turn a driver's errors into ours, without the password."""
    try:
        yield
    except PlannerError:
        raise
    except faults as error:
        raise InputError(_say(address.hide(str(error))), file=address.label) from None


def _say(message: str) -> str:
    plain = message.casefold()
    if "password" in plain or "authentication" in plain or ("role" in plain and "not" in plain):
        remedy = (
            "Check user and password; a password may stand in PGPASSWORD or ~/.pgpass, or in a "
            "variable that the address names as ${NAME}."
        )
    elif "lock" in plain:
        remedy = "Close the program that has it open for writing."
    elif "missing dependencies" in plain:
        remedy = "Install what it names."
    elif "database" in plain and "not exist" in plain:
        remedy = "Check the name after the host."
    elif "connect" in plain or "timeout" in plain:
        remedy = "Check that the server runs and that host and port are right."
    else:
        remedy = "Check the address, or export the table as Parquet and read that."
    return f"the database cannot be read ({message}). {remedy}"


# PostgreSQL, PostGIS: ADBC, which hands Arrow over as `COPY` delivers it

_PG_TABLES = """
SELECT n.nspname::text, c.relname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname IS DISTINCT FROM current_schema(), 1, 2"""
_PG_COLUMNS = """
SELECT a.attname::text, t.typname::text, tn.nspname::text, a.atttypmod
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped
  AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attnum"""
_PG_ROWS = "SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass"
_PG_PLAIN = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "date"}
# One scan from the table's start: rows come in the same order each time.
_PG_SESSION = (
    "SET TimeZone = 'UTC'",
    "SET default_transaction_read_only = on",
    "SET synchronize_seqscans = off",
    "SET max_parallel_workers_per_gather = 0",
)


@contextmanager
def _postgres(address: Address) -> Iterator[Any]:
    driver = _import("adbc_driver_postgresql.dbapi", address)
    with (
        _told(address, (driver.Error, *_STREAM_FAULTS)),
        closing(driver.connect(address.url, autocommit=True)) as connection,
        closing(connection.cursor()) as cursor,
    ):
        for setting in _PG_SESSION:
            cursor.execute(setting)
        yield cursor


def _pg_tables(cursor: Any) -> list[_Table]:
    cursor.execute(_PG_TABLES)
    return [_Table(*row) for row in cursor.fetchall()]


def _pg_columns(cursor: Any, table: _Table) -> list[Column]:
    cursor.execute(_PG_COLUMNS.format(table=_quoted(*table).replace("'", "''")))
    rows = cursor.fetchall()
    found: list[Column] = []
    for name, kind, schema, modifier in rows:
        if kind in ("geometry", "geography"):
            names = _place_names([*(r[0] for r in rows), *(c.name for c in found)], name)
            found += _pg_place(names, _quoted(name), _quoted(schema))
        else:
            found.append(_pg_column(name, kind, modifier))
    return found


def _pg_column(name: str, kind: str, modifier: int) -> Column:
    column = _quoted(name)
    if kind in ("timestamp", "timestamptz"):  # infinity is no time
        return Column(name, f"CASE WHEN isfinite({column}) THEN {column} END", kind.upper())
    if kind == "numeric" and modifier >= 4 and (modifier - 4) & 0x7FF:
        return Column(name, f"{column}::float8")
    return Column(name, column if kind in _PG_PLAIN else f"{column}::text")


def _pg_place(names: tuple[str, str], column: str, schema: str) -> list[Column]:
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


def _pg_rows(cursor: Any, table: _Table) -> int | None:
    cursor.execute(_PG_ROWS.format(table=_quoted(*table).replace("'", "''")))
    rows = int(cursor.fetchone()[0])
    return rows if rows > 0 else None


def _pg_batches(
    cursor: Any, table: _Table, picked: Sequence[Column], limits: Sequence[Limit]
) -> Iterator[pa.RecordBatch]:
    cursor.execute(_sql(table, picked, limits))
    yield from cursor.fetch_record_batch()


# DuckDB: its own Arrow stream. Ibis 12 cannot live with DuckDB 2, nor DuckDB 1 with files of 2.


@contextmanager
def _duckdb(address: Address) -> Iterator[Any]:
    duckdb = _import("duckdb", address)
    if not Path(address.url).is_file():
        raise MissingFileError("no such DuckDB file. Check the path.", file=address.url)
    config = {
        "memory_limit": _DUCKDB_MEMORY,
        "threads": "1",
        "temp_directory": str(Path(tempfile.gettempdir()) / f"planner-duckdb-{os.getpid()}"),
    }
    with (
        _told(address, (duckdb.Error, *_STREAM_FAULTS)),
        closing(duckdb.connect(address.url, read_only=True, config=config)) as connection,
    ):
        yield connection


def _duck_tables(connection: Any) -> list[_Table]:
    sql = (
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = "
        "current_database() ORDER BY table_schema <> current_schema(), 1, 2"
    )
    return [_Table(*row) for row in connection.execute(sql).fetchall()]


def _duck_columns(connection: Any, table: _Table) -> list[Column]:
    rows = connection.execute(f"DESCRIBE {_quoted(*table)}").fetchall()
    found: list[Column] = []
    for name, kind, *_ in rows:
        column = _quoted(name)
        if kind.startswith("GEOMETRY"):
            names = _place_names([*(r[0] for r in rows), *(c.name for c in found)], name)
            crs = re.search(r"EPSG:\d+", kind)
            found += [
                Column(n, f"ST_AsWKB({column})", end=end, crs=crs[0] if crs else "EPSG:4326")
                for end, n in enumerate(names)
            ]
        else:
            found.append(_duck_column(name, column, kind))
    return found


def _duck_column(name: str, column: str, kind: str) -> Column:
    if kind.startswith("TIMESTAMP"):
        zoned = "TIMESTAMPTZ" if "ZONE" in kind else "TIMESTAMP"
        return Column(name, f"CASE WHEN isfinite({column}) THEN {column} END", zoned)
    scale = re.fullmatch(r"DECIMAL\(\d+,\s*(\d+)\)", kind)
    if scale and scale[1] != "0":
        return Column(name, f"{column}::DOUBLE")
    plain = re.fullmatch(r"U?(TINY|SMALL|BIG)?INT(EGER)?|DOUBLE|FLOAT|BOOLEAN|VARCHAR|DATE", kind)
    return Column(name, column if plain else f"{column}::VARCHAR")


def _duck_rows(connection: Any, table: _Table) -> int | None:
    sql = (
        "SELECT estimated_size FROM duckdb_tables() WHERE schema_name = ? AND table_name = ? "
        "AND database_name = current_database()"
    )
    row = connection.execute(sql, list(table)).fetchone()
    return None if row is None else int(row[0])


def _duck_batches(
    connection: Any, table: _Table, picked: Sequence[Column], limits: Sequence[Limit]
) -> Iterator[pa.RecordBatch]:
    yield from connection.sql(_sql(table, picked, limits)).to_arrow_reader(_ROWS)


# anything else: Ibis


@contextmanager
def _ibis(address: Address) -> Iterator[Any]:
    ibis = _import("ibis", address)
    known = sorted({b.name for b in ibis.util.backend_entry_points()} - {"postgres", "duckdb"})
    if address.scheme not in known:
        raise InputError(
            f"`{address.scheme}://` is no database that can be read here. Known are postgresql, "
            f"duckdb, {', '.join(known)}.{nearest_name(address.scheme, ['postgresql', *known])}",
            file=address.label,
        )
    if address.scheme == "sqlite" and not Path(urlsplit(address.url).path).is_file():
        raise MissingFileError("no such SQLite file. Check the path.", file=address.label)
    with _told(address, Exception):  # each of its backends raises its own
        connection = ibis.connect(address.url)
        try:
            yield connection
        finally:
            connection.disconnect()


def _ibis_tables(connection: Any) -> list[_Table]:
    return [_Table("", name) for name in sorted(connection.list_tables())]


def _ibis_columns(connection: Any, table: _Table) -> list[Column]:
    schema = connection.table(table.name).schema()
    return [Column(n, n, "time" if d.is_timestamp() else "") for n, d in schema.items()]


def _ibis_rows(connection: Any, table: _Table) -> int | None:  # noqa: ARG001 - none of them says
    return None


def _ibis_batches(
    connection: Any, table: _Table, picked: Sequence[Column], limits: Sequence[Limit]
) -> Iterator[pa.RecordBatch]:
    rows = connection.table(table.name)
    for column, sign, moment in limits:
        there = rows[column.select]
        rows = rows.filter(there >= moment if sign == ">=" else there < moment)
    chosen = {f"c{n}": _ibis_plain(rows[c.select]) for n, c in enumerate(picked)}
    yield from rows.select(**chosen).to_pyarrow_batches(chunk_size=_ROWS)


def _ibis_plain(column: Any) -> Any:
    kind = column.type()
    if kind.is_decimal():
        return column.cast("float64" if kind.scale else "string")
    plain = (kind.is_numeric(), kind.is_timestamp(), kind.is_date(), kind.is_boolean())
    return column if kind.is_string() or any(plain) else column.cast("string")
