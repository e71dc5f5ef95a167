"""Records on disk, in buckets of riders: for fixes that come in no useful order."""

from __future__ import annotations

import tempfile
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
        self._folder = tempfile.TemporaryDirectory(prefix="planner-")
        self._files = [self._path(b).open("wb") for b in range(BUCKETS)]
        self._start = np.zeros(BUCKETS + 1, dtype=np.int64)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()
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
        grouped = np.empty_like(records)
        bucket_records(records, grouped, self._start)
        try:
            for b, file in enumerate(self._files):
                file.write(grouped[self._start[b] : self._start[b + 1]].data)
        except OSError as error:
            raise InputError(
                f"the fixes are not in the order of time and are sorted on disk, which failed "
                f"({error.strerror}). Make room (16 bytes a fix) or set TMPDIR to a larger disk.",
                file=self._folder.name,
            ) from error

    def buckets(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each bucket and its records, shape (n, 2); what was read is deleted."""
        for b, file in enumerate(self._files):
            file.close()
            records = np.fromfile(self._path(b), dtype=np.int64).reshape(-1, 2)
            self._path(b).unlink()
            if len(records):
                yield b, records
