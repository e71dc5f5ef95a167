"""The engine on a Spark cluster: workers read parts of a feed, riders meet, stays come back.

Spark spreads the rows by rider (`repartition`) and runs `planner.activity.engine.find_stays` on
each of its partitions (`mapInArrow`). There is no cluster code here but that. What was lost comes
back as rows beside the stays, so that a task that is run again counts once.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from copy import copy
from dataclasses import replace
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from planner import errors
from planner.activity.engine import WINDOW, Found, add_accounts
from planner.activity.feed import FeedPart, FixFeed
from planner.activity.ground import make_ground
from planner.activity.intake import LOSSES
from planner.activity.spark.session import open_session, told
from planner.activity.spark.workers import (
    FOUND_SQL,
    SENT_SQL,
    read_parts,
    read_whole,
    search_riders,
)
from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from planner.activity.engine import Rule

__all__ = ["find_stays_on_spark"]

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
    parts = feed.parts or (FeedPart(partial(read_whole, feed.read), "row"),)
    with open_session(master) as spark, told(master):
        tasks = partitions or _tasks(spark, feed.rows)
        job = (
            spark.range(0, len(parts), 1, len(parts))
            .mapInArrow(partial(read_parts, parts=parts, ground=ground), SENT_SQL)
            .repartition(tasks, "rider_id")
            .mapInArrow(partial(search_riders, ground=ground, rule=rule, window=window), FOUND_SQL)
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
