"""The engine on a Spark cluster: workers read parts of a feed, riders meet, stays come back.

Spark spreads the rows by rider (`repartition`) and runs `planner.activity.engine.find_stays` on
each of its partitions (`mapInArrow`). There is no cluster code here but that. What was lost comes
back as rows beside the stays, so that a task that is run again counts once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import warnings
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from planner import errors
from planner.activity.engine import WINDOW, Found, add_accounts, find_stays
from planner.activity.feed import FIX_SCHEMA, FeedPart, FixFeed
from planner.activity.ground import make_ground
from planner.activity.intake import BATCH_ROWS, LOSSES, Intake
from planner.errors import InputError, PlannerError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from planner.activity.engine import Rule
    from planner.activity.ground import Ground

_NOTE = pa.field("note", pa.string())  # JSON: what a task has to tell, in a row without a rider
_SENT = pa.schema([
    ("rider_id", pa.string()), ("worker_type", pa.string()), ("time", pa.int64()),
    ("lon", pa.float64()), ("lat", pa.float64()), _NOTE,
])  # fmt: skip
_FOUND = pa.schema([
    ("rider_id", pa.string()), ("worker_type", pa.string()), ("arrive_ms", pa.int64()),
    ("leave_ms", pa.int64()), ("x", pa.float64()), ("y", pa.float64()), ("fixes", pa.int64()),
    _NOTE,
])  # fmt: skip
_SENT_SQL = "rider_id string, worker_type string, time long, lon double, lat double, note string"
_FOUND_SQL = (
    "rider_id string, worker_type string, arrive_ms long, leave_ms long, x double, y double, "
    "fixes long, note string"
)
_MASTER = re.compile(r"local$|local\[[\w*, ]+\]$|local-cluster\[|spark://.|yarn$|k8s://.")
_LOOK_S = 0.5  # between two looks at how far a job has come
_PARTITION_ROWS = 2_000_000  # of a task at the end: sorted in one window


def find_stays_on_spark(
    feed: FixFeed,
    rule: Rule,
    *,
    master: str = "local[*]",
    partitions: int | None = None,
    window: int = WINDOW,
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[Found, FixFeed]:
    """Find the stays of a feed on a cluster: the same as `find_stays` finds, row for row.

    Parameters
    ----------
    feed
        Its parts are read side by side, by the workers: they must see the files under the same
        path. A feed without parts (a table of a database) is read by one of them.
    rule
        What to look for.
    master
        Spark's: ``local[*]`` (all cores of this machine), ``spark://host:7077``, ``yarn``, … If a
        Spark session is running already, that one is used and left running.
    partitions
        Among how many tasks the riders are spread; by the number of rows and cores if None.
    window
        As in `find_stays`.
    on_step
        Called with (fixes done, fixes in all), by the share of tasks that are done; not at all if
        it is not known how many fixes there are.

    Returns
    -------
    found, feed
        As from `find_stays`, and the feed knowing the places of its losses and its notes.

    Raises
    ------
    InputError
        Java or pyspark is missing, Spark cannot be started or breaks off, or what `feed` raises.

    Notes
    -----
    Workers run the Python of this process (`sys.executable`), with this package installed.
    """
    ground = make_ground(feed.area, feed.datum)
    parts = feed.parts or (FeedPart(partial(_whole, feed.read), "row"),)
    with _session(master) as spark, _told(master):
        tasks = partitions or _tasks(spark, feed.rows)
        job = (
            spark.range(0, len(parts), 1, len(parts))
            .mapInArrow(partial(_read_parts, parts=parts, ground=ground), _SENT_SQL)
            .repartition(tasks, "rider_id")
            .mapInArrow(partial(_search, ground=ground, rule=rule, window=window), _FOUND_SQL)
        )
        if on_step is None or not feed.rows:
            table = job.toArrow()
        else:
            step = partial(_tell, on_step, feed.rows, len(parts) + tasks)
            table = _watch(spark.sparkContext, job, step)
    return _gather(table, feed)


def _tasks(spark: Any, rows: int | None) -> int:
    return max(2 * spark.sparkContext.defaultParallelism, (rows or 0) // _PARTITION_ROWS + 1)


def _tell(on_step: Callable[[int, int], None], rows: int, tasks: int, done: int) -> None:
    on_step(rows * min(done, tasks) // tasks, rows)


def _watch(context: Any, job: Any, step: Callable[[int], None]) -> pa.Table:
    """Run a job in another thread and tell from this one how many tasks are done."""
    tracker = context.statusTracker()
    earlier = set(tracker.getJobIdsForGroup(None))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(job.toArrow)
        done = 0
        try:
            while not wait([running], timeout=_LOOK_S).done:
                done = max(done, _tasks_done(tracker, earlier))
                step(done)
        except BaseException:
            context.cancelAllJobs()  # else the pool waits for the job that nobody wants any more
            raise
        return running.result()


def _tasks_done(tracker: Any, earlier: set[int]) -> int:
    jobs = [tracker.getJobInfo(j) for j in tracker.getJobIdsForGroup(None) if j not in earlier]
    stages = {s for job in jobs if job for s in job.stageIds}
    return sum(info.numCompletedTasks for s in stages if (info := tracker.getStageInfo(s)))


# ── on the workers ────────────────────────────────────────────────────────────────────────────


def _whole(
    read: Callable[[], Iterator[pa.RecordBatch]], _notes: dict[str, int]
) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Read a feed that has no parts."""
    row = 1
    for batch in read():
        yield batch, row
        row += len(batch)


