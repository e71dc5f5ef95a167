"""Records on disk, in buckets of riders: for fixes that come in no useful order."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from planner.activity.records import bucket_records
from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

BUCKETS = 256  # a power of two; a bucket of a billion fixes takes 63 MB


class Spill:
    """A folder of buckets that is gone when the context ends (`TMPDIR` says where it lies)."""

    def __enter__(self) -> Self:
        with _told():
            self._folder = tempfile.TemporaryDirectory(prefix="planner-")
        self._start = np.zeros(BUCKETS + 1, dtype=np.int64)
        self._grouped = np.empty((0, 2), dtype=np.int64)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def _path(self, bucket: int) -> Path:
        return Path(self._folder.name, f"{bucket:03d}")

    def write(self, records: np.ndarray) -> None:
        """Append records, shape (n, 2), to their buckets.

        Raises
        ------
        InputError
            The disk is full.
        """
        if len(self._grouped) < len(records):
            self._grouped = np.empty_like(records)
        grouped = self._grouped
        bucket_records(records, grouped, self._start)
        with _told():
            for b in range(BUCKETS):  # opened anew each time: some systems allow but 256 open files
                part = grouped[self._start[b] : self._start[b + 1]]
                if len(part):
                    with self._path(b).open("ab") as file:
                        file.write(part.data)

    def buckets(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each bucket that holds any records, shape (n, 2); what was read is deleted."""
        del self._grouped
        for b in range(BUCKETS):
            path = self._path(b)
            if path.exists():
                with _told():
                    records = np.fromfile(path, dtype=np.int64).reshape(-1, 2)
                    path.unlink()
                yield b, records


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the system says of its disk into our error."""
    try:
        yield
    except OSError as error:
        raise InputError(
            "the fixes are not in the order of time and are sorted on disk, which failed "
            f"({error.strerror or error}). Make room (16 bytes a fix) or set TMPDIR to another "
            "disk."
        ) from error
