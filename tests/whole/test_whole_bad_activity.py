"""Bad activity at the front door: one clear sentence, exit code 2, and nothing is touched."""

import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from small_study import write_small_study

from planner.activity import engine, frames
from planner.activity.spill import Spill
from planner.cli import main

PYTHON_WORDS = re.compile(
    r"Traceback|Exception|Errno|\w+Error\b|\bNone\b|\bNaN\b|dtype|ndarray|<class|object at 0x|\\x"
)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return write_small_study(tmp_path_factory.mktemp("bad") / "town", language="en")


@pytest.fixture(scope="module")
def fixes(town):
    return pd.read_csv(town / "activity.csv", parse_dates=["time"])


@pytest.fixture
def call(town, tmp_path, monkeypatch, capsys):
    """Run `planner COMMAND` on the town with other activity; earlier outputs stand in the way."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "plan.json").write_text("earlier", encoding="utf-8")

    def call(file, *settings, command="check"):
        words = [f'activity.file="{file}"', *settings]
        options = [w for setting in words for w in ("--set", setting)]
        monkeypatch.setattr(
            "sys.argv", ["planner", command, str(town), "--out", str(out), *options]
        )
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, capsys.readouterr().err, out

    return call


def assert_refused(answer, *words, code=2):
    """One message, in words that a planner knows; the folder is as it was."""
    found, said, out = answer
    assert found == code, said
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert errors == said.splitlines()[-1:], said
    missing = [word for word in words if not re.search(word, errors[0])]
    assert not missing, errors[0]
    assert not PYTHON_WORDS.search(errors[0]), errors[0]
    assert re.search(r"[.!?]$", errors[0])
    assert [p.name for p in out.iterdir()] == ["plan.json"]
    assert (out / "plan.json").read_text(encoding="utf-8") == "earlier"


def as_arrow(fixes, **columns):
    table = pa.Table.from_pandas(fixes, preserve_index=False)
    for name, cells in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, cells)
    return table


# ── files that are no files, or not whole ─────────────────────────────────────────────────────


def cut(file, share=0.5):
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])


def truncated_parquet(folder, fixes):
    pq.write_table(as_arrow(fixes), folder / "a.parquet")
    cut(folder / "a.parquet")


def damaged_page(folder, fixes):
    pq.write_table(as_arrow(fixes), folder / "a.parquet", compression="zstd")
    scratch(folder / "a.parquet")


def damaged_page_without_compression(folder, fixes):
    pq.write_table(
        as_arrow(fixes), folder / "a.parquet", compression="none", use_dictionary=False,
        write_page_checksum=True,
    )  # fmt: skip
    scratch(folder / "a.parquet")


def scratch(file):
    data = bytearray(file.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 200] = b"\x55" * 200
    file.write_bytes(data)


def truncated_arrow(folder, fixes):
    feather.write_feather(fixes, folder / "a.arrow")
    cut(folder / "a.arrow")


def truncated_workbook(folder, fixes):
    fixes.head(300).to_excel(folder / "a.xlsx", index=False)
    cut(folder / "a.xlsx")


def one_good_one_broken(folder, fixes):
    pq.write_table(as_arrow(fixes), folder / "a1.parquet")
    truncated_parquet(folder, fixes)
    (folder / "a.parquet").rename(folder / "a2.parquet")


def one_good_one_empty(folder, fixes):
    fixes.to_csv(folder / "a1.csv", index=False)
    (folder / "a2.csv").touch()


def one_good_one_without_times(folder, fixes):
    fixes.to_csv(folder / "a1.csv", index=False)
    fixes.drop(columns="time").to_csv(folder / "a2.csv", index=False)


def bytes_of(name, content):
    return lambda folder, _: (folder / name).write_bytes(content)


BROKEN = {
    "truncated parquet": (truncated_parquet, "a.parquet", [r"not readable as Parquet", "again"]),
    "damaged page": (damaged_page, "a.parquet", [r"a\.parquet: not readable as Parquet", "again"]),
    "damaged page, plain": (
        damaged_page_without_compression, "a.parquet", [r"a\.parquet: not readable", "again"],
    ),
    "truncated arrow": (truncated_arrow, "a.arrow", [r"a\.arrow: not readable as Arrow", "again"]),
    "truncated workbook": (truncated_workbook, "a.xlsx", ["damaged", "save it again"]),
    "good and broken": (one_good_one_broken, "", [r"a2\.parquet: not readable", "again"]),
    "good and empty": (one_good_one_empty, "", [r"a2\.csv: the file is empty", "again"]),
    "good and timeless": (one_good_one_without_times, "", [r"a2\.csv", "`time`", "columns = "]),
    "0 bytes": (bytes_of("a.csv", b""), "a.csv", [r"a\.csv: the file is empty", "again"]),
    "blank": (bytes_of("a.csv", b"\n \n"), "a.csv", [r"a\.csv: .*no text", "again"]),
    "headers only": (bytes_of("a.csv", b"rider_id,time,lon,lat\n"), "a.csv", ["no rows", "again"]),
    "no header": (
        bytes_of("a.csv", b"r1,2026-09-15 09:00:00,114.001,22.501\n"), "a.csv",
        [r"a\.csv", "holds numbers", "above the first row"],
    ),
    "a web page": (bytes_of("a.xlsx", b"<html>log in</html>"), "a.xlsx", ["web page", "save it"]),
    "packed": (bytes_of("a.csv.gz", b"\x1f\x8b"), "a.csv.gz", [r"`\.gz`", "Unpack"]),
    "a picture": (bytes_of("a.png", b"\x89PNG"), "a.png", [r"`\.png`", "Use csv"]),
    "noise": (bytes_of("a.csv", bytes(range(256)) * 40), "a.csv", ["encoding", "UTF-8"]),
    "missing": (bytes_of("activity.csv", b"x"), "activty.csv", ["no such file", "`activity.csv`"]),
    "nothing to a pattern": (bytes_of("a.csv", b"x"), "b*.csv", ["no such file", "Check the path"]),
}  # fmt: skip


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_the_remedy(call, fixes, tmp_path, name, command):
    make, file, words = BROKEN[name]
    folder = tmp_path / "files"
    folder.mkdir()
    make(folder, fixes)
    assert_refused(call(folder / file, command=command), *words)


# ── columns that hold something else ──────────────────────────────────────────────────────────

WRONG_TYPES = {
    "list-lon": ("lon", lambda t: pa.array([[v] for v in t["lon"]]), ["lists", "numbers"]),
    "bool-lon": ("lon", lambda t: pa.array([True] * len(t)), ["yes and no", "numbers"]),
    "bool-time": ("time", lambda t: pa.array([True] * len(t)), ["yes and no", "times"]),
    "day-time": ("time", lambda t: pa.array(t["time"].dt.date), ["days", "times"]),
    "span-time": ("time", lambda t: pa.array(t["time"] - t["time"].min()), ["durations", "times"]),
    "struct-rider": ("rider_id", lambda t: pa.array([{"a": 1}] * len(t)), ["lists", "names"]),
    "bytes-rider": ("rider_id", lambda t: pa.array([b"\xff"] * len(t)), ["bytes", "names"]),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_a_column_of_a_wrong_type_is_named(call, fixes, tmp_path, name):
    column, make, words = WRONG_TYPES[name]
    pq.write_table(as_arrow(fixes, **{column: make(fixes)}), tmp_path / "a.parquet")
    answer = call(tmp_path / "a.parquet")
    assert_refused(answer, rf"a\.parquet, column `{column}`: holds", "`columns`", *words)


@pytest.mark.parametrize("kind", ["orders", "stays", "counts"])
def test_lists_are_named_in_tables_of_other_kinds(call, fixes, tmp_path, kind):
    lists = pa.array([[v] for v in fixes["lon"]])
    table = as_arrow(fixes.assign(leave=fixes["time"], weight_per_day=1.0, workers=20), lon=lists)
    pq.write_table(table, tmp_path / "a.parquet")
    answer = call(tmp_path / "a.parquet", f'activity.kind="{kind}"')
    assert_refused(answer, r"a\.parquet, row 1, column `lon`: holds lists", "`columns`")


def shifted(days):
    return lambda t: t.assign(time=t["time"] + pd.Timedelta(days=days))


USELESS = {
    "words for lon": (
        lambda t: t.assign(lon="east"), [r"9518 × malformed coordinate \(row 2\)", "columns = "],
    ),
    "no lon": (lambda t: t.assign(lon=""), [r"9518 × no coordinate \(row 2\)", "columns = "]),
    "no rider": (lambda t: t.assign(rider_id=""), [r"9518 × no rider \(row 2\)", "tells riders"]),
    "no rider column": (lambda t: t.drop(columns="rider_id"), [r"a\.csv: .*`rider_id`", "Name it"]),
    "swapped": (
        lambda t: t.rename(columns={"lon": "lat", "lat": "lon"}),
        ["longitude and latitude are swapped: 9518 of 9518", "Exchange"],
    ),
    "another city": (
        lambda t: t.assign(lon=t["lon"] + 3),
        [r"9518 × outside the area \(row 2\)", "same city", "`datum`"],
    ),
    "metres": (
        lambda t: t.assign(lon=t["lon"] * 1e4, lat=t["lat"] * 1e5),
        [r"9518 × coordinate off the globe \(row 2\)", "degrees"],
    ),
    "1970": (shifted(-365 * 56), [r"row 2, column `time`: `1970-", "before 2000", "clock"]),
    "2101": (shifted(365 * 75), [r"row 2, column `time`: `2101-", "after 2099", "clock"]),
    "words for times": (
        lambda t: t.assign(time="Tuesday noon"),
        [r"row 2, column `time`: `Tuesday noon`", "2026-09-15 11:02:00"],
    ),
    "clocks": (
        lambda t: t.assign(time=t["time"].dt.strftime("%H:%M:%S")),
        [r"row 2, column `time`: .*clock without its day", "date"],
    ),
    "days": (
        lambda t: t.assign(time=t["time"].dt.strftime("%Y-%m-%d")),
        [r"row 2, column `time`: .*day without a clock", "2026-09-15 11:02:00"],
    ),
    "day or month": (
        lambda t: t.assign(time="04/09/2026 10:00"),
        [r"row 2, column `time`: .*the day or with the month", "2026-09-15 11:02:00"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USELESS)
def test_rows_of_no_use_are_counted_and_the_remedy_named(call, fixes, tmp_path, name):
    change, words = USELESS[name]
    change(fixes).to_csv(tmp_path / "a.csv", index=False)
    assert_refused(call(tmp_path / "a.csv"), r"a\.csv", *words)


@pytest.mark.parametrize("days", [-365 * 56, 365 * 75])
def test_typed_times_of_no_clock_are_refused(call, fixes, tmp_path, days):
    pq.write_table(as_arrow(shifted(days)(fixes)), tmp_path / "a.parquet")
    answer = call(tmp_path / "a.parquet")
    assert_refused(answer, r"9518 × no usable time \(row 1\)", "from 2000 to 2099")


def test_times_far_ahead_are_told(call, fixes, tmp_path):
    shifted(365 * 40)(fixes).to_csv(tmp_path / "a.csv", index=False)
    code, said, _ = call(tmp_path / "a.csv")
    assert code == 0
    assert "over a year ahead" in said


def zh(fixes):
    types = np.where(np.arange(len(fixes)) % 2, "外卖骑手", "网约车司机")
    return fixes.assign(worker_type=types).to_csv(index=False)


def test_encodings_may_differ_between_files(call, fixes, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name, encoding, part in (("a", "utf-8", 0), ("b", "gb18030", 1), ("c", "utf-16", 2)):
        (folder / f"{name}.csv").write_bytes(zh(fixes.iloc[part::3]).encode(encoding))
    code, said, out = call(folder)
    assert code == 0, said
    note = pd.read_json(out / "quality.json", typ="series")["inputs"]["activity"]
    assert (note["rows"], note["kept"], note["dropped"]) == (9518, 9518, {})


@pytest.mark.parametrize("first", ["utf-8", "gb18030"])
def test_two_encodings_in_one_file_are_named_with_the_row(call, fixes, tmp_path, first):
    other = {"utf-8": "gb18030", "gb18030": "utf-8"}[first]
    lines = zh(fixes).splitlines(keepends=True)
    parts = "".join(lines[:6000]).encode(first), "".join(lines[6000:]).encode(other)
    (tmp_path / "a.csv").write_bytes(b"".join(parts))
    assert_refused(call(tmp_path / "a.csv"), r"a\.csv, row \d+: .*another encoding", "UTF-8")


# ── databases and clusters ────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def database(fixes, tmp_path_factory):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    file = tmp_path_factory.mktemp("database") / "day.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE riders AS SELECT 1 AS a")
        connection.execute("CREATE TABLE fixes AS SELECT * FROM fixes")
    return file


def test_an_unknown_table_is_told_with_those_there_are(call, database):
    assert_refused(call(f"{database}#fixs"), "no table `fixs`", "`main.riders`", "mean `fixes`")
    assert_refused(call(database), "names no table", "`main.fixes`", r"#table")
    assert_refused(call(f"{database}#riders"), "`rider_id` and `time`", "has `a`", "columns = ")


def test_a_database_file_that_is_missing_or_damaged(call, database, tmp_path):
    assert_refused(call(tmp_path / "no.duckdb"), r"no\.duckdb: no such DuckDB file", "path")
    (tmp_path / "bad.duckdb").write_bytes(b"junk" * 4000)
    assert_refused(call(tmp_path / "bad.duckdb"), r"bad\.duckdb: .*cannot be read", "Parquet")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:1", ["Connection refused", "host and port"]),
        ("no-such-host.invalid", ["no-such-host", "host and port"]),
    ],
)
def test_an_unreachable_server_is_told_at_once_and_without_the_password(call, address, words):
    pytest.importorskip("adbc_driver_postgresql", reason="the PostgreSQL driver is not installed")
    begin = time.monotonic()
    answer = call(f"postgresql://planner:geheim@{address}/ops#fixes")
    assert time.monotonic() - begin < 30
    assert_refused(answer, *words)
    assert "geheim" not in answer[1]


def test_a_web_address_is_no_file(call):
    assert_refused(call("https://example.invalid/fixes.csv"), "https", "Download")


@pytest.mark.parametrize(
    "names",
    [
        ("duckdb", "x.duckdb#fixes", 'activity.kind="fixes"', "databases"),
        ("adbc_driver_postgresql", "postgresql://h/d#t", 'activity.kind="fixes"', "databases"),
        ("ibis", "mysql://h/d#t", 'activity.kind="fixes"', "databases"),
        ("pyspark", "activity.csv", 'activity.engine="spark"', "spark"),
    ],
)
def test_a_missing_package_is_told_with_the_command(call, monkeypatch, names):
    package, file, setting, remedy = names
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    answer = call(file, setting)
    assert_refused(answer, f"`{package}`, which is not installed", rf"pip install .*\[{remedy}\]")


@pytest.mark.parametrize("home", ["", "/nonexistent"])
def test_missing_java_is_told_with_the_command(call, monkeypatch, home):
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("JAVA_HOME", home)
    answer = call("activity.csv", 'activity.engine="spark"')
    assert_refused(answer, "Java 17", "apt install", 'engine = "local"')


# ── disks, memory, and a finger on Ctrl-C ─────────────────────────────────────────────────────


@pytest.fixture
def sorted_on_disk(fixes, tmp_path, monkeypatch):
    """Make fixes without order that do not fit into the window; return their file."""
    monkeypatch.setattr(engine, "BATCH_ROWS", 512)
    monkeypatch.setattr(engine, "LATENESS_MS", 1000)
    find = engine.find_stays
    monkeypatch.setattr(frames, "find_stays", lambda *a, **k: find(*a, window=2000, **k))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    fixes.sample(frac=1.0, random_state=5).to_csv(tmp_path / "a.csv", index=False)
    return tmp_path / "a.csv"


def test_sorting_on_disk_leaves_nothing_behind(call, sorted_on_disk, monkeypatch):
    calls = []
    write = Spill.write
    monkeypatch.setattr(Spill, "write", lambda self, r: (calls.append(len(r)), write(self, r)))
    assert call(sorted_on_disk)[0] == 0
    assert len(calls) > 3
    assert sum(calls) == 9518
    assert list((sorted_on_disk.parent / "tmp").iterdir()) == []


def test_a_full_disk_is_told_and_nothing_left_on_it(call, sorted_on_disk):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, limits[1]))
    try:
        answer = call(sorted_on_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_refused(answer, "sorted on disk", "File too large", "TMPDIR")
    assert list((sorted_on_disk.parent / "tmp").iterdir()) == []


def test_no_place_for_temporary_files_is_told(call, sorted_on_disk, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(sorted_on_disk.parent / "nowhere"))
    assert_refused(call(sorted_on_disk), "sorted on disk", "No such file", "TMPDIR")


def test_stopped_while_reading_nothing_is_left(call, sorted_on_disk, monkeypatch):
    write = Spill.write

    def stop(self, records):
        write(self, records)
        assert list((sorted_on_disk.parent / "tmp").iterdir())
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Spill, "write", stop)
    code, said, out = call(sorted_on_disk, command="run")
    assert code == 130
    assert said.splitlines()[-1] == "stopped; earlier outputs are as they were."
    assert "Traceback" not in said
    assert [p.name for p in out.iterdir()] == ["plan.json"]
    assert list((sorted_on_disk.parent / "tmp").iterdir()) == []


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_where_outputs_should_go(town, tmp_path, monkeypatch, capsys, command):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["planner", command, str(town), "--out", f"{tmp_path}/out/a"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "is no folder. Name another folder with --out." in said[0]


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_disk_that_fills_while_writing_outputs(call, town, command):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, limits[1]))
    try:
        answer = call("activity.csv", command=command)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_refused(answer, "File too large", "room", code=1)


def test_a_csv_larger_than_what_is_left_of_memory(town, fixes, tmp_path):
    """2.4 million rows, 250 a minute for each that was, through a window of 200,000 fixes."""
    file = tmp_path / "a.csv"
    with file.open("w", encoding="utf-8") as stream:
        stream.write("rider_id,time,lon,lat\n")
        for _, minute in fixes.groupby("time"):
            rows = minute.to_csv(index=False, header=False, date_format="%F %R:00.000")
            for k in range(250):
                second, ms = divmod(k * 240, 1000)
                stream.write(rows.replace(":00.000,", f":{second:02}.{ms:03},"))
    small, large = (peak_memory(town, name, tmp_path) for name in ("activity.csv", file))
    assert file.stat().st_size > 115e6
    assert large - small < 240e6  # as a table it would be over 600 MB


def peak_memory(town, file, folder):
    """Return the peak of `planner check` in bytes."""
    script = (
        "import atexit, resource\nfrom planner.activity import engine\n"
        "from planner.cli import main\nengine.find_stays.__kwdefaults__['window'] = 200_000\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "atexit.register(lambda: print(peak() * 1024))\nmain()"
    )
    words = ["check", town, "--out", folder / "out", "--set", f'activity.file="{file}"']
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return int(done.stdout.split()[-1])
