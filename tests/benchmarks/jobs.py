"""What is timed, one job a process: ours, and the floor that no reader of the file gets under.

`python jobs.py demand fixes.parquet few.parquet` prints CPU seconds and memory as JSON.
"""

import argparse
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
from clock import Clock, peak_bytes
from made_fixes import make_area
from score import tell_stays

from planner import make_demand, make_stays
from planner.load import scan_activity

COLUMNS = ["rider_id", "time", "lon", "lat"]


def decode(path):
    """Read the columns as pyarrow does, rider ids as dictionary, in one thread."""
    file = pq.ParquetFile(path, read_dictionary=["rider_id"], pre_buffer=False)  # else slower
    with Clock() as clock:
        for _batch in file.iter_batches(columns=COLUMNS, use_threads=False):
            pass
    return {"seconds": clock.seconds}


def duckdb(path):
    """Let DuckDB touch every value once, in one thread."""
    import duckdb

    base = duckdb.connect(config={"threads": 1})
    with Clock() as clock:
        base.execute(
            "SELECT min(rider_id), max(rider_id), epoch_us(min(time)), epoch_us(max(time)),"
            " sum(lon), sum(lat) FROM read_parquet($path)",
            {"path": str(path)},
        ).fetchall()
    return {"seconds": clock.seconds}


def stays(path, few, out):
    """From the file to cleaned, robust stays; `few` is run first, to compile."""
    area, bare = make_area(), peak_bytes()
    find(few, area)
    with Clock() as clock:
        found = find(path, area)
    peak = peak_bytes()
    tell_stays(found).to_parquet(out)
    return {"seconds": clock.seconds, "bytes": peak - bare, "activity": found.attrs["activity"]}


def demand(path, few):
    """From the file by way of stays to demand."""
    area, bare = make_area(), peak_bytes()
    make_demand(find(few, area))
    with Clock() as finding:
        found = find(path, area)
    with Clock() as summing:
        make_demand(found)
    return {
        "seconds": finding.seconds + summing.seconds,
        "stays_seconds": finding.seconds,
        "bytes": peak_bytes() - bare,
        "activity": found.attrs["activity"],
    }


def find(path, area):
    """Fixes to stays, the way everyone does it."""
    return make_stays(scan_activity(path, area=area))


JOBS = {"decode": decode, "duckdb": duckdb, "stays": stays, "demand": demand}


def main():
    """Do one job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("files", type=Path, nargs="+")
    asked = parser.parse_args()
    json.dump(JOBS[asked.job](*asked.files), sys.stdout, default=str)


if __name__ == "__main__":
    main()
