"""A table in a database is read like a file: only what is asked for, and never all at once."""

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.activity.databases import guess_rows, is_database, open_table, read_batches
from planner.activity.databases.address import read_address
from planner.errors import InputError, MissingFileError

duckdb = pytest.importorskip("duckdb", reason="needs the extra `databases`")
adbc = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="needs the extra `databases`")
pytest.importorskip("ibis", reason="needs the extra `databases`")

START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = """
create table {schema}.{table} (
    id uuid, "骑手编号" bigint, "时间" timestamptz, "当地" timestamp, "经度" float8, "纬度" float4,
    score numeric(9, 6), code numeric(20, 0), day date, clock time, name varchar(20), ok boolean);
insert into {schema}.{table} values
    ('0b0b0b0b-0000-4000-8000-000000000001', 7, '2026-03-01 08:00:00.25+08', '2026-03-01 08:00',
     104.06, 30.5, 1.234567, 12345678901234567890, '2026-03-01', '08:00:00', '骑手“甲”', true);
insert into {schema}.{table} (name) values (''), (null);
insert into {schema}.{table} ("时间", "当地") values ('infinity', '-infinity');
"""
POINTS = """
create table {schema}.points (rider_id text, geom {kind});
insert into {schema}.points values ('a', {shape});
"""


def table_of(path, columns=None):
    table = open_table(path)
    return pa.Table.from_batches(read_batches(table, columns or table.columns))


@pytest.fixture(scope="module")
def server(postgres):
    """The server's URL and what runs SQL on it; its tables go when the tests are done."""
    with adbc.connect(postgres, autocommit=True) as connection, connection.cursor() as cursor:

        def run(script):
            for statement in script.split(";"):
                if statement.strip():
                    cursor.execute(statement)

        run("drop schema if exists ops cascade; create schema ops")
        run(TYPES.format(schema="ops", table='"骑手 轨迹"'))
        run(
            "create table ops.fixes as select 'R' || i % 100 as rider_id, "
            "timestamptz '2026-03-01 00:00+00' + i * interval '1 s' as time, "
            "(104 + i / 1e6)::float8 as lon, (30 + i / 1e6)::float8 as lat "
            "from generate_series(0, 9999) i; analyze ops.fixes; "
            "create view ops.endless as select generate_series(1, 10000000000) as n"
        )
        yield postgres, run
        run("drop schema ops cascade; drop extension if exists postgis cascade")


@pytest.fixture
def duck(tmp_path):
    """A DuckDB file with the same tables."""
    file = tmp_path / "city.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema ops")
        connection.execute(TYPES.format(schema="ops", table='"骑手 轨迹"'))
        connection.execute(
            "create table ops.fixes as select 'R' || i % 100 as rider_id, timestamptz "
            "'2026-03-01 00:00:00+00' + to_seconds(i) as time, 104 + i / 1e6 as lon, "
            "30 + i / 1e6 as lat from range(10000) t(i); "
            "create view ops.endless as select * from range(10000000000) t(n)"
        )
    return file


@pytest.fixture(params=["postgresql", "duckdb"])
def city(request):
    """The same tables in either kind of database: what stands before `#table`."""
    if request.param == "duckdb":
        return str(request.getfixturevalue("duck"))
    return request.getfixturevalue("server")[0]


def test_every_type_arrives_as_what_the_planner_can_read(city):
    rows = table_of(f"{city}#ops.骑手 轨迹").to_pylist()
    assert rows[0] == {
        "id": "0b0b0b0b-0000-4000-8000-000000000001",
        "骑手编号": 7,
        "时间": datetime(2026, 3, 1, 0, 0, 0, 250_000, tzinfo=UTC),
        "当地": datetime(2026, 3, 1, 8, 0),  # noqa: DTZ001 - without zone in the database too
        "经度": 104.06,
        "纬度": 30.5,
        "score": 1.234567,
        "code": "12345678901234567890",
        "day": datetime(2026, 3, 1).date(),  # noqa: DTZ001
        "clock": "08:00:00",
        "name": "骑手“甲”",
        "ok": True,
    }
    assert [row["name"] for row in rows[1:3]] == ["", None]
    assert set(rows[3].values()) == {None}, "an infinite time is none"


def test_only_the_columns_that_are_asked_for_come_and_in_that_order(city):
    got = table_of(f"{city}#ops.fixes", ["lat", "rider_id"])
    assert got.column_names == ["lat", "rider_id"]
    assert got.num_rows == 10_000
    types = open_table(f"{city}#ops.fixes").types
    assert [types[name] for name in got.column_names] == got.schema.types
    assert got.slice(9_999).to_pylist() == [{"lat": 30.009999, "rider_id": "R99"}]


def test_reading_again_gives_the_same_rows_in_the_same_order(city):
    table = open_table(f"{city}#ops.fixes")
    first, second = (pa.Table.from_batches(read_batches(table, table.columns)) for _ in range(2))
    assert first.equals(second)
    assert guess_rows(table) == 10_000


