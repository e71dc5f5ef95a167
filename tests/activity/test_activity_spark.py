"""Spark finds what one process finds, row for row, whatever happens to its workers."""

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_fixes import make_area, write_fixes

from planner.activity import spark
from planner.activity.engine import Rule, find_stays
from planner.activity.feed import FeedPart
from planner.activity.ground import make_ground
from planner.activity.spark import find_stays_on_spark, workers
from planner.activity.spark.session import open_session
from planner.errors import InputError, MissingFileError, SettingsError
from planner.load.feed import scan_activity

RULE = Rule("robust", 100.0, 300.0)
KEY = [("rider_id", "ascending"), ("arrive_ms", "ascending")]


def write_parts(folder, rows, parts=4):
    folder.mkdir()
    bounds = np.linspace(0, len(rows), parts + 1).astype(int)
    for number, (start, end) in enumerate(pairwise(bounds.tolist())):
        pq.write_table(rows.slice(start, end - start), folder / f"day{number}.parquet")
    return scan_activity(folder, area=make_area())


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Two days of 80 riders in four files, with worker types and rows that cannot be used."""
    folder = tmp_path_factory.mktemp("city")
    write_fixes(folder / "all.parquet", riders=80, days=2)
    rows = pq.read_table(folder / "all.parquet")
    rng = np.random.default_rng(0)
    rider = rows["rider_id"].to_numpy(zero_copy_only=False)
    kinds = np.array(["外卖骑手", "快递员", None], dtype=object)
    kind = kinds[(np.frompyfunc(lambda r: crc32(r.encode()), 1, 1)(rider) % 3).astype(int)]
    kind[rng.random(len(rows)) < 0.2] = "网约车司机"
    rider[rng.random(len(rows)) < 0.01] = None
    lon = rows["lon"].to_numpy().copy()
    lon[rng.random(len(rows)) < 0.01] = 0.5
    rows = rows.set_column(0, "rider_id", pa.array(rider))
    rows = rows.set_column(2, "lon", pa.array(lon)).append_column("worker_type", pa.array(kind))
    return write_parts(folder / "days", rows), rows


@pytest.fixture(scope="module")
def alone(city):
    """What one process finds."""
    return find_stays(city[0].read, make_ground(city[0].area, "wgs84"), RULE)


@pytest.fixture(scope="module")
def cluster():
    """Two executors on this machine, each a JVM of its own."""
    pytest.importorskip("pyspark", reason="needs the extra `spark`")
    if not shutil.which("java"):
        pytest.skip("needs Java: Debian's package default-jre-headless")
    with open_session("local-cluster[2,1,1024]") as session:
        yield session


def plain(stays):
    """Stays in the order of rider and time, without dictionaries."""
    texts = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in stays.columns]
    return pa.table(dict(zip(stays.column_names, texts, strict=True))).sort_by(KEY).to_pydict()


def check_same(found, expected):
    assert plain(found.stays) == plain(expected.stays)
    assert found.account == expected.account
    assert [*found.account["lost"]] == [*expected.account["lost"]]


# ── on a cluster ──────────────────────────────────────────────────────────────────────────────


def test_the_cluster_finds_what_one_process_finds(cluster, city, alone, capfd):
    feed, _ = city
    steps = []
    found, known = find_stays_on_spark(feed, RULE, on_step=lambda *step: steps.append(step))
    assert len(found.stays) > 500
    assert steps == sorted(steps)
    assert {total for _, total in steps} == {feed.rows}
    assert {"no rider", "outside the area", "coordinate 0, 0"} <= set(found.account["lost"])
    check_same(found, alone)
    first = found.account["first"].values()
    assert [known.place(n) for n in first] == [feed.place(n) for n in first]
    assert capfd.readouterr() == ("", "")


def test_shuffled_rows_change_nothing_but_where_the_first_loss_stands(
    cluster, city, alone, tmp_path
):
    rows = city[1].take(np.random.default_rng(1).permutation(len(city[1])))
    feed = write_parts(tmp_path / "shuffled", rows, 3)
    found, _ = find_stays_on_spark(feed, RULE, partitions=3, window=20_000)
    assert plain(found.stays) == plain(alone.stays)
    account = {k: v for k, v in found.account.items() if k != "first"}
    assert account == {k: v for k, v in alone.account.items() if k != "first"}
    check_same(found, find_stays(feed.read, make_ground(feed.area, "wgs84"), RULE))


def executors(session):
    """Return the processes of the executors of this session, which this process has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if (
            b"CoarseGrainedExecutorBackend" in command
            and session.sparkContext.applicationId.encode() in command
            and os.getpid() in ancestors(int(process.name))
        ):
            found.append(int(process.name))
    return found