def _read_parts(
    numbers: Iterable[pa.RecordBatch], *, parts: Sequence[FeedPart], ground: Ground
) -> Iterator[pa.RecordBatch]:
    """Read the parts with these numbers; after each, tell what was lost of it."""
    for batch in numbers:
        for number in batch.column(0).to_pylist():
            note: dict[str, Any] = {"part": number}
            try:
                yield from _read_part(parts[number], ground, note)
            except PlannerError as error:
                note["error"] = [type(error).__name__, str(error)]
            yield _as_row(note, _SENT)


def _read_part(part: FeedPart, ground: Ground, note: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Send the rows that have a rider: the others can be nothing but lost."""
    intake, runs, sent = Intake(ground), _Runs(), 0
    notes: dict[str, int] = {}
    unused = np.empty((BATCH_ROWS, 2), dtype=np.int64)
    for batch, row in part.read(notes):
        runs.add(row, len(batch))
        for start in range(0, len(batch), BATCH_ROWS):
            piece = batch.slice(start, BATCH_ROWS)
            intake.take(piece, unused, 0)
            ready = _to_send(piece)
            sent += len(ready)
            yield ready
    told = intake.account()
    places = {why: f"{part.place} {runs.row(n)}" for why, n in told["first"].items()}
    note |= {k: told[k] for k in ("rows", "lost", "first")}
    note |= {"places": places, "notes": notes, "sent": sent}


class _Runs:
    """Which row of its file the n-th row of a part is."""

    def __init__(self) -> None:
        self._begin: list[int] = []  # n of a row that does not follow the one before it
        self._row: list[int] = []
        self._size = 0

    def add(self, row: int | np.ndarray, size: int) -> None:
        """Add rows: the first one's number, or every one's."""
        rows = row if isinstance(row, np.ndarray) else np.array([row])
        for at in [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist()] if size else []:
            n, begin = self._size + at, int(rows[at])
            if not self._begin or begin - n != self._row[-1] - self._begin[-1]:
                self._begin.append(n)
                self._row.append(begin)
        self._size += size

    def row(self, n: int) -> int:
        """Return the row's number in its file."""
        k = bisect_right(self._begin, n) - 1
        return self._row[k] + n - self._begin[k]


def _to_send(batch: pa.RecordBatch) -> pa.RecordBatch:
    words = {
        name: batch.column(name).cast(pa.string()) if name in batch.schema.names else None
        for name in ("rider_id", "worker_type")
    }
    rider = words["rider_id"]
    columns = [
        rider,
        pa.nulls(len(batch), pa.string()) if words["worker_type"] is None else words["worker_type"],
        batch.column("time").view(pa.int64()),
        batch.column("lon"),
        batch.column("lat"),
        pa.nulls(len(batch), pa.string()),
    ]
    named = pc.fill_null(pc.not_equal(rider, ""), False)
    return pa.RecordBatch.from_arrays(columns, schema=_SENT).filter(named)


def _as_row(note: dict[str, Any], schema: pa.Schema) -> pa.RecordBatch:
    columns = [pa.nulls(1, field.type) for field in schema][:-1]
    return pa.RecordBatch.from_arrays([*columns, pa.array([json.dumps(note)])], schema=schema)


def _search(
    batches: Iterable[pa.RecordBatch], *, ground: Ground, rule: Rule, window: int
) -> Iterator[pa.RecordBatch]:
    """Find the stays of the riders in one partition; hand on what other tasks tell."""
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="planner-") as folder:
        rows = _Replay(_fixes(batches, notes), Path(folder, "fixes.arrow"))
        try:
            found = find_stays(rows.read, ground, rule, window=window)
        except PlannerError as error:
            yield _as_row({"error": [type(error).__name__, str(error)]}, _FOUND)
        else:
            yield from _as_found(found.stays)
            yield _as_row({"account": found.account}, _FOUND)
    for note in notes:
        yield _as_row(json.loads(note), _FOUND)