def test_a_time_range_is_chosen_by_the_database(city):
    table = open_table(f"{city}#ops.fixes")
    since, until = START + timedelta(seconds=10), START + timedelta(seconds=20)
    batches = read_batches(table, ["time"], time="time", since=since, until=until)
    times = pa.Table.from_batches(batches)["time"].to_pylist()
    assert (min(times), max(times), len(times)) == (since, until - timedelta(seconds=1), 10)


def test_ten_billion_rows_begin_at_once(city):
    table = open_table(f"{city}#ops.endless")
    assert guess_rows(table) is None
    batches = read_batches(table, table.columns)
    assert sum(len(b) for b in islice(batches, 3)) > 1_000
    batches.close()


def test_a_table_is_found_with_or_without_schema_and_case(city):
    for name in ("fixes", "ops.fixes", "OPS.Fixes"):
        assert open_table(f"{city}#{name}").label.endswith("#ops.fixes")


def test_without_a_name_the_tables_are_listed(city):
    with pytest.raises(InputError, match=r"names no table.*`ops\.fixes`, `ops\.骑手 轨迹`"):
        open_table(city)


def test_an_unknown_table_is_told_with_the_nearest(city):
    with pytest.raises(InputError, match=r"no table `fixs`.*Did you mean `fixes`\?"):
        open_table(f"{city}#fixs")


def test_an_only_table_needs_no_name(tmp_path):
    with duckdb.connect(str(tmp_path / "one.duckdb")) as connection:
        connection.execute("create table t as select 1 as a")
    assert open_table(tmp_path / "one.duckdb").label == "one.duckdb#main.t"


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("geometry(Point, 4326)", "ST_SetSRID(ST_MakePoint(104.06, 30.66), 4326)"),
        ("geometry", "ST_MakePoint(104.06, 30.66)"),
        ("geometry", "ST_Transform(ST_SetSRID(ST_MakePoint(104.06, 30.66), 4326), 3857)"),
        ("geography(PointZ)", "ST_MakePoint(104.06, 30.66, 3)::geography"),
    ],
)
def test_postgis_points_come_as_degrees(server, kind, shape):
    url, run = server
    try:
        run("create extension if not exists postgis")
    except adbc.Error as error:
        pytest.skip(f"the server has no PostGIS: {error}")
    run("drop table if exists ops.points;" + POINTS.format(schema="ops", kind=kind, shape=shape))
    run("insert into ops.points values ('nowhere', null)")
    a, nowhere = table_of(f"{url}#ops.points").to_pylist()
    assert open_table(f"{url}#ops.points").types["lat"] == pa.float64()
    assert (a["lon"], a["lat"]) == pytest.approx((104.06, 30.66), abs=1e-9)
    assert nowhere == {"rider_id": "nowhere", "lon": None, "lat": None}


def test_a_shape_that_is_no_point_has_no_place_but_keeps_its_row(server):
    url, run = server
    run("create extension if not exists postgis; drop table if exists ops.points")
    line = "ST_MakeLine(ST_MakePoint(1, 2), ST_MakePoint(3, 4))"
    run(POINTS.format(schema="ops", kind="geometry", shape=line))
    run("alter table ops.points add column lon float8")
    assert table_of(f"{url}#ops.points").to_pylist() == [
        {"rider_id": "a", "geom_lon": None, "geom_lat": None, "lon": None}
    ]


def test_points_of_duckdb_come_as_degrees(tmp_path):
    file = tmp_path / "points.duckdb"
    with duckdb.connect(str(file)) as connection:
        shape = "'POINT (104.06 30.66)'::geometry"
        connection.execute(POINTS.format(schema="main", kind="geometry", shape=shape))
        connection.execute("insert into points values ('b', 'LINESTRING (1 2, 3 4)'), ('c', null)")
    assert table_of(file).to_pylist() == [
        {"rider_id": "a", "lon": 104.06, "lat": 30.66},
        {"rider_id": "b", "lon": None, "lat": None},
        {"rider_id": "c", "lon": None, "lat": None},
    ]


def test_any_url_of_ibis_is_read(tmp_path):
    pytest.importorskip("regex", reason="needs ibis-framework[sqlite]")
    file = tmp_path / "city.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("create table fixes (rider_id text, lon real, lat real)")
        connection.executemany(
            "insert into fixes values (?, ?, ?)", [("a", 104.0, 30.0), ("b", 105.0, 31.0)]
        )
    connection.close()
    got = table_of(f"sqlite://{file}", ["lon", "rider_id"])
    assert got.to_pylist() == [{"lon": 104.0, "rider_id": "a"}, {"lon": 105.0, "rider_id": "b"}]
    with pytest.raises(MissingFileError, match="no such SQLite file"):
        open_table(f"sqlite://{tmp_path}/none.sqlite")