def ancestors(process):
    while process > 1:
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            return
        process = int(stat.rpartition(")")[2].split()[1])
        yield process


def slowly(part, number, folder):
    """Return a part that takes its time and leaves a line for every attempt to read it."""

    def read(notes):
        with (folder / f"{number}").open("a") as file:
            file.write("read\n")
        for batch, row in part.read(notes):
            time.sleep(0.15)
            yield batch, row

    return FeedPart(read, part.place)


def test_an_executor_that_dies_in_mid_job_changes_nothing(cluster, city, alone, tmp_path):
    feed, _ = city
    parts = tuple(slowly(part, n, tmp_path) for n, part in enumerate(feed.parts))
    killed = []

    def kill_one():
        end = time.monotonic() + 60
        while time.monotonic() < end and len(list(tmp_path.iterdir())) < 3:
            time.sleep(0.02)  # until some parts are read already and others just now
        victim = min(executors(cluster))
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)

    killer = Thread(target=kill_one)
    killer.start()
    found, _ = find_stays_on_spark(replace(feed, parts=parts), RULE)
    killer.join()
    attempts = sum(len(file.read_text().splitlines()) for file in tmp_path.iterdir())
    assert len(killed) == 1
    assert attempts > len(parts), "what the dead executor had read is read again"
    check_same(found, alone)


def test_a_job_that_is_interrupted_ends(cluster, city, tmp_path):
    def interrupt(_done, _total):
        if len(list(tmp_path.iterdir())) == 2:
            raise KeyboardInterrupt

    parts = tuple(slowly(part, n, tmp_path) for n, part in enumerate(city[0].parts))
    with pytest.raises(KeyboardInterrupt):
        find_stays_on_spark(replace(city[0], parts=parts), RULE, on_step=interrupt)
    assert not cluster.sparkContext.statusTracker().getActiveJobsIds()


def test_what_a_worker_refuses_is_one_error(cluster, city):
    def refuse(notes):
        raise MissingFileError("no such file.", file="/shared/day.parquet")
        yield

    parts = (city[0].parts[0], FeedPart(refuse, "row"))
    with pytest.raises(MissingFileError, match=r"^/shared/day\.parquet: no such file\.$"):
        find_stays_on_spark(replace(city[0], parts=parts), RULE)


def test_a_worker_that_breaks_is_one_error(cluster, city):
    def fall(notes):
        raise ZeroDivisionError("a bug")
        yield

    with pytest.raises(InputError, match=r"Spark has failed \(.*\)\. Check that") as caught:
        find_stays_on_spark(replace(city[0], parts=(FeedPart(fall, "row"),)), RULE)
    assert "Traceback" not in str(caught.value)
    assert caught.value.__cause__ is None


# ── without one ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def nothing_runs(monkeypatch):
    sql = pytest.importorskip("pyspark.sql", reason="needs the extra `spark`")
    monkeypatch.setattr(sql.SparkSession, "getActiveSession", staticmethod(lambda: None))


def test_missing_java_is_one_error(city, nothing_runs, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(InputError, match=r"Java 17 or later.*in PATH.*default-jre-headless"):
        find_stays_on_spark(city[0], RULE)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"JAVA_HOME \(.*default-jre-headless"):
        find_stays_on_spark(city[0], RULE)


@pytest.mark.skipif(not shutil.which("java"), reason="needs Java")
@pytest.mark.parametrize("master", ["", "localhost", "http://host", "sc://host", "local[*", "x y"])
def test_a_master_that_is_none_is_refused(city, nothing_runs, master):
    with pytest.raises(SettingsError, match="`master` setting must be"):
        find_stays_on_spark(city[0], RULE, master=master)