def _fixes(batches: Iterable[pa.RecordBatch], notes: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield batches as a feed has them; what is a note goes to `notes`."""
    schema = pa.schema([
        ("rider_id", pa.string()), ("worker_type", pa.string()), FIX_SCHEMA.field("time"),
        FIX_SCHEMA.field("lon"), FIX_SCHEMA.field("lat"),
    ])  # fmt: skip
    for batch in batches:
        told = batch.column("note")
        if told.null_count < len(told):
            notes += told.drop_null().to_pylist()
            batch = batch.filter(told.is_null())  # noqa: PLW2901 - the rest of it
        columns = [batch.column(n) for n in ("rider_id", "worker_type", "time", "lon", "lat")]
        columns[2] = columns[2].view(schema.field("time").type)
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_found(stays: pa.Table) -> Iterator[pa.RecordBatch]:
    columns = [stays[f.name].cast(f.type) for f in _FOUND if f.name != "note"]
    columns.append(pa.chunked_array([pa.nulls(len(stays), pa.string())]))
    yield from pa.Table.from_arrays(columns, schema=_FOUND).to_batches(BATCH_ROWS)


class _Replay:
    """Lets a stream that comes but once be read again, from a file."""

    def __init__(self, batches: Iterator[pa.RecordBatch], file: Path) -> None:
        self._rest, self._file, self._kept = batches, file, 0

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield what was kept, then what still comes; a second reader ends the first one."""
        if self._kept:
            with pa.OSFile(str(self._file)) as stream, pa.ipc.open_stream(stream) as kept:
                yield from kept
            yield from self._rest
            return
        yield from self._keep()

    def _keep(self) -> Iterator[pa.RecordBatch]:
        writer = None
        try:
            for batch in self._rest:
                if writer is None:
                    writer = pa.ipc.new_stream(str(self._file), batch.schema)
                writer.write_batch(batch)
                self._kept += 1
                yield batch
        finally:
            if writer is not None:
                writer.close()


# ── back on the driver ────────────────────────────────────────────────────────────────────────


def _gather(table: pa.Table, feed: FixFeed) -> tuple[Found, FixFeed]:
    """Put together what the tasks found and told."""
    told = [json.loads(note) for note in table["note"].drop_null().to_pylist()]
    parts = sorted((note for note in told if "part" in note), key=lambda note: int(note["part"]))
    for note in [*parts, *(note for note in told if "part" not in note)]:
        if "error" in note:
            kind, message = note["error"]
            raise getattr(errors, kind, InputError)(message)
    account = reduce(add_accounts, (note["account"] for note in told if "account" in note))
    if len(parts) != max(len(feed.parts), 1) or account["rows"] != sum(p["sent"] for p in parts):
        raise InputError(
            "Spark has not handed on every row of the fixes. Run it again, or with "
            '`engine = "local"`.',
            file=feed.note["file"],
        )
    read = _add_parts(parts)
    if not read["rows"]:
        raise InputError("there are no rows. Export it again.", file=feed.note["file"])
    quarters = sorted((int(q), n) for q, n in account["quarters"].items())
    account |= {k: read[k] for k in ("rows", "lost", "first")} | {"quarters": dict(quarters)}
    places = {n: read["places"][why] for why, n in read["first"].items()}
    note = copy(feed.note)
    note["notes"] = {what: n for what, n in read["notes"].items() if n}
    stays = table.filter(table["note"].is_null()).drop_columns("note")
    for name in ("rider_id", "worker_type"):
        words = stays[name].combine_chunks().dictionary_encode()
        stays = stays.set_column(stays.schema.get_field_index(name), name, words)
    known = replace(feed, place=lambda n: places.get(n) or feed.place(n), note=note)
    return Found(stays, account), known


def _add_parts(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add up what was lost of the parts; the first of its kind is that of the first part."""
    total: dict[str, Any] = {"rows": 0, "lost": {}, "first": {}, "places": {}, "notes": {}}
    for part in parts:
        for why, n in part["first"].items():
            total["first"].setdefault(why, total["rows"] + n)
            total["places"].setdefault(why, part["places"][why])
        for key in ("lost", "notes"):
            for what, n in part[key].items():
                total[key][what] = total[key].get(what, 0) + n
        total["rows"] += part["rows"]
    for key in ("lost", "first"):
        total[key] = {why: total[key][why] for why in LOSSES.values() if why in total[key]}
    return total


# ── Spark itself ──────────────────────────────────────────────────────────────────────────────


@contextmanager
def _session(master: str) -> Iterator[Any]:
    """Give the session that is running, or one that ends with the context."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise InputError(
            '`engine = "spark"` needs the package `pyspark`, which is not installed. Install '
            'it: pip install "station-coverage-planner[spark]".'
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pyspark thinks of pandas, which is not used here
        running = SparkSession.getActiveSession()
        if running is not None:
            yield running
            return
        _require_java()
        if not _MASTER.match(master):
            raise SettingsError(
                "The `master` setting must be local[*], spark://host:7077, yarn or k8s://…. "
                f"Got {master!r}."
            )
        with _told(master), _muffled():
            spark = _start(SparkSession.builder, master)
        try:
            yield spark
        finally:
            spark.stop()


@contextmanager
def _told(master: str) -> Iterator[None]:
    """Turn what Spark says into one line."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        raise InputError(
            f"Spark has failed ({_cause(str(error))}). Check that the master runs, that Java "
            "is 17 or later, and that its workers see the files and this Python "
            f"({sys.executable}).",
            file=master,
        ) from None


def _cause(text: str) -> str:
    r"""Return the line of a stack trace that tells the most.

    Examples
    --------
    >>> _cause("An error occurred.\n: a.b.SparkException: No such master: 'x'.\n\tat y")
    "No such master: 'x'"
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no word"]
    faults = [
        line for line in lines if re.match(r"(Caused )?(by)?(: )?[\w.$]+(Exception|Error)\b", line)
    ]
    caused = [line for line in faults if line.startswith("Caused by")]
    line = (caused[-1:] or faults[:1] or lines[:1])[0]
    found = re.sub(r"^(Caused by)?(: )?([\w$]+\.)*", "", line)
    return re.sub(r"^\w*(Exception|Error): ", "", found)[:300].rstrip(". ")


@contextmanager
def _muffled() -> Iterator[None]:
    """Keep what the JVM says while it starts, and later, off the terminal."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _start(builder: Any, master: str) -> Any:
    settings = {
        "spark.app.name": "station-coverage-planner",
        "spark.driver.maxResultSize": "0",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if master.startswith("local["):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    before = os.environ.get("PYSPARK_PYTHON")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        return builder.master(master).config(map=settings).getOrCreate()
    finally:
        if before is None:
            del os.environ["PYSPARK_PYTHON"]


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not shutil.which(str(Path(home, "bin", "java")) if home else "java"):
        where = f"JAVA_HOME ({home})" if home else "PATH"
        raise InputError(
            f"Spark needs Java 17 or later, and there is none in {where}. Install it (Debian: "
            'apt install default-jre-headless) or set `engine = "local"`.'
        )
