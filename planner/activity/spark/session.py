"""A session of Spark that keeps quiet, and what goes wrong with it in one line."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.activity.intake import BATCH_ROWS
from planner.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MASTER = re.compile(r"local$|local\[[\w*, ]+\]$|local-cluster\[|spark://.|yarn$|k8s://.")


@contextmanager
def open_session(master: str) -> Iterator[Any]:
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
        with told(master), _muffled():
            spark = _start(SparkSession.builder, master)
        try:
            yield spark
        finally:
            spark.stop()


@contextmanager
def told(master: str) -> Iterator[None]:
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