def test_a_wrong_password_is_one_clear_error_without_it(server, monkeypatch):
    parts = urlsplit(server[0])
    host = parts.netloc.rpartition("@")[2]
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(InputError, match="Check user and password") as caught:
        open_table(f"postgresql://planner:s%33cret@{host}{parts.path}#ops.fixes")
    assert "s3cret" not in str(caught.value)
    assert "s%33cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_password_reaches_what_is_printed(server):
    table = open_table(f"{server[0]}#ops.fixes")
    secret = urlsplit(server[0]).password
    assert secret not in repr(table) + repr(read_address(server[0]))


def test_the_password_may_stand_in_the_environment(server, monkeypatch):
    parts = urlsplit(server[0])
    host = parts.netloc.rpartition("@")[2]
    monkeypatch.setenv("CITY_PASSWORD", parts.password)
    named = f"postgresql://{parts.username}:${{CITY_PASSWORD}}@{host}{parts.path}#ops.fixes"
    assert table_of(named, ["lon"]).num_rows == 10_000
    monkeypatch.setenv("PGPASSWORD", parts.password)
    plain = f"postgresql://{parts.username}@{host}{parts.path}#ops.fixes"
    assert table_of(plain, ["lon"]).num_rows == 10_000
    monkeypatch.delenv("CITY_PASSWORD")
    with pytest.raises(InputError, match=r"\$\{CITY_PASSWORD\}, which is not set"):
        open_table(named)


def test_nothing_is_written(server):
    url, run = server
    run(
        "create or replace function ops.leave() returns text language sql as "
        "'insert into ops.fixes values (null, null, null, null) returning rider_id'"
    )
    run("create or replace view ops.trap as select ops.leave() as n")
    with pytest.raises(InputError, match="read-only transaction"):
        table_of(f"{url}#ops.trap")
    assert open_table(f"{url}#ops.fixes").columns == ("rider_id", "time", "lon", "lat")


def test_a_database_that_breaks_off_is_told(server):
    url, run = server
    run("create or replace view ops.broken as select 1 / (500000 - n) as a from "
        "generate_series(1, 1000000) n")  # fmt: skip
    with pytest.raises(InputError, match="division by zero"):
        table_of(f"{url}#ops.broken")


def test_an_unreachable_server_is_told():
    pattern = r"127\.0\.0\.1:1/city: .*refused.*Check that the server runs"
    with pytest.raises(InputError, match=pattern):
        open_table("postgresql://planner@127.0.0.1:1/city#fixes")


def test_an_unknown_database_is_told(server):
    url = server[0].rpartition("/")[0]
    with pytest.raises(InputError, match=r'"nowhere" does not exist.*the name after the host'):
        open_table(f"{url}/nowhere#fixes")


def test_an_unknown_scheme_is_told():
    with pytest.raises(InputError, match=r"`oracl://`.*Did you mean `oracle`\?"):
        open_table("oracl://host/city#fixes")


@pytest.mark.parametrize(
    ("url", "module"),
    [
        ("postgresql://h/d#t", "adbc_driver_postgresql.dbapi"),
        ("city.duckdb#t", "duckdb"),
        ("mysql://h/d#t", "ibis"),
    ],
)
def test_a_missing_driver_is_told_with_the_command(monkeypatch, url, module):
    def refuse(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("planner.activity.databases.address.import_module", refuse)
    pattern = rf'`{module.partition(".")[0]}`.*"station-coverage-planner\[databases\]"'
    with pytest.raises(InputError, match=pattern):
        open_table(url)


def test_damaged_and_missing_files_are_told(tmp_path):
    with pytest.raises(MissingFileError, match="no such DuckDB file"):
        open_table(tmp_path / "none.duckdb#t")
    (tmp_path / "bad.duckdb").write_bytes(b"not a database" * 400)
    with pytest.raises(InputError, match=r"bad\.duckdb: .*not a valid DuckDB"):
        open_table(tmp_path / "bad.duckdb")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("postgres://h/d", True),
        ("duckdb:///f.db#t", True),
        ("a/b.DuckDB#schema.table", True),
        ("activity/*.parquet", False),
        ("C:\\study\\fixes.csv", False),
        ("day#1.csv", False),
    ],
)
def test_databases_are_told_from_files(path, expected):
    assert is_database(path) is expected


NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(user=NAMES, password=NAMES, table=NAMES.filter(lambda t: "#" not in t))
def test_any_name_survives_the_url(user, password, table):
    from urllib.parse import quote

    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    address = read_address(f"postgresql://{login}@h:5/d?sslmode=require#{quote(table, safe='')}")
    assert address.table == table
    assert address.label == "postgresql://h:5/d"
    assert urlsplit(address.url).netloc == f"{login}@h:5"
    assert "sslmode=require" in address.url
