"""Who is told how far a run is."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class OnStage(Protocol):
    """Told of a stage before it (rows and seconds are None), while it runs (rows) and after it."""

    def __call__(self, stage: str, rows: int | None = None, seconds: float | None = None) -> None:
        """Show it."""


@dataclass(frozen=True)
class Stages:
    """Calls a stage and tells what came out, and how long it took."""

    tell: OnStage | None

    def step(self, name: str) -> Callable[[int, int], None] | None:
        """Return what a long call may tell of its progress: rows done, and in all."""
        tell = self.tell
        return (lambda done, _total: tell(name, done)) if tell else None

    def __call__(self, name: str, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the call returns."""
        if self.tell:
            self.tell(name)
        start = time.perf_counter()
        result = call(*args, **kwargs)
        seconds = time.perf_counter() - start
        rows = _rows(result)
        log.info("%s: %s rows, %.2f s", name, rows, seconds)
        if self.tell:
            self.tell(name, rows, seconds)
        return result


def _rows(result: object) -> int:
    """Count what a stage made: edges of a network, pairs of a reach, rows of a (first) table."""
    if isinstance(result, tuple) and result:
        return _rows(result[0])
    if hasattr(result, "n_edges"):
        return int(result.n_edges)
    if hasattr(result, "pairs"):
        return int(result.minutes.nnz)  # type: ignore[attr-defined]
    return len(result) if hasattr(result, "__len__") else 0