def test_missing_pyspark_is_one_error(city, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(InputError, match=r'pip install "station-coverage-planner\[spark\]"'):
        find_stays_on_spark(city[0], RULE)


def spread(rows, partitions, rng):
    """What Spark's shuffle does: riders to partitions, rows in any order."""
    home = np.array([crc32((r or "").encode()) % partitions for r in rows["rider_id"].to_pylist()])
    for number in range(partitions):
        mine = np.flatnonzero(home == number)
        yield rows.take(rng.permutation(mine)).to_batches(5_000)


@pytest.mark.parametrize(("partitions", "window"), [(1, 4_000_000), (5, 3_000)])
def test_tasks_add_up_whatever_the_partitions(city, alone, partitions, window):
    feed, _ = city
    ground = make_ground(feed.area, "wgs84")
    numbers = pa.record_batch({"id": list(range(len(feed.parts)))[::-1]})
    sent = pa.Table.from_batches(workers.read_parts([numbers], parts=feed.parts, ground=ground))
    tasks = spread(sent, partitions, np.random.default_rng(3))
    found = [
        b for t in tasks for b in workers.search_riders(t, ground=ground, rule=RULE, window=window)
    ]
    check_same(spark._gather(pa.Table.from_batches(found), feed)[0], alone)


def test_rows_that_a_shuffle_loses_are_missed(city):
    feed, _ = city
    ground = make_ground(feed.area, "wgs84")
    numbers = pa.record_batch({"id": list(range(len(feed.parts)))})
    sent = pa.Table.from_batches(workers.read_parts([numbers], parts=feed.parts, ground=ground))
    for kept in (sent.slice(1), sent.slice(0, len(sent) - 1)):
        found = workers.search_riders(kept.to_batches(), ground=ground, rule=RULE, window=10**6)
        with pytest.raises(InputError, match="not handed on every row"):
            spark._gather(pa.Table.from_batches(found), feed)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 99), st.integers(0, 4)),
            st.lists(st.integers(1, 99), max_size=5, unique=True).map(sorted),
        )
    )
)
def test_every_row_is_found_in_its_file(batches):
    runs, expected = workers._Runs(), []
    for batch in batches:
        if isinstance(batch, tuple):
            runs.add(*batch)
            expected += range(batch[0], sum(batch))
        else:
            runs.add(np.array(batch, dtype=np.int64), len(batch))
            expected += batch
    assert [runs.row(n) for n in range(len(expected))] == expected


@given(sizes=st.lists(st.integers(0, 3), max_size=6), stop=st.integers(0, 7), closed=st.booleans())
def test_a_stream_can_be_read_again_wherever_the_first_reader_stopped(sizes, stop, closed):
    schema = pa.schema([("a", pa.int64())])
    batches = [pa.record_batch({"a": pa.array([n] * k, pa.int64())}) for n, k in enumerate(sizes)]
    with TemporaryFile() as file:
        replay = workers._Replay(iter(batches), file)
        first = replay.read()
        for _ in range(stop):
            next(first, None)
        if closed:
            first.close()
        again = pa.Table.from_batches(replay.read(), schema)
    assert again.equals(pa.Table.from_batches(batches, schema))


def test_no_rider_stands_in_what_tasks_tell(city):
    feed, rows = city
    ground = make_ground(feed.area, "wgs84")
    numbers = pa.record_batch({"id": [0]})
    sent = pa.Table.from_batches(workers.read_parts([numbers], parts=feed.parts, ground=ground))
    found = workers.search_riders(sent.to_batches(), ground=ground, rule=RULE, window=10**6)
    notes = pa.Table.from_batches(found)["note"].drop_null().to_pylist()
    riders = {r for r in rows["rider_id"].to_pylist() if r}
    assert {key for note in notes for key in json.loads(note)} > {"part", "account", "rows"}
    assert not [r for r in riders if any(r in note for note in notes)]


def test_a_large_parquet_file_is_read_in_several_parts(city, alone, tmp_path, monkeypatch):
    monkeypatch.setattr("planner.load.columnar._SHARE_ROWS", 70_000)
    pq.write_table(city[1], tmp_path / "one.parquet", row_group_size=30_000)
    feed = scan_activity(tmp_path / "one.parquet", area=city[0].area)
    assert len(feed.parts) == -(-len(city[1]) // 90_000)
    ground = make_ground(feed.area, "wgs84")
    numbers = pa.record_batch({"id": list(range(len(feed.parts)))})
    sent = pa.Table.from_batches(workers.read_parts([numbers], parts=feed.parts, ground=ground))
    tasks = workers.search_riders(sent.to_batches(), ground=ground, rule=RULE, window=10**6)
    found, known = spark._gather(pa.Table.from_batches(tasks), feed)
    check_same(found, alone)
    first = found.account["first"].values()
    assert [known.place(n) for n in first] == [feed.place(n) for n in first]
    assert known.note["sha256"] == feed.note["sha256"]
